//! What the YAML of a project says beside a `ref` or `source` of a dataset: the rows of unit
//! tests, semantic models, metrics, snapshots, and tests that compare.
//!
//! Rows that are written as maps, and expressions that are a column alone, move with the
//! model; whatever else names a column keeps the dataset where it is.
//! Must not: read an expression.

use std::ops::Range;

use super::properties::{PROSE, Properties};
use super::yaml::{self, Item};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Form, LiteralUse, Of, Use, ValueUse};
use crate::dataset::word::words;
use crate::tree::Node;

/// Deepest nesting that is looked into.
const MAX_DEPTH: usize = 64;

impl<'a> Properties<'a> {
    /// Looks for maps that name a dataset, and reads what stands beside its name.
    pub(super) fn described(&mut self, item: &Item<'_>, depth: usize) {
        match item {
            Item::Map(pairs) if depth < MAX_DEPTH => {
                for (key, value) in pairs {
                    let Item::Scalar(node) = value else { continue };
                    if key.text() == "to"
                        && let Some(dataset) = self.dataset_of(node.text())
                    {
                        self.beside_to(pairs, dataset);
                    }
                    if let Some(dataset) = self.dataset_of(node.text()).filter(|_| key.text() != "to") {
                        self.beside_call(item, key.text(), dataset, *node);
                    }
                }
                pairs.iter().for_each(|(_, value)| self.described(value, depth + 1));
            }
            Item::List(items) if depth < MAX_DEPTH => items.iter().for_each(|item| self.described(item, depth + 1)),
            _ => {}
        }
    }

    /// What a test says of the table that it compares with, besides the field.
    fn beside_to(&mut self, pairs: &[(Node<'_>, Item<'_>)], dataset: usize) {
        let others =
            pairs.iter().filter(|(key, _)| !matches!(key.text(), "to" | "field") && !PROSE.contains(&key.text()));
        for (_, value) in others {
            self.told_below(value, dataset, None, 0);
        }
    }

    fn beside_call(&mut self, map: &Item<'_>, key: &str, dataset: usize, call: Node<'_>) {
        match key {
            "input" => self.given(map, dataset),
            "relation" => {
                self.doubt(dataset, call.range(), "a snapshot keeps all columns of it under their names");
            }
            _ => {}
        }
        for (list, name_is_column) in [("entities", true), ("dimensions", true), ("measures", true)] {
            for one in map.get(list).map_or(&[][..], Item::items) {
                self.measured(one, dataset, name_is_column);
            }
        }
        let Item::Map(pairs) = map else { return };
        for (key, value) in pairs.iter().filter(|(key, _)| !PROSE.contains(&key.text())) {
            self.told_below(value, dataset, Some(*key), 0);
        }
    }

    /// An entity, a dimension or a measure: by its expression, or by its name.
    fn measured(&mut self, one: &Item<'_>, dataset: usize, name_is_column: bool) {
        let why = "a semantic model reads its value";
        let expr = one.get("expr").and_then(Item::scalar);
        match (expr, one.get("name").and_then(Item::scalar)) {
            (Some((text, range)), _) if self.changes(dataset, text) => {
                self.column(dataset, text, range, ValueUse::Elsewhere(why));
            }
            (None, Some((text, range)))
                if name_is_column && one.get("expr").is_none() && self.changes(dataset, text) =>
            {
                self.told(dataset, text, range, "the semantic model has it by its name: give it an expression");
            }
            _ => {}
        }
    }

    /// Rows that a unit test gives for a dataset.
    fn given(&mut self, map: &Item<'_>, dataset: usize) {
        for row in map.get("rows").map_or(&[][..], Item::items) {
            let Item::Map(pairs) = row else { continue };
            for (key, value) in pairs {
                let Some((name, range)) = yaml::text(scalar_of(*key)) else {
                    self.doubt(dataset, key.range(), "the name of a column is written in a way that is not read");
                    continue;
                };
                let literal = match value {
                    Item::Scalar(node) if matches!(node.text(), "null" | "~" | "") => Vec::new(),
                    Item::Scalar(node) => {
                        let value = yaml::text(*node).map(|(text, _)| text.to_owned());
                        let quoted = node.kind() != "plain_scalar" || is_word(node.text());
                        vec![LiteralUse { range: literal_range(*node), text: node.text().to_owned(), value, quoted }]
                    }
                    _ => {
                        let text = key.text().to_owned();
                        vec![LiteralUse { range: key.range(), text, value: None, quoted: true }]
                    }
                };
                if self.datasets().mappings[dataset].index(name, true).is_some() {
                    self.column(dataset, name, range, ValueUse::Literals(literal));
                } else {
                    let of = Of::Unlisted(name.to_owned());
                    self.add(Use { range, dataset, of, position: Position::Read, form: Form::Told });
                }
            }
        }
        if let Some(fixture) = map.get("fixture").and_then(Item::scalar) {
            self.doubt(dataset, fixture.1, "the rows stand in another file");
        }
    }

