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
    let kept = || std::fs::read_dir(bench.root.join("kept")).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(kept()).unwrap();
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
        std::fs::write(kept(), bytes).unwrap();
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
