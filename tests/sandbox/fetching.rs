//! Fetch steps: what they may reach, what they are given, and what is left of them.

use super::*;
use gander::config::{Fetch, Seed};
use gander::digest::Digest;
use gander::process::Invocation;
use gander::sandbox::Job;
use gander::verify::{Cache, Subject, VerdictKind, verify};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

/// A server of this machine that answers everyone with the same page.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for mut line in listener.incoming().flatten() {
            let mut head = [0; 1024];
            let _ = line.read(&mut head);
            let page = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\npackage\n";
            let _ = line.write_all(page.as_bytes());
        }
    });
    host
}

/// `GET http://HOST/` through the proxy that the environment names.
const GET: &str = r#"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv) {
    const char *proxy = getenv("http_proxy");
    struct sockaddr_in in = { .sin_family = AF_INET };
    inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
    in.sin_port = htons(atoi(strrchr(argc > 2 || !proxy ? argv[1] : proxy, ':') + 1));
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(s, (void *)&in, sizeof in)) return 7;
    char text[4096];
    int n = snprintf(text, sizeof text, "GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n", argv[1], argv[1]);
    if (write(s, text, n) != n) return 8;
    int ok = 0, got;
    while ((got = read(s, text, sizeof text - 1)) > 0) {
        text[got] = 0;
        if (strstr(text, "200 OK")) ok = 1;
        if (strstr(text, "package")) printf("package\n");
    }
    return ok ? 0 : 9;
}"#;

fn fetch(script: &str, hosts: &[String], credentials: &[&str], caches: &[&str]) -> Step {
    let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let fetch = Fetch { hosts: hosts.to_vec(), credentials: strings(credentials), caches: strings(caches) };
    Step { name: "fetch".to_owned(), fetch: Some(fetch), ..sh(script) }
}

fn bench() -> Bench {
    let bench = Bench::new(&[("get.c", GET)]);
    Invocation::new("cc").arg("-o").arg(bench.tree().join("get")).arg(bench.tree().join("get.c")).run().unwrap();
    bench
}

#[test]
fn a_fetch_reaches_the_listed_hosts_and_nothing_else() {
    let (bench, listed, other) = (bench(), server(), server());
    let job = |steps: &[Step]| {
        let sandbox = bench.sandbox(&config());
        let fetched =
            sandbox.fetch(&Job { pinned_tree: &bench.tree(), changes: &[], steps, fetched: None, keep: None });
        fetched.unwrap().steps.remove(0)
    };
    let result = job(&[fetch(&format!("./get {listed}"), std::slice::from_ref(&listed), &[], &[])]);
    assert_eq!((&result.end, result.output.as_str()), (&StepEnd::Exited(0), "package\n"), "{result:?}");
    let result = job(&[fetch(&format!("./get {other}"), std::slice::from_ref(&listed), &[], &[])]);
    assert_eq!(result.end, StepEnd::Exited(9), "{result:?}");
    assert!(result.output.contains(&format!("refused the way to {other}")), "{result:?}");
    // Past the proxy there is no way at all; outside of the sandbox there is.
    let past = format!("./get {listed} directly");
    let result = job(&[fetch(&past, std::slice::from_ref(&listed), &[], &[])]);
    assert_eq!(result.end, StepEnd::Exited(7), "{result:?}");
    assert_eq!(bench.one(&open(), sh(&past)).end, StepEnd::Exited(0));
    // A step that does not fetch has neither proxy nor network.
    let result = bench.one(&config(), sh(&format!("env | grep -i proxy; ./get {listed}; echo $?")));
    assert_eq!(result.output, "7\n", "{result:?}");
}

/// A variable of this process that may serve as a secret, and its value.
fn secret() -> (&'static str, String) {
    let set = |name: &&str| std::env::var_os(name).is_some();
    let name = ["GANDER_TEST_EXE", "CARGO_MANIFEST_DIR"].into_iter().find(set).unwrap();
    (name, std::env::var(name).unwrap())
}

