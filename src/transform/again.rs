//! A second run over what the first one wrote: it must find nothing more to do.
//!
//! Must not: edit anything.

use std::sync::Arc;

use super::check::Wrong;
use super::file::{Again, Creation, is_identity, syntax};
use crate::edit::{Arranged, FileEdit, Splice};
use crate::language::Language;
use crate::rule::{Answer, File, ImportRequest, Outcome, Place, run, settle};
use crate::tree::Tree;

impl Again<'_> {
    /// Runs the rules over the result, which lies at `place`.
    pub(super) fn settled(
        &self,
        place: Place<'_>,
        language: &'static Language,
        new_tree: Tree,
        splices: &[Splice],
        creations: &[Creation],
    ) -> Result<(), Wrong> {
        // What the result tells is only known once every file of the workspace is
        // done: the stage checks it then.
        if self.rules.collects() || self.facts.units_of(self.place.name()).is_some() {
            return Ok(());
        }
        let new_tree = Arc::new(new_tree);
        let path = place.name();
        let hits = self.rules.scan(language, place, new_tree.text().as_bytes());
        let outcomes = run(self.rules, File { path, tree: &new_tree }, &hits, self.facts).map_err(syntax)?;
        let known = |path: &str, text: &str| creations.iter().any(|c| c.path == path && c.text == text);
        let more = |edit: &&FileEdit| match edit {
            FileEdit::Create { path, text } => !known(path, text),
            FileEdit::Rename { to } => to != path,
            FileEdit::Delete => true,
        };
        let at = splices.first().map_or(0, |s| s.range.start);
        if let Some(wrong) = self.imports_again(&new_tree, &outcomes, at) {
            return Err(wrong);
        }
        for outcome in &outcomes {
            let why = match &outcome.answer {
                Answer::Edit(edits) if edits.iter().any(|e| !is_identity(new_tree.text(), e)) => {
                    "a second run would change the result again: the rule matches what it writes".to_owned()
                }
                Answer::Annotate(_, edits) if !edits.is_empty() => {
                    "a second run would comment the result again".to_owned()
                }
                Answer::Refuse(why) | Answer::Fail(why) => format!("a second run would refuse the result: {why}"),
                _ => match outcome.files.iter().find(more) {
                    Some(edit) => format!("a second run would change more: it {edit}"),
                    None => continue,
                },
            };
            return Err(Wrong { at, rule: self.rules.id_of(outcome.origin).to_owned(), why });
        }
        Ok(())
    }

    /// What a second run would make of the imports, where it edits nothing else.
    fn imports_again(&self, tree: &Tree, outcomes: &[Outcome], at: usize) -> Option<Wrong> {
        let requests: Vec<(String, ImportRequest)> = outcomes
            .iter()
            .filter(|outcome| matches!(outcome.answer, Answer::Edit(_)))
            .flat_map(|outcome| outcome.imports.iter().map(move |request| (outcome, request.clone())))
            .map(|(outcome, request)| (self.rules.id_of(outcome.origin).to_owned(), request))
            .collect();
        let again = settle(tree, tree, &Arranged::default(), &requests);
        let (rule, why) = match again {
            Ok(edits) => match edits.iter().find(|edit| !is_identity(tree.text(), edit)) {
                Some(edit) => (edit.rule.clone(), "a second run would change the imports again".to_owned()),
                None => return None,
            },
            Err(wrong) => (wrong.rule, format!("a second run would refuse the result: {}", wrong.why)),
        };
        Some(Wrong { at, rule, why })
    }
}
