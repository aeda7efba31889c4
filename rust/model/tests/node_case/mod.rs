//! Reads packed node tests of the ONNX project (`models/node_tests.py` says the format), and runs them.
#![allow(dead_code, reason = "every program uses its own part")]

use pelton_model::{Element, Memory, Model, Tensor, Text};

/// A case: a model, what goes in, what comes out.
pub struct Case {
    pub name: String,
    pub operator: String,
    model: Vec<u8>,
    inputs: Vec<Packed>,
    outputs: Vec<Packed>,
}

/// A tensor in row-major order.
#[derive(Clone)]
struct Packed {
    name: String,
    element: u32,
    dims: Vec<u32>,
    data: Vec<u8>,
    strings: Vec<Vec<u8>>,
}

/// Different rows of a case.
const ROWS: usize = 5;

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All outputs are as they should be.
    Passed {
        /// Integer inputs were made constants of the file: the model computes its shapes from them.
        constants: bool,
        /// A step ran on tract.
        tract: bool,
    },
    /// The model was refused, with this message.
    Refused(String),
    /// An output is wrong, or a row failed.
    Wrong(String),
}

/// All cases of a packed file.
pub fn read(mut bytes: &[u8]) -> Vec<Case> {
    let mut cases = Vec::new();
    while !bytes.is_empty() {
        let mut case = block(&mut bytes);
        let (name, operator) = (text(&mut case), text(&mut case));
        let model = block(&mut case).to_vec();
        let inputs = many(&mut case, tensor);
        let outputs = many(&mut case, tensor);
        cases.push(Case {
            name,
            operator,
            model,
            inputs,
            outputs,
        });
    }
    cases
}

fn number(bytes: &mut &[u8]) -> u32 {
    let (number, rest) = bytes.split_at(4);
    *bytes = rest;
    u32::from_le_bytes(number.try_into().expect("four bytes"))
}

fn block<'b>(bytes: &mut &'b [u8]) -> &'b [u8] {
    let len = number(bytes) as usize;
    let (block, rest) = bytes.split_at(len);
    *bytes = rest;
    block
}

fn text(bytes: &mut &[u8]) -> String {
    String::from_utf8_lossy(block(bytes)).into_owned()
}

fn many<T>(bytes: &mut &[u8], read: impl Fn(&mut &[u8]) -> T) -> Vec<T> {
    (0..number(bytes)).map(|_| read(bytes)).collect()
}

fn tensor(bytes: &mut &[u8]) -> Packed {
    let (name, element, dims) = (text(bytes), number(bytes), many(bytes, number));
    let strings = match element {
        8 => many(bytes, |bytes| block(bytes).to_vec()),
        _ => Vec::new(),
    };
    let data = if element == 8 {
        Vec::new()
    } else {
        block(bytes).to_vec()
    };
    Packed {
        name,
        element,
        dims,
        data,
        strings,
    }
}

impl Packed {
    fn width(&self) -> usize {
        self.dims.iter().product::<u32>() as usize
    }

    /// The same values in another order.
    fn turned(&self, by: usize) -> Self {
        let mut turned = self.clone();
        let width = self.width();
        if width > 0 {
            turned
                .data
                .rotate_left(by % width * (self.data.len() / width));
        }
        if !self.strings.is_empty() {
            turned.strings.rotate_left(by % self.strings.len());
        }
        turned
    }

    fn is_integer(&self) -> bool {
        matches!(self.element, 2..=7 | 9)
    }

    fn floats(&self) -> Vec<f64> {
        match self.element {
            1 => self.chunks(|b: [u8; 4]| f32::from_le_bytes(b).into()),
            _ => self.chunks(f64::from_le_bytes),
        }
    }

    fn ints(&self) -> Vec<i64> {
        match self.element {
            2 | 9 => self.chunks(|b: [u8; 1]| b[0].into()),
            3 => self.chunks(|b| i8::from_le_bytes(b).into()),
            4 => self.chunks(|b| u16::from_le_bytes(b).into()),
            5 => self.chunks(|b| i16::from_le_bytes(b).into()),
            6 => self.chunks(|b| i32::from_le_bytes(b).into()),
            12 => self.chunks(|b| u32::from_le_bytes(b).into()),
            _ => self.chunks(i64::from_le_bytes),
        }
    }

    fn chunks<T, const N: usize>(&self, f: impl Fn([u8; N]) -> T) -> Vec<T> {
        let chunks = self.data.chunks_exact(N);
        chunks
            .map(|chunk| f(chunk.try_into().expect("chunks of this size")))
            .collect()
    }

