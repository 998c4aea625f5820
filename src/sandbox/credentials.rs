//! Credentials of fetch steps: cut out of whatever steps print or leave, and looked for
//! in what a fetch step leaves to others.
//!
//! They are known as they are, in base64, percent-encoded, in hex, and as JSON and XML
//! write them, in upper and lower case. What is compressed, encrypted, taken apart or
//! encoded twice is not seen.
//!
//! Must not: show a value to anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use walkdir::WalkDir;

/// The shortest value, in bytes: a shorter one stands in many a text by chance.
const SHORTEST: usize = 8;
/// The longest.
const LONGEST: usize = 16 << 10;
/// What is left of a value at the place where output was cut off, and is not worth cutting.
const REST: usize = 3;
/// Above this, in bytes, an automaton in tables takes too much memory.
const DENSE: usize = 32 << 10;
/// How much of a file is read at once.
const CHUNK: usize = 256 << 10;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Some variables and their values. Prints names only.
#[derive(Clone, Default)]
pub struct Credentials {
    values: BTreeMap<String, String>,
    search: Option<Search>,
}

/// Every form of every value, and whose it is.
#[derive(Clone)]
struct Search {
    automaton: AhoCorasick,
    forms: Vec<String>,
    names: Vec<String>,
}

/// Why what was left can't be shown to others.
#[derive(Debug, PartialEq, Eq)]
pub enum Leak {
    /// A credential lies there.
    Found {
        /// Its variable.
        name: String,
        /// The file, below the folder that was searched.
        path: PathBuf,
    },
    /// A file can't be read.
    Closed(PathBuf),
    /// It is more than is looked through.
    TooMuch,
}

impl Credentials {
    /// The value of a variable of gander's own environment.
    ///
    /// # Errors
    /// Why it can't be given to a step: a sentence without the value.
    pub fn value(name: &str) -> Result<String, String> {
        let value = match std::env::var(name) {
            Ok(value) => value,
            Err(std::env::VarError::NotPresent) => {
                return Err(format!("the credential {name} is not set in gander's own environment"));
            }
            Err(std::env::VarError::NotUnicode(_)) => return Err(format!("the credential {name} is not UTF-8")),
        };
        match value.trim().len() {
            SHORTEST..=LONGEST => Ok(value),
            length => Err(format!(
                "the credential {name} has {length} bytes: with fewer than {SHORTEST} or more than {LONGEST} it cannot \
                 be told apart in output; what is no secret belongs into [sandbox] env"
            )),
        }
    }

    fn new(values: BTreeMap<String, String>) -> Self {
        let search = Search::new(&values);
        Self { values, search }
    }

    /// Those of these names that can be given to a step.
    pub fn of<'a>(names: impl Iterator<Item = &'a String>) -> Self {
        Self::new(names.filter_map(|name| Some((name.clone(), Self::value(name).ok()?))).collect())
    }

    /// The variables.
    pub fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// All but those that `names` holds.
    pub fn without(&self, names: &[String]) -> Self {
        let others = self.values.iter().filter(|(name, _)| !names.contains(name));
        Self::new(others.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// A text without the values: their names stand instead.
    pub fn cut(&self, text: &str) -> String {
        match &self.search {
            Some(search) if search.automaton.is_match(text) => search.automaton.replace_all(text, &search.shown()),
            _ => text.to_owned(),
        }
    }

    /// The same in bytes.
    pub fn cut_bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match &self.search {
            Some(search) if search.automaton.is_match(&bytes) => {
                search.automaton.replace_all_bytes(&bytes, &search.shown())
            }
            _ => bytes,
        }
    }

    /// The same in the end of an output, which may begin within a value.
    pub fn cut_tail(&self, text: &str) -> String {
        let Some(search) = &self.search else { return text.to_owned() };
        let start = text.strip_prefix('[').and_then(|rest| rest.find("dropped]\n")).map_or(0, |at| at + 10);
        let (notice, rest) = text.split_at(start);
        let cut = if start == 0 { 0 } else { search.rest_of_a_value(rest.as_bytes()) };
        format!("{notice}{}", self.cut(rest.get(cut..).unwrap_or(rest)))
    }

    /// Looks for the values below `folder`, in files and in names, in `budget` bytes at most.
    ///
    /// # Errors
    /// Where the user wants an end.
    pub fn found_in(&self, folder: &Path, budget: &mut u64) -> io::Result<Option<Leak>> {
        let Some(search) = &self.search else { return Ok(None) };
        let mut seen = BTreeSet::new();
        for entry in WalkDir::new(folder).follow_links(false).sort_by_file_name() {
            if crate::interrupt::wanted() {
                return Err(io::Error::from(io::ErrorKind::Interrupted));
            }
            let below = |path: &Path| path.strip_prefix(folder).unwrap_or(path).to_owned();
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return Ok(Some(Leak::Closed(below(error.path().unwrap_or(folder))))),
            };
            let path = below(entry.path());
            let leak = |name: &str| Some(Leak::Found { name: name.to_owned(), path: path.clone() });
            if let Some(name) = search.name_in(path.as_os_str().as_encoded_bytes()) {
                return Ok(leak(name));
            }
            let found = match entry.metadata() {
                Ok(meta) if meta.is_symlink() => {
                    std::fs::read_link(entry.path()).map(|to| search.name_in(to.as_os_str().as_encoded_bytes()))
                }
                Ok(meta) if meta.is_file() && seen.insert(inode(&meta)) => {
                    let Some(left) = budget.checked_sub(meta.len()) else { return Ok(Some(Leak::TooMuch)) };
                    *budget = left;
                    std::fs::File::open(entry.path()).and_then(|file| search.name_in_file(file))
                }
                Ok(_) => Ok(None),
                Err(error) => Err(error.into()),
            };
            match found {
                Ok(Some(name)) => return Ok(leak(name)),
                Ok(None) => {}
                Err(_) => return Ok(Some(Leak::Closed(path))),
            }
        }
        Ok(None)
    }
}

