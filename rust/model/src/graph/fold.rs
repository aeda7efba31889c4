//! Nodes whose inputs are all known when the model loads are computed then, by the kernels that a run would use.

use super::builder::Builder;
use super::value::{Constant, Place, Value};
use crate::element::Element;
use crate::error::ModelError;
use crate::memory::{Data, MemorySize, Text, Workspace};
use crate::onnx::node::Node;
use crate::operators;

/// Values that constants made by nodes may have, beside a multiple of the file's size.
pub(crate) const FREE_VALUES: usize = 1 << 14;

impl Builder<'_> {
    /// Whether all inputs of a node are constants.
    pub(crate) fn is_constant(&mut self, node: &Node) -> Result<bool, ModelError> {
        if node.inputs.is_empty() {
            return Ok(false);
        }
        for index in 0..node.inputs.len() {
            if let Some(value) = self.peek(node, index)?
                && (value.data().is_none() || value.shape.batch.is_some())
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Computes a node of constants; `false` where its shape depends on the number of rows.
    pub(crate) fn fold(&mut self, node: &Node) -> Result<bool, ModelError> {
        let mut inputs = Vec::new();
        for index in 0..node.inputs.len() {
            inputs.push(self.optional(node, index)?);
        }
        if !inputs.iter().flatten().any(Value::depends_on_rows) {
            let known = self.compute(node, &inputs)?;
            return self.define_all(node, known).map(|()| true);
        }
        let inputs_for = |rows: fn(Value) -> Value| -> Vec<_> {
            let inputs = inputs.iter().cloned();
            inputs.map(|value| value.map(rows)).collect()
        };
        let one = self.compute(node, &inputs_for(for_one_row))?;
        let two = self.compute(node, &inputs_for(for_two_rows))?;
        let mut both = Vec::new();
        for (one, two) in one.into_iter().zip(two) {
            match (one, two) {
                (Some(one), Some(two)) if one.shape == two.shape => {
                    both.push(Some(joined(one, two)));
                }
                (None, None) => both.push(None),
                _ => return Ok(false),
            }
        }
        self.define_all(node, both).map(|()| true)
    }

    fn define_all(&mut self, node: &Node, values: Vec<Option<Value>>) -> Result<(), ModelError> {
        for (index, value) in values.into_iter().enumerate() {
            if let Some(value) = value {
                self.alias(node, index, value)?;
            }
        }
        Ok(())
    }

    /// The outputs of a node: its steps run once, over memory of their own.
    fn compute(
        &self,
        node: &Node,
        inputs: &[Option<Value>],
    ) -> Result<Vec<Option<Value>>, ModelError> {
        let mut child = Builder {
            external: self.external,
            opsets: self.opsets.clone(),
            values: Default::default(),
            readers: Default::default(),
            initializers: Default::default(),
            memory: MemorySize::default(),
            steps: Vec::new(),
            ids: Default::default(),
            limit: self.fold_limit,
            fold_limit: self.fold_limit,
        };
        for (name, value) in node.inputs.iter().zip(inputs) {
            if let Some(value) = value {
                child.values.insert(name.clone(), value.clone());
            }
        }
        operators::load_known(node.clone(), &mut child)?;
        let MemorySize { f32, f64, i64 } = child.memory;
        let mut memory = Workspace {
            f32: &mut vec![0.0; f32],
            f64: &mut vec![0.0; f64],
            i64: &mut vec![0; i64],
            text: &mut Vec::new(),
            stride: 1,
            failure: None,
        };
        for (_, step) in &child.steps {
            step.run(1, &mut memory);
        }
        if let Some((_, message)) = memory.failure {
            return Err(node.invalid(message));
        }
        let outputs = node.outputs.iter().map(|name| {
            let value = child.values.get(name).filter(|_| !name.is_empty())?;
            Some(known(value, &memory))
        });
        Ok(outputs.collect())
    }
}

/// A constant as it is for one number of rows: `choose` takes of what it is for one and for two.
fn settled(mut value: Value, choose: fn(one: &Data, two: &Data) -> Data) -> Value {
    if let Place::Constant(constant) = &value.place
        && let Some(two) = &constant.for_two
    {
        let data = choose(&constant.data, two);
        value.place = Place::Constant(
            Constant {
                data,
                for_two: None,
            }
            .into(),
        );
    }
    value
}

fn for_one_row(value: Value) -> Value {
    settled(value, |one, _| one.clone())
}

fn for_two_rows(value: Value) -> Value {
    settled(value, |_, two| two.clone())
}

/// A constant from what it is for one row and for two.
fn joined(mut one: Value, two: Value) -> Value {
    if let (Some(data), Some(for_two)) = (one.data(), two.data())
        && data != for_two
    {
        let (data, for_two) = (data.clone(), Some(for_two.clone()));
        one.place = Place::Constant(Constant { data, for_two }.into());
    }
    one
}

/// What a run has made of a value.
fn known(value: &Value, memory: &Workspace) -> Value {
    let Place::Columns(columns) = value.place else {
        return value.clone();
    };
    let mut known = value.clone();
    let data = match value.element.region() {
        crate::element::Region::F32 => Data::F32(columns.of(memory.f32, 1).to_vec()),
        crate::element::Region::F64 => Data::F64(columns.of(memory.f64, 1).to_vec()),
        crate::element::Region::I64 => Data::I64(columns.of(memory.i64, 1).to_vec()),
    };
    let data = match data {
        Data::I64(cells) if value.element == Element::String && value.dictionary.is_none() => {
            let texts = cells.iter().map(|&cell| {
                let bytes = Text::of(cell).bytes(memory.text);
                String::from_utf8_lossy(bytes).into_owned()
            });
            known.dictionary = Some(texts.collect());
            Data::I64((0..cells.len() as i64).collect())
        }
        data => data,
    };
    known.place = Place::Constant(
        Constant {
            data,
            for_two: None,
        }
        .into(),
    );
    known
}
