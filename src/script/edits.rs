//! Edits that say what they mean: `wrap`, `set_list`, `set_value`, `rename`, and what
//! becomes of the comments of code that is deleted.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::ops::Range;

use rhai::{Array, Dynamic, EvalAltResult, Map};

use super::budget::charge;
use super::code::{EditSpec, Snippet, code, deletion_of, lit, without};
use super::error::fail;
use super::explain::plain;
use super::nodes::{RhaiList, RhaiNode, text_of};
use super::reference::Api;
use crate::edit::Fragment;
use crate::rule::{Comments, comment_behind, deletion_with_value, whole_lines};
use crate::symbol::{Symbols, said};
use crate::tree::{Node, Tree};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(api: &mut Api<'_>) {
    let docs = "Puts code around a node: `$IT` in it is the node.";
    let example = r#".find("f($X)").when(|m| !m.X.fits("g($_)")).edit(|m, cx| edits([wrap(m.X, "g($IT)")])).example("f(1)", "f(g(1))")"#;
    api.function(
        "wrap(node, template) -> Edit",
        docs,
        example,
        |node: RhaiNode, template: &str| -> Fallible<EditSpec> {
            let range = node.node().range();
            let holes = Map::from_iter([("IT".into(), Dynamic::from(node))]);
            let code = code(template, &holes)?;
            if !code.copies(&range) {
                return Err(fail("wrap(…) takes code that holds `$IT`, which is what it is put around"));
            }
            Ok(EditSpec::replace(range, code))
        },
    );
    lists(api);
    values(api);
    names(api);
    deletions(api);
}

fn lists(api: &mut Api<'_>) {
    let docs = "Writes a list anew: what `$$$X` stands for becomes these nodes and code, in this order, parted as they were, each with the comments right above it. A list that is empty has no place: replace what is around it.";
    let example = r#".find("f($$$X)").when(|m| m.X.len == 2).edit(|m, cx| edits([set_list(m.X, [m.X.nodes[1], code("0"), m.X.nodes[0]])])).example("f(1, 2)\nf(\n    1,\n    2,\n)\n", "f(2, 0, 1)\nf(\n    2,\n    0,\n    1,\n)\n")"#;
    api.function("set_list(list, elements) -> Edit", docs, example, |list: RhaiList, elements: Array| {
        set_list(&list, elements)
    });
}

fn set_list(list: &RhaiList, elements: Array) -> Fallible<EditSpec> {
    charge(elements.len())?;
    let nodes: Vec<Node<'_>> = list.nodes().collect();
    let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else {
        return Err(fail("set_list(…) was given an empty list, which has no place: replace what is around it"));
    };
    let end = last.range().end;
    let parting = Parting::of(&nodes);
    let starts = &parting.starts;
    let places: HashMap<_, _> = nodes.iter().enumerate().map(|(at, node)| (node.range(), at)).collect();
    let anywhere = LazyCell::new(|| parting.anywhere());
    let mut out = Snippet::default();
    let (mut before, mut until) = (None::<Option<usize>>, end);
    for element in elements {
        let node = element.read_lock::<RhaiNode>().map(|node| node.node().range());
        let place = node.as_ref().and_then(|range| places.get(range).copied());
        match (before, parting.behind) {
            (None, _) => {}
            // Neighbours are parted as they were, comments included.
            (Some(Some(at)), _) if place == Some(at + 1) => {
                out.push(Fragment::Copy(nodes[at].range().end..starts[at + 1]));
            }
            (Some(Some(at)), Some(comment)) if at + 1 == nodes.len() => {
                parting.behind_comment(end, comment)?.into_iter().for_each(|fragment| out.push(fragment));
                until = comment;
            }
            (Some(_), _) => anywhere.iter().for_each(|fragment| out.push(fragment.clone())),
        }
        match (node, element.read_lock::<Snippet>()) {
            // With the comments above it.
            (Some(range), _) => {
                let start = place.map_or(range.start, |at| starts[at]);
                out.push(Fragment::Copy(start..range.end));
            }
            (_, Some(code)) => out.append(&code),
            _ => return Err(fail(format!("set_list(…) takes nodes and code, not {}", plain(element.type_name())))),
        }
        before = Some(place);
    }
    match (&parting.ended_by, parting.behind) {
        // Its separator went with the comment.
        (Some(separator), _) if until > end => out.push(Fragment::Text(separator.clone())),
        (_, Some(comment)) if until == end && before != Some(Some(nodes.len() - 1)) && nodes.len() > 1 => {
            return Err(parting.speaks_of_last(end..comment));
        }
        _ => {}
    }
    let start = starts.first().copied().unwrap_or(first.range().start);
    Ok(EditSpec::replace(start..until, out))
}

