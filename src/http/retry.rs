//! When a question is asked again, and after which pause.
//!
//! Without a random part: one gander asks one question at a time, so that there is
//! no herd to spread, and the same answers give the same waits.

use std::time::Duration;

use super::error::Why;
use super::{Answer, said};

/// Attempts after the first.
const ATTEMPTS: u32 = 5;
/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest wait that a server may ask for.
const PATIENCE: u64 = 300;

/// How long to wait before the next attempt; `None` where this answer stands.
///
/// # Errors
/// Where the server asks for more patience than there is.
pub(super) fn pause(answer: &Result<Answer, Why>, attempt: u32, now: i64) -> Result<Option<Duration>, Why> {
    let why = match answer {
        Ok(Answer { status: 200..=299, .. }) => return Ok(None),
        Ok(answer) => Why::Status(answer.status, said(&answer.body)),
        Err(why) => why.clone(),
    };
    if !why.passes() || attempt >= ATTEMPTS {
        return Ok(None);
    }
    if let Ok(answer) = answer
        && let Some(seconds) = answer.retry_after.as_deref().and_then(|text| seconds(text, now))
    {
        return match seconds {
            0..=PATIENCE => Ok(Some(Duration::from_secs(seconds))),
            _ => Err(Why::Patience(seconds, answer.status)),
        };
    }
    Ok(Some(FIRST_PAUSE * 2_u32.pow(attempt)))
}

/// `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn seconds(text: &str, now: i64) -> Option<u64> {
    if text.trim().bytes().all(|b| b.is_ascii_digit()) && !text.trim().is_empty() {
        return Some(text.trim().parse().unwrap_or(u64::MAX));
    }
    match jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()) {
        Ok(at) => Some(u64::try_from(at.as_second().saturating_sub(now)).unwrap_or(0)),
        // Of a date the year comes fourth. Past the end of the calendar is a long time.
        Err(_) => {
            let year = text.split_whitespace().nth(3)?.parse::<u64>().ok()?;
            (year >= 9999).then_some(u64::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_retry_after() {
        assert_eq!(seconds("7", 0), Some(7));
        assert_eq!(seconds("99999999999999999999999", 0), Some(u64::MAX));
        assert_eq!(seconds("Thu, 01 Jan 1970 00:01:40 GMT", 40), Some(60));
        assert_eq!(seconds("Thu, 01 Jan 1970 00:01:40 GMT", 400), Some(0));
        for late in ["Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 99999 23:59:59 GMT"] {
            assert_eq!(seconds(late, 0), Some(u64::MAX), "{late}");
        }
        assert!(seconds("Thu, 01 Dec 9998 00:00:00 GMT", -9_000_000_000).is_none_or(|wait| wait > PATIENCE));
        assert_eq!(seconds("soon", 0), None);
        assert_eq!(seconds("Fri, 31 Foo 2026 23:59:59 GMT", 0), None);
    }
}
