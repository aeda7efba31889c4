//! Why an image cannot be loaded.

use std::time::Duration;

use crate::policy::show;

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
    /// What is there has too few rows for the definition: `min_rows`, `max_shrink`.
    #[error("{0}")]
    TooFew(String),
    /// What is there takes more memory than the definition's `budget`.
    #[error("{0}")]
    TooLarge(String),
    /// Files changed while they were read.
    #[error("{0}")]
    Changed(String),
}

impl Error {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Invalid(_) => "DIMENSION_INVALID",
            Error::Unavailable(_) | Error::TooFew(_) | Error::TooLarge(_) | Error::Changed(_) => {
                "DIMENSION_UNAVAILABLE"
            }
        }
    }

    /// Whether what is there breaks a rule of the definition.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Error::TooFew(_) | Error::TooLarge(_))
    }

    /// Whether it may go away without anybody changing the definition.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Error::Unavailable(_) | Error::TooFew(_) | Error::Changed(_) => true,
            Error::Invalid(_) | Error::TooLarge(_) => false,
        }
    }

    /// The same, after so long a wait for it to go away.
    pub(crate) fn after(&self, waited: Duration) -> Error {
        let waited = show(waited);
        Error::Unavailable(format!("{self}; waited {waited}, as `initial` says"))
    }
}
