//! Simple patterns over the files of this repository, found by gander and by `ast-grep-core`:
//! every difference has a reason that can be computed, and none is a list of places.
//!
//! The files are those of today. Where this is red after an edit of one of them, and no matcher was
//! touched, the code shows a difference that has no reason here yet: tell why it is right, as a
//! [`Reason`], or mend the matcher.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ast_grep_core::matcher::PatternBuilder;
use ast_grep_core::tree_sitter::{LanguageExt, StrDoc, TSLanguage};
use ast_grep_core::{Language, Matcher, Pattern, PatternError};
use gander::{language, pattern, tree};

/// A language as the other tool wants it.
#[derive(Clone)]
struct Theirs {
    grammar: TSLanguage,
    /// What stands for `$` where that begins no name.
    dollar: char,
}

impl Language for Theirs {
    fn pre_process_pattern<'q>(&self, query: &'q str) -> Cow<'q, str> {
        Cow::Owned(query.replace('$', &self.dollar.to_string()))
    }

    fn expando_char(&self) -> char {
        self.dollar
    }

    fn kind_to_id(&self, kind: &str) -> u16 {
        self.grammar.id_for_node_kind(kind, true)
    }

    fn field_to_id(&self, field: &str) -> Option<u16> {
        self.grammar.field_id_for_name(field).map(|field| field.get())
    }

    fn build_pattern(&self, builder: &PatternBuilder<'_>) -> Result<Pattern, PatternError> {
        builder.build(|source| StrDoc::try_new(source, self.clone()))
    }
}

impl LanguageExt for Theirs {
    fn get_ts_language(&self) -> TSLanguage {
        self.grammar.clone()
    }
}

/// A language: its name, its grammar, what stands for `$` in it, folders of this repository, the ending of
/// their files, and patterns.
type Row = (&'static str, TSLanguage, char, &'static [&'static str], &'static str, &'static [&'static str]);

/// Why a place that one of the two finds is none for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// Beside the holes the code says more than the pattern: theirs passes over tokens, ours over
    /// comments only.
    MoreThanThePattern,
    /// The same node from its first byte, of which ours takes the `;` that ends it.
    Ends,
    /// Of `a = b = c`, theirs takes `b = c` for a value, and each part for a statement.
    Chained,
    /// A hole of theirs stands for a list of several, where the pattern shows one.
    ListForOne,
    /// Without code around it, their pattern reads as something else, such as a conversion of Go.
    OtherKind,
    /// A comment stands where the pattern shows none: theirs counts it as an element.
    Comment,
    /// In what a macro is given, theirs has tokens only.
    InMacro,
}

/// A match: its bytes, its kind, and the bytes of what its holes stand for.
struct Place {
    range: Range<usize>,
    kind: u16,
    holes: Vec<Range<usize>>,
    /// Whether a comment stands in it.
    comment: bool,
    /// Whether it stands in what a macro is given.
    in_macro: bool,
}

fn ours(language: &str, pattern: &str, code: &str) -> Vec<Place> {
    let language = language::by_name(language).unwrap();
    // Theirs reads as an expression what may be a type, too.
    let sought = match pattern::compile(language, pattern, None) {
        Ok(sought) => sought,
        Err(_) => pattern::compile(language, pattern, Some("expr")).unwrap_or_else(|e| panic!("{pattern}: {e}")),
    };
    let tree = tree::parse(language, code).unwrap();
    let comments: Vec<usize> =
        tree.iter().filter(|node| node.kind().contains("comment")).map(|node| node.range().start).collect();
    let mut found = Vec::new();
    for node in tree.iter() {
        let Some(bindings) = sought.matches(node) else { continue };
        let holes = bindings.iter().flat_map(|(_, binding)| match binding {
            pattern::Binding::One(node) => vec![node.range()],
            pattern::Binding::Many(nodes) => nodes.iter().map(|node| node.range()).collect(),
        });
        let range = node.range();
        let comment = comments.iter().any(|at| range.contains(at));
        let in_macro = node.ancestors().any(tree::Node::is_list_of_macro);
        found.push(Place { range, kind: node.kind_id(), holes: holes.collect(), comment, in_macro });
    }
    found
}

/// Their matches, and whether their pattern could be a node of a kind.
fn theirs(language: &Theirs, pattern: &str, code: &str) -> (Vec<Place>, impl Fn(u16) -> bool) {
    let sought = Pattern::try_new(pattern, language.clone()).unwrap_or_else(|e| panic!("{pattern}: {e}"));
    let kinds = sought.potential_kinds();
    let root = language.ast_grep(code);
    let node = root.root();
    let names = pattern.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).filter(|name| name.len() == 1);
    let names: BTreeSet<&str> = names.collect();
    let found = node.find_all(sought).map(|found| {
        let env = found.get_env();
        let one = names.iter().filter_map(|name| env.get_match(name)).map(|node| node.range());
        let many = names.iter().flat_map(|name| env.get_multiple_matches(name)).map(|node| node.range());
        Place {
            range: found.range(),
            kind: found.kind_id(),
            holes: one.chain(many).collect(),
            comment: false,
            in_macro: false,
        }
    });
    (found.collect(), move |kind: u16| kinds.as_ref().is_none_or(|kinds| kinds.contains(usize::from(kind))))
}

/// Whether a text is several, parted by commas.
fn is_list(text: &str) -> bool {
    let mut depth = 0_i32;
    text.chars().any(|c| {
        depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
        depth == 0 && c == ','
    })
}

/// The code of a match without its holes, without what separates and ends, and without space.
fn said(code: &str, place: &Place) -> String {
    let outside = place.range.clone().filter(|at| !place.holes.iter().any(|hole| hole.contains(at)));
    let bytes: Vec<u8> = outside.map(|at| code.as_bytes()[at]).collect();
    bare(&String::from_utf8_lossy(&bytes))
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && ![',', ';'].contains(c)).collect()
}

