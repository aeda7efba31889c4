//! Why an image cannot be loaded.

/// Why an image cannot be loaded. Messages name the file, the column and both types; the caller
/// names the dimension.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Definition, files and use do not fit together: someone has to change one of them.
    #[error("{0}")]
    Invalid(String),
    /// The files are not there, not ready, broken, or more than there is memory for.
    #[error("{0}")]
    Unavailable(String),
}

impl Error {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Invalid(_) => "DIMENSION_INVALID",
            Error::Unavailable(_) => "DIMENSION_UNAVAILABLE",
        }
    }
}
