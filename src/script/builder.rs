//! `rule("…").lang(…).find(…)…`: declarations, gathered while a file runs and
//! compiled afterwards.

use std::sync::{Arc, Mutex};

use rhai::{AST, Array, Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext, Position};

use super::closure::{Closure, Kind};
use super::code::{ImportEdit, policy_of};
use super::draft::{Around, Draft, Then};
use super::error::ScriptError;
use super::error::fail;
use super::explain::plain;
use super::finder::{Spec, condition, spec};
use super::group::Grouped;
use super::identity::Parts;
use super::reference::Api;
use super::survey::Survey;
use super::{Source, purity};
use crate::language::{self, Language};
use crate::rule::{
    Action, After, Bind, Context, Decide, Example, FollowUp, Guard, Host, ImportRequest, Matcher, Moves, Paths, Rule,
    Safety, Scope, Template, Variant,
};

/// What the methods are called on: the number of a draft.
#[derive(Clone)]
pub(super) struct Handle {
    drafts: Arc<Mutex<Vec<Draft>>>,
    index: usize,
}

type Fallible<T> = Result<T, Box<EvalAltResult>>;

impl Handle {
    pub(super) fn change(&self, change: impl FnOnce(&mut Draft)) -> Self {
        if let Ok(mut drafts) = self.drafts.lock()
            && let Some(draft) = drafts.get_mut(self.index)
        {
            change(draft);
        }
        self.clone()
    }
}

pub(super) fn register(api: &mut Api<'_>, drafts: &Arc<Mutex<Vec<Draft>>>) {
    let example = r#".find("f($X)").replace("g($X)").example("f(1)", "g(1)")"#;
    let docs = "A rule being declared. Its methods can be called in any order; it needs a language, something to find, and exactly one thing to do.";
    api.type_of::<Handle>("Rule", docs, example);
    let docs = "Declares a rule. Its id is unique in a migration, and stands in every finding.";
    let all = Arc::clone(drafts);
    api.function("rule(id) -> Rule", docs, example, move |cx: NativeCallContext, id: &str| {
        declare(&all, id, cx.call_position(), None)
    });
    let docs = "Declares a rule that never starts alone: an edit of another rule asks for it with `then`, and gives it code for these names. Its patterns match only that code where they name it, and so does `given(name)`.";
    let example = r#"rule("flag").lang("python")
    .find("enabled('new')").replace("True")
    .then("fold", "parent")
    .example("x = enabled('new') or g()\n", "x = True\n");
followup("fold", []).lang("python")
    .find("True or $_").replace("True");"#;
    let all = Arc::clone(drafts);
    api.function("followup(id, names) -> Rule", docs, example, move |cx: NativeCallContext, id: &str, names: Array| {
        let takes = strings(&Dynamic::from(names))?;
        declare(&all, id, cx.call_position(), Some(takes))
    });
    declarations(api);
    conditions(api);
    closures(api);
    actions(api);
    deciders(api);
}

fn declare(drafts: &Arc<Mutex<Vec<Draft>>>, id: &str, at: Position, takes: Option<Vec<String>>) -> Fallible<Handle> {
    let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
    if id.is_empty() || !id.chars().all(well_formed) {
        return Err(fail(format!("a rule's id is letters, digits, `-`, `_`, `.` and `/`, not {id:?}")));
    }
    let mut all = drafts.lock().map_err(|_| fail("rules can't be declared here"))?;
    all.push(Draft::new(id, at, takes));
    Ok(Handle { drafts: Arc::clone(drafts), index: all.len() - 1 })
}

