//! What looks at the values of a line together: `ArgMax`, `ArgMin`, `Hardmax`, `TopK`, `CumSum`; and `OneHot`.

use super::elementwise::refuse;
use super::{Operator, Step};
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Made, Value};
use crate::memory::{Cell, Columns, Workspace};
use crate::onnx::node::{CORE, Node};
use crate::shape::{Lines, Shape};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "ArgMax", |node, graph| load_arg(node, graph, true)),
    (CORE, "ArgMin", |node, graph| load_arg(node, graph, false)),
    (CORE, "CumSum", load_cum_sum),
    (CORE, "Hardmax", load_hardmax),
    (CORE, "OneHot", load_one_hot),
    (CORE, "TopK", load_top_k),
];

/// A step that works on one line of one row at a time.
struct Along<T, F> {
    from: Columns,
    lines: Lines,
    work: F,
    read: std::marker::PhantomData<fn(T)>,
}

/// A line of a row: its number, and where its values are.
struct Line<'l> {
    number: usize,
    row: usize,
    first: usize,
    start: u32,
    steps: &'l [u32],
}

impl Line<'_> {
    fn column(&self, i: usize) -> usize {
        self.first + (self.start + self.steps[i]) as usize
    }
    fn get<T: Cell>(&self, memory: &Workspace, i: usize) -> T {
        memory.get(self.column(i), self.row)
    }
}

impl<T: Cell, F: Fn(&Line, &mut Workspace) + Send + Sync> Step for Along<T, F> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        for (number, &start) in self.lines.starts.iter().enumerate() {
            for row in 0..n {
                let line = Line {
                    number,
                    row,
                    first: self.from.first,
                    start,
                    steps: &self.lines.steps,
                };
                (self.work)(&line, memory);
            }
        }
    }
}

fn along<T: Cell>(
    node: &Node,
    graph: &mut Builder,
    from: Columns,
    lines: Lines,
    work: impl Fn(&Line, &mut Workspace) + Send + Sync + 'static,
) {
    let kernel = format!("{} lines of {}", lines.starts.len(), lines.steps.len());
    let step = Along::<T, _> {
        from,
        lines,
        work,
        read: std::marker::PhantomData,
    };
    graph.push(node, kernel, Box::new(step));
}

/// Calls a function with the type of an element's region.
macro_rules! by_region {
    ($element:expr, $function:ident ( $($argument:expr),* )) => {
        match $element.region() {
            Region::F32 => $function::<f32>($($argument),*),
            Region::F64 => $function::<f64>($($argument),*),
            Region::I64 => $function::<i64>($($argument),*),
        }
    };
}

fn own_axis(node: &Node, value: &Value, axis: i64) -> Result<usize, ModelError> {
    if value.element == Element::String {
        return Err(refuse(node, value.element, "a number"));
    }
    let axis = value
        .shape
        .own_axis(axis, &node.operator)
        .map_err(|e| e.at(&node.place()))?;
    if value.shape.dims[axis] == 0 {
        return Err(node.not_supported(format!("axis {axis} of {} is empty", value.shape)));
    }
    Ok(axis)
}

fn load_arg(node: &mut Node, graph: &mut Builder, largest: bool) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let axis = node.int("axis")?.unwrap_or(0);
    let axis = own_axis(node, &value, axis)?;
    let keep = node.flag("keepdims", true)?;
    let last = node.flag("select_last_index", false)?;
    let from = graph.columns(node, &value)?;
    let mut shape = value.shape.clone();
    shape.dims[axis] = 1;
    let to = graph.scratch(Element::Int64, shape.width())?;
    let made = Value::columns(Element::Int64, shape, to);
    let made = if keep {
        made
    } else {
        super::reduce::squeezed(made, &[axis as i64])
    };
    graph.alias(node, 0, made)?;
    let lines = Lines::new(&value.shape, &[axis]);
    by_region!(
        value.element,
        arg(node, graph, from, lines, to, largest, last)
    );
    Ok(())
}

fn arg<T: Cell>(
    node: &Node,
    graph: &mut Builder,
    from: Columns,
    lines: Lines,
    to: Columns,
    largest: bool,
    last: bool,
) {
    along::<T>(node, graph, from, lines, move |line, memory| {
        let mut best = 0;
        for i in 1..line.steps.len() {
            let (x, most): (T, T) = (line.get(memory, i), line.get(memory, best));
            let better = if largest { x > most } else { x < most };
            if better || last && x == most {
                best = i;
            }
        }
        memory.set(to.first + line.number, line.row, best as i64);
    });
}

