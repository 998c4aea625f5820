//! Templates: code with holes, filled with what a match bound.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::edit::Fragment;
use crate::pattern::{Piece, split};

/// A template.
#[derive(Clone, Debug)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// What fills a hole.
#[derive(Clone, Debug, PartialEq)]
pub enum Filling {
    /// Code of the file.
    Copy(Range<usize>),
    /// New code.
    Code(Vec<Fragment>),
    /// An empty list: it takes its separator with it.
    Nothing,
}

/// Why a template can't be filled.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// Nothing binds the hole.
    #[error("`${0}` is not bound by the pattern; bound are: {1}")]
    Unbound(String, String),
    /// Only some branch of an `any` binds it.
    #[error("`${0}` is bound by some branch of any(…) only; bind it in every one")]
    SometimesUnbound(String),
    /// A hole without a name holds nothing that could be written.
    #[error("a template can't hold `$_`: give the hole a name")]
    Nameless,
}

impl Template {
    /// Splits the text into code and holes.
    pub fn new(text: &str) -> Self {
        Self { pieces: split(text) }
    }

    /// Checks that every hole is bound.
    ///
    /// # Errors
    /// The first hole that is not, or not always.
    pub fn check(&self, always: &BTreeSet<String>, sometimes: &BTreeSet<String>) -> Result<(), TemplateError> {
        for piece in &self.pieces {
            let Piece::Hole(hole) = piece else { continue };
            let name = hole.name.as_ref().ok_or(TemplateError::Nameless)?;
            if sometimes.contains(name) {
                return Err(TemplateError::SometimesUnbound(name.clone()));
            }
            if !always.contains(name) {
                let bound: Vec<&str> = always.iter().map(String::as_str).collect();
                return Err(TemplateError::Unbound(name.clone(), bound.join(", ")));
            }
        }
        Ok(())
    }

    /// Fills the holes.
    ///
    /// # Errors
    /// A hole for which `fill` has nothing.
    pub fn fill(&self, mut fill: impl FnMut(&str) -> Option<Filling>) -> Result<Vec<Fragment>, TemplateError> {
        let mut out: Vec<Fragment> = Vec::new();
        let mut swallow_separator = false;
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => {
                    let mut text = text.as_str();
                    if std::mem::take(&mut swallow_separator) {
                        text = without_separator(&mut out, text);
                    }
                    push_text(&mut out, text);
                }
                Piece::Hole(hole) => {
                    let name = hole.name.as_deref().ok_or(TemplateError::Nameless)?;
                    match fill(name).ok_or_else(|| TemplateError::Unbound(name.to_owned(), String::new()))? {
                        Filling::Copy(range) => out.push(Fragment::Copy(range)),
                        // No code is as little as no nodes.
                        Filling::Code(code) if !code.iter().all(is_empty) => {
                            let lead = lead_of(&out);
                            out.extend(code.into_iter().map(|fragment| indented_by(&lead, fragment)));
                        }
                        Filling::Code(_) | Filling::Nothing => swallow_separator = true,
                    }
                }
            }
        }
        if swallow_separator {
            without_separator(&mut out, "");
        }
        Ok(out)
    }
}

/// What the line begins with that a hole of a template stands on; nothing on its first line.
fn lead_of(before: &[Fragment]) -> String {
    let line = before.iter().rev().find_map(|fragment| match fragment {
        Fragment::Text(text) => text.rsplit_once('\n').map(|(_, line)| line),
        Fragment::Copy(_) => None,
    });
    let line = line.unwrap_or_default();
    line[..line.len() - line.trim_start().len()].to_owned()
}

/// Code of several lines, each of which begins as that of its hole does.
fn indented_by(lead: &str, fragment: Fragment) -> Fragment {
    match fragment {
        Fragment::Text(text) if !lead.is_empty() && text.contains('\n') => {
            let lines: Vec<&str> = text.split('\n').collect();
            let last = lines.len() - 1;
            let begun = |(at, line): (usize, &&str)| match at {
                0 => (*line).to_owned(),
                _ if line.trim().is_empty() && at < last => String::new(),
                _ => format!("{lead}{line}"),
            };
            Fragment::Text(lines.iter().enumerate().map(begun).collect::<Vec<_>>().join("\n"))
        }
        fragment => fragment,
    }
}

