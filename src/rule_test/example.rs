//! `.example(before, after)` and `.unchanged(code)` of rules: run as a user runs
//! the rules, through every check of the transform stage.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rule::{After, Builds, Example, Facts, Place, Rule, RuleSet};
use crate::transform::{Fate, FileReport, FindingKind, Lies, collect, decide, file, spread, unsettled};
use crate::tree::parse;

/// What came of one example.
#[derive(Clone, Debug)]
pub struct ExampleResult {
    /// The rule that states it.
    pub rule: String,
    /// The file and line of the rule.
    pub place: String,
    /// Its number in the rule, from 1.
    pub number: usize,
    /// Its code.
    pub before: String,
    /// What must come of it.
    pub wanted: String,
    /// What came.
    pub came: String,
    /// Why a rule or a check forbids the change.
    pub failed: Option<String>,
    /// Where the rule states it: line and column from 1.
    pub at: (u32, u32),
}

impl ExampleResult {
    /// Whether it is as the rule says.
    pub fn passed(&self) -> bool {
        self.failed.is_none() && self.came == self.wanted
    }
}

/// Runs the examples of every rule, each as a file of its own, together with the
/// other rules of the set.
pub fn examples(rules: &RuleSet) -> Vec<ExampleResult> {
    rules.rules.iter().flat_map(|rule| examples_of(rules, rule)).collect()
}

/// The same for one rule of the set.
pub(super) fn examples_of(rules: &RuleSet, rule: &Rule) -> Vec<ExampleResult> {
    let name = file_name(rule);
    let result = |(at, example): (usize, &Example)| {
        let (came, failed) = match &name {
            Some(name) => one(rules, name, &example.before),
            None => (example.before.clone(), Some("no file name tells its language".to_owned())),
        };
        ExampleResult {
            rule: rule.id.clone(),
            place: rule.place.clone(),
            number: at + 1,
            before: example.before.clone(),
            wanted: example.after.to_string(),
            came,
            failed,
            at: example.at,
        }
    };
    rule.examples.iter().enumerate().map(result).collect()
}

/// A file name that makes gander read an example in the rule's first language, or
/// in the language of its first host.
fn file_name(rule: &Rule) -> Option<String> {
    let variant = rule.variants.first()?;
    let language = variant.hosts.first().map_or(variant.language, |h| h.language);
    let facts = &language.facts;
    let named = facts.extensions.first().map(|extension| format!("example.{extension}"));
    named.or_else(|| facts.filenames.first().cloned())
}

/// The code after the rules, and why they may not change it.
fn one(rules: &RuleSet, name: &str, before: &str) -> (String, Option<String>) {
    let unchanged = |why: String| (before.to_owned(), Some(why));
    let place = Place::Example(name);
    let planted = |facts: &Arc<Facts>| file(rules, facts, place, before.as_bytes()).seeds;
    let asked = |mut facts: Facts| {
        facts.set_builds(Builds::AsAsked);
        spread(rules, facts, planted)
    };
    let facts = match collect(rules, place, before.as_bytes()).and_then(asked) {
        Ok(facts) => facts,
        Err(finding) => return unchanged(finding.message),
    };
    if rules.exercise.is_some() {
        ask_the_rest(rules, name, before, &facts);
    }
    let mut report = file(rules, &facts, place, before.as_bytes());
    // The file is all there is: what rules make, move and remove is decided over it alone.
    let lies = |path: &str, _: Option<&str>| match path == name {
        true => Lies::File(before.as_bytes().to_vec()),
        false => Lies::Nothing,
    };
    let decided = decide(rules, &facts, &mut [(name, &mut report)], &lies);
    if let Some(finding) =
        report.findings.iter().find(|f| matches!(f.kind, FindingKind::Errored | FindingKind::Refused))
    {
        return unchanged(format!("{}:{}: {}", finding.line, finding.column, finding.message));
    }
    let own = |report: &FileReport| match &report.change {
        Some(change) => String::from_utf8_lossy(&change.bytes).into_owned(),
        None => before.to_owned(),
    };
    let (path, text) = match &report.fate {
        Fate::Goes { .. } => (None, String::new()),
        Fate::Moves { to, .. } => (Some(to.as_str()), own(&report)),
        Fate::Stays => (Some(name), own(&report)),
    };
    let mut files: BTreeMap<String, String> =
        decided.new.iter().map(|(path, new)| (path.clone(), new.text.clone())).collect();
    files.extend(path.map(|path| (path.to_owned(), text.clone())));
    let restless = restless(rules, &files, &|wanted| decided.there(wanted));
    let failed = restless.map(|rule| format!("a second run would change the result again: `{rule}`"));
    let whole = report.fate != Fate::Stays || !decided.new.is_empty();
    let after = if whole { After::Files(files) } else { After::Text(text) };
    (after.to_string(), failed)
}

