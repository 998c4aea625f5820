//! `gander repl FILE`: a pattern, a matcher or a rule, and at once what it matches and
//! what it would change.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper, Highlighter, Hinter};

use super::screen::Screen;
use super::{Exit, find};
use crate::changeset::ChangeSet;
use crate::language::Language;
use crate::lsp::completion::words;
use crate::pattern::{Binding, compile};
use crate::rule::Facts;
use crate::rule_test::{self, Given};
use crate::script::{Inputs, Source};
use crate::transform::{FindingKind, collect, file};
use crate::tree::{PrintOptions, parse, print};
use crate::workspace::{Content, FileVersion};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander repl src/job.py\n\n\
                        > spark.read.table($T)                     what matches\n\
                        > .find(\"f($X)\").replace(\"g($X)\")          what changes\n\
                        > :tree f(x)                               the tree of a snippet\n\
                        > :help")]
pub(super) struct Args {
    /// The code to try things on.
    file: PathBuf,
    /// Its language, where its name does not tell.
    #[arg(long, short)]
    lang: Option<String>,
    /// Where what was typed is remembered.
    #[arg(long, value_name = "FILE", env = "GANDER_HISTORY")]
    history: Option<PathBuf>,
}

/// Matches that are shown.
const MOST: usize = 50;

