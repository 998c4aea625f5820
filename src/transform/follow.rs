//! Follow-ups of edits: round by round, each over the text that the one before it wrote, until
//! nothing is left to do. All rounds together are edits of the first text.
//!
//! Follow-ups that look at less come first. Where two of them want the same code, the one with
//! the smaller edit is made, and the other looks at the result.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::ops::Range;
use std::sync::Arc;

use super::asked::{Asked, Planted, Wish, sort_out};
use super::check::{self, Touched, Wrong};
use super::compose::composed;
use super::file::{Again, FileReport, comments_of, syntax, touched_comments};
use crate::digest::Digest;
use crate::edit::{Arranged, Edit, FileEdit, Fragment, Region, in_first_text, in_new_text, regions_after};
use crate::rule::{Answer, File, Outcome, Safety, Scope, Seed, follow as found_by};
use crate::symbol::Symbols;
use crate::tree::Tree;

/// More rounds are no clean-up.
const MAX_ROUNDS: usize = 200;
/// The same, of follow-ups that wait at a time.
const MAX_PENDING: usize = 10_000;

/// A match that all that follows from it belongs to.
type Key = (String, u32);
type Keys = BTreeSet<Key>;

/// A follow-up that is still to look.
struct Pending {
    seed: Seed,
    /// The edit that asked for it, in the present text.
    place: Range<usize>,
    keys: Keys,
}

/// What was written anew so far.
struct Part {
    region: Region,
    keys: Keys,
    /// The edits of the first round that it consists of, where no later one touched it.
    edits: Option<Vec<usize>>,
}

struct Work<'w, 'a> {
    again: &'w Again<'a>,
    report: &'w mut FileReport,
    /// The first text, and the present one.
    old: Arc<Tree>,
    tree: Arc<Tree>,
    /// Ordered and disjoint.
    parts: Vec<Part>,
    /// The edits of the first round.
    first: Vec<Edit>,
    pending: Vec<Pending>,
    wishes: Vec<(Wish, Keys)>,
    /// What is one match's, though several began it.
    together: Vec<Keys>,
    /// Texts that were there already.
    seen: BTreeSet<Digest>,
}

/// One round: what is asked of the present text, and whose it is.
#[derive(Default)]
struct Round {
    asked: Asked,
    /// For each edit of `asked` whose it is.
    owners: Vec<Keys>,
    /// The same for each match that plants something.
    planters: Vec<Keys>,
}

/// What all rounds come to, as edits of the first text.
///
/// # Errors
/// A round that may not be had, rounds without end, and follow-ups that go in a circle.
pub(super) fn follow(
    again: &Again<'_>,
    old: &Arc<Tree>,
    mut asked: Asked,
    report: &mut FileReport,
) -> Result<Asked, Wrong> {
    let comments = asked.comments.clone();
    let wishes = take(&mut asked.files);
    let mut work = Work {
        again,
        report,
        old: Arc::clone(old),
        tree: Arc::clone(old),
        parts: Vec::new(),
        first: Vec::new(),
        pending: Vec::new(),
        wishes: wishes.into_iter().map(|wish| (wish, Keys::new())).collect(),
        together: Vec::new(),
        seen: [Digest::of(old.text().as_bytes())].into(),
    };
    // What the whole workspace asks for belongs to nothing in this file.
    for (number, seed) in again.facts.seeds().iter().enumerate() {
        let keys = [(again.rules.rules[seed.rule].id.clone(), number as u32)].into();
        work.pending.push(Pending { seed: seed.clone(), place: 0..old.text().len(), keys });
    }
    let owners: Vec<Keys> = asked.edits.iter().map(|edit| [key(edit)].into()).collect();
    let planters = asked
        .seeds
        .iter()
        .map(|one| one.edits.clone().flat_map(|at| owners[at].clone()).chain(one.of.clone()).collect());
    let planters = planters.collect();
    work.make(Round { asked, owners, planters })?;
    work.run()?;
    Ok(work.finish(&comments))
}

fn key(edit: &Edit) -> Key {
    (edit.rule.clone(), edit.match_id)
}

