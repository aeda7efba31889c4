//! From [`Expr`] to [`Typed`]: Flink's types, and the casts that it inserts by itself.

use std::sync::Arc;

use pelton_data::DataType;
use pelton_data::columns::{Literal, Physical, Slot};
use pelton_data::report::{Diagnostic, Span, nearest};

use super::ast::{Constant, Decimal, Expr, Kind, Unit};
use super::functions::decimal::Digits;
use super::functions::{self, Args};
use super::program::{Kernel, Resource};
use crate::vocabulary::Vocabulary;

/// What names mean.
pub trait Scope {
    /// The column of a name, by its parts, and its type.
    fn resolve(&self, path: &[String]) -> Option<(Slot, DataType)>;
    /// All names, with dots between their parts: for "did you mean".
    fn names(&self) -> Vec<String>;
    /// The vocabulary of a name.
    fn vocabulary(&self, _name: &str) -> Option<Arc<Vocabulary>> {
        None
    }
    /// The names of all vocabularies.
    fn vocabularies(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What the longest beginning of a path names, and the parts behind it: fields of a ROW.
pub fn longest<T>(
    path: &[String],
    find: impl Fn(&[String]) -> Option<T>,
) -> Option<(T, &[String])> {
    let mut lengths = (1..=path.len()).rev();
    lengths.find_map(|length| {
        let (name, fields) = path.split_at(length);
        Some((find(name)?, fields))
    })
}

/// An expression whose type is known.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The type of its values.
    pub data_type: DataType,
    /// Whether NULL may come out, as Flink derives it.
    pub nullable: bool,
    /// Its place in the text.
    pub span: Span,
    pub(super) node: Node,
}

/// How an expression is computed.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Column(Slot),
    Literal(Literal),
    /// `NULL` of no type yet.
    Null,
    /// An argument that is no value: `HOUR`.
    Unit(Unit),
    Call(Box<Application>),
    /// In this order, as far as needed; two at least.
    And(Vec<Typed>),
    /// In this order, as far as needed; two at least.
    Or(Vec<Typed>),
    Case {
        branches: Vec<(Typed, Typed)>,
        otherwise: Box<Typed>,
    },
}

/// A kernel and what it is applied to.
#[derive(Debug, Clone)]
pub(super) struct Application {
    pub kernel: Kernel,
    /// One to three.
    pub args: Vec<Typed>,
    pub parameter: i64,
    /// What else the kernel reads; its number in the program takes the place of the parameter.
    pub resource: Option<Resource>,
    /// Whether it can fail: then it is computed only where Flink would compute it.
    pub fallible: bool,
    /// Where it fails it is NULL instead, and then it cannot fail.
    pub or_null: bool,
    /// Of a comparison, the one that Flink takes for its negation.
    pub negation: Option<Kernel>,
}

impl Application {
    fn is_same(&self, other: &Application) -> bool {
        let own = |call: &Application| (call.kernel as usize, call.parameter, call.or_null);
        let mut args = self.args.iter().zip(&other.args);
        own(self) == own(other)
            && self.args.len() == other.args.len()
            && self.resource.is_none()
            && other.resource.is_none()
            && args.all(|(one, other)| one.is_same(other))
    }

    /// The negation of a comparison.
    pub(super) fn negated(self) -> Application {
        let Some(kernel) = self.negation else {
            return self;
        };
        Application {
            kernel,
            negation: Some(self.kernel),
            ..self
        }
    }
}

impl Typed {
    pub(super) fn new(data_type: DataType, nullable: bool, span: Span, node: Node) -> Typed {
        Typed {
            data_type,
            nullable,
            span,
            node,
        }
    }

    /// A kernel that cannot fail, applied; NULL where an argument may be.
    pub(super) fn call(data_type: DataType, span: Span, kernel: Kernel, args: Vec<Typed>) -> Typed {
        let nullable = args.iter().any(|arg| arg.nullable);
        let application = Application {
            kernel,
            args,
            parameter: 0,
            resource: None,
            fallible: false,
            or_null: false,
            negation: None,
        };
        Typed::new(data_type, nullable, span, Node::Call(Box::new(application)))
    }

