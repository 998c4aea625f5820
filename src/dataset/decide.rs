//! What becomes of a unit: all of it moves, or nothing does.
//!
//! Must not: read code. Uses say what stands where.

use std::ops::Range;

use super::Datasets;
use super::mapping::{At, Becomes, Column, Literal, Values};
use super::reserved;
use super::usage::{ColumnForm, Form, LiteralUse, Of, Role, Unit, Use, ValueUse};

/// What becomes of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It moves: bytes of the file and what stands there afterwards, in order, disjoint.
    Mapped(Vec<(Range<usize>, String)>),
    /// It stays, with a comment.
    Annotated(Reason),
    /// It stays, and the change set is refused.
    Refused(Reason),
}

/// Why a unit stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Where, in bytes of the file.
    pub range: Range<usize>,
    /// Why, for people.
    pub why: String,
}

/// What the code around a unit asks of the text that is written into it.
pub trait Host {
    /// Whether `text` may stand at `range` as it is: no quote, escape or hole is crossed.
    fn fits(&self, range: &Range<usize>, text: &str) -> bool;

    /// The quote of a literal of SQL that had none before.
    fn quote(&self, range: &Range<usize>) -> Option<char>;
}

/// A file of SQL: everything fits.
pub struct Plain;

impl Host for Plain {
    fn fits(&self, _: &Range<usize>, _: &str) -> bool {
        true
    }

    fn quote(&self, _: &Range<usize>) -> Option<char> {
        Some('\'')
    }
}

/// Decides on a unit.
pub fn decide(unit: &Unit, datasets: &Datasets, host: &dyn Host) -> Fate {
    let mut verdict = Verdict::default();
    for doubt in &unit.doubts {
        verdict.stay(doubt.refuses, doubt.range.clone(), &doubt.why);
    }
    let names = unit.uses.iter().filter_map(|one| match &one.form {
        Form::Name(edits) => Some(edits),
        _ => None,
    });
    verdict.names = names.flatten().cloned().collect();
    let mut moves = false;
    for one in unit.uses.iter().filter(|one| !datasets.mappings[one.dataset].by_rules) {
        moves |= matches!(one.form, Form::Name(_));
        verdict.of_use(one, datasets, host);
    }
    let anything = !verdict.edits.is_empty();
    // Whatever else holds it says more.
    let held = verdict.annotated.is_some() || verdict.refused.is_some() || verdict.told.is_some();
    if anything && !moves && !held {
        verdict.stay(false, unit.range.clone(), "the dataset itself is not named here");
    }
    verdict.fate(host)
}

#[derive(Default)]
struct Verdict {
    edits: Vec<(Range<usize>, String)>,
    annotated: Option<Reason>,
    refused: Option<Reason>,
    /// The first use that is only told of; what says more of the unit goes before it.
    told: Option<Range<usize>>,
    /// Edits of names of tables.
    names: Vec<(Range<usize>, String)>,
    /// What expressions replace, qualifiers included.
    replaced: Vec<Range<usize>>,
}

impl Verdict {
    fn stay(&mut self, refuses: bool, range: Range<usize>, why: &str) {
        let slot = if refuses { &mut self.refused } else { &mut self.annotated };
        if slot.as_ref().is_none_or(|known| range.start < known.range.start) {
            *slot = Some(Reason { range, why: why.to_owned() });
        }
    }

    fn fate(mut self, host: &dyn Host) -> Fate {
        // A qualifier went into the expression that replaced it.
        let (names, replaced) = (std::mem::take(&mut self.names), std::mem::take(&mut self.replaced));
        let inside =
            |range: &Range<usize>| replaced.iter().any(|whole| whole.start <= range.start && range.end < whole.end);
        self.edits.retain(|edit| !(inside(&edit.0) && names.contains(edit)));
        self.edits.sort_by(|a, b| (a.0.start, a.0.end, &a.1).cmp(&(b.0.start, b.0.end, &b.1)));
        self.edits.dedup();
        for pair in 1..self.edits.len() {
            let (before, after) = (self.edits[pair - 1].0.clone(), self.edits[pair].0.clone());
            if after.start < before.end || after == before {
                self.stay(false, after, "two changes of the same place");
            }
        }
        if let (None, Some(range)) = (&self.annotated, self.told.take()) {
            self.stay(false, range, "gander can't rewrite this place");
        }
        let unfit = self.edits.iter().find(|(range, text)| !host.fits(range, text)).map(|(range, _)| range.clone());
        if let Some(range) = unfit {
            self.stay(false, range, "the new text can't be written here: it would cross a quote, an escape or a hole");
        }
        match (self.refused, self.annotated) {
            (Some(reason), _) => Fate::Refused(reason),
            (None, Some(reason)) => Fate::Annotated(reason),
            (None, None) => Fate::Mapped(self.edits),
        }
    }

