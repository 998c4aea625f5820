//! Against real sockets: a listener that answers with the bytes it is given.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::*;

/// A listener that answers one request after the other with raw bytes, and notes
/// what it was asked. It goes when the test does.
pub(crate) struct Listener {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    pub(crate) fn new(answers: Vec<Vec<u8>>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = socket.accept() else { return };
                let request = read_request(&stream);
                notes.lock().unwrap().push(request);
                let _ = stream.write_all(&answer);
            }
        });
        Self { url, asked }
    }

    /// All requests so far: head and body.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_request(stream: &std::net::TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    format!("{head}{}", String::from_utf8_lossy(&body))
}

/// An answer with this status, headers and body, after which the connection closes.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

fn client(clock: &Clock) -> Client {
    Client::new(Some(Secret::checked("s3cret", "here").unwrap()), clock)
}

fn asked(answers: Vec<Vec<u8>>) -> (Result<serde_json::Value, HttpError>, Vec<String>, i64) {
    let (listener, clock) = (Listener::new(answers), Clock::at(0));
    let result = client(&clock).get(&format!("{}/x?q=1", listener.url));
    (result, listener.asked(), clock.now())
}

fn why(answers: Vec<Vec<u8>>) -> Why {
    asked(answers).0.unwrap_err().why
}

#[test]
fn a_token_is_sent_and_never_shown() {
    let (result, requests, _) = asked(vec![answer(200, "", "{\"a\":1}")]);
    assert_eq!(result.unwrap()["a"], 1);
    assert!(requests[0].to_lowercase().contains("authorization: bearer s3cret"), "{requests:?}");
    let shown = format!("{:?}", client(&Clock::at(0)));
    assert!(!shown.contains("s3cret"), "{shown}");
    let (result, _, _) = asked(vec![answer(401, "", "s3cret is wrong")]);
    let error = result.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    assert!(error.to_string().ends_with("check that it is set, whole and not expired"), "{error}");
}

#[test]
fn a_server_that_repeats_the_token() {
    let long = format!("{}s3cret", "x".repeat(197));
    for (status, headers, body) in [
        (400, "", "{\"error\": {\"message\": \"bad s3cret\"}}"),
        (400, "", long.as_str()),
        (200, "Content-Type: text/html; s3cret\r\n", "<p>"),
        (302, "Location: https://x/?t=s3cret\r\n", ""),
        (302, "Location: https://x/?t=s3\tcret\r\n", ""),
        (200, "", "\"s3cret\""),
    ] {
        let listener = Listener::new(vec![answer(status, headers, body)]);
        let error = client(&Clock::at(0)).get::<Vec<u8>>(&listener.url).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3c"), "{shown}");
    }
}

#[test]
fn a_token_that_comes_back_is_no_name_of_anything() {
    let (result, _, _) = asked(vec![answer(200, "", "{\"name\": \"x-s3cret\"}")]);
    assert_eq!(result.unwrap()["name"], "x-…");
}

#[test]
fn a_busy_server_is_waited_for_as_it_asks() {
    let busy = |after: &str| answer(429, &format!("Retry-After: {after}\r\n"), "");
    let (result, requests, now) = asked(vec![busy("30"), busy("Thu, 01 Jan 1970 00:01:40 GMT"), answer(200, "", "1")]);
    assert_eq!((result.unwrap(), requests.len(), now), (serde_json::json!(1), 3, 100));
    let (result, requests, now) = asked(vec![answer(503, "", ""), answer(500, "", ""), answer(200, "", "1")]);
    assert_eq!((result.is_ok(), requests.len(), now), (true, 3, 2));
    let (result, requests, now) = asked((0..9).map(|_| answer(502, "", "no")).collect());
    assert_eq!((result.unwrap_err().why, requests.len()), (Why::Status(502, "no".to_owned()), 6));
    assert_eq!(now, 1 + 1 + 2 + 4 + 8);
    assert_eq!(why(vec![busy("86400")]), Why::Patience(86400, 429));
    for (after, told) in [
        ("3600", "asks to wait for 3600 s (status 429): run again then"),
        ("99999999999999999999", "asks to wait for more than a day (status 429): that is no answer"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "asks to wait for more than a day (status 429): that is no answer"),
    ] {
        let (result, requests, now) = asked(vec![busy(after), answer(200, "", "1")]);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        assert_eq!((requests.len(), now), (1, 0), "nobody waits");
    }
}

#[test]
fn what_does_not_pass_is_asked_once() {
    for (status, expected) in [(401, Why::Unauthorized), (403, Why::Forbidden), (404, Why::NotFound)] {
        let (result, requests, _) = asked(vec![answer(status, "", ""), answer(200, "", "1")]);
        assert_eq!((result.unwrap_err().why, requests.len()), (expected, 1));
    }
    let redirect = answer(302, "Location: https://login.example.org/\r\n", "");
    assert_eq!(why(vec![redirect]), Why::Redirect("https://login.example.org/".to_owned()));
    assert!(
        matches!(why(vec![answer(400, "", "{\"error\":{\"message\":\"bad\\nfilter\"}}")]), Why::Status(400, m) if m == "bad filter")
    );
}

