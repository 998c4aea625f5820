//! Closures of rules, called with a match: frozen, budgeted, and held to their answer.

use std::sync::Arc;

use rhai::{AST, Dynamic, Engine, EvalAltResult, FnPtr, Position};

use super::budget::refill;
use super::code::{EditSpec, Snippet, to_replacement};
use super::explain::{place_in, placed, plain};

use super::nodes::{Cx, RhaiMatch};
use super::survey::Survey;
use crate::language::FileLanguages;
use crate::rule::{Decide, Decision, Facts, Guard, Learn, Match, Replacement, blocks};

/// What a closure's answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `rewrite`: code for the match, or a verdict.
    Rewrite,
    /// `edit`: edits, or a verdict.
    Edit,
    /// `when`: true or false.
    When,
    /// `collect`: a text, or several.
    Collect,
    /// `then`: what a follow-up takes.
    Bind,
    /// `group_by` and `edit_group`.
    Join,
}

/// A closure with the values that what it captured has now: Rhai would share the variables, so that each turn of a
/// loop writes what the closures of all earlier turns see.
pub(super) fn frozen(mut function: FnPtr) -> FnPtr {
    for value in function.iter_curry_mut() {
        *value = match value.flatten_clone().try_cast::<FnPtr>() {
            Some(inner) => Dynamic::from(frozen(inner)),
            None => value.flatten_clone(),
        };
    }
    function
}

pub(super) struct Closure {
    engine: Arc<Engine>,
    ast: Arc<AST>,
    function: FnPtr,
    /// How many arguments it takes besides what it captured.
    arity: usize,
    kind: Kind,
    /// What the rule knows of the whole file.
    survey: Option<Arc<Survey>>,
    file: String,
    /// Where the rule hands it over: the place of errors that have none of their own.
    at: Position,
}

impl Closure {
    /// Freezes what `function` captured: every call starts from the same values.
    pub(super) fn new(
        engine: &Arc<Engine>,
        ast: &Arc<AST>,
        function: &FnPtr,
        kind: Kind,
        survey: Option<&Arc<Survey>>,
        place: (&str, Position),
    ) -> Self {
        let function = frozen(function.clone());
        let params = ast.iter_functions().find(|f| f.name == function.fn_name()).map_or(2, |f| f.params.len());
        let arity = params.saturating_sub(function.curry().len());
        Self {
            engine: Arc::clone(engine),
            ast: Arc::clone(ast),
            function,
            arity,
            kind,
            survey: survey.map(Arc::clone),
            file: place.0.to_owned(),
            at: place.1,
        }
    }

    pub(super) fn call(&self, found: &Match, facts: Option<&Arc<Facts>>) -> Result<Dynamic, String> {
        self.call_with(found, facts, vec![Dynamic::from(RhaiMatch(Arc::new(found.clone())))])
    }

    /// With these arguments before the context, which is that of `found`.
    pub(super) fn call_with(
        &self,
        found: &Match,
        facts: Option<&Arc<Facts>>,
        before: Vec<Dynamic>,
    ) -> Result<Dynamic, String> {
        refill();
        let cx = Cx {
            language: found.tree.language.facts.name.clone(),
            facts: facts.map(Arc::clone),
            tree: Arc::clone(&found.tree),
            path: Arc::clone(&found.path),
            survey: self.survey.clone(),
            given: found.given.clone(),
        };
        let mut given = before;
        given.extend([Dynamic::from(cx)]);
        given.truncate(self.arity);
        let result = self.function.call::<Dynamic>(&self.engine, &self.ast, given);
        result.map_err(|error: Box<EvalAltResult>| placed(&error, &self.file, self.at))
    }

    fn place(&self, at: Position) -> String {
        place_in(&self.file, at)
    }

    /// Where the rule hands it over.
    pub(super) fn place_of(&self) -> String {
        self.place(self.at)
    }

    /// An edit as the rule's answer.
    pub(super) fn written(
        &self,
        edit: &EditSpec,
        found: &Match,
        languages: &FileLanguages,
    ) -> Result<Replacement, String> {
        to_replacement(edit, &found.tree, languages).map_err(|why| format!("{}: {why}", self.place(self.at)))
    }

    pub(super) fn wrong(&self, expected: &str, got: &Dynamic) -> String {
        let got = plain(got.type_name());
        format!(
            "{}: the closure gave {got}; it must give {expected}, annotate(…), refuse(…) or skip(…)",
            self.place(self.at)
        )
    }
}

impl Decide for Closure {
    fn decide(&self, found: &Match, facts: &Arc<Facts>, languages: &FileLanguages) -> Result<Decision, String> {
        let answer = self.call(found, Some(facts))?;
        if let Some(decision) = answer.read_lock::<Decision>() {
            return Ok(decision.clone());
        }
        if self.kind == Kind::Rewrite {
            return match answer.read_lock::<Snippet>() {
                Some(code) => {
                    let edit = EditSpec::replace(found.node().range(), code.clone());
                    let mut replacement = self.written(&edit, found, languages)?;
                    replacement.fragments = found.with_breaks(blocks(found.node(), replacement.fragments));
                    // What speaks of a member may take the place of its object, too.
                    if replacement.range == found.node().range() {
                        replacement.range = found.replaced_by(&replacement.fragments);
                    }
                    Ok(Decision::Edits(vec![replacement]))
                }
                None => Err(self.wrong("code(…)", &answer)),
            };
        }
        match answer.read_lock::<Vec<EditSpec>>() {
            Some(edits) => {
                let written = edits.iter().map(|edit| self.written(edit, found, languages));
                Ok(Decision::Edits(written.collect::<Result<_, _>>()?))
            }
            None => Err(self.wrong("edits([…])", &answer)),
        }
    }
}

impl Guard for Closure {
    fn holds(&self, found: &Match, facts: Option<&Arc<Facts>>) -> Result<bool, String> {
        let answer = self.call(found, facts)?;
        answer
            .as_bool()
            .map_err(|kind| format!("{}: when(…) must give true or false, not {}", self.place(self.at), plain(kind)))
    }
}

impl Learn for Closure {
    fn learn(&self, found: &Match) -> Result<Vec<String>, String> {
        let answer = self.call(found, None)?;
        let text = |value: &Dynamic| value.clone().into_immutable_string().map(|t| t.to_string());
        let values = match answer.read_lock::<rhai::Array>() {
            Some(array) => array.iter().map(text).collect::<Result<Vec<_>, _>>(),
            None => text(&answer).map(|one| vec![one]),
        };
        values.map_err(|kind| {
            format!("{}: collect(…) must give text or a list of texts, not {}", self.place(self.at), plain(kind))
        })
    }
}
