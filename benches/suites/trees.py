"""Two files as trees: what `gander tree` shows, with imports as a set.

Parentheses are no nodes, as in ESTree and in javac; a string is its value.
"""
import re
import subprocess
import tempfile

LINE = re.compile(r"( *)(?:(\w+): )?(\w+)(?: (\".*))?$", re.S)


def shown(gander, name, text):
    """The tree of a text that a file of this name would hold; None where there is an error in it."""
    with tempfile.NamedTemporaryFile("w", suffix=name[name.rindex(".") :]) as copy:
        copy.write(text)
        copy.flush()
        done = subprocess.run([gander, "tree", copy.name], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def parse(text):
    """Nodes as [field, kind, leaf's text, children]."""
    root = [None, "", None, []]
    stack = [(-1, root)]
    for line in text.splitlines():
        found = LINE.match(line)
        if not found:
            continue
        indent, (field, kind, leaf) = len(found[1]), found.groups()[1:]
        node = [field, kind, leaf, []]
        while stack[-1][0] >= indent:
            stack.pop()
        stack[-1][1][3].append(node)
        stack.append((indent, node))
    return root


def plain(node):
    """The same without parentheses and comments."""
    field, kind, leaf, children = node
    children = tuple(plain(c) for c in children if "comment" not in c[1])
    # What holds nothing but brackets and blanks is a leaf, and holds nothing.
    if leaf is not None and "string" not in kind and not re.sub(r"\\[nrt]|[\s\"(){}\[\]]", "", leaf):
        leaf = None
    if kind == "parenthesized_expression" and len(children) == 1:
        return (field, *children[0][1:])
    return (field, kind, leaf, children)


def texts(node):
    return [node[2]] if node[2] is not None else [t for c in node[3] for t in texts(c)]


def find(node, kinds):
    if node[1] in kinds:
        yield node
    for child in node[3]:
        yield from find(child, kinds)


SPECIFIERS = {"import_specifier", "shorthand_property_identifier_pattern", "pair_pattern", "export_specifier"}


def imports(node):
    """What a statement imports, name by name; None where it imports nothing."""
    whole = texts(node)
    if node[1] == "import_statement":
        module = [t for c in node[3] if c[0] == "source" for t in texts(c)]
    elif node[1] in ("lexical_declaration", "variable_declaration") and '"require"' in whole or node[1] in (
        "lexical_declaration",
        "variable_declaration",
    ) and any(True for _ in find(node, {"import"})):
        if len(node[3]) != 1 or not any(c[0] == "name" for c in node[3][0][3]):
            return None
        value = [c for c in node[3][0][3] if c[0] == "value"]
        if not value or value[0][1] not in ("call_expression", "await_expression"):
            return None
        module = texts(value[0])[-1:]
        node = (None, "", None, tuple(c for c in node[3][0][3] if c[0] == "name"))
    elif node[1] == "import_declaration":
        return [tuple(whole)]
    else:
        return None
    named = list(find(node, SPECIFIERS))
    if any(True for n in named for _ in find(n, {"object_pattern"})):
        return [(*module, *whole)]
    found = []
    for one in named:
        names = texts(one)
        found.append((*module, names[0], names[-1]))
    for clause in node[3]:
        for part in clause[3] if clause[1] == "import_clause" else (clause,):
            if part[1] in ("identifier", "namespace_import"):
                found.append((*module, part[1], *texts(part)))
    return found or [(*module,)]


def tree(gander, name, text):
    # `{ a: a }` and `a as a` bring what `{ a }` and `a` bring.
    text = re.sub(r"\b(\w+)(: | as )\1\b", r"\1", text)
    listed = shown(gander, name, text)
    if listed is None:
        return None
    found, rest = [], []
    for file in parse(listed)[3]:
        for child in plain(file)[3]:
            brought = imports(child)
            if brought is None:
                rest.append(child)
            else:
                found += brought
    # In any order, and each as often: a name that is brought twice is no program.
    return tuple(sorted(found)), tuple(rest)
