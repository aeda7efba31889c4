//! What metrics say of a dimension: numbers only.

use crate::counts::Counts;
use crate::refresh::Status;

/// The metrics of one user of a dimension. Of users who share an image, one reports the image: the
/// sum over all users is right for all but `age` and `epoch`, whose maximum is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    values: [i64; Figures::NAMES.len()],
}

impl Figures {
    /// The names of the numbers, in their order. `bytes` are bytes, `age` and `epoch` milliseconds;
    /// the others count.
    pub const NAMES: [&str; 11] = [
        "rows",
        "bytes",
        "age",
        "epoch",
        "refreshes",
        "failures",
        "refused",
        "lookups",
        "misses",
        "misrouted",
        "late",
    ];

    /// The figures of a user, who reports the image if there is a `status`.
    pub fn new(status: Option<&Status>, counts: &Counts) -> Figures {
        let status = status.copied().unwrap_or_default();
        let values = [
            status.rows,
            status.bytes,
            status.age.as_millis() as u64,
            status.epoch as u64,
            status.refreshes.done,
            status.refreshes.failed,
            status.refreshes.refused,
            counts.lookups(),
            counts.misses(),
            counts.misrouted(),
            counts.late(),
        ];
        Figures {
            values: values.map(|value| value as i64),
        }
    }

    /// Those of one user of two images of a dimension: the older age, the newer epoch, the sums.
    pub fn and(self, other: Figures) -> Figures {
        let mut values = self.values;
        for (i, (value, other)) in values.iter_mut().zip(other.values).enumerate() {
            *value = match Figures::NAMES[i] {
                "age" | "epoch" => (*value).max(other),
                _ => *value + other,
            };
        }
        Figures { values }
    }

    /// The numbers, in the order of their names.
    pub fn values(&self) -> &[i64] {
        &self.values
    }
}
