//! A declared rule becomes one that runs: patterns are compiled for each of its languages, closures
//! checked, and all that is wrong is said at once.
//!
//! Must not: run a rule.

use std::sync::Arc;

use rhai::{AST, Engine, FnPtr, Position};

use super::closure::{Closure, Kind};
use super::code::{ImportEdit, UNPAIRED};
use super::draft::{Draft, Then};
use super::error::ScriptError;
use super::finder::Spec;
use super::group::Grouped;
use super::identity::Parts;
use super::survey::Survey;
use super::{Source, purity};
use crate::language::{self, Language, unpaired};
use crate::rule::{
    Action, Bind, Decide, FollowUp, Guard, Host, ImportRequest, Matcher, Moves, Paths, Rule, Scope, Template, Variant,
};
/// What most closures are given.
const MATCH: &[&str] = &["m", "cx"];

/// What a rule needs of imports, told by its first language: paths are parted alike in
/// all languages that one rule can name.
fn imports(asked: &[ImportEdit], variants: &[Variant]) -> Vec<ImportRequest> {
    let Some(first) = variants.first() else { return Vec::new() };
    asked.iter().map(|edit| edit.request(first.language)).collect()
}

/// Compiles a declared rule, or names everything that is wrong with it.
pub(super) fn finish(
    draft: Draft,
    source: &Source,
    parts: &Parts<'_>,
    (engine, wide): (&Arc<Engine>, &Arc<Engine>),
    ast: &Arc<AST>,
) -> Result<Rule, Vec<ScriptError>> {
    let mut finisher = Finisher { source, errors: Vec::new(), id: draft.id.clone() };
    let variants = finisher.variants(&draft);
    let paths = finisher.paths(&draft);
    let survey = draft.survey.as_ref().map(|(closure, at)| {
        finisher.pure(ast, closure, *at, &["root"]);
        Arc::new(Survey::new(wide, ast, closure, (&source.name, *at)))
    });
    let guards: Vec<Box<dyn Guard>> = draft
        .guards
        .iter()
        .map(|(closure, at)| -> Box<dyn Guard> {
            finisher.pure(ast, closure, *at, MATCH);
            Box::new(Closure::new(engine, ast, closure, Kind::When, survey.as_ref(), (&source.name, *at)))
        })
        .collect();
    let imports = imports(&draft.imports, &variants);
    let action = finisher.action(&draft, &variants, (engine, ast), survey.as_ref());
    let follow_ups = finisher.follow_ups(&draft, (engine, ast), survey.as_ref());
    finisher.dependencies(&draft);
    match action {
        Some(action) if finisher.errors.is_empty() => Ok(Rule {
            identity: parts.identity(&draft),
            place: format!("{}:{}", source.name, draft.at.line().unwrap_or(0)),
            id: draft.id,
            title: draft.title,
            safety: draft.safety,
            paths,
            guards,
            action,
            variants,
            examples: draft.examples,
            if_unknown: draft.if_unknown,
            imports,
            comments: draft.comments,
            locals: draft.locals,
            before: draft.order.into_iter().map(|(id, _)| id).collect(),
            requires: draft.requires,
            sets: draft.sets,
            follow_ups,
            takes: draft.takes,
        }),
        _ => Err(finisher.errors),
    }
}

struct Finisher<'s> {
    source: &'s Source,
    errors: Vec<ScriptError>,
    id: String,
}

