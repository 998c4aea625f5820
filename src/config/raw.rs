//! What was typed: TOML values that know their key's path and their place, and
//! the questions that sections ask of them. A wrong answer is noted, and
//! reading goes on, so that one run reports everything.
//!
//! Must not: touch the file system, or know what any key means.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;

/// Where errors are noted while reading goes on.
#[derive(Default)]
pub(super) struct Notes(RefCell<Vec<ConfigError>>);

impl Notes {
    /// Notes one error.
    pub(super) fn add(&self, key: &str, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.0.borrow_mut().push(ConfigError {
            key: key.to_owned(),
            message: message.into(),
            help: help.into(),
            span: Some(span),
        });
    }

    /// All that was noted.
    pub(super) fn into_errors(self) -> Vec<ConfigError> {
        self.0.into_inner()
    }
}

/// One table and the keys it may hold.
pub(super) struct Section<'a> {
    path: String,
    span: Range<usize>,
    table: Option<&'a DeTable<'a>>,
    notes: &'a Notes,
}

/// One value, with the path of its key and its place.
#[derive(Clone)]
pub(super) struct Value<'a> {
    /// As in `verify.step[1].run`.
    pub(super) path: String,
    /// Bytes of the file.
    pub(super) span: Range<usize>,
    value: &'a DeValue<'a>,
    notes: &'a Notes,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(super) fn root(table: &'a Spanned<DeTable<'a>>, notes: &'a Notes, keys: &[&str]) -> Self {
        let root = Self { path: String::new(), span: 0..0, table: Some(table.get_ref()), notes };
        root.check_keys(keys);
        root
    }

    /// A section of the file; where it is absent every key of it is.
    pub(super) fn section(&self, name: &str, keys: &[&str]) -> Self {
        let value = self.get(name);
        let table = value.as_ref().and_then(Value::table);
        let section =
            Self { path: self.key(name), span: value.map_or(0..0, |value| value.span), table, notes: self.notes };
        section.check_keys(keys);
        section
    }

    /// Says so where the section itself is absent, and tells if it is there.
    pub(super) fn require(&self, example: &str) -> bool {
        if self.table.is_none() && !self.notes_on(&self.path) {
            self.notes.add(
                &self.path,
                0..0,
                format!("the section `[{}]` is missing", self.path),
                format!("add it: {example}"),
            );
        }
        self.table.is_some()
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<Value<'a>> {
        let value = self.table?.get(key)?;
        Some(Value { path: self.key(key), span: value.span(), value: value.get_ref(), notes: self.notes })
    }

    /// The value of a key that must be there.
    pub(super) fn need(&self, key: &str, example: &str) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() {
            self.notes.add(
                &self.key(key),
                self.span.clone(),
                "this key is missing",
                format!("add it: `{key} = {example}`"),
            );
        }
        value
    }

    /// Notes an error about the section as a whole.
    pub(super) fn wrong(&self, message: impl Into<String>, help: impl Into<String>) {
        self.notes.add(&self.path, self.span.clone(), message, help);
    }

    /// Every key of it with its value, sorted by place.
    pub(super) fn entries(&self) -> Vec<(String, Value<'a>)> {
        let entries = self.table.into_iter().flat_map(|table| table.iter());
        let mut entries: Vec<_> = entries
            .map(|(key, value)| {
                let key = key.get_ref().to_string();
                let value =
                    Value { path: self.key(&key), span: value.span(), value: value.get_ref(), notes: self.notes };
                (key, value)
            })
            .collect();
        entries.sort_by_key(|(_, value)| value.span.start);
        entries
    }

    fn notes_on(&self, path: &str) -> bool {
        self.notes.0.borrow().iter().any(|note| note.key == path)
    }

    fn key(&self, key: &str) -> String {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let key = if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { format!("{key:?}") };
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }

    fn check_keys(&self, keys: &[&str]) {
        #[cfg(test)]
        asked::note(&self.path, keys);
        let known = |key: &str| keys.contains(&key) || keys.contains(&"*");
        for (key, _) in self.table.into_iter().flat_map(|table| table.iter()) {
            let name = key.get_ref().as_ref();
            if !known(name) {
                let help = match closest(name, keys) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("remove it; known here: {}", quoted(keys)),
                };
                let (path, span) = (self.key(name), key.span());
                self.notes.add(&path, span, "unknown key", help);
            }
        }
    }
}

