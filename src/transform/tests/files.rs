//! Files that rules make, move and remove.

use super::fleet::World;
use crate::config::Partial;
use crate::rollout::versions_of;
use crate::transform::{FindingKind, Plan, Transformed};

/// What becomes of the first workspace: its result, then its files.
fn planned(script: &str, files: &[(&str, &str)]) -> String {
    let bytes: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    let world = World::new(&[&bytes]);
    let plan = world.plan(script, Partial::Withhold, 1);
    assert_eq!(
        serde_json::to_string(&plan).unwrap(),
        serde_json::to_string(&world.plan(script, Partial::Withhold, 8)).unwrap(),
        "at any number of threads"
    );
    told(&world, &plan)
}

fn told(world: &World, plan: &Plan) -> String {
    let one = &plan.workspaces[0];
    let mut out = match &one.result {
        Transformed::Refused(why) => format!("refused {why}\n"),
        other => format!("{other:?}\n"),
    };
    let read = |path: &str| std::fs::read(world.workspaces[0].root.join(path)).map_err(|e| e.to_string());
    for version in versions_of(one, &read).unwrap() {
        match version.after {
            Some(content) => out += &format!("{}: {:?}\n", version.path, String::from_utf8(content.bytes).unwrap()),
            None => out += &format!("{}: gone\n", version.path),
        }
    }
    out
}

