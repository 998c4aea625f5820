//! A monorepo whose change sets share branches: one commit for several consumers, from which
//! each can be taken alone.

use std::path::PathBuf;

use super::bench::{Bench, git, outcomes, reason};

const JOB: &str = "rows = read_table(\"users_v1\")\n";
const NEW: &str = "rows = read_table(\"users_v2\")\n";

/// Four consumers of two owners in one repository with a bare remote.
fn fleet(per: &str) -> Bench {
    let bench = Bench::new();
    for (name, owner) in [("ant", "red"), ("bee", "blue"), ("cat", "red"), ("dog", "blue")] {
        bench.put(&format!("mono/apps/{name}/job.py"), JOB);
        let catalog = format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: service\n  \
             lifecycle: production\n  owner: {owner}\n"
        );
        bench.put(&format!("mono/apps/{name}/catalog-info.yaml"), catalog);
    }
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"small\"\ntitle = \"Read users_v2\"\nrules = [\"small.rhai\"]\n\
             [code]\nprotocols = [\"file\"]\n[[consumers.from]]\nfolders = [\"mono/apps/*\"]\n\
             [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"-c\", \"test -s job.py\"]\n\
             [sandbox]\nmode = \"none\"\n[deliver]\nhow = \"push\"\nbranch_per = \"{per}\"\n\
             author = \"Bot <bot@example.org>\"\n[rollout]\nwaves = [\"1\", \"100%\"]\nfirst = [\"component:default/ant\"]\n"
        ),
    );
    let rule = "rule(\"small/table\").lang(\"python\").find(\"read_table(\\\"users_v1\\\")\")\
                .replace(\"read_table(\\\"users_v2\\\")\");\n";
    bench.put("small.rhai", rule);
    let mono = bench.root.join("mono");
    git(&mono, &["init", "-q", "-b", "main"]);
    git(&mono, &["add", "-A"]);
    git(&mono, &["commit", "-q", "-m", "one"]);
    git(&bench.root, &["clone", "-q", "--bare", "mono", "mono.git"]);
    git(&mono, &["remote", "add", "origin", &format!("file://{}", remote(&bench).display())]);
    bench
}

fn remote(bench: &Bench) -> PathBuf {
    bench.root.join("mono.git")
}

fn branches(bench: &Bench) -> Vec<String> {
    let text = git(&remote(bench), &["for-each-ref", "--format=%(refname:short)", "refs/heads/gander"]);
    text.lines().map(str::to_owned).collect()
}

