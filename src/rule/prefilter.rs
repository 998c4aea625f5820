//! Which rules can match a file at all, told from its raw bytes: every rule
//! requires a conjunction of alternatives of texts, and one automaton over all
//! of them reads each file once, before it is parsed.
//!
//! Sound, never clever: a rule that nothing is known of is always possible.

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem::Finder;

/// Alternatives: at least one of the texts must be in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clause {
    /// The texts, sorted.
    pub texts: Vec<String>,
    /// Whether ASCII case does not matter.
    pub fold: bool,
}

impl Clause {
    /// One text.
    pub fn one(text: String, fold: bool) -> Self {
        Self { texts: vec![text], fold }
    }

    /// Several alternatives.
    pub fn of(texts: impl IntoIterator<Item = String>, fold: bool) -> Self {
        let mut texts: Vec<String> = texts.into_iter().collect();
        texts.sort();
        texts.dedup();
        Self { texts, fold }
    }

    /// What holds where one of several branches does: for each branch its most
    /// telling clause, joined. A branch without any makes the whole tell nothing.
    pub fn either(branches: impl Iterator<Item = Vec<Clause>>) -> Vec<Clause> {
        let mut texts = Vec::new();
        let mut fold = false;
        for clauses in branches {
            let Some(best) = clauses.into_iter().max_by_key(Clause::worth) else { return Vec::new() };
            fold |= best.fold;
            texts.extend(best.texts);
        }
        vec![Clause::of(texts, fold)]
    }

    /// The length of its shortest text: longer texts are rarer.
    fn worth(&self) -> usize {
        self.texts.iter().filter(|t| !is_escape(t)).map(String::len).min().unwrap_or(0)
    }
}

/// Whether a text only shows that something may be written another way, and names nothing.
pub(super) fn is_escape(text: &str) -> bool {
    text.starts_with('\\') && text.chars().count() == 2 || matches!(text, "{{" | "}}" | "$$")
}

/// The automata of a set of rules.
pub struct Prefilter {
    exact: Option<AhoCorasick>,
    folded: Option<AhoCorasick>,
    /// For each text of `exact`, then of `folded`: its number.
    exact_count: usize,
    texts: usize,
    /// For each text, whether it is an escape.
    escapes: Vec<bool>,
    /// For each rule: its clauses, each a list of text numbers.
    rules: Vec<Vec<Vec<usize>>>,
}

/// A first look at a file that most files fail: of each rule it asks for the most
/// telling clause only, and stops at the first text. Whole words are found many
/// bytes at a time, where the automata of [`Prefilter`] go byte by byte.
#[derive(Default)]
pub struct Gate {
    /// Each text by itself, where there are few: an automaton of two looks for one byte that it takes for rare, and
    /// code is full of it.
    finders: Vec<Finder<'static>>,
    /// Empty where some rule has no clause: then every file passes.
    automata: Vec<AhoCorasick>,
    open: bool,
}

impl Gate {
    /// The most texts that are looked for one by one.
    const FEW: usize = 4;

    /// A gate for rules given by their clauses. Without any rule, nothing passes.
    pub fn new<'c>(rules: impl Iterator<Item = &'c [Clause]>) -> Self {
        let (mut exact, mut folded): (Vec<&str>, Vec<&str>) = Default::default();
        let open = Self { open: true, ..Self::default() };
        for clauses in rules {
            let Some(best) = clauses.iter().max_by_key(|c| c.worth()) else { return open };
            if best.fold { &mut folded } else { &mut exact }.extend(best.texts.iter().map(String::as_str));
        }
        let (mut automata, mut finders) = (Vec::new(), Vec::new());
        for (mut texts, fold) in [(exact, false), (folded, true)] {
            texts.sort_unstable();
            texts.dedup();
            if !fold && texts.len() <= Self::FEW {
                finders = texts.iter().map(|text| Finder::new(text).into_owned()).collect();
                continue;
            }
            let kind = MatchKind::LeftmostFirst;
            match AhoCorasick::builder().match_kind(kind).ascii_case_insensitive(fold).build(&texts) {
                Ok(_) if texts.is_empty() => {}
                Ok(automaton) => automata.push(automaton),
                Err(_) => return open,
            }
        }
        Self { finders, automata, open: false }
    }

    /// Whether any rule can match; `false` is certain.
    pub fn passes(&self, bytes: &[u8]) -> bool {
        self.open
            || self.finders.iter().any(|text| text.find(bytes).is_some())
            || self.automata.iter().any(|a| a.is_match(bytes))
    }
}

/// What a scan found.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// For each rule, whether it can match.
    pub possible: Vec<bool>,
    /// Where texts of possible rules stand, in bytes, sorted.
    pub places: Vec<usize>,
    /// Whether the file may use a dataset.
    pub datasets: bool,
}

impl Hits {
    /// Whether any rule can match, or a dataset be used.
    pub fn any(&self) -> bool {
        self.datasets || self.possible.iter().any(|p| *p)
    }
}

