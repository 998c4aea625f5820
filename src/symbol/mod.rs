//! What names refer to within one file: scopes, definitions, imports, aliases, and
//! the types that declarations tell; declared for each language in its `symbols.scm`.
//!
//! Three answers: yes, no, and unknown, where the file alone can't tell. Must not:
//! know rules, other files, or any language by name but in the table of queries.

mod answer;
mod build;
mod extension;
mod fields;
mod hidden;
mod library;
mod locals;
mod packages;
mod queries;
mod reach;
mod resolve;
mod typed;
mod types;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::language::Language;
use crate::tree::{Node, NodeId, Tree};

pub use fields::Uses;
pub use library::{Declarations, Library, LibraryError};
pub use reach::{Manner, Reached, Through, Wanted, facts_of, is_in_force};
pub use resolve::{Name, said};
pub use types::Type;

/// Whether something holds, as far as one file can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// The file alone can't tell.
    Unknown,
}

impl Certainty {
    /// Both must hold.
    #[must_use]
    pub fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => other(),
            Self::Unknown => match other() {
                Self::No => Self::No,
                Self::Yes | Self::Unknown => Self::Unknown,
            },
        }
    }

    /// One must hold.
    #[must_use]
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Yes => Self::Yes,
            Self::No => other(),
            Self::Unknown => match other() {
                Self::Yes => Self::Yes,
                Self::No | Self::Unknown => Self::Unknown,
            },
        }
    }

    /// It must not hold.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Names of the languages whose symbols are known.
pub fn languages() -> impl Iterator<Item = &'static str> {
    queries::known()
}

/// Whether the symbols of a language are known.
pub fn speaks(language: &Language) -> bool {
    queries::known().any(|name| name == language.facts.name)
}

/// What the names of one file refer to.
#[derive(Default)]
pub struct Symbols {
    scopes: Vec<Scope>,
    /// For each node: the scope that it stands in.
    scope_of: Vec<u32>,
    definitions: Vec<Definition>,
    /// By scope and name.
    by_name: HashMap<(u32, String), Vec<usize>>,
    by_node: HashMap<NodeId, usize>,
    /// Imports, in order of place.
    imports: Vec<Import>,
    /// Paths that a wildcard import does not bring.
    hidden: HashSet<String>,
    /// The package of the whole file; none where it has several beside each other.
    package: Option<String>,
    /// Where the file says so: in several clauses, where the language chains them.
    package_names: Vec<NodeId>,
    /// For each node that takes a member: the object and the member's name.
    members: HashMap<NodeId, (NodeId, NodeId)>,
    /// For each member's name: the node that takes it, and the object.
    member_names: HashMap<NodeId, (NodeId, NodeId)>,
    /// For each object of which a member is taken: the node that takes it.
    taken_by: HashMap<NodeId, NodeId>,
    /// Expressions that make a value, and the type they name.
    constructs: HashMap<NodeId, NodeId>,
    /// Expressions that are a whole module: `require("m")`.
    modules: HashMap<NodeId, String>,
    /// For the name of what a pattern takes out of an object: the object.
    taken: HashMap<NodeId, NodeId>,
    /// Names by which a class has members that are reached through an object only.
    fields: BTreeSet<NodeId>,
    /// What the code says of fields that are no definitions: a declared type, and a value.
    told: HashMap<NodeId, (Option<NodeId>, Option<NodeId>)>,
    /// Expressions that say of which type a value is, that type, and the function that says it.
    casts: HashMap<NodeId, (NodeId, Option<NodeId>)>,
    /// Expressions that are the object around them, and the name of its class where they say it.
    selves: HashMap<NodeId, Option<NodeId>>,
    /// Parameters that are.
    self_parameters: HashSet<NodeId>,
    /// What has an object of its own, of no class with a name.
    nameless: HashSet<NodeId>,
    /// Names that refer to nothing: those of named arguments.
    labels: HashSet<NodeId>,
    /// Of these, where code jumps to a label that the grammar gives no name of its own.
    jumps: HashSet<NodeId>,
    /// Texts that speak of names: all of a text, or what is in its braces only.
    speaking: HashMap<NodeId, bool>,
    /// Names that may be those of what another file declares.
    doubtful: HashSet<NodeId>,
    written: HashSet<NodeId>,
    /// Names of classes.
    classes: HashSet<NodeId>,
    /// For a declaration of a class: its name.
    class_names: HashMap<NodeId, NodeId>,
    /// For the name of a function: the type of what it gives.
    returns: HashMap<NodeId, NodeId>,
    /// For the name of a class: the types above it.
    parents: HashMap<NodeId, Vec<NodeId>>,
    /// For the name of a type that stands for another one: that type.
    aliases: HashMap<NodeId, NodeId>,
    /// For the name of a class that brings its members to values of another type: that type.
    extends: HashMap<NodeId, NodeId>,
    /// Names of type parameters.
    type_parameters: HashSet<NodeId>,
    /// Its classes and functions by path, made when first asked for.
    declared: std::sync::OnceLock<types::Declared>,
    /// Names that are assigned to somewhere, besides their definition.
    reassigned: HashSet<String>,
    /// Names of which it is known whether the file has room for them.
    free: std::sync::Mutex<HashMap<String, bool>>,
    /// Names of which it is known whether the file speaks by them of what it does not define.
    spoken: std::sync::Mutex<HashMap<String, bool>>,
    /// Names and paths of which it is known whether nothing else has the name.
    sole: std::sync::Mutex<HashMap<(String, String), bool>>,
    /// By where a name is imported: the paths of the members that the file takes of it; none where it says anything else of it.
    taken_all: std::sync::Mutex<HashMap<Option<NodeId>, Arc<Taken>>>,
    /// Names that their imports keep.
    kept: std::sync::Mutex<Kept>,
}

