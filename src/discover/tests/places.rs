//! Where code lies: folders, repositories, and what of them is searched.

use super::sources::{dataset, found};
use super::*;

#[test]
fn repositories_of_one_name_are_two_consumers() {
    let pit = Sandpit::new();
    let names = |urls: &str| -> Vec<String> {
        pit.write("list.txt", urls.split_whitespace().collect::<Vec<_>>().join("\n"));
        let discovery = found(&pit, "{ repositories = \"list.txt\" }");
        assert_eq!(discovery.fleet.problems, [""; 0]);
        discovery.fleet.consumers.iter().map(|one| one.entity.name().to_owned()).collect()
    };
    let list = "https://h/orga/api https://h/orgb/api https://h/orgb/web https://h/orgb/web.git";
    assert_eq!(names(list), ["orga-api", "orgb-api", "web"]);
    // The same on two hosts, and one that is called like another with its owner.
    let list = "https://h1/org/api https://h2/org/api https://h3:8443/org/api https://h1/x/org-api";
    assert_eq!(names(list), ["h1-org-api", "h2-org-api", "h3-8443-org-api", "x-org-api"]);
    // However they are cut, they stay two.
    let two = names("https://h/a/b-c/tree/main/x https://h/a/b/tree/main/c/x https://h/a/b/tree/v1/c/x");
    assert_eq!(two.len(), 3, "{two:?}");
}

#[test]
fn code_that_is_here_and_code_that_is_not_contradict_each_other() {
    let pit = Sandpit::new();
    pit.write("mirrors/h/orga/api/x.py", "");
    let rest = |place: &str| {
        format!(
            "  annotations:\n    backstage.io/source-location: 'url:https://h/{place}'\nspec:\n  dependsOn: [resource:users_v1]\n"
        )
    };
    pit.write("services/r/catalog-info.yaml", entity("Resource", "users_v1", ""));
    pit.write("services/a/catalog-info.yaml", entity("Component", "api", &rest("orga/api")));
    pit.write("services/b/catalog-info.yaml", entity("Component", "api", &rest("orgb/api")));
    let text = "from = [{ catalog = \"services\" }]\n[code]\nmirror = \"mirrors/{host}/{path}\"";
    let fleet = discovered(&dataset(&pit, text)).unwrap().fleet;
    assert!(unresolved(&fleet).contains("contradict each other in source"), "{:?}", lines(&fleet));
}

#[test]
fn a_folder_that_no_glob_can_look_into_is_told() {
    let pit = Sandpit::new();
    pit.write("apps/a/x", "");
    pit.write("apps/barred/b/x", "");
    let barred = pit.path("apps/barred");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(&barred, mode(0o000)).unwrap();
    // Root may look everywhere.
    let seen = std::fs::read_dir(&barred).is_ok();
    let discovery = found(&pit, "{ folders = [\"apps/*/*\", \"apps/a\"] }");
    std::fs::set_permissions(&barred, mode(0o755)).unwrap();
    if !seen {
        assert!(discovery.fleet.problems[0].contains("apps/barred can't be read"), "{:?}", discovery.fleet.problems);
    }
}

#[test]
fn whoever_is_left_out_is_not_changed_with_those_around_them() {
    let pit = Sandpit::new();
    pit.write("mono/x", "");
    pit.write("mono/in/x", "");
    pit.write("list.txt", "mono\nmono/in\n");
    let exclude = "[[consumers.exclude]]\nconsumer = \"in\"\nreason = \"x\"\nuntil = 2999-01-01";
    let fleet = discover(&dataset(&pit, &format!("from = [{{ repositories = \"list.txt\" }}]\n{exclude}"))).unwrap();
    assert_eq!(lines(&fleet), ["component:default/mono = mono"]);
    assert_eq!(fleet.workspaces[0].without, ["in"]);
}

#[test]
fn what_git_tracks_is_searched_though_it_is_ignored() {
    let pit = sandpit();
    pit.git(&["init", "-q"]);
    pit.write("services/a/catalog-info.yaml", component("a"));
    pit.write("services/a/built/q.sql", "from users_v1");
    pit.write("services/a/x/target/q.sql", "nothing");
    pit.git(&["add", "-A"]);
    pit.git(&["commit", "-q", "-m", "a commit"]);
    pit.write("services/a/.gitignore", "built\n*.log\n");
    pit.write("services/a/x.log", "users_v1");
    let migration = dataset(&pit, "names = [\"users_v1\"]\nfrom = [{ catalog = \"services\" }]");
    let request = Request { clock: &Clock::at(0), fetching: Fetching::Never, names: Some(vec!["users_v1".to_owned()]) };
    let agreement = super::super::discover(&migration, &request).unwrap().agreement.unwrap();
    let place = Place { path: "services/a/built/q.sql".to_owned(), line: 1, name: "users_v1".to_owned() };
    assert_eq!(agreement.declared[0].code, Shown::Used { place, files: 1 });
    assert!(agreement.undeclared.is_empty(), "{:?}", agreement.undeclared);
}

#[test]
fn two_repositories_with_one_mirror_are_refused() {
    let pit = Sandpit::new();
    pit.write("mirrors/o/api/x", "");
    pit.write("list.txt", "https://h1/o/api\nhttps://h2/o/api\n");
    let text = "from = [{ repositories = \"list.txt\" }]\n[code]\nmirror = \"mirrors/{owner}/{name}\"";
    let fleet = discover(&dataset(&pit, text)).unwrap();
    assert_eq!(fleet.workspaces.len(), 0, "{:?}", lines(&fleet));
    assert!(
        fleet.problems.iter().any(|problem| problem.contains("several repositories have this mirror")),
        "{:?}",
        fleet.problems
    );
}

#[test]
fn submodules_and_linked_folders_are_said_and_not_searched() {
    let pit = Sandpit::committed(&[("apps/a/x.py", "users_v1")]);
    let commit = pit.git(&["rev-parse", "HEAD"]);
    pit.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},apps/a/vendor/lib")]);
    pit.git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "two"]);
    pit.write("elsewhere/b/x.py", "");
    pit.link("apps/b", "../elsewhere/b");
    pit.link("apps/gone", "../nowhere");
    let from = "from = [{ folders = [\"apps/*\"] }]\nnames = [\"users_v1\"]";
    let migration = dataset(&pit, from);
    let request = Request { clock: &Clock::at(0), fetching: Fetching::Never, names: Some(vec!["users_v1".to_owned()]) };
    let discovery = super::super::discover(&migration, &request).unwrap();
    assert_eq!(lines(&discovery.fleet), ["component:default/a = apps/a"]);
    let told = discovery.fleet.problems.join("\n");
    assert!(told.contains("apps/a/vendor/lib") && told.contains("submodule"), "{told}");
    assert!(told.contains("apps/b is a link, and is not followed: name the folder itself"), "{told}");
    assert!(!discovery.is_complete());
}
