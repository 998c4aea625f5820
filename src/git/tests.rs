//! Against real repositories, hostile ones among them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::*;
use crate::workspace::{Content, FileVersion, Mode};

/// A temporary folder that tests fill, as a repository or as a plain one.
pub(crate) struct Sandpit {
    dir: tempfile::TempDir,
}

impl Sandpit {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A repository with one commit that holds `files`.
    pub(crate) fn committed(files: &[(&str, &str)]) -> Self {
        let pit = Self::new();
        pit.git(&["init", "-q", "-b", "main"]);
        pit.commit(files);
        pit
    }

    pub(crate) fn commit(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.write(path, text);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a commit"]);
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    #[expect(clippy::disallowed_methods, reason = "a test writes its own temporary folder")]
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn executable(&self, path: &str) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn link(&self, path: &str, target: &str) {
        std::os::unix::fs::symlink(target, self.path(path)).unwrap();
    }

    /// Runs git as a user would, with its configuration in force.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = Invocation::new("git")
            .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
            .args(args)
            .current_dir(self.root())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .run()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.success(), "git {args:?}: {errors}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::open(&self.root()).unwrap()
    }

    /// Bytes, modification time and inode of everything below, `.git` included.
    #[cfg(unix)]
    pub(crate) fn state(&self) -> BTreeMap<PathBuf, (u64, i64, i64, Vec<u8>)> {
        use std::os::unix::fs::MetadataExt;
        let walk = walkdir::WalkDir::new(self.root()).into_iter();
        let entries = walk.map(Result::unwrap).map(|entry| {
            let meta = entry.metadata().unwrap();
            let bytes = match meta.is_file() {
                true => fs::read(entry.path()).unwrap(),
                false => Vec::new(),
            };
            let state = (meta.ino(), meta.mtime(), meta.mtime_nsec(), bytes);
            (entry.into_path(), state)
        });
        entries.collect()
    }
}

/// Configures everything that could make git start a program, so that it would
/// leave the file `owned`.
fn poison(pit: &Sandpit) -> PathBuf {
    let owned =
        pit.path("../owned-by-").with_file_name(format!("{}-owned", pit.root().file_name().unwrap().to_string_lossy()));
    let script = pit.path(".git/evil.sh");
    pit.write(".git/evil.sh", format!("#!/bin/sh\ntouch '{}'\ncat\n", owned.display()));
    pit.executable(".git/evil.sh");
    let script = script.to_str().unwrap();
    for hook in ["post-index-change", "reference-transaction", "pre-commit", "post-commit"] {
        pit.write(&format!(".git/hooks/{hook}"), format!("#!/bin/sh\n{script}\n"));
        pit.executable(&format!(".git/hooks/{hook}"));
    }
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.askPass",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "filter.a=b.clean",
        "alias.status",
        "pager.status",
        "gpg.program",
        "remote.origin.uploadpack",
    ] {
        pit.git(&["config", key, script]);
    }
    pit.git(&["config", "alias.status", &format!("!{script}")]);
    pit.git(&["config", "filter.evil.required", "true"]);
    pit.git(&["config", "commit.gpgSign", "true"]);
    pit.git(&["config", "protocol.allow", "always"]);
    pit.git(&["config", "remote.origin.url", &format!("ext::{script}")]);
    pit.git(&["config", "remote.origin.promisor", "true"]);
    pit.write(".git/info/attributes", "* filter=evil diff=evil\n*.b filter=a=b\n");
    owned
}

#[test]
fn a_hostile_configuration_starts_nothing() {
    let pit = Sandpit::committed(&[("a/x", "1"), ("a/y.b", "2")]);
    let commit = pit.repository().head().unwrap().unwrap();
    let owned = poison(&pit);
    // Same size, other time: git has to read and clean these to compare them.
    pit.write("a/x", "3");
    pit.write("a/y.b", "2");
    let repository = pit.repository();
    assert_eq!(repository.head().unwrap().as_deref(), Some(commit.as_str()));
    assert_eq!(repository.dirty(&["a"]).unwrap(), [["x"]]);
    let listing = repository.listing(&commit).unwrap();
    assert_eq!(listing.entries().len(), 2);
    // An object that only the hostile remote could have.
    let absent = "1".repeat(40);
    let ids = [listing.entries()[0].object.as_str(), &absent];
    let mut seen = Vec::new();
    let mut sink = |index, blob: Blob<'_>| {
        seen.push((index, matches!(blob, Blob::Bytes(b"1")), blob == Blob::Missing));
        Ok::<(), GitError>(())
    };
    repository.blobs(&ids, 100, &mut sink).unwrap();
    assert_eq!(seen, [(0, true, false), (1, false, true)]);
    let made = repository.commit(&request(&commit, &[])).unwrap();
    repository.delete_branch("gander/m/c", &made).unwrap();
    assert!(!owned.exists(), "a program of the repository ran");
    // The trap works: git as a user runs it does fall into it.
    pit.write("a/y.b", "4");
    let _ = Invocation::new("git").args(["add", "-A"]).current_dir(pit.root()).run();
    assert!(owned.exists(), "the test would not notice");
    let _ = fs::remove_file(owned);
}