#[test]
fn credentials_are_for_one_step_and_are_told_to_nobody() {
    let (name, value) = secret();
    let bench = bench();
    let print = format!("echo \"got ${name}\"; printf %s \"user:${name}\" | base64 -w 0; echo; echo to ${name} >&2");
    let given = fetch(&print, &[], &[name], &["~/.cache"]);
    let not_given = Step { name: "other".to_owned(), ..fetch("env", &[], &[], &[]) };
    let steps = [given, not_given];
    let sandbox = bench.sandbox(&config());
    let job = Job { pinned_tree: &bench.tree(), changes: &[], steps: &steps, fetched: None, keep: None };
    let fetched = sandbox.fetch(&job).unwrap();
    let output = &fetched.steps[0].output;
    assert!(output.contains(&format!("got [{name}]\n")) && output.contains(&format!("to [{name}]\n")), "{output}");
    assert_eq!(output.matches(&format!("[{name}]")).count(), 3, "{output}");
    let other = &fetched.steps[1];
    assert!(other.output.contains("HOME=") && !other.output.contains(name), "{other:?}");
    assert!(!format!("{fetched:?}").contains(&value), "{fetched:?}");
    let refused = |name: &str| {
        let fetched = sandbox.fetch(&Job { steps: &[fetch("true", &[], &[name], &[])], ..job }).unwrap();
        fetched.steps[0].end.to_string()
    };
    assert!(refused("GANDER_TEST_NO_SUCH_SECRET").contains("NO_SUCH_SECRET is not set"));
}

#[test]
fn a_credential_is_left_to_nobody() {
    let (name, value) = secret();
    for config in [config(), open()] {
        let bench = Bench::new(&[("src/a", "a")]);
        let (tree, sandbox) = (bench.tree(), bench.sandbox(&config));
        let ends = |steps: &[Step]| {
            let job = Job { pinned_tree: &tree, changes: &[], steps, fetched: None, keep: None };
            let fetched = sandbox.fetch(&job).unwrap();
            assert!(!format!("{fetched:?}").contains(&value), "{fetched:?}");
            fetched.steps.into_iter().map(|step| step.end.to_string()).collect::<Vec<_>>()
        };
        let one = |script: &str| ends(&[fetch(script, &[], &[name], &["~/.m2", "node_modules"])]);
        let green = "exit code 0";
        assert_eq!(one("mkdir ~/.m2; echo jar > ~/.m2/jar; echo $HOME > ~/.m2/home"), [green]);
        let leaks = [
            (format!("mkdir ~/.m2; echo \"<password>${name}</password>\" > ~/.m2/settings.xml"), "~/.m2/settings.xml"),
            (
                format!("mkdir -p node_modules/.x; printf %s \"u:${name}\" | base64 -w 0 > node_modules/.x/auth"),
                "node_modules/.x/auth",
            ),
            (format!("mkdir ~/.m2; ln -s \"/x${name}\" ~/.m2/link"), "~/.m2/link"),
            (format!("mkdir ~/.m2; echo \"${name}\" > ~/.m2/a; touch ~/.m2/b; chmod 444 ~/.m2/a"), "~/.m2/a"),
        ];
        for (script, place) in leaks {
            let end = one(&script).remove(0);
            let expected =
                format!("refused: it has left the credential {name} in {place}, where later steps would see it");
            assert!(end.starts_with(&expected), "{script}: {end}");
        }
        // What is searched is bounded, holes of files included.
        let small = SandboxConfig { disk: 100 << 20, ..config.clone() };
        let holes = fetch("mkdir ~/.m2; truncate -s 60M ~/.m2/a ~/.m2/b", &[], &[name], &["~/.m2"]);
        let job = Job { pinned_tree: &tree, changes: &[], steps: &[holes], fetched: None, keep: None };
        let end = bench.sandbox(&small).fetch(&job).unwrap().steps[0].end.to_string();
        assert!(end.contains("too much to be searched"), "{end}");
        // What is in no cache is gone before the steps begin, but not before the next fetch.
        let aside = format!("echo \"${name}\" > ~/.npmrc");
        assert_eq!(one(&aside), [green]);
        let after =
            |credentials: &[&str]| Step { name: "after".to_owned(), ..fetch("cat ~/.npmrc", &[], credentials, &[]) };
        let first = fetch(&aside, &[], &[name], &[]);
        assert_eq!(ends(&[first.clone(), after(&[name])]), [green, green]);
        let refused = ends(&[first, after(&[])]);
        assert!(refused.len() == 1 && refused[0].contains("in ~/.npmrc, where the next fetch step"), "{refused:?}");
    }
}

