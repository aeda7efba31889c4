//! From [`Typed`] to instructions.

use std::collections::HashMap;

use pelton_data::DataType;
use pelton_data::columns::{Columns, Layout, Literal, Physical, Slot};

use super::branch::Test;
use super::choose::first_true;
use super::functions::conditional::choose_kernel;
use super::functions::kernel::copy;
use super::functions::logic;
use super::program::{Call, EvalError, Kernel, Program};
use super::selection::{SelectionId, Selections};
use super::typing::{Application, Node, Typed};

/// Up to this many instructions that cannot fail are computed for all rows rather than under a
/// selection of their own: parting the rows costs as much.
const CHEAP: usize = 6;

/// Up to so many instructions a CASE is computed whole, for all rows, rather than by jumps.
const AT_ONCE: usize = 32;

/// Owns the instructions and the layout while a plan is built.
#[derive(Debug, Default)]
pub struct Compiler {
    /// The columns so far; the plan adds its own to it.
    pub layout: Layout,
    program: Program,
    /// The selection that each selection was taken from.
    parents: Vec<SelectionId>,
    /// Constants are being computed: there is nothing to fold in them, they are run.
    folding: bool,
    /// What is computed already, and for which rows.
    known: HashMap<Key, Slot>,
}

/// What makes two calls the same.
type Key = (usize, [Slot; 3], i64, bool, Physical, SelectionId);

/// One branch of a CASE with several results, or one rule.
#[derive(Debug, Clone)]
pub struct Case {
    /// A BOOLEAN; the branch is taken where it is TRUE.
    pub condition: Typed,
    /// One value a result.
    pub values: Vec<Typed>,
}

/// The columns of a CASE with several results.
#[derive(Debug)]
pub struct Chosen {
    /// The condition of each case, computed where no earlier one is TRUE.
    pub conditions: Vec<Slot>,
    /// The results.
    pub values: Vec<Slot>,
}

/// What a NULL becomes in a model's tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NullAs {
    /// Not a number; for float tensors.
    Nan,
    /// This number.
    Value(f64),
    /// This whole number; for integer tensors, exact beyond 2^53.
    Integer(i64),
    /// An error of the record.
    Error,
}

impl Compiler {
    /// Computes `typed` for the rows of `under`; returns the column.
    pub fn emit(&mut self, typed: &Typed, under: SelectionId) -> Slot {
        match &typed.node {
            Node::Column(slot) => *slot,
            Node::Literal(literal) => self.layout.add_literal(typed.physical(), literal.clone()),
            Node::Null | Node::Unit(_) => {
                unreachable!("refused or given a type by the type checker")
            }
            _ => {
                if !self.folding
                    && let Some(literal) = fold(typed)
                {
                    return self.layout.add_literal(typed.physical(), literal);
                }
                self.emit_node(typed, under)
            }
        }
    }

    fn emit_node(&mut self, typed: &Typed, under: SelectionId) -> Slot {
        match &typed.node {
            Node::Call(application) => self.emit_call(application, typed.physical(), under),
            Node::And(args) => self.emit_logic(args, logic::AND, Test::NotFalse, under),
            Node::Or(args) => match self.emit_among(args, under) {
                Some(slot) => slot,
                None => self.emit_logic(args, logic::OR, Test::NotTrue, under),
            },
            Node::Case {
                branches,
                otherwise,
            } => {
                if let Some(slot) = self.emit_choice(branches, otherwise, under) {
                    return slot;
                }
                let cases = branches.iter().map(|(condition, value)| Case {
                    condition: condition.clone(),
                    values: vec![value.clone()],
                });
                let cases: Vec<Case> = cases.collect();
                let otherwise = std::slice::from_ref(otherwise.as_ref());
                self.emit_cases(&cases, otherwise, under).values[0]
            }
            _ => self.emit(typed, under),
        }
    }

    fn emit_call(
        &mut self,
        application: &Application,
        physical: Physical,
        under: SelectionId,
    ) -> Slot {
        let slots: Vec<Slot> = application
            .args
            .iter()
            .map(|arg| self.emit(arg, under))
            .collect();
        let args = [0, 1, 2].map(|i| *slots.get(i).unwrap_or(&slots[0]));
        let Application {
            kernel,
            parameter,
            or_null,
            ..
        } = *application;
        let parameter = match &application.resource {
            Some(resource) => self.program.resource(resource),
            None => parameter,
        };
        self.apply(kernel, args, parameter, or_null, physical, under)
    }

