//! `[verify]`: what every key means, and what is refused.

use std::time::Duration;

use super::*;

const GOOD: &str = "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"a.rhai\"]\n[consumers]\nof = [\"resource:u\"]\n\
    [[consumers.from]]\nfolders = [\"x/*\"]\n";

fn read(verify: &str) -> Result<Migration, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("a.rhai", "a"), ("schemas/users.json", "{}"), ("migration.toml", &format!("{GOOD}{verify}"))]
    {
        crate::files::make_folder(&folder.path().join("schemas")).unwrap();
        crate::files::write_whole(&folder.path().join(name), text.as_bytes(), false).unwrap();
    }
    load(&folder.path().join("migration.toml"))
}

fn wrong(verify: &str) -> String {
    read(verify).unwrap_err().render(false)
}

#[test]
fn steps_say_what_they_produce_and_are_given() {
    let text = "[verify]\nchallenge = true\n[[verify.step]]\nname = \"report\"\nrun = [\"make\"]\n\
        snapshot = [\"stdout\", \"out/**/*.csv\"]\nresults = [\"r.xml\"]\n\
        filters = [\"times\", \"order\", { match = \"id=[0-9]+\", replace = \"id=N\" }]\n\
        differs = [{ match = \"users_v1\", replace = \"users_v2\" }]\nseed = [{ from = \"schemas\", to = \"~/.bigquery\" }]\n\
        [sandbox]\ndisk = \"1GiB\"\nsilence = \"2m\"\n";
    let migration = read(text).unwrap();
    assert!(migration.verify.challenge);
    let step = &migration.verify.steps[0];
    assert_eq!(step.snapshot, ["stdout", "out/**/*.csv"]);
    assert_eq!(step.results, ["r.xml"]);
    let id = Replace { pattern: "id=[0-9]+".to_owned(), with: "id=N".to_owned() };
    assert_eq!(step.filters, [Filter::Times, Filter::Order, Filter::Replace(id)]);
    assert_eq!(step.differs[0].with, "users_v2");
    assert_eq!((step.seeds[0].to.as_str(), step.seeds[0].from.file_name()), ("~/.bigquery", Some("schemas".as_ref())));
    assert_eq!(migration.sandbox.disk, 1 << 30);
    assert_eq!(migration.sandbox.silence, Some(Duration::from_secs(120)));
    let plain = read("").unwrap();
    assert!(!plain.verify.challenge && plain.sandbox.silence.is_none());
    assert_eq!(plain.sandbox.disk, SandboxConfig::default().disk);
}

#[test]
fn fetches_come_first_and_name_hosts_and_secrets() {
    let text = "[[verify.step]]\nname = \"t\"\nrun = [\"x\"]\n[[verify.fetch]]\nname = \"f\"\nrun = [\"y\"]\n\
        hosts = [\"Index.example.org\", \"b.example:8443\"]\ncredentials = [\"TOKEN\"]\ncaches = [\"~/.m2/\", \"node_modules\"]\n";
    let steps = read(text).unwrap().verify.steps;
    let fetch = steps[0].fetch.as_ref().unwrap();
    assert_eq!(fetch.hosts, ["index.example.org:443", "b.example:8443"]);
    assert_eq!(
        (fetch.credentials.as_slice(), fetch.caches.as_slice()),
        (["TOKEN".to_owned()].as_slice(), ["~/.m2".to_owned(), "node_modules".to_owned()].as_slice())
    );
    assert!(steps[1].fetch.is_none());
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let step = |more: &str| wrong(&format!("[[verify.step]]\nname = \"t\"\nrun = [\"x\"]\n{more}\n"));
    for (more, expected) in [
        ("snapshot = [\"../x\"]", "leaves the sandbox's folders"),
        ("snapshot = [\"[\"]", "not a glob"),
        ("filters = [\"time\"]", "did you mean \"times\"?"),
        ("filters = [{ match = \"(\", replace = \"\" }]", "not a regular expression"),
        ("differs = [{ match = \"a\" }]", "this key is missing"),
        ("seed = [{ from = \"none\", to = \"~/x\" }]", "no such file or folder"),
        ("seed = [{ from = \"schemas\", to = \"/etc\" }]", "neither below the consumer"),
        ("hosts = [\"a.example\"]", "unknown key"),
    ] {
        let said = step(more);
        assert!(said.contains(expected), "{more}: {said}");
    }
    let fetch = |more: &str| wrong(&format!("[[verify.fetch]]\nname = \"t\"\nrun = [\"x\"]\n{more}\n"));
    for (more, expected) in [
        ("hosts = [\"*.example.org\"]", "there are no wildcards"),
        ("hosts = [\"https://a.example\"]", "not a host with a port"),
        ("credentials = [\"s3cr3t!\"]", "the secret itself must not stand here"),
        ("caches = [\"~/..\"]", "neither below the consumer"),
    ] {
        let said = fetch(more);
        assert!(said.contains(expected), "{more}: {said}");
    }
    assert!(wrong("[verify]\nchallenge = \"yes\"\n").contains("expected true or false"));
}
