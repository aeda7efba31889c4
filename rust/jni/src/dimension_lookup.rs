//! `org.pelton.DimensionLookup`: one dimension, or a subtask's share of it, opened for one thread.

use std::sync::Arc;
use std::time::Instant;

use jni::objects::{JByteBuffer, JClass, JObjectArray, JString};
use jni::sys::{jboolean, jclass, jint, jlong};
use jni::{EnvUnowned, jni_mangle};
use pelton_data::Field;
use pelton_data::report::Source;
use pelton_data::type_parser::parse_columns;
use pelton_decision::{Error, ErrorCode};
use pelton_dimension::lookup::{Found, Lookup, LookupError, Share};
use pelton_dimension::storage::Settings;
use pelton_dimension::{Claim, Counts, Definition, Figures, Location, Request};

use crate::guard::{caught, throwing};
use crate::memory::{Longs, Memory};
use crate::metrics::{Publication, Source as MetricSource};
use crate::registry;
use crate::storage::settings;

/// What [`lookup`] returns for a key whose record waits for a Hive partition.
const NOT_YET: jlong = -2;

/// What a handle points to. One task thread owns it; closing gives it back.
struct DimensionLookup {
    /// The table and the types of its key, for messages.
    table: Table,
    user: Arc<User>,
    lookup: Lookup,
    input: Memory,
    output: Memory,
    /// The rows of the last key, where the output was too short for them.
    overflow: Vec<u8>,
    /// Why the last key was not looked up.
    failure: Option<Error>,
    /// Whether the last key is to be looked up again.
    waits: bool,
    metrics: Option<Publication>,
}

/// What a task has of the dimension, and has done with it.
struct User {
    claim: Claim,
    counts: Counts,
}

impl MetricSource for User {
    fn figures(&self, now: Instant) -> Vec<Figures> {
        vec![Figures::new(self.claim.report(now).as_ref(), &self.counts)]
    }
}

/// What messages say about a table.
struct Table {
    name: String,
    /// The columns of the key as they come, and as the dimension declares them.
    given: String,
    key: String,
}

#[jni_mangle("org.pelton.DimensionLookup")]
#[allow(clippy::too_many_arguments)] // they are Java's
pub extern "system" fn open<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    table: JString<'local>,
    source: JString<'local>,
    definition: JString<'local>,
    root: JString<'local>,
    key: JString<'local>,
    columns: JString<'local>,
    subtask: jint,
    subtasks: jint,
    storage: JObjectArray<'local, JString<'local>>,
) -> jlong {
    throwing(&mut env, |env| {
        let opening = Opening {
            table: table.try_to_string(env)?,
            source: source.try_to_string(env)?,
            definition: definition.try_to_string(env)?,
            root: root.try_to_string(env)?,
            key: key.try_to_string(env)?,
            columns: columns.try_to_string(env)?,
            settings: settings(env, &storage)?,
            share: (subtasks > 0).then_some(Share {
                subtask: subtask as u32,
                subtasks: subtasks as u32,
            }),
        };
        Ok(Box::into_raw(Box::new(opening.open()?)) as jlong)
    })
}

#[jni_mangle("org.pelton.DimensionLookup")]
pub extern "system" fn close<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
) {
    throwing(&mut env, |_| {
        let lookup = lookup_of(handle)?;
        // SAFETY: `open` made it with Box::into_raw, and Java forgets the handle before it calls.
        drop(unsafe { Box::from_raw(lookup) });
        Ok(())
    })
}

#[jni_mangle("org.pelton.DimensionLookup")]
pub extern "system" fn ready<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
) -> jboolean {
    throwing(&mut env, |_| Ok(lookup_of(handle)?.ready()?))
}

/// Keeps the dimension's metrics current in a buffer, until the lookup is closed.
#[jni_mangle("org.pelton.DimensionLookup")]
pub extern "system" fn publish<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
    buffer: JByteBuffer<'local>,
) {
    throwing(&mut env, |env| {
        let lookup = lookup_of(handle)?;
        let longs = Longs::new(Memory::of(env, &buffer)?, Figures::NAMES.len())?;
        lookup.metrics = Some(Publication::new(lookup.user.clone(), longs));
        Ok(())
    })
}

