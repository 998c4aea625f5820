//! From a name in code to what it refers to.

use std::ops::Range;

use super::{Definition, Import, Kind, Symbols, name_of, normal};
use crate::tree::{Node, Tree};

/// What a name refers to. One name may have several, where the file defines it
/// more than once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// This path, through an import.
    Path(String),
    /// Something that the file defines itself; its path, where the file's package tells it.
    Local(Option<String>),
    /// Nothing that the file defines: a built-in, a qualified name, or what a
    /// wildcard import brings.
    Free(String),
}

/// How many aliases of aliases are followed.
const MAX_ALIASES: usize = 16;

impl Symbols {
    /// What a node refers to: a name, a member of what another name refers to, or a
    /// module. Empty for anything else.
    pub fn names(&self, node: Node<'_>) -> Vec<Name> {
        let mut names = self.names_at(node, 0);
        let doubt = self.doubtful.contains(&node.id) || self.may_be_hidden(node);
        names.extend(doubt.then_some(Name::Local(None)));
        names.sort();
        names.dedup();
        names
    }

    fn names_at(&self, node: Node<'_>, depth: usize) -> Vec<Name> {
        let tree = node.tree();
        let facts = &tree.language.facts.symbols;
        if depth > MAX_ALIASES {
            return vec![Name::Local(None)];
        }
        if let Some(path) = self.modules.get(&node.id) {
            return vec![Name::Path(normal(path))];
        }
        if let Some((whole, object)) = self.members.get(&node.id).map(|(o, n)| (*n, *o)).or_else(|| {
            let (_, object) = self.member_names.get(&node.id)?;
            Some((node.id, *object))
        }) {
            return self.member(self.names_at(tree.node(object), depth), name_of(tree.node(whole)));
        }
        let is_name = |n: Node<'_>| facts.names.iter().any(|k| k == n.kind());
        let dotted = |n: Node<'_>| facts.dotted.iter().any(|k| k == n.kind());
        if dotted(node) {
            let all = segments(node);
            let Some((head, rest)) = all.split_first() else { return Vec::new() };
            return rest.iter().fold(self.head(*head, depth), |names, segment| self.member(names, name_of(*segment)));
        }
        if !is_name(node) || self.labels.contains(&node.id) {
            return Vec::new();
        }
        match node.parent().filter(|p| dotted(*p)) {
            None => self.head(node, depth),
            Some(whole) => {
                let until: Vec<Node<'_>> = segments(whole).into_iter().take_while(|c| c.id <= node.id).collect();
                let Some((head, rest)) = until.split_first() else { return Vec::new() };
                rest.iter().fold(self.head(*head, depth), |names, segment| self.member(names, name_of(*segment)))
            }
        }
    }

    pub(super) fn member(&self, names: Vec<Name>, member: &str) -> Vec<Name> {
        let join = |path: String| if path.is_empty() { member.to_owned() } else { format!("{path}.{member}") };
        names
            .into_iter()
            .map(|name| match name {
                Name::Path(path) => Name::Path(join(path)),
                Name::Free(path) => Name::Free(join(path)),
                Name::Local(path) => Name::Local(path.map(join)),
            })
            .collect()
    }

    /// What a name refers to that is no member.
    fn head(&self, node: Node<'_>, depth: usize) -> Vec<Name> {
        let found = self.definitions_of(node);
        let root = node.tree().language.facts.symbols.root.as_deref();
        if found.is_empty() && root == Some(node.text()) {
            return vec![Name::Free(String::new())];
        }
        if found.is_empty() {
            return vec![Name::Free(name_of(node).to_owned())];
        }
        found.into_iter().flat_map(|d| self.meaning(node.tree(), d, depth)).collect()
    }

    /// What a path refers to that a text names where `node` stands.
    pub(super) fn names_of_path(&self, node: Node<'_>, path: &str) -> Vec<Name> {
        let (head, rest) = path.split_once('.').unwrap_or((path, ""));
        let found = self.seen_at(node, head);
        let names = match found.is_empty() {
            true => vec![Name::Free(head.to_owned())],
            false => found.into_iter().flat_map(|d| self.meaning(node.tree(), d, 0)).collect(),
        };
        rest.split('.').filter(|name| !name.is_empty()).fold(names, |names, name| self.member(names, name))
    }

