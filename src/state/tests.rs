//! States that are lost, foreign, old or fenced off; what only grows, and what is kept.

use std::collections::BTreeMap;

use super::*;
use crate::config::Delivery;
use crate::workspace::{Content, FileVersion};

fn entry(subject: &str, phase: Phase) -> Entry {
    Entry {
        point: "deliver.patches".to_owned(),
        subject: subject.to_owned(),
        phase,
        before: None,
        after: Some(Digest::of(b"x")),
        ..Entry::default()
    }
}

pub(crate) fn delivery(state: DeliveryState) -> DeliveryRecord {
    let digests = (Digest::of(b"c"), Digest::of(b"1"), Digest::of(b"2"));
    DeliveryRecord {
        state,
        ..DeliveryRecord::waiting(Delivery::Patches, 1, "change-sets/wave-1/a".to_owned(), digests)
    }
}

#[test]
fn a_second_controller_is_refused_by_the_pid_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(folder.path(), &Clock::at(1)).unwrap();
    let second = Store::open(folder.path(), &Clock::at(1)).unwrap_err();
    let pid = std::process::id().to_string();
    assert!(matches!(&second, StateError::Locked { pid: p, .. } if *p == pid), "{second}");
    Store::read(folder.path()).unwrap();
    drop(first);
    Store::open(folder.path(), &Clock::at(1)).unwrap();
}

#[test]
fn foreign_and_newer_states_are_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    assert!(matches!(Store::read(folder.path()), Err(StateError::Missing { .. })));
    files::write_whole(&path, b"this is some text, not a database at all", false).unwrap();
    let error = Store::open(folder.path(), &Clock::at(1)).unwrap_err();
    assert!(matches!(error, StateError::Foreign { .. }), "{error}");
    files::remove(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(other);
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(folder.path(), &Clock::at(1)).unwrap_err();
    assert!(matches!(error, StateError::Foreign { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    files::remove(&path).unwrap();
    drop(Store::open(folder.path(), &Clock::at(1)).unwrap());
    let ours = Connection::open(&path).unwrap();
    ours.pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
    drop(ours);
    let error = Store::open(folder.path(), &Clock::at(1)).unwrap_err();
    assert!(matches!(error, StateError::OtherVersion { found, .. } if found == SCHEMA_VERSION + 1), "{error}");
    assert!(matches!(Store::read(folder.path()), Err(StateError::OtherVersion { .. })));
}

#[test]
fn a_lost_state_is_begun_anew_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    drop(Store::open(folder.path(), &Clock::at(1)).unwrap());
    files::make_folder(&folder.path().join("change-sets/wave-1")).unwrap();
    let lost = |done: Result<Store, StateError>| {
        let error = done.unwrap_err();
        assert!(matches!(error, StateError::Lost { .. }), "{error}");
        assert!(error.to_string().contains("gander recover"), "{error}");
    };
    // Made by a run, or by `discover`, that did not look; then emptied; then gone.
    lost(Store::open(folder.path(), &Clock::at(1)));
    for gone in [false, true] {
        if gone {
            files::remove(&path).unwrap()
        } else {
            files::write_whole(&path, b"", false).unwrap()
        }
        lost(Store::open(folder.path(), &Clock::at(1)));
        lost(Store::read(folder.path()));
        assert_eq!(path.exists(), !gone, "nothing is made");
    }
    Store::rebuild(folder.path(), &Clock::at(1)).unwrap();
}

#[test]
fn who_is_at_work_is_known_to_readers() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &Clock::System).unwrap();
    let reader = Store::read(folder.path()).unwrap();
    assert_eq!((store.at_work(), reader.at_work()), (None, Some(format!("gander (process {})", std::process::id()))));
    drop(store);
    assert_eq!(reader.at_work(), None);
    let elsewhere = "INSERT OR REPLACE INTO lease VALUES (1, 7, 'elsewhere', 9, ?1)";
    let db = Connection::open(folder.path().join("state.db")).unwrap();
    db.execute(elsewhere, [Clock::System.now()]).unwrap();
    assert_eq!(reader.at_work(), Some("gander on elsewhere (process 9)".to_owned()));
    let damaged =
        StateError::of(Path::new("/state.db"), rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(11), None));
    assert!(damaged.to_string().contains("gander recover"), "{damaged}");
}

