//! The Rhai engine: what scripts may use, and how much of it.

use std::sync::{Arc, Mutex};

use rhai::packages::{BasicArrayPackage, BasicMapPackage, CorePackage, LogicPackage, MoreStringPackage, Package};
use rhai::{Dynamic, Engine, ImmutableString, Map};

use super::code::Snippet;
use super::draft::Draft;
use super::error::fail;
use super::facts::Collected;
use super::library::Libraries;
use super::nodes::{RhaiList, RhaiNode};
use super::reference::{Api, Constant};
use super::table::{self, Table};
use super::{
    Inputs, bind, builder, code, datasets, dependencies, edits, files, finder, follow, group, imports, library, nodes,
    symbols, types,
};

/// Operations of one closure call, or of loading one file: beyond that it is a loop.
pub(super) const OPERATIONS: u64 = 1_000_000;

pub(super) fn new(
    inputs: &Inputs,
    (drafts, libraries, collected): (&Arc<Mutex<Vec<Draft>>>, &Libraries, &Collected),
    operations: u64,
) -> Engine {
    let mut engine = Engine::new_raw();
    // Not among them: time, files, and whatever else is not a function of the code.
    CorePackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    // The optimizer folds a missing property of a literal map into nothing, unseen.
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    // Rhai's own `"x" + ()` would come before ours, which fails.
    engine.set_fast_operators(false);
    engine.disable_symbol("eval");
    engine.on_print(|_| {});
    engine.on_debug(|_, _, _| {});
    // Limits differ between debug and release builds unless all are set.
    engine
        .set_max_operations(operations)
        .set_max_call_levels(32)
        .set_max_expr_depths(64, 64)
        .set_max_string_size(1 << 20)
        .set_max_array_size(100_000)
        .set_max_map_size(100_000)
        .set_max_variables(10_000)
        .set_max_functions(10_000)
        .set_max_modules(0)
        .set_fail_on_invalid_map_property(true);
    let mut api = Api::new(&mut engine);
    nothing(&mut api);
    time(&mut api);
    finder::register(&mut api);
    nodes::register(&mut api, collected);
    bind::register(&mut api);
    code::register(&mut api);
    edits::register(&mut api);
    files::register(&mut api);
    builder::register(&mut api, drafts);
    follow::register(&mut api);
    group::register(&mut api);
    symbols::register(&mut api);
    types::register(&mut api);
    library::register(&mut api, libraries);
    imports::register(&mut api);
    dependencies::register(&mut api);
    tables(&mut api, inputs);
    datasets::register(&mut api, inputs.datasets.as_ref());
    api.finish();
    engine
}

/// Rhai's core can sleep, which no budget counts: ours come first.
fn time(api: &mut Api<'_>) {
    let docs = "An error: rules know no time.";
    let example = r#".find("f($X)").when(|m| { let failed = false; try { sleep(9); } catch { failed = true; } failed }).replace("g($X)").example("f(1)", "g(1)")"#;
    let error = || fail("rules know no time, and can't sleep");
    api.function("sleep(seconds) -> error", docs, example, move |_: i64| -> Result<(), _> { Err(error()) });
    api.function("sleep(seconds) -> error", docs, example, move |_: f64| -> Result<(), _> { Err(error()) });
}

/// What every script finds besides functions.
pub(super) const CONSTANTS: &[Constant] = &[(
    "params",
    "The migration's `[parameters]`, as a map of constants.",
    r#".find("f($X)").where(#{ X: params.flag }).replace("g($X)").example("f(NEW_UI)", "g(NEW_UI)").unchanged("f(OLD_UI)")"#,
)];

