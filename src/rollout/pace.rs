//! Whether a change set may go out now: windows in the owner's time zone, holidays,
//! freezes, how many are open and how many went out within the hour. Pure functions of
//! the calendar and the time.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use crate::config::{Calendar, Window};
use crate::state::{Wait, WaitFor};

/// How many days ahead the next opening is looked for.
const AHEAD: u32 = 400;

/// What went out so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Branches that are out and whose owners have not taken or closed them.
    pub open: u64,
    /// When change sets went out within the last hour, in seconds since the Unix epoch.
    pub recent: Vec<i64>,
}

/// What keeps a change set of this owner from going out at `now`; `None` where nothing does.
pub fn barred(calendar: &Calendar, owner: Option<&str>, traffic: &Traffic, now: i64) -> Option<Wait> {
    shut(calendar, owner, now).or_else(|| crowded(calendar, traffic, now))
}

fn crowded(calendar: &Calendar, traffic: &Traffic, now: i64) -> Option<Wait> {
    if let Some(most) = calendar.max_open.filter(|most| traffic.open >= *most) {
        let open = if traffic.open == 1 { "1 change is".to_owned() } else { format!("{} changes are", traffic.open) };
        let why = format!("{open} open, at most {most} may be");
        return Some(Wait { what: WaitFor::Pace, until: None, why, maker: None });
    }
    let most = calendar.per_hour?;
    let mut recent: Vec<i64> = traffic.recent.iter().copied().filter(|at| *at > now - 3600).collect();
    recent.sort_unstable();
    let over = usize::try_from(most).unwrap_or(usize::MAX);
    // Once so many of the oldest are an hour old, there is room again.
    let until = recent.len().checked_sub(over).and_then(|index| recent.get(index)).map(|at| at + 3600)?;
    let why = format!("{} went out within the hour, at most {most} may", recent.len());
    Some(Wait { what: WaitFor::Pace, until: Some(until), why, maker: None })
}

/// The calendar is shut; until when, as far as can be told.
fn shut(calendar: &Calendar, owner: Option<&str>, now: i64) -> Option<Wait> {
    let zone = owner.and_then(|owner| calendar.zones.get(owner)).map(String::as_str);
    let reason = closed(calendar, zone, now)?;
    Some(Wait { what: WaitFor::Window, until: next_opening(calendar, zone, now), why: reason, maker: None })
}

/// Why nothing may go out at a moment.
fn closed(calendar: &Calendar, zone: Option<&str>, at: i64) -> Option<String> {
    let here = |name: &str| moment(name, at);
    let today = here(zone.or(calendar.windows.first().map(|w| w.zone.as_str())).unwrap_or("UTC"))?.date();
    if let Some(freeze) = calendar.freezes.iter().find(|freeze| freeze.from <= today && today <= freeze.to) {
        return Some(format!("frozen until {}: {}", freeze.to, freeze.reason));
    }
    if calendar.holidays.contains(&today) {
        return Some(format!("{today} is a holiday"));
    }
    let open = |window: &Window| {
        let Some(now) = here(zone.unwrap_or(&window.zone)) else { return false };
        let day = window.days.is_empty() || window.days.contains(&now.weekday());
        day && window.from <= now.time() && now.time() < window.to
    };
    (!calendar.windows.is_empty() && !calendar.windows.iter().any(open)).then(|| {
        let zone = zone.map(|zone| format!(" in {zone}")).unwrap_or_default();
        format!("no window is open{zone}")
    })
}

fn moment(zone: &str, at: i64) -> Option<Zoned> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    Some(Timestamp::from_second(at).ok()?.to_zoned(zone))
}

