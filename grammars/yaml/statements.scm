; What a comment may stand above: the outermost code of its lines, never the inside of
; an expression or a literal.
(block_mapping (_) @statement)
(block_sequence (_) @statement)
