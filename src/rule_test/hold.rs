//! A rule whose own example does not hold is not loaded.
//!
//! Examples are run as `gander test` runs them: each file by itself, with what lies beside its
//! cases, and not with what somebody gives a rule for one run.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::{LazyLock, Mutex, PoisonError};

use rayon::prelude::*;
use similar::ChangeTag;

use super::case::inputs_key;
use super::example::{ExampleResult, examples_of};
use super::run::STACK;
use super::{difference, suite};
use crate::digest::{Digest, DigestBuilder};
use crate::rule::{Action, Rule, RuleSet};
use crate::script::{self, Inputs, ScriptError, ScriptErrors, Source};

/// What rules are given beside their files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// What their migration gives, in every run.
    ByMigration,
    /// What somebody chose for this one time.
    ByHand,
}

/// Compiles rules, as [`script::load`] does, and holds each to its own examples.
///
/// # Errors
/// Everything that is wrong with them, or else every example that does not hold: with its
/// place, and what came instead.
pub fn load(sources: &[Source], inputs: &Inputs, given: Given) -> Result<RuleSet, ScriptErrors> {
    let rules = script::load(sources, inputs)?;
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build();
    let work = || sources.par_iter().flat_map_iter(|source| wrong(source, (&rules, sources), inputs, given)).collect();
    let wrong: Vec<ScriptError> = match pool {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    };
    if wrong.is_empty() { Ok(rules) } else { Err(ScriptErrors(wrong)) }
}

/// Rules that change code, and show nowhere how.
pub fn unexampled(rules: &RuleSet) -> Vec<&str> {
    let shows = |rule: &&Rule| rule.examples.is_empty() && rule.takes.is_none();
    let changes = |rule: &&Rule| !matches!(rule.action, Action::Collect(..));
    rules.rules.iter().filter(shows).filter(changes).map(|rule| rule.id.as_str()).collect()
}

/// The same as one line for people; `None` where there is nothing to say.
pub fn hint_of_unexampled(rules: &RuleSet) -> Option<String> {
    let ids = unexampled(rules);
    let (first, rest) = ids.split_first()?;
    let who = match rest.len() {
        0 => format!("`{first}` shows"),
        n => format!("`{first}` and {n} more show"),
    };
    Some(format!("{who} no example: .example(\"before\", \"after\") is tried whenever the rule is loaded"))
}

/// The examples of one file that do not hold.
fn wrong(source: &Source, (rules, all): (&RuleSet, &[Source]), inputs: &Inputs, given: Given) -> Vec<ScriptError> {
    let own = |rule: &&Rule| rule.place.rsplit_once(':').is_some_and(|(file, _)| file == source.name);
    if !rules.rules.iter().filter(own).any(|rule| !rule.examples.is_empty()) {
        return Vec::new();
    }
    let base = (given == Given::ByMigration).then_some(inputs);
    let tested = match file_of(source).map(|file| suite::inputs_of(&file, base)) {
        Some(Ok(tested)) => tested,
        Some(Err(error)) => {
            let why = format!("its examples can't be tried: {error}");
            return vec![ScriptError::at(&source.name, &source.text, (1, 1), &why)];
        }
        None => inputs.clone(),
    };
    let as_loaded = all.len() == 1 && inputs_key(&tested) == inputs_key(inputs);
    // Rules that need others, or what is only given by hand, are tried as they are.
    let alone = if as_loaded { None } else { script::load(slice::from_ref(source), &tested).ok() };
    let set = alone.as_ref().unwrap_or(rules);
    let key = key_of(set, source);
    if held().lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
        return Vec::new();
    }
    let rules: Vec<&Rule> = set.rules.iter().filter(own).collect();
    let results: Vec<ExampleResult> = rules.into_par_iter().flat_map_iter(|rule| examples_of(set, rule)).collect();
    let wrong: Vec<ScriptError> = results.iter().filter(|e| !e.passed()).map(|e| error(source, e)).collect();
    if wrong.is_empty() {
        held().lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }
    wrong
}

/// The file that a source was read from.
fn file_of(source: &Source) -> Option<PathBuf> {
    Some(source.folder.as_ref()?.join(Path::new(&source.name).file_name()?))
}

/// Files whose examples held in this process: one command loads its rules more than once.
fn held() -> &'static Mutex<HashSet<Digest>> {
    static HELD: LazyLock<Mutex<HashSet<Digest>>> = LazyLock::new(Mutex::default);
    &HELD
}

