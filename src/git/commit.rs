//! Commits on branches of gander's own, made without touching a work tree or
//! its index.

use super::{GitError, Repository, object_name};
use crate::process::Exit;
use crate::workspace::{FileVersion, below, is_inner_path};

/// The branches that gander may make, move and delete.
const NAMESPACE: &str = "gander/";

/// A commit to be made on a branch.
#[derive(Clone, Copy, Debug)]
pub struct NewCommit<'a> {
    /// The branch without `refs/heads/`: `gander/<id>/<consumer>`.
    pub branch: &'a str,
    /// The commit that the branch must be at now; `None` where it must not exist.
    pub expected: Option<&'a str>,
    /// The parent.
    pub base: &'a str,
    /// The workspace below the top of the repository; empty for the top.
    pub prefix: &'a str,
    /// What changes against the parent, by paths relative to the workspace.
    pub files: &'a [FileVersion],
    /// All of the commit message.
    pub message: &'a str,
    /// `Name <address>`, author and committer both.
    pub author: &'a str,
    /// Seconds since the Unix epoch.
    pub time: i64,
}

impl Repository {
    /// Makes a commit and lets its branch point to it. Returns the commit. Made
    /// again with the same words and time it is the same commit, and nothing happens.
    ///
    /// # Errors
    /// [`GitError::Moved`] where the branch is not as expected, in which case it
    /// stays as it is; [`GitError::CheckedOut`]; those of git.
    pub fn commit(&self, new: &NewCommit<'_>) -> Result<String, GitError> {
        let commit = self.commit_alone(new)?;
        self.set_branch(new.branch, &commit, new.expected)?;
        Ok(commit)
    }

    /// Makes a commit that no branch points to yet.
    ///
    /// # Errors
    /// Those of git.
    pub fn commit_alone(&self, new: &NewCommit<'_>) -> Result<String, GitError> {
        self.own_branch(new.branch)?;
        let tree = self.tree_of(new)?;
        self.commit_tree(new, &tree, &[object_name(new.base)?])
    }

    /// Lets a branch of gander's own point to a commit, where it is as expected.
    ///
    /// # Errors
    /// As [`Repository::commit`].
    pub fn set_branch(&self, branch: &str, commit: &str, expected: Option<&str>) -> Result<(), GitError> {
        let (reference, commit) = (self.own_branch(branch)?, object_name(commit)?);
        if self.resolve(&reference)?.as_deref() == Some(commit) {
            return Ok(());
        }
        self.check_branch(branch, &reference, expected)?;
        let nothing = "0".repeat(commit.len());
        let old = match expected {
            Some(expected) => object_name(expected)?,
            None => &nothing,
        };
        self.move_branch(branch, &reference, &["update-ref", &reference, commit, old], expected)
    }

    /// A commit with the tree and the words of `commit`, which comes after `tip` as well: where a
    /// branch may only go forward, it is what takes its place. Its last parent is what `commit`
    /// was made over.
    ///
    /// # Errors
    /// Those of git.
    pub fn after(&self, commit: &str, tip: &str) -> Result<String, GitError> {
        let (commit, tip) = (object_name(commit)?, object_name(tip)?);
        let format = "--format=%T%x00%P%x00%an <%ae>%x00%at%x00%B";
        let text = text(self.answer(&["log", "-1", "--no-show-signature", format, "--end-of-options", commit])?);
        let mut fields = text.splitn(5, '\0');
        let mut next = || fields.next().unwrap_or_default().to_owned();
        let (tree, parents, author, time, message) = (next(), next(), next(), next(), next());
        let base = parents.split_whitespace().next_back().unwrap_or(tip).to_owned();
        let message = format!("{}\n", message.trim_end());
        let new = NewCommit {
            branch: "",
            expected: None,
            base: &base,
            prefix: "",
            files: &[],
            message: &message,
            author: &author,
            time: time.trim().parse().unwrap_or(0),
        };
        let parents = if base == tip { vec![tip] } else { vec![tip, object_name(&base)?] };
        self.commit_tree(&new, object_name(&tree)?, &parents)
    }

    /// The tree that a commit would have: the base with the files in it, made in
    /// an index of its own.
    ///
    /// # Errors
    /// Those of git.
    pub fn tree_of(&self, new: &NewCommit<'_>) -> Result<String, GitError> {
        let base = object_name(new.base)?;
        let dir = tempfile::tempdir().map_err(GitError::Temporary)?;
        let index = dir.path().join("index");
        let call = |args: &[&str]| self.invoke(args).env("GIT_INDEX_FILE", &index);
        self.finish("read-tree", call(&["read-tree", base]))?;
        let records = self.index_records(new, base.len())?;
        let update = call(&["update-index", "-z", "--index-info"]).stdin(records);
        let output = update.run()?;
        // A path that git won't take is only warned about.
        if output.status != Exit::Code(0) || !output.stderr.is_empty() {
            return Err(self.failure("update-index", &output));
        }
        let tree = text(self.finish("write-tree", call(&["write-tree"]))?);
        object_name(tree.trim()).map(str::to_owned)
    }

    /// Deletes a branch of gander's own if it still points to `expected`. A
    /// branch that is gone already is fine.
    ///
    /// # Errors
    /// As [`Repository::commit`].
    pub fn delete_branch(&self, branch: &str, expected: &str) -> Result<(), GitError> {
        let reference = self.own_branch(branch)?;
        let expected = object_name(expected)?;
        if self.resolve(&reference)?.is_none() {
            return Ok(());
        }
        self.check_branch(branch, &reference, Some(expected))?;
        self.move_branch(branch, &reference, &["update-ref", "-d", &reference, expected], Some(expected))
    }

