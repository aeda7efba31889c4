//! `pelton`: checks, publishes and runs decisions, and looks into dimensions and models, without Flink.

/// Prints a line to stdout. A reader that has gone away, as `head` does, is no error.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

mod check;
mod ddl;
mod dimension;
mod explain;
mod in_order;
mod io;
mod locate;
mod model;
mod progress;
mod publish;
mod replay;
mod run;
mod signature;
mod way;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pelton_decision::Error;

/// Decisions (ONNX models and rules) for Apache Flink: check, publish, run offline.
///
/// Errors go to stderr as `pelton: CODE: message`, with exit code 1; wrong usage has exit code 2.
#[derive(Debug, Parser)]
#[command(name = "pelton", version, arg_required_else_help = true)]
struct Pelton {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Ddl(ddl::Ddl),
    Dimension(dimension::Dimension),
    Explain(explain::Explain),
    Model(model::Model),
    Publish(publish::Publish),
    Run(run::Run),
}

fn main() -> ExitCode {
    let success = |()| ExitCode::SUCCESS;
    let done: Result<ExitCode, Error> = match Pelton::parse().command {
        Command::Check(check) => check.run().map(success),
        Command::Ddl(ddl) => ddl.run().map(success),
        Command::Dimension(dimension) => dimension.run().map(success),
        Command::Explain(explain) => explain.run().map(success),
        Command::Model(model) => model.run(),
        Command::Publish(publish) => publish.run().map(success),
        Command::Run(run) => run.run(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pelton: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Pelton::command().debug_assert();
    }
}
