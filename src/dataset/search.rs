//! Files that gander searches and does not edit: shell, notebooks, kinds that it does not know.
//!
//! A file that names a dataset is one unit, with every word in it that may be one of its
//! columns, and it stays. Prose is not searched: it names what it likes.
//! Must not: resolve a column, or edit.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use super::Datasets;
use super::dbt;
use super::decide::{Plain, decide};
use super::file::Decided;
use super::last;
use super::mapping::{Position, System};
use super::names::{Met, Part};
use super::usage::{Doubt, Form, Of, Unit, Use};
use super::word::words;
use crate::language::by_name;
use crate::tree::{Node, Tree, parse};

/// Extensions of texts that are for people only.
const PROSE: [&str; 7] = ["md", "markdown", "txt", "rst", "adoc", "org", "html"];

/// What a file names, whatever kind it is of; nothing in prose.
pub fn searched(path: &Path, text: &str, datasets: &Datasets) -> Vec<Decided> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_ascii_lowercase();
    if PROSE.contains(&extension.as_str()) {
        return Vec::new();
    }
    let cells = (extension == "ipynb").then(|| cells(text)).flatten();
    let parts = cells.unwrap_or_else(|| std::iter::once(0..text.len()).collect());
    let why = match extension.as_str() {
        "ipynb" => "notebooks are searched, not edited",
        "sh" | "bash" | "zsh" => "shell scripts are searched, not edited",
        _ => "this kind of file is searched, not edited",
    };
    let mut unit = Unit { range: 0..text.len(), ..Unit::default() };
    // `\n` in a text of JSON or code would grow together with the word behind it.
    let text = ["\\n", "\\t", "\\r"].iter().fold(text.to_owned(), |text, escape| text.replace(escape, "  "));
    let text = text.as_str();
    unit.uses = names(text, &parts, datasets);
    if unit.uses.is_empty() {
        return Vec::new();
    }
    let named: BTreeSet<usize> = unit.uses.iter().map(|one| one.dataset).collect();
    unit.doubts.push(Doubt::annotate(unit.uses[0].range.clone(), why));
    unit.uses.extend(columns(text, &parts, datasets, &named));
    unit.uses.sort_by_key(|one| (one.range.start, one.range.end));
    unit.uses.dedup_by(|a, b| a.range == b.range);
    let fate = decide(&unit, datasets, &Plain);
    vec![Decided { unit, fate }]
}

/// Words that name a dataset: by its path, or by its last part beside the one before it.
fn names(text: &str, parts: &[Range<usize>], datasets: &Datasets) -> Vec<Use> {
    let mut found: Vec<Use> = Vec::new();
    let all = |paths: bool| {
        let within = parts.iter().filter_map(|part| Some((part.start, text.get(part.clone())?)));
        within.flat_map(move |(start, part)| words(part, paths).into_iter().map(move |(at, word)| (start + at, word)))
    };
    for (at, word) in all(true) {
        // The word of a sentence or of an escape ends before its full stop.
        let word = word.trim_end_matches(['.', ':']);
        // `dbt run --select source:analytics.users_v1+`
        let (at, word) = word.strip_prefix("source:").map_or((at, word), |rest| (at + word.len() - rest.len(), rest));
        let path: Vec<Part<'_>> = word.split(['.', ':']).filter(|part| !part.is_empty()).map(Some).collect();
        let table = (path.len() > 1).then(|| datasets.table(&path, true));
        let dataset = match table {
            Some(Met::Dataset(dataset, _) | Met::Half(dataset, _)) => Some(dataset),
            _ => datasets.path(word).map(|(dataset, _)| dataset).or_else(|| generated(word, datasets)),
        };
        found.extend(dataset.map(|dataset| told(at, word, dataset, Of::Dataset)));
    }
    for (start, part) in parts.iter().filter_map(|part| Some((part.start, text.get(part.clone())?))) {
        for (at, dataset) in dbt::selected(part, datasets) {
            let range = start + at.start..start + at.end;
            if !is_read(&found, &range) {
                found.push(told(range.start, &part[at], dataset, Of::Dataset));
            }
        }
        found.extend(classes(text, start..start + part.len(), datasets));
    }
    for last in last::lasts(datasets) {
        for (start, part) in parts.iter().filter_map(|part| Some((part.start, text.get(part.clone())?))) {
            let places = last.places(part).into_iter();
            let named = places.filter(|(at, stands)| last.is_named(*stands, part, at.start));
            for (at, _) in named.collect::<Vec<_>>() {
                let range = start + at.start..start + at.end;
                if !is_read(&found, &range) {
                    found.push(told(range.start, &part[at], last.dataset, Of::Dataset));
                }
            }
        }
    }
    let plain: BTreeSet<&str> = all(false).map(|(_, word)| word).collect();
    for (dataset, mapping) in datasets.mappings.iter().enumerate() {
        for name in mapping.names(System::Table) {
            let mut back = name.old.rsplit('.');
            let (Some(last), Some(of)) = (back.next(), back.next()) else { continue };
            if !plain.contains(of) {
                continue;
            }
            let alone = all(true).filter(|(_, word)| *word == last);
            found.extend(alone.map(|(at, word)| told(at, word, dataset, Of::Dataset)));
        }
    }
    found
}

