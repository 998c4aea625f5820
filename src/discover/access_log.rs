//! An access log or a job history: who read the dataset, and when. It knows the
//! dashboards and scheduled queries that no catalog does.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::candidate::Candidate;
use super::dataset::named;
use super::entity::Entity;
use super::openlineage::{MAX_LINE, lines};
use super::source::{Context, Found, Source};
use crate::config::AccessLog;

/// The most readers.
const MAX_READERS: usize = if cfg!(test) { 60 } else { 500_000 };

/// `access_log = "reads.csv"`.
pub(super) struct Reads<'a>(pub(super) &'a AccessLog);

/// The reads of one account.
#[derive(Default)]
struct Reader {
    count: u64,
    last: i64,
    doubt: &'static str,
}

/// One line of a log.
struct Row {
    who: String,
    dataset: String,
    when: String,
}

impl Source for Reads<'_> {
    fn label(&self, cx: &Context<'_>) -> String {
        format!("access log {}", (cx.shown)(&self.0.file))
    }

    fn read(&self, cx: &Context<'_>) -> Found {
        let shown = (cx.shown)(&self.0.file);
        let mut found = Found::default();
        let mut readers: BTreeMap<String, Reader> = BTreeMap::new();
        let mut take = |line: u64, row: Result<Row, String>| {
            if let Err(reason) = row.and_then(|row| self.note(&mut readers, &row, cx)) {
                found.note(format!("{shown}:{line}:1: {reason}"));
            }
        };
        let is_csv = self.0.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let read = match is_csv {
            true => self.csv(&mut take),
            false => self.ndjson(&mut take),
        };
        if let Err(reason) = read {
            found.note(format!("{shown}:1:1: {reason}"));
        }
        let place: Arc<str> = shown.as_str().into();
        let consumers = readers.iter().filter_map(|(who, reader)| self.consumer(who, reader, &place, cx));
        found.consumers = consumers.collect();
        found
    }
}

