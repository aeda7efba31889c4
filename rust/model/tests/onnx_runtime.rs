//! Every case of `models/vectors`: a model, its inputs, and what ONNX Runtime made of them.
//!
//! A case runs with several numbers of rows and strides; what fits ONNX Runtime at one of them must have the same bits
//! at all of them.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use pelton_model::{Element, Memory, Model, Tensor, Text};
use serde_json::Value;

/// (rows that run together, stride); rows that are left over run as a smaller group.
const SHAPES: [(usize, usize); 11] = [
    (1, 1),
    (1, 5),
    (2, 2),
    (7, 7),
    (8, 8),
    (8, 31),
    (9, 9),
    (16, 16),
    (17, 20),
    (64, 70),
    (256, 256),
];

fn case_directories() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/vectors");
    let mut cases: Vec<PathBuf> = (directory.read_dir().unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("case.json").exists())
        .collect();
    cases.sort();
    assert!(
        cases.len() > 100,
        "only {} cases in {}",
        cases.len(),
        directory.display()
    );
    cases
}

#[test]
fn every_case_agrees_with_onnx_runtime_at_every_number_of_rows() {
    let cases = case_directories();
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| Case::load(case).check().err())
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases fail:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

/// Tells the bits of all outputs, for [`outputs_have_the_same_bits_on_every_processor`].
#[test]
fn outputs_as_told_by_this_process() {
    for case in case_directories() {
        let case = Case::load(&case);
        for shape in [SHAPES[0], SHAPES[10]] {
            let outputs = case.run(shape);
            let bits: Vec<_> = outputs.iter().map(bits).collect();
            let mut hasher = DefaultHasher::new();
            format!("{bits:?}").hash(&mut hasher);
            println!("told {} {shape:?} {:x}", case.name, hasher.finish());
        }
    }
}

#[test]
fn outputs_have_the_same_bits_on_every_processor() {
    let told = |cpu: Option<&str>| {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "outputs_as_told_by_this_process", "--nocapture"]);
        if let Some(cpu) = cpu {
            again.env("PELTON_CPU", cpu);
        }
        let said = String::from_utf8(again.output().unwrap().stdout).unwrap();
        let told = said.lines().filter(|line| line.starts_with("told "));
        told.map(str::to_owned).collect::<Vec<_>>()
    };
    let own = told(None);
    assert!(own.len() > 200, "{own:?}");
    for cpu in ["portable", "avx2"] {
        assert_eq!(told(Some(cpu)), own, "{cpu}");
    }
}

/// A row-major tensor.
#[derive(Clone, PartialEq)]
enum Data {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
    Strings(Vec<String>),
}

struct Case {
    name: String,
    model: Model,
    rows: usize,
    inputs: Vec<Data>,
    outputs: Vec<(Value, Data)>,
}

impl Case {
    fn load(directory: &Path) -> Self {
        let name = directory
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let json: Value =
            serde_json::from_slice(&std::fs::read(directory.join("case.json")).unwrap()).unwrap();
        let external = |name: &str| std::fs::read(directory.join(name)).ok();
        let model = Model::from_onnx(
            &std::fs::read(directory.join("model.onnx")).unwrap(),
            &external,
        )
        .unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = json["rows"].as_u64().unwrap() as usize;
        let entries = |key: &str| json[key].as_array().unwrap().clone();
        let inputs = entries("inputs");
        let names: Vec<_> = model
            .inputs()
            .iter()
            .map(|tensor| tensor.name.as_str())
            .collect();
        assert_eq!(
            names,
            inputs
                .iter()
                .map(|entry| entry["name"].as_str().unwrap())
                .collect::<Vec<_>>(),
            "{name}"
        );
        let inputs = inputs.iter().map(|entry| read(directory, entry)).collect();
        let outputs = entries("outputs")
            .into_iter()
            .map(|entry| (entry.clone(), read(directory, &entry)))
            .collect();
        Self {
            name,
            model,
            rows,
            inputs,
            outputs,
        }
    }

