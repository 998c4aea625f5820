; Scopes, definitions, imports and members: see docs/symbols.md for the captures.
(function_item name: (identifier) @define.outer) @scope.function
(closure_expression) @scope.function
(mod_item name: (identifier) @define.outer body: (_)) @scope.module
; A member is reached through its type only.
[(impl_item) (trait_item)] @scope.class
[(struct_item) (enum_item) (block) (match_arm) (for_expression) (if_expression)
 (while_expression) (function_signature_item)] @scope

(struct_item name: (type_identifier) @define.outer @class)
(enum_item name: (type_identifier) @define.outer @class)
(trait_item name: (type_identifier) @define.outer @class)
(union_item name: (type_identifier) @define @class)
(type_item name: (type_identifier) @define)
(const_item name: (identifier) @define)
(static_item name: (identifier) @define)
(macro_definition name: (identifier) @define)
(mod_item name: (identifier) @define !body)
(type_parameter name: (type_identifier) @define @type.parameter)
(type_parameter name: (type_identifier) @name bounds: (trait_bounds (_) @parent))
(type_item name: (type_identifier) @name type: (_) @alias)
(field_declaration name: (field_identifier) @name type: (_) @type)
(parameter pattern: (identifier) @define type: (_) @type)
(closure_parameters (identifier) @define)
(let_declaration pattern: (identifier) @define)
(let_declaration pattern: (identifier) @name type: (_) @type)
(let_declaration pattern: (identifier) @name value: (_) @value)
(tuple_pattern (identifier) @define)
(tuple_struct_pattern type: (_) (identifier) @define)
(slice_pattern (identifier) @define)
(ref_pattern (identifier) @define)
(mut_pattern (identifier) @define)
(reference_pattern (identifier) @define)
(captured_pattern . (identifier) @define)
(field_pattern name: (shorthand_field_identifier) @define)
(field_pattern pattern: (identifier) @define)
(for_expression pattern: (identifier) @define)
(for_expression value: (_) @outside)
(if_expression alternative: (_) @outside)
(match_pattern . (identifier) @define .)
(match_pattern . (identifier) @define condition: (_))
(or_pattern (identifier) @define)
(const_parameter name: (identifier) @define)
(enum_variant name: (identifier) @label)
(associated_type name: (type_identifier) @label)
(function_signature_item name: (identifier) @define.outer)

(use_declaration argument: [(identifier) (scoped_identifier)] @import.name) @import
(use_list [(identifier) (scoped_identifier)] @import.name) @import
(use_list (self) @import.self) @import
(use_as_clause path: (_) @import.name alias: (identifier) @import.alias) @import
(use_wildcard) @import.wildcard @import
(extern_crate_declaration name: (identifier) @import.name !alias) @import

(scoped_identifier path: (_) @member.object name: (identifier) @member.name) @member
(scoped_type_identifier path: (_) @member.object name: (type_identifier) @member.name) @member
(field_expression value: (_) @member.object field: (field_identifier) @member.name) @member
(struct_expression name: (_) @construct.type) @construct
((call_expression function: (scoped_identifier path: (_) @construct.type name: (identifier) @_new)) @construct
  (#match? @_new "^(new|default|from|with_capacity)$"))

(assignment_expression left: (_) @write)
(assignment_expression left: (struct_expression body: (field_initializer_list (field_initializer value: (_) @write))))
(compound_assignment_expr left: (_) @write)
(reference_expression (mutable_specifier) value: (_) @write)
(label (identifier) @label)
; `println!("{x}")`
(token_tree (string_literal) @speaks.in.braces)
