; Tests, what skips them, and assertions. Captures: test, skip, assert, strict, lax.
(call_expression
  function: (identifier) @_test
  arguments: (arguments . [(string) (template_string)] @test) (#match? @_test "^(it|test|describe|suite|specify)$"))
(call_expression
  function: (member_expression property: (property_identifier) @skip)
  arguments: (arguments . [(string) (template_string)]) (#match? @skip "^(skip|todo|only|failing|fixme)$"))
(call_expression function: (identifier) @skip (#match? @skip "^(xit|xtest|xdescribe|fit|fdescribe|pending)$"))
(pair key: (property_identifier) @skip value: (true) (#match? @skip "^(skip|todo)$"))
(call_expression function: (identifier) @assert (#match? @assert "^(expect|assert)$"))
(call_expression
  function: (member_expression object: (identifier) @_assert property: (property_identifier) @assert)
  (#match? @_assert "^(assert|t|expect)$")
  (#match? @assert "^(ok|equal|strictEqual|deepEqual|deepStrictEqual|notEqual|throws|rejects|match|is|same|true|false)$"))
(call_expression
  function: (member_expression property: (property_identifier) @strict)
  (#match? @strict "^(toBe|toEqual|toStrictEqual|toMatchObject|toHaveBeenCalledWith|toThrow|toThrowError|toMatchSnapshot|toMatchInlineSnapshot|toHaveLength|equal|strictEqual|deepEqual|deepStrictEqual|throws|rejects)$"))
(call_expression
  function: (member_expression property: (property_identifier) @lax)
  (#match? @lax "^(toBeCloseTo|toBeTruthy|toBeDefined|toBeFalsy|anything)$"))
(catch_clause body: (statement_block . "{" . "}" .)) @lax