impl<'a> Value<'a> {
    /// Notes an error about it.
    pub(super) fn wrong(&self, message: impl Into<String>, help: impl Into<String>) {
        self.notes.add(&self.path, self.span.clone(), message, help);
    }

    /// Notes an error about it without showing its line, which may hold a secret.
    pub(super) fn wrong_unseen(&self, message: impl Into<String>, help: impl Into<String>) {
        self.notes.add(&self.path, 0..0, message, help);
    }

    fn expected(&self, what: &str, example: &str) {
        let found = match self.value {
            DeValue::Table(_) => "a table",
            DeValue::Array(_) => "an array",
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
        };
        let key = self.path.rsplit('.').next().unwrap_or(&self.path);
        let key = key.split('[').next().unwrap_or(key);
        self.wrong(format!("expected {what}, found {found}"), format!("write it like `{key} = {example}`"));
    }

    /// A string that is not empty.
    pub(super) fn string(&self, example: &str) -> Option<&'a str> {
        let DeValue::String(text) = self.value else {
            self.expected("a string", example);
            return None;
        };
        if text.trim().is_empty() || text.contains('\0') {
            let message = if text.contains('\0') { "a zero byte can't stand here" } else { "must not be empty" };
            self.wrong(message, format!("write for example {example}"));
            return None;
        }
        Some(text.as_ref())
    }

    /// Any string, the empty one included.
    pub(super) fn any_string(&self, example: &str) -> Option<&'a str> {
        let DeValue::String(text) = self.value else {
            self.expected("a string", example);
            return None;
        };
        Some(text.as_ref())
    }

    /// The elements of an array.
    pub(super) fn array(&self, what: &str, example: &str) -> Option<Vec<Value<'a>>> {
        let DeValue::Array(items) = self.value else {
            self.expected(what, example);
            return None;
        };
        let item = |(index, item): (usize, &'a Spanned<DeValue<'a>>)| Value {
            path: format!("{}[{index}]", self.path),
            span: item.span(),
            value: item.get_ref(),
            notes: self.notes,
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// An array of strings that are not empty.
    pub(super) fn strings(&self, example: &str) -> Option<Vec<(Value<'a>, &'a str)>> {
        let items = self.array("an array of strings", example)?;
        let strings = items.into_iter().map(|item| {
            let DeValue::String(text) = item.value else {
                item.expected("a string", example);
                return None;
            };
            Some((item, text.as_ref()))
        });
        strings.collect()
    }

    /// An array of tables, each of which may hold `keys`.
    pub(super) fn sections(&self, keys: &[&str], example: &str) -> Vec<Section<'a>> {
        let items = self.array("an array of tables", example);
        let open = |item: Value<'a>| {
            let table = item.table()?;
            let section = Section { path: item.path, span: item.span, table: Some(table), notes: self.notes };
            section.check_keys(keys);
            Some(section)
        };
        items.into_iter().flatten().filter_map(open).collect()
    }

    /// A whole number of at least `least`.
    pub(super) fn whole(&self, least: u64, example: &str) -> Option<u64> {
        let DeValue::Integer(digits) = self.value else {
            self.expected("a whole number", example);
            return None;
        };
        let text = digits.as_str().replace('_', "");
        let number = u64::from_str_radix(&text, digits.radix()).ok();
        let number = number.filter(|number| *number >= least && *number <= i64::MAX as u64);
        if number.is_none() {
            self.wrong(format!("must be a whole number of at least {least}"), format!("write for example {example}"));
        }
        number
    }

    /// A number with or without a point.
    pub(super) fn number(&self, example: &str) -> Option<f64> {
        let text = match self.value {
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            _ => {
                self.expected("a number", example);
                return None;
            }
        };
        let number = text.replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite());
        if number.is_none() {
            self.wrong(format!("{text} is no finite number"), format!("write for example {example}"));
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Option<bool> {
        let DeValue::Boolean(value) = self.value else {
            self.expected("`true` or `false`", "true");
            return None;
        };
        Some(*value)
    }

    /// A day: `2027-01-31`, with or without quotes.
    pub(super) fn date(&self) -> Option<jiff::civil::Date> {
        let text = match self.value {
            DeValue::Datetime(date) => date.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => {
                self.expected("a date", "2027-01-31");
                return None;
            }
        };
        let date = text.parse().ok().filter(|_| text.len() == "2027-01-31".len());
        if date.is_none() {
            self.wrong(format!("{text:?} is not a day"), "write it as `2027-01-31`");
        }
        date
    }

    /// True where an integer was typed.
    pub(super) fn is_integer(&self) -> bool {
        matches!(self.value, DeValue::Integer(_))
    }

    /// True where a table was typed.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    /// A table in an array, which may hold `keys`.
    pub(super) fn as_section(&self, keys: &[&str]) -> Option<Section<'a>> {
        let table = self.table()?;
        let section =
            Section { path: self.path.clone(), span: self.span.clone(), table: Some(table), notes: self.notes };
        section.check_keys(keys);
        Some(section)
    }

    /// `true` or `false`.
    pub(super) fn truth(&self) -> Option<bool> {
        let DeValue::Boolean(truth) = self.value else {
            self.expected("true or false", "true");
            return None;
        };
        Some(*truth)
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let example = names.first().map_or_else(String::new, |n| format!("\"{n}\""));
        let text = self.string(&example)?;
        let choice = choices.iter().find(|(name, _)| *name == text);
        if choice.is_none() {
            let help = match closest(text, &names) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("choose one of {}", quoted(&names)),
            };
            self.wrong(format!("unknown value {text:?}"), help);
        }
        choice.map(|(_, value)| *value)
    }

    fn table(&self) -> Option<&'a DeTable<'a>> {
        let DeValue::Table(table) = self.value else {
            let name = &self.path;
            self.wrong("expected a table", format!("write it as a section of its own: `[{name}]`"));
            return None;
        };
        Some(table)
    }
}

/// The known word that was probably meant.
pub(super) fn closest<'k>(typed: &str, known: &[&'k str]) -> Option<&'k str> {
    let typed = typed.to_lowercase();
    let limit = (typed.chars().count() / 3).clamp(1, 3);
    let near = known.iter().map(|k| (strsim::osa_distance(&typed, k), *k));
    let (distance, near) = near.min()?;
    (distance <= limit).then_some(near)
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

/// Which keys were asked for, so that a test can compare them with the documentation.
#[cfg(test)]
pub(super) mod asked {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        static ASKED: RefCell<BTreeSet<(String, String)>> = RefCell::default();
    }

    pub(super) fn note(path: &str, keys: &[&str]) {
        // `verify.step[1]` and `verify.step[2]` are read alike.
        let mut section = String::new();
        let mut within = false;
        for c in path.chars() {
            match c {
                '[' => within = true,
                ']' => within = false,
                c if !within => section.push(c),
                _ => {}
            }
        }
        ASKED.with_borrow_mut(|asked| asked.extend(keys.iter().map(|key| (section.clone(), (*key).to_owned()))));
    }

    /// What was asked for in this thread: section and key.
    pub(in super::super) fn taken() -> BTreeSet<(String, String)> {
        ASKED.take()
    }
}
