//! What becomes of what is out when the code below it moves on: it is made anew, or withdrawn until it can go out again.

use super::bench::{git, outcomes, reason};
use super::owners::{NEW, OLD, commit, owner, pull, state};
use super::push::{branches, fleet, hook, remote, tip};

#[test]
fn a_base_that_moves_makes_the_change_set_anew() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let old = ["ant", "bee", "cat"].map(|name| tip(&bench, name).unwrap());
    // One has more to be changed, one only changed something else.
    let ant = owner(&bench, "ant", "main");
    commit(&ant, "second.py", OLD, &[]);
    git(&ant, &["push", "-q"]);
    let bee = owner(&bench, "bee", "main");
    commit(&bee, "notes.txt", "kept\n", &[]);
    git(&bee, &["push", "-q"]);
    pull(&bench, "ant");
    pull(&bench, "bee");
    bench.gander(&["run"]).expect(0);
    let there = remote(&bench, "ant");
    for path in ["job.py", "second.py"] {
        assert_eq!(git(&there, &["show", &format!("gander/small/ant:{path}")]), NEW);
    }
    assert_eq!(git(&there, &["rev-parse", "gander/small/ant^"]), git(&there, &["rev-parse", "main"]));
    assert_eq!(git(&there, &["rev-list", "--count", "main..gander/small/ant"]), "1\n");
    assert_eq!([tip(&bench, "bee").unwrap(), tip(&bench, "cat").unwrap()], [old[1].clone(), old[2].clone()]);
    let history = bench.gander(&["history", "--consumer", "ant"]).stdout;
    assert!(history.contains("its base moved from"), "{history}");
    assert_eq!(outcomes(&bench.ledger())["ant"], "changed");
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(tip(&bench, "ant"), None, "the new one is gander's own, too");
}

#[test]
fn a_base_that_needs_no_change_any_more_or_breaks_by_it_gets_it_withdrawn() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    // One owner made the change alone, otherwise; another one's tests turn red by it now.
    let ant = owner(&bench, "ant", "main");
    commit(&ant, "job.py", "rows = new_reader()\n", &[]);
    git(&ant, &["push", "-q"]);
    let bee = owner(&bench, "bee", "main");
    std::fs::remove_file(bee.join("job.py")).unwrap();
    commit(&bee, "renamed.py", OLD, &[]);
    git(&bee, &["push", "-q"]);
    pull(&bench, "ant");
    pull(&bench, "bee");
    bench.gander(&["run"]);
    assert_eq!((tip(&bench, "ant"), tip(&bench, "bee")), (None, None));
    let ledger = bench.ledger();
    assert_eq!((state(&bench, "ant").as_str(), state(&bench, "bee").as_str()), ("reverted", "reverted"), "{ledger:#}");
    assert_eq!(
        [&outcomes(&ledger)["ant"], &outcomes(&ledger)["bee"], &outcomes(&ledger)["cat"]],
        WITHDRAWN,
        "{ledger:#}"
    );
    // Nobody took them back: once they are as they were, they get it again.
    for (name, owner) in [("ant", &ant), ("bee", &bee)] {
        git(owner, &["revert", "--no-edit", "HEAD"]);
        git(owner, &["push", "-q"]);
        pull(&bench, name);
    }
    bench.gander(&["run"]).expect(0);
    assert!(tip(&bench, "ant").is_some() && tip(&bench, "bee").is_some(), "{:#}", bench.ledger());
}

/// One that needs nothing any more, one that is broken before it, and one that is out.
const WITHDRAWN: [&str; 3] = ["unchanged", "unverified", "changed"];

#[test]
fn a_canary_that_is_withdrawn_and_mended_is_no_evidence_until_it_is_out_again() {
    let bench = fleet("[[rollout.gate]]\nkind = \"approval\"");
    bench.gander(&["run"]).expect(4);
    let ant = owner(&bench, "ant", "main");
    commit(&ant, "job.py", "rows = read_table(\"users_v1\"\n", &[]);
    git(&ant, &["push", "-q"]);
    pull(&bench, "ant");
    bench.gander(&["run"]).expect(7);
    assert_eq!(
        (tip(&bench, "ant"), outcomes(&bench.ledger())["ant"].as_str()),
        (None, "refused"),
        "{:#}",
        bench.ledger()
    );
    git(&ant, &["revert", "--no-edit", "HEAD"]);
    git(&ant, &["push", "-q"]);
    pull(&bench, "ant");
    bench.gander(&["run"]).expect(4);
    assert_eq!((tip(&bench, "ant").is_some(), tip(&bench, "bee")), (true, None), "{:#}", bench.ledger());
}

#[test]
fn what_is_out_stays_while_somebody_works_beside_it() {
    let bench = fleet("");
    let migration = bench.text("migration.toml").replace("how = \"push\"", "how = \"branch\"");
    bench.put("migration.toml", migration);
    bench.gander(&["run"]).expect(0);
    let made = |name: &str| git(&bench.root.join("apps").join(name), &["branch", "--list", "gander/small/*"]);
    assert!(made("ant").contains("gander/small/ant"));
    bench.put("apps/ant/notes.txt", "half a sentence");
    bench.gander(&["run"]).expect(0);
    assert!(made("ant").contains("gander/small/ant"), "{:#}", bench.ledger());
    assert_eq!(outcomes(&bench.ledger())["ant"], "changed");
}

#[test]
fn what_is_merged_while_it_is_withdrawn_for_its_base_is_merged() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    for (name, path) in [("ant", "job.py"), ("bee", "renamed.py")] {
        let place = owner(&bench, name, "main");
        if name == "bee" {
            // Its tests turn red by what is made anew.
            git(&place, &["rm", "-q", "job.py"]);
        }
        commit(&place, path, if name == "bee" { OLD } else { "rows = new_reader()\n" }, &[]);
        git(&place, &["push", "-q"]);
        // The owner's merge comes between gander's look and the end of the branch.
        hook(
            &remote(&bench, name),
            "post-receive",
            "#!/bin/sh\nwhile read old new name; do\n\
             case $name:$new in refs/heads/gander/small/*:0000*) git update-ref refs/heads/main $old;; esac\ndone\n",
        );
    }
    for _ in 0..2 {
        bench.gander(&["run"]);
        for name in ["ant", "bee"] {
            let branches: Vec<String> = branches(&bench, name).into_iter().map(|(name, _)| name).collect();
            assert_eq!(branches, ["main"], "{:#}", bench.ledger());
            assert!(reason(&bench.ledger(), name).ends_with("; merged"), "{:#}", bench.ledger());
        }
        // Of the other one its wave can't tell: what was made anew has no evidence.
        assert_eq!(state(&bench, "ant"), "healthy", "{:#}", bench.ledger());
    }
}
