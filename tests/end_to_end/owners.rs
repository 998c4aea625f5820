//! What owners do with what was pushed to them, and what becomes of it when their code
//! moves on.

use super::bench::{Bench, git, outcomes, reason};
use super::push::{branches, fleet, remote, tip};

pub(super) const OLD: &str = "rows = read_table(\"users_v1\")\n";
pub(super) const NEW: &str = "rows = read_table(\"users_v2\")\n";

/// The owner's own clone of a consumer, at this branch.
pub(super) fn owner(bench: &Bench, name: &str, branch: &str) -> std::path::PathBuf {
    let place = bench.root.join("owners").join(format!("{name}-{}", branch.replace('/', "-")));
    let url = remote(bench, name).display().to_string();
    git(&bench.root, &["clone", "-q", "-b", branch, &url, place.to_str().unwrap()]);
    place
}

pub(super) fn commit(place: &std::path::Path, path: &str, text: &str, arguments: &[&str]) {
    std::fs::write(place.join(path), text).unwrap();
    git(place, &["add", "-A"]);
    git(place, &[&["commit", "-q", "-m", "ours"], arguments].concat());
}

pub(super) fn pull(bench: &Bench, name: &str) {
    git(&bench.root.join("apps").join(name), &["pull", "-q", "origin", "main"]);
}

pub(super) fn state(bench: &Bench, name: &str) -> String {
    let ledger = bench.ledger();
    let rows = ledger["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["entity"].as_str().unwrap().ends_with(&format!("/{name}"))).unwrap();
    row["state"].as_str().unwrap().to_owned()
}

#[test]
fn what_owners_merge_stays_and_is_not_asked_for_again() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let branch = |name: &str| format!("origin/gander/small/{name}");
    // One merges and deletes the branch, one squashes and keeps it, one does nothing.
    let ant = owner(&bench, "ant", "main");
    commit(&ant, "more.txt", "more\n", &[]);
    git(&ant, &["merge", "-q", "--no-ff", "-m", "merged", &branch("ant")]);
    git(&ant, &["push", "-q", "origin", "main", ":gander/small/ant"]);
    let bee = owner(&bench, "bee", "main");
    git(&bee, &["merge", "-q", "--squash", &branch("bee")]);
    let message = git(&bee, &["log", "-1", "--format=%B", &branch("bee")]);
    git(&bee, &["commit", "-q", "-m", &format!("Squashed (#7)\n\n{message}")]);
    // And goes on in the same lines at once.
    commit(&bee, "job.py", "rows = read_table(\"users_v2\", 7)\n", &[]);
    git(&bee, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]).expect(0);
    let history = bench.gander(&["history"]).stdout;
    for name in ["ant", "bee"] {
        let line = format!("apps/{name}  its change is in ");
        assert!(history.contains(&line), "{name}:\n{history}");
        assert!(reason(&bench.ledger(), name).ends_with("; merged"), "{:#}", bench.ledger());
        assert_eq!(outcomes(&bench.ledger())[name], "changed");
        pull(&bench, name);
    }
    assert!(!history.contains("apps/cat  its change is in"), "{history}");
    assert!(reason(&bench.ledger(), "cat").ends_with("its owner has not merged it yet"), "{:#}", bench.ledger());
    // Their clones come after: nothing of it is made anew.
    bench.gander(&["run"]).expect(0);
    let after = bench.gander(&["history"]).stdout;
    assert!(!after.contains("supersede"), "{after}");
    assert!(outcomes(&bench.ledger()).values().all(|word| word == "changed"), "{:#}", bench.ledger());
    assert_eq!(tip(&bench, "ant"), None, "it is not pushed again");
}

