//! `MurmurHash3` of ONNX Runtime: the 32-bit hash of every value, of which exporters make the columns of hashed features.

use super::Operator;
use super::elementwise::{mapped, refuse};
use super::strings::from_text;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::Builder;
use crate::memory::Text;
use crate::onnx::node::{CONTRIB, Node};

pub(super) const OPERATORS: &[Operator] = &[(CONTRIB, "MurmurHash3", load)];

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let seed = node.int("seed")?.unwrap_or(0) as u32;
    let element = match node.flag("positive", true)? {
        true => Element::Uint32,
        false => Element::Int32,
    };
    let hashed = move |bytes: &[u8]| match element {
        Element::Int32 => i64::from(murmur(bytes, seed) as i32),
        _ => i64::from(murmur(bytes, seed)),
    };
    let made = match (value.element, value.element.region()) {
        (Element::String, _) => match value.dictionary.clone() {
            Some(strings) => {
                let codes: Vec<i64> = strings.iter().map(|s| hashed(s.as_bytes())).collect();
                let hash = move |code: i64| codes.get(code as usize).copied().unwrap_or(0);
                mapped(node, graph, &value, element, hash)?
            }
            None => from_text(node, graph, &value, element, move |cell, text: &[u8]| {
                hashed(Text::of(cell).bytes(text))
            })?,
        },
        (Element::Int32 | Element::Uint32, _) => {
            let hash = move |x: i64| hashed(&(x as u32).to_le_bytes());
            mapped(node, graph, &value, element, hash)?
        }
        (Element::Int64, _) => mapped(node, graph, &value, element, move |x: i64| {
            hashed(&x.to_le_bytes())
        })?,
        (_, Region::F32) => mapped(node, graph, &value, element, move |x: f32| {
            hashed(&x.to_le_bytes())
        })?,
        (_, Region::F64) => mapped(node, graph, &value, element, move |x: f64| {
            hashed(&x.to_le_bytes())
        })?,
        (other, _) => return Err(refuse(node, other, "a string or a number of 32 or 64 bits")),
    };
    graph.alias(node, 0, made)
}

/// MurmurHash3_x86_32 by Austin Appleby, who put it into the public domain.
fn murmur(bytes: &[u8], seed: u32) -> u32 {
    let mix = |word: u32| {
        let word = word.wrapping_mul(0xCC9E_2D51).rotate_left(15);
        word.wrapping_mul(0x1B87_3593)
    };
    let (words, tail) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for word in words {
        hash = (hash ^ mix(u32::from_le_bytes(*word))).rotate_left(13);
        hash = hash.wrapping_mul(5).wrapping_add(0xE654_6B64);
    }
    let mut last = [0; 4];
    last[..tail.len()].copy_from_slice(tail);
    hash ^= mix(u32::from_le_bytes(last)) ^ bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ hash >> 13).wrapping_mul(0xC2B2_AE35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::murmur;

    #[test]
    fn hashes_are_those_of_the_reference() {
        for (text, seed, expected) in [
            ("", 0, 0),
            ("", 1, 0x514E_28B7),
            ("test", 0, 0xBA6B_D213),
            ("Hello, world!", 0, 0xC036_3E43),
            ("aaa", 0x9747_B28C, 0x283E_0130),
            (
                "The quick brown fox jumps over the lazy dog",
                0,
                0x2E4F_F723,
            ),
        ] {
            assert_eq!(murmur(text.as_bytes(), seed), expected, "{text}");
        }
    }
}
