//! Code that is elsewhere: clones by real git, over `file://`.

use super::*;
use crate::workspace::Pin;

/// A catalog in `services` whose components lie in the repository at `origin`.
fn catalog_of(origin: &Sandpit, components: &[(&str, &str)]) -> (Sandpit, String) {
    let pit = sandpit();
    let url = format!("file://{}", origin.root().display());
    for (name, path) in components {
        let location = format!("url:{url}/-/tree/main/{path}");
        let rest = format!(
            "  annotations:\n    backstage.io/source-location: '{location}'\nspec:\n  dependsOn: [resource:users_v1]\n"
        );
        pit.write(&format!("services/{name}/catalog-info.yaml"), entity("Component", name, &rest));
    }
    (pit, url)
}

fn cloning(pit: &Sandpit, code: &str) -> Migration {
    pit.write("r.rhai", "");
    let text = format!(
        "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n[consumers]\nof = [\"resource:users_v1\"]\n\
         from = [{{ catalog = \"services\" }}]\n[code]\n{code}\n"
    );
    pit.write("migration.toml", text);
    config::load(&pit.path("migration.toml")).unwrap_or_else(|errors| panic!("{errors}"))
}

fn fetched(migration: &Migration, fetching: Fetching) -> Fleet {
    let request = Request { clock: &Clock::at(0), fetching, names: None };
    super::super::discover(migration, &request).unwrap().fleet
}

const CLONE: &str = "clone = true\nprotocols = [\"file\"]";

#[test]
fn components_of_a_repository_share_a_clone_that_is_pinned() {
    let origin = Sandpit::committed(&[("a/x", "1"), ("a/inner/x", "2"), ("b/x", "3"), ("c/x", "4")]);
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let (pit, _) = catalog_of(&origin, &[("a", "a/"), ("inner", "a/inner/"), ("b", "b")]);
    let migration = cloning(&pit, CLONE);
    let never = fetched(&migration, Fetching::Never);
    assert!(lines(&never)[0].contains("is not cloned yet"), "{:?}", lines(&never));
    assert!(!pit.path(".gander").exists(), "a plan writes nothing");
    let fleet = fetched(&migration, Fetching::Missing);
    assert_eq!(fleet.problems, [""; 0]);
    assert_eq!(fleet.workspaces.len(), 3);
    let tops: BTreeSet<&Path> = fleet.workspaces.iter().map(|w| w.git.as_ref().unwrap().toplevel.as_path()).collect();
    assert_eq!(tops.len(), 1, "one clone for all");
    let top = tops.into_iter().next().unwrap();
    assert!(top.join("b/x").is_file() && !top.join("c").exists(), "only what is needed");
    let commit = origin.git(&["rev-parse", "HEAD"]);
    for workspace in &fleet.workspaces {
        let manifest = crate::pin::manifest(workspace).unwrap();
        let pin = crate::pin::pin_of(workspace, &manifest);
        assert!(matches!(&pin, Pin::Commit { commit: c, .. } if *c == commit), "{pin:?}");
    }
    let a = fleet.workspaces.iter().find(|w| w.id.ends_with("/a")).unwrap();
    assert_eq!(a.without, ["inner"]);
    let record = std::fs::read_to_string(PathBuf::from(format!("{}.json", top.display()))).unwrap();
    assert!(record.contains(&commit), "{record}");
    // The origin moves on; the pin does not, until it is asked to.
    origin.commit(&[("a/x", "newer")]);
    let newer = origin.git(&["rev-parse", "HEAD"]);
    let commits = |fleet: &Fleet| fleet.workspaces[0].git.as_ref().unwrap().commit.clone();
    assert_eq!(commits(&fetched(&migration, Fetching::Missing)), commit);
    assert_eq!(commits(&fetched(&migration, Fetching::Refresh)), newer);
    assert_eq!(std::fs::read_to_string(top.join("a/x")).unwrap(), "newer");
}

