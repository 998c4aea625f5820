//! Where code goes that a rule puts beside a node: beside a statement on a line of its
//! own, else right beside the node. What would grow together with its neighbour, or end
//! up in another block, is an error, never a guess.

use rhai::EvalAltResult;

use super::budget::charge;
use super::code::{EditSpec, Snippet};
use super::error::fail;
use crate::language::Language;
use crate::rule::{is_body, keeps_lines};
use crate::tree::{Node, parse};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Code beside a node. Beside a statement it gets a line of its own, behind the comment
/// that ends the statement's line.
pub(super) fn insertion(node: Node<'_>, code: Snippet, before: bool) -> Fallible<EditSpec> {
    let written = code.sample(node.tree());
    charge(written.len())?;
    let edge = if before { written.ends_with(char::is_whitespace) } else { written.starts_with(char::is_whitespace) };
    if edge || written.is_empty() {
        return Ok(inline(node, code, before));
    }
    let whole = reads_alone(node.tree().language, &written);
    let begins = written.starts_with(|c: char| c.is_alphanumeric() || "_@#/$'\"<".contains(c));
    let begins = begins && !written.starts_with("<-");
    if annotates(node) && written.chars().next() == node.text().chars().next() {
        return Ok(beside_annotation(node, code, before));
    }
    match statement_at(node) {
        Some(statement) if whole || begins && !is_expression(node) => {
            if !before && !begins && !ends_surely(node, statement) {
                return Err(fail(format!(
                    "{written:?} may be read as going on with what it is put behind: begin it with a line break, or with a space"
                )));
            }
            own_line(statement, code, &written, before)
        }
        None if (whole || begins) && is_statement(node) => Err(fail(format!(
            "the node of kind `{}` on line {} is not a statement that stands on lines of its own in a block: put the code beside the statement around it",
            node.kind(),
            node.line_column().0
        ))),
        None if whole && written.trim_end().ends_with(';') => Err(fail(format!(
            "{written:?} is a statement, and `{}` on line {} is not: put it beside the statement around it",
            node.text().chars().take(60).collect::<String>(),
            node.line_column().0
        ))),
        _ if whole && (grows_together(node, &written, before) || before && goes_on(node, &written)) => {
            Err(fail(format!(
                "{written:?} would grow together with `{}`, which is no statement: put it beside the statement around it, or give it a space",
                node.text().chars().take(60).collect::<String>()
            )))
        }
        _ if grows_together(node, &written, before) => Ok(inline(node, code.beside(" ", before), before)),
        _ => Ok(inline(node, code, before)),
    }
}

/// Whether code is one or more statements by itself.
fn reads_alone(language: &'static Language, code: &str) -> bool {
    let reads = |text: &str| parse(language, text).is_ok_and(|tree| tree.errors().next().is_none());
    let mut contexts = language.facts.context.iter().filter(|context| context.name == "stmt");
    reads(code) || contexts.any(|context| reads(&format!("{}{code}{}", context.before, context.after)))
}

/// Whether a node is an annotation, as `@Test`, that is no statement.
fn annotates(node: Node<'_>) -> bool {
    let kind = node.kind();
    let named = ["annotation", "attribute", "decorator"].iter().any(|word| kind.ends_with(word));
    // `_a.b` is an attribute, too, in the grammar of Python.
    named && !node.is_statement() && node.text().starts_with(['@', '#'])
}

/// Another annotation beside one: on a line of its own where that one has one.
fn beside_annotation(node: Node<'_>, code: Snippet, before: bool) -> EditSpec {
    let (tree, own) = (node.tree(), node.local_range());
    let text = tree.text();
    let line = text[..own.start].rfind('\n').map_or(0, |at| at + 1);
    let behind = crate::rule::comment_behind(tree, own.end).unwrap_or(own.end);
    let ends = text[behind..].lines().next().unwrap_or("").trim().is_empty();
    if !(text[line..own.start].trim().is_empty() && ends) {
        return inline(node, code.beside(" ", before), before);
    }
    let at = if before { own.start } else { behind } + tree.base();
    EditSpec::replace(at..at, code.beside("\n", before)).indented_at(node.range().start)
}

fn inline(node: Node<'_>, code: Snippet, before: bool) -> EditSpec {
    let range = node.range();
    let at = if before { range.start } else { range.end };
    EditSpec::replace(at..at, code).indented_at(range.start)
}

/// The statement that is this node and nothing more but a semicolon.
fn statement_at(node: Node<'_>) -> Option<Node<'_>> {
    let (tree, range) = (node.tree(), node.local_range());
    let same = |n: &Node<'_>| {
        let own = n.local_range();
        let rest = tree.text().get(range.end..own.end).unwrap_or("");
        own.start == range.start && rest.trim_matches(|c: char| c == ';' || c.is_whitespace()).is_empty()
    };
    std::iter::once(node).chain(node.ancestors()).take_while(same).find(|n| n.is_statement())
}

fn is_expression(node: Node<'_>) -> bool {
    let kind = node.kind();
    kind != "expression_statement" && (kind.contains("expression") || kind.contains("call") || node.is_leaf())
}

