//! Writes small ONNX files: as much of the protobuf messages as tests and benchmarks need.
#![allow(dead_code, reason = "every test binary uses its own part")]

/// The numbers of ONNX's element types.
pub const FLOAT: i32 = 1;
pub const INT32: i32 = 6;
pub const INT64: i32 = 7;
pub const STRING: i32 = 8;
pub const BOOL: i32 = 9;
pub const DOUBLE: i32 = 11;

/// An attribute of a node.
#[derive(Clone)]
pub enum Attribute {
    Int(i64),
    Text(String),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Texts(Vec<String>),
    Doubles(Vec<f64>),
}

/// A node of domain `ai.onnx.ml`, or of the core domain when `core` is set.
#[derive(Clone)]
pub struct Node {
    pub operator: String,
    pub core: bool,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: Vec<(String, Attribute)>,
}

impl Node {
    pub fn ml(operator: &str, inputs: &[&str], outputs: &[&str]) -> Self {
        let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (inputs, outputs) = (strings(inputs), strings(outputs));
        Self {
            operator: operator.to_owned(),
            core: false,
            inputs,
            outputs,
            attributes: Vec::new(),
        }
    }

    pub fn core(operator: &str, inputs: &[&str], outputs: &[&str]) -> Self {
        Self {
            core: true,
            ..Self::ml(operator, inputs, outputs)
        }
    }

    /// Sets an attribute, in place of one with the same name.
    pub fn with(mut self, name: &str, attribute: Attribute) -> Self {
        self = self.without(name);
        self.attributes.push((name.to_owned(), attribute));
        self
    }

    pub fn with_outputs(mut self, outputs: &[&str]) -> Self {
        self.outputs = outputs.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.attributes.retain(|(other, _)| other != name);
        self
    }

    pub fn int(self, name: &str, value: i64) -> Self {
        self.with(name, Attribute::Int(value))
    }

    pub fn text(self, name: &str, value: &str) -> Self {
        self.with(name, Attribute::Text(value.to_owned()))
    }

    pub fn ints(self, name: &str, values: &[i64]) -> Self {
        self.with(name, Attribute::Ints(values.to_vec()))
    }

    pub fn floats(self, name: &str, values: &[f32]) -> Self {
        self.with(name, Attribute::Floats(values.to_vec()))
    }

    pub fn texts(self, name: &str, values: &[&str]) -> Self {
        self.with(
            name,
            Attribute::Texts(values.iter().map(|value| (*value).to_owned()).collect()),
        )
    }

    pub fn doubles(self, name: &str, values: &[f64]) -> Self {
        self.with(name, Attribute::Doubles(values.to_vec()))
    }
}

/// A graph input or output: its name, element type and dimensions, `None` where one is dynamic.
#[derive(Clone)]
pub struct ValueInfo {
    pub name: String,
    pub element: i32,
    pub dims: Option<Vec<Option<i64>>>,
}

/// `[n, width]`
pub fn matrix(name: &str, element: i32, width: i64) -> ValueInfo {
    ValueInfo {
        name: name.to_owned(),
        element,
        dims: Some(vec![None, Some(width)]),
    }
}

/// A value of any shape.
pub fn shapeless(name: &str, element: i32) -> ValueInfo {
    ValueInfo {
        name: name.to_owned(),
        element,
        dims: None,
    }
}

/// The bytes of an ONNX file.
pub fn model(nodes: &[Node], inputs: &[ValueInfo], outputs: &[ValueInfo]) -> Vec<u8> {
    let mut graph = Message::default();
    for node in nodes {
        graph.message(1, &node_message(node));
    }
    graph.bytes(2, b"graph");
    inputs
        .iter()
        .for_each(|input| graph.message(11, &value_message(input)));
    outputs
        .iter()
        .for_each(|output| graph.message(12, &value_message(output)));
    let mut model = Message::default();
    model.varint(1, 10);
    model.message(7, &graph);
    for (domain, version) in [("", 18), ("ai.onnx.ml", 3)] {
        let mut opset = Message::default();
        opset.bytes(1, domain.as_bytes());
        opset.varint(2, version);
        model.message(8, &opset);
    }
    model.0
}

fn node_message(node: &Node) -> Message {
    let mut message = Message::default();
    node.inputs
        .iter()
        .for_each(|input| message.bytes(1, input.as_bytes()));
    node.outputs
        .iter()
        .for_each(|output| message.bytes(2, output.as_bytes()));
    message.bytes(3, b"the node");
    message.bytes(4, node.operator.as_bytes());
    node.attributes
        .iter()
        .for_each(|(name, attribute)| message.message(5, &attribute_message(name, attribute)));
    message.bytes(7, if node.core { b"" } else { b"ai.onnx.ml" });
    message
}

fn attribute_message(name: &str, attribute: &Attribute) -> Message {
    let mut message = Message::default();
    message.bytes(1, name.as_bytes());
    let kind = match attribute {
        Attribute::Int(value) => {
            message.varint(3, *value as u64);
            2
        }
        Attribute::Text(text) => {
            message.bytes(4, text.as_bytes());
            3
        }
        Attribute::Floats(values) => {
            for value in values {
                message.key(7, 5);
                message.0.extend(value.to_le_bytes());
            }
            6
        }
        Attribute::Ints(values) => {
            values
                .iter()
                .for_each(|value| message.varint(8, *value as u64));
            7
        }
        Attribute::Texts(texts) => {
            texts
                .iter()
                .for_each(|text| message.bytes(9, text.as_bytes()));
            8
        }
        Attribute::Doubles(values) => {
            let mut tensor = Message::default();
            tensor.varint(1, values.len() as u64);
            tensor.varint(2, DOUBLE as u64);
            tensor.bytes(
                9,
                &values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect::<Vec<_>>(),
            );
            message.message(5, &tensor);
            4
        }
    };
    message.varint(20, kind);
    message
}

fn value_message(value: &ValueInfo) -> Message {
    let mut tensor = Message::default();
    tensor.varint(1, value.element as u64);
    if let Some(dims) = &value.dims {
        let mut shape = Message::default();
        for dim in dims {
            let mut dimension = Message::default();
            if let Some(size) = dim {
                dimension.varint(1, *size as u64);
            }
            shape.message(1, &dimension);
        }
        tensor.message(2, &shape);
    }
    let mut kind = Message::default();
    kind.message(1, &tensor);
    let mut message = Message::default();
    message.bytes(1, value.name.as_bytes());
    message.message(2, &kind);
    message
}

/// A protobuf message while it is written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u64, wire: u64) {
        self.number(field << 3 | wire);
    }

    fn varint(&mut self, field: u64, value: u64) {
        self.key(field, 0);
        self.number(value);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, 2);
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn message(&mut self, field: u64, message: &Message) {
        self.bytes(field, &message.0);
    }
}

/// A reproducible stream of numbers.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Between -1 and 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}