#[test]
fn the_journal_only_grows_and_tells_what_is_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::at(50);
    let mut store = Store::open(folder.path(), &clock).unwrap();
    for (subject, phase, state) in [
        ("a", Phase::Intent, DeliveryState::Delivering),
        ("b", Phase::Intent, DeliveryState::Delivering),
        ("a", Phase::Done, DeliveryState::Delivered),
    ] {
        clock.advance(1);
        store.record_delivery(subject, &delivery(state), &entry(subject, phase)).unwrap();
    }
    let open = store.unfinished().unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].seq, open[0].at, &open[0].entry), (2, 52, &entry("b", Phase::Intent)));
    assert!(store.db.execute("DELETE FROM journal", []).is_err());
    assert!(store.db.execute("UPDATE journal SET detail = 'x'", []).is_err());
    drop(store);
    let store = Store::read(folder.path()).unwrap();
    assert_eq!(store.journal().unwrap().len(), 3);
    assert_eq!(store.deliveries().unwrap()["a"].state, DeliveryState::Delivered);
    assert!(store.db.execute("DELETE FROM deliveries", []).is_err());
}

#[test]
fn a_state_of_the_version_before_is_brought_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(schema::TABLES).unwrap();
    old.execute_batch(
        "ALTER TABLE consumers DROP COLUMN lifecycle;
         INSERT INTO consumers VALUES ('component:default/a', NULL, 'a', NULL);
         INSERT INTO waves VALUES (1, '100%', '{\"kind\":\"passed\",\"reason\":\"1 passed\"}');
         INSERT INTO members VALUES ('a', 1, 0);
         INSERT INTO journal VALUES (1, 5, 'wave.judge', 'wave 1', 'done', NULL, NULL, 'then');
         PRAGMA application_id = 1735287922; PRAGMA user_version = 3;",
    )
    .unwrap();
    drop(old);
    // Whoever only looks brings it along, too.
    let store = Store::read(folder.path()).unwrap();
    assert_eq!(store.consumers().unwrap()[0].lifecycle, None);
    assert_eq!(store.waves().unwrap()[0].state, WaveState::Passed("1 passed".to_owned()));
    let journal = store.journal().unwrap();
    assert_eq!((journal[0].at, journal[0].entry.detail.as_str(), &journal[0].entry.to), (5, "then", &None));
    drop(store);
    let older = Connection::open(&path).unwrap();
    older.pragma_update(None, "user_version", 2).unwrap();
    drop(older);
    assert!(matches!(Store::read(folder.path()), Err(StateError::OtherVersion { found: 2, .. })));
}

#[test]
fn a_controller_that_was_taken_for_dead_is_fenced_off() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::at(1000);
    let mut first = Store::open(folder.path(), &clock).unwrap();
    let elsewhere = |db: &Connection, at: i64| {
        db.execute("UPDATE lease SET token = token + 1, host = 'elsewhere', pid = 7, at = ?1", [at]).unwrap();
    };
    // Another machine holds no lock of this one's kernel; the lease is all there is.
    elsewhere(&first.db, 1000);
    let note = Entry::of("wave.open", "wave 1", "");
    let fenced = first.note(&note).unwrap_err();
    assert!(matches!(fenced, StateError::Fenced { .. }), "{fenced}");
    assert_eq!(first.journal().unwrap(), [], "nothing is written");
    drop(first);
    let refused = Store::open(folder.path(), &clock).unwrap_err();
    assert!(matches!(&refused, StateError::Leased { host, pid: 7, .. } if host == "elsewhere"), "{refused}");
    clock.advance(lease::SILENCE);
    let mut second = Store::open(folder.path(), &clock).unwrap();
    second.note(&note).unwrap();
    drop(second);
    // One that ended well leaves nobody waiting.
    let db = Connection::open(folder.path().join("state.db")).unwrap();
    let host: String = db.query_row("SELECT host FROM lease", [], |row| row.get(0)).unwrap();
    assert_eq!(host, "");
}

#[test]
fn decisions_hold_until_they_are_taken_back_and_the_journal_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), &Clock::at(9)).unwrap().by("ana");
    let entry = Entry::of("approve", "a", "looks right");
    store.decide(DecisionKind::Approve, "a", ("change-1", "looks right"), &entry).unwrap();
    let key = (DecisionKind::Approve, "a".to_owned());
    let decision = store.decisions().unwrap().remove(&key).unwrap();
    assert_eq!((decision.actor.as_str(), decision.about.as_str(), decision.at), ("ana", "change-1", 9));
    store.undecide(DecisionKind::Approve, "a", &Entry::of("withdraw", "a", "no")).unwrap();
    assert!(store.decisions().unwrap().is_empty());
    let journal = store.journal().unwrap();
    assert_eq!(journal.iter().map(|line| line.actor.as_str()).collect::<Vec<_>>(), ["ana", "ana"]);
}

