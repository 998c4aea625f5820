//! The Rhai engine: what scripts may use, and how much of it.

use std::sync::{Arc, Mutex};

use rhai::packages::{BasicArrayPackage, BasicMapPackage, CorePackage, LogicPackage, MoreStringPackage, Package};
use rhai::{Dynamic, Engine, Map};

use super::builder::Draft;
use super::error::fail;
use super::{Inputs, builder, code, finder, nodes};

/// Operations of one closure call, or of loading one file: beyond that it is a loop.
pub(super) const OPERATIONS: u64 = 1_000_000;

pub(super) fn new(inputs: &Inputs, drafts: &Arc<Mutex<Vec<Draft>>>, operations: u64) -> Engine {
    let mut engine = Engine::new_raw();
    // Not among them: time, files, and whatever else is not a function of the code.
    CorePackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    // The optimizer folds a missing property of a literal map into nothing, unseen.
    engine.set_optimization_level(rhai::OptimizationLevel::None);
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
    // In plain Rhai `"x" + ()` is `"x"`: a missing value would vanish.
    let nothing = || fail("nothing can't be added to text: is a value missing?");
    engine.register_fn("+", move |_: &str, _: ()| -> Result<String, _> { Err(nothing()) });
    engine.register_fn("+", move |_: (), _: &str| -> Result<String, _> { Err(nothing()) });
    finder::register(&mut engine);
    nodes::register(&mut engine);
    code::register(&mut engine);
    builder::register(&mut engine, drafts);
    tables(&mut engine, inputs);
    engine
}

pub(super) fn params(inputs: &Inputs) -> Dynamic {
    dynamic(&toml::Value::Table(inputs.parameters.clone()))
}

fn tables(engine: &mut Engine, inputs: &Inputs) {
    let mappings: std::collections::BTreeMap<String, Dynamic> = inputs
        .mappings
        .iter()
        .map(|(name, table)| (name.clone(), dynamic(&toml::Value::Table(table.clone()))))
        .collect();
    engine.register_fn("mapping", move |name: &str| {
        mappings.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = mappings.keys().map(String::as_str).collect();
            fail(format!("no mapping is named `{name}`; the migration's [mappings] has: {}", known.join(", ")))
        })
    });
    let params = params(inputs).try_cast::<Map>().unwrap_or_default();
    engine.register_fn("param", move |name: &str| {
        params
            .get(name)
            .cloned()
            .ok_or_else(|| fail(format!("no parameter is named `{name}`; add it to the migration's [parameters]")))
    });
}

fn dynamic(value: &toml::Value) -> Dynamic {
    match value {
        toml::Value::String(text) => text.clone().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.iter().map(dynamic).collect::<rhai::Array>().into(),
        toml::Value::Table(table) => {
            let map: Map = table.iter().map(|(key, value)| (key.as_str().into(), dynamic(value))).collect();
            map.into()
        }
    }
}
