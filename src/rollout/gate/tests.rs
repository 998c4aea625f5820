//! What gates say, alone and together; those that ask, against real programs and servers.

use super::*;
use crate::clock::Clock;
use crate::config::{Comparison, Endpoint, Limits};
use crate::http::tests::{Listener, answer};
use crate::state::WaitFor;
use crate::verify::VerdictKind;

fn seen(pass: u64, regressed: u64, no_data: u64) -> Seen {
    let mut seen = Seen::default();
    seen.counts.add(Some(VerdictKind::Pass), pass);
    seen.counts.add(Some(VerdictKind::Regressed), regressed);
    seen.counts.add(Some(VerdictKind::NoData), no_data);
    seen
}

fn word(gates: &[Gate], seen: &Seen) -> &'static str {
    match together(&own(gates, seen), seen) {
        Judgement::Passed(_) => "passed",
        Judgement::Failed(_) => "failed",
        Judgement::Inconclusive(_) => "inconclusive",
        Judgement::Waiting(_) => "waiting",
    }
}

#[test]
fn no_data_is_never_a_success() {
    let regressions = [Gate::Regressions { max: 0 }];
    for gates in [&[][..], &regressions] {
        assert_eq!(word(gates, &seen(0, 0, 9)), "inconclusive");
        assert_eq!(word(gates, &seen(0, 0, 0)), "inconclusive");
        assert_eq!(word(gates, &seen(1, 0, 9)), "passed");
    }
    let mut infra = Seen::default();
    infra.counts.add(Some(VerdictKind::Infra), 3);
    infra.counts.add(Some(VerdictKind::BaselineBroken), 3);
    infra.counts.add(None, 3);
    assert_eq!(word(&regressions, &infra), "inconclusive");
    assert_eq!(infra.counts.consumers, 9);
    assert_eq!(word(&[Gate::Evidence { min: 0 }], &infra), "passed");
    let rate = Gate::RegressionRate { percent: 5.0 };
    assert_eq!(word(&[rate, Gate::Evidence { min: 0 }], &infra), "inconclusive", "no rate of nothing");
    let undelivered = Seen { undelivered: 1, ..seen(5, 0, 0) };
    assert_eq!(word(&[], &undelivered), "inconclusive");
    let advised = |seen: &Seen| own(&[], seen)[0].why.contains("where that is all there can be");
    assert_eq!((advised(&infra), advised(&seen(1, 0, 9))), (true, false));
}

#[test]
fn all_gates_must_pass_and_failure_outweighs_doubt() {
    let gates = [Gate::Regressions { max: 1 }, Gate::Evidence { min: 3 }, Gate::Regressions { max: 4 }];
    assert_eq!(word(&gates, &seen(2, 1, 0)), "passed");
    assert_eq!(word(&gates, &seen(1, 1, 5)), "inconclusive");
    assert_eq!(word(&gates, &seen(0, 2, 5)), "failed");
    assert_eq!(word(&[], &seen(0, 5, 0)), "passed");
}

#[test]
fn rates_errors_and_pairs() {
    let rate = |percent| [Gate::RegressionRate { percent }];
    assert_eq!(word(&rate(5.0), &seen(95, 5, 1000)), "passed");
    assert_eq!(word(&rate(5.0), &seen(94, 6, 1000)), "failed");
    let mut errors = seen(90, 2, 0);
    errors.signatures.insert("no column plan_type".to_owned(), 1);
    errors.signatures.insert("no table users_v2".to_owned(), 1);
    assert_eq!(word(&[Gate::SameError { times: 2 }], &errors), "passed");
    errors.signatures.insert("no table users_v2".to_owned(), 2);
    assert_eq!(word(&[Gate::SameError { times: 2 }], &errors), "failed");
    let pairs = |worse, better| Seen { pairs: (worse, better), ..seen(50, worse, 0) };
    let gate = [Gate::Discordant { max_p: 0.05 }];
    for (worse, better, expected) in
        [(5, 0, "failed"), (4, 0, "passed"), (9, 1, "failed"), (9, 9, "passed"), (0, 9, "passed")]
    {
        assert_eq!(word(&gate, &pairs(worse, better)), expected, "{worse} {better}");
    }
}

fn asked(gate: Gate, now: i64) -> Finding {
    let (clock, seen) = (Clock::at(now), Seen::default());
    let around =
        Around { migration: "m", wave: 2, since: 1000, clock: &clock, approval: None, seen: &seen, out: vec![] };
    ask(&[gate], &around).remove(0)
}

