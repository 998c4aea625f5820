//! A real Backstage catalog, started from the npm packages in `tests/backstage`.
//!
//! These tests are ignored, because they need `npm ci` in that folder (or in the one
//! that `GANDER_BACKSTAGE` names) and Node 20. `.ci/run` installs and runs them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::bench::Bench;

const TOKEN: &str = "a-static-token-of-the-tests";
/// Direct consumers.
const CONSUMERS: usize = 1_800;

/// A running catalog, which ends with the test.
struct Backstage {
    child: Arc<Mutex<Child>>,
    url: String,
    log: PathBuf,
}

impl Backstage {
    /// Starts a catalog that reads `files`, and waits until it has taken in `count` entities.
    fn start(bench: &Bench, files: &[&str], count: u64) -> Self {
        let home = std::env::var_os("GANDER_BACKSTAGE")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backstage"), PathBuf::from);
        assert!(home.join("node_modules").is_dir(), "run `npm ci` in {} first", home.display());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        bench.put("backstage.yaml", config(bench, &url, port, files));
        let log = bench.root.join("backstage.log");
        let out = std::fs::File::create(&log).unwrap();
        let child = Command::new("node")
            .arg("serve.mjs")
            .arg("--config")
            .arg(bench.root.join("backstage.yaml"))
            .current_dir(&home)
            .stdin(Stdio::null())
            .stderr(out.try_clone().unwrap())
            .stdout(out)
            .spawn()
            .expect("node starts");
        let backstage = Self { child: Arc::new(Mutex::new(child)), url, log };
        backstage.wait_for(count);
        backstage
    }

    fn wait_for(&self, count: u64) {
        let begun = Instant::now();
        let mut last = 0;
        while last != count {
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                panic!("it ended: {status}; {}", std::fs::read_to_string(&self.log).unwrap());
            }
            if begun.elapsed() > Duration::from_secs(240) {
                panic!("{last} of {count} entities; {}", std::fs::read_to_string(&self.log).unwrap());
            }
            std::thread::sleep(Duration::from_millis(500));
            let filter = "filter=kind=component&filter=kind=resource&filter=kind=api&limit=0";
            let answer = get(&self.url, &format!("/api/catalog/entities/by-query?{filter}"));
            let parsed = answer.and_then(|body| serde_json::from_str::<Value>(&body).ok());
            last = parsed.and_then(|page| page["totalItems"].as_u64()).unwrap_or(0);
        }
    }
}

impl Drop for Backstage {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn config(bench: &Bench, url: &str, port: u16, files: &[&str]) -> String {
    let location = |file: &&str| format!("    - {{type: file, target: '{}'}}\n", bench.root.join(file).display());
    format!(
        "app: {{baseUrl: '{url}'}}\n\
         backend:\n  baseUrl: '{url}'\n  listen: {{host: 127.0.0.1, port: {port}}}\n\
         \x20 database: {{client: better-sqlite3, connection: ':memory:'}}\n\
         \x20 auth:\n    externalAccess:\n    - type: static\n      options: {{token: {TOKEN}, subject: gander-tests}}\n\
         catalog:\n  rules: [{{allow: [Component, Resource, API, Location]}}]\n  locations:\n{}",
        files.iter().map(location).collect::<String>()
    )
}

/// The body that a GET with the token answers, by nothing but a socket.
fn get(url: &str, path: &str) -> Option<String> {
    let host = url.strip_prefix("http://")?;
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer.split_once("\r\n\r\n")?.1.to_owned())
}

/// A door before a catalog: it counts what goes through, and closes for good, with the
/// catalog killed, once it is asked for the `last` page.
fn door(backstage: &Backstage, last: usize) -> String {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", door.local_addr().unwrap());
    let (inner, child) = (backstage.url.clone(), Arc::clone(&backstage.child));
    std::thread::spawn(move || {
        let pages = Arc::new(AtomicUsize::new(0));
        for stream in door.incoming() {
            let Ok(stream) = stream else { return };
            let Ok(server) = TcpStream::connect(inner.strip_prefix("http://").unwrap()) else { continue };
            let (pages, child) = (Arc::clone(&pages), Arc::clone(&child));
            let (mut back, mut out) = (server.try_clone().unwrap(), stream.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back, &mut out));
            std::thread::spawn(move || through(stream, server, &pages, last, &child));
        }
    });
    url
}

fn through(mut from: TcpStream, mut to: TcpStream, pages: &AtomicUsize, last: usize, child: &Mutex<Child>) {
    let mut buffer = [0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..count]);
        let asks = text.contains("by-query") && !text.contains("limit=0");
        if asks && pages.fetch_add(1, Ordering::SeqCst) + 1 == last {
            let mut child = child.lock().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            return;
        }
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

fn entity(kind: &str, name: &str, metadata: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n{metadata}spec: {{{spec}}}\n"
    )
}

