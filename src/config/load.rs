//! From a path to a [`Migration`]: reads the file within bounds, has every
//! section read, and gives the whole its digest.
//!
//! Must not: stop at the first error.

use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::error::{ConfigError, ConfigErrors};
use super::raw::{Notes, Section, Value};
use super::{Migration, sections};
use crate::digest::{Digest, DigestBuilder};

/// The largest migration file, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// The largest rule file, in bytes.
const MAX_RULE: u64 = 4 << 20;
/// The largest mapping file, in bytes.
const MAX_MAPPING: u64 = 64 << 20;
/// A file that isn't TOML at all would yield an error a line.
const MAX_SYNTAX_ERRORS: usize = 20;

/// Reads a migration file whole.
///
/// # Errors
/// Everything that is wrong with it, in one go; nothing was written.
pub fn load(path: &Path) -> Result<Migration, ConfigErrors> {
    let (migration, missing) = load_what_is_there(path)?;
    missing.map_or(Ok(migration), Err)
}

/// As [`load`]; where nothing is wrong with it but that files or folders are missing that it names, as much of it as
/// there is, and what is missing. It knows the gates, the state and who is to hear of it: enough to watch what is
/// out, and not to plan anything.
///
/// # Errors
/// Everything else that is wrong with it, with what is missing.
pub fn load_what_is_there(path: &Path) -> Result<(Migration, Option<ConfigErrors>), ConfigErrors> {
    let shown = path.display().to_string();
    let (file, bytes) = open(path, &shown)?;
    let source = text(&shown, &bytes)?;
    let (table, syntax) = DeTable::parse_recoverable(source);
    if !syntax.is_empty() {
        return Err(ConfigErrors::new(shown, source.to_owned(), syntax_errors(&syntax)));
    }
    let values = toml::from_str::<toml::Table>(source).map_err(|error| {
        let errors = syntax_errors(std::slice::from_ref(&error));
        ConfigErrors::new(shown.clone(), source.to_owned(), errors)
    })?;
    let notes = Notes::default();
    let base = file.parent().unwrap_or(Path::new("/")).to_path_buf();
    let parameters = match values.get("parameters") {
        Some(toml::Value::Table(table)) => table.clone(),
        _ => toml::Table::new(),
    };
    let place = Place { base: &base, missing: Cell::new(0) };
    let root = Section::root(&table, &notes, sections::SECTIONS);
    let mut seal = Seal::new(&bytes);
    let migration = sections::migration(&root, &place, &mut seal, file.clone(), parameters, digests(&values));
    let errors = notes.into_errors();
    match migration {
        Some(migration) if errors.is_empty() => Ok((migration, None)),
        Some(migration) if errors.len() == place.missing.get() => {
            Ok((migration, Some(ConfigErrors::new(shown, source.to_owned(), errors))))
        }
        _ => Err(ConfigErrors::new(shown, source.to_owned(), errors)),
    }
}

/// Names what a file says of verification, of gates, and of which change sets go out, and where.
fn digests(values: &toml::Table) -> [Digest; 3] {
    let gates = values.get("rollout").and_then(|rollout| rollout.get("gate"));
    let gates = gates.map(ToString::to_string).unwrap_or_default();
    let gates = DigestBuilder::new("gander.gates").field(gates).finish();
    let mut delivery = DigestBuilder::new("gander.delivery");
    for name in ["policy", "deliver", "code"] {
        delivery = delivery.field(values.get(name).map(ToString::to_string).unwrap_or_default());
    }
    [how_verified(values), gates, delivery.finish()]
}

/// Names what a file says of verification.
fn how_verified(values: &toml::Table) -> Digest {
    let mut digest = DigestBuilder::new("gander.verify");
    for name in ["verify", "sandbox"] {
        let mut section = values.get(name).and_then(toml::Value::as_table).cloned().unwrap_or_default();
        // How many run at once does not change what they find.
        section.remove("jobs");
        digest = digest.field(section.to_string());
    }
    digest.finish()
}

/// The canonical path of the file, and its bytes.
fn open(path: &Path, shown: &str) -> Result<(PathBuf, Vec<u8>), ConfigErrors> {
    let fail = |message: String, help: &str| ConfigErrors::unreadable(shown.to_owned(), message, help);
    let missing = |error: std::io::Error| {
        let help = "check the path; `gander run FILE` takes the migration file itself";
        fail(format!("the migration file can't be read: {error}"), help)
    };
    let canonical = path.canonicalize().map_err(missing)?;
    if !canonical.is_file() {
        let help = "name the migration file in it, for example migration.toml";
        return Err(fail("this is not a file".to_owned(), help));
    }
    match bounded(&canonical, MAX_FILE) {
        Err(error) => Err(missing(error)),
        Ok(None) => Err(fail(
            "the migration file is larger than 1 MiB".to_owned(),
            "move tables of data into files named under [mappings]",
        )),
        Ok(Some(bytes)) => Ok((canonical, bytes)),
    }
}

