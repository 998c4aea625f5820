//! Languages: what `grammars/<language>/language.toml` says of each, tied to the
//! grammar that is compiled in.
//!
//! Adding one is a folder under `grammars/`, a line in Cargo.toml and a line in
//! `table.rs`. Must not: know a rule, a stage, or any language by name.

mod brackets;
mod chains;
mod facts;
mod files;
mod kinds;
mod line_ends;
mod macro_calls;
mod named;
mod once;
mod operators;
mod result;
mod strings;
mod table;

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

pub mod literal;

pub use brackets::unpaired;
pub use chains::Chains;
pub use facts::{
    ArgumentFacts, Belonging, ChainFacts, Context, Ecosystem, ElementFacts, Facts, Hollow, Likeness, LineEndFacts,
    Marked, OperatorFacts, Place, Starter,
};
pub use files::FileLanguages;
pub use line_ends::LineEnds;
pub use macro_calls::{Extent, MacroCalls};
pub use named::{ImportFacts, SymbolFacts, TypeFacts};
pub use once::{AnchorFacts, EndFacts, Once, Reader, TagFacts};
pub use operators::{Binding, Operation, Operators, Side};
pub use result::ResultFacts;
pub use strings::StringFacts;

/// One language: its description and its grammar.
pub struct Language {
    /// What `language.toml` says.
    pub facts: Facts,
    /// The compiled grammar.
    pub grammar: tree_sitter::Language,
    kinds: kinds::Kinds,
    /// The grammar crate and its version: it enters the digest of a plan.
    pub version: &'static str,
    /// `statements.scm`: the kinds of what holds statements, each with the kind of these, or 0 for any that is named.
    statements: Vec<(u16, u16)>,
    /// The rows of `needs_parentheses` and then `refused` by the kinds that they speak of.
    standing: HashMap<u16, Vec<usize>>,
    /// Node kinds that a row of `misread` speaks of, by id.
    misread: Vec<bool>,
    /// `tests.scm`: what is a test, what skips one, and what is an assertion. Not
    /// compiled: hardly any run needs it.
    pub tests: &'static str,
    /// Node kinds that are lists, as ids, sorted.
    lists: Vec<u16>,
    /// Node kinds that are string literals, as ids, sorted.
    strings: Vec<u16>,
    /// Other node kinds whose lines are data, as ids, sorted.
    verbatim: Vec<u16>,
    /// Node kinds of assignments that hold each other, as ids, sorted.
    chained: Vec<u16>,
    /// Groups of kinds that the same code has in different places.
    alike: Vec<Vec<u16>>,
    /// Kinds of parts that the grammar leaves behind what they are parts of, and the kind of that.
    pub adopted: Vec<(u16, u16)>,
    /// Node kinds of blocks that must hold something, as ids, sorted.
    never_empty: Vec<u16>,
    /// Node kinds that a row of `hollow` speaks of, as ids, sorted: of the node itself, and of what is around it.
    hollow: [Vec<u16>; 2],
    /// How operators bind, where the grammar has it otherwise.
    pub operators: Operators,
    /// Where members of members lie side by side in it.
    pub chains: Option<Chains>,
    /// Where statements end with their line, and its grammar goes on.
    pub line_ends: Option<LineEnds>,
    /// Where what a macro is given is read as a list of expressions.
    pub macro_calls: Option<MacroCalls>,
}

impl Language {
    /// The id of a node kind, named or not, if the grammar has it.
    pub fn kind_id(&self, kind: &str, named: bool) -> Option<u16> {
        self.kinds.id(kind, named)
    }

    /// The name of a node kind; of an id that the grammar has not, `ERROR`.
    pub fn kind(&self, id: u16) -> &str {
        self.kinds.name(id)
    }

    /// Whether nodes of this kind are named.
    pub fn is_named(&self, kind: u16) -> bool {
        self.kinds.is_named(kind)
    }

    /// The rows of `needs_parentheses` and then `refused` that speak of nodes of this kind, in order.
    pub fn standing(&self, kind: u16) -> impl Iterator<Item = (usize, &Place)> {
        let rows = self.standing.get(&kind).into_iter().chain(self.standing.get(&EVERY_KIND)).flatten();
        rows.filter_map(|row| Some((*row, self.facts.standing().nth(*row)?)))
    }

