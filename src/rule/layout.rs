//! Where new text goes in a file: statements, lines, indentation and line ends.
//!
//! Indentation moves code, never the inside of a literal.

use std::collections::BTreeMap;
use std::ops::Range;

use super::data_lines::data_lines;
use super::template::indented;
use crate::edit::{Edit, Fragment};
use crate::language::{Context, Language};
use crate::tree::{Node, Tree, parse};

/// Gives the lines of a replacement the indentation of where they go. Copied lines move
/// where the language has code in blocks, and never in a literal.
pub(super) fn placed(file: &Tree, range: &Range<usize>, fragments: Vec<Fragment>, embedded: bool) -> Vec<Fragment> {
    let text = file.text();
    let (indent, line_end) = (column(file, range.start), line_end(text));
    // What the present line goes in by, and whether it is another one than that on which all begins.
    let (mut here, mut broken) = (indent.clone(), false);
    // Whether nothing stands on that line yet.
    let mut begins = text.get(line_start(text, range.start)..range.start).is_some_and(|line| line.trim().is_empty());
    let mut out = Vec::new();
    // Where code is data, as in YAML, what it goes in by is a part of it.
    let step = step(&fragments).filter(|_| file.language.moves_lines() && !file.language.facts.functions.is_empty());
    let unit = step.and_then(|step| Some((step, unit_at(file, &indent)?)));
    let (data, mut line) = (data_lines(file.language, &fragments), 0);
    for fragment in fragments {
        match fragment {
            Fragment::Text(new) => {
                let new = unit.as_ref().map_or_else(|| new.clone(), |(step, unit)| in_units(&new, *step, unit));
                let new = indented(&new, |at| if data.contains(&(line + at)) { "" } else { &indent }, line_end);
                line += new.matches('\n').count();
                let last = new.rsplit_once('\n').map(|(_, last)| last);
                begins = (last.is_some() || begins) && last.unwrap_or(&new).trim().is_empty();
                if let Some((_, last)) = new.rsplit_once('\n') {
                    here = lead(file.language, last);
                    broken = true;
                }
                out.push(Fragment::Text(new));
            }
            Fragment::Copy(range) if embedded || !file.language.moves_lines() => out.push(Fragment::Copy(range)),
            Fragment::Copy(range) => {
                // Behind a break that was copied, code stands as it stood there: against the line that opens its list,
                // or the elements before it. What stands beside elements on one line stays where it stood.
                let copied = text.get(range.clone()).unwrap_or("");
                let last = copied.rsplit_once('\n').map(|(_, last)| last).filter(|last| last.trim().is_empty());
                let opens =
                    copied.trim_end().ends_with(['(', '[', '{']) || text[..range.start].ends_with(['(', '[', '{']);
                // A comment that stays behind its bracket goes in as that does, and so does what is below it.
                let source = column(file, if begins { goes_in_from(file, &range) } else { range.start });
                let target = if last.is_none() || broken || opens { here.clone() } else { source.clone() };
                begins = last.is_some();
                moved(file, range, &source, (&target, &indent), &mut out);
                if let Some(last) = last {
                    here = goes_in(last, &source, (&target, &indent)).unwrap_or_else(|| last.to_owned());
                    broken = true;
                }
            }
        }
    }
    out
}

/// How many spaces new code goes in by, where it is of several lines that are parted by spaces, and none
/// of them may lie in a literal.
pub(super) fn step(fragments: &[Fragment]) -> Option<usize> {
    let texts = || fragments.iter().filter_map(|one| if let Fragment::Text(text) = one { Some(text) } else { None });
    if texts().any(|text| ["\"\"\"", "'''", "`", "<<"].iter().any(|opens| text.contains(opens))) {
        return None;
    }
    let lines = texts().flat_map(|text| text.split('\n').skip(1));
    let least = lines.map(|line| line.len() - line.trim_start_matches(' ').len()).filter(|spaces| *spaces > 0).min();
    // Nobody goes in by eight, but a line of Java that goes on does so by twice as much as a block.
    least.map(|spaces| if spaces == 8 { 4 } else { spaces })
}

/// What code goes in by: a tab where it stands in tabs, or where its file first does; else as many spaces
/// as most of the file's lines that go in.
fn unit_at(file: &Tree, indent: &str) -> Option<String> {
    let (tabs, spaces) = *file.unit.get_or_init(|| (begins_with_tab(file.text()), most_common_step(file)));
    let tabs = if indent.is_empty() { tabs } else { indent.starts_with('\t') };
    if tabs { Some("\t".to_owned()) } else { spaces.map(|spaces| " ".repeat(spaces)) }
}

