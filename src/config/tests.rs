//! Each class of error with the exact text a user sees, and what a whole file means.

mod mistakes;

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;

const GOOD: &str = r#"
[migration]
id = "users-v2"
title = "users_v1 becomes users_v2"
rules = ["a.rhai", "b.rhai"]
[consumers]
of = ["resource:users_v1"]
[[consumers.from]]
catalog = "services"
"#;

/// A folder with what `GOOD` names.
#[expect(clippy::disallowed_methods, reason = "a test writes its own temporary folder")]
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("a.rhai", "a"), ("b.rhai", "b"), ("users.toml", "[t]")] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    fs::create_dir(dir.path().join("services")).unwrap();
    dir
}

#[expect(clippy::disallowed_methods, reason = "a test writes its own temporary folder")]
fn load_in(dir: &Path, bytes: impl AsRef<[u8]>) -> Result<Migration, ConfigErrors> {
    let path = dir.join("migration.toml");
    fs::write(&path, bytes).unwrap();
    load(&path)
}

/// What a user sees, with the temporary folder cut out.
fn errors(text: impl AsRef<[u8]>) -> String {
    let dir = folder();
    let errors = load_in(dir.path(), text).unwrap_err();
    let rendered = errors.render(false);
    let prefix = format!("{}/", dir.path().display());
    rendered.replace(&prefix, "")
}

fn with(extra: &str) -> String {
    format!("{GOOD}{extra}")
}

#[test]
fn a_short_file_has_sensible_defaults() {
    let dir = folder();
    let migration = load_in(dir.path(), GOOD).unwrap();
    let base = dir.path().canonicalize().unwrap();
    assert_eq!(migration.rules, [base.join("a.rhai"), base.join("b.rhai")]);
    assert_eq!(migration.state, base.join(".gander/users-v2"));
    assert_eq!(migration.consumers.of[0].as_str(), "resource:default/users_v1");
    assert_eq!(migration.policy.annotated, Disposition::Deliver);
    assert_eq!(migration.policy.unverified, Disposition::Hold);
    let waves: Vec<&str> = migration.rollout.waves.iter().map(|w| w.text.as_str()).collect();
    assert_eq!(waves, ["1", "10%", "100%"]);
    assert_eq!(migration.rollout.gates, [Gate::Regressions { max: 0 }]);
    assert_eq!(migration.sandbox.memory, 2 << 30);
    assert_eq!(migration.sandbox.output, 10 << 20);
    assert!(migration.verify.steps.is_empty());
}

