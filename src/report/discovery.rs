//! Discovery for people and machines: table, tree, JSON, DOT, and why one is a consumer.
//!
//! Must not: print.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::table::{counted, escaped, obeyed, one_line};
use crate::discover::{
    Agreement, Change, Declared, Discovered, Excluded, Graph, GraphNode, Place, Shown, SourceReport, What,
};
use crate::workspace::{Consumer, EntityRef, Fleet, GitPlace, Source, Workspace};

/// Places that are listed in a table; JSON has all.
const MAX_PLACES: usize = 30;
/// The widest column but the last.
const MAX_WIDTH: usize = 48;

/// Consumers, who is downstream of them, and what sources and code disagree on.
pub fn table(found: &Discovered) -> String {
    let discovery = &found.discovery;
    let mut out = String::new();
    let declared = shown(discovery.agreement.as_ref(), &discovery.fleet);
    let mut consumers: Vec<&Consumer> = discovery.fleet.consumers.iter().collect();
    let order: BTreeMap<&EntityRef, usize> =
        discovery.graph.nodes.iter().enumerate().map(|(at, node)| (&node.entity, at)).collect();
    consumers.sort_by_key(|one| (order.get(&one.entity).copied().unwrap_or(usize::MAX), &one.entity));
    let mut rows = vec![header(&["consumer", "owner", "tier", "lifecycle", "code", "found in code", "named by"])];
    for one in consumers {
        rows.push(vec![
            one.entity.to_string(),
            text(one.owner.as_ref().map(EntityRef::as_str)),
            text(one.tier.as_deref()),
            text(one.lifecycle.as_deref()),
            code(&discovery.fleet, one),
            declared.get(&one.entity).cloned().unwrap_or_else(|| "-".to_owned()),
            one.witnesses.join(", "),
        ]);
    }
    out += &columns(&rows);
    out += &downstream(&discovery.graph);
    out += &sources(&discovery.sources);
    if let Some(agreement) = &discovery.agreement {
        out += &disagreement(agreement, &discovery.fleet);
    }
    out += &excluded(&discovery.excluded);
    if !found.changes.is_empty() {
        out += "\nsince the last run:\n";
        found.changes.iter().for_each(|one| out += &format!("  {}\n", one_line(&change(one))));
    }
    if !discovery.fleet.problems.is_empty() {
        out += "\nproblems:\n";
        discovery.fleet.problems.iter().for_each(|problem| out += &format!("  {}\n", one_line(problem)));
    }
    safe(&format!("{out}\n{}", summary(found)))
}

/// Text that quotes what others wrote: no escape reaches a terminal.
fn safe(text: &str) -> String {
    text.chars().map(|c| if obeyed(c) && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn text(value: Option<&str>) -> String {
    value.unwrap_or("-").to_owned()
}

fn code(fleet: &Fleet, consumer: &Consumer) -> String {
    match &consumer.source {
        Source::Unresolved(reason) => format!("unresolved: {reason}"),
        Source::Workspace(index) => match fleet.workspaces.get(*index) {
            Some(Workspace { id, git: Some(GitPlace { commit, .. }), .. }) => {
                format!("{id} @{}", commit.get(..10).unwrap_or(commit))
            }
            Some(workspace) => workspace.id.clone(),
            None => "-".to_owned(),
        },
    }
}

/// What the code of each consumer shows: places are relative to its folder.
fn shown<'a>(agreement: Option<&'a Agreement>, fleet: &Fleet) -> BTreeMap<&'a EntityRef, String> {
    let homes: BTreeMap<&EntityRef, &str> = fleet
        .consumers
        .iter()
        .filter_map(|one| match &one.source {
            Source::Workspace(index) => Some((&one.entity, fleet.workspaces.get(*index)?.id.as_str())),
            Source::Unresolved(_) => None,
        })
        .collect();
    let one = |declared: &Declared| match &declared.code {
        Shown::Used { place, files } => {
            let home = homes.get(&declared.entity).copied().unwrap_or_default();
            let inner = place.path.strip_prefix(home).and_then(|path| path.strip_prefix('/')).unwrap_or(&place.path);
            let more = match files {
                0 | 1 => String::new(),
                2 => " and another file".to_owned(),
                files => format!(" and {} more files", files - 1),
            };
            format!("{inner}:{}{more}", place.line)
        }
        Shown::NotFound => "not found".to_owned(),
        Shown::NotSearched => "not searched".to_owned(),
    };
    agreement.into_iter().flat_map(|a| &a.declared).map(|declared| (&declared.entity, one(declared))).collect()
}

