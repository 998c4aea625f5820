//! The driver over real folders and repositories, with plans made by hand. What
//! stands in for other stages is only what the composition hands in.

use crate::verify::{Evidence, Strength, VerdictKind};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

mod advancing;
mod anew;
mod asked;
mod effects;
mod histories;
mod invariants;
mod killed;
mod large;
mod on_call;
mod waiting;
mod watched;

use super::*;
use crate::clock::Clock;
use crate::config::{
    Consumers, Deliver, Delivery, Disposition, Gate, OnFailedGate, Policy, Rollout, SandboxConfig, SandboxMode,
    Transform, Verify, WavePart, WaveSize,
};
use crate::digest::Digest;
use crate::edit::Splice;
use crate::files;
use crate::state::Store;
use crate::transform::{FileOutcome, FilePlan, Transformed};
use crate::workspace::{GitPlace, Mode, Pin, Source};

const OLD: &str = "select plan_type\r\nfrom users_v1";
const NEW: &str = "select plan\r\nfrom users_v2";

static NO_REVIEW: BTreeSet<String> = BTreeSet::new();
static NOT_OUTDATED: BTreeMap<usize, String> = BTreeMap::new();

/// Every file of a fleet with its executable bit.
type Bytes = BTreeMap<PathBuf, (Vec<u8>, bool)>;

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
    clock: Clock,
}

fn entity(name: &str) -> EntityRef {
    EntityRef::parse(name, "component").unwrap()
}

pub(super) fn migration(root: &Path, how: Delivery) -> Migration {
    let size = |text: &str, part| WaveSize { text: text.to_owned(), parts: vec![part] };
    Migration {
        file: root.join("migration.toml"),
        id: "users-v2".to_owned(),
        title: "Read users_v2".to_owned(),
        guide: Some("https://example.org/guide".to_owned()),
        rules: Vec::new(),
        order: Vec::new(),
        parameters: toml::Table::new(),
        mappings: BTreeMap::new(),
        datasets: Default::default(),
        languages: Default::default(),
        consumers: Consumers::default(),
        code: Default::default(),
        transform: Transform::default(),
        formatters: Vec::new(),
        verify: Verify::default(),
        sandbox: SandboxConfig { mode: SandboxMode::None, ..SandboxConfig::default() },
        policy: Policy { annotated: Disposition::Deliver, unverified: Disposition::Hold, ..Policy::default() },
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
            ..Rollout::default()
        },
        deliver: Deliver {
            how,
            author: Some("Goose <goose@example.org>".to_owned()),
            remote: "origin".to_owned(),
            template: None,
            branch_per: Default::default(),
        },
        state: root.join(".gander/users-v2"),
        digest: Digest::of(b"migration"),
        verify_digest: Digest::of(b"verify"),
        gates_digest: Digest::of(b"gates"),
        delivery_digest: Digest::of(b"delivery"),
    }
}

fn run_git(folder: &Path, arguments: &[&str]) -> String {
    let git = crate::process::Invocation::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
        .args(arguments)
        .current_dir(folder)
        .run()
        .unwrap();
    assert!(git.success(), "{arguments:?}: {}", String::from_utf8_lossy(&git.stderr));
    String::from_utf8_lossy(&git.stdout).trim().to_owned()
}

impl World {
    /// `results` and `verdicts`, one a workspace; each has one consumer.
    fn new(how: Delivery, results: &[Transformed], verdicts: &[VerdictKind]) -> Self {
        Self::within(tempfile::tempdir().unwrap(), how, results, verdicts)
    }

    /// The same in a folder of somebody's choice.
    fn within(folder: tempfile::TempDir, how: Delivery, results: &[Transformed], verdicts: &[VerdictKind]) -> Self {
        let top = folder.path().canonicalize().unwrap();
        for index in 0..results.len() {
            let root = top.join(format!("apps/c{index}"));
            files::make_folder(&root).unwrap();
            files::write_whole(&root.join("q.sql"), OLD.as_bytes(), false).unwrap();
            files::write_whole(&root.join("gone.sh"), b"#!/bin/sh\n", true).unwrap();
        }
        if how != Delivery::Patches {
            run_git(&top, &["init", "-q", "--template=", "-b", "main"]);
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
            clock: Clock::at(1),
        };
        // One call for all names: each of these worlds is made hundreds of times.
        let mut names = String::new();
        if tracked {
            let trees = (0..results.len()).map(|index| format!("HEAD:apps/c{index}"));
            let wanted: Vec<String> = ["rev-parse", "HEAD"].map(str::to_owned).into_iter().chain(trees).collect();
            names = run_git(top, &wanted.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let mut names = names.lines();
        let commit = names.next().map(str::to_owned);
        for (index, result) in results.iter().enumerate() {
            world.add(top, index, result, commit.as_deref().zip(names.next()));
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
            tier: None,
            tags: Vec::new(),
            witnesses: Vec::new(),
            because: Vec::new(),
            source,
        });
    }

    fn add(&mut self, top: &Path, index: usize, result: &Transformed, commit_and_tree: Option<(&str, &str)>) {
        let prefix = format!("apps/c{index}");
        let git = commit_and_tree.map(|(commit, tree)| GitPlace {
            toplevel: top.to_owned(),
            prefix: prefix.clone(),
            commit: commit.to_owned(),
            tree: tree.to_owned(),
            dirty: Vec::new(),
        });
        let pin = match &git {
            Some(git) => Pin::Commit { commit: git.commit.clone(), tree: git.tree.clone() },
            None => Pin::Content { digest: Digest::of(OLD.as_bytes()), dirty: false },
        };
        self.fleet.workspaces.push(Workspace {
            id: prefix.clone(),
            root: top.join(&prefix),
            git,
            without: Vec::new(),
            origin: None,
        });
        let changes = matches!(result, Transformed::Changed | Transformed::Annotated(_));
        self.plan.workspaces.push(WorkspacePlan {
            id: prefix,
            pin: Some(pin),
            result: result.clone(),
            files: if changes { file_plans() } else { Vec::new() },
            findings: Vec::new(),
            comments: Vec::new(),
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
        Store::open(&self.migration.state, &self.clock).unwrap()
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
        let verify: &'a VerifyAll<'a> =
            Box::leak(Box::new(move |wanted: &[ToVerify], may_begin: &MayBegin<'_>, take: &TakeVerdict<'_>| {
                for index in wanted.iter().map(|wanted| &wanted.index) {
                    if !may_begin(*index) {
                        continue;
                    }
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
            opted_out: &|_| None,
            code_owners: &|_, _| Vec::new(),
            tell,
            prove_back: &untested,
            retry,
            replan: retry,
            correct: false,
            review: &NO_REVIEW,
            outdated: &NOT_OUTDATED,
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
    // A pass of the first wave that was not challenged would be verified again.
    let evidence = Evidence { strength: Strength::Untried, rules: BTreeMap::new(), rewritten: Vec::new() };
    Verdict { evidence: Some(evidence), ..Verdict::without_runs(kind, format!("{kind:?}")) }
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

/// Wave 2 fails once it is out; wave 1 stays, or not, as the migration says.
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
    // What regresses alone would let nothing of its wave out.
    let run = ["sh", "-c", "case $(cat) in *'\"wave\":2'*) exit 1;; esac"].map(str::to_owned).to_vec();
    let (folder, timeout) = (world.top.clone(), std::time::Duration::from_secs(60));
    world.migration.rollout.gates =
        vec![Gate::Regressions { max: 1 }, Gate::Command { run, fails: vec![1], timeout, folder }];
    world
}
