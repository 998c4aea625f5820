//! Where a consumer's code lies: a location as a catalog file writes it → a canonical
//! folder that belongs to the catalog's tree or its repository, or a remote place.
//!
//! Must not: read code, or ask git for more than where a repository begins.

use std::path::{Component, Path, PathBuf};

use crate::git;
use crate::workspace::without_userinfo;

use super::location::{self, Code};

/// Where code lies, or why nobody knows; the reason ends in a next step.
pub(super) type Located = Result<Code, String>;

/// Resolves the location of an entity that the catalog file `file` describes.
/// `location` is its source-location annotation; `root` is the canonical root of the tree.
pub(super) fn of_entity(file: &Path, location: Option<&str>, root: &Path) -> Located {
    let folder = file.parent().unwrap_or(root);
    let Some(location) = location else {
        return inside(folder, root, "the folder of its catalog file").map(Code::Folder);
    };
    let shown = format!("backstage.io/source-location {:?}", without_userinfo(location));
    let next = "set it to `dir:./folder`, relative to the catalog file";
    let Some((kind, target)) = location.split_once(':') else {
        return Err(format!("{shown} has no type: {next}"));
    };
    match kind {
        "dir" | "file" => {
            let target = target.strip_prefix("//").unwrap_or(target);
            let Ok(path) = folder.join(target).canonicalize() else {
                return Err(format!("{shown} does not exist: {next}, or check the folder out"));
            };
            let path = match path.is_file() {
                true => path.parent().map(Path::to_path_buf).unwrap_or(path),
                false => path,
            };
            inside(&path, root, &shown).map(Code::Folder)
        }
        "url" => location::url(target.trim()).map(Code::Remote).map_err(|why| format!("{shown}: {why}")),
        _ => Err(format!("{shown} is of the unknown type {kind:?}: {next}")),
    }
}

/// Checks that a folder, once links are resolved, lies in `root` or in the
/// repository that `root` belongs to.
pub(super) fn inside(folder: &Path, root: &Path, what: &str) -> Result<PathBuf, String> {
    let path = folder.canonicalize();
    let path = path.map_err(|error| format!("{what} can't be read ({error}): check its permissions"))?;
    if !path.is_dir() {
        return Err(format!("{what} is not a folder: name the folder that holds the code"));
    }
    let own = || git::toplevel(root).is_some_and(|top| path.starts_with(top));
    if !path.starts_with(root) && !own() {
        return Err(format!(
            "{what} leads out of the catalog's folder and repository: move the code there, or name its folder in the migration"
        ));
    }
    if path.components().any(|part| part.as_os_str() == ".git") {
        return Err(format!("{what} lies inside git's own folder: name the folder that holds the code"));
    }
    if path.to_str().is_none() {
        return Err(format!("{what} has a path that is not UTF-8: rename it"));
    }
    Ok(path)
}

/// `path` relative to `base`, both absolute and canonical, with `/` and `..`;
/// `.` where they are the same. The same on every machine that has the same layout.
pub(super) fn relative(path: &Path, base: &Path) -> String {
    let common = path.components().zip(base.components()).take_while(|(a, b)| a == b).count();
    let up = base.components().skip(common).map(|_| "..".to_owned());
    let down = path.components().skip(common).filter(|part| !matches!(part, Component::RootDir));
    let down = down.map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    match parts.is_empty() {
        true => ".".to_owned(),
        false => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths() {
        let relative = |path: &str, base: &str| relative(Path::new(path), Path::new(base));
        assert_eq!(relative("/a/b/c", "/a/b"), "c");
        assert_eq!(relative("/a/x/y", "/a/b/c"), "../../x/y");
        assert_eq!(relative("/a", "/a"), ".");
        assert_eq!(relative("/a", "/a/b"), "..");
        assert_eq!(relative("/ab", "/a"), "../ab");
    }
}
