//! What is left when a run is killed, and what sweeps it.

use super::*;
use gander::process::{Invocation, ProcessError};
use gander::sandbox::sweep;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Stdio;
use std::time::Instant;

/// Not a test of its own: the run that [`a_killed_run_takes_its_sandbox_along`] kills.
#[test]
#[ignore = "started by another test, to be killed"]
fn a_run_to_be_killed() {
    let Some(folder) = std::env::var_os("GANDER_TEST_KILLED") else {
        return;
    };
    let folder = PathBuf::from(folder);
    let mark = std::env::var("GANDER_TEST_MARK").unwrap();
    let sandbox = Sandbox::new(exe(), &config(), &folder.join("scratch"));
    let script = format!("echo x > a; mkdir b; chmod 000 b; setsid sleep {mark} & sleep {mark}");
    sandbox.run_side(&folder.join("tree"), &[], &[sh(&script)]).unwrap();
}

#[test]
fn a_killed_run_takes_its_sandbox_along() {
    let bench = Bench::new(&[("a", "a")]);
    let mark = mark(86396);
    let run = Invocation::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "lifecycle::a_run_to_be_killed"])
        .env("GANDER_TEST_KILLED", bench.folder.path())
        .env("GANDER_TEST_MARK", &mark)
        .spawn(Stdio::null(), Stdio::null(), Stdio::null());
    let mut run = run.unwrap();
    wait_for(|| running(&format!("sleep {mark}")).len() >= 3);
    // The run is alive: its folder stays.
    assert_eq!(sweep(&bench.scratch()).unwrap(), 0);
    run.kill().unwrap();
    run.wait().unwrap();
    wait_for(|| running(&mark).is_empty());
    assert_eq!(std::fs::read_dir(bench.scratch()).unwrap().count(), 1);
    assert_eq!(sweep(&bench.scratch()).unwrap(), 1);
    assert_eq!(std::fs::read_dir(bench.scratch()).unwrap().count(), 0);
    assert_eq!(std::fs::read_to_string(bench.tree().join("a")).unwrap(), "a");
}

/// As root, everything is tried once more as a user without any rights.
#[test]
fn promises_hold_for_an_unprivileged_user() {
    let root = std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0);
    if !root {
        return; // then the other tests have just done that
    }
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder.path(), open).unwrap();
    // The build folder may lie below a home folder that is closed to others.
    let (helper, tests) = (folder.path().join("gander"), folder.path().join("tests"));
    std::fs::copy(exe(), &helper).unwrap();
    std::fs::copy(std::env::current_exe().unwrap(), &tests).unwrap();
    let output = Invocation::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(&tests)
        .args(["promises::", "trees::", "fetching::", "attacks::", "doctor"])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env("GANDER_TEST_EXE", &helper)
        .run();
    let output = match output {
        Err(ProcessError::Missing { .. }) => {
            eprintln!("not tried: there is no setpriv on this machine");
            return;
        }
        output => output.unwrap(),
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.success(), "{said}");
    assert!(said.contains("network_is_off ... ok"), "{said}");
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < until, "it never came to pass");
        std::thread::sleep(Duration::from_millis(10));
    }
}
