"""What statements read: tables, columns and their types, and the literals that they compare with.

Must not: run anything. A type is a guess from how a column is used; the engine corrects it.
"""

import collections
import datetime
import re

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope

TYPES = ["TIMESTAMP", "DATE", "BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN"]
# How sure a type is: by the column's name, by its use, by the mapping.
BY_NAME, BY_USE, GIVEN = 1, 2, 3
TEMPORAL = re.compile(r"^(Ts|Date|Datetime|Timestamp|Time|Unix|Extract|Year|Month|Day|Week|Quarter|LastDay|Current)")
NUMERIC = {"Sum", "Avg", "Add", "Sub", "Mul", "Div", "Mod", "Neg", "Round", "Abs", "Ceil", "Floor", "Stddev",
           "StddevSamp", "StddevPop", "Variance", "VariancePop", "Sqrt", "Ln", "Log", "SafeDivide", "Quantile"}
TEXTUAL = {"Lower", "Upper", "Like", "ILike", "RegexpLike", "RegexpExtract", "RegexpReplace", "StartsWith", "EndsWith",
           "Substring", "Left", "Right", "Concat", "DPipe", "Trim", "Split", "Length", "StrPosition", "Replace",
           "Initcap", "Contains"}
DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
MOMENT = re.compile(r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}")


# What templates write for a dataset.
OWN = re.compile(r"^gander_(old|new)_\d+$")


class Refused(Exception):
    """Why something can't be compared."""


class Dataset:
    """One mapping, as gander hands it over."""

    def __init__(self, index, given):
        self.index, self.name = index, given["name"]
        self.old, self.new = ([parts(name) for name in given[side]] for side in ("old", "new"))
        self.columns = given["columns"]
        self.by_name = {column["name"].lower(): column for column in self.columns}

    def is_changed(self, name):
        column = self.by_name[name]
        return column["kind"] != "kept"


def parts(name):
    return [part.lower() for part in re.split(r"[.:]", name)]


def alike(known, seen):
    """Whether two paths are the same table, from the back as far as both go."""
    if min(len(known), len(seen)) < 2 and len(known) != len(seen):
        return False
    for a, b in zip(reversed(known), reversed(seen)):
        head, star, tail = a.partition("*")
        if a != b and not (star and b.startswith(head) and b.endswith(tail) and len(b) >= len(head) + len(tail)):
            return False
    return True


