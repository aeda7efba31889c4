//! Attributes, whose lists are as small in memory as their values allow.
//!
//! An ensemble of a million nodes is a dozen lists of a million small numbers, and as many times the word `BRANCH_LEQ`: as
//! the messages that prost generates they would take ten times the memory of the ensemble.

use std::ops::Deref;

use prost::DecodeError;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{self, DecodeContext, WireType};

use super::ints::Ints;
use super::proto::AttributeProto;

/// The fields that are not left to prost.
const INTS: u32 = 8;
const STRINGS: u32 = 9;

/// An attribute of a node.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Attribute {
    /// All but the lists of integers and strings.
    pub rest: AttributeProto,
    pub ints: Ints,
    pub strings: Strings,
}

impl Deref for Attribute {
    type Target = AttributeProto;
    fn deref(&self) -> &AttributeProto {
        &self.rest
    }
}

impl prost::Message for Attribute {
    fn encode_raw(&self, to: &mut impl BufMut) {
        self.rest.encode_raw(to);
        for value in self.ints.iter() {
            encoding::int64::encode(INTS, &value, to);
        }
        for text in self.strings.iter() {
            encoding::bytes::encode(STRINGS, &text.to_vec(), to);
        }
    }

    fn merge_field(
        &mut self,
        field: u32,
        wire: WireType,
        from: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        match (field, wire) {
            // A list may also be packed.
            (INTS, WireType::LengthDelimited) => {
                let mut values = Vec::new();
                encoding::int64::merge_repeated(wire, &mut values, from, context)?;
                values.into_iter().for_each(|value| self.ints.push(value));
            }
            (INTS, _) => {
                let mut value = 0;
                encoding::int64::merge(wire, &mut value, from, context)?;
                self.ints.push(value);
            }
            (STRINGS, _) => {
                let mut text = Vec::new();
                encoding::bytes::merge(wire, &mut text, from, context)?;
                self.strings.push(text);
            }
            _ => self.rest.merge_field(field, wire, from, context)?,
        }
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        let ints = self.ints.iter();
        let ints: usize = ints
            .map(|value| encoding::int64::encoded_len(INTS, &value))
            .sum();
        let strings = self.strings.iter();
        let strings: usize = strings
            .map(|text| encoding::bytes::encoded_len(STRINGS, &text.to_vec()))
            .sum();
        self.rest.encoded_len() + ints + strings
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Strings: their numbers among a few, as long as they are few.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Strings {
    Few { texts: Vec<Vec<u8>>, codes: Vec<u8> },
    Many(Vec<Vec<u8>>),
}

/// As many as are looked through for each string.
const FEW: usize = 16;

impl Default for Strings {
    fn default() -> Self {
        Strings::Few {
            texts: Vec::new(),
            codes: Vec::new(),
        }
    }
}

impl Strings {
    fn push(&mut self, text: Vec<u8>) {
        match self {
            Strings::Few { texts, codes } => {
                let known = texts.iter().position(|known| *known == text);
                if known.is_none() && texts.len() == FEW {
                    *self = Strings::Many(std::mem::take(self).into_vec());
                    return self.push(text);
                }
                codes.push(known.unwrap_or(texts.len()) as u8);
                if known.is_none() {
                    texts.push(text);
                }
            }
            Strings::Many(texts) => texts.push(text),
        }
    }

    pub fn iter(&self) -> Box<dyn Iterator<Item = &[u8]> + '_> {
        match self {
            Strings::Few { texts, codes } => Box::new(
                codes
                    .iter()
                    .map(|code| texts[usize::from(*code)].as_slice()),
            ),
            Strings::Many(texts) => Box::new(texts.iter().map(Vec::as_slice)),
        }
    }

    pub fn into_vec(self) -> Vec<Vec<u8>> {
        match self {
            Strings::Many(texts) => texts,
            few => few.iter().map(<[u8]>::to_vec).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn lists_hold_what_prost_would_hold() {
        let ints = [0, -1, 32_767, -32_768, 32_768, i64::MAX, i64::MIN, 7];
        for end in 0..=ints.len() {
            let texts = (0..40 * end).map(|i| format!("text {}", i % (3 * end)).into_bytes());
            let plain = AttributeProto {
                name: Some("name".to_owned()),
                f: Some(0.5),
                floats: vec![1.0, 2.0],
                ints: ints[..end].to_vec(),
                strings: texts.collect(),
                ..Default::default()
            };
            let bytes = plain.encode_to_vec();
            let ours = Attribute::decode(&bytes[..]).unwrap();
            assert_eq!(ours.ints.iter().collect::<Vec<_>>(), plain.ints);
            assert_eq!(ours.ints.clone().into_vec(), plain.ints);
            assert_eq!(ours.strings.clone().into_vec(), plain.strings);
            assert_eq!(
                (ours.f, &ours.floats, &ours.name),
                (plain.f, &plain.floats, &plain.name)
            );
            let again = ours.encode_to_vec();
            assert_eq!(ours.encoded_len(), again.len());
            assert_eq!(AttributeProto::decode(&again[..]).unwrap(), plain);
        }
    }

    #[test]
    fn a_packed_list_is_read_too() {
        let mut bytes = vec![(INTS << 3 | 2) as u8, 3];
        bytes.extend([5, 0x80, 0x01]);
        let ours = Attribute::decode(&bytes[..]).unwrap();
        assert_eq!(ours.ints.into_vec(), [5, 128]);
        let torn = [(INTS << 3 | 2) as u8, 100, 1];
        assert!(Attribute::decode(&torn[..]).is_err());
    }
}
