//! Files whose matches ask for whole files: they wait until all of them are known,
//! since two may ask for the same one, and are then written together.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::screen::absolute;
use super::place::Place;
use crate::digest::Digest;
use crate::files::{self, FilesError, Modes};
use crate::rule::{Facts, RuleSet};
use crate::transform::{Decided, Fate, FileReport, Lies, Reported, decide as decided, folded, is_twin, prefixes};
use crate::workspace::{Content, FileVersion};

/// A file that waits.
pub(super) struct Held {
    pub(super) path: PathBuf,
    pub(super) place: Place,
    content: Content,
    pub(super) report: FileReport,
}

/// All that was decided below one folder.
pub(super) struct World {
    pub(super) root: PathBuf,
    /// The one spelling of it.
    top: PathBuf,
    /// All spellings that were named.
    spelled: BTreeSet<PathBuf>,
    pub(super) decided: Decided,
}

impl World {
    pub(super) fn holds(&self, place: &Place) -> bool {
        self.spelled.contains(&place.root)
    }
}

impl Held {
    pub(super) fn new(path: &Path, place: &Place, bytes: &[u8], meta: &Metadata, report: FileReport) -> Self {
        let content = Content { bytes: bytes.to_vec(), executable: files::is_executable(meta) };
        Self { path: path.to_owned(), place: place.clone(), content, report }
    }

    pub(super) fn asks_for(&self, path: &str) -> bool {
        self.report.creations.iter().any(|creation| creation.path == path)
    }

    /// What the file holds in the end, under whatever path.
    fn result(&self) -> &[u8] {
        self.report.change.as_ref().map_or(&self.content.bytes, |change| &change.bytes)
    }

    /// The paths that it asks for, or makes another of.
    fn claims(&self) -> Vec<&str> {
        let mut claims: Vec<&str> = self.report.creations.iter().map(|creation| creation.path.as_str()).collect();
        if let Fate::Moves { to, .. } = &self.report.fate {
            claims.push(to);
        }
        if self.report.change.is_some() || self.report.fate != Fate::Stays {
            claims.push(&self.place.name);
        }
        claims
    }

    /// The rule that asks for whole files.
    fn rule(&self) -> &str {
        match &self.report.fate {
            Fate::Moves { rule, .. } | Fate::Goes { rule } => rule,
            Fate::Stays => self.report.creations.first().map_or("", |creation| &creation.rule),
        }
    }

    fn does(&self) -> String {
        format!("`{}` asks in {}", self.rule(), self.path.display())
    }

    /// Both ends of the file, and of the path that it moves to.
    fn versions(&self) -> Vec<FileVersion> {
        let changed = match &self.report.change {
            Some(change) => Content { bytes: change.bytes.clone(), executable: self.content.executable },
            None => self.content.clone(),
        };
        let version = |path: &str, before: Option<&Content>, after: Option<Content>| FileVersion {
            path: path.to_owned(),
            before: before.cloned(),
            after,
            renamed_from: None,
        };
        let own = &self.place.name;
        match &self.report.fate {
            Fate::Stays if self.report.change.is_none() => Vec::new(),
            Fate::Stays => vec![version(own, Some(&self.content), Some(changed))],
            Fate::Goes { .. } => vec![version(own, Some(&self.content), None)],
            Fate::Moves { to, .. } => {
                let new = FileVersion { renamed_from: Some(own.clone()), ..version(to, None, Some(changed)) };
                vec![new, version(own, Some(&self.content), None)]
            }
        }
    }
}