#[test]
fn what_owners_edit_close_and_replace_is_seen_and_left_alone() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let (ant, bee) = (owner(&bench, "ant", "gander/small/ant"), owner(&bench, "bee", "gander/small/bee"));
    commit(&ant, "more.txt", "mine\n", &[]);
    git(&ant, &["push", "-q"]);
    git(&bee, &["checkout", "-q", "-B", "other", "origin/main"]);
    commit(&bee, "more.txt", "other\n", &[]);
    git(&bee, &["push", "-q", "-f", "origin", "other:gander/small/bee"]);
    git(&remote(&bench, "cat"), &["branch", "-D", "gander/small/cat"]);
    let before = ["ant", "bee", "cat"].map(|name| branches(&bench, name));
    bench.gander(&["run"]);
    let ledger = bench.ledger();
    assert_eq!(["ant", "bee", "cat"].map(|name| state(&bench, name)), ["edited", "replaced", "closed"]);
    for (name, why) in [("ant", "went on with"), ("bee", "holds something else"), ("cat", "was deleted")] {
        assert!(reason(&ledger, name).contains(why), "{}", reason(&ledger, name));
    }
    bench.gander(&["run"]).expect(1);
    bench.gander(&["status"]).expect(1);
    bench.gander(&["rollback", "--all"]);
    assert_eq!(["ant", "bee", "cat"].map(|name| branches(&bench, name)), before, "nothing of theirs is touched");
    // An amended commit is an edited one.
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let ant = owner(&bench, "ant", "gander/small/ant");
    std::fs::write(ant.join("job.py"), "rows = read_table(\"users_v2\", 1)\n").unwrap();
    git(&ant, &["commit", "-q", "-a", "--amend", "--no-edit"]);
    git(&ant, &["push", "-q", "-f"]);
    // So is one under other words.
    let cat = owner(&bench, "cat", "gander/small/cat");
    std::fs::write(cat.join("job.py"), "rows = read_table(\"users_v2\", 1)\n").unwrap();
    git(&cat, &["commit", "-q", "-a", "--amend", "-m", "our words"]);
    git(&cat, &["push", "-q", "-f"]);
    bench.gander(&["run"]);
    assert_eq!((state(&bench, "ant").as_str(), state(&bench, "cat").as_str()), ("edited", "edited"));
    assert!(reason(&bench.ledger(), "cat").contains("amended the commit"), "{:#}", bench.ledger());
    // Whoever wants it anew after closing it says so.
    git(&remote(&bench, "bee"), &["branch", "-D", "gander/small/bee"]);
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "bee"), "closed");
    bench.gander(&["retry", "bee"]).expect(0);
    bench.gander(&["run"]).expect(0);
    assert!(tip(&bench, "bee").is_some());
}

#[test]
fn a_consumer_that_leaves_stays_on_record_with_what_it_got() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    std::fs::rename(bench.root.join("apps/cat"), bench.root.join("gone")).unwrap();
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "cat"), "departed");
    assert!(
        reason(&bench.ledger(), "cat").contains("`gander rollback --consumer cat` takes it back"),
        "{:#}",
        bench.ledger()
    );
    bench.gander(&["rollback", "--consumer", "cat"]).expect(0);
    assert_eq!(tip(&bench, "cat"), None, "the branch of one that left is withdrawn, too");
    std::fs::rename(bench.root.join("gone"), bench.root.join("apps/cat")).unwrap();
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "cat"), "reverted");
}

#[test]
fn only_what_somebody_can_act_on_counts_as_open() {
    let bench = fleet("max_open = 1");
    bench.gander(&["run"]).expect(4);
    assert_eq!(["ant", "bee", "cat"].map(|name| tip(&bench, name).is_some()), [true, false, false]);
    let ant = owner(&bench, "ant", "main");
    git(&ant, &["merge", "-q", "origin/gander/small/ant"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]).expect(4);
    assert_eq!([tip(&bench, "bee").is_some(), tip(&bench, "cat").is_some()].iter().filter(|out| **out).count(), 1);
}

