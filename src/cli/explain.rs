//! `gander explain`: what a file must hold for a rule to match in it.

use std::collections::BTreeMap;

use super::Exit;
use super::apply::{RuleFile, load};
use super::screen::Screen;
use crate::rule::{Clause, Required, RuleSet};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander explain rules/python/typing.rhai")]
pub(super) struct Args {
    #[command(flatten)]
    rules: RuleFile,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let rules = load(&args.rules, screen)?;
    if args.json {
        let list: Vec<_> = (0..rules.rules.len()).map(|rule| object(&rules, rule)).collect();
        screen.result(format!("{:#}\n", serde_json::Value::from(list)));
        return Ok(Exit::Done);
    }
    for (index, rule) in rules.rules.iter().enumerate() {
        screen.result(format!("{} ({})\n", rule.id, rule.place));
        for required in rules.required(index) {
            let files = named(&required.files);
            let code = if required.embedded { format!("{} in {files}", required.language) } else { files.clone() };
            screen.result(format!("  {code}: {}\n", words(required.clauses)));
            if required.clauses.is_empty() {
                screen.diagnostic(format!(
                    "warning: {}: {code}: nothing to filter by, so every {files} file is parsed; \
                     name something in `find`, or add .file_has(\"…\")",
                    rule.place
                ));
            }
        }
    }
    Ok(Exit::Done)
}

fn named(files: &[&str]) -> String {
    files.join(", ")
}

/// Alternatives for people: spellings of one word by case are one, and so are escapes, which
/// a literal may hold in place of any character.
fn spelt(texts: &[String]) -> Vec<String> {
    // The long s is an s to regular expressions that ignore case.
    let folded = |text: &String| text.to_lowercase().replace('ſ', "s");
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    texts.iter().for_each(|text| *count.entry(folded(text)).or_default() += 1);
    let mut words = Vec::new();
    for text in texts.iter().filter(|text| !text.starts_with('\\')) {
        let folded = folded(text);
        let word = match count[&folded] {
            1 | 2 => format!("`{}`", text.escape_debug()),
            _ => format!("`{}` in any case", folded.escape_debug()),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.is_empty() {
        return texts.iter().map(|text| format!("`{}`", text.escape_debug())).collect();
    }
    if texts.iter().any(|text| text.starts_with('\\')) {
        words.push("an escape".to_owned());
    }
    words
}

/// A conjunction of alternatives, for people.
fn words(clauses: &[Clause]) -> String {
    let one = |clause: &Clause| {
        let texts = spelt(&clause.texts);
        let case = if clause.fold { " (in any case)" } else { "" };
        match texts.as_slice() {
            [text] => format!("{text}{case}"),
            texts => format!("({}){case}", texts.join(" or ")),
        }
    };
    match clauses {
        [] => "anything".to_owned(),
        clauses => clauses.iter().map(one).collect::<Vec<_>>().join(" and "),
    }
}

fn object(rules: &RuleSet, index: usize) -> serde_json::Value {
    let of = |required: Required<'_>| {
        let clauses: Vec<_> =
            required.clauses.iter().map(|c| serde_json::json!({ "any_of": c.texts, "ignore_case": c.fold })).collect();
        serde_json::json!({
            "language": required.language, "files": required.files, "embedded": required.embedded, "all_of": clauses,
        })
    };
    let required: Vec<_> = rules.required(index).into_iter().map(of).collect();
    serde_json::json!({ "rule": rules.rules[index].id, "place": rules.rules[index].place, "required": required })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_read_as_a_sentence() {
        let clauses = [Clause::of(["b".into(), "a".into()], true), Clause::one("c\n".into(), false)];
        assert_eq!(words(&clauses), "(`a` or `b`) (in any case) and `c\\n`");
        assert_eq!(words(&[]), "anything");
        let spellings = ["IN", "In", "iN", "in", "\\x", "a"].map(str::to_owned);
        assert_eq!(words(&[Clause::of(spellings, false)]), "(`in` in any case or `a` or an escape)");
    }
}
