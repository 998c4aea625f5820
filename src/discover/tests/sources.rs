//! Every source that is a file, their union, exclusions, and the graph.

use super::*;

/// A migration of `analytics.users_v1` with these lines under `[consumers]`.
pub(super) fn dataset(pit: &Sandpit, lines: &str) -> Migration {
    pit.write("r.rhai", "");
    let text = format!(
        "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n\
         [consumers]\nof = [\"resource:users_v1\"]\ndatasets = [\"analytics.users_v1\"]\n{lines}\n"
    );
    pit.write("migration.toml", text);
    config::load(&pit.path("migration.toml")).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(super) fn found(pit: &Sandpit, from: &str) -> Discovery {
    discovered(&dataset(pit, &format!("from = [{from}]"))).unwrap()
}

/// One line for each node of the graph, in its order.
fn nodes(discovery: &Discovery) -> Vec<String> {
    let line = |node: &GraphNode| format!("{} {}", node.depth, node.entity);
    discovery.graph.nodes.iter().map(line).collect()
}

const MANIFEST: &str = r#"{
  "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json", "project_name": "shop"},
  "nodes": {
    "model.shop.stg": {"resource_type": "model", "package_name": "shop", "name": "stg", "database": "p", "schema": "s",
      "alias": "stg", "original_file_path": "models/stg.sql", "depends_on": {"nodes": ["source.shop.raw.users"]}},
    "model.shop.daily": {"resource_type": "model", "package_name": "shop", "name": "daily",
      "original_file_path": "models/daily.sql", "depends_on": {"nodes": ["model.shop.stg"]}},
    "model.other.x": {"resource_type": "model", "package_name": "other", "name": "x",
      "original_file_path": "models/x.sql", "depends_on": {"nodes": []}},
    "test.shop.t": {"resource_type": "test", "package_name": "shop", "name": "t", "depends_on": {"nodes": ["model.shop.stg"]}}
  },
  "sources": {
    "source.shop.raw.users": {"database": "prod", "schema": "Analytics", "identifier": "USERS_V1", "name": "users",
      "resource_type": "source", "package_name": "shop"},
    "source.shop.raw.other": {"database": "prod", "schema": "sales", "identifier": "users_v1", "name": "users_v1",
      "resource_type": "source", "package_name": "shop"}
  },
  "exposures": {
    "exposure.shop.weekly": {"resource_type": "exposure", "package_name": "shop", "name": "weekly", "maturity": "high",
      "url": "https://bi.example.org/1", "owner": {"email": "ann@example.org", "name": "Ann"},
      "original_file_path": "models/e.yml", "depends_on": {"nodes": ["model.shop.daily"]}},
    "exposure.shop.raw": {"resource_type": "exposure", "package_name": "shop", "name": "raw",
      "original_file_path": "models/e.yml", "depends_on": {"nodes": ["source.shop.raw.users"]}}
  },
  "child_map": {"source.shop.raw.users": ["model.shop.stg", "model.other.x"]}
}"#;

#[test]
fn a_dbt_manifest() {
    let pit = Sandpit::new();
    pit.write("dbt/dbt_project.yml", "name: shop\n");
    pit.write("dbt/target/manifest.json", MANIFEST);
    let discovery = found(&pit, "{ dbt = \"dbt/target/manifest.json\" }");
    assert_eq!(
        lines(&discovery.fleet),
        [
            "component:default/other ! a package that the project installs: name the manifest of other itself",
            "component:default/shop = dbt",
            "exposure:shop/raw ! a node of dbt without code of its own: it changes with its project",
        ]
    );
    assert_eq!(
        discovery.fleet.consumers[1].because,
        [
            "component:default/shop reads dataset:default/analytics.users_v1 (dbt/target/manifest.json, models/stg.sql: model stg)"
        ]
    );
    assert_eq!(
        nodes(&discovery),
        [
            "1 component:default/other",
            "1 component:default/shop",
            "1 exposure:shop/raw",
            "2 model:shop/daily",
            "3 exposure:shop/weekly"
        ]
    );
    let weekly = discovery.graph.nodes.last().unwrap();
    assert_eq!(
        (weekly.owner.as_ref().unwrap().as_str(), weekly.lifecycle.as_deref()),
        ("user:default/ann@example.org", Some("high"))
    );
    assert_eq!(discovery.fleet.problems, [""; 0]);
}

