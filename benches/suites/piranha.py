#!/usr/bin/env python3
"""Runs rules/java, kotlin, go, python and swift on the feature flags that uber/piranha is tested by.

    benches/suites/piranha.py CLONE [--gander PROGRAM] [--half seen|held] [--show]

CLONE is a checkout of uber/piranha. Nothing of it is kept. A case is a folder of inputs, its
parameters are those of piranha's own tests, and each file that must change is a pair. Every second
case, in the order below, is the half that the rules were not written by.
"""
import argparse
import collections
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import suite
import trees

# What some of its tests write for a flag.
PLACEHOLDERS = {"on": "placeholder_true", "off": "placeholder_false"}
# The folder, the rules, and what the test substitutes.
CASES = [
    ("java/feature_flag_system_1/treated", "java/flags.rhai", {"treated": "true"}),
    ("java/feature_flag_system_1/control", "java/flags.rhai", {"treated": "false"}),
    ("java/feature_flag_system_2/treated", "java/flags.rhai", {"treated": "true"}),
    ("java/feature_flag_system_2/control", "java/flags.rhai", {"treated": "false"}),
    ("kt/feature_flag_system_1/treated", "kotlin/flags.rhai", {"treated": "true"}),
    ("kt/feature_flag_system_1/control", "kotlin/flags.rhai", {"treated": "false"}),
    ("kt/feature_flag_system_2/treated", "kotlin/flags.rhai", {"treated": "true"}),
    ("kt/feature_flag_system_2/control", "kotlin/flags.rhai", {"treated": "false"}),
    ("go/feature_flag/builtin_rules/boolean_expression_simplify", "go/flags.rhai", {"on": "true", "off": "false", "nothing": "nil"}),
    ("go/feature_flag/builtin_rules/statement_cleanup", "go/flags.rhai", {"on": "true", "off": "false"}),
    ("go/feature_flag/system_1/const_same_file", "go/flags.rhai", {"off": "staleFlag"}),
    ("python/delete_cleanup_str_in_list", "python/dependencies.rhai", {"gone": "dependency2", "old": "dependency1", "new": "dependency1_1"}),
    ("swift/cascade_file_delete", "swift/flags.rhai", {"key": "Premium-Icon"}),
    ("swift/cascade_file_delete_custom_global_tag", "swift/flags.rhai", {"key": "Premium-Icon"}),
    ("swift/cleanup_rules", "swift/flags.rhai", {"flag": "stale_flag_one", **PLACEHOLDERS}),
    ("swift/cleanup_with_derivatives", "swift/flags.rhai", PLACEHOLDERS),
    ("swift/leading_comma", "swift/flags.rhai", {"gone": "one"}),
    ("swift/post_processing_cleanup/clean_empty_switch_entry", "swift/flags.rhai", PLACEHOLDERS),
    ("swift/post_processing_cleanup/delete_statements_after_return", "swift/flags.rhai", PLACEHOLDERS),
    ("swift/variable_inline/adhoc_variable_inline", "swift/flags.rhai", PLACEHOLDERS),
    ("swift/variable_inline/constructor_variable_inline", "swift/flags.rhai", PLACEHOLDERS),
    ("swift/variable_inline/field_variable_inline", "swift/flags.rhai", PLACEHOLDERS),
    ("swift/variable_inline/local_variable_inline", "swift/flags.rhai", PLACEHOLDERS),
]
# Cases that only find: the folder, what is sought, and how often it is there.
FOUND = [
    ("typescript/structural_find/find_fors", 'kind("for_statement")', "", 3),
    ("typescript/structural_find/find_fors_within_functions", 'kind("for_statement")', '.inside(kind("function_declaration"))', 2),
    (
        "typescript/structural_find/find_fors_within_functions_not_within_whiles",
        'kind("for_statement")',
        '.inside(kind("function_declaration")).when(|m| m.node.enclosing("function_declaration").find_all(kind("while_statement")).is_empty())',
        1,
    ),
    ("tsx/structural_find/find_jsx_elements", 'kind("jsx_element")', "", 4),
    ("tsx/structural_find/find_props_identifiers_within_b_jsx_elements", "expr(\"props\")", '.inside("<b $$$>$$$</b>")', 2),
    ("go/structural_find/for_loop", 'kind("for_statement")', "", 4),
    ("go/structural_find/go_stmt_for_loop", 'kind("go_statement")', '.inside(kind("for_statement"))', 1),
    ("go/structural_find/expression_with_string_literal", '"$_.BoolValue($KEY)"', '.where(#{ KEY: literal("") })', 1),
]
CHANGES_MEANING = ["swift/post_processing_cleanup/clean_empty_switch_entry/SampleClass.swift"]
EMPTY_ELSE = re.compile(r"\s*\belse\s*\{\s*\}")
ALWAYS = {"flag": "STALE_FLAG", "namespace": "some_long_name"}


