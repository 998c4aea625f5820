; Scopes, definitions, imports and members: see docs/symbols.md for the captures.
(function_declaration name: (identifier) @define.outer) @scope.function
(generator_function_declaration name: (identifier) @define.outer) @scope.function
[(function_expression) (arrow_function) (method_definition) (generator_function)] @scope.function
(function_expression name: (identifier) @define)
(class_declaration name: (type_identifier) @define.outer @class) @scope
(abstract_class_declaration name: (type_identifier) @define.outer @class) @scope
(interface_declaration name: (type_identifier) @define.outer @class) @scope
(function_signature name: (identifier) @define.outer) @scope.function
; What a type names is seen in it only.
[(method_signature) (abstract_method_signature) (call_signature) (construct_signature) (function_type)
 (constructor_type)] @scope.function
(index_signature (mapped_type_clause name: (type_identifier) @define @type.parameter)) @scope
(conditional_type) @scope
(conditional_type alternative: (_) @outside)
(infer_type (type_identifier) @define @type.parameter)
(index_signature name: (identifier) @label)
(tuple_type [(required_parameter name: (identifier) @label) (optional_parameter name: (identifier) @label)])
(enum_declaration name: (identifier) @define @class)
(type_alias_declaration name: (type_identifier) @define.outer) @scope
(type_parameter name: (type_identifier) @define @type.parameter)
(type_parameter name: (type_identifier) @name constraint: (constraint (_) @parent))
(type_alias_declaration name: (type_identifier) @name value: (_) @alias)
(internal_module name: (identifier) @define)
[(statement_block) (for_statement) (for_in_statement) (catch_clause) (switch_body)] @scope

(required_parameter pattern: (identifier) @define)
(optional_parameter pattern: (identifier) @define)
(required_parameter pattern: (identifier) @name type: (type_annotation (_) @type))
(optional_parameter pattern: (identifier) @name type: (type_annotation (_) @type))
(variable_declarator name: (identifier) @name type: (type_annotation (_) @type))
(arrow_function parameter: (identifier) @define)
(catch_clause parameter: (identifier) @define)
(for_in_statement kind: _ left: (identifier) @define)
(lexical_declaration (variable_declarator name: (identifier) @define))
(variable_declaration (variable_declarator name: (identifier) @define.hoisted))
(variable_declarator name: (identifier) @name value: (_) @value)
(variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @name @value.member) value: (_) @value)
(variable_declarator name: (object_pattern (pair_pattern key: (property_identifier) @value.member value: (identifier) @name)) value: (_) @value)
(object_pattern (shorthand_property_identifier_pattern) @define)
(object_pattern (object_assignment_pattern left: (shorthand_property_identifier_pattern) @define))
(pair_pattern value: (identifier) @define)
(pair_pattern value: (assignment_pattern left: (identifier) @define))
(array_pattern (identifier) @define)
(assignment_pattern left: (identifier) @define)
(rest_pattern (identifier) @define)