#[test]
fn a_manifest_that_is_broken_old_or_points_nowhere() {
    let pit = Sandpit::new();
    let problems = |manifest: &str| {
        pit.write("manifest.json", manifest);
        found(&pit, "{ dbt = \"manifest.json\", code = \".\" }").fleet.problems
    };
    let cut = problems(&MANIFEST[..MANIFEST.len() / 2]);
    assert!(cut[0].starts_with("manifest.json:") && cut[0].contains("cut short"), "{cut:?}");
    let html = problems("<!doctype html>");
    assert!(html[0].starts_with("manifest.json:1:1: not a dbt manifest"), "{html:?}");
    assert!(problems(&MANIFEST.replace("v12.json", "v7.json"))[0].contains("v7.json"));
    let dangling = problems(&MANIFEST.replace("[\"model.shop.daily\"]", "[\"model.shop.gone\"]"));
    assert_eq!(dangling, ["manifest.json: names \"model.shop.gone\", which it does not hold: make it anew"]);
}

fn event(job: &str, inputs: &str, outputs: &str, facets: &str) -> String {
    let dataset = |name: &str| format!("{{\"namespace\": \"bq\", \"name\": \"{name}\"}}");
    let list = |names: &str| names.split_whitespace().map(dataset).collect::<Vec<_>>().join(",");
    format!(
        "{{\"eventType\": \"COMPLETE\", \"run\": {{\"runId\": \"1\"}}, \"job\": {{\"namespace\": \"air\", \"name\": \"{job}\", \
         \"facets\": {{{facets}}}}}, \"inputs\": [{}], \"outputs\": [{}]}}\n",
        list(inputs),
        list(outputs)
    )
}

#[test]
fn openlineage_events() {
    let pit = Sandpit::new();
    let code = "\"sourceCodeLocation\": {\"type\": \"git\", \"url\": \"https://h/o/ads/blob/main/jobs/a.py\", \
                \"repoUrl\": \"https://h/o/ads\", \"path\": \"jobs/a.py\", \"branch\": \"main\"}";
    let cut = event("cut", "p.analytics.users_v1", "", "");
    let events = [
        event("a", "p.analytics.users_v1", "p.x.middle", ""),
        event("a", "", "", code),
        "{\"job\": {}}\nnonsense\n\n".to_owned(),
        event("b", "p.x.middle", "p.x.out", ""),
        event("writer", "p.x.raw", "p.analytics.users_v1", ""),
        event("short", "users_v1", "", ""),
        cut[..60].to_owned(),
    ]
    .concat();
    pit.write("e.ndjson", events);
    let discovery = found(&pit, "{ openlineage = \"e.ndjson\" }");
    let consumers = lines(&discovery.fleet);
    assert_eq!(consumers.len(), 2, "whoever writes it is no consumer: {consumers:?}");
    assert!(
        consumers[0].starts_with("job:air/a ! its code is at h/o/ads/jobs@main, which is not here"),
        "{consumers:?}"
    );
    assert!(consumers[1].starts_with("job:air/short ! "), "{consumers:?}");
    assert!(discovery.fleet.consumers[1].because[0].contains("fewer parts than the migration gives"));
    assert_eq!(
        nodes(&discovery),
        ["1 job:air/a", "1 job:air/short", "2 dataset:bq/p.x.middle", "3 job:air/b", "4 dataset:bq/p.x.out"]
    );
    let places: Vec<&str> = discovery.fleet.problems.iter().map(|p| p.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["e.ndjson:3:10", "e.ndjson:4:2", "e.ndjson:9:60"]);
    assert!(!discovery.is_complete());
}

