//! Where a dimension's files lie.

mod location;

pub use location::{Location, WrongLocation};
