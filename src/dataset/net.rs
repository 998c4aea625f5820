//! The net under everything else: places that name a dataset or a column and that nobody
//! has read. They are told, and what rests on them stays.
//!
//! Must not: read code; it only looks for names that are left.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Datasets;
use super::decide::{Fate, Reason};
use super::elsewhere::Seen;
use super::file::{Around, Decided};
use super::given;
use super::last;
use super::mapping::{Position, System, held_as_it_goes_on};
use super::replace;
use super::text::{self, Placeholders};
use super::usage::{Doubt, Form, Of, Unit, Use};
use super::visible;
use super::word::{each, is_word};
use crate::tree::{Node, Tree, is_text};

/// What may stand between the parts of a name, besides dots.
const BETWEEN: [char; 10] = ['.', ':', '`', '\'', '"', ',', ' ', '[', ']', '\\'];
/// Most of it.
const MOST_BETWEEN: usize = 8;

/// What begins a part of a query that is put behind another.
const PARTS: [&str; 22] = [
    "where", "and", "or", "on", "from", "join", "left", "right", "inner", "full", "cross", "group", "order", "having",
    "select", "union", "set", "qualify", "limit", "not", "case", "window",
];

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
            for word in places(text, last.split('*').next().unwrap_or(last), last.contains('*')) {
                let held = |range: &Range<usize>| range.start < word.end && word.start < range.end;
                let read = known.iter().any(|unit| unit.uses.iter().any(|one| held(&one.range)));
                let told = found.iter().any(|unit| held(&unit.range));
                // A source has no project: elsewhere the table's name tells.
                let elsewhere = name.system == System::DbtSource && !is_source_call(&text[..word.start], of);
                if read || told || elsewhere || !is_qualified(&text[..word.start], of, project) {
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
        let held = |range: &Range<usize>, found: &[Unit]| {
            let holds =
                |unit: &&Unit| unit.uses.iter().any(|one| one.range.start < range.end && range.start < one.range.end);
            known.iter().copied().chain(found).any(|unit| holds(&unit))
        };
        let behind = last::behind_holes(tree, datasets);
        let more: Vec<Unit> = behind.into_iter().filter(|unit| !held(&unit.range, &found)).collect();
        found.extend(more);
    }
    if matches!(tree.language.facts.name.as_str(), "kotlin") {
        found.extend(classes(tree, datasets));
    }
    found.sort_by_key(|unit| unit.range.start);
    found
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

/// Where a word stands alone, whatever its case; one that goes on may end anywhere.
fn places(text: &str, word: &str, goes_on: bool) -> Vec<Range<usize>> {
    if word.is_empty() {
        return Vec::new();
    }
    // Letters that are no ASCII stay as they are, so that places are those of the text.
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let all = lower.match_indices(word.as_str()).map(|(at, found)| at..at + found.len());
    all.filter(|range| {
        let after = text[range.end..].starts_with(is_word);
        !text[..range.start].ends_with(is_word) && (goes_on || !after)
    })
    .collect()
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

/// Holds the queries in texts of code that parts may be put behind which nobody has read: a
/// text that begins like a part of a query and names a column that changes.
pub(super) fn hold_what_grows(tree: &Tree, datasets: &Datasets, units: &mut [Decided]) {
    let moving: BTreeSet<usize> = units
        .iter()
        .filter(|one| matches!(one.fate, Fate::Mapped(_)))
        .flat_map(|one| one.unit.uses.iter().filter(|one| one.of == Of::Dataset).map(|one| one.dataset))
        .collect();
    if moving.is_empty() {
        return;
    }
    let inside = |range: &Range<usize>, units: &[Decided]| {
        let holds = |unit: &Unit| {
            let uses = unit.uses.iter().any(|one| one.range.start < range.end && range.start < one.range.end);
            uses || unit.range.start <= range.start
                && range.end <= unit.range.end
                && unit.range.len() < tree.text().len()
        };
        units.iter().any(|one| holds(&one.unit))
    };
    hold_what_names_grow(tree, &moving, units);
    let pieces = Pieces::of(tree, datasets);
    let open = units.iter().any(|one| matches!(one.fate, Fate::Mapped(_)) && given::takes_values(tree, one));
    let texts = tree.iter().filter(|node| tree.language.is_string(node.kind_id()));
    for node in texts {
        let given = open && given::is_given(node, datasets);
        if !is_part(node.text(), &moving, datasets) && !pieces.has(node) && !given {
            continue;
        }
        for (at, word) in each(node.text()) {
            let range = node.range().start + at..node.range().start + at + word.len();
            for dataset in &moving {
                let mapping = &datasets.mappings[*dataset];
                let changes = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept());
                let Some(column) = changes.filter(|_| !inside(&range, units)) else { continue };
                let name = &mapping.columns[column].name;
                let why = format!("{name} is named in a text that may be put behind a query of this file");
                hold(units, *dataset, column, &range, &why);
            }
        }
    }
}

/// Parts of queries in the texts of a file: the dataset, a column of it that changes, and the
/// line. A query of its own is none, and neither is a text that begins like none. What has a name
/// put in may be a part of any.
pub(super) fn parts(tree: &Tree, datasets: &Datasets) -> Vec<(usize, String, u32)> {
    let all: BTreeSet<usize> = (0..datasets.mappings.len()).collect();
    let texts = || tree.iter().filter(|node| tree.language.is_string(node.kind_id()));
    let pieces = Pieces::of(tree, datasets);
    let mut found = Vec::new();
    for node in texts() {
        let whole = node.ancestors().take_while(|up| is_text(*up)).last().unwrap_or(node);
        let begins = whole.text().trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let own = begins.starts_with("select ") || begins.starts_with("with ");
        if (own || !is_part(node.text(), &all, datasets)) && !replace::is_argument(node) && !pieces.has(node) {
            continue;
        }
        for (_, word) in each(node.text()) {
            for (dataset, mapping) in datasets.mappings.iter().enumerate() {
                let changes = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept());
                found.extend(
                    changes.map(|column| (dataset, mapping.columns[column].name.clone(), node.line_column().0)),
                );
            }
        }
    }
    let open = texts().find(|node| text::read(*node, Placeholders::Any, false).is_some_and(|read| grows(&read)));
    let open =
        open.into_iter().flat_map(|node| all.iter().map(move |one| (*one, ANY.to_owned(), node.line_column().0)));
    found.extend(open);
    found
}

