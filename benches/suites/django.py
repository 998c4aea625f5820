#!/usr/bin/env python3
"""Runs the rules in rules/python/django over the test cases of django-upgrade.

    benches/suites/django.py CLONE [--gander PROGRAM] [--half seen|held] [--show]

CLONE is a checkout of adamchainz/django-upgrade. Nothing of it is kept: its cases
are read from its tests, written to a folder of their own, edited by `gander apply`,
and compared with what the tests expect: byte by byte, and as Python's own trees,
with imports as a set. Every second case, in the order of the file, is the half that
the rules were not written by.
"""
import argparse
import ast
import collections
import pathlib
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "rules" / "python" / "django"

Case = collections.namedtuple("Case", "fixer name before after path")


def literal(node):
    return textwrap.dedent(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def cases_of(file):
    """The calls of check_noop and check_transformed whose texts are literals."""
    fixer = file.stem.removeprefix("test_")
    for function in ast.walk(ast.parse(file.read_text())):
        if not isinstance(function, ast.FunctionDef) or not function.name.startswith("test"):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            texts = [literal(a) for a in call.args[:2]]
            names = [k.value.value for k in call.keywords if k.arg == "filename" and isinstance(k.value, ast.Constant)]
            path = names[0] if names else "example.py"
            version = [a for a in ast.walk(call) if isinstance(a, ast.Call) and a is not call]
            if call.func.id == "check_noop" and texts and texts[0] is not None:
                # A case that stays only because an old version was asked for says nothing of the rule.
                if not version:
                    yield Case(fixer, function.name, texts[0], texts[0], path)
            elif call.func.id == "check_transformed" and len(texts) == 2 and None not in texts:
                yield Case(fixer, function.name, texts[0], texts[1], path)


class Imports(ast.NodeTransformer):
    """Takes imports out of a tree, as a set of what they bring and where."""

    def __init__(self):
        self.found = set()
        self.scope = ()

    def visit(self, node):
        if isinstance(node, ast.Import):
            self.found |= {(self.scope, "", a.name, a.asname) for a in node.names}
            return None
        if isinstance(node, ast.ImportFrom):
            self.found |= {(self.scope, "." * node.level + (node.module or ""), a.name, a.asname) for a in node.names}
            return None
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            outer, self.scope = self.scope, self.scope + (node.name,)
            node = self.generic_visit(node)
            self.scope = outer
            return node
        return self.generic_visit(node)


def tree(text):
    imports = Imports()
    try:
        rest = imports.visit(ast.parse(text))
    except SyntaxError:
        return None
    return ast.dump(rest), frozenset(imports.found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=pathlib.Path)
    parser.add_argument("--gander", default=ROOT / "target" / "debug" / "gander", type=pathlib.Path)
    parser.add_argument("--half", choices=["seen", "held"])
    parser.add_argument("--only")
    parser.add_argument("--show", action="store_true", help="what differs")
    options = parser.parse_args()
    sums = collections.Counter()
    print(f"{'fixer':38} pairs exact equal wrong none | noop kept false")
    for file in sorted((options.clone / "tests" / "fixers").glob("test_*.py")):
        rules = RULES / f"{file.stem.removeprefix('test_')}.rhai"
        cases = list(cases_of(file))
        if options.half:
            cases = cases[options.half == "held" :: 2]
        pairs = sum(c.before != c.after for c in cases)
        if options.only and options.only not in file.stem:
            continue
        if not rules.exists():
            sums["pairs of other fixers"] += pairs
            sums["cases of other fixers that must stay"] += len(cases) - pairs
            continue
        row = run(options, rules, cases)
        sums.update(row)
        print(
            f"{rules.stem:38} {row['pairs']:5} {row['exact']:5} {row['equal']:5} {row['wrong']:5} {row['none']:4} |"
            f" {row['noop']:4} {row['kept']:4} {row['false']:5}"
        )
    for name, count in sums.items():
        print(f"{name}: {count}")
    return 1 if sums["wrong"] or sums["false"] else 0


def run(options, rules, cases):
    row = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        places = []
        for number, case in enumerate(cases):
            place = pathlib.Path(folder) / f"{number:03}" / case.path
            place.parent.mkdir(parents=True)
            place.write_text(case.before)
            places.append(place)
        done = subprocess.run(
            [options.gander, "apply", rules, folder, "--write"], capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1, 3):
            sys.exit(f"{rules}: {done.stderr}")
        for case, place in zip(cases, places, strict=True):
            result = place.read_text()
            if case.before == case.after:
                kind = "kept" if result == case.before else "false"
                row["noop"] += 1
            else:
                row["pairs"] += 1
                kind = "wrong"
                if result == case.after:
                    kind = "exact"
                elif tree(result) == tree(case.after):
                    kind = "equal"
                elif result == case.before:
                    kind = "none"
            row[kind] += 1
            if options.show and kind in ("wrong", "false", "none"):
                print(f"--- {kind}: {case.fixer} {case.name}\n{case.before}--- gave\n{result}--- and not\n{case.after}")
        if options.show:
            print(done.stdout[-3000:], done.stderr[-3000:])
    return row


if __name__ == "__main__":
    sys.exit(main())
