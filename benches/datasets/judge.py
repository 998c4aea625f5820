"""Another resolver as the judge of gander's: sqlglot.

On the TPC-H and TPC-DS queries and on sqlglot's own optimizer fixtures, with their
schemas, every column of every table is renamed in turn. gander must rewrite exactly the
places that sqlglot says are this column of this table; what gander leaves instead is
counted apart.

    judge.py ask SOURCES QUESTIONS           # SOURCES: an unpacked sqlglot with its tests
    judge.py compare QUESTIONS ANSWERS       # exits with 1 where they differ
"""

import ast
import collections
import json
import os
import re
import sys

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

# Fixtures of pairs, and whether their statements are queries that name real columns.
FIXTURES = ["qualify_columns", "optimizer", "pushdown_predicates", "pushdown_projections",
            "merge_subqueries", "eliminate_subqueries", "unnest_subqueries", "optimize_joins",
            "isolate_table_selects", "expand_laterals", "qualify_tables", "pushdown_cte_alias_columns"]
# What gander leaves because it is told to: names would leave, or change what is joined.
RULES = ["star leaves the query", "paired by place", "natural join", "whole row is a value",
         "no longer have the column in common"]
# What else may stay, as a share of the questions.
CEILING = 0.02


def literal(path, name):
    """A constant of a module, without running it."""
    for node in ast.walk(ast.parse(open(path, encoding="utf-8").read())):
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        named = getattr(target, "id", None) or getattr(target, "attr", None)
        if named == name and isinstance(node.value, ast.Dict):
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                continue
    raise SystemExit(f"{path} has no {name}")


def statements(path):
    """First statements of the pairs of a fixture, with what is said above them."""
    text = "\n".join(line for line in open(path, encoding="utf-8").read().split("\n") if not line.startswith("--"))
    parts = text.split(";")
    for at in range(0, len(parts) - 1, 2):
        lines = parts[at].strip().split("\n")
        said = dict(re.findall(r"# ?(\w+): ?(.*)", "\n".join(l for l in lines if l.startswith("#"))))
        sql = "\n".join(line for line in lines if not line.startswith("#")).strip()
        if sql:
            yield said, sql


def cases(root):
    optimizer = os.path.join(root, "tests/fixtures/optimizer")
    own = literal(os.path.join(root, "tests/test_optimizer.py"), "schema")
    helpers = os.path.join(root, "tests/helpers.py")
    schemas = [own, literal(helpers, "TPCH_SCHEMA"), literal(helpers, "TPCDS_SCHEMA")]
    found = []
    for name in FIXTURES:
        path = os.path.join(optimizer, f"{name}.sql")
        if os.path.exists(path):
            found += [(name, sql, 0, said.get("dialect", "")) for said, sql in statements(path)]
    found += [("tpc-h", sql, 1, "") for _, sql in statements(os.path.join(optimizer, "tpc-h/tpc-h.sql"))]
    found += [("tpc-ds", sql, 2, "") for _, sql in statements(os.path.join(optimizer, "tpc-ds/tpc-ds.sql"))]
    return schemas, found


DIALECTS = {"": "ansi", "snowflake": "snowflake", "bigquery": "bigquery", "duckdb": "duckdb",
            "spark": "spark", "databricks": "spark", "postgres": "ansi", "presto": "ansi", "trino": "ansi"}


def start(identifier):
    return identifier.meta.get("start") if isinstance(identifier, exp.Identifier) else None


def base(scope, column, depth=0):
    """The table that a column is of; None for what a query hands on under its own name."""
    source = scope.sources.get(column.table)
    if isinstance(source, exp.Table):
        # The tables asked about are in no schema of their own.
        return None if source.db else source.name.lower()
    if not isinstance(source, Scope) or depth > 20:
        return None
    # Written by the expansion of a star: then the star's table is read.
    inner = source
    while inner.set_operation_scopes:
        inner = inner.set_operation_scopes[0]
    for projection in getattr(inner.expression, "selects", []):
        if projection.alias_or_name == column.name:
            value = projection.unalias()
            if isinstance(value, exp.Column) and start(value.this) is None:
                return base(inner, value, depth + 1)
    return None


def optional(tree):
    """Places that either resolver may leave or rewrite: names of `using`, and names behind
    `group by`, `order by` and so on that are names of the list as well."""
    places = set()
    for join in tree.find_all(exp.Join):
        for name in join.args.get("using") or []:
            places.update(filter(lambda at: at is not None, (start(i) for i in name.find_all(exp.Identifier))))
    for query in tree.find_all(exp.Query):
        if not hasattr(query, "selects"):
            continue
        names = {name.lower() for name in query.named_selects}
        listed = {column.name.lower() for item in query.selects for column in item.find_all(exp.Column)}
        for clause in ("group", "order", "having", "qualify", "where"):
            part = query.args.get(clause)
            for column in part.find_all(exp.Column) if isinstance(part, exp.Expression) else []:
                # Behind `order by` sqlglot writes the list's names for what is in the list.
                if clause == "order" and column.name.lower() in listed:
                    places.add(start(column.this))
                if not column.table and column.name.lower() in names:
                    places.add(start(column.this))
    return places


