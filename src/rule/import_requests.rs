//! What rules ask of the imports of a file, and what that comes to.
//!
//! Must not: edit anything.

use std::collections::{BTreeMap, BTreeSet};

use super::import_block::Block;
use crate::edit::Arranged;
use crate::symbol::{Import, Symbols, Wanted, name_of, normal};
use crate::tree::{Node, Tree};

/// What a rule asks of the imports of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImportRequest {
    /// It is there afterwards.
    Add(Wanted),
    /// It goes, where nothing uses it any more.
    Remove(String),
    /// What the first path brought the second one brings. Without `rename` it keeps the
    /// name that it has in the file.
    Replace {
        /// The path that goes.
        old: String,
        /// What comes in its place.
        new: Wanted,
        /// Whether an import without an alias takes the new name: then its uses do, too.
        rename: bool,
    },
    /// The module that this path brought gives its name to another one: all that the file said of it, edits wrote
    /// anew.
    Follow {
        /// The path that goes.
        old: String,
        /// What comes in its place.
        new: Wanted,
    },
    /// What brought a path under the name of another one brings that: the edits leave no use of it but those that
    /// they write.
    Succeed {
        /// The path that goes.
        old: String,
        /// What comes in its place, under the same name.
        new: Wanted,
    },
    /// What was used before the edits, and is not after them, goes.
    DropOrphans,
}

/// An import that can't be edited because an edit wrote it, or no place for one.
#[derive(Debug)]
pub struct Unsettled {
    /// The rule that asked.
    pub rule: String,
    /// Why.
    pub why: String,
}

pub(super) type Gone = BTreeMap<usize, String>;
pub(super) type Replaced = BTreeMap<usize, (Wanted, String)>;

/// What becomes of imports, by their indexes, and which ones are wanted; with the rules that ask for it.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) gone: Gone,
    pub(super) added: BTreeMap<Wanted, String>,
    pub(super) replaced: Replaced,
}

impl Asked {
    /// What requests come to, given the old text and the new one.
    ///
    /// # Errors
    /// Where what is left in the code would lose its import, or get another one.
    pub(super) fn of(
        block: &Block<'_>,
        (old, new): (&Tree, &Tree),
        arranged: &Arranged,
        requests: &[(String, ImportRequest)],
    ) -> Result<Self, Unsettled> {
        let symbols = block.symbols;
        let mut asked = Self::default();
        // Many matches ask for the same.
        let mut seen: BTreeSet<&ImportRequest> = BTreeSet::new();
        for (rule, request) in requests.iter().filter(|(_, request)| seen.insert(request)) {
            match request {
                ImportRequest::Add(wanted) => {
                    asked.added.entry(wanted.clone()).or_insert_with(|| rule.clone());
                }
                ImportRequest::Remove(path) => {
                    let path = normal(path);
                    asked.remove(block, new, rule, |index, import| {
                        import.name.is_some() && import.brings(&path) && !symbols.is_import_used(new, index)
                    });
                }
                ImportRequest::Replace { old, new: wanted, rename } => {
                    asked.replace(symbols, new, rule, (old, wanted, *rename))?;
                }
                ImportRequest::Follow { old, new: wanted } => {
                    if let Some(left) = left_of(symbols, new, arranged, old) {
                        let (line, column) = left.line_column();
                        let why = format!(
                            "`{}` would be another module at {line}:{column} of the result, which no edit has written: \
                             move all that the file says of it, or give the new module an alias",
                            left.text()
                        );
                        return Err(Unsettled { rule: rule.clone(), why });
                    }
                    asked.replace(symbols, new, rule, (old, wanted, false))?;
                }
                ImportRequest::Succeed { old, new: wanted } => {
                    let heirs = requests.iter().filter(|(_, other)| other == request).count();
                    asked.succeed((symbols, new, arranged), rule, (old, wanted, heirs))?;
                }
                ImportRequest::DropOrphans => {
                    let before = Symbols::of(old);
                    asked.remove(block, new, rule, |index, import| {
                        let same = |i: &Import| i.path == import.path && i.name == import.name;
                        let was = before.imports().iter().position(same);
                        import.name.is_some()
                            && was.is_some_and(|was| before.is_import_used(old, was))
                            && !symbols.is_import_used(new, index)
                    });
                }
            }
        }
        Ok(asked)
    }

