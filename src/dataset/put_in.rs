//! Queries whose table is put in at run time as a whole: `from {dataset}.{table}`. What of the name is written
//! tells which dataset it may be; a query that names a column of it which changes is told, and stays.
//!
//! Must not: follow what is put in, or read a tree.

use std::ops::Range;

use super::Datasets;
use super::mapping::{Mapping, Position, Renamed, System};
use super::names::last_part;
use super::usage::{Doubt, Form, Of, Unit, Use};
use super::word::{alone, each, is_word};

/// Words that a table's name stands behind.
const BEFORE: [&str; 4] = ["from", "join", "into", "update"];
/// Functions whose argument has a `from` of its own.
const FUNCTIONS: [&str; 5] = ["extract", "trim", "substring", "overlay", "position"];
const QUOTES: [char; 5] = ['`', '"', '\'', '[', ']'];
/// Most parts that a name has.
const MOST_PARTS: usize = 3;

/// A part of a name: what is written before and behind what is put in, or all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Part {
    head: String,
    tail: String,
    open: bool,
}

impl Part {
    /// Whether it may be `name`.
    fn may_be(&self, name: &str) -> bool {
        let (head, tail) = (self.head.to_ascii_lowercase(), self.tail.to_ascii_lowercase());
        let name = name.to_ascii_lowercase();
        match self.open {
            true => name.len() >= head.len() + tail.len() && name.starts_with(&head) && name.ends_with(&tail),
            false => name == head,
        }
    }
}

/// The name of a table of which the last part is put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Bytes of the text.
    range: Range<usize>,
    parts: Vec<Part>,
}

impl Table {
    /// Whether it may be this one.
    fn may_be(&self, name: &Renamed) -> bool {
        let pairs = || name.old.rsplit('.').zip(self.parts.iter().rev());
        // A `*` is the end of the old name, and of what is written.
        let last = |old: &str, part: &Part| match old.split_once('*') {
            Some((head, _)) => part.may_be(head) || Part { tail: String::new(), ..part.clone() }.may_be(head),
            None => part.may_be(old),
        };
        name.system == System::Table
            && pairs().take(1).all(|(old, part)| last(old, part))
            && pairs().skip(1).all(|(old, part)| part.may_be(old))
    }
}

/// Tables of a text whose last part is put in; `holes` are bytes of it that are. In a file of SQL the text itself
/// says what is.
pub(super) fn tables(text: &str, holes: &[Range<usize>]) -> Vec<Table> {
    let mut found = Vec::new();
    let mut before = "";
    for (at, word) in each(text) {
        let last = std::mem::replace(&mut before, word);
        let reads = BEFORE.iter().any(|one| one.eq_ignore_ascii_case(word))
            && !last.eq_ignore_ascii_case("distinct")
            && !holes.iter().any(|hole| hole.contains(&at));
        // What is around it is looked at last: that may be long.
        let table = || Name { text, holes, at: at + word.len() }.read();
        found.extend(reads.then(table).flatten().filter(|_| !is_of_a_function(&text[..at])));
    }
    found
}

/// Whether what stands behind this is an argument of `extract(day from …)` or the like.
fn is_of_a_function(before: &str) -> bool {
    let mut open = 0;
    for (at, c) in before.char_indices().rev() {
        match c {
            ')' => open += 1,
            '(' if open == 0 => {
                let called = before[..at].trim_end();
                let start = called.trim_end_matches(is_word).len();
                return FUNCTIONS.iter().any(|one| one.eq_ignore_ascii_case(&called[start..]));
            }
            '(' => open -= 1,
            ';' => return false,
            _ => {}
        }
    }
    false
}

/// A name that is read from left to right.
struct Name<'t> {
    text: &'t str,
    holes: &'t [Range<usize>],
    at: usize,
}

