//! A fleet that moves between two runs: consumers that are born, renamed, moved, archived,
//! left out and taken in again, through the program.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bench::{Bench, outcomes};
use super::discovery::{DONE, JOB, migration};

const CHECKOUT: &str = "[deliver]\nhow = \"checkout\"";
const FROM: &str = "of = [\"resource:users\"]\n[[consumers.from]]\ncatalog = \"apps\"";

fn entity(kind: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\nspec: {{{spec}}}\n")
}

/// A consumer in a folder, described by a catalog file.
fn consumer(bench: &Bench, folder: &str, name: &str, lifecycle: &str) {
    let spec = format!("lifecycle: {lifecycle}, dependsOn: ['resource:users']");
    bench.put(&format!("apps/{folder}/catalog-info.yaml"), entity("Component", name, &spec));
}

fn fleet(bench: &Bench, names: &[&str]) {
    bench.put("apps/catalog-info.yaml", entity("Resource", "users", "type: table"));
    for name in names {
        consumer(bench, name, name, "production");
        bench.put(&format!("apps/{name}/job.py"), JOB);
    }
}

/// What `discover --refresh` says of the changes, one line each, and that it changed nothing.
fn changes(bench: &Bench) -> Vec<String> {
    let before = super::bench::tree(&bench.root);
    let ended = bench.gander(&["discover", "--refresh"]);
    assert_eq!(super::bench::tree(&bench.root), before);
    let mut lines = ended.stdout.lines().skip_while(|line| *line != "since the last run:").skip(1);
    let changes: Vec<String> =
        lines.by_ref().take_while(|line| !line.is_empty()).map(|line| line.trim().to_owned()).collect();
    let json = bench.gander(&["discover", "--format", "json"]).json();
    assert_eq!(json["changes"].as_array().unwrap().len(), changes.len(), "{json:#}");
    changes
}

/// The wave of each place of code.
fn waves(ledger: &Value) -> BTreeMap<String, u64> {
    let rows = ledger["rows"].as_array().unwrap().iter();
    rows.filter_map(|row| Some((row["workspace"].as_str()?.to_owned(), row["wave"].as_u64()?))).collect()
}

#[test]
fn born_renamed_moved_archived_and_gone() {
    let bench = Bench::new();
    migration(&bench, FROM, CHECKOUT);
    fleet(&bench, &["ant", "bee", "cat", "dog", "eel"]);
    bench.gander(&["run"]).expect(0);
    assert_eq!(changes(&bench), [""; 0]);
    let before = bench.ledger();
    let old = waves(&before);
    assert_eq!(old.len(), 5);
    // One of each kind.
    consumer(&bench, "fox", "fox", "production");
    bench.put("apps/fox/job.py", JOB);
    consumer(&bench, "bee", "bumblebee", "production");
    std::fs::rename(bench.root.join("apps/cat"), bench.root.join("apps/tiger")).unwrap();
    consumer(&bench, "dog", "dog", "deprecated");
    std::fs::remove_file(bench.root.join("apps/eel/catalog-info.yaml")).unwrap();
    assert_eq!(
        changes(&bench),
        [
            "component:default/bumblebee was called component:default/bee: keeps its wave and what was delivered",
            "component:default/cat has moved from apps/cat: its wave was opened: it stays in it, and what was delivered stays; its new code joins wave 4, the last, if it has something to change",
            "component:default/dog is on its way out (deprecated): stays in its wave: leave it out with [[consumers.exclude]] if nobody will run it",
            "component:default/eel is named by no source any more: its wave was opened: it stays in it, and what was delivered stays",
            "component:default/fox is new: joins wave 4, the last, if it has something to change",
        ]
    );
    let ran = bench.gander(&["run"]).expect(0);
    assert!(ran.stderr.contains("component:default/fox is new"), "{}", ran.stderr);
    let after = bench.ledger();
    let mut new = waves(&after);
    assert_eq!(new.remove("apps/fox"), Some(4), "a newcomer is in the last wave");
    assert_eq!(new, old, "delivered waves keep their members");
    assert_eq!(outcomes(&after)["cat"], "unchanged", "the moved code has its change already");
    let words = outcomes(&after);
    for name in ["ant", "bumblebee", "dog", "fox"] {
        assert_eq!(words[name], "changed", "{name}: {words:?}");
    }
    for folder in ["ant", "bee", "tiger", "dog", "eel", "fox"] {
        assert_eq!(bench.text(&format!("apps/{folder}/job.py")), DONE, "{folder}");
    }
    // Once taken in, they are no news, and a run starts nothing twice.
    assert_eq!(changes(&bench).iter().filter(|line| !line.contains("eel")).count(), 0, "{:?}", changes(&bench));
    bench.gander(&["run"]).expect(0);
    assert_eq!(bench.ledger(), after);
}

