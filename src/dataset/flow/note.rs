//! What is found, as uses and doubts of the sources that they are of; in the end, units.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Flow;
use super::shape::{Shape, shape};
use super::value::{Data, Hit, Library, Mention, Value};
use crate::dataset::mapping::Position;
use crate::dataset::sql::{self, Dialect, Setting};
use crate::dataset::text::{self, Placeholders, Text};
use crate::dataset::usage::{Accessor, ColumnForm, Doubt, Form, Of, Role, Unit, Use};
use crate::dataset::word::is_word;
use crate::language::{by_name, literal};
use crate::tree::{Node, parse_embedded};

/// Where a column is named, and what that asks of its name.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) position: Position,
    pub(super) role: Role,
    /// Whether its name leaves with it.
    pub(super) leaves: bool,
    /// Whether it names a variable, too.
    pub(super) binds: bool,
    pub(super) library: Option<Library>,
}

impl Place {
    pub(super) fn read(library: Library) -> Self {
        Self { position: Position::Read, role: Role::Value, leaves: false, binds: false, library: Some(library) }
    }

    pub(super) fn at(self, position: Position) -> Self {
        Self { position, ..self }
    }

    /// What is compared decides what is kept, wherever it stands.
    pub(super) fn compared(self) -> Self {
        if self.position == Position::Read { self.at(Position::Filter) } else { self }
    }

    /// As [`Place::compared`], of what something is grouped by.
    pub(super) fn grouped(self) -> Self {
        if self.position == Position::Read { self.at(Position::Group) } else { self }
    }
}

impl<'t> Flow<'t> {
    /// A new source: a dataset that is read where `node` names it.
    pub(super) fn source(&mut self, node: Node<'t>, dataset: usize, range: Range<usize>, form: Form) -> usize {
        if let Some(known) = self.known.get(&node.id) {
            return *known;
        }
        let source = self.datasets_of.len();
        self.known.insert(node.id, source);
        self.datasets_of.push(dataset);
        self.places.push(range.clone());
        self.with.push(source);
        self.accounted.insert(node.range().start);
        let one = Use { range, dataset, of: Of::Dataset, position: Position::Read, form };
        self.add(source, one);
        source
    }

    pub(super) fn add(&mut self, source: usize, one: Use) {
        let at = self.noted.entry((one.range.start, one.range.end)).or_default();
        if !at.iter().any(|(of, known)| *of == source && *known == one) {
            at.push((source, one));
        }
    }

    pub(super) fn doubt(&mut self, source: usize, doubt: Doubt) {
        let of_source = self.doubts.iter().filter(|(of, _)| *of == source);
        if of_source.clone().count() < MAX_DOUBTS && !of_source.into_iter().any(|(_, known)| *known == doubt) {
            self.doubts.push((source, doubt));
        }
    }

    /// A value goes where it is not followed.
    pub(super) fn lost(&mut self, value: &Value<'t>, node: Node<'t>, why: &str) {
        self.written_out(value, node, why);
        self.lose(value, node);
    }

    /// A value goes where only the names in it matter: it is written with them.
    pub(super) fn written_out(&mut self, value: &Value<'t>, node: Node<'t>, why: &str) {
        for source in self.changing(value) {
            self.doubt(source, Doubt::open(node.range(), why));
        }
    }

    /// The sources of a value of which something changes under a name that it has.
    pub(super) fn changing(&self, value: &Value<'t>) -> Vec<usize> {
        match value {
            Value::Frame(frame) | Value::Grouped(frame, _) => self.changing_names(&frame.data),
            Value::Row(row) => self.changing_names(&row.data),
            Value::Columns(columns) => {
                let mut all: Vec<usize> = columns.keeps.as_ref().map_or(Vec::new(), |data| self.changing_names(data));
                all.extend(columns.parts.map(|(source, _)| source));
                all
            }
            Value::Many(inner) => self.changing(inner),
            Value::Tuple(all) | Value::Either(all) => all.iter().flat_map(|one| self.changing(one)).collect(),
            Value::Handle(data) => data.sources(),
            Value::Plain | Value::Nothing | Value::Text(_) | Value::Function(_) => Vec::new(),
        }
    }