impl Name<'_> {
    fn read(mut self) -> Option<Table> {
        let rest = &self.text[self.at..];
        let start = self.at + rest.len() - rest.trim_start().len();
        if start == self.at {
            return None;
        }
        self.at = start;
        let (mut parts, mut part) = (Vec::new(), Part::default());
        loop {
            let rest = &self.text[self.at..];
            if let Some(end) = self.hole() {
                // `{{ ref('users') }}` says its name.
                let inner = self.text[self.at..end].trim_start_matches(['{', ' ', '-']);
                if inner.starts_with("ref(")
                    || inner.starts_with("source(")
                    || inner.trim_end_matches(['}', ' ']) == "this"
                {
                    return None;
                }
                // What stands between two holes is in neither.
                part.tail.clear();
                (part.open, self.at) = (true, end);
                continue;
            }
            let Some(c) = rest.chars().next() else { break };
            let space = rest.len() - rest.trim_start().len();
            match c {
                '.' | ':' if parts.len() + 1 < MOST_PARTS => parts.push(std::mem::take(&mut part)),
                _ if QUOTES.contains(&c) => {}
                _ if is_word(c) || c == '-' => {
                    if part.open {
                        part.tail.push(c)
                    } else {
                        part.head.push(c)
                    }
                }
                // `"from " + dataset + ".users"`: what joins texts is white space here.
                _ if space > 0 && (rest.trim_start().starts_with('.') || self.text[..self.at].ends_with('.')) => {
                    self.at += space;
                    continue;
                }
                _ => break,
            }
            self.at += c.len_utf8();
        }
        let open = part.open && !self.text[self.at..].starts_with('(');
        parts.push(part);
        open.then_some(Table { range: start..self.at, parts })
    }

    /// Where what is put in here ends.
    fn hole(&self) -> Option<usize> {
        if let Some(hole) = self.holes.iter().find(|hole| hole.contains(&self.at)) {
            return Some(hole.end);
        }
        let rest = &self.text[self.at..];
        let closed = |open: &str, close: &str| {
            let inner = rest.strip_prefix(open)?;
            inner.find(close).map(|end| self.at + open.len() + end + close.len())
        };
        let plain =
            |open: &str, close: &str| closed(open, close).filter(|end| !self.text[self.at..*end].contains('\n'));
        let found = closed("{{", "}}").or_else(|| plain("${", "}")).or_else(|| plain("{", "}"));
        let found = found.or_else(|| plain("%(", ")s")).or_else(|| rest.starts_with("%s").then_some(self.at + 2));
        found.or_else(|| {
            let name = rest.strip_prefix('$')?;
            let end = name.find(|c: char| !is_word(c)).unwrap_or(name.len());
            (end > 0).then_some(self.at + 1 + end)
        })
    }
}

/// A unit for each dataset that a table of a query may be, and of which a column that changes is named; `start` is
/// where the query begins in the file, `loose` what is named beside it and may come of its star, and `named` where
/// the consumer names a dataset: a query may be any table's in one that does not.
pub(super) fn units(
    (start, query): (usize, &str),
    tables: &[Table],
    datasets: &Datasets,
    loose: &dyn Fn(usize) -> Vec<Use>,
    named: &dyn Fn(usize) -> Option<String>,
) -> Vec<Unit> {
    let mut found = Vec::new();
    for (dataset, mapping) in datasets.mappings.iter().enumerate() {
        let may_be = |table: &&Table| mapping.names.iter().any(|name| table.may_be(name));
        let (Some(table), Some(place)) = (tables.iter().find(may_be), named(dataset)) else { continue };
        let mut uses: Vec<Use> = each(query)
            .filter(|(at, word)| !query[at + word.len()..].starts_with('('))
            .filter_map(|(at, word)| {
                let column = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept())?;
                Some(told(start + at..start + at + word.len(), dataset, Of::Column(column)))
            })
            .collect();
        if uses.is_empty() && has_star(query) {
            uses = loose(dataset);
        }
        let Some(Of::Column(column)) = uses.first().map(|one| one.of.clone()) else { continue };
        let range = start + table.range.start..start + table.range.end;
        let why = format!(
            "which table is read is put in at run time; where it is {}, which {place}, {} changes",
            mapping.dataset, mapping.columns[column].name
        );
        uses.push(told(range.clone(), dataset, Of::Dataset));
        uses.sort_by_key(|one| (one.range.start, one.range.end));
        let doubts = vec![Doubt::open(range.clone(), why)];
        found.push(Unit { range: start..start + query.len(), uses, doubts, ..Unit::default() });
    }
    found
}

