//! The driver over real folders and repositories, with plans made by hand. What
//! stands in for other stages is only what the composition hands in.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use rayon::prelude::*;

use super::*;
use crate::clock::Clock;
use crate::config::{
    Consumers, Deliver, Delivery, Disposition, Gate, OnFailedGate, Policy, Rollout, SandboxConfig, SandboxMode,
    Transform, Verify, WavePart, WaveSize,
};
use crate::digest::Digest;
use crate::edit::Splice;
use crate::files;
use crate::git;
use crate::state::Store;
use crate::transform::{FileOutcome, FilePlan, Transformed};
use crate::workspace::{GitPlace, Mode, Pin, Source};

const OLD: &str = "select plan_type\r\nfrom users_v1";
const NEW: &str = "select plan\r\nfrom users_v2";

/// A fleet of small consumers below one folder, and what is known of each.
struct World {
    /// Removed when the world goes; `None` where somebody else made the folder.
    _temporary: Option<tempfile::TempDir>,
    top: PathBuf,
    migration: Migration,
    fleet: Fleet,
    plan: Plan,
    verdicts: BTreeMap<usize, VerdictKind>,
    pinned: BTreeMap<(usize, String), Vec<u8>>,
    verified: RefCell<Vec<usize>>,
}

fn entity(name: &str) -> EntityRef {
    EntityRef::parse(name, "component").unwrap()
}

fn migration(root: &Path, how: Delivery) -> Migration {
    let size = |text: &str, part| WaveSize { text: text.to_owned(), parts: vec![part] };
    Migration {
        file: root.join("migration.toml"),
        id: "users-v2".to_owned(),
        title: "Read users_v2".to_owned(),
        guide: Some("https://example.org/guide".to_owned()),
        rules: Vec::new(),
        parameters: toml::Table::new(),
        mappings: BTreeMap::new(),
        consumers: Consumers::default(),
        transform: Transform::default(),
        verify: Verify::default(),
        sandbox: SandboxConfig {
            mode: SandboxMode::None,
            memory: 1,
            processes: 1,
            cpu: Duration::from_secs(1),
            output: 1,
            file_size: 1,
            read_only: Vec::new(),
            env: BTreeMap::new(),
            require: Vec::new(),
            jobs: None,
        },
        policy: Policy { annotated: Disposition::Deliver, unverified: Disposition::Hold },
        rollout: Rollout {
            waves: vec![
                size("1", WavePart::Count(1)),
                size("50%", WavePart::Percent(50.0)),
                size("100%", WavePart::Percent(100.0)),
            ],
            seed: "s".to_owned(),
            first: Vec::new(),
            gates: vec![Gate::Regressions { max: 0 }],
            on_failed_gate: OnFailedGate::RollbackWave,
        },
        deliver: Deliver { how, author: Some("Goose <goose@example.org>".to_owned()) },
        state: root.join(".gander/users-v2"),
        digest: Digest::of(b"migration"),
    }
}

fn run_git(folder: &Path, arguments: &[&str]) -> String {
    let git = git::git(folder).args(["-c", "user.name=T", "-c", "user.email=t@example.org"]);
    git::line(&git::answer(folder, arguments[0], git.args(arguments)).unwrap())
}

impl World {
    /// `results` and `verdicts`, one a workspace; each has one consumer.
    fn new(how: Delivery, results: &[Transformed], verdicts: &[VerdictKind]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        for index in 0..results.len() {
            let root = top.join(format!("apps/c{index}"));
            files::make_folder(&root).unwrap();
            files::write_whole(&root.join("q.sql"), OLD.as_bytes(), false).unwrap();
            files::write_whole(&root.join("gone.sh"), b"#!/bin/sh\n", true).unwrap();
        }
        if how != Delivery::Patches {
            run_git(&top, &["init", "-q", "-b", "main"]);
            files::write_whole(&top.join(".gitignore"), b".gander\n", false).unwrap();
            run_git(&top, &["add", "."]);
            run_git(&top, &["commit", "-q", "-m", "one"]);
        }
        let mut world = Self::over(&top, how, results, verdicts);
        world._temporary = Some(folder);
        world
    }

    /// The same over a folder that another process has made.
    fn over(top: &Path, how: Delivery, results: &[Transformed], verdicts: &[VerdictKind]) -> Self {
        let tracked = how != Delivery::Patches;
        let mut world = Self {
            migration: migration(top, how),
            _temporary: None,
            top: top.to_owned(),
            fleet: Fleet::default(),
            plan: Plan { digest: Digest::of(b"plan"), workspaces: Vec::new() },
            verdicts: verdicts.iter().copied().enumerate().collect(),
            pinned: BTreeMap::new(),
            verified: RefCell::default(),
        };
        for (index, result) in results.iter().enumerate() {
            world.add(top, index, result, tracked);
        }
        let lost = Source::Unresolved("no such folder".to_owned());
        world.consume("zz-lost", lost);
        world
    }

