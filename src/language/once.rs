//! What a language says once: keys of a mapping, anchors of a document, tags that open and end.
//!
//! Must not: look at a tree.

use serde::Deserialize;

/// Kinds that may stand once under one name in what is around them: pairs, arguments by name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Once {
    /// The kinds.
    pub kinds: Vec<String>,
    /// The kinds of what is around them.
    pub inside: Vec<String>,
    /// The field of the name; where there is none, the first node that has a name of its own.
    #[serde(default)]
    pub field: String,
    /// The token that a node has where it has a name.
    #[serde(default)]
    pub with: Option<String>,
    /// Whether a name without quotes is the same as the text.
    #[serde(default)]
    pub bare: bool,
    /// Kinds that may come from elsewhere with any name: what stands behind one takes its place on purpose.
    #[serde(default)]
    pub parted_by: Vec<String>,
}

/// Names that a value is given, and is called by elsewhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorFacts {
    /// The kind of the name where it is given.
    pub anchor: String,
    /// The kind of the name where it is called.
    pub alias: String,
    /// The kind of all that knows it.
    pub scope: String,
}

/// Tags of templates, which stand in pairs around code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagFacts {
    /// Their kind.
    pub kind: String,
    /// The kind of what writes a value.
    pub output: String,
    /// The field of their name.
    pub name: String,
    /// The names of those that have another half, whose name is the same behind `end`.
    pub opens: Vec<String>,
    /// What the name of the other half begins with.
    pub end: String,
    /// The names of those that stand between the halves.
    pub parts: Vec<String>,
    /// The kind of a part with which a tag has no other half: `{% set a = 1 %}`.
    pub alone_with: Option<String>,
}

/// What a shell says behind its code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndFacts {
    /// The kind of a mark that ends a text, and stands alone on its line.
    pub mark: String,
    /// What the node around a mark begins with before which tabs may stand.
    pub tabs: String,
    /// Tokens that speak of the one statement before them.
    pub binds: Vec<String>,
}

/// Who reads a whole file, and knows better than the grammar whether it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reader {
    /// The reader of TOML: tables and keys with dots in them are one thing that may be said in many ways.
    Toml,
}

impl Reader {
    /// Why a file is not right, if it is not, and where, in bytes.
    pub fn objects(self, text: &str) -> Option<(usize, String)> {
        match self {
            Self::Toml => {
                let error = text.parse::<toml::Table>().err()?;
                let why = error.message().lines().next().unwrap_or("").to_owned();
                Some((error.span().map_or(0, |span| span.start), why))
            }
        }
    }
}
