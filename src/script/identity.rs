//! What a rule is, as a digest: what a file gets from it is a function of this and of the
//! file. Whoever edits one rule leaves the identities of all others as they were, so that
//! their answers are known still.
//!
//! A rule is the values it was declared with. A closure, besides, is code: the text of its
//! file, without the statements that declare other rules, and all that scripts may read.

use std::fmt::Debug;
use std::ops::Range;

use rhai::{Engine, FnPtr, Position, Token};

use super::draft::{Draft, Then};
use super::{Inputs, Source};
use crate::digest::{Digest, DigestBuilder};
use crate::symbol::Declarations;

/// A rule file, parted so that each rule's part of it is known.
pub(super) struct Parts<'s> {
    text: &'s str,
    /// Bytes of the statements that declare rules and do nothing else; empty where that can't be told.
    rules: Vec<Range<usize>>,
    inputs: Digest,
    /// What is declared of libraries, if anything is: any rule may ask for types.
    libraries: Option<Digest>,
    /// The texts of what the file imports, if it does: any closure may call it.
    modules: Option<Digest>,
}

impl<'s> Parts<'s> {
    pub(super) fn new(
        engine: &Engine,
        source: &'s Source,
        inputs: &Inputs,
        (libraries, modules): (&[Declarations], Option<Digest>),
    ) -> Self {
        let mut digest = DigestBuilder::new("gander.inputs").field(inputs.parameters.to_string());
        for (name, table) in &inputs.mappings {
            digest = digest.field(name).field(table.to_string());
        }
        let text = source.text.as_str();
        let mut beside = DigestBuilder::new("gander.libraries");
        for one in libraries {
            beside = beside.field(&one.language).field(&one.text);
        }
        let libraries = (!libraries.is_empty()).then(|| beside.finish());
        Self { text, rules: statements(engine, text).unwrap_or_default(), inputs: digest.finish(), libraries, modules }
    }

    /// The identity of a rule that this file declares.
    pub(super) fn identity(&self, draft: &Draft) -> Digest {
        let mut said = Said { digest: DigestBuilder::new("gander.rule"), closures: false };
        draft.tell(&mut said);
        if let Some(libraries) = &self.libraries {
            said.value("libraries", &libraries.as_bytes());
        }
        let Said { digest, closures } = said;
        if !closures {
            return digest.finish();
        }
        let digest = match &self.modules {
            Some(modules) => digest.field("modules").field(modules.as_bytes()),
            None => digest,
        };
        let own = offset(self.text, draft.at());
        let mut at = 0;
        let mut code = String::new();
        for other in self.rules.iter().filter(|range| !range.contains(&own)) {
            code += &self.text[at..other.start];
            at = other.end;
        }
        code += &self.text[at..];
        digest.field(code).field(self.inputs.as_bytes()).finish()
    }
}

/// What a draft says of itself; positions are no part of it.
pub(super) struct Said {
    digest: DigestBuilder,
    closures: bool,
}

impl Said {
    pub(super) fn value(&mut self, name: &str, value: &impl Debug) {
        self.digest = std::mem::take(&mut self.digest).field(name).field(format!("{value:?}"));
    }

    /// A closure: what it captured is told where it is plain; the rest is in the code.
    pub(super) fn closure(&mut self, name: &str, closure: &FnPtr) {
        self.closures = true;
        self.value(name, &closure.curry());
    }

    pub(super) fn then(&mut self, then: &Then) {
        match then {
            Then::Replace(text) => self.value("replace", text),
            Then::Delete => self.value("delete", &()),
            Then::Annotate(text) => self.value("annotate", text),
            Then::Refuse(text) => self.value("refuse", text),
            Then::Move(pairs) => self.value("move", pairs),
            Then::Ask(closure, kind) => {
                self.value("ask", kind);
                self.closure("closure", closure);
            }
            Then::Join(closure) => self.closure("join", closure),
            Then::Collect(name, closure) => {
                self.value("collect", name);
                self.closure("closure", closure);
            }
        }
    }
}

/// The top-level statements that begin with `rule(`, without the `;` that ends them.
///
/// What they evaluate to is in the rules; names of the outer scope they can't declare, and
/// functions neither. `None` where the text can't be parted: code within a text is read by
/// the parser alone.
fn statements(engine: &Engine, text: &str) -> Option<Vec<Range<usize>>> {
    if text.contains('`') {
        return None;
    }
    let (mut found, mut depth, mut begins) = (Vec::new(), 0_usize, true);
    let mut open: Option<usize> = None;
    for (token, at) in engine.lex([&text]).0 {
        let top = depth == 0;
        match &token {
            Token::LexError(_) => return None,
            Token::EOF => break,
            Token::LeftParen | Token::LeftBrace | Token::LeftBracket | Token::QuestionBracket | Token::MapStart => {
                depth += 1;
            }
            Token::RightParen | Token::RightBrace | Token::RightBracket => depth = depth.checked_sub(1)?,
            Token::Identifier(name) if top && begins && ["rule", "followup"].contains(&name.as_str()) => {
                open = Some(offset(text, at))
            }
            Token::SemiColon if top => found.extend(open.take().map(|start| start..offset(text, at))),
            _ => {}
        }
        begins = depth == 0 && matches!(token, Token::SemiColon | Token::RightBrace);
    }
    found.extend(open.map(|start| start..text.len()));
    Some(found)
}

