//! The protocol: requests and notifications over stdin and stdout.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use lsp_server::{Connection, ErrorCode, ExtractError, Message, Notification, Request, Response};
use lsp_types::notification::{DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, DidSaveTextDocument};
use lsp_types::notification::{Notification as _, PublishDiagnostics};
use lsp_types::request::{CodeActionRequest, Completion, HoverRequest, Request as _};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionProviderCapability, CompletionItem,
    CompletionItemKind, CompletionOptions, CompletionParams, CompletionTextEdit, Diagnostic, Documentation, Hover,
    HoverContents, HoverParams, HoverProviderCapability, InitializeParams, MarkupContent, MarkupKind,
    PublishDiagnosticsParams, ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, TextDocumentSyncSaveOptions, TextEdit, Uri, WorkspaceEdit,
};

use super::code::{Rewrite, everything, matches, name};
use super::completion::{Kind, complete};
use super::hover::hover;
use super::position::{offset, path, range};
use super::rule_file;
use super::workspace::{Loaded, load_rules, suites};
use crate::rule_test::Suite;

/// The conversation broke off.
#[derive(Debug, thiserror::Error)]
pub enum LspError {
    /// What came is no protocol.
    #[error("the editor broke the protocol: {0}")]
    Protocol(#[from] lsp_server::ProtocolError),
    /// The streams failed.
    #[error("stdin or stdout failed: {0}")]
    Streams(#[from] std::io::Error),
    /// Nobody reads the answers.
    #[error("the editor went away")]
    Gone,
    /// The answers can't be made.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

/// A file that is open in the editor.
pub(super) struct Document {
    uri: Uri,
    /// Where it lies, if it is a file.
    pub(super) path: Option<PathBuf>,
    pub(super) text: String,
    version: i32,
}

/// Open files, by their URIs.
pub(super) type Documents = BTreeMap<String, Document>;

/// Larger documents are left alone.
const MAX_TEXT: usize = 4 << 20;
/// Rhai recurses; see the limits of `script`.
const STACK: usize = 16 << 20;

/// Serves one editor over stdin and stdout, until it says goodbye.
///
/// # Errors
/// Where the editor breaks the protocol or goes away.
pub fn serve() -> Result<(), LspError> {
    let (connection, threads) = Connection::stdio();
    let work = || conversation(connection);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("lsp".to_owned()).stack_size(STACK).spawn_scoped(scope, work)?;
        thread.join().map_err(|_| LspError::Gone)?
    })?;
    Ok(threads.join()?)
}

fn conversation(connection: Connection) -> Result<(), LspError> {
    let capabilities = serde_json::to_value(capabilities())?;
    let params: InitializeParams = serde_json::from_value(connection.initialize(capabilities)?)?;
    let mut session = Session {
        connection,
        roots: roots(&params),
        documents: BTreeMap::new(),
        suites: Vec::new(),
        loaded: Vec::new(),
    };
    session.reload(true);
    while let Ok(message) = session.connection.receiver.recv() {
        match message {
            Message::Request(request) => {
                if session.connection.handle_shutdown(&request)? {
                    return Ok(());
                }
                let response = session.answer(request);
                session.send(Message::Response(response))?;
            }
            Message::Notification(notification) => session.notified(notification)?,
            Message::Response(_) => {}
        }
    }
    Ok(())
}

fn capabilities() -> ServerCapabilities {
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::FULL),
        save: Some(TextDocumentSyncSaveOptions::Supported(true)),
        ..TextDocumentSyncOptions::default()
    };
    let triggers = [".", "\"", "$"].map(str::to_owned).to_vec();
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions { trigger_characters: Some(triggers), ..Default::default() }),
        code_action_provider: Some(CodeActionProviderCapability::Simple(true)),
        ..ServerCapabilities::default()
    }
}

fn roots(params: &InitializeParams) -> Vec<PathBuf> {
    let folders = params.workspace_folders.as_deref().unwrap_or_default();
    let mut roots: Vec<PathBuf> = folders.iter().filter_map(|f| path(&f.uri)).collect();
    #[expect(deprecated, reason = "older editors name their folder only so")]
    if roots.is_empty() {
        roots.extend(params.root_uri.as_ref().and_then(path));
    }
    roots
}

