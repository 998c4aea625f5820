//! Tokens, read from where they are kept and shown to nobody; and whom to trust.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The longest token, in bytes.
const MAX_TOKEN: u64 = 16 << 10;
/// The largest file of certificates, in bytes.
const MAX_AUTHORITIES: u64 = 4 << 20;

/// Why nobody can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The file can't be read.
    #[error("the file of certificates {} can't be read ({source}): check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It holds none.
    #[error("the file {} holds no certificate: it must be PEM, with `BEGIN CERTIFICATE`", .0.display())]
    None(PathBuf),
}

/// The certificates of a PEM file.
pub(super) fn authorities(path: &Path) -> Result<Vec<ureq::tls::Certificate<'static>>, AuthorityError> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_AUTHORITIES).read_to_end(&mut bytes));
    read.map_err(|source| AuthorityError::Unreadable { path: path.to_owned(), source })?;
    let items = ureq::tls::parse_pem(&bytes).filter_map(Result::ok);
    let certificates: Vec<_> = items
        .filter_map(|item| match item {
            ureq::tls::PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() { Err(AuthorityError::None(path.to_owned())) } else { Ok(certificates) }
}

/// A token. It prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not there, or empty.
    #[error("the variable {0} is not set: set it to the token")]
    NotSet(String),
    /// The file can't be read.
    #[error("the token file {} can't be read ({source}): check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It can't be a token.
    #[error("what {0} holds is no token: it must be one line of printable ASCII, at most 16 KiB")]
    NoToken(String),
}

impl Secret {
    /// From a variable of the environment, which `key` of the migration names.
    ///
    /// # Errors
    /// Where it is not set or can't be a token.
    pub fn from_env(name: &str, key: &str) -> Result<Self, SecretError> {
        // A token written where its variable belongs is not repeated.
        let shown = format!("that `{key}` names");
        match std::env::var(name) {
            Ok(text) if !text.trim().is_empty() => Self::checked(&text, &shown),
            Ok(_) | Err(std::env::VarError::NotPresent) => Err(SecretError::NotSet(shown)),
            Err(std::env::VarError::NotUnicode(_)) => Err(SecretError::NoToken(shown)),
        }
    }

    /// From a file that holds nothing else.
    ///
    /// # Errors
    /// Where it can't be read or holds no token.
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let mut text = String::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(MAX_TOKEN + 1).read_to_string(&mut text));
        read.map_err(|source| SecretError::Unreadable { path: path.to_owned(), source })?;
        Self::checked(&text, &path.display().to_string())
    }

    pub(super) fn checked(text: &str, place: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let fine = !text.is_empty() && text.len() as u64 <= MAX_TOKEN && text.bytes().all(|b| b.is_ascii_graphic());
        if fine { Ok(Self(text.to_owned())) } else { Err(SecretError::NoToken(place.to_owned())) }
    }

    /// The value of the header that carries it.
    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// A text that others wrote, without it.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        text.replace(&self.0, "…")
    }
}

impl Secret {
    /// The same in what is not known to be text yet. Of a few letters, which stand
    /// anywhere, nothing is hidden.
    pub(super) fn hidden_in_bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.0.len() < 6 || memchr::memmem::find(&bytes, self.0.as_bytes()).is_none() {
            return bytes;
        }
        self.hidden_in(&String::from_utf8_lossy(&bytes)).into_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
