//! Constants that no text of an expression holds: the values of examples, the names of rules.

use pelton_data::DataType;
use pelton_data::columns::{Literal, Slot};
use pelton_data::report::Diagnostic;

use super::ast::Decimal;
use super::compile::{fold, value_of};
use super::functions::cast::cast;
use super::functions::decimal::Digits;
use super::functions::nested::field;
use super::typing::{Node, Typed};

impl Typed {
    /// NULL of a type.
    pub fn null(data_type: DataType) -> Typed {
        Typed::literal(data_type, 0..0, Literal::Null)
    }

    /// TRUE.
    pub fn truth() -> Typed {
        Typed::boolean(true, 0..0)
    }

    /// A STRING.
    pub fn text(text: &str) -> Typed {
        Typed::literal(DataType::STRING, 0..0, Literal::text(text))
    }

    /// A column that holds it already.
    pub fn column(data_type: DataType, slot: Slot) -> Typed {
        Typed::new(data_type, true, 0..0, Node::Column(slot))
    }

    /// The fields of a ROW; `None` of any other type.
    pub fn fields(&self) -> Option<Vec<Typed>> {
        let DataType::Row(fields) = &self.data_type else {
            return None;
        };
        let fields = fields
            .iter()
            .map(|f| field(self.clone(), &f.name, self.span.clone()));
        fields.collect::<Result<_, _>>().ok()
    }

    /// The largest parts that are constants but not written as one, with their values.
    pub fn constants(&self) -> Vec<(&Typed, Literal)> {
        match fold(self) {
            _ if self.is_written() => Vec::new(),
            Some(value) => vec![(self, value)],
            None => {
                let parts = self.children().into_iter();
                parts.flat_map(Typed::constants).collect()
            }
        }
    }

    /// A literal, or one that the type checker has cast.
    fn is_written(&self) -> bool {
        let is_the_whole = |part: &&Typed| part.span == self.span;
        self.is_literal()
            || self
                .children()
                .iter()
                .find(|part| is_the_whole(part))
                .is_some_and(|p| p.is_written())
    }

    /// Whether it is `NULL` as written.
    pub fn is_null(&self) -> bool {
        matches!(self.node, Node::Null | Node::Literal(Literal::Null))
    }

    /// Its value, if it is a constant and an exact number.
    pub fn exact_value(&self) -> Option<Decimal> {
        let Digits { precision, scale } = Digits::of(&self.data_type)?;
        if !self.is_constant() {
            return None;
        }
        let unscaled = match value_of(self).ok()? {
            Literal::I8(value) => value.into(),
            Literal::I16(value) => value.into(),
            Literal::I32(value) => value.into(),
            Literal::I64(value) => value.into(),
            Literal::I128(value) => value,
            _ => return None,
        };
        Some(Decimal {
            unscaled,
            precision,
            scale,
        })
    }

    /// Whether it is a constant as written, so that its type is a matter of form.
    pub fn is_literal(&self) -> bool {
        matches!(self.node, Node::Literal(_) | Node::Null)
    }
}

/// A text as a constant of a type, read as `CAST('text' AS type)` reads it.
pub fn constant(text: &str, data_type: &DataType) -> Result<Literal, String> {
    let typed = cast(Typed::text(text), data_type).map_err(|Diagnostic { message, .. }| message)?;
    value_of(&typed).map_err(|error| error.to_string())
}