/// Where the elements of a list begin, with the comments on the lines right above them.
fn starts_of(nodes: &[Node<'_>]) -> Vec<usize> {
    let mut starts: Vec<usize> = nodes.iter().map(|node| node.range().start).collect();
    let Some(list) = nodes.first().and_then(|first| first.parent()) else { return starts };
    let (text, base) = (list.tree().text(), list.tree().base());
    let below =
        |above: Range<usize>, next: usize| text.get(above.end..next).is_some_and(|gap| gap.matches('\n').count() == 1);
    let (mut comments, mut at) = (None::<Range<usize>>, 0);
    for child in list.children() {
        let own = child.local_range();
        if child.is_comment() {
            let line = text[..own.start].rsplit('\n').next().unwrap_or("");
            let end = own.start + child.text().trim_end().len();
            comments = match comments.take().filter(|above| below(above.clone(), own.start)) {
                Some(above) => Some(above.start..end),
                None => line.trim().is_empty().then_some(own.start..end),
            };
            continue;
        }
        if nodes.get(at).is_some_and(|node| node.id == child.id) {
            if let Some(above) = comments.filter(|above| below(above.clone(), own.start)) {
                starts[at] = above.start + base;
            }
            at += 1;
        }
        comments = None;
    }
    starts
}

/// What parts the elements of a list.
struct Parting<'n, 't> {
    nodes: &'n [Node<'t>],
    /// Where each begins, with the comments right above it.
    starts: Vec<usize>,
    /// The separator behind the last element.
    ended_by: Option<String>,
    /// The end of a comment behind that, which speaks of the last element and goes where it goes.
    behind: Option<usize>,
}

