//! A dimension whose files a test writes, into memory if not into a directory.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use pelton_data::report::Source;
use pelton_data::value::Value;
use pelton_dimension::hive::{self, HivePartition};
use pelton_dimension::source::{BATCH, Scan, Selection};
use pelton_dimension::storage::{Connection, Location, Settings, Storage};
use pelton_dimension::{Definition, Error};

pub const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/dimension");

pub const TYPES: &str = "id BIGINT, tiny TINYINT, small SMALLINT, seats INT, retired BOOLEAN, \
    ratio FLOAT, price DOUBLE, amount DECIMAL(12, 3), large DECIMAL(38, 10), name STRING, \
    day DATE, local TIMESTAMP(6), instant TIMESTAMP_LTZ(6), words ARRAY<STRING>, \
    plane ROW<seats INT, name STRING>, attributes MAP<STRING, BIGINT>";

/// A dimension.
pub struct Table {
    pub definition: Definition,
    pub connection: Connection,
}

impl Table {
    /// In memory, of these columns, in `n=.../` directories, all of which are read.
    pub fn new(format: &str, columns: &str, more: &str) -> Table {
        let text = format!(
            "path = 'weather'\nformat = '{format}'\npartition = 'n INT'\nkey = ['id']\n\
             columns = '{columns}'\nchoice = 'all'\n{more}\n"
        );
        let definition = Definition::parse(&Source::new("weather.toml", text)).unwrap();
        let table = Table {
            definition,
            connection: Storage::in_memory().connect().unwrap(),
        };
        table.write("n=1/_SUCCESS", Vec::new());
        table
    }

    /// The same, with its files in a directory of this machine.
    pub fn at(self, directory: &Path) -> Table {
        let location = Location::Local(directory.to_owned());
        let storage = Storage::new(location, Settings::default()).unwrap();
        let connection = storage.connect().unwrap();
        let table = Table { connection, ..self };
        table.write("n=1/_SUCCESS", Vec::new());
        table
    }

    /// With what pyarrow wrote.
    pub fn golden(format: &str, columns: &str, more: &str) -> Table {
        let table = Table::new(format, columns, more);
        table.write("n=1/part-0", golden(format));
        table
    }

    pub fn write(&self, path: &str, bytes: Vec<u8>) {
        self.connection.write(path, bytes).unwrap();
    }

    pub fn choose(&self) -> Vec<HivePartition> {
        hive::choose(&self.definition, &self.connection).unwrap()
    }

    pub fn rows(&self, names: &[&str]) -> Result<Vec<Vec<Value>>, Error> {
        self.rows_of(&self.choose(), names)
    }

    /// The rows of what was listed, from two passes that have to agree.
    pub fn rows_of(
        &self,
        partitions: &[HivePartition],
        names: &[&str],
    ) -> Result<Vec<Vec<Value>>, Error> {
        let mut selection = Selection::new();
        let mut places = Vec::new();
        for name in names {
            places.push(selection.add(&self.definition, name)?);
        }
        let scan = Scan::new(&self.definition, &self.connection, partitions);
        let pass = || {
            let mut all = Vec::new();
            scan.pass(&selection, |batch, at| {
                assert!(batch.rows <= BATCH);
                assert!(at.name.ends_with(&at.file.path), "{at:?}");
                for row in 0..batch.rows {
                    let cells = places.iter().map(|(field, slot)| {
                        Value::of(batch.columns, *slot, row, &field.data_type).unwrap()
                    });
                    all.push(cells.collect());
                }
                Ok(())
            })?;
            Ok(all)
        };
        let rows: Vec<Vec<Value>> = pass()?;
        assert_eq!(format!("{:?}", pass()?), format!("{rows:?}"));
        Ok(rows)
    }

    #[track_caller]
    pub fn refused(&self, names: &[&str], code: &str, message: &str) {
        let error = self.rows(names).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(message), "{message} in {error}");
    }
}

/// What pyarrow wrote.
pub fn golden(format: &str) -> Vec<u8> {
    golden_file(&format!("types.{format}"))
}

pub fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

pub fn ids(ids: std::ops::Range<i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(ids))
}

pub fn golden_file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{GOLDEN}/{name}")).unwrap()
}
