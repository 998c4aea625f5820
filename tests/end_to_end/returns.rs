//! What owners put back, restore or take back in their own way after gander has looked, and
//! what is said where gander can't look.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;

use super::bench::{Bench, git, outcomes, reason};
use super::owners::{NEW, OLD, commit, merge, owner, state};
use super::push::{branches, fleet, hook, remote, tip};

/// The file of a consumer on a branch of its remote.
pub(super) fn job(bench: &Bench, name: &str, branch: &str) -> String {
    git(&remote(bench, name), &["show", &format!("{branch}:job.py")])
}

#[test]
fn what_lands_on_the_branch_that_a_clone_was_made_of_is_seen_there() {
    let bench = fleet("");
    for name in ["ant", "bee", "cat"] {
        let place = bench.root.join("apps").join(name);
        git(&place, &["checkout", "-q", "-b", "develop"]);
        commit(&place, "dev.txt", "dev\n", &[]);
        git(&place, &["push", "-q", "origin", "develop"]);
        // As a clone of gander's own of `…/tree/develop` lies there.
        git(&place, &["checkout", "-q", "--detach"]);
        git(&place, &["branch", "-q", "-D", "develop"]);
        git(&place, &["config", "gander.revision", "develop"]);
    }
    bench.gander(&["run"]).expect(0);
    // One merges, one squashes under words of its own.
    let [ant, bee] = ["ant", "bee"].map(|name| owner(&bench, name, "develop"));
    git(&ant, &["merge", "-q", "--no-ff", "-m", "merged", "origin/gander/small/ant"]);
    git(&ant, &["push", "-q", "origin", "develop", ":gander/small/ant"]);
    git(&bee, &["merge", "-q", "--squash", "origin/gander/small/bee"]);
    git(&bee, &["commit", "-q", "-m", "ours"]);
    git(&bee, &["push", "-q", "origin", "develop", ":gander/small/bee"]);
    bench.gander(&["run"]).expect(0);
    assert_eq!(["ant", "bee"].map(|name| state(&bench, name)), ["healthy", "healthy"], "{:#}", bench.ledger());
    bench.gander(&["rollback", "--all"]).expect(4);
    assert_eq!(tip(&bench, "cat"), None);
    for name in ["ant", "bee"] {
        let back = format!("gander/small/{name}.revert");
        assert_eq!(job(&bench, name, &back), OLD);
        let there = remote(&bench, name);
        assert_eq!(git(&there, &["rev-parse", &format!("{back}^")]), git(&there, &["rev-parse", "develop"]));
        let place = if name == "ant" { &ant } else { &bee };
        git(place, &["fetch", "-q"]);
        git(place, &["merge", "-q", &format!("origin/{back}")]);
        git(place, &["push", "-q", "origin", "develop"]);
    }
    bench.gander(&["run"]).expect(3);
    assert_eq!(["ant", "bee"].map(|name| state(&bench, name)), ["reverted", "reverted"]);
}