/// Rows with aligned columns, without those that tell nothing. A long cell is cut, but
/// for the last: JSON has all.
fn columns(rows: &[Vec<String>]) -> String {
    let told = |column: usize| rows.iter().skip(1).any(|row| row.get(column).is_some_and(|cell| cell != "-"));
    let wide = rows.first().map_or(0, Vec::len);
    let told: Vec<bool> = (0..wide).map(told).collect();
    let keep = |row: &Vec<String>| -> Vec<String> {
        row.iter().zip(&told).filter(|(_, told)| **told).map(|(cell, _)| one_line(cell)).collect()
    };
    let rows: Vec<Vec<String>> = if rows.len() > 1 { rows.iter().map(keep).collect() } else { rows.to_vec() };
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.max().unwrap_or(0).min(MAX_WIDTH)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let long = cell.chars().count() > *width && column + 1 < row.len();
            let cell: String = if long { cell.chars().take(width - 1).chain(['…']).collect() } else { cell.clone() };
            let _ = write!(line, "{cell:<width$}  ");
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

fn downstream(graph: &Graph) -> String {
    let below: Vec<&GraphNode> = graph.nodes.iter().filter(|node| node.depth > 1).collect();
    if below.is_empty() {
        return String::new();
    }
    let mut rows = vec![header(&["downstream, not migrated", "depth", "owner", "tier", "lifecycle", "of"])];
    for node in below {
        let of: Vec<&str> = node.upstream.iter().take(3).map(EntityRef::as_str).collect();
        let more = if node.upstream.len() > 3 { ", …" } else { "" };
        rows.push(vec![
            node.entity.to_string(),
            node.depth.to_string(),
            text(node.owner.as_ref().map(EntityRef::as_str)),
            text(node.tier.as_deref()),
            text(node.lifecycle.as_deref()),
            format!("{}{more}", of.join(", ")),
        ]);
    }
    format!("\n{}", columns(&rows))
}

fn sources(sources: &[SourceReport]) -> String {
    let mut rows = vec![header(&["source", "consumers", "of entities", "read"])];
    for one in sources {
        let read = if one.complete { "in full" } else { "not in full" };
        rows.push(vec![one.label.clone(), one.consumers.to_string(), one.entities.to_string(), read.to_owned()]);
    }
    format!("\n{}", columns(&rows))
}

fn disagreement(agreement: &Agreement, fleet: &Fleet) -> String {
    if agreement.names.is_empty() {
        return "\nno code was searched: rules and mappings have no name of four letters or more to look for; give \
                [consumers] names = [\"…\"]\n"
            .to_owned();
    }
    let mut out =
        format!("\nsearched {} for {}\n", counted(agreement.files as usize, "file"), agreement.names.join(", "));
    let count = |wanted: fn(&Shown) -> bool| agreement.declared.iter().filter(|one| wanted(&one.code)).count();
    let used = count(|code| matches!(code, Shown::Used { .. }));
    let absent = count(|code| matches!(code, Shown::NotFound));
    let unsearched = count(|code| matches!(code, Shown::NotSearched));
    let _ = writeln!(out, "  declared and used: {used}");
    let _ = writeln!(out, "  declared and not found: {absent}");
    for one in agreement.declared.iter().filter(|one| one.code == Shown::NotFound).take(MAX_PLACES) {
        let consumer = fleet.consumers.iter().find(|consumer| consumer.entity == one.entity);
        let because = consumer.and_then(|consumer| consumer.because.first()).map_or("", String::as_str);
        let _ = writeln!(out, "    {} ({because})", one.entity);
    }
    if unsearched > 0 {
        let _ = writeln!(out, "  declared, and no code to look at: {unsearched}");
        for consumer in &fleet.consumers {
            if let Source::Unresolved(reason) = &consumer.source {
                let _ = writeln!(out, "    {}: {reason}", consumer.entity);
            }
        }
    }
    let _ = writeln!(out, "  found and not declared: {}", counted(agreement.undeclared.len(), "file"));
    for one in agreement.undeclared.iter().take(MAX_PLACES) {
        let Place { path, line, name } = &one.place;
        let whose = one.component.as_ref().map_or_else(String::new, |component| format!(" (code of {component})"));
        let _ = writeln!(out, "    {path}:{line}: {name}{whose}");
    }
    if agreement.undeclared.len() > MAX_PLACES {
        let _ = writeln!(out, "    and {} more; `--format json` has all", agreement.undeclared.len() - MAX_PLACES);
    }
    out
}

fn excluded(excluded: &[Excluded]) -> String {
    if excluded.is_empty() {
        return String::new();
    }
    let one = |one: &Excluded| format!("  {} until {}: {}\n", one.entity, one.until, one.reason);
    format!("\nleft out:\n{}", excluded.iter().map(one).collect::<String>())
}

/// A change of the fleet, on one line.
pub fn change(change: &Change) -> String {
    let Change { entity, what, means } = change;
    let what = match what {
        What::Born => "is new".to_owned(),
        What::Renamed(from) => format!("was called {from}"),
        What::Moved(from) => format!("has moved from {from}"),
        What::Repository(from) => format!("lies in a repository that was called {from}"),
        What::Archived(lifecycle) => format!("is on its way out ({lifecycle})"),
        What::Excluded => "is left out now".to_owned(),
        What::Gone => "is named by no source any more".to_owned(),
        What::Missing => "is named by no source that could be read".to_owned(),
    };
    format!("{entity} {what}: {means}")
}

fn summary(found: &Discovered) -> String {
    let discovery = &found.discovery;
    let consumers = discovery.fleet.consumers.len();
    let further = discovery.graph.nodes.iter().filter(|node| node.depth > 1).count();
    let head = format!("{}, {further} further downstream", counted(consumers, "consumer"));
    if discovery.is_complete() {
        return format!("{head}; complete, as far as these sources know\n");
    }
    let mut missing = Vec::new();
    let mut note = |count: usize, one: &str, many: &str| match count {
        0 => {}
        1 => missing.push(format!("1 {one}")),
        count => missing.push(format!("{count} {many}")),
    };
    note(discovery.fleet.problems.len(), "problem", "problems");
    let unresolved = discovery.fleet.consumers.iter().filter(|c| matches!(c.source, Source::Unresolved(_))).count();
    note(unresolved, "consumer without code", "consumers without code");
    let searched = discovery.agreement.as_ref().filter(|agreement| !agreement.names.is_empty());
    if let Some(agreement) = searched {
        let absent = agreement.declared.iter().filter(|one| one.code == Shown::NotFound).count();
        note(absent, "consumer not found in its code", "consumers not found in their code");
        note(agreement.undeclared.len(), "file found and not declared", "files found and not declared");
    }
    format!("{head}; not complete: {}\n", missing.join(", "))
}

/// What is migrated, with everybody downstream below it. Who was shown with all below
/// it is named again without.
pub fn tree(found: &Discovered) -> String {
    let graph = &found.discovery.graph;
    let mut below: BTreeMap<&EntityRef, Vec<&GraphNode>> = BTreeMap::new();
    for node in &graph.nodes {
        node.upstream.iter().for_each(|other| below.entry(other).or_default().push(node));
    }
    below.values_mut().for_each(|nodes| nodes.sort_by(|a, b| a.entity.cmp(&b.entity)));
    let (mut out, mut seen) = (String::new(), BTreeSet::new());
    for root in &graph.roots {
        let _ = writeln!(out, "{root}");
        // An explicit stack: chains may be long.
        let mut stack: Vec<(&GraphNode, usize)> =
            below.get(root).into_iter().flatten().rev().map(|node| (*node, 1)).collect();
        while let Some((node, indent)) = stack.pop() {
            let facts: Vec<String> = [
                node.owner.as_ref().map(ToString::to_string),
                node.tier.as_ref().map(|tier| format!("tier {tier}")),
                node.lifecycle.clone(),
            ]
            .into_iter()
            .flatten()
            .collect();
            let facts = if facts.is_empty() { String::new() } else { format!("  ({})", one_line(&facts.join(", "))) };
            let children = below.get(&node.entity);
            let new = seen.insert(&node.entity);
            let again = if !new && children.is_some() { "  (see above)" } else { "" };
            let _ = writeln!(out, "{:indent$}{}{facts}{again}", "", node.entity, indent = indent * 2);
            if new {
                stack.extend(children.into_iter().flatten().rev().map(|node| (*node, indent + 1)));
            }
        }
    }
    apart(&mut out, found);
    safe(&out)
}

/// Consumers that no dataset leads to: what the migration lists by itself.
fn apart(out: &mut String, found: &Discovered) {
    let known: BTreeSet<&EntityRef> = found.discovery.graph.nodes.iter().map(|node| &node.entity).collect();
    let mut rest = found.discovery.fleet.consumers.iter().filter(|one| !known.contains(&one.entity)).peekable();
    if rest.peek().is_some() {
        out.push_str("named by the migration, of no dataset\n");
    }
    for consumer in rest {
        let owner = consumer.owner.as_ref().map_or_else(String::new, |owner| format!("  ({owner})"));
        let _ = writeln!(out, "  {}{owner}", consumer.entity);
    }
}

/// The graph for Graphviz.
pub fn dot(found: &Discovered) -> String {
    let graph = &found.discovery.graph;
    let quoted = |text: &str| {
        let safe: String = text.chars().filter(|c| !obeyed(*c)).collect();
        format!("\"{}\"", safe.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let mut out = "digraph consumers {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for root in &graph.roots {
        let _ = writeln!(out, "  {} [style=filled];", quoted(root.as_str()));
    }
    for node in &graph.nodes {
        let style = if node.depth > 1 { " [style=dashed]" } else { "" };
        let _ = writeln!(out, "  {}{style};", quoted(node.entity.as_str()));
        for other in &node.upstream {
            let _ = writeln!(out, "  {} -> {};", quoted(other.as_str()), quoted(node.entity.as_str()));
        }
    }
    out + "}\n"
}

/// The chain of relations that makes somebody a consumer, and who says so. `None` where
/// it is none.
pub fn why(found: &Discovered, entity: &EntityRef) -> Option<String> {
    let discovery = &found.discovery;
    let chain = discovery.graph.chain(entity);
    let consumer = discovery.fleet.consumers.iter().find(|one| one.entity == *entity);
    if let (None, true) = (consumer, chain.is_empty()) {
        let one = discovery.excluded.iter().find(|one| one.entity == *entity)?;
        return Some(excluded(std::slice::from_ref(one)).trim_start().to_owned());
    }
    let mut out = format!("{entity}\n");
    for node in &chain {
        let _ = writeln!(out, "  {}. {}", node.depth, one_line(&node.because));
    }
    if let Some(one) = discovery.excluded.iter().find(|one| one.entity == *entity) {
        let _ = writeln!(out, "  left out until {}: {}", one.until, one.reason);
    }
    let Some(consumer) = consumer else {
        out += "  it is further downstream, and not migrated\n";
        return Some(out);
    };
    out += "reasons:\n";
    consumer.because.iter().for_each(|because| out += &format!("  {}\n", one_line(because)));
    let _ = writeln!(out, "named by: {}", consumer.witnesses.join(", "));
    let _ = writeln!(out, "code: {}", code(&discovery.fleet, consumer));
    if let Source::Workspace(index) = &consumer.source
        && let Some(workspace) = discovery.fleet.workspaces.get(*index)
        && !workspace.without.is_empty()
    {
        let _ = writeln!(out, "  without {}, which is another component's code", workspace.without.join(", "));
    }
    if let Some(shown) = shown(discovery.agreement.as_ref(), &discovery.fleet).get(entity) {
        let _ = writeln!(out, "found in code: {shown}");
    }
    Some(safe(&out))
}

/// Everything, for machines.
#[derive(Serialize)]
struct Json<'a> {
    complete: bool,
    consumers: &'a [Consumer],
    workspaces: Vec<JsonWorkspace<'a>>,
    graph: &'a Graph,
    sources: &'a [SourceReport],
    agreement: Option<&'a Agreement>,
    excluded: &'a [Excluded],
    changes: &'a [Change],
    problems: &'a [String],
}

/// A workspace without what differs from machine to machine.
#[derive(Serialize)]
struct JsonWorkspace<'a> {
    id: &'a str,
    commit: Option<&'a str>,
    tree: Option<&'a str>,
    without: &'a [String],
}