/// Paths of members that a file takes of an import; none where it says anything else of it.
pub type Taken = Option<BTreeSet<String>>;

/// Names that imports keep, though another import could take them.
#[derive(Default)]
struct Kept {
    all: bool,
    names: HashSet<String>,
    /// Names that new imports give, and what they bring.
    claimed: HashMap<String, String>,
}

struct Scope {
    parent: Option<u32>,
    /// The node that opens it; the file has none.
    owner: Option<NodeId>,
    /// Its names are not seen from scopes inside it.
    class: bool,
    /// A `var` in it belongs to it.
    function: bool,
    /// What is around it is not seen from inside.
    module: bool,
}

/// Where a name is introduced.
#[derive(Debug)]
pub struct Definition {
    /// The name's node.
    pub node: NodeId,
    scope: u32,
    /// Seen from this byte on.
    from: usize,
    kind: Kind,
    type_node: Option<NodeId>,
    value: Option<NodeId>,
    /// The member of `value` that it stands for.
    member: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Class,
    /// Index into the imports.
    Import(usize),
}

/// One imported name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The whole statement.
    pub statement: NodeId,
    /// The part of it that imports this name; the statement itself where it imports nothing else.
    pub element: NodeId,
    /// What it imports, segments parted by dots; of a wildcard, what it looks into.
    pub path: String,
    /// The name that it gives it in this file; `None` for a wildcard.
    pub name: Option<String>,
    /// That name as code has to write it: in backticks, where the import has it in them.
    pub written: Option<String>,
    /// The module, where the import tells it apart from the name: `m` of `from m import n`.
    pub module: Option<String>,
}

impl Import {
    /// Whether it brings this path, given in [`normal`] form; a wildcard brings `a.b.*`, and no path by itself.
    pub fn brings(&self, path: &str) -> bool {
        match &self.name {
            Some(_) => normal(&self.path) == path,
            None => [".*", "._"].iter().any(|end| path.strip_suffix(end).is_some_and(|p| p == normal(&self.path))),
        }
    }

    /// The path that it brings, as rules write it.
    pub fn brought(&self) -> String {
        if self.name.is_some() { self.path.clone() } else { format!("{}.*", self.path) }
    }
}

impl Symbols {
    /// The symbols of a tree; made once and kept with it. Empty where the language has none.
    pub fn of(tree: &Tree) -> Arc<Self> {
        let learned = tree.learned.get_or_init(|| Arc::new(build::build(tree)));
        Arc::clone(learned).downcast().unwrap_or_default()
    }

    /// Whether an import of the whole file brings this path at run time, given in
    /// [`normal`] form, under whatever name.
    pub fn brings(&self, tree: &Tree, path: &str) -> bool {
        let top = |i: &Import| {
            let mut around = tree.node(i.statement).ancestors();
            around.all(|a| a.parent().is_none() || a.kind().starts_with("import"))
        };
        let whole = |i: &Import| top(i) && !self.is_for_types(tree, i);
        self.imports.iter().any(|i| i.brings(path) && whole(i))
    }

