; Calls, in every shape: see docs/languages.md for the captures.
(call_expression
  function: (generic_function function: (field_expression value: (_) @receiver field: (identifier) @name) type_arguments: (_) @types)
  arguments: (arguments) @arguments) @call
(call_expression
  function: (generic_function function: (field_expression value: (_) @receiver field: (identifier) @name) type_arguments: (_) @types)
  arguments: (_) @argument) @call
(call_expression
  function: (generic_function function: (identifier) @name type_arguments: (_) @types)
  arguments: (arguments) @arguments) @call
(call_expression
  function: (generic_function function: (identifier) @name type_arguments: (_) @types)
  arguments: (_) @argument) @call
(call_expression
  function: (field_expression value: (_) @receiver field: (identifier) @name)
  arguments: (arguments) @arguments) @call
(call_expression
  function: (field_expression value: (_) @receiver field: (identifier) @name)
  arguments: (_) @argument) @call
(call_expression function: (identifier) @name arguments: (arguments) @arguments) @call
(call_expression function: (identifier) @name arguments: (_) @argument) @call
(infix_expression
  left: (_) @receiver operator: (identifier) @name
  right: [(tuple_expression) (parenthesized_expression) (unit)] @arguments) @call
(infix_expression left: (_) @receiver operator: (identifier) @name right: (_) @argument) @call
