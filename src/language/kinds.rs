//! The names of node kinds, looked up in tables: the grammar's own functions compare with one name
//! after the other, or measure and check a name at every call, and a run asks for them millions of times.

use std::collections::HashMap;

/// The node kinds of a grammar, by id and by name.
pub(super) struct Kinds {
    names: Vec<Box<str>>,
    named: Vec<bool>,
    /// Of kinds without and with a name of their own in the grammar.
    ids: [HashMap<Box<str>, u16>; 2],
}

impl Kinds {
    pub(super) fn new(grammar: &tree_sitter::Language) -> Self {
        let count = u16::try_from(grammar.node_kind_count()).unwrap_or(u16::MAX);
        let names: Vec<Box<str>> = (0..count).map(|id| grammar.node_kind_for_id(id).unwrap_or("").into()).collect();
        let named = (0..count).map(|id| grammar.node_kind_is_named(id)).collect();
        let mut ids = [HashMap::new(), HashMap::with_capacity(names.len())];
        ids[1].insert("ERROR".into(), u16::MAX);
        for (id, name) in (0..).zip(&names) {
            let supertype = grammar.node_kind_is_supertype(id);
            if grammar.node_kind_is_visible(id) || supertype {
                let named = grammar.node_kind_is_named(id) || supertype;
                // Of several with one name, the grammar says which of them nodes have.
                let one = |known: &mut u16| *known = grammar.id_for_node_kind(name, named);
                ids[usize::from(named)].entry(name.clone()).and_modify(one).or_insert(id);
            }
        }
        Self { names, named, ids }
    }

    /// The name of a kind; of what no kind has, that of errors.
    pub(super) fn name(&self, id: u16) -> &str {
        self.names.get(usize::from(id)).map_or("ERROR", |name| name)
    }

    /// Whether nodes of a kind are named, as errors are.
    pub(super) fn is_named(&self, id: u16) -> bool {
        self.named.get(usize::from(id)).is_none_or(|named| *named)
    }

    /// The id of a kind, if the grammar has it.
    pub(super) fn id(&self, name: &str, named: bool) -> Option<u16> {
        self.ids[usize::from(named)].get(name).copied()
    }
}
