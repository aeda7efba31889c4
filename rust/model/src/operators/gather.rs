//! Tables read by id: `Gather`, `GatherElements`, `GatherND`.
//!
//! Ids that are known at load move values (`kernels/moves.rs`). Ids of a row are checked against the table's size: one
//! that is outside fails its row, as it fails the call in ONNX Runtime.

use super::{Operator, Step};
use crate::cpu::Cpu;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Made, Value};
use crate::kernels::lanes::{Number, dispatch};
use crate::kernels::tables::{Copied, Turned, prefetch};
use crate::memory::{Cell, Columns, Workspace};
use crate::onnx::node::{CORE, Node};
use crate::shape::{Shape, strides, walk};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "Gather", load_gather),
    (CORE, "GatherElements", load_elements),
    (CORE, "GatherND", load_nd),
];

/// What ids choose from.
pub(super) enum Table<T> {
    Constant(Vec<T>),
    Columns(Columns),
}

impl<T: Cell> Table<T> {
    fn of(value: &Value) -> Self {
        match value.values::<T>() {
            Some(values) => Table::Constant(values.to_vec()),
            None => Table::Columns(value.own_columns()),
        }
    }
}

/// One id of a tuple: how far a neighbour is, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub step: usize,
    pub size: usize,
}

/// The blocks of a table that tuples of ids choose.
pub(super) struct Blocks {
    /// The first id of every tuple, in columns.
    pub ids: Vec<u32>,
    /// The tuple of every block, and where the block begins when its ids are 0; a tuple has several where axes stand
    /// before the ids.
    pub starts: Vec<(u32, u32)>,
    /// Of the ids of a tuple.
    pub axes: Vec<Axis>,
    /// Values of a block.
    pub len: usize,
}

impl Blocks {
    /// `24 of 8 values`
    pub fn describe(&self) -> String {
        format!("{} of {} values", self.starts.len(), self.len)
    }
}

/// Copies blocks of values, one behind the other.
pub(super) struct Pick<T> {
    pub cpu: Cpu,
    pub table: Table<T>,
    pub blocks: Blocks,
    pub from_ids: Columns,
    pub to: Columns,
}

/// The place that an id means, counted from the end where it is negative.
fn checked(id: i64, size: usize) -> Option<usize> {
    let place = if id < 0 { id + size as i64 } else { id };
    usize::try_from(place).ok().filter(|place| *place < size)
}

fn outside(id: i64, size: usize) -> String {
    format!("the id {id} is outside of 0 to {}", size as i64 - 1)
}

impl<T: Cell> Pick<T> {
    /// Where the ids of a tuple lead from the start of its block.
    pub fn offset(&self, memory: &mut Workspace, tuple: usize, row: usize) -> Option<usize> {
        let first = self.from_ids.first + self.blocks.ids[tuple] as usize;
        let mut offset = 0;
        for (part, axis) in self.blocks.axes.iter().enumerate() {
            let id: i64 = memory.get(first + part, row);
            match checked(id, axis.size) {
                Some(place) => offset += place * axis.step,
                None => {
                    memory.fail(row, outside(id, axis.size));
                    return None;
                }
            }
        }
        Some(offset)
    }
}

/// Places that are known before the first block is copied, so that all of them are on their way from memory.
const TOGETHER: usize = 128;
/// Rows whose blocks are turned together.
const ROWS: usize = 32;

impl<T: Number> Pick<T> {
    fn step(
        cpu: Cpu,
        table: &Value,
        blocks: Blocks,
        from_ids: Columns,
        to: Columns,
    ) -> Box<dyn Step> {
        Box::new(Self {
            cpu,
            table: Table::of(table),
            blocks,
            from_ids,
            to,
        })
    }