/// Asks the rules that the prefilter rules out: they match nothing, and what they were
/// asked is recorded. An example of what a condition leaves out would else show nothing.
fn ask_the_rest(rules: &RuleSet, name: &str, code: &str, facts: &Arc<Facts>) {
    let Some(language) = rules.language_of(Place::Example(name)) else { return };
    let rest = rules.ruled_out(language, Place::Example(name), code.as_bytes());
    if let Ok(tree) = parse(language, code).map(Arc::new) {
        let _ = crate::rule::run(rules, crate::rule::File { path: name, tree: &tree }, &rest, facts);
    }
}

/// Rules that collect are checked over what the result tells: the rule that would go on.
fn restless(
    rules: &RuleSet,
    files: &BTreeMap<String, String>,
    there: &dyn Fn(&crate::transform::Creation) -> bool,
) -> Option<String> {
    if !rules.collects() {
        return None;
    }
    let mut facts = Facts::default();
    facts.set_builds(Builds::AsAsked);
    for (path, text) in files {
        facts.merge(collect(rules, Place::Example(path), text.as_bytes()).ok()?);
    }
    let facts = Arc::new(facts);
    files.iter().find_map(|(path, text)| unsettled(rules, &facts, Place::Example(path), text.as_bytes(), there))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Inputs, Source, entries, example_inputs, load};

    fn run(text: &str, inputs: &Inputs) -> Result<Vec<ExampleResult>, String> {
        let source = Source { name: "example.rhai".to_owned(), text: text.to_owned(), ..Source::default() };
        Ok(examples(&load(&[source], inputs).map_err(|e| e.to_string())?))
    }

    /// Rhai recurses deeper than a test's stack in a debug build.
    fn wide<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(16 << 20).spawn_scoped(scope, work).unwrap();
            thread.join().unwrap()
        })
    }

    #[test]
    fn every_example_of_the_reference_does_what_it_says() {
        let mut wrong = Vec::new();
        for entry in entries() {
            match wide(|| run(&entry.example, &example_inputs())) {
                Err(error) => wrong.push(format!("{}: {error}", entry.signature)),
                Ok(results) if results.is_empty() => wrong.push(format!("{}: it runs nothing", entry.signature)),
                Ok(results) => wrong.extend(results.iter().filter(|r| !r.passed()).map(|r| {
                    format!(
                        "{}: of {:?} came {:?} and not {:?}; {:?}",
                        entry.signature, r.before, r.came, r.wanted, r.failed
                    )
                })),
            }
            let says = entry.name == "[]" || entry.is_type || entry.example.contains(&entry.name);
            if !says {
                wrong.push(format!("{}: its example does not use it", entry.signature));
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }

    #[test]
    fn an_example_that_lies_fails() {
        let results = run(
            r#"rule("a").lang("python").find("f($X)").replace("g($X)").example("f(1)", "h(1)").unchanged("f(2)").unchanged("h(2)");"#,
            &Inputs::default(),
        );
        let passed: Vec<bool> = results.unwrap().iter().map(ExampleResult::passed).collect();
        assert_eq!(passed, [false, false, true]);
        let refused = r#"rule("a").lang("python").find("f($X)").refuse("no").unchanged("f(2)");"#;
        assert!(!run(refused, &Inputs::default()).unwrap()[0].passed(), "a refusal is no `unchanged`");
    }
}
