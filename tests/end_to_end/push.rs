//! Change sets pushed to the consumers' own remotes: real bare repositories, owners who
//! work in them, remotes that fail now and then.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::bench::{Bench, git, outcomes, reason};

const JOB: &str = "rows = read_table(\"users_v1\")\n";

/// Three consumers, each with a repository and a bare remote of its own.
pub fn fleet(more: &str) -> Bench {
    let bench = Bench::new();
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"small\"\ntitle = \"Read users_v2\"\nrules = [\"small.rhai\"]\n\
             [code]\nprotocols = [\"file\"]\n[[consumers.from]]\nfolders = [\"apps/*\"]\n\
             [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"-c\", \"test -s job.py\"]\n\
             [deliver]\nhow = \"push\"\n\
             [rollout]\nwaves = [\"1\", \"100%\"]\nfirst = [\"component:default/ant\"]\n{more}\n"
        ),
    );
    let rule = "rule(\"small/table\").lang(\"python\").find(\"read_table(\\\"users_v1\\\")\")\
                .replace(\"read_table(\\\"users_v2\\\")\");\n";
    bench.put("small.rhai", rule);
    for name in ["ant", "bee", "cat"] {
        let folder = bench.root.join("apps").join(name);
        bench.put(&format!("apps/{name}/job.py"), JOB);
        git(&folder, &["init", "-q", "-b", "main"]);
        git(&folder, &["add", "-A"]);
        git(&folder, &["commit", "-q", "-m", "one"]);
        let remote = remote(&bench, name);
        std::fs::create_dir_all(&remote).unwrap();
        git(&remote, &["init", "-q", "--bare", "-b", "main"]);
        git(&folder, &["remote", "add", "origin", &format!("file://{}", remote.display())]);
        git(&folder, &["push", "-q", "origin", "main"]);
    }
    bench
}

/// The bare repository of a consumer.
pub fn remote(bench: &Bench, name: &str) -> PathBuf {
    bench.root.join("remotes").join(format!("{name}.git"))
}

