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
    /// Before or behind it: `++i` and `i++` are of one kind.
    Beside,
}

/// How an operation binds.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// How tightly, 0 the tightest.
    pub level: u16,
    /// Whether it holds the next of its level on its right.
    pub right: bool,
    /// Whether an expression that holds one is put together anew.
    pub doubtful: bool,
}

/// What a kind of node is as an operation.
#[derive(Debug)]
pub struct Operation {
    /// Where its operator stands.
    pub side: Side,
    /// The binding of each operator that has one of its own.
    special: Vec<(String, Binding)>,
    /// The binding of all others.
    other: Binding,
}

impl Operation {
    /// How it binds, by the texts between and beside its operands.
    pub fn binding(&self, texts: &[&str]) -> Binding {
        let own = self.special.iter().find(|(operator, _)| texts.contains(&operator.as_str()));
        own.map_or(self.other, |(_, binding)| *binding)
    }
}

/// Which operations of a kind are doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    None,
    Some,
    All,
}

/// The operations of a language, if the grammar has them otherwise.
#[derive(Debug, Default)]
pub struct Operators {
    /// By kind: each node of each tree is asked for.
    kinds: Vec<Option<Operation>>,
    /// By kind, whether one may be doubtful.
    doubtful: Vec<Doubt>,
    /// The operators without which those of [`Doubt::Some`] are in order.
    words: Vec<String>,
    /// Where alone a kind is an operation.
    inside: HashMap<u16, u16>,
    brackets: Vec<u16>,
}

impl Operators {
    /// What nodes of this kind are, if they are operations.
    pub fn of(&self, kind: u16) -> Option<&Operation> {
        self.kinds.get(usize::from(kind))?.as_ref()
    }

    /// Whether anything may have to be put together anew in a tree of these kinds.
    pub fn concern(&self, mut kinds: impl Iterator<Item = u16>, text: &str) -> bool {
        let worded = self.words.iter().any(|word| text.contains(word.as_str()));
        kinds.any(|kind| match self.doubtful.get(usize::from(kind)) {
            Some(Doubt::All) => true,
            Some(Doubt::Some) => worded,
            Some(Doubt::None) | None => false,
        })
    }

    /// Whether an outermost operation of this kind is one, by the kinds around it, the nearest first.
    pub fn holds_here(&self, kind: u16, mut around: impl Iterator<Item = u16>) -> bool {
        let Some(inside) = self.inside.get(&kind) else { return true };
        around.find(|kind| !self.brackets.contains(kind) && self.of(*kind).is_none()) == Some(*inside)
    }

    /// Whether the grammar has all as it should be.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// `id` gives the number of a kind, or what is wrong with it.
    pub(super) fn new(facts: &OperatorFacts, id: impl Fn(&str) -> Result<u16, String>) -> Result<Self, String> {
        let (mut kinds, mut doubtful, mut words) = (Vec::new(), Vec::new(), Vec::new());
        for (level, row) in facts.levels.iter().enumerate() {
            let level = level as u16;
            for text in row {
                let (kind, operator) = text.split_once(' ').map_or((text.as_str(), None), |(k, o)| (k, Some(o)));
                let listed = |list: &[String]| list.iter().any(|one| one == kind);
                let side = match (listed(&facts.before), listed(&facts.behind)) {
                    (true, true) => Side::Beside,
                    (true, _) => Side::Before,
                    (_, true) => Side::Behind,
                    _ => Side::Between,
                };
                let right = listed(&facts.right) || facts.right.contains(text);
                let all = facts.doubtful.is_empty() || listed(&facts.doubtful);
                let one = operator.filter(|_| facts.doubtful.contains(text));
                let binding = Binding { level, right, doubtful: all || one.is_some() };
                let number = usize::from(id(kind)?);
                kinds.resize_with(kinds.len().max(number + 1), || None);
                doubtful.resize(kinds.len(), Doubt::None);
                match one {
                    _ if all => doubtful[number] = Doubt::All,
                    Some(word) => {
                        doubtful[number] = Doubt::Some;
                        words.push(word.to_owned());
                    }
                    None => {}
                }
                let operation =
                    kinds[number].get_or_insert_with(|| Operation { side, special: Vec::new(), other: binding });
                match operator {
                    Some(operator) => operation.special.push((operator.to_owned(), binding)),
                    None => operation.other = binding,
                }
            }
        }
        let place = |(kind, place): (&String, &String)| Ok((id(kind)?, id(place)?));
        let inside = facts.inside.iter().map(place).collect::<Result<_, String>>()?;
        let brackets = facts.brackets.iter().map(|kind| id(kind)).collect::<Result<_, _>>()?;
        Ok(Self { kinds, doubtful, words, inside, brackets })
    }
}
