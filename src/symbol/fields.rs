//! Members that code reaches through an object, `this.f` as `self.f`: which uses of a name are of one member
//! of one class, and where the file can't tell.
//!
//! Must not: know what subclasses in other files do.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::types::{Type, Types};
use super::{Definition, Kind, Name, Symbols, Taken, name_of};
use crate::tree::{Node, NodeId, Tree};

/// Of which class of the file a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The one that has its name there.
    Of(NodeId),
    /// Of no class of the file.
    Other,
    /// The file can't tell.
    Unknown,
}

/// What a class says of one of its members.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// The type that it is declared to be of.
    Type(NodeId),
    /// What is assigned to it.
    Value(NodeId),
}

/// Every place that refers to the same as some name.
#[derive(Debug)]
pub struct Uses<'t> {
    /// Those that are certain, definitions included, in order.
    pub certain: Vec<Node<'t>>,
    /// Whether there may be more: a member of that name, of an object whose type is not known, or a text that speaks of it.
    pub open: bool,
}

impl Symbols {
    /// Every place that refers to what `node` refers to, definitions included.
    pub fn uses<'t>(&self, node: Node<'t>) -> Uses<'t> {
        let tree = node.tree();
        let facts = &tree.language.facts.symbols;
        let mine = self.class_of(node);
        let meant = self.introduced_by(node);
        let ((Whose::Of(_), _) | (_, false)) = (mine, meant.is_empty()) else {
            // A literal is used nowhere else; a name of a member that says nothing of its object may be.
            let is_name = node.is_leaf() && node.kind().ends_with("identifier");
            let open = mine == Whose::Unknown || is_name && !facts.names.iter().any(|k| k == node.kind());
            return Uses { certain: Vec::new(), open: open && node.is_named() };
        };
        let refers = |n: Node<'_>| {
            facts.names.iter().any(|k| k == n.kind())
                && !self.labels.contains(&n.id)
                && !self.member_names.contains_key(&n.id)
                && !self.is_tail(n)
                && self.definitions_of(n).iter().any(|d| meant.contains(&d.node))
        };
        let (mut certain, mut open) = (Vec::new(), self.names_in_text(tree, name_of(node), &meant));
        for n in tree.iter().filter(|n| n.is_leaf() && name_of(*n) == name_of(node)) {
            if meant.contains(&n.id) || refers(n) {
                certain.push(n);
            } else if matches!(mine, Whose::Of(_)) {
                let of_object = self.member_names.contains_key(&n.id) || self.fields.contains(&n.id);
                match if of_object { self.class_of(n) } else { Whose::Other } {
                    whose if whose == mine => certain.push(n),
                    Whose::Unknown => open = true,
                    Whose::Of(_) | Whose::Other => {}
                }
                // `const { f } = this` uses it, and is no name of it.
                let object = self.taken.get(&n.id).map(|object| tree.node(*object));
                let whose = object.map(|object| self.member_of(object, name_of(n)));
                open |= whose.is_some_and(|whose| whose == mine || whose == Whose::Unknown);
            }
        }
        Uses { certain, open }
    }

    /// The paths of all members that the file takes of what an import brings, given a use of its name; none where it
    /// says anything else of it, or assigns to one.
    pub fn all_taken(&self, name: Node<'_>) -> Arc<Taken> {
        let mut known = self.taken_all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let imported = self.introduced_by(name).first().copied();
        if let Some(taken) = known.get(&imported) {
            return Arc::clone(taken);
        }
        let path = |one: Node<'_>| {
            let whole = self.taken_of(one).filter(|whole| !self.is_written(*whole))?;
            self.names(whole).into_iter().find_map(|name| match name {
                Name::Path(path) => Some(path),
                Name::Free(_) | Name::Local(_) => None,
            })
        };
        let uses = self.uses(name).certain.into_iter().filter(|one| !self.in_import(*one));
        let taken = Arc::new(uses.map(path).collect());
        known.insert(imported, Arc::clone(&taken));
        taken
    }

    /// The names that introduce what `node` refers to.
    pub fn introduced_by(&self, node: Node<'_>) -> Vec<NodeId> {
        if !self.member_names.contains_key(&node.id) {
            return self.definitions_of(node).iter().map(|d| d.node).collect();
        }
        let Whose::Of(class) = self.class_of(node) else { return Vec::new() };
        let members = self.declared(node.tree()).members.get(&class).into_iter().flatten().copied();
        members.filter(|id| name_of(node.tree().node(*id)) == name_of(node)).collect()
    }

    /// The class of which a name is a member: where it is defined, taken of an object, or seen by itself.
    fn class_of(&self, name: Node<'_>) -> Whose {
        let tree = name.tree();
        if let Some((_, object)) = self.member_names.get(&name.id) {
            return self.member_of(tree.node(*object), name_of(name));
        }
        if self.fields.contains(&name.id) {
            return self.class_at(name).map_or(Whose::Other, |class| Whose::Of(class.id));
        }
        let class = |d: &&Definition| self.class_around(tree, d);
        let mut classes = self.definitions_of(name).into_iter().map(|d| class(&d));
        match classes.next() {
            Some(Some(first)) if classes.all(|other| other == Some(first)) => Whose::Of(first),
            _ => Whose::Other,
        }
    }

    /// The class of which `object.name` is a member.
    fn member_of(&self, object: Node<'_>, name: &str) -> Whose {
        let tree = object.tree();
        if self.is_self(object) {
            return self.class_of_self(object).map_or(Whose::Unknown, |class| self.above(class, name));
        }
        // The class itself.
        if let [one] = self.definitions_of(object).as_slice()
            && one.kind == Kind::Class
            && !self.member_names.contains_key(&object.id)
        {
            return self.above(tree.node(one.node), name);
        }
        if let Some(is) = self.type_of(object) {
            return Types::of(tree).owner(&is, name);
        }
        let names = self.names(object);
        let elsewhere = !names.is_empty() && names.iter().all(|name| matches!(name, Name::Path(_)));
        if elsewhere { Whose::Other } else { Whose::Unknown }
    }

    /// The class that has a member of this name, from one of the file upwards: itself, if none is known to.
    fn above(&self, class: Node<'_>, name: &str) -> Whose {
        let path = self.declared(class.tree()).path_of(class.id).map(Type::of_class);
        match path.map(|is| Types::of(class.tree()).owner(&is, name)) {
            Some(found @ Whose::Of(_)) => found,
            _ => Whose::Of(class.id),
        }
    }

    /// Whether a class of the file has a member of this name itself.
    pub(super) fn has_own(&self, class: Node<'_>, name: &str) -> bool {
        let tree = class.tree();
        let declared = self.declared(tree);
        let all = [&declared.members, &declared.fields].into_iter().filter_map(|of| of.get(&class.id));
        all.flatten().any(|id| name_of(tree.node(*id)) == name)
    }

    /// Whether an expression is the object that the code around it belongs to.
    pub(super) fn is_self(&self, object: Node<'_>) -> bool {
        self.selves.contains_key(&object.id)
            || matches!(self.definitions_of(object).as_slice(), [one] if self.self_parameters.contains(&one.node))
                && !self.member_names.contains_key(&object.id)
    }

    /// The class that such an expression is of.
    pub(super) fn class_of_self<'t>(&self, object: Node<'t>) -> Option<Node<'t>> {
        let tree = object.tree();
        match self.selves.get(&object.id) {
            // `A.this`
            Some(Some(of)) => {
                let name = name_of(tree.node(*of));
                let mut around = object.ancestors().filter_map(|a| self.class_named_in(a));
                around.find(|class| name_of(*class) == name)
            }
            Some(None) => self.class_at(object),
            None => match self.definitions_of(object).as_slice() {
                [one] => self.class_at(tree.node(one.node)),
                _ => None,
            },
        }
    }

    /// The class that code stands in, unless it is one without a name.
    pub(super) fn class_at<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        for around in node.ancestors() {
            if self.nameless.contains(&around.id) {
                return None;
            }
            if let Some(class) = self.class_named_in(around) {
                return Some(class);
            }
        }
        None
    }

    fn class_named_in<'t>(&self, declaration: Node<'t>) -> Option<Node<'t>> {
        self.class_names.get(&declaration.id).map(|name| declaration.tree().node(*name))
    }

    /// The class of the file that a value certainly is of, or its base: that of the object around, or the one that its
    /// declaration names.
    pub(super) fn class_of_object<'t>(&self, object: Node<'t>) -> Option<Node<'t>> {
        let tree = object.tree();
        let types = &tree.language.facts.symbols.types;
        if self.is_self(object) {
            return self.class_of_self(object);
        }
        let named = if object.kind() == types.receiver {
            let implements = |a: &Node<'t>| types.implementations.iter().any(|k| k == a.kind());
            object.ancestors().find(implements)?.field("type")?
        } else {
            match self.definitions_of(object).as_slice() {
                [one] if !self.member_names.contains_key(&object.id) => tree.node(one.type_node?),
                _ => return None,
            }
        };
        match self.definitions_of(super::typed::unwrapped(named)).as_slice() {
            [one] if one.kind == Kind::Class => Some(tree.node(one.node)),
            _ => None,
        }
    }

    /// What the class that `object` is of says of its member of this name: a declared type, or values. Nothing where
    /// the file does not say it all.
    pub(super) fn told_of(&self, object: Node<'_>, name: &str) -> Vec<Told> {
        let tree = object.tree();
        let Some(class) = self.class_of_object(object) else { return Vec::new() };
        let Whose::Of(owner) = self.above(class, name) else { return Vec::new() };
        let declared = self.declared(tree);
        let of_class =
            [&declared.members, &declared.fields, &declared.told].into_iter().filter_map(|of| of.get(&owner)).flatten();
        let mine: BTreeSet<NodeId> = of_class.copied().filter(|id| name_of(tree.node(*id)) == name).collect();
        let (mut types, mut values, mut open) = (Vec::new(), Vec::new(), false);
        for id in &mine {
            let definition = self.by_node.get(id).map(|number| &self.definitions[*number]);
            let once = |d: &Definition| d.member.is_none() && !self.reassigned.contains(name);
            let said = definition.map(|d| (d.type_node, d.value.filter(|_| once(d))));
            match said.or_else(|| self.told.get(id).copied()) {
                Some((Some(of), _)) => types.push(Told::Type(of)),
                Some((None, Some(value))) => values.push(Told::Value(value)),
                Some((None, None)) => open = true,
                // A method, or a use.
                None => open |= !self.member_names.contains_key(id),
            }
        }
        if !types.is_empty() {
            return types;
        }
        // `Object.assign(this, o)` sets whatever it sets.
        if declared.rewritten.contains(&owner) {
            return Vec::new();
        }
        let other = |id: &NodeId| !mine.contains(id) || !self.told.contains_key(id);
        let elsewhere = declared.assigned.get(name).into_iter().flatten().any(other);
        if open || elsewhere { Vec::new() } else { values }
    }

    /// Classes of which an object is changed as a whole, by itself.
    pub(super) fn rewritten(&self, tree: &Tree) -> HashSet<NodeId> {
        let whole = self.selves.keys().filter(|id| self.written.contains(*id));
        whole.filter_map(|id| self.class_of_self(tree.node(*id))).map(|class| class.id).collect()
    }

    /// Names of members that the file assigns to.
    pub(super) fn assigned(&self, tree: &Tree) -> HashMap<String, Vec<NodeId>> {
        let mut all = HashMap::<String, Vec<NodeId>>::new();
        for (name, (whole, _)) in &self.member_names {
            if self.written.contains(whole) || self.written.contains(name) {
                all.entry(name_of(tree.node(*name)).to_owned()).or_default().push(*name);
            }
        }
        all
    }

    /// Names that introduce members, or set them, by class; a member of another object introduces none.
    pub(super) fn fields_by_class(&self, tree: &Tree) -> HashMap<NodeId, Vec<NodeId>> {
        self.by_class(tree, self.fields.iter())
    }

    /// The same, of those of which the code says a type or a value.
    pub(super) fn told_by_class(&self, tree: &Tree) -> HashMap<NodeId, Vec<NodeId>> {
        self.by_class(tree, self.told.keys())
    }

    fn by_class<'i>(&self, tree: &Tree, names: impl Iterator<Item = &'i NodeId>) -> HashMap<NodeId, Vec<NodeId>> {
        let mut all = HashMap::<NodeId, Vec<NodeId>>::new();
        for id in names {
            let class = match self.member_names.get(id).map(|(_, object)| tree.node(*object)) {
                Some(object) if self.is_self(object) => self.class_of_self(object),
                Some(_) => None,
                None => self.class_at(tree.node(*id)),
            };
            if let Some(class) = class {
                all.entry(class.id).or_default().push(*id);
            }
        }
        all
    }
}
