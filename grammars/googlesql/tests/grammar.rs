//! The corpus, and that the committed files are what `grammar.js` says.

use std::path::{Path, PathBuf};

use tree_sitter::{Node, Parser, Query, QueryCursor, StreamingIterator};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn parser() -> Parser {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_googlesql::LANGUAGE.into()).unwrap();
    parser
}

/// A tree as the corpus writes it: named nodes and fields, white space made one space.
fn shown(text: &str) -> String {
    parser().parse(text, None).unwrap().root_node().to_sexp()
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace(" )", ")")
}

/// The cases of a file: a name between two lines of `=`, code, a line of `---`, the tree.
fn cases(path: &Path) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut parts = text.split("\n===");
    parts.next();
    let parts: Vec<&str> = parts.collect();
    parts
        .chunks(2)
        .map(|pair| {
            let name = pair[0].trim_matches('=').trim();
            let (code, tree) = pair[1].trim_start_matches('=').split_once("\n---\n").unwrap();
            (name.to_owned(), code.trim_start_matches('\n').to_owned(), one_line(tree))
        })
        .collect()
}

#[test]
fn the_corpus_reads_as_written() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(root().join("test/corpus")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        for (name, code, tree) in cases(&path) {
            seen += 1;
            let found = shown(&code);
            if found != tree {
                wrong.push(format!("{}: {name}\n  is     {found}\n  should {tree}", path.display()));
            }
        }
    }
    assert!(seen > 10, "only {seen} cases were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A condition with parentheses around every `and`, `or`, `not` and comparison.
fn bound(node: tree_sitter::Node<'_>, text: &str) -> String {
    let part = |field| node.child_by_field_name(field).map_or_else(String::new, |part| bound(part, text));
    let operator = || node.child_by_field_name("operator").map_or("", |o| &text[o.byte_range()]);
    match node.kind() {
        "binary" => format!("({} {} {})", part("left"), operator(), part("right")),
        "unary" => format!("({} {})", operator(), part("operand")),
        _ => text[node.byte_range()].to_owned(),
    }
}

#[test]
fn not_binds_closer_than_and_which_binds_closer_than_or() {
    let cases = [
        ("a and b or c", "((a and b) or c)"),
        ("a or b and c", "(a or (b and c))"),
        ("a and b and c", "((a and b) and c)"),
        ("a or b or c", "((a or b) or c)"),
        ("not a or b", "((not a) or b)"),
        ("not a and not b or c", "(((not a) and (not b)) or c)"),
        ("not a = b and c", "((not (a = b)) and c)"),
        ("not not a", "(not (not a))"),
        ("a = b or c = d and e", "((a = b) or ((c = d) and e))"),
        ("a + b * c - d", "((a + (b * c)) - d)"),
    ];
    for (code, wanted) in cases {
        let text = format!("select {code}");
        let tree = parser().parse(&text, None).unwrap();
        let (mut node, value) = (tree.root_node(), text.find(code).unwrap());
        while node.start_byte() < value || node.kind() == "select_item" {
            node = node.named_child(node.named_child_count() as u32 - 1).unwrap();
        }
        assert_eq!(bound(node, &text), wanted, "{code}");
    }
}

#[test]
fn an_error_stays_in_its_statement() {
    let text = "select a from b;\nselect from where (;\nselect c from d;\nselect e from f;\n";
    let tree = parser().parse(text, None).unwrap();
    let mut cursor = tree.walk();
    let whole: Vec<&str> = tree
        .root_node()
        .children(&mut cursor)
        .filter(|n: &Node<'_>| n.kind() == "query" && !n.has_error())
        .map(|n| &text[n.byte_range()])
        .collect();
    assert!(whole.contains(&"select a from b") && whole.contains(&"select e from f"), "{whole:?}");
}

#[test]
fn keywords_come_in_any_case() {
    assert_eq!(shown("SELECT a FROM b"), shown("sElEcT a fRoM b"));
}

#[test]
fn the_queries_are_of_this_grammar() {
    let language = tree_sitter_googlesql::LANGUAGE.into();
    for query in [
        tree_sitter_googlesql::HIGHLIGHTS_QUERY,
        tree_sitter_googlesql::LOCALS_QUERY,
        tree_sitter_googlesql::INJECTIONS_QUERY,
    ] {
        let query = Query::new(&language, query).unwrap();
        assert!(query.pattern_count() > 0);
    }
}

/// The words of the grammar's keywords, and which of them are reserved.
fn keywords() -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(root().join("src/grammar.json")).unwrap();
    let grammar: serde_json::Value = serde_json::from_str(&text).unwrap();
    let word = |name: &str| name.trim_start_matches('_').to_lowercase();
    let is_keyword = |name: &str| name.len() > 1 && name.starts_with('_') && !name.chars().any(|c| c.is_lowercase());
    let all = grammar["rules"].as_object().unwrap().keys().filter(|name| is_keyword(name)).map(|name| word(name));
    let reserved = grammar["reserved"]["global"].as_array().unwrap().iter().map(|r| word(r["name"].as_str().unwrap()));
    (all.collect(), reserved.collect())
}

#[test]
fn a_word_that_is_not_reserved_is_a_name() {
    let (all, reserved) = keywords();
    assert!(all.len() > 200 && reserved.len() > 60, "{} {}", all.len(), reserved.len());
    // They call or join where they stand, or begin what follows a last comma.
    const TOLD: [&str; 5] = ["minus", "returning", "safe_cast", "table", "try_cast"];
    let wrong: Vec<&String> = all
        .iter()
        .filter(|word| !reserved.contains(word) && !TOLD.contains(&word.as_str()))
        .filter(|w| {
            let text = format!(
                "with {w} as (select a, {w}, b.{w}, {w} as c, x as {w} from {w} as {w}
                  where {w} > 3 and {w} is null group by {w} order by {w} desc, f({w}, 1) limit 1) select {w}"
            );
            parser().parse(&text, None).unwrap().root_node().has_error()
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn every_kind_of_statement_is_in_the_corpus() {
    let text = std::fs::read_to_string(root().join("src/grammar.json")).unwrap();
    let grammar: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut kinds = Vec::new();
    for rule in ["_statement", "_dml"] {
        let mut left = vec![&grammar["rules"][rule]];
        while let Some(rule) = left.pop() {
            left.extend(rule["members"].as_array().into_iter().flatten().chain(rule.get("content")));
            kinds.extend(rule["name"].as_str().filter(|name| !name.starts_with('_')));
        }
    }
    assert!(kinds.len() > 25, "{kinds:?}");
    let corpus: String = std::fs::read_dir(root().join("test/corpus"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    kinds.retain(|kind| !corpus.contains(&format!("({kind}")));
    assert!(kinds.is_empty(), "none of these is in test/corpus: {kinds:?}");
}

#[test]
fn a_rule_sees_both_sides_of_what_dbt_names() {
    let language = tree_sitter_googlesql::LANGUAGE.into();
    let query = Query::new(
        &language,
        "(table_reference
           table: (table_name (jinja_output (jinja_call
             function: (identifier) @function arguments: (jinja_arguments (string) @model))))
           alias: (identifier) @alias)",
    )
    .unwrap();
    let text = "select u.id from {{ ref('users') }} as u";
    let tree = parser().parse(text, None).unwrap();
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(&query, tree.root_node(), text.as_bytes());
    let found = matches.next().unwrap();
    let captured: Vec<&str> = found.captures().iter().map(|c| &text[c.node.byte_range()]).collect();
    assert_eq!(captured, ["ref", "'users'", "u"]);
}

#[test]
fn deep_nesting_ends() {
    for open in ["(", "select (", "case when ", "[", "{% if a %}", "{{ a(", "begin ", "'{{", "a.b(c -> "] {
        let text = open.repeat(20_000);
        parser().parse(&text, None).unwrap();
    }
}

#[test]
fn the_committed_grammar_is_what_grammar_js_says() {
    let node = std::process::Command::new("node").arg("--version").output();
    if !node.is_ok_and(|o| o.status.success()) {
        println!("left out: there is no node here to read grammar.js with");
        return;
    }
    let said = tree_sitter_generate::load_grammar_file(&root().join("grammar.js"), Some("node")).unwrap();
    let committed = std::fs::read_to_string(root().join("src/grammar.json")).unwrap();
    assert!(said.trim() == committed.trim(), "src/grammar.json is old: generate it again from grammar.js");
}
