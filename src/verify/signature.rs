//! The error of a failure without what differs from one consumer to the next, so
//! that one cause of 300 failures reads as one.
//!
//! Must not: keep a path, a number, a time or an address.

use std::sync::LazyLock;

use regex::Regex;

use super::results::plain;

/// The longest signature, in characters.
const LONGEST: usize = 240;

/// Lines that say what went wrong, the most telling first.
static TELLING: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"^(?:.*: )?(?:fatal )?error(?:\[\w+\])?: .+",
        r"(?:^|[\s.])[A-Z]\w*(?:Error|Exception)\b(?:: .+)?",
        r"(?i)\b(?:panicked at|assertion .*failed|AssertionError|expected .* (?:got|but was|actual))\b",
        r"(?i)\b(?:error|cannot find|not found|undefined|unresolved|no such|failed)\b",
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

static NOISE: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"thread '[^']*' (?:\(\d+\) )?panicked at", "panicked at"),
        (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "<id>"),
        (r"\b0x[0-9a-fA-F]+\b", "<address>"),
        (r"\b[0-9a-f]{12,64}\b", "<id>"),
        (r"(?:[\w.+@-]*/)+[\w.+@-]+(?::\d+)*", "<path>"),
        (r"\b[\w-]+\.(?:py|rs|java|kt|scala|go|ts|tsx|js|sql|sh|toml|yml|yaml|json|xml|c|h)\b(?::\d+)*", "<path>"),
        (r"\d{4}-\d{2}-\d{2}[T ]?[\d:.,]*Z?", "<time>"),
        (r"\d+(?:\.\d+)?", "<n>"),
        (r"\s+", " "),
    ]
    .iter()
    .filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, *with)))
    .collect()
});

/// The signature of what a red step or test said; the end is its last resort.
pub fn of(said: &str, end: &str) -> String {
    let text = plain(said);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let telling = TELLING.iter().find_map(|pattern| {
        let found = lines.iter().position(|line| pattern.is_match(line))?;
        // `panicked at src/x.rs:1:` says what only in the line below.
        let next = lines.get(found + 1).filter(|_| lines[found].contains("panicked at"));
        Some(match next {
            Some(next) => format!("{} {next}", lines[found]),
            None => lines[found].to_owned(),
        })
    });
    let Some(mut line) = telling.or_else(|| lines.last().map(|line| (*line).to_owned())) else {
        return end.to_owned();
    };
    for (noise, with) in NOISE.iter() {
        line = noise.replace_all(&line, *with).into_owned();
    }
    let line: String = line.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    if line.is_empty() { end.to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_has_one_signature() {
        let python = |path: &str, line: u32| {
            format!("Traceback (most recent call last):\n  File \"{path}\", line {line}, in f\nKeyError: 'plan_type'\n")
        };
        assert_eq!(of(&python("a/b.py", 3), ""), of(&python("/workspace/other.py", 77), ""));
        assert_eq!(of(&python("a.py", 3), ""), "KeyError: 'plan_type'");
        let rust = |file: &str| format!("error[E0609]: no field `plan` on type `User`\n  --> src/{file}:3:9\n");
        assert_eq!(of(&rust("a.rs"), ""), of(&rust("deep/b.rs"), ""));
        let panic =
            |n: u32| format!("thread 'a' panicked at src/x.rs:{n}:5:\nassertion `left == right` failed\n  left: 1\n");
        assert_eq!(of(&panic(3), ""), of(&panic(9), ""));
        assert!(of(&panic(3), "").contains("left == right"));
    }

    #[test]
    fn different_causes_have_different_ones() {
        assert_ne!(of("KeyError: 'plan'", ""), of("KeyError: 'country'", ""));
        assert_eq!(of("", "exit code 1"), "exit code 1");
        assert_eq!(of("all fine\n12 rows\n", "exit code 1"), "<n> rows");
    }
}