    /// Whether nodes of this kind hold a list of equals.
    pub fn is_list(&self, kind: u16) -> bool {
        self.lists.binary_search(&kind).is_ok()
    }

    /// Whether nodes of this kind are string literals.
    pub fn is_string(&self, kind: u16) -> bool {
        self.strings.binary_search(&kind).is_ok()
    }

    /// Whether the lines of nodes of this kind are data, and keep their bytes.
    pub fn is_verbatim(&self, kind: u16) -> bool {
        self.is_string(kind) || self.verbatim.binary_search(&kind).is_ok()
    }

    /// Whether nodes of this kind are assignments that may hold each other.
    pub fn is_chained(&self, kind: u16) -> bool {
        self.chained.binary_search(&kind).is_ok()
    }

    /// The kinds that code of this kind has in other places, and this one.
    pub fn alike(&self, kind: u16) -> Vec<u16> {
        self.alike.iter().find(|group| group.contains(&kind)).cloned().unwrap_or_else(|| vec![kind])
    }

    /// Whether two kinds are one, or are those of the same code in different places.
    pub fn is_alike(&self, one: u16, other: u16) -> bool {
        one == other || self.alike.iter().any(|group| group.contains(&one) && group.contains(&other))
    }

    /// Whether nodes of this kind must hold something.
    pub fn is_never_empty(&self, kind: u16) -> bool {
        self.never_empty.binary_search(&kind).is_ok()
    }

    /// Whether something must stand in nodes of this kind, or of any kind within nodes of the kind `around`.
    pub fn may_be_hollow(&self, kind: u16, around: Option<u16>) -> bool {
        let [own, outer] = &self.hollow;
        let is = |ids: &[u16], id: u16| ids.binary_search(&id).is_ok();
        self.is_never_empty(kind) || is(own, kind) || around.is_some_and(|around| is(outer, around))
    }

    /// Whether code that goes elsewhere takes the indentation of where it goes.
    pub fn moves_lines(&self) -> bool {
        self.facts.indented || !self.facts.functions.is_empty()
    }

