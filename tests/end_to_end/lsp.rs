//! `gander lsp`, with a client that speaks the protocol over stdio.

use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{Message, Notification, Request, RequestId};
use serde_json::{Value, json};

struct Client {
    program: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next: i32,
    /// What was said of each file last.
    diagnostics: std::collections::BTreeMap<String, Value>,
}

impl Client {
    fn start(root: &Path) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_gander"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (program.stdin.take().unwrap(), BufReader::new(program.stdout.take().unwrap()));
        let mut client = Self { program, to, from, next: 0, diagnostics: Default::default() };
        let folder = json!({ "uri": uri(root), "name": "work" });
        let told = client.ask("initialize", json!({ "capabilities": {}, "workspaceFolders": [folder] }));
        assert!(told["capabilities"]["hoverProvider"].as_bool().unwrap());
        client.tell("initialized", json!({}));
        client
    }

    fn send(&mut self, message: &Message) {
        message.write(&mut self.to).unwrap();
        self.to.flush().unwrap();
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&Message::Notification(Notification::new(method.to_owned(), params)));
    }

    /// Asks, and takes in what is told meanwhile.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.send(&Message::Request(Request::new(id.clone(), method.to_owned(), params)));
        loop {
            match Message::read(&mut self.from).unwrap().expect("the server ended") {
                Message::Response(response) if response.id == id => {
                    return response.into_result();
                }
                Message::Notification(told) if told.method == "textDocument/publishDiagnostics" => {
                    let uri = told.params["uri"].as_str().unwrap().to_owned();
                    self.diagnostics.insert(uri, told.params["diagnostics"].clone());
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn open(&mut self, path: &Path, language: &str, text: &str) {
        let document = json!({ "uri": uri(path), "languageId": language, "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn change(&mut self, path: &Path, version: i32, text: &str) {
        let document = json!({ "uri": uri(path), "version": version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [{ "text": text }] }));
    }

    /// Where `mark` stands in the text, as the protocol counts.
    fn at(path: &Path, text: &str, mark: &str) -> Value {
        let offset = text.find(mark).unwrap();
        let line = text[..offset].matches('\n').count();
        let column = text[..offset].rsplit('\n').next().unwrap().encode_utf16().count();
        json!({ "textDocument": { "uri": uri(path) }, "position": { "line": line, "character": column } })
    }

    fn said(&mut self, path: &Path) -> Vec<Value> {
        // An answer comes after everything that was told before.
        self.ask("textDocument/hover", Self::at(path, "x", "x"));
        self.diagnostics.get(&uri(path)).and_then(|d| d.as_array().cloned()).unwrap_or_default()
    }

    fn end(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.program.wait().unwrap().success());
    }
}

trait IntoResult {
    fn into_result(self) -> Value;
}

impl IntoResult for lsp_server::Response {
    fn into_result(self) -> Value {
        let text = serde_json::to_value(&self).unwrap();
        assert!(text.get("error").is_none(), "{text}");
        text.get("result").cloned().unwrap_or(Value::Null)
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

const RULE: &str = "rule(\"demo/old\").lang(\"python\").title(\"old is called new\")\n    .find(\"old($ARG)\")\n    .replace(\"new($ARG)\")\n    .example(\"old(1)\", \"new(1)\");\n";

#[test]
fn rules_are_checked_explained_and_completed_as_they_are_typed() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("demo.rhai");
    std::fs::write(&path, RULE).unwrap();
    let mut client = Client::start(root.path());
    client.open(&path, "rhai", RULE);
    assert_eq!(client.said(&path), Vec::<Value>::new());

    let broken = RULE.replace("new($ARG)\")", "new($AGR)\")");
    client.change(&path, 2, &broken);
    let said = client.said(&path);
    assert!(said[0]["message"].as_str().unwrap().contains("`$AGR` is not bound by the pattern"), "{said:?}");
    assert_eq!(said[0]["range"]["start"], json!({ "line": 2, "character": 5 }));
    assert_eq!(said[0]["severity"], 1);

    let lying = RULE.replace("\"new(1)\"", "\"other(1)\"");
    client.change(&path, 3, &lying);
    let said = client.said(&path);
    assert!(said[0]["message"].as_str().unwrap().contains("example 1 of demo/old fails"), "{said:?}");

    client.change(&path, 4, RULE);
    assert_eq!(client.said(&path), Vec::<Value>::new());
    let hover = client.ask("textDocument/hover", Client::at(&path, RULE, "find"));
    assert!(hover["contents"]["value"].as_str().unwrap().contains("Rule.find(sought) -> Rule"), "{hover}");

    let typed = RULE.replace("new($ARG)\")", "new($");
    client.change(&path, 5, &typed);
    let mut place = Client::at(&path, &typed, "new($");
    place["position"]["character"] = json!(place["position"]["character"].as_u64().unwrap() + 5);
    let items = client.ask("textDocument/completion", place);
    assert_eq!(items[0]["label"], "ARG", "{items}");
    assert_eq!(items.as_array().unwrap().len(), 1);
    client.end();
}

#[test]
fn code_shows_the_matches_of_the_rules_and_takes_their_rewrites() {
    let root = tempfile::tempdir().unwrap();
    let rule = root.path().join("demo.rhai");
    // The build of the folder is asked, too.
    let asking = RULE.replace("    .replace", "    .requires(dependency(\"client\", \"<2\"))\n    .replace");
    std::fs::write(root.path().join("requirements.txt"), "client==1.4\n").unwrap();
    std::fs::write(&rule, asking).unwrap();
    let code = root.path().join("job with ü.py");
    let text = "x = '😀'; old(1)\nold(2)\n";
    std::fs::write(&code, text).unwrap();
    let mut client = Client::start(root.path());
    let uri_of = |path: &Path| uri(path).replace(' ', "%20").replace('ü', "%C3%BC");
    let document = json!({ "uri": uri_of(&code), "languageId": "python", "version": 1, "text": text });
    client.tell("textDocument/didOpen", json!({ "textDocument": document }));
    let start = json!({ "line": 0, "character": 10 });
    let request = json!({
        "textDocument": { "uri": uri_of(&code) },
        "range": { "start": start, "end": start },
        "context": { "diagnostics": [] },
    });
    let actions = client.ask("textDocument/codeAction", request.clone());
    let said = client.diagnostics[&uri_of(&code)].clone();
    assert_eq!(said.as_array().unwrap().len(), 2, "{said}");
    assert_eq!(said[0]["code"], "demo/old");
    assert_eq!(said[0]["range"]["start"], start, "columns count UTF-16");
    let actions = actions.as_array().unwrap();
    assert_eq!(actions.len(), 2, "{actions:?}");
    assert_eq!(actions[0]["title"], "old is called new (demo/old)");
    let edits = |action: &Value| action["edit"]["changes"][uri_of(&code)].as_array().unwrap().clone();
    assert_eq!(edits(&actions[0]).len(), 1);
    assert_eq!(edits(&actions[0])[0]["range"]["start"], start);
    assert!(edits(&actions[0])[0]["newText"].as_str().unwrap().contains("new("));
    assert_eq!(edits(&actions[1]).len(), 2, "all changes at once");

    // A rule whose example does not hold offers nothing.
    client.open(&rule, "rhai", &RULE.replace("\"new(1)\"", "\"other(1)\""));
    assert_eq!(client.ask("textDocument/codeAction", request.clone()), json!([]));

    // A rule that is edited, and not saved yet, finds other code.
    client.change(&rule, 2, &RULE.replace("old($ARG)\")", "older($ARG)\")").replace("old(1)", "older(1)"));
    let actions = client.ask("textDocument/codeAction", request);
    assert_eq!(actions, json!([]));
    assert_eq!(client.diagnostics[&uri_of(&code)], json!([]));
    client.end();
}

#[test]
fn a_match_that_makes_a_file_is_shown_and_no_half_of_it_offered() {
    let root = tempfile::tempdir().unwrap();
    let rule = "rule(\"makes\").lang(\"python\").find(\"f($X)\").when(|m, cx| cx.path == \"src/job.py\").edit(|m, cx| edits([create_file(\"made.txt\", \"x\"), replace(m.node, code(\"g()\"))]));";
    std::fs::write(root.path().join("demo.rhai"), rule).unwrap();
    let code = root.path().join("src/job.py");
    let mut client = Client::start(root.path());
    client.open(&code, "python", "f(1)\n");
    let said = client.said(&code);
    assert!(
        said[0]["message"].as_str().unwrap().contains("creates made.txt, which `gander apply` does and no editor"),
        "{said:?}"
    );
    let start = json!({ "line": 0, "character": 1 });
    let request = json!({
        "textDocument": { "uri": uri(&code) },
        "range": { "start": start, "end": start },
        "context": { "diagnostics": [] },
    });
    assert_eq!(client.ask("textDocument/codeAction", request), json!([]));
    client.end();
}

#[test]
fn rules_that_collect_know_the_whole_folder() {
    let root = tempfile::tempdir().unwrap();
    let rule = "rule(\"seen\").lang(\"python\").find(\"moved($N)\").collect(\"moved\", |m| m.N.text);\n\
                rule(\"use\").lang(\"python\").find(\"use($X)\").edit(|m, cx| if m.X.text in cx.facts(\"moved\") { edits([replace(m.X, code(\"new\"))]) } else { skip(\"not moved\") });";
    std::fs::write(root.path().join("demo.rhai"), rule).unwrap();
    std::fs::write(root.path().join("other.py"), "moved(a)\n").unwrap();
    let code = root.path().join("job.py");
    let mut client = Client::start(root.path());
    client.open(&code, "python", "use(a)\nuse(b)\n");
    let said = client.said(&code);
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0]["range"]["start"]["line"], 0);
    client.end();
}

#[test]
fn nonsense_is_answered_and_harms_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut client = Client::start(root.path());
    client.next += 1;
    let id = RequestId::from(client.next);
    client.send(&Message::Request(Request::new(id, "textDocument/hover".to_owned(), json!([1]))));
    let Some(Message::Response(response)) = Message::read(&mut client.from).unwrap() else { panic!() };
    assert!(serde_json::to_string(&response).unwrap().contains("error"));
    client.tell("textDocument/didChange", json!({ "textDocument": 7 }));
    let path = root.path().join("a.rhai");
    client.open(&path, "rhai", "rule(\"\u{0}");
    assert_eq!(client.said(&path).len(), 1);
    client.open(&root.path().join("gone/b.py"), "python", "f(\n");
    client.end();
}
