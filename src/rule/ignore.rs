//! `gander:ignore RULE reason`: a comment by which people keep a rule from a line.
//!
//! It is never silent: what the rule would have done is an outcome, with the reason given.

use std::collections::BTreeMap;

use super::engine::{Answer, Outcomes};
use super::set::{Origin, RuleSet};
use crate::tree::{Node, Tree};

/// What begins such a comment, behind its mark.
pub(super) const MARK: &str = "gander:ignore";

/// The rules that are kept from each line, and why.
type Ignored = BTreeMap<(u32, String), String>;

/// Turns what is ignored into outcomes that say so.
pub(super) fn respect(set: &RuleSet, tree: &Tree, outcomes: &mut Outcomes) {
    if outcomes.is_empty() || !tree.text().contains(MARK) {
        return;
    }
    let ignored = ignored(tree);
    for outcome in outcomes {
        // A unit of a dataset moves as a whole or not at all.
        let Origin::Rule(rule) = outcome.origin else { continue };
        if matches!(outcome.answer, Answer::Skip(_)) {
            continue;
        }
        let Some(reason) = ignored.get(&(outcome.place.0, set.rules[rule].id.clone())) else { continue };
        outcome.answer = Answer::Skip(format!("a comment ignores it: {reason}"));
        outcome.imports.clear();
        outcome.files.clear();
        outcome.seeds.clear();
    }
}

fn ignored(tree: &Tree) -> Ignored {
    let mut all = Ignored::new();
    for comment in tree.iter().filter(|n| n.is_extra() && n.is_named()) {
        let Some((_, said)) = comment.text().split_once(MARK) else { continue };
        let mut words = said.lines().next().unwrap_or_default().split_whitespace();
        let Some(rule) = words.next() else { continue };
        let reason: Vec<&str> = words.filter(|w| !matches!(*w, "*/" | "-->" | "#}")).collect();
        // Nobody is kept from anything without a reason.
        if !reason.is_empty() {
            all.insert((line(tree, comment), rule.to_owned()), reason.join(" "));
        }
    }
    all
}

/// The line that a comment speaks of: its own, or the next one where it stands alone.
fn line(tree: &Tree, comment: Node<'_>) -> u32 {
    let range = comment.local_range();
    let before = tree.text()[..range.start].rsplit('\n').next().unwrap_or_default();
    let behind = tree.text()[range.end..].lines().next().unwrap_or_default();
    let last = tree.line_column(comment.range().end.saturating_sub(1)).0;
    // Markup has comments in braces only.
    match (before.trim(), behind.trim()) {
        ("", "") | ("{", "}") => last + 1,
        ("", _) => last,
        _ => comment.line_column().0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::rule::{Answer, Facts, File, run};
    use crate::script::{Inputs, Source, load};
    use crate::tree::parse;

    /// What becomes of each match, by its line.
    fn outcomes(language: &str, code: &str) -> Vec<String> {
        let rules = format!(
            "for w in [\"a/f\", \"a/g\"] {{ rule(w).lang({language:?}).find(w.sub_string(2) + \"($X)\").replace(\"h($X)\"); }}"
        );
        let set = load(&[Source { name: "t.rhai".to_owned(), text: rules, ..Source::default() }], &Inputs::default());
        let set = set.map_err(|errors| errors.render(false)).unwrap();
        let tree = Arc::new(parse(crate::language::by_name(language).unwrap(), code).unwrap());
        let hits = set.scan(tree.language, "a", code.as_bytes());
        let all = run(&set, File { path: "a", tree: &tree }, &hits, &Arc::new(Facts::default())).unwrap();
        let one = |outcome: &super::super::Outcome| match &outcome.answer {
            Answer::Skip(why) => format!("{}: {why}", outcome.place.0),
            Answer::Edit(_) => format!("{}: edit", outcome.place.0),
            other => format!("{}: {other:?}", outcome.place.0),
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn a_rule_is_kept_from_the_line_that_a_comment_names_it_on() {
        let code = "f(1)  # gander:ignore a/f it is fine here\n# gander:ignore a/g not yet\ng(2)\nf(3)\nf(4)  # gander:ignore a/g another rule\nf(5)  # gander:ignore a/f\nx = '# gander:ignore a/f no'; f(6)\n";
        let wanted = [
            "1: a comment ignores it: it is fine here",
            "3: a comment ignores it: not yet",
            "4: edit",
            "5: edit",
            "6: edit",
            "7: edit",
        ];
        assert_eq!(outcomes("python", code), wanted);
        let java = "class A { void m() {\n  /* gander:ignore a/f why not */\n  f(1);\n  f(2); /* gander:ignore a/f so */\n} }\n";
        assert_eq!(outcomes("java", java), ["3: a comment ignores it: why not", "4: a comment ignores it: so"]);
        let markup =
            "/* gander:ignore a/f one */ f(1)\nx = <A>\n  {/* gander:ignore a/f two */}\n  {f(1)}\n  {f(2)}\n</A>\n";
        let wanted = ["1: a comment ignores it: one", "4: a comment ignores it: two", "5: edit"];
        assert_eq!(outcomes("javascript", markup), wanted);
    }
}
