//! Against real folders, catalogs and repositories.

mod clones;
mod live;
mod places;
mod sources;

use super::*;
use crate::config::{self, Migration};
use crate::git::tests::Sandpit;
use crate::workspace::{Consumer, Source};

fn migration(pit: &Sandpit, of: &str, from: &str) -> Migration {
    pit.write("r.rhai", "");
    let text = format!(
        "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n[consumers]\nof = [{of}]\nfrom = [{from}]\n"
    );
    pit.write("migration.toml", text);
    config::load(&pit.path("migration.toml")).unwrap()
}

/// The fleet of a migration, with nothing fetched or searched.
fn discover(migration: &Migration) -> Result<Fleet, DiscoverError> {
    discovered(migration).map(|discovery| discovery.fleet)
}

fn discovered(migration: &Migration) -> Result<Discovery, DiscoverError> {
    let request = Request { clock: &Clock::at(0), fetching: Fetching::Never, names: None };
    super::discover(migration, &request)
}

/// The fleet of the catalog in `services`.
fn catalog(pit: &Sandpit) -> Fleet {
    let of = "\"resource:users_v1\", \"api:users-api\"";
    discover(&migration(pit, of, "{ catalog = \"services\" }")).unwrap()
}

fn folders(pit: &Sandpit, globs: &str) -> Fleet {
    discover(&migration(pit, "", &format!("{{ folders = [{globs}] }}"))).unwrap()
}

fn entity(kind: &str, name: &str, rest: &str) -> String {
    format!("apiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n{rest}")
}

fn component(name: &str) -> String {
    entity("Component", name, "spec:\n  dependsOn: [resource:users_v1]\n")
}

/// A catalog with what is being replaced.
fn sandpit() -> Sandpit {
    let pit = Sandpit::new();
    let resource = entity("Resource", "users_v1", "spec:\n  type: dataset\n");
    let api = entity("API", "users-api", "spec:\n  type: dataset\n");
    pit.write("services/catalog-info.yaml", format!("{resource}---\n{api}"));
    pit
}

/// One line for each consumer: its reference, and its workspace or why there is none.
fn lines(fleet: &Fleet) -> Vec<String> {
    let line = |consumer: &Consumer| match &consumer.source {
        Source::Workspace(index) => {
            format!("{} = {}", consumer.entity, fleet.workspaces[*index].id)
        }
        Source::Unresolved(reason) => format!("{} ! {reason}", consumer.entity),
    };
    fleet.consumers.iter().map(line).collect()
}

fn check(fleet: &Fleet, expected: &[&str]) {
    assert_eq!(lines(fleet), expected);
    assert_eq!(fleet.problems, [""; 0]);
}

/// Of the single consumer that can't be located, the reason.
fn unresolved(fleet: &Fleet) -> &str {
    let reasons = fleet.consumers.iter().filter_map(|consumer| match &consumer.source {
        Source::Unresolved(reason) => Some(reason.as_str()),
        Source::Workspace(_) => None,
    });
    let reasons: Vec<&str> = reasons.collect();
    assert_eq!(reasons.len(), 1, "{:?}", lines(fleet));
    reasons[0]
}

#[test]
fn both_dataset_models_and_inverse_relations() {
    let pit = sandpit();
    pit.write("services/a/catalog-info.yaml", component("a"));
    pit.write("services/b/catalog-info.yml", entity("Component", "b", "spec:\n  consumesApis: [users-api]\n"));
    pit.write(
        "services/c/catalog-info.yaml",
        entity("Resource", "c", "spec:\n  dependsOn: ['Resource:default/users_V1']\n"),
    );
    pit.write("services/d/catalog-info.yaml", entity("Component", "d", "spec:\n  dependsOn: [component:a]\n"));
    pit.write("services/e/catalog-info.yaml", entity("Component", "e", ""));
    pit.write(
        "services/users/catalog-info.yaml",
        entity("Resource", "users_v1", "spec:\n  dependencyOf: [component:e]\n"),
    );
    let fleet = catalog(&pit);
    check(
        &fleet,
        &[
            "component:default/a = services/a",
            "component:default/b = services/b",
            "component:default/e = services/e",
            "resource:default/c = services/c",
        ],
    );
    assert_eq!(
        fleet.consumers[2].because,
        [
            "spec.dependencyOf of resource:default/users_v1 names component:default/e (services/users/catalog-info.yaml:6)"
        ]
    );
    assert!(fleet.workspaces.iter().all(|workspace| workspace.git.is_none()));
    assert_eq!(fleet.workspaces[0].root, pit.path("services/a"));
}