/// Who is changed on a branch, against the main one.
fn on(bench: &Bench, branch: &str) -> Vec<String> {
    let text = git(&remote(bench), &["diff", "--name-only", &format!("main...{branch}")]);
    for path in text.lines() {
        assert_eq!(git(&remote(bench), &["show", &format!("{branch}:{path}")]), NEW);
    }
    text.lines().map(|path| path.split('/').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn a_wave_is_one_branch_and_each_leaves_it_alone() {
    let bench = fleet("wave");
    bench.gander(&["run"]).expect(0);
    let (one, two) = ("gander/small/wave-1", "gander/small/wave-2");
    assert_eq!(branches(&bench), [one, two]);
    assert_eq!(
        (on(&bench, one), on(&bench, two)),
        (vec!["ant".to_owned()], ["bee", "cat", "dog"].map(str::to_owned).to_vec())
    );
    assert_eq!(git(&remote(&bench), &["rev-list", "--count", &format!("main..{two}")]), "1\n");
    let message = git(&remote(&bench), &["log", "-1", "--format=%an%n%B", two]);
    assert_eq!(message.matches("Gander-Change-Id: ").count(), 3, "{message}");
    assert!(message.starts_with("Bot\nRead users_v2\n"), "{message}");
    bench.gander(&["run"]).expect(0);
    // One of three goes back: the branch is made anew without it.
    let dry = bench.gander(&["rollback", "--consumer", "cat", "--dry-run"]).expect(0).stdout;
    assert!(dry.contains("it is taken out of the branch that it shares"), "{dry}");
    bench.gander(&["rollback", "--consumer", "cat"]).expect(0);
    assert_eq!(on(&bench, two), ["bee", "dog"]);
    let message = git(&remote(&bench), &["log", "-1", "--format=%an%n%B", two]);
    assert_eq!(message.matches("Gander-Change-Id: ").count(), 2, "{message}");
    assert!(message.starts_with("Bot\nRead users_v2\n"), "{message}");
    bench.gander(&["run"]);
    let words = outcomes(&bench.ledger());
    assert_eq!((words["bee"].as_str(), words["cat"].as_str()), ("changed", "rolled-back"), "{:#}", bench.ledger());
    // The rest is merged: each is reverted by a branch of its own.
    let owner = bench.root.join("owner");
    git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
    git(&owner, &["merge", "-q", "--no-ff", "-m", "merged", &format!("origin/{two}")]);
    git(&owner, &["push", "-q", "origin", "main", &format!(":{two}")]);
    bench.gander(&["rollback", "--all"]).expect(4);
    assert_eq!(branches(&bench), ["gander/small/bee.revert", "gander/small/dog.revert"]);
    let there = remote(&bench);
    assert_eq!(git(&there, &["diff", "--name-only", "main", "gander/small/bee.revert"]), "apps/bee/job.py\n");
    assert_eq!(git(&there, &["show", "gander/small/bee.revert:apps/bee/job.py"]), JOB);
    assert_eq!(
        git(&there, &["log", "-1", "--format=%an %s", "gander/small/bee.revert"]),
        "Bot Take back: Read users_v2\n"
    );
}

#[test]
fn an_owner_gets_one_branch_and_what_comes_later_joins_it() {
    let bench = fleet("owner");
    // One of the second wave is left out at first.
    bench.gander(&["run", "--only", "ant"]).expect(4);
    bench.gander(&["exclude", "dog", "--reason", "later"]).expect(0);
    bench.gander(&["run"]).expect(0);
    let (red, blue) = ("gander/small/wave-2.red", "gander/small/wave-2.blue");
    assert_eq!(branches(&bench), ["gander/small/wave-1.red", blue, red]);
    assert_eq!((on(&bench, blue), on(&bench, red)), (vec!["bee".to_owned()], vec!["cat".to_owned()]));
    bench.gander(&["retry", "dog"]).expect(0);
    bench.gander(&["run"]).expect(0);
    assert_eq!(on(&bench, blue), ["bee", "dog"]);
    assert_eq!(git(&remote(&bench), &["rev-list", "--count", &format!("main..{blue}")]), "1\n");
    // Their code moves on, of one of the two: it is made anew there, and the other stays.
    let owner = bench.root.join("owner");
    git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
    std::fs::write(owner.join("apps/dog/job.py"), format!("import os\n{JOB}")).unwrap();
    git(&owner, &["commit", "-q", "-am", "two"]);
    git(&owner, &["push", "-q"]);
    bench.gander(&["run"]).expect(0);
    let there = remote(&bench);
    assert_eq!(git(&there, &["show", &format!("{blue}:apps/dog/job.py")]), format!("import os\n{NEW}"));
    assert_eq!(git(&there, &["show", &format!("{blue}:apps/bee/job.py")]), NEW);
    assert_eq!(git(&there, &["rev-parse", &format!("{blue}^")]), git(&there, &["rev-parse", "main"]));
    // Somebody goes on with a branch: it is theirs from then on, with all that is on it.
    git(&owner, &["fetch", "-q"]);
    git(&owner, &["checkout", "-q", "-b", "theirs", &format!("origin/{red}")]);
    std::fs::write(owner.join("more.txt"), "mine\n").unwrap();
    git(&owner, &["add", "-A"]);
    git(&owner, &["commit", "-q", "-m", "mine"]);
    git(&owner, &["push", "-q", "origin", &format!("theirs:{red}")]);
    bench.gander(&["rollback", "--all"]).expect(5);
    assert_eq!(branches(&bench), [red]);
    assert!(reason(&bench.ledger(), "cat").contains("somebody else moved the branch"), "{:#}", bench.ledger());
}

#[test]
fn a_shared_branch_survives_a_kill_at_any_step() {
    // The points of a run that puts three on one branch, and of one that takes one out again.
    let points = [
        ("git.branch-made#2", "git.branch-made"),
        ("journal.share.done#3", "journal.share.done#1"),
        ("git.pushed#2", "git.pushed"),
        ("journal.deliver.push.done#3", "journal.rollback.push.intent"),
    ];
    for (out, back) in points {
        let bench = fleet("wave");
        let kill = |point: &str, arguments: &[&str]| {
            let ended = bench.gander_with(&[("GANDER_FAULT_POINT", point.as_ref())], arguments);
            assert_eq!(ended.signal, Some(9), "{point} was not passed: {}", ended.stderr);
        };
        kill(out, &["run", "-q"]);
        bench.gander(&["run"]).expect(0);
        let two = "gander/small/wave-2";
        assert_eq!(on(&bench, two), ["bee", "cat", "dog"], "{out}");
        kill(back, &["rollback", "-q", "--consumer", "cat"]);
        bench.gander(&["run"]);
        assert_eq!(on(&bench, two), ["bee", "dog"], "{back}");
        let words = outcomes(&bench.ledger());
        assert_eq!((words["bee"].as_str(), words["cat"].as_str()), ("changed", "rolled-back"), "{back}");
        bench.gander(&["rollback", "--all"]).expect(0);
        assert_eq!(branches(&bench), [""; 0], "{out}, {back}");
    }
}

#[test]
fn a_shared_branch_here_survives_a_kill_before_and_after_it_moves() {
    for (out, back) in [("git.branch-made#2", "git.branch-made"), ("journal.share.done#3", "journal.share.done#1")] {
        let bench = fleet("wave");
        let text = bench.text("migration.toml").replace("how = \"push\"", "how = \"branch\"");
        bench.put("migration.toml", text);
        let mono = bench.root.join("mono");
        let on = |branch: &str| git(&mono, &["diff", "--name-only", "main", branch]);
        let kill = |point: &str, arguments: &[&str]| {
            let ended = bench.gander_with(&[("GANDER_FAULT_POINT", point.as_ref())], arguments);
            assert_eq!(ended.signal, Some(9), "{point} was not passed: {}", ended.stderr);
        };
        kill(out, &["run", "-q"]);
        bench.gander(&["run"]).expect(0);
        let two = "gander/small/wave-2";
        assert_eq!(on(two).lines().count(), 3, "{out}");
        kill(back, &["rollback", "-q", "--consumer", "cat"]);
        bench.gander(&["run"]);
        assert_eq!(on(two), "apps/bee/job.py\napps/dog/job.py\n", "{back}: {:#}", bench.ledger());
        bench.gander(&["rollback", "--all"]).expect(0);
        assert_eq!(git(&mono, &["branch", "--format=%(refname:short)"]), "main\n", "{out}, {back}");
    }
}

#[test]
fn two_clones_of_one_remote_share_the_branch_and_it_is_open_once() {
    let bench = fleet("wave");
    git(&bench.root, &["clone", "-q", &format!("file://{}", remote(&bench).display()), "mono2"]);
    let text = bench.text("migration.toml");
    let folders = "folders = [\"mono/apps/ant\", \"mono/apps/bee\", \"mono2/apps/cat\", \"mono2/apps/dog\"]";
    let text = text.replace("folders = [\"mono/apps/*\"]", folders);
    bench.put("migration.toml", text.replace("waves = [\"1\", \"100%\"]", "waves = [\"100%\"]\nmax_open = 1"));
    bench.gander(&["run"]).expect(0);
    assert_eq!(branches(&bench), ["gander/small/wave-1"]);
    assert_eq!(on(&bench, "gander/small/wave-1"), ["ant", "bee", "cat", "dog"]);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(0);
    bench.gander(&["rollback", "--consumer", "dog"]).expect(0);
    assert_eq!(on(&bench, "gander/small/wave-1"), ["bee", "cat"]);
    // All of it is done by its owners, in a way of their own: both are withdrawn in one run.
    let owner = bench.root.join("owner");
    git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
    for name in ["bee", "cat"] {
        std::fs::write(owner.join(format!("apps/{name}/job.py")), "rows = new_reader()\n").unwrap();
    }
    git(&owner, &["commit", "-q", "-am", "two"]);
    git(&owner, &["push", "-q"]);
    bench.gander(&["run"]);
    assert_eq!(branches(&bench), [""; 0], "{:#}", bench.ledger());
}

#[test]
fn what_somebody_deletes_while_another_one_joins_is_not_made_again() {
    let bench = fleet("wave");
    let owner = bench.root.join("owner");
    git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
    let step = format!("run = [\"sh\", \"{}\"]\n", bench.root.join("owner.sh").display());
    let text = bench.text("migration.toml").replace("run = [\"sh\", \"-c\", \"test -s job.py\"]\n", &step);
    bench.put("migration.toml", text);
    let (once, two) = (bench.root.join("once"), "gander/small/wave-2");
    bench.put(
        "owner.sh",
        format!("cd {} && test -e {1} || exit 0\nrm {1}\ngit push -q origin :{two}\n", owner.display(), once.display()),
    );
    bench.gander(&["run", "--only", "ant"]).expect(4);
    bench.gander(&["exclude", "dog", "--reason", "later"]).expect(0);
    bench.gander(&["run"]).expect(0);
    assert_eq!(on(&bench, two), ["bee", "cat"]);
    bench.gander(&["retry", "dog"]).expect(0);
    std::fs::write(&once, "").unwrap();
    bench.gander(&["run"]).expect(4);
    assert_eq!(branches(&bench), ["gander/small/wave-1"]);
    bench.gander(&["run"]).expect(0);
    assert_eq!(on(&bench, two), ["dog"]);
    assert_eq!(outcomes(&bench.ledger())["bee"], "refused", "{:#}", bench.ledger());
}

#[test]
fn what_an_owner_leaves_out_of_a_shared_branch_is_not_merged() {
    for squashed in [true, false] {
        let bench = fleet("wave");
        bench.gander(&["run"]).expect(0);
        let (owner, two) = (bench.root.join("owner"), "gander/small/wave-2");
        git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
        let message = git(&owner, &["log", "-1", "--format=%B", &format!("origin/{two}")]);
        if squashed {
            // The whole message, and one consumer alone.
            git(&owner, &["checkout", "-q", &format!("origin/{two}"), "--", "apps/cat"]);
            git(&owner, &["commit", "-q", "-m", &message]);
        } else {
            git(&owner, &["checkout", "-q", "-b", "theirs", &format!("origin/{two}")]);
            git(&owner, &["checkout", "-q", "main", "--", "apps/bee", "apps/dog"]);
            git(&owner, &["commit", "-q", "-m", "not these"]);
            git(&owner, &["checkout", "-q", "main"]);
            git(&owner, &["merge", "-q", "--no-ff", "-m", "merged", "theirs"]);
        }
        git(&owner, &["push", "-q", "origin", "main", &format!(":{two}")]);
        for _ in 0..2 {
            bench.gander(&["run"]);
            let words = outcomes(&bench.ledger());
            let words = ["bee", "cat", "dog"].map(|name| words[name].as_str());
            assert_eq!(words, ["refused", "changed", "refused"], "{squashed}: {:#}", bench.ledger());
        }
        bench.gander(&["retry", "bee"]).expect(0);
        bench.gander(&["run"]);
        assert_eq!(on(&bench, two), ["bee"], "{squashed}");
        bench.gander(&["rollback", "--all"]);
        assert_eq!(branches(&bench), ["gander/small/cat.revert"], "{squashed}");
    }
}

#[test]
fn a_lost_state_knows_who_shares_a_branch() {
    let bench = fleet("wave");
    bench.gander(&["run"]).expect(0);
    let two = "gander/small/wave-2";
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert_eq!(said.matches(&format!("delivered: the branch {two} holds its change")).count(), 3, "{said}");
    let before = git(&remote(&bench), &["rev-parse", two]);
    bench.gander(&["run"]).expect(0);
    assert_eq!(git(&remote(&bench), &["rev-parse", two]), before, "nothing is pushed again");
    bench.gander(&["rollback", "--consumer", "cat"]);
    assert_eq!(on(&bench, two), ["bee", "dog"]);
    bench.gander(&["rollback", "--all"]);
    assert_eq!(branches(&bench), [""; 0]);
}

#[test]
fn where_branches_only_go_forward_a_shared_one_does_so() {
    let bench = fleet("wave");
    git(&remote(&bench), &["config", "receive.denyNonFastForwards", "true"]);
    bench.gander(&["run", "--only", "ant"]).expect(4);
    bench.gander(&["exclude", "dog", "--reason", "later"]).expect(0);
    bench.gander(&["run"]).expect(0);
    let (owner, two) = (bench.root.join("owner"), "gander/small/wave-2");
    let tip = || git(&remote(&bench), &["rev-parse", two]).trim().to_owned();
    let forward = |old: &str| {
        git(&remote(&bench), &["merge-base", "--is-ancestor", old, two]);
    };
    // One joins over code that has moved on; its diff against that is its own.
    let first = tip();
    git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
    std::fs::write(owner.join("notes.txt"), "kept\n").unwrap();
    git(&owner, &["add", "-A"]);
    git(&owner, &["commit", "-q", "-m", "two"]);
    git(&owner, &["push", "-q"]);
    bench.gander(&["retry", "dog"]).expect(0);
    bench.gander(&["run"]).expect(0);
    forward(&first);
    assert_eq!(on(&bench, two), ["bee", "cat", "dog"], "{:#}", bench.ledger());
    let second = tip();
    bench.gander(&["rollback", "--consumer", "cat"]).expect(0);
    forward(&second);
    assert_eq!(on(&bench, two), ["bee", "dog"]);
    bench.gander(&["run"]);
    assert_eq!(outcomes(&bench.ledger())["bee"], "changed", "{:#}", bench.ledger());
    // Merged with all that came and went, it is what is left of it.
    git(&owner, &["fetch", "-q"]);
    git(&owner, &["merge", "-q", "--no-ff", "-m", "merged", &format!("origin/{two}")]);
    git(&owner, &["push", "-q", "origin", "main", &format!(":{two}")]);
    bench.gander(&["run"]);
    let words = outcomes(&bench.ledger());
    let words = ["bee", "cat", "dog"].map(|name| words[name].as_str());
    assert_eq!(words, ["changed", "rolled-back", "changed"], "{:#}", bench.ledger());
}

#[test]
fn who_is_made_anew_while_another_one_joins_its_branch_has_not_thrown_it_away() {
    let bench = fleet("wave");
    let text = bench.text("migration.toml").replace("\"1\", ", "\"3\", ");
    bench.put("migration.toml", format!("{text}[[rollout.gate]]\nkind = \"approval\"\n"));
    bench.gander(&["run"]).expect(4);
    bench.gander(&["approve", "--wave", "1"]).expect(0);
    bench.gander(&["run"]).expect(4);
    let rows = bench.ledger()["rows"].as_array().unwrap().clone();
    let first = rows.iter().filter(|row| row["wave"] == 1).map(|row| row["entity"].as_str().unwrap());
    let first: Vec<String> = first.map(|entity| entity.rsplit('/').next().unwrap().to_owned()).collect();
    let (moves, comes) = (&first[0], &first[1]);
    // One is taken back, the code of another one moves on, and the first comes again.
    bench.gander(&["rollback", "--consumer", comes]).expect(0);
    let owner = bench.root.join("owner");
    git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
    std::fs::write(owner.join(format!("apps/{moves}/job.py")), format!("import os\n{JOB}")).unwrap();
    git(&owner, &["commit", "-q", "-am", "two"]);
    git(&owner, &["push", "-q"]);
    bench.gander(&["run"]);
    bench.gander(&["retry", comes]).expect(0);
    for _ in 0..2 {
        bench.gander(&["run"]);
        let words = outcomes(&bench.ledger());
        assert_eq!(words[moves], "pending", "{:#}", bench.ledger());
        assert_eq!(words[comes], "changed", "{:#}", bench.ledger());
    }
}

#[test]
fn a_squash_that_leaves_one_out_under_the_whole_message_has_not_merged_it() {
    let bench = fleet("wave");
    bench.gander(&["run"]).expect(0);
    let two = "gander/small/wave-2";
    let owner = bench.root.join("owner");
    git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
    git(&owner, &["merge", "-q", "--squash", &format!("origin/{two}")]);
    git(&owner, &["checkout", "-q", "HEAD", "--", "apps/bee"]);
    let message = git(&owner, &["log", "-1", "--format=%B", &format!("origin/{two}")]);
    git(&owner, &["commit", "-q", "-m", &message]);
    // And its owner goes on right beside the line.
    std::fs::write(owner.join("apps/bee/job.py"), format!("import os\n{JOB}")).unwrap();
    git(&owner, &["commit", "-q", "-am", "beside"]);
    git(&owner, &["push", "-q", "origin", "main", &format!(":{two}")]);
    bench.gander(&["run"]);
    let ledger = bench.ledger();
    let words = outcomes(&ledger);
    assert_eq!((words["bee"].as_str(), words["cat"].as_str()), ("refused", "changed"), "{ledger:#}");
    assert!(reason(&ledger, "bee").contains("names its change, and leaves it out"), "{ledger:#}");
}

#[test]
fn what_a_remote_has_no_more_is_not_made_anew() {
    let bench = fleet("consumer");
    bench.gander(&["run"]).expect(0);
    let owner = bench.root.join("owner");
    git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
    git(&owner, &["rm", "-q", "-r", "apps/ant"]);
    git(&owner, &["commit", "-q", "-m", "gone"]);
    git(&owner, &["push", "-q"]);
    for _ in 0..2 {
        bench.gander(&["run"]).expect(0);
        let ledger = bench.ledger();
        assert_eq!((outcomes(&ledger)["ant"].as_str(), outcomes(&ledger)["bee"].as_str()), ("refused", "changed"));
        assert!(reason(&ledger, "ant").contains("has no folder apps/ant"), "{ledger:#}");
        assert!(!branches(&bench).contains(&"gander/small/ant".to_owned()), "it has no use any more");
    }
}

#[test]
fn a_correction_has_a_branch_of_its_own_whatever_others_are_called() {
    let bench = fleet("consumer");
    for (path, text) in [("catalog-info.yaml", "name: ant-2"), ("job.py", "")] {
        let like = bench.text(&format!("mono/apps/ant/{path}")).replace("name: ant", text);
        bench.put(&format!("mono/apps/ant-2/{path}"), like);
    }
    let mono = bench.root.join("mono");
    git(&mono, &["add", "-A"]);
    git(&mono, &["commit", "-q", "-m", "two"]);
    git(&mono, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]).expect(0);
    let owner = bench.root.join("owner");
    git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
    git(&owner, &["merge", "-q", "--no-ff", "-m", "merged", "origin/gander/small/ant"]);
    git(&owner, &["push", "-q", "origin", "main", ":gander/small/ant"]);
    bench.put("small.rhai", bench.text("small.rhai").replace("users_v2", "users_v3"));
    bench.gander(&["correct"]).expect(0);
    let made = branches(&bench);
    assert!(
        made.contains(&"gander/small/ant+2".to_owned()) && made.contains(&"gander/small/ant-2".to_owned()),
        "{made:?}"
    );
    bench.gander(&["rollback", "--consumer", "ant"]).expect(4);
    let made = branches(&bench);
    assert!(
        made.contains(&"gander/small/ant-2".to_owned()) && !made.contains(&"gander/small/ant+2".to_owned()),
        "{made:?}"
    );
}

#[test]
fn a_shared_branch_that_its_owner_went_on_with_is_reverted_once_it_is_merged() {
    let bench = fleet("wave");
    bench.gander(&["run"]).expect(0);
    let (branch, owner) = ("gander/small/wave-2", bench.root.join("owner"));
    git(&bench.root, &["clone", "-q", "mono.git", "owner"]);
    git(&owner, &["checkout", "-q", branch]);
    std::fs::write(owner.join("more.txt"), "mine\n").unwrap();
    git(&owner, &["add", "-A"]);
    git(&owner, &["commit", "-q", "-m", "mine"]);
    git(&owner, &["push", "-q", "origin", branch]);
    bench.gander(&["rollback", "--all"]).expect(5);
    git(&owner, &["checkout", "-q", "main"]);
    git(&owner, &["merge", "-q", "--no-ff", "-m", "merged", branch]);
    git(&owner, &["push", "-q", "origin", "main"]);
    bench.gander(&["run"]);
    let reverts = ["bee", "cat", "dog"].map(|name| format!("gander/small/{name}.revert"));
    assert_eq!(branches(&bench), [&reverts[..], &[branch.to_owned()]].concat(), "{:#}", bench.ledger());
    assert!(reason(&bench.ledger(), "bee").contains("merge the revert"), "{:#}", bench.ledger());
}

#[test]
fn a_shared_branch_that_its_remote_refused_goes_out_once_it_may() {
    for per in ["owner", "wave"] {
        let bench = fleet(per);
        super::push::hook(&remote(&bench), "pre-receive", "#!/bin/sh\nexit 1\n");
        bench.gander(&["run"]).expect(7);
        assert_eq!(git(&bench.root.join("mono"), &["for-each-ref", "refs/heads/gander"]), "", "nothing is left here");
        std::fs::remove_file(remote(&bench).join("hooks/pre-receive")).unwrap();
        bench.gander(&["run", "--retry"]).expect(0);
        assert!(outcomes(&bench.ledger()).values().all(|word| word == "changed"), "{per}: {:#}", bench.ledger());
    }
}
