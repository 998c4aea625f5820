//! What Scio reads: rows of tables, Avro records, case classes, sorted buckets.
//!
//! Must not: know what becomes of the rows.

use super::Flow;
use super::call::{Given, Method};
use super::shape::{Shape, shape};
use super::value::{Data, Mention, Rest, Style, Value};
use crate::dataset::usage::Doubt;
use crate::dataset::visible;
use crate::dataset::word::words;
use crate::tree::Node;

impl<'t> Flow<'t> {
    /// What Scio reads.
    pub(super) fn scio_reader(&mut self, method: &Method<'t>) -> Option<Value<'t>> {
        let rows = |style: Style, data: Data| Value::row(style, data).many();
        let first = method.arguments.first().cloned();
        let class = self.type_argument(method.node);
        match method.word() {
            "Spec" | "Ref" if method.object.text().ends_with("Table") => match &first?.value {
                Value::Text(text) => Some(self.table_text(*text, false).map_or(Value::Plain, Value::Handle)),
                handle @ Value::Handle(_) => Some(handle.clone()),
                _ => None,
            },
            "bigQueryTable" | "bigQueryStorage" | "typedBigQueryTable" | "tableRowJsonFile" => {
                let data = self.handle_of(&first?)?;
                let data = Data { exact: true, ..data };
                for one in method.arguments.iter().skip(1) {
                    self.storage_option(one, &data);
                }
                Some(rows(Style::Named, data))
            }
            "typedBigQuery" | "typedBigQueryStorage" => {
                let source = self.classes.get(class?.text()).copied()?;
                for one in &method.arguments {
                    self.lost(
                        &Value::Handle(Data::of(Rest::Source(source))),
                        one.node,
                        "what is read is said at the call",
                    );
                }
                Some(rows(Style::Field, Self::exact(Rest::Source(source))))
            }
            "avroFile" | "parquetAvroFile" | "objectFile" | "protobufFile" => self.avro_file(method, first?, class),
            "typedParquetFile" | "parquetTypeFile" => {
                let Value::Text(text) = &first?.value else { return None };
                let data = self.path_text(*text)?;
                self.lost(
                    &Value::Handle(data),
                    class.unwrap_or(method.name),
                    "its columns are the fields of a class that stays",
                );
                Some(Value::Plain)
            }
            // `new TableReference().setDatasetId(…).setTableId(…)`
            "setTableId" | "setDatasetId" | "setProjectId" => self.table_reference(method),
            // `AvroSortedBucketIO.read(new TupleTag[UserV1]("users"), classOf[UserV1]).from(path)`
            "from" => {
                let Value::Text(text) = &first?.value else { return None };
                let path = self.path_text(*text);
                let Shape::Call { arguments, .. } = shape(method.object) else { return None };
                let class = arguments.iter().find_map(|one| {
                    self.type_argument(one.value).filter(|_| one.value.text().starts_with("classOf"))
                })?;
                let source = self.generated(class)?;
                self.together(&path.iter().flat_map(Data::sources).chain([source]).collect::<Vec<_>>());
                Some(rows(Style::Getter, Self::exact(Rest::Source(source))))
            }
            "sortMergeJoin" | "sortMergeCoGroup" | "sortMergeGroupByKey" => Some(self.sort_merged(method)),
            "Projection" | "Predicate" => {
                let source = self.generated(class?)?;
                let row = Value::row(Style::Getter, Self::exact(Rest::Source(source)));
                for one in &method.arguments {
                    if let Value::Function(function) = one.value.clone() {
                        self.run(&function, vec![row.clone()], one.node);
                    } else {
                        self.lost(&row, one.node, "which columns are read is not written here");
                    }
                }
                Some(Value::Plain)
            }
            _ => None,
        }
    }

    /// Records of Avro, of a generated class or by a schema.
    fn avro_file(&mut self, method: &Method<'t>, first: Given<'t>, class: Option<Node<'t>>) -> Option<Value<'t>> {
        let rows = |style: Style, data: Data| Value::row(style, data).many();
        let generated = class.and_then(|class| self.generated(class));
        let path = match &first.value {
            Value::Text(text) => self.path_text(*text),
            _ => None,
        };
        for one in method.arguments.iter().skip(1) {
            self.value(one.node);
        }
        match (generated, path) {
            (Some(source), path) => {
                self.together(&path.iter().flat_map(Data::sources).chain([source]).collect::<Vec<_>>());
                Some(rows(Style::Getter, Self::exact(Rest::Source(source))))
            }
            (None, Some(data)) if class.is_none() => {
                if let Some(schema) = method.arguments.get(1) {
                    self.schema_of_records(&data, schema);
                }
                Some(rows(Style::Named, Data { exact: true, ..data }))
            }
            (None, Some(data)) => {
                let class = class?;
                self.lost(&Value::Handle(data), class, "its columns are the fields of a class that stays");
                Some(Value::Plain)
            }
            _ => None,
        }
    }

    /// A schema by which records are read. One that whoever calls gives is of what is read, unless
    /// another file of the consumer names a column.
    fn schema_of_records(&mut self, data: &Data, schema: &Given<'t>) {
        let given = matches!(shape(schema.node), Shape::Name);
        let mut datasets = data.sources().into_iter().map(|source| self.datasets_of[source]);
        let why = match (given, datasets.find_map(|dataset| self.around.named_elsewhere(dataset))) {
            (false, _) => "it is read by a schema that names the columns, too".to_owned(),
            (true, Some((column, place))) => {
                format!("it is read by a schema that is not shown here, and {place} names {column}")
            }
            (true, None) => return,
        };
        self.lost(&Value::Handle(data.clone()), schema.node, &why);
    }

    /// Buckets that are sorted by a key, joined by it.
    fn sort_merged(&mut self, method: &Method<'t>) -> Value<'t> {
        let mut values = Vec::new();
        for one in method.arguments.iter().skip(1) {
            values.push(match &one.value {
                Value::Many(element) => (**element).clone(),
                other => other.clone(),
            });
        }
        let sources: Vec<usize> = values.iter().flat_map(Value::sources).collect();
        self.together(&sources);
        if method.word() != "sortMergeJoin" {
            values
                .into_iter()
                .for_each(|value| self.lost(&value, method.name, "gander does not know this way to join"));
            return Value::Plain;
        }
        Value::tuple(vec![Value::Plain, Value::tuple(values)]).many()
    }

    /// The rows' table, of a name, a specification or a reference.
    fn handle_of(&mut self, one: &Given<'t>) -> Option<Data> {
        match &one.value {
            Value::Handle(data) => Some(data.clone()),
            Value::Text(text) => self.table_text(*text, false),
            _ => None,
        }
    }

    /// `selectedFields = List(…)`, `rowRestriction = "…"`
    fn storage_option(&mut self, one: &Given<'t>, data: &Data) {
        let value = Value::Handle(data.clone());
        match one.name {
            Some("selectedFields") => {
                let Shape::Call { arguments, .. } = shape(one.node) else {
                    self.lost(&value, one.node, "which columns are read is not written here");
                    return;
                };
                for item in arguments {
                    if !matches!(shape(item.value), Shape::Text) {
                        self.lost(&value, item.value, "which columns are read is not written here");
                        continue;
                    }
                    let mention = Mention { whole: item.value, name: item.value, read: true, field: false };
                    self.mention(&mention, data, Self::row_place());
                }
            }
            Some("rowRestriction") => {
                let plain = Data { exact: false, ..data.clone() };
                self.fragment(one.node, &plain, "select 1 from t_ where ", "");
            }
            _ => self.lost(&value, one.node, "an option that gander does not know"),
        }
    }

    /// A class whose fields a macro makes of a table.
    pub(super) fn class(&mut self, node: Node<'t>, name: Option<Node<'t>>) {
        let Some(name) = name.filter(|_| self.tree.language.facts.name == "scala") else { return };
        let annotation =
            node.named_children().find(|child| child.kind() == "annotation" && child.text().contains("fromTable"));
        let Some(annotation) = annotation else { return };
        let texts: Vec<Node<'t>> =
            annotation.descendants().filter(|below| matches!(shape(*below), Shape::Text)).collect();
        let Some(text) = texts.first() else { return };
        if let Some(data) = self.table_text(*text, false)
            && let [Rest::Source(source)] = data.rest[..]
        {
            self.classes.insert(name.text().to_owned(), source);
            if let Some(place) = self.around.spoken(name.text(), &visible::seen(node, name.text())) {
                let why = format!("{place} speaks of {}, too: what it reads there is not followed", name.text());
                self.doubt(source, Doubt::open(name.range(), why));
            }
            let renamed = |node: &Node<'t>| {
                node.kind() == "type_definition"
                    && words(node.text(), false).iter().any(|(_, word)| *word == name.text())
            };
            if let Some(other) = self.tree.iter().find(renamed) {
                let why = format!("{} has another name, too, and what reads that is not followed", name.text());
                self.doubt(source, Doubt::open(other.range(), why));
            }
            if texts.len() > 1 {
                self.doubt(source, Doubt::annotate(annotation.range(), "the table's name is put together"));
            }
        }
    }
}
