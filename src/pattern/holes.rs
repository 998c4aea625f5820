//! `$X` and `$$$X` in a text: where the holes are, before any grammar is asked.

/// A hole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hole {
    /// The name; `None` for `$_`, `$$$_` and `$$$`.
    pub name: Option<String>,
    /// Whether it stands for any number of neighbours.
    pub many: bool,
}

/// A piece of a pattern or template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Code.
    Text(String),
    /// A hole.
    Hole(Hole),
}

/// Splits `source` into code and holes. Names are upper-case letters, digits and
/// `_`; `\$` is a dollar sign of the language itself, and so is one before
/// anything that is no name (`${x}`, `$1`, `$x`).
pub fn split(source: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = source;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        if let Some(kept) = before.strip_suffix('\\') {
            text.push_str(kept);
            text.push('$');
            rest = &from[1..];
            continue;
        }
        text.push_str(before);
        let dollars = if from.starts_with("$$$") { 3 } else { 1 };
        let name_len =
            from[dollars..].bytes().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_').count();
        let name = &from[dollars..dollars + name_len];
        let many = dollars == 3;
        let starts_well = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
        let hole = starts_well || many && name.is_empty();
        if !hole {
            text.push_str(&from[..dollars]);
            rest = &from[dollars..];
            continue;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        let name = (!name.is_empty() && name != "_").then(|| name.to_owned());
        pieces.push(Piece::Hole(Hole { name, many }));
        rest = &from[dollars + name_len..];
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_told_from_dollars_of_the_language() {
        let shown: Vec<String> = split(r"f($X, $$$ARGS, $_, $$$, ${x}, $1, $x, \$X)")
            .iter()
            .map(|p| match p {
                Piece::Text(text) => text.clone(),
                Piece::Hole(h) => format!("<{}{}>", if h.many { "*" } else { "" }, h.name.as_deref().unwrap_or("")),
            })
            .collect();
        assert_eq!(shown.concat(), "f(<X>, <*ARGS>, <>, <*>, ${x}, $1, $x, $X)");
    }
}