#[test]
fn a_dataset_that_is_known_by_several_names() {
    let pit = Sandpit::new();
    let event = |job: &str, kind: &str, name: &str, others: &str| {
        format!(
            "{{\"job\": {{\"namespace\": \"air\", \"name\": \"{job}\"}}, \"{kind}\": [{{\"namespace\": \"s3://wh\", \"name\": \"{name}\", \
             \"facets\": {{\"symlinks\": {{\"identifiers\": [{others}]}}}}}}]}}\n"
        )
    };
    let table = |name: &str| format!("{{\"namespace\": \"hive://m\", \"name\": \"{name}\", \"type\": \"TABLE\"}}");
    let events = [
        event("a", "inputs", "/u/1", &table("analytics.users_v1")),
        // Said once, it holds for every event, before it and after it.
        event("b", "inputs", "/u/1", ""),
        event("c", "inputs", "/u/2", &format!("{{\"namespace\": \"s3://wh\", \"name\": \"/u/1\", \"type\": \"TABLE\"}}, {{}}, {}", table("x.y"))),
        event("other", "inputs", "/o/1", &table("analytics.orders")),
        // Further downstream by another name, too.
        event("a", "outputs", "/out", &table("x.out")),
        "{\"job\": {\"namespace\": \"air\", \"name\": \"d\"}, \"inputs\": [{\"namespace\": \"hive://m\", \"name\": \"x.out\"}]}\n".to_owned(),
        event("null", "inputs", "/n", "").replace("[]", "null"),
    ];
    pit.write("e.ndjson", events.concat());
    let discovery = found(&pit, "{ openlineage = \"e.ndjson\" }");
    let names: Vec<&str> = discovery.fleet.consumers.iter().map(|one| one.entity.as_str()).collect();
    assert_eq!(names, ["job:air/a", "job:air/b", "job:air/c"]);
    assert!(nodes(&discovery).contains(&"3 job:air/d".to_owned()), "{:?}", nodes(&discovery));
    assert!(
        discovery.fleet.problems.iter().all(|text| !text.contains("not a run event")),
        "{:?}",
        discovery.fleet.problems
    );
}

#[test]
fn a_plain_list_and_a_mirror() {
    let pit = Sandpit::new();
    pit.write("mirrors/h/org/ads/x", "");
    pit.write("local/tool/x", "");
    let list =
        "# all of them\nhttps://h/org/ads.git  # ours\ngit@h:org/gone.git\nlocal/tool\nlocal/none\next::sh -c x\n";
    pit.write("list.txt", list);
    let migration =
        dataset(&pit, "from = [{ repositories = \"list.txt\" }]\n[code]\nmirror = \"mirrors/{host}/{path}\"");
    let fleet = discover(&migration).unwrap();
    let found = lines(&fleet);
    assert_eq!(found[0], "component:default/ads = mirrors/h/org/ads");
    assert!(found[1].starts_with("component:default/gone ! its code is at h/org/gone, which is not here"), "{found:?}");
    assert_eq!(found[2], "component:default/tool = local/tool");
    assert_eq!(fleet.problems.len(), 2, "{:?}", fleet.problems);
    assert!(fleet.problems[0].starts_with("list.txt:5:1: there is no folder"), "{:?}", fleet.problems);
    assert!(fleet.problems[1].starts_with("list.txt:6:1: "), "{:?}", fleet.problems);
}

