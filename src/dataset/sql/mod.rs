//! SQL: every use of a dataset in a syntax tree, through its scopes.
//!
//! A statement is a unit. What is not understood (code that the parser could not read, a
//! kind of node that this room does not know in a place that matters, a template that
//! hides structure) is a doubt, and a unit with a doubt does not move: nothing is skipped.
//! Must not: decide what becomes of a use.

mod carry;
mod context;
mod expression;
mod form;
mod jinja;
mod lookup;
mod path;
mod query;
mod relation;
mod select;
mod statement;
mod table;
#[cfg(test)]
mod tests;
mod told;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use self::relation::{Relation, Shapes};
use super::mapping::Position;
use super::usage::{Doubt, Unit, Use};
use super::{Datasets, Met};
use crate::tree::{Node, Tree};

/// Whose SQL it is, where that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Nobody says: GoogleSQL, but for what other dialects read otherwise without an error.
    #[default]
    Unsaid,
    /// GoogleSQL.
    BigQuery,
    /// Double quotes hold names.
    Ansi,
    /// Snowflake's.
    Snowflake,
    /// DuckDB's.
    DuckDb,
    /// Spark's and Databricks'.
    Spark,
}

impl Dialect {
    /// Whether it is read as GoogleSQL.
    pub fn is_google(self) -> bool {
        matches!(self, Self::Unsaid | Self::BigQuery)
    }

    /// Every dialect, with the word that a migration has for it.
    pub const ALL: [(&'static str, Self); 5] = [
        ("bigquery", Self::BigQuery),
        ("ansi", Self::Ansi),
        ("snowflake", Self::Snowflake),
        ("duckdb", Self::DuckDb),
        ("spark", Self::Spark),
    ];

    /// Whether double quotes hold names, not text.
    pub fn quotes_names(self) -> bool {
        matches!(self, Self::Ansi | Self::Snowflake | Self::DuckDb)
    }

    /// Whether names of tables are compared without case.
    pub fn folds_tables(self) -> bool {
        self != Self::BigQuery
    }
}

/// What is known around a text of SQL.
#[derive(Default)]
pub struct Setting {
    /// Whose SQL it is.
    pub dialect: Dialect,
    /// Bytes of the tree's text that stand for what is put in at run time, sorted.
    pub holes: Vec<Range<usize>>,
    /// What a project of dbt says of names.
    pub project: Project,
    /// Whether it is a file: what is put in there is put in as it is, and may be a name.
    pub file: bool,
    /// Whether a library of the file around, whatever the dialect, names what is calculated by its text.
    pub by_text: bool,
    /// Datasets under a name that the code around gives them; the name stays.
    pub tables: BTreeMap<String, usize>,
}

impl Setting {
    /// Whether what is calculated is named by the text of the calculation.
    fn names_by_text(&self) -> bool {
        self.by_text || !self.dialect.is_google()
    }
}

/// The parameter of a macro that takes a list of expressions of SQL.
pub const LIST: &str = "*";

/// What is known of a project of dbt.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Macros that write one of their arguments where a column goes, and read no other
    /// column: name, and the names of those parameters by place (`None`: another one).
    pub macros: BTreeMap<String, Vec<Option<String>>>,
    /// What `source(a, b)` means where the project gives it another identifier.
    pub sources: BTreeMap<(String, String), Known>,
    /// Models of the project itself: `ref` of one is none of a dataset's.
    pub models: HashSet<String>,
    /// What variables of the project hold.
    pub variables: HashSet<String>,
    /// What the project is called, if that is written out.
    pub name: Option<String>,
}

impl Project {
    /// What `ref` of a model is, of a package where one is named.
    pub fn model(&self, datasets: &Datasets, package: Option<&str>, model: &str) -> Met {
        let own = self.models.contains(model);
        match (package, &self.name) {
            (None, _) if own => Met::Other,
            (Some(package), Some(name)) if package == name && own => Met::Other,
            (Some(package), Some(name)) if package == name => datasets.model(None, model),
            (Some(package), None) if own => match datasets.model(Some(package), model) {
                Met::Dataset(dataset, _) | Met::Half(dataset, _) => {
                    Met::Half(dataset, format!("{model} may be this project's own: nothing says what it is called"))
                }
                other => other,
            },
            _ => datasets.model(package, model),
        }
    }
}

/// What a source of a project is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// A dataset under a name of the project's own, which stays.
    Dataset(usize),
    /// Another table.
    Other,
}

/// The units of a text that use a dataset, in order.
pub fn units(tree: &Tree, datasets: &Datasets, setting: &Setting) -> Vec<Unit> {
    let mut resolver = Resolver::new(tree, datasets, setting);
    resolver.file();
    super::decide::merged(resolver.units)
}

/// Deepest nesting of queries.
const MAX_DEPTH: usize = 48;

