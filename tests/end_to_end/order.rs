//! The order of the modules, and who may do what: read from the source itself.
//!
//! Foundation modules know no stage; a stage knows only the stages before it; only
//! `pipeline` and `cli` stand above all; no two modules know each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// From below to above; what is not named is foundation.
const ABOVE_FOUNDATION: [&str; 10] =
    ["discover", "transform", "format", "verify", "rollout", "report", "rule_test", "pipeline", "lsp", "cli"];

/// Words that only some files may say, and why these may.
struct Reserved {
    words: &'static [&'static str],
    /// The prefix of a path below `src/`, and its reason.
    allowed: &'static [(&'static str, &'static str)],
}

const RESERVED: [Reserved; 7] = [
    Reserved { words: &["process::Command"], allowed: &[("process.rs", "it is where programs are started")] },
    Reserved { words: &["hakoniwa"], allowed: &[("sandbox/", "it is what isolates steps")] },
    Reserved { words: &["lsp_server", "lsp_types"], allowed: &[("lsp/", "it speaks the protocol of editors")] },
    Reserved {
        words: &["insta::Snapshot", "insta::internals"],
        allowed: &[("rule_test/snapshot.rs", "it reads and writes snapshots")],
    },
    Reserved { words: &["ureq"], allowed: &[("http/", "it is what speaks HTTP")] },
    Reserved { words: &["rhai"], allowed: &[("script/", "it is what reads rules")] },
    Reserved {
        words: &[
            "fs::write",
            "fs::rename",
            "fs::copy",
            "fs::remove_file",
            "fs::remove_dir",
            "fs::remove_dir_all",
            "fs::create_dir",
            "fs::create_dir_all",
            "fs::set_permissions",
            "fs::hard_link",
            "fs::symlink",
            "File::create",
            "File::create_new",
            "OpenOptions",
        ],
        allowed: &[
            ("files.rs", "it is what writes files"),
            ("pin/materialise.rs", "it fills a new folder of the state with a pinned tree"),
            ("sandbox/", "it makes and removes the scratch folders that steps work in"),
            ("state/lock.rs", "the lock is a file that the kernel holds"),
            ("fault.rs", "a test may ask for a log of the points that are passed"),
        ],
    },
];

fn rank(module: &str) -> usize {
    ABOVE_FOUNDATION.iter().position(|name| *name == module).map_or(0, |index| index + 1)
}

/// The code of a file without comments, strings and what is compiled for tests only.
fn bare(source: &str) -> String {
    without_tests(&without_text(source))
}

fn without_text(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let word_before = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
        let raw = raw_hashes(rest).filter(|_| !word_before);
        at += if rest.starts_with(&['/', '/']) {
            rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
        } else if rest.starts_with(&['/', '*']) {
            let end = rest.windows(2).position(|pair| pair == ['*', '/']);
            end.map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw {
            let open = hashes + 2;
            let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let end = rest[open..].windows(close.len()).position(|part| part == close.as_slice());
            end.map_or(rest.len(), |end| open + end + close.len())
        } else if rest[0] == '"' {
            string_length(rest)
        } else if rest[0] == '\'' && rest.get(2) == Some(&'\'') && rest[1] != '\\' {
            3
        } else if rest.starts_with(&['\'', '\\']) {
            rest.iter().skip(3).position(|c| *c == '\'').map_or(rest.len(), |end| end + 4)
        } else {
            out.push(rest[0]);
            1
        };
    }
    out
}

/// The number of `#` of a raw string that begins here.
fn raw_hashes(rest: &[char]) -> Option<usize> {
    let after = rest.strip_prefix(&['r'])?;
    let hashes = after.iter().take_while(|c| **c == '#').count();
    (after.get(hashes) == Some(&'"')).then_some(hashes)
}

fn string_length(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Takes away `#[cfg(test)]` with the item after it.
fn without_tests(code: &str) -> String {
    let mut parts = code.split("#[cfg(test)]");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut depth = 0_usize;
        let end = part.char_indices().find(|(_, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0 && matches!(c, '}' | ';')
        });
        out += end.map_or("", |(at, _)| &part[at + 1..]);
    }
    out
}

/// The modules at the top that a file (a path below `src/`) names.
fn named(path: &str, code: &str) -> BTreeSet<String> {
    let place = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let depth = place.split('/').count();
    let code: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = BTreeSet::new();
    let from_root = std::iter::once("crate::".to_owned()).chain(std::iter::once("super::".repeat(depth)));
    for prefix in from_root {
        for (at, _) in code.match_indices(&prefix) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            found.extend(names(&code[at + prefix.len()..]));
        }
    }
    found
}

