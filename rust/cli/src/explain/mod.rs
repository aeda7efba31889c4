//! `pelton explain`: the plan of a decision, and what becomes of a record in it.

mod card;
mod describe;
mod dot;
mod graph;
mod layout;
mod page;
mod record;
mod trace;
mod tree;
mod values;

use std::path::PathBuf;

use pelton_decision::Error;

use self::describe::describe;
use self::record::Record;
use crate::locate;

const EXAMPLES: &str = "Examples:
  pelton explain models/arrival_delay/v2 --metadata models/metadata
  pelton explain /data/pelton/decisions/arrival_delay --dot | dot -Tsvg > arrival_delay.svg
  pelton explain /data/pelton/decisions/triage --html triage.html --record '{\"id\": 7, \"name\": null}'";

/// Print the plan of a decision: steps, types, lookups, models, rules, and what no output needs
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Explain {
    /// METADATA/decisions/NAME, or a directory that holds a decision.toml, published or not
    #[arg(value_name = "PATH")]
    decision: String,
    /// Version of METADATA/decisions/NAME [default: the active one]
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    /// Metadata directory with the dimensions, for a directory that is not METADATA/decisions/NAME/versions/N
    #[arg(long)]
    metadata: Option<String>,
    /// Print a graph for Graphviz
    #[arg(long, conflicts_with_all = ["html", "record"])]
    dot: bool,
    /// Write one HTML page that shows the graph
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Decide this record, an object with every input column, and show every value on its way
    #[arg(long, value_name = "JSON")]
    record: Option<String>,
}

impl Explain {
    /// Prints the plan, or writes it to a page. A record that fails is shown as far as it came.
    pub fn run(&self) -> Result<(), Error> {
        let mut failed = Ok(());
        let graph = match &self.record {
            None => {
                let (version, decision) =
                    locate::compile(&self.decision, self.version, self.metadata())?;
                describe(&decision, version)
            }
            Some(json) => {
                let generation = locate::open(&self.decision, self.version, self.metadata())?;
                let record = Record::parse(json, &generation.decision.plan)?;
                let mut graph = describe(&generation.decision, generation.version);
                failed = trace::run(&generation, &record, &mut graph);
                graph
            }
        };
        match &self.html {
            Some(path) => {
                let written = std::fs::write(path, page::draw(&graph));
                written.map_err(|cause| Error::io("write", path, &cause))?;
                say!("{}: {}", path.display(), graph.title);
            }
            None if self.dot => say!("{}", dot::draw(&graph)),
            None => say!("{}", tree::print(&graph)),
        }
        failed
    }

    fn metadata(&self) -> Option<&str> {
        self.metadata.as_deref()
    }
}
