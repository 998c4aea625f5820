//! The code that a remote has now, of which the clone here may be behind.
//!
//! Must not: move a reference of a clone, or touch its index or its work tree.

use std::collections::{BTreeMap, BTreeSet};

use super::push::Outbox;
use super::{GitError, Remote, Repository, object_name};
use crate::process::Exit;

/// The setting by which a clone of gander's own says what it was cloned at.
pub(super) const REVISION: &str = "gander.revision";

/// The most branches of a clone that a remote is told of, so that it sends what is new.
const MOST_HAVES: usize = 200;

fn is_own(branch: &str) -> bool {
    branch.starts_with("gander/")
}

/// Which branch of its remote a clone stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Follows {
    /// One of its own, and the remote's HEAD for what is to be merged: there it is looked for.
    Branch(String),
    /// This one, and no other one.
    Only(String),
    /// Whatever the remote calls HEAD.
    Head,
    /// None: it lies at a commit that somebody named.
    Nothing,
}

/// Where a remote stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// The reference that was looked up: `refs/heads/main`, `HEAD`.
    pub reference: String,
    /// Its commit; `None` where it is not there.
    pub commit: Option<String>,
    /// The commits of the branches below a prefix, by name without `refs/heads/`.
    pub tips: BTreeMap<String, String>,
}

