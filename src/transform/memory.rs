//! What is remembered of contents and of what came of them, so that a run reads only the
//! files whose rules are others than before.
//!
//! An answer is known again where the file is the same, and the rules that can match in it
//! are: which those are, its summary tells. What is written is looked at by all rules once
//! more, so that of a changed file the rules that can match in the result count, too.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::file::{Change, Fate, FileReport};
use super::fleet::{Digests, Request};
use super::plan::{Finding, FindingKind, SkipReason, TouchedComment};
use crate::digest::{Digest, DigestBuilder};
use crate::edit::{Edit, Splice};
use crate::index::{Answers, Index, Key, Query, program, summary_of};
use crate::language;
use crate::rule::{Origin, RuleSet};
use crate::workspace::Manifest;

/// What is remembered, and what the rules ask of each language.
pub(super) struct Memory<'a> {
    rules: &'a RuleSet,
    index: Option<&'a Index>,
    /// Besides, the digest of what every answer depends on.
    answers: Option<(&'a Answers, Digest)>,
    asked: BTreeMap<&'static str, Asked>,
}

/// What the rules ask of the files of a language; for each part of the query what asks.
struct Asked {
    query: Query,
    origins: Vec<Origin>,
}

/// What is known of a file before it is read.
pub(super) enum Known {
    /// No rule can match in it.
    RuledOut,
    /// This comes of it.
    Answer(Option<Digests>, Box<FileReport>),
    /// Nothing.
    Nothing,
}

impl<'a> Memory<'a> {
    pub(super) fn new(request: &Request<'a>) -> Self {
        let rules = request.rules;
        let asked = |l: &'static language::Language| {
            let query = Query::new(rules.asking(l).map(|(_, clauses)| clauses));
            (l.facts.name.as_str(), Asked { query, origins: rules.asking(l).map(|(origin, _)| origin).collect() })
        };
        // What rules collect in one file, or what a build declares, decides what becomes of others.
        let answers = request.answers.filter(|_| !rules.collects() && !rules.asks_builds() && rules.exercise.is_none());
        let scope = |program: Key| {
            let digest = DigestBuilder::new("gander.answers").field(program.as_bytes()).field(language::versions());
            digest.field(rules.guide.as_deref().unwrap_or("")).field(rules.languages.said()).finish()
        };
        Self {
            rules,
            index: request.index,
            answers: answers.and_then(|answers| Some((answers, scope(program()?)))),
            asked: language::all().iter().filter(|_| request.index.is_some()).map(asked).collect(),
        }
    }

    /// What is known of a file, told from its name and from that of its content.
    pub(super) fn look(&self, manifest: &Manifest, path: &str) -> Known {
        let Some(index) = self.index else { return Known::Nothing };
        let (Some(entry), Some(asked)) = (manifest.entries.get(path), self.asked(path)) else { return Known::Nothing };
        // What follows from edits of other files, no rule's own clauses tell.
        if self.rules.spreads() {
            return Known::Nothing;
        }
        let Some(numbers) = index.matching(&Key::of_blob(&entry.blob), &asked.query) else { return Known::Nothing };
        let rules = self.meant(asked, path, numbers);
        if rules.is_empty() {
            return Known::RuledOut;
        }
        self.recall(asked, path, &entry.blob, &rules)
            .map_or(Known::Nothing, |(digests, report)| Known::Answer(digests, Box::new(report)))
    }

    /// The same for a file that was read: its summary may not have been known.
    pub(super) fn look_into(
        &self,
        manifest: &Manifest,
        path: &str,
        bytes: &[u8],
    ) -> Option<(Option<Digests>, FileReport)> {
        self.answers.filter(|(answers, _)| !answers.is_empty())?;
        let (entry, asked) = (manifest.entries.get(path)?, self.asked(path)?);
        let rules = self.meant(asked, path, asked.query.matching_summary(&summary_of(bytes)));
        self.recall(asked, path, &entry.blob, &rules)
    }

    /// Remembers a file that was read, and what came of it.
    pub(super) fn learn(
        &self,
        manifest: &Manifest,
        path: &str,
        bytes: &[u8],
        digests: Option<&Digests>,
        report: &FileReport,
    ) {
        if self.index.is_none() && self.answers.is_none() {
            return;
        }
        let (Some(entry), Some(language)) = (manifest.entries.get(path), self.rules.language_of(path)) else { return };
        if let Some(index) = self.index {
            index.learn(Key::of_blob(&entry.blob), language, bytes);
        }
        let (Some((answers, _)), Some(asked)) = (self.answers, self.asked(path)) else { return };
        let rules = || self.meant(asked, path, asked.query.matching_summary(&summary_of(bytes)));
        let written = |summary: &[u8]| self.meant_in_result(asked, path, summary);
        if let Some(kept) = Kept::of(report, digests, written).and_then(|kept| serde_json::to_vec(&kept).ok()) {
            answers.learn(self.name(path, &entry.blob, &rules()), kept);
        }
    }

    fn asked(&self, path: &str) -> Option<&Asked> {
        self.asked.get(self.rules.language_of(path)?.facts.name.as_str())
    }

    /// The rules of these parts of the query that are for this file.
    fn meant(&self, asked: &Asked, path: &str, numbers: Vec<usize>) -> Vec<Origin> {
        let origins = numbers.into_iter().map(|number| asked.origins[number]);
        origins.filter(|origin| self.rules.is_meant(*origin, path)).collect()
    }

    /// The identity of the rules that can match in what is written.
    fn meant_in_result(&self, asked: &Asked, path: &str, summary: &[u8]) -> Digest {
        self.identity(&self.meant(asked, path, asked.query.matching_summary(summary)))
    }

    fn identity(&self, origins: &[Origin]) -> Digest {
        let each = origins.iter().map(|origin| self.rules.identity_of(*origin));
        each.fold(DigestBuilder::new("gander.rules"), |digest, rule| digest.field(rule.as_bytes())).finish()
    }

    fn name(&self, path: &str, blob: &str, rules: &[Origin]) -> Digest {
        let scope = self.answers.map(|(_, scope)| *scope.as_bytes()).unwrap_or_default();
        let digest = DigestBuilder::new("gander.answer").field(scope).field(path).field(blob);
        digest.field(self.identity(rules).as_bytes()).finish()
    }

    fn recall(&self, asked: &Asked, path: &str, blob: &str, rules: &[Origin]) -> Option<(Option<Digests>, FileReport)> {
        let (answers, _) = self.answers?;
        let kept: Kept = serde_json::from_slice(answers.find(&self.name(path, blob, rules))?).ok()?;
        let (mut digests, mut report) =
            (None, FileReport { skipped: kept.skipped, parsed: kept.parsed, ..Default::default() });
        if let Some(Written { before, after, edits, splices, comments, summary, rules }) = kept.written {
            let summary = BASE64.decode(summary).ok()?;
            if self.meant_in_result(asked, path, &summary) != rules {
                return None;
            }
            digests = Some(Digests { before, after });
            report.change = Some(Change { edits, splices, comments, bytes: Vec::new() });
        }
        report.findings = kept.findings;
        report.comments = kept.comments;
        Some((digests, report))
    }
}

