//! From where in a consumer a name of a file can be spoken of, told from where it is
//! declared.
//!
//! Must not: look into another file.

use super::elsewhere::Seen;
use crate::tree::Node;

/// Nodes that are functions: what is declared in one is its own.
const FUNCTIONS: [&str; 17] = [
    "function_definition",
    "lambda",
    "lambda_expression",
    "method_declaration",
    "constructor_declaration",
    "function_declaration",
    "generator_function_declaration",
    "arrow_function",
    "function_expression",
    "method_definition",
    "function_item",
    "func_literal",
    "lambda_literal",
    "anonymous_function",
    "closure_expression",
    "secondary_constructor",
    "class_static_block",
];

/// Nodes that are classes, and objects of Scala and Kotlin.
const CLASSES: [&str; 12] = [
    "class_definition",
    "class_declaration",
    "class",
    "object_definition",
    "trait_definition",
    "interface_declaration",
    "record_declaration",
    "enum_declaration",
    "object_declaration",
    "companion_object",
    "abstract_class_declaration",
    "package_object",
];

/// Nodes that give a name to a value.
const ASSIGNMENTS: [&str; 14] = [
    "assignment",
    "augmented_assignment",
    "named_expression",
    "variable_declarator",
    "assignment_expression",
    "augmented_assignment_expression",
    "val_definition",
    "var_definition",
    "property_declaration",
    "const_spec",
    "var_spec",
    "const_item",
    "static_item",
    "public_field_definition",
];

/// Whether a node is a function.
pub(super) fn is_function(node: Node<'_>) -> bool {
    // Python's word for a class is Scala's, and Scala's for a function is Python's. The grammar of Kotlin
    // takes the body of `object A { … }` for a lambda.
    let object = |node: Node<'_>| node.kind() == "infix_expression" && node.text().starts_with("object ");
    FUNCTIONS.contains(&node.kind()) && !(node.kind() == "lambda_literal" && node.parent().is_some_and(object))
}

/// The names of the classes and objects of a file.
pub(super) fn classes(tree: &crate::tree::Tree) -> std::collections::HashSet<&str> {
    let named = tree.iter().filter(|node| CLASSES.contains(&node.kind()));
    named.filter_map(|node| node.field("name")).map(Node::text).collect()
}

/// Whether a text is a statement of its own: documentation, which nothing runs.
pub(super) fn is_said(node: Node<'_>) -> bool {
    let statement = node.parent().filter(|parent| parent.kind() == "expression_statement");
    family(node) == Family::Python
        && matches!(node.kind(), "string" | "concatenated_string")
        && statement.is_some_and(|statement| statement.named_children().count() == 1)
}

/// From where a declaration can be spoken of by its name.
pub(super) fn seen(declaration: Node<'_>, name: &str) -> Seen {
    let family = family(declaration);
    if is_private(declaration) {
        return Seen::Nowhere;
    }
    let mut class = None;
    for up in declaration.ancestors() {
        if is_function(up) {
            return Seen::Nowhere;
        }
        if class.is_none() && CLASSES.contains(&up.kind()) {
            class = Some(up);
        }
        if up.kind() == "decorated_definition" {
            // A decorator may keep it where any file finds it.
            return Seen::Anywhere;
        }
    }
    match (family, class) {
        (Family::Script, None) if is_exported_otherwise(declaration, name) => Seen::ImportedAs,
        (Family::Python | Family::Script, None) => Seen::Imported,
        (Family::Python | Family::Script, Some(_)) => Seen::Anywhere,
        (Family::Virtual, Some(class)) if is_static(declaration, class) => {
            class.field("name").map_or(Seen::Anywhere, |name| Seen::With(name.text().to_owned()))
        }
        _ => Seen::Anywhere,
    }
}

