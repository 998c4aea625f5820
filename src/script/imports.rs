//! `ref_to`, `add_import`, `remove_import` …: what closures say of imports.

use rhai::{Dynamic, EvalAltResult, Map};

use super::builder::Handle;
use super::code::{EditSpec, ImportEdit, Path, Reference, Snippet};
use super::error::fail;
use super::explain::plain;
use super::finder::texts;
use super::reference::Api;
use crate::symbol::{Through, Wanted};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(api: &mut Api<'_>) {
    references(api);
    edits(api);
    methods(api);
}

fn references(api: &mut Api<'_>) {
    let docs = "Code that speaks of a path where it is written: by a name that the file has for it, or by one that is imported for it, under another name where its own is taken. An import that is left without a use goes. One text is parted at its end; two are a module and what of it.";
    let example = r#".find(symbol("old.utc")).rewrite(|m, cx| ref_to("datetime.timezone.utc")).example("from old import utc\nfrom datetime import timezone\nf(utc)", "from datetime import timezone\nf(timezone.utc)")"#;
    api.function("ref_to(path) -> Code", docs, example, |path: &str| {
        Snippet::reference(Reference::new(Path::Whole(path.to_owned())))
    });
    let docs = "The same, of a module and what of it.";
    let example = r#".find(symbol("old.utc")).rewrite(|m, cx| ref_to("datetime", "timezone.utc")).example("from old import utc\nf(utc)", "from datetime import timezone\nf(timezone.utc)")"#;
    api.function("ref_to(module, name) -> Code", docs, example, |module: &str, name: &str| {
        Snippet::reference(Reference::new(parted(module, name)))
    });
    let docs = "The same; `alias` is the name that a new import gets, with `through: true` it brings the module, with `through: false` the name, even where the file has the module, and with `orphans: false` imports stay that are left without a use. `prefer` lists paths of the same thing: the first that the file imports more of than the path itself is written.";
    let example = r#".find(symbol("old.utc")).rewrite(|m, cx| ref_to("datetime", "timezone.utc", #{ alias: "dt", through: true })).example("from old import utc\nf(utc)", "import datetime as dt\nf(dt.timezone.utc)")"#;
    api.function(
        "ref_to(module, name, options) -> Code",
        docs,
        example,
        |module: &str, name: &str, options: Map| -> Fallible<Snippet> { with_options(parted(module, name), &options) },
    );
    let docs = "The same, of one text; its options are all but `alias`.";
    let example = r#"rule("example").lang("javascript").find(symbol("fs.F_OK")).rewrite(|m, cx| ref_to("fs.constants.F_OK", #{ prefer: ["fs.promises.constants.F_OK"] })).example("import { F_OK } from 'fs';\nf(F_OK);", "import { constants } from 'fs';\nf(constants.F_OK);").example("import { F_OK, promises } from 'fs';\nf(F_OK);", "import { promises } from 'fs';\nf(promises.constants.F_OK);");"#;
    api.function("ref_to(path, options) -> Code", docs, example, |path: &str, options: Map| -> Fallible<Snippet> {
        with_options(Path::Whole(path.to_owned()), &options)
    });
}

