//! Durations (`90s`, `5m`, `1h30m`) and sizes (`512MiB`) as people write them.

use std::time::Duration;

/// Reads `90s`, `500ms`, `5m`, `2h` or a sequence of them; at least a
/// millisecond, at most a year. The error says what is wrong.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    let mut millis: u64 = 0;
    if rest.is_empty() {
        return Err("a duration must not be empty".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest[..digits].parse().map_err(|_| format!("{text:?} is not a duration"))?;
        rest = &rest[digits..];
        let letters = rest.len() - rest.trim_start_matches(|c: char| c.is_alphabetic()).len();
        let factor = match &rest[..letters] {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "" => return Err(format!("{text:?} has no unit")),
            unit => return Err(format!("{text:?}: unknown unit {unit:?}")),
        };
        rest = rest[letters..].trim_start();
        let part = number.checked_mul(factor);
        millis = part.and_then(|part| millis.checked_add(part)).ok_or_else(|| format!("{text:?} is too long"))?;
    }
    match millis {
        0 => Err(format!("{text:?} is no time at all")),
        1..=31_536_000_000 => Ok(Duration::from_millis(millis)),
        _ => Err(format!("{text:?} is longer than a year")),
    }
}

/// Reads `512MiB`, `2GiB`, `10kB`, `1024B`, in bytes. The error says what is wrong.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = text[..digits].parse().map_err(|_| format!("{text:?} is not a size"))?;
    let factor: u64 = match text[digits..].trim() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "" => return Err(format!("{text:?} has no unit")),
        unit => return Err(format!("{text:?}: unknown unit {unit:?}")),
    };
    match number.checked_mul(factor) {
        None => Err(format!("{text:?} is too large")),
        Some(0) => Err(format!("{text:?} leaves nothing")),
        Some(bytes) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("2h 5ms"), Ok(Duration::from_millis(7_200_005)));
        for broken in ["", "5", "5 parsecs", "-1s", "0s", "999999999999999999999h", "s", "9000h"] {
            assert!(duration(broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("2 GB"), Ok(2_000_000_000));
        for broken in ["", "5", "MiB", "1.5GiB", "0B", "99999999999TiB", "5mib"] {
            assert!(size(broken).is_err(), "{broken:?}");
        }
    }
}
