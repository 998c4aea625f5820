//! Series of pandas, what is written into frames, and queries in their texts.

use std::rc::Rc;

use super::Flow;
use super::call::Method;
use super::note::Place;
use super::pandas::{ENDS, LEAVES, WRITES};
use super::shape::{Shape, shape};
use super::value::{Columns, Data, Inner, Library, Mention, Named, Value};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Role};
use crate::language::by_name;
use crate::tree::{Node, parse_embedded};

impl<'t> Flow<'t> {
    pub(super) fn series_method(&mut self, columns: &Rc<Columns<'t>>, method: &Method<'t>) -> Value<'t> {
        let word = method.word();
        if ENDS.contains(&word) {
            return Value::Plain;
        }
        if WRITES.contains(&word) {
            self.written_out(&Value::Columns(Rc::clone(columns)), method.name, LEAVES);
            return Value::Plain;
        }
        if matches!(word, "apply" | "map") {
            for one in &method.arguments {
                if let Value::Function(function) = one.value.clone() {
                    self.run(&function, vec![Value::Plain], one.node);
                }
            }
        }
        if matches!(word, "rename" | "to_frame" | "reset_index" | "groupby" | "describe" | "unstack" | "pipe" | "agg") {
            self.lost(
                &Value::Columns(Rc::clone(columns)),
                method.name,
                "a series gets another name, or a frame is made of it",
            );
        }
        Value::Columns(Rc::new(Columns { named: Named::Made, ..(**columns).clone() }))
    }

    pub(super) fn series_member(&mut self, columns: &Rc<Columns<'t>>, name: Node<'t>) -> Value<'t> {
        match name.text() {
            "shape" | "size" | "empty" | "dtype" | "values" | "index" => Value::Plain,
            "name" => {
                self.lost(&Value::Columns(Rc::clone(columns)), name, "the name of a column is read as a value");
                Value::Plain
            }
            _ => Value::Columns(Rc::new(Columns { named: Named::Made, ..(**columns).clone() })),
        }
    }

    /// `frame["c"] = value`, `frame.loc[rows, "c"] = value`
    pub(super) fn assign_index(
        &mut self,
        target: Node<'t>,
        object: Node<'t>,
        keys: &[Node<'t>],
        value: &Value<'t>,
        from: Option<Node<'t>>,
    ) {
        let receiver = self.value(object);
        for one in receiver.alternatives() {
            let data = match &one {
                Value::Frame(frame) if frame.library == Library::Pandas => frame.data.clone(),
                Value::Row(row) => row.data.clone(),
                Value::Plain | Value::Text(_) => {
                    for key in keys {
                        let value = self.value(*key);
                        self.read_elsewhere(&value);
                    }
                    self.lost(value, target, "it goes into a collection by name");
                    continue;
                }
                other => {
                    self.lost(&other.clone(), target, "it is changed in a way that gander does not follow");
                    continue;
                }
            };
            let (Some(key), true) = (keys.last(), keys.len() <= 2) else { continue };
            if keys.len() == 2 {
                self.value(keys[0]);
            }
            let mention = Mention { whole: *key, name: *key, read: true, field: false };
            let Some((name, range)) = matches!(shape(*key), Shape::Text).then(|| self.spelled(&mention)).flatten()
            else {
                self.lost(&one, target, "which column is written is not shown here");
                continue;
            };
            match self.hit(&data, &name) {
                super::value::Hit::Unlisted(_) | super::value::Hit::Other | super::value::Hit::Carried(..) => {
                    self.arrives(&data, &name, range.clone());
                    self.elsewhere.insert(range.start);
                    if let (Value::Frame(frame), Shape::Name) = (&one, shape(object)) {
                        let mut after = frame.clone();
                        after.data.set(&name, Inner::Own);
                        self.assign(object, Value::Frame(after), None, false);
                    }
                }
                _ => {
                    let place = Place { role: Role::Target, ..Place::read(Library::Pandas).at(Position::Write) };
                    self.mention(&mention, &data, place);
                    self.written(range, from);
                }
            }
        }
    }

    /// What is written into a column: literals, or something else.
    pub(super) fn written(&mut self, range: std::ops::Range<usize>, from: Option<Node<'t>>) {
        use crate::dataset::usage::{Form, ValueUse};
        let value =
            from.map_or(
                ValueUse::Elsewhere("it is written from a value that keeps the old meaning"),
                |from| match shape(from) {
                    Shape::Text | Shape::Constant => self.compared(&[from]),
                    _ => ValueUse::Elsewhere("it is written from a value that keeps the old meaning"),
                },
            );
        for (_, one) in self.noted.get_mut(&(range.start, range.end)).into_iter().flatten() {
            if let Form::Column(form) = &mut one.form
                && form.role == Role::Target
            {
                form.value = value.clone();
            }
        }
    }

    /// `object.name = value`
    pub(super) fn assign_member(
        &mut self,
        object: Node<'t>,
        name: Node<'t>,
        value: &Value<'t>,
        from: Option<Node<'t>>,
    ) {
        let receiver = self.value(object);
        for one in receiver.alternatives() {
            match &one {
                Value::Plain | Value::Text(_) => {
                    self.elsewhere.insert(name.range().start);
                    self.lost(value, from.unwrap_or(name), "it is kept in an object, where others may read it");
                }
                other => self.lost(&other.clone(), name, "it is changed in a way that gander does not follow"),
            }
        }
    }

    /// `country_code == 'DE' and plan_type in ['P']`: an expression of Python over columns.
    pub(super) fn query_text(&mut self, text: Node<'t>, data: &Data) {
        let lost = |flow: &mut Self, why: &str| {
            for source in flow.changing_names(data) {
                flow.doubt(source, Doubt::open(text.range(), why));
            }
        };
        let (Some((content, range)), Some(language)) = (self.literal(text), by_name("python")) else {
            lost(self, "a query whose text is not written as it is");
            return;
        };
        let Ok(tree) = parse_embedded(language, content.as_str(), range.start) else {
            lost(self, "a query that gander can't read");
            return;
        };
        // What backticks hold is a name, and none of Python's.
        if content.contains('`') || tree.iter().any(|node| node.is_error() || node.is_missing()) {
            lost(self, "a query that gander can't read");
            return;
        }
        let mut inner = Flow::new(&tree, self.datasets, self.around);
        inner.datasets_of.clone_from(&self.datasets_of);
        inner.places.clone_from(&self.places);
        inner.with = (0..self.datasets_of.len()).collect();
        let names: Vec<Node<'_>> = tree.iter().filter(|node| matches!(node.kind(), "identifier")).collect();
        for name in names {
            let is_attribute = name
                .parent()
                .is_some_and(|parent| parent.kind() == "attribute" && name.field_name() == Some("attribute"));
            if !is_attribute {
                let mention = Mention { whole: name, name, read: true, field: false };
                let parts = inner.mention(&mention, data, Place::read(Library::Pandas).at(Position::Filter));
                inner.struct_goes_on(parts, name);
            }
        }
        // The quotes around are the code's.
        self.texts.extend(crate::dataset::text::read(text, crate::dataset::text::Placeholders::None, false));
        let (noted, doubts) = (inner.noted, inner.doubts);
        for (_, uses) in noted {
            for (source, one) in uses {
                self.add(source, one);
            }
        }
        for (source, doubt) in doubts {
            self.doubt(source, doubt);
        }
    }
}