    /// With the kernel's own constant.
    pub(super) fn with_parameter(mut self, parameter: i64) -> Typed {
        if let Node::Call(application) = &mut self.node {
            application.parameter = parameter;
        }
        self
    }

    /// With what else the kernel reads.
    pub(super) fn with_resource(mut self, resource: Resource) -> Typed {
        if let Node::Call(application) = &mut self.node {
            application.resource = Some(resource);
        }
        self
    }

    /// Marked as a kernel that can fail.
    pub(super) fn fallible(mut self) -> Typed {
        if let Node::Call(application) = &mut self.node {
            application.fallible = true;
        }
        self
    }

    /// With NULL for a failure of the topmost `calls`, each the first argument of the one above.
    pub(super) fn or_null(mut self, calls: usize) -> Typed {
        let mut typed = &mut self;
        for _ in 0..calls {
            let Node::Call(application) = &mut typed.node else {
                break;
            };
            application.or_null |= std::mem::take(&mut application.fallible);
            typed.nullable = true;
            typed = &mut application.args[0];
        }
        self
    }

    /// Calls from here down the first arguments.
    pub(super) fn calls(&self) -> usize {
        match &self.node {
            Node::Call(application) => 1 + application.args[0].calls(),
            _ => 0,
        }
    }

    /// With the kernel of its negation.
    pub(super) fn with_negation(mut self, negation: Kernel) -> Typed {
        if let Node::Call(application) = &mut self.node {
            application.negation = Some(negation);
        }
        self
    }

    pub(super) fn literal(data_type: DataType, span: Span, literal: Literal) -> Typed {
        let nullable = literal == Literal::Null;
        Typed::new(data_type, nullable, span, Node::Literal(literal))
    }

    pub(super) fn boolean(value: bool, span: Span) -> Typed {
        Typed::literal(DataType::Boolean, span, Literal::I8(i8::from(value)))
    }

    /// How its values lie in columns.
    pub(super) fn physical(&self) -> Physical {
        Physical::of(&self.data_type)
    }