    fn of_use(&mut self, one: &Use, datasets: &Datasets, host: &dyn Host) {
        let mapping = &datasets.mappings[one.dataset];
        match (&one.of, &one.form) {
            (Of::Dataset, Form::Name(edits)) => self.edits.extend(edits.iter().cloned()),
            (Of::Unlisted(name), _) => {
                self.stay(
                    false,
                    one.range.clone(),
                    &format!("the mapping of {} does not list {name}", mapping.dataset),
                );
            }
            (Of::Column(column), _) if mapping.columns[*column].is_kept() => {}
            (Of::Column(column), Form::Column(form)) => self.of_column(one, &mapping.columns[*column], form, host),
            (Of::Field(column, field), Form::Column(form)) => {
                let (old, new) = &mapping.columns[*column].fields[*field];
                if old != new {
                    self.rename(form, new);
                }
            }
            _ => self.told = self.told.take().or_else(|| Some(one.range.clone())),
        }
    }

    fn rename(&mut self, form: &ColumnForm, new: &str) {
        let renamed = form.accessor.as_ref().and_then(|accessor| accessor.renamed.as_deref());
        self.edits.push((form.inner.clone(), renamed.unwrap_or(new).to_owned()));
        if let Some(alias) = &form.alias {
            self.edits.push((form.whole.end..form.whole.end, alias.clone()));
            if let Some(lead) = form.accessor.as_ref().and_then(|accessor| accessor.lead.clone()) {
                self.edits.push((form.whole.start..form.whole.start, lead));
            }
        }
    }

    fn of_column(&mut self, one: &Use, column: &Column, form: &ColumnForm, host: &dyn Host) {
        let stays = |at: At| at != At::Map;
        let at = column.at(one.position);
        if stays(at) {
            self.stay(at == At::Refuse, one.range.clone(), &column.held_at(one.position));
            return;
        }
        match &column.becomes {
            Becomes::Annotate(why) => self.stay(false, one.range.clone(), &format!("{}: {why}", column.name)),
            Becomes::Refuse(why) => self.stay(true, one.range.clone(), &format!("{}: {why}", column.name)),
            Becomes::Drop(why) => match &form.removable {
                Some(range) => self.edits.push((range.clone(), String::new())),
                None => self.stay(true, one.range.clone(), &format!("{} has no successor: {why}", column.name)),
            },
            Becomes::Expressions(all) => {
                let language = form.accessor.as_ref().map_or("sql", |accessor| accessor.language);
                self.expression(one, column, form, language, all.get(language));
            }
            Becomes::To(new) => {
                let renamed = *new != column.name;
                if form.role == Role::Using && (renamed || column.values.is_some()) {
                    self.stay(false, one.range.clone(), "the two sides would no longer have the column in common");
                    return;
                }
                if renamed && self.is_no_name(one, form, new) {
                    return;
                }
                if renamed {
                    self.rename(form, new);
                }
                if let Some(values) =
                    column.values.as_ref().filter(|_| form.role != Role::Star || !matches!(form.value, ValueUse::Same))
                {
                    self.values(one, column, form, values, host);
                }
            }
        }
    }

    /// Whether a new name would be read as a word of SQL where the old one stands; the unit stays.
    fn is_no_name(&mut self, one: &Use, form: &ColumnForm, new: &str) -> bool {
        let quoted = form.spelled.starts_with(['`', '"', '[']);
        let wrong = form.accessor.is_none() && !quoted && reserved::is_word_of_sql(new);
        if wrong {
            let why = format!("its new name, {new}, is a word of SQL: it has to be written in quotes");
            self.stay(false, one.range.clone(), &why);
        }
        wrong
    }

