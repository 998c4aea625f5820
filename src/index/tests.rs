//! What an index says is true of the bytes it was made of, and a damaged one says nothing.
#![expect(clippy::disallowed_methods, reason = "a test damages files")]

use proptest::prelude::*;

use super::*;
use crate::language::by_name;
use crate::rule::{Clause, Prefilter};

fn python() -> &'static Language {
    by_name("python").unwrap()
}

/// An index in `folder` that has learned these files, by the names of their blobs.
fn learned(folder: &Path, files: &[(&str, &str)]) -> Index {
    let index = Index::open(folder, &[]);
    for (name, text) in files {
        index.learn(Key::of_blob(name), python(), text.as_bytes());
    }
    index
}

fn query(clauses: &[Clause]) -> Query {
    Query::new([clauses].into_iter())
}

fn one(text: &str) -> Query {
    query(&[Clause::one(text.to_owned(), false)])
}

fn long(text: &str) -> String {
    format!("{text}\n{}", "# \n".repeat(300))
}

/// Only one file is in a folder of one index.
fn file_of(folder: &Path) -> PathBuf {
    std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn a_later_run_knows_what_an_earlier_one_learned() {
    let folder = tempfile::tempdir().unwrap();
    let text = long("def users_v1_backup(): pass");
    learned(folder.path(), &[("a", &text)]).save(|_| true).unwrap();
    let index = Index::open(folder.path(), &[]);
    let out = |text: &str| index.rules_out(&Key::of_blob("a"), &one(text));
    assert!(!out("users_v1"), "a part of a longer word");
    assert!(!out("users_v1_backup") && !out("pass"));
    assert!(!out("if"), "too short to say anything");
    assert!(out("\\u"), "no escape is in it");
    assert!(out("customers_v1") && out("prefetch_related"));
    assert!(!index.rules_out(&Key::of_blob("a"), &query(&[Clause::one("USERS_V1".into(), true)])));
    assert!(!index.rules_out(&Key::of_blob("b"), &one("prefetch_related")), "unknown content may hold anything");
    assert!(!index.rules_out(&Key::of_blob("a"), &query(&[])), "a rule that asks for nothing");
}

#[test]
fn what_was_cut_short_or_changed_is_no_index() {
    let folder = tempfile::tempdir().unwrap();
    let text = long("def users_v1(): pass");
    learned(folder.path(), &[("a", &text), ("b", &text), ("c", &text)]).save(|_| true).unwrap();
    let path = file_of(folder.path());
    let whole = std::fs::read(&path).unwrap();
    let knows = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Index::open(folder.path(), &[]).rules_out(&Key::of_blob("b"), &one("prefetch_related"))
    };
    assert!(knows(&whole));
    for at in 0..whole.len() {
        assert!(!knows(&whole[..at]), "cut at {at}");
        let mut changed = whole.clone();
        changed[at] ^= 0x40;
        assert!(!knows(&changed), "changed at {at}");
    }
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert!(!Index::open(folder.path(), &[]).rules_out(&Key::of_blob("b"), &one("prefetch_related")));
}

#[test]
fn files_that_are_gone_are_forgotten_and_other_languages_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = long("def users_v1(): pass");
    let index = learned(folder.path(), &[("a", &text), ("b", &text)]);
    index.learn(Key::of_blob("sql"), by_name("sql").unwrap(), text.as_bytes());
    index.save(|_| true).unwrap();
    let again = Index::open(folder.path(), &[]);
    assert!(again.rules_out(&Key::of_blob("a"), &one("prefetch_related")));
    again.learn(Key::of_blob("c"), python(), text.as_bytes());
    again.save(|language| std::ptr::eq(language, python())).unwrap();
    let last = Index::open(folder.path(), &[]);
    let known = |name: &str| last.rules_out(&Key::of_blob(name), &one("prefetch_related"));
    assert_eq!(["a", "b", "c", "sql"].map(known), [true, false, true, true]);
}

#[test]
fn what_was_touched_lately_is_not_trusted() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let meta = file.as_file().metadata().unwrap();
    use std::os::unix::fs::MetadataExt as _;
    let changed = meta.mtime().max(meta.ctime());
    assert!(Key::of_settled_file(&meta, changed).is_none());
    assert!(Key::of_settled_file(&meta, changed + 35).is_none(), "a shared mapping is written back late");
    assert!(Key::of_settled_file(&meta, changed - 100).is_none(), "a file from the future");
    assert_eq!(Key::of_settled_file(&meta, changed + 61), Some(Key::of_file(&meta)));
}

#[test]
fn an_index_is_less_than_a_twentieth_of_what_it_is_of() {
    let folder = tempfile::tempdir().unwrap();
    for size in [700, 800, 1000, 5000, 100_000] {
        let text = "abc def ghi_jkl ".repeat(size / 16 + 1);
        let index = Index::open(folder.path(), &[PathBuf::from(size.to_string())]);
        for n in 0..200 {
            index.learn(Key::of_blob(&n.to_string()), python(), &text.as_bytes()[..size]);
        }
        let place = index.place.clone();
        index.save(|_| true).unwrap();
        let stored = std::fs::metadata(place).unwrap().len();
        assert!(stored * 20 < 200 * size as u64, "{stored} bytes for 200 files of {size}");
    }
}

#[test]
fn runs_at_the_same_time_leave_a_whole_index() {
    let folder = tempfile::tempdir().unwrap();
    let text = long("def users_v1(): pass");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (folder, text) = (folder.path(), &text);
            scope.spawn(move || {
                for turn in 0..20 {
                    let name = format!("{writer}-{turn}");
                    learned(folder, &[(&name, text)]).save(|_| false).unwrap();
                    let index = Index::open(folder, &[]);
                    assert!(index.known.len() > 0, "a reader saw half an index");
                }
            });
        }
    });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

proptest! {
    /// Whatever the prefilter finds in a file, its summary does not rule out.
    #[test]
    fn a_summary_never_denies_what_is_there(
        words in prop::collection::vec("[a-zA-Z_é(). ]{1,12}", 1..40),
        from in 0_usize..400, length in 1_usize..14,
        other in "[a-zA-Z_]{1,6}", fold in any::<bool>(),
    ) {
        let text = long(&words.join(" "));
        let cut: String = text.chars().skip(from % text.chars().count()).take(length).collect();
        let sought = if fold { cut.to_uppercase().to_lowercase() } else { cut };
        let clauses = vec![Clause::of([sought, other], fold)];
        let filter = summary::of(text.as_bytes()).unwrap();
        let there = Prefilter::new(std::slice::from_ref(&clauses)).scan(text.as_bytes()).any();
        prop_assert!(!there || query(&clauses).may_match(&filter), "{clauses:?}");
    }
}
