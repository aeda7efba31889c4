//! How much the compressed blocks of an ORC file unpack to. The reader unpacks a block whole before
//! anything else is asked of it, and a few kilobytes can stand for gigabytes.
//!
//! ```text
//! | length << 1 | 1 where it is not compressed, u24 | that many bytes |  ...
//! ```

use std::io::{self, Read};

use flate2::read::DeflateDecoder;
use orc_rust::compression::{Compression, CompressionType};

/// The most bytes of a block, packed and unpacked: its length has 23 bits.
pub(super) const BLOCK: u64 = 1 << 23;

/// The bytes that blocks unpack to, those of LZ4 at the most; or why the reader must not get them. What
/// cannot be unpacked at all is left to it.
pub(super) fn room(blocks: &[u8], compression: Option<Compression>) -> Result<u64, String> {
    let Some(compression) = compression else {
        return Ok(blocks.len() as u64);
    };
    let mut room = 0_u64;
    for block in split(blocks) {
        let Block { is_packed, bytes } = block?;
        let packed = bytes.len() as u64;
        let unpacked = match is_packed {
            true => unpacked(bytes, compression.compression_type()),
            false => packed,
        };
        if unpacked > BLOCK {
            return Err(format!(
                "a block of {packed} bytes unpacks to more than {BLOCK}"
            ));
        }
        room = room.saturating_add(unpacked);
    }
    Ok(room)
}

struct Block<'a> {
    is_packed: bool,
    bytes: &'a [u8],
}

/// The blocks, up to one that is cut off.
fn split(mut rest: &[u8]) -> impl Iterator<Item = Result<Block<'_>, String>> {
    std::iter::from_fn(move || {
        let whole = rest;
        let block = Block::first(&mut rest);
        if block.is_none() {
            rest = &[];
        }
        (!whole.is_empty()).then(|| block.ok_or_else(|| "a compressed block is cut off".to_owned()))
    })
}

impl Block<'_> {
    /// The first of some blocks, which are moved behind it.
    fn first<'a>(blocks: &mut &'a [u8]) -> Option<Block<'a>> {
        let (header, rest) = blocks.split_first_chunk::<3>()?;
        let header = u32::from_le_bytes([header[0], header[1], header[2], 0]);
        let (bytes, rest) = rest.split_at_checked(header as usize >> 1)?;
        *blocks = rest;
        let is_packed = header & 1 == 0;
        Some(Block { is_packed, bytes })
    }
}

/// The bytes that a block unpacks to, as far as they matter. Nothing is kept of them.
fn unpacked(block: &[u8], kind: CompressionType) -> u64 {
    match kind {
        CompressionType::Zlib => length(DeflateDecoder::new(block)),
        // As large a window as the reader's: what it can unpack is counted.
        CompressionType::Zstd => zstd::Decoder::with_buffer(block).map_or(0, length),
        CompressionType::Snappy => {
            snap::raw::decompress_len(block).map_or(0, |length| length as u64)
        }
        // The reader gives LZ4 no more than a block's size, and LZO was refused.
        CompressionType::Lz4 | CompressionType::Lzo => BLOCK,
    }
}

/// The bytes until the end, or until something is wrong with them.
fn length(unpacked: impl Read) -> u64 {
    let mut unpacked = unpacked.take(BLOCK + 1);
    // The error is the reader's to tell.
    let _ = io::copy(&mut unpacked, &mut io::sink());
    BLOCK + 1 - unpacked.limit()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::Bytes;
    use orc_rust::reader::metadata::read_metadata;

    use super::*;

    /// As files name it: by the number of a kind.
    fn compression(kind: u8) -> Option<Compression> {
        let footer = [1 | 4 << 1, 0, 0, 4 << 3 | 2, 2, 1 << 3, 12];
        let postscript = [8, footer.len() as u8, 16, kind, 40, 0];
        let file = [&footer[..], &postscript, &[postscript.len() as u8]].concat();
        let metadata = read_metadata(&mut Bytes::from(file)).unwrap();
        metadata.compression()
    }

    fn block(packed: &[u8]) -> Vec<u8> {
        let header = (packed.len() as u32) << 1;
        [&header.to_le_bytes()[..3], packed].concat()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn snappy(bytes: &[u8]) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(bytes).unwrap()
    }

    fn zstandard(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).unwrap()
    }

    #[test]
    fn blocks_that_stand_for_too_much_are_refused_whatever_packs_them() {
        type Pack = fn(&[u8]) -> Vec<u8>;
        for (kind, pack) in [(1, zlib as Pack), (2, snappy), (5, zstandard)] {
            let compression = compression(kind);
            let zeros = vec![0; BLOCK as usize + 1];
            let original = [3 << 1 | 1, 0, 0, 1, 2, 3];
            let whole = [&block(&pack(&zeros[1..])), &original[..]].concat();
            assert_eq!(room(&whole, compression), Ok(BLOCK + 3), "{kind}");
            let error = room(
                &[&original, &block(&pack(&zeros))[..]].concat(),
                compression,
            );
            let error = error.unwrap_err();
            assert!(error.ends_with(" unpacks to more than 8388608"), "{error}");
            let error = room(&whole[..whole.len() - 1], compression).unwrap_err();
            assert_eq!(error, "a compressed block is cut off");
        }
        assert_eq!(room(&[1, 2], None), Ok(2));
    }

    /// A gigabyte of zeros, as a frame that says nothing of its length, and looks back farther than a
    /// block reaches.
    #[test]
    fn what_a_block_stands_for_is_not_kept() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(24).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..1 << 10 {
            encoder.write_all(&zeros).unwrap();
        }
        let packed = encoder.finish().unwrap();
        assert!(packed.len() < 1 << 17, "{}", packed.len());
        assert!(room(&block(&packed), compression(5)).is_err());
    }
}
