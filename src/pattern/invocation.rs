//! `invocation("$R.$F($$$A)")`: a pattern of a call that fits it in whatever shape the code
//! writes it. Parts are matched as patterns are: exactly.

use std::ops::Range;

use super::calls::{Call, call_at, kinds};
use super::{Bindings, Child, Pattern, PatternError, Shape, compile, matching};
use crate::language::Language;
use crate::tree::{Node, same_text};

/// A compiled pattern of a call.
#[derive(Debug)]
pub struct Invocation {
    /// Its holes and literals, and the whole of it as it was written.
    pub(super) pattern: Pattern,
    pub(super) receiver: Option<Shape>,
    pub(super) path: Option<Shape>,
    pub(super) name: Shape,
    /// Type arguments; where it has none, the code may have any.
    pub(super) types: Option<Vec<Child>>,
    pub(super) arguments: Vec<Child>,
    /// `?.`, where it has one: then the code must, too; else the code may.
    pub(super) chain: Option<String>,
}

/// The `?.` of a call, in bytes of its text: before its name, or between that and the arguments.
pub(super) fn chain_of(call: &Call<'_>) -> Option<Range<usize>> {
    let text = call.node.tree().text();
    let ends = [call.receiver.map(|n| n.local_range().end), Some(call.name.local_range().end)];
    let begins = [Some(call.name.local_range().start), call.list.map(|n| n.local_range().start)];
    ends.into_iter().zip(begins).find_map(|(end, start)| {
        let gap = text.get(end?..start?)?;
        let chain = gap.trim();
        let at = end? + gap.len() - gap.trim_start().len();
        chain.starts_with('?').then(|| at..at + chain.len())
    })
}

impl Invocation {
    /// What is known of its holes and texts.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The name that is called, as [`Pattern::runs`] has it; none where that is a hole.
    pub fn runs(&self) -> Vec<String> {
        match &self.name {
            Shape::Leaf { text, .. } => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    /// The kinds that a match can have.
    pub fn root_kinds(&self) -> Vec<u16> {
        kinds(self.pattern.language).to_vec()
    }

    /// Matches it against one node.
    pub fn matches<'t>(&self, node: Node<'t>) -> Option<Bindings<'t>> {
        if !std::ptr::eq(self.pattern.language, node.tree().language) {
            return None;
        }
        let call = call_at(node)?;
        let fold = self.pattern.language.facts.case_insensitive;
        if let Shape::Leaf { text, .. } = &self.name
            && !same_text(text, self.pattern.language.bare_name(call.name.text()), fold)
        {
            return None;
        }
        if self.receiver.is_some() != call.receiver.is_some() || self.path.is_some() != call.path.is_some() {
            return None;
        }
        let chain = || chain_of(&call).and_then(|chain| node.tree().text().get(chain));
        if self.chain.is_some() && self.chain.as_deref() != chain() {
            return None;
        }
        matching::matches_call(self, &call)
    }

    /// The type arguments of a call, or its `?.`, where the pattern has none.
    pub fn left_out(&self, node: Node<'_>) -> Option<Range<usize>> {
        let call = call_at(node)?;
        if let Some(types) = call.types.as_ref().filter(|_| self.types.is_none()) {
            return types.first()?.parent().map(|list| list.local_range());
        }
        chain_of(&call).filter(|_| self.chain.is_none())
    }

    /// Each part of it that is one node, with that node; a name without a hole was compared.
    pub(super) fn parts<'s, 't>(&'s self, call: &Call<'t>) -> Vec<(&'s Shape, Node<'t>)> {
        let name = (!matches!(self.name, Shape::Leaf { .. })).then_some((&self.name, call.name));
        let of = |shape: &'s Option<Shape>, node: Option<Node<'t>>| shape.as_ref().zip(node);
        [of(&self.receiver, call.receiver), of(&self.path, call.path), name].into_iter().flatten().collect()
    }
}

/// Compiles a pattern of a call.
///
/// # Errors
/// As [`compile`]; and where it is no call, or the calls of the language are not known.
pub fn compile_invocation(language: &'static Language, source: &str) -> Result<Invocation, PatternError> {
    compile::invocation(language, source)
}
