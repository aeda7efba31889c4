//! How a record lies in memory: types, Flink's BinaryRow, and columns over reusable buffers.
//!
//! In the order of a record's way:
//!
//! 1. [`types`]: the logical types of Flink SQL; [`type_parser`] reads them as SQL writes them.
//! 2. [`binary_row`]: a row as Flink lays it out in bytes, read into columns and written from them.
//! 3. [`columns`]: the working memory of one evaluation, in Arrow's layout, for one row or many.
//! 4. [`nested`]: what lies in an `ARRAY`, a `MAP` or a `ROW`, read in place and written; [`scalar`]
//!    is one value on its way.
//! 5. [`arrow`]: the same columns to and from Arrow arrays, for files; [`value`] is any value as
//!    people read it, [`json`] and [`text`] are its forms in files.
//! 6. [`key_group`]: which subtask of Flink a key belongs to.
//!
//! Beside it, what everything that reads text shares: [`report`] collects all errors of a file,
//! each with its line and a caret; [`document`] walks a TOML file with them.
//!
//! This crate depends on nothing else of Pelton.

pub mod arrow;
pub mod binary_row;
pub mod calendar;
pub mod columns;
pub mod document;
pub mod json;
pub mod key_group;
pub mod nested;
pub mod report;
pub mod scalar;
pub mod text;
pub mod type_parser;
pub mod types;
pub mod value;

#[cfg(test)]
mod testing;

pub use types::{DataType, Element, Field};