/// Words of SQL that a text alone is where a query is put together of pieces.
const JOINERS: [&str; 6] = ["where", "and", "or", "having", "order by", "group by"];

/// Names of columns alone, of which a part may be put together: `" ".join([QUERY, "and", "c", "= 1"])`,
/// `QUERY + filters({"c": 1})`.
struct Pieces<'a> {
    datasets: &'a Datasets,
    /// Whether a text of the file is a word of SQL alone.
    beside: bool,
}

impl<'a> Pieces<'a> {
    fn of(tree: &Tree, datasets: &'a Datasets) -> Self {
        let texts = tree.iter().filter(|node| tree.language.is_string(node.kind_id()));
        let beside = texts.into_iter().any(|node| JOINERS.contains(&Self::bare(node).as_str()));
        Self { datasets, beside }
    }

    fn bare(node: Node<'_>) -> String {
        node.text().trim_matches(|c: char| !is_word(c)).to_lowercase()
    }

    fn has(&self, node: Node<'_>) -> bool {
        let name = Self::bare(node);
        self.datasets.mappings.iter().any(|mapping| mapping.index(&name, true).is_some())
            && (self.beside || is_added(node))
    }
}

/// What a part names into which a name is put at run time.
const ANY: &str = "any column";

/// Whether a text goes into another one, in a call or by itself: `QUERY + filters({"c": 1})`. A key
/// that is read by does not.
fn is_added(node: Node<'_>) -> bool {
    for up in node.ancestors().take(12) {
        let kind = up.kind();
        let called = || {
            let function = up.field("function").or_else(|| up.field("name")).map_or("", |node| node.text());
            function.rsplit(|c: char| !is_word(c)).next().unwrap_or("").to_owned()
        };
        match kind {
            _ if kind.contains("subscript") || kind.contains("index") || kind.ends_with("statement") => return false,
            _ if kind.contains("interpolation") || kind.contains("substitution") => return true,
            "binary_operator" | "binary_expression" | "infix_expression" | "additive_expression" => {
                let words = ["==", "!=", "===", "and", "or", "&&", "||"];
                return up.children().any(|child| child.text() == "+" || child.text() == "++")
                    && !up.children().any(|child| words.contains(&child.text()));
            }
            _ if kind.contains("call") || kind == "method_invocation" => {
                let called = called();
                if called.starts_with("get") || called == "print" {
                    return false;
                }
                if matches!(called.as_str(), "join" | "format" | "concat" | "append" | "format_map") {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Holds the queries in texts of code that another file may put a part behind, or change.
pub(super) fn hold_what_others_have(tree: &Tree, around: &Around, units: &mut [Decided]) {
    let Some((path, elsewhere)) = &around.elsewhere else { return };
    for one in units.iter_mut().filter(|one| matches!(one.fate, Fate::Mapped(_))) {
        let Some(first) = one.unit.uses.first().map(|first| first.range.clone()) else { continue };
        let node = tree.last_from(first.start);
        let Some(text) = std::iter::once(node).chain(node.ancestors()).filter(|node| is_text(*node)).last() else {
            continue;
        };
        let datasets: BTreeSet<usize> = one.unit.uses.iter().map(|one| one.dataset).collect();
        let mut names = visible::carried(text);
        let open = given::is_open(text);
        if datasets.iter().any(|dataset| elsewhere.has_parts(path, *dataset, open)) {
            names.extend(visible::held_by(tree, &replace::carried_on(text)));
        }
        let handed = || handed_a_part(text, around, &datasets);
        let why = names.iter().find_map(|(name, seen)| {
            let part = |dataset: &usize| elsewhere.part(path, name, seen, *dataset, open);
            let grown = || {
                let (column, place) = datasets.iter().find_map(part)?;
                Some(format!("{place} can reach {name}, and may put a part behind this query that names {column}"))
            };
            let changed = || {
                let place = elsewhere.change(path, name, seen)?;
                Some(format!("{place} speaks of {name}, and replaces something in it"))
            };
            grown().or_else(changed)
        });
        let why = why.or_else(handed);
        if let Some(why) = why {
            one.fate = Fate::Annotated(Reason { range: first, why });
        }
    }
}

/// Why what other files hand to a function of this one may be put behind a text: the function
/// has to do with it, others speak of the function, and they, or who reaches them, have a part.
fn handed_a_part(text: Node<'_>, around: &Around, datasets: &BTreeSet<usize>) -> Option<String> {
    let (path, elsewhere) = around.elsewhere.as_ref()?;
    let open = given::is_open(text);
    if !datasets.iter().any(|dataset| elsewhere.has_parts(path, *dataset, open)) {
        return None;
    }
    let names = replace::carried_on(text);
    let speaks = |node: Node<'_>| {
        let mut leaves = node.descendants().filter(|below| below.is_leaf() && below.kind().contains("identifier"));
        node.contains(text) || leaves.any(|leaf| names.contains(leaf.text()))
    };
    let functions = text.tree().iter().filter(|node| visible::is_function(*node));
    let mut named = functions.filter_map(|node| Some((node, node.field("name")?))).filter(|(node, _)| speaks(*node));
    named.find_map(|(node, name)| {
        let name = name.text();
        let seen = visible::seen(node, name);
        around.spoken(name, &seen)?;
        let part = |dataset: &usize| {
            let own = elsewhere.part(path, name, &seen, *dataset, open);
            own.or_else(|| elsewhere.part(path, name, &Seen::ImportedAs, *dataset, open))
        };
        let (column, place) = datasets.iter().find_map(part)?;
        Some(format!(
            "{name} is spoken of elsewhere, and may be handed the part of a query at {place}, which names {column}"
        ))
    })
}

/// Clauses whose first word alone is put behind a query: what follows may be any name.
const ALONE: [&str; 4] = ["where", "order by", "group by", "having"];

/// Holds the queries that a part may be put behind into which a name is put at run time.
fn hold_what_names_grow(tree: &Tree, moving: &BTreeSet<usize>, units: &mut [Decided]) {
    let mut until = 0;
    for node in tree.iter() {
        if node.id.0 < until || !is_text(node) {
            continue;
        }
        let Some(read) = text::read(node, Placeholders::Any, false) else { continue };
        until = node.id.0 + node.subtree_len() as u32;
        if !grows(&read) {
            continue;
        }
        let why = "a part into which a name is put at run time may be put behind a query of this file";
        for one in units.iter_mut().filter(|one| matches!(one.fate, Fate::Mapped(_))) {
            let query = one.unit.uses.iter().any(|one| one.of == Of::Dataset && moving.contains(&one.dataset));
            let range = one.unit.uses.first().map_or(0..0, |one| one.range.clone());
            let text = std::iter::once(tree.last_from(range.start)).chain(tree.last_from(range.start).ancestors());
            let inside = text.into_iter().any(is_text);
            let same = node.range().start <= range.start && range.end <= node.range().end;
            if query && inside && !same {
                one.fate = Fate::Annotated(Reason { range, why: why.to_owned() });
            }
        }
    }
}

/// Whether a text is a part of a query into which a name is put, or may be.
fn grows(read: &text::Text) -> bool {
    let first = match read.holes.first() {
        // `{q} where {column} = 1`: the query itself.
        Some(hole) if read.masked[..hole.start].trim().is_empty() => hole.end,
        _ => 0,
    };
    let part = read.masked[first..].trim().to_lowercase();
    let begins =
        PARTS.iter().any(|word| part.strip_prefix(word).is_some_and(|rest| rest.starts_with(char::is_whitespace)));
    let named =
        read.holes.iter().filter(|hole| hole.start > first).any(|hole| is_name_put_in(&read.masked[..hole.start]));
    begins && named && !part.starts_with("select ") || ALONE.contains(&part.as_str())
}

/// Whether what is put in behind this is a name: no value stands there.
fn is_name_put_in(before: &str) -> bool {
    if !before.matches('\'').count().is_multiple_of(2) || !before.matches('"').count().is_multiple_of(2) {
        return false;
    }
    let before = before.trim_end().to_lowercase();
    let values = ["=", "<", ">", " like", " limit", " offset", " between", " in", " in (", " in("];
    let limit = ["limit", "offset"].contains(&before.trim());
    !limit && !values.iter().any(|value| before.ends_with(value)) && !before.ends_with('@')
}

/// Keys of configuration whose values are for people, or name what stands there.
const PROSE: [&str; 14] = [
    "description",
    "doc",
    "docs",
    "comment",
    "title",
    "summary",
    "note",
    "notes",
    "$comment",
    "name",
    "labels",
    "tags",
    "id",
    "owner",
];

/// Holds the queries of a file of configuration beside which a column that changes is named: a
/// filter, a list of columns, a key.
pub(super) fn hold_what_stands_beside(tree: &Tree, datasets: &Datasets, units: &mut [Decided]) {
    let moves = |one: &Decided| matches!(one.fate, Fate::Mapped(_));
    let moving: BTreeSet<usize> =
        units.iter().filter(|one| moves(one)).flat_map(|one| one.unit.uses.iter().map(|one| one.dataset)).collect();
    if moving.is_empty() {
        return;
    }
    let held = |range: &Range<usize>| {
        let within =
            |unit: &Unit| unit.uses.iter().any(|one| one.range.start < range.end && range.start < one.range.end);
        units.iter().any(|one| {
            within(&one.unit) || one.unit.range.start <= range.start && range.end <= one.unit.range.end && moves(one)
        })
    };
    let prose = |node: Node<'_>| {
        std::iter::once(node).chain(node.ancestors()).take(16).any(|up| {
            let key = up.field("key").map(|key| key.text().trim_matches(['"', '\'']).to_lowercase());
            key.is_some_and(|key| PROSE.contains(&key.as_str()))
        })
    };
    // A query of its own is looked at by itself.
    let is_query = |node: Node<'_>| {
        let begins = node.text().trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        ["select", "with"]
            .iter()
            .any(|word| begins.strip_prefix(word).is_some_and(|rest| rest.starts_with(char::is_whitespace)))
    };
    let mut beside: Vec<(usize, usize, Range<usize>)> = Vec::new();
    for (at, word) in each(tree.text()) {
        let range = at + tree.base()..at + tree.base() + word.len();
        for dataset in &moving {
            let mapping = &datasets.mappings[*dataset];
            let changes = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept());
            let node = || tree.last_from(range.start);
            if let Some(column) = changes.filter(|_| !held(&range))
                && !node().is_extra()
                && !prose(node())
                && !is_query(node())
            {
                beside.push((*dataset, column, range.clone()));
            }
        }
    }
    for (dataset, column, range) in beside {
        let name = &datasets.mappings[dataset].columns[column].name;
        hold(units, dataset, column, &range, &format!("{name} is named beside a query of this file"));
    }
}

/// Holds the queries of a file of SQL or configuration that code reads which has parts of queries, too.
pub(super) fn hold_what_code_adds(around: &Around, units: &mut [Decided]) {
    let Some((path, elsewhere)) = &around.elsewhere else { return };
    for one in units.iter_mut().filter(|one| matches!(one.fate, Fate::Mapped(_))) {
        let Some(first) = one.unit.uses.first().map(|first| first.range.clone()) else { continue };
        let part = one.unit.uses.iter().find_map(|one| elsewhere.part_beside(path, one.dataset));
        if let Some((column, place)) = part {
            let why = format!("code names this file, and may put a part behind the query that names {column}: {place}");
            one.fate = Fate::Annotated(Reason { range: first, why });
            continue;
        }
        let given = one.unit.gives.iter();
        let told =
            given.into_iter().find_map(|(name, column)| Some((name, column, elsewhere.spoken_beside(path, name)?)));
        if let Some((name, column, place)) = told {
            let why = held_as_it_goes_on(column, &format!("code that names this file speaks of {name}: {place}"));
            one.fate = Fate::Annotated(Reason { range: first, why });
        }
    }
}

/// Whether a text may stand behind a query: it begins as a part of one does, or it compares
/// a column that changes; what is put in before that may be the query.
fn is_part(text: &str, moving: &BTreeSet<usize>, datasets: &Datasets) -> bool {
    let opened = text.trim_start_matches(|c: char| c.is_alphabetic()).trim_start_matches(['"', '\'', '`']);
    let text = if opened.is_empty() { text } else { opened };
    let text = match text.trim_start() {
        hole if hole.starts_with(['{', '$', '%']) => {
            let named = hole.trim_start_matches(['$', '%']);
            let end = match named.strip_prefix(['{', '(']) {
                Some(_) => named.find(['}', ')']).map_or(named.len(), |at| at + 1),
                None => named.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(named.len()),
            };
            &named[end..]
        }
        plain => plain,
    };
    let text = text.trim_start_matches(|c: char| !c.is_alphabetic());
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    if PARTS.contains(&first.to_lowercase().as_str()) {
        return rest.contains(char::is_whitespace);
    }
    let column = moving.iter().any(|dataset| datasets.mappings[*dataset].index(first, true).is_some());
    let rest = rest.trim_start().to_lowercase();
    let compares = ["=", "<", ">", "!=", "in ", "in(", "like ", "is ", "between ", "not ", "asc", "desc"];
    column && compares.iter().any(|word| rest.starts_with(word))
}

fn hold(units: &mut [Decided], dataset: usize, column: usize, range: &Range<usize>, why: &str) {
    let told =
        Use { range: range.clone(), dataset, of: Of::Column(column), position: Position::Read, form: Form::Told };
    let mut first = true;
    for one in units {
        let query = one.unit.uses.iter().any(|one| one.of == Of::Dataset && one.dataset == dataset);
        if !query || !matches!(one.fate, Fate::Mapped(_)) {
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
