//! The built binary, as a user runs it.

mod arrival_delay;
mod check_and_publish;
mod harness;
mod refusals;
mod run;
