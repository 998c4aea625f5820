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
fn what_somebody_has_in_a_clone_is_seen_whatever_was_begun_in_it() {
    let origin = Sandpit::committed(&[("a/x", "1")]);
    let (pit, _) = catalog_of(&origin, &[("a", "a/")]);
    let top = fetched(&cloning(&pit, CLONE), Fetching::Missing).workspaces[0].git.as_ref().unwrap().toplevel.clone();
    let record = PathBuf::from(format!("{}.json", top.display()));
    let text = std::fs::read_to_string(&record).unwrap();
    let write = |path: &Path, text: &str| crate::files::write_whole(path, text.as_bytes(), false).unwrap();
    let cases = [
        ("null", false, Some(false)),
        ("null", true, Some(true)),
        // More folders of a clone are fetched beside what is in it.
        ("\"more\"", false, Some(false)),
        ("\"more\"", true, Some(true)),
        // A newer commit only where nobody had changed anything.
        ("\"newer\"", true, Some(false)),
        // Who wrote that, nobody knows.
        ("\"later\"", true, None),
    ];
    for (begun, is_changed, wanted) in cases {
        write(&record, &text.replace("\"begun\": null", &format!("\"begun\": {begun}")));
        write(&top.join("a/x"), if is_changed { "mine" } else { "1" });
        assert_eq!(crate::discover::holds_work(&top).ok(), wanted, "{begun}, changed: {is_changed}");
    }
    std::fs::remove_file(&record).unwrap();
    assert_eq!(crate::discover::holds_work(&top).ok(), Some(false), "it was never finished");
}

#[test]
fn a_bare_mirror_is_cloned_from_and_no_link_leads_out_of_one() {
    let origin = Sandpit::committed(&[("a/x", "1")]);
    let pit = sandpit();
    pit.write("mirrors/h/o/other/secret/x", "1");
    pit.git(&["init", "-q", "mirrors"]);
    pit.write("mirrors/h/o/plain/x", "1");
    pit.link("mirrors/h/o/plain/out", "../other/secret");
    pit.git(&["init", "-q", "-b", "main", "mirrors/h/o/plain"]);
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
    let git = fleet.workspaces[0].git.as_ref().unwrap();
    assert_eq!(git.commit, commit);
    // Nothing is pushed into a mirror, which nobody reads.
    let pushed = crate::git::Repository::open(&git.toplevel).unwrap().push_url("origin").unwrap();
    assert!(pushed.as_ref().is_some_and(|url| url.starts_with("https://h/o/bare")), "{pushed:?}");
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

/// A catalog file for a component whose code is at a URL.
fn at_url(pit: &Sandpit, name: &str, url: &str) {
    let rest = format!(
        "  annotations:\n    backstage.io/source-location: 'url:{url}'\nspec:\n  dependsOn: [resource:users_v1]\n"
    );
    pit.write(&format!("services/{name}/catalog-info.yaml"), entity("Component", name, &rest));
}

/// The text of a file in the folder of the only consumer.
fn reads(fleet: &Fleet, path: &str) -> String {
    assert_eq!((fleet.problems.as_slice(), fleet.workspaces.len()), (&[][..], 1), "{:?}", lines(fleet));
    std::fs::read_to_string(fleet.workspaces[0].root.join(path)).unwrap()
}

#[test]
fn a_mirror_with_a_work_tree_gives_the_revision_that_is_asked_for() {
    let origin = Sandpit::committed(&[("a/x", "1")]);
    let first = origin.git(&["rev-parse", "HEAD"]);
    origin.git(&["tag", "v1"]);
    origin.commit(&[("a/x", "2")]);
    let pit = sandpit();
    let mirror = pit.path("mirrors/h/o/r");
    origin.git(&["clone", "-q", origin.root().to_str().unwrap(), mirror.to_str().unwrap()]);
    let git = |args: &[&str]| pit.git(&[&["-C", mirror.to_str().unwrap()], args].concat());
    // Somebody works there, on a branch of their own.
    git(&["checkout", "-q", "-b", "mine"]);
    crate::files::write_whole(&mirror.join("a/x"), b"mine", false).unwrap();
    git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "mine"]);
    let migration = cloning(&pit, "mirror = \"mirrors/{host}/{path}\"");
    let at = |place: &str| {
        at_url(&pit, "a", &format!("https://h/o/r{place}"));
        fetched(&migration, Fetching::Missing)
    };
    for (place, expected) in
        [("/tree/main/a", "2"), ("/tree/v1/a", "1"), (&format!("/tree/{first}/a"), "1"), ("/tree/mine/a", "mine")]
    {
        let fleet = at(place);
        assert_eq!(reads(&fleet, "x"), expected, "{place}");
        assert_eq!(fleet.workspaces[0].root.starts_with(&mirror), place == "/tree/mine/a", "{place}");
    }
    let fleet = at("/tree/gone/a");
    assert!(
        unresolved(&fleet).contains("mirrors/h/o/r has no revision \"gone\": fetch it there"),
        "{:?}",
        lines(&fleet)
    );
    // The same commit by another name needs no clone.
    git(&["checkout", "-q", "--detach", "origin/main"]);
    assert!(at("/tree/main/a").workspaces[0].root.starts_with(&mirror));
    pit.write("mirrors/h/o/plain/a/x", "1");
    at_url(&pit, "a", "https://h/o/plain/tree/main/a");
    let fleet = fetched(&migration, Fetching::Missing);
    assert!(
        unresolved(&fleet).contains("mirrors/h/o/plain is no git repository, so that \"main\""),
        "{:?}",
        lines(&fleet)
    );
    // The work tree and a clone of it would both be changed.
    at_url(&pit, "a", "https://h/o/r/tree/v1/a");
    at_url(&pit, "b", "https://h/o/r");
    let fleet = fetched(&migration, Fetching::Missing);
    assert_eq!(fleet.workspaces.len(), 0, "{:?}", lines(&fleet));
    assert!(fleet.problems[0].contains("a is asked for at what is checked out in"), "{:?}", fleet.problems);
}