    fn consume(&mut self, name: &str, source: Source) {
        self.fleet.consumers.push(Consumer {
            entity: entity(name),
            owner: Some(entity("group:team")),
            lifecycle: None,
            tags: Vec::new(),
            because: Vec::new(),
            source,
        });
    }

    fn add(&mut self, top: &Path, index: usize, result: &Transformed, tracked: bool) {
        let prefix = format!("apps/c{index}");
        let git = tracked.then(|| GitPlace {
            toplevel: top.to_owned(),
            prefix: prefix.clone(),
            commit: run_git(top, &["rev-parse", "HEAD"]),
            tree: run_git(top, &["rev-parse", &format!("HEAD:{prefix}")]),
            dirty: Vec::new(),
        });
        let pin = match &git {
            Some(git) => Pin::Commit { commit: git.commit.clone(), tree: git.tree.clone() },
            None => Pin::Content { digest: Digest::of(OLD.as_bytes()), dirty: false },
        };
        self.fleet.workspaces.push(Workspace { id: prefix.clone(), root: top.join(&prefix), git });
        let changes = matches!(result, Transformed::Changed | Transformed::Annotated(_));
        self.plan.workspaces.push(WorkspacePlan {
            id: prefix,
            pin: Some(pin),
            result: result.clone(),
            files: if changes { file_plans() } else { Vec::new() },
            findings: Vec::new(),
            skipped: BTreeMap::new(),
            files_read: 2,
            files_parsed: 1,
        });
        for (path, bytes) in [("q.sql", OLD), ("gone.sh", "#!/bin/sh\n")] {
            self.pinned.insert((index, path.to_owned()), bytes.as_bytes().to_vec());
        }
        self.consume(&format!("c{index}"), Source::Workspace(index));
    }

    fn store(&self) -> Store {
        Store::open(&self.migration.state, &Clock::at(1)).unwrap()
    }

    fn root(&self, index: usize) -> &Path {
        &self.fleet.workspaces[index].root
    }

    fn run(&self) -> Result<Ledger, RolloutError> {
        self.run_as(false, &BTreeSet::new())
    }

    fn run_as(&self, retry: bool, only: &BTreeSet<EntityRef>) -> Result<Ledger, RolloutError> {
        let mut store = self.store();
        super::run(&mut store, &self.request(retry, only, &|_| {}))
    }

    fn request<'a>(&'a self, retry: bool, only: &'a BTreeSet<EntityRef>, tell: &'a dyn Fn(Event<'_>)) -> Request<'a> {
        // The closures borrow the world alone, so they may live as long as it does.
        let read: &'a ReadPinned<'a> = Box::leak(Box::new(move |index: usize, path: &str| {
            let bytes = self.pinned.get(&(index, path.to_owned()));
            bytes.cloned().ok_or_else(|| "not pinned".to_owned())
        }));
        let verify: &'a VerifyAll<'a> = Box::leak(Box::new(move |indices: &[usize], take: &TakeVerdict<'_>| {
            for index in indices {
                self.verified.borrow_mut().push(*index);
                if let Some(kind) = self.verdicts.get(index) {
                    take(*index, verdict(*kind));
                }
            }
        }));
        Request {
            migration: &self.migration,
            fleet: &self.fleet,
            plan: &self.plan,
            read_pinned: read,
            verify,
            describe: &describe,
            tell,
            retry,
            only,
        }
    }

    /// Every byte and executable bit below the consumers' folders.
    fn bytes(&self) -> Bytes {
        let apps = self.top.join("apps");
        let files = walkdir::WalkDir::new(&apps).into_iter().map(Result::unwrap);
        files
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let name = entry.file_name().to_str().unwrap();
                let content = files::read_below(entry.path().parent().unwrap(), name);
                let content = content.unwrap().unwrap();
                (entry.path().to_owned(), (content.bytes, content.executable))
            })
            .collect()
    }
}

fn describe(staged: &Staged<'_>) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([
        ("change.patch".to_owned(), staged.set.change.clone()),
        ("revert.patch".to_owned(), staged.set.revert.clone()),
    ])
}

fn verdict(kind: VerdictKind) -> Verdict {
    Verdict { kind, reason: format!("{kind:?}"), baseline: Vec::new(), patched: Vec::new(), enforced: Vec::new() }
}

