//! `code`, `lit`, `edits`, `replace` …: how closures say what should be written.
//! Holes take nodes, code or literals, never bare strings.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, Map};

use super::budget::charge;
use super::error::fail;
use super::explain::plain;
use super::insertion::insertion;
use super::nodes::{RhaiList, RhaiNode};
use super::reference::Api;
use crate::edit::{FileEdit, Fragment};
use crate::language::{FileLanguages, Language, literal, unpaired};
use crate::rule::{
    Comments, Decision, Deletion, Filling, ImportRequest, Replacement, Spoken, Template, deletion, element_gone,
    elements, ended, run_of, written,
};
use crate::symbol::{Manner, Through, Wanted};
use crate::tree::{Node, Tree};

/// Code that a rule writes, before it is known in which language.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Snippet {
    parts: Vec<Part>,
    /// What was handed to `code(…)`, each of which is code by itself.
    templates: BTreeSet<Arc<str>>,
}

impl From<Vec<Part>> for Snippet {
    fn from(parts: Vec<Part>) -> Self {
        Self { parts, templates: BTreeSet::new() }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Fragment(Fragment),
    /// A literal of this value, written as `like` is where that is given.
    Literal {
        value: String,
        like: Option<String>,
    },
    /// True or false.
    Truth(bool),
    /// A path, as the code at its place can speak of it.
    Reference(Reference),
}

/// A path that a rule names: how it is parted is the language's to say, unless the rule says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Path {
    Whole(String),
    Parted(Wanted),
}

/// A path that code speaks of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    pub(super) path: Path,
    /// Paths of the same thing, taken where the file imports them.
    pub(super) others: Vec<Path>,
    /// An import for it brings the module.
    pub(super) through: Through,
    /// Imports that are left without a use go.
    pub(super) orphans: bool,
}

impl Reference {
    pub(super) fn new(path: Path) -> Self {
        Self { path, others: Vec::new(), through: Through::Either, orphans: true }
    }
}

impl Path {
    fn wanted(&self, language: &Language) -> Wanted {
        match self {
            Self::Whole(path) => Wanted::parse(language, path),
            Self::Parted(wanted) => wanted.clone().called(language),
        }
    }
}

/// What an edit asks of the imports.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ImportEdit {
    Add(Path),
    Remove(String),
    Replace(String, Path),
    Rename(String, Path),
    DropOrphans,
}

impl ImportEdit {
    pub(super) fn request(&self, language: &Language) -> ImportRequest {
        match self {
            Self::Add(path) => ImportRequest::Add(path.wanted(language)),
            Self::Remove(path) => ImportRequest::Remove(path.clone()),
            Self::Replace(old, new) => {
                ImportRequest::Replace { old: old.clone(), new: new.wanted(language), rename: false }
            }
            Self::Rename(old, new) => {
                ImportRequest::Replace { old: old.clone(), new: new.wanted(language), rename: true }
            }
            Self::DropOrphans => ImportRequest::DropOrphans,
        }
    }
}

/// One edit that a closure asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EditSpec {
    range: Range<usize>,
    code: Snippet,
    import: Option<ImportEdit>,
    file: Option<FileAsk>,
    indent_at: Option<usize>,
    comments: Option<Comments>,
}

/// What an edit asks of a whole file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FileAsk {
    Create(String, Snippet),
    Rename(String),
    Delete,
}

impl EditSpec {
    pub(super) fn replace(range: Range<usize>, code: Snippet) -> Self {
        Self { range, code, import: None, file: None, indent_at: None, comments: None }
    }

    /// What becomes of the comments that it takes.
    pub(super) fn with_comments(self, comments: Comments) -> Self {
        Self { comments: Some(comments), ..self }
    }

    /// The first byte that it takes.
    pub(super) fn start(&self) -> usize {
        self.range.start
    }

    /// Whether it takes all up to a byte of the file.
    pub(super) fn ends_behind(&self, at: usize) -> bool {
        at <= self.range.end
    }

