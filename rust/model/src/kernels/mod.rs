//! What several operators compute with. Where a kernel exists in several forms for several processors, the form is
//! chosen when a step runs, and all forms give the same bits.

pub(crate) mod contract;
pub(crate) mod dense;
pub(crate) mod elementwise;
pub(crate) mod fold;
pub(crate) mod lookup;
pub(crate) mod moves;
