//! A plain list of repositories, one a line: a URL or a folder, with `#` for comments.
//! Each is a consumer, named after its last part.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::candidate::Candidate;
use super::dataset::named;
use super::entity::Entity;
use super::location::{self, Code};
use super::openlineage::lines;
use super::source::{Context, Found, Source};

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
                Err(reason) => found.problems.push(format!("{place}:1: {reason}")),
            }
        });
        if let Err(error) = read {
            found.problems.push(format!("{shown}: can't be read ({error}): check its permissions"));
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
    name: String,
    /// What its name is told apart by where another one has the same.
    owner: String,
}

/// What code is told apart by, however it is reached.
fn known(code: &Code) -> String {
    match code {
        Code::Folder(folder) => folder.display().to_string(),
        Code::Remote(remote) => remote.to_string(),
    }
}

/// Consumers of what is listed. Different code under one name is told apart by its owner.
fn consumers(listed: Vec<Listed>, cx: &Context<'_>, problems: &mut Vec<String>) -> Vec<Candidate> {
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in &listed {
        codes.entry(one.name.to_lowercase()).or_default().insert(known(&one.code));
    }
    let consumer = |one: Listed| {
        let alone = codes.get(&one.name.to_lowercase()).is_none_or(|codes| codes.len() == 1);
        let name = if alone || one.owner.is_empty() { one.name } else { format!("{}-{}", one.owner, one.name) };
        let Some(entity) = named("component", "default", &name) else {
            problems.push(format!("{}:1: {:?} has no name: left out", one.place, one.text));
            return None;
        };
        let place: Arc<str> = one.place.as_str().into();
        let because = format!("{entity} is listed ({place})");
        Some(Candidate::described(&Entity::told(entity, &place, Ok(one.code)), [because], cx.shown))
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
    let (code, name, owner) = if remote {
        let remote = location::url(text)?;
        let inner = remote.path.rsplit('/').next().filter(|part| !part.is_empty());
        let name = inner.unwrap_or_else(|| remote.parts().3).to_owned();
        // In a repository of many components it is the repository that tells them apart.
        let owner = if inner.is_some() { remote.parts().1 } else { remote.parts().2 }.replace('/', "-");
        (Code::Remote(remote), name, owner)
    } else {
        let folder = cx.base.join(text).canonicalize();
        let folder = folder.ok().filter(|path| path.is_dir());
        let folder = folder.ok_or_else(|| format!("there is no folder {text:?}: correct it, or write a URL"))?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let above = folder.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        (Code::Folder(folder), name, above.unwrap_or_default())
    };
    Ok(Some(Listed { text: text.to_owned(), place: place.to_owned(), code, name, owner }))
}