fn declarations(api: &mut Api<'_>) {
    let docs = "One line for people: what the rule is for.";
    let example = r#".title("f is called g now").find("f($X)").replace("g($X)").example("f(1)", "g(1)")"#;
    api.function("Rule.title(text) -> Rule", docs, example, |h: &mut Handle, text: &str| {
        h.change(|d| d.title = Some(text.to_owned()))
    });
    let docs = "`\"safe\"`, which it is anyway, or `\"review\"`: the change waits for a person's approval.";
    let example = r#".safety("review").find("f($X)").replace("g($X)").example("f(1)", "g(1)")"#;
    api.function("Rule.safety(word) -> Rule", docs, example, |h: &mut Handle, text: &str| -> Fallible<Handle> {
        let safety = match text {
            "safe" => Safety::Safe,
            "review" => Safety::Review,
            other => return Err(fail(format!("safety is \"safe\" or \"review\", not {other:?}"))),
        };
        Ok(h.change(|d| d.safety = safety))
    });
    let docs = "The language of the code that is meant, or several. `gander languages` lists them.";
    let example = r#"rule("example").lang(["java", "scala"]).find("f($X)").replace("g($X)").example("class A { int a = f(1); }", "class A { int a = g(1); }");"#;
    api.function("Rule.lang(names) -> Rule", docs, example, |h: &mut Handle, names: Dynamic| -> Fallible<Handle> {
        let names = strings(&names)?;
        Ok(h.change(|d| d.languages.extend(names)))
    });
    let docs = "The files that the rule is for, as globs below the workspace: `*` stays within a folder, `**` does not, and a `!` in front leaves out. The rule does not look into any other file; its own examples lie nowhere and are always run.";
    let example = r#"rule("example").lang("sql").paths(["models/**/*.sql", "!**/legacy/**"]).find(table("users_v1")).replace("users_v2").example("select a from users_v1", "select a from users_v2");"#;
    api.function(
        "Rule.paths(globs) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, globs: Dynamic| -> Fallible<Handle> {
            let globs = strings(&globs)?;
            Ok(h.change(|d| d.paths.extend(globs.into_iter().map(|glob| (glob, cx.call_position())))))
        },
    );
    let docs = "Code, and what must become of it: `gander test` runs it.";
    let example = r#".find("f($X)").replace("g($X)").example("f(1)", "g(1)")"#;
    api.function("Rule.example(before, after) -> Rule", docs, example, |h: &mut Handle, before: &str, after: &str| {
        h.change(|d| d.examples.push(Example { before: before.to_owned(), after: After::Text(after.to_owned()) }))
    });
    let docs = "Code, and all files that must come of it, by path: the code itself is `example.py`, or how files of the rule's language are called.";
    let example = r#".find("OLD = $X").edit(|m, cx| edits([rename_file("new.py")])).when(|m, cx| cx.path != "new.py").example("OLD = 1\n", #{ "new.py": "OLD = 1\n" })"#;
    api.function(
        "Rule.example(before, files) -> Rule",
        docs,
        example,
        |h: &mut Handle, before: &str, files: Map| -> Fallible<Handle> {
            let files = files.iter().map(|(path, text)| {
                let text = text.clone().into_immutable_string();
                let wrong =
                    |kind| fail(format!("the files of an example are a map of paths to text, not to {}", plain(kind)));
                Ok((path.to_string(), text.map_err(wrong)?.to_string()))
            });
            let after = After::Files(files.collect::<Fallible<_>>()?);
            Ok(h.change(|d| d.examples.push(Example { before: before.to_owned(), after })))
        },
    );
    let docs = "Code that must stay as it is: `gander test` runs it.";
    let example = r#".find("f($X)").replace("g($X)").unchanged("f2(1)")"#;
    api.function("Rule.unchanged(code) -> Rule", docs, example, |h: &mut Handle, code: &str| {
        h.change(|d| d.examples.push(Example { before: code.to_owned(), after: After::Text(code.to_owned()) }))
    });
}