/// A consumer whose file is long enough for others to work in it, too.
pub(super) fn long(more: &str) -> (Bench, std::path::PathBuf, String) {
    let bench = fleet(more);
    let ant = owner(&bench, "ant", "main");
    let text = format!("import os\n\n\n\n{OLD}\n\n\nprint(rows)\n");
    commit(&ant, "job.py", &text, &[]);
    git(&ant, &["push", "-q"]);
    pull(&bench, "ant");
    bench.gander(&["run"]).expect(0);
    git(&ant, &["fetch", "-q"]);
    (bench, ant, text)
}

/// The same, merged by its owner.
pub(super) fn merged(more: &str) -> (Bench, std::path::PathBuf, String) {
    let (bench, ant, text) = long(more);
    git(&ant, &["merge", "-q", "--no-ff", "-m", "merged", "origin/gander/small/ant"]);
    git(&ant, &["push", "-q", "origin", "main", ":gander/small/ant"]);
    (bench, ant, text)
}

#[test]
fn what_was_merged_is_reverted_over_what_came_since() {
    let (bench, ant, text) = merged("");
    let now = text.replace("users_v1", "users_v2").replace("import os", "import sys");
    commit(&ant, "job.py", &now, &[]);
    git(&ant, &["push", "-q"]);
    bench.gander(&["run"]).expect(0);
    let dry = bench.gander(&["rollback", "--all", "--dry-run"]).expect(4).stdout;
    assert!(dry.contains("apps/ant  wave 1  it is merged: a revert is asked for"), "{dry}");
    assert!(dry.contains("apps/bee  wave 2  its branch is deleted"), "{dry}");
    let json = bench.gander(&["rollback", "--all", "--dry-run", "--json"]).expect(4).json();
    let (end, sets) = (&json["end"], &json["change_sets"]);
    assert_eq!((end["kind"].as_str(), end["waits"][0]["for"].as_str()), (Some("waiting"), Some("merge")), "{json:#}");
    assert_eq!(
        (sets[2]["workspace"].as_str(), sets[2]["waits"].as_str()),
        (Some("apps/ant"), Some("merge")),
        "{json:#}"
    );
    assert!(tip(&bench, "bee").is_some(), "nothing was done");
    let shown = bench.gander(&["show", "ant"]).expect(0).stdout;
    assert!(shown.contains("\n  merged      in ") && !shown.contains("\n  branch "), "{shown}");
    let there = remote(&bench, "ant");
    let back = "gander/small/ant.revert";
    // Somebody's branch of that name is left alone, and in the way.
    git(&there, &["branch", back, "main"]);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(5);
    assert!(reason(&bench.ledger(), "ant").contains("rename or delete it, then roll"), "{:#}", bench.ledger());
    git(&there, &["branch", "-D", back]);
    bench.gander(&["rollback", "--all"]).expect(4);
    assert_eq!((state(&bench, "ant").as_str(), state(&bench, "bee").as_str()), ("reverting", "reverted"));
    let shown = bench.gander(&["show", "ant"]).expect(0).stdout;
    assert!(shown.contains(&format!("\n  revert      {back} at ")), "{shown}");
    assert_eq!(git(&there, &["show", &format!("{back}:job.py")]), text.replace("import os", "import sys"));
    assert_eq!(git(&there, &["rev-parse", &format!("{back}^")]), git(&there, &["rev-parse", "main"]));
    assert!(reason(&bench.ledger(), "ant").contains("asked to merge the revert"), "{:#}", bench.ledger());
    let said = git(&there, &["log", "-1", "--format=%B", back]);
    assert!(said.contains("it was built and tested: green before and after"), "{said}");
    let ended = bench.gander(&["run", "--json"]).expect(4).json();
    assert_eq!(ended["end"]["waits"][0]["for"], "merge", "{:#}", ended["end"]);
    let journal = bench.gander(&["history"]).stdout;
    bench.gander(&["run"]).expect(4);
    assert_eq!(bench.gander(&["history"]).stdout, journal, "waiting leaves no trace");
    git(&ant, &["fetch", "-q"]);
    git(&ant, &["merge", "-q", &format!("origin/{back}")]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]).expect(3);
    assert_eq!(state(&bench, "ant"), "reverted");
}