#[test]
fn exclusions_have_a_reason_and_an_end() {
    let bench = Bench::new();
    fleet(&bench, &["ant", "bee", "cat"]);
    let exclude = |until: &str| {
        let more =
            format!("[[consumers.exclude]]\nconsumer = \"bee\"\nreason = \"frozen for the audit\"\nuntil = {until}\n");
        migration(&bench, &format!("{FROM}\n{more}"), CHECKOUT);
    };
    exclude("2999-01-01");
    let table = bench.gander(&["discover"]).stdout;
    assert!(table.contains("left out:\n  component:default/bee until 2999-01-01: frozen for the audit"), "{table}");
    let why = bench.gander(&["discover", "--why", "bee"]).expect(0).stdout;
    assert!(why.contains("left out until 2999-01-01: frozen for the audit"), "{why}");
    bench.gander(&["run"]).expect(0);
    assert_eq!(bench.text("apps/bee/job.py"), JOB, "it is left alone");
    assert!(!outcomes(&bench.ledger()).contains_key("bee"));
    // Its day is over: it is in again, and that is said.
    exclude("2020-01-01");
    bench.gander(&["run"]).expect(5);
    let ended = bench.gander(&["run", "--replan"]).expect(0);
    assert!(
        ended.stderr.contains("the exclusion of component:default/bee (frozen for the audit) ended with 2020-01-01"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("component:default/bee is new"), "{}", ended.stderr);
    assert_eq!(bench.text("apps/bee/job.py"), DONE);
    // And left out once more, after it was delivered: what was delivered stays.
    exclude("2999-01-01");
    let said = changes(&bench);
    assert_eq!(
        said,
        ["component:default/bee is left out now: its wave was opened: it stays in it, and what was delivered stays"]
    );
    bench.gander(&["run", "--replan"]).expect(0);
    assert_eq!(bench.text("apps/bee/job.py"), DONE);
}

#[test]
fn every_witness_and_the_chain_of_one_that_is_far_away() {
    let bench = Bench::new();
    let from = format!(
        "{FROM}\n[[consumers.from]]\nfolders = [\"apps/ant\"]\n[[consumers.from]]\nrepositories = \"list.txt\""
    );
    migration(&bench, &from, CHECKOUT);
    bench.put("list.txt", "apps/ant\n");
    fleet(&bench, &["ant", "bee"]);
    bench.put("apps/far/catalog-info.yaml", entity("Component", "far", "dependsOn: ['component:bee']"));
    let why = bench.gander(&["discover", "--why", "ant"]).expect(0).stdout;
    assert!(why.contains("named by: catalog apps, folders apps/ant, repositories list.txt"), "{why}");
    assert_eq!(why.lines().filter(|line| line.starts_with("  ") && line.contains("ant")).count(), 4, "{why}");
    let why = bench.gander(&["discover", "--why", "far"]).expect(0).stdout;
    let chain = "  1. spec.dependsOn of component:default/bee names resource:default/users (apps/bee/catalog-info.yaml:5)\n\
                 \x20 2. spec.dependsOn of component:default/far names component:default/bee (apps/far/catalog-info.yaml:5)\n\
                 \x20 it is further downstream, and not migrated\n";
    assert!(why.contains(chain), "{why}");
}

/// What a catalog writes reaches neither the terminal's commands nor a text that it could forge.
#[test]
fn what_a_catalog_writes_is_shown_and_not_obeyed() {
    let bench = Bench::new();
    migration(&bench, FROM, CHECKOUT);
    fleet(&bench, &["ant"]);
    let spec = "lifecycle: \"a\\u009b2J\\e[31m\\u202egnp\\nforged line\", owner: ['x'], dependsOn: ['resource:users']";
    bench.put("apps/bee/catalog-info.yaml", entity("Component", "bee", spec));
    bench.put("apps/cat/catalog-info.yaml", "kind: \"\\u009b31m\"\nmetadata: {name: \"\\e]0;x\\a\"}\n");
    let obeyed = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    for arguments in [
        &["discover"][..],
        &["discover", "--format", "json"],
        &["discover", "--format", "tree"],
        &["discover", "--format", "dot"],
        &["discover", "--why", "bee"],
        &["plan"],
        &["status"],
    ] {
        let ended = bench.gander(arguments);
        for text in [&ended.stdout, &ended.stderr] {
            assert!(!text.contains(obeyed), "{arguments:?}: {text:?}");
            assert!(!text.lines().any(|line| line.starts_with("forged")), "{arguments:?}: {text}");
        }
    }
}

#[test]
fn a_repository_that_goes_by_another_name_is_delivered_once() {
    let bench = Bench::new();
    for name in ["ant", "bee"] {
        super::git_server::repository(&bench, name, &[("job.py", JOB)]);
    }
    let server = super::git_server::GitServer::start(&bench.root.join("served"), Default::default());
    let listed = |names: &[&str]| {
        let urls: Vec<String> = names.iter().map(|name| format!("{}/{name}", server.url)).collect();
        bench.put("list.txt", urls.join("\n"));
    };
    listed(&["ant", "bee"]);
    let from = "[[consumers.from]]\nrepositories = \"list.txt\"\n[code]\nclone = true\nprotocols = [\"http\"]";
    migration(&bench, from, "[deliver]\nhow = \"branch\"");
    bench.gander(&["run"]).expect(0);
    let before = bench.ledger();
    // Its owner gives it another name, and goes on working in it.
    std::fs::rename(bench.root.join("served/bee"), bench.root.join("served/bumblebee")).unwrap();
    std::fs::write(bench.root.join("served/bumblebee/more.py"), "more = 1\n").unwrap();
    super::bench::git(&bench.root.join("served/bumblebee"), &["add", "."]);
    super::bench::git(&bench.root.join("served/bumblebee"), &["commit", "-q", "-m", "two"]);
    listed(&["ant", "bumblebee"]);
    let host = server.url.strip_prefix("http://").unwrap();
    let told = [
        "component:default/bumblebee was called component:default/bee: keeps its wave and what was delivered"
            .to_owned(),
        format!(
            "component:default/bumblebee lies in a repository that was called {host}/bee: its history is the same: it keeps its clone, its wave and what was delivered"
        ),
    ];
    let table = bench.gander(&["discover"]).stdout;
    told.iter().for_each(|line| assert!(table.contains(line), "{table}"));
    let ran = bench.gander(&["run"]).expect(0);
    told.iter().for_each(|line| assert!(ran.stderr.contains(line), "{}", ran.stderr));
    let after = bench.ledger();
    assert_eq!(waves(&after), waves(&before), "each has its wave, and nobody joins one");
    assert_eq!(after["rows"].as_array().unwrap().len(), 2, "{after:#}");
    assert_eq!(outcomes(&after)["bumblebee"], "changed");
    // Taken in, it is no news.
    let table = bench.gander(&["discover"]).stdout;
    assert!(!table.contains("since the last run"), "{table}");
    bench.gander(&["run"]).expect(0);
    assert_eq!(bench.ledger(), after);
}