#[test]
fn short_references_take_kind_and_namespace_from_their_field_and_entity() {
    let pit = sandpit();
    let in_ads = |name: &str, spec: &str| entity("Component", name, &format!("  namespace: ads\nspec:\n{spec}"));
    // In another namespace a bare name is another API.
    pit.write("services/a/catalog-info.yaml", in_ads("a", "  consumesApis: [users-api]\n"));
    pit.write("services/b/catalog-info.yaml", in_ads("b", "  owner: team\n  consumesApis: [default/users-api]\n"));
    pit.write("services/c/catalog-info.yaml", entity("Component", "c", "spec:\n  dependsOn: [users_v1]\n"));
    let fleet = catalog(&pit);
    assert_eq!(lines(&fleet), ["component:ads/b = services/b"]);
    assert_eq!(fleet.consumers[0].owner.as_ref().unwrap().as_str(), "group:ads/team");
    assert_eq!(
        fleet.problems,
        [
            "services/a/catalog-info.yaml:7:1: spec.consumesApis names api:ads/users-api, which no catalog describes: correct the reference, or add its catalog file",
            "services/c/catalog-info.yaml:6:15: `spec.dependsOn` names no kind; it is read as component:default/users_v1: write the kind, Backstage insists on it",
            "services/c/catalog-info.yaml:6:1: spec.dependsOn names component:default/users_v1, which no catalog describes: correct the reference, or add its catalog file",
        ]
    );
}

#[test]
fn what_an_entity_says_of_itself() {
    let pit = sandpit();
    let rest =
        "  tags: [z, a, a]\nspec:\n  owner: user:Ann\n  lifecycle: production\n  dependsOn: [resource:users_v1]\n";
    pit.write("services/a/catalog-info.yaml", entity("Component", "A", rest));
    let fleet = catalog(&pit);
    let consumer = &fleet.consumers[0];
    assert_eq!(consumer.entity.as_str(), "component:default/a");
    assert_eq!(consumer.owner.as_ref().unwrap().as_str(), "user:default/ann");
    assert_eq!(consumer.lifecycle.as_deref(), Some("production"));
    assert_eq!(consumer.tags, ["a", "z"]);
}

