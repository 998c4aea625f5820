//! Which of two rules goes first where both want the same code: what the rules say, and
//! what the migration says of them.
//!
//! Must not: guess. Rules that nobody orders are a conflict.

use std::collections::BTreeSet;

use super::Rule;
use crate::digest::DigestBuilder;

/// What is wrong with an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disorder {
    /// No rule has this id; the nearest that there is.
    Absent(String, Option<String>),
    /// Each of two rules is to go first, perhaps by way of others.
    Contradiction(String, String),
}

/// How near an id must be to be the one that was meant.
const NEAR: f64 = 0.8;

/// Adds what each of `lists` says to what the rules say of themselves: every rule of a list goes
/// before all that follow it there.
///
/// # Errors
/// All that is wrong with the order that comes of it.
pub fn order(rules: &mut [Rule], lists: &[Vec<String>]) -> Result<(), Vec<Disorder>> {
    let mut wrong = Vec::new();
    for id in lists.iter().flatten().filter(|id| !rules.iter().any(|rule| rule.id == **id)) {
        let scored = rules.iter().map(|rule| (strsim::jaro_winkler(id, &rule.id), rule.id.clone()));
        let nearest = scored.filter(|(score, _)| *score > NEAR).max_by(|a, b| a.0.total_cmp(&b.0));
        wrong.push(Disorder::Absent(id.clone(), nearest.map(|(_, id)| id)));
    }
    for rule in rules.iter_mut() {
        let after = |list: &Vec<String>| list.iter().position(|id| *id == rule.id).map(|at| list[at + 1..].to_vec());
        let mut later: Vec<String> = lists.iter().filter_map(after).flatten().collect();
        later.retain(|id| !rule.before.contains(id));
        if !later.is_empty() {
            // What comes of a file depends on it.
            let digest = DigestBuilder::new("gander.ordered").field(rule.identity.as_bytes());
            rule.identity = later.iter().fold(digest, |digest, id| digest.field(id)).finish();
            rule.before.extend(later);
        }
    }
    wrong.extend(circles(rules));
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Of every circle of orders, the rule that it begins with and the last one before it again.
fn circles(rules: &[Rule]) -> Vec<Disorder> {
    let after = |id: &str| rules.iter().find(|rule| rule.id == id).map_or(&[][..], |rule| rule.before.as_slice());
    let (mut found, mut told): (_, BTreeSet<&String>) = (Vec::new(), BTreeSet::new());
    for one in rules.iter().filter(|rule| !rule.before.is_empty()) {
        let (mut later, mut pending) = (BTreeSet::new(), one.before.iter().collect::<Vec<_>>());
        while let Some(id) = pending.pop() {
            if later.insert(id) {
                pending.extend(after(id));
            }
        }
        // In a circle, each goes before each other: one of it says so.
        if told.contains(&one.id) || !later.contains(&one.id) {
            continue;
        }
        if let Some(last) = later.iter().find(|id| after(id).contains(&one.id)) {
            found.push(Disorder::Contradiction(one.id.clone(), (*last).clone()));
        }
        told.extend(later);
    }
    found
}
