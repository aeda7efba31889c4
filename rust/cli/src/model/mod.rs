//! `pelton model`: what is in an ONNX file, and what it computes.

mod array;
mod bench;
mod calls;
mod compare;
mod inputs;
mod inspect;
mod npy;
mod npz;
mod run;
mod sample;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use pelton_decision::{Error, ErrorCode};
use pelton_model::{ErrorKind, Tensor};

/// Look inside an ONNX model, run it over arrays of NumPy, measure it, compare it
#[derive(Debug, clap::Args)]
pub struct Model {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Inspect(inspect::Inspect),
    Run(run::Run),
    Bench(bench::Bench),
    Compare(compare::Compare),
}

impl Model {
    /// Loads the model, and does with it what was asked for. Outputs that differ are a failure.
    pub fn run(&self) -> Result<ExitCode, Error> {
        match &self.command {
            Command::Inspect(inspect) => inspect.run()?,
            Command::Run(run) => run.run()?,
            Command::Bench(bench) => bench.run()?,
            Command::Compare(compare) => return compare.run(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A model that is loaded.
struct Opened {
    path: PathBuf,
    model: pelton_model::Model,
    bytes: Vec<u8>,
    seconds: f64,
    /// How much the memory of the process grew meanwhile, in bytes, where the system tells.
    resident: Option<u64>,
}

impl Opened {
    /// Loads an ONNX file, with the external data beside it.
    fn open(path: &Path) -> Result<Opened, Error> {
        let bytes = std::fs::read(path).map_err(|cause| Error::io("read", path, &cause))?;
        let beside = path.parent().unwrap_or(Path::new(""));
        let external = |name: &str| std::fs::read(beside.join(name)).ok();
        let before = resident();
        let start = Instant::now();
        let model = pelton_model::Model::from_onnx(&bytes, &external).map_err(|cause| {
            let code = match cause.kind() {
                ErrorKind::NotSupported => ErrorCode::NotSupported,
                ErrorKind::Corrupt | ErrorKind::Invalid => ErrorCode::ModelInvalid,
            };
            Error::new(code, cause.to_string()).context(path.display())
        })?;
        Ok(Opened {
            path: path.to_owned(),
            model,
            seconds: start.elapsed().as_secs_f64(),
            resident: resident()
                .zip(before)
                .map(|(after, before)| after.saturating_sub(before)),
            bytes,
        })
    }

    /// `delay.onnx`
    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

/// `float [n, 4]`
fn show(tensor: &Tensor) -> String {
    format!("{} {}", tensor.element.name(), tensor.shape)
}

/// Bytes of this process that are in memory.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}
