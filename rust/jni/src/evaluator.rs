//! `org.pelton.Evaluator`: one decision at one version, opened for one thread.

use std::sync::Arc;
use std::time::Instant;

use jni::objects::{JByteBuffer, JClass, JObjectArray, JString};
use jni::sys::{jboolean, jclass, jint, jlong};
use jni::{EnvUnowned, jni_mangle};
use pelton_decision::generation::manifest_of;
use pelton_decision::live::{LiveDecision, User};
use pelton_decision::{Error, ErrorCode, FailedRow, Generation, OnError, Scratch};
use pelton_dimension::Figures;

use crate::guard::{caught, throwing};
use crate::memory::{Longs, Memory};
use crate::metrics::Publication;
use crate::registry;
use crate::storage::settings;

/// What a handle points to. One task thread owns it; closing gives it back.
struct Evaluator {
    user: Arc<User>,
    on_error: OnError,
    /// Of which generation the state below is.
    number: Option<u64>,
    /// None after a panic, and for another generation: the next record starts afresh.
    scratch: Option<Scratch>,
    /// The output of the records that fail; `None` where they fail the job.
    failed: Option<FailedRow>,
    input: Memory,
    output: Memory,
    counters: Longs,
    last: Last,
    metrics: Option<Publication>,
}

/// What `evaluate` returns for a record whose Hive partition is not there yet.
const NOT_YET: jlong = -2;

/// The places of the counters.
const EVALUATIONS: usize = 0;
const ERRORS: usize = 1;

/// What became of the last record.
enum Last {
    /// Its output stands in the scratch.
    Decided,
    /// Its output stands in the failed row.
    Failed,
    /// It fails the job, for this reason.
    Refused(Error),
}

#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn open<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    decision_uri: JString<'local>,
    version: jlong,
    on_error: JString<'local>,
    storage: JObjectArray<'local, JString<'local>>,
    counters: JByteBuffer<'local>,
) -> jlong {
    throwing(&mut env, |env| {
        let uri = decision_uri.try_to_string(env)?;
        let on_error = parse_on_error(&on_error.try_to_string(env)?)?;
        let live = registry::open(&uri, version as u64, &settings(env, &storage)?)?;
        let counters = Longs::new(Memory::of(env, &counters)?, 2)?;
        let evaluator = Evaluator::new(&live, on_error, counters);
        Ok(Box::into_raw(Box::new(evaluator)) as jlong)
    })
}

/// Whether records can be evaluated; if not, ask again.
#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn ready<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
) -> jboolean {
    throwing(&mut env, |_| Ok(evaluator(handle)?.ready(Instant::now())?))
}

/// The names of the dimensions that have metrics, one a line.
#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn dimensions<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
) -> JString<'local> {
    throwing(&mut env, |env| {
        let figures = evaluator(handle)?.user.figures(Instant::now());
        let names: Vec<&str> = figures.into_keys().collect();
        Ok(env.new_string(names.join("\n"))?)
    })
}

/// Keeps their metrics current in a buffer, until the evaluator is closed.
#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn publish<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
    buffer: JByteBuffer<'local>,
) {
    throwing(&mut env, |env| {
        let evaluator = evaluator(handle)?;
        let count = evaluator.user.figures(Instant::now()).len() * Figures::NAMES.len();
        let longs = Longs::new(Memory::of(env, &buffer)?, count)?;
        evaluator.metrics = Some(Publication::new(evaluator.user.clone(), longs));
        Ok(())
    })
}

#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn close<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
) {
    throwing(&mut env, |_| {
        let evaluator = evaluator(handle)?;
        // SAFETY: `open` made it with Box::into_raw, and Java forgets the handle before it calls.
        drop(unsafe { Box::from_raw(evaluator) });
        Ok(())
    })
}

#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn buffers<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
    input: JByteBuffer<'local>,
    output: JByteBuffer<'local>,
) {
    throwing(&mut env, |env| {
        let evaluator = evaluator(handle)?;
        evaluator.input = Memory::of(env, &input)?;
        evaluator.output = Memory::of(env, &output)?;
        Ok(())
    })
}

/// Called for every record, so it takes neither the environment nor any Java object. Returns the
/// length of the output row; or -1: then `fail` throws the reason; or -2: then the record waits for
/// a Hive partition, and is to be evaluated again.
#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn evaluate(
    _env: *mut jni::sys::JNIEnv,
    _class: jclass,
    handle: jlong,
    input_length: jint,
) -> jlong {
    match evaluator(handle) {
        Ok(evaluator) => evaluator.evaluate(input_length),
        Err(_) => -1,
    }
}

