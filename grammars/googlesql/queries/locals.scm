(query) @local.scope
(cte name: (identifier) @local.definition)
(table_reference alias: (identifier) @local.definition)
(table_name (identifier) @local.reference)
