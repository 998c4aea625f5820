//! Generated classes of a dataset: by which names a file has them, and what of them is read
//! in ways that are not followed.
//!
//! A class moves where the file imports it by its name. One that is had in another way (by a
//! wildcard, from its own package, by its full name) may be another class of that name: it is
//! told, and stays.
//! Must not: follow a record.

use std::collections::BTreeMap;

use super::Flow;
use super::note::camel;
use super::shape::{Callee, Shape, shape};
use crate::dataset::mapping::{Position, System};
use crate::dataset::usage::{Doubt, Form, Of, Use};
use crate::dataset::word::is_word;
use crate::tree::Node;

/// Nodes that make a record by the name of its class.
const MAKES: [&str; 3] = ["object_creation_expression", "instance_expression", "call_expression"];

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn package(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(package, _)| package)
}

fn is_class_name(node: Node<'_>) -> bool {
    node.is_leaf() && matches!(node.kind(), "identifier" | "type_identifier")
}

impl<'t> Flow<'t> {
    /// The source that a generated class is of: all its mentions in the file are one use each.
    pub(super) fn generated(&mut self, class: Node<'t>) -> Option<usize> {
        let name = last(class.text());
        for dataset in 0..self.datasets.mappings.len() {
            let mapping = &self.datasets.mappings[dataset];
            let names = mapping.names(System::Type).map(|known| (known.old.clone(), known.new.clone()));
            for (old, new) in names.collect::<Vec<_>>() {
                let imported = self.imported(name) == Some(old.as_str()) || class.text() == old && !old.contains('.');
                if imported || self.is_had_otherwise(name, &old) {
                    return self.class_source(name, dataset, (&old, &new), imported);
                }
            }
        }
        None
    }

    fn class_source(&mut self, name: &str, dataset: usize, (old, new): (&str, &str), imported: bool) -> Option<usize> {
        let mut source = None;
        for node in self.tree.iter().filter(|node| is_class_name(*node) && node.text() == name) {
            let form = if imported { Form::Name(vec![(node.range(), last(new).to_owned())]) } else { Form::Told };
            match source {
                None => source = Some(self.source(node, dataset, node.range(), form)),
                Some(source) => {
                    let one = Use { range: node.range(), dataset, of: Of::Dataset, position: Position::Read, form };
                    self.add(source, one);
                }
            }
        }
        let source = source?;
        self.class_sources.insert(source);
        let at = self.places[source].clone();
        if !imported {
            let why = format!("nothing here imports {name} by its name: it may be another class");
            self.doubt(source, Doubt::annotate(at, why));
        } else if package(old) != package(new) || last(old) != name {
            let why = "the new class lies in another package, or has another name in this file";
            self.doubt(source, Doubt::annotate(at, why));
        }
        Some(source)
    }

    /// Whether a name may be a class by a wildcard, by the file's package, or by its full name.
    fn is_had_otherwise(&self, name: &str, old: &str) -> bool {
        if last(old) != name || self.imported(name).is_some() {
            return false;
        }
        let of = package(old);
        let within = |path: &str| path == of || of.ends_with(&format!(".{path}"));
        let own = self.package.as_deref().is_some_and(|own| own == of || own.starts_with(&format!("{of}.")));
        own || self.wildcards.iter().any(|path| within(path)) || self.is_spelled_out(old)
    }