impl<'n, 't> Parting<'n, 't> {
    /// `nodes` are all elements.
    fn of(nodes: &'n [Node<'t>]) -> Self {
        let Some(last) = nodes.last() else { return Self { nodes, starts: Vec::new(), ended_by: None, behind: None } };
        let (tree, end) = (last.tree(), last.local_range().end);
        let rest = tree.text()[end..].trim_start();
        let next = rest.chars().next().map(String::from);
        let ended_by = next.filter(|next| tree.language.is_separator(next));
        let behind_it = |mark: &String| tree.text().len() - rest.len() + mark.len();
        let behind = comment_behind(tree, ended_by.as_ref().map_or(end, behind_it)).map(|at| at + tree.base());
        Self { nodes, starts: starts_of(nodes), ended_by, behind }
    }

    fn text(&self, range: Range<usize>) -> &'t str {
        let Some(first) = self.nodes.first() else { return "" };
        let base = first.tree().base();
        first.tree().text().get(range.start - base..range.end - base).unwrap_or("")
    }

    fn gaps(&self) -> impl Iterator<Item = Range<usize>> {
        self.nodes.iter().zip(self.starts.iter().skip(1)).map(|(node, next)| node.range().end..*next)
    }

    /// The white space that a gap ends with.
    fn blank(&self, gap: Range<usize>) -> Range<usize> {
        let text = self.text(gap.clone());
        gap.start + text.trim_end().len()..gap.end
    }

    /// What parts two elements; a comment may stand before it, and is none.
    fn mark(&self) -> String {
        let Some(first) = self.nodes.first() else { return ",".to_owned() };
        let (tree, base) = (first.tree(), first.tree().base());
        let mark = |gap: Range<usize>| {
            let around = first.parent()?;
            let (mut said, mut at) = (String::new(), gap.start);
            let comments = tree.iter_within(around).skip_while(|n| n.range().start < gap.start);
            for comment in comments.take_while(|n| n.range().end <= gap.end).filter(|n| n.is_extra()) {
                if comment.range().start < at {
                    continue;
                }
                said.push_str(tree.text().get(at - base..comment.range().start - base)?);
                at = comment.range().end;
            }
            said.push_str(tree.text().get(at - base..gap.end - base)?);
            Some(said.trim().to_owned()).filter(|said| !said.is_empty())
        };
        // Statements are parted by nothing but white space.
        let none = if self.nodes.len() > 1 { "" } else { "," };
        self.gaps().find_map(mark).unwrap_or_else(|| none.to_owned())
    }

    /// What parts any two: what parts neighbours without a comment, or what stands before one and behind.
    fn anywhere(&self) -> Vec<Fragment> {
        let says = |c: char| !c.is_whitespace() && !self.nodes[0].tree().language.is_separator(&c.to_string());
        let plain = self.gaps().find(|gap| !self.text(gap.clone()).contains(says));
        match (plain, self.gaps().next()) {
            (Some(gap), _) => vec![Fragment::Copy(gap)],
            (None, Some(gap)) => vec![Fragment::Text(self.mark()), Fragment::Copy(self.blank(gap))],
            (None, None) => vec![Fragment::Text(", ".to_owned())],
        }
    }

    /// What parts the last element from another one behind it, where a comment speaks of it.
    fn behind_comment(&self, end: usize, comment: usize) -> Fallible<Vec<Fragment>> {
        let broken = self.gaps().map(|gap| self.blank(gap)).find(|blank| self.text(blank.clone()).contains('\n'));
        let broken = broken.ok_or_else(|| self.speaks_of_last(end..comment))?;
        let mark = self.ended_by.is_none().then(|| Fragment::Text(self.mark()));
        Ok(mark.into_iter().chain([Fragment::Copy(end..comment), Fragment::Copy(broken)]).collect())
    }

    fn speaks_of_last(&self, comment: Range<usize>) -> Box<EvalAltResult> {
        fail(format!(
            "`{}` on line {} speaks of the last element, which would stand elsewhere: edit this list by hand",
            self.text(comment).trim_start_matches([',', ';']).trim(),
            self.nodes.last().map_or(0, |last| last.line_column().0)
        ))
    }
}

fn values(api: &mut Api<'_>) {
    let docs = "Gives a pair, a keyword argument or an assignment this value, or a literal another one, which is written as the old one was: its quotes stay, and a text of YAML without quotes gets none where it needs none. An error where the value has an anchor or a tag.";
    let example = r#".find("f($$$, mode=$X)").where(#{ X: literal("^old$") }).edit(|m, cx| edits([set_value(m.X, "new")])).example("f(1, mode='old')", "f(1, mode='new')").unchanged("f(1, mode='other')")"#;
    api.function("set_value(node, value) -> Edit", docs, example, |node: RhaiNode, value: Dynamic| {
        set_value(&node, &value)
    });
}

