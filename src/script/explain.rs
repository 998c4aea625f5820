//! What Rhai says of a mistake, in gander's words: with the names of the reference, and
//! with what was probably meant.

use std::collections::BTreeSet;

use rhai::{EvalAltResult, Position};

use super::reference::{Entry, builtins, entries};

/// The innermost place and cause of a run-time error.
pub(super) fn explain(error: &EvalAltResult) -> (Position, String) {
    let inner = error.unwrap_inner();
    let position = if inner.position().is_none() { error.position() } else { inner.position() };
    let message = match inner {
        EvalAltResult::ErrorRuntime(value, _) => value.to_string(),
        EvalAltResult::ErrorTooManyOperations(_) => "the rule did not end within its budget of operations".to_owned(),
        EvalAltResult::ErrorStackOverflow(_) => "the rule calls itself too deeply".to_owned(),
        EvalAltResult::ErrorTooManyModules(_) => {
            "an import stands at the top of a rule file, before all else: `import \"names\" as names;`".to_owned()
        }
        EvalAltResult::ErrorTerminated(value, _) => value.to_string(),
        EvalAltResult::ErrorFunctionNotFound(call, _) => no_function(call),
        EvalAltResult::ErrorVariableNotFound(name, _) => no_variable(name),
        EvalAltResult::ErrorPropertyNotFound(name, _) => {
            format!("the map has no key `{name}`: ask for it first, with `\"{name}\" in …`")
        }
        EvalAltResult::ErrorDataRace(..) => {
            "a closure uses what the method that it is given to is called on: take out first what it needs of it, as \
             in `let name = x.text; x.uses().filter(|u| u.text == name)`"
                .to_owned()
        }
        EvalAltResult::ErrorMismatchDataType(wanted, got, _) if !wanted.is_empty() => {
            format!("this must be {}, and is {}", plain(wanted), plain(got))
        }
        EvalAltResult::ErrorMismatchOutputType(wanted, got, _) => {
            format!("this must give {}, and gives {}", plain(wanted), plain(got))
        }
        other => {
            let text = other.to_string();
            let head = text.rsplit_once(" (line ").map_or(text.as_str(), |(head, _)| head);
            no_property(head).unwrap_or_else(|| head.to_owned())
        }
    };
    (position, message)
}

/// The file in which an error came about, where that is not the one that was called.
pub(super) fn file_of(error: &EvalAltResult) -> Option<&str> {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, file, inner, _) => {
            file_of(inner).or_else(|| Some(file.as_str()).filter(|file| !file.is_empty()))
        }
        EvalAltResult::ErrorInModule(_, inner, _) => file_of(inner),
        _ => None,
    }
}

/// What went wrong, with its place: in the module that it came about in, else in `file`, at `at` where
/// the error knows none.
pub(super) fn placed(error: &EvalAltResult, file: &str, at: Position) -> String {
    let (position, message) = explain(error);
    let (file, position) = match file_of(error).filter(|other| *other != file) {
        _ if position.is_none() => (file, at),
        Some(module) => (module, position),
        None => (file, position),
    };
    format!("{}: {message}", place_in(file, position))
}

/// `file:line:column`.
pub(super) fn place_in(file: &str, at: Position) -> String {
    format!("{file}:{}:{}", at.line().unwrap_or(1), at.position().unwrap_or(1))
}

/// `name (Type, Type)`, as Rhai names a call that it has no function for.
fn no_function(call: &str) -> String {
    let (name, types) = call.split_once(" (").unwrap_or((call, ""));
    let types: Vec<&str> = types.strip_suffix(')').unwrap_or(types).split(", ").filter(|t| !t.is_empty()).collect();
    let given: Vec<String> = types.iter().map(|t| plain(t)).collect();
    if let Some((left, right)) = given.first().zip(given.get(1))
        && !name.chars().any(char::is_alphanumeric)
    {
        return format!("`{name}` does not take {left} and {right}");
    }
    let first = types.first().map(|t| t.trim_start_matches("&mut "));
    let functions: Vec<&Entry> = entries().iter().filter(|e| e.name == name && !e.is_type && !e.property).collect();
    let own = functions.iter().filter(|e| e.of.is_some() && e.of.as_deref() == first);
    let free = functions.iter().filter(|e| e.of.is_none());
    let shown = |e: &&Entry| format!("`{}`", e.signature);
    let mut known: Vec<String> = own.map(shown).collect();
    if known.is_empty() {
        known = free.map(shown).collect();
    }
    if !known.is_empty() {
        let got = if given.is_empty() { "nothing".to_owned() } else { given.join(", ") };
        return format!("`{name}` does not take {got}; there is {}", known.join(" and "));
    }
    let of = first.filter(|t| entries().iter().any(|e| e.is_type && e.name == *t));
    let Some(of) = of else {
        let builtin: Vec<String> = builtins().into_values().flatten().collect();
        let free = entries().iter().filter(|e| e.of.is_none() && !e.property).map(|e| e.name.clone());
        let methods = entries().iter().filter(|e| e.of.is_some() && !e.is_type).map(|e| e.name.clone());
        if builtin.iter().any(|known| known == name) {
            return format!("`{name}` does not take {}", given.join(", "));
        }
        let near = nearest(name, free.chain(methods).chain(builtin));
        return format!("there is no function `{name}`{near}");
    };
    let methods: BTreeSet<String> = entries()
        .iter()
        .filter(|e| e.of.as_deref() == Some(of) && !e.is_type && e.name != "[]")
        .map(|e| e.name.clone())
        .collect();
    if methods.contains(name) {
        return format!("`{of}.{name}` is a property: write it without parentheses");
    }
    let near = nearest(name, methods.iter().cloned());
    let has: Vec<&str> = methods.iter().map(String::as_str).collect();
    let all = if near.is_empty() { format!("; it has {}", has.join(", ")) } else { near };
    format!("`{of}` has no method `{name}`{all}")
}

