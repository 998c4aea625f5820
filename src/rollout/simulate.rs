//! What a policy would let through: many rollouts of a made-up fleet on virtual time,
//! through the same waves, dispositions, gates and tables of states that a real one goes
//! through. Only what they are told is drawn by lot: whose change is broken, whose tests
//! notice, who has none, and which verdicts lie.
//!
//! Must not: know a real fleet, or ask anybody: gates that ask others are taken to
//! notice what breaks in the field, with the chance that they are given.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde::Serialize;

use super::RolloutError;
use super::gate::{self, Finding, Judgement, Said, Seen};
use super::machine::{consumer, wave};
use super::outcome::{Marks, disposition};
use super::waves::{self, Earlier, Unit};
use crate::config::{Disposition, Gate, Migration, OnFailedGate};
use crate::transform::Transformed;
use crate::verify::VerdictKind;
use crate::workspace::EntityRef;

/// The fleet that is made up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Odds {
    /// How many consumers.
    pub consumers: u32,
    /// The share whose change is broken, in [0, 1].
    pub broken: f64,
    /// The share of the broken whose own tests notice.
    pub noticed: f64,
    /// The share without anything that tests it.
    pub silent: f64,
    /// The chance that a verdict over a good change says regressed.
    pub flaky: f64,
    /// The chance that one broken consumer in the field is noticed by a gate that watches
    /// it (a command, an endpoint, Prometheus, a person), before the bake is over.
    pub field: f64,
    /// The seconds that one verification takes.
    pub seconds: u32,
    /// How many run at once.
    pub jobs: u32,
    /// The hours until a person approves.
    pub approval: u32,
}

/// How one rollout went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Broken changes that were out at some time.
    pub exposed: u32,
    /// Broken changes that were out in the end.
    pub through: u32,
    /// Good changes that were taken back.
    pub back: u32,
    /// All changes that were out in the end.
    pub out: u32,
    /// The wave that stopped it; `None` where it went through.
    pub stopped: Option<u32>,
    /// How long it took, in seconds.
    pub took: i64,
}

/// One consumer of the made-up fleet.
struct Consumer {
    broken: bool,
    verdict: VerdictKind,
    state: consumer::State,
}

fn draw(odds: &Odds, rng: &mut Rng) -> Consumer {
    let mut lot = |chance: f64| rng.f64() < chance;
    let (broken, silent) = (lot(odds.broken), lot(odds.silent));
    let verdict = match (silent, broken) {
        (true, _) => VerdictKind::NoData,
        (false, true) if lot(odds.noticed) => VerdictKind::Regressed,
        (false, false) if lot(odds.flaky) => VerdictKind::Regressed,
        _ => VerdictKind::Pass,
    };
    Consumer { broken, verdict, state: consumer::State::Transformed }
}

/// The rollout of a made-up fleet by this migration; the same for the same seed.
///
/// # Errors
/// Where the tables of states know no such move, which would be a bug.
pub fn simulate(migration: &Migration, odds: &Odds, seed: u64) -> Result<Run, RolloutError> {
    let mut rng = Rng::with_seed(seed);
    let mut fleet: Vec<Consumer> = (0..odds.consumers).map(|_| draw(odds, &mut rng)).collect();
    let mut units = Vec::with_capacity(fleet.len());
    for index in 0..fleet.len() {
        let name = format!("c{index:06}");
        units.extend(EntityRef::parse(&name, "component").map(|entity| Unit::new(name, vec![entity])));
    }
    let rollout = &migration.rollout;
    waves::order(&mut units, &[], &format!("{}{seed}", rollout.seed), &migration.id);
    let planned = waves::fill(&rollout.waves, &units, Earlier::default());
    let mut run = Run::default();
    let mut out: Vec<(u32, usize)> = Vec::new();
    for wave in &planned {
        let members: Vec<usize> = wave.members.iter().filter_map(|name| name.get(1..)?.parse().ok()).collect();
        let mut state = wave::State::Planned.step(wave::Event::Open, wave.number)?;
        run.took += verifying(odds, members.len());
        let seen = seen(&fleet, &members);
        if let Judgement::Failed(_) = gate::together(&gate::own(&rollout.gates, &seen), &seen) {
            // Nothing of it goes out.
            fail(migration, &mut fleet, &mut out, (state, wave.number), &mut run)?;
            run.stopped = Some(wave.number);
            break;
        }
        for index in &members {
            deliver(migration, &mut fleet[*index])?;
            if fleet[*index].state == consumer::State::Delivered {
                out.push((wave.number, *index));
                run.exposed += u32::from(fleet[*index].broken);
            }
        }
        state = state.step(wave::Event::Whole, wave.number)?;
        let judgement = judge(migration, odds, (&fleet, &members, &seen), &mut rng, &mut run.took);
        state = state.step(wave::Event::Look, wave.number)?;
        match judgement {
            Judgement::Passed(_) => {
                state.step(wave::Event::Pass, wave.number)?;
                continue;
            }
            // Whatever a person would make of it, it stops here.
            Judgement::Inconclusive(_) | Judgement::Waiting(_) => {
                state.step(wave::Event::Doubt, wave.number)?;
            }
            Judgement::Failed(_) => fail(migration, &mut fleet, &mut out, (state, wave.number), &mut run)?,
        }
        run.stopped = Some(wave.number);
        break;
    }
    run.out = u32::try_from(out.len()).unwrap_or(u32::MAX);
    run.through = out.iter().filter(|(_, index)| fleet[*index].broken).count().try_into().unwrap_or(u32::MAX);
    Ok(run)
}

