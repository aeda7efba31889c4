//! Lookups of rows, as a table of Flink asks for them, in the planes that pyarrow wrote.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pelton_data::binary_row::{RowReader, RowWriter};
use pelton_data::columns::{Columns, Layout, Literal, Physical, Slot};
use pelton_data::report::Source;
use pelton_data::type_parser::parse_columns;
use pelton_data::{Field, key_group};
use pelton_dimension::lookup::{Lookup, LookupError, Share};
use pelton_dimension::{Definition, Image, View};

fn metadata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/metadata")
}

fn planes() -> Definition {
    let text = fs::read_to_string(metadata().join("dimensions/planes.toml")).unwrap();
    Definition::parse(&Source::new("planes.toml", text)).unwrap()
}

fn fields(columns: &str) -> Vec<Field> {
    let columns = parse_columns(columns).unwrap();
    columns.into_iter().map(|(field, _)| field).collect()
}

/// Columns of one row.
struct Row {
    fields: Vec<Field>,
    slots: Vec<Slot>,
    columns: Columns,
}

impl Row {
    fn new(columns: &str) -> Row {
        let fields = fields(columns);
        let mut layout = Layout::default();
        let slots = fields
            .iter()
            .map(|f| layout.add(Physical::of(&f.data_type)));
        let slots = slots.collect();
        let columns = Columns::new(&layout, 1).unwrap();
        Row {
            fields,
            slots,
            columns,
        }
    }

    fn bytes(&mut self, values: &[Literal]) -> Vec<u8> {
        for (slot, value) in self.slots.iter().zip(values) {
            self.columns.put_literal(*slot, 0, value).unwrap();
        }
        let types = self.fields.iter().map(|field| field.data_type.clone());
        let types: Vec<_> = types.zip(self.slots.iter().copied()).collect();
        let mut bytes = Vec::new();
        RowWriter::new(&types)
            .write_to_vec(&self.columns, 0, &mut bytes)
            .unwrap();
        bytes
    }

    fn literals(&mut self, bytes: &[u8]) -> Vec<Literal> {
        let numbered = self.fields.iter().zip(&self.slots).enumerate();
        let read: Vec<_> = numbered
            .map(|(i, (field, slot))| (i, field.data_type.clone(), *slot))
            .collect();
        self.columns.clear();
        RowReader::new(&read, read.len())
            .read(bytes, &mut self.columns, 0)
            .unwrap();
        let slots = self.slots.iter();
        slots.map(|slot| self.columns.literal(*slot, 0)).collect()
    }
}

/// A table of planes that compares `given` and has the columns `output`.
struct Table {
    image: Arc<Image>,
    lookup: Lookup,
    given: Row,
    output: Row,
}

impl Table {
    fn new(given: &str, output: &str, share: Option<Share>) -> Table {
        let definition = planes();
        let lookup = Lookup::new(&definition, &fields(given), &fields(output), share).unwrap();
        let wanted: Vec<&str> = lookup.wanted().iter().map(String::as_str).collect();
        Table {
            image: Arc::new(Image::load(&definition, &metadata(), &wanted).unwrap()),
            lookup,
            given: Row::new(given),
            output: Row::new(output),
        }
    }

    /// The rows of a key, first into a buffer that is too short.
    fn find(&mut self, key: &[Literal]) -> Result<Vec<Vec<Literal>>, LookupError> {
        let key = self.given.bytes(key);
        let mut short = [7; 9];
        let view = View::Newest(&self.image);
        let found = self.lookup.find(view, &key, &mut short)?;
        let needed = found.bytes;
        let mut out = vec![7; needed];
        assert_eq!(self.lookup.find(view, &key, &mut out), Ok(found));
        let (mut rows, mut at) = (Vec::new(), 0);
        while at < needed {
            let len = u64::from_le_bytes(out[at..at + 8].try_into().unwrap()) as usize;
            rows.push(self.output.literals(&out[at + 8..at + 8 + len]));
            at += 8 + len;
        }
        Ok(rows)
    }
}

