//! Matches that are joined into one edit set: made together or not at all.
//!
//! Must not: say which matches belong together: the rule does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decide::in_doubt;
use super::engine::{Answer, Phase};
use super::runner::Runner;
use super::{Action, Decision, Facts, Match, doubt, exercise};
use crate::language::FileLanguages;

/// `group_by(…)` and `edit_group(…)` of a rule.
pub trait Join: Send + Sync {
    /// What a match belongs to, as a text that is equal for matches of one group; or why it is
    /// not meant.
    ///
    /// # Errors
    /// The rule failed: its place and why.
    fn key(&self, found: &Match, facts: &Arc<Facts>) -> Result<Result<String, Decision>, String>;

    /// What to do with all matches of a group, in the order of the file. Pure.
    ///
    /// # Errors
    /// As for one.
    fn decide(&self, found: &[Match], facts: &Arc<Facts>, languages: &FileLanguages) -> Result<Decision, String>;
}

/// A match that waits for the others of its group.
pub(super) struct Joined {
    found: Match,
    match_id: u32,
}

/// By rule and key.
pub(super) type Groups = BTreeMap<(usize, String), Vec<Joined>>;

impl Runner<'_, '_> {
    /// Lets a match wait; an answer where it is not meant.
    pub(super) fn join(&mut self, rule: usize, found: &Match, match_id: u32) -> Option<Result<Decision, String>> {
        let (Action::Join(join), Phase::Edit(facts)) = (&self.set.rules[rule].action, &self.phase) else { return None };
        let rule_of = &self.set.rules[rule];
        let (key, raised) = doubt::settled(rule_of, || join.key(found, facts));
        if let Some(why) = raised {
            return Some(in_doubt(rule_of, Ok(Decision::Edits(Vec::new())), why));
        }
        match key {
            Err(why) => Some(Err(why)),
            Ok(Err(decision)) => Some(Ok(decision)),
            Ok(Ok(key)) => {
                self.groups.entry((rule, key)).or_default().push(Joined { found: found.clone(), match_id });
                None
            }
        }
    }

    /// Asks for every group that waits.
    pub(super) fn close_groups(&mut self) {
        for ((rule_index, _), joined) in std::mem::take(&mut self.groups) {
            let set = self.set;
            let rule = &set.rules[rule_index];
            let (Action::Join(join), Phase::Edit(facts)) = (&rule.action, &self.phase) else { continue };
            let Some(first) = joined.first() else { continue };
            if self.failed.contains(&rule_index) {
                continue;
            }
            let since = exercise::started();
            let all: Vec<Match> = joined.iter().map(|one| one.found.clone()).collect();
            let (decided, raised) = doubt::decided(rule, || join.decide(&all, facts, &set.languages));
            let decided = raised.map_or_else(|| decided.clone(), |why| in_doubt(rule, decided.clone(), why));
            exercise::ended(rule_index, since, true);
            let (line, column) = first.found.node().line_column();
            let with = |word: &str| format!("{word} together with what stands at {line}:{column}");
            let others = match &decided {
                Ok(Decision::Edits(_)) => None,
                Ok(Decision::Skip(why)) => Some(Answer::Skip(why.clone())),
                Ok(Decision::Annotate(_)) => Some(Answer::Annotate(with("left"), Vec::new())),
                Ok(Decision::Refuse(_)) => Some(Answer::Skip(with("refused"))),
                Err(_) => Some(Answer::Skip(with("failed"))),
            };
            let others = others.map_or_else(|| Ok(()), Err);
            self.answered(rule_index, &first.found, decided, (first.match_id, None));
            for one in &joined[1..] {
                let answer = match &others {
                    Ok(()) => Answer::Edit(Vec::new()),
                    Err(Answer::Skip(why)) => Answer::Skip(why.clone()),
                    Err(Answer::Annotate(why, _)) => Answer::Annotate(why.clone(), Vec::new()),
                    Err(_) => continue,
                };
                self.push(rule_index, one.found.node().range(), answer, None);
            }
        }
    }
}
