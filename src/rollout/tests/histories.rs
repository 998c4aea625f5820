//! Random histories of runs, decisions, owners and time over the real driver: what holds
//! in every one of them. `GANDER_HISTORIES=100000 cargo test --release --lib histories`
//! tries as many; without it, a few.

use fastrand::Rng;
use rayon::prelude::*;

use super::*;
use crate::rollout::{About, approve, exclude, pause, resume, retry, retry_wave};
use crate::state::{Phase, Recorded};

const THEIRS: &str = "theirs";

/// A small world where nothing is written to a disk, if the machine has such a place.
fn world(rng: &mut Rng) -> World {
    use VerdictKind as V;
    let size = rng.usize(1..6);
    let kinds = [V::Pass, V::Pass, V::Pass, V::Pass, V::Pass, V::Regressed, V::NoData, V::Infra, V::Fixed, V::Flaky];
    let results: Vec<Transformed> = (0..size)
        .map(|_| match rng.u8(0..8) {
            0 => Transformed::Annotated("left".to_owned()),
            1 => Transformed::Refused("no".to_owned()),
            _ => Transformed::Changed,
        })
        .collect();
    let verdicts: Vec<V> = (0..size).map(|_| kinds[rng.usize(0..kinds.len())]).collect();
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut world = World::within(folder, Delivery::Patches, &results, &verdicts);
    world.migration.deliver.how = Delivery::Checkout;
    let say = |n: u8| [Disposition::Deliver, Disposition::Hold, Disposition::Approve][usize::from(n)];
    world.migration.policy =
        Policy { annotated: say(rng.u8(0..3)), unverified: say(rng.u8(0..3)), ..Policy::default() };
    let rollout = &mut world.migration.rollout;
    rollout.on_failed_gate =
        [OnFailedGate::RollbackWave, OnFailedGate::RollbackAll, OnFailedGate::Stop][rng.usize(0..3)];
    rollout.gates.push(Gate::Evidence { min: rng.u64(0..2) });
    if rng.bool() {
        rollout.gates.push(Gate::Bake { time: std::time::Duration::from_secs(3600) });
    }
    if rng.u8(0..3) == 0 {
        rollout.gates.push(Gate::Approval);
    }
    if rng.u8(0..4) == 0 {
        rollout.calendar.per_hour = Some(1);
    }
    world
}

/// A world and the controller that works on it.
struct Life {
    world: World,
    /// Open until the process ends, so to speak.
    store: Option<Store>,
}

impl Life {
    fn store(&mut self) -> &mut Store {
        let Self { world, store } = self;
        store.get_or_insert_with(|| world.store().alone())
    }

    fn run(&mut self, retry: bool, only: &[EntityRef]) -> Result<(), RolloutError> {
        let Self { world, store } = self;
        let store = store.get_or_insert_with(|| world.store().alone());
        let only = only.iter().cloned().collect();
        crate::rollout::run(store, &world.request(retry, &only, &|_| {})).unwrap();
        Ok(())
    }

