//! `EXPECTED.md` of the users-v2 fleet, read as the data that it is.

use std::collections::BTreeMap;

/// What a person wrote down for the fleet.
pub struct Expected {
    /// The first word of each consumer's outcome, on its own.
    pub outcomes: BTreeMap<String, String>,
    /// By consumer folder: what becomes of its uses, ordered by place.
    pub uses: BTreeMap<String, Vec<Use>>,
    /// By consumer folder: files that must not change.
    pub untouched: BTreeMap<String, Vec<String>>,
}

/// One use of a name.
#[derive(Clone, Debug)]
pub struct Use {
    pub path: String,
    /// From 1.
    pub line: usize,
    pub name: String,
    pub fate: Fate,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Becomes this name.
    Mapped(String),
    /// Left, with a comment above.
    Annotated,
    /// Forbids the change set.
    Refused,
    /// Not a use of the table.
    Stays,
    /// One of several right ways, told in prose.
    Prose,
}

impl Expected {
    pub fn parse(text: &str) -> Self {
        let mut expected = Self { outcomes: BTreeMap::new(), uses: BTreeMap::new(), untouched: BTreeMap::new() };
        let mut section = String::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("## ") {
                section = name.trim().to_owned();
            } else if let Some(files) = line.strip_prefix("Must not change: ") {
                let files = files.split('`').skip(1).step_by(2).map(str::to_owned).collect();
                expected.untouched.insert(section.clone(), files);
            } else if let Some(row) = line.strip_prefix("| ") {
                let cells: Vec<&str> = row.trim_end_matches('|').split(" | ").map(str::trim).collect();
                expected.row(&section, &cells);
            }
        }
        expected
    }

    fn row(&mut self, section: &str, cells: &[&str]) {
        if cells[0].starts_with("---") || cells[0] == "consumer" || cells[0] == "place" {
            return;
        }
        if section.is_empty() {
            let outcome = cells[4];
            let word: String = outcome.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            self.outcomes.insert(cells[0].to_owned(), word.clone());
            if outcome.contains("(both)") {
                self.outcomes.insert(format!("{}-worker", cells[0]), word);
            }
            return;
        }
        let (path, line) = cells[0].rsplit_once(':').unwrap();
        let becomes = cells[2];
        let fate = match becomes.strip_prefix("mapped → `") {
            Some(rest) if rest.contains("but withheld") => Fate::Refused,
            Some(rest) => Fate::Mapped(rest.split('`').next().unwrap().to_owned()),
            None if becomes.starts_with("annotated") => Fate::Annotated,
            None if becomes.starts_with("refused") => Fate::Refused,
            None if becomes.starts_with("stays") => Fate::Stays,
            None => Fate::Prose,
        };
        let name = cells[1].trim_matches('`').to_owned();
        let one = Use { path: path.to_owned(), line: line.parse().unwrap(), name, fate };
        self.uses.entry(section.to_owned()).or_default().push(one);
    }
}
