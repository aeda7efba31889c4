//! `.npy` files, the arrays in a `.npz`: a header that says type and shape, and the values behind it.
//!
//! ```text
//! \x93NUMPY 1 0 <u16: length>  {'descr': '<f4', 'fortran_order': False, 'shape': (1000, 4), }  ... \n  values
//!         version 2 and 3: u32  a dictionary as Python writes it, filled up with blanks
//! ```

use std::io::{self, Read, Write};

use pelton_model::Element;

use super::array::{Array, Values};

const MAGIC: &[u8] = b"\x93NUMPY";
/// Bytes of a header: those of arrays of numbers and strings have 128, mostly.
const HEADER_LIMIT: usize = 1024;

/// What a header says.
struct Header {
    /// `<f4`: byte order, kind and size.
    descr: String,
    /// The first axis runs fastest.
    fortran: bool,
    shape: Vec<usize>,
}

/// Reads the array of an entry of `bytes` bytes. No memory is taken that does not come out of this number.
pub fn read_npy(mut entry: impl Read, bytes: u64) -> Result<Array, String> {
    let (header, header_bytes) = read_header(&mut entry)?;
    let Header { descr, shape, .. } = &header;
    let kind = Kind::of(descr)?;
    let count = shape
        .iter()
        .try_fold(1usize, |all, dim| all.checked_mul(*dim));
    let size = count.and_then(|count| count.checked_mul(kind.bytes));
    let there = bytes.saturating_sub(header_bytes as u64);
    if size.map(|size| size as u64) != Some(there) {
        return Err(format!(
            "has the shape {shape:?} of `{descr}`, {}, but {there} are there: the file is damaged",
            size.map_or("too many bytes".to_owned(), |size| format!("{size} bytes"))
        ));
    }
    let values = read_values(&mut entry, there as usize, &kind)?;
    // The checksum of the archive is compared at the end of the entry.
    match entry.read(&mut [0]) {
        Ok(0) => {}
        Ok(_) => return Err("goes on behind its end: the file is damaged".to_owned()),
        Err(cause) => return Err(cause.to_string()),
    }
    let values = match header.fortran {
        false => values,
        true => values.in_row_major(shape),
    };
    Ok(Array {
        element: kind.element,
        shape: header.shape,
        values,
    })
}

/// The header, and the bytes that it takes.
fn read_header(entry: &mut impl Read) -> Result<(Header, usize), String> {
    let mut take = |length: usize| {
        let mut part = vec![0; length];
        let read = entry.read_exact(&mut part);
        read.map(|()| part).map_err(|cause| cause.to_string())
    };
    let head = take(8)?;
    if !head.starts_with(MAGIC) {
        return Err("is no array of NumPy".to_owned());
    }
    let size = if head[6] > 1 { 4 } else { 2 };
    let mut length = [0; 4];
    length[..size].copy_from_slice(&take(size)?);
    let length = u32::from_le_bytes(length) as usize;
    if length > HEADER_LIMIT {
        return Err(format!(
            "has a header of {length} bytes; those of numbers and strings have less than {HEADER_LIMIT}"
        ));
    }
    let text = String::from_utf8_lossy(&take(length)?).into_owned();
    let header = parse_header(&text);
    let header = header.ok_or_else(|| format!("has a header that is not understood: {text:?}"));
    Ok((header?, 8 + size + length))
}

fn parse_header(text: &str) -> Option<Header> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, behind) = quoted(rest)?;
        let value = behind.trim_start().strip_prefix(':')?.trim_start();
        rest = match key {
            "descr" if value.starts_with('[') => {
                descr = Some("[...]");
                let end = value.rfind(']')?;
                &value[end + 1..]
            }
            "descr" => {
                let (code, behind) = quoted(value)?;
                descr = Some(code);
                behind
            }
            "fortran_order" => {
                let behind = value.strip_prefix("True");
                fortran = Some(behind.is_some());
                behind.or_else(|| value.strip_prefix("False"))?
            }
            "shape" => {
                let (inside, behind) = value.strip_prefix('(')?.split_once(')')?;
                let dims = inside.split(',').map(str::trim);
                let dims = dims.filter(|dim| !dim.is_empty());
                let dims = dims.map(|dim| dim.trim_end_matches('L').parse().ok());
                shape = Some(dims.collect::<Option<Vec<usize>>>()?);
                behind
            }
            _ => return None,
        };
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Some(Header {
        descr: descr?.to_owned(),
        fortran: fortran?,
        shape: shape?,
    })
}

/// The text in quotes at the start, and what stands behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// A type of values: what becomes of them, and how they lie in the file.
struct Kind {
    element: Element,
    code: char,
    /// Of one value.
    bytes: usize,
    big_endian: bool,
}

