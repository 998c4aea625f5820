//! One run of `symbols.scm` over a tree → [`Symbols`].

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Definition, Import, Kind, Scope, Symbols, name_of, normal, path_of, queries};
use crate::language::literal;
use crate::tree::{Node, NodeId, Tree};

pub(super) fn build(tree: &Tree) -> Symbols {
    let Some(query) = queries::of(tree.language) else { return Symbols::default() };
    let names = query.capture_names();
    let mut builder = Builder { tree, found: Found::default() };
    tree.each_match(query, |one, numbers| {
        let mut captures: Captures<'_, '_> = Vec::new();
        for capture in one.captures() {
            let name = names[capture.index as usize];
            let id = match name {
                "member" | "construct" | "self" => numbers.itself(capture.node),
                _ => numbers.get(capture.node),
            };
            captures.extend(id.map(|id| (name, tree.node(id))));
        }
        builder.take(&captures);
    });
    builder.found.symbols.labels.extend(tree.iter().filter(|node| node.is_label()).map(|node| node.id));
    builder.finish()
}

type Captures<'n, 't> = Vec<(&'n str, Node<'t>)>;

/// What the captures say, before it is known in which scope each node stands.
#[derive(Default)]
struct Found {
    scopes: BTreeMap<NodeId, Scope>,
    defined: BTreeMap<NodeId, Introduced>,
    /// What further patterns say of a defined name.
    types: HashMap<NodeId, NodeId>,
    values: HashMap<NodeId, (NodeId, Option<String>)>,
    /// From which byte on a name is seen, where that is not where it stands.
    seen: HashMap<NodeId, usize>,
    elsewhere: Vec<NodeId>,
    /// What opens a scope, and has its names seen around it all the same.
    open: HashSet<NodeId>,
    /// Patterns that set what is there, and introduce no names.
    assigned: Vec<NodeId>,
    /// Code that does not see the scope that it lies in.
    outside: HashSet<NodeId>,
    /// First parameters that are not the object after all.
    strangers: Vec<NodeId>,
    imports: BTreeMap<NodeId, (Import, Option<NodeId>)>,
    symbols: Symbols,
}

#[derive(Clone, Copy, PartialEq)]
enum Introduced {
    Here,
    /// In the scope around the one that it names.
    Outer,
    /// In the function around it.
    Hoisted,
}

impl Found {
    /// What a pattern sets is written where it stands; a function in it has names of its own.
    fn undefine(&mut self, tree: &Tree) {
        for pattern in self.assigned.iter().map(|id| tree.node(*id)) {
            let own = |node: &Node<'_>| {
                let mut around = node.ancestors().take_while(|a| a.id != pattern.id && pattern.contains(*a));
                self.defined.contains_key(&node.id) && !around.any(|a| self.scopes.contains_key(&a.id))
            };
            let set: Vec<NodeId> =
                std::iter::once(pattern).chain(pattern.descendants()).filter(own).map(|n| n.id).collect();
            set.iter().for_each(|id| _ = self.defined.remove(id));
            self.symbols.written.extend(set.into_iter().chain(pattern.is_leaf().then_some(pattern.id)));
        }
    }
}

struct Builder<'t> {
    tree: &'t Tree,
    found: Found,
}

fn get<'t>(captures: &Captures<'_, 't>, name: &str) -> Option<Node<'t>> {
    captures.iter().find(|(n, _)| *n == name).map(|(_, node)| *node)
}

