//! Parts of queries in the texts of code: what may be put behind a query, in its own file or in another one.
//!
//! Must not: read a query.

use std::collections::BTreeSet;
use std::ops::Range;

use super::hold;
use crate::dataset::Datasets;
use crate::dataset::decide::{Fate, Reason};
use crate::dataset::elsewhere::Seen;
use crate::dataset::file::{Around, Decided};
use crate::dataset::given;
use crate::dataset::replace;
use crate::dataset::text::{self, Placeholders};
use crate::dataset::usage::{Of, Unit};
use crate::dataset::visible;
use crate::dataset::word::{each, is_word};
use crate::tree::{Node, Tree, is_text};

/// What begins a part of a query that is put behind another.
const PARTS: [&str; 22] = [
    "where", "and", "or", "on", "from", "join", "left", "right", "inner", "full", "cross", "group", "order", "having",
    "select", "union", "set", "qualify", "limit", "not", "case", "window",
];

/// Holds the queries in texts of code that parts may be put behind which nobody has read: a
/// text that begins like a part of a query and names a column that changes.
pub(in crate::dataset) fn hold_what_grows(tree: &Tree, datasets: &Datasets, units: &mut [Decided]) {
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
        let part = is_part(node.text(), &moving, datasets) || pieces.has(node);
        let named = part || open && given::is_given(node, datasets);
        if !named {
            continue;
        }
        // A name alone goes only where something is put in.
        let may = |one: &Decided| part || given::takes_values(tree, one);
        for (at, word) in each(node.text()) {
            let range = node.range().start + at..node.range().start + at + word.len();
            for dataset in &moving {
                let mapping = &datasets.mappings[*dataset];
                let changes = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept());
                let Some(column) = changes.filter(|_| !inside(&range, units)) else { continue };
                let name = &mapping.columns[column].name;
                let why = format!("{name} is named in a text that may be put behind a query of this file");
                hold(units, (*dataset, column), &range, &why, may);
            }
        }
    }
}

/// Parts of queries in the texts of a file: the dataset, a column of it that changes, and the
/// line. A query of its own is none, and neither is a text that begins like none. What has a name
/// put in may be a part of any.
pub(in crate::dataset) fn parts(tree: &Tree, datasets: &Datasets) -> Vec<(usize, String, u32)> {
    let all: BTreeSet<usize> = (0..datasets.mappings.len()).collect();
    let texts = || tree.iter().filter(|node| tree.language.is_string(node.kind_id()));
    let pieces = Pieces::of(tree, datasets);
    let mut found = Vec::new();
    for node in texts() {
        let whole = node.ancestors().take_while(|up| is_text(*up)).last().unwrap_or(node);
        let own = is_query(opened(whole.text()).trim_start_matches(|c: char| !c.is_alphanumeric()));
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
        let beside = texts.into_iter().any(|node| JOINERS.contains(&given::bare(node).to_lowercase().as_str()));
        Self { datasets, beside }
    }

    fn has(&self, node: Node<'_>) -> bool {
        let name = given::bare(node);
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
pub(in crate::dataset) fn hold_what_others_have(tree: &Tree, around: &Around, units: &mut [Decided]) {
    let Some((path, elsewhere)) = &around.elsewhere else { return };
    for one in units.iter_mut().filter(|one| matches!(one.fate, Fate::Mapped(_))) {
        let Some(first) = one.unit.uses.first().map(|first| first.range.clone()) else { continue };
        let Some(text) = given::text_around(tree, one) else { continue };
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
            let inside = given::text_around(tree, one).is_some();
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
    begins && named && !is_query(&part) || ALONE.contains(&part.as_str())
}

/// A text without what opens it: `f"""`; one without quotes is what it is.
fn opened(text: &str) -> &str {
    let marks = text.trim_start_matches(|c: char| c.is_alphabetic());
    let inner = marks.trim_start_matches(['"', '\'', '`']);
    if inner.len() < marks.len() { inner } else { text }
}

/// Whether a text begins a query of its own.
pub(super) fn is_query(text: &str) -> bool {
    let end = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    ["select", "with"].iter().any(|word| first.eq_ignore_ascii_case(word)) && rest.starts_with(char::is_whitespace)
}

/// Whether what is put in behind this is a name: no value stands there.
fn is_name_put_in(before: &str) -> bool {
    if given::is_quoted(before) {
        return false;
    }
    let before = before.trim_end().to_lowercase();
    let values = ["=", "<", ">", " like", " limit", " offset", " between", " in", " in (", " in("];
    let limit = ["limit", "offset"].contains(&before.trim());
    !limit && !values.iter().any(|value| before.ends_with(value)) && !before.ends_with('@')
}

/// Whether a text may stand behind a query: it begins as a part of one does, or it compares
/// a column that changes; what is put in before that may be the query.
fn is_part(text: &str, moving: &BTreeSet<usize>, datasets: &Datasets) -> bool {
    let text = match opened(text).trim_start() {
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
