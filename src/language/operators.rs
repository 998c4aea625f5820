//! How operators bind, by the kinds of the grammar.

use std::collections::HashMap;

use super::facts::OperatorFacts;

/// Where the operator stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before its operand.
    Before,
    /// Between two.
    Between,
    /// Behind its operand.
    Behind,
}

/// What a kind of node is as an operation.
#[derive(Debug)]
pub struct Operation {
    /// Where its operator stands.
    pub side: Side,
    /// Whether it holds the next of its level on its right.
    pub right: bool,
    /// The level of each operator that has one of its own.
    special: Vec<(String, u16)>,
    /// The level of all others.
    level: u16,
}

impl Operation {
    /// How tightly it binds, 0 the tightest, by the texts between and beside its operands.
    pub fn level(&self, texts: &[&str]) -> u16 {
        let own = self.special.iter().find(|(operator, _)| texts.contains(&operator.as_str()));
        own.map_or(self.level, |(_, level)| *level)
    }
}

/// The operations of a language, if the grammar has them otherwise.
#[derive(Debug, Default)]
pub struct Operators {
    kinds: HashMap<u16, Operation>,
}

impl Operators {
    /// What nodes of this kind are, if they are operations.
    pub fn of(&self, kind: u16) -> Option<&Operation> {
        self.kinds.get(&kind)
    }

    /// Whether the grammar has all as it should be.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// `id` gives the number of a kind, or what is wrong with it.
    pub(super) fn new(facts: &OperatorFacts, id: impl Fn(&str) -> Result<u16, String>) -> Result<Self, String> {
        let mut kinds: HashMap<u16, Operation> = HashMap::new();
        for (level, row) in facts.levels.iter().enumerate() {
            let level = level as u16;
            for text in row {
                let (kind, operator) = text.split_once(' ').map_or((text.as_str(), None), |(k, o)| (k, Some(o)));
                let listed = |list: &[String]| list.iter().any(|one| one == kind);
                let side = match (listed(&facts.before), listed(&facts.behind)) {
                    (true, _) => Side::Before,
                    (_, true) => Side::Behind,
                    _ => Side::Between,
                };
                let empty = Operation { side, right: listed(&facts.right), special: Vec::new(), level };
                let operation = kinds.entry(id(kind)?).or_insert(empty);
                match operator {
                    Some(operator) => operation.special.push((operator.to_owned(), level)),
                    None => operation.level = level,
                }
            }
        }
        Ok(Self { kinds })
    }
}
