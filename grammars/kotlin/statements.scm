; What a comment may stand above: the outermost code of its lines, never the inside of
; an expression or a literal.
(source_file (_) @statement)
(import_list (_) @statement)
(statements (_) @statement)
(class_body (_) @statement)
