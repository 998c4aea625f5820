//! Imports that edits need, and those that they leave without a use: worked out once
//! a file, over what all its edits come to.
//!
//! Each language's import block keeps its order, and nothing is imported twice.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::deletion::head;
use super::import_block::{Block, Key, delicate, is_member, is_top, left_out, whole_lines};
use super::import_clash;
use super::import_list::{Apart, ModuleList, Spot};
use super::import_requests::{Asked, Gone, ImportRequest, Replaced, Unsettled};
use super::layout::{line_end, line_start};
use crate::edit::{Arranged, Edit, Fragment, Splice, in_old_text};
use crate::language::ImportFacts;
use crate::symbol::{Import, Symbols, Wanted, facts_of, is_in_force, normal};
use crate::tree::{Node, Tree};

/// The edits of the old text that settle its imports, given the new text and
/// what came of the old one.
///
/// # Errors
/// Where another edit writes the same lines, and where an import can't give its name to another one: the old tree
/// then knows that it keeps it.
pub fn settle(
    old: &Tree,
    new: &Tree,
    arranged: &Arranged,
    requests: &[(String, ImportRequest)],
) -> Result<Vec<Edit>, Unsettled> {
    if requests.is_empty() {
        return Ok(Vec::new());
    }
    settled(old, new, arranged, requests).inspect_err(|_| {
        for (_, request) in requests {
            if let ImportRequest::Succeed { new: heir, .. } = request {
                Symbols::of(old).keep(Some(&heir.bound()));
            }
        }
    })
}

fn settled(
    old: &Tree,
    new: &Tree,
    arranged: &Arranged,
    requests: &[(String, ImportRequest)],
) -> Result<Vec<Edit>, Unsettled> {
    let symbols = Symbols::of(new);
    let block = Block::new(new, &symbols, old);
    let Asked { gone, mut added, replaced } = Asked::of(&block, (old, new), arranged, requests)?;
    let mut changes = Changes::new(&block, new, &arranged.splices);
    // What is asked for is there already, or does not go after all.
    let of_member = |import: &Import| block.is_of_member(new.node(import.statement).text());
    let there = |wanted: &Wanted, member: bool, at: Option<Node<'_>>| {
        let same = |(index, import): (usize, &Import)| {
            // Members of a class and classes in it are two.
            let whole = wanted.name.as_deref() == Some("*");
            let path = normal(&import.path) == wanted.path() && (!whole || of_member(import) == member);
            let name = match wanted.name.as_deref() {
                Some("*") => import.name.is_none(),
                _ => import.name.as_deref() == Some(wanted.bound().as_str()),
            };
            let statement = new.node(import.statement);
            let seen = whole
                || is_top(statement)
                    && !symbols.is_for_types(new, import)
                    && at.is_none_or(|at| at.id == statement.id || is_in_force(statement, at));
            path && name && seen && !gone.contains_key(&index) && !replaced.contains_key(&index)
        };
        symbols.imports().iter().enumerate().any(same)
    };
    added.retain(|wanted, _| !there(wanted, block.has_members() && is_member(wanted, None), None));
    added.retain(|wanted, _| !replaced.values().any(|(heir, _)| heir == wanted));
    // Of several that bring the same, the first does, where all of the file sees it.
    let (mut stays, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for (index, (wanted, _)) in &replaced {
        let import = &symbols.imports()[*index];
        let (member, statement) = (of_member(import), new.node(import.statement));
        if there(wanted, member, Some(statement)) || seen.contains(&(wanted, member)) {
            continue;
        }
        if block.is_top(import) {
            seen.insert((wanted, member));
        }
        stays.insert(*index);
    }
    let mut statements: Vec<Node<'_>> = symbols.imports().iter().map(|i| new.node(i.statement)).collect();
    statements.sort_by_key(|s| s.id);
    statements.dedup_by_key(|s| s.id);
    let asked = Asked { gone, added, replaced };
    import_clash::looked_for(old, new, &block, &asked, &stays)?;
    let Asked { gone, added, replaced } = asked;
    for statement in statements {
        changes.statement_of(statement, &gone, &replaced, &stays)?;
    }
    let by_call = if added.is_empty() { None } else { block.brought_by_call(new) };
    for (wanted, rule) in &added {
        if let Some(why) = by_call.clone() {
            return Err(Unsettled { rule: rule.clone(), why });
        }
        changes.add(wanted, rule, &gone)?;
    }
    changes.finish()
}

