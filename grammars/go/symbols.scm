; Scopes, definitions, imports and members: see docs/symbols.md for the captures.
(package_clause (package_identifier) @package)
(function_declaration name: (identifier) @define.outer) @scope.function
[(method_declaration) (func_literal)] @scope.function
[(block) (if_statement) (for_statement) (expression_case) (default_case) (type_case) (communication_case)
 (expression_switch_statement) (type_switch_statement)] @scope

(type_spec name: (type_identifier) @define @class)
(type_alias name: (type_identifier) @define)
(type_parameter_declaration name: (identifier) @define)
(parameter_declaration name: (identifier) @define type: (_) @type)
(variadic_parameter_declaration name: (identifier) @define)
(var_spec name: (identifier) @define)
(var_spec name: (identifier) @name type: (_) @type)
(field_declaration name: (field_identifier) @name type: (_) @type)
(type_assertion_expression type: (_) @cast.type) @cast
(var_spec name: (identifier) @name value: (expression_list . (_) @value .))
(const_spec name: (identifier) @define)
(short_var_declaration left: (expression_list (identifier) @define))
(short_var_declaration left: (expression_list . (identifier) @name .) right: (expression_list . (_) @value .))
(range_clause left: (expression_list (identifier) @define) ":=")
(range_clause left: (expression_list (_) @write) "=")
(type_switch_statement alias: (expression_list (identifier) @define))
(receive_statement left: (expression_list (identifier) @define) ":=")
(receive_statement left: (expression_list (_) @write) "=")

(import_spec !name path: (_) @import.path) @import
(import_spec name: (package_identifier) @import.module path: (_)) @import
(import_spec name: (dot) @import.wildcard path: (_)) @import

(selector_expression operand: (_) @member.object field: (field_identifier) @member.name) @member
(qualified_type package: (_) @member.object name: (type_identifier) @member.name) @member
(composite_literal type: (_) @construct.type) @construct
(unary_expression operator: "&" operand: (composite_literal type: (_) @construct.type)) @construct
(call_expression function: (identifier) @_new arguments: (argument_list . (_) @construct.type .) (#eq? @_new "new")) @construct

; A key of a map or an index of an array is a value.
(composite_literal type: [(type_identifier) (qualified_type) (generic_type)]
  body: (literal_value (keyed_element key: (literal_element (identifier) @label))))
(literal_element (literal_value (keyed_element key: (literal_element (identifier) @label))))
(assignment_statement left: (expression_list (_) @write))
(inc_statement (_) @write)
(dec_statement (_) @write)