    pub(super) fn changing_names(&self, data: &Data) -> Vec<usize> {
        use super::value::{Inner, Rest};
        let named = data.names.values().filter_map(|inner| match *inner {
            Inner::Raw(source, column) => {
                let kept = self.datasets.mappings[self.datasets_of[source]].columns[column].is_kept();
                (!kept).then_some(source)
            }
            Inner::Fields(source, _) => Some(source),
            Inner::Own | Inner::Carried(..) => None,
        });
        let rest = data.rest.iter().filter_map(|rest| match rest {
            Rest::Source(source) | Rest::Fields(source, _) => Some(*source),
            _ => None,
        });
        named.chain(rest).collect()
    }

    /// The text of a literal and where it stands, if it is written as it is.
    pub(super) fn literal(&self, node: Node<'t>) -> Option<(String, Range<usize>)> {
        let language = self.tree.language;
        if !language.is_string(node.kind_id()) {
            return None;
        }
        let text = node.text();
        let holes = &language.facts.string.holes;
        if node.descendants().any(|below| holes.iter().any(|hole| hole == below.kind())) {
            return None;
        }
        let parts = literal::dissect(language, text)?;
        let content = &text[parts.content.clone()];
        if literal::value(language, text).as_deref() != Some(content) {
            return None;
        }
        let start = node.range().start;
        Some((content.to_owned(), start + parts.content.start..start + parts.content.end))
    }

    /// The name that a mention spells, and its bytes.
    pub(super) fn spelled(&self, mention: &Mention<'t>) -> Option<(String, Range<usize>)> {
        match shape(mention.name) {
            Shape::Text => self.literal(mention.name),
            Shape::Mention => {
                let text = mention.name.text();
                let start = text.find(is_word)?;
                let name: String = text[start..].chars().take_while(|c| is_word(*c) || *c == '.').collect();
                let at = mention.name.range().start + start;
                let range = at..at + name.len();
                Some((name, range))
            }
            _ => Some((mention.name.text().to_owned(), mention.name.range())),
        }
    }

    /// Notes what a mention names in `data`; the parts of it, where it has some.
    pub(super) fn mention(&mut self, mention: &Mention<'t>, data: &Data, place: Place) -> Option<(usize, usize)> {
        let Some((name, range)) = self.spelled(mention) else {
            for source in data.sources() {
                let why = "the name of a column is put together at run time";
                self.doubt(source, Doubt::open(mention.name.range(), why));
            }
            return None;
        };
        // What it is called is the column's own name, whatever the frame was joined with.
        if name == "*" {
            for source in self.changing_names(data).into_iter().filter(|_| mention.field) {
                let why = "all columns become fields of a struct, under their old names";
                self.doubt(source, Doubt::open(mention.name.range(), why));
            }
            return None;
        }
        let dotted = place.library == Some(Library::Spark) && name.contains('.');
        let (first, rest) = if dotted { name.split_once('.').unwrap_or((&name, "")) } else { (name.as_str(), "") };
        let hit = data.find(first, &self.datasets_of, self.datasets);
        let own = range.start..range.start + first.len();
        let parts = match hit {
            Hit::Other => {
                self.elsewhere.insert(range.start);
                self.arrives(data, first, own);
                None
            }
            Hit::Parts(source, column) => Some((source, column)),
            Hit::Carried(source, column) => {
                self.elsewhere.insert(range.start);
                self.reach(source, column, mention.whole, place.position);
                None
            }
            Hit::Column(source, column) => {
                let place = if rest.is_empty() { place } else { Place { leaves: false, ..place } };
                let place = Place { leaves: place.leaves || mention.field, ..place };
                self.column(mention, source, Of::Column(column), own, place);
                let fields = &self.datasets.mappings[self.datasets_of[source]].columns[column].fields;
                (!fields.is_empty()).then_some((source, column))
            }
            Hit::Field(source, column, field) => {
                self.column(mention, source, Of::Field(column, field), own, place);
                None
            }
            Hit::Unlisted(source) => {
                self.unlisted(source, first, own);
                None
            }
            Hit::Doubtful(source) => {
                self.doubtful(source, first, own);
                None
            }
        };
        if rest.is_empty() {
            return parts;
        }
        let (source, column) = parts?;
        let (field, deeper) = rest.split_once('.').unwrap_or((rest, ""));
        let at = range.start + first.len() + 1;
        let data = Data { exact: data.exact, ..Data::of(super::value::Rest::Fields(source, column)) };
        match data.find(field, &self.datasets_of, self.datasets) {
            Hit::Field(_, _, index) if deeper.is_empty() => {
                self.column(mention, source, Of::Field(column, index), at..at + field.len(), place);
            }
            _ => self.unlisted(source, rest, at..range.end),
        }
        None
    }

