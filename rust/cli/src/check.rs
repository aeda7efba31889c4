//! `pelton check`: does a decision compile, and do its examples come out as they say?

use std::path::PathBuf;

use pelton_decision::plan::{LookupNeed, Work};
use pelton_decision::publish::{Checked, check};
use pelton_decision::{Decision, Error};

use crate::locate::{expect_version, metadata_of};
use crate::signature;

/// Compile a decision and run its examples; nothing is written
///
/// Prints what the decision takes and gives, or all its errors, each with file, line and caret.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  pelton check models/arrival_delay/v2 --metadata models/metadata"
)]
pub struct Check {
    /// Directory that holds decision.toml
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Metadata directory with the dimensions that the decision looks things up in; not needed
    /// where DIR is METADATA/decisions/NAME/versions/N
    #[arg(long)]
    metadata: Option<String>,
}

impl Check {
    /// Checks, and prints what was found.
    pub fn run(&self) -> Result<(), Error> {
        expect_version(&self.directory)?;
        let metadata = metadata_of(&self.directory, self.metadata.as_deref())?;
        print(&check(&self.directory, metadata.as_ref())?);
        Ok(())
    }
}

fn print(checked: &Checked) {
    let Decision { name, plan, .. } = &*checked.decision;
    say!("{name}: no errors");
    say!(
        "  input     {}",
        signature::list(plan.input.iter().map(|column| &column.field))
    );
    say!("  output    {}", signature::list(&plan.output_fields()));
    for step in &plan.steps {
        if let Work::Model(_) = &step.work {
            let title = step.title.trim_start_matches("model ");
            let writes: Vec<&str> = step
                .writes
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            let (inputs, writes) = (step.reads.len(), writes.join(", "));
            say!("  model     {title}: {inputs} columns -> {writes}");
        }
    }
    for need in plan.lookups.iter().flatten() {
        say!("  lookup    {}", describe(need));
    }
    match checked.examples {
        0 => say!("  examples  none; put some into examples.jsonl"),
        passed => say!("  examples  {passed} passed"),
    }
}

fn describe(need: &LookupNeed) -> String {
    let key: Vec<String> = need.key.iter().map(ToString::to_string).collect();
    let (name, dimension, key) = (&need.name, &need.dimension, key.join(", "));
    format!(
        "`{name}`: {dimension} by ({key}) -> {}",
        signature::list(&need.columns)
    )
}