#[test]
fn what_failed_is_gone_on_with() {
    let origin = Sandpit::committed(&[("a/x", "unlike any other"), ("a/y", "2")]);
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let blob = origin.git(&["rev-parse", "HEAD:a/x"]);
    let object = origin.path(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
    let aside = origin.path("aside");
    crate::files::settle_folder(&object, &aside).unwrap();
    let (pit, _) = catalog_of(&origin, &[("a", "a/")]);
    let migration = cloning(&pit, CLONE);
    let fleet = fetched(&migration, Fetching::Missing);
    assert!(unresolved(&fleet).contains("can't be cloned"), "{:?}", lines(&fleet));
    assert_eq!(fleet.problems.len(), 1);
    let half = std::fs::read_dir(pit.path(".gander/m/clones")).unwrap().next().unwrap().unwrap().path();
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.join(".git").metadata().unwrap());
    let before = inode(&half);
    crate::files::settle_folder(&aside, &object).unwrap();
    let fleet = fetched(&migration, Fetching::Missing);
    assert_eq!(fleet.problems, [""; 0]);
    assert_eq!((inode(&half), fleet.workspaces.len()), (before, 1), "the same clone goes on");
}

#[test]
fn what_somebody_changed_in_a_clone_stays() {
    let origin = Sandpit::committed(&[("a/x", "1")]);
    let (pit, _) = catalog_of(&origin, &[("a", "a/")]);
    let migration = cloning(&pit, CLONE);
    let fleet = fetched(&migration, Fetching::Missing);
    let top = fleet.workspaces[0].git.as_ref().unwrap().toplevel.clone();
    crate::files::write_whole(&top.join("a/x"), b"mine", false).unwrap();
    let fleet = fetched(&migration, Fetching::Refresh);
    assert!(fleet.problems[0].contains("has uncommitted changes"), "{:?}", fleet.problems);
    assert_eq!(std::fs::read(top.join("a/x")).unwrap(), b"mine");
}

#[test]
fn a_checkout_of_the_monorepo_comes_first() {
    let origin = Sandpit::committed(&[("a/x", "1")]);
    let (pit, url) = catalog_of(&origin, &[("a", "a/"), ("gone", "gone/")]);
    pit.write("mono/a/x", "1");
    let fleet = fetched(&cloning(&pit, &format!("monorepo = {{ \"{url}\" = \"mono\" }}")), Fetching::Never);
    assert_eq!(lines(&fleet)[0], "component:default/a = mono/a");
    assert!(lines(&fleet)[1].contains("does not exist in its repository"), "{:?}", lines(&fleet));
}

#[test]
fn urls_that_smuggle_are_refused() {
    let pit = sandpit();
    for (location, why) in [
        ("url:ext::sh -c touch% owned", "no URL of a repository"),
        ("url:--upload-pack=x", "no URL of a repository"),
        ("url:file:///etc", "protocol \"file\""),
        ("url:ssh://-oProxyCommand=touch/x", "no host that git may be given"),
        ("url:https://user:pw@h/o/r", "name or password"),
    ] {
        let rest = format!(
            "  annotations:\n    backstage.io/source-location: '{location}'\nspec:\n  dependsOn: [resource:users_v1]\n"
        );
        pit.write("services/a/catalog-info.yaml", entity("Component", "a", &rest));
        let fleet = fetched(&cloning(&pit, "clone = true"), Fetching::Missing);
        assert!(unresolved(&fleet).contains(why), "{location}: {:?}", lines(&fleet));
    }
    assert!(!pit.path("owned").exists());
}

#[test]
fn two_revisions_of_a_repository_with_a_dotted_name_have_records_of_their_own() {
    let outer = Sandpit::committed(&[("a/x", "1"), ("b/x", "1")]);
    outer.git(&["branch", "v1"]);
    outer.commit(&[("a/x", "2")]);
    crate::files::settle_folder(&outer.path(".git"), &outer.path("repo.v1.git")).unwrap();
    let url = format!("file://{}/repo.v1", outer.root().display());
    let pit = sandpit();
    for (name, revision) in [("a", "main"), ("b", "v1")] {
        let rest = format!(
            "  annotations:\n    backstage.io/source-location: 'url:{url}.git/-/tree/{revision}/{name}/'\nspec:\n  dependsOn: [resource:users_v1]\n"
        );
        pit.write(&format!("services/{name}/catalog-info.yaml"), entity("Component", name, &rest));
    }
    let fleet = fetched(&cloning(&pit, CLONE), Fetching::Missing);
    assert_eq!(fleet.problems, [""; 0]);
    let names = std::fs::read_dir(pit.path(".gander/m/clones")).unwrap().map(|entry| entry.unwrap().file_name());
    let records = names.filter(|name| name.to_string_lossy().ends_with(".json")).count();
    assert_eq!(records, 2, "a record for each clone");
    let again = fetched(&cloning(&pit, CLONE), Fetching::Never);
    assert_eq!((again.problems.len(), again.workspaces.len()), (0, 2));
}

