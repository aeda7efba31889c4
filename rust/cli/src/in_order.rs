//! Work on several threads whose results are taken in the order of the reading.
//!
//! Every thread does the whole way of a batch: it reads the next one, works on it beside the
//! others, and waits for its turn to hand the result in. So there is one batch a thread in memory,
//! and the first error that is handed in is the one that a single thread would have met.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use pelton_decision::Error;

/// Runs until `read` has no more batches, or until the first error. Each of the `workers` is a
/// thread; `read` and `write` are called by one thread at a time.
pub fn in_order<B, D, W>(
    workers: Vec<W>,
    read: impl FnMut() -> Result<Option<B>, Error> + Send,
    write: impl FnMut(D) -> Result<(), Error> + Send,
) -> Result<(), Error>
where
    W: FnMut(B) -> Result<D, Error> + Send,
{
    let source = Mutex::new(Source {
        read,
        next: 0,
        ended: false,
    });
    let sink = Sink {
        turn: Condvar::new(),
        state: Mutex::new(State {
            write,
            next: 0,
            stopped: false,
            result: Ok(()),
        }),
    };
    thread::scope(|scope| {
        for mut work in workers {
            let (source, sink) = (&source, &sink);
            scope.spawn(move || {
                let _unblock = StopOnPanic(sink);
                loop {
                    // A statement of its own, which ends with the lock: the others read meanwhile.
                    let next = lock(source).next();
                    let Some((number, batch)) = next else { break };
                    if !sink.hand_in(number, batch.and_then(&mut work)) {
                        break;
                    }
                }
            });
        }
    });
    let state = sink.state.into_inner();
    state.unwrap_or_else(PoisonError::into_inner).result
}

/// Where batches come from, and how many came.
struct Source<R> {
    read: R,
    next: u64,
    ended: bool,
}

impl<B, R: FnMut() -> Result<Option<B>, Error>> Source<R> {
    /// The next batch with its number; an error is the last.
    fn next(&mut self) -> Option<(u64, Result<B, Error>)> {
        if self.ended {
            return None;
        }
        let batch = (self.read)().transpose();
        self.ended = !matches!(batch, Some(Ok(_)));
        self.next += 1;
        batch.map(|batch| (self.next - 1, batch))
    }
}

/// Where results go.
struct Sink<F> {
    state: Mutex<State<F>>,
    /// Told when `next` has changed, or the work has stopped.
    turn: Condvar,
}

struct State<F> {
    write: F,
    /// The number of the batch whose turn it is.
    next: u64,
    stopped: bool,
    result: Result<(), Error>,
}

impl<F> Sink<F> {
    /// Waits until it is the turn of batch `number`, and writes its result. False where the work
    /// has stopped.
    fn hand_in<D>(&self, number: u64, done: Result<D, Error>) -> bool
    where
        F: FnMut(D) -> Result<(), Error>,
    {
        let state = self.turn.wait_while(lock(&self.state), |state| {
            state.next != number && !state.stopped
        });
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return false;
        }
        state.result = done.and_then(|done| (state.write)(done));
        state.stopped = state.result.is_err();
        state.next += 1;
        self.turn.notify_all();
        !state.stopped
    }
}

/// Nobody waits for a thread that has panicked; its panic is passed on when all have ended.
struct StopOnPanic<'a, F>(&'a Sink<F>);

impl<F> Drop for StopOnPanic<'_, F> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(&self.0.state).stopped = true;
            self.0.turn.notify_all();
        }
    }
}

/// A lock that a panic has left behind opens: its thread has said that the work stops.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pelton_decision::ErrorCode;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// 40 batches, of which some take longer than those behind them.
    fn run(
        threads: usize,
        read_fails: Option<u64>,
        work_fails: &[u64],
    ) -> (Vec<u64>, Result<(), Error>) {
        let mut numbers = 0..40;
        let read = || match numbers.next() {
            Some(number) if read_fails == Some(number) => Err(failed("read", number)),
            next => Ok(next),
        };
        let workers = vec![
            |number: u64| {
                thread::sleep(Duration::from_millis((number * 7) % 5));
                match work_fails.contains(&number) {
                    true => Err(failed("work", number)),
                    false => Ok(number * 10),
                }
            };
            threads
        ];
        let mut written = Vec::new();
        let result = in_order(workers, read, |number| {
            written.push(number);
            Ok(())
        });
        (written, result)
    }

    fn failed(what: &str, number: u64) -> Error {
        Error::new(ErrorCode::Io, format!("{what} {number}"))
    }

    #[test]
    fn results_come_in_the_order_of_the_reading() {
        for threads in [1, 2, 7] {
            let (written, result) = run(threads, None, &[]);
            assert!(written.into_iter().eq((0..40).map(|number| number * 10)));
            assert_eq!(result, Ok(()));
        }
    }

    #[test]
    fn the_first_error_of_the_order_is_the_one_that_is_told() {
        for threads in [1, 2, 7] {
            let (written, result) = run(threads, None, &[15, 16, 12, 30]);
            assert_eq!(result, Err(failed("work", 12)));
            assert_eq!(written.len(), 12, "nothing behind the error is written");
            assert_eq!(run(threads, Some(11), &[12]).1, Err(failed("read", 11)));
            assert_eq!(run(threads, Some(13), &[12]).1, Err(failed("work", 12)));
        }
    }

    #[test]
    fn batches_are_worked_on_beside_one_another() {
        let (busy, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |number: u64| {
            let now = busy.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(20));
            busy.fetch_sub(1, Ordering::SeqCst);
            Ok(number)
        };
        let mut numbers = 0..12;
        in_order(vec![work; 3], || Ok(numbers.next()), |_| Ok(())).unwrap();
        assert_eq!(most.into_inner(), 3);
    }

    #[test]
    fn an_error_of_the_writing_ends_the_work() {
        let mut numbers = 0..40;
        let read = || Ok(numbers.next());
        let write = |number| match number {
            20 => Err(failed("write", number)),
            _ => Ok(()),
        };
        let result = in_order(vec![Ok; 3], read, write);
        assert_eq!(result, Err(failed("write", 20)));
        assert!(numbers.start < 30, "read on to {}", numbers.start);
    }

    #[test]
    fn a_panic_is_passed_on_and_nobody_waits_for_it() {
        let mut numbers = 0..40;
        let work = |number: u64| match number {
            5 => panic!("a fault of one batch"),
            number => Ok(number),
        };
        let run = || in_order(vec![work; 3], || Ok(numbers.next()), |_| Ok(()));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}
