//! Files that are cut off, and files in which bytes are not what was written: an error, or all rows.

use std::sync::Once;
use std::sync::atomic::Ordering;
use std::{panic, thread};

use pelton_dimension::Error;
use pelton_dimension::source::{Scan, Selection};
use proptest::prelude::*;

use crate::largest::LARGEST;
use crate::table::{TYPES, Table, golden, golden_file};

/// The columns of `lists.orc`.
const LISTS: &str = "numbers ARRAY<INT>, words ARRAY<STRING>, prices ARRAY<DOUBLE>, \
    pairs MAP<STRING, BIGINT>, amounts ARRAY<DECIMAL(12, 3)>";

/// A file that others wrote: its name, columns, rows.
type Whole = (&'static str, &'static str, usize);

const FILES: [Whole; 5] = [
    ("types.parquet", TYPES, 5),
    ("types.orc", TYPES, 5),
    ("types_plain.orc", TYPES, 5),
    ("lists.orc", LISTS, 1100),
    ("lists_v1.orc", LISTS, 1100),
];

/// The most bytes that reading one of them may ask for at once: none has more than 100 kB.
const MEMORY: usize = 64 << 20;

/// Panics of the readers are expected here, and take long to print.
fn quiet_readers() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() != Some("pelton-load") {
                usual(info);
            }
        }));
    });
}

/// Reads all columns and rows of a file, and counts the rows.
fn read(file: Whole, bytes: Vec<u8>) -> Result<usize, Error> {
    read_from(table(file), file, bytes, false)
}

fn table((name, columns, _): Whole) -> Table {
    let (_, format) = name.split_once('.').unwrap();
    // No column of lists can be a key: it is declared beside them, and not read.
    let columns = match columns.starts_with("id ") {
        true => columns.to_owned(),
        false => format!("id BIGINT, {columns}"),
    };
    Table::new(format, &columns, "")
}

/// `keep_coded`: strings stay as Parquet has coded them.
fn read_from(
    table: Table,
    (name, ..): Whole,
    bytes: Vec<u8>,
    keep_coded: bool,
) -> Result<usize, Error> {
    quiet_readers();
    table.write("n=1/part-0", bytes);
    let partitions = table.choose();
    let mut selection = Selection::new();
    for field in &table.definition.columns {
        if name.starts_with("types") || field.name != "id" {
            let (_, slot) = selection.add(&table.definition, &field.name).unwrap();
            if keep_coded {
                selection.keep_coded(slot);
            }
        }
    }
    let scan = Scan::new(&table.definition, &table.connection, &partitions);
    let mut rows = 0;
    scan.pass(&selection, |batch, _| {
        rows += batch.rows;
        Ok(())
    })?;
    Ok(rows)
}

/// Reads a damaged file. A damaged value may go unseen, but Parquet's rows do not, and a local file of
/// it, which is read piece by piece, is what it is in a store.
fn read_damaged(file: Whole, bytes: Vec<u8>) {
    let is_orc = file.0.ends_with(".orc");
    let read = read(file, bytes.clone()).ok();
    if let Some(rows) = read {
        assert!(rows == file.2 || is_orc, "{rows} rows");
    }
    if !is_orc {
        let directory = tempfile::tempdir().unwrap();
        let local = table(file).at(directory.path());
        let local = read_from(local, file, bytes.clone(), false);
        assert_eq!(local.ok(), read, "of the local file and the other");
        // The readers of the two do not find the same faults.
        if let Ok(rows) = read_from(table(file), file, bytes, true) {
            assert_eq!(rows, file.2, "with strings that stay coded");
        }
    }
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest < MEMORY, "{largest} bytes at once for {}", file.0);
}

#[test]
fn whole_files_have_all_their_rows() {
    for file in FILES {
        assert_eq!(read(file, golden_file(file.0)), Ok(file.2), "{}", file.0);
    }
}

#[test]
fn a_truncated_file_is_an_error_wherever_it_ends() {
    quiet_readers();
    for format in ["parquet", "orc"] {
        let (table, bytes) = (Table::new(format, TYPES, ""), golden(format));
        for length in (0..bytes.len()).step_by(31) {
            table.write("n=1/part-0", bytes[..length].to_vec());
            let error = table.rows(&["id", "name", "words"]).unwrap_err();
            assert_eq!(error.code(), "DIMENSION_UNAVAILABLE", "{length}: {error}");
            assert!(
                error.to_string().contains("n=1/part-0"),
                "{length}: {error}"
            );
        }
    }
}

/// Lengths of lists among them, which nothing compressed protects.
#[test]
fn any_one_byte_may_be_another() {
    let file = FILES[2];
    let whole = golden_file(file.0);
    for at in 0..whole.len() {
        for flip in [0x40, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            read_damaged(file, bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Nothing panics into the caller, and no row goes unseen.
    #[test]
    fn a_damaged_file_is_an_error_or_has_all_its_rows(
        file in 0..FILES.len(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4),
    ) {
        let mut bytes = golden_file(FILES[file].0);
        for (index, flip) in flips {
            let i = index.index(bytes.len());
            bytes[i] ^= flip;
        }
        read_damaged(FILES[file], bytes);
    }

    /// A piece that a disk gave back wrong.
    #[test]
    fn a_file_with_a_wrong_piece_is_an_error_or_has_all_its_rows(
        file in 0..FILES.len(),
        at in any::<prop::sample::Index>(),
        piece in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let mut bytes = golden_file(FILES[file].0);
        let start = at.index(bytes.len());
        let end = bytes.len().min(start + piece.len());
        bytes[start..end].copy_from_slice(&piece[..end - start]);
        read_damaged(FILES[file], bytes);
    }
}
