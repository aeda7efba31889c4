//! Arrays of a file, and what they are beside a tensor of a model.

use pelton_model::{Element, Tensor};

/// Values of one type in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub element: Element,
    pub shape: Vec<usize>,
    pub values: Values,
}

/// The values of an array, by what holds them.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    /// Integers of every width, and 0 or 1 for bools.
    I64(Vec<i64>),
    Text(Vec<String>),
}

impl Array {
    /// `float [1000, 4]`
    pub fn show(&self) -> String {
        format!("{} {:?}", self.element.name(), self.shape)
    }

    /// The same values as `element`: floats narrow as Java narrows them, integers have to fit.
    pub fn cast(self, element: Element) -> Result<Array, String> {
        let (from, to) = (self.element, element);
        if from == to {
            return Ok(self);
        }
        let unfit = || format!("{} values are no {}", from.name(), to.name());
        let values = match (to, self.values) {
            (Element::String, _) | (Element::Bool, _) => return Err(unfit()),
            (Element::Float, Values::F64(all)) => narrowed(&all, |x| *x as f32),
            (Element::Float, Values::I64(all)) => narrowed(&all, |x| *x as f32),
            (Element::Double, Values::F32(all)) => widened(&all, |x| f64::from(*x)),
            (Element::Double, Values::I64(all)) => widened(&all, |x| *x as f64),
            (Element::Float | Element::Double, _) => return Err(unfit()),
            (_, Values::I64(all)) => {
                let (least, most) = range(to);
                match all.iter().position(|x| !(least..=most).contains(x)) {
                    Some(at) => return Err(format!("{} at {at} is no {}", all[at], to.name())),
                    None => Values::I64(all),
                }
            }
            _ => return Err(unfit()),
        };
        Ok(Array {
            element,
            shape: self.shape,
            values,
        })
    }
}

fn narrowed<T>(all: &[T], f: impl Fn(&T) -> f32) -> Values {
    Values::F32(all.iter().map(f).collect())
}

fn widened<T>(all: &[T], f: impl Fn(&T) -> f64) -> Values {
    Values::F64(all.iter().map(f).collect())
}

