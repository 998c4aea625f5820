//! Versions, and what of them a build or a rule allows.
//!
//! Every ecosystem orders versions in its own way. What is said here holds in all of them:
//! numbers are compared one by one; where only what follows them differs, nobody says.

use std::cmp::Ordering;
use std::fmt;

use crate::symbol::Certainty;

/// A version: numbers, and what follows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: Vec<u64>,
    /// How many numbers are written, zeros at the end included.
    written: usize,
    rest: String,
    /// As it is written.
    text: String,
}

impl Version {
    /// Reads `1.2.3`, `v1.2`, `0.13.0-beta1`, `31.1-jre`; nothing else is one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let good = |c: char| c.is_ascii_alphanumeric() || ".-+_".contains(c);
        if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(good) {
            return None;
        }
        let mut numbers = Vec::new();
        let mut rest = text;
        loop {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            numbers.push(rest[..digits].parse().ok()?);
            rest = &rest[digits..];
            match rest.strip_prefix('.') {
                Some(more) if more.starts_with(|c: char| c.is_ascii_digit()) => rest = more,
                _ => break,
            }
        }
        // `1.x` is many versions, and so are `1.+` and `1.2+` of the JVM. (What follows a `+` is a build
        // of one.)
        let mut parts = rest.strip_prefix(['.', '-', '+', '_']).unwrap_or(rest).split(['.', '-', '+']);
        if !rest.is_empty() && parts.any(|part| part.is_empty() || part.eq_ignore_ascii_case("x")) {
            return None;
        }
        let written = numbers.len();
        while numbers.len() > 1 && numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Self { numbers, written, rest: rest.to_owned(), text: text.to_owned() })
    }

    /// `None` where only what follows the numbers differs.
    fn compare(&self, other: &Self) -> Option<Ordering> {
        let number = |of: &Self, at: usize| of.numbers.get(at).copied().unwrap_or(0);
        let most = self.numbers.len().max(other.numbers.len());
        let first = (0..most).map(|at| number(self, at).cmp(&number(other, at))).find(|o| *o != Ordering::Equal);
        first.or_else(|| (self.rest == other.rest).then_some(Ordering::Equal))
    }

    /// The first version of which the number at `at` is greater: that of `1.2.3` at 1 is `1.3`.
    fn above(&self, at: usize) -> Self {
        let mut numbers: Vec<u64> = (0..=at).map(|at| self.numbers.get(at).copied().unwrap_or(0)).collect();
        if let Some(last) = numbers.last_mut() {
            *last = last.saturating_add(1);
        }
        let text = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
        Self { numbers, written: at + 1, rest: String::new(), text }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The versions between two bounds; each bound, and whether it is one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    low: Option<(Version, bool)>,
    high: Option<(Version, bool)>,
}

impl Range {
    /// One version alone.
    pub fn exactly(version: Version) -> Self {
        Self { low: Some((version.clone(), true)), high: Some((version, true)) }
    }

