//! Operators that run on tract, since Pelton has none of its own: which they are, and where the rows are in them.
//!
//! An operator belongs here when every row's share is computed alone, and is the same at every run.

use crate::error::ModelError;
use crate::onnx::node::{CONTRIB, CORE, Node};
use crate::shape::{Shape, axis_of};

/// The largest size that an attribute may give.
const MOST: i64 = 1 << 20;

/// An operator that runs on tract.
pub(crate) struct Foreign {
    domain: &'static str,
    name: &'static str,
    /// Inputs that are data: they may have rows, and are never constants of the graph that tract gets, which would
    /// compute with them before their size is known.
    pub data: &'static [usize],
    /// Input number `.0` holds ids of the first axis of input number `.1`; tract does not look whether they are there.
    pub ids: Option<(usize, usize)>,
    /// The input that holds the shape of what is made, which may be computed from the number of rows.
    pub sizes: Option<usize>,
    rows: Rows,
}

/// Where the rows are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// On the first axis of the data and of all that is made.
    First,
    /// The same, where the axis that is transformed is another one.
    Transformed,
    /// As the attribute `layout` says, in inputs and outputs of recurrent layers.
    Recurrent,
    /// Nowhere: what is made has a shape that values give, so they must be constants.
    Table,
}

const fn first(domain: &'static str, name: &'static str, data: &'static [usize]) -> Foreign {
    Foreign {
        domain,
        name,
        data,
        ids: None,
        sizes: None,
        rows: Rows::First,
    }
}

const fn of(name: &'static str, data: &'static [usize], rows: Rows) -> Foreign {
    Foreign {
        domain: CORE,
        name,
        data,
        ids: None,
        sizes: None,
        rows,
    }
}

const FOREIGN: &[Foreign] = &[
    first(CORE, "AveragePool", &[0]),
    first(CORE, "Conv", &[0]),
    first(CORE, "ConvInteger", &[0]),
    first(CORE, "ConvTranspose", &[0]),
    first(CORE, "GlobalAveragePool", &[0]),
    first(CORE, "GlobalLpPool", &[0]),
    first(CORE, "GlobalMaxPool", &[0]),
    first(CORE, "GridSample", &[0, 1]),
    first(CORE, "LRN", &[0]),
    first(CORE, "MaxPool", &[0]),
    first(CORE, "QLinearConv", &[0]),
    Foreign {
        sizes: Some(3),
        ..first(CORE, "Resize", &[0])
    },
    Foreign {
        ids: Some((3, 1)),
        ..first(CORE, "RotaryEmbedding", &[0, 3])
    },
    first(CORE, "STFT", &[0]),
    first(CORE, "SimplifiedLayerNormalization", &[0]),
    first(CONTRIB, "BiasGelu", &[0]),
    first(CONTRIB, "FastGelu", &[0]),
    first(CONTRIB, "MultiHeadAttention", &[0, 1, 2]),
    first(CONTRIB, "QuickGelu", &[0]),
    first(CONTRIB, "SkipLayerNormalization", &[0, 1]),
    of("DFT", &[0], Rows::Transformed),
    of("GRU", &[0], Rows::Recurrent),
    of("LSTM", &[0], Rows::Recurrent),
    of("RNN", &[0], Rows::Recurrent),
    of("BlackmanWindow", &[], Rows::Table),
    of("HammingWindow", &[], Rows::Table),
    of("HannWindow", &[], Rows::Table),
    of("MelWeightMatrix", &[], Rows::Table),
    of("NonMaxSuppression", &[], Rows::Table),
    of("NonZero", &[], Rows::Table),
];

/// Operators that cannot run anywhere here, and why.
const NEVER: &[(&str, &str)] = &[
    ("Bernoulli", RANDOM),
    ("Multinomial", RANDOM),
    ("RandomNormal", RANDOM),
    ("RandomNormalLike", RANDOM),
    ("RandomUniform", RANDOM),
    ("RandomUniformLike", RANDOM),
    ("Unique", SHAPE),
];
const RANDOM: &str =
    "gives something else at every run, and a decision must be the same when it is made again";
pub(crate) const SHAPE: &str =
    "makes a tensor whose shape depends on values; the shapes of a record must not";

/// The operator of a node that runs on tract.
pub(crate) fn find(node: &Node) -> Option<&'static Foreign> {
    FOREIGN
        .iter()
        .find(|foreign| foreign.domain == node.domain && foreign.name == node.operator)
}