    /// The same, from another byte on.
    pub(super) fn starting_at(self, start: usize) -> Self {
        Self { range: start..self.range.end, ..self }
    }

    /// The code that it leaves, where that is all, and is of one piece.
    pub(super) fn left(&self) -> Option<Range<usize>> {
        match self.code.parts.as_slice() {
            [Part::Fragment(Fragment::Copy(range))] => Some(range.clone()),
            _ => None,
        }
    }

    /// The same, leaving this code.
    pub(super) fn leaving(self, range: Range<usize>) -> Self {
        let mut code = Snippet::default();
        if !range.is_empty() {
            code.push(Fragment::Copy(range));
        }
        Self { code, ..self }
    }

    /// Whether it takes these bytes, and leaves nothing.
    pub(super) fn is_of(&self, range: &Range<usize>) -> bool {
        self.range == *range && self.code == Snippet::default()
    }

    /// Its lines are indented as the line of this byte is.
    pub(super) fn indented_at(self, at: usize) -> Self {
        Self { indent_at: Some(at), ..self }
    }

    pub(super) fn import(edit: ImportEdit) -> Self {
        Self { import: Some(edit), ..Self::replace(0..0, Snippet::default()) }
    }

    pub(super) fn file(ask: FileAsk) -> Self {
        Self { file: Some(ask), ..Self::replace(0..0, Snippet::default()) }
    }
}

type Fallible<T> = Result<T, Box<EvalAltResult>>;

impl Snippet {
    pub(super) fn reference(to: Reference) -> Self {
        vec![Part::Reference(to)].into()
    }

    pub(super) fn push(&mut self, fragment: Fragment) {
        self.parts.push(Part::Fragment(fragment));
    }

    pub(super) fn append(&mut self, more: &Self) {
        self.parts.extend(more.parts.iter().cloned());
        self.templates.extend(more.templates.iter().cloned());
    }

    /// Whether it holds the code of this range.
    pub(super) fn copies(&self, range: &Range<usize>) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Fragment(Fragment::Copy(copied)) if copied == range))
    }

    pub(super) fn text(text: &str) -> Self {
        vec![Part::Fragment(Fragment::Text(text.to_owned()))].into()
    }

    /// Its text, as far as it is known before it is put in its place.
    pub(super) fn sample(&self, tree: &Tree) -> String {
        let base = tree.base();
        let text = |part: &Part| match part {
            Part::Fragment(Fragment::Text(text)) => text.clone(),
            Part::Fragment(Fragment::Copy(range)) => {
                let local = range.start.saturating_sub(base)..range.end.saturating_sub(base);
                tree.text().get(local).unwrap_or("x").to_owned()
            }
            Part::Literal { .. } | Part::Truth(_) => "0".to_owned(),
            Part::Reference(_) => "x".to_owned(),
        };
        self.parts.iter().map(text).collect()
    }

    /// It, and what parts it from what it is put before or behind.
    pub(super) fn beside(self, gap: &str, before: bool) -> Self {
        let gap = Self::text(gap);
        let (mut first, second) = if before { (self, gap) } else { (gap, self) };
        first.append(&second);
        first
    }

    /// What of it is no code by itself, and the bracket that lacks its other one.
    fn torn(&self, language: &Language) -> Option<(&str, char)> {
        self.templates.iter().find_map(|text| Some((&**text, unpaired(language, text)?)))
    }

    /// Whether it speaks of something that may have to be imported.
    pub(super) fn refers(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Reference(_)))
    }
}

