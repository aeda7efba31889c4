//! One evaluation: the steps in turn, over the columns of a [`Scratch`].

use std::sync::Arc;

use pelton_data::binary_row::RowError;
use pelton_data::columns::{Columns, Literal, MemoryError, Slot};
use pelton_dimension::image::{NotLoaded, Probe};
use pelton_dimension::{Counts, Image, Timeline};

use super::lookup;
use super::model::ModelScratch;
use super::partitions::Seen;
use super::{Plan, Step, Work};
use crate::error::ErrorCode;
use crate::expression::{EvalError, EvalErrorKind, Selections};
use crate::generation::dimension_code;

/// The whole state of one evaluation. One a thread; thrown away after a caught panic.
pub struct Scratch {
    /// Every column of the plan: inputs, features, tensors, outputs.
    pub columns: Columns,
    selections: Selections,
    /// One a model of the plan, in the order of the steps.
    pub(super) models: Vec<ModelScratch>,
    /// The lookups of one row that are under way; `None` where a NULL is part of the key.
    pub(super) probes: Vec<Option<Probe>>,
    /// One a lookup of the plan.
    pub(super) counts: Arc<[Counts]>,
    /// Which Hive partitions the rows have seen, of the lookups as of a time.
    pub(super) seen: Seen,
    /// How many lookups of this record are done.
    pub(super) done: usize,
    /// How many were done when the last run ended because a Hive partition is not there yet, and when
    /// the one before it did.
    pub(super) waits: Option<usize>,
    pub(super) waited: Option<usize>,
}

/// Where a lookup finds its rows.
#[derive(Debug)]
pub enum Rows {
    /// In a dimension's image.
    Image(Arc<Image>),
    /// In the image that is valid at the record's time.
    AsOf(Arc<Timeline>),
    /// Nowhere: what is loaded may not be used, for this reason.
    Unusable(pelton_dimension::Error),
    /// One packed row, or none, whatever the key: an example carries its lookup rows.
    Given(Option<Vec<u8>>),
}

/// Why a record has no decision.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An expression failed, or met a NULL where none may be.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The bytes of a row do not hold what the signature says.
    #[error("{title}: {cause}")]
    Row {
        /// Which row: "the input row", "lookup `plane`".
        title: String,
        /// What is wrong with it.
        cause: RowError,
    },
    /// A lookup with `missing = "error"` found nothing.
    #[error("{title}: no row for its key, and `missing = \"error\"`")]
    Missing {
        /// "lookup `plane`"
        title: String,
    },
    /// A lookup's image holds other key groups.
    #[error(transparent)]
    NotLoaded(#[from] NotLoaded),
    /// A lookup's dimension may not be used.
    #[error("{title}: {cause}")]
    Unusable {
        /// "lookup `plane`"
        title: String,
        /// Why not.
        cause: pelton_dimension::Error,
    },
    /// A model met a value that it cannot compute with.
    #[error("{title}: {cause}")]
    Model {
        /// "model `delay`"
        title: String,
        /// What it met, and at which step.
        cause: pelton_model::RunError,
    },
    /// No memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl RunError {
    /// The code that users see.
    pub fn code(&self) -> ErrorCode {
        match self {
            RunError::Eval(error) => match error.kind {
                EvalErrorKind::Failed => ErrorCode::EvaluationFailed,
                EvalErrorKind::NullRefused => ErrorCode::NullRefused,
                EvalErrorKind::Memory => ErrorCode::OutOfMemory,
            },
            RunError::Row { .. } => ErrorCode::ArgumentMismatch,
            RunError::Missing { .. } => ErrorCode::NullRefused,
            RunError::Unusable { cause, .. } => dimension_code(cause),
            RunError::NotLoaded(_) => ErrorCode::DimensionUnavailable,
            RunError::Model { .. } => ErrorCode::EvaluationFailed,
            RunError::Memory(cause) => cause.into(),
        }
    }
}

impl Scratch {
    /// The state for evaluations of up to `capacity` rows at once.
    /// `reserved` are the values of [`Plan::reserved`], the same for every row.
    pub fn new(
        plan: &Plan,
        capacity: usize,
        reserved: &[(Slot, Literal)],
    ) -> Result<Scratch, MemoryError> {
        Ok(Scratch {
            columns: Columns::with_literals(&plan.layout, capacity, reserved)?,
            selections: Selections::new(&plan.program, capacity)?,
            models: plan.model_scratch(),
            probes: Vec::new(),
            counts: plan.lookups.iter().map(|_| Counts::default()).collect(),
            seen: Seen::new(plan.timed.len(), capacity),
            done: 0,
            waits: None,
            waited: None,
        })
    }

    /// Whether the last record has no decision only because a Hive partition is not there yet, and
    /// `late = "wait"`: decide it again after the next refresh.
    pub fn waits(&self) -> bool {
        self.waits.is_some()
    }

