//! Which argument of a call is which parameter, as a signature names them: by position, by
//! name, or by default.
//!
//! Must not: guess. What spreads a list over parameters can't be bound.

use std::collections::BTreeMap;

use crate::tree::{Node, NodeId};

/// A parameter of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is where no argument is given, as code.
    pub default: Option<String>,
    /// Whether it takes all arguments that are left.
    pub rest: bool,
}

/// `rhs, threshold: Int = 9000, hosts*` → its parameters.
///
/// # Errors
/// What is wrong with it.
pub fn signature(text: &str) -> Result<Vec<Parameter>, String> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for part in parted(text) {
        let (declared, default) = match part.split_once('=') {
            Some((declared, default)) => (declared, Some(default.trim().to_owned())),
            None => (part.as_str(), None),
        };
        let rest = declared.trim_end().ends_with('*');
        let name = declared.split(':').next().unwrap_or_default().trim().trim_end_matches('*').trim().to_owned();
        let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        if name.is_empty() || !name.chars().all(fits) {
            return Err(format!(
                "`{}` is no parameter: a signature is names, such as \"path, shards = 0\"",
                part.trim()
            ));
        }
        if parameters.iter().any(|p| p.name == name) {
            return Err(format!("the signature names `{name}` twice"));
        }
        if parameters.last().is_some_and(|p| p.rest) {
            return Err("what takes all arguments that are left must be the last parameter".to_owned());
        }
        parameters.push(Parameter { name, default, rest });
    }
    Ok(parameters)
}

/// Parts at commas that stand in no bracket and no text.
fn parted(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quote) = (vec![String::new()], 0_i32, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// One argument of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// All of it: `eps = 1`.
    pub whole: NodeId,
    /// `1`.
    pub value: NodeId,
    /// `eps`, where it is given by name.
    pub name: Option<NodeId>,
}

/// The arguments of each parameter that has one; of the last, which may take the rest, all.
pub type Bound = BTreeMap<String, Vec<Argument>>;