    /// Whether the file has a path in it, letter by letter.
    fn is_spelled_out(&self, path: &str) -> bool {
        let text = self.tree.text();
        text.match_indices(path).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + path.len()..]);
            !before.ends_with(|c: char| is_word(c) || c == '.') && !after.starts_with(is_word)
        })
    }

    /// Notes generated classes that the file has, whether or not they are followed.
    pub(super) fn generated_classes(&mut self) {
        if !matches!(self.tree.language.facts.name.as_str(), "java" | "scala") {
            return;
        }
        let types = self.datasets.mappings.iter().flat_map(|mapping| mapping.names(System::Type));
        let olds: Vec<String> = types.map(|name| name.old.clone()).collect();
        let mut named: Vec<String> =
            self.imports.iter().filter(|(_, path)| olds.contains(path)).map(|(name, _)| name.clone()).collect();
        named.extend(olds.iter().filter(|old| self.is_had_otherwise(last(old), old)).map(|old| last(old).to_owned()));
        named.sort();
        for name in named {
            if let Some(node) = self.tree.iter().find(|node| is_class_name(*node) && node.text() == name) {
                self.generated(node);
            }
        }
    }

    /// Tells what is read of a generated class, in a file that has one, and is not followed.
    pub(super) fn sweep_getters(&mut self) {
        let mut wanted: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut classes: BTreeMap<String, usize> = BTreeMap::new();
        for source in &self.class_sources {
            let mapping = &self.datasets.mappings[self.datasets_of[*source]];
            let (place, base) = (&self.places[*source], self.tree.base());
            let name = self.tree.text().get(place.start - base..place.end - base).unwrap_or("");
            classes.insert(name.to_owned(), *source);
            for (at, column) in mapping.columns.iter().enumerate().filter(|(_, column)| !column.is_kept()) {
                for verb in ["get", "set", "has", "clear"] {
                    wanted.insert(format!("{verb}{}", camel(&column.name)), (*source, at));
                }
            }
        }
        if wanted.is_empty() {
            return;
        }
        let nodes: Vec<Node<'t>> = self.tree.iter().collect();
        for node in nodes {
            self.made_by_place(node, &classes);
            let Some((name, why)) = self.accessor(node, &wanted, &classes) else { continue };
            let word = name.text().trim_matches('"');
            let Some((source, column)) = wanted.get(word).copied() else { continue };
            let range = name.range();
            if self.noted.contains_key(&(range.start, range.end)) {
                continue;
            }
            let (dataset, of) = (self.datasets_of[source], Of::Column(column));
            self.add(source, Use { range: range.clone(), dataset, of, position: Position::Read, form: Form::Told });
            self.doubt(source, Doubt::annotate(range, why));
        }
    }

    /// What a node names that may be an accessor of a class, and why it is not followed.
    fn accessor(
        &self,
        node: Node<'t>,
        wanted: &BTreeMap<String, (usize, usize)>,
        classes: &BTreeMap<String, usize>,
    ) -> Option<(Node<'t>, &'static str)> {
        if node.kind() == "method_reference" {
            return Some((node.named_children().last()?, "a method of the class is a value here"));
        }
        match shape(node) {
            Shape::Member { object, name } | Shape::Call { callee: Callee::Method { object, name }, .. }
                // The name first: what an object is declared as is looked for in the whole file.
                if wanted.contains_key(name.text()) && !self.is_declared_otherwise(object) =>
            {
                Some((name, "what this is called on may be a record of the class: nothing here says what it is"))
            }
            Shape::Text => Some((node, "a method of the class is named in a text")),
            Shape::Function { name: Some(name), .. } if wanted.contains_key(name.text()) && Self::extends(node, classes) => {
                Some((name, "a method of a class that is made of the generated one"))
            }
            _ => None,
        }
    }

    /// Whether a method stands in a class that is made of one of these.
    fn extends(method: Node<'t>, classes: &BTreeMap<String, usize>) -> bool {
        let class = method
            .ancestors()
            .find(|up| matches!(shape(*up), Shape::Class { .. }) || up.kind().contains("object_creation"));
        let Some(class) = class else { return false };
        let body = class.named_children().find(|child| child.kind().ends_with("body"));
        let start = class.local_range().start;
        let head = body.map_or(class.text(), |body| &class.text()[..body.local_range().start - start]);
        let mut words = head.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| classes.contains_key(word))
    }

    /// `new UserV1(1, "DE")`: columns by their place.
    fn made_by_place(&mut self, node: Node<'t>, classes: &BTreeMap<String, usize>) {
        let pattern = (node.kind() == "case_class_pattern").then(|| node.field("type")).flatten();
        if let Some(source) = pattern.and_then(|class| classes.get(class.text())).copied() {
            self.doubt(source, Doubt::open(node.range(), "a record is taken apart by the places of its columns"));
        }
        if !MAKES.contains(&node.kind()) {
            return;
        }
        let Shape::Call { callee: Callee::Value(class), arguments } = shape(node) else { return };
        if let (Some(source), false) = (classes.get(class.text()).copied(), arguments.is_empty()) {
            self.doubt(source, Doubt::open(node.range(), "a record is made of its columns by their places"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::flow::tests::{becomes, moved, stays};

    #[test]
    fn a_generated_class_is_had_by_its_import_or_stays() {
        let body = "class J { String f(UserV1 u) { return u.getCountryCode(); } }";
        let private = "class J { private static String f(UserV1 u) { return u.getCountryCode(); }\n static String g() { return f(UserV1.newBuilder().build()); } }";
        let class = ("UserV1", "UserV2");
        becomes(
            "java",
            &format!("import com.acme.UserV1;\n{private}"),
            &[class, class, ("getCountryCode", "getCountry"), class],
        );
        for head in ["import com.acme.*;\n", "package com.acme;\n"] {
            stays("java", &format!("{head}{body}"), "nothing here imports UserV1 by its name");
        }
        stays(
            "java",
            "class J { Object o = com.acme.UserV1.newBuilder().build(); }",
            "nothing here imports UserV1 by its name",
        );
        stays("java", "import com.acme.UserV1;\nclass J { F f = UserV1::getCountryCode; }", "is a value here");
        stays(
            "java",
            "import com.acme.UserV1;\nclass J { O o = UserV1.SCHEMA.getField(\"country_code\"); }",
            "what reads this name",
        );
        stays(
            "java",
            "import com.acme.UserV1;\nclass J extends UserV1 { public String getCountryCode() { return \"x\"; } }",
            "made of the generated one",
        );
        stays("java", "import com.acme.UserV1;\nclass J { Object o = new UserV1(1L, \"DE\"); }", "by their places");
        stays(
            "java",
            "import com.acme.UserV1;\nclass J { Object m = UserV1.class.getMethod(\"getCountryCode\"); }",
            "named in a text",
        );
        stays(
            "scala",
            "import com.acme.UserV1\nobject J { val f = (x: Any) => x match { case UserV1(id, cc) => cc } }",
            "by the places of its columns",
        );
        let scala = "object J { def f(sc: ScioContext) = sc.avroFile[UserV1](\"gs://x\").map(_.getCountryCode) }";
        stays("scala", &format!("import com.acme._\n{scala}"), "nothing here imports UserV1 by its name");
        for kotlin in [
            "import com.acme.UserV1\nfun f(u: UserV1) = u.countryCode\n",
            "import com.acme.*\nfun f(u: UserV1) = u.getCountryCode()\n",
        ] {
            stays("kotlin", kotlin, "a class of the dataset is named");
        }
        // Another class of that name is none.
        let other = format!("import com.other.UserV1;\n{body}");
        assert_eq!(moved("java", &other), (other.clone(), vec![]));
    }
}
