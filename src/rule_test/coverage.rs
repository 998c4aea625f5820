//! What of the rules no example and no case exercises.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::language::Language;
use crate::rule::{Exercise, Matcher, Rule, RuleSet, Variant};

/// A part of a rule that no test exercises.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// The rule.
    pub rule: String,
    /// Where it is declared.
    pub place: String,
    /// Which part, and what no test shows of it.
    pub what: String,
}

/// What is known of one part: whether it held, and whether it failed.
#[derive(Clone, Copy, Default)]
struct Seen {
    held: bool,
    failed: bool,
    /// A branch need not fail, a condition should.
    must_fail: bool,
}

/// Parts of one rule in the order in which they are written, by what they are called.
type Parts = Vec<(String, Seen)>;

/// What was not exercised in any of these sets of the same rules, which were loaded
/// with different inputs. A part counts in any language of its rule.
pub fn gaps(sets: &[&RuleSet]) -> Vec<Gap> {
    let mut rules: Vec<(String, String)> = Vec::new();
    let mut all: BTreeMap<String, (bool, Parts)> = BTreeMap::new();
    for set in sets {
        let Some(exercise) = &set.exercise else { continue };
        for (index, rule) in set.rules.iter().enumerate() {
            let (matched, parts) = all.entry(rule.id.clone()).or_insert_with(|| {
                rules.push((rule.id.clone(), rule.place.clone()));
                Default::default()
            });
            *matched |= exercise.of_rule(index).0 > 0;
            parts_of(rule, exercise, parts);
        }
    }
    let mut gaps = Vec::new();
    for (id, place) in rules {
        let Some((matched, parts)) = all.remove(&id) else { continue };
        let gap = |what: String| Gap { rule: id.clone(), place: place.clone(), what };
        if !matched {
            // Its parts can't have been exercised in full then.
            gaps.push(gap("never matches".to_owned()));
            continue;
        }
        gaps.extend(parts.into_iter().filter_map(|(name, seen)| match seen {
            Seen { held: false, must_fail: false, .. } => Some(gap(format!("{name} never matches"))),
            Seen { held: false, failed: false, .. } => Some(gap(format!("{name} is never asked"))),
            Seen { held: false, .. } => Some(gap(format!("{name} never holds"))),
            Seen { failed: false, must_fail: true, .. } => {
                Some(gap(format!("{name} held whenever it was asked: no test shows what it leaves out")))
            }
            _ => None,
        }));
    }
    gaps
}

fn parts_of(rule: &Rule, exercise: &Exercise, parts: &mut Parts) {
    for variant in &rule.variants {
        let language = variant.language;
        branches("find", &variant.find, language, exercise, parts);
        for (name, condition) in &variant.conditions {
            add(parts, format!("where {name}: {}", shown(condition, language)), exercise.of(condition), true);
            branches(&format!("where {name}"), condition, language, exercise, parts);
        }
        contexts(variant, exercise, parts);
    }
    for (index, guard) in rule.guards.iter().enumerate() {
        let number = if rule.guards.len() > 1 { format!(" {}", index + 1) } else { String::new() };
        add(parts, format!("when{number}"), exercise.of(guard.as_ref()), true);
    }
}

fn contexts(variant: &Variant, exercise: &Exercise, parts: &mut Parts) {
    for context in &variant.context {
        branches(context.side.word(), &context.sought, variant.language, exercise, parts);
    }
    for host in &variant.hosts {
        branches("in_host", &host.matcher, host.language, exercise, parts);
    }
}

/// Every branch of every `any(…)` in a matcher.
fn branches(place: &str, matcher: &Matcher, language: &Language, exercise: &Exercise, parts: &mut Parts) {
    match matcher {
        Matcher::Any(branch) => {
            for (index, one) in branch.iter().enumerate() {
                let name = format!("{place}: branch {} of any(…), {}", index + 1, shown(one, language));
                add(parts, name, exercise.of(one), false);
                branches(place, one, language, exercise, parts);
            }
        }
        Matcher::All(all) => all.iter().for_each(|one| branches(place, one, language, exercise, parts)),
        Matcher::Not(one) => branches(place, one, language, exercise, parts),
        Matcher::Near(context) => branches(place, &context.sought, language, exercise, parts),
        _ => {}
    }
}

fn add(parts: &mut Parts, name: String, (held, failed): (bool, bool), must_fail: bool) {
    let at = parts.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
        parts.push((name, Seen { must_fail, ..Seen::default() }));
        parts.len() - 1
    });
    parts[at].1.held |= held;
    parts[at].1.failed |= failed;
}

/// A matcher as a rule writes it, shortened.
fn shown(matcher: &Matcher, language: &Language) -> String {
    match matcher {
        Matcher::Pattern(pattern) => format!("`{}`", pattern.source),
        Matcher::Invocation(call) => format!("invocation({:?})", call.pattern().source),
        Matcher::Kind(kinds) => {
            let names: Vec<&str> = kinds.iter().filter_map(|k| language.grammar.node_kind_for_id(*k)).collect();
            format!("kind({})", names.join(", "))
        }
        Matcher::Query(_) => "query(…)".to_owned(),
        Matcher::Lookup(lookup) => lookup.only().map_or("one_of(…)".to_owned(), |text| format!("`{text}`")),
        Matcher::Regex(regex) => format!("regex({:?})", regex.as_str()),
        Matcher::Literal(regex) => format!("literal({:?})", regex.as_str()),
        Matcher::Symbol(_) => "symbol(…)".to_owned(),
        Matcher::Typed(_) => "typed(…)".to_owned(),
        Matcher::Imported(_) => "imported(…)".to_owned(),
        Matcher::Named(_) => "a text that is the path".to_owned(),
        Matcher::Nth(place) => format!("nth({place})"),
        Matcher::Field(name) => format!("field({name:?})"),
        Matcher::Use(sought) => sought.shown(),
        Matcher::Given(name) => format!("given({name:?})"),
        Matcher::Near(context) => format!("{}({})", context.side.word(), shown(&context.sought, language)),
        Matcher::Any(_) => "any(…)".to_owned(),
        Matcher::All(_) => "all(…)".to_owned(),
        Matcher::Not(inner) => format!("not({})", shown(inner, language)),
    }
}