    fn meaning(&self, tree: &Tree, definition: &Definition, depth: usize) -> Vec<Name> {
        if let Kind::Import(index) = definition.kind {
            return vec![Name::Path(normal(&self.imports[index].path))];
        }
        let name = name_of(tree.node(definition.node));
        // `now = datetime.datetime.now`, and never anything else.
        if let Some(value) = definition.value.filter(|_| !self.reassigned.contains(name)) {
            let value = tree.node(value);
            let mut meant = self.names_at(value, depth + 1);
            if let Some(member) = &definition.member {
                meant = self.member(meant, member);
            }
            if !meant.is_empty() && meant.iter().all(|m| matches!(m, Name::Path(_))) {
                return meant;
            }
        }
        let top = self.is_top(tree, definition.scope);
        let package = top.then(|| self.package_at(tree.node(definition.node))).flatten();
        vec![Name::Local(package.map(|p| format!("{p}.{name}")))]
    }

    /// The definitions that a name refers to: all of that name in the nearest scope
    /// that has one.
    pub fn definitions_of(&self, node: Node<'_>) -> Vec<&Definition> {
        let shadows = node.tree().language.facts.symbols.shadows;
        if let Some(own) = self.by_node.get(&node.id).map(|i| &self.definitions[*i]) {
            if shadows && own.from > 0 {
                return vec![own];
            }
            return self.seen_from(own.scope, node, name_of(node));
        }
        self.seen_at(node, name_of(node))
    }

    /// The import that a name refers to, where it is the only thing of that name, or one of
    /// several that bring the same.
    pub fn import_of(&self, node: Node<'_>) -> Option<&Import> {
        let import = |d: &&Definition| match d.kind {
            Kind::Import(index) => self.imports.get(index),
            Kind::Plain | Kind::Class => None,
        };
        let all: Vec<&Import> = self.definitions_of(node).iter().map(import).collect::<Option<_>>()?;
        let first = *all.first()?;
        all.iter().all(|i| normal(&i.path) == normal(&first.path)).then_some(first)
    }

    /// Whether `name` is nothing where `node` stands but what imports of this path bring.
    pub fn brought_at(&self, node: Node<'_>, name: &str, path: &str) -> bool {
        let seen = self.seen_at(node, name);
        let brings = |d: &&Definition| matches!(d.kind, Kind::Import(index) if self.imports[index].brings(path));
        !seen.is_empty() && seen.iter().all(brings)
    }

    /// The definitions that `name` refers to where `node` stands.
    pub(super) fn seen_at(&self, node: Node<'_>, name: &str) -> Vec<&Definition> {
        let Some(scope) = self.scope_of.get(node.id.0 as usize).copied() else { return Vec::new() };
        self.seen_from(scope, node, name)
    }

    fn seen_from(&self, scope: u32, node: Node<'_>, name: &str) -> Vec<&Definition> {
        let shadows = node.tree().language.facts.symbols.shadows;
        let at = node.local_range().start;
        let (mut scope, mut first) = (scope, true);
        let is_type = self.is_in_type_namespace(node).filter(|_| name_of(node) == name);
        loop {
            let here = &self.scopes[scope as usize];
            // Of a class, what stands in it sees its type parameters, and no other names of it.
            let sees = |d: &&Definition| first || !here.class || self.type_parameters.contains(&d.node);
            let all = self.by_name.get(&(scope, name.to_owned())).into_iter().flatten();
            let all = all.map(|i| &self.definitions[*i]).filter(sees);
            let meant = |d: &&Definition| {
                is_type.is_none() || self.names_type(node.tree(), d).is_none_or(|is| Some(is) == is_type)
            };
            let mut seen: Vec<&Definition> = all.filter(|d| d.from <= at || d.node == node.id).filter(meant).collect();
            if shadows && let Some(last) = seen.iter().map(|d| d.from).max().filter(|from| *from > 0) {
                seen.retain(|d| d.from == last);
            }
            if !seen.is_empty() {
                return seen;
            }
            first = false;
            match here.parent.filter(|_| !here.module) {
                Some(up) => scope = up,
                None => return Vec::new(),
            }
        }
    }

