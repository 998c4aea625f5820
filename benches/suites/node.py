#!/usr/bin/env python3
"""Runs the rules in rules/javascript/node over the recipes of nodejs/userland-migrations.

    benches/suites/node.py CLONE [--gander PROGRAM] [--half seen|held] [--show]

CLONE is a checkout of nodejs/userland-migrations. Nothing of it is kept: each recipe's
inputs are copied to a folder of their own, edited by `gander apply`, and compared with
what is expected: byte by byte, and as the trees that `gander tree` shows. Every second
case of a recipe, in the order of names, is the half that the rules were not written by.
"""
import sys

from suite import ROOT, Case, main

RULES = ROOT / "rules" / "javascript" / "node"


def cases(clone, rules):
    for folder in sorted((clone / "recipes" / rules.stem / "tests").iterdir()):
        for given in sorted(folder.glob("input.*")):
            expected = folder / given.name.replace("input", "expected")
            if expected.exists():
                yield Case(folder.name, "case" + given.suffix, given.read_text(), expected.read_text())


def others(clone):
    return sum(1 for _ in (clone / "recipes").glob("*/tests/*/input.*"))


if __name__ == "__main__":
    sys.exit(main(__doc__, RULES, cases, others))
