; Scopes, definitions, imports and members: see docs/symbols.md for the captures.
(package_header (identifier) @package)
(class_declaration (type_identifier) @define.outer @class) @scope
(object_declaration (type_identifier) @define.outer @class) @scope
(function_declaration (simple_identifier) @define.outer) @scope.function
(type_alias . (type_identifier) @define)
[(companion_object) (class_body) (for_statement) (catch_block) (when_expression) (control_structure_body)
 (anonymous_function) (secondary_constructor) (getter) (setter)] @scope
(lambda_literal) @scope.function
; A class sees what its companion has.
(companion_object (class_body) @open) @open

(type_parameter (type_identifier) @define @type.parameter)
(type_parameter (type_identifier) @name (user_type) @parent)
(type_alias . (type_identifier) @name (user_type) @alias)
(function_declaration (simple_identifier) @name (function_value_parameters) . [(user_type) (nullable_type)] @returns)
(class_declaration (type_identifier) @name (delegation_specifier (user_type) @parent))
(class_declaration (type_identifier) @name (delegation_specifier (constructor_invocation (user_type) @parent)))
(parameter (simple_identifier) @define (_) @type)
(setter (parameter_with_optional_type (simple_identifier) @define))
(class_parameter (simple_identifier) @define . (_) @type)
(variable_declaration (simple_identifier) @define)
(variable_declaration (simple_identifier) @name (_) @type)
(statements (property_declaration (variable_declaration (simple_identifier) @name)) @seen.behind)
(property_declaration (variable_declaration (simple_identifier) @name) [(call_expression) (navigation_expression) (simple_identifier)] @value)
(catch_block (simple_identifier) @define)
(enum_entry (simple_identifier) @define)

(import_header (identifier) @import.name .) @import
(import_header (identifier) @import.name (import_alias (type_identifier) @import.alias)) @import
(import_header (identifier) @import.from (wildcard_import) @import.wildcard) @import

(navigation_expression (_) @member.object (navigation_suffix ["." "?."] (simple_identifier) @member.name)) @member
(navigation_expression (_) @member.object (navigation_suffix "::" (simple_identifier) @member.name))
(callable_reference . (type_identifier) @member.object (simple_identifier) @member.name)
(directly_assignable_expression (navigation_suffix (simple_identifier) @member.name) @member.part)
(this_expression) @self
(this_expression (type_identifier) @self.of) @self
[(object_literal) (lambda_literal) (anonymous_function) (companion_object)] @nameless
(function_declaration (receiver_type)) @nameless
(call_expression . (_) @construct.type) @construct

(value_argument . (simple_identifier) @label "=")
(assignment (directly_assignable_expression) @write)
(postfix_expression (_) @write ["++" "--"])
(prefix_expression ["++" "--"] (_) @write)
