//! What builds declare decides whether a rule is meant, and follows the code that it edits.

use super::fleet::World;
use crate::config::Partial;
use crate::transform::{Finding, FindingKind, Plan, Transformed};

const RULE: &str = r#"rule("scio/join").lang("scala")
    .find("a.old($X)").requires(dependency("com.spotify:scio-core", "<0.13"))
    .set_dependency("com.spotify:scio-core", "0.13.0").if_unknown("annotate")
    .replace("a.next($X)");"#;
const CODE: &[u8] = b"object A { val x = a.old(1) }\n";
const OTHER: &[u8] = b"object A { val x = a.other(1) }\n";

fn said(plan: &Plan, workspace: usize) -> Vec<String> {
    let one = |f: &Finding| format!("{:?} {}:{} {}", f.kind, f.path, f.line, f.message);
    plan.workspaces[workspace].findings.iter().map(one).collect()
}

fn files(plan: &Plan, workspace: usize) -> Vec<&str> {
    plan.workspaces[workspace].files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn a_gate_is_asked_of_the_build_and_the_bump_travels_with_the_edit() {
    let old: &[u8] = b"val scio = \"0.12.8\"\nlibraryDependencies += \"com.spotify\" %% \"scio-core\" % scio\n";
    let new: &[u8] = b"libraryDependencies += \"com.spotify\" %% \"scio-core\" % \"0.13.2\"\n";
    let far: &[u8] = b"libraryDependencies += \"com.spotify\" %% \"scio-core\" % Versions.scio\n";
    let pom: &[u8] = b"<project><dependencies><dependency><groupId>com.spotify</groupId><artifactId>scio-core_2.13</artifactId><version>0.12.1</version></dependency></dependencies></project>\n";
    let world = World::new(&[
        &[("build.sbt", old), ("src/a.scala", CODE)],
        &[("build.sbt", old), ("src/a.scala", OTHER)],
        &[("build.sbt", new), ("src/a.scala", CODE)],
        &[("build.sbt", far), ("src/a.scala", CODE)],
        &[("src/a.scala", CODE)],
        &[("build.sbt", new), ("old/pom.xml", pom), ("old/a.scala", CODE), ("b.scala", CODE)],
    ]);
    let plan = world.plan(RULE, Partial::Withhold, 2);
    assert_eq!(files(&plan, 0), ["build.sbt", "src/a.scala"]);
    assert_eq!(world.after(&plan, 0, "build.sbt").unwrap(), String::from_utf8_lossy(old).replace("0.12.8", "0.13.0"));
    assert!(said(&plan, 0).contains(&"Mapped build.sbt:1 sets com.spotify:scio-core from 0.12.8 to 0.13.0".to_owned()));
    assert!(files(&plan, 1).is_empty(), "nothing was edited: no other version");
    assert!(files(&plan, 2).is_empty() && plan.workspaces[2].result == Transformed::Unchanged);
    let why = "build.sbt asks for com.spotify:scio-core =0.13.2, and the rule is for <0.13";
    assert_eq!(said(&plan, 2), [format!("Skipped src/a.scala:1 {why}")]);
    for (workspace, why) in [(3, "`Versions.scio` is given no plain text in this file"), (4, "no file of a build")] {
        assert_eq!(files(&plan, workspace), ["src/a.scala"], "the comment of the annotation");
        let said = said(&plan, workspace);
        assert!(said.len() == 1 && said[0].starts_with("Annotated") && said[0].contains(why), "{said:?}");
    }
    assert_eq!(files(&plan, 5), ["old/a.scala", "old/pom.xml"], "the nearest build decides");
    let lenient = world.plan(&RULE.replace("<0.13\")", "<0.13\").or_unknown()"), Partial::Withhold, 1);
    let edited = |workspace| world.after(&lenient, workspace, "src/a.scala").is_some_and(|text| text.contains("next"));
    assert_eq!([0, 2, 3, 4].map(edited), [true, false, true, true], "only a known version keeps it out");
}

#[test]
fn what_can_t_be_set_and_lockfiles_are_left_to_a_person() {
    let rule = r#"rule("r").lang("javascript").find("a.old($X)").replace("a.next($X)").set_dependency("react", "19.0.0");
rule("s").lang("json").find(all([kind("string"), one_of(["x"])])).edit(|m, cx| edits([set_value(m.node, "y")]));"#;
    let code: &[u8] = b"a.old(1);\n";
    let world = World::new(&[
        &[
            ("package.json", br#"{ "name": "x", "dependencies": { "react": "^18.2.0" } }"#),
            ("yarn.lock", b""),
            ("a.js", code),
            ("deep/Cargo.lock", b""),
        ],
        &[("package.json", br#"{ "dependencies": { "react": ">=17 <19" } }"#), ("a.js", code)],
        &[("package.json", br#"{ "dependencies": { "vue": "3" } }"#), ("a.js", code)],
        &[("package.json", br#"{ "dependencies": { "react": "^19.1.0" } }"#), ("a.js", code), ("yarn.lock", b"")],
    ]);
    let plan = world.plan(rule, Partial::Withhold, 1);
    let wanted = r#"{ "name": "y", "dependencies": { "react": "^19.0.0" } }"#;
    assert_eq!(world.after(&plan, 0, "package.json").as_deref(), Some(wanted), "beside what another rule edits");
    assert!(
        said(&plan, 0).iter().any(|s| s.starts_with("Annotated yarn.lock:0 it pins") && s.contains("yarn install"))
    );
    assert!(!said(&plan, 0).iter().any(|s| s.contains("Cargo.lock")));
    assert!(said(&plan, 1).iter().any(|s| s.contains("set react to 19.0.0 by hand: `>=17, <19` is no single bound")));
    assert!(
        said(&plan, 2).iter().any(|s| s.contains("set react to 19.0.0 by hand: no file of the build declares react"))
    );
    assert_eq!(said(&plan, 3).len(), 1, "a later version stays: {:?}", said(&plan, 3));
    let twice = r#"rule("r").lang("javascript").find("a.old($X)").replace("a.next($X)").set_dependency("react", "19").set_dependency("react", "20");"#;
    let plan = world.plan(twice, Partial::Withhold, 1);
    assert!(said(&plan, 0).iter().any(|s| s.starts_with("Refused package.json")), "{:?}", said(&plan, 0));
    assert!(plan.workspaces[0].findings.iter().all(|f| f.kind != FindingKind::Errored));
}

/// Files, what is said of the build, and what of it is written.
type Row<'t> = (&'t [(&'t str, &'t [u8])], &'t [&'t str], &'t [(&'t str, &'t str)]);

const LEFT: &[u8] = br#"{ "dependencies": { "left": "^1.0.0" } }"#;
const JS: &[u8] = b"a.old(1);\n";
const NPM: &[Row<'_>] = &[
    (
        &[("a/package.json", LEFT), ("b/package.json", LEFT), ("b/a.js", JS)],
        &[
            "Mapped b/package.json:1 sets left from 1.0.0 to 2.0.0",
            "Annotated b/package.json:0 a/package.json declares left as well, and none of the code below it was edited: set it to 2.0.0 there, or leave it",
        ],
        &[("b/package.json", r#"{ "dependencies": { "left": "^2.0.0" } }"#)],
    ),
    (
        &[("package.json", LEFT), ("requirements.txt", b"left==1.0\n"), ("a.js", JS)],
        &["Mapped package.json:1 sets left from 1.0.0 to 2.0.0"],
        &[("package.json", r#"{ "dependencies": { "left": "^2.0.0" } }"#)],
    ),
    (
        &[("a/package.json", LEFT), ("a.js", JS)],
        &[
            "Annotated a.js:0 set left to 2.0.0 by hand: no file of the build above it declares left; a/package.json does",
        ],
        &[],
    ),
    (
        &[("package.json", br#"{ "dependencies": { "left": "2.0.0-rc1" } }"#), ("a.js", JS)],
        &["Annotated package.json:0 set left to 2.0.0 by hand: whether `=2.0.0-rc1` is later can't be told"],
        &[],
    ),
    (
        &[
            ("package.json", br#"{ "dependencies": { "left": "1.0.0" }, "overrides": { "left": "1.0.0" } }"#),
            ("a.js", JS),
        ],
        &["Annotated package.json:0 set left to 2.0.0 by hand: `overrides` says what is installed instead"],
        &[],
    ),
];
const PYTHON: &[Row<'_>] = &[
    (
        &[("requirements.txt", b"left~=1.4.2\n"), ("a.py", b"a.old(1)\n")],
        &["Refused requirements.txt:0 left could not be set to 2: the file would not say so"],
        &[],
    ),
    (
        &[("requirements.txt", b"left==1.0 \\\n    --hash=sha256:aa\n"), ("a.py", b"a.old(1)\n")],
        &[
            "Annotated requirements.txt:0 set left to 2 by hand: its hashes pin it: make the file anew with what made it",
        ],
        &[],
    ),
];
const SCALA: &[Row<'_>] = &[
    (
        &[("build.sbt", b"val v = \"1.2.0\"\nSeq(\"g\" %% \"a\" % v, \"h\" %% \"b\" % v)\n"), ("a.scala", CODE)],
        &["Mapped build.sbt:1 sets g:a from 1.2.0 to 2.0, and with it h:b, of the same number"],
        &[("build.sbt", "val v = \"2.0\"\nSeq(\"g\" %% \"a\" % v, \"h\" %% \"b\" % v)\n")],
    ),
    (
        &[("build.sbt", b"val v = \"1.2.0\"\nversion := v\nSeq(\"g\" %% \"a\" % v)\n"), ("a.scala", CODE)],
        &["Annotated build.sbt:0 set g:a to 2.0 by hand: `v` is used for more than versions of dependencies"],
        &[],
    ),
];

#[test]
fn only_the_build_of_what_was_edited_is_set_and_only_where_that_is_certain() {
    let mut differing = Vec::new();
    let tables =
        [("javascript", "left", "2.0.0", NPM), ("python", "left", "2", PYTHON), ("scala", "g:a", "2.0", SCALA)];
    for (language, name, version, rows) in tables {
        let rule = format!(
            r#"rule("r").lang("{language}").find("a.old($X)").replace("a.next($X)").set_dependency("{name}", "{version}");"#
        );
        for (given, wanted, after) in rows {
            let world = World::new(&[given]);
            let plan = world.plan(&rule, Partial::Deliver, 1);
            let code = given[given.len() - 1].0;
            let of_code = |said: &String| said.starts_with(&format!("Mapped {code}"));
            let mut said: Vec<String> = said(&plan, 0).into_iter().filter(|said| !of_code(said)).collect();
            said.sort();
            let mut wanted: Vec<String> = wanted.iter().map(|line| (*line).to_owned()).collect();
            wanted.sort();
            let set = files(&plan, 0).into_iter().filter(|path| *path != code);
            let set: Vec<_> = set.map(|path| (path, world.after(&plan, 0, path).unwrap_or_default())).collect();
            let same = set.len() == after.len() && set.iter().zip(*after).all(|(is, one)| (is.0, &*is.1) == *one);
            if !same || said != wanted {
                differing.push(format!("{:?}\n  {said:#?}\n  {set:?}", given[0]));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn of_two_versions_none_is_written() {
    let rule = r#"rule("r").lang("javascript").find("a.old($X)").replace("a.next($X)").set_dependency("left", "19").set_dependency("left", "20");"#;
    let world = World::new(&[&[("package.json", LEFT), ("a.js", JS)]]);
    let plan = world.plan(rule, Partial::Deliver, 1);
    assert_eq!(files(&plan, 0), ["a.js"], "{:?}", said(&plan, 0));
}