    /// A name without what may stand around it: `old` of Kotlin's backticks.
    pub fn bare_name<'n>(&self, name: &'n str) -> &'n str {
        let quote = self.facts.name_quote.as_deref();
        let bare = quote.and_then(|quote| name.strip_prefix(quote)?.strip_suffix(quote));
        bare.filter(|bare| !bare.is_empty()).unwrap_or(name)
    }

    /// Whether a token only parts or ends list elements.
    pub fn is_separator(&self, token: &str) -> bool {
        self.facts.separators.iter().any(|s| s == token)
    }

    /// Whether text between tokens says nothing but that a line goes on.
    pub fn only_goes_on(&self, gap: &str) -> bool {
        let mark = self.facts.continuation.as_deref();
        mark.is_some_and(|mark| gap.split(mark).all(|rest| rest.trim().is_empty()))
    }

    fn new(described: &table::Grammar) -> Result<Self, String> {
        let grammar: tree_sitter::Language = described.function.into();
        let facts: Facts = toml::from_str(described.facts).map_err(|e| e.to_string())?;
        let known = kinds::Kinds::new(&grammar);
        let ids = |kinds: &[String]| ids(&facts, &known, kinds);
        let (lists, strings) = (ids(&facts.lists)?, ids(&facts.string.kinds)?);
        let (verbatim, chained) = (ids(&facts.verbatim)?, ids(&facts.chained)?);
        let never_empty = ids(&facts.never_empty)?;
        let alike = facts.alike.iter().map(|group| ids(group)).collect::<Result<Vec<_>, _>>()?;
        let one = |kind: &String| Ok::<u16, String>(ids(std::slice::from_ref(kind))?[0]);
        let adopted = facts.adopted.iter().map(|(part, of)| Ok((one(part)?, one(of)?)));
        let adopted = adopted.collect::<Result<_, String>>()?;
        let (outer, own): (Vec<_>, Vec<_>) =
            facts.hollow.iter().flat_map(|row| &row.inside).partition(|inside| inside.contains('.'));
        let kinds = |places: Vec<&String>| {
            ids(&places.iter().map(|place| place.split('.').next().unwrap_or("").to_owned()).collect::<Vec<_>>())
        };
        let hollow = [kinds(own)?, kinds(outer)?];
        // The tests ask; a release has been through them, and starts without.
        if cfg!(debug_assertions) {
            check(&facts, &known, &grammar)?;
        }
        let standing = standing(&facts, &ids)?;
        let statements = statements(described.statements, &ids).map_err(|why| format!("{}: {why}", facts.name))?;
        let mut misread = vec![false; grammar.node_kind_count()];
        for place in &facts.misread {
            if place.kinds.is_empty() {
                misread.fill(true);
            }
            let kinds = place.kinds.iter().map(|kind| kind.split(' ').next().unwrap_or("").to_owned());
            ids(&kinds.collect::<Vec<_>>())?.into_iter().for_each(|id| misread[usize::from(id)] = true);
        }
        let operators = Operators::new(&facts.operators, |kind| Ok(ids(&[kind.to_owned()])?[0]))?;
        let chains = facts.chains.as_ref().map(|chains| Chains::new(chains, &known)).transpose();
        let chains = chains.map_err(|why| format!("{}: {why}", facts.name))?;
        let line_ends = facts
            .line_ends
            .as_ref()
            .map(|ends| LineEnds::new(ends, facts.line_comment.as_deref(), |kind| Ok(ids(&[kind.to_owned()])?[0])));
        let line_ends = line_ends.transpose().map_err(|why| format!("{}: {why}", facts.name))?;
        let macro_calls = facts.macro_calls.as_ref().map(|calls| MacroCalls::new(calls, &known)).transpose();
        let macro_calls = macro_calls.map_err(|why| format!("{}: {why}", facts.name))?;
        let otherwise = [chains.is_some(), !operators.is_empty(), macro_calls.is_some()];
        if otherwise.into_iter().filter(|is| *is).count() > 1 {
            return Err(format!("{}: a language has `operators`, `chains` or `macro_calls`", facts.name));
        }
        Ok(Self {
            standing,
            misread,
            lists,
            strings,
            verbatim,
            chained,
            alike,
            adopted,
            never_empty,
            hollow,
            operators,
            chains,
            line_ends,
            macro_calls,
            facts,
            grammar,
            kinds: known,
            version: described.version,
            statements,
            tests: described.tests,
        })
    }

    /// Whether a named node in a node of the kind `around` is what a comment may stand above.
    pub fn is_statement(&self, around: u16, kind: u16) -> bool {
        self.statements.iter().any(|(holds, held)| *holds == around && (*held == 0 || *held == kind))
    }

    /// Whether a row of `misread` speaks of nodes of this kind.
    pub fn may_be_misread(&self, kind: u16) -> bool {
        self.misread.get(usize::from(kind)).is_some_and(|may| *may)
    }
}

/// The ids of node kinds, sorted.
fn ids(facts: &Facts, known: &kinds::Kinds, kinds: &[String]) -> Result<Vec<u16>, String> {
    let id = |kind: &String| {
        known.id(kind, true).ok_or_else(|| format!("{}: the grammar has no node kind `{kind}`", facts.name))
    };
    let mut ids = kinds.iter().map(id).collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    Ok(ids)
}