    /// The column of a call: the one that holds it already, or a new one.
    pub(super) fn call(
        &mut self,
        kernel: Kernel,
        args: [Slot; 3],
        parameter: i64,
        physical: Physical,
        under: SelectionId,
    ) -> Slot {
        self.apply(kernel, args, parameter, false, physical, under)
    }

    /// The same; with `or_null`, rows that fail are NULL.
    fn apply(
        &mut self,
        kernel: Kernel,
        args: [Slot; 3],
        parameter: i64,
        or_null: bool,
        physical: Physical,
        under: SelectionId,
    ) -> Slot {
        let key = |under| (kernel as usize, args, parameter, or_null, physical, under);
        let mut rows = under;
        loop {
            if let Some(slot) = self.known.get(&key(rows)) {
                return *slot;
            }
            if rows == SelectionId::ALL {
                break;
            }
            rows = self.parents[rows.0 as usize - 1];
        }
        let out = self.layout.add(physical);
        self.program.instructions.push(Call {
            kernel,
            args,
            out,
            under,
            parameter,
            or_null,
        });
        self.known.insert(key(under), out);
        out
    }

    pub(super) fn push_call(
        &mut self,
        kernel: Kernel,
        args: [Slot; 3],
        parameter: i64,
        out: Slot,
        under: SelectionId,
    ) {
        self.program.instructions.push(Call {
            kernel,
            args,
            out,
            under,
            parameter,
            or_null: false,
        });
    }

    /// `args` joined by AND or OR. An argument is computed for the rows that still pass `test`;
    /// one that is cheap and cannot fail is computed for all.
    fn emit_logic(
        &mut self,
        args: &[Typed],
        kernel: Kernel,
        test: Test,
        under: SelectionId,
    ) -> Slot {
        let mut result = self.emit(&args[0], under);
        for arg in &args[1..] {
            if !arg.can_fail() && arg.cost() <= CHEAP {
                let value = self.emit(arg, under);
                result = self.call(kernel, [result, value, result], 0, Physical::I8, under);
                continue;
            }
            let (open, _) = self.filter(test, result, under);
            let out = self.copy(result, under);
            let skip = self.skip(open, result);
            let value = self.emit(arg, open);
            self.push_call(kernel, [result, value, result], 0, out, open);
            self.land(skip);
            result = out;
        }
        result
    }

    /// A CASE with several results: the first case whose condition is TRUE gives the values,
    /// `otherwise` where there is none. Values in one place have one type.
    pub fn emit_cases(
        &mut self,
        cases: &[Case],
        otherwise: &[Typed],
        under: SelectionId,
    ) -> Chosen {
        // A constant is computed once: to look for constants in it would cost more each level down.
        if !self.folding && is_cheap(cases, otherwise) {
            return self.emit_cases_at_once(cases, otherwise, under);
        }
        let values: Vec<Slot> = otherwise
            .iter()
            .map(|value| self.layout.add(value.physical()))
            .collect();
        let mut conditions = Vec::new();
        let mut rows = under;
        let mut ends = Vec::new();
        for case in cases {
            let condition = self.emit(&case.condition, rows);
            conditions.push(condition);
            let (taken, others) = self.filter(Test::True, condition, rows);
            let skip = self.skip(taken, condition);
            self.emit_values(&case.values, &values, taken);
            self.land(skip);
            rows = others;
            ends.push(self.skip(rows, condition));
        }
        self.emit_values(otherwise, &values, rows);
        ends.into_iter().for_each(|end| self.land(end));
        Chosen { conditions, values }
    }

    /// All conditions and all values are computed, for all rows, and no jump is taken: a jump that
    /// goes the other way than the last time costs more than several instructions.
    fn emit_cases_at_once(
        &mut self,
        cases: &[Case],
        otherwise: &[Typed],
        under: SelectionId,
    ) -> Chosen {
        let conditions: Vec<Slot> = cases
            .iter()
            .map(|case| self.emit(&case.condition, under))
            .collect();
        // The last rule of many is taken wherever no earlier one is.
        let always = |case: &Case| fold(&case.condition) == Some(Literal::I8(1));
        let (cases, otherwise) = match cases.iter().position(always) {
            Some(last) => (&cases[..last], &cases[last].values[..]),
            None => (cases, otherwise),
        };
        let all = cases.iter().flat_map(|case| &case.values).chain(otherwise);
        let constants: Option<Vec<Literal>> = all.map(fold).collect();
        if let (Some(constants), true) = (constants, cases.len() > 1) {
            let number = self.emit_first_true(&conditions[..cases.len()], under);
            let outputs = 0..otherwise.len();
            let outputs = outputs.map(|k| {
                let values = constants.iter().skip(k).step_by(otherwise.len()).cloned();
                self.emit_nth(number, otherwise[k].physical(), values.collect(), under)
            });
            let values = outputs.collect();
            return Chosen { conditions, values };
        }
        let outputs = otherwise.iter().enumerate().map(|(k, otherwise)| {
            let mut out = self.emit(otherwise, under);
            for (case, condition) in cases.iter().zip(&conditions).rev() {
                let value = self.emit(&case.values[k], under);
                let physical = otherwise.physical();
                out = self.call(
                    choose_kernel(physical),
                    [*condition, value, out],
                    0,
                    physical,
                    under,
                );
            }
            out
        });
        let values = outputs.collect();
        Chosen { conditions, values }
    }

