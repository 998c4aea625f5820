; Calls, in every shape: see docs/languages.md for the captures. Several closures behind a call are told
; apart by labels, and such calls are not among these.
(call_expression . (_) @callee (call_suffix . (value_arguments "(") @arguments .)) @call
(call_expression . (_) @callee (call_suffix . (value_arguments "(") @arguments . (lambda_literal) @argument .)) @call
(call_expression . (_) @callee (call_suffix . (lambda_literal) @argument .)) @call
(constructor_expression
  (user_type . (type_identifier) @name . (type_arguments) @types .)
  (constructor_suffix . (value_arguments) @arguments .)) @call
(constructor_expression
  (user_type . (type_identifier) @name . (type_arguments) @types .)
  (constructor_suffix . (value_arguments) @arguments . (lambda_literal) @argument .)) @call
