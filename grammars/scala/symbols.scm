; Scopes, definitions, imports and members: see docs/symbols.md for the captures.
(package_clause name: (package_identifier) @package)
(class_definition name: (identifier) @define.outer @class) @scope
(trait_definition name: (identifier) @define.outer @class) @scope
(object_definition name: (identifier) @define.outer @class) @scope
(enum_definition name: (identifier) @define.outer @class) @scope
(function_definition name: (identifier) @define.outer) @scope.function
(function_declaration name: (identifier) @define.outer) @scope.function
[(template_body) (block) (indented_block) (case_clause) (for_expression)] @scope
(lambda_expression) @scope.function

(type_definition name: (type_identifier) @define)
(type_definition name: (type_identifier) @name type: (_) @alias)
(type_parameters name: (identifier) @define @type.parameter)
(type_parameters name: (identifier) @name . bound: (upper_bound type: (_) @parent))
(function_definition name: (identifier) @name return_type: (_) @returns)
(function_declaration name: (identifier) @name return_type: (_) @returns)
(class_definition (modifiers "implicit") name: (identifier) @name
  class_parameters: (class_parameters . (class_parameter type: (_) @extends)))
(class_definition name: (identifier) @name extend: (extends_clause type: (_) @parent))
(trait_definition name: (identifier) @name extend: (extends_clause type: (_) @parent))
(object_definition name: (identifier) @name extend: (extends_clause type: (_) @parent))
(parameter name: (identifier) @define type: (_) @type)
(class_parameter name: (identifier) @define type: (_) @type)
(binding name: (identifier) @define)
(binding name: (identifier) @name type: (_) @type)
(lambda_expression parameters: (identifier) @define)
(val_definition pattern: (identifier) @define)
(var_definition pattern: (identifier) @define)
(val_definition pattern: (identifier) @name type: (_) @type)
(var_definition pattern: (identifier) @name type: (_) @type)
(val_definition pattern: (identifier) @name value: (_) @value)
(var_definition pattern: (identifier) @name value: (_) @value)
(val_definition pattern: (tuple_pattern . (identifier) @name @value.first) value: (_) @value)
(val_definition pattern: (tuple_pattern . (_) . (identifier) @name @value.second) value: (_) @value)
(val_declaration name: (identifier) @define type: (_) @type)
(var_declaration name: (identifier) @define type: (_) @type)
(tuple_pattern (identifier) @define)
(case_class_pattern pattern: (identifier) @define)
; In backticks it is compared with.
((case_clause pattern: (identifier) @define) (#not-match? @define "^`"))
(infix_pattern left: (identifier) @define)
(infix_pattern right: (identifier) @define)
(typed_pattern pattern: (identifier) @define type: (_) @type)
(capture_pattern name: (identifier) @define)
(enumerator . (identifier) @define)

(import_declaration (identifier) @import.last) @import
(import_declaration (namespace_selectors (identifier) @import.name)) @import
(import_declaration (namespace_selectors (arrow_renamed_identifier name: (identifier) @import.name alias: (_) @import.alias))) @import
(import_declaration (namespace_selectors (as_renamed_identifier name: (identifier) @import.name alias: (_) @import.alias))) @import
(import_declaration (namespace_selectors (namespace_wildcard) @import.wildcard)) @import
(import_declaration (namespace_wildcard) @import.wildcard) @import
(import_declaration (as_renamed_identifier name: (identifier) @import.name alias: (_) @import.alias)) @import
; What a file gives on, others read by its name.
(export_declaration (identifier) @doubtful)
(export_declaration (namespace_selectors (identifier) @doubtful))
(export_declaration (namespace_selectors (as_renamed_identifier (identifier) @doubtful)))
(export_declaration (namespace_selectors (arrow_renamed_identifier (identifier) @doubtful)))
(given_definition name: (identifier) @define)
(simple_enum_case name: (identifier) @define)
(full_enum_case name: (identifier) @define)
(self_type . (identifier) @define)

(field_expression value: (_) @member.object field: (identifier) @member.name) @member
(stable_type_identifier . (_) @member.object (type_identifier) @member.name .) @member
(infix_expression left: (_) @member.object operator: (identifier) @member.name)
((identifier) @self (#eq? @self "this"))
((field_expression value: (identifier) @self.of field: (identifier) @_this) @self (#eq? @_this "this"))
(instance_expression (template_body) @nameless)
(instance_expression . (_) @construct.type) @construct

(arguments (assignment_expression left: (identifier) @label))
(assignment_expression left: (_) @write)
((infix_expression left: (_) @write operator: (operator_identifier) @_op) (#match? @_op "^([^=!<>].*|<<|>>|>>>)=$"))
