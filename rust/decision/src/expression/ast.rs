//! What an expression says, before anything is known about types.

use std::cmp::Ordering;

use pelton_data::DataType;
use pelton_data::columns::Timestamp;
use pelton_data::report::Span;

use super::functions::decimal::number;

/// One expression and its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// The bytes of the expression's text.
    pub span: Span,
    /// What stands there.
    pub kind: Kind,
    /// Levels of nesting below; the parser bounds it, so that walks may recurse.
    pub(super) depth: usize,
}

/// The forms of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A name, by its parts: `plane.build_year`; the last ones may be fields of a ROW.
    Name(Vec<String>),
    /// A field of a ROW that is no name: `people[1].age`
    Field(Box<Expr>, String),
    /// A constant.
    Constant(Constant),
    /// A unit of time as an argument: the `HOUR` of `FLOOR(t TO HOUR)`.
    Unit(Unit),
    /// A function or an operator, by its name in upper case: `ABS`, `+`, `AND`, `IS NULL`.
    Call(String, Vec<Expr>),
    /// `CAST(value AS type)`
    Cast {
        /// What is cast.
        value: Box<Expr>,
        /// The type that it gets.
        to: DataType,
        /// `TRY_CAST`: NULL where it fails.
        or_null: bool,
    },
    /// `CASE WHEN condition THEN value ... ELSE otherwise END`. The simple form is parsed into it:
    /// `CASE x WHEN 1` is `CASE WHEN x = 1`, as in Flink.
    Case {
        /// Conditions with their values.
        branches: Vec<(Expr, Expr)>,
        /// `None` stands for NULL.
        otherwise: Option<Box<Expr>>,
    },
}

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// `NULL`
    Null,
    /// `TRUE`, `FALSE`; `UNKNOWN` is the BOOLEAN that is NULL.
    Boolean(Option<bool>),
    /// `1`, `0.8`
    Decimal(Decimal),
    /// `1e3`
    Double(f64),
    /// `'text'`
    Text(String),
    /// `X'616263'`
    Bytes(Vec<u8>),
    /// `DATE '2013-01-01'`, days since 1970-01-01
    Date(i32),
    /// `TIME '18:30:15.123'`, milliseconds of the day, and its precision
    Time(i32, u8),
    /// `TIMESTAMP '2013-01-01 00:00:00.000'` and its precision: the digits behind the point
    Timestamp(Timestamp, u8),
}

/// An exact number: `unscaled / 10^scale`; `scale` is 38 at most.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    /// The digits.
    pub unscaled: i128,
    /// How many digits are written, zeros included; 38 at most.
    pub precision: u8,
    /// Digits behind the point.
    pub scale: u8,
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        number::compare(self.unscaled, other.unscaled, [self.scale, other.scale])
    }
}

/// Units of time, from the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 1000 years
    Millennium,
    /// 100 years
    Century,
    /// 10 years
    Decade,
    /// A year
    Year,
    /// Three months
    Quarter,
    /// A month
    Month,
    /// A week: ISO weeks where it is extracted, weeks from Sunday where it is rounded to
    Week,
    /// A day (of the month)
    Day,
    /// The day of the year, from 1
    Doy,
    /// The day of the week, Sunday is 1
    Dow,
    /// The ISO day of the week, Monday is 1
    IsoDow,
    /// The year that the ISO week belongs to
    IsoYear,
    /// Hour
    Hour,
    /// Minute
    Minute,
    /// Second
    Second,
    /// Seconds since 1970
    Epoch,
    /// Thousandth of a second
    Millisecond,
    /// Millionth of a second
    Microsecond,
    /// Billionth of a second
    Nanosecond,
}

/// The units by their names, in the order of [`Unit`].
pub const UNITS: [(&str, Unit); 19] = [
    ("MILLENNIUM", Unit::Millennium),
    ("CENTURY", Unit::Century),
    ("DECADE", Unit::Decade),
    ("YEAR", Unit::Year),
    ("QUARTER", Unit::Quarter),
    ("MONTH", Unit::Month),
    ("WEEK", Unit::Week),
    ("DAY", Unit::Day),
    ("DOY", Unit::Doy),
    ("DOW", Unit::Dow),
    ("ISODOW", Unit::IsoDow),
    ("ISOYEAR", Unit::IsoYear),
    ("HOUR", Unit::Hour),
    ("MINUTE", Unit::Minute),
    ("SECOND", Unit::Second),
    ("EPOCH", Unit::Epoch),
    ("MILLISECOND", Unit::Millisecond),
    ("MICROSECOND", Unit::Microsecond),
    ("NANOSECOND", Unit::Nanosecond),
];

impl Unit {
    /// The unit's name in SQL.
    pub fn name(self) -> &'static str {
        let found = UNITS.iter().find(|(_, unit)| *unit == self);
        found.expect("every unit has a name").0
    }
}

/// One item of a SELECT list.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectItem {
    /// The value.
    pub expr: Expr,
    /// The alias, or the last part of a plain name; any other expression has none without `AS`.
    pub name: Option<String>,
    /// The whole item, with its alias.
    pub span: Span,
}

impl Expr {
    /// The parts of the name, if it is a name and nothing else.
    pub fn as_name(&self) -> Option<&[String]> {
        match &self.kind {
            Kind::Name(path) => Some(path),
            _ => None,
        }
    }

    /// The names that the expression uses, in the order of the text, with their places.
    pub fn names(&self) -> Vec<(Vec<String>, Span)> {
        let mut names = Vec::new();
        self.collect_names(&mut names);
        names
    }

    /// How many parts it has.
    pub(super) fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Name(_) | Kind::Constant(_) | Kind::Unit(_) => 0,
            Kind::Call(_, args) => args.iter().map(Expr::size).sum(),
            Kind::Cast { value, .. } | Kind::Field(value, _) => value.size(),
            Kind::Case {
                branches,
                otherwise,
            } => {
                let branches = branches.iter().map(|(c, v)| c.size() + v.size());
                branches.sum::<usize>() + otherwise.as_deref().map_or(0, Expr::size)
            }
        }
    }

    fn collect_names(&self, names: &mut Vec<(Vec<String>, Span)>) {
        match &self.kind {
            Kind::Name(path) => names.push((path.clone(), self.span.clone())),
            Kind::Constant(_) | Kind::Unit(_) => {}
            Kind::Call(_, args) => args.iter().for_each(|arg| arg.collect_names(names)),
            Kind::Cast { value, .. } | Kind::Field(value, _) => value.collect_names(names),
            Kind::Case {
                branches,
                otherwise,
            } => {
                for (condition, value) in branches {
                    condition.collect_names(names);
                    value.collect_names(names);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.collect_names(names);
                }
            }
        }
    }
}