const HELP: &str = "\
a pattern                       what matches: f($X, $$$)
kind(\"…\"), any([…]), query(\"…\")   the same for a matcher
.find(\"…\").replace(\"…\")          the body of a rule: what it would change
rule(\"…\").lang(\"…\")…            a whole rule, or several
:tree                           the tree of the file
:tree CODE                      the tree of a snippet
:reload                         read the file again
:quit                           or Ctrl-D
Tab completes names of the API, kinds and fields. A line that is not complete goes on.
";

/// What is tried on.
struct Session {
    path: PathBuf,
    language: &'static Language,
    text: String,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let language = find::language(args.lang.as_deref(), &args.file, screen)?;
    let read = || {
        find::read_text(&args.file).map_err(|why| {
            screen.diagnostic(format!("error: {}: {why}", args.file.display()));
            Exit::Failed
        })
    };
    let mut session = Session { path: args.file.clone(), language, text: read()? };
    let failed = |error: ReadlineError| {
        screen.diagnostic(format!("error: {error}"));
        Exit::Failed
    };
    let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
    let mut editor: Editor<Prompt, DefaultHistory> = Editor::with_config(config).map_err(failed)?;
    editor.set_helper(Some(Prompt { words: words(language).into_iter().map(|c| c.word).collect() }));
    if let Some(history) = &args.history {
        // There is none the first time.
        let _ = editor.load_history(history);
    }
    screen.note(format!("{}, {}; :help tells what to type", args.file.display(), language.facts.name));
    loop {
        match editor.readline("> ") {
            Ok(line) => match line.trim() {
                "" => {}
                ":quit" | ":q" => break,
                ":reload" => session.text = read()?,
                input => screen.result(super::plan::paint(&answer(&session, input), screen)),
            },
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        }
    }
    if let Some(history) = &args.history
        && let Err(error) = editor.save_history(history)
    {
        screen.diagnostic(format!("warning: {}: {error}", history.display()));
    }
    Ok(Exit::Done)
}

/// What comes of one input.
fn answer(session: &Session, input: &str) -> String {
    let Session { language, text, .. } = session;
    if let Some(rest) = input.strip_prefix(":tree") {
        let code = if rest.trim().is_empty() { text.as_str() } else { rest.trim() };
        return match parse(language, code) {
            Ok(tree) => print(&tree, tree.root(), PrintOptions::default()),
            Err(error) => format!("error: {error}\n"),
        };
    }
    if input.starts_with(':') {
        return HELP.to_owned();
    }
    if input.starts_with('.') || input.contains("rule(\"") {
        return changes(session, &whole(session, input));
    }
    const MATCHERS: [&str; 8] = ["kind(\"", "kind([", "query(", "any([", "all([", "not(", "regex(\"", "type_pattern("];
    if MATCHERS.iter().any(|m| input.starts_with(m)) {
        let rule = format!(".find({}).annotate(\"matches\")", input.trim_end_matches(';'));
        return found_by(session, &whole(session, &rule));
    }
    matches(session, input)
}

fn whole(session: &Session, input: &str) -> String {
    let input = input.trim_end_matches(';');
    if input.starts_with('.') {
        format!("rule(\"repl\").lang(\"{}\"){input};", session.language.facts.name)
    } else {
        format!("{input};")
    }
}

fn matches(session: &Session, pattern: &str) -> String {
    let pattern = match compile(session.language, pattern, None) {
        Ok(pattern) => pattern,
        Err(error) => return format!("error: {error}\n"),
    };
    let tree = match parse(session.language, session.text.as_str()) {
        Ok(tree) => tree,
        Err(error) => return format!("error: {error}\n"),
    };
    let mut out = String::new();
    let mut count = 0;
    for node in tree.iter() {
        let Some(bindings) = pattern.matches(node) else { continue };
        count += 1;
        if count > MOST {
            continue;
        }
        let (line, column) = node.line_column();
        out += &format!("{line}:{column}: {}\n", first_line(node.text()));
        for (name, binding) in bindings.iter() {
            let (mark, text) = match binding {
                Binding::One(node) => ("$", node.text().to_owned()),
                Binding::Many(nodes) => {
                    let named = nodes.iter().filter(|n| n.is_named()).map(|n| n.text());
                    ("$$$", named.collect::<Vec<_>>().join(" "))
                }
            };
            out += &format!("    {mark}{name} = {}\n", first_line(&text));
        }
    }
    out.push_str(&counted(count, &pattern.context));
    out
}

fn counted(count: usize, context: &str) -> String {
    let shown = if count > MOST { format!(", of which {MOST} are shown") } else { String::new() };
    let context = if context.is_empty() { String::new() } else { format!(", read as {context}") };
    format!("{count} match{}{shown}{context}\n", if count == 1 { "" } else { "es" })
}

fn first_line(text: &str) -> Cow<'_, str> {
    match text.split_once('\n') {
        None => Cow::Borrowed(text),
        Some((first, _)) => Cow::Owned(format!("{first} …")),
    }
}

/// A name that makes gander read the text in the session's language.
fn name(session: &Session) -> String {
    let named = session.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let known = crate::language::of_path(&session.path).is_some_and(|l| std::ptr::eq(l, session.language));
    match session.language.facts.extensions.first() {
        Some(extension) if !known => format!("{named}.{extension}"),
        _ => named,
    }
}

fn reported(session: &Session, script: &str) -> Result<crate::transform::FileReport, String> {
    let source = Source { name: "input".to_owned(), text: script.to_owned(), ..Source::default() };
    let rules = rule_test::load(&[source], &Inputs::default(), Given::ByHand).map_err(|e| format!("{e}\n"))?;
    let (name, bytes) = (name(session), session.text.as_bytes());
    // Rhai recurses deeper than this thread's stack may hold.
    std::thread::scope(|scope| {
        let work = || {
            let facts = collect(&rules, &name, bytes).unwrap_or_else(|_| Facts::default());
            file(&rules, &Arc::new(facts), &name, bytes)
        };
        let thread = std::thread::Builder::new().stack_size(16 << 20).spawn_scoped(scope, work);
        let joined = thread.map_err(|e| e.to_string())?.join();
        joined.map_err(|_| "the rule made gander panic; please report it\n".to_owned())
    })
}

fn found_by(session: &Session, script: &str) -> String {
    let report = match reported(session, script) {
        Ok(report) => report,
        Err(error) => return error,
    };
    let lines: Vec<&str> = session.text.lines().collect();
    let found = report.findings.iter().filter(|f| f.kind == FindingKind::Annotated);
    let shown = |f: &crate::transform::Finding| {
        let line = lines.get(f.line.saturating_sub(1) as usize).map_or("", |l| l.trim());
        format!("{}:{}: {line}\n", f.line, f.column)
    };
    let places: Vec<String> = found.map(shown).collect();
    let mut out: String = places.iter().take(MOST).map(String::as_str).collect();
    out.push_str(&counted(places.len(), ""));
    out
}

fn changes(session: &Session, script: &str) -> String {
    let report = match reported(session, script) {
        Ok(report) => report,
        Err(error) => return error,
    };
    let mut out = String::new();
    let mut mapped = 0;
    for finding in &report.findings {
        let word = match finding.kind {
            FindingKind::Mapped => {
                mapped += 1;
                if !finding.message.is_empty() {
                    // What becomes of whole files is in no diff of this one.
                    out += &format!("{}:{}: {}\n", finding.line, finding.column, finding.message);
                }
                continue;
            }
            FindingKind::Annotated => "annotated",
            FindingKind::Refused => "refused",
            FindingKind::Skipped => "skipped",
            FindingKind::Errored => "error",
        };
        out += &format!("{}:{}: {word}: {}\n", finding.line, finding.column, finding.message);
    }
    if let Some(change) = report.change {
        let content = |bytes: &[u8]| Some(Content { bytes: bytes.to_vec(), executable: false });
        let version = FileVersion {
            path: name(session),
            before: content(session.text.as_bytes()),
            after: content(&change.bytes),
            renamed_from: None,
        };
        out += &String::from_utf8_lossy(&ChangeSet::new(&[version], "").change);
    }
    out.push_str(&counted(mapped, ""));
    out
}

/// Completion and multi-line input.
#[derive(Helper, Highlighter, Hinter)]
struct Prompt {
    /// Sorted.
    words: Vec<String>,
}

impl Completer for Prompt {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let start = at - line[..at].chars().rev().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
        let word = &line[start..at];
        let fits = self.words.iter().filter(|w| !word.is_empty() && w.starts_with(word));
        Ok((start, fits.map(|w| Pair { display: w.clone(), replacement: w.clone() }).collect()))
    }
}

impl Validator for Prompt {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_open(context.input()) { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

/// Whether the body of a rule has a bracket or a text that is not closed yet. Patterns
/// are code of any language: they end with their line.
fn is_open(input: &str) -> bool {
    let text = input.trim_start();
    if !(text.starts_with('.') || text.starts_with("rule(")) {
        return false;
    }
    let (mut depth, mut quote) = (0_i32, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('"'), '\\') => drop(chars.next()),
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, _) => {}
        }
    }
    depth > 0 || quote.is_some() || text.ends_with('\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;

    fn session(text: &str) -> Session {
        Session { path: PathBuf::from("a.py"), language: by_name("python").unwrap(), text: text.to_owned() }
    }

    #[test]
    fn patterns_and_rules_are_answered() {
        let it = session("f(1, 2)\ng(f(3))\n");
        assert_eq!(
            answer(&it, "f($X, $$$R)"),
            "1:1: f(1, 2)\n    $X = 1\n    $$$R = 2\n2:3: f(3)\n    $X = 3\n    $$$R = \n2 matches, read as expr\n"
        );
        let diff = answer(&it, ".find(\"f($X)\")\n  .replace(\"h($X)\")");
        assert!(diff.contains("-g(f(3))\n+g(h(3))") && diff.ends_with("1 match\n"), "{diff}");
        let made = answer(&it, ".find(\"g($X)\").edit(|m, cx| edits([create_file(\"x.txt\", \"hi\")]))");
        assert!(made.contains("creates x.txt"), "{made}");
        assert!(answer(&it, "kind(\"integer\")").ends_with("3 matches\n"));
        assert!(answer(&it, "f(").starts_with("error: "));
        assert!(answer(&it, ".find(\"f(\").delete()").contains("is not python"));
        assert!(answer(&it, ":tree f(x)").contains("call"));
        assert!(answer(&it, ":help").contains(":reload"));
    }

    #[test]
    fn an_open_bracket_goes_on() {
        for open in [".find(\"f($X)\"", ".edit(|m, cx| {", "rule(\"a"] {
            assert!(is_open(open), "{open}");
        }
        for done in [".find(\"f(\")", "f(", "if $X:", "rule(\"a\")"] {
            assert!(!is_open(done), "{done}");
        }
    }
}