/// Tells the arguments of a call apart.
///
/// # Errors
/// Why they are not those of such a signature, or can't be told.
pub fn bind(arguments: &[Node<'_>], parameters: &[Parameter]) -> Result<Bound, String> {
    let mut bound = Bound::new();
    // Whether each argument so far stands where its parameter does.
    let mut in_place = true;
    let named: Vec<&Node<'_>> = arguments.iter().filter(|n| n.is_named() && !n.is_extra()).collect();
    for (at, node) in named.iter().enumerate() {
        let facts = &node.tree().language.facts.arguments;
        let argument = parts(**node);
        let value = node.tree().node(argument.value);
        let spreads = |n: Node<'_>| facts.splats.iter().any(|kind| kind == n.kind());
        if spreads(**node) || spreads(value) {
            return Err(format!("`{}` spreads a list over parameters", node.short()));
        }
        let trailing = facts.trailing.iter().any(|kind| kind == node.kind());
        let parameter = match argument.name.map(|id| node.tree().node(id)) {
            Some(name) => {
                let found = parameters.iter().position(|p| p.name == name.text());
                let Some(found) = found else { return Err(format!("the signature has no `{}`", name.short())) };
                in_place &= found == at;
                found
            }
            None if trailing && parameters.last().is_some_and(|p| !p.rest) => parameters.len() - 1,
            None if !in_place => return Err("an argument by position stands behind arguments by name".to_owned()),
            None => match parameters.get(at).map_or_else(|| parameters.last().filter(|p| p.rest), Some) {
                Some(_) => at.min(parameters.len() - 1),
                None => return Err(format!("the call has more than {} arguments", parameters.len())),
            },
        };
        let parameter = &parameters[parameter];
        let given = bound.entry(parameter.name.clone()).or_default();
        if !given.is_empty() && !parameter.rest {
            return Err(format!("`{}` is given twice", parameter.name));
        }
        given.push(argument);
    }
    let left = |p: &&Parameter| p.default.is_none() && !p.rest && !bound.contains_key(&p.name);
    match parameters.iter().find(left) {
        Some(missing) => Err(format!("the call gives no `{}`, which has no default", missing.name)),
        None => Ok(bound),
    }
}

/// The name and the value of an argument: around the token that parts them.
pub fn parts(node: Node<'_>) -> Argument {
    let itself = Argument { whole: node.id, value: node.id, name: None };
    let facts = &node.tree().language.facts.arguments;
    if !facts.named.iter().any(|kind| kind == node.kind()) {
        return itself;
    }
    let children: Vec<Node<'_>> = node.children().filter(|c| !c.is_extra()).collect();
    let token = children.iter().position(|c| !c.is_named() && matches!(c.text(), "=" | ":"));
    match (token, children.as_slice()) {
        (Some(at), all) if at > 0 && at + 1 < all.len() => {
            Argument { whole: node.id, value: all[at + 1].id, name: Some(all[at - 1].id) }
        }
        (None, [only]) => Argument { value: only.id, ..itself },
        _ => itself,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;
    use crate::pattern::compile_invocation;
    use crate::tree::parse;

    /// What a call gives each parameter, or why that can't be told.
    fn bound(language: &str, code: &str, pattern: &str, parameters: &str) -> String {
        let language = by_name(language).unwrap();
        let tree = parse(language, code).unwrap();
        assert!(tree.errors().next().is_none(), "{code}");
        let sought = compile_invocation(language, pattern).unwrap();
        let found = tree.iter().find_map(|n| sought.matches(n)).unwrap_or_else(|| panic!("no call in {code}"));
        let Some(crate::pattern::Binding::Many(nodes)) = found.get("A") else { panic!("{code}") };
        match bind(nodes, &signature(parameters).unwrap()) {
            Err(why) => why,
            Ok(bound) => {
                let text = |a: &Argument| tree.node(a.value).text().to_owned();
                let each = bound
                    .iter()
                    .map(|(name, all)| format!("{name}={}", all.iter().map(text).collect::<Vec<_>>().join("+")));
                each.collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn signatures_are_names_defaults_and_a_rest() {
        let shown = |text: &str| {
            signature(text).map(|all| {
                format!("{:?}", all.iter().map(|p| (&*p.name, p.default.as_deref(), p.rest)).collect::<Vec<_>>())
            })
        };
        assert_eq!(
            shown("rhs, eps: Double = f(1, \"a,b\"), more*").unwrap(),
            r#"[("rhs", None, false), ("eps", Some("f(1, \"a,b\")"), false), ("more", None, true)]"#
        );
        assert_eq!(shown("").unwrap(), "[]");
        assert!(shown("a, a").unwrap_err().contains("twice"));
        assert!(shown("a*, b").unwrap_err().contains("must be the last"));
        assert!(shown("a b").unwrap_err().contains("no parameter"));
    }

    #[test]
    fn arguments_are_bound_by_position_name_and_default() {
        let three = "a, b = 1, c = 2";
        for (language, code, pattern, wanted) in [
            ("scala", "object O { x.f(1, c = 3) }", "$R.f($$$A)", "a=1 c=3"),
            ("scala", "object O { x.f(a = 1, 2) }", "$R.f($$$A)", "a=1 b=2"),
            ("scala", "object O { x f 1 }", "$R.f($$$A)", "a=1"),
            ("scala", "object O { x.f { y } }", "$R.f($$$A)", "a={ y }"),
            (
                "scala",
                "object O { x.f(c = 1, 2) }",
                "$R.f($$$A)",
                "an argument by position stands behind arguments by name",
            ),
            ("scala", "object O { x.f(xs: _*) }", "$R.f($$$A)", "`xs: _*` spreads a list over parameters"),
            ("scala", "object O { x.f(b = 1) }", "$R.f($$$A)", "the call gives no `a`, which has no default"),
            ("python", "f(1, c=3)", "f($$$A)", "a=1 c=3"),
            ("python", "f(1, d=3)", "f($$$A)", "the signature has no `d`"),
            ("python", "f(1, *b)", "f($$$A)", "`*b` spreads a list over parameters"),
            ("python", "f(1, **b)", "f($$$A)", "`**b` spreads a list over parameters"),
            ("python", "f(1, a=2)", "f($$$A)", "`a` is given twice"),
            ("python", "f(1, 2, 3, 4)", "f($$$A)", "the call has more than 3 arguments"),
            ("kotlin", "fun g() { f(1, c = 3) }", "f($$$A)", "a=1 c=3"),
            ("kotlin", "fun g() { f(1) { it } }", "f($$$A)", "a=1 c={ it }"),
            ("kotlin", "fun g() { f(*xs) }", "f($$$A)", "`*xs` spreads a list over parameters"),
            ("java", "class C { void g() { x.f(1, 2); } }", "$R.f($$$A)", "a=1 b=2"),
            ("javascript", "f(1, 2)", "f($$$A)", "a=1 b=2"),
            ("javascript", "f(...xs)", "f($$$A)", "`...xs` spreads a list over parameters"),
            ("typescript", "f(1, ...xs)", "f($$$A)", "`...xs` spreads a list over parameters"),
            ("go", "package p\nfunc g() { f(1, 2) }", "f($$$A)", "a=1 b=2"),
            ("go", "package p\nfunc g() { f(xs...) }", "f($$$A)", "`xs...` spreads a list over parameters"),
            ("rust", "fn g() { f(1, 2); }", "f($$$A)", "a=1 b=2"),
        ] {
            assert_eq!(bound(language, code, pattern, three), wanted, "{language}: {code}");
        }
        assert_eq!(bound("python", "f(1, 2, 3)", "f($$$A)", "a, more*"), "a=1 more=2+3");
        assert_eq!(bound("python", "f(1)", "f($$$A)", "a, more*"), "a=1");
    }
}
