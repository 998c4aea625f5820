; Calls, in every shape: see docs/languages.md for the captures.
(call function: (attribute object: (_) @receiver attribute: (identifier) @name) arguments: (argument_list) @arguments) @call
(call function: (attribute object: (_) @receiver attribute: (identifier) @name) arguments: (_) @argument) @call
(call function: (identifier) @name arguments: (argument_list) @arguments) @call
(call function: (identifier) @name arguments: (_) @argument) @call
