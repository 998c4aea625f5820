//! sbt and Gradle. Both are programs: what is read is what they say outright, and names that
//! the same file gives a text once, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range as Bytes;
use std::sync::LazyLock;

use regex::{Captures, Match, Regex};

use super::{Contents, Declared, Range, Version};

fn regex(text: &str) -> Regex {
    // Each is a constant of this file, and tested.
    Regex::new(text).unwrap_or_else(|error| unreachable!("{error}"))
}

// Group, artifact, and where there is a third part `p`, a version `v` or the name `n` of one.
static SBT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#""(?<g>[\w.-]+)"\s*%{1,3}\s*"(?<a>[\w.-]+)"(?<p>\s*%\s*(?:"(?<v>[^"\n]*)"|(?<n>[A-Za-z_]\w*(?:\.\w+)*))?)?"#,
    )
});
static COORDINATES: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"["'](?<g>[\w.-]+):(?<a>[\w.-]+)(?<p>:(?:(?:\$\{?(?<n>[A-Za-z_][\w.]*)\}?|(?<v>[^"':$@\n]+))(?::[\w.-]+)?(?:@\w+)?|[^"'\n]*))?["']"#,
    )
});
// Arguments with names, in any order.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    let one = r#"\b(?:group|name|version)\s*[:=]\s*(?:["'][^"'\n]*["']|[A-Za-z_][\w.]*)"#;
    regex(&format!(r"(?:{one}\s*,\s*)+{one}"))
});
static ARGUMENT: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"\b(?<k>group|name|version)\s*[:=]\s*(?:["'](?<v>[^"'\n]*)["']|(?<n>[A-Za-z_][\w.]*))"#));
// A name `n`, or one in quotes `q`, and the text that it is given.
static SET: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"\b(?<n>[A-Za-z_]\w*)\s*(?::\s*String\s*)?(?:\+?(?<e>=)|\bby\s+extra\()\s*(?:["'](?<v>[^"'\n]*)["'])?|["'](?<q>[A-Za-z_]\w*)["']\s*[,:=]\s*["'](?<w>[^"'\n]*)["']"#,
    )
});
static OBJECT: LazyLock<Regex> = LazyLock::new(|| regex(r"\bobject\s+(?<o>\w+)"));

/// `"g" %% "a" % "v"` in build.sbt and in project/*.scala.
pub(super) fn sbt(text: &str) -> Result<Contents, String> {
    let code = without_comments(text);
    let given = Given::of(&code);
    Ok(given.declared(SBT.captures_iter(&code).map(|found| given.coordinates(&found)).collect()))
}

/// `"g:a:v"`, and `group: 'g', name: 'a', version: 'v'`.
pub(super) fn gradle(text: &str) -> Result<Contents, String> {
    let code = without_comments(text);
    let given = Given::of(&code);
    let mut found: Vec<Found> = COORDINATES.captures_iter(&code).map(|found| given.coordinates(&found)).collect();
    found.extend(NAMED.find_iter(&code).filter_map(|found| given.arguments(found)));
    Ok(given.declared(found))
}

/// A dependency, and the name of its version, where it has one.
type Found = (Declared, Option<String>);

/// A text, and where it stands.
type Placed<'c> = (&'c str, Bytes<usize>);

/// What a file gives names.
struct Given<'c> {
    code: &'c str,
    /// By name, what it is given each time: a plain text, or more.
    plain: BTreeMap<&'c str, Vec<Option<Placed<'c>>>>,
    /// The same of names in quotes, where they are given a text.
    quoted: BTreeMap<&'c str, Vec<Option<Placed<'c>>>>,
    /// Whose names they can be: `libs.version` is not the `version` of the project itself.
    owners: BTreeSet<&'c str>,
    /// How often names stand in the file, those in texts only where they are filled in.
    words: BTreeMap<&'c str, usize>,
    /// How often texts do that could be names.
    texts: BTreeMap<&'c str, usize>,
}