def text(path):
    return path.read_text() if path.exists() else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=pathlib.Path)
    parser.add_argument("--gander", default=suite.ROOT / "target" / "debug" / "gander", type=pathlib.Path)
    parser.add_argument("--half", choices=["seen", "held"])
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true", help="what differs")
    options = parser.parse_args()
    sums = collections.Counter()
    print(f"{'':58} pairs exact equal wrong none | noop kept false apart")
    halves = {None: slice(None), "seen": slice(0, None, 2), "held": slice(1, None, 2)}
    for folder, rules, parameters in CASES[halves[options.half]]:
        if options.only not in folder:
            continue
        row = run(options, folder, rules, {**ALWAYS, **parameters})
        sums.update(row)
        print(suite.line(folder, row, 58))
    print(suite.line("all", sums, 58))
    if not options.half and not options.only:
        found = sum(finds(options, *case) for case in FOUND)
        print(f"cases that only find: {found} of {len(FOUND)} as often as expected")
    return 1 if sums["wrong"] or sums["false"] else 0


def finds(options, folder, sought, conditions, times):
    """Whether a rule finds what a case seeks as often as it is there."""
    language = {"typescript": "typescript", "tsx": "tsx", "go": "go"}[folder.split("/")[0]]
    base = options.clone / "crates" / "core" / "test-resources" / folder / "input"
    with tempfile.NamedTemporaryFile("w", suffix=".rhai") as rules:
        rules.write(f'rule("found").lang("{language}").find({sought}){conditions}.edit(|m, cx| skip("found"));')
        rules.flush()
        command = [options.gander, "apply", rules.name, base, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    count = done.stdout.count('"rule":"found"')
    if count != times or options.show:
        print(f"{folder}: {count} found, {times} there {done.stderr[:500]}")
    return count == times


def pairs(base):
    names = {p.relative_to(base / side) for side in ("input", "expected") for p in (base / side).rglob("*") if p.is_file()}
    return [(str(n), text(base / "input" / n), text(base / "expected" / n)) for n in sorted(names)]


def run(options, folder, rules, parameters):
    row = collections.Counter()
    resources = options.clone / "crates" / "core" / "test-resources"
    base = resources / folder
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(base / "input", copy, dirs_exist_ok=True)
        given = [f"--param={name}={value}" for name, value in parameters.items()]
        command = [options.gander, "apply", suite.ROOT / "rules" / rules, copy, "--write", *given]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1, 3):
            sys.exit(f"{folder}: {done.stderr}")
        for name, before, after in pairs(base):
            result = text(pathlib.Path(copy) / name)
            kind = judge(options.gander, folder, name, before, after, result)
            row["noop" if before == after else "pairs"] += 1
            row[kind] += 1
            if options.show and kind not in ("kept", "exact", "equal"):
                print(f"--- {kind}: {folder}/{name}")
                if result is not None and after is not None:
                    compare(result, after)
        if options.show:
            print(done.stdout[-2000:], done.stderr[-2000:])
    return row


def compare(result, after):
    with tempfile.NamedTemporaryFile("w") as a, tempfile.NamedTemporaryFile("w") as b:
        a.write(result), b.write(after), a.flush(), b.flush()
        shown = subprocess.run(["diff", "-wB", a.name, b.name], capture_output=True, text=True, check=False)
    print(shown.stdout)


def judge(gander, folder, name, before, after, result):
    if before == after:
        return "kept" if result == before else "false"
    if result == after:
        return "exact"
    if result is not None and after is not None and trees.tree(gander, name, result) == trees.tree(gander, name, after) is not None:
        return "equal"
    if result == before:
        return "none"
    if result is None and not after.strip():
        # Piranha's test asks it to keep files that it has emptied.
        return "equal"
    if result is None or after is None:
        return "wrong"
    # Piranha removes a case that has nothing left to do, so that a `default` is run for it.
    if "/".join([folder, name]) in CHANGES_MEANING and "break" in result:
        return "apart"
    # Piranha leaves an `else` behind that has nothing in it.
    bare = EMPTY_ELSE.sub("", after)
    return "apart" if bare != after and trees.tree(gander, name, result) == trees.tree(gander, name, bare) else "wrong"


if __name__ == "__main__":
    sys.exit(main())
