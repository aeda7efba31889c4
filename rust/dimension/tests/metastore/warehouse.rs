//! Directories of files, and a dimension over them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use pelton_data::report::Source;
use pelton_dimension::hive::{self, HivePartition};
use pelton_dimension::load::{Wanted, load};
use pelton_dimension::storage::{Settings, Storage};
use pelton_dimension::{Definition, Error, Groups, Image};

pub struct Warehouse {
    pub root: tempfile::TempDir,
}

impl Warehouse {
    pub fn new() -> Warehouse {
        Warehouse {
            root: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// The same as Hadoop writes it.
    pub fn uri(&self, path: &str) -> String {
        format!("file:{}", self.path(path).display())
    }

    /// Writes a file with these keys.
    pub fn write(&self, file: &str, ids: &[i64]) {
        write(&self.path(file), ids);
    }

    /// The planes at `planes`, of a table `flights.planes`.
    pub fn definition(&self, metastore: &str, more: &str) -> Definition {
        fs::create_dir_all(self.path("planes")).unwrap();
        let text = format!(
            "path = '{}'\nformat = 'parquet'\ncolumns = 'id BIGINT, seats INT'\nkey = ['id']\n\
             ready = 'metastore'\nmetastore = '{metastore}'\ntable = 'flights.planes'\n{more}\n",
            self.path("planes").display()
        );
        Definition::parse(&Source::new("planes.toml", text)).unwrap()
    }

    /// What is chosen.
    pub fn choose(&self, definition: &Definition) -> Result<Vec<HivePartition>, Error> {
        let storage = Storage::of(definition, self.root.path(), Settings::default())?;
        hive::choose(definition, &storage.connect()?)
    }

    /// Loads what is chosen.
    pub fn load(&self, definition: &Definition) -> Result<Image, Error> {
        let storage = Storage::of(definition, self.root.path(), Settings::default())?;
        let connection = storage.connect()?;
        let partitions = hive::choose(definition, &connection)?;
        let wanted = Wanted {
            columns: &["seats"],
            groups: &Groups::whole(),
            held: 0,
        };
        load(definition, &connection, &partitions, &wanted)
    }
}

fn write(path: &Path, ids: &[i64]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(Int64Array::from(ids.to_vec()))),
        ("seats", Arc::new(Int32Array::from(vec![7; ids.len()]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
