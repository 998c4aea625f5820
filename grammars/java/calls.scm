; Calls, in every shape: see docs/languages.md for the captures.
(method_invocation
  object: (_) @receiver type_arguments: (_) @types name: (identifier) @name arguments: (_) @arguments) @call
(method_invocation object: (_) @receiver name: (identifier) @name arguments: (_) @arguments) @call
(method_invocation !object name: (identifier) @name arguments: (_) @arguments) @call