class Reading:
    """Everything that the statements of one script read."""

    def __init__(self, datasets, schemas, default):
        self.datasets, self.default = datasets, default
        self.schemas = [(parts(name), [column.lower() for column in columns]) for name, columns in schemas.items()]
        self.others = {}  # path → physical name
        self.columns = collections.defaultdict(dict)  # path → columns, in order
        self.types, self.literals, self.groups = {}, collections.defaultdict(set), {}
        self.made = set()  # paths that the script makes itself
        self.used = collections.defaultdict(set)  # statement → (dataset, column)
        self.arrays = set()
        self.traced = {}  # id of a node, which its statement keeps alive → columns
        self.mentioned = []

    # Tables.

    def known(self, path):
        """("old", i), ("new", i), or ("other", path)."""
        if len(path) == 1 and OWN.match(path[0]):
            side, index = path[0].split("_")[1:]
            return side, int(index)
        full = path if len(path) > 1 or not self.default else parts(self.default) + path
        for dataset in self.datasets:
            for side in ("old", "new"):
                if any(alike(name, full) for name in getattr(dataset, side)):
                    return side, dataset.index
        return "other", tuple(path)

    def physical(self, path):
        kind, which = self.known(path)
        if kind != "other":
            return f"gander_{kind}_{which}"
        if which not in self.others:
            self.others[which] = f"gander_other_{len(self.others)}"
            for name, columns in self.schemas:
                if alike(name, list(which)):
                    self.columns[which].update((column, None) for column in columns)
        return self.others[which]

    # Columns.

    def read(self, number, statement):
        """Takes in the tables, columns and literals of a statement."""
        for table in tables(statement):
            self.physical(path_of(table))
        scopes = traverse_scope(statement)
        for scope in scopes:
            for column in scope.columns:
                self.column(number, scope, column)
            self.paired(number, scope)
        if isinstance(statement, (exp.Merge, exp.Update, exp.Delete)):
            flat = Flat(statement)
            for column in near(statement, exp.Column):
                self.column(number, flat, column)
        for node in statement.find_all(exp.Unnest):
            for column in node.find_all(exp.Column):
                self.arrays.update(found for found in self.traced.get(id(column), ()) if found[0][0] == "d")
        for node in statement.find_all(exp.Predicate, exp.Case):
            self.compared(node)
        for column in statement.find_all(exp.Column):
            for found in self.traced.get(id(column), ()):
                self.guess(column, found)

    def column(self, number, scope, column):
        if isinstance(column.this, exp.Star):
            return
        name, qualifier = column.name.lower(), column.table.lower()
        if not qualifier and is_alias(scope, column, name):
            return
        found = self.trace(scope, qualifier, name, 0)
        if found:
            self.traced[id(column)] = found
            self.mentioned += [one for one in found if one not in self.mentioned]
        self.used[number].update((table[1], name) for table, name in found if table[0] == "d")

    def trace(self, scope, qualifier, name, depth):
        """The columns of tables that a name stands for."""
        if depth > 30 or scope is None:
            return []
        sources = {alias.lower(): source for alias, (_, source) in scope.selected_sources.items()}
        if qualifier:
            if qualifier not in sources:
                return self.trace(scope.parent, qualifier, name, depth + 1)
            return self.of(sources[qualifier], name, depth)
        certain = [source for source in sources.values() if self.has(source, name, depth) is True]
        perhaps = [source for source in sources.values() if self.has(source, name, depth) is None]
        outer = self.trace(scope.parent, "", name, depth + 1) if not certain and not perhaps else []
        if outer or not (certain or perhaps):
            return outer
        return self.of((certain or perhaps)[0], name, depth)

    def has(self, source, name, depth):
        """Whether a source has a column; None where it may."""
        if isinstance(source, exp.Table):
            kind, which = self.known(path_of(source))
            if kind != "other":
                return name in self.datasets[which].by_name if kind == "old" else None
            return True if name in self.columns[which] else None
        if not isinstance(source, Scope) or depth > 30:
            return False
        inner = leftmost(source)
        names = [item.lower() for item in inner.expression.named_selects] if hasattr(inner.expression, "selects") else []
        if name in names:
            return True
        if "*" in names:
            answers = [self.has(one, name, depth + 1) for _, one in inner.selected_sources.values()]
            return True if True in answers else None if None in answers else False
        return False

    def of(self, source, name, depth):
        if isinstance(source, exp.Table):
            kind, which = self.known(path_of(source))
            if kind == "old":
                return [(("d", which), name)] if name in self.datasets[which].by_name else []
            if kind == "new":
                return []
            self.physical(path_of(source))
            if which not in self.made:
                self.columns[which].setdefault(name, None)
            return [(("o", which), name)]
        if not isinstance(source, Scope):
            return []
        found = []
        for inner in branches(source):
            for item in getattr(inner.expression, "selects", []):
                value = item.unalias()
                if item.alias_or_name.lower() == name and isinstance(value, exp.Column):
                    found += self.trace(inner, value.table.lower(), value.name.lower(), depth + 1)
                    break
            else:
                if any(item.is_star for item in getattr(inner.expression, "selects", [])):
                    found += self.trace(inner, "", name, depth + 1)
        return found

    def paired(self, number, scope):
        """Columns of `using`: each side has them."""
        for join in scope.expression.args.get("joins") or []:
            for named in join.args.get("using") or []:
                found = []
                for source in [one for _, one in scope.selected_sources.values()]:
                    if self.has(source, named.name.lower(), 0) is not False:
                        found += self.of(source, named.name.lower(), 0)
                for one in found:
                    self.join(found[0], one)
                    self.mentioned += [one] if one not in self.mentioned else []
                self.used[number].update((table[1], name) for table, name in found if table[0] == "d")

    # Types and literals.

    def compared(self, node):
        """What a predicate compares: its columns may hold its literals, and those of each other."""
        if isinstance(node, exp.Case):
            inner = [node.this] if node.this else []
            literals = [one for case in node.args.get("ifs") or [] for one in case.this.find_all(exp.Literal)]
        else:
            inner, literals = [node], list(near(node, exp.Literal))
        columns = [column for part in inner for column in near(part, exp.Column)]
        found = [one for column in columns for one in self.traced.get(id(column), ())]
        for one in found:
            for literal in literals:
                text = literal.this
                if isinstance(node, (exp.Like, exp.ILike)):
                    text = text.replace("%", "x").replace("_", "a")
                self.literals[one].add(text)
        sides = [side for side in (node.this, node.args.get("expression")) if isinstance(side, exp.Column)]
        if len(sides) == 2:
            ends = [self.traced.get(id(side), ()) for side in sides]
            for a in ends[0]:
                for b in ends[1]:
                    self.join(a, b)
        if isinstance(node, exp.In) and isinstance(node.args.get("query"), exp.Expression):
            selects = getattr(node.args["query"].unnest(), "selects", [])
            if len(selects) == 1 and isinstance(selects[0].unalias(), exp.Column):
                for a in self.traced.get(id(node.this), ()):
                    for b in self.traced.get(id(selects[0].unalias()), ()):
                        self.join(a, b)

    def root(self, column):
        while column in self.groups:
            column = self.groups[column]
        return column

    def join(self, a, b):
        a, b = self.root(a), self.root(b)
        if a != b:
            self.groups[b] = a

    def guess(self, column, found):
        kind = used_as(column)
        if kind:
            self.suggest(found, kind, BY_USE)
        named = by_name(found[1])
        if named:
            self.suggest(found, named, BY_NAME)

    def suggest(self, column, kind, weight):
        if self.types.get(column, (0, ""))[0] < weight:
            self.types[column] = (weight, kind)

    def type_of(self, column):
        """The type of a column: the surest of all that it is compared with."""
        root = self.root(column)
        alike_ = [other for other in list(self.types) if self.root(other) == root]
        weight, kind = max((self.types[other] for other in alike_), default=(0, "VARCHAR"), key=lambda one: one[0])
        return kind if weight else "VARCHAR"

    def literals_of(self, column):
        root = self.root(column)
        found = set()
        for other, literals in self.literals.items():
            if self.root(other) == root:
                found |= literals
        return sorted(found)

    def is_joined(self, column):
        return column in self.groups or column in self.groups.values()


