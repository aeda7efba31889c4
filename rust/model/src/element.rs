//! Element types, and the regions of memory that hold them.

use crate::error::ModelError;
use crate::onnx::proto::tensor_proto::DataType;

/// The element type of a tensor, as ONNX names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    /// 32-bit float, in the `f32` region.
    Float,
    /// 64-bit float, in the `f64` region.
    Double,
    /// 64-bit integer, in the `i64` region.
    Int64,
    /// 32-bit integer, widened in the `i64` region.
    Int32,
    /// 16-bit integer, widened in the `i64` region.
    Int16,
    /// 8-bit integer, widened in the `i64` region.
    Int8,
    /// Unsigned 32-bit integer, widened in the `i64` region.
    Uint32,
    /// Unsigned 16-bit integer, widened in the `i64` region.
    Uint16,
    /// Unsigned 8-bit integer, widened in the `i64` region.
    Uint8,
    /// 0 or 1 in the `i64` region.
    Bool,
    /// In the `i64` region: a code of [`Tensor::dictionary`](crate::Tensor::dictionary), or a place in
    /// [`Memory::text`](crate::Memory::text).
    String,
}

/// Every element type, with its number in ONNX.
const ELEMENTS: [(Element, DataType); 11] = [
    (Element::Float, DataType::Float),
    (Element::Double, DataType::Double),
    (Element::Int64, DataType::Int64),
    (Element::Int32, DataType::Int32),
    (Element::Int16, DataType::Int16),
    (Element::Int8, DataType::Int8),
    (Element::Uint32, DataType::Uint32),
    (Element::Uint16, DataType::Uint16),
    (Element::Uint8, DataType::Uint8),
    (Element::Bool, DataType::Bool),
    (Element::String, DataType::String),
];

/// What holds the values of an element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Region {
    F32,
    F64,
    I64,
}

impl Element {
    /// The name that ONNX gives the type, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Element::Float => "float",
            Element::Double => "double",
            Element::Int64 => "int64",
            Element::Int32 => "int32",
            Element::Int16 => "int16",
            Element::Int8 => "int8",
            Element::Uint32 => "uint32",
            Element::Uint16 => "uint16",
            Element::Uint8 => "uint8",
            Element::Bool => "bool",
            Element::String => "string",
        }
    }

    /// The element type of a number of ONNX's `TensorProto.DataType`.
    pub(crate) fn of_onnx(number: Option<i32>) -> Result<Self, ModelError> {
        let data_type = DataType::try_from(number.unwrap_or_default());
        let known = ELEMENTS.iter().find(|(_, known)| data_type == Ok(*known));
        known.map(|(element, _)| *element).ok_or_else(|| {
            let name = data_type.map_or("unknown", |t| t.as_str_name());
            let all: Vec<_> = ELEMENTS.iter().map(|(_, t)| t.as_str_name()).collect();
            let known = all.join(", ");
            ModelError::not_supported(format!("element type {name} is not supported; {known} are"))
        })
    }

    /// Its number in ONNX's `TensorProto.DataType`.
    pub(crate) fn to_onnx(self) -> i32 {
        let known = ELEMENTS.iter().find(|(element, _)| *element == self);
        known.map_or(0, |(_, number)| *number as i32)
    }

    pub(crate) fn region(self) -> Region {
        match self {
            Element::Float => Region::F32,
            Element::Double => Region::F64,
            _ => Region::I64,
        }
    }

    pub(crate) fn is_float(self) -> bool {
        self.region() != Region::I64
    }

    /// Not bool, not string.
    pub(crate) fn is_number(self) -> bool {
        !matches!(self, Element::Bool | Element::String)
    }

    pub(crate) fn is_integer(self) -> bool {
        self.is_number() && !self.is_float()
    }

    pub(crate) fn is_unsigned(self) -> bool {
        matches!(self, Element::Uint32 | Element::Uint16 | Element::Uint8)
    }

    /// Bits of an integer.
    pub(crate) fn bits(self) -> u32 {
        match self {
            Element::Int32 | Element::Uint32 | Element::Float => 32,
            Element::Int16 | Element::Uint16 => 16,
            Element::Int8 | Element::Uint8 | Element::Bool => 8,
            _ => 64,
        }
    }

    /// The smallest and the largest value of an integer.
    pub(crate) fn range(self) -> (i64, i64) {
        match (self.is_unsigned(), self.bits()) {
            (true, bits) => (0, (1 << bits) - 1),
            (false, 64) => (i64::MIN, i64::MAX),
            (false, bits) => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        }
    }

    /// How results of 64-bit arithmetic wrap at the width of an integer.
    pub(crate) fn wrap(self) -> Wrap {
        Wrap {
            shift: 64 - self.bits(),
            unsigned: self.is_unsigned(),
        }
    }
}

/// Brings a 64-bit result into the range of a narrower integer, as two's complement does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wrap {
    shift: u32,
    unsigned: bool,
}

impl Wrap {
    #[inline(always)]
    pub fn apply(self, x: i64) -> i64 {
        if self.unsigned {
            ((x as u64) << self.shift >> self.shift) as i64
        } else {
            x << self.shift >> self.shift
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_wrap_at_their_width() {
        let wrapped = |element: Element, x| element.wrap().apply(x);
        assert_eq!(wrapped(Element::Int8, 128), -128);
        assert_eq!(wrapped(Element::Uint8, -1), 255);
        assert_eq!(wrapped(Element::Uint16, 65_536 + 7), 7);
        assert_eq!(wrapped(Element::Int32, 1 << 31), -(1 << 31));
        assert_eq!(wrapped(Element::Int64, i64::MIN), i64::MIN);
    }
}
