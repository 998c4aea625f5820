//! Whether a value is of a type: what declarations, constructors and annotations tell.

use super::fields::Told;
use super::{Certainty, Kind, Name, Symbols, name_of};
use crate::tree::{Node, NodeId};

/// The aliases and type parameters that have been looked into: a type may speak of itself.
type Seen = std::cell::RefCell<std::collections::HashSet<crate::tree::NodeId>>;

/// What is known of values that have been asked before: many members may be set to the same ones.
type Known = std::cell::RefCell<std::collections::HashMap<NodeId, Certainty>>;

/// How many names are followed from one to the next.
const MAX_STEPS: usize = 16;

impl Symbols {
    /// Whether a value is declared to be of one of these types, or made as one. A subtype is
    /// told from any other type only where it is declared what it is below.
    pub fn has_type(&self, node: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String]) -> Certainty {
        let told = self.type_at(node, sought, paths, (0, &Known::default()));
        if told == Certainty::Yes {
            return told;
        }
        // A type is no value of itself.
        if node.tree().language.facts.symbols.types.kinds.iter().any(|k| k == node.kind()) {
            return told;
        }
        // What calls give, and what is declared elsewhere, may tell more.
        let inferred = self.type_of(node).map(|is| self.is_a(node.tree(), &is, sought));
        inferred.filter(|answer| *answer != Certainty::Unknown).unwrap_or(told)
    }

    fn type_at(
        &self,
        node: Node<'_>,
        sought: &dyn Fn(&str) -> bool,
        paths: &[String],
        (step, known): (usize, &Known),
    ) -> Certainty {
        if step > MAX_STEPS {
            return Certainty::Unknown;
        }
        if let Some(told) = known.borrow().get(&node.id) {
            return *told;
        }
        let told = self.type_of_value(node, sought, paths, (step, known));
        known.borrow_mut().insert(node.id, told);
        told
    }

    fn type_of_value(
        &self,
        node: Node<'_>,
        sought: &dyn Fn(&str) -> bool,
        paths: &[String],
        (step, known): (usize, &Known),
    ) -> Certainty {
        let tree = node.tree();
        if let Some((of, by)) = self.casts.get(&node.id).or_else(|| self.casts.get(&value_in(node).id)) {
            let known = &tree.language.facts.symbols.types.casts;
            let is_cast = |is: &Name| matches!(is, Name::Path(path) if known.contains(path));
            let by_cast = |by: &NodeId| self.names(tree.node(*by)).iter().all(is_cast);
            // What is called so elsewhere gives whatever it gives.
            if by.as_ref().is_none_or(by_cast) {
                return self.declared_as(tree.node(*of), sought, paths);
            }
        }
        if let Some(of) = self.constructs.get(&node.id).map(|of| tree.node(*of)) {
            // `Foo(…)` makes a `Foo`; `foo(…)` gives whatever it gives.
            let bare = tree.language.facts.symbols.capitalised_types;
            if !bare || last_segment(of.text()).starts_with(|c: char| c.is_uppercase()) {
                return self.is(unwrapped(of), sought, paths);
            }
            return Certainty::Unknown;
        }
        let node = value_in(node);
        if tree.language.is_string(node.kind_id()) {
            return Certainty::No;
        }
        if self.labels.contains(&node.id) {
            return Certainty::No;
        }
        if let Some((object, name)) = self.member_at(node) {
            let told = self.told_of(object, name_of(name));
            return agreed(told.into_iter().map(|told| match told {
                Told::Type(of) => self.declared_as(tree.node(of), sought, paths),
                Told::Value(value) => self.type_at(tree.node(value), sought, paths, (step + 1, known)),
            }));
        }
        let definitions = self.definitions_of(node);
        agreed(definitions.into_iter().map(|definition| {
            if let Some(declared) = definition.type_node.map(|of| tree.node(of))
                && !matches!(declared.text(), "var" | "val" | "let")
            {
                return self.declared_as(declared, sought, paths);
            }
            match (definition.kind, definition.value, &definition.member) {
                (Kind::Plain, Some(value), None) if !self.reassigned.contains(name_of(node)) => {
                    self.type_at(tree.node(value), sought, paths, (step + 1, known))
                }
                (Kind::Class, ..) => Certainty::No,
                _ => Certainty::Unknown,
            }
        }))
    }

    /// Whether what is declared to be of a type is of one of these.
    fn declared_as(&self, declared: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String]) -> Certainty {
        let told = self.is(unwrapped(declared), sought, paths);
        let open = told == Certainty::No && self.may_hold(declared, sought, paths, &Seen::default());
        if open { Certainty::Unknown } else { told }
    }
}