#[jni_mangle("org.pelton.DimensionLookup")]
pub extern "system" fn buffers<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
    input: JByteBuffer<'local>,
    output: JByteBuffer<'local>,
) {
    throwing(&mut env, |env| {
        let lookup = lookup_of(handle)?;
        lookup.input = Memory::of(env, &input)?;
        lookup.output = Memory::of(env, &output)?;
        Ok(())
    })
}

/// Called for every record, so it takes neither the environment nor any Java object. Returns the
/// bytes of the rows; or -1: then `fail` throws the reason; or -2: then the record waits for a Hive
/// partition, and its key is to be looked up again.
#[jni_mangle("org.pelton.DimensionLookup")]
pub extern "system" fn lookup(
    _env: *mut jni::sys::JNIEnv,
    _class: jclass,
    handle: jlong,
    key_length: jint,
) -> jlong {
    match lookup_of(handle) {
        Ok(lookup) => lookup.lookup(key_length),
        Err(_) => -1,
    }
}

#[jni_mangle("org.pelton.DimensionLookup")]
pub extern "system" fn output<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
) {
    throwing(&mut env, |_| {
        lookup_of(handle)?.write_overflow();
        Ok(())
    })
}

#[jni_mangle("org.pelton.DimensionLookup")]
pub extern "system" fn fail<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    handle: jlong,
) {
    throwing(&mut env, |_| match lookup_of(handle)?.failure.take() {
        Some(error) => Err(error.into()),
        None => Ok(()),
    })
}

/// The lookup behind a handle. Its thread is the only one that calls with it.
fn lookup_of<'a>(handle: jlong) -> Result<&'a mut DimensionLookup, Error> {
    // SAFETY: a handle is 0 or comes from `open`; Java sets it to 0 before it closes it, and
    // calls from one thread only.
    unsafe { (handle as *mut DimensionLookup).as_mut() }
        .ok_or_else(|| Error::new(ErrorCode::Panic, "the lookup is closed"))
}

/// What Java gives to open a lookup.
struct Opening {
    table: String,
    source: String,
    definition: String,
    root: String,
    key: String,
    columns: String,
    settings: Settings,
    share: Option<Share>,
}

impl Opening {
    fn open(&self) -> Result<DimensionLookup, Error> {
        let invalid = |cause: String| {
            let message = format!("{}: {cause}", self.table);
            Error::new(ErrorCode::DimensionInvalid, message)
        };
        let source = Source::new(&self.source, &self.definition);
        let definition =
            Definition::parse(&source).map_err(|report| invalid(report.to_string()))?;
        if let Location::Relative(path) = &definition.path
            && !self.root.starts_with('/')
        {
            let place = match self.root.as_str() {
                "" => "a table without a file",
                root => root,
            };
            return Err(invalid(format!(
                "{}: `path` is \"{path}\", which is relative; in {place} it has to be an absolute \
                 path or a URI",
                self.source
            )));
        }
        let fields = |text: &str| match parse_columns(text) {
            Ok(columns) => Ok(columns.into_iter().map(|(field, _)| field).collect()),
            Err(errors) => {
                let messages: Vec<String> = errors.into_iter().map(|e| e.message).collect();
                Err(invalid(format!("{}: {text}", messages.join(", "))))
            }
        };
        let given: Vec<Field> = fields(&self.key)?;
        let output: Vec<Field> = fields(&self.columns)?;
        let lookup = Lookup::new(&definition, &given, &output, self.share)
            .map_err(|cause| invalid(format!("{}: {cause}", self.source)))?;
        let table = Table {
            name: self.table.clone(),
            given: list(given.iter()),
            key: list(definition.key_columns()),
        };
        let request = Request {
            definition,
            root: self.root.clone().into(),
            settings: self.settings.clone(),
            columns: lookup.wanted().to_vec(),
            groups: lookup.groups(),
        };
        Ok(DimensionLookup {
            table,
            user: Arc::new(User {
                claim: registry::cache().claim(request, Instant::now()),
                counts: Counts::default(),
            }),
            lookup,
            input: Memory::NONE,
            output: Memory::NONE,
            overflow: Vec::new(),
            failure: None,
            waits: false,
            metrics: None,
        })
    }
}

