//! What edited code must be: it reads no worse than before, holds together as it
//! did, and has lost nothing that no rule meant to delete.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use super::covers::Covers;
use super::inside::{Inside, read};
use super::moves::Moves;
use super::swallowed::swallowed;
use super::{ends, macros, naming, once, sequence, standing, tags, together};
use crate::edit::{Arranged, Edit, Fragment, Splice, in_old_text};
use crate::language::Language;
use crate::rule::{fillings, hollows};
use crate::tree::{Node, Tree, short};

/// Why a result is refused.
pub(super) struct Wrong {
    /// Where, in bytes of the old text.
    pub at: usize,
    /// The rule whose edit it is.
    pub rule: String,
    /// What is wrong.
    pub why: String,
}

/// A comment that an edit took away, or elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Touched {
    /// Where it was, in bytes of the old text.
    pub at: usize,
    /// The beginning of its text.
    pub text: String,
    /// Whether it is somewhere else now.
    pub moved: bool,
}

/// Old and new code, and the edits between them.
pub(super) struct Result<'r> {
    pub old: &'r Tree,
    pub new: &'r Tree,
    pub edits: &'r [Edit],
    pub arranged: &'r Arranged,
    /// The comments of files that are made besides, and how often each is there.
    pub moved: &'r BTreeMap<String, usize>,
    /// The line, for people, of a byte of `old`.
    pub line: &'r dyn Fn(usize) -> u32,
    /// Whether what a rule writes may mean a local of a name.
    pub means_local: &'r dyn Fn(&str, &str) -> bool,
}