struct Session {
    connection: Connection,
    roots: Vec<PathBuf>,
    documents: Documents,
    /// The rule files of the workspace, as of the last save.
    suites: Vec<Suite>,
    loaded: Vec<Loaded>,
}

impl Session {
    fn send(&self, message: Message) -> Result<(), LspError> {
        self.connection.sender.send(message).map_err(|_| LspError::Gone)
    }

    /// Loads the rules as they stand in the editor; `learn` what they tell of the
    /// workspace again, or keep what is known of it.
    fn reload(&mut self, learn: bool) {
        if learn {
            self.suites = suites(&self.roots);
        }
        let known = std::mem::take(&mut self.loaded);
        let known = if learn { &[] } else { known.as_slice() };
        self.loaded = load_rules(&self.suites, &self.roots, &self.documents, known);
    }

    fn notified(&mut self, notification: Notification) -> Result<(), LspError> {
        let changed = match notification.method.as_str() {
            DidOpenTextDocument::METHOD => {
                let Some(params) = read::<DidOpenTextDocument>(notification) else { return Ok(()) };
                let opened = params.text_document;
                self.keep(opened.uri, opened.text, opened.version)
            }
            DidChangeTextDocument::METHOD => {
                let Some(params) = read::<DidChangeTextDocument>(notification) else { return Ok(()) };
                let Some(last) = params.content_changes.into_iter().last() else { return Ok(()) };
                self.keep(params.text_document.uri, last.text, params.text_document.version)
            }
            DidCloseTextDocument::METHOD => {
                let Some(params) = read::<DidCloseTextDocument>(notification) else { return Ok(()) };
                let uri = params.text_document.uri;
                self.documents.remove(uri.as_str());
                return self.publish(&uri, Vec::new(), None);
            }
            DidSaveTextDocument::METHOD => {
                let Some(params) = read::<DidSaveTextDocument>(notification) else { return Ok(()) };
                // What rules learn from other files may have changed.
                self.reload(true);
                params.text_document.uri
            }
            _ => return Ok(()),
        };
        if is_rule(&changed) {
            self.reload(false);
            // The rules may find other code now.
            self.documents.values().filter(|d| !is_rule(&d.uri)).try_for_each(|d| self.diagnose(&d.uri))?;
        }
        self.diagnose(&changed)
    }

    /// Remembers a file as it stands in the editor.
    fn keep(&mut self, uri: Uri, text: String, version: i32) -> Uri {
        let document = Document { path: path(&uri), uri: uri.clone(), text, version };
        self.documents.insert(uri.as_str().to_owned(), document);
        uri
    }

    fn diagnose(&self, uri: &Uri) -> Result<(), LspError> {
        let Some(document) = self.documents.get(uri.as_str()) else { return Ok(()) };
        let (Some(path), true) = (&document.path, document.text.len() <= MAX_TEXT) else { return Ok(()) };
        let diagnostics = if is_rule(uri) {
            rule_file::diagnostics(path, &document.text)
        } else {
            matches(&self.loaded, &name(&self.roots, path), &document.text)
                .into_iter()
                .map(|found| found.diagnostic)
                .collect()
        };
        self.publish(uri, diagnostics, Some(document.version))
    }

    fn publish(&self, uri: &Uri, diagnostics: Vec<Diagnostic>, version: Option<i32>) -> Result<(), LspError> {
        let params = PublishDiagnosticsParams { uri: uri.clone(), diagnostics, version };
        self.send(Message::Notification(Notification::new(PublishDiagnostics::METHOD.to_owned(), params)))
    }

    fn answer(&self, request: Request) -> Response {
        let id = request.id.clone();
        let answer = match request.method.as_str() {
            HoverRequest::METHOD => asked::<HoverRequest>(request).map(|p| serde_json::to_value(self.hover(&p))),
            Completion::METHOD => asked::<Completion>(request).map(|p| serde_json::to_value(self.complete(&p))),
            CodeActionRequest::METHOD => {
                asked::<CodeActionRequest>(request).map(|p| serde_json::to_value(self.actions(&p)))
            }
            other => {
                let code = ErrorCode::MethodNotFound as i32;
                return Response::new_err(id, code, format!("gander does not answer {other}"));
            }
        };
        match answer {
            Ok(Ok(value)) => Response::new_ok(id, value),
            Ok(Err(error)) => Response::new_err(id, ErrorCode::InternalError as i32, error.to_string()),
            Err(why) => Response::new_err(id, ErrorCode::InvalidParams as i32, why),
        }
    }

