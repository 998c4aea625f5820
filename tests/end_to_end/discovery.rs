//! `gander discover`, and runs over fleets that move: real git servers, real sandboxes.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::bench::{Bench, git, outcomes, tree};

pub const JOB: &str = "rows = read_table(\"users_v1\")\n";
pub const DONE: &str = "rows = read_table(\"users_v2\")\n";

/// A migration with these lines under `[consumers]`, and those after it.
pub fn migration(bench: &Bench, consumers: &str, rest: &str) {
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"m\"\ntitle = \"Read users_v2\"\nrules = [\"small.rhai\"]\n[consumers]\n{consumers}\n\
             [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"-c\", \"test -s job.py\"]\n\
             [rollout]\nwaves = [\"1\", \"50%\", \"100%\"]\nfirst = [\"component:default/ant\"]\n{rest}\n"
        ),
    );
    let rule = "rule(\"small/table\").lang(\"python\").find(\"read_table(\\\"users_v1\\\")\")\
                .replace(\"read_table(\\\"users_v2\\\")\");\n";
    bench.put("small.rhai", rule);
}

const FOLDERS: &str = "[[consumers.from]]\nfolders = [\"apps/*\"]";
const CHECKOUT: &str = "[deliver]\nhow = \"checkout\"";

fn job(bench: &Bench, name: &str) {
    bench.put(&format!("apps/{name}/job.py"), JOB);
}