/// An edit in the language of its file.
///
/// # Errors
/// Where a piece of its code is none by itself.
pub(super) fn to_replacement(edit: &EditSpec, tree: &Tree, languages: &FileLanguages) -> Result<Replacement, String> {
    let language = tree.language;
    if let Some((text, bracket)) = edit.code.torn(language) {
        return Err(format!("code({text:?}) is no code by itself: `{bracket}` {UNPAIRED}"));
    }
    let mut imports: Vec<ImportRequest> = edit.import.iter().map(|i| i.request(language)).collect();
    let mut range = edit.range.clone();
    let mut written = Vec::new();
    for part in &edit.code.parts {
        match part {
            Part::Fragment(fragment) => written.push(fragment.clone()),
            Part::Literal { value, like } => {
                written.push(Fragment::Text(literal::write(language, value, like.as_deref())));
            }
            Part::Truth(value) => written.push(Fragment::Text(literal::truth(language, *value).to_owned())),
            Part::Reference(to) => {
                let spoken = spoken(to, edit, tree);
                range = spoken.range;
                written.extend(spoken.code);
                imports.extend(spoken.import);
                imports.extend(to.orphans.then_some(ImportRequest::DropOrphans));
            }
        }
    }
    let fragments = ended(tree, written);
    let file = edit.file.as_ref().map(|ask| file_edit(ask, tree, languages));
    let (indent_at, comments) = (edit.indent_at, edit.comments);
    Ok(Replacement { imports, file, indent_at, comments, ..Replacement::new(range, fragments) })
}

/// How the code of an edit speaks of a path. Where it does nothing else, it takes the place of all that speaks
/// of what the edited node does.
fn spoken(to: &Reference, edit: &EditSpec, tree: &Tree) -> Spoken {
    let language = tree.language;
    let (wanted, at) = (to.path.wanted(language), tree.last_from(edit.range.start.saturating_sub(tree.base())));
    let others: Vec<Wanted> = to.others.iter().map(|path| path.wanted(language)).collect();
    let whole = std::iter::once(at).chain(at.ancestors()).find(|node| node.range() == edit.range);
    let manner = Manner { through: to.through, inherits: to.orphans };
    match whole.filter(|_| edit.code.parts.len() == 1) {
        Some(node) => Spoken::of(node, &wanted, &others, manner),
        None => Spoken { range: edit.range.clone(), ..Spoken::at(at, &wanted, &others, manner) },
    }
}

/// What is asked of a whole file; what it takes from `tree` is taken now.
fn file_edit(ask: &FileAsk, tree: &Tree, languages: &FileLanguages) -> FileEdit {
    let (path, code) = match ask {
        FileAsk::Delete => return FileEdit::Delete,
        FileAsk::Rename(to) => return FileEdit::Rename { to: to.clone() },
        FileAsk::Create(path, code) => (path, code),
    };
    let language = languages.of(path).unwrap_or(tree.language);
    let fragment = |part: &Part| match part {
        Part::Fragment(fragment) => Some(fragment.clone()),
        Part::Literal { value, like } => Some(Fragment::Text(literal::write(language, value, like.as_deref()))),
        Part::Truth(value) => Some(Fragment::Text(literal::truth(language, *value).to_owned())),
        // `create_file` takes none.
        Part::Reference(_) => None,
    };
    let fragments: Vec<Fragment> = code.parts.iter().filter_map(fragment).collect();
    FileEdit::Create { path: path.clone(), text: written(tree, &fragments) }
}

pub(super) fn register(api: &mut Api<'_>) {
    register_types(api);
    register_code(api);
    register_verdicts(api);
    register_edits(api);
}

fn register_types(api: &mut Api<'_>) {
    let example = r#".find("f($X)").rewrite(|m, cx| code("g($X, $Y)", #{ X: m.X, Y: code("h()") })).example("f(1)", "g(1, h())")"#;
    api.type_of::<Snippet>(
        "Code",
        "Code that a rule writes. Only code, nodes and literals can be put into it.",
        example,
    );
    let example = r#".find("f($X)").edit(|m, cx| edits([replace(m.X, lit(2))])).example("f(1)", "f(2)")"#;
    api.type_of::<EditSpec>("Edit", "One change of the file.", example);
    api.type_of::<Vec<EditSpec>>("Edits", "Changes that are made together or not at all.", example);
    let example = r#".find("f($X)").edit(|m, cx| if m.X.text == "1" { annotate("look at this") } else { skip("fine") }).unchanged("f(2)")"#;
    api.type_of::<Decision>("Verdict", "What a closure says instead of edits.", example);
}

