//! The flat list of instructions, and its one loop.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use fancy_regex::Regex;

use pelton_data::columns::{Columns, MemoryError, Slot};

use super::selection::{SelectionId, Selections};
use crate::vocabulary::Vocabulary;

/// Works on the rows of its call's selection. A plain function: nothing is looked up at run time.
pub(super) type Kernel = fn(&mut Frame<'_>, &Call) -> Result<(), Failure>;

/// What a kernel works on.
pub(super) struct Frame<'a> {
    pub columns: &'a mut Columns,
    pub selections: &'a mut Selections,
    /// Rows of the call.
    pub n: usize,
    /// The number of the instruction to go on at, where it is not the next one.
    pub jump: Option<u32>,
}

/// An instruction: one application of a kernel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub kernel: Kernel,
    /// As many as the kernel reads; the others repeat the first.
    pub args: [Slot; 3],
    pub out: Slot,
    pub under: SelectionId,
    /// A constant of the kernel's own: a precision, a length, a unit.
    pub parameter: i64,
    /// Rows that fail are NULL instead.
    pub or_null: bool,
}

/// Why a kernel stopped. One pointer, so that a kernel's result comes back in a register.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure(Box<EvalError>);

/// The kinds of errors of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvalErrorKind {
    /// The record has no result, as in Flink: division by zero, a CAST of what does not parse.
    Failed,
    /// A NULL came where a model refuses it.
    NullRefused,
    /// There is no memory for the result.
    Memory,
}

/// The first error of an evaluation. Which row it came from is not known when there are several:
/// the caller runs them singly.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalError {
    /// What kind of error it is.
    pub kind: EvalErrorKind,
    /// What went wrong, and in which expression.
    pub message: String,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {}

impl From<MemoryError> for EvalError {
    fn from(error: MemoryError) -> EvalError {
        EvalError {
            kind: EvalErrorKind::Memory,
            message: error.to_string(),
        }
    }
}

impl Failure {
    /// An error of the record's values.
    #[cold]
    pub fn failed(message: impl Into<String>) -> Failure {
        Failure::new(EvalErrorKind::Failed, message)
    }

    /// The kind of error.
    pub fn kind(&self) -> EvalErrorKind {
        self.0.kind
    }

    /// An error of a kind.
    #[cold]
    pub fn new(kind: EvalErrorKind, message: impl Into<String>) -> Failure {
        let message = message.into();
        Failure(Box::new(EvalError { kind, message }))
    }
}

impl From<MemoryError> for Failure {
    #[cold]
    fn from(error: MemoryError) -> Failure {
        Failure(Box::new(error.into()))
    }
}

/// What a kernel reads besides columns, by the number in its call's parameter.
#[derive(Debug, Clone)]
pub(super) enum Resource {
    /// A regular expression.
    Pattern(Arc<Regex>),
    /// The ids of texts.
    Vocabulary(Arc<Vocabulary>),
}

impl Resource {
    fn is(&self, other: &Resource) -> bool {
        match (self, other) {
            (Resource::Pattern(a), Resource::Pattern(b)) => a.as_str() == b.as_str(),
            (Resource::Vocabulary(a), Resource::Vocabulary(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// The same for one evaluation: a pattern with memory of its own to match in.
    pub(super) fn of_one(&self) -> Resource {
        match self {
            Resource::Pattern(pattern) => Resource::Pattern(Arc::new(pattern.as_ref().clone())),
            Resource::Vocabulary(_) => self.clone(),
        }
    }
}

/// All instructions of a decision. Immutable; a step of the plan is a range of it.
#[derive(Debug, Clone, Default)]
pub struct Program {
    pub(super) instructions: Vec<Call>,
    /// Where the instructions come from: each entry holds from its number on.
    pub(super) origins: Vec<(u32, String)>,
    /// Selections besides [`SelectionId::ALL`].
    pub(super) selections: u32,
    /// What kernels read besides columns, by their parameter.
    pub(super) resources: Vec<Resource>,
}

impl Program {
    /// The number of a resource; one that is there already is not kept twice.
    pub(super) fn resource(&mut self, resource: &Resource) -> i64 {
        let known = |other: &Resource| other.is(resource);
        let found = self.resources.iter().position(known).unwrap_or_else(|| {
            self.resources.push(resource.clone());
            self.resources.len() - 1
        });
        found as i64
    }

    /// Selections besides [`SelectionId::ALL`].
    pub(super) fn selections(&self) -> usize {
        self.selections as usize
    }

    /// The number behind the last instruction.
    pub fn end(&self) -> u32 {
        self.instructions.len() as u32
    }

    /// Runs a range of instructions over the first `n` rows. Ranges are run in the order in which
    /// they were compiled, since later ones use what earlier ones computed.
    pub fn run(
        &self,
        range: Range<u32>,
        columns: &mut Columns,
        selections: &mut Selections,
        n: usize,
    ) -> Result<(), EvalError> {
        let mut frame = Frame {
            columns,
            selections,
            n,
            jump: None,
        };
        let instructions = &self.instructions[..range.end as usize];
        let mut next = range.start as usize;
        while let Some(call) = instructions.get(next) {
            if let Err(failure) = (call.kernel)(&mut frame, call) {
                return Err(self.locate(next as u32, failure));
            }
            next += 1;
            // Seldom, and apart from `next`, so that no instruction waits for the last one here.
            if let Some(to) = frame.jump {
                frame.jump = None;
                next = to as usize;
            }
        }
        Ok(())
    }

    /// The error of an instruction, with the text it was compiled from.
    #[cold]
    fn locate(&self, at: u32, Failure(mut error): Failure) -> EvalError {
        let later = self.origins.partition_point(|(first, _)| *first <= at);
        if let Some(known) = later.checked_sub(1) {
            error.message = format!("{}, in {}", error.message, self.origins[known].1);
        }
        *error
    }
}

/// A value for tests and messages.
#[cfg(test)]
pub(super) fn show(literal: &pelton_data::columns::Literal) -> String {
    use pelton_data::columns::Literal::*;
    match literal {
        Null => "NULL".to_string(),
        I8(value) => value.to_string(),
        I16(value) => value.to_string(),
        I32(value) => value.to_string(),
        I64(value) => value.to_string(),
        F32(value) => format!("{value:?}"),
        F64(value) => format!("{value:?}"),
        Timestamp(value) => format!("{}ms {}ns", value.millis, value.nanos),
        Bytes(value) => format!("'{}'", String::from_utf8_lossy(value)),
        I128(value) => value.to_string(),
    }
}
