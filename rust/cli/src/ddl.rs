//! `pelton ddl`: the SQL that calls a decision in Flink, to paste.

use clap::ValueEnum;
use pelton_decision::expression::identifier;
use pelton_decision::manifest::{Column, Manifest};
use pelton_decision::{Error, activation};

use crate::locate;

/// Print the SQL that calls a decision in Flink: settings, functions, queries
///
/// The queries read a table of yours that has the decision's input columns by name. Signatures are
/// those of the version that is active.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  pelton ddl /data/pelton/decisions/arrival_delay --flink 2.x --table flights > flights.sql"
)]
pub struct Ddl {
    /// METADATA/decisions/NAME, as Flink is to read it
    #[arg(value_name = "PATH")]
    decision: String,
    /// Version of Flink; ML_PREDICT is there from 2.1 on
    #[arg(long)]
    flink: Flink,
    /// Table with the records, with its catalog and database if need be
    #[arg(long, default_value = "records")]
    table: String,
}

/// The lines of Flink that differ in their SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Flink {
    #[value(name = "1.20")]
    V1,
    #[value(name = "2.x")]
    V2,
}

impl Ddl {
    /// Prints the script.
    pub fn run(&self) -> Result<(), Error> {
        let home = locate::home(&self.decision)?;
        let version = activation::current(&home)?.version;
        let manifest = Manifest::read(&home.version(version))?;
        let script = Script {
            uri: uri(&self.decision),
            table: path(&self.table),
            manifest,
        };
        let mut parts = vec![
            script.head(self.flink),
            script.settings(),
            script.functions(),
        ];
        parts.push(script.table_function());
        parts.push(script.scalar_function());
        if self.flink == Flink::V2 {
            parts.push(script.model());
        }
        parts.push(script.dead_letters());
        say!("{}", parts.join("\n"));
        Ok(())
    }
}

/// A plain path from the root on, so that it means the same wherever the script is pasted.
fn uri(decision: &str) -> String {
    let absolute = std::fs::canonicalize(decision).ok();
    let absolute = absolute.and_then(|path| Some(path.to_str()?.to_owned()));
    absolute.unwrap_or_else(|| decision.to_owned())
}

/// `catalog.database.table`, each part quoted where needed.
fn path(table: &str) -> String {
    let parts: Vec<String> = table.split('.').map(identifier).collect();
    parts.join(".")
}

/// What the statements are made of.
struct Script {
    uri: String,
    table: String,
    manifest: Manifest,
}

impl Script {
    fn head(&self, flink: Flink) -> String {
        let Manifest {
            decision, version, ..
        } = &self.manifest;
        let flink = match flink {
            Flink::V1 => "1.20",
            Flink::V2 => "2.1 and later",
        };
        format!(
            "\
-- The decision `{decision}`, version {version}, in Flink {flink}.
-- {table} is a table of yours with the columns
{columns}
",
            table = self.table,
            columns = comment(&columns(&self.manifest.input)),
        )
    }

    fn settings(&self) -> String {
        "\
-- Refuses a query over a changelog whose updates and retractions could be decided differently.
SET 'table.optimizer.non-deterministic-update.strategy' = 'TRY_RESOLVE';

-- Rows are not copied between operators. Leave it out where a function of yours keeps its rows.
SET 'pipeline.object-reuse' = 'true';
"
        .to_owned()
    }

    fn functions(&self) -> String {
        "\
CREATE FUNCTION IF NOT EXISTS predict AS 'org.pelton.flink.PredictFunction';

CREATE FUNCTION IF NOT EXISTS predict_row AS 'org.pelton.flink.PredictRowFunction';
"
        .to_owned()
    }

    fn table_function(&self) -> String {
        format!(
            "\
-- Every record with its decision: one evaluation a record, however many columns are used.
SELECT r.*, d.*
FROM {table} AS r,
LATERAL TABLE(predict({arguments})) AS d({outputs});
",
            table = self.table,
            arguments = self.arguments(),
            outputs = list("", self.outputs()),
        )
    }

    fn scalar_function(&self) -> String {
        format!(
            "\
-- The same as one column, a ROW: d.{first} is its first field.
SELECT r.*, predict_row({arguments}) AS d
FROM {table} AS r;
",
            first = identifier(&self.manifest.output[0].name),
            table = self.table,
            arguments = self.arguments(),
        )
    }

