//! Collections of rows, and pairs of them: Scio's and Beam's, streams, arrays.

use std::rc::Rc;

use super::Flow;
use super::call::Method;
use super::value::Value;
use crate::tree::Node;

/// What a method of a collection does with its elements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    /// A new collection of what the function gives.
    Map,
    /// As [`Does::Map`], of what is in what it gives.
    Flat,
    /// The same elements, or some of them.
    Keep,
    /// The function looks at each; a number or nothing comes out.
    Look,
    /// One element.
    One,
    /// A number, or nothing.
    End,
    /// Pairs of a key and an element.
    Key,
    /// Pairs by their keys.
    Join,
    /// Both collections.
    Union,
    /// The second of each pair.
    Values,
}

/// Methods of collections, whatever the language.
const METHODS: [(&str, Does); 61] = [
    ("map", Does::Map),
    ("collect", Does::Map),
    ("mapToObj", Does::Map),
    ("flatMap", Does::Flat),
    ("filter", Does::Keep),
    ("filterNot", Does::Keep),
    ("withFilter", Does::Keep),
    ("takeWhile", Does::Keep),
    ("dropWhile", Does::Keep),
    ("sortBy", Does::Keep),
    ("sorted", Does::Keep),
    ("reverse", Does::Keep),
    ("slice", Does::Keep),
    ("distinctBy", Does::Keep),
    ("tap", Does::Keep),
    ("withName", Does::Keep),
    ("foreach", Does::Look),
    ("forEach", Does::Look),
    ("exists", Does::Look),
    ("forall", Does::Look),
    ("some", Does::Look),
    ("every", Does::Look),
    ("anyMatch", Does::Look),
    ("allMatch", Does::Look),
    ("noneMatch", Does::Look),
    ("find", Does::One),
    ("head", Does::One),
    ("first", Does::One),
    ("headOption", Does::One),
    ("next", Does::One),
    ("findFirst", Does::One),
    ("last", Does::One),
    ("at", Does::One),
    ("pop", Does::One),
    ("shift", Does::One),
    ("count", Does::End),
    ("size", Does::End),
    ("length", Does::End),
    ("isEmpty", Does::End),
    ("nonEmpty", Does::End),
    ("hasNext", Does::End),
    ("close", Does::End),
    ("keyBy", Does::Key),
    ("join", Does::Join),
    ("leftOuterJoin", Does::Join),
    ("hashJoin", Does::Join),
    ("union", Does::Union),
    ("concat", Does::Union),
    ("++", Does::Union),
    ("iterateAll", Does::Keep),
    ("getValues", Does::Keep),
    ("stream", Does::Keep),
    ("iterator", Does::Keep),
    ("toList", Does::Keep),
    ("toSeq", Does::Keep),
    ("toStream", Does::Keep),
    ("values", Does::Values),
    ("toArray", Does::Keep),
    ("take", Does::Keep),
    ("parallelStream", Does::Keep),
    ("streamAll", Does::Keep),
];

/// Those of them that ask a function of each element, and give elements.
const ASKS: [&str; 10] =
    ["filter", "filterNot", "withFilter", "takeWhile", "dropWhile", "sortBy", "sorted", "distinctBy", "tap", "find"];
/// Those that compare two elements.
const SORTS: [&str; 2] = ["sorted", "sort"];
/// Functions of a language that read no column.
const HARMLESS: [&str; 3] = ["Boolean", "Objects::nonNull", "Objects::isNull"];

impl<'t> Flow<'t> {
    fn does(word: &str) -> Option<Does> {
        METHODS.iter().find(|(name, _)| *name == word).map(|(_, does)| *does)
    }

    /// Whether a method is one of collections.
    pub(super) fn is_of_collections(word: &str) -> bool {
        Self::does(word).is_some()
    }

