//! Against real folders and repositories, hostile trees among them.

use std::fs;

use super::*;
use crate::git::tests::Sandpit;

fn plain(pit: &Sandpit, path: &str) -> Workspace {
    Workspace {
        id: path.to_owned(),
        root: pit.path(path).canonicalize().unwrap(),
        git: None,
        without: Vec::new(),
        origin: None,
    }
}

/// The workspace at `path` as discovery would describe it.
fn tracked(pit: &Sandpit, path: &str) -> Workspace {
    let repository = pit.repository();
    let commit = repository.head().unwrap().unwrap();
    let git = GitPlace {
        toplevel: pit.root(),
        prefix: path.to_owned(),
        tree: repository.trees(&commit, &[path]).unwrap()[0].clone().unwrap(),
        commit,
        dirty: repository.dirty(&[path]).unwrap().remove(0),
    };
    Workspace { git: Some(git), ..plain(pit, path) }
}

fn pinned(workspace: &Workspace) -> (Manifest, Pin) {
    let manifest = manifest(workspace).unwrap();
    let pin = pin_of(workspace, &manifest);
    (manifest, pin)
}

/// Every path with the letter of its mode.
fn paths(manifest: &Manifest) -> Vec<String> {
    let letter = |mode| match mode {
        Mode::File => 'f',
        Mode::Executable => 'x',
        Mode::Symlink => 'l',
        Mode::Submodule => 's',
    };
    let line = |(path, entry): (&String, &Entry)| format!("{} {path}", letter(entry.mode));
    manifest.entries.iter().map(line).collect()
}

/// Everything below a folder: path, and bytes or target.
fn copied(root: &Path) -> Vec<(String, Vec<u8>, bool)> {
    let walk = walkdir::WalkDir::new(root).min_depth(1).sort_by_file_name();
    let mut files = Vec::new();
    for entry in walk.into_iter().map(Result::unwrap) {
        let path = entry.path();
        let bytes = match entry.file_type() {
            kind if kind.is_symlink() => folder::link_target(path).unwrap(),
            kind if kind.is_file() => fs::read(path).unwrap(),
            _ => continue,
        };
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        files.push((name, bytes, folder::is_executable(path) && !path.is_symlink()));
    }
    files.sort();
    files
}

fn expected(files: &[(&str, &[u8], bool)]) -> Vec<(String, Vec<u8>, bool)> {
    let owned = files.iter().map(|(name, bytes, executable)| ((*name).to_owned(), bytes.to_vec(), *executable));
    let mut owned: Vec<_> = owned.collect();
    owned.sort();
    owned
}

#[test]
fn a_commit_is_copied_byte_for_byte() {
    let pit = Sandpit::committed(&[("out", "")]);
    pit.write("w/.gitattributes", "* text eol=crlf ident\n*.s export-subst filter=evil\n");
    pit.write("w/a.s", "$Id$ $Format:%H$\n");
    pit.write("w/..\n", "odd");
    pit.write("w/new\nline \"q\".txt", "q");
    pit.write("w/deep/er/run", "#!/bin/sh\n");
    pit.executable("w/deep/er/run");
    pit.link("w/link", "../../out");
    pit.commit(&[]);
    let workspace = tracked(&pit, "w");
    let (manifest, pin) = pinned(&workspace);
    assert_eq!(pin.key(), pit.git(&["rev-parse", "HEAD:w"]));
    assert_eq!(
        paths(&manifest),
        ["f ..\n", "f .gitattributes", "f a.s", "x deep/er/run", "l link", "f new\nline \"q\".txt",]
    );
    // What is on disk plays no part.
    pit.git(&["config", "filter.evil.smudge", "false"]);
    fs::remove_file(pit.path("w/a.s")).unwrap();
    let dest = tempfile::tempdir().unwrap();
    materialise(&workspace, &pin, &manifest, dest.path()).unwrap();
    assert_eq!(
        copied(dest.path()),
        expected(&[
            ("..\n", b"odd", false),
            (".gitattributes", b"* text eol=crlf ident\n*.s export-subst filter=evil\n", false),
            ("a.s", b"$Id$ $Format:%H$\n", false),
            ("deep/er/run", b"#!/bin/sh\n", true),
            ("link", b"../../out", false),
            ("new\nline \"q\".txt", b"q", false),
        ])
    );
    let again = materialise(&workspace, &pin, &manifest, dest.path());
    assert!(matches!(again, Err(PinError::NotEmpty(_))));
}

