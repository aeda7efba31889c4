//! The values of a stored tensor: typed fields, raw little-endian bytes, or a file beside the model.

use std::path::{Component, Path};

use super::External;
use super::proto::TensorProto;
use super::proto::tensor_proto::{DataLocation, DataType};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::Value;
use crate::memory::Data;

/// An element type that tensors of a file are read as.
pub(crate) trait Stored: Copy + Sized {
    const TYPE: DataType;
    const BYTES: usize;
    /// The values of the typed field.
    fn typed(tensor: &mut TensorProto) -> Vec<Self>;
    /// One value of [`Self::BYTES`] little-endian bytes.
    fn read(bytes: &[u8]) -> Self;
}

macro_rules! stored {
    ($type:ty, $data_type:expr, $field:ident) => {
        impl Stored for $type {
            const TYPE: DataType = $data_type;
            const BYTES: usize = size_of::<$type>();
            fn typed(tensor: &mut TensorProto) -> Vec<Self> {
                std::mem::take(&mut tensor.$field)
            }
            fn read(bytes: &[u8]) -> Self {
                let mut value = [0; Self::BYTES];
                value.copy_from_slice(bytes);
                <$type>::from_le_bytes(value)
            }
        }
    };
}

stored!(f32, DataType::Float, float_data);
stored!(f64, DataType::Double, double_data);
stored!(i64, DataType::Int64, int64_data);

/// All values of `tensor`, in the order of the file. Nothing is allocated before the stored bytes are known to be there.
pub(crate) fn values<T: Stored>(
    mut tensor: TensorProto,
    external: External,
) -> Result<Vec<T>, ModelError> {
    let data_type = tensor.data_type.unwrap_or_default();
    if data_type != T::TYPE as i32 {
        let found = DataType::try_from(data_type).map_or("unknown", |t| t.as_str_name());
        let wanted = T::TYPE.as_str_name();
        return Err(ModelError::not_supported(format!(
            "tensor of type {found}, expected {wanted}"
        )));
    }
    let dims = dimensions(&tensor)?;
    let values = if tensor.data_location == Some(DataLocation::External as i32) {
        from_bytes(&external_bytes(&tensor, external)?)?
    } else if let Some(raw) = &tensor.raw_data {
        from_bytes(raw)?
    } else {
        T::typed(&mut tensor)
    };
    check_count(&dims, values.len())?;
    Ok(values)
}

/// A stored tensor as a constant of the graph.
pub(crate) fn constant(mut tensor: TensorProto, external: External) -> Result<Value, ModelError> {
    let element = Element::of_onnx(tensor.data_type)?;
    let dims = dimensions(&tensor)?;
    let data = match element {
        Element::Float => Data::F32(values(tensor, external)?),
        Element::Double => Data::F64(values(tensor, external)?),
        Element::Int64 => Data::I64(values(tensor, external)?),
        Element::String => {
            let strings: Result<Vec<_>, _> = tensor
                .string_data
                .drain(..)
                .map(String::from_utf8)
                .collect();
            let strings =
                strings.map_err(|_| ModelError::invalid("tensor of text that is not UTF-8"))?;
            check_count(&dims, strings.len())?;
            let codes = Data::I64((0..strings.len() as i64).collect());
            let value = Value::constant(element, dims, codes);
            return Ok(value.with_dictionary(Some(strings.into())));
        }
        Element::Int32 => small(tensor, external, i32::from_le_bytes)?,
        Element::Int16 => small(tensor, external, i16::from_le_bytes)?,
        Element::Int8 => small(tensor, external, i8::from_le_bytes)?,
        Element::Uint32 => small(tensor, external, u32::from_le_bytes)?,
        Element::Uint16 => small(tensor, external, u16::from_le_bytes)?,
        Element::Uint8 | Element::Bool => small(tensor, external, u8::from_le_bytes)?,
    };
    Ok(Value::constant(element, dims, data))
}

