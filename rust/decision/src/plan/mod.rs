//! The plan of a decision: a flat list of steps over one arena of columns.
//!
//! ```text
//! input row -> | Lookup | Eval | Model | Eval | Rules | -> output row
//!                  each reads and writes columns of one `Columns`
//! ```
//!
//! [`graph`] orders the names, [`compile`] makes the steps, [`run`] walks them; a model may loop over the elements of
//! arrays (`each.rs`). Every step says which named columns it reads and writes; what no output needs has no step.

mod compile;
mod each;
pub mod graph;
mod lookup;
mod model;
pub(crate) mod partitions;
pub mod run;
mod sequence;

use std::collections::BTreeMap;
use std::ops::Range;

use pelton_data::binary_row::{RowReader, RowWriter};
use pelton_data::columns::{Layout, Literal, Slot};
use pelton_data::{DataType, Field};
use pelton_dimension::{KeyColumns, Projection};

use crate::definition::Missing;
use crate::expression::Program;
use crate::reserved::Reserved;

use graph::Item;

pub use compile::{References, compile};
pub use model::ModelWork;

/// A compiled decision: immutable, shared by all threads.
#[derive(Debug)]
pub struct Plan {
    /// The input columns in the order of the arguments.
    pub input: Vec<InputColumn>,
    /// The names of the lookups in the order of the file.
    pub lookup_names: Vec<String>,
    /// The lookups in the order of the file, `None` where no output needs one.
    pub lookups: Vec<Option<LookupNeed>>,
    /// The numbers of the lookups as of a time: each record may see another Hive partition.
    pub timed: Vec<usize>,
    /// The steps in the order of a run.
    pub steps: Vec<Step>,
    /// The output columns in the order of the SELECT list.
    pub output: Vec<NamedColumn>,
    /// What the output shows of Pelton's own: the first column of each kind.
    pub reserved: BTreeMap<Reserved, NamedColumn>,
    /// The parts of expressions that are constants: no record computes them.
    pub folded: Vec<Folded>,
    /// The steps that are more than instructions; of a wave of lookups the first.
    stops: Vec<usize>,
    layout: Layout,
    program: Program,
    input_reader: RowReader,
    output_writer: RowWriter,
}

/// A column of the record.
#[derive(Debug, Clone)]
pub struct InputColumn {
    /// Name, type and whether it may be NULL.
    pub field: Field,
    /// Where it is held; `None` where no output needs it.
    pub slot: Option<Slot>,
}

/// A column with a name: readable after a run.
#[derive(Debug, Clone)]
pub struct NamedColumn {
    /// Its name: `risk`, `plane.seats`, `gate.action`.
    pub name: String,
    /// The type of its values.
    pub data_type: DataType,
    /// Where it is held.
    pub slot: Slot,
}

/// A part of an expression that has the same value for every record.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The expression: ``feature `risk` ``, as [`Expression::what`](crate::definition::Expression::what) has it.
    pub what: String,
    /// The part's text.
    pub text: String,
    /// The type of its value.
    pub data_type: DataType,
    /// Its value.
    pub value: Literal,
}

/// What a lookup needs of its dimension.
#[derive(Debug, Clone)]
pub struct LookupNeed {
    /// The lookup's name in the decision.
    pub name: String,
    /// The dimension's name.
    pub dimension: String,
    /// The columns to hold, in the order of a packed row.
    pub columns: Vec<Field>,
    /// The types of the key, in the dimension's order.
    pub key: Vec<DataType>,
}

/// One step: what it is, what it touches, what it does.
#[derive(Debug)]
pub struct Step {
    /// "feature `risk`"
    pub title: String,
    /// What of the definition it computes; `None` for the output.
    pub item: Option<Item>,
    /// The named columns that it reads.
    pub reads: Vec<String>,
    /// The named columns that it writes.
    pub writes: Vec<NamedColumn>,
    /// What it does.
    pub work: Work,
}

/// What a step does.
#[derive(Debug)]
pub enum Work {
    /// Runs expressions.
    Eval(Range<u32>),
    /// Runs the conditions and values of a rule set.
    Rules(RulesWork),
    /// Reads a row of a dimension.
    Lookup(LookupWork),
    /// Runs a model. Much larger than the others.
    Model(Box<ModelWork>),
}

/// A rule set.
#[derive(Debug)]
pub struct RulesWork {
    instructions: Range<u32>,
    /// The condition of each rule, in order. With `hit = "first"` it is computed only where no
    /// earlier one is TRUE.
    pub conditions: Vec<Slot>,
}

/// A lookup by key.
#[derive(Debug)]
pub struct LookupWork {
    /// Which of the decision's lookups it is.
    index: usize,
    /// The instructions that make the key.
    key: Range<u32>,
    /// How many lookups wait together with this one as their first, and the end of the
    /// instructions that make their keys.
    wave: usize,
    wave_end: u32,
    /// The columns that make the key, in the dimension's order.
    pub key_columns: KeyColumns,
    projection: Projection,
    /// Reads the row that an example gives.
    given: RowReader,
    /// The columns, each with its default (a constant).
    values: Vec<(Slot, Slot)>,
    as_of: Option<AsOfWork>,
    missing: Missing,
}

/// The time that a lookup is as of.
#[derive(Debug)]
struct AsOfWork {
    time: Slot,
    /// Its place in [`Plan::timed`].
    place: usize,
}

impl Plan {
    /// The signature of the output.
    pub fn output_fields(&self) -> Vec<Field> {
        let fields = self.output.iter();
        fields
            .map(|column| Field::new(&column.name, column.data_type.clone()))
            .collect()
    }

    /// The constant that a column holds in every record, if it is one.
    pub fn constant(&self, slot: Slot) -> Option<&Literal> {
        self.layout.literal(slot)
    }
}