#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn output<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
) {
    throwing(&mut env, |_| {
        evaluator(handle)?.write_again()?;
        Ok(())
    })
}

#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn fail<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
) {
    throwing(&mut env, |_| match evaluator(handle)?.reason() {
        Some(error) => Err(error.into()),
        None => Ok(()),
    })
}

#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn signature<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
) -> JString<'local> {
    throwing(&mut env, |env| {
        let live = evaluator(handle)?.user.live();
        let manifest = manifest_of(&live.decision, live.version);
        let json = serde_json::to_string(&manifest).map_err(|cause| {
            Error::new(
                ErrorCode::ManifestInvalid,
                format!("cannot be written: {cause}"),
            )
        })?;
        Ok(env.new_string(json)?)
    })
}

fn parse_on_error(text: &str) -> Result<OnError, Error> {
    text.parse()
        .map_err(|cause| Error::new(ErrorCode::ArgumentMismatch, format!("on-error: {cause}")))
}

/// The evaluator behind a handle. Its thread is the only one that calls with it.
fn evaluator<'a>(handle: jlong) -> Result<&'a mut Evaluator, Error> {
    // SAFETY: a handle is 0 or comes from `open`; Java sets it to 0 before it closes it, and
    // calls from one thread only.
    unsafe { (handle as *mut Evaluator).as_mut() }
        .ok_or_else(|| Error::new(ErrorCode::Panic, "the evaluator is closed"))
}

impl Evaluator {
    fn new(live: &Arc<LiveDecision>, on_error: OnError, counters: Longs) -> Evaluator {
        Evaluator {
            user: Arc::new(User::new(live)),
            on_error,
            number: None,
            scratch: None,
            failed: None,
            input: Memory::NONE,
            output: Memory::NONE,
            counters,
            last: Last::Decided,
            metrics: None,
        }
    }

    fn ready(&mut self, now: Instant) -> Result<bool, Error> {
        let ready = self.user.live().ready(now)?;
        if let (true, Some(generation)) = (ready, &*self.user.live().generation()) {
            self.failed = FailedRow::new(generation, self.on_error)?;
        }
        Ok(ready)
    }

    fn evaluate(&mut self, input_length: jint) -> jlong {
        let input = self.input.bytes(input_length);
        let output = self.output;
        self.count(|generation, scratch| {
            generation.decide_row(scratch, input)?;
            // SAFETY: Java reads the output only after this call.
            generation.write_output(scratch, 0, unsafe { output.all() })
        })
    }

    /// Runs one record under the guard and counts it.
    fn count(
        &mut self,
        decide: impl FnOnce(&Generation, &mut Scratch) -> Result<usize, Error>,
    ) -> jlong {
        let generation = self.user.live().generation();
        let decided = match &*generation {
            Some(generation) => caught(|| decide(generation, self.scratch_for(generation)?)),
            None => Err(Error::new(ErrorCode::Panic, "the decision is not ready")),
        };
        if decided.is_err() && self.scratch.as_ref().is_some_and(Scratch::waits) {
            return NOT_YET;
        }
        self.counters.increment(EVALUATIONS);
        match decided {
            Ok(length) => {
                self.last = Last::Decided;
                length as jlong
            }
            Err(error) => self.failed(error),
        }
    }

    /// The state for a record, made afresh where the last one was of another generation: its
    /// reserved columns are that of the generation.
    #[inline]
    fn scratch_for(&mut self, generation: &Generation) -> Result<&mut Scratch, Error> {
        if self.number != Some(generation.number) {
            self.failed = FailedRow::new(generation, self.on_error)?;
            self.scratch = None;
            self.number = Some(generation.number);
        }
        match &mut self.scratch {
            Some(scratch) => Ok(scratch),
            scratch => {
                let mut new = generation.scratch(1)?;
                new.count_in(self.user.counts());
                Ok(scratch.insert(new))
            }
        }
    }

    /// The length of the failed row, or -1 where a failed record fails the job.
    #[cold]
    fn failed(&mut self, error: Error) -> jlong {
        if error.code == ErrorCode::Panic {
            self.scratch = None;
        }
        self.counters.increment(ERRORS);
        let set = match &mut self.failed {
            Some(row) => row.set(&error),
            None => Err(error),
        };
        self.last = Last::Failed;
        match set.and_then(|()| self.write_again()) {
            Ok(length) => length as jlong,
            Err(error) => {
                self.last = Last::Refused(error);
                -1
            }
        }
    }

    /// Why the last record failed the job.
    fn reason(&mut self) -> Option<Error> {
        match std::mem::replace(&mut self.last, Last::Decided) {
            Last::Refused(error) => Some(error),
            _ => None,
        }
    }

