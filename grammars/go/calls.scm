; Calls, in every shape: see docs/languages.md for the captures. With one argument the
; grammar reads `f[T](x)` as a conversion, with several as the call of an element of `f`:
; nothing but the type of `f` tells. The second is left out, since it mostly is one.
(call_expression
  function: (selector_expression operand: (_) @receiver field: (field_identifier) @name)
  type_arguments: (_)? @types arguments: (argument_list) @arguments) @call
(call_expression function: (identifier) @name type_arguments: (_)? @types arguments: (argument_list) @arguments) @call
(type_conversion_expression
  type: (generic_type type: (qualified_type package: (_) @receiver name: (type_identifier) @name) type_arguments: (_) @types)
  operand: (_) @argument) @call
(type_conversion_expression
  type: (generic_type type: (type_identifier) @name type_arguments: (_) @types) operand: (_) @argument) @call