impl Kind {
    /// Of `<f4`, say.
    fn of(descr: &str) -> Result<Kind, String> {
        let mut chars = descr.chars();
        let (order, code) = (chars.next().unwrap_or(' '), chars.next().unwrap_or(' '));
        let size: Option<usize> = chars.as_str().parse().ok();
        let size = size.filter(|size| (1..1 << 31).contains(size)).unwrap_or(0);
        let element = match (code, size) {
            ('f', 4) => Element::Float,
            ('f', 8) => Element::Double,
            ('i' | 'u', 8) => Element::Int64,
            ('i', 4) => Element::Int32,
            ('i', 2) => Element::Int16,
            ('i', 1) => Element::Int8,
            ('u', 4) => Element::Uint32,
            ('u', 2) => Element::Uint16,
            ('u', 1) => Element::Uint8,
            ('b', 1) => Element::Bool,
            ('U' | 'S', 1..) => Element::String,
            _ => {
                let help = match code {
                    'O' => "Python objects: of strings, x.astype(str) makes an array",
                    'f' => "floats of a width that Pelton lacks: x.astype(np.float32)",
                    _ => "expected floats, integers, bools or strings",
                };
                return Err(format!("holds `{descr}`, {help}"));
            }
        };
        Ok(Kind {
            element,
            code,
            bytes: if code == 'U' { 4 * size } else { size },
            big_endian: order == '>',
        })
    }
}

/// Reads `bytes` bytes of values, a piece at a time: what is not there takes no memory.
fn read_values(entry: &mut impl Read, bytes: usize, kind: &Kind) -> Result<Values, String> {
    let mut values = Values::none(kind.element);
    let whole_values = ((1 << 16) / kind.bytes).max(1);
    let mut piece = vec![0; bytes.min(kind.bytes * whole_values)];
    let mut left = bytes;
    while left > 0 {
        let most = left.min(piece.len());
        let part = &mut piece[..most];
        entry.read_exact(part).map_err(|cause| cause.to_string())?;
        left -= part.len();
        for value in part.chunks_exact_mut(kind.bytes) {
            if kind.big_endian && kind.code != 'U' {
                value.reverse();
            }
            push(&mut values, value, kind)?;
        }
    }
    Ok(values)
}

fn push(values: &mut Values, value: &[u8], kind: &Kind) -> Result<(), String> {
    match values {
        Values::F32(all) => all.push(f32::from_le_bytes(whole(value))),
        Values::F64(all) => all.push(f64::from_le_bytes(whole(value))),
        Values::I64(all) => all.push(integer(value, kind)?),
        Values::Text(all) => all.push(match kind.code {
            'U' => utf32(value, kind.big_endian)?,
            _ => {
                let length = value
                    .iter()
                    .rposition(|byte| *byte != 0)
                    .map_or(0, |last| last + 1);
                let text = String::from_utf8(value[..length].to_vec());
                text.map_err(|cause| cause.to_string())?
            }
        }),
    }
    Ok(())
}

fn whole<const N: usize>(value: &[u8]) -> [u8; N] {
    value.try_into().expect("chunks of the width of the type")
}

fn integer(value: &[u8], kind: &Kind) -> Result<i64, String> {
    Ok(match kind.element {
        Element::Int32 => i32::from_le_bytes(whole(value)).into(),
        Element::Int16 => i16::from_le_bytes(whole(value)).into(),
        Element::Int8 => i8::from_le_bytes(whole(value)).into(),
        Element::Uint32 => u32::from_le_bytes(whole(value)).into(),
        Element::Uint16 => u16::from_le_bytes(whole(value)).into(),
        Element::Uint8 => value[0].into(),
        Element::Bool => (value[0] != 0).into(),
        _ if kind.code == 'u' => {
            let value = u64::from_le_bytes(whole(value));
            let message = || format!("{value} is above {}, the largest int64", i64::MAX);
            i64::try_from(value).map_err(|_| message())?
        }
        _ => i64::from_le_bytes(whole(value)),
    })
}

/// Characters of four bytes; those behind the last that is not 0 are none.
fn utf32(value: &[u8], big_endian: bool) -> Result<String, String> {
    let codes = value.chunks_exact(4).map(|code| match big_endian {
        true => u32::from_be_bytes(whole(code)),
        false => u32::from_le_bytes(whole(code)),
    });
    let mut text = String::new();
    for code in codes {
        text.push(char::from_u32(code).ok_or_else(|| format!("{code} is no character"))?);
    }
    text.truncate(text.trim_end_matches('\0').len());
    Ok(text)
}

impl Values {
    fn none(element: Element) -> Values {
        match element {
            Element::Float => Values::F32(Vec::new()),
            Element::Double => Values::F64(Vec::new()),
            Element::String => Values::Text(Vec::new()),
            _ => Values::I64(Vec::new()),
        }
    }

    /// Values whose first axis runs fastest, in row-major order.
    fn in_row_major(self, shape: &[usize]) -> Values {
        match self {
            Values::F32(values) => Values::F32(in_row_major(values, shape)),
            Values::F64(values) => Values::F64(in_row_major(values, shape)),
            Values::I64(values) => Values::I64(in_row_major(values, shape)),
            Values::Text(values) => Values::Text(in_row_major(values, shape)),
        }
    }
}

