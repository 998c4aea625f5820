//! Formatters of a migration: what they lay out, and that nothing else comes with it.

use super::bench::{Bench, outcomes, reason, tree};

const RULE: &str = "rule(\"m/call\").lang(\"rust\").find(\"old($A, $B)\")\n    \
    .replace(\"a_new_and_longer_name($A, $B, \\\"the default of the third\\\", \\\"the default of the fourth\\\")\")\n    \
    .example(\"fn f() { old(1, 2); }\", \"fn f() { a_new_and_longer_name(1, 2, \\\"the default of the third\\\", \\\"the default of the fourth\\\"); }\");\n";
const CODE: &str = "mod other;\nfn  kept( ) { }\npub fn f(first: u32, second: u32) -> u32 { old(first, second) }\n";
const LAID_OUT: &str = "mod other;\nfn  kept( ) { }\npub fn f(first: u32, second: u32) -> u32 {\n    \
    a_new_and_longer_name(\n        first,\n        second,\n        \"the default of the third\",\n        \
    \"the default of the fourth\",\n    )\n}\n";

fn bench(mode: &str, program: &str) -> Bench {
    let bench = Bench::new();
    let migration = format!(
        "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n[[consumers.from]]\nfolders = [\"apps/*\"]\n\
         [sandbox]\nmode = \"{mode}\"\n[[format]]\nname = \"rustfmt\"\nlanguages = [\"rust\"]\n\
         run = [\"{program}\", \"--edition\", \"2024\", \"{{files}}\"]\n\
         [[verify.step]]\nname = \"test\"\nrun = [\"true\"]\n[rollout]\nwaves = [\"100%\"]\n[deliver]\nhow = \"checkout\"\n"
    );
    bench.put("migration.toml", migration);
    bench.put("r.rhai", RULE);
    bench.put(".gitignore", ".gander\n");
    bench.put("apps/ant/src/lib.rs", CODE);
    bench.put("apps/ant/src/other.rs", "fn  other( ) { }\n");
    // What rustfmt can't read, away from what the rule looks for.
    bench.put("apps/bee/src/lib.rs", "fn f() { old(1, 2); }\nfn g() { let = ; }\n");
    bench.put("apps/cow/src/lib.rs", "fn  none( ) { }\n");
    bench.commit_all();
    bench
}

#[test]
fn what_changes_is_laid_out_and_nothing_else_is() {
    let bench = bench("namespaces", "rustfmt");
    let before = tree(&bench.root);
    let plan = bench.gander(&["plan"]).expect(0);
    assert!(plan.stderr.contains("`gander run` have `rustfmt` lay it out"), "{}", plan.stderr);
    assert_eq!(tree(&bench.root), before, "a plan writes nothing");
    bench.gander(&["run"]).expect(0);
    assert_eq!(bench.text("apps/ant/src/lib.rs"), LAID_OUT);
    assert_eq!(bench.text("apps/ant/src/other.rs"), "fn  other( ) { }\n");
    assert_eq!(bench.text("apps/cow/src/lib.rs"), "fn  none( ) { }\n");
    // Nobody's change is withheld over its looks; that it has them is said.
    assert!(bench.text("apps/bee/src/lib.rs").starts_with("fn f() { a_new_and_longer_name(1, 2, "));
    let shown = bench.gander(&["show", "bee"]).expect(0);
    assert!(shown.stdout.contains("`rustfmt` did not lay this out (exit code 1)"), "{}", shown.stdout);
    // A second run looks at what is there now, and has nothing to do.
    let after = tree(&bench.root.join("apps"));
    bench.gander(&["run"]).expect(0);
    assert_eq!(tree(&bench.root.join("apps")), after);
    // What was delivered is taken back to the byte.
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(bench.text("apps/ant/src/lib.rs"), CODE);
}

#[test]
fn a_formatter_of_the_consumers_own_is_fetched_first() {
    let bench = bench("namespaces", "tools/lay");
    let fetch = "[[verify.fetch]]\nname = \"tools\"\ncaches = [\"tools\"]\n\
                 run = [\"sh\", \"-c\", \"mkdir -p tools; cp lay tools/lay; chmod +x tools/lay\"]\n";
    let migration = bench.text("migration.toml").replace("languages =", "fetched = true\nlanguages =");
    bench.put("migration.toml", format!("{migration}{fetch}"));
    // It puts a blank into each call that it finds, on every line.
    bench.put("apps/ant/lay", "#!/bin/sh\nshift 2\nsed -i 's/(first/( first/g; s/kept/ kept/' \"$@\"\n");
    bench.commit_all();
    // Of the others the fetch step is red: they have no such file.
    bench.gander(&["run"]).expect(1);
    let text = bench.text("apps/ant/src/lib.rs");
    assert!(text.contains("a_new_and_longer_name( first, second,") && text.contains("fn  kept( )"), "{text}");
    let why = "what formatters need can't be fetched: step `tools`: exit code 1";
    assert!(reason(&bench.ledger(), "bee").contains(why), "{:?}", bench.ledger());
}

#[test]
fn a_formatter_that_is_not_there_is_an_error_of_each_consumer_that_changes() {
    let bench = bench("none", "no-such-formatter");
    let apps = tree(&bench.root.join("apps"));
    let ran = bench.gander(&["run"]).expect(1);
    let why = "the formatter `rustfmt` can't be run: `no-such-formatter` is not installed";
    assert!(ran.stdout.contains(why), "{}", ran.stdout);
    assert_eq!(tree(&bench.root.join("apps")), apps);
    let rows = outcomes(&bench.ledger());
    assert_eq!(rows.get("cow").map(String::as_str), Some("unchanged"), "{rows:?}");
}