/// What a pattern says besides its holes.
fn shown(pattern: &str) -> String {
    let mut parts = pattern.split('$').filter(|part| !part.is_empty());
    let head = if pattern.starts_with('$') { "" } else { parts.next().unwrap_or("") };
    let rest = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '_'));
    bare(&format!("{head}{}", rest.collect::<String>()))
}

/// Why a place that only they find is none for us, if there is a reason.
fn why_not_ours(code: &str, pattern: &str, place: &Place, own: &[Place], all: &[Place]) -> Option<Reason> {
    if ends(code, place, own) {
        return Some(Reason::Ends);
    }
    if said(code, place) != shown(pattern) {
        return Some(Reason::MoreThanThePattern);
    }
    let is_value = |one: &Place, of: &Place| of.holes.contains(&one.range);
    if all.iter().any(|other| is_value(other, place) || is_value(place, other)) {
        return Some(Reason::Chained);
    }
    place.holes.iter().any(|hole| is_list(&code[hole.clone()])).then_some(Reason::ListForOne)
}

/// Why a place that only we find is none for them, if there is a reason.
fn why_not_theirs(code: &str, place: &Place, their: &[Place], could_be: &dyn Fn(u16) -> bool) -> Option<Reason> {
    if ends(code, place, their) {
        return Some(Reason::Ends);
    }
    if !could_be(place.kind) {
        return Some(Reason::OtherKind);
    }
    if place.in_macro {
        return Some(Reason::InMacro);
    }
    place.comment.then_some(Reason::Comment)
}

/// Whether the other tool finds the same but for the `;` that ends it.
fn ends(code: &str, place: &Place, others: &[Place]) -> bool {
    let length = |range: &Range<usize>| code[range.clone()].trim_end_matches(';').trim_end().len();
    let begins = |other: &&Place| other.range.start == place.range.start;
    others.iter().filter(begins).any(|other| length(&other.range) == length(&place.range))
}

/// Files of this repository below a folder, with one of these endings.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let walk = ignore::WalkBuilder::new(root).require_git(false).build();
    let files = walk.filter_map(Result::ok).map(|entry| entry.into_path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == ending)).collect();
    files.sort();
    files
}

fn rows() -> [Row; 5] {
    [
        (
            "rust",
            tree_sitter_rust::LANGUAGE.into(),
            'µ',
            &["src/rule", "src/edit", "src/pattern"],
            "rs",
            &[
                "$A.map($B)",
                "Some($A)",
                "$A.iter().filter($B)",
                "let $A = $B;",
                "vec![]",
                "$A == $B",
                "return $A;",
                "$A.push($B)",
                "$A.unwrap_or($$$B)",
            ],
        ),
        (
            "python",
            tree_sitter_python::LANGUAGE.into(),
            'µ',
            &["rules/python", "fixtures", "src/verify"],
            "py",
            &[
                "$A.get($B)",
                "$A.filter($$$B)",
                "$A[$B]",
                "$A = $B",
                "import $A",
                "return $A",
                "print($A)",
                "$A($B, $C)",
            ],
        ),
        (
            "java",
            tree_sitter_java::LANGUAGE.into(),
            '$',
            &["rules/java", "fixtures"],
            "java",
            &["$A.$B()", "new $A($$$B)", "$A + $B", "$A == $B", "$A.put($B, $C)"],
        ),
        (
            "javascript",
            tree_sitter_javascript::LANGUAGE.into(),
            '$',
            &["rules/javascript"],
            "js",
            &["require($A)", "$A.$B($C)", "const $A = $B", "new $A($$$B)", "$A === $B"],
        ),
        (
            "go",
            tree_sitter_go::LANGUAGE.into(),
            'µ',
            &["rules/go", "fixtures"],
            "go",
            &["$A.$B($C)", "return $A", "$A := $B", "$A != nil"],
        ),
    ]
}

#[test]
fn what_another_tool_finds_is_found_or_told_apart() {
    let (mut both, mut reasons, mut unexplained) = (0, std::collections::BTreeMap::<Reason, usize>::new(), Vec::new());
    for (name, grammar, dollar, folders, ending, patterns) in rows() {
        let other = Theirs { grammar, dollar };
        for file in folders.iter().flat_map(|folder| files(folder, ending)) {
            let Ok(code) = std::fs::read_to_string(&file) else { continue };
            for pattern in patterns {
                let (own, (their, could_be)) = (ours(name, pattern, &code), theirs(&other, pattern, &code));
                let alone = |place: &&Place, all: &[Place]| !all.iter().any(|one| one.range == place.range);
                both += own.len() - own.iter().filter(|place| alone(place, &their)).count();
                let only_own = own.iter().filter(|place| alone(place, &their));
                let only_own = only_own.map(|place| (place, "we", why_not_theirs(&code, place, &their, &could_be)));
                let only_their = their.iter().filter(|place| alone(place, &own));
                let only_their =
                    only_their.map(|place| (place, "they", why_not_ours(&code, pattern, place, &own, &their)));
                for (place, who, reason) in only_own.chain(only_their) {
                    match reason {
                        Some(reason) => *reasons.entry(reason).or_default() += 1,
                        None => unexplained.push(format!(
                            "{}: `{pattern}`: only {who} find {:?}",
                            file.display(),
                            &code[place.range.clone()]
                        )),
                    }
                }
            }
        }
    }
    assert!(
        unexplained.is_empty(),
        "{} of which {both} are found by both:\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
    assert!(both > 1000 && !reasons.is_empty(), "{both} {reasons:?}");
}
