//! Dimensions: keyed tables of features, held in memory as bytes.
//!
//! In the order of the data's way:
//!
//! 1. [`definition`]: `dimensions/NAME.toml`, its columns, its key, and where its files lie.
//! 2. [`hive`]: the Hive partitions below that place, and the one that is chosen.
//! 3. [`image`]: the chosen Hive partition's Parquet files as rows of bytes with an index on the
//!    key: what a lookup reads.
//!
//! A dimension is loaded once, as one Hive partition.

pub mod definition;
pub mod error;
pub mod hive;
pub mod image;
mod load;

pub use definition::{Choice, Definition};
pub use error::Error;
pub use image::{Image, KeyEncoder, Projection};