#[test]
fn a_remote_whose_head_names_no_branch_is_seen_by_the_branch_of_its_clone() {
    let bench = fleet("");
    git(&remote(&bench, "ant"), &["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    bench.gander(&["run"]).expect(0);
    let ant = owner(&bench, "ant", "main");
    git(&ant, &["merge", "-q", "--no-ff", "-m", "merged", "origin/gander/small/ant"]);
    git(&ant, &["push", "-q", "origin", "main", ":gander/small/ant"]);
    let said = bench.gander(&["run"]).expect(0).stderr;
    assert!(!said.contains("can't be seen"), "{said}");
    bench.gander(&["rollback", "--consumer", "ant"]).expect(4);
    assert_eq!(job(&bench, "ant", "gander/small/ant.revert"), OLD);
}

#[test]
fn what_can_not_be_seen_is_not_said_to_be_back() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    git(&merge(&bench, "bee", &["--no-ff", "-m", "merged"]), &["push", "-q", "origin", "main", ":gander/small/bee"]);
    // One call of git fails, as a connection that breaks; the next one comes through.
    let (once, calls) = (bench.root.join("once"), "#!/bin/sh\ncase \" $* \" in *\" fetch \"*)");
    bench.put("once", "");
    let text = format!(
        "{calls} if rm {} 2> /dev/null; then echo 'fatal: Connection reset' >&2; exit 128; fi ;; esac\n\
         PATH=\"${{PATH#*:}}\" exec git \"$@\"\n",
        once.display()
    );
    bench.put("bin/git", text);
    let program = bench.root.join("bin/git");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut path = OsString::from(bench.root.join("bin"));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    bench.gander_with(&[("PATH", &path)], &["rollback", "--consumer", "bee"]).expect(4);
    assert!(!once.exists(), "nothing was fetched");
    assert_eq!(state(&bench, "bee"), "reverting");
    // It goes on by itself.
    bench.gander(&["run"]);
    assert_eq!(job(&bench, "bee", "gander/small/bee.revert"), OLD, "{:#}", bench.ledger());
}

#[test]
fn what_a_rollback_of_others_finds_begun_is_looked_at_first() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    // Squashed under other words; a file of that commit is lost at the remote, so that nobody can fetch it.
    let bee = merge(&bench, "bee", &["--squash"]);
    commit(&bee, "more.txt", "more\n", &[]);
    git(&bee, &["push", "-q", "origin", "main"]);
    let (there, made) = (remote(&bench, "bee"), tip(&bench, "bee"));
    let blob = git(&bee, &["rev-parse", "HEAD:more.txt"]);
    let blob = there.join("objects").join(&blob[..2]).join(blob[2..].trim());
    let kept = std::fs::read(&blob).unwrap();
    std::fs::remove_file(&blob).unwrap();
    let out = |what: &str| {
        assert_eq!((tip(&bench, "bee"), state(&bench, "bee").as_str()), (made.clone(), "reverting"), "{what}")
    };
    bench.gander(&["rollback", "--consumer", "bee"]).expect(4);
    out("asked for");
    bench.gander(&["rollback", "--consumer", "cat"]).expect(0);
    out("with another one");
    bench.gander(&["run"]).expect(4);
    out("by a run");
    std::fs::write(&blob, kept).unwrap();
    bench.gander(&["rollback", "--consumer", "cat"]).expect(0);
    assert_eq!(job(&bench, "bee", "gander/small/bee.revert"), OLD, "{:#}", bench.ledger());
}

#[test]
fn a_branch_that_its_owner_restores_is_out_again() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let made = ["bee", "cat"].map(|name| tip(&bench, name).unwrap());
    git(&remote(&bench, "bee"), &["branch", "-D", "gander/small/bee"]);
    git(&remote(&bench, "cat"), &["update-ref", "refs/heads/gander/small/cat", "main"]);
    bench.gander(&["run"]);
    assert_eq!(["bee", "cat"].map(|name| state(&bench, name)), ["closed", "replaced"]);
    for (name, commit) in ["bee", "cat"].into_iter().zip(&made) {
        let clone = bench.root.join("apps").join(name);
        git(&clone, &["push", "-q", "-f", "origin", &format!("{commit}:refs/heads/gander/small/{name}")]);
    }
    bench.gander(&["run"]).expect(0);
    assert_eq!(["bee", "cat"].map(|name| state(&bench, name)), ["healthy", "healthy"]);
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(["bee", "cat"].map(|name| tip(&bench, name)), [None, None]);
}

