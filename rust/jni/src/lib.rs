//! The border between the JVM and Pelton: the only crate that knows Java.
//!
//! One file per Java class: [`native_library`] and [`evaluator`] hold the entries of
//! `org.pelton.NativeLibrary` and `org.pelton.Evaluator`, [`exception`] makes
//! `org.pelton.PeltonException`. Every entry goes through the [`guard`]; what is loaded is shared
//! through the [`registry`].

// JNI is made of raw pointers. Each use says why it holds.
#![allow(unsafe_code)]

mod evaluator;
mod exception;
mod guard;
mod native_library;
mod registry;
