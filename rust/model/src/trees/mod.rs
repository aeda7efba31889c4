//! Tree ensembles: from the arrays of the file to a kernel behind one type, chosen once at load.
//!
//! ```text
//! arrays of the file --check--> Forest --pack, tree by tree--> Ranked | Packed<AtMost | Mixed | Table> --walk--> leaves --> Scores
//! ```
//!
//! | kernel | takes | one row | many rows |
//! |---|---|---|---|
//! | `Ranked` | `x <= threshold`; few leaves a tree, few thresholds a feature | 64 trees a register (AVX-512), or a walk | 64 rows a register, 32 with AVX2 |
//! | `Packed<AtMost>` | `x <= threshold`, of at most 1024 views | walks 16 trees at once | walks 16 rows at once |
//! | `Packed<Mixed>` | the same with sets of categories | the same | the same |
//! | `Packed<Table>` | everything else, and doubles | the same | the same |

mod forest;
mod kernel;
mod leaves;
mod node;
mod packed;
mod ranked;
mod ranked_rows;
mod ranked_walk;
mod row;
mod scores;
mod walk;

pub(crate) use forest::{Arrays, Mode, WeightArrays};
pub(crate) use kernel::{Ensemble, Kernel};
pub(crate) use node::Value;
pub(crate) use scores::{Aggregate, Classes, Scores};
pub(crate) use walk::Walk;
