//! Values that come from outside of a file: by a module, a parameter, a member of an object.
//!
//! Must not: look into another file.

use super::Flow;
use super::shape::{Callee, Shape, shape};
use crate::dataset::elsewhere::Seen;
use crate::dataset::visible;
use crate::tree::Node;

/// Modules that give no columns of a consumer's.
const LIBRARIES: [&str; 9] = ["pyspark", "datetime", "os", "sys", "org", "java", "scala", "time", "uuid"];
/// How far it is looked where a value comes from.
const MAX_GIVEN: usize = 4;

impl<'t> Flow<'t> {
    /// Whether what others give here may be a column: another module, or who calls a function or has an
    /// object of the file; some file of the consumer names one.
    pub(super) fn may_be_column(&self, node: Node<'t>) -> bool {
        // Of the whole consumer, and cheaper.
        let named = (0..self.datasets.mappings.len()).any(|one| self.around.named_elsewhere(one).is_some());
        named && (self.is_of_a_module(node) || self.is_given(node, 0))
    }

    fn is_of_a_module(&self, node: Node<'t>) -> bool {
        let path = match shape(node) {
            Shape::Member { .. } => self.path(node),
            Shape::Call { callee: Callee::Method { object, .. }, .. } => self.path(object),
            Shape::Call { callee: Callee::Value(name), .. } => self.path(name),
            Shape::Name => self.imported(node.text()).map(str::to_owned),
            _ => None,
        };
        let first = path.as_deref().and_then(|path| path.split('.').next()).unwrap_or("");
        let module = self.imports.values().any(|known| known.split('.').next() == Some(first));
        module && !LIBRARIES.contains(&first)
    }

    /// Whether a value is what a parameter holds, or a member of an object, that other files may give.
    fn is_given(&self, node: Node<'t>, depth: usize) -> bool {
        if depth > MAX_GIVEN {
            return true;
        }
        match shape(node) {
            Shape::Name => self.is_given_name(node, depth),
            Shape::Member { object, name } => {
                let own = matches!(object.text(), "self" | "this" | "cls");
                own && self.around.spoken(name.text(), &Seen::Anywhere).is_some() || self.is_given(object, depth + 1)
            }
            Shape::Call { callee: Callee::Method { object, .. }, arguments } => {
                self.is_given(object, depth + 1) || arguments.iter().any(|one| self.is_given(one.value, depth + 1))
            }
            Shape::Call { callee: Callee::Value(name), arguments } => {
                self.is_given(name, depth + 1) || arguments.iter().any(|one| self.is_given(one.value, depth + 1))
            }
            Shape::Index { object, .. } | Shape::Same(object) => self.is_given(object, depth + 1),
            Shape::Operator(_, operands) => operands.into_iter().any(|one| self.is_given(one, depth + 1)),
            Shape::Choice(_, ways) => ways.into_iter().any(|one| self.is_given(one, depth + 1)),
            _ => false,
        }
    }

    /// The same, of a name: a parameter of a function that other files speak of, or what one was given to.
    fn is_given_name(&self, node: Node<'t>, depth: usize) -> bool {
        let name = node.text();
        for function in node.ancestors().filter(|up| visible::is_function(*up)) {
            let takes = |list: Node<'t>| list.descendants().any(|below| below.is_leaf() && below.text() == name);
            if ["parameters", "parameter"].iter().filter_map(|field| function.field(field)).any(takes) {
                let (at, own) = self.declaration(function.id).unwrap_or((function, function));
                let seen = visible::seen(at, own.text());
                return own.is_leaf() && self.around.spoken(own.text(), &seen).is_some();
            }
            let given = function.descendants().filter(|below| visible::targets(*below).iter().any(|one| one.0 == name));
            let mut values = given.filter_map(|below| below.field("right").or_else(|| below.field("value")));
            if values.any(|value| !value.contains(node) && self.is_given(value, depth + 1)) {
                return true;
            }
        }
        false
    }
}