#[test]
fn what_is_merged_a_second_time_is_taken_back_a_second_time() {
    let (bench, ant, _) = merged("");
    let there = remote(&bench, "ant");
    let main = || git(&there, &["show", "main:job.py"]);
    let take_back = || {
        bench.gander(&["rollback", "--all"]).expect(4);
        assert_eq!(state(&bench, "ant"), "reverting");
        git(&ant, &["fetch", "-q"]);
        git(&ant, &["merge", "-q", "--no-ff", "-m", "back", "origin/gander/small/ant.revert"]);
        git(&ant, &["push", "-q", "origin", "main", ":gander/small/ant.revert"]);
        bench.gander(&["run"]);
        assert_eq!(state(&bench, "ant"), "reverted");
        assert!(main().contains("users_v1"), "{}", main());
    };
    bench.gander(&["run"]).expect(0);
    take_back();
    // The same change has the same name; where it stands is about the second time.
    bench.gander(&["retry", "--wave", "1"]).expect(0);
    bench.gander(&["run"]).expect(0);
    assert!(tip(&bench, "ant").is_some(), "{:#}", bench.ledger());
    let shown = bench.gander(&["show", "ant"]).expect(0).stdout;
    assert!(!shown.contains("\n  merged "), "{shown}");
    git(&ant, &["fetch", "-q"]);
    git(&ant, &["merge", "-q", "--no-ff", "-m", "again", "origin/gander/small/ant"]);
    git(&ant, &["push", "-q", "origin", "main", ":gander/small/ant"]);
    bench.gander(&["run"]).expect(0);
    assert!(main().contains("users_v2"), "{}", main());
    take_back();
}

#[test]
fn later_commits_in_the_same_lines_are_shown_side_by_side() {
    let (bench, ant, text) = merged("");
    let now = text.replace("read_table(\"users_v1\")", "read_table(\"users_v2\", fresh=True)");
    commit(&ant, "job.py", &now, &[]);
    git(&ant, &["push", "-q"]);
    bench.gander(&["run"]).expect(0);
    let dry = bench.gander(&["rollback", "--consumer", "ant", "--dry-run"]).expect(5).stdout;
    assert!(dry.contains("CONFLICT  later commits changed the same lines of job.py"), "{dry}");
    bench.gander(&["rollback", "--consumer", "ant"]).expect(5);
    assert_eq!(state(&bench, "ant"), "revert-conflict");
    let folder = ".gander/small/change-sets/wave-1/ant/conflict";
    for (name, wanted) in [("before", &text), ("delivered", &text.replace("users_v1", "users_v2")), ("now", &now)] {
        assert_eq!(&bench.text(&format!("{folder}/job.py.{name}")), wanted);
    }
    assert_eq!(branches(&bench, "ant").len(), 1, "only main");
    // A file that is not there any more has no lines.
    git(&ant, &["mv", "job.py", "task.py"]);
    commit(&ant, "more.txt", "moved\n", &[]);
    git(&ant, &["push", "-q"]);
    let dry = bench.gander(&["rollback", "--consumer", "ant", "--dry-run"]).expect(5).stdout;
    assert!(dry.contains("CONFLICT  later commits moved or deleted job.py"), "{dry}");
}

/// The owner's clone of `main` with the branch merged into it; not pushed yet.
pub(super) fn merge(bench: &Bench, name: &str, arguments: &[&str]) -> std::path::PathBuf {
    let place = owner(bench, name, "main");
    git(&place, &[&["merge", "-q"], arguments, &[&format!("origin/gander/small/{name}")]].concat());
    place
}