fn set_value(node: &RhaiNode, value: &Dynamic) -> Fallible<EditSpec> {
    let node = node.node();
    let inner = ["value", "right"].into_iter().find_map(|field| node.field(field)).or_else(|| {
        // Where the grammar names no fields, a pair is a key and its value.
        let mut parts = node.named_children().filter(|part| !part.is_extra());
        if node.kind() == "pair" { parts.nth(1) } else { None }
    });
    let place = inner.unwrap_or(node);
    if inner.is_none() && node.named_children().next().is_some() && text_of(node).is_none() {
        return Err(fail(format!("a node of kind `{}` has no value that could be set", node.kind())));
    }
    if let Some(mark) = place.named_children().find(|part| ["anchor", "tag"].contains(&part.kind())) {
        return Err(fail(format!(
            "the value on line {} has the {} `{}`, which would go: replace the scalar behind it, or all of it",
            place.line_column().0,
            mark.kind(),
            mark.text()
        )));
    }
    let code = match value.read_lock::<Snippet>() {
        Some(code) => code.clone(),
        None => lit(value, text_of(place).map(|_| place.text().to_owned()))?,
    };
    // At the end of a file, a text of several lines has its line end, too.
    let start = place.range().start;
    Ok(EditSpec::replace(start..start + place.text().trim_end().len(), code))
}

fn names(api: &mut Api<'_>) {
    let docs = "The edits that give what this name refers to another name, everywhere in the file. An error where the file does not define it, exports or imports it, or has the new name already: see `cx.is_free`; and where the file has the old name, in code or as a text, at a place that is not known to refer to it.";
    let example = r#".find("def $F(): $$$").where(#{ F: "old" }).edit(|m, cx| edits(rename(m.F, "new"))).example("def old(): pass\nold()\nolder()", "def new(): pass\nnew()\nolder()")"#;
    api.function("rename(name, new) -> Array", docs, example, |node: RhaiNode, new: &str| rename(&node, new));
}

fn rename(node: &RhaiNode, new: &str) -> Fallible<Array> {
    charge(node.tree.len())?;
    let symbols = Symbols::of(&node.tree);
    let old = node.node().text().to_owned();
    if symbols.introduced_by(node.node()).is_empty() {
        return Err(fail(format!("this file does not define `{old}`: only what it defines can be renamed in it")));
    }
    let start = new.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
    if !start || !new.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$') {
        return Err(fail(format!("{new:?} is no name")));
    }
    if !symbols.is_free(node.tree.root(), new) {
        return Err(fail(format!("this file has a `{new}` already: ask `cx.is_free(\"{new}\")` first")));
    }
    let mut edits = Array::new();
    let uses = symbols.uses(node.node()).certain;
    if let Some(other) = unresolved(node.tree.root(), &old, &uses) {
        return Err(fail(format!(
            "`{old}` on line {} is not known to be what is renamed: only a name that stands for one thing in the whole file can be",
            other.line_column().0
        )));
    }
    for place in uses {
        let line = place.line_column().0;
        if is_exported(place, symbols.is_definition(place)) {
            return Err(fail(format!("`{old}` is exported on line {line}: others know it by this name")));
        }
        if symbols.in_import(place) {
            return Err(fail(format!(
                "`{old}` is imported on line {line}, and is called so where it comes from: `rename_import` gives it another name"
            )));
        }
        if place.field_name() == Some("macro") {
            return Err(fail(format!("`{old}!` on line {line} is a macro, and may be another thing of the same name")));
        }
        // `{ old }` is short for `{ old: old }`, and its key stays.
        let short = |node: Node<'_>| node.kind().contains("shorthand");
        let text = match short(place) || place.parent().is_some_and(short) {
            true => format!("{old}: {new}"),
            false => new.to_owned(),
        };
        edits.push(Dynamic::from(EditSpec::replace(place.range(), Snippet::text(&text))));
    }
    Ok(edits)
}

/// Whether others know a name: it stands in a list of exports, or is defined in what is exported.
fn is_exported(place: Node<'_>, defined: bool) -> bool {
    let exports = |around: Node<'_>| around.kind().starts_with("export_");
    // What is inside of a function or class is its own.
    let inner = |around: &Node<'_>| ["block", "body", "parameters"].iter().any(|end| around.kind().ends_with(end));
    place.ancestors().take(2).any(exports) || defined && place.ancestors().take_while(|a| !inner(a)).any(exports)
}

