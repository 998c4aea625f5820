//! What servers may answer that no real one does on request: their bytes come from a
//! listener. How a real Backstage answers is tested in `tests/end_to_end/backstage.rs`.

use serde_json::{Value, json};

use super::*;
use crate::http::tests::{Listener, answer};

fn ok(body: &Value) -> Vec<u8> {
    answer(200, "Content-Type: application/json\r\n", &body.to_string())
}

fn counts(all: u64, consumers: u64) -> [Vec<u8>; 2] {
    [all, consumers].map(|count| ok(&json!({"items": [], "totalItems": count, "pageInfo": {}})))
}

fn component(name: &str, uid: &str) -> Value {
    json!({"kind": "Component", "metadata": {"name": name, "uid": uid},
           "relations": [{"type": "dependsOn", "targetRef": "resource:default/users_v1"}]})
}

fn page(items: &[Value], next: Option<&str>) -> Vec<u8> {
    ok(&json!({"items": items, "totalItems": 9, "pageInfo": {"nextCursor": next}}))
}

fn root() -> Vec<u8> {
    ok(&json!({"items": [{"kind": "Resource", "metadata": {"name": "users_v1", "uid": "r"}, "relations": []}]}))
}

/// What comes of a catalog that gives these answers, and what it was asked.
fn asked(answers: Vec<Vec<u8>>) -> (Discovery, Vec<String>) {
    let (pit, listener) = (Sandpit::new(), Listener::new(answers));
    let from = format!("{{ backstage = \"{}\", page = 2, settle = \"2s\" }}", listener.url);
    (discovered(&migration(&pit, "\"resource:users_v1\"", &from)).unwrap(), listener.asked())
}

fn names(discovery: &Discovery) -> Vec<&str> {
    discovery.fleet.consumers.iter().map(|one| one.entity.name()).collect()
}

fn only_problem(discovery: &Discovery) -> &str {
    assert_eq!(discovery.fleet.problems.len(), 1, "{:?}", discovery.fleet.problems);
    assert!(!discovery.is_complete() && discovery.sources_failed());
    &discovery.fleet.problems[0]
}

#[test]
fn pages_are_followed_with_their_fields_and_an_entity_that_comes_twice_is_one() {
    let pages = [
        page(&[component("a", "1"), component("b", "2")], Some("next/=")),
        page(&[component("b", "2"), component("c", "3")], None),
    ];
    let answers = [&counts(4, 3)[..], &counts(4, 3), &[root()], &pages, &counts(4, 3)].concat();
    let (discovery, asked) = asked(answers);
    assert_eq!((names(&discovery), &discovery.fleet.problems), (vec!["a", "b", "c"], &Vec::new()));
    let pages: Vec<&String> = asked.iter().filter(|text| text.contains("fields=")).collect();
    assert_eq!(pages.len(), 2);
    assert!(pages[0].contains("filter=relations.dependsOn=resource%3Adefault%2Fusers_v1"), "{}", pages[0]);
    assert!(pages[1].contains("cursor=next%2F%3D") && pages[1].contains("limit=2"), "{}", pages[1]);
}

#[test]
fn a_catalog_that_moves_is_waited_for_and_read_again() {
    let one = page(&[component("a", "1")], None);
    let two = page(&[component("a", "1"), component("b", "2")], None);
    let answers =
        [&counts(1, 0)[..], &counts(2, 1), &counts(2, 1), &[root(), one], &counts(3, 2), &[root(), two], &counts(3, 2)];
    let (discovery, _) = asked(answers.concat());
    assert_eq!((names(&discovery), &discovery.fleet.problems), (vec!["a", "b"], &Vec::new()));
}

#[test]
fn a_catalog_that_never_rests_is_said_to() {
    let mut answers: Vec<Vec<u8>> = (0..12).flat_map(|count| counts(count, 1)).collect();
    for count in [20, 21, 22] {
        answers.extend([root(), page(&[component("a", "1")], None)]);
        answers.extend(counts(count, 1));
    }
    let (discovery, _) = asked(answers);
    assert_eq!(names(&discovery), ["a"]);
    assert!(only_problem(&discovery).contains("it still changes"), "{:?}", discovery.fleet.problems);
}

