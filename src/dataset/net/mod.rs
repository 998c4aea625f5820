//! The net under everything else: places that name a dataset or a column and that nobody
//! has read. They are told, and what rests on them stays.
//!
//! Must not: read code; it only looks for names that are left.

mod beside;
mod grown;

use std::ops::Range;

pub(super) use beside::{hold_what_code_adds, hold_what_stands_beside};
pub(super) use grown::{hold_what_grows, hold_what_others_have, parts};

use super::Datasets;
use super::decide::{Fate, Reason};
use super::file::Decided;
use super::last;
use super::mapping::{Position, System};
use super::usage::{Doubt, Form, Of, Unit, Use};
use super::visible;
use super::word::{alone, is_word};
use crate::tree::{Node, Tree, is_text};

/// What may stand between the parts of a name, besides dots.
const BETWEEN: [char; 10] = ['.', ':', '`', '\'', '"', ',', ' ', '[', ']', '\\'];
/// Most of it.
const MOST_BETWEEN: usize = 8;

/// Units for the names of datasets that none of `known` holds: in configuration anywhere,
/// in code in texts, in SQL outside of them. Comments name what they like.
pub(super) fn unread(tree: &Tree, datasets: &Datasets, known: &[&Unit]) -> Vec<Unit> {
    let text = tree.text();
    let sql = tree.language.facts.name == "sql";
    let data = matches!(tree.language.facts.name.as_str(), "yaml" | "json");
    let mut found: Vec<Unit> = Vec::new();
    for (dataset, mapping) in datasets.mappings.iter().enumerate() {
        for name in mapping.names.iter().filter(|name| matches!(name.system, System::Table | System::DbtSource)) {
            let mut back = name.old.rsplit('.');
            let (Some(last), Some(of), project) = (back.next(), back.next(), back.next()) else { continue };
            for word in alone(text, last.split('*').next().unwrap_or(last), last.contains('*')) {
                let told = is_told(known.iter().copied().chain(&found), &word);
                // A source has no project: elsewhere the table's name tells.
                let elsewhere = name.system == System::DbtSource && !is_source_call(&text[..word.start], of);
                if told || elsewhere || !is_qualified(&text[..word.start], of, project) {
                    continue;
                }
                let around = || {
                    let node = tree.last_from(word.start);
                    std::iter::once(node).chain(node.ancestors())
                };
                let holds =
                    |node: &Node<'_>| node.local_range().start <= word.start && word.end <= node.local_range().end;
                // Templates in SQL are extras, too.
                let comment = around().any(|node| holds(&node) && node.is_extra() && node.kind().contains("comment"));
                // A text of SQL is a value, in code it may be a query.
                let in_text = around().any(|node| holds(&node) && is_text(node));
                let template = || around().any(|node| holds(&node) && node.kind().starts_with("jinja"));
                // `analytics.users_v1` in code is hardly anything else.
                let member = || !sql && text[..word.start].ends_with(&format!("{of}."));
                let named = in_text != sql
                    || !in_text && member()
                    || sql && (template() || is_source_call(&text[..word.start], of));
                // A text that is a statement of its own says something to people.
                let comment = comment || around().any(|node| holds(&node) && visible::is_said(node));
                if comment || !data && !named {
                    continue;
                }
                let told =
                    Use { range: word.clone(), dataset, of: Of::Dataset, position: Position::Read, form: Form::Told };
                let doubt = Doubt::open(word.clone(), "the dataset is named here in a way that is not understood");
                found.push(Unit { range: word, uses: vec![told], doubts: vec![doubt], ..Unit::default() });
            }
        }
    }
    if sql {
        for unit in last::behind_holes(tree, datasets) {
            if !is_told(known.iter().copied().chain(&found), &unit.range) {
                found.push(unit);
            }
        }
    }
    if matches!(tree.language.facts.name.as_str(), "kotlin") {
        found.extend(classes(tree, datasets));
    }
    found.sort_by_key(|unit| unit.range.start);
    found
}

/// Whether a place is a use of one of these.
fn is_told<'u>(units: impl IntoIterator<Item = &'u Unit>, range: &Range<usize>) -> bool {
    let meets = |one: &Use| one.range.start < range.end && range.start < one.range.end;
    units.into_iter().any(|unit| unit.uses.iter().any(meets))
}