class Flat:
    """The tables of a statement that writes, as a scope; the table that is written to comes first."""

    def __init__(self, statement):
        self.parent, self.expression = None, statement
        self.selected_sources = {}
        for table in near(statement, (exp.Table, exp.Subquery)):
            if isinstance(table, exp.Subquery):
                source = build_scope(table.this)
                alias = table.alias
            else:
                source, alias = table, table.alias or table.name
            self.selected_sources[alias] = (table, source)


def used_as(column):
    """The type that the place of a column asks for."""
    node = column
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    parent = node.parent
    name = type(parent).__name__
    if isinstance(parent, (exp.And, exp.Or, exp.Not, exp.Where, exp.Having, exp.CountIf)):
        return "BOOLEAN"
    if isinstance(parent, exp.If) and parent.this is node and not isinstance(parent.parent, exp.Case):
        return "BOOLEAN"
    if isinstance(parent, exp.Is) and isinstance(parent.expression, exp.Boolean):
        return "BOOLEAN"
    other = None
    if isinstance(parent, exp.Binary):
        other = parent.expression if parent.this is node else parent.this
    if isinstance(other, exp.Interval):
        return temporal(column, name)
    if isinstance(parent, (exp.Add, exp.Sub)) and other is not None and TEMPORAL.match(type(other).__name__):
        return temporal(column, name)
    if name in NUMERIC:
        return "BIGINT"
    if name in TEXTUAL:
        return "VARCHAR"
    if TEMPORAL.match(name) and not isinstance(parent, exp.TimeUnit) or name in ("DateDiff", "DateTrunc"):
        return temporal(column, name)
    literals = [other] if isinstance(parent, exp.Predicate) else []
    if isinstance(parent, exp.In) and parent.this is node:
        literals = parent.expressions
    if isinstance(parent, exp.Between) and parent.this is node:
        literals = [parent.args.get("low"), parent.args.get("high")]
    for literal in literals:
        if isinstance(literal, exp.Neg):
            literal = literal.this
        if isinstance(literal, exp.Boolean):
            return "BOOLEAN"
        if isinstance(literal, exp.Literal):
            return of_literal(literal)
        if isinstance(literal, exp.Expression) and TEMPORAL.match(type(literal).__name__):
            return temporal(column, type(literal).__name__)
        if isinstance(literal, exp.Cast):
            kind = literal.to.this.name if hasattr(literal.to.this, "name") else ""
            if kind in ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "DATETIME"):
                return "DATE" if kind == "DATE" else "TIMESTAMP"
    return None


