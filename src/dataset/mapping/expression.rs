//! `cast({last_active_at} as date)`: code of a language with columns of the new dataset
//! in braces.

/// A part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Code.
    Code(String),
    /// A column of the new dataset.
    Column(String),
}

/// An expression that replaces a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// In order.
    pub pieces: Vec<Piece>,
}

impl Expression {
    /// Reads `text`; `{{` and `}}` stand for braces.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut code) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            code.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            if rest[at + 1..].starts_with(brace) {
                code.push_str(brace);
                rest = &rest[at + 2..];
                continue;
            }
            if brace == "}" {
                return Err("a `}` closes nothing; write `}}` for the character".to_owned());
            }
            let Some(end) = rest[at..].find('}') else { return Err("a `{` is not closed".to_owned()) };
            let name = rest[at + 1..at + end].trim();
            if !is_name(name) {
                return Err(format!("`{{{name}}}` names no column"));
            }
            if !code.is_empty() {
                pieces.push(Piece::Code(std::mem::take(&mut code)));
            }
            pieces.push(Piece::Column(name.to_owned()));
            rest = &rest[at + end + 1..];
        }
        code.push_str(rest);
        if !code.is_empty() {
            pieces.push(Piece::Code(code));
        }
        Ok(Self { pieces })
    }

    /// The columns of the new dataset that it reads.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Column(name) => Some(name.as_str()),
            Piece::Code(_) => None,
        })
    }

    /// Whether an operator beside it might take a part of it: no call or cast, and not in
    /// parentheses.
    pub fn is_open(&self) -> bool {
        let text = self.write(|name| name.to_owned());
        let text = text.trim();
        let Some(open) = text.find('(') else {
            return text.contains(|c: char| !c.is_alphanumeric() && !"_.".contains(c));
        };
        let head = text[..open].chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
        // The parenthesis that opens first closes last.
        let mut depth = 0_i32;
        let closes = text.char_indices().skip_while(|(at, _)| *at < open).find(|(_, c)| {
            depth += i32::from(*c == '(') - i32::from(*c == ')');
            depth == 0
        });
        !head || closes.is_none_or(|(at, _)| at + 1 != text.len())
    }

    /// The code, with each column as `spell` writes it.
    pub fn write(&self, mut spell: impl FnMut(&str) -> String) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Code(code) => code.clone(),
            Piece::Column(name) => spell(name),
        };
        self.pieces.iter().map(piece).collect()
    }
}

/// Whether a text can be a column's name without quotes.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}
