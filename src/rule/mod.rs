//! Rules as data: what to look for, under which conditions, and what to do.
//!
//! Where a rule asks a closure, it does so through [`Decide`]; which language
//! that closure is written in is not known here. Must not: know Rhai or a stage.

mod arguments;
mod around;
mod breaks;
mod data_lines;
mod decide;
mod deleted_lines;
mod deletion;
pub mod doubt;
mod elements;
mod embedded;
mod engine;
mod exercise;
mod facts;
mod follow;
mod group;
mod hollow;
mod ignore;
mod import_block;
mod import_clash;
mod import_list;
mod import_requests;
mod imports;
mod layout;
mod matcher;
mod moves;
mod note;
mod order;
mod paths;
mod prefilter;
mod reexports;
mod result;
mod runner;
mod set;
mod spoken;
mod symbols;
mod template;
mod unseen;
mod used;
mod uses;

pub use arguments::{Argument, Bound as BoundArguments, Parameter, bind, parts as argument_parts, signature};
pub use around::{Context, Side};
pub use deleted_lines::{comment_behind, is_data, keeps_lines};
pub use deletion::{
    Deletion, MEMBER_DOTS, deletion, deletion_with_value, element_gone, elements_gone, is_body, is_listed, whole_lines,
};
pub use elements::elements;
pub use embedded::{Embedded, embed};
pub use engine::{Answer, Failure, File, Outcome, Outcomes, collect, run};
pub use exercise::Exercise;
pub use facts::{Builds, Facts};
pub use follow::{Bind, FollowUp, Scope, Seed, follow, may_follow};
pub use group::Join;
pub use hollow::{fillings, hollows};
pub use import_requests::{ImportRequest, Unsettled};
pub use imports::settle;
pub use layout::{blocks, ended, run_of, written};
pub use matcher::{Lookup, Matcher, QueryMatcher};
pub use moves::Moves;
pub use order::{Disorder, order};
pub use paths::{Paths, Place};
pub use prefilter::{Clause, Gate, Hits, Prefilter};
pub use set::{Origin, Required, RuleSet};
pub use spoken::Spoken;
pub use symbols::{PathSet, SymbolMatcher};
pub use template::{Filling, Template, TemplateError};
pub use used::UseMatcher;
pub use uses::{DatasetRules, Subject, outcomes_of_text};

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::dependency::{Version, Wanted};
use crate::digest::Digest;
use crate::edit::{FileEdit, Fragment};
use crate::language::{FileLanguages, Language};
use crate::pattern::Givens;
use crate::tree::{Node, NodeId, Tree};

/// One rule, compiled for every language it names.
pub struct Rule {
    /// Unique within a run: `users-v2/table`.
    pub id: String,
    /// All that its answers depend on: rules of one identity answer alike, wherever and in
    /// whatever company they are declared.
    pub identity: Digest,
    /// One line for people.
    pub title: Option<String>,
    /// Whether its change sets wait for a person's approval.
    pub safety: Safety,
    /// The files that it is for.
    pub paths: Paths,
    /// `when(…)`: all must hold.
    pub guards: Vec<Box<dyn Guard>>,
    /// What to do with a match.
    pub action: Action,
    /// What every edit needs of the imports of its file.
    pub imports: Vec<ImportRequest>,
    /// What to do where the file alone can't tell whether it is one.
    pub if_unknown: IfUnknown,
    /// What becomes of the comments that its edits take.
    pub comments: Comments,
    /// Names of locals that what it writes may mean.
    pub locals: Vec<String>,
    /// The rules that come after it where both want the same code.
    pub before: Vec<String>,
    /// What a workspace must depend on for it to be meant.
    pub requires: Vec<Wanted>,
    /// What a workspace in which it made an edit is to depend on.
    pub sets: Vec<SetDependency>,
    /// What goes on where it made an edit.
    pub follow_ups: Vec<FollowUp>,
    /// Of a follow-up, the names that it takes from its seed: it never starts alone.
    pub takes: Option<Vec<String>>,
    /// One for each language.
    pub variants: Vec<Variant>,
    /// Code before and after; equal where it must stay unchanged.
    pub examples: Vec<Example>,
    /// The file that declares it and the line, for diagnostics.
    pub place: String,
}