/// In plain Rhai `"x" + ()` is `"x"`: a missing value would vanish.
fn nothing(api: &mut Api<'_>) {
    let nothing = || fail("nothing can't be added to text: is a value missing?");
    let docs = "An error: a value that is missing must not vanish in a text.";
    let example = r#".find("f($X)").when(|m| { let failed = false; try { "a" + (); } catch { failed = true; } failed }).replace("g($X)").example("f(1)", "g(1)")"#;
    api.function("text + () -> error", docs, example, move |_: &str, _: ()| -> Result<String, _> { Err(nothing()) });
    let example = r#".find("f($X)").when(|m| { let failed = false; try { () + "a"; } catch { failed = true; } failed }).replace("g($X)").example("f(1)", "g(1)")"#;
    api.function("() + text -> error", docs, example, move |_: (), _: &str| -> Result<String, _> { Err(nothing()) });
    let docs = "An error, as in `` `a${()}` ``: a value that is missing must not vanish in a text.";
    let example = failing("$X", "t += ()");
    api.function("text += () -> error", docs, &example, move |_: &mut ImmutableString, (): ()| -> Result<(), _> {
        Err(nothing())
    });
    no_text::<RhaiNode>(api, "Node", ("$X", "m.X"), ("a node", "`.text`"));
    no_text::<RhaiList>(api, "NodeList", ("$$$X", "m.X"), ("a list", "`.text` of its nodes"));
    no_text::<Snippet>(api, "Code", ("$X", "code(\"a\")"), ("code", "a text"));
}

/// A rule in which something that is done with a text is an error.
fn failing(hole: &str, what: &str) -> String {
    format!(
        r#".find("f({hole})").when(|m| {{ let failed = false; let t = "a"; try {{ {what}; }} catch {{ failed = true; }} failed }}).replace("g({hole})").example("f(1)", "g(1)")"#
    )
}

/// What has a text, and is none.
fn no_text<T: Clone + Send + Sync + 'static>(
    api: &mut Api<'_>,
    name: &str,
    (hole, value): (&str, &str),
    (what, instead): (&'static str, &'static str),
) {
    let error = move || fail(format!("{what} is no text, and would not say here what it holds: take {instead}"));
    let docs = format!("An error, as in `` `a${{x}}` ``: {what} is no text; take {instead}.");
    let example = failing(hole, &format!("t + {value}"));
    let plus = format!("text + {name} -> error");
    api.function(&plus, &docs, &example, move |_: &str, _: T| -> Result<String, _> { Err(error()) });
    let example = failing(hole, &format!("t += {value}"));
    let more = format!("text += {name} -> error");
    api.function(&more, &docs, &example, move |_: &mut ImmutableString, _: T| -> Result<(), _> { Err(error()) });
}

/// Where parameters and tables are named, for people.
fn where_given(section: &str, option: &str, name: &str, what: &str) -> String {
    format!(
        "name it in the migration's [{section}]; for `gander apply` with --{option} {name}={what}; for `gander test` \
         in a file beside the cases (docs/testing.md)"
    )
}

pub(super) fn params(inputs: &Inputs) -> Dynamic {
    map(&inputs.parameters)
}

/// Parameters are few: each closure has its own, which it can take apart as any map.
fn map(parameters: &toml::Table) -> Dynamic {
    let values = parameters.iter().map(|(key, value)| (key.as_str().into(), table::dynamic(value, &map)));
    values.collect::<Map>().into()
}

fn tables(api: &mut Api<'_>, inputs: &Inputs) {
    table::register(api);
    let mappings: std::collections::BTreeMap<String, Table> =
        inputs.mappings.iter().map(|(name, table)| (name.clone(), Table::new(table))).collect();
    let docs = "The mapping table that the migration's `[mappings]` calls so.";
    let example = r#".find("f($X)").where(#{ X: key_of(mapping("users").tables) }).rewrite(|m, cx| code("f($N)", #{ N: lit(mapping("users").tables[m.X.value]) })).example("f('users_v1')", "f(\"users_v2\")").unchanged("f('other')")"#;
    api.function("mapping(name) -> Table", docs, example, move |name: &str| {
        mappings.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = mappings.keys().map(String::as_str).collect();
            let known =
                if known.is_empty() { "none is given".to_owned() } else { format!("there are: {}", known.join(", ")) };
            fail(format!(
                "no mapping table is named `{name}`; {known}\n{}",
                where_given("mappings", "mapping", name, "FILE")
            ))
        })
    });
    let params = params(inputs).try_cast::<Map>().unwrap_or_default();
    let docs = "The migration's parameter of this name; an error where it has none.";
    let example = r#".find("f($X)").where(#{ X: param("flag") }).replace("g($X)").example("f(NEW_UI)", "g(NEW_UI)").unchanged("f(OLD_UI)")"#;
    api.function("param(name) -> value", docs, example, move |name: &str| {
        params.get(name).cloned().ok_or_else(|| {
            fail(format!("no parameter is named `{name}`\n{}", where_given("parameters", "param", name, "VALUE")))
        })
    });
}