fn load_hardmax(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let old = graph.opset(node) < 13;
    let axis = node.int("axis")?.unwrap_or(if old { 1 } else { -1 });
    let axis = own_axis(node, &value, axis)?;
    if !value.element.is_float() || old && axis + 1 < value.shape.rank() {
        return Err(node.not_supported("supported are floats, along the last axis before opset 13"));
    }
    let from = graph.columns(node, &value)?;
    let to = graph.make(node, 0, Made::new(value.element, value.shape.clone()))?;
    let lines = Lines::new(&value.shape, &[axis]);
    match value.element {
        Element::Float => hardmax(node, graph, from, lines, to, 1.0f32),
        _ => hardmax(node, graph, from, lines, to, 1.0f64),
    }
    Ok(())
}

fn hardmax<T: Cell>(
    node: &Node,
    graph: &mut Builder,
    from: Columns,
    lines: Lines,
    to: Columns,
    one: T,
) {
    along::<T>(node, graph, from, lines, move |line, memory| {
        let mut best = 0;
        for i in 1..line.steps.len() {
            if line.get::<T>(memory, i) > line.get::<T>(memory, best) {
                best = i;
            }
        }
        for i in 0..line.steps.len() {
            let value = if i == best { one } else { T::default() };
            memory.set(line.column(i) - line.first + to.first, line.row, value);
        }
    });
}

fn load_cum_sum(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let axis = graph.ints(node, 1)?.and_then(|axis| axis.first().copied());
    let axis = axis.ok_or_else(|| node.invalid("input number 1 is missing"))?;
    let axis = own_axis(node, &value, axis)?;
    let (exclusive, reverse) = (node.flag("exclusive", false)?, node.flag("reverse", false)?);
    let from = graph.columns(node, &value)?;
    let to = graph.make(node, 0, Made::new(value.element, value.shape.clone()))?;
    let lines = Lines::new(&value.shape, &[axis]);
    match value.element.region() {
        Region::F32 => cum_sum(
            node,
            graph,
            from,
            lines,
            to,
            (exclusive, reverse),
            |a: f32, b| a + b,
        ),
        Region::F64 => cum_sum(
            node,
            graph,
            from,
            lines,
            to,
            (exclusive, reverse),
            |a: f64, b| a + b,
        ),
        Region::I64 => {
            let wrap = value.element.wrap();
            let add = move |a: i64, b: i64| wrap.apply(a.wrapping_add(b));
            cum_sum(node, graph, from, lines, to, (exclusive, reverse), add);
        }
    }
    Ok(())
}

fn cum_sum<T: Cell>(
    node: &Node,
    graph: &mut Builder,
    from: Columns,
    lines: Lines,
    to: Columns,
    (exclusive, reverse): (bool, bool),
    add: impl Fn(T, T) -> T + Send + Sync + 'static,
) {
    along::<T>(node, graph, from, lines, move |line, memory| {
        let mut sum = T::default();
        let count = line.steps.len();
        for i in 0..count {
            let i = if reverse { count - 1 - i } else { i };
            let next = add(sum, line.get(memory, i));
            memory.set(
                line.column(i) - line.first + to.first,
                line.row,
                if exclusive { sum } else { next },
            );
            sum = next;
        }
    });
}

fn load_top_k(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let axis = node.int("axis")?.unwrap_or(-1);
    let axis = own_axis(node, &value, axis)?;
    let (largest, _) = (node.flag("largest", true)?, node.flag("sorted", true)?);
    let k = match node.int("k")? {
        Some(k) => Some(k),
        None => graph.ints(node, 1)?.and_then(|k| k.first().copied()),
    };
    let length = value.shape.dims[axis];
    let k = k
        .and_then(|k| usize::try_from(k).ok())
        .filter(|k| *k <= length);
    let k = k.ok_or_else(|| node.invalid(format!("k is not between 0 and {length}")))?;
    let from = graph.columns(node, &value)?;
    let mut shape = value.shape.clone();
    shape.dims[axis] = k;
    let values = graph.make(node, 0, Made::new(value.element, shape.clone()))?;
    let places = graph.make(node, 1, Made::new(Element::Int64, shape.clone()))?;
    let lines = Lines::new(&value.shape, &[axis]);
    let out = Lines::new(&shape, &[axis]);
    by_region!(
        value.element,
        top_k(node, graph, from, lines, (values, places, out), largest)
    );
    Ok(())
}

