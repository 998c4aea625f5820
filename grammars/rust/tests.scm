; Tests, what skips them, and assertions. Captures: test, skip, assert, strict, lax.
((attribute_item (attribute [(identifier) (scoped_identifier)] @_test))
  . (attribute_item)*
  . (function_item name: (identifier) @test) (#match? @_test "(^|::)test$"))
(attribute_item (attribute (identifier) @skip) (#eq? @skip "ignore"))
(macro_invocation macro: (_) @assert (#match? @assert "(^|::)(debug_)?(assert\\w*|panic|unreachable)$"))
(macro_invocation macro: (_) @strict (#match? @strict "(^|::)(debug_)?(assert_eq|assert_ne|assert_matches|assert_snapshot|assert_debug_snapshot)$"))
(attribute_item (attribute (identifier) @lax) (#eq? @lax "should_panic"))