#[test]
fn a_revert_may_come_back_in_the_words_of_its_owner_and_be_taken_back_again() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let places = ["ant", "bee", "cat"].map(|name| {
        let place = merge(&bench, name, &["--no-ff", "-m", "merged"]);
        git(&place, &["push", "-q", "origin", "main", &format!(":gander/small/{name}")]);
        place
    });
    bench.gander(&["run"]).expect(0);
    bench.gander(&["rollback", "--all"]).expect(4);
    // One squashes the revert, one makes a revert of its own, one merges it.
    let back = |name: &str| format!("origin/gander/small/{name}.revert");
    places.iter().for_each(|place| drop(git(place, &["fetch", "-q"])));
    let [ant, bee, cat] = &places;
    git(ant, &["merge", "-q", "--squash", &back("ant")]);
    git(ant, &["commit", "-q", "-m", "undo (#9)"]);
    git(ant, &["push", "-q", "origin", "main", ":gander/small/ant.revert"]);
    git(bee, &["revert", "--no-edit", "-m", "1", "HEAD"]);
    git(bee, &["push", "-q", "origin", "main", ":gander/small/bee.revert"]);
    git(cat, &["merge", "-q", "--no-ff", "-m", "back", &back("cat")]);
    git(cat, &["push", "-q", "origin", "main", ":gander/small/cat.revert"]);
    bench.gander(&["run"]).expect(3);
    for name in ["ant", "bee", "cat"] {
        assert_eq!(state(&bench, name), "reverted", "{name}: {:#}", bench.ledger());
    }
    // Who takes that back in turn has the change again.
    git(cat, &["revert", "--no-edit", "-m", "1", "HEAD"]);
    git(cat, &["push", "-q", "origin", "main"]);
    assert_eq!(job(&bench, "cat", "main"), NEW);
    bench.gander(&["run"]);
    let why = reason(&bench.ledger(), "cat").to_owned();
    assert!(why.contains("all the same"), "{why}");
    let dry = bench.gander(&["rollback", "--consumer", "cat", "--dry-run"]).stdout;
    assert!(dry.contains("apps/cat  ") && dry.contains("a revert is asked for"), "{dry}");
    bench.gander(&["rollback", "--all"]).expect(5);
    bench.gander(&["rollback", "--consumer", "cat"]).expect(4);
    let made: Vec<String> = branches(&bench, "cat").into_iter().map(|(name, _)| name).collect();
    assert_eq!(made, ["gander/small/cat.revert", "main"]);
    assert_eq!(job(&bench, "cat", &made[0]), OLD);
    assert_eq!(outcomes(&bench.ledger())["cat"], "pending", "{:#}", bench.ledger());
    git(cat, &["fetch", "-q"]);
    git(cat, &["merge", "-q", "--no-ff", "-m", "back", &back("cat")]);
    git(cat, &["push", "-q", "origin", "main", ":gander/small/cat.revert"]);
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "cat"), "reverted");
}

#[test]
fn a_clone_in_which_somebody_works_is_not_collected() {
    let bench = fleet("");
    std::fs::remove_dir_all(bench.root.join("apps")).unwrap();
    let names = ["ant", "bee", "cat"];
    let list = |names: &[&str]| {
        let urls = names.iter().map(|name| format!("file://{}\n", remote(&bench, name).display()));
        bench.put("list.txt", urls.collect::<String>());
    };
    list(&names);
    let text = bench.text("migration.toml").replace("folders = [\"apps/*\"]", "repositories = \"list.txt\"");
    bench.put("migration.toml", text.replace("[code]", "[code]\nclone = true"));
    bench.gander(&["run"]).expect(0);
    bench.gander(&["rollback", "--all"]).expect(0);
    let clones = bench.root.join(".gander/small/clones");
    let clone = |name: &str| {
        let mut found = std::fs::read_dir(&clones).unwrap().map(|entry| entry.unwrap().path());
        found.find(|path| path.is_dir() && path.file_name().unwrap().to_str().unwrap().starts_with(name))
    };
    // One has a commit that is nowhere else, one a file; nobody works in the third.
    let [ant, bee] = ["ant", "bee"].map(|name| clone(name).unwrap());
    git(&ant, &["checkout", "-q", "-b", "mine"]);
    commit(&ant, "notes.txt", "mine\n", &[]);
    git(&ant, &["checkout", "-q", "--detach", "HEAD^"]);
    std::fs::write(bee.join("notes.txt"), "mine\n").unwrap();
    list(&[]);
    bench.put("apps/dog/job.py", OLD);
    bench.put(
        "migration.toml",
        bench.text("migration.toml").replace("repositories = \"list.txt\"", "folders = [\"apps/*\"]"),
    );
    bench.gander(&["run", "--replan"]);
    for arguments in [&["gc", "--dry-run"][..], &["gc"]] {
        let said = bench.gander(arguments).expect(0).stdout;
        assert_eq!(said.matches(": somebody's work is in it").count(), 2, "{said}");
    }
    assert_eq!(["ant", "bee", "cat"].map(|name| clone(name).is_some()), [true, true, false]);
    assert!(
        !std::fs::read_dir(&clones)
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_str().unwrap().starts_with("cat") }),
        "nor what is on record of it"
    );
}

