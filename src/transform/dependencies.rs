//! What the builds of workspaces declare, read before any file is edited, and set after, where
//! rules ask for other versions of what they edited the uses of.
//!
//! Must not: look at code, or set anything in a workspace in which nothing is edited.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::file::{Change, Fate, FileReport, about};
use super::fleet::{Digests, Done};
use super::plan::FindingKind;
use super::skip;
use crate::dependency::{self, Declared, Dependencies, Version};
use crate::digest::Digest;
use crate::edit::{Edit, Fragment, apply, compose};
use crate::pin::{self, Found, PinError, Wanted};
use crate::rule::{RuleSet, SetDependency};
use crate::symbol::Certainty;
use crate::tree::line_column;

/// What the builds of a workspace say, and the lockfiles in it.
#[derive(Debug, Default)]
pub struct Builds {
    /// What is declared.
    pub dependencies: Arc<Dependencies>,
    /// The files of builds, by path.
    pub texts: BTreeMap<String, String>,
    /// Paths of lockfiles.
    pub locks: Vec<String>,
}

impl Builds {
    /// Takes in a file of a build, or one that can't be read.
    pub fn add(&mut self, path: &str, bytes: Option<&[u8]>) {
        let dependencies = Arc::make_mut(&mut self.dependencies);
        match bytes.map(std::str::from_utf8) {
            Some(Ok(text)) => {
                dependencies.add(path, text);
                self.texts.insert(path.to_owned(), text.to_owned());
            }
            Some(Err(_)) => dependencies.unreadable(path, "it is not UTF-8"),
            None => dependencies.unreadable(path, "it is too large"),
        }
    }
}

/// The builds of each workspace in which something is to be read; nothing where no rule asks.
pub(super) fn of(rules: &RuleSet, wanted: &[Wanted<'_>]) -> Vec<Option<Builds>> {
    let one = |wanted: &Wanted<'_>| (rules.asks_builds() && !wanted.paths.is_empty()).then(|| read(wanted));
    wanted.iter().map(one).collect()
}

fn read(wanted: &Wanted<'_>) -> Builds {
    let own = |path: &&String| wanted.workspace.owns(path) && skip::by_path(path).is_none();
    let all: Vec<&str> = wanted.manifest.entries.keys().filter(own).map(String::as_str).collect();
    let paths: Vec<&str> = all.iter().copied().filter(|path| dependency::declares(path)).collect();
    let locks =
        wanted.manifest.entries.keys().filter(|path| wanted.workspace.owns(path) && dependency::lock(path).is_some());
    let mut builds = Builds { locks: locks.cloned().collect(), ..Builds::default() };
    let take = &mut |path: &str, found: Found<'_>| {
        match found {
            Found::Bytes(bytes) => builds.add(path, Some(bytes)),
            Found::TooLarge(_) => builds.add(path, None),
        }
        Ok::<(), PinError>(())
    };
    let done = pin::contents(wanted.workspace, wanted.pin, wanted.manifest, &paths, dependency::MAX_BYTES, take);
    if let Err(error) = done {
        paths.iter().for_each(|path| Arc::make_mut(&mut builds.dependencies).unreadable(path, &error.to_string()));
    }
    builds
}

/// The rules that edited something, and the first file of each.
pub type Editors = BTreeMap<String, String>;

/// Adds the rules that edited a file.
pub fn edited(editors: &mut Editors, path: &str, report: &FileReport) {
    if report.change.is_none() && !report.moves_files() {
        return;
    }
    for finding in report.findings.iter().filter(|finding| finding.kind == FindingKind::Mapped) {
        editors.entry(finding.rule.clone()).or_insert_with(|| path.to_owned());
    }
}

/// Sets versions in the files of builds, for the rules that edited something: what becomes of
/// these files, and what is left to people, by path.
pub fn set_versions(rules: &RuleSet, builds: &Builds, editors: &Editors) -> Vec<(String, FileReport)> {
    let mut done = Vec::new();
    set_for(rules, builds, editors, &mut done);
    done.into_iter().map(|(path, _, report)| (path, report)).collect()
}

/// The same, beside what rules make of these files.
pub(super) fn set(rules: &RuleSet, builds: &Builds, done: &mut Vec<Done>) {
    let mut editors = Editors::new();
    done.iter().for_each(|(path, _, report)| edited(&mut editors, path, report));
    set_for(rules, builds, &editors, done);
}

fn set_for(rules: &RuleSet, builds: &Builds, editors: &Editors, done: &mut Vec<Done>) {
    let mut wish = Wishes { builds, sites: BTreeMap::new(), notes: Vec::new() };
    for rule in &rules.rules {
        let Some(path) = editors.get(&rule.id) else { continue };
        rule.sets.iter().for_each(|set| wish.of(&rule.id, set, path));
    }
    let Wishes { sites, notes, .. } = wish;
    for (path, wanted) in sites {
        edit(builds, &path, &wanted, done);
    }
    for Note { path, at, kind, rule, message } in notes {
        report_of(done, &path).findings.push(about(&path, &rule, at, kind, &message));
    }
}

/// Something to say of a file of a build.
struct Note {
    path: String,
    at: (u32, u32),
    kind: FindingKind,
    rule: String,
    message: String,
}

/// A number to write.
#[derive(Clone, Debug)]
struct Site {
    rule: String,
    name: String,
    version: Version,
}

/// What is to become of the builds of a workspace.
struct Wishes<'b> {
    builds: &'b Builds,
    /// By file and by the first byte and the last.
    sites: BTreeMap<String, BTreeMap<(usize, usize), Site>>,
    notes: Vec<Note>,
}