    pub(super) fn many_method(&mut self, element: &Rc<Value<'t>>, method: &Method<'t>) -> Value<'t> {
        let one = || (**element).clone();
        let many = || Value::Many(Rc::clone(element));
        let word = method.word();
        if word.starts_with("save") || word.starts_with("write") || word.starts_with("to") && word.ends_with("File") {
            self.lost(&many(), method.name, "the rows are written with the names of their columns");
            return Value::Plain;
        }
        if word == "apply" {
            return match method.arguments.first().map(|one| one.value.clone()) {
                Some(Value::Function(function)) => {
                    let given = self.called_with(&function, vec![one()], method.node).many();
                    // Rows that a filter leaves are what they were.
                    let filters = method.arguments.first().is_some_and(|only| only.node.text().starts_with("Filter"));
                    if filters { many() } else { given }
                }
                _ => {
                    self.lost(&many(), method.node, "it goes through a transform that this file does not show");
                    Value::Plain
                }
            };
        }
        if word == "reduce" && method.arguments.len() == 2 {
            return self.call_back(method, &[Value::Plain, one(), Value::Plain, many()]);
        }
        let each = self.each(element);
        match Self::does(word) {
            Some(Does::Map) if !method.arguments.is_empty() => self.call_back(method, &each).many(),
            Some(Does::Flat) => match self.call_back(method, &each) {
                Value::Many(inner) => Value::Many(inner),
                other => other.many(),
            },
            Some(Does::Keep | Does::Map) => {
                self.asked(method, &each);
                many()
            }
            Some(Does::Look) => {
                self.call_back(method, &each);
                Value::Plain
            }
            Some(Does::One) => {
                self.asked(method, &each);
                one()
            }
            Some(Does::End) => {
                if !method.arguments.is_empty() {
                    self.call_back(method, &each);
                }
                Value::Plain
            }
            Some(Does::Key) => {
                let key = self.call_back(method, &each);
                Value::tuple(vec![key, one()]).many()
            }
            Some(Does::Values) => match one() {
                Value::Tuple(pair) if pair.len() == 2 => pair[1].clone().many(),
                _ => many(),
            },
            Some(Does::Join) => self.join_pairs(one(), method),
            Some(Does::Union) => {
                let mut both = one();
                for argument in &method.arguments {
                    let other = match &argument.value {
                        Value::Many(other) => (**other).clone(),
                        other => other.clone(),
                    };
                    both = self.either(both, other, argument.node);
                }
                both.many()
            }
            None => {
                self.lost(&many(), method.name, "gander does not know what this does with the rows");
                self.unknown_call(method);
                Value::Plain
            }
        }
    }

    /// What a function of a collection is called with, for each element: in TypeScript its place and
    /// the collection, too.
    fn each(&self, element: &Rc<Value<'t>>) -> Vec<Value<'t>> {
        let mut each = vec![(**element).clone()];
        if !matches!(self.tree.language.facts.name.as_str(), "java" | "scala" | "python") {
            each.extend([Value::Plain, Value::Many(Rc::clone(element))]);
        }
        each
    }

    /// What is asked of each element: a function that is not shown here may read any column.
    fn asked(&mut self, method: &Method<'t>, each: &[Value<'t>]) {
        let element = &each[0];
        for argument in &method.arguments {
            for one in argument.value.alternatives() {
                match one {
                    // `sorted((a, b) -> …)`: both are elements.
                    Value::Function(function) if SORTS.contains(&method.word()) && function.parameters.len() == 2 => {
                        self.run(&function, vec![element.clone(), element.clone()], method.node);
                    }
                    Value::Function(function) => {
                        self.called_with(&function, each.to_vec(), method.node);
                    }
                    _ if ASKS.contains(&method.word()) && !HARMLESS.contains(&argument.node.text()) => {
                        self.lost(element, argument.node, "it goes into a function that this file does not show");
                    }
                    _ => {}
                }
            }
        }
    }

    /// Collections of pairs, by their keys: a pair of the key and of both values.
    fn join_pairs(&mut self, left: Value<'t>, method: &Method<'t>) -> Value<'t> {
        let Some(other) = method.arguments.first() else { return left.many() };
        if let Value::Text(_) = other.value {
            // `rows.join(",")` of an array.
            self.lost(&left, method.node, "it becomes a text");
            return Value::Plain;
        }
        let (key, left) = match &left {
            Value::Tuple(pair) if pair.len() == 2 => (pair[0].clone(), pair[1].clone()),
            _ => {
                self.lost(&left, method.node, "it is joined in a way that gander does not follow");
                return Value::Plain;
            }
        };
        let right = match &other.value {
            Value::Many(element) => match &**element {
                Value::Tuple(pair) if pair.len() == 2 => pair[1].clone(),
                other => other.clone(),
            },
            other => other.clone(),
        };
        let both: Vec<usize> = left.sources().into_iter().chain(right.sources()).collect();
        self.together(&both);
        Value::tuple(vec![key, Value::tuple(vec![left, right])]).many()
    }

    pub(super) fn tuple_method(&mut self, values: &Rc<Vec<Value<'t>>>, method: &Method<'t>) -> Value<'t> {
        let whole = Value::Tuple(Rc::clone(values));
        if matches!(method.word(), "then" | "map" | "filter" | "forEach" | "some" | "every" | "find") {
            let element = if method.word() == "then" { whole } else { self.element(&whole, method.node) };
            return self.call_back(method, &[element, Value::Plain]).many();
        }
        self.lost(&whole, method.name, "gander does not know what this does with the values");
        self.unknown_call(method);
        Value::Plain
    }

    pub(super) fn tuple_member(&mut self, values: &Rc<Vec<Value<'t>>>, node: Node<'t>, name: Node<'t>) -> Value<'t> {
        let place = name.text().strip_prefix('_').and_then(|at| at.parse::<usize>().ok());
        if let Some(value) = place.and_then(|at| values.get(at.checked_sub(1)?)) {
            return value.clone();
        }
        if name.text() == "length" {
            return Value::Plain;
        }
        self.lost(&Value::Tuple(Rc::clone(values)), node, "gander does not know what this does with the values");
        Value::Plain
    }
}
