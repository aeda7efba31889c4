//! The operators: one file each, what is read from the file beside what is done to the data.
//!
//! To add one: a file with a `load` function and a struct with a `run` method, a line in [`load`], a variant of
//! [`Step`], and cases in the test vectors.

mod cast;
mod linear;
mod normalizer;
pub(crate) mod post_transform;
mod rename;
mod scaler;
mod tree_ensemble;

use crate::error::ModelError;
use crate::graph::Builder;
use crate::memory::Memory;
use crate::onnx::node::{CORE, ML, Node};

/// One step of a plan.
#[derive(Debug)]
pub(crate) enum Step {
    Cast(cast::Cast),
    Linear(linear::Linear),
    Normalizer(normalizer::Normalizer),
    Scaler(scaler::Scaler),
    TreeEnsemble(Box<tree_ensemble::TreeEnsemble>),
}

impl Step {
    /// Does the step's work on rows `0..n`, of which there is at least one.
    pub fn run(&self, n: usize, memory: &mut Memory) {
        match self {
            Step::Cast(step) => step.run(n, memory),
            Step::Linear(step) => step.run(n, memory),
            Step::Normalizer(step) => step.run(n, memory),
            Step::Scaler(step) => step.run(n, memory),
            Step::TreeEnsemble(step) => step.run(n, memory),
        }
    }
}

type Load = fn(&mut Node, &mut Builder) -> Result<(), ModelError>;

/// Every operator that can be loaded, by domain and name.
const OPERATORS: [(&str, &str, Load); 9] = [
    (CORE, "Cast", cast::load),
    (CORE, "Identity", rename::load_identity),
    (ML, "LinearClassifier", linear::load_classifier),
    (ML, "LinearRegressor", linear::load_regressor),
    (ML, "Normalizer", normalizer::load),
    (ML, "Scaler", scaler::load),
    (ML, "TreeEnsembleClassifier", tree_ensemble::load_classifier),
    (ML, "TreeEnsembleRegressor", tree_ensemble::load_regressor),
    (ML, "ZipMap", rename::load_zip_map),
];

/// Adds what `node` does to the plan.
pub(crate) fn load(mut node: Node, graph: &mut Builder) -> Result<(), ModelError> {
    let known =
        |&&(domain, name, _): &&(&str, &str, Load)| domain == node.domain && name == node.operator;
    let Some(&(_, _, load)) = OPERATORS.iter().find(known) else {
        let all = OPERATORS.map(|(_, name, _)| name).join(", ");
        return Err(node.not_supported(format!(
            "this operator is not supported; supported are {all}"
        )));
    };
    load(&mut node, graph)?;
    node.finish()
}
