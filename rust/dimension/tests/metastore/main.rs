//! Dimensions whose Hive partitions a metastore knows: one that a test plays, and (`make
//! test-metastore`) a real one in a process of its own.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod hostile;
mod played;
mod real;
mod served;
mod warehouse;