    /// Whatever else names a column that changes, below a value and in its keys.
    fn told_below(&mut self, item: &Item<'_>, dataset: usize, key: Option<Node<'_>>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        if let Some(key) = key {
            self.told_words(key, dataset);
        }
        match item {
            Item::Map(pairs) => {
                for (key, value) in pairs.iter().filter(|(key, _)| !PROSE.contains(&key.text())) {
                    self.told_below(value, dataset, Some(*key), depth + 1);
                }
            }
            Item::List(items) => items.iter().for_each(|item| self.told_below(item, dataset, None, depth + 1)),
            Item::Scalar(node) => self.told_words(*node, dataset),
            Item::Other => {}
        }
    }

    fn told_words(&mut self, node: Node<'_>, dataset: usize) {
        let start = node.range().start;
        let text = node.text();
        for (at, word) in words(text, false) {
            let range = start + at..start + at + word.len();
            if self.changes(dataset, word) && !self.is_seen(&range) {
                self.told(dataset, word, range, "what this says of the column is not read");
            }
        }
    }

    fn told(&mut self, dataset: usize, name: &str, range: Range<usize>, why: &str) {
        let Some(column) = self.datasets().mappings[dataset].index(name, true) else { return };
        let (of, form) = (Of::Column(column), Form::Told);
        self.add(Use { range: range.clone(), dataset, of, position: Position::Read, form });
        self.doubt(dataset, range, why);
    }

    fn changes(&self, dataset: usize, name: &str) -> bool {
        let mapping = &self.datasets().mappings[dataset];
        mapping.index(name, true).is_some_and(|column| !mapping.columns[column].is_kept())
    }
}

/// The scalar of a key.
fn scalar_of(key: Node<'_>) -> Node<'_> {
    let all = std::iter::once(key).chain(key.descendants());
    let scalar = |node: &Node<'_>| node.kind().ends_with("_scalar");
    all.into_iter().find(scalar).unwrap_or(key)
}

/// The bytes that a literal is replaced at: one without quotes has none to keep.
fn literal_range(node: Node<'_>) -> Range<usize> {
    let range = node.range();
    if node.kind() == "plain_scalar" && is_word(node.text()) {
        return range.start.saturating_sub(1)..range.end + 1;
    }
    range
}

/// Whether a scalar without quotes is a text.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic()) && !matches!(text, "true" | "false" | "null" | "yes" | "no")
}

#[cfg(test)]
mod tests {
    use crate::dataset::dbt::tests::{moved, stays};

    const MODEL: (&str, &str) = ("models/k.sql", "select country_code as c from {{ ref('dim_users_v1') }}\n");

    #[test]
    fn rows_of_unit_tests_move_with_the_model() {
        let test = "unit_tests:\n  - name: t\n    model: k\n    given:\n      - input: ref('dim_users_v1')\n        rows:\n          - {country_code: DE, plan_type: P}\n          - {user_id: 1, plan_type: 'F'}\n    expect:\n      rows:\n        - {c: DE, country_code: x}\n";
        let (texts, why) = moved(&[MODEL, ("models/t.yml", test)]);
        assert!(why.is_empty(), "{why:?}");
        let expected = test
            .replace("dim_users_v1", "dim_users_v2")
            .replace("{country_code: DE, plan_type: P}", "{country: DE, plan: premium}")
            .replace("plan_type: 'F'", "plan: 'free'");
        assert_eq!(texts[1], expected);
        for (rows, why) in [
            ("[{plan_type: X}]", "has no row in the values"),
            ("[{referrer: a}]", "split"),
            ("[{other: a}]", "does not list other"),
            ("|\n          country_code,user_id\n          DE,1\n        format: csv", "not read"),
            ("|\n          select 'DE' as country_code\n        format: sql", "not read"),
        ] {
            let test = test.replace(
                "\n          - {country_code: DE, plan_type: P}\n          - {user_id: 1, plan_type: 'F'}",
                &format!(" {rows}"),
            );
            stays(&[MODEL, ("models/t.yml", &test)], why);
        }
        let fixture =
            "unit_tests:\n  - name: t\n    given:\n      - input: ref('dim_users_v1')\n        fixture: users\n";
        stays(&[MODEL, ("models/t.yml", fixture)], "the rows stand in another file");
        // Rows of another model are not the dataset's.
        let other =
            "unit_tests:\n  - name: t\n    given:\n      - input: ref('leads')\n        rows: [{country_code: DE}]\n";
        let (texts, why) = moved(&[MODEL, ("models/t.yml", other)]);
        assert!(why.is_empty() && texts[1] == other && texts[0].contains("v2"), "{why:?}");
    }

    #[test]
    fn semantic_models_move_by_their_expressions() {
        let semantic = |items: &str| {
            format!(
                "semantic_models:\n  - name: u\n    model: ref('dim_users_v1')\n    description: by country_code\n{items}"
            )
        };
        let good = semantic(
            "    entities:\n      - name: user\n        expr: user_id\n    dimensions:\n      - name: country_code\n        expr: country_code\n",
        );
        let (texts, why) = moved(&[MODEL, ("models/s.yml", &good)]);
        assert!(why.is_empty(), "{why:?}");
        assert_eq!(texts[1], good.replace("expr: country_code", "expr: country").replace("users_v1", "users_v2"));
        for (items, why) in [
            ("    dimensions:\n      - name: country_code\n        type: categorical\n", "give it an expression"),
            ("    measures:\n      - name: n\n        expr: \"case when plan_type = 'P' then 1 end\"\n", "not read"),
            ("    dimensions:\n      - name: p\n        expr: plan_type\n", "a semantic model reads its value"),
        ] {
            stays(&[MODEL, ("models/s.yml", &semantic(items))], why);
        }
    }

