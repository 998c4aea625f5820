//! Uses of datasets as outcomes: what mapping tables make of a file, beside what rules
//! make of it.
//!
//! Every use ends as an outcome of its own; the edits of a unit hang on its first one, so
//! that they are made all together or not at all. Must not: resolve a name, or decide what
//! becomes of a use; both are `dataset`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use super::engine::{Answer, Failure, File, Outcome, Outcomes};
use super::facts::Facts;
use super::note::{Comment, Note};
use super::prefilter::Clause;
use super::set::Origin;
use crate::dataset::dbt::{ProjectFile, decided};
use crate::dataset::decide::{Fate, Reason};
use crate::dataset::file::{Around, Decided, of_tree, put_in, speaks};
use crate::dataset::mapping::Mapping;
use crate::dataset::search::searched;
use crate::dataset::usage::{Of, Use};
use crate::dataset::{Datasets, Dialects, last_part};
use crate::digest::Digest;
use crate::edit::{Edit, Fragment, Splice, apply};
use crate::tree::{Node, Tree, is_text, line_column, parse};

/// The datasets of a migration, as the engine needs them.
#[derive(Debug)]
pub struct DatasetRules {
    /// The datasets.
    pub datasets: Datasets,
    /// Whose SQL stands where.
    pub dialects: Dialects,
    /// Of all that they were read from.
    pub identity: Digest,
    ids: Vec<String>,
    /// What a file must hold: one of the names' last parts, or what begins like one.
    clauses: Vec<Clause>,
    /// The same, as an automaton; `None` where a file may hold anything.
    may: Option<AhoCorasick>,
    /// Of it the names' last parts alone.
    words: Option<AhoCorasick>,
}

/// What is used: a dataset, or a column of one, and where in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// `users`, `users.country_code`, `users.address.postcode`.
    pub name: String,
    /// As mapping tables call it: `read`, `filter`, `using`, `group`, `write`.
    pub position: &'static str,
    /// Where the outcome stands that decides of this one: line and column.
    pub follows: Option<(u32, u32)>,
    /// Whether a comment of an earlier run speaks of it.
    pub noted: bool,
}

impl DatasetRules {
    /// Derives what a file must hold.
    pub fn new(datasets: Datasets, dialects: Dialects, identity: Digest) -> Self {
        let ids = datasets.mappings.iter().map(|mapping| format!("dataset/{}", mapping.dataset)).collect();
        let words: BTreeSet<String> = datasets.words().map(str::to_owned).collect();
        let tells = !words.is_empty() && words.iter().all(|word| !word.is_empty());
        let build = |clause: &Clause| AhoCorasick::builder().ascii_case_insensitive(true).build(&clause.texts).ok();
        let named = Clause::of(words.iter().cloned(), true);
        let held = Clause::of(words.into_iter().chain(datasets.patterns()), true);
        let (words, may) = if tells { (build(&named), build(&held)) } else { (None, None) };
        let clauses = if tells { vec![held] } else { Vec::new() };
        Self { datasets, dialects, identity, ids, clauses, words, may }
    }

    /// What findings and edits of a dataset are named by: `dataset/users`.
    pub fn id(&self, dataset: usize) -> &str {
        self.ids.get(dataset).map_or("dataset", String::as_str)
    }

    /// The same, of every dataset.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Whether a file may use a dataset, told from its bytes; `false` is certain.
    pub fn may_stand(&self, bytes: &[u8]) -> bool {
        self.may.as_ref().is_none_or(|may| may.is_match(bytes))
    }

    /// What a file must hold.
    pub(super) fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// Where the names' last parts stand as words of their own.
    fn words_in(&self, text: &str) -> Vec<Range<usize>> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let alone = |one: &Range<usize>| {
            let around = text.get(..one.start).zip(text.get(one.end..));
            around.is_some_and(|(before, after)| !before.ends_with(is_word) && !after.starts_with(is_word))
        };
        let found = self.words.iter().flat_map(|words| words.find_overlapping_iter(text));
        found.map(|one| one.start()..one.end()).filter(alone).collect()
    }

    /// The dataset that has a name with this last part; the first, if several have.
    fn of_word(&self, word: &str) -> usize {
        let has = |mapping: &Mapping| mapping.names.iter().any(|name| last_part(&name.old).eq_ignore_ascii_case(word));
        self.datasets.mappings.iter().position(has).unwrap_or(0)
    }

    pub(super) fn subject(&self, one: &Use) -> Subject {
        let mapping = &self.datasets.mappings[one.dataset];
        let dataset = &mapping.dataset;
        let name = match &one.of {
            Of::Dataset => dataset.clone(),
            Of::Column(column) => format!("{dataset}.{}", mapping.columns[*column].name),
            Of::Field(column, field) => {
                let column = &mapping.columns[*column];
                format!("{dataset}.{}.{}", column.name, column.fields[*field].0)
            }
            Of::Unlisted(name) => format!("{dataset}.{name}"),
        };
        Subject { name, position: one.position.word(), follows: None, noted: false }
    }
}

