//! Where members of members lie side by side, by the kinds of the grammar.

use super::facts::ChainFacts;
use super::kinds::Kinds;

/// The chains of a language that its grammar lays out flat.
#[derive(Debug)]
pub struct Chains {
    inside: Vec<u16>,
    parts: Vec<(u16, u16)>,
}

impl Chains {
    /// Whether the parts of a chain may lie side by side in nodes of this kind.
    pub fn holds(&self, kind: u16) -> bool {
        self.inside.contains(&kind)
    }

    /// What a part of this kind and all before it are; `None` for what is no part.
    pub fn around(&self, part: u16) -> Option<u16> {
        self.parts.iter().find(|(known, _)| *known == part).map(|(_, around)| *around)
    }

    /// Fails with what the grammar lacks.
    pub(super) fn new(facts: &ChainFacts, known: &Kinds) -> Result<Self, String> {
        let named =
            |kind: &String| known.id(kind, true).ok_or_else(|| format!("the grammar has no node kind `{kind}`"));
        let part = |(part, around): (&String, &String)| {
            let id = known.id(part, true).or_else(|| known.id(part, false));
            Ok((id.ok_or_else(|| format!("the grammar has no node kind or token `{part}`"))?, named(around)?))
        };
        let inside = facts.inside.iter().map(named).collect::<Result<_, _>>()?;
        Ok(Self { inside, parts: facts.parts.iter().map(part).collect::<Result<_, String>>()? })
    }
}
