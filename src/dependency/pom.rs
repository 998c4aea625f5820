//! Maven's `pom.xml`.

use std::collections::BTreeMap;
use std::ops::Range as Bytes;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::{Declared, Range, Version};

/// A text, and where it stands.
type Placed = (String, Bytes<usize>);

/// One `<dependency>`.
#[derive(Default)]
struct Open {
    group: Option<String>,
    artifact: Option<String>,
    version: Option<Placed>,
}

/// Every `<dependency>`, with properties of the same file followed.
pub(super) fn read(text: &str) -> Result<Vec<Declared>, String> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut properties: BTreeMap<String, Vec<Placed>> = BTreeMap::new();
    let mut open: Option<Open> = None;
    let mut all = Vec::new();
    loop {
        let before = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|error| format!("byte {before}: {error}"))?;
        let after = reader.buffer_position() as usize;
        match event {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                if name == "dependency" {
                    open = Some(Open::default());
                }
                path.push(name);
            }
            Event::End(_) if path.pop().as_deref() == Some("dependency") => all.extend(open.take()),
            Event::Text(_) => {
                let raw = text.get(before..after).unwrap_or("");
                let start = before + raw.len() - raw.trim_start().len();
                let placed = (raw.trim().to_owned(), start..start + raw.trim().len());
                match path.iter().rev().map(String::as_str).collect::<Vec<_>>().as_slice() {
                    _ if placed.0.is_empty() => {}
                    [name, "properties", ..] => properties.entry((*name).to_owned()).or_default().push(placed),
                    [field, "dependency", ..] => {
                        if let Some(open) = open.as_mut() {
                            match *field {
                                "groupId" => open.group = Some(placed.0),
                                "artifactId" => open.artifact = Some(placed.0),
                                "version" => open.version = Some(placed),
                                _ => {}
                            }
                        }
                    }
                    _ => {}
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(all.into_iter().filter_map(|open| declared(open, &properties)).collect())
}

fn declared(open: Open, properties: &BTreeMap<String, Vec<Placed>>) -> Option<Declared> {
    let name = format!("{}:{}", open.group?, open.artifact?);
    let unknown = |why: String| Some(Declared { name: name.clone(), versions: Err(why), site: None });
    let Some((version, at)) = open.version else {
        return unknown("a parent or a list of versions elsewhere decides it".to_owned());
    };
    let (version, at) = match version.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        None => (version, at),
        Some(property) => match properties.get(property).map(Vec::as_slice) {
            Some([one]) => one.clone(),
            Some(_) => return unknown(format!("`{property}` is given more than one value in this file")),
            None => return unknown(format!("`{property}` is given no value in this file")),
        },
    };
    match Version::parse(&version) {
        Some(read) => Some(Declared { name, versions: Ok(Range::exactly(read)), site: Some(at) }),
        None => unknown(format!("`{version}` is no single version")),
    }
}
