//! Rules that run together: what is derived from all of them, so that a file is read once
//! and only what some rule can match is parsed.
//!
//! Must not: match anything.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::matcher::escapes;
use super::prefilter::{Clause, Gate, Hits, Prefilter};
use super::uses::DatasetRules;
use super::{Action, Exercise, Place, Rule, Safety, Scope, Variant};
use crate::digest::{Digest, DigestBuilder};
use crate::language::{self, FileLanguages, Language};
use crate::symbol::Library;
use crate::tree::Tree;

/// Rules that run together, with what is derived from all of them.
pub struct RuleSet {
    /// In the order of the migration.
    pub rules: Vec<Rule>,
    /// What annotations link to.
    pub guide: Option<String>,
    /// What language each file is of.
    pub languages: FileLanguages,
    /// The datasets that are migrated, if any are.
    pub datasets: Option<Arc<DatasetRules>>,
    /// What rules declare of the libraries that code uses, by language.
    pub libraries: BTreeMap<String, Arc<Library>>,
    /// Whether rules are made of more than their own files and inputs: their identities tell of it.
    pub modular: bool,
    /// Where it is recorded what of the rules was exercised, if anybody wants to know.
    pub exercise: Option<Arc<Exercise>>,
    /// Every rule in every language: what the prefilter counts in.
    pub(super) units: Vec<Unit>,
    pub(super) prefilter: Prefilter,
    pub(super) by_language: HashMap<String, Index>,
    /// The languages of the follow-ups that look at whole workspaces.
    wide: Vec<String>,
}

pub(super) struct Unit {
    pub(super) rule: usize,
    pub(super) variant: usize,
    /// Whether it asks for uses of datasets.
    pub(super) asks_for_uses: bool,
    pub(super) clauses: Vec<Clause>,
    /// Those of them that the code itself must hold, and not only its host.
    pub(super) inner: Vec<Clause>,
}

#[derive(Default)]
pub(super) struct Index {
    pub(super) gate: Gate,
    /// For each node kind, by its number, the units that match nodes of it.
    pub(super) by_kind: Vec<Vec<usize>>,
    pub(super) any_kind: Vec<usize>,
    /// Units that look into literals of this language.
    pub(super) hosted: Vec<usize>,
}

/// What an outcome comes from; in the order of the migration, datasets last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// An index into [`RuleSet::rules`].
    Rule(usize),
    /// An index into the mappings of [`RuleSet::datasets`].
    Dataset(usize),
}

/// What a rule requires of the files of one of its languages.
#[derive(Debug)]
pub struct Required<'s> {
    /// The language of the code that is matched.
    pub language: &'s str,
    /// Whether that code lies in literals of `files`.
    pub embedded: bool,
    /// The languages of the files it lies in.
    pub files: Vec<&'s str>,
    /// Each must hold; nothing is known where there is none.
    pub clauses: &'s [Clause],
}
impl RuleSet {
    /// Derives prefilter and index.
    pub fn new(mut rules: Vec<Rule>, guide: Option<String>) -> Self {
        let wide = follows(&mut rules);
        let mut units = Vec::new();
        let mut by_language: HashMap<String, Index> = HashMap::new();
        for (rule, one) in rules.iter().enumerate() {
            // A follow-up never starts alone.
            for (variant, it) in one.variants.iter().enumerate().filter(|_| one.takes.is_none()) {
                let unit = units.len();
                let (clauses, inner) = (required(it, true), required(it, false));
                units.push(Unit { rule, variant, asks_for_uses: it.asks_for_uses(), clauses, inner });
                if it.hosts.is_empty() {
                    let index = by_language.entry(it.language.facts.name.clone()).or_default();
                    match it.find.root_kinds() {
                        Some(kinds) => kinds.into_iter().collect::<BTreeSet<_>>().into_iter().for_each(|kind| {
                            let kind = usize::from(kind);
                            index.by_kind.resize_with(index.by_kind.len().max(kind + 1), Vec::new);
                            index.by_kind[kind].push(unit);
                        }),
                        None => index.any_kind.push(unit),
                    }
                }
                let hosts: BTreeSet<&str> = it.hosts.iter().map(|h| h.language.facts.name.as_str()).collect();
                for host in hosts {
                    by_language.entry(host.to_owned()).or_default().hosted.push(unit);
                }
            }
        }
        let clauses: Vec<Vec<Clause>> = units.iter().map(|u| u.clauses.clone()).collect();
        for index in by_language.values_mut() {
            let units = index.by_kind.iter().flatten().chain(&index.any_kind).chain(&index.hosted);
            let units: BTreeSet<usize> = units.copied().collect();
            index.gate = Gate::new(units.into_iter().map(|unit| clauses[unit].as_slice()));
        }
        Self {
            prefilter: Prefilter::new(&clauses),
            rules,
            guide,
            languages: FileLanguages::default(),
            datasets: None,
            libraries: BTreeMap::new(),
            modular: false,
            exercise: None,
            units,
            by_language,
            wide,
        }
    }

