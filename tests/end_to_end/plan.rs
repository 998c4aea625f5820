//! `gander plan` is pure: it changes nothing, and says the same at any number of
//! threads, in any folder, with git and without.

use std::path::Path;

use super::bench::{Bench, fixture, stats};

#[test]
fn a_plan_leaves_no_trace_and_depends_on_nothing_but_the_pins() {
    let bench = Bench::copy_of(&fixture());
    bench.commit_all();
    let before = stats(&bench.root);
    let one = bench.gander(&["plan", "migration.toml", "--json", "--threads", "1"]).expect(0);
    let eight = bench.gander(&["plan", "migration.toml", "--json", "--threads", "8"]).expect(0);
    let text = bench.gander(&["plan", "migration.toml"]).expect(0);
    let after = stats(&bench.root);
    for (path, was) in &before {
        assert_eq!(after.get(path), Some(was), "{} was touched", path.display());
    }
    assert_eq!(before.len(), after.len(), "something was made: {:?}", after.keys().find(|p| !before.contains_key(*p)));
    assert!(before.contains_key(Path::new(".git/index")));
    assert!(one.stdout == eight.stdout, "one thread and eight make different plans");

    let elsewhere = Bench::copy_of(&bench.root);
    let there = elsewhere.gander(&["plan", "migration.toml", "--json"]).expect(0);
    assert!(one.stdout == there.stdout, "the plan depends on the folder that the fleet lies in");
    let text_there = elsewhere.gander(&["plan", "migration.toml"]).expect(0);
    assert!(text.stdout == text_there.stdout, "the printed plan depends on the folder that the fleet lies in");

    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for (what, out) in [("--json", &one.stdout), ("the text", &text.stdout)] {
        assert!(out.contains("signed_up_at"), "{what} shows the change");
        for private in [bench.root.to_str().unwrap(), env!("CARGO_MANIFEST_DIR"), host.trim()] {
            assert!(!out.contains(private), "{what} names {private}");
        }
    }
    assert!(one.json()["digest"].is_string());
}

#[test]
fn a_fleet_without_git_is_planned_alike_everywhere() {
    let [here, there] = [(); 2].map(|()| Bench::copy_of(&fixture()));
    let before = stats(&here.root);
    let plans = [&here, &there].map(|b| b.gander(&["plan", "migration.toml", "--json"]).expect(0).stdout);
    assert!(plans[0] == plans[1]);
    assert_eq!(stats(&here.root), before);
}