#[test]
fn access_logs_in_both_forms() {
    let pit = sandpit();
    pit.write("services/ads/catalog-info.yaml", entity("Component", "ads", "spec: {}\n"));
    pit.write(
        "reads.csv",
        "principal,dataset,time\n\
         ads@svc,p.analytics.users_v1,2026-11-01T00:00:00Z\n\
         ads@svc,p.analytics.users_v1,2026-11-03T00:00:00Z\n\
         old@svc,p.analytics.users_v1,2020-01-01T00:00:00Z\n\
         bi@svc,p.analytics.other,2026-11-01T00:00:00Z\n\
         x@svc,p.analytics.users_v1,yesterday\n\
         short\n",
    );
    pit.write(
        "jobs.ndjson",
        "{\"p\": {\"who\": \"looker dashboard 7\"}, \"table\": \"analytics.users_v1\", \"at\": 1795000000}\n\
         {\"table\": \"analytics.users_v1\", \"at\": 1795000000}\n",
    );
    let from = "from = [{ catalog = \"services\" }, \
                { access_log = \"reads.csv\", since = \"2026-01-01\", principals = { \"ads@svc\" = \"component:ads\" } }, \
                { access_log = \"jobs.ndjson\", who = \"p.who\", dataset = \"table\", when = \"at\" }]";
    let fleet = discover(&dataset(&pit, from)).unwrap();
    let found = lines(&fleet);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], "component:default/ads = services/ads");
    assert!(found[1].starts_with("principal:default/looker-dashboard-7-"), "{found:?}");
    assert_eq!(fleet.consumers[0].because, ["ads@svc read it 2 times, last on 2026-11-03 (reads.csv)"]);
    assert_eq!(fleet.consumers[0].witnesses, ["access log reads.csv"]);
    let places: Vec<&str> = fleet.problems.iter().map(|p| p.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["jobs.ndjson:2:1", "reads.csv:6:1", "reads.csv:7:1"]);
}

#[test]
fn a_consumer_remembers_everybody_who_named_it() {
    let pit = sandpit();
    pit.write("services/a/catalog-info.yaml", component("a"));
    pit.write("list.txt", "services/a\n");
    let fleet =
        found(&pit, "{ catalog = \"services\" }, { repositories = \"list.txt\" }, { folders = [\"services/*\"] }")
            .fleet;
    assert_eq!(lines(&fleet), ["component:default/a = services/a"]);
    assert_eq!(fleet.consumers[0].witnesses, ["catalog services", "repositories list.txt", "folders services/*"]);
    assert_eq!(fleet.consumers[0].because.len(), 3);
}

#[test]
fn exclusions_hold_until_their_day_is_over() {
    let pit = sandpit();
    pit.write("services/a/catalog-info.yaml", component("a"));
    pit.write("services/b/catalog-info.yaml", component("b"));
    let migration = dataset(
        &pit,
        "from = [{ catalog = \"services\" }]\n[[consumers.exclude]]\nconsumer = \"a\"\nreason = \"frozen\"\nuntil = 2026-11-30\n\
         [[consumers.exclude]]\nconsumer = \"nobody\"\nreason = \"x\"\nuntil = 2026-11-30",
    );
    let on = |day: &str| {
        let clock = Clock::at(format!("{day}T23:59:59Z").parse::<jiff::Timestamp>().unwrap().as_second());
        super::super::discover(&migration, &Request { clock: &clock, fetching: Fetching::Never, names: None }).unwrap()
    };
    let held = on("2026-11-30");
    assert_eq!(lines(&held.fleet), ["component:default/b = services/b"]);
    assert_eq!((held.excluded[0].reason.as_str(), held.excluded[0].until.as_str()), ("frozen", "2026-11-30"));
    assert!(held.fleet.problems[0].contains("no source names component:default/nobody"), "{:?}", held.fleet.problems);
    let over = on("2026-12-01");
    assert_eq!(lines(&over.fleet).len(), 2);
    assert!(over.fleet.problems[0].contains("ended with 2026-11-30"), "{:?}", over.fleet.problems);
}

