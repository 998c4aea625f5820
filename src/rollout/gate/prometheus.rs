//! Gates that ask Prometheus. An empty result, a value that is no number, a warning of
//! the server that data is missing: all mean that it can't be told.

use serde::Deserialize;
use serde_json::json;

use super::Said;
use super::outside::{Answer, Around, client, limited};
use super::statistics::mann_whitney;
use crate::config::{Comparison, Endpoint, Limits};
use crate::http::encoded;
use crate::state::WaitFor;

/// The most samples of one series that are asked for; the server's own limit is 11,000.
const MOST_SAMPLES: i64 = 10_000;

/// The answer of `/api/v1/query` and `/api/v1/query_range`.
#[derive(Deserialize)]
struct Reply {
    status: String,
    data: Option<Data>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Instant>),
    Scalar((f64, String)),
    Matrix(Vec<Range>),
    String(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Instant {
    value: (f64, String),
}

#[derive(Deserialize)]
struct Range {
    values: Vec<(f64, String)>,
}

/// All values of an answer, whatever their series.
fn values(source: &Endpoint, path: &str, around: &Around<'_>) -> Result<Vec<f64>, String> {
    let reply: Reply =
        client(source, around)?.get(&format!("{}/api/v1/{path}", source.url)).map_err(|error| error.to_string())?;
    if reply.status != "success" {
        return Err(format!("{} did not answer with success", source.url));
    }
    if let Some(warning) = reply.warnings.first() {
        let warning: String = warning.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(format!("{} warns: {warning}", source.url));
    }
    let texts: Vec<String> = match reply.data {
        Some(Data::Vector(series)) => series.into_iter().map(|one| one.value.1).collect(),
        Some(Data::Scalar((_, value))) => vec![value],
        Some(Data::Matrix(series)) => series.into_iter().flat_map(|one| one.values).map(|(_, value)| value).collect(),
        Some(Data::String(_)) | None => return Err(format!("{} answered with no numbers", source.url)),
    };
    texts.iter().map(|text| text.parse().map_err(|_| format!("{} answered with {text:?}", source.url))).collect()
}

/// An instant query: every series must keep to the limits.
pub(super) fn query(source: &Endpoint, query: &str, limits: Limits, around: &Around<'_>) -> Answer {
    let path = format!("query?query={}", encoded(query));
    let values = match values(source, &path, around) {
        Ok(values) => values,
        Err(error) => return Answer::unknown(error),
    };
    if values.is_empty() {
        return Answer::unknown(format!("`{query}` has no result"));
    }
    if values.iter().any(|value| !value.is_finite()) {
        return Answer::unknown(format!("`{query}` is no number"));
    }
    let ruled: Vec<_> = values.iter().map(|value| limited(*value, limits, &format!("`{query}`"))).collect();
    let worst = ruled.iter().find(|(says, _)| *says == Said::Fail).or(ruled.first());
    let (says, why) = worst.cloned().unwrap_or((Said::Inconclusive, String::new()));
    Answer::of(says, why, json!({ "values": values }))
}

/// How often it ran: the values are added up.
pub(super) fn runs(source: &Endpoint, query: &str, wanted: u64, around: &Around<'_>) -> Answer {
    let age = (around.clock.now() - around.since).max(1);
    let asked = query.replace("$SINCE", &format!("{age}s"));
    match values(source, &format!("query?query={}", encoded(&asked)), around) {
        Err(error) => Answer::unknown(error),
        Ok(values) if values.iter().any(|value| !value.is_finite()) => {
            Answer::unknown(format!("`{query}` is no number"))
        }
        // Nothing has run yet is what an empty answer says here.
        Ok(values) => {
            let seen = values.iter().sum::<f64>().floor().max(0.0);
            #[expect(clippy::cast_precision_loss, reason = "nobody waits for 2^52 runs")]
            let enough = seen >= wanted as f64;
            match enough {
                true => Answer::of(Said::Pass, format!("{seen} runs since, {wanted} wanted"), json!({ "runs": seen })),
                false => Answer::waits(WaitFor::Observation, None, format!("{seen} of {wanted} runs were seen")),
            }
        }
    }
}

/// Two range queries over the time since the wave is out.
pub(super) fn compare(
    source: &Endpoint,
    (baseline, canary): (&str, &str),
    test: &Comparison,
    around: &Around<'_>,
) -> Answer {
    let now = around.clock.now();
    let least = (now - around.since) / MOST_SAMPLES + 1;
    let step = i64::try_from(test.step.as_secs()).unwrap_or(i64::MAX).max(least);
    let samples = |query: &str| {
        let path = format!("query_range?query={}&start={}&end={now}&step={step}", encoded(query), around.since);
        let found = values(source, &path, around)?;
        // An infinite sample has its rank as any other; of what is no number nobody knows where it stands.
        match found.iter().filter(|value| value.is_nan()).count() {
            0 => Ok(found),
            unknown => Err(format!(
                "{unknown} of {} samples of `{query}` are no number: let the query leave out what says nothing, as by `>= 0`",
                found.len()
            )),
        }
    };
    let (old, new) = match samples(baseline).and_then(|old| Ok((old, samples(canary)?))) {
        Ok(both) => both,
        Err(error) => return Answer::unknown(error),
    };
    let fewest = old.len().min(new.len()) as u64;
    if fewest < test.min_samples {
        return Answer::unknown(format!(
            "`{canary}`: {} samples against {}, at least {} of each needed",
            new.len(),
            old.len(),
            test.min_samples
        ));
    }
    let compared = match test.higher_is_worse {
        true => mann_whitney(&new, &old),
        false => mann_whitney(&old, &new),
    };
    let reading = |p: f64, effect: f64| json!({ "baseline": old.len(), "canary": new.len(), "p": p, "effect": effect });
    match compared {
        // Every value is the same.
        None => Answer::of(Said::Pass, format!("`{canary}` is its baseline"), reading(1.0, 0.5)),
        Some(found) => {
            let worse = found.p <= test.max_p && found.effect >= test.min_effect;
            let why = format!(
                "`{canary}` is worse than its baseline with chance {:.2} (p = {:.4}; {} at p ≤ {} allowed)",
                found.effect, found.p, test.min_effect, test.max_p
            );
            Answer::of(if worse { Said::Fail } else { Said::Pass }, why, reading(found.p, found.effect))
        }
    }
}
