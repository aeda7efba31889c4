//! From decision.toml to a plan, and from a record to its decision.
//!
//! In the order of a decision's life:
//!
//! 1. [`definition`]: decision.toml as it stands, every name and expression with its place.
//! 2. [`expression`]: Flink SQL expressions: parsed, typed, compiled to one list of instructions.
//! 3. [`plan`]: the names as a graph, the graph as steps over columns; and their run.
//! 4. [`Decision`]: all of that, compiled from data, never from paths; immutable and shared.
//! 5. [`examples`]: the records that a decision carries with it, and what must come out.
//! 6. [`publish`]: check, copy, [`manifest`], [`activation`], under a [`metadata`] directory.
//! 7. [`generation`]: a version with all it needs in memory: what a record is evaluated against.
//! 8. [`images`]: what lookups read outside of jobs.
//! 9. [`live`]: a version at work, whose generations follow its dimensions.
//! 10. [`vocabulary`]: the ids of texts, from files of the version.
//! 11. [`batch`]: many records at once, from Arrow columns to Arrow columns.

pub mod activation;
pub mod batch;
mod decision;
pub mod definition;
mod error;
pub mod examples;
pub mod expression;
mod failed;
pub mod generation;
pub mod images;
pub mod live;
pub mod manifest;
pub mod metadata;
pub mod plan;
pub mod publish;
pub mod reserved;
pub mod vocabulary;

pub use decision::{Decision, Sources};
pub use error::{Error, ErrorCode};
pub use failed::{FailedRow, OnError};
pub use generation::{Generation, Pin};
pub use live::LiveDecision;
pub use plan::run::{RunError, Scratch};
