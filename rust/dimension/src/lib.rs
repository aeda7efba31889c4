//! Dimensions: keyed tables of features, held in memory as bytes.
//!
//! In the order of the data's way:
//!
//! 1. [`definition`]: `dimensions/NAME.toml`, its columns, its key, and where its files lie.
//! 2. [`storage`]: the place, listed and read; [`hive`]: the Hive partitions there, and which are
//!    chosen.
//! 3. [`source`]: the rows of their Parquet or ORC files, [`Batch`] by batch.
//! 4. [`image`]: those rows as packed bytes with an index on the key: what a lookup reads; [`load`]
//!    makes it.
//! 5. [`cache`]: the dimensions that a process holds, shared by their users and kept current.
//!    [`refresh`] is one of them, [`snapshot`] what its lookups see; [`timeline`] what a record
//!    sees that is decided as of its own time.
//! 6. [`lookup`]: a row of a key in, rows of columns out, for tables that stand for a dimension.
//! 7. [`inspection`]: a dimension for those who look inside.

mod batch;
pub mod cache;
pub mod counts;
pub mod definition;
pub mod error;
pub mod event;
pub mod figures;
pub mod groups;
pub mod hive;
pub mod image;
pub mod inspection;
pub mod load;
pub mod lookup;
pub mod metastore;
mod origin;
pub mod policy;
pub mod refresh;
pub mod snapshot;
pub mod source;
pub mod storage;
pub mod timeline;

pub use batch::{Batch, Coded};
pub use cache::{Cache, Claim, Request};
pub use counts::Counts;
pub use definition::{Choice, Definition};
pub use error::Error;
pub use event::Event;
pub use figures::Figures;
pub use groups::Groups;
pub use image::{Image, KeyColumns, Projection};
pub use inspection::Inspection;
pub use policy::{Initial, Policy};
pub use snapshot::{Snapshot, View};
pub use storage::Location;
pub use timeline::Timeline;
