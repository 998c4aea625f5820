//! A plain list of repositories, one a line: a URL or a folder, with `#` for comments.
//! Each is a consumer, named after its last part.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::candidate::Candidate;
use super::dataset::named;
use super::entity::Entity;
use super::location::{self, Code, Remote};
use super::openlineage::lines;
use super::source::{Context, Found, Source};
use crate::digest::Digest;

/// `repositories = "list.txt"`.
pub(super) struct List<'a>(pub(super) &'a Path);

impl Source for List<'_> {
    fn label(&self, cx: &Context<'_>) -> String {
        format!("repositories {}", (cx.shown)(self.0))
    }

    fn read(&self, cx: &Context<'_>) -> Found {
        let shown = (cx.shown)(self.0);
        let mut found = Found::default();
        let mut listed = Vec::new();
        let read = lines(self.0, |number, line| {
            let place = format!("{shown}:{number}");
            let text = line.and_then(|line| std::str::from_utf8(line).map_err(|_| "not UTF-8: left out".to_owned()));
            match text.and_then(|text| one(text, &place, cx)) {
                Ok(one) => listed.extend(one),
                Err(reason) => found.note(format!("{place}:1: {reason}")),
            }
        });
        if let Err(error) = read {
            found.note(format!("{shown}: can't be read ({error}): check its permissions"));
        }
        found.consumers = consumers(listed, cx, &mut found.problems);
        found
    }
}

/// A repository of the list.
struct Listed {
    text: String,
    place: String,
    code: Code,
    /// Names that say more and more: its own, with its owner, with its host.
    names: Vec<String>,
}

/// What code is told apart by, however it is reached.
fn known(code: &Code) -> String {
    match code {
        Code::Folder(folder) => folder.display().to_string(),
        Code::Remote(remote) => Remote { repository: remote.identity(), ..remote.clone() }.to_string(),
    }
}

/// A name for each code, and none for two: the shortest that tells it from all others.
fn distinct(listed: &[Listed]) -> BTreeMap<String, String> {
    let mut levels: BTreeMap<String, (usize, &[String])> =
        listed.iter().map(|one| (known(&one.code), (0, one.names.as_slice()))).collect();
    let name = |code: &String, (level, names): &(usize, &[String])| {
        let whole = || format!("{}-{}", names.first().map_or("", String::as_str), Digest::of(code.as_bytes()).short());
        names.get(*level).cloned().unwrap_or_else(whole).to_lowercase()
    };
    loop {
        let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (code, level) in &levels {
            named.entry(name(code, level)).or_default().push(code.clone());
        }
        // A name with a digest is nobody else's.
        let twice = named.into_values().filter(|codes| codes.len() > 1).flatten();
        let twice: Vec<String> = twice.filter(|code| levels.get(code).is_some_and(|(at, n)| at <= &n.len())).collect();
        if twice.is_empty() {
            return levels.iter().map(|(code, level)| (code.clone(), name(code, level))).collect();
        }
        for code in twice {
            levels.entry(code).and_modify(|(level, _)| *level += 1);
        }
    }
}

/// Consumers of what is listed. Different code under one name is told apart.
fn consumers(listed: Vec<Listed>, cx: &Context<'_>, problems: &mut Vec<String>) -> Vec<Candidate> {
    let names = distinct(&listed);
    let consumer = |one: Listed| {
        let name = names.get(&known(&one.code)).map_or("", String::as_str);
        let Some(entity) = named("component", "default", name) else {
            problems.push(format!("{}:1: {:?} has no name: left out", one.place, one.text));
            return None;
        };
        let place: Arc<str> = one.place.as_str().into();
        let because = format!("{entity} is listed ({place})");
        Some(Candidate::described(&Entity::told(entity, &place, Ok(one.code)), [because], cx.shown).nameless())
    };
    listed.into_iter().filter_map(consumer).collect()
}

/// One line of the list.
fn one(line: &str, place: &str, cx: &Context<'_>) -> Result<Option<Listed>, String> {
    let text = line.split(" #").next().unwrap_or(line).trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let remote = text.contains("://") || (text.contains('@') && text.contains(':'));
    let plain = |parts: &[&str]| -> String {
        parts
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| part.replace(['/', ':'], "-"))
            .collect::<Vec<_>>()
            .join("-")
    };
    let (code, names) = if remote {
        let remote = location::url(text)?;
        let inner = remote.path.rsplit('/').next().filter(|part| !part.is_empty());
        let (host, path, owner, name) = remote.parts();
        let names = match inner {
            // In a repository of many components it is the repository that tells them apart.
            Some(inner) => [
                plain(&[inner]),
                plain(&[path, inner]),
                plain(&[path, &remote.path]),
                plain(&[host, path, &remote.path]),
            ],
            None => [plain(&[name]), plain(&[owner, name]), plain(&[path]), plain(&[host, path])],
        };
        (Code::Remote(remote), names.to_vec())
    } else {
        let folder = cx.base.join(text).canonicalize();
        let folder = folder.ok().filter(|path| path.is_dir());
        let folder = folder.ok_or_else(|| format!("there is no folder {text:?}: correct it, or write a URL"))?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let above = folder.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let names = vec![plain(&[&name]), plain(&[above.as_deref().unwrap_or_default(), &name])];
        (Code::Folder(folder), names)
    };
    Ok(Some(Listed { text: text.to_owned(), place: place.to_owned(), code, names }))
}