    /// Whether any rule speaks this language; datasets are looked for in every one.
    pub fn speaks(&self, language: &Language) -> bool {
        self.by_language.contains_key(&language.facts.name)
            || self.datasets.is_some()
            || self.wide.contains(&language.facts.name)
    }

    /// Whether what a rule writes may mean a local of this name.
    pub fn means_local(&self, rule: &str, name: &str) -> bool {
        self.rules.iter().any(|known| known.id == rule && known.locals.iter().any(|local| local == name))
    }

    /// What findings and edits of this origin are named by.
    pub fn id_of(&self, origin: Origin) -> &str {
        match (origin, &self.datasets) {
            (Origin::Rule(rule), _) => &self.rules[rule].id,
            (Origin::Dataset(dataset), Some(datasets)) => datasets.id(dataset),
            (Origin::Dataset(_), None) => "dataset",
        }
    }

    /// The language of the file at this place, if it has one. An example lies nowhere:
    /// its name alone tells.
    pub fn language_of<'p>(&self, place: impl Into<Place<'p>>) -> Option<&'static Language> {
        match place.into() {
            Place::At(path) => self.languages.of(path),
            Place::Example(name) => language::of_path(Path::new(name)),
        }
    }

    /// The same, where some rule speaks it.
    pub fn spoken_in<'p>(&self, place: impl Into<Place<'p>>) -> Option<&'static Language> {
        self.language_of(place).filter(|language| self.speaks(language))
    }

    /// From now on a tree is read beside what the rules declare for its language.
    pub(super) fn stand_beside(&self, tree: &Tree) {
        Library::put_beside(self.libraries.get(&tree.language.facts.name), tree);
    }

    /// Whether what becomes of files depends on what their builds declare.
    pub fn asks_builds(&self) -> bool {
        self.rules.iter().any(|rule| !rule.requires.is_empty() || !rule.sets.is_empty())
    }

    /// Whether any file decides what becomes of others, by facts that it gives or by follow-ups
    /// in the whole workspace: then a workspace is read twice.
    pub fn collects(&self) -> bool {
        self.spreads() || self.rules.iter().any(|r| matches!(r.action, Action::Collect(..)))
    }

    /// Whether an edit may ask for follow-ups in the whole workspace.
    pub fn spreads(&self) -> bool {
        !self.wide.is_empty()
    }

    /// Which rules can match a file of this language, told from its raw bytes.
    pub fn scan<'p>(&self, language: &Language, place: impl Into<Place<'p>>, bytes: &[u8]) -> Hits {
        let place = place.into();
        // An example is about its rule alone.
        let asked = self.datasets.as_ref().filter(|_| matches!(place, Place::At(_)));
        let datasets = asked.is_some_and(|datasets| datasets.may_stand(bytes));
        if !self.by_language.get(&language.facts.name).is_some_and(|index| index.gate.passes(bytes)) {
            return Hits { possible: vec![false; self.units.len()], datasets, ..Hits::default() };
        }
        let hits = self.prefilter.scan_for(bytes, |unit| {
            let unit = &self.units[unit];
            self.unit_speaks(unit, language) && self.is_for(unit.rule, place)
        });
        Hits { datasets, ..hits }
    }

    /// Whether a rule is for the file at `place`.
    pub(super) fn is_for(&self, rule: usize, place: Place<'_>) -> bool {
        match place {
            Place::At(path) => self.rules[rule].paths.hold(path),
            Place::Example(_) => true,
        }
    }

    /// The other side of [`RuleSet::scan`]: the rules that can't match such a file.
    pub fn ruled_out(&self, language: &Language, place: Place<'_>, bytes: &[u8]) -> Hits {
        let hits = self.scan(language, place, bytes);
        let out = |(unit, possible): (usize, &bool)| !possible && self.unit_speaks(&self.units[unit], language);
        Hits { possible: hits.possible.iter().enumerate().map(out).collect(), ..Hits::default() }
    }

    /// What a rule requires of a file, for people; one for each language.
    pub fn required(&self, rule: usize) -> Vec<Required<'_>> {
        let of = |unit: &Unit| {
            let variant = &self.rules[unit.rule].variants[unit.variant];
            let own = variant.language.facts.name.as_str();
            let hosts: BTreeSet<&str> = variant.hosts.iter().map(|h| h.language.facts.name.as_str()).collect();
            let embedded = !hosts.is_empty();
            let files = if embedded { hosts.into_iter().collect() } else { vec![own] };
            (unit.rule == rule).then_some((own, embedded, files))
        };
        let found = self.units.iter().filter_map(|unit| Some((of(unit)?, unit.clauses.as_slice())));
        found.map(|((language, embedded, files), clauses)| Required { language, embedded, files, clauses }).collect()
    }

    /// What each rule, and each dataset, requires of files of this language.
    pub fn clauses(&self, language: &Language) -> impl Iterator<Item = &[Clause]> {
        self.asking(language).map(|(_, clauses)| clauses)
    }

    /// The same, with what asks.
    pub fn asking(&self, language: &Language) -> impl Iterator<Item = (Origin, &[Clause])> {
        let speaking = self.units.iter().filter(|unit| self.unit_speaks(unit, language));
        let rules = speaking.map(|unit| (Origin::Rule(unit.rule), unit.clauses.as_slice()));
        rules.chain(self.datasets.iter().map(|datasets| (Origin::Dataset(0), datasets.clauses())))
    }

    /// A digest of all that decides what this origin makes of a file; of datasets, all together.
    pub fn identity_of(&self, origin: Origin) -> Digest {
        match (origin, &self.datasets) {
            (Origin::Rule(rule), _) => self.rules[rule].identity,
            (Origin::Dataset(_), Some(datasets)) => datasets.identity,
            (Origin::Dataset(_), None) => Digest::of(b""),
        }
    }

    /// Whether what asks is for the file at this path.
    pub fn is_meant(&self, origin: Origin, path: &str) -> bool {
        match origin {
            Origin::Rule(rule) => self.rules[rule].paths.hold(path),
            Origin::Dataset(_) => true,
        }
    }

    pub(super) fn unit_speaks(&self, unit: &Unit, language: &Language) -> bool {
        let variant = self.variant(unit);
        if variant.hosts.is_empty() {
            std::ptr::eq(variant.language, language)
        } else {
            variant.hosts.iter().any(|h| std::ptr::eq(h.language, language))
        }
    }

    pub(super) fn variant(&self, unit: &Unit) -> &Variant {
        &self.rules[unit.rule].variants[unit.variant]
    }
}

