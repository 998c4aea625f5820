//! `rule("…").lang(…).find(…)…`: declarations, gathered while a file runs and
//! compiled afterwards.

use std::sync::{Arc, Mutex};

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext, Position};

use super::closure::{Kind, frozen};
use super::code::policy_of;
use super::draft::{Draft, Then};
use super::error::fail;
use super::explain::plain;
use super::finder::{condition, spec};
use super::near;
use super::reference::Api;
use crate::rule::{After, Example, Safety};

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

    fn example(&self, cx: &NativeCallContext, before: &str, after: After) -> Self {
        let at = cx.call_position();
        let at = (at.line().unwrap_or(1) as u32, at.position().unwrap_or(1) as u32);
        self.change(|d| d.examples.push(Example { before: before.to_owned(), after, at }))
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
    near::of_rules(api);
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
    let docs =
        "Code, and what must become of it: what does not hold is an error of the rule, which then does not load.";
    let example = r#".find("f($X)").replace("g($X)").example("f(1)", "g(1)")"#;
    api.function(
        "Rule.example(before, after) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, before: &str, after: &str| {
            h.example(&cx, before, After::Text(after.to_owned()))
        },
    );
    let docs = "Code, and all files that must come of it, by path: the code itself is `example.py`, or how files of the rule's language are called.";
    let example = r#".find("OLD = $X").edit(|m, cx| edits([rename_file("new.py")])).when(|m, cx| cx.path != "new.py").example("OLD = 1\n", #{ "new.py": "OLD = 1\n" })"#;
    api.function(
        "Rule.example(before, files) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, before: &str, files: Map| -> Fallible<Handle> {
            let files = files.iter().map(|(path, text)| {
                let text = text.clone().into_immutable_string();
                let wrong =
                    |kind| fail(format!("the files of an example are a map of paths to text, not to {}", plain(kind)));
                Ok((path.to_string(), text.map_err(wrong)?.to_string()))
            });
            Ok(h.example(&cx, before, After::Files(files.collect::<Fallible<_>>()?)))
        },
    );
    let docs = "Code that must stay as it is; where it does not, the rule does not load.";
    let example = r#".find("f($X)").replace("g($X)").unchanged("f2(1)")"#;
    api.function("Rule.unchanged(code) -> Rule", docs, example, |cx: NativeCallContext, h: &mut Handle, code: &str| {
        h.example(&cx, code, After::Text(code.to_owned()))
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
    let docs = "What the holes must be: a matcher for each name. Text without a hole is compared as text, or as the value of a string literal; so is a word in `any`, `all` and `not`.";
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

fn closures(api: &mut Api<'_>) {
    let docs = "What is known of a whole file: the closure is asked once a file and gives a map, which `cx.survey(key)` reads.";
    let example = r#".find("f($X)").survey(|root| #{ many: root.find_all("f($_)").len > 1 }).when(|m, cx| cx.survey("many")).replace("g($X)").example("f(1); f(2)", "g(1); g(2)").unchanged("f(1)")"#;
    api.function(
        "Rule.survey(closure) -> Rule",
        docs,
        example,
        |cx: NativeCallContext, h: &mut Handle, closure: FnPtr| {
            h.change(|d| d.survey = Some((frozen(closure), cx.call_position())))
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
            h.change(|d| d.guards.push((frozen(closure), cx.call_position())))
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
    let docs = "Names of locals that the code which it writes may mean. Without it, a file is refused where a name that a template brings, and calls or shares with the rest of the file, is a parameter or a variable at its place.";
    let example = r#"rule("example").lang("javascript").find("fail($X)").replace("reject($X)").locals("reject").example("p(reject => fail(1))", "p(reject => reject(1))");"#;
    api.function("Rule.locals(names) -> Rule", docs, example, |h: &mut Handle, names: Dynamic| -> Fallible<Handle> {
        let names = strings(&names)?;
        Ok(h.change(|d| d.locals.extend(names)))
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
            then(h, cx.call_position(), Then::Ask(frozen(closure), Kind::Rewrite))
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
            then(h, cx.call_position(), Then::Ask(frozen(closure), Kind::Edit))
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
            h.change(|d| d.actions.push((Then::Collect(name.to_owned(), frozen(closure)), cx.call_position())))
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