/// The units of a file and what becomes of each; `facts` know what was decided with other
/// files, and what these say of its names.
///
/// # Errors
/// The parser gave up on a text in it.
pub(super) fn units(rules: &DatasetRules, file: File<'_>, facts: &Facts) -> Result<Vec<Decided>, Failure> {
    let tree: &Tree = file.tree;
    let elsewhere = facts.elsewhere(file.path).map(|elsewhere| (file.path.to_owned(), Arc::clone(elsewhere)));
    let around = Around { dialect: rules.dialects.of(file.path), elsewhere, ..Around::default() };
    Ok(match facts.units_of(file.path) {
        Some(units) => {
            let mut units = units.to_vec();
            if speaks(tree.language) && !tree.language.facts.functions.is_empty() {
                told_to_rules(rules, &mut units, of_tree(tree, &rules.datasets, &around)?);
            }
            units
        }
        // A model whose project is not here: nobody knows what declares its sources.
        None if tree.language.facts.name == "sql" && tree.text().contains("{{") => {
            let alone = [ProjectFile { path: file.path, text: tree.text() }];
            let mut units: Vec<Decided> =
                decided(&alone, &rules.datasets, around.dialect)?.into_iter().flatten().collect();
            let more = put_in(tree, &rules.datasets, &around, &units);
            units.extend(more);
            units
        }
        None if speaks(tree.language) => of_tree(tree, &rules.datasets, &around)?,
        None => searched(Path::new(file.path), tree.text(), &rules.datasets),
    })
}

/// Code in the folder of a project moves with the project, which only searches it; rules that alone say what
/// becomes of a dataset see what it is without one.
fn told_to_rules(rules: &DatasetRules, units: &mut Vec<Decided>, alone: Vec<Decided>) {
    let keep = |units: &mut Vec<Decided>, by_rules: bool| {
        units.retain_mut(|one| {
            one.unit.uses.retain(|one| rules.datasets.mappings[one.dataset].by_rules == by_rules);
            !one.unit.uses.is_empty()
        });
    };
    let mut alone = alone;
    keep(&mut alone, true);
    if !alone.is_empty() {
        keep(units, false);
        units.extend(alone);
    }
}

/// Every use of a dataset in a file, and what becomes of it.
///
/// # Errors
/// The parser gave up on a text in it.
pub(super) fn outcomes(
    rules: &DatasetRules,
    file: File<'_>,
    units: Vec<Decided>,
    guide: Option<&str>,
) -> Result<Outcomes, Failure> {
    let tree: &Tree = file.tree;
    let mut found = Found::new(rules, tree.text(), Some(tree), guide);
    found.units(units);
    found.unreadable();
    found.left();
    found.keep_notes_that_stand(tree)?;
    Ok(found.outcomes)
}

/// The same of a file that no grammar reads: it is searched, and told of.
pub fn outcomes_of_text(rules: &DatasetRules, path: &str, text: &str) -> Outcomes {
    let mut found = Found::new(rules, text, None, None);
    found.units(searched(Path::new(path), text, &rules.datasets));
    found.left();
    found.outcomes
}

struct Found<'f> {
    rules: &'f DatasetRules,
    text: &'f str,
    tree: Option<&'f Tree>,
    guide: Option<&'f str>,
    outcomes: Outcomes,
    /// Places that are accounted for.
    told: BTreeSet<usize>,
    /// Datasets that a statement, by where its comment goes, is annotated for.
    noted: BTreeSet<(usize, usize)>,
}

impl<'f> Found<'f> {
    fn new(rules: &'f DatasetRules, text: &'f str, tree: Option<&'f Tree>, guide: Option<&'f str>) -> Self {
        Self { rules, text, tree, guide, outcomes: Vec::new(), told: BTreeSet::new(), noted: BTreeSet::new() }
    }