    pub(super) fn is_null_literal(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// The number of a literal like `0.5`.
    pub(super) fn as_decimal(&self) -> Option<Decimal> {
        match (&self.node, &self.data_type) {
            (Node::Literal(Literal::I128(unscaled)), DataType::Decimal { precision, scale }) => {
                Some(Decimal {
                    unscaled: *unscaled,
                    precision: *precision,
                    scale: *scale,
                })
            }
            _ => None,
        }
    }

    /// Whether it is computed from constants alone.
    pub(super) fn is_constant(&self) -> bool {
        match &self.node {
            Node::Column(_) => false,
            Node::Literal(_) | Node::Null | Node::Unit(_) => true,
            _ => self.children().into_iter().all(Typed::is_constant),
        }
    }

    /// Whether an evaluation can end in an error.
    pub(super) fn can_fail(&self) -> bool {
        let own = matches!(&self.node, Node::Call(application) if application.fallible);
        own || self.children().into_iter().any(Typed::can_fail)
    }

    /// Whether it is the same column, or the same calls of the same columns and constants.
    pub(super) fn is_same(&self, other: &Typed) -> bool {
        match (&self.node, &other.node) {
            (Node::Column(one), Node::Column(other)) => one == other,
            (Node::Literal(one), Node::Literal(other)) => one.is_same(other),
            (Node::Call(one), Node::Call(other)) => one.is_same(other),
            _ => false,
        }
    }

    /// How many instructions it takes, about.
    pub(super) fn cost(&self) -> usize {
        match self.node {
            Node::Column(_) | Node::Literal(_) => 0,
            _ => 1 + self.children().into_iter().map(Typed::cost).sum::<usize>(),
        }
    }

    pub(super) fn children(&self) -> Vec<&Typed> {
        match &self.node {
            Node::Column(_) | Node::Literal(_) | Node::Null | Node::Unit(_) => Vec::new(),
            Node::Call(application) => application.args.iter().collect(),
            Node::And(args) | Node::Or(args) => args.iter().collect(),
            Node::Case {
                branches,
                otherwise,
            } => {
                let both = branches.iter().flat_map(|(c, v)| [c, v]);
                both.chain([otherwise.as_ref()]).collect()
            }
        }
    }
}

/// Finds the types of an expression. All errors are returned that can be told apart.
pub fn type_check(expr: &Expr, scope: &dyn Scope) -> Result<Typed, Vec<Diagnostic>> {
    let mut checker = Checker {
        scope,
        errors: Vec::new(),
    };
    let typed = checker
        .check(expr)
        .and_then(|typed| checker.keep(result(typed)));
    match typed {
        Some(typed) if checker.errors.is_empty() => Ok(typed),
        _ => Err(checker.errors),
    }
}

/// The expression as a result of its own: what has no type that columns hold is refused.
fn result(typed: Typed) -> Result<Typed, Diagnostic> {
    match &typed.node {
        Node::Null => Err(Diagnostic::at(typed.span.clone(), "NULL alone has no type")
            .help("write CAST(NULL AS type)")),
        _ => Ok(typed),
    }
}

struct Checker<'a> {
    scope: &'a dyn Scope,
    errors: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    fn check(&mut self, expr: &Expr) -> Option<Typed> {
        let span = expr.span.clone();
        match &expr.kind {
            Kind::Name(path) => {
                let column = self.column(path, span);
                self.keep(column)
            }
            Kind::Field(value, name) => {
                let value = self.check(value)?;
                let field = functions::nested::field(value, name, span);
                self.keep(field)
            }
            Kind::Constant(constant) => Some(constant_of(constant, span)),
            Kind::Unit(unit) => Some(Typed::new(DataType::STRING, false, span, Node::Unit(*unit))),
            Kind::Cast { value, to, or_null } => {
                let value = self.check(value)?;
                let cast = match or_null {
                    true => functions::cast::try_cast,
                    false => functions::cast::cast,
                };
                let cast = cast(Typed { span, ..value }, to);
                self.keep(cast)
            }
            Kind::Call(name, args) => {
                let function = functions::find(name, &span);
                let function = self.keep(function);
                let args = self.check_all(args);
                let args = Args {
                    name,
                    span,
                    values: args?,
                    scope: self.scope,
                };
                let call = functions::apply(function?, args);
                self.keep(call)
            }
            Kind::Case {
                branches,
                otherwise,
            } => {
                let (conditions, values): (Vec<&Expr>, Vec<&Expr>) =
                    branches.iter().map(|(c, v)| (c, v)).unzip();
                let conditions = self.check_all(conditions);
                let values = self.check_all(values.into_iter().chain(otherwise.as_deref()));
                let case = functions::conditional::case(span, conditions?, values?);
                self.keep(case)
            }
        }
    }

    /// All of them, so that every error is found; `None` if one has an error.
    fn check_all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Option<Vec<Typed>> {
        let typed: Vec<Option<Typed>> = exprs.into_iter().map(|e| self.check(e)).collect();
        typed.into_iter().collect()
    }

    fn column(&self, path: &[String], span: Span) -> Result<Typed, Diagnostic> {
        let Some(((slot, data_type), fields)) = longest(path, |name| self.scope.resolve(name))
        else {
            let name = path.join(".");
            let names = self.scope.names();
            let names = || names.iter().map(String::as_str);
            let unknown = Diagnostic::at(span, format!("unknown name `{name}`"));
            let unknown = unknown.suggest(&name, names());
            // A word that is like no name may be meant as a string.
            return Err(match path.len() == 1 && nearest(&name, names()).is_none() {
                true => unknown.help(format!("a string stands in single quotes: '{name}'")),
                false => unknown,
            });
        };
        let column = Typed::new(data_type, true, span.clone(), Node::Column(slot));
        let mut fields = fields.iter();
        fields.try_fold(column, |row, field| {
            functions::nested::field(row, field, span.clone())
        })
    }
}

