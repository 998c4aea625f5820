//! What the builds of workspaces declare, read before any file is edited, and set after, where
//! rules ask for other versions of what they edited the uses of.
//!
//! Must not: look at code, or set anything in a workspace in which nothing is edited.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::file::{Change, Fate, FileReport, about};
use super::fleet::{Digests, Done};
use super::plan::FindingKind;
use super::skip;
use crate::dependency::{self, Declared, Dependencies, Role, Version, few};
use crate::digest::Digest;
use crate::edit::{Edit, Fragment, apply, compose};
use crate::pin::{self, Found, PinError, Wanted};
use crate::rule::{RuleSet, SetDependency};
use crate::symbol::Certainty;
use crate::tree::line_column;
use crate::workspace::Mode;

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
    let own = |path: &str| wanted.workspace.owns(path) && skip::by_path(path).is_none() && dependency::declares(path);
    let all = wanted.manifest.entries.iter().filter(|(path, _)| own(path));
    let is_file = |mode: Mode| matches!(mode, Mode::File | Mode::Executable);
    let (paths, links): (Vec<_>, Vec<_>) = all.partition(|(_, entry)| is_file(entry.mode));
    let paths: Vec<&str> = paths.into_iter().map(|(path, _)| path.as_str()).collect();
    let locks =
        wanted.manifest.entries.keys().filter(|path| wanted.workspace.owns(path) && dependency::lock(path).is_some());
    let mut builds = Builds { locks: locks.cloned().collect(), ..Builds::default() };
    // What a link holds is another path.
    links.iter().for_each(|(path, _)| Arc::make_mut(&mut builds.dependencies).unreadable(path, "it is a link"));
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

/// The rules that edited something, and the files of each.
pub type Editors = BTreeMap<String, BTreeSet<String>>;

/// Adds the rules that edited a file.
pub fn edited(editors: &mut Editors, path: &str, report: &FileReport) {
    if report.change.is_none() && !report.moves_files() {
        return;
    }
    for finding in report.findings.iter().filter(|finding| finding.kind == FindingKind::Mapped) {
        editors.entry(finding.rule.clone()).or_default().insert(path.to_owned());
    }
}

/// Sets versions in the files of builds, for the rules that edited something: what becomes of
/// these files, and what is left to people, by path. `beside` is what rules make of these files.
pub fn set_versions(
    rules: &RuleSet,
    builds: &Builds,
    editors: &Editors,
    beside: Vec<(String, FileReport)>,
) -> Vec<(String, FileReport)> {
    let mut done: Vec<Done> = beside.into_iter().map(|(path, report)| (path, None, report)).collect();
    set_for(rules, builds, editors, &mut done);
    done.into_iter().map(|(path, _, report)| (path, report)).collect()
}

/// The same, for all files of a workspace.
pub(super) fn set(rules: &RuleSet, builds: &Builds, done: &mut Vec<Done>) {
    let mut editors = Editors::new();
    done.iter().for_each(|(path, _, report)| edited(&mut editors, path, report));
    set_for(rules, builds, &editors, done);
}

