//! What can go wrong while a model loads. Running a loaded model cannot fail.

/// Why a model was refused: a kind for programs, a message for people.
///
/// The message names the node, the attribute and the value, what was expected, and where it helps, what to do.
/// It does not name the file: the caller knows which file the bytes came from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    kind: ErrorKind,
    message: String,
}

/// The kinds of [`ModelError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The bytes are not an ONNX file, or not all of it.
    Corrupt,
    /// An ONNX file that contradicts itself or the standard.
    Invalid,
    /// A valid ONNX file that needs something this crate does not have.
    NotSupported,
}

impl ModelError {
    /// What kind of refusal this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Corrupt,
            message: message.into(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Invalid,
            message: message.into(),
        }
    }

    pub(crate) fn not_supported(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::NotSupported,
            message: message.into(),
        }
    }

    /// The same error, said about `place`, as in `node "x" (ai.onnx.ml Scaler): ...`.
    pub(crate) fn at(self, place: &str) -> Self {
        Self {
            kind: self.kind,
            message: format!("{place}: {}", self.message),
        }
    }
}
