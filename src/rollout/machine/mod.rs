//! The states of a rollout and what may follow what: two pure tables, one for waves, one
//! for consumers. Every durable write that moves one of them asks its table first, and
//! the journal says from where to where.
//!
//! Must not: read or write anything, or know why something happens.

pub mod consumer;
pub mod wave;

/// A move that the table does not know: a bug, noticed before it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{subject}: nothing leads from {from} by {event}; nothing was changed, please report this")]
pub struct Forbidden {
    /// Who.
    pub subject: String,
    /// Where it stands.
    pub from: &'static str,
    /// What would have happened.
    pub event: &'static str,
}
