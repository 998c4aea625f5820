//! `gander test`: what the tests of rules came to, for people and machines.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anstyle::AnsiColor;
use similar::ChangeTag;

use super::Exit;
use super::screen::Screen;
use crate::files;
use crate::report::table::counted;
use crate::rule_test::{
    self, CaseResult, ExampleResult, Memory, Options, Outcome, Report, SuiteResult, TestError, Watched, accept, find,
    junit, reject, run,
};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander test rules\n  gander test rules/python/typing.rhai --review\n  \
                        gander test --check --junit target/rules.xml\n  gander test --watch rules/python")]
pub(super) struct Args {
    /// Rule files, migrations, folders of them, or folders of cases.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Show each changed result, and ask what to do with it.
    #[arg(long, conflicts_with_all = ["accept", "check", "json"])]
    review: bool,
    /// Take every result as the one that is wanted.
    #[arg(long, conflicts_with_all = ["check"])]
    accept: bool,
    /// Write nothing: for CI.
    #[arg(long)]
    check: bool,
    /// Stay, and run again what a change affects.
    #[arg(long, conflicts_with_all = ["review", "accept", "check", "json", "junit"])]
    watch: bool,
    /// Tell which rule, branch or condition no test exercises.
    #[arg(long)]
    coverage: bool,
    /// The time that each rule took.
    #[arg(long)]
    timings: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// Write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let memory = Memory::default();
    if args.watch {
        return watch(args, &memory, screen);
    }
    let since = Instant::now();
    let report = tested(args, &memory);
    if let Some(file) = &args.junit {
        files::write_whole(&super::screen::absolute(file), junit(&report).as_bytes(), false).map_err(|error| {
            screen.diagnostic(format!("error: {error}"));
            Exit::Failed
        })?;
    }
    if args.json {
        screen.result(format!("{:#}\n", report.json()));
        return Ok(ended(&report));
    }
    if args.accept {
        return accept_all(&report, screen);
    }
    if args.review {
        return review(&report, screen);
    }
    tell(&report, args, since.elapsed(), screen);
    Ok(ended(&report))
}

fn tested(args: &Args, memory: &Memory) -> Report {
    run(find(&args.paths), Options { check: args.check || args.watch, coverage: args.coverage }, memory)
}

/// Wrong rules and unusable cases are wrong usage; a result that is not wanted is a no.
fn ended(report: &Report) -> Exit {
    if !report.errors.is_empty() {
        return Exit::Usage;
    }
    if report.passed() { Exit::Done } else { Exit::Negative }
}

fn tell(report: &Report, args: &Args, time: Duration, screen: &Screen) {
    for suite in &report.suites {
        suite.examples.iter().filter(|e| !e.passed()).for_each(|e| failed_example(e, screen));
        suite.cases.iter().for_each(|c| failed_case(c, args.check, screen));
    }
    for suite in &report.suites {
        hints(suite, args, screen);
    }
    report.errors.iter().for_each(|error| said(error, screen));
    let cases: Vec<&CaseResult> = report.cases().collect();
    let examples: usize = report.suites.iter().map(|s| s.examples.len()).sum();
    let rules: usize = report.suites.iter().map(|s| s.rules.len()).sum();
    let failures = report.failures();
    let word = match (failures, report.errors.len()) {
        (0, 0) => screen.styled(&format!("{} passed", examples + cases.len()), AnsiColor::Green),
        (0, errors) => screen.styled(&format!("{errors} not run"), AnsiColor::Red),
        (failures, _) => {
            let passed = examples + cases.len() - failures;
            format!("{passed} passed, {}", screen.styled(&format!("{failures} failed"), AnsiColor::Red))
        }
    };
    screen.result(format!(
        "{}, {}, {}: {word} in {}\n",
        counted(rules, "rule"),
        counted(examples, "example"),
        counted(cases.len(), "case"),
        shown_time(time)
    ));
    let waiting = cases.iter().filter(|c| matches!(c.outcome, Outcome::New(_) | Outcome::Changed { .. })).count();
    if waiting > 0 && !args.check {
        screen.note("`gander test --review` shows each result and asks; `--accept` takes them all");
    }
}

fn shown_time(time: Duration) -> String {
    if time.as_millis() < 10 { format!("{} µs", time.as_micros()) } else { format!("{} ms", time.as_millis()) }
}

fn said(error: &TestError, screen: &Screen) {
    match error {
        TestError::Rules(errors) => screen.diagnostic(errors.render(screen.color_errors)),
        TestError::Migration(errors) => screen.diagnostic(errors.render(screen.color_errors)),
        other => screen.diagnostic(format!("error: {other}")),
    }
}