/// The branches of a consumer's remote, each with its commit.
pub fn branches(bench: &Bench, name: &str) -> Vec<(String, String)> {
    let text = git(&remote(bench, name), &["for-each-ref", "--format=%(refname:short) %(objectname)"]);
    text.lines().map(|line| line.split_once(' ').unwrap()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

pub fn tip(bench: &Bench, name: &str) -> Option<String> {
    let wanted = format!("gander/small/{name}");
    branches(bench, name).into_iter().find(|(branch, _)| *branch == wanted).map(|(_, commit)| commit)
}

pub fn hook(remote: &Path, name: &str, text: &str) {
    let place = remote.join("hooks").join(name);
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, text).unwrap();
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn branches_reach_every_remote_and_are_withdrawn() {
    let bench = fleet("");
    let before: Vec<_> = ["ant", "bee", "cat"].map(|name| branches(&bench, name)).to_vec();
    bench.gander(&["run"]).expect(0);
    for name in ["ant", "bee", "cat"] {
        let there = remote(&bench, name);
        let branch = format!("gander/small/{name}");
        assert_eq!(git(&there, &["show", &format!("{branch}:job.py")]), JOB.replace("users_v1", "users_v2"));
        assert_eq!(git(&there, &["rev-parse", &format!("{branch}^")]), git(&there, &["rev-parse", "main"]));
        let message = git(&there, &["log", "-1", "--format=%B", &branch]);
        assert!(message.starts_with("Read users_v2\n") && message.contains("\nGander-Change-Id: "), "{message}");
    }
    let back = bench.text(".gander/small/change-sets/wave-1/ant/PULL_REQUEST.md");
    assert!(back.contains("`gander rollback --consumer ant` withdraws it") && back.contains("`git revert`"), "{back}");
    let tips = ["ant", "bee", "cat"].map(|name| tip(&bench, name).unwrap());
    bench.gander(&["run"]).expect(0);
    assert_eq!(["ant", "bee", "cat"].map(|name| tip(&bench, name).unwrap()), tips, "nothing is pushed twice");
    bench.gander(&["rollback", "--all"]).expect(0);
    let after: Vec<_> = ["ant", "bee", "cat"].map(|name| branches(&bench, name)).to_vec();
    assert_eq!(after, before);
    assert_eq!(git(&bench.root.join("apps/ant"), &["branch", "--format=%(refname:short)"]), "main\n");
}

#[test]
fn what_others_put_there_is_never_moved() {
    let bench = fleet("");
    // Somebody's branch of that name, from which a push would even be a fast-forward.
    let there = remote(&bench, "bee");
    git(&there, &["branch", "gander/small/bee", "main"]);
    let theirs = tip(&bench, "bee");
    let said = bench.gander(&["run"]).expect(7).stdout;
    assert!(said.contains("somebody has to look at bee: "), "{said}");
    assert_eq!(tip(&bench, "bee"), theirs);
    let ledger = bench.ledger();
    assert_eq!(outcomes(&ledger)["bee"], "refused", "{ledger:#}");
    assert!(reason(&ledger, "bee").contains("that gander did not make"), "{}", reason(&ledger, "bee"));
    assert_eq!(outcomes(&ledger)["cat"], "changed");
    // An owner goes on with a branch: it is theirs from then on, and stays.
    let clone = bench.root.join("elsewhere");
    git(&bench.root, &["clone", "-q", "-b", "gander/small/cat", remote(&bench, "cat").to_str().unwrap(), "elsewhere"]);
    std::fs::write(clone.join("more.txt"), "mine\n").unwrap();
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-q", "-m", "mine"]);
    git(&clone, &["push", "-q"]);
    let theirs = tip(&bench, "cat");
    bench.gander(&["rollback", "--all"]).expect(5);
    assert_eq!(tip(&bench, "cat"), theirs);
    assert_eq!(tip(&bench, "ant"), None);
}

#[test]
fn a_remote_that_is_away_is_waited_for() {
    let bench = fleet("");
    let (there, gone) = (remote(&bench, "bee"), bench.root.join("remotes/gone"));
    std::fs::rename(&there, &gone).unwrap();
    let ended = bench.gander(&["run", "--json"]).expect(4);
    let end = ended.json()["end"].clone();
    assert_eq!((end["kind"].as_str(), end["waits"][0]["for"].as_str()), (Some("waiting"), Some("remote")), "{end:#}");
    assert!(end["reason"].as_str().unwrap().contains("apps/bee"), "{end:#}");
    assert_eq!(outcomes(&bench.ledger())["cat"], "changed", "the others are not held up");
    assert!(reason(&bench.ledger(), "bee").contains("can't be reached: try 1 of 10"), "{:#}", bench.ledger());
    std::fs::rename(&gone, &there).unwrap();
    bench.gander(&["run"]).expect(0);
    assert!(tip(&bench, "bee").is_some());
    // The same on the way back.
    std::fs::rename(&there, &gone).unwrap();
    let dry = bench.gander(&["rollback", "--all", "--dry-run"]).expect(4).stdout;
    assert!(dry.contains("it is taken back once it can be") && !dry.contains("CONFLICT"), "{dry}");
    bench.gander(&["rollback", "--all"]);
    assert_eq!(tip(&bench, "cat"), None);
    bench.gander(&["run"]).expect(4);
    std::fs::rename(&gone, &there).unwrap();
    bench.gander(&["run"]).expect(3);
    assert_eq!(tip(&bench, "bee"), None);
    assert!(outcomes(&bench.ledger()).values().all(|word| word == "rolled-back"));
}

/// Kills the server's side of every push, before or after the branch is there, as often as
/// its counter says.
fn flaky(remote: &Path, when: &str, times: u32) {
    std::fs::write(remote.join("left"), times.to_string()).unwrap();
    hook(
        remote,
        when,
        "#!/bin/sh\nleft=$(cat left)\nif [ \"$left\" -gt 0 ]; then echo $((left - 1)) > left; kill -9 $PPID; fi\n",
    );
}

#[test]
fn a_remote_that_fails_now_and_then_gets_everything_once() {
    let bench = fleet("");
    flaky(&remote(&bench, "ant"), "pre-receive", 2);
    flaky(&remote(&bench, "bee"), "post-receive", 1);
    flaky(&remote(&bench, "cat"), "pre-receive", 1);
    let runs = (0..8).map(|_| bench.gander(&["run"]).code).take_while(|code| *code == Some(4)).count();
    assert!((2..=4).contains(&runs), "{runs} runs waited");
    assert!(outcomes(&bench.ledger()).values().all(|word| word == "changed"), "{:#}", bench.ledger());
    for name in ["ant", "bee", "cat"] {
        assert_eq!(git(&remote(&bench, name), &["rev-list", "--count", &format!("main..gander/small/{name}")]), "1\n");
        assert_eq!(std::fs::read_to_string(remote(&bench, name).join("left")).unwrap().trim(), "0", "{name} failed");
    }
    let history = bench.gander(&["history"]).stdout;
    assert!(history.contains("away.push"), "{history}");
}

#[test]
fn a_refusal_is_told_while_the_rest_of_its_wave_waits() {
    let bench = fleet("max_open = 2\nnotify = [\"sh\", \"-c\", \"cat >> heard\"]");
    hook(&remote(&bench, "bee"), "pre-receive", "#!/bin/sh\nexit 1\n");
    let said = bench.gander(&["run"]).expect(7).stdout;
    assert!(said.contains("1 could not be delivered, first apps/bee"), "{said}");
    assert!(bench.text("heard").contains("\"kind\":\"paused\""), "{}", bench.text("heard"));
}

#[test]
fn what_became_of_what_is_out_is_not_known_where_its_remote_is_gone() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let (here, gone) = (remote(&bench, "bee"), bench.root.join("gone"));
    std::fs::rename(&here, &gone).unwrap();
    for command in ["run", "status"] {
        let end = bench.gander(&[command, "--json"]).json();
        assert_eq!(end["end"]["waits"][0]["for"], "remote", "{end:#}");
        let why = reason(&end, "bee");
        assert!(why.contains("had not merged it when its remote was last seen"), "{why}");
        assert!(reason(&end, "ant").contains("its owner has not merged it yet"));
    }
    bench.gander(&["run"]).expect(4);
    std::fs::rename(&gone, &here).unwrap();
    bench.gander(&["run"]).expect(0);
    assert!(reason(&bench.ledger(), "bee").contains("its owner has not merged it yet"));
}

#[test]
fn a_state_that_cannot_be_used_is_told_by_every_run() {
    let bench = fleet("notify = [\"sh\", \"-c\", \"cat >> heard; echo >> heard\"]");
    bench.gander(&["run"]).expect(0);
    assert!(!bench.root.join("heard").exists(), "nothing is to be heard of");
    let state = bench.root.join(".gander/small/state.db");
    let heard = |why: &str| {
        let text = bench.text("heard");
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["kind"], "paused");
        assert!(last["reason"].as_str().unwrap().contains(why), "{last}");
        text.lines().count()
    };
    std::fs::write(&state, "").unwrap();
    bench.gander(&["run"]).expect(5);
    assert_eq!(heard("is missing or empty"), 1);
    bench.gander(&["run"]).expect(5);
    assert_eq!(heard("is missing or empty"), 2);
    std::fs::write(&state, "no database at all, and longer than a header would be\n".repeat(40)).unwrap();
    bench.gander(&["run"]).expect(5);
    assert_eq!(heard("nothing is watched"), 3);
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    bench.gander(&["run"]).expect(5);
    assert_eq!(heard("no state knows of it"), 4);
    // A file that can't be read names nobody; a command line may.
    bench.put("migration.toml", "this is no table");
    let tell = ["run", "--notify", "./tell.sh"];
    bench.put("tell.sh", "#!/bin/sh\ncat >> heard; echo >> heard\n");
    std::fs::set_permissions(bench.root.join("tell.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    bench.gander(&tell).expect(2);
    assert_eq!(heard("migration.toml can't be used"), 5);
}

#[test]
fn what_is_left_to_a_person_once_every_wave_passed_is_told_once() {
    let bench = fleet("notify = [\"sh\", \"-c\", \"cat >> heard; echo >> heard\"]");
    git(&remote(&bench, "bee"), &["branch", "gander/small/bee", "main"]);
    for _ in 0..3 {
        bench.gander(&["run"]).expect(7);
    }
    let heard = bench.text("heard");
    assert_eq!(heard.lines().count(), 1, "{heard}");
    assert!(heard.contains("\"kind\":\"paused\"") && heard.contains("that gander did not make"), "{heard}");
}

#[test]
fn a_refusal_pauses_until_a_person_has_looked() {
    let bench = fleet("");
    hook(&remote(&bench, "bee"), "pre-receive", "#!/bin/sh\necho no pushes on Sundays >&2\nexit 1\n");
    bench.gander(&["run"]).expect(7);
    let why = reason(&bench.ledger(), "bee").to_owned();
    assert!(why.contains("refuses the branch gander/small/bee") && why.contains("pre-receive hook declined"), "{why}");
    assert!(why.contains("no pushes on Sundays"), "what the hook said: {why}");
    std::fs::remove_file(remote(&bench, "bee").join("hooks/pre-receive")).unwrap();
    bench.gander(&["run", "--retry"]).expect(0);
    assert!(tip(&bench, "bee").is_some());
    // A revert is refused as well, and is asked for again by whoever wants it.
    git(&super::owners::merge(&bench, "bee", &["--no-ff", "-m", "merged"]), &["push", "-q", "origin", "main"]);
    let refuses = "#!/bin/sh\ngrep -q revert && echo no reverts on Sundays >&2 && exit 1\nexit 0\n";
    hook(&remote(&bench, "bee"), "pre-receive", refuses);
    bench.gander(&["rollback", "--consumer", "bee"]).expect(5);
    let why = reason(&bench.ledger(), "bee").to_owned();
    assert!(
        why.contains("no reverts on Sundays") && why.contains("`gander rollback --consumer` tries it again"),
        "{why}"
    );
    std::fs::remove_file(remote(&bench, "bee").join("hooks/pre-receive")).unwrap();
    bench.gander(&["rollback", "--consumer", "bee"]).expect(4);
}

#[test]
fn a_hook_of_the_users_own_that_refuses_is_no_remote_that_is_away() {
    let bench = fleet("");
    bench.put("home/hooks/pre-push", "#!/bin/sh\ncase $2 in */bee*) exit 1 ;; esac\n");
    let hooks = bench.root.join("home/hooks");
    std::fs::set_permissions(hooks.join("pre-push"), std::fs::Permissions::from_mode(0o755)).unwrap();
    bench.put("home/gitconfig", format!("[core]\n\thooksPath = {}\n", hooks.display()));
    let config = bench.root.join("home/gitconfig");
    bench.gander_with(&[("GIT_CONFIG_GLOBAL", config.as_os_str())], &["run"]).expect(7);
    let (ledger, expected) = (bench.ledger(), "the `pre-push` hook of git on this machine refuses the branch");
    assert!(reason(&ledger, "bee").starts_with(expected), "{}", reason(&ledger, "bee"));
    assert!(tip(&bench, "ant").is_some() && tip(&bench, "bee").is_none());
}

#[test]
fn a_delivery_whose_state_is_lost_finds_its_own_work() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let before = ["ant", "bee", "cat"].map(|name| tip(&bench, name).unwrap());
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    for name in ["ant", "bee", "cat"] {
        git(&bench.root.join("apps").join(name), &["branch", "-q", "-D", &format!("gander/small/{name}")]);
    }
    // The commits would be of another second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    for command in ["run", "status", "run"] {
        let said = bench.gander(&[command]).expect(5).stderr;
        assert!(said.contains("gander/small/ant") && said.contains("`gander recover`"), "{command}: {said}");
    }
    bench.gander(&["recover"]).expect(0);
    bench.gander(&["run"]).expect(0);
    assert_eq!(["ant", "bee", "cat"].map(|name| tip(&bench, name).unwrap()), before);
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(tip(&bench, "ant"), None);
}

