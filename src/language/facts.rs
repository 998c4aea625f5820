//! What `grammars/<language>/language.toml` says of a language.
//!
//! Must not: know a grammar, or any language by name.

use serde::Deserialize;

use super::macro_calls::MacroCallFacts;
use super::named::SymbolFacts;
use super::once::{AnchorFacts, EndFacts, Once, Reader, TagFacts};
use super::result::ResultFacts;
use super::strings::StringFacts;

/// `grammars/<language>/language.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The name that rules use.
    pub name: String,
    /// Other names that mean the same.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// File extensions, without the dot, in lower case.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Whole file names.
    #[serde(default)]
    pub filenames: Vec<String>,
    /// Where the libraries that its code uses come from; where none is said, from any.
    pub ecosystem: Option<Ecosystem>,
    /// What starts a comment that ends with the line.
    pub line_comment: Option<String>,
    /// Whether identifiers and keywords ignore ASCII case.
    #[serde(default)]
    pub case_insensitive: bool,
    /// Whether indentation tells blocks apart.
    #[serde(default)]
    pub indented: bool,
    /// What may stand before code on its line and is a part of what is around it: the code goes in by it, too.
    #[serde(default)]
    pub bullets: Vec<String>,
    /// Whether parentheses around an expression change nothing but precedence.
    #[serde(default)]
    pub parentheses: bool,
    /// What needs parentheses in what, though the grammar reads it without.
    #[serde(default)]
    pub needs_parentheses: Vec<Place>,
    /// What can't stand in what, though the grammar reads it.
    #[serde(default)]
    pub refused: Vec<Place>,
    /// What the grammar reads as other code than the language does.
    #[serde(default)]
    pub misread: Vec<Place>,
    /// Kinds of what is a statement, where an expression of the same text could stand: `{}`.
    #[serde(default)]
    pub blocks: Vec<String>,
    /// How operators bind, where the grammar does not have it as the language does.
    #[serde(default)]
    pub operators: OperatorFacts,
    /// Where members of members lie side by side in the grammar.
    #[serde(default)]
    pub chains: Option<ChainFacts>,
    /// Where a statement ends with its line, and the grammar goes on with the next one.
    pub line_ends: Option<LineEndFacts>,
    /// Where what a macro is given is a list of expressions.
    pub macro_calls: Option<MacroCallFacts>,
    /// Whether nodes of the grammar reach over the white space behind them: they are taken to end before it.
    #[serde(default)]
    pub loose_ends: bool,
    /// What can't leave the function, or the loop, that it stands in.
    #[serde(default)]
    pub belongs: Vec<Belonging>,
    /// Whether a line break outside of brackets may end a statement.
    #[serde(default)]
    pub breaks: bool,
    /// Kinds of statements that are read as a part of the line before: a block that is its argument.
    #[serde(default)]
    pub goes_on: Vec<String>,
    /// Kinds of statements that a line break behind their first word ends: `return`.
    #[serde(default)]
    pub restricted: Vec<String>,
    /// What new code begins with where it would go on with a statement that no `;` ends.
    pub guard: Option<String>,
    /// Node kinds that are text between tags, and no code.
    #[serde(default)]
    pub texts: Vec<String>,
    /// Node kinds in which there are tokens and nothing more: what a macro is given.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// Node kinds of code that falls apart beside another token there: `a || b` behind `!`.
    #[serde(default)]
    pub loose: Vec<String>,
    /// Node kinds of macros that are called or defined: such tokens in them are code.
    #[serde(default)]
    pub macros: Vec<String>,
    /// Node kinds that must hold something, though the grammar reads them empty.
    #[serde(default)]
    pub never_empty: Vec<String>,
    /// Places within nodes that must hold something, though the grammar reads them empty.
    #[serde(default)]
    pub hollow: Vec<Hollow>,
    /// What may stand once under one name.
    #[serde(default)]
    pub once: Vec<Once>,
    /// Names that values are given and called by.
    pub anchors: Option<AnchorFacts>,
    /// What a shell says behind its code.
    pub ends: Option<EndFacts>,
    /// Tags of templates around code.
    pub tags: Option<TagFacts>,
    /// Who reads a whole file.
    pub reader: Option<Reader>,
    /// What stands in a block that would be empty.
    pub filler: Option<String>,
    /// What goes on behind the end of a line, where the line ends in this.
    pub continuation: Option<String>,
    /// What goes with an element of a list, and which can't go.
    #[serde(default)]
    pub elements: ElementFacts,
    /// Where blocks have a value.
    #[serde(default)]
    pub results: ResultFacts,
    /// True and false.
    #[serde(default = "Facts::default_truth")]
    pub truth: [String; 2],
    /// How a hole is spelt while a pattern is parsed; `{}` stands for an identifier.
    #[serde(default = "Facts::default_hole")]
    pub hole: String,
    /// Tokens that part list elements: optional after the last one.
    #[serde(default)]
    pub separators: Vec<String>,
    /// Node kinds whose children are a list of equals: `$X` in one means its only child.
    #[serde(default)]
    pub lists: Vec<String>,
    /// Node kinds that `$$$X` does not take in: they say more of what is around the list.
    #[serde(default)]
    pub clauses: Vec<String>,
    /// Node kinds that a pattern is not read without, though nothing is in them but one
    /// name: what the name is of.
    #[serde(default)]
    pub keeps: Vec<String>,
    /// Whether a number that begins with `0` and has only digits is octal.
    #[serde(default)]
    pub old_octals: bool,
    /// What may stand on both sides of a name and is no part of it: the backticks of Kotlin.
    pub name_quote: Option<String>,
    /// Node kinds around code that begins on a line of its own: around one node, they say nothing.
    #[serde(default)]
    pub line_blocks: Vec<String>,
    /// Node kinds of what says the name of code again where that ends: `end old`.
    #[serde(default)]
    pub closing_names: Vec<String>,
    /// What a block of its own lines stands below: `:`, `then`.
    #[serde(default)]
    pub block_heads: Vec<String>,
    /// Node kinds that hold more than a name where there is more: a hole in one is the name, and no more.
    #[serde(default)]
    pub exact: Vec<String>,
    /// Groups of node kinds that the same code has in different places: a pattern of one finds the others.
    #[serde(default)]
    pub alike: Vec<Vec<String>>,
    /// Pairs of node kinds that the same code has in different places and says different things in: braces around
    /// statements, and around a value.
    #[serde(default)]
    pub unlike: Vec<[String; 2]>,
    /// Kinds of parts that the grammar leaves behind what they are parts of, and the kind of that.
    #[serde(default)]
    pub adopted: std::collections::BTreeMap<String, String>,
    /// Node kinds of functions: where follow-ups of an edit in one look.
    #[serde(default)]
    pub functions: Vec<String>,
    /// Node kinds of classes and the like: the same.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Kinds of assignments that hold each other: `x = y = 1`.
    #[serde(default)]
    pub chained: Vec<String>,
    /// How holes of lists are spelt where the plain spelling does not read: members, parameters.
    #[serde(default)]
    pub list_holes: Vec<String>,
    /// Words of the language that the grammar takes for names, by the kind of the name, or by what it is a field of:
    /// a pattern in which one is a name is read otherwise, or not at all.
    #[serde(default)]
    pub reserved: std::collections::BTreeMap<String, Vec<String>>,
    /// Node kinds in which the segments of a path lie side by side: a hole for one that begins it is one segment.
    #[serde(default)]
    pub flat_paths: Vec<String>,
    /// What the grammar reads, and no pattern means: a path of kinds, each a child of the one before. `$$$` is a hole
    /// for many.
    #[serde(default)]
    pub unmeant: Vec<String>,
    /// How a hole for one node may be spelt where an expression can't stand: as the value of an attribute.
    #[serde(default)]
    pub value_holes: Vec<String>,
    /// Node kinds besides string literals whose lines are data: heredocs.
    #[serde(default)]
    pub verbatim: Vec<String>,
    /// Where a pattern may stand, in the order in which they are tried.
    pub context: Vec<Context>,
    /// String literals.
    #[serde(default)]
    pub string: StringFacts,
    /// What `gander new` starts from.
    pub starter: Option<Starter>,
    /// Arguments of calls; where `calls.scm` is.
    #[serde(default)]
    pub arguments: ArgumentFacts,
    /// Names and what they refer to; where `symbols.scm` is.
    #[serde(default)]
    pub symbols: SymbolFacts,
}

