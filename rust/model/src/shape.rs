//! Shapes: what a tensor is for one record, and which of its axes grows with the records.

use crate::error::ModelError;

/// The dimensions of a tensor when one row runs, and the axis that grows with the rows.
///
/// A graph input `[N, 4]` is `[1, 4]` with the rows on axis 0; its transpose is `[4, 1]` with the rows on axis 1. Rows
/// merged with another axis, `[N * 3, 4]`, are `[3, 4]`. Operators work on these dimensions as ONNX says, so what they
/// compute is right for one row; they refuse what would be something else for several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// The dimensions for one row.
    pub dims: Vec<usize>,
    /// The axis that is `n` times as long for `n` rows; `None` for a tensor that every row has for itself.
    pub batch: Option<usize>,
}

impl Shape {
    /// A tensor without rows.
    pub(crate) fn fixed(dims: Vec<usize>) -> Self {
        Self { dims, batch: None }
    }

    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        self.dims.len()
    }

    /// Values in a row: the product of the dimensions.
    pub fn width(&self) -> usize {
        self.dims.iter().product()
    }

    /// The number of an axis that may count from the end.
    pub(crate) fn axis(&self, axis: i64) -> Result<usize, ModelError> {
        axis_of(axis, self.rank())
    }

    /// The same for an axis that must not be that of the rows: `what` would mix them.
    pub(crate) fn own_axis(&self, axis: i64, what: &str) -> Result<usize, ModelError> {
        let axis = self.axis(axis)?;
        if self.batch == Some(axis) {
            return Err(ModelError::not_supported(format!(
                "{what} along axis {axis} of {self} mixes rows; every row is computed alone"
            )));
        }
        Ok(axis)
    }

    /// The product of the dimensions before `axis`, that of the axis, and of those behind it.
    pub(crate) fn around(&self, axis: usize) -> (usize, usize, usize) {
        let before = self.dims[..axis].iter().product();
        let behind = self.dims[axis + 1..].iter().product();
        (before, self.dims[axis], behind)
    }

    /// The steps between neighbours along every axis.
    pub(crate) fn strides(&self) -> Vec<usize> {
        strides(&self.dims)
    }

    /// The shape of both under ONNX's (numpy's) broadcasting.
    pub(crate) fn broadcast(&self, other: &Shape) -> Result<Shape, ModelError> {
        let rank = self.rank().max(other.rank());
        let dim = |shape: &Shape, axis: usize| {
            let missing = rank - shape.rank();
            (axis >= missing).then(|| shape.dims[axis - missing])
        };
        let batch = |shape: &Shape| shape.batch.map(|axis| axis + rank - shape.rank());
        let unfit =
            || ModelError::invalid(format!("the shapes {self} and {other} do not go together"));
        let mut dims = Vec::with_capacity(rank);
        for axis in 0..rank {
            dims.push(
                match (dim(self, axis).unwrap_or(1), dim(other, axis).unwrap_or(1)) {
                    (a, b) if a == b => a,
                    (1, b) => b,
                    (a, 1) => a,
                    _ => return Err(unfit()),
                },
            );
        }
        let batch = match (batch(self), batch(other)) {
            (Some(a), Some(b)) if a != b => {
                return Err(ModelError::not_supported(format!(
                    "the shapes {self} and {other} together mix rows; every row is computed alone"
                )));
            }
            (a, b) => a.or(b),
        };
        if let Some(axis) = batch {
            // The axis of the rows meets another length only where that is 1.
            for shape in [self, other] {
                let has_rows = shape.batch.is_some();
                let fits = match dim(shape, axis) {
                    None => true,
                    Some(dim) if has_rows => dim == dims[axis],
                    Some(dim) => dim == 1,
                };
                if !fits {
                    return Err(ModelError::not_supported(format!(
                        "the shapes {self} and {other} go together for one row only"
                    )));
                }
            }
        }
        Ok(Shape { dims, batch })
    }

    /// For every value of `self`, the number of the value of `from` that is broadcast to it; `None` when they are the
    /// same.
    pub(crate) fn broadcast_index(&self, from: &Shape) -> Option<Vec<u32>> {
        let missing = self.rank() - from.rank();
        if from.dims[..] == self.dims[missing..] && self.width() == from.width() {
            return None;
        }
        let from_strides = from.strides();
        let steps: Vec<usize> = (0..self.rank())
            .map(|axis| match axis.checked_sub(missing) {
                Some(own) if from.dims[own] != 1 => from_strides[own],
                _ => 0,
            })
            .collect();
        Some(walk(&self.dims, &steps))
    }
}

