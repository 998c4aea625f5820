//! Of which type an expression is: what declarations, constructors, literals and calls
//! tell, in the file itself and in what is declared for it elsewhere.
//!
//! Nothing is guessed: what several declarations tell differently, or none, is not known.

mod parameters;

use std::collections::{HashMap, HashSet};

use parameters::{Env, environment, filled};

use super::fields::Whose;
use super::library::Library;
use super::{Certainty, Definition, Kind, Name, Symbols, name_of};
use crate::pattern::{Call, call_at};
use crate::tree::{Node, NodeId, Tree};

/// A type: a path, and what it is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// The path of the class, as [`super::normal`] writes it.
    pub path: String,
    /// Its arguments; `None` for one that is not known.
    pub args: Vec<Option<Type>>,
    /// Whether the path is certain: a wildcard import may bring another of that name.
    pub certain: bool,
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)?;
        if self.args.is_empty() {
            return Ok(());
        }
        let each: Vec<String> = self.args.iter().map(|a| a.as_ref().map_or("_".to_owned(), Self::to_string)).collect();
        write!(f, "[{}]", each.join(", "))
    }
}

impl Type {
    fn new(path: &str, args: Vec<Option<Self>>) -> Self {
        Self { path: path.to_owned(), args, certain: true }
    }

    /// The type of the values of a class.
    pub(super) fn of_class(path: &str) -> Self {
        Self::new(path, Vec::new())
    }

    /// The last segment of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit(['.', '\'']).next().unwrap_or(&self.path)
    }
}

/// How many steps are taken from one expression to the next.
const MAX_STEPS: usize = 32;
/// How many classes above one are looked at.
const MAX_PARENTS: usize = 64;

/// Whose member is meant: where a class has a companion, the two have their own.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Class,
    Value,
    Any,
}

impl Of {
    /// Whether the members of the class with this name are meant.
    fn fits(self, class: Node<'_>) -> bool {
        let objects = &class.tree().language.facts.symbols.types.objects;
        let object = class.parent().is_some_and(|declared| objects.iter().any(|k| k == declared.kind()));
        objects.is_empty() || self == Self::Any || object == (self == Self::Class)
    }
}

/// What a tree declares: its classes, by path, and what belongs to each.
#[derive(Default)]
pub(super) struct Declared {
    /// Names of classes, by path; several where a class has a companion.
    pub(super) classes: HashMap<String, Vec<NodeId>>,
    /// Functions of the file, by path.
    pub(super) functions: HashMap<String, Vec<NodeId>>,
    /// Types that names of the file stand for, by path.
    pub(super) aliases: HashMap<String, NodeId>,
    paths: HashMap<NodeId, String>,
    /// Names that stand right in the scope that a node opens, in order.
    within: HashMap<NodeId, Vec<NodeId>>,
    /// Names of members, by the name of their class.
    pub(super) members: HashMap<NodeId, Vec<NodeId>>,
    /// The same, of what is reached through an object only.
    pub(super) fields: HashMap<NodeId, Vec<NodeId>>,
    /// The same, of fields that are no definitions and of which the code says a type or a value.
    pub(super) told: HashMap<NodeId, Vec<NodeId>>,
    /// Names of members that the file assigns to, of whatever object.
    pub(super) assigned: HashMap<String, Vec<NodeId>>,
    /// Names of classes of which an object is changed as a whole.
    pub(super) rewritten: HashSet<NodeId>,
}

impl Declared {
    /// The path of the class that has its name there.
    pub(super) fn path_of(&self, name: NodeId) -> Option<&str> {
        self.paths.get(&name).map(String::as_str)
    }

