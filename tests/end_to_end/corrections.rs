//! What a mended rule makes of consumers that have merged what the wrong one made.

use super::bench::{Bench, git, outcomes, reason};
use super::owners::{OLD, commit, merged, pull};
use super::push::{branches, remote, tip};

#[test]
fn a_mended_rule_corrects_what_was_merged() {
    let (bench, _, text) = merged("");
    bench.gander(&["run"]).expect(0);
    // The name was wrong: the rule is mended, for those who have merged it, too.
    bench.put(
        "small.rhai",
        "rule(\"small/table\").lang(\"python\").find(\"read_table(\\\"users_v1\\\")\").replace(\"read_table(\\\"users_v3\\\")\");\n\
         rule(\"small/fix\").lang(\"python\").find(\"read_table(\\\"users_v2\\\")\").replace(\"read_table(\\\"users_v3\\\")\");\n",
    );
    pull(&bench, "ant");
    bench.put("old.toml", bench.text("migration.toml").replace("small.rhai", "old.rhai"));
    bench.put("old.rhai", "rule(\"small/table\").lang(\"python\").find(\"read_table(\\\"users_v1\\\")\").replace(\"read_table(\\\"users_v2\\\")\");\n");
    let altered = bench.gander(&["plan", "--diff", "old.toml", "migration.toml"]).expect(0).stdout;
    // What the code here holds already is run over what that was made of.
    assert!(altered.contains("# component:default/ant: changed, merged"), "{altered}");
    assert!(altered.contains("# component:default/bee: changed, delivered"), "{altered}");
    for line in ["-rows = read_table(\"users_v2\")", "+rows = read_table(\"users_v3\")"] {
        assert_eq!(altered.matches(line).count(), 3, "{altered}");
    }
    bench.gander(&["run"]).expect(5);
    bench.gander(&["correct"]).expect(0);
    let there = remote(&bench, "ant");
    let wanted = text.replace("users_v1", "users_v3");
    assert_eq!(git(&there, &["show", "gander/small/ant-2:job.py"]), wanted);
    assert_eq!(git(&there, &["rev-parse", "gander/small/ant-2^"]), git(&there, &["rev-parse", "main"]));
    let bee = git(&remote(&bench, "bee"), &["show", "gander/small/bee:job.py"]);
    assert_eq!(bee, OLD.replace("users_v1", "users_v3"), "what nobody has merged is replaced");
    assert!(outcomes(&bench.ledger()).values().all(|word| word == "changed"), "{:#}", bench.ledger());
    // It stays what it is, and both go back together.
    let made = branches(&bench, "ant");
    bench.gander(&["run"]).expect(0);
    assert_eq!(branches(&bench, "ant"), made);
    bench.gander(&["rollback", "--all"]).expect(4);
    let names: Vec<String> = branches(&bench, "ant").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["gander/small/ant-2.revert", "main"]);
    assert_eq!(git(&there, &["show", "gander/small/ant-2.revert:job.py"]), text);
    let said = git(&there, &["log", "-1", "--format=%an <%ae>%n%s", "gander/small/ant-2.revert"]);
    assert_eq!(said, "Goose <goose@example.org>\nTake back: Read users_v2\n");
}

/// The rule of the fleet, naming another table.
pub(super) fn mended(bench: &Bench) {
    let rule = bench.text("small.rhai").replace("users_v2", "users_v3");
    bench.put("small.rhai", rule);
}