fn file_plans() -> Vec<FilePlan> {
    let splice = |from: &str, to: &str| {
        let start = OLD.find(from).unwrap();
        Splice { range: start..start + from.len(), text: to.to_owned() }
    };
    let rule = || "users-v2/table".to_owned();
    vec![
        FilePlan {
            path: "gone.sh".to_owned(),
            before: Some(Digest::of(b"#!/bin/sh\n")),
            mode: Some(Mode::Executable),
            outcome: FileOutcome::Delete { rule: rule() },
        },
        FilePlan {
            path: "new/made.sh".to_owned(),
            before: None,
            mode: None,
            outcome: FileOutcome::Create { text: "x".to_owned(), executable: true, rule: rule() },
        },
        FilePlan {
            path: "q.sql".to_owned(),
            before: Some(Digest::of(OLD.as_bytes())),
            mode: Some(Mode::File),
            outcome: FileOutcome::Edit {
                edits: Vec::new(),
                splices: vec![splice("plan_type", "plan"), splice("users_v1", "users_v2")],
                after: Digest::of(NEW.as_bytes()),
            },
        },
    ]
}

fn changed(count: usize) -> Vec<Transformed> {
    vec![Transformed::Changed; count]
}

fn outcomes(ledger: &Ledger) -> Vec<(&str, Outcome)> {
    let short = |row: &'_ LedgerRow| row.entity.rsplit('/').next().map(str::len).unwrap_or(0);
    ledger.rows.iter().map(|row| (&row.entity[row.entity.len() - short(row)..], row.outcome)).collect()
}

fn count(ledger: &Ledger, outcome: Outcome) -> usize {
    ledger.rows.iter().filter(|row| row.outcome == outcome).count()
}

#[test]
fn every_consumer_has_its_outcome_and_a_second_run_does_nothing() {
    let results = [
        Transformed::Changed,
        Transformed::Unchanged,
        Transformed::Annotated("one use is left".to_owned()),
        Transformed::Refused("overlap".to_owned()),
        Transformed::Errored("cannot read".to_owned()),
        Transformed::Changed,
        Transformed::Changed,
    ];
    use VerdictKind as V;
    let verdicts = [V::Pass, V::Pass, V::Pass, V::Pass, V::Pass, V::NoData, V::Infra];
    let mut world = World::new(Delivery::Patches, &results, &verdicts);
    world.migration.rollout.first = vec![entity("c0"), entity("c2")];
    let before = world.bytes();
    let ledger = world.run().unwrap();
    use Outcome as O;
    let expected = [
        ("c0", O::Changed),
        ("c1", O::Unchanged),
        ("c2", O::Annotated),
        ("c3", O::Refused),
        ("c4", O::Errored),
        ("c5", O::Unverified),
        ("c6", O::Errored),
        ("zz-lost", O::Unresolved),
    ];
    assert_eq!(outcomes(&ledger), expected);
    // The last wave holds nothing but silence, which is no success.
    assert!(matches!(ledger.end, RunEnd::Paused { wave: 3, .. }), "{:?}", ledger.end);
    assert_eq!(world.bytes(), before, "patches touch no consumer");
    let verified = world.verified.borrow().len();
    let journal = world.store().journal().unwrap();
    assert_eq!(world.run().unwrap(), ledger);
    assert_eq!(world.verified.borrow().len(), verified, "no work twice");
    assert_eq!(world.store().journal().unwrap(), journal);
    assert!(world.migration.state.join("change-sets/wave-1/c0/change.patch").is_file());
}

#[test]
fn a_wave_of_silence_pauses_and_a_retry_opens_it_again() {
    use VerdictKind as V;
    let mut world = World::new(Delivery::Patches, &changed(4), &[V::Pass, V::NoData, V::Infra, V::Pass]);
    world.migration.rollout.first = vec![entity("c1"), entity("c0"), entity("c2"), entity("c3")];
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::Paused { wave: 1, .. }), "{:?}", ledger.end);
    assert_eq!(count(&ledger, Outcome::Unverified), 1);
    assert_eq!(count(&ledger, Outcome::Pending), 3);
    assert_eq!(*world.verified.borrow(), [1]);
    assert_eq!(world.run().unwrap(), ledger);
    assert_eq!(*world.verified.borrow(), [1]);
    // Somebody installs the missing program and has the wave tried again.
    world.verdicts.insert(1, V::Pass);
    let ledger = world.run_as(true, &BTreeSet::new()).unwrap();
    assert_eq!(*world.verified.borrow(), [1, 1, 0, 2, 3]);
    assert_eq!(ledger.end, RunEnd::Complete);
    assert_eq!(count(&ledger, Outcome::Changed), 3);
    assert_eq!(count(&ledger, Outcome::Errored), 1);
}

