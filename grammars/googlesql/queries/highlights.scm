(comment) @comment
(string) @string
(number) @number
[(boolean) (null)] @constant.builtin
[(parameter) (system_variable)] @variable.parameter
(function_name (identifier) @function)
(type (identifier) @type)
(table_name (identifier) @type)
(column (identifier) @variable.member)
(jinja_tag tag: (tag) @keyword.directive)
(jinja_call function: (identifier) @function)
["select" "from" "where" "group" "by" "having" "order" "limit" "join" "on" "using" "as" "with" "union" "case" "when" "then"
 "else" "end" "and" "or" "not" "in" "is" "like" "between" "insert" "update" "delete" "merge" "create" "alter" "drop"] @keyword
["{{" "}}" "{%" "%}"] @punctuation.special