    fn expression(
        &mut self,
        one: &Use,
        column: &Column,
        form: &ColumnForm,
        language: &str,
        expression: Option<&super::mapping::Expression>,
    ) {
        let Some(expression) = expression else {
            let language = if language == "sql" { "SQL" } else { language };
            let why = format!("the mapping gives no expression in {language} for {}", column.name);
            self.stay(false, one.range.clone(), &why);
            return;
        };
        if expression.columns().any(|name| self.is_no_name(one, form, name)) {
            return;
        }
        match form.role {
            Role::Target => {
                let why = format!("{} became an expression, which can't be written", column.name);
                self.stay(true, one.range.clone(), &why);
                return;
            }
            Role::Using | Role::UsingAlike | Role::Star => {
                let why = format!("{} became an expression, and a name is needed here", column.name);
                self.stay(false, one.range.clone(), &why);
                return;
            }
            Role::Value => {}
        }
        let quote = form.spelled.chars().next().filter(|first| matches!(first, '`' | '"'));
        let qualifier = self.qualifier(form);
        let spell = |name: &str| match (&form.accessor, quote) {
            (Some(code), _) => format!("{}{name}{}", code.before, code.after),
            (None, Some(quote)) => format!("{qualifier}{quote}{name}{quote}"),
            (None, None) => format!("{qualifier}{name}"),
        };
        let mut text = expression.write(spell);
        if form.operand && expression.is_open() {
            text = format!("({text})");
        }
        if let Some(alias) = &form.alias {
            // The parenthesis that closes what a name would be led in by.
            let led = form.accessor.as_ref().is_some_and(|accessor| accessor.lead.is_some());
            text.push_str(alias.strip_prefix(')').filter(|_| led).unwrap_or(alias));
        }
        self.replaced.push(form.whole.clone());
        self.edits.push((form.whole.clone(), text));
    }

    /// What stands before a name, with the new names of the tables in it.
    fn qualifier(&self, form: &ColumnForm) -> String {
        let mut text = form.qualifier.clone();
        let start = form.whole.start;
        let mut names: Vec<&(Range<usize>, String)> =
            self.names.iter().filter(|(range, _)| start <= range.start && range.end <= start + text.len()).collect();
        names.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        names.dedup();
        for (range, new) in names {
            let local = range.start - start..range.end - start;
            if text.get(local.clone()).is_some() {
                text.replace_range(local, new);
            }
        }
        text
    }

    fn values(&mut self, one: &Use, column: &Column, form: &ColumnForm, values: &Values, host: &dyn Host) {
        let typed = |language: &str| matches!(language, "java" | "scala");
        if values.old != values.new && form.accessor.as_ref().is_some_and(|accessor| typed(accessor.language)) {
            let why = format!("the values of {} are of another type, and what reads them says theirs", column.name);
            self.stay(false, one.range.clone(), &why);
            return;
        }
        match &form.value {
            ValueUse::Same if values.are_distinct() => {}
            ValueUse::Same => {
                let why = format!("several values of {} become one, so that groups are other ones", column.name);
                self.stay(false, one.range.clone(), &why);
            }
            ValueUse::Elsewhere(why) => {
                self.stay(false, one.range.clone(), &format!("the values of {} change, and {why}", column.name));
            }
            ValueUse::Literals(literals) => {
                for literal in literals {
                    self.literal(literal, column, values, host);
                }
            }
        }
    }

    fn literal(&mut self, literal: &LiteralUse, column: &Column, values: &Values, host: &dyn Host) {
        let Some(value) = &literal.value else {
            let why =
                format!("{} is compared with {}, of which the value is not known here", column.name, literal.text);
            self.stay(false, literal.range.clone(), &why);
            return;
        };
        let kind = literal.quoted == (values.old == Literal::String);
        let Some(new) = values.rows.get(value).filter(|_| kind) else {
            let why = format!("{} has no row in the values of {}", literal.text, column.name);
            self.stay(false, literal.range.clone(), &why);
            return;
        };
        match (literal.quoted, values.new) {
            // The quotes stay as they are.
            (true, Literal::String) => self.edits.push((literal.range.start + 1..literal.range.end - 1, new.clone())),
            (false, Literal::String) => match host.quote(&literal.range) {
                Some(quote) => self.edits.push((literal.range.clone(), format!("{quote}{new}{quote}"))),
                None => self.stay(false, literal.range.clone(), "no quote is left for the new literal"),
            },
            _ => self.edits.push((literal.range.clone(), new.clone())),
        }
    }
}

/// Puts units together that share a place: they move as one.
pub fn merged(units: Vec<Unit>) -> Vec<Unit> {
    let mut merged: Vec<Unit> = Vec::new();
    for unit in units {
        let writes = |unit: &Unit| -> Vec<Range<usize>> {
            let names = unit.uses.iter().filter(|one| one.of == Of::Dataset);
            names.map(|one| one.range.clone()).collect()
        };
        let own = writes(&unit);
        let mut joined = unit;
        let (same, other): (Vec<Unit>, Vec<Unit>) =
            merged.into_iter().partition(|known| writes(known).iter().any(|range| own.contains(range)));
        merged = other;
        for known in same {
            joined.range = joined.range.start.min(known.range.start)..joined.range.end.max(known.range.end);
            joined.uses.extend(known.uses);
            joined.doubts.extend(known.doubts);
            joined.gives.extend(known.gives);
        }
        joined.uses.sort_by_key(|one| (one.range.start, one.range.end));
        joined.uses.dedup();
        merged.push(joined);
    }
    merged.sort_by_key(|unit| unit.range.start);
    merged
}