fn register_code(api: &mut Api<'_>) {
    let docs = "Code without holes.";
    let example = r#".find("f($_)").rewrite(|m, cx| code("g()")).example("f(1)", "g()")"#;
    api.function("code(text) -> Code", docs, example, |text: &str| code(text, &Map::new()));
    let docs = "Code with holes, and what fills them: nodes, lists, code or literals, never a bare string.";
    let example = r#".find("f($X, $$$R)").rewrite(|m, cx| code("g($$$R, $X)", #{ X: m.X, R: m.R })).example("f(1, 2, 3); f(4)", "g(2, 3, 1); g(4)")"#;
    api.function("code(text, holes) -> Code", docs, example, |text: &str, holes: Map| code(text, &holes));
    let docs = "Nodes and code as one, with this text between them.";
    let example = r#".find("f($X, $Y)").rewrite(|m, cx| code("g($A)", #{ A: codes([m.Y, m.X], ", ") })).example("f(1, 2)", "g(2, 1)")"#;
    api.function("codes(parts, between) -> Code", docs, example, |parts: Array, between: &str| -> Fallible<Snippet> {
        let mut all = Snippet { templates: [between.into()].into(), ..Snippet::default() };
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                all.append(&Snippet::text(between));
            }
            match (part.read_lock::<RhaiNode>(), part.read_lock::<Snippet>()) {
                (Some(node), _) => all.push(Fragment::Copy(node.node().range())),
                (_, Some(code)) => all.append(&code),
                _ => return Err(fail(format!("codes(…) takes nodes and code, not {}", plain(part.type_name())))),
            }
        }
        Ok(all)
    });
    let docs = "The code of a node.";
    let example = r#".find("f($X)").rewrite(|m, cx| code_of(m.X)).example("f(1 + 2)", "1 + 2")"#;
    api.function("code_of(node) -> Code", docs, example, |node: RhaiNode| {
        Snippet::from(vec![Part::Fragment(Fragment::Copy(node.node().range()))])
    });
    let docs = "A literal of this value, as the language writes it: text, a number, true or false.";
    let example = r#".find("f($X)").rewrite(|m, cx| code("f($N, $T)", #{ N: lit(2), T: lit("it's") })).example("f(1)", "f(2, \"it's\")").unchanged("f(2, \"it's\")")"#;
    api.function("lit(value) -> Code", docs, example, |value: Dynamic| lit(&value, None));
    let docs = "A literal of this value, written as that node is: its quotes and prefix.";
    let example = r#".find("f('old')").edit(|m, cx| edits([replace(m.node.find_all(kind("string"))[0], lit_like(m.node.find_all(kind("string"))[0], "new"))])).example("f('old')", "f('new')")"#;
    api.function("lit_like(node, value) -> Code", docs, example, |node: RhaiNode, value: Dynamic| {
        lit(&value, Some(node.node().text().to_owned()))
    });
}

fn register_verdicts(api: &mut Api<'_>) {
    let docs = "Leaves the code, and puts a comment above it for a person to look at.";
    let example = r##".find("f($X)").edit(|m, cx| annotate("f is gone: decide what " + m.X.text + " becomes")).example("f(1)", "# gander[example]: f is gone: decide what 1 becomes\nf(1)")"##;
    let said = |what: &str, text: &str| match text.trim() {
        "" => Err(fail(format!("{what}(…) must say why, to whoever reads it"))),
        _ => Ok(text.to_owned()),
    };
    api.function("annotate(message) -> Verdict", docs, example, move |message: &str| {
        said("annotate", message).map(Decision::Annotate)
    });
    let docs = "Keeps the whole consumer out of the rollout, with this reason.";
    let example = r#".find("f($X)").edit(|m, cx| if m.X.kind == "integer" { skip("harmless") } else { refuse("f of a variable") }).unchanged("f(1)")"#;
    api.function("refuse(reason) -> Verdict", docs, example, move |reason: &str| {
        said("refuse", reason).map(Decision::Refuse)
    });
    let docs = "Says that the match is not meant, and why; the ledger counts it.";
    let example = r#".find("f($X)").edit(|m, cx| skip("never meant")).unchanged("f(1)")"#;
    api.function("skip(reason) -> Verdict", docs, example, |reason: &str| Decision::Skip(reason.to_owned()));
}

