; Tests, what skips them, and assertions. Captures: test, skip, assert, strict, lax.
(call_expression
  function: (call_expression
    function: (identifier) @_test
    arguments: (arguments (string) @test))
  (#match? @_test "^(test|it|scenario|property)$"))
(infix_expression left: (string) @test operator: (identifier) @_in (#match? @_in "^(in|should|must)$"))
(call_expression function: (identifier) @skip (#match? @skip "^(ignore|cancel|pending|assume)$"))
(infix_expression operator: (identifier) @skip (#match? @skip "^(ignore|is)$"))
(call_expression function: (identifier) @assert (#match? @assert "^(assert\\w*|intercept|fail)$"))
(infix_expression operator: (identifier) @assert (#match? @assert "^(should\\w*|must\\w*)$"))
(call_expression function: (identifier) @strict (#match? @strict "^(assertResult|assertThrows|assertEquals|intercept)$"))
(infix_expression operator: (identifier) @strict (#match? @strict "^(shouldBe|shouldEqual|mustBe|mustEqual)$"))
