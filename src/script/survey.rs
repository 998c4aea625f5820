//! What a rule knows of a whole file: `.survey(|root| #{ … })` is asked once a
//! file, and closures read its keys with `cx.survey("key")`.
//!
//! A pure function of the tree: what is kept between two calls saves time, and
//! changes no answer and no budget.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rhai::{AST, Dynamic, Engine, EvalAltResult, FnPtr, Map, Position};

use super::budget::with_budget;
use super::closure::frozen;
use super::error::fail;
use super::explain::{place_in, placed, plain};
use super::nodes::RhaiNode;
use crate::tree::Tree;

/// Operations of one call: it looks at a whole file.
pub(super) const OPERATIONS: u64 = 20_000_000;
/// Nodes that its native calls may visit.
const NODES: u64 = 20_000_000;

/// The closure that a rule's `.survey(…)` was given.
pub(super) struct Survey {
    engine: Arc<Engine>,
    ast: Arc<AST>,
    function: FnPtr,
    /// Equal only where the answers are.
    key: Key,
    file: String,
    at: Position,
}

#[derive(Clone, PartialEq)]
enum Key {
    /// A function that captured nothing: rules of one file share its answer.
    Named(String),
    /// Any other closure.
    Own(u64),
}

/// An answer, or why there is none. The map is shared, never changed.
type Answer = Result<Arc<Map>, String>;

struct Known {
    tree: Arc<Tree>,
    answers: Vec<(Arc<AST>, Key, Answer)>,
}

thread_local! {
    /// Answers for the tree that this thread looks at. It holds the tree, so that
    /// no other can take its address.
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
}

impl Survey {
    /// Freezes what `function` captured. `engine` has [`OPERATIONS`].
    pub(super) fn new(engine: &Arc<Engine>, ast: &Arc<AST>, function: &FnPtr, place: (&str, Position)) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let function = frozen(function.clone());
        let key = if function.curry().is_empty() {
            Key::Named(function.fn_name().to_owned())
        } else {
            Key::Own(COUNT.fetch_add(1, Ordering::Relaxed))
        };
        let file = place.0.to_owned();
        Self { engine: Arc::clone(engine), ast: Arc::clone(ast), function, key, file, at: place.1 }
    }

    /// What is known under `key`, or `()`.
    pub(super) fn get(&self, tree: &Arc<Tree>, key: &str) -> Result<Dynamic, Box<EvalAltResult>> {
        let answer = self.known(tree).unwrap_or_else(|| {
            let answer = self.ask(tree);
            self.keep(tree, &answer);
            answer
        });
        answer.map(|found| found.get(key).cloned().unwrap_or(Dynamic::UNIT)).map_err(fail)
    }

    fn known(&self, tree: &Arc<Tree>) -> Option<Answer> {
        KNOWN.with_borrow(|known| {
            let known = known.as_ref().filter(|k| Arc::ptr_eq(&k.tree, tree))?;
            let same = |(ast, key, _): &&(Arc<AST>, Key, Answer)| Arc::ptr_eq(ast, &self.ast) && *key == self.key;
            known.answers.iter().find(same).map(|(_, _, answer)| answer.clone())
        })
    }

    fn keep(&self, tree: &Arc<Tree>, answer: &Answer) {
        KNOWN.with_borrow_mut(|known| {
            if !known.as_ref().is_some_and(|k| Arc::ptr_eq(&k.tree, tree)) {
                *known = Some(Known { tree: Arc::clone(tree), answers: Vec::new() });
            }
            if let Some(known) = known {
                known.answers.push((Arc::clone(&self.ast), self.key.clone(), answer.clone()));
            }
        });
    }

    fn ask(&self, tree: &Arc<Tree>) -> Answer {
        let root = RhaiNode { tree: Arc::clone(tree), id: tree.root().id };
        let answer = with_budget(NODES, || self.function.call::<Dynamic>(&self.engine, &self.ast, (root,)));
        let answer = answer.map_err(|error| placed(&error, &self.file, self.at))?;
        let kind = plain(answer.type_name());
        let map = answer.try_cast::<Map>();
        map.map(Arc::new)
            .ok_or_else(|| format!("{}: survey(…) must give a map, not {kind}", place_in(&self.file, self.at)))
    }
}