/// The members of each wave, by its number.
fn waves(ledger: &Value) -> Vec<(u64, Vec<String>)> {
    let wave = |wave: &Value| {
        let mut members: Vec<String> = wave["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m.as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect();
        members.sort();
        (wave["number"].as_u64().unwrap(), members)
    };
    ledger["waves"].as_array().unwrap().iter().map(wave).collect()
}

#[test]
fn newcomers_join_the_last_wave_and_those_who_left_keep_what_they_got() {
    let bench = Bench::new();
    migration(&bench, FOLDERS, CHECKOUT);
    let names = ["ant", "bee", "cat", "dog"];
    names.iter().for_each(|name| job(&bench, name));
    bench.gander(&["run"]).expect(0);
    let before = bench.ledger();
    assert_eq!(waves(&before).iter().map(|w| w.1.len()).collect::<Vec<_>>(), [1, 1, 2]);
    // One is born, one leaves.
    job(&bench, "eel");
    let gone = bench.root.join("elsewhere");
    std::fs::rename(bench.root.join("apps/dog"), &gone).unwrap();
    let said = bench.gander(&["discover"]).stdout;
    assert!(said.contains("component:default/eel is new: joins wave 4, the last"), "{said}");
    assert!(said.contains("component:default/dog is named by no source any more: its wave was opened"), "{said}");
    let ran = bench.gander(&["run"]).expect(0);
    assert!(ran.stderr.contains("component:default/eel is new"), "{}", ran.stderr);
    let after = bench.ledger();
    let (old, new) = (waves(&before), waves(&after));
    assert_eq!(new[..3], old[..], "delivered waves keep their members");
    assert_eq!(new[3], (4, vec!["eel".to_owned()]));
    assert_eq!(bench.text("apps/eel/job.py"), DONE);
    assert_eq!(outcomes(&after)["dog"], "changed");
    // It comes back to be taken back.
    std::fs::rename(&gone, bench.root.join("apps/dog")).unwrap();
    bench.gander(&["rollback", "--all"]).expect(0);
    for name in ["ant", "bee", "cat", "dog", "eel"] {
        assert_eq!(bench.text(&format!("apps/{name}/job.py")), JOB, "{name}");
    }
}

#[test]
fn a_list_that_must_be_complete_stops_a_run_before_any_change() {
    let bench = Bench::new();
    migration(
        &bench,
        &format!("complete = \"required\"\nnames = [\"users_v1\"]\nsearch = [\"apps\"]\n{FOLDERS}"),
        CHECKOUT,
    );
    job(&bench, "ant");
    bench.put("apps/bee/job.py", "nothing = 1\n");
    bench.put("apps/stray.py", JOB);
    let before = tree(&bench.root);
    let ended = bench.gander(&["run"]).expect(4);
    assert!(ended.stdout.contains("declared and not found: 1\n    component:default/bee"), "{}", ended.stdout);
    assert!(ended.stdout.contains("apps/stray.py:1: users_v1"), "{}", ended.stdout);
    assert!(ended.stderr.contains("nothing was changed"), "{}", ended.stderr);
    assert_eq!(tree(&bench.root), before);
    assert!(!bench.root.join(".gander/m/change-sets").exists());
    // Both are accounted for: it goes on.
    let exclude = "[[consumers.exclude]]\nconsumer = \"bee\"\nreason = \"reads a copy\"\nuntil = 2999-01-01\n\
                   [[consumers.exclude]]\npath = \"apps/stray.py\"\nreason = \"an example\"\nuntil = 2999-01-01\n";
    migration(
        &bench,
        &format!("complete = \"required\"\nnames = [\"users_v1\"]\nsearch = [\"apps\"]\n{FOLDERS}\n{exclude}"),
        CHECKOUT,
    );
    bench.gander(&["run"]).expect(0);
    assert_eq!((bench.text("apps/ant/job.py"), bench.text("apps/stray.py")), (DONE.to_owned(), JOB.to_owned()));
}

#[test]
fn a_component_inside_another_is_changed_with_itself_alone() {
    let bench = Bench::new();
    let from = "of = [\"resource:users\"]\n[[consumers.from]]\ncatalog = \"apps\"";
    migration(&bench, from, CHECKOUT);
    let component = |name: &str, spec: &str| {
        format!("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec: {{{spec}}}\n")
    };
    let reads = "dependsOn: ['resource:users']";
    let users = "apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata:\n  name: users\n";
    bench.put("apps/catalog-info.yaml", users);
    for (path, name, spec) in [("ant", "ant", reads), ("ant/inner", "inner", reads), ("ant/nobody", "nobody", "")] {
        bench.put(&format!("apps/{path}/catalog-info.yaml"), component(name, spec));
        bench.put(&format!("apps/{path}/job.py"), JOB);
    }
    bench.put(".gitignore", ".gander\n");
    bench.commit_all();
    let before = tree(&bench.root);
    bench.gander(&["run"]).expect(0);
    let texts = ["ant", "ant/inner", "ant/nobody"].map(|path| bench.text(&format!("apps/{path}/job.py")));
    assert_eq!(texts, [DONE, DONE, JOB], "nobody's code is nobody's business");
    bench.gander(&["run"]).expect(0);
    let why = bench.gander(&["discover", "--why", "ant"]).expect(0).stdout;
    assert!(why.contains("without inner, nobody, which is another component's code"), "{why}");
    let found = bench.gander(&["discover", "--format", "json"]).expect(1).json();
    assert_eq!(found["agreement"]["undeclared"][0]["component"], "component:default/nobody", "{found:#}");
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(tree(&bench.root), before);
}

/// A git server for everything below a folder, which ends with the test.
struct Daemon(Child, u16);

impl Daemon {
    fn start(bench: &Bench, folder: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let base = bench.root.join(folder);
        // The program itself: `git daemon` would be its parent, and leave it behind.
        let program = std::path::PathBuf::from(git(&bench.root, &["--exec-path"]).trim()).join("git-daemon");
        let child = Command::new(program)
            .args(["--listen=127.0.0.1", "--export-all", "--reuseaddr"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", base.display()))
            .arg(&base)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("git daemon starts");
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "git daemon does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self(child, port)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn repositories_are_cloned_from_a_git_server_changed_and_pinned() {
    let bench = Bench::new();
    for name in ["ant", "bee"] {
        bench.put(&format!("served/{name}/job.py"), JOB);
        bench.put(&format!("served/{name}/lib/job.py"), JOB);
        let folder = bench.root.join(format!("served/{name}"));
        git(&folder, &["init", "-q", "-b", "main"]);
        git(&folder, &["add", "-A"]);
        git(&folder, &["commit", "-q", "-m", "one"]);
    }
    git(&bench.root.join("served/ant"), &["config", "uploadpack.allowFilter", "true"]);
    let daemon = Daemon::start(&bench, "served");
    let url = format!("git://127.0.0.1:{}", daemon.1);
    bench.put("list.txt", format!("{url}/ant\n{url}/bee\n{url}/gone\n"));
    let from = "[[consumers.from]]\nrepositories = \"list.txt\"\n[code]\nclone = true\nprotocols = [\"git\"]";
    migration(&bench, from, "[deliver]\nhow = \"branch\"");
    let planned = bench.gander(&["plan"]).expect(0);
    assert!(planned.stdout.contains("is not cloned yet"), "{}", planned.stdout);
    let ran = bench.gander(&["run"]).expect(4);
    assert!(ran.stderr.contains("/gone: can't be cloned"), "{}", ran.stderr);
    let words = outcomes(&bench.ledger());
    assert_eq!(
        (words["ant"].as_str(), words["bee"].as_str(), words["gone"].as_str()),
        ("changed", "changed", "unresolved")
    );
    let found = bench.gander(&["discover", "--format", "json"]).expect(1).json();
    let commit = git(&bench.root.join("served/ant"), &["rev-parse", "HEAD"]);
    let pinned: Vec<&str> =
        found["workspaces"].as_array().unwrap().iter().filter_map(|w| w["commit"].as_str()).collect();
    assert!(pinned.contains(&commit.trim()), "{found:#}");
    let clone = std::fs::read_dir(bench.root.join(".gander/m/clones")).unwrap().map(|entry| entry.unwrap().path());
    let clone = clone.filter(|path| path.is_dir()).find(|path| path.to_string_lossy().contains("/ant-")).unwrap();
    assert_eq!(git(&clone, &["show", "gander/m/ant:job.py"]), DONE);
    assert_eq!(git(&clone, &["rev-list", "--count", "HEAD"]).trim(), "1", "one commit is enough");
}

#[test]
fn every_format_and_the_reasons_of_one() {
    let bench = Bench::copy_of(&super::bench::fixture());
    let table = bench.gander(&["discover", "migration.toml"]);
    for text in ["component:default/account-portal", "group:default/web-accounts", "catalog .", "unresolved: "] {
        assert!(table.stdout.contains(text), "{text}: {}", table.stdout);
    }
    let json = bench.gander(&["discover", "migration.toml", "--format", "json"]).json();
    assert_eq!(json["consumers"].as_array().unwrap().len(), 25);
    assert!(!json.to_string().contains(bench.root.to_str().unwrap()), "no path of this machine");
    let dot = bench.gander(&["discover", "migration.toml", "--format", "dot"]).stdout;
    assert!(dot.starts_with("digraph") && dot.contains("\"resource:default/users-v1\" -> "), "{dot}");
    let tree = bench.gander(&["discover", "migration.toml", "--format", "tree"]).stdout;
    assert!(tree.starts_with("resource:default/users-v1\n  component:"), "{tree}");
    let why = bench.gander(&["discover", "migration.toml", "--why", "gdpr-export"]).expect(0).stdout;
    assert!(why.contains("spec.dependencyOf of resource:default/users-v1 names"), "{why}");
    assert!(why.contains("named by: catalog ."), "{why}");
    bench.gander(&["discover", "migration.toml", "--why", "nobody"]).expect(2);
}

#[test]
fn what_was_not_searched_is_not_complete() {
    let bench = Bench::new();
    let required = format!("complete = \"required\"\nnames = [\"users_v1\"]\n{FOLDERS}");
    migration(&bench, &required, CHECKOUT);
    job(&bench, "ant");
    bench.put("apps/ant/node_modules/x/index.js", "read(\"users_v1\")\n");
    let ended = bench.gander(&["run"]).expect(4);
    assert!(ended.stdout.contains("apps/ant/node_modules is not searched"), "{}", ended.stdout);
    assert!(ended.stderr.contains("nothing was changed"), "{}", ended.stderr);
    assert_eq!(bench.text("apps/ant/job.py"), JOB);
    let exclude =
        "[[consumers.exclude]]\npath = \"apps/*/node_modules/**\"\nreason = \"others' code\"\nuntil = 2999-01-01\n";
    migration(&bench, &format!("{required}\n{exclude}"), CHECKOUT);
    bench.gander(&["run"]).expect(0);
    assert_eq!(bench.text("apps/ant/job.py"), DONE);
}
