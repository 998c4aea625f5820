//! What was delivered while the way to deliver, the place of a repository or what is in the way
//! changes: nothing of it is forgotten.

use super::bench::{Bench, git, outcomes, reason};
use super::corrections::mended;
use super::owners::{NEW, OLD, commit, merge, owner, state};
use super::push::{branches, fleet, hook, remote, tip};

/// All branches of gander's, at remotes and in clones.
fn left(bench: &Bench) -> String {
    let all = ["ant", "bee", "cat"].iter().flat_map(|name| [remote(bench, name), bench.root.join("apps").join(name)]);
    all.map(|place| git(&place, &["for-each-ref", "--format=%(refname:short)", "refs/heads/gander"])).collect()
}

fn alter(bench: &Bench, from: &str, to: &str) {
    let text = bench.text("migration.toml");
    assert!(text.contains(from), "{text}");
    bench.put("migration.toml", text.replace(from, to));
}

#[test]
fn what_is_delivered_in_another_way_leaves_nothing_behind() {
    // The last one names another remote, of the same way.
    for (old, new) in
        [("push", "patches"), ("push", "branch"), ("branch", "patches"), ("patches", "push"), ("push", "push")]
    {
        let bench = fleet("");
        alter(&bench, "how = \"push\"", &format!("how = \"{old}\""));
        bench.gander(&["run"]).expect(0);
        mended(&bench);
        alter(&bench, &format!("how = \"{old}\""), &format!("how = \"{new}\""));
        if old == new {
            for name in ["ant", "bee", "cat"] {
                let (there, other) = (remote(&bench, name), remote(&bench, &format!("other-{name}")));
                git(&bench.root, &["clone", "-q", "--bare", there.to_str().unwrap(), other.to_str().unwrap()]);
                git(&other, &["update-ref", "-d", &format!("refs/heads/gander/small/{name}")]);
                let url = format!("file://{}", other.display());
                git(&bench.root.join("apps").join(name), &["remote", "add", "other", &url]);
            }
            alter(&bench, "how = \"push\"", "how = \"push\"\nremote = \"other\"");
        }
        bench.gander(&["run", "--replan"]).expect(0);
        assert!(
            outcomes(&bench.ledger()).values().all(|word| word == "changed"),
            "{old} → {new}: {:#}",
            bench.ledger()
        );
        assert_eq!(
            ["ant", "bee", "cat"].map(|name| tip(&bench, name).is_some()),
            [(old, new) == ("patches", "push"); 3]
        );
        bench.gander(&["rollback", "--all"]).expect(0);
        assert_eq!(left(&bench), "", "{old} → {new}");
    }
}

#[test]
fn a_repository_that_was_renamed_keeps_what_was_delivered_to_it() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    // One is renamed with its branch, one after its merge; of one a copy takes the place.
    let moved = |name: &str| {
        let new = remote(&bench, &format!("new-{name}"));
        std::fs::rename(remote(&bench, name), &new).unwrap();
        let url = format!("file://{}", new.display());
        git(&bench.root.join("apps").join(name), &["remote", "set-url", "origin", &url]);
        new
    };
    git(&merge(&bench, "bee", &["--no-ff", "-m", "merged"]), &["push", "-q", "origin", "main", ":gander/small/bee"]);
    let [ant, bee, cat] = ["ant", "bee", "cat"].map(moved);
    git(&cat, &["update-ref", "-d", "refs/heads/gander/small/cat"]);
    bench.gander(&["run"]);
    let said = bench.gander(&["run"]).stderr;
    assert!(said.contains("/cat.git: what became") && !said.contains("/ant.git: what became"), "{said}");
    let history = bench.gander(&["history"]).stdout;
    assert_eq!(history.matches("its repository is at ").count(), 2, "{history}");
    assert!(history.contains("apps/bee  its change is in "), "{history}");
    bench.gander(&["rollback", "--all"]).expect(4);
    let tips =
        |there: &std::path::Path| git(there, &["for-each-ref", "--format=%(refname:short)", "refs/heads/gander"]);
    assert_eq!((tips(&ant), tips(&bee)), (String::new(), "gander/small/bee.revert\n".to_owned()));
}

