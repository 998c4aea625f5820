; Tests, what skips them, and assertions. Captures: test, skip, assert, strict, lax.
(function_definition name: (identifier) @test (#match? @test "^test"))
((decorator) @skip (#match? @skip "(skip|xfail|expectedFailure)"))
(call function: (_) @skip (#match? @skip "(^|\\.)(skip|skipTest|xfail|importorskip|SkipTest)$"))
(assert_statement) @assert
(assert_statement (comparison_operator operators: ["==" "is" "!="]) @strict)
(call function: (attribute attribute: (identifier) @assert) (#match? @assert "^(assert\\w+|fail)$"))
(call function: (attribute attribute: (identifier) @strict)
  (#match? @strict "^assert(Equal|Is|DictEqual|ListEqual|TupleEqual|SetEqual|CountEqual|SequenceEqual|MultiLineEqual|Raises|RaisesRegex|_called_once_with|_called_with|_frame_equal)$"))
(call function: (attribute object: (identifier) @_pytest attribute: (identifier) @assert)
  (#eq? @_pytest "pytest") (#eq? @assert "raises"))
(call function: (_) @lax (#match? @lax "(^|\\.)(approx|assertAlmostEqual|isclose|allclose)$"))
((assert_statement (true)) @lax)
(except_clause (block . (pass_statement) .)) @lax