/// Where a text has the name of a dataset first that may be put into a query, in bytes: as a value, not as the table
/// of a query of its own, and not in prose.
pub(super) fn spoken(text: &str, mapping: &Mapping) -> Option<usize> {
    let tables = mapping.names.iter().filter(|name| name.system == System::Table);
    let first = |name: &Renamed| {
        let mut places = alone(text, last_part(&name.old), name.old.contains('*')).into_iter();
        places.find(|place| is_a_value(text, place, &name.old)).map(|place| place.start)
    };
    tables.filter_map(first).min()
}

/// Shortest name that tells by itself, where it holds a digit, in bytes.
const MIN_TELLING: usize = 4;

/// Whether a name at `place` may go from there into a query.
fn is_a_value(text: &str, place: &Range<usize>, old: &str) -> bool {
    let line = &text[text[..place.start].rfind('\n').map_or(0, |end| end + 1)..place.start];
    if line.trim_start().starts_with("--") {
        return false;
    }
    // The name with what stands before its last part: `p`.a.users, {dataset}.users.
    let opens = |c: char| c.is_whitespace() || "(=,;".contains(c);
    let head = text[..place.start].rfind(opens).map_or(0, |at| at + 1);
    if is_read(&text[..head]) {
        return false;
    }
    let word = &text[place.clone()];
    if word.len() >= MIN_TELLING && word.contains(|c: char| c.is_ascii_digit()) {
        return true;
    }
    let before = text[..place.start].trim_end_matches(QUOTES);
    if let Some(before) = before.strip_suffix(['.', '/', ':']) {
        let of = old.rsplit(['.', '/']).nth(1).unwrap_or_default();
        let bare = before.trim_end_matches(QUOTES);
        let written = bare.trim_end_matches(|c: char| is_word(c) || c == '-').len();
        let put_in = bare.len() < before.len() || written == bare.len() || bare[..written].ends_with('$');
        return put_in || bare[written..].eq_ignore_ascii_case(of);
    }
    let after = &text[place.end..];
    let quoted = ['"', '\''].iter().any(|mark| text[..place.start].ends_with(*mark) && after.starts_with(*mark));
    // `source: users`, `- users`, `SOURCE=users`
    let key = line.trim_end();
    let given = key.ends_with('=') || key.ends_with(':') && line.len() > key.len() || key.trim_start() == "-";
    let prose = PROSE.contains(&key.trim_end_matches([':', '=', ' ']).trim_start_matches(['-', ' ']));
    quoted
        || given
            && !prose
            && matches!(after.trim_start_matches([' ', '\t']).chars().next(), None | Some('\n' | '\r' | '#'))
}

/// Keys whose values are for people, or name something else.
const PROSE: [&str; 5] = ["name", "title", "description", "friendly_name", "owner"];

/// Whether what stands behind this is the table of a query that is written there.
fn is_read(before: &str) -> bool {
    let word = before.trim_end();
    if word.len() == before.len() {
        return false;
    }
    let start = word.trim_end_matches(is_word).len();
    let is = |all: &[&str], word: &str| all.iter().any(|one| one.eq_ignore_ascii_case(word));
    // `--from users` is an option.
    !word[..start].ends_with('-') && is(&BEFORE, &word[start..])
}