    fn check(&self) -> Result<(), String> {
        let failed = |message: String| Err(format!("{}: {message}", self.name));
        let first = self.run(SHAPES[0]);
        let linear = self
            .model
            .steps()
            .iter()
            .any(|step| step.operator.starts_with("Linear"));
        for ((tensor, ours), (entry, expected)) in
            self.model.outputs().iter().zip(&first).zip(&self.outputs)
        {
            let rank = tensor.shape.rank();
            for (key, ours) in [("rank", rank), ("width", tensor.width)] {
                if entry[key].as_u64() != Some(ours as u64) {
                    return failed(format!(
                        "{} has {key} {ours}, expected {}",
                        tensor.name, entry[key]
                    ));
                }
            }
            if (entry["name"].as_str(), entry["element"].as_str())
                != (Some(&tensor.name), Some(tensor.element.name()))
            {
                return failed(format!(
                    "output {} is {}, expected {entry}",
                    tensor.name,
                    tensor.element.name()
                ));
            }
            if let Some(difference) = difference(ours, expected, entry, linear) {
                return failed(format!("{}: {difference}", tensor.name));
            }
        }
        for shape in &SHAPES[1..] {
            for ((tensor, ours), first) in self
                .model
                .outputs()
                .iter()
                .zip(self.run(*shape))
                .zip(&first)
            {
                if bits(&ours) != bits(first) {
                    return failed(format!(
                        "{} has other bits with (rows, stride) = {shape:?}",
                        tensor.name
                    ));
                }
            }
        }
        Ok(())
    }

    fn run(&self, (group, stride): (usize, usize)) -> Vec<Data> {
        let size = self.model.memory();
        // Every cell starts with something that would show.
        let mut f32 = vec![f32::from_bits(0x7FC0_1234); size.f32 * stride];
        let mut f64 = vec![f64::from_bits(0x7FF8_0000_0000_1234); size.f64 * stride];
        let mut i64 = vec![-77; size.i64 * stride];
        let mut outputs: Vec<Data> = self.model.outputs().iter().map(empty).collect();
        for start in (0..self.rows).step_by(group) {
            let n = group.min(self.rows - start);
            let mut text = Vec::new();
            for (tensor, data) in self.model.inputs().iter().zip(&self.inputs) {
                for row in 0..n {
                    for column in 0..tensor.width {
                        let (at, from) = (
                            (tensor.first + column) * stride + row,
                            (start + row) * tensor.width + column,
                        );
                        match data {
                            Data::F32(data) => f32[at] = data[from],
                            Data::F64(data) => f64[at] = data[from],
                            Data::I64(data) => i64[at] = data[from],
                            Data::Strings(data) => i64[at] = append(&mut text, &data[from]),
                        }
                    }
                }
            }
            self.model
                .run(
                    n,
                    &mut Memory {
                        f32: &mut f32,
                        f64: &mut f64,
                        i64: &mut i64,
                        text: &mut text,
                        stride,
                    },
                )
                .unwrap();
            for (tensor, data) in self.model.outputs().iter().zip(&mut outputs) {
                for row in 0..n {
                    for column in 0..tensor.width {
                        let at = (tensor.first + column) * stride + row;
                        match data {
                            Data::F32(data) => data.push(f32[at]),
                            Data::F64(data) => data.push(f64[at]),
                            Data::I64(data) => data.push(i64[at]),
                            Data::Strings(data) => data.push(string(tensor, i64[at], &text)),
                        }
                    }
                }
            }
        }
        outputs
    }
}

/// The cell of a string that is appended to the text of a run.
fn append(text: &mut Vec<u8>, string: &str) -> i64 {
    let (offset, len) = (text.len() as u32, string.len() as u32);
    text.extend_from_slice(string.as_bytes());
    Text { offset, len }.cell()
}

fn string(tensor: &Tensor, cell: i64, text: &[u8]) -> String {
    match &tensor.dictionary {
        Some(dictionary) => dictionary[cell as usize].clone(),
        None => String::from_utf8(Text::of(cell).bytes(text).to_vec()).unwrap(),
    }
}