#[test]
fn a_repository_starts_no_program_of_its_own() {
    let bench = fleet("");
    let pwned = bench.root.join("pwned");
    let run = format!("sh -c 'touch {}' --", pwned.display());
    let ant = bench.root.join("apps/ant");
    for key in ["remote.origin.receivepack", "remote.origin.uploadpack", "core.sshCommand", "core.gitProxy"] {
        git(&ant, &["config", key, &run]);
    }
    let url = format!("file://{}", remote(&bench, "ant").display());
    git(&ant, &["config", &format!("remote.{url}.receivepack"), &run]);
    hook(&ant.join(".git"), "pre-push", &format!("#!/bin/sh\ntouch {}\n", pwned.display()));
    bench.gander(&["run"]).expect(0);
    assert!(tip(&bench, "ant").is_some());
    assert!(!pwned.exists());
    // A URL that names a program goes nowhere.
    let bench = fleet("");
    let evil = format!("ext::sh -c touch% {}", pwned.display());
    git(&bench.root.join("apps/bee"), &["remote", "set-url", "origin", &evil]);
    bench.gander(&["run"]);
    assert!(!pwned.exists());
    assert_eq!(outcomes(&bench.ledger())["bee"], "refused", "{:#}", bench.ledger());
    let ledger = bench.ledger();
    let why = reason(&ledger, "bee");
    assert!(why.contains("is no URL that git may be given") && !why.contains("a name that gander gives"), "{why}");
    let history = bench.gander(&["history", "--consumer", "bee"]).expect(0).stdout;
    assert!(!history.contains("verify"), "it is refused before anything is built: {history}");
}

