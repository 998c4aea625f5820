; Calls, in every shape: see docs/languages.md for the captures.
(call_expression
  function: (member_expression object: (_) @receiver property: [(property_identifier) (private_property_identifier)] @name)
  type_arguments: (_)? @types arguments: (arguments) @arguments) @call
(call_expression function: (identifier) @name type_arguments: (_)? @types arguments: (arguments) @arguments) @call
