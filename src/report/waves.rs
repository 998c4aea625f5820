//! Waves before anything is rolled out: who, why, and what each can prove.

use std::fmt::Write as _;

use super::table::{counted, escaped, one_line};
use crate::rollout::Preview;
use crate::rollout::gate::statistics::at_most;

/// The most kinds that are listed of a wave.
const MOST_KINDS: usize = 12;

/// The whole of it as text.
pub fn text(waves: &[Preview]) -> String {
    let mut out = String::new();
    let mut so_far = 0;
    for wave in waves.iter().filter(|wave| wave.consumers > 0) {
        so_far += wave.consumers as u64;
        let _ = writeln!(
            out,
            "wave {} ({}): {}. If none of them fails, at 95 % fewer than {:.1} % of all break; with the waves before, {:.1} %",
            wave.number,
            wave.label,
            counted(wave.consumers, "consumer"),
            at_most(wave.consumers as u64) * 100.0,
            at_most(so_far) * 100.0,
        );
        for (kind, count) in wave.strata.iter().take(MOST_KINDS) {
            let _ = writeln!(out, "  {count:>5} × {}", one_line(kind));
        }
        if let Some(more) = wave.strata.len().checked_sub(MOST_KINDS).filter(|more| *more > 0) {
            let _ = writeln!(out, "        and {}", counted(more, "further kind"));
        }
        for (_, consumer, _, why) in wave.members.iter().filter(|(.., why)| *why != "by lot") {
            let _ = writeln!(out, "        {}: {why}", one_line(consumer));
        }
    }
    if waves.is_empty() {
        out.push_str("There is no change set to deliver.\n");
    }
    out
}

/// The same as JSON, with every member.
pub fn json(waves: &[Preview]) -> String {
    let value = serde_json::json!({ "schema_version": 1, "waves": waves });
    escaped(&serde_json::to_string_pretty(&value).unwrap_or_default()) + "\n"
}