impl DimensionLookup {
    fn ready(&self) -> Result<bool, Error> {
        let ready = self.user.claim.ready(Instant::now());
        ready.map_err(|cause| self.table.failed(&cause))
    }

    fn lookup(&mut self, key_length: jint) -> jlong {
        // A record that waits is counted once.
        let waited = std::mem::take(&mut self.waits);
        if !waited {
            self.user.counts.add_lookups(1);
        }
        let found = caught(|| self.find(key_length));
        let counts = &self.user.counts;
        match found {
            Ok(Some(Found { bytes, late })) => {
                if late && !waited {
                    counts.add_late();
                }
                if bytes == 0 {
                    counts.add_miss();
                }
                bytes as jlong
            }
            Ok(None) => {
                if !waited {
                    counts.add_late();
                }
                self.waits = true;
                NOT_YET
            }
            Err(error) => {
                self.failure = Some(error);
                -1
            }
        }
    }

    /// Looks up the key in the input; `None` where its rows are not there yet.
    fn find(&mut self, key_length: jint) -> Result<Option<Found>, Error> {
        let key = self.input.bytes(key_length);
        let snapshot = self.user.claim.snapshot().load();
        let Some(snapshot) = snapshot.as_ref() else {
            let message = format!("{}: it is not loaded yet", self.table.name);
            return Err(Error::new(ErrorCode::DimensionUnavailable, message));
        };
        let view = snapshot.view().map_err(|cause| self.table.failed(&cause))?;
        // SAFETY: Java reads the output only after this call.
        let output = unsafe { self.output.all() };
        let fits = output.len();
        let mut found = self.lookup.find(view, key, output);
        if let Ok(Found { bytes, .. }) = found
            && bytes > fits
        {
            self.overflow.resize(bytes, 0);
            found = self.lookup.find(view, key, &mut self.overflow);
        }
        match found {
            Ok(found) => Ok(Some(found)),
            Err(LookupError::NotYet(_)) => Ok(None),
            Err(cause) => Err(self.not_looked_up(&cause)),
        }
    }

    #[cold]
    fn not_looked_up(&self, cause: &LookupError) -> Error {
        match cause {
            LookupError::Misrouted { .. } => self.user.counts.add_misrouted(),
            LookupError::NotThere(_) => self.user.counts.add_late(),
            _ => {}
        }
        self.table.not_looked_up(cause)
    }

    /// Hands over the rows that did not fit before, and gives their memory back.
    fn write_overflow(&mut self) {
        let rows = std::mem::take(&mut self.overflow);
        // SAFETY: as in `find`.
        let output = unsafe { self.output.all() };
        let fits = rows.len().min(output.len());
        output[..fits].copy_from_slice(&rows[..fits]);
    }
}

impl Table {
    #[cold]
    fn failed(&self, cause: &pelton_dimension::Error) -> Error {
        let code = match cause {
            pelton_dimension::Error::Invalid(_) => ErrorCode::DimensionInvalid,
            _ => ErrorCode::DimensionUnavailable,
        };
        Error::new(code, format!("{}: {cause}", self.name))
    }

    #[cold]
    fn not_looked_up(&self, cause: &LookupError) -> Error {
        let (name, given, key) = (&self.name, &self.given, &self.key);
        let code = match cause {
            LookupError::Misrouted { .. } => {
                let message = format!(
                    "{name}: {cause}. The key comes as {given}, the dimension hashes {key}"
                );
                return Error::new(ErrorCode::KeyMisrouted, message);
            }
            LookupError::NotLoaded(_) | LookupError::NotYet(_) | LookupError::NotThere(_) => {
                ErrorCode::DimensionUnavailable
            }
            LookupError::Row(_) => ErrorCode::ArgumentMismatch,
            LookupError::Memory(cause) => cause.into(),
        };
        Error::new(code, format!("{name}: {cause}"))
    }
}

fn list<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    let fields: Vec<String> = fields.map(Field::to_string).collect();
    format!("({})", fields.join(", "))
}
