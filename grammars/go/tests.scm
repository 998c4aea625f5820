; Tests, what skips them, and assertions. Captures: test, skip, assert, strict, lax.
(function_declaration name: (identifier) @test (#match? @test "^(Test|Fuzz|Example)"))
(call_expression
  function: (selector_expression operand: (identifier) @_t field: (field_identifier) @_run)
  arguments: (argument_list . (interpreted_string_literal) @test) (#eq? @_run "Run"))
(call_expression function: (selector_expression field: (field_identifier) @skip)
  (#match? @skip "^(Skip|Skipf|SkipNow)$"))
(call_expression function: (selector_expression operand: (identifier) @_t field: (field_identifier) @assert)
  (#match? @_t "^(t|b|tb|assert|require)$")
  (#match? @assert "^(Error|Errorf|Fatal|Fatalf|Fail|FailNow|Equal\\w*|True|False|Nil|NotNil|NoError|Contains|Len|ElementsMatch|JSONEq|InDelta|Panics|ErrorIs)$"))
(call_expression function: (selector_expression operand: (identifier) @_t field: (field_identifier) @strict)
  (#match? @_t "^(assert|require)$") (#match? @strict "^(Equal\\w*|ElementsMatch|JSONEq|ErrorIs|Len)$"))
(call_expression function: (selector_expression field: (field_identifier) @lax) (#match? @lax "^(InDelta|InEpsilon)$"))
