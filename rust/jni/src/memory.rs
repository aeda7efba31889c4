//! Direct buffers that Java owns, and keeps alive as long as native code knows of them.

use std::sync::atomic::{AtomicI64, Ordering};

use jni::Env;
use jni::objects::JByteBuffer;
use pelton_decision::{Error, ErrorCode};

use crate::exception::Failure;

/// A direct buffer that Java owns and keeps alive as long as it uses the handle.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    address: *mut u8,
    capacity: usize,
}

/// Longs in a direct buffer, which metric reporters read at any time without a call.
#[derive(Debug)]
pub struct Longs {
    address: *mut i64,
    len: usize,
}

// SAFETY: the longs are only touched as atomics.
unsafe impl Send for Longs {}

impl Memory {
    /// Before Java tells its buffers.
    pub const NONE: Memory = Memory {
        address: std::ptr::NonNull::dangling().as_ptr(),
        capacity: 0,
    };

    /// The bytes of a buffer.
    pub fn of(env: &Env<'_>, buffer: &JByteBuffer<'_>) -> Result<Memory, Failure> {
        Ok(Memory {
            address: env.get_direct_buffer_address(buffer)?,
            capacity: env.get_direct_buffer_capacity(buffer)?,
        })
    }

    /// The first bytes. A length that the buffer does not have is cut, which no row survives.
    pub fn bytes<'a>(self, length: i32) -> &'a [u8] {
        let length = usize::try_from(length).unwrap_or(0).min(self.capacity);
        // SAFETY: Java keeps the buffer alive and does not touch it during the call.
        unsafe { std::slice::from_raw_parts(self.address, length) }
    }

    /// # Safety
    /// Nothing else uses the buffer while the slice lives.
    pub unsafe fn all<'a>(self) -> &'a mut [u8] {
        // SAFETY: Java keeps the buffer alive; the rest is promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.address, self.capacity) }
    }

    #[cfg(test)]
    pub fn at(address: *mut u8, capacity: usize) -> Memory {
        Memory { address, capacity }
    }
}

impl Longs {
    /// The first `len` longs of a buffer.
    pub fn new(memory: Memory, len: usize) -> Result<Longs, Error> {
        let address = memory.address.cast::<i64>();
        if memory.capacity < len * size_of::<i64>() || !address.is_aligned() {
            let message = format!("a buffer is not {len} aligned longs");
            return Err(Error::new(ErrorCode::Panic, message));
        }
        Ok(Longs { address, len })
    }

    /// Adds 1. One thread writes, so a load and a store are enough.
    #[inline]
    pub fn increment(&self, index: usize) {
        let counter = self.at(index);
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Sets one.
    pub fn set(&self, index: usize, value: i64) {
        self.at(index).store(value, Ordering::Relaxed);
    }

    #[inline]
    fn at(&self, index: usize) -> &AtomicI64 {
        assert!(index < self.len);
        // SAFETY: `new` has checked size and alignment; Java keeps the buffer alive.
        unsafe { AtomicI64::from_ptr(self.address.add(index)) }
    }
}
