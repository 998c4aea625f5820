//! Files of SQL, YAML and JSON, as the texts of others name them.
//!
//! Must not: read a file, or know who may read one.

use super::speaker::module;
use super::word::is_word;

/// How files end that hold queries which other files put together, or read by their name.
const SCRIPTS: [&str; 4] = [".sql", ".yaml", ".yml", ".json"];

/// Whether a file holds queries that other files put together, or read by its name.
pub fn is_script(path: &str) -> bool {
    SCRIPTS.iter().any(|end| path.ends_with(end))
}

/// Whether what stands behind a name makes a file of SQL, YAML or JSON of it: of those more is known than the name.
pub(super) fn is_named(after: &[u8]) -> bool {
    let ends = |end: &&str| {
        let rest = after.strip_prefix(end.as_bytes());
        rest.is_some_and(|rest| rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"._(".contains(byte)))
    };
    SCRIPTS.iter().any(ends)
}

/// A file with the folder in which it lies, without its end: `users/query`.
pub(super) fn in_folder(path: &str) -> Option<String> {
    let folder = path.rsplit('/').nth(1)?;
    Some(format!("{folder}/{}", module(path)))
}

/// What may stand before a folder that is written as a whole.
const WRITTEN: [char; 8] = ['/', '"', '\'', '`', ' ', '\n', '(', '='];

/// What begins a line of SQL that runs another file: of psql, SQL*Plus, MySQL, sqlcmd, SQLite.
const INCLUDES: [&str; 8] = ["\\i", "@", "start ", "source ", ":r ", ".read", "!source", "{"];

/// How far before a name is looked for what includes it, in bytes: a text of one line names many.
const MAX_LINE: usize = 1024;

/// Files of SQL, YAML and JSON that a text names; SQL itself names one only where it includes it.
pub(super) fn named(path: &str, text: &str) -> Vec<String> {
    let passed_over = |before: &str| {
        if !path.ends_with(".sql") {
            return false;
        }
        let near = before.floor_char_boundary(before.len().saturating_sub(MAX_LINE));
        let Some(start) = before[near..].rfind('\n').map(|end| near + end + 1).or((near == 0).then_some(0)) else {
            // What so long a line begins with is not known.
            return false;
        };
        let line = before[start..].trim_start();
        let includes = line.contains("{%") || line.contains("{{") || INCLUDES.iter().any(|one| line.starts_with(one));
        !includes || line.starts_with("--")
    };
    let mut found = Vec::new();
    for end in SCRIPTS {
        for at in memchr::memmem::find_iter(text.as_bytes(), end) {
            let (before, after) = (&text[..at], &text[at + end.len()..]);
            let name = before.trim_end_matches(|c: char| is_word(c) || c == '-');
            // `%s.sql`, `*.sql`: any file.
            let start = if name.ends_with('%') { before.len() } else { name.len() };
            // With the folder, where that is written as a whole: `users/query.sql`, no `{folder}/query.sql`.
            let of = before[..start].strip_suffix('/').unwrap_or_default();
            let folder = of.trim_end_matches(|c: char| is_word(c) || c == '-').len();
            let whole = folder < of.len() && (folder == 0 || of[..folder].ends_with(WRITTEN));
            let start = if whole { folder } else { start };
            // `spark.sql(…)` is a call, not a file.
            let call = after.trim_start_matches([' ', '\t']).starts_with('(');
            if !after.starts_with(is_word) && !call && !passed_over(before) {
                found.push(before[start..].to_lowercase());
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_names_a_file_only_where_it_includes_it() {
        for text in ["{% include 'users.sql' %}", "\\i users.sql\n", "select 1 {{ load('users.sql') }}"] {
            assert_eq!(named("a.sql", text), ["users"], "{text}");
        }
        for text in ["-- see users.sql", "/* a/users.sql */", "select j.json from t"] {
            assert_eq!(named("a.sql", text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(named("a.yaml", "query: users.sql"), ["users"]);
    }

    #[test]
    fn a_long_line_names_many_files_at_once() {
        for path in ["a.json", "a.sql"] {
            for line in ["\"ä/f.json\", ".repeat(100_000), format!("{{{{ {} 'ä/f.json' }}}}", "'x', ".repeat(1000))] {
                assert_eq!(named(path, &line).last().map(String::as_str), Some("ä/f"), "{path}");
            }
        }
    }
}