#[test]
fn what_is_no_json_is_told_from_what_is_cut_short() {
    let page = answer(200, "Content-Type: text/html\r\n", "<!doctype html><title>Sign in</title>");
    assert_eq!(why(vec![page]), Why::NotJson("text/html".to_owned()));
    let cut = |_| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"items\": [".to_vec();
    assert!(matches!(why((0..9).map(cut).collect()), Why::CutShort(_)));
    assert!(matches!(why(vec![answer(200, "", "{\"items\": [")]), Why::CutShort(_)));
    assert!(matches!(why(vec![answer(200, "", "{\"items\": }")]), Why::Unexpected(_)));
}

#[test]
fn an_answer_is_bounded() {
    let listener = Listener::new(vec![answer(200, "", &format!("\"{}\"", "x".repeat(2000)))]);
    let mut client = client(&Clock::at(0));
    client.limit = 1000;
    assert_eq!(client.get::<String>(&listener.url).unwrap_err().why, Why::TooLarge(1000));
}

#[test]
fn all_answers_together_are_bounded() {
    let one = answer(200, "", &format!("\"{}\"", "x".repeat(40 << 10)));
    let listener = Listener::new(vec![one; 9]);
    let client = client(&Clock::at(0));
    let read = (0..9).take_while(|_| client.get::<String>(&listener.url).is_ok()).count();
    assert_eq!((read, client.get::<String>(&listener.url).unwrap_err().why), (3, Why::TooMuch(MAX_ALL)));
}

#[test]
fn all_questions_together_have_a_limit() {
    let clock = Clock::at(0);
    let busy = |_| answer(429, "Retry-After: 60\r\n", "");
    let listener = Listener::new([vec![answer(200, "", "1")], (0..9).map(busy).collect()].concat());
    let client = client(&clock).within(Duration::from_secs(150));
    assert_eq!(client.get::<u8>(&listener.url).unwrap(), 1);
    let late = client.get::<u8>(&listener.url).unwrap_err();
    let Why::OverTime(150, Some(last)) = late.why else { panic!("{:?}", late.why) };
    assert!(last.to_string().contains("429"), "what kept it is said: {last}");
    assert_eq!((clock.now(), listener.asked().len()), (120, 4));
    assert!(client.get::<u8>(&listener.url).is_err());
    clock.advance(60);
    assert!(matches!(client.get::<u8>(&listener.url).unwrap_err().why, Why::OverTime(150, None)));
    assert_eq!(listener.asked().len(), 5, "nothing more is asked");
}

#[test]
fn the_limit_holds_within_one_answer() {
    for head in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in socket.incoming().flatten() {
                let _ = stream.write_all(head.as_bytes());
                // A little at a time, and never the end: of the head, or of the body.
                let piece: &[u8] = if head.ends_with("\r\n\r\n") { b"1\r\n \r\n" } else { b"X: 1\r\n" };
                while stream.write_all(piece).is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        });
        let begun = std::time::Instant::now();
        let client = client(&Clock::System).within(Duration::from_secs(3));
        let why = client.get::<serde_json::Value>(&url).unwrap_err().why;
        assert!(matches!(why, Why::OverTime(3, _)), "{head:?}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{head:?}: {:?}", begun.elapsed());
    }
}

#[test]
fn nobody_there_and_no_such_name() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ask = |url: &str| client(&Clock::at(0)).get::<serde_json::Value>(url).unwrap_err().why;
    assert!(matches!(ask(&format!("http://127.0.0.1:{port}")), Why::Connection(_)));
    let nowhere = ask("http://no-such-host.invalid/");
    assert!(matches!(nowhere, Why::NoSuchHost), "{nowhere:?}");
    let plain = Listener::new((0..9).map(|_| answer(200, "", "1")).collect());
    let tls = ask(&plain.url.replace("http://", "https://"));
    assert!(matches!(tls, Why::Tls(_)), "{tls:?}");
}

#[test]
fn queries_are_encoded() {
    assert_eq!(encoded("a b&c=d/é"), "a%20b%26c%3Dd%2F%C3%A9");
}

#[test]
fn tokens_are_read_from_files_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    crate::files::write_whole(&path, b"abc\n", false).unwrap();
    assert_eq!(Secret::from_file(&path).unwrap(), Secret::checked("abc", "here").unwrap());
    for bad in [&b""[..], b"a b", b"a\nb", "\u{e9}".as_bytes(), b"\xff"] {
        crate::files::write_whole(&path, bad, false).unwrap();
        assert!(Secret::from_file(&path).is_err(), "{bad:?}");
    }
    for pasted in ["ghp_abcDEF123", "AKIAIOSFODNN7EXAMPLE"] {
        let told = Secret::from_env(pasted, "token_env").unwrap_err().to_string();
        assert_eq!(told, "the variable that `token_env` names is not set: set it to the token");
    }
    assert!(
        matches!(Secret::from_env("GANDER_NO_SUCH_TOKEN", "token"), Err(SecretError::NotSet(what)) if what.contains("`token`"))
    );
}