    fn place(&self, at: usize) -> (u32, u32) {
        self.tree.map_or_else(|| line_column(self.text, at), |tree| tree.line_column(at))
    }

    fn units(&mut self, units: Vec<Decided>) {
        for (number, mut one) in units.into_iter().enumerate() {
            let words = one.unit.uses.iter().flat_map(|one| one.range.clone());
            self.told.extend(words);
            // What rules alone speak of has no outcome here.
            one.unit.uses.retain(|one| !self.rules.datasets.mappings[one.dataset].by_rules);
            if one.unit.uses.is_empty() {
                continue;
            }
            self.unit(one, number as u32);
        }
    }

    fn push(&mut self, dataset: usize, range: Range<usize>, answer: Answer, subject: Option<Subject>) {
        let (origin, place) = (Origin::Dataset(dataset), self.place(range.start));
        let (imports, files, literal, seeds) = (Vec::new(), Vec::new(), None, Vec::new());
        self.outcomes.push(Outcome { origin, range, place, answer, imports, files, literal, subject, seeds });
    }

    fn unit(&mut self, Decided { unit, fate }: Decided, number: u32) {
        let dataset = unit.uses.first().map_or(0, |one| one.dataset);
        let reason = match fate {
            Fate::Mapped(edits) => return self.mapped(&unit.uses, dataset, edits, number),
            Fate::Annotated(ref reason) | Fate::Refused(ref reason) => reason,
        };
        let refused = matches!(fate, Fate::Refused(_));
        let at = unit.uses.iter().position(|one| one.places().contains(&reason.range));
        // The dataset that the reason speaks of.
        let dataset = at.map_or(dataset, |at| unit.uses[at].dataset);
        let (answer, noted) = if refused {
            (Answer::Refuse(reason.why.clone()), false)
        } else {
            let (comment, noted) = match self.note(dataset, reason, number) {
                Comment::New(edit) => (vec![edit], false),
                Comment::There => (Vec::new(), true),
                Comment::Never => (Vec::new(), false),
            };
            (Answer::Annotate(reason.why.clone(), comment), noted)
        };
        let subject = at.map(|at| Subject { noted, ..self.rules.subject(&unit.uses[at]) });
        self.push(dataset, reason.range.clone(), answer, subject);
        let (line, column) = self.place(reason.range.start);
        for one in unit.uses.iter().enumerate().filter(|(index, _)| Some(*index) != at).map(|(_, one)| one) {
            let why = format!("moves only together with what stands at {line}:{column}");
            let answer = if refused { Answer::Refuse(why) } else { Answer::Annotate(why, Vec::new()) };
            let subject = Subject { follows: Some((line, column)), noted, ..self.rules.subject(one) };
            self.push(one.dataset, one.range.clone(), answer, Some(subject));
        }
    }

    fn mapped(&mut self, uses: &[Use], dataset: usize, edits: Vec<(Range<usize>, String)>, number: u32) {
        let id = self.rules.id(dataset).to_owned();
        let edit = |(range, text): (Range<usize>, String)| {
            let replacement = if text.is_empty() { Vec::new() } else { vec![Fragment::Text(text)] };
            Edit { range, replacement, rule: id.clone(), match_id: number, drops: false }
        };
        let mut edits: Vec<Edit> = edits.into_iter().map(edit).collect();
        for one in uses {
            // All hang on the first use.
            let own = std::mem::take(&mut edits);
            self.push(one.dataset, one.range.clone(), Answer::Edit(own), Some(self.rules.subject(one)));
        }
    }

    /// The comment for a unit that stays; one for each dataset is enough for a statement.
    fn note(&mut self, dataset: usize, reason: &Reason, number: u32) -> Comment {
        let Some(tree) = self.tree else { return Comment::Never };
        let guide = self.rules.datasets.mappings[dataset].guide.as_deref().or(self.guide);
        let note = Note { id: self.rules.id(dataset), guide, message: &reason.why };
        match note.above(anchor(tree, reason.range.start), number) {
            Comment::New(edit) if !self.noted.insert((edit.range.start, dataset)) => Comment::Never,
            comment => comment,
        }
    }