/// The names by which what stands at a node may be had in another file: what it is assigned
/// to there and further out, and the functions that may give it.
pub(super) fn carried(node: Node<'_>) -> Vec<(String, Seen)> {
    let mut found = Vec::new();
    for up in node.ancestors() {
        if is_function(up) {
            // `const base = () => …` has the name of what it is assigned to.
            if let Some(name) = up.field("name") {
                found.push((name.text().to_owned(), seen(up, name.text())));
            }
        }
        if is_default(up) {
            found.push(("default".to_owned(), Seen::ImportedAs));
        }
        // `USERS("select …")` of an enumeration is had by the name of that, too.
        if family(up) == Family::Virtual
            && up.kind().contains("enum")
            && let Some(class) = up.ancestors().find(|up| CLASSES.contains(&up.kind())).and_then(|up| up.field("name"))
        {
            found.push((class.text().to_owned(), Seen::With(class.text().to_owned())));
        }
        // `Queries[name].value` of an enumeration.
        if family(up) == Family::Python
            && CLASSES.contains(&up.kind())
            && let Some(name) = up.field("name")
        {
            found.push((name.text().to_owned(), seen(up, name.text())));
        }
        for (name, is_member) in targets(up) {
            let seen = if is_member { Seen::Anywhere } else { seen(up, name) };
            found.push((name.to_owned(), seen));
        }
    }
    found.retain(|(_, seen)| *seen != Seen::Nowhere);
    found
}

/// Names of the file, from where they can be spoken of, that are given what these hold.
pub(super) fn held_by(tree: &crate::tree::Tree, names: &std::collections::BTreeSet<&str>) -> Vec<(String, Seen)> {
    let mut found = Vec::new();
    for node in tree.iter() {
        for (name, is_member) in targets(node).into_iter().filter(|(name, _)| names.contains(name)) {
            let seen = if is_member { Seen::Anywhere } else { seen(node, name) };
            found.push((name.to_owned(), seen));
        }
    }
    found.retain(|(_, seen)| *seen != Seen::Nowhere);
    found
}

/// The names that an assignment gives, and whether each is a member of an object; none for
/// what is no assignment.
pub(super) fn targets(node: Node<'_>) -> Vec<(&str, bool)> {
    if !ASSIGNMENTS.contains(&node.kind()) {
        return Vec::new();
    }
    let target = ["left", "name", "pattern"].iter().find_map(|field| node.field(field));
    // Of Kotlin's the modifiers and `val` come first.
    let first = || node.named_children().find(|child| !child.kind().contains("modifier") && has_a_name(*child));
    let target = target.or_else(first);
    let Some(target) = target else { return Vec::new() };
    let last = target.text().rsplit('.').next().unwrap_or("");
    if target.text().contains('.') && super::word::is_name(last) {
        return vec![(last, true)];
    }
    let all = std::iter::once(target).chain(target.descendants());
    all.filter(|below| below.is_leaf() && below.kind().contains("identifier"))
        .map(|name| (name.text(), false))
        .collect()
}

fn has_a_name(node: Node<'_>) -> bool {
    let name = |one: Node<'_>| one.is_leaf() && one.kind().contains("identifier");
    name(node) || node.descendants().any(name)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Python,
    Script,
    /// Java, Scala, Kotlin.
    Virtual,
    Other,
}

fn family(node: Node<'_>) -> Family {
    match node.tree().language.facts.name.as_str() {
        "python" => Family::Python,
        "typescript" | "tsx" | "javascript" => Family::Script,
        "java" | "scala" | "kotlin" => Family::Virtual,
        _ => Family::Other,
    }
}

fn modifiers(node: Node<'_>) -> impl Iterator<Item = &str> {
    let own = |node: &Node<'_>| matches!(node.kind(), "modifiers" | "access_modifier" | "visibility_modifier");
    // A field's modifiers stand beside its declarators.
    let holder = match node.kind() {
        "variable_declarator" => node.parent().unwrap_or(node),
        _ => node,
    };
    holder.named_children().filter(own).flat_map(|node| node.text().split(|c: char| !c.is_alphabetic()))
}

fn is_private(node: Node<'_>) -> bool {
    // `private[package]` is private to more than the file.
    let text = |node: Node<'_>| node.text().contains("private[");
    family(node) == Family::Virtual
        && modifiers(node).any(|word| word == "private")
        && !node.named_children().filter(|child| child.kind() == "modifiers").any(text)
}

