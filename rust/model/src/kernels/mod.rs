//! What several operators compute with. Where a kernel exists in several forms for several processors (`lanes`), the
//! form is chosen by the model's [`crate::cpu::Cpu`], and all forms give the same bits.

pub(crate) mod contract;
pub(crate) mod dense;
pub(crate) mod elementwise;
pub(crate) mod fold;
pub(crate) mod functions;
pub(crate) mod lanes;
pub(crate) mod lookup;
pub(crate) mod machine;
pub(crate) mod moves;
pub(crate) mod paired;
mod panels;
pub(crate) mod smooth;
pub(crate) mod softmax;
mod sparse;
pub(crate) mod standardize;
mod sums;
pub(crate) mod tables;
#[cfg(test)]
mod testing;