/// Whether the grammar has all that the description of a language speaks of: of what it lacks,
/// nothing would ever be asked.
fn check(facts: &Facts, known: &kinds::Kinds, grammar: &tree_sitter::Language) -> Result<(), String> {
    let ids = |kinds: &Vec<String>| ids(facts, known, kinds).map(|_| ());
    // Kinds, each perhaps with a field behind it (`call.function`) or an operator (`binary_expression ||`).
    let places = |texts: &Vec<String>| {
        texts.iter().try_for_each(|text| {
            let kind = text.split([' ', '.']).next().unwrap_or("");
            ids(&vec![kind.to_owned()])?;
            let field = text[kind.len()..].strip_prefix('.').unwrap_or("");
            if !field.is_empty() && grammar.field_id_for_name(field).is_none() {
                return Err(format!("{}: the grammar has no field `{field}`: `{text}`", facts.name));
            }
            Ok(())
        })
    };
    let kinds = [
        &facts.string.plain,
        &facts.string.holes,
        &facts.string.hole_opens,
        &facts.string.hole_closes,
        &facts.string.joins,
        &facts.restricted,
        &facts.goes_on,
        &facts.tokens,
        &facts.loose,
        &facts.clauses,
        &facts.macros,
        &facts.exact,
        &facts.keeps,
        &facts.line_blocks,
        &facts.flat_paths,
        &facts.functions,
        &facts.classes,
        &facts.blocks,
    ];
    kinds.into_iter().try_for_each(ids)?;
    let contexts = facts.context.iter().flat_map(|c| [&c.competes, &c.unlikely, &c.only, &c.except]);
    contexts.into_iter().try_for_each(ids)?;
    for kind in facts.unmeant.iter().flat_map(|path| path.split(' ')).filter(|kind| *kind != "$$$") {
        if [true, false].iter().all(|named| known.id(kind, *named).is_none()) {
            return Err(format!("{}: the grammar has no node kind `{kind}`", facts.name));
        }
    }
    for place in facts.needs_parentheses.iter().chain(&facts.refused).chain(&facts.misread) {
        if place.inside.is_empty() == place.outside.is_empty() || place.kinds.is_empty() == place.except.is_empty() {
            let name = &facts.name;
            return Err(format!("{name}: a row names `inside` or `outside`, and `kinds` or `except`: {place:?}"));
        }
        [&place.kinds, &place.except, &place.inside, &place.outside, &place.through]
            .into_iter()
            .try_for_each(places)?;
    }
    let elements = &facts.elements;
    let of_elements = [
        &elements.attached,
        &elements.carriers,
        &elements.single,
        &elements.never_single,
        &elements.by_place,
        &elements.values,
        &elements.bodies,
        &elements.branches,
        &facts.results.blocks,
        &facts.results.passes,
        &facts.results.with_else,
        &facts.results.drops,
        &facts.results.procedures,
        &facts.results.valueless,
        &facts.arguments.bare,
    ];
    of_elements.into_iter().try_for_each(places)?;
    facts.hollow.iter().map(|hollow| &hollow.inside).try_for_each(places)?;
    facts.once.iter().flat_map(|once| [&once.kinds, &once.inside, &once.parted_by]).try_for_each(ids)?;
    let anchors =
        facts.anchors.iter().map(|facts| [&facts.anchor, &facts.alias, &facts.scope].map(String::clone).to_vec());
    let tags = facts.tags.iter().map(|facts| [&facts.kind, &facts.output].map(String::clone).to_vec());
    let ends = facts.ends.iter().map(|facts| vec![facts.mark.clone()]);
    anchors.chain(tags).chain(ends).try_for_each(|kinds| ids(&kinds))?;
    facts.belongs.iter().flat_map(|belonging| [&belonging.kinds, &belonging.to, &belonging.homes]).try_for_each(places)
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Language({})", self.facts.name)
    }
}

/// What stands for every kind in a table by kinds.
const EVERY_KIND: u16 = u16::MAX;

/// The rows that say where code may stand, by the kinds that they speak of.
fn standing(facts: &Facts, ids: &Ids<'_>) -> Result<HashMap<u16, Vec<usize>>, String> {
    let mut rows: HashMap<u16, Vec<usize>> = HashMap::new();
    for (row, place) in facts.standing().enumerate() {
        let kinds: Vec<String> =
            place.kinds.iter().filter_map(|kind| kind.split(' ').next()).map(str::to_owned).collect();
        let mut kinds = if kinds.is_empty() { vec![EVERY_KIND] } else { ids(&kinds)? };
        kinds.dedup();
        kinds.into_iter().for_each(|kind| rows.entry(kind).or_default().push(row));
    }
    Ok(rows)
}

/// The ids of kinds, or which of them the grammar lacks.
type Ids<'a> = dyn Fn(&[String]) -> Result<Vec<u16>, String> + 'a;

