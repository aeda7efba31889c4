//! Tree ensembles: from the arrays of the file to a kernel behind one type, chosen once at load.
//!
//! ```text
//! arrays of the file --check--> Forest --pack--> Ranked | Packed<AtMost | Table> --walk--> leaves --> Scores
//! ```

mod forest;
mod kernel;
mod node;
mod packed;
mod ranked;
mod ranked_walk;
mod row;
mod scores;
mod walk;

pub(crate) use forest::{Arrays, WeightArrays};
pub(crate) use kernel::{Ensemble, Kernel};
pub(crate) use node::Value;
pub(crate) use scores::{Aggregate, Classes, Scores};
pub(crate) use walk::Walk;