/// Wave 2 regresses; wave 1 stays, or not, as the migration says.
fn failing(how: Delivery, on_failed_gate: OnFailedGate) -> (World, Ledger) {
    let world = failing_world(None, how, on_failed_gate);
    let ledger = world.run().unwrap();
    (world, ledger)
}

/// As [`failing`], not run yet; over a folder that was made already, or a new one.
fn failing_world(top: Option<&Path>, how: Delivery, on_failed_gate: OnFailedGate) -> World {
    use VerdictKind as V;
    let verdicts = [V::Pass, V::Pass, V::Regressed, V::Pass];
    let mut world = match top {
        Some(top) => World::over(top, how, &changed(4), &verdicts),
        None => World::new(how, &changed(4), &verdicts),
    };
    world.migration.rollout.first = vec![entity("c0"), entity("c1"), entity("c2")];
    let size = |count: u64| WaveSize { text: count.to_string(), parts: vec![WavePart::Count(count)] };
    world.migration.rollout.waves = vec![size(1), size(3), size(4)];
    world.migration.rollout.on_failed_gate = on_failed_gate;
    world
}

#[test]
fn a_failed_wave_is_taken_back_in_bytes() {
    for how in [Delivery::Patches, Delivery::Checkout, Delivery::Branch] {
        let (world, ledger) = failing(how, OnFailedGate::RollbackWave);
        use Outcome as O;
        let expected = [
            ("c0", O::Changed),
            ("c1", O::RolledBack),
            ("c2", O::Regressed),
            ("c3", O::Pending),
            ("zz-lost", O::Unresolved),
        ];
        assert_eq!(outcomes(&ledger), expected, "{how:?}");
        assert!(matches!(ledger.end, RunEnd::RolledBack { wave: 2, .. }));
        assert!(!world.verified.borrow().contains(&3), "wave 3 was never opened");
        let read = |index| std::fs::read_to_string(world.root(index).join("q.sql")).unwrap();
        let delivered = if how == Delivery::Checkout { NEW } else { OLD };
        assert_eq!(read(0), delivered);
        for index in 1..4 {
            assert_eq!(read(index), OLD, "{how:?} {index}");
        }
        let sets = world.migration.state.join("change-sets");
        assert!(sets.join("wave-2/c1").join(WITHDRAWN).is_file());
        assert!(!sets.join("wave-1/c0").join(WITHDRAWN).exists());
        assert!(sets.join("held/c2/change.patch").is_file());
        if how == Delivery::Branch {
            let branches = run_git(&world.top, &["branch", "--format=%(refname:short)"]);
            assert_eq!(branches, "gander/users-v2/c0\nmain");
            assert_eq!(run_git(&world.top, &["status", "--porcelain"]), "");
        }
        assert_eq!(world.run().unwrap(), ledger);
    }
}

#[test]
fn everything_can_be_taken_back_to_the_bytes_of_the_pin() {
    for how in [Delivery::Checkout, Delivery::Branch] {
        let (world, ledger) = failing(how, OnFailedGate::RollbackAll);
        assert_eq!(count(&ledger, Outcome::RolledBack), 2, "{how:?}");
        assert!(matches!(ledger.end, RunEnd::RolledBack { wave: 2, .. }));
        let status = run_git(&world.top, &["status", "--porcelain"]);
        assert_eq!(status, "", "{how:?}");
        assert_eq!(run_git(&world.top, &["branch", "--format=%(refname)"]), "refs/heads/main");
        assert!(!world.root(0).join("new").exists());
    }
    let (world, ledger) = failing(Delivery::Checkout, OnFailedGate::Stop);
    assert!(matches!(ledger.end, RunEnd::Stopped { wave: 2, .. }));
    assert_eq!(count(&ledger, Outcome::Changed), 2);
    let mut store = world.store();
    let ledger = super::roll_back(&mut store, &Scope::All, &|_| {}).unwrap();
    assert_eq!(count(&ledger, Outcome::RolledBack), 2);
    let again = super::roll_back(&mut store, &Scope::All, &|_| {}).unwrap();
    assert_eq!(outcomes(&again), outcomes(&ledger));
    assert_eq!(run_git(&world.top, &["status", "--porcelain"]), "");
}

