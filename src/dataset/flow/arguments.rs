//! Arguments of methods that nothing is read of: which of them can name no column.
//!
//! A list of what is known to be harmless, not of what is dangerous: whatever is not on it holds
//! the value that the method is called on.
//! Must not: know what a method does.

use super::Flow;
use super::call::Method;
use super::shape::{Shape, shape};
use super::value::Value;
use crate::tree::Node;

/// Options that name no column, whatever is given.
const OPTIONS: [&str; 24] = [
    "ascending",
    "na_position",
    "kind",
    "ignore_index",
    "inplace",
    "how",
    "axis",
    "n",
    "frac",
    "replace",
    "random_state",
    "keep",
    "deep",
    "drop",
    "sort",
    "dropna",
    "observed",
    "as_index",
    "engine",
    "sep",
    "encoding",
    "storage_options",
    "nrows",
    "project_id",
];

/// Whether an argument is written out: numbers and words, which are told wherever they name a
/// column. Keys of a dictionary are not.
fn is_written_out(node: Node<'_>) -> bool {
    match shape(node) {
        Shape::Constant | Shape::Text => true,
        Shape::Sequence(items) => items.into_iter().all(is_written_out),
        Shape::Operator(_, operands) => operands.into_iter().all(is_written_out),
        Shape::Same(inner) => is_written_out(inner),
        _ => false,
    }
}

impl<'t> Flow<'t> {
    /// What goes into a method besides what is read of it: words, numbers, and what is no column
    /// by its name. Anything else may name columns, or be a function that reads them.
    pub(super) fn other_arguments(&mut self, value: &Value<'t>, method: &Method<'t>, places: usize, read: &[&str]) {
        let by_place = method.plain().skip(places).collect::<Vec<_>>();
        let by_name = method
            .arguments
            .iter()
            .filter(|one| one.name.is_some_and(|name| !read.contains(&name) && !OPTIONS.contains(&name)));
        for one in by_place.into_iter().chain(by_name) {
            if !is_written_out(one.node) {
                self.lost(value, one.node, "what is given here may name columns that this does not show");
            }
        }
    }
}