def temporal(column, by):
    precise = by.startswith(("Timestamp", "Datetime", "CurrentTimestamp", "CurrentDatetime"))
    return "TIMESTAMP" if precise or column.name.lower().endswith(("_at", "_ts", "time", "timestamp")) else "DATE"


def of_literal(literal):
    if not literal.is_string:
        return "DOUBLE" if "." in literal.this or "e" in literal.this.lower() else "BIGINT"
    return "DATE" if DATE.match(literal.this) else "TIMESTAMP" if MOMENT.match(literal.this) else "VARCHAR"


def by_name(name):
    if name.endswith(("_at", "_ts", "timestamp")):
        return "TIMESTAMP"
    if name.endswith(("_date", "_day")) or name in ("date", "day"):
        return "DATE"
    if name == "id" or name.endswith("_id"):
        return "BIGINT"
    return "BOOLEAN" if name.startswith(("is_", "has_")) else None


def near(node, kind):
    """Nodes of a kind below a node, not those of queries in it."""
    for below in node.walk(prune=lambda one: one is not node and isinstance(one, exp.Query)):
        if isinstance(below, kind):
            yield below


def leftmost(scope):
    while scope.union_scopes if hasattr(scope, "union_scopes") else scope.set_operation_scopes:
        scope = (scope.union_scopes if hasattr(scope, "union_scopes") else scope.set_operation_scopes)[0]
    return scope


def branches(scope):
    inner = scope.union_scopes if hasattr(scope, "union_scopes") else scope.set_operation_scopes
    return [leaf for one in inner for leaf in branches(one)] if inner else [scope]


def is_alias(scope, column, name):
    """Whether a name behind `order by`, `group by`, `having` or `qualify` is one that the list gives."""
    given = {item.alias.lower() for item in getattr(scope.expression, "selects", []) if isinstance(item, exp.Alias)}
    if name not in given:
        return False
    node = column
    while node.parent is not None and node.parent is not scope.expression:
        node = node.parent
    return isinstance(node, (exp.Order, exp.Group, exp.Having, exp.Qualify))


def path_of(table):
    """The parts of a table's name, in lower case."""
    if not isinstance(table.this, exp.Identifier):
        raise Refused("a table that a function makes")
    names = [table.text("catalog"), table.text("db"), table.name]
    return [part for name in names if name for part in parts(name)]


def tables(statement):
    """Tables that are no common table expressions."""
    for table in statement.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise Refused(f"a table that a function makes: {table.sql()[:60]}")
        if not table.db and is_cte(table):
            continue
        yield table


def is_cte(table):
    node, name = table.parent, table.name.lower()
    while node is not None:
        if any(cte.alias.lower() == name for cte in getattr(node, "ctes", None) or []):
            return True
        node = node.parent
    return False


NOW = datetime.datetime(2024, 6, 15, 12, 0, 0)