#[test]
fn what_a_person_changed_since_is_a_conflict_and_stays() {
    let world = World::new(Delivery::Checkout, &changed(1), &[VerdictKind::Pass]);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    let theirs = world.root(0).join("q.sql");
    files::write_whole(&theirs, b"theirs", false).unwrap();
    let ledger = super::roll_back(&mut world.store(), &Scope::Wave(1), &|_| {}).unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Errored);
    assert!(ledger.rows[0].reason.contains("q.sql"), "{}", ledger.rows[0].reason);
    assert_eq!(std::fs::read(&theirs).unwrap(), b"theirs");
    assert!(world.root(0).join("new/made.sh").exists(), "nothing is half taken back");
    // Once they put it back, the rollback can be asked for again.
    files::write_whole(&theirs, NEW.as_bytes(), false).unwrap();
    let entity = ledger.rows[0].entity.clone();
    let ledger = super::roll_back(&mut world.store(), &Scope::Consumer(entity), &|_| {}).unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::RolledBack);
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), OLD);
}

#[test]
fn a_dirty_checkout_is_refused_and_untouched() {
    let dirt: [(&str, &[u8]); 3] = [("q.sql", b"theirs"), ("untracked", b"new"), ("new/made.sh", b"x")];
    for (path, bytes) in dirt {
        let world = World::new(Delivery::Checkout, &changed(1), &[VerdictKind::Pass]);
        let content = crate::workspace::Content { bytes: bytes.to_vec(), executable: false };
        files::apply_below(world.root(0), path, Some(&content)).unwrap();
        let before = world.bytes();
        let ledger = world.run().unwrap();
        assert_eq!(ledger.rows[0].outcome, Outcome::Refused, "{path}: {}", ledger.rows[0].reason);
        assert_eq!(world.bytes(), before);
    }
    let world = World::new(Delivery::Checkout, &changed(1), &[VerdictKind::Pass]);
    files::write_whole(&world.root(0).join("q.sql"), b"moved on", false).unwrap();
    run_git(&world.top, &["commit", "-q", "-a", "-m", "two"]);
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Refused);
    assert!(ledger.rows[0].reason.contains("HEAD"), "{}", ledger.rows[0].reason);
}

#[test]
fn a_symlink_in_the_way_is_refused() {
    let world = World::new(Delivery::Checkout, &changed(1), &[VerdictKind::Pass]);
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), world.root(0).join("new")).unwrap();
    run_git(&world.top, &["add", "."]);
    run_git(&world.top, &["commit", "-q", "-m", "link"]);
    let mut world = world;
    let tree = run_git(&world.top, &["rev-parse", "HEAD:apps/c0"]);
    let commit = run_git(&world.top, &["rev-parse", "HEAD"]);
    world.plan.workspaces[0].pin = Some(Pin::Commit { commit, tree });
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Refused, "{}", ledger.rows[0].reason);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    assert_eq!(std::fs::read_to_string(world.root(0).join("q.sql")).unwrap(), OLD);
}

#[test]
fn a_changed_plan_is_never_mixed_in_silently() {
    use VerdictKind as V;
    let mut world = World::new(Delivery::Patches, &changed(3), &[V::Pass, V::NoData, V::Pass]);
    world.migration.rollout.first = vec![entity("c0"), entity("c1"), entity("c2")];
    let size = |count: u64| WaveSize { text: count.to_string(), parts: vec![WavePart::Count(count)] };
    world.migration.rollout.waves = vec![size(1), size(2), size(3)];
    assert!(matches!(world.run().unwrap().end, RunEnd::Paused { wave: 2, .. }));
    // The rule is mended: the second consumer is left alone now.
    world.plan.workspaces[1].result = Transformed::Unchanged;
    world.plan.workspaces[1].files.clear();
    let error = world.run().unwrap_err().to_string();
    assert!(error.contains("apps/c1") && error.contains("--retry"), "{error}");
    let ledger = world.run_as(true, &BTreeSet::new()).unwrap();
    assert_eq!(ledger.end, RunEnd::Complete);
    assert_eq!(count(&ledger, Outcome::Changed), 2);
    assert_eq!(count(&ledger, Outcome::Unchanged), 1);
    assert_eq!(*world.verified.borrow(), [0, 1, 2], "the delivered one is not verified again");
    // Another change to what is delivered already has to be taken back first.
    world.plan.workspaces[0].files.truncate(1);
    let error = world.run_as(true, &BTreeSet::new()).unwrap_err();
    assert!(matches!(error, RolloutError::Delivered { .. }), "{error}");
    super::roll_back(&mut world.store(), &Scope::All, &|_| {}).unwrap();
    let ledger = world.run_as(true, &BTreeSet::new()).unwrap();
    assert_eq!(ledger.end, RunEnd::Complete, "{:?}", ledger.rows);
    world.migration.id = "other".to_owned();
    assert!(matches!(world.run(), Err(RolloutError::OtherMigration { .. })));
}