/// The dataset whose generated class a word names with its package.
fn generated(word: &str, datasets: &Datasets) -> Option<usize> {
    datasets.mappings.iter().position(|mapping| mapping.names(System::Type).any(|name| name.old == word))
}

/// Whether a place is told already.
fn is_read(found: &[Use], range: &Range<usize>) -> bool {
    found.iter().any(|one| one.range.start < range.end && range.start < one.range.end)
}

/// Generated classes by their own name in a part of a file that names their package, too.
fn classes(text: &str, part: Range<usize>, datasets: &Datasets) -> Vec<Use> {
    let (mut found, inside) = (Vec::new(), &text[part.clone()]);
    for (dataset, mapping) in datasets.mappings.iter().enumerate() {
        for name in mapping.names(System::Type) {
            let Some((_, last)) = name.old.rsplit_once('.').filter(|(of, _)| text.contains(of)) else { continue };
            let own =
                words(inside, false).into_iter().filter(|(at, word)| *word == last && !inside[..*at].ends_with('.'));
            found.extend(own.map(|(at, word)| told(part.start + at, word, dataset, Of::Dataset)));
        }
    }
    found
}

/// Words that may be columns of these datasets, or fields of such columns.
fn columns(text: &str, parts: &[Range<usize>], datasets: &Datasets, named: &BTreeSet<usize>) -> Vec<Use> {
    let mut found = Vec::new();
    for part in parts {
        for (at, word) in words(text.get(part.clone()).unwrap_or(""), false) {
            for dataset in named {
                let mapping = &datasets.mappings[*dataset];
                if let Some(column) = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept()) {
                    found.push(told(part.start + at, word, *dataset, Of::Column(column)));
                }
                for (column, known) in mapping.columns.iter().enumerate() {
                    let field = known.fields.iter().position(|(old, new)| old != new && old == word);
                    found.extend(field.map(|field| told(part.start + at, word, *dataset, Of::Field(column, field))));
                }
            }
        }
    }
    found
}

fn told(at: usize, word: &str, dataset: usize, of: Of) -> Use {
    Use { range: at..at + word.len(), dataset, of, position: Position::Read, form: Form::Told }
}

/// Bytes of a notebook's code; `None` where it is none.
fn cells(text: &str) -> Option<Vec<Range<usize>>> {
    let tree: Tree = parse(by_name("json")?, text).ok()?;
    if tree.errors().next().is_some() {
        return None;
    }
    let mut found = Vec::new();
    let mut any = false;
    for object in tree.iter().filter(|node| node.kind() == "object") {
        let Some(kind) = member(object, "cell_type") else { continue };
        any = true;
        if kind.text() == "\"code\"" {
            let source = member(object, "source");
            let texts = source.into_iter().flat_map(|source| std::iter::once(source).chain(source.descendants()));
            found.extend(texts.filter(|node| node.kind() == "string_content").map(|node| node.range()));
        }
    }
    any.then_some(found)
}