impl Wishes<'_> {
    fn note(&mut self, path: &str, at: Option<usize>, kind: FindingKind, rule: &str, message: String) {
        let text = self.builds.texts.get(path).map_or("", String::as_str);
        let at = at.map_or((0, 0), |at| line_column(text, at));
        self.notes.push(Note { path: path.to_owned(), at, kind, rule: rule.to_owned(), message });
    }

    /// Every place that declares it.
    fn of(&mut self, rule: &str, set: &SetDependency, edited: &str) {
        let SetDependency { name, version } = set;
        let dependencies = Arc::clone(&self.builds.dependencies);
        let all: Vec<(&str, &Declared)> = dependencies.of(name).collect();
        if all.is_empty() {
            let message = format!("no file of the build declares {name}: set it to {version}");
            return self.note(edited, None, FindingKind::Annotated, rule, message);
        }
        for (path, declared) in all {
            match (&declared.versions, &declared.site) {
                (Err(why), _) => {
                    let message = format!("set {name} to {version} by hand: {why}");
                    self.note(path, None, FindingKind::Annotated, rule, message);
                }
                (Ok(versions), _) if versions.is_from(version) == Certainty::Yes => {}
                (Ok(versions), None) => {
                    let message = format!("set {name} to {version} by hand: `{versions}` is no single bound");
                    self.note(path, None, FindingKind::Annotated, rule, message);
                }
                (Ok(_), Some(site)) => self.site(rule, (path, site), set),
            }
        }
    }

    fn site(&mut self, rule: &str, (path, site): (&str, &Range<usize>), set: &SetDependency) {
        let SetDependency { name, version } = set;
        let all = self.sites.entry(path.to_owned()).or_default();
        match all.get(&(site.start, site.end)).cloned() {
            Some(known) if known.version == *version => {}
            Some(Site { rule: other, name: also, version: first }) => {
                let message = format!(
                    "`{other}` sets {also} to {first} here, and `{rule}` sets {name} to {version}: let both set one version"
                );
                self.note(path, Some(site.start), FindingKind::Refused, rule, message);
            }
            None => {
                let wanted = Site { rule: rule.to_owned(), name: name.clone(), version: version.clone() };
                all.insert((site.start, site.end), wanted);
                let old = self.builds.texts.get(path).and_then(|text| text.get(site.clone())).unwrap_or("");
                let message = format!("sets {name} from {old} to {version}");
                self.note(path, Some(site.start), FindingKind::Mapped, rule, message);
                self.locks(rule, path, name);
            }
        }
    }

    /// Lockfiles beside a file of a build, or above it, pin what it asked for before.
    fn locks(&mut self, rule: &str, path: &str, name: &str) {
        let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let locks: Vec<String> = self
            .builds
            .locks
            .iter()
            .filter(|lock| path.starts_with(&folder(lock)) && dependency::pins(lock, path))
            .cloned()
            .collect();
        for lock in locks {
            let made = dependency::lock(&lock).unwrap_or_default();
            let message = format!("it pins the version of {name} from before: make it anew with `{made}`");
            if !self.notes.iter().any(|note| note.path == lock && note.message == message) {
                self.note(&lock, None, FindingKind::Annotated, rule, message);
            }
        }
    }
}

/// The report of a file, which may not have been looked at.
fn report_of<'d>(done: &'d mut Vec<Done>, path: &str) -> &'d mut FileReport {
    let at = done.iter().position(|(known, ..)| known == path).unwrap_or_else(|| {
        done.push((path.to_owned(), None, FileReport::default()));
        done.len() - 1
    });
    &mut done[at].2
}

/// Writes the numbers into one file, beside what rules change in it.
fn edit(builds: &Builds, path: &str, sites: &BTreeMap<(usize, usize), Site>, done: &mut Vec<Done>) {
    let Some(text) = builds.texts.get(path) else { return };
    let report = report_of(done, path);
    let Some(first) = sites.values().next() else { return };
    let (mut edits, comments) = match &report.change {
        Some(change) => (change.edits.clone(), change.comments),
        None => (Vec::new(), 0),
    };
    if report.fate != Fate::Stays {
        return report.refuse(path, &first.rule, (0, 0), "its versions are to be set, and the file is to go elsewhere");
    }
    for ((start, end), site) in sites {
        let match_id = edits.iter().filter(|edit| edit.rule == site.rule).map(|edit| edit.match_id + 1).max();
        edits.push(Edit {
            range: *start..*end,
            replacement: vec![Fragment::Text(site.version.to_string())],
            rule: site.rule.clone(),
            match_id: match_id.unwrap_or(0),
            drops: false,
        });
    }
    let splices = match compose(text, &edits) {
        Ok(splices) => splices,
        Err(error) => return report.refuse(path, &first.rule, (0, 0), &error.to_string()),
    };
    let after = apply(text, &splices);
    // What was written must say what was meant.
    let holds = |site: &Site, read: &[Declared]| {
        let mut own = read.iter().filter(|one| dependency::same(&one.name, &site.name)).peekable();
        let from = |one: &Declared| one.versions.as_ref().map_or(true, |v| v.is_from(&site.version) != Certainty::No);
        own.peek().is_some() && own.all(from)
    };
    let read = dependency::read(path, &after).unwrap_or_default();
    if let Some(site) = sites.values().find(|site| !holds(site, &read)) {
        let why = format!("{} could not be set to {}: the file would not say so", site.name, site.version);
        return report.refuse(path, &site.rule, (0, 0), &why);
    }
    let bytes = after.into_bytes();
    let digests = Digests { before: Digest::of(text.as_bytes()), after: Digest::of(&bytes) };
    report.change = Some(Change { edits, splices, comments, bytes });
    if let Some(one) = done.iter_mut().find(|(known, ..)| known == path) {
        one.1 = Some(digests);
    }
}
