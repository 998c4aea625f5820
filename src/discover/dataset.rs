//! Names of datasets as lineage, dbt and logs write them, compared with those that
//! the migration gives.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::digest::Digest;
use crate::workspace::EntityRef;

/// The datasets of a migration.
#[derive(Debug)]
pub(super) struct Datasets(Vec<Dataset>);

#[derive(Debug)]
struct Dataset {
    root: EntityRef,
    /// As the migration writes it, in lower case.
    text: String,
    /// Its parts, the table last.
    parts: Vec<String>,
    /// Whether any source has named it.
    met: AtomicBool,
}

/// How surely a name means a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meant<'a> {
    /// It does.
    Surely(&'a EntityRef),
    /// It has fewer parts than the migration gives: it may be another of that name.
    Perhaps(&'a EntityRef),
    /// It is a path below it.
    Below(&'a EntityRef),
}

impl<'a> Meant<'a> {
    /// The dataset.
    pub(super) fn root(&self) -> &'a EntityRef {
        match self {
            Self::Surely(root) | Self::Perhaps(root) | Self::Below(root) => root,
        }
    }

    /// What to add to a sentence about it.
    pub(super) fn doubt(&self) -> &'static str {
        match self {
            Self::Surely(_) => "",
            Self::Perhaps(_) => ", by a name that has fewer parts than the migration gives",
            Self::Below(_) => ", by a path below it",
        }
    }
}

impl Dataset {
    /// What stands for it, now that a source has named it.
    fn seen(&self) -> &EntityRef {
        self.met.store(true, Ordering::Relaxed);
        &self.root
    }
}

impl Datasets {
    /// Reads them as the migration writes them.
    pub(super) fn new(datasets: &[String]) -> Self {
        let read = |text: &String| {
            let text = text.to_lowercase();
            Some(Dataset { root: named("dataset", "default", &text)?, parts: parts(&text), text, met: false.into() })
        };
        Self(datasets.iter().filter_map(read).collect())
    }

    /// The entities that stand for them.
    pub(super) fn roots(&self) -> impl Iterator<Item = &EntityRef> {
        self.0.iter().map(|dataset| &dataset.root)
    }

    /// Those that no source has named so far, as the migration writes them.
    pub(super) fn unmet(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|dataset| !dataset.met.load(Ordering::Relaxed)).map(|dataset| dataset.text.as_str())
    }

    /// The dataset that `name` means: the migration's name is an end of it, part by
    /// part, or it is an end of the migration's.
    pub(super) fn meant(&self, name: &str) -> Option<Meant<'_>> {
        let found = parts(&name.to_lowercase());
        let surely = self.0.iter().find(|dataset| found.ends_with(&dataset.parts));
        if let Some(dataset) = surely {
            return Some(Meant::Surely(dataset.seen()));
        }
        let perhaps = self.0.iter().find(|dataset| !found.is_empty() && dataset.parts.ends_with(&found));
        if let Some(dataset) = perhaps {
            return Some(Meant::Perhaps(dataset.seen()));
        }
        let name = name.to_lowercase();
        let below = |dataset: &&Dataset| {
            dataset.text.contains("://")
                && name.strip_prefix(dataset.text.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
        };
        self.0.iter().find(below).map(|dataset| Meant::Below(dataset.seen()))
    }

    /// The same for a dataset with a namespace, which may be part of the migration's name.
    pub(super) fn meant_in(&self, namespace: &str, name: &str) -> Option<Meant<'_>> {
        let whole = format!("{}/{}", namespace.trim_end_matches('/'), name.trim_matches('/')).to_lowercase();
        let url = whole.contains("://").then(|| self.meant(&whole)).flatten();
        url.or_else(|| self.meant(name))
    }
}

/// The parts of `database.schema.table`, quotes taken away.
fn parts(text: &str) -> Vec<String> {
    let plain = |part: &str| part.trim_matches(['`', '"', '[', ']', ' ']).to_owned();
    if text.contains("://") {
        return vec![text.trim_end_matches('/').to_owned()];
    }
    // Audit logs write `projects/p/datasets/d/tables/t`, catalogs of tables `table/d/t`;
    // `$20261101` and `/day=…` are partitions.
    let words = ["projects", "datasets", "tables", "table"];
    let text = text.split('$').next().unwrap_or(text);
    let parts = text.split(['.', ':', '/']).map(plain).filter(|part| !part.is_empty() && !part.contains('='));
    let parts: Vec<String> = parts.collect();
    let slashed = text.contains('/');
    parts.into_iter().filter(|part| !(slashed && words.contains(&part.as_str()))).collect()
}

/// A reference for something that no catalog names. What a reference can't hold is
/// replaced, and told apart by a digest.
pub(super) fn named(kind: &str, namespace: &str, name: &str) -> Option<EntityRef> {
    let clean = |text: &str| -> String {
        let safe: String =
            text.chars().map(|c| if c.is_alphanumeric() || "-_.@".contains(c) { c } else { '-' }).collect();
        let cut: String = safe.chars().take(120).collect();
        if cut == text { cut } else { format!("{cut}-{}", &Digest::of(text.as_bytes()).short()[..6]) }
    };
    if name.trim().is_empty() {
        return None;
    }
    let namespace = if namespace.trim().is_empty() { "default" } else { namespace };
    EntityRef::parse(&format!("{kind}:{}/{}", clean(namespace.trim()), clean(name.trim())), kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_part_by_part_from_the_end() {
        let datasets = Datasets::new(&["Analytics.users_v1".to_owned(), "s3://lake/users".to_owned()]);
        let meant = |name: &str| datasets.meant(name).map(|m| (m.root().name().to_owned(), m.doubt().is_empty()));
        let users = || "analytics.users_v1".to_owned();
        assert_eq!(meant("prod.analytics.users_v1"), Some((users(), true)));
        assert_eq!(meant("`prod`.`analytics`.`USERS_V1`"), Some((users(), true)));
        assert_eq!(meant("proj:analytics.users_v1"), Some((users(), true)));
        assert_eq!(meant("users_v1"), Some((users(), false)));
        assert_eq!(meant("other.users_v1"), None);
        assert_eq!(meant("analytics.users_v10"), None);
        assert_eq!(meant(""), None);
        assert_eq!(datasets.unmet().collect::<Vec<_>>(), ["s3://lake/users"]);
        assert!(datasets.meant_in("s3://lake/", "/users").is_some());
        assert_eq!(datasets.unmet().count(), 0);
        for sure in [
            "projects/p/datasets/analytics/tables/users_v1",
            "table/analytics/users_v1",
            "analytics/users_v1/",
            "p.analytics.users_v1$20261101",
            "analytics/users_v1/day=2026-11-01",
        ] {
            assert_eq!(meant(sure), Some((users(), true)), "{sure}");
        }
        for (name, sure) in [("s3://lake/users/", true), ("s3://lake/users/day=1/part-0.parquet", false)] {
            assert_eq!(meant(name).map(|(_, surely)| surely), Some(sure), "{name}");
        }
        assert_eq!(meant("s3://lake/users2"), None);
        assert!(datasets.meant_in("s3://other", "users").is_none());
    }

    #[test]
    fn what_a_reference_cannot_hold_is_told_apart() {
        let name = |text: &str| named("job", "a b", text).unwrap().to_string();
        assert_ne!(name("x/y"), name("x y"));
        assert_eq!(named("job", "", "x").unwrap().as_str(), "job:default/x");
        assert_eq!(named("job", "x", "  "), None);
    }
}
