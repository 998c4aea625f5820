//! Why a server gave no usable answer, and what to do about it.

/// A question without a usable answer.
#[derive(Debug, thiserror::Error)]
#[error("{url}: {why}")]
pub struct HttpError {
    /// Without its query.
    pub url: String,
    /// What went wrong.
    pub why: Why,
}

/// What went wrong. Every text ends with a next step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The name is not known.
    #[error("no host of that name: check the address, the network and the name server")]
    NoSuchHost,
    /// Nobody listens there, or the connection broke.
    #[error("can't connect ({0}): check the address, and that the server is up")]
    Connection(String),
    /// It took too long.
    #[error("no answer in time ({0}): try again, or ask whoever runs it")]
    TimedOut(String),
    /// The certificate is not trusted, or TLS failed otherwise.
    #[error(
        "no trusted connection ({0}): if your company signs its certificates itself, name the file of that authority with `ca_file`, or in SSL_CERT_FILE"
    )]
    Tls(String),
    /// The address itself is wrong.
    #[error("this address can't be used ({0}): correct it in the migration")]
    Address(String),
    /// 401.
    #[error("the token was not accepted (401): check that it is set, whole and not expired")]
    Unauthorized,
    /// 403.
    #[error("the token may not read this (403): ask for a token with read access to it")]
    Forbidden,
    /// 404.
    #[error(
        "there is no such thing here (404): check the address; of a source it is the server's own, without a path of its API"
    )]
    NotFound,
    /// 3xx.
    #[error("answers with a redirect to {0:?}, which is not followed: write the final address into the migration")]
    Redirect(String),
    /// 429, 5xx and everything else that is no success.
    #[error("answers with status {0} ({1}): try again later, or ask whoever runs it")]
    Status(u16, String),
    /// It asks for more patience than there is.
    #[error("asks to wait {long} (status {1}): {next}", long = for_so_long(*.0), next = then(*.0))]
    Patience(u64, u16),
    /// All questions together take too long, in seconds.
    #[error("not done within {0} s{last}, and not asked any further: run again once it is quicker, or allow it more time \
         (`limit` of a source, `timeout` of a gate)", last = after(.1))]
    OverTime(u64, Option<Box<Why>>),
    /// A page for people.
    #[error(
        "answers with {0:?} where JSON was expected: check that this is the API's address, and no login page before it"
    )]
    NotJson(String),
    /// The body ends too early.
    #[error("the answer is cut short ({0}): try again; if it stays, a proxy between may have a limit")]
    CutShort(String),
    /// The body is longer than any that is read.
    #[error("the answer is larger than {0} bytes, and is not read: ask for smaller pages")]
    TooLarge(u64),
    /// All answers together are more than is taken in, in bytes.
    #[error("its answers are more than {0} bytes together, and it is not asked any further: tell its owner")]
    TooMuch(u64),
    /// JSON, but of another form.
    #[error("the answer is not what was expected ({0}): check that the address is that of the right server")]
    Unexpected(String),
}

const DAY: u64 = 24 * 3600;

/// What the last attempt came to, where there was one.
fn after(last: &Option<Box<Why>>) -> String {
    last.as_ref().map_or_else(String::new, |last| format!(" (last: {last})"))
}

fn for_so_long(seconds: u64) -> String {
    if seconds > DAY { "for more than a day".to_owned() } else { format!("for {seconds} s") }
}

fn then(seconds: u64) -> &'static str {
    if seconds > DAY { "that is no answer to a question, ask whoever runs it" } else { "run again then" }
}

impl Why {
    /// Whether another attempt may help.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Status(status, _) => matches!(status, 429 | 500 | 502 | 503 | 504),
            Self::Connection(_) | Self::TimedOut(_) | Self::CutShort(_) => true,
            _ => false,
        }
    }
}

/// What an error of the client means.
pub(super) fn of(error: &ureq::Error) -> Why {
    let text: String = error.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
    match error {
        ureq::Error::HostNotFound => Why::NoSuchHost,
        ureq::Error::Timeout(_) => Why::TimedOut(text),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => Why::Address(text),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Why::Tls(text),
        ureq::Error::Io(error) if is_tls(error) => Why::Tls(error.to_string()),
        ureq::Error::Io(error) if error.to_string().contains("lookup address") => Why::NoSuchHost,
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Why::TimedOut(text),
        ureq::Error::Io(error) => Why::Connection(error.to_string()),
        ureq::Error::ConnectionFailed => Why::Connection(text),
        _ => Why::Connection(text),
    }
}

/// The TLS layer reports through I/O errors of this kind, which sockets never give.
fn is_tls(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::InvalidData
}