/// Reads `statements.scm`, of which each pattern is one kind in another: whether a node is one is asked so often that
/// running a query over each tree took a quarter of what a change costs.
fn statements(query: &str, ids: &Ids<'_>) -> Result<Vec<(u16, u16)>, String> {
    let mut all = Vec::new();
    for line in query.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(';')) {
        let pattern = line.strip_prefix('(').and_then(|line| line.strip_suffix(") @statement)"));
        let (around, inner) = pattern.and_then(|pattern| pattern.split_once(" (")).ok_or_else(|| {
            format!("statements.scm: a pattern is `(kind (kind) @statement)` or `(kind (_) @statement)`, not `{line}`")
        })?;
        let id = |kind: &str| ids(&[kind.to_owned()]).map(|ids| ids[0]);
        all.push((id(around)?, if inner == "_" { 0 } else { id(inner)? }));
    }
    Ok(all)
}

struct Registry {
    all: Vec<Language>,
    by_name: HashMap<String, usize>,
    by_extension: Sorted,
    by_filename: Sorted,
}

/// A few dozen names, in order, and what each says: they are asked for each file of a fleet, and a handful of
/// comparisons costs less than a hash.
#[derive(Default)]
struct Sorted(Vec<(String, usize)>);

impl Sorted {
    /// Of two languages with one name, the later one has it.
    fn new(mut names: Vec<(String, usize)>) -> Self {
        names.reverse();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        names.dedup_by(|a, b| a.0 == b.0);
        Self(names)
    }

    fn get(&self, name: &str) -> Option<usize> {
        let at = self.0.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        Some(self.0[at].1)
    }
}

fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let mut registry = Registry {
            all: Vec::new(),
            by_name: HashMap::new(),
            by_extension: Sorted::default(),
            by_filename: Sorted::default(),
        };
        let (mut extensions, mut filenames) = (Vec::new(), Vec::new());
        for described in table::GRAMMARS {
            // The descriptions are compiled in, and a test loads every one.
            let Ok(language) = Language::new(described) else { continue };
            let index = registry.all.len();
            let facts = &language.facts;
            registry.by_name.insert(facts.name.clone(), index);
            registry.by_name.extend(facts.aliases.iter().map(|a| (a.clone(), index)));
            extensions.extend(facts.extensions.iter().map(|e| (e.clone(), index)));
            filenames.extend(facts.filenames.iter().map(|f| (f.clone(), index)));
            registry.all.push(language);
        }
        registry.by_extension = Sorted::new(extensions);
        registry.by_filename = Sorted::new(filenames);
        registry
    })
}

/// Every language, in the order of the table.
pub fn all() -> &'static [Language] {
    &registry().all
}

/// What to do about a name that no language has: the one that was probably meant, or all.
pub fn meant(name: &str) -> String {
    let name = name.to_lowercase();
    let names = |l: &'static Language| std::iter::once(&l.facts.name).chain(&l.facts.aliases).map(move |n| (n, l));
    let scored = all().iter().flat_map(names).map(|(known, l)| (strsim::jaro_winkler(&name, known), l));
    match scored.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, language)) => format!("did you mean `{}`?", language.facts.name),
        None => {
            let all: Vec<&str> = all().iter().map(|l| l.facts.name.as_str()).collect();
            format!("there are: {}", all.join(", "))
        }
    }
}

/// The language of this name or alias.
pub fn by_name(name: &str) -> Option<&'static Language> {
    let registry = registry();
    registry.by_name.get(name).map(|&i| &registry.all[i])
}

/// The language that a file's name tells. It is asked of every file of a walk, so it
/// takes the name apart by itself: [`Path`] reads all of it from the start.
pub fn of_path(path: &Path) -> Option<&'static Language> {
    let registry = registry();
    let bytes = path.as_os_str().as_encoded_bytes();
    let start = bytes.iter().rposition(|b| std::path::is_separator(char::from(*b))).map_or(0, |at| at + 1);
    let name = std::str::from_utf8(&bytes[start..]).ok()?;
    if let Some(index) = registry.by_filename.get(name) {
        return Some(&registry.all[index]);
    }
    let (stem, extension) = name.rsplit_once('.')?;
    let lower = extension.bytes().any(|b| b.is_ascii_uppercase()).then(|| extension.to_ascii_lowercase());
    let index = registry.by_extension.get(lower.as_deref().unwrap_or(extension)).filter(|_| !stem.is_empty())?;
    Some(&registry.all[index])
}