impl Finisher<'_> {
    fn error(&mut self, at: Position, message: &str, hint: &str) {
        let error = ScriptError::in_source(self.source, at, &format!("rule `{}`: {message}", self.id));
        self.errors.push(if hint.is_empty() { error } else { error.hint(hint) });
    }

    fn paths(&mut self, draft: &Draft) -> Paths {
        let globs: Vec<String> = draft.paths.iter().map(|(glob, _)| glob.clone()).collect();
        for (glob, at) in &draft.paths {
            if let Err(why) = Paths::new(std::slice::from_ref(glob)) {
                let hint = "write globs relative to the workspace, such as \"models/**/*.sql\"";
                self.error(*at, &format!("paths(…): {why}"), hint);
            }
        }
        Paths::new(&globs).unwrap_or_default()
    }

    fn variants(&mut self, draft: &Draft) -> Vec<Variant> {
        if draft.languages.is_empty() && !draft.cut_short {
            self.error(draft.at, "it names no language", "add .lang(\"python\"), or several: .lang([\"ts\", \"tsx\"])");
        }
        if draft.find.is_none() && !draft.cut_short {
            self.error(draft.at, "it looks for nothing", "add .find(\"…\") with a pattern of the code that is meant");
        }
        let mut variants = Vec::new();
        for name in &draft.languages {
            let Some(language) = language::by_name(name) else {
                self.error(draft.at, &format!("there is no language `{name}`"), &language::meant(name));
                continue;
            };
            variants.extend(self.variant(draft, language));
        }
        variants
    }

    fn variant(&mut self, draft: &Draft, language: &'static Language) -> Option<Variant> {
        let (spec, at) = draft.find.as_ref()?;
        let find = self.compile(spec, language, *at)?.sought();
        let (always, sometimes) = find.holes();
        self.takes(draft, spec, *at);
        let mut conditions = Vec::new();
        for (name, spec, at) in &draft.conditions {
            if !always.contains(name) && !sometimes.contains(name) {
                let bound: Vec<&str> = always.iter().map(String::as_str).collect();
                let hint = format!("the pattern binds: {}", bound.join(", "));
                self.error(*at, &format!("where(…) speaks of `{name}`, which nothing binds"), &hint);
            } else if !always.contains(name) {
                let what =
                    format!("where(…) asks about `{name}`, which only some of any(…) bind: the others never match");
                let hint = "write all([\"…\", …]) within any([…]), ask in .when(|m| …), or make two rules of it";
                self.error(*at, &what, hint);
            } else if let Some(matcher) = self.compile(spec, language, *at) {
                conditions.push((name.clone(), matcher));
            }
        }
        let mut context = Vec::new();
        for (near, at) in &draft.context {
            match near.compile(language) {
                Ok(one) => context.push(one),
                Err(why) => {
                    self.error(*at, &why, "");
                    return None;
                }
            }
        }
        let hosts = draft.hosts.iter().filter_map(|(name, pattern, at)| self.host(name, pattern, *at)).collect();
        Some(Variant { language, find, conditions, context, file_has: draft.file_has.clone(), hosts })
    }

    fn compile(&mut self, spec: &Spec, language: &'static Language, at: Position) -> Option<Matcher> {
        match spec.compile(language) {
            Ok(matcher) => Some(matcher),
            Err(why) => {
                self.error(at, &why, "");
                None
            }
        }
    }

    fn host(&mut self, name: &str, spec: &Spec, at: Position) -> Option<Host> {
        let Some(language) = language::by_name(name) else {
            self.error(at, &format!("there is no language `{name}`"), &language::meant(name));
            return None;
        };
        let matcher = self.compile(spec, language, at)?;
        let (always, sometimes) = matcher.holes();
        if always.len() + sometimes.len() > 1 {
            let hint = "name the literal and nothing else: in_host(\"python\", \"spark.sql($SQL, $$$)\")";
            self.error(at, "in_host(…) takes a pattern with one named hole, or a matcher of the literal itself", hint);
            return None;
        }
        Some(Host { language, matcher })
    }

    fn action(
        &mut self,
        draft: &Draft,
        variants: &[Variant],
        (engine, ast): (&Arc<Engine>, &Arc<AST>),
        survey: Option<&Arc<Survey>>,
    ) -> Option<Action> {
        let [(then, at)] = draft.actions.as_slice() else {
            if draft.actions.is_empty() && draft.cut_short {
                return None;
            }
            let what =
                if draft.actions.is_empty() { "it does nothing with a match" } else { "it does more than one thing" };
            let hint = "end it with exactly one of .replace, .rewrite, .edit, .delete, .edit_group, .rename_symbols, .annotate, .refuse, .collect";
            self.error(draft.at, what, hint);
            return None;
        };
        match (then, &draft.group_by) {
            (Then::Join(_), _) if !draft.hosts.is_empty() => {
                self.error(*at, "edit_group(…) joins matches of files, and not of literals", "leave out in_host(…)");
            }
            (Then::Join(_), _) | (_, None) => {}
            (_, Some((_, at))) => {
                self.error(*at, "group_by(…) says nothing by itself", "end it with .edit_group(|key, ms, cx| …)");
            }
        }
        Some(match then {
            Then::Delete => Action::Delete,
            Then::Annotate(message) => Action::Annotate(message.clone()),
            Then::Refuse(reason) => Action::Refuse(reason.clone()),
            Then::Move(pairs) => Action::Move(Moves::new(pairs.iter().cloned())),
            Then::Replace(text) => {
                let template = Template::new(text);
                for variant in variants {
                    let (mut always, sometimes) = variant.find.holes();
                    always.extend(draft.takes.iter().flatten().cloned());
                    if let Err(error) = template.check(&always, &sometimes) {
                        self.error(*at, &error.to_string(), "");
                    }
                    if let Some(bracket) = unpaired(variant.language, text) {
                        let language = &variant.language.facts.name;
                        let what = format!("this is no {language} by itself: `{bracket}` {UNPAIRED}");
                        self.error(*at, &what, "");
                        break;
                    }
                }
                Action::Replace(template)
            }
            Then::Collect(name, closure) => {
                self.pure(ast, closure, *at, MATCH);
                let place = (self.source.name.as_str(), *at);
                Action::Collect(
                    name.clone(),
                    Box::new(Closure::new(engine, ast, closure, Kind::Collect, survey, place)),
                )
            }
            Then::Join(closure) => {
                let Some((key, key_at)) = &draft.group_by else {
                    self.error(
                        *at,
                        "edit_group(…) needs to be told which matches belong together",
                        "add .group_by(|m, cx| …)",
                    );
                    return None;
                };
                self.pure(ast, closure, *at, &["key", "ms", "cx"]);
                self.pure(ast, key, *key_at, MATCH);
                let made = |closure: &FnPtr, at: Position| {
                    Closure::new(engine, ast, closure, Kind::Join, survey, (&self.source.name, at))
                };
                Action::Join(Box::new(Grouped { key: made(key, *key_at), edit: made(closure, *at) }))
            }
            Then::Ask(closure, kind) => {
                self.pure(ast, closure, *at, MATCH);
                let closure: Box<dyn Decide> =
                    Box::new(Closure::new(engine, ast, closure, *kind, survey, (&self.source.name, *at)));
                Action::Ask(closure)
            }
        })
    }

    /// Dependencies are asked where code is edited, and set for edits.
    fn dependencies(&mut self, draft: &Draft) {
        let action = draft.actions.first().map(|(then, _)| then);
        if !draft.requires.is_empty() && matches!(action, Some(Then::Collect(..))) {
            self.error(
                draft.at,
                "requires(…) is asked by rules that edit",
                "ask it in the rules that read these facts",
            );
        }
        if draft.sets.is_empty() {
            return;
        }
        if draft.takes.is_some() {
            let hint = "write it into the rule that begins: its edits and those that follow are one";
            self.error(draft.at, "a follow-up sets no dependency", hint);
        } else if matches!(action, Some(Then::Annotate(_) | Then::Refuse(_) | Then::Collect(..))) {
            self.error(draft.at, "it edits nothing for which set_dependency(…) would be", "leave it out");
        }
    }

    /// Names that a seed is asked for are names that the follow-up takes.
    fn takes(&mut self, draft: &Draft, find: &Spec, at: Position) {
        let all = std::iter::once(find).chain(draft.conditions.iter().map(|(_, spec, _)| spec));
        let all = all.flat_map(Spec::given).chain(draft.context.iter().flat_map(|(near, _)| near.given()));
        let takes = draft.takes.as_deref().unwrap_or_default();
        if let Some(name) = all.into_iter().find(|name| !takes.iter().any(|taken| taken == name)) {
            let hint = format!("declare it as followup({:?}, [\"{name}\"])", self.id);
            self.error(at, &format!("given(\"{name}\") is no name that it takes from a seed"), &hint);
        }
        if draft.takes.is_some() && !draft.hosts.is_empty() {
            self.error(at, "a follow-up looks at code, and not into literals of it", "leave out in_host(…)");
        }
    }

    fn follow_ups(
        &mut self,
        draft: &Draft,
        (engine, ast): (&Arc<Engine>, &Arc<AST>),
        survey: Option<&Arc<Survey>>,
    ) -> Vec<FollowUp> {
        let mut all = Vec::new();
        for one in &draft.follow_ups {
            let bind = one.bind.as_ref().map(|closure| -> Box<dyn Bind> {
                self.pure(ast, closure, one.at, MATCH);
                Box::new(Closure::new(engine, ast, closure, Kind::Bind, survey, (&self.source.name, one.at)))
            });
            let at = (one.at.line().unwrap_or(1) as u32, one.at.position().unwrap_or(1) as u32);
            all.push(FollowUp { rules: one.rules.clone(), scope: one.scope, bind, at });
        }
        all
    }

    /// A closure takes no more than it is given, and changes nothing that it captured.
    fn pure(&mut self, ast: &AST, closure: &FnPtr, at: Position, given: &[&str]) {
        let takes = ast.iter_functions().find(|f| f.name == closure.fn_name()).map_or(0, |f| f.params.len());
        let takes = takes.saturating_sub(closure.curry().len());
        if takes > given.len() {
            let hint = format!("it is given |{}|: leave the others out", given.join(", "));
            self.error(at, &format!("the closure takes {takes} arguments"), &hint);
        }
        if let Some((name, position)) = purity::captured_write(ast, closure) {
            let at = if position.is_none() { at } else { position };
            let hint = "captured values are constants; compute it inside the closure, or before the rule";
            self.error(at, &format!("the closure writes `{name}`, which it captured"), hint);
        }
    }
}