/// `set_dependency(name, version)`: a change of code, and of what it is built with, in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetDependency {
    /// As builds name it.
    pub name: String,
    /// The version to set; a build that has a later one keeps it.
    pub version: Version,
}

/// Whether a rule's edits may go out without a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Safety {
    /// They may.
    #[default]
    Safe,
    /// Only after approval.
    Review,
}

/// What a rule does with code that may be what it looks for: what a wildcard import
/// brings, a value whose type is not declared, a literal with an odd escape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfUnknown {
    /// Leaves it, and says so in the ledger.
    #[default]
    Skip,
    /// Leaves it, with a comment for a person.
    Annotate,
    /// Keeps the consumer out of the rollout.
    Refuse,
    /// Takes it for what it looks for.
    Match,
}

/// `example(before, after)` of a rule.
#[derive(Clone, Debug)]
pub struct Example {
    /// The code.
    pub before: String,
    /// What must come of it.
    pub after: After,
    /// Where the rule states it: line and column from 1.
    pub at: (u32, u32),
}

/// What must come of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// This code, in the same file.
    Text(String),
    /// These files, by path, and no other.
    Files(BTreeMap<String, String>),
}

impl std::fmt::Display for After {
    /// For people, and to compare: several files begin with a line that names each.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Files(files) if files.is_empty() => f.write_str("(no file)\n"),
            Self::Files(files) => files.iter().try_for_each(|(path, text)| write!(f, "==> {path} <==\n{text}")),
        }
    }
}

/// A rule in one language.
pub struct Variant {
    /// The language of the code that is matched.
    pub language: &'static Language,
    /// What is looked for.
    pub find: Matcher,
    /// What its holes must be.
    pub conditions: Vec<(String, Matcher)>,
    /// What must hold around and below it.
    pub context: Vec<Context>,
    /// Texts that the file must contain.
    pub file_has: Vec<String>,
    /// Where the language is embedded in others. Empty where whole files are meant.
    pub hosts: Vec<Host>,
}

impl Variant {
    /// Whether it asks for uses of datasets, anywhere.
    pub(crate) fn asks_for_uses(&self) -> bool {
        let around = self.context.iter().any(Context::asks_for_uses);
        around || self.find.asks_for_uses() || self.conditions.iter().any(|(_, matcher)| matcher.asks_for_uses())
    }
}

/// Where code of another language is to be found in a file.
pub struct Host {
    /// The language of the file.
    pub language: &'static Language,
    /// What is looked for. Its only hole is the literal; without a hole, the
    /// matched node is.
    pub matcher: Matcher,
}

/// What a rule does with a match.
pub enum Action {
    /// Replaces it.
    Replace(Template),
    /// Deletes it, with its lines where nothing else is on them.
    Delete,
    /// Lets imports and uses of names follow them to where they moved.
    Move(Moves),
    /// Leaves it, with a comment.
    Annotate(String),
    /// Keeps the consumer out of the rollout.
    Refuse(String),
    /// Asks.
    Ask(Box<dyn Decide>),
    /// Asks about many matches at once.
    Join(Box<dyn Join>),
    /// Changes nothing, but learns facts of this name for the edits of other rules.
    Collect(String, Box<dyn Learn>),
}

/// A closure of a rule.
pub trait Decide: Send + Sync {
    /// What to do with a match, given what is known of the workspace, and of what
    /// languages its files are. Pure: the same gives the same answer.
    ///
    /// # Errors
    /// The rule failed: its place and why.
    fn decide(&self, found: &Match, facts: &Arc<Facts>, languages: &FileLanguages) -> Result<Decision, String>;
}

/// A closure that collects.
pub trait Learn: Send + Sync {
    /// What a match tells. Pure.
    ///
    /// # Errors
    /// The rule failed: its place and why.
    fn learn(&self, found: &Match) -> Result<Vec<String>, String>;
}