#[cfg(unix)]
fn inode(meta: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.dev(), meta.ino())
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Search {
    fn new(values: &BTreeMap<String, String>) -> Option<Self> {
        let all =
            values.iter().flat_map(|(name, value)| forms(value).into_iter().map(move |form| (form, name.clone())));
        let (forms, names): (Vec<String>, Vec<String>) = all.unzip();
        let size: usize = forms.iter().map(String::len).sum();
        let kind = if size > DENSE { AhoCorasickKind::ContiguousNFA } else { AhoCorasickKind::DFA };
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .kind(Some(kind))
            .build(&forms);
        (!forms.is_empty()).then_some(Self { automaton: automaton.ok()?, forms, names })
    }

    /// What stands in the place of each form.
    fn shown(&self) -> Vec<String> {
        self.names.iter().map(|name| format!("[{name}]")).collect()
    }

    fn name_in(&self, bytes: &[u8]) -> Option<&str> {
        let found = self.automaton.find(bytes)?;
        Some(&self.names[found.pattern().as_usize()])
    }

    fn name_in_file(&self, mut file: impl Read) -> io::Result<Option<&str>> {
        let overlap = self.automaton.max_pattern_len();
        let mut buffer = Vec::with_capacity(CHUNK + overlap);
        loop {
            let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut buffer)?;
            if let Some(name) = self.name_in(&buffer) {
                return Ok(Some(name));
            }
            if read == 0 || crate::interrupt::wanted() {
                return Ok(None);
            }
            // A value may begin here and end in what is read next.
            let spent = buffer.len().saturating_sub(overlap);
            buffer.drain(..spent);
        }
    }

    /// How many bytes at the beginning of a text are the end of a form.
    fn rest_of_a_value(&self, text: &[u8]) -> usize {
        let begins = |rest: &[u8]| text.get(..rest.len()).is_some_and(|text| text.eq_ignore_ascii_case(rest));
        let rest = |form: &String| {
            let form = form.as_bytes();
            (REST + 1..form.len()).rev().find(|length| begins(&form[form.len() - length..]))
        };
        self.forms.iter().filter_map(rest).max().unwrap_or(0)
    }
}

