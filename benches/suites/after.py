#!/usr/bin/env python3
"""What the suites expect, put through gander's own checks: every file that a tool of others wrote.

    benches/suites/after.py --node CLONE --react CLONE --django CLONE --piranha CLONE --scio CLONE

Each result that a suite expects is read; a statement is added at its end, so that syntax, comments
and idempotence of the whole file are checked as those of any edit; and the rules that we have for
it are run once more, and must change nothing. A file that is refused, or changed, is named.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

import django
import node
import piranha
import react
import suite

# What adds a statement: the kind of a whole file, and the statement.
ENDS = {
    "python": ("module", "checked()"),
    "javascript": ("program", "checked();"),
    "typescript": ("program", "checked();"),
    "tsx": ("program", "checked();"),
    "java": ("program", "class Checked {}"),
    "kotlin": ("source_file", "class Checked"),
    "go": ("source_file", "type Checked int"),
    "scala": ("compilation_unit", "class Checked"),
}


def rules():
    made = []
    for language, (kind, code) in ENDS.items():
        made.append(
            f"""rule("checked/{language}").lang("{language}").find(kind("{kind}"))
    .when(|m| !m.node.children.is_empty() && !m.node.text.contains("hecked"))
    .edit(|m, cx| edits([insert_after(m.node.children[m.node.children.len - 1], code("{code}"))]));"""
        )
    return "\n".join(made)


def results(options):
    """Suite, rules, name of the file, and what is expected of it."""
    for name, module in (("node", node), ("react", react)):
        clone = getattr(options, name)
        if clone:
            for file in sorted(module.RULES.rglob("*.rhai")):
                for case in module.cases(clone, file):
                    yield name, file, case.file, case.after
    if options.django:
        for tests in sorted((options.django / "tests" / "fixers").glob("test_*.py")):
            file = django.RULES / f"{tests.stem.removeprefix('test_')}.rhai"
            for case in django.cases_of(tests):
                yield "django", file, case.path, case.after
    if options.piranha:
        resources = options.piranha / "crates" / "core" / "test-resources"
        for folder, file, _ in piranha.CASES:
            for name, _, after in piranha.pairs(resources / folder) if file else ():
                if after is not None:
                    yield "piranha", suite.ROOT / "rules" / file, pathlib.Path(name).name, after
    if options.scio:
        for file in sorted((options.scio / "scalafix").glob("output-*/**/*.scala")):
            yield "scio", None, file.name, file.read_text()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("node", "react", "django", "piranha", "scio"):
        parser.add_argument(f"--{name}", type=pathlib.Path)
    parser.add_argument("--gander", default=suite.ROOT / "target" / "debug" / "gander", type=pathlib.Path)
    options = parser.parse_args()
    files, checked, refused = collections.Counter(), collections.Counter(), collections.Counter()
    again = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        checks = pathlib.Path(folder) / "checked.rhai"
        checks.write_text(rules())
        for number, (name, file, path, text) in enumerate(results(options)):
            root = pathlib.Path(folder) / name / f"{number:04}"
            place = root / path
            place.parent.mkdir(parents=True)
            place.write_text(text)
            files[name] += 1
            if file is not None and file.exists():
                again[name, file].append(root)
        for (name, file), places in again.items():
            done = apply(options, file, *places)
            for line in done.splitlines():
                if line.startswith(("refused: ", "error: ", "diff ")):
                    refused[name] += 1
                    print(file.name, line)
        for name in files:
            done = apply(options, checks, pathlib.Path(folder) / name)
            for line in done.splitlines():
                if line.startswith(("refused: ", "error: ")):
                    refused[name] += 1
                    print(line)
                if found := re.search(r"(\d+) would change", line):
                    checked[name] += int(found[1])
    print(f"{'':10} files checked refused or changed")
    for name, count in files.items():
        print(f"{name:10} {count:5} {checked[name]:7} {refused[name]:18}")
    return 1 if refused.total() else 0


def apply(options, file, *folders):
    command = [options.gander, "apply", file, *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
