//! A plan is that of a first run, whatever is remembered, and reads what is new to it only.
#![expect(clippy::disallowed_methods, reason = "a test damages files")]

use proptest::prelude::*;

use super::fleet::{World, json};
use crate::config::Partial;
use crate::index::Index;

/// A plan from what is remembered in `folder`, and how many files were read. It is that
/// of a run that remembers nothing.
#[track_caller]
fn again(world: &World, folder: &tempfile::TempDir, script: &str) -> (String, usize) {
    let index = Index::open(folder.path(), &[]);
    let answers = index.answers();
    let (plan, read) = world.plan_with(script, Partial::Withhold, 2, (Some(&index), Some(&answers)));
    index.save(|_| true).unwrap();
    answers.save(true).unwrap();
    let plan = json(&plan);
    assert_eq!(plan, json(&world.plan(script, Partial::Withhold, 1)), "{script}");
    (plan, read)
}

fn text(line: &str, n: usize) -> Vec<u8> {
    format!("{line}\n{}", "# something else\n".repeat(50 + n)).into_bytes()
}

fn world(lines: &[&str]) -> World {
    let files: Vec<(String, Vec<u8>)> =
        lines.iter().enumerate().map(|(n, line)| (format!("d{}/f{n}.py", n % 3), text(line, n))).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    World::new(&[&files, &files[..files.len() / 2]])
}

fn rename(id: &str, from: &str, to: &str) -> String {
    format!("rule(\"{id}\").lang(\"python\").find(\"{from}($A)\").replace(\"{to}($A)\");\n")
}

#[test]
fn an_edited_rule_reads_the_files_that_it_can_touch_or_could() {
    let lines: Vec<&str> =
        (0..60).map(|n| ["alpha(1)", "beta(1)", "gamma(1)", "none(1)", "none(1)", "none(1)"][n % 6]).collect();
    let (world, folder) = (world(&lines), tempfile::tempdir().unwrap());
    let (alpha, gamma) = (rename("a", "alpha", "new_alpha"), rename("c", "gamma", "new_gamma"));
    let rules = |beta: &str| format!("{alpha}{beta}{gamma}");
    let first = rules(&rename("b", "beta", "new_beta"));
    assert_eq!(again(&world, &folder, &first).1, 90, "all 60, and the half of them that is in both workspaces");
    assert_eq!(again(&world, &folder, &first).1, 0, "the same rules");
    let edited = rules(&rename("b", "beta", "newer_beta"));
    assert_eq!(again(&world, &folder, &edited).1, 15, "the files with `beta` in them");
    assert_eq!(again(&world, &folder, &first).1, 0, "taken back");
    let wider = rules("rule(\"b\").lang(\"python\").find(any([\"beta($A)\", \"none($A)\"])).replace(\"f($A)\");\n");
    assert_eq!(again(&world, &folder, &wider).1, 60, "what it finds now, besides");
    assert_eq!(
        again(&world, &folder, &rename("a", "alpha", "new_alpha")).1,
        0,
        "rules that are gone leave the rest as it was"
    );
    let only_paths = rules("rule(\"b\").lang(\"python\").find(\"beta($A)\").replace(\"g($A)\").paths(\"d0/**\");\n");
    assert_eq!(again(&world, &folder, &only_paths).1, 0, "beta is in d1 only: no rule is for those files");
}

#[test]
fn rules_that_meet_in_a_result_are_looked_at_together() {
    let (world, folder) = (world(&["alpha(1)", "other(1)"]), tempfile::tempdir().unwrap());
    let first = rename("a", "alpha", "beta");
    assert!(again(&world, &folder, &first).0.contains("\"changed\""));
    let both = format!("{first}{}", rename("b", "beta", "gamma"));
    assert!(again(&world, &folder, &both).0.contains("a second run would change the result again"));
    assert!(again(&world, &folder, &first).0.contains("\"changed\""));
}

#[test]
fn small_files_are_read_and_known_again() {
    let files: Vec<(String, Vec<u8>)> =
        (0..6).map(|n| (format!("f{n}.py"), format!("alpha({n})\n").into_bytes())).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let (world, folder) = (World::new(&[&files]), tempfile::tempdir().unwrap());
    for turn in 0..3 {
        assert_eq!(again(&world, &folder, &rename("a", "alpha", "beta")).1, 6, "{turn}");
    }
    again(&world, &folder, &rename("a", "alpha", "gamma"));
}

#[test]
fn damaged_answers_are_none() {
    let (world, folder) = (world(&["alpha(1)", "beta(1)"]), tempfile::tempdir().unwrap());
    let script = rename("a", "alpha", "new_alpha");
    again(&world, &folder, &script);
    let named = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "answers");
    let path = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).find(named).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for at in [0, 5, 20, 60, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        for bytes in [&whole[..at], &changed] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(again(&world, &folder, &script).1, 2, "at {at}: it is looked at anew");
        }
    }
}

/// Rules that hit, miss, forbid and meet each other's results.
fn pool() -> impl Strategy<Value = String> {
    let word = || prop::sample::select(vec!["alpha", "beta", "gamma", "delta", "f"]);
    let rule = (word(), word(), 0..8_usize).prop_map(|(from, to, kind)| {
        let head = format!("rule(\"{from}{kind}\").lang(\"python\").find(\"{from}($A)\")");
        match kind {
            0 => format!("{head}.annotate(\"look at {to}\");\n"),
            1 => format!("{head}.refuse(\"{to}\");\n"),
            2 => format!("{head}.when(|m| m.A.text == \"1\").replace(\"{to}($A)\");\n"),
            3 => format!("{head}.rewrite(|m, cx| if cx.path.contains(\"d1\") {{ skip(\"{to}\") }} else {{ code(\"{to}(2)\") }});\n"),
            4 => format!("{head}.file_has(\"{to}\").replace(\"{to}($A)\");\n"),
            5 => format!("{head}.paths(\"d0/**\").replace(\"{to}($A)\");\n"),
            6 => format!("{head}.inside(\"{to}($$$)\").replace(\"h($A)\");\n"),
            _ => format!("{head}.replace(\"{to}($A)\");\n"),
        }
    });
    prop::collection::btree_map(0..5_usize, rule, 1..4).prop_filter_map("ids are unique", |rules| {
        let rules: std::collections::BTreeSet<String> = rules.into_values().collect();
        let ids: std::collections::BTreeSet<&str> = rules.iter().filter_map(|rule| rule.split('"').nth(1)).collect();
        (ids.len() == rules.len()).then(|| rules.iter().map(String::as_str).collect::<String>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever rules came before: the plan is that of a first run.
    #[test]
    fn whatever_was_remembered_the_plan_is_the_same(
        scripts in prop::collection::vec(pool(), 2..7),
        lines in prop::collection::vec(prop::sample::select(vec![
            "alpha(1)", "beta(alpha(1))", "gamma(2)", "delta(f(1))", "alpha(1); beta(2)", "f(1)", "x = 1", "def broken(",
        ]), 3..9),
    ) {
        let (world, folder) = (world(&lines), tempfile::tempdir().unwrap());
        for script in &scripts {
            again(&world, &folder, script);
        }
    }
}
