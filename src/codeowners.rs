//! CODEOWNERS, as GitHub and GitLab read it: the last pattern that matches a path says whose
//! it is.
//!
//! Must not: read a file, or know where one lies.

use std::collections::{BTreeMap, BTreeSet};

use ignore::Match;
use ignore::gitignore::GitignoreBuilder;

/// Where hosts look for it, in this order, from the top of a repository.
pub const PLACES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// The most that is read of one, in bytes: GitHub's own limit.
pub const LARGEST: usize = 3 << 20;

/// Whoever owns one of `paths`, given from the top of the repository, sorted. A pattern that
/// is none counts for nothing, as on the hosts.
pub fn owners<'p>(text: &str, paths: impl IntoIterator<Item = &'p str>) -> BTreeSet<String> {
    let mut builder = GitignoreBuilder::new("");
    // A pattern that stands there twice means what its last line says.
    let mut of: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    for (number, line) in text.lines().map(str::trim).enumerate() {
        // Sections of GitLab, exclusions of either: neither names a path here.
        if line.is_empty() || line.starts_with(['#', '[', '^', '!']) {
            continue;
        }
        let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
        let Some(pattern) = words.next() else { continue };
        if builder.add_line(None, pattern).is_ok() {
            of.insert(pattern.to_owned(), (number, words.map(str::to_owned).collect()));
        }
    }
    let Ok(patterns) = builder.build() else { return BTreeSet::new() };
    let mut owners = BTreeSet::new();
    for path in paths {
        // A folder's pattern means all below it, and a later line wins over an earlier one,
        // whichever of them names the nearer folder.
        let of_path = |path: &str, folder: bool| match patterns.matched(path, folder) {
            Match::Ignore(glob) => of.get(glob.original()),
            _ => None,
        };
        let folders = path.match_indices('/').filter_map(|(at, _)| of_path(&path[..at], true));
        let last = folders.chain(of_path(path, false)).max_by_key(|(number, _)| *number);
        owners.extend(last.into_iter().flat_map(|(_, names)| names.iter().cloned()));
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let text =
            "# all\n*  @everyone\n/apps/ads/  @ads @ads-oncall # comment\n*.sql @data\n/docs/\n[Section]\n!nope @x\n";
        let of = |path: &str| owners(text, [path]).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(of("README.md"), "@everyone");
        assert_eq!(of("apps/ads/deep/job.py"), "@ads @ads-oncall");
        assert_eq!(of("apps/ads/q.sql"), "@data");
        assert_eq!(of("docs/a.md"), "", "nobody, by a pattern without owners");
        assert_eq!(owners(text, ["a", "q.sql"]).len(), 2);
        assert_eq!(owners("[[ @x\n", ["a"]).len(), 0);
    }
}