#[test]
fn a_folder_is_listed_by_its_own_ignore_files_alone() {
    let pit = Sandpit::new();
    pit.write(".gitignore", "kept\n");
    pit.write("w/.gitignore", "*.log\n/build/\n");
    pit.write("w/sub/.gitignore", "!keep.log\n");
    for path in ["kept", "a.log", "build/x", "sub/build/x", "sub/keep.log", ".hidden/x", "excluded"] {
        pit.write(&format!("w/{path}"), path);
    }
    // A folder of git's that no git would take for one is no reason to heed it.
    pit.write("w/.git/info/exclude", "excluded\n");
    pit.write("w/module/.git", "gitdir: ../x\n");
    pit.write("w/module/x", "");
    pit.write("w/run", "");
    pit.executable("w/run");
    pit.link("w/link", "sub");
    pit.link("w/dangling", "/nowhere");
    let (manifest, _) = pinned(&plain(&pit, "w"));
    assert_eq!(
        paths(&manifest),
        [
            "f .gitignore",
            "f .hidden/x",
            "l dangling",
            "f excluded",
            "f kept",
            "l link",
            "s module",
            "x run",
            "f sub/.gitignore",
            "f sub/build/x",
            "f sub/keep.log",
        ]
    );
    assert!(manifest.unreadable.is_empty());
}

#[test]
#[cfg(unix)]
fn what_is_no_file_or_not_utf8_is_counted() {
    use std::os::unix::ffi::OsStrExt;
    let pit = Sandpit::committed(&[("w/a", "1")]);
    pit.write("p/a", "1");
    let odd = std::ffi::OsStr::from_bytes(b"\xff.txt");
    for folder in ["w", "p"] {
        fs::copy(pit.path("p/a"), pit.path(folder).join(odd)).unwrap();
    }
    let _socket = std::os::unix::net::UnixListener::bind(pit.path("p/socket")).unwrap();
    let (manifest, _) = pinned(&plain(&pit, "p"));
    assert_eq!(paths(&manifest), ["f a"]);
    assert_eq!(manifest.unreadable, ["socket", "\u{fffd}.txt"]);
    pit.git(&["add", "w"]);
    pit.git(&["commit", "-q", "-m", "odd"]);
    let (manifest, _) = pinned(&tracked(&pit, "w"));
    assert_eq!((paths(&manifest), manifest.unreadable), (vec!["f a".to_owned()], vec!["\u{fffd}.txt".to_owned()]));
}

#[test]
fn a_folder_is_copied_as_it_was_pinned_or_not_at_all() {
    let pit = Sandpit::new();
    pit.write("w/a", "one\r\n");
    pit.write("w/deep/b", "two");
    pit.executable("w/deep/b");
    pit.link("w/link", "/etc/passwd");
    let workspace = plain(&pit, "w");
    let (manifest, pin) = pinned(&workspace);
    let copy = |to: &str| materialise(&workspace, &pin, &manifest, &pit.path(to));
    copy("one").unwrap();
    assert_eq!(
        copied(&pit.path("one")),
        expected(&[("a", b"one\r\n", false), ("deep/b", b"two", true), ("link", b"/etc/passwd", false),])
    );
    pit.write("w/a", "two\r\n");
    assert!(matches!(copy("two"), Err(PinError::Changed { path, .. }) if path == "a"));
    pit.write("w/a", "one\r\n");
    pit.executable("w/a");
    assert!(matches!(copy("three"), Err(PinError::Changed { path, .. }) if path == "a"));
    fs::remove_file(pit.path("w/a")).unwrap();
    pit.link("w/a", "deep/b");
    assert!(matches!(copy("four"), Err(PinError::Changed { path, .. }) if path == "a"));
}

#[test]
fn content_pins_name_bytes_modes_and_paths_and_nothing_else() {
    let pit = Sandpit::new();
    for folder in ["one", "two"] {
        pit.write(&format!("{folder}/a"), "1");
        pit.write(&format!("{folder}/b"), "2");
    }
    let key = |folder| pinned(&plain(&pit, folder)).1.key();
    let first = key("one");
    assert_eq!(first, key("two"));
    pit.executable("two/a");
    assert_ne!(first, key("two"));
    pit.write("one/b", "3");
    let second = key("one");
    assert_ne!(first, second);
    fs::remove_file(pit.path("one/b")).unwrap();
    pit.link("one/b", "3");
    assert_ne!(second, key("one"));
}

