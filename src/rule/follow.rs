//! Follow-ups: rules that never start alone. An edit of another rule plants a [`Seed`];
//! what the follow-up then looks at is the scope of that edit, in the new text.
//!
//! Must not: apply an edit, or say in which order follow-ups go on: the transform stage does.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::engine::{Answer, Failure, File, Outcomes, Phase, has_texts};
use super::runner::Runner;
use super::set::RuleSet;
use super::{Bound, Facts, Match, Place, Rule, doubt, exercise, ignore};
use crate::language::Language;
use crate::pattern::{Given, Givens, gave_up};
use crate::tree::{Node, Tree};

/// `then(…)` of a rule.
pub struct FollowUp {
    /// The follow-ups, by id.
    pub rules: Vec<String>,
    /// Where they look.
    pub scope: Scope,
    /// What they take from the match; the holes of the same names where `None`.
    pub bind: Option<Box<dyn Bind>>,
    /// Line and column of the declaration.
    pub at: (u32, u32),
}

/// What a follow-up takes from its seed, as a closure.
pub trait Bind: Send + Sync {
    /// Names, and what they stand for. Pure.
    ///
    /// # Errors
    /// The rule failed: its place and why.
    fn bind(&self, found: &Match, facts: Option<&Arc<Facts>>) -> Result<Givens, String>;
}

/// Where a follow-up looks; those that look at less come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The edited code and the nodes right around it, the nearest first: one that fits is enough.
    Parent,
    /// The function around the edit, or the class, where none is nearer; else the file.
    Function,
    /// The class around the edit; the file where there is none.
    Class,
    /// The file.
    File,
    /// Every file of the workspace.
    Workspace,
}

/// Nodes larger than the edit that [`Scope::Parent`] looks at.
const PARENTS: usize = 4;

/// A follow-up that an edit asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed {
    /// The follow-up, by its index.
    pub rule: usize,
    /// Where it looks.
    pub scope: Scope,
    /// What its names stand for.
    pub given: Arc<Givens>,
}

/// The seeds that a match of `rule` plants, and why they are in doubt.
pub(super) fn planted(
    set: &RuleSet,
    rule: &Rule,
    found: &Match,
    facts: Option<&Arc<Facts>>,
) -> (Result<Vec<Seed>, String>, Option<&'static str>) {
    let mut seeds = Vec::new();
    for follow in &rule.follow_ups {
        let bound = follow.bind.as_ref().map(|bind| doubt::settled(rule, || bind.bind(found, facts)));
        let given = match bound {
            None => None,
            Some((_, Some(why))) => return (Ok(Vec::new()), Some(why)),
            Some((Err(why), None)) => return (Err(why), None),
            Some((Ok(given), None)) => Some(given),
        };
        for id in &follow.rules {
            let Some(index) = set.rules.iter().position(|rule| rule.id == *id) else { continue };
            let takes = set.rules[index].takes.iter().flatten();
            let given = match &given {
                None => takes.map(|name| Some((name.clone(), of_hole(found, name)?))).collect(),
                Some(given) => takes.map(|name| Some((name.clone(), given.get(name)?.clone()))).collect(),
            };
            let Some(given) = given else {
                return (Err(format!("{}: `{id}` takes more names than it is given", rule.place)), None);
            };
            seeds.push(Seed { rule: index, scope: follow.scope, given: Arc::new(given) });
        }
    }
    (Ok(seeds), None)
}

/// The code that a hole stands for, or what the match itself was given.
fn of_hole(found: &Match, name: &str) -> Option<Given> {
    let base = found.tree.base();
    let text = |range: Range<usize>| found.tree.text().get(range.start - base..range.end - base).map(str::to_owned);
    match (found.bindings.get(name), found.range_of(name)) {
        (Some(_), Some(range)) => text(range).map(Given::Code),
        (Some(Bound::Many(_)), None) => Some(Given::Code(String::new())),
        _ => found.given.as_ref()?.get(name).cloned(),
    }
}

