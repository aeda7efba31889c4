//! A value of the graph while it loads: where it lies, or what it is.

use std::sync::Arc;

use super::builder::Builder;
use crate::element::Element;
use crate::error::ModelError;
use crate::memory::{Cell, Columns, Data, Keys};
use crate::onnx::node::Node;
use crate::shape::Shape;

/// A value of the graph while it loads.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub element: Element,
    pub shape: Shape,
    /// The strings that codes stand for; a string value without is text.
    pub dictionary: Option<Arc<[String]>>,
    /// A map is held as the tensor of its values.
    pub keys: Option<Arc<Keys>>,
    pub place: Place,
}

/// Where a value is.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// Nowhere yet.
    Deferred(Arc<dyn Deferred>),
    /// In columns of the region of its element.
    Columns(Columns),
    /// Known when the model loads.
    Constant(Arc<Constant>),
}

/// How a value is made once its only reader reads it. A reader that knows a better way takes this apart instead
/// ([`Value::deferred`]): a scaled column is never written where a sum can scale it.
pub(crate) trait Deferred: std::any::Any + std::fmt::Debug {
    /// Pushes the steps that write the value into columns.
    fn make(&self, graph: &mut Builder) -> Result<Columns, ModelError>;

    /// Whether several readers may each take it apart: nothing is computed twice.
    fn is_free(&self) -> bool {
        false
    }
}

/// The values of a constant in row-major order.
#[derive(Debug)]
pub(crate) struct Constant {
    pub data: Data,
    /// What it is for two rows, where it depends on the number of rows: a shape does.
    pub for_two: Option<Data>,
}

/// A number of a shape: itself for one row, and whether it grows with the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub value: i64,
    pub grows: bool,
}

impl Value {
    pub fn columns(element: Element, shape: Shape, columns: Columns) -> Self {
        Self {
            element,
            shape,
            dictionary: None,
            keys: None,
            place: Place::Columns(columns),
        }
    }

    /// A value that its reader makes.
    pub fn later(element: Element, shape: Shape, how: impl Deferred) -> Self {
        Self {
            element,
            shape,
            dictionary: None,
            keys: None,
            place: Place::Deferred(Arc::new(how)),
        }
    }

    /// Whether a value that is deferred may have several readers.
    pub fn is_free(&self) -> bool {
        matches!(&self.place, Place::Deferred(how) if how.is_free())
    }

    /// How the value will be made, if that is a `D`.
    pub fn deferred<D: Deferred>(&self) -> Option<&D> {
        match &self.place {
            Place::Deferred(how) => (&**how as &dyn std::any::Any).downcast_ref(),
            _ => None,
        }
    }

    pub fn constant(element: Element, dims: Vec<usize>, data: Data) -> Self {
        let constant = Constant {
            data,
            for_two: None,
        };
        Self {
            element,
            shape: Shape::fixed(dims),
            dictionary: None,
            keys: None,
            place: Place::Constant(Arc::new(constant)),
        }
    }

    pub fn with_dictionary(mut self, dictionary: Option<Arc<[String]>>) -> Self {
        self.dictionary = dictionary;
        self
    }

    /// The same values in another shape.
    pub fn reshaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    pub fn width(&self) -> usize {
        self.shape.width()
    }

    /// The columns of a value that is made; of a constant its own, from 0 on.
    pub fn own_columns(&self) -> Columns {
        let own = Columns {
            first: 0,
            width: self.width(),
        };
        match &self.place {
            Place::Columns(columns) => *columns,
            Place::Constant(_) | Place::Deferred(_) => own,
        }
    }

    /// The values of a constant.
    pub fn data(&self) -> Option<&Data> {
        match &self.place {
            Place::Constant(constant) => Some(&constant.data),
            Place::Columns(_) | Place::Deferred(_) => None,
        }
    }

    /// The values of a constant of `T`'s region.
    pub fn values<T: Cell>(&self) -> Option<&[T]> {
        self.data().map(T::constant)
    }

    /// The strings of a constant.
    pub fn strings(&self) -> Option<Vec<&str>> {
        let dictionary = self.dictionary.as_deref()?;
        let codes = self.values::<i64>()?.iter();
        Some(
            codes
                .map(|code| dictionary[*code as usize].as_str())
                .collect(),
        )
    }

    /// Whether a constant depends on the number of rows.
    pub fn depends_on_rows(&self) -> bool {
        matches!(&self.place, Place::Constant(constant) if constant.for_two.is_some())
    }

    /// The numbers of a constant shape.
    pub fn sizes(&self, node: &Node) -> Result<Option<Vec<Size>>, ModelError> {
        let Place::Constant(constant) = &self.place else {
            return Ok(None);
        };
        let one = i64::constant(&constant.data);
        let two = constant.for_two.as_ref().map_or(one, i64::constant);
        let sizes = one.iter().zip(two).map(|(&value, &for_two)| {
            let grows = value != for_two;
            if grows && for_two != 2 * value {
                let message = "computes a shape that does not grow with the number of rows";
                return Err(node.not_supported(message));
            }
            Ok(Size { value, grows })
        });
        sizes.collect::<Result<_, _>>().map(Some)
    }
}