#[test]
fn an_html_page_a_cut_page_and_a_nameless_entity() {
    let html = answer(200, "Content-Type: text/html\r\n", "<html>Sign in</html>");
    let (discovery, _) = asked(vec![html.clone()]);
    assert!(only_problem(&discovery).contains("check that this is the API's address, and no login page before it"));
    let begin = |rest: &[Vec<u8>]| [&counts(4, 3)[..], &counts(4, 3), &[root()], rest].concat();
    let first = page(&[component("a", "1"), component("b", "2")], Some("n"));
    let cut = answer(200, "", "{\"items\": [{\"kind\"");
    let rest = [&[first.clone(), cut][..], &counts(4, 3)].concat();
    let (discovery, _) = asked(begin(&rest));
    assert_eq!(names(&discovery), ["a", "b"]);
    assert!(
        only_problem(&discovery).contains("after 2 of 3 consumers: ") && only_problem(&discovery).contains("cut short")
    );
    let nameless = json!({"kind": "Component", "metadata": {"uid": "77"}});
    let rest = [&[page(&[component("a", "1"), nameless, component("c", "3")], None)][..], &counts(4, 3)].concat();
    let (discovery, _) = asked(begin(&rest));
    assert_eq!(names(&discovery), ["a", "c"]);
    assert!(only_problem(&discovery).contains("the entity 77 has no kind or no name"));
    let endless = (0..9).map(|_| first.clone()).collect::<Vec<_>>();
    let (discovery, _) = asked(begin(&endless));
    assert!(only_problem(&discovery).contains("pages don't end"), "{:?}", discovery.fleet.problems);
}

#[test]
fn a_page_that_loses_entities_is_noticed() {
    let answers = [&counts(4, 3)[..], &counts(4, 3), &[root(), page(&[component("a", "1")], None)], &counts(4, 3)];
    let (discovery, _) = asked(answers.concat());
    assert!(only_problem(&discovery).contains("counts 3 consumers, and gives 1"));
}

#[test]
fn a_reference_to_nowhere_is_told_and_hides_nobody() {
    let mut one = component("a", "1");
    let nowhere = json!({"type": "dependsOn", "targetRef": "resource:default/nowhere"});
    one["relations"].as_array_mut().unwrap().push(nowhere);
    let nothing = ok(&json!({"items": [null]}));
    let answers = [&counts(2, 1)[..], &counts(2, 1), &[root(), page(&[one], None), nothing], &counts(2, 1)];
    let (discovery, _) = asked(answers.concat());
    assert_eq!(names(&discovery), ["a"]);
    assert_eq!(discovery.fleet.problems.len(), 1, "{:?}", discovery.fleet.problems);
    assert!(discovery.fleet.problems[0].contains("component:default/a names resource:default/nowhere"));
    assert!(!discovery.is_complete() && !discovery.sources_failed());
}

#[test]
fn a_token_that_is_not_there() {
    let pit = Sandpit::new();
    let from = "{ backstage = \"https://b.example.org\", token_env = \"GANDER_TEST_NO_SUCH_TOKEN\" }";
    let discovery = discovered(&migration(&pit, "\"resource:users_v1\"", from)).unwrap();
    assert!(only_problem(&discovery).contains("the variable that `token_env` names is not set"));
}

/// What comes of a Marquez that gives these answers for `p.users_v1` and `p.gone`.
fn lineage(answers: Vec<Vec<u8>>) -> (Discovery, Vec<String>) {
    let (pit, listener) = (Sandpit::new(), Listener::new(answers));
    pit.write("r.rhai", "");
    let text = format!(
        "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n[consumers]\ndatasets = [\"p.users_v1\", \"p.gone\"]\n\
         from = [{{ marquez = \"{}\", namespace = \"bq://x:1\" }}]\n",
        listener.url
    );
    pit.write("migration.toml", text);
    (discovered(&config::load(&pit.path("migration.toml")).unwrap()).unwrap(), listener.asked())
}

