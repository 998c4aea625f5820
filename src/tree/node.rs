//! A node of a [`Tree`]: a number and the tree it belongs to.

use std::ops::Range;

use super::{ERROR, EXTRA, LABEL, MISSING, NAMED, NodeData, READ, Tree, UNREAD};

/// A node's number within its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// A node, cheap to copy.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    pub(super) tree: &'t Tree,
    /// Its number.
    pub id: NodeId,
}

impl<'t> Node<'t> {
    fn data(self) -> &'t NodeData {
        &self.tree.nodes[self.id.0 as usize]
    }

    /// The tree it belongs to.
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// The kind, as the grammar numbers it.
    pub fn kind_id(self) -> u16 {
        self.data().kind
    }

    /// The kind, as the grammar names it.
    pub fn kind(self) -> &'static str {
        self.tree.language.kind(self.data().kind)
    }

    /// The field of its parent that it fills, as the grammar numbers it; 0 for none.
    pub fn field_id(self) -> u16 {
        self.data().field
    }

    /// The field of its parent that it fills.
    pub fn field_name(self) -> Option<&'static str> {
        self.tree.language.grammar.field_name_for_id(self.data().field)
    }

    /// Whether it has a name in the grammar, rather than being a token.
    pub fn is_named(self) -> bool {
        self.data().flags & NAMED != 0
    }

    /// Whether it may stand anywhere: comments, mostly.
    pub fn is_extra(self) -> bool {
        self.data().flags & EXTRA != 0
    }

    /// Whether the parser put it in because it was not there.
    pub fn is_missing(self) -> bool {
        self.data().flags & MISSING != 0
    }

    /// Whether the parser could not read it.
    pub fn is_error(self) -> bool {
        self.data().flags & ERROR != 0
    }

    /// Whether it holds tokens and nothing more is known of them: what a macro is given, where that is no list of
    /// expressions.
    pub fn is_tokens(self) -> bool {
        self.data().flags & READ == 0 && self.tree.language.facts.tokens.iter().any(|kind| kind == self.kind())
    }

    /// Whether it is what a macro is given, and was read as a list of expressions.
    pub fn is_list_of_macro(self) -> bool {
        self.data().flags & READ != 0
    }

    /// Whether it is one of the tokens of a list that was read up to them.
    pub fn is_unread(self) -> bool {
        self.data().flags & UNREAD != 0
    }

    /// Whether it is the name of what a macro is given: `a` in `format!("{a}", a = 1)`.
    pub fn is_label(self) -> bool {
        self.data().flags & LABEL != 0
    }

    /// Its bytes in the tree's own text.
    pub fn local_range(self) -> Range<usize> {
        self.data().start as usize..self.data().end as usize
    }

    /// Its bytes in the file: the same, unless the tree is embedded.
    pub fn range(self) -> Range<usize> {
        let range = self.local_range();
        range.start + self.tree.base..range.end + self.tree.base
    }

    /// Its text.
    pub fn text(self) -> &'t str {
        self.tree.text.get(self.local_range()).unwrap_or("")
    }

    /// The beginning of its first line, for messages.
    pub fn short(self) -> String {
        short(self.text())
    }

    /// What it holds, where it is there only because that begins on a line of its own; else itself.
    #[must_use]
    pub fn on_its_line(self) -> Self {
        let blocks = &self.tree().language.facts.line_blocks;
        if !blocks.iter().any(|kind| kind == self.kind()) {
            return self;
        }
        let mut held = self.children().filter(|child| !child.is_extra());
        match (held.next(), held.next()) {
            (Some(only), None) if only.is_named() => only,
            _ => self,
        }
    }

    /// The node around it.
    pub fn parent(&self) -> Option<Node<'t>> {
        (self.id.0 != 0).then(|| self.tree.node(NodeId(self.data().parent)))
    }

    /// The nodes around it, nearest first.
    pub fn ancestors(self) -> impl Iterator<Item = Node<'t>> {
        std::iter::successors(self.parent(), Node::parent)
    }

    /// Its children in order, tokens and comments included.
    pub fn children(self) -> impl Iterator<Item = Node<'t>> {
        let end = self.data().subtree_end;
        let mut next = self.id.0 + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let child = self.tree.node(NodeId(next));
            next = child.data().subtree_end;
            Some(child)
        })
    }

    /// Its named children, comments left out.
    pub fn named_children(self) -> impl Iterator<Item = Node<'t>> {
        self.children().filter(|c| c.is_named() && !c.is_extra())
    }

    /// The first child that fills a field.
    pub fn field(self, name: &str) -> Option<Node<'t>> {
        let id = self.tree.language.grammar.field_id_for_name(name)?.get();
        self.children().find(|c| c.field_id() == id)
    }

    /// Everything below it in pre-order, itself left out.
    pub fn descendants(self) -> impl Iterator<Item = Node<'t>> {
        (self.id.0 + 1..self.data().subtree_end).map(move |i| self.tree.node(NodeId(i)))
    }

    /// How many nodes its subtree holds, itself included: what visiting it costs.
    pub fn subtree_len(self) -> usize {
        (self.data().subtree_end - self.id.0) as usize
    }

    /// Whether `other` is this node or lies below it.
    pub fn contains(self, other: Node<'_>) -> bool {
        (self.id.0..self.data().subtree_end).contains(&other.id.0)
    }

    /// The next sibling that is no comment and has a name.
    pub fn next_named(self) -> Option<Node<'t>> {
        let end = self.parent()?.data().subtree_end;
        let after =
            |n: &Node<'t>| Some(self.tree.node(NodeId(n.data().subtree_end))).filter(|n| n.id.0 < end && n.id.0 > 0);
        std::iter::successors(after(&self), after).find(|c| c.is_named() && !c.is_extra())
    }

    /// The previous sibling that is no comment and has a name.
    pub fn prev_named(self) -> Option<Node<'t>> {
        self.parent()?.named_children().take_while(|c| c.id < self.id).last()
    }

    /// Whether it is a comment: what may stand anywhere and says something to people. What a template says, or that
    /// a line goes on, may stand anywhere, too.
    pub fn is_comment(self) -> bool {
        self.is_extra() && self.is_named() && self.kind().contains("comment")
    }

    /// Whether it has no children but comments.
    pub fn is_leaf(self) -> bool {
        self.data().subtree_end == self.id.0 + 1
    }

    /// Whether it is a string literal: its letters are what they are, in upper or in lower case.
    pub fn is_string(self) -> bool {
        self.tree.language.is_string(self.kind_id())
    }

    /// Text of its own between its children, white space left out: what string
    /// contents are in grammars that give them no node. In a literal white space says something.
    pub fn gaps(self) -> Vec<&'t str> {
        let mut gaps = Vec::new();
        let mut at = self.local_range().start;
        let language = self.tree.language;
        // A `;` that the grammar keeps to itself parts the elements of a list, and says nothing.
        let parts = |gap: &str| language.is_list(self.kind_id()) && language.is_separator(gap);
        let mut push = |from: usize, to: usize| {
            let gap = self.tree.text.get(from..to).unwrap_or("");
            let gap = if self.is_string() { gap } else { gap.trim() };
            if !gap.is_empty() && !parts(gap) && !language.only_goes_on(gap) {
                gaps.push(gap);
            }
        };
        for child in self.children() {
            let range = child.local_range();
            push(at, range.start);
            at = at.max(range.end);
        }
        if !self.is_leaf() {
            push(at, self.local_range().end);
        }
        gaps
    }

    /// Whether it is a statement: what a comment may stand above.
    pub fn is_statement(self) -> bool {
        let language = self.tree.language;
        self.is_named() && self.parent().is_some_and(|around| language.is_statement(around.kind_id(), self.kind_id()))
    }

    /// Line and column of its first byte, from 1.
    pub fn line_column(self) -> (u32, u32) {
        self.tree.line_column(self.local_range().start)
    }

    /// Whether two nodes hold the same code: the same tokens, comments and white
    /// space left out.
    pub fn same_code(self, other: Node<'_>) -> bool {
        if self.text() == other.text() && self.kind_id() == other.kind_id() {
            return true;
        }
        let fold = self.tree.language.facts.case_insensitive;
        let (mut a, mut b) = (self.tokens(), other.tokens());
        loop {
            match (a.next(), b.next()) {
                (None, None) => return true,
                (Some(x), Some(y))
                    if x.kind_id() == y.kind_id() && same_text(x.text(), y.text(), fold && !x.is_string()) => {}
                _ => return false,
            }
        }
    }

    fn tokens(self) -> impl Iterator<Item = Node<'t>> {
        std::iter::once(self)
            .chain(self.descendants())
            .filter(|n| (n.is_leaf() || !n.gaps().is_empty()) && !n.is_extra())
    }
}

/// The beginning of the first line of code, for messages.
pub fn short(code: &str) -> String {
    const WIDTH: usize = 40;
    code.lines().next().unwrap_or("").chars().take(WIDTH).collect()
}

/// Text equality, with or without regard to ASCII case.
pub fn same_text(a: &str, b: &str, fold: bool) -> bool {
    if fold { a.eq_ignore_ascii_case(b) } else { a == b }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{:?}", self.kind(), self.local_range())
    }
}