impl<'c> Given<'c> {
    fn of(code: &'c str) -> Self {
        let (mut plain, mut quoted) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        for found in SET.captures_iter(code) {
            let text = |group: &str| found.name(group).map(|text| (text.as_str(), text.range()));
            let compared = |sign: Match<'_>| code[sign.end()..].starts_with(['=', '>', '~']);
            if found.name("e").is_some_and(compared) {
                continue;
            }
            let end = found.get(0).map_or(0, |all| all.end());
            let alone = |text: &Placed<'_>| code[text.1.end..end].len() == 1 && ends(&code[end..]);
            if let Some(name) = found.name("n") {
                plain.entry(name.as_str()).or_default().push(text("v").filter(alone));
            } else if let Some(name) = found.name("q") {
                quoted.entry(name.as_str()).or_default().push(text("w").filter(alone));
            }
        }
        let objects = OBJECT.captures_iter(code).filter_map(|found| Some(found.name("o")?.as_str()));
        let owners = objects.chain(["ext", "extra", "project", "rootProject", "this"]).collect();
        let (words, texts) = words(code, &owners);
        Self { code, plain, quoted, owners, words, texts }
    }

    fn coordinates(&self, found: &Captures<'_>) -> Found {
        let part = |name: &str| found.name(name).map_or("", |m| m.as_str());
        let end = found.get(0).map_or(0, |all| all.end());
        let name = format!("{}:{}", part("g"), part("a"));
        match (found.name("v"), found.name("n"), found.name("p")) {
            (None, None, None) => (Declared::unknown(&name, "a platform or a plugin decides it"), None),
            (Some(version), ..) if !goes_on(&self.code[end..]) => {
                (written(&name, version.as_str(), version.range()), None)
            }
            (_, Some(named), _) if !goes_on(&self.code[end..]) => self.followed(&name, named.as_str()),
            _ => (Declared::unknown(&name, "it is more than a plain text"), None),
        }
    }

    fn arguments(&self, found: Match<'_>) -> Option<Found> {
        let all: Vec<Captures<'_>> = ARGUMENT.captures_iter(found.as_str()).collect();
        let of = |key: &str| all.iter().find(|one| one.name("k").is_some_and(|k| k.as_str() == key));
        let text = |key: &str| Some(of(key)?.name("v")?.as_str());
        let name = format!("{}:{}", text("group")?, text("name")?);
        let Some(version) = of("version") else {
            return Some((Declared::unknown(&name, "a platform or a plugin decides it"), None));
        };
        Some(match (version.name("v"), version.name("n")) {
            (Some(text), _) => {
                let at = found.start() + text.start();
                (written(&name, text.as_str(), at..at + text.len()), None)
            }
            (None, Some(named)) => self.followed(&name, named.as_str()),
            (None, None) => return None,
        })
    }

    /// A version that has a name: the one text that the file gives it.
    fn followed(&self, dependency: &str, name: &str) -> Found {
        let unknown =
            |why: &str| (Declared::unknown(dependency, &format!("`{name}` is given {why} in this file")), None);
        let (owner, last) =
            name.rsplit_once('.').map_or((None, name), |(owner, last)| (owner.rsplit('.').next(), last));
        let known = owner.is_none_or(|owner| self.owners.contains(owner));
        let of = |given: &'_ BTreeMap<&'c str, Vec<Option<Placed<'c>>>>| given.get(last).cloned().unwrap_or_default();
        let (plain, quoted) = (of(&self.plain), of(&self.quoted));
        match (plain.as_slice(), quoted.as_slice()) {
            _ if !known => unknown("no plain text"),
            ([], []) => unknown("no plain text"),
            ([Some((text, at))], []) | ([], [Some((text, at))]) => {
                (written(dependency, text, at.clone()), Some(last.to_owned()))
            }
            ([None], _) | ([], [None]) => unknown("more than a plain text"),
            _ => unknown("more than one value"),
        }
    }