impl<'t> Builder<'t> {
    fn take(&mut self, captures: &Captures<'_, 't>) {
        if let Some(part) = get(captures, "import") {
            let kinds = &self.tree.language.facts.symbols.imports;
            let statement = part.ancestors().find(|a| kinds.iter().any(|k| k == a.kind()));
            return self.import(statement.unwrap_or(part), captures);
        }
        let found = &mut self.found;
        let mut named = None;
        for (capture, node) in captures {
            let id = node.id;
            match *capture {
                "scope" | "scope.class" | "scope.function" | "scope.module" => {
                    let scope = found.scopes.entry(id).or_insert(Scope::new());
                    scope.class |= *capture == "scope.class";
                    scope.function |= *capture == "scope.function";
                    scope.module |= *capture == "scope.module";
                }
                "define" => {
                    found.defined.entry(id).or_insert(Introduced::Here);
                    named = Some(id);
                }
                "define.outer" => {
                    found.defined.insert(id, Introduced::Outer);
                    named = Some(id);
                }
                "define.hoisted" => {
                    found.defined.insert(id, Introduced::Hoisted);
                    named = Some(id);
                }
                "name" => named = Some(id),
                "class" => {
                    found.symbols.classes.insert(id);
                }
                "type.parameter" => {
                    found.symbols.type_parameters.insert(id);
                }
                "elsewhere" => found.elsewhere.push(id),
                "open" => {
                    found.open.insert(id);
                }
                "assigned" => found.assigned.push(id),
                "outside" => {
                    found.outside.insert(id);
                }
                "field" => {
                    found.symbols.fields.insert(id);
                }
                "self" => {
                    let of = get(captures, "self.of").map(|of| of.id);
                    let known = found.symbols.selves.entry(id).or_default();
                    *known = known.or(of);
                }
                "self.parameter" => {
                    found.symbols.self_parameters.insert(id);
                }
                "self.never" => found.strangers.push(id),
                "nameless" => {
                    found.symbols.nameless.insert(id);
                }
                "doubtful" => {
                    found.symbols.doubtful.insert(id);
                }
                "speaks" | "speaks.in.braces" => {
                    found.symbols.speaking.insert(id, *capture == "speaks.in.braces");
                }
                "label" | "label.jump" => {
                    found.symbols.labels.insert(id);
                    if *capture == "label.jump" {
                        found.symbols.jumps.insert(id);
                    }
                }
                "write" => found.symbols.write(*node),
                "package" => found.symbols.package_names.push(id),
                _ => {}
            }
        }
        if let Some(name) = named {
            if let Some(node) = get(captures, "type") {
                found.types.insert(name, node.id);
            }
            if let Some(node) = get(captures, "seen.behind") {
                found.seen.insert(name, node.local_range().end);
            }
            if let Some(node) = get(captures, "returns") {
                found.symbols.returns.insert(name, node.id);
            }
            if let Some(node) = get(captures, "parent") {
                found.symbols.parents.entry(name).or_default().push(node.id);
            }
            if let Some(node) = get(captures, "extends") {
                found.symbols.extends.insert(name, node.id);
            }
            if let Some(node) = get(captures, "alias") {
                found.symbols.aliases.insert(name, node.id);
            }
            if let Some(node) = get(captures, "value") {
                // `val (a, b) = f()`: places have no names in the code.
                let place = |name: &str, member: &str| get(captures, name).map(|_| member.to_owned());
                let member = get(captures, "value.member").map(|m| name_of(m).to_owned());
                let member = member.or_else(|| place("value.first", "_1")).or_else(|| place("value.second", "_2"));
                found.values.insert(name, (node.id, member));
            }
        }
        if let (Some(object), Some(name)) = (get(captures, "member.object"), get(captures, "member.name")) {
            // Where a call holds object and name itself, the name stands for both.
            let whole = get(captures, "member").map_or(name.id, |m| m.id);
            found.symbols.members.insert(whole, (object.id, name.id));
            found.symbols.member_names.insert(name.id, (whole, object.id));
        }
        if let (Some(name), Some(object)) = (get(captures, "taken"), get(captures, "taken.from")) {
            found.symbols.taken.insert(name.id, object.id);
        }
        // In a chain that the grammar lays out flat, what holds the part holds all before it.
        if let (Some(part), Some(name)) = (get(captures, "member.part"), get(captures, "member.name"))
            && let Some((whole, object)) = part.parent().and_then(|whole| Some((whole, whole.named_children().next()?)))
        {
            found.symbols.members.insert(whole.id, (object.id, name.id));
            found.symbols.member_names.insert(name.id, (whole.id, object.id));
        }
        if let (Some(whole), Some(of)) = (get(captures, "cast"), get(captures, "cast.type")) {
            let by = get(captures, "cast.function").map(|by| by.id);
            found.symbols.casts.insert(whole.id, (of.id, by));
        }
        if let (Some(whole), Some(of)) = (get(captures, "construct"), get(captures, "construct.type")) {
            found.symbols.constructs.insert(whole.id, of.id);
        }
        if let (Some(whole), Some(path)) = (get(captures, "module"), get(captures, "module.path"))
            && let Some(path) = plain(path)
        {
            found.symbols.modules.insert(whole.id, path);
        }
    }