#[test]
fn what_was_said_of_a_consumer_holds_where_its_code_lies_now() {
    let bench = fleet("");
    bench.put("platform/dog/notes.txt", "nothing\n");
    bench.put("migration.toml", bench.text("migration.toml").replace("[\"apps/*\"]", "[\"apps/*\", \"platform/*\"]"));
    bench.gander(&["run", "--only", "ant"]);
    bench.gander(&["exclude", "cat", "--reason", "frozen for the audit"]).expect(0);
    bench.gander(&["run"]).expect(0);
    bench.gander(&["rollback", "--consumer", "bee"]).expect(0);
    git(&remote(&bench, "ant"), &["branch", "-D", "gander/small/ant"]);
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "ant"), "closed");
    for name in ["ant", "bee", "cat"] {
        let [from, to] = ["apps", "platform"].map(|folder| bench.root.join(folder).join(name));
        std::fs::rename(from, to).unwrap();
    }
    std::fs::create_dir_all(bench.root.join("apps")).unwrap();
    bench.put("apps/eel/notes.txt", "nothing\n");
    for _ in 0..2 {
        bench.gander(&["run"]);
        assert_eq!(["ant", "bee", "cat"].map(|name| tip(&bench, name)), [None, None, None], "{:#}", bench.ledger());
    }
    let ledger = bench.ledger();
    for (name, why) in [("ant", "was deleted"), ("bee", "taken back by hand"), ("cat", "frozen for the audit")] {
        assert!(reason(&ledger, name).contains(why), "{name}: {}", reason(&ledger, name));
    }
    bench.gander(&["retry", "ant"]).expect(0);
    bench.gander(&["run"]);
    assert!(tip(&bench, "ant").is_some(), "{:#}", bench.ledger());
}

#[test]
fn a_branch_that_somebody_looks_at_is_made_anew_all_the_same() {
    let bench = fleet("");
    let ways = ["push", "branch"];
    for how in ways {
        bench
            .put("migration.toml", bench.text("migration.toml").replace("how = \"push\"", &format!("how = \"{how}\"")));
        let _ = std::fs::remove_dir_all(bench.root.join(".gander"));
        bench.gander(&["run"]).expect(0);
        let clone = bench.root.join("apps/ant");
        let look = bench.root.join("look");
        git(&clone, &["worktree", "add", "-q", look.to_str().unwrap(), "gander/small/ant"]);
        let text = format!("import {how}\n{}", std::fs::read_to_string(clone.join("job.py")).unwrap());
        commit(&clone, "job.py", &text, &[]);
        git(&clone, &["push", "-q", "origin", "main"]);
        bench.gander(&["run"]);
        assert_ne!(state(&bench, "ant"), "revert-conflict", "{how}: {:#}", bench.ledger());
        git(&clone, &["worktree", "remove", "--force", look.to_str().unwrap()]);
        bench.gander(&["run"]).expect(0);
        let there = if how == "push" { remote(&bench, "ant") } else { clone.clone() };
        assert_eq!(git(&there, &["show", "gander/small/ant:job.py"]), text.replace("users_v1", "users_v2"), "{how}");
        bench.gander(&["rollback", "--all"]).expect(0);
        for name in ["ant", "bee", "cat"] {
            let left = git(&bench.root.join("apps").join(name), &["for-each-ref", "refs/heads/gander"]);
            assert_eq!(left, "", "{how}: {name}");
        }
    }
}

#[test]
fn a_rollback_goes_on_once_what_was_in_its_way_is_merged_or_gone() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    for name in ["ant", "bee"] {
        let place = owner(&bench, name, &format!("gander/small/{name}"));
        commit(&place, "more.txt", "mine\n", &[]);
        git(&place, &["push", "-q"]);
    }
    // Its wave waits for this one.
    git(&merge(&bench, "cat", &["--no-ff", "-m", "merged"]), &["push", "-q", "origin", "main"]);
    bench.gander(&["rollback", "--all"]).expect(5);
    assert_eq!(["ant", "bee"].map(|name| state(&bench, name)), ["revert-conflict", "revert-conflict"]);
    let tried = || bench.gander(&["history", "--consumer", "bee"]).stdout.matches("rollback.push").count();
    let once = tried();
    bench.gander(&["run"]).expect(4);
    assert_eq!(tried(), once, "only a person tries it again");
    bench.gander(&["rollback", "--all"]).expect(5);
    assert!(tried() > once);
    git(&remote(&bench, "ant"), &["branch", "-D", "gander/small/ant"]);
    let bee = merge(&bench, "bee", &["--no-ff", "-m", "merged"]);
    git(&bee, &["push", "-q", "origin", "main", ":gander/small/bee"]);
    bench.gander(&["run"]);
    assert_eq!(["ant", "bee"].map(|name| state(&bench, name)), ["reverted", "reverting"], "{:#}", bench.ledger());
    assert_eq!(job(&bench, "bee", "gander/small/bee.revert"), OLD);
}

