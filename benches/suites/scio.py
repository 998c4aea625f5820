#!/usr/bin/env python3
"""Runs the rules in rules/scio over the pairs of Scio's own migrations.

    benches/suites/scio.py CLONE [--gander PROGRAM] [--half seen|held] [--show] [--only TEXT]

CLONE is a checkout of spotify/scio; nothing of it is kept. All inputs of one version are
copied to a folder of their own, since some speak of classes that others declare, and what
a case asks for is tried on that folder with `gander apply`. Results are compared byte by byte, and
as the trees that `gander tree` shows, with imports as a set and numbers by value. The
comment that names the rule, above an input, is no part of what is compared. Every second
pair, in the order of versions and names, is the half that the rules were not written by.

Every expected output then goes through gander as it is: it must read without an error, and
where a rule still edits it, the edit must pass the checks and leave nothing to do.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "rules" / "scio"

# Their rules, and ours.
FILES = {
    "AddMissingImports": "0.7/imports",
    "BQClientRefactoring": "0.7/bigquery_client",
    "FixAvroIO": "0.7/avro_io",
    "RewriteSysProp": "0.7/system_properties",
    "FixBigQueryDeprecations": "0.8/bigquery_tables",
    "FixContextClose": "0.8/context_close",
    "ConsistenceJoinNames": "0.8/join_names",
    "FixRunWithContext": "0.8/run_with_context",
    "FixScioIO": "0.8/scio_io",
    "FixSyntaxImports": "0.8/syntax_imports",
    "FixTensorflow": "0.8/tensorflow",
    "FixCoderPropagation": "0.10/coder_propagation",
    "FixBqSaveAsTable": "0.12/save_avro_as_bigquery",
    "FixPubsubSpecializations": "0.12/pubsub",
    "FixSkewedJoins": "0.13/skewed_joins",
    "FixTaps": "0.13/taps",
    "FixTfParameter": "0.13/tf_parameter",
    "FixAvroCoder": "0.14/avro_coder",
    "FixAvroSchemasPackage": "0.14/avro_schemas",
    "FixDynamicAvro": "0.14/dynamic_avro",
    "FixGenericAvro": "0.14/generic_avro",
    "FixLogicalTypeSupplier": "0.14/logical_types",
    "FixQuery": "0.14/query",
    "FixSMBCharSequenceKey": "0.14/smb_keys",
    "FixBigtableIO": "0.15/bigtable",
    "FixDatastoreIO": "0.15/datastore",
    "FixTensorflowProtoImports": "0.15/tensorflow_proto",
}

Case = collections.namedtuple("Case", "version name rule given expected")


def cases_of(clone):
    found = []
    for given in (clone / "scalafix").glob("input-*/src/main/scala/fix/*/*.scala"):
        version = given.parents[5].name.removeprefix("input-")
        expected = pathlib.Path(str(given).replace("input-", "output-", 1))
        rule = re.search(r"rule = (\w+)", given.read_text())[1]
        found.append(Case(version, given.stem, rule, given, expected))
    digits = lambda text: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", text)]
    return sorted(found, key=lambda case: (digits(case.version), digits(case.name)))


def body(text):
    """A file without the comment that names its rule."""
    return re.sub(r"\A\s*/\*\s*rule = .*?\*/\s*", "", text, count=1, flags=re.S).strip() + "\n"


def imports(text):
    """The lines that are no imports, and what the others bring."""
    rest, brought = [], set()
    for line in text.splitlines():
        found = re.match(r"import\s+(.+?)\s*$", line)
        if not found:
            rest.append(line)
            continue
        for path in re.split(r",(?![^{]*\})", found[1]):
            selectors = re.match(r"(.*)\.\{(.*)\}$", path.strip())
            names = selectors[2].split(",") if selectors else [""]
            for name in names:
                brought.add(f"{selectors[1]}.{' '.join(name.split())}" if selectors else path.strip())
    return "\n".join(rest), frozenset(brought)


def numbers(shown):
    def value(found):
        text = found[2].rstrip("dDfF")
        return f'{found[1]} "{float(text)!r}{"f" if found[2][-1] in "fF" else ""}"'

    return re.sub(r'(floating_point_literal) "([^"]+)"', value, shown)


def tree(gander, text):
    rest, brought = imports(body(text))
    done = subprocess.run(
        [gander, "tree", "--lang", "scala", "--all", "-"], input=rest, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        return None
    # Commas part elements of lists, and mean nothing else.
    lines = [line for line in done.stdout.splitlines() if line.strip() not in ('","', '";"') and not re.match(r"\s*(\w+: )?(block_)?comment\b", line)]
    return numbers("\n".join(lines)), brought


def read_cleanly(gander, text):
    done = subprocess.run(
        [gander, "tree", "--lang", "scala", "-"], input=text, capture_output=True, text=True, check=False
    )
    return done.returncode == 0 and "ERROR" not in done.stdout and "MISSING" not in done.stdout


def apply(options, rule, folder):
    rules = RULES / f"{FILES[rule]}.rhai"
    if not rules.exists():
        return "no rules\n"
    done = subprocess.run(
        [options.gander, "apply", rules, folder, "--write"], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1, 3):
        print(f"{rules}: {done.stderr}", file=sys.stderr)
    return done.stdout + done.stderr


def groups(cases):
    """Each rule, with its cases and all cases of its version."""
    for version, rule in dict.fromkeys((case.version, case.rule) for case in cases):
        beside = [case for case in cases if case.version == version]
        yield rule, [case for case in beside if case.rule == rule], beside


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=pathlib.Path)
    parser.add_argument("--gander", default=ROOT / "target" / "debug" / "gander", type=pathlib.Path)
    parser.add_argument("--half", choices=["seen", "held"])
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true", help="what differs")
    options = parser.parse_args()
    cases = cases_of(options.clone)
    half = {case: ("seen", "held")[number % 2] for number, case in enumerate(cases)}
    sums = collections.defaultdict(collections.Counter)
    print(f"{'version':8} {'case':28} {'half':5} result")
    for rule, own, beside in groups(cases):
        if not any(options.only in case.name for case in own):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for case in beside:
                (pathlib.Path(folder) / f"{case.name}.scala").write_text(case.given.read_text())
            said = apply(options, rule, folder)
            for case in own:
                if options.half not in (None, half[case]):
                    continue
                kind = judge(options, case, (pathlib.Path(folder) / f"{case.name}.scala").read_text())
                sums[half[case]][kind] += 1
                print(f"{case.version:8} {case.name:28} {half[case]:5} {kind}")
            if options.show:
                print(said)
    if options.only:
        return 0
    checks = after(options, cases)
    for which, counts in sorted(sums.items()):
        print(f"{which}: " + ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    total = sum(sums.values(), collections.Counter())
    print("all: " + ", ".join(f"{count} {kind}" for kind, count in sorted(total.items())))
    print(f"outputs: {checks['read']} of {len(cases)} read, {checks['refused']} refused, {checks['edited again']} edited")
    return 1 if total["wrong"] or total["false edit"] or checks["refused"] else 0


def judge(options, case, result):
    given, expected = case.given.read_text(), case.expected.read_text()
    if tree(options.gander, given) == tree(options.gander, expected):
        return "kept" if result == given else "false edit"
    kind = "wrong"
    if body(result) == body(expected):
        kind = "exact"
    elif result == given:
        kind = "not changed"
    elif tree(options.gander, result) == tree(options.gander, expected) is not None:
        kind = "equal"
    if options.show and kind not in ("exact", "equal"):
        print(f"--- {kind}: {case.name}\n{given}--- gave\n{result}--- and not\n{expected}")
    return kind


def after(options, cases):
    """Every expected output: does it read, and are the edits that it still gets accepted?"""
    counts = collections.Counter()
    for rule, own, beside in groups(cases):
        with tempfile.TemporaryDirectory() as folder:
            for case in beside:
                (pathlib.Path(folder) / f"{case.name}.scala").write_text(case.expected.read_text())
            counts["read"] += sum(read_cleanly(options.gander, case.expected.read_text()) for case in own)
            said = apply(options, rule, folder)
            changed = {case for case in own if (pathlib.Path(folder) / f"{case.name}.scala").read_text() != case.expected.read_text()}
            counts["edited again"] += len(changed)
            counts["refused"] += sum(f"{case.name}.scala" in line for case in own for line in said.splitlines() if "refused" in line or "errored" in line)
            if options.show and changed:
                print("edited again:", *sorted(case.name for case in changed))
    return counts


if __name__ == "__main__":
    sys.exit(main())