    /// Whether a name is one of a type; `None` where the language does not tell types and values apart.
    fn is_in_type_namespace(&self, node: Node<'_>) -> Option<bool> {
        let kinds = &node.tree().language.facts.symbols.types.namespace;
        if kinds.is_empty() {
            return None;
        }
        match self.by_node.get(&node.id).map(|own| &self.definitions[*own]) {
            Some(own) => self.names_type(node.tree(), own),
            None => Some(kinds.iter().any(|k| k == node.kind())),
        }
    }

    /// Whether a definition names a type, and nothing else, or a value; `None` where it may name both.
    fn names_type(&self, tree: &Tree, definition: &Definition) -> Option<bool> {
        let kinds = &tree.language.facts.symbols.types.namespace;
        let node = tree.node(definition.node);
        let is_type = self.type_parameters.contains(&node.id) || kinds.iter().any(|k| k == node.kind());
        (definition.kind == Kind::Plain).then_some(is_type)
    }

    /// Whether an import is meant for other files, or for what a compiler makes of markup.
    fn is_kept(&self, tree: &Tree, statement: Node<'_>, name: &str) -> bool {
        let text = statement.text();
        let rest = tree.text()[statement.local_range().end..].lines().next().unwrap_or_default();
        let marked = |t: &str| ["noqa", "re-export", "reexport", "unused"].iter().any(|mark| t.contains(mark));
        let markup = || matches!(name, "React" | "h") && tree.iter().any(|n| n.kind().starts_with("jsx_"));
        text.starts_with("pub") || is_exported_again(text, name) || marked(text) || marked(rest) || markup()
    }

    /// Whether anything in the file speaks of what an import brings, by its index. A
    /// string that holds its name counts: it may be an annotation, or an export.
    pub fn is_import_used(&self, tree: &Tree, index: usize) -> bool {
        self.is_import_used_at(tree, index, &|_| true)
    }