    /// The number of the first condition that is TRUE; how many there are, if none is.
    fn emit_first_true(&mut self, conditions: &[Slot], under: SelectionId) -> Slot {
        let none = Literal::I64(conditions.len() as i64);
        let mut number = self.layout.add_literal(Physical::I64, none);
        for (i, pair) in conditions.chunks(2).enumerate().rev() {
            let args = [pair[0], pair[pair.len() - 1], number];
            number = self.call(first_true, args, 2 * i as i64, Physical::I64, under);
        }
        number
    }

    fn emit_values(&mut self, values: &[Typed], outs: &[Slot], under: SelectionId) {
        for (value, out) in values.iter().zip(outs) {
            let slot = self.emit(value, under);
            self.push_call(copy, [slot; 3], 0, *out, under);
        }
    }

    /// How many instructions there are: where the next step of the plan begins.
    pub fn instructions(&self) -> usize {
        self.program.instructions.len()
    }

    /// Says that the instructions from here on belong to `what`, for instance ``feature `risk` ``,
    /// whose text is `text`. An error at run time names both.
    pub fn origin(&mut self, what: &str, text: &str) {
        let first = self.instructions() as u32;
        self.program
            .origins
            .push((first, format!("{what}: {text}")));
    }

    /// The program, and the layout of its columns.
    pub fn finish(self) -> (Program, Layout) {
        (self.program, self.layout)
    }

    fn copy(&mut self, from: Slot, under: SelectionId) -> Slot {
        let out = self.layout.add(from.physical);
        self.push_call(copy, [from; 3], 0, out, under);
        out
    }

    /// A new selection, of rows of `from`.
    pub(super) fn selection(&mut self, from: SelectionId) -> SelectionId {
        self.parents.push(from);
        self.program.selections += 1;
        SelectionId(self.program.selections)
    }

    /// Says that a [`Compiler::skip`] goes on here.
    fn land(&mut self, skip: usize) {
        self.program.instructions[skip].parameter = self.instructions() as i64;
    }
}

/// Whether all conditions and values of a CASE can be computed without harm, and with less work
/// than jumps are.
fn is_cheap(cases: &[Case], otherwise: &[Typed]) -> bool {
    let conditions = cases.iter().map(|case| &case.condition);
    let values = cases.iter().flat_map(|case| &case.values).chain(otherwise);
    let mut cost = cases.len();
    let mut all = conditions.chain(values);
    all.all(|typed| {
        let is_constant = fold(typed).is_some();
        cost += if is_constant { 0 } else { 1 + typed.cost() };
        cost <= AT_ONCE && (is_constant || !typed.can_fail())
    })
}

/// A longer CHAR is padded where it is used: as a constant it would stand in memory for ever.
const LONGEST_CONSTANT: u32 = 1 << 16;

/// The value of an expression of constants. `None` if it has columns, or fails: then it fails
/// where it is evaluated, as in Flink.
pub(super) fn fold(typed: &Typed) -> Option<Literal> {
    let is_long = matches!(typed.data_type, DataType::Char(length) if length > LONGEST_CONSTANT);
    match typed.is_constant() && !is_long {
        true => value_of(typed).ok(),
        false => None,
    }
}

/// The value of an expression without columns, found by running its own instructions once.
pub fn value_of(typed: &Typed) -> Result<Literal, EvalError> {
    let mut compiler = Compiler {
        folding: true,
        ..Compiler::default()
    };
    let slot = compiler.emit_node(typed, SelectionId::ALL);
    let (program, layout) = compiler.finish();
    if let Some(literal) = layout.literal(slot) {
        return Ok(literal.clone());
    }
    let mut columns = Columns::new(&layout, 1)?;
    let mut selections = Selections::new(&program, 1)?;
    let all = 0..program.instructions.len() as u32;
    program.run(all, &mut columns, &mut selections, 1)?;
    Ok(columns.literal(slot, 0))
}