fn told(range: Range<usize>, dataset: usize, of: Of) -> Use {
    Use { range, dataset, of, position: Position::Read, form: Form::Told }
}

/// Whether a list of a query is all columns.
fn has_star(query: &str) -> bool {
    query.match_indices('*').any(|(at, _)| {
        let before = query[..at].trim_end().to_ascii_lowercase();
        ["select", "distinct", "all", ",", "."].iter().any(|word| before.ends_with(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_be(text: &str, old: &str) -> bool {
        let name = Renamed { system: System::Table, old: old.to_owned(), new: String::new() };
        tables(text, &[]).iter().any(|table| table.may_be(&name))
    }

    #[test]
    fn what_is_written_of_a_name_tells_which_it_may_be() {
        for text in [
            "select c from {t}",
            "select c from {{ params.table }} as u",
            "select c from `{{ p }}.{{ d }}.{{ t }}`",
            "select c from ${d}.${t}",
            "select c from {d}.users_{v}",
            "select c from `p.a.{t}`",
            "select c from x join $t on true",
            "insert into %(t)s (c) select 1",
            "select c from a.%s",
            "update {t} set c = 1",
        ] {
            assert!(may_be(text, "p.a.users_v1"), "{text}");
        }
        for text in [
            "select c from {d}.orders",
            "select c from b.{t}",
            "select c from {d}.orders_{v}",
            "select c from q.a.{t}",
            "select c from {{ ref('users') }}",
            "select c from {{ source('a', 'users_v1') }}",
            "select c from {{ this }}",
            "select extract(day from {x}) from a.b",
            "select c is distinct from {x}",
            "select c from unnest({x})",
            "select c from ({q})",
            "select c from f.{x}(1)",
        ] {
            assert!(!may_be(text, "p.a.users_v1"), "{text}");
        }
        assert!(may_be("select c from {d}.events_{day}", "p.a.events_*"));
        let hole = |range: Range<usize>| vec![range];
        assert_eq!(tables("select c from xxx", &hole(14..17)).len(), 1);
        assert_eq!(tables("select c from     xxx     .users", &hole(18..21)).len(), 0);
    }

    #[test]
    fn a_name_is_spoken_of_where_it_may_go_into_a_query() {
        let mapping = |name: &str| {
            let text = format!(
                "[dataset]\nname = \"u\"\n[names]\ntable = {{ old = \"p.a.{name}\", new = \"p.b.n\" }}\n[columns]\nc = \"d\"\n"
            );
            crate::dataset::mapping::read(&text, crate::dataset::mapping::Notation::Toml, "m").unwrap()
        };
        let (users, events) = (mapping("users_v1"), mapping("events"));
        for text in [
            "source=a.NAME",
            "t: a.NAME",
            "run(\"NAME\")",
            "x --from a.NAME",
            "f\"{d}.NAME\"",
            "f\"{d}/NAME\"",
            "- NAME\n",
            "p:a.NAME",
            "\"$d.NAME\"",
            "`p`.`a`.`NAME`",
        ] {
            assert!(spoken(&text.replace("NAME", "users_v1"), &users).is_some(), "{text}");
            assert!(spoken(&text.replace("NAME", "events"), &events).is_some(), "{text}");
        }
        for text in ["select 1 from a.NAME", "join `p.a.NAME` u", "insert into\n  NAME values", "-- see a.NAME"] {
            assert!(spoken(&text.replace("NAME", "users_v1"), &users).is_none(), "{text}");
            assert!(spoken(&text.replace("NAME", "events"), &events).is_none(), "{text}");
        }
        for text in [
            "from .events import a",
            "unnest(events)",
            "friendly_name: Pocket Events",
            "the events of b.events",
            "- name: events",
            "self.events = 1",
        ] {
            assert!(spoken(text, &events).is_none(), "{text}");
        }
        assert!(spoken("from a.users_v1; x = 'a.users_v1'", &users).is_some());
    }
}
