//! The one place that speaks HTTP: JSON from servers that may be slow, full,
//! broken or hostile.
//!
//! What is read is bounded in bytes and time; a server that asks to wait is waited
//! for, within bounds; tokens are in no message and follow no redirect.
//!
//! Must not: know a stage, or what any answer means.

mod error;
mod retry;
mod secret;
#[cfg(test)]
pub(crate) mod tests;

pub use error::{HttpError, Why};
pub use secret::{AuthorityError, Secret, SecretError};

use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::clock::Clock;

/// The most bytes of one answer, unpacked.
const MAX_ANSWER: u64 = 16 << 20;
/// The most bytes of all answers of one server, unpacked.
const MAX_ALL: u64 = if cfg!(test) { 100 << 10 } else { 512 << 20 };
/// The most bytes of an error's text that are looked at.
const MAX_ERROR: u64 = 16 << 10;
/// How long one request may take, waiting for the answer included.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Asks servers for JSON.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    token: Option<Secret>,
    clock: Clock,
    limit: u64,
    /// When the first question could be asked, by the clock, and how long all of them may take.
    begun: i64,
    within: Duration,
    /// Bytes that were read.
    read: AtomicU64,
}

/// What came back before it was understood.
struct Answer {
    status: u16,
    kind: String,
    location: Option<String>,
    retry_after: Option<String>,
    body: Vec<u8>,
}

impl Client {
    /// A client that sends `token` with each request, and waits by `clock`. It trusts
    /// the machine's certificates, or those that `SSL_CERT_FILE` names, and goes
    /// through the proxy that `HTTPS_PROXY` names. All questions together may take a day.
    pub fn new(token: Option<Secret>, clock: &Clock) -> Self {
        let agent = Self::agent(ureq::tls::RootCerts::PlatformVerifier);
        let within = Duration::from_secs(24 * 3600);
        Self {
            agent,
            token,
            clock: clock.clone(),
            limit: MAX_ANSWER,
            begun: clock.now(),
            within,
            read: AtomicU64::new(0),
        }
    }

    /// The same that trusts the authorities in a PEM file, and no other.
    ///
    /// # Errors
    /// Where it can't be read or holds no certificate.
    pub fn trusting(self, file: &Path) -> Result<Self, AuthorityError> {
        Ok(Self { agent: Self::agent(secret::authorities(file)?.into()), ..self })
    }

    /// The same whose questions may take so long, from now on and all together.
    pub fn within(self, limit: Duration) -> Self {
        Self { begun: self.clock.now(), within: limit, ..self }
    }

