//! One rule at one node: whether it is meant there, what it makes of it, and that as edits of the file.
//!
//! Must not: say which rules are asked about which nodes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::decide::{DOUBT, DOUBTED_USE, DOUBTED_VALUE, decide, deleting, in_doubt, owned, refused_for};
use super::doubt;
use super::embedded::{joined, quoted, told};
use super::engine::{Answer, Failure, File, Outcome, Outcomes, Phase};
use super::follow::planted;
use super::group::Groups;
use super::layout::{before_comment, moved_above, placed};
use super::note::{Comment, Note};
use super::prefilter::{Clause, is_escape};
use super::set::{Origin, RuleSet, Unit};
use super::{Action, Comments, Decision, Embedded, IfUnknown, Match, Replacement, Rule, Variant, embed, exercise};
use crate::edit::{Edit, Fragment};
use crate::language::Language;
use crate::pattern::{Binding, Bindings, Givens, gave_up};
use crate::symbol::Certainty;
use crate::tree::{Node, NodeId, Tree};

pub(super) struct Runner<'r, 'f> {
    pub(super) phase: Phase<'f>,
    pub(super) set: &'r RuleSet,
    file: &'r Arc<Tree>,
    path: Arc<str>,
    pub(super) outcomes: Outcomes,
    counts: BTreeMap<usize, u32>,
    /// Rules that failed in this file. They are not asked again: the consumer is
    /// out already, and a failure may have cost its whole budget.
    pub(super) failed: BTreeSet<usize>,
    /// Literals that a unit has read.
    read: BTreeSet<(usize, NodeId)>,
    /// What the seed of a follow-up gives it.
    given: Option<Arc<Givens>>,
    /// Matches that wait for others.
    pub(super) groups: Groups,
}

impl<'r, 'f> Runner<'r, 'f> {
    pub(super) fn new(set: &'r RuleSet, file: File<'r>, phase: Phase<'f>) -> Self {
        Self {
            phase,
            set,
            file: file.tree,
            path: file.path.into(),
            outcomes: Vec::new(),
            counts: BTreeMap::new(),
            failed: BTreeSet::new(),
            read: BTreeSet::new(),
            given: None,
            groups: Groups::new(),
        }
    }

    /// From now on, rules are follow-ups that are given this.
    pub(super) fn given(&mut self, given: Option<Arc<Givens>>) {
        self.given = given;
    }

    pub(super) fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// What was found since this was last asked.
    pub(super) fn take(&mut self) -> Outcomes {
        self.close_groups();
        std::mem::take(&mut self.outcomes)
    }