#[test]
fn a_key_gives_the_columns_that_are_asked_for_in_their_order() {
    let mut table = Table::new(
        "tailnum STRING",
        "seats INT, tailnum STRING, model STRING",
        None,
    );
    assert_eq!(
        table.lookup.wanted(),
        ["seats", "model"],
        "the key is kept once"
    );
    let rows = table.find(&[Literal::text("N10156")]).unwrap();
    let row = [
        Literal::I32(55),
        Literal::text("N10156"),
        Literal::text("EMB-145XR"),
    ];
    assert_eq!(rows, [row]);
    assert!(table.find(&[Literal::text("N1")]).unwrap().is_empty());
    assert!(
        table.find(&[Literal::Null]).unwrap().is_empty(),
        "a NULL is a miss"
    );
}

#[test]
fn other_columns_that_are_compared_have_to_be_equal() {
    let mut table = Table::new("seats INT, tailnum STRING", "seats INT, engines INT", None);
    let mut find = |seats| table.find(&[seats, Literal::text("N10156")]).unwrap();
    assert_eq!(
        find(Literal::I32(55)),
        [[Literal::I32(55), Literal::I32(2)]]
    );
    assert!(find(Literal::I32(56)).is_empty());
    assert!(find(Literal::Null).is_empty(), "a NULL is equal to nothing");
}

#[test]
fn a_table_of_a_dimension_as_of_a_time_compares_the_time() {
    let text = "path = \"x\"\nformat = \"orc\"\npartition = \"dt DATE\"\nkey = [\"id\"]\n\
                columns = \"id INT, seats INT\"\nchoice = \"as_of\"\nperiod = \"1 d\"";
    let own = text.replace("seats", "as_of");
    let parsed = |text: &str| Definition::parse(&Source::new("x.toml", text)).unwrap();
    let new = |text: &str, given: &str| {
        let lookup = Lookup::new(&parsed(text), &fields(given), &fields("seats INT"), None);
        lookup.map(|lookup| lookup.wanted().to_vec())
    };
    for time in ["TIMESTAMP(3)", "TIMESTAMP(9) NOT NULL", "TIMESTAMP_LTZ(6)"] {
        let given = format!("as_of {time}, id INT");
        assert_eq!(
            new(text, &given).unwrap(),
            ["seats"],
            "the time is not loaded"
        );
    }
    for (text, given, message) in [
        (text, "id INT", "but the column `as_of` is not compared"),
        (
            text,
            "id INT, as_of DATE",
            "the table declares `as_of` DATE, expected a TIMESTAMP",
        ),
        (
            &own,
            "id INT, as_of INT",
            "the dimension has a column `as_of`",
        ),
    ] {
        let error = new(text, given).unwrap_err().to_string();
        assert!(error.contains(message), "{message} in {error}");
    }
}

#[test]
fn a_key_of_another_subtask_is_an_error() {
    let share = |subtask| {
        Some(Share {
            subtask,
            subtasks: 4,
        })
    };
    let mut row = Row::new("tailnum STRING");
    let key = [Literal::text("N10156")];
    let group = key_group::group(key_group::hash(&row.bytes(&key)), 128);
    let belongs = key_group::subtask(128, 4, group);
    for subtask in 0..4 {
        let mut table = Table::new("tailnum STRING", "seats INT", share(subtask));
        let groups = table.lookup.groups();
        assert_eq!((groups.max_parallelism(), groups.count()), (128, 32));
        assert_eq!(groups.contains(group), subtask == belongs);
        match table.find(&key) {
            Ok(rows) => assert_eq!((rows.len(), subtask), (1, belongs)),
            Err(error) => {
                let expected = LookupError::Misrouted {
                    belongs,
                    came: subtask,
                    subtasks: 4,
                };
                assert_eq!(error, expected);
            }
        }
    }
}

#[test]
fn columns_that_the_dimension_does_not_have_are_refused_with_both() {
    for (given, output, message) in [
        (
            "tailnum STRING",
            "seat INT",
            "the dimension has no column `seat`",
        ),
        ("tailnum STRING", "seat INT", "did you mean `seats`?"),
        (
            "tailnum STRING",
            "seats BIGINT",
            "the table declares `seats` BIGINT, the dimension has `seats` INT",
        ),
        (
            "tailnum STRING",
            "seats INT NOT NULL",
            "the table declares `seats` INT NOT NULL, the dimension has `seats` INT",
        ),
        (
            "seats INT",
            "seats INT",
            "the column `tailnum` of the key is not compared",
        ),
    ] {
        let error = Lookup::new(&planes(), &fields(given), &fields(output), None).unwrap_err();
        assert!(error.to_string().contains(message), "{message} in {error}");
    }
}