/// How a value may be written.
fn forms(value: &str) -> BTreeSet<String> {
    let value = value.trim();
    let mut forms = BTreeSet::from([value.to_owned()]);
    forms.insert(utf8_percent_encode(value, UNRESERVED).to_string());
    forms.insert(value.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }));
    if let Ok(json) = serde_json::to_string(value) {
        forms.insert(json.trim_matches('"').to_owned());
        forms.insert(json.trim_matches('"').replace('/', "\\/"));
    }
    let xml = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&apos;")];
    forms.insert(xml.iter().fold(value.to_owned(), |text, (plain, escaped)| text.replace(*plain, escaped)));
    // Three bytes become four letters. What stands before the value shifts it by up to two
    // bytes, and the letters at both ends are made of others as well.
    for shift in 0..3 {
        let bytes = [&b"\0\0"[..shift], value.as_bytes()].concat();
        let whole = bytes.len() - bytes.len() % 3;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&bytes[..whole]);
            forms.extend(encoded.get(if shift == 0 { 0 } else { 4 }..).map(str::to_owned));
        }
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "p&s/s w\"rd+ü1";

    fn one(value: &str) -> Credentials {
        Credentials::new(BTreeMap::from([("TOKEN".to_owned(), value.to_owned())]))
    }

    #[test]
    fn every_form_is_cut() {
        let credentials = one(VALUE);
        let mut written = vec![
            VALUE.to_owned(),
            "p%26s%2Fs%20w%22rd%2B%C3%BC1".to_owned(),
            "p%26s%2fs%20w%22rd%2b%c3%bc1".to_owned(),
            "p&amp;s/s w&quot;rd+ü1".to_owned(),
            "p&s\\/s w\\\"rd+ü1".to_owned(),
            "7026732F732077227264 2BC3BC31".replace(' ', ""),
        ];
        for text in written.drain(..) {
            assert_eq!(credentials.cut(&format!("a {text} b")), "a [TOKEN] b", "{text}");
        }
        // After whatever, in both alphabets; what little is left of the value is mixed with others.
        for before in ["", "u", "us", "user:", "someone@example.org:"] {
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let encoded = engine.encode(format!("{before}{VALUE}"));
                let cut = credentials.cut(&encoded);
                assert!(cut.contains("[TOKEN]") && cut.len() < encoded.len(), "{encoded}: {cut}");
            }
        }
        assert_eq!(credentials.cut("p&s/s and w\"rd+ü1"), "p&s/s and w\"rd+ü1");
        assert_eq!(credentials.cut_bytes([&b"\xff"[..], VALUE.as_bytes()].concat()), b"\xff[TOKEN]");
    }

    #[test]
    fn what_is_left_of_a_value_where_output_was_cut_off_is_cut() {
        let credentials = one("0123456789abcdef");
        let tail = |text: &str| credentials.cut_tail(text);
        let notice = "[12 earlier bytes were dropped]\n";
        assert_eq!(tail(&format!("{notice}6789abcdef rest")), format!("{notice} rest"));
        assert_eq!(tail(&format!("{notice}rest 0123456789abcdef")), format!("{notice}rest [TOKEN]"));
        assert_eq!(tail("cdef was printed"), "cdef was printed");
    }

    #[test]
    fn values_are_found_in_files_names_and_links() {
        let folder = tempfile::tempdir().unwrap();
        let credentials = one("0123456789abcdef");
        let found = |budget: u64| credentials.found_in(folder.path(), &mut { budget }).unwrap();
        let put =
            |path: &str, bytes: &[u8]| crate::files::write_whole(&folder.path().join(path), bytes, false).unwrap();
        put("fine", b"nothing");
        assert_eq!(found(1 << 30), None);
        assert_eq!(found(3), Some(Leak::TooMuch));
        let at = |path: &str| Some(Leak::Found { name: "TOKEN".to_owned(), path: path.into() });
        // Across the border of two pieces.
        let mut large = vec![b'x'; CHUNK - 7];
        large.extend_from_slice(b"0123456789abcdef");
        put("large", &large);
        assert_eq!(found(1 << 30), at("large"));
        put("large", b"");
        std::os::unix::fs::symlink("/a/0123456789ABCDEF", folder.path().join("link")).unwrap();
        assert_eq!(found(1 << 30), at("link"));
        put("0123456789abcdef.txt", b"");
        assert_eq!(found(1 << 30), at("0123456789abcdef.txt"));
    }

    #[test]
    fn values_that_stand_anywhere_are_given_to_nobody() {
        assert!(Credentials::value("GANDER_TEST_NO_SUCH").unwrap_err().contains("not set"));
        // It is in the environment of every test.
        assert!(Credentials::value("CARGO_PKG_VERSION").unwrap_err().contains("5 bytes"));
        assert_eq!(format!("{:?}", one("0123456789abcdef")), "{\"TOKEN\"}");
    }
}