    fn hover(&self, params: &HoverParams) -> Option<Hover> {
        let at = &params.text_document_position_params;
        let text = &self.documents.get(at.text_document.uri.as_str()).filter(|_| is_rule(&at.text_document.uri))?.text;
        let (word, value) = hover(text, offset(text, at.position))?;
        let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value });
        Some(Hover { contents, range: Some(range(text, word)) })
    }

    fn complete(&self, params: &CompletionParams) -> Vec<CompletionItem> {
        let at = &params.text_document_position;
        let Some(document) =
            self.documents.get(at.text_document.uri.as_str()).filter(|_| is_rule(&at.text_document.uri))
        else {
            return Vec::new();
        };
        let text = &document.text;
        let place = offset(text, at.position);
        let (start, candidates) = complete(text, place);
        let span = range(text, start..place);
        let one = |candidate: super::completion::Candidate| CompletionItem {
            label: candidate.word.clone(),
            kind: Some(match candidate.kind {
                Kind::Metavariable => CompletionItemKind::VARIABLE,
                Kind::Function | Kind::Builtin => CompletionItemKind::FUNCTION,
                Kind::Property => CompletionItemKind::PROPERTY,
                Kind::NodeKind => CompletionItemKind::CLASS,
                Kind::Field => CompletionItemKind::FIELD,
                Kind::Language => CompletionItemKind::ENUM_MEMBER,
            }),
            detail: Some(candidate.detail),
            documentation: Some(candidate.docs)
                .filter(|docs| !docs.is_empty())
                .map(|value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range: span, new_text: candidate.word })),
            ..CompletionItem::default()
        };
        candidates.into_iter().map(one).collect()
    }

    fn actions(&self, params: &CodeActionParams) -> Vec<CodeActionOrCommand> {
        let uri = &params.text_document.uri;
        let (Some(document), Some(path)) = (self.documents.get(uri.as_str()).filter(|_| !is_rule(uri)), path(uri))
        else {
            return Vec::new();
        };
        let text = &document.text;
        let asked = offset(text, params.range.start)..offset(text, params.range.end);
        let touched = |r: &std::ops::Range<usize>| r.start <= asked.end && asked.start <= r.end;
        let action = |rewrite: Rewrite, diagnostics: Option<Vec<Diagnostic>>, kind: CodeActionKind| {
            #[expect(clippy::mutable_key_type, reason = "the protocol's own type of an edit")]
            let changes = HashMap::from([(uri.clone(), rewrite.edits)]);
            let edit = WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
            CodeActionOrCommand::CodeAction(CodeAction {
                title: rewrite.title,
                kind: Some(kind),
                diagnostics,
                edit: Some(edit),
                ..CodeAction::default()
            })
        };
        let name = name(&self.roots, &path);
        let found = matches(&self.loaded, &name, text).into_iter().filter(|found| touched(&found.range));
        let mut actions: Vec<CodeActionOrCommand> = found
            .filter_map(|found| {
                let diagnostics = vec![found.diagnostic];
                found.rewrite.map(|rewrite| action(rewrite, Some(diagnostics), CodeActionKind::QUICKFIX))
            })
            .collect();
        let all = everything(&self.loaded, &name, text);
        actions.extend(all.map(|rewrite| action(rewrite, None, CodeActionKind::SOURCE_FIX_ALL)));
        actions
    }
}

fn is_rule(uri: &Uri) -> bool {
    uri.as_str().ends_with(".rhai")
}

/// The parameters of a notification; what can't be read is passed over.
fn read<N: lsp_types::notification::Notification>(notification: Notification) -> Option<N::Params> {
    notification.extract(N::METHOD).ok()
}

/// The parameters of a request, or why they can't be read.
fn asked<R: lsp_types::request::Request>(request: Request) -> Result<R::Params, String> {
    request.extract(R::METHOD).map(|(_, params)| params).map_err(|error| match error {
        ExtractError::JsonError { error, .. } => error.to_string(),
        ExtractError::MethodMismatch(request) => format!("{} is not {}", request.method, R::METHOD),
    })
}
