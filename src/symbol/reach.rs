//! How code at some place can speak of a path: by a name that the file has already,
//! or by one that an import would bring.

use super::build::package_name;
use super::{Definition, Import, Kind, Name, Symbols, name_of, normal};
use crate::language::{ImportFacts, Language};
use crate::tree::{Node, Tree};

/// One import, told by what it brings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// The module as an import names it.
    pub module: String,
    /// What of it; the module itself where there is none, everything for `*`.
    pub name: Option<String>,
    /// The name that it gets in this file, where that is another.
    pub alias: Option<String>,
}

/// Whether a path is spoken of as a member of its module, or by a name of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Through {
    /// As the file does already; a new import brings the name.
    #[default]
    Either,
    /// The same, and a new import brings the module.
    Module,
    /// By a name of its own, even where the module is there.
    Name,
}

/// How a path is to be spoken of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// As a member of its module, or not.
    pub through: Through,
    /// Whether it may take the name of an import that the edits leave without a use.
    pub inherits: bool,
}

/// What to write for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The code.
    pub text: String,
    /// The import that it needs.
    pub import: Option<Wanted>,
    /// The path whose import gives its name to that one.
    pub heir_of: Option<String>,
}

impl Reached {
    /// What needs no import.
    fn at_once(text: String) -> Self {
        Self { text, import: None, heir_of: None }
    }
}

impl Wanted {
    /// Parts a path at the end of its module: after the last slash where modules are
    /// paths of files, else before the last segment.
    pub fn parse(language: &Language, path: &str) -> Self {
        let path = normal(path);
        let from = if language.facts.symbols.import.file_modules { path.rfind('/').map_or(0, |at| at + 1) } else { 0 };
        let files = language.facts.symbols.import.file_modules;
        let dot = if files { path[from..].find('.').map(|at| at + from) } else { path.rfind('.') };
        let wanted = match dot {
            Some(dot) if dot > 0 => Self {
                module: path[..dot].to_owned(),
                name: Some(path[dot + 1..].to_owned()).map(|n| if n == "_" { "*".to_owned() } else { n }),
                alias: None,
            },
            _ => Self { module: path, name: None, alias: None },
        };
        wanted.called(language)
    }

    /// What a module exports by default has no name of its own: it gets that of the module.
    #[must_use]
    pub fn called(self, language: &Language) -> Self {
        let default = language.facts.symbols.default && self.name.as_deref() == Some("default") && self.alias.is_none();
        let alias = default.then(|| Self { name: None, ..self.clone() }.bound());
        Self { alias: alias.or(self.alias), ..self }
    }

    /// The path that it brings.
    pub fn path(&self) -> String {
        let module = normal(&self.module);
        self.name.as_ref().filter(|n| *n != "*").map_or(module.clone(), |name| format!("{module}.{name}"))
    }

    /// What it is a member of, and its own name.
    pub fn owner(&self, language: &Language) -> Option<(Self, String)> {
        let name = self.name.as_deref().filter(|name| *name != "*")?;
        Some(match name.rsplit_once('.') {
            Some((owner, last)) => (Self { name: Some(owner.to_owned()), ..self.clone() }, last.to_owned()),
            None => (Self::parse(language, &self.module), name.to_owned()),
        })
    }

    /// The name that it gives it.
    pub fn bound(&self) -> String {
        let last = |path: &str| {
            // `a/b/v2` is version 2 of `b`.
            let path = if path.contains('/') { package_name(path) } else { path.to_owned() };
            as_name(path.rsplit(['.', '/', ':']).next().unwrap_or(&path))
        };
        self.alias.clone().unwrap_or_else(|| self.name.clone().unwrap_or_else(|| last(&self.module)))
    }
}

/// `react-dom` is imported as `reactDom`.
fn as_name(segment: &str) -> String {
    let mut parts = segment.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$'));
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    name
}

/// Whether an import has run where code stands, in a language in which it has to.
pub fn is_in_force(statement: Node<'_>, node: Node<'_>) -> bool {
    let facts = facts_of(statement);
    if facts.from_here && node.local_range().start < statement.local_range().end || is_conditional(statement) {
        return false;
    }
    if !facts.runs {
        return true;
    }
    let functions = &node.tree().language.facts.functions;
    let function = |n: &Node<'_>| functions.iter().any(|kind| kind == n.kind());
    // What is called runs later than what stands around it.
    let later = node.ancestors().filter(function).any(|n| !n.contains(statement));
    // What runs in some cases only may not have run.
    let always = statement.parent().is_none_or(|block| block.contains(node));
    always && (later || statement.local_range().start < node.local_range().start)
}

