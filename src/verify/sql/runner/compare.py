"""Old queries over old data and new queries over new data, in DuckDB: do they return the same rows?

gander starts this in its sandbox. It reads the questions as JSON from the file that is its argument, and
writes the answers as JSON to its standard output. Each script is run by a process of its own, within limits.
Must not: say that two results are the same that were not seen.
"""

import json
import multiprocessing
import os
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "packages")]

import duckdb  # noqa: E402
import sqlglot  # noqa: E402
from sqlglot import exp  # noqa: E402

import rendering  # noqa: E402
from data import Data, name  # noqa: E402
from reading import NOW, TYPES, Dataset, Reading, Refused, by_name, path_of, tables, used_as  # noqa: E402

# Rows and the share of nulls of the tables that are tried, one after the other.
SIZES = [(40, 0.08), (300, 0.04), (8, 0.0), (1500, 0.02)]
# How often a type or a column is corrected by what the engine says.
CORRECTIONS = 60
# The most rows of a result that are read.
MOST_ROWS = 200_000
CHANCE = {"Rand": "rand()", "Randn": "randn()", "Uuid": "generate_uuid()", "TableSample": "a sample"}
OVER = "it takes more than it may: "
PARAMETERS = (exp.Parameter, exp.Placeholder, exp.SessionParameter)
LIMITS = (duckdb.OutOfMemoryException, duckdb.InterruptException)


def read(text, dialect):
    """The statements of a script, each with the line that it begins in."""
    trees = [tree for tree in sqlglot.parse(text, dialect=dialect) if tree is not None]
    lines, fresh = [], True
    for token in sqlglot.tokenize(text, dialect=dialect):
        if token.token_type == sqlglot.TokenType.SEMICOLON:
            fresh = True
        elif fresh:
            lines.append(token.line)
            fresh = False
    if len(lines) != len(trees):
        lines = [1] * len(trees)
    return list(zip(trees, lines))


class Result:
    """What a statement returned."""

    def __init__(self, columns=(), rows=(), ordered=False, error=None, limit=False):
        self.columns = [column.lower() for column in columns]
        self.rows = [tuple(cell(one) for one in row) for row in rows]
        self.ordered, self.error, self.limit = ordered, error, limit
        self.idle = False

    def bag(self):
        return sorted(self.rows, key=repr)