/// Changes with all that an example's result depends on, and with what it says.
fn key_of(set: &RuleSet, source: &Source) -> Digest {
    let rules = DigestBuilder::new("gander.held").field(&source.name).field(&source.text);
    set.rules.iter().fold(rules, |digest, rule| digest.field(rule.identity.as_bytes())).finish()
}

fn error(source: &Source, example: &ExampleResult) -> ScriptError {
    let ExampleResult { rule, number, before, wanted, came, failed, at, .. } = example;
    let mut message = format!("rule `{rule}`: its example {number} does not hold");
    if let Some(why) = failed {
        message += &format!(": {}", why.replace('\n', "\n  "));
    }
    if came != wanted {
        let line = |tag: ChangeTag, line: &str| format!("{tag} {line}");
        let what = if before == wanted { "nothing may change" } else { "what it says (-), and what came (+)" };
        message += &format!("\n{what}\n{}", difference(wanted, came, &line).trim_end());
    }
    let hint =
        format!("mend the rule, or its example; until then nothing runs it. `gander test {}` tries it", source.name);
    ScriptError::at(&source.name, &source.text, *at, &message).hint(&hint)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test writes its own temporary folder")]
mod tests {
    use super::*;

    /// What loading says, with these inputs, in a folder where the tests of the rules have others.
    fn said(rules: &str, given: &[(&str, &str)], tested: Option<&str>) -> Result<Vec<String>, String> {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("tests")).unwrap();
        if let Some(tested) = tested {
            std::fs::write(root.path().join("tests/r.toml"), tested).unwrap();
        }
        let folder = Some(root.path().to_owned());
        let source = Source { name: "r.rhai".to_owned(), text: rules.to_owned(), folder };
        let parameters = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let rules = load(&[source], &Inputs { parameters, ..Inputs::default() }, Given::ByHand);
        let rules = rules.map_err(|errors| errors.to_string())?;
        Ok(unexampled(&rules).into_iter().map(str::to_owned).collect())
    }

    const FLAG: &str = "rule(\"r\").lang(\"python\").find(\"f($X)\").where(#{ X: param(\"flag\") }).replace(\"g($X)\")";

    #[test]
    fn a_rule_whose_example_does_not_hold_does_not_load() {
        let lies = "rule(\"a\").lang(\"python\").find(\"f($X)\").replace(\"g($X)\")\n    .example(\"f(1)\", \"h(1)\").unchanged(\"f(2)\");\nrule(\"b\").lang(\"python\").find(\"k($X)\").refuse(\"no\")\n    .unchanged(\"k()\").unchanged(\"k(1)\");\n";
        let error = said(lies, &[], None).unwrap_err();
        for wanted in [
            "rule `a`: its example 1 does not hold\n --> r.rhai:2:6",
            "rule `a`: its example 2 does not hold\n --> r.rhai:2:30",
            "rule `b`: its example 2 does not hold: 1:1: no\n --> r.rhai:4:23",
            "- h(1)",
            "+ g(1)",
            "nothing may change",
            "help: mend the rule, or its example",
        ] {
            assert!(error.contains(wanted), "{wanted}:\n{error}");
        }
        assert!(!error.contains("rule `b`: its example 1"), "{error}");
        let broken = format!("{lies}rule(\"c\");");
        assert!(!said(&broken, &[], None).unwrap_err().contains("does not hold"), "what does not compile comes first");
    }

    #[test]
    fn examples_are_tried_with_what_tests_are_given() {
        let rule = format!("{FLAG}.example(\"f(A)\", \"g(A)\").unchanged(\"f(B)\");");
        let tested = "[parameters]\nflag = \"A\"\n";
        assert_eq!(said(&rule, &[("flag", "B")], Some(tested)), Ok(Vec::new()), "one run gives another flag");
        assert_eq!(said(&rule, &[("flag", "A")], None), Ok(Vec::new()), "only what is given by hand makes it load");
        let broken = said(&rule, &[("flag", "A")], Some("[parameters\n")).unwrap_err();
        assert!(broken.contains("its examples can't be tried") && broken.contains("r.toml"), "{broken}");
        assert!(said(&rule, &[("flag", "B")], None).unwrap_err().contains("example 1 does not hold"));
        assert!(said(&rule, &[("flag", "A")], Some("[parameters]\nflag = \"B\"\n")).unwrap_err().contains("example 1"));
    }

    #[test]
    fn a_rule_without_examples_runs_with_a_hint() {
        let rules = format!("{FLAG}; followup(\"x\", []).lang(\"python\").find(\"a\").replace(\"b\");");
        assert_eq!(said(&rules, &[("flag", "A")], None), Ok(vec!["r".to_owned()]));
    }
}
