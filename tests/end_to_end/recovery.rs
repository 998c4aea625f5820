//! A state that is lost is rebuilt from what the world tells, and what it does not tell is said.

use super::bench::{git, outcomes, reason};
use super::corrections::mended;
use super::owners::{NEW, OLD, commit, merge, merged, owner, pull, state};
use super::push::{branches, fleet, remote, tip};

#[test]
fn a_lost_state_is_rebuilt_from_what_the_world_tells() {
    let (bench, _, _) = merged("");
    // One is merged, one stands, one holds something else by now.
    git(&bench.root.join("apps/cat"), &["push", "-q", "-f", "origin", "main:gander/small/cat"]);
    let bee = tip(&bench, "bee");
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    for name in ["ant", "bee", "cat"] {
        git(&bench.root.join("apps").join(name), &["branch", "-q", "-D", &format!("gander/small/{name}")]);
    }
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert!(said.contains("apps/ant  delivered: its change is in "), "{said}");
    assert!(said.contains("apps/bee  delivered: the branch gander/small/bee holds its change"), "{said}");
    assert!(said.contains("apps/cat  conflict: the branch gander/small/cat is not gander's any more"), "{said}");
    bench.gander(&["recover"]).expect(5);
    bench.gander(&["run"]);
    assert_eq!((tip(&bench, "ant"), tip(&bench, "bee")), (None, bee), "nothing is pushed again");
    assert_eq!(outcomes(&bench.ledger())["ant"], "changed");
    bench.gander(&["rollback", "--consumer", "bee"]).expect(0);
    assert_eq!(tip(&bench, "bee"), None);
}

#[test]
fn after_a_recovery_nothing_of_an_owner_is_deleted() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    // One goes on with the branch, one amends its commit and keeps the message.
    let (ant, bee) = (owner(&bench, "ant", "gander/small/ant"), owner(&bench, "bee", "gander/small/bee"));
    commit(&ant, "more.txt", "mine\n", &[]);
    git(&ant, &["push", "-q"]);
    std::fs::write(bee.join("job.py"), "rows = read_table(\"users_v2\", 1)\n").unwrap();
    git(&bee, &["commit", "-q", "-a", "--amend", "--no-edit"]);
    git(&bee, &["push", "-q", "-f"]);
    let theirs = ["ant", "bee"].map(|name| branches(&bench, name));
    // An empty file is a lost state, too: nothing is begun anew over it.
    std::fs::write(bench.root.join(".gander/small/state.db"), "").unwrap();
    let refused = bench.gander(&["run"]).expect(5).stderr;
    assert!(refused.contains("gander recover") && refused.contains("move the folder away"), "{refused}");
    std::fs::remove_file(bench.root.join(".gander/small/state.db")).unwrap();
    bench.gander(&["run"]).expect(5);
    std::fs::write(bench.root.join(".gander/small/state.db"), "").unwrap();
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert!(said.contains("apps/ant  conflict: ") && said.contains("apps/bee  edited: "), "{said}");
    assert!(said.contains("apps/cat  delivered: "), "{said}");
    let dry = bench.gander(&["rollback", "--all", "--dry-run"]).expect(5).stdout;
    assert_eq!(dry.matches("is not what gander made").count(), 2, "{dry}");
    bench.gander(&["rollback", "--all"]).expect(5);
    assert_eq!(["ant", "bee"].map(|name| branches(&bench, name)), theirs, "nothing of theirs is touched");
    assert_eq!(tip(&bench, "cat"), None);
}

#[test]
fn a_lost_state_knows_what_was_squashed_by_its_files() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let ant = owner(&bench, "ant", "main");
    git(&ant, &["merge", "-q", "--squash", "origin/gander/small/ant"]);
    git(&ant, &["commit", "-q", "-m", "mine"]);
    git(&ant, &["push", "-q", "origin", "main", ":gander/small/ant"]);
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert!(said.contains("apps/ant  delivered: its files are in "), "{said}");
    bench.gander(&["run"]);
    assert_eq!(tip(&bench, "ant"), None, "it is not pushed again");
    bench.gander(&["rollback", "--all"]).expect(4);
    assert_eq!(git(&remote(&bench, "ant"), &["show", "gander/small/ant.revert:job.py"]), OLD);
    // Taken back after it was squashed under other words: nothing but the revert names it.
    git(&ant, &["fetch", "-q"]);
    git(&ant, &["merge", "-q", "--no-ff", "-m", "back", "origin/gander/small/ant.revert"]);
    git(&ant, &["push", "-q", "origin", "main", ":gander/small/ant.revert"]);
    pull(&bench, "ant");
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert!(
        said.contains("apps/ant  rolled-back: ") && said.contains("what takes it back is in the history"),
        "{said}"
    );
    bench.gander(&["run"]);
    assert_eq!(
        (tip(&bench, "ant"), state(&bench, "ant").as_str()),
        (None, "reverted"),
        "it does not come again unasked"
    );
    // Squashed once more after that, under other words again.
    commit(&ant, "job.py", NEW, &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert!(said.contains("apps/ant  delivered: its change is in "), "{said}");
    bench.gander(&["rollback", "--consumer", "ant"]).expect(4);
}