/// Whether the first line that goes in does so by a tab.
fn begins_with_tab(text: &str) -> bool {
    let first = text.lines().find(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty());
    first.is_some_and(|line| line.starts_with('\t'))
}

/// How many lines tell what a file goes in by.
const TELLING: usize = 200;

/// By how many spaces most lines go in from the one before.
fn most_common_step(file: &Tree) -> Option<usize> {
    let (text, mut counts) = (file.text(), BTreeMap::<usize, usize>::new());
    let (mut at, mut before, mut seen) = (0, 0, 0);
    for line in text.split_inclusive('\n') {
        let begins = at;
        at += line.len();
        let spaces = line.len() - line.trim_start_matches(' ').len();
        if seen == TELLING {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        // What lies in a literal, or in a comment, goes in as it likes.
        let node = || file.last_from(begins + spaces);
        let goes_in = (2..=8).contains(&spaces.saturating_sub(before));
        if goes_in && !in_literal(file, begins + spaces) && !node().is_extra() {
            *counts.entry(spaces - before).or_default() += 1;
            seen += 1;
        }
        before = spaces;
    }
    counts.into_iter().max_by_key(|(spaces, count)| (*count, std::cmp::Reverse(*spaces))).map(|(spaces, _)| spaces)
}

/// New code with what its file goes in by, in the place of so many spaces.
fn in_units(text: &str, step: usize, unit: &str) -> String {
    let one = |line: &str| {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        format!("{}{}{}", unit.repeat(spaces / step), " ".repeat(spaces % step), &line[spaces..])
    };
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    std::iter::once(first).chain(lines.map(one)).collect::<Vec<_>>().join("\n")
}

/// New code as a text, its lines where they were.
pub(super) fn plain(tree: &Tree, fragments: &[Fragment]) -> String {
    let base = tree.base();
    let copy = |range: &Range<usize>| tree.text().get(range.start.saturating_sub(base)..range.end.saturating_sub(base));
    let texts = fragments.iter().map(|fragment| match fragment {
        Fragment::Text(text) => text.as_str(),
        Fragment::Copy(range) => copy(range).unwrap_or(""),
    });
    texts.collect()
}

/// Whether new code that ends with a block is a statement without what else would end it: `;` would be
/// another one.
pub(super) fn ends_by_itself(language: &'static Language, new: &str, end: &str) -> bool {
    if !new.trim_end().ends_with('}') {
        return false;
    }
    let new = new.trim();
    let alone = |context: &Context| {
        let tree = parse(language, format!("{}{new}{end}{}", context.before, context.after)).ok()?;
        let at = context.before.len() + new.len();
        let token = tree.last_from(at);
        let around = std::iter::once(token).chain(token.ancestors()).find(|n| n.local_range().start < at)?;
        let within = around.parent().is_some() && context.before.len() <= around.local_range().start;
        tree.errors().next().is_none().then_some(!within)
    };
    language.facts.context.iter().find_map(alone).unwrap_or(false)
}

/// Code as the text of a file of its own: copies come from `tree`, and their lines move
/// with the code around them; its lines end as those of `tree` do, the last one too.
pub fn written(tree: &Tree, fragments: &[Fragment]) -> String {
    let line_end = line_end(tree.text());
    let mut out = String::new();
    let copy = |range: &Range<usize>| {
        let base = tree.base();
        tree.text().get(range.start.saturating_sub(base)..range.end.saturating_sub(base)).unwrap_or("")
    };
    for fragment in fragments {
        let target = lead(tree.language, &out[line_start(&out, out.len())..]);
        match fragment {
            Fragment::Text(text) => out += &indented(text, |_| "", line_end),
            // What lies in a literal keeps its lines.
            Fragment::Copy(range) if tree.base() > 0 => out += copy(range),
            Fragment::Copy(range) => {
                let mut pieces = Vec::new();
                let source = column(tree, goes_in_from(tree, range));
                moved(tree, range.clone(), &source, (&target, ""), &mut pieces);
                pieces.iter().for_each(|piece| match piece {
                    Fragment::Text(text) => out += text,
                    Fragment::Copy(range) => out += copy(range),
                });
            }
        }
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out += line_end;
    }
    out
}

/// A copy whose lines, but for the first, are indented by `target` instead of `source`, the indentation of the
/// line that it comes from.
fn moved(tree: &Tree, range: Range<usize>, source: &str, (target, least): (&str, &str), out: &mut Vec<Fragment>) {
    let text = tree.text();
    let mut from = range.start;
    if source != target {
        let breaks = memchr::memchr_iter(b'\n', &text.as_bytes()[range.clone()]).map(|at| range.start + at + 1);
        for line in breaks {
            let rest = &text[line..range.end];
            let first = rest.lines().next().unwrap_or_default();
            // What a copy ends with goes in as what stands behind it.
            let ends = first.len() == rest.len() && !rest.is_empty();
            if first.trim().is_empty() && !ends || in_literal(tree, line) {
                continue;
            }
            let own = if ends && first.trim().is_empty() { first } else { source };
            let Some(goes_in) = goes_in(own, source, (target, least)).filter(|_| rest.starts_with(own)) else {
                continue;
            };
            out.push(Fragment::Copy(from..line));
            out.push(Fragment::Text(goes_in));
            from = line + own.len();
        }
    }
    out.push(Fragment::Copy(from..range.end));
}

/// What a line goes in by that went in by `own` where the code around it did by `source`, and does by `target`: no
/// less than `least`.
fn goes_in(own: &str, source: &str, (target, least): (&str, &str)) -> Option<String> {
    if let Some(more) = own.strip_prefix(source) {
        return Some(format!("{target}{more}"));
    }
    let less = target.strip_suffix(source.strip_prefix(own)?)?;
    Some(if less.len() < least.len() { least } else { less }.to_owned())
}

/// Where the line tells what a copy goes in by: behind a comment that ends the line of something else, as in
/// `then # why`, that is the next one.
fn goes_in_from(tree: &Tree, range: &Range<usize>) -> usize {
    let text = tree.text();
    let first = tree.last_from(range.start);
    let behind = !text[line_start(text, range.start)..range.start].trim().is_empty();
    if !behind || !first.is_comment() || first.local_range().start != range.start {
        return range.start;
    }
    let end = first.local_range().end.min(range.end);
    let code = range.end - text[end..range.end].trim_start().len();
    let next = tree.last_from(code.min(range.end.saturating_sub(1)));
    let around = std::iter::once(next).chain(next.ancestors()).take_while(|n| n.local_range().start >= code);
    let open = |list: Node<'_>| list.children().next().is_some_and(|first| "([{".contains(first.text()));
    let statement = around.into_iter().any(|n| n.is_statement()) || !first.parent().is_some_and(open);
    if statement && text[end..code].contains('\n') { code } else { range.start }
}

fn in_literal(tree: &Tree, at: usize) -> bool {
    // A heredoc begins with a line.
    let begins = |n: &Node<'_>| usize::from(tree.language.is_string(n.kind_id()));
    let inside = |n: &Node<'_>| n.local_range().start + begins(n) <= at && at < n.local_range().end;
    let node = tree.last_from(at);
    std::iter::once(node).chain(node.ancestors()).any(|n| inside(&n) && tree.language.is_verbatim(n.kind_id()))
}

/// Bytes of the file that a list takes, with the comments that stand right before its first
/// node and right behind its last one: they go where the list goes. So do those between the
/// brackets around a list that has a node of its own.
pub fn run_of(first: Node<'_>, last: Node<'_>) -> Range<usize> {
    let siblings: Vec<Node<'_>> = first.parent().map(|parent| parent.children().collect()).unwrap_or_default();
    let (mut leading, mut trailing) = (comments_before(first), comments_behind(last));
    if let Some(list) = first.parent().filter(|list| list.tree().language.is_list(list.kind_id())) {
        let ends = |end: Option<&Node<'_>>, node: Node<'_>| end.is_some_and(|end| end.id == node.id);
        let is = |token: Option<Node<'_>>, text: &str| token.is_some_and(|token| token.text() == text);
        let (before, behind) = (comments_before(list), comments_behind(list));
        if ends(siblings.first(), leading.0) && before.0.id != list.id && is(before.1, "{") {
            leading.0 = before.0;
        }
        if ends(siblings.last(), trailing.0) && behind.0.id != list.id && is(behind.1, "}") {
            trailing.0 = behind.0;
        }
    }
    leading.0.range().start..trailing.0.range().end
}

/// The first of the comments right before a node, or the node; and what stands before that.
fn comments_before(node: Node<'_>) -> (Node<'_>, Option<Node<'_>>) {
    let before = node.parent().map(|parent| parent.children().take_while(|c| c.id < node.id).collect::<Vec<_>>());
    beside(node, before.unwrap_or_default().into_iter().rev())
}

/// The last of the comments right behind a node, or the node; and what stands behind that.
fn comments_behind(node: Node<'_>) -> (Node<'_>, Option<Node<'_>>) {
    let behind = node.parent().map(|parent| parent.children().skip_while(|c| c.id <= node.id).collect::<Vec<_>>());
    beside(node, behind.unwrap_or_default().into_iter())
}

fn beside<'t>(node: Node<'t>, others: impl Iterator<Item = Node<'t>>) -> (Node<'t>, Option<Node<'t>>) {
    let mut outermost = node;
    for other in others {
        if !(other.is_extra() && other.is_named()) {
            return (outermost, Some(other));
        }
        outermost = other;
    }
    (outermost, None)
}