fn set_for(rules: &RuleSet, builds: &Builds, editors: &Editors, done: &mut Vec<Done>) {
    let mut wish = Wishes { builds, sites: BTreeMap::new(), notes: Vec::new() };
    for rule in &rules.rules {
        let Some(paths) = editors.get(&rule.id) else { continue };
        rule.sets.iter().for_each(|set| wish.of(rules, &rule.id, set, paths));
    }
    for (path, wanted) in &wish.sites {
        edit(builds, path, wanted, done);
    }
    let (refused, told): (Vec<Note>, _) =
        std::mem::take(&mut wish.notes).into_iter().partition(|note| note.kind == FindingKind::Refused);
    for Note { path, at, rule, message, .. } in refused {
        report_of(done, &path).refuse(&path, &rule, at, &message);
    }
    wish.notes = told;
    // What is refused was not set.
    let set =
        |done: &[Done], path: &str| done.iter().any(|(known, _, report)| known == path && report.change.is_some());
    wish.notes.retain(|note| note.kind != FindingKind::Mapped || set(done, &note.path));
    for (path, wanted) in wish.sites.clone().into_iter().filter(|(path, _)| set(done, path)) {
        wanted.values().for_each(|site| wish.locks(&site.rule, &path, &site.name));
    }
    for Note { path, at, kind, rule, message } in wish.notes {
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
        let note = Note { path: path.to_owned(), at, kind, rule: rule.to_owned(), message };
        if !self.notes.iter().any(|known| known.path == note.path && known.message == note.message) {
            self.notes.push(note);
        }
    }

    /// What decides the version for one of the files that a rule edited.
    fn of(&mut self, rules: &RuleSet, rule: &str, set: &SetDependency, edited: &BTreeSet<String>) {
        let SetDependency { name, version } = set;
        let dependencies = Arc::clone(&self.builds.dependencies);
        let mut told = BTreeSet::new();
        let mut deciding: Vec<(&str, &Declared)> = Vec::new();
        let mut ecosystems = BTreeSet::new();
        for path in edited {
            let ecosystem = rules.language_of(path.as_str()).and_then(|language| language.facts.ecosystem);
            match dependencies.deciding(name, path, ecosystem) {
                Ok(own) => {
                    ecosystems.insert(ecosystem);
                    let new = |one: &&(&str, &Declared)| !deciding.contains(one);
                    deciding.extend(own.iter().filter(new).copied().collect::<Vec<_>>());
                }
                Err(why) if told.insert(why.clone()) => {
                    let message = format!("set {name} to {version} by hand: {why}");
                    self.note(path, None, FindingKind::Annotated, rule, message);
                }
                Err(_) => {}
            }
        }
        // Who takes the place of what is asked for makes a number there one that changes nothing.
        if let Some((path, one)) = deciding.iter().find(|(_, one)| one.role == Role::Replaces) {
            return self.by_hand(rule, path, set, one.versions.as_ref().err().map_or("it is replaced", String::as_str));
        }
        for (path, declared) in &deciding {
            self.decided(rule, set, path, declared);
        }
        for ecosystem in ecosystems {
            let all = dependencies.of(name, ecosystem).unwrap_or_default();
            self.elsewhere(rule, set, &deciding, &all);
        }
    }

    /// What becomes of one declaration.
    fn decided(&mut self, rule: &str, set: &SetDependency, path: &str, declared: &Declared) {
        let told = declared.versions.as_ref().map(|versions| (versions, versions.is_from(&set.version)));
        match (told, &declared.site) {
            (Err(why), _) => self.by_hand(rule, path, set, why),
            (Ok((_, Certainty::Yes)), _) => {}
            (Ok((versions, Certainty::Unknown)), _) => {
                self.by_hand(rule, path, set, &format!("whether `{versions}` is later can't be told"));
            }
            (Ok((_, Certainty::No)), Err(why)) => self.by_hand(rule, path, set, why),
            (Ok((_, Certainty::No)), Ok(site)) => self.site(rule, (path, site), set),
        }
    }

    fn by_hand(&mut self, rule: &str, path: &str, set: &SetDependency, why: &str) {
        let SetDependency { name, version } = set;
        let message = format!("set {name} to {version} by hand: {why}");
        self.note(path, None, FindingKind::Annotated, rule, message);
    }

    /// Tells of the builds that have the same dependency, and none of whose code was edited.
    fn elsewhere(
        &mut self,
        rule: &str,
        set: &SetDependency,
        deciding: &[(&str, &Declared)],
        all: &[(&str, &Declared)],
    ) {
        let SetDependency { name, version } = set;
        let Some((first, _)) = deciding.iter().find(|one| all.contains(one)) else { return };
        let older = |one: &Declared| one.versions.as_ref().map_or(true, |v| v.is_from(version) != Certainty::Yes);
        let own = |file: &str| deciding.iter().any(|(known, _)| *known == file);
        let others: BTreeSet<&str> =
            all.iter().filter(|(file, one)| !own(file) && older(one)).map(|(file, _)| *file).collect();
        if !others.is_empty() {
            let (verb, them) = if others.len() == 1 { ("declares", "it") } else { ("declare", "them") };
            let message = format!(
                "{} {verb} {name} as well, and none of the code below {them} was edited: set it to {version} there, or leave it",
                few(others)
            );
            self.note(first, None, FindingKind::Annotated, rule, message);
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
                let text = self.builds.texts.get(path).map_or("", String::as_str);
                let old = text.get(site.clone()).unwrap_or("");
                let mut message = format!("sets {name} from {old} to {version}");
                // One number may be that of several.
                let read = dependency::read(path, text).unwrap_or_default();
                let with = |one: &&Declared| one.site.as_ref() == Ok(site) && !dependency::same(path, &one.name, name);
                let names = few(read.iter().filter(with).map(|one| one.name.as_str()));
                if !names.is_empty() {
                    message += &format!(", and with it {names}, of the same number");
                }
                self.note(path, Some(site.start), FindingKind::Mapped, rule, message);
            }
        }
    }

    /// Lockfiles beside a file of a build, or above it, pin what it asked for before.
    fn locks(&mut self, rule: &str, path: &str, name: &str) {
        let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let pins = |lock: &&String| path.starts_with(&folder(lock)) && dependency::pins(lock, path);
        for lock in self.builds.locks.iter().filter(pins).cloned().collect::<Vec<_>>() {
            let made = dependency::lock(&lock).unwrap_or_default();
            let message = format!("it pins the version of {name} from before: make it anew with `{made}`");
            self.note(&lock, None, FindingKind::Annotated, rule, message);
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

/// The numbers of a file, by the first byte and the last.
type Sites = BTreeMap<(usize, usize), Site>;

/// Writes the numbers into one file, beside what rules change in it.
fn edit(builds: &Builds, path: &str, sites: &Sites, done: &mut Vec<Done>) {
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
    let numbers: Vec<Edit> = sites.iter().map(|(range, site)| number(*range, site, &edits)).collect();
    let alone = compose(text, &numbers).map(|splices| apply(text, &splices));
    edits.extend(numbers);
    let (alone, splices) = match (alone, compose(text, &edits)) {
        (Ok(alone), Ok(splices)) => (alone, splices),
        (Err(error), _) | (_, Err(error)) => return report.refuse(path, &first.rule, (0, 0), &error.to_string()),
    };
    let after = apply(text, &splices);
    if let Some(site) = unsaid(path, [text, &alone, &after], sites) {
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

fn number((start, end): (usize, usize), site: &Site, beside: &[Edit]) -> Edit {
    let match_id = beside.iter().filter(|edit| edit.rule == site.rule).map(|edit| edit.match_id + 1).max();
    Edit {
        range: start..end,
        replacement: vec![Fragment::Text(site.version.to_string())],
        rule: site.rule.clone(),
        match_id: match_id.unwrap_or(0),
        drops: false,
    }
}

/// A number of which the file would not say what was meant, or of which another one would say it:
/// with the numbers alone, and with all that rules change in it.
fn unsaid<'s>(path: &str, [before, alone, after]: [&str; 3], sites: &'s Sites) -> Option<&'s Site> {
    let [old, new, all] = [before, alone, after].map(|text| dependency::read(path, text).unwrap_or_default());
    let of = |one: &Declared| sites.get(&one.site.as_ref().ok().map(|site| (site.start, site.end))?);
    let says = |one: &Declared, site: &Site| {
        one.versions.as_ref().is_ok_and(|versions| versions.is_from(&site.version) == Certainty::Yes)
    };
    let first = sites.values().next();
    if old.len() != new.len() {
        return first;
    }
    let wrong = old.iter().zip(&new).find_map(|(old, new)| match of(old) {
        Some(site) => (old.name != new.name || !says(new, site)).then_some(site),
        None => first.filter(|_| old.name != new.name || old.versions != new.versions),
    });
    let lost = |site: &&Site| !all.iter().any(|one| dependency::same(path, &one.name, &site.name) && says(one, site));
    wrong.or_else(|| sites.values().find(lost))
}
