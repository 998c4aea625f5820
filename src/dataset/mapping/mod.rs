//! Mapping tables: what becomes of a dataset's names, columns and values.
//!
//! A table is read whole or not at all, with every error at once. Must not: know where a
//! dataset is used, or a stage.

mod error;
mod expression;
mod known;
mod read;
mod source;
#[cfg(test)]
mod tests;

pub use error::{MappingError, MappingErrors};
pub use expression::{Expression, Piece};
pub use read::{MAX_COLUMNS, read};
pub use source::{Notation, Place};

use std::collections::{BTreeMap, HashMap, HashSet};

/// The largest table, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// What becomes of one dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// What rules and reports call it.
    pub dataset: String,
    /// What an annotation links to.
    pub guide: Option<String>,
    /// Its names, in the order of the table.
    pub names: Vec<Renamed>,
    /// Its columns, in the order of the table.
    pub columns: Vec<Column>,
    /// Whether rules alone say what becomes of its uses.
    pub by_rules: bool,
    /// Columns by their name in lower case.
    by_name: HashMap<String, usize>,
    /// Names, in lower case, that columns of the new dataset have and that those of the
    /// same name had not before.
    arriving: HashSet<String>,
}

/// A name of the dataset in one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Where it is called so.
    pub system: System,
    /// The old name.
    pub old: String,
    /// The new name; never the old one.
    pub new: String,
}

/// A system in which a dataset has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// A warehouse: `project.dataset.table`.
    Table,
    /// `source('source', 'table')` of dbt.
    DbtSource,
    /// `ref('model')` of dbt.
    DbtRef,
    /// A generated class.
    Type,
    /// Files.
    Path,
}

impl System {
    /// Every system, with the word that a table has for it.
    pub const ALL: [(&'static str, Self); 5] = [
        ("table", Self::Table),
        ("dbt-source", Self::DbtSource),
        ("dbt-ref", Self::DbtRef),
        ("type", Self::Type),
        ("path", Self::Path),
    ];
}

/// A column of the old dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its old name.
    pub name: String,
    /// What becomes of it.
    pub becomes: Becomes,
    /// What is said of positions; what is not said is [`At::Map`].
    pub positions: BTreeMap<Position, At>,
    /// The literals that it is compared with.
    pub values: Option<Values>,
    /// Fields of the struct, or of the structs in the array: old and new.
    pub fields: Vec<(String, String)>,
    /// Where the table speaks of it.
    pub place: Place,
}

/// What becomes of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Becomes {
    /// A column of this name.
    To(String),
    /// Expressions over new columns, by the language they are written in: `sql`, `pyspark`.
    Expressions(BTreeMap<String, Expression>),
    /// A person decides: why.
    Annotate(String),
    /// It has no successor: why.
    Drop(String),
    /// It may not be read from the new dataset: why.
    Refuse(String),
}

/// Where in a query a column is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// Everywhere else.
    Read,
    /// `where`, `having`, `qualify`, `on`.
    Filter,
    /// `using`, `natural join`.
    Using,
    /// `group by`, `partition by`, `distinct`.
    Group,
    /// Columns of an `insert`, `update set`, `merge`.
    Write,
}

impl Position {
    /// Every position, with the word that a table has for it.
    pub const ALL: [(&'static str, Self); 5] = [
        ("read", Self::Read),
        ("filter", Self::Filter),
        ("using", Self::Using),
        ("group", Self::Group),
        ("write", Self::Write),
    ];

    /// What a table calls it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("read", |(word, _)| word)
    }
}

/// What is done with a column in a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// It is mapped.
    Map,
    /// It is left, with a comment.
    Annotate,
    /// The change set is refused.
    Refuse,
}

/// The literals of a column: each old one and what it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// What the old literals are.
    pub old: Literal,
    /// What the new ones are.
    pub new: Literal,
    /// Old and new, without quotes.
    pub rows: BTreeMap<String, String>,
}

impl Values {
    /// Whether two old values never become one new: only then what is grouped or counted
    /// is the same as before.
    pub fn are_distinct(&self) -> bool {
        let new: std::collections::BTreeSet<&String> = self.rows.values().collect();
        new.len() == self.rows.len()
    }
}