    pub(super) fn candidate(
        &mut self,
        unit: usize,
        tree: &Arc<Tree>,
        node: Node<'_>,
        embedded: Option<(&Embedded, Node<'_>)>,
    ) {
        let set = self.set;
        let unit = &set.units[unit];
        self.rule_at(unit.rule, set.variant(unit), tree, node, embedded);
    }

    /// Asks one rule about one node.
    pub(super) fn rule_at(
        &mut self,
        rule_index: usize,
        variant: &Variant,
        tree: &Arc<Tree>,
        node: Node<'_>,
        embedded: Option<(&Embedded, Node<'_>)>,
    ) {
        let mut bindings = Bindings::with(self.given.clone());
        if node.is_missing() || self.failed.contains(&rule_index) {
            return;
        }
        let since = exercise::started();
        // A query in a text of the code that the rule is about.
        let in_query = embedded.filter(|_| !std::ptr::eq(tree.language, variant.language));
        let answer = match in_query {
            Some((_, host)) => variant
                .find
                .answer_in_query(node, host, &mut bindings)
                .and(|| Self::holds(variant, host, &mut bindings)),
            None => variant.find.answer_where(node, &mut bindings, |found| Self::holds(variant, node, found)),
        };
        let literal = embedded.map(|(_, host)| (host.range(), tree.language));
        if gave_up() {
            let why =
                "this code is too long for a pattern that names a list twice: it can't be told whether it matches";
            self.push(rule_index, node.range(), Answer::Refuse(why.to_owned()), literal);
            return;
        }
        if answer == Certainty::No {
            exercise::ended(rule_index, since, false);
            return;
        }
        let found = Match { given: self.given.clone(), ..owned(tree, node, &self.path, &bindings) };
        let rule = &self.set.rules[rule_index];
        let (built, doubt) = self.is_meant(rule_index, answer);
        let answer = answer.and(|| if built == Certainty::Unknown { built } else { Certainty::Yes });
        let facts = self.phase.facts();
        let (mut guarded, raised) = doubt::settled(rule, || {
            let mut guards = rule.guards.iter();
            guards.try_fold(true, |meant, guard| {
                Ok(meant && exercise::asked(guard.as_ref(), guard.holds(&found, facts)?))
            })
        });
        let unknown = raised.is_some() || rule.if_unknown != IfUnknown::Match && answer == Certainty::Unknown;
        if raised.is_some() || unknown && guarded.is_err() {
            // It asked for what can't be told.
            guarded = Ok(true);
        }
        if guarded == Ok(false) {
            exercise::ended(rule_index, since, false);
            return;
        }
        if built == Certainty::No {
            exercise::ended(rule_index, since, false);
            return self.push(rule_index, node.range(), Answer::Skip(doubt.into_owned()), literal);
        }
        let doubt = raised.map_or(doubt, Cow::Borrowed);
        let match_id = self.number(rule_index);
        if let (Action::Join(_), Phase::Edit(_), false, Ok(_)) = (&rule.action, &self.phase, unknown, &guarded) {
            return self.waits(rule_index, &found, match_id, since);
        }
        let (decided, raised) = match guarded {
            Ok(_) => self.decision(rule, &found, unknown.then_some(doubt.as_ref())),
            Err(why) => (Err(why), None),
        };
        let left_out = variant.find.left_out(node).filter(|left| !found.names_within(left));
        let decided = left_out.and_then(|left| refused_for(&decided, node, &left)).unwrap_or(decided);
        exercise::ended(rule_index, since, true);
        let doubt = raised.map(Cow::Borrowed).or_else(|| unknown.then_some(doubt));
        let told = |decided| match &doubt {
            Some(why) => in_doubt(rule, decided, why),
            None => decided,
        };
        let Some(decided) = decided.transpose().map(told) else { return };
        self.answered(rule_index, &found, decided, (match_id, embedded));
    }

    /// What a rule makes of a match, which is in doubt for one reason before and may be for another after; nothing
    /// where it learns of it.
    fn decision(
        &mut self,
        rule: &Rule,
        found: &Match,
        doubt: Option<&str>,
    ) -> (Result<Option<Decision>, String>, Option<&'static str>) {
        match (&rule.action, &mut self.phase) {
            (Action::Collect(name, closure), Phase::Collect(learned)) => {
                let (told, raised) = doubt::settled(rule, || closure.learn(found));
                if let Some(why) = doubt.or(raised) {
                    return (Ok(Some(Decision::Skip(why.to_owned()))), None);
                }
                let learn = |values: Vec<String>| values.into_iter().for_each(|value| learned.insert(name, value));
                (told.map(learn).map(|()| None), None)
            }
            (Action::Collect(..), _) | (_, Phase::Collect(_)) => (Ok(None), None),
            (Action::Join(_), Phase::Edit(_)) => (Ok(Some(Decision::Edits(Vec::new()))), None),
            (_, Phase::Edit(facts)) => {
                let (decided, raised) = doubt::decided(rule, || decide(rule, found, facts, &self.set.languages));
                (decided.map(Some), raised)
            }
        }
    }

    /// Whether a rule is meant in this workspace, by what its builds declare; and why not, or what is
    /// in doubt.
    pub(super) fn is_meant(&self, rule: usize, found: Certainty) -> (Certainty, Cow<'static, str>) {
        let ecosystem = self.file.language.facts.ecosystem;
        let built = match &self.phase {
            Phase::Edit(facts) => facts.have(&self.set.rules[rule].requires, &self.path, ecosystem),
            Phase::Collect(_) => (Certainty::Yes, String::new()),
        };
        let of_uses = || self.set.units.iter().any(|unit| unit.rule == rule && unit.asks_for_uses);
        match built {
            (Certainty::Yes, _) if found == Certainty::Unknown && of_uses() => {
                let compares = self.set.rules[rule].variants.iter().any(|variant| variant.find.compares());
                (Certainty::Yes, if compares { DOUBTED_VALUE } else { DOUBTED_USE }.into())
            }
            (Certainty::Yes, _) => (Certainty::Yes, DOUBT.into()),
            (built, why) => (built, why.into()),
        }
    }

    /// The number of a rule's next match.
    fn number(&mut self, rule: usize) -> u32 {
        let id = self.counts.entry(rule).or_default();
        *id += 1;
        *id - 1
    }

    /// A match, and its number.
    pub(super) fn numbered(&mut self, rule: usize, tree: &Arc<Tree>, node: Node<'_>) -> (Match, u32) {
        (owned(tree, node, &self.path, &Bindings::default()), self.number(rule))
    }

    /// A match that may belong to others.
    fn waits(&mut self, rule: usize, found: &Match, match_id: u32, since: Option<std::time::Instant>) {
        let answer = self.join(rule, found, match_id);
        exercise::ended(rule, since, true);
        if let Some(decided) = answer {
            self.answered(rule, found, decided, (match_id, None));
        }
    }

    /// Makes an outcome of an answer.
    pub(super) fn answered(
        &mut self,
        rule_index: usize,
        found: &Match,
        decided: Result<Decision, String>,
        (match_id, embedded): (u32, Option<(&Embedded, Node<'_>)>),
    ) {
        let rule = &self.set.rules[rule_index];
        let node = found.node();
        let literal = embedded.map(|(_, host)| (host.range(), found.tree.language));
        let (mut imports, mut files, mut seeds) = (Vec::new(), Vec::new(), Vec::new());
        let decided = match decided {
            Ok(Decision::Edits(edits)) => match planted(self.set, rule, found, self.phase.facts()) {
                (Ok(planted), None) => {
                    seeds = planted;
                    Ok(Decision::Edits(edits))
                }
                (_, Some(why)) => in_doubt(rule, Ok(Decision::Edits(edits)), why),
                (Err(why), None) => Err(why),
            },
            other => other,
        };
        let answer = match decided {
            Err(why) => {
                self.failed.insert(rule_index);
                Answer::Fail(why)
            }
            Ok(Decision::Skip(why)) => Answer::Skip(why),
            Ok(Decision::Refuse(why)) => Answer::Refuse(why),
            Ok(Decision::Annotate(message)) => {
                let anchor = embedded.map_or(node, |(_, host)| host);
                let note = Note { id: &rule.id, guide: self.set.guide.as_deref(), message: &message };
                let edits = match note.above(anchor, match_id) {
                    Comment::New(edit) => vec![edit],
                    Comment::There | Comment::Never => Vec::new(),
                };
                Answer::Annotate(message, edits)
            }
            Ok(Decision::Edits(replacements)) => {
                imports.extend(replacements.iter().flat_map(|r| r.imports.iter().cloned()));
                imports.extend(rule.imports.iter().cloned());
                files.extend(replacements.iter().filter_map(|r| r.file.clone()));
                self.edits(rule, replacements, match_id, embedded.map(|(e, _)| e))
            }
        };
        if !matches!(answer, Answer::Edit(_)) {
            seeds.clear();
        }
        self.push(rule_index, node.range(), answer, literal);
        if let Some(outcome) = self.outcomes.last_mut() {
            outcome.imports = imports;
            outcome.files = files;
            outcome.seeds = seeds;
        }
    }

    pub(super) fn push(
        &mut self,
        rule: usize,
        range: Range<usize>,
        answer: Answer,
        literal: Option<(Range<usize>, &'static Language)>,
    ) {
        let place = self.file.line_column(range.start);
        let origin = Origin::Rule(rule);
        let (imports, files, subject, seeds) = (Vec::new(), Vec::new(), None, Vec::new());
        self.outcomes.push(Outcome { origin, range, place, answer, imports, files, literal, subject, seeds });
    }

    /// Whether holes and all around a match are what they must be.
    fn holds<'t>(variant: &Variant, node: Node<'t>, bindings: &mut Bindings<'t>) -> Certainty {
        let mut sum = Certainty::Yes;
        for (name, condition) in &variant.conditions {
            let Some(binding) = bindings.get(name).cloned() else { return Certainty::No };
            let nodes = match binding {
                Binding::One(node) => vec![node],
                Binding::Many(nodes) => nodes.into_iter().filter(|n| n.is_named()).collect(),
            };
            for bound in nodes {
                // A query in a text of the code is of another language.
                let one = match std::ptr::eq(bound.tree().language, variant.language) {
                    true => condition.answer(bound, bindings),
                    false => condition.answer_in_query(bound, node, bindings),
                };
                exercise::asked(condition, one == Certainty::Yes);
                sum = sum.and(|| one);
            }
            if sum == Certainty::No {
                return sum;
            }
        }
        for context in &variant.context {
            sum = sum.and(|| context.answer(node, bindings));
        }
        sum
    }

    pub(super) fn host(&mut self, unit_index: usize, node: Node<'_>) -> Result<(), Failure> {
        let unit = &self.set.units[unit_index];
        let variant = self.set.variant(unit);
        for host in variant.hosts.iter().filter(|h| std::ptr::eq(h.language, node.tree().language)) {
            let mut bindings = Bindings::default();
            if !host.matcher.matches(node, &mut bindings) {
                continue;
            }
            let literal = match bindings.iter().next() {
                Some((_, Binding::One(literal))) => *literal,
                Some((_, Binding::Many(pieces))) => pieces.first().copied().unwrap_or(node),
                None => node,
            };
            // A hole between quotes, and a piece of a text that is put together, are read with all of it.
            let literal = &joined(quoted(literal));
            if !self.read.insert((unit_index, literal.id)) {
                continue;
            }
            let Some(embedded) = embed(*literal, variant.language)? else {
                self.unreadable(unit, *literal, "its escapes or parts can't be read with certainty");
                continue;
            };
            if embedded.tree.errors().next().is_some() {
                self.unreadable(unit, *literal, &format!("it is no {} that can be read", variant.language.facts.name));
                continue;
            }
            let tree = Arc::clone(&embedded.tree);
            self.set.stand_beside(&tree);
            for inner in tree.iter() {
                self.candidate(unit_index, &tree, inner, Some((&embedded, *literal)));
            }
        }
        Ok(())
    }

    /// A literal that can't be read, and that holds what the rule looks for.
    fn unreadable(&mut self, unit: &Unit, literal: Node<'_>, why: &str) {
        let (text, certain) = told(literal);
        let lower = text.to_ascii_lowercase();
        let in_it = |c: &Clause| {
            c.texts
                .iter()
                .filter(|t| !certain || !is_escape(t))
                .any(|t| if c.fold { lower.contains(&t.to_ascii_lowercase()) } else { text.contains(t.as_str()) })
        };
        if !unit.inner.iter().all(in_it) {
            return;
        }
        if unit.inner.is_empty() {
            let answer = Answer::Skip(format!("the text in this literal was not looked at: {why}"));
            self.push(unit.rule, literal.range(), answer, None);
            return;
        }
        let names = if certain { "names" } else { "may name" };
        let answer = Answer::Refuse(format!("the text in this literal {names} what the rule looks for, but {why}"));
        self.push(unit.rule, literal.range(), answer, None);
    }

    fn edits(&self, rule: &Rule, replacements: Vec<Replacement>, match_id: u32, embedded: Option<&Embedded>) -> Answer {
        let mut edits = Vec::new();
        for Replacement { range, fragments, indent_at, comments, .. } in replacements {
            if range.is_empty() && fragments.is_empty() {
                continue;
            }
            if let Some(embedded) = embedded {
                let copies = fragments.iter().filter_map(|f| if let Fragment::Copy(r) = f { Some(r) } else { None });
                if std::iter::once(&range).chain(copies).any(|r| embedded.crosses(r)) {
                    return Answer::Refuse(
                        "the edit would cross a quote, an escape or a hole of the literal".to_owned(),
                    );
                }
            }
            let policy = match comments.unwrap_or(rule.comments) {
                Comments::Deleted => deleting(rule),
                policy => policy,
            };
            let guards = policy == Comments::Guard && !fragments.is_empty();
            let range = if guards && embedded.is_none() { before_comment(self.file, range, &fragments) } else { range };
            let at = indent_at.unwrap_or(range.start);
            let replacement = placed(self.file, &(at..at), fragments, embedded.is_some());
            let own = (rule.id.as_str(), match_id);
            if policy == Comments::Move && embedded.is_none() {
                edits.extend(moved_above(self.file, &range, &replacement, own));
            }
            let drops = policy != Comments::Guard;
            edits.push(Edit { range, replacement, rule: rule.id.clone(), match_id, drops });
        }
        Answer::Edit(edits)
    }
}
