#!/usr/bin/env python3
"""Collects the cases that the grammar is measured on, from clones that you have.

    prepare.py OUT --googlesql CLONE --sqlglot CLONE --dbt NAME=FOLDER ...

`--googlesql` is a clone of google/googlesql, `--sqlglot` one of tobymao/sqlglot,
and each `--dbt` a folder with .sql files under `models/` and `macros/`. OUT gets
one NAME.jsonl a corpus, a case a line: where it is from, the text, whether it
should parse, and which half it belongs to. A half is told by the digest of the
text, so that it never moves: the grammar was written with `seen` alone, and
`held` was only counted.
"""

import argparse
import contextlib
import hashlib
import importlib
import io
import itertools
import json
import re
import sys
import unittest
from pathlib import Path


def half(text):
    return "held" if hashlib.sha256(text.encode()).digest()[0] & 1 else "seen"


def write(out, corpus, cases):
    """Writes cases `(where, kind, accept, text)`, each text once; who accepts it wins."""
    unique = {}
    for where, kind, accept, text in cases:
        known = unique.get(text)
        if known is None or accept and not known[2]:
            unique[text] = (where, kind, accept)
    with (out / f"{corpus}.jsonl").open("w", encoding="utf-8") as file:
        for text, (where, kind, accept) in unique.items():
            case = {"place": where, "kind": kind, "accept": accept, "half": half(text), "text": text}
            file.write(json.dumps(case, ensure_ascii=False) + "\n")
    print(f"{corpus}: {len(unique)} cases")


# --- google/googlesql: cases end with `==`, their parts with `--` -------------

ALTERNATIVES = re.compile(r"\{\{(.*?)\}\}", re.S)
OPTION = re.compile(r"\[([^\]\n]*)\]")
PREAMBLE = re.compile(r"\s*|#.*|(\[[^\]]*\])+\s*")


def googlesql(folder):
    for path in sorted(folder.glob("*.test")):
        default_mode = "statement"
        for number, case in enumerate(re.split(r"^==.*\n?", path.read_text("utf-8", "replace"), flags=re.M), 1):
            parts = re.split(r"^--.*\n?", case, flags=re.M)
            if len(parts) < 2:
                continue
            lines = parts[0].split("\n")
            options = {}
            # Comments and options stand before the text.
            while lines and PREAMBLE.fullmatch(lines[0]):
                line = lines.pop(0)
                for option in OPTION.findall(line) if line.startswith("[") else ():
                    name, _, value = option.partition("=")
                    options[name] = value
            if "default mode" in options:
                default_mode = options["default mode"]
            mode = options.get("mode", default_mode)
            if any("NEWLINE" in o for o in options):
                continue  # line ends are made by their test driver
            text = "\n".join(line[1:] if line.startswith("\\") else line for line in lines)
            where = f"{path.name}#{number}"
            for chosen, answer in outcomes(text, options, parts[1:]):
                if answer.startswith("ERROR:") and "Syntax error" not in answer:
                    continue  # refused for another reason than its syntax
                yield where, path.stem, not answer.startswith("ERROR:"), wrapped(chosen, mode)


GRAPH = re.compile(
    r"\bgraph_table\s*\(|\bproperty\s+graph\b"
    r"|(?:^|[(;]|\bas|[})])\s*graph\s+[\w.`]+\s+(?:(?:@\S+|\w+)\s+)?(?:match|return|let|call|filter|for|optional|with)\b",
    re.I,
)


def is_graph(case):
    """A case of a file named for graphs, or one that asks a graph or defines one."""
    where, kind, _, text = case
    return "graph" in kind or GRAPH.search(text) is not None


def wrapped(text, mode):
    text = text.rstrip("\n")
    if mode == "expression":
        return f"SELECT {text}"
    if mode == "type":
        return f"SELECT CAST(x AS {text})"
    if mode == "subpipeline":
        return f"FROM x\n{text}"
    return text