    /// One id a block, into a table that is known.
    fn look_up(&self, n: usize, memory: &mut Workspace, table: &[T], axis: Axis) {
        if n == 1 && memory.stride == 1 {
            return self.look_up_row(memory, table, axis);
        }
        let stride = memory.stride;
        let (count, len) = (self.blocks.starts.len(), self.blocks.len);
        for first in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - first);
            let together = TOGETHER / rows;
            for some in (0..count).step_by(together) {
                let blocks = some..count.min(some + together);
                let mut places = [0; TOGETHER];
                for (block, places) in blocks.clone().zip(places.chunks_exact_mut(rows)) {
                    self.find(memory, block, first, places, axis);
                    let places = places.iter();
                    places.for_each(|place| prefetch(table, *place, len));
                }
                for (block, places) in blocks.zip(places.chunks_exact(rows)) {
                    let to = (self.to.first + block * len) * stride + first;
                    let turned = Turned {
                        table,
                        places,
                        block: len,
                        to: &mut T::region_mut(memory)[to..],
                        stride,
                    };
                    dispatch(self.cpu, turned);
                }
            }
        }
    }

    /// Of one row the blocks stand one behind the other.
    fn look_up_row(&self, memory: &mut Workspace, table: &[T], axis: Axis) {
        let (count, len) = (self.blocks.starts.len(), self.blocks.len);
        for first in (0..count).step_by(TOGETHER) {
            let mut places = [0; TOGETHER];
            let places = &mut places[..TOGETHER.min(count - first)];
            for (i, place) in places.iter_mut().enumerate() {
                self.find(memory, first + i, 0, std::slice::from_mut(place), axis);
                prefetch(table, *place, len);
            }
            let to = self.to.part(first * len, places.len() * len);
            let copied = Copied {
                table,
                places,
                block: len,
                to: to.of_mut(T::region_mut(memory), 1),
            };
            dispatch(self.cpu, copied);
        }
    }

    /// Where a block of rows from `first` on is in the table; at its beginning, where the id is outside of it.
    #[inline(always)]
    fn find(
        &self,
        memory: &mut Workspace,
        block: usize,
        first: usize,
        places: &mut [usize],
        axis: Axis,
    ) {
        let (tuple, start) = self.blocks.starts[block];
        let column = self.from_ids.first + self.blocks.ids[tuple as usize] as usize;
        let ids = &memory.i64[column * memory.stride + first..][..places.len()];
        let mut outsiders = false;
        for (place, id) in places.iter_mut().zip(ids) {
            let counted = if *id < 0 {
                id.wrapping_add(axis.size as i64)
            } else {
                *id
            } as usize;
            outsiders |= counted >= axis.size;
            let found = if counted < axis.size { counted } else { 0 };
            *place = start as usize + found * axis.step;
        }
        if outsiders {
            let at = ids.iter().position(|id| checked(*id, axis.size).is_none());
            let at = at.unwrap_or_default();
            let message = outside(ids[at], axis.size);
            memory.fail(first + at, message);
        }
    }
}

impl<T: Number> Step for Pick<T> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        if let (Table::Constant(values), [axis]) = (&self.table, &self.blocks.axes[..])
            && axis.size > 0
        {
            return self.look_up(n, memory, values, *axis);
        }
        for (block, &(tuple, start)) in self.blocks.starts.iter().enumerate() {
            let to = self.to.first + block * self.blocks.len;
            for row in 0..n {
                let Some(offset) = self.offset(memory, tuple as usize, row) else {
                    continue;
                };
                let from = start as usize + offset;
                for k in 0..self.blocks.len {
                    let value = match &self.table {
                        Table::Constant(values) => values[from + k],
                        Table::Columns(columns) => memory.get(columns.first + from + k, row),
                    };
                    T::region_mut(memory)[(to + k) * stride + row] = value;
                }
            }
        }
    }
}

