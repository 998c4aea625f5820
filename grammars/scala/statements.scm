; What a comment may stand above: the outermost code of its lines, never the inside of
; an expression or a literal.
(compilation_unit (_) @statement)
(template_body (_) @statement)
(block (_) @statement)
(indented_block (_) @statement)