impl Result<'_> {
    /// Every check, the most telling first. `comments` are the edits that are
    /// annotations, `literals` hold embedded code that was edited.
    pub(super) fn check(
        &self,
        comments: &BTreeSet<usize>,
        literals: &BTreeMap<(usize, usize), &'static Language>,
    ) -> std::result::Result<Vec<Touched>, Wrong> {
        self.misread()?;
        self.reads()?;
        self.displaced()?;
        self.borders()?;
        self.runs()?;
        self.own_lines()?;
        self.names()?;
        if let Some((at, why)) = tags::torn(self.old, self.new, self.edits, self.arranged) {
            return Err(self.wrong(at.start, why));
        }
        if let Some((at, why)) = ends::misplaced(self.old, self.new, self.edits, self.arranged) {
            return Err(self.wrong(beside(&self.arranged.splices, &at), why));
        }
        let touched = self.lost_comments()?;
        self.annotations(comments)?;
        self.literal_lines()?;
        let moves = Moves::new(&self.arranged.splices);
        literals.iter().try_for_each(|((start, end), language)| self.literal(&(*start..*end), language, &moves))?;
        Ok(touched)
    }

    /// What holds for a file once nothing more is done to it.
    pub(super) fn whole(&self) -> std::result::Result<(), Wrong> {
        self.reads()?;
        self.empty_blocks()?;
        self.once()
    }

    /// What stands once stands once, and what is called by a name is there.
    fn once(&self) -> std::result::Result<(), Wrong> {
        let wrong = |at: &Range<usize>, why| Err(self.wrong(beside(&self.arranged.splices, at), why));
        if let Some((at, why)) = once::misnamed(self.old, self.new, self.edits, self.arranged) {
            return wrong(&at, why);
        }
        let Some(reader) = self.new.language.facts.reader else { return Ok(()) };
        let Some((at, why)) = reader.objects(self.new.text()) else { return Ok(()) };
        // What is a template of such a file, or a newer kind of it, nobody can tell.
        if reader.objects(self.old.text()).is_some() {
            return Ok(());
        }
        let ((line, column), name) = (self.new.line_column(at), &self.new.language.facts.name);
        let text = short(self.new.text()[at..].lines().next().unwrap_or(""));
        let why = format!("the edit would leave what is no {name}: `{text}` at {line}:{column} of the result: {why}");
        wrong(&(at..at), why)
    }

    /// No edit rests on what the grammar reads otherwise than the language does.
    fn misread(&self) -> std::result::Result<(), Wrong> {
        let Some((edit, node)) = standing::cut(self.old, self.edits) else { return Ok(()) };
        let why = format!(
            "the grammar of {} reads `{}` as other code than it is: write it otherwise, as with a variable or parentheses",
            self.old.language.facts.name,
            node.short()
        );
        Err(Wrong { at: node.local_range().start, rule: self.edits[edit].rule.clone(), why })
    }

    /// The new code reads no worse than the old.
    fn reads(&self) -> std::result::Result<(), Wrong> {
        let Some((at, what)) = new_error(self.old, self.new, &self.arranged.splices) else { return Ok(()) };
        // What stands behind a comment on its line is a part of it.
        let mark = self.new.language.facts.line_comment.as_deref();
        let last = |edit: &Edit| match edit.replacement.iter().rfind(|part| **part != Fragment::Text(")".to_owned())) {
            Some(Fragment::Text(text)) => {
                text.lines().last().is_some_and(|line| mark.is_some_and(|m| line.contains(m)))
            }
            _ => false,
        };
        let near = self.edits.iter().min_by_key(|e| e.range.start.abs_diff(at));
        let mend = match near.is_some_and(last) {
            true => "; the new code ends in a comment, which takes in what stands behind it: write the comment above",
            false => "",
        };
        Err(self.wrong(at, format!("the edit would leave code that does not parse: {what}{mend}")))
    }

    fn wrong(&self, at: usize, why: String) -> Wrong {
        let near = self.edits.iter().min_by_key(|e| e.range.start.abs_diff(at));
        Wrong { at, rule: near.map_or_else(String::new, |e| e.rule.clone()), why }
    }

    pub(super) fn place(&self, node: Node<'_>) -> String {
        let (line, column) = node.line_column();
        format!("{line}:{column} of the result")
    }

    /// Blocks that hold nothing, and the like, though the grammar reads them.
    fn empty_blocks(&self) -> std::result::Result<(), Wrong> {
        let known: HashSet<_> = hollows(self.old).map(|n| n.local_range()).collect();
        for node in hollows(self.new) {
            let before = in_old_text(&self.arranged.splices, &node.local_range());
            if before.is_none_or(|range| !known.contains(&range)) {
                let at = beside(&self.arranged.splices, &node.local_range());
                let what = match self.new.language.is_never_empty(node.kind_id()) {
                    true => "an empty block".to_owned(),
                    false => format!("nothing where `{}` needs something,", node.short()),
                };
                return Err(self.wrong(at, format!("the edit would leave {what} at {}", self.place(node))));
            }
        }
        Ok(())
    }

    /// Replaced and copied code must still stand apart from what is around it.
    fn borders(&self) -> std::result::Result<(), Wrong> {
        if let Some((at, why)) = macros::no_list(self.old, self.new, self.edits, self.arranged) {
            return Err(self.wrong(at, why));
        }
        if let Some(torn) = together::torn(self.old, self.new, self.arranged, self.edits).into_iter().next() {
            let edit = &self.edits[torn.placed.edit];
            let part = short(self.new.text().get(torn.placed.range.clone()).unwrap_or("").trim());
            let why = format!(
                "the edit would change what belongs together: `{part}` is no piece of its own in `{}` at {}; put \
                 parentheses or braces around it in the rule",
                torn.around.short(),
                self.place(torn.around)
            );
            return Err(Wrong { at: edit.range.start, rule: edit.rule.clone(), why });
        }
        if let Some(part) = together::misplaced(self.old, self.new, self.arranged, self.edits) {
            let edit = &self.edits[part.placed.edit];
            let why = format!(
                "`{}` can't stand in `{}` at {}: narrow the rule with `where`, or write something else there",
                short(self.new.text().get(part.placed.range.clone()).unwrap_or("").trim()),
                part.around.short(),
                self.place(part.around)
            );
            return Err(Wrong { at: edit.range.start, rule: edit.rule.clone(), why });
        }
        self.illegal()?;
        self.stray()?;
        self.homeless()?;
        if let Some(node) = swallowed(self.old, self.new, self.arranged) {
            let end = node.local_range().end;
            let gap = |s: &Splice| self.old.text().get(end..s.range.start).is_some_and(|gap| gap.trim().is_empty());
            let before = self.arranged.splices.iter().any(gap);
            let mend = match before {
                true => "the new code goes on with what stands before it: end that by `;`, or edit this place, by hand",
                false => "end the new code where it ends, as by `;` or parentheses",
            };
            let why = format!(
                "the edit would change what stands beside it: `{}` is no piece of its own any more; {mend}",
                node.short()
            );
            return Err(self.wrong(node.local_range().start, why));
        }
        Ok(())
    }

    /// Where code has a name, it has one still.
    fn displaced(&self) -> std::result::Result<(), Wrong> {
        let Some(displaced) = naming::displaced(self.old, self.new, self.edits, self.arranged) else { return Ok(()) };
        let more = |up: &Node<'_>| up.local_range() != displaced.name.local_range();
        let around = displaced.name.ancestors().find(more).map_or_else(String::new, Node::short);
        let why = format!(
            "`{}` is a name in `{around}`, and what the rule writes is none: narrow the rule with `where`, `outside` or \
             `symbol(…)`, or put what comes behind the name there with `insert_after`",
            displaced.name.short()
        );
        let again = displaced
            .end
            .map(|end| format!("`{}` at {} says the name again: edit both", end.short(), end.line_column().0));
        let why = again.unwrap_or(why);
        let rule = self.edits[displaced.edit].rule.clone();
        Err(Wrong { at: displaced.name.local_range().start, rule, why })
    }

    /// What the grammar reads, and the language does not.
    fn illegal(&self) -> std::result::Result<(), Wrong> {
        let Some(illegal) = standing::illegal(self.old, self.new, self.arranged, self.edits) else { return Ok(()) };
        let node = illegal.node;
        let mend = match illegal.loose {
            true => " without parentheses: write them in the rule",
            false => ": narrow the rule with `where`, or write something else there",
        };
        let around = node.parent().map_or_else(String::new, Node::short);
        let why = format!("`{}` can't stand in `{around}` at {}{mend}", node.short(), self.place(node));
        Err(self.wrong(beside(&self.arranged.splices, &node.local_range()), why))
    }

    /// What is written has what it belongs to around it.
    fn homeless(&self) -> std::result::Result<(), Wrong> {
        let Some(homeless) = standing::homeless(self.new, self.arranged, self.edits) else { return Ok(()) };
        let why = format!(
            "`{}` at {} needs {} around it: narrow the rule with `where`, or edit this place by hand",
            homeless.node.short(),
            self.place(homeless.node),
            homeless.needs
        );
        let edit = &self.edits[homeless.edit];
        Err(Wrong { at: edit.range.start, rule: edit.rule.clone(), why })
    }

    /// What belongs to a function or loop stays in it.
    fn stray(&self) -> std::result::Result<(), Wrong> {
        let Some(stray) = standing::stray(self.old, self.new, self.arranged, self.edits) else { return Ok(()) };
        let why = format!(
            "`{}` belongs to what is around it, and would come into another function or loop, or out of its own: edit \
             this place by hand, or narrow the rule",
            stray.node.short()
        );
        let rule = self.edits[stray.edit].rule.clone();
        Err(Wrong { at: stray.node.local_range().start, rule, why })
    }

    /// What was copied as neighbours must be neighbours still: the second statement of a body must
    /// not stand behind it.
    fn runs(&self) -> std::result::Result<(), Wrong> {
        for placed in &self.arranged.placed {
            let edit = &self.edits[placed.edit];
            let Some(Fragment::Copy(range)) = placed.fragment.and_then(|f| edit.replacement.get(f)) else { continue };
            let Some((first, last)) = ends(self.old, range).filter(|(a, b)| a != b) else { continue };
            let together = |tree: &Tree, a: crate::tree::NodeId, b| {
                tree.node(a).parent().map(|n| n.id) == tree.node(b).parent().map(|n| n.id)
            };
            if !together(self.old, first, last) {
                continue;
            }
            let whole = self.new.text().get(placed.range.clone()).unwrap_or("");
            let from = placed.range.start + whole.len() - whole.trim_start().len();
            let to = from + whole.trim().len();
            if ends(self.new, &(from..to)).is_some_and(|(a, b)| !together(self.new, a, b)) {
                let node = self.new.last_from(from);
                let why = format!(
                    "the edit would change what belongs together: of the code that was put at {}, a part ends up \
                     somewhere else; give it lines, or brackets, of its own in the rule",
                    self.place(node)
                );
                return Err(Wrong { at: edit.range.start, rule: edit.rule.clone(), why });
            }
        }
        let Some((edit, statement)) = sequence::torn_apart(self.old, self.new, self.edits, self.arranged) else {
            return Ok(());
        };
        let why = format!(
            "`{}` is one of several statements, and would be none where the rule puts them: give them lines, or braces, \
             of their own in the rule",
            statement.short()
        );
        Err(Wrong { at: statement.local_range().start, rule: self.edits[edit].rule.clone(), why })
    }

    /// Where indentation tells blocks apart, a statement with a block begins its line; and none goes on
    /// with the line before, as a block of Scala does.
    fn own_lines(&self) -> std::result::Result<(), Wrong> {
        let facts = &self.new.language.facts;
        if !facts.indented {
            return Ok(());
        }
        let is = |kinds: &[String], n: &Node<'_>| kinds.iter().any(|kind| kind == n.kind());
        let has_block = |n: &Node<'_>| n.children().any(|c| self.new.language.is_never_empty(c.kind_id()));
        let before = |n: &Node<'_>| &self.new.text()[..n.local_range().start];
        // Behind the bracket that is around it, a statement has room for lines of its own.
        let behind = |n: &Node<'_>| {
            let line = before(n).rsplit('\n').next().unwrap_or("").trim_end();
            let first = n.parent().and_then(|around| around.children().next());
            !line.trim().is_empty()
                && !first.is_some_and(|s| standing::opens(s) && before(n).trim_end().len() == s.local_range().end)
        };
        let goes_on = |n: &Node<'_>| {
            let gap = before(n);
            let lines = gap[gap.trim_end().len()..].matches('\n').count();
            is(&facts.goes_on, n) && lines == 1 && n.prev_named().is_some()
        };
        let moves = Moves::new(&self.arranged.splices);
        let nodes = moves.put().iter().flat_map(|range| standing::within(self.new, range));
        let wrong = |n: &Node<'_>| n.is_statement() && (has_block(n) && behind(n) || goes_on(n));
        let Some(node) = nodes.into_iter().find(wrong) else { return Ok(()) };
        let what = if goes_on(&node) { "goes on with the line before" } else { "does not begin its line" };
        let why = format!(
            "`{}` {what} at {}, and would be read otherwise: narrow the rule, or edit this place by hand",
            node.short(),
            self.place(node)
        );
        Err(self.wrong(beside(&self.arranged.splices, &node.local_range()), why))
    }

    /// Comments inside of replaced code must be in the result, unless their code was deleted
    /// or a rule lets them go: those that went, and those that went elsewhere.
    fn lost_comments(&self) -> std::result::Result<Vec<Touched>, Wrong> {
        let mut touched = Vec::new();
        let empties = self.edits.iter().filter(|e| e.replacement.is_empty() || e.drops);
        let deletions = Covers::new(empties.map(|e| (e.range.clone(), e.replacement.is_empty())));
        let kept = Covers::new(self.arranged.kept.iter().map(|k| (k.old.clone(), k.new)));
        let comments = self.old.iter().filter(|n| n.is_comment() || speaks(*n));
        let mut splices = self.arranged.splices.iter().peekable();
        let mut moved = self.moved.clone();
        for comment in comments {
            let range = comment.local_range();
            while splices.next_if(|s| s.range.end <= range.start).is_some() {}
            if splices.peek().is_none_or(|s| s.range.start >= range.end) {
                continue;
            }
            // Within a tag of a template code is edited as elsewhere.
            if !comment.is_comment()
                && splices.peek().is_none_or(|s| s.range.start > range.start || s.range.end < range.end)
            {
                continue;
            }
            // The lines of one may have moved, and are copied one by one.
            let still = |new: usize| {
                let nodes = std::iter::successors(Some(self.new.last_from(new)), Node::parent);
                let mut nodes = nodes.take_while(|n| n.local_range().start == new);
                nodes.any(|n| n.is_extra() && said(n) == said(comment)) || is_between(self.new, new, comment.text())
            };
            let begins = range.start..range.start + 1;
            let copied = kept.of(&begins).any(|(old, new)| still(new + range.start - old.start));
            // A tag is code: no rule lets it go as it does a comment.
            let taken = deletions.of(&range).any(|(_, whole)| whole || comment.is_comment());
            let mut touch = |moved| touched.push(Touched { at: range.start, text: comment.short(), moved });
            match moved.get_mut(&said(comment)) {
                // What was copied where its own edit keeps it stays as it was.
                _ if copied && !taken => continue,
                Some(left) if *left > 0 && !copied => {
                    *left -= 1;
                    touch(true);
                    continue;
                }
                _ if taken => {
                    touch(copied);
                    continue;
                }
                _ => {}
            }
            let (line, said) = ((self.line)(range.start), comment.short());
            let why = match comment.is_comment() {
                true => format!("the edit would lose the comment `{said}` on line {line}: keep it, or move it first"),
                false => {
                    format!("the edit would lose `{said}` on line {line}, which is code: keep it, or edit this by hand")
                }
            };
            return Err(self.wrong(range.start, why));
        }
        Ok(touched)
    }

    /// The comment of an annotation must be one where it came to stand.
    fn annotations(&self, comments: &BTreeSet<usize>) -> std::result::Result<(), Wrong> {
        for placed in self.arranged.placed.iter().filter(|p| p.fragment.is_none() && comments.contains(&p.edit)) {
            let text = &self.new.text()[placed.range.clone()];
            let start = placed.range.start + text.len() - text.trim_start().len();
            let node = self.new.last_from(start);
            let around = || std::iter::once(node).chain(node.ancestors());
            if !around().any(|n| n.is_extra() && n.local_range().start == start) {
                let edit = &self.edits[placed.edit];
                let why = "no comment can stand above this code; the annotation has no place".to_owned();
                return Err(Wrong { at: edit.range.start, rule: edit.rule.clone(), why });
            }
        }
        Ok(())
    }

    /// Lines of a literal that a template writes must not be moved with its code.
    fn literal_lines(&self) -> std::result::Result<(), Wrong> {
        for placed in &self.arranged.placed {
            let edit = &self.edits[placed.edit];
            let Some(Fragment::Text(text)) = placed.fragment.and_then(|f| edit.replacement.get(f)) else { continue };
            let Some((_, last)) = text.rsplit_once('\n') else { continue };
            if !last.starts_with([' ', '\t']) && !text.contains("\n ") && !text.contains("\n\t") {
                continue;
            }
            let inside = |n: &Node<'_>| self.new.language.is_string(n.kind_id()) && n.text().contains('\n');
            let within =
                |n: &Node<'_>| placed.range.start <= n.local_range().start && n.local_range().end <= placed.range.end;
            let from = self.new.last_from(placed.range.start).id;
            let nodes = (from.0..).map(crate::tree::NodeId).take_while(|id| (id.0 as usize) < self.new.len());
            let mut nodes = nodes.map(|id| self.new.node(id)).take_while(|n| n.local_range().start < placed.range.end);
            if nodes.any(|n| inside(&n) && within(&n)) {
                let why = "the new code has a literal of several lines, and its lines would be indented with the \
                           code; write it with escapes";
                return Err(Wrong { at: edit.range.start, rule: edit.rule.clone(), why: why.to_owned() });
            }
        }
        Ok(())
    }

    /// Embedded code must read as it was meant: what was written there in code is
    /// there in the value of the literal, and it parses.
    fn literal(
        &self,
        range: &Range<usize>,
        language: &'static Language,
        moves: &Moves<'_>,
    ) -> std::result::Result<(), Wrong> {
        let wrong = |why: &str| {
            Err(self
                .wrong(range.start, format!("the edit would break the {} in this literal: {why}", language.facts.name)))
        };
        if moves.cross(range.start) {
            return Ok(());
        }
        let (Some(old), Some(new)) =
            (read(self.old, range, language), read(self.new, &(moves.of(range.start)..moves.of(range.end)), language))
        else {
            return wrong("it can't be read any more");
        };
        if new.tree.errors().next().is_some() {
            return wrong("it does not parse");
        }
        let shifted = |s: &Splice| s.range.start - range.start..s.range.end - range.start;
        let local: Vec<Splice> =
            moves.within(range).map(|s| Splice { range: shifted(s), text: s.text.clone() }).collect();
        if crate::edit::apply(old.tree.text(), &local) != new.tree.text() {
            return wrong("a quote, an escape or a hole in the new text means something else there");
        }
        let Some(inside) = Inside::new(self.old, range, language, self.edits) else { return Ok(()) };
        let line = |at: usize| (self.line)(at + range.start);
        let (edits, arranged) = (&inside.edits, &inside.arranged);
        let (moved, means_local) = (self.moved, self.means_local);
        let code = Result { old: &inside.tree, new: &new.tree, edits, arranged, moved, line: &line, means_local };
        let checked = code.borders().and_then(|()| code.runs()).and_then(|()| code.lost_comments().map(|_| ()));
        checked.map_err(|wrong| Wrong {
            at: wrong.at + range.start,
            why: format!("in the {} of this literal: {}", language.facts.name, wrong.why),
            ..wrong
        })
    }
}

