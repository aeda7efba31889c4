//! Everything that can go wrong with a decision, under a stable code.

use std::fmt;

use pelton_data::columns::MemoryError;

/// What went wrong, for machines. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// There is no such decision, version or activation.
    DecisionNotFound,
    /// A MANIFEST.json that cannot be read.
    ManifestInvalid,
    /// A file that is not what its manifest says.
    ManifestMismatch,
    /// decision.toml or an activation has errors.
    DecisionInvalid,
    /// An ONNX file that is damaged or contradicts itself.
    ModelInvalid,
    /// An example does not come out as it says.
    ExampleFailed,
    /// A dimension's file has errors, or a decision does not fit it.
    DimensionInvalid,
    /// A dimension has no data that can be loaded.
    DimensionUnavailable,
    /// A key that came to a subtask which does not hold it.
    KeyMisrouted,
    /// A record that is not of the decision's signature.
    ArgumentMismatch,
    /// An expression failed on a record.
    EvaluationFailed,
    /// A NULL where the decision says `null = "error"`, or a missing row with `missing = "error"`.
    NullRefused,
    /// An output row of 2 GiB or more.
    RowTooLarge,
    /// Something that Pelton does not do yet.
    NotSupported,
    /// The machine has no more memory.
    OutOfMemory,
    /// The jar's native library cannot be loaded; given by the Java side.
    NativeLibrary,
    /// A file that cannot be read or written.
    Io,
    /// A fault of Pelton itself, caught on one record.
    Panic,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [ErrorCode; 18] = {
        use ErrorCode::*;
        [
            DecisionNotFound,
            ManifestInvalid,
            ManifestMismatch,
            DecisionInvalid,
            ModelInvalid,
            ExampleFailed,
            DimensionInvalid,
            DimensionUnavailable,
            KeyMisrouted,
            ArgumentMismatch,
            EvaluationFailed,
            NullRefused,
            RowTooLarge,
            NotSupported,
            OutOfMemory,
            NativeLibrary,
            Io,
            Panic,
        ]
    };

    /// The code as it stands in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::DecisionNotFound => "DECISION_NOT_FOUND",
            ErrorCode::ManifestInvalid => "MANIFEST_INVALID",
            ErrorCode::ManifestMismatch => "MANIFEST_MISMATCH",
            ErrorCode::DecisionInvalid => "DECISION_INVALID",
            ErrorCode::ModelInvalid => "MODEL_INVALID",
            ErrorCode::ExampleFailed => "EXAMPLE_FAILED",
            ErrorCode::DimensionInvalid => "DIMENSION_INVALID",
            ErrorCode::DimensionUnavailable => "DIMENSION_UNAVAILABLE",
            ErrorCode::KeyMisrouted => "KEY_MISROUTED",
            ErrorCode::ArgumentMismatch => "ARGUMENT_MISMATCH",
            ErrorCode::EvaluationFailed => "EVALUATION_FAILED",
            ErrorCode::NullRefused => "NULL_REFUSED",
            ErrorCode::RowTooLarge => "ROW_TOO_LARGE",
            ErrorCode::NotSupported => "NOT_SUPPORTED",
            ErrorCode::OutOfMemory => "OUT_OF_MEMORY",
            ErrorCode::NativeLibrary => "NATIVE_LIBRARY",
            ErrorCode::Io => "IO",
            ErrorCode::Panic => "PANIC",
        }
    }

    /// Whether the same call may go well later, with nothing changed by the user.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            ErrorCode::DimensionUnavailable | ErrorCode::OutOfMemory | ErrorCode::Io
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&MemoryError> for ErrorCode {
    fn from(cause: &MemoryError) -> ErrorCode {
        match cause {
            MemoryError::RowTooLarge(_) => ErrorCode::RowTooLarge,
            MemoryError::Exhausted(_) | MemoryError::HeapFull => ErrorCode::OutOfMemory,
        }
    }
}

/// An error for the user: a code, and a message that names file, field and value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Error {
    /// What went wrong, for machines.
    pub code: ErrorCode,
    /// What went wrong and what to do.
    pub message: String,
}

impl Error {
    /// An error with a message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Error {
        Error {
            code,
            message: message.into(),
        }
    }

    /// There is no memory for it.
    pub fn out_of_memory(cause: MemoryError) -> Error {
        Error::new(ErrorCode::from(&cause), cause.to_string())
    }

    /// The error of an operation on a file.
    pub fn io(action: &str, path: &std::path::Path, cause: &std::io::Error) -> Error {
        let path = path.display();
        Error::new(ErrorCode::Io, format!("cannot {action} {path}: {cause}"))
    }

    /// The same error with a line in front that says where it happened.
    pub fn context(self, context: impl fmt::Display) -> Error {
        Error {
            message: format!("{context}: {}", self.message),
            ..self
        }
    }
}