fn register_edits(api: &mut Api<'_>) {
    let docs = "The changes that the closure asks for: all of them are made, or none.";
    let example = r#".find("f($X, $Y)").edit(|m, cx| edits([replace(m.X, code("a")), replace(m.Y, code("b"))])).example("f(1, 2)", "f(a, b)")"#;
    api.function("edits(changes) -> Edits", docs, example, |edits: Array| {
        edits
            .into_iter()
            .map(|e| {
                let kind = plain(e.type_name());
                e.try_cast::<EditSpec>().ok_or_else(|| {
                    fail(format!("edits([…]) takes replace(…), delete(…), insert_before(…) …, not {kind}"))
                })
            })
            .collect::<Fallible<Vec<EditSpec>>>()
    });
    let docs = "Puts code in the place of a node.";
    let example = r#".find("f($X)").edit(|m, cx| edits([replace(m.X, code("g($X)", #{ X: m.X }))])).where(#{ X: kind("integer") }).example("f(1)", "f(g(1))")"#;
    api.function("replace(node, code) -> Edit", docs, example, |node: RhaiNode, code: Snippet| {
        EditSpec::replace(node.node().range(), code)
    });
    let docs = "The same, and what becomes of the comments of the node that the code does not hold: `#{ comments: \"drop\" }` lets them go, `\"move\"` puts them above the statement. Without it the edit is refused where it would lose one.";
    let example = r##".find("f($X, $Y)").edit(|m, cx| edits([replace(m.node, code("g($X)", #{ X: m.X }), #{ comments: "move" })])).example("a = f(1,  # one\n      2)\n", "# one\na = g(1)\n")"##;
    api.function(
        "replace(node, code, options) -> Edit",
        docs,
        example,
        |node: RhaiNode, code: Snippet, options: Map| -> Fallible<EditSpec> {
            Ok(EditSpec::replace(node.node().range(), code).with_comments(comments("replace", &options)?))
        },
    );
    let docs = "Puts code right before a node; before a statement, on a line of its own. An error where that would change what the code around it means, as before the only statement of an `if` without braces; code that ends with white space is put right before the node as it is.";
    let example = r#".find("f($X)").edit(|m, cx| edits([insert_before(m.X, code("0, "))])).example("f(1)", "f(0, 1)")"#;
    api.function("insert_before(node, code) -> Edit", docs, example, |node: RhaiNode, code: Snippet| {
        insertion(node.node(), code, true)
    });
    let docs = "Puts code right after a node; after a statement, on a line of its own. An error where it would grow together with the node or end up in another block; code that begins with white space is put right after the node as it is.";
    let example = r##".find(stmt("import old")).when(|m| m.node.next == () || m.node.next.text != "import new").edit(|m, cx| edits([insert_after(m.node, code("import new"))])).example("import old  # why\nf()", "import old  # why\nimport new\nf()")"##;
    api.function("insert_after(node, code) -> Edit", docs, example, |node: RhaiNode, code: Snippet| {
        insertion(node.node(), code, false)
    });
    let docs = "Deletes a node, with its lines where nothing else is on them. Of a node that is all of a statement, the statement goes; what hangs on it, as attributes and decorators do, goes, too, and the separator of an element of a list. An error where the place of an element says what the others are, as in `a, b = c`.";
    let example = r#".find(stmt("import old")).edit(|m, cx| edits([delete(m.node)])).example("import a\nimport old\nf()", "import a\nf()")"#;
    api.function("delete(node) -> Edit", docs, example, |node: RhaiNode| deletion_of(&node));
    let docs = "Deletes an element of a list with the separator that belongs to it.";
    let example = r#".find(kind("keyword_argument")).when(|m| m.node.text == "x=1").edit(|m, cx| edits([delete_element(m.node)])).example("f(x=1, y=2); f(y=2, x=1)", "f(y=2); f(y=2)")"#;
    api.function("delete_element(node) -> Edit", docs, example, |node: RhaiNode| -> Fallible<EditSpec> {
        charge(node.node().parent().map_or(0, |p| p.subtree_len()))?;
        Ok(without(element_gone(node.node()).map_err(fail)?))
    });
    let docs = "The edits that delete several elements of one list, with their separators.";
    let example = r#".find("f($$$X)").when(|m| m.X.nodes.some(|n| n.text == "0")).edit(|m, cx| edits(delete_elements(m.X.nodes.filter(|n| n.text == "0")))).example("f(0, 1, 0)", "f(1)")"#;
    api.function("delete_elements(nodes) -> Array", docs, example, |nodes: Array| delete_elements(&nodes));
}