#[test]
fn code_that_is_asked_for_at_two_revisions_is_refused_where_paths_overlap() {
    let origin = Sandpit::committed(&[("a/x", "1"), ("a/inner/x", "2"), ("b/x", "3")]);
    let (pit, url) = catalog_of(&origin, &[("a", "a/"), ("b", "b/")]);
    let whole = |revision: &str| {
        let rest = format!(
            "  annotations:\n    backstage.io/source-location: 'url:{url}{revision}'\nspec:\n  dependsOn: [resource:users_v1]\n"
        );
        pit.write("services/whole/catalog-info.yaml", entity("Component", "whole", &rest));
    };
    let migration = cloning(&pit, CLONE);
    assert_eq!(fetched(&migration, Fetching::Missing).workspaces.len(), 2);
    // By another name, at one commit and then at two.
    for moved in [false, true] {
        if moved {
            origin.commit(&[("a/x", "newer")]);
        }
        whole("");
        let fleet = fetched(&migration, Fetching::Missing);
        assert_eq!(fleet.workspaces.len(), 0, "{:?}", lines(&fleet));
        let told = |text: &String| text.contains("a is asked for at no revision and at main: write the same revision");
        assert!(fleet.problems.iter().any(told), "{:?}", fleet.problems);
        // The same name: it shares the clone, and the others are no part of it.
        whole("/-/tree/main/");
        let fleet = fetched(&migration, Fetching::Missing);
        assert_eq!((fleet.problems.len(), fleet.workspaces.len()), (0, 3), "{:?}", fleet.problems);
        let whole = fleet.workspaces.iter().find(|one| one.without.len() == 2).unwrap();
        assert_eq!(whole.without, ["a", "b"]);
    }
}

#[test]
fn one_repository_by_several_addresses_is_cloned_once() {
    let same = [
        "https://GitHub.com/Org/Api",
        "https://github.com/org/api.git",
        "git@github.com:org/api",
        "ssh://git@github.com:22/org/api",
    ];
    let identity = |url: &str| super::super::location::url(url).unwrap().identity();
    let all: BTreeSet<String> = same.into_iter().map(identity).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_ne!(identity("https://h/Org/Api"), identity("https://h/org/api"), "a host that may tell them apart");
}

