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
    for (workspace, why) in [(3, "`Versions.scio` is given no value in this file"), (4, "no file of a build")] {
        assert_eq!(files(&plan, workspace), ["src/a.scala"], "the comment of the annotation");
        let said = said(&plan, workspace);
        assert!(said.len() == 1 && said[0].starts_with("Annotated") && said[0].contains(why), "{said:?}");
    }
    assert_eq!(files(&plan, 5), ["old/a.scala", "old/pom.xml"], "the nearest build decides");
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
    assert!(said(&plan, 2).iter().any(|s| s.contains("no file of the build declares react: set it to 19.0.0")));
    assert_eq!(said(&plan, 3).len(), 1, "a later version stays: {:?}", said(&plan, 3));
    let twice = r#"rule("r").lang("javascript").find("a.old($X)").replace("a.next($X)").set_dependency("react", "19").set_dependency("react", "20");"#;
    let plan = world.plan(twice, Partial::Withhold, 1);
    assert!(said(&plan, 0).iter().any(|s| s.starts_with("Refused package.json")), "{:?}", said(&plan, 0));
    assert!(plan.workspaces[0].findings.iter().all(|f| f.kind != FindingKind::Errored));
}
