//! `import "names" as names;`: functions and constants that rule files share.
//!
//! A module lies in a folder `modules`: the nearest at or above the rule file, within its
//! repository or migration. It is read while rules are loaded, once, and declares no rules. Its
//! text is a part of what each rule is whose closures could call it.
//!
//! Must not: read anything outside of that folder, or anything later on.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rhai::{Engine, Module, Scope, Shared, Token};

use super::error::ScriptError;
use super::explain::explain;
use super::identity::offset;
use super::{Inputs, MAX_FILE, Source, budget, engine, read_text};
use crate::digest::{Digest, DigestBuilder};

/// The folder that modules lie in.
const FOLDER: &str = "modules";
/// What ends the search upwards, where it lies: the folder of a migration, a repository.
const ENDS: [&str; 2] = ["migration.toml", ".git"];
/// How far up it goes at most.
const LEVELS: usize = 8;
/// How many a rule file may import.
const MOST: usize = 32;

/// What a rule file imports.
#[derive(Default)]
pub(super) struct Imported {
    /// By the name that the file gives each.
    modules: Vec<(String, Shared<Module>)>,
    /// Of their texts; nothing where there are none.
    pub(super) digest: Option<Digest>,
    /// The text of the rule file without its imports, of the same length in lines and characters.
    pub(super) text: Option<String>,
}