(import_statement (import_clause (identifier) @import.default)) @import
(import_statement (import_clause (namespace_import (identifier) @import.module))) @import
(import_statement (import_clause (named_imports (import_specifier name: (_) @import.name !alias)))) @import
(import_statement (import_clause (named_imports (import_specifier name: (_) @import.name alias: (identifier) @import.alias)))) @import
(import_statement (import_require_clause (identifier) @import.module)) @import
(lexical_declaration . (variable_declarator name: (identifier) @import.module
  value: (call_expression function: (identifier) @_require arguments: (arguments . (string) @source .))) .
  (#eq? @_require "require")) @import
(variable_declaration . (variable_declarator name: (identifier) @import.module
  value: (call_expression function: (identifier) @_require arguments: (arguments . (string) @source .))) .
  (#eq? @_require "require")) @import
(lexical_declaration . (variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @import.name)
  value: (call_expression function: (identifier) @_require arguments: (arguments . (string) @source .))) .
  (#eq? @_require "require")) @import
(lexical_declaration . (variable_declarator
  name: (object_pattern (pair_pattern key: (property_identifier) @import.name value: (identifier) @import.alias))
  value: (call_expression function: (identifier) @_require arguments: (arguments . (string) @source .))) .
  (#eq? @_require "require")) @import
(lexical_declaration . (variable_declarator name: (identifier) @import.module
  value: (await_expression (call_expression function: (import) arguments: (arguments . (string) @source .)))) .) @import
(lexical_declaration . (variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @import.name)
  value: (await_expression (call_expression function: (import) arguments: (arguments . (string) @source .)))) .) @import
(lexical_declaration . (variable_declarator
  name: (object_pattern (pair_pattern key: (property_identifier) @import.name value: (identifier) @import.alias))
  value: (await_expression (call_expression function: (import) arguments: (arguments . (string) @source .)))) .) @import
((lexical_declaration . (variable_declarator
  name: (object_pattern (pair_pattern key: (property_identifier) @within
    value: (object_pattern (shorthand_property_identifier_pattern) @import.name)))
  value: (call_expression function: (identifier) @_require arguments: (arguments . (string) @source .))) .)
  (#eq? @_require "require")) @import
((call_expression function: (identifier) @_require arguments: (arguments . (string) @module.path .)) @module
  (#eq? @_require "require"))

(await_expression (call_expression function: (import) arguments: (arguments . (string) @module.path .))) @module
(call_expression function: (import) arguments: (arguments . (string) @module.path .)) @module

; What `import("m").then(…)` hands on.
((call_expression
  function: (member_expression object: (call_expression function: (import)) @value property: (property_identifier) @_then)
  arguments: (arguments . [
    (arrow_function parameter: (identifier) @name)
    (arrow_function parameters: (formal_parameters . (required_parameter pattern: (identifier) @name) .))
    (function_expression parameters: (formal_parameters . (required_parameter pattern: (identifier) @name) .))
  ]))
  (#eq? @_then "then"))
((call_expression
  function: (member_expression object: (call_expression function: (import)) @value property: (property_identifier) @_then)
  arguments: (arguments . [
    (arrow_function parameters: (formal_parameters . (required_parameter pattern: (object_pattern (shorthand_property_identifier_pattern) @name @value.member)) .))
    (function_expression parameters: (formal_parameters . (required_parameter pattern: (object_pattern (shorthand_property_identifier_pattern) @name @value.member)) .))
  ]))
  (#eq? @_then "then"))

; What a pattern takes out of an object.
(variable_declarator name: (object_pattern [
    (shorthand_property_identifier_pattern) @taken
    (object_assignment_pattern left: (shorthand_property_identifier_pattern) @taken)
    (pair_pattern key: (property_identifier) @taken)
  ]) value: (_) @taken.from)
((call_expression
  function: (member_expression object: (call_expression function: (import)) @taken.from property: (property_identifier) @_then)
  arguments: (arguments . [
    (arrow_function parameters: (formal_parameters . (required_parameter pattern: (object_pattern [
      (shorthand_property_identifier_pattern) @taken
      (object_assignment_pattern left: (shorthand_property_identifier_pattern) @taken)
      (pair_pattern key: (property_identifier) @taken)
    ])) .))
    (function_expression parameters: (formal_parameters . (required_parameter pattern: (object_pattern [
      (shorthand_property_identifier_pattern) @taken
      (object_assignment_pattern left: (shorthand_property_identifier_pattern) @taken)
      (pair_pattern key: (property_identifier) @taken)
    ])) .))
  ]))
  (#eq? @_then "then"))

(member_expression object: (_) @member.object property: [(property_identifier) (private_property_identifier)] @member.name) @member
(nested_type_identifier module: (_) @member.object name: (type_identifier) @member.name) @member
(nested_identifier object: (_) @member.object property: (property_identifier) @member.name) @member
(subscript_expression object: (_) @member.object index: (string . (string_fragment) @member.name .)) @member
(this) @self
(public_field_definition name: [(property_identifier) (private_property_identifier)] @field)
(public_field_definition name: [(property_identifier) (private_property_identifier)] @name type: (type_annotation (_) @type))
(as_expression (_) (_) @cast.type) @cast
(public_field_definition name: [(property_identifier) (private_property_identifier)] @name value: (_) @value)
(assignment_expression left: (member_expression object: (this) property: [(property_identifier) (private_property_identifier)] @name) right: (_) @value)
(array_pattern [(member_expression) (parenthesized_expression)] @write)
(unary_expression operator: "delete" argument: (_) @write)
(array_pattern (assignment_pattern left: (member_expression) @write))
(pair_pattern value: (member_expression) @write)
(pair_pattern value: (assignment_pattern left: (member_expression) @write))
(rest_pattern (member_expression) @write)
((call_expression function: (member_expression object: (identifier) @_object property: (property_identifier) @_assign)
  arguments: (arguments . (this) @write)) (#eq? @_object "Object") (#match? @_assign "^(assign|defineProperty|defineProperties)$"))
(for_in_statement left: (member_expression) @write)
(class_body (method_definition name: [(property_identifier) (private_property_identifier)] @field))
(required_parameter [(accessibility_modifier) (override_modifier) "readonly"] pattern: (identifier) @field)
(optional_parameter [(accessibility_modifier) (override_modifier) "readonly"] pattern: (identifier) @field)
[(function_expression) (function_declaration) (generator_function) (generator_function_declaration) (class)] @nameless
(object (method_definition) @nameless)
(new_expression constructor: (_) @construct.type) @construct

(assignment_expression left: (_) @write)
(augmented_assignment_expression left: (_) @write)
(update_expression argument: (_) @write)
(assignment_expression left: [(array_pattern) (object_pattern)] @assigned)
(for_in_statement !kind left: [(identifier) (array_pattern) (object_pattern)] @assigned)
(namespace_export (identifier) @label)

; A class's name for itself, and the members of an enum, which see each other.
(class name: (type_identifier) @define) @scope
(enum_body) @scope
(enum_body name: (property_identifier) @define)
(enum_assignment name: (property_identifier) @define)
