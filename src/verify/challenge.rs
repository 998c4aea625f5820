//! What a green run is worth: the tests are run once more with a deliberately wrong
//! variant of the edit. A rule writes a name; the variant misspells it. Where that
//! stays green, no test executes what was changed.
//!
//! Must not: break more than the names that the rules wrote: a file that can't be
//! read any more is noticed by whoever only loads it.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::edit::{self, Splice};
use crate::language::{FileLanguages, Language};
use crate::transform::{FileOutcome, FilePlan};
use crate::tree::{self, Tree};
use crate::workspace::{Content, FileVersion};

/// The most rules that are challenged one by one; the rest is challenged together.
const MOST_RULES: usize = 8;
/// What makes a name another one.
const MISSPELT: &str = "_misspelt";

/// The rules that are challenged together, and the change with their names misspelt.
pub struct Variant {
    /// Ids of the rules.
    pub rules: Vec<String>,
    /// The change; the edits of other rules are as they are.
    pub changes: Vec<FileVersion>,
}

/// The wrong variants of a change: one a rule, as far as there is a name to misspell.
/// Rules without one are in the second list.
pub fn variants(files: &[FilePlan], changes: &[FileVersion], languages: &FileLanguages) -> (Vec<Variant>, Vec<String>) {
    let rules: Vec<&str> = files
        .iter()
        .filter_map(|file| match &file.outcome {
            FileOutcome::Edit { edits, .. } => Some(edits.iter().map(|edit| edit.rule.as_str())),
            _ => None,
        })
        .flatten()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let (single, rest) = rules.split_at(rules.len().min(MOST_RULES));
    let groups = single.iter().map(|rule| vec![*rule]).chain((!rest.is_empty()).then(|| rest.to_vec()));
    let (mut variants, mut untried) = (Vec::new(), Vec::new());
    for group in groups {
        let names: Vec<String> = group.iter().map(|rule| (*rule).to_owned()).collect();
        match misspelt(files, changes, languages, &group) {
            Some(changes) => variants.push(Variant { rules: names, changes }),
            None => untried.extend(names),
        }
    }
    (variants, untried)
}

/// The change with every name misspelt that `rules` wrote; `None` where there is none.
fn misspelt(
    files: &[FilePlan],
    changes: &[FileVersion],
    languages: &FileLanguages,
    rules: &[&str],
) -> Option<Vec<FileVersion>> {
    let mut any = false;
    let mut all = changes.to_vec();
    for file in files {
        let FileOutcome::Edit { edits, splices, .. } = &file.outcome else { continue };
        let Some(change) = all.iter_mut().find(|change| change.path == file.path) else { continue };
        let (Some(before), Some(after)) = (&change.before, &change.after) else { continue };
        let (Ok(old), Ok(new)) = (std::str::from_utf8(&before.bytes), std::str::from_utf8(&after.bytes)) else {
            continue;
        };
        let meant: Vec<&Range<usize>> =
            edits.iter().filter(|edit| rules.contains(&edit.rule.as_str())).map(|edit| &edit.range).collect();
        if let Some(wrong) = misspell(languages.of(&file.path), old, new, splices, &meant) {
            any = true;
            change.after = Some(Content { bytes: wrong.into_bytes(), executable: after.executable });
        }
    }
    any.then_some(all)
}

fn misspell(
    language: Option<&'static Language>,
    old: &str,
    new: &str,
    splices: &[Splice],
    meant: &[&Range<usize>],
) -> Option<String> {
    let names = Names::new(language, new);
    let mut places = Vec::new();
    let mut shift = 0_isize;
    for splice in splices {
        let start = splice.range.start.checked_add_signed(shift)?;
        shift += splice.text.len() as isize - splice.range.len() as isize;
        let touches = |range: &&&Range<usize>| range.start <= splice.range.end && splice.range.start <= range.end;
        if !meant.iter().any(|range| touches(&range)) {
            continue;
        }
        let inserted = start..start + splice.text.len();
        let replaced = old.get(splice.range.clone())?;
        places.extend(names.to_misspell(new, inserted, replaced));
    }
    places.sort_by_key(|place| place.end);
    places.dedup();
    if places.is_empty() {
        return None;
    }
    let splices: Vec<Splice> =
        places.iter().map(|place| Splice { range: place.end..place.end, text: MISSPELT.to_owned() }).collect();
    Some(edit::apply(new, &splices))
}

/// Where names may stand in a text.
struct Names {
    tree: Option<Tree>,
}