#[test]
fn a_rollback_looks_first_at_what_owners_merged_since_the_last_run() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    // One merges, one squashes under a name of its own and deletes the branch.
    git(&merge(&bench, "ant", &["--no-ff", "-m", "merged"]), &["push", "-q", "origin", "main"]);
    let bee = merge(&bench, "bee", &["--squash"]);
    git(&bee, &["commit", "-q", "-m", "Read the new table"]);
    git(&bee, &["push", "-q", "origin", "main", ":gander/small/bee"]);
    let dry = bench.gander(&["rollback", "--all", "--dry-run"]).expect(4).stdout;
    for name in ["ant", "bee"] {
        let line = dry.lines().find(|line| line.contains(&format!("apps/{name}  "))).unwrap_or_default();
        assert!(line.ends_with("it is merged: a revert is asked for"), "{name}:\n{dry}");
    }
    bench.gander(&["rollback", "--all"]).expect(4);
    assert_eq!(["ant", "bee", "cat"].map(|name| state(&bench, name)), ["reverting", "reverting", "reverted"]);
    let said = bench.gander(&["status"]).expect(4).stdout;
    assert!(said.contains("it goes back (rolled back by hand): owners have to merge"), "{said}");
    for name in ["ant", "bee"] {
        assert_eq!(git(&remote(&bench, name), &["show", &format!("gander/small/{name}.revert:job.py")]), OLD);
    }
}

#[test]
fn what_turns_out_to_be_merged_after_it_was_taken_back_gets_a_revert() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let ant = merge(&bench, "ant", &["--no-ff", "-m", "merged"]);
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!((tip(&bench, "ant"), state(&bench, "ant").as_str()), (None, "reverted"));
    // The owner had merged it already, and pushes that now.
    git(&ant, &["push", "-q", "origin", "main"]);
    // Its wave was taken back, and it is on its way once more.
    bench.gander(&["run"]).expect(4);
    assert_eq!(state(&bench, "ant"), "reverting");
    assert_eq!(git(&remote(&bench, "ant"), &["show", "gander/small/ant.revert:job.py"]), OLD);
    // An owner who throws the revert away is not asked at every run.
    git(&remote(&bench, "ant"), &["branch", "-D", "gander/small/ant.revert"]);
    for _ in 0..2 {
        bench.gander(&["run"]);
        assert_eq!((branches(&bench, "ant").len(), state(&bench, "ant").as_str()), (1, "revert-conflict"));
        assert!(reason(&bench.ledger(), "ant").contains("`gander rollback --consumer` asks again"));
    }
    bench.gander(&["rollback", "--consumer", "ant"]).expect(4);
    assert_eq!((branches(&bench, "ant").len(), state(&bench, "ant").as_str()), (2, "reverting"));
}

#[test]
fn a_squash_under_another_name_is_a_merge_by_its_files() {
    let (bench, ant, text) = long("");
    git(&ant, &["merge", "-q", "--squash", "origin/gander/small/ant"]);
    git(&ant, &["commit", "-q", "-m", "Read the new table"]);
    commit(&ant, "job.py", &text.replace("users_v1", "users_v2").replace("import os", "import sys"), &[]);
    git(&ant, &["push", "-q", "origin", "main", ":gander/small/ant"]);
    bench.gander(&["run"]).expect(0);
    assert_eq!(outcomes(&bench.ledger())["ant"], "changed", "{}", reason(&bench.ledger(), "ant"));
    bench.gander(&["rollback", "--all"]).expect(4);
    let back = git(&remote(&bench, "ant"), &["show", "gander/small/ant.revert:job.py"]);
    assert_eq!(back, text.replace("import os", "import sys"));
}

#[test]
fn what_is_closed_first_and_merged_later_is_merged() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let ant = owner(&bench, "ant", "main");
    let theirs = tip(&bench, "ant").unwrap();
    git(&ant, &["push", "-q", "origin", ":gander/small/ant"]);
    bench.gander(&["run"]).expect(0);
    assert_eq!(state(&bench, "ant"), "closed");
    git(&ant, &["merge", "-q", "--no-ff", "-m", "merged", &theirs]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["rollback", "--all"]).expect(4);
    assert_eq!(state(&bench, "ant"), "reverting", "{:#}", bench.ledger());
    assert_eq!(git(&remote(&bench, "ant"), &["show", "gander/small/ant.revert:job.py"]), OLD);
}