impl Prefilter {
    /// Builds the automata for rules given by their clauses.
    pub fn new(rules: &[Vec<Clause>]) -> Self {
        let collect = |fold: bool| {
            let mut texts: Vec<&str> = rules
                .iter()
                .flatten()
                .filter(|c| c.fold == fold)
                .flat_map(|c| c.texts.iter().map(String::as_str))
                .collect();
            texts.sort_unstable();
            texts.dedup();
            texts
        };
        let (exact, folded) = (collect(false), collect(true));
        let number = |text: &str, fold: bool| {
            let (list, base) = if fold { (&folded, exact.len()) } else { (&exact, 0) };
            list.binary_search(&text).map(|i| i + base).unwrap_or(usize::MAX)
        };
        let automaton = |texts: &[&str], fold: bool| {
            if texts.is_empty() {
                return None;
            }
            // Building fails only beyond 2³¹ states; then every rule stays possible.
            AhoCorasick::builder().match_kind(MatchKind::Standard).ascii_case_insensitive(fold).build(texts).ok()
        };
        let built = (automaton(&exact, false), automaton(&folded, true));
        let unusable = |fold: bool| if fold { built.1.is_none() } else { built.0.is_none() };
        let rules = rules
            .iter()
            .map(|clauses| {
                let usable = clauses.iter().filter(|c| !unusable(c.fold));
                usable.map(|c| c.texts.iter().map(|t| number(t, c.fold)).collect()).collect()
            })
            .collect();
        let escapes: Vec<bool> = exact.iter().chain(&folded).map(|text| is_escape(text)).collect();
        Self { exact_count: exact.len(), texts: escapes.len(), escapes, exact: built.0, folded: built.1, rules }
    }

    /// Reads `bytes` once.
    pub fn scan(&self, bytes: &[u8]) -> Hits {
        self.scan_for(bytes, |_| true)
    }

    /// Reads `bytes` once, for the rules of these numbers: no other is possible.
    pub fn scan_for(&self, bytes: &[u8], asked: impl Fn(usize) -> bool) -> Hits {
        let mut seen = vec![false; self.texts];
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (automaton, base) in [(&self.exact, 0), (&self.folded, self.exact_count)] {
            let Some(automaton) = automaton else { continue };
            for found in automaton.find_overlapping_iter(bytes) {
                let text = base + found.pattern().as_usize();
                seen[text] = true;
                places.push((found.start(), text));
            }
        }
        let possible: Vec<bool> = self
            .rules
            .iter()
            .enumerate()
            .map(|(rule, clauses)| asked(rule) && clauses.iter().all(|c| c.iter().any(|t| seen.get(*t) == Some(&true))))
            .collect();
        let mut relevant = vec![false; self.texts];
        for (clauses, _) in self.rules.iter().zip(&possible).filter(|(_, p)| **p) {
            // An escape names nothing.
            clauses.iter().flatten().filter(|t| !self.escapes[**t]).for_each(|t| relevant[*t] = true);
        }
        let mut places: Vec<usize> = places.into_iter().filter(|(_, t)| relevant[*t]).map(|(at, _)| at).collect();
        places.sort_unstable();
        places.dedup();
        Hits { possible, places, datasets: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_needs_every_clause_and_one_text_of_each() {
        let filter = Prefilter::new(&[
            vec![Clause::one("read".into(), false), Clause::of(["users".into(), "people".into()], false)],
            vec![Clause::one("select".into(), true)],
            vec![],
        ]);
        let possible = |text: &str| filter.scan(text.as_bytes()).possible;
        assert_eq!(possible("read(people)"), [true, false, true]);
        assert_eq!(possible("read(x)"), [false, false, true]);
        assert_eq!(possible("SELECT users"), [false, true, true]);
        assert_eq!(possible("select"), [false, true, true]);
    }

    #[test]
    fn texts_inside_texts_are_seen() {
        let filter =
            Prefilter::new(&[vec![Clause::one("users".into(), false)], vec![Clause::one("users_v1".into(), false)]]);
        assert_eq!(filter.scan(b"users_v1").possible, [true, true]);
    }

    #[test]
    fn the_gate_stops_only_what_no_rule_can_match() {
        let rules = [
            vec![Clause::one("in".into(), false), Clause::of(["users".into(), "people".into()], false)],
            vec![Clause::one("select".into(), true)],
        ];
        let gate = Gate::new(rules.iter().map(Vec::as_slice));
        assert!(gate.passes(b"people") && gate.passes(b"SELECT 1"));
        assert!(!gate.passes(b"in sElec"));
        assert!(Gate::new([[].as_slice()].into_iter()).passes(b""), "a rule that asks for nothing matches anything");
    }

    #[test]
    fn a_branch_that_tells_nothing_makes_all_possible() {
        assert!(Clause::either([vec![Clause::one("a".into(), false)], vec![]].into_iter()).is_empty());
    }
}