impl Work<'_, '_> {
    fn run(&mut self) -> Result<(), Wrong> {
        for _ in 0..MAX_ROUNDS {
            let Some(scope) = self.pending.iter().map(|one| one.seed.scope).min() else { return Ok(()) };
            if self.pending.len() > MAX_PENDING {
                break;
            }
            let round = self.look(scope)?;
            if self.report.objection().is_some() {
                return Ok(());
            }
            if !round.asked.is_nothing() {
                self.make(round)?;
            }
        }
        let Some(last) = self.pending.first() else { return Ok(()) };
        let rule = self.again.rules.rules[last.seed.rule].id.clone();
        let why =
            format!("its follow-ups have no end: `{rule}` still had something to look at after {MAX_ROUNDS} rounds");
        Err(Wrong { at: self.first_place(last.place.start), rule, why })
    }

    /// Where a byte of the present text stood in the first one.
    fn first_place(&self, at: usize) -> usize {
        let regions: Vec<Region> = self.parts.iter().map(|part| part.region.clone()).collect();
        in_first_text(&regions, at)
    }

    /// What the follow-ups with this scope ask of the present text.
    fn look(&mut self, scope: Scope) -> Result<Round, Wrong> {
        let (now, rest): (Vec<Pending>, Vec<Pending>) =
            take(&mut self.pending).into_iter().partition(|one| one.seed.scope == scope);
        self.pending = rest;
        let seeds: Vec<(Seed, Range<usize>)> = now.iter().map(|one| (one.seed.clone(), one.place.clone())).collect();
        let (rules, path) = (self.again.rules, self.again.place.name());
        let found = found_by(rules, File { path, tree: &self.tree }, &seeds, self.again.facts).map_err(syntax)?;
        let (mut asking, mut others) = (Vec::new(), Vec::new());
        for (number, outcome) in
            found.into_iter().enumerate().flat_map(|(n, all)| all.into_iter().map(move |one| (n, one)))
        {
            match outcome.answer {
                Answer::Edit(_) | Answer::Annotate(..) => asking.push((number, outcome)),
                _ => others.push((number, outcome)),
            }
        }
        let (chosen, waiting) = apart(asking);
        // What has to wait looks at the result once more.
        let again = now.iter().enumerate().filter(|(number, _)| waiting.contains(number));
        let again = again.map(|(_, one)| Pending { seed: one.seed.clone(), ..one.copy() });
        self.pending.extend(again.collect::<Vec<_>>());
        let mut round = Round::default();
        for (number, mut outcome) in others.into_iter().chain(chosen) {
            outcome.place = self.old.line_column(self.first_place(outcome.range.start));
            let planted = !outcome.seeds.is_empty();
            let more = sort_out(rules, path, vec![outcome], self.report);
            let keys = &now[number].keys;
            let from = round.asked.edits.len();
            round.owners.extend(more.edits.iter().map(|_| keys.clone()));
            round.planters.extend(planted.then(|| keys.clone()));
            round.asked.comments.extend(more.comments.iter().map(|at| at + from));
            round.asked.edits.extend(more.edits);
            round.asked.imports.extend(more.imports);
            let wishes = more.files.into_iter().map(|wish| Wish { at: self.first_place(wish.at), ..wish });
            let wishes: Vec<(Wish, Keys)> = wishes.map(|wish| (wish, keys.clone())).collect();
            self.wishes.extend(wishes);
            round.asked.seeds.extend(
                more.seeds
                    .into_iter()
                    .map(|one| Planted { edits: one.edits.start + from..one.edits.end + from, ..one }),
            );
        }
        Ok(round)
    }