#[test]
fn a_rollback_of_one_consumer_is_waited_for_though_every_wave_passed() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let ant = merge(&bench, "ant", &["--no-ff", "-m", "merged"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(4);
    for arguments in [["run"], ["status"]] {
        let said = bench.gander(&arguments).expect(4).stdout;
        assert!(said.contains("its owner is asked to merge a revert"), "{said}");
    }
    git(&ant, &["fetch", "-q"]);
    git(&ant, &["merge", "-q", "--no-ff", "-m", "back", "origin/gander/small/ant.revert"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]).expect(0);
}

#[test]
fn a_conflict_that_a_person_has_put_together_is_over() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let ant = merge(&bench, "ant", &["--no-ff", "-m", "merged"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["rollback", "--all"]).expect(4);
    commit(&ant, "job.py", &NEW.replace("rows", "lines"), &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "ant"), "revert-conflict", "{:#}", bench.ledger());
    git(&ant, &["fetch", "-q"]);
    git(&ant, &["merge", "-q", "-X", "theirs", "-m", "back", "origin/gander/small/ant.revert"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    assert_eq!(job(&bench, "ant", "main"), OLD);
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "ant"), "reverted", "{:#}", bench.ledger());
}

#[test]
fn a_conflict_over_which_its_owner_takes_all_back_is_over() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let ant = merge(&bench, "ant", &["--no-ff", "-m", "merged"]);
    commit(&ant, "job.py", "rows = read_table(\"users_v2\", 7)\n", &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(5);
    assert_eq!(state(&bench, "ant"), "revert-conflict");
    commit(&ant, "job.py", OLD, &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]);
    assert_eq!(state(&bench, "ant"), "reverted", "{:#}", bench.ledger());
}

#[test]
fn a_branch_that_its_owner_moved_before_it_was_made_anew_is_merged_all_the_same() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let (ant, theirs) = (owner(&bench, "ant", "main"), owner(&bench, "ant", "gander/small/ant"));
    commit(&ant, "more.py", OLD, &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    commit(&theirs, "more.txt", "mine\n", &[]);
    // Its owner pushes between the look and the push.
    bench.put("once", "");
    let once = bench.root.join("once");
    let text = format!(
        "#!/bin/sh\nPATH=\"${{PATH#*:}}\"\ncase \" $* \" in *\" push \"*)\n  if rm {} 2> /dev/null; then git -C {} push -q; fi ;;\n\
         esac\nexec git \"$@\"\n",
        once.display(),
        theirs.display()
    );
    bench.put("bin/git", text);
    std::fs::set_permissions(bench.root.join("bin/git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut path = OsString::from(bench.root.join("bin"));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    bench.gander_with(&[("PATH", &path)], &["run"]);
    assert!(!once.exists(), "nothing was pushed");
    assert_eq!(state(&bench, "ant"), "revert-conflict", "{:#}", bench.ledger());
    git(&ant, &["fetch", "-q"]);
    git(&ant, &["merge", "-q", "--no-ff", "-m", "merged", "origin/gander/small/ant"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]);
    assert!(reason(&bench.ledger(), "ant").contains("; merged"), "{:#}", bench.ledger());
}

#[test]
fn who_opts_out_of_what_is_out_is_heard() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    // One has not touched it, one has merged it, one goes on with it.
    let (ant, bee) = (owner(&bench, "ant", "main"), merge(&bench, "bee", &["--no-ff", "-m", "merged"]));
    let cat = owner(&bench, "cat", "gander/small/cat");
    commit(&cat, "more.txt", "mine\n", &[]);
    git(&cat, &["push", "-q"]);
    git(&cat, &["checkout", "-q", "-B", "main", "origin/main"]);
    for owner in [&ant, &bee, &cat] {
        commit(owner, ".gander-opt-out", "we are leaving\n", &[]);
        git(owner, &["push", "-q", "origin", "main"]);
    }
    bench.gander(&["run"]).expect(0);
    let ledger = bench.ledger();
    assert_eq!((tip(&bench, "ant"), outcomes(&ledger)["ant"].as_str()), (None, "refused"), "{ledger:#}");
    assert_eq!(reason(&ledger, "ant"), "it opts out: we are leaving");
    let late = "its owner opts out since, too late for what they have (we are leaving): ";
    for (name, back) in
        [("bee", "`gander rollback --consumer bee` takes it back"), ("cat", "deleting that takes it back")]
    {
        let why = reason(&ledger, name);
        assert!(why.contains(late) && why.ends_with(back), "{why}");
    }
    assert!(tip(&bench, "cat").is_some());
    // They changed their minds.
    for owner in [&ant, &bee] {
        git(owner, &["rm", "-q", ".gander-opt-out"]);
        git(owner, &["commit", "-q", "-m", "we stay"]);
        git(owner, &["push", "-q", "origin", "main"]);
    }
    bench.gander(&["run"]).expect(0);
    assert!(tip(&bench, "ant").is_some(), "{:#}", bench.ledger());
    assert!(!reason(&bench.ledger(), "bee").contains("opts out"), "{:#}", bench.ledger());
}

#[test]
fn what_is_merged_while_it_is_withdrawn_is_reverted_at_once() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    // The owner's merge comes between gander's look and the end of the branch.
    let merge = "#!/bin/sh\nwhile read old new name; do\n\
                 case $name:$new in refs/heads/gander/small/*:0000*) git update-ref refs/heads/main $old;; esac\ndone\n";
    hook(&remote(&bench, "ant"), "post-receive", merge);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(4);
    assert_eq!(git(&remote(&bench, "ant"), &["show", "gander/small/ant.revert:job.py"]), OLD);
    hook(&remote(&bench, "bee"), "post-receive", merge);
    let said = bench.gander(&["rollback", "--all"]).expect(4).stdout;
    assert!(said.contains("owners have to merge a revert, first that of apps/bee"), "{said}");
    assert_eq!(tip(&bench, "cat"), None);
}