/// Writes what a block holds that deletions would leave empty. Whether anything was changed.
pub(super) fn fill_blocks(old: &Tree, edits: &mut [Edit]) -> bool {
    let empty = |edit: &Edit| edit.replacement.is_empty() && !edit.range.is_empty();
    let deletions: Vec<(usize, Range<usize>)> =
        edits.iter().enumerate().filter(|(_, e)| empty(e)).map(|(at, e)| (at, e.range.clone())).collect();
    let fillings = if deletions.is_empty() { Vec::new() } else { fillings(old, &deletions) };
    for (at, text) in &fillings {
        let same: Vec<usize> = (0..edits.len()).filter(|other| edits[*other].range == edits[*at].range).collect();
        for one in same {
            edits[one].replacement = vec![Fragment::Text(text.clone())];
            edits[one].drops = true;
        }
    }
    !fillings.is_empty()
}

/// Where a tree has a block that holds nothing, or the like, though its language forbids it.
pub(super) fn empty_block(tree: &Tree) -> Option<(u32, u32)> {
    hollows(tree).next().map(|node| node.line_column())
}

/// The largest nodes, comments left out, that begin and end where a range does.
pub(super) fn ends(tree: &Tree, range: &Range<usize>) -> Option<(crate::tree::NodeId, crate::tree::NodeId)> {
    let within = |n: &Node<'_>| range.start <= n.local_range().start && n.local_range().end <= range.end;
    let top = |n: Node<'_>| std::iter::once(n).chain(n.ancestors()).take_while(within).last().map(|n| n.id);
    // Comments may stand at both ends.
    let code = |n: &Node<'_>| n.is_leaf() && !n.is_extra() && n.is_named() && within(n) && !n.local_range().is_empty();
    let from = tree.last_from(range.start);
    let start = std::iter::once(from)
        .chain(from.ancestors())
        .take_while(|n| n.local_range().start >= range.start)
        .last()
        .unwrap_or(from);
    let leaves = (start.id.0..tree.len() as u32).map(|id| tree.node(crate::tree::NodeId(id)));
    let mut leaves = leaves.take_while(|n| n.local_range().start < range.end).filter(code);
    let first = leaves.next()?;
    let last = leaves.last().unwrap_or(first);
    Some((top(first)?, top(last)?))
}

