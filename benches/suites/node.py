#!/usr/bin/env python3
"""Runs the rules in rules/javascript/node over the recipes of nodejs/userland-migrations.

    benches/suites/node.py CLONE [--gander PROGRAM] [--half seen|held] [--show]

CLONE is a checkout of nodejs/userland-migrations. Nothing of it is kept: each recipe's
inputs are copied to a folder of their own, edited by `gander apply`, and compared with
what is expected: byte by byte, and as the trees that `gander tree` shows. Every second
case, in the order of names, is the half that the rules were not written by.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "rules" / "javascript" / "node"


def cases_of(recipe):
    for folder in sorted((recipe / "tests").iterdir()):
        for given in sorted(folder.glob("input.*")):
            expected = folder / given.name.replace("input", "expected")
            if expected.exists():
                yield folder.name, given, expected


def tree(gander, file):
    # `{ a: a }` and `a as a` bring what `{ a }` and `a` bring.
    text = re.sub(r"\b(\w+)(: | as )\1\b", r"\1", file.read_text())
    with tempfile.NamedTemporaryFile("w", suffix=file.suffix) as copy:
        copy.write(text)
        copy.flush()
        return shown(gander, copy.name)


def shown(gander, file):
    shown = subprocess.run([gander, "tree", file], capture_output=True, text=True, check=False)
    return shown.stdout if shown.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=pathlib.Path)
    parser.add_argument("--gander", default=ROOT / "target" / "debug" / "gander", type=pathlib.Path)
    parser.add_argument("--half", choices=["seen", "held"])
    parser.add_argument("--show", action="store_true", help="what differs")
    options = parser.parse_args()
    sums = collections.Counter()
    print(f"{'recipe':40} pairs exact equal wrong none | noop kept false")
    for recipe in sorted(p for p in (options.clone / "recipes").iterdir() if (p / "tests").is_dir()):
        cases = list(cases_of(recipe))
        if options.half:
            cases = cases[options.half == "held" :: 2]
        rules = RULES / f"{recipe.name}.rhai"
        if not rules.exists():
            sums["cases of other recipes"] += len(cases)
            continue
        row = run(options, rules, cases)
        sums.update(row)
        counts = [row[k] for k in ("pairs", "exact", "equal", "wrong", "none", "noop", "kept", "false")]
        print(f"{recipe.name:40} {'{:5} {:5} {:5} {:5} {:4} | {:4} {:4} {:5}'.format(*counts)}")
    for name, count in sums.items():
        print(f"{name}: {count}")
    return 1 if sums["wrong"] or sums["false"] else 0


def run(options, rules, cases):
    row = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        copies = []
        for number, (_, given, _) in enumerate(cases):
            copy = pathlib.Path(folder) / f"{number:03}{given.suffix}"
            copy.write_bytes(given.read_bytes())
            copies.append(copy)
        done = subprocess.run(
            [options.gander, "apply", rules, folder, "--write"], capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1, 3):
            sys.exit(f"{rules}: {done.stderr}")
        for (name, given, expected), copy in zip(cases, copies, strict=True):
            before, result, after = given.read_bytes(), copy.read_bytes(), expected.read_bytes()
            if before == after:
                kind = "kept" if result == before else "false"
                row["noop"] += 1
            else:
                row["pairs"] += 1
                kind = "wrong"
                if result == after:
                    kind = "exact"
                elif result == before:
                    kind = "none"
                elif tree(options.gander, copy) == tree(options.gander, expected):
                    kind = "equal"
            row[kind] += 1
            if options.show and kind in ("wrong", "false", "none"):
                print(f"--- {kind}: {rules.stem} {name}\n{before.decode()}\n--- gave\n{result.decode()}\n--- and not\n{after.decode()}")
        if options.show:
            print(done.stdout[-3000:], done.stderr[-3000:])
    return row


if __name__ == "__main__":
    sys.exit(main())