#[test]
fn a_lost_state_is_rebuilt_from_commits_where_the_rules_find_nothing_any_more() {
    // One is merged and pulled; one has a correction over it; one was taken back again.
    let (bench, ant, text) = merged("");
    bench.gander(&["run"]).expect(0);
    let cat = merge(&bench, "cat", &["--no-ff", "-m", "merged"]);
    git(&cat, &["push", "-q", "origin", "main", ":gander/small/cat"]);
    bench.gander(&["run"]).expect(0);
    bench.gander(&["rollback", "--consumer", "cat"]);
    git(&cat, &["fetch", "-q"]);
    git(&cat, &["merge", "-q", "--no-ff", "-m", "back", "origin/gander/small/cat.revert"]);
    git(&cat, &["push", "-q", "origin", "main", ":gander/small/cat.revert"]);
    let bee = merge(&bench, "bee", &["--no-ff", "-m", "merged"]);
    git(&bee, &["push", "-q", "origin", "main", ":gander/small/bee"]);
    bench.gander(&["run"]);
    commit(&ant, "job.py", &text.replace("users_v1", "users_v2").replace("import os", "import sys"), &[]);
    git(&ant, &["push", "-q"]);
    for name in ["ant", "bee", "cat"] {
        pull(&bench, name);
    }
    mended(&bench);
    bench.gander(&["exclude", "cat", "--reason", "no more"]);
    bench.gander(&["correct"]);
    let open: Vec<_> = ["ant", "bee"].iter().map(|name| branches(&bench, name)).collect();
    assert!(open.iter().all(|one| one.iter().any(|(name, _)| name.ends_with("-2"))), "{open:?}");
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    git(&remote(&bench, "ant"), &["branch", "-q", "-D", "gander/small/ant-2"]);
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert!(said.contains("apps/ant  delivered: its change is in "), "{said}");
    assert!(said.contains("apps/bee  delivered: the branch gander/small/bee-2 holds its change"), "{said}");
    assert!(said.contains("apps/cat  rolled-back: its change is in ") && said.contains("what takes it back"), "{said}");
    let before: Vec<_> = ["ant", "bee", "cat"].iter().map(|name| branches(&bench, name)).collect();
    // One was taken back: a person says that all else goes on.
    bench.gander(&["run"]).expect(7);
    bench.gander(&["resume"]).expect(0);
    bench.gander(&["run"]);
    let after: Vec<_> = ["ant", "bee", "cat"].iter().map(|name| branches(&bench, name)).collect();
    assert_eq!(after, before, "nothing is made again: {:#}", bench.ledger());
    let history = bench.gander(&["history"]).stdout;
    assert!(!history.contains("supersede"), "{history}");
    assert_eq!(outcomes(&bench.ledger())["ant"], "changed", "{:#}", bench.ledger());
    assert!(reason(&bench.ledger(), "ant").contains("green before and after"), "{:#}", bench.ledger());
    bench.gander(&["rollback", "--all"]);
    let there = remote(&bench, "ant");
    assert_eq!(git(&there, &["show", "gander/small/ant.revert:job.py"]), text.replace("import os", "import sys"));
    let names: Vec<String> = branches(&bench, "bee").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["gander/small/bee-2.revert", "main"]);
    assert_eq!(git(&remote(&bench, "bee"), &["show", "gander/small/bee-2.revert:job.py"]), OLD);
}

#[test]
fn what_a_rollback_withdrew_before_the_state_was_lost_does_not_come_again_unasked() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let owners = ["ant", "bee"].map(|name| merge(&bench, name, &["--no-ff", "-m", "merged"]));
    for owner in &owners {
        git(owner, &["push", "-q", "origin", "main"]);
    }
    bench.gander(&["rollback", "--all"]).expect(4);
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    let said = bench.gander(&["recover"]).expect(0).stdout;
    let paused =
        "Paused: a rollback was under way, or over, when the state was lost (apps/ant is rolling-back, and 1 more)";
    assert!(said.contains(paused) && said.contains("`gander resume`"), "{said}");
    let said = bench.gander(&["run"]).expect(7).stdout;
    assert!(!said.contains("nothing of it is out") && said.contains("a rollback was under way"), "{said}");
    assert_eq!(tip(&bench, "cat"), None, "it was withdrawn");
    let held = "to be verified: the rollout is paused";
    assert!(reason(&bench.ledger(), "cat").contains(held), "{:#}", bench.ledger());
    bench.gander(&["resume"]).expect(0);
    // What is merged stands there until its owner takes the revert.
    let said = bench.gander(&["run"]).expect(4).stdout;
    assert!(said.contains("1 × on the way back, by reverts that owners have to merge"), "{said}");
}

