//! Uses as they are noted: the bytes of a name, and how it may be rewritten.
//!
//! Must not: resolve a name.

use std::ops::Range;

use super::path::{Path, Stand};
use super::{Dialect, Resolver, unquoted};
use crate::dataset::mapping::{Becomes, Position};
use crate::dataset::usage::{Accessor, ColumnForm, Form, Of, Role, Use, ValueUse};
use crate::tree::Node;

impl<'t> Resolver<'t> {
    /// Whether a struct or array is only looked into here: unnested, counted, indexed.
    pub(super) fn is_taken_apart(&self, node: Node<'t>) -> bool {
        let Some(parent) = node.parent() else { return false };
        match parent.kind() {
            "is" => true,
            "argument" => {
                let around = parent.parent().and_then(|arguments| arguments.parent());
                around.is_some_and(|around| match around.kind() {
                    "unnest" => true,
                    "call" | "table_call" => {
                        let name = around.field("function").map_or(String::new(), |name| name.text().to_lowercase());
                        let looks = [
                            "count",
                            "array_length",
                            "size",
                            "cardinality",
                            "len",
                            "explode",
                            "explode_outer",
                            "flatten",
                            "unnest",
                        ];
                        let asks = ["exists", "any_match", "all_match", "none_match", "forall"];
                        let has_lambda = || around.descendants().any(|below| below.kind() == "lambda");
                        // In a list each element is a value as a whole.
                        let row =
                            around.kind() == "call" && matches!(name.as_str(), "explode" | "explode_outer" | "unnest");
                        looks.contains(&name.as_str()) && !row
                            || asks.contains(&name.as_str()) && has_lambda()
                            || matches!(name.as_str(), "filter" | "list_filter" | "array_filter")
                                && has_lambda()
                                && self.is_taken_apart(around)
                    }
                    _ => false,
                })
            }
            "expression_list" => parent.parent().is_some_and(|around| around.kind() == "star_modifier"),
            _ => false,
        }
    }

    /// How the text of `parts[at]` may be rewritten.
    pub(super) fn column_form(&self, path: &Path<'t>, at: usize, stand: Stand) -> ColumnForm {
        let (first, name) = (path.parts[0], path.parts[at]);
        let whole = first.range().start..name.range().end;
        let spelled = name.text().to_owned();
        let item = path.node.parent().filter(|parent| parent.kind() == "select_item");
        ColumnForm {
            qualifier: self.text(first.local_range().start..name.local_range().start),
            alias: stand.named.then(|| format!(" {} {spelled}", self.as_keyword(path.node))),
            inner: self.inner(name),
            removable: item.filter(|_| stand.named).and_then(|item| self.removable(item)),
            operand: !matches!(
                path.node.parent().map(Node::kind),
                Some("select_item" | "argument" | "order_item" | "grouping_item")
            ),
            value: self.value_use(path.node),
            role: stand.role,
            whole,
            spelled,
            accessor: None,
        }
    }

    /// Whether a use is of a column that has no successor.
    pub(super) fn drops(&self, one: usize) -> bool {
        let one = &self.uses[one];
        let Of::Column(column) = one.of else { return false };
        matches!(self.datasets.mappings[one.dataset].columns[column].becomes, Becomes::Drop(_))
    }

    /// Whether other text stands at these bytes of the file.
    pub(super) fn differs(&self, range: &Range<usize>, new: &str) -> bool {
        let base = self.tree.base();
        self.text(range.start - base..range.end - base) != new
    }

    pub(super) fn text(&self, range: Range<usize>) -> String {
        self.tree.text().get(range).unwrap_or("").to_owned()
    }