#[test]
fn reading_changes_nothing_not_even_the_index() {
    let pit = Sandpit::committed(&[("a/x", "1"), ("b/y", "2")]);
    // A stale time stamp: an ordinary status would refresh the index.
    pit.write("a/x", "1");
    pit.write("b/new", "3");
    let before = pit.state();
    let repository = pit.repository();
    let commit = repository.head().unwrap().unwrap();
    repository.trees(&commit, &["a", "b"]).unwrap();
    assert_eq!(repository.dirty(&["a", "b"]).unwrap(), [vec![], vec!["new".to_owned()]]);
    assert!(before == pit.state(), "something was written");
}

#[test]
fn the_environment_names_no_repository() {
    // Variables of this process can't be set safely in a test, so the call itself is looked at.
    let pit = Sandpit::committed(&[("x", "1")]);
    let call = format!("{:?}", pit.repository().invoke(&["status"]));
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"] {
        assert!(!call.contains(&format!("\"{name}\"")), "{call}");
    }
    assert!(call.contains("env_clear: true"), "{call}");
}

#[test]
fn trees_of_many_prefixes() {
    let pit = Sandpit::committed(&[("a/b/x", "1"), ("c d/y", "2"), ("n\nl/z", "3"), ("f", "4")]);
    pit.write("untracked/x", "1");
    let repository = pit.repository();
    let commit = repository.head().unwrap().unwrap();
    let prefixes = ["", "a/b", "c d", "f", "untracked", "n\nl", "a"];
    let trees = repository.trees(&commit, &prefixes).unwrap();
    let expected: Vec<bool> = vec![true, true, true, false, false, true, true];
    assert_eq!(trees.iter().map(Option::is_some).collect::<Vec<_>>(), expected);
    assert_eq!(trees[1].as_deref(), Some(pit.git(&["rev-parse", "HEAD:a/b"]).as_str()));
    assert_eq!(trees[5].as_deref(), Some(pit.git(&["rev-parse", "HEAD:n\nl"]).as_str()));
    let many: Vec<&str> = prefixes.iter().copied().cycle().take(20 * prefixes.len()).collect();
    let listed = repository.trees(&commit, &many).unwrap();
    assert!(listed.chunks(prefixes.len()).all(|chunk| chunk == trees), "asked for by the thousand, they are listed");
    let empty = Sandpit::committed(&[]);
    let commit = empty.repository().head().unwrap().unwrap();
    assert_eq!(empty.repository().trees(&commit, &[""]).unwrap(), [None]);
}

#[test]
fn dirty_paths_are_told_apart() {
    let pit = Sandpit::committed(&[("a/x", "1"), ("a/gone", "1"), ("ab/x", "1"), (".gitignore", "*.log\n")]);
    pit.write("a/sub/ü new\n\"q\".txt", "1");
    pit.write("a/x.log", "ignored");
    pit.write("ab/x", "2");
    pit.git(&["mv", "a/x", "a/moved"]);
    fs::remove_file(pit.path("a/gone")).unwrap();
    let dirty = pit.repository().dirty(&["a", "ab", "a/sub"]).unwrap();
    assert_eq!(dirty[0], ["gone", "moved", "sub/ü new\n\"q\".txt", "x"]);
    assert_eq!(dirty[1], ["x"]);
    assert_eq!(dirty[2], ["ü new\n\"q\".txt"]);
    assert_eq!(pit.repository().dirty(&[""]).unwrap()[0].len(), 5);
}