/// `Unknown property 'x' - a getter is not registered for type 'T'`.
fn no_property(text: &str) -> Option<String> {
    let rest = text.split_once("Unknown property '")?.1;
    let (name, rest) = rest.split_once('\'')?;
    let of = rest.split_once("type '")?.1.trim_end_matches(['\'', ')']);
    let own: Vec<&Entry> =
        entries().iter().filter(|e| e.of.as_deref() == Some(of) && !e.is_type && e.name != "[]").collect();
    if own.iter().any(|e| e.name == name && !e.property) {
        return Some(format!("`{of}.{name}` is a method: call it, `{name}(…)`"));
    }
    let near = nearest(name, own.iter().map(|e| e.name.clone()));
    let has: BTreeSet<&str> = own.iter().filter(|e| e.property).map(|e| e.name.as_str()).collect();
    let has: Vec<&str> = has.into_iter().collect();
    let all = match (near.is_empty(), has.is_empty()) {
        (false, _) => near,
        (true, false) => format!("; it has {}", has.join(", ")),
        (true, true) => String::new(),
    };
    Some(format!("{} has no property `{name}`{all}", plain(of)))
}

fn no_variable(name: &str) -> String {
    match name {
        "m" => return "`m` is the first argument of a closure: `|m, cx| …`".to_owned(),
        "cx" => return "`cx` is the second argument of a closure: `|m, cx| …`".to_owned(),
        _ => {}
    }
    if name.contains("::") && !name.starts_with("global::") {
        return format!("there is no constant `{name}`: a module shows what it says `export const NAME = …` of");
    }
    let name = name.trim_start_matches("global::");
    let free: Vec<&Entry> = entries().iter().filter(|e| e.of.is_none()).collect();
    if free.iter().any(|e| e.name == name) {
        return format!("`{name}` is a function: call it, `{name}(…)`");
    }
    let near = nearest(name, free.iter().map(|e| e.name.clone()));
    format!(
        "there is no variable `{name}`{near}; text stands in quotes, and `const NAME = …` makes a constant, \
             which a `fn` is to be given as an argument"
    )
}

/// `; did you mean …?`, or nothing.
pub(super) fn nearest(name: &str, known: impl Iterator<Item = String>) -> String {
    let scored = known.map(|known| (strsim::jaro_winkler(name, &known), known)).filter(|(score, _)| *score > 0.82);
    match scored.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1))) {
        Some((_, near)) => format!("; did you mean `{near}`?"),
        None => String::new(),
    }
}

/// A type as the reference names it.
pub(super) fn plain(name: &str) -> String {
    let name = name.trim_start_matches("&mut ").trim_start_matches('&');
    match name {
        "str | ImmutableString | String" | "str" | "String" | "ImmutableString" | "string" => "text".to_owned(),
        "i64" | "f64" | "int" | "float" | "INT" | "FLOAT" => "a number".to_owned(),
        "bool" => "true or false".to_owned(),
        "()" => "nothing".to_owned(),
        "array" | "Array" => "an array".to_owned(),
        "map" | "Map" => "a map".to_owned(),
        "Fn" | "FnPtr" => "a closure".to_owned(),
        "char" => "a character".to_owned(),
        other if entries().iter().any(|e| e.is_type && e.name == other) => format!("a {other}"),
        other => other.rsplit("::").next().unwrap_or(other).trim_end_matches('>').to_owned(),
    }
}
