//! Calls that replace a part of a text, which may be a query.
//!
//! What is searched for is taken for a hole of every text of the file that holds it. Where
//! that is not written out, what the call has to do with is followed by names.
//! Must not: say what is put in.

use std::collections::BTreeSet;

use super::visible;
use super::word::{each, is_word};
use crate::language::literal;
use crate::tree::{Node, Tree};

/// Names of such calls; of `re.sub` and the like the last part.
const CALLS: [&str; 14] = [
    "replace",
    "replaceAll",
    "replaceAllIn",
    "replaceFirst",
    "replaceFirstIn",
    "replacen",
    "replace_all",
    "sub",
    "subn",
    "Replace",
    "ReplaceAll",
    "ReplaceAllString",
    "NewReplacer",
    "translate",
];

/// Those of them that search for a pattern, and those that have it elsewhere.
const PATTERNS: [&str; 4] = ["sub", "subn", "replaceAll", "replaceFirst"];
const ELSEWHERE: [&str; 4] = ["replaceAllIn", "replaceFirstIn", "replace_all", "ReplaceAllString"];

/// Whether a word is the name of such a call.
pub(super) fn is_call(word: &str) -> bool {
    CALLS.contains(&word)
}

/// Whether a line may hold such a call.
pub(super) fn is_spoken(line: &str) -> bool {
    each(line).any(|(at, word)| line[at + word.len()..].starts_with('(') && is_call(word))
}

/// The name of what is called, if it is one of these.
fn called(node: Node<'_>) -> Option<&str> {
    if !matches!(node.kind(), "call" | "call_expression" | "method_invocation") {
        return None;
    }
    let function = node.field("name").or_else(|| node.field("function")).or_else(|| node.named_children().next())?;
    let last = function.text().rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    CALLS.contains(&last).then_some(last)
}

fn is_called(node: Node<'_>) -> bool {
    called(node).is_some()
}

/// The call that a literal is an argument of.
fn call_of(node: Node<'_>) -> Option<Node<'_>> {
    node.ancestors().take(4).find(|up| is_called(*up)).filter(|call| {
        let list = call.field("arguments").or_else(|| call.named_children().last());
        list.is_some_and(|list| list.contains(node))
    })
}

/// Whether a literal is an argument of such a call.
pub(super) fn is_argument(literal: Node<'_>) -> bool {
    call_of(literal).is_some()
}

/// A call that replaces something.
struct Call {
    range: std::ops::Range<usize>,
    /// What it has to do with.
    names: BTreeSet<String>,
    /// Texts that are written out in it, and where they begin.
    texts: Vec<(usize, String)>,
    /// Whether what is searched for is none of them.
    open: bool,
}

/// The calls of a file that replace something.
pub(super) struct Replaced {
    calls: Vec<Call>,
}

impl Replaced {
    pub(super) fn of(tree: &Tree) -> Self {
        let call = |node: Node<'_>| {
            let list = node.field("arguments").or_else(|| node.named_children().last());
            let arguments: Vec<Node<'_>> = list.into_iter().flat_map(Node::named_children).collect();
            let text = |node: &Node<'_>| {
                let string = std::iter::once(*node).chain(node.descendants().take(3));
                let string = string.into_iter().find(|one| tree.language.is_string(one.kind_id()))?;
                literal::value(tree.language, string.text())
            };
            let first = arguments.first().and_then(text);
            // A pattern is no text of the query, and what is no literal may be any.
            let is_pattern = |text: &String| text.contains(['\\', '[', '(', '*', '+', '?', '|', '^', '$', '.']);
            let name = called(node).unwrap_or("");
            let pattern = PATTERNS.contains(&name) && first.as_ref().is_some_and(is_pattern);
            let leaves = node.descendants().filter(|node| node.is_leaf() && node.kind().contains("identifier"));
            Call {
                range: node.range(),
                names: leaves.map(|node| node.text().to_owned()).collect(),
                open: first.is_none() || pattern || ELSEWHERE.contains(&name),
                texts: arguments
                    .iter()
                    .filter_map(|node| Some((node.range().start, text(node)?)))
                    .filter(|(_, text)| is_telling(text))
                    .collect(),
            }
        };
        Self { calls: tree.iter().filter(|node| is_called(*node)).map(call).collect() }
    }

    /// What is replaced in the text at a node, the longest first, and whether that may be
    /// anything.
    pub(super) fn in_text(&self, text: Node<'_>) -> (Vec<&str>, bool) {
        if self.calls.is_empty() {
            return (Vec::new(), false);
        }
        let (range, names) = (text.range(), carried_on(text));
        let meets = |call: &&Call| {
            let around = call.range.start <= range.start && range.end <= call.range.end;
            around || names.iter().any(|name| call.names.contains(*name))
        };
        let calls: Vec<&Call> = self.calls.iter().filter(meets).collect();
        // The query may itself be an argument.
        let others = calls.iter().flat_map(|call| &call.texts).filter(|(at, _)| !range.contains(at));
        let mut texts: Vec<&str> = others.map(|(_, text)| text.as_str()).collect();
        texts.sort_by_key(|text| (std::cmp::Reverse(text.len()), *text));
        texts.dedup();
        (texts, calls.iter().any(|call| call.open))
    }
}