/// What is compressed is not found in a cache: what later steps make of it is cut.
#[test]
fn a_credential_is_cut_out_of_all_that_later_steps_say() {
    let (name, value) = secret();
    let bench = Bench::new(&[("note", "green\n")]);
    let hide = format!("mkdir ~/.m2; printf %s \"${name}\" | gzip > ~/.m2/packed");
    let tell = "mkdir out test-results; S=$(gzip -dc ~/.m2/packed); echo \"said $S\"; echo \"$S\" > out/file.txt
        touch \"out/$(echo $S | tr / %).txt\"; echo \"error: $S is wrong\" >&2
        test \"$(cat note)\" = green && end='<testcase name=\"'$S'\"/>' ||
            end='<testcase name=\"'$S'\"><failure message=\"error: no '$S'\">'$S'</failure></testcase>'
        echo \"<testsuite name=\\\"$S\\\">$end</testsuite>\" > test-results/a.xml
        test \"$(cat note)\" = green";
    let snapshot = vec!["stdout".to_owned(), "out/*.txt".to_owned()];
    let steps = [fetch(&hide, &[], &[name], &["~/.m2"]), Step { name: "tell".to_owned(), snapshot, ..sh(tell) }];
    let cache = Cache::new(bench.folder.path().join("baselines"), Digest::of(b"sandbox"), Vec::new());
    let (tree, changes) = (bench.tree(), [changed("note", Some("red\n"))]);
    let subject = Subject { tree: Some("tree"), cache: Some(&cache), ..Subject::new(&tree, &changes, &steps) };
    let verdict = verify(&bench.sandbox(&config()), &subject).unwrap();
    assert_eq!(verdict.kind, VerdictKind::Regressed, "{verdict:#?}");
    assert_eq!(verdict.tests.1, 1, "{verdict:#?}");
    let told = serde_json::to_string(&verdict).unwrap();
    let kept: Vec<_> = std::fs::read_dir(cache.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    let kept = std::fs::read_to_string(&kept[0]).unwrap();
    for (what, text) in [("verdict", &told), ("baseline", &kept)] {
        assert!(!text.contains(&value) && text.contains(&format!("[{name}]")), "{what}: {text}");
    }
    let signature = verdict.signature.unwrap();
    assert!(signature.contains(&format!("[{name}]")), "{signature}");
    // A cache that cannot be given on is no verdict over the code.
    let leave = fetch(&format!("mkdir ~/.m2; echo \"${name}\" > ~/.m2/plain"), &[], &[name], &["~/.m2"]);
    let verdict = verify(&bench.sandbox(&config()), &Subject::new(&tree, &changes, &[leave, sh("true")])).unwrap();
    assert_eq!(verdict.kind, VerdictKind::Infra, "{verdict:#?}");
    assert!(verdict.reason.contains("refused: it has left the credential") && verdict.reason.contains("~/.m2/plain"));
}

#[test]
fn caches_and_seeds_are_seen_read_only() {
    for config in [config(), open()] {
        let bench = Bench::new(&[("src/a", "a")]);
        let seed = bench.folder.path().join("schemas");
        put(&seed.join("users.json"), "schema\n");
        let fill = "mkdir -p ~/.m2/x node_modules; echo jar > ~/.m2/x/jar; echo module > node_modules/m; echo secret > ~/token";
        let fetch = fetch(fill, &[], &[], &["~/.m2", "node_modules", "~/never-made"]);
        let steps = [fetch, sh("true")];
        let tree = bench.tree();
        let job = Job { pinned_tree: &tree, changes: &[], steps: &steps, fetched: None, keep: None };
        let sandbox = bench.sandbox(&config);
        let fetched = sandbox.fetch(&job).unwrap();
        assert_eq!(fetched.steps[0].end, StepEnd::Exited(0), "{fetched:?}");
        assert_eq!(fetched.shown.len(), 2, "{fetched:?}");
        let seeds = vec![Seed { from: seed.clone(), to: "~/.bigquery".to_owned() }];
        let read = Step { seeds, ..sh("cat ~/.m2/x/jar node_modules/m ~/.bigquery/users.json src/a; ls ~/token") };
        let write = Step { name: "write".to_owned(), ..sh("echo x > ~/.m2/x/y || echo x > node_modules/y") };
        let both = [read, write];
        let side = sandbox.run(&Job { steps: &both, fetched: Some(&fetched), ..job }).unwrap();
        assert!(side.steps[0].output.starts_with("jar\nmodule\nschema\na"), "{side:?}");
        assert!(side.steps[0].output.contains("No such file"), "{side:?}");
        if config.mode == SandboxMode::Namespaces {
            assert_ne!(side.steps[1].end, StepEnd::Exited(0), "{side:?}");
            assert!(side.enforced.iter().any(|name| name == "network-off"));
        }
        drop(fetched);
        assert_eq!(std::fs::read_dir(bench.scratch()).unwrap().count(), 0);
    }
}
