//! What is asked of a Parquet file's footer before the reader, which trusts it, gets to see it: that
//! what its lists promise is there, and that its schema is a tree of no great depth.
//!
//! ```text
//! ... | footer: one struct of Thrift | length of the footer u32 | PAR1
//! ```

use super::thrift::Kind::{Binary, Bool, Byte, Double, List, Number, Struct};
use super::thrift::{self, BINARY, DEPTH, Fields, Kind, LIST, STRUCT, Thrift, Type};

/// The most bytes that the names of all columns take, each with those of the groups around it.
const NAMES: u64 = 16 << 20;
/// What the reader keeps of a name beside its bytes.
const NAME: u64 = 32;

/// The most bytes of a value of fixed length. NULLs take as many, and are not in the file.
const FIXED: i32 = 64 << 10;

const FILE: Fields = &[
    (1, Number),
    (SCHEMA, List(&Struct(ELEMENT))),
    (3, Number),
    (4, List(&Struct(ROW_GROUP))),
    (5, List(&Struct(&[(1, Binary), (2, Binary)]))),
    (6, Binary),
    (7, List(&Struct(&[(1, EMPTY)]))),
];
const SCHEMA: i16 = 2;

const ELEMENT: Fields = &[
    (1, Number),
    (LENGTH, Number),
    (3, Number),
    (NAME_ID, Binary),
    (CHILDREN, Number),
    (6, Number),
    (7, Number),
    (8, Number),
    (9, Number),
    (10, Struct(LOGICAL)),
];
const LENGTH: i16 = 2;
const NAME_ID: i16 = 4;
const CHILDREN: i16 = 5;

const LOGICAL: Fields = &[
    (1, EMPTY),
    (2, EMPTY),
    (3, EMPTY),
    (4, EMPTY),
    (5, Struct(&[(1, Number), (2, Number)])),
    (6, EMPTY),
    (7, Struct(TIME)),
    (8, Struct(TIME)),
    (10, Struct(&[(1, Byte), (2, Bool)])),
    (11, EMPTY),
    (12, EMPTY),
    (13, EMPTY),
    (14, EMPTY),
    (15, EMPTY),
    (16, Struct(&[(1, Byte)])),
    (17, Struct(&[(1, Binary)])),
    (18, Struct(&[(1, Binary), (2, Number)])),
];
const TIME: Fields = &[
    (1, Bool),
    (2, Struct(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)])),
];
const EMPTY: Kind = Struct(&[]);

const ROW_GROUP: Fields = &[
    (1, List(&Struct(CHUNK))),
    (2, Number),
    (3, Number),
    (4, List(&Struct(&[(1, Number), (2, Bool), (3, Bool)]))),
    (5, Number),
    (7, Number),
];

const CHUNK: Fields = &[
    (1, Binary),
    (2, Number),
    (3, Struct(COLUMN)),
    (4, Number),
    (5, Number),
    (6, Number),
    (7, Number),
];

const COLUMN: Fields = &[
    (1, Number),
    (2, List(&Number)),
    (4, Number),
    (5, Number),
    (6, Number),
    (7, Number),
    (9, Number),
    (10, Number),
    (11, Number),
    (12, Struct(STATISTICS)),
    (13, List(&Struct(&[(1, Number), (2, Number), (3, Number)]))),
    (14, Number),
    (15, Number),
    (
        16,
        Struct(&[(1, Number), (2, List(&Number)), (3, List(&Number))]),
    ),
    (17, Struct(&[(1, Struct(BOX)), (2, List(&Number))])),
];

const STATISTICS: Fields = &[
    (1, Binary),
    (2, Binary),
    (3, Number),
    (4, Number),
    (5, Binary),
    (6, Binary),
    (7, Bool),
    (8, Bool),
];

const BOX: Fields = &[
    (1, Double),
    (2, Double),
    (3, Double),
    (4, Double),
    (5, Double),
    (6, Double),
    (7, Double),
    (8, Double),
];

/// Why the reader must not get this footer, if so.
pub(super) fn check(footer: &[u8]) -> Result<(), String> {
    let mut thrift = Thrift::new(footer, footer.len() as u64);
    let checked = thrift.each_field(|thrift, id, written| match (id, written) {
        (SCHEMA, LIST) => check_schema(thrift),
        _ => thrift.field(FILE, id, written),
    });
    checked.map_err(|why| format!("its footer is broken: {why}"))
}

/// The columns and groups of a schema, each followed by what is in it.
fn check_schema(thrift: &mut Thrift<&[u8]>) -> Result<(), String> {
    let (count, written) = thrift.list_start()?;
    let mut tree = Tree::default();
    for left in (0..count).rev() {
        let element = Element::read(thrift, written)?;
        tree.add(&element, left)?;
    }
    Ok(())
}

/// A column or group of a schema.
#[derive(Default)]
struct Element {
    /// The bytes of its name.
    name: u64,
    children: i32,
}

impl Element {
    fn read(thrift: &mut Thrift<&[u8]>, written: Type) -> Result<Element, String> {
        if written != STRUCT {
            return Err("its schema is no list of columns".to_owned());
        }
        let (mut element, mut length) = (Element::default(), 0);
        thrift.each_field(|thrift, id, written| {
            match id {
                LENGTH if thrift::is_number(written) => length = thrift.int()?,
                CHILDREN if thrift::is_number(written) => element.children = thrift.int()?,
                NAME_ID if written == BINARY => element.name = thrift.binary()?,
                _ => thrift.field(ELEMENT, id, written)?,
            }
            Ok(())
        })?;
        match length > FIXED {
            true => Err(format!("a column has values of {length} bytes each")),
            false => Ok(element),
        }
    }
}

/// The groups that an element of a schema stands in, from the root on.
#[derive(Default)]
struct Tree {
    /// What is still to come in each, and the bytes of its name.
    groups: Vec<(u64, u64)>,
    /// The bytes of these names.
    path: u64,
    /// Of the names of all columns so far.
    names: u64,
}

impl Tree {
    /// With the next element; `left` elements come after it.
    fn add(&mut self, element: &Element, left: u64) -> Result<(), String> {
        if let Some((children, _)) = self.groups.last_mut() {
            *children -= 1;
        }
        let children = u64::try_from(element.children).ok();
        let children = children.filter(|children| *children <= left);
        let children = children.ok_or_else(|| {
            let children = element.children;
            format!("a group of {children} columns is followed by {left}")
        })?;
        let name = element.name.saturating_add(NAME);
        if children > 0 {
            self.groups.push((children, name));
            self.path = self.path.saturating_add(name);
        } else {
            let names = self.path.saturating_add(name);
            self.names = self.names.saturating_add(names);
        }
        self.check()?;
        while let Some((_, name)) = self.groups.pop_if(|(children, _)| *children == 0) {
            self.path -= name;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if self.groups.len() > DEPTH {
            return Err(format!("its columns are nested deeper than {DEPTH}"));
        }
        match self.names > NAMES {
            true => Err(format!(
                "the names of its columns have more than {NAMES} bytes"
            )),
            false => Ok(()),
        }
    }
}
