; Besides those of TypeScript: see docs/symbols.md for the captures.
; A tag in lower case is text.
([(jsx_opening_element name: (identifier) @label) (jsx_closing_element name: (identifier) @label)
  (jsx_self_closing_element name: (identifier) @label)] (#match? @label "^[a-z]"))
