//! How many values a page of Parquet promises. The reader takes the memory of a dictionary, and of the
//! lengths of strings, before it reads any.
//!
//! ```text
//! page           | levels of repetition | of definition | values |
//! values         | lengths | strings |                                DELTA_LENGTH_BYTE_ARRAY
//!                | lengths of prefixes | lengths | suffixes |         DELTA_BYTE_ARRAY
//! lengths        | values of a block | parts of a block | count | first length | block ...
//!   block        | least step | bits of a step u8 ... | part ... |
//! ```

use parquet::basic::{Encoding, PageType};
use parquet::column::page::Page;
use parquet::schema::types::ColumnDescriptor;

use super::parquet_pages::PAGE;
use super::thrift::Thrift;

/// The most values of a page, NULLs included: those of 8 bytes are not packed.
const VALUES: u64 = PAGE / 8;

/// Why the reader must not decode this page, if so.
pub(super) fn check(page: &Page, column: &ColumnDescriptor) -> Result<(), String> {
    let (values, bytes) = (u64::from(page.num_values()), page.buffer().len());
    if page.page_type() == PageType::DICTIONARY_PAGE {
        return match values <= bytes as u64 {
            true => Ok(()),
            false => Err(format!("a dictionary of {values} values has {bytes} bytes")),
        };
    }
    if values > VALUES {
        return Err(format!("a page has {values} values, and may have {VALUES}"));
    }
    let lists = match page.encoding() {
        Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
        Encoding::DELTA_BYTE_ARRAY => 2,
        _ => return Ok(()),
    };
    let coded = behind_levels(page, column).ok_or("the levels of a page are cut off")?;
    let mut lengths = Thrift::new(coded, coded.len() as u64);
    (0..lists).try_for_each(|_| pass_lengths(&mut lengths, values))
}

/// The values of a page.
fn behind_levels<'a>(page: &'a Page, column: &ColumnDescriptor) -> Option<&'a [u8]> {
    match page {
        Page::DataPageV2 {
            buf,
            rep_levels_byte_len,
            def_levels_byte_len,
            ..
        } => buf.get(*rep_levels_byte_len as usize + *def_levels_byte_len as usize..),
        Page::DataPage {
            buf,
            num_values,
            rep_level_encoding,
            def_level_encoding,
            ..
        } => {
            let repetition = (column.max_rep_level(), rep_level_encoding);
            let definition = (column.max_def_level(), def_level_encoding);
            let levels = [repetition, definition].into_iter();
            levels
                .filter(|(most, _)| *most > 0)
                .try_fold(&buf[..], |rest, (most, encoding)| {
                    pass_levels(rest, most, *encoding, *num_values)
                })
        }
        Page::DictionaryPage { .. } => None,
    }
}

/// What comes behind levels, which have their length before them, or `most` bits each.
fn pass_levels(rest: &[u8], most: i16, encoding: Encoding, values: u32) -> Option<&[u8]> {
    if encoding == Encoding::RLE {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        return rest.get(u32::from_le_bytes(*length) as usize..);
    }
    let bits = u64::from(most.unsigned_abs().checked_ilog2()?) + 1;
    rest.get((bits * u64::from(values)).div_ceil(8) as usize..)
}

/// Moves behind lengths, unless they are more than the page's values.
fn pass_lengths(lengths: &mut Thrift<&[u8]>, values: u64) -> Result<(), String> {
    let (block, parts, count) = (lengths.varint()?, lengths.varint()?, lengths.varint()?);
    if count > values {
        return Err(format!("a page of {values} values has {count} lengths"));
    }
    lengths.varint()?;
    let part = block.checked_div(parts).unwrap_or(0);
    // The first is not in a block.
    let mut left = count.saturating_sub(1);
    while left > 0 {
        lengths.varint()?;
        pass_block(lengths, (parts, part), &mut left)?;
    }
    Ok(())
}

/// Moves behind a block of so many parts, each of so many values, of which `left` are to come.
fn pass_block(
    lengths: &mut Thrift<&[u8]>,
    (parts, part): (u64, u64),
    left: &mut u64,
) -> Result<(), String> {
    let mut bytes = 0_u64;
    for _ in 0..parts {
        let bits = u64::from(lengths.byte()?);
        // Parts behind the last value have no bytes, whatever they say.
        if *left > 0 {
            bytes = bytes.saturating_add(bits.saturating_mul(part) / 8);
        }
        *left = left.saturating_sub(part);
    }
    lengths.skip(bytes)
}
