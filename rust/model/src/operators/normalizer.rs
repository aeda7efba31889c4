//! `Normalizer`: every row divided by its largest value (MAX), the sum of its magnitudes (L1), or its length (L2).
//!
//! As in ONNX Runtime: a row whose divisor is zero stays as it is, MAX is the largest value and not the largest
//! magnitude, and L2 squares in the type of the input (integers wrap) and gives `sqrt(x^2 / sum)` the sign of `x`.

use super::Step;
use crate::error::ModelError;
use crate::graph::{Builder, Made};
use crate::memory::{Columns, Element, Memory};
use crate::onnx::node::Node;

#[derive(Debug)]
pub(crate) struct Normalizer {
    norm: Norm,
    from: (Element, Columns),
    to: Columns,
}

#[derive(Debug, Clone, Copy)]
enum Norm {
    Max,
    L1,
    L2,
}

pub(super) fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.matrix(node)?;
    if matches!(value.element, Element::Bool | Element::String) {
        return Err(node.invalid(format!(
            "input is of type {}, expected a number",
            value.element.name()
        )));
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
    let to = graph.make(node, 0, Made::matrix(Element::Float, value.columns.width))?;
    let kernel = format!(
        "{norm:?} of {} columns of {}",
        value.columns.width,
        value.element.name()
    );
    graph.push(
        node,
        kernel,
        Step::Normalizer(Normalizer {
            norm,
            from: (value.element, value.columns),
            to,
        }),
    );
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

impl Normalizer {
    pub fn run(&self, n: usize, memory: &mut Memory) {
        let stride = memory.stride;
        let (element, from) = self.from;
        match element {
            Element::Float => {
                let (from, to) = from.and_younger(self.to, memory.f32, stride);
                self.rows(n, stride, from, to, |x| x);
            }
            Element::Double => {
                let (from, to) = (
                    from.of(memory.f64, stride),
                    self.to.of_mut(memory.f32, stride),
                );
                self.rows(n, stride, from, to, |x| x);
            }
            Element::Int32 => {
                let (from, to) = (
                    from.of(memory.i64, stride),
                    self.to.of_mut(memory.f32, stride),
                );
                self.rows(n, stride, from, to, Integer::<32>);
            }
            Element::Int64 | Element::Bool | Element::String => {
                let (from, to) = (
                    from.of(memory.i64, stride),
                    self.to.of_mut(memory.f32, stride),
                );
                self.rows(n, stride, from, to, Integer::<64>);
            }
        }
    }

    fn rows<T: Copy, N: Number>(
        &self,
        n: usize,
        stride: usize,
        from: &[T],
        to: &mut [f32],
        number: impl Fn(T) -> N + Copy,
    ) {
        let width = self.to.width;
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