fn in_row_major<T: Clone>(values: Vec<T>, shape: &[usize]) -> Vec<T> {
    let place = |mut at: usize| {
        // The index along each axis, from the last to the first.
        let (mut place, mut behind) = (0, values.len());
        for dim in shape.iter().rev() {
            behind /= dim;
            place += at % dim * behind;
            at /= dim;
        }
        place
    };
    (0..values.len())
        .map(|at| values[place(at)].clone())
        .collect()
}

/// Writes an array as version 1, values in little-endian row-major order.
pub fn write_npy(
    mut to: impl Write,
    Array {
        element,
        shape,
        values,
    }: &Array,
) -> io::Result<()> {
    let longest = match values {
        Values::Text(all) => all.iter().map(|text| text.chars().count()).max(),
        _ => None,
    };
    let longest = longest.unwrap_or(0).max(1);
    let dims: String = shape.iter().map(|dim| format!("{dim}, ")).collect();
    let descr = descr(*element, longest);
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}");
    // The values begin at a multiple of 64.
    let length = (text.len() + 11).next_multiple_of(64) - 10;
    to.write_all(MAGIC)?;
    to.write_all(&[1, 0])?;
    to.write_all(&(length as u16).to_le_bytes())?;
    to.write_all(format!("{text:<width$}\n", width = length - 1).as_bytes())?;
    match values {
        Values::F32(all) => all.iter().try_for_each(|x| to.write_all(&x.to_le_bytes())),
        Values::F64(all) => all.iter().try_for_each(|x| to.write_all(&x.to_le_bytes())),
        Values::I64(all) => {
            let bytes = (bits(*element) / 8) as usize;
            all.iter()
                .try_for_each(|x| to.write_all(&x.to_le_bytes()[..bytes]))
        }
        Values::Text(all) => all.iter().try_for_each(|text| {
            let codes = text.chars().map(u32::from).chain(std::iter::repeat(0));
            let bytes: Vec<u8> = codes.take(longest).flat_map(u32::to_le_bytes).collect();
            to.write_all(&bytes)
        }),
    }
}

fn descr(element: Element, longest: usize) -> String {
    match element {
        Element::Float => "<f4".to_owned(),
        Element::Double => "<f8".to_owned(),
        Element::Bool => "|b1".to_owned(),
        Element::Int8 => "|i1".to_owned(),
        Element::Uint8 => "|u1".to_owned(),
        Element::Uint16 | Element::Uint32 => format!("<u{}", bits(element) / 8),
        Element::String => format!("<U{longest}"),
        _ => format!("<i{}", bits(element) / 8),
    }
}

/// Bits of an integer or a bool.
fn bits(element: Element) -> u32 {
    match element {
        Element::Int8 | Element::Uint8 | Element::Bool => 8,
        Element::Int16 | Element::Uint16 => 16,
        Element::Int32 | Element::Uint32 => 32,
        _ => 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_whose_first_axis_runs_fastest_are_turned() {
        let turned = in_row_major(vec![0, 3, 1, 4, 2, 5], &[2, 3]);
        assert_eq!(turned, [0, 1, 2, 3, 4, 5]);
        // Value [i, j, k] is i + 2 j + 6 k.
        let turned = in_row_major((0..24).collect(), &[2, 3, 4]);
        assert_eq!(turned[..5], [0, 6, 12, 18, 2]);
        assert_eq!(turned[12], 1);
    }

    #[test]
    fn what_a_header_says_of_sizes_is_not_believed() {
        let npy = |header: &str| {
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend((header.len() as u16).to_le_bytes());
            bytes.extend(header.as_bytes());
            bytes.extend([0; 16]);
            read_npy(&bytes[..], bytes.len() as u64).map(|array| array.show())
        };
        let header = |descr: &str, shape: &str| {
            npy(&format!(
                "{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}"
            ))
        };
        assert_eq!(header("<f4", "(2, 2)"), Ok("float [2, 2]".to_owned()));
        assert_eq!(header("<u8", "(2,)"), Ok("int64 [2]".to_owned()));
        for (descr, shape, what) in [
            (
                "<f4",
                "(1000000000000,)",
                "4000000000000 bytes, but 16 are there",
            ),
            ("<f8", "(4294967296, 4294967296)", "the file is damaged"),
            ("<U0", "(4294967296,)", "holds `<U0`"),
            ("<f4", "(3,)", "12 bytes, but 16 are there"),
            (
                "<f2",
                "(8,)",
                "holds `<f2`, floats of a width that Pelton lacks: x.astype(np.float32)",
            ),
            (
                "|O",
                "(2,)",
                "holds `|O`, Python objects: of strings, x.astype(str) makes an array",
            ),
            ("<c8", "(2,)", "expected floats, integers, bools or strings"),
        ] {
            let error = header(descr, shape).unwrap_err();
            assert!(error.contains(what), "{descr} {shape}: {error}");
        }
        assert!(npy(&"(".repeat(900)).is_err());
        assert!(
            npy(&"[".repeat(60_000))
                .unwrap_err()
                .contains("a header of 60000 bytes")
        );
    }
}