/// The first place that has the name, in code or as a text that is a name or a path, and is
/// none of its uses.
fn unresolved<'t>(root: Node<'t>, name: &str, uses: &[Node<'t>]) -> Option<Node<'t>> {
    let uses: std::collections::HashSet<_> = uses.iter().map(|node| node.id).collect();
    let tree = root.tree();
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let in_text = |node: &Node<'_>| {
        if !tree.language.is_string(node.kind_id()) {
            return false;
        }
        // Holes are code.
        let text = said(*node);
        let prose = text.contains(char::is_whitespace);
        let named = [format!("{{{name}}}"), format!("{{{name}:")].iter().any(|hole| text.contains(hole.as_str()));
        named || !prose && text.split(|c| !word(c)).any(|part| part == name)
    };
    let in_code =
        |node: &Node<'_>| node.is_leaf() && node.is_named() && node.text() == name && !uses.contains(&node.id);
    tree.iter().find(|node| in_code(node) || in_text(node))
}

fn deletions(api: &mut Api<'_>) {
    let docs = "The same, and what becomes of comments: `#{ comments: \"drop\" }` takes those on the lines right above with it, unless they begin the file, `\"keep\"` leaves those in the deleted code, each on a line of its own, or above the statement that it is a part of, `\"move\"` puts them above the statement. Without it those inside go, and those above stay. `#{ value: \"drop\" }` deletes what is the last of a block, too, though something may need that value.";
    let example = r##".find(stmt("old($$$)")).edit(|m, cx| edits([delete(m.node, #{ comments: "keep" })])).example("old(  # why\n    1)\nf()\n", "# why\nf()\n")"##;
    api.function(
        "delete(node, options) -> Edit",
        docs,
        example,
        |node: RhaiNode, options: Map| -> Fallible<EditSpec> {
            if let Some(other) = options.keys().find(|key| !["comments", "value"].contains(&key.as_str())) {
                return Err(fail(format!("delete(…) has no option `{other}`; it has: comments, value")));
            }
            if let Some(value) = options.get("value") {
                return without_value(&node, value, options.len());
            }
            let policy = options.get("comments").and_then(|value| value.clone().into_immutable_string().ok());
            charge(node.node().subtree_len())?;
            match policy.as_ref().map(|policy| policy.as_str()) {
                Some("drop") => drop_comments(&node),
                Some("keep") => keep_comments(&node),
                Some("move") => Ok(deletion_of(&node)?.with_comments(Comments::Move)),
                _ => {
                    Err(fail("delete(…) keeps, moves or drops comments: #{ comments: \"keep\" }, \"move\" or \"drop\""))
                }
            }
        },
    );
}

/// Where the lines begin that hold only comments and stand right above a line.
fn comments_above(tree: &Tree, line: usize) -> usize {
    let text = tree.text();
    // What looks like a comment in a text is none.
    let is_comment = |from: usize, to: usize| {
        let found = tree.last_from(from);
        let mut around = std::iter::once(found).chain(found.ancestors());
        around.any(|n| n.is_extra() && n.is_named() && n.local_range().start == from && n.local_range().end >= to)
    };
    let Some(mark) = tree.language.facts.line_comment.as_deref() else { return line };
    let mut start = line;
    while start > 0 && text[..start].ends_with('\n') {
        let above = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
        let whole = &text[above..start];
        let line = whole.trim();
        let from = above + (whole.len() - whole.trim_start().len());
        // What speaks to the whole file is not the node's.
        if !line.starts_with(mark)
            || line.starts_with("#!")
            || line.contains("coding")
            || !is_comment(from, from + line.len())
        {
            break;
        }
        start = above;
    }
    // A licence, or what else speaks of the whole file.
    if start == 0 { line } else { start }
}

