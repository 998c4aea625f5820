; Scopes, definitions, imports and members: see docs/symbols.md for the captures.
(class_declaration name: (type_identifier) @define.outer @class) @scope
(class_declaration name: (user_type)) @scope
(protocol_declaration name: (type_identifier) @define.outer @class) @scope
(function_declaration name: (simple_identifier) @define.outer) @scope.function
(typealias_declaration name: (type_identifier) @define)
(associatedtype_declaration name: (type_identifier) @define)
[(init_declaration) (deinit_declaration) (subscript_declaration) (computed_getter) (computed_setter)
 (willset_clause) (didset_clause) (lambda_literal)] @scope.function
[(if_statement) (while_statement) (for_statement) (repeat_while_statement) (switch_entry)
 (catch_block) (computed_property)] @scope
(if_statement (statements) @scope)
(guard_statement (statements) @scope)
(do_statement (statements) @scope)

(typealias_declaration name: (type_identifier) @name (user_type) @alias)
(type_parameter (type_identifier) @define @type.parameter)
(function_declaration name: (simple_identifier) @name [(user_type) (optional_type)] @returns)
(class_declaration name: (type_identifier) @name (inheritance_specifier (user_type) @parent))
(protocol_declaration name: (type_identifier) @name (inheritance_specifier (user_type) @parent))

(parameter name: (simple_identifier) @define . [(user_type) (optional_type)] @type)
(parameter name: (simple_identifier) @define)
(lambda_parameter name: (simple_identifier) @define . [(user_type) (optional_type)] @type)
(lambda_parameter name: (simple_identifier) @define)
(capture_list_item name: (simple_identifier) @define)
(property_declaration name: (pattern bound_identifier: (simple_identifier) @define))
(property_declaration (pattern bound_identifier: (simple_identifier) @name) . (type_annotation [(user_type) (optional_type)] @type))
(property_declaration (pattern bound_identifier: (simple_identifier) @name)
  . [(call_expression) (navigation_expression) (simple_identifier) (constructor_expression)] @value)
(property_declaration name: (pattern (pattern (simple_identifier) @define)))
(protocol_property_declaration name: (pattern bound_identifier: (simple_identifier) @define))
(enum_entry name: (simple_identifier) @define)
(protocol_function_declaration name: (simple_identifier) @define)
[(computed_setter (simple_identifier) @define) (willset_clause (simple_identifier) @define)
 (didset_clause (simple_identifier) @define)]
(for_statement item: (pattern bound_identifier: (simple_identifier) @define))
(for_statement item: (pattern (pattern (simple_identifier) @define)))
(if_statement bound_identifier: (simple_identifier) @define)
(while_statement bound_identifier: (simple_identifier) @define)
(guard_statement bound_identifier: (simple_identifier) @define)
(if_statement bound_identifier: (simple_identifier) @name . (type_annotation)? . "=" . (_) @seen.behind)
(while_statement bound_identifier: (simple_identifier) @name . (type_annotation)? . "=" . (_) @seen.behind)
(guard_statement bound_identifier: (simple_identifier) @name . (type_annotation)? . "=" . (_) @seen.behind)
(pattern (value_binding_pattern) bound_identifier: (simple_identifier) @define)
(pattern (value_binding_pattern) (pattern (simple_identifier) @define))

(import_declaration (identifier) @import.from) @import
(import_declaration ["class" "struct" "enum" "protocol" "typealias" "func" "let" "var"] (identifier) @import.name) @import

(navigation_expression . (_) @member.object (navigation_suffix (simple_identifier) @member.name)) @member
(self_expression) @self
(call_expression . (_) @construct.type) @construct
(constructor_expression . (_) @construct.type) @construct

(value_argument name: (value_argument_label (simple_identifier) @label))
(value_argument reference_specifier: (value_argument_label (simple_identifier) @label))
(parameter external_name: (simple_identifier) @label)
(call_suffix name: (simple_identifier) @label)
(control_transfer_statement ["break" "continue"] result: (simple_identifier) @label.jump)
(macro_invocation (simple_identifier) @label)
(constructor_suffix name: (simple_identifier) @label)
(tuple_expression name: (simple_identifier) @label)
(assignment target: (directly_assignable_expression (_) @write))
(prefix_expression operation: "&" target: (_) @write)