    fn model(&self) -> String {
        let name = identifier(&self.manifest.decision);
        format!(
            "\
-- The decision as a model: the columns of the records, and behind them those of the decision.
-- Here the table's columns must have exactly the types of INPUT.
CREATE MODEL IF NOT EXISTS {name}
INPUT (
{input}
)
OUTPUT (
{output}
)
WITH ('provider' = 'pelton', 'decision' = {uri});

SELECT *
FROM ML_PREDICT(TABLE {table}, MODEL {name}, DESCRIPTOR({columns}));
",
            input = columns(&self.manifest.input),
            output = columns(&self.manifest.output),
            uri = text(&self.uri),
            table = self.table,
            columns = list("", self.inputs()),
        )
    }

    /// Records that fail, in a table of their own: two sinks, one evaluation a record.
    fn dead_letters(&self) -> String {
        let Some(error) = self.manifest.reserved.get("error") else {
            return "\
-- A record that fails, fails the job. For a table of such records, add `pelton.error AS error` to
-- the output of decision.toml and publish it; this command then prints the statements.
"
            .to_owned();
        };
        let Manifest {
            decision,
            input,
            output,
            ..
        } = &self.manifest;
        let decided = output.iter().filter(|column| column.name != *error);
        // A table has no name twice.
        let decided_columns = decided.clone().map(|column| Column {
            name: match input.iter().any(|given| given.name == column.name) {
                true => format!("{}_decided", column.name),
                false => column.name.clone(),
            },
            data_type: column.data_type.clone(),
        });
        let sink_columns: Vec<Column> = input.iter().cloned().chain(decided_columns).collect();
        // No column of the view has the name of another.
        let taken = |name: &String| input.iter().any(|given| given.name == *name);
        let mut names =
            std::iter::successors(Some("d".to_owned()), |name| Some(format!("{name}_")));
        let row = names.find(|name| !taken(name)).unwrap_or_default();
        let (sink, failed) = (format!("{decision}_decided"), format!("{decision}_failed"));
        format!(
            "\
-- Records that fail go to a table of their own, and do not fail the job. Tables of yours:
--   {sink}
{sink_columns}
--   {failed}: feed it again once the cause is mended
{failed_columns}
SET 'pelton.{decision}.on-error' = 'emit';

CREATE TEMPORARY VIEW {view} AS
SELECT r.*, predict_row({arguments}) AS {row}
FROM {table} AS r;

EXECUTE STATEMENT SET
BEGIN
INSERT INTO {sink}
SELECT {inputs}, {outputs}
FROM {view}
WHERE {row}.{error} IS NULL;
INSERT INTO {failed}
SELECT {inputs}, {row}.{error}.code, {row}.{error}.message
FROM {view}
WHERE {row}.{error} IS NOT NULL;
END;
",
            sink_columns = comment(&columns(&sink_columns)),
            failed_columns = comment(&format!(
                "{},\n  error_code STRING,\n  error_message STRING",
                columns(input)
            )),
            view = format!("{decision}_rows"),
            arguments = self.arguments(),
            table = self.table,
            inputs = list("", self.inputs()),
            outputs = list(
                &format!("{row}."),
                decided.map(|column| column.name.as_str())
            ),
            error = identifier(error),
        )
    }

    fn arguments(&self) -> String {
        format!("{},\n  {}", text(&self.uri), list("r.", self.inputs()))
    }

    fn inputs(&self) -> impl Iterator<Item = &str> {
        self.manifest
            .input
            .iter()
            .map(|column| column.name.as_str())
    }

    fn outputs(&self) -> impl Iterator<Item = &str> {
        self.manifest
            .output
            .iter()
            .map(|column| column.name.as_str())
    }
}

/// A text of SQL.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// `r.carrier, r.tailnum`
fn list<'a>(prefix: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names
        .map(|name| format!("{prefix}{}", identifier(name)))
        .collect();
    names.join(", ")
}

/// Names and types as in a CREATE TABLE, one a line.
fn columns<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    let columns = columns.into_iter();
    let lines =
        columns.map(|Column { name, data_type }| format!("  {} {data_type}", identifier(name)));
    lines.collect::<Vec<_>>().join(",\n")
}

fn comment(lines: &str) -> String {
    let lines: Vec<String> = lines.lines().map(|line| format!("--   {line}")).collect();
    lines.join("\n")
}