/// Who gives the names of libraries their meaning: in another ecosystem, the same name is
/// another library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// crates.io.
    Cargo,
    /// The modules of Go.
    Go,
    /// Maven's repositories, whatever builds with them.
    Jvm,
    /// npm, whatever installs from it.
    Npm,
    /// PyPI.
    Python,
}

/// What goes with a node that is deleted, and what of a list can't go.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElementFacts {
    /// Node kinds that say something of the next sibling, and are nothing without it.
    #[serde(default)]
    pub attached: Vec<String>,
    /// What begins a comment that does the same.
    #[serde(default)]
    pub documents: Vec<String>,
    /// Node kinds that no such comment is about: imports, calls.
    #[serde(default)]
    pub undocumented: Vec<String>,
    /// Node kinds that may go without the name that they have: functions as values.
    #[serde(default)]
    pub nameless: Vec<String>,
    /// Node kinds that are nothing without their last child: `export`.
    #[serde(default)]
    pub carriers: Vec<String>,
    /// Node kinds that are nothing without children, options aside: `extends A`; `kind.field` without those in
    /// that field: `int a`.
    #[serde(default)]
    pub alone: Vec<String>,
    /// How options begin, which say nothing by themselves: `-x`.
    pub option: Option<String>,
    /// Node kinds of which the only one goes with the token before it: `: A`.
    #[serde(default)]
    pub introduced: Vec<String>,
    /// Node kinds of elements behind which an `=` and a value may stand, beside them: `a: Int = 1`; `kind.field` for what is
    /// in that field of it.
    #[serde(default)]
    pub defaults: Vec<String>,
    /// Node kinds of what may stand there without an `=`: `case a(Int)`.
    #[serde(default)]
    pub contents: Vec<String>,
    /// Kinds of lists in which a `;` parts elements.
    #[serde(default)]
    pub semicolons: Vec<String>,
    /// Tokens that part the parts of these kinds as a comma does: `extends_clause with`.
    #[serde(default)]
    pub joins: Vec<String>,
    /// Kinds of lists whose only element has a separator behind it: `(a,)`.
    #[serde(default)]
    pub single: Vec<String>,
    /// Kinds of lists that have no such form.
    #[serde(default)]
    pub never_single: Vec<String>,
    /// Kinds of lists in which the place of an element says what it is; `around.field` for
    /// those in that field of that kind.
    #[serde(default)]
    pub by_place: Vec<String>,
    /// Kinds of elements that say something of those on one side of them: the `*` of Python's parameters.
    #[serde(default)]
    pub markers: std::collections::BTreeMap<String, Marked>,
    /// Kinds that they say nothing of.
    #[serde(default)]
    pub unmarked: Vec<String>,
    /// Where what stands beside a pattern is taken apart by place, as `around.field`, and the kind of that
    /// pattern: `[a, b] = [c, d]`.
    #[serde(default)]
    pub unpacks: std::collections::BTreeMap<String, String>,
    /// Kinds of what is something else, or nothing, without the value in it; `around.field` as above.
    #[serde(default)]
    pub values: Vec<String>,
    /// Where a statement is a whole body, without braces.
    #[serde(default)]
    pub bodies: Vec<String>,
    /// Kinds between a body and the construct that it is a part of: `1 -> f()`.
    #[serde(default)]
    pub branches: Vec<String>,
    /// What such a body is when it is empty.
    #[serde(default)]
    pub body: String,
    /// What lists of these kinds are when they are empty.
    #[serde(default)]
    pub empty: std::collections::BTreeMap<String, String>,
}

