//! Results test by test, from what a step wrote and printed. Every format is tried
//! on what it knows; a step that speaks none of them is judged by its exit code.
//!
//! Must not: judge, or guess at output that was cut off.

mod go;
mod junit;
mod libtest;
mod node;
mod pytest;
mod tap;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sandbox::Left;

/// The most tests of a step that are told apart.
const MOST_TESTS: usize = 100_000;
/// The most of a test's failure that is kept, in bytes.
const MOST_MESSAGE: usize = 4 << 10;

/// What became of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestEnd {
    /// It ran and held.
    Passed,
    /// It did not run, and said so.
    Skipped,
    /// It ran and did not hold.
    Failed,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// What became of it.
    pub end: TestEnd,
    /// What it said, where it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// The tests of a step, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// Those that have a name.
    pub tests: BTreeMap<String, TestResult>,
    /// How many passed that the runner counts and does not name.
    pub unnamed: u64,
}

impl TestReport {
    /// Whether it tells anything.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.unnamed == 0
    }

    /// How many tests ran, named or not.
    pub fn ran(&self) -> u64 {
        let named = self.tests.values().filter(|test| test.end != TestEnd::Skipped).count();
        named as u64 + self.unnamed
    }

    /// The tests that failed.
    pub fn failed(&self) -> impl Iterator<Item = (&String, &TestResult)> {
        self.tests.iter().filter(|(_, test)| test.end == TestEnd::Failed)
    }

    /// Adds a test. Of two with the same name the later gets a number: runners that
    /// start several programs repeat themselves, always in the same order.
    fn add(&mut self, name: &str, end: TestEnd, message: &str) {
        if self.tests.len() >= MOST_TESTS {
            return;
        }
        let mut key = name.to_owned();
        let mut number = 1_u32;
        while self.tests.contains_key(&key) {
            number += 1;
            key = format!("{name} ({number})");
        }
        self.tests.insert(key, TestResult { end, message: bounded(message) });
    }

    /// Says what a failed test said, where that comes later than its name.
    fn explain(&mut self, name: &str, message: &str) {
        let of_name = |key: &str| key == name || key.strip_prefix(name).is_some_and(|rest| rest.starts_with(" ("));
        let waiting = |(key, test): &(&String, &mut TestResult)| {
            of_name(key) && test.end == TestEnd::Failed && test.message.is_empty()
        };
        if let Some((_, test)) = self.tests.iter_mut().find(waiting) {
            test.message = bounded(message);
        }
    }
}

/// The results of a step that left `left`.
pub fn read(left: &Left) -> TestReport {
    let files = junit::read(&left.files);
    if !files.is_empty() {
        return files;
    }
    if !left.whole {
        return TestReport::default();
    }
    let text = plain(&String::from_utf8_lossy(&left.stdout));
    let mut all = TestReport::default();
    let formats: [fn(&str) -> TestReport; 5] = [libtest::read, pytest::read, go::read, tap::read, node::read];
    for read in formats {
        let found = read(&text);
        for (name, test) in found.tests {
            all.add(&name, test.end, &test.message);
        }
        all.unnamed += found.unnamed;
    }
    all
}

/// Without colours and carriage returns.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                while chars.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
            }
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

/// The beginning of a message: what failed stands before where it was called from.
fn bounded(message: &str) -> String {
    let message = message.trim();
    let mut end = message.len().min(MOST_MESSAGE);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message[..end].to_owned()
}

#[cfg(test)]
mod tests;