#[test]
fn a_correction_is_made_over_what_is_there_now() {
    // Whether the clone is behind or at the merged commit; its owner went on beside it.
    for behind in [true, false] {
        let (bench, ant, text) = merged("");
        let now = text.replace("users_v1", "users_v2").replace("import os", "import sys");
        commit(&ant, "job.py", &now, &[]);
        git(&ant, &["push", "-q"]);
        if !behind {
            pull(&bench, "ant");
        }
        mended(&bench);
        // Who only takes the rule in hears that something else was merged.
        bench.gander(&["run", "--replan"]).expect(0);
        assert!(reason(&bench.ledger(), "ant").contains("`gander correct` makes a change set"), "{:#}", bench.ledger());
        bench.gander(&["correct"]).expect(0);
        let there = remote(&bench, "ant");
        let wanted = now.replace("users_v2", "users_v3");
        assert_eq!(git(&there, &["show", "gander/small/ant-2:job.py"]), wanted, "behind: {behind}");
        assert_eq!(git(&there, &["rev-parse", "gander/small/ant-2^"]), git(&there, &["rev-parse", "main"]));
        assert!(
            reason(&bench.ledger(), "ant").contains("it corrects what its owner has merged"),
            "{:#}",
            bench.ledger()
        );
        if behind {
            continue;
        }
        // Merged as well, both are one revert; what its owner did beside them stays.
        git(&ant, &["fetch", "-q"]);
        git(&ant, &["merge", "-q", "origin/gander/small/ant-2"]);
        git(&ant, &["push", "-q", "origin", "main"]);
        let again = bench.gander(&["correct"]).expect(0).stderr;
        assert!(again.contains("nothing more is to be corrected"), "{again}");
        bench.gander(&["rollback", "--all"]).expect(4);
        let wanted = text.replace("import os", "import sys");
        assert_eq!(git(&there, &["show", "gander/small/ant-2.revert:job.py"]), wanted);
    }
}

#[test]
fn what_was_laid_out_is_corrected_laid_out() {
    // A formatter that puts blanks into calls of one text, wherever they stand.
    let formatter = "[[format]]\nname = \"lay\"\nlanguages = [\"python\"]\n\
                     run = [\"sed\", \"-i\", 's/(\\(\"[^\"]*\"\\))/( \\1 )/', \"{files}\"]\n";
    let (bench, _, text) = merged(formatter);
    bench.gander(&["run"]).expect(0);
    let there = remote(&bench, "ant");
    let wanted = |version: &str| text.replace("read_table(\"users_v1\")", &format!("read_table( \"{version}\" )"));
    assert_eq!(git(&there, &["show", "main:job.py"]), wanted("users_v2"));
    // What was merged is what the rule and the formatter make: nothing is to be corrected.
    let said = bench.gander(&["correct"]).expect(0).stderr;
    assert!(said.contains("nothing more is to be corrected"), "{said}");
    mended(&bench);
    bench.gander(&["correct"]).expect(0);
    assert_eq!(git(&there, &["show", "gander/small/ant-2:job.py"]), wanted("users_v3"));
}

#[test]
fn what_can_not_be_corrected_is_said() {
    let (bench, ant, text) = merged("");
    let now = text.replace("read_table(\"users_v1\")", "read_table(\"users_v2\", fresh=True)");
    commit(&ant, "job.py", &now, &[]);
    git(&ant, &["push", "-q"]);
    mended(&bench);
    let ended = bench.gander(&["correct"]).expect(1);
    assert!(ended.stderr.contains("not corrected: component:default/ant: "), "{}", ended.stderr);
    assert!(reason(&bench.ledger(), "ant").contains("later commits changed the same lines of job.py"));
    // A person has to see to it, whichever command is asked.
    bench.gander(&["run"]).expect(1);
    bench.gander(&["status"]).expect(1);
    // Its owner mends it by hand: nothing is left to say.
    commit(&ant, "job.py", &text.replace("users_v1", "users_v3"), &[]);
    git(&ant, &["push", "-q"]);
    bench.gander(&["correct"]).expect(0);
    assert!(!reason(&bench.ledger(), "ant").contains("not corrected"), "{:#}", bench.ledger());
}

