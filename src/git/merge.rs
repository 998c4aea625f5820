//! Files at a commit, and texts merged line by line.

use std::collections::BTreeMap;

use super::push::Outbox;
use super::{Blob, GitError, Repository, SETTINGS, garbled, object_name};
use crate::process::{Exit, Invocation};
use crate::workspace::{Content, is_inner_path};

/// How many paths are asked for at once: an argument each.
const MOST_PATHS: usize = 500;

/// What merging one commit into another one would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merging {
    /// It merges.
    Clean,
    /// It merges, and changes nothing.
    Nothing,
    /// It does not, because of this path.
    Conflict(String),
}

impl Repository {
    /// The commit at which two histories part; `None` where they have none in common.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn fork(&self, one: &str, other: &str) -> Result<Option<String>, GitError> {
        let output = self.invoke(&["merge-base", object_name(one)?, object_name(other)?]).run()?;
        match output.status {
            Exit::Code(0) => {
                let text = String::from_utf8_lossy(&output.stdout);
                object_name(text.trim()).map(|name| Some(name.to_owned()))
            }
            Exit::Code(1) => Ok(None),
            _ => Err(self.failure("merge-base", &output)),
        }
    }

    /// What merging `theirs` into `ours` would come to by git's own merge, where they part at
    /// `base`. It is done beside the repository, whose configuration could name programs that
    /// merge.
    ///
    /// # Errors
    /// Where git can't be asked, is older than 2.40, or something of the three is not here.
    pub fn merging(&self, base: &str, ours: &str, theirs: &str) -> Result<Merging, GitError> {
        let (outbox, ours) = (Outbox::beside(self)?, object_name(ours)?);
        let beside = outbox.repository();
        let base = format!("--merge-base={}", object_name(base)?);
        let args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", &base, ours];
        let output = beside.invoke(&[&args[..], &[object_name(theirs)?]].concat()).run()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut said = text.split('\0').filter(|part| !part.is_empty());
        let tree = said.next().unwrap_or_default();
        match output.status {
            Exit::Code(0) if beside.resolve(&format!("{ours}^{{tree}}"))?.as_deref() == Some(tree) => {
                Ok(Merging::Nothing)
            }
            Exit::Code(0) => Ok(Merging::Clean),
            Exit::Code(1) => {
                let path = said.next().ok_or_else(|| garbled("merge-tree", &output.stdout))?;
                Ok(Merging::Conflict(path.to_owned()))
            }
            _ => Err(beside.failure("merge-tree", &output)),
        }
    }

    /// What lies at a path of a commit; `None` where nothing does, or no plain file.
    ///
    /// # Errors
    /// Where git can't be asked, or the content is not here.
    pub fn file_at(&self, commit: &str, path: &str) -> Result<Option<Content>, GitError> {
        if !is_inner_path(path) {
            return Err(GitError::BadName(path.to_owned()));
        }
        let line = self.answer(&["ls-tree", "-z", "--full-tree", object_name(commit)?, "--", path])?;
        let text = String::from_utf8_lossy(&line);
        let Some((executable, blob)) = plain_file(text.split('\t').next().unwrap_or_default()) else { return Ok(None) };
        Ok(Some(Content { bytes: self.answer(&["cat-file", "blob", object_name(blob)?])?, executable }))
    }

    /// As [`Repository::file_at`], of many paths in few calls; those where no plain file lies are
    /// left out.
    ///
    /// # Errors
    /// As [`Repository::file_at`].
    pub fn files_at(&self, commit: &str, paths: &[String]) -> Result<BTreeMap<String, Content>, GitError> {
        if let Some(bad) = paths.iter().find(|path| !is_inner_path(path)) {
            return Err(GitError::BadName(bad.clone()));
        }
        let commit = object_name(commit)?;
        let mut found: Vec<(String, bool, String)> = Vec::new();
        for paths in paths.chunks(MOST_PATHS) {
            let args = ["ls-tree", "-z", "--full-tree", commit, "--"].into_iter();
            let args: Vec<&str> = args.chain(paths.iter().map(String::as_str)).collect();
            let output = self.answer(&args)?;
            let text = String::from_utf8_lossy(&output);
            for (head, path) in text.split('\0').filter_map(|record| record.split_once('\t')) {
                let Some((executable, blob)) = plain_file(head) else { continue };
                found.push((path.to_owned(), executable, object_name(blob)?.to_owned()));
            }
        }
        let blobs: Vec<&str> = found.iter().map(|(_, _, blob)| blob.as_str()).collect();
        let mut contents: Vec<Vec<u8>> = Vec::with_capacity(found.len());
        self.blobs(&blobs, crate::process::DEFAULT_OUTPUT_LIMIT as u64, &mut |index, blob| {
            contents.push(match blob {
                Blob::Bytes(bytes) => bytes.to_vec(),
                // It says itself what it lacks.
                Blob::TooLarge(_) | Blob::Missing => self.answer(&["cat-file", "blob", blobs[index]])?,
            });
            Ok::<_, GitError>(())
        })?;
        let content = |((path, executable, _), bytes)| (path, Content { bytes, executable });
        Ok(found.into_iter().zip(contents).map(content).collect())
    }
}

