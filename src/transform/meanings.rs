//! Names mean what they meant: what is told where one does not.
//!
//! Must not: say what a name refers to.

use super::check::{Result, Wrong};
use super::scopes::{self, Met};
use super::shadowed::{self, Shadowed};

impl Result<'_> {
    /// What a block defines must meet nothing of the same name where its code came to stand.
    pub(super) fn names(&self) -> std::result::Result<(), Wrong> {
        if let Some((edit, name, local)) =
            scopes::caught(self.old, self.new, self.edits, self.arranged, self.means_local)
        {
            let why = format!(
                "`{0}` is a local at {1} of the result (defined at {2}), and what the rule writes may mean another one: \
                 where the local is meant, put it in by a \
                 hole, or say `.locals(\"{0}\")`; else narrow the rule",
                name.text(),
                self.place(name).trim_end_matches(" of the result"),
                self.place(local).trim_end_matches(" of the result")
            );
            return Err(Wrong { at: self.edits[edit].range.start, rule: self.edits[edit].rule.clone(), why });
        }
        if let Some((edit, name, binder)) =
            scopes::captured(self.old, self.new, self.edits, self.arranged, self.means_local)
        {
            let why = format!(
                "`{0}` at {1} of the result would be what the rule defines at {2}, and was another one before: take a name \
                 that the code does not have, or say `.locals(\"{0}\")` where it is meant",
                name.text(),
                self.place(name).trim_end_matches(" of the result"),
                self.place(binder).trim_end_matches(" of the result")
            );
            return Err(Wrong { at: self.edits[edit].range.start, rule: self.edits[edit].rule.clone(), why });
        }
        if let Some(Shadowed { edit, name, local }) =
            shadowed::shadowed(self.old, self.new, self.edits, self.arranged, self.means_local)
        {
            let why = format!(
                "`{0}` at {1} of the result would be the local of {2}, and was another one where it stood: write it \
                 otherwise, or say `.locals(\"{0}\")` where that is meant",
                name.text(),
                self.place(name).trim_end_matches(" of the result"),
                self.place(local).trim_end_matches(" of the result")
            );
            return Err(Wrong { at: self.edits[edit].range.start, rule: self.edits[edit].rule.clone(), why });
        }
        let Some(Met { edit, name, other }) = scopes::met(self.old, self.new, self.edits, self.arranged) else {
            return Ok(());
        };
        let why = format!(
            "the block that `{}` was defined in would go, and at {} stands another `{}`: keep the braces in the rule, or \
             narrow it",
            name.text(),
            self.place(other),
            name.text()
        );
        Err(Wrong { at: name.local_range().start, rule: self.edits[edit].rule.clone(), why })
    }
}
