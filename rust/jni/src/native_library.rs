//! `org.pelton.NativeLibrary`

use jni::objects::{JClass, JString};
use jni::{EnvUnowned, jni_mangle};

use crate::guard::throwing;

#[jni_mangle("org.pelton.NativeLibrary")]
pub extern "system" fn describe<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JString<'local> {
    throwing(&mut env, |env| Ok(env.new_string(description())?))
}

/// Version, git hash and build profile; the jar checks the version when it loads the library.
fn description() -> String {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    format!(
        "{} {} {profile}",
        env!("CARGO_PKG_VERSION"),
        env!("PELTON_GIT_HASH")
    )
}