/// Whether what hangs on an import lets it be there in some builds only: `#[cfg(test)]`.
fn is_conditional(statement: Node<'_>) -> bool {
    let facts = &statement.tree().language.facts;
    let siblings = statement.parent().into_iter().flat_map(Node::children).take_while(|n| n.id < statement.id);
    let mut before: Vec<Node<'_>> = siblings.filter(|n| !n.is_extra()).collect();
    let hangs = |n: &Node<'_>| facts.elements.attached.iter().any(|kind| kind == n.kind());
    let conditional =
        |n: &Node<'_>| facts.symbols.import.conditional.iter().any(|mark| n.text().starts_with(mark.as_str()));
    std::iter::from_fn(|| before.pop()).take_while(hangs).any(|n| conditional(&n))
}

/// How a statement imports: most languages know one way, JavaScript three.
pub fn facts_of(statement: Node<'_>) -> &'static ImportFacts {
    let facts = &statement.tree().language.facts.symbols;
    let waits = || statement.descendants().any(|n| n.kind() == "import");
    if facts.require.name.is_empty() || statement.text().starts_with("import") {
        &facts.import
    } else if !facts.dynamic.name.is_empty() && waits() {
        &facts.dynamic
    } else {
        &facts.require
    }
}

/// `default` of a module whose default export may be the module itself is left out.
fn without_default(node: Node<'_>, wanted: &Wanted) -> String {
    let path = wanted.path();
    if node.tree().language.facts.symbols.default { path.replacen(".default", "", 1) } else { path }
}

/// A name and the segments behind it, as code writes them.
fn joined(first: &str, rest: &str, separator: &str) -> String {
    let rest = rest.split('.').filter(|segment| !segment.is_empty());
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join(separator)
}

impl Symbols {
    /// How code at `node` can speak of `wanted`, whose name may have several segments. Of `others`, paths
    /// of the same thing, the first is taken that an import of the file brings a part of which the two do
    /// not share.
    pub fn reach(&self, node: Node<'_>, wanted: &Wanted, others: &[Wanted], manner: Manner) -> Reached {
        let path = wanted.path();
        let shared = |other: &Wanted| {
            let (other, own) = (other.path(), path.split('.'));
            let alike = other.split('.').zip(own).take_while(|(one, two)| one == two);
            alike.map(|(segment, _)| segment.len() + 1).sum::<usize>()
        };
        let preferred = others.iter().find_map(|other| self.imported(node, other, manner.through, shared(other)));
        match preferred.or_else(|| self.imported(node, wanted, manner.through, 0)) {
            Some(text) => Reached::at_once(text),
            None => self.reach_anew(node, wanted, manner),
        }
    }

    /// How code at `node` speaks of a path by a name that an import of the file gives: the one that says
    /// the most, and more than so many bytes of the path.
    fn imported(&self, node: Node<'_>, wanted: &Wanted, through: Through, beyond: usize) -> Option<String> {
        let facts = &node.tree().language.facts.symbols;
        let path = without_default(node, wanted);
        let mut best: Option<(usize, String)> = None;
        for (index, import) in self.imports.iter().enumerate() {
            let (Some(name), Some(written)) = (&import.name, &import.written) else { continue };
            let of = normal(&import.path);
            let of = if facts.default { of.strip_suffix(".default").unwrap_or(&of).to_owned() } else { of };
            // `import a.b` gives `a`, and has read `a.b` only.
            let known = import.module.as_deref().filter(|m| m.len() > of.len() && m.starts_with(&of)).unwrap_or(&of);
            let reaches = path == *known || path.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'));
            let rest = path.get(of.len()..).unwrap_or("");
            let seen = self.seen_at(node, name);
            let certain = !seen.is_empty()
                && seen.iter().all(|d| d.kind == Kind::Import(index))
                && !self.is_for_types(node.tree(), import)
                && (path == *known || self.may_be_whole(node, index))
                && is_in_force(node.tree().node(import.statement), node);
            let itself = through == Through::Name && of.len() == normal(&wanted.module).len();
            let says = beyond < of.len() && best.as_ref().is_none_or(|(len, _)| *len < of.len());
            if reaches && certain && !itself && says {
                best = Some((of.len(), joined(written, rest, &facts.separator)));
            }
        }
        best.map(|(_, text)| text)
    }

    /// How code at `node` speaks of a path that no import of the file brings.
    fn reach_anew(&self, node: Node<'_>, wanted: &Wanted, manner: Manner) -> Reached {
        let facts = &node.tree().language.facts.symbols;
        let separator = facts.separator.as_str();
        let path = without_default(node, wanted);
        let written = |first: &str, rest: &str| joined(first, rest, separator);
        // A class of this file, where nothing else has its name.
        if let Some(name) = wanted.name.as_deref().filter(|name| !name.contains('.')) {
            let declared = self.declared(node.tree());
            let seen = self.seen_at(node, name);
            if !seen.is_empty() && seen.iter().all(|d| declared.path_of(d.node) == Some(path.as_str())) {
                return Reached::at_once(name.to_owned());
            }
        }
        let parted = wanted.name.as_deref().map(|n| n.split_once('.').unwrap_or((n, "")));
        let (first, rest) = parted.unwrap_or_default();
        let module = normal(&wanted.module);
        // What a module is given by what is around it, it does not see.
        if self.is_in_module(node) {
            return Reached::at_once(path.replace('.', separator));
        }
        let known = facts.implicit.contains(&module)
            || self.package_at(node).as_deref() == Some(module.as_str())
            // What runs may bring less than all.
            || !facts.import.runs
                && !self.hidden.contains(&path)
                && self.imports.iter().any(|i| {
                    i.name.is_none()
                        && normal(&i.path) == module
                        && is_in_force(node.tree().node(i.statement), node)
                });
        if known && !first.is_empty() && self.seen_at(node, first).is_empty() {
            return Reached::at_once(written(first, rest));
        }
        // The language reaches members of a module through it only.
        let through = manner.through == Through::Module || facts.import.through_module || first.is_empty();
        let import = Wanted {
            module: wanted.module.clone(),
            name: (!through).then(|| first.to_owned()),
            alias: wanted.alias.clone(),
        };
        // A module that is called is its default export: a namespace is no function.
        let called = matches!(node.field_name(), Some("function" | "constructor"));
        let import = match facts.import.is_whole_default(&module) && called && wanted.name.is_none() {
            true => Wanted { name: Some("default".to_owned()), alias: Some(import.bound()), ..import },
            false => import,
        };
        let tail = if through { wanted.name.as_deref().unwrap_or("") } else { rest };
        let bound = import.bound();
        let free = self.is_free(node, &bound) && self.is_unclaimed(&bound, &import.path());
        let heir_of = if free || !manner.inherits { None } else { self.left_by(node, &bound, &import) };
        if heir_of.is_some() || free {
            return Reached { text: written(&bound, tail), import: Some(import), heir_of };
        }
        if facts.import.name_as.is_empty() && facts.import.module_as.is_empty() {
            return Reached::at_once(path.replace('.', separator));
        }
        let before = module.rsplit(['.', '/', ':']).nth(usize::from(through)).unwrap_or(&module).to_owned();
        let alias = (1..)
            .map(|n| if n == 1 { format!("{before}_{bound}") } else { format!("{before}_{bound}{n}") })
            .map(|alias| alias.replace(|c: char| !c.is_alphanumeric() && c != '_', "_"))
            .find(|alias| self.is_free(node, alias))
            .unwrap_or_default();
        let import = Some(Wanted { alias: Some(alias.clone()), ..import });
        Reached { text: written(&alias, tail), import, heir_of: None }
    }

    /// The path that all imports of a name bring, where they may leave the name to another import: if the edits
    /// leave no use of it, which is only known when they are made.
    fn left_by(&self, node: Node<'_>, name: &str, to: &Wanted) -> Option<String> {
        let tree = node.tree();
        let kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if kept.all || kept.names.contains(name) {
            return None;
        }
        drop(kept);
        let defined = self.by_name.iter().filter(|((_, n), _)| n == name).flat_map(|(_, all)| all);
        let import = |number: &usize| match self.definitions[*number].kind {
            Kind::Import(index) => Some(&self.imports[index]),
            Kind::Plain | Kind::Class => None,
        };
        let imports: Vec<&Import> = defined.map(import).collect::<Option<_>>()?;
        let path = normal(&imports.first()?.path);
        let alike = |i: &&Import| {
            let deeper = i.module.as_deref().is_some_and(|m| normal(m).starts_with(&format!("{path}.")));
            normal(&i.path) == path && !deeper && !self.is_for_types(tree, i)
        };
        let seen = self.seen_at(node, name);
        let statement = |d: &Definition| match d.kind {
            Kind::Import(index) => Some(tree.node(self.imports[index].statement)),
            Kind::Plain | Kind::Class => None,
        };
        let itself = name_of(node) == name || self.member_at(node).is_some_and(|(object, _)| name_of(object) == name);
        let in_force = |d: &&Definition| statement(d).is_some_and(|statement| itself || is_in_force(statement, node));
        let passes = path != to.path() && imports.iter().all(alike) && !seen.is_empty() && seen.iter().all(in_force);
        (passes && !self.is_spoken_of(tree, name)).then_some(path)
    }

    /// Has a name stay with its imports; without one, all names.
    pub fn keep(&self, name: Option<&str>) {
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match name {
            Some(name) => _ = kept.names.insert(name.to_owned()),
            None => kept.all = true,
        }
    }

    /// Has a name that a new import gives be that of one path, and of no other.
    pub fn claim(&self, name: &str, path: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.claimed.entry(name.to_owned()).or_insert_with(|| path.to_owned());
    }

    /// Whether a new import of a path may take a name, as far as others that are new go.
    pub fn is_unclaimed(&self, name: &str, path: &str) -> bool {
        let kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.claimed.get(name).is_none_or(|by| by == path)
    }

    /// How many names their imports keep, or others claim, and whether all.
    pub fn kept(&self) -> (bool, usize) {
        let kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (kept.all, kept.names.len() + kept.claimed.len())
    }

    /// Whether what an import brings is a whole module: what is exported by default is one in modules that the
    /// runtime brings, and where the code at `node` speaks of a member of it as one of the module.
    fn may_be_whole(&self, node: Node<'_>, import: usize) -> bool {
        let one = &self.imports[import];
        let path = normal(&one.path);
        let facts = &node.tree().language.facts.symbols;
        let Some(module) = path.strip_suffix(".default").filter(|_| facts.default) else { return true };
        let first = std::iter::successors(Some(node), |n| n.named_children().next()).last().unwrap_or(node);
        let itself = || {
            Some(name_of(first)) == one.name.as_deref()
                && self.definitions_of(first).iter().all(|d| d.kind == Kind::Import(import))
        };
        facts.import.is_whole_default(module) || itself()
    }

    /// Whether a node stands in a module within the file.
    fn is_in_module(&self, node: Node<'_>) -> bool {
        let scope = self.scope_of.get(node.id.0 as usize).map(|scope| &self.scopes[*scope as usize]);
        let mut around = std::iter::successors(scope, |s| s.parent.map(|up| &self.scopes[up as usize]));
        around.any(|scope| scope.module)
    }

    /// Whether a new import may take a name: nothing in the file has it, and nothing
    /// that the file does not define is spoken of by it.
    pub fn is_free(&self, node: Node<'_>, name: &str) -> bool {
        let mut known = self.free.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(free) = known.get(name) {
            return *free;
        }
        let free = self.has_room(node.tree(), name);
        known.insert(name.to_owned(), free);
        free
    }

    fn has_room(&self, tree: &Tree, name: &str) -> bool {
        !self.by_name.keys().any(|(_, n)| n == name) && !self.is_spoken_of(tree, name)
    }

    /// Whether the file speaks by a name of what it does not define. Each match may ask it of the same name.
    fn is_spoken_of(&self, tree: &Tree, name: &str) -> bool {
        let mut known = self.spoken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(spoken) = known.get(name) {
            return *spoken;
        }
        let spoken = self.has_strange(tree, name);
        known.insert(name.to_owned(), spoken);
        spoken
    }

    fn has_strange(&self, tree: &Tree, name: &str) -> bool {
        let facts = &tree.language.facts.symbols;
        let spoken = |n: Node<'_>| {
            n.is_leaf()
                && name_of(n) == name
                && facts.names.iter().any(|k| k == n.kind())
                && !self.member_names.contains_key(&n.id)
                && !self.is_tail(n)
                && self.names(n).iter().any(|is| matches!(is, Name::Free(_)))
        };
        tree.iter().any(spoken)
    }
}
