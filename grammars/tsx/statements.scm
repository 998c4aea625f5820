; What a comment may stand above: the outermost code of its lines, never the inside of
; an expression or a literal.
(program (_) @statement)
(statement_block (_) @statement)
(class_body (_) @statement)