    /// As a constant of the file: protobuf joins messages that stand twice, so a graph with it alone may follow the file.
    fn as_constant(&self) -> Vec<u8> {
        let mut tensor = Vec::new();
        for dim in &self.dims {
            varint(&mut tensor, 1 << 3);
            varint(&mut tensor, (*dim).into());
        }
        varint(&mut tensor, 2 << 3);
        varint(&mut tensor, self.element.into());
        for string in &self.strings {
            field(&mut tensor, 6, string);
        }
        field(&mut tensor, 8, self.name.as_bytes());
        if self.element != 8 {
            field(&mut tensor, 9, &self.data);
        }
        let (mut graph, mut model) = (Vec::new(), Vec::new());
        field(&mut graph, 5, &tensor);
        field(&mut model, 7, &graph);
        model
    }
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn field(to: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    varint(to, number << 3 | 2);
    varint(to, bytes.len() as u64);
    to.extend(bytes);
}

impl Case {
    /// Runs the case: with integer inputs as constants of the file where the model needs that, since exporters write
    /// shapes, axes and counts so.
    pub fn run(&self) -> Outcome {
        let first = self.run_with(|_| false);
        let attempts = self.attempts();
        match &first {
            Outcome::Refused(_) => attempts
                .iter()
                .map(|constant| self.run_with(constant))
                .find(|outcome| !matches!(outcome, Outcome::Refused(_)))
                .unwrap_or(first),
            _ => first,
        }
    }

    /// Which inputs are constants of the file, as few as needed: integers, then everything but the first input, then
    /// everything.
    fn attempts(&self) -> Vec<Box<dyn Fn(usize) -> bool + '_>> {
        vec![
            Box::new(|i| i > 0 && self.inputs[i].is_integer()),
            Box::new(|i| self.inputs[i].is_integer()),
            Box::new(|i| i > 0),
            Box::new(|_| true),
        ]
    }

    /// Runs rows with other values together, and each alone: they must have the same bits. The values of other rows are
    /// those of the case in another order, so that ids stay inside of their tables; a row that fails alone is left out.
    /// Gives the number of different rows.
    pub fn run_many(&self) -> Result<usize, String> {
        let Some(model) = self.passing() else {
            return Ok(0);
        };
        let rows = (0..ROWS).map(|row| self.inputs.iter().map(|input| input.turned(row)).collect());
        let rows: Vec<Vec<Packed>> = rows.collect();
        let mut alone = Vec::new();
        for row in &rows {
            if let Ok(ran) = Ran::of(&model, &[row], 1) {
                alone.push((row, ran.bits(&model, 0)));
            }
        }
        if alone.is_empty() {
            return Err("no row runs alone".to_owned());
        }
        for (n, stride) in [(1, 3), (2, 2), (3, 7), (8, 8), (17, 17), (70, 71)] {
            let together: Vec<_> = alone.iter().cycle().take(n).collect();
            let inputs: Vec<&[Packed]> = together.iter().map(|(row, _)| &row[..]).collect();
            let ran = Ran::of(&model, &inputs, stride)?;
            for (row, (_, expected)) in together.iter().enumerate() {
                if ran.bits(&model, row) != *expected {
                    return Err(format!(
                        "row {row} of {n} has other bits with the stride {stride}"
                    ));
                }
            }
        }
        Ok(alone.len())
    }

    /// The model of the attempt that passes.
    fn passing(&self) -> Option<Model> {
        let mut attempts: Vec<Box<dyn Fn(usize) -> bool + '_>> = vec![Box::new(|_| false)];
        attempts.extend(self.attempts());
        attempts.iter().find_map(|constant| {
            let model = self.load(constant).ok()?;
            self.compare(&model).is_ok().then_some(model)
        })
    }

    fn run_with(&self, constant: impl Fn(usize) -> bool) -> Outcome {
        let constants = (0..self.inputs.len()).any(&constant);
        let model = match self.load(constant) {
            Ok(model) => model,
            Err(error) => return Outcome::Refused(error),
        };
        match self.compare(&model) {
            Ok(()) => Outcome::Passed {
                constants,
                tract: model.steps().iter().any(|step| step.tract.is_some()),
            },
            Err(message) => Outcome::Wrong(message),
        }
    }

    fn load(&self, constant: impl Fn(usize) -> bool) -> Result<Model, String> {
        let mut file = self.model.clone();
        for (i, input) in self.inputs.iter().enumerate() {
            if constant(i) {
                file.extend(input.as_constant());
            }
        }
        Model::from_onnx(&file, &|_| None).map_err(|error| error.to_string())
    }

    fn compare(&self, model: &Model) -> Result<(), String> {
        let on_tract = model.steps().iter().any(|step| step.tract.is_some());
        let Ran {
            f32,
            f64,
            i64,
            heap,
            ..
        } = Ran::of(model, &[&self.inputs], 1)?;
        for (tensor, expected) in model.outputs().iter().zip(&self.outputs) {
            let cells = tensor.first..tensor.first + tensor.width;
            let dims: Vec<u32> = tensor.shape.dims.iter().map(|dim| *dim as u32).collect();
            if dims != expected.dims {
                return Err(format!(
                    "{} is {dims:?}, expected {:?}",
                    tensor.name, expected.dims
                ));
            }
            let difference = match tensor.element {
                Element::Float => misfit(
                    f32[cells].iter().map(|x| f64::from(*x)),
                    expected.floats(),
                    on_tract,
                ),
                Element::Double => misfit(f64[cells].iter().copied(), expected.floats(), on_tract),
                Element::String => {
                    let found = i64[cells].iter().map(|cell| string(tensor, *cell, &heap));
                    let place = found.zip(&expected.strings).position(|(a, b)| a != *b);
                    place.map(|place| format!("string {place} differs"))
                }
                _ => {
                    let expected = expected.ints();
                    let place = i64[cells.clone()]
                        .iter()
                        .zip(&expected)
                        .position(|(a, b)| a != b);
                    place.map(|i| {
                        format!(
                            "value {i}: {}, expected {}",
                            i64[cells.start + i],
                            expected[i]
                        )
                    })
                }
            };
            if let Some(difference) = difference {
                return Err(format!("{}: {difference}", tensor.name));
            }
        }
        Ok(())
    }
}

