//! `inside`, `has`, `precedes` …: what scripts say of what is around, below and beside code, as
//! conditions of a rule and as matchers.
//!
//! Must not: look at a tree.

use rhai::{Dynamic, EvalAltResult, NativeCallContext};

use super::builder::Handle;
use super::finder::{Spec, shallow, spec};
use super::reference::Api;
use crate::language::Language;
use crate::rule::{Context, Side};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// A condition of no language yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Near {
    side: Side,
    sought: Box<Spec>,
    stop: Option<Box<Spec>>,
}

impl Near {
    fn new(side: Side, sought: &Dynamic, stop: Option<&Dynamic>) -> Fallible<Self> {
        let read = |value: &Dynamic| spec(value).and_then(shallow).map(Box::new);
        Ok(Self { side, sought: read(sought)?, stop: stop.map(read).transpose()? })
    }

    fn parts(&self) -> impl Iterator<Item = &Spec> {
        std::iter::once(self.sought.as_ref()).chain(self.stop.as_deref())
    }

    /// The names that a seed must give.
    pub(super) fn given(&self) -> Vec<&str> {
        self.parts().flat_map(Spec::given).collect()
    }

    pub(super) fn depth(&self) -> usize {
        self.parts().map(Spec::depth).max().unwrap_or(0)
    }

    /// Compiles it for one language.
    pub(super) fn compile(&self, language: &'static Language) -> Result<Context, String> {
        let stop = self.stop.as_ref().map(|stop| stop.compile(language)).transpose()?;
        Ok(Context::new(self.side, self.sought.compile(language)?, stop))
    }
}

/// What a side is called, what must hold there, and rules that say so: of a match, and of a hole; each also
/// with what ends the search.
struct Entry {
    side: Side,
    what: &'static str,
    of_match: &'static str,
    of_hole: &'static str,
    with_stop: &'static str,
    hole_with_stop: &'static str,
}

const ENTRIES: &[Entry] = &[
    Entry {
        side: Side::Inside,
        what: "Some node around {it} must fit.",
        of_match: r#".find("f($X)").inside(kind("lambda")).replace("g($X)").example("a = lambda: f(1)", "a = lambda: g(1)").unchanged("f(1)")"#,
        of_hole: r#".find(all(["f($X)", any([inside(kind("lambda")), inside("h($$$)")])])).replace("g($X)").example("a = lambda: f(1); h(f(2))", "a = lambda: g(1); h(g(2))").unchanged("f(1)")"#,
        with_stop: r#".find("f($X)").inside("for $_ in $_: $$$", kind("function_definition")).replace("g($X)").example("for a in b: f(1)", "for a in b: g(1)").unchanged("for a in b:\n    def c(): f(1)")"#,
        hole_with_stop: r#".find("f($X)").where(#{ X: inside("for $_ in $_: $$$", kind("function_definition")) }).replace("g($X)").example("for a in b: f(1)", "for a in b: g(1)").unchanged("for a in b:\n    def c(): f(1)")"#,
    },
    Entry {
        side: Side::Outside,
        what: "No node around {it} may fit.",
        of_match: r#".find("f($X)").outside(kind("lambda")).replace("g($X)").example("f(1)", "g(1)").unchanged("a = lambda: f(1)")"#,
        of_hole: r#".find(all(["f($X)", outside(kind("lambda"))])).replace("g($X)").example("f(1)", "g(1)").unchanged("a = lambda: f(1)")"#,
        with_stop: r#".find("f($X)").outside("for $_ in $_: $$$", kind("function_definition")).replace("g($X)").example("for a in b:\n    def c(): f(1)", "for a in b:\n    def c(): g(1)").unchanged("for a in b: f(1)")"#,
        hole_with_stop: r#".find("f($X)").where(#{ X: outside("for $_ in $_: $$$", kind("function_definition")) }).replace("g($X)").example("for a in b:\n    def c(): f(1)", "for a in b:\n    def c(): g(1)").unchanged("for a in b: f(1)")"#,
    },
    Entry {
        side: Side::Has,
        what: "Some node below {it} must fit.",
        of_match: r#".find("f($X)").has(kind("integer")).replace("g($X)").example("f(a + 1)", "g(a + 1)").unchanged("f(a)")"#,
        of_hole: r#".find("f($X)").where(#{ X: not(has(kind("integer"))) }).replace("g($X)").example("f(a + b)", "g(a + b)").unchanged("f(a + 1)")"#,
        with_stop: r##".find("def $F(): $$$B").has("return $_", kind("function_definition")).annotate("gives something").example("def f():\n    return 1", "# gander[example]: gives something\ndef f():\n    return 1").unchanged("def f():\n    g = [1]")"##,
        hole_with_stop: r#".find("f($X)").where(#{ X: has(kind("integer"), kind("lambda")) }).replace("g($X)").example("f(a + 1)", "g(a + 1)").unchanged("f(b + (lambda: 1))")"#,
    },
    Entry {
        side: Side::Lacks,
        what: "No node below {it} may fit.",
        of_match: r#".find("f($X)").lacks(kind("integer")).replace("g($X)").example("f(a)", "g(a)").unchanged("f(a + 1)")"#,
        of_hole: r#".find("f($X)").where(#{ X: all([kind("binary_operator"), lacks(kind("integer"))]) }).replace("g($X)").example("f(a + b)", "g(a + b)").unchanged("f(a + 1); f(a)")"#,
        with_stop: r#".find("f($X)").lacks(kind("integer"), kind("lambda")).replace("g($X)").example("f(lambda: 1)", "g(lambda: 1)").unchanged("f(a + 1)")"#,
        hole_with_stop: r#".find("f($X)").where(#{ X: lacks(kind("integer"), kind("lambda")) }).replace("g($X)").example("f(b + (lambda: 1))", "g(b + (lambda: 1))").unchanged("f(a + 1)")"#,
    },
    Entry {
        side: Side::Precedes,
        what: "Some sibling after {it} must fit: in a list of statements, a statement.",
        of_match: r#".find(stmt("import $M")).where(#{ M: "old" }).precedes(stmt("import new")).delete().example("import old\nimport new\n", "import new\n").unchanged("import new\nimport old\n")"#,
        of_hole: r##".find("f($X, $$$)").where(#{ X: precedes(kind("string")) }).annotate("a text follows").example("f(1, 'a')", "# gander[example]: a text follows\nf(1, 'a')").unchanged("f('a', 1)")"##,
        with_stop: r#".find("a()").precedes("b()", "stop()").delete().example("a()\nx()\nb()\n", "x()\nb()\n").unchanged("a()\nstop()\nb()\n")"#,
        hole_with_stop: r#".find("f($X, $$$R)").where(#{ X: precedes(kind("string"), kind("none")) }).replace("g($X, $$$R)").example("f(1, 2, 'a')", "g(1, 2, 'a')").unchanged("f(1, None, 'a')")"#,
    },
    Entry {
        side: Side::Follows,
        what: "Some sibling before {it} must fit.",
        of_match: r#".find(stmt("import $M")).where(#{ M: "new" }).follows(stmt("import old")).delete().example("import old\nimport new\n", "import old\n").unchanged("import new\nimport old\n")"#,
        of_hole: r##".find("f($$$, $X)").where(#{ X: follows(kind("string")) }).annotate("behind a text").example("f('a', 1)", "# gander[example]: behind a text\nf('a', 1)").unchanged("f(1, 'a')")"##,
        with_stop: r#".find("a()").follows("b()", "stop()").delete().example("b()\nx()\na()\n", "b()\nx()\n").unchanged("b()\nstop()\na()\n")"#,
        hole_with_stop: r#".find("f($$$R, $X)").where(#{ X: follows(kind("string"), kind("none")) }).replace("g($$$R, $X)").example("f('a', 2, 1)", "g('a', 2, 1)").unchanged("f('a', None, 1)")"#,
    },
];