    /// Reads bounds that all hold: `<0.13`, `>=1.2, <2`, `1.4`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut range = Self::default();
        for part in text.split([',']).map(str::trim) {
            let split = part.find(|c: char| !"<>=!~^".contains(c)).unwrap_or(part.len());
            let version = Version::parse(&part[split..])?;
            range.bound(&part[..split], version)?;
        }
        Some(range)
    }

    /// Adds one bound, in the way of the ecosystem that writes `^`, `~` or `~=`.
    pub fn bound(&mut self, operator: &str, version: Version) -> Option<()> {
        let (low, high) = match operator {
            "<" => (None, Some((version, false))),
            "<=" => (None, Some((version, true))),
            ">" => (Some((version, false)), None),
            ">=" => (Some((version, true)), None),
            "" | "=" | "==" | "===" => (Some((version.clone(), true)), Some((version, true))),
            // The first number that is not 0 stays.
            "^" => {
                let first = version.numbers.iter().position(|n| *n > 0);
                let high = version.above(first.unwrap_or(version.written - 1));
                (Some((version, true)), Some((high, false)))
            }
            "~" => {
                let high = version.above(1.min(version.written - 1));
                (Some((version, true)), Some((high, false)))
            }
            _ => return None,
        };
        // Of two bounds of one side nobody says which is meant.
        if (low.is_some() && self.low.is_some()) || (high.is_some() && self.high.is_some()) {
            return None;
        }
        self.low = low.or(self.low.take());
        self.high = high.or(self.high.take());
        Some(())
    }

    /// Adds one bound of an ecosystem in which less than three numbers are many versions: `18` is all
    /// of 18, `>1.2` begins at 1.3, and `<=1.2` ends before it.
    pub fn bound_of_many(&mut self, operator: &str, version: Version) -> Option<()> {
        if version.written > 2 || !version.rest.is_empty() {
            return self.bound(operator, version);
        }
        let next = version.above(version.written - 1);
        match operator {
            "" | "=" => self.bound(">=", version).and_then(|()| self.bound("<", next)),
            ">" => self.bound(">=", next),
            "<=" => self.bound("<", next),
            _ => self.bound(operator, version),
        }
    }

    /// Whether all of it lies within another range; unknown where a part of it does.
    pub fn lies_in(&self, other: &Self) -> Certainty {
        let below = beyond(self.high.as_ref(), other.low.as_ref(), Ordering::Less);
        let above = beyond(self.low.as_ref(), other.high.as_ref(), Ordering::Greater);
        match below.or(|| above) {
            Certainty::Yes => Certainty::No,
            Certainty::Unknown => Certainty::Unknown,
            Certainty::No => {
                let low = within(self.low.as_ref(), other.low.as_ref(), Ordering::Greater);
                match low.and(|| within(self.high.as_ref(), other.high.as_ref(), Ordering::Less)) {
                    // Some of it does.
                    Certainty::No => Certainty::Unknown,
                    told => told,
                }
            }
        }
    }

    /// Whether it begins at this version, or above it.
    pub fn is_from(&self, version: &Version) -> Certainty {
        within(self.low.as_ref(), Some(&(version.clone(), true)), Ordering::Greater)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low.is_some() && self.low == self.high {
            return self.low.iter().try_for_each(|(version, _)| write!(f, "={version}"));
        }
        let bound =
            |sign: &str, (version, has): &(Version, bool)| format!("{sign}{}{version}", if *has { "=" } else { "" });
        let low = self.low.as_ref().map(|low| bound(">", low));
        let both: Vec<String> = low.into_iter().chain(self.high.as_ref().map(|high| bound("<", high))).collect();
        f.write_str(&both.join(", "))
    }
}

type Bound<'a> = Option<&'a (Version, bool)>;

/// Whether the bound of a range shuts out everything from a bound of another on.
fn beyond(own: Bound<'_>, other: Bound<'_>, side: Ordering) -> Certainty {
    let (Some((own, has)), Some((other, other_has))) = (own, other) else { return Certainty::No };
    match own.compare(other) {
        Some(Ordering::Equal) if !has || !other_has => Certainty::Yes,
        Some(found) if found == side => Certainty::Yes,
        Some(_) => Certainty::No,
        None => Certainty::Unknown,
    }
}

/// Whether a bound is as narrow as another one.
fn within(own: Bound<'_>, other: Bound<'_>, side: Ordering) -> Certainty {
    let Some((other, other_has)) = other else { return Certainty::Yes };
    let Some((own, has)) = own else { return Certainty::No };
    match own.compare(other) {
        Some(Ordering::Equal) if *other_has || !has => Certainty::Yes,
        Some(found) if found == side => Certainty::Yes,
        Some(_) => Certainty::No,
        None => Certainty::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_range_is_told_or_unknown() {
        let rows = [
            ("0.12.8", "<0.13", Certainty::Yes),
            ("0.13", "<0.13.0", Certainty::No),
            ("0.13.0-beta1", "<0.13", Certainty::Unknown),
            ("31.1-jre", "<32", Certainty::Yes),
            ("2.12.7.1", ">=2.12.7, <2.13", Certainty::Yes),
            ("0.9.0", "<0.13", Certainty::Yes),
            ("1.10", ">=1.9", Certainty::Yes),
            (">=1.2, <2", "<2", Certainty::Yes),
            (">=1.2", "<2", Certainty::Unknown),
            (">=2", "<2", Certainty::No),
            (">2", "<=2", Certainty::No),
            (">=2", "<=2", Certainty::Unknown),
            ("^0.12.3", "<0.13", Certainty::Yes),
            ("^1.2", "<1.5", Certainty::Unknown),
            ("^1.2", "<2", Certainty::Yes),
            ("~1.2.3", "<1.3", Certainty::Yes),
            ("1", "=1.0.0", Certainty::Yes),
            ("^0.0", "<0.1", Certainty::Yes),
            ("~1", "<1.5", Certainty::Unknown),
            ("1.0.0-rc1", "1.0.0-rc1", Certainty::Yes),
        ];
        for (own, other, wanted) in rows {
            let read = |text| Range::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read(own).lies_in(&read(other)), wanted, "{own} in {other}");
        }
        for none in
            ["", "latest", "<", "1.x", "${scio}", "1.2 || 2", "1.+", "1.2.+", "1.2+", "1..2", ">=1, >=2", "<1, 2"]
        {
            assert_eq!(Range::parse(none), None, "{none}");
        }
    }
}
