//! Flink SQL's expressions: from text to instructions over columns, with Flink's results.
//!
//! In the order of an expression's way:
//!
//! 1. [`parse`]: text to [`Expr`], by Flink's lexical rules, precedence and reserved words.
//! 2. [`type_check`]: [`Expr`] to [`Typed`], with Flink's types and implicit casts. Names mean
//!    what a [`Scope`] says. Every function stands in `functions`, its types beside its kernel.
//! 3. [`Compiler`]: [`Typed`] to one flat list of instructions. Constants are folded, what occurs
//!    twice is computed once, CASE, AND and OR evaluate under a selection of rows.
//! 4. [`Program::run`]: the instructions over [`Columns`](pelton_data::columns::Columns), for one
//!    row or many; allocates nothing, reports the first error with the text it came from.

mod ast;
mod branch;
mod choose;
mod compile;
mod constants;
mod functions;
mod lexer;
mod parser;
mod program;
mod reserved;
mod selection;
mod tensor;
mod typing;

use pelton_data::calendar;

pub use ast::{Expr, SelectItem};
pub use compile::{Case, Chosen, Compiler, NullAs, value_of};
pub use constants::constant;
pub use functions::cast::cast;
pub use parser::{parse, parse_select_list};
pub use program::{EvalError, EvalErrorKind, Program};
pub use reserved::identifier;
pub use selection::{SelectionId, Selections};
pub use tensor::{TensorColumn, TensorColumns};
pub use typing::{Scope, Typed, common_type, longest, type_check};

#[cfg(test)]
mod batches;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