impl Repository {
    /// Which branch of its remote this clone stands for: what is checked out here, or what
    /// gander cloned.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn follows(&self) -> Result<Follows, GitError> {
        let line = |args: &[&str]| -> Result<Option<String>, GitError> {
            let output = self.invoke(args).run()?;
            let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
            Ok((output.status == Exit::Code(0) && !text.is_empty()).then_some(text))
        };
        if let Some(branch) = line(&["symbolic-ref", "--quiet", "HEAD"])? {
            let name = branch.strip_prefix("refs/heads/").unwrap_or(&branch);
            // Somebody looks at what gander made: that is not what it is made of.
            return Ok(if is_own(name) { Follows::Head } else { Follows::Branch(name.to_owned()) });
        }
        Ok(match line(&["config", "--get", REVISION])? {
            Some(revision) if object_name(&revision).is_ok() || revision.starts_with("refs/") => Follows::Nothing,
            Some(revision) if revision != "HEAD" => Follows::Only(revision),
            _ => Follows::Head,
        })
    }

    /// The branch of its remote that its change sets are merged into; `None` for whatever the
    /// remote calls HEAD.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn merges_into(&self) -> Result<Option<String>, GitError> {
        Ok(match self.follows()? {
            Follows::Only(name) => Some(name),
            Follows::Branch(_) | Follows::Head | Follows::Nothing => None,
        })
    }

    /// Fails where a branch of gander's own is checked out: HEAD then says nothing of what its
    /// owners have merged.
    ///
    /// # Errors
    /// [`GitError::CheckedOut`].
    pub fn not_on_own_branch(&self) -> Result<(), GitError> {
        let output = self.invoke(&["symbolic-ref", "--quiet", "HEAD"]).run()?;
        let text = String::from_utf8_lossy(&output.stdout);
        match text.trim_end().strip_prefix("refs/heads/").filter(|name| is_own(name)) {
            Some(name) => Err(GitError::CheckedOut { branch: name.to_owned() }),
            None if text.is_empty() => self.not_at_own_commit(),
            None => Ok(()),
        }
    }

    /// The same of a commit that somebody looks at without a branch: where nothing but branches of gander's own
    /// are there, its owners have not merged it.
    fn not_at_own_commit(&self) -> Result<(), GitError> {
        let args = [
            "for-each-ref",
            "--points-at=HEAD",
            "--format=%(refname:lstrip=2)",
            "refs/heads",
            "refs/remotes",
            "refs/tags",
        ];
        let output = self.invoke(&args).run()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let own = |name: &&str| is_own(name) || name.split_once('/').is_some_and(|(_, name)| is_own(name));
        match (text.lines().all(|name| own(&name)), text.lines().find(own)) {
            (true, Some(name)) => Err(GitError::CheckedOut { branch: name.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Whether it holds a branch that gander did not make, or a stash.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn has_work(&self) -> Result<bool, GitError> {
        let text = self.answer(&["for-each-ref", "--format=%(refname)", "refs/heads", "refs/stash"])?;
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().any(|name| !name.strip_prefix("refs/heads/").is_some_and(is_own)))
    }

    /// Whether its configuration has a setting.
    pub(super) fn is_set(&self, key: &str) -> Result<bool, GitError> {
        Ok(self.invoke(&["config", "--get", key]).run()?.status == Exit::Code(0))
    }

    /// How many commits of `later` are not in `earlier`; `None` where one of them is not here.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn count_between(&self, earlier: &str, later: &str) -> Result<Option<u64>, GitError> {
        if !self.has(earlier)? || !self.has(later)? {
            return Ok(None);
        }
        let range = format!("{}..{}", object_name(earlier)?, object_name(later)?);
        let text = self.answer(&["rev-list", "--count", "--end-of-options", &range])?;
        Ok(String::from_utf8_lossy(&text).trim().parse().ok())
    }
}

impl Remote {
    /// Where the branch stands that a clone follows, and the branches below `prefix`: one call.
    ///
    /// # Errors
    /// [`GitError::Away`].
    pub fn present(&self, follows: &Follows, prefix: &str) -> Result<Present, GitError> {
        let below = format!("refs/heads/{prefix}*");
        let branch = match follows {
            Follows::Only(name) | Follows::Branch(name) => format!("refs/heads/{name}"),
            Follows::Head | Follows::Nothing => "HEAD".to_owned(),
        };
        let mut found = self.list(&["HEAD", &branch, &below])?;
        let (head, there) = (found.remove("HEAD"), found.get(&branch).cloned());
        let (reference, commit) = match (there, follows) {
            // The branch that is checked out counts where HEAD names none.
            (Some(there), Follows::Branch(_)) if head.is_none() => (branch, Some(there)),
            (_, Follows::Branch(_) | Follows::Head) => ("HEAD".to_owned(), head),
            (_, Follows::Nothing) => ("HEAD".to_owned(), None),
            (there, _) => (branch, there),
        };
        let begins = format!("refs/heads/{prefix}");
        let tip = |(name, commit): (String, String)| {
            let name = name.starts_with(&begins).then(|| name.strip_prefix("refs/heads/"))??.to_owned();
            Some((name, commit))
        };
        Ok(Present { reference, commit, tips: found.into_iter().filter_map(tip).collect() })
    }

    /// Brings a commit of a reference into a clone, as `git fetch` would, without moving any
    /// branch of it: the work tree, the index and every reference stay as they are.
    ///
    /// # Errors
    /// [`GitError::Away`], also where the reference is at another commit by now.
    pub fn bring(&self, clone: &Repository, present: &Present) -> Result<(), GitError> {
        let Some(commit) = &present.commit else { return Err(self.away("it has no HEAD")) };
        if clone.has(commit)? {
            return Ok(());
        }
        self.fetch_objects(clone, &[format!("+{}:refs/heads/head-of-the-remote", present.reference)])?;
        if clone.has(commit)? { Ok(()) } else { Err(self.away("it moved while it was looked at")) }
    }
}

impl Remote {
    /// Brings the commits of some of its branches into a clone, as [`Remote::bring`]: those that
    /// are not here yet, in few calls.
    ///
    /// # Errors
    /// [`GitError::Away`].
    pub fn bring_branches(&self, clone: &Repository, tips: &BTreeMap<&str, &str>) -> Result<(), GitError> {
        let commits: BTreeSet<&str> = tips.values().copied().collect();
        let missing = clone.missing(&commits)?;
        let names: Vec<&str> = tips.iter().filter(|(_, tip)| missing.contains(**tip)).map(|(name, _)| *name).collect();
        for names in names.chunks(MOST_HAVES) {
            let refs: Vec<String> = names.iter().map(|name| format!("+refs/heads/{name}:refs/heads/{name}")).collect();
            self.fetch_objects(clone, &refs)?;
        }
        Ok(())
    }

    /// Fetches references into the objects of a clone, of which no reference moves.
    fn fetch_objects(&self, clone: &Repository, refs: &[String]) -> Result<(), GitError> {
        let outbox = Outbox::new(Some(clone), Some(self))?;
        outbox.knows(&clone.some_tips()?)?;
        // As one pack, which is there as a whole or not at all: of one that breaks off, loose objects would stay, and
        // a commit without its files would be taken for fetched ever after.
        let args = ["-c", "fetch.unpackLimit=1", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
        let args = [&args[..], &["--no-auto-maintenance", "--"]].concat();
        let refs = refs.iter().map(String::as_str);
        let args: Vec<&str> = args.into_iter().chain([self.url()]).chain(refs).collect();
        let output = outbox.write_into(&clone.path_of_git("objects")?, &args, self)?;
        if output.status == Exit::Code(0) { Ok(()) } else { Err(self.failed(&output)) }
    }
}

impl Repository {
    /// Those of some commits that are not here.
    pub(super) fn missing(&self, commits: &BTreeSet<&str>) -> Result<BTreeSet<String>, GitError> {
        let asked: Vec<&str> = commits.iter().copied().map(object_name).collect::<Result<_, _>>()?;
        let call = self.invoke(&["cat-file", "--batch-check=%(objectname)"]).stdin(asked.join("\n").into_bytes());
        let text = self.finish("cat-file", call)?;
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().filter_map(|line| line.strip_suffix(" missing")).map(str::to_owned).collect())
    }

    /// The paths that each of some commits changes with all that it has over `base`: what came to
    /// a branch later hides nothing that was on it before. One that is not here changes nothing.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn touched(
        &self,
        base: &str,
        commits: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, GitError> {
        let missing = self.missing(commits)?;
        let without = format!("^{}", object_name(base)?);
        let mut touched = BTreeMap::new();
        for commit in commits.iter().filter(|commit| !missing.contains(**commit)) {
            let log = ["log", "--no-show-signature", "--format=", "--name-only", "--no-renames", "-z"];
            let text = self.answer(&[&log[..], &["--end-of-options", object_name(commit)?, &without]].concat())?;
            let text = String::from_utf8_lossy(&text);
            let paths = text.split('\0').map(|path| path.trim_start_matches('\n')).filter(|path| !path.is_empty());
            touched.insert((*commit).to_owned(), paths.map(str::to_owned).collect());
        }
        Ok(touched)
    }

    /// Where the branches below a prefix are, by name without `refs/heads/`.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn tips(&self, prefix: &str) -> Result<BTreeMap<String, String>, GitError> {
        let pattern = format!("refs/heads/{}", prefix.trim_end_matches('/'));
        let text = self.answer(&["for-each-ref", "--format=%(objectname) %(refname)", &pattern])?;
        let text = String::from_utf8_lossy(&text);
        let tip = |line: &str| {
            let (commit, name) = line.split_once(' ')?;
            Some((name.strip_prefix("refs/heads/")?.to_owned(), commit.to_owned()))
        };
        Ok(text.lines().filter_map(tip).collect())
    }
}