    /// Makes the edits of a round, and plants what they ask for.
    fn make(&mut self, round: Round) -> Result<(), Wrong> {
        let Round { mut asked, mut owners, planters } = round;
        let planted = take(&mut asked.seeds);
        let first = self.first.is_empty() && self.parts.is_empty();
        let askers: Keys = owners.iter().flatten().cloned().collect();
        let (arranged, tree) = composed(&self.tree, &mut asked).map_err(|wrong| {
            // An import of a later text keeps its name: all of the first one do, when this is tried again.
            if !first && Symbols::of(&self.tree).kept() > (false, 0) {
                Symbols::of(&self.old).keep(None);
            }
            self.in_first(wrong)
        })?;
        if Symbols::of(&self.old).kept().0 {
            Symbols::of(&tree).keep(None);
        }
        // Imports are asked for by all of a later round together.
        let imports =
            asked.edits[owners.len()..].iter().map(|edit| if first { [key(edit)].into() } else { askers.clone() });
        owners.extend(imports.collect::<Vec<Keys>>());
        let moved = comments_of(self.again.rules, &asked.creations());
        let result = check::Result {
            old: &self.tree,
            new: &tree,
            edits: &asked.edits,
            arranged: &arranged,
            moved: &moved,
            line: &|at| self.old.line_column(self.first_place(at)).0,
            means_local: &|rule, name| self.again.rules.means_local(rule, name),
        };
        let touched = result.check(&asked.comments, &asked.literals).map_err(|wrong| self.in_first(wrong))?;
        let in_first = |one: Touched| Touched { at: self.first_place(one.at), ..one };
        let touched: Vec<Touched> = touched.into_iter().map(in_first).collect();
        self.report.comments.extend(touched_comments(self.again.place.name(), &self.old, &touched));
        let changed = tree.text() != self.tree.text();
        if changed && !self.seen.insert(Digest::of(tree.text().as_bytes())) {
            let edit = asked.edits.first();
            let (at, rule) = edit.map_or((0, String::new()), |edit| (edit.range.start, edit.rule.clone()));
            let why = "its follow-ups go in a circle: the text was there before".to_owned();
            return Err(self.in_first(Wrong { at, rule, why }));
        }
        self.grow(&asked, &arranged, &owners, first);
        let waiting = take(&mut self.pending);
        let new_place = |place: &Range<usize>| in_new_text(&arranged.splices, place);
        self.pending = waiting.into_iter().map(|one| Pending { place: new_place(&one.place), ..one }).collect();
        if changed {
            for (one, keys) in planted.into_iter().zip(planters) {
                self.plant(&one, &keys, &asked.edits, &arranged);
            }
        }
        if first {
            self.first = asked.edits;
        }
        self.tree = Arc::new(tree);
        Ok(())
    }

    fn in_first(&self, wrong: Wrong) -> Wrong {
        Wrong { at: self.first_place(wrong.at), ..wrong }
    }

    fn plant(&mut self, one: &Planted, keys: &Keys, edits: &[Edit], arranged: &Arranged) {
        let same = |a: &Edit, b: &Edit| a.range == b.range && a.replacement == b.replacement;
        let written = |index: &usize| one.edits.clone().any(|own| own == *index || same(&edits[own], &edits[*index]));
        let whole = arranged.placed.iter().filter(|placed| placed.fragment.is_none() && written(&placed.edit));
        let mut places: Vec<Range<usize>> = whole.map(|placed| placed.range.clone()).collect();
        if places.is_empty() {
            places.push(in_new_text(&arranged.splices, &one.at));
        }
        for seed in &one.seeds {
            if seed.scope == Scope::Workspace {
                self.report.seeds.insert(seed.clone());
                continue;
            }
            let pending =
                places.iter().map(|place| Pending { seed: seed.clone(), place: place.clone(), keys: keys.clone() });
            self.pending.extend(pending);
        }
    }

    /// Takes the splices of a round into what was written anew.
    fn grow(&mut self, asked: &Asked, arranged: &Arranged, owners: &[Keys], first: bool) {
        let regions: Vec<Region> = self.parts.iter().map(|part| part.region.clone()).collect();
        let before = take(&mut self.parts);
        for (region, parts, splices) in regions_after(&regions, &arranged.splices) {
            let within = |edit: &Edit| {
                splices
                    .iter()
                    .map(|splice| &arranged.splices[*splice].range)
                    .any(|splice| splice.start <= edit.range.start && edit.range.end <= splice.end)
            };
            let here: Vec<usize> = if splices.is_empty() {
                Vec::new()
            } else {
                (0..asked.edits.len()).filter(|at| within(&asked.edits[*at])).collect()
            };
            let keys: Keys = parts
                .iter()
                .map(|part| &before[*part].keys)
                .chain(here.iter().map(|at| &owners[*at]))
                .flatten()
                .cloned()
                .collect();
            let edits = match (parts.as_slice(), splices.is_empty()) {
                ([only], true) => before[*only].edits.clone(),
                _ => first.then_some(here),
            };
            // The matches of a first round stand each for itself, wherever they touch.
            if edits.is_none() {
                self.together.push(keys.clone());
            }
            self.parts.push(Part { region, keys, edits });
        }
    }

