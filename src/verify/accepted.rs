//! Differences in snapshots that a person has accepted: one file each, in insta's
//! format, in a folder of the state.
//!
//! Must not: decide what is accepted.

use std::path::Path;

use super::snapshot::{Accepted, body, insta};
use crate::digest::DigestBuilder;
use crate::files::{self, FilesError};

/// What was accepted in `folder`; nothing where there is none. A file that is not
/// gander's is passed over.
pub fn load(folder: &Path) -> Accepted {
    let mut accepted = Accepted::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        let field = |name: &str| {
            let line = text.lines().take(4).find_map(|line| line.strip_prefix(name))?;
            serde_json::from_str::<String>(line.trim()).ok()
        };
        if let (Some(step), Some(name), Some(body)) = (field("source:"), field("expression:"), body(&text)) {
            accepted.insert((step, name), body.to_owned());
        }
    }
    accepted
}

/// Accepts `content` as what `step` produces by `name`.
///
/// # Errors
/// Where the file system refuses.
pub fn save(folder: &Path, step: &str, name: &str, content: &str) -> Result<(), FilesError> {
    let key = DigestBuilder::new("gander.snapshot").field(step).field(name).finish();
    files::make_folder(folder)?;
    files::write_whole(&folder.join(format!("{}.snap", key.short())), insta(step, name, content).as_bytes(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_is_there_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("accepted");
        assert!(load(&place).is_empty());
        save(&place, "report", "out/a.csv", "x\n1\n").unwrap();
        save(&place, "report", "stdout", "").unwrap();
        save(&place, "report", "out/a.csv", "x\n2\n").unwrap();
        let accepted = load(&place);
        assert_eq!(accepted.len(), 2);
        assert_eq!(accepted[&("report".to_owned(), "out/a.csv".to_owned())], "x\n2\n");
    }
}