/// The names of a domain's operators that run on tract.
pub(super) fn names(domain: &str) -> impl Iterator<Item = &'static str> {
    let of_domain = FOREIGN
        .iter()
        .filter(move |foreign| foreign.domain == domain);
    of_domain.map(|foreign| foreign.name)
}

/// Why an operator can run nowhere here.
pub(super) fn never(node: &Node) -> Option<&'static str> {
    let known = NEVER.iter().find(|(name, _)| *name == node.operator);
    known.filter(|_| node.domain == CORE).map(|(_, why)| *why)
}

impl Foreign {
    /// Refuses sizes for which memory would be taken before tract looks at them.
    pub fn check(&self, node: &Node) -> Result<(), ModelError> {
        for (name, value) in node.integers() {
            let least = match name {
                "kernel_shape" | "strides" | "dilations" | "group" | "size" | "hidden_size" => 1,
                "pads" | "output_padding" | "output_shape" => 0,
                _ => -MOST,
            };
            if !(least..=MOST).contains(&value) {
                return Err(node.invalid(format!(
                    "attribute {name:?} holds {value}, expected {least} to {MOST}"
                )));
            }
        }
        let kernel = node.integers().filter(|(name, _)| *name == "kernel_shape");
        let points = kernel.fold(1i64, |points, (_, size)| points.saturating_mul(size));
        if points > MOST {
            return Err(node.invalid(format!(
                "attribute \"kernel_shape\" has {points} points, expected at most {MOST}"
            )));
        }
        Ok(())
    }

    /// Whether the values of its inputs give the shape of what it makes.
    pub fn is_table(&self) -> bool {
        self.rows == Rows::Table
    }

    /// Where the rows are in what a node makes, from where they are in what it reads; `None` for no rows.
    pub fn rows(
        &self,
        node: &Node,
        inputs: &[Option<Shape>],
        outputs: &[Option<Vec<usize>>],
    ) -> Result<Vec<Option<usize>>, ModelError> {
        let mut share = None;
        for (index, shape) in inputs.iter().enumerate() {
            let Some((shape, rows)) = shape.as_ref().and_then(|s| Some((s, s.batch?))) else {
                continue;
            };
            if self.input_axis(node, index, shape) != Some(rows) {
                let place = node.inputs.get(index).map_or("", String::as_str);
                return Err(node.not_supported(format!(
                    "input {place:?} is {shape}: rows on axis {rows} of it would be mixed; every row is computed alone"
                )));
            }
            share = Some(shape.dims[rows]);
        }
        let axes = outputs.iter().enumerate().map(|(index, dims)| {
            let (Some(share), Some(dims)) = (share, dims) else {
                return Ok(None);
            };
            let axis = self.output_axis(node, index);
            if dims.get(axis) != Some(&share) {
                return Err(node.not_supported(format!(
                    "makes {dims:?} for one row, which has not its rows on axis {axis}"
                )));
            }
            Ok(Some(axis))
        });
        axes.collect()
    }

    /// The axis of input number `index` on which rows stay apart.
    fn input_axis(&self, node: &Node, index: usize, shape: &Shape) -> Option<usize> {
        match self.rows {
            Rows::Table => None,
            Rows::First
                if node.peek("coordinate_transformation_mode") == Some(b"tf_crop_and_resize") =>
            {
                None
            }
            Rows::First => self.data.contains(&index).then_some(0),
            Rows::Transformed => {
                let axis = node.integers().find(|(name, _)| *name == "axis");
                let axis = axis.map_or(1, |(_, axis)| axis);
                let transformed = axis_of(axis, shape.rank()).ok()?;
                // Since opset 20 the axis is an input.
                let by_input = node.inputs.get(2).is_some_and(|name| !name.is_empty());
                (index == 0 && transformed != 0 && !by_input).then_some(0)
            }
            Rows::Recurrent => match index {
                0 | 5 | 6 => Some(if rows_first(node) { 0 } else { 1 }),
                _ => None,
            },
        }
    }

    fn output_axis(&self, node: &Node, index: usize) -> usize {
        match (self.rows, index) {
            (Rows::Recurrent, _) if rows_first(node) => 0,
            (Rows::Recurrent, 0) => 2,
            (Rows::Recurrent, _) => 1,
            _ => 0,
        }
    }
}

/// Whether a recurrent layer has the rows on the first axis.
fn rows_first(node: &Node) -> bool {
    node.integers()
        .any(|(name, value)| name == "layout" && value == 1)
}