#[test]
fn who_is_downstream_how_far_and_in_which_circles() {
    let pit = sandpit();
    let depends =
        |name: &str, on: &str| entity("Component", name, &format!("spec:\n  owner: o\n  dependsOn: [{on}]\n"));
    let all = [
        depends("a", "resource:users_v1, component:c"),
        depends("b", "component:a"),
        depends("c", "component:b"),
        entity("Component", "d", "spec:\n  dependsOn: [component:b]\n  providesApis: [x]\n"),
        entity("API", "x", "spec: {}\n"),
        entity("Component", "e", "spec:\n  consumesApis: [x]\n"),
        depends("f", "resource:users_v1, resource:nowhere"),
    ];
    pit.write("services/all/catalog-info.yaml", all.join("---\n"));
    let discovery = found(&pit, "{ catalog = \"services\" }");
    assert_eq!(
        nodes(&discovery),
        [
            "1 component:default/a",
            "2 component:default/b",
            "3 component:default/c",
            "1 component:default/f",
            "3 component:default/d",
            "4 api:default/x",
            "5 component:default/e",
        ]
    );
    let circle = ["component:default/a", "component:default/b", "component:default/c"];
    assert_eq!(discovery.graph.cycles[0].iter().map(EntityRef::as_str).collect::<Vec<_>>(), circle);
    assert!(discovery.fleet.problems[0].contains("depend on each other in a circle"), "{:?}", discovery.fleet.problems);
    let chain = discovery.graph.chain(&EntityRef::parse("e", "component").unwrap());
    let chain: Vec<&str> = chain.iter().map(|node| node.entity.name()).collect();
    assert_eq!(chain, ["a", "b", "d", "x", "e"]);
    assert!(
        discovery.graph.nodes[6].because.starts_with("spec.consumesApis of component:default/e names api:default/x")
    );
}

#[test]
fn code_and_sources_are_compared() {
    let pit = sandpit();
    for name in ["used", "unused"] {
        pit.write(&format!("services/{name}/catalog-info.yaml"), component(name));
    }
    pit.write("services/used/q.sql", "select 1\nfrom analytics.users_v1\n");
    pit.write("services/used/inner/catalog-info.yaml", entity("Component", "inner", "spec: {}\n"));
    pit.write("services/used/inner/q.sql", "from users_v1");
    pit.write("services/stray.py", "users_v10 = 1\nUSERS_V1 = 2\n");
    pit.write("services/docs/x.md", "users_v1");
    // What rules are tested on is nobody's.
    pit.write("tests/r/reads/job.py", "users_v1");
    pit.write("tests/other/job.py", "users_v1");
    let exclude = "[[consumers.exclude]]\npath = \"services/docs/**\"\nreason = \"texts\"\nuntil = 2026-11-30";
    let migration = dataset(
        &pit,
        &format!("names = [\"users_v1\"]\nfrom = [{{ catalog = \"services\" }}]\nsearch = [\"tests\"]\n{exclude}"),
    );
    let names = Some(vec!["users_v1".to_owned()]);
    let request = Request { clock: &Clock::at(0), fetching: Fetching::Never, names };
    let agreement = super::super::discover(&migration, &request).unwrap().agreement.unwrap();
    let shown = |index: usize| (agreement.declared[index].entity.name(), &agreement.declared[index].code);
    assert_eq!(shown(0), ("unused", &Shown::NotFound));
    let place = Place { path: "services/used/q.sql".to_owned(), line: 2, name: "users_v1".to_owned() };
    assert_eq!(shown(1), ("used", &Shown::Used { place, files: 1 }));
    let undeclared: Vec<String> = agreement
        .undeclared
        .iter()
        .map(|one| format!("{}:{} {:?}", one.place.path, one.place.line, one.component.as_ref().map(EntityRef::name)))
        .collect();
    // That the catalog calls its resource like the table is no use of it.
    let wanted =
        ["services/stray.py:2 None", "services/used/inner/q.sql:1 Some(\"inner\")", "tests/other/job.py:1 None"];
    assert_eq!(undeclared, wanted);
    assert!(!agreement.holds());
}

#[test]
fn broken_yaml_in_one_of_a_thousand_files() {
    let pit = sandpit();
    for number in 0..1000 {
        pit.write(&format!("services/c{number:03}/catalog-info.yaml"), component(&format!("c{number:03}")));
    }
    pit.write("services/c500/catalog-info.yaml", "kind: [");
    let discovery = found(&pit, "{ catalog = \"services\" }");
    assert_eq!(discovery.fleet.consumers.len(), 999);
    assert_eq!(discovery.fleet.problems.len(), 1);
    assert!(
        discovery.fleet.problems[0].starts_with("services/c500/catalog-info.yaml:1:"),
        "{:?}",
        discovery.fleet.problems
    );
    assert!(!discovery.is_complete() && discovery.sources_failed());
}