/// One digest over every grammar's name and version: part of a plan's identity.
pub fn versions() -> String {
    let lines: Vec<String> = all().iter().map(|l| format!("{} {}", l.facts.name, l.version)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_description_loads() {
        for described in table::GRAMMARS {
            Language::new(described).unwrap_or_else(|error| panic!("{error}"));
        }
        assert_eq!(all().len(), table::GRAMMARS.len());
    }

    #[test]
    fn every_folder_is_in_the_table() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
        for entry in std::fs::read_dir(root).unwrap() {
            let folder = entry.unwrap().path();
            if folder.join("language.toml").exists() {
                let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
                assert!(by_name(&name).is_some(), "grammars/{name} has no line in src/language/table.rs");
            }
        }
    }

    #[test]
    fn kinds_are_those_of_the_grammar() {
        for language in all() {
            let grammar = &language.grammar;
            for id in 0..grammar.node_kind_count() as u16 {
                let name = grammar.node_kind_for_id(id).unwrap();
                assert_eq!(language.kind(id), name);
                // Of what `ERROR` begins with the grammar says that it is one.
                for named in [true, false].into_iter().filter(|_| !"ERROR".starts_with(name)) {
                    let theirs = Some(grammar.id_for_node_kind(name, named)).filter(|id| *id != 0);
                    assert_eq!(language.kind_id(name, named), theirs, "{language:?} {name} {named}");
                }
            }
            assert_eq!((language.kind(u16::MAX), language.kind_id("ERROR", true)), ("ERROR", Some(u16::MAX)));
        }
    }

    #[test]
    fn no_two_languages_share_a_parser() {
        // Two grammar crates that export the same C symbol link without a word.
        for (i, one) in all().iter().enumerate() {
            for two in &all()[..i] {
                assert!(one.grammar != two.grammar, "{one:?} and {two:?} are the same parser");
            }
        }
    }

    #[test]
    fn a_row_of_what_no_grammar_has_loads_nowhere() {
        let facts = include_str!("../../grammars/go/language.toml");
        let wrong = |row: &str| {
            let facts: Facts = toml::from_str(&format!("{facts}\n{row}\n")).unwrap();
            let go = by_name("go").unwrap();
            check(&facts, &go.kinds, &go.grammar).unwrap_err()
        };
        let row = |inside: &str| wrong(&format!("[[refused]]\ninside = [{inside}]\nkinds = [\"identifier\"]"));
        assert!(row("\"call_expression.functoin\"").contains("has no field `functoin`"));
        assert!(row("\"call_expresion\"").contains("has no node kind `call_expresion`"));
        assert!(row("").contains("a row names `inside` or `outside`"));
        assert!(wrong("[[refused]]\ninside = [\"go_statement\"]").contains("and `kinds` or `except`"));
    }

    #[test]
    fn tsx_is_typescript_with_tags() {
        let [ts, tsx] = ["typescript", "tsx"].map(|name| &by_name(name).unwrap().facts);
        let plain = |places: &[Place]| -> Vec<String> {
            let less = |text: String, one: &str| {
                text.replace(&format!("\"{one}\", "), "").replace(&format!(", \"{one}\""), "")
            };
            let rows = places.iter().map(|place| less(less(format!("{place:?}"), "type_assertion"), "jsx_expression"));
            rows.filter(|row| !row.contains("type_assertion") && !row.contains("jsx_element")).collect()
        };
        assert_eq!(plain(&ts.needs_parentheses), plain(&tsx.needs_parentheses));
        assert_eq!(plain(&ts.refused), plain(&tsx.refused));
        let elements = |facts: &Facts| {
            format!("{:?}", facts.elements).replace("\"jsx_expression\", ", "").replace("\"jsx_attribute\", ", "")
        };
        assert_eq!(elements(ts), elements(tsx));
    }

    #[test]
    fn paths_tell_languages() {
        let name = |path: &str| of_path(Path::new(path)).map(|l| l.facts.name.as_str());
        assert_eq!(name("a/b.py"), Some("python"));
        assert_eq!(name("build.sbt"), Some("scala"));
        assert_eq!(name("Q.SQL"), Some("sql"));
        assert_eq!(name("README"), None);
        assert_eq!([name(".py"), name("a.py/"), name("py"), name("a/..")], [None; 4]);
    }
}