struct Resolver<'t> {
    tree: &'t Tree,
    datasets: &'t Datasets,
    setting: &'t Setting,
    units: Vec<Unit>,
    /// Of the statement that is read.
    uses: Vec<Use>,
    doubts: Vec<Doubt>,
    /// Indices of uses that dropped columns are, and that something reads from where they
    /// were handed on.
    read: HashSet<usize>,
    /// Indices of uses whose value may not reach every position, in the order in which they
    /// are read, directly or from what a query hands on.
    carried: Vec<usize>,
    /// Names under which such values leave the statement, and their uses.
    given: Vec<(String, usize)>,
    shapes: Shapes<'t>,
    scopes: Vec<Scope>,
    /// Names that were accounted for, by their nodes' numbers.
    seen: HashSet<u32>,
    /// Nodes of paths that were resolved: what is below them is still to be read.
    paths: HashSet<u32>,
    /// Where holes begin that stand for a value.
    values: HashSet<usize>,
    /// Names of catalogs that the text gives itself, in lower case.
    attached: HashSet<String>,
    /// What a template writes beside the statement that is read, without a clause of its own.
    beside: Vec<Node<'t>>,
    /// What `{% set x = ref(…) %}` and `{% set x = source(…) %}` gave a name to.
    variables: HashMap<String, Node<'t>>,
    depth: usize,
}

/// Where names are looked up.
#[derive(Default)]
struct Scope {
    parent: Option<usize>,
    relations: Vec<Relation>,
    /// Columns that `using` made one, in lower case.
    merged: HashSet<String>,
    /// Whether a natural join made others one.
    natural: bool,
    /// Names of the select list, in lower case.
    aliases: HashMap<String, Alias>,
    /// Parameters of lambdas and functions, in lower case: the struct that one is.
    locals: HashMap<String, Option<(usize, usize)>>,
    /// What names of the list carry, as far as it is read.
    carries: HashMap<String, Vec<usize>>,
    /// Names of the list that were read before it, where, and what that asks of them.
    asked: Vec<(String, Position, Range<usize>)>,
}

/// A name of a select list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alias {
    /// Given by the author.
    Given,
    /// Given by the author to a column of the very same name.
    Same,
    /// The name of a column that is selected.
    Column,
}

/// Common table expressions that are visible, innermost first.
#[derive(Clone, Default)]
struct Ctes(Option<Rc<CteFrame>>);

struct CteFrame {
    name: String,
    shape: usize,
    outer: Ctes,
}

impl Ctes {
    fn get(&self, name: &str) -> Option<usize> {
        let mut at = self;
        while let Some(frame) = &at.0 {
            if frame.name == name {
                return Some(frame.shape);
            }
            at = &frame.outer;
        }
        None
    }

    fn with(&self, name: String, shape: usize) -> Self {
        Self(Some(Rc::new(CteFrame { name, shape, outer: self.clone() })))
    }
}

/// Where a query stands.
#[derive(Clone)]
struct Around {
    scope: Option<usize>,
    ctes: Ctes,
}

/// What becomes of a query's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    /// Its names and values leave.
    Out,
    /// A query around it reads it by its names.
    Inside,
    /// It is paired by place, or compared: names don't matter, values do.
    ByPlace,
    /// It is only asked whether it is there.
    Nowhere,
}

impl<'t> Resolver<'t> {
    fn new(tree: &'t Tree, datasets: &'t Datasets, setting: &'t Setting) -> Self {
        Self {
            tree,
            datasets,
            setting,
            units: Vec::new(),
            uses: Vec::new(),
            doubts: Vec::new(),
            read: HashSet::new(),
            carried: Vec::new(),
            given: Vec::new(),
            shapes: Shapes { datasets, all: Vec::new() },
            scopes: Vec::new(),
            seen: HashSet::new(),
            paths: HashSet::new(),
            values: HashSet::new(),
            attached: HashSet::new(),
            beside: Vec::new(),
            variables: HashMap::new(),
            depth: 0,
        }
    }

    /// Bytes of the file, of bytes of the text.
    fn shift(&self, range: Range<usize>) -> Range<usize> {
        range.start + self.tree.base()..range.end + self.tree.base()
    }

    fn doubt(&mut self, node: Node<'_>, why: impl Into<String>) {
        self.doubts.push(Doubt::annotate(node.range(), why));
    }

    /// Marks the names below a node as accounted for.
    fn account(&mut self, node: Node<'_>) {
        self.seen.insert(node.id.0);
        self.seen.extend(node.descendants().map(|below| below.id.0));
    }

    /// Whether a hole covers a part of these bytes of the text.
    fn has_hole(&self, range: &Range<usize>) -> bool {
        self.setting.holes.iter().any(|hole| hole.start < range.end && range.start < hole.end)
    }

    fn scope(&mut self, parent: Option<usize>) -> usize {
        self.scopes.push(Scope { parent, ..Scope::default() });
        self.scopes.len() - 1
    }
}

/// A name without its quotes, in lower case.
fn folded(text: &str) -> String {
    unquoted(text).to_lowercase()
}

/// A name without its quotes.
fn unquoted(text: &str) -> &str {
    for quote in ['`', '"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}
