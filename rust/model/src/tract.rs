//! Graphs on tract: the only file that knows it.
//!
//! A graph is loaded for one row, and runs row by row. So rows are independent and have the same bits whatever runs
//! beside them; tract chooses other kernels for other numbers of rows, and cannot load some operators without the number.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use prost::Message;
use thread_local::ThreadLocal;
use tract_onnx::data_resolver::ModelDataResolver;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::gru_seq::GruSeq;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::ops::scan::Scan;
use tract_onnx::tract_hir::internal::{DimLike, TractErrorContext, bail, ensure};

use crate::element::Element;
use crate::memory::{Cell, Columns, Workspace};
use crate::operators::Step;

/// Stack of the thread that loads a graph, in bytes: shapes are worked out by recursion.
const STACK: usize = 16 << 20;

/// Element types that tract and our columns both hold.
const ELEMENTS: [(Element, DatumType); 10] = [
    (Element::Float, DatumType::F32),
    (Element::Double, DatumType::F64),
    (Element::Int64, DatumType::I64),
    (Element::Int32, DatumType::I32),
    (Element::Int16, DatumType::I16),
    (Element::Int8, DatumType::I8),
    (Element::Uint32, DatumType::U32),
    (Element::Uint16, DatumType::U16),
    (Element::Uint8, DatumType::U8),
    (Element::Bool, DatumType::Bool),
];

/// A graph that is ready to run.
pub(crate) struct Plan {
    plan: Arc<TypedSimplePlan>,
    /// How many steps tract makes of the graph.
    pub steps: usize,
}

/// What a graph makes for one row.
pub(crate) struct Made {
    pub element: Element,
    pub dims: Vec<usize>,
}

/// Loads an ONNX file whose dimensions are all numbers. Says what becomes of all its outputs; a run makes the first `kept`.
/// A tensor of more than `limit` values is refused before there is one.
pub(crate) fn load(file: Vec<u8>, kept: usize, limit: usize) -> Result<(Plan, Vec<Made>), String> {
    let load = move || load_here(&file, kept, limit).map_err(|error| causes(&error));
    let thread = std::thread::Builder::new()
        .name("pelton-tract".to_owned())
        .stack_size(STACK)
        .spawn(load)
        .map_err(|error| format!("no thread to load it on: {error}"))?;
    thread
        .join()
        .unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

fn load_here(file: &[u8], kept: usize, limit: usize) -> TractResult<(Plan, Vec<Made>)> {
    let mut onnx = tract_onnx::onnx();
    onnx.provider = Arc::new(NoFiles);
    let mut typed = onnx
        .parse(&ModelProto::decode(file)?, None)?
        .model
        .into_typed()?;
    forget_rows(&mut typed);
    bounded(&typed, limit)?;
    let outputs = typed.outputs.clone();
    let made = outputs.iter().map(|outlet| {
        let fact = typed.outlet_fact(*outlet)?;
        let known = ELEMENTS.iter().find(|(_, datum)| *datum == fact.datum_type);
        let Some((element, _)) = known else {
            bail!("it makes values of type {:?}", fact.datum_type);
        };
        let dims = fact.shape.as_concrete();
        let dims = dims.context("the shape of what it makes depends on values")?;
        Ok(Made {
            element: *element,
            dims: dims.to_vec(),
        })
    });
    let made = made.collect::<TractResult<Vec<_>>>()?;
    typed.select_output_outlets(&outputs[..kept])?;
    let typed = typed.into_decluttered()?;
    bounded(&typed, limit)?;
    let typed = typed.into_optimized()?;
    bounded(&typed, limit)?;
    let plan = typed.into_runnable()?;
    let steps = plan.order_without_consts().len();
    Ok((Plan { plan, steps }, made))
}

/// Recurrent operators would go on with the state of the row before.
fn forget_rows(model: &mut TypedModel) {
    for node in &mut model.nodes {
        if let Some(scan) = node.op_as_mut::<Scan>() {
            scan.reset_every_turn = true;
            forget_rows(&mut scan.body);
        } else if let Some(gru) = node.op_as_mut::<GruSeq>() {
            gru.reset_every_turn = true;
        }
    }
}

/// Refuses tensors that would be too large; constants are as large as the file made them.
fn bounded(model: &TypedModel, limit: usize) -> TractResult<()> {
    for node in model.nodes().iter().filter(|node| !node.op_is::<Const>()) {
        for output in &node.outputs {
            let volume = output.fact.shape.volume().to_usize();
            let volume = volume.context("the shape of what it makes depends on values")?;
            ensure!(
                volume <= limit,
                "it makes a tensor of {volume} values, more than {limit}"
            );
        }
    }
    Ok(())
}

/// Files beside the model are read before, by us.
struct NoFiles;

impl ModelDataResolver for NoFiles {
    fn read_bytes_from_path(
        &self,
        _: &mut Vec<u8>,
        path: &Path,
        _: usize,
        _: Option<usize>,
    ) -> TractResult<()> {
        bail!("external data in {path:?}")
    }
}

/// An error with its causes, in one line.
fn causes(error: &TractError) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("tract panicked: {}", message.unwrap_or("without a message"))
}

