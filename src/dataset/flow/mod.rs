//! Values in code: what comes from a dataset is followed through one file, by assignments,
//! calls, parameters and lambdas, to each place where a column of it is named.
//!
//! [`shape`] tells what a node is, whatever the language; [`eval`] goes through the file in
//! the order in which it runs; [`spark`], [`pandas`] and [`rows`] know what methods of
//! frames and rows do. A value that goes where nothing is known of it is lost: what came
//! with it stays. Must not: guess, or read another file.

mod arguments;
mod attributes;
mod bound;
mod call;
mod collections;
mod columns;
mod control;
mod eval;
mod generated;
mod held;
mod host;
mod java;
mod merge;
mod note;
mod outside;
mod pandas;
mod python;
mod reach;
mod read;
mod rows;
mod scala;
mod scio;
mod series;
mod shape;
mod spark;
mod sweep;
#[cfg(test)]
pub(super) mod tests;
mod typescript;
mod use_of_value;
mod value;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use self::value::{Function, Value};
use super::Datasets;
use super::decide::decide;
use super::file::{Around, Decided};
use super::text::Text;
use super::usage::{Doubt, Use};
use super::visible;
use crate::symbol::{Symbols, normal};
use crate::tree::{Node, NodeId, Tree};

/// What the flow of values shows of a file.
#[derive(Default)]
pub(super) struct Followed {
    /// Units of flows, decided.
    pub(super) units: Vec<Decided>,
    /// Where texts begin that name a table, a dataset or not, and are accounted for.
    pub(super) accounted: BTreeSet<usize>,
}

/// Follows what comes from datasets through a file.
pub(super) fn followed(tree: &Tree, datasets: &Datasets, around: &Around) -> Followed {
    if !shape::speaks(&tree.language.facts.name) {
        return Followed::default();
    }
    let mut flow = Flow::new(tree, datasets, around);
    flow.file();
    let (units, texts, accounted) = flow.finish();
    let host = host::Code { tree, texts };
    let decided = units.into_iter().map(|unit| {
        let fate = decide(&unit, datasets, &host);
        Decided { unit, fate }
    });
    Followed { units: decided.collect(), accounted }
}

struct Flow<'t> {
    tree: &'t Tree,
    datasets: &'t Datasets,
    around: &'t Around,
    /// Names that imports give, and the paths that they stand for; of wildcards the path.
    imports: HashMap<String, String>,
    wildcards: Vec<String>,
    scopes: Vec<HashMap<String, Value<'t>>>,
    /// The dataset of each source, where it stands, and the source that it moves with.
    datasets_of: Vec<usize>,
    places: Vec<Range<usize>>,
    with: Vec<usize>,
    /// Uses by their place, with the source that they are read from.
    noted: BTreeMap<(usize, usize), Vec<(usize, Use)>>,
    doubts: Vec<(usize, Doubt)>,
    /// Where names begin that were read from something that is not followed.
    elsewhere: HashSet<usize>,
    texts: Vec<Text>,
    accounted: BTreeSet<usize>,
    functions: Vec<Rc<Function<'t>>>,
    called: HashSet<NodeId>,
    active: Vec<NodeId>,
    returns: Vec<Vec<Value<'t>>>,
    /// Case classes that a macro makes of a table: their names and sources.
    classes: HashMap<String, usize>,
    /// Sources by the node that names them.
    known: HashMap<NodeId, usize>,
    steps: usize,
    depth: usize,
    exhausted: bool,
    /// Names that functions of Python share by `global` or `nonlocal`.
    shared: HashSet<&'t str>,
    /// The first scope of the function that runs.
    own: usize,
    /// Bodies that may be left at any place.
    watches: Vec<control::Watch<'t>>,
    captured: control::Captured<'t>,
    /// Texts that other files have by a name, where they stand and why that matters.
    had: Vec<(NodeId, Range<usize>, String)>,
    /// Texts that names hold: the nodes of these names.
    held: HashMap<NodeId, Vec<NodeId>>,
    /// Texts of which one is given to a call.
    mixed: HashSet<NodeId>,
    /// Names that are read as tables.
    tables_read: HashSet<NodeId>,
    /// Names of the classes of the file.
    classes_here: HashSet<&'t str>,
    /// Sources that a generated class is.
    class_sources: BTreeSet<usize>,
    /// Names that frames had, with the sources of what changes in them.
    framed: BTreeMap<String, BTreeSet<usize>>,
    /// Where texts begin that nothing is known of what reads them.
    unfollowed: HashSet<usize>,
    /// Functions that are said to be of a type, and where.
    typed: HashMap<NodeId, Node<'t>>,
    /// Whether the file speaks of Spark, once that was asked.
    of_spark: OnceCell<bool>,
    /// The package of the file.
    package: Option<String>,
    /// What went through functions, and the names that they have besides their own.
    meetings: HashMap<NodeId, reach::Meeting<'t>>,
    names: HashMap<NodeId, Vec<NodeId>>,
}

/// How many nodes are looked at in one file, calls counted anew.
const MAX_STEPS: usize = 400_000;
/// How deep calls are followed.
const MAX_CALLS: usize = 12;
/// How deep code nests, calls counted.
const MAX_DEPTH: usize = 160;

impl<'t> Flow<'t> {
    fn new(tree: &'t Tree, datasets: &'t Datasets, around: &'t Around) -> Self {
        let symbols = Symbols::of(tree);
        let imports = symbols.imports();
        let named = imports.iter().filter_map(|import| Some((import.name.clone()?, normal(&import.path))));
        let wildcards = imports.iter().filter(|import| import.name.is_none()).map(|import| normal(&import.path));
        Self {
            tree,
            datasets,
            around,
            imports: named.collect(),
            wildcards: wildcards.collect(),
            scopes: vec![HashMap::new()],
            datasets_of: Vec::new(),
            places: Vec::new(),
            with: Vec::new(),
            noted: BTreeMap::new(),
            doubts: Vec::new(),
            elsewhere: HashSet::new(),
            texts: Vec::new(),
            accounted: BTreeSet::new(),
            functions: Vec::new(),
            called: HashSet::new(),
            active: Vec::new(),
            returns: Vec::new(),
            classes: HashMap::new(),
            known: HashMap::new(),
            steps: 0,
            depth: 0,
            exhausted: false,
            shared: shared(tree),
            own: 0,
            watches: Vec::new(),
            captured: control::Captured::default(),
            had: Vec::new(),
            held: HashMap::new(),
            mixed: HashSet::new(),
            tables_read: HashSet::new(),
            classes_here: visible::classes(tree),
            class_sources: BTreeSet::new(),
            framed: BTreeMap::new(),
            unfollowed: HashSet::new(),
            typed: HashMap::new(),
            of_spark: OnceCell::new(),
            package: symbols.package().map(str::to_owned),
            meetings: HashMap::new(),
            names: HashMap::new(),
        }
    }

    /// The path that a name stands for, by the imports of the file.
    fn imported(&self, name: &str) -> Option<&str> {
        self.imports.get(name).map(String::as_str)
    }
}

fn shared(tree: &Tree) -> HashSet<&str> {
    let statements = tree.iter().filter(|node| matches!(node.kind(), "global_statement" | "nonlocal_statement"));
    statements.flat_map(|node| node.named_children()).map(|name| name.text()).collect()
}
