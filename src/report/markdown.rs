//! Markdown from text that others wrote: nothing in it may end a code span, open a
//! heading or call somebody by name.

/// `text` as a code span on one line.
pub fn code(text: &str) -> String {
    let line: String = text.chars().map(visible).collect();
    let fence = "`".repeat(longest_run(&line) + 1);
    // A span that begins or ends with a backtick needs the padding, an empty one too.
    let padded = line.is_empty() || line.starts_with('`') || line.ends_with('`');
    let pad = if padded { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// `text` as a code span that may stand in a cell of a table.
pub fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// `text` as a fenced block.
pub fn block(text: &str) -> String {
    let clean: String =
        text.replace("\r\n", "\n").chars().map(|c| if matches!(c, '\n' | '\t') { c } else { visible(c) }).collect();
    let fence = "`".repeat((longest_run(&clean) + 1).max(3));
    format!("{fence}text\n{}\n{fence}\n", clean.trim_end_matches('\n'))
}

/// `text` as plain prose on one line: what Markdown or HTML would read is escaped.
pub fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().map(visible) {
        if matches!(c, '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!') {
            out.push('\\');
        }
        out.push(c);
        if c == '@' {
            // A word joiner: nobody is called by what a rule or a build prints.
            out.push('\u{2060}');
        }
    }
    out
}

/// Control characters, line breaks among them, become something that is seen.
fn visible(c: char) -> char {
    match c {
        '\n' => '⏎',
        '\t' => ' ',
        c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => '\u{fffd}',
        c => c,
    }
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out() {
        assert_eq!(code("a.py"), "`a.py`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`x`"), "`` `x` ``");
        assert_eq!(code("..\n"), "`..⏎`");
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(block("x\n```\ny\u{1b}[2J\n"), "````text\nx\n```\ny\u{fffd}[2J\n````\n");
        assert_eq!(prose("# @you <b>"), "\\# @\u{2060}you \\<b\\>");
    }
}
