//! `org.pelton.Background`: the thread that Java lends.

use jni::objects::{JClass, JObjectArray, JString};
use jni::{EnvUnowned, jni_mangle};
use pelton_dimension::Event;
use pelton_dimension::event::Level;

use crate::guard::throwing;
use crate::registry;

/// Does what is due, or waits for it, a second at most. Returns lines for the log, each with the
/// first letter of its level in front.
#[jni_mangle("org.pelton.Background")]
pub extern "system" fn work<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JObjectArray<'local, JString<'local>> {
    throwing(&mut env, |env| {
        let events = registry::work();
        let empty = env.new_string("")?;
        let lines = JObjectArray::<JString>::new(env, events.len(), &empty)?;
        for (i, event) in events.iter().enumerate() {
            let line = env.new_string(line(event))?;
            lines.set_element(env, i, &line)?;
        }
        Ok(lines)
    })
}

fn line(event: &Event) -> String {
    let level = match event.level() {
        Level::Info => 'I',
        Level::Warn => 'W',
        Level::Error => 'E',
    };
    format!("{level}{event}")
}

/// Ends a wait.
#[jni_mangle("org.pelton.Background")]
pub extern "system" fn wake<'local>(mut env: EnvUnowned<'local>, _class: JClass<'local>) {
    throwing(&mut env, |_| {
        registry::cache().wake();
        Ok(())
    })
}

/// Gives back what no handle uses, without lingering.
#[jni_mangle("org.pelton.Background")]
pub extern "system" fn clear<'local>(mut env: EnvUnowned<'local>, _class: JClass<'local>) {
    throwing(&mut env, |_| {
        registry::cache().clear();
        Ok(())
    })
}

/// Whether nothing is held: there is nothing to work for.
#[jni_mangle("org.pelton.Background")]
pub extern "system" fn idle<'local>(mut env: EnvUnowned<'local>, _class: JClass<'local>) -> bool {
    throwing(&mut env, |_| Ok(registry::is_idle()))
}
