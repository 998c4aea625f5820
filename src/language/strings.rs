//! What `language.toml` says of string literals.
//!
//! Must not: know a grammar, or any language by name.

use serde::Deserialize;

/// How the language writes strings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StringFacts {
    /// Node kinds of whole literals, quotes included.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Node kinds of texts without quotes.
    #[serde(default)]
    pub plain: Vec<String>,
    /// Node kinds of the holes in them (`${x}`).
    #[serde(default)]
    pub holes: Vec<String>,
    /// Node kinds of what opens a hole, where the hole's own node has only what is in it: `$`, `${`.
    #[serde(default)]
    pub hole_opens: Vec<String>,
    /// Node kinds of what closes one then: `}`.
    #[serde(default)]
    pub hole_closes: Vec<String>,
    /// Whether a hole can't hold the quote that its literal begins with.
    #[serde(default)]
    pub quotes_end_holes: bool,
    /// Node kinds that join literals, with the operators between them.
    #[serde(default)]
    pub joins: Vec<String>,
    /// Whether a backslash escapes, in literals that are not raw.
    #[serde(default)]
    pub escapes: bool,
    /// Prefix letters that make a literal raw.
    #[serde(default)]
    pub raw_prefixes: String,
    /// Prefix letters that make a literal one of bytes.
    #[serde(default)]
    pub byte_prefixes: String,
    /// Whether `\\n`, `\\t`, `\\x41` … mean something, and not only `\\"`.
    #[serde(default = "StringFacts::default_escape_letters")]
    pub escape_letters: bool,
    /// Whether a backslash before a letter that means nothing stands for the letter.
    #[serde(default)]
    pub escapes_any: bool,
    /// Whether `$` opens a hole in literals of the language's own quote.
    #[serde(default)]
    pub interpolates: bool,
    /// Whether backticks in literals of the language's own quote run what stands between them.
    #[serde(default)]
    pub backticks: bool,
    /// The operators of `joins` that put texts together.
    #[serde(default = "StringFacts::default_join_operators")]
    pub join_operators: Vec<String>,
    /// Pairs of characters that stand for their first one in literals with holes: `{{`, `$$`.
    #[serde(default)]
    pub doubled: Vec<String>,
    /// Prefixes of the literals in which `doubled` holds, in lower case; empty for all.
    #[serde(default)]
    pub doubled_prefixes: Vec<String>,
    /// Prefixes of the literals in which `%` says how something is written.
    #[serde(default)]
    pub format_prefixes: Vec<String>,
    /// Quotes around a text whose indentation is stripped, as Java does it.
    #[serde(default)]
    pub stripped_quotes: Vec<String>,
    /// Quotes around a text whose lines lose the indentation of the closing ones, as Swift does it.
    #[serde(default)]
    pub margin_quotes: Vec<String>,
    /// Quotes that are written twice inside of a literal.
    #[serde(default)]
    pub doubled_quotes: Vec<String>,
    /// Opening quotes that make a literal raw.
    #[serde(default)]
    pub raw_quotes: Vec<String>,
    /// The quote that new literals get.
    #[serde(default = "StringFacts::default_quote")]
    pub quote: String,
}

impl StringFacts {
    fn default_escape_letters() -> bool {
        true
    }

    fn default_join_operators() -> Vec<String> {
        vec!["+".to_owned()]
    }

    fn default_quote() -> String {
        "\"".to_owned()
    }
}
