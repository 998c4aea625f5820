; Calls, in every shape: see docs/languages.md for the captures. A path is no receiver:
; `A::f(x)` is written as a pattern of its own.
(call_expression
  function: (generic_function function: (field_expression value: (_) @receiver field: (field_identifier) @name) type_arguments: (_) @types)
  arguments: (_) @arguments) @call
(call_expression
  function: (generic_function function: (scoped_identifier path: (_) @path name: (identifier) @name) type_arguments: (_) @types)
  arguments: (_) @arguments) @call
(call_expression
  function: (generic_function function: (identifier) @name type_arguments: (_) @types) arguments: (_) @arguments) @call
(call_expression
  function: (field_expression value: (_) @receiver field: (field_identifier) @name) arguments: (_) @arguments) @call
(call_expression
  function: (scoped_identifier path: (_) @path name: (identifier) @name) arguments: (_) @arguments) @call
(call_expression function: (identifier) @name arguments: (_) @arguments) @call
