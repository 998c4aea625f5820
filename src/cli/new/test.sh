# What the owners of this code run before they release it: their tests, their build.
# gander runs it in a sandbox, before the change and after it.
test -s {{file}}
