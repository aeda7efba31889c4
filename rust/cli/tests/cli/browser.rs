//! A real browser: what a page is after its scripts ran.

use std::path::Path;
use std::process::Command;

use crate::harness::text;

/// The document of a page, as the browser would write it down now. `fragment` is the address's
/// part behind `#`.
#[track_caller]
pub fn document(page: &Path, fragment: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Command::new("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    browser.args([
        "--disable-background-networking",
        "--no-first-run",
        "--disable-extensions",
    ]);
    browser.arg(format!("--user-data-dir={}", profile.path().display()));
    browser.arg(format!("file://{}#{fragment}", page.display()));
    let output = browser.output().unwrap_or_else(|cause| {
        panic!("chromium: {cause}; install it: sudo apt-get install chromium")
    });
    let document = text(&output.stdout);
    assert!(
        document.starts_with("<!DOCTYPE html>"),
        "{document}{}",
        text(&output.stderr)
    );
    document
}
