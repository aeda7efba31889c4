//! `org.pelton.PeltonException`: a code, whether to try again, a message.

use jni::objects::{JObject, JThrowable, JValue};
use jni::{Env, jni_sig, jni_str};
use pelton_decision::{Error, ErrorCode};

/// Why an entry failed.
pub enum Failure {
    /// Something that the user should know.
    Pelton(Error),
    /// The JVM refused a call.
    Jni(jni::errors::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Pelton(error)
    }
}

impl From<jni::errors::Error> for Failure {
    fn from(error: jni::errors::Error) -> Failure {
        Failure::Jni(error)
    }
}

/// Leaves a `PeltonException` pending, or the exception that is pending already.
pub fn throw(env: &mut Env<'_>, failure: Failure) -> jni::errors::Result<()> {
    if env.exception_check() {
        return Ok(());
    }
    let error = match failure {
        Failure::Pelton(error) => error,
        Failure::Jni(cause) => Error::new(ErrorCode::Panic, format!("a call into Java: {cause}")),
    };
    let code: JObject = env.new_string(error.code.as_str())?.into();
    let message: JObject = env.new_string(error.to_string())?.into();
    let exception = env.new_object(
        jni_str!("org/pelton/PeltonException"),
        jni_sig!("(Ljava/lang/String;ZLjava/lang/String;)V"),
        &[
            JValue::Object(&code),
            JValue::Bool(error.code.is_retryable()),
            JValue::Object(&message),
        ],
    )?;
    let exception = env.cast_local::<JThrowable>(exception)?;
    match env.throw(exception) {
        Err(jni::errors::Error::JavaException) => Ok(()), // thrown, as it should be
        other => other,
    }
}
