//! What the rules ask of a file: outcomes of matches, sorted into findings, edits, imports,
//! whole files and follow-ups.
//!
//! Must not: decide whether it may be had.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::check::Wrong;
use super::covers::Covers;
use super::file::{Creation, Fate, FileReport, about};
use super::{Finding, FindingKind};
use crate::edit::{ComposeError, Edit, FileEdit, Fragment, arrange};
use crate::language::Language;
use crate::rule::{Answer, ImportRequest, Outcomes, RuleSet, Scope, Seed};

/// What the rules ask of a file.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) edits: Vec<Edit>,
    /// Those of `edits` that are the comments of annotations, by index.
    pub(super) comments: BTreeSet<usize>,
    /// What the edits need of the imports of the file, and the rules that ask.
    pub(super) imports: Vec<(String, ImportRequest)>,
    /// What is asked of whole files: the rule, the match and its place in the text.
    pub(super) files: Vec<Wish>,
    /// Literals in which some edit lies, and the language in them.
    pub(super) literals: BTreeMap<(usize, usize), &'static Language>,
    /// The follow-ups that matches ask for.
    pub(super) seeds: Vec<Planted>,
    /// Where the matches that edit something stand.
    pub(super) places: BTreeMap<(String, u32), (u32, u32)>,
    /// The same, in bytes of the text.
    pub(super) matches: BTreeMap<(String, u32), Range<usize>>,
    /// Whether the edits were checked already, round by round.
    pub(super) worked: bool,
}

/// What a match plants.
pub(super) struct Planted {
    pub(super) seeds: Vec<Seed>,
    /// Its edits, by index.
    pub(super) edits: Range<usize>,
    /// The match, in bytes of the text.
    pub(super) at: Range<usize>,
    /// The match that it is, where that has no edit: rule and number.
    pub(super) of: Option<(String, u32)>,
}

/// What a match asks of a whole file.
pub(super) struct Wish {
    pub(super) rule: String,
    pub(super) at: usize,
    pub(super) place: (u32, u32),
    pub(super) edit: FileEdit,
}

impl Asked {
    pub(super) fn is_nothing(&self) -> bool {
        self.edits.is_empty() && self.imports.is_empty() && self.files.is_empty() && self.seeds.is_empty()
    }

    /// What becomes of the file as a whole, where all rules agree.
    pub(super) fn fate(&self, path: &str) -> Result<Fate, Wrong> {
        let mut decided: Option<&Wish> = None;
        for wish in self.files.iter().filter(|wish| !matches!(wish.edit, FileEdit::Create { .. })) {
            match decided {
                Some(first) if first.edit != wish.edit => return Err(conflict(first, wish)),
                _ => decided = decided.or(Some(wish)),
            }
        }
        let Some(Wish { rule, at, edit, .. }) = decided else { return Ok(Fate::Stays) };
        match edit {
            FileEdit::Rename { to } if to == path => Ok(Fate::Stays),
            FileEdit::Rename { to } => Ok(Fate::Moves { to: to.clone(), rule: rule.clone() }),
            _ => match self.editor() {
                None => Ok(Fate::Goes { rule: rule.clone() }),
                Some(other) => {
                    let why = format!(
                        "`{rule}` deletes this file, and `{other}` changes it: order them, or narrow one of them"
                    );
                    Err(Wrong { at: *at, rule: rule.clone(), why })
                }
            },
        }
    }

    /// The first rule that changes something in the file.
    fn editor(&self) -> Option<&str> {
        let of_imports = || self.imports.first().map(|(rule, _)| rule.as_str());
        self.edits.first().map(|edit| edit.rule.as_str()).or_else(of_imports)
    }

    /// The files that are asked for.
    pub(super) fn creations(&self) -> Vec<Creation> {
        let one = |wish: &Wish| match &wish.edit {
            FileEdit::Create { path, text } => {
                Some(Creation { path: path.clone(), text: text.clone(), rule: wish.rule.clone(), place: wish.place })
            }
            _ => None,
        };
        self.files.iter().filter_map(one).collect()
    }
}

