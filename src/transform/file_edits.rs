//! Files that rules make, move and remove: told for a whole workspace, since two files
//! may ask for the same one.
//!
//! A path is given once. Who can't have it is refused with all that the file asked for,
//! so that a match that edits here and makes a file there is applied whole or not at all.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::file::{Creation, Fate, FileReport, unsettled};
use super::plan::FindingKind;
use super::skip;
use super::twins::{folded, prefixes};
use super::{check, file};
use crate::digest::Digest;
use crate::pin::{self, Found, PinError, Wanted};
use crate::rule::{Facts, RuleSet};
use crate::tree::parse;
use crate::workspace::{Manifest, Mode, is_inner_path};

/// What lies at a path before the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lies {
    /// Nothing.
    Nothing,
    /// A file that holds this.
    File(Vec<u8>),
    /// No file may be there; why.
    Never(String),
}

/// A file that was not there.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// All that it holds.
    pub text: String,
    /// The rule that asks for it; of several, the first.
    pub rule: String,
    /// The files whose matches ask for it, by their number among the reports.
    pub(super) sources: Vec<usize>,
}

/// What was decided for a workspace.
#[derive(Debug, Default)]
pub struct Decided {
    /// The new files, by path.
    pub new: BTreeMap<String, NewFile>,
    /// What was asked for and is there already.
    same: BTreeMap<String, Digest>,
}

impl Decided {
    /// Whether there is such a file once the change is made.
    pub fn there(&self, wanted: &Creation) -> bool {
        let new = self.new.get(&wanted.path).is_some_and(|file| file.text == wanted.text);
        new || self.same.get(&wanted.path) == Some(&Digest::of(wanted.text.as_bytes()))
    }

    /// Takes back the new files that no report asks for any more.
    pub(super) fn keep_wanted(&mut self, asks: impl Fn(usize, &str) -> bool) {
        self.new.retain(|path, file| file.sources.iter().any(|source| asks(*source, path)));
    }
}

/// A report and the path of its file.
pub type Reported<'a> = (&'a str, &'a mut FileReport);

/// More new files of one workspace are no migration.
const MAX_FILES: usize = 10_000;
/// In bytes, as most file systems have it.
const MAX_PATH: usize = 1024;
/// The same, of a part between slashes.
const MAX_NAME: usize = 255;

/// The paths that are asked for: what lies there has to be known.
pub(super) fn targets<'r>(reports: impl Iterator<Item = &'r FileReport>) -> BTreeSet<String> {
    let of = |report: &'r FileReport| {
        let to = match &report.fate {
            Fate::Moves { to, .. } => Some(to),
            _ => None,
        };
        report.creations.iter().map(|creation| &creation.path).chain(to).cloned()
    };
    reports.flat_map(of).collect()
}

/// Decides for a workspace whose files were all looked at, in one order. Reports that
/// can't have what they ask for are refused. `lies` tells what is at a path, for the
/// file that wants to move there, or for nobody.
pub fn decide(
    rules: &RuleSet,
    facts: &Arc<Facts>,
    reports: &mut [Reported<'_>],
    lies: &dyn Fn(&str, Option<&str>) -> Lies,
) -> Decided {
    loop {
        let (decided, wrong) = Round { reports, lies }.decide(rules, facts);
        if wrong.is_empty() {
            say_what_is_there(reports, &decided);
            return decided;
        }
        // Each round refuses one at least.
        for (number, Refusal { rule, place, why }) in wrong {
            let (path, report) = &mut reports[number];
            report.refuse(path, &rule, place, &why);
        }
    }
}

/// A match that asks for nothing but what is there has nothing to do.
fn say_what_is_there(reports: &mut [Reported<'_>], decided: &Decided) {
    for (_, report) in reports.iter_mut() {
        if report.change.is_some() || report.fate != Fate::Stays {
            continue;
        }
        for creation in report.creations.iter().filter(|c| !decided.new.contains_key(&c.path)) {
            let asked = |f: &&mut super::Finding| {
                f.kind == FindingKind::Mapped && f.rule == creation.rule && (f.line, f.column) == creation.place
            };
            for finding in report.findings.iter_mut().filter(asked) {
                finding.kind = FindingKind::Skipped;
                finding.message = format!("{} is there already, and holds this", creation.path);
            }
        }
    }
}

/// Why a report is refused.
struct Refusal {
    rule: String,
    place: (u32, u32),
    why: String,
}

/// Somebody who asks for a path.
struct Ask<'a> {
    /// The number of the report.
    number: usize,
    rule: &'a str,
    place: (u32, u32),
    /// What the file must hold; `None` for one that moves here.
    text: Option<&'a str>,
    from: &'a str,
}

impl Ask<'_> {
    fn agrees(&self, other: &Self) -> bool {
        match (self.text, other.text) {
            (Some(text), Some(other)) => text == other,
            (None, None) => self.number == other.number,
            // Even where one file asks for both: the one would be written over the other.
            _ => false,
        }
    }

    fn does(&self, path: &str) -> String {
        let (rule, from, line) = (self.rule, self.from, self.place.0);
        let place = if line == 0 { from.to_owned() } else { format!("{from}:{line}") };
        let verb = if self.text.is_some() { "creates" } else { "renames the file to" };
        format!("`{rule}` ({place}) {verb} {path}")
    }
}

