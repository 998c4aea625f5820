; Calls, in every shape: see docs/languages.md for the captures.
(call_expression
  . (navigation_expression (_) @receiver (navigation_suffix (simple_identifier) @name))
  (call_suffix (type_arguments)? @types (value_arguments)? @arguments (annotated_lambda)? @argument)) @call
(call_expression
  . (simple_identifier) @name
  (call_suffix (type_arguments)? @types (value_arguments)? @arguments (annotated_lambda)? @argument)) @call
(infix_expression . (_) @receiver . (simple_identifier) @name . (_) @argument .) @call
