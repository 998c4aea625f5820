//! Fetch steps: what they may reach, what they are given, and what is left of them.

use super::*;
use gander::config::{Fetch, Seed};
use gander::process::Invocation;
use gander::sandbox::Job;
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
        let fetched = sandbox.fetch(&Job { pinned_tree: &bench.tree(), changes: &[], steps, shown: &[], keep: None });
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

#[test]
fn credentials_are_for_one_step_and_are_told_to_nobody() {
    // Any variable of this process may serve as a secret; inside, this one is another.
    let secret = std::env::var("HOME").unwrap();
    let bench = bench();
    let given = fetch("echo \"got $HOME\"", &[], &["HOME"], &["~/.cache"]);
    let not_given = Step { name: "other".to_owned(), ..fetch("env", &[], &[], &[]) };
    let steps = [given, not_given];
    let sandbox = bench.sandbox(&config());
    let job = Job { pinned_tree: &bench.tree(), changes: &[], steps: &steps, shown: &[], keep: None };
    let fetched = sandbox.fetch(&job).unwrap();
    assert_eq!(fetched.steps[0].output, "got [HOME]\n");
    assert!(!fetched.steps[1].output.contains(&format!("HOME={secret}\n")), "{:?}", fetched.steps[1]);
    let unset = fetch("true", &[], &["GANDER_TEST_NO_SUCH_SECRET"], &[]);
    let fetched = sandbox.fetch(&Job { steps: &[unset], ..job }).unwrap();
    assert!(matches!(&fetched.steps[0].end, StepEnd::NotStarted(why) if why.contains("NO_SUCH_SECRET")));
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
        let job = Job { pinned_tree: &tree, changes: &[], steps: &steps, shown: &[], keep: None };
        let sandbox = bench.sandbox(&config);
        let fetched = sandbox.fetch(&job).unwrap();
        assert_eq!(fetched.steps[0].end, StepEnd::Exited(0), "{fetched:?}");
        assert_eq!(fetched.shown.len(), 2, "{fetched:?}");
        let seeds = vec![Seed { from: seed.clone(), to: "~/.bigquery".to_owned() }];
        let read = Step { seeds, ..sh("cat ~/.m2/x/jar node_modules/m ~/.bigquery/users.json src/a; ls ~/token") };
        let write = Step { name: "write".to_owned(), ..sh("echo x > ~/.m2/x/y || echo x > node_modules/y") };
        let both = [read, write];
        let side = sandbox.run(&Job { steps: &both, shown: &fetched.shown, ..job }).unwrap();
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
