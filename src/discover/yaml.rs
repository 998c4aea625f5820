//! YAML documents as values that know their place, read within budgets.
//!
//! Must not: know what a catalog is.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Options, Spanned};

/// A YAML value. Numbers and booleans are kept as they read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Scalar(String),
    Sequence(Vec<Placed>),
    Mapping(BTreeMap<String, Placed>),
}

/// A value with the line and column (from 1) it begins at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) node: Node,
    pub(super) line: u64,
    pub(super) column: u64,
}

/// A document that could not be read.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) message: String,
}

impl Placed {
    /// The value of a key, unless it is null.
    pub(super) fn get(&self, key: &str) -> Option<&Placed> {
        let Node::Mapping(entries) = &self.node else {
            return None;
        };
        entries.get(key).filter(|value| value.node != Node::Null)
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.node {
            Node::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

/// Every document of a file that can be read, and what is wrong with the others.
pub(super) fn documents(text: &str) -> (Vec<Placed>, Vec<Broken>) {
    let (mut documents, mut broken) = (Vec::new(), Vec::new());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = text.as_bytes();
    for document in serde_saphyr::read_with_options::<_, Placed>(&mut reader, options()) {
        match document {
            Ok(document) => documents.push(document),
            Err(error) => broken.push(Broken::from(&error)),
        }
    }
    (documents, broken)
}

fn options() -> Options {
    serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(2 << 20),
            max_events: 200_000,
            max_nodes: 100_000,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_depth: 48,
            max_documents: 4_096,
            max_total_scalar_bytes: 4 << 20,
            max_merge_keys: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 50_000,
            max_replay_stack_depth: 16,
        },
    }
}

impl From<&serde_saphyr::Error> for Broken {
    fn from(error: &serde_saphyr::Error) -> Self {
        let place = error.location();
        let message = error.without_snippet().to_string();
        let first = message.lines().next().unwrap_or("not YAML");
        // The place is told beside it.
        let first = first.split_once(" at line ").map_or(first, |(head, _)| head);
        Self {
            line: place.map_or(1, |place| place.line()),
            column: place.map_or(1, |place| place.column()),
            message: first.chars().take(300).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Placed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Node>::deserialize(deserializer)?;
        Ok(Self { line: spanned.referenced.line(), column: spanned.referenced.column(), node: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Node, E> {
        Ok(Node::Scalar(String::from_utf8_lossy(value).into_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut sequence = Vec::new();
        while let Some(item) = items.next_element::<Placed>()? {
            sequence.push(item);
        }
        Ok(Node::Sequence(sequence))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut mapping = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry::<Node, Placed>()? {
            // Keys that are collections mean nothing in a catalog.
            if let Node::Scalar(key) = key {
                mapping.insert(key, value);
            }
        }
        Ok(Node::Mapping(mapping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_values() {
        let (docs, broken) = documents("a: no\nb:\n  - 1\n  - x: ~\n---\n# nothing\n---\nc: t\n");
        assert!(broken.is_empty(), "{broken:?}");
        assert_eq!(docs.len(), 2);
        assert_eq!(docs[0].get("a").and_then(Placed::text), Some("no"));
        let Some(Node::Sequence(items)) = docs[0].get("b").map(|b| &b.node) else {
            panic!("no sequence");
        };
        assert_eq!((items[0].text(), items[0].line, items[0].column), (Some("1"), 3, 5));
        assert_eq!(items[1].get("x"), None);
        assert_eq!(docs[1].get("c").map(|c| c.line), Some(8));
    }

    #[test]
    fn what_came_before_a_syntax_error_stands() {
        let (docs, broken) = documents("a: 1\n---\nb: [1\n---\nc: 3\n");
        assert_eq!(docs.len(), 1);
        assert_eq!(broken.len(), 1);
        assert!(broken[0].line >= 3, "{broken:?}");
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let below = format!("*a{}", level - 1);
            let list = vec![below; 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        assert_eq!(documents(&bomb).1.len(), 1);
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(documents(&deep).1.len(), 1);
    }
}
