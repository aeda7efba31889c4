//! A compiled decision.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use pelton_data::document::Text;
use pelton_data::report::{Diagnostic, Report, Source};
use pelton_dimension::Definition as Dimension;
use pelton_model::Model;

use crate::definition::Definition;
use crate::error::Error;
use crate::manifest::{Files, is_inside};
use crate::plan::{Plan, References, compile};
use crate::vocabulary::Vocabulary;

/// Where a compilation gets what decision.toml refers to.
pub struct Sources<'a> {
    /// The bytes of a file of the version, by its relative name.
    pub file: &'a dyn Fn(&str) -> Result<Vec<u8>, Error>,
    /// A dimension of the metadata directory, by its name.
    pub dimension: &'a dyn Fn(&str) -> Result<Dimension, Error>,
}

/// A decision, ready to run. Immutable; any number of threads share one.
#[derive(Debug)]
pub struct Decision {
    /// Its name.
    pub name: String,
    /// Its steps.
    pub plan: Plan,
    /// decision.toml as it stands: what the plan was made of, and what it left out.
    pub definition: Definition,
    /// The dimensions, models and vocabularies that it refers to.
    pub references: References,
    /// Every file that it was compiled from, decision.toml first of all.
    pub files: Files,
}

/// The name of a decision's file.
pub const FILE: &str = "decision.toml";

impl Decision {
    /// Compiles a decision.toml. All errors of the file come in one report.
    pub fn compile(source: &Arc<Source>, sources: &Sources<'_>) -> Result<Decision, Report> {
        let mut report = Report::new(source.clone());
        let definition = Definition::parse(source, &mut report);
        let text = source.text.as_bytes().to_vec();
        let files = RefCell::new(BTreeMap::from([(FILE.to_owned(), text)]));
        let references = References {
            dimensions: read_dimensions(&definition, sources, &mut report),
            models: read_models(&definition, sources, &files, &mut report),
            vocabularies: read_vocabularies(&definition, sources, &files, &mut report),
        };
        let plan = compile(&definition, &references, &mut report);
        let decision = plan
            .zip(definition.name.clone())
            .map(|(plan, name)| Decision {
                name: name.value,
                plan,
                definition,
                references,
                files: files.into_inner(),
            });
        report.finish(decision)
    }
}

fn read_dimensions(
    definition: &Definition,
    sources: &Sources<'_>,
    report: &mut Report,
) -> Vec<Option<Dimension>> {
    let lookups = definition.lookups.iter();
    let dimensions = lookups.map(|lookup| {
        let dimension = (sources.dimension)(&lookup.dimension.value);
        report.keep(dimension.map_err(|error| at(&lookup.dimension, &error.message)))
    });
    dimensions.collect()
}

fn read_models(
    definition: &Definition,
    sources: &Sources<'_>,
    files: &RefCell<Files>,
    report: &mut Report,
) -> Vec<Option<Arc<Model>>> {
    let models = definition.models.iter().map(|section| {
        let file = &section.file;
        let name = &file.value;
        let bytes = read_file(file, sources, report)?;
        let external = |name: &str| {
            let bytes = is_inside(name)
                .then(|| (sources.file)(name).ok())
                .flatten()?;
            files.borrow_mut().insert(name.to_owned(), bytes.clone());
            Some(bytes)
        };
        let model = Model::from_onnx(&bytes, &external);
        let model = model.map_err(|error| at(file, &format!("{name}: {error}")));
        files.borrow_mut().insert(name.clone(), bytes);
        report.keep(model).map(Arc::new)
    });
    models.collect()
}

/// A vocabulary that cannot be read is in the report; an empty one stands for it.
fn read_vocabularies(
    definition: &Definition,
    sources: &Sources<'_>,
    files: &RefCell<Files>,
    report: &mut Report,
) -> BTreeMap<String, Arc<Vocabulary>> {
    let vocabularies = definition.vocabularies.iter().map(|section| {
        let read = section.file.as_ref().and_then(|file| {
            let name = &file.value;
            let bytes = read_file(file, sources, report)?;
            let vocabulary = Vocabulary::parse(name, &bytes, section.first, section.unknown);
            files.borrow_mut().insert(name.clone(), bytes);
            report.keep(vocabulary.map_err(|message| at(file, &message)))
        });
        (
            section.name.value.clone(),
            Arc::new(read.unwrap_or_default()),
        )
    });
    vocabularies.collect()
}

/// A file that stands beside decision.toml.
fn read_file(file: &Text, sources: &Sources<'_>, report: &mut Report) -> Option<Vec<u8>> {
    let name = &file.value;
    if !is_inside(name) {
        let message = format!("`{name}` does not lie beside decision.toml");
        let diagnostic = Diagnostic::at(file.span.clone(), message);
        report.push(diagnostic.help("expected the name of a file in the same directory"));
        return None;
    }
    let bytes = (sources.file)(name);
    report.keep(bytes.map_err(|error| at(file, &error.message)))
}

/// An error of another file, shown where this file refers to it.
fn at(place: &Text, message: &str) -> Diagnostic {
    Diagnostic::at(place.span.clone(), message)
}