/// Code in which a body of several lines stands on lines of its own, and what follows it, too: behind the `:` of a
/// head its first statement alone would be in the block. `found` is what is replaced.
pub fn blocks(found: Node<'_>, fragments: Vec<Fragment>) -> Vec<Fragment> {
    let tree = found.tree();
    let facts = &tree.language.facts;
    if !facts.indented || tree.base() > 0 {
        return fragments;
    }
    let text = tree.text();
    let mut out: Vec<Fragment> = Vec::with_capacity(fragments.len());
    let mut above: Option<String> = None;
    for fragment in fragments {
        let goes_on = |next: &str| next.trim_start_matches(' ').starts_with(char::is_alphabetic);
        let fragment = match (fragment, above.take()) {
            (Fragment::Text(next), Some(own)) if goes_on(&next) => {
                Fragment::Text(format!("\n{own}{}", next.trim_start()))
            }
            (fragment, _) => fragment,
        };
        let first = out.len() == 1;
        if let (Some(Fragment::Text(head)), Fragment::Copy(range)) = (out.last_mut(), &fragment)
            && heads_block(head.trim_end_matches(' '), &facts.block_heads)
            && text[line_start(text, range.start)..range.start].trim().is_empty()
            && text.get(range.clone()).is_some_and(|body| body.contains('\n') || facts.functions.is_empty())
        {
            above = Some(lead(tree.language, &head[line_start(head, head.len())..]));
            if let Some(gap) = block_of(found, range, first, out.last_mut()) {
                out.push(Fragment::Copy(gap));
            }
        }
        out.push(fragment);
    }
    out
}