/// A condition that a rule states as a closure.
pub trait Guard: Send + Sync {
    /// Whether a match is meant, given what is known of the workspace: nothing while facts are collected. Pure.
    ///
    /// # Errors
    /// The rule failed: its place and why.
    fn holds(&self, found: &Match, facts: Option<&Arc<Facts>>) -> Result<bool, String>;
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Replace these ranges of the file, all or none.
    Edits(Vec<Replacement>),
    /// Leave it, with a comment.
    Annotate(String),
    /// Keep the consumer out of the rollout.
    Refuse(String),
    /// It is not meant; why.
    Skip(String),
}

/// A range of the file and what comes in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Replacement {
    /// Bytes of the file.
    pub range: Range<usize>,
    /// Empty to delete.
    pub fragments: Vec<Fragment>,
    /// What it needs of the imports of the file. Without any code it asks for nothing else.
    pub imports: Vec<ImportRequest>,
    /// What it asks of a whole file, and then of nothing else.
    pub file: Option<FileEdit>,
    /// A byte on the line whose indentation the new lines get; of the range where `None`.
    pub indent_at: Option<usize>,
    /// What becomes of the comments that it takes; what its rule says where `None`.
    pub comments: Option<Comments>,
}

impl Replacement {
    /// Of a range by these fragments, and no more.
    pub fn new(range: Range<usize>, fragments: Vec<Fragment>) -> Self {
        Self { range, fragments, imports: Vec::new(), file: None, indent_at: None, comments: None }
    }
}

/// What becomes of comments in code that is replaced and not copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comments {
    /// The edit is refused, unless it deletes the code.
    #[default]
    Guard,
    /// They go.
    Drop,
    /// They go above the statement.
    Move,
    /// They are in code that is deleted, and go unless the rule says otherwise.
    Deleted,
}

/// A match that may outlive the traversal that found it.
#[derive(Clone, Debug)]
pub struct Match {
    /// The tree.
    pub tree: Arc<Tree>,
    /// The matched node.
    pub node: NodeId,
    /// The path of its file, relative to the workspace, with `/`.
    pub path: Arc<str>,
    /// What the holes stand for.
    pub bindings: BTreeMap<String, Bound>,
    /// Of a follow-up, what its seed gives it.
    pub given: Option<Arc<Givens>>,
}

/// What a hole stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// `$X`.
    One(NodeId),
    /// `$$$X`, separators included.
    Many(Vec<NodeId>),
}

impl Match {
    /// Whether a hole stands for something within a range of the tree's text: a rule can speak of it.
    pub fn names_within(&self, range: &std::ops::Range<usize>) -> bool {
        let bound = self.bindings.values().flat_map(|bound| match bound {
            Bound::One(id) => std::slice::from_ref(id),
            Bound::Many(ids) => ids.as_slice(),
        });
        bound.map(|id| self.tree.node(*id).local_range()).any(|own| range.start <= own.start && own.end <= range.end)
    }

    /// The matched node.
    pub fn node(&self) -> Node<'_> {
        self.tree.node(self.node)
    }

    /// Bytes of the file that a replacement of the match takes: without a `;` that
    /// ends the node, where the new code brings none.
    pub fn replaced_by(&self, fragments: &[Fragment]) -> Range<usize> {
        let node = self.node();
        let range = node.range();
        let language = node.tree().language;
        let Some(last) = node.children().filter(|c| !c.is_extra()).last() else { return range };
        let ends = !last.is_named() && language.is_separator(last.kind()) && !last.text().trim().is_empty();
        if !ends || fragments.is_empty() {
            return range;
        }
        let new = layout::plain(&self.tree, fragments);
        let brought = new.trim_end().ends_with(last.text()) || layout::ends_by_itself(language, &new, last.text());
        if brought { range } else { range.start..last.range().start }
    }

    /// The replacement with the line breaks of the match, where both write the same.
    pub fn with_breaks(&self, fragments: Vec<Fragment>) -> Vec<Fragment> {
        breaks::with_breaks(self.node(), fragments)
    }

    /// Bytes of the file that a hole stands for; `None` for an empty run or no such hole.
    pub fn range_of(&self, name: &str) -> Option<Range<usize>> {
        match self.bindings.get(name)? {
            Bound::One(id) => Some(self.tree.node(*id).range()),
            Bound::Many(ids) => {
                let (first, last) = (ids.first()?, ids.last()?);
                Some(run_of(self.tree.node(*first), self.tree.node(*last)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