fn edits(api: &mut Api<'_>) {
    let docs = "An import of this path is there afterwards, once.";
    let example = r#".find("f($X)").edit(|m, cx| edits([replace(m.node, code("g($X)", #{ X: m.X })), add_import("m.g")])).example("f(1)", "from m import g\n\ng(1)")"#;
    api.function("add_import(path) -> Edit", docs, example, |path: &str| {
        EditSpec::import(ImportEdit::Add(Path::Whole(path.to_owned())))
    });
    let docs = "The same, of a module and what of it; without a name, of the module.";
    let example = r#".find("f($X)").edit(|m, cx| edits([replace(m.node, code("m.g($X)", #{ X: m.X })), add_import("m", "")])).example("f(1)", "import m\n\nm.g(1)")"#;
    api.function("add_import(module, name) -> Edit", docs, example, |module: &str, name: &str| {
        EditSpec::import(ImportEdit::Add(parted(module, name)))
    });
    let docs = "The import of this path goes, where nothing uses it any more.";
    let example = r#".find("f($X)").edit(|m, cx| edits([replace(m.node, code("$X", #{ X: m.X })), remove_import("m.f")])).example("from m import f, g\nf(1)", "from m import g\n1").example("from m import f\nf(1)\nh(f)", "from m import f\n1\nh(f)")"#;
    api.function("remove_import(path) -> Edit", docs, example, |path: &str| {
        EditSpec::import(ImportEdit::Remove(path.to_owned()))
    });
    let docs = "What brought the old path brings the new one; the file keeps its name for it.";
    let example = r#".find(imported("old.f")).edit(|m, cx| edits([replace_import("old.f", "new.g")])).example("from old import f\nf(1)", "from new import g as f\nf(1)")"#;
    api.function("replace_import(old, new) -> Edit", docs, example, |old: &str, new: &str| {
        EditSpec::import(ImportEdit::Replace(old.to_owned(), Path::Whole(new.to_owned())))
    });
    let docs = "The same, and an import without an alias takes the new name: its uses are the rule's to rename.";
    let example = r#".find(imported("old.f")).edit(|m, cx| edits([rename_import("old.f", "new.g")])).example("from old import f", "from new import g")"#;
    api.function("rename_import(old, new) -> Edit", docs, example, |old: &str, new: &str| {
        EditSpec::import(ImportEdit::Rename(old.to_owned(), Path::Whole(new.to_owned())))
    });
    let docs = "Imports whose last use the edits took go.";
    let example = r#".find(symbol("m.f")).edit(|m, cx| edits([replace(m.node, code("g")), drop_orphans()])).example("from m import f\nf(1)", "g(1)")"#;
    api.function("drop_orphans() -> Edit", docs, example, || EditSpec::import(ImportEdit::DropOrphans));
}

fn methods(api: &mut Api<'_>) {
    let docs = "An import of this path is there after every edit of the rule, once.";
    let example = r#".find("f($X)").add_import("m.g").replace("g($X)").example("f(1)", "from m import g\n\ng(1)")"#;
    api.function("Rule.add_import(path) -> Rule", docs, example, |h: &mut Handle, path: &str| {
        h.change(|d| d.imports.push(ImportEdit::Add(Path::Whole(path.to_owned()))))
    });
    let docs = "Imports whose last use the edits of the rule took go.";
    let example = r#".find(symbol("m.f")).drop_orphans().replace("g").example("from m import f\nf(1)", "g(1)")"#;
    api.function("Rule.drop_orphans() -> Rule", docs, example, |h: &mut Handle| {
        h.change(|d| d.imports.push(ImportEdit::DropOrphans))
    });
}

pub(super) fn parted(module: &str, name: &str) -> Path {
    let name = (!name.is_empty()).then(|| name.to_owned());
    Path::Parted(Wanted { module: module.to_owned(), name, alias: None })
}

/// A reference as options say: the name that an import would get, whether it would bring the
/// module, whether imports go that are left without a use, and paths of the same thing.
fn with_options(path: Path, options: &Map) -> Fallible<Snippet> {
    let mut reference = Reference::new(path);
    let flag = |key: &str, value: &Dynamic| {
        value.as_bool().map_err(|kind| fail(format!("{key} is true or false, not {}", plain(kind))))
    };
    for (key, value) in options {
        match key.as_str() {
            "alias" => match &mut reference.path {
                Path::Parted(wanted) => wanted.alias = Some(text(value)?),
                Path::Whole(_) => {
                    return Err(fail("an alias is for a module and a name: ref_to(module, name, #{ … })"));
                }
            },
            "through" if flag("through", value)? => reference.through = Through::Module,
            "through" => reference.through = Through::Name,
            "orphans" => reference.orphans = flag("orphans", value)?,
            "prefer" => reference.others = texts(value, "prefer")?.into_iter().map(Path::Whole).collect(),
            other => {
                return Err(fail(format!("ref_to has no option `{other}`; it has: alias, orphans, prefer, through")));
            }
        }
    }
    Ok(Snippet::reference(reference))
}

fn text(value: &Dynamic) -> Fallible<String> {
    value
        .clone()
        .into_immutable_string()
        .map(|t| t.to_string())
        .map_err(|kind| fail(format!("expected text, not {}", plain(kind))))
}