    /// The same, among some nodes of the file only.
    pub fn is_import_used_at(&self, tree: &Tree, index: usize, among: &dyn Fn(Node<'_>) -> bool) -> bool {
        let Some(name) = self.imports.get(index).and_then(|i| i.name.as_deref()) else { return true };
        let own = tree.node(self.imports[index].statement);
        if self.is_kept(tree, own, name) {
            return true;
        }
        let word = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == name);
        let facts = &tree.language.facts.symbols;
        let texts = facts.named_in_texts;
        // A longer path says what it is, unless the import brings members to what stands before its last name.
        let path = normal(&self.imports[index].path);
        let other = |name: &Name| matches!(name, Name::Path(said) | Name::Free(said) if *said != path);
        let said_otherwise = |n: Node<'_>| {
            let names = self.names(n);
            !facts.extensions && !facts.extension_functions && !names.is_empty() && names.iter().all(other)
        };
        let speaks = |n: Node<'_>| {
            if tree.language.is_string(n.kind_id()) {
                return texts && !self.in_import(n) && word(n.text()) && word(&said(n));
            }
            if n.is_extra() {
                return (n.text().contains("type:") || n.text().contains('@')) && word(n.text());
            }
            if !n.is_leaf() || name_of(n) != name || own.contains(n) || self.is_definition(n) {
                return false;
            }
            let quoted = n.parent().is_some_and(|p| tree.language.is_string(p.kind_id()));
            let quoted = quoted && (!texts || self.in_import(n));
            if quoted || n.kind() == "property_identifier" || self.labels.contains(&n.id) {
                return false;
            }
            let around = n.parent().map_or("", |p| p.kind());
            let member = self.member_names.contains_key(&n.id) || self.is_tail(n);
            // Where members may be imported, one of that name may be this.
            let other = n.kind() == "field_identifier"
                || matches!(around, "attribute" | "method_invocation" | "method_reference" | "field_access")
                || around.ends_with("nested_identifier");
            if member && (other || said_otherwise(n)) {
                return false;
            }
            let within = self.imports.iter().map(|i| tree.node(i.statement)).find(|s| s.contains(n));
            within.is_none_or(|s| {
                let before = tree.text()[..n.local_range().start].trim_end();
                let head = !before.ends_with('.') && !before.ends_with("::");
                // What is chosen from a path is no path of its own.
                let chosen = n.ancestors().take_while(|a| a.id != s.id).any(|a| a.kind().ends_with("_selectors"));
                s.kind().ends_with("_declaration") && head && !chosen
            })
        };
        tree.iter().any(|n| speaks(n) && among(n))
    }

    /// Whether all that is called `name` in the file is a plain use of the one import
    /// that brings `path`, so that another name can take its place everywhere.
    pub fn is_sole(&self, tree: &Tree, name: &str, path: &str) -> bool {
        let key = (name.to_owned(), path.to_owned());
        let mut known = self.sole.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *known.entry(key).or_insert_with(|| matches!(self.besides(tree, name, path), Ok(None)))
    }

    /// What is called `name` in the file and is not certain to be a plain use of the import that brings `path`:
    /// code, a text or a comment that speaks to a tool.
    ///
    /// # Errors
    /// Where something else defines the name.
    pub fn besides<'t>(&self, tree: &'t Tree, name: &str, path: &str) -> Result<Option<Node<'t>>, Node<'t>> {
        let facts = &tree.language.facts.symbols;
        let defined: Vec<usize> =
            self.by_name.iter().filter(|((_, n), _)| n == name).flat_map(|(_, all)| all.iter().copied()).collect();
        // A file may import the same twice.
        let brings = |number: &usize| match self.definitions[*number].kind {
            Kind::Import(index) => Some(index).filter(|i| normal(&self.imports[*i].path) == path),
            Kind::Plain | Kind::Class => None,
        };
        let other = defined.iter().find(|number| brings(number).is_none());
        if let Some(other) = other {
            return Err(tree.node(self.definitions[*other].node));
        }
        let indexes: Vec<usize> = defined.iter().filter_map(brings).collect();
        if indexes.is_empty() {
            return Err(tree.root());
        }
        let own = |n: Node<'_>| indexes.iter().any(|i| tree.node(self.imports[*i].statement).contains(n));
        let word = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == name);
        let covered = |n: Node<'_>| {
            if own(n) {
                return true;
            }
            if tree.language.is_string(n.kind_id()) {
                return !facts.named_in_texts || self.in_import(n) || !word(n.text()) || !word(&said(n));
            }
            if n.is_extra() {
                return !(n.text().contains("type:") || n.text().contains('@')) || !word(n.text());
            }
            if !n.is_leaf() || name_of(n) != name {
                return true;
            }
            let same = |i: &Import| {
                let renamed = i.name.as_deref() != Some(name) && normal(&i.path) == path;
                renamed && tree.node(i.element).contains(n)
            };
            let quoted = n.parent().is_some_and(|p| tree.language.is_string(p.kind_id()));
            if quoted || self.imports.iter().any(same) {
                return true;
            }
            // What is imported from what moves follows it.
            let below = |i: &Import| normal(&i.brought()).starts_with(&format!("{path}."));
            if self.imports.iter().any(|i| below(i) && tree.node(i.statement).contains(n)) {
                return true;
            }
            if self.in_import(n) || n.kind().starts_with("shorthand") {
                return false;
            }
            let exported = |a: Node<'_>| a.kind() == "export_specifier";
            if n.ancestors().any(exported) {
                return false;
            }
            let range = n.local_range();
            let before = tree.text()[..range.start].trim_end();
            let after = tree.text()[range.end..].trim_start();
            let around = n.parent().map_or("", |p| p.kind());
            let member = matches!(n.kind(), "property_identifier" | "field_identifier")
                || self.member_names.contains_key(&n.id)
                || self.is_tail(n);
            let tail = member || before.ends_with(['.', '?']) || before.ends_with("::");
            // A member of something else; not so where members may be imported.
            if tail {
                return matches!(n.kind(), "property_identifier" | "field_identifier")
                    || matches!(around, "attribute" | "method_invocation" | "method_reference" | "field_access")
                    || [Name::Free, Name::Path].iter().any(|is| self.names(n) == [is(path.to_owned())]);
            }
            if self.labels.contains(&n.id) {
                return true;
            }
            let within = |kind: &str| n.ancestors().any(|a| a.kind() == kind);
            if within("token_tree") && after.starts_with(':') && !after.starts_with("::") {
                return false;
            }
            if around == "shorthand_field_initializer" || n.ancestors().any(|a| a.kind().ends_with("_pattern")) {
                return false;
            }
            let introduces = matches!(n.field_name(), Some("name" | "pattern" | "parameter"))
                && !around.starts_with("jsx")
                && !around.ends_with("annotation")
                && around != "method_invocation";
            !introduces
                && !self.is_written(n)
                && facts.names.iter().any(|k| k == n.kind())
                && self.definitions_of(n).iter().all(|d| matches!(d.kind, Kind::Import(i) if indexes.contains(&i)))
                && self.names(n) == [Name::Path(path.to_owned())]
        };
        Ok(tree.iter().find(|n| !covered(*n)))
    }

    /// Whether a name in code resolves to an import, by its index.
    pub fn is_import_meant(&self, tree: &Tree, index: usize) -> bool {
        let Some(name) = self.imports.get(index).and_then(|i| i.name.as_deref()) else { return true };
        let facts = &tree.language.facts.symbols;
        let speaks = |n: Node<'_>| {
            n.is_leaf()
                && name_of(n) == name
                && facts.names.iter().any(|k| k == n.kind())
                && !self.labels.contains(&n.id)
                && !self.member_names.contains_key(&n.id)
                && !self.is_tail(n)
                && !self.in_import(n)
                && self.definitions_of(n).iter().any(|d| d.kind == Kind::Import(index))
        };
        tree.iter().any(speaks)
    }

    /// Whether what an import brings is meant for those who read this file: it is a member of a class.
    pub fn may_be_exported(&self, tree: &Tree, path: &str) -> bool {
        if tree.language.facts.symbols.exporting_files.is_empty() {
            return false;
        }
        let brings = |i: &Import| i.name.is_some() && normal(&i.path) == path;
        self.imports.iter().filter(|import| brings(import)).any(|import| {
            let scope = self.scope_of.get(import.statement.0 as usize).map(|scope| &self.scopes[*scope as usize]);
            scope.is_some_and(|scope| scope.class)
        })
    }

    /// The names that code introduces for what is around it, with the node that ends where they are
    /// seen; the whole file has none.
    pub fn introduced<'t>(&self, tree: &'t Tree, code: &Range<usize>) -> Vec<(Node<'t>, Option<Node<'t>>)> {
        let within = |n: Node<'_>| code.start <= n.local_range().start && n.local_range().end <= code.end;
        let owner = |d: &Definition| self.scopes[d.scope as usize].owner.map(|id| tree.node(id));
        let all = self.definitions.iter().filter(|d| within(tree.node(d.node)));
        let outside = all.filter(|d| owner(d).is_none_or(|owner| !within(owner)));
        outside.map(|d| (tree.node(d.node), owner(d))).collect()
    }

    /// Another thing of a name that is introduced at `node`, for the same scope: a definition of it, or a
    /// use, outside of the code that the name came with.
    pub fn met<'t>(&self, node: Node<'t>, code: &Range<usize>) -> Option<Node<'t>> {
        let within = |n: &Node<'_>| code.start <= n.local_range().start && n.local_range().end <= code.end;
        let own = &self.definitions[*self.by_node.get(&node.id)?];
        let same = self.by_name.get(&(own.scope, name_of(node).to_owned())).into_iter().flatten();
        let mut others = same.map(|at| node.tree().node(self.definitions[*at].node)).filter(|n| !within(n));
        others.next().or_else(|| self.uses(node).certain.into_iter().find(|n| !within(n)))
    }

    /// Whether a name is a later segment of a dotted path.
    pub(super) fn is_tail(&self, node: Node<'_>) -> bool {
        let facts = &node.tree().language.facts.symbols;
        let Some(parent) = node.parent().filter(|p| facts.dotted.iter().any(|k| k == p.kind())) else { return false };
        segments(parent).first().is_some_and(|first| first.id != node.id)
    }

    /// The names of a dotted path up to a node: the path itself, or one of its names.
    pub fn spelled<'t>(&self, node: Node<'t>) -> Vec<Node<'t>> {
        let facts = &node.tree().language.facts.symbols;
        let dotted = |n: &Node<'_>| facts.dotted.iter().any(|k| k == n.kind());
        match std::iter::once(node).chain(node.parent()).find(dotted) {
            Some(whole) if whole.id == node.id => segments(whole),
            Some(whole) => segments(whole).into_iter().take_while(|name| name.id <= node.id).collect(),
            None => Vec::new(),
        }
    }

    /// Whether a node stands inside of an import.
    pub fn in_import(&self, node: Node<'_>) -> bool {
        self.imports.iter().any(|i| node.tree().node(i.statement).contains(node))
    }

    /// Whether the node is the name of a member whose whole expression is a node of its own,
    /// or a segment of a longer path: its first name stands for itself, and with `inner` each but the last
    /// for the path up to it.
    pub fn is_part(&self, node: Node<'_>, inner: bool) -> bool {
        let facts = &node.tree().language.facts.symbols;
        let dotted = |n: &Node<'_>| facts.dotted.iter().any(|k| k == n.kind());
        let long = |n: &Node<'_>| segments(*n).len() > 1;
        let segment = |path: Node<'_>| {
            let all = segments(path);
            let own = all.iter().position(|name| name.id == node.id);
            // What some grammars put into a longer path is the path before its last name.
            !dotted(&node) && !own.is_some_and(|at| at + 1 < all.len() && (at == 0 || inner))
        };
        self.member_names.get(&node.id).is_some_and(|(whole, _)| *whole != node.id)
            || node.parent().filter(|p| dotted(p) && long(p)).is_some_and(segment)
            || dotted(&node) && !long(&node)
    }
}