fn conditions(api: &mut Api<'_>) {
    let docs = "The code that is meant: a pattern, in which `$X` is one node and `$$$X` any number, or a matcher.";
    let example = r#".find("f($X, $$$R)").replace("g($X)").example("f(1, 2)", "g(1)").unchanged("f()")"#;
    api.function(
        "Rule.find(sought) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, sought: Dynamic| -> Fallible<Handle> {
            let found = spec(&sought)?;
            Ok(h.change(|d| d.find = Some((found, cx.call_position()))))
        },
    );
    let docs = "What the holes must be: a matcher for each name. Text without a hole is compared as text, or as the value of a string literal.";
    let example = r#".find("$F($X)").where(#{ F: "f", X: kind("integer") }).replace("g($X)").example("f(1)", "g(1)").unchanged("f(a); h(1)")"#;
    api.function(
        "Rule.where(conditions) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, map: Map| -> Fallible<Handle> {
            let mut conditions = Vec::new();
            for (name, value) in &map {
                conditions.push((name.to_string(), condition(value)?, cx.call_position()));
            }
            Ok(h.change(|d| d.conditions.extend(conditions)))
        },
    );
    for (name, around, docs, example) in AROUND {
        let signature = format!("Rule.{name}(sought) -> Rule");
        api.function(
            &signature,
            docs,
            example,
            move |cx: NativeCallContext, h: &mut Handle, sought: Dynamic| -> Fallible<Handle> {
                let spec = spec(&sought)?;
                Ok(h.change(|d| d.context.push((*around, spec, cx.call_position()))))
            },
        );
    }
    let docs = "A text that the file must contain: files without it are not even parsed.";
    let example = r#".find("f($X)").file_has("import old").replace("g($X)").example("import old\nf(1)", "import old\ng(1)").unchanged("f(1)")"#;
    api.function("Rule.file_has(text) -> Rule", docs, example, |h: &mut Handle, text: &str| {
        h.change(|d| d.file_has.push(text.to_owned()))
    });
    let docs = "The code is meant inside of string literals of this language: the pattern's one hole, or the node that a matcher finds, is the literal.";
    let example = r#"rule("example").lang("sql").find(table("users_v1")).in_host("python", "spark.sql($SQL)").replace("users_v2").example("spark.sql('select a from users_v1')", "spark.sql('select a from users_v2')").unchanged("print('select a from users_v1')");"#;
    api.function(
        "Rule.in_host(language, sought) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, language: &str, sought: Dynamic| {
            let sought = spec(&sought)?;
            Ok::<_, Box<EvalAltResult>>(h.change(|d| d.hosts.push((language.to_owned(), sought, cx.call_position()))))
        },
    );
}

/// Conditions on what is around or below a match: name, documentation, example.
const AROUND: &[(&str, Around, &str, &str)] = &[
    (
        "inside",
        Around::Inside,
        "Some node around the match must fit.",
        r#".find("f($X)").inside(kind("lambda")).replace("g($X)").example("a = lambda: f(1)", "a = lambda: g(1)").unchanged("f(1)")"#,
    ),
    (
        "outside",
        Around::Outside,
        "No node around the match may fit.",
        r#".find("f($X)").outside(kind("lambda")).replace("g($X)").example("f(1)", "g(1)").unchanged("a = lambda: f(1)")"#,
    ),
    (
        "has",
        Around::Has,
        "Some node below the match must fit.",
        r#".find("f($X)").has(kind("integer")).replace("g($X)").example("f(a + 1)", "g(a + 1)").unchanged("f(a)")"#,
    ),
    (
        "lacks",
        Around::Lacks,
        "No node below the match may fit.",
        r#".find("f($X)").lacks(kind("integer")).replace("g($X)").example("f(a)", "g(a)").unchanged("f(a + 1)")"#,
    ),
    (
        "precedes",
        Around::Precedes,
        "Some sibling after the match must fit: in a list of statements, a statement.",
        r#".find(stmt("import $M")).where(#{ M: "old" }).precedes(stmt("import new")).delete().example("import old\nimport new\n", "import new\n").unchanged("import new\nimport old\n")"#,
    ),
    (
        "follows",
        Around::Follows,
        "Some sibling before the match must fit.",
        r#".find(stmt("import $M")).where(#{ M: "new" }).follows(stmt("import old")).delete().example("import old\nimport new\n", "import old\n").unchanged("import new\nimport old\n")"#,
    ),
];

fn closures(api: &mut Api<'_>) {
    let docs = "What is known of a whole file: the closure is asked once a file and gives a map, which `cx.survey(key)` reads.";
    let example = r#".find("f($X)").survey(|root| #{ many: root.find_all("f($_)").len > 1 }).when(|m, cx| cx.survey("many")).replace("g($X)").example("f(1); f(2)", "g(1); g(2)").unchanged("f(1)")"#;
    api.function(
        "Rule.survey(closure) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, closure: FnPtr| {
            h.change(|d| d.survey = Some((closure, cx.call_position())))
        },
    );
    let docs = "A condition as a closure: `|m| …` or `|m, cx| …` gives true or false.";
    let example =
        r#".find("f($X)").when(|m| m.X.text.len == 1).replace("g($X)").example("f(1)", "g(1)").unchanged("f(10)")"#;
    api.function(
        "Rule.when(closure) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, closure: FnPtr| {
            h.change(|d| d.guards.push((closure, cx.call_position())))
        },
    );
}