/// The first ERROR or MISSING node of the new tree that is no old one: where
/// the nearest edit begins in the old text, and what is wrong.
fn new_error(old: &Tree, new: &Tree, splices: &[Splice]) -> Option<(usize, String)> {
    let known: HashSet<_> = old.errors().map(|e| (e.kind_id(), e.local_range())).collect();
    for error in new.errors() {
        let before = in_old_text(splices, &error.local_range());
        if before.is_some_and(|range| known.contains(&(error.kind_id(), range))) {
            continue;
        }
        let (line, column) = error.line_column();
        let text = error.short();
        let what = if error.is_missing() {
            format!("`{}` is missing at {line}:{column} of the result", error.kind())
        } else {
            format!("`{text}` at {line}:{column} of the result")
        };
        return Some((beside(splices, &error.local_range()), what));
    }
    None
}

/// Where in the old text the change is that lies nearest to a range of the new one, before or behind it.
fn beside(splices: &[Splice], range: &Range<usize>) -> usize {
    let mut shift = 0_isize;
    let apart = splices.iter().map(|splice| {
        let start = splice.range.start.saturating_add_signed(shift);
        let end = start + splice.text.len();
        shift += splice.text.len() as isize - splice.range.len() as isize;
        (start.saturating_sub(range.end).max(range.start.saturating_sub(end)), splice.range.start)
    });
    apart.min_by_key(|(apart, _)| *apart).map_or(0, |(_, at)| at)
}

/// What each comment of a tree says.
pub(super) fn comments(tree: &Tree) -> impl Iterator<Item = String> {
    tree.iter().filter(|n| n.is_comment()).map(said)
}

/// What may stand anywhere and is no comment, but says something all the same, as a tag of a template or a hint does,
/// unlike that a line goes on: patterns pass over it.
fn speaks(node: Node<'_>) -> bool {
    let says = |c: char| !c.is_whitespace() && c != '\\';
    node.is_extra() && node.is_named() && node.text().contains(says)
}

/// What a comment says, wherever its lines begin.
fn said(comment: Node<'_>) -> String {
    comment.text().lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

/// Whether a comment stands between two tokens, as white space does: some grammars have no node for one
/// before which a statement ends.
fn is_between(tree: &Tree, at: usize, comment: &str) -> bool {
    let end = at + comment.len();
    let last = tree.last_from(end.saturating_sub(1));
    let mut around = std::iter::once(last).chain(last.ancestors());
    let holds = |n: &Node<'_>| at < n.local_range().end && (n.is_leaf() || tree.language.is_string(n.kind_id()));
    tree.text().get(at..end) == Some(comment) && last.local_range().start < at && !around.any(|n| holds(&n))
}