/// Generated classes in a language of which no values are followed: where they are named, and
/// what may be read of them.
fn classes(tree: &Tree, datasets: &Datasets) -> Vec<Unit> {
    let mut found = Vec::new();
    let leaves = || tree.iter().filter(|node| node.is_leaf() && node.kind().contains("identifier"));
    for (dataset, mapping) in datasets.mappings.iter().enumerate() {
        for name in mapping.names(System::Type) {
            let (of, last) = name.old.rsplit_once('.').unwrap_or(("", &name.old));
            // By its full name, by a wildcard, or from its own package.
            if !tree.text().contains(of) {
                continue;
            }
            let told = |node: Node<'_>, of: Of| Use {
                range: node.range(),
                dataset,
                of,
                position: Position::Read,
                form: Form::Told,
            };
            let mut uses: Vec<Use> =
                leaves().filter(|node| node.text() == last).map(|node| told(node, Of::Dataset)).collect();
            let Some(first) = uses.first().map(|one| one.range.clone()) else { continue };
            for node in leaves() {
                let word = node.text().replace('_', "");
                let accessed = ["get", "set"].iter().find_map(|verb| word.strip_prefix(verb)).unwrap_or(&word);
                let reads = |column: &super::mapping::Column| {
                    let name = column.name.replace('_', "");
                    !column.is_kept() && (name.eq_ignore_ascii_case(&word) || name.eq_ignore_ascii_case(accessed))
                };
                let column = mapping.columns.iter().position(reads);
                uses.extend(column.map(|column| told(node, Of::Column(column))));
            }
            uses.sort_by_key(|one| (one.range.start, one.range.end));
            let why = "values are not followed in this language, and a class of the dataset is named";
            let doubts = vec![Doubt::annotate(first, why)];
            found.push(Unit { range: 0..tree.text().len(), uses, doubts, ..Unit::default() });
        }
    }
    found
}

/// Whether what stands before a name of a table is `source('of', '`.
fn is_source_call(before: &str, of: &str) -> bool {
    let call = before.rfind("source(").map(|at| &before[at + "source(".len()..]);
    call.is_some_and(|call| call.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | ',')) == of)
}

/// Whether what stands before the last part of a name is the part before it, and no other
/// project's.
fn is_qualified(before: &str, of: &str, project: Option<&str>) -> bool {
    let rest = before.trim_end_matches(BETWEEN);
    let between = before.len() - rest.len();
    let Some(head) = rest.len().checked_sub(of.len()).and_then(|at| rest.get(at..).map(|end| (at, end))) else {
        return false;
    };
    let (at, end) = head;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if between == 0 || between > MOST_BETWEEN || !end.eq_ignore_ascii_case(of) || before[..at].ends_with(is_word) {
        return false;
    }
    let Some(front) = before[..at].strip_suffix(['.', ':']) else { return true };
    let front = front.trim_end_matches(['`', '"']);
    let start = front.trim_end_matches(is_name).len();
    let named = &front[start..];
    // What is put in at run time may be any project.
    named.is_empty()
        || front[..start].ends_with(['$', '@'])
        || project.is_none_or(|project| project.eq_ignore_ascii_case(named))
}

/// Leaves the queries over a dataset that may have to do with a place which names a column of it.
fn hold(
    units: &mut [Decided],
    (dataset, column): (usize, usize),
    range: &Range<usize>,
    why: &str,
    may: impl Fn(&Decided) -> bool,
) {
    let told =
        Use { range: range.clone(), dataset, of: Of::Column(column), position: Position::Read, form: Form::Told };
    let mut first = true;
    for one in units {
        let query = one.unit.uses.iter().any(|one| one.of == Of::Dataset && one.dataset == dataset);
        if !query || !matches!(one.fate, Fate::Mapped(_)) || !may(one) {
            continue;
        }
        let own = one.unit.uses.first().map_or(0..0, |one| one.range.clone());
        let range = if std::mem::take(&mut first) {
            one.unit.uses.push(told.clone());
            one.unit.uses.sort_by_key(|one| (one.range.start, one.range.end));
            range.clone()
        } else {
            own
        };
        one.fate = Fate::Annotated(Reason { range, why: why.to_owned() });
    }
}
