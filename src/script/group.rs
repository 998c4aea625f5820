//! `.group_by(…).edit_group(…)`: many matches, one edit set.

use std::sync::Arc;

use rhai::{Array, Dynamic, FnPtr, NativeCallContext};

use super::builder::Handle;
use super::closure::{Closure, frozen};
use super::code::EditSpec;
use super::draft::Then;
use super::explain::plain;
use super::nodes::{RhaiMatch, RhaiNode};
use super::reference::Api;
use crate::language::FileLanguages;
use crate::rule::{Decision, Facts, Join, Match};

/// Both closures of a rule that joins.
pub(super) struct Grouped {
    pub(super) key: Closure,
    pub(super) edit: Closure,
}

pub(super) fn register(api: &mut Api<'_>) {
    let example = r#".find(stmt("register($C, $M)")).where(#{ C: kind("identifier") })
    .group_by(|m, cx| { let class = m.C.definition(); if class == () { skip("its class is elsewhere") } else { class.parent } })
    .edit_group(|class, ms, cx| {
        let models = ms.map(|one| one.M);
        edits([insert_before(class, code("@register($$$M)", #{ M: codes(models, ", ") }))] + ms.map(|one| delete(one.node)))
    })
    .example("class A:\n    pass\nregister(A, x)\nregister(A, y)\nregister(B, z)\n", "@register(x, y)\nclass A:\n    pass\nregister(B, z)\n");"#;
    let example = format!("rule(\"example\").lang(\"python\"){example}");
    let docs = "Joins matches: those of a file for which the closure `|m, cx|` gives the same node, text or number belong together. `skip(…)` leaves one out.";
    api.function(
        "Rule.group_by(closure) -> Rule",
        docs,
        &example,
        |cx: NativeCallContext, h: &mut Handle, key: FnPtr| {
            h.change(|d| d.group_by = Some((frozen(key), cx.call_position())))
        },
    );
    let docs = "Makes the changes for all matches of a group: the closure `|key, ms, cx|` gives `edits([…])`, which are made together or not at all, or a verdict.";
    api.function(
        "Rule.edit_group(closure) -> Rule",
        docs,
        &example,
        |cx: NativeCallContext, h: &mut Handle, edit: FnPtr| {
            h.change(|d| d.actions.push((Then::Join(frozen(edit)), cx.call_position())))
        },
    );
}

impl Join for Grouped {
    fn key(&self, found: &Match, facts: &Arc<Facts>) -> Result<Result<String, Decision>, String> {
        let answer = self.key.call(found, Some(facts))?;
        if let Some(decision) = answer.read_lock::<Decision>() {
            return Ok(Err(decision.clone()));
        }
        if let Some(node) = answer.read_lock::<RhaiNode>() {
            return Ok(Ok(format!("node {}", node.id.0)));
        }
        if let Ok(text) = answer.clone().into_immutable_string() {
            return Ok(Ok(format!("text {text}")));
        }
        if let Ok(number) = answer.as_int() {
            return Ok(Ok(format!("number {number:020}")));
        }
        let fraction = || "one with a fraction".to_owned();
        let kind = if answer.is_float() { fraction() } else { plain(answer.type_name()) };
        let wanted = "a node, text, a whole number or skip(…)";
        Err(format!("{}: group_by(…) must give {wanted}, not {kind}", self.key.place_of()))
    }

    fn decide(&self, found: &[Match], facts: &Arc<Facts>, languages: &FileLanguages) -> Result<Decision, String> {
        let Some(first) = found.first() else { return Ok(Decision::Edits(Vec::new())) };
        let key = self.key.call(first, Some(facts))?;
        let all: Array = found.iter().map(|one| Dynamic::from(RhaiMatch(Arc::new(one.clone())))).collect();
        let answer = self.edit.call_with(first, Some(facts), vec![key, all.into()])?;
        if let Some(decision) = answer.read_lock::<Decision>() {
            return Ok(decision.clone());
        }
        match answer.read_lock::<Vec<EditSpec>>() {
            Some(edits) => {
                let written = edits.iter().map(|edit| self.edit.written(edit, first, languages));
                Ok(Decision::Edits(written.collect::<Result<_, _>>()?))
            }
            None => Err(self.edit.wrong("edits([…])", &answer)),
        }
    }
}