#[test]
fn what_an_owner_took_back_stays_so_whatever_comes_after() {
    let bench = fleet("");
    let cat = owner(&bench, "cat", "main");
    commit(&cat, "more.py", OLD, &[]);
    git(&cat, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]).expect(0);
    let [ant, bee] = ["ant", "bee"].map(|name| merge(&bench, name, &["--no-ff", "-m", "merged"]));
    git(&ant, &["push", "-q", "origin", "main"]);
    git(&bee, &["push", "-q", "origin", "main"]);
    // One of two files, under the whole message.
    git(&cat, &["fetch", "-q"]);
    git(&cat, &["checkout", "-q", "origin/gander/small/cat", "--", "job.py"]);
    git(&cat, &["commit", "-q", "-C", "origin/gander/small/cat"]);
    git(&cat, &["push", "-q", "origin", "main", ":gander/small/cat"]);
    bench.gander(&["run"]).expect(7);
    let why = "of what was merged, more.py is as it was before";
    assert!(reason(&bench.ledger(), "cat").contains(why), "{:#}", bench.ledger());
    bench.gander(&["exclude", "cat", "--reason", "they want one"]).expect(0);
    bench.gander(&["run"]).expect(0);
    // One by a revert, and then they go on in its very line; one by a history without it.
    git(&ant, &["revert", "--no-edit", "-m1", "HEAD"]);
    git(&ant, &["push", "-q", "origin", "main"]);
    git(&bee, &["reset", "-q", "--hard", "HEAD~1"]);
    git(&bee, &["push", "-q", "-f", "origin", "main"]);
    let closed = |bench: &Bench| {
        assert_eq!(["ant", "bee"].map(|name| state(bench, name)), ["closed", "closed"], "{:#}", bench.ledger());
    };
    bench.gander(&["run"]);
    closed(&bench);
    let before = tip(&bench, "bee");
    commit(&ant, "job.py", "rows = read_table(\"users_v1\", 7)\n", &[]);
    commit(&bee, "job.py", "rows = read_table(\"users_v1\", 7)\n", &[]);
    for owner in [&ant, &bee] {
        git(owner, &["push", "-q", "origin", "main"]);
    }
    for _ in 0..2 {
        bench.gander(&["run"]);
        closed(&bench);
    }
    assert_eq!(tip(&bench, "bee"), before, "it is not made anew");
    // Once it is there again, that is seen.
    commit(&ant, "job.py", NEW, &[]);
    git(&ant, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]);
    assert!(reason(&bench.ledger(), "ant").ends_with("; merged"), "{:#}", bench.ledger());
}
