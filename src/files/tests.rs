use super::*;
use std::os::unix::fs::{PermissionsExt as _, symlink};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn paths_stay_below_their_root() {
    let root = tempfile::tempdir().unwrap();
    symlink("/etc", root.path().join("out")).unwrap();
    for bad in [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/./b",
        "a//b",
        "a/",
        "nul\0",
        ".git/config",
        "sub/.GIT/hooks/x",
        ".git",
        ".git. /x",
        "out/passwd",
        "out",
    ] {
        assert!(below(root.path(), bad).is_err(), "{bad:?}");
    }
    for good in ["a", "..\n", "a/b c/\"q\"", ".gitignore", "x.git/y"] {
        assert!(below(root.path(), good).is_ok(), "{good:?}");
    }
}

#[test]
fn a_replaced_file_keeps_its_mode() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("f");
    write_whole(&path, b"1", false).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    write_whole(&path, b"2", false).unwrap();
    assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"2".to_vec(), 0o640));
    write_whole(&path, b"2", true).unwrap();
    assert_eq!(mode(&path), 0o750);
    write_whole(&path, b"2", false).unwrap();
    assert_eq!(mode(&path), 0o640);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn a_link_is_never_written_through() {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    write_whole(&victim, b"safe", false).unwrap();
    symlink(outside.path(), root.path().join("dir")).unwrap();
    symlink(&victim, root.path().join("file")).unwrap();
    let content = Content { bytes: b"evil".to_vec(), executable: false };
    for path in ["dir/victim", "file"] {
        assert!(apply_below(root.path(), path, Some(&content)).is_err());
        assert!(apply_below(root.path(), path, None).is_err());
        assert!(read_below(root.path(), path).is_err());
    }
    assert_eq!(fs::read(&victim).unwrap(), b"safe");
}

#[test]
fn what_a_killed_write_left_is_taken_away() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("f");
    let leftover = temporary_name(&path).unwrap();
    write_new(&leftover, b"half", false).unwrap();
    write_whole(&path, b"whole", false).unwrap();
    assert!(!leftover.exists());
    write_new(&leftover, b"half", false).unwrap();
    apply_below(root.path(), "f", None).unwrap();
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn folders_are_swapped_whole() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("wave-1/ads");
    let files =
        |text: &str| BTreeMap::from([("a".to_owned(), text.as_bytes().to_vec()), ("b/c".to_owned(), b"2".to_vec())]);
    write_folder_whole(&path, &files("1")).unwrap();
    assert_eq!(folder_digest(&path).unwrap(), Some(digest_of_folder(&files("1"))));
    write_whole(&path.join("extra"), b"x", false).unwrap();
    write_folder_whole(&path, &files("2")).unwrap();
    assert_eq!(folder_digest(&path).unwrap(), Some(digest_of_folder(&files("2"))));
    assert_eq!(fs::read_dir(root.path().join("wave-1")).unwrap().count(), 1);
    // Killed after the swap, what was put aside goes with the next one.
    fs::create_dir(temporary_name(&path).unwrap().with_extension("old")).unwrap();
    write_folder_whole(&path, &files("2")).unwrap();
    assert_eq!(fs::read_dir(root.path().join("wave-1")).unwrap().count(), 1);
    let evil = BTreeMap::from([("../x".to_owned(), Vec::new())]);
    assert!(write_folder_whole(&path, &evil).is_err());
}

#[test]
fn removing_prunes_empty_folders_up_to_the_root() {
    let root = tempfile::tempdir().unwrap();
    let content = Content { bytes: b"x".to_vec(), executable: true };
    apply_below(root.path(), "a/b/c", Some(&content)).unwrap();
    apply_below(root.path(), "a/d", Some(&content)).unwrap();
    assert_eq!(read_below(root.path(), "a/b/c").unwrap(), Some(content));
    apply_below(root.path(), "a/b/c", None).unwrap();
    assert!(root.path().join("a/d").exists() && !root.path().join("a/b").exists());
    apply_below(root.path(), "a/d", None).unwrap();
    assert!(root.path().exists() && !root.path().join("a").exists());
}