#[test]
fn a_partial_clone_pushes_though_its_remote_has_moved_on() {
    let bench = fleet("");
    std::fs::remove_dir_all(bench.root.join("apps")).unwrap();
    let there = remote(&bench, "ant");
    git(&there, &["config", "uploadpack.allowFilter", "true"]);
    let clone = bench.root.join("work");
    git(&bench.root, &["clone", "-q", there.to_str().unwrap(), "work"]);
    std::fs::create_dir(clone.join("web")).unwrap();
    std::fs::write(clone.join("web/index.html"), "<p>").unwrap();
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-q", "-m", "two"]);
    git(&clone, &["push", "-q"]);
    let text = bench.text("migration.toml").replace("folders = [\"apps/*\"]", "repositories = \"list.txt\"");
    bench.put("migration.toml", text.replace("[code]", "[code]\nclone = true"));
    bench.put("list.txt", format!("file://{}", there.display()));
    bench.gander(&["discover"]).expect(0);
    // The remote moves on before anything is pushed.
    std::fs::write(clone.join("web/index.html"), "<b>").unwrap();
    git(&clone, &["commit", "-q", "-am", "three"]);
    git(&clone, &["push", "-q"]);
    bench.gander(&["run"]).expect(0);
    assert_eq!(git(&there, &["show", "gander/small/ant:job.py"]), JOB.replace("users_v1", "users_v2"));
}