    /// Writes the last output, perhaps again: for an output buffer that was too short for it.
    /// Returns its length.
    fn write_again(&self) -> Result<usize, Error> {
        // SAFETY: as in `evaluate`.
        let output = unsafe { self.output.all() };
        match (&self.last, &self.scratch, &self.failed) {
            // The plan is that of all generations, and the scratch holds all that it wrote.
            (Last::Decided, Some(scratch), _) => match &*self.user.live().generation() {
                Some(generation) => generation.write_output(scratch, 0, output),
                None => Ok(0),
            },
            (Last::Failed, _, Some(row)) => row.write(output),
            _ => Ok(0),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::fs;

    use pelton_decision::metadata::Metadata;
    use pelton_dimension::storage::Settings;
    use tempfile::TempDir;

    use super::*;

    pub const DECISION: &str = r#"
        name = "double"
        input = "n BIGINT"
        output = "n + n AS twice"
    "#;

    /// A metadata directory with one active version of a decision.
    pub fn publish(decision: &str) -> TempDir {
        let draft = tempfile::tempdir().expect("a directory");
        fs::write(draft.path().join("decision.toml"), decision).expect("written");
        let home = tempfile::tempdir().expect("a directory");
        let metadata = Metadata::open(home.path().to_str().expect("UTF-8")).expect("local");
        pelton_decision::publish::publish(draft.path(), &metadata).expect("published");
        home
    }

    /// The BinaryRow of one BIGINT: header and null bits, then the value.
    fn row(n: i64) -> [u8; 16] {
        let mut row = [0; 16];
        row[8..].copy_from_slice(&n.to_le_bytes());
        row
    }

    struct Buffers {
        input: [u8; 16],
        output: [u8; 16],
        counters: Box<[i64; 2]>,
    }

    fn open_double(buffers: &mut Buffers) -> Evaluator {
        let metadata = publish(DECISION);
        let uri = metadata.path().join("decisions/double");
        let live = registry::open(uri.to_str().expect("UTF-8"), 1, &Settings::default())
            .expect("published");
        let memory = |bytes: *mut u8| Memory::at(bytes, 16);
        let counters = memory(buffers.counters.as_mut_ptr().cast());
        let counters = Longs::new(counters, 2).expect("two longs");
        let mut evaluator = Evaluator::new(&live, OnError::Fail, counters);
        assert!(
            evaluator
                .ready(Instant::now())
                .expect("it needs no dimension")
        );
        evaluator.input = memory(buffers.input.as_mut_ptr());
        evaluator.output = memory(buffers.output.as_mut_ptr());
        evaluator
    }

    #[test]
    fn a_panic_is_one_failed_record_and_the_next_one_is_decided() {
        let mut buffers = Buffers {
            input: row(21),
            output: [0; 16],
            counters: Box::new([0; 2]),
        };
        let mut evaluator = open_double(&mut buffers);
        assert_eq!(evaluator.evaluate(16), 16);
        assert_eq!(evaluator.count(|_, _| panic!("half way")), -1);
        let failure = evaluator.reason().expect("a reason");
        assert_eq!(failure.code, ErrorCode::Panic);
        assert!(evaluator.scratch.is_none(), "the scratch is thrown away");
        assert_eq!(evaluator.evaluate(16), 16);
        assert_eq!(buffers.output, row(42));
        assert_eq!(*buffers.counters, [3, 1], "evaluations, errors");
    }

    #[test]
    fn a_torn_row_is_an_error_of_that_record() {
        let mut buffers = Buffers {
            input: row(21),
            output: [0; 16],
            counters: Box::new([0; 2]),
        };
        let mut evaluator = open_double(&mut buffers);
        for length in [-1, 0, 8, 15] {
            assert_eq!(evaluator.evaluate(length), -1, "length {length}");
            let failure = evaluator.reason().expect("a reason");
            assert_eq!(failure.code, ErrorCode::ArgumentMismatch);
        }
    }

    #[test]
    fn a_short_output_buffer_is_left_alone_until_it_is_grown() {
        let mut buffers = Buffers {
            input: row(21),
            output: [7; 16],
            counters: Box::new([0; 2]),
        };
        let mut evaluator = open_double(&mut buffers);
        evaluator.output = Memory::at(buffers.output.as_mut_ptr(), 8);
        assert_eq!(evaluator.evaluate(16), 16);
        assert_eq!(buffers.output, [7; 16]);
        evaluator.output = Memory::at(buffers.output.as_mut_ptr(), 16);
        evaluator.write_again().unwrap();
        assert_eq!(buffers.output, row(42));
    }

    #[test]
    fn handle_0_is_refused() {
        assert!(evaluator(0).is_err());
    }
}
