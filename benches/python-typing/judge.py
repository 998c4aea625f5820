"""What Python's own parser says of a file before and after; knows nothing of gander.

`normal(tree)` writes every type in one form (typing.List and list, Optional[X] and X | None alike), with names
resolved through Python's scopes. Two files mean the same where their normal forms are equal.
"""

import ast
import io
import tokenize

BUILTIN = {"List": "list", "Dict": "dict", "Set": "set", "FrozenSet": "frozenset", "Tuple": "tuple", "Type": "type"}
NAMES = {*BUILTIN, "Optional", "Union"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Scope:
    """Names that a module, class or function binds, each with where it comes from."""

    def __init__(self, kind, node):
        self.kind, self.names, self.free = kind, {}, set()
        if isinstance(node, FUNCTIONS):
            args = node.args
            for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]:
                if arg:
                    self.bind(arg.arg)
        if isinstance(node, COMPREHENSIONS):
            for part in node.generators:
                self.collect(part.target)
            return
        body = node.body if isinstance(node.body, list) else [node.body]
        for part in body:
            self.collect(part)
        for name in self.free:
            self.names.pop(name, None)

    def bind(self, name, origin="other"):
        self.names.setdefault(name, set()).add(origin)

    def collect(self, node):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.bind(node.name)
            return
        if isinstance(node, ast.Lambda):
            return
        if isinstance(node, COMPREHENSIONS):
            for part in ast.walk(node):
                if isinstance(part, ast.NamedExpr):
                    self.collect(part.target)
            return
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self.bind(node.id)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            self.free.update(node.names)
        elif isinstance(node, ast.Import):
            for name in node.names:
                origin = "module typing" if name.name == "typing" else "other"
                self.bind(name.asname or name.name.split(".")[0], origin)
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                mapped = node.module == "typing" and not node.level and name.name in NAMES
                self.bind(name.asname or name.name, f"typing.{name.name}" if mapped else "other")
        elif isinstance(node, ast.ExceptHandler) and node.name:
            self.bind(node.name)
        elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
            self.bind(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self.bind(node.rest)
        for child in ast.iter_child_nodes(node):
            self.collect(child)


class Normal(ast.NodeTransformer):
    def __init__(self, tree):
        self.scopes = [Scope("module", tree)]
        self.references = []  # (name, line, column) of every use of a deprecated name
        self.mentioned = set()  # local names of those uses

    def resolve(self, name):
        last = len(self.scopes) - 1
        for depth in range(last, -1, -1):
            scope = self.scopes[depth]
            if scope.kind == "class" and depth != last:
                continue
            if name in scope.names:
                origins = scope.names[name]
                return next(iter(origins)) if len(origins) == 1 else "other"
        return f"builtins.{name}" if name in BUILTIN.values() else "free"

    def reference(self, name, node, local):
        self.references.append((name, node.lineno, node.col_offset))
        self.mentioned.add(local)
        return ast.Name(f"builtins.{BUILTIN[name]}" if name in BUILTIN else f"typing.{name}", ast.Load())

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load):
            return node
        origin = self.resolve(node.id)
        if origin.startswith("typing."):
            return self.reference(origin.removeprefix("typing."), node, node.id)
        if origin == "free" and node.id in NAMES:
            return ast.Name(f"unbound {node.id}", ast.Load())
        return ast.Name(origin, ast.Load()) if origin.startswith("builtins.") else node

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and self.resolve(node.value.id) == "module typing":
            self.mentioned.add(node.value.id)
            if node.attr in NAMES:
                return self.reference(node.attr, node, node.value.id)
        return self.generic_visit(node)

    def visit_Subscript(self, node):
        self.generic_visit(node)
        head = node.value.id if isinstance(node.value, ast.Name) else ""
        if head == "typing.Optional":
            return union([node.slice, ast.Constant(None)])
        if head == "typing.Union":
            return union(node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice])
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return union([node.left, node.right]) if isinstance(node.op, ast.BitOr) else node

    def visit_Import(self, node):
        node.names = [n for n in node.names if n.name != "typing"]
        return node if node.names else None

    def visit_ImportFrom(self, node):
        if node.module == "typing" and not node.level:
            node.names = [n for n in node.names if n.name not in NAMES]
        return node if node.names else None

    def visit_Pass(self, node):
        return None

    def within(self, kind, node, inner, outer):
        """Visits `outer` fields in the scope around, `inner` ones in the node's own."""
        for field in outer:
            self.field(node, field)
        self.scopes.append(Scope(kind, node))
        for field in inner:
            self.field(node, field)
        self.scopes.pop()
        return node

    def field(self, node, field):
        value = getattr(node, field, None)
        if isinstance(value, list):
            new = []
            for part in value:
                made = self.visit(part) if isinstance(part, ast.AST) else part
                if made is not None:
                    new.append(made)
            setattr(node, field, new)
        elif isinstance(value, ast.AST):
            setattr(node, field, self.visit(value))

    def visit_FunctionDef(self, node):
        return self.within("function", node, ["body"], ["decorator_list", "args", "returns"])

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        return self.within("function", node, ["body"], ["args"])

    def visit_ClassDef(self, node):
        return self.within("class", node, ["body"], ["decorator_list", "bases", "keywords"])

    def visit_ListComp(self, node):
        return self.within("function", node, [*node._fields], [])

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp


def union(parts):
    """`A | B | C` from the left, without the grouping it was written in."""
    flat = []
    for part in parts:
        flat.extend(part.values if isinstance(part, ast.BoolOp) and part.op == "|" else [part])
    return ast.BoolOp("|", flat) if len(flat) > 1 else flat[0]


def comments(data, tree):
    """Every comment that does not stand in or behind an import of typing, sorted."""
    lines = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "typing" or isinstance(node, ast.Import):
            lines.update(range(node.lineno, node.end_lineno + 1))
    tokens = tokenize.tokenize(io.BytesIO(data).readline)
    return sorted(t.string for t in tokens if t.type == tokenize.COMMENT and t.start[0] not in lines)


class File:
    def __init__(self, text):
        tree = ast.parse(text)
        self.comments = comments(text, tree)
        self.imports = [
            (name.asname or name.name, name.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "typing" and not node.level
            for name in node.names
            if name.name in NAMES
        ]
        self.modules = [
            name.asname or name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for name in node.names
            if name.name == "typing"
        ]
        self.bad_unions = sum(
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.BitOr)
            and any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in (node.left, node.right))
            for node in ast.walk(tree)
        )
        self.borrowed = [
            (node.level, node.module or "", name.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.level or node.module != "typing")
            for name in node.names
            if name.name in NAMES
        ]
        visitor = Normal(tree)
        self.module_scope = visitor.scopes[0]
        self.dump = Dump().text(visitor.visit(tree))
        self.references = visitor.references
        self.unused = sorted({l for l in [*(i[0] for i in self.imports), *self.modules]} - visitor.mentioned)


class Dump:
    """A dump that can hold the flat unions, whose operator is no node."""

    def text(self, node):
        if isinstance(node, list):
            return "[" + ",".join(map(self.text, node)) + "]"
        if isinstance(node, ast.AST):
            fields = ",".join(self.text(getattr(node, f, None)) for f in node._fields if f != "kind")
            return f"{type(node).__name__}({fields})"
        return repr(node)
