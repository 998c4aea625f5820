//! What a checkout that somebody else made knows of the repository it was cloned from.

use super::{GitError, Repository, object_name};
use crate::process::Exit;

/// Where a revision stands in a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is called there: `refs/remotes/origin/main`.
    pub name: String,
    /// The commit.
    pub commit: String,
}

impl Repository {
    /// What a revision of the repository that this is a checkout of means here: the branch
    /// as it was fetched last, else a branch or tag of its own. `None` where it is not here.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn standing(&self, revision: &str) -> Result<Option<Standing>, GitError> {
        // What would mean something else than a name to `rev-parse`.
        if revision.contains([':', '^', '~', ' ', '*', '\\', '[', '?', '@']) || revision.contains("..") {
            return Ok(None);
        }
        let names: Vec<String> = match object_name(revision) {
            Ok(name) => vec![name.to_owned()],
            Err(_) => {
                ["refs/remotes/origin", "refs/heads", "refs/tags"].map(|kind| format!("{kind}/{revision}")).to_vec()
            }
        };
        for name in names {
            if let Some(commit) = self.resolve(&format!("{name}^{{commit}}"))? {
                return Ok(Some(Standing { name, commit }));
            }
        }
        Ok(None)
    }

    /// The URL that it was cloned from: that of `origin`, else of its only remote.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn origin(&self) -> Result<Option<String>, GitError> {
        let output = self.invoke(&["config", "-z", "--get-regexp", "^remote\\..*\\.url$"]).run()?;
        if output.status != Exit::Code(0) {
            return if output.status == Exit::Code(1) { Ok(None) } else { Err(self.failure("config", &output)) };
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let pairs: Vec<(&str, &str)> = text.split('\0').filter_map(|pair| pair.split_once('\n')).collect();
        let origin = pairs.iter().find(|(key, _)| *key == "remote.origin.url");
        let only = || pairs.first().filter(|_| pairs.len() == 1);
        Ok(origin.or_else(only).map(|(_, url)| (*url).to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::Sandpit;

    #[test]
    fn a_revision_is_what_was_fetched_last_and_then_what_is_here() {
        let pit = Sandpit::committed(&[("x", "1")]);
        let first = pit.git(&["rev-parse", "HEAD"]);
        pit.commit(&[("x", "2")]);
        let repository = Repository::open(&pit.root()).unwrap();
        let standing = |revision: &str| {
            let found = repository.standing(revision).unwrap();
            found.map_or_else(String::new, |found| format!("{} {}", found.name, found.commit == first))
        };
        assert_eq!(standing("main"), "refs/heads/main false");
        pit.git(&["update-ref", "refs/remotes/origin/main", &first]);
        pit.git(&["tag", "v1", &first]);
        assert_eq!(standing("main"), "refs/remotes/origin/main true");
        assert_eq!(standing("v1"), "refs/tags/v1 true");
        assert_eq!(standing(&first), format!("{first} true"));
        for nothing in ["gone", "main^", "main~1", "HEAD..main", "@{-1}", "", "-x", "a b", "main:x"] {
            assert_eq!(standing(nothing), "", "{nothing}");
        }
    }

    #[test]
    fn the_repository_that_it_was_cloned_from() {
        let pit = Sandpit::committed(&[("x", "1")]);
        let repository = Repository::open(&pit.root()).unwrap();
        assert_eq!(repository.origin().unwrap(), None);
        pit.git(&["remote", "add", "upstream", "https://h/a/b"]);
        assert_eq!(repository.origin().unwrap().as_deref(), Some("https://h/a/b"));
        pit.git(&["remote", "add", "mine", "https://h/c/b"]);
        assert_eq!(repository.origin().unwrap(), None, "which of the two nobody can say");
        pit.git(&["remote", "add", "origin", "https://h/d/b"]);
        assert_eq!(repository.origin().unwrap().as_deref(), Some("https://h/d/b"));
    }
}
