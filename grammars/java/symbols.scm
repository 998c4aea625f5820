; Scopes, definitions, imports and members: see docs/symbols.md for the captures.
(package_declaration (_) @package)
(class_declaration name: (identifier) @define.outer @class) @scope
(interface_declaration name: (identifier) @define.outer @class) @scope
(enum_declaration name: (identifier) @define.outer @class) @scope
(record_declaration name: (identifier) @define.outer @class) @scope
(annotation_type_declaration name: (identifier) @define.outer @class) @scope
(method_declaration name: (identifier) @define.outer) @scope.function
(constructor_declaration) @scope.function
(lambda_expression) @scope.function
[(class_body) (block) (constructor_body) (for_statement) (enhanced_for_statement) (catch_clause)
 (try_with_resources_statement) (switch_block) (switch_rule) (static_initializer)] @scope

(type_parameter (type_identifier) @define @type.parameter)
(type_parameter (type_identifier) @name (type_bound (_) @parent))
(method_declaration type: (_) @returns name: (identifier) @name)
(class_declaration name: (identifier) @name superclass: (superclass (_) @parent))
(class_declaration name: (identifier) @name interfaces: (super_interfaces (type_list (_) @parent)))
(interface_declaration name: (identifier) @name (extends_interfaces (type_list (_) @parent)))
(formal_parameter type: (_) @type name: (identifier) @define)
(spread_parameter (variable_declarator name: (identifier) @define))
(inferred_parameters (identifier) @define)
(lambda_expression parameters: (identifier) @define)
(catch_formal_parameter name: (identifier) @define)
(catch_formal_parameter (catch_type . (_) @type .) name: (identifier) @name)
(resource type: (_) @type name: (identifier) @define value: (_) @value)
(enhanced_for_statement type: (_) @type name: (identifier) @define)
(instanceof_expression right: (_) @type name: (identifier) @define)
(type_pattern (_) @type (identifier) @define)
(record_pattern_component (_) @type (identifier) @define)
; `a.new B()`: a class of `a`.
(object_creation_expression . [(identifier) (this) (field_access) (method_invocation)] type: (type_identifier) @doubtful)
(local_variable_declaration declarator: (variable_declarator name: (identifier) @define))
(local_variable_declaration declarator: (variable_declarator name: (identifier) @name)) @seen.behind
(local_variable_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @name))
(field_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @define))
(variable_declarator name: (identifier) @name value: (_) @value)
(enum_constant name: (identifier) @define)

(import_declaration (scoped_identifier) @import.name .) @import
(import_declaration (scoped_identifier) @import.from (asterisk) @import.wildcard) @import
(import_declaration (identifier) @import.from (asterisk) @import.wildcard) @import

(field_access object: (_) @member.object field: (identifier) @member.name) @member
(scoped_identifier scope: (_) @member.object name: (identifier) @member.name) @member
(scoped_type_identifier . (_) @member.object (type_identifier) @member.name .) @member
(method_invocation object: (_) @member.object name: (identifier) @member.name)
(method_reference . (_) @member.object (identifier) @member.name .)
(this) @self
(field_access object: (identifier) @self.of field: (this)) @self
(object_creation_expression (class_body) @nameless)
(enum_constant body: (class_body) @nameless)
(object_creation_expression type: (_) @construct.type) @construct
(cast_expression type: (_) @construct.type) @construct

(element_value_pair key: (identifier) @label)
(assignment_expression left: (_) @write)
(update_expression (_) @write)

(constant_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @define))
(interface_body) @scope
(switch_label (identifier) @doubtful)
(labeled_statement . (identifier) @label)
(break_statement (identifier) @label)
(continue_statement (identifier) @label)
