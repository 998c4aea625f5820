//! Code that comes to speak of another path: what it takes the place of, and what is written.
//!
//! Must not: decide whether it should.

use std::ops::Range;

use super::ImportRequest;
use crate::edit::Fragment;
use crate::symbol::{Manner, Reached, Symbols, Wanted};
use crate::tree::Node;

/// Code that speaks of a path.
#[derive(Debug)]
pub struct Spoken {
    /// What it takes the place of.
    pub range: Range<usize>,
    /// The code.
    pub code: Vec<Fragment>,
    /// The import that it needs.
    pub import: Option<ImportRequest>,
}

impl Spoken {
    /// Code in the place of all that speaks of what `node` does: of a member that stands apart from its
    /// object, of both, with what parts them; of a path with arguments, of the path.
    pub fn of(node: Node<'_>, wanted: &Wanted, others: &[Wanted], manner: Manner) -> Self {
        let symbols = Symbols::of(node.tree());
        let language = node.tree().language;
        if let Some(((object, name), (owner, last))) = symbols.apart(node).zip(wanted.owner(language)) {
            let others: Vec<Wanted> = others.iter().filter_map(|other| other.owner(language)).map(|(o, _)| o).collect();
            let (text, import) = parted(symbols.reach(object, &owner, &others, manner));
            let between = Fragment::Copy(object.range().end..name.range().start);
            let code = vec![Fragment::Text(text), between, Fragment::Text(last)];
            return Self { range: object.range().start..name.range().end, code, import };
        }
        Self { range: place(&symbols, node), ..Self::at(node, wanted, others, manner) }
    }

    /// Code that speaks of a path where a node stands.
    pub fn at(node: Node<'_>, wanted: &Wanted, others: &[Wanted], manner: Manner) -> Self {
        let (text, import) = parted(Symbols::of(node.tree()).reach(node, wanted, others, manner));
        Self { range: node.range(), code: vec![Fragment::Text(text)], import }
    }
}

/// What is written, and what is asked of the imports.
fn parted(reached: Reached) -> (String, Option<ImportRequest>) {
    let Reached { text, import, heir_of } = reached;
    let request = |new: Wanted| match heir_of {
        Some(old) => ImportRequest::Succeed { old, new },
        None => ImportRequest::Add(new),
    };
    (text, import.map(request))
}

/// Where the path stands that a node speaks of: without the arguments of a type, and with the names before it.
pub(super) fn place(symbols: &Symbols, node: Node<'_>) -> Range<usize> {
    match symbols.spelled(node).as_slice() {
        [] => node.range(),
        [only] => only.range(),
        [first, .., last] => first.range().start..last.range().end,
    }
}
