//! Which languages have a `symbols.scm`: one line each.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use tree_sitter::Query;

use crate::language::Language;

macro_rules! symbols {
    ($($language:literal in $folder:literal $(and $more:literal)?)*) => {
        /// A language, the folder of its query, and the query.
        static SOURCES: &[(&str, &str, &str)] =
            &[$(($language, $folder, concat!(
                include_str!(concat!("../../grammars/", $folder, "/symbols.scm"))
                $(, include_str!(concat!("../../grammars/", $more, "/symbols.scm")))?
            ))),*];
    };
}

symbols! {
    "python" in "python"
    "java" in "java"
    "scala" in "scala"
    "kotlin" in "kotlin"
    "swift" in "swift"
    "javascript" in "javascript"
    "typescript" in "typescript"
    "tsx" in "typescript" and "tsx"
    "go" in "go"
    "rust" in "rust"
}

/// Names of the languages whose symbols are known.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|(name, ..)| *name)
}

/// The folder under `grammars/` that says what names of this language refer to.
#[cfg(test)]
pub(super) fn folder(language: &str) -> Option<&'static str> {
    SOURCES.iter().find(|(name, ..)| *name == language).map(|(_, folder, _)| *folder)
}

/// The query of a language, compiled when it is first asked for: all of them would
/// cost every start more than it takes to read a file.
pub(super) fn of(language: &'static Language) -> Option<&'static Query> {
    type Compiled = HashMap<&'static str, &'static OnceLock<Option<Query>>>;
    static COMPILED: OnceLock<Mutex<Compiled>> = OnceLock::new();
    let (name, _, source) = SOURCES.iter().find(|(name, ..)| *name == language.facts.name)?;
    let cell = {
        let mut all = COMPILED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        // One small cell for each language, for the life of the process.
        *all.entry(name).or_insert_with(|| Box::leak(Box::default()))
    };
    cell.get_or_init(|| Query::new(&language.grammar, source).ok()).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;

    #[test]
    fn every_query_compiles() {
        for (name, folder, source) in SOURCES {
            let language = by_name(name).unwrap();
            if let Err(error) = Query::new(&language.grammar, source) {
                panic!("grammars/{folder}/symbols.scm in {name}: {error}");
            }
            assert!(!language.facts.symbols.names.is_empty(), "{name} tells no kinds of names");
        }
    }
}