fn failed_example(example: &ExampleResult, screen: &Screen) {
    let ExampleResult { rule, place, number, wanted, came, failed, before, .. } = example;
    let why = failed.as_ref().map_or(String::new(), |why| format!(": {why}"));
    let head = screen.styled("failed", AnsiColor::Red);
    screen.result(format!("{head} {place}: example {number} of {rule}{why}\n"));
    screen.result(format!("  of\n{}", indented(before)));
    if came == wanted {
        return screen.result("\n");
    }
    screen.result(format!("  came (+), and not (-)\n{}\n", difference(wanted, came, screen)));
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

fn failed_case(case: &CaseResult, check: bool, screen: &Screen) {
    let head = |word: &str, color| format!("{} {}", screen.styled(word, color), case.folder.display());
    match &case.outcome {
        Outcome::Passed => {}
        Outcome::New(new) => {
            let hint = if check { ": it has no snapshot" } else { "" };
            screen.result(format!("{}{hint}\n{}\n", head("new", AnsiColor::Yellow), difference("", new, screen)));
        }
        Outcome::Changed { old, new } => {
            screen.result(format!("{}\n{}\n", head("changed", AnsiColor::Red), difference(old, new, screen)));
        }
        Outcome::Touched(new) => {
            let head = head("touched", AnsiColor::Red);
            screen.result(format!("{head}: nothing may change here\n{}\n", indented(new)));
        }
    }
}

/// Two texts, line by line.
fn difference(old: &str, new: &str, screen: &Screen) -> String {
    rule_test::difference(old, new, &|tag, line| match tag {
        ChangeTag::Delete => screen.styled(&format!("  - {line}"), AnsiColor::Red),
        ChangeTag::Insert => screen.styled(&format!("  + {line}"), AnsiColor::Green),
        ChangeTag::Equal => format!("    {line}"),
    })
}

/// What passes, but is worth a look.
fn hints(suite: &SuiteResult, args: &Args, screen: &Screen) {
    for rule in suite.rules.iter().filter(|r| r.untested) {
        screen.diagnostic(format!("warning: {}: {} has no example, and no case makes it match", rule.place, rule.id));
    }
    for path in &suite.unused {
        screen.diagnostic(format!("warning: {}: a snapshot of no case; remove it", path.display()));
    }
    for gap in &suite.gaps {
        screen.result(format!("{}: {}: {}\n", gap.place, gap.rule, gap.what));
    }
    if args.timings {
        for rule in &suite.rules {
            screen.result(format!("{:>9}  {:>4} matches  {}\n", shown_time(rule.time), rule.matches, rule.id));
        }
    }
}

/// Cases whose result waits for somebody.
fn waiting(report: &Report) -> Vec<&CaseResult> {
    report.cases().filter(|c| matches!(c.outcome, Outcome::New(_) | Outcome::Changed { .. })).collect()
}

fn accept_all(report: &Report, screen: &Screen) -> Result<Exit, Exit> {
    let waiting = waiting(report);
    for case in &waiting {
        taken(accept(&case.snapshot), screen)?;
        screen.result(format!("accepted {}\n", case.snapshot.display()));
    }
    report.errors.iter().for_each(|error| said(error, screen));
    let failures = report.failures() - waiting.len();
    screen.note(format!("{} accepted, {failures} failed", waiting.len()));
    Ok(if !report.errors.is_empty() {
        Exit::Usage
    } else if failures > 0 {
        Exit::Negative
    } else {
        Exit::Done
    })
}

fn taken(result: Result<(), impl std::fmt::Display>, screen: &Screen) -> Result<(), Exit> {
    result.map_err(|error| {
        screen.diagnostic(format!("error: {error}"));
        Exit::Failed
    })
}

fn review(report: &Report, screen: &Screen) -> Result<Exit, Exit> {
    report.errors.iter().for_each(|error| said(error, screen));
    let waiting = waiting(report);
    let (mut kept, mut left) = (0, 0);
    let mut lines = std::io::stdin().lock().lines();
    for (at, case) in waiting.iter().enumerate() {
        screen.result(format!("{} of {}: ", at + 1, waiting.len()));
        failed_case(case, false, screen);
        match asked(&mut lines, screen) {
            Answer::Accept => {
                taken(accept(&case.snapshot), screen)?;
                kept += 1;
            }
            Answer::Reject => {
                taken(reject(&case.snapshot), screen)?;
                left += 1;
            }
            Answer::Skip => left += 1,
            Answer::Quit => {
                left += waiting.len() - at;
                break;
            }
        }
    }
    screen.result(format!("{kept} accepted, {left} left\n"));
    let failures = report.failures() - waiting.len();
    if failures > 0 {
        screen.note(format!("{failures} failed otherwise: `gander test` shows them"));
    }
    Ok(if !report.errors.is_empty() {
        Exit::Usage
    } else if failures + left > 0 {
        Exit::Negative
    } else {
        Exit::Done
    })
}

enum Answer {
    Accept,
    Reject,
    Skip,
    Quit,
}

fn asked(lines: &mut impl Iterator<Item = std::io::Result<String>>, screen: &Screen) -> Answer {
    loop {
        screen.result("[a]ccept, [r]eject, [s]kip, [q]uit? ");
        let _ = std::io::stdout().flush();
        let Some(Ok(line)) = lines.next() else { return Answer::Quit };
        match line.trim() {
            "a" | "accept" => return Answer::Accept,
            "r" | "reject" => return Answer::Reject,
            "s" | "skip" => return Answer::Skip,
            "q" | "quit" => return Answer::Quit,
            _ => {}
        }
    }
}

fn watch(args: &Args, memory: &Memory, screen: &Screen) -> Result<Exit, Exit> {
    let round = || {
        let since = Instant::now();
        let report = tested(args, memory);
        let ran: Vec<String> = report.cases().filter(|c| c.ran).map(|c| c.name.clone()).collect();
        tell(&report, args, since.elapsed(), screen);
        if !ran.is_empty() {
            screen.note(format!("ran {}", ran.join(", ")));
        }
    };
    let mut watched: Vec<PathBuf> = args.paths.iter().map(|p| folder_of(p)).collect();
    // The inputs of its rules lie beside a migration.
    let owners = find(&args.paths).suites.into_iter().filter_map(|s| s.owner);
    watched.extend(owners.map(|owner| folder_of(&owner)));
    watched.sort();
    watched.dedup();
    let ended = rule_test::watch(&watched, |event| {
        match event {
            Watched::Ready => {
                round();
                screen.note("watching");
            }
            Watched::Changed => round(),
        }
        true
    });
    taken(ended, screen)?;
    Ok(Exit::Done)
}

/// What is watched for a path: the folder of a file, since editors replace files, and
/// since its cases lie there.
fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}