#[test]
fn listings_hold_every_mode_and_name() {
    let pit = Sandpit::committed(&[("w/..\n", "odd"), ("w/\"q\"", "q"), ("w/run", "#!"), ("w.x", "")]);
    pit.executable("w/run");
    pit.link("w/link", "../../../etc/passwd");
    let inner = Sandpit::committed(&[("i", "1")]);
    let sha = inner.git(&["rev-parse", "HEAD"]);
    pit.git(&["add", "-A"]);
    pit.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{sha},w/sub")]);
    pit.git(&["commit", "-q", "-m", "more"]);
    let repository = pit.repository();
    let listing = repository.listing(&repository.head().unwrap().unwrap()).unwrap();
    let found: Vec<(&[u8], Mode)> = listing.below("w").map(|(path, e)| (path, e.mode)).collect();
    let expected: [(&[u8], Mode); 5] = [
        (b"\"q\"", Mode::File),
        (b"..\n", Mode::File),
        (b"link", Mode::Symlink),
        (b"run", Mode::Executable),
        (b"sub", Mode::Submodule),
    ];
    assert_eq!(found, expected);
    assert_eq!(listing.below("").count(), 6);
}

#[test]
fn blobs_come_in_order_and_within_bounds() {
    let big = "x".repeat(3000);
    let pit = Sandpit::committed(&[("a", "one\n"), ("b", &big), ("c", ""), ("d", "a\n\nblob 3\n")]);
    let repository = pit.repository();
    let listing = repository.listing(&repository.head().unwrap().unwrap()).unwrap();
    let ids: Vec<&str> = listing.entries().iter().map(|entry| entry.object.as_str()).collect();
    let mut seen = Vec::new();
    let mut sink = |index: usize, blob: Blob<'_>| {
        seen.push(match blob {
            Blob::Bytes(bytes) => format!("{index} {}", String::from_utf8_lossy(bytes)),
            other => format!("{index} {other:?}"),
        });
        Ok::<(), GitError>(())
    };
    repository.blobs(&ids, 100, &mut sink).unwrap();
    assert_eq!(seen, ["0 one\n", "1 TooLarge(3000)", "2 ", "3 a\n\nblob 3\n"]);
    let bad = repository.blobs(&["--help"], 1, &mut |_, _| Ok::<(), GitError>(()));
    assert!(matches!(bad, Err(GitError::BadName(_))));
}

pub(crate) fn version(path: &str, after: Option<(&str, bool)>) -> FileVersion {
    FileVersion {
        path: path.to_owned(),
        before: None,
        after: after.map(|(text, executable)| Content { bytes: text.into(), executable }),
        renamed_from: None,
    }
}

fn request<'a>(base: &'a str, files: &'a [FileVersion]) -> NewCommit<'a> {
    NewCommit {
        branch: "gander/m/c",
        expected: None,
        base,
        prefix: "s",
        files,
        message: "subject\n\nbody\n",
        author: "Ann Other <ann@example.org>",
        time: 1_700_000_000,
    }
}

#[test]
fn a_branch_is_made_beside_the_work_tree() {
    let pit = Sandpit::committed(&[("s/a", "old"), ("s/gone", "x"), ("s/dir", "file"), ("t", "t")]);
    let base = pit.git(&["rev-parse", "HEAD"]);
    pit.write("s/a", "dirty");
    pit.git(&["add", "s/a"]);
    let index = fs::read(pit.path(".git/index")).unwrap();
    let files = [
        version("a", Some(("new\r\n", false))),
        version("gone", None),
        version("dir", None),
        version("dir/run ü", Some(("#!", true))),
    ];
    let repository = pit.repository();
    let commit = repository.commit(&request(&base, &files)).unwrap();
    assert_eq!(repository.branch("gander/m/c").unwrap(), Some(commit.clone()));
    assert_eq!(pit.git(&["show", &format!("{commit}:s/a")]), "new");
    let names = pit.git(&["-c", "core.quotePath=false", "ls-tree", "-r", "--format=%(objectmode) %(path)", &commit]);
    assert_eq!(names, "100644 s/a\n100755 s/dir/run ü\n100644 t");
    assert_eq!(
        pit.git(&["log", "-1", "--format=%an %ae %at %P%n%B", &commit]),
        format!("Ann Other ann@example.org 1700000000 {base}\nsubject\n\nbody")
    );
    assert_eq!(fs::read(pit.path("s/a")).unwrap(), b"dirty");
    assert_eq!(fs::read(pit.path(".git/index")).unwrap(), index);
    assert_eq!(pit.git(&["symbolic-ref", "HEAD"]), "refs/heads/main");
    // The same again is the same commit; another is refused where the branch exists.
    assert_eq!(repository.commit(&request(&base, &files)).unwrap(), commit);
    let other = repository.commit(&request(&base, &files[..1]));
    assert!(matches!(other, Err(GitError::Moved { .. })), "{other:?}");
    assert_eq!(repository.branch("gander/m/c").unwrap(), Some(commit.clone()));
    let moved = NewCommit { expected: Some(&commit), ..request(&base, &files[..1]) };
    let second = repository.commit(&moved).unwrap();
    assert_ne!(second, commit);
    assert_eq!(repository.branch("gander/m/c").unwrap(), Some(second));
}