    fn agent(roots: ureq::tls::RootCerts) -> ureq::Agent {
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A token must not travel to where an answer points.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_LIMIT))
            .user_agent(concat!("gander/", env!("CARGO_PKG_VERSION")))
            .tls_config(ureq::tls::TlsConfig::builder().root_certs(roots).build())
            .build()
            .new_agent()
    }

    /// What `GET url` answers.
    ///
    /// # Errors
    /// See [`HttpError`]; after the attempts that a passing failure is worth.
    pub fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, HttpError> {
        self.ask(url, None)
    }

    /// What `POST url` with a JSON body answers. Only for questions: it is asked
    /// again where the answer got lost.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn post<T: DeserializeOwned>(&self, url: &str, body: &serde_json::Value) -> Result<T, HttpError> {
        self.ask(url, Some(body.to_string()))
    }

    fn ask<T: DeserializeOwned>(&self, url: &str, body: Option<String>) -> Result<T, HttpError> {
        let failed = |why| HttpError { url: shown(url), why };
        let mut attempt = 0;
        loop {
            let left = self.in_time(Duration::ZERO).map_err(failed)?;
            let answer = self.once(url, body.as_deref(), left.min(TIME_LIMIT));
            let wait = retry::pause(&answer, attempt, self.clock.now());
            let Some(pause) = wait.map_err(failed)? else {
                let answer = answer.map_err(failed)?;
                return self.understood(&answer).map_err(failed);
            };
            if let Err(over) = self.in_time(pause) {
                // What kept it from coming about says more than that it did not.
                let last = match answer {
                    Ok(answer) => Why::Status(answer.status, said(&answer.body)),
                    Err(last) => last,
                };
                return Err(failed(match over {
                    Why::OverTime(seconds, _) => Why::OverTime(seconds, Some(Box::new(last))),
                    over => over,
                }));
            }
            self.wait(pause);
            attempt += 1;
        }
    }

    /// What is left of the time for everything after a pause.
    fn in_time(&self, pause: Duration) -> Result<Duration, Why> {
        let passed = u64::try_from(self.clock.now() - self.begun).unwrap_or(0);
        let left = self.within.saturating_sub(Duration::from_secs(passed)).saturating_sub(pause);
        if crate::interrupt::wanted() || left.is_zero() {
            return Err(Why::OverTime(self.within.as_secs(), None));
        }
        Ok(left)
    }

    /// A pause that Ctrl-C cuts short.
    fn wait(&self, pause: Duration) {
        let mut left = pause;
        while !left.is_zero() && !crate::interrupt::wanted() {
            let step = left.min(Duration::from_secs(1));
            self.clock.sleep(step);
            left -= step;
        }
    }

    /// Asks once, within `limit` for all of the answer.
    fn once(&self, url: &str, body: Option<&str>, limit: Duration) -> Result<Answer, Why> {
        let token = self.token.as_ref().map(Secret::bearer);
        let sent = match body {
            None => {
                let mut request = self.agent.get(url).header("Accept", "application/json");
                if let Some(token) = &token {
                    request = request.header("Authorization", token);
                }
                request.config().timeout_global(Some(limit)).build().call()
            }
            Some(body) => {
                let mut request = self.agent.post(url).header("Accept", "application/json");
                if let Some(token) = &token {
                    request = request.header("Authorization", token);
                }
                let request = request.header("Content-Type", "application/json");
                request.config().timeout_global(Some(limit)).build().send(body)
            }
        };
        let mut response = sent.map_err(|error| error::of(&error))?;
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(|value| self.told(value))
        };
        let status = response.status().as_u16();
        let (kind, location) = (header("content-type").unwrap_or_default(), header("location"));
        let retry_after = header("retry-after");
        let limit = if (200..300).contains(&status) { self.limit } else { MAX_ERROR };
        let mut bytes = Vec::new();
        let reader = response.body_mut().as_reader();
        let read = reader.take(limit + 1).read_to_end(&mut bytes);
        match read {
            Err(error) if (200..300).contains(&status) => return Err(Why::CutShort(error.to_string())),
            _ if limit == self.limit && bytes.len() as u64 > limit => return Err(Why::TooLarge(limit)),
            _ => {}
        }
        // A server that sends the token back has it in no name and no message.
        if let Some(token) = &self.token {
            bytes = token.hidden_in_bytes(bytes);
        }
        if self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed) > MAX_ALL {
            return Err(Why::TooMuch(MAX_ALL));
        }
        Ok(Answer { status, kind, location, retry_after, body: bytes })
    }

    /// A text of the server on one line, without the token, and then cut.
    fn told(&self, text: &str) -> String {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        let text = self.token.as_ref().map_or_else(|| text.clone(), |token| token.hidden_in(&text));
        text.chars().take(200).collect()
    }

    fn understood<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Why> {
        match answer.status {
            200..=299 => {}
            300..=399 => return Err(Why::Redirect(answer.location.clone().unwrap_or_default())),
            401 => return Err(Why::Unauthorized),
            403 => return Err(Why::Forbidden),
            404 => return Err(Why::NotFound),
            status => return Err(Why::Status(status, self.told(&said(&answer.body)))),
        }
        let html = answer.kind.contains("html") || answer.body.trim_ascii_start().starts_with(b"<");
        if html {
            return Err(Why::NotJson(answer.kind.clone()));
        }
        serde_json::from_slice(&answer.body).map_err(|error| match error.classify() {
            serde_json::error::Category::Eof => Why::CutShort(format!("it ends after {} bytes", answer.body.len())),
            // Its own text quotes what the server wrote.
            kind => Why::Unexpected(format!("{} in line {}, column {}", form(kind), error.line(), error.column())),
        })
    }
}

/// A URL without what a server need not be reminded of.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    url.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// What is wrong with JSON, in words that quote nothing of it.
fn form(kind: serde_json::error::Category) -> &'static str {
    match kind {
        serde_json::error::Category::Data => "a value of another kind",
        _ => "no JSON",
    }
}

/// What a server says of an error, on one line.
fn said(body: &[u8]) -> String {
    let parsed = serde_json::from_slice::<serde_json::Value>(body).ok();
    let message = parsed.as_ref().and_then(|value| {
        let error = value.get("error").unwrap_or(value);
        error.get("message").or(Some(error)).and_then(serde_json::Value::as_str).map(str::to_owned)
    });
    let text = message.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` as a part of a URL's query.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
