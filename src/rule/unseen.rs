//! Code of which there are tokens only, as what a macro is given that is no list of expressions: no pattern can match
//! there, but where its own tokens stand, that is said.
//!
//! Must not: match, or edit anything.

use super::runner::Runner;
use super::{Action, Decision, IfUnknown, Matcher, Variant};
use crate::symbol::Certainty;
use crate::tree::{Node, Tree};

/// Why nothing is known of such code.
const UNSEEN: &str = "what this macro is given names what the rule looks for, and is read as tokens only: look at it by \
                      hand";

impl Runner<'_, '_> {
    /// Says for each of these units where its code may stand in what a macro is given.
    pub(super) fn unseen(&mut self, units: &[usize], tree: &std::sync::Arc<Tree>) {
        let facts = &tree.language.facts;
        let is = |kinds: &[String], node: &Node<'_>| kinds.iter().any(|kind| kind == node.kind());
        let set = self.set;
        let units = units.iter().map(|unit| &set.units[*unit]);
        let looked_for: Vec<(usize, Vec<Vec<String>>)> =
            units.map(|unit| (unit.rule, sought(set.variant(unit)))).filter(|(_, shapes)| !shapes.is_empty()).collect();
        if looked_for.is_empty() {
            return;
        }
        let macros = tree.iter().filter(|node| is(&facts.macros, node));
        for tokens in macros.flat_map(Node::children).filter(|node| is(&facts.tokens, node)) {
            let run = Run::new(tokens);
            for (rule, shapes) in &looked_for {
                if let Some(at) = shapes.iter().find_map(|runs| run.find(runs)) {
                    self.tell_unseen(*rule, tree, at);
                }
            }
        }
    }

    fn tell_unseen(&mut self, rule_index: usize, tree: &std::sync::Arc<Tree>, node: Node<'_>) {
        let rule = &self.set.rules[rule_index];
        let collects = matches!(rule.action, Action::Collect(..));
        if collects
            || self.failed.contains(&rule_index)
            || self.is_meant(rule_index, Certainty::Unknown).0 == Certainty::No
        {
            return;
        }
        let decided = match rule.if_unknown {
            // What can't be read can't be edited.
            IfUnknown::Skip | IfUnknown::Match => Decision::Skip(UNSEEN.to_owned()),
            IfUnknown::Annotate => Decision::Annotate(UNSEEN.to_owned()),
            IfUnknown::Refuse => Decision::Refuse(UNSEEN.to_owned()),
        };
        let (found, id) = self.numbered(rule_index, tree, node);
        self.answered(rule_index, &found, Ok(decided), (id, None));
    }
}

/// The tokens of what a rule looks for, as far as it is written as code: for each shape its runs.
fn sought(variant: &Variant) -> Vec<Vec<String>> {
    fn collect(matcher: &Matcher, out: &mut Vec<Vec<String>>) {
        match matcher {
            // A single token is found among tokens, too.
            Matcher::Pattern(pattern) if pattern.has_parts() => out.push(pattern.runs()),
            Matcher::Invocation(call) => out.push(call.runs()),
            Matcher::Any(matchers) | Matcher::All(matchers) => matchers.iter().for_each(|one| collect(one, out)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    collect(&variant.find, &mut all);
    all.retain(|runs| !runs.is_empty());
    all
}

/// Tokens as one text, and where each begins in it.
struct Run<'t> {
    text: String,
    tokens: Vec<(usize, Node<'t>)>,
}

impl<'t> Run<'t> {
    fn new(tokens: Node<'t>) -> Self {
        let mut run = Self { text: String::new(), tokens: Vec::new() };
        let mut literal: Option<Node<'t>> = None;
        // Of a list that was read up to some of them these are left.
        let read = !tokens.is_tokens();
        let left = tokens.children().filter(|child| !read || child.is_unread());
        for node in left.flat_map(|child| tokens.tree().iter_within(child)).filter(|node| !node.is_extra()) {
            // What a literal says is no code.
            if literal.is_some_and(|literal| literal.contains(node)) {
                continue;
            }
            if node.tree().language.is_string(node.kind_id()) {
                literal = Some(node);
            } else if !node.is_leaf() {
                continue;
            }
            let words = run.text.ends_with(is_word) && node.text().starts_with(is_word);
            run.text.extend(words.then_some(' '));
            run.tokens.push((run.text.len(), node));
            run.text.push_str(node.text());
        }
        run
    }

    /// Where the runs of a pattern stand, with anything in the place of its holes.
    fn find(&self, runs: &[String]) -> Option<Node<'t>> {
        let (mut first, mut from) = (None, 0);
        for run in runs {
            let (at, node) = self.whole(from, run)?;
            first = first.or(Some(node));
            from = at + run.len();
        }
        first
    }

    /// Where some tokens stand, from a place on.
    fn whole(&self, from: usize, run: &str) -> Option<(usize, Node<'t>)> {
        let found = self.text[from..].match_indices(run).map(|(at, _)| from + at);
        found.into_iter().find_map(|at| {
            let longer = run.ends_with(is_word) && self.text[at + run.len()..].starts_with(is_word);
            let token = self.tokens.binary_search_by_key(&at, |(start, _)| *start).ok().filter(|_| !longer)?;
            Some((at, self.tokens[token].1))
        })
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
