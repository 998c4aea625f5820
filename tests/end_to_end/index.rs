//! The index of plain folders is a cache: results are those without it, whatever
//! becomes of it and of the files.

use std::time::Duration;

use super::bench::Bench;

const RULE: &str = r#"rule("r").lang("python").find("old_name($$$A)").replace("new_name($$$A)");"#;

fn text(line: &str) -> String {
    format!("{line}\n{}", "# something else entirely\n".repeat(60))
}

/// The diff of a run with the index, which is that of a run without it.
#[track_caller]
fn both(bench: &Bench, why: &str) -> String {
    let without = bench.gander(&["apply", "r.rhai", "src"]).expect(0);
    let with = bench.gander(&["apply", "r.rhai", "src", "--index", "kept"]).expect(0);
    assert!(with.stdout == without.stdout && with.stderr == without.stderr, "{why}: {with:?}\n{without:?}");
    for asked in [&["old_name($A)", "--json"][..], &["old_name($A)"], &["other($A)"]] {
        let find = [&["find", "-l", "python", "src", "-p"], asked].concat();
        let without = bench.gander(&find).expect(0);
        let with = bench.gander(&[find.as_slice(), &["--index", "kept"]].concat()).expect(0);
        assert!(with.stdout == without.stdout && !with.stdout.is_empty(), "{why}: {with:?}\n{without:?}");
    }
    with.stdout
}

#[test]
fn an_index_changes_no_result() {
    let bench = Bench::new();
    bench.put("r.rhai", RULE);
    for n in 0..30 {
        bench.put(&format!("src/f{n}.py"), text(if n % 10 == 0 { "old_name(1)" } else { "other(1)" }));
    }
    // What was written in the last minute is not trusted, so that nothing is kept yet.
    std::thread::sleep(Duration::from_secs(63));
    let first = both(&bench, "cold");
    assert_eq!(first.matches("+new_name(1)").count(), 3);
    let kept = |answers: bool| {
        let mut all = std::fs::read_dir(bench.root.join("kept")).unwrap().map(|entry| entry.unwrap().path());
        all.find(|path| path.extension().is_some() == answers).unwrap()
    };
    let (whole, answers) = (std::fs::read(kept(false)).unwrap(), std::fs::read(kept(true)).unwrap());
    assert!(answers.len() > 200, "what was found is remembered");
    let source: u64 = 30 * text("other(1)").len() as u64;
    assert!(whole.len() > 30 * 12 && (whole.len() as u64) < source / 20, "{} bytes for {source}", whole.len());
    assert_eq!(both(&bench, "warm"), first);

    // An edit that leaves size and mtime as they were.
    let file = bench.root.join("src/f1.py");
    let times = std::fs::metadata(&file).unwrap().modified().unwrap();
    let size = std::fs::metadata(&file).unwrap().len();
    let mut sly = text("old_name(7)").into_bytes();
    sly.truncate(size as usize);
    sly.resize(size as usize, b'\n');
    std::fs::write(&file, &sly).unwrap();
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(times).unwrap();
    let edited = both(&bench, "edited behind its back");
    assert_eq!(edited.matches("+new_name").count(), 4, "{edited}");

    for (damage, bytes) in [("cut short", &whole[..whole.len() / 2]), ("noise", &[7; 4096][..]), ("empty", &[][..])] {
        std::fs::write(kept(false), bytes).unwrap();
        std::fs::write(kept(true), &bytes[..bytes.len().min(answers.len() / 2)]).unwrap();
        assert_eq!(both(&bench, damage), edited);
    }
    std::fs::remove_dir_all(bench.root.join("kept")).unwrap();
    assert_eq!(both(&bench, "deleted"), edited);
    std::fs::remove_dir_all(bench.root.join("kept")).unwrap();
    bench.put("kept", "a file where the folder should be");
    let blocked = bench.gander(&["apply", "r.rhai", "src", "--index", "kept"]).expect(0);
    assert_eq!(blocked.stdout, edited);
    assert!(blocked.stderr.contains("costs time only"), "{}", blocked.stderr);
}

/// The plan of a run that remembers, which is that of a run that does not.
#[track_caller]
fn planned(bench: &Bench, why: &str) -> String {
    let without = bench.gander(&["plan", "migration.toml", "--json"]).expect(0);
    let with = bench.gander(&["plan", "migration.toml", "--json", "--index", "kept"]).expect(0);
    assert!(with.stdout == without.stdout, "{why}: {}\n{}", with.stdout, without.stdout);
    with.stdout
}

#[test]
fn a_plan_while_a_rule_is_edited_is_that_of_a_first_run() {
    let bench = Bench::new();
    let migration = "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"a.rhai\", \"b.rhai\"]\n\
                     [[consumers.from]]\nfolders = [\"c*\"]\n[deliver]\nhow = \"patches\"\n";
    bench.put("migration.toml", migration);
    for n in 0..12 {
        bench.put(&format!("c{n}/f.py"), text(["alpha(1)", "beta(1)", "other(1)"][n % 3]));
    }
    let alpha = "rule(\"a\").lang(\"python\").find(\"alpha($A)\").replace(\"new_alpha($A)\");";
    let beta = |to: &str| {
        format!(
            "let list = [\"x\"];\nrule(\"b\").lang(\"python\").find(\"beta($A)\").rewrite(|m| code(\"{to}($A)\", #{{ A: m.A }}));"
        )
    };
    bench.put("a.rhai", alpha);
    bench.put("b.rhai", beta("new_beta"));
    bench.commit_all();
    let first = planned(&bench, "cold");
    assert_eq!(first.matches("\"after\"").count(), 8);
    assert_eq!(planned(&bench, "warm"), first);
    bench.put("b.rhai", beta("newer_beta"));
    let second = planned(&bench, "edited");
    assert_eq!((first.matches("new_beta").count(), second.matches("new_beta").count()), (8, 0), "{second}");
    assert_eq!(second.matches("newer_beta").count(), 8);
    bench.put("a.rhai", alpha.replace("new_alpha", "beta"));
    assert!(planned(&bench, "one writes what the other finds").contains("a second run would change the result again"));
    bench.put("a.rhai", alpha);
    bench.put("b.rhai", beta("new_beta"));
    assert_eq!(planned(&bench, "taken back"), first);
    bench.put("c0/f.py", text("alpha(3)"));
    bench.commit_all();
    assert!(planned(&bench, "a file that changed") != first);
    let kept = super::bench::tree(&bench.root.join("kept"));
    let left: Vec<&String> = kept.keys().collect();
    assert_eq!(left.len(), 2, "an index and answers: {left:?}");
}
