//! The book and the README, executed: every command and every rule that they show.
//!
//! In a chapter, a block `LANGUAGE file=NAME` makes that file; `console` blocks run
//! their `$ ` lines in order and compare what comes; a `rhai` block is a rule file that
//! loads and whose examples hold. `console in=FOLDER` runs in a copy of that folder of
//! the repository, one copy a page. In what is compared, `…` stands for anything within a
//! line, and a line `…` for any lines. `? N` is the exit code, where it is not 0.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use gander::rule_test::{ExampleResult, examples};
use gander::script::{Source, example_inputs, load};

use super::bench::Bench;

struct Block {
    info: String,
    text: String,
    line: usize,
}

/// The fenced blocks of a page.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (number, line) in page.lines().enumerate() {
        let fence = line.trim_start().starts_with("```");
        match (fence, open) {
            (true, false) => {
                let info = line.trim_start().trim_start_matches('`').to_owned();
                blocks.push(Block { info, text: String::new(), line: number + 1 });
                open = true;
            }
            (true, true) => open = false,
            (false, true) => {
                let last = blocks.last_mut().unwrap();
                last.text += line;
                last.text.push('\n');
            }
            (false, false) => {}
        }
    }
    assert!(!open, "a block is not closed");
    blocks
}

struct Step {
    command: String,
    code: i32,
    wanted: Vec<String>,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), code: 0, wanted: Vec::new() });
        } else if let Some(last) = steps.last_mut() {
            match line.strip_prefix("? ") {
                Some(code) if last.wanted.is_empty() => last.code = code.parse().unwrap(),
                _ => last.wanted.push(line.to_owned()),
            }
        }
    }
    steps
}

/// Runs a line in a folder, with the program that was built as `gander`.
fn shell(folder: &Path, line: &str) -> (i32, String, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_gander"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let out = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env_remove("GANDER_HISTORY")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
}

/// Whether lines are as they are wanted.
fn fits(wanted: &[String], came: &[&str]) -> bool {
    match (wanted.split_first(), came.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "…" => {
            fits(rest, came) || came.split_first().is_some_and(|(_, came)| fits(wanted, came))
        }
        (Some((first, rest)), Some((line, came))) => line_fits(first, line) && fits(rest, came),
        _ => false,
    }
}

fn line_fits(wanted: &str, line: &str) -> bool {
    let mut parts = wanted.trim_end().split('…');
    let line = line.trim_end();
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Runs one page in an empty folder: what is wrong with it.
fn run(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let root = tempfile::tempdir().unwrap();
    let mut copies: BTreeMap<String, Bench> = BTreeMap::new();
    let mut wrong = Vec::new();
    for block in blocks(&text) {
        let place = format!("{}:{}", page.display(), block.line);
        let mut info = block.info.split_whitespace();
        let language = info.next().unwrap_or("");
        let more = info.next().and_then(|i| i.split_once('='));
        if let Some(("file", file)) = more {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &block.text).unwrap();
        } else if language == "rhai" {
            wrong.extend(rule(&block.text).into_iter().map(|why| format!("{place}: {why}")));
        }
        if language != "console" {
            continue;
        }
        let folder = match more {
            Some(("in", folder)) => {
                let copy = copies.entry(folder.to_owned());
                copy.or_insert_with(|| Bench::copy_of(&self::root().join(folder))).root.clone()
            }
            _ => root.path().to_owned(),
        };
        for step in steps(&block.text) {
            let (code, out, err) = shell(&folder, &step.command);
            let came: Vec<&str> = out.lines().chain(err.lines().filter(|_| step.code != 0 && out.is_empty())).collect();
            if code != step.code || !fits(&step.wanted, &came) {
                wrong.push(format!("{place}: `{}` ended with {code} and said\n{out}{err}", step.command));
            }
        }
    }
    wrong
}