fn constant_of(constant: &Constant, span: Span) -> Typed {
    use DataType::*;
    let (data_type, literal) = match constant {
        // Never seen: who takes an untyped NULL gives it a type.
        Constant::Null => return Typed::new(Boolean, true, span, Node::Null),
        Constant::Boolean(None) => (Boolean, Literal::Null),
        Constant::Boolean(Some(value)) => (Boolean, Literal::I8(i8::from(*value))),
        Constant::Double(value) => (Double, Literal::F64(*value)),
        Constant::Text(text) => (Char(text.chars().count() as u32), Literal::text(text)),
        Constant::Bytes(bytes) => (Binary(bytes.len() as u32), Literal::Bytes(bytes.clone())),
        Constant::Date(days) => (Date, Literal::I32(*days)),
        Constant::Time(millis, precision) => (Time(*precision), Literal::I32(*millis)),
        Constant::Timestamp(value, precision) => {
            (Timestamp(*precision), Literal::Timestamp(*value))
        }
        Constant::Decimal(decimal) => return exact(*decimal, span),
    };
    Typed::literal(data_type, span, literal)
}

/// An exact number: INT or BIGINT where it is one, else a DECIMAL of the digits that are written.
pub(super) fn exact(decimal: Decimal, span: Span) -> Typed {
    let Decimal {
        unscaled,
        precision,
        scale,
    } = decimal;
    if scale == 0 {
        if let Ok(value) = i32::try_from(unscaled) {
            return Typed::literal(DataType::Int, span, Literal::I32(value));
        }
        if let Ok(value) = i64::try_from(unscaled) {
            return Typed::literal(DataType::BigInt, span, Literal::I64(value));
        }
    }
    let data_type = DataType::Decimal { precision, scale };
    Typed::literal(data_type, span, Literal::I128(unscaled))
}

/// The type that values of all of `types` are brought to, as for the branches of a CASE; `None`
/// where Flink has none.
pub fn common_type(types: &[DataType]) -> Option<DataType> {
    let (first, rest) = types.split_first()?;
    rest.iter()
        .try_fold(first.clone(), |common, next| pair(&common, next))
}

/// Of FLOAT and DOUBLE it is the first: Flink takes them to be equally precise.
fn pair(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::*;
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (Char(m) | Varchar(m), Char(n) | Varchar(n)) => Some(Varchar(*m.max(n))),
        (Binary(m) | Varbinary(m), Binary(n) | Varbinary(n)) => Some(Varbinary(*m.max(n))),
        (Time(m), Time(n)) => Some(Time(*m.max(n))),
        (Timestamp(m), Timestamp(n) | TimestampLtz(n)) => Some(Timestamp(*m.max(n))),
        (TimestampLtz(m), Timestamp(n) | TimestampLtz(n)) => Some(TimestampLtz(*m.max(n))),
        (Decimal { .. }, Float | Double) | (Float | Double, Decimal { .. }) => Some(Double),
        (Decimal { .. }, _) | (_, Decimal { .. }) => {
            let common = Digits::of(a)?.common(Digits::of(b)?);
            Some(common.data_type())
        }
        (Float, Double) => Some(Float),
        _ if a.is_numeric() && b.is_numeric() => {
            let wider = if rank(a) >= rank(b) { a } else { b };
            Some(wider.clone())
        }
        _ => None,
    }
}

/// The order in which numbers widen.
fn rank(data_type: &DataType) -> u8 {
    match data_type {
        DataType::TinyInt => 0,
        DataType::SmallInt => 1,
        DataType::Int => 2,
        DataType::BigInt => 3,
        _ => 4,
    }
}