    fn unlisted(&mut self, source: usize, name: &str, range: Range<usize>) {
        let dataset = self.datasets_of[source];
        let of = Of::Unlisted(name.to_owned());
        self.add(source, Use { range, dataset, of, position: Position::Read, form: Form::Told });
    }

    fn doubtful(&mut self, source: usize, name: &str, range: Range<usize>) {
        let dataset = self.datasets_of[source];
        let mapping = &self.datasets.mappings[dataset];
        let Some(column) = mapping.index(name, true).filter(|column| !mapping.columns[*column].is_kept()) else {
            return;
        };
        let of = Of::Column(column);
        self.add(source, Use { range: range.clone(), dataset, of, position: Position::Read, form: Form::Told });
        let why = format!("{name} may be a column of {} or of the table that it is joined with", mapping.dataset);
        self.doubt(source, Doubt::refuse(range, why));
    }

    fn column(&mut self, mention: &Mention<'t>, source: usize, of: Of, range: Range<usize>, place: Place) {
        let dataset = self.datasets_of[source];
        let mapping = &self.datasets.mappings[dataset];
        let base = self.tree.base();
        let quote = self.tree.text()[range.start - base..].chars().nth(range.end - range.start);
        let quote = quote.filter(|c| matches!(c, '"' | '\'')).unwrap_or('"');
        let is_text = matches!(shape(mention.name), Shape::Text);
        let alone = is_text && mention.whole.id == mention.name.id;
        let spark = place.library == Some(Library::Spark);
        let mut whole = mention.whole.range();
        if range.start < whole.start || whole.end < range.end {
            // `KEY = "c"` and `F.col(KEY)`: who else reads the name is not looked for.
            let why = "the name of a column stands elsewhere than where it is read";
            self.doubt(source, Doubt::annotate(range.clone(), why));
            whole = range.clone();
        }
        let (before, after, lead) = if alone {
            let col = self.column_function().map(|col| format!("{col}("));
            let lead = col.clone();
            let before = col.unwrap_or_default();
            (format!("{before}{quote}"), format!("{quote})"), lead)
        } else {
            let text = |range: Range<usize>| self.tree.text()[range.start - base..range.end - base].to_owned();
            (text(whole.start..range.start), text(range.end..whole.end), None)
        };
        let name = self.tree.text()[range.start - base..range.end - base].to_owned();
        let alias = place.binds.then(|| format!(": {name}"));
        let alias = alias.or_else(|| {
            (place.leaves && spark).then(|| {
                let method = if self.tree.language.facts.name == "scala" { "as" } else { "alias" };
                let close = if alone { ")" } else { "" };
                format!("{close}.{method}({quote}{name}{quote})")
            })
        });
        let changed = match &of {
            Of::Column(column) => !mapping.columns[*column].is_kept(),
            _ => true,
        };
        if changed && alone && (place.leaves && spark) && lead.is_none() {
            let why = "its name must stay, and the functions of Spark are not imported here";
            self.doubt(source, Doubt::annotate(range.clone(), why));
        }
        let language = match place.library {
            Some(Library::Spark) if self.tree.language.facts.name == "python" => "pyspark",
            Some(Library::Pandas) => "pandas",
            _ => self.tree.language.facts.name.as_str(),
        };
        self.check_new_name(source, &of, mention, &range, language);
        // What is compared decides what is kept, wherever it stands.
        let position = self.position_of(mention.whole, place.position);
        let form = ColumnForm {
            qualifier: before.clone(),
            spelled: name,
            inner: range.clone(),
            role: named_role(place, mention, alone),
            value: self.use_of_value(mention.whole),
            alias: alias.filter(|_| changed),
            removable: None,
            operand: !alone,
            accessor: Some(Box::new(Accessor {
                language: known_language(language),
                before,
                after,
                lead,
                renamed: None,
            })),
            whole,
        };
        self.add(source, Use { range, dataset, of, position, form: Form::Column(form) });
    }

