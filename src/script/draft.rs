//! A rule as its file declares it, before anything of it is compiled, and all of it that
//! its answers depend on.
//!
//! Must not: compile, or run a closure.

use rhai::{FnPtr, Position};

use super::closure::Kind;
use super::code::ImportEdit;
use super::finder::{Near, Spec};
use super::follow::Followed;
use super::identity::Said;
use crate::dependency::Wanted;
use crate::rule::{Comments, Example, IfUnknown, Safety, SetDependency};

/// A rule as declared.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) at: Position,
    pub(super) title: Option<String>,
    pub(super) safety: Safety,
    pub(super) languages: Vec<String>,
    pub(super) paths: Vec<(String, Position)>,
    pub(super) find: Option<(Spec, Position)>,
    pub(super) conditions: Vec<(String, Spec, Position)>,
    pub(super) context: Vec<(Near, Position)>,
    pub(super) file_has: Vec<String>,
    pub(super) hosts: Vec<(String, Spec, Position)>,
    pub(super) survey: Option<(FnPtr, Position)>,
    pub(super) guards: Vec<(FnPtr, Position)>,
    pub(super) group_by: Option<(FnPtr, Position)>,
    pub(super) actions: Vec<(Then, Position)>,
    pub(super) examples: Vec<Example>,
    pub(super) if_unknown: IfUnknown,
    pub(super) imports: Vec<ImportEdit>,
    pub(super) comments: Comments,
    /// Names of locals that what it writes may mean.
    pub(super) locals: Vec<String>,
    pub(super) follow_ups: Vec<Followed>,
    /// The rules that come after it where both want the same code.
    pub(super) order: Vec<(String, Position)>,
    pub(super) requires: Vec<Wanted>,
    pub(super) sets: Vec<SetDependency>,
    /// Of a follow-up, the names that it takes.
    pub(super) takes: Option<Vec<String>>,
    /// An error ended its declaration: what is missing may have been to come.
    pub(super) cut_short: bool,
}

impl Draft {
    pub(super) fn new(id: &str, at: Position, takes: Option<Vec<String>>) -> Self {
        Self {
            id: id.to_owned(),
            at,
            title: None,
            safety: Safety::Safe,
            languages: Vec::new(),
            paths: Vec::new(),
            find: None,
            conditions: Vec::new(),
            context: Vec::new(),
            file_has: Vec::new(),
            hosts: Vec::new(),
            survey: None,
            guards: Vec::new(),
            group_by: None,
            order: Vec::new(),
            actions: Vec::new(),
            examples: Vec::new(),
            if_unknown: IfUnknown::default(),
            imports: Vec::new(),
            comments: Comments::default(),
            locals: Vec::new(),
            follow_ups: Vec::new(),
            requires: Vec::new(),
            sets: Vec::new(),
            takes,
            cut_short: false,
        }
    }

    /// Where it is declared.
    pub(super) fn at(&self) -> Position {
        self.at
    }

    /// All that its answers depend on: a field that is new is told here, or named among
    /// those that no answer depends on.
    pub(super) fn tell(&self, said: &mut Said) {
        let Self {
            id,
            languages,
            paths,
            find,
            conditions,
            context,
            file_has,
            hosts,
            survey,
            guards,
            group_by,
            order,
            actions,
            if_unknown,
            imports,
            comments,
            locals,
            follow_ups,
            requires,
            sets,
            takes,
            at: _,
            title: _,
            safety: _,
            examples: _,
            cut_short: _,
        } = self;
        said.value("id", id);
        said.value("languages", languages);
        said.value("paths", &paths.iter().map(|(glob, _)| glob).collect::<Vec<_>>());
        said.value("find", &find.as_ref().map(|(spec, _)| spec));
        said.value("where", &conditions.iter().map(|(name, spec, _)| (name, spec)).collect::<Vec<_>>());
        said.value("context", &context.iter().map(|(near, _)| near).collect::<Vec<_>>());
        said.value("file_has", file_has);
        said.value("hosts", &hosts.iter().map(|(name, spec, _)| (name, spec)).collect::<Vec<_>>());
        said.value("if_unknown", if_unknown);
        said.value("imports", imports);
        said.value("comments", comments);
        if !locals.is_empty() {
            said.value("locals", locals);
        }
        said.value("takes", takes);
        if !requires.is_empty() || !sets.is_empty() {
            said.value("dependencies", &(requires, sets));
        }
        said.value("then", &follow_ups.iter().map(|one| (&one.rules, one.scope)).collect::<Vec<_>>());
        follow_ups.iter().filter_map(|one| one.bind.as_ref()).for_each(|closure| said.closure("bind", closure));
        survey.iter().for_each(|(closure, _)| said.closure("survey", closure));
        guards.iter().for_each(|(closure, _)| said.closure("when", closure));
        group_by.iter().for_each(|(closure, _)| said.closure("group_by", closure));
        said.value("order", &order.iter().map(|(id, _)| id).collect::<Vec<_>>());
        actions.iter().for_each(|(then, _)| said.then(then));
    }

    /// Says that an error ended its declaration.
    pub(super) fn cut_short(&mut self) {
        self.cut_short = true;
    }
}

/// What is done with a match.
#[derive(Clone)]
pub(super) enum Then {
    Replace(String),
    Delete,
    Annotate(String),
    Refuse(String),
    Move(Vec<(String, String)>),
    Ask(FnPtr, Kind),
    Join(FnPtr),
    Collect(String, FnPtr),
}