    /// What was found; a number that the file needs for something else as well is not to be changed.
    fn declared(&self, found: Vec<Found>) -> Contents {
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        for name in found.iter().filter_map(|(_, name)| name.as_ref()) {
            *uses.entry(name.clone()).or_default() += 1;
        }
        let count = |all: &BTreeMap<&str, usize>, name: &str| all.get(name).copied().unwrap_or(0);
        let only = |name: &String| {
            let texts = if self.plain.contains_key(name.as_str()) { 0 } else { count(&self.texts, name) };
            count(&self.words, name) + texts <= 1 + uses.get(name).copied().unwrap_or(0)
        };
        let one = |(declared, name): &Found| match name {
            Some(name) if declared.site.is_ok() && !only(name) => {
                let why = format!("`{name}` is used for more than versions of dependencies");
                Declared { site: Err(why), ..declared.clone() }
            }
            _ => declared.clone(),
        };
        let mut all: Vec<Declared> = found.iter().map(one).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.into()
    }
}

/// A version that is written where it is needed.
fn written(name: &str, text: &str, at: Bytes<usize>) -> Declared {
    match Version::parse(text) {
        Some(version) => Declared::new(name, Ok(Range::exactly(version)), Ok(at)),
        None => Declared::unknown(name, &format!("`{text}` is no single version")),
    }
}

/// Whether an expression goes on behind its first part.
fn goes_on(rest: &str) -> bool {
    let line = rest.trim_start_matches([' ', '\t']);
    // The next line goes on with it, too, where it begins so.
    line.starts_with(['.', '+', '(', '"', '['])
        || line.starts_with(['\n', '\r']) && line.trim_start().starts_with(['.', '+'])
}

/// Whether what a name is given ends here.
fn ends(rest: &str) -> bool {
    let line = rest.trim_start_matches([' ', '\t']);
    let ended = line.is_empty() || line.starts_with(['\n', '\r', ',', ';', ')', '}', ']']);
    ended && !goes_on(rest)
}

/// How often each name stands in some code, but for those of other owners, and each text that could be
/// a name.
fn words<'c>(code: &'c str, owners: &BTreeSet<&'c str>) -> (BTreeMap<&'c str, usize>, BTreeMap<&'c str, usize>) {
    let (mut words, mut texts) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut count = |code: &'c str| {
        for part in code.split(|c| !is_word(c) && c != '.') {
            let mut owner = None;
            for word in part.split('.').filter(|word| !word.is_empty()) {
                if owner.replace(word).is_none_or(|owner| owners.contains(owner)) {
                    *words.entry(word).or_default() += 1;
                }
            }
        }
    };
    let mut rest = code;
    while let Some(open) = rest.find(['"', '\'']) {
        count(&rest[..open]);
        let (quote, inner) = rest[open..].split_at(1);
        let length = inner.find(|c| quote.starts_with(c) || c == '\n').unwrap_or(inner.len());
        let text = &inner[..length];
        if !text.is_empty() && text.chars().all(is_word) {
            *texts.entry(text).or_default() += 1;
        }
        for (at, _) in text.match_indices('$') {
            let filled = &text[at + 1..];
            let braced = filled.strip_prefix('{').map(|braced| braced.find('}').map_or(filled.len(), |end| end + 1));
            let plain = || filled.find(|c| !is_word(c) && c != '.').unwrap_or(filled.len());
            count(&filled[..braced.unwrap_or_else(plain)]);
        }
        rest = inner.get(length + 1..).unwrap_or("");
    }
    count(rest);
    (words, texts)
}

/// The same text with spaces for its comments. What begins a comment in a text does not.
fn without_comments(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = text.to_owned().into_bytes();
    let (mut at, mut quote) = (0, None);
    while at < bytes.len() {
        let here = bytes[at];
        match quote {
            Some(open) => {
                if here == b'\\' {
                    at += 1;
                } else if here == open || here == b'\n' {
                    quote = None;
                }
                at += 1;
            }
            None if here == b'"' || here == b'\'' => {
                quote = Some(here);
                at += 1;
            }
            None if bytes[at..].starts_with(b"//") || bytes[at..].starts_with(b"/*") => {
                let ending: &[u8] = if bytes[at + 1] == b'/' { b"\n" } else { b"*/" };
                let length = memchr::memmem::find(&bytes[at + 2..], ending).map_or(bytes.len() - at - 2, |n| {
                    // The line stays one.
                    n + if ending.len() == 2 { 2 } else { 0 }
                });
                let end = at + 2 + length;
                out[at..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
                at = end;
            }
            None => at += 1,
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}