/// Makes what each rule is include its follow-ups: their answers are part of its own, and what
/// one of them wants a person for, it wants one for. The languages of those that look at whole
/// workspaces.
fn follows(rules: &mut [Rule]) -> Vec<String> {
    let numbers: HashMap<String, usize> = rules.iter().enumerate().map(|(at, rule)| (rule.id.clone(), at)).collect();
    let next = |rule: &Rule| -> Vec<usize> {
        rule.follow_ups.iter().flat_map(|follow| &follow.rules).filter_map(|id| numbers.get(id).copied()).collect()
    };
    let mut wide: BTreeSet<usize> = BTreeSet::new();
    for follow in rules.iter().flat_map(|rule| &rule.follow_ups).filter(|follow| follow.scope == Scope::Workspace) {
        wide.extend(follow.rules.iter().filter_map(|id| numbers.get(id)));
    }
    let reached: Vec<BTreeSet<usize>> = (0..rules.len())
        .map(|from| {
            let (mut seen, mut pending) = (BTreeSet::new(), next(&rules[from]));
            while let Some(one) = pending.pop() {
                if seen.insert(one) {
                    pending.extend(next(&rules[one]));
                }
            }
            seen
        })
        .collect();
    let own: Vec<(Digest, Safety)> = rules.iter().map(|rule| (rule.identity, rule.safety)).collect();
    for (rule, reached) in rules.iter_mut().zip(reached).filter(|(_, reached)| !reached.is_empty()) {
        let identity = DigestBuilder::new("gander.followed").field(rule.identity.as_bytes());
        rule.identity =
            reached.iter().fold(identity, |identity, other| identity.field(own[*other].0.as_bytes())).finish();
        if reached.iter().any(|other| own[*other].1 == Safety::Review) {
            rule.safety = Safety::Review;
        }
    }
    let languages = wide.into_iter().flat_map(|rule| &rules[rule].variants);
    let names: BTreeSet<String> = languages.map(|variant| variant.language.facts.name.clone()).collect();
    names.into_iter().collect()
}

/// What a file must hold for the rule to match in it; without the hosts, what the
/// matched text itself speaks of.
fn required(variant: &Variant, hosts: bool) -> Vec<Clause> {
    let fold = variant.language.facts.case_insensitive;
    let mut clauses = variant.find.required(variant.language);
    // An empty list fulfils every condition.
    let lists = variant.find.lists();
    for (_, condition) in variant.conditions.iter().filter(|(name, _)| !lists.contains(name)) {
        clauses.extend(condition.required(variant.language));
    }
    for context in variant.context.iter().filter(|context| context.side.wants()) {
        clauses.extend(context.sought.required(variant.language));
    }
    // Escapes of the literals that the code lies in hide what they stand for.
    for clause in &mut clauses {
        let hidden: BTreeSet<String> = variant.hosts.iter().flat_map(|h| escapes(h.language, &clause.texts)).collect();
        *clause = Clause::of(clause.texts.drain(..).chain(hidden), clause.fold);
    }
    // Where code is embedded, one of the hosts must be there.
    if hosts && !variant.hosts.is_empty() {
        clauses.extend(Clause::either(variant.hosts.iter().map(|h| h.matcher.required(h.language))));
    }
    if hosts {
        clauses.extend(variant.file_has.iter().map(|text| Clause::one(text.clone(), fold)));
    }
    clauses.sort();
    clauses.dedup();
    clauses
}
