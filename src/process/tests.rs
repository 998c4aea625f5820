use super::*;

fn sh(script: &str) -> Invocation {
    Invocation::new("sh").args(["-c", script])
}

#[test]
fn streams_status_env_and_directory() {
    let dir = tempfile::tempdir().unwrap();
    let output =
        sh("pwd; echo \"$A$HOME\" >&2; exit 3").current_dir(dir.path()).env_clear().env("A", "b").run().unwrap();
    assert_eq!(output.status, Exit::Code(3));
    assert_eq!(output.status, 3);
    let here = dir.path().canonicalize().unwrap();
    assert_eq!(output.stdout, format!("{}\n", here.display()).into_bytes());
    assert_eq!(output.stderr, b"b\n");
}

#[test]
fn a_program_is_looked_for_on_its_own_path() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let script = |folder: &Path, says: &str, executable: bool| {
        let text = format!("#!/bin/sh\necho {says}\n");
        files::write_whole(&folder.join("hello"), text.as_bytes(), executable).unwrap();
    };
    script(first.path(), "first", false);
    script(second.path(), "second", true);
    let path = std::env::join_paths([first.path(), second.path(), Path::new("/bin")]).unwrap();
    let call = || Invocation::new("hello").env_clear().env("PATH", &path);
    assert_eq!(call().located(), Some(second.path().join("hello")), "the first can't be run");
    assert_eq!(call().run().unwrap().stdout, b"second\n");
    script(first.path(), "first", true);
    assert_eq!(call().run().unwrap().stdout, b"first\n");

    let named = Invocation::new("sh").args(["-c", "echo $0"]).env_clear().env("PATH", "/usr/bin:/bin");
    assert_eq!(named.run().unwrap().stdout, b"sh\n", "a program that looks at its name finds it");
    let here = Invocation::new("sh").env("PATH", "bin:/bin");
    assert_eq!(here.located(), None, "what a relative folder means is decided where it is started");
}

#[test]
fn large_input_and_output_do_not_wait_for_each_other() {
    let input = vec![b'x'; 8 << 20];
    let output = sh("tee /dev/stderr").stdin(input.clone()).run().unwrap();
    assert_eq!(output.stdout, input);
    assert_eq!(output.stderr, input);
}

#[test]
fn unread_input_is_no_error() {
    let output = sh("exit 0").stdin(vec![b'x'; 8 << 20]).run().unwrap();
    assert!(output.success());
}

#[test]
fn a_signal_is_told_from_a_code() {
    assert_eq!(sh("kill -9 $$").run().unwrap().status, Exit::Signal(9));
}

#[test]
fn limits_kill() {
    let start = Instant::now();
    let late = sh("exec sleep 30").limit(Duration::from_millis(100)).run();
    assert!(matches!(late, Err(ProcessError::TimedOut { .. })), "{late:?}");
    let loud = sh("exec yes").output_limit(1000).run();
    assert!(matches!(loud, Err(ProcessError::TooMuchOutput { limit: 1000, .. })), "{loud:?}");
    assert!(start.elapsed() < Duration::from_secs(10));
    let exact = sh("printf 12345").output_limit(5).run().unwrap();
    assert_eq!(exact.stdout, b"12345");
}

#[test]
fn a_folder_is_filled_to_its_limit_and_no_further() {
    let dir = tempfile::tempdir().unwrap();
    let fill = |script: &str| sh(script).current_dir(dir.path()).disk_limit(dir.path(), 1 << 20).run();
    assert!(fill("head -c 500000 /dev/zero > some").is_ok());
    // Over before anybody could look again.
    let quick = fill("head -c 4000000 /dev/zero > more");
    assert!(matches!(quick, Err(ProcessError::TooMuchDisk { limit: 1_048_576, .. })), "{quick:?}");
    let start = Instant::now();
    let endless = fill("exec cat /dev/zero > all");
    assert!(matches!(endless, Err(ProcessError::TooMuchDisk { .. })), "{endless:?}");
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_descendant_that_holds_the_pipe_is_not_waited_for() {
    let start = Instant::now();
    let held = sh("sleep 20 & exit 0").run();
    assert!(matches!(held, Err(ProcessError::Io { .. })), "{held:?}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn what_is_missing_is_named() {
    let missing = Invocation::new("no-such-program-here").run();
    assert!(
        matches!(&missing, Err(ProcessError::Missing { program }) if program == "no-such-program-here"),
        "{missing:?}"
    );
    let nowhere = sh("true").current_dir("/no/such/folder").run();
    assert!(matches!(nowhere, Err(ProcessError::NoDirectory { .. })), "{nowhere:?}");
}