const STOP: &str = "The same, and the search does not go beyond what fits `stop`; that is looked at still.";

/// `.inside(…)` and the like.
pub(super) fn of_rules(api: &mut Api<'_>) {
    for Entry { side, what, of_match, with_stop, .. } in ENTRIES {
        let (word, side) = (side.word(), *side);
        let add = |cx: &NativeCallContext<'_>, h: &Handle, near: Near| {
            h.change(|draft| draft.context.push((near, cx.call_position())))
        };
        let docs = what.replace("{it}", "the match");
        api.function(
            &format!("Rule.{word}(sought) -> Rule"),
            &docs,
            of_match,
            move |cx: NativeCallContext<'_>, h: &mut Handle, sought: Dynamic| -> Fallible<Handle> {
                Ok(add(&cx, h, Near::new(side, &sought, None)?))
            },
        );
        api.function(
            &format!("Rule.{word}(sought, stop) -> Rule"),
            STOP,
            with_stop,
            move |cx: NativeCallContext<'_>, h: &mut Handle, sought: Dynamic, stop: Dynamic| -> Fallible<Handle> {
                Ok(add(&cx, h, Near::new(side, &sought, Some(&stop))?))
            },
        );
    }
}

/// `inside(…)` and the like: matchers, for `find`, `where`, `any` and `all`.
pub(super) fn matchers(api: &mut Api<'_>) {
    for Entry { side, what, of_hole, hole_with_stop, .. } in ENTRIES {
        let (word, side) = (side.word(), *side);
        let docs = what.replace("{it}", "the node");
        api.function(&format!("{word}(sought) -> Matcher"), &docs, of_hole, move |sought: Dynamic| {
            Near::new(side, &sought, None).map(Spec::Near)
        });
        api.function(
            &format!("{word}(sought, stop) -> Matcher"),
            STOP,
            hole_with_stop,
            move |sought: Dynamic, stop: Dynamic| Near::new(side, &sought, Some(&stop)).map(Spec::Near),
        );
    }
}
