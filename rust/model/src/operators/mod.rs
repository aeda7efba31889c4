//! The operators: one file for each family, what is read from the file beside what is done to the data.
//!
//! To add one: a `load` function in a file here, a line in that file's `OPERATORS` (and the file in [`FAMILIES`]), and
//! cases in the test vectors. `load` reads the attributes and operands of its node, says the shape of what comes out
//! ([`Builder::make`]) and pushes a [`Step`], or composes steps of other operators.

mod activation;
mod arithmetic;
mod branch;
mod cast;
mod comparison;
mod concat;
pub(crate) mod constant;
mod distances;
mod einsum;
mod elementwise;
mod expand;
mod features;
pub(crate) mod foreign;
mod gather;
mod hash;
mod label_encoder;
mod linear;
mod maps;
mod matmul;
mod merged;
mod moves;
mod normalization;
mod normalizer;
mod one_hot_encoder;
mod order;
mod pad;
mod paired;
pub(crate) mod post_transform;
mod quantize;
mod reduce;
mod reshape;
mod scaler;
mod scan;
mod scatter;
mod strings;
mod svm;
mod tf_idf;
mod tokenizer;
mod tree_ensemble;
mod tree_ensemble_5;

use crate::error::ModelError;
use crate::graph::Builder;
use crate::memory::Workspace;
use crate::onnx::node::{CORE, ML, Node};

pub(crate) use maps::{sparse_keys, vocabulary};

/// One step of a plan.
pub(crate) trait Step: Send + Sync {
    /// Does the step's work on rows `0..n`, of which there is at least one. What it cannot compute fails its row.
    fn run(&self, n: usize, memory: &mut Workspace);

    /// Whether this multiplies matrices: then many rows run in blocks, which the processor's caches hold.
    fn is_product(&self) -> bool {
        false
    }
}

/// Adds what a node does to the plan.
type Load = fn(&mut Node, &mut Builder) -> Result<(), ModelError>;

/// An operator: its domain, its name, and how it is loaded.
pub(crate) type Operator = (&'static str, &'static str, Load);

/// Every operator, by family.
const FAMILIES: &[&[Operator]] = &[
    activation::OPERATORS,
    arithmetic::OPERATORS,
    branch::OPERATORS,
    cast::OPERATORS,
    comparison::OPERATORS,
    concat::OPERATORS,
    constant::OPERATORS,
    einsum::OPERATORS,
    expand::OPERATORS,
    features::OPERATORS,
    gather::OPERATORS,
    hash::OPERATORS,
    label_encoder::OPERATORS,
    linear::OPERATORS,
    maps::OPERATORS,
    matmul::OPERATORS,
    moves::OPERATORS,
    normalization::OPERATORS,
    normalizer::OPERATORS,
    one_hot_encoder::OPERATORS,
    order::OPERATORS,
    pad::OPERATORS,
    quantize::OPERATORS,
    reduce::OPERATORS,
    reshape::OPERATORS,
    scaler::OPERATORS,
    scan::OPERATORS,
    scatter::OPERATORS,
    strings::OPERATORS,
    svm::OPERATORS,
    tf_idf::OPERATORS,
    tokenizer::OPERATORS,
    tree_ensemble::OPERATORS,
    tree_ensemble_5::OPERATORS,
];

/// Operators that read the shape of what they make from an input: it may grow with the rows.
const TAKE_SIZES: [&str; 4] = ["ConstantOfShape", "Expand", "Reshape", "Tile"];

/// Every operator, by domain and name.
pub(crate) fn all() -> impl Iterator<Item = &'static Operator> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// Adds what `node` does to the plan, or computes it now where everything that it reads is known.
pub(crate) fn load(node: Node, graph: &mut Builder) -> Result<(), ModelError> {
    let takes_shape_only = matches!(node.operator.as_str(), "Shape" | "Size");
    // Its graphs may read more than its inputs.
    let has_graphs = matches!(node.operator.as_str(), "If" | "Scan");
    if !takes_shape_only && !has_graphs && graph.is_constant(&node)? && graph.fold(&node)? {
        return Ok(());
    }
    load_known(node, graph)
}

/// Adds what `node` does to the plan.
pub(crate) fn load_known(mut node: Node, graph: &mut Builder) -> Result<(), ModelError> {
    if foreign::find(&node).is_some() {
        return graph.foreign(node.into());
    }
    let known = |(domain, name, _): &&Operator| *domain == node.domain && *name == node.operator;
    let Some((_, _, load)) = all().find(known) else {
        return Err(unknown(&node));
    };
    if !TAKE_SIZES.contains(&node.operator.as_str()) {
        for index in 0..node.inputs.len() {
            if graph
                .peek(&node, index)?
                .is_some_and(|value| value.depends_on_rows())
            {
                return Err(node.not_supported(
                    "computes with the number of rows; every row is computed alone",
                ));
            }
        }
    }
    if !merged::load(&mut node, graph, *load)? {
        load(&mut node, graph)?;
    }
    node.finish()
}

/// The operators of a domain are listed: there may be one that does the same.
fn unknown(node: &Node) -> ModelError {
    if let Some(why) = foreign::never(node) {
        return node.not_supported(why);
    }
    let domain = if node.domain == ML { ML } else { CORE };
    let names = all()
        .filter(|(of, _, _)| *of == domain)
        .map(|(_, name, _)| *name);
    let mut names: Vec<&str> = names.chain(foreign::names(domain)).collect();
    names.sort_unstable();
    let names = names.join(", ");
    node.not_supported(format!(
        "this operator is not supported; of {domain} are {names}"
    ))
}
