//! What a command line of dbt selects: `dbt run -s source:analytics.users_v1+`.
//!
//! Must not: read a tree, or edit.

use std::ops::Range;

use crate::dataset::Datasets;
use crate::dataset::mapping::System;
use crate::dataset::word::is_word;

/// Sources and models of datasets that a text selects, where a line of it speaks of dbt, and of which mapping.
pub(in crate::dataset) fn selected(text: &str, datasets: &Datasets) -> Vec<(Range<usize>, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        if !line.contains("dbt ") {
            continue;
        }
        for (dataset, mapping) in datasets.mappings.iter().enumerate() {
            for name in mapping.names.iter() {
                let selector = match name.system {
                    System::DbtSource => format!("source:{}", name.old),
                    System::DbtRef => name.old.rsplit('.').next().unwrap_or(&name.old).to_owned(),
                    _ => continue,
                };
                for (place, _) in line.match_indices(&selector) {
                    let end = place + selector.len();
                    let inside = line[..place].ends_with(|c: char| is_word(c) || matches!(c, '.' | '/' | '-'))
                        || line[end..].starts_with(|c: char| is_word(c) || matches!(c, '.' | '/' | '-'));
                    let own = end - name.old.rsplit('.').next().unwrap_or(&name.old).len();
                    if !inside {
                        found.push((at + own..at + end, dataset));
                    }
                }
            }
        }
    }
    found
}
