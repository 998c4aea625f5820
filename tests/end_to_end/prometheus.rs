//! Gates that ask a real Prometheus. Left out of a plain `cargo test`, and said so: it needs
//! Debian's `prometheus`, which `.ci/run` installs.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::bench::Bench;

struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Prometheus that scrapes itself, ready to be asked.
fn server(bench: &Bench) -> Server {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    bench.put(
        "prometheus.yml",
        format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: itself\n    static_configs:\n      \
             - targets: ['127.0.0.1:{port}']\n"
        ),
    );
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", bench.root.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", bench.root.join("tsdb").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus is installed");
    let server = Server { child, port };
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it does not listen");
        std::thread::sleep(Duration::from_millis(100));
    }
    server
}

fn migration(bench: &Bench, port: u16, gate: &str) {
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"small\"\ntitle = \"t\"\nrules = [\"small.rhai\"]\n\
             [[consumers.from]]\nfolders = [\"apps/*\"]\n\
             [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"-c\", \"test -s job.py\"]\n\
             [rollout]\nwaves = [\"100%\"]\n[[rollout.gate]]\nkind = \"approval\"\n\
             [[rollout.gate]]\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:{port}\"\n{gate}\n"
        ),
    );
}

/// What the gate that asks Prometheus says now.
fn says(bench: &Bench, port: u16, gate: &str) -> (String, String) {
    migration(bench, port, gate);
    let json = bench.gander(&["run", "--dry-run-gates", "--json"]).json();
    let findings = json["gates"].as_array().unwrap();
    // By its query; the others are approval and the evidence that every wave needs.
    let asked = findings.iter().find(|finding| finding["gate"].as_str().unwrap().starts_with('`')).unwrap();
    (asked["says"].as_str().unwrap().to_owned(), asked["why"].as_str().unwrap().to_owned())
}

#[test]
#[ignore = "needs Debian's prometheus: cargo test --test end_to_end -- --ignored prometheus::"]
fn data_passes_or_fails_and_everything_else_can_not_tell() {
    let bench = Bench::new();
    bench.put("small.rhai", "rule(\"small/a\").lang(\"python\").find(\"old($X)\").replace(\"new($X)\");\n");
    bench.put("apps/ant/job.py", "old(1)\n");
    bench.commit_all();
    let server = server(&bench);
    migration(&bench, server.port, "query = \"vector(0)\"\nmax = 0.5");
    bench.gander(&["run"]).expect(4);
    // Its own first scrape is a second away; on a busy machine later ones may take too long.
    let seen = "max_over_time(up{job='itself'}[5m])";
    let begun = Instant::now();
    let up = format!("query = \"1 - {seen}\"\nmax = 0.5");
    while says(&bench, server.port, &up).0 != "pass" {
        assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", says(&bench, server.port, &up));
        std::thread::sleep(Duration::from_millis(300));
    }
    let said = |query: &str| says(&bench, server.port, &format!("query = \"{query}\"\nmax = 0.5"));
    assert_eq!(said(seen).0, "fail", "1 is more than 0.5");
    let (word, why) = said("nobody_by_that_name");
    assert_eq!(word, "inconclusive", "{why}");
    let (word, why) = said("sum(up");
    assert!(word == "inconclusive" && why.contains("parse error"), "{word}: {why}");
    let (word, why) = said("vector(0) / 0");
    assert_eq!(word, "inconclusive", "no number: {why}");
    // Nobody is there any more.
    let port = server.port;
    drop(server);
    let (word, why) = says(&bench, port, &up);
    assert_eq!(word, "inconclusive", "{why}");
}
