//! What is left when a run is killed, and what sweeps it.

use super::*;
use gander::process::Invocation;
use gander::sandbox::sweep;
use std::process::Stdio;
use std::time::Instant;

const MARK: &str = "86394.1";

/// Not a test of its own: the run that [`a_killed_run_takes_its_sandbox_along`] kills.
#[test]
#[ignore = "started by another test, to be killed"]
fn a_run_to_be_killed() {
    let Some(folder) = std::env::var_os("GANDER_TEST_KILLED") else {
        return;
    };
    let folder = PathBuf::from(folder);
    let sandbox = Sandbox::new(exe(), &config(), &folder.join("scratch"));
    let script = format!("echo x > a; mkdir b; chmod 000 b; setsid sleep {MARK} & sleep {MARK}");
    sandbox.run_side(&folder.join("tree"), &[], &[sh(&script)]).unwrap();
}

#[test]
fn a_killed_run_takes_its_sandbox_along() {
    let bench = Bench::new(&[("a", "a")]);
    let run = Invocation::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "lifecycle::a_run_to_be_killed"])
        .env("GANDER_TEST_KILLED", bench.folder.path())
        .spawn(Stdio::null(), Stdio::null(), Stdio::null());
    let mut run = run.unwrap();
    wait_for(|| running(&format!("sleep {MARK}")).len() >= 3);
    // The run is alive: its folder stays.
    assert_eq!(sweep(&bench.scratch()).unwrap(), 0);
    run.kill().unwrap();
    run.wait().unwrap();
    wait_for(|| running(MARK).is_empty());
    wait_for(|| running("__sandbox").is_empty() || sweep(&bench.scratch()).unwrap() == 1);
    sweep(&bench.scratch()).unwrap();
    assert_eq!(std::fs::read_dir(bench.scratch()).unwrap().count(), 0);
    assert_eq!(std::fs::read_to_string(bench.tree().join("a")).unwrap(), "a");
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < until, "it never came to pass");
        std::thread::sleep(Duration::from_millis(10));
    }
}