/// What all say, where they say the same.
fn agreed(mut answers: impl Iterator<Item = Certainty>) -> Certainty {
    let Some(first) = answers.next() else { return Certainty::Unknown };
    // Nothing makes `Unknown` certain again: the rest is not asked.
    let alike = first != Certainty::Unknown && answers.all(|one| one == first);
    if alike { first } else { Certainty::Unknown }
}

impl Symbols {
    /// Whether a type that is none of these speaks of one all the same, so that its values may be of it:
    /// `Optional[C]`, `C | D`, a name that stands for one of them, or is bounded by one.
    fn may_hold(&self, declared: Node<'_>, sought: &dyn Fn(&str) -> bool, paths: &[String], seen: &Seen) -> bool {
        let (tree, facts) = (declared.tree(), &declared.tree().language.facts.symbols);
        let is = |kinds: &[String], node: &Node<'_>| kinds.iter().any(|k| k == node.kind());
        if facts.types.open.iter().any(|open| open == declared.text()) {
            return true;
        }
        let argument = |node: &Node<'_>| {
            let mut around = node.ancestors().take_while(|a| a.id != declared.id).chain([*node]);
            facts.types.exact && around.any(|a| is(&facts.types.arguments, &a))
        };
        declared.descendants().filter(|node| node.is_named() && !argument(node)).any(|node| {
            if tree.language.is_string(node.kind_id()) {
                let last = |path: &String| last_segment(path) == last_segment(literal_text(node));
                return paths.iter().any(last);
            }
            let named = is(&facts.names, &node) || is(&facts.dotted, &node) || self.members.contains_key(&node.id);
            let stands_for = |id: &crate::tree::NodeId| {
                let bounds = self.parents.get(id).into_iter().flatten();
                let alias = self.aliases.get(id).into_iter();
                bounds.chain(alias).any(|of| {
                    let of = tree.node(*of);
                    self.is(unwrapped(of), sought, paths) != Certainty::No || self.may_hold(of, sought, paths, seen)
                })
            };
            let open = |d: &super::Definition| {
                (self.type_parameters.contains(&d.node) || self.aliases.contains_key(&d.node))
                    && seen.borrow_mut().insert(d.node)
                    && stands_for(&d.node)
            };
            named
                && (self.is(node, sought, paths) != Certainty::No
                    || is(&facts.names, &node) && self.definitions_of(node).into_iter().any(open))
        })
    }
}

/// What stands between the quotes of a text that is a type.
fn literal_text(node: Node<'_>) -> &str {
    node.text().trim_matches(['"', '\''])
}

/// The value in parentheses and the like; an element of a value is another one.
fn value_in(node: Node<'_>) -> Node<'_> {
    let elements = &node.tree().language.facts.symbols.types.elements;
    let inner = unwrapped(node);
    let mut around = inner.ancestors().take_while(|a| node.contains(*a)).chain([inner]);
    if around.any(|a| elements.iter().any(|k| k == a.kind())) { node } else { inner }
}

/// The name in a type or value that is wrapped: `List` of `List<T>`.
pub(super) fn unwrapped(node: Node<'_>) -> Node<'_> {
    let wrappers = &node.tree().language.facts.symbols.wrappers;
    let mut inner = node;
    while wrappers.iter().any(|k| k == inner.kind())
        && let Some(next) = inner.named_children().next()
    {
        inner = next;
    }
    inner
}

fn last_segment(path: &str) -> &str {
    path.rsplit(['.', ':']).next().unwrap_or(path)
}