#[test]
fn a_hook_that_refuses_what_is_made_anew_is_tried_again() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let made = tip(&bench, "ant");
    let ant = owner(&bench, "ant", "main");
    commit(&ant, "job.py", &format!("import os\n{OLD}"), &[]);
    git(&ant, &["push", "-q"]);
    hook(&remote(&bench, "ant"), "pre-receive", "#!/bin/sh\necho 'closed for maintenance' >&2\nexit 1\n");
    let ended = bench.gander(&["run", "--json"]).expect(4).json();
    assert!(ended["end"]["reason"].as_str().unwrap().contains("closed for maintenance"), "{:#}", ended["end"]);
    assert_eq!((tip(&bench, "ant"), state(&bench, "ant")), (made.clone(), "superseded".to_owned()));
    assert!(reason(&bench.ledger(), "ant").contains("closed for maintenance"), "{:#}", bench.ledger());
    std::fs::remove_file(remote(&bench, "ant").join("hooks/pre-receive")).unwrap();
    bench.gander(&["run"]).expect(0);
    assert_ne!(tip(&bench, "ant"), made);
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(left(&bench), "");
}

#[test]
fn a_branch_that_leaves_no_room_is_named() {
    let bench = fleet("");
    for (name, branch) in [("ant", "gander"), ("bee", "gander/small/bee/more")] {
        git(&remote(&bench, name), &["branch", branch, "main"]);
    }
    bench.gander(&["run"]).expect(7);
    bench.gander(&["run", "--retry"]).expect(7);
    let why = reason(&bench.ledger(), "ant").to_owned();
    assert!(why.contains("the branch gander leaves no room for it"), "{why}");
    git(&remote(&bench, "ant"), &["branch", "-D", "gander"]);
    bench.gander(&["run", "--retry"]).expect(7);
    let why = reason(&bench.ledger(), "bee").to_owned();
    assert!(why.contains("the branch gander/small/bee/more leaves no room"), "{why}");
    git(&remote(&bench, "bee"), &["branch", "-D", "gander/small/bee/more"]);
    bench.gander(&["run", "--retry"]).expect(0);
}

#[test]
fn a_revert_that_can_not_be_merged_any_more_is_for_a_person() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let places = ["ant", "bee", "cat"].map(|name| {
        let place = merge(&bench, name, &["--no-ff", "-m", "merged"]);
        git(&place, &["push", "-q", "origin", "main", &format!(":gander/small/{name}")]);
        place
    });
    bench.gander(&["rollback", "--all"]).expect(4);
    // One goes on in the very line, one moves the file, one writes the history anew.
    commit(&places[0], "job.py", &NEW.replace("rows", "lines"), &[]);
    git(&places[1], &["mv", "job.py", "task.py"]);
    commit(&places[1], "more.py", NEW, &[]);
    git(&places[2], &["reset", "-q", "--hard", "HEAD^"]);
    commit(&places[2], "job.py", NEW, &[]);
    places.iter().for_each(|place| drop(git(place, &["push", "-q", "-f", "origin", "main"])));
    let three = || ["ant", "bee", "cat"].map(|name| state(&bench, name));
    for _ in 0..2 {
        bench.gander(&["run"]);
        assert_eq!(three(), ["revert-conflict", "reverting", "revert-conflict"], "{:#}", bench.ledger());
        for (name, why) in [("ant", "the same lines of job.py"), ("cat", "merging it changes nothing")] {
            let said = reason(&bench.ledger(), name).to_owned();
            assert!(said.contains(why) && said.contains("can't be merged any more"), "{said}");
        }
    }
    // Over the new history the revert is made anew.
    bench.gander(&["rollback", "--consumer", "cat"]).expect(4);
    let there = remote(&bench, "cat");
    assert_eq!(git(&there, &["rev-parse", "gander/small/cat.revert^"]), git(&there, &["rev-parse", "main"]));
    assert_eq!(git(&there, &["show", "gander/small/cat.revert:job.py"]), OLD);
    for (name, place) in ["bee", "cat"].into_iter().zip(&places[1..]) {
        git(place, &["fetch", "-q"]);
        git(place, &["merge", "-q", "--no-ff", "-m", "back", &format!("origin/gander/small/{name}.revert")]);
        git(place, &["push", "-q", "origin", "main"]);
    }
    bench.gander(&["run"]);
    assert_eq!(three(), ["revert-conflict", "reverted", "reverted"], "{:#}", bench.ledger());
    // Its owner works on the revert itself.
    let asked = git(&remote(&bench, "ant"), &["rev-parse", "gander/small/ant.revert"]);
    git(&places[0], &["fetch", "-q"]);
    git(&places[0], &["checkout", "-q", "-B", "back", "origin/gander/small/ant.revert"]);
    commit(&places[0], "notes.txt", "mine\n", &[]);
    git(&places[0], &["push", "-q", "origin", "back:gander/small/ant.revert"]);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(5);
    let said = reason(&bench.ledger(), "ant").to_owned();
    assert!(said.contains("its owner went on with the branch gander/small/ant.revert"), "{said}");
    git(&places[0], &["push", "-q", "-f", "origin", &format!("{}:gander/small/ant.revert", asked.trim())]);
    git(&places[0], &["checkout", "-q", "main"]);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(5);
    let now = bench.text(".gander/small/change-sets/wave-1/ant/conflict/job.py.now");
    assert_eq!(now, NEW.replace("rows", "lines"));
    // Once that line is theirs again as it was made, the same revert will do.
    commit(&places[0], "job.py", NEW, &[]);
    git(&places[0], &["push", "-q", "origin", "main"]);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(4);
    assert_eq!(state(&bench, "ant"), "reverting");
    let made: Vec<String> = branches(&bench, "ant").into_iter().map(|(name, _)| name).collect();
    assert_eq!(made, ["gander/small/ant.revert", "main"]);
}