/// The form of `GET /api/v1/lineage` as Marquez documents it, and as its own fixtures show
/// it: with fields that nobody asked for, and `null` for what is not known.
#[test]
fn marquez_lineage() {
    let edge = |from: &str, to: &str| json!({"origin": from, "destination": to});
    let (users, ads, middle, late) =
        ("dataset:bq://x:1:p.users_v1", "job:air:ads", "dataset:bq://x:1:middle", "job:air:late");
    let graph = json!({"graph": [
        {"id": users, "type": "DATASET", "inEdges": null, "outEdges": [edge(users, ads)],
         "data": {"id": {"namespace": "bq://x:1", "name": "p.users_v1"}, "type": "DB_TABLE", "name": "p.users_v1",
                  "physicalName": "p.users_v1", "createdAt": "2026-11-01T00:00:00Z", "namespace": "bq://x:1",
                  "sourceName": "s", "fields": [{"name": "a", "type": null, "tags": []}], "lastModifiedAt": null}},
        {"id": ads, "type": "JOB", "data": {"namespace": "air", "name": "ads", "location": "https://h/o/ads",
         "type": "BATCH", "inputs": [], "latestRun": null}, "inEdges": [edge(users, ads)], "outEdges": [edge(ads, middle)]},
        {"id": late, "type": "JOB", "data": null, "inEdges": [edge(middle, late), {"origin": null, "destination": late}],
         "outEdges": null},
        {"id": "job:air:bare", "type": "JOB", "inEdges": [edge(users, "job:air:bare")]},
        {"id": "?", "type": "JOB", "inEdges": [], "outEdges": []},
        {"id": "job:air:odd", "type": "JOB", "inEdges": "many"},
    ]});
    let (discovery, asked) =
        lineage(vec![ok(&graph), answer(404, "", "{\"code\": 404, \"message\": \"Node not found.\"}")]);
    let found = lines(&discovery.fleet);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("job:air/ads ! its code is at h/o/ads"), "{found:?}");
    assert!(found[1].starts_with("job:air/bare ! ") && found[1].contains("does not say where the code"), "{found:?}");
    let depths: Vec<String> =
        discovery.graph.nodes.iter().map(|n| format!("{} {}", n.depth, n.entity.name())).collect();
    assert_eq!(depths, ["1 ads", "1 bare", "2 middle", "3 late"]);
    assert!(asked[0].contains("/api/v1/lineage?nodeId=dataset%3Abq%3A%2F%2Fx%3A1%3Ap.users_v1&depth=20"));
    let problems = discovery.fleet.problems.join("\n");
    assert_eq!(discovery.fleet.problems.len(), 3, "{problems}");
    for told in
        ["a job without a name (\"?\")", "a node of another form (\"job:air:odd\")", "knows no dataset \"p.gone\""]
    {
        assert!(problems.contains(told), "{told}: {problems}");
    }
}