    pub(super) fn of(tree: &Tree, symbols: &Symbols) -> Self {
        let (fields, assigned) = (symbols.fields_by_class(tree), symbols.assigned(tree));
        let (told, rewritten) = (symbols.told_by_class(tree), symbols.rewritten(tree));
        let mut declared = Self { fields, assigned, told, rewritten, ..Self::default() };
        let below = |path: &str, name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let package = |d: &Definition| symbols.package_at(tree.node(d.node)).unwrap_or_default();
        // Names come in the order of the file: a class before what is in it.
        let mut all: Vec<&Definition> = symbols.definitions.iter().collect();
        all.sort_by_key(|d| d.node);
        for definition in all {
            let name = name_of(tree.node(definition.node));
            if let Some(opens) = symbols.scopes.get(definition.scope as usize).and_then(|scope| scope.owner) {
                declared.within.entry(opens).or_default().push(definition.node);
            }
            let owner = symbols.class_around(tree, definition);
            if let Some(owner) = owner {
                declared.members.entry(owner).or_default().push(definition.node);
            }
            let around = match owner {
                Some(owner) => declared.paths.get(&owner).cloned(),
                None => symbols.is_top(tree, definition.scope).then(|| package(definition)),
            };
            let Some(around) = around else { continue };
            let path = below(&around, name);
            if definition.kind == Kind::Class {
                declared.paths.insert(definition.node, path.clone());
                declared.classes.entry(path).or_default().push(definition.node);
            } else if let Some(alias) = symbols.aliases.get(&definition.node) {
                declared.aliases.insert(path, *alias);
            } else if owner.is_none() && symbols.returns.contains_key(&definition.node) {
                declared.functions.entry(path).or_default().push(definition.node);
            }
        }
        declared
    }
}

impl Symbols {
    /// The name of the class that a definition is a member of.
    pub(super) fn class_around(&self, tree: &Tree, definition: &Definition) -> Option<NodeId> {
        let scope = self.scopes.get(definition.scope as usize)?;
        let owner = tree.node(scope.owner?);
        let class = |node: Node<'_>| node.named_children().map(|c| c.id).find(|id| self.classes.contains(id));
        class(owner).or_else(|| owner.parent().filter(|_| !scope.function).and_then(class))
    }

    /// The type parameters of the class or function that has this name, in order.
    fn parameters_of<'t>(&self, name: Node<'t>) -> Vec<Node<'t>> {
        let Some(declaration) = name.parent() else { return Vec::new() };
        let within = self.declared(name.tree()).within.get(&declaration.id).into_iter().flatten();
        within.filter(|id| self.type_parameters.contains(id)).map(|id| name.tree().node(*id)).collect()
    }

    /// Of which type an expression is, or which type a type expression means.
    pub fn type_of(&self, node: Node<'_>) -> Option<Type> {
        // The name of a member, of a parameter or of what is called is no expression.
        let called = || node.ancestors().take(3).filter_map(call_at).any(|call| call.name.id == node.id);
        if self.labels.contains(&node.id) || self.member_names.contains_key(&node.id) || called() {
            return None;
        }
        Types::of(node.tree()).infer(node, 0)
    }

    /// Whether a type is one of these, or one below them.
    pub fn is_a(&self, tree: &Tree, is: &Type, sought: &dyn Fn(&str) -> bool) -> Certainty {
        Types::of(tree).is_a(is, sought)
    }
}

/// What is known where one file is read.
pub(super) struct Types<'t> {
    file: &'t Tree,
    beside: Vec<std::sync::Arc<Library>>,
}

impl<'t> Types<'t> {
    pub(super) fn of(file: &'t Tree) -> Self {
        Self { file, beside: Library::of(file) }
    }