#[test]
fn what_was_merged_and_undone_while_its_branch_stayed_is_withdrawn_by_a_rollback() {
    for scope in [["rollback", "--all"].as_slice(), &["rollback", "--consumer", "ant"]] {
        let bench = fleet("");
        bench.gander(&["run"]).expect(0);
        let ant = merge(&bench, "ant", &["--no-ff", "-m", "merged"]);
        git(&ant, &["push", "-q", "origin", "main"]);
        bench.gander(&["run"]).expect(0);
        git(&ant, &["revert", "--no-edit", "-m", "1", "HEAD"]);
        git(&ant, &["push", "-q", "origin", "main"]);
        bench.gander(&["run"]);
        assert_eq!(state(&bench, "ant"), "closed", "{:#}", bench.ledger());
        bench.gander(scope).expect(0);
        assert_eq!(tip(&bench, "ant"), None, "{scope:?}");
    }
}

#[test]
fn what_another_migration_kept_back_goes_out_once_that_is_gone() {
    let bench = fleet("");
    let other = bench.text("migration.toml").replace("\"small\"", "\"other\"").replace("small.rhai", "other.rhai");
    bench.put("other.toml", other);
    bench.put("other.rhai", bench.text("small.rhai").replace("users_v2", "users_v9"));
    bench.gander(&["run", "other.toml"]).expect(0);
    bench.gander(&["run"]).expect(4);
    assert_eq!(tip(&bench, "ant"), None);
    assert!(reason(&bench.ledger(), "ant").contains("waits for approval: the migration other"), "{:#}", bench.ledger());
    bench.gander(&["run"]).expect(4);
    bench.gander(&["rollback", "other.toml", "--all"]).expect(0);
    bench.gander(&["run"]).expect(0);
    assert!(["ant", "bee", "cat"].iter().all(|name| tip(&bench, name).is_some()), "{:#}", bench.ledger());
    let history = bench.gander(&["history"]).stdout;
    assert!(history.contains("no other migration changes the same lines any more"), "{history}");
}

#[test]
fn a_file_with_the_id_of_another_migration_is_told_so() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let text = bench.text("migration.toml");
    bench.put("copy.toml", text.replace("Read users_v2", "Read something else"));
    let said = bench.gander(&["run", "copy.toml"]).expect(5).stderr;
    assert!(said.contains("this state is that of migration.toml, which has the same id"), "{said}");
    bench.put("migration.toml", text.replace("Read users_v2", "Read the new table"));
    let said = bench.gander(&["run"]).expect(5).stderr;
    assert!(said.contains("a rule or a mapping changed"), "{said}");
}

#[test]
fn a_branch_of_gander_s_that_is_checked_out_is_not_merged() {
    let bench = fleet("");
    bench.put("migration.toml", bench.text("migration.toml").replace("how = \"push\"", "how = \"branch\""));
    bench.gander(&["run"]).expect(0);
    let ant = bench.root.join("apps/ant");
    for way in [&["checkout", "-q"][..], &["checkout", "-q", "--detach"]] {
        git(&ant, &[way, &["gander/small/ant"]].concat());
        let said = bench.gander(&["run"]).expect(0).stderr;
        assert!(said.contains("gander/small/ant is checked out"), "{said}");
        git(&ant, &["checkout", "-q", "main"]);
    }
    bench.gander(&["run"]).expect(0);
    assert!(!bench.gander(&["history"]).stdout.contains("its change is in"));
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(git(&ant, &["branch", "--format=%(refname:short)"]), "main\n");
}