    fn import(&mut self, statement: Node<'t>, captures: &Captures<'_, 't>) {
        let language = self.tree.language;
        let facts = &language.facts.symbols;
        let (mut path, mut name, mut binds) = (None, None, None);
        let mut module = None;
        let Some((capture, node)) = captures.iter().find(|(n, _)| n.starts_with("import.")) else { return };
        let source = get(captures, "source").and_then(plain);
        let before = source.or_else(|| prefix(statement, *node, &facts.prefix));
        // `{ types: { isDate } }` looks into a member of the module.
        let before = match get(captures, "within") {
            Some(within) => before.map(|before| format!("{before}.{}", within.text())),
            None => before,
        };
        let join = |text: String| match &before {
            Some(before) if before.ends_with('.') => Some(format!("{before}{text}")),
            Some(before) => Some(format!("{before}.{text}")),
            None => Some(text),
        };
        let mut element = *node;
        match *capture {
            "import.first" => {
                let whole = path_of(*node);
                let first = whole.split('.').next().unwrap_or_default().to_owned();
                module = Some(whole);
                (path, name, binds) = (Some(first.clone()), Some(first), Some(*node));
            }
            // One segment of several: the last of them is the name.
            "import.last" if followed_by_dot(*node) => return,
            "import.name" | "import.last" => {
                let text = if language.is_string(node.kind_id()) { plain(*node) } else { Some(path_of(*node)) };
                let Some(text) = text else { return };
                let last = text.rsplit('.').next().unwrap_or_default().to_owned();
                let alias = get(captures, "import.alias");
                if let Some(alias) = alias {
                    element = node.parent().filter(|p| p.contains(alias)).unwrap_or(element);
                }
                binds = Some(alias.unwrap_or(*node));
                name = Some(alias.map_or(last, |a| name_of(a).to_owned()));
                module = before.clone();
                path = join(text);
                // `F => _` keeps a name out.
                if alias.is_some_and(|a| a.kind() == "wildcard") {
                    self.found.symbols.hidden.extend(path);
                    return;
                }
            }
            "import.self" => {
                let whole = before.clone().unwrap_or_default();
                name = whole.rsplit('.').next().map(str::to_owned);
                (path, binds) = (Some(whole), Some(*node));
            }
            "import.module" => {
                (path, name, binds) = (before.clone(), Some(name_of(*node).to_owned()), Some(*node));
                module = before.clone();
            }
            "import.default" => {
                (path, name, binds) = (join("default".to_owned()), Some(name_of(*node).to_owned()), Some(*node));
                module = before.clone();
            }
            "import.path" => {
                let Some(whole) = plain(*node) else { return };
                (name, binds) = (Some(package_name(&whole)), Some(*node));
                module = Some(whole.clone());
                path = Some(whole);
            }
            "import.from" => path = join(path_of(*node)),
            "import.wildcard" => {
                let own = node.named_children().next().map(path_of);
                path = match own {
                    Some(own) => join(own),
                    None => before.clone(),
                };
            }
            _ => {}
        }
        while let Some(around) = element.parent()
            && around.local_range() == element.local_range()
            && around.id != statement.id
            && statement.contains(around)
        {
            element = around;
        }
        let Some(path) = path else { return };
        let unrooted = |path: String| {
            let root = facts.root.as_deref().and_then(|root| path.strip_prefix(root)?.strip_prefix('.'));
            root.map(str::to_owned).unwrap_or(path)
        };
        let (path, module) = (unrooted(path), module.map(unrooted));
        // A wildcard names nothing.
        let last = binds.and_then(|b| std::iter::once(b).chain(b.descendants()).filter(|n| n.is_leaf()).last());
        let written = last.filter(|n| Some(name_of(*n)) == name.as_deref()).map(|n| n.text().to_owned());
        let written = written.or_else(|| name.clone());
        let import = Import { statement: statement.id, element: element.id, path, name, written, module };
        self.found.imports.insert(node.id, (import, binds.map(|b| b.id)));
    }