struct Changes<'b, 't> {
    block: &'b Block<'t>,
    new: &'t Tree,
    splices: &'b [Splice],
    edits: Vec<Edit>,
    /// New lines, by the place in the new text where they go.
    inserted: BTreeMap<usize, Vec<(Key, Wanted, String)>>,
    /// The list of modules, where the language has them in one.
    list: Option<ModuleList<'t>>,
    /// New lines of the list.
    listed: BTreeMap<Spot, Vec<NewLine>>,
}

/// A line of a list of modules.
struct NewLine {
    module: String,
    text: String,
    /// What stood behind another one on its line, in the old text.
    rest: Option<Range<usize>>,
    rule: String,
}

impl<'b, 't> Changes<'b, 't> {
    fn new(block: &'b Block<'t>, new: &'t Tree, splices: &'b [Splice]) -> Self {
        let list = ModuleList::of(block, new);
        Self { block, new, splices, edits: Vec::new(), inserted: BTreeMap::new(), list, listed: BTreeMap::new() }
    }

    fn edit(&mut self, range: Range<usize>, text: String, rule: &str) -> Result<(), Unsettled> {
        let replacement = if text.is_empty() { Vec::new() } else { vec![Fragment::Text(text)] };
        self.put(range, replacement, rule)
    }

    fn put(&mut self, range: Range<usize>, replacement: Vec<Fragment>, rule: &str) -> Result<(), Unsettled> {
        let old = in_old_text(self.splices, &range).ok_or_else(|| Unsettled {
            rule: rule.to_owned(),
            why: "an edit writes the same import that another would change; leave it to one of them".to_owned(),
        })?;
        self.edits.push(Edit { range: old, replacement, rule: rule.to_owned(), match_id: u32::MAX, drops: false });
        Ok(())
    }

