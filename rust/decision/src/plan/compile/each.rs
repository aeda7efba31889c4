//! Loops over elements: what is compiled inside has columns and instructions of its own; what it
//! uses of around is brought in.

use pelton_data::DataType;
use pelton_data::columns::{Physical, Slot};
use pelton_data::report::Diagnostic;

use super::{PlanCompiler, Values};
use crate::definition::Expression;
use crate::expression::{Compiler, SelectionId, Typed};
use crate::plan::each::{Each, Elements};

/// What is compiled at the moment: the record's steps, or the inside of a loop.
pub(super) struct Level<'a> {
    compiler: Compiler,
    values: Values<'a>,
    inside: Inside,
}

/// What a loop has that the record's steps have not.
#[derive(Default)]
pub(super) struct Inside {
    /// The names of its elements.
    locals: Vec<String>,
    /// What was brought in: a column around, and the own one.
    outer: Vec<(Slot, Slot)>,
}

/// An array whose elements are looped over.
pub(super) struct Array {
    /// What an element is called; nothing where no expression uses it.
    pub name: Option<String>,
    pub slot: Slot,
    pub element: DataType,
}

impl<'a> PlanCompiler<'a> {
    /// Types an expression that must be an array, and computes it.
    pub(super) fn array(
        &mut self,
        name: Option<&str>,
        array: &Expression,
        title: &str,
    ) -> Option<Array> {
        let typed = self.typed(array)?;
        let DataType::Array(element) = &typed.data_type else {
            let message = format!("expected an ARRAY, but this is {}", typed.data_type);
            let diagnostic = Diagnostic::at(array.text.span.clone(), message);
            let help = "`for_each` and sequences take the elements of arrays";
            self.report.push(diagnostic.help(help));
            return None;
        };
        self.begin(title, &array.text.value);
        Some(Array {
            name: name.map(str::to_owned),
            slot: self.compiler.emit(&typed, SelectionId::ALL),
            element: element.data_type.clone(),
        })
    }

    /// Compiles the inside of a loop over arrays of up to `most` elements; `inside` gets the element of each.
    pub(super) fn each<T>(
        &mut self,
        title: &str,
        arrays: Vec<Array>,
        most: usize,
        inside: impl FnOnce(&mut Self, Vec<Typed>) -> T,
    ) -> (Each, T) {
        let fresh = Level {
            compiler: Compiler::default(),
            values: Values::new(self.references),
            inside: Inside::default(),
        };
        let around = self.replace(fresh);
        self.around.push(around);
        let mut elements = Vec::new();
        let mut typed = Vec::new();
        for Array {
            name,
            slot,
            element,
        } in arrays
        {
            let own = self.compiler.layout.add(Physical::of(&element));
            typed.push(Typed::column(element.clone(), own));
            if let Some(name) = name {
                self.define(&name, own, &element);
                self.inside.locals.push(name);
            }
            elements.push(Elements {
                array: slot,
                element,
                own,
            });
        }
        let result = inside(self, typed);
        let own = self.leave();
        let (program, layout) = own.compiler.finish();
        let each = Each {
            title: title.to_owned(),
            arrays: elements,
            outer: own.inside.outer,
            most,
            layout,
            program,
        };
        (each, result)
    }

    /// Types an expression where it has to be computed: inside the loop if it uses elements, else around
    /// it, once for all of them.
    pub(super) fn typed_once(&mut self, expression: &Expression, title: &str) -> Option<Typed> {
        if !self.is_around(expression) {
            return self.typed(expression);
        }
        let (data_type, slot) = self.outside(|around| {
            let typed = around.typed_once(expression, title)?;
            around.begin(title, &expression.text.value);
            let slot = around.compiler.emit(&typed, SelectionId::ALL);
            Some((typed.data_type, slot))
        })?;
        Some(Typed::column(data_type, self.bring(slot)))
    }

    /// Whether an expression has the same value for all elements of the loop that is compiled.
    pub(super) fn is_around(&self, expression: &Expression) -> bool {
        !self.around.is_empty() && !expression.uses(&self.inside.locals)
    }

    /// Compiles something around the loop that is compiled.
    pub(super) fn outside<T>(&mut self, compile: impl FnOnce(&mut Self) -> T) -> T {
        let inner = self.leave();
        let result = compile(self);
        let around = self.replace(inner);
        self.around.push(around);
        result
    }

    /// Makes a name of around known in the loop that is compiled.
    pub(super) fn reach(&mut self, path: &[String]) {
        if self.values.name_of(path).is_some() || self.around.is_empty() {
            return;
        }
        let found = self.outside(|around| {
            around.reach(path);
            let name = around.values.name_of(path)?;
            let (slot, data_type) = around.values.known[&name].clone();
            Some((name, slot, data_type))
        });
        if let Some((name, slot, data_type)) = found {
            let own = self.bring(slot);
            self.define(&name, own, &data_type);
        }
    }

    /// The own column that has the value of one around for every element.
    fn bring(&mut self, slot: Slot) -> Slot {
        let known = self.inside.outer.iter().find(|(around, _)| *around == slot);
        if let Some((_, own)) = known {
            return *own;
        }
        let own = self.compiler.layout.add(slot.physical);
        self.inside.outer.push((slot, own));
        own
    }

    /// Ends what `each` and `outside` began.
    fn leave(&mut self) -> Level<'a> {
        let around = self
            .around
            .pop()
            .expect("a loop that was entered is left once");
        self.replace(around)
    }

    fn replace(&mut self, level: Level<'a>) -> Level<'a> {
        Level {
            compiler: std::mem::replace(&mut self.compiler, level.compiler),
            values: std::mem::replace(&mut self.values, level.values),
            inside: std::mem::replace(&mut self.inside, level.inside),
        }
    }
}