fn conflict(first: &Wish, second: &Wish) -> Wrong {
    let why = format!(
        "`{}` (line {}) {}, and `{}` (line {}) {}: order them, or narrow one of them",
        first.rule, first.place.0, first.edit, second.rule, second.place.0, second.edit
    );
    Wrong { at: second.at, rule: second.rule.clone(), why }
}

/// Splits outcomes into findings and the edits of those that edit.
pub(super) fn sort_out(rules: &RuleSet, path: &str, outcomes: Outcomes, report: &mut FileReport) -> Asked {
    let mut asked = Asked::default();
    let mut notes = Vec::new();
    for outcome in outcomes {
        let rule = &rules.id_of(outcome.origin).to_owned();
        let (kind, message) = match outcome.answer {
            Answer::Edit(more) => {
                if !outcome.seeds.is_empty() {
                    let edits = asked.edits.len()..asked.edits.len() + more.len();
                    asked.seeds.push(Planted { seeds: outcome.seeds, edits, at: outcome.range.clone(), of: None });
                }
                asked.places.extend(more.first().map(|edit| ((rule.clone(), edit.match_id), outcome.place)));
                asked.matches.extend(more.first().map(|edit| ((rule.clone(), edit.match_id), outcome.range.clone())));
                asked.edits.extend(more);
                asked.imports.extend(outcome.imports.into_iter().map(|request| (rule.clone(), request)));
                asked.literals.extend(outcome.literal.map(|(range, language)| ((range.start, range.end), language)));
                let does: Vec<String> = outcome.files.iter().map(ToString::to_string).collect();
                let (at, place) = (outcome.range.start, outcome.place);
                asked.files.extend(outcome.files.into_iter().map(|edit| Wish { rule: rule.clone(), at, place, edit }));
                (FindingKind::Mapped, does.join(", "))
            }
            Answer::Annotate(message, more) => {
                let edits = asked.edits.len()..asked.edits.len() + more.len();
                asked.comments.extend(edits.clone());
                notes.push(Note { finding: report.findings.len(), edits, of: outcome.range.clone() });
                asked.edits.extend(more);
                (FindingKind::Annotated, message)
            }
            Answer::Refuse(reason) => (FindingKind::Refused, reason),
            Answer::Skip(reason) => (FindingKind::Skipped, reason),
            Answer::Fail(reason) => (FindingKind::Errored, reason),
        };
        let finding = about(path, rule, outcome.place, kind, &message);
        report.findings.push(Finding { subject: outcome.subject.map(|subject| Box::new(subject.into())), ..finding });
    }
    asked.leave_out_idle(notes, report);
    asked
}

/// The comment of an annotation.
struct Note {
    /// Which finding says so.
    finding: usize,
    /// Its edits, by index.
    edits: Range<usize>,
    /// The code that it speaks of.
    of: Range<usize>,
}

impl Asked {
    /// Decides overlaps as far as anybody ordered them: of two rules, the one that comes later
    /// looks at the result. Of one rule's matches the inner one is made first, and the outer one looks at
    /// what that wrote; where the outer one takes all of it away, the inner one goes with that code. What is left
    /// is a conflict. Of who comes later nothing is told before it has looked.
    pub(super) fn in_order(&mut self, rules: &RuleSet, text: &str, report: &mut FileReport) {
        // Each turn takes a match away.
        while let Err(ComposeError::Conflict { first, second, at }) = arrange(text, &self.edits) {
            let comes_first = |a: &str, b: &str| {
                rules.rules.iter().any(|rule| rule.id == a && rule.before.iter().any(|other| other == b))
            };
            let inner = self.edits.iter().position(|edit| edit.rule == second && edit.range.start == at);
            let outer = self.edits.iter().position(|edit| {
                edit.rule == first
                    && edit.range.start <= at
                    && at < edit.range.end
                    && Some(edit) != inner.map(|i| &self.edits[i])
            });
            let (Some(inner), Some(outer)) = (inner, outer) else { return };
            let (loser, scope) = if comes_first(&first, &second) {
                (inner, Scope::File)
            } else if comes_first(&second, &first) {
                (outer, Scope::File)
            } else if first == second && self.is_within(inner, outer) {
                if !self.takes_from(outer, inner) {
                    self.leave_out(inner);
                    continue;
                }
                (outer, Scope::Parent)
            } else {
                return;
            };
            let (rule, match_id) = (self.edits[loser].rule.clone(), self.edits[loser].match_id);
            let Some(index) = rules.rules.iter().position(|one| one.id == rule) else { return };
            if rules.rules[index].variants.iter().any(|variant| !variant.hosts.is_empty()) {
                return;
            }
            let seed = Seed { rule: index, scope, given: Arc::default() };
            let found = self.matches.get(&(rule.clone(), match_id)).cloned();
            let at = found.filter(|_| scope == Scope::Parent).unwrap_or(0..text.len());
            self.leave_out(loser);
            let place = self.places.get(&(rule.clone(), match_id));
            let told = |one: &Finding| {
                one.rule == rule && one.kind == FindingKind::Mapped && place == Some(&(one.line, one.column))
            };
            if let Some(at) = report.findings.iter().position(told) {
                report.findings.remove(at);
            }
            self.seeds.push(Planted { seeds: vec![seed], edits: 0..0, at, of: Some((rule, match_id)) });
        }
    }

