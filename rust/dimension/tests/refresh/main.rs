//! Dimensions that are shared and renewed, over files in temporary directories. Time is what the
//! tests say.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod as_of;
mod planes;
mod renewed;
mod shared;
mod torture;