    /// What becomes of one statement: names of it go, and others take their place.
    fn statement_of(
        &mut self,
        statement: Node<'t>,
        gone: &Gone,
        replaced: &Replaced,
        stays: &BTreeSet<usize>,
    ) -> Result<(), Unsettled> {
        let of: Vec<(usize, &Import)> = self.block.of(statement).collect();
        let rule = of.iter().find_map(|(i, _)| gone.get(i).or_else(|| replaced.get(i).map(|(_, rule)| rule)));
        let Some(rule) = rule else { return Ok(()) };
        if let Some(why) = delicate(statement) {
            return Err(Unsettled { rule: rule.clone(), why: why.to_owned() });
        }
        let facts = facts_of(statement);
        let element = |import: &Import| self.new.node(import.element);
        // A name of the same module changes where it stands.
        let same = |import: &Import, wanted: &Wanted| {
            let module = import.module.as_deref().map(normal);
            module == Some(normal(&wanted.module)) && !facts.lists.is_empty() && element(import).id != statement.id
        };
        let (mut goes, mut heirs, mut renamed): (Vec<Node<'t>>, Vec<&Wanted>, Vec<_>) = Default::default();
        for (index, import) in &of {
            match replaced.get(index) {
                Some((wanted, _)) if stays.contains(index) && same(import, wanted) => {
                    renamed.push((element(import).local_range(), element_text(facts, wanted)));
                }
                Some((wanted, _)) => {
                    goes.push(element(import));
                    heirs.extend(stays.contains(index).then_some(wanted));
                }
                None if gone.contains_key(index) => goes.push(element(import)),
                None => {}
            }
        }
        let rule = rule.clone();
        for (range, text) in renamed {
            self.edit(range, text, &rule)?;
        }
        let start = statement.local_range().start;
        let text = self.new.text();
        let indent = &text[line_start(text, start)..start];
        let indent = if indent.trim().is_empty() { indent } else { "" };
        let between = format!("{}{indent}", line_end(text));
        // A module of a list, or alone behind the word of one, is a part of its statement.
        let lines = match facts.module_lists {
            true => heirs.iter().map(|heir| element_text(facts, heir)).collect(),
            false => self.statements(&heirs, facts, Some(self.block.is_of_member(statement.text()))),
        };
        // Where indentation tells blocks apart, a line that is added would be out of the one that it begins in.
        let behind = !text[line_start(text, start)..start].trim().is_empty();
        let grows = lines.len() + usize::from(goes.len() < of.len()) > 1;
        if behind && grows && self.new.language.facts.indented {
            let why = "its import stands behind other code on its line and would become several: put it on a line of \
                       its own first";
            return Err(Unsettled { rule, why: why.to_owned() });
        }
        if goes.len() == of.len() {
            if lines.is_empty() {
                let range = whole_lines(self.new, self.outermost(statement, gone));
                return self.edit(range, String::new(), &rule);
            }
            if let [heir] = heirs.as_slice()
                && let Some(list) = self.list.as_ref().filter(|list| list.holds(statement))
                && !list.fits(statement, &normal(&heir.module))
            {
                return self.elsewhere(statement, heir, &rule);
            }
            return self.edit(statement.local_range(), lines.join(&between), &rule);
        }
        if !lines.is_empty() {
            self.edit(start..start, format!("{}{between}", lines.join(&between)), &rule)?;
        }
        let names: Vec<Node<'t>> = of.iter().map(|(_, import)| element(import)).collect();
        left_out(statement, &names, &goes).into_iter().try_for_each(|range| self.edit(range, String::new(), &rule))
    }

    /// New statements: names of one module share one, where the language lets them.
    /// `member` says of what they take the place of whether it brought members of classes.
    fn statements(&self, wanted: &[&Wanted], facts: &ImportFacts, member: Option<bool>) -> Vec<String> {
        let mut lines: Vec<(String, String)> = Vec::new();
        for one in wanted {
            let joins = !facts.lists.is_empty()
                && !facts.module_lists
                && one.name.as_deref().is_some_and(|n| !matches!(n, "*" | "default"));
            match lines.iter_mut().find(|(module, _)| joins && *module == one.module) {
                Some((_, names)) => {
                    *names += ", ";
                    *names += &element_text(facts, one);
                }
                None if joins => lines.push((one.module.clone(), element_text(facts, one))),
                None => lines.push((String::new(), self.statement(one, facts, member))),
            }
        }
        let whole = |(module, names): (String, String)| {
            if module.is_empty() {
                return names;
            }
            self.statement(&Wanted { module, name: Some(names), alias: None }, facts, member)
        };
        lines.into_iter().map(whole).collect()
    }

    /// A module that would be out of order where the old one stood goes where it belongs, and what stands behind the
    /// old one on its line goes with it.
    fn elsewhere(&mut self, line: Node<'t>, heir: &Wanted, rule: &str) -> Result<(), Unsettled> {
        let Some(list) = &self.list else { return Ok(()) };
        let module = normal(&heir.module);
        let spot = list.spot(&module, &|other| other.id == line.id);
        let range = whole_lines(self.new, line);
        let end = line.local_range().end;
        let rest = self.new.text()[end..range.end].trim_end().len();
        let rest = in_old_text(self.splices, &(end..end + rest)).filter(|rest| !rest.is_empty());
        let text = element_text(self.block.facts, heir);
        self.listed.entry(spot).or_default().push(NewLine { module, text, rest, rule: rule.to_owned() });
        self.edit(range, String::new(), rule)
    }

    /// A statement in a group of statements that goes as a whole takes the group with it.
    fn outermost(&self, statement: Node<'t>, gone: &BTreeMap<usize, String>) -> Node<'t> {
        let stays = |within: Node<'_>| {
            let all = self.block.symbols.imports().iter().enumerate();
            all.into_iter().any(|(index, i)| within.contains(self.new.node(i.statement)) && !gone.contains_key(&index))
        };
        // Of Go's `import ( … )`; a block of code is more than its imports.
        let facts = self.block.facts;
        let list = |n: &Node<'_>| facts.lists.iter().any(|kind| kind == n.kind()) || n.kind().starts_with("import");
        let groups = |n: &Node<'_>| n.kind() != "import_list" && list(n);
        statement.ancestors().take_while(|a| groups(a) && !stays(*a)).last().unwrap_or(statement)
    }

    /// The last name of a list that a wanted name can join: the imports of the same module.
    fn list_of(&self, wanted: &Wanted, gone: &BTreeMap<usize, String>) -> Option<Vec<Node<'t>>> {
        let name = wanted.name.as_deref().filter(|n| *n != "*" && *n != "default");
        if name.is_none() && !self.block.facts.module_lists {
            return None;
        }
        let mut lists: Vec<(Node<'t>, Vec<Node<'t>>)> = Vec::new();
        for (index, import) in self.block.symbols.imports().iter().enumerate() {
            let facts = facts_of(self.new.node(import.statement));
            let element = self.new.node(import.element);
            let element = if facts.module_lists { self.new.node(import.statement) } else { element };
            let Some(list) = element.parent().filter(|p| facts.lists.iter().any(|k| k == p.kind())) else { continue };
            let same = facts.module_lists
                || import.module.as_deref().map(normal) == Some(normal(&wanted.module)) && import.name.is_some();
            let statement = self.new.node(import.statement);
            let plain = !statement.text().starts_with("import type");
            if !same || gone.contains_key(&index) || !self.block.is_top(import) || !plain {
                continue;
            }
            match lists.iter_mut().find(|(l, _)| l.id == list.id) {
                Some((_, names)) => names.push(element),
                None => lists.push((list, vec![element])),
            }
        }
        lists.into_iter().next().map(|(_, names)| names)
    }