/// What a string says without its holes, which are code.
pub fn said(string: Node<'_>) -> String {
    let holes = &string.tree().language.facts.string.holes;
    let mut text = string.text().to_owned();
    let start = string.local_range().start;
    let inside = string.named_children().filter(|c| holes.iter().any(|h| h == c.kind()));
    for hole in inside.map(|c| c.local_range()).collect::<Vec<_>>().into_iter().rev() {
        text.replace_range(hole.start - start..hole.end - start, " ");
    }
    text
}

/// Whether an import says `name as name`, as it does for those who read what this file exports.
fn is_exported_again(text: &str, name: &str) -> bool {
    let again = format!("{name} as {name}");
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    text.match_indices(&again)
        .any(|(at, _)| !text[..at].ends_with(is_word) && !text[at + again.len()..].starts_with(is_word))
}

/// The names of a dotted path, in order: some grammars nest the path before the last of them.
fn segments(path: Node<'_>) -> Vec<Node<'_>> {
    let facts = &path.tree().language.facts.symbols;
    let is = |kinds: &[String], node: Node<'_>| kinds.iter().any(|k| k == node.kind());
    let mut names = Vec::new();
    let mut before: Vec<Node<'_>> = vec![path];
    // The part before the last name is the first child: walked down, and read up again.
    while let Some(inner) = before.last().and_then(|n| n.named_children().next()).filter(|n| is(&facts.dotted, *n)) {
        before.push(inner);
    }
    for part in before.into_iter().rev() {
        names.extend(part.named_children().filter(|c| is(&facts.names, *c)));
    }
    names
}