/// Whether a member is had by the name of its class alone.
fn is_static(declaration: Node<'_>, class: Node<'_>) -> bool {
    match class.kind() {
        "object_definition" | "object_declaration" => {
            !class.named_children().any(|child| matches!(child.kind(), "extends_clause" | "delegation_specifiers"))
        }
        _ => modifiers(declaration).any(|word| word == "static"),
    }
}

/// `export default …`
fn is_default(node: Node<'_>) -> bool {
    node.kind() == "export_statement" && node.children().any(|child| child.text() == "default")
}

/// Whether a module gives a name to others under another one.
fn is_exported_otherwise(declaration: Node<'_>, name: &str) -> bool {
    if declaration.ancestors().any(is_default) {
        return true;
    }
    let speaks = |node: Node<'_>| node.descendants().any(|below| below.is_leaf() && below.text() == name);
    declaration.tree().iter().any(|node| match node.kind() {
        "export_specifier" => node.field("alias").is_some() && speaks(node),
        "export_statement" => is_default(node) && node.field("declaration").is_none() && speaks(node),
        "assignment_expression" => {
            let left = node.field("left").map_or("", Node::text);
            let whole = left.contains("exports")
                && node.field("right").is_some_and(|right| right.kind() != "object" || right.text().contains(':'));
            whole && left.rsplit('.').next() != Some(name) && (speaks(node) || node.contains(declaration))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;
    use crate::tree::{is_text, parse};

    /// The names by which the first text of `code` may be had elsewhere.
    fn names(language: &str, code: &str) -> Vec<(String, Seen)> {
        let tree = parse(by_name(language).unwrap(), code).unwrap();
        let text = tree.iter().find(|node| is_text(*node)).unwrap();
        carried(text)
    }

    #[test]
    fn what_a_text_is_had_by() {
        let one = |name: &str, seen: Seen| vec![(name.to_owned(), seen)];
        assert_eq!(names("python", "BASE = 'a'\n"), one("BASE", Seen::Imported));
        assert_eq!(names("python", "def f(c):\n    s = 'a'\n    return s\n"), one("f", Seen::Imported));
        let class = [("base".to_owned(), Seen::Anywhere), ("A".to_owned(), Seen::Imported)];
        assert_eq!(names("python", "class A:\n    base = 'a'\n"), class);
        assert_eq!(names("typescript", "export default 'a';\n"), one("default", Seen::ImportedAs));
        assert_eq!(names("python", "def f(self):\n    self.base = 'a'\n")[0], ("base".to_owned(), Seen::Anywhere));
        assert_eq!(names("python", "@task\ndef f(c):\n    return 'a'\n"), one("f", Seen::Anywhere));
        assert_eq!(names("python", "Q = {'x': 'a'}\n"), one("Q", Seen::Imported));
        assert_eq!(names("python", "run('a')\n"), []);
        assert_eq!(names("typescript", "export const base = 'a';\n"), one("base", Seen::Imported));
        assert_eq!(names("typescript", "const base = 'a';\nexport { base as b };\n"), one("base", Seen::ImportedAs));
        assert_eq!(names("javascript", "const base = 'a';\nmodule.exports = base;\n"), one("base", Seen::ImportedAs));
        assert_eq!(names("java", "class A { private static final String Q = \"a\"; }"), []);
        assert_eq!(names("java", "class A { static final String Q = \"a\"; }"), one("Q", Seen::With("A".to_owned())));
        assert_eq!(names("java", "class A { String q() { return \"a\"; } }"), one("q", Seen::Anywhere));
        assert_eq!(names("scala", "object A { val q = \"a\" }"), one("q", Seen::With("A".to_owned())));
        assert_eq!(names("scala", "object A extends B { def q = \"a\" }"), one("q", Seen::Anywhere));
        assert_eq!(names("go", "package a\nconst q = \"a\"\n"), one("q", Seen::Anywhere));
        for kotlin in
            ["const val q = \"a\"\n", "object A { const val q = \"a\" }\n", "object A {\n  val q = \"a\"\n}\n"]
        {
            assert_eq!(names("kotlin", kotlin), one("q", Seen::Anywhere), "{kotlin}");
        }
        let java = names("java", "enum A { B(\"a\"); A(String s) {} }");
        assert!(java.contains(&("A".to_owned(), Seen::With("A".to_owned()))), "{java:?}");
    }
}
