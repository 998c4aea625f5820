//! Maven's `pom.xml`.

use std::collections::BTreeMap;
use std::ops::Range as Bytes;
use std::sync::LazyLock;

use quick_xml::Reader;
use quick_xml::events::Event;
use regex::Regex;

use super::{Contents, Declared, Range, Role, Version};

/// `${…}`.
static FILLED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\$\{([^}<>]*)\}").unwrap_or_else(|error| unreachable!("{error}")));

/// A text, and where it stands.
type Placed = (String, Bytes<usize>);

/// One `<dependency>`, or the `<parent>`.
struct Open {
    role: Role,
    group: Option<String>,
    artifact: Option<String>,
    version: Option<Placed>,
}

impl Open {
    fn new(role: Role) -> Self {
        Self { role, group: None, artifact: None, version: None }
    }
}

/// What was read so far.
#[derive(Default)]
struct Pom {
    /// The elements that are open.
    path: Vec<String>,
    properties: BTreeMap<String, Vec<Placed>>,
    open: Option<Open>,
    all: Vec<Open>,
    parent: Option<Open>,
    own: Option<String>,
    /// The file that a `<parent>` names; empty where it is none of this codebase.
    relative: Option<String>,
}

/// Every `<dependency>`, and the `<parent>`, with properties of the same file followed.
pub(super) fn read(text: &str) -> Result<Contents, String> {
    let mut reader = Reader::from_str(text);
    let mut pom = Pom::default();
    loop {
        let before = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|error| format!("byte {before}: {error}"))?;
        let after = reader.buffer_position() as usize;
        match event {
            Event::Start(start) => pom.start(start.local_name().as_ref().to_owned()),
            Event::Empty(empty) if empty.local_name().as_ref() == "relativePath" => pom.relative = Some(String::new()),
            Event::End(_) => pom.end(),
            Event::Text(_) => {
                let raw = text.get(before..after).unwrap_or("");
                let start = before + raw.len() - raw.trim_start().len();
                pom.text((raw.trim().to_owned(), start..start + raw.trim().len()));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(pom.contents(text))
}

impl Pom {
    fn start(&mut self, name: String) {
        let within = |list: &str| self.path.iter().any(|around| around == list);
        self.open = match name.as_str() {
            // What a plugin of the build is given is no dependency of the code.
            "dependency" if within("plugin") => None,
            "dependency" if within("dependencyManagement") => Some(Open::new(Role::Manages)),
            "dependency" => Some(Open::new(Role::Asks)),
            "parent" if self.path.len() == 1 => Some(Open::new(Role::Asks)),
            _ => self.open.take(),
        };
        self.path.push(name);
    }

    fn end(&mut self) {
        match self.path.pop().as_deref() {
            Some("dependency") => self.all.extend(self.open.take()),
            Some("parent") if self.path.len() == 1 => self.parent = self.open.take(),
            _ => {}
        }
    }

    fn text(&mut self, placed: Placed) {
        match self.path.as_slice() {
            _ if placed.0.is_empty() => {}
            [.., list, name] if list == "properties" => {
                self.properties.entry(name.clone()).or_default().push(placed);
            }
            [_, parent, field] if parent == "parent" && field == "relativePath" => self.relative = Some(placed.0),
            [_, field] if field == "artifactId" => self.own = Some(placed.0),
            [.., list, field] if list == "dependency" || list == "parent" => {
                let Some(open) = self.open.as_mut() else { return };
                match field.as_str() {
                    "groupId" => open.group = Some(placed.0),
                    "artifactId" => open.artifact = Some(placed.0),
                    "version" => open.version = Some(placed),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn contents(self, text: &str) -> Contents {
        let parent = self.parent.as_ref().and_then(|open| {
            let relative = self.relative.as_deref().unwrap_or("../pom.xml");
            let file = if relative.ends_with(".xml") { relative.to_owned() } else { format!("{relative}/pom.xml") };
            Some((file, open.artifact.clone()?)).filter(|_| !relative.is_empty())
        });
        let values = Values::new(&self, text);
        let all = self.parent.iter().chain(&self.all);
        let mut declared: Vec<Declared> = all.filter_map(|open| values.declared(open)).collect();
        let managed: Vec<Declared> = declared.iter().filter(|one| one.role == Role::Manages).cloned().collect();
        for one in declared.iter_mut().filter(|one| one.role == Role::Defers) {
            let mut own = managed.iter().filter(|managed| managed.name == one.name);
            match (own.next(), own.next()) {
                (Some(managed), None) => *one = managed.clone().with(Role::Asks),
                (Some(_), Some(_)) => {
                    *one = Declared::unknown(&one.name, "it is given more than one version in this file")
                }
                (None, _) => {}
            }
        }
        Contents { declared, own: self.own, parent }
    }
}

/// What the properties of a file stand for.
struct Values<'p> {
    properties: &'p BTreeMap<String, Vec<Placed>>,
    /// How often each is filled in, and how often as the version of a dependency.
    uses: BTreeMap<&'p str, (usize, usize)>,
}

impl<'p> Values<'p> {
    fn new(pom: &'p Pom, text: &'p str) -> Self {
        let mut uses = BTreeMap::<&str, (usize, usize)>::new();
        for found in FILLED.captures_iter(text).filter_map(|found| found.get(1)) {
            uses.entry(found.as_str()).or_default().0 += 1;
        }
        for property in pom.parent.iter().chain(&pom.all).filter_map(|open| property(&open.version.as_ref()?.0)) {
            uses.entry(property).or_default().1 += 1;
        }
        Self { properties: &pom.properties, uses }
    }

    fn declared(&self, open: &Open) -> Option<Declared> {
        let name = format!("{}:{}", open.group.as_ref()?, open.artifact.as_ref()?);
        let unknown = |why: &str| Some(Declared::unknown(&name, why).with(open.role));
        let Some((text, at)) = &open.version else {
            let why = "a parent or a list of versions elsewhere decides it";
            return Some(Declared::unknown(&name, why).with(Role::Defers));
        };
        let (text, at, property) = match property(text) {
            None => (text, at, None),
            Some(property) => match self.properties.get(property).map(Vec::as_slice) {
                Some([(text, at)]) => (text, at, Some(property)),
                Some(_) => return unknown(&format!("`{property}` is given more than one value in this file")),
                None => return unknown(&format!("`{property}` is given no value in this file")),
            },
        };
        let Some(version) = Version::parse(text) else {
            return unknown(&format!("`{text}` is no single version"));
        };
        let shared = property.filter(|name| self.uses.get(name).is_some_and(|(all, versions)| all > versions));
        let site = match shared {
            Some(property) => Err(format!("`{property}` is used for more than versions of dependencies")),
            None => Ok(at.clone()),
        };
        Some(Declared::new(&name, Ok(Range::exactly(version)), site).with(open.role))
    }
}

/// The property that a version is.
fn property(version: &str) -> Option<&str> {
    version.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'))
}
