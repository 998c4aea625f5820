//! Goes through a file in the order in which it runs.
//!
//! What is run on some ways only is [`control`](super::control)'s. Must not: know a library.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::shape::{Clause, Parameter, Shape, shape};
use super::value::{Body, Data, Function, Hit, Mention, Named, Value};
use super::{Flow, MAX_CALLS, MAX_DEPTH, MAX_STEPS};
use crate::dataset::word::words;
use crate::tree::{Node, NodeId, operands};

/// How often a file is gone through until its functions read nothing new from outside.
const MAX_ROUNDS: usize = 4;

impl<'t> Flow<'t> {
    pub(super) fn file(&mut self) {
        self.generated_classes();
        let spoken = self.spoken();
        for round in 0.. {
            self.value(self.tree.root());
            self.entries(&spoken);
            if !self.read_too_early() {
                break;
            }
            if round == MAX_ROUNDS {
                self.exhausted = true;
                break;
            }
            // What functions read from outside may be given to it only after them.
            self.scopes = vec![HashMap::new()];
            self.called.clear();
            self.elsewhere.clear();
        }
        self.tell_meetings();
    }

    /// Runs the functions that nothing else has run: those that nothing here speaks of
    /// first, since they call the others.
    fn entries(&mut self, spoken: &HashMap<&'t str, Vec<NodeId>>) {
        for entries in [true, false] {
            let mut at = 0;
            while at < self.functions.len() {
                let function = Rc::clone(&self.functions[at]);
                at += 1;
                let entry = self.is_entry(&function, spoken);
                if entry == entries && !self.called.contains(&function.id) {
                    self.enter(&function);
                }
            }
        }
    }

