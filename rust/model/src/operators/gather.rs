//! Tables read by id: `Gather`, `GatherElements`, `GatherND`, `ScatterElements`, `Scatter`, `ScatterND`.
//!
//! Ids that are known at load move values (`kernels/moves.rs`). Ids of a row are checked against the table's size: one
//! that is outside fails its row, as it fails the call in ONNX Runtime.

use super::elementwise::same_element;
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
    (CORE, "Scatter", load_scatter_elements),
    (CORE, "ScatterElements", load_scatter_elements),
    (CORE, "ScatterND", load_scatter_nd),
];

/// What ids choose from.
enum Table<T> {
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
struct Axis {
    step: usize,
    size: usize,
}

/// Copies blocks of values: output block `i` is what the ids of tuple `i` choose, from `starts[i]` on.
struct Pick<T> {
    cpu: Cpu,
    table: Table<T>,
    /// The first id of every tuple, in columns.
    ids: Vec<u32>,
    /// Where a tuple's blocks begin when its ids are 0; several for one tuple where axes stand before the ids.
    starts: Vec<(u32, u32)>,
    axes: Vec<Axis>,
    /// Values of a block.
    block: usize,
    from_ids: Columns,
    to: Columns,
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
    fn offset(&self, memory: &mut Workspace, tuple: usize, row: usize) -> Option<usize> {
        let mut offset = 0;
        for (part, axis) in self.axes.iter().enumerate() {
            let id: i64 = memory.get(self.from_ids.first + self.ids[tuple] as usize + part, row);
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
    /// One id a block, into a table that is known.
    fn look_up(&self, n: usize, memory: &mut Workspace, table: &[T], axis: Axis) {
        if n == 1 && memory.stride == 1 {
            return self.look_up_row(memory, table, axis);
        }
        let stride = memory.stride;
        for first in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - first);
            let together = TOGETHER / rows;
            for some in (0..self.starts.len()).step_by(together) {
                let blocks = some..self.starts.len().min(some + together);
                let mut places = [0; TOGETHER];
                for (block, places) in blocks.clone().zip(places.chunks_exact_mut(rows)) {
                    self.find(memory, block, first, places, axis);
                    let places = places.iter();
                    places.for_each(|place| prefetch(table, *place, self.block));
                }
                for (block, places) in blocks.zip(places.chunks_exact(rows)) {
                    let to = (self.to.first + block * self.block) * stride + first;
                    let turned = Turned {
                        table,
                        places,
                        block: self.block,
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
        for first in (0..self.starts.len()).step_by(TOGETHER) {
            let mut places = [0; TOGETHER];
            let places = &mut places[..TOGETHER.min(self.starts.len() - first)];
            for (i, place) in places.iter_mut().enumerate() {
                self.find(memory, first + i, 0, std::slice::from_mut(place), axis);
                prefetch(table, *place, self.block);
            }
            let to = self.to.part(first * self.block, places.len() * self.block);
            let copied = Copied {
                table,
                places,
                block: self.block,
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
        let (tuple, start) = self.starts[block];
        let column = self.from_ids.first + self.ids[tuple as usize] as usize;
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
        if let (Table::Constant(values), [axis]) = (&self.table, &self.axes[..])
            && axis.size > 0
        {
            return self.look_up(n, memory, values, *axis);
        }
        for (block, &(tuple, start)) in self.starts.iter().enumerate() {
            let to = self.to.first + block * self.block;
            for row in 0..n {
                let Some(offset) = self.offset(memory, tuple as usize, row) else {
                    continue;
                };
                let from = start as usize + offset;
                for k in 0..self.block {
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
#[allow(clippy::too_many_arguments, reason = "the parts of one step")]
fn pick(
    node: &Node,
    graph: &mut Builder,
    table: &Value,
    ids: &Value,
    first_ids: Vec<u32>,
    starts: Vec<(u32, u32)>,
    axes: Vec<Axis>,
    block: usize,
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
    for first in &first_ids {
        for (part, axis) in axes.iter().enumerate() {
            let column = from_ids.first + *first as usize + part;
            graph.ids.read(column, axis.size);
        }
    }
    let mut made = Made::new(table.element, shape);
    made.dictionary = table.dictionary.clone();
    let to = graph.make(node, 0, made)?;
    let kernel = format!("{} of {} values", starts.len(), block);
    let ids = first_ids;
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let step: Box<dyn Step> = match table.element.region() {
        Region::F32 => Box::new(Pick::<f32> {
            cpu,
            table: Table::of(table),
            ids,
            starts,
            axes,
            block,
            from_ids,
            to,
        }),
        Region::F64 => Box::new(Pick::<f64> {
            cpu,
            table: Table::of(table),
            ids,
            starts,
            axes,
            block,
            from_ids,
            to,
        }),
        Region::I64 => Box::new(Pick::<i64> {
            cpu,
            table: Table::of(table),
            ids,
            starts,
            axes,
            block,
            from_ids,
            to,
        }),
    };
    graph.push(node, kernel, step);
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
    let axes = vec![Axis { step: behind, size }];
    let first_ids = (0..count as u32).collect();
    pick(
        node,
        graph,
        table,
        ids,
        first_ids,
        starts.collect(),
        axes,
        behind,
        shape,
    )
}

fn load_elements(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (table, ids) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    let axis = node.int("axis")?.unwrap_or(0);
    let axis = table
        .shape
        .own_axis(axis, "GatherElements")
        .map_err(|e| e.at(&node.place()))?;
    let starts = element_starts(node, &table, &ids, axis)?;
    let step = table.shape.strides()[axis];
    let axes = vec![Axis {
        step,
        size: table.shape.dims[axis],
    }];
    let count = ids.width() as u32;
    let starts = (0..count).zip(starts).collect();
    let shape = Shape {
        batch: ids.shape.batch.or(table.shape.batch),
        ..ids.shape.clone()
    };
    pick(
        node,
        graph,
        &table,
        &ids,
        (0..count).collect(),
        starts,
        axes,
        1,
        shape,
    )
}

/// Where each element of `ids` looks in `table` when its id along `axis` is 0.
fn element_starts(
    node: &Node,
    table: &Value,
    ids: &Value,
    axis: usize,
) -> Result<Vec<u32>, ModelError> {
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
    steps[axis] = 0;
    Ok(walk(&ids.shape.dims, &steps))
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
    pick(
        node, graph, &table, &ids, first_ids, starts, axes, block, shape,
    )
}

/// How an update meets what is there.
#[derive(Debug, Clone, Copy)]
enum Meeting {
    Replace,
    Add,
    Multiply,
    Max,
    Min,
}

impl Meeting {
    fn load(node: &mut Node) -> Result<Self, ModelError> {
        Ok(match node.string("reduction")?.as_deref() {
            None | Some("none") => Meeting::Replace,
            Some("add") => Meeting::Add,
            Some("mul") => Meeting::Multiply,
            Some("max") => Meeting::Max,
            Some("min") => Meeting::Min,
            Some(other) => {
                return Err(node.invalid(format!(
                    "attribute \"reduction\" is {other:?}, expected none, add, mul, max or min"
                )));
            }
        })
    }
}

/// Writes updates into a copy of a table, in their order.
struct Scatter<T> {
    pick: Pick<T>,
    updates: Columns,
    meeting: Meeting,
    add: fn(T, T) -> T,
    multiply: fn(T, T) -> T,
}

impl<T: Cell> Step for Scatter<T> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let pick = &self.pick;
        for (update, &(tuple, start)) in pick.starts.iter().enumerate() {
            for row in 0..n {
                let Some(offset) = pick.offset(memory, tuple as usize, row) else {
                    continue;
                };
                for k in 0..pick.block {
                    let at = pick.to.first + start as usize + offset + k;
                    let old: T = memory.get(at, row);
                    let new: T = memory.get(self.updates.first + update * pick.block + k, row);
                    let met = match self.meeting {
                        Meeting::Replace => new,
                        Meeting::Add => (self.add)(old, new),
                        Meeting::Multiply => (self.multiply)(old, new),
                        Meeting::Max => {
                            if new > old {
                                new
                            } else {
                                old
                            }
                        }
                        Meeting::Min => {
                            if new < old {
                                new
                            } else {
                                old
                            }
                        }
                    };
                    memory.set(at, row, met);
                }
            }
        }
    }
}

/// Where the updates of a scatter go: the starts of their blocks, the first ids and axes of their tuples.
struct Targets {
    starts: Vec<(u32, u32)>,
    first_ids: Vec<u32>,
    axes: Vec<Axis>,
    block: usize,
}

fn scatter(
    node: &Node,
    graph: &mut Builder,
    [table, ids, updates]: [&Value; 3],
    meeting: Meeting,
    targets: Targets,
    shape: Shape,
) -> Result<(), ModelError> {
    same_element(node, table, updates)?;
    if table.element == Element::String || !ids.element.is_integer() {
        return Err(super::elementwise::refuse(node, table.element, "a number"));
    }
    let (from_ids, updates) = (graph.columns(node, ids)?, graph.columns(node, updates)?);
    let to = graph.make(node, 0, Made::new(table.element, shape))?;
    super::moves::push_gather(node, graph, table, (0..to.width as u32).collect(), to);
    (0..to.width).for_each(|k| graph.ids.changed(to.first + k));
    let Targets {
        starts,
        first_ids,
        axes,
        block,
    } = targets;
    let kernel = format!("{} of {} values", starts.len(), block);
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    macro_rules! step {
        ($type:ty, $add:expr, $multiply:expr) => {
            Box::new(Scatter::<$type> {
                pick: Pick {
                    cpu,
                    table: Table::Columns(to),
                    ids: first_ids,
                    starts,
                    axes,
                    block,
                    from_ids,
                    to,
                },
                updates,
                meeting,
                add: $add,
                multiply: $multiply,
            })
        };
    }
    let step: Box<dyn Step> = match table.element.region() {
        Region::F32 => step!(f32, |a, b| a + b, |a, b| a * b),
        Region::F64 => step!(f64, |a, b| a + b, |a, b| a * b),
        Region::I64 => step!(i64, i64::wrapping_add, i64::wrapping_mul),
    };
    graph.push(node, kernel, step);
    Ok(())
}

fn load_scatter_elements(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (table, ids, updates) = (
        graph.operand(node, 0)?,
        graph.operand(node, 1)?,
        graph.operand(node, 2)?,
    );
    let axis = node.int("axis")?.unwrap_or(0);
    let axis = table
        .shape
        .own_axis(axis, "ScatterElements")
        .map_err(|e| e.at(&node.place()))?;
    let meeting = Meeting::load(node)?;
    let starts = element_starts(node, &table, &ids, axis)?;
    if updates.shape.dims != ids.shape.dims {
        return Err(node.invalid(format!("updates {} for ids {}", updates.shape, ids.shape)));
    }
    let count = ids.width() as u32;
    let axes = vec![Axis {
        step: table.shape.strides()[axis],
        size: table.shape.dims[axis],
    }];
    let targets = Targets {
        starts: (0..count).zip(starts).collect(),
        first_ids: (0..count).collect(),
        axes,
        block: 1,
    };
    let batch = [&table, &ids, &updates]
        .iter()
        .find_map(|value| value.shape.batch);
    if batch == Some(axis) {
        return Err(node.not_supported("ScatterElements along the rows mixes them"));
    }
    let shape = Shape {
        batch,
        ..table.shape.clone()
    };
    scatter(
        node,
        graph,
        [&table, &ids, &updates],
        meeting,
        targets,
        shape,
    )
}

fn load_scatter_nd(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (table, ids, updates) = (
        graph.operand(node, 0)?,
        graph.operand(node, 1)?,
        graph.operand(node, 2)?,
    );
    let meeting = Meeting::load(node)?;
    let tuple = ids.shape.dims.last().copied().unwrap_or(0);
    if [&table, &ids, &updates]
        .iter()
        .any(|value| value.shape.batch.is_some())
    {
        return Err(node.not_supported("ids choose among all rows; every row is computed alone"));
    }
    if tuple == 0 || tuple > table.shape.rank() {
        return Err(node.invalid(format!("ids {} for {}", ids.shape, table.shape)));
    }
    let steps = strides(&table.shape.dims);
    let axes = (0..tuple)
        .map(|axis| Axis {
            step: steps[axis],
            size: table.shape.dims[axis],
        })
        .collect();
    let block: usize = table.shape.dims[tuple..].iter().product();
    let count = ids.width() / tuple;
    if updates.width() != count * block {
        return Err(node.invalid(format!("updates {} for ids {}", updates.shape, ids.shape)));
    }
    let targets = Targets {
        starts: (0..count as u32).map(|i| (i, 0)).collect(),
        first_ids: (0..count as u32).map(|i| i * tuple as u32).collect(),
        axes,
        block,
    };
    let shape = table.shape.clone();
    scatter(
        node,
        graph,
        [&table, &ids, &updates],
        meeting,
        targets,
        shape,
    )
}
