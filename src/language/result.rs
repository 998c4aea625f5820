//! Which blocks have a value, as languages in which everything is an expression do.

use serde::Deserialize;

/// Where the last of a block is its value, and who has use for it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultFacts {
    /// Kinds of which the last child is the value.
    #[serde(default)]
    pub blocks: Vec<String>,
    /// Whether it is the value only where nothing stands beside it.
    #[serde(default)]
    pub single: bool,
    /// Kinds that hand the value on to what is around them: the branches of an `if`.
    #[serde(default)]
    pub passes: Vec<String>,
    /// Kinds of those that have a value only with an `else`.
    #[serde(default)]
    pub with_else: Vec<String>,
    /// Kinds that make nothing of it: the body of a loop.
    #[serde(default)]
    pub drops: Vec<String>,
    /// Kinds of functions that give nothing where they name no type and have no `=`.
    #[serde(default)]
    pub procedures: Vec<String>,
    /// The types of functions that give nothing.
    #[serde(default)]
    pub nothing: Vec<String>,
    /// Kinds that have no value.
    #[serde(default)]
    pub valueless: Vec<String>,
}