/// Makes output 0 from blocks that tuples of ids choose.
fn pick(
    node: &Node,
    graph: &mut Builder,
    [table, ids]: [&Value; 2],
    blocks: Blocks,
    shape: Shape,
) -> Result<(), ModelError> {
    if !matches!(ids.element, Element::Int64 | Element::Int32) {
        return Err(super::elementwise::refuse(
            node,
            ids.element,
            "int64 or int32",
        ));
    }
    let from_ids = graph.columns(node, ids)?;
    for first in &blocks.ids {
        for (part, axis) in blocks.axes.iter().enumerate() {
            let column = from_ids.first + *first as usize + part;
            graph.ids.read(column, axis.size);
        }
    }
    let mut made = Made::new(table.element, shape);
    made.dictionary = table.dictionary.clone();
    let to = graph.make(node, 0, made)?;
    let kernel = blocks.describe();
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let step = match table.element.region() {
        Region::F32 => Pick::<f32>::step,
        Region::F64 => Pick::<f64>::step,
        Region::I64 => Pick::<i64>::step,
    };
    graph.push(node, kernel, step(cpu, table, blocks, from_ids, to));
    Ok(())
}

fn load_gather(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (table, ids) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    let axis = node.int("axis")?.unwrap_or(0);
    by_id(node, graph, &table, &ids, axis)
}

/// Makes output 0 from what `ids` choose along an axis of `table`.
pub(super) fn by_id(
    node: &Node,
    graph: &mut Builder,
    table: &Value,
    ids: &Value,
    axis: i64,
) -> Result<(), ModelError> {
    let axis = table
        .shape
        .own_axis(axis, "Gather")
        .map_err(|e| e.at(&node.place()))?;
    let (before, size, behind) = table.shape.around(axis);
    let mut dims = table.shape.dims[..axis].to_vec();
    dims.extend(&ids.shape.dims);
    dims.extend(&table.shape.dims[axis + 1..]);
    graph.check_width(node, &dims)?;
    let of_table = table.shape.batch.map(|rows| {
        if rows < axis {
            rows
        } else {
            rows + ids.shape.rank() - 1
        }
    });
    let of_ids = ids.shape.batch.map(|rows| axis + rows);
    if of_table.is_some() && of_ids.is_some() {
        return Err(node
            .not_supported("ids of every row choose among all rows; every row is computed alone"));
    }
    let shape = Shape {
        dims,
        batch: of_table.or(of_ids),
    };
    let count = ids.width();
    if let Some(known) = ids.values::<i64>() {
        let mut index = Vec::with_capacity(before * count * behind);
        for block in 0..before {
            for &id in known {
                let place = checked(id, size).ok_or_else(|| node.invalid(outside(id, size)))?;
                let start = (block * size + place) * behind;
                index.extend(start as u32..(start + behind) as u32);
            }
        }
        return super::moves::gather(node, graph, 0, table, shape, index);
    }
    let starts = (0..before)
        .flat_map(|block| (0..count as u32).map(move |id| (id, (block * size * behind) as u32)));
    let blocks = Blocks {
        ids: (0..count as u32).collect(),
        starts: starts.collect(),
        axes: vec![Axis { step: behind, size }],
        len: behind,
    };
    pick(node, graph, [table, ids], blocks, shape)
}

fn load_elements(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (table, ids) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    let axis = node.int("axis")?.unwrap_or(0);
    let axis = table
        .shape
        .own_axis(axis, "GatherElements")
        .map_err(|e| e.at(&node.place()))?;
    let blocks = elements(node, &table, &ids, axis)?;
    let shape = Shape {
        batch: ids.shape.batch.or(table.shape.batch),
        ..ids.shape.clone()
    };
    pick(node, graph, [&table, &ids], blocks, shape)
}