type Refused = BTreeMap<usize, Refusal>;

struct Round<'a, 'r> {
    reports: &'a [Reported<'r>],
    lies: &'a dyn Fn(&str, Option<&str>) -> Lies,
}

impl Round<'_, '_> {
    fn decide(&self, rules: &RuleSet, facts: &Arc<Facts>) -> (Decided, Refused) {
        let (mut decided, mut refused) = (Decided::default(), Refused::new());
        let asks = self.asks();
        let mut spelled: BTreeMap<Cow<'_, str>, (&str, &str)> = BTreeMap::new();
        for (path, asking) in &asks {
            let mut twin = None;
            for part in prefixes(path) {
                let (first, owner) = *spelled.entry(folded(part)).or_insert((part, path));
                twin = twin.or((first != part).then_some(owner));
            }
            let above = path.match_indices('/').map(|(at, _)| &path[..at]).find(|above| asks.contains_key(above));
            if let Some(other) = twin.or(above).and_then(|other| asks.get_key_value(other)) {
                let both = asking.iter().chain(other.1);
                let why = format!("{}, and {}", asking[0].does(path), other.1[0].does(other.0));
                refuse(&mut refused, both, &format!("{why}: one place can't hold both"));
            }
            if let Some(other) = asking.iter().find(|ask| !ask.agrees(&asking[0])) {
                let why = format!("{}, and {}, otherwise", asking[0].does(path), other.does(path));
                refuse(&mut refused, asking.iter(), &format!("{why}: order them, or narrow one of them"));
                continue;
            }
            match self.fits(path, &asking[0]) {
                Err(why) => refuse(&mut refused, asking.iter(), &format!("{}: {why}", asking[0].does(path))),
                Ok(true) => {
                    let digest = Digest::of(asking[0].text.unwrap_or_default().as_bytes());
                    decided.same.insert((*path).to_owned(), digest);
                }
                Ok(false) => {
                    let Some(text) = asking[0].text else { continue };
                    let sources = asking.iter().map(|ask| ask.number).collect();
                    let new = NewFile { text: text.to_owned(), rule: asking[0].rule.to_owned(), sources };
                    decided.new.insert((*path).to_owned(), new);
                }
            }
        }
        if decided.new.len() > MAX_FILES {
            let why = format!("the rules create more than {MAX_FILES} files in this workspace");
            asks.values().for_each(|asking| refuse(&mut refused, asking.iter(), &why));
        }
        if refused.is_empty() {
            for (path, new) in &decided.new {
                if let Err(why) = sound(rules, facts, path, new, &decided) {
                    let asking = &asks[path.as_str()];
                    refuse(&mut refused, asking.iter(), &format!("{}: {why}", asking[0].does(path)));
                }
            }
        }
        (decided, refused)
    }

    /// Who asks for which path, in the order of the reports.
    fn asks(&self) -> BTreeMap<&str, Vec<Ask<'_>>> {
        let mut asks: BTreeMap<&str, Vec<Ask<'_>>> = BTreeMap::new();
        for (number, (from, report)) in self.reports.iter().enumerate() {
            if let Fate::Moves { to, rule } = &report.fate {
                asks.entry(to).or_default().push(Ask { number, rule, place: (0, 0), text: None, from });
            }
            for Creation { path, text, rule, place } in &report.creations {
                let ask = Ask { number, rule, place: *place, text: Some(text), from };
                asks.entry(path).or_default().push(ask);
            }
        }
        asks
    }

    /// Whether the path already holds what is asked for, or why it can't.
    fn fits(&self, path: &str, ask: &Ask<'_>) -> Result<bool, String> {
        let odd = |part: &str| part.len() > MAX_NAME || part.contains(|c: char| c.is_control() || c == '\\');
        if !is_inner_path(path) || path.len() > MAX_PATH || path.split('/').any(odd) {
            return Err("that is no plain path below the consumer's folder".to_owned());
        }
        if ask.text.is_some_and(|text| text.len() as u64 > skip::MAX_BYTES) {
            return Err(format!("it would be larger than {} MiB", skip::MAX_BYTES >> 20));
        }
        match (self.lies)(path, ask.text.is_none().then_some(ask.from)) {
            Lies::Nothing => Ok(false),
            Lies::Never(why) => Err(why),
            Lies::File(bytes) if ask.text.is_some_and(|text| text.as_bytes() == bytes) => {
                match self.reports.iter().find(|(from, report)| *from == path && touches(report)) {
                    None => Ok(true),
                    Some((_, report)) => {
                        let other = report.findings.iter().find(|f| f.kind != FindingKind::Skipped);
                        let other = other.map_or("another rule", |f| f.rule.as_str());
                        Err(format!("it is there already, and `{other}` changes it"))
                    }
                }
            }
            Lies::File(_) if ask.text.is_some() => Err("it is there already, and holds something else".to_owned()),
            Lies::File(_) => Err("it is there already".to_owned()),
        }
    }
}