    fn finish(self) -> Symbols {
        let Builder { tree, mut found } = self;
        found.undefine(tree);
        let mut symbols = found.symbols;
        let mut scopes = vec![Scope { function: true, ..Scope::new() }];
        let mut scope_of: Vec<u32> = Vec::with_capacity(tree.len());
        let mut own: HashMap<NodeId, u32> = HashMap::new();
        for node in tree.iter() {
            let lies = node.parent().map_or(0, |p| own.get(&p.id).copied().unwrap_or(scope_of[p.id.0 as usize]));
            let out = found.outside.contains(&node.id).then(|| scopes[lies as usize].parent).flatten();
            let around = out.unwrap_or(lies);
            scope_of.push(around);
            if let Some(scope) = found.scopes.get(&node.id).filter(|_| node.id.0 != 0) {
                own.insert(node.id, scopes.len() as u32);
                scopes.push(Scope { parent: Some(around), owner: Some(node.id), ..*scope });
            }
        }
        found.strangers.iter().for_each(|id| {
            symbols.self_parameters.remove(id);
        });
        for (whole, (object, _)) in &symbols.members {
            let first = symbols.taken_by.entry(*object).or_insert(*whole);
            *first = (*first).min(*whole);
        }
        for name in &symbols.classes {
            let Some(declaration) = tree.node(*name).parent() else { continue };
            let first = symbols.class_names.entry(declaration.id).or_insert(*name);
            *first = (*first).min(*name);
        }
        symbols.scopes = scopes;
        symbols.scope_of = scope_of;
        symbols.package = symbols.package_of_all(tree);
        let elsewhere: HashSet<(u32, &str)> =
            found.elsewhere.iter().map(|id| (symbols.scope_of[id.0 as usize], name_of(tree.node(*id)))).collect();
        let bound: HashSet<NodeId> = found.imports.values().filter_map(|(_, binds)| *binds).collect();
        for (id, introduced) in found.defined.iter().filter(|(id, _)| !bound.contains(id)) {
            let node = tree.node(*id);
            let here = symbols.scope_of[id.0 as usize];
            let mut scope = match introduced {
                Introduced::Here => here,
                Introduced::Outer => symbols.scopes[here as usize].parent.unwrap_or(0),
                Introduced::Hoisted => symbols.function_around(here),
            };
            let opens =
                |scope: u32| symbols.scopes[scope as usize].owner.is_some_and(|owner| found.open.contains(&owner));
            while let Some(around) = symbols.scopes[scope as usize].parent.filter(|_| opens(scope)) {
                scope = around;
            }
            if elsewhere.contains(&(scope, name_of(node))) {
                scope = 0;
            }
            let (value, member) = found.values.get(id).cloned().map_or((None, None), |(v, m)| (Some(v), m));
            let kind = if symbols.classes.contains(id) { Kind::Class } else { Kind::Plain };
            let from = found.seen.get(id).copied().unwrap_or_else(|| seen_from(node, &found.scopes));
            // Default values of parameters do not see what the body hoists.
            let body = || symbols.scopes[scope as usize].owner.and_then(|owner| tree.node(owner).field("body"));
            let hoisted =
                Some(from).filter(|from| *from == 0 && *introduced == Introduced::Hoisted).and_then(|_| body());
            let from = hoisted.filter(|body| body.contains(node)).map_or(from, |body| body.local_range().start);
            let type_node = found.types.get(id).copied();
            symbols.define(name_of(node), Definition { node: *id, scope, from, kind, type_node, value, member });
        }
        for (import, binds) in found.imports.into_values() {
            if let (Some(name), Some(node)) = (&import.name, binds) {
                let scope = symbols.scope_of[node.0 as usize];
                let kind = Kind::Import(symbols.imports.len());
                let rest = Definition { node, scope, from: 0, kind, type_node: None, value: None, member: None };
                symbols.define(name, rest);
            }
            symbols.imports.push(import);
        }
        let defined = |id: &NodeId| found.defined.contains_key(id);
        for id in found.types.keys().chain(found.values.keys()).filter(|id| !defined(id)) {
            let value = found.values.get(id).filter(|(_, member)| member.is_none()).map(|(value, _)| *value);
            symbols.told.insert(*id, (found.types.get(id).copied(), value));
        }
        // `f(x = 1)` names a parameter, and assigns nothing.
        symbols.written.retain(|id| !symbols.labels.contains(id));
        let written: Vec<NodeId> = symbols.written.iter().filter(|id| !defined(id)).copied().collect();
        symbols.reassigned = written.iter().map(|id| name_of(tree.node(*id)).to_owned()).collect();
        symbols
    }
}