    /// One thing that happens. What can't be, as things stand, is refused, and that is fine.
    fn happen(&mut self, rng: &mut Rng) -> String {
        if rng.u8(0..6) == 0 {
            self.store = None;
        }
        let index = rng.usize(0..self.world.plan.workspaces.len());
        let name = format!("component:default/c{index}");
        let wave = rng.u32(1..4);
        let what = rng.u8(0..25);
        let decided = match what {
            0..=7 => self.run(false, &[]),
            8 => self.run(false, &[entity(&format!("c{index}"))]),
            9 => self.run(true, &[]),
            13 => pause(self.store(), "why"),
            14..=15 => resume(self.store(), "why"),
            16 | 17 => {
                let gates = &self.world.migration.rollout.gates.clone();
                let about = if what == 16 { About::Wave(wave) } else { About::Consumer(name) };
                approve(self.store(), &about, "", gates).map(drop)
            }
            18 => exclude(self.store(), &name, "why").map(drop),
            19 => retry(self.store(), &name).map(drop),
            20 => {
                let scope = [Scope::All, Scope::Wave(wave), Scope::Consumer(name)][rng.usize(0..3)].clone();
                crate::rollout::roll_back(self.store(), &scope, &Hooks::none()).map(drop)
            }
            24 => retry_wave(self.store(), wave).map(drop),
            _ => {
                self.around(what, index);
                Ok(())
            }
        };
        match decided {
            Ok(()) | Err(RolloutError::Undecidable(_) | RolloutError::NoSuch { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        format!("{what} {index} {wave}")
    }

    /// What happens without gander: time passes, tests change, owners work.
    fn around(&mut self, what: u8, index: usize) {
        let file = self.world.root(index).join("q.sql");
        match what {
            10..=12 => self.world.clock.advance(3600),
            21 => drop(self.world.verdicts.insert(index, VerdictKind::Pass)),
            22 => drop(self.world.verdicts.remove(&index)),
            // The owner edits what was delivered, or puts it back.
            _ => match std::fs::read_to_string(&file).unwrap().as_str() {
                NEW => files::write_whole(&file, THEIRS.as_bytes(), false).unwrap(),
                THEIRS => files::write_whole(&file, NEW.as_bytes(), false).unwrap(),
                _ => {}
            },
        }
    }
}

/// What the journal has told so far.
#[derive(Default)]
struct Told {
    seq: i64,
    /// Where every wave and change set stands.
    states: BTreeMap<String, String>,
}

impl Told {
    /// Every move begins where the one before ended, no wave opens before the last one
    /// has passed, and nothing goes out against its verdict.
    fn hear(&mut self, store: &Store, policy: Policy) {
        let verdicts = store.verdicts::<Verdict>().unwrap();
        for line in store.journal_after(self.seq).unwrap() {
            self.seq = line.seq;
            self.line(&line, policy, &verdicts);
        }
    }

    fn line(&mut self, line: &Recorded, policy: Policy, verdicts: &BTreeMap<(String, String), Verdict>) {
        let entry = &line.entry;
        let subject = entry.subject.clone();
        if entry.point == "retry" {
            self.states.remove(&subject);
        }
        if entry.point == "wave.fill" {
            let moves: Vec<(u32, Vec<String>)> = serde_json::from_value(entry.evidence.clone().unwrap()).unwrap();
            for (number, _) in moves.iter().filter(|(_, members)| members.is_empty()) {
                self.states.remove(&format!("wave {number}"));
            }
        }
        let (Some(from), Some(to)) = (&entry.from, &entry.to) else { return };
        if let Some(number) = subject.strip_prefix("wave ").and_then(|n| n.parse::<u32>().ok()) {
            let before = self.states.get(&subject).map_or("planned", String::as_str);
            assert_eq!(before, from, "{entry:?}");
            if to == "running" && from == "planned" {
                for earlier in 1..number {
                    let state = self.states.get(&format!("wave {earlier}"));
                    assert!(
                        state.is_none_or(|state| state == "passed"),
                        "wave {number} opens while {earlier} is {state:?}"
                    );
                }
            }
            if to == "passed" {
                assert_eq!(from, "judging");
            }
        } else if entry.point == "verify" {
            return;
        } else {
            let before = self.states.get(&subject).map_or("verified", String::as_str);
            assert_eq!(before, from, "{entry:?}");
            if to == "staged" && entry.phase == Phase::Intent && from != "staged" {
                let verdict = verdicts.iter().find(|((id, _), _)| *id == subject).map(|(_, verdict)| verdict.kind);
                let verdict = verdict.unwrap_or_else(|| panic!("{subject} went out without a verdict"));
                assert!(!matches!(verdict, VerdictKind::Regressed | VerdictKind::Infra), "{subject}: {verdict:?}");
                let shown = matches!(verdict, VerdictKind::Pass | VerdictKind::Fixed);
                assert!(shown || policy.unverified != Disposition::Hold, "{subject}: {verdict:?} is unverified");
            }
        }
        self.states.insert(subject, to.clone());
    }
}

/// What lies in the consumers' folders is what the state says.
fn places(world: &World, ledger: &Ledger) {
    for (index, plan) in world.plan.workspaces.iter().enumerate() {
        let row = ledger.rows.iter().find(|row| row.workspace.as_deref() == Some(&*plan.id)).unwrap();
        let now = std::fs::read_to_string(world.root(index).join("q.sql")).unwrap();
        let (gone, made) = (world.root(index).join("gone.sh").exists(), world.root(index).join("new").exists());
        let changed = now == NEW || now == THEIRS;
        assert!(changed || now == OLD, "{now}");
        assert_eq!((!gone, made), (changed, changed), "half of it is there: {row:?}");
        let refused = matches!(plan.result, Transformed::Refused(_));
        assert!(!(changed && refused), "{row:?}");
        let expected = match row.state.as_str() {
            "delivered" | "baking" | "healthy" | "edited" | "revert-conflict" => true,
            "reverted" | "quarantined" | "verified" | "transformed" | "pinned" | "discovered" => false,
            state => panic!("{state} is no place to end a run in"),
        };
        assert_eq!(changed, expected, "{row:?}");
    }
}

fn history(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut life = Life { world: world(&mut rng), store: None };
    let (mut told, mut done) = (Told::default(), Vec::new());
    let policy = life.world.migration.policy;
    let mut holds = |life: &mut Life| {
        let store = life.store();
        told.hear(store, policy);
        let ledger = ledger(store).unwrap();
        places(&life.world, &ledger);
    };
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        life.run(false, &[]).unwrap();
        // What the next event forgets was there when it went out.
        holds(&mut life);
        for _ in 0..rng.usize(4..16) {
            done.push(life.happen(&mut rng));
            holds(&mut life);
        }
        crate::rollout::roll_back(life.store(), &Scope::All, &Hooks::none()).unwrap();
        holds(&mut life);
    }));
    assert!(ended.is_ok(), "history {seed}: {done:?}");
}

#[test]
fn every_history_keeps_its_promises() {
    let wanted = std::env::var("GANDER_HISTORIES").ok().and_then(|n| n.parse().ok());
    let first = std::env::var("GANDER_HISTORY").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    (first..first + wanted.unwrap_or(400)).into_par_iter().for_each(history);
}
