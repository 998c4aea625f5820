//! What gates saw and say.

use serde::Serialize;

use super::history::when;
use super::table::{escaped, one_line};
use crate::rollout::{Finding, Judgement};

/// One line a gate, and what they say together.
pub fn text(wave: u32, findings: &[Finding], judgement: &Judgement) -> String {
    let width = findings.iter().map(|finding| one_line(&finding.gate).chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for finding in findings {
        let until = finding.wait.as_ref().and_then(|wait| wait.until).map(|until| format!(", until {}", when(until)));
        let (gate, why) = (one_line(&finding.gate), one_line(&finding.why));
        out.push_str(&format!("{gate:<width$}  {:<12}  {why}{}\n", finding.says.as_str(), until.unwrap_or_default()));
    }
    out.push_str(&format!("wave {wave} would {}\n", decision(judgement)));
    out
}

fn decision(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Passed(why) => format!("pass: {}", one_line(why)),
        Judgement::Failed(why) => format!("fail: {}", one_line(why)),
        Judgement::Inconclusive(why) => format!("pause: {}", one_line(why)),
        Judgement::Waiting(waits) => {
            format!("wait: {}", waits.iter().map(|wait| one_line(&wait.why)).collect::<Vec<_>>().join("; "))
        }
    }
}

/// The same as JSON: `null` for the wave and the judgement where no wave is open.
pub fn json(open: Option<(u32, &[Finding], &Judgement)>) -> String {
    #[derive(Serialize)]
    struct Gates<'a> {
        schema_version: u32,
        wave: Option<u32>,
        gates: &'a [Finding],
        judgement: Option<&'a Judgement>,
    }
    let gates = open.map_or(&[][..], |(_, findings, _)| findings);
    let (wave, judgement) = (open.map(|(wave, ..)| wave), open.map(|(.., judgement)| judgement));
    let gates = Gates { schema_version: 1, wave, gates, judgement };
    // Nothing in it can fail to be JSON.
    escaped(&serde_json::to_string_pretty(&gates).unwrap_or_default())
}
