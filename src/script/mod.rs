//! Rules written in Rhai: files → [`RuleSet`]. The only module that knows Rhai.
//!
//! Scripts are untrusted: no I/O, no time, no `eval`, no imports but of modules beside them; every
//! budget is counted, and closures are pure. Must not: know a stage or write anything.

mod bind;
mod budget;
mod builder;
mod closure;
mod code;
mod datasets;
mod dependencies;
mod draft;
mod edits;
mod engine;
mod error;
mod explain;
mod facts;
mod files;
mod finder;
mod finish;
mod follow;
mod group;
mod identity;
mod imports;
mod insertion;
mod library;
mod modules;
mod near;
mod nodes;
mod purity;
mod reference;
mod survey;
mod symbols;
mod table;
mod tables;
mod types;

#[cfg(test)]
mod tests;

pub use error::{ScriptError, ScriptErrors};
pub use reference::{Entry, builtins, entries, example_inputs, markdown};
pub use tables::read_datasets;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rhai::{AST, Dynamic, Engine, Scope};

use crate::digest::Digest;
use crate::language::FileLanguages;
use crate::rule::{self, DatasetRules, Disorder, Rule, RuleSet};
use draft::Draft;
use modules::Imported;

/// A rule file, read.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// For diagnostics.
    pub name: String,
    /// All its text.
    pub text: String,
    /// The folder that it lies in, for what it names beside it; a text of no file has none.
    pub folder: Option<PathBuf>,
}

/// What rules may read besides code.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// `params`, and `param("name")`.
    pub parameters: toml::Table,
    /// `mapping("name")`: name and the table's content.
    pub mappings: BTreeMap<String, toml::Table>,
    /// What annotations link to.
    pub guide: Option<String>,
    /// What language each file is of.
    pub languages: FileLanguages,
    /// The datasets that are migrated, if any are.
    pub datasets: Option<Arc<DatasetRules>>,
    /// Ids of rules: where two of a list want the same code, the one named first goes first.
    pub order: Vec<Vec<String>>,
    /// Whether `order` may name rules of other files, which are not there: what is tried of one
    /// file alone is ordered as far as it can be.
    pub alone: bool,
}

/// Larger rule or mapping files are refused.
const MAX_FILE: u64 = 4 << 20;
/// Rhai recurses; the stack must hold its deepest call in a debug build.
const STACK: usize = 16 << 20;

/// Reads rule files.
///
/// # Errors
/// Each file that can't be read, is too long or is not UTF-8.
pub fn read(files: &[PathBuf]) -> Result<Vec<Source>, ScriptErrors> {
    let mut sources = Vec::new();
    let mut errors = Vec::new();
    for file in files {
        match read_text(file, MAX_FILE) {
            Ok(text) => {
                let folder = file.parent().map(Path::to_owned);
                sources.push(Source { name: file.display().to_string(), text, folder });
            }
            Err(why) => {
                let error = ScriptError::of_file(&file.display().to_string(), &why);
                errors.push(if file.exists() { error } else { error.hint("name a file of rules, not a rule's id") });
            }
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(ScriptErrors(errors)) }
}

/// Reads the mapping tables that a migration names.
///
/// # Errors
/// Each file that can't be read or is not TOML, with its line.
pub fn read_mappings(files: &BTreeMap<String, PathBuf>) -> Result<BTreeMap<String, toml::Table>, ScriptErrors> {
    let mut tables = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, file) in files {
        let shown = file.display().to_string();
        match read_text(file, MAX_FILE) {
            Err(why) => errors.push(ScriptError::of_file(&shown, &why)),
            Ok(text) => match text.parse::<toml::Table>() {
                Ok(table) => {
                    tables.insert(name.clone(), table);
                }
                Err(error) => {
                    let at = error.span().map_or(0, |s| s.start);
                    let (line, column) = crate::tree::line_column(&text, at);
                    errors.push(ScriptError::at(&shown, &text, (line, column), error.message()));
                }
            },
        }
    }
    if errors.is_empty() { Ok(tables) } else { Err(ScriptErrors(errors)) }
}