/// The bytes of a file, or `None` where there are more than `limit`.
fn bounded(path: &Path, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

fn text<'b>(shown: &str, bytes: &'b [u8]) -> Result<&'b str, ConfigErrors> {
    std::str::from_utf8(bytes).map_err(|error| {
        let start = error.valid_up_to();
        let lossy = String::from_utf8_lossy(bytes).into_owned();
        let wrong = ConfigError {
            key: String::new(),
            message: format!("byte {start} of the file is not UTF-8"),
            help: "save the file as UTF-8".to_owned(),
            span: Some(start..start + char::REPLACEMENT_CHARACTER.len_utf8()),
        };
        ConfigErrors::new(shown.to_owned(), lossy, vec![wrong])
    })
}

fn syntax_errors(errors: &[toml::de::Error]) -> Vec<ConfigError> {
    let error = |error: &toml::de::Error| ConfigError {
        key: String::new(),
        message: format!("not TOML: {}", error.message()),
        help: "correct the syntax here; the rest is checked once the file is TOML".to_owned(),
        span: Some(error.span().unwrap_or(0..0)),
    };
    errors.iter().take(MAX_SYNTAX_ERRORS).map(error).collect()
}

/// What there is to do about a path at which nothing is.
const CREATE: &str = "create it, or correct the path, which is relative to the migration file";

/// The folder that relative paths of the migration are relative to.
pub(super) struct Place<'a> {
    base: &'a Path,
    /// How many of the errors are that something is not there.
    missing: Cell<usize>,
}

impl Place<'_> {
    /// The folder itself, canonical.
    pub(super) fn base(&self) -> &Path {
        self.base
    }

    /// A path that need not exist, made absolute.
    pub(super) fn absolute(&self, text: &str) -> PathBuf {
        self.base.join(text)
    }

    /// The canonical path of a file that must exist.
    pub(super) fn file(&self, value: &Value<'_>, text: &str) -> Option<PathBuf> {
        self.existing(value, text, "file", Path::is_file)
    }

    /// The canonical path of a folder that must exist.
    pub(super) fn folder(&self, value: &Value<'_>, text: &str) -> Option<PathBuf> {
        self.existing(value, text, "folder", Path::is_dir)
    }

    /// Notes that something that a value names is not there.
    pub(super) fn missing(&self, value: &Value<'_>, message: impl Into<String>) {
        value.wrong(message, CREATE);
        self.missing.set(self.missing.get() + 1);
    }

    fn existing(&self, value: &Value<'_>, text: &str, what: &str, is: fn(&Path) -> bool) -> Option<PathBuf> {
        match self.base.join(text).canonicalize() {
            Ok(path) if is(&path) => Some(path),
            Ok(_) => {
                value.wrong(format!("{text:?} is not a {what}"), CREATE);
                None
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.missing(value, format!("there is no {what} {text:?}"));
                None
            }
            Err(error) => {
                self.missing(value, format!("the {what} {text:?} can't be read: {error}"));
                None
            }
        }
    }
}

/// The digest of a migration while it is read. Paths of this machine stay out of it.
pub(super) struct Seal(DigestBuilder);

impl Seal {
    fn new(bytes: &[u8]) -> Self {
        Self(DigestBuilder::new("migration").field(bytes))
    }

    /// Adds the bytes of a rule file.
    pub(super) fn rule(&mut self, value: &Value<'_>, path: &Path) {
        self.add("rule", value, path, MAX_RULE);
    }

    /// Adds the bytes of a mapping file.
    pub(super) fn mapping(&mut self, name: &str, value: &Value<'_>, path: &Path) {
        self.add(name, value, path, MAX_MAPPING);
    }

    /// Adds the bytes of a file, or of all files in a folder, that a step is given.
    pub(super) fn seed(&mut self, value: &Value<'_>, path: &Path) {
        match crate::files::content_digest(path) {
            Ok(digest) => {
                let so_far = std::mem::take(&mut self.0);
                self.0 = so_far.field("seed").field(digest.as_bytes());
            }
            Err(error) => value.wrong(format!("it can't be read: {error}"), "check its permissions"),
        }
    }

    fn add(&mut self, label: &str, value: &Value<'_>, path: &Path, limit: u64) {
        match bounded(path, limit) {
            Ok(Some(bytes)) => {
                let so_far = std::mem::take(&mut self.0);
                self.0 = so_far.field(label).field(bytes);
            }
            Ok(None) => {
                value.wrong(format!("the file is larger than {} MiB", limit >> 20), "split it into several files")
            }
            Err(error) => value.wrong(format!("the file can't be read: {error}"), "check its permissions"),
        }
    }

    /// The digest of everything that was added.
    pub(super) fn finish(&self) -> Digest {
        self.0.finish()
    }
}