#[test]
fn what_is_squashed_and_left_standing_or_gets_other_words_is_merged() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let (ant, bee) = (owner(&bench, "ant", "main"), owner(&bench, "bee", "gander/small/bee"));
    git(&ant, &["merge", "-q", "--squash", "origin/gander/small/ant"]);
    git(&ant, &["commit", "-q", "-m", "ours"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    git(&bee, &["commit", "-q", "--amend", "-m", "our words"]);
    git(&bee, &["push", "-q", "-f"]);
    bench.gander(&["run"]).expect(0);
    assert_eq!((state(&bench, "ant").as_str(), state(&bench, "bee").as_str()), ("healthy", "edited"));
    git(&bee, &["push", "-q", "origin", "HEAD:main", ":gander/small/bee"]);
    bench.gander(&["run"]).expect(0);
    assert!(reason(&bench.ledger(), "bee").ends_with("; merged"), "{:#}", bench.ledger());
    bench.gander(&["rollback", "--all"]).expect(4);
    for name in ["ant", "bee"] {
        assert_eq!(state(&bench, name), "reverting", "{:#}", bench.ledger());
        assert_eq!(git(&remote(&bench, name), &["show", &format!("gander/small/{name}.revert:job.py")]), OLD);
    }
}

#[test]
fn what_was_closed_and_comes_under_another_name_is_merged() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let ant = owner(&bench, "ant", "main");
    let theirs = tip(&bench, "ant").unwrap();
    git(&ant, &["push", "-q", "origin", ":gander/small/ant"]);
    bench.gander(&["run"]).expect(0);
    assert_eq!(state(&bench, "ant"), "closed");
    git(&ant, &["merge", "-q", "--squash", &theirs]);
    git(&ant, &["commit", "-q", "-m", "JIRA-1"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]).expect(0);
    assert_eq!(state(&bench, "ant"), "healthy", "{:#}", bench.ledger());
    bench.gander(&["rollback", "--all"]).expect(4);
    assert_eq!(git(&remote(&bench, "ant"), &["show", "gander/small/ant.revert:job.py"]), OLD);
}

#[test]
fn a_branch_that_comes_after_it_was_taken_back_is_taken_back_again() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let made = tip(&bench, "bee").unwrap();
    bench.gander(&["rollback", "--all"]).expect(0);
    git(&bench.root.join("apps/bee"), &["push", "-q", "origin", &format!("{made}:refs/heads/gander/small/bee")]);
    bench.gander(&["run"]);
    assert_eq!(tip(&bench, "bee"), None);
    assert_eq!(state(&bench, "bee"), "reverted");
}

#[test]
fn an_older_change_set_that_is_squashed_is_merged() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let ant = owner(&bench, "ant", "main");
    // They have the change set of before their own next commit, over which it is made anew.
    let old = tip(&bench, "ant").unwrap();
    let message = git(&ant, &["log", "-1", "--format=%B", &old]);
    commit(&ant, "second.py", OLD, &[]);
    git(&ant, &["push", "-q"]);
    bench.gander(&["run"]).expect(0);
    assert_ne!(tip(&bench, "ant").unwrap(), old);
    git(&ant, &["merge", "-q", "--squash", &old]);
    git(&ant, &["commit", "-q", "-m", &message]);
    git(&ant, &["push", "-q"]);
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "ant"), "healthy", "{:#}", bench.ledger());
    bench.gander(&["rollback", "--consumer", "ant"]);
    let there = remote(&bench, "ant");
    assert_eq!(git(&there, &["show", "gander/small/ant.revert:job.py"]), OLD);
    assert_eq!(tip(&bench, "ant"), None, "what was to take its place is withdrawn");
    // The same of one that was delivered again, and forgotten.
    let old = tip(&bench, "bee").unwrap();
    let bee = owner(&bench, "bee", "main");
    git(&bee, &["push", "-q", "origin", ":gander/small/bee"]);
    bench.gander(&["run"]);
    bench.gander(&["retry", "bee"]).expect(0);
    commit(&bee, "second.py", OLD, &[]);
    git(&bee, &["push", "-q"]);
    bench.gander(&["run"]);
    assert!(tip(&bench, "bee").is_some_and(|tip| tip != old), "{:#}", bench.ledger());
    git(&bee, &["merge", "-q", "--no-ff", "-m", "merged", &old]);
    git(&bee, &["push", "-q"]);
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "bee"), "healthy", "{:#}", bench.ledger());
}

