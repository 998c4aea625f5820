//! Columns of a table that its schemas don't have.
//!
//! Must not: read a file.

use super::error::{MappingError, nearest};
use super::{Becomes, Column, Expression, Mapping, System};
use crate::dataset::schema::Schemas;

impl Mapping {
    /// Columns that the table speaks of, and that the old or the new dataset lacks, where its schema is given.
    pub fn unknown(&self, schemas: &Schemas) -> Vec<MappingError> {
        let mut errors = Vec::new();
        for name in self.names(System::Table) {
            for (path, new) in [(&name.old, false), (&name.new, true)] {
                let Some(schema) = schemas.of(&path.split('.').collect::<Vec<_>>()) else { continue };
                let known = schemas.columns(schema);
                for column in &self.columns {
                    let spoken = if new { becomes(column) } else { vec![column.name.as_str()] };
                    // What the warehouse adds is in no schema.
                    let lacks = |one: &&str| !one.starts_with('_') && !schemas.has(schema, one);
                    errors.extend(spoken.into_iter().filter(lacks).map(|lacked| MappingError {
                        place: column.place,
                        key: format!("columns.{}", column.name),
                        message: format!("{path} has no column {lacked}, as its schema says"),
                        help: nearest(lacked, &known),
                    }));
                }
            }
        }
        errors.sort_by_key(|error| error.place);
        errors
    }
}

/// The columns of the new dataset that a column becomes.
fn becomes(column: &Column) -> Vec<&str> {
    match &column.becomes {
        Becomes::To(name) => vec![name.as_str()],
        Becomes::Expressions(all) => {
            let mut names: Vec<&str> = all.values().flat_map(Expression::columns).collect();
            names.sort_unstable();
            names.dedup();
            names
        }
        _ => Vec::new(),
    }
}