/// The first moment after `now` at which something opens: each window of each day, or
/// midnight where there is none.
fn next_opening(calendar: &Calendar, zone: Option<&str>, now: i64) -> Option<i64> {
    let always = [Window {
        days: Vec::new(),
        from: jiff::civil::time(0, 0, 0, 0),
        to: jiff::civil::time(23, 59, 59, 0),
        zone: "UTC".to_owned(),
    }];
    let windows = if calendar.windows.is_empty() { &always[..] } else { &calendar.windows };
    let opens = |window: &Window| {
        let name = zone.unwrap_or(&window.zone);
        let mut day: Date = moment(name, now)?.date();
        for _ in 0..AHEAD {
            let zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
            let at = day.to_datetime(window.from).to_zoned(zone).ok()?.timestamp().as_second();
            if at > now && closed(calendar, Some(name), at).is_none() {
                return Some(at);
            }
            day = day.checked_add(1.day()).ok()?;
        }
        None
    };
    windows.iter().filter_map(opens).min()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date, time};

    use super::*;
    use crate::config::Freeze;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn office() -> Calendar {
        use Weekday as W;
        let days = vec![W::Monday, W::Tuesday, W::Wednesday, W::Thursday];
        let window = Window { days, from: time(9, 0, 0, 0), to: time(16, 0, 0, 0), zone: "Europe/Berlin".to_owned() };
        let zones = [("group:default/west".to_owned(), "America/New_York".to_owned())].into();
        Calendar { windows: vec![window], zones, ..Calendar::default() }
    }

    fn until(calendar: &Calendar, owner: Option<&str>, now: &str) -> Option<i64> {
        let wait = barred(calendar, owner, &Traffic::default(), at(now))?;
        assert_eq!(wait.what, WaitFor::Window, "{}", wait.why);
        wait.until
    }

    #[test]
    fn windows_are_those_of_the_owners_clock() {
        let office = office();
        // A Thursday in winter: Berlin is an hour ahead of UTC.
        assert_eq!(until(&office, None, "2026-01-15T08:00:00Z"), None);
        assert_eq!(until(&office, None, "2026-01-15T07:59:59Z"), Some(at("2026-01-15T08:00:00Z")));
        assert_eq!(until(&office, None, "2026-01-15T15:00:00Z"), Some(at("2026-01-19T08:00:00Z")), "on Monday");
        let west = Some("group:default/west");
        assert_eq!(until(&office, west, "2026-01-15T08:00:00Z"), Some(at("2026-01-15T14:00:00Z")));
        assert_eq!(until(&office, west, "2026-01-15T20:59:59Z"), None);
        // In summer, Berlin is two hours ahead; the night that changes the clock is one of them.
        assert_eq!(until(&office, None, "2026-03-27T12:00:00Z"), Some(at("2026-03-30T07:00:00Z")));
    }

    #[test]
    fn holidays_and_freezes_keep_windows_shut() {
        let mut calendar = office();
        calendar.holidays = vec![date(2026, 1, 19)];
        let freeze = Freeze { from: date(2026, 1, 20), to: date(2026, 1, 21), reason: "audit".to_owned() };
        calendar.freezes = vec![freeze];
        assert_eq!(until(&calendar, None, "2026-01-15T15:00:00Z"), Some(at("2026-01-22T08:00:00Z")));
        let wait = barred(&calendar, None, &Traffic::default(), at("2026-01-20T10:00:00Z")).unwrap();
        assert_eq!(wait.why, "frozen until 2026-01-21: audit");
        let always = Calendar { windows: Vec::new(), ..calendar.clone() };
        assert_eq!(until(&always, None, "2026-01-19T10:00:00Z"), Some(at("2026-01-22T00:00:00Z")));
        assert_eq!(until(&always, None, "2026-01-18T10:00:00Z"), None);
        let forever = Freeze { from: date(2026, 1, 1), to: date(2099, 1, 1), reason: "the end".to_owned() };
        let never = Calendar { freezes: vec![forever], ..calendar };
        let wait = barred(&never, None, &Traffic::default(), at("2026-02-03T10:00:00Z")).unwrap();
        assert_eq!(wait.until, None, "nobody waits for that");
    }

    #[test]
    fn so_many_and_no_more() {
        let pace = Calendar { max_open: Some(2), per_hour: Some(3), ..Calendar::default() };
        let traffic = |open, recent: &[i64]| Traffic { open, recent: recent.to_vec() };
        let now = 10_000;
        assert_eq!(barred(&pace, None, &traffic(1, &[9000, 9100]), now), None);
        let open = barred(&pace, None, &traffic(2, &[]), now).unwrap();
        assert_eq!((open.what, open.until), (WaitFor::Pace, None));
        let full = barred(&pace, None, &traffic(0, &[9200, 9000, 9100]), now).unwrap();
        assert_eq!(full.until, Some(9000 + 3600), "when the oldest is an hour old");
        assert_eq!(barred(&pace, None, &traffic(0, &[6400, 9000, 9100]), now), None);
    }
}