/// The first names of `a::b` or of `{a::b, c}`.
fn names(path: &str) -> Vec<String> {
    let word =
        |text: &str| -> String { text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut start, mut all) = (0_usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                all.push(word(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    all.retain(|name| !name.is_empty());
    all
}

/// What is wrong in one file; `modules` are those at the top.
fn wrong(path: &str, source: &str, modules: &BTreeSet<String>) -> Vec<String> {
    let code = bare(source);
    let own = top(path);
    let mut wrong = Vec::new();
    for name in named(path, &code).iter().filter(|name| modules.contains(*name)) {
        if name != own && rank(name) > rank(own) {
            wrong.push(format!("src/{path}: `{own}` must not know `{name}`, which stands above it"));
        }
    }
    for reserved in &RESERVED {
        let allowed = reserved.allowed.iter().any(|(prefix, _)| path.starts_with(prefix));
        for word in reserved.words.iter().filter(|word| !allowed && says(&code, word)) {
            let where_else: Vec<&str> = reserved.allowed.iter().map(|(prefix, _)| *prefix).collect();
            wrong.push(format!("src/{path}: `{word}` may stand only in {}", where_else.join(", ")));
        }
    }
    wrong
}

/// The module at the top that a file belongs to.
fn top(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// The code names `word`, at full length or through a group: `std::process::{Command, …}`.
fn says(code: &str, word: &str) -> bool {
    let joined: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let whole = |text: &str, at: usize, length: usize| {
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !is_word(text[..at].chars().next_back()) && !is_word(text[at + length..].chars().next())
    };
    if joined.match_indices(word).any(|(at, _)| whole(&joined, at, word.len())) {
        return true;
    }
    let Some((module, item)) = word.rsplit_once("::") else { return false };
    let opening = format!("{module}::{{");
    joined.match_indices(&opening).any(|(at, _)| names(&joined[at + opening.len() - 1..]).iter().any(|n| n == item))
}

/// Every file below `src/` that is compiled into the library, by its path there.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&root) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let test = path.ends_with("/tests.rs") || path.contains("/tests/");
        if path.ends_with(".rs") && !test && path != "main.rs" && path != "lib.rs" {
            sources.insert(path, std::fs::read_to_string(entry.path()).unwrap());
        }
    }
    sources
}

#[test]
fn modules_know_only_what_is_below_them() {
    let sources = sources();
    let modules: BTreeSet<String> = sources.keys().map(|path| top(path).to_owned()).collect();
    for stage in ABOVE_FOUNDATION {
        assert!(modules.contains(stage), "{stage} is gone: mend the list");
    }
    let wrong: Vec<String> = sources.iter().flat_map(|(path, source)| wrong(path, source, &modules)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, source) in &sources {
        let known = named(path, &bare(source)).into_iter().filter(|name| modules.contains(name) && name != top(path));
        edges.entry(top(path).to_owned()).or_default().extend(known);
    }
    assert!(edges["pipeline"].is_superset(&ABOVE_FOUNDATION[..5].iter().map(|s| (*s).to_owned()).collect()));
    assert_eq!(circle(&edges), None);
}

/// Modules that can't be put in any order, if there are such.
fn circle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut left = edges.clone();
    loop {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, known)| !known.iter().any(|k| left.contains_key(k)))
            .map(|(m, _)| m.clone())
            .collect();
        if free.is_empty() {
            let stuck: Vec<String> = left.iter().map(|(module, known)| format!("{module} → {known:?}")).collect();
            return (!stuck.is_empty()).then_some(stuck);
        }
        free.iter().for_each(|module| drop(left.remove(module)));
    }
}

#[test]
fn every_exception_is_still_needed() {
    let sources = sources();
    for reserved in &RESERVED {
        for (prefix, reason) in reserved.allowed {
            let mut files = sources.iter().filter(|(path, _)| path.starts_with(prefix));
            let used = files.any(|(_, source)| reserved.words.iter().any(|word| says(&bare(source), word)));
            assert!(used, "src/{prefix} ({reason}) no longer says any of {:?}: take it off the list", reserved.words);
        }
    }
}

#[test]
fn the_check_bites() {
    let modules: BTreeSet<String> =
        ["pin", "discover", "transform", "verify", "cli"].iter().map(|s| (*s).to_owned()).collect();
    let found = |path: &str, source: &str| wrong(path, source, &modules).len();
    for (path, source) in [
        ("pin/many.rs", "use crate::transform::Plan;"),
        ("pin/many.rs", "use crate::{digest::Digest, verify::{Verdict, Step}};"),
        ("pin/many.rs", "fn f() -> super::super::cli::Exit { todo() }"),
        ("pin.rs", "use super::discover::discover;"),
        ("discover/mod.rs", "use super::transform;"),
        ("verify/mod.rs", "fn f(x: &dyn Fn(&crate::cli::Exit)) {}"),
        ("discover/mod.rs", "use std::process::{Child, Command};"),
        ("discover/mod.rs", "let c = std::process::Command::new(x);"),
        ("discover/mod.rs", "use rhai::Engine;"),
        ("transform/file.rs", "std::fs::write(a, b)"),
        ("transform/file.rs", "use std::fs::{File, OpenOptions};"),
        ("transform/file.rs", "#[cfg(test)] mod tests { fn f() {} } use crate::verify;"),
    ] {
        assert_eq!(found(path, source), 1, "{path}: {source}");
    }
    for (path, source) in [
        ("verify/mod.rs", "use crate::transform::Plan; use crate::pin;"),
        ("pin/many.rs", "use super::transform; // a module of pin's own"),
        (
            "pin/many.rs",
            "/* use crate::cli; */ // use crate::verify;\n let s = \"crate::cli\"; let r = r#\"rhai \"x\" \"#;",
        ),
        ("pin/many.rs", "let c = '\"'; let d = '\\''; let s = \"crate::cli\";"),
        ("pin/many.rs", "#[cfg(test)]\nmod tests { use crate::cli; fn f() { { std::fs::write(a, b) } } }"),
        ("script/mod.rs", "use rhai::Engine;"),
        ("process.rs", "use std::process::{Child, Command};"),
        ("files.rs", "std::fs::write(a, b)"),
    ] {
        assert_eq!(found(path, source), 0, "{path}: {source}");
    }
    let circular = BTreeMap::from([
        ("a".to_owned(), BTreeSet::from(["b".to_owned()])),
        ("b".to_owned(), BTreeSet::from(["a".to_owned()])),
        ("c".to_owned(), BTreeSet::from(["a".to_owned()])),
    ]);
    assert!(circle(&circular).is_some());
}
