; Tests, what skips them, and assertions. Captures: test, skip, assert, strict, lax.
(method_declaration
  (modifiers (marker_annotation name: (identifier) @_test))
  name: (identifier) @test (#match? @_test "^(Test|ParameterizedTest|RepeatedTest|TestFactory)$"))
(method_declaration
  (modifiers (annotation name: (identifier) @_test))
  name: (identifier) @test (#match? @_test "^(Test|ParameterizedTest|RepeatedTest|TestFactory)$"))
(marker_annotation name: (identifier) @skip (#match? @skip "^(Disabled|Ignore)"))
(annotation name: (identifier) @skip (#match? @skip "^(Disabled|Ignore)"))
(method_invocation name: (identifier) @skip (#match? @skip "^(assumeTrue|assumeFalse|assumeThat|abort)$"))
(method_invocation name: (identifier) @assert (#match? @assert "^(assert\\w*|fail|verify|andExpect)$"))
(assert_statement) @assert
(method_invocation name: (identifier) @strict
  (#match? @strict "^(assertEquals|assertArrayEquals|assertSame|assertIterableEquals|assertLinesMatch|assertThrows|assertThrowsExactly|isEqualTo|containsExactly|containsExactlyInAnyOrder|isSameAs)$"))
(method_invocation name: (identifier) @lax (#match? @lax "^(isCloseTo|withinPercentage|anyString|any)$"))
(catch_clause body: (block . "{" . "}" .)) @lax
