; Scopes, definitions, imports and members: see docs/symbols.md for the captures.
(function_definition name: (identifier) @define.outer) @scope.function
(class_definition name: (identifier) @define.outer @class) @scope.class
(lambda) @scope.function
(function_definition name: (identifier) @name return_type: (_) @returns)
(class_definition name: (identifier) @name superclasses: (argument_list [(identifier) (attribute)] @parent))
[(list_comprehension) (set_comprehension) (dictionary_comprehension) (generator_expression)] @scope

; Read where the function or the class stands, once.
(default_parameter value: (_) @outside)
(typed_default_parameter value: (_) @outside)
(function_definition !type_parameters return_type: (_) @outside)
(function_definition !type_parameters parameters: (parameters (typed_parameter type: (_) @outside)))
(function_definition !type_parameters parameters: (parameters (typed_default_parameter type: (_) @outside)))
(class_definition !type_parameters superclasses: (_) @outside)
(list_comprehension body: (_) . (for_in_clause right: (_) @outside))
(set_comprehension body: (_) . (for_in_clause right: (_) @outside))
(dictionary_comprehension body: (_) . (for_in_clause right: (_) @outside))
(generator_expression body: (_) . (for_in_clause right: (_) @outside))
; A class runs from its first line to its last.
(class_definition body: (block (expression_statement (assignment left: (identifier) @name) @seen.behind)))
(class_definition body: (block (decorated_definition definition: (_ name: (identifier) @name)) @seen.behind))

(parameters (identifier) @define)
(lambda_parameters (identifier) @define)
(default_parameter name: (identifier) @define)
(typed_parameter (identifier) @define type: (type) @type)
(typed_default_parameter name: (identifier) @define type: (type) @type)
(list_splat_pattern (identifier) @define)
(dictionary_splat_pattern (identifier) @define)

(assignment left: (identifier) @define)
(assignment left: (identifier) @name type: (type) @type)
(assignment left: (identifier) @name right: (_) @value)
(augmented_assignment left: (identifier) @define)
(pattern_list (identifier) @define)
(tuple_pattern (identifier) @define)
(list_pattern (identifier) @define)
(named_expression name: (identifier) @define.hoisted value: (_) @value)
(for_statement left: (identifier) @define)
(for_in_clause left: (identifier) @define)
(as_pattern_target (identifier) @define)
(as_pattern_target (tuple (identifier) @define))
(as_pattern_target (list (identifier) @define))
(with_item value: (as_pattern (call) @value alias: (as_pattern_target (identifier) @name)))
(case_pattern (dotted_name . (identifier) @define .))
(splat_pattern (identifier) @define)
(keyword_pattern (identifier) (dotted_name . (identifier) @define .))
(as_pattern (case_pattern) (identifier) @define)
(global_statement (identifier) @elsewhere)
(nonlocal_statement (identifier) @elsewhere)

(import_statement name: (dotted_name) @import.first) @import
(import_statement name: (aliased_import name: (dotted_name) @import.name alias: (identifier) @import.alias)) @import
(import_from_statement name: (dotted_name) @import.name) @import
(import_from_statement name: (aliased_import name: (dotted_name) @import.name alias: (identifier) @import.alias)) @import
(import_from_statement (wildcard_import) @import.wildcard) @import

(attribute object: (_) @member.object attribute: (identifier) @member.name) @member
(attribute attribute: (identifier) @field)
(assignment left: (attribute attribute: (identifier) @name) type: (type) @type)
(assignment left: (attribute attribute: (identifier) @name) right: (_) @value)
(call function: [(identifier) (attribute)] @cast.function arguments: (argument_list . (_) @cast.type . (_) .)) @cast
(for_statement left: [(attribute) (tuple_pattern) (list_pattern) (pattern_list)] @write)
(for_in_clause left: [(attribute) (tuple_pattern) (list_pattern) (pattern_list)] @write)
(as_pattern_target (attribute) @write)
(class_definition body: (block (function_definition parameters: (parameters . (identifier) @self.parameter))))
(class_definition body: (block (decorated_definition definition: (function_definition parameters: (parameters . (identifier) @self.parameter)))))
((decorated_definition (decorator (identifier) @_static) definition: (function_definition parameters: (parameters . (identifier) @self.never)))
  (#eq? @_static "staticmethod"))
(call function: (_) @construct.type) @construct

; An annotation in quotes.
(type (string) @speaks)

(keyword_argument name: (identifier) @label)
(keyword_pattern . (identifier) @label)
(assignment left: (_) @write)
(augmented_assignment left: (_) @write)
(delete_statement (_) @write)
(delete_statement (expression_list (_) @write))
(pattern_list (_) @write)

(function_definition type_parameters: (type_parameter (type (identifier) @define @type.parameter)))
(class_definition type_parameters: (type_parameter (type (identifier) @define @type.parameter)))
(type_parameter (type (constrained_type . (type (identifier) @define @type.parameter))))
(type_parameter (type (splat_type (identifier) @define @type.parameter)))
(type_alias_statement left: (type (identifier) @define.outer)) @scope
(type_alias_statement left: (type (generic_type . (identifier) @define.outer))) @scope
(type_alias_statement left: (type (generic_type (type_parameter (type (identifier) @define @type.parameter)))))