    /// Code that could not be read and that names a dataset; SQL has its own doubts.
    fn unreadable(&mut self) {
        let edited = |tree: &&Tree| tree.language.facts.name != "sql" && speaks(tree.language);
        let Some(tree) = self.tree.filter(edited) else { return };
        let words = self.rules.words_in(self.text);
        for range in tree.unreadable() {
            let by_rules = |word: &&Range<usize>| {
                self.rules.datasets.mappings[self.rules.of_word(&self.text[(*word).clone()])].by_rules
            };
            let mut inside = words.iter().filter(|word| range.contains(&word.start));
            if let Some(word) = inside.find(|word| !by_rules(word)) {
                let name = &tree.language.facts.name;
                let why = format!("this code can't be read as {name}, and it names a dataset that moves");
                self.told.insert(word.start);
                self.push(self.rules.of_word(&self.text[word.clone()]), word.clone(), Answer::Refuse(why), None);
            }
        }
    }

    /// What is left of the old names where nothing is used: each place is told, with what it is.
    fn left(&mut self) {
        for word in self.rules.words_in(self.text) {
            if self.told.contains(&word.start) {
                continue;
            }
            let node = self.tree.map(|tree| tree.last_from(word.start));
            let mut around = node.into_iter().flat_map(|node| std::iter::once(node).chain(node.ancestors()));
            let what = match around.find_map(|node| told_as(node, &word)) {
                Some(what) => what,
                None if node.is_some() => "a name of the code's own",
                None => "in a text that is not code",
            };
            let dataset = self.rules.of_word(&self.text[word.clone()]);
            if self.rules.datasets.mappings[dataset].by_rules {
                continue;
            }
            let answer = Answer::Skip(format!("the old name, left as it is: {what}"));
            self.push(dataset, word, answer, None);
        }
    }

    /// Takes away comments that would be no comments where they stand: then the ledger alone says it.
    fn keep_notes_that_stand(&mut self, tree: &Tree) -> Result<(), Failure> {
        let note = |outcome: &Outcome| match &outcome.answer {
            Answer::Annotate(_, edits) => edits.first().map(|edit| (edit.range.start, written(edit))),
            _ => None,
        };
        let notes: BTreeMap<(usize, String), usize> =
            self.outcomes.iter().enumerate().filter_map(|(index, one)| Some((note(one)?, index))).collect();
        if notes.is_empty() {
            return Ok(());
        }
        let splices: Vec<Splice> =
            notes.keys().map(|(at, text)| Splice { range: *at..*at, text: text.clone() }).collect();
        let new = parse(tree.language, apply(self.text, &splices))?;
        let mut grown = 0;
        for ((at, text), index) in &notes {
            let start = at + grown + text.len() - text.trim_start().len();
            grown += text.len();
            let node = new.last_from(start);
            let mut around = std::iter::once(node).chain(node.ancestors());
            if around.any(|node| node.is_extra() && node.local_range().start == start) {
                continue;
            }
            if let Answer::Annotate(_, edits) = &mut self.outcomes[*index].answer {
                edits.clear();
            }
        }
        Ok(())
    }
}

/// What a word in a node is.
fn told_as(node: Node<'_>, word: &Range<usize>) -> Option<&'static str> {
    let holds = node.local_range().start <= word.start && word.end <= node.local_range().end;
    match holds {
        true if node.is_extra() => Some("in a comment"),
        true if is_ref(node) => Some("a model of the project's own, or one that the mapping does not name"),
        true if is_text(node) && !node.ancestors().take(3).any(is_ref) => Some("in a text that names no table"),
        _ => None,
    }
}

/// `ref('users')` of a template.
fn is_ref(node: Node<'_>) -> bool {
    let called = |node: Node<'_>| node.field("function").is_some_and(|name| name.text().ends_with("ref"));
    node.kind() == "jinja_call" && called(node)
}

/// What stands at a place; of a text, all of it: its lines hold no comments.
fn anchor(tree: &Tree, at: usize) -> Node<'_> {
    let node = tree.last_from(at);
    let texts = std::iter::once(node).chain(node.ancestors());
    texts.filter(|node| is_text(*node) || node.kind() == "block_scalar").last().unwrap_or(node)
}

fn written(edit: &Edit) -> String {
    let text = |fragment: &Fragment| match fragment {
        Fragment::Text(text) => text.clone(),
        Fragment::Copy(_) => String::new(),
    };
    edit.replacement.iter().map(text).collect()
}