#[test]
fn a_second_run_knows_its_own_writes() {
    let world = World::new(Delivery::Checkout, &changed(2), &[VerdictKind::Pass; 2]);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    let mut fleet = world.fleet.clone();
    let dirty: Vec<String> = ["gone.sh", "new/made.sh", "q.sql", "theirs"].map(str::to_owned).to_vec();
    files::write_whole(&world.root(0).join("theirs"), b"1", false).unwrap();
    for workspace in &mut fleet.workspaces {
        workspace.git.as_mut().unwrap().dirty = dirty.clone();
    }
    let settled = super::settle(&world.store(), &mut fleet).unwrap();
    assert!(settled.is_empty(), "a commit can be read again");
    for workspace in &fleet.workspaces {
        assert_eq!(workspace.git.as_ref().unwrap().dirty, ["theirs"]);
    }
}

#[test]
fn a_folder_without_git_is_taken_back_and_known_again() {
    let mut world = World::new(Delivery::Patches, &changed(1), &[VerdictKind::Pass]);
    world.migration.deliver.how = Delivery::Checkout;
    let before = world.bytes();
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    let mut fleet = world.fleet.clone();
    let settled = super::settle(&world.store(), &mut fleet).unwrap();
    assert_eq!(settled[&0].pin, world.plan.workspaces[0].pin);
    assert_eq!(settled[&0].plan.files.len(), 3);
    let ledger = super::roll_back(&mut world.store(), &Scope::All, &|_| {}).unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::RolledBack);
    assert_eq!(world.bytes(), before);
    assert!(super::settle(&world.store(), &mut fleet).unwrap().is_empty());
    let mut world = World::new(Delivery::Patches, &changed(1), &[VerdictKind::Pass]);
    world.migration.deliver.how = Delivery::Branch;
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Refused, "{}", ledger.rows[0].reason);
}

#[test]
fn a_delivery_that_fails_half_way_is_undone() {
    let world = World::new(Delivery::Checkout, &changed(1), &[VerdictKind::Pass]);
    // A folder where the temporary file of the last file would have to be.
    let name = format!(".gander-{}.tmp", Digest::of(b"q.sql").short());
    let blocker = world.root(0).join(name);
    files::make_folder(&blocker).unwrap();
    let before = world.bytes();
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Errored);
    assert!(ledger.rows[0].reason.contains("as they were"), "{}", ledger.rows[0].reason);
    assert_eq!(world.bytes(), before);
    assert!(matches!(ledger.end, RunEnd::Paused { wave: 1, .. }));
    files::remove_folder(&blocker).unwrap();
    assert_eq!(world.run_as(true, &BTreeSet::new()).unwrap().end, RunEnd::Complete);
}

#[test]
fn consumers_of_one_workspace_share_its_fate_and_count_each() {
    use VerdictKind as V;
    let mut world = World::new(Delivery::Patches, &changed(2), &[V::Regressed, V::Pass]);
    world.consume("b-second", Source::Workspace(0));
    world.fleet.consumers.sort_by(|a, b| a.entity.cmp(&b.entity));
    world.migration.rollout.waves.drain(..2);
    world.migration.rollout.gates = vec![Gate::Regressions { max: 1 }];
    let ledger = world.run().unwrap();
    assert_eq!(ledger.waves[0].counts.regressed, 2);
    assert_eq!(count(&ledger, Outcome::Regressed), 2);
    assert!(matches!(ledger.end, RunEnd::RolledBack { wave: 1, .. }));
    assert_eq!(*world.verified.borrow(), [0, 1]);
    assert!(world.migration.state.join("change-sets/held/b-second").is_dir());
}

#[test]
fn only_some_consumers_can_be_advanced() {
    let mut world = World::new(Delivery::Patches, &changed(4), &[VerdictKind::Pass; 4]);
    world.migration.rollout.first = vec![entity("c0")];
    let ledger = world.run_as(false, &BTreeSet::from([entity("c3")])).unwrap();
    assert_eq!(*world.verified.borrow(), [3]);
    assert_eq!(count(&ledger, Outcome::Pending), 4, "wave 1 comes before it");
    let ledger = world.run_as(false, &BTreeSet::from([entity("c0")])).unwrap();
    assert_eq!(count(&ledger, Outcome::Changed), 1);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    assert_eq!(world.verified.borrow().len(), 4);
}