fn verifying(odds: &Odds, members: usize) -> i64 {
    let rounds = (members as u64).div_ceil(u64::from(odds.jobs.max(1)));
    i64::try_from(rounds * u64::from(odds.seconds)).unwrap_or(i64::MAX)
}

/// One consumer is verified, and goes out where the policy lets it.
fn deliver(migration: &Migration, one: &mut Consumer) -> Result<(), RolloutError> {
    use consumer::Event as E;
    let mut go = |event: E| -> Result<(), RolloutError> {
        one.state = one.state.step(event, "a simulated consumer")?;
        Ok(())
    };
    go(E::Verify)?;
    match disposition(&Transformed::Changed, one.verdict, Marks::default(), &migration.policy).0 {
        Disposition::Deliver => {
            go(E::Stage)?;
            go(E::Deliver)
        }
        Disposition::Hold | Disposition::Approve => go(E::Quarantine),
    }
}

/// What the verdicts of a wave tell.
fn seen(fleet: &[Consumer], members: &[usize]) -> Seen {
    let mut seen = Seen::default();
    for index in members {
        seen.counts.add(Some(fleet[*index].verdict), 1);
        if fleet[*index].verdict == VerdictKind::Regressed {
            seen.pairs.0 += 1;
            // One migration breaks most of its consumers in the same way.
            if fleet[*index].broken {
                *seen.signatures.entry("broken".to_owned()).or_default() += 1;
            }
        }
    }
    seen
}

/// What the gates of the wave come to, once all that they wait for has come.
fn judge(
    migration: &Migration,
    odds: &Odds,
    (fleet, members, seen): (&[Consumer], &[usize], &Seen),
    rng: &mut Rng,
    took: &mut i64,
) -> Judgement {
    let gates = &migration.rollout.gates;
    let mut findings = gate::own(gates, seen);
    let own = gate::together(&findings, seen);
    if !matches!(own, Judgement::Passed(_)) {
        return own;
    }
    let loose =
        members.iter().filter(|index| fleet[**index].broken && fleet[**index].state == consumer::State::Delivered);
    let loose = loose.count();
    let (mut pause, mut watches) = (0, false);
    for gate in gates {
        match gate {
            Gate::Bake { time } => pause = pause.max(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)),
            Gate::Approval => {
                pause = pause.max(i64::from(odds.approval) * 3600);
                watches = true;
            }
            Gate::Command { .. } | Gate::Http { .. } | Gate::Query { .. } | Gate::Compare { .. } => watches = true,
            _ => {}
        }
    }
    let heard = watches && (0..loose).any(|_| rng.f64() < odds.field);
    // What is noticed is so, on average, half way through.
    *took += if heard { pause / 2 } else { pause };
    if heard {
        let why = "it was noticed in the field".to_owned();
        findings.push(Finding {
            gate: "field".to_owned(),
            says: Said::Fail,
            why,
            wait: None,
            own: false,
            reading: None,
            consumers: Vec::new(),
        });
    }
    gate::together(&findings, seen)
}

/// A gate failed: what the migration says about that.
fn fail(
    migration: &Migration,
    fleet: &mut [Consumer],
    out: &mut Vec<(u32, usize)>,
    (state, number): (wave::State, u32),
    run: &mut Run,
) -> Result<(), RolloutError> {
    let all = match migration.rollout.on_failed_gate {
        OnFailedGate::Stop => {
            state.step(wave::Event::Fail, number)?;
            return Ok(());
        }
        // No gate of a made-up fleet names anybody.
        OnFailedGate::RollbackWave | OnFailedGate::RollbackConsumer => false,
        OnFailedGate::RollbackAll => true,
    };
    state.step(wave::Event::RollBack, number)?.step(wave::Event::Back, number)?;
    let goes = |wave: u32| all || wave == number;
    for (_, index) in out.iter().filter(|(wave, _)| goes(*wave)) {
        let one = &mut fleet[*index];
        let back = one.state.step(consumer::Event::Revert, "a simulated consumer")?;
        one.state = back.step(consumer::Event::Back, "a simulated consumer")?;
        run.back += u32::from(!one.broken);
    }
    out.retain(|(wave, _)| !goes(*wave));
    Ok(())
}

/// Many rollouts, put together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many were simulated.
    pub runs: u32,
    /// How many went through to the last wave.
    pub complete: u32,
    /// By the wave that stopped them.
    pub stopped: BTreeMap<u32, u32>,
    /// Broken changes that were out at some time: the median, and what nine of ten stay within.
    pub exposed: (u32, u32),
    /// Broken changes that were out in the end.
    pub through: (u32, u32),
    /// Good changes that were taken back.
    pub back: (u32, u32),
    /// How long it took, in seconds.
    pub took: (i64, i64),
}