/// `[N, 4]`, as people write it.
impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dims =
            self.dims
                .iter()
                .enumerate()
                .map(|(axis, dim)| match (self.batch == Some(axis), dim) {
                    (true, 1) => "n".to_owned(),
                    (true, dim) => format!("n*{dim}"),
                    (false, dim) => dim.to_string(),
                });
        write!(f, "[{}]", dims.collect::<Vec<_>>().join(", "))
    }
}

/// The number of an axis of `rank` that may count from the end.
pub(crate) fn axis_of(axis: i64, rank: usize) -> Result<usize, ModelError> {
    let counted = if axis < 0 { axis + rank as i64 } else { axis };
    match usize::try_from(counted) {
        Ok(counted) if counted < rank => Ok(counted),
        _ => Err(ModelError::invalid(format!(
            "axis {axis} of a tensor of rank {rank}"
        ))),
    }
}

/// The steps between neighbours along every axis of a row-major tensor.
pub(crate) fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    strides
}

/// The sum of index times step over all axes, for every index of `dims` in row-major order.
pub(crate) fn walk(dims: &[usize], steps: &[usize]) -> Vec<u32> {
    let mut places = vec![0u32];
    for (&dim, &step) in dims.iter().zip(steps) {
        places = (places.iter())
            .flat_map(|&place| (0..dim).map(move |i| place + (i * step) as u32))
            .collect();
    }
    places
}

/// A tensor as lines along some of its axes: value `i` of line `l` is at `starts[l] + steps[i]`.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    pub starts: Vec<u32>,
    pub steps: Vec<u32>,
}

impl Lines {
    /// The lines of `shape` along `axes`.
    pub fn new(shape: &Shape, axes: &[usize]) -> Self {
        let strides = shape.strides();
        let pick = |along: bool| {
            let chosen = (0..shape.rank()).filter(|axis| axes.contains(axis) == along);
            let (dims, steps): (Vec<_>, Vec<_>) =
                chosen.map(|axis| (shape.dims[axis], strides[axis])).unzip();
            walk(&dims, &steps)
        };
        Self {
            starts: pick(false),
            steps: pick(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(dims: &[usize], batch: usize) -> Shape {
        Shape {
            dims: dims.to_vec(),
            batch: Some(batch),
        }
    }

    #[test]
    fn broadcasting_keeps_rows_apart() {
        let matrix = rows(&[1, 4], 0);
        let bias = Shape::fixed(vec![4]);
        assert_eq!(matrix.broadcast(&bias).unwrap(), matrix);
        assert_eq!(bias.broadcast(&matrix).unwrap(), matrix);
        let cube = Shape::fixed(vec![3, 1, 4]);
        assert_eq!(matrix.broadcast(&cube).unwrap(), rows(&[3, 1, 4], 1));
        let three = Shape::fixed(vec![3, 4]);
        assert!(matrix.broadcast(&three).is_err(), "three rows at once");
        assert!(rows(&[1], 0).broadcast(&matrix).is_err(), "[n] with [n, 4]");
        assert!(Shape::fixed(vec![3]).broadcast(&bias).is_err());
    }

    #[test]
    fn an_index_says_what_is_broadcast_where() {
        let to = Shape::fixed(vec![2, 3]);
        assert_eq!(to.broadcast_index(&to), None);
        let index = |dims: &[usize]| to.broadcast_index(&Shape::fixed(dims.to_vec())).unwrap();
        assert_eq!(index(&[3]), [0, 1, 2, 0, 1, 2]);
        assert_eq!(index(&[2, 1]), [0, 0, 0, 1, 1, 1]);
        assert_eq!(index(&[]), [0; 6]);
    }

    #[test]
    fn lines_cover_a_tensor_once() {
        let shape = Shape::fixed(vec![2, 3, 4]);
        let lines = Lines::new(&shape, &[1]);
        let mut all: Vec<u32> = (lines.starts.iter())
            .flat_map(|start| lines.steps.iter().map(move |step| start + step))
            .collect();
        all.sort_unstable();
        assert_eq!(all, (0..24).collect::<Vec<_>>());
        assert_eq!(lines.steps, [0, 4, 8]);
    }
}