    /// Whether all edits of a match lie within one edit of another.
    fn is_within(&self, inner: usize, outer: usize) -> bool {
        let (inner, outer) = (&self.edits[inner], &self.edits[outer]);
        let own = |edit: &&Edit| edit.rule == inner.rule && edit.match_id == inner.match_id;
        let within = |edit: &Edit| outer.range.start <= edit.range.start && edit.range.end <= outer.range.end;
        inner.match_id != outer.match_id && self.edits.iter().filter(own).all(within)
    }

    /// Whether an edit copies something of what another one within it replaces.
    fn takes_from(&self, outer: usize, inner: usize) -> bool {
        let within = &self.edits[inner].range;
        self.edits[outer].replacement.iter().any(|part| match part {
            Fragment::Copy(copied) => copied.start < within.end && within.start < copied.end,
            Fragment::Text(_) => false,
        })
    }

    /// Leaves out comments about code that another edit deletes. What is written anew may hold what they speak of.
    fn leave_out_idle(&mut self, notes: Vec<Note>, report: &mut FileReport) {
        let takers =
            (0..self.edits.len()).filter(|at| !self.comments.contains(at) && !self.edits[*at].range.is_empty());
        let takers = Covers::new(takers.map(|at| (self.edits[at].range.clone(), at)));
        let mut idle = BTreeSet::new();
        for note in notes {
            let keeps = |part: &Fragment| match part {
                Fragment::Copy(copied) => copied.start <= note.of.start && note.of.end <= copied.end,
                // What a list or a body needs is no code.
                Fragment::Text(text) => text.len() > 5,
            };
            let mut around = takers.of(&note.of).map(|(_, at)| at);
            let Some(taker) = around.find(|at| !self.edits[*at].replacement.iter().any(keeps)) else { continue };
            let finding = &mut report.findings[note.finding];
            finding.kind = FindingKind::Skipped;
            finding.message = format!("{}: `{}` takes this code away", finding.message, self.edits[taker].rule);
            idle.extend(note.edits);
        }
        if !idle.is_empty() {
            self.keep(|at, _| !idle.contains(&at));
        }
    }

    /// Leaves out the match that an edit is of.
    fn leave_out(&mut self, edit: usize) {
        let (rule, match_id) = (self.edits[edit].rule.clone(), self.edits[edit].match_id);
        self.keep(|_, edit| !(edit.rule == rule && edit.match_id == match_id));
        if !self.edits.iter().any(|edit| edit.rule == rule) {
            self.imports.retain(|(asker, _)| *asker != rule);
        }
    }

    /// Keeps some of the edits.
    fn keep(&mut self, stays: impl Fn(usize, &Edit) -> bool) {
        let kept: Vec<usize> = (0..self.edits.len()).filter(|at| stays(*at, &self.edits[*at])).collect();
        let number: BTreeMap<usize, usize> = kept.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        let before = |at: usize| kept.partition_point(|old| *old < at);
        self.comments = self.comments.iter().filter_map(|at| number.get(at).copied()).collect();
        for one in &mut self.seeds {
            one.edits = before(one.edits.start)..before(one.edits.end);
        }
        self.edits = kept.iter().map(|at| self.edits[*at].clone()).collect();
    }
}