/// The edit that deletes a node.
pub(super) fn deletion_of(node: &RhaiNode) -> Fallible<EditSpec> {
    let node = node.node();
    charge(node.parent().map_or(0, |p| p.subtree_len()))?;
    // Lines of a literal are its own.
    if node.tree().base() > 0 {
        return Ok(EditSpec::replace(node.range(), Snippet::default()));
    }
    Ok(without(deletion(node).map_err(fail)?))
}

pub(super) fn without((range, left): Deletion) -> EditSpec {
    let parts: Vec<Part> = left.into_iter().map(Part::Fragment).collect();
    EditSpec::replace(range, parts.into()).with_comments(Comments::Deleted)
}

pub(super) fn code(text: &str, holes: &Map) -> Fallible<Snippet> {
    // Fragments carry no literals: each gets a number, and is put in afterwards.
    let mut literals: Vec<Part> = Vec::new();
    let (mut wrong, mut used) = (None, BTreeSet::new());
    let filled = Template::new(text).fill(|name| {
        let (own, value) = holes.get_key_value(name)?;
        used.insert(own.clone());
        match filling(name, value, &mut literals) {
            Ok(filling) => Some(filling),
            Err(error) => {
                wrong = Some(error);
                None
            }
        }
    });
    if let Some(error) = wrong {
        return Err(error);
    }
    let fragments = filled.map_err(|_| {
        let names: Vec<&str> = holes.keys().map(|k| k.as_str()).collect();
        fail(format!("code({text:?}, …) has a hole that is not given; given are: {}", names.join(", ")))
    })?;
    if let Some(name) = holes.keys().find(|name| !used.contains(*name)) {
        return Err(fail(format!("code({text:?}, …) has no hole `${name}`: write it there, or leave `{name}` out")));
    }
    let unmark = |fragment: Fragment| match &fragment {
        Fragment::Copy(range) if range.end == MARK => literals[range.start].clone(),
        _ => Part::Fragment(fragment),
    };
    let parts: Vec<Part> = fragments.into_iter().map(unmark).collect();
    let length = |part: &Part| match part {
        Part::Fragment(Fragment::Text(text)) => text.len(),
        Part::Fragment(Fragment::Copy(_)) => 1,
        Part::Literal { value, .. } => value.len(),
        Part::Reference(_) | Part::Truth(_) => 1,
    };
    // Code that is put into itself doubles with each turn.
    if parts.len() > MAX_PARTS || parts.iter().map(length).sum::<usize>() > MAX_TEXT {
        return Err(fail(format!("code(…) grew over {MAX_PARTS} parts or {} MiB", MAX_TEXT >> 20)));
    }
    let given = holes.values().filter_map(Dynamic::read_lock::<Snippet>);
    let mut templates: BTreeSet<Arc<str>> = given.flat_map(|code| code.templates.clone()).collect();
    templates.insert(text.into());
    Ok(Snippet { parts, templates })
}