#[test]
fn a_quote_that_never_ends_is_told() {
    let pit = Sandpit::new();
    let head = "principal,dataset,time\nann,analytics.users_v1,2026-11-01\n";
    let problems = |rows: &str| {
        pit.write("reads.csv", format!("{head}{rows}"));
        found(&pit, "{ access_log = \"reads.csv\" }").fleet.problems
    };
    assert_eq!(problems("\"bo\"\"b\",analytics.users_v1,2026-11-01"), [""; 0]);
    // A long query of another column, which is fine, and one that hides the row of another reader.
    assert_eq!(problems("x,y,2026-11-01,\"select 1\nfrom t where a = \"\"b\"\"\""), [""; 0]);
    let hidden = problems("x,y,2026-11-01,\"select 1\nbob,analytics.users_v1,2026-11-01,\"select 2\"\n");
    assert!(hidden[0].starts_with("reads.csv:3:1: a quote is opened and never closed"), "{hidden:?}");
    for rows in ["x,\"y,2026-11-01\nbob,analytics.users_v1,2026-11-01\n", "\"x,y,2026-11-01\n\"bob\",y,2026-11-01\n"] {
        let problems = problems(rows);
        let told = |problem: &String| problem.starts_with("reads.csv:3:1: a quote is opened and never closed");
        assert!(problems.iter().any(told), "{problems:?}");
    }
}

#[test]
fn whoever_names_a_consumer_is_its_witness() {
    let pit = Sandpit::new();
    let root = entity("Resource", "users_v1", "spec:\n  dependencyOf: [component:a]\n");
    pit.write("one/catalog-info.yaml", root);
    pit.write("two/catalog-info.yaml", entity("Component", "a", ""));
    let discovery = found(&pit, "{ catalog = \"one\" }, { catalog = \"two\" }");
    assert_eq!(discovery.fleet.consumers[0].witnesses, ["catalog one"]);
}

#[test]
fn whatever_has_a_limit_says_so_when_it_is_reached() {
    let pit = sandpit();
    let told = |from: &str, text: &str| {
        let discovery = found(&pit, from);
        let problems = &discovery.fleet.problems;
        assert!(
            problems.iter().any(|problem| problem.contains(text)),
            "{text}: {:?}",
            problems.iter().take(3).collect::<Vec<_>>()
        );
        assert!(!discovery.is_complete() && discovery.sources_failed(), "{text}");
        discovery
    };
    for number in 0..1_501 {
        pit.write(&format!("many/c{number}/catalog-info.yaml"), component(&format!("c{number}")));
    }
    let cut = told("{ catalog = \"many\" }", "many: more than 1500 catalog files, the rest is not read");
    assert_eq!(cut.fleet.consumers.len(), 1_500);
    told("{ folders = [\"many/*\"] }", "matches more than 1500 folders");
    pit.write(&format!("deep/{}catalog-info.yaml", "d/".repeat(66)), component("deep"));
    told("{ catalog = \"deep\" }", "deeper than 64 folders, and not looked into");
    let targets = (0..21).map(|number| format!("'./{number}*.yaml'")).collect::<Vec<_>>().join(", ");
    pit.write("globs/catalog-info.yaml", entity("Location", "l", &format!("spec:\n  targets: [{targets}]\n")));
    told("{ catalog = \"globs\" }", "more than 20 targets have wildcards");
    let events: Vec<String> =
        (0..60).map(|number| event(&format!("j{number}"), "p.analytics.users_v1", "", "")).collect();
    pit.write("jobs.ndjson", events.concat());
    assert_eq!(told("{ openlineage = \"jobs.ndjson\" }", "more than 50 jobs").fleet.consumers.len(), 50);
    pit.write("long.ndjson", format!("{{\"x\": \"{}\"}}\n{}", "x".repeat(9 << 20), events[0]));
    assert_eq!(
        told("{ openlineage = \"long.ndjson\" }", "long.ndjson:1:1: longer than 8 MiB").fleet.consumers.len(),
        1
    );
    pit.write("broken.ndjson", "{}\n".repeat(60));
    told("{ openlineage = \"broken.ndjson\" }", "openlineage broken.ndjson: and 10 more problems");
    pit.write("manifest.json", format!("{}{}", " ".repeat(1 << 20), MANIFEST));
    told("{ dbt = \"manifest.json\", code = \".\" }", "manifest.json:1:1: larger than 1 MiB, not read");
    let rows = format!("principal,dataset,time\nann,analytics.users_v1,2026-11-01,\"{}", "x\n".repeat(5 << 20));
    let readers: Vec<String> = (0..61).map(|n| format!("r{n},analytics.users_v1,2026-11-01\n")).collect();
    pit.write("many.csv", format!("principal,dataset,time\n{}", readers.concat()));
    assert_eq!(told("{ access_log = \"many.csv\" }", "many.csv:62:1: more than 60 readers").fleet.consumers.len(), 60);
    pit.write("reads.csv", rows);
    told("{ access_log = \"reads.csv\" }", "a record is longer than 8 MiB: no quote ends it");
}