def sites(sql, schema, dialect):
    """Place of each column → the tables that it is of; and the optional places."""
    tree = sqlglot.parse_one(sql, dialect=dialect or None)
    free = optional(tree)
    tree = qualify(tree, schema=schema, dialect=dialect or None, quote_identifiers=False,
                   validate_qualify_columns=True)
    found = collections.defaultdict(set)
    for scope in traverse_scope(tree):
        for column in scope.columns:
            at = start(column.this)
            table = base(scope, column)
            if at is not None and table is not None:
                found[at].add((table, column.name.lower()))
    return {str(at): sorted(of) for at, of in found.items()}, sorted(at for at in free if at is not None)


def ask(root, out):
    schemas, found = cases(root)
    questions, left = [], collections.Counter()
    for name, sql, schema, dialect in found:
        if dialect not in DIALECTS:
            left["dialect"] += 1
            continue
        try:
            places, free = sites(sql, schemas[schema], dialect)
        except Exception as error:  # what the judge can't resolve itself
            left[f"{name}: {type(error).__name__}"] += 1
            if os.environ.get("SHOW") == type(error).__name__:
                import traceback
                traceback.print_exc()
                raise SystemExit(1)
            continue
        words = set(re.findall(r"\w+", sql.lower()))
        tables = [table for table in schemas[schema] if table.lower() in words]
        questions.append({"name": name, "sql": sql, "schema": schema, "dialect": DIALECTS[dialect],
                          "tables": tables, "sites": places, "free": free})
    lists = [{table: list(columns) for table, columns in schema.items()} for schema in schemas]
    json.dump({"schemas": lists, "cases": questions}, open(out, "w"))
    print(f"{len(questions)} queries asked; left out: {dict(left)}")


def compare(asked, told):
    cases = json.load(open(asked))["cases"]
    rows = collections.defaultdict(collections.Counter)
    wrong, why = [], collections.Counter()
    for answer in json.load(open(told)):
        case = cases[answer["case"]]
        table, column = answer["table"].lower(), answer["column"].lower()
        expected = {int(at) for at, of in case["sites"].items() if [table, column] in of}
        row = rows[case["name"]]
        if not expected and answer["fate"] == "none":
            continue
        row["questions"] += 1
        if answer["fate"] == "annotated" and any(rule in answer["why"] for rule in RULES):
            row["by rule"] += 1
            continue
        if answer["fate"] in ("annotated", "refused"):
            # A query whose places are none of this column may stay for another reason.
            row["left"] += 1
            why[re.sub(r"\b\w+__new\b|`[^`]*`", "…", answer["why"])] += 1
            if os.environ.get("SHOW") and os.environ["SHOW"] in answer["why"]:
                print(f"--- left {case['name']} {table}.{column}: {answer['why']}\n{case['sql']}")
            continue
        edits = {begin for begin, _, new in answer["edits"] if new == answer["column"] + "__new"}
        # An identifier in quotes begins at its quote there, and behind it here.
        quoted = {at + 1 for at in expected if case["sql"][at] in "\"`"}
        expected = {at for at in expected if case["sql"][at] not in "\"`"} | quoted
        free = set(case["free"]) | {at + 1 for at in case["free"]}
        if edits - free == expected - free:
            row["same"] += 1
        else:
            row["differs"] += 1
            wrong.append((case["name"], table, column, sorted(expected - edits - free), sorted(edits - expected - free), case["sql"]))
    print(f"{'fixture':<28} questions  same  by rule  left  differs")
    total = collections.Counter()
    for name, row in rows.items():
        total.update(row)
        print(f"{name:<28} {row['questions']:>9} {row['same']:>5} {row['by rule']:>8} {row['left']:>5} {row['differs']:>8}")
    share = total["left"] / max(1, total["questions"])
    print(f"{'all':<28} {total['questions']:>9} {total['same']:>5} {total['by rule']:>8} {total['left']:>5} {total['differs']:>8}   left: {100 * share:.2f} %")
    for reason, count in why.most_common(25):
        print(f"  left {count:>5}: {reason}")
    for name, table, column, missing, extra, sql in wrong[:int(os.environ.get("WRONG", "10"))]:
        print(f"--- {name}: {table}.{column}: not rewritten {missing}, rewritten beside {extra}\n{sql}")
    sys.exit(1 if wrong or share >= CEILING else 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    {"ask": ask, "compare": compare}[sys.argv[1]](*sys.argv[2:])