/// What kind of literal a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal {
    /// In quotes.
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
}

impl Literal {
    const ALL: [(&'static str, Self); 3] =
        [("string", Self::String), ("integer", Self::Integer), ("boolean", Self::Boolean)];

    /// Whether a text, without quotes, is such a literal.
    fn reads(self, text: &str) -> bool {
        match self {
            Self::String => true,
            Self::Integer => text.parse::<i64>().is_ok(),
            Self::Boolean => matches!(text, "true" | "false"),
        }
    }
}

impl Mapping {
    fn new(dataset: String, guide: Option<String>, names: Vec<Renamed>, columns: Vec<Column>) -> Self {
        let by_name = columns.iter().enumerate().map(|(index, column)| (column.name.to_lowercase(), index)).collect();
        let mut mapping = Self { dataset, guide, names, columns, by_rules: false, by_name, arriving: HashSet::new() };
        let arriving = mapping.columns.iter().flat_map(|column| {
            let new = Self::new_names(column).map(str::to_lowercase);
            new.filter(|new| *new != column.name.to_lowercase())
        });
        mapping.arriving = arriving.collect();
        mapping
    }

    /// The column of this name; `fold` compares without case.
    pub fn column(&self, name: &str, fold: bool) -> Option<&Column> {
        self.index(name, fold).map(|index| &self.columns[index])
    }

    /// As [`Mapping::column`], its index.
    pub fn index(&self, name: &str, fold: bool) -> Option<usize> {
        let index = *self.by_name.get(&name.to_lowercase())?;
        (fold || self.columns[index].name == name).then_some(index)
    }

    /// Whether the new dataset has a column of this name, in lower case, that the old one
    /// had under another name or not at all.
    pub fn arrives(&self, name: &str) -> bool {
        self.arriving.contains(name)
    }

    /// The name of a system.
    pub fn names(&self, system: System) -> impl Iterator<Item = &Renamed> {
        self.names.iter().filter(move |name| name.system == system)
    }

    /// Names of the new dataset's columns that a column becomes.
    fn new_names(column: &Column) -> impl Iterator<Item = &str> {
        let names = match &column.becomes {
            Becomes::To(name) => vec![name.as_str()],
            Becomes::Expressions(all) => all.values().flat_map(Expression::columns).collect(),
            _ => Vec::new(),
        };
        names.into_iter()
    }
}

impl Column {
    /// The plain new name, where it has one.
    pub fn to(&self) -> Option<&str> {
        match &self.becomes {
            Becomes::To(name) => Some(name),
            _ => None,
        }
    }

    /// Whether a use of it in this position may be left as it is, letter by letter.
    pub fn is_kept(&self) -> bool {
        self.to() == Some(&self.name) && self.values.is_none() && self.positions.is_empty() && !self.changes_fields()
    }

    /// Whether its value may not reach every position in which it can be compared: where it
    /// goes on, it is to be followed.
    pub fn is_bound(&self) -> bool {
        [Position::Filter, Position::Using, Position::Group].into_iter().any(|one| self.at(one) != At::Map)
    }

    /// Why it may not move in this position.
    pub fn held_at(&self, position: Position) -> String {
        format!("the mapping does not let {} move in this position ({})", self.name, position.word())
    }

    /// Why a unit stays in which its value goes on: what becomes of it there.
    pub fn held_as_it_goes_on(&self, why: &str) -> String {
        held_as_it_goes_on(&self.name, why)
    }

    /// Whether a field of it has another name in the new dataset.
    pub fn changes_fields(&self) -> bool {
        self.fields.iter().any(|(old, new)| old != new)
    }

    /// What is said of a position.
    pub fn at(&self, position: Position) -> At {
        self.positions.get(&position).copied().unwrap_or(At::Map)
    }
}

/// As [`Column::held_as_it_goes_on`], of a column by its name.
pub fn held_as_it_goes_on(column: &str, why: &str) -> String {
    format!("the mapping does not let {column} move in every position, and {why}")
}