    /// The names of the classes that have this path.
    pub(super) fn classes(&self, path: &str) -> Vec<Node<'_>> {
        let symbols = Symbols::of(self.file);
        let own = symbols.declared(self.file).classes.get(path).into_iter().flatten();
        let mut all: Vec<Node<'_>> = own.map(|id| self.file.node(*id)).collect();
        all.extend(self.beside.iter().flat_map(|library| library.classes(path)));
        all
    }

    fn functions(&self, path: &str) -> Vec<Node<'_>> {
        let symbols = Symbols::of(self.file);
        let own = symbols.declared(self.file).functions.get(path).into_iter().flatten();
        let mut all: Vec<Node<'_>> = own.map(|id| self.file.node(*id)).collect();
        all.extend(self.beside.iter().flat_map(|library| library.functions(path)));
        all
    }

    /// The type that a path stands for, where it is declared as an alias.
    pub(super) fn alias(&self, path: &str, step: usize) -> Option<Type> {
        let library = self.beside.iter().find_map(|library| library.alias(path))?;
        self.read(library, step + 1)
    }

    /// The path that a name in a file stands for, where it names a class.
    fn resolve(&self, node: Node<'_>) -> Option<Type> {
        let symbols = Symbols::of(node.tree());
        let definitions = symbols.definitions_of(node);
        if !definitions.is_empty() && definitions.iter().all(|d| symbols.type_parameters.contains(&d.node)) {
            // What bounds it is above it.
            let bounds = definitions.iter().filter_map(|d| symbols.parents.get(&d.node)).flatten();
            let bounds = bounds.map(|id| self.read(node.tree().node(*id), 1)).collect();
            return Some(Type::new(&format!("'{}", node.text()), bounds));
        }
        if let [one] = definitions.as_slice() {
            if let Some(path) = symbols.declared(node.tree()).paths.get(&one.node) {
                return Some(Type::new(path, Vec::new()));
            }
            if let Some(alias) = symbols.aliases.get(&one.node) {
                return self.read(node.tree().node(*alias), 1);
            }
        }
        match symbols.names(node).as_slice() {
            [Name::Path(path) | Name::Local(Some(path))] => Some(Type::new(path, Vec::new())),
            [Name::Free(written)] => Some(self.free(&symbols, node.tree(), written)),
            _ => None,
        }
    }

    /// A name that the file does not define: of its package, of a wildcard import, or of
    /// what needs no import.
    fn free(&self, symbols: &Symbols, tree: &Tree, written: &str) -> Type {
        let facts = &tree.language.facts.symbols;
        let wildcards = || symbols.imports.iter().filter(|i| i.name.is_none()).map(|i| i.path.clone());
        let modules = symbols.package.iter().cloned().chain(wildcards()).chain(facts.implicit.iter().cloned());
        let literals = &facts.types.literals;
        let known = |path: &String| !self.classes(path).is_empty() || literals.values().any(|class| class == path);
        let candidates = modules.map(|module| format!("{module}.{written}")).chain([written.to_owned()]);
        for path in candidates {
            if let Some(is) = self.alias(&path, 1) {
                return Type { args: Vec::new(), ..is };
            }
            if known(&path) {
                return Type::new(&path, Vec::new());
            }
        }
        if let Some(module) = facts.implicit.first().filter(|_| facts.types.known.iter().any(|k| k == written)) {
            return Type::new(&format!("{module}.{written}"), Vec::new());
        }
        let several = symbols.package.is_none() && !symbols.package_names.is_empty();
        let certain = wildcards().next().is_none() && !several || written.contains('.');
        let path = match &symbols.package {
            Some(package) if !written.contains('.') => format!("{package}.{written}"),
            _ => written.to_owned(),
        };
        Type { path, args: Vec::new(), certain }
    }

    /// What a type expression means.
    pub(super) fn read(&self, node: Node<'_>, step: usize) -> Option<Type> {
        let language = node.tree().language;
        let (facts, types) = (&language.facts.symbols, &language.facts.symbols.types);
        let is = |kinds: &[String], node: Node<'_>| kinds.iter().any(|k| k == node.kind());
        if step > MAX_STEPS {
            return None;
        }
        let each =
            |nodes: &mut dyn Iterator<Item = Node<'_>>| nodes.map(|n| self.read(n, step + 1)).collect::<Vec<_>>();
        if types.primitives.iter().any(|k| k == node.text()) {
            return Some(Type::new(node.text(), Vec::new()));
        }
        if is(&types.tuples, node) {
            let args = each(&mut node.named_children());
            return Some(Type::new(&format!("{}{}", types.tuple, args.len()), args));
        }
        if is(&types.infix, node) {
            let parts: Vec<Node<'_>> = node.named_children().collect();
            let [left, operator, right] = parts.as_slice() else { return None };
            return Some(Type::new(operator.text(), each(&mut [*left, *right].into_iter())));
        }
        let list = node.named_children().find(|c| is(&types.arguments, *c));
        let Some(list) = list else {
            if is(&facts.wrappers, node) || is(&types.wrappers, node) {
                return self.read(node.named_children().next()?, step + 1);
            }
            return self.resolve(node);
        };
        let dotted = is(&facts.dotted, node);
        let head = if dotted { self.resolve(node) } else { self.read(node.named_children().next()?, step + 1) };
        Some(Type { args: each(&mut list.named_children()), ..head? })
    }

    /// Of which type an expression is.
    fn infer(&self, node: Node<'_>, step: usize) -> Option<Type> {
        let (tree, language) = (node.tree(), node.tree().language);
        let (facts, symbols) = (&language.facts.symbols, Symbols::of(node.tree()));
        let is = |kinds: &[String]| kinds.iter().any(|k| k == node.kind());
        if step > MAX_STEPS {
            return None;
        }
        if is(&facts.types.kinds) {
            return self.read(node, step);
        }
        if let Some(path) = facts.types.literals.get(node.kind()) {
            // A letter behind a number says what it is.
            let number = node.text().starts_with(|c: char| c.is_ascii_digit());
            let plain = !number || node.text().ends_with(|c: char| c.is_ascii_digit());
            return plain.then(|| Type::new(path, Vec::new()));
        }
        if is(&facts.types.parenthesized) {
            let mut inner = node.named_children();
            return inner.next().filter(|_| inner.next().is_none()).and_then(|only| self.infer(only, step + 1));
        }
        if symbols.is_self(node) {
            let class = symbols.class_of_self(node)?;
            return symbols.declared(tree).path_of(class.id).map(Type::of_class);
        }
        if let Some(text) = self.concatenated(node, step) {
            return Some(text);
        }
        if let Some(call) = call_at(node) {
            return self.call(&call, step);
        }
        if let Some(made) = symbols.constructs.get(&node.id).map(|of| tree.node(*of)) {
            return self.read(made, step);
        }
        if let Some((object, name)) = symbols.members.get(&node.id).map(|(o, n)| (tree.node(*o), tree.node(*n))) {
            return self.call(&bare(node, Some(object), name, None), step);
        }
        if is(&facts.types.applied) {
            let (head, types) = (node.named_children().next()?, node.named_children().nth(1)?);
            let types = Some(types.children().filter(|c| c.is_named()).collect());
            let call = match symbols.member_at(head) {
                Some((object, name)) => bare(node, Some(object), name, types),
                None => bare(node, None, head, types),
            };
            return self.call(&call, step);
        }
        if let Some(inner) = node.field("function") {
            // `f(a)(b)`: further lists of arguments of the same method, unless the first
            // gave something that is called.
            let first = self.infer(inner, step + 1)?;
            return self.member(&first, &facts.types.apply, Of::Value, None, step).is_none().then_some(first);
        }
        if !facts.names.iter().any(|k| k == node.kind()) {
            return None;
        }
        let definitions = symbols.definitions_of(node);
        if definitions.is_empty() {
            return self.inherited(&bare(node, None, node, None), step);
        }
        agreed(definitions.into_iter().map(|d| self.result(tree, d, &Env::default(), None, step)))
    }

    /// The type of a text that something is put behind: `"a" + b`.
    fn concatenated(&self, node: Node<'_>, step: usize) -> Option<Type> {
        let facts = &node.tree().language.facts;
        if !facts.string.joins.iter().any(|k| k == node.kind()) {
            return None;
        }
        let parts: Vec<Node<'_>> = node.children().filter(|c| !c.is_extra()).collect();
        let [left, operator, _] = parts.as_slice() else { return None };
        let text = facts.string.kinds.iter().find_map(|kind| facts.symbols.types.literals.get(kind))?;
        let joins = facts.string.join_operators.iter().any(|join| join == operator.text());
        self.infer(*left, step + 1).filter(|is| joins && is.path == *text)
    }

    /// What a call gives.
    fn call(&self, call: &Call<'_>, step: usize) -> Option<Type> {
        let (tree, name) = (call.node.tree(), call.name);
        let symbols = Symbols::of(tree);
        let apply = tree.language.facts.symbols.types.apply.as_str();
        let explicit =
            || call.types.iter().flatten().filter(|n| n.is_named()).map(|n| self.read(*n, step + 1)).collect();
        // A class that is called makes one of its kind, unless it says what it gives.
        let made = |class: Type| {
            let given = self.member(&class, apply, Of::Class, Some(call), step + 1);
            given.or_else(|| Some(Type { args: explicit(), ..class }))
        };
        let Some(receiver) = call.receiver.or(call.path) else {
            let definitions = symbols.definitions_of(name);
            let function = definitions.iter().any(|d| symbols.returns.contains_key(&d.node));
            if function {
                let told = definitions.into_iter().map(|d| self.result(tree, d, &Env::default(), Some(call), step));
                return agreed(told);
            }
            if definitions.is_empty()
                && let Some(given) = self.inherited(call, step)
            {
                return Some(given);
            }
            if let Some(class) = self.resolve(name).filter(|t| !self.classes(&t.path).is_empty()) {
                return made(class);
            }
            if let Some(path) = self.resolve(name).map(|t| t.path)
                && let functions = self.functions(&path)
                && !functions.is_empty()
            {
                return agreed(functions.into_iter().map(|f| self.declared(f, &Env::default(), Some(call), step)));
            }
            let value = self.infer(name, step + 1)?;
            return self.member(&value, apply, Of::Value, Some(call), step);
        };
        let named = self.resolve(receiver).filter(|t| !t.path.starts_with('\''));
        if let Some(class) = named {
            if let Some(given) = self.member(&class, name_of(name), Of::Class, Some(call), step) {
                return Some(given);
            }
            let below = Type::new(&format!("{}.{}", class.path, name_of(name)), Vec::new());
            if !self.classes(&below.path).is_empty() {
                return made(below);
            }
            let functions = self.functions(&below.path);
            if !functions.is_empty() {
                return agreed(functions.into_iter().map(|f| self.declared(f, &Env::default(), Some(call), step)));
            }
        }
        let value = self.infer(receiver, step + 1)?;
        self.member(&value, name_of(name), Of::Value, Some(call), step)
    }

    /// What a name is that the classes around it have from those above them.
    fn inherited(&self, call: &Call<'_>, step: usize) -> Option<Type> {
        let symbols = Symbols::of(call.node.tree());
        let paths = &symbols.declared(call.node.tree()).paths;
        let around = call.node.ancestors().filter_map(|a| a.named_children().find_map(|c| paths.get(&c.id)));
        around.into_iter().find_map(|path| {
            self.member(&Type::new(path, Vec::new()), name_of(call.name), Of::Any, Some(call), step + 1)
        })
    }

    /// Whether a type, or one above it, is declared to have a member of this name.
    pub(super) fn has_member(&self, of: &Type, name: &str) -> bool {
        let classes = self.above(of).into_iter().filter(|is| is.certain);
        classes.into_iter().any(|is| {
            self.classes(&is.path).into_iter().any(|class| {
                let symbols = Symbols::of(class.tree());
                let members = symbols.declared(class.tree()).members.get(&class.id).into_iter().flatten();
                members.into_iter().any(|id| name_of(class.tree().node(*id)) == name)
            })
        })
    }

    /// The class that has a member of this name in a type: this one, or the nearest above it.
    pub(super) fn owner(&self, is: &Type, name: &str) -> Whose {
        for above in self.above(is) {
            for class in self.classes(&above.path) {
                if Symbols::of(class.tree()).has_own(class, name) {
                    return if std::ptr::eq(class.tree(), self.file) { Whose::Of(class.id) } else { Whose::Other };
                }
            }
        }
        if is.certain { Whose::Other } else { Whose::Unknown }
    }

    /// What a member of a type is, or gives.
    fn member(&self, of: &Type, name: &str, whose: Of, call: Option<&Call<'_>>, step: usize) -> Option<Type> {
        if step > MAX_STEPS {
            return None;
        }
        let mut around = vec![of.clone()];
        let mut at = 0;
        while at < around.len() && at < MAX_PARENTS {
            let is = around[at].clone();
            at += 1;
            let mut told = Vec::new();
            for class in self.classes(&is.path).into_iter().filter(|class| whose.fits(*class)) {
                let symbols = Symbols::of(class.tree());
                let env = environment(&symbols, class, &is);
                let members = symbols.declared(class.tree()).members.get(&class.id).into_iter().flatten();
                let members = members.map(|id| class.tree().node(*id)).filter(|n| name_of(*n) == name);
                told.extend(members.map(|member| self.declared(member, &env, call, step + 1)));
            }
            if !told.is_empty() {
                return agreed(told.into_iter());
            }
            around.extend(self.parents(&is).into_iter().filter(|p| !around.contains(p)).collect::<Vec<_>>());
        }
        None
    }

    /// The types right above one.
    fn parents(&self, is: &Type) -> Vec<Type> {
        if is.path.starts_with('\'') {
            return is.args.iter().flatten().cloned().collect();
        }
        let mut all = Vec::new();
        for class in self.classes(&is.path) {
            let symbols = Symbols::of(class.tree());
            let env = environment(&symbols, class, is);
            let parents = symbols.parents.get(&class.id).into_iter().flatten();
            let read = |id: &NodeId| self.read(class.tree().node(*id), 1);
            all.extend(parents.filter_map(read).filter_map(|parent| filled(&parent, &env)));
        }
        all
    }

    fn declared(&self, name: Node<'_>, env: &Env, call: Option<&Call<'_>>, step: usize) -> Option<Type> {
        let symbols = Symbols::of(name.tree());
        let definition = symbols.by_node.get(&name.id).map(|i| &symbols.definitions[*i])?;
        self.result(name.tree(), definition, env, call, step)
    }

    /// What a definition says of its type; of a function, what it gives.
    fn result(
        &self,
        tree: &Tree,
        definition: &Definition,
        env: &Env,
        call: Option<&Call<'_>>,
        step: usize,
    ) -> Option<Type> {
        let symbols = Symbols::of(tree);
        let name = tree.node(definition.node);
        if let Some(returns) = symbols.returns.get(&definition.node) {
            let given = self.read(tree.node(*returns), step + 1)?;
            let env = self.bound(&symbols, name, env, call, step);
            return filled(&given, &env);
        }
        if let Some(of) = definition.type_node.map(|of| tree.node(of))
            && !matches!(of.text(), "var" | "val" | "let")
        {
            return filled(&self.read(of, step + 1)?, env);
        }
        match (definition.kind, definition.value, &definition.member) {
            (Kind::Plain, Some(value), member) if !symbols.reassigned.contains(name_of(name)) => {
                let value = self.infer(tree.node(value), step + 1)?;
                match member {
                    Some(member) => self.member(&value, member, Of::Value, None, step + 1),
                    None => Some(value),
                }
            }
            (Kind::Class, ..) => symbols.declared(tree).paths.get(&definition.node).map(|p| Type::new(p, Vec::new())),
            _ => None,
        }
    }

    /// A type and all above it, as far as they are declared.
    fn above(&self, is: &Type) -> Vec<Type> {
        let mut all = vec![is.clone()];
        let mut at = 0;
        while at < all.len() && at < MAX_PARENTS {
            let parents = self.parents(&all[at]);
            all.extend(parents.into_iter().filter(|p| !all.contains(p)).collect::<Vec<_>>());
            at += 1;
        }
        all
    }

    fn is_a(&self, is: &Type, sought: &dyn Fn(&str) -> bool) -> Certainty {
        let above = self.above(is);
        if above.iter().any(|t| t.certain && sought(&t.path)) {
            return Certainty::Yes;
        }
        // What is not declared may be anything: above the type, or itself.
        let primitives = &self.file.language.facts.symbols.types.primitives;
        let open = |t: &Type| !t.certain || self.classes(&t.path).is_empty() && !primitives.contains(&t.path);
        if above.iter().any(open) { Certainty::Unknown } else { Certainty::No }
    }
}

/// A member that is no call, asked as if it were one.
fn bare<'t>(node: Node<'t>, receiver: Option<Node<'t>>, name: Node<'t>, types: Option<Vec<Node<'t>>>) -> Call<'t> {
    Call { node, receiver, path: None, name, types, arguments: Vec::new(), list: None }
}

/// What all say, if all say the same.
fn agreed(told: impl Iterator<Item = Option<Type>>) -> Option<Type> {
    let mut told = told;
    let first = told.next()??;
    told.all(|one| one.as_ref() == Some(&first)).then_some(first)
}