#[test]
fn a_dirty_workspace_is_pinned_by_content() {
    let pit = Sandpit::committed(&[("w/a", "1"), ("w/gone", "1"), ("w/kept.log", "1")]);
    pit.commit(&[("w/.gitignore", "*.log\n")]);
    pit.write("w/a", "2");
    pit.write("w/new", "3");
    pit.write("w/other.log", "4");
    fs::remove_file(pit.path("w/gone")).unwrap();
    let workspace = tracked(&pit, "w");
    let (manifest, pin) = pinned(&workspace);
    assert!(matches!(pin, Pin::Content { dirty: true, .. }));
    // git tracks kept.log although it is ignored.
    assert_eq!(paths(&manifest), ["f .gitignore", "f a", "f kept.log", "f new"]);
    materialise(&workspace, &pin, &manifest, &pit.path("copy")).unwrap();
    assert_eq!(fs::read(pit.path("copy/a")).unwrap(), b"2");
}

#[test]
fn many_workspaces_of_one_repository() {
    let pit = Sandpit::committed(&[("a/x", "1"), ("a/y/z", "2"), ("ab/x", "3"), ("a.b/x", "4")]);
    let other = Sandpit::committed(&[("x", "1")]);
    let plain_pit = Sandpit::new();
    plain_pit.write("w/x", "1");
    let gone = Workspace { root: plain_pit.path("gone"), ..plain(&plain_pit, "w") };
    let workspaces = [
        tracked(&pit, "ab"),
        plain(&plain_pit, "w"),
        tracked(&pit, "a"),
        gone,
        tracked(&other, ""),
        tracked(&pit, "a.b"),
    ];
    let many = manifests(&workspaces);
    assert!(many[3].is_err());
    for (workspace, many) in workspaces.iter().zip(&many).filter(|(_, many)| many.is_ok()) {
        let one = manifest(workspace).unwrap();
        assert_eq!(Some(&one), many.as_ref().ok(), "{}", workspace.id);
        assert!(!one.entries.is_empty());
    }
    assert_eq!(paths(many[2].as_ref().unwrap()), ["f x", "f y/z"]);
}

/// A workspace whose tree is made from `records`, as `git mktree` reads them.
fn made(pit: &Sandpit, records: &str) -> Workspace {
    let call = crate::process::Invocation::new("git")
        .args(["mktree", "-z"])
        .current_dir(pit.root())
        .stdin(records.as_bytes())
        .run()
        .unwrap();
    let tree = String::from_utf8(call.stdout).unwrap().trim().to_owned();
    let commit = pit.git(&["commit-tree", "-m", "x", &tree]);
    let git = GitPlace { toplevel: pit.root(), prefix: String::new(), commit, tree, dirty: Vec::new() };
    Workspace { git: Some(git), ..plain(pit, "") }
}

#[test]
fn hostile_trees_are_refused() {
    let pit = Sandpit::committed(&[("d/x", "evil"), ("t", "/tmp")]);
    let blob = pit.git(&["rev-parse", "HEAD:d/x"]);
    let tree = pit.git(&["rev-parse", "HEAD:d"]);
    let target = pit.git(&["rev-parse", "HEAD:t"]);
    for name in ["..", ".git", ".GIT", ".git ", "GIT~1"] {
        let workspace = made(&pit, &format!("040000 tree {tree}\t{name}\0"));
        let listed = manifest(&workspace);
        assert!(matches!(listed, Err(PinError::HostilePath { .. })), "{name}: {listed:?}");
    }
    let workspace = made(&pit, &format!("120000 blob {target}\ta\0040000 tree {tree}\ta\0"));
    let listed = manifest(&workspace);
    assert!(matches!(listed, Err(PinError::Clash { .. })), "{listed:?}");
    // A stored manifest is no more to be trusted.
    let workspace = made(&pit, &format!("100644 blob {blob}\tfine\0"));
    let (mut manifest, pin) = pinned(&workspace);
    let entry = manifest.entries["fine"].clone();
    manifest.entries.insert("../escaped".to_owned(), entry);
    let copy = materialise(&workspace, &pin, &manifest, &pit.path("copy/inner"));
    assert!(matches!(copy, Err(PinError::HostilePath { .. })), "{copy:?}");
    assert!(!pit.path("copy").exists());
    let read = contents(&workspace, &pin, &manifest, &["../escaped"], 9, &mut |_, _| Ok::<(), PinError>(()));
    assert!(matches!(read, Err(PinError::HostilePath { .. })), "{read:?}");
}