    /// Whether the lookup under way is counted, and that it is late: once, though a record that has
    /// waited runs again from its first lookup.
    pub(super) fn is_begun(&self) -> bool {
        self.waited.is_none_or(|waited| self.done > waited)
    }

    /// Whether it is counted what the lookup under way has come to.
    pub(super) fn is_ended(&self) -> bool {
        self.waited.is_none_or(|waited| self.done >= waited)
    }

    /// Counts what lookups do in `counts`, one a lookup of the plan, from now on.
    pub fn count_in(&mut self, counts: Arc<[Counts]>) {
        self.counts = counts;
    }
}

impl Plan {
    /// Decides one record: a BinaryRow of the input columns. The output stands in the scratch
    /// until the next call, for [`Plan::write_output`].
    pub fn run_row(
        &self,
        rows: &[Rows],
        scratch: &mut Scratch,
        row: &[u8],
    ) -> Result<(), RunError> {
        scratch.columns.clear();
        self.read_input(scratch, 0, row)?;
        self.run(rows, scratch, 1)
    }

    /// Reads a BinaryRow of the input columns as row number `at` of a batch. The scratch's columns
    /// are cleared before the first.
    pub fn read_input(&self, scratch: &mut Scratch, at: usize, row: &[u8]) -> Result<(), RunError> {
        let read = self.input_reader.read(row, &mut scratch.columns, at);
        read.map_err(|cause| RunError::Row {
            title: "the input row".to_owned(),
            cause,
        })
    }

    /// Runs the steps over the first `n` rows of the scratch, whose input columns are set. An
    /// error is that of some row; with `n` = 1 it is that row's.
    pub fn run(&self, rows: &[Rows], scratch: &mut Scratch, n: usize) -> Result<(), RunError> {
        if n == 0 {
            return Ok(());
        }
        scratch.waited = std::mem::take(&mut scratch.waits);
        scratch.done = 0;
        // The instructions of all steps lie one behind the other: what stands between two steps
        // that are more than instructions runs in one go.
        let mut done = 0;
        for stop in &self.stops {
            match &self.steps[*stop].work {
                Work::Eval(_) | Work::Rules(_) => {}
                Work::Lookup(first) => {
                    let wave = &self.steps[*stop..*stop + first.wave];
                    let keys = done..first.wave_end;
                    self.eval(&keys, scratch, n)?;
                    lookup::run(wave, rows, scratch, n)?;
                    done = keys.end;
                }
                Work::Model(model) => {
                    self.eval(&(done..model.inputs.end), scratch, n)?;
                    model.run(
                        &mut scratch.columns,
                        &mut scratch.models[model.place],
                        n,
                        &self.steps[*stop].title,
                    )?;
                    done = model.inputs.end;
                }
            }
        }
        self.eval(&(done..self.program.end()), scratch, n)?;
        Ok(self.write_partitions(rows, scratch, n)?)
    }

    /// Runs one step: what the benchmark times.
    pub fn step(
        &self,
        step: &Step,
        rows: &[Rows],
        scratch: &mut Scratch,
        n: usize,
    ) -> Result<(), RunError> {
        match &step.work {
            Work::Eval(range) => {
                self.eval(range, scratch, n)?;
                match step.item {
                    Some(_) => Ok(()),
                    None => Ok(self.write_partitions(rows, scratch, n)?),
                }
            }
            Work::Rules(rules) => self.eval(&rules.instructions, scratch, n),
            Work::Lookup(lookup) => {
                self.eval(&lookup.key, scratch, n)?;
                lookup::run(std::slice::from_ref(step), rows, scratch, n)
            }
            Work::Model(model) => {
                self.eval(&model.inputs, scratch, n)?;
                model.run(
                    &mut scratch.columns,
                    &mut scratch.models[model.place],
                    n,
                    &step.title,
                )?;
                self.eval(&model.outputs, scratch, n)
            }
        }
    }

    /// Writes the output of a row as a BinaryRow and returns its length; if `target` is shorter,
    /// what it holds means nothing.
    pub fn write_output(
        &self,
        scratch: &Scratch,
        row: usize,
        target: &mut [u8],
    ) -> Result<usize, RunError> {
        Ok(self.output_writer.write(&scratch.columns, row, target)?)
    }

    fn model_scratch(&self) -> Vec<ModelScratch> {
        let works = self.steps.iter().filter_map(|step| match &step.work {
            Work::Model(model) => Some(model.scratch()),
            _ => None,
        });
        works.collect()
    }

    fn eval(
        &self,
        range: &std::ops::Range<u32>,
        scratch: &mut Scratch,
        n: usize,
    ) -> Result<(), RunError> {
        let Scratch {
            columns,
            selections,
            ..
        } = scratch;
        Ok(self.program.run(range.clone(), columns, selections, n)?)
    }
}
