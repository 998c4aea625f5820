//! Wave sizes as people write them: `1`, `5%`, `max(25%, 59)`.

use super::{WavePart, WaveSize};

/// Reads one wave. The error says what is wrong.
pub(super) fn parse(text: &str) -> Result<WaveSize, String> {
    let trimmed = text.trim();
    let inner = trimmed.strip_prefix("max(").map(|rest| rest.strip_suffix(')').ok_or("`max(` is not closed"));
    let parts: Result<Vec<WavePart>, String> = match inner {
        Some(inner) => inner?.split(',').map(part).collect(),
        None => part(trimmed).map(|part| vec![part]),
    };
    Ok(WaveSize { text: trimmed.to_owned(), parts: parts? })
}

fn part(text: &str) -> Result<WavePart, String> {
    let text = text.trim();
    let plain = |digits: &str| !digits.is_empty() && !digits.starts_with(['+', '-']);
    if let Some(number) = text.strip_suffix('%') {
        let number = number.trim();
        let percent = number.parse::<f64>().ok().filter(|_| plain(number));
        return match percent {
            Some(percent) if percent > 0.0 && percent <= 100.0 => Ok(WavePart::Percent(percent)),
            _ => Err(format!("{text:?} must be more than 0% and at most 100%")),
        };
    }
    let count = text.parse::<u64>().ok().filter(|_| plain(text));
    match count {
        Some(0) => Err("a wave of 0 consumers lets nothing out".to_owned()),
        Some(count) => Ok(WavePart::Count(count)),
        None => Err(format!("{text:?} is neither a count nor a percentage")),
    }
}

/// True where a wave covers every consumer, whatever their number.
pub(super) fn covers_all(wave: &WaveSize) -> bool {
    wave.parts.iter().any(|part| matches!(part, WavePart::Percent(percent) if *percent >= 100.0))
}

/// True where `later` can be told to be smaller than `earlier`, however large the fleet is.
pub(super) fn shrinks(earlier: &WaveSize, later: &WaveSize) -> bool {
    match (earlier.parts.as_slice(), later.parts.as_slice()) {
        ([WavePart::Count(before)], [WavePart::Count(after)]) => after < before,
        ([WavePart::Percent(before)], [WavePart::Percent(after)]) => after < before,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let wave = parse(" max(25%, 59) ").unwrap();
        assert_eq!(wave.text, "max(25%, 59)");
        assert_eq!(wave.parts, [WavePart::Percent(25.0), WavePart::Count(59)]);
        assert_eq!(parse("0.5%").unwrap().parts, [WavePart::Percent(0.5)]);
        for broken in ["", "0", "0%", "101%", "x", "max(", "max()", "-1", "inf%", "NaN%", "+3"] {
            assert!(parse(broken).is_err(), "{broken:?}");
        }
    }
}
