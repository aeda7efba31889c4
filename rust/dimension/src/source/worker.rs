//! The readers of Parquet and ORC are not ours: they run on a thread with a stack of its own, and
//! their panics become errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crate::error::Error;

/// In bytes, of address space: memory is taken as it is used. Schemas are read by recursion.
const STACK: usize = 64 << 20;

/// Runs `work` on a thread, and waits for it.
pub(super) fn run<T: Send>(work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    let unavailable = |what: &str, why: &str| Error::Unavailable(format!("{what}: {why}"));
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("pelton-load".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|error| unavailable("no thread to read files", &error.to_string()))?;
        let result = worker.join();
        result.unwrap_or_else(|panic| Err(unavailable("a panic", message(&*panic))))
    })
}

/// Runs `work` on something, a file for instance; its panic is an error that names it.
pub(crate) fn caught<T>(name: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // What a panic leaves half done is dropped with the pass.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let why = message(&*panic);
        Err(Error::Unavailable(format!(
            "a panic while reading {name}: {why}"
        )))
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_reader_becomes_an_error_that_names_the_file() {
        let result: Result<(), Error> = run(|| caught("weather/part-0", || panic!("page {}", 7)));
        let message = "a panic while reading weather/part-0: page 7".to_owned();
        assert_eq!(result, Err(Error::Unavailable(message)));
    }
}