/// Kinds of code, in a place that the grammar lets them stand in.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The kinds of the node around it; `kind.field` for what is in that field of it.
    #[serde(default)]
    pub inside: Vec<String>,
    /// Where nothing is inside: every kind but these.
    #[serde(default)]
    pub outside: Vec<String>,
    /// The kinds that the node around it must not be in: in an arm of a `switch`, an expression is its value.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Whether it may also begin that node as a part of a part of it.
    #[serde(default)]
    pub first: bool,
    /// Whether it must end that node, itself or as a part of a part of it.
    #[serde(default)]
    pub last: bool,
    /// Whether it may also be a part of a part of that node, with no brackets between.
    #[serde(default)]
    pub deep: bool,
    /// Kinds whose parts stand where they stand: `(a, b) = c` assigns to `a`.
    #[serde(default)]
    pub through: Vec<String>,
    /// Whether it is about a part that comes to stand there, and not about what a rule writes with all around it.
    #[serde(default)]
    pub part: bool,
    /// The operators of that node; any, if none is named.
    #[serde(default)]
    pub operators: Vec<String>,
    /// What it is: a kind, or a kind and its operator (`binary_expression ||`).
    #[serde(default)]
    pub kinds: Vec<String>,
    /// The word that it begins with.
    #[serde(default)]
    pub word: Option<String>,
    /// The field that it has not.
    #[serde(default)]
    pub lacks: Option<String>,
    /// Whether something stands behind it that is of none of the kinds in `before`.
    #[serde(default)]
    pub followed: bool,
    /// What it may stand before, where it is said to be `followed`.
    #[serde(default)]
    pub before: Vec<String>,
    /// Kinds, or what one begins with, that excuse it where they stand somewhere before it.
    #[serde(default)]
    pub behind: Vec<String>,
    /// Kinds one of which stands beside it.
    #[serde(default)]
    pub beside: Vec<String>,
    /// Where no kinds are named: every kind but these.
    #[serde(default)]
    pub except: Vec<String>,
    /// Whether a node that begins with one of these is one, too, if only the operators differ:
    /// `a?.b.c` goes on with `a?.b`.
    #[serde(default)]
    pub chain: bool,
}

