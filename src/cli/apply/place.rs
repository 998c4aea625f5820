//! Where a file lies below the folder that was named: rules see the path within that
//! folder, as they see the path within a consumer.

use std::path::{Path, PathBuf};

/// A file's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The folder that was named, or the one that holds the file that was.
    pub(super) root: PathBuf,
    /// The path within it, with `/`.
    pub(super) name: String,
}

impl Place {
    /// The place of a file that was found below one of `paths`.
    pub(super) fn of(paths: &[PathBuf], file: &Path) -> Result<Self, String> {
        let roots = paths.iter().filter(|root| file.starts_with(root));
        let longest = roots.max_by_key(|root| root.components().count()).map(PathBuf::as_path);
        let root = longest.filter(|root| *root != file).or_else(|| file.parent()).unwrap_or(Path::new(""));
        let inside = file.strip_prefix(root).unwrap_or(file);
        let name = inside.to_str().ok_or("its name is not UTF-8")?.replace(std::path::MAIN_SEPARATOR, "/");
        Ok(Self { root: root.to_owned(), name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_below_what_was_named() {
        let place = |paths: &[&str], file: &str| {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            let place = Place::of(&paths, Path::new(file)).unwrap();
            (place.root.display().to_string(), place.name)
        };
        let is = |root: &str, name: &str| (root.to_owned(), name.to_owned());
        assert_eq!(place(&["."], "./src/a.py"), is(".", "src/a.py"));
        assert_eq!(place(&["src"], "src/b/a.py"), is("src", "b/a.py"));
        assert_eq!(place(&["src/a.py"], "src/a.py"), is("src", "a.py"));
        assert_eq!(place(&["a.py"], "a.py"), is("", "a.py"));
        assert_eq!(place(&["src", "src/b"], "src/b/a.py"), is("src/b", "a.py"));
    }
}