/// The same as JSON, the same bytes on every machine.
///
/// # Errors
/// Where it can't be written as JSON.
pub fn json(found: &Discovered) -> Result<String, serde_json::Error> {
    let discovery = &found.discovery;
    let workspaces = discovery.fleet.workspaces.iter().map(|one| JsonWorkspace {
        id: &one.id,
        commit: one.git.as_ref().map(|git| git.commit.as_str()),
        tree: one.git.as_ref().map(|git| git.tree.as_str()),
        without: &one.without,
    });
    let text = serde_json::to_string_pretty(&Json {
        complete: discovery.is_complete(),
        consumers: &discovery.fleet.consumers,
        workspaces: workspaces.collect(),
        graph: &discovery.graph,
        sources: &discovery.sources,
        agreement: discovery.agreement.as_ref(),
        excluded: &discovery.excluded,
        changes: &found.changes,
        problems: &discovery.fleet.problems,
    })?;
    Ok(escaped(&text) + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Discovery;

    #[test]
    fn no_escape_of_others_reaches_a_terminal() {
        let name = || "a\u{1b}[2J\u{9b}x\u{7f}\u{202e}\nforged".to_owned();
        let fleet = Fleet { problems: vec![name()], ..Fleet::default() };
        let source = SourceReport { label: name(), consumers: 0, entities: 0, complete: true };
        let discovery =
            Discovery { fleet, graph: Graph::default(), sources: vec![source], agreement: None, excluded: Vec::new() };
        let found = Discovered { discovery, changes: Vec::new() };
        let text = table(&found);
        assert!(!text.chars().any(|c| obeyed(c) && c != '\n'), "{text:?}");
        let json = json(&found).unwrap();
        assert!(!json.chars().any(|c| obeyed(c) && c != '\n'), "{json:?}");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["problems"][0], name(), "and machines read what was written");
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{text}");
    }
}