fn empty(tensor: &Tensor) -> Data {
    match tensor.element {
        Element::Float => Data::F32(Vec::new()),
        Element::Double => Data::F64(Vec::new()),
        Element::String => Data::Strings(Vec::new()),
        _ => Data::I64(Vec::new()),
    }
}

fn read(directory: &Path, entry: &Value) -> Data {
    if let Some(strings) = entry["strings"].as_array() {
        return Data::Strings(
            strings
                .iter()
                .map(|s| s.as_str().unwrap().to_owned())
                .collect(),
        );
    }
    let bytes = std::fs::read(directory.join(entry["file"].as_str().unwrap())).unwrap();
    match entry["element"].as_str().unwrap() {
        "float" => Data::F32(
            bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
                .collect(),
        ),
        "double" => Data::F64(
            bytes
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
                .collect(),
        ),
        "int64" => Data::I64(
            bytes
                .chunks_exact(8)
                .map(|b| i64::from_le_bytes(b.try_into().unwrap()))
                .collect(),
        ),
        "int32" => Data::I64(
            bytes
                .chunks_exact(4)
                .map(|b| i32::from_le_bytes(b.try_into().unwrap()).into())
                .collect(),
        ),
        "bool" => Data::I64(bytes.into_iter().map(i64::from).collect()),
        other => panic!("element {other}"),
    }
}

/// The bits of every value; text as it is.
fn bits(data: &Data) -> Vec<String> {
    match data {
        Data::F32(data) => data
            .iter()
            .map(|x| format!("{:08x}", x.to_bits()))
            .collect(),
        Data::F64(data) => data
            .iter()
            .map(|x| format!("{:016x}", x.to_bits()))
            .collect(),
        Data::I64(data) => data.iter().map(i64::to_string).collect(),
        Data::Strings(data) => data.clone(),
    }
}

/// The first value that does not fit, within what the entry allows.
///
/// ONNX Runtime has approximations of exp and the logistic function for linear operators, good to about 1e-7, where it
/// has the C library's for trees: an output of theirs that is not exact may be 1e-6 off.
fn difference(ours: &Data, expected: &Data, entry: &Value, linear: bool) -> Option<String> {
    let allowed = |key: &str| match entry[key].as_f64().unwrap() {
        off if linear && key == "absolute" && entry["ulp"] != 0 => f64::max(off, 1e-6),
        off => off,
    };
    let near = |ours: f64, expected: f64| {
        let off = (ours - expected).abs();
        ours == expected
            || (ours.is_nan() && expected.is_nan())
            || off <= allowed("relative") * expected.abs()
            || off <= allowed("absolute")
    };
    match (ours, expected) {
        (Data::F32(ours), Data::F32(expected)) => first_misfit(ours, expected, |a, b| {
            let (a_bits, b_bits) = (a.to_bits() as i32, b.to_bits() as i32);
            let ulps = ordered(a_bits).abs_diff(ordered(b_bits));
            near((*a).into(), (*b).into()) || f64::from(ulps) <= allowed("ulp")
        }),
        (Data::F64(ours), Data::F64(expected)) => first_misfit(ours, expected, |a, b| near(*a, *b)),
        (Data::I64(ours), Data::I64(expected)) => first_misfit(ours, expected, i64::eq),
        (Data::Strings(ours), Data::Strings(expected)) => first_misfit(ours, expected, String::eq),
        _ => Some("another element".to_owned()),
    }
}

fn first_misfit<T: std::fmt::Debug>(
    ours: &[T],
    expected: &[T],
    fits: impl Fn(&T, &T) -> bool,
) -> Option<String> {
    if ours.len() != expected.len() {
        return Some(format!(
            "{} values, expected {}",
            ours.len(),
            expected.len()
        ));
    }
    let misfit = ours.iter().zip(expected).position(|(a, b)| !fits(a, b))?;
    let (a, b) = (&ours[misfit], &expected[misfit]);
    Some(format!("value {misfit}: {a:?}, expected {b:?}"))
}

/// Floats as integers in the order of their values, so that neighbours differ by 1.
fn ordered(bits: i32) -> i32 {
    if bits < 0 {
        i32::MIN.wrapping_sub(bits)
    } else {
        bits
    }
}