def cell(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return tuple((key.lower(), cell(one)) for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(cell(one) for one in value)
    return value


def same(a, b, in_order):
    return a.rows == b.rows if in_order else a.bag() == b.bag()


class Statement:
    """A statement of one side, ready to be run."""

    def __init__(self, tree, reading):
        self.kind, self.target, self.error = type(tree).__name__, None, None
        self.ordered = isinstance(tree, exp.Query) and tree.args.get("order") is not None
        try:
            self.prepare(tree.copy(), reading)
        except Refused as why:
            self.error = str(why)

    def prepare(self, tree, reading):
        for node in tree.walk():
            if type(node).__name__ in CHANCE:
                raise Refused(f"{CHANCE[type(node).__name__]} is left to chance")
            if isinstance(node, PARAMETERS):
                raise Refused("a parameter is put in at run time")
        if isinstance(tree, exp.Create) and tree.args.get("kind") not in ("TABLE", "VIEW"):
            raise Refused(f"`create {str(tree.args.get('kind')).lower()}` is not run")
        if not isinstance(tree, (exp.Query, exp.Create, exp.Insert, exp.Merge, exp.Update, exp.Delete, exp.Drop)):
            raise Refused(f"`{tree.sql()[:20].split(' ')[0].lower()}` is not run")
        target = None if isinstance(tree, exp.Query) else tree.find(exp.Table)
        if target is not None:
            self.target = reading.physical(path_of(target))
        self.insert = isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Query)
        self.listed = [one.name for one in tree.this.expressions] if self.insert and isinstance(tree.this, exp.Schema) else []
        self.checked = not isinstance(tree, exp.Drop) and not (isinstance(tree, exp.Create) and tree.expression is None)
        self.writes = isinstance(tree, (exp.Insert, exp.Merge, exp.Update, exp.Delete))
        plain(tree, reading)
        if isinstance(tree, exp.Query):
            titled(tree, reading.dialect)
        if isinstance(tree, exp.Create):
            tree.set("properties", None)
            tree.set("replace", True)
            tree.set("exists", False)
        self.sql = tree.sql(dialect="duckdb")
        self.shape = tree.expression.sql(dialect="duckdb") if self.insert else None


def plain(tree, reading):
    """Tables by the names that they have in the engine; what depends on the day is fixed."""
    aliases = {alias.name.lower() for alias in tree.find_all(exp.TableAlias)} | {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in list(tables(tree)):
        last = path_of(table)[-1]
        aliases.add(table.alias.lower() or last)
        if not table.alias and not is_target(table):
            table.set("alias", exp.TableAlias(this=exp.to_identifier(last, quoted=not last.isidentifier())))
        table.set("this", exp.to_identifier(reading.physical(path_of(table))))
        table.set("db", None)
        table.set("catalog", None)
    for column in list(tree.find_all(exp.Column)):
        first = (column.text("catalog") or column.text("db") or column.table).lower()
        if column.table and column.table.lower() in aliases:
            column.set("db", None)
            column.set("catalog", None)
        elif first and (column.text("db") or first not in aliases):
            # A field of a struct.
            names = [one for one in (column.args.get(key) for key in ("catalog", "db", "table", "this")) if one is not None]
            if names[0].name.lower() in aliases and len(names) > 2:
                node = exp.Column(this=names[1].copy(), table=names[0].copy())
                names = names[2:]
            else:
                node = exp.Column(this=names[0].copy())
                names = names[1:]
            for field in names:
                node = exp.Dot(this=node, expression=field.copy())
            column.replace(node)
    for node in list(tree.walk()):
        fixed = {"CurrentDate": f"DATE '{NOW.date()}'", "CurrentTimestamp": f"TIMESTAMP '{NOW}'",
                 "CurrentDatetime": f"TIMESTAMP '{NOW}'", "CurrentTime": f"TIME '{NOW.time()}'"}.get(type(node).__name__)
        if fixed:
            node.replace(sqlglot.parse_one(fixed, dialect="duckdb"))


def put_in(before, after):
    """Values for parameters: the same on both sides, such that the old query may find rows."""
    sides = [[node for tree, _ in side for node in tree.walk() if isinstance(node, PARAMETERS)] for side in (before, after)]
    if len(sides[0]) != len(sides[1]):
        return
    known = {}
    for a, b in zip(*sides):
        if isinstance(a.parent, (exp.Unnest, exp.Column)) or a is a.root() or b is b.root():
            continue
        value = known.setdefault(a.sql() if a.name else id(a), value_of(a))
        a.replace(value.copy())
        b.replace(value.copy())


def value_of(parameter):
    """A value by what it is compared with."""
    if isinstance(parameter.parent, (exp.Limit, exp.Offset)):
        return exp.Literal.number(5)
    around = parameter.find_ancestor(exp.Predicate)
    columns = list(around.find_all(exp.Column)) if around else []
    kind = next(filter(None, (by_name(column.name.lower()) or used_as(column) for column in columns)), "VARCHAR")
    if kind in ("BIGINT", "DOUBLE"):
        return exp.Literal.number(3)
    if kind == "BOOLEAN":
        return exp.true()
    return exp.Literal.string({"DATE": "2024-06-01", "TIMESTAMP": "2024-06-01 00:00:00"}.get(kind, "alder"))


def is_target(table):
    parent = table.parent
    return isinstance(parent, (exp.Create, exp.Insert, exp.Drop, exp.Schema)) and table.arg_key == "this"


# Dialects whose engines name what has no name by its text.
BY_TEXT = {"duckdb", "snowflake", "spark"}


def titled(tree, dialect):
    """Names what the list leaves without a name as the dialect's engine would."""
    inner = tree
    while isinstance(inner, (exp.SetOperation, exp.Subquery)):
        inner = inner.this
    for at, item in enumerate(getattr(inner, "expressions", [])):
        if not item.alias_or_name and not item.is_star:
            given = item.sql(dialect=dialect) if dialect in BY_TEXT else f"f{at}_"
            item.replace(exp.alias_(item.copy(), given, quoted=True))


class Engine:
    """DuckDB with everything off that reaches beyond its tables."""

    def __init__(self, limits):
        self.connection = duckdb.connect(config={
            "threads": 1, "memory_limit": f"{limits['memory_mb']}MB",
            "autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
        for setting in ("TimeZone='UTC'", "enable_external_access=false", "lock_configuration=true"):
            self.connection.execute(f"SET {setting}")
        self.seconds = limits["seconds"]

    def clear(self):
        """Forgets all tables: a new engine takes longer."""
        for kind in ("VIEW", "TABLE"):
            listed = f"SELECT {kind.lower()}_name FROM duckdb_{kind.lower()}s() WHERE NOT internal"
            for (table,) in self.connection.execute(listed).fetchall():
                self.connection.execute(f"DROP {kind} {name(table)}")

    def run(self, sql):
        timer = threading.Timer(self.seconds, self.connection.interrupt)
        timer.start()
        try:
            cursor = self.connection.execute(sql)
            rows = cursor.fetchmany(MOST_ROWS + 1)
            columns = [column[0] for column in cursor.description or []]
        finally:
            timer.cancel()
        if len(rows) > MOST_ROWS:
            raise duckdb.OutOfMemoryException(f"more than {MOST_ROWS} rows")
        return columns, rows


def run(engine, statements, made, shapes, seen):
    """Runs a side's statements over these tables and no others: a result each."""
    engine.clear()
    for sql in made:
        engine.run(sql)
    results = []
    for number, statement in enumerate(statements):
        if statement.error:
            results.append(Result(error=statement.error, limit=True))
            continue
        try:
            if statement.insert:
                prepare_target(engine, statement, shapes[number])
            look = seen.get(number) or f"SELECT * FROM {statement.target}"
            before = engine.run(look) if statement.target and statement.writes else None
            columns, rows = engine.run(statement.sql)
            if statement.target and statement.checked:
                columns, rows = engine.run(look)
            result = Result(columns, rows, statement.ordered)
            result.idle = before is not None and result.bag() == Result(*before).bag()
            results.append(result)
        except duckdb.Error as error:
            limit = isinstance(error, LIMITS)
            results.append(Result(error=OVER + first_line(error) if limit else first_line(error), limit=limit))
    return results


def prepare_target(engine, statement, shape):
    """Makes the table that is inserted into, as wide as the old query."""
    try:
        engine.run(f"SELECT 1 FROM {statement.target} LIMIT 0")
    except duckdb.Error:
        listed = "(" + ", ".join(name(one) for one in statement.listed) + ")" if statement.listed else ""
        engine.run(f"CREATE TABLE {statement.target} AS SELECT * FROM ({shape}) AS t{listed} LIMIT 0")


def first_line(error):
    return re.sub(r"\s+", " ", str(error).split("\n")[0])[:300]


class Script:
    """One script: what it reads, and both sides ready to run."""

    def __init__(self, given, old, new):
        self.given = given
        self.dialect = old[2]
        self.before, self.after = read_side(old), read_new(new)
        put_in(self.before, self.after)
        if len(self.before) != len(self.after):
            raise Refused("the change has more or fewer statements")
        texts = [[tree.sql(comments=False) for tree, _ in side] for side in (self.before, self.after)]
        self.affected = [at for at, (a, b) in enumerate(zip(*texts)) if a != b]
        datasets = [Dataset(index, one) for index, one in enumerate(given["datasets"])]
        self.reading = Reading(datasets, given["schemas"], given["default"])
        self.reading.dialect = self.dialect
        self.errors = {}
        for number, (tree, _) in enumerate(self.before):
            try:
                self.reading.read(number, tree)
                target = None if isinstance(tree, exp.Query) else tree.find(exp.Table)
                if target is not None and isinstance(tree, (exp.Create, exp.Insert)):
                    kind, path = self.reading.known(path_of(target))
                    insert = isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Query)
                    if kind == "other" and (insert or isinstance(tree, exp.Create)):
                        self.reading.physical(path_of(target))
                        self.reading.made.add(path)
            except Refused as why:
                self.errors[number] = str(why)
        self.old = [Statement(tree, self.reading) for tree, _ in self.before]
        self.new = [Statement(tree, self.reading) for tree, _ in self.after]
        self.shapes = [statement.shape if not statement.error else None for statement in self.old]
        for number, why in self.errors.items():
            self.old[number].error = why
        self.engine = Engine(given["limits"])

    def line(self, number):
        return self.before[number][1]

    def data(self, rows, nulls):
        return Data(self.reading, self.dialect, rows, nulls, self.given["seed"])

    def run_old(self, made):
        return run(self.engine, self.old, made, self.shapes, self.seen("old"))

    def run_new(self, made, statements=None):
        return run(self.engine, statements or self.new, made, self.shapes, self.seen("new"))

    def written(self, number):
        """The dataset that a statement writes to."""
        target = self.old[number].target or ""
        return self.reading.datasets[int(target.rsplit("_", 1)[1])] if target.startswith("gander_old_") else None

    def seen(self, side):
        """How datasets that are written to are looked at afterwards: as far as both have the same columns."""
        found = {}
        for number in range(len(self.old)):
            dataset = self.written(number)
            if dataset is not None:
                both = [column for column in dataset.columns
                        if column["kind"] in ("kept", "renamed") and not column.get("fields") and not column.get("values")]
                read = ", ".join(f"{name(c['name' if side == 'old' else 'to'])} AS {name(c['name'])}" for c in both)
                found[number] = f"SELECT {read or 1} FROM gander_{side}_{dataset.index}"
        return found

    def misdirected(self, wrong):
        """The new statements, those that write to the dataset with another column in the place of one."""
        if not wrong.swap or not wrong.swap[2]:
            return None
        out = []
        for number, (tree, _) in enumerate(self.after):
            if self.written(number) is not None:
                tree = tree.copy()
                for named in tree.find_all(exp.Identifier):
                    if named.name.lower() == wrong.swap[0].lower() and not isinstance(named.parent, exp.Table):
                        named.set("this", wrong.swap[2])
            out.append(Statement(tree, self.reading))
        return out

    def correct(self):
        """Types and columns, until the engine accepts the old statements."""
        tried = set()
        for _ in range(CORRECTIONS):
            failing = self.failing()
            if failing is None:
                return
            number, error = failing
            if not self.add_column(number, error) and not self.other_type(number, error, tried):
                self.old[number].error = f"the engine does not take it: {error}"

    def failing(self):
        try:
            results = self.run_old(self.data(6, 0.0).statements())
        except duckdb.Error as error:
            return (self.affected[0], first_line(error)) if not self.old[self.affected[0]].error else None
        for number, result in enumerate(results):
            if result.error and not result.limit and not self.old[number].error:
                return number, result.error
        return None

    def add_column(self, number, error):
        """A column that the engine misses and that a table of unknown columns may have."""
        missing = re.search(r'(?:Referenced column|column named|a column named|column) "([^"]+)"', error)
        if not missing:
            return False
        column = missing.group(1).lower()
        mine = [self.reading.known(path_of(table)) for table in tables(self.before[number][0])]
        for kind, path in mine:
            if kind == "other" and path not in self.reading.made and column not in self.reading.columns[path]:
                self.reading.columns[path][column] = None
                return True
        return False

    def other_type(self, number, error, tried):
        """Tries other types, a column at a time and then all of them, until this statement runs."""
        mine = [one for one in self.reading.mentioned if one[0][0] == "o" or one[0][1] in
                {dataset for dataset, _ in self.reading.used[number]}]
        for columns in [[one] for one in mine[:12]] + [mine]:
            for kind in TYPES:
                step = (number, tuple(columns), kind)
                if step in tried:
                    continue
                tried.add(step)
                kept = dict(self.reading.types)
                for column in columns:
                    self.reading.types[self.reading.root(column)] = (2.5, kind)
                    self.reading.types[column] = (2.5, kind)
                failing = self.failing()
                if failing is None or failing[0] > number:
                    return True
                self.reading.types = kept
        return False


def read_side(side):
    try:
        return read(side[1], side[2])
    except (sqlglot.errors.SqlglotError, RecursionError, ValueError) as error:
        raise Refused(f"it can't be read as {side[2] or 'SQL'}: {first_line(error)}") from None


def read_new(side):
    try:
        return read(side[1], side[2])
    except (sqlglot.errors.SqlglotError, RecursionError, ValueError) as error:
        raise Broken(f"the new text can't be read as {side[2] or 'SQL'}: {first_line(error)}") from None


class Broken(Exception):
    """The new text is no SQL any more, and the old one was."""


class Answer:
    """What is known of one statement."""

    RANK = {"not-compared": 0, "uncounted": 1, "equal": 2, "different": 3}

    def __init__(self):
        self.outcome, self.why, self.rows = "not-compared", "it was not run", 0
        self.wrongs = {}

    def learn(self, outcome, why, rows=0):
        if self.RANK[outcome] >= self.RANK[self.outcome]:
            self.outcome, self.why, self.rows = outcome, why, rows

    def is_final(self):
        noticed = bool(self.wrongs) and all(self.wrongs.values())
        return self.outcome == "different" or (self.outcome == "equal" and noticed)


def compare(script):
    """The answers for each statement that changes."""
    script.correct()
    answers = {number: Answer() for number in script.affected}
    for rows, nulls in SIZES:
        if any(answer.why.startswith(OVER) for answer in answers.values()):
            break
        pending = [number for number in script.affected if not answers[number].is_final()]
        if not pending:
            break
        data = script.data(rows, nulls)
        try:
            attempt(script, data, pending, answers)
        except duckdb.Error as error:
            for number in pending:
                answers[number].learn("not-compared", f"its tables can't be made: {first_line(error)}")
    return answers


def attempt(script, data, pending, answers):
    made, turned = data.statements(), data.statements(turned=True)
    old, again = script.run_old(made), script.run_old(turned)
    new = script.run_new(made)
    counted = []
    for number in pending:
        a, b, c = old[number], again[number], new[number]
        answer = answers[number]
        if a.error or b.error:
            answer.learn("not-compared", a.error or b.error)
        elif not same(a, b, False):
            answer.learn("not-compared", "its result depends on the order of rows")
        elif c.error and c.limit:
            answer.learn("not-compared", c.error)
        elif c.error:
            answer.learn("different", f"the new query fails: {c.error}")
        elif a.columns != c.columns:
            answer.learn("different", f"other columns: {', '.join(a.columns)} became {', '.join(c.columns)}"[:300])
        elif not same(a, c, a.ordered and same(a, b, True)):
            turned_new = script.run_new(turned)[number]
            if turned_new.error or not same(c, turned_new, False):
                answer.learn("not-compared", "its result depends on the order of rows")
            else:
                answer.learn("different", difference(a, c), len(a.rows))
        elif not a.rows:
            answer.learn("uncounted", "its result is empty")
        elif a.idle:
            answer.learn("uncounted", "it writes nothing")
        else:
            answer.learn("uncounted", "no deliberately wrong mapping changes its result", len(a.rows))
            counted.append(number)
    for wrong in data.wrongs({use for number in counted for use in script.reading.used[number]}) if counted else []:
        results = script.run_new(data.statements(wrong=wrong))
        if any(script.written(number) is not None for number in counted):
            misdirected = script.misdirected(wrong)
            of_writes = script.run_new(made, misdirected) if misdirected else results
        for number in counted:
            results_of = of_writes if script.written(number) is not None else results
            used = script.reading.used[number]
            mine = {column for index, column in used if index == wrong.index}
            if (wrong.column in mine) if wrong.column else not mine:
                found = results_of[number]
                noticed = bool(found.error) or not same(old[number], found, False)
                wrongs = answers[number].wrongs
                wrongs[wrong.label] = wrongs.get(wrong.label, False) or noticed
    for number in counted:
        if any(answers[number].wrongs.values()):
            answers[number].learn("equal", "", len(old[number].rows))


def difference(a, b):
    """The first rows that only one side has."""
    left, right = list(a.bag()), list(b.bag())
    only = [row for row in left if row not in right][:1], [row for row in right if row not in left][:1]
    told = ["(" + ", ".join(str(one) for one in row[0]) + ")" if row else "none" for row in only]
    if not only[0] and not only[1]:
        return f"{len(left)} rows became {len(right)}, or stand in another order"
    return f"{len(left)} rows became {len(right)}; only before: {told[0][:120]}; only after: {told[1][:120]}"


def answer(given, title, old, new):
    """The answers to one script, as they are written."""
    def one(line, outcome, why, rows=0, wrongs=None):
        return {"name": title, "line": line, "outcome": outcome, "why": why, "rows": rows, "wrongs": wrongs or {}}
    try:
        script = Script(given, old, new)
        if not script.affected:
            return [one(1, "unchanged", "the change leaves its statements as they are")]
        return [one(script.line(number), found.outcome, found.why, found.rows, found.wrongs)
                for number, found in compare(script).items()]
    except Refused as why:
        return [one(1, "not-compared", str(why))]
    except Broken as why:
        return [one(1, "different", str(why))]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        return [one(1, "not-compared", f"sqlglot gives up: {first_line(error)}")]


def apart(work, seconds):
    """Does `work` in a process of its own: one that dies or does not end takes nothing along."""
    ours, theirs = multiprocessing.Pipe(duplex=False)

    def child():
        ours.close()
        try:
            theirs.send(work())
        except BaseException as error:  # Whatever it is, it must be told.
            theirs.send(f"it fails: {type(error).__name__}: {first_line(error)}")

    process = multiprocessing.get_context("fork").Process(target=child, daemon=True)
    process.start()
    theirs.close()
    found = "it takes longer than the limit"
    if ours.poll(seconds):
        try:
            found = ours.recv()
        except EOFError:
            found = "its process died"
    process.kill()
    process.join()
    return found


def main():
    given = json.load(open(sys.argv[1], encoding="utf-8"))
    sys.setrecursionlimit(3000)
    until = time.monotonic() + given["limits"]["total_seconds"]
    answers = []

    def ask(title, old, new, dialect):
        left = until - time.monotonic()
        found = "the time for all comparisons is over"
        if left > 1:
            sides = [(title, text, dialect) for text in (old, new)]
            found = apart(lambda: answer(given, title, *sides), min(left, 10 * given["limits"]["seconds"]))
        if isinstance(found, str):
            found = [{"name": title, "line": 1, "outcome": "not-compared", "why": found, "rows": 0, "wrongs": {}}]
        answers.extend(found)

    for script in given["scripts"]:
        ask(script["name"], script["old"], script["new"], script["dialect"])
    for project in given["projects"]:
        rendered = apart(lambda: list(rendering.scripts(project, given["datasets"])), 5 * given["limits"]["seconds"])
        if isinstance(rendered, str):
            rendered = [(project["root"] + "dbt_project.yml", None, None, rendered)]
        for title, old, new, why in rendered:
            if why is not None:
                answers.append({"name": title, "line": 1, "outcome": "not-compared", "why": why, "rows": 0, "wrongs": {}})
            else:
                ask(title, old, new, project["dialect"])
    json.dump({"version": 1, "answers": answers}, sys.stdout)


main()