impl Reads<'_> {
    fn ndjson(&self, take: &mut dyn FnMut(u64, Result<Row, String>)) -> Result<(), String> {
        let row = |line: &[u8]| -> Result<Row, String> {
            let value: Value = serde_json::from_slice(line).map_err(|e| format!("not JSON ({e}): it was left out"))?;
            let field = |path: &str| {
                let found = path.split('.').try_fold(&value, |value, part| value.get(part));
                match found {
                    Some(Value::String(text)) => Ok(text.clone()),
                    Some(Value::Number(number)) => Ok(number.to_string()),
                    _ => Err(format!("no field {path:?}: correct it, or name the field in the migration")),
                }
            };
            Ok(Row { who: field(&self.0.who)?, dataset: field(&self.0.dataset)?, when: field(&self.0.when)? })
        };
        let read = lines(&self.0.file, |number, line| take(number, line.and_then(row)));
        read.map_err(|error| format!("can't be read ({error}): check its permissions"))
    }

    fn csv(&self, take: &mut dyn FnMut(u64, Result<Row, String>)) -> Result<(), String> {
        let failed = |error: csv::Error| format!("can't be read ({error}): check it and its permissions");
        let watch = Rc::new(RefCell::new(Watch::default()));
        let file = std::fs::File::open(&self.0.file).map_err(|error| failed(error.into()))?;
        let file = Bounded { file, watch: Rc::clone(&watch) };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
        let headers = reader.headers().map_err(failed)?.clone();
        let column = |name: &str| {
            let found = headers.iter().position(|header| header.trim_start_matches('\u{feff}').trim() == name);
            found.ok_or_else(|| {
                let known: Vec<&str> = headers.iter().take(20).collect();
                format!("no column {name:?} (there are {}): name it in the migration", known.join(", "))
            })
        };
        let columns = [column(&self.0.who)?, column(&self.0.dataset)?, column(&self.0.when)?];
        let mut record = csv::StringRecord::new();
        loop {
            let line = reader.position().line();
            watch.borrow_mut().read = 0;
            match reader.read_record(&mut record) {
                Ok(false) => {
                    watch.borrow().odd().for_each(|line| take(line, Err(UNCLOSED.to_owned())));
                    return Ok(());
                }
                Ok(true) => {
                    let line = record.position().map_or(line, csv::Position::line);
                    // None of these has a line break of its own.
                    if columns.iter().filter_map(|at| record.get(*at)).any(|text| text.contains('\n')) {
                        take(line, Err(UNCLOSED.to_owned()));
                        continue;
                    }
                    let [who, dataset, when] = columns.map(|at| record.get(at).map(str::to_owned));
                    take(
                        line,
                        match (who, dataset, when) {
                            (Some(who), Some(dataset), Some(when)) => Ok(Row { who, dataset, when }),
                            _ => Err("too few columns: it was left out".to_owned()),
                        },
                    );
                }
                Err(error) => {
                    let fatal = matches!(error.kind(), csv::ErrorKind::Io(_));
                    take(line, Err(format!("not readable as CSV ({error}): it was left out")));
                    if fatal {
                        watch.borrow().odd().for_each(|line| take(line, Err(UNCLOSED.to_owned())));
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Counts a read of one of the migration's datasets.
    fn note(&self, readers: &mut BTreeMap<String, Reader>, row: &Row, cx: &Context<'_>) -> Result<(), String> {
        let Some(meant) = cx.datasets.meant(&row.dataset) else { return Ok(()) };
        let at = seconds(&row.when)
            .ok_or_else(|| format!("{:?} is no time: write it as 2026-11-28T09:00:00Z, or in seconds", row.when))?;
        if self.0.since.is_some_and(|since| at < since) {
            return Ok(());
        }
        let who: String = row.who.trim().chars().filter(|c| !c.is_control()).take(200).collect();
        if who.is_empty() {
            return Err("nobody is named as the reader: it was left out".to_owned());
        }
        if readers.len() >= MAX_READERS && !readers.contains_key(&who) {
            return Err(format!("more than {MAX_READERS} readers: it was left out: give a shorter log"));
        }
        let reader = readers.entry(who).or_default();
        reader.doubt = if reader.count == 0 { meant.doubt() } else { reader.doubt };
        reader.count += 1;
        reader.last = reader.last.max(at);
        Ok(())
    }

    fn consumer(&self, who: &str, reader: &Reader, place: &Arc<str>, cx: &Context<'_>) -> Option<Candidate> {
        let known = self.0.principals.get(who).cloned();
        let stated = || who.contains(':').then(|| crate::workspace::EntityRef::parse(who, "component")).flatten();
        let reference = known.or_else(stated).or_else(|| named("principal", "default", who))?;
        let day = jiff::Timestamp::from_second(reader.last).map(|at| at.strftime("%Y-%m-%d").to_string());
        let times = if reader.count == 1 { "once".to_owned() } else { format!("{} times", reader.count) };
        let (last, doubt) = (day.unwrap_or_default(), reader.doubt);
        let because = format!("{who} read it {times}, last on {last}{doubt} ({place})");
        let unknown = Err(format!(
            "{place} says that {who} reads it, not where its code lies: name its consumer under `principals`, or change it by hand"
        ));
        Some(Candidate::described(&Entity::told(reference, place, unknown), [because], cx.shown))
    }
}

/// What a quote without an end does.
const UNCLOSED: &str = "a quote is opened and never closed: rows may be hidden: close it, or double it";

/// Where quotes stand in CSV (RFC 4180): a field that begins with one ends with one, and
/// nothing but a separator follows. Readers forgive more, and then take the rows up to the
/// next quote for a part of the field.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Quotes {
    #[default]
    FieldBegins,
    Plain,
    Quoted,
    /// The field has ended, or the next quote doubles this one.
    Closed,
}

/// What is noticed of a file while it is read.
#[derive(Default)]
struct Watch {
    /// Bytes since the last record.
    read: u64,
    quotes: Quotes,
    /// Line breaks so far.
    breaks: u64,
    /// The line where the last quoted field began, from 1.
    opened: u64,
    /// The lines of fields whose quotes are wrong.
    wrong: Vec<u64>,
}

impl Watch {
    fn note(&mut self, bytes: &[u8]) {
        self.read += bytes.len() as u64;
        for byte in bytes {
            let separates = matches!(byte, b',' | b'\n' | b'\r');
            self.quotes = match (self.quotes, byte) {
                (Quotes::FieldBegins, b'"') => {
                    self.opened = self.breaks + 1;
                    Quotes::Quoted
                }
                (Quotes::Quoted, b'"') => Quotes::Closed,
                (Quotes::Quoted, _) | (Quotes::Closed, b'"') => Quotes::Quoted,
                (_, _) if separates => Quotes::FieldBegins,
                (Quotes::Closed, _) => {
                    if self.wrong.len() <= super::source::MAX_PROBLEMS {
                        self.wrong.push(self.opened);
                    }
                    Quotes::Plain
                }
                (_, _) => Quotes::Plain,
            };
            self.breaks += u64::from(*byte == b'\n');
        }
    }

    /// The lines of fields whose quotes are wrong, once all is read.
    fn odd(&self) -> impl Iterator<Item = u64> {
        let open = (self.quotes == Quotes::Quoted).then_some(self.opened);
        self.wrong.iter().copied().chain(open)
    }
}

/// A file that is read up to a bound at a time, and watched.
struct Bounded {
    file: std::fs::File,
    watch: Rc<RefCell<Watch>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut watch = self.watch.borrow_mut();
        if watch.read > MAX_LINE {
            return Err(std::io::Error::other(format!(
                "a record is longer than {} MiB: no quote ends it",
                MAX_LINE >> 20
            )));
        }
        let count = self.file.read(buffer)?;
        watch.note(&buffer[..count]);
        Ok(count)
    }
}

/// A time as logs write it: RFC 3339, a day, or seconds or milliseconds since the epoch.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Some(if number.unsigned_abs() > 100_000_000_000 { number / 1000 } else { number });
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_second());
    }
    let text = text.trim_end_matches(" UTC");
    let at = text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(at.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        crate::files::write_whole(&path, b"\"\"\"", false).unwrap();
        let watch = Rc::new(RefCell::new(Watch { read: MAX_LINE + 1, ..Watch::default() }));
        let mut bounded = Bounded { file: std::fs::File::open(&path).unwrap(), watch: Rc::clone(&watch) };
        assert!(bounded.read(&mut [0; 9]).is_err());
        watch.borrow_mut().read = 0;
        assert_eq!((bounded.read(&mut [0; 9]).unwrap(), watch.borrow().read), (3, 3));
    }

    #[test]
    fn quotes_that_hide_rows() {
        let odd = |text: &str| {
            let mut watch = Watch::default();
            text.as_bytes().chunks(3).for_each(|bytes| watch.note(bytes));
            watch.odd().collect::<Vec<_>>()
        };
        for fine in ["a,b\n", "\"a\nb\",\"c\"\r\n\"\"\n", "\"a \"\"b\"\" c\",d", "a\"b,c\n", ""] {
            assert!(odd(fine).is_empty(), "{fine:?}");
        }
        assert_eq!(odd("x,y\nann,\"select 1\nbob,\"select 2\"\n"), [2]);
        assert_eq!(odd("x\n\"a\nb\"\n\"c"), [4]);
    }

    #[test]
    fn times_as_logs_write_them() {
        for text in
            ["1700000000", "1700000000000", "2023-11-14T22:13:20Z", "2023-11-14 22:13:20 UTC", "2023-11-14T22:13:20"]
        {
            assert_eq!(seconds(text), Some(1_700_000_000), "{text}");
        }
        assert_eq!(seconds("2023-11-14"), Some(1_699_920_000));
        assert_eq!(seconds("yesterday"), None);
        assert_eq!(seconds("-9223372036854775808"), Some(i64::MIN / 1000));
    }
}