/// Puts runs together.
pub fn summary(runs: &[Run]) -> Summary {
    fn spread<T: Copy + Ord + Default>(values: impl Iterator<Item = T>) -> (T, T) {
        let mut values: Vec<T> = values.collect();
        values.sort_unstable();
        let at = |tenths: usize| values.get((values.len() * tenths / 10).min(values.len().saturating_sub(1)));
        (at(5).copied().unwrap_or_default(), at(9).copied().unwrap_or_default())
    }
    let mut stopped: BTreeMap<u32, u32> = BTreeMap::new();
    for wave in runs.iter().filter_map(|run| run.stopped) {
        *stopped.entry(wave).or_default() += 1;
    }
    Summary {
        runs: u32::try_from(runs.len()).unwrap_or(u32::MAX),
        complete: u32::try_from(runs.iter().filter(|run| run.stopped.is_none()).count()).unwrap_or(u32::MAX),
        stopped,
        exposed: spread(runs.iter().map(|run| run.exposed)),
        through: spread(runs.iter().map(|run| run.through)),
        back: spread(runs.iter().map(|run| run.back)),
        took: spread(runs.iter().map(|run| run.took)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Delivery, Policy, WavePart, WaveSize};
    use crate::rollout::tests::migration;

    const ODDS: Odds = Odds {
        consumers: 2000,
        broken: 0.01,
        noticed: 0.5,
        silent: 0.1,
        flaky: 0.0,
        field: 0.5,
        seconds: 60,
        jobs: 4,
        approval: 1,
    };

    fn policy(sizes: &[u64], gates: Vec<Gate>) -> Migration {
        let mut policy = migration(std::path::Path::new("/m"), Delivery::Patches);
        let wave = |part, text: String| WaveSize { text, parts: vec![part] };
        policy.rollout.waves = sizes.iter().map(|n| wave(WavePart::Count(*n), n.to_string())).collect();
        policy.rollout.waves.push(wave(WavePart::Percent(100.0), "100%".to_owned()));
        policy.rollout.gates = gates;
        policy.policy =
            Policy { annotated: Disposition::Deliver, unverified: Disposition::Deliver, ..Policy::default() };
        policy
    }

    fn runs(policy: &Migration, odds: &Odds) -> Summary {
        let runs: Vec<Run> = (0..40).map(|seed| simulate(policy, odds, seed).unwrap()).collect();
        summary(&runs)
    }

    #[test]
    fn without_breakage_everything_goes_through_and_with_nothing_else_nothing_does() {
        let strict = policy(&[1, 50], vec![Gate::Regressions { max: 0 }, Gate::Evidence { min: 1 }]);
        let fine = Odds { broken: 0.0, silent: 0.0, ..ODDS };
        let all = simulate(&strict, &fine, 7).unwrap();
        let took = (60 + 60 * 49_i64.div_euclid(4) + 60) + 1950_i64.div_euclid(4) * 60 + 60;
        assert_eq!(all, Run { out: 2000, took, ..Run::default() });
        let broken = Odds { broken: 1.0, noticed: 1.0, silent: 0.0, ..ODDS };
        let none = simulate(&strict, &broken, 7).unwrap();
        assert_eq!((none.exposed, none.out, none.stopped), (0, 0, Some(1)));
        let silent = Odds { silent: 1.0, ..ODDS };
        assert_eq!(simulate(&strict, &silent, 7).unwrap().stopped, Some(1), "no data is no success");
        assert_eq!(simulate(&strict, &ODDS, 3).unwrap(), simulate(&strict, &ODDS, 3).unwrap());
    }

    #[test]
    fn what_verdicts_tell_exposes_nobody_and_false_alarms_take_good_ones_back() {
        let gate = || vec![Gate::Regressions { max: 0 }];
        let (at_once, careful) = (runs(&policy(&[], gate()), &ODDS), runs(&policy(&[20, 200], gate()), &ODDS));
        assert_eq!((at_once.exposed.1, at_once.back.1), (0, 0), "it fails before anything of it is out");
        assert!(careful.exposed.1 > 0, "of a wave in which nobody regresses some are broken all the same: {careful:?}");
        let watched = vec![
            Gate::Regressions { max: 1000 },
            Gate::Bake { time: std::time::Duration::from_secs(3600) },
            Gate::Approval,
        ];
        let open = policy(&[20, 200], vec![Gate::Regressions { max: 1000 }]);
        let (open, watched) = (runs(&open, &ODDS), runs(&policy(&[20, 200], watched), &ODDS));
        assert!(watched.through.0 < open.through.0 && watched.took.0 != open.took.0, "{watched:?} {open:?}");
        let nervous = Odds { broken: 0.0, flaky: 0.05, ..ODDS };
        let mut all = policy(&[20, 200], gate());
        all.rollout.on_failed_gate = OnFailedGate::RollbackAll;
        let nervous = runs(&all, &nervous);
        assert!(nervous.complete < 5 && nervous.back.1 > 0, "{nervous:?}");
    }
}