/// Integers below 64 bits, which typed fields hold as int32 (uint32 as uint64).
fn small<T: Into<i64>, const BYTES: usize>(
    tensor: TensorProto,
    external: External,
    read: impl Fn([u8; BYTES]) -> T,
) -> Result<Data, ModelError> {
    let dims = dimensions(&tensor)?;
    let from_bytes = |bytes: &[u8]| {
        check_multiple(bytes, BYTES)?;
        let value = |chunk: &[u8]| {
            let mut value = [0; BYTES];
            value.copy_from_slice(chunk);
            read(value).into()
        };
        Ok(bytes.chunks_exact(BYTES).map(value).collect())
    };
    let values: Vec<i64> = if tensor.data_location == Some(DataLocation::External as i32) {
        from_bytes(&external_bytes(&tensor, external)?)?
    } else if let Some(raw) = &tensor.raw_data {
        from_bytes(raw)?
    } else if !tensor.uint64_data.is_empty() {
        tensor.uint64_data.iter().map(|&x| x as i64).collect()
    } else {
        tensor.int32_data.iter().map(|&x| x.into()).collect()
    };
    check_count(&dims, values.len())?;
    Ok(Data::I64(values))
}

fn dimensions(tensor: &TensorProto) -> Result<Vec<usize>, ModelError> {
    let dims: Option<Vec<usize>> = (tensor.dims.iter())
        .map(|&dim| usize::try_from(dim).ok())
        .collect();
    dims.filter(|dims| count(dims).is_some())
        .ok_or_else(|| ModelError::invalid(format!("tensor with dimensions {:?}", tensor.dims)))
}

fn count(dims: &[usize]) -> Option<usize> {
    dims.iter()
        .try_fold(1usize, |count, &dim| count.checked_mul(dim))
}

fn check_count(dims: &[usize], found: usize) -> Result<(), ModelError> {
    match count(dims) {
        Some(count) if count == found => Ok(()),
        count => Err(ModelError::invalid(format!(
            "tensor with dimensions {dims:?} stores {found} values, not {}",
            count.unwrap_or(usize::MAX)
        ))),
    }
}

fn check_multiple(bytes: &[u8], size: usize) -> Result<(), ModelError> {
    if bytes.len().is_multiple_of(size) {
        return Ok(());
    }
    Err(ModelError::invalid(format!(
        "tensor stores {} bytes, which is no multiple of {size}",
        bytes.len()
    )))
}

fn from_bytes<T: Stored>(bytes: &[u8]) -> Result<Vec<T>, ModelError> {
    check_multiple(bytes, T::BYTES)?;
    Ok(bytes.chunks_exact(T::BYTES).map(T::read).collect())
}

/// The bytes `offset..offset + length` of the file `location`.
fn external_bytes(tensor: &TensorProto, external: External) -> Result<Vec<u8>, ModelError> {
    let entry = |key: &str| {
        let found = tensor
            .external_data
            .iter()
            .find(|entry| entry.key.as_deref() == Some(key));
        found.and_then(|entry| entry.value.as_deref())
    };
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => (text.parse::<usize>()).map(Some).map_err(|_| {
            ModelError::invalid(format!(
                "external data with {key} {text:?}, expected a number of bytes"
            ))
        }),
    };
    let location =
        entry("location").ok_or_else(|| ModelError::invalid("external data without a location"))?;
    if !is_plain(location) {
        return Err(ModelError::not_supported(format!(
            "external data in {location:?}: only files beside the model are read, named relative to it and without '..'"
        )));
    }
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    let mut bytes = external(location).ok_or_else(|| {
        ModelError::invalid(format!("external data file {location:?} is missing"))
    })?;
    let end = length.map_or(Some(bytes.len()), |length| offset.checked_add(length));
    match end {
        Some(end) if offset <= end && end <= bytes.len() => {
            bytes.truncate(end);
            Ok(bytes.split_off(offset))
        }
        _ => Err(ModelError::invalid(format!(
            "external data file {location:?} has {} bytes, too few for offset {offset} and length {length:?}",
            bytes.len()
        ))),
    }
}