#[test]
fn a_verdict_that_was_not_given_keeps_the_wave_open() {
    let mut world = World::new(Delivery::Patches, &changed(2), &[VerdictKind::Pass]);
    world.migration.rollout.waves.remove(0);
    world.migration.rollout.waves.remove(0);
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::Paused { wave: 1, .. }));
    assert_eq!(count(&ledger, Outcome::Pending), 1);
    world.verdicts.insert(1, VerdictKind::Pass);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    assert_eq!(*world.verified.borrow(), [0, 1, 1]);
}

#[test]
fn pinned_bytes_that_changed_are_noticed() {
    let mut world = World::new(Delivery::Patches, &changed(1), &[VerdictKind::Pass]);
    world.pinned.insert((0, "q.sql".to_owned()), b"other".to_vec());
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Errored);
    assert!(matches!(ledger.end, RunEnd::Paused { wave: 1, .. }), "{:?}", ledger.end);
    world.pinned.insert((0, "q.sql".to_owned()), OLD.as_bytes().to_vec());
    assert_eq!(world.run_as(true, &BTreeSet::new()).unwrap().end, RunEnd::Complete);
}

fn any_result() -> impl Strategy<Value = Transformed> {
    prop_oneof![
        5 => Just(Transformed::Changed),
        2 => Just(Transformed::Annotated("left".to_owned())),
        1 => Just(Transformed::Unchanged),
        1 => Just(Transformed::Refused("no".to_owned())),
    ]
}

fn any_verdict() -> impl Strategy<Value = VerdictKind> {
    use VerdictKind as V;
    prop_oneof![
        8 => Just(V::Pass),
        1 => Just(V::Regressed),
        1 => Just(V::BaselineBroken),
        1 => Just(V::NoData),
        1 => Just(V::Infra),
    ]
}