/// Whether code ends with what a block may stand below.
fn heads_block(code: &str, heads: &[String]) -> bool {
    let word = code.rsplit(char::is_whitespace).next().unwrap_or("");
    heads.iter().any(|head| word == head || head == ":" && word.ends_with(':'))
}

/// Parts the head of a block from its body, which goes in as it does in the code; where nothing stands before
/// the head, what parts them there is copied.
fn block_of(found: Node<'_>, body: &Range<usize>, first: bool, head: Option<&mut Fragment>) -> Option<Range<usize>> {
    let (tree, Some(Fragment::Text(head))) = (found.tree(), head) else { return None };
    let plain = head.trim_end_matches(' ').to_owned();
    let data = tree.language.facts.functions.is_empty();
    if data && first && !plain.contains('\n') {
        let leaves = (0..tree.last_from(body.start).id.0).rev().map(|id| tree.node(crate::tree::NodeId(id)));
        let colon = leaves.into_iter().find(|n| n.is_leaf() && !n.is_extra())?.local_range().end;
        *head = plain;
        return (found.local_range().start < colon).then_some(colon..body.start);
    }
    let (outer, inner) = (column(tree, found.local_range().start).len(), column(tree, body.start));
    let unit = inner.get(outer..).filter(|unit| data || !unit.is_empty()).unwrap_or("    ");
    let own = lead(tree.language, &plain[line_start(&plain, plain.len())..]);
    *head = format!("{plain}\n{own}{unit}");
    None
}

