//! The cases that `models/bench/make_models.py` lists, and rows to feed them.

use std::path::Path;

use serde_json::Value;

use crate::onnx_file::Random;

/// A model and how it is fed.
pub struct Case {
    pub name: String,
    pub file: String,
    pub inputs: Vec<Input>,
    /// The output that is compared, and its values in a row.
    pub output: (String, usize),
    /// How much faster than ONNX Runtime it should be, for each of [`crate::ROWS`].
    pub wanted: Option<Vec<f64>>,
}

/// An input with many rows.
pub struct Input {
    pub name: String,
    /// Of one row.
    pub shape: Vec<usize>,
    pub values: Values,
}

/// Row after row.
pub enum Values {
    Floats(Vec<f32>),
    Ids(Vec<i64>),
    Texts(Vec<String>),
}

impl Input {
    /// Values in a row.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn rows(&self) -> usize {
        let values = match &self.values {
            Values::Floats(values) => values.len(),
            Values::Ids(values) => values.len(),
            Values::Texts(values) => values.len(),
        };
        values / self.width()
    }
}

/// The cases listed in `directory`, each with `rows` rows.
pub fn read(directory: &Path, rows: usize) -> Vec<Case> {
    let path = directory.join("cases.json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let listed: Vec<Value> = serde_json::from_slice(&text).expect("cases.json is a list");
    listed.iter().map(|case| Case::of(case, rows)).collect()
}

impl Case {
    fn of(case: &Value, rows: usize) -> Self {
        let inputs = case["inputs"].as_array().expect("a list of inputs");
        let wanted = case["wanted"].as_array();
        Self {
            name: text(&case["case"]),
            file: text(&case["file"]),
            inputs: inputs.iter().map(|input| Input::of(input, rows)).collect(),
            output: (text(&case["output"][0]), number(&case["output"][1])),
            wanted: wanted.map(|all| {
                all.iter()
                    .map(|ratio| ratio.as_f64().expect("a number"))
                    .collect()
            }),
        }
    }
}

impl Input {
    fn of(input: &Value, rows: usize) -> Self {
        let shape: Vec<usize> = input["shape"]
            .as_array()
            .expect("a shape")
            .iter()
            .map(number)
            .collect();
        let (count, values) = (rows * shape.iter().product::<usize>(), &input["values"]);
        let mut random = Random(5);
        let values = if let Some(below) = values.get("below") {
            Values::Ids(
                (0..count)
                    .map(|_| random.below(number(below)) as i64)
                    .collect(),
            )
        } else if let Some(vocabularies) = values.get("texts").and_then(Value::as_array) {
            let vocabulary = |i: usize| {
                vocabularies[i % vocabularies.len()]
                    .as_array()
                    .expect("a vocabulary")
            };
            Values::Texts(
                (0..count)
                    .map(|i| text(&vocabulary(i)[random.below(vocabulary(i).len())]))
                    .collect(),
            )
        } else {
            Values::Floats((0..count).map(|_| normal(&mut random)).collect())
        };
        Self {
            name: text(&input["name"]),
            shape,
            values,
        }
    }
}

/// Close to the standard normal distribution, on which the models were trained.
fn normal(random: &mut Random) -> f32 {
    // Twelve numbers from -1 to 1 have a variance of 4.
    ((0..12).map(|_| random.unit()).sum::<f64>() / 2.0) as f32
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn number(value: &Value) -> usize {
    value.as_u64().expect("a number") as usize
}