impl Imported {
    /// Makes them known to scripts of this engine.
    pub(super) fn install(&self, engine: &mut Engine) {
        for (alias, module) in &self.modules {
            engine.register_static_module(alias, module.clone());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }
}

/// One import.
#[derive(Debug, PartialEq)]
struct Import {
    name: String,
    alias: String,
    /// Bytes of the statement.
    range: Range<usize>,
    /// Where it stands.
    at: rhai::Position,
}

/// The imports that a text begins with, or what is wrong with one of them and where. What lies behind
/// is the parser's: code within a text can't be told from it here.
fn imports(engine: &Engine, text: &str) -> Result<Vec<Import>, (rhai::Position, &'static str)> {
    const HOW: &str = "an import is written `import \"names\" as names;`";
    let mut found = Vec::new();
    let mut tokens = engine.lex([&text]).0;
    while let Some((Token::Import, at)) = tokens.next() {
        let mut next = || tokens.next().unwrap_or((Token::EOF, at));
        let (Token::StringConstant(name), _) = next() else { return Err((at, HOW)) };
        let (Token::As, _) = next() else { return Err((at, HOW)) };
        let (Token::Identifier(alias), _) = next() else { return Err((at, HOW)) };
        let (Token::SemiColon, end) = next() else { return Err((at, HOW)) };
        let range = offset(text, at)..offset(text, end) + 1;
        found.push(Import { name: name.to_string(), alias: alias.to_string(), range, at });
    }
    Ok(found)
}

/// Reads what a rule file imports.
pub(super) fn read(
    source: &Source,
    inputs: &Inputs,
    engine: &Engine,
    declared: &dyn Fn() -> bool,
) -> Result<Imported, Vec<ScriptError>> {
    // Most files import nothing.
    if !source.text.contains("import") {
        return Ok(Imported::default());
    }
    let wrong = |at: rhai::Position, why: &str| ScriptError::in_source(source, at, why);
    let imports = imports(engine, &source.text).map_err(|(at, why)| {
        vec![wrong(at, why).hint("functions and constants that rule files share lie in a folder `modules`")]
    })?;
    if imports.is_empty() {
        return Ok(Imported::default());
    }
    if let Some(one) = imports.get(MOST) {
        return Err(vec![wrong(one.at, &format!("a rule file imports {MOST} modules at most"))]);
    }
    let mut errors = Vec::new();
    let mut imported = Imported::default();
    let mut digest = DigestBuilder::new("gander.modules");
    for (at, import) in imports.iter().enumerate() {
        if imports[..at].iter().any(|earlier| earlier.alias == import.alias) {
            errors.push(wrong(import.at, &format!("two modules are called `{}` here", import.alias)));
            continue;
        }
        let file = match file_of(source, &import.name) {
            Ok(file) => file,
            Err(why) => {
                errors.push(wrong(import.at, &format!("import \"{}\": {why}", import.name)));
                continue;
            }
        };
        let name = format!("{FOLDER}/{}.rhai", import.name);
        let text = match read_text(&file, MAX_FILE) {
            Ok(text) => text,
            Err(why) => {
                errors.push(wrong(import.at, &format!("import \"{}\": {} {why}", import.name, file.display())));
                continue;
            }
        };
        digest = digest.field(&import.alias).field(&text);
        match module(Source { name, text, folder: None }, inputs, engine, declared) {
            Ok(module) => imported.modules.push((import.alias.clone(), module.into())),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    imported.digest = Some(digest.finish());
    imported.text = Some(without(&source.text, &imports));
    Ok(imported)
}

/// The text with spaces for its imports: their names are known to the engine.
fn without(text: &str, imports: &[Import]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for import in imports {
        out += &text[done..import.range.start];
        out.extend(text[import.range.clone()].chars().map(|c| if c == '\n' { c } else { ' ' }));
        done = import.range.end;
    }
    out + &text[done..]
}

/// Runs a module, which gives its functions and what it exports.
fn module(
    source: Source,
    inputs: &Inputs,
    engine: &Engine,
    declared: &dyn Fn() -> bool,
) -> Result<Module, ScriptError> {
    let more = match imports(engine, &source.text) {
        Ok(all) => all.first().map(|one| one.at),
        Err((at, _)) => Some(at),
    };
    if let Some(at) = more {
        let error = ScriptError::in_source(&source, at, "a module imports no other");
        return Err(error.hint("put what it needs into it, or import both in the rule file"));
    }
    let mut ast = engine.compile(&source.text).map_err(|error| ScriptError::parsing(&source, &error))?;
    ast.set_source(source.name.as_str());
    let mut scope = Scope::new();
    scope.push_constant_dynamic("params", engine::params(inputs));
    budget::refill_for_reading();
    let module = Module::eval_ast_as_new(scope, &ast, engine).map_err(|error| {
        let (position, message) = explain(&error);
        ScriptError::in_source(&source, position, &message)
    })?;
    if declared() {
        let error = ScriptError::of_file(&source.name, "a module declares no rules");
        return Err(error.hint("write `fn` and `export const` in it, and the rules in the files that import it"));
    }
    Ok(module)
}

/// Where a module lies, by its name.
fn file_of(source: &Source, name: &str) -> Result<PathBuf, String> {
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !name.split('/').all(plain) {
        return Err("a module is named by letters, digits, `-`, `_` and `/`, without its ending".to_owned());
    }
    let folder = source.folder.as_deref().ok_or("these rules lie in no file, and have no modules")?;
    let folder = std::path::absolute(folder).map_err(|e| e.to_string())?;
    let root = root(&folder).ok_or_else(|| {
        format!("there is no folder `{FOLDER}` beside the rule file, or above it within its migration or repository")
    })?;
    let file = root.join(format!("{name}.rhai"));
    let real = |path: &Path| path.canonicalize();
    match (real(&root), real(&file)) {
        (Ok(root), Ok(real)) if real == root.join(format!("{name}.rhai")) && real.is_file() => Ok(real),
        (Ok(_), Ok(_)) => Err(format!("{} is no plain file of that folder", file.display())),
        _ => Err(format!("there is no {}", file.display())),
    }
}

/// The nearest folder of modules.
fn root(folder: &Path) -> Option<PathBuf> {
    let ends = |above: &Path| ENDS.iter().any(|end| above.join(end).exists());
    // In no migration and no repository, what lies above is somebody else's.
    let levels = folder.ancestors().take(LEVELS).position(ends).unwrap_or(0);
    let mut all = folder.ancestors().take(levels + 1).map(|above| above.join(FOLDER));
    all.find(|modules| modules.symlink_metadata().is_ok_and(|found| found.is_dir()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test writes its own temporary folder")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rule::RuleSet;
    use crate::script::{ScriptErrors, load};
    use crate::transform::file;

    const RULE: &str = r#"import "team/names" as names;
const NEW = names::NEW;
rule("r").lang("python").find("f($X)").rewrite(|m, cx| code("$N($X)", #{ N: code(names::longer(NEW)), X: m.X }));
"#;
    const MODULE: &str =
        "export const NEW = \"g\";\nfn longer(name) { if name == \"x\" { throw \"too short\"; } name + \"_long\" }\n";

    fn folder(module: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("rules/deep")).unwrap();
        std::fs::create_dir_all(root.path().join("modules/team")).unwrap();
        std::fs::create_dir(root.path().join(".git")).unwrap();
        std::fs::write(root.path().join("modules/team/names.rhai"), module).unwrap();
        std::fs::write(root.path().join("outside.rhai"), module).unwrap();
        root
    }

    fn loaded(root: &Path, text: &str) -> Result<RuleSet, ScriptErrors> {
        let folder = Some(root.join("rules/deep"));
        load(&[Source { name: "rules/deep/r.rhai".to_owned(), text: text.to_owned(), folder }], &Inputs::default())
    }

    #[test]
    fn rules_use_what_modules_give_and_are_other_rules_with_other_modules() {
        let root = folder(MODULE);
        let rules = loaded(root.path(), RULE).unwrap();
        let report = file(&rules, &Arc::default(), "a.py", b"f(1)\n");
        assert_eq!(report.change.unwrap().bytes, b"g_long(1)\n", "{:?}", report.findings);
        assert!(rules.modular);
        std::fs::write(root.path().join("modules/team/names.rhai"), format!("{MODULE}// other\n")).unwrap();
        let other = loaded(root.path(), RULE).unwrap();
        assert_ne!(rules.rules[0].identity, other.rules[0].identity);
        // What fails in a module is said to have failed there.
        let short = RULE.replace("names::NEW;", "\"x\";");
        let short = format!("{short}const TEXT = `import ${{1}}`;\n");
        let report = file(&loaded(root.path(), &short).unwrap(), &Arc::default(), "a.py", b"f(1)\n");
        assert_eq!(report.findings[0].message, "modules/team/names.rhai:2:36: too short");
        // And so is what fails while the rules are declared.
        let early = "import \"team/names\" as names;\nrule(\"a\").lang(\"python\").find(names::longer(\"x\")).refuse(\"no\");\n";
        let error = loaded(root.path(), early).err().unwrap().to_string();
        assert!(error.contains("modules/team/names.rhai:2:36: too short"), "{error}");
    }

    #[test]
    fn what_is_no_module_is_named_with_its_place() {
        let root = folder(MODULE);
        std::os::unix::fs::symlink(root.path().join("outside.rhai"), root.path().join("modules/link.rhai")).unwrap();
        let put = |name: &str, text: &str| std::fs::write(root.path().join("modules").join(name), text).unwrap();
        put("rules.rhai", "rule(\"x\");\n");
        put("more.rhai", "import \"team/names\" as n;\n");
        put("broken.rhai", "fn f( {\n");
        put("failing.rhai", "let a = 1;\na + ();\n");
        let rows = [
            ("import \"nothing\" as n;", "there is no"),
            ("import \"../outside\" as n;", "a module is named by letters"),
            ("import \"/etc/passwd\" as n;", "a module is named by letters"),
            ("import \"link\" as n;", "is no plain file of that folder"),
            ("import \"rules\" as n;", "a module declares no rules"),
            ("import \"more\" as n;", "a module imports no other"),
            ("import \"broken\" as n;", "modules/broken.rhai:1"),
            ("import \"failing\" as n;", "modules/failing.rhai:2"),
            ("import \"team/names\";", "an import is written"),
            ("import \"team/\" + \"names\" as n;", "an import is written"),
            ("import \"team/names\" as n; import \"link\" as n;", "two modules are called `n`"),
            ("let a = 1; import \"team/names\" as n;", "an import stands at the top"),
            ("import \"team/names\" as n; let a = n::WHAT;", "there is no constant `n::WHAT`"),
            ("fn f() { import \"team/names\" as n; } f();", "an import stands at the top"),
        ];
        for (text, says) in rows {
            let error = loaded(root.path(), text).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains(says), "{text}: {error}");
        }
        // Where nothing is around it, only what lies beside the file is its own.
        std::fs::create_dir(root.path().join("rules/deep/modules")).unwrap();
        std::fs::rename(root.path().join(".git"), root.path().join("git")).unwrap();
        let error = loaded(root.path(), RULE).err().unwrap().to_string();
        assert!(error.contains("there is no") && !error.contains("no folder"), "{error}");
        std::fs::remove_dir(root.path().join("rules/deep/modules")).unwrap();
        let error = loaded(root.path(), RULE).err().unwrap().to_string();
        assert!(error.contains("there is no folder `modules`"), "{error}");
        // Beyond the repository nothing is looked for.
        std::fs::create_dir(root.path().join("rules/.git")).unwrap();
        let error = loaded(root.path(), RULE).err().unwrap().to_string();
        assert!(error.contains("there is no folder `modules`") && error.contains("rules/deep/r.rhai:1:1"), "{error}");
    }
}