fn actions(api: &mut Api<'_>) {
    let then = |h: &mut Handle, at: Position, then: Then| h.change(|d| d.actions.push((then, at)));
    let docs = "Replaces the match by this code; its holes are those of the pattern. A match on several lines keeps its breaks where the new code writes the same between the same holes.";
    let example = r#".find("f($X, $$$R)").replace("g($$$R, $X)").example("f(1, 2)", "g(2, 1)")"#;
    api.function(
        "Rule.replace(template) -> Rule",
        docs,
        example,
        move |cx: NativeCallContext, h: &mut Handle, text: &str| {
            then(h, cx.call_position(), Then::Replace(text.to_owned()))
        },
    );
    let docs = "Deletes the match, with its lines where nothing else is on them.";
    let example = r#".find(stmt("import old")).delete().example("import old\nf()", "f()").unchanged("import older")"#;
    api.function("Rule.delete() -> Rule", docs, example, move |cx: NativeCallContext, h: &mut Handle| {
        then(h, cx.call_position(), Then::Delete)
    });
    let docs = "Orders rules: where this one and another want the same code, its edit is made, and the other looks at the result. Rules that nobody orders are a conflict: the file is refused, and both are named.";
    let example = r#"rule("inner").lang("python").find("f($X)").replace("g($X)").before("outer")
    .example("h(f(1))\nf(2)\nh(3)\n", "k()\ng(2)\nk()\n");
rule("outer").lang("python").find("h($_)").replace("k()");"#;
    api.function(
        "Rule.before(ids) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, ids: Dynamic| -> Fallible<Handle> {
            let ids = strings(&ids)?;
            Ok(h.change(|d| d.order.extend(ids.into_iter().map(|id| (id, cx.call_position())))))
        },
    );
    let docs = "What becomes of comments in the code that its edits take: `\"drop\"` lets them go, `\"move\"` puts them above the statement. Without it an edit is refused where it would lose one; of code that is deleted they go with it.";
    let example = r##".find("f($X, $Y)").replace("g($X)").comments("move").example("a = f(1,  # one\n      2)\n", "# one\na = g(1)\n")"##;
    api.function("Rule.comments(policy) -> Rule", docs, example, |h: &mut Handle, policy: &str| -> Fallible<Handle> {
        let policy = policy_of(policy)?;
        Ok(h.change(|d| d.comments = policy))
    });
    let docs = "Leaves the code, and puts this comment above it for a person to look at.";
    let example = r##".find("f($X)").annotate("f is gone").example("f(1)", "# gander[example]: f is gone\nf(1)").unchanged("g(1)")"##;
    api.function(
        "Rule.annotate(message) -> Rule",
        docs,
        example,
        move |cx: NativeCallContext, h: &mut Handle, text: &str| {
            then(h, cx.call_position(), Then::Annotate(text.to_owned()))
        },
    );
    let docs = "Keeps the whole consumer out of the rollout, with this reason.";
    let example = r#".find("exec($X)").refuse("exec can't be migrated").unchanged("f(1)")"#;
    api.function(
        "Rule.refuse(reason) -> Rule",
        docs,
        example,
        move |cx: NativeCallContext, h: &mut Handle, text: &str| {
            then(h, cx.call_position(), Then::Refuse(text.to_owned()))
        },
    );
}

fn deciders(api: &mut Api<'_>) {
    let then = |h: &mut Handle, at: Position, then: Then| h.change(|d| d.actions.push((then, at)));
    let docs =
        "Replaces the match by what the closure `|m, cx|` gives: `code(…)`, or `annotate(…)`, `refuse(…)`, `skip(…)`.";
    let example = r#".find("f($X)").rewrite(|m, cx| code("g($X)", #{ X: m.X })).example("f(1)", "g(1)")"#;
    api.function(
        "Rule.rewrite(closure) -> Rule",
        docs,
        example,
        move |cx: NativeCallContext, h: &mut Handle, closure: FnPtr| {
            then(h, cx.call_position(), Then::Ask(closure, Kind::Rewrite))
        },
    );
    let docs =
        "Makes the changes that the closure `|m, cx|` gives: `edits([…])`, or `annotate(…)`, `refuse(…)`, `skip(…)`.";
    let example = r#".find("f($X)").edit(|m, cx| edits([replace(m.X, lit(2))])).example("f(1)", "f(2)")"#;
    api.function(
        "Rule.edit(closure) -> Rule",
        docs,
        example,
        move |cx: NativeCallContext, h: &mut Handle, closure: FnPtr| {
            then(h, cx.call_position(), Then::Ask(closure, Kind::Edit))
        },
    );
    let docs = "Changes nothing, but learns: what the closure `|m|` gives, a text or an array of texts, other rules read with `cx.facts(name)` in every file of the workspace.";
    let example = r#"rule("moved").lang("python")
    .find("class $NAME: $$$")
    .collect("classes", |m| m.NAME.text);
rule("example").lang("python")
    .find("f($X)")
    .edit(|m, cx| if m.X.text in cx.facts("classes") { edits([replace(m.X, code("B"))]) } else { skip("no class") })
    .example("class A: pass\nf(A)\nf(C)", "class A: pass\nf(B)\nf(C)");"#;
    api.function(
        "Rule.collect(name, closure) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, name: &str, closure: FnPtr| {
            h.change(|d| d.actions.push((Then::Collect(name.to_owned(), closure), cx.call_position())))
        },
    );
}

