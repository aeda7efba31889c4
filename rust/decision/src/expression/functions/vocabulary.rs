//! VOCAB: the id of a string in a vocabulary of the decision. Flink has no such function.

use std::sync::Arc;

use pelton_data::DataType;
use pelton_data::columns::Literal;
use pelton_data::report::Diagnostic;

use super::super::program::{Kernel, Resource};
use super::super::typing::{Node, Typed};
use super::kernel::for_rows;
use super::{Args, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[function("VOCAB", "VOCAB('name', string)", vocab)];

fn vocab(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch, scope) = (args.span.clone(), args.mismatch(), args.scope);
    let [name, text] = args.exactly()?;
    let Node::Literal(Literal::Bytes(bytes)) = &name.node else {
        let refused = Diagnostic::at(name.span, "the name of a vocabulary is a constant");
        return Err(refused.help("expected VOCAB('name', string)"));
    };
    if !text.data_type.is_string() {
        return Err(mismatch.help("expected a string: CAST(... AS STRING)"));
    }
    let known = String::from_utf8_lossy(bytes);
    let Some(vocabulary) = scope.vocabulary(&known) else {
        let message = format!("there is no vocabulary `{known}`");
        let unknown = Diagnostic::at(name.span, message);
        let names = scope.vocabularies();
        return Err(match names.is_empty() {
            true => unknown.help(format!("add `[vocabularies.{known}]` with its file")),
            false => unknown.suggest(&known, names.iter().map(String::as_str)),
        });
    };
    let nullable = text.nullable || vocabulary.unknown().is_none();
    let call = Typed::call(DataType::BigInt, span, ID, vec![text]);
    let call = call.with_resource(Resource::Vocabulary(vocabulary));
    Ok(Typed { nullable, ..call })
}

const ID: Kernel = |frame, call| {
    let vocabulary = match &frame.selections.resources[call.parameter as usize] {
        Resource::Vocabulary(vocabulary) => Arc::clone(vocabulary),
        Resource::Pattern(_) => unreachable!("the type checker gives VOCAB a vocabulary"),
    };
    for_rows(frame, call, |columns, row| {
        let [text, ..] = call.args;
        let id = match columns.is_valid(text, row) {
            true => vocabulary.id(columns.text(text, row)),
            false => None,
        };
        columns.put(call.out, row, id);
        Ok(())
    })
};