#[test]
fn a_bake_waits_for_its_hour_and_doubt_waits_with_it() {
    let bake = Gate::Bake { time: std::time::Duration::from_secs(3600) };
    let waits = asked(bake.clone(), 4599);
    assert_eq!((waits.says, waits.wait.as_ref().and_then(|wait| wait.until)), (Said::Wait, Some(4600)));
    let early = asked(bake.clone(), 900).why;
    assert_eq!(
        early,
        "it bakes for 1 h from 1970-01-01T00:16:40Z, which is still to come by the clock of this machine"
    );
    assert_eq!(asked(bake, 4600).says, Said::Pass);
    let all = seen(3, 0, 0);
    let finding = |says, own| Finding { says, own, wait: None, ..waits.clone() };
    let both = |one, two: Finding| together(&[one, two], &all);
    assert!(matches!(both(waits.clone(), finding(Said::Inconclusive, false)), Judgement::Waiting(_)));
    assert!(matches!(both(waits.clone(), finding(Said::Inconclusive, true)), Judgement::Inconclusive(_)));
    assert!(matches!(both(waits.clone(), finding(Said::Fail, false)), Judgement::Failed(_)));
    assert!(matches!(both(finding(Said::Pass, false), finding(Said::Inconclusive, false)), Judgement::Inconclusive(_)));
}

fn command(script: &str) -> Finding {
    let run = ["sh", "-c", script].map(str::to_owned).to_vec();
    let timeout = std::time::Duration::from_secs(20);
    asked(Gate::Command { run, fails: vec![1, 3], timeout, folder: std::env::temp_dir() }, 5000)
}

#[test]
fn a_program_says_so_by_its_exit_code() {
    let pass = command("echo noise; grep -q '\"wave\":2' && echo 'all is well'");
    assert_eq!((pass.says, pass.why.as_str()), (Said::Pass, "`sh` passes: all is well"));
    assert_eq!(command("exit 1").says, Said::Fail);
    assert_eq!(command("exit 3").says, Said::Fail);
    for doubt in ["exit 2", "exit 127", "kill -9 $$"] {
        assert_eq!(command(doubt).says, Said::Inconclusive, "{doubt}");
    }
    let gate = |program: &str, seconds| Gate::Command {
        run: vec![program.to_owned(), "600".to_owned()],
        fails: vec![1],
        timeout: std::time::Duration::from_secs(seconds),
        folder: std::env::temp_dir(),
    };
    assert_eq!(asked(gate("no-such-program-here", 5), 5000).says, Said::Inconclusive);
    let late = asked(gate("sleep", 1), 5000);
    assert!(late.says == Said::Inconclusive && late.why.contains("longer than"), "{}", late.why);
}

fn endpoint(server: &Listener) -> Endpoint {
    Endpoint { url: server.url.clone(), token: None, timeout: std::time::Duration::from_secs(20) }
}

fn http(body: &str, status: u16, value: Option<&str>, max: f64) -> Finding {
    let server = Listener::new(vec![answer(status, "", body); 8]);
    let limits = Limits { max: Some(max), min: None };
    asked(Gate::Http { source: endpoint(&server), value: value.map(str::to_owned), limits }, 5000)
}