    /// Whether an import brings nothing that is there at run time.
    pub fn is_for_types(&self, tree: &Tree, import: &Import) -> bool {
        let statement = tree.node(import.statement);
        let element = tree.node(import.element);
        let typed = |text: &str| text.starts_with("type ") || text.starts_with("typeof ");
        let checked = |a: Node<'_>| {
            a.kind() == "if_statement"
                && a.children().find(|c| c.is_named()).is_some_and(|c| c.text().ends_with("TYPE_CHECKING"))
        };
        statement.text().strip_prefix("import").is_some_and(|rest| typed(rest.trim_start()))
            || typed(element.text())
            || element.parent().is_some_and(|p| p.kind() == "import_specifier" && typed(p.text()))
            || statement.ancestors().any(checked)
    }

    fn declared(&self, tree: &Tree) -> &types::Declared {
        self.declared.get_or_init(|| types::Declared::of(tree, self))
    }

    /// Every import, in order of place.
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// The package that the file says it belongs to.
    pub fn package(&self) -> Option<&str> {
        self.package.as_deref()
    }

    /// Whether the node is a name that is introduced where it stands.
    pub fn is_definition(&self, node: Node<'_>) -> bool {
        self.by_node.contains_key(&node.id)
    }

    /// Whether the node is a name that refers to nothing: that of a named argument.
    pub fn labels_by(&self, node: Node<'_>) -> bool {
        self.labels.contains(&node.id)
    }

    /// Whether the node is the label to which code jumps.
    pub fn jumps_by(&self, node: Node<'_>) -> bool {
        self.jumps.contains(&node.id)
    }

    /// Whether the node is assigned to, changed in place, or deleted.
    pub fn is_written(&self, node: Node<'_>) -> bool {
        self.written.contains(&node.id)
    }

    /// Object and name of the member that a node takes, or whose name it is.
    pub fn member_at<'t>(&self, node: Node<'t>) -> Option<(Node<'t>, Node<'t>)> {
        let of_whole = self.members.get(&node.id).copied();
        let of_name = || self.member_names.get(&node.id).map(|(_, object)| (*object, node.id));
        let (object, name) = of_whole.or_else(of_name)?;
        Some((node.tree().node(object), node.tree().node(name)))
    }

    /// Object and name of a member of which no node holds just the two, where it is known what it is: in
    /// Java's `a.B.f(1)` and `a.B::f`, the name stands for both.
    pub fn apart<'t>(&self, name: Node<'t>) -> Option<(Node<'t>, Node<'t>)> {
        let (_, object) = self.member_names.get(&name.id).filter(|(whole, _)| *whole == name.id)?;
        let told = self.names(name);
        let known = !told.is_empty() && !told.contains(&Name::Local(None));
        known.then(|| (name.tree().node(*object), name))
    }

    /// The text by which an expression that is a whole module names it: `"m"` of `require("m")`.
    pub fn module_text<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        let is_text = |n: &Node<'t>| n.tree().language.is_string(n.kind_id());
        node.descendants().find(is_text).filter(|_| self.modules.contains_key(&node.id))
    }

    /// The member that is taken of an object: the node that stands for both.
    pub fn taken_of<'t>(&self, object: Node<'t>) -> Option<Node<'t>> {
        self.taken_by.get(&object.id).map(|whole| object.tree().node(*whole))
    }

    /// The expression that takes the member whose name `node` is, and its object.
    pub fn member_of_name<'t>(&self, node: Node<'t>) -> Option<(Node<'t>, Node<'t>)> {
        let (whole, object) = self.member_names.get(&node.id)?;
        Some((node.tree().node(*whole), node.tree().node(*object)))
    }
}

/// The name that a node is, without what some languages put around one that is a word of theirs: `` `in` ``.
pub fn name_of(node: Node<'_>) -> &str {
    let text = node.text();
    match node.tree().language.facts.symbols.quote.as_deref() {
        Some(quote) => text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)).unwrap_or(text),
        None => text,
    }
}

/// The path that a node says, in [`normal`] form.
fn path_of(node: Node<'_>) -> String {
    match node.tree().language.facts.symbols.quote.as_deref() {
        Some(quote) if node.text().contains(quote) => node.text().replace(quote, ""),
        _ => normal(node.text()),
    }
}

/// A path as rules and code write it, with dots between its segments.
pub fn normal(path: &str) -> String {
    path.replace("::", ".").split_whitespace().collect()
}

#[cfg(test)]
mod tests;