#[test]
fn a_branch_is_deleted_only_where_it_was_left() {
    let pit = Sandpit::committed(&[("s/a", "1")]);
    let base = pit.git(&["rev-parse", "HEAD"]);
    let repository = pit.repository();
    let files = [version("a", Some(("2", false)))];
    let commit = repository.commit(&request(&base, &files)).unwrap();
    pit.git(&["branch", "-f", "gander/m/c", &base]);
    assert!(matches!(repository.delete_branch("gander/m/c", &commit), Err(GitError::Moved { .. })));
    assert_eq!(repository.branch("gander/m/c").unwrap(), Some(base.clone()));
    pit.git(&["checkout", "-q", "gander/m/c"]);
    assert!(matches!(repository.delete_branch("gander/m/c", &base), Err(GitError::CheckedOut { .. })));
    pit.git(&["checkout", "-q", "main"]);
    repository.delete_branch("gander/m/c", &base).unwrap();
    assert_eq!(repository.branch("gander/m/c").unwrap(), None);
    repository.delete_branch("gander/m/c", &base).unwrap();
    for foreign in ["main", "gander/../main", "gander/a b"] {
        assert!(matches!(repository.delete_branch(foreign, &base), Err(GitError::BadName(_))), "{foreign}");
    }
    for climbing in ["../../x", ".git/config", "/x"] {
        let files = [version(climbing, Some(("x", false)))];
        assert!(repository.commit(&request(&base, &files)).is_err(), "{climbing}");
    }
}

#[test]
fn what_is_no_repository_of_its_own_is_refused() {
    let plain = Sandpit::new();
    plain.write(".git/HEAD", "");
    assert_eq!(toplevel(&plain.root()), Some(plain.root()));
    assert!(matches!(Repository::open(&plain.root()), Err(GitError::Failed { .. })));
    let pit = Sandpit::committed(&[("a/x", "1")]);
    assert_eq!(toplevel(&pit.path("a")), Some(pit.root()));
    let elsewhere = Sandpit::new();
    pit.git(&["config", "core.worktree", elsewhere.root().to_str().unwrap()]);
    let claimed = Repository::open(&pit.root());
    assert!(matches!(claimed, Err(GitError::ForeignWorkTree { .. })), "{claimed:?}");
    let unborn = Sandpit::new();
    unborn.git(&["init", "-q"]);
    assert_eq!(unborn.repository().head().unwrap(), None);
}

#[test]
fn a_folder_that_looks_like_a_bare_repository_is_not_one() {
    let pit = Sandpit::committed(&[
        ("bare/HEAD", "ref: refs/heads/main\n"),
        ("bare/refs/x", ""),
        ("bare/objects/x", ""),
        ("bare/config", "[core]\n bare = true\n fsmonitor = /bin/false\n"),
    ]);
    assert_eq!(toplevel(&pit.path("bare")), Some(pit.root()));
    let repository = pit.repository();
    let commit = repository.head().unwrap().unwrap();
    assert!(repository.trees(&commit, &["bare"]).unwrap()[0].is_some());
}

#[test]
fn the_identity_is_the_users() {
    let pit = Sandpit::committed(&[("a", "1")]);
    pit.git(&["config", "user.name", "Ann Other"]);
    pit.git(&["config", "user.email", "ann@example.org"]);
    if std::env::var_os("GIT_AUTHOR_NAME").is_none() && std::env::var_os("GIT_AUTHOR_EMAIL").is_none() {
        let identity = pit.repository().identity().unwrap();
        assert_eq!(identity.as_deref(), Some("Ann Other <ann@example.org>"));
    }
}

#[test]
#[cfg(unix)]
fn a_repository_of_another_user_is_refused() {
    use std::os::unix::fs::{MetadataExt, chown};
    let pit = Sandpit::committed(&[("a", "1")]);
    // Only root can give a repository away, and some machines trust all of them.
    let root = fs::metadata(pit.root()).unwrap().uid() == 0;
    let trusting = Invocation::new("git").args(["config", "--get-all", "safe.directory"]).run().unwrap().success();
    if !root || trusting {
        return;
    }
    for path in ["", ".git"] {
        chown(pit.path(path), Some(65534), Some(65534)).unwrap();
    }
    let refused = Repository::open(&pit.root());
    assert!(matches!(refused, Err(GitError::Owner(_))), "{refused:?}");
}