/// Makes a file for each call.
const MAKES: &str = r#"rule("makes").lang("python").find("make($P, $T)")
    .edit(|m, cx| edits([create_file(m.P.value, m.T.value), replace(m.node, code("made($P)", #{ P: m.P }))]));"#;

#[test]
fn a_match_edits_here_and_makes_a_file_there() {
    assert_eq!(
        planned(MAKES, &[("a.py", "x = 1\nmake('conf/b.toml', 'c = 2')\n")]),
        "Changed\na.py: \"x = 1\\nmade('conf/b.toml')\\n\"\nconf/b.toml: \"c = 2\\n\"\n"
    );
}

#[test]
fn a_file_that_is_there_with_the_same_text_is_fine_and_with_another_it_is_refused() {
    let makes = r#"rule("m").lang("python").find("f()").edit(|m, cx| edits([create_file("b.txt", "one")]));"#;
    assert_eq!(planned(makes, &[("a.py", "f()\n")]), "Changed\nb.txt: \"one\\n\"\n");
    assert_eq!(planned(makes, &[("a.py", "f()\n"), ("b.txt", "one\n")]), "Unchanged\n");
    let world = World::new(&[&[("a.py", b"f()\n"), ("b.txt", b"one\n")]]);
    let findings = world.plan(makes, Partial::Withhold, 1).workspaces.remove(0).findings;
    assert_eq!(findings[0].kind, FindingKind::Skipped, "there is nothing to do: {findings:?}");
    let other = planned(makes, &[("a.py", "f()\n"), ("b.txt", "two\n")]);
    assert!(other.starts_with("refused a.py:1: `m` (a.py:1) creates b.txt: it is there already, and holds"), "{other}");
    let two = planned(
        r#"rule("m").lang("python").find("f()").edit(|m, cx| edits([create_file("b.py", "g()")]));
           rule("e").lang("python").find("g()").replace("h()");"#,
        &[("a.py", "f()\n"), ("b.py", "g()\n")],
    );
    assert!(two.contains("it is there already, and `e` changes it"), "{two}");
}

#[test]
fn equal_wishes_are_one_and_unequal_ones_are_a_conflict_of_both() {
    let equal = planned(MAKES, &[("a.py", "make('c.txt', 'x')\n"), ("b.py", "make('c.txt', 'x')\n")]);
    assert_eq!(equal, "Changed\na.py: \"made('c.txt')\\n\"\nb.py: \"made('c.txt')\\n\"\nc.txt: \"x\\n\"\n");
    let world = World::new(&[&[
        ("a.py", b"make('c.txt', 'x')\n"),
        ("b.py", b"other('c.txt')\n"),
        ("d.py", b"make('d.txt', 'x')\n"),
    ]]);
    let script = format!(
        "{MAKES}\nrule(\"other\").lang(\"python\").find(\"other($P)\")
            .edit(|m, cx| edits([create_file(m.P.value, \"y\"), replace(m.node, code(\"done()\"))]));"
    );
    let plan = world.plan(&script, Partial::Deliver, 1);
    let refused: Vec<(&str, bool)> = plan.workspaces[0]
        .findings
        .iter()
        .filter(|f| f.kind == FindingKind::Refused)
        .map(|f| (f.path.as_str(), f.message.contains("`makes` (a.py:1)") && f.message.contains("`other` (b.py:1)")))
        .collect();
    assert_eq!(refused, [("a.py", true), ("b.py", true)], "{:?}", plan.workspaces[0].findings);
    let out = told(&world, &plan);
    assert!(
        out.ends_with("\nd.py: \"made('d.txt')\\n\"\nd.txt: \"x\\n\"\n"),
        "the third goes on, and neither half: {out}"
    );
}

#[test]
fn no_path_leaves_its_consumer_or_takes_a_place_that_is_taken() {
    for bad in ["../x", "/x", ".git/config", "a/../../x", "", "a//b", "x\\\\y", "x\\ny", "b", "a.py/c", "A.py", "d"] {
        let out = planned(MAKES, &[("a.py", &format!("make('{bad}', 'x')\n")), ("b", "y\n"), ("d/e", "z\n")]);
        assert!(
            out.starts_with("refused a.py:1: `makes` (a.py:1) creates ") && !out.contains("gone"),
            "{bad:?}: {out}"
        );
    }
    let twice = planned(MAKES, &[("a.py", "make('x/y', '1')\nmake('x', '2')\n")]);
    assert!(twice.contains("one place can't hold both"), "{twice}");
    let cased = planned(MAKES, &[("a.py", "make('x', '1')\nmake('X', '1')\n")]);
    assert!(cased.contains("one place can't hold both"), "{cased}");
}

#[cfg(unix)]
#[test]
fn nothing_is_made_behind_a_link() {
    let world = World::new(&[&[("a.py", b"make('link/x', 'x')\n"), ("b.py", b"make('file', 'x')\n")]]);
    let root = &world.workspaces[0].root;
    std::os::unix::fs::symlink("/tmp", root.join("link")).unwrap();
    std::os::unix::fs::symlink("/tmp/x", root.join("file")).unwrap();
    let out = told(&world, &world.plan(MAKES, Partial::Withhold, 1));
    assert!(out.contains("creates link/x: link is no folder") && out.contains("(and 1 more)"), "{out}");
}

#[test]
fn another_component_is_another_owner() {
    let mut world = World::new(&[&[("a.py", b"make('other/x', 'x')\n"), ("other/b.py", b"")]]);
    world.workspaces[0].without = vec!["other".to_owned()];
    let out = told(&world, &world.plan(MAKES, Partial::Withhold, 1));
    assert!(out.contains("that is the folder of another component"), "{out}");
}

#[test]
fn a_new_file_is_checked_as_an_edited_one_is() {
    let broken = planned(MAKES, &[("a.py", "make('b.py', 'x = (')\n")]);
    assert!(broken.contains("creates b.py: it is no python that parses"), "{broken}");
    let plain = planned(MAKES, &[("a.py", "make('b.txt', 'x = (')\n")]);
    assert!(plain.starts_with("Changed"), "text is any text: {plain}");
    let restless = planned(MAKES, &[("a.py", "make('b.py', 'make(\"c\", \"d\")')\n")]);
    assert!(restless.contains("a second run would change it: `makes` matches in it"), "{restless}");
}

/// Moves what declares itself old.
const MOVES: &str = r#"rule("moves").lang(["python", "javascript", "typescript"]).find("TO = $P")
    .when(|m, cx| cx.path != m.P.value)
    .edit(|m, cx| edits([rename_file(m.P.value)]));"#;

#[test]
fn a_file_moves_with_its_edits() {
    let both = format!("{MOVES}\nrule(\"e\").lang(\"python\").find(\"f()\").replace(\"g()\");");
    assert_eq!(
        planned(&both, &[("a.py", "TO = 'new/b.py'\nf()\n")]),
        "Changed\na.py: gone\nnew/b.py: \"TO = 'new/b.py'\\ng()\\n\"\n"
    );
    assert_eq!(planned(MOVES, &[("a.py", "TO = 'b.md'\n")]), "Changed\na.py: gone\nb.md: \"TO = 'b.md'\\n\"\n");
    let taken = planned(MOVES, &[("a.py", "TO = 'b.py'\n"), ("b.py", "x = 1\n")]);
    assert!(taken.contains("`moves` (a.py) renames the file to b.py: it is there already"), "{taken}");
    let same = planned(MOVES, &[("a.py", "TO = 'c.py'\n"), ("b.py", "TO = 'c.py'\n")]);
    assert!(same.contains("a.py") && same.contains("b.py") && same.contains("(and 1 more)"), "{same}");
    assert_eq!(planned(MOVES, &[("a.py", "TO = 'A.py'\n")]), "Changed\nA.py: \"TO = 'A.py'\\n\"\na.py: gone\n");
}

#[test]
fn under_its_new_name_a_file_is_code_of_that_language_and_settled() {
    let moved = planned(MOVES, &[("a.js", "TO = 'b.ts';\n")]);
    assert!(moved.starts_with("Changed\na.js: gone"), "{moved}");
    let broken = planned(MOVES, &[("a.py", "TO = 'b.js'\nif x: pass\n")]);
    assert!(broken.contains("under its new name it would have to be javascript"), "{broken}");
    let restless = r#"rule("r").lang("python").find("f()").edit(|m, cx| edits([rename_file("x/" + cx.path)]));"#;
    let out = planned(restless, &[("a.py", "f()\n")]);
    assert!(out.contains("a second run would change more: it renames this file to x/x/a.py"), "{out}");
}

#[test]
fn what_goes_is_changed_by_nobody_else() {
    let goes = r#"rule("goes").lang("python").find("GONE = True").edit(|m, cx| edits([delete_file()]));"#;
    assert_eq!(planned(goes, &[("a.py", "GONE = True\n"), ("b.py", "x = 1\n")]), "Changed\na.py: gone\n");
    let edited = format!("{goes}\nrule(\"e\").lang(\"python\").find(\"f()\").replace(\"g()\");");
    let out = planned(&edited, &[("a.py", "GONE = True\nf()\n")]);
    assert!(out.contains("`goes` deletes this file, and `e` changes it"), "{out}");
    let moved = format!("{goes}\n{MOVES}");
    let out = planned(&moved, &[("a.py", "GONE = True\nTO = 'b.py'\n")]);
    assert!(out.contains("`goes` (line 1) deletes this file, and `moves` (line 2) renames"), "{out}");
    let noted = format!("{goes}\nrule(\"n\").lang(\"python\").find(\"f()\").annotate(\"look\");");
    let out = planned(&noted, &[("a.py", "GONE = True\nf()\n")]);
    assert!(out.contains("`n` changes it"), "{out}");
}

#[test]
fn holes_of_a_new_file_take_code_with_its_lines() {
    let script = r#"rule("m").lang("python").find("def moved(): $$$BODY")
        .edit(|m, cx| edits([create_file("moved.py", code("def there():\n    $$$BODY", #{ BODY: m.BODY })), delete(m.node)]));"#;
    let code = "if a:\n  def moved():\n      b()\n      if c:\n          '''d\n      e'''\n  f()\n";
    assert_eq!(
        planned(script, &[("a.py", code)]),
        "Changed\na.py: \"if a:\\n  f()\\n\"\nmoved.py: \"def there():\\n    b()\\n    if c:\\n        '''d\\n      e'''\\n\"\n"
    );
    let dos = r#"rule("m").lang("python").find("f()").edit(|m, cx| edits([create_file("b.txt", "1\n2")]));"#;
    assert_eq!(planned(dos, &[("a.py", "f()\r\n")]), "Changed\nb.txt: \"1\\r\\n2\\r\\n\"\n");
}

/// Facts of a file that is made, moved or gone are those of the result.
#[test]
fn what_rules_learn_is_checked_over_the_files_that_will_be() {
    let learns = r#"
rule("learns").lang("python").find("MOVED = $N").collect("moved", |m| m.N.value);
rule("uses").lang("python").find("$F()").where(#{ F: kind("identifier") })
    .edit(|m, cx| if m.F.text in cx.facts("moved") { edits([replace(m.F, code("new"))]) } else { skip("no") });
rule("makes").lang("python").find("LATER = $N")
    .edit(|m, cx| edits([create_file("later.py", code("MOVED = $N", #{ N: m.N })), delete(m.node)]));"#;
    assert!(planned(learns, &[("a.py", "MOVED = 'f'\n"), ("b.py", "f()\n")]).contains("b.py: \"new()"));
    let asked = learns.replace(".edit(|m, cx| if", ".when(|m, cx| m.F.text in cx.facts(\"moved\")).edit(|m, cx| if");
    assert!(planned(&asked, &[("a.py", "MOVED = 'f'\n"), ("b.py", "f()\n")]).contains("b.py: \"new()"));
    let late = planned(learns, &[("a.py", "LATER = 'f'\n"), ("b.py", "f()\n")]);
    assert!(late.starts_with("refused b.py: a second run over the whole result"), "{late}");
    let goes =
        format!("{learns}\nrule(\"goes\").lang(\"python\").find(\"MOVED = $N\").edit(|m, cx| edits([delete_file()]));");
    let gone = planned(&goes, &[("a.py", "MOVED = 'f'\n"), ("b.py", "f()\n")]);
    assert_eq!(gone, "Changed\na.py: gone\nb.py: \"new()\\n\"\n");
    let loops = r#"
rule("learns").lang("python").find("MOVED = $N").collect("moved", |m| m.N.value);
rule("makes").lang("python").find("go()")
    .edit(|m, cx| edits([create_file("n" + cx.facts("moved").len + ".py", "MOVED = 'a" + cx.facts("moved").len + "'")]));"#;
    let looping = planned(loops, &[("a.py", "go()\n")]);
    assert!(looping.starts_with("refused a.py: a second run over the whole result"), "{looping}");
}

#[test]
fn what_one_match_makes_is_not_written_over_by_the_file_that_moves_there() {
    let script = format!("{MAKES}\n{MOVES}");
    let out = planned(&script, &[("a.py", "make('b.py', 'x = 1')\nTO = 'b.py'\n")]);
    assert!(out.starts_with("refused ") && !out.contains("gone"), "{out}");
    assert!(out.contains("`makes` (a.py:1) creates b.py") && out.contains("`moves` (a.py) renames"), "{out}");
}

#[test]
fn two_spellings_of_one_file_or_folder_are_no_two() {
    let there = [("conf/x.py", "y\n"), ("readme.md", "z\n"), ("caf\u{e9}/x", "1\n"), ("stra\u{df}e", "2\n")];
    for (path, twin) in [
        ("Conf/new.py", "conf"),
        ("README.md/x", "readme.md"),
        ("CONF", "conf"),
        ("cafe\u{301}/new", "caf\u{e9}"),
        ("STRASSE", "stra\u{df}e"),
    ] {
        let code = format!("make('{path}', 'x')\n");
        let files: Vec<(&str, &str)> = there.iter().copied().chain([("a.py", code.as_str())]).collect();
        let out = planned(MAKES, &files);
        assert!(out.starts_with("refused ") && out.contains(&format!("{twin} is there, and on")), "{path}: {out}");
    }
    for (one, other) in [("New/a", "new/b"), ("caf\u{e9}", "cafe\u{301}"), ("X", "x/y")] {
        let out = planned(MAKES, &[("a.py", &format!("make('{one}', '1')\nmake('{other}', '1')\n"))]);
        assert!(out.contains("one place can't hold both"), "{one} {other}: {out}");
    }
    let beside = planned(MAKES, &[("a.py", "make('conf/y', '1')\n"), ("conf/x", "")]);
    assert!(beside.starts_with("Changed"), "{beside}");
}

#[test]
fn a_comment_that_moves_into_a_new_file_is_not_lost() {
    let script = |text: &str| {
        let holes = if text.contains("$BODY") { "BODY: m.BODY" } else { "" };
        format!(
            r#"rule("m").lang("python").find("def moved(): $$$BODY").edit(|m, cx| edits([
                create_file("moved.py", code("{text}", #{{ {holes} }})), replace(m.node, code("from moved import moved"))]));"#
        )
    };
    let code = "def moved():\n    # why\n    f()\n    g()\n";
    let kept =
        planned(&script("def there():\n    # why\n    $$$BODY".replace('\n', "\\n").as_str()), &[("a.py", code)]);
    assert!(kept.starts_with("Changed\na.py: \"from moved import moved"), "{kept}");
    for not_it in ["def there():\n    $$$BODY", "def there():\n    '''# why'''\n    $$$BODY"] {
        let code = "def moved():\n    f(\n        # why\n        1)\n";
        let only = not_it.replace("$$$BODY", "pass").replace('\n', "\\n");
        let lost = planned(&script(&only).replace(", #{ BODY: m.BODY }", ""), &[("a.py", code)]);
        assert!(lost.contains("would lose the comment `# why`"), "{not_it}: {lost}");
    }
}

#[test]
fn a_result_that_the_rules_would_refuse_is_refused_where_they_collect() {
    let script = r#"
rule("learns").lang("python").find("MOVED = $N").collect("moved", |m| m.N.value);
rule("minds").lang("python").find("$F()").where(#{ F: kind("identifier") })
    .edit(|m, cx| if m.F.text in cx.facts("moved") { refuse("ask somebody") } else { skip("no") });
rule("makes").lang("python").find("LATER = $N")
    .edit(|m, cx| edits([create_file("later.py", code("MOVED = $N", #{ N: m.N })), delete(m.node)]));"#;
    let out = planned(script, &[("a.py", "LATER = 'f'\n"), ("b.py", "f()\n")]);
    assert!(out.starts_with("refused b.py: a second run over the whole result"), "{out}");
    let before = planned(script, &[("a.py", "MOVED = 'f'\n"), ("b.py", "f()\n")]);
    assert_eq!(before, "refused b.py:1: ask somebody\n", "once");
}

#[test]
fn a_file_that_gander_fails_on_is_an_outcome() {
    assert_eq!(crate::transform::file::caught(|| -> u8 { panic!("as a defect would") }), None);
    let report = crate::transform::file::contained("a.py", || panic!("as a defect would"));
    let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!((finding.kind, finding.path.as_str(), report.change.is_some()), (FindingKind::Errored, "a.py", false));
}