/// What each seed comes to in a file: its place is in bytes of the file.
///
/// # Errors
/// As for every run over a file.
pub fn follow(
    set: &RuleSet,
    file: File<'_>,
    seeds: &[(Seed, Range<usize>)],
    facts: &Arc<Facts>,
) -> Result<Vec<Outcomes>, Failure> {
    let _recording = exercise::begin(set.exercise.as_ref());
    let mut runner = Runner::new(set, file, Phase::Edit(facts));
    gave_up();
    set.stand_beside(file.tree);
    let mut seen: BTreeSet<(&Seed, u32)> = BTreeSet::new();
    let mut all = Vec::new();
    for (seed, place) in seeds {
        let rule = &set.rules[seed.rule];
        let around = scope(file.tree, seed.scope, place);
        // The same seed in the same scope finds the same.
        let anew = seed.scope == Scope::Parent || seen.insert((seed, around.id.0));
        if !anew || !set.is_for(seed.rule, Place::At(file.path)) {
            all.push(Outcomes::new());
            continue;
        }
        runner.given(Some(Arc::clone(&seed.given)));
        let variants = rule.variants.iter().filter(|v| std::ptr::eq(v.language, file.tree.language));
        for variant in variants.filter(|variant| has_texts(variant, file.tree)) {
            let kinds = variant.find.root_kinds();
            let fits = |node: &Node<'_>| kinds.as_ref().is_none_or(|kinds| kinds.contains(&node.kind_id()));
            if seed.scope == Scope::Parent {
                for node in parents(file.tree, place).filter(fits) {
                    runner.rule_at(seed.rule, variant, file.tree, node, None);
                    if runner.outcomes().iter().any(|one| !matches!(one.answer, Answer::Skip(_))) {
                        break;
                    }
                }
            } else {
                file.tree.iter_within(around).filter(fits).for_each(|node| {
                    runner.rule_at(seed.rule, variant, file.tree, node, None);
                });
            }
        }
        let mut outcomes = runner.take();
        ignore::respect(set, file.tree, &mut outcomes);
        all.push(outcomes);
    }
    Ok(all)
}

/// Whether some seed of a whole workspace may find something in a file, told from its bytes.
pub fn may_follow(set: &RuleSet, language: &Language, bytes: &[u8], seeds: &BTreeSet<Seed>) -> bool {
    // It is asked of every file.
    if seeds.is_empty() {
        return false;
    }
    let text = String::from_utf8_lossy(bytes);
    let lower = text.to_ascii_lowercase();
    let holds = |texts: &[String], fold: bool| {
        texts.iter().any(|t| if fold { lower.contains(&t.to_ascii_lowercase()) } else { text.contains(t.as_str()) })
    };
    seeds.iter().any(|seed| {
        let variants = set.rules[seed.rule].variants.iter().filter(|v| std::ptr::eq(v.language, language));
        let required = |variant: &super::Variant| {
            variant.find.required(language).iter().all(|clause| holds(&clause.texts, clause.fold))
        };
        variants.into_iter().any(required)
    })
}

/// The innermost node that holds a place: what is left of a deletion lies strictly inside.
fn holder<'t>(tree: &'t Tree, place: &Range<usize>) -> Node<'t> {
    let first = tree.last_from(place.start.min(tree.text().len()));
    let holds = |node: &Node<'_>| {
        let range = node.local_range();
        let strictly = range.start < place.start && place.end < range.end;
        if place.is_empty() { strictly } else { range.start <= place.start && place.end <= range.end }
    };
    std::iter::once(first).chain(first.ancestors()).find(holds).unwrap_or_else(|| tree.root())
}

/// The nodes of [`Scope::Parent`].
fn parents<'t>(tree: &'t Tree, place: &Range<usize>) -> impl Iterator<Item = Node<'t>> {
    let place = trimmed(tree, place);
    let inner = holder(tree, &place);
    let (mut largest, mut levels) = (place.len(), 0);
    let near = move |node: &Node<'_>| {
        let length = node.local_range().len();
        levels += usize::from(length > largest);
        largest = length.max(largest);
        levels <= PARENTS
    };
    std::iter::once(inner).chain(inner.ancestors()).take_while(near)
}

/// A place without the white space and the comments at its ends.
fn trimmed(tree: &Tree, place: &Range<usize>) -> Range<usize> {
    let text = tree.text().get(place.clone()).unwrap_or("");
    let start = place.start + text.len() - text.trim_start().len();
    if text.trim().is_empty() { place.clone() } else { tree.without_comments(start..start + text.trim().len()) }
}

/// The node in which a follow-up looks.
fn scope<'t>(tree: &'t Tree, scope: Scope, place: &Range<usize>) -> Node<'t> {
    let facts = &tree.language.facts;
    let inner = holder(tree, &trimmed(tree, place));
    let mut around = std::iter::once(inner).chain(inner.ancestors());
    let is = |kinds: &[String], node: &Node<'_>| kinds.iter().any(|kind| kind == node.kind());
    let found = match scope {
        Scope::Parent => Some(inner),
        Scope::Function => around.find(|node| is(&facts.functions, node) || is(&facts.classes, node)),
        Scope::Class => around.find(|node| is(&facts.classes, node)),
        Scope::File | Scope::Workspace => None,
    };
    found.unwrap_or_else(|| tree.root())
}