def outcomes(text, options, answers):
    """Each spelling of a case, with what is said of it."""
    slots = ALTERNATIVES.findall(text)
    option_slots = [s for o, v in options.items() for s in ALTERNATIVES.findall(f"{o}={v}")]
    if not slots and not option_slots:
        yield text, answers[0].strip()
        return
    said, labels = {}, None
    for answer in answers:
        stripped = answer.strip()
        if stripped.startswith("ALTERNATION GROUP"):
            head, _, rest = stripped.partition(":")
            labels = [l.strip() for l in rest.strip().split("\n")] if head.endswith("S") else [rest.strip()]
            first = True
        elif labels is not None and first:
            for label in labels:
                said[label] = stripped
            first = False
    choices = [s.split("|") for s in option_slots + slots]
    for picked in itertools.product(*choices):
        label = ",".join(p if p else "<empty>" for p in picked)
        answer = said.get(label, said.get(label.strip()))
        if answer is None:
            continue
        values = iter(picked[len(option_slots):])
        yield ALTERNATIVES.sub(lambda _: next(values), text), answer


# --- tobymao/sqlglot: what its tests hand to a dialect ------------------------


def recorded(clone, module, dialect):
    """Runs the tests of one dialect, and notes each text that it really read."""
    if str(clone) not in sys.path:
        sys.path.insert(0, str(clone))
    tests = importlib.import_module(f"tests.dialects.{module}")
    validator = importlib.import_module("tests.dialects.test_dialect").Validator
    texts = []
    identity, everything = validator.validate_identity, validator.validate_all

    def validate_identity(self, sql, write_sql=None, *args, **kwargs):
        result = identity(self, sql, write_sql, *args, **kwargs)
        if self.dialect == dialect:
            texts.append(sql)
        return result

    def validate_all(self, sql, read=None, write=None, *args, **kwargs):
        result = everything(self, sql, read, write, *args, **kwargs)
        if self.dialect == dialect:
            texts.append(sql)
        if read and isinstance(read.get(dialect), str):
            texts.append(read[dialect])
        return result

    validator.validate_identity, validator.validate_all = validate_identity, validate_all
    try:
        suite = unittest.defaultTestLoader.loadTestsFromModule(tests)
        with contextlib.redirect_stderr(io.StringIO()):
            unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    finally:
        validator.validate_identity, validator.validate_all = identity, everything
    for number, text in enumerate(texts):
        yield f"{module}#{number}", module, True, text


def statements(path):
    """The statements of a fixture of theirs; comment lines part them."""
    text = "\n".join(l for l in path.read_text("utf-8").split("\n") if not l.startswith("--"))
    for number, statement in enumerate(text.split(";")):
        if statement.strip():
            yield f"{path.name}#{number}", path.stem, True, statement.strip()


def identity_lines(path):
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if line.strip():
            yield f"{path.name}:{number}", "identity", True, line


# --- dbt projects -------------------------------------------------------------


def files(name, folder):
    for path in sorted(folder.rglob("*.sql")):
        inside = path.relative_to(folder).parts
        kind = next((part for part in inside if part in ("models", "macros", "snapshots", "tests", "analyses")), "scripts")
        text = path.read_text("utf-8", "replace")
        if text.strip():
            yield f"{name}/{'/'.join(inside)}", kind, True, text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--googlesql", type=Path)
    parser.add_argument("--sqlglot", type=Path)
    parser.add_argument("--dbt", action="append", default=[], metavar="NAME=FOLDER")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.googlesql:
        cases = list(googlesql(args.googlesql / "googlesql/parser/testdata"))
        # Graph queries (GQL) are a language of their own inside of SQL, which the grammar does not read.
        write(args.out, "googlesql", (c for c in cases if not is_graph(c)))
        write(args.out, "googlesql-graph", (c for c in cases if is_graph(c)))
    if args.sqlglot:
        for dialect in ("bigquery", "spark", "snowflake", "duckdb", "postgres"):
            write(args.out, f"sqlglot-{dialect}", recorded(args.sqlglot, f"test_{dialect}", dialect))
        fixtures = args.sqlglot / "tests/fixtures"
        write(args.out, "identity", identity_lines(fixtures / "identity.sql"))
        write(args.out, "tpc-h", statements(fixtures / "optimizer/tpc-h/tpc-h.sql"))
        write(args.out, "tpc-ds", statements(fixtures / "optimizer/tpc-ds/tpc-ds.sql"))
    found = {}
    for project in args.dbt:
        name, _, folder = project.partition("=")
        for case in files(name, Path(folder)):
            found.setdefault(case[1], []).append(case)
    for kind, cases in found.items():
        write(args.out, f"files-{kind}", cases)


if __name__ == "__main__":
    main()
