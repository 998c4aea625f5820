//! Who goes first and who last, by what is known of them.

use serde::{Deserialize, Serialize};

use super::raw::Value;
use crate::workspace::{Consumer, EntityRef};

/// Who goes first and last beside those that `first` names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineup {
    /// Selectors of `first`, after the consumers that it names.
    pub first: Vec<Selector>,
    /// Consumers that `last` names.
    pub last: Vec<EntityRef>,
    /// Selectors of `last`.
    pub last_where: Vec<Selector>,
}

/// `tier=1`, `owner=group:default/ads`, `lifecycle=experimental`, `tag=batch`,
/// `language=python`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by", content = "is")]
pub enum Selector {
    /// What its catalog says of how much rests on it.
    Tier(String),
    /// Who answers for it.
    Owner(EntityRef),
    /// What its catalog says of its age.
    Lifecycle(String),
    /// One of its tags.
    Tag(String),
    /// A language that its change is in, or that changes with it.
    Language(String),
}

const FORMS: &str =
    "write `tier=1`, `owner=group:default/ads`, `lifecycle=experimental`, `tag=batch` or `language=python`";

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tier(tier) => write!(f, "tier={tier}"),
            Self::Owner(owner) => write!(f, "owner={owner}"),
            Self::Lifecycle(lifecycle) => write!(f, "lifecycle={lifecycle}"),
            Self::Tag(tag) => write!(f, "tag={tag}"),
            Self::Language(language) => write!(f, "language={language}"),
        }
    }
}

impl Selector {
    /// Whether it means this consumer, whose changed files are of these languages.
    pub fn means(&self, consumer: &Consumer, languages: &[&str]) -> bool {
        match self {
            Self::Tier(tier) => consumer.tier.as_ref() == Some(tier),
            Self::Owner(owner) => consumer.owner.as_ref() == Some(owner),
            Self::Lifecycle(lifecycle) => consumer.lifecycle.as_ref() == Some(lifecycle),
            Self::Tag(tag) => consumer.tags.contains(tag),
            Self::Language(language) => languages.contains(&language.as_str()),
        }
    }

    fn parse(value: &Value<'_>, text: &str) -> Option<Self> {
        let (by, is) = text.split_once('=')?;
        let is = is.trim().to_owned();
        let selector = match by.trim() {
            "tier" => Some(Self::Tier(is)),
            "owner" => EntityRef::parse(&is, "group").map(Self::Owner),
            "lifecycle" => Some(Self::Lifecycle(is)),
            "tag" => Some(Self::Tag(is)),
            "language" if crate::language::by_name(&is).is_some() => Some(Self::Language(is)),
            "language" => {
                value.wrong(format!("there is no language `{is}`"), crate::language::meant(&is));
                return None;
            }
            _ => None,
        };
        if selector.is_none() {
            value.wrong(format!("{text:?} selects nobody"), FORMS);
        }
        selector
    }
}

/// Consumers and selectors of a list.
pub(super) fn picks(value: &Value<'_>) -> (Vec<EntityRef>, Vec<Selector>) {
    let (mut named, mut selectors) = (Vec::new(), Vec::new());
    for (item, text) in value.strings("[\"component:default/ads\", \"tier=3\"]").unwrap_or_default() {
        if text.contains('=') {
            selectors.extend(Selector::parse(&item, text));
            continue;
        }
        match EntityRef::parse(text, "component") {
            None => item.wrong(
                format!("{text:?} is not an entity reference"),
                "write `kind:namespace/name`, for example `component:default/ads`",
            ),
            Some(entity) if named.contains(&entity) => {
                item.wrong(format!("{text:?} is named twice"), "remove one of the two")
            }
            Some(entity) => named.push(entity),
        }
    }
    (named, selectors)
}
