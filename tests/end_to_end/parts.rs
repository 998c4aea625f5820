//! Owners who merge a part of a change set, or of its revert: nothing of it is forgotten, and nothing of theirs lost.

use super::bench::{Bench, git, reason};
use super::owners::{NEW, OLD, commit, merge, owner, pull, state};
use super::push::{branches, fleet, remote, tip};
use super::returns::job;

/// Gives a consumer a second file that the rules change.
fn with_more(bench: &Bench, name: &str) {
    let place = bench.root.join("apps").join(name);
    commit(&place, "more.py", OLD, &[]);
    git(&place, &["push", "-q", "origin", "main"]);
}

#[test]
fn half_of_a_change_set_under_other_words_is_neither_withdrawn_nor_made_anew() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let place = merge(&bench, "ant", &["--squash"]);
    std::fs::write(place.join("job.py"), "rows = list(read_table(\"users_v2\"))\n").unwrap();
    git(&place, &["commit", "-q", "-a", "-m", "users v2 (#3)"]);
    git(&place, &["push", "-q", "origin", "main"]);
    let made = tip(&bench, "ant");
    for _ in 0..2 {
        bench.gander(&["run"]);
        assert_eq!(tip(&bench, "ant"), made, "{:#}", bench.ledger());
        let why = reason(&bench.ledger(), "ant").to_owned();
        assert!(why.contains("job.py is neither as it was before"), "{why}");
    }
    let dry = bench.gander(&["rollback", "--consumer", "ant", "--dry-run"]).expect(5).stdout;
    assert_eq!(dry.matches("apps/ant  ").count(), 1, "{dry}");
    assert!(reason(&bench.ledger(), "ant").contains("it counts as open until its branch gander/small/ant is deleted"));
    bench.gander(&["rollback", "--consumer", "ant"]).expect(5);
    bench.gander(&["rollback", "--all"]).expect(5);
    assert_eq!(tip(&bench, "ant"), made, "nobody can tell: it stays");
}

#[test]
fn a_rollback_leaves_a_branch_of_which_its_owner_has_a_part() {
    let bench = fleet("");
    ["ant", "bee", "cat"].into_iter().for_each(|name| with_more(&bench, name));
    bench.gander(&["run"]).expect(0);
    let made = ["ant", "bee", "cat"].map(|name| tip(&bench, name));
    // One takes one file of two, one both with lines of their own, one works in one of the lines.
    let own = "rows = list(read_table(\"users_v2\"))\n";
    for (name, job, more) in [("ant", NEW, OLD), ("bee", NEW, own), ("cat", "rows = []\n", OLD)] {
        let place = owner(&bench, name, "main");
        std::fs::write(place.join("job.py"), job).unwrap();
        commit(&place, "more.py", more, &[]);
        git(&place, &["push", "-q", "origin", "main"]);
    }
    // Nothing has looked since.
    let dry = bench.gander(&["rollback", "--all", "--dry-run"]).expect(5).stdout;
    for name in ["ant", "bee", "cat"] {
        assert_eq!(dry.matches(&format!("apps/{name}  ")).count(), 1, "{dry}");
    }
    bench.gander(&["rollback", "--consumer", "ant"]).expect(5);
    bench.gander(&["rollback", "--all"]).expect(5);
    let now = ["ant", "bee", "cat"].map(|name| tip(&bench, name));
    assert_eq!(now, [made[0].clone(), made[1].clone(), None], "{:#}", bench.ledger());
    assert_eq!(["ant", "bee", "cat"].map(|name| state(&bench, name)), ["delivered", "delivered", "reverted"]);
    let why = reason(&bench.ledger(), "ant").to_owned();
    assert!(why.contains("may have merged a part of it"), "{why}");
    // Once they have taken that back, it can be told.
    let ant = owner(&bench, "ant", "gander/small/ant");
    git(&ant, &["checkout", "-q", "main"]);
    commit(&ant, "job.py", OLD, &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(0);
    assert_eq!((tip(&bench, "ant"), state(&bench, "ant")), (None, "reverted".to_owned()));
}

#[test]
fn a_rollback_that_was_begun_leaves_a_branch_of_which_its_owner_has_a_part() {
    let bench = fleet("");
    with_more(&bench, "ant");
    bench.gander(&["run"]).expect(0);
    let made = tip(&bench, "ant");
    let away = bench.root.join("away");
    std::fs::rename(remote(&bench, "ant"), &away).unwrap();
    bench.gander(&["rollback", "--consumer", "ant"]).expect(4);
    std::fs::rename(&away, remote(&bench, "ant")).unwrap();
    let ant = owner(&bench, "ant", "main");
    commit(&ant, "job.py", NEW, &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    for arguments in [["rollback", "--all"].as_slice(), &["run"]] {
        bench.gander(arguments);
        assert_eq!((tip(&bench, "ant"), state(&bench, "ant")), (made.clone(), "reverting".to_owned()));
        assert!(reason(&bench.ledger(), "ant").contains("may have merged a part of it"), "{:#}", bench.ledger());
    }
    // All of it is told apart from a part, and so is nothing.
    commit(&ant, "job.py", OLD, &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]);
    assert_eq!((tip(&bench, "ant"), state(&bench, "ant")), (None, "reverted".to_owned()));
}

#[test]
fn a_part_of_a_revert_is_not_taken_for_all_of_it() {
    let bench = fleet("");
    ["ant", "bee"].into_iter().for_each(|name| with_more(&bench, name));
    bench.gander(&["run"]).expect(0);
    let places = ["ant", "bee"].map(|name| {
        let place = merge(&bench, name, &["--no-ff", "-m", "merged"]);
        git(&place, &["push", "-q", "origin", "main", &format!(":gander/small/{name}")]);
        place
    });
    bench.gander(&["rollback", "--all"]).expect(4);
    // Both squash one file of it under its whole message, and one deletes the branch.
    let back = |name: &str| format!("gander/small/{name}.revert");
    for (name, place) in ["ant", "bee"].into_iter().zip(&places) {
        git(place, &["fetch", "-q"]);
        let message = git(place, &["log", "-1", "--format=%B", &format!("origin/{}", back(name))]);
        commit(place, "job.py", OLD, &["-m", &message]);
        git(place, &["push", "-q", "origin", "main"]);
    }
    git(&places[1], &["push", "-q", "origin", &format!(":{}", back("bee"))]);
    let made = branches(&bench, "ant");
    for _ in 0..2 {
        bench.gander(&["run"]);
        assert_eq!(["ant", "bee"].map(|name| state(&bench, name)), ["reverting", "revert-conflict"]);
        for name in ["ant", "bee"] {
            let why = reason(&bench.ledger(), name).to_owned();
            assert!(why.contains("more.py is as gander left it"), "{why}");
        }
    }
    bench.gander(&["rollback", "--all"]).expect(5);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(4);
    assert_eq!(branches(&bench, "ant"), made, "the rest of it is still asked for");
    bench.gander(&["rollback", "--consumer", "bee"]).expect(4);
    for (name, place) in ["ant", "bee"].into_iter().zip(&places) {
        assert_eq!(git(&remote(&bench, name), &["show", &format!("{}:more.py", back(name))]), OLD);
        git(place, &["fetch", "-q"]);
        git(place, &["merge", "-q", "--no-ff", "-m", "back", &format!("origin/{}", back(name))]);
        git(place, &["push", "-q", "origin", "main"]);
    }
    bench.gander(&["run"]);
    assert_eq!(["ant", "bee"].map(|name| state(&bench, name)), ["reverted", "reverted"], "{:#}", bench.ledger());
    // Who brings a part of it back has that part.
    commit(&places[0], "more.py", NEW, &[]);
    git(&places[0], &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]);
    assert!(
        reason(&bench.ledger(), "ant").contains("more.py is as gander left it all the same"),
        "{:#}",
        bench.ledger()
    );
    bench.gander(&["rollback", "--consumer", "ant"]).expect(4);
    assert_eq!(state(&bench, "ant"), "reverting");
}