#[test]
fn an_endpoint_says_so_in_a_word_or_a_number() {
    let said = |body: &str, value| http(body, 200, value, 0.01).says;
    assert_eq!(said(r#"{"result":"pass"}"#, None), Said::Pass);
    assert_eq!(said(r#"{"result":"fail","reason":"too slow"}"#, None), Said::Fail);
    assert_eq!(said(r#"{"errors":{"rate":0.001}}"#, Some("/errors/rate")), Said::Pass);
    assert_eq!(said(r#"{"errors":{"rate":0.5}}"#, Some("/errors/rate")), Said::Fail);
    for (body, value) in [
        ("{}", None),
        (r#"{"result":"maybe"}"#, None),
        (r#"{"errors":{}}"#, Some("/errors/rate")),
        (r#"{"errors":{"rate":"0"}}"#, Some("/errors/rate")),
        ("", None),
        ("<html>", None),
    ] {
        assert_eq!(said(body, value), Said::Inconclusive, "{body}");
    }
    assert_eq!(http(r#"{"result":"pass"}"#, 404, None, 0.0).says, Said::Inconclusive);
    assert_eq!(http(r#"{"result":"pass"}"#, 500, None, 0.0).says, Said::Inconclusive);
}

fn vector(values: &[&str]) -> String {
    let series: Vec<String> = values.iter().map(|v| format!(r#"{{"metric":{{}},"value":[1,"{v}"]}}"#)).collect();
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#, series.join(","))
}

#[test]
fn every_series_of_a_query_must_keep_to_the_limits() {
    let query = |body: &str| {
        let server = Listener::new(vec![answer(200, "Content-Type: application/json\r\n", body)]);
        let limits = Limits { max: Some(1.0), min: None };
        let finding = asked(Gate::Query { source: endpoint(&server), query: "up{a=\"b\"}".to_owned(), limits }, 5000);
        assert!(server.asked()[0].starts_with("GET /api/v1/query?query=up%7Ba%3D%22b%22%7D "), "{:?}", server.asked());
        finding.says
    };
    assert_eq!(query(&vector(&["0", "1"])), Said::Pass);
    assert_eq!(query(&vector(&["0", "1.5", "0"])), Said::Fail);
    for body in [
        vector(&[]),
        vector(&["0", "NaN"]),
        vector(&["+Inf"]),
        r#"{"status":"error","errorType":"timeout","error":"x"}"#.to_owned(),
        r#"{"status":"success","warnings":["partial"],"data":{"resultType":"scalar","result":[1,"0"]}}"#.to_owned(),
        r#"{"status":"success","data":{"resultType":"string","result":[1,"0"]}}"#.to_owned(),
        "{}".to_owned(),
    ] {
        assert_eq!(query(&body), Said::Inconclusive, "{body}");
    }
}

#[test]
fn a_canary_is_compared_with_its_baseline() {
    let matrix = |values: &[f64]| {
        let values: Vec<String> = values.iter().map(|v| format!(r#"[1,"{v}"]"#)).collect();
        let values = values.join(",");
        let body = format!(
            r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{values}]}}]}}}}"#
        );
        answer(200, "Content-Type: application/json\r\n", &body)
    };
    let compare = |old: &[f64], new: &[f64], higher_is_worse| {
        let server = Listener::new(vec![matrix(old), matrix(new)]);
        let step = std::time::Duration::from_secs(60);
        let test = Comparison { higher_is_worse, max_p: 0.01, min_effect: 0.65, min_samples: 20, step };
        let (baseline, canary) = ("old".to_owned(), "new".to_owned());
        let finding = asked(Gate::Compare { source: endpoint(&server), baseline, canary, test }, 5000);
        let first = server.asked()[0].clone();
        assert!(first.starts_with("GET /api/v1/query_range?query=old&start=1000&end=5000&step=60 "), "{first}");
        finding.says
    };
    let spread = |shift: f64| (0..30).map(|n| f64::from(n % 10) + shift).collect::<Vec<_>>();
    assert_eq!(compare(&spread(0.0), &spread(0.0), true), Said::Pass);
    assert_eq!(compare(&spread(0.0), &spread(5.0), true), Said::Fail);
    assert_eq!(compare(&spread(0.0), &spread(5.0), false), Said::Pass, "higher is better");
    assert_eq!(compare(&spread(5.0), &spread(0.0), false), Said::Fail);
    assert_eq!(compare(&spread(0.0), &spread(0.4), true), Said::Pass, "too small to count");
    assert_eq!(compare(&spread(0.0)[..19], &spread(5.0), true), Said::Inconclusive, "too few");
    let broken = |value: f64| [&[value; 100][..], &spread(0.0)].concat();
    assert_eq!(compare(&spread(0.0), &broken(f64::INFINITY), true), Said::Fail, "beyond all that is measured");
    assert_eq!(compare(&spread(0.0), &broken(f64::NEG_INFINITY), true), Said::Pass);
    assert_eq!(compare(&spread(0.0), &broken(f64::NAN), true), Said::Inconclusive, "nobody knows where it stands");
}

#[test]
fn runs_are_waited_for() {
    let runs = |body: &str| {
        let server = Listener::new(vec![answer(200, "Content-Type: application/json\r\n", body)]);
        let query = "increase(runs[$SINCE])".to_owned();
        let finding = asked(Gate::Runs { runs: 20, source: endpoint(&server), query }, 5000);
        assert!(server.asked()[0].contains("runs%5B4000s%5D"), "{:?}", server.asked());
        (finding.says, finding.wait.map(|wait| wait.what))
    };
    assert_eq!(runs(&vector(&["12", "8.2"])), (Said::Pass, None));
    assert_eq!(runs(&vector(&["12", "7.9"])), (Said::Wait, Some(WaitFor::Observation)));
    assert_eq!(runs(&vector(&[])), (Said::Wait, Some(WaitFor::Observation)));
    assert_eq!(runs(&vector(&["NaN"])), (Said::Inconclusive, None));
}