#[test]
fn what_marquez_may_answer_instead() {
    let html = || answer(200, "Content-Type: text/html\r\n", "<html>Marquez</html>");
    let cut =
        || b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\nContent-Type: application/json\r\n\r\n{\"graph\": [".to_vec();
    let cuts = (0..12).map(|_| cut()).collect();
    let short = || answer(200, "", "{\"graph\": [");
    let empty = || ok(&json!({"graph": []}));
    for (answers, told) in [
        (vec![html(), empty()], "check that this is the API's address, and no login page before it"),
        (cuts, "the answer is cut short"),
        (vec![short(), empty()], "the answer is cut short"),
        (vec![ok(&json!({"graph": null})), empty()], "without a graph"),
        (vec![ok(&json!({"graph": {}})), empty()], "the answer is not what was expected"),
        (vec![answer(401, "", ""), empty()], "the token was not accepted (401)"),
        (vec![answer(403, "", ""), empty()], "the token may not read this (403)"),
    ] {
        let (discovery, _) = lineage(answers);
        let problems = &discovery.fleet.problems;
        assert!(problems[0].contains(told) && problems[0].starts_with("marquez http://"), "{told}: {problems:?}");
        assert!(!discovery.is_complete() && discovery.sources_failed());
    }
}

#[test]
fn a_consumer_that_only_what_is_replaced_names_is_kept() {
    let named = json!({"items": [{"kind": "Component", "metadata": {"name": "late", "uid": "9"}, "relations": []}]});
    let root = ok(&json!({"items": [{"kind": "Resource", "metadata": {"name": "users_v1", "uid": "r"}, "relations": [
        {"type": "dependencyOf", "targetRef": "component:default/late"},
        {"type": "dependencyOf", "targetRef": "component:default/a"},
    ]}]}));
    let answers =
        [&counts(3, 1)[..], &counts(3, 1), &[root, page(&[component("a", "1")], None), ok(&named)], &counts(3, 1)];
    let (discovery, _) = asked(answers.concat());
    assert_eq!((names(&discovery), &discovery.fleet.problems), (vec!["a", "late"], &Vec::new()));
    assert_eq!(discovery.fleet.consumers[0].because.len(), 1, "one end is enough");
}

#[test]
fn a_count_that_is_missing_huge_or_never_reached() {
    let (discovery, _) = asked(vec![ok(&json!({"items": []}))]);
    assert!(only_problem(&discovery).contains("no `totalItems`"), "{:?}", discovery.fleet.problems);
    let begin = [&counts(4, u64::MAX)[..], &counts(4, u64::MAX), &[root()]].concat();
    let same = |n: usize| page(&[component("a", "1")], Some(&format!("cursor{n}")));
    let (discovery, asked) = asked([begin, (0..20).map(same).collect()].concat());
    assert!(discovery.fleet.problems[0].contains("pages don't end"), "{:?}", discovery.fleet.problems);
    assert_eq!(asked.iter().filter(|text| text.contains("fields=")).count(), 4);
}

#[test]
fn a_catalog_is_read_up_to_a_number_of_entities_and_for_so_long() {
    let many: Vec<Value> = (0..50).map(|n| component(&format!("c{n}"), &format!("u{n}"))).collect();
    let answers = [&counts(99, 99)[..], &counts(99, 99), &[root(), page(&many, Some("n"))], &counts(99, 99)];
    let (discovery, _) = asked(answers.concat());
    assert_eq!(names(&discovery).len(), 50);
    let told = &discovery.fleet.problems[0];
    assert!(told.contains("more than 40 entities are consumers") && discovery.sources_failed(), "{told}");
    // What is no entity is counted, not held.
    let junk: Vec<Value> = (0..3_000).map(|n| json!([n])).collect();
    let answers = [&counts(9, 3_000)[..], &counts(9, 3_000), &[root(), page(&junk, None)], &counts(9, 3_000)];
    let (discovery, _) = asked(answers.concat());
    let told = discovery.fleet.problems.iter().any(|text| text.contains("and 2950 more problems"));
    assert!(told, "{:?}", discovery.fleet.problems);
    let wait = answer(503, "Retry-After: 300\r\n", "");
    let slow = page(&[component("a", "1"), component("b", "2")], Some("n"));
    let answers =
        [&counts(9, 9)[..], &counts(9, 9), &[root(), slow], &(0..9).map(|_| wait.clone()).collect::<Vec<_>>()];
    let (pit, listener) = (Sandpit::new(), Listener::new(answers.concat()));
    let from = format!("{{ backstage = \"{}\", limit = \"10m\", settle = \"1s\" }}", listener.url);
    let discovery = discovered(&migration(&pit, "\"resource:users_v1\"", &from)).unwrap();
    assert_eq!(names(&discovery), ["a", "b"]);
    assert!(only_problem(&discovery).contains("not done within 600 s"), "{:?}", discovery.fleet.problems);
}

#[test]
fn a_consumer_that_states_nothing_is_told() {
    let mut silent = component("silent", "7");
    silent["relations"] = Value::Null;
    let mut shouts = component("shouts", "8");
    shouts["relations"][0]["type"] = json!("DEPENDSON");
    let answers = [&counts(2, 2)[..], &counts(2, 2), &[root(), page(&[silent, shouts], None)], &counts(2, 2)];
    let (discovery, _) = asked(answers.concat());
    assert_eq!(names(&discovery), ["shouts"]);
    assert!(
        only_problem(&discovery).contains("component:default/silent was given as a consumer"),
        "{:?}",
        discovery.fleet.problems
    );
}