    #[test]
    fn what_else_speaks_of_a_model_keeps_it() {
        for (yaml, why) in [
            ("metrics:\n  - name: n\n    model: ref('dim_users_v1')\n    dimensions: [country_code]\n", "not read"),
            (
                "metrics:\n  - name: n\n    model: ref('dim_users_v1')\n    filters:\n      - field: country_code\n",
                "not read",
            ),
            (
                "snapshots:\n  - name: s\n    relation: ref('dim_users_v1')\n    config: {unique_key: user_id}\n",
                "a snapshot keeps all",
            ),
            (
                "models:\n  - name: k\n    columns:\n      - name: c\n        tests:\n          - dbt_utils.relationships_where: {to: ref('dim_users_v1'), field: country_code, to_condition: \"plan_type = 'P'\"}\n",
                "not read",
            ),
            (
                "models:\n  - name: k\n    tests:\n      - dbt_utils.equality:\n          compare_model: ref('dim_users_v1')\n          compare_columns: [country_code]\n",
                "not read",
            ),
        ] {
            stays(&[MODEL, ("models/s.yml", yaml)], why);
        }
        let exposure =
            "exposures:\n  - name: e\n    description: country_code\n    depends_on:\n      - ref('dim_users_v1')\n";
        let (texts, why) = moved(&[MODEL, ("models/e.yml", exposure)]);
        assert!(why.is_empty(), "{why:?}");
        assert_eq!(texts[1], exposure.replace("users_v1", "users_v2"));
    }

    #[test]
    fn a_model_of_the_project_itself_is_no_datasets() {
        let own = ("models/dim_users_v1.sql", "select 1 as country_code");
        let reads = |ref_: &str| format!("select country_code as c from {{{{ ref({ref_}) }}}}");
        let project = ("dbt_project.yml", "name: shop\n");
        let of = |ref_: &str, files: &[(&str, &str)]| {
            let text = reads(ref_);
            let mut all = vec![("models/k.sql", text.as_str())];
            all.extend(files);
            let (texts, why) = moved(&all);
            (texts[0] != text, why)
        };
        // The project's own by its name; another package's; and where there is no such model here.
        assert_eq!(of("'shop', 'dim_users_v1'", &[own, project]), (false, vec![]));
        assert!(of("'other', 'dim_users_v1'", &[own, project]).0);
        assert!(of("'shop', 'dim_users_v1'", &[project]).0);
        assert_eq!(of("'dim_users_v1'", &[own, project]), (false, vec![]));
        // Nobody knows what the project is called.
        let (moves, why) = of("'shop', 'dim_users_v1'", &[own]);
        assert!(!moves && why[0].contains("may be this project's own"), "{why:?}");
        let exposure = "exposures:\n  - name: e\n    depends_on:\n      - ref('shop', 'dim_users_v1')\n";
        let (texts, _) = moved(&[own, project, ("models/e.yml", exposure)]);
        assert_eq!(texts[2], exposure);
    }

    #[test]
    fn what_a_template_writes_behind_a_query_may_name_a_column() {
        let model = |rest: &str| format!("select u.country_code as c from {{{{ ref('dim_users_v1') }}}} u {rest}\n");
        for rest in [
            "{{ only('u', 'country_code') }}",
            "{{ limit_dev(\"signup_ts\") }}",
            "where u.user_id = 1\n{{ more() }}",
            "join b.other c {{ on_country() }}",
        ] {
            stays(&[("models/k.sql", &model(rest))], "may name any column");
        }
        let set = format!("{{% set where = \"where country_code = 'DE'\" %}}\n{}", model("{{ where }}"));
        stays(&[("models/k.sql", &set)], "may name any column");
        let config = format!("{{{{ config(materialized='table') }}}}\n{}", model("where u.user_id = 1"));
        let (texts, why) = moved(&[("models/k.sql", &config)]);
        assert!(why.is_empty() && texts[0].contains("users_v2"), "{why:?}");
        let hook =
            format!("{{{{ config(pre_hook=\"delete from a.users_v1 where country_code is null\") }}}}\n{}", model(""));
        stays(&[("models/k.sql", &hook)], "SQL in a text of a template");
        let version = model("").replace("'dim_users_v1'", "'dim_users_v1', v=2");
        stays(&[("models/k.sql", &version)], "a version of the model");
        let named = ("macros/up.sql", "{% macro up(c) %}date({{ c }}) as {{ c }}{% endmacro %}");
        let calls = "select {{ up('signup_ts') }} from {{ ref('dim_users_v1') }}";
        stays(&[("models/k.sql", calls), named], "may name any column");
    }
}