#[test]
fn a_lost_state_knows_what_was_squashed_by_its_name_whatever_its_title_says() {
    let bench = fleet("");
    bench.put(
        "migration.toml",
        bench.text("migration.toml").replace("rules =", "guide = \"https://example.org/v2\"\nrules ="),
    );
    bench.gander(&["run"]).expect(0);
    let ant = owner(&bench, "ant", "main");
    let message = git(&ant, &["log", "-1", "--format=%b", "origin/gander/small/ant"]);
    git(&ant, &["merge", "-q", "--squash", "origin/gander/small/ant"]);
    git(&ant, &["commit", "-q", "-m", &format!("Read users_v2 (#12)\n\n{message}")]);
    git(&ant, &["push", "-q", "origin", "main", ":gander/small/ant"]);
    pull(&bench, "ant");
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert!(said.contains("apps/ant  delivered: its change is in "), "{said}");
    bench.gander(&["rollback", "--all"]).expect(4);
    assert_eq!(git(&remote(&bench, "ant"), &["show", "gander/small/ant.revert:job.py"]), OLD);
}

#[test]
fn a_recovery_that_can_not_see_all_is_not_done() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    git(&merge(&bench, "bee", &["--no-ff", "-m", "merged"]), &["push", "-q", "origin", "main", ":gander/small/bee"]);
    pull(&bench, "bee");
    let (there, gone) = (remote(&bench, "bee"), bench.root.join("remotes/gone"));
    std::fs::rename(&there, &gone).unwrap();
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    let said = bench.gander(&["recover"]).expect(4).stdout;
    assert!(said.contains("apps/bee  unknown: ") && said.contains("1 change set can't be told"), "{said}");
    assert!(bench.gander(&["run"]).expect(5).stderr.contains("could not see all of it"));
    let said = bench.gander(&["status"]).expect(4).stdout;
    assert!(said.contains("`gander recover` begins it again") && !said.contains("`gander run` goes on"), "{said}");
    assert!(!said.contains("roll it back"), "{said}");
    std::fs::rename(&gone, &there).unwrap();
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert!(said.contains("apps/bee  delivered: its change is in "), "{said}");
    // What is out and sound is no error before it has a verdict again.
    let said = bench.gander(&["status"]).expect(4).stdout;
    assert!(!said.contains("roll it back") && !said.contains("errored"), "{said}");
    assert!(reason(&bench.ledger(), "bee").contains("as it was found after the state was lost"), "{said}");
    bench.gander(&["run"]).expect(0);
    assert_eq!(outcomes(&bench.ledger())["bee"], "changed");
}

#[test]
fn a_consumer_that_is_gone_for_good_may_be_left_out_of_a_recovery() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let before = ["ant", "cat"].map(|name| tip(&bench, name));
    std::fs::remove_dir_all(remote(&bench, "bee")).unwrap();
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    bench.gander(&["recover"]).expect(4);
    let exclude = "[[consumers.exclude]]\nconsumer = \"bee\"\nreason = \"it is gone\"\nuntil = 2999-01-01\n";
    bench.put("migration.toml", format!("{}{exclude}", bench.text("migration.toml")));
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert!(said.contains("apps/ant  delivered: ") && !said.contains("apps/bee"), "{said}");
    bench.gander(&["run"]).expect(0);
    assert_eq!(
        ["ant", "cat"].map(|name| (tip(&bench, name), state(&bench, name))),
        before.map(|tip| (tip, "healthy".to_owned()))
    );
}

#[test]
fn a_state_that_is_an_older_copy_is_told() {
    // The copy is of the time before one was made anew, or before it was out at all.
    for only in [None, Some("ant")] {
        let bench = fleet("");
        let state = bench.root.join(".gander/small/state.db");
        bench.gander(&[&["run"][..], &only.map_or(vec![], |name| vec!["--only", name])].concat());
        let copy = std::fs::read(&state).unwrap();
        bench.gander(&["run"]).expect(0);
        let cat = owner(&bench, "cat", "main");
        for name in ["more.py", "most.py"].iter().take(if only.is_some() { 1 } else { 2 }) {
            commit(&cat, name, OLD, &[]);
            git(&cat, &["push", "-q"]);
            bench.gander(&["run"]).expect(0);
        }
        let made = tip(&bench, "cat");
        std::fs::write(&state, copy).unwrap();
        if only.is_some() {
            commit(&cat, "most.py", OLD, &[]);
            git(&cat, &["push", "-q"]);
        }
        for _ in 0..2 {
            let said = bench.gander(&["run"]).expect(7).stdout;
            assert!(said.contains("somebody has to look at cat: "), "{said}");
            assert!(said.contains("`gander recover` rebuilds it from what is out"), "{said}");
        }
        assert!(reason(&bench.ledger(), "cat").contains("an older copy"), "{:#}", bench.ledger());
        assert_eq!(tip(&bench, "cat"), made, "it is not touched");
        std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
        bench.gander(&["recover"]).expect(0);
        bench.gander(&["run"]).expect(0);
        assert!(outcomes(&bench.ledger()).values().all(|word| word == "changed"), "{only:?}: {:#}", bench.ledger());
    }
}
