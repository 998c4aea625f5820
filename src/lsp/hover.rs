//! What a word of a rule file means, as Markdown.

use std::ops::Range;

use super::completion::{documentation, holes, languages, rule_at};
use crate::script::entries;

/// The word at `offset` and what it means, if that is known.
pub(super) fn hover(text: &str, offset: usize) -> Option<(Range<usize>, String)> {
    let word = word_at(text, offset)?;
    let name = &text[word.clone()];
    let rule = rule_at(text, offset);
    if let Some((hole, many)) = holes(&rule).into_iter().find(|(hole, _)| hole == name) {
        let what = if many { "any number of neighbours" } else { "one node" };
        let mark = if many { "$$$" } else { "$" };
        return Some((word, format!("`{mark}{hole}`: {what} of the match; in closures `m.{hole}`")));
    }
    let quoted = text[..word.start].ends_with('"') || text[word.end..].starts_with('"');
    let kind_in = languages(&rule).into_iter().filter(|l| l.kind_id(name, true).is_some());
    let kind_in: Vec<&str> = kind_in.map(|l| l.facts.name.as_str()).collect();
    if quoted && !kind_in.is_empty() {
        return Some((word, format!("`{name}`: a kind of node in {}", kind_in.join(", "))));
    }
    let method = text[..word.start].ends_with('.');
    let called = text[word.end..].starts_with('(');
    let all: Vec<String> = entries()
        .iter()
        .filter(|e| e.name == name && method == (e.of.is_some() && !e.is_type) && called != e.property)
        .map(|e| format!("```\n{}\n```\n{}", e.signature, documentation(e)))
        .collect();
    (!all.is_empty()).then(|| (word, all.join("\n\n---\n\n")))
}

fn word_at(text: &str, offset: usize) -> Option<Range<usize>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let before = &text[..offset];
    let start = offset - before.chars().rev().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
    let end = offset + text[offset..].chars().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_explained_where_they_stand() {
        let text =
            "rule(\"a\").lang(\"python\").find(\"f($ARG)\").where(#{ ARG: kind(\"call\") }).replace(\"g($ARG)\");";
        let at = |word: &str| hover(text, text.find(word).unwrap() + 1).map(|(_, said)| said);
        assert!(at("find").unwrap().contains("Rule.find(sought) -> Rule"));
        assert!(at("kind").unwrap().contains("kind(names) -> Matcher"));
        assert!(at("call\"").unwrap().contains("a kind of node in python"));
        assert!(at("ARG").unwrap().contains("one node"));
        assert!(at("replace").unwrap().contains("Rule.replace") && !at("replace").unwrap().contains("replace(node"));
        assert!(!at("lang").unwrap().contains("Context.lang"), "that one is no method");
        assert_eq!(at("#{"), None);
    }
}