/// Values in order; of equal ones the first. A line goes in one by one, as into a sorted list that is k long.
fn top_k<T: Cell>(
    node: &Node,
    graph: &mut Builder,
    from: Columns,
    lines: Lines,
    (values, places, out): (Columns, Columns, Lines),
    largest: bool,
) {
    let k = out.steps.len();
    along::<T>(node, graph, from, lines, move |line, memory| {
        let row = line.row;
        let at = |i: usize| (out.starts[line.number] + out.steps[i]) as usize;
        for i in 0..line.steps.len() {
            let x: T = line.get(memory, i);
            let held = i.min(k);
            let before = |memory: &Workspace, place: usize| {
                let other: T = memory.get(values.first + at(place), row);
                if largest { x > other } else { x < other }
            };
            let mut place = held;
            while place > 0 && before(memory, place - 1) {
                if place < k {
                    let (moved, number): (T, i64) = (
                        memory.get(values.first + at(place - 1), row),
                        memory.get(places.first + at(place - 1), row),
                    );
                    memory.set(values.first + at(place), row, moved);
                    memory.set(places.first + at(place), row, number);
                }
                place -= 1;
            }
            if place < k {
                memory.set(values.first + at(place), row, x);
                memory.set(places.first + at(place), row, i as i64);
            }
        }
    });
}

/// Ids outside of the depth have no one anywhere.
fn load_one_hot(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let ids = graph.operand(node, 0)?;
    let depth = graph.operand(node, 1)?;
    let values = graph.operand(node, 2)?;
    let depth = super::cast::cast(node, graph, &depth, Element::Int64)?;
    let depth = match depth.values::<i64>().map(<[i64]>::to_vec) {
        Some(depth) => depth,
        None => constant_depth(node, graph)?,
    };
    let depth = depth.first().and_then(|depth| usize::try_from(*depth).ok());
    let depth = depth.ok_or_else(|| node.invalid("the depth is no size"))?;
    let ids = super::cast::cast(node, graph, &ids, Element::Int64)?;
    let rank = ids.shape.rank() as i64 + 1;
    let axis = node.int("axis")?.unwrap_or(-1);
    let axis = crate::shape::axis_of(axis, rank as usize).map_err(|e| e.at(&node.place()))?;
    let mut dims = ids.shape.dims.clone();
    dims.insert(axis, depth);
    graph.check_width(node, &dims)?;
    let shape = Shape {
        dims,
        batch: ids
            .shape
            .batch
            .map(|rows| if rows < axis { rows } else { rows + 1 }),
    };
    if values.data().is_none_or(|data| data.len() != 2) || values.element == Element::String {
        return Err(
            node.not_supported("input number 2 is computed, expected a constant of two numbers")
        );
    }
    let from = graph.columns(node, &ids)?;
    let to = graph.make(node, 0, Made::new(values.element, shape.clone()))?;
    // The lines of the ids are those of the output, which are `depth` long.
    let mut single = shape.clone();
    single.dims[axis] = 1;
    let lines = Lines::new(&single, &[axis]);
    let out = Lines::new(&shape, &[axis]);
    by_region!(
        values.element,
        one_hot(node, graph, from, lines, (to, out), &values)
    );
    Ok(())
}

/// The depth where it is a constant float.
fn constant_depth(node: &Node, graph: &mut Builder) -> Result<Vec<i64>, ModelError> {
    match graph.operand(node, 1)?.data() {
        Some(crate::memory::Data::F32(depth)) => {
            Ok(depth.iter().map(|depth| *depth as i64).collect())
        }
        Some(crate::memory::Data::F64(depth)) => {
            Ok(depth.iter().map(|depth| *depth as i64).collect())
        }
        _ => Err(node.not_supported("input number 1 is computed, expected a constant")),
    }
}

fn one_hot<T: Cell>(
    node: &Node,
    graph: &mut Builder,
    from: Columns,
    lines: Lines,
    (to, out): (Columns, Lines),
    values: &Value,
) {
    let values = values.values::<T>().unwrap_or_default();
    let (off, on) = (values[0], values[1]);
    along::<T>(node, graph, from, lines, move |line, memory| {
        let depth = out.steps.len() as i64;
        let id: i64 = line.get(memory, 0);
        let id = if id < 0 { id + depth } else { id };
        for (i, step) in (0..).zip(&out.steps) {
            let at = to.first + (out.starts[line.number] + step) as usize;
            memory.set(at, line.row, if i == id { on } else { off });
        }
    });
}