/// A place between two tokens of a node that must hold something.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hollow {
    /// The kinds of the node; `kind.field` for those in that field of that kind.
    pub inside: Vec<String>,
    /// The token before it, or the kind of the node.
    pub after: String,
    /// The tokens, or kinds, that may stand behind it; an empty one is the end of the node.
    pub before: Vec<String>,
    /// Whether nothing can be written there for deleted code.
    #[serde(default)]
    pub unfilled: bool,
    /// Kinds one or two levels around it in which it may be empty: `new A<>()`.
    #[serde(default)]
    pub unless: Vec<String>,
}

/// How operators bind: expressions are put together by that, whatever the grammar says. Empty where
/// the grammar is right.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorFacts {
    /// The tightest first: kinds of operations that bind alike, or kinds and an operator
    /// (`infix_expression &+`), which go before the kinds alone.
    #[serde(default)]
    pub levels: Vec<Vec<String>>,
    /// Kinds whose operator stands before its operand.
    #[serde(default)]
    pub before: Vec<String>,
    /// Kinds whose operator stands behind it, or on either side where `before` has them, too; all
    /// others stand between two.
    #[serde(default)]
    pub behind: Vec<String>,
    /// Kinds, or kinds and an operator, that hold the next of their level on their right:
    /// `a ?? (b ?? c)`.
    #[serde(default)]
    pub right: Vec<String>,
    /// Kinds, or kinds and an operator, that the grammar binds wrongly: only expressions that hold one of these are put
    /// together anew. All, where none is named.
    #[serde(default)]
    pub doubtful: Vec<String>,
    /// Of a kind that is an operation in one place only, what must be around it: the `!` of a
    /// shell's tests is not that of its arithmetic.
    #[serde(default)]
    pub inside: std::collections::BTreeMap<String, String>,
    /// Kinds that may be between: parentheses.
    #[serde(default)]
    pub brackets: Vec<String>,
}

/// Chains of members and indexes that the grammar lays out flat in some places.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainFacts {
    /// The kinds in which it does.
    pub inside: Vec<String>,
    /// Kinds of parts, or their tokens, and the kind of what such a part and all before it are elsewhere.
    pub parts: std::collections::BTreeMap<String, String>,
}

/// Lines that begin a statement of their own, where the grammar takes them for more of the one above.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineEndFacts {
    /// What such a line begins with.
    pub begin: Vec<String>,
    /// Kinds that hold what is before it and behind, or kinds and the word that they begin with.
    pub inside: Vec<String>,
    /// What begins a comment that may stand before that on its line.
    #[serde(default)]
    pub comment: Option<String>,
    /// Kinds between braces in which the grammar asks for an end behind the last statement.
    #[serde(default)]
    pub closed: Vec<String>,
    /// Kinds of statements that lack it where nothing around them was read.
    #[serde(default)]
    pub unended: Vec<String>,
    /// Kinds that the grammar makes of a declaration which lacks it, and the word that one then begins with, before
    /// a name: `infix_expression object`.
    #[serde(default)]
    pub mistaken: Vec<String>,
    /// What ends a statement wherever it stands: one byte, which the parser is given for a blank.
    pub end: String,
}