#[test]
fn one_broken_file_leaves_the_rest() {
    let pit = sandpit();
    pit.write("services/a/catalog-info.yaml", component("a"));
    pit.write("services/b/catalog-info.yaml", format!("{}---\nkind: [1\n", component("b")));
    pit.write("services/c/catalog-info.yaml", "kind: Component\nmetadata:\n  title: nameless\n---\n- 1\n");
    pit.write("services/d/catalog-info.yaml", b"kind: \xff\n");
    pit.write("services/e/catalog-info.yaml", "x".repeat((1 << 20) + 1));
    pit.write("services/f/catalog-info.yaml", entity("Component", "f g", ""));
    pit.write(
        "services/g/catalog-info.yaml",
        entity("Component", "g", "spec:\n  dependsOn:\n    - {a: 1}\n    - resource:users_v1\n"),
    );
    let fleet = catalog(&pit);
    assert_eq!(
        lines(&fleet),
        ["component:default/a = services/a", "component:default/b = services/b", "component:default/g = services/g",]
    );
    insta::assert_snapshot!(fleet.problems.join("\n"), @r##"
    services/b/catalog-info.yaml:8:7: not readable as YAML from here on: unclosed bracket '['
    services/c/catalog-info.yaml:3:3: the entity has no `metadata.name`: give it one
    services/c/catalog-info.yaml:5:1: an entity is a mapping with `kind`, `metadata` and `spec`
    services/d/catalog-info.yaml:1:7: not UTF-8: save it as UTF-8
    services/e/catalog-info.yaml:1:1: larger than 1 MiB, not read: split it into several files
    services/f/catalog-info.yaml:4:3: "Component", "default" and "f g" make no entity reference
    services/g/catalog-info.yaml:7:7: "this value" is not an entity reference: write `kind:namespace/name`
    "##);
}

#[test]
fn yaml_bombs_are_problems() {
    let pit = sandpit();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    pit.write("services/bomb/catalog-info.yaml", bomb);
    pit.write("services/a/catalog-info.yaml", component("a"));
    let fleet = catalog(&pit);
    assert_eq!(lines(&fleet), ["component:default/a = services/a"]);
    assert_eq!(fleet.problems.len(), 1);
    assert!(fleet.problems[0].starts_with("services/bomb/catalog-info.yaml:"), "{:?}", fleet.problems);
}

#[test]
fn locations_are_followed_within_the_tree_and_cycles_end() {
    let pit = sandpit();
    let location = |targets: &str| entity("Location", "l", &format!("spec:\n  targets: {targets}\n"));
    pit.write(
        "services/x/catalog-info.yaml",
        location(
            "[../all/more.yaml, './globbed/*.yaml', ../../outside.yaml, 'https://example.org/c.yaml', nowhere.yaml]",
        ),
    );
    pit.write(
        "services/all/more.yaml",
        format!("{}---\n{}", location("[../x/catalog-info.yaml, more.yaml]"), component("more")),
    );
    pit.write("services/x/globbed/one.yaml", component("one"));
    pit.write("outside.yaml", component("outside"));
    let fleet = catalog(&pit);
    assert_eq!(lines(&fleet), ["component:default/more = services/all", "component:default/one = services/x/globbed",]);
    insta::assert_snapshot!(fleet.problems.join("\n"), @r##"
    services/all/more.yaml:6:1: the target "more.yaml" leads back in a circle of Locations: take it away
    services/x/catalog-info.yaml:6:1: the target "../../outside.yaml" leaves the catalog's tree and was not read: name a wider folder in the migration
    services/x/catalog-info.yaml:6:1: the target "../all/more.yaml" leads back in a circle of Locations: take it away
    services/x/catalog-info.yaml:6:1: the target "https://example.org/c.yaml" is remote and was not read: put a copy of it into the tree
    services/x/catalog-info.yaml:6:1: the target "nowhere.yaml" does not exist: correct the path, which is relative to this file
    "##);
}

/// The fleet where the only consumer has this source location.
fn located(pit: &Sandpit, location: &str) -> Fleet {
    let rest = format!(
        "  annotations:\n    backstage.io/source-location: '{location}'\nspec:\n  dependsOn: [resource:users_v1]\n"
    );
    pit.write("services/a/catalog-info.yaml", entity("Component", "a", &rest));
    catalog(pit)
}

#[test]
fn source_locations() {
    let pit = sandpit();
    pit.write("services/a/src/main.py", "");
    pit.write("outside/x", "");
    check(&located(&pit, "dir:./src"), &["component:default/a = services/a/src"]);
    check(&located(&pit, "file:./src/main.py"), &["component:default/a = services/a/src"]);
    for (location, reason) in [
        ("url:https://example.org/o/r/tree/main/", "its code is at example.org/o/r@main, which is not here"),
        ("url:file:///etc", "which is not here"),
        ("dir:./gone", "does not exist"),
        ("./src", "has no type"),
        ("git:./src", "unknown type"),
        ("dir:../../outside", "leads out of"),
        ("dir:/etc", "leads out of"),
    ] {
        let fleet = located(&pit, location);
        assert!(unresolved(&fleet).contains(reason), "{location}: {:?}", lines(&fleet));
    }
}

#[test]
fn links_lead_nowhere_else() {
    let pit = sandpit();
    pit.write("outside/x", "");
    pit.write("services/a/x", "");
    pit.link("services/a/src", "../../outside");
    assert!(unresolved(&located(&pit, "dir:./src")).contains("leads out of"));
    pit.link("services/a/within", ".");
    assert_eq!(lines(&located(&pit, "dir:./within")), ["component:default/a = services/a"]);
    pit.write("services/b/real.yaml", component("b"));
    pit.link("services/b/catalog-info.yaml", "real.yaml");
    let fleet = catalog(&pit);
    assert_eq!(
        fleet.problems,
        [
            "services/a/src: a link to a folder elsewhere, not looked into: name that folder",
            "services/b/catalog-info.yaml:1:1: a symbolic link, not read: put the file itself there",
        ]
    );
}

#[test]
fn a_location_may_lie_elsewhere_in_the_repository() {
    let pit = sandpit();
    pit.git(&["init", "-q"]);
    pit.write("code/a/x", "");
    check(&located(&pit, "dir:../../code/a"), &["component:default/a = code/a"]);
    assert!(unresolved(&located(&pit, "dir:../../.git")).contains("git's own folder"));
}

#[test]
fn consumers_share_a_workspace_and_duplicates_are_one() {
    let pit = sandpit();
    let again = entity("Component", "a", "  tags: [t]\nspec:\n  owner: o\n  consumesApis: [users-api]\n");
    pit.write("services/a/catalog-info.yaml", format!("{}---\n{}---\n{again}", component("a"), component("b")));
    let fleet = catalog(&pit);
    check(&fleet, &["component:default/a = services/a", "component:default/b = services/a"]);
    assert_eq!(fleet.workspaces.len(), 1);
    assert_eq!(fleet.consumers[0].tags, ["t"]);
    assert_eq!(fleet.consumers[0].owner.as_ref().unwrap().as_str(), "group:default/o");
    assert_eq!(fleet.consumers[0].because.len(), 2);
}

#[test]
fn duplicates_that_contradict_each_other_are_unresolved() {
    let pit = sandpit();
    pit.write("services/a/catalog-info.yaml", component("a"));
    pit.write("services/b/catalog-info.yaml", component("a"));
    let fleet = catalog(&pit);
    let reason = "its descriptions contradict each other in source (services/a/catalog-info.yaml:1, services/b/catalog-info.yaml:1): keep one of them";
    assert_eq!(unresolved(&fleet), reason);
    assert_eq!(fleet.problems, [format!("component:default/a: {reason}")]);
}

#[test]
fn nested_consumers_do_not_overlap() {
    let pit = sandpit();
    pit.write("services/a/catalog-info.yaml", component("a"));
    pit.write("services/a/inner/catalog-info.yaml", component("inner"));
    pit.write("services/a/inner/more/catalog-info.yaml", component("more"));
    // Somebody's code, though nobody's consumer.
    pit.write("services/a/other/catalog-info.yaml", entity("Component", "other", "spec: {}\n"));
    pit.write("services/ab/catalog-info.yaml", component("ab"));
    let fleet = catalog(&pit);
    check(
        &fleet,
        &[
            "component:default/a = services/a",
            "component:default/ab = services/ab",
            "component:default/inner = services/a/inner",
            "component:default/more = services/a/inner/more",
        ],
    );
    let without: Vec<String> = fleet.workspaces.iter().map(|w| w.without.join(" ")).collect();
    assert_eq!(without, ["inner other", "more", "", ""]);
    assert!(fleet.workspaces[0].owns("x") && fleet.workspaces[0].owns("inner2/x"));
    assert!(!fleet.workspaces[0].owns("inner/x") && !fleet.workspaces[0].owns("inner"));
}

#[test]
fn whoever_is_only_named_is_listed() {
    let pit = Sandpit::new();
    let resource = entity("Resource", "users_v1", "spec:\n  dependencyOf: [component:ghost]\n");
    pit.write("services/catalog-info.yaml", resource);
    let fleet = catalog(&pit);
    assert!(unresolved(&fleet).starts_with("no catalog file describes it"));
    assert_eq!(
        fleet.problems,
        [
            "consumers.of: the catalog describes no api:default/users-api: check the reference, or add its catalog file",
            "services/catalog-info.yaml:6:1: spec.dependencyOf names component:default/ghost, which no catalog describes: correct the reference, or add its catalog file",
        ]
    );
}

#[test]
fn places_in_git() {
    let pit = sandpit();
    pit.write("services/a/catalog-info.yaml", component("a"));
    pit.write("services/b/catalog-info.yaml", component("b"));
    pit.git(&["init", "-q"]);
    pit.git(&["add", "services/a"]);
    pit.git(&["commit", "-q", "-m", "x"]);
    pit.write("services/a/new", "1");
    let other = Sandpit::committed(&[("catalog-info.yaml", &component("c"))]);
    let copy = pit.path("services/c");
    pit.git(&["clone", "-q", "--no-hardlinks", other.root().to_str().unwrap(), copy.to_str().unwrap()]);
    let fleet = catalog(&pit);
    check(
        &fleet,
        &["component:default/a = services/a", "component:default/b = services/b", "component:default/c = services/c"],
    );
    let a = fleet.workspaces[0].git.as_ref().unwrap();
    assert_eq!((a.prefix.as_str(), &a.toplevel), ("services/a", &pit.root()));
    assert_eq!(a.commit, pit.git(&["rev-parse", "HEAD"]));
    assert_eq!(a.tree, pit.git(&["rev-parse", "HEAD:services/a"]));
    assert_eq!(a.dirty, ["new"]);
    // Nothing of it is tracked: a plain folder, though a repository is around it.
    assert_eq!(fleet.workspaces[1].git, None);
    let c = fleet.workspaces[2].git.as_ref().unwrap();
    assert_eq!((c.prefix.as_str(), &c.toplevel), ("", &copy));
    assert!(c.dirty.is_empty());
}

#[test]
fn a_repository_that_git_refuses_is_unresolved() {
    let pit = sandpit();
    pit.write("services/a/catalog-info.yaml", component("a"));
    pit.write("services/a/.git/HEAD", "nonsense");
    pit.write("services/b/catalog-info.yaml", component("b"));
    let fleet = catalog(&pit);
    assert!(unresolved(&fleet).starts_with("its git repository can't be read"));
    assert_eq!(lines(&fleet)[1], "component:default/b = services/b");
}

#[test]
fn folders_are_consumers() {
    let pit = Sandpit::new();
    pit.write("services/a/x", "");
    pit.write("services/file", "");
    pit.write("services/.hidden/x", "");
    pit.write("services/My App/x", "");
    pit.write("services/b/catalog-info.yaml", entity("Component", "real", "spec:\n  owner: o\n"));
    let fleet = folders(&pit, "\"services/*\"");
    check(
        &fleet,
        &[
            "component:default/a = services/a",
            "component:default/my-app = services/My App",
            "component:default/real = services/b",
        ],
    );
    assert_eq!(fleet.consumers[0].because, ["its folder matches \"services/*\""]);
    assert_eq!(fleet.consumers[2].owner.as_ref().unwrap().as_str(), "group:default/o");
}

#[test]
fn folders_of_one_name_are_two_consumers() {
    let pit = Sandpit::new();
    for path in ["x/a/f", "y/a/f", "x/b/f"] {
        pit.write(path, "");
    }
    check(
        &folders(&pit, "\"*/{a,b}\""),
        &["component:default/b = x/b", "component:default/x-a = x/a", "component:default/y-a = y/a"],
    );
}

#[test]
fn folders_beside_the_migration_and_globs_without_a_match() {
    let pit = Sandpit::new();
    pit.write("other/a/f", "");
    pit.write("m/r.rhai", "");
    let text = "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n[consumers]\nfrom = [{ folders = [\"../other/*\", \"none/*\"] }]\n";
    pit.write("m/migration.toml", text);
    let fleet = discover(&config::load(&pit.path("m/migration.toml")).unwrap()).unwrap();
    assert_eq!(lines(&fleet), ["component:default/a = ../other/a"]);
    assert_eq!(
        fleet.problems,
        ["folders = \"none/*\" matches no folder: correct it; it is relative to the migration file"]
    );
}

#[test]
fn a_catalog_and_folders_can_name_the_same_consumer() {
    let pit = sandpit();
    pit.write("services/a/catalog-info.yaml", component("a"));
    let from = "{ catalog = \"services\" }, { folders = [\"services/*\"] }";
    let of = "\"resource:users_v1\", \"api:users-api\"";
    let fleet = discover(&migration(&pit, of, from)).unwrap();
    check(&fleet, &["component:default/a = services/a"]);
    assert_eq!(fleet.consumers[0].because.len(), 2);
}

#[test]
fn the_fleet_is_the_same_wherever_it_lies() {
    let fleets = [sandpit(), sandpit()].map(|pit| {
        pit.write("services/a/catalog-info.yaml", component("a"));
        pit.write("services/b/catalog-info.yaml", "kind: [");
        let fleet = catalog(&pit);
        (lines(&fleet), fleet.problems)
    });
    assert_eq!(fleets[0], fleets[1]);
}

/// The example fleet, copied out of this repository so that it is no part of one.
#[test]
fn the_example_fleet() {
    let pit = Sandpit::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fleets/users-v2");
    for entry in walkdir::WalkDir::new(&source).into_iter().map(Result::unwrap) {
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(&source).unwrap().to_str().unwrap();
            pit.write(path, std::fs::read(entry.path()).unwrap());
        }
    }
    let of = "\"resource:users-v1\", \"api:users-v1-dataset\"";
    let fleet = discover(&migration(&pit, of, "{ catalog = \".\" }")).unwrap();
    insta::assert_snapshot!(lines(&fleet).join("\n"), @r##"
    component:default/account-portal = consumers/account-portal
    component:default/adhoc-retention = consumers/adhoc-retention
    component:default/campaign-attribution = consumers/campaign-attribution
    component:default/capacity-forecast = consumers/capacity-forecast
    component:default/cohort-builder = consumers/cohort-builder
    component:default/core-dbt = consumers/core-dbt
    component:default/dormant-users-export = consumers/dormant-users-export
    component:default/finance-dbt = consumers/finance-dbt
    component:default/gdpr-export = consumers/gdpr-export
    component:default/geo-lookup = consumers/geo-lookup
    component:default/geo-lookup-worker = consumers/geo-lookup
    component:default/invoice-mailer = consumers/invoice-mailer
    component:default/lead-scoring = consumers/lead-scoring
    component:default/loyalty-points ! backstage.io/source-location "dir:./pipelines/loyalty/" does not exist: set it to `dir:./folder`, relative to the catalog file, or check the folder out
    component:default/nightly-compactor = consumers/nightly-compactor
    component:default/notice-board = consumers/notice-board
    component:default/plan-entitlements = consumers/plan-entitlements
    component:default/plan-mix-dashboard = consumers/plan-mix-dashboard
    component:default/seat-reconciler = consumers/seat-reconciler
    component:default/signup-country-report = consumers/signup-country-report
    component:default/signup-scio = consumers/signup-scio
    component:default/ticket-router = consumers/ticket-router
    component:default/trial-reminders = consumers/trial-reminders
    component:default/weekly-active-spark = consumers/weekly-active-spark
    component:risk/fraud-velocity = consumers/fraud-velocity
    "##);
    insta::assert_snapshot!(fleet.problems.join("\n"), @"");
}

#[test]
fn what_lies_too_deep_is_told() {
    let pit = sandpit();
    let deep = vec!["d"; 66].join("/");
    pit.write(&format!("services/{deep}/catalog-info.yaml"), component("deep"));
    let fleet = catalog(&pit);
    assert_eq!(fleet.problems.len(), 1, "{:?}", fleet.problems);
    assert!(fleet.problems[0].contains("deeper than 64 folders"), "{:?}", fleet.problems);
}