fn is_empty(fragment: &Fragment) -> bool {
    match fragment {
        Fragment::Text(text) => text.is_empty(),
        Fragment::Copy(range) => range.is_empty(),
    }
}

fn push_text(out: &mut Vec<Fragment>, text: &str) {
    match out.last_mut() {
        Some(Fragment::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => out.push(Fragment::Text(text.to_owned())),
    }
}

/// An empty list leaves no comma behind: the one after it goes, else the one before; where blanks part
/// elements, those before it go.
fn without_separator<'t>(out: &mut [Fragment], text: &'t str) -> &'t str {
    if let Some(rest) = text.trim_start().strip_prefix(',') {
        return rest.trim_start();
    }
    let Some(Fragment::Text(last)) = out.last_mut() else { return text };
    let words = last.trim_end_matches(' ').len();
    if let Some(rest) = last.trim_end().strip_suffix(',') {
        last.truncate(rest.len());
    } else if (text.is_empty() || text.starts_with([' ', '>', ')', ']'])) && !last[..words].ends_with('\n') {
        last.truncate(words);
    }
    text
}

/// Gives every line of `text` but the first the line end of the place that it goes to, and the indentation that is
/// said of it.
pub(super) fn indented<'i>(text: &str, indent: impl Fn(usize) -> &'i str, line_end: &str) -> String {
    if !text.contains('\n') {
        return text.to_owned();
    }
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut out = lines.next().unwrap_or_default().to_owned();
    let mut lines = (1..).zip(lines).peekable();
    while let Some((at, line)) = lines.next() {
        // An empty line stays so; behind the last break, something may follow.
        let empty = line.is_empty() && lines.peek().is_some();
        out.extend([line_end, if empty { "" } else { indent(at) }, line]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, empty: &str) -> String {
        let fill = |name: &str| {
            Some(if name == empty {
                Filling::Nothing
            } else {
                Filling::Code(vec![Fragment::Text(name.to_lowercase())])
            })
        };
        let filled = Template::new(template).fill(fill).unwrap();
        filled.iter().map(|f| if let Fragment::Text(t) = f { t.as_str() } else { "?" }).collect()
    }

    #[test]
    fn an_empty_list_takes_its_separator_with_it() {
        assert_eq!(check("f($A, $$$B)", ""), "f(a, b)");
        assert_eq!(check("f($A, $$$B)", "B"), "f(a)");
        assert_eq!(check("f($$$A, $B)", "A"), "f(b)");
        assert_eq!(check("f($A, $$$B, $C)", "B"), "f(a, c)");
        assert_eq!(check("f($$$A)", "A"), "f()");
        assert_eq!(check("<a $$$A>$B</a>", "A"), "<a>b</a>");
        let fill =
            |name: &str| Some(Filling::Code(vec![Fragment::Text(if name == "A" { "a" } else { "" }.to_owned())]));
        let filled = Template::new("f($A, $B)").fill(fill).unwrap();
        let texts = filled.iter().map(|f| if let Fragment::Text(t) = f { t.as_str() } else { "?" });
        assert_eq!(texts.collect::<String>(), "f(a)", "no code is as little as no nodes");
    }

    #[test]
    fn holes_must_be_bound_in_every_branch() {
        let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
        let template = Template::new("f($A, $B)");
        assert_eq!(template.check(&set(&["A", "B"]), &set(&[])), Ok(()));
        assert_eq!(template.check(&set(&["A"]), &set(&["B"])), Err(TemplateError::SometimesUnbound("B".into())));
        assert!(matches!(template.check(&set(&["A"]), &set(&[])), Err(TemplateError::Unbound(name, _)) if name == "B"));
    }
}
