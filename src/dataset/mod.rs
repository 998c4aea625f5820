//! Datasets that are migrated: the mapping tables, and every use of a dataset and of its
//! columns, resolved through the scopes of the code that reads them.
//!
//! [`mapping`] reads tables; [`Datasets`] knows names; [`sql`] finds uses in a syntax
//! tree of SQL; [`decide`] tells what becomes of a unit of them, as a whole or not at all.
//! Must not: know a stage, a rule, or the file system.

mod code;
pub mod dbt;
pub mod decide;
pub mod derive;
mod dialects;
pub mod elsewhere;
pub mod file;
mod flow;
mod given;
mod last;
pub mod mapping;
mod names;
mod net;
mod put_in;
mod queries;
mod replace;
mod reserved;
mod schema;
mod scripts;
pub mod search;
mod speaker;
pub mod sql;
mod text;
pub mod usage;
mod visible;
mod word;

pub use dialects::Dialects;
pub use names::{Datasets, Met, Part, last_part};
pub use queries::{Query, queries};
pub use schema::{MAX_BYTES as MAX_SCHEMA_BYTES, SchemaError, Schemas};
