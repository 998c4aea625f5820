; What a comment may stand above: the outermost code of its lines, never the inside of
; an expression or a literal.
(module (_) @statement)
(block (_) @statement)
