//! The guard at every entry: no panic unwinds into the JVM. A panic is one failed call.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jni::errors::ErrorPolicy;
use jni::{Env, EnvUnowned};
use pelton_decision::{Error, ErrorCode};

use crate::exception::{Failure, throw};

/// Runs an entry; an error or a panic becomes a pending Java exception, and the default is
/// returned.
pub fn throwing<'local, T: Default>(
    env: &mut EnvUnowned<'local>,
    entry: impl FnOnce(&mut Env<'local>) -> Result<T, Failure>,
) -> T {
    env.with_env(entry).resolve::<Throw>()
}

/// Runs the body of the entry that is called for every record; a panic becomes an error with the
/// code PANIC. Whatever the body was changing is then in an unknown state.
pub fn caught<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(panic_error(payload)))
}

/// What [`throwing`] does with an entry's outcome.
struct Throw;

impl<T: Default> ErrorPolicy<T, Failure> for Throw {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _: &mut Self::Captures<'unowned_env_local, 'native_method>,
        failure: Failure,
    ) -> jni::errors::Result<T> {
        throw(env, failure)?;
        Ok(T::default())
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _: &mut Self::Captures<'unowned_env_local, 'native_method>,
        payload: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        throw(env, panic_error(payload).into())?;
        Ok(T::default())
    }
}

#[cold]
fn panic_error(payload: Box<dyn Any + Send>) -> Error {
    let text = match payload.downcast_ref::<&'static str>() {
        Some(text) => Some((*text).to_owned()),
        None => payload.downcast_ref::<String>().cloned(),
    };
    // A payload may panic while it is dropped; what we know of it is copied.
    std::mem::forget(payload);
    let text = text.unwrap_or_else(|| "a panic without a message".to_owned());
    Error::new(
        ErrorCode::Panic,
        format!("a fault of Pelton itself: {text}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_text() {
        let index = std::hint::black_box(7);
        let outcome: Result<u8, Error> = caught(|| Ok([1u8, 2][index]));
        let error = outcome.expect_err("index 7 of 2");
        assert_eq!(error.code, ErrorCode::Panic);
        assert!(
            error.message.contains("the index is 7"),
            "{}",
            error.message
        );
    }

    #[test]
    fn a_panic_with_any_payload_is_caught() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("while dropping");
            }
        }
        let outcome: Result<(), Error> = caught(|| std::panic::panic_any(Bomb));
        assert_eq!(outcome.expect_err("a panic").code, ErrorCode::Panic);
    }
}