/// A tensor for one row: its columns, and what they hold.
pub(crate) struct Port {
    pub element: Element,
    pub dims: Vec<usize>,
    pub columns: Columns,
    /// Values are ids of so many; others fail their row here.
    pub ids: Option<usize>,
}

/// The step that runs a graph.
pub(crate) struct OnTract {
    plan: Plan,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    /// tract's memory of a run, for every thread; none after a run that failed.
    states: ThreadLocal<RefCell<Option<TypedSimpleState>>>,
}

impl OnTract {
    pub fn new(plan: Plan, inputs: Vec<Port>, outputs: Vec<Port>) -> Self {
        Self {
            plan,
            inputs,
            outputs,
            states: ThreadLocal::new(),
        }
    }

    fn run_row(
        &self,
        state: &mut Option<TypedSimpleState>,
        memory: &mut Workspace,
        row: usize,
    ) -> TractResult<()> {
        let inputs = self.inputs.iter().map(|port| port.read(memory, row));
        let inputs = inputs.collect::<TractResult<TVec<TValue>>>()?;
        let kept = match state {
            Some(state) => state,
            None => state.insert(self.plan.plan.spawn()?),
        };
        let outputs = kept.run(inputs)?;
        for (port, tensor) in self.outputs.iter().zip(&outputs) {
            port.write(tensor, memory, row)?;
        }
        Ok(())
    }
}

impl Step for OnTract {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let state = self.states.get_or_default();
        let mut state = state.borrow_mut();
        for row in 0..n {
            let run = AssertUnwindSafe(|| self.run_row(&mut state, memory, row));
            let failure = match catch_unwind(run) {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => causes(&error),
                Err(panic) => panicked(panic.as_ref()),
            };
            // What a failed run left behind is not looked at again.
            *state = None;
            memory.fail(row, failure);
            return;
        }
    }
}

impl Port {
    fn read(&self, memory: &Workspace, row: usize) -> TractResult<TValue> {
        match self.element {
            Element::Float => self.tensor(memory, row, |x: f32| x),
            Element::Double => self.tensor(memory, row, |x: f64| x),
            Element::Int64 => self.tensor(memory, row, |x: i64| x),
            Element::Int32 => self.tensor(memory, row, |x: i64| x as i32),
            Element::Int16 => self.tensor(memory, row, |x: i64| x as i16),
            Element::Int8 => self.tensor(memory, row, |x: i64| x as i8),
            Element::Uint32 => self.tensor(memory, row, |x: i64| x as u32),
            Element::Uint16 => self.tensor(memory, row, |x: i64| x as u16),
            Element::Uint8 => self.tensor(memory, row, |x: i64| x as u8),
            Element::Bool => self.tensor(memory, row, |x: i64| x != 0),
            Element::String => bail!("strings"),
        }
    }

    fn tensor<C: Cell, T: Datum + Copy>(
        &self,
        memory: &Workspace,
        row: usize,
        f: impl Fn(C) -> T,
    ) -> TractResult<TValue> {
        let columns = self.columns.first..self.columns.first + self.columns.width;
        if let Some(size) = self.ids {
            let ids = columns.clone().map(|column| memory.get::<i64>(column, row));
            for id in ids {
                ensure!(
                    (0..size as i64).contains(&id),
                    "id {id} is outside of a table of {size}"
                );
            }
        }
        let values: Vec<T> = columns.map(|column| f(memory.get(column, row))).collect();
        Ok(Tensor::from_shape(&self.dims, &values)?.into_tvalue())
    }

    fn write(&self, tensor: &Tensor, memory: &mut Workspace, row: usize) -> TractResult<()> {
        let (shape, dims) = (tensor.shape(), &self.dims);
        ensure!(
            shape == &dims[..],
            "it made a tensor {shape:?}, expected {dims:?}"
        );
        match self.element {
            Element::Float => self.values(tensor, memory, row, |x: f32| x),
            Element::Double => self.values(tensor, memory, row, |x: f64| x),
            Element::Int64 => self.values(tensor, memory, row, |x: i64| x),
            Element::Int32 => self.values(tensor, memory, row, |x: i32| i64::from(x)),
            Element::Int16 => self.values(tensor, memory, row, |x: i16| i64::from(x)),
            Element::Int8 => self.values(tensor, memory, row, |x: i8| i64::from(x)),
            Element::Uint32 => self.values(tensor, memory, row, |x: u32| i64::from(x)),
            Element::Uint16 => self.values(tensor, memory, row, |x: u16| i64::from(x)),
            Element::Uint8 => self.values(tensor, memory, row, |x: u8| i64::from(x)),
            Element::Bool => self.values(tensor, memory, row, |x: bool| i64::from(x)),
            Element::String => bail!("strings"),
        }
    }

    fn values<T: Datum + Copy, C: Cell>(
        &self,
        tensor: &Tensor,
        memory: &mut Workspace,
        row: usize,
        f: impl Fn(T) -> C,
    ) -> TractResult<()> {
        let tensor = tensor.try_as_plain_ram()?;
        for (column, value) in tensor.as_slice::<T>()?.iter().enumerate() {
            memory.set(self.columns.first + column, row, f(*value));
        }
        Ok(())
    }
}
