//! Puts the git hash into the library, so that it can say who it is.

use std::path::Path;
use std::process::Command;

fn main() {
    // Changes with every commit and checkout; a source archive has none.
    let log = Path::new("../../.git/logs/HEAD");
    if log.exists() {
        println!("cargo::rerun-if-changed={}", log.display());
    } else {
        println!("cargo::rerun-if-changed=build.rs");
    }
    let git = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output();
    let hash = match git {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).into_owned()
        }
        _ => "unknown".to_owned(),
    };
    println!("cargo::rustc-env=PELTON_GIT_HASH={}", hash.trim());
}