#[test]
fn a_correction_that_is_kept_back_goes_out_once_it_may() {
    for policy in ["approve", "hold"] {
        let (bench, _, text) = merged("");
        bench.gander(&["run"]).expect(0);
        let policies = format!("[policy]\nreview = \"{policy}\"\n[deliver]");
        bench.put("migration.toml", bench.text("migration.toml").replace("[deliver]", &policies));
        let rule = bench.text("small.rhai").replace("users_v2", "users_v3");
        bench.put("small.rhai", rule.replace(".lang(\"python\")", ".lang(\"python\").safety(\"review\")"));
        let said = bench.gander(&["correct"]).stderr;
        assert!(said.contains("not corrected: component:default/ant: "), "{said}");
        let there = remote(&bench, "ant");
        assert_eq!(branches(&bench, "ant").len(), 1, "{policy}: {:#}", bench.ledger());
        let why = reason(&bench.ledger(), "ant").to_owned();
        if policy == "approve" {
            assert!(why.contains("its correction waits for approval") && why.contains("gander approve"), "{why}");
            assert!(bench.text(".gander/small/change-sets/held/ant/change.patch").contains("users_v3"));
            bench.gander(&["run"]);
            assert_eq!(branches(&bench, "ant").len(), 1, "not by itself");
            for _ in 0..2 {
                bench.gander(&["correct"]).expect(4);
                assert_eq!(reason(&bench.ledger(), "ant"), why, "it waits on");
            }
            bench.gander(&["approve", "ant"]).expect(0);
            // One that nobody has merged is withdrawn, and waits as any other.
            assert_eq!((tip(&bench, "bee"), outcomes(&bench.ledger())["bee"].as_str()), (None, "pending"));
            bench.gander(&["approve", "bee"]).expect(0);
            bench.gander(&["run"]).expect(4);
            assert!(tip(&bench, "bee").is_some(), "{:#}", bench.ledger());
        } else {
            assert!(why.contains("not corrected: held"), "{why}");
            bench.gander(&["approve", "ant"]).expect(2);
            bench.put(
                "migration.toml",
                bench.text("migration.toml").replace("review = \"hold\"", "review = \"deliver\""),
            );
            bench.gander(&["correct"]).expect(0);
        }
        let wanted = text.replace("users_v1", "users_v3");
        assert_eq!(git(&there, &["show", "gander/small/ant-2:job.py"]), wanted, "{policy}");
        bench.gander(&["rollback", "--consumer", "ant"]);
        assert_eq!(git(&there, &["show", "gander/small/ant-2.revert:job.py"]), text, "both go back: {policy}");
    }
}

#[test]
fn who_leaves_with_a_correction_thrown_away_keeps_what_was_merged_on_record() {
    let (bench, _, _) = merged("");
    bench.gander(&["run"]).expect(0);
    mended(&bench);
    pull(&bench, "ant");
    let rule = bench.text("small.rhai");
    bench.put(
        "small.rhai",
        format!("{rule}{}", rule.replace("small/table", "small/fix").replace("users_v1", "users_v2")),
    );
    bench.gander(&["correct"]);
    git(&remote(&bench, "ant"), &["branch", "-D", "gander/small/ant-2"]);
    bench.gander(&["run"]);
    std::fs::rename(bench.root.join("apps/ant"), bench.root.join("gone")).unwrap();
    bench.gander(&["run"]);
    let dry = bench.gander(&["rollback", "--all", "--dry-run"]).stdout;
    assert!(dry.contains("apps/ant  "), "{dry}");
}

#[test]
fn a_correction_that_its_owner_wants_not_is_said_each_time_and_made_once_they_do() {
    let (bench, ant, _) = merged("");
    bench.gander(&["run"]).expect(0);
    commit(&ant, ".gander-opt-out", "we are out\n", &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    mended(&bench);
    for _ in 0..2 {
        let said = bench.gander(&["correct"]).expect(1).stderr;
        assert!(said.contains("not corrected: it opts out: we are out"), "{said}");
    }
    git(&ant, &["rm", "-q", ".gander-opt-out"]);
    git(&ant, &["commit", "-q", "-m", "we stay"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["correct"]).expect(0);
    assert!(branches(&bench, "ant").iter().any(|(name, _)| name == "gander/small/ant-2"), "{:#}", bench.ledger());
}
