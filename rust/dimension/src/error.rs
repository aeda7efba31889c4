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
    /// What is there breaks a rule of the definition: `min_rows`, `max_shrink`, `budget`.
    #[error("{0}")]
    Refused(String),
    /// Files changed while they were read.
    #[error("{0}")]
    Changed(String),
}

impl Error {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Invalid(_) => "DIMENSION_INVALID",
            Error::Unavailable(_) | Error::Refused(_) | Error::Changed(_) => {
                "DIMENSION_UNAVAILABLE"
            }
        }
    }

    /// The same, after so long a wait for it to go away.
    pub(crate) fn after(&self, waited: Duration) -> Error {
        let waited = show(waited);
        Error::Unavailable(format!("{self}; waited {waited}, as `initial` says"))
    }
}