impl Scope {
    fn new() -> Self {
        Self { parent: None, owner: None, class: false, function: false, module: false }
    }
}

impl Symbols {
    /// Notes that a node is written: what is nothing but another node is that one, too, and so are the parts of what
    /// stands around several targets.
    fn write(&mut self, node: Node<'_>) {
        let targets = &node.tree().language.facts.symbols.targets;
        let mut pending = vec![node];
        while let Some(next) = pending.pop() {
            self.written.insert(next.id);
            let whole = next.local_range();
            let around = targets.iter().any(|kind| kind == next.kind());
            pending.extend(next.children().filter(|n| n.is_named() && around || n.local_range() == whole));
        }
    }

    fn define(&mut self, name: &str, definition: Definition) {
        let number = self.definitions.len();
        self.by_name.entry((definition.scope, name.to_owned())).or_default().push(number);
        self.by_node.insert(definition.node, number);
        self.definitions.push(definition);
    }

    fn function_around(&self, scope: u32) -> u32 {
        let mut at = scope;
        while let Some(up) = self.scopes[at as usize].parent.filter(|_| !self.scopes[at as usize].function) {
            at = up;
        }
        at
    }
}

fn followed_by_dot(node: Node<'_>) -> bool {
    let next = node.parent().and_then(|p| p.children().find(|c| c.id > node.id && !node.contains(*c)));
    next.is_some_and(|n| n.text() == ".")
}

/// From which byte on a defined name is seen: what a closure in a declaration defines, at once.
fn seen_from(node: Node<'_>, scopes: &BTreeMap<NodeId, Scope>) -> usize {
    let after = &node.tree().language.facts.symbols.after_declaration;
    if after.is_empty() {
        return 0;
    }
    let near = node.ancestors().take(6).take_while(|a| !scopes.contains_key(&a.id));
    let declaration = near.into_iter().find(|a| after.iter().any(|k| k == a.kind()));
    declaration.map_or(0, |d| d.local_range().end)
}

/// The value of a string that says what it says: no escape, no hole.
fn plain(node: Node<'_>) -> Option<String> {
    if node.text().contains(['\\', '$']) {
        return None;
    }
    literal::value(node.tree().language, node.text())
}

/// What stands before an imported name, in the fields around it, outermost first.
fn prefix(statement: Node<'_>, element: Node<'_>, fields: &[String]) -> Option<String> {
    let mut segments: Vec<String> = Vec::new();
    for around in element.ancestors().take_while(|a| statement.contains(*a)) {
        let children: Vec<Node<'_>> = around.children().collect();
        let own = children.iter().position(|c| c.contains(element)).unwrap_or(children.len());
        let is_prefix = |c: &&Node<'_>| c.is_named() && c.field_name().is_some_and(|f| fields.iter().any(|p| p == f));
        let before = children[..own].iter().rev();
        // `import a.b, c.d`: where an import is a list of paths, each has its own segments.
        let paths = children.get(own).is_some_and(|c| is_prefix(&c));
        let before = before.take_while(|c| !paths || c.text() != ",").filter(is_prefix);
        let mut here: Vec<Node<'_>> = before.copied().collect();
        here.reverse();
        if here.is_empty() && !paths {
            here.extend(children.get(own + 1..).unwrap_or_default().iter().find(is_prefix));
        }
        let texts = here.into_iter().map(|n| plain(n).unwrap_or_else(|| normal(n.text())));
        segments.splice(0..0, texts);
    }
    (!segments.is_empty()).then(|| segments.join("."))
}

/// The name that a package gets by its path: the last segment that is no version.
pub(super) fn package_name(path: &str) -> String {
    let version = |s: &str| s.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let last = path.rsplit('/').find(|s| !version(s)).unwrap_or(path);
    let last = last.rsplit_once('.').filter(|(_, v)| version(v)).map_or(last, |(name, _)| name);
    last.to_owned()
}