fn is_statement(node: Node<'_>) -> bool {
    let kind = node.kind();
    ["_statement", "_declaration", "_definition"].iter().any(|end| kind.ends_with(end))
        || ["command", "pipeline", "list", "subshell", "assignment", "variable_assignment"].contains(&kind)
}

/// Whether no code in the next line goes on with the statement.
fn ends_surely(node: Node<'_>, statement: Node<'_>) -> bool {
    let language = statement.tree().language;
    let by_line = language.facts.indented || language.is_separator("\n");
    let open = ["expression", "assignment", "call"].iter().any(|part| node.kind().contains(part));
    statement.text().trim_end().ends_with([';', '}']) || by_line && !open && !node.is_leaf()
}

fn grows_together(node: Node<'_>, written: &str, before: bool) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    // A name may become a longer one.
    !node.text().chars().all(word)
        && if before { written.ends_with(word) && node.text().starts_with(word) } else { written.starts_with(word) }
}

/// Whether an expression would be parted from the one that it is put before by nothing: `f(1)g(2)`.
fn goes_on(node: Node<'_>, written: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_' || "\"'`".contains(c);
    // `(A)` before a value is a cast.
    let cast = written.starts_with('(') && written.ends_with(')');
    !cast && written.ends_with(|c| word(c) || ")]}".contains(c)) && node.text().starts_with(word)
}

/// Whether a statement is none any more, or another one, where other code stands above it: a directive, a docstring,
/// `from __future__`.
fn speaks_first(statement: Node<'_>) -> bool {
    let language = statement.tree().language;
    let preamble = &language.facts.symbols.import.preamble;
    let text = statement.text().trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    let said = |n: Node<'_>| language.is_string(n.kind_id()) && n.text() == text;
    let text_only = statement.prev_named().is_none() && statement.descendants().take(3).any(said);
    text_only || preamble.iter().any(|kind| kind == statement.kind())
}

fn own_line(statement: Node<'_>, code: Snippet, written: &str, before: bool) -> Fallible<EditSpec> {
    let tree = statement.tree();
    let (text, base, facts) = (tree.text(), tree.base(), &tree.language.facts);
    let start = statement.local_range().start;
    let stop = start + statement.text().trim_end().len();
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_stop = text[stop..].find('\n').map_or(text.len(), |at| stop + at);
    let mark = facts.line_comment.as_deref();
    let (prefix, suffix) = (&text[line..start], text[stop..line_stop].trim_start_matches(';').trim());
    let continued = text[..line].trim_end_matches(['\n', '\r']).ends_with('\\');
    // In YAML a pair may stand behind the dashes of the items that it is in.
    let bullet = |word: &str| facts.bullets.iter().any(|bullet| bullet == word);
    let begins = prefix.split_whitespace().all(bullet) && !continued;
    let alone = suffix.is_empty() || mark.is_some_and(|mark| suffix.starts_with(mark));
    let shared = !facts.indented && mark.is_none_or(|mark| !written.contains(mark)) && written.ends_with(';');
    let place = |at: usize, code: Snippet| Ok(EditSpec::replace(at + base..at + base, code).indented_at(start + base));
    check(statement, written, before, stop)?;
    if before && begins {
        return place(start, code.beside("\n", true));
    }
    if !before && alone && (begins || !facts.indented && !continued) {
        let end = stop + text[stop..line_stop].trim_end().len();
        return place(end, code.beside("\n", false));
    }
    if shared && (before || statement.text().trim_end().ends_with(';')) {
        return place(if before { start } else { stop }, code.beside(" ", before));
    }
    Err(fail(format!(
        "the statement on line {} shares its line with other code, so that none can be put {} it on a line of its own",
        statement.line_column().0,
        if before { "before" } else { "behind" }
    )))
}

/// What would change its meaning beside new lines.
fn check(statement: Node<'_>, written: &str, before: bool, stop: usize) -> Fallible<()> {
    let (tree, line) = (statement.tree(), statement.line_column().0);
    let by_line = tree.language.facts.indented || tree.language.is_separator("\n");
    if before && !by_line && statement.text().starts_with(['(', '[', '`', '+', '-']) && !written.ends_with([';', '}']) {
        return Err(fail(format!("the statement on line {line} would go on with {written:?}: end that with `;`")));
    }
    if is_body(statement) {
        return Err(fail(format!(
            "the statement on line {line} is all of a body without braces, and {written:?} would change what is in it: \
             replace it by a block of both"
        )));
    }
    let mark = tree.language.facts.line_comment.as_deref();
    let comment = written.starts_with("/*") || mark.is_some_and(|mark| written.starts_with(mark));
    if before && !comment && speaks_first(statement) {
        return Err(fail(format!(
            "what stands on line {line} says something only as the first of its file or block: put the code behind it"
        )));
    }
    let attribute = |n: Node<'_>| n.kind() == "attribute_item";
    if before && statement.prev_named().is_some_and(attribute) && !written.starts_with('#') {
        return Err(fail(format!("the attribute above line {line} would be that of the new code: put it above that")));
    }
    let keeps = |n: Node<'_>| keeps_lines(n) && n.local_range().end >= stop;
    if !before && statement.descendants().any(keeps) {
        return Err(fail(format!(
            "the statement on line {line} ends with a text that keeps its empty lines: code behind it would part them from it"
        )));
    }
    Ok(())
}
