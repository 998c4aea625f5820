//! Paths that are two on one system and one on another: spelled in another case, or
//! with their accents composed otherwise.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// A path as a system reads it to which neither case nor the composition of accents
/// means anything: equal for paths that are one file there.
pub fn folded(path: &str) -> Cow<'_, str> {
    if path.is_ascii() {
        let upper = path.bytes().any(|byte| byte.is_ascii_uppercase());
        return if upper { path.to_ascii_lowercase().into() } else { path.into() };
    }
    // By way of capitals, since `ß` and `SS` have nothing else in common.
    let capitals: String = path.nfd().flat_map(char::to_uppercase).collect();
    capitals.nfd().flat_map(char::to_lowercase).nfd().collect::<String>().into()
}

/// The folders above a path, the outermost first, and the path itself.
pub fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).chain([path])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_folds_to_one_path() {
        for (one, other) in
            [("a/B", "A/b"), ("caf\u{e9}", "cafe\u{301}"), ("CAFE\u{301}", "caf\u{e9}"), ("stra\u{df}e", "STRASSE")]
        {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("cafe"), folded("caf\u{e9}"));
        assert_eq!(prefixes("a/b/c").collect::<Vec<_>>(), ["a", "a/b", "a/b/c"]);
    }
}
