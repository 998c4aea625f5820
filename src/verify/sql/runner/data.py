"""Rows for the tables of a script: random, from a fixed seed, and such that filters and joins hit.

The new dataset is made first. Of a column that is renamed the old one has the same values, of one with a
table of values the counterparts, and where an expression over new columns stands for the old one, the
engine computes it: the old data is what the mapping says that it was.
Must not: look at the new query.
"""

import datetime
import random

import sqlglot
from sqlglot import exp

from reading import DATE, MOMENT, NOW

WORDS = ["alder", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple"]


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def name(text):
    return '"' + text.replace('"', '""') + '"'


def hits(kind, literals):
    """Literals that a column of this type may hold, as SQL."""
    found = []
    for text in literals:
        try:
            if kind in ("BIGINT", "DOUBLE"):
                number = float(text)
                found += [number if kind == "DOUBLE" else int(number)]
            elif kind in ("DATE", "TIMESTAMP"):
                if DATE.match(text) or MOMENT.match(text):
                    found.append(datetime.datetime.fromisoformat(text.replace("T", " ")[:19]))
            elif kind == "BOOLEAN":
                found += [text.lower() == "true"] if text.lower() in ("true", "false") else []
            elif kind == "VARCHAR":
                found.append(text)
        except (ValueError, OverflowError):
            continue
    return found


def written(kind, value):
    if value is None:
        return "NULL"
    if kind == "BOOLEAN":
        return "true" if value else "false"
    if kind == "DATE":
        return f"DATE {quoted(value.date().isoformat())}"
    if kind == "TIMESTAMP":
        return f"TIMESTAMP {quoted(value.isoformat(' '))}"
    return quoted(value) if kind == "VARCHAR" else str(value)


def values(rng, kind, literals, rows, nulls, shared):
    """Values of one column; `shared`: others are compared with it, so that few values must do."""
    meant = hits(kind, literals)
    if shared and not nulls and kind not in ("BOOLEAN", "DOUBLE"):
        # Keys: each is there once.
        plain = {"VARCHAR": WORDS, "BIGINT": list(range(1, rows + 2))}.get(
            kind, [NOW + datetime.timedelta(days=day) for day in range(-rows, 2)])
        keys = list(dict.fromkeys(meant[:2] + plain))[:rows + 1]
        rng.shuffle(keys)
        return (keys * rows)[:rows]
    out = []
    for _ in range(rows):
        if nulls and rng.random() < nulls:
            value = None
        elif kind == "VARCHAR":
            plain = WORDS[:5] if shared or meant else [f"{rng.choice(WORDS)}{rng.randrange(4 * rows)}"] + WORDS
            value = rng.choice(meant) if meant and rng.random() < 0.6 else rng.choice(plain)
        elif kind == "BOOLEAN":
            value = rng.random() < 0.5
        elif kind in ("BIGINT", "DOUBLE"):
            near = rng.choice(meant) + rng.choice([0, 0, 1, -1]) if meant and rng.random() < 0.6 else None
            value = near if near is not None else rng.randrange(1, 8 if shared else 4 * rows + 8)
            value = value if kind == "BIGINT" else float(value) + rng.choice([0.0, 0.25, 0.5])
        else:
            around = rng.choice(meant) if meant and rng.random() < 0.7 else NOW
            days = rng.choice([0, -1, 1, -6, 6, -20, 20, -35, -100, -400, 45])
            seconds = 0 if shared or kind == "DATE" or rng.random() < 0.1 else rng.randrange(86400)
            value = around + datetime.timedelta(days=days, seconds=seconds)
        out.append(value)
    return out


def rows_of(table, kinds, columns):
    """`create table` and what fills it."""
    listed = ", ".join(f"{name(column)} {kind}" for column, kind in kinds)
    lines = zip(*(([written(kind, value) for value in columns[column]]) for column, kind in kinds))
    rows = ", ".join("(" + ", ".join(line) + ")" for line in lines)
    return [f"CREATE TABLE {table} ({listed})"] + ([f"INSERT INTO {table} VALUES {rows}"] if rows else [])


class Data:
    """All tables of a script, as statements that make them."""

    def __init__(self, reading, dialect, rows, nulls, seed):
        self.reading, self.dialect, self.size, self.nulls = reading, dialect, rows, nulls
        self.seed = seed
        self.full, self.kinds, self.old, self.new = {}, {}, {}, {}
        for dataset in reading.datasets:
            self.dataset(dataset)
        self.others = {path: self.other(path) for path in reading.others if path not in reading.made}

    def random(self, *of):
        return random.Random(repr((self.seed, of)))

    def fill(self, of, kind, literals, shared):
        return values(self.random(of), kind, literals, self.size, self.nulls, shared)

    def other(self, path):
        columns = list(self.reading.columns[path]) or ["gander_row"]
        kinds = [(column, self.reading.type_of((("o", path), column))) for column in columns]
        made = {}
        for column, kind in kinds:
            of = (("o", path), column)
            made[column] = self.fill(of, kind, self.reading.literals_of(of), self.reading.is_joined(of))
        return kinds, made

    def dataset(self, dataset):
        """The columns behind both tables, and how each table reads them."""
        kinds, made, old, new = [], {}, [], []
        index = dataset.index

        def add(column, kind, filled):
            if column not in made:
                kinds.append((column, kind))
                made[column] = filled
            return name(column)

        later = []
        for column in dataset.columns:
            of = (("d", index), column["name"].lower())
            kind, literals = self.reading.type_of(of), self.reading.literals_of(of)
            shared = self.reading.is_joined(of)
            if column["kind"] == "expression":
                later.append((column, literals))
                old.append((column["name"], None))
                continue
            if column.get("fields"):
                inner = [add(f"f_{column['name']}_{at}", "VARCHAR", self.fill((of, at), "VARCHAR", literals, False))
                         for at in range(len(column["fields"]))]
                old.append((column["name"], struct(of in self.reading.arrays, column["fields"], 0, inner)))
                if column["kind"] != "gone":
                    new.append((column["to"], struct(of in self.reading.arrays, column["fields"], 1, inner)))
                continue
            given = column.get("values")
            if given:
                pairs = sorted(given["rows"].items())
                rng = self.random(of)
                chosen = [None if rng.random() < self.nulls else rng.choice(pairs) for _ in range(self.size)]
                for side, kept in ((0, old), (1, new)):
                    type_ = {"string": "VARCHAR", "integer": "BIGINT", "boolean": "BOOLEAN"}[given[("old", "new")[side]]]
                    cells = [None if pair is None else typed(type_, pair[side]) for pair in chosen]
                    kept.append(((column["name"], column["to"])[side], add(f"{'on'[side]}_{column['name']}", type_, cells)))
                continue
            read = add(f"o_{column['name']}", kind, self.fill(of, kind, literals, shared))
            old.append((column["name"], read))
            if column["kind"] != "gone":
                new.append((column["to"], read))
        for column, literals in later:
            tree = sqlglot.parse_one(column["sql"], dialect=self.dialect)
            for read in list(tree.find_all(exp.Column)):
                known = dict(new).get(read.name)
                if known is None:
                    of = (("d", index), f"new:{read.name.lower()}")
                    kind = self.reading.types.get(of, (0, "TIMESTAMP" if "date" in column["sql"].lower() else "VARCHAR"))[1]
                    known = add(f"x_{read.name}", kind, self.fill(of, kind, literals, False))
                    new.append((read.name, known))
                spelled = exp.column(exp.to_identifier(known.strip('"'), quoted=True))
                if read is tree:
                    tree = spelled
                else:
                    read.replace(spelled)
            at = next(at for at, (listed, read) in enumerate(old) if listed == column["name"] and read is None)
            old[at] = (column["name"], tree.sql(dialect="duckdb"))
        self.full[index], self.kinds[index] = made, kinds
        self.old[index], self.new[index] = old, new

    def statements(self, wrong=None, turned=False):
        """What makes the tables; `wrong`: the new columns of a dataset that a deliberately wrong mapping reads."""
        out = []
        for dataset in self.reading.datasets:
            index = dataset.index
            full = dict(self.full[index])
            new = list(self.new[index])
            where = ""
            if wrong and wrong.index == index:
                new, full, where = wrong.applied(new, full)
            kinds = self.kinds[index] + [("wrong", kind) for column, kind in self.kinds[index]
                                         if "wrong" in full and name(column) == wrong.swap[1]]
            out += rows_of(f"gander_full_{index}", kinds, turn(full, turned))
            for side, listed, only in (("old", self.old[index], ""), ("new", new, where)):
                read = ", ".join(f"{value} AS {name(column)}" for column, value in listed) or "1 AS gander_row"
                out.append(f"CREATE TABLE gander_{side}_{index} AS SELECT {read} FROM gander_full_{index}{only}")
        for path, (kinds, made) in self.others.items():
            out += rows_of(self.reading.others[path], kinds, turn(made, turned))
        return out

    def wrongs(self, used):
        """Deliberately wrong mappings of the columns that are used: (dataset, old column) → Wrong."""
        found = []
        for dataset in self.reading.datasets:
            index = dataset.index
            touched = [column for column in dataset.columns if (index, column["name"].lower()) in used]
            changed = [column for column in touched if column["kind"] != "kept"] or touched
            for column in changed:
                names = [column["to"]] if column.get("to") else []
                if column["kind"] == "expression":
                    names = [read.name for read in sqlglot.parse_one(column["sql"], dialect=self.dialect).find_all(exp.Column)]
                for new in names[:2]:
                    found.append(self.wrong(dataset, column["name"], new))
                if column.get("values"):
                    found.append(self.wrong(dataset, column["name"], column["to"], turned=True))
            if not touched:
                found.append(Wrong(index, None, f"{dataset.name}: a table with half of the rows"))
        return found

    def wrong(self, dataset, old, new, turned=False):
        """Another column of the same type in its place; where there is none, the values of other rows."""
        index = dataset.index
        types = dict((name(column), kind) for column, kind in self.kinds[index])
        listed = dict(self.new[index])
        mine = types.get(listed[new])
        changed = [column["to"] for column in dataset.columns if column["kind"] == "renamed"]
        donors = [column for column, read in self.new[index] if column != new and types.get(read) == mine and mine]
        donors.sort(key=lambda column: column not in changed)
        label = f"{dataset.name}.{old}"
        if turned:
            return Wrong(index, (new, listed[new], None), f"{label}: its values mixed up", old.lower())
        if donors:
            return Wrong(index, (new, listed[new], donors[0], listed[donors[0]]), f"{label} read from {donors[0]}", old.lower())
        other = self.fill(("wrong", index, new), mine, [], False) if mine else None
        return Wrong(index, (new, listed[new], None, other), f"{label} read from another column", old.lower())


class Wrong:
    """A deliberately wrong mapping of one column, or of the table."""

    def __init__(self, index, swap, label, column=None):
        self.index, self.swap, self.label, self.column = index, swap, label, column

    def applied(self, new, full):
        if self.swap is None:
            return new, full, " WHERE rowid % 2 = 0"
        column, read, donor, *rest = self.swap
        instead = rest[0] if donor else '"wrong"'
        if not donor:
            cells = rest[0] if rest else mixed(full[read.strip('"')])
            instead, full = ('"wrong"', full | {"wrong": cells}) if cells else ("NULL", full)
        return [(listed, instead if listed == column else value) for listed, value in new], full, ""


def mixed(cells):
    """Each value as another one."""
    distinct = sorted({cell for cell in cells if cell is not None}, key=repr)
    turned = dict(zip(distinct, distinct[1:] + distinct[:1]))
    return [turned.get(cell) for cell in cells]


def typed(kind, text):
    return int(text) if kind == "BIGINT" else text == "true" if kind == "BOOLEAN" else text


def struct(array, fields, side, inner):
    packed = ", ".join(f"{name(pair[side])} := {value}" for pair, value in zip(fields, inner))
    return f"[struct_pack({packed})]" if array else f"struct_pack({packed})"


def turn(columns, turned):
    """The same rows in another order."""
    if not turned:
        return columns
    size = len(next(iter(columns.values()), []))
    order = list(range(size))
    random.Random(7).shuffle(order)
    return {column: [cells[at] for at in order] for column, cells in columns.items()}