#[test]
fn a_refresh_that_was_killed_is_finished_and_nobodys_work_is_lost() {
    let origin = Sandpit::committed(&[("a/x", "1"), ("a/y", "1"), ("b/x", "1")]);
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let (pit, url) = catalog_of(&origin, &[("a", "a/")]);
    let migration = cloning(&pit, CLONE);
    let top = fetched(&migration, Fetching::Missing).workspaces[0].git.as_ref().unwrap().toplevel.clone();
    let record = PathBuf::from(format!("{}.json", top.display()));
    let write = |path: &Path, text: &str| crate::files::write_whole(path, text.as_bytes(), false).unwrap();
    // What a kill leaves in the middle of a checkout: a lock, half of the files, a record.
    origin.commit(&[("a/x", "2"), ("a/y", "2")]);
    let text = std::fs::read_to_string(&record).unwrap();
    write(&record, &text.replace("\"begun\": null", "\"begun\": \"newer\""));
    write(&top.join("a/x"), "2");
    for lock in ["index.lock", "shallow.lock", "config.lock", "info/sparse-checkout.lock", "objects/pack/tmp_pack_x"] {
        write(&top.join(".git").join(lock), "");
    }
    assert!(lines(&fetched(&migration, Fetching::Never))[0].contains("is not cloned yet"), "half a clone is no clone");
    let fleet = fetched(&migration, Fetching::Refresh);
    assert_eq!(fleet.problems, [""; 0]);
    let texts = ["a/x", "a/y"].map(|path| std::fs::read_to_string(top.join(path)).unwrap());
    assert_eq!(texts, ["2", "2"]);
    assert!(!top.join(".git/objects/pack/tmp_pack_x").exists());
    // A newcomer in the same repository, while a change is delivered to the work tree.
    write(&top.join("a/x"), "delivered");
    let rest = format!(
        "  annotations:\n    backstage.io/source-location: 'url:{url}/-/tree/main/b'\nspec:\n  dependsOn: [resource:users_v1]\n"
    );
    pit.write("services/b/catalog-info.yaml", entity("Component", "b", &rest));
    let fleet = fetched(&migration, Fetching::Missing);
    assert_eq!((fleet.problems.len(), fleet.workspaces.len()), (0, 2), "{:?}", fleet.problems);
    assert_eq!(std::fs::read_to_string(top.join("a/x")).unwrap(), "delivered");
    // Whoever leaves keeps their code for as long as something of it is delivered.
    crate::files::remove_folder(&pit.path("services/a")).unwrap();
    origin.commit(&[("b/x", "3")]);
    assert!(fetched(&migration, Fetching::Refresh).problems[0].contains("has uncommitted changes"));
    write(&top.join("a/x"), "2");
    assert_eq!(fetched(&migration, Fetching::Refresh).problems, [""; 0]);
    assert!(top.join("a/x").is_file() && std::fs::read_to_string(top.join("b/x")).unwrap() == "3");
}

#[test]
fn a_bare_mirror_is_cloned_from_and_no_link_leads_out_of_one() {
    let origin = Sandpit::committed(&[("a/x", "1")]);
    let pit = sandpit();
    pit.write("mirrors/h/o/other/secret/x", "1");
    pit.git(&["init", "-q", "mirrors"]);
    pit.write("mirrors/h/o/plain/x", "1");
    pit.link("mirrors/h/o/plain/out", "../other/secret");
    let bare = pit.path("mirrors/h/o/bare");
    origin.git(&["clone", "-q", "--mirror", origin.root().to_str().unwrap(), bare.to_str().unwrap()]);
    for (name, place) in [("a", "o/bare/tree/main/a"), ("out", "o/plain/tree/main/out"), ("plain", "o/plain")] {
        let rest = format!(
            "  annotations:\n    backstage.io/source-location: 'url:https://h/{place}'\nspec:\n  dependsOn: [resource:users_v1]\n"
        );
        pit.write(&format!("services/{name}/catalog-info.yaml"), entity("Component", name, &rest));
    }
    let migration = cloning(&pit, "mirror = \"mirrors/{host}/{path}\"");
    let fleet = fetched(&migration, Fetching::Missing);
    let found = lines(&fleet);
    assert!(found[0].starts_with("component:default/a = .gander/m/clones/bare-"), "{found:?}");
    assert!(found[1].contains("h/o/plain/out@main leads out of"), "{found:?}");
    assert_eq!(found[2], "component:default/plain = mirrors/h/o/plain");
    let commit = origin.git(&["rev-parse", "HEAD"]);
    assert_eq!(fleet.workspaces[0].git.as_ref().unwrap().commit, commit);
}

#[test]
fn a_clone_that_is_not_where_its_record_says_is_refused() {
    let origin = Sandpit::committed(&[("a/x", "1")]);
    let (pit, _) = catalog_of(&origin, &[("a", "a/")]);
    let migration = cloning(&pit, CLONE);
    let top = fetched(&migration, Fetching::Missing).workspaces[0].git.as_ref().unwrap().toplevel.clone();
    crate::files::write_whole(&top.join(".git/HEAD"), format!("{}\n", "1".repeat(40)).as_bytes(), false).unwrap();
    for fetching in [Fetching::Never, Fetching::Missing] {
        let fleet = fetched(&migration, fetching);
        assert!(unresolved(&fleet).contains("is not at the commit on record"), "{:?}", lines(&fleet));
    }
}