    /// The commit that a branch points to.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn branch(&self, branch: &str) -> Result<Option<String>, GitError> {
        self.resolve(&format!("refs/heads/{branch}"))
    }

    /// The user's identity, `Name <address>`, by git's own rules; `None` where
    /// git knows none.
    ///
    /// # Errors
    /// Where git can't be run.
    pub fn identity(&self) -> Result<Option<String>, GitError> {
        let mut call = self.invoke(&["var", "GIT_AUTHOR_IDENT"]);
        for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "EMAIL"] {
            if let Some(value) = std::env::var_os(name) {
                call = call.env(name, value);
            }
        }
        let output = call.run()?;
        let text = text(output.stdout);
        let found = output.status == Exit::Code(0);
        Ok(text.rsplit_once("> ").filter(|_| found).map(|(who, _)| format!("{who}>")))
    }

    /// Who made a commit, `Name <address>`, and the first line of its message; `None` where it
    /// is not here.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn said(&self, commit: &str) -> Result<Option<(String, String)>, GitError> {
        if !self.has(commit)? {
            return Ok(None);
        }
        let args = ["log", "-1", "--no-show-signature", "--format=%an <%ae>%x00%s", "--end-of-options", commit];
        let text = text(self.answer(&args)?);
        Ok(text.trim_end().split_once('\0').map(|(author, title)| (author.to_owned(), title.to_owned())))
    }

    /// `<mode> <object>\t<path>\0` for each file; deletions first, so that a
    /// folder can take the place of a file.
    fn index_records(&self, new: &NewCommit<'_>, hash: usize) -> Result<Vec<u8>, GitError> {
        let mut deleted = Vec::new();
        let mut written = Vec::new();
        for file in new.files {
            let path = below(new.prefix, &file.path);
            if !is_inner_path(&path) {
                return Err(GitError::BadName(path));
            }
            match &file.after {
                None => deleted.extend(format!("0 {}\t{path}\0", "0".repeat(hash)).into_bytes()),
                Some(content) => {
                    let call = self.invoke(&["hash-object", "-w", "--no-filters", "--stdin"]);
                    let blob = self.finish("hash-object", call.stdin(content.bytes.clone()))?;
                    let blob = text(blob);
                    let blob = object_name(blob.trim())?;
                    let mode = if content.executable { "100755" } else { "100644" };
                    written.extend(format!("{mode} {blob}\t{path}\0").into_bytes());
                }
            }
        }
        deleted.extend(written);
        Ok(deleted)
    }

    fn commit_tree(&self, new: &NewCommit<'_>, tree: &str, parents: &[&str]) -> Result<String, GitError> {
        let bad = || GitError::BadName(new.author.to_owned());
        let (name, rest) = new.author.split_once(" <").ok_or_else(bad)?;
        let address = rest.strip_suffix('>').ok_or_else(bad)?;
        let date = format!("@{} +0000", new.time);
        let mut args = vec!["commit-tree", "--no-gpg-sign", "-F", "-", tree];
        args.extend(parents.iter().flat_map(|parent| ["-p", parent]));
        // Signed by the user's own settings: a repository's could name any program.
        let signing = self.signing()?;
        let mut call = match &signing {
            Some((outbox, objects)) => {
                args[1] = "-S";
                outbox.own(&args).env("GIT_OBJECT_DIRECTORY", objects)
            }
            None => self.invoke(&args),
        };
        call = call.stdin(new.message.as_bytes());
        for role in ["AUTHOR", "COMMITTER"] {
            call = call
                .env(format!("GIT_{role}_NAME"), name)
                .env(format!("GIT_{role}_EMAIL"), address)
                .env(format!("GIT_{role}_DATE"), &date);
        }
        let commit = text(self.finish("commit-tree", call)?);
        object_name(commit.trim()).map(str::to_owned)
    }

    /// The full name of a branch that is gander's own.
    pub(super) fn own_branch(&self, branch: &str) -> Result<String, GitError> {
        let reference = format!("refs/heads/{branch}");
        let output = self.invoke(&["check-ref-format", &reference]).run()?;
        if !branch.starts_with(NAMESPACE) || output.status != Exit::Code(0) {
            return Err(GitError::BadName(branch.to_owned()));
        }
        Ok(reference)
    }

    /// Whether somebody has a branch in a work tree of this repository.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn is_checked_out(&self, branch: &str) -> Result<bool, GitError> {
        let worktrees = text(self.answer(&["worktree", "list", "--porcelain"])?);
        let line = format!("branch refs/heads/{branch}");
        Ok(worktrees.lines().any(|l| l == line))
    }

    fn check_branch(&self, branch: &str, reference: &str, expected: Option<&str>) -> Result<(), GitError> {
        if self.is_checked_out(branch)? {
            return Err(GitError::CheckedOut { branch: branch.to_owned() });
        }
        let found = self.resolve(reference)?;
        if found.as_deref() == expected {
            return Ok(());
        }
        let name = |commit: Option<&str>| commit.unwrap_or("no commit").to_owned();
        Err(GitError::Moved { branch: branch.to_owned(), expected: name(expected), found: name(found.as_deref()) })
    }

    /// Runs an `update-ref`; where it fails because the branch moved meanwhile,
    /// that is what is said.
    fn move_branch(
        &self,
        branch: &str,
        reference: &str,
        args: &[&str],
        expected: Option<&str>,
    ) -> Result<(), GitError> {
        let output = self.invoke(args).run()?;
        if output.status == Exit::Code(0) {
            return Ok(());
        }
        self.check_branch(branch, reference, expected)?;
        Err(self.failure("update-ref", &output))
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
