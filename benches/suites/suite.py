"""What the runners of suites share: cases in a folder of their own, `gander apply`, the count."""
import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile

import trees

ROOT = pathlib.Path(__file__).resolve().parents[2]

Case = collections.namedtuple("Case", "name file before after")

# Cases that count apart: what is expected contradicts gander, or is no program.
APART = {
    "slow-buffer-to-buffer-alloc-unsafe-slow file-08": "declares Buffer and constants twice",
    "slow-buffer-to-buffer-alloc-unsafe-slow file-09-module": "imports Buffer twice",
    "slow-buffer-to-buffer-alloc-unsafe-slow file-12-module": "declares Buffer twice, and leaves SlowBuffer.allocUnsafeSlow",
}

COLUMNS = ("pairs", "exact", "equal", "wrong", "none", "noop", "kept", "false", "apart")


def main(doc, folder, cases, others):
    """Runs each rule file in a folder over its cases; `others` counts the cases of the whole suite."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=pathlib.Path)
    parser.add_argument("--gander", default=ROOT / "target" / "debug" / "gander", type=pathlib.Path)
    parser.add_argument("--half", choices=["seen", "held"])
    parser.add_argument("--only", default="", help="part of the name of a rule file")
    parser.add_argument("--show", action="store_true", help="what differs")
    options = parser.parse_args()
    sums, taken = collections.Counter(), 0
    print(f"{'':42} pairs exact equal wrong none | noop kept false apart")
    for rules in sorted(folder.rglob("*.rhai")):
        if options.only not in rules.stem:
            continue
        all_cases = list(cases(options.clone, rules))
        taken += len(all_cases)
        if options.half:
            all_cases = all_cases[options.half == "held" :: 2]
        row = run(options, rules, all_cases)
        sums.update(row)
        print(line(rules.stem, row))
    print(line("all", sums))
    print(f"cases of what has no rules: {others(options.clone) - taken}")
    return 1 if sums["wrong"] or sums["false"] else 0


def line(name, row, width=42):
    counts = [row[column] for column in COLUMNS]
    return f"{name:{width}} {'{:5} {:5} {:5} {:5} {:4} | {:4} {:4} {:5} {:5}'.format(*counts)}"


def run(options, rules, cases):
    row = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        copies = []
        for number, case in enumerate(cases):
            copy = pathlib.Path(folder) / f"{number:03}" / case.file
            copy.parent.mkdir()
            copy.write_text(case.before)
            copies.append(copy)
        command = [options.gander, "apply", rules, folder, "--write"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1, 3):
            sys.exit(f"{rules}: {done.stderr}")
        for case, copy in zip(cases, copies, strict=True):
            result = copy.read_text()
            kind = judge(options.gander, case, result)
            if f"{rules.stem} {case.name}" in APART and kind != "exact":
                row["apart"] += 1
                continue
            row["noop" if case.before == case.after else "pairs"] += 1
            row[kind] += 1
            if options.show and kind not in ("kept", "exact"):
                print(f"--- {kind}: {rules.stem} {case.name}\n{case.before}\n--- gave\n{result}\n--- and not\n{case.after}")
        if options.show:
            print(done.stdout[-3000:], done.stderr[-3000:])
    return row


def judge(gander, case, result):
    if case.before == case.after:
        return "kept" if result == case.before else "false"
    if result == case.after:
        return "exact"
    if result == case.before:
        return "none"
    given, wanted = (trees.tree(gander, case.file, text) for text in (result, case.after))
    return "equal" if given is not None and given == wanted else "wrong"
