//! The built binary, as a user runs it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod arrival_delay;
mod browser;
mod check_and_publish;
mod ddl;
mod dimension;
mod explain;
mod harness;
mod json;
mod model;
mod ranking;
mod refusals;
mod replay;
mod run;
