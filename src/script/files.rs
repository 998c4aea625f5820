//! `create_file`, `rename_file`, `delete_file`: what closures say of whole files.

use rhai::EvalAltResult;

use super::code::{EditSpec, FileAsk, Snippet};
use super::error::fail;
use super::reference::Api;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(api: &mut Api<'_>) {
    let docs = "There is a file at this path, relative to the consumer's folder, and this code is all it holds. Where it is there already and holds the same, nothing is done; where it holds something else, or another match wants it otherwise, nobody is changed and the ledger names both rules. Code of a language that gander knows must parse.";
    let example = r##".find("SETTINGS = $S")
    .edit(|m, cx| edits([
        create_file("settings.py", code("# One place.\nVALUES = $S", #{ S: m.S })),
        replace(m.node, code("from settings import VALUES")),
    ]))
    .example("SETTINGS = { 'a': 1 }\n", #{
        "example.py": "from settings import VALUES\n",
        "settings.py": "# One place.\nVALUES = { 'a': 1 }\n",
    })"##;
    api.function("create_file(path, code) -> Edit", docs, example, |path: &str, code: Snippet| -> Fallible<EditSpec> {
        if code.refers() {
            return Err(fail("ref_to(…) speaks of imports, and a new file has none: write the import and the name"));
        }
        Ok(EditSpec::file(FileAsk::Create(path.to_owned(), code)))
    });
    let docs = "The same, of plain text: what it holds need not be code. Its line breaks are those of the file that holds the match, and it ends with one.";
    let example = r##".find("entry($NAME)")
    .edit(|m, cx| edits([create_file("docs/" + m.NAME.value + ".md", `# ${m.NAME.value}`)]))
    .example("entry('ads')\n", #{
        "example.py": "entry('ads')\n",
        "docs/ads.md": "# ads\n",
    })"##;
    api.function("create_file(path, text) -> Edit", docs, example, |path: &str, text: &str| {
        EditSpec::file(FileAsk::Create(path.to_owned(), Snippet::text(text)))
    });
    let docs = "The file that holds the match gets this path, relative to the consumer's folder; other edits of it go along. `cx.path` is the path that it has. A path that is taken is a conflict.";
    let example = r#".find("import old_api")
    .when(|m, cx| cx.path.ends_with(".py") && !cx.path.ends_with("_v2.py"))
    .edit(|m, cx| edits([
        replace(m.node, code("import new_api")),
        rename_file(cx.path.sub_string(0, cx.path.len - 3) + "_v2.py"),
    ]))
    .example("import old_api\n", #{ "example_v2.py": "import new_api\n" })"#;
    api.function("rename_file(path) -> Edit", docs, example, |path: &str| {
        EditSpec::file(FileAsk::Rename(path.to_owned()))
    });
    let docs = "The file that holds the match goes. What another rule wants to change in it is a conflict.";
    let example = r#".find("DELETE_ME = True").edit(|m, cx| edits([delete_file()])).example("DELETE_ME = True\n", #{}).unchanged("DELETE_ME = False\n")"#;
    api.function("delete_file() -> Edit", docs, example, || EditSpec::file(FileAsk::Delete));
}
