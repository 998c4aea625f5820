//! What is found of a dataset in code: uses, in units that move as a whole.
//!
//! Must not: know a syntax.

use std::ops::Range;

use super::mapping::Position;

/// What moves as a whole or not at all: a query, a value's flow, a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unit {
    /// Bytes of the file that it spans.
    pub range: Range<usize>,
    /// Every use in it, in the order of the file.
    pub uses: Vec<Use>,
    /// Why it can't move, where something beside a use's own mapping says so.
    pub doubts: Vec<Doubt>,
    /// Names, in lower case, under which values leave that may not reach every position, and
    /// the columns that they are of.
    pub gives: Vec<(String, String)>,
}

/// One use of a dataset, of a column or of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// Bytes of the file: a name, without its qualifier; a literal, with its quotes.
    pub range: Range<usize>,
    /// Index of the mapping.
    pub dataset: usize,
    /// What is used.
    pub of: Of,
    /// Where in the query.
    pub position: Position,
    /// How it may be rewritten.
    pub form: Form,
}

impl Use {
    /// The places that it is: its name in all its parts, and the literals that its column is
    /// compared with.
    pub fn places(&self) -> Vec<Range<usize>> {
        let mut places = vec![self.range.clone()];
        if let Form::Column(ColumnForm { value: ValueUse::Literals(literals), .. }) = &self.form {
            places.extend(literals.iter().map(|literal| literal.range.clone()));
        }
        if let Form::Name(edits) = &self.form {
            places.extend(edits.iter().map(|(range, _)| range.clone()));
        }
        places
    }
}

/// What is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// The dataset itself.
    Dataset,
    /// A column that the mapping lists: its index.
    Column(usize),
    /// A field of a column: the indices of both.
    Field(usize, usize),
    /// A column that the mapping does not list.
    Unlisted(String),
}

/// How the text of a use may be rewritten.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// A name; each range becomes the text beside it.
    Name(Vec<(Range<usize>, String)>),
    /// A column.
    Column(ColumnForm),
    /// It is told, and never rewritten.
    Told,
}

/// A column in an expression or a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnForm {
    /// With its qualifier; what an expression replaces.
    pub whole: Range<usize>,
    /// The text before the name: `u.`; empty where it has no qualifier.
    pub qualifier: String,
    /// The name with its quotes, as it is spelled.
    pub spelled: String,
    /// The name's bytes between its quotes.
    pub inner: Range<usize>,
    /// What stands around it.
    pub role: Role,
    /// What becomes of its value.
    pub value: ValueUse,
    /// What must stand behind it so that its name stays: ` as country_code`.
    pub alias: Option<String>,
    /// The item of a list that it is, with the comma that goes with it, where it may be
    /// taken out.
    pub removable: Option<Range<usize>>,
    /// Whether operators may stand next to it.
    pub operand: bool,
    /// How code that is not SQL reads it.
    pub accessor: Option<Box<Accessor>>,
}

/// A column in code: `F.col("c")`, `df.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accessor {
    /// Whose expressions may replace it: a key of the mapping's, as `pyspark`.
    pub language: &'static str,
    /// The code before a name that is read alike.
    pub before: String,
    /// The code behind it.
    pub after: String,
    /// What must stand before all of it where the alias stands behind it.
    pub lead: Option<String>,
    /// What the new name is called by such code, where that is not the name itself.
    pub renamed: Option<String>,
}

/// What a column is in its clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A value.
    Value,
    /// A column that is written.
    Target,
    /// A column of `using`, with the same column of the same dataset on both sides.
    UsingAlike,
    /// A column of `using`, of which one side only is the dataset.
    Using,
    /// A name in `* except (…)` or behind `as` in `* replace (…)`.
    Star,
}

/// What becomes of a column's value.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueUse {
    /// It is counted, grouped by, or `is null`.
    Same,
    /// It is compared with these literals, or they are written into it.
    Literals(Vec<LiteralUse>),
    /// It goes on to where it means something: why that matters.
    Elsewhere(&'static str),
}

/// A literal that is compared with a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiteralUse {
    /// Bytes of the file, with quotes.
    pub range: Range<usize>,
    /// The literal, with quotes.
    pub text: String,
    /// Its value; `None` where a part of it is put in at run time.
    pub value: Option<String>,
    /// Whether it is written in quotes.
    pub quoted: bool,
}

/// Why a unit can't move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Where, in bytes of the file.
    pub range: Range<usize>,
    /// Why, for people.
    pub why: String,
    /// Whether the change set is refused, or a comment is enough.
    pub refuses: bool,
    /// Whether columns leave under names that the unit does not show.
    pub opens: bool,
}

impl Doubt {
    /// One that leaves the unit with a comment.
    pub fn annotate(range: Range<usize>, why: impl Into<String>) -> Self {
        Self { range, why: why.into(), refuses: false, opens: false }
    }

    /// One that refuses.
    pub fn refuse(range: Range<usize>, why: impl Into<String>) -> Self {
        Self { range, why: why.into(), refuses: true, opens: false }
    }

    /// As [`Doubt::annotate`], where columns leave that the unit does not name.
    pub fn open(range: Range<usize>, why: impl Into<String>) -> Self {
        Self { opens: true, ..Self::annotate(range, why) }
    }
}