/// Kinds of code that belong to what is around them: an `await` to its function.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Belonging {
    /// What belongs.
    pub kinds: Vec<String>,
    /// The kinds of what it belongs to: the nearest.
    pub to: Vec<String>,
    /// What one that takes the place of another must have in common with it.
    #[serde(default)]
    pub like: Likeness,
    /// Where new code may hold it, of `to`, where not everywhere: `function_declaration async` has that word.
    #[serde(default)]
    pub homes: Vec<String>,
    /// The same for people: "an `async` function".
    #[serde(default)]
    pub needs: String,
    /// Whether it may also stand where nothing of `to` is around it.
    #[serde(default)]
    pub top: bool,
}

/// What takes the place of a function, a loop and the like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Likeness {
    /// The same kind, and the same word before it: an `await` needs `async`.
    #[default]
    Word,
    /// The same kind.
    Kind,
    /// Any of them: what returns from a function may return from a closure.
    Any,
}

/// On which side of a marker that stands which it speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marked {
    /// What is before it.
    Before,
    /// What is behind it.
    Behind,
}

/// A first rule in this language, and code to try it on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Starter {
    /// What it finds: a pattern or matcher, as a rule writes it. Its only hole is `$X`.
    pub find: String,
    /// What it writes.
    pub replace: String,
    /// Code that it changes.
    pub before: String,
    /// What becomes of that.
    pub after: String,
    /// Code that it leaves alone.
    pub unchanged: String,
}

/// What can't be said in `calls.scm`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArgumentFacts {
    /// Kinds of arguments that may be given by name: the name, `=`, the value.
    #[serde(default)]
    pub named: Vec<String>,
    /// Kinds of what spreads a list over parameters.
    #[serde(default)]
    pub splats: Vec<String>,
    /// Kinds of arguments that stand in the place of their list: `f(x for x in y)`.
    #[serde(default)]
    pub bare: Vec<String>,
    /// Whether an argument without a name may not stand behind one with a name.
    #[serde(default)]
    pub named_last: bool,
    /// The kind of a placeholder that makes a function of what is around it: `_ + 1`.
    #[serde(default)]
    pub placeholder: Option<String>,
    /// Kinds of a member that is called: what it is a member of, and last its name. For queries that
    /// mark what is called as a whole.
    #[serde(default)]
    pub members: Vec<String>,
    /// Kinds of what stands behind the list, and is the last parameter's.
    #[serde(default)]
    pub trailing: Vec<String>,
}

/// A place where a pattern may stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// What rules call it: `expr`, `stmt`, `member`, `type`, `item`.
    pub name: String,
    /// Code before the pattern.
    #[serde(default)]
    pub before: String,
    /// Code after the pattern.
    #[serde(default)]
    pub after: String,
    /// Tried only when asked for by name, or when nothing else fits: here almost
    /// any expression would read, too, and mean something else.
    #[serde(default)]
    pub last_resort: bool,
    /// Of a last resort, node kinds that count as much as other readings: a pattern that reads otherwise, too, has
    /// to say which is meant.
    #[serde(default)]
    pub competes: Vec<String>,
    /// Node kinds that hardly ever stand in such code: with one in it, it does not count.
    #[serde(default)]
    pub unlikely: Vec<String>,
    /// The only node kinds that a pattern is read as here; any, where none is named.
    #[serde(default)]
    pub only: Vec<String>,
    /// Node kinds that a pattern is not read as here, unless the context is asked
    /// for by name: `f(x)` is a call, and hardly ever Rust's type of functions.
    #[serde(default)]
    pub except: Vec<String>,
}

impl Facts {
    /// What says where code may stand: `needs_parentheses`, then `refused`.
    pub fn standing(&self) -> impl Iterator<Item = &Place> {
        self.needs_parentheses.iter().chain(&self.refused)
    }

    fn default_truth() -> [String; 2] {
        ["true", "false"].map(str::to_owned)
    }

    fn default_hole() -> String {
        "{}".to_owned()
    }
}