fn any_disposition() -> impl Strategy<Value = Disposition> {
    use Disposition::{Approve, Deliver, Hold};
    prop_oneof![Just(Deliver), Just(Hold), Just(Approve)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold(
        parts in prop::collection::vec((any_result(), any_verdict()), 1..7),
        annotated in any_disposition(),
        unverified in any_disposition(),
        all in any::<bool>(),
        interruptions in prop::collection::vec(0_usize..7, 0..3),
    ) {
        let (results, verdicts): (Vec<_>, Vec<_>) = parts.iter().cloned().unzip();
        let mut world = World::new(Delivery::Checkout, &results, &verdicts);
        world.migration.policy = Policy { annotated, unverified };
        world.migration.rollout.on_failed_gate =
            if all { OnFailedGate::RollbackAll } else { OnFailedGate::RollbackWave };
        // Earlier runs in which some verdicts did not come.
        for missing in interruptions {
            let kept = world.verdicts.remove(&missing);
            world.run().unwrap();
            kept.map(|kind| world.verdicts.insert(missing, kind));
        }
        let ledger = world.run().unwrap();
        prop_assert_eq!(ledger.rows.len(), results.len() + 1);
        let judged = |n: u32| ledger.waves.iter().any(|w| w.number == n && matches!(w.state, WaveState::Passed(_) | WaveState::RolledBack(_)));
        for (index, (result, kind)) in parts.iter().enumerate() {
            let row = &ledger.rows[index];
            let now = std::fs::read_to_string(world.root(index).join("q.sql")).unwrap();
            let is_new = now == NEW;
            prop_assert!(is_new || now == OLD);
            prop_assert_eq!(world.root(index).join("gone.sh").exists(), !is_new);
            prop_assert_eq!(world.root(index).join("new").exists(), is_new);
            if is_new {
                prop_assert!(matches!(row.outcome, Outcome::Changed | Outcome::Annotated));
                let changes = matches!(result, Transformed::Changed | Transformed::Annotated(_));
                let held = matches!(kind, VerdictKind::Regressed | VerdictKind::Infra)
                    || !changes
                    || (*kind != VerdictKind::Pass && unverified != Disposition::Deliver)
                    || (*result != Transformed::Changed && annotated != Disposition::Deliver);
                prop_assert!(!held, "{:?}", row);
                let wave = row.wave.unwrap();
                let earlier = ledger.waves.iter().filter(|w| w.number < wave);
                prop_assert!(earlier.map(|w| w.number).all(judged));
            }
            if row.outcome == Outcome::RolledBack {
                prop_assert!(!is_new);
            }
        }
        prop_assert_eq!(&world.run().unwrap(), &ledger);
        let mut verified = world.verified.borrow().clone();
        verified.sort_unstable();
        let ledger = super::roll_back(&mut world.store(), &Scope::All, &|_| {}).unwrap();
        prop_assert!(ledger.rows.iter().all(|row| row.outcome != Outcome::Changed));
        prop_assert_eq!(run_git(&world.top, &["status", "--porcelain"]), "");
    }
}

const CHILD_TOP: &str = "GANDER_TEST_TOP";
const CHILD_HOW: &str = "GANDER_TEST_HOW";

fn how_named(name: &str) -> (Delivery, OnFailedGate) {
    match name {
        "patches" => (Delivery::Patches, OnFailedGate::RollbackWave),
        "checkout" => (Delivery::Checkout, OnFailedGate::RollbackAll),
        "by hand" => (Delivery::Checkout, OnFailedGate::Stop),
        _ => (Delivery::Branch, OnFailedGate::RollbackAll),
    }
}

fn to_the_end(world: &World, name: &str) -> Ledger {
    let ledger = world.run().unwrap();
    if name != "by hand" {
        return ledger;
    }
    super::roll_back(&mut world.store(), &Scope::All, &|_| {}).unwrap()
}

#[test]
#[ignore = "started by killed_anywhere_it_comes_to_the_same_end, which kills it"]
fn child() {
    let top = PathBuf::from(std::env::var_os(CHILD_TOP).unwrap());
    let name = std::env::var(CHILD_HOW).unwrap();
    let (how, on_failed_gate) = how_named(&name);
    to_the_end(&failing_world(Some(&top), how, on_failed_gate), &name);
}

/// Runs [`child`] over `world` with a fault; its status and whether it was killed.
fn run_child(world: &World, how: &str, variable: &str, value: &str) -> bool {
    let child = crate::process::Invocation::new(std::env::current_exe().unwrap())
        .args(["--exact", "rollout::tests::child", "--ignored", "--test-threads=1"])
        .env(CHILD_TOP, &world.top)
        .env(CHILD_HOW, how)
        .env(variable, value);
    let output = child.run().unwrap();
    output.status.success()
}

type Bytes = BTreeMap<PathBuf, (Vec<u8>, bool)>;
type End = (Ledger, Option<String>, Option<Digest>, Bytes);

/// What has to be the same however often a run was killed.
fn end_of(world: &World, mut ledger: Ledger) -> End {
    // Commits carry the time at which they were made; their branches do not.
    for row in &mut ledger.rows {
        row.branch = row.branch.take().map(|(name, _)| (name, None));
    }
    let branches = world.fleet.workspaces[0]
        .git
        .as_ref()
        .map(|_| run_git(&world.top, &["for-each-ref", "--format=%(refname) %(tree)", "refs/heads"]));
    let sets = files::folder_digest(&world.migration.state.join("change-sets")).unwrap();
    let relative = |(path, content): (PathBuf, _)| (path.strip_prefix(&world.top).unwrap().to_owned(), content);
    let bytes: BTreeMap<_, _> = world.bytes().into_iter().map(relative).collect();
    (ledger, branches, sets, bytes)
}

#[test]
fn killed_anywhere_it_comes_to_the_same_end() {
    for name in ["patches", "checkout", "branch", "by hand"] {
        let (how, on_failed_gate) = how_named(name);
        let make = || failing_world(None, how, on_failed_gate);
        let whole = make();
        let log = whole.top.join("points");
        assert!(run_child(&whole, name, crate::fault::LOG_VARIABLE, log.to_str().unwrap()));
        let log = std::fs::read_to_string(&log).unwrap();
        let expected = end_of(&whole, to_the_end(&whole, name));
        let mut hits: BTreeMap<&str, u32> = BTreeMap::new();
        let points: Vec<String> = log
            .lines()
            .map(|point| {
                let hit = hits.entry(point).or_default();
                *hit += 1;
                format!("{point}#{hit}")
            })
            .collect();
        assert!(points.len() > 20, "{points:?}");
        // What goes back by hand got there as `checkout` does, which is killed already.
        let begin = if name == "by hand" {
            points.iter().position(|point| point.starts_with("journal.wave.rollback"))
        } else {
            Some(0)
        };
        points[begin.unwrap()..].par_iter().for_each(|point| {
            let world = make();
            let ended = run_child(&world, name, crate::fault::POINT_VARIABLE, point);
            assert!(!ended, "{name}: {point} killed nothing");
            let found = end_of(&world, to_the_end(&world, name));
            assert_eq!(found, expected, "{name}: killed at {point}");
        });
    }
}