    fn remove(&mut self, block: &Block<'_>, new: &Tree, rule: &str, which: impl Fn(usize, &Import) -> bool) {
        for (index, import) in block.symbols.imports().iter().enumerate() {
            if block.may_go(new, import) && which(index, import) {
                self.gone.entry(index).or_insert_with(|| rule.to_owned());
            }
        }
    }

    /// The imports of a path under the name of another one bring that.
    fn succeed(
        &mut self,
        (symbols, new, arranged): (&Symbols, &Tree, &Arranged),
        rule: &str,
        (old, wanted, heirs): (&str, &Wanted, usize),
    ) -> Result<(), Unsettled> {
        let bound = wanted.bound();
        // Code that is written anew may speak of what the import brought, too: only so many names are the heir's.
        let said = |n: &Node<'_>| n.is_leaf() && n.text() == bound && !symbols.in_import(*n);
        let written = new.iter().filter(said).filter(|n| !arranged.is_old(&n.local_range())).count();
        if written != heirs {
            let why = format!("`{bound}` would lose its import: what the edits write may speak of it, too");
            return Err(Unsettled { rule: rule.to_owned(), why });
        }
        let brings = |i: &Import| i.brings(old) && i.name.as_deref() == Some(bound.as_str());
        let unwritten = |n: Node<'_>| arranged.is_old(&n.local_range());
        for (index, _) in symbols.imports().iter().enumerate().filter(|(_, i)| brings(i)) {
            let heir = self.replaced.entry(index).or_insert_with(|| (wanted.clone(), rule.to_owned()));
            if heir.0 != *wanted || symbols.is_import_used_at(new, index, &unwritten) {
                let why = format!("`{bound}` would lose its import: the edits leave uses of it");
                return Err(Unsettled { rule: rule.to_owned(), why });
            }
        }
        Ok(())
    }

    /// What brought a path brings another one; with `rename`, by the name of that.
    fn replace(
        &mut self,
        symbols: &Symbols,
        new: &Tree,
        rule: &str,
        (old, wanted, rename): (&str, &Wanted, bool),
    ) -> Result<(), Unsettled> {
        let path = normal(old);
        let brings = |i: &Import| i.brings(&path);
        for (index, import) in symbols.imports().iter().enumerate().filter(|(_, i)| brings(i)) {
            let last = path.rsplit('.').next();
            // All names of a module: there is nothing that an alias could be of.
            let whole = wanted.name.as_deref() == Some("*");
            let renamed = rename && import.name.as_deref() == last && !whole;
            let other = |n: &&String| !renamed && !whole && **n != wanted.bound();
            let bound = import.name.as_ref().filter(other).and(import.written.clone());
            let facts = &new.language.facts.symbols.import;
            let aliases = if wanted.name.is_some() { &facts.name_as } else { &facts.module_as };
            let stays = bound.is_some() && aliases.is_empty();
            let left = renamed
                && import.name.as_deref() != Some(wanted.bound().as_str())
                && symbols.is_import_meant(new, index);
            if stays || left {
                let name = import.name.as_deref().unwrap_or_default();
                let why = if stays { "an import can't have an alias" } else { "the edits leave uses of it" };
                return Err(Unsettled { rule: rule.to_owned(), why: format!("`{name}` would lose its import: {why}") });
            }
            let heir = Wanted { alias: bound.or_else(|| wanted.alias.clone()), ..wanted.clone() };
            self.replaced.entry(index).or_insert_with(|| (heir, rule.to_owned()));
        }
        Ok(())
    }
}

/// A use of what an import brings that no edit has written.
fn left_of<'t>(symbols: &Symbols, new: &'t Tree, arranged: &Arranged, old: &str) -> Option<Node<'t>> {
    let path = normal(old);
    let import = symbols.imports().iter().find(|i| i.name.is_some() && normal(&i.path) == path)?;
    let name = import.name.as_deref()?;
    let first = new.iter().find(|n| n.is_leaf() && name_of(*n) == name && !symbols.in_import(*n))?;
    let kept = |n: &Node<'_>| !symbols.in_import(*n) && arranged.is_old(&n.local_range());
    symbols.uses(first).certain.into_iter().find(kept)
}