fn member<'t>(object: Node<'t>, key: &str) -> Option<Node<'t>> {
    let pairs = object.named_children().filter(|child| child.kind() == "pair");
    pairs
        .filter(|pair| pair.field("key").is_some_and(|found| found.text().trim_matches('"') == key))
        .find_map(|pair| pair.field("value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::decide::Fate;
    use crate::dataset::mapping::{self, Notation};

    fn found(path: &str, text: &str) -> Vec<String> {
        let users = "[dataset]\nname = \"users\"\n[names]\ntable = { old = \"p.a.users_v1\", new = \"p.a.users_v2\" }\n\
            dbt-source = { old = \"a.users_v1\", new = \"a.users_v2\" }\n\
            path = { old = \"gs://lake/users_v1\", new = \"gs://lake/users_v2\" }\n\
            type = { old = \"com.acme.UserV1\", new = \"com.acme.UserV2\" }\n\
            [columns]\nid = \"id\"\ncountry_code = \"country\"\n";
        let mappings = vec![mapping::read(users, Notation::Toml, "m").unwrap()];
        let units = searched(Path::new(path), text, &Datasets { mappings, ..Datasets::default() });
        assert!(units.iter().all(|unit| matches!(unit.fate, Fate::Annotated(_))));
        units.iter().flat_map(|unit| &unit.unit.uses).map(|one| text[one.range.clone()].to_owned()).collect()
    }

    #[test]
    fn a_name_in_any_spelling_brings_its_columns() {
        assert_eq!(found("a.R", "q('select country_code, id from a.users_v1.')"), ["country_code", "a.users_v1"]);
        assert_eq!(found("a.tf", "dataset = \"a\"\ntable = \"users_v1\""), ["users_v1"]);
        assert_eq!(
            found("a.kts", "read(\"gs://lake/users_v1/*\").country_code"),
            ["gs://lake/users_v1/*", "country_code"]
        );
        assert_eq!(found("a.avdl", "import com.acme.UserV1"), ["com.acme.UserV1"]);
        assert_eq!(found("a.sh", "bq extract p:a.users_v1 x"), ["p:a.users_v1"]);
    }

    #[test]
    fn a_part_of_a_name_is_told_where_what_is_around_it_says_so() {
        assert_eq!(found("a.sh", "bq show $DS.users_v1"), ["users_v1"]);
        assert_eq!(found("a.sh", "bq show \"${DS}.users_v1\""), ["users_v1"]);
        assert_eq!(found("a.toml", "table = \"users_v1\"\ncountry_code = 1"), ["users_v1", "country_code"]);
        assert_eq!(found("a.sqlx", "select country_code from ${ref(\"users_v1\")}"), ["country_code", "users_v1"]);
        assert_eq!(found("a.properties", "source.table=users_v1"), ["users_v1"]);
        assert_eq!(found("a.sh", "gsutil ls $LAKE/users_v1/"), ["users_v1"]);
        assert_eq!(found("a.avdl", "@namespace(\"com.acme\") record UserV1 {}"), ["UserV1"]);
        assert!(found("a.sh", "# table: users_v1\nbq show crm.users_v1 # users_v1").is_empty());
        // White space of several bytes ends a path, too.
        assert!(found("a.sh", "x:\u{a0}b/users_v1 \u{3000}b/users_v1").is_empty());
        assert_eq!(found("a.sh", "dbt run -s source:a.users_v1+"), ["a.users_v1"]);
    }

    #[test]
    fn what_names_no_dataset_is_left_alone() {
        assert!(found("a.sh", "country_code=1; echo b.users_v1 a.users_v10").is_empty());
        assert!(found("a.txt", "Ask before you touch a.users_v1").is_empty());
    }

    #[test]
    fn of_a_notebook_only_code_is_searched() {
        let cell = |kind: &str, source: &str| format!("{{\"cell_type\": \"{kind}\", \"source\": [\"{source}\"]}}");
        let notebook = |cells: &[String]| format!("{{\"cells\": [{}]}}", cells.join(", "));
        let prose = cell("markdown", "About a.users_v1 and country_code");
        assert!(found("a.ipynb", &notebook(std::slice::from_ref(&prose))).is_empty());
        let class = [cell("markdown", "UserV1"), cell("code", "import com.acme.x")];
        assert!(found("a.ipynb", &notebook(&class)).is_empty());
        let code = cell("code", "q(\\\"select country_code from a.users_v1\\\")");
        assert_eq!(found("a.ipynb", &notebook(&[prose, code])), ["country_code", "a.users_v1"]);
        assert_eq!(found("a.ipynb", "no notebook: a.users_v1"), ["a.users_v1"]);
        let lines = cell("code", "from a.users_v1\\nwhere\\ncountry_code");
        assert_eq!(found("a.ipynb", &notebook(&[lines])), ["a.users_v1", "country_code"]);
    }
}
