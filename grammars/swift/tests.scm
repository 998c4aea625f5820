; Tests, what skips them, and assertions. Captures: test, skip, assert, strict, lax.
(function_declaration name: (simple_identifier) @test (#match? @test "^test"))
(function_declaration
  (modifiers (attribute (user_type (type_identifier) @_test)))
  name: (simple_identifier) @test (#eq? @_test "Test"))
(call_expression . (simple_identifier) @skip (#match? @skip "^XCTSkip"))
(call_expression . (simple_identifier) @assert (#match? @assert "^(XCTAssert\\w*|XCTFail|XCTUnwrap)$"))
(macro_invocation (simple_identifier) @assert (#match? @assert "^(expect|require)$"))
(call_expression . (simple_identifier) @strict (#match? @strict "^(XCTAssertEqual|XCTAssertThrowsError|XCTAssertIdentical)$"))
(catch_block) @_catch
