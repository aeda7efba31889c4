//! ONNX Runtime through its C API, the way that costs it least: one thread, inputs and outputs that lie ready.
//!
//! What it makes lives as long as the process.
#![allow(
    unsafe_code,
    reason = "a C library; the benchmark is no part of Pelton"
)]

use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::ptr::{null, null_mut};

use ort_sys::*;

use crate::case::{Input, Values};

/// The loaded library.
pub struct Runtime {
    api: &'static OrtApi,
    env: *mut OrtEnv,
}

/// A model.
pub struct Session<'a> {
    runtime: &'a Runtime,
    session: *mut OrtSession,
    inputs: Vec<CString>,
    output: CString,
}

/// Calls of a model, each with its inputs and its output.
pub struct Calls<'a> {
    session: &'a Session<'a>,
    names: Vec<*const c_char>,
    calls: Vec<(Vec<*const OrtValue>, *mut OrtValue, &'static [f32])>,
}

impl Runtime {
    pub fn open(library: &Path) -> Self {
        // SAFETY: the library is ONNX Runtime, whose first function gives the table of all others.
        let base = unsafe {
            let library = Box::leak(Box::new(
                libloading::Library::new(library).expect("ONNX Runtime loads"),
            ));
            let base: libloading::Symbol<unsafe extern "C" fn() -> *const OrtApiBase> = library
                .get(b"OrtGetApiBase")
                .expect("a function of ONNX Runtime");
            &*base()
        };
        // SAFETY: any later library has the table of an earlier version.
        let api = unsafe { (base.GetApi)(ORT_API_VERSION).as_ref() }
            .expect("a library that is not too old");
        let runtime = Self {
            api,
            env: null_mut(),
        };
        let mut env = null_mut();
        let level = OrtLoggingLevel::ORT_LOGGING_LEVEL_ERROR;
        // SAFETY: the name and the place of the result live through the call.
        runtime.check(unsafe { (api.CreateEnv)(level, c"bench".as_ptr(), &mut env) });
        Self { api, env }
    }

    fn check(&self, status: OrtStatusPtr) {
        if !status.0.is_null() {
            // SAFETY: a status that is not null has a message.
            let message = unsafe { CStr::from_ptr((self.api.GetErrorMessage)(status.0)) };
            panic!("ONNX Runtime: {}", message.to_string_lossy());
        }
    }

    /// Loads the model at `path`, to be called with `inputs` for `output`.
    pub fn session(&self, path: &Path, inputs: &[Input], output: &str) -> Session<'_> {
        let text = |text: &str| CString::new(text).expect("a name without a zero byte");
        let (mut options, mut session) = (null_mut(), null_mut());
        let path = text(path.to_str().expect("a path in UTF-8"));
        // SAFETY: handles are used in the order in which they are made; the path lives through the call.
        unsafe {
            self.check((self.api.CreateSessionOptions)(&mut options));
            self.check((self.api.SetIntraOpNumThreads)(options, 1));
            self.check((self.api.SetInterOpNumThreads)(options, 1));
            self.check((self.api.CreateSession)(
                self.env,
                path.as_ptr(),
                options,
                &mut session,
            ));
        }
        let inputs = inputs.iter().map(|input| text(&input.name)).collect();
        Session {
            runtime: self,
            session,
            inputs,
            output: text(output),
        }
    }

    fn tensor<T>(
        &self,
        data: &'static [T],
        shape: &[i64],
        element: ONNXTensorElementDataType,
    ) -> *mut OrtValue {
        let (mut memory, mut value) = (null_mut(), null_mut());
        // SAFETY: the data lives for ever; ONNX Runtime writes only to outputs, whose data nothing else refers to then.
        unsafe {
            let (allocator, kind) = (
                OrtAllocatorType::OrtArenaAllocator,
                OrtMemType::OrtMemTypeDefault,
            );
            self.check((self.api.CreateCpuMemoryInfo)(allocator, kind, &mut memory));
            let (bytes, data) = (size_of_val(data), data.as_ptr().cast_mut().cast());
            let create = self.api.CreateTensorWithDataAsOrtValue;
            self.check(create(
                memory,
                data,
                bytes,
                shape.as_ptr(),
                shape.len(),
                element,
                &mut value,
            ));
        }
        value
    }

    fn texts(&self, texts: &[String], shape: &[i64]) -> *mut OrtValue {
        let texts: Vec<CString> = texts
            .iter()
            .map(|text| CString::new(text.as_str()).expect("no zero byte"))
            .collect();
        let pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
        let element = ONNXTensorElementDataType::ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
        let (mut allocator, mut value) = (null_mut(), null_mut());
        // SAFETY: the texts live through the call that copies them.
        unsafe {
            self.check((self.api.GetAllocatorWithDefaultOptions)(&mut allocator));
            let create = self.api.CreateTensorAsOrtValue;
            self.check(create(
                allocator,
                shape.as_ptr(),
                shape.len(),
                element,
                &mut value,
            ));
            self.check((self.api.FillStringTensor)(
                value,
                pointers.as_ptr(),
                pointers.len(),
            ));
        }
        value
    }
}

impl Session<'_> {
    /// Calls with `n` rows each, as many as `inputs` have rows for; `width` values of output a row.
    pub fn calls(&self, inputs: &[Input], n: usize, width: usize) -> Calls<'_> {
        use ONNXTensorElementDataType as Element;
        let calls = inputs[0].rows() / n;
        let call = |call: usize| {
            let values = inputs.iter().map(|input| {
                let mut shape = vec![n as i64];
                shape.extend(input.shape.iter().map(|&size| size as i64));
                let part = call * n * input.width()..(call + 1) * n * input.width();
                let value = match &input.values {
                    Values::Floats(all) => {
                        let part = Vec::leak(all[part].to_vec());
                        self.runtime.tensor(
                            part,
                            &shape,
                            Element::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                        )
                    }
                    Values::Ids(all) => {
                        let part = Vec::leak(all[part].to_vec());
                        self.runtime.tensor(
                            part,
                            &shape,
                            Element::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
                        )
                    }
                    Values::Texts(all) => self.runtime.texts(&all[part], &shape),
                };
                value.cast_const()
            });
            let values = values.collect();
            let result: &[f32] = Vec::leak(vec![f32::NAN; n * width]);
            let element = Element::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
            let output = self
                .runtime
                .tensor(result, &[n as i64, width as i64], element);
            (values, output, result)
        };
        let names = self.inputs.iter().map(|name| name.as_ptr()).collect();
        Calls {
            session: self,
            names,
            calls: (0..calls).map(call).collect(),
        }
    }
}

impl Calls<'_> {
    pub fn run(&mut self, call: usize) {
        let calls = self.calls.len();
        let (inputs, output, _) = &mut self.calls[call % calls];
        let Session {
            runtime,
            session,
            output: name,
            ..
        } = self.session;
        // SAFETY: as many names as values, and all of them live.
        let status = unsafe {
            let names = self.names.as_ptr();
            (runtime.api.Run)(
                *session,
                null(),
                names,
                inputs.as_ptr(),
                inputs.len(),
                &name.as_ptr(),
                1,
                output,
            )
        };
        runtime.check(status);
    }

    /// The outputs of a call, row after row.
    pub fn output(&self, call: usize) -> Vec<f32> {
        let (_, _, result) = self.calls[call];
        // ONNX Runtime writes it behind the compiler's back.
        // SAFETY: the place is initialised, and nothing writes now.
        result
            .iter()
            .map(|value| unsafe { std::ptr::read_volatile(value) })
            .collect()
    }
}
