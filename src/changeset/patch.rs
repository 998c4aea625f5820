//! Patches in git's own dialect of the unified format, for texts.
//!
//! Must not: read or write a file.

use std::fmt::Write as _;

use diffy::{DiffOptions, Line};

use crate::workspace::Content;

/// Appends what turns `before` into `after` at `path`; nothing where both are equal.
pub fn append(patch: &mut Vec<u8>, path: &str, before: Option<&Content>, after: Option<&Content>) {
    if before == after {
        return;
    }
    let mut head = format!("diff --git {} {}\n", quoted("a/", path), quoted("b/", path));
    match (before, after) {
        (None, Some(after)) => modes(&mut head, &[("new file mode", after)]),
        (Some(before), None) => modes(&mut head, &[("deleted file mode", before)]),
        (Some(before), Some(after)) if before.executable != after.executable => {
            modes(&mut head, &[("old mode", before), ("new mode", after)]);
        }
        _ => {}
    }
    let old = before.map_or(&[][..], |content| &content.bytes);
    let new = after.map_or(&[][..], |content| &content.bytes);
    if old != new {
        let side = |prefix, content: Option<&Content>| match content {
            Some(_) => header_name(prefix, path),
            None => "/dev/null".to_owned(),
        };
        let _ = write!(head, "--- {}\n+++ {}\n", side("a/", before), side("b/", after));
    }
    patch.extend_from_slice(head.as_bytes());
    append_hunks(patch, old, new);
}

fn modes(head: &mut String, lines: &[(&str, &Content)]) {
    for (word, content) in lines {
        let mode = if content.executable { "100755" } else { "100644" };
        let _ = writeln!(head, "{word} {mode}");
    }
}

fn append_hunks(patch: &mut Vec<u8>, old: &[u8], new: &[u8]) {
    let diff = DiffOptions::new().create_patch_bytes(old, new);
    for hunk in diff.hunks() {
        let header = format!("@@ -{} +{} @@\n", hunk.old_range(), hunk.new_range());
        patch.extend_from_slice(header.as_bytes());
        for line in hunk.lines() {
            let (sign, text) = match line {
                Line::Context(text) => (b' ', text),
                Line::Delete(text) => (b'-', text),
                Line::Insert(text) => (b'+', text),
            };
            patch.push(sign);
            patch.extend_from_slice(text);
            if !text.ends_with(b"\n") {
                patch.extend_from_slice(b"\n\\ No newline at end of file\n");
            }
        }
    }
}

/// A name on a `---` or `+++` line: git ends one that holds white space with a
/// tab, so that no tool takes its tail for a time stamp.
fn header_name(prefix: &str, path: &str) -> String {
    let mut name = quoted(prefix, path);
    if !name.starts_with('"') && path.contains(' ') {
        name.push('\t');
    }
    name
}

/// A path as git writes it: bare, or in double quotes with C escapes where it
/// holds a control character, a quote, a backslash or a byte beyond ASCII.
fn quoted(prefix: &str, path: &str) -> String {
    let plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
    if path.bytes().all(plain) {
        return format!("{prefix}{path}");
    }
    let mut text = format!("\"{prefix}");
    for byte in path.bytes() {
        match byte {
            0x07 => text.push_str("\\a"),
            0x08 => text.push_str("\\b"),
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            0x0b => text.push_str("\\v"),
            0x0c => text.push_str("\\f"),
            b'\r' => text.push_str("\\r"),
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            byte if plain(byte) => text.push(char::from(byte)),
            byte => {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_as_git_does() {
        assert_eq!(quoted("a/", "src/x y.py"), "a/src/x y.py");
        assert_eq!(quoted("a/", "gänse\n"), r#""a/g\303\244nse\n""#);
        assert_eq!(quoted("b/", "a\"b\\c\u{1}"), r#""b/a\"b\\c\001""#);
        assert_eq!(header_name("a/", "x y"), "a/x y\t");
    }

    #[test]
    fn a_changed_line_and_a_mode_read_as_git_writes_them() {
        let before = Content { bytes: b"a\nb".to_vec(), executable: false };
        let after = Content { bytes: b"a\nc\n".to_vec(), executable: true };
        let mut patch = Vec::new();
        append(&mut patch, "f", Some(&before), Some(&after));
        let expected = "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n--- a/f\n+++ b/f\n\
            @@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n";
        assert_eq!(String::from_utf8_lossy(&patch), expected);
    }
}