    /// Where each name is written.
    fn spoken(&self) -> HashMap<&'t str, Vec<NodeId>> {
        let mut all: HashMap<&'t str, Vec<NodeId>> = HashMap::new();
        for node in self.tree.iter().filter(|node| node.is_leaf() && node.kind().ends_with("identifier")) {
            all.entry(node.text()).or_default().push(node.id);
        }
        all
    }

    /// Whether nothing in the file but a function itself speaks of it.
    fn is_entry(&self, function: &Function<'t>, spoken: &HashMap<&'t str, Vec<NodeId>>) -> bool {
        let Some((node, name)) = self.declaration(function.id) else { return true };
        let places = spoken.get(name.text()).map_or(&[][..], Vec::as_slice);
        places.iter().all(|place| node.contains(self.tree.node(*place)))
    }

    /// Runs a function as others may call it.
    pub(super) fn enter(&mut self, function: &Rc<Function<'t>>) {
        let arguments: Vec<Value<'t>> =
            function.parameters.iter().map(|parameter| self.declared(parameter, true)).collect();
        let node = self.tree.node(function.id);
        let given = self.run(function, arguments, node);
        self.lost(&given, self.places_of(&given, node), "it leaves the file with the names of all its columns");
    }

    fn places_of(&self, _: &Value<'t>, node: Node<'t>) -> Node<'t> {
        match shape(node) {
            Shape::Function { name: Some(name), .. } => name,
            _ => node,
        }
    }

    /// What a node gives.
    pub(super) fn value(&mut self, node: Node<'t>) -> Value<'t> {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.depth > MAX_DEPTH {
            self.exhausted = true;
            return Value::Plain;
        }
        self.depth += 1;
        let value = self.value_at(node);
        self.depth -= 1;
        value
    }

    fn value_at(&mut self, node: Node<'t>) -> Value<'t> {
        match shape(node) {
            Shape::Constant if matches!(node.text(), "None" | "null" | "undefined") => Value::Nothing,
            Shape::Nothing | Shape::Constant => Value::Plain,
            Shape::Text => self.text(node),
            Shape::Mention => self.unread(node, node, Named::Column),
            Shape::Name => self.name(node),
            Shape::Member { object, name } => self.member(node, object, name),
            Shape::Index { object, keys } => self.index(node, object, &keys),
            Shape::Call { callee, arguments } => {
                let value = self.call(node, callee, arguments);
                self.said_at(node, &value);
                value
            }
            Shape::Lambda(parameters, body) => self.function(node, parameters, Body::Nodes(body)),
            Shape::Cases(cases) => self.function(node, Vec::new(), Body::Cases(cases)),
            Shape::Match(subject, cases) => {
                let value = self.value(subject);
                self.cases(&value, &cases)
            }
            Shape::Operator(word, operands) => self.operator(node, &word, &operands),
            Shape::Sequence(items) => {
                let values: Vec<Value<'t>> = items.iter().map(|item| self.value(*item)).collect();
                let nothing = values.iter().all(|value| matches!(value, Value::Plain | Value::Nothing));
                if nothing { Value::Plain } else { Value::tuple(values) }
            }
            Shape::Pairs(pairs) => {
                for (key, value) in pairs {
                    self.value(key);
                    let value_of = self.value(value);
                    self.lost(&value_of, value, "it goes into a collection by name");
                    self.collected(node, &value_of);
                }
                Value::Plain
            }
            Shape::Same(inner) => {
                let value = self.value(inner);
                self.said_at(node, &value);
                value
            }
            Shape::Return(value) => {
                let given = value.map_or(Value::Nothing, |value| self.value(value));
                value.into_iter().for_each(|value| self.read_as_table(value));
                if let Some(returns) = self.returns.last_mut() {
                    returns.push(given);
                } else if let Some(value) = value {
                    self.lost(&given, value, "it leaves the file");
                }
                Value::Plain
            }
            Shape::Other(below) => {
                for one in below {
                    let value = self.value(one);
                    self.lost(&value, one, "gander does not follow values through this");
                }
                Value::Plain
            }
            statement => self.statement(node, statement),
        }
    }

    fn statement(&mut self, node: Node<'t>, statement: Shape<'t>) -> Value<'t> {
        match statement {
            Shape::Choice(test, ways) => self.choice(test, &ways),
            Shape::Block(statements, own) => self.block(&statements, own),
            Shape::Assign { targets, value, declared, binds } => {
                let mut given = value.map_or(Value::Nothing, |value| self.value(value));
                if let Some(declared) = declared {
                    if let Value::Function(function) = &given {
                        self.typed.insert(function.id, declared);
                    }
                    given = self.as_declared(given, declared);
                }
                if let Value::Function(function) = &given
                    && !self.functions.iter().any(|known| known.id == function.id)
                {
                    self.functions.push(Rc::clone(function));
                }
                for target in targets {
                    self.assign(target, given.clone(), value, binds);
                }
                given
            }
            Shape::Loop { target, over, declared, body } => {
                self.repeat(target, over, declared, &body);
                Value::Plain
            }
            Shape::Try(attempt) => self.attempt(&attempt),
            Shape::Switch { subject, groups, falls } => self.switch(subject, &groups, falls),
            Shape::Comprehension { clauses, body } => self.comprehension(node, &clauses, &body),
            Shape::Function { name, parameters, body } => {
                let Some(body) = body else { return Value::Plain };
                let function = self.function(node, parameters, Body::Nodes(vec![body]));
                if let (Some(name), Value::Function(function)) = (name, &function) {
                    self.register(name.text(), function);
                }
                function
            }
            Shape::Class { name, members } => {
                self.class(node, name);
                self.block(&members, false);
                Value::Plain
            }
            _ => Value::Plain,
        }
    }

    fn comprehension(&mut self, node: Node<'t>, clauses: &[Clause<'t>], body: &[Node<'t>]) -> Value<'t> {
        // A name that it gives is given as often as there are elements.
        let before = super::control::binds(node).then(|| self.scopes.clone());
        let mut given = Value::Plain;
        for _ in 0..=usize::from(before.is_some()) {
            self.scopes.push(HashMap::new());
            for clause in clauses {
                match *clause {
                    Clause::Each(target, over) => {
                        let value = self.value(over);
                        let element = self.element(&value, over);
                        self.assign(target, element, None, true);
                    }
                    Clause::If(test) => {
                        self.value(test);
                    }
                }
            }
            for one in body {
                given = self.value(*one);
            }
            self.scopes.pop();
            if let Some(before) = before.clone() {
                self.join(before);
            }
        }
        given.many()
    }

    fn block(&mut self, statements: &[Node<'t>], own: bool) -> Value<'t> {
        if own {
            self.scopes.push(HashMap::new());
        }
        // Functions are there before the first statement runs.
        let is_function = |node: &Node<'t>| {
            let mut inner = *node;
            while let Shape::Same(below) = shape(inner) {
                inner = below;
            }
            matches!(shape(inner), Shape::Function { name: Some(_), .. })
        };
        for one in statements.iter().filter(|one| is_function(one)) {
            self.value(*one);
        }
        let mut last = Value::Plain;
        for one in statements.iter().filter(|one| !is_function(one)) {
            last = self.value(*one);
        }
        if own {
            self.scopes.pop();
        }
        last
    }

    fn register(&mut self, name: &str, function: &Rc<Function<'t>>) {
        if !self.functions.iter().any(|known| known.id == function.id) {
            self.functions.push(Rc::clone(function));
        }
        let known = self.scopes.last().and_then(|scope| scope.get(name)).cloned();
        let value = Value::Function(Rc::clone(function));
        let both = match known {
            Some(Value::Function(known)) if known.id != function.id => {
                Value::Function(known).or(value).unwrap_or(Value::Plain)
            }
            _ => value,
        };
        self.bind(name, both);
    }

    pub(super) fn function(&mut self, node: Node<'t>, parameters: Vec<Parameter<'t>>, body: Body<'t>) -> Value<'t> {
        Value::Function(Rc::new(Function { parameters, body, depth: self.scopes.len(), id: node.id }))
    }

    /// Runs a function with these arguments.
    pub(super) fn run(&mut self, function: &Rc<Function<'t>>, arguments: Vec<Value<'t>>, at: Node<'t>) -> Value<'t> {
        self.called.insert(function.id);
        self.said_of_function(function, &arguments);
        if self.active.contains(&function.id) || self.active.len() >= MAX_CALLS {
            for value in &arguments {
                self.lost(value, at, "a function that calls itself, or calls that are nested too deep");
            }
            return Value::Plain;
        }
        self.active.push(function.id);
        let depth = function.depth.min(self.scopes.len());
        let own = std::mem::replace(&mut self.own, depth);
        let hidden = self.scopes.split_off(depth);
        let owners = self.captured.owners.clone();
        self.captured.owners.retain(|(first, _)| *first < depth);
        self.captured.owners.push((depth, function.id));
        self.scopes.push(HashMap::new());
        self.returns.push(Vec::new());
        let kept = if self.around.elsewhere.is_some() { arguments.clone() } else { Vec::new() };
        let first = arguments.first().cloned().unwrap_or(Value::Plain);
        let mut rest = arguments.into_iter();
        for parameter in &function.parameters {
            let value = rest.next().unwrap_or_else(|| self.declared(parameter, false));
            let value = match parameter.declared {
                Some(declared) => self.as_declared(value, declared),
                None => value,
            };
            self.assign(parameter.pattern, value, None, true);
        }
        let last = match &function.body {
            Body::Nodes(body) => {
                if function.parameters.is_empty() {
                    self.bind("_", first);
                }
                let mut last = Value::Plain;
                for one in body {
                    last = self.value(*one);
                }
                last
            }
            Body::Cases(cases) => self.cases(&first, cases),
        };
        let mut given = self.gives_last(function).then_some(last);
        for one in self.returns.pop().unwrap_or_default() {
            given = Some(self.one_of(given, one, at));
        }
        let given = given.unwrap_or(Value::Nothing);
        let holder = self.declaration(function.id).map_or_else(|| self.tree.node(function.id), |(_, name)| name);
        self.hold(holder, &given);
        self.scopes.truncate(depth);
        self.scopes.extend(hidden);
        self.active.pop();
        self.captured.owners = owners;
        self.own = own;
        if let Some(said) = self.tree.node(function.id).field("return_type") {
            self.said(&given, said);
        }
        self.passed(function, &kept, &given);
        given
    }

    fn gives_last(&self, function: &Function<'t>) -> bool {
        let node = self.tree.node(function.id);
        match shape(node) {
            Shape::Function { .. } => self.tree.language.facts.name == "scala",
            _ => {
                !matches!(node.kind(), "arrow_function" | "lambda_expression" | "function_expression")
                    || self.tree.language.facts.name == "scala"
                    || !matches!(&function.body, Body::Nodes(body) if body.iter().any(|body| matches!(body.kind(), "statement_block" | "block")))
            }
        }
    }

    /// Gives a name to a value in the innermost scope.
    pub(super) fn bind(&mut self, name: &str, value: Value<'t>) {
        if let Some(at) = self.scopes.len().checked_sub(1) {
            self.scopes[at].insert(name.to_owned(), value);
            self.changed(at, name);
        }
    }

    fn rebind(&mut self, target: Node<'t>, value: Value<'t>) {
        let name = target.text();
        // A function of Python that assigns a name has one of its own.
        let python = self.tree.language.facts.name == "python";
        if python && self.shared.contains(name) {
            self.lost(&value, target, "a name that several functions share");
        }
        let known = self.scopes.iter().rposition(|scope| scope.contains_key(name));
        let at = if python { self.own } else { known.unwrap_or(self.scopes.len().saturating_sub(1)) };
        let Some(scope) = self.scopes.get_mut(at) else { return };
        scope.insert(name.to_owned(), value);
        self.changed(at, name);
    }

    /// What a name holds, if the file gave it something.
    pub(super) fn bound(&self, name: &str) -> Option<&Value<'t>> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    fn name(&mut self, node: Node<'t>) -> Value<'t> {
        if let Some(late) = self.late(node.text()) {
            return late;
        }
        self.bound(node.text()).cloned().unwrap_or(Value::Plain)
    }

    fn text(&mut self, node: Node<'t>) -> Value<'t> {
        // What is put into it at run time.
        let mut added: Vec<(Node<'t>, Value<'t>)> = Vec::new();
        for operand in operands(node) {
            if operand.id != node.id && !self.tree.language.is_string(operand.kind_id()) {
                added.push((operand, self.value(operand)));
            }
        }
        let columns = |value: &Value<'t>| value.alternatives().iter().any(|one| matches!(one, Value::Columns(_)));
        if added.iter().any(|(_, value)| columns(value)) {
            return self.calculated(node, added);
        }
        for (operand, value) in added {
            self.lost(&value, operand, "it becomes a part of a text");
        }
        let holes = &self.tree.language.facts.string.holes;
        let below: Vec<Node<'t>> =
            node.descendants().filter(|below| holes.iter().any(|hole| hole == below.kind())).collect();
        for hole in below {
            let inner: Vec<Node<'t>> = super::shape::children(hole);
            for one in inner {
                let value = self.value(one);
                self.lost(&value, one, "it becomes a part of a text");
            }
        }
        Value::Text(node)
    }

    /// A column that is named before it is known whose it is.
    pub(super) fn unread(&mut self, whole: Node<'t>, name: Node<'t>, named: Named) -> Value<'t> {
        let mentions = vec![Mention { whole, name, read: false, field: false }];
        Value::Columns(Rc::new(super::value::Columns { mentions, named, ..super::value::Columns::default() }))
    }

    fn operator(&mut self, node: Node<'t>, word: &str, operands: &[Node<'t>]) -> Value<'t> {
        let values = self.reached_in_turn(operands);
        if matches!(word, "&&" | "||" | "and" | "or" | "??")
            && values.iter().all(|(_, value)| matches!(value, Value::Plain | Value::Nothing))
        {
            return Value::Plain;
        }
        if word == "->" && self.tree.language.facts.name == "scala" {
            return Value::tuple(values.into_iter().map(|(_, value)| value).collect());
        }
        let value = self.calculated(node, values);
        match value {
            Value::Columns(columns) if super::use_of_value::compares(word) => {
                Value::Columns(Rc::new(super::value::Columns { compares: true, ..(*columns).clone() }))
            }
            value => value,
        }
    }

    /// A new value that is calculated of others.
    pub(super) fn calculated(&mut self, whole: Node<'t>, values: Vec<(Node<'t>, Value<'t>)>) -> Value<'t> {
        // A condition beside another one may be of columns that are named elsewhere.
        let conditions =
            matches!(shape(whole), Shape::Operator(word, _) if matches!(word.as_str(), "&" | "|" | "&&" | "||"));
        let mut columns = super::value::Columns::default();
        let mut any = false;
        for (node, value) in &values {
            for one in value.alternatives() {
                match &one {
                    Value::Columns(more) => {
                        any = true;
                        columns.add(more);
                        if columns.keeps.is_none() {
                            columns.keeps.clone_from(&more.keeps);
                        }
                    }
                    Value::Plain
                        if conditions && !matches!(shape(*node), Shape::Constant) || self.may_be_column(*node) =>
                    {
                        columns.mentions.push(Self::unseen(*node));
                    }
                    Value::Plain => {}
                    Value::Text(_) => self.read_elsewhere(&one),
                    _ => self.lost(value, *node, "it is calculated with as a whole"),
                }
            }
        }
        if any { Value::Columns(Rc::new(columns)) } else { Value::Plain }
    }

    /// Gives the parts of a pattern the parts of a value.
    pub(super) fn assign(&mut self, target: Node<'t>, value: Value<'t>, from: Option<Node<'t>>, binds: bool) {
        match shape(target) {
            Shape::Name if target.text() == "_" => {}
            Shape::Name => {
                let name = target.text();
                self.called_besides(target, &value);
                self.hold(target, &value);
                from.into_iter().for_each(|from| self.read_as_table(from));
                self.shown(target, &value);
                if matches!(value, Value::Frame(_) | Value::Either(_)) && self.tree.language.facts.name == "python" {
                    let sources = self.changing(&value);
                    self.framed.entry(name.to_owned()).or_default().extend(sources);
                }
                if binds { self.bind(name, value) } else { self.rebind(target, value) }
            }
            Shape::Same(inner) => self.assign(inner, value, from, binds),
            Shape::Sequence(items) => {
                // `const [rows] = …` leaves the rest.
                let open = target.kind() == "array_pattern";
                for alternative in value.alternatives() {
                    match alternative {
                        Value::Tuple(values) if values.len() == items.len() || open && values.len() > items.len() => {
                            for (item, value) in items.iter().zip(values.iter()) {
                                self.assign(*item, value.clone(), None, binds);
                            }
                        }
                        Value::Plain | Value::Text(_) => {
                            for item in &items {
                                self.assign(*item, Value::Plain, None, binds);
                            }
                        }
                        Value::Many(element) => {
                            for item in &items {
                                self.assign(*item, (*element).clone(), None, binds);
                            }
                        }
                        other => {
                            self.lost(&other, target, "it is taken apart by place");
                            for item in &items {
                                self.assign(*item, Value::Plain, None, binds);
                            }
                        }
                    }
                }
            }
            Shape::Pairs(pairs) => self.destructure(target, &pairs, &value, binds),
            Shape::Index { object, keys } => self.assign_index(target, object, &keys, &value, from),
            Shape::Member { object, name } => self.assign_member(object, name, &value, from),
            Shape::Nothing | Shape::Constant | Shape::Text => {}
            _ => {
                let names: HashSet<NodeId> =
                    target.descendants().filter(|below| matches!(shape(*below), Shape::Name)).map(|n| n.id).collect();
                self.lost(&value, target, "it is taken apart in a way that gander does not follow");
                for name in names {
                    let text = self.tree.node(name).text();
                    self.bind(text, Value::Plain);
                }
            }
        }
    }

    /// Marks names that are read from what is not followed.
    pub(super) fn read_elsewhere(&mut self, value: &Value<'t>) {
        for one in value.alternatives() {
            match one {
                Value::Text(text) => {
                    if let Some((content, range)) = self.literal(text) {
                        self.elsewhere.insert(range.start);
                        let starts = words(&content, false).into_iter().map(|(at, _)| range.start + at);
                        self.elsewhere.extend(starts);
                    }
                }
                Value::Columns(columns) => {
                    let unread: Vec<Mention<'t>> =
                        columns.mentions.iter().filter(|mention| !mention.read).copied().collect();
                    for mention in unread {
                        if let Some((_, range)) = self.spelled(&mention) {
                            self.elsewhere.insert(range.start);
                        }
                    }
                }
                Value::Tuple(all) => all.iter().for_each(|one| self.read_elsewhere(one)),
                _ => {}
            }
        }
    }

    /// What a hit in a row leads to.
    pub(super) fn part_of(&self, data: &Data, parts: Option<(usize, usize)>, style: super::value::Style) -> Value<'t> {
        match parts {
            Some((source, column)) => {
                let fields = super::value::Rest::Fields(source, column);
                Value::row(style, Data { exact: data.exact, ..Data::of(fields) })
            }
            None => Value::Plain,
        }
    }

    pub(super) fn hit(&self, data: &Data, name: &str) -> Hit {
        data.find(name, &self.datasets_of, self.datasets)
    }
}
