//! Rows of files: those that others wrote (`tests/golden/dimension`), and those that are damaged.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod damaged;
mod hostile;
mod hostile_orc;
mod largest;
mod rows;
mod table;
mod thrift;
