//! Lists of modules with a line for each, as `import ( … )` of Go: groups of lines, each of one kind and in order.
//!
//! Must not: edit anything.

use super::import_block::Block;
use super::layout::line_start;
use crate::symbol::normal;
use crate::tree::{Node, Tree};

/// A list of modules.
pub(super) struct ModuleList<'t> {
    tree: &'t Tree,
    lines: Vec<Line<'t>>,
    hosted: bool,
}

struct Line<'t> {
    element: Node<'t>,
    module: String,
    /// Lines of one group have no line between them.
    group: usize,
}

/// What parts new lines from a group that is not of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Apart {
    /// A blank line above.
    Above,
    /// Nothing: they join a group.
    Joined,
    /// A blank line below.
    Below,
}

/// Where a line goes: its first byte, and what parts it from what is there.
pub(super) type Spot = (usize, Apart);

impl<'t> ModuleList<'t> {
    /// The first list of the file, where each module has a line of its own.
    pub(super) fn of(block: &Block<'t>, tree: &'t Tree) -> Option<Self> {
        let facts = block.facts;
        let is_list = |n: &Node<'_>| facts.module_lists && facts.lists.iter().any(|kind| kind == n.kind());
        let list = block.statements.iter().filter_map(|one| one.parent()).find(is_list)?;
        let text = tree.text();
        let mut lines: Vec<Line<'t>> = Vec::new();
        for element in list.named_children().filter(|child| !child.is_extra()) {
            let own = element.local_range();
            let rest = text[own.end..].lines().next().unwrap_or("").trim();
            let mark = tree.language.facts.line_comment.as_deref().unwrap_or("\n");
            if !text[line_start(text, own.start)..own.start].trim().is_empty()
                || !(rest.is_empty() || rest.starts_with(mark))
            {
                return None;
            }
            let before = lines.last().map_or(own.start, |line| line.element.local_range().end);
            let group = lines.last().map_or(0, |line| line.group);
            let parted = text[before..own.start].matches('\n').count() > 1;
            lines.push(Line { element, module: module_of(element), group: group + usize::from(parted) });
        }
        (!lines.is_empty()).then_some(Self { tree, lines, hosted: facts.hosted })
    }

    /// Where a module goes: into the group of its kind that it shares the most with, in its order; `gone` are lines
    /// that go.
    pub(super) fn spot(&self, module: &str, gone: &dyn Fn(Node<'t>) -> bool) -> Spot {
        let kind = |module: &str| self.hosted && module.split('/').next().is_some_and(|host| host.contains('.'));
        let lives = |group: &[Line<'t>]| group.iter().any(|line| !gone(line.element));
        let common = |line: &Line<'t>| {
            line.module.split(['.', '/']).zip(module.split(['.', '/'])).take_while(|(a, b)| a == b).count()
        };
        let groups: Vec<&[Line<'t>]> = self.lines.chunk_by(|a, b| a.group == b.group).collect();
        let alike = |group: &&&[Line<'t>]| group.iter().any(|line| kind(&line.module) == kind(module));
        let best = groups.iter().filter(alike).max_by_key(|group| (lives(group), group.iter().map(common).max()));
        let any = groups.iter().any(|group| lives(group));
        match best.or_else(|| groups.last().filter(|_| !any)) {
            Some(group) => (self.within(group, module), Apart::Joined),
            None if kind(module) => (self.end(self.lines.len() - 1), Apart::Above),
            None => (self.start(0), Apart::Below),
        }
    }

    /// Whether another module may stand where a line is, in the order of its group.
    pub(super) fn fits(&self, element: Node<'t>, module: &str) -> bool {
        let Some(at) = self.lines.iter().position(|line| line.element.id == element.id) else { return true };
        let group = self.lines[at].group;
        let mut all: Vec<&str> =
            self.lines.iter().filter(|line| line.group == group).map(|line| line.module.as_str()).collect();
        let place = at - self.lines.iter().take_while(|line| line.group != group).count();
        let sorted = all.is_sorted();
        all[place] = module;
        !sorted || all.is_sorted()
    }

    /// Whether a line is one of the list.
    pub(super) fn holds(&self, element: Node<'t>) -> bool {
        self.lines.iter().any(|line| line.element.id == element.id)
    }

    fn within(&self, group: &[Line<'t>], module: &str) -> usize {
        let index = |line: &Line<'t>| self.lines.iter().position(|one| one.element.id == line.element.id).unwrap_or(0);
        let next = group.iter().find(|line| line.module.as_str() > module);
        match next.filter(|_| group.is_sorted_by(|a, b| a.module <= b.module)) {
            Some(next) => self.start(index(next)),
            None => self.end(group.last().map_or(0, index)),
        }
    }

    /// Where a line begins, with the comments right above it.
    fn start(&self, line: usize) -> usize {
        let text = self.tree.text();
        let mark = self.tree.language.facts.line_comment.as_deref().unwrap_or("\n");
        let mut at = line_start(text, self.lines[line].element.local_range().start);
        while let Some(above) = at.checked_sub(1).map(|end| line_start(text, end)) {
            if !text[above..at].trim_start().starts_with(mark) {
                break;
            }
            at = above;
        }
        at
    }

    fn end(&self, line: usize) -> usize {
        let (text, end) = (self.tree.text(), self.lines[line].element.local_range().end);
        text[end..].find('\n').map_or(text.len(), |at| end + at + 1)
    }
}

/// The module that a line brings: its text.
fn module_of(element: Node<'_>) -> String {
    let language = element.tree().language;
    let text = element.named_children().find(|child| language.is_string(child.kind_id())).unwrap_or(element);
    normal(text.text().trim_matches(['"', '`', '\'']))
}