/// The smallest and the largest value of an integer type.
fn range(element: Element) -> (i64, i64) {
    match element {
        Element::Int32 => (i32::MIN.into(), i32::MAX.into()),
        Element::Int16 => (i16::MIN.into(), i16::MAX.into()),
        Element::Int8 => (i8::MIN.into(), i8::MAX.into()),
        Element::Uint32 => (0, u32::MAX.into()),
        Element::Uint16 => (0, u16::MAX.into()),
        Element::Uint8 => (0, u8::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

/// The shape of an array that holds a tensor of `rows` rows.
///
/// The axis of the rows grows with them. A tensor that every row has for itself gets one: a first axis of length 1
/// becomes it, otherwise it stands in front.
pub fn shape_of(tensor: &Tensor, rows: usize) -> Vec<usize> {
    let mut dims = tensor.shape.dims.clone();
    match (tensor.shape.batch, dims.first()) {
        (Some(axis), _) => dims[axis] *= rows,
        (None, _) if rows == 1 => {}
        (None, Some(1)) => dims[0] = rows,
        (None, _) => dims.insert(0, rows),
    }
    dims
}

/// How many rows of a tensor an array of this shape holds.
pub fn rows_of(tensor: &Tensor, shape: &[usize]) -> Option<usize> {
    let dims = &tensor.shape.dims;
    if shape == dims {
        return Some(1);
    }
    let rows = match tensor.shape.batch {
        Some(axis) => shape.get(axis)?.checked_div(*dims.get(axis)?)?,
        None => *shape.first()?,
    };
    (rows > 0 && shape_of(tensor, rows) == shape).then_some(rows)
}

/// `[n, 4]`, as an array of a file has to be.
pub fn expected_shape(tensor: &Tensor) -> String {
    match (tensor.shape.batch, tensor.shape.dims.first()) {
        (Some(_), _) => tensor.shape.to_string(),
        (None, first) => {
            let dims = &tensor.shape.dims[usize::from(first == Some(&1))..];
            let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
            let all = [&["n".to_owned()], &dims[..]].concat();
            format!("{:?} or [{}]", tensor.shape.dims, all.join(", "))
        }
    }
}

/// Where the values of row `row` lie in an array of `rows` rows of a tensor: value `column` of the row at the place that
/// the result says.
pub struct Places {
    rows: usize,
    /// The length of the rows' axis for one row, and the product of the axes behind it.
    own: usize,
    behind: usize,
}

impl Places {
    pub fn new(tensor: &Tensor, rows: usize) -> Places {
        let dims = &tensor.shape.dims;
        let (own, behind) = match tensor.shape.batch {
            Some(axis) => (dims[axis], dims[axis + 1..].iter().product()),
            None => (1, tensor.width),
        };
        Places { rows, own, behind }
    }

    pub fn of(&self, row: usize, column: usize) -> usize {
        let share = self.own * self.behind;
        let (before, within) = (column / share.max(1), column % share.max(1));
        (before * self.rows + row) * share + within
    }
}

#[cfg(test)]
mod tests {
    use pelton_model::Shape;

    use super::*;

    fn tensor(dims: &[usize], batch: Option<usize>) -> Tensor {
        Tensor {
            name: "x".to_owned(),
            element: Element::Float,
            shape: Shape {
                dims: dims.to_vec(),
                batch,
            },
            width: dims.iter().product(),
            first: 0,
            dictionary: None,
            keys: None,
        }
    }

    #[test]
    fn the_axis_of_the_rows_grows() {
        let cases: [(&[usize], Option<usize>, &[usize]); 6] = [
            (&[1, 4], Some(0), &[5, 4]),
            (&[4, 1], Some(1), &[4, 5]),
            (&[3, 4], Some(0), &[15, 4]),
            (&[1, 4], None, &[5, 4]),
            (&[2, 4], None, &[5, 2, 4]),
            (&[], None, &[5]),
        ];
        for (dims, batch, shape) in cases {
            let tensor = tensor(dims, batch);
            assert_eq!(shape_of(&tensor, 5), shape);
            assert_eq!(rows_of(&tensor, shape), Some(5), "{dims:?}");
            assert_eq!(rows_of(&tensor, dims), Some(1), "{dims:?}");
        }
        let rows = tensor(&[1, 4], Some(0));
        for shape in [&[5, 3][..], &[5], &[0, 4], &[5, 4, 1], &[]] {
            assert_eq!(rows_of(&rows, shape), None, "{shape:?}");
        }
        assert_eq!(rows_of(&tensor(&[3, 4], Some(0)), &[16, 4]), None);
        assert_eq!(expected_shape(&tensor(&[1, 4], None)), "[1, 4] or [n, 4]");
        assert_eq!(expected_shape(&rows), "[n, 4]");
    }

    #[test]
    fn rows_lie_where_their_axis_says() {
        // [2, n, 3]: row 1 of 4 is at 3..6 and, behind the first half, at 15..18.
        let middle = Places::new(&tensor(&[2, 1, 3], Some(1)), 4);
        let places: Vec<usize> = (0..6).map(|column| middle.of(1, column)).collect();
        assert_eq!(places, [3, 4, 5, 15, 16, 17]);
        let single = Places::new(&tensor(&[3], None), 4);
        assert_eq!([single.of(0, 2), single.of(2, 1)], [2, 7]);
    }

    #[test]
    fn numbers_are_cast_where_they_fit() {
        let ints = Array {
            element: Element::Int64,
            shape: vec![2],
            values: Values::I64(vec![1, 300]),
        };
        assert_eq!(
            ints.clone().cast(Element::Float).unwrap().values,
            Values::F32(vec![1.0, 300.0])
        );
        assert!(ints.clone().cast(Element::Int16).is_ok());
        let error = ints.clone().cast(Element::Uint8).unwrap_err();
        assert_eq!(error, "300 at 1 is no uint8");
        let error = ints.cast(Element::String).unwrap_err();
        assert_eq!(error, "int64 values are no string");
    }
}