    /// `as`, in the case of the statement's `select`.
    pub(super) fn as_keyword(&self, node: Node<'t>) -> &'static str {
        let statement = std::iter::once(node).chain(node.ancestors().take(256));
        let word = statement.flat_map(Node::children).find(|child| child.kind() == "select");
        if word.is_some_and(|word| word.text().starts_with('S') && word.text().ends_with('T')) { "AS" } else { "as" }
    }

    /// A list item and the comma that goes with it.
    pub(super) fn removable(&self, item: Node<'t>) -> Option<Range<usize>> {
        let clause = item.parent()?;
        let items: Vec<Node<'t>> = clause.children().filter(|child| child.kind() == "select_item").collect();
        let at = items.iter().position(|one| one.id == item.id)?;
        let clean = |range: &Range<usize>| {
            let between = self.text(range.clone());
            between.chars().all(|c| c.is_whitespace() || c == ',') && between.matches(',').count() == 1
        };
        if items.len() < 2 {
            return None;
        }
        let own = item.local_range();
        let (gap, whole) = if at > 0 {
            let before = items[at - 1].local_range().end;
            (before..own.start, before..own.end)
        } else {
            let after = items[at + 1].local_range().start;
            (own.end..after, own.start..after)
        };
        clean(&gap).then(|| self.shift(whole))
    }

    /// Bytes of a name between its quotes.
    pub(super) fn inner(&self, name: Node<'t>) -> Range<usize> {
        let (range, text) = (name.range(), name.text());
        let quotes = (text.len() - unquoted(text).len()) / 2;
        range.start + quotes..range.end - quotes
    }

    /// A new name as it must be written where `name` stands: Snowflake knows a table's plain
    /// names in upper case, and in quotes case counts.
    pub(super) fn cased(&self, name: Node<'t>, new: &str) -> String {
        if self.is_upper(name) { new.to_uppercase() } else { new.to_owned() }
    }

    pub(super) fn is_upper(&self, name: Node<'t>) -> bool {
        let text = name.text();
        self.setting.dialect == Dialect::Snowflake
            && text.starts_with('"')
            && !text.contains(char::is_lowercase)
            && text.contains(char::is_uppercase)
    }

    /// As [`Resolver::cased`], of a column.
    fn column_cased(&mut self, name: Node<'t>, dataset: usize, of: &Of, form: &mut ColumnForm) {
        if form.accessor.is_some() || !self.is_upper(name) {
            return;
        }
        let new = match of {
            Of::Column(column) => match &self.datasets.mappings[dataset].columns[*column].becomes {
                Becomes::To(new) => new,
                Becomes::Expressions(_) => {
                    self.doubt(name, "it became an expression, and in quotes case counts");
                    return;
                }
                _ => return,
            },
            Of::Field(column, field) => &self.datasets.mappings[dataset].columns[*column].fields[*field].1,
            _ => return,
        };
        form.accessor = Some(Box::new(Accessor {
            language: "sql",
            before: format!("{}\"", form.qualifier),
            after: "\"".to_owned(),
            lead: None,
            renamed: Some(new.to_uppercase()),
        }));
    }

    pub(super) fn push(&mut self, node: Node<'t>, dataset: usize, of: Of, position: Position, mut form: Form) {
        if let Form::Column(form) = &mut form {
            self.column_cased(node, dataset, &of, form);
        }
        self.uses.push(Use { range: node.range(), dataset, of, position, form });
    }

    pub(super) fn push_unlisted(&mut self, node: Node<'t>, dataset: usize) {
        let name = unquoted(node.text()).to_owned();
        let why = format!("the mapping of {} does not list {name}", self.datasets.mappings[dataset].dataset);
        self.push(node, dataset, Of::Unlisted(name), Position::Read, Form::Told);
        self.doubt(node, why);
    }

    /// A column by its name alone, outside of any expression.
    pub(super) fn push_column(
        &mut self,
        name: Node<'t>,
        dataset: usize,
        column: usize,
        position: Position,
        role: Role,
        value: ValueUse,
    ) {
        let form = ColumnForm {
            whole: name.range(),
            qualifier: String::new(),
            spelled: name.text().to_owned(),
            inner: self.inner(name),
            role,
            value,
            alias: None,
            removable: None,
            operand: false,
            accessor: None,
        };
        self.push(name, dataset, Of::Column(column), position, Form::Column(form));
    }
}