/// The memory of a run.
struct Ran {
    f32: Vec<f32>,
    f64: Vec<f64>,
    i64: Vec<i64>,
    heap: Vec<u8>,
    stride: usize,
}

impl Ran {
    /// Runs rows together, each with its inputs; the error is that of a row.
    fn of<R: AsRef<[Packed]>>(model: &Model, rows: &[R], stride: usize) -> Result<Self, String> {
        let size = model.memory();
        let mut ran = Self {
            f32: vec![0.5; size.f32 * stride],
            f64: vec![0.5; size.f64 * stride],
            i64: vec![-77; size.i64 * stride],
            heap: Vec::new(),
            stride,
        };
        for tensor in model.inputs() {
            for (row, inputs) in rows.iter().enumerate() {
                let mut inputs = inputs.as_ref().iter();
                let input = inputs.find(|input| input.name == tensor.name);
                let input = input.ok_or_else(|| format!("no input {}", tensor.name))?;
                ran.feed(tensor, row, input)?;
            }
        }
        let mut memory = Memory {
            f32: &mut ran.f32,
            f64: &mut ran.f64,
            i64: &mut ran.i64,
            text: &mut ran.heap,
            stride,
        };
        let result = model.run(rows.len(), &mut memory);
        result.map_err(|error| error.to_string())?;
        Ok(ran)
    }

    fn feed(&mut self, tensor: &Tensor, row: usize, input: &Packed) -> Result<(), String> {
        if input.width() != tensor.width {
            return Err(format!("{} has another shape", tensor.name));
        }
        let at = |k: usize| (tensor.first + k) * self.stride + row;
        match tensor.element {
            Element::Float => {
                for (k, x) in input.floats().into_iter().enumerate() {
                    self.f32[at(k)] = x as f32;
                }
            }
            Element::Double => {
                for (k, x) in input.floats().into_iter().enumerate() {
                    self.f64[at(k)] = x;
                }
            }
            Element::String => {
                for (k, string) in input.strings.iter().enumerate() {
                    let (offset, len) = (self.heap.len() as u32, string.len() as u32);
                    self.i64[at(k)] = Text { offset, len }.cell();
                    self.heap.extend(string);
                }
            }
            _ => {
                for (k, x) in input.ints().into_iter().enumerate() {
                    self.i64[at(k)] = x;
                }
            }
        }
        Ok(())
    }

    /// The outputs of a row, value by value; all NaNs are one.
    fn bits(&self, model: &Model, row: usize) -> Vec<Vec<u8>> {
        let mut bits = Vec::new();
        for tensor in model.outputs() {
            for column in tensor.first..tensor.first + tensor.width {
                let at = column * self.stride + row;
                bits.push(match tensor.element {
                    Element::Float if self.f32[at].is_nan() => b"NaN".to_vec(),
                    Element::Float => self.f32[at].to_le_bytes().to_vec(),
                    Element::Double if self.f64[at].is_nan() => b"NaN".to_vec(),
                    Element::Double => self.f64[at].to_le_bytes().to_vec(),
                    Element::String => string(tensor, self.i64[at], &self.heap),
                    _ => self.i64[at].to_le_bytes().to_vec(),
                });
            }
        }
        bits
    }
}

fn string(tensor: &Tensor, cell: i64, heap: &[u8]) -> Vec<u8> {
    match &tensor.dictionary {
        Some(dictionary) => dictionary[cell as usize].as_bytes().to_vec(),
        None => Text::of(cell).bytes(heap).to_vec(),
    }
}

/// The first value outside of the suite's tolerances. tract sums in an order of its own, and has its own tanh: beside 0 it
/// may be off by 1e-6 of the largest value.
fn misfit(found: impl Iterator<Item = f64>, expected: Vec<f64>, on_tract: bool) -> Option<String> {
    let largest = expected.iter().fold(1.0, |a: f64, b| a.max(b.abs()));
    let near = if on_tract { 1e-6 * largest } else { 1e-7 };
    let fits = |a: f64, b: f64| {
        a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= near + 1e-3 * b.abs()
    };
    let found: Vec<f64> = found.collect();
    let place = found.iter().zip(&expected).position(|(a, b)| !fits(*a, *b));
    place.map(|i| format!("value {i}: {}, expected {}", found[i], expected[i]))
}