/// What is wrong with a bracket that stands alone.
pub(super) const UNPAIRED: &str =
    "has no other one in it; each template, and what fills its holes, is a whole piece of code";

/// Parts of one piece of new code.
const MAX_PARTS: usize = 10_000;
/// Its text, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// No file is this long: the end of a range that stands for a literal's number.
const MARK: usize = usize::MAX;

fn filling(name: &str, value: &Dynamic, literals: &mut Vec<Part>) -> Fallible<Filling> {
    if let Some(node) = value.read_lock::<RhaiNode>() {
        return Ok(Filling::Copy(node.node().range()));
    }
    if let Some(list) = value.read_lock::<RhaiList>() {
        let node = |id| list.tree.node(id);
        return Ok(match (list.ids.first(), list.ids.last()) {
            (Some(first), Some(last)) => Filling::Copy(run_of(node(*first), node(*last))),
            _ => Filling::Nothing,
        });
    }
    if let Some(snippet) = value.read_lock::<Snippet>() {
        let parts = snippet.parts.iter().map(|part| match part {
            Part::Fragment(fragment) => fragment.clone(),
            literal => {
                literals.push(literal.clone());
                Fragment::Copy(literals.len() - 1..MARK)
            }
        });
        return Ok(Filling::Code(parts.collect()));
    }
    Err(fail(format!(
        "hole `{name}` was given {}; it takes a node, a list, code(\"…\") or lit(…), never a bare string",
        plain(value.type_name())
    )))
}

pub(super) fn lit(value: &Dynamic, like: Option<String>) -> Fallible<Snippet> {
    if let Ok(text) = value.clone().into_immutable_string() {
        return Ok(vec![Part::Literal { value: text.to_string(), like }].into());
    }
    if let Ok(truth) = value.as_bool() {
        return Ok(vec![Part::Truth(truth)].into());
    }
    if value.is_int() || value.is_float() {
        return Ok(vec![Part::Fragment(Fragment::Text(value.to_string()))].into());
    }
    Err(fail(format!(
        "a literal is text, a number or true or false, not {}; `None`, `null` and the like are code: code(\"None\")",
        plain(value.type_name())
    )))
}

/// The edits that delete several elements of one list.
fn delete_elements(nodes: &Array) -> Fallible<Array> {
    let nodes: Option<Vec<RhaiNode>> = nodes.iter().map(|n| n.read_lock::<RhaiNode>().map(|n| n.clone())).collect();
    let nodes = nodes.ok_or_else(|| fail("delete_elements([…]) takes nodes"))?;
    let held: Vec<Node<'_>> = nodes.iter().map(RhaiNode::node).collect();
    let ranges = elements(&held).ok_or_else(|| fail("delete_elements([…]) takes elements of one list"))?;
    Ok(ranges.into_iter().map(|r| Dynamic::from(EditSpec::replace(r, Snippet::default()))).collect())
}

/// What the options of an edit say of comments.
fn comments(of: &str, options: &Map) -> Fallible<Comments> {
    if let Some(other) = options.keys().find(|key| *key != "comments") {
        return Err(fail(format!("{of}(…) has no option `{other}`; it has: comments")));
    }
    let policy = options.get("comments").and_then(|value| value.clone().into_immutable_string().ok());
    policy_of(policy.as_deref().unwrap_or_default())
}

/// The policy of this name.
pub(super) fn policy_of(word: &str) -> Fallible<Comments> {
    match word {
        "drop" => Ok(Comments::Drop),
        "move" => Ok(Comments::Move),
        other => Err(fail(format!("comments are dropped or moved: \"drop\" or \"move\", not {other:?}"))),
    }
}
