//! What the sources of a project are called in the warehouse.
//!
//! Must not: know a dataset.

use std::collections::BTreeMap;

use super::yaml::{self, Item};
use crate::language::by_name;
use crate::tree::{ParseError, parse};

/// The sources that a YAML file declares: `source.table`, and `database.schema.identifier`
/// or as much of it as the file says. A part that a template writes is not said.
///
/// # Errors
/// The parser gave up.
pub fn places(text: &str) -> Result<BTreeMap<String, String>, ParseError> {
    let mut found = BTreeMap::new();
    let Some(language) = by_name("yaml") else { return Ok(found) };
    let tree = parse(language, text)?;
    let said = |item: &Item<'_>, key: &str| {
        let text = item.get(key).and_then(Item::scalar).map(|(text, _)| text.to_owned());
        text.filter(|text| !text.contains(['{', '}']))
    };
    for document in tree.root().named_children().map(yaml::read) {
        for source in document.get("sources").map_or(&[][..], Item::items) {
            let Some(name) = said(source, "name") else { continue };
            let schema = said(source, "schema").unwrap_or_else(|| name.clone());
            let database = said(source, "database");
            for table in source.get("tables").map_or(&[][..], Item::items) {
                let Some(own) = said(table, "name") else { continue };
                let identifier = said(table, "identifier").unwrap_or_else(|| own.clone());
                let parts = database.iter().chain([&schema, &identifier]).map(String::as_str);
                found.insert(format!("{name}.{own}"), parts.collect::<Vec<_>>().join("."));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_called_as_its_file_says() {
        let text = "sources:\n  - name: raw\n    schema: analytics\n    database: acme\n    tables:\n      - name: users\n        \
            identifier: users_v1\n      - name: clicks\n  - name: shop\n    tables: [{name: orders}]\n";
        let found = places(text).unwrap();
        let pairs: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("raw.clicks", "acme.analytics.clicks"),
                ("raw.users", "acme.analytics.users_v1"),
                ("shop.orders", "shop.orders")
            ]
        );
    }
}