impl Repository {
    /// Commits that are surely here, and that a remote may have, too.
    fn some_tips(&self) -> Result<Vec<String>, GitError> {
        let count = format!("--count={MOST_HAVES}");
        let args = ["for-each-ref", &count, "--format=%(objecttype) %(objectname)", "refs/remotes", "refs/heads"];
        let text = self.answer(&args)?;
        let text = String::from_utf8_lossy(&text);
        let tips = text.lines().filter_map(|line| line.strip_prefix("commit ")).map(str::to_owned);
        let mut tips: Vec<String> = tips.chain(self.head()?).collect();
        tips.sort();
        tips.dedup();
        Ok(tips)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::Sandpit;

    fn remote(pit: &Sandpit) -> Remote {
        Remote::new(&format!("file://{}", pit.root().display()), &["file".to_owned()]).unwrap()
    }

    #[test]
    fn a_clone_gets_what_its_remote_has_and_nothing_of_it_moves() {
        let there = Sandpit::committed(&[("a/x", "1"), ("b/y", "1")]);
        there.git(&["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{}", there.root().display());
        let folder = tempfile::tempdir().unwrap();
        for (name, how) in [("full", &[][..]), ("part", &["--depth=1", "--filter=blob:none"][..])] {
            let place = folder.path().join(name);
            there.git(&[&["clone", "-q", "--no-local"], how, &[&url, place.to_str().unwrap()]].concat());
        }
        there.commit(&[("a/x", "2")]);
        there.commit(&[("a/x", "3")]);
        there.git(&["branch", "gander/m/ads"]);
        for name in ["full", "part"] {
            let clone = Repository::open(&folder.path().join(name)).unwrap();
            assert_eq!(clone.follows().unwrap(), Follows::Branch("main".to_owned()));
            let before = (clone.head().unwrap().unwrap(), clone.answer(&["for-each-ref"]).unwrap());
            let present = remote(&there).present(&clone.follows().unwrap(), "gander/m/").unwrap();
            let commit = present.commit.clone().unwrap();
            assert_eq!(
                (commit.as_str(), present.reference.as_str()),
                (there.git(&["rev-parse", "HEAD"]).as_str(), "HEAD")
            );
            assert_eq!(present.tips.keys().collect::<Vec<_>>(), ["gander/m/ads"]);
            assert_eq!(clone.count_between(&before.0, &commit).unwrap(), None);
            remote(&there).bring(&clone, &present).unwrap();
            assert_eq!(clone.file_at(&commit, "a/x").unwrap().unwrap().bytes, b"3");
            assert_eq!(clone.count_between(&before.0, &commit).unwrap(), Some(2));
            assert_eq!((clone.head().unwrap().unwrap(), clone.answer(&["for-each-ref"]).unwrap()), before);
        }
    }

    #[test]
    fn half_of_a_fetch_is_not_taken_for_all_of_it() {
        let there = Sandpit::committed(&[("x", "1")]);
        let url = format!("file://{}", there.root().display());
        let folder = tempfile::tempdir().unwrap();
        there.git(&["clone", "-q", "--no-local", &url, folder.path().join("clone").to_str().unwrap()]);
        // What comes before the file that is lacking fills more than one write of the server.
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'!' + (state >> 33) as u8 % 90)
        };
        let large: String = std::iter::repeat_with(&mut noise).take(1 << 20).collect();
        there.commit(&[("large", &large), ("y", "2")]);
        let blob = there.git(&["rev-parse", "HEAD:y"]);
        let lost = there.path(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
        let kept = std::fs::read(&lost).unwrap();
        std::fs::remove_file(&lost).unwrap();
        let clone = Repository::open(&folder.path().join("clone")).unwrap();
        let present = remote(&there).present(&clone.follows().unwrap(), "gander/m/").unwrap();
        for _ in 0..2 {
            assert!(remote(&there).bring(&clone, &present).is_err());
        }
        there.write(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]), kept);
        remote(&there).bring(&clone, &present).unwrap();
        assert_eq!(clone.file_at(present.commit.as_ref().unwrap(), "y").unwrap().unwrap().bytes, b"2");
    }

    #[test]
    fn what_is_checked_out_says_which_branch_counts() {
        let there = Sandpit::committed(&[("x", "1")]);
        there.git(&["branch", "develop"]);
        there.commit(&[("x", "2")]);
        let repository = Repository::open(&there.root()).unwrap();
        let present = |follows: Follows| remote(&there).present(&follows, "gander/m/").unwrap();
        assert_eq!(present(Follows::Only("develop".to_owned())).reference, "refs/heads/develop");
        assert_eq!(present(Follows::Branch("develop".to_owned())).reference, "HEAD");
        let mine = present(Follows::Branch("mine".to_owned()));
        assert_eq!((mine.reference.as_str(), mine.commit), ("HEAD", repository.head().unwrap()));
        there.git(&["checkout", "-q", "--detach"]);
        assert_eq!(repository.follows().unwrap(), Follows::Head);
        there.git(&["config", REVISION, "develop"]);
        assert_eq!(repository.follows().unwrap(), Follows::Only("develop".to_owned()));
        assert_eq!(present(Follows::Only("v1".to_owned())).commit, None, "a tag stays what it is");
        there.git(&["config", REVISION, &repository.head().unwrap().unwrap()]);
        assert_eq!(repository.follows().unwrap(), Follows::Nothing);
    }
}
