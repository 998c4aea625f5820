//! Keys of `dbt_project.yml` that name a table of a source, or a model of a package: what is set there holds for
//! nothing any more once the name changes.
//!
//! Must not: read what is set.

use std::collections::BTreeMap;

use super::properties::Properties;
use super::yaml::{self, Item};
use crate::dataset::Datasets;
use crate::dataset::names::Met;
use crate::dataset::sql::{Dialect, Project};
use crate::dataset::usage::Unit;
use crate::language::by_name;
use crate::tree::{Node, ParseError, Tree, parse};

/// The units of a file of settings; the project's sources are known.
pub(super) fn units(
    text: &str,
    datasets: &Datasets,
    project: &Project,
    dialect: Dialect,
) -> Result<Vec<Unit>, ParseError> {
    let Some(language) = by_name("yaml") else { return Ok(Vec::new()) };
    let tree: Tree = parse(language, text)?;
    let mut found = Properties::of(datasets, project, dialect);
    found.sources = project.sources.clone();
    for document in tree.root().named_children().map(yaml::read) {
        for (section, of) in [("sources", Names::Source), ("models", Names::Model), ("snapshots", Names::Model)] {
            document.get(section).into_iter().for_each(|item| found.keys(item, of, None));
        }
    }
    let units: BTreeMap<usize, Unit> = std::mem::take(&mut found.units);
    Ok(units.into_values().map(|unit| Unit { range: 0..text.len(), ..unit }).collect())
}

/// What keys of a section name.
#[derive(Clone, Copy)]
enum Names {
    Source,
    Model,
}

impl Properties<'_> {
    fn keys(&mut self, item: &Item<'_>, of: Names, above: Option<Node<'_>>) {
        let Item::Map(pairs) = item else { return };
        for (key, value) in pairs {
            let (range, name) = bare(*key);
            match (of, above.map(|above| bare(above).1)) {
                (Names::Source, Some(source)) => {
                    if let Some(Met::Dataset(dataset, new)) = self.met_by_name(source, name)
                        && let [new_source, new_table] = &new[..]
                    {
                        let edit = (range.clone(), new_table.clone());
                        self.named(dataset, range.clone(), if new_table == name { vec![] } else { vec![edit] });
                        if new_source != source {
                            self.doubt(dataset, range, "the project's settings know the source by its old name");
                        }
                    }
                }
                (Names::Model, Some(_)) => {
                    if let Met::Dataset(dataset, _) = self.project().model(self.datasets(), None, name) {
                        self.named(dataset, range.clone(), Vec::new());
                        self.doubt(dataset, range, "the project's settings name the model");
                    }
                }
                (_, None) => {}
            }
            self.keys(value, of, Some(*key));
        }
    }
}

/// A key without its quotes, and where it stands in the file.
fn bare(key: Node<'_>) -> (std::ops::Range<usize>, &str) {
    let name = key.text().trim_matches(['"', '\'']);
    let lead = (key.text().len() - name.len()) / 2;
    (key.range().start + lead..key.range().start + lead + name.len(), name)
}