#[test]
fn what_an_owner_takes_back_alone_is_seen_and_comes_again_where_that_is_asked_for() {
    let (bench, ant, text) = merged("");
    bench.gander(&["run"]).expect(0);
    assert_eq!(state(&bench, "ant"), "healthy");
    git(&ant, &["revert", "--no-edit", "-m", "1", "HEAD"]);
    commit(&ant, "job.py", &text.replace("import os", "import sys"), &[]);
    git(&ant, &["push", "-q"]);
    for arguments in [&["run"][..], &["run", "--replan"], &["run"]] {
        bench.gander(arguments);
        assert_eq!((state(&bench, "ant").as_str(), tip(&bench, "ant")), ("closed", None), "{arguments:?}");
    }
    assert!(reason(&bench.ledger(), "ant").contains("its owner took it back"), "{:#}", bench.ledger());
    bench.gander(&["retry", "ant"]).expect(0);
    for _ in 0..2 {
        bench.gander(&["run"]);
        assert!(tip(&bench, "ant").is_some(), "{:#}", bench.ledger());
        assert!(!bench.gander(&["show", "ant"]).expect(0).stdout.contains("\n  merged "), "not by the first time");
    }
    git(&ant, &["fetch", "-q"]);
    git(&ant, &["merge", "-q", "--no-ff", "-m", "again", "origin/gander/small/ant"]);
    git(&ant, &["push", "-q", "origin", "main", ":gander/small/ant"]);
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "ant"), "healthy", "{:#}", bench.ledger());
}

#[test]
fn what_the_world_does_not_tell_is_said_and_left_to_a_person() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    // One is squashed under other words with their own work in its lines.
    let bee = merge(&bench, "bee", &["--squash"]);
    git(&bee, &["rm", "-q", "--cached", "job.py"]);
    commit(&bee, "job.py", "rows = read_table(\"users_v2\", 7)\n", &[]);
    git(&bee, &["push", "-q", "origin", "main", ":gander/small/bee"]);
    let said = bench.gander(&["run"]).expect(7).stdout;
    assert!(said.contains("somebody has to look at bee: job.py is neither"), "{said}");
    let why = reason(&bench.ledger(), "bee").to_owned();
    assert!(why.contains("was deleted") && why.contains("job.py is neither as it was before"), "{why}");
    assert!(!why.contains("was not merged"), "{why}");
    assert!(why.contains("`gander exclude bee --reason …` leaves it as it is"), "{why}");
    // One is squashed after it was taken back: their own work, or the migration?
    let cat = merge(&bench, "cat", &["--squash"]);
    bench.gander(&["rollback", "--consumer", "cat"]).expect(0);
    git(&cat, &["commit", "-q", "-m", "ours"]);
    git(&cat, &["push", "-q"]);
    bench.gander(&["run"]);
    let why = reason(&bench.ledger(), "cat").to_owned();
    assert!(why.contains("all the same: it was merged after that, or is its owner's own work"), "{why}");
    assert_eq!((state(&bench, "cat").as_str(), branches(&bench, "cat").len()), ("reverted", 1), "nothing is done");
    let dry = bench.gander(&["rollback", "--all", "--dry-run"]).expect(5).stdout;
    assert!(dry.contains("apps/bee  wave 2  CONFLICT  job.py is neither"), "{dry}");
    assert!(dry.contains("CONFLICT  what was taken back is there all the same"), "{dry}");
    let said = bench.gander(&["rollback", "--consumer", "bee"]).expect(5).stderr;
    assert!(said.contains("neither as it was before"), "{said}");
    let last = git(&bee, &["rev-parse", "HEAD"]);
    assert!(said.contains(&format!("{} changed job.py last", last.trim())), "{said}");
    assert!(said.contains("`gander exclude bee --reason …`"), "{said}");
    bench.gander(&["rollback", "--all"]).expect(5);
    // A person says what it is.
    bench.gander(&["rollback", "--consumer", "cat"]);
    assert_eq!(state(&bench, "cat"), "reverting", "{:#}", bench.ledger());
    assert_eq!(git(&remote(&bench, "cat"), &["show", "gander/small/cat.revert:job.py"]), OLD);
}

