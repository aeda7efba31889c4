//! Kernels that exist in several forms for several processors, chosen at load. All forms give the same bits.

pub(crate) mod multiply;