/// The byte of a position, which counts lines and characters from 1.
pub(super) fn offset(text: &str, at: Position) -> usize {
    let (line, character) = (at.line().unwrap_or(1), at.position().unwrap_or(1));
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = &text[start..];
    start + rest.char_indices().nth(character.saturating_sub(1)).map_or(rest.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::script::load;

    /// The identity of each rule.
    fn of(text: &str, inputs: &Inputs) -> BTreeMap<String, Digest> {
        let set = load(&[Source { name: "r.rhai".to_owned(), text: text.to_owned(), ..Source::default() }], inputs);
        let set = set.map_err(|errors| errors.render(false)).unwrap();
        set.rules.iter().map(|rule| (rule.id.clone(), rule.identity)).collect()
    }

    const TWO: &str = r#"
        const WHO = "new";
        fn name(m) { m.A.text }
        rule("plain").lang("python").find("f($A)").replace("g($A)");
        rule("asks").lang("python").find("h($A)").when(|m| name(m) != WHO).replace("i($A)");
    "#;

    /// Which of the rules are others after a change of the text.
    fn changed(old: &str, new: &str) -> Vec<&'static str> {
        assert!(TWO.contains(old));
        let (before, after) = (of(TWO, &Inputs::default()), of(&TWO.replacen(old, new, 1), &Inputs::default()));
        ["plain", "asks"].into_iter().filter(|id| before[*id] != after[*id]).collect()
    }

    #[test]
    fn an_edit_changes_what_it_can_change() {
        assert_eq!(changed("g($A)", "k($A)"), ["plain"]);
        assert_eq!(changed(r#"find("f($A)")"#, r#"find("k($A)")"#), ["plain"]);
        assert_eq!(changed("i($A)", "k($A)"), ["asks"]);
        assert_eq!(changed("name(m) != WHO", "name(m) == WHO"), ["asks"]);
        assert_eq!(changed("m.A.text", "m.A.kind"), ["asks"], "a function that a closure may call");
        assert_eq!(changed("\"new\"", "\"old\""), ["asks"], "a constant that a closure may read");
        assert_eq!(changed("        rule(\"plain\")", "\n\n rule(\"plain\")"), ["asks"], "space is code to a closure");
        let moved = r#".lang("python").find("f($A)").inside("x($$$)")"#;
        assert_eq!(changed(r#".lang("python").find("f($A)")"#, moved), ["plain"]);
        assert_eq!(
            changed(".replace(\"g($A)\")", ".replace(\"g($A)\").title(\"t\")"),
            [""; 0],
            "a title edits nothing"
        );
    }

    #[test]
    fn what_scripts_read_is_part_of_closures() {
        let with = |text: &str| Inputs { parameters: text.parse().unwrap(), ..Inputs::default() };
        let (before, after) = (of(TWO, &with("a = 1")), of(TWO, &with("a = 2")));
        assert_eq!(before["plain"], after["plain"]);
        assert_ne!(before["asks"], after["asks"]);
    }

    #[test]
    fn rules_of_a_loop_are_told_apart_by_what_they_say() {
        let text = |names: &str| {
            format!(r#"for w in [{names}] {{ rule(w).lang("python").find(w + "($A)").replace("g($A)"); }}"#)
        };
        let (two, three) =
            (of(&text("\"a\", \"b\""), &Inputs::default()), of(&text("\"c\", \"b\", \"a\""), &Inputs::default()));
        assert_ne!(two["a"], two["b"]);
        assert_eq!((two["a"], two["b"]), (three["a"], three["b"]));
    }

    #[test]
    fn a_text_that_is_put_together_is_not_parted() {
        let text = TWO.replace("\"new\"", "`n${1}`");
        let edited = text.replace("g($A)", "k($A)");
        let (before, after) = (of(&text, &Inputs::default()), of(&edited, &Inputs::default()));
        assert_ne!(before["plain"], after["plain"]);
        assert_ne!(before["asks"], after["asks"], "nobody knows which code is whose");
    }

    #[test]
    fn statements_are_those_that_declare_rules_and_nothing_else() {
        let engine = Engine::new_raw();
        let text = "let a = \"ä;\"; rule(\"a\").x(#{ a: [1; 2] }); let r = rule(\"b\"); /* rule(\"c\"); */\nif a { rule(\"d\"); } rule(\"e\").y(|m| { 1; 2 })";
        let found = statements(&engine, text);
        let engine_reads = found.map(|found| found.into_iter().map(|range| text[range].to_owned()).collect::<Vec<_>>());
        assert_eq!(engine_reads.unwrap_or_default(), ["rule(\"a\").x(#{ a: [1; 2] })", "rule(\"e\").y(|m| { 1; 2 })"]);
    }
}