fn read_text(file: &Path, limit: u64) -> Result<String, String> {
    let meta = std::fs::metadata(file).map_err(|e| format!("can't be read: {e}"))?;
    if meta.len() > limit {
        return Err(format!("is larger than {} MiB", limit >> 20));
    }
    let bytes = std::fs::read(file).map_err(|e| format!("can't be read: {e}"))?;
    String::from_utf8(bytes).map_err(|e| format!("is not UTF-8 (byte {})", e.utf8_error().valid_up_to()))
}

/// Compiles rules for every language they name. Whoever is to run them tries their own examples first.
///
/// # Errors
/// Every error found, each with file, line and column.
pub fn load(sources: &[Source], inputs: &Inputs) -> Result<RuleSet, ScriptErrors> {
    std::thread::scope(|scope| {
        let work = || load_here(sources, inputs);
        let thread = std::thread::Builder::new().name("rules".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        let failed = |why: &str| ScriptErrors(vec![ScriptError::of_file("rules", why)]);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(failed("loading them panicked; please report this with the rule files")),
            Err(error) => Err(failed(&format!("no thread to load them in: {error}"))),
        }
    })
}

/// Orders the rules; what is wrong with that.
fn disorder(rules: &mut [Rule], inputs: &Inputs) -> Vec<ScriptError> {
    let mut lists = inputs.order.clone();
    if inputs.alone {
        lists.iter_mut().for_each(|list| list.retain(|id| rules.iter().any(|rule| rule.id == *id)));
    }
    let Err(wrong) = rule::order(rules, &lists) else { return Vec::new() };
    let place = |id: &str| rules.iter().find(|rule| rule.id == id).map_or("rules", |rule| rule.place.as_str());
    let said = |wrong: Disorder| match wrong {
        Disorder::Absent(id, nearest) => {
            let error = ScriptError::of_file(
                "rules",
                &format!("the migration's `order` names `{id}`, and there is no such rule"),
            );
            match nearest {
                Some(near) => error.hint(&format!("did you mean `{near}`?")),
                None => error.hint("name rules by the ids that their files declare"),
            }
        }
        Disorder::Contradiction(one, other) => {
            let why = format!("rule `{one}` is to go before `{other}`, and `{other}` before `{one}`");
            let hint = "leave one of the two out: in before(…) of the rules, or in the migration's `order`";
            ScriptError::of_file(place(&one), &why).hint(hint)
        }
    };
    wrong.into_iter().map(said).collect()
}

/// A rule file that was run, and the engines that its closures are called with.
struct Read<'s> {
    source: &'s Source,
    ast: Arc<AST>,
    drafts: Vec<Draft>,
    engines: (Arc<Engine>, Arc<Engine>),
    modules: Option<Digest>,
}

/// Makes an engine with a budget of so many operations.
type Make<'a> = dyn Fn(u64) -> Engine + 'a;