/// Whether the file itself becomes another.
fn touches(report: &FileReport) -> bool {
    report.change.is_some() || report.fate != Fate::Stays
}

fn refuse<'a>(refused: &mut Refused, asking: impl Iterator<Item = &'a Ask<'a>>, why: &str) {
    for ask in asking {
        let refusal = || Refusal { rule: ask.rule.to_owned(), place: ask.place, why: why.to_owned() };
        refused.entry(ask.number).or_insert_with(refusal);
    }
}

/// A new file reads as code of its language, and the rules have nothing to do in it.
fn sound(rules: &RuleSet, facts: &Arc<Facts>, path: &str, new: &NewFile, decided: &Decided) -> Result<(), String> {
    let Some(language) = rules.language_of(path) else { return Ok(()) };
    let tree = parse(language, new.text.as_str()).map_err(|error| error.to_string())?;
    if let Some(error) = tree.errors().next() {
        let (line, column) = error.line_column();
        return Err(format!("it is no {} that parses: `{}` at {line}:{column}", language.facts.name, error.short()));
    }
    if let Some((line, column)) = check::empty_block(&tree) {
        return Err(format!("it has an empty block at {line}:{column}"));
    }
    if !rules.speaks(language) {
        return Ok(());
    }
    let report = file(rules, facts, path, new.text.as_bytes());
    let bad = |kind| matches!(kind, FindingKind::Refused | FindingKind::Errored);
    if let Some(finding) = report.findings.iter().find(|f| bad(f.kind)) {
        return Err(format!("a second run would refuse it: {}", finding.message));
    }
    // Where rules collect, what the result tells is only known once all of it is: the
    // stage checks it then.
    let restless = unsettled(rules, facts, path, new.text.as_bytes(), &|wanted| decided.there(wanted));
    match restless.filter(|_| !rules.collects()) {
        Some(rule) => Err(format!("a second run would change it: `{rule}` matches in it")),
        None => Ok(()),
    }
}

/// Why a path can't be had beside another spelling of it.
pub fn is_twin(twin: &str) -> String {
    format!("{twin} is there, and on some systems both are one file")
}

/// What lies at the paths of a pinned workspace.
pub(super) struct Pinned<'a> {
    wanted: &'a Wanted<'a>,
    /// The files of `targets`, as far as they could be read.
    contents: BTreeMap<String, Vec<u8>>,
    /// Every file and folder, by how it reads where case means nothing.
    spelled: BTreeMap<Cow<'a, str>, Vec<&'a str>>,
}

impl<'a> Pinned<'a> {
    pub(super) fn new(wanted: &'a Wanted<'a>, targets: &BTreeSet<String>) -> Self {
        let manifest: &'a Manifest = wanted.manifest;
        let paths: Vec<&str> =
            targets.iter().map(String::as_str).filter(|path| manifest.entries.contains_key(*path)).collect();
        let mut contents = BTreeMap::new();
        // What can't be read is told when it is asked for.
        let _: Result<(), PinError> =
            pin::contents(wanted.workspace, wanted.pin, manifest, &paths, skip::MAX_BYTES, &mut |path, found| {
                if let Found::Bytes(bytes) = found {
                    contents.insert(path.to_owned(), bytes.to_vec());
                }
                Ok(())
            });
        let mut spelled: BTreeMap<Cow<'a, str>, Vec<&'a str>> = BTreeMap::new();
        let all: BTreeSet<&'a str> = manifest.entries.keys().flat_map(|path| prefixes(path)).collect();
        all.into_iter().for_each(|path| spelled.entry(folded(path)).or_default().push(path));
        Self { wanted, contents, spelled }
    }

    pub(super) fn lies(&self, path: &str, from: Option<&str>) -> Lies {
        let entries = &self.wanted.manifest.entries;
        let never = |why: &str| Lies::Never(why.to_owned());
        if !self.wanted.workspace.owns(path) {
            return never("that is the folder of another component");
        }
        if let Some(entry) = entries.get(path) {
            return match (entry.mode, self.contents.get(path)) {
                (Mode::File | Mode::Executable, Some(bytes)) => Lies::File(bytes.clone()),
                (Mode::File | Mode::Executable, None) => never("it is there already, and can't be compared"),
                (Mode::Symlink, _) => never("a symbolic link is there"),
                (Mode::Submodule, _) => never("another repository is there"),
            };
        }
        let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
        if let Some(above) = above.find(|above| entries.contains_key(*above)) {
            return Lies::Never(format!("{above} is no folder"));
        }
        let folder = format!("{path}/");
        if entries.range(folder.clone()..).next().is_some_and(|(below, _)| below.starts_with(&folder)) {
            return never("it is a folder");
        }
        let twins = prefixes(path).filter_map(|part| Some((part, self.spelled.get(&folded(part))?)));
        let mut twins = twins.filter(|(part, spelled)| !spelled.contains(part)).flat_map(|(_, spelled)| spelled);
        match twins.find(|twin| Some(**twin) != from) {
            Some(twin) => Lies::Never(is_twin(twin)),
            None => Lies::Nothing,
        }
    }
}