#[test]
fn every_key_is_read() {
    let dir = folder();
    let text = r#"
[migration]
id = "users-v2"
title = "t"
guide = "https://example.org/guide"
rules = ["a.rhai"]
order = [["a/x", "a/y"]]
[parameters]
deep = { list = [1, 2.5, 2026-01-01] }
[mappings]
users = "users.toml"
[consumers]
dirty = "pin"
[[consumers.from]]
folders = ["services/*", "../other"]
[transform]
partial = "deliver"
[[verify.step]]
name = "test"
when = "Cargo.toml"
run = ["cargo", "test", ""]
timeout = "90s"
[sandbox]
mode = "none"
memory = "512MiB"
processes = 7
cpu = "5m"
output = 1024
file_size = "1MB"
read_only = ["services"]
env = { LANG = "C", EMPTY = "" }
require = ["network"]
jobs = 2
[policy]
annotated = "approve"
unverified = "deliver"
[rollout]
waves = ["1", "max(25%, 59)", "100%"]
seed = "s"
first = ["ads"]
on_failed_gate = "stop"
[[rollout.gate]]
kind = "regressions"
max = 1
[[rollout.gate]]
kind = "evidence"
min = 2
[deliver]
how = "branch"
author = "Data Platform <data@example.org>"
[state]
path = "../state"
"#;
    let migration = load_in(dir.path(), text).unwrap();
    assert_eq!(migration.consumers.dirty, Dirty::Pin);
    assert_eq!(migration.transform.partial, Partial::Deliver);
    assert_eq!(migration.order, [["a/x", "a/y"]]);
    let step = &migration.verify.steps[0];
    assert_eq!(step.when.as_deref(), Some("Cargo.toml"));
    assert_eq!((step.run.len(), step.timeout), (3, Duration::from_secs(90)));
    let sandbox = &migration.sandbox;
    assert_eq!(sandbox.mode, SandboxMode::None);
    assert_eq!((sandbox.memory, sandbox.processes), (512 << 20, 7));
    assert_eq!((sandbox.output, sandbox.file_size), (1024, 1_000_000));
    assert_eq!((sandbox.cpu, sandbox.jobs), (Duration::from_secs(300), Some(2)));
    assert_eq!(sandbox.env["LANG"], "C");
    assert_eq!(migration.policy.annotated, Disposition::Approve);
    assert_eq!(migration.rollout.gates, [Gate::Regressions { max: 1 }, Gate::Evidence { min: 2 }]);
    assert_eq!(migration.rollout.first[0].as_str(), "component:default/ads");
    assert_eq!(migration.rollout.on_failed_gate, OnFailedGate::Stop);
    assert_eq!(migration.deliver.how, Delivery::Branch);
    assert_eq!(migration.parameters["deep"]["list"][1].as_float(), Some(2.5));
    assert!(migration.mappings["users"].is_absolute());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test writes its own temporary folder")]
fn the_digest_is_of_bytes_and_of_no_path() {
    let (one, two) = (folder(), folder());
    let text = with("[mappings]\nusers = \"users.toml\"\n");
    let first = load_in(one.path(), &text).unwrap().digest;
    assert_eq!(first, load_in(two.path(), &text).unwrap().digest);
    for name in ["b.rhai", "users.toml"] {
        let before = load_in(two.path(), &text).unwrap().digest;
        fs::write(two.path().join(name), "changed").unwrap();
        assert_ne!(before, load_in(two.path(), &text).unwrap().digest, "{name}");
    }
    assert_ne!(first, load_in(one.path(), with("#")).unwrap().digest);
    // How it is verified is what the file says of that, and nothing else.
    let how = |more: &str| load_in(one.path(), with(more)).unwrap().verify_digest;
    assert_eq!(
        how("").to_string(),
        "2636628282af749f7ca000991a010ad3bc635d13243f05582643c153f94b80ac",
        "a rollout that is under way would stop"
    );
    for same in ["#", "[sandbox]\njobs = 2\n", "[policy]\nweak = \"hold\"\n"] {
        assert_eq!(how(same), how(""), "{same}");
    }
    let step = |text: &str| format!("[[verify.step]]\nname = \"t\"\nrun = [\"{text}\"]\n");
    let all = [how(""), how(&step("a")), how(&step("b")), how("[sandbox]\nmemory = \"1GiB\"\n")];
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    // So are its gates, and which change sets go out, and where.
    let two = |more: &str| {
        let migration = load_in(one.path(), with(more)).unwrap();
        (migration.gates_digest, migration.delivery_digest)
    };
    let rows = [
        ("#", (true, true)),
        ("[rollout]\nwaves = [\"1\", \"100%\"]\nper_hour = 2\n", (true, true)),
        ("[[rollout.gate]]\nkind = \"bake\"\nfor = \"1h\"\n", (false, true)),
        ("[policy]\nweak = \"hold\"\n", (true, false)),
        ("[deliver]\nhow = \"push\"\n", (true, false)),
        ("[code]\nprotocols = [\"file\"]\n", (true, false)),
    ];
    for (more, same) in rows {
        assert_eq!((two(more).0 == two("").0, two(more).1 == two("").1), same, "{more}");
    }
}

#[test]
fn languages_of_files() {
    let dir = folder();
    let migration = load_in(
        dir.path(),
        with(
            "[[languages]]\nfiles = [\"old/**\"]\nlanguage = \"none\"\n[[languages]]\nfiles = [\"**/*.hql\", \"old/*.txt\"]\nlanguage = \"sql\"\n",
        ),
    );
    let languages = migration.unwrap().languages;
    let name = |path: &str| languages.of(path).map(|l| l.facts.name.as_str());
    assert_eq!([name("a/q.hql"), name("old/q.txt"), name("old/a.py")], [Some("sql"), None, None]);
    let text = with("[[languages]]\nfiles = [\"/abs\", \"a{\"]\nlanguage = \"sqll\"\n[[languages]]\nfile = [\"x\"]\n");
    insta::assert_snapshot!(errors(text), @r##"
    error: `languages[0].files[0]`: "/abs" is no path below a consumer
      --> migration.toml:11:10
       |
    11 | files = ["/abs", "a{"]
       |          ^^^^^^
       |
       = help: write for example "**/*.hql"

    error: `languages[0].files[1]`: not a glob: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
      --> migration.toml:11:18
       |
    11 | files = ["/abs", "a{"]
       |                  ^^^^
       |
       = help: `*` stands for a name, `**` for any depth, `{a,b}` for a choice

    error: `languages[0].language`: there is no language `sqll`
      --> migration.toml:12:12
       |
    12 | language = "sqll"
       |            ^^^^^^
       |
       = help: did you mean `sql`? `none` leaves the files alone

    error: `languages[1].files`: this key is missing
      --> migration.toml:13:1
       |
    13 | [[languages]]
       | ^^^^^^^^^^^^^
       |
       = help: add it: `files = ["**/*.hql"]`

    error: `languages[1].language`: this key is missing
      --> migration.toml:13:1
       |
    13 | [[languages]]
       | ^^^^^^^^^^^^^
       |
       = help: add it: `language = "sql"`

    error: `languages[1].file`: unknown key
      --> migration.toml:14:1
       |
    14 | file = ["x"]
       | ^^^^
       |
       = help: did you mean `files`?
    "##);
}

#[test]
fn waves_and_gates() {
    let text = with(
        "[rollout]\nwaves = [\"5\", \"3\", \"50%\"]\n[[rollout.gate]]\nkind = \"evidence\"\nmax = 1\n[[rollout.gate]]\nkind = \"regresions\"\n",
    );
    insta::assert_snapshot!(errors(text), @r##"
    error: `rollout.waves[1]`: "3" is smaller than the wave before it, "5"
      --> migration.toml:11:15
       |
    11 | waves = ["5", "3", "50%"]
       |               ^^^
       |
       = help: waves are cumulative: each counts the consumers of all waves before it

    error: `rollout.waves[2]`: the last wave must be "100%", or some consumers would never be delivered
      --> migration.toml:11:20
       |
    11 | waves = ["5", "3", "50%"]
       |                    ^^^^^
       |
       = help: add it: `waves = ["5", "3", "50%", "100%"]`

    error: `rollout.gate[0].min`: this key is missing
      --> migration.toml:12:1
       |
    12 | [[rollout.gate]]
       | ^^^^^^^^^^^^^^^^
       |
       = help: add it: `min = 0`

    error: `rollout.gate[0].max`: a gate of kind "evidence" has no `max`
      --> migration.toml:14:7
       |
    14 | max = 1
       |       ^
       |
       = help: use `min`

    error: `rollout.gate[1].kind`: unknown value "regresions"
      --> migration.toml:16:8
       |
    16 | kind = "regresions"
       |        ^^^^^^^^^^^^
       |
       = help: did you mean "regressions"?
    "##);
    insta::assert_snapshot!(errors(with("[rollout]\nwaves = [\"0%\", \"all\"]\n")), @r##"
    error: `rollout.waves[0]`: "0%" must be more than 0% and at most 100%
      --> migration.toml:11:10
       |
    11 | waves = ["0%", "all"]
       |          ^^^^
       |
       = help: write a count, a percentage, or the larger of some: "1", "5%", "max(25%, 59)"

    error: `rollout.waves[1]`: "all" is neither a count nor a percentage
      --> migration.toml:11:16
       |
    11 | waves = ["0%", "all"]
       |                ^^^^^
       |
       = help: write a count, a percentage, or the larger of some: "1", "5%", "max(25%, 59)"
    "##);
}

#[test]
fn sources_and_choices() {
    let text = GOOD.replace("catalog = \"services\"", "folders = [\"/etc\", \"a[\"]\n[[consumers.from]]\n");
    let text = format!("{text}[policy]\nannotated = \"holt\"\n[deliver]\nhow = \"post\"\nauthor = \"me\"\n");
    insta::assert_snapshot!(errors(text), @r##"
    error: `consumers.from[0].folders[0]`: "/etc" is not relative to the migration file
     --> migration.toml:9:12
      |
    9 | folders = ["/etc", "a["]
      |            ^^^^^^
      |
      = help: write for example "services/*"

    error: `consumers.from[0].folders[1]`: not a glob: unclosed character class; missing ']'
     --> migration.toml:9:20
      |
    9 | folders = ["/etc", "a["]
      |                    ^^^^
      |
      = help: `*` stands for a name, `**` for any depth, `{a,b}` for a choice

    error: `consumers.from[1]`: needs exactly one of `catalog`, `folders`, `backstage`, `dbt`, `openlineage`, `marquez`, `repositories`, `access_log`
      --> migration.toml:10:1
       |
    10 | [[consumers.from]]
       | ^^^^^^^^^^^^^^^^^^
       |
       = help: write one [[consumers.from]] for each place that consumers come from

    error: `policy.annotated`: unknown value "holt"
      --> migration.toml:13:13
       |
    13 | annotated = "holt"
       |             ^^^^^^
       |
       = help: did you mean "hold"?

    error: `deliver.how`: unknown value "post"
      --> migration.toml:15:7
       |
    15 | how = "post"
       |       ^^^^^^
       |
       = help: choose one of `patches`, `checkout`, `branch`, `push`

    error: `deliver.author`: "me" is not `Name <address>`
      --> migration.toml:16:10
       |
    16 | author = "me"
       |          ^^^^
       |
       = help: write for example "Data Platform <data@example.org>"
    "##);
}

#[test]
fn a_token_that_was_pasted_is_not_repeated() {
    let text = "[migration]\nid = \"a\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n[consumers]\nof = [\"api:x\"]\n\
                [[consumers.from]]\nbackstage = \"https://b.example.org\"\ntoken_env = \"sk-a.secret\"\n";
    let report = errors(text);
    assert!(report.contains("token_env") && !report.contains("sk-a.secret"), "{report}");
}

#[test]
fn every_key_is_documented_and_no_other() {
    let dir = folder();
    // Every section that is only read where it is there.
    let more = "\n[[datasets.dialects]]\n[[languages]]\n[[format]]\n[[consumers.exclude]]\n[verify]\n[verify.sql]\n[[verify.step]]\n[[verify.fetch]]\n[rollout]\n[[rollout.gate]]\n[[rollout.window]]\n[[rollout.freeze]]\n";
    drop(load_in(dir.path(), with(more)));
    let nested =
        |section: &str| section.ends_with(".env") || section.ends_with(".monorepo") || section.contains(".principals");
    let asked: std::collections::BTreeSet<(String, String)> = super::raw::asked::taken()
        .into_iter()
        .filter(|(section, key)| !section.is_empty() && key != "*" && !nested(section))
        .collect();
    let page = include_str!("../../docs/configuration.md");
    let mut documented = std::collections::BTreeSet::new();
    let mut section = String::new();
    for line in page.lines() {
        if let Some(head) = line.strip_prefix("## `") {
            section = head.trim_matches(|c| "[]`".contains(c)).to_owned();
        }
        let cell = line.strip_prefix("| `").and_then(|rest| rest.split(" | ").next());
        let also = line.strip_prefix('`').filter(|_| section == "verify.fetch");
        let names = cell.map(|cell| format!("`{cell}")).or(also.map(|line| format!("`{line}"))).unwrap_or_default();
        for name in names.split('`').skip(1).step_by(2) {
            documented.insert((section.clone(), name.to_owned()));
        }
    }
    assert_eq!(documented, asked, "docs/configuration.md and the code that reads migration.toml");
    assert!(asked.len() > 70);
}

#[test]
fn a_branch_for_several_needs_branches() {
    let found = errors(format!("{GOOD}\n[deliver]\nbranch_per = \"owner\"\n"));
    assert!(found.contains("nothing is delivered as a branch here"), "{found}");
    let dir = folder();
    let text = format!("{GOOD}\n[deliver]\nhow = \"push\"\nbranch_per = \"owner\"\n");
    assert!(load_in(dir.path(), text).is_ok());
}