/// Code in which nothing that follows stands in the comment that a copy ends with.
pub fn ended(tree: &Tree, fragments: Vec<Fragment>) -> Vec<Fragment> {
    let Some(mark) = tree.language.facts.line_comment.as_deref() else { return fragments };
    let mut out: Vec<Fragment> = Vec::with_capacity(fragments.len());
    for fragment in fragments {
        if let (Some(Fragment::Copy(range)), Fragment::Text(text)) = (out.last(), &fragment) {
            let end = range.end - tree.base();
            let last = tree.last_from(end.saturating_sub(1));
            let open = last.is_extra() && last.local_range().end == end && last.text().starts_with(mark);
            if open && !text.starts_with(['\n', '\r']) {
                out.push(Fragment::Text(format!("\n{}", text.trim_start())));
                continue;
            }
        }
        out.push(fragment);
    }
    out
}

/// A range without the comment that ends it on its only line of code, which stays where it is: a grammar may take
/// that for a part of the code. Not so where it is copied.
pub(super) fn before_comment(file: &Tree, range: Range<usize>, replacement: &[Fragment]) -> Range<usize> {
    let code = file.without_comments(range.clone());
    let text = file.text().get(range.clone()).unwrap_or("");
    let copied = |f: &Fragment| matches!(f, Fragment::Copy(copy) if copy.end > code.end && copy.start < range.end);
    let ends = code.start == range.start && code.end < range.end && !text.trim_end().contains('\n');
    if ends && !replacement.iter().any(copied) { code } else { range }
}

/// The comments in code that is replaced and not copied, each on a line of its own above the
/// statement. `own` is the rule and the match.
pub(super) fn moved_above(
    file: &Tree,
    range: &Range<usize>,
    replacement: &[Fragment],
    (rule, match_id): (&str, u32),
) -> Option<Edit> {
    let copied = |comment: &Range<usize>| {
        replacement.iter().any(|f| matches!(f, Fragment::Copy(r) if r.start <= comment.start && comment.end <= r.end))
    };
    let within = |n: &Node<'_>| range.start <= n.local_range().start && n.local_range().end <= range.end;
    let comments = file.iter().filter(|n| n.is_comment() && within(n));
    let comments: Vec<Range<usize>> = comments.map(|n| n.local_range()).filter(|c| !copied(c)).collect();
    let first = comments.first()?;
    let text = file.text();
    // Of what is deleted with its lines, the statement begins behind them.
    let begins = range.start + text[range.clone()].len() - text[range.clone()].trim_start().len();
    let statement = statement_start(file.last_from(begins.min(first.start)));
    let line = line_start(text, statement);
    let (indent, line_end) = (indentation(text, line), line_end(text));
    let each = |comment: Range<usize>| {
        [Fragment::Text(indent.to_owned()), Fragment::Copy(comment), Fragment::Text(line_end.to_owned())]
    };
    let replacement = comments.into_iter().flat_map(each).collect();
    Some(Edit { range: line..line, replacement, rule: rule.to_owned(), match_id, drops: false })
}

/// Where the innermost statement around `node` begins that is first on its line, so
/// that a comment above it is outside of every literal and list.
pub(super) fn statement_start(node: Node<'_>) -> usize {
    let tree = node.tree();
    let text = tree.text();
    let begins = |at: usize| {
        let line = line_start(text, at);
        line + indentation(text, line).len()
    };
    let innermost = std::iter::once(node).chain(node.ancestors()).find_map(|n| {
        let (start, first) = (n.local_range().start, begins(n.local_range().start));
        let is_first = |other: Node<'_>| other.local_range().start == first && other.is_statement();
        // Of several on one line, the first.
        let others = || n.parent().is_some_and(|up| up.children().any(is_first));
        (n.is_statement() && start == first || others()).then_some(first)
    });
    innermost.unwrap_or(node.local_range().start)
}

/// The white space with which a line goes in, up to a place: what stands before it in its list of YAML counts as such.
fn column(tree: &Tree, at: usize) -> String {
    let text = tree.text();
    text.get(line_start(text, at)..at).map_or_else(String::new, |line| lead(tree.language, line))
}

/// The same, of a line or the beginning of one.
fn lead(language: &Language, line: &str) -> String {
    let blank = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
    let spaces = blank(line);
    let mut width = spaces;
    while let Some(bullet) = language.facts.bullets.iter().find(|bullet| line[width..].starts_with(bullet.as_str())) {
        match blank(&line[width + bullet.len()..]) {
            0 => break,
            gap => width += bullet.len() + gap,
        }
    }
    format!("{}{}", &line[..spaces], " ".repeat(width - spaces))
}

pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1)
}

pub(super) fn indentation(text: &str, at: usize) -> &str {
    let line = &text[line_start(text, at)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The line end that the file uses.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if at > 0 && text.as_bytes()[at - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}