/// What came of a file.
#[derive(Serialize, Deserialize)]
struct Kept {
    skipped: Option<SkipReason>,
    parsed: bool,
    findings: Vec<Finding>,
    comments: Vec<TouchedComment>,
    written: Option<Written>,
}

/// How it changes.
#[derive(Serialize, Deserialize)]
struct Written {
    before: Digest,
    after: Digest,
    edits: Vec<Edit>,
    splices: Vec<Splice>,
    comments: usize,
    /// Of the new text, in base 64.
    summary: String,
    /// The identity of the rules that can match in it.
    rules: Digest,
}

impl Kept {
    /// `None` for what is not remembered: refusals, which may rest on a result that nobody
    /// kept, and whatever asks for whole files, which others decide on.
    fn of(report: &FileReport, digests: Option<&Digests>, rules: impl Fn(&[u8]) -> Digest) -> Option<Self> {
        let forbids = |f: &Finding| matches!(f.kind, FindingKind::Refused | FindingKind::Errored);
        let nothing = report.skipped == Some(SkipReason::NoLiteral);
        if nothing || report.fate != Fate::Stays || !report.creations.is_empty() || report.findings.iter().any(forbids)
        {
            return None;
        }
        let written = match &report.change {
            None => None,
            Some(change) => {
                let (Digests { before, after }, summary) = (*digests?, summary_of(&change.bytes));
                let (edits, splices) = (change.edits.clone(), change.splices.clone());
                let (rules, summary) = (rules(&summary), BASE64.encode(&summary));
                Some(Written { before, after, edits, splices, comments: change.comments, summary, rules })
            }
        };
        let (findings, comments) = (report.findings.clone(), report.comments.clone());
        Some(Self { skipped: report.skipped, parsed: report.parsed, findings, comments, written })
    }
}
