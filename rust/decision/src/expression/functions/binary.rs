//! BINARY, VARBINARY and BYTES: bytes as they are.

use pelton_data::DataType;
use pelton_data::columns::{MemoryError, View};
use pelton_data::types::MAX_LENGTH;

use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::Typed;
use super::kernel::{for_rows, write_text};

/// BINARY, VARBINARY or BYTES.
pub(super) fn is_binary(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary(_) | DataType::Varbinary(_))
}

/// Bytes, or a string's UTF-8, cut to the length of a type; a BINARY is filled up with zeros.
pub(super) fn fit(value: Typed, to: &DataType) -> Typed {
    let (kernel, length): (Kernel, u32) = match to {
        DataType::Binary(length) => (PAD, *length),
        DataType::Varbinary(length) => (CUT, *length),
        _ => return value,
    };
    let fits = match (&value.data_type, to) {
        (DataType::Varbinary(have) | DataType::Binary(have), DataType::Varbinary(want)) => {
            have <= want
        }
        (DataType::Binary(have), DataType::Binary(want)) => have == want,
        _ => length == MAX_LENGTH && matches!(to, DataType::Varbinary(_)),
    };
    if fits {
        let data_type = to.clone();
        return Typed { data_type, ..value };
    }
    let call = Typed::call(to.clone(), value.span.clone(), kernel, vec![value]);
    call.with_parameter(length.into())
}

/// The first bytes, as many as the parameter says: a shorter view, nothing is copied.
const CUT: Kernel = |frame, call| {
    let [a, ..] = call.args;
    for_rows(frame, call, |columns, row| {
        let view: Option<View> = columns.value(a, row);
        let cut = view.map(|view| view.start(view.len().min(call.parameter as u32)));
        columns.put(call.out, row, cut);
        Ok(())
    })
};

const PAD: Kernel = |frame, call| pad(frame, call);

fn pad(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    write_text(frame, call, |columns, view: View, length, bytes| {
        let own = columns.bytes(view);
        let length = length as usize;
        bytes.extend_from_slice(&own[..own.len().min(length)]);
        let missing = length - bytes.len();
        bytes
            .try_reserve(missing)
            .map_err(|_| MemoryError::Exhausted(missing))?;
        bytes.resize(length, 0);
        Ok(())
    })
}

/// The kernel of `CAST(bytes AS STRING)`: what is no UTF-8 becomes U+FFFD, as in Java.
pub(super) const DECODE: Kernel = |frame, call| {
    write_text(frame, call, |columns, view: View, _, text| {
        text.extend_from_slice(String::from_utf8_lossy(columns.bytes(view)).as_bytes());
        Ok(())
    })
};

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn bytes_are_cut_padded_and_compared() {
        let known = [
            ("X'616263'", "BINARY(3) 'abc'"),
            ("CAST(X'616263' AS VARBINARY(2))", "VARBINARY(2) 'ab'"),
            ("CAST(X'61' AS BINARY(3))", "BINARY(3) 'a\0\0'"),
            ("CAST(s AS BYTES)", "BYTES 'Straße'"),
            ("CAST(c AS BINARY(2))", "BINARY(2) 'ab'"),
            ("CAST(X'616263' AS VARCHAR(2))", "VARCHAR(2) 'ab'"),
            ("CAST(X'61ff' AS STRING)", "STRING 'a\u{fffd}'"),
            ("X'61' < X'80'", "BOOLEAN 1"),
            ("X'61' = X'6100'", "BOOLEAN 0"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_flink_refuses_or_answers_oddly_is_refused() {
        let known = [
            ("X'61' = 'a'", "= does not compare BINARY(1) with CHAR(1)"),
            ("CAST(X'61' AS INT)", "BINARY(1) cannot be cast to INT"),
            ("CAST(i AS BYTES)", "INT cannot be cast to BYTES"),
            ("X'6'", "`X'6'` has no whole number of bytes"),
            (
                "X'61' IN (X'61', X'62')",
                "IN does not look for bytes in a list",
            ),
        ];
        for (text, expected) in known {
            assert_eq!(typed(text).unwrap_err(), expected, "{text}");
        }
    }
}