/// What is wrong with the follow-ups that a rule names, given all rules.
pub(super) fn unmet(rule: &Rule, source: &Source, all: &[(&Source, Rule)]) -> Vec<ScriptError> {
    let mut errors = Vec::new();
    for id in rule.before.iter().filter(|id| !all.iter().any(|(_, other)| other.id == **id)) {
        let message = format!("rule `{}`: before(…): there is no rule `{id}`", rule.id);
        errors.push(ScriptError::of_file(&rule.place, &message));
    }
    let mut wrong = |follow: &FollowUp, message: String, hint: &str| {
        let message = format!("rule `{}`: then(…): {message}", rule.id);
        errors.push(ScriptError::at(&source.name, &source.text, follow.at, &message).hint(hint));
    };
    for follow in &rule.follow_ups {
        for id in &follow.rules {
            let Some((_, other)) = all.iter().find(|(_, other)| other.id == *id) else {
                wrong(follow, format!("there is no follow-up `{id}`"), &format!("declare followup({id:?}, […])"));
                continue;
            };
            let Some(takes) = &other.takes else {
                let hint = format!("declare it as followup({id:?}, [])");
                wrong(follow, format!("`{id}` is a rule that starts alone"), &hint);
                continue;
            };
            let spoken =
                |variant: &Variant| rule.variants.iter().any(|own| std::ptr::eq(own.language, variant.language));
            if follow.scope != Scope::Workspace && !other.variants.iter().any(spoken) {
                wrong(follow, format!("`{id}` speaks none of its languages"), "name one of them in lang(…)");
            }
            let bound = |name: &String| {
                let own = rule.takes.iter().flatten().any(|own| own == name);
                own || rule.variants.iter().all(|variant| variant.find.holes().0.contains(name))
            };
            if let Some(name) = takes.iter().find(|name| follow.bind.is_none() && !bound(name)) {
                let hint = format!("give it: .then({id:?}, …, |m| #{{ {name}: … }})");
                wrong(follow, format!("`{id}` takes `{name}`, which no hole of this rule binds"), &hint);
            }
        }
    }
    errors
}