#[test]
fn what_can_not_be_told_may_be_left_to_its_owner() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    // Squashed with work of their own in its lines; the branch stands.
    let bee = merge(&bench, "bee", &["--squash"]);
    commit(&bee, "job.py", "rows = read_table(\"users_v2\", 7)\n", &[]);
    git(&bee, &["push", "-q", "origin", "main"]);
    let before = (tip(&bench, "bee"), branches(&bench, "bee"));
    bench.gander(&["run"]);
    let said = bench.gander(&["rollback", "--consumer", "bee"]).expect(5).stderr;
    let made = before.0.clone().unwrap();
    assert!(said.contains(&made) && said.contains("delete the branch gander/small/bee"), "{said}");
    let shown = bench.gander(&["show", "bee"]).expect(0).stdout;
    assert!(shown.contains("next") && shown.contains("`gander exclude bee --reason …`"), "{shown}");
    bench.gander(&["exclude", "ant", "--reason", "not so"]).expect(2);
    bench.gander(&["exclude", "bee", "--reason", "they know"]).expect(0);
    for _ in 0..2 {
        bench.gander(&["run"]).expect(0);
        assert_eq!(state(&bench, "bee"), "closed");
        let why = reason(&bench.ledger(), "bee").to_owned();
        assert!(why.contains("left to its owner") && why.contains("excluded by") && why.contains("they know"), "{why}");
    }
    bench.gander(&["rollback", "--all"]).expect(5);
    assert_eq!((tip(&bench, "bee"), branches(&bench, "bee")), before, "nothing of it is touched");
    // Taken in again, it stands where it stood.
    bench.gander(&["retry", "bee"]).expect(0);
    bench.gander(&["run"]);
    assert_eq!((branches(&bench, "bee"), state(&bench, "bee").as_str()), (before.1, "delivered"));
    let why = reason(&bench.ledger(), "bee").to_owned();
    assert!(why.contains("job.py is neither") && !why.contains("excluded") && !why.contains("not merged"), "{why}");
}

#[test]
fn a_revert_that_would_turn_something_red_is_not_made_unasked() {
    let step = "test -s job.py && if test -e strict; then grep -q users_v2 job.py; fi";
    let (bench, ant, _) = merged("");
    bench.put("migration.toml", bench.text("migration.toml").replace("test -s job.py", step));
    bench.gander(&["run", "--replan"]).expect(0);
    // What they built on it needs it by now, in another file.
    commit(&ant, "strict", "", &[]);
    git(&ant, &["push", "-q"]);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(5);
    let why = reason(&bench.ledger(), "ant").to_owned();
    assert!(why.contains("turns something red") && why.contains("--untested"), "{why}");
    assert_eq!((branches(&bench, "ant").len(), state(&bench, "ant").as_str()), (1, "revert-conflict"));
    bench.gander(&["rollback", "--consumer", "ant", "--untested"]);
    assert_eq!(state(&bench, "ant"), "reverting");
    let said = git(&remote(&bench, "ant"), &["log", "-1", "--format=%B", "gander/small/ant.revert"]);
    assert!(said.contains("nobody asked for a test of it"), "{said}");
}