/// Decides for each folder that was named, however it was spelled. `edited` are the
/// files that change without asking for others, and the rules that change them.
pub(super) fn decide(
    rules: &RuleSet,
    facts: &Arc<Facts>,
    held: &mut [Held],
    edited: &BTreeMap<PathBuf, String>,
) -> Vec<World> {
    if held.is_empty() {
        return Vec::new();
    }
    let tops: BTreeMap<PathBuf, PathBuf> =
        held.iter().map(|one| one.place.root.clone()).map(|root| (root.clone(), top(&root))).collect();
    refuse_across(held, &tops);
    let edited: BTreeMap<PathBuf, &String> = edited.iter().map(|(path, rule)| (top(path), rule)).collect();
    let at = |one: &Held| tops[&one.place.root].join(&one.place.name);
    let own: BTreeSet<PathBuf> = held.iter().map(at).collect();
    let results: BTreeMap<PathBuf, Digest> = held.iter().map(|one| (at(one), Digest::of(one.result()))).collect();
    let mut roots: BTreeMap<&Path, (BTreeSet<PathBuf>, Vec<Reported<'_>>)> = BTreeMap::new();
    for one in held {
        let (spelled, reports) = roots.entry(&tops[&one.place.root]).or_default();
        spelled.insert(one.place.root.clone());
        reports.push((&one.place.name, &mut one.report));
    }
    let names = Names::default();
    let of = |(top, (spelled, mut reports)): (&Path, (BTreeSet<PathBuf>, Vec<Reported<'_>>))| {
        let decided = decided(rules, facts, &mut reports, &|path, from| {
            let place = top.join(path);
            if let Some(rule) = edited.get(&place) {
                return Lies::Never(format!("it is there already, and `{rule}` changes it"));
            }
            // What a killed run has moved already: the old path is left to be removed.
            let moved = |bytes: &[u8]| {
                let result = from.and_then(|from| results.get(&top.join(from)));
                !own.contains(&place) && result == Some(&Digest::of(bytes))
            };
            match lies(top, path) {
                Lies::File(bytes) if moved(&bytes) => Lies::Nothing,
                Lies::Nothing => names.twin(top, path, from).map_or(Lies::Nothing, |twin| Lies::Never(is_twin(&twin))),
                taken => taken,
            }
        });
        World { root: spelled.first().cloned().unwrap_or_default(), top: top.to_owned(), spelled, decided }
    };
    roots.into_iter().map(of).collect()
}

/// The one spelling of a path.
fn top(path: &Path) -> PathBuf {
    let whole = absolute(if path.as_os_str().is_empty() { Path::new(".") } else { path });
    whole.canonicalize().unwrap_or(whole)
}

/// Folders that were named and lie in each other are decided apart: what one of them
/// asks for must not be what another touches.
fn refuse_across(held: &mut [Held], tops: &BTreeMap<PathBuf, PathBuf>) {
    let mut claims: BTreeMap<String, Vec<(usize, &Path)>> = BTreeMap::new();
    for (number, one) in held.iter().enumerate() {
        let top = tops[&one.place.root].as_path();
        for path in one.claims() {
            let key = folded(&top.join(path).to_string_lossy()).into_owned();
            claims.entry(key).or_default().push((number, top));
        }
    }
    let mut wrong: BTreeMap<usize, String> = BTreeMap::new();
    for (path, claiming) in &claims {
        for (number, top) in claiming {
            let around = prefixes(path).filter_map(|part| claims.get(part)).flatten();
            for (other, _) in around.filter(|(_, other)| other != top) {
                let why = format!(
                    "{}, and {}, for one place: name one folder that holds both",
                    held[*number].does(),
                    held[*other].does()
                );
                wrong.entry(*number).or_insert_with(|| why.clone());
                wrong.entry(*other).or_insert(why);
            }
        }
    }
    for (number, why) in wrong {
        let one = &mut held[number];
        let rule = one.rule().to_owned();
        one.report.refuse(&one.place.name, &rule, (0, 0), &why);
    }
}

/// What lies in folders, by how it reads where case means nothing.
#[derive(Default)]
struct Names(RefCell<BTreeMap<PathBuf, BTreeMap<String, Vec<String>>>>);

impl Names {
    /// What is there and is the path, or a folder above it, spelled otherwise.
    fn twin(&self, root: &Path, path: &str, from: Option<&str>) -> Option<String> {
        let mut known = self.0.borrow_mut();
        for part in prefixes(path) {
            let (above, name) = part.rsplit_once('/').map_or(("", part), |(above, name)| (above, name));
            let folder = root.join(above);
            let names = known.entry(folder).or_insert_with_key(|folder| listed(folder));
            let spelled = names.get(&*folded(name))?;
            if spelled.iter().any(|other| other == name) {
                continue;
            }
            let twins = spelled.iter().map(|other| format!("{}{other}", &part[..part.len() - name.len()]));
            if let Some(twin) = twins.into_iter().find(|twin| Some(twin.as_str()) != from) {
                return Some(twin);
            }
        }
        None
    }
}

/// What can't be listed can't be written either, and says so then.
fn listed(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        names.entry(folded(&name).into_owned()).or_default().push(name);
    }
    names
}

/// What lies at a path of a plain folder.
fn lies(root: &Path, path: &str) -> Lies {
    let above = path.match_indices('/').map(|(at, _)| &path[..at]);
    let mut above = above.filter(|above| root.join(above).symlink_metadata().is_ok_and(|meta| !meta.is_dir()));
    match files::read_below(root, path) {
        Err(error) => Lies::Never(error.to_string()),
        Ok(Some(content)) => Lies::File(content.bytes),
        Ok(None) if root.join(path).is_dir() => Lies::Never("it is a folder".to_owned()),
        Ok(None) => match above.next() {
            Some(above) => Lies::Never(format!("{above} is no folder")),
            None => Lies::Nothing,
        },
    }
}

/// Both ends of every file below a folder: new ones first, so that nothing is gone
/// before what holds it now is there.
pub(super) fn versions(world: &World, held: &[Held]) -> Vec<FileVersion> {
    let new = world.decided.new.iter().map(|(path, new)| FileVersion {
        path: path.clone(),
        before: None,
        after: Some(Content { bytes: new.text.clone().into_bytes(), executable: false }),
        renamed_from: None,
    });
    let own = held.iter().filter(|one| world.holds(&one.place)).flat_map(Held::versions);
    new.chain(own).collect()
}

/// Writes all of them; where one can't be, those that were are brought back.
///
/// # Errors
/// The one that could not be written, and what could not be brought back.
pub(super) fn write(world: &World, versions: &[FileVersion]) -> Result<(), Vec<FilesError>> {
    let modes = Modes::read(&world.top, versions);
    let bring = |version: &FileVersion, to: Option<&Content>| modes.apply_below(&world.top, &version.path, to);
    for (number, version) in versions.iter().enumerate() {
        if let Err(error) = bring(version, version.after.as_ref()) {
            let failed = versions[..number].iter().rev().filter_map(|v| bring(v, v.before.as_ref()).err());
            return Err(std::iter::once(error).chain(failed).collect());
        }
    }
    Ok(())
}