#[test]
fn a_monorepo_at_another_revision_is_told() {
    let origin = Sandpit::committed(&[("mono/a/x", "1")]);
    let pit = sandpit();
    at_url(&pit, "a", "https://h/o/r/tree/main/mono/a");
    origin.git(&["clone", "-q", origin.root().to_str().unwrap(), pit.path("mono").to_str().unwrap()]);
    let migration = cloning(&pit, "monorepo = { \"https://H/o/r.git\" = \"mono\" }");
    assert_eq!(fetched(&migration, Fetching::Never).problems, [""; 0]);
    pit.git(&["-C", "mono", "checkout", "-q", "-b", "mine"]);
    assert_eq!(fetched(&migration, Fetching::Never).problems, [""; 0], "another name, the same commit");
    pit.git(&["-C", "mono", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "2"]);
    let fleet = fetched(&migration, Fetching::Never);
    assert_eq!(lines(&fleet), ["component:default/a = mono/mono/a"]);
    assert!(
        fleet.problems[0].contains("mono is at mine, and the catalog asks for main of h/o/r"),
        "{:?}",
        fleet.problems
    );
}

/// A checkout in `apps/ads` of a repository that is also at `url`.
fn checked_out(pit: &Sandpit, origin: &Sandpit, url: &str) -> Migration {
    origin.git(&["clone", "-q", origin.root().to_str().unwrap(), pit.path("apps/ads").to_str().unwrap()]);
    pit.git(&["-C", "apps/ads", "remote", "set-url", "origin", url]);
    pit.write("r.rhai", "");
    pit.write("list.txt", format!("{url}\n"));
    let text = "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n[consumers]\nof = [\"resource:users_v1\"]\n\
         from = [{ catalog = \"services\" }, { folders = [\"apps/*\"] }, { repositories = \"list.txt\" }]\n";
    pit.write("migration.toml", text);
    config::load(&pit.path("migration.toml")).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn a_checkout_and_a_url_of_one_repository_are_one_consumer() {
    let (origin, pit) = (Sandpit::committed(&[("x", "1")]), sandpit());
    at_url(&pit, "advertising", "https://GitHub.com/Org/Ads/tree/main/");
    let migration = checked_out(&pit, &origin, "git@github.com:org/ads.git");
    let fleet = fetched(&migration, Fetching::Never);
    check(&fleet, &["component:default/advertising = apps/ads"]);
    let one = &fleet.consumers[0];
    assert_eq!(one.witnesses, ["catalog services", "folders apps/*", "repositories list.txt"]);
    assert_eq!(one.because.len(), 3, "{:?}", one.because);
    // Nobody describes it: the first source's name stays.
    crate::files::remove_folder(&pit.path("services/advertising")).unwrap();
    let fleet = fetched(&migration, Fetching::Never);
    check(&fleet, &["component:default/ads = apps/ads"]);
    assert_eq!(fleet.consumers[0].witnesses, ["folders apps/*", "repositories list.txt"]);
}

#[test]
fn one_component_in_a_checkout_and_in_a_live_catalog_is_one() {
    let (origin, pit) = (Sandpit::committed(&[("x", "1"), ("catalog-info.yaml", &component("ads"))]), sandpit());
    at_url(&pit, "ads", "https://h/o/ads/tree/main/");
    let migration = checked_out(&pit, &origin, "https://h/o/ads");
    let fleet = fetched(&migration, Fetching::Never);
    check(&fleet, &["component:default/ads = apps/ads"]);
    assert_eq!(fleet.consumers[0].witnesses.len(), 3);
    // At another commit than the catalog means, neither is taken for the other.
    pit.git(&["-C", "apps/ads", "checkout", "-q", "-b", "mine"]);
    pit.git(&[
        "-C",
        "apps/ads",
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "2",
    ]);
    let fleet = fetched(&migration, Fetching::Never);
    let told = fleet.problems.join("\n");
    assert!(told.contains("apps/ads is at mine, and the catalog asks for main of h/o/ads"), "{told}");
    assert!(told.contains("component:default/ads: its descriptions contradict each other in source"), "{told}");
    assert!(unresolved(&fleet).contains("contradict each other"), "{:?}", lines(&fleet));
}

#[test]
fn whoever_is_left_out_is_left_out_by_every_name() {
    let (origin, pit) = (Sandpit::committed(&[("x", "1")]), sandpit());
    at_url(&pit, "advertising", "https://h/o/ads/tree/main/");
    checked_out(&pit, &origin, "https://h/o/ads");
    let text = std::fs::read_to_string(pit.path("migration.toml")).unwrap();
    let exclude = "[[consumers.exclude]]\nconsumer = \"advertising\"\nreason = \"r\"\nuntil = 2999-01-01\n";
    pit.write("migration.toml", format!("{text}{exclude}"));
    let migration = config::load(&pit.path("migration.toml")).unwrap();
    check(&fetched(&migration, Fetching::Never), &[]);
    // Somebody else who is described has the same code.
    at_url(&pit, "second", "https://h/o/ads");
    let fleet = fetched(&migration, Fetching::Never);
    assert_eq!(lines(&fleet), ["component:default/second = apps/ads"]);
    assert!(fleet.problems[0].contains("second has the same code as somebody who is left out"), "{:?}", fleet.problems);
}

#[test]
fn a_list_writes_one_repository_in_two_ways() {
    let pit = sandpit();
    pit.write("services/catalog-info.yaml", "");
    pit.write("mirrors/github.com/Org/Api/x", "1");
    pit.write("list.txt", "https://GitHub.com/Org/Api\nhttps://github.com/org/api.git\n");
    pit.write("r.rhai", "");
    pit.write(
        "migration.toml",
        "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n[consumers]\nfrom = [{ repositories = \"list.txt\" }]\n\
         [code]\nmirror = \"mirrors/{host}/{path}\"\n",
    );
    let migration = config::load(&pit.path("migration.toml")).unwrap();
    check(&fetched(&migration, Fetching::Never), &["component:default/api = mirrors/github.com/Org/Api"]);
}

#[test]
fn a_repository_by_another_name_keeps_its_clone() {
    let old = Sandpit::committed(&[("a/x", "1")]);
    old.git(&["config", "uploadpack.allowFilter", "true"]);
    let pit = sandpit();
    let origins = pit.path("origins");
    crate::files::make_folder(&origins).unwrap();
    let url = |name: &str| format!("file://{}/-/tree/main/a", origins.join(name).display());
    old.git(&["clone", "-q", "--bare", old.root().to_str().unwrap(), origins.join("old").to_str().unwrap()]);
    at_url(&pit, "a", &url("old"));
    let migration = cloning(&pit, CLONE);
    let before = fetched(&migration, Fetching::Missing);
    let commit = |fleet: &Fleet| fleet.workspaces[0].git.as_ref().unwrap().commit.clone();
    // It goes by another name now, and went on; so did another one that was made anew.
    old.commit(&[("a/x", "2")]);
    old.git(&["clone", "-q", "--bare", old.root().to_str().unwrap(), origins.join("new").to_str().unwrap()]);
    at_url(&pit, "a", &url("new"));
    let after = fetched(&migration, Fetching::Missing);
    assert_eq!(after.problems, [""; 0]);
    assert_eq!(lines(&after), lines(&before), "the same place of code");
    assert_eq!(commit(&after), commit(&before), "which stays at its commit");
    assert!(after.workspaces[0].origin.as_ref().unwrap().ends_with("/new"), "{:?}", after.workspaces);
    let folders = || std::fs::read_dir(pit.path(".gander/m/clones")).unwrap().count();
    assert_eq!(folders(), 2, "a clone and its record");
    assert_ne!(commit(&fetched(&migration, Fetching::Refresh)), commit(&before));
    assert_eq!(lines(&fetched(&migration, Fetching::Never)), lines(&before));
    // Another one under the old name is not the same, nor does it lie in the same folder.
    let stranger = Sandpit::committed(&[("a/x", "3")]);
    crate::files::remove_folder(&origins.join("old")).unwrap();
    old.git(&["clone", "-q", "--bare", stranger.root().to_str().unwrap(), origins.join("old").to_str().unwrap()]);
    at_url(&pit, "b", &url("old"));
    let both = fetched(&migration, Fetching::Missing);
    assert_eq!((both.problems.len(), both.workspaces.len()), (0, 2), "{:?}", both.problems);
    let text_of = |fleet: &Fleet, index: usize| match &fleet.consumers[index].source {
        Source::Workspace(at) => std::fs::read_to_string(fleet.workspaces[*at].root.join("x")).unwrap(),
        Source::Unresolved(why) => why.clone(),
    };
    assert_eq!((text_of(&both, 0).as_str(), text_of(&both, 1).as_str()), ("2", "3"));
    // Somebody left, and somebody else came who has nothing to do with them.
    crate::files::remove_folder(&pit.path("services/a")).unwrap();
    let other = Sandpit::committed(&[("a/x", "4")]);
    other.git(&["clone", "-q", "--bare", other.root().to_str().unwrap(), origins.join("other").to_str().unwrap()]);
    at_url(&pit, "c", &url("other"));
    let fleet = fetched(&migration, Fetching::Missing);
    assert_eq!((text_of(&fleet, 0).as_str(), text_of(&fleet, 1).as_str()), ("3", "4"));
    assert!(lines(&fleet)[1].contains("/other-"), "{:?}", lines(&fleet));
}