    /// How this file calls Spark's `col`.
    fn column_function(&self) -> Option<String> {
        let module = |path: &str| matches!(path, "pyspark.sql.functions" | "org.apache.spark.sql.functions");
        let mut named: Vec<(&String, &String)> = self.imports.iter().collect();
        named.sort();
        if let Some((name, _)) = named.iter().find(|(_, path)| module(path)) {
            return Some(format!("{name}.col"));
        }
        let function = named.iter().find(|(_, path)| {
            path.rsplit_once('.').is_some_and(|(of, name)| module(of) && matches!(name, "col" | "column"))
        });
        if let Some((name, _)) = function {
            return Some((*name).clone());
        }
        self.wildcards.iter().any(|path| module(path)).then(|| "col".to_owned())
    }

    /// A part of a query in a text, that reads columns of `data`.
    pub(super) fn fragment(&mut self, node: Node<'t>, data: &Data, prefix: &str, suffix: &str) {
        let sources = data.sources();
        let [source] = sources[..] else {
            if sources.is_empty() {
                self.read_elsewhere(&Value::Text(node));
            }
            for source in sources {
                self.doubt(source, Doubt::open(node.range(), "a part of a query reads several tables"));
            }
            return;
        };
        let simple = data.names.is_empty() && data.rest.len() == 1;
        let read = text::read(node, Placeholders::None, false).filter(|read| simple && read.start >= prefix.len());
        if read.is_none() && self.names_nothing(node, data) {
            return;
        }
        let Some(read) = read else {
            self.doubt(source, Doubt::open(node.range(), "a part of a query whose names are not all of the dataset"));
            return;
        };
        if !self.query(&read, source, prefix, suffix) {
            self.doubt(source, Doubt::open(node.range(), "a part of a query that gander can't read"));
        }
        self.texts.push(read);
    }

    fn query(&mut self, read: &Text, source: usize, prefix: &str, suffix: &str) -> bool {
        let Some(language) = by_name("sql") else { return false };
        let whole = format!("{prefix}{}{suffix}", read.masked);
        let Ok(tree) = parse_embedded(language, whole, read.start - prefix.len()) else { return false };
        let shifted = |hole: &Range<usize>| hole.start + prefix.len()..hole.end + prefix.len();
        let dialect = if self.around.dialect.is_google() && prefix.contains("spark_") {
            Dialect::Spark
        } else {
            self.around.dialect
        };
        let setting = Setting {
            dialect,
            holes: read.holes.iter().map(shifted).collect(),
            tables: BTreeMap::from([
                ("spark_t".to_owned(), self.datasets_of[source]),
                ("t_".to_owned(), self.datasets_of[source]),
            ]),
            ..Setting::default()
        };
        let units = sql::units(&tree, self.datasets, &setting);
        let inside = read.start..read.start + read.masked.len();
        for unit in units {
            for one in unit.uses {
                if one.range.start >= inside.start && one.range.end <= inside.end {
                    if one.of == Of::Dataset {
                        return false;
                    }
                    self.add(source, one);
                }
            }
            for doubt in unit.doubts {
                self.doubt(source, doubt);
            }
        }
        !tree.iter().any(|node| node.is_error() || node.is_missing())
    }

    /// Sources move together from now on.
    pub(super) fn together(&mut self, sources: &[usize]) {
        for pair in sources.windows(2) {
            let (a, b) = (self.root(pair[0]), self.root(pair[1]));
            self.with[a.max(b)] = a.min(b);
        }
    }

    fn root(&self, mut source: usize) -> usize {
        while self.with[source] != source {
            source = self.with[source];
        }
        source
    }

