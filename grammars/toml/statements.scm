; What a comment may stand above: the outermost code of its lines, never the inside of
; an expression or a literal.
(document (_) @statement)
(table (pair) @statement)