#[test]
fn hooks_and_signatures_are_the_users_own() {
    let bench = fleet("");
    bench.put("home/hooks/pre-push", format!("#!/bin/sh\necho \"$2\" >> {}\n", bench.root.join("hook").display()));
    // Signs as gpg does, as far as git looks: a line on the status channel, and a block.
    let gpg = "#!/bin/sh\ncat > /dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\n\
               printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nours\\n-----END PGP SIGNATURE-----\\n'\n";
    bench.put("home/gpg", gpg);
    for file in ["home/gpg", "home/hooks/pre-push"] {
        std::fs::set_permissions(bench.root.join(file), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let home = bench.root.join("home");
    let (hooks, signer) = (home.join("hooks"), home.join("gpg"));
    let settings = format!(
        "[core]\n\thooksPath = {}\n[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = {}\n",
        hooks.display(),
        signer.display()
    );
    bench.put("home/gitconfig", settings);
    // What the repository says of either counts for nothing.
    let evil = bench.root.join("evil");
    bench.put("apps/ant/.git/evil", format!("#!/bin/sh\ntouch {}\n", evil.display()));
    let program = bench.root.join("apps/ant/.git/evil");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    git(&bench.root.join("apps/ant"), &["config", "gpg.program", program.to_str().unwrap()]);
    let config = home.join("gitconfig");
    bench.gander_with(&[("GIT_CONFIG_GLOBAL", config.as_os_str())], &["run"]).expect(0);
    for name in ["ant", "bee", "cat"] {
        let raw = git(&remote(&bench, name), &["cat-file", "commit", &format!("gander/small/{name}")]);
        assert!(raw.contains("gpgsig -----BEGIN PGP SIGNATURE-----\n \n ours\n"), "{raw}");
    }
    assert_eq!(bench.text("hook").lines().count(), 3, "{}", bench.text("hook"));
    assert!(!evil.exists());
}

/// A clone of a consumer in which its owners work.
fn owners_clone(bench: &Bench, name: &str) -> PathBuf {
    let place = bench.root.join("owners").join(name);
    git(&bench.root, &["clone", "-q", remote(bench, name).to_str().unwrap(), place.to_str().unwrap()]);
    place
}

fn push_commit(place: &Path, path: &str, text: &str) {
    std::fs::write(place.join(path), text).unwrap();
    git(place, &["add", "-A"]);
    git(place, &["commit", "-q", "-m", "ours"]);
    git(place, &["push", "-q"]);
}

#[test]
fn what_the_remote_has_now_counts_and_not_a_clone_that_is_behind() {
    let bench = fleet("");
    // The clones are behind: one by a line of its own, one by the change itself; the third has
    // a commit that nobody has seen, and somebody's changes in its work tree.
    let ant = owners_clone(&bench, "ant");
    push_commit(&ant, "job.py", &format!("import os\n{JOB}"));
    push_commit(&owners_clone(&bench, "bee"), "job.py", "rows = new_reader()\n");
    let cat = bench.root.join("apps/cat");
    std::fs::write(cat.join("job.py"), format!("secret = 7\n{JOB}")).unwrap();
    git(&cat, &["commit", "-q", "-am", "not pushed"]);
    std::fs::write(cat.join("job.py"), "unsaved\n").unwrap();
    let refs = git(&bench.root.join("apps/ant"), &["for-each-ref"]);
    let ended = bench.gander(&["run"]).expect(0);
    assert!(
        ended.stderr.contains("3 clones are not where their remotes are (apps/ant by 1 commit, …)"),
        "{}",
        ended.stderr
    );
    let there = remote(&bench, "ant");
    let wanted = format!("import os\n{}", JOB.replace("users_v1", "users_v2"));
    assert_eq!(git(&there, &["show", "gander/small/ant:job.py"]), wanted);
    assert_eq!(git(&there, &["rev-parse", "gander/small/ant^"]), git(&there, &["rev-parse", "main"]));
    assert_eq!(tip(&bench, "bee"), None, "nothing of it is to be changed any more");
    let there = remote(&bench, "cat");
    assert_eq!(git(&there, &["show", "gander/small/cat:job.py"]), JOB.replace("users_v1", "users_v2"));
    assert_eq!(std::fs::read_to_string(cat.join("job.py")).unwrap(), "unsaved\n");
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(git(&bench.root.join("apps/ant"), &["for-each-ref"]), refs, "no branch of the clone has moved");
}

#[test]
fn code_that_moves_on_while_it_is_verified_is_planned_again() {
    let bench = fleet("");
    // The test step of `bee` plays its owner, who commits while it runs.
    let bee = owners_clone(&bench, "bee");
    let text = bench.text("migration.toml");
    let step = format!(
        "run = [\"sh\", \"-c\", \"test -s job.py\"]\n[sandbox]\nmode = \"none\"\n[[verify.step]]\nname = \"owner\"\n\
         run = [\"sh\", \"{}\"]\n",
        bench.root.join("owner.sh").display()
    );
    bench.put("migration.toml", text.replace("run = [\"sh\", \"-c\", \"test -s job.py\"]\n", &step));
    bench.put(
        "owner.sh",
        format!(
            "cd {0} && rm {1} || exit 0\nprintf 'import os\\n' | cat - job.py > new && mv new job.py\n\
             git -c user.name=a -c user.email=a@b commit -qam two && git push -q\n",
            bee.display(),
            bench.root.join("once").display()
        ),
    );
    bench.gander(&["run", "--only", "ant"]).expect(4);
    bench.put("once", "");
    let ended = bench.gander(&["run", "--json"]).expect(4);
    let end = ended.json()["end"].clone();
    assert_eq!(end["waits"][0]["for"].as_str(), Some("base"), "{end:#}");
    assert_eq!(tip(&bench, "bee"), None, "what nobody has any more is not pushed");
    assert!(reason(&bench.ledger(), "bee").contains("its base moved"), "{}", reason(&bench.ledger(), "bee"));
    let history = bench.gander(&["history"]).stdout;
    assert!(history.contains("moved on by 1 commit, and job.py with it"), "{history}");
    bench.gander(&["run"]).expect(0);
    let there = remote(&bench, "bee");
    let wanted = format!("import os\n{}", JOB.replace("users_v1", "users_v2"));
    assert_eq!(git(&there, &["show", "gander/small/bee:job.py"]), wanted);
}

#[test]
fn a_push_that_a_killed_run_left_behind_is_gander_s_own_when_it_arrives() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(0);
    let made = tip(&bench, "bee").unwrap();
    // As if the push were still under way: the branch comes to be between the look and the push.
    git(&remote(&bench, "bee"), &["update-ref", "-d", "refs/heads/gander/small/bee"]);
    bench.gander(&["run"]);
    bench.gander(&["retry", "bee"]).expect(0);
    let arrive = format!(
        "#!/bin/sh\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/gander/small/bee {made}\n{{ echo; }} >&2\n"
    );
    hook(&remote(&bench, "bee"), "pre-receive", &arrive);
    let codes: Vec<_> = (0..3).map(|_| bench.gander(&["run"]).code).collect();
    assert_eq!(codes.last(), Some(&Some(0)), "{codes:?} {:#}", bench.ledger());
    assert_eq!(tip(&bench, "bee"), Some(made));
    assert_eq!(outcomes(&bench.ledger())["bee"], "changed");
    // A refusal is final; what arrives after it all the same is seen, and taken back.
    let bench = fleet("");
    hook(&remote(&bench, "bee"), "pre-receive", "#!/bin/sh\nexit 1\n");
    bench.gander(&["run"]).expect(7);
    assert_eq!(outcomes(&bench.ledger())["bee"], "errored");
    std::fs::remove_file(remote(&bench, "bee").join("hooks/pre-receive")).unwrap();
    let clone = bench.root.join("apps/bee");
    git(&clone, &["push", "-q", "origin", "gander/small/bee"]);
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(tip(&bench, "bee"), None);
}

#[test]
fn another_migration_in_the_same_lines_is_noticed() {
    let bench = fleet("");
    for (name, text) in
        [("ant", "rows = only(read_table(\"users_v1\"))\n"), ("bee", &format!("import os\n\n\n\n{JOB}"))]
    {
        let folder = bench.root.join("apps").join(name);
        std::fs::write(folder.join("job.py"), text).unwrap();
        git(&folder, &["commit", "-q", "-am", "two"]);
        git(&folder, &["push", "-q", "origin", "main"]);
    }
    bench.gander(&["run"]).expect(0);
    let text =
        bench.text("migration.toml").replace("id = \"small\"", "id = \"other\"").replace("small.rhai", "other.rhai");
    bench.put("other.toml", text.replace("waves = [\"1\", \"100%\"]", "waves = [\"100%\"]"));
    bench.put(
        "other.rhai",
        "rule(\"other/only\").lang(\"python\").find(\"only($X)\").replace(\"never($X)\");\n\
         rule(\"other/os\").lang(\"python\").find(\"import os\").replace(\"import sys\");\n",
    );
    // What its owner adds to the branch hides nothing that is on it.
    let theirs = bench.root.join("theirs");
    git(&bench.root, &["clone", "-q", "-b", "gander/small/ant", remote(&bench, "ant").to_str().unwrap(), "theirs"]);
    std::fs::write(theirs.join("more.txt"), "more\n").unwrap();
    git(&theirs, &["add", "-A"]);
    git(&theirs, &["commit", "-q", "-m", "more"]);
    git(&theirs, &["push", "-q", "origin", "gander/small/ant"]);
    bench.gander(&["run", "other.toml"]).expect(4);
    let ledger = bench.gander(&["status", "other.toml", "--json"]).json();
    let why = reason(&ledger, "ant");
    assert_eq!(
        (outcomes(&ledger)["ant"].as_str(), outcomes(&ledger)["bee"].as_str()),
        ("pending", "changed"),
        "{ledger:#}"
    );
    for part in ["waits for approval", "the migration small", "job.py:1", "branch gander/small/ant"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    let there = |name: &str| branches(&bench, name).iter().any(|(branch, _)| *branch == format!("gander/other/{name}"));
    assert_eq!((there("ant"), there("bee")), (false, true));
    // A person may let it out all the same.
    bench.gander(&["approve", "ant", "-m", "other.toml"]).expect(0);
    bench.gander(&["run", "other.toml"]).expect(0);
    assert!(there("ant"));
}

#[test]
fn where_all_are_refused_a_person_has_to_look() {
    let bench = fleet("");
    bench.put("migration.toml", bench.text("migration.toml").replace("[\"file\"]", "[\"https\"]"));
    for command in ["run", "status"] {
        let said = bench.gander(&[command]).expect(7).stdout;
        assert!(said.contains("3 consumers are refused") && said.contains("[code] protocols"), "{said}");
    }
}