/// Whether replacing a text may change a name.
fn is_telling(text: &str) -> bool {
    // `?` stands for a value, or for what is put there.
    text.chars().any(|c| is_word(c) || c == '?')
}

/// The names that hold what is made of a text, in its file: by assignments and calls.
pub(super) fn carried_on(text: Node<'_>) -> BTreeSet<&str> {
    let tree = text.tree();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut functions: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut given: Vec<(Vec<&str>, Node<'_>)> = Vec::new();
    for node in tree.iter() {
        if visible::is_function(node)
            && let (Some(name), Some(list)) = (node.field("name"), node.field("parameters"))
        {
            let leaves = list.descendants().filter(|below| below.is_leaf() && below.kind().contains("identifier"));
            functions.push((name.text(), leaves.map(Node::text).collect()));
        }
        let targets = visible::targets(node);
        if !targets.is_empty() {
            given.push((targets.into_iter().map(|(name, _)| name).collect(), node));
        }
    }
    let calls = |node: &Node<'_>| matches!(node.kind(), "call" | "call_expression" | "method_invocation");
    // As far as it goes: each round adds a name, or is the last.
    for _ in 0..64 {
        let before = names.len();
        let holds = |node: Node<'_>, names: &BTreeSet<&str>| {
            node.contains(text)
                || node
                    .descendants()
                    .any(|below| below.is_leaf() && below.kind().contains("identifier") && names.contains(below.text()))
        };
        for (targets, node) in &given {
            if holds(*node, &names) {
                names.extend(targets.iter().copied());
            }
        }
        for call in tree.iter().filter(calls) {
            let function = call.field("name").or_else(|| call.field("function"));
            let last = function.map_or("", |node| node.text().rsplit('.').next().unwrap_or(""));
            let known = functions.iter().filter(|(name, _)| *name == last);
            for (_, parameters) in known {
                let list = call.field("arguments").or_else(|| call.named_children().last());
                if list.is_some_and(|list| holds(list, &names)) {
                    names.extend(parameters.iter().copied());
                }
            }
        }
        for up in text.ancestors().filter(|up| visible::is_function(*up)) {
            names.extend(up.field("name").map(Node::text));
        }
        if names.len() == before {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use crate::dataset::flow::tests::{becomes, stays};

    const MOVES: (&str, &str) = ("users_v1", "users_v2");

    #[test]
    fn what_is_replaced_may_be_any_name() {
        let query = "'select user_id from a.users_v1'";
        let hole = "'select user_id from a.users_v1 where x'";
        for (code, why) in [
            (format!("q = {query}.replace('user_id', 'country_code')\n"), "may name any column"),
            (format!("q = {query}\nr = q.replace('user_id', 'country_code')\n"), "may name any column"),
            (format!("q = {query}\nr = q\nr = r.replace('user_id', 'country_code')\n"), "may name any column"),
            (format!("q = {query}\nfor k, v in x:\n    q = q.replace(k, v)\n"), "not written out"),
            (format!("q = {query}\nq = re.sub(r'user_\\w+', c, q)\n"), "not written out"),
            (format!("q = re.sub('user_id', c, {query})\n"), "may name any column"),
            (format!("def f(q):\n    return q.replace(k, v)\nf({query})\n"), "not written out"),
            (format!("def f():\n    return {query}\nq = f().replace(k, v)\n"), "not written out"),
            (format!("q = {hole}.replace('x', \"country_code = 'DE'\")\n"), "may name any column"),
            (format!("q = {hole}.replace('users_v1', t)\n"), "not understood"),
        ] {
            stays("python", &code, why);
        }
        stays(
            "java",
            "class A { String q = \"select user_id from a.users_v1\".replace(\"user_id\", c); }",
            "may name any column",
        );
        let go = "package a\n\nvar q = strings.Replace(\"select user_id from a.users_v1\", \"user_id\", c, 1)\n";
        stays("go", go, "may name any column");
        let script = "const q = 'select user_id from a.users_v1';\nrun(q.replace(/user_id/g, c));\n";
        stays("typescript", script, "not written out");
    }

    #[test]
    fn what_is_replaced_elsewhere_or_is_a_value_does_no_harm() {
        let query = "q = \"select country_code as c from a.users_v1 where user_id = 'DAY'\"\n";
        for rest in [
            "r = q.replace('DAY', day)\n",
            "name = name.replace('country_code', 'c')\n",
            "name = name.replace(k, v)\n",
            "q = q.replace('\\n', ' ')\n",
        ] {
            becomes("python", &format!("{query}{rest}"), &[("country_code", "country"), MOVES]);
        }
    }
}
