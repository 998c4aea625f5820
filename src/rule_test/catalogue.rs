//! A table of rules, made from the rules themselves: for the README of their folder.

use std::path::Path;

use super::{Given, Suite, find, hold};
use crate::rule::{After, Rule, Safety};
use crate::script;

/// What stands in a README above its catalogue.
pub const MARK: &str = "<!-- What follows is made by `gander reference FOLDER`: edit the rules, not this. -->";

/// Each rule file below a folder, with its rules: markdown, the same for the same rules. Folders
/// with a README of their own tell of themselves.
///
/// # Errors
/// Every rule file that does not load.
pub fn catalogue(folder: &Path) -> Result<String, String> {
    let found = find(&[folder.to_owned()]);
    if let Some(error) = found.errors.first() {
        return Err(error.to_string());
    }
    let mut out = format!("{MARK}\n");
    let mut files: Vec<(Vec<Part>, &Suite)> = found.suites.iter().map(|s| (key(&shown(s, folder)), s)).collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let own = |suite: &Suite| {
        let below = suite.file.ancestors().skip(1).take_while(|above| *above != folder && above.starts_with(folder));
        !suite.migration && !below.into_iter().any(|above| above.join("README.md").is_file())
    };
    for (_, suite) in files.into_iter().filter(|(_, suite)| own(suite)) {
        out += &of_file(suite, &shown(suite, folder))?;
    }
    Ok(out)
}

fn shown(suite: &Suite, folder: &Path) -> String {
    suite.file.strip_prefix(folder).unwrap_or(&suite.file).to_string_lossy().replace('\\', "/")
}

/// Numbers in a path are told as numbers: `0.8` stands before `0.10`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Text(String),
}

fn key(path: &str) -> Vec<Part> {
    let mut parts: Vec<String> = Vec::new();
    for c in path.chars() {
        let digit = c.is_ascii_digit();
        match parts.last_mut() {
            Some(last) if last.ends_with(|l: char| l.is_ascii_digit()) == digit => last.push(c),
            _ => parts.push(c.to_string()),
        }
    }
    parts.into_iter().map(|part| part.parse().map_or(Part::Text(part), Part::Number)).collect()
}

fn of_file(suite: &Suite, name: &str) -> Result<String, String> {
    let sources = script::read(&suite.rules).map_err(|errors| errors.render(false))?;
    // A table that shows what does not hold would be believed.
    let set = hold::load(&sources, &suite.inputs, Given::ByHand).map_err(|errors| errors.render(false))?;
    let head = sources.first().map_or("", |source| source.text.as_str()).lines();
    let head: Vec<&str> = head.map_while(|line| line.strip_prefix("//")).map(str::trim).collect();
    let mut out = format!("\n### [{name}]({name})\n\n");
    if !head.is_empty() {
        out += &format!("{}\n\n", head.join(" "));
    }
    out += "| rule | what it does | languages | for example |\n| --- | --- | --- | --- |\n";
    for rule in &set.rules {
        let mut languages: Vec<&str> = rule.variants.iter().map(|v| v.language.facts.name.as_str()).collect();
        languages.dedup();
        let review = if rule.safety == Safety::Review { " (review)" } else { "" };
        let title = rule.title.as_deref().unwrap_or("");
        out += &format!("| `{}` | {}{review} | {} | {} |\n", rule.id, cell(title), languages.join(", "), example(rule));
    }
    Ok(out)
}

/// Longest piece of code in a cell, in characters.
const MAX_CODE: usize = 90;

/// The first line that an example changes, before and after.
fn example(rule: &Rule) -> String {
    let changes = rule.examples.iter().find_map(|example| match &example.after {
        After::Text(after) if *after != example.before => {
            let (before, after): (Vec<&str>, Vec<&str>) = (example.before.lines().collect(), after.lines().collect());
            let gone = before.iter().find(|line| !after.contains(line));
            let new = after.iter().find(|line| !before.contains(line));
            Some((gone.copied(), new.copied()))
        }
        _ => None,
    });
    match changes {
        Some((Some(gone), Some(new))) => format!("{} → {}", code(gone), code(new)),
        Some((Some(gone), None)) => format!("{} goes", code(gone)),
        Some((None, Some(new))) => format!("{} comes", code(new)),
        _ => String::new(),
    }
}

fn code(line: &str) -> String {
    let line = line.trim();
    let short: String = line.chars().take(MAX_CODE).collect();
    let dots = if line.chars().count() > MAX_CODE { "…" } else { "" };
    let ticks = if line.contains('`') { "``" } else { "`" };
    format!("{ticks}{}{dots}{ticks}", cell(&short))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_numbers() {
        let mut paths = ["0.10/a.rhai", "0.8/b.rhai", "0.8/a.rhai", "b.rhai"];
        paths.sort_by_key(|path| key(path));
        assert_eq!(paths, ["0.8/a.rhai", "0.8/b.rhai", "0.10/a.rhai", "b.rhai"]);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test makes the rules that it reads")]
    fn a_catalogue_tells_of_each_rule_what_it_changes() {
        let root = tempfile::tempdir().unwrap();
        let rules = "// What it is about,\n// in two lines.\n\nrule(\"a|b\".split(\"|\")[0]).title(\"f | is g\").lang([\"python\", \"java\"]).safety(\"review\")\n    .find(expr(\"f($X)\")).replace(\"g($X)\").unchanged(\"h\").example(\"a\\nf(1)\", \"a\\ng(1)\");\n";
        std::fs::write(root.path().join("r.rhai"), rules.replace("[\"python\", \"java\"]", "\"python\"")).unwrap();
        let made = catalogue(root.path()).unwrap();
        let wanted = format!(
            "{MARK}\n\n### [r.rhai](r.rhai)\n\nWhat it is about, in two lines.\n\n\
             | rule | what it does | languages | for example |\n| --- | --- | --- | --- |\n\
             | `a` | f \\| is g (review) | python | `f(1)` → `g(1)` |\n"
        );
        assert_eq!(made, wanted);
        std::fs::create_dir(root.path().join("inner")).unwrap();
        std::fs::copy(root.path().join("r.rhai"), root.path().join("inner/r.rhai")).unwrap();
        assert!(catalogue(root.path()).unwrap().contains("inner/r.rhai"));
        std::fs::write(root.path().join("inner/README.md"), "its own\n").unwrap();
        assert_eq!(catalogue(root.path()).unwrap(), wanted);
        std::fs::write(root.path().join("s.rhai"), "rule(\"b\")").unwrap();
        assert!(catalogue(root.path()).unwrap_err().contains("s.rhai"));
    }
}
