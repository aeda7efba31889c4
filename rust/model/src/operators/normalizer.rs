//! `Normalizer`: every row divided by its largest value (MAX), the sum of its magnitudes (L1), or its length (L2).
//!
//! As in ONNX Runtime: a row whose divisor is zero stays as it is, MAX is the largest value and not the largest
//! magnitude, and L2 squares in the type of the input (integers wrap) and gives `sqrt(x^2 / sum)` the sign of `x`.

use super::{Operator, Step};
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Made, Rows};
use crate::memory::{Columns, Workspace};
use crate::onnx::node::{ML, Node};

pub(super) const OPERATORS: &[Operator] = &[(ML, "Normalizer", load)];

struct Normalizer {
    norm: Norm,
    rows: Rows,
    to: Columns,
}

#[derive(Debug, Clone, Copy)]
enum Norm {
    Max,
    L1,
    L2,
}

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let rows = graph.rows(node)?;
    if !rows.element.is_number() {
        return Err(super::elementwise::refuse(node, rows.element, "a number"));
    }
    let norm = match node.string("norm")?.as_deref() {
        None | Some("MAX") => Norm::Max,
        Some("L1") => Norm::L1,
        Some("L2") => Norm::L2,
        Some(other) => {
            return Err(node.invalid(format!(
                "attribute \"norm\" is {other:?}, expected MAX, L1 or L2"
            )));
        }
    };
    let to = graph.make(node, 0, Made::new(Element::Float, rows.wide(rows.width)))?;
    let kernel = format!(
        "{norm:?} of {} columns of {}",
        rows.width,
        rows.element.name()
    );
    graph.push(node, kernel, Box::new(Normalizer { norm, rows, to }));
    Ok(())
}

/// What the norms need of an element, in the arithmetic that its type has.
trait Number: Copy {
    fn to_f32(self) -> f32;
    fn magnitude(self) -> f32;
    fn square(self) -> f32;
}

impl Number for f32 {
    fn to_f32(self) -> f32 {
        self
    }
    fn magnitude(self) -> f32 {
        self.abs()
    }
    fn square(self) -> f32 {
        self * self
    }
}

impl Number for f64 {
    fn to_f32(self) -> f32 {
        self as f32
    }
    fn magnitude(self) -> f32 {
        self.abs() as f32
    }
    fn square(self) -> f32 {
        (self * self) as f32
    }
}

/// An int64, or an int32 that the region has widened: `square` wraps at the width of the tensor's type.
#[derive(Clone, Copy)]
struct Integer<const BITS: u32>(i64);

impl<const BITS: u32> Number for Integer<BITS> {
    fn to_f32(self) -> f32 {
        self.0 as f32
    }
    fn magnitude(self) -> f32 {
        Self::wrapped(self.0.wrapping_abs()) as f32
    }
    fn square(self) -> f32 {
        Self::wrapped(self.0.wrapping_mul(self.0)) as f32
    }
}

impl<const BITS: u32> Integer<BITS> {
    fn wrapped(x: i64) -> i64 {
        if BITS == 32 { i64::from(x as i32) } else { x }
    }
}

impl Step for Normalizer {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        for lead in 0..self.rows.lead {
            let from = self.rows.of(lead, self.rows.columns);
            let (older, to) = memory.split::<f32>(self.to);
            let to = &mut to[lead * self.rows.width * stride..];
            match (self.rows.element.region(), self.rows.element) {
                (Region::F32, _) => self.rows(n, stride, from.of(older.f32, stride), to, |x| x),
                (Region::F64, _) => self.rows(n, stride, from.of(older.f64, stride), to, |x| x),
                (_, Element::Int32) => {
                    self.rows(n, stride, from.of(older.i64, stride), to, Integer::<32>);
                }
                _ => self.rows(n, stride, from.of(older.i64, stride), to, Integer::<64>),
            }
        }
    }
}

impl Normalizer {
    fn rows<T: Copy, N: Number>(
        &self,
        n: usize,
        stride: usize,
        from: &[T],
        to: &mut [f32],
        number: impl Fn(T) -> N + Copy,
    ) {
        let width = self.rows.width;
        for row in 0..n {
            let values = || (0..width).map(|column| number(from[row + column * stride]));
            let divisor = match self.norm {
                Norm::Max => {
                    values().fold(
                        f32::MIN,
                        |max, x| if max < x.to_f32() { x.to_f32() } else { max },
                    )
                }
                Norm::L1 => values().fold(0.0, |sum, x| sum + x.magnitude()),
                Norm::L2 => values().fold(0.0, |sum, x| sum + x.square()),
            };
            for (column, x) in values().enumerate() {
                to[row + column * stride] = match self.norm {
                    _ if divisor == 0.0 => x.to_f32(),
                    Norm::Max | Norm::L1 => x.to_f32() / divisor,
                    Norm::L2 if x.to_f32() < 0.0 => -(x.square() / divisor).sqrt(),
                    Norm::L2 => (x.square() / divisor).sqrt(),
                };
            }
        }
    }
}
