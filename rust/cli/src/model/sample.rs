//! Rows for a model that comes without any: random, and the same every time.

use pelton_decision::{Error, ErrorCode};
use pelton_model::{Element, RunError, Tensor};

use super::Opened;
use super::array::{Array, Values, shape_of};
use super::calls::{Call, Workplace};
use super::inputs::{Counted, Inputs};

/// Random rows, and what they are.
pub struct Sample {
    pub inputs: Inputs,
    pub description: String,
}

/// Integers are drawn below one of these: the first at which no row fails. Ids have to be inside of their tables.
const BOUNDS: [u64; 8] = [1 << 16, 1 << 12, 1 << 10, 256, 64, 16, 4, 1];

impl Sample {
    /// Draws `rows` rows that the model can compute.
    pub fn new(opened: &Opened, rows: usize) -> Result<Sample, Error> {
        let words = words(&opened.bytes)?;
        let has = |wanted: fn(Element) -> bool| {
            let mut inputs = opened.model.inputs().iter();
            inputs.any(|tensor| wanted(tensor.element))
        };
        let (ids, texts) = (has(is_integer), has(|element| element == Element::String));
        let mut failure = None;
        for bound in BOUNDS {
            let inputs = draw(opened.model.inputs(), rows, bound, &words);
            match try_all(opened, &inputs) {
                Ok(()) => {
                    let mut parts = vec!["random inputs: normal floats".to_owned()];
                    parts.extend(ids.then(|| format!("integers below {bound}")));
                    parts.extend(texts.then(|| format!("{} words", words.len())));
                    let description = parts.join(", ");
                    return Ok(Sample {
                        inputs,
                        description,
                    });
                }
                Err(cause) => failure = Some(cause),
            }
            if !ids {
                break;
            }
        }
        let cause = failure.map(|cause| cause.to_string()).unwrap_or_default();
        let message =
            format!("random inputs do not suit the model, give it some with --inputs ({cause})");
        Err(Error::new(ErrorCode::EvaluationFailed, message).context(opened.path.display()))
    }
}

fn try_all(opened: &Opened, inputs: &Inputs) -> Result<(), RunError> {
    let mut place = Workplace::new(&opened.model, inputs.rows);
    place.run(&Call::new(inputs, 0, inputs.rows, inputs.rows))
}

/// Strings that the model knows, or where it knows none, any.
fn words(onnx: &[u8]) -> Result<Vec<String>, Error> {
    let known = pelton_model::Summary::of(onnx).map(|summary| summary.strings);
    let known = known.map_err(|cause| Error::new(ErrorCode::ModelInvalid, cause.to_string()))?;
    match known.is_empty() {
        true => Ok((0..64).map(|i| format!("word {i}")).collect()),
        false => Ok(known),
    }
}

fn draw(tensors: &[Tensor], rows: usize, bound: u64, words: &[String]) -> Inputs {
    let counted = tensors.iter().zip(1..).map(|(tensor, seed)| {
        let (count, mut random) = (tensor.width * rows, Random(seed));
        let values = match tensor.element {
            Element::Float => Values::F32((0..count).map(|_| random.normal() as f32).collect()),
            Element::Double => Values::F64((0..count).map(|_| random.normal()).collect()),
            Element::Bool => Values::I64((0..count).map(|_| random.below(2) as i64).collect()),
            Element::String => Values::Text(
                (0..count)
                    .map(|_| words[random.below(words.len() as u64) as usize].clone())
                    .collect(),
            ),
            element => {
                let bound = bound.min(if is_byte(element) { 128 } else { 1 << 15 });
                Values::I64((0..count).map(|_| random.below(bound) as i64).collect())
            }
        };
        Counted {
            tensor: tensor.clone(),
            rows,
            array: Array {
                element: tensor.element,
                shape: shape_of(tensor, rows),
                values,
            },
        }
    });
    Inputs::new(counted.collect()).expect("all have as many rows")
}

fn is_integer(element: Element) -> bool {
    !matches!(
        element,
        Element::Float | Element::Double | Element::Bool | Element::String
    )
}

fn is_byte(element: Element) -> bool {
    matches!(element, Element::Int8 | Element::Uint8)
}

/// Numbers of the generator splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Close to the standard normal distribution: the sum of twelve numbers from 0 to 1 has a variance of 1.
    fn normal(&mut self) -> f64 {
        let unit = |random: &mut Random| (random.next() >> 11) as f64 / (1u64 << 53) as f64;
        (0..12).map(|_| unit(self)).sum::<f64>() - 6.0
    }
}
