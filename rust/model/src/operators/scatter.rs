//! Tables written to by id: `ScatterElements`, `Scatter`, `ScatterND`.

use super::elementwise::{refuse, same_element};
use super::gather::{Axis, Blocks, Pick, Table, elements};
use super::{Operator, Step};
use crate::cpu::Cpu;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Made, Value};
use crate::memory::{Cell, Columns, Workspace};
use crate::onnx::node::{CORE, Node};
use crate::shape::{Shape, strides};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "Scatter", load_elements),
    (CORE, "ScatterElements", load_elements),
    (CORE, "ScatterND", load_nd),
];

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
        for (update, &(tuple, start)) in pick.blocks.starts.iter().enumerate() {
            for row in 0..n {
                let Some(offset) = pick.offset(memory, tuple as usize, row) else {
                    continue;
                };
                for k in 0..pick.blocks.len {
                    let at = pick.to.first + start as usize + offset + k;
                    let old: T = memory.get(at, row);
                    let new: T = memory.get(self.updates.first + update * pick.blocks.len + k, row);
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

/// Makes output 0 a copy of `table` in which `updates` meet the blocks that `ids` choose.
fn scatter(
    node: &Node,
    graph: &mut Builder,
    [table, ids, updates]: [&Value; 3],
    meeting: Meeting,
    blocks: Blocks,
    shape: Shape,
) -> Result<(), ModelError> {
    same_element(node, table, updates)?;
    if table.element == Element::String || !ids.element.is_integer() {
        return Err(refuse(node, table.element, "a number"));
    }
    let (from_ids, updates) = (graph.columns(node, ids)?, graph.columns(node, updates)?);
    let to = graph.make(node, 0, Made::new(table.element, shape))?;
    super::moves::push_gather(node, graph, table, (0..to.width as u32).collect(), to);
    (0..to.width).for_each(|k| graph.ids.changed(to.first + k));
    let kernel = blocks.describe();
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    macro_rules! step {
        ($type:ty, $add:expr, $multiply:expr) => {
            Box::new(Scatter::<$type> {
                pick: Pick {
                    cpu,
                    table: Table::Columns(to),
                    blocks,
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

fn load_elements(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
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
    let blocks = elements(node, &table, &ids, axis)?;
    if updates.shape.dims != ids.shape.dims {
        return Err(node.invalid(format!("updates {} for ids {}", updates.shape, ids.shape)));
    }
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
        blocks,
        shape,
    )
}

fn load_nd(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
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
    let blocks = Blocks {
        ids: (0..count as u32).map(|i| i * tuple as u32).collect(),
        starts: (0..count as u32).map(|i| (i, 0)).collect(),
        axes,
        len: block,
    };
    let shape = table.shape.clone();
    scatter(
        node,
        graph,
        [&table, &ids, &updates],
        meeting,
        blocks,
        shape,
    )
}