impl Names {
    fn new(language: Option<&'static Language>, text: &str) -> Self {
        Self { tree: language.and_then(|language| tree::parse(language, text).ok()) }
    }

    /// The names in `range` that do not stand in what was replaced; where there is
    /// none, the last name, so that a dropped part drops its neighbour too.
    fn to_misspell(&self, text: &str, range: Range<usize>, replaced: &str) -> Vec<Range<usize>> {
        let Some(inserted) = text.get(range.clone()) else { return Vec::new() };
        let all: Vec<Range<usize>> = words(inserted)
            .map(|word| range.start + word.start..range.start + word.end)
            .filter(|word| self.is_name(word))
            .collect();
        let known: BTreeSet<&str> = words(replaced).filter_map(|word| replaced.get(word)).collect();
        let new: Vec<Range<usize>> = all
            .iter()
            .filter(|word| text.get((*word).clone()).is_some_and(|word| !known.contains(word)))
            .cloned()
            .collect();
        if new.is_empty() { all.last().cloned().into_iter().collect() } else { new }
    }

    /// Whether a word is an identifier, or within a string: keywords and comments are
    /// nothing that a test could miss.
    fn is_name(&self, word: &Range<usize>) -> bool {
        let Some(tree) = &self.tree else { return true };
        let Some(node) = tree.spanning(word.start, word.end) else { return false };
        let in_string = node.ancestors().chain([node]).any(|node| tree.language.is_string(node.kind_id()));
        let identifier = node.is_named() && node.is_leaf() && node.kind().contains("identifier");
        (in_string || identifier) && !node.is_extra()
    }
}

fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let start = at + rest.find(part)?;
            let end = text[start..].find(|c| !part(c)).map_or(text.len(), |length| start + length);
            at = end;
            if text[start..].starts_with(|c: char| !c.is_numeric()) {
                return Some(start..end);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::edit::{Edit, Fragment};

    fn wrong(path: &str, old: &str, edits: &[(&str, &str)]) -> Option<String> {
        let edits: Vec<Edit> = edits
            .iter()
            .enumerate()
            .map(|(index, (from, to))| {
                let start = old.find(from).unwrap();
                let replacement = vec![Fragment::Text((*to).to_owned())];
                Edit {
                    range: start..start + from.len(),
                    replacement,
                    rule: "r".to_owned(),
                    match_id: index as u32,
                    drops: false,
                }
            })
            .collect();
        let splices = edit::compose(old, &edits).unwrap();
        let new = edit::apply(old, &splices);
        let content = |text: &str| Some(Content { bytes: text.as_bytes().to_vec(), executable: false });
        let changes =
            [FileVersion { path: path.to_owned(), before: content(old), after: content(&new), renamed_from: None }];
        let files = [FilePlan {
            path: path.to_owned(),
            before: Some(Digest::of(old.as_bytes())),
            mode: None,
            outcome: FileOutcome::Edit { edits, splices, after: Digest::of(new.as_bytes()) },
        }];
        let (variants, untried) = variants(&files, &changes, &FileLanguages::default());
        assert_eq!(variants.len() + untried.len(), 1);
        let bytes = variants.into_iter().next()?.changes.remove(0).after?.bytes;
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn what_the_rule_wrote_is_misspelt_and_nothing_else() {
        let old = "rows = read('users_v1', limit=3)\n";
        assert_eq!(
            wrong("a.py", old, &[("'users_v1'", "'users_v2'")]).unwrap(),
            "rows = read('users_v2_misspelt', limit=3)\n"
        );
        assert_eq!(
            wrong("a.py", "x = row.plan\ny = 1\n", &[("plan", "plan_type")]).unwrap(),
            "x = row.plan_type_misspelt\ny = 1\n"
        );
        // A column was dropped: its neighbour goes as well.
        assert_eq!(
            wrong("a.py", "c = ['a', 'b', 'c']\n", &[("'b', 'c'", "'c'")]).unwrap(),
            "c = ['a', 'c_misspelt']\n"
        );
    }

    #[test]
    fn comments_and_deletions_have_nothing_to_misspell() {
        assert_eq!(
            wrong("a.py", "x = 1\n", &[("x", "# TODO: look at this\nx")]),
            Some("# TODO: look at this\nx_misspelt = 1\n".to_owned())
        );
        assert_eq!(wrong("a.py", "import a\nx = 1\n", &[("import a\n", "")]), None);
    }
}
