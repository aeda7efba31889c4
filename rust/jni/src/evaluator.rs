//! `org.pelton.Evaluator`: one decision at one version, opened for one thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jni::objects::{JByteBuffer, JClass, JString};
use jni::sys::{jclass, jint, jlong};
use jni::{Env, EnvUnowned, jni_mangle};
use pelton_decision::generation::manifest_of;
use pelton_decision::{Error, ErrorCode, FailedRow, Generation, OnError, Scratch};

use crate::exception::Failure;
use crate::guard::{caught, throwing};
use crate::registry;

/// What a handle points to. One task thread owns it; closing gives it back.
struct Evaluator {
    generation: Arc<Generation>,
    /// None after a panic: the next record starts afresh.
    scratch: Option<Scratch>,
    input: Memory,
    output: Memory,
    counters: Counters,
    /// The output of the records that fail; `None` where they fail the job.
    failed: Option<FailedRow>,
    last: Last,
}

/// What became of the last record.
enum Last {
    /// Its output stands in the scratch.
    Decided,
    /// Its output stands in the failed row.
    Failed,
    /// It fails the job, for this reason.
    Refused(Error),
}

/// A direct buffer that Java owns and keeps alive as long as it uses the handle.
#[derive(Clone, Copy)]
struct Memory {
    address: *mut u8,
    capacity: usize,
}

/// Two longs in a direct buffer, read by metric reporters at any time without a call.
struct Counters {
    address: *mut i64,
}

#[jni_mangle("org.pelton.Evaluator")]
pub extern "system" fn open<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    decision_uri: JString<'local>,
    version: jlong,
    on_error: JString<'local>,
    counters: JByteBuffer<'local>,
) -> jlong {
    throwing(&mut env, |env| {
        let uri = decision_uri.try_to_string(env)?;
        let on_error = parse_on_error(&on_error.try_to_string(env)?)?;
        let generation = registry::open(&uri, version as u64)?;
        let counters = Counters::new(Memory::of(env, &counters)?)?;
        let evaluator = Evaluator::new(generation, on_error, counters)?;
        Ok(Box::into_raw(Box::new(evaluator)) as jlong)
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
/// length of the output row, or -1: then `fail` throws the reason.
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
        let generation = &evaluator(handle)?.generation;
        let version = generation.version.unwrap_or(0);
        let manifest = manifest_of(&generation.decision, version);
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
    fn new(
        generation: Arc<Generation>,
        on_error: OnError,
        counters: Counters,
    ) -> Result<Evaluator, Error> {
        Ok(Evaluator {
            failed: FailedRow::new(&generation, on_error)?,
            generation,
            scratch: None,
            input: Memory::NONE,
            output: Memory::NONE,
            counters,
            last: Last::Decided,
        })
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
        self.counters.add_evaluation();
        let (generation, scratch) = (&*self.generation, &mut self.scratch);
        match caught(|| decide(generation, ready(generation, scratch)?)) {
            Ok(length) => {
                self.last = Last::Decided;
                length as jlong
            }
            Err(error) => self.failed(error),
        }
    }

    /// The length of the failed row, or -1 where a failed record fails the job.
    #[cold]
    fn failed(&mut self, error: Error) -> jlong {
        if error.code == ErrorCode::Panic {
            self.scratch = None;
        }
        self.counters.add_error();
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
            (Last::Decided, Some(scratch), _) => self.generation.write_output(scratch, 0, output),
            (Last::Failed, _, Some(row)) => row.write(output),
            _ => Ok(0),
        }
    }
}

fn ready<'a>(
    generation: &Generation,
    scratch: &'a mut Option<Scratch>,
) -> Result<&'a mut Scratch, Error> {
    match scratch {
        Some(scratch) => Ok(scratch),
        None => Ok(scratch.insert(generation.scratch(1)?)),
    }
}

impl Memory {
    /// Before Java tells its buffers.
    const NONE: Memory = Memory {
        address: std::ptr::NonNull::dangling().as_ptr(),
        capacity: 0,
    };

    fn of(env: &Env<'_>, buffer: &JByteBuffer<'_>) -> Result<Memory, Failure> {
        Ok(Memory {
            address: env.get_direct_buffer_address(buffer)?,
            capacity: env.get_direct_buffer_capacity(buffer)?,
        })
    }

    /// The first bytes. A length that the buffer does not have is cut, which no row survives.
    fn bytes<'a>(self, length: jint) -> &'a [u8] {
        let length = usize::try_from(length).unwrap_or(0).min(self.capacity);
        // SAFETY: Java keeps the buffer alive and does not touch it during the call.
        unsafe { std::slice::from_raw_parts(self.address, length) }
    }

    /// # Safety
    /// Nothing else uses the buffer while the slice lives.
    unsafe fn all<'a>(self) -> &'a mut [u8] {
        // SAFETY: Java keeps the buffer alive; the rest is promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.address, self.capacity) }
    }
}

impl Counters {
    fn new(memory: Memory) -> Result<Counters, Error> {
        let address = memory.address.cast::<i64>();
        if memory.capacity < 2 * size_of::<i64>() || !address.is_aligned() {
            let message = "the counters are not two aligned longs";
            return Err(Error::new(ErrorCode::Panic, message));
        }
        Ok(Counters { address })
    }

    fn add_evaluation(&self) {
        self.add(0);
    }

    fn add_error(&self) {
        self.add(1);
    }

    /// One thread writes, so a load and a store are enough.
    fn add(&self, index: usize) {
        // SAFETY: `new` has checked size and alignment; Java keeps the buffer alive.
        let counter = unsafe { AtomicI64::from_ptr(self.address.add(index)) };
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

#[cfg(test)]
pub mod tests {
    use std::fs;

    use pelton_decision::metadata::Metadata;
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
        let generation = registry::open(uri.to_str().expect("UTF-8"), 1).expect("published");
        let memory = |bytes: *mut u8| Memory {
            address: bytes,
            capacity: 16,
        };
        let counters = memory(buffers.counters.as_mut_ptr().cast());
        let counters = Counters::new(counters).expect("two longs");
        let mut evaluator = Evaluator::new(generation, OnError::Fail, counters).expect("opened");
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
        evaluator.output.capacity = 8;
        assert_eq!(evaluator.evaluate(16), 16);
        assert_eq!(buffers.output, [7; 16]);
        evaluator.output.capacity = 16;
        evaluator.write_again().unwrap();
        assert_eq!(buffers.output, row(42));
    }

    #[test]
    fn handle_0_is_refused() {
        assert!(evaluator(0).is_err());
    }
}