    /// All rounds as edits of the first text.
    fn finish(mut self, comments: &BTreeSet<usize>) -> Asked {
        let names = self.names();
        let name = |key: &Key| names.get(key).unwrap_or(key).clone();
        let gone: Option<Keys> = self
            .wishes
            .iter()
            .filter(|(wish, keys)| matches!(wish.edit, FileEdit::Delete) && !keys.is_empty())
            .map(|(_, keys)| keys.iter().map(&name).collect())
            .next();
        let mut asked = Asked { worked: true, ..Asked::default() };
        for part in &self.parts {
            let Some(edits) = &part.edits else {
                let text = self.tree.text()[part.region.new.clone()].to_owned();
                let replacement = if text.is_empty() { Vec::new() } else { vec![Fragment::Text(text)] };
                let (rule, match_id) = part.keys.iter().next().map(&name).unwrap_or_default();
                asked.edits.push(Edit { range: part.region.old.clone(), replacement, rule, match_id, drops: false });
                continue;
            };
            for at in edits {
                if comments.contains(at) {
                    asked.comments.insert(asked.edits.len());
                }
                let (rule, match_id) = name(&key(&self.first[*at]));
                asked.edits.push(Edit { rule, match_id, ..self.first[*at].clone() });
            }
        }
        // Of a file that goes, what led to that need not be edited first.
        if gone.is_some_and(|gone| asked.edits.iter().all(|edit| gone.contains(&key(edit)))) {
            asked.edits.clear();
            asked.comments.clear();
        }
        asked.files.extend(take(&mut self.wishes).into_iter().map(|(wish, _)| wish));
        asked
    }

    /// What each match is called whose edits can't be had without those of another: by the one
    /// that wants a person, else by the first.
    fn names(&self) -> BTreeMap<Key, Key> {
        let review =
            |key: &Key| self.again.rules.rules.iter().any(|rule| rule.id == key.0 && rule.safety == Safety::Review);
        let mut groups: Vec<Keys> = Vec::new();
        for keys in &self.together {
            let (joined, mut rest): (Vec<Keys>, Vec<Keys>) =
                groups.into_iter().partition(|group| !group.is_disjoint(keys));
            rest.push(joined.into_iter().flatten().chain(keys.iter().cloned()).collect());
            groups = rest;
        }
        let mut names = BTreeMap::new();
        for group in groups {
            let Some(name) = group.iter().find(|key| review(key)).or_else(|| group.first()).cloned() else { continue };
            names.extend(group.into_iter().map(|key| (key, name.clone())));
        }
        names
    }
}

impl Pending {
    fn copy(&self) -> Self {
        Self { seed: self.seed.clone(), place: self.place.clone(), keys: self.keys.clone() }
    }
}

/// Outcomes that want no code of each other, the smallest first, and who has to wait.
fn apart(mut asking: Vec<(usize, Outcome)>) -> (Vec<(usize, Outcome)>, BTreeSet<usize>) {
    fn edits(outcome: &Outcome) -> &[Edit] {
        match &outcome.answer {
            Answer::Edit(edits) | Answer::Annotate(_, edits) => edits,
            _ => &[],
        }
    }
    asking.sort_by_key(|(_, one)| (edits(one).iter().map(|e| e.range.len()).sum::<usize>(), one.range.start));
    let (mut chosen, mut waiting): (Vec<(usize, Outcome)>, BTreeSet<usize>) = Default::default();
    // What is taken, by where it begins: disjoint.
    let mut taken: BTreeMap<usize, Edit> = BTreeMap::new();
    for (number, one) in asking {
        let clashes = |edit: &Edit| {
            let before = taken.range(..edit.range.end.max(edit.range.start + 1)).next_back();
            before.is_some_and(|(_, other)| {
                let apart = other.range.end <= edit.range.start || edit.range.end <= other.range.start;
                !apart && (other.range != edit.range || other.replacement != edit.replacement)
            })
        };
        if edits(&one).iter().any(clashes) {
            waiting.insert(number);
            continue;
        }
        for edit in edits(&one).iter().filter(|edit| !edit.range.is_empty()) {
            taken.insert(edit.range.start, edit.clone());
        }
        chosen.push((number, one));
    }
    (chosen, waiting)
}
