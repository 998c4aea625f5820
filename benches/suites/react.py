#!/usr/bin/env python3
"""Runs the rules in rules/javascript/react over the fixtures of reactjs/react-codemod.

    benches/suites/react.py CLONE [--gander PROGRAM] [--half seen|held] [--show]

CLONE is a checkout of reactjs/react-codemod. Nothing of it is kept. A fixture is an input
and an output, which is empty where the input must stay. Its tests read some fixtures as Flow
or TypeScript: those are given to gander as `.tsx`. Every second case of a transform, in the
order of names, is the half that the rules were not written by.
"""
import pathlib
import sys

from suite import ROOT, Case, main

RULES = ROOT / "rules" / "javascript" / "react"


def typed(clone, transform, fixture):
    tests = (clone / "transforms" / "__tests__").glob(f"{transform}*")
    flow = any("parser: 'flow'" in t.read_text() or "parser: 'tsx'" in t.read_text() for t in tests)
    return flow or "typescript" in fixture.parts


def cases(clone, rules):
    fixtures = clone / "transforms" / "__testfixtures__"
    transform = rules.stem
    inputs = sorted([*(fixtures / transform).rglob("*.input.*"), *fixtures.glob(f"{transform}*.input.*")])
    for given in inputs:
        expected = given.with_name(given.name.replace(".input.", ".output."))
        before, after = given.read_text(), expected.read_text()
        name = "case.tsx" if typed(clone, transform, given) else "case" + given.suffix
        yield Case(str(given.relative_to(fixtures)), name, before, after if after.strip() else before)


def others(clone):
    fixtures = clone / "transforms" / "__testfixtures__"
    return sum(1 for _ in fixtures.rglob("*.input.*"))


if __name__ == "__main__":
    sys.exit(main(__doc__, RULES, cases, others))