/// The element of `table` that each one of `ids` chooses along `axis`; the other axes are its own.
pub(super) fn elements(
    node: &Node,
    table: &Value,
    ids: &Value,
    axis: usize,
) -> Result<Blocks, ModelError> {
    let fits = table.shape.rank() == ids.shape.rank()
        && (0..table.shape.rank()).all(|a| a == axis || ids.shape.dims[a] <= table.shape.dims[a]);
    let rows_fit = match (table.shape.batch, ids.shape.batch) {
        (Some(a), Some(b)) => a == b,
        (None, Some(rows)) => table.shape.dims[rows] == 1 && rows != axis,
        _ => true,
    };
    if !fits || !rows_fit {
        return Err(node.not_supported(format!("ids {} do not go with {}", ids.shape, table.shape)));
    }
    let mut steps = table.shape.strides();
    let along = Axis {
        step: std::mem::take(&mut steps[axis]),
        size: table.shape.dims[axis],
    };
    let count = ids.width() as u32;
    Ok(Blocks {
        ids: (0..count).collect(),
        starts: (0..count).zip(walk(&ids.shape.dims, &steps)).collect(),
        axes: vec![along],
        len: 1,
    })
}

fn load_nd(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (table, ids) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    let shared = node.int("batch_dims")?.unwrap_or(0);
    let (rank, ids_rank) = (table.shape.rank(), ids.shape.rank());
    let tuple = ids.shape.dims.last().copied().unwrap_or(0);
    let shared = usize::try_from(shared)
        .ok()
        .filter(|shared| shared + tuple <= rank && *shared < ids_rank && tuple > 0);
    let shared =
        shared.ok_or_else(|| node.invalid(format!("ids {} for {}", ids.shape, table.shape)))?;
    if table.shape.dims[..shared] != ids.shape.dims[..shared] {
        return Err(node.invalid(format!("ids {} for {}", ids.shape, table.shape)));
    }
    let rows_fit = match (table.shape.batch, ids.shape.batch) {
        (Some(a), b) if a < shared => b == Some(a),
        // The rows are in the blocks, and every one takes the same of them.
        (Some(a), None) => a >= shared + tuple,
        (Some(_), _) => false,
        (None, Some(rows)) => rows >= shared && rows + 1 < ids_rank,
        (None, None) => true,
    };
    if !rows_fit {
        return Err(node.not_supported("ids choose among all rows; every row is computed alone"));
    }
    let steps = strides(&table.shape.dims);
    let axes: Vec<Axis> = (shared..shared + tuple)
        .map(|axis| Axis {
            step: steps[axis],
            size: table.shape.dims[axis],
        })
        .collect();
    let block: usize = table.shape.dims[shared + tuple..].iter().product();
    let mut dims = ids.shape.dims[..ids_rank - 1].to_vec();
    let mut tuple_steps = steps[..shared].to_vec();
    tuple_steps.resize(dims.len(), 0);
    let starts = (0..)
        .zip(walk(&dims, &tuple_steps))
        .collect::<Vec<(u32, u32)>>();
    let first_ids = (0..starts.len() as u32).map(|i| i * tuple as u32).collect();
    let of_blocks = (table.shape.batch)
        .filter(|rows| *rows >= shared + tuple)
        .map(|rows| rows - (shared + tuple) + dims.len());
    dims.extend(&table.shape.dims[shared + tuple..]);
    graph.check_width(node, &dims)?;
    let shape = Shape {
        dims,
        batch: ids.shape.batch.or(of_blocks),
    };
    if let Some(known) = ids.values::<i64>() {
        let mut index = Vec::with_capacity(starts.len() * block);
        for (&(_, start), ids) in starts.iter().zip(known.chunks_exact(tuple)) {
            let mut place = start as usize;
            for (&id, axis) in ids.iter().zip(&axes) {
                let at =
                    checked(id, axis.size).ok_or_else(|| node.invalid(outside(id, axis.size)))?;
                place += at * axis.step;
            }
            index.extend(place as u32..(place + block) as u32);
        }
        return super::moves::gather(node, graph, 0, &table, shape, index);
    }
    let blocks = Blocks {
        ids: first_ids,
        starts,
        axes,
        len: block,
    };
    pick(node, graph, [&table, &ids], blocks, shape)
}