/// True for a relative path of plain names: it cannot leave the model's directory.
fn is_plain(location: &str) -> bool {
    !location.is_empty()
        && !location.contains('\\')
        && !location.contains(':')
        && Path::new(location)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::super::proto::StringStringEntryProto;
    use super::*;

    const NO_FILES: External = &|_| None;

    fn float_tensor(dims: &[i64]) -> TensorProto {
        TensorProto {
            dims: dims.to_vec(),
            data_type: Some(DataType::Float as i32),
            ..Default::default()
        }
    }

    fn external_tensor(entries: &[(&str, &str)]) -> TensorProto {
        let entry = |&(key, value): &(&str, &str)| StringStringEntryProto {
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
        };
        TensorProto {
            data_location: Some(DataLocation::External as i32),
            external_data: entries.iter().map(entry).collect(),
            ..float_tensor(&[2])
        }
    }

    #[test]
    fn typed_and_raw_values_are_the_same() {
        let typed = TensorProto {
            float_data: vec![1.5, -2.0],
            ..float_tensor(&[2])
        };
        let raw = [1.5f32.to_le_bytes(), (-2.0f32).to_le_bytes()].concat();
        let raw = TensorProto {
            raw_data: Some(raw),
            ..float_tensor(&[2, 1])
        };
        assert_eq!(values::<f32>(typed, NO_FILES).unwrap(), [1.5, -2.0]);
        assert_eq!(values::<f32>(raw, NO_FILES).unwrap(), [1.5, -2.0]);
    }

    #[test]
    fn external_bytes_come_from_the_callers_function() {
        let file = [9u8, 9, 9, 9]
            .into_iter()
            .chain(1.5f32.to_le_bytes())
            .chain((-2.0f32).to_le_bytes())
            .collect::<Vec<_>>();
        let files = |name: &str| (name == "weights/w.bin").then(|| file.clone());
        let tensor = external_tensor(&[
            ("location", "weights/w.bin"),
            ("offset", "4"),
            ("length", "8"),
        ]);
        assert_eq!(values::<f32>(tensor, &files).unwrap(), [1.5, -2.0]);
    }

    #[test]
    fn external_data_outside_the_models_directory_is_refused_before_it_is_asked_for() {
        for location in [
            "../w.bin",
            "/etc/passwd",
            "a/../../w.bin",
            "",
            "./w",
            "c:\\w.bin",
            "a\\..\\w",
        ] {
            let never = |name: &str| panic!("{name} was asked for");
            let error =
                values::<f32>(external_tensor(&[("location", location)]), &never).unwrap_err();
            assert!(
                error.to_string().contains(&format!("{location:?}")),
                "{error}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let files = |_: &str| Some(vec![0u8; 8]);
        let cases = [
            (
                external_tensor(&[("location", "w"), ("length", "9")]),
                "has 8 bytes, too few for offset 0",
            ),
            (
                external_tensor(&[("location", "w"), ("offset", "x")]),
                "offset \"x\", expected a number of bytes",
            ),
            (
                external_tensor(&[
                    ("location", "w"),
                    ("offset", "18446744073709551615"),
                    ("length", "2"),
                ]),
                "too few",
            ),
            (external_tensor(&[]), "without a location"),
            (float_tensor(&[1 << 40, 1 << 40]), "dimensions"),
            (float_tensor(&[-1]), "dimensions [-1]"),
            (
                float_tensor(&[1 << 40]),
                "stores 0 values, not 1099511627776",
            ),
            (
                TensorProto {
                    raw_data: Some(vec![0; 7]),
                    ..float_tensor(&[2])
                },
                "no multiple of 4",
            ),
            (
                TensorProto {
                    data_type: Some(DataType::Double as i32),
                    ..float_tensor(&[2])
                },
                "tensor of type DOUBLE",
            ),
        ];
        for (tensor, expected) in cases {
            let error = values::<f32>(tensor, &files).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let missing = values::<f32>(external_tensor(&[("location", "w")]), NO_FILES).unwrap_err();
        assert_eq!(missing.to_string(), "external data file \"w\" is missing");
    }
}
