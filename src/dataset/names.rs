//! Whether a name in code is a dataset's, and what it becomes.
//!
//! Must not: know a syntax. Callers take quotes away and names apart.

use super::mapping::{Mapping, Renamed, System};
use super::schema::Schemas;

/// The datasets of a migration, and what is known of other tables.
#[derive(Clone, Debug, Default)]
pub struct Datasets {
    /// One mapping for each dataset.
    pub mappings: Vec<Mapping>,
    /// Columns of tables: of those that are not migrated, and, where they are given, all
    /// that the old ones have.
    pub schemas: Schemas,
    /// `project.dataset` or `dataset` in which tables of one part lie, where that is known.
    pub default: Option<String>,
}

/// What a name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Met {
    /// Something else.
    Other,
    /// A dataset, by its index, and the new name's parts: as many as the old name had.
    Dataset(usize, Vec<String>),
    /// It may be a dataset, or it is and nobody can say what its new name is: why.
    Half(usize, String),
    /// Another table, whose columns are known: the index of its schema.
    Known(usize),
}

/// A part of a name; `None` is put in at run time.
pub type Part<'a> = Option<&'a str>;

impl Datasets {
    /// What a table's path is in a warehouse. `fold` compares without case.
    pub fn table(&self, parts: &[Part<'_>], fold: bool) -> Met {
        if let ([Some(_)], Some(default)) = (parts, &self.default) {
            let whole: Vec<Part<'_>> = default.split('.').map(Some).chain(parts.iter().copied()).collect();
            return match self.table(&whole, fold) {
                Met::Dataset(index, new) if new[..new.len() - 1].join(".") == *default => {
                    Met::Dataset(index, new[new.len() - 1..].to_vec())
                }
                Met::Dataset(index, _) => {
                    Met::Half(index, "the new table lies in another dataset than the default one".to_owned())
                }
                other => other,
            };
        }
        let found = self.meet(System::Table, |name| met(name, parts, fold));
        if found != Met::Other {
            return found;
        }
        let known: Option<Vec<&str>> = parts.iter().copied().collect();
        known.and_then(|parts| self.schemas.of(&parts)).map_or(Met::Other, Met::Known)
    }

    /// Whether a dataset has no such column: its mapping lists what becomes of its columns, and
    /// only a schema of its old table says that there are no others.
    pub fn surely_lacks(&self, dataset: usize, column: &str) -> bool {
        let listed = |name: &Renamed| self.schemas.of(&name.old.split('.').collect::<Vec<_>>());
        let mut schemas = self.mappings[dataset].names(System::Table).filter_map(listed).peekable();
        schemas.peek().is_some() && schemas.all(|schema| !self.schemas.has(schema, column))
    }

    /// The dataset that a name begins like, where the rest of its last part is put in at
    /// run time.
    pub fn begins(&self, parts: &[Part<'_>], last: &str, fold: bool) -> Option<usize> {
        self.mappings.iter().position(|mapping| {
            mapping.names(System::Table).any(|name| {
                let old: Vec<&str> = name.old.split('.').collect();
                let pairs = || old.iter().rev().skip(1).zip(parts.iter().rev());
                old.last().is_some_and(|old| begins(old, last, fold))
                    && (pairs().count() > 0 || last.len() > 3)
                    && pairs().all(|(old, part)| part.is_none_or(|part| equal(old, part, fold)))
            })
        })
    }

    /// What `source('source', 'table')` of dbt is.
    pub fn source(&self, source: Part<'_>, table: Part<'_>) -> Met {
        self.meet(System::DbtSource, |name| whole(name, &[source, table], false))
    }

    /// What `ref('model')` or `ref('package', 'model')` of dbt is.
    pub fn model(&self, package: Part<'_>, model: &str) -> Met {
        self.meet(System::DbtRef, |name| match (name.old.rsplit_once('.'), package) {
            (Some((of, old)), _) => {
                let new = name.new.rsplit('.').next().unwrap_or_default();
                match package {
                    Some(package) if package == of && old == model => one(new),
                    None if old == model => one(new),
                    _ => One::No,
                }
            }
            (None, _) if name.old == model => one(name.new.rsplit('.').next().unwrap_or_default()),
            _ => One::No,
        })
    }

    /// The dataset whose old path begins this one, and the new path.
    pub fn path(&self, path: &str) -> Option<(usize, String)> {
        let found = self.mappings.iter().enumerate().flat_map(|(index, mapping)| {
            mapping.names(System::Path).filter_map(move |name| {
                let rest = path.strip_prefix(name.old.trim_end_matches('/'))?;
                (rest.is_empty() || rest.starts_with('/')).then_some((index, name, rest))
            })
        });
        let (index, name, rest) = found.max_by_key(|(_, name, _)| name.old.len())?;
        Some((index, format!("{}{rest}", name.new.trim_end_matches('/'))))
    }

    /// The dataset whose files a pattern covers, with others besides: `gs://lake/users_*`.
    pub fn path_pattern(&self, path: &str) -> Option<usize> {
        let at = path.find(['*', '?', '[', '{'])?;
        let (head, rest) = path.split_at(at);
        // `{a,b}` is a choice, `{date}` is put in.
        let chooses = !rest.starts_with('{') || rest.split('}').next().is_some_and(|one| one.contains(','));
        // Everything there is begins with `gs://`.
        let says = head.split_once("://").is_some_and(|(_, below)| below.contains('/'));
        let covers = |name: &Renamed| says && chooses && name.old.starts_with(head);
        self.mappings.iter().position(|mapping| mapping.names(System::Path).any(covers))
    }

    /// Why files below a dataset's path may not be had as they are: a part of the path names a
    /// column, as `country_code=DE`, that changes or that the mapping does not list.
    pub fn partition(&self, dataset: usize, path: &str) -> Option<String> {
        let mapping = &self.mappings[dataset];
        let names = path.split('/').filter_map(|part| part.split_once('=')).map(|(name, _)| name);
        names.into_iter().find_map(|name| match mapping.column(name, true) {
            Some(column) if column.is_kept() => None,
            Some(_) => Some(format!("a part of the path names the column {name}, which changes")),
            None => Some(format!("a part of the path names a column that the mapping does not list: {name}")),
        })
    }

    /// Every word that some old name ends with: what a search may begin with.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.mappings.iter().flat_map(|mapping| mapping.names.iter()).map(|name| last_part(&name.old))
    }

    /// What a table's name may begin like where the rest is a pattern or put in at run time:
    /// `users_*`, `users_v{`.
    pub fn patterns(&self) -> Vec<String> {
        let tables = self.mappings.iter().flat_map(|mapping| mapping.names(System::Table));
        let parts = tables.map(|name| (name.old.rsplit('.').nth(1).unwrap_or(""), last_part(&name.old)));
        let ascii = parts.filter(|(of, last)| of.is_ascii() && last.is_ascii());
        // A short beginning tells nothing without what it stands in.
        let heads = ascii.flat_map(|(of, last)| {
            let ends = (0..=last.len()).filter(move |end| *end >= MIN_HEAD || !of.is_empty());
            ends.flat_map(move |end| {
                let befores =
                    if end >= MIN_HEAD { vec![String::new()] } else { vec![format!("{of}."), format!("{of}`.`")] };
                befores.into_iter().map(move |before| format!("{before}{}", &last[..end]))
            })
        });
        heads.flat_map(|head| GOES_ON.map(|mark| format!("{head}{mark}"))).collect()
    }

    fn meet(&self, system: System, one: impl Fn(&Renamed) -> One) -> Met {
        let mut half = Met::Other;
        for (index, mapping) in self.mappings.iter().enumerate() {
            for name in mapping.names(system) {
                match one(name) {
                    One::No => {}
                    One::Yes(parts) => return Met::Dataset(index, parts),
                    One::Half(why) => half = Met::Half(index, why),
                }
            }
        }
        half
    }
}

/// The shortest beginning of a name that is looked for without its dataset, in bytes.
const MIN_HEAD: usize = 4;
/// What stands behind the beginning of a name that is not written out.
const GOES_ON: [char; 4] = ['*', '{', '$', '%'];

/// What a name ends with, up to a `*`.
pub fn last_part(name: &str) -> &str {
    let last = name.rsplit(['.', '/']).find(|part| !part.is_empty()).unwrap_or(name);
    last.split('*').next().unwrap_or(last)
}

enum One {
    No,
    Yes(Vec<String>),
    Half(String),
}

fn one(new: &str) -> One {
    One::Yes(vec![new.to_owned()])
}

/// Every part must be there and be the same.
fn whole(name: &Renamed, parts: &[Part<'_>], fold: bool) -> One {
    let old: Vec<&str> = name.old.split('.').collect();
    let same = |(old, part): (&&str, &Part<'_>)| part.is_none_or(|part| equal(old, part, fold));
    if old.len() != parts.len() || !old.iter().zip(parts).all(same) {
        return One::No;
    }
    if parts.iter().all(Option::is_none) {
        return One::No;
    }
    if parts.iter().any(Option::is_none) {
        return One::Half("a part of its name is put in at run time".to_owned());
    }
    One::Yes(name.new.split('.').map(str::to_owned).collect())
}

/// A table by its last two parts or by all three.
fn met(name: &Renamed, parts: &[Part<'_>], fold: bool) -> One {
    let (old, new): (Vec<&str>, Vec<&str>) = (name.old.split('.').collect(), name.new.split('.').collect());
    let (Some(last), Some(Some(table))) = (old.last(), parts.last()) else { return One::No };
    if parts.is_empty() || parts.len() > 3 {
        return One::No;
    }
    let (whole, decorated) = decorator(table);
    let star = match star(last, whole, fold) {
        Star::No => return One::No,
        Star::Wide => None,
        Star::Is(star) => Some(star),
    };
    // Compared from the back, as far as both go.
    let pairs = old.iter().rev().zip(parts.iter().rev()).skip(1);
    if pairs.clone().any(|(old, part)| part.is_some_and(|part| !equal(old, part, fold))) {
        return One::No;
    }
    let half = |why: &str| One::Half(why.to_owned());
    let Some(star) = star else {
        return half("a pattern that covers the dataset and other tables besides");
    };
    if decorated {
        return half("a partition of the table is named, or a state that it had: the new one may not have it");
    }
    if parts.len() == 1 {
        return half("the dataset that a bare name belongs to is decided elsewhere");
    }
    if pairs.clone().any(|(_, part)| part.is_none()) {
        return half("a part of its name is put in at run time");
    }
    if parts.len() == 3 && old.len() == 2 {
        return half("the mapping names no project, and here is one");
    }
    let project = |parts: &[&str]| (parts.len() == 3).then(|| parts[0].to_owned());
    if parts.len() == 2 && project(&old) != project(&new) && project(&new).is_some() {
        return half("the new table lies in another project, and none is named here");
    }
    if parts.len() > new.len() {
        return half("the mapping gives the new table no project, and here is one");
    }
    let new = new[new.len() - parts.len()..].iter().map(|part| part.replace('*', &star)).collect();
    One::Yes(new)
}

/// A table without its decorator, `users_v1$20240101` or `users_v1@-3600000-`, and whether it has one.
fn decorator(table: &str) -> (&str, bool) {
    match table.find(['$', '@']) {
        Some(at) if at > 0 => (&table[..at], true),
        _ => (table, false),
    }
}

enum Star {
    No,
    /// More than the dataset.
    Wide,
    /// What the `*` stands for; empty where there is none.
    Is(String),
}

/// Compares the last part of a name, in which one `*` may stand, with a table.
fn star(old: &str, table: &str, fold: bool) -> Star {
    let Some((before, after)) = old.split_once('*') else {
        if equal(old, table, fold) {
            return Star::Is(String::new());
        }
        // A pattern in the code.
        let covers = table.split_once('*').is_some_and(|(head, tail)| {
            old.len() >= head.len() + tail.len() && begins(old, head, fold) && ends(old, tail, fold)
        });
        return if covers { Star::Wide } else { Star::No };
    };
    if table.len() >= before.len() + after.len() && begins(table, before, fold) && ends(table, after, fold) {
        let star = table.get(before.len()..table.len() - after.len());
        return star.map_or(Star::No, |star| Star::Is(star.to_owned()));
    }
    let covers = table.split_once('*').is_some_and(|(head, _)| begins(before, head, fold));
    if covers { Star::Wide } else { Star::No }
}

fn equal(a: &str, b: &str, fold: bool) -> bool {
    if fold { a.eq_ignore_ascii_case(b) } else { a == b }
}

fn begins(text: &str, head: &str, fold: bool) -> bool {
    text.get(..head.len()).is_some_and(|start| equal(start, head, fold))
}

fn ends(text: &str, tail: &str, fold: bool) -> bool {
    text.len().checked_sub(tail.len()).and_then(|at| text.get(at..)).is_some_and(|end| equal(end, tail, fold))
}
