//! The border between the JVM and Pelton: the only crate that knows Java.
//!
//! One file per Java class: [`native_library`], [`evaluator`], [`dimension_lookup`] and
//! [`background`] hold the entries of `org.pelton.NativeLibrary`, `org.pelton.Evaluator`,
//! `org.pelton.DimensionLookup` and `org.pelton.Background`, [`exception`] makes
//! `org.pelton.PeltonException`. Every entry goes through the [`guard`]; what is loaded is shared
//! through the [`registry`]; [`memory`] is Java's buffers, [`metrics`] what is written into them,
//! [`storage`] how a job gets into stores.

// JNI is made of raw pointers. Each use says why it holds.
#![allow(unsafe_code)]

mod background;
mod dimension_lookup;
mod evaluator;
mod exception;
mod guard;
mod memory;
mod metrics;
mod native_library;
mod registry;
mod storage;
