//! How a job gets into the stores that its dimensions lie in.

use jni::Env;
use jni::objects::{JObjectArray, JString};
use pelton_dimension::storage::Settings;

use crate::exception::Failure;

/// The options that Java gives: names and values in turn.
pub fn settings<'local>(
    env: &mut Env<'local>,
    storage: &JObjectArray<'local, JString<'local>>,
) -> Result<Settings, Failure> {
    let mut texts = Vec::new();
    for i in 0..storage.len(env)? {
        texts.push(storage.get_element(env, i)?.try_to_string(env)?);
    }
    let options = texts.chunks_exact(2);
    Ok(Settings::new(options.map(|pair| (&pair[0], &pair[1]))))
}