#[test]
fn versions_keep_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), &Clock::at(1)).unwrap();
    let content = |bytes: &[u8], executable| Some(Content { bytes: bytes.to_vec(), executable });
    let version = |path: &str, before, after| FileVersion { path: path.to_owned(), before, after, renamed_from: None };
    let versions = [
        version("a", content(b"1\r\n\0", true), None),
        FileVersion { renamed_from: Some("a".to_owned()), ..version("b", None, content(b"", false)) },
        version("c", content(b"1", false), content(b"1", true)),
    ];
    store.record_versions("w", &versions).unwrap();
    store.record_versions("w", &versions).unwrap();
    assert_eq!(store.versions("w").unwrap(), versions);
    store.forget(&["w".to_owned()], false).unwrap();
    assert_eq!(store.versions("w").unwrap(), []);
}

#[test]
fn what_earlier_versions_refused_keeps_its_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), &Clock::at(1)).unwrap();
    let refused = |why: &str| delivery(DeliveryState::Refused(why.to_owned()));
    let of = [
        ("a", "it opts out: no", Some(Refusal::OptedOut)),
        ("b", "origin has a branch gander/m/b that gander did not make; run again with --retry", Some(Refusal::Taken)),
        ("c", "excluded by me: it opts out: no", None),
    ];
    for (id, why, _) in of {
        store.record_delivery(id, &refused(why), &entry(id, Phase::Done)).unwrap();
    }
    drop(store);
    let old = Connection::open(folder.path().join("state.db")).unwrap();
    old.pragma_update(None, "user_version", 7).unwrap();
    drop(old);
    let store = Store::open(folder.path(), &Clock::at(2)).unwrap();
    for (id, why, refusal) in of {
        assert_eq!(store.delivery(id).unwrap().unwrap(), DeliveryRecord { refusal, ..refused(why) }, "{id}");
    }
}

#[test]
fn a_state_of_version_6_is_brought_along() {
    // They came with this version; some states of the one before had them already.
    for without in ["", "DROP INDEX workspace_briefs; DROP INDEX verdict_briefs;"] {
        brought_along(without);
    }
}

fn brought_along(without: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut store = Store::open(folder.path(), &Clock::at(1)).unwrap();
    store.record_delivery("a", &delivery(DeliveryState::Delivered), &entry("a", Phase::Done)).unwrap();
    drop(store);
    let old = Connection::open(&path).unwrap();
    let older = "DROP TABLE heads; DROP TABLE past; ALTER TABLE requests DROP COLUMN refused;";
    old.execute_batch(&format!("{older} {without}")).unwrap();
    old.pragma_update(None, "user_version", 6).unwrap();
    drop(old);
    let mut store = Store::open(folder.path(), &Clock::at(2)).unwrap();
    assert_eq!(store.delivery("a").unwrap(), Some(delivery(DeliveryState::Delivered)));
    store.set_heads(&BTreeMap::from([("here".to_owned(), "abc".to_owned())])).unwrap();
    assert_eq!(store.heads().unwrap()["here"], "abc");
    let query = "SELECT count(*) FROM sqlite_schema WHERE name IN ('workspace_briefs', 'verdict_briefs')";
    assert_eq!(store.rows(query, [], |row| row.get::<_, i64>(0)).unwrap(), [2], "{without:?}");
}

#[test]
fn what_was_out_and_is_forgotten_is_kept_as_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), &Clock::at(1)).unwrap();
    let version = |text: &str| FileVersion {
        path: "f".to_owned(),
        before: None,
        after: Some(Content { bytes: text.as_bytes().to_vec(), executable: false }),
        renamed_from: None,
    };
    let branch = Some(("gander/m/a".to_owned(), Some("c0ffee".to_owned())));
    let out = DeliveryRecord { branch, ..delivery(DeliveryState::RolledBack) };
    store.record_versions("a", &[version("old")]).unwrap();
    store.record_delivery("a", &out, &entry("a", Phase::Done)).unwrap();
    store.forget(&["a".to_owned()], true).unwrap();
    assert_eq!((store.delivery("a").unwrap(), store.past_deliveries("a").unwrap()), (None, vec![out.clone()]));
    store.record_versions("a", &[version("new")]).unwrap();
    assert_eq!(store.kept_versions("a", &out.change_id).unwrap(), [version("old")]);
    assert_eq!(store.sweep_versions().unwrap(), 0, "it is still named");
    store.keep_versions("a", &Digest::of(b"nobody's")).unwrap();
    assert_eq!(store.sweep_versions().unwrap(), 1);
    assert_eq!(store.versions("a").unwrap(), [version("new")]);
}
