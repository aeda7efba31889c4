//! What the unit tests of expressions share: one table of columns, and values as text.

use pelton_data::DataType;
use pelton_data::columns::{Columns, Layout, Physical, Slot, Timestamp};

use super::{Compiler, EvalError, Scope, SelectionId, Selections, Typed, parse, type_check};

/// Columns by name, with one value each.
pub(super) struct Table {
    columns: Vec<(String, DataType, Slot)>,
    pub layout: Layout,
}

impl Table {
    pub fn new(columns: &[(&str, DataType)]) -> Table {
        let mut layout = Layout::default();
        let columns = columns.iter().map(|(name, data_type)| {
            let physical = Physical::of(data_type);
            (name.to_string(), data_type.clone(), layout.add(physical))
        });
        let columns = columns.collect();
        Table { columns, layout }
    }

    pub fn slot(&self, name: &str) -> Slot {
        let found = self.columns.iter().find(|(known, ..)| known == name);
        found.unwrap().2
    }
}

impl Scope for Table {
    fn resolve(&self, path: &[String]) -> Option<(Slot, DataType)> {
        let name = path.join(".");
        let found = self.columns.iter().find(|(known, ..)| *known == name);
        found.map(|(_, data_type, slot)| (*slot, data_type.clone()))
    }

    fn names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, ..)| name.clone()).collect()
    }
}

/// The table of most tests: a column of every type; `void`, `maybe` and `nos` are NULL.
pub(super) fn table() -> (Table, impl Fn(&mut Columns, usize)) {
    let table = Table::new(&[
        ("ti", DataType::TinyInt),
        ("i", DataType::Int),
        ("b", DataType::BigInt),
        ("f", DataType::Float),
        ("d", DataType::Double),
        ("nan", DataType::Double),
        ("yes", DataType::Boolean),
        ("nay", DataType::Boolean),
        ("void", DataType::Int),
        ("maybe", DataType::Boolean),
        ("s", DataType::STRING),
        ("c", DataType::Char(3)),
        ("da", DataType::Date),
        ("t", DataType::Timestamp(9)),
        ("early", DataType::Timestamp(3)),
        ("nos", DataType::STRING),
    ]);
    let slot: Vec<Slot> = table.columns.iter().map(|(.., slot)| *slot).collect();
    let fill = move |columns: &mut Columns, row: usize| {
        columns.set(slot[0], row, -128i8);
        columns.set(slot[1], row, 7i32);
        columns.set(slot[2], row, i64::MAX);
        columns.set(slot[3], row, 1.5f32);
        columns.set(slot[4], row, -2.5f64);
        columns.set(slot[5], row, f64::NAN);
        columns.set(slot[6], row, 1i8);
        columns.set(slot[7], row, 0i8);
        columns.put::<i32>(slot[8], row, None);
        columns.put::<i8>(slot[9], row, None);
        let text = columns.push_text("Straße".as_bytes()).unwrap();
        columns.set(slot[10], row, text);
        let text = columns.push_text(b"abc").unwrap();
        columns.set(slot[11], row, text);
        columns.set(slot[12], row, 16_063i32);
        let t = Timestamp {
            millis: 1_387_909_815_123,
            nanos: 456_789,
        };
        columns.set(slot[13], row, t);
        columns.set(
            slot[14],
            row,
            Timestamp {
                millis: -1,
                nanos: 0,
            },
        );
        columns.set_valid(slot[15], row, false);
    };
    (table, fill)
}

pub(super) fn typed(text: &str) -> Result<Typed, String> {
    let (table, _) = table();
    let expr = parse(text).map_err(|error| error.message)?;
    type_check(&expr, &table).map_err(|errors| errors[0].message.clone())
}

/// How many instructions an expression takes.
pub(super) fn instructions(text: &str) -> usize {
    let (table, _) = table();
    let mut compiler = Compiler::default();
    compiler.layout = table.layout;
    compiler.emit(&typed(text).unwrap(), SelectionId::ALL);
    compiler.instructions()
}

/// Type and value of an expression over the one row of [`table`]: `INT 7`.
pub(super) fn value(text: &str) -> String {
    match try_value(text) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => format!("error: {error}"),
        Err(refused) => panic!("{text}: {refused}"),
    }
}

/// The same, or why it is refused.
pub(super) fn try_value(text: &str) -> Result<Result<String, EvalError>, String> {
    let (table, fill) = table();
    let typed = typed(text)?;
    let mut compiler = Compiler::default();
    compiler.layout = table.layout.clone();
    let slot = compiler.emit(&typed, SelectionId::ALL);
    let all = 0..compiler.instructions() as u32;
    let (program, layout) = compiler.finish();
    let mut columns = Columns::new(&layout, 1).unwrap();
    let mut selections = Selections::new(&program, 1).unwrap();
    fill(&mut columns, 0);
    let run = program.run(all, &mut columns, &mut selections, 1);
    Ok(run.map(|()| {
        let value = columns.literal(slot, 0);
        format!("{} {}", typed.data_type, super::program::show(&value))
    }))
}
