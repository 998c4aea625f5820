//! What `[macro_calls]` of a `language.toml` says: where the tokens that a macro is given are read as a list of
//! expressions.
//!
//! Must not: parse, or know a language by name.

use serde::Deserialize;

use super::kinds::Kinds;

/// `[macro_calls]`: a macro may be given any tokens; where they are a list of expressions, that is what they mean
/// nearly always.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MacroCallFacts {
    /// The node kind of a call; its first child is the name.
    kind: String,
    /// The node kind of what it is given.
    tokens: String,
    /// Between what a list of expressions stands.
    lists: Vec<ListFacts>,
    /// What parts the names of a path.
    path: String,
    /// Macros whose tokens say something else, by the last part of their name.
    #[serde(default)]
    never: Vec<String>,
    /// Macros in which only the first element is an expression.
    #[serde(default)]
    first: Vec<String>,
    /// Macros whose elements are equals, so that any of them may go.
    #[serde(default)]
    equals: Vec<String>,
    /// Node kinds around a call in which it is no expression.
    #[serde(default)]
    outside: Vec<String>,
    /// Node kinds that no element is, though it reads so.
    #[serde(default)]
    except: Vec<String>,
    /// Tokens that may stand before an element and are no part of it.
    #[serde(default)]
    marks: Vec<String>,
    /// Tokens between the name of an element and the element.
    #[serde(default)]
    names: Vec<String>,
    /// Tokens within such a name.
    #[serde(default)]
    dots: Vec<String>,
}

/// What a list of expressions begins with, and code around it in which it is one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListFacts {
    /// What ends with the bracket that opens the list.
    pub before: String,
    /// What begins with the one that closes it.
    pub after: String,
}

/// The same, by the kinds of the grammar.
#[derive(Debug)]
pub struct MacroCalls {
    /// The kind of a call.
    pub call: u16,
    /// The kind of what it is given.
    pub tokens: u16,
    outside: Vec<u16>,
    except: Vec<u16>,
    facts: MacroCallFacts,
}

/// What is read of what a macro is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every element.
    All,
    /// The first one.
    First,
}

impl MacroCalls {
    /// Whether a call in a node of this kind is an expression.
    pub fn is_expression_in(&self, around: u16) -> bool {
        !self.outside.contains(&around)
    }

    /// Whether an element may be of this kind.
    pub fn may_be(&self, element: u16) -> bool {
        !self.except.contains(&element)
    }

    /// The last part of the name of a macro.
    #[must_use]
    pub fn name<'n>(&self, path: &'n str) -> &'n str {
        path.rsplit(self.facts.path.as_str()).next().unwrap_or(path).trim()
    }

    /// How much is read of what the macro of this name is given.
    pub fn extent(&self, name: &str) -> Option<Extent> {
        let is = |names: &[String]| names.iter().any(|known| known == name);
        match () {
            () if is(&self.facts.never) => None,
            () if is(&self.facts.first) => Some(Extent::First),
            () => Some(Extent::All),
        }
    }

    /// Whether any of what the macro of this name is given may go.
    pub fn has_equals(&self, name: &str) -> bool {
        self.facts.equals.iter().any(|known| known == name)
    }

    /// The list that begins with a bracket.
    pub fn list(&self, open: &str) -> Option<&ListFacts> {
        self.facts.lists.iter().find(|list| !open.is_empty() && list.before.ends_with(open))
    }

    /// Whether a token may stand before an element.
    pub fn is_mark(&self, token: &str) -> bool {
        self.facts.marks.iter().any(|mark| mark == token)
    }

    /// Whether a token stands between a name and its element.
    pub fn is_naming(&self, token: &str) -> bool {
        self.facts.names.iter().any(|mark| mark == token)
    }

    /// Whether a token stands within such a name.
    pub fn is_dot(&self, token: &str) -> bool {
        self.facts.dots.iter().any(|mark| mark == token)
    }

    /// Fails with what the grammar lacks.
    pub(super) fn new(facts: &MacroCallFacts, known: &Kinds) -> Result<Self, String> {
        let id = |kind: &String| known.id(kind, true).ok_or_else(|| format!("the grammar has no node kind `{kind}`"));
        let ids = |kinds: &[String]| kinds.iter().map(id).collect::<Result<Vec<u16>, String>>();
        let (outside, except) = (ids(&facts.outside)?, ids(&facts.except)?);
        Ok(Self { call: id(&facts.kind)?, tokens: id(&facts.tokens)?, outside, except, facts: facts.clone() })
    }
}