/// Of what may be the value of its block.
fn without_value(node: &RhaiNode, value: &Dynamic, options: usize) -> Fallible<EditSpec> {
    let drop = value.clone().into_immutable_string().is_ok_and(|word| word == "drop");
    if !drop || options > 1 {
        return Err(fail("delete(…) drops a value: #{ value: \"drop\" }, and its comments with it"));
    }
    charge(node.node().subtree_len())?;
    Ok(without(deletion_with_value(node.node()).map_err(fail)?))
}

fn drop_comments(held: &RhaiNode) -> Fallible<EditSpec> {
    let edit = deletion_of(held)?;
    let (text, base) = (held.tree.text(), held.tree.base());
    // Of the last element, what stands behind the separator before it is left.
    let left = edit.left().map(|left| left.start - base..left.end - base);
    let behind = |at: usize| text.len() - text[at..].trim_start().len();
    let start = left.as_ref().map_or(edit.start() - base, |left| behind(left.end));
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let above = comments_above(&held.tree, line);
    if above == line || !text[line..start].trim().is_empty() {
        return Ok(edit);
    }
    if let Some(left) = left {
        let ends = text[..above].trim_end().len().max(left.start);
        // What stands behind the element stays out of a comment that stays.
        let end = if left.end == start && left.start < ends { above } else { ends };
        return Ok(edit.leaving(left.start + base..end + base));
    }
    // An element takes no lines: what its line begins with stays for the next one.
    let indent = text[above..].len() - text[above..].trim_start().len();
    Ok(edit.starting_at(base + above + if start == line { 0 } else { indent }))
}

fn keep_comments(held: &RhaiNode) -> Fallible<EditSpec> {
    let node = held.node();
    let (tree, own) = (node.tree(), node.local_range());
    let text = tree.text();
    let inside = tree.iter_within(node).filter(|n| n.is_extra() && n.is_named() && n.id != node.id);
    let mark = tree.language.facts.line_comment.as_deref();
    let (mut out, mut to_line_end) = (Snippet::default(), false);
    for (at, comment) in inside.enumerate() {
        if at > 0 {
            out.push(Fragment::Text("\n".to_owned()));
        }
        to_line_end |= mark.is_some_and(|mark| comment.text().starts_with(mark));
        out.push(Fragment::Copy(comment.range()));
    }
    let before = text[..own.start].rsplit('\n').next().unwrap_or("").trim_end();
    let behind = text[own.end..].split('\n').next().unwrap_or("").trim_start_matches(';').trim();
    let free = behind.is_empty() || mark.is_some_and(|mark| behind.starts_with(mark));
    if to_line_end && !(free && (before.is_empty() || before.ends_with([';', '{', '}']))) {
        return Err(fail(format!(
            "the code on line {} shares a line with other code, which the comments that are kept would swallow",
            node.line_column().0
        )));
    }
    let gone = deletion_of(held)?;
    let mut range = node.range();
    let behind = text[own.end..].trim_start_matches([' ', '\t']);
    let ended = text.len() - behind.strip_prefix([';', ',']).map_or(text.len() - own.end, str::len);
    let trailing = comment_behind(tree, ended);
    // What goes begins before the node: `export`.
    if trailing.is_some_and(|end| !before.is_empty() && gone.ends_behind(end + tree.base())) {
        return Ok(gone.with_comments(Comments::Move));
    }
    if let Some(end) = trailing.filter(|_| before.is_empty()) {
        if out != Snippet::default() {
            out.push(Fragment::Text("\n".to_owned()));
        }
        let start = end - text[ended..end].trim_start().len();
        out.push(Fragment::Copy(start + tree.base()..end + tree.base()));
        range.end = end + tree.base();
    }
    if out == Snippet::default() {
        return Ok(gone);
    }
    // Of an element, or a body, more goes than its lines.
    let plain = gone.is_of(&whole_lines(node));
    Ok(if plain { EditSpec::replace(range, out) } else { gone.with_comments(Comments::Move) })
}