    /// The units, the texts that hold parts of queries, and where tables are named.
    pub(super) fn finish(mut self) -> (Vec<Unit>, Vec<Text>, BTreeSet<usize>) {
        if self.exhausted {
            for source in 0..self.datasets_of.len() {
                let why = "the file is too large or too deep to follow values through it";
                self.doubt(source, Doubt::open(self.places[source].clone(), why));
            }
        }
        self.hold_what_is_had();
        self.hold_what_names_hold();
        self.sweep_getters();
        self.sweep_names();
        let noted = std::mem::take(&mut self.noted);
        for ((start, _), uses) in &noted {
            let sources: Vec<usize> = uses.iter().map(|(source, _)| *source).collect();
            self.together(&sources);
            let first = &uses[0].1;
            let changed = |one: &Use| match one.of {
                Of::Column(column) => !self.datasets.mappings[one.dataset].columns[column].is_kept(),
                Of::Dataset => false,
                _ => true,
            };
            // What keeps its name may be of any of them.
            let differ = uses.iter().any(|(_, one)| changed(one))
                && uses.iter().any(|(_, one)| one.dataset != first.dataset || one.of != first.of);
            if differ || self.elsewhere.contains(start) && uses.iter().any(|(_, one)| changed(one)) {
                let why = "this place reads the dataset at one time and something else at another";
                self.doubt(sources[0], Doubt::open(first.range.clone(), why));
            }
        }
        let mut units: BTreeMap<usize, Unit> = BTreeMap::new();
        for (_, uses) in noted {
            let alias = uses.iter().find_map(|(_, one)| match &one.form {
                Form::Column(form) => form.alias.clone(),
                _ => None,
            });
            for (source, mut one) in uses {
                if let (Form::Column(form), Some(alias)) = (&mut one.form, &alias) {
                    form.alias = Some(alias.clone());
                }
                units.entry(self.root(source)).or_default().uses.push(one);
            }
        }
        for (source, doubt) in std::mem::take(&mut self.doubts) {
            units.entry(self.root(source)).or_default().doubts.push(doubt);
        }
        let mut all: Vec<Unit> = units.into_values().filter(|unit| !unit.uses.is_empty()).collect();
        for unit in &mut all {
            unit.uses.sort_by_key(|one| (one.range.start, one.range.end));
            let mut known: Vec<Use> = Vec::new();
            unit.uses.retain(|one| {
                let new = !known.contains(one);
                if new {
                    known.push(one.clone());
                }
                new
            });
            let ends = unit.uses.iter().map(|one| one.range.end).max().unwrap_or(0);
            unit.range = unit.uses[0].range.start..ends;
        }
        (all, self.texts, self.accounted)
    }

    /// The bytes that an accessor of this style calls a column of `data`.
    pub(super) fn getter(&mut self, name: Node<'t>, data: &Data) -> bool {
        let text = name.text();
        let (verb, position) = match text {
            _ if text.starts_with("get") => ("get", Position::Read),
            _ if text.starts_with("set") => ("set", Position::Write),
            _ if text.starts_with("has") => ("has", Position::Read),
            _ if text.starts_with("clear") => ("clear", Position::Write),
            _ => return false,
        };
        for source in data.sources() {
            let dataset = self.datasets_of[source];
            let mapping = &self.datasets.mappings[dataset];
            let wanted = &text[verb.len()..];
            let found = mapping.columns.iter().position(|column| camel(&column.name) == wanted);
            let range = name.range();
            let Some(column) = found else {
                self.unlisted(source, text, range);
                continue;
            };
            let new = mapping.columns[column].to().map(|new| format!("{verb}{}", camel(new)));
            let one = ColumnForm {
                whole: range.clone(),
                qualifier: String::new(),
                spelled: text.to_owned(),
                inner: range.clone(),
                role: if position == Position::Write { Role::Target } else { Role::Value },
                value: self.use_of_value(name),
                alias: None,
                removable: None,
                operand: false,
                accessor: Some(Box::new(Accessor {
                    language: known_language(self.tree.language.facts.name.as_str()),
                    before: String::new(),
                    after: String::new(),
                    lead: None,
                    renamed: new,
                })),
            };
            let of = Of::Column(column);
            if verb == "get" {
                self.value_goes(name, source, column);
            }
            let position = self.position_of(name, position);
            self.add(source, Use { range, dataset, of, position, form: Form::Column(one) });
        }
        true
    }

    /// A mention in a row.
    pub(super) fn row_place() -> Place {
        Place { position: Position::Read, role: Role::Value, leaves: false, binds: false, library: None }
    }
}

/// How many doubts of one source are kept: one is enough for it to stay.
const MAX_DOUBTS: usize = 64;

/// What a column is where its name stands alone: nothing but a name can stand there in a frame of pandas, in
/// a pattern, or for a keyword.
fn named_role(place: Place, mention: &Mention<'_>, text: bool) -> Role {
    let bare = mention.whole.id == mention.name.id && !matches!(shape(mention.name), Shape::Text | Shape::Mention);
    let only = bare || text && place.library == Some(Library::Pandas);
    if only && place.role == Role::Value { Role::Star } else { place.role }
}

fn known_language(name: &str) -> &'static str {
    ["pyspark", "pandas", "python", "scala", "java", "typescript", "tsx", "javascript"]
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("code")
}

/// `country_code` as a generated class has it: `CountryCode`.
pub(super) fn camel(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut upper = true;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            text.extend(c.to_uppercase());
            upper = false;
        } else {
            text.push(c);
        }
    }
    text
}
