//! Thrift's compact protocol, to write whatever is wanted.

pub const NUMBER: u8 = 5;
pub const BINARY: u8 = 8;
const LIST: u8 = 9;
pub const STRUCT: u8 = 12;

/// A struct of Thrift.
#[derive(Default)]
pub struct Fields {
    pub bytes: Vec<u8>,
    last: i16,
}

impl Fields {
    pub fn start(mut self, id: i16, written: u8) -> Fields {
        // Where the id is not a step from the last one, it follows.
        match id - self.last {
            step @ 1..=15 => self.bytes.push((step as u8) << 4 | written),
            _ => {
                self.bytes.push(written);
                self.bytes.extend(number(i64::from(id)));
            }
        }
        self.last = id;
        self
    }

    pub fn value(mut self, bytes: impl AsRef<[u8]>) -> Fields {
        self.bytes.extend(bytes.as_ref());
        self
    }

    pub fn number(self, id: i16, value: i64) -> Fields {
        self.start(id, NUMBER).value(number(value))
    }

    pub fn binary(self, id: i16, bytes: &[u8]) -> Fields {
        let length = varint(bytes.len() as u64);
        self.start(id, BINARY).value(length).value(bytes)
    }

    pub fn list(self, id: i16, written: u8, count: u64, values: &[u8]) -> Fields {
        let fields = self.start(id, LIST).value([0xf0 | written]);
        fields.value(varint(count)).value(values)
    }

    pub fn fields(self, id: i16, fields: Fields) -> Fields {
        self.start(id, STRUCT).value(fields.end())
    }

    pub fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

pub fn number(value: i64) -> Vec<u8> {
    varint((value << 1 ^ value >> 63) as u64)
}

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