/// What is wrong with a rule file, with the inputs of the reference.
fn rule(text: &str) -> Vec<String> {
    let source = Source { name: "page.rhai".to_owned(), text: text.to_owned(), ..Source::default() };
    match load(&[source], &example_inputs()) {
        Err(errors) => vec![errors.to_string()],
        Ok(rules) => examples(&rules)
            .into_iter()
            .filter(|e| !e.passed())
            .map(|ExampleResult { rule, number, came, failed, .. }| {
                format!("example {number} of {rule}: {came:?} {failed:?}")
            })
            .collect(),
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_page_of_the_book_is_true() {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root().join("docs")).unwrap().map(|e| e.unwrap().path()).collect();
    // The reference is tested with what it is made from.
    pages.retain(|p| p.extension().is_some_and(|e| e == "md") && !p.ends_with("rules.md"));
    pages.sort();
    assert!(pages.len() >= 9);
    let wrong: Vec<String> = pages.iter().flat_map(|page| run(page)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[test]
fn every_page_is_in_the_contents_and_every_link_leads_somewhere() {
    let contents = std::fs::read_to_string(root().join("docs/README.md")).unwrap();
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name == "README.md" || !name.ends_with(".md") || contents.contains(&format!("]({name})")), "{name}");
        let page = std::fs::read_to_string(root().join("docs").join(&name)).unwrap_or_default();
        // What stands in code is no link: `f[T](x)`.
        let page: String = page.split('`').step_by(2).collect();
        for link in page.match_indices("](").map(|(at, _)| page[at + 2..].split(')').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            let there = file.starts_with("http") || file.is_empty() || root().join("docs").join(file).exists();
            assert!(there, "{name} links to {link}");
        }
    }
}

/// How the commands of the README's tables are run: in a copy of its example fleet.
const TABLES: &[(&str, &str, i32)] = &[
    ("gander discover migration.toml", "gander discover migration.toml", 1),
    ("gander plan migration.toml", "gander plan migration.toml", 0),
    ("gander plan --shard 3/16 --out 3.part", "gander plan --shard 3/16 --out 3.part", 0),
    ("gander merge *.part", "gander plan --shard 1/1 --out all.part && gander merge all.part", 0),
    ("gander explain RULE", "gander explain rules/sql.rhai --mapping users=mapping/users.toml", 0),
    ("gander run migration.toml", "gander run migration.toml --only component:default/capacity-forecast", 4),
    ("gander verify [CONSUMER…]", "gander verify capacity-forecast", 0),
    ("gander status", "gander status", 4),
    ("gander history", "gander history", 0),
    ("gander show CONSUMER", "gander show capacity-forecast", 0),
    (
        "gander uses DATASET.COLUMN --owner TEAM",
        "gander uses users.country_code --owner marketing-science -m datasets.toml",
        0,
    ),
    ("gander todo --owner TEAM", "gander todo --owner marketing-science", 0),
    ("gander check migration.toml --since origin/main", "gander check datasets.toml consumers/capacity-forecast", 1),
    (
        "gander mapping OLD NEW",
        "echo '[{\"name\": \"a\", \"type\": \"STRING\"}]' > s.json && gander mapping s.json s.json",
        0,
    ),
    ("gander rollback --wave 2", "gander rollback --wave 2", 0),
    (
        "gander apply RULE PATHS…",
        "gander apply rules/sql.rhai consumers/archive-index --mapping users=mapping/users.toml",
        0,
    ),
    ("gander test PATHS…", "gander test rules --check", 0),
    ("gander new rule NAME", "gander new rule first --in new", 0),
    ("gander new migration NAME", "gander new migration first --in new", 0),
    ("gander find -l python -p 'f($X, $$$)' src", "gander find -l python -p '$S.read.table($X, $$$)' consumers", 0),
    ("gander tree FILE", "gander tree consumers/archive-index/index.sql", 0),
    ("gander repl FILE", "echo users_v1 | gander repl consumers/archive-index/index.sql", 0),
    ("gander lsp", "gander lsp < /dev/null", 5),
    ("gander languages", "gander languages", 0),
    ("gander doctor", "gander doctor", 0),
    ("gander reference", "gander reference", 0),
    ("gander completions SHELL", "gander completions bash", 0),
    ("gander man DIR", "gander man man", 0),
];

#[test]
fn every_command_of_the_readme_runs() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let known: BTreeMap<&str, (&str, i32)> = TABLES.iter().map(|(shown, run, code)| (*shown, (*run, *code))).collect();
    let bench = Bench::copy_of(&super::bench::fixture());
    let mut wrong = Vec::new();
    let rows = readme.lines().filter(|line| line.starts_with("| `gander"));
    let shown: Vec<&str> =
        rows.flat_map(|row| row.split('`').skip(1).step_by(2)).filter(|code| code.starts_with("gander ")).collect();
    assert!(shown.len() >= 10, "{shown:?}");
    for command in shown {
        let Some((line, code)) = known.get(command) else {
            wrong.push(format!("`{command}`: nothing here says how to run it"));
            continue;
        };
        let (came, out, err) = shell(&bench.root, line);
        if came != *code {
            wrong.push(format!("`{line}` ended with {came}, not {code}\n{out}{err}"));
        }
    }
    // The rest of the README: `cargo run` is the program; the tests are what runs now.
    for block in blocks(&readme) {
        if block.info == "rhai" {
            wrong.extend(rule(&block.text));
        }
        for step in steps(&block.text).iter().filter(|_| block.info == "console") {
            let command = step.command.split(" #").next().unwrap().trim();
            let covered = command == "cargo test" || command.ends_with("run fixtures/fleets/users-v2/migration.toml");
            assert!(covered, "README.md: `{command}` is run by no test");
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[test]
fn the_comparison_bites() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let fit = |wanted: &str, came: &str| fits(&lines(wanted), &came.lines().collect::<Vec<_>>());
    assert!(fit("a … c\n…\nz", "a b c\nx\ny\nz"));
    assert!(fit("…", "") && fit("", ""));
    for (wanted, came) in [("a", "b"), ("a", ""), ("", "a"), ("a…c", "a b"), ("…\nz", "a\nb"), ("a\nb", "a")] {
        assert!(!fit(wanted, came), "{wanted:?} {came:?}");
    }
}