#[test]
fn a_file_that_the_repository_lacks_is_named() {
    let pit = Sandpit::committed(&[("a", "unlike any other")]);
    let workspace = tracked(&pit, "");
    let (manifest, pin) = pinned(&workspace);
    let blob = &manifest.entries["a"].blob;
    fs::remove_file(pit.path(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    let copy = materialise(&workspace, &pin, &manifest, &pit.path("copy"));
    assert!(matches!(copy, Err(PinError::Absent { path, .. }) if path == "a"));
}

#[test]
fn contents_are_bounded_and_in_the_order_asked_for() {
    let files = [("a", "one"), ("b", "much too long"), ("c", "three")];
    let git = Sandpit::committed(&files);
    let folder = Sandpit::new();
    files.iter().for_each(|(path, text)| folder.write(path, text));
    for workspace in [tracked(&git, ""), plain(&folder, "")] {
        let (manifest, pin) = pinned(&workspace);
        let mut seen = Vec::new();
        let mut sink = |path: &str, found: Found<'_>| {
            seen.push(match found {
                Found::Bytes(bytes) => format!("{path} {}", String::from_utf8_lossy(bytes)),
                Found::TooLarge(size) => format!("{path} {size} bytes"),
            });
            Ok::<(), PinError>(())
        };
        contents(&workspace, &pin, &manifest, &["c", "nowhere", "b", "a"], 5, &mut sink).unwrap();
        assert_eq!(seen, ["c three", "b 13 bytes", "a one"]);
    }
}

#[test]
fn pinning_and_copying_change_nothing() {
    let pit = Sandpit::committed(&[("w/a", "1"), ("p", "1")]);
    let dest = tempfile::tempdir().unwrap();
    let before = pit.state();
    for (workspace, to) in [(tracked(&pit, "w"), "w"), (plain(&pit, "w"), "p")] {
        let (manifest, pin) = pinned(&workspace);
        materialise(&workspace, &pin, &manifest, &dest.path().join(to)).unwrap();
    }
    assert!(before == pit.state(), "something was written");
}

#[test]
fn many_workspaces_are_read_at_once_and_fail_one_by_one() {
    let pit = Sandpit::committed(&[("a/x", "ax"), ("b/x", "only in b"), ("b/y", "by"), ("c/x", "long long")]);
    let folder = Sandpit::new();
    for path in ["p/x", "q/x"] {
        folder.write(path, path);
    }
    let workspaces =
        [tracked(&pit, "b"), plain(&folder, "p"), tracked(&pit, "c"), tracked(&pit, "a"), plain(&folder, "q")];
    let pins: Vec<(Manifest, Pin)> = workspaces.iter().map(pinned).collect();
    let blob = &pins[0].0.entries["x"].blob;
    fs::remove_file(pit.path(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    folder.write("q/x", "changed");
    let wants = workspaces.iter().zip(&pins).map(|(workspace, (manifest, pin))| {
        let paths = manifest.entries.keys().map(String::as_str).chain(["nowhere"]).collect();
        Wanted { workspace, pin, manifest, paths }
    });
    let wants: Vec<Wanted<'_>> = wants.collect();
    let seen = std::sync::Mutex::new(Vec::new());
    let results = contents_of(&wants, 5, &|index, path, found| {
        seen.lock().unwrap().push(match found {
            Found::Bytes(bytes) => format!("{index} {path} {}", String::from_utf8_lossy(bytes)),
            Found::TooLarge(size) => format!("{index} {path} {size} bytes"),
        });
        Ok::<(), PinError>(())
    });
    let mut seen = seen.into_inner().unwrap();
    seen.sort();
    assert_eq!(seen, ["0 y by", "1 x p/x", "2 x 9 bytes", "3 x ax", "4 x 7 bytes"]);
    assert!(matches!(results[0], Err(PinError::Absent { .. })));
    assert!(results[1..4].iter().all(Result::is_ok));
    assert!(results[4].is_ok(), "what is too large is not read");
    let results = contents_of(&wants, 100, &|_, path, _| match path {
        "y" => Err(PinError::NoLinks("y".to_owned())),
        _ => Ok(()),
    });
    assert!(results[0].is_err() && results[3].is_ok());
    assert!(matches!(results[4], Err(PinError::Changed { .. })));
}
