//! Runs packed node tests of the ONNX project: `conformance PACK` prints what became of every case, one a line.

#[path = "../tests/node_case/mod.rs"]
mod node_case;

use node_case::{Outcome, read};

fn main() {
    let file = std::env::args().nth(1).expect("a packed file");
    for case in read(&std::fs::read(file).expect("a readable file")) {
        let outcome = match case.run() {
            Outcome::Passed { tract: true, .. } => "tract".to_owned(),
            Outcome::Passed {
                constants: true, ..
            } => "passed, with constants".to_owned(),
            Outcome::Passed { .. } => "passed".to_owned(),
            Outcome::Refused(message) => format!("refused: {message}"),
            Outcome::Wrong(message) => format!("wrong: {message}"),
        };
        println!(
            "{}\t{}\t{}",
            case.name,
            case.operator,
            outcome.replace('\n', " ")
        );
    }
}
