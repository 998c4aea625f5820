//! Bytes of a text ↔ lines and UTF-16 columns of the protocol; URIs → paths.

use std::ops::Range;
use std::path::PathBuf;

use lsp_types::{Position, Uri};

/// The place of a byte.
pub(super) fn position(text: &str, offset: usize) -> Position {
    let offset = (0..=offset.min(text.len())).rev().find(|o| text.is_char_boundary(*o)).unwrap_or(0);
    let before = &text[..offset];
    let line = before.bytes().filter(|b| *b == b'\n').count() as u32;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Position { line, character: before[start..].encode_utf16().count() as u32 }
}

pub(super) fn range(text: &str, range: Range<usize>) -> lsp_types::Range {
    lsp_types::Range { start: position(text, range.start), end: position(text, range.end) }
}

/// The byte at a place; the end of its line where the line is shorter.
pub(super) fn offset(text: &str, position: Position) -> usize {
    let start: usize = text.split_inclusive('\n').take(position.line as usize).map(str::len).sum();
    let line = text[start..].split('\n').next().unwrap_or("");
    let mut units = 0;
    for (at, c) in line.char_indices() {
        if units >= position.character as usize {
            return start + at;
        }
        units += c.len_utf16();
    }
    start + line.len()
}

/// The byte at a line and column (in characters), both from 1.
pub(super) fn offset_of_column(text: &str, line: u32, column: u32) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum();
    let line = text[start.min(text.len())..].split('\n').next().unwrap_or("");
    start + line.chars().take(column.saturating_sub(1) as usize).map(char::len_utf8).sum::<usize>()
}

/// The path of a `file:` URI.
pub(super) fn path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let encoded = &rest[rest.find('/')?..];
    let mut bytes = Vec::new();
    let mut at = encoded.bytes();
    while let Some(byte) = at.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |b: Option<u8>| (b? as char).to_digit(16);
                let (high, low) = (digit(at.next())?, digit(at.next())?);
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::path::Path;

    use super::*;

    /// The URI of an absolute path.
    fn uri(path: &Path) -> Option<Uri> {
        let mut text = String::from("file://");
        for byte in path.to_str()?.bytes() {
            if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
                text.push(byte as char);
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
        text.parse().ok()
    }

    #[test]
    fn places_count_utf16() {
        let text = "a\n😀é x\n";
        for at in [0, 1, 2, 6, 8, 9, 10, 11] {
            assert_eq!(offset(text, position(text, at)), at);
        }
        assert_eq!(position(text, 6), Position { line: 1, character: 2 });
        assert_eq!(offset(text, Position { line: 1, character: 99 }), 10);
        assert_eq!(offset(text, Position { line: 9, character: 0 }), text.len());
        assert_eq!(offset_of_column(text, 2, 3), 8);
    }

    #[test]
    fn paths_survive() {
        for path_ in ["/a b/ü#?.py", "/plain/x.rs"] {
            assert_eq!(path(&uri(Path::new(path_)).unwrap()).unwrap(), Path::new(path_));
        }
        assert_eq!(path(&"untitled:1".parse().unwrap()), None);
        assert_eq!(path(&"file:///a%2".parse::<Uri>().unwrap_or_else(|_| "x:y".parse().unwrap())), None);
    }
}