/// What is replaced, its consumers, somebody further downstream, and what is wrong.
fn catalog(bench: &Bench) {
    let mut text = entity("Resource", "users-v1", "", "type: table, owner: data, dependencyOf: ['component:ghost']");
    text += &entity("API", "users-api", "", "type: dataset, owner: data, lifecycle: production, definition: x");
    for number in 0..CONSUMERS {
        let location = format!("url:https://git.example.org/fleet/c{number:04}/tree/main/");
        let metadata = format!(
            "  labels: {{example.org/tier: gold}}\n  annotations: {{backstage.io/source-location: '{location}'}}\n"
        );
        // Short references: only `relations` has them in full.
        let relation = if number % 2 == 0 { "dependsOn: ['resource:users-v1']" } else { "consumesApis: [users-api]" };
        let spec = format!("type: service, owner: team-{}, lifecycle: production, {relation}", number % 7);
        text += &entity("Component", &format!("c{number:04}"), &metadata, &spec);
    }
    let spec = "type: service, owner: x, lifecycle: production";
    text +=
        &entity("Component", "below", "", &format!("{spec}, dependsOn: ['component:c0000'], providesApis: [below]"));
    text += &entity("API", "below", "", "type: openapi, owner: x, lifecycle: production, definition: x");
    text +=
        &entity("Component", "lowest", "", &format!("{spec}, consumesApis: [below], dependsOn: ['resource:nowhere']"));
    // The same entity once more, and one of its name elsewhere: two entities, not three.
    text += &entity("Component", "c0001", "", &format!("{spec}, consumesApis: [users-api]"));
    text += &entity("Component", "c0001", "  namespace: other\n", &spec.replace("owner: x", "owner: y"));
    bench.put("catalog.yaml", text);
}

fn migration(bench: &Bench, url: &str) {
    bench.put("none.rhai", "rule(\"none/none\").lang(\"python\").find(\"users_v1\").replace(\"users_v2\");\n");
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"live\"\ntitle = \"t\"\nrules = [\"none.rhai\"]\n\
             [consumers]\nof = [\"resource:users-v1\", \"api:users-api\"]\n\
             [[consumers.from]]\nbackstage = \"{url}\"\ntoken_env = \"TOKEN\"\npage = 200\nsettle = \"1s\"\n"
        ),
    );
}

fn discover(bench: &Bench, token: &str) -> (Option<i32>, Value, String) {
    let ended = bench.gander_with(&[("TOKEN", token.as_ref())], &["discover", "--format", "json"]);
    assert!(!ended.stderr.contains(token) && !ended.stdout.contains(token), "the token is shown");
    let json = serde_json::from_str(&ended.stdout).unwrap_or(Value::Null);
    (ended.code, json, ended.stderr)
}

fn names(found: &Value) -> Vec<&str> {
    found["consumers"].as_array().unwrap().iter().map(|one| one["entity"].as_str().unwrap()).collect()
}

#[test]
#[ignore = "needs npm ci in tests/backstage: .ci/run does that and runs this"]
fn a_live_catalog_with_pages_duplicates_danglers_a_wrong_token_and_its_death() {
    let bench = Bench::new();
    catalog(&bench);
    let backstage = Backstage::start(&bench, &["catalog.yaml"], CONSUMERS as u64 + 6);
    migration(&bench, &backstage.url);
    let (code, found, errors) = discover(&bench, TOKEN);
    everything_is_found(&found, &errors);
    assert_eq!(code, Some(1), "a ghost is named: the list is not complete");

    let (_, found, errors) = discover(&bench, "not-the-token");
    assert!(found["consumers"].as_array().unwrap().is_empty());
    assert!(errors.contains("the token was not accepted (401)"), "{errors}");
    assert_eq!(found["complete"], false);

    migration(&bench, &door(&backstage, 4));
    let (code, found, errors) = discover(&bench, TOKEN);
    assert_eq!((code, &found["complete"]), (Some(1), &Value::Bool(false)));
    assert!(errors.contains(&format!("after 600 of {CONSUMERS} consumers: ")), "{errors}");
    // The entities that are replaced were read first, and name everybody; what describes
    // a consumer came with its page.
    assert_eq!(names(&found).len(), CONSUMERS + 1);
    let described = found["consumers"].as_array().unwrap().iter().filter(|one| one["owner"].is_string()).count();
    assert!((600..CONSUMERS).contains(&described), "{described}: what was read stands");
}

fn everything_is_found(found: &Value, errors: &str) {
    let names = names(found);
    assert_eq!(names.len(), CONSUMERS + 1, "{errors}");
    assert_eq!((names[0], names[CONSUMERS]), ("component:default/c0000", "component:default/ghost"));
    let first = &found["consumers"][2];
    assert_eq!((&first["owner"], &first["tier"]), (&"group:default/team-2".into(), &"gold".into()));
    assert!(first["source"]["value"].as_str().unwrap().contains("git.example.org/fleet/c0002@main"), "{first}");
    // Of the last page as of the first.
    let last = &found["consumers"][CONSUMERS - 1];
    let facts = (&last["entity"], &last["owner"], &last["tier"], &last["lifecycle"]);
    let expected = ["component:default/c1799", "group:default/team-0", "gold", "production"].map(Value::from);
    assert_eq!(facts, (&expected[0], &expected[1], &expected[2], &expected[3]));
    let nodes = found["graph"]["nodes"].as_array().unwrap();
    let depth =
        |name: &str| nodes.iter().find(|node| node["entity"] == name).map(|node| node["depth"].as_u64().unwrap());
    assert_eq!(depth("component:default/below"), Some(2));
    assert_eq!(depth("api:default/below"), Some(3));
    assert_eq!(depth("component:default/lowest"), Some(4));
    let problems: Vec<&str> = found["problems"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    let nowhere = "component:default/lowest names resource:default/nowhere, which the catalog does not have";
    let ghost = "resource:default/users-v1 names component:default/ghost, which the catalog does not have";
    assert!(problems[0].contains(nowhere) && problems[1].contains(ghost), "{problems:?}");
}
