//! The tree that steps see, and the pinned tree that must stay as it is.

use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// Path, kind and mode, size, time, inode and bytes of everything below a folder.
fn fingerprint(folder: &Path) -> Vec<String> {
    let mut lines: Vec<String> = walk(folder)
        .into_iter()
        .map(|path| {
            let meta = std::fs::symlink_metadata(&path).unwrap();
            let bytes = std::fs::read(&path).unwrap_or_default();
            format!(
                "{} {:o} {} {}.{} {} {:?}",
                path.display(),
                meta.mode(),
                meta.size(),
                meta.mtime(),
                meta.mtime_nsec(),
                meta.ino(),
                bytes
            )
        })
        .collect();
    lines.sort();
    lines
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

const VANDAL: &str = "set -e
    echo more >> a.txt; chmod 700 a.txt; mv sub/deep sub/moved; rm sub/x
    rm -r other; mkdir other; touch other/new; ln -s /etc/passwd link2; rm link
    chmod 000 sub; touch -d 2001-01-01 .";

fn vandalised() -> Bench {
    let bench = Bench::new(&[("a.txt", "a\n"), ("sub/x", "x"), ("sub/deep/y", "y"), ("other/z", "z")]);
    std::os::unix::fs::symlink("a.txt", bench.tree().join("link")).unwrap();
    bench
}

#[test]
fn the_pinned_tree_stays_as_it_is() {
    for config in [config(), open()] {
        let bench = vandalised();
        let before = fingerprint(&bench.tree());
        let changes = [changed("sub/x", Some("changed")), changed("a.txt", None)];
        let side = bench.side(&config, &[], &[sh(VANDAL)]);
        assert_eq!(side.steps[0].end, StepEnd::Exited(0), "{:?}", side.steps);
        let side = bench.side(&config, &changes, &[sh("cat sub/x; test ! -e a.txt")]);
        assert_eq!(side.steps[0].end, StepEnd::Exited(0), "{:?}", side.steps);
        assert_eq!(side.steps[0].output, "changed");
        assert_eq!(fingerprint(&bench.tree()), before);
    }
}

#[test]
fn a_step_runs_over_the_changed_tree_in_a_clean_place() {
    let bench = Bench::new(&[("a.txt", "old"), ("gone.txt", "x"), ("sub/kept.txt", "k")]);
    let script =
        "pwd; cat a.txt; ls; cat new/file; id -un; hostname; ls -A /tmp; env | sort | cut -d= -f1 | tr '\\n' ' '";
    let side = bench.side(
        &SandboxConfig { env: BTreeMap::from([("ZZ_MINE".to_owned(), "1".to_owned())]), ..config() },
        &[changed("a.txt", Some("new\n")), changed("gone.txt", None), changed("new/file", Some("made\n"))],
        &[sh(script)],
    );
    let result = &side.steps[0];
    assert_eq!(result.end, StepEnd::Exited(0), "{}", result.output);
    let expected = "/workspace\nnew\na.txt\nnew\nsub\nmade\ngander\ngander\n";
    let variables = result.output.strip_prefix(expected).unwrap_or_else(|| panic!("{result:?}"));
    let known = "CARGO_HOME CARGO_NET_OFFLINE HOME LANG LOGNAME PATH PWD PYTEST_ADDOPTS RUSTUP_AUTO_INSTALL \
        RUSTUP_HOME RUSTUP_TOOLCHAIN TMPDIR USER ZZ_MINE OLDPWD SHLVL _";
    for variable in variables.split_whitespace() {
        assert!(known.split_whitespace().any(|name| name == variable), "{variable}");
    }
    assert!(variables.contains("ZZ_MINE"));
}

#[test]
fn replaced_folders_and_executable_bits() {
    let bench = Bench::new(&[("dir/one", "1"), ("dir/two", "2"), ("file", "f")]);
    let script = |executable| FileVersion {
        after: Some(Content { bytes: b"#!/bin/sh\necho ran\n".to_vec(), executable }),
        ..changed("run.sh", None)
    };
    // A folder makes way for a file's folder, a file for a folder.
    let changes = [changed("file", None), changed("file/inner", Some("inner\n")), script(true)];
    for config in [config(), open()] {
        let steps = [step("run", &["./run.sh"]), sh("cat file/inner; rm -r dir; mkdir dir; ls dir; echo end")];
        let side = bench.side(&config, &changes, &steps);
        assert_eq!(side.steps[0].output, "ran\n", "{side:?}");
        assert_eq!(side.steps[1].output, "inner\nend\n", "{side:?}");
        let side = bench.side(&config, &[script(false)], &steps[..1]);
        assert_eq!(side.steps[0].end, StepEnd::MissingProgram("./run.sh".to_owned()));
    }
}

#[test]
fn folders_without_files_go_and_others_stay() {
    let bench = Bench::new(&[
        ("old/pkg/a.py", "a"),
        ("old/pkg/b.py", "b"),
        ("half/kept", "k"),
        ("half/gone", "g"),
        ("moved/in/x", "x"),
    ]);
    let changes = [
        changed("old/pkg/a.py", None),
        changed("old/pkg/b.py", None),
        changed("half/gone", None),
        changed("moved/in/x", None),
        changed("moved/y", Some("y")),
    ];
    for config in [config(), open()] {
        let find = sh("find . -mindepth 1 | sort");
        let side = bench.side(&config, &changes, &[find]);
        assert_eq!(side.steps[0].output, "./half\n./half/kept\n./moved\n./moved/y\n", "{side:?}");
    }
}

#[test]
fn changes_that_leave_the_tree_are_refused() {
    let bench = Bench::new(&[("a", "a")]);
    let outside = bench.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, bench.tree().join("link")).unwrap();
    for config in [config(), open()] {
        for path in ["link/x", "../outside/x", "/tmp/x"] {
            let changes = [changed(path, Some("x"))];
            let side = bench.sandbox(&config).run_side(&bench.tree(), &changes, &[sh("true")]);
            assert!(side.is_err(), "{path}: {side:?}");
        }
    }
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn later_steps_see_what_earlier_ones_made_and_run_after_a_red_one() {
    let bench = Bench::new(&[]);
    let steps = [
        sh("echo made > made; echo x > /tmp/x; echo h > $HOME/h"),
        sh("exit 7"),
        sh("cat made $HOME/h; ls /tmp"),
        Step { timeout: Duration::from_millis(100), ..sh("sleep 50") },
        sh("echo never"),
    ];
    let side = bench.side(&config(), &[], &steps);
    let ends: Vec<&StepEnd> = side.steps.iter().map(|step| &step.end).collect();
    let green = StepEnd::Exited(0);
    let expected = [&green, &StepEnd::Exited(7), &green, &StepEnd::TimedOut];
    assert_eq!(ends, expected, "{side:?}");
    assert_eq!(side.steps[2].output, "made\nh\n");
}

#[test]
fn paths_may_hold_what_the_kernel_reads_as_options() {
    let bench = Bench::new(&[]);
    let odd = bench.folder.path().join("a, b:c\\d=e ü");
    put(&odd.join("tree/file"), "here\n");
    let sandbox = Sandbox::new(exe(), &config(), &odd.join("scratch"));
    let side = sandbox.run_side(&odd.join("tree"), &[], &[sh("cat file; echo x > file")]).unwrap();
    assert_eq!(side.steps[0].output, "here\n", "{side:?}");
    assert!(side.enforced.iter().any(|name| name == "overlay"));
}

#[test]
fn where_there_is_no_overlay_the_tree_is_copied() {
    let bench = Bench::new(&[]);
    // The options of an overlay must fit into a page; these paths do not.
    let long = (0..8).fold(bench.folder.path().to_owned(), |path, _| path.join("x".repeat(200)));
    put(&long.join("tree/file"), "here\n");
    let before = fingerprint(&long.join("tree"));
    let sandbox = Sandbox::new(exe(), &config(), &long.join("scratch"));
    for _ in 0..2 {
        let steps = [sh("cat file; echo x > file"), sh("cat file")];
        let side = sandbox.run_side(&long.join("tree"), &[changed("new", Some("n"))], &steps).unwrap();
        assert_eq!(side.steps[0].output, "here\n", "{side:?}");
        assert_eq!(side.steps[1].output, "x\n", "{side:?}");
        assert!(!side.enforced.iter().any(|name| name == "overlay"));
        assert!(side.enforced.iter().any(|name| name == "network-off"));
    }
    assert_eq!(fingerprint(&long.join("tree")), before);
}

/// Not a test of its own: what [`an_overlay_that_fails_is_not_used`] runs elsewhere.
#[test]
#[ignore = "started by another test, on a file system without extended attributes"]
fn over_a_file_system_without_attributes() {
    let Some(folder) = std::env::var_os("GANDER_TEST_RAMFS").map(PathBuf::from) else { return };
    put(&folder.join("tree/sub/file"), "x");
    let sandbox = Sandbox::new(exe(), &config(), &folder.join("scratch"));
    let promises = sandbox.check().unwrap();
    let overlay = promises.iter().find(|promise| promise.name == "overlay").unwrap();
    assert!(matches!(overlay.state, PromiseState::NotEnforced { .. }), "{overlay:?}");
    let step = sh("rm -r sub && mkdir sub && ls sub && exit 5");
    let side = sandbox.run_side(&folder.join("tree"), &[], &[step]).unwrap();
    assert_eq!((&side.steps[0].end, side.steps[0].output.as_str()), (&StepEnd::Exited(5), ""), "{side:?}");
    assert!(folder.join("tree/sub/file").exists());
}

/// Such an overlay can be mounted, and fails over a folder that is deleted and made anew.
#[test]
fn an_overlay_that_fails_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t ramfs none \"$GANDER_TEST_RAMFS\" && exec \"$@\"";
    let output = gander::process::Invocation::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "trees::over_a_file_system_without_attributes"])
        .env("GANDER_TEST_RAMFS", folder.path())
        .run()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn folders_that_the_migration_names_are_shown_read_only() {
    let bench = Bench::new(&[]);
    let shown = bench.folder.path().join("shown");
    put(&shown.join("data"), "data\n");
    std::fs::set_permissions(&shown, std::fs::Permissions::from_mode(0o777)).unwrap();
    let script = format!("cat {0}/data; echo x > {0}/new", shown.display());
    let hidden = bench.one(&config(), sh(&script));
    assert!(!hidden.output.contains("data\n"), "{hidden:?}");
    let config = SandboxConfig { read_only: vec![shown.clone()], ..config() };
    let result = bench.one(&config, sh(&script));
    assert!(result.output.starts_with("data\n"), "{result:?}");
    assert_ne!(result.end, StepEnd::Exited(0));
    assert!(!shown.join("new").exists());
    for wide in ["/", "/home", "/proc", "relative", "/no/such/folder"] {
        let config = SandboxConfig { read_only: vec![wide.into()], ..config.clone() };
        let refused = bench.sandbox(&config).run_side(&bench.tree(), &[], &[sh("true")]);
        assert!(refused.is_err(), "{wide}");
    }
}