    fn add(&mut self, wanted: &Wanted, rule: &str, gone: &BTreeMap<usize, String>) -> Result<(), Unsettled> {
        let line = self.statement(wanted, self.block.facts, None);
        if line.is_empty() {
            return Err(Unsettled { rule: rule.to_owned(), why: self.unsaid(wanted) });
        }
        if let Some(list) = &self.list {
            let gone = |line: Node<'_>| {
                let mut of = self.block.of(line).peekable();
                of.peek().is_some() && of.all(|(index, _)| gone.contains_key(&index))
            };
            let module = normal(&wanted.module);
            let spot = list.spot(&module, &gone);
            self.comes_first(spot.0, wanted, rule)?;
            let text = element_text(self.block.facts, wanted);
            self.listed.entry(spot).or_default().push(NewLine { module, text, rest: None, rule: rule.to_owned() });
            return Ok(());
        }
        if let Some(names) = self.list_of(wanted, gone) {
            self.comes_first(names.first().map_or(0, |n| n.local_range().start), wanted, rule)?;
            return self.join(&names, wanted, rule);
        }
        let key = self.block.key_of(&line, wanted);
        let at = self.place(wanted, &key);
        self.comes_first(at, wanted, rule)?;
        self.inserted.entry(at).or_default().push((key, wanted.clone(), rule.to_owned()));
        Ok(())
    }

    /// Why an import can't be written: the language has none of this kind.
    fn unsaid(&self, wanted: &Wanted) -> String {
        let (language, path) = (&self.new.language.facts.name, wanted.path());
        match &wanted.name {
            Some(name) if wanted.alias.is_none() => format!(
                "an import of {language} can't bring `{name}` of `{path}` alone; import all of it: \
                 `add_import({:?}, \"\")`",
                wanted.module
            ),
            _ => format!("an import of {language} can't give `{path}` a name"),
        }
    }

    /// An import that would stand below code that needs it is left to a person.
    fn comes_first(&self, at: usize, wanted: &Wanted, rule: &str) -> Result<(), Unsettled> {
        let bound = wanted.bound();
        let speaks = |n: Node<'_>| n.is_leaf() && n.text() == bound && !self.block.symbols.in_import(n);
        if self.new.iter().any(|n| n.local_range().end <= at && speaks(n)) {
            let why = format!("`{bound}` would be used above its import; import it by hand");
            return Err(Unsettled { rule: rule.to_owned(), why });
        }
        Ok(())
    }

    /// Puts a name into a list of names.
    fn join(&mut self, names: &[Node<'t>], wanted: &Wanted, rule: &str) -> Result<(), Unsettled> {
        let Some(last) = names.last() else { return Ok(()) };
        let statement = last.ancestors().find(|a| self.block.statements.iter().any(|s| s.id == a.id));
        let facts = statement.map_or(self.block.facts, facts_of);
        let new = element_text(facts, wanted);
        let text = self.new.text();
        let shown: Vec<&str> = names.iter().map(|n| n.text()).collect();
        let sorted = shown.is_sorted();
        let next = names.iter().zip(&shown).find(|(_, t)| sorted && **t > new.as_str()).map(|(n, _)| *n);
        let own_line =
            |n: Node<'_>| text[line_start(text, n.local_range().start)..n.local_range().start].trim().is_empty();
        let indent = |n: Node<'_>| {
            let start = n.local_range().start;
            text[line_start(text, start)..start].to_owned()
        };
        let separator = if facts.module_lists { "" } else { "," };
        if let Some(next) = next {
            let at = next.local_range().start;
            let gap = if own_line(next) { format!("{}{}", line_end(text), indent(next)) } else { " ".to_owned() };
            return self.edit(at..at, format!("{new}{separator}{gap}"), rule);
        }
        // Without brackets, a line ends the list.
        let bracketed = last.parent().is_some_and(|list| list.children().any(|c| matches!(c.text(), "(" | "{" | "[")));
        if !bracketed {
            let end = last.local_range().end;
            return self.edit(end..end, format!("{separator} {new}"), rule);
        }
        let end = last.local_range().end;
        let gap = if own_line(*last) { format!("{}{}", line_end(text), indent(*last)) } else { " ".to_owned() };
        let listed = last.parent().into_iter().flat_map(Node::children).filter(|c| !c.is_extra());
        let closing = listed.filter(|c| !matches!(c.text(), ")" | "}" | "]")).last();
        let trailing = closing.is_some_and(|c| c.text() == ",");
        // A comment that ends the line is about the name before it.
        let behind = |at: usize| {
            let rest = &text[at..at + text[at..].find('\n').unwrap_or(text.len() - at)];
            let comment = self.new.last_from(at + rest.len() - rest.trim_start().len());
            let is = comment.is_extra() && comment.is_named() && comment.local_range().start >= at;
            if is && own_line(*last) { comment.local_range().end } else { at }
        };
        if trailing {
            let at = behind(end + text[end..].find(',').unwrap_or(0) + 1);
            return self.edit(at..at, format!("{gap}{new},"), rule);
        }
        let at = behind(end);
        if at > end {
            self.edit(end..end, separator.to_owned(), rule)?;
            return self.edit(at..at, format!("{gap}{new}"), rule);
        }
        self.edit(end..end, format!("{separator}{gap}{new}"), rule)
    }

    /// Where a new statement goes: among those that it has the most in common with.
    fn place(&self, wanted: &Wanted, key: &Key) -> usize {
        let text = self.new.text();
        let statements = &self.block.statements;
        let keys: Vec<Key> = statements.iter().map(|s| self.block.key(*s)).collect();
        let Some(group) = self.group(wanted, key.0, &keys) else { return self.head() };
        let line_of = |n: Node<'_>| line_start(text, n.local_range().start);
        let sorted = keys[group.clone()].is_sorted();
        if let Some(next) = group.clone().find(|i| sorted && keys[*i] > *key) {
            return line_of(head(statements[next]));
        }
        let end = statements[group.end - 1].local_range().end;
        text[end..].find('\n').map_or(text.len(), |at| end + at + 1)
    }

    /// The lines without a blank one between them that share the most segments.
    /// Imports of members of classes have groups of their own, wherever they stand.
    fn group(&self, wanted: &Wanted, rank: u8, keys: &[Key]) -> Option<Range<usize>> {
        let text = self.new.text();
        let members = !self.block.facts.member.is_empty();
        let mut groups: Vec<Range<usize>> = Vec::new();
        for (index, statement) in self.block.statements.iter().enumerate() {
            let start = statement.local_range().start;
            let joined = index > 0 && {
                let before = self.block.statements[index - 1].local_range().end;
                let near = text.get(before..start).is_some_and(|gap| gap.matches('\n').count() <= 1);
                near && (!members || keys[index - 1].0 == keys[index].0)
            };
            match groups.last_mut().filter(|_| joined) {
                Some(group) => group.end = index + 1,
                None => groups.push(index..index + 1),
            }
        }
        let module = normal(&wanted.module);
        let relative = module.starts_with('.');
        let common = |other: &str| {
            if other.starts_with('.') != relative {
                return 0;
            }
            let pairs = module.split(['.', '/']).zip(other.split(['.', '/']));
            1 + pairs.take_while(|(a, b)| a == b).count()
        };
        let best = |group: &Range<usize>| {
            let alike = members && keys[group.start].0 == rank;
            (alike, keys[group.clone()].iter().map(|k| common(&normal(&k.1))).max().unwrap_or(0))
        };
        // Of equals the last.
        groups.into_iter().max_by_key(best)
    }

    /// Where the first import of a file goes: after what must stand before it.
    fn head(&self) -> usize {
        let text = self.new.text();
        let facts = self.block.facts;
        let root = self.new.root();
        let mut at = None;
        for child in root.children().filter(|c| c.is_named()) {
            if child.is_extra() {
                continue;
            }
            let only = child.named_children().next().filter(|c| c.local_range().len() + 1 >= child.local_range().len());
            let speaks = only.is_some_and(|o| self.new.language.is_string(o.kind_id()));
            if facts.preamble.iter().any(|k| k == child.kind()) || speaks {
                continue;
            }
            at = Some(child);
            break;
        }
        let Some(first) = at else { return text.len() };
        let mut line = line_start(text, first.local_range().start);
        // Comments right above it are about it, unless they are the head of the file.
        let mut from = line;
        while let Some(above) = from.checked_sub(1).map(|end| line_start(text, end)) {
            let comment = self.new.last_from(above + (text[above..from].len() - text[above..from].trim_start().len()));
            if text[above..from].trim().is_empty()
                || !std::iter::once(comment).chain(comment.ancestors()).any(|n| n.is_extra())
            {
                break;
            }
            from = above;
            // What says something of the code below stays with it; what says something of the file, at its head.
            let documents = &self.new.language.facts.elements.documents;
            let said = text[above..first.local_range().start].trim_start();
            if documents.iter().any(|mark| said.starts_with(mark.as_str())) && !is_of_file(said) {
                line = above;
            }
        }
        if from > 0 {
            line = from;
        }
        line
    }

    fn statement(&self, wanted: &Wanted, facts: &ImportFacts, member: Option<bool>) -> String {
        let separator = &self.new.language.facts.symbols.separator;
        let statements = &self.block.statements;
        let template = match (&wanted.name, &wanted.alias) {
            (Some(name), _) if name == "default" => &facts.default,
            (Some(_), Some(_)) => &facts.name_as,
            (Some(_), None) if !facts.member.is_empty() && is_member(wanted, member) => &facts.member,
            (Some(_), None) => &facts.name,
            (None, Some(_)) => &facts.module_as,
            (None, None) => &facts.module,
        };
        let quote = statements.iter().find_map(|s| s.text().chars().rev().find(|c| matches!(c, '"' | '\'')));
        let quote = quote.or_else(|| {
            let strings = self.new.iter().filter(|n| self.new.language.is_string(n.kind_id()));
            strings.into_iter().find_map(|n| n.text().chars().next().filter(|c| matches!(c, '"' | '\'')))
        });
        let module = if separator == "." { wanted.module.clone() } else { wanted.module.replace('.', separator) };
        let text = template
            .replace("<module>", &module)
            .replace("<name>", wanted.name.as_deref().map_or("", |n| if n == "*" { &facts.wildcard } else { n }))
            .replace("<alias>", &wanted.bound())
            .replace("<q>", &quote.unwrap_or('"').to_string());
        // A file that ends no statement with `;` gets none.
        let bare = statements.first().is_some_and(|s| !s.text().ends_with(';')) && facts.optional_semicolon;
        if bare { text.trim_end_matches(';').to_owned() } else { text }
    }

    /// How lines of the list begin.
    fn list_indent(&self) -> String {
        let text = self.new.text();
        let first = self.block.statements.iter().find(|one| self.list.as_ref().is_some_and(|list| list.holds(**one)));
        let start = first.map_or(0, |one| one.local_range().start);
        text[line_start(text, start)..start].to_owned()
    }

    fn finish(mut self) -> Result<Vec<Edit>, Unsettled> {
        let text = self.new.text();
        let end = line_end(text);
        let empty = self.block.statements.is_empty();
        for (at, mut lines) in std::mem::take(&mut self.inserted) {
            lines.sort();
            let rule = lines[0].2.clone();
            let wanted: Vec<&Wanted> = lines.iter().map(|(_, wanted, _)| wanted).collect();
            let lines = self.statements(&wanted, self.block.facts, None);
            let mut new: String = lines.iter().map(|line| format!("{line}{end}")).collect();
            if at > 0 && !text[..at].ends_with('\n') {
                new = format!("{end}{new}");
            }
            if empty && !text[at..].is_empty() && !text[at..].starts_with(['\n', '\r']) {
                new += end;
            }
            self.edit(at..at, new, &rule)?;
        }
        for ((at, apart), mut lines) in std::mem::take(&mut self.listed) {
            lines.sort_by(|a, b| (&a.module, &a.text).cmp(&(&b.module, &b.text)));
            let rule = lines[0].rule.clone();
            let indent = self.list_indent();
            let mut parts: Vec<Fragment> = Vec::new();
            parts.extend((apart == Apart::Above).then(|| Fragment::Text(end.to_owned())));
            for NewLine { text, rest, .. } in lines {
                parts.push(Fragment::Text(format!("{indent}{text}")));
                parts.extend(rest.map(Fragment::Copy));
                parts.push(Fragment::Text(end.to_owned()));
            }
            parts.extend((apart == Apart::Below).then(|| Fragment::Text(end.to_owned())));
            self.put(at..at, parts, &rule)?;
        }
        // Two lists may name one place.
        let mut unique: BTreeSet<(usize, usize, String)> = BTreeSet::new();
        self.edits.retain(|e| unique.insert((e.range.start, e.range.end, format!("{:?}", e.replacement))));
        Ok(self.edits)
    }
}

/// Whether a comment is about the whole file: a licence, or a word for a tool as `@jest-environment`.
fn is_of_file(comment: &str) -> bool {
    [
        "opyright", "icense", "ICENSE", "SPDX", "@file", "@jest-", "@vitest-", "@jsx", "@flow", "@format", "@noflow",
        "@ts-",
    ]
    .iter()
    .any(|word| comment.contains(word))
}

/// A name in a list, or a module in a list of them.
fn element_text(facts: &ImportFacts, wanted: &Wanted) -> String {
    let name = wanted.name.as_deref().unwrap_or("");
    if facts.module_lists {
        let alias = wanted.alias.as_ref().map(|a| format!("{a} ")).unwrap_or_default();
        return format!("{alias}\"{}\"", wanted.module);
    }
    match &wanted.alias {
        Some(alias) => facts.element_as.replace("<name>", name).replace("<alias>", alias),
        None => name.to_owned(),
    }
}