/// Runs rule files, each beside what it imports. What is wrong is added to `errors`; what was
/// declared until then is there.
fn run<'s>(
    sources: &'s [Source],
    inputs: &Inputs,
    (drafts, libraries, collected): (&Arc<Mutex<Vec<Draft>>>, &library::Libraries, &facts::Collected),
    errors: &mut Vec<ScriptError>,
) -> Vec<Read<'s>> {
    let make = |operations: u64| engine::new(inputs, (drafts, libraries, collected), operations);
    let shared = (Arc::new(make(engine::OPERATIONS)), Arc::new(make(survey::OPERATIONS)));
    let declared = || drafts.lock().is_ok_and(|mut all| !std::mem::take(&mut *all).is_empty());
    let mut all = Vec::new();
    for source in sources {
        library::open(libraries, source.folder.as_deref());
        let imported = match modules::read(source, inputs, &shared.0, &declared) {
            Ok(imported) => imported,
            Err(more) => {
                errors.extend(more);
                continue;
            }
        };
        let engines = engines(&shared, &imported, &make);
        let mut ast = match engines.0.compile(imported.text.as_ref().unwrap_or(&source.text)) {
            Ok(ast) => ast,
            Err(error) => {
                errors.push(ScriptError::parsing(source, &error));
                continue;
            }
        };
        ast.set_source(source.name.as_str());
        let ast = Arc::new(ast);
        let mut scope = Scope::new();
        scope.push_constant_dynamic("params", engine::params(inputs));
        budget::refill_for_reading();
        let result = engines.0.eval_ast_with_scope::<Dynamic>(&mut scope, &ast);
        let mut declared = drafts.lock().map(|mut d| std::mem::take(&mut *d)).unwrap_or_default();
        if let Err(error) = result {
            errors.push(ScriptError::running(source, &error));
            // What the rest of its chain would have declared is not missing.
            declared.last_mut().into_iter().for_each(Draft::cut_short);
        }
        all.push(Read { source, ast, drafts: declared, engines, modules: imported.digest });
    }
    all
}

/// Of a rule file that imports something, its own: names of modules hold in one file.
fn engines(shared: &(Arc<Engine>, Arc<Engine>), imported: &Imported, make: &Make<'_>) -> (Arc<Engine>, Arc<Engine>) {
    if imported.is_empty() {
        return shared.clone();
    }
    let own = |operations: u64| {
        let mut engine = make(operations);
        imported.install(&mut engine);
        Arc::new(engine)
    };
    (own(engine::OPERATIONS), own(survey::OPERATIONS))
}

fn load_here(sources: &[Source], inputs: &Inputs) -> Result<RuleSet, ScriptErrors> {
    let drafts: Arc<Mutex<Vec<Draft>>> = Arc::default();
    let libraries = library::Libraries::default();
    let mut errors = Vec::new();
    let collected = facts::Collected::default();
    let all = run(sources, inputs, (&drafts, &libraries, &collected), &mut errors);
    if errors.is_empty() {
        errors.extend(facts::collected(&all, inputs, &collected));
    }
    // From here on nothing more can be declared.
    let declarations = library::close(&libraries);
    let modular = all.iter().any(|read| read.modules.is_some());
    let mut rules = Vec::new();
    for Read { source, ast, drafts, engines: (engine, wide), modules } in all {
        let parts = identity::Parts::new(&engine, source, inputs, (&declarations, modules));
        for draft in drafts {
            match finish::finish(draft, source, &parts, (&engine, &wide), &ast) {
                Ok(rule) => rules.push((source, rule)),
                Err(more) => errors.extend(more),
            }
        }
    }
    let mut unmet = Vec::new();
    for (source, rule) in &rules {
        unmet.extend(finish::unmet(rule, source, &rules));
    }
    if errors.is_empty() {
        errors = unmet;
    }
    let mut rules: Vec<Rule> = rules.into_iter().map(|(_, rule)| rule).collect();
    // Of rules that did not compile nothing is known.
    if errors.is_empty() {
        errors.extend(disorder(&mut rules, inputs));
    }
    let mut seen = BTreeMap::new();
    for id in inputs.datasets.iter().flat_map(|datasets| datasets.ids()) {
        seen.insert(id.clone(), "the mapping table of the dataset".to_owned());
    }
    for rule in &rules {
        if let Some(first) = seen.insert(rule.id.clone(), rule.place.clone()) {
            errors
                .push(ScriptError::of_file(&rule.place, &format!("rule `{}` is declared already at {first}", rule.id)));
        }
    }
    if !errors.is_empty() {
        return Err(ScriptErrors(errors));
    }
    let mut set = RuleSet::new(rules, inputs.guide.clone());
    set.languages = inputs.languages.clone();
    set.datasets = inputs.datasets.clone();
    set.modular = modular;
    set.libraries =
        library::read(&declarations).map_err(|why| ScriptErrors(vec![ScriptError::of_file("rules", &why)]))?;
    Ok(set)
}