fn strings(value: &Dynamic) -> Fallible<Vec<String>> {
    let one = |v: &Dynamic| {
        v.clone()
            .into_immutable_string()
            .map(|t| t.to_string())
            .map_err(|k| fail(format!("expected text, not {}", plain(k))))
    };
    match value.read_lock::<Array>() {
        Some(array) => array.iter().map(one).collect(),
        None => Ok(vec![one(value)?]),
    }
}

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
        finisher.pure(ast, closure, *at);
        Arc::new(Survey::new(wide, ast, closure, (&source.name, *at)))
    });
    let guards: Vec<Box<dyn Guard>> = draft
        .guards
        .iter()
        .map(|(closure, at)| -> Box<dyn Guard> {
            finisher.pure(ast, closure, *at);
            Box::new(Closure::new(engine, ast, closure, Kind::When, survey.as_ref(), (&source.name, *at)))
        })
        .collect();
    let imports = imports(&draft.imports, &variants);
    let action = finisher.action(&draft, &variants, (engine, ast), survey.as_ref());
    let follow_ups = finisher.follow_ups(&draft, (engine, ast), survey.as_ref());
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
            before: draft.order.into_iter().map(|(id, _)| id).collect(),
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
            } else if let Some(matcher) = self.compile(spec, language, *at) {
                conditions.push((name.clone(), matcher));
            }
        }
        let mut context = Vec::new();
        for (around, spec, at) in &draft.context {
            let matcher = self.compile(spec, language, *at)?;
            context.push(match around {
                Around::Inside => Context::Inside(matcher),
                Around::Outside => Context::Outside(matcher),
                Around::Has => Context::Has(matcher),
                Around::Lacks => Context::Lacks(matcher),
                Around::Precedes => Context::Precedes(matcher),
                Around::Follows => Context::Follows(matcher),
            });
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
                }
                Action::Replace(template)
            }
            Then::Collect(name, closure) => {
                self.pure(ast, closure, *at);
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
                self.pure(ast, closure, *at);
                self.pure(ast, key, *key_at);
                let made = |closure: &FnPtr, at: Position| {
                    Closure::new(engine, ast, closure, Kind::Join, survey, (&self.source.name, at))
                };
                Action::Join(Box::new(Grouped { key: made(key, *key_at), edit: made(closure, *at) }))
            }
            Then::Ask(closure, kind) => {
                self.pure(ast, closure, *at);
                let closure: Box<dyn Decide> =
                    Box::new(Closure::new(engine, ast, closure, *kind, survey, (&self.source.name, *at)));
                Action::Ask(closure)
            }
        })
    }

    /// Names that a seed is asked for are names that the follow-up takes.
    fn takes(&mut self, draft: &Draft, find: &Spec, at: Position) {
        let all = std::iter::once(find).chain(draft.conditions.iter().map(|(_, spec, _)| spec));
        let all = all.chain(draft.context.iter().map(|(_, spec, _)| spec));
        let takes = draft.takes.as_deref().unwrap_or_default();
        if let Some(name) = all.flat_map(Spec::given).find(|name| !takes.iter().any(|taken| taken == name)) {
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
                self.pure(ast, closure, one.at);
                Box::new(Closure::new(engine, ast, closure, Kind::Bind, survey, (&self.source.name, one.at)))
            });
            let at = (one.at.line().unwrap_or(1) as u32, one.at.position().unwrap_or(1) as u32);
            all.push(FollowUp { rules: one.rules.clone(), scope: one.scope, bind, at });
        }
        all
    }

    fn pure(&mut self, ast: &AST, closure: &FnPtr, at: Position) {
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