#[test]
fn null_is_as_good_as_nothing() {
    let pit = Sandpit::new();
    pit.write("e.ndjson", "{\"job\": {\"namespace\": null, \"name\": \"a\", \"facets\": null}, \"outputs\": null, \"inputs\": [{\"namespace\": null, \"name\": \"analytics.users_v1\"}]}\n");
    let discovery = found(&pit, "{ openlineage = \"e.ndjson\" }");
    assert_eq!((discovery.fleet.consumers.len(), &discovery.fleet.problems), (1, &Vec::new()));
    let manifest = MANIFEST.replace("\"depends_on\": {\"nodes\": []}", "\"depends_on\": null, \"database\": null");
    let manifest = manifest.replace("\"child_map\": {", "\"metrics\": null, \"child_map\": {");
    pit.write("manifest.json", manifest);
    let discovery = found(&pit, "{ dbt = \"manifest.json\", code = \".\" }");
    assert_eq!((discovery.fleet.consumers.len(), &discovery.fleet.problems), (3, &Vec::new()));
}

#[test]
fn a_dataset_that_no_source_has_met_is_a_problem() {
    let pit = Sandpit::new();
    pit.write("reads.csv", "principal,dataset,time\nann,analytics.users_v2,2026-11-01\n");
    pit.write("e.ndjson", format!("\u{feff}{}", event("a", "p.other", "", "")));
    for from in ["{ access_log = \"reads.csv\" }", "{ openlineage = \"e.ndjson\" }"] {
        let discovery = found(&pit, from);
        assert_eq!(discovery.fleet.problems.len(), 1, "{:?}", discovery.fleet.problems);
        assert!(
            discovery.fleet.problems[0].contains("no source names \"analytics.users_v1\""),
            "{:?}",
            discovery.fleet.problems
        );
        assert!(!discovery.is_complete());
    }
    pit.write("e.ndjson", format!("\u{feff}{}", event("a", "p.analytics.users_v1", "", "")));
    assert_eq!(found(&pit, "{ openlineage = \"e.ndjson\" }").fleet.consumers.len(), 1);
}

#[test]
fn a_dbt_model_that_is_called_like_the_dataset_reads_it_nevertheless() {
    let pit = Sandpit::new();
    let manifest = MANIFEST.replace(
        "\"database\": \"p\", \"schema\": \"s\",\n      \"alias\": \"stg\"",
        "\"database\": \"p\", \"schema\": \"analytics\",\n      \"alias\": \"users_v1\"",
    );
    assert_ne!(manifest, MANIFEST);
    pit.write("manifest.json", manifest);
    let discovery = found(&pit, "{ dbt = \"manifest.json\", code = \".\" }");
    let shop = discovery.fleet.consumers.iter().find(|one| one.entity.name() == "shop").unwrap();
    assert!(shop.because.iter().any(|because| because.contains("models/stg.sql: model stg")), "{:?}", shop.because);
}
