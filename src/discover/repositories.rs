//! A plain list of repositories, one a line: a URL or a folder, with `#` for comments.
//! Each is a consumer, named after its last part.

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
        let read = lines(self.0, |number, line| {
            let place = format!("{shown}:{number}");
            let text = line.and_then(|line| std::str::from_utf8(line).map_err(|_| "not UTF-8: left out".to_owned()));
            match text.and_then(|text| one(text, &place, cx)) {
                Ok(candidate) => found.consumers.extend(candidate),
                Err(reason) => found.problems.push(format!("{place}:1: {reason}")),
            }
        });
        if let Err(error) = read {
            found.problems.push(format!("{shown}: can't be read ({error}): check its permissions"));
        }
        found
    }
}

fn one(line: &str, place: &str, cx: &Context<'_>) -> Result<Option<Candidate>, String> {
    let text = line.split(" #").next().unwrap_or(line).trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let remote = text.contains("://") || (text.contains('@') && text.contains(':'));
    let (code, name) = if remote {
        let remote = location::url(text)?;
        let inner = remote.path.rsplit('/').next().filter(|part| !part.is_empty());
        let name = inner.unwrap_or_else(|| remote.parts().3).to_owned();
        (Code::Remote(remote), name)
    } else {
        let folder = cx.base.join(text).canonicalize();
        let folder = folder.ok().filter(|path| path.is_dir());
        let folder = folder.ok_or_else(|| format!("there is no folder {text:?}: correct it, or write a URL"))?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (Code::Folder(folder), name)
    };
    let entity = named("component", "default", &name).ok_or_else(|| format!("{text:?} has no name: left out"))?;
    let place: Arc<str> = place.into();
    let because = format!("{entity} is listed ({place})");
    Ok(Some(Candidate::described(&Entity::told(entity, &place, Ok(code)), [because], cx.shown)))
}
