; Tests, what skips them, and assertions. Captures: test, skip, assert, strict, lax.
(function_declaration
  (modifiers (annotation (user_type (type_identifier) @_test)))
  (simple_identifier) @test (#match? @_test "^(Test|ParameterizedTest|RepeatedTest)$"))
(annotation (user_type (type_identifier) @skip) (#match? @skip "^(Disabled|Ignore)"))
(annotation (constructor_invocation (user_type (type_identifier) @skip)) (#match? @skip "^(Disabled|Ignore)"))
(call_expression (simple_identifier) @assert (#match? @assert "^(assert\\w*|fail|check|verify)$"))
(call_expression (simple_identifier) @strict
  (#match? @strict "^(assertEquals|assertContentEquals|assertSame|assertFailsWith|assertThrows)$"))
(catch_block) @_catch
