//! Durations, sizes and shares as people write them: `10 min`, `2 GiB`, `50 %`.

use std::time::Duration;

const SECOND: u64 = 1_000;

/// Units of time in milliseconds.
const TIMES: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", SECOND),
    ("min", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("d", 86_400 * SECOND),
];

/// Units of memory in bytes.
const SIZES: [(&str, u64); 5] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// `60 s`, `10 min`, `3 d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    quantity(text, &TIMES)
        .map(Duration::from_millis)
        .ok_or_else(|| expected("60 s", &TIMES))
}

/// `2 GiB`, in bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    quantity(text, &SIZES).ok_or_else(|| expected("2 GiB", &SIZES))
}

/// `50 %` as 0.5.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').map(str::trim);
    let percent = percent.and_then(|percent| percent.parse::<f64>().ok());
    percent
        .filter(|percent| (0.0..=100.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or_else(|| "expected a share as in \"50 %\"".to_owned())
}

/// A whole number and a unit; `None` too where the product does not fit 64 bits.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn expected(example: &str, units: &[(&str, u64)]) -> String {
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    format!(
        "expected a whole number with a unit as in {example:?}: {}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        assert_eq!(duration("60 s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("10min"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("3 d"), Ok(Duration::from_secs(3 * 86_400)));
        assert_eq!(duration("250 ms"), Ok(Duration::from_millis(250)));
        assert_eq!(size("2 GiB"), Ok(2 << 30));
        assert_eq!(size("0 B"), Ok(0));
        assert_eq!(share("50 %"), Ok(0.5));
        assert_eq!(share("12.5%"), Ok(0.125));
        for text in [
            "",
            "60",
            "s",
            "-1 s",
            "1.5 s",
            "60 S",
            "99999999999999999 d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["2 GB", "1e9 B", "GiB", "99999999999 TiB"] {
            assert!(size(text).is_err(), "{text}");
        }
        for text in ["50", "101 %", "-1 %", "NaN %", "%"] {
            assert!(share(text).is_err(), "{text}");
        }
        let help = size("2 GB").unwrap_err();
        assert!(help.ends_with("\"2 GiB\": B, KiB, MiB, GiB, TiB"), "{help}");
    }
}
