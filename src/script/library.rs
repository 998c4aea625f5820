//! `library("scala", "…")`, `library("../scio.scala")`: what a rule pack declares of the
//! libraries that code uses. Only while rules are loaded: closures read no file.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use rhai::{EvalAltResult, NativeCallContext};

use super::error::fail;
use super::reference::Api;
use super::{MAX_FILE, read_text};
use crate::language::{self, Language};
use crate::symbol::{Declarations, Library, speaks};

/// What was declared so far; nothing once all rules are loaded.
pub(super) type Libraries = Arc<Mutex<Option<Open>>>;

/// What is declared while a rule file runs.
#[derive(Default)]
pub(super) struct Open {
    all: Vec<Declarations>,
    /// Where the rule file lies.
    folder: Option<PathBuf>,
}

/// From now on the rule file in this folder declares.
pub(super) fn open(libraries: &Libraries, folder: Option<&Path>) {
    if let Ok(mut open) = libraries.lock() {
        open.get_or_insert_with(Open::default).folder = folder.map(Path::to_owned);
    }
}

/// From now on nothing more can be declared.
pub(super) fn close(libraries: &Libraries) -> Vec<Declarations> {
    libraries.lock().ok().and_then(|mut open| open.take()).map(|open| open.all).unwrap_or_default()
}

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(api: &mut Api<'_>, libraries: &Libraries) {
    let docs = "Declares classes and functions of a library, as the language writes declarations, without bodies: `typed(…)`, `symbol(\"Type#member\")` and `node.typed` then know what its calls give. It holds for all rules that are loaded together.";
    let example = r##"library("scala", `
package lib
class Client { def open(name: String): Session }
class Session
`);
rule("example").lang("scala").find("$S.stop()").where(#{ S: typed("lib.Session") }).replace("$S.close()").example("import lib.Client\nobject A { val c = new Client(); c.open(\"a\").stop() }", "import lib.Client\nobject A { val c = new Client(); c.open(\"a\").close() }").unchanged("object A { other.stop() }");"##;
    let all = Arc::clone(libraries);
    api.function(
        "library(language, text) -> ()",
        docs,
        example,
        move |cx: NativeCallContext, name: &str, text: &str| {
            let place = cx.call_position().line().unwrap_or(0);
            let name_of = format!("{}:{place}", cx.call_source().unwrap_or("library"));
            let language = language::by_name(name)
                .ok_or_else(|| fail(format!("there is no language `{name}`\n{}", language::meant(name))))?;
            declare(&all, language, &name_of, text)
        },
    );
    let docs = "The same, from a file beside the rule file or in the folder above: its ending tells the language.";
    let example = r#"let failed = false;
try { library("no-such-file.scala"); } catch { failed = true; }
rule("example").lang("python").find("f($X)").when(|m| failed).replace("g($X)").example("f(1)", "g(1)");"#;
    let all = Arc::clone(libraries);
    api.function("library(path) -> ()", docs, example, move |path: &str| -> Fallible<()> {
        let folder = all.lock().ok().and_then(|open| open.as_ref().and_then(|open| open.folder.clone()));
        let file = beside(folder.as_deref(), path)?;
        let language =
            language::of_path(&file).ok_or_else(|| fail(format!("{path:?} has no ending that tells its language")))?;
        let linked = std::fs::symlink_metadata(&file).is_ok_and(|meta| !meta.is_file());
        if linked {
            return Err(fail(format!("{path:?} is no plain file")));
        }
        let text = read_text(&file, MAX_FILE).map_err(|why| fail(format!("{path:?} {why}")))?;
        declare(&all, language, path, &text)
    });
}

/// A path relative to the rule file: at most one folder up.
fn beside(folder: Option<&Path>, path: &str) -> Fallible<PathBuf> {
    let here = |part: &Component<'_>| *part == Component::CurDir;
    let parts: Vec<Component<'_>> = Path::new(path).components().skip_while(here).collect();
    let plain = |part: &Component<'_>| matches!(part, Component::Normal(_));
    let inside = match parts.split_first() {
        Some((Component::ParentDir, rest)) => !rest.is_empty() && rest.iter().all(plain),
        _ => !parts.is_empty() && parts.iter().all(plain),
    };
    if !inside {
        return Err(fail(format!("{path:?} must lie beside the rule file, or in the folder above: \"../scio.scala\"")));
    }
    let Some(folder) = folder else {
        return Err(fail(format!("{path:?} can't be read: these rules lie in no file")));
    };
    Ok(folder.join(path))
}

fn declare(all: &Libraries, language: &'static Language, name: &str, text: &str) -> Fallible<()> {
    let mut all = all.lock().map_err(|_| fail("libraries can't be declared here"))?;
    let Some(Open { all, .. }) = all.as_mut() else {
        return Err(fail("a library is declared where the rule file is read, and not in a closure"));
    };
    if !speaks(language) {
        return Err(fail(format!("what names refer to is not known in {}", language.facts.name)));
    }
    let one =
        Declarations { name: name.to_owned(), language: language.facts.name.clone(), text: text.replace("\r\n", "\n") };
    if all.iter().any(|known| known.language == one.language && known.text == one.text) {
        return Ok(());
    }
    Library::new(language, std::slice::from_ref(&one)).map_err(|error| fail(error.to_string()))?;
    all.push(one);
    Ok(())
}

/// All declarations of each language, as trees are read beside them.
pub(super) fn read(all: &[Declarations]) -> Result<BTreeMap<String, Arc<Library>>, String> {
    let mut of: BTreeMap<String, Vec<Declarations>> = BTreeMap::new();
    for one in all {
        of.entry(one.language.clone()).or_default().push(one.clone());
    }
    let each = of.into_iter().filter_map(|(name, all)| Some((language::by_name(&name)?, name, all)));
    each.map(|(language, name, all)| {
        Ok((name, Arc::new(Library::new(language, &all).map_err(|error| error.to_string())?)))
    })
    .collect()
}
