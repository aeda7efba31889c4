//! `pelton publish`: a decision becomes the next version, and the active one.

use std::path::PathBuf;

use pelton_decision::manifest::Manifest;
use pelton_decision::metadata::Metadata;
use pelton_decision::publish::{Published, publish};
use pelton_decision::{Error, ErrorCode};

use crate::locate::{expect_version, warn_of_ignored_activations};
use crate::signature::changes;

/// Check a decision, copy it into the next version of a metadata directory, and activate that
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  pelton publish models/arrival_delay/v2 --to /data/pelton")]
pub struct Publish {
    /// Directory that holds decision.toml
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Metadata directory: has or gets decisions/NAME, and has the dimensions
    #[arg(long = "to", value_name = "METADATA")]
    metadata: String,
}

impl Publish {
    /// Publishes, and prints what that means.
    pub fn run(&self) -> Result<(), Error> {
        expect_version(&self.directory)?;
        let metadata = Metadata::open(&self.metadata)?;
        let published = publish(&self.directory, &metadata)?;
        let Published { name, version, .. } = &published;
        say!("{name}: version {version} is active");
        say!("  directory   {}", published.directory.display());
        say!("  activation  {}", published.activation.number);
        say!("  examples    {} passed", published.examples);
        for line in compare(&metadata, &published)? {
            say!("  jobs        {line}");
        }
        let home = metadata.decision(name);
        say!(
            "  SQL         pelton ddl {} --flink 2.x",
            home.path().display()
        );
        warn_of_ignored_activations(&home)
    }
}

/// What the new version means for those who use the one that was active.
fn compare(metadata: &Metadata, published: &Published) -> Result<Vec<String>, Error> {
    let home = metadata.decision(&published.name);
    let before = match &published.before {
        Ok(before) => before.version,
        Err(error) if error.code == ErrorCode::DecisionNotFound => {
            return Ok(vec!["none so far: this is the first version".to_owned()]);
        }
        Err(error) => return Ok(vec![format!("the last activation cannot be read: {error}")]),
    };
    let now = Manifest::read(&published.directory)?;
    let then = match Manifest::read(&home.version(before)) {
        Ok(then) => then,
        Err(error) => return Ok(vec![format!("version {before} cannot be read: {error}")]),
    };
    let mut lines = changes("input", &then.input, &now.input);
    lines.extend(changes("output", &then.output, &now.output));
    if lines.is_empty() {
        lines.push(format!(
            "same signature as version {before}: no SQL has to change"
        ));
    } else {
        lines.push("SQL that calls it has to follow these changes".to_owned());
    }
    let version = published.version;
    lines.push(format!(
        "a running job stays with its version; one that starts takes {version}"
    ));
    Ok(lines)
}