/// Whether a file may be executed, and its blob, by what `ls-tree` says before its path: `MODE TYPE
/// NAME`. `None` where it is no plain file.
fn plain_file(head: &str) -> Option<(bool, &str)> {
    let (mode, rest) = head.split_once(' ')?;
    let executable = match mode {
        "100644" => false,
        "100755" => true,
        _ => return None,
    };
    Some((executable, rest.split_once(' ')?.1))
}

/// What leads from `base` to `theirs`, applied to `ours`; `None` where both changed the
/// same lines, or it is no text.
///
/// # Errors
/// Where git can't be run.
pub fn merge_texts(ours: &[u8], base: &[u8], theirs: &[u8]) -> Result<Option<Vec<u8>>, GitError> {
    if ours == base || ours == theirs {
        return Ok(Some(theirs.to_vec()));
    }
    let folder = tempfile::tempdir().map_err(GitError::Temporary)?;
    for (name, bytes) in [("ours", ours), ("base", base), ("theirs", theirs)] {
        crate::files::write_cache(&folder.path().join(name), bytes).map_err(GitError::Left)?;
    }
    let mut call = Invocation::new("git").env_clear().current_dir(folder.path()).arg("--no-pager");
    for setting in SETTINGS {
        call = call.args(["-c", setting]);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let call =
        call.env("PATH", path).env("LC_ALL", "C").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = call.args(["merge-file", "-p", "--quiet", "ours", "base", "theirs"]).run()?;
    // The exit code counts the conflicts; 255 is something that is no text.
    Ok((output.status == Exit::Code(0)).then_some(output.stdout))
}

/// What leads from `base` to `theirs`, applied to `ours`, each of which may be no file;
/// `None` where both changed the same lines, or one of them the file as a whole.
///
/// # Errors
/// Where git can't be run.
pub fn merge_contents(
    ours: Option<&Content>,
    base: Option<&Content>,
    theirs: Option<&Content>,
) -> Result<Option<Option<Content>>, GitError> {
    if ours == base || ours == theirs {
        return Ok(Some(theirs.cloned()));
    }
    if base == theirs {
        return Ok(Some(ours.cloned()));
    }
    let (Some(ours), Some(base), Some(theirs)) = (ours, base, theirs) else { return Ok(None) };
    let merged = merge_texts(&ours.bytes, &base.bytes, &theirs.bytes)?;
    let executable = if ours.executable == base.executable { theirs.executable } else { ours.executable };
    Ok(merged.map(|bytes| Some(Content { bytes, executable })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_lines_are_kept_and_the_same_ones_conflict() {
        let merge = |ours: &str, base: &str, theirs: &str| {
            merge_texts(ours.as_bytes(), base.as_bytes(), theirs.as_bytes())
                .unwrap()
                .map(|b| String::from_utf8(b).unwrap())
        };
        let (before, after) = ("1\n2\n3\n4\nold\n", "1\n2\n3\n4\nnew\n");
        assert_eq!(merge(after, after, before).as_deref(), Some(before));
        assert_eq!(merge("one\n2\n3\n4\nnew\n", after, before).as_deref(), Some("one\n2\n3\n4\nold\n"));
        assert_eq!(merge("1\n2\n3\n4\nnewer\n", after, before), None);
        assert_eq!(merge(before, after, before).as_deref(), Some(before), "it is back already");
    }
}