#[test]
fn a_place_that_a_squashed_revert_leaves_is_told() {
    let bench = fleet("");
    let between = "x = 1\n".repeat(20);
    let lines = |first: &str, last: &str| format!("{first}{between}{}", last.replace("rows", "last"));
    let ant = bench.root.join("apps/ant");
    commit(&ant, "job.py", &lines(OLD, OLD), &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]).expect(0);
    let ant = merge(&bench, "ant", &["--no-ff", "-m", "merged"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["rollback", "--all"]).expect(4);
    git(&ant, &["fetch", "-q"]);
    let message = git(&ant, &["log", "-1", "--format=%B", "origin/gander/small/ant.revert"]);
    commit(&ant, "job.py", &lines(OLD, NEW), &["-m", &message]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]);
    let row = bench.ledger();
    assert_eq!(state(&bench, "ant"), "reverting", "{row:#}");
    assert!(reason(&row, "ant").contains("job.py holds some of it"), "{row:#}");
}

#[test]
fn a_part_under_other_words_is_not_forgotten_where_the_base_moves() {
    let bench = fleet("");
    with_more(&bench, "ant");
    bench.gander(&["run"]).expect(0);
    let made = tip(&bench, "ant");
    let ant = owner(&bench, "ant", "main");
    commit(&ant, "job.py", NEW, &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    pull(&bench, "ant");
    for _ in 0..2 {
        bench.gander(&["run"]);
        assert_eq!((tip(&bench, "ant"), state(&bench, "ant")), (made.clone(), "healthy".to_owned()));
        let why = reason(&bench.ledger(), "ant").to_owned();
        assert!(why.contains("may have merged a part of it"), "{why}");
    }
    bench.gander(&["rollback", "--all"]).expect(5);
    assert_eq!(job(&bench, "ant", "main"), NEW);
}

#[test]
fn a_part_with_other_words_in_its_lines_is_told_so() {
    let bench = fleet("");
    with_more(&bench, "ant");
    bench.gander(&["run"]).expect(0);
    let ant = owner(&bench, "ant", "main");
    std::fs::write(ant.join("more.py"), NEW).unwrap();
    commit(&ant, "job.py", "rows = read_table(\"users_v2\", 7)\n", &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]);
    let why = reason(&bench.ledger(), "ant").to_owned();
    assert!(why.contains("job.py is neither as it was before nor as gander left it"), "{why}");
}
