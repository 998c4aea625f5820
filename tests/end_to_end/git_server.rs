//! A git server over HTTP: git's own `http-backend`, behind a socket that can ask for a
//! password, count who is there at once, and break in the middle of an answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The name and the password that a private server wants.
pub const NAME: &str = "goose";
pub const PASSWORD: &str = "s3cr3t-passw0rd";
/// Both, as HTTP writes them.
const BASIC: &str = "Basic Z29vc2U6czNjcjN0LXBhc3N3MHJk";
/// How long a request waits for others before the test gives up on them.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a server behaves.
#[derive(Default)]
pub struct Manners {
    /// It wants the password.
    pub private: bool,
    /// Each request for data waits until so many are there at once.
    pub gather: usize,
    /// So many packs are cut in the middle.
    pub cut: AtomicUsize,
    /// Packs stop in the middle, and the connection stays.
    pub stall: AtomicBool,
    /// Only those that are larger, in bytes.
    pub stall_over: usize,
}

/// What a server has seen.
#[derive(Default)]
pub struct Seen {
    /// Requests for data that are being answered.
    now: AtomicUsize,
    /// The most of them at once.
    pub most: AtomicUsize,
    /// A pack has stopped in the middle.
    pub stalled: AtomicBool,
    /// Method and path of every request.
    pub asked: Mutex<Vec<String>>,
}

/// A server for the repositories below a folder. It goes when the test does.
pub struct GitServer {
    pub url: String,
    pub manners: Arc<Manners>,
    pub seen: Arc<Seen>,
}

impl GitServer {
    pub fn start(root: &Path, manners: Manners) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let (manners, seen) = (Arc::new(manners), Arc::<Seen>::default());
        let (root, shared) = (root.to_owned(), (Arc::clone(&manners), Arc::clone(&seen)));
        std::thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let (root, (manners, seen)) = (root.clone(), shared.clone());
                std::thread::spawn(move || serve(stream, &root, &manners, &seen));
            }
        });
        Self { url, manners, seen }
    }

    pub fn asked(&self) -> Vec<String> {
        self.seen.asked.lock().unwrap().clone()
    }
}

struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        let mut request = Self { method, path, headers, body: Vec::new() };
        request.body = vec![0; request.header("content-length").parse().unwrap_or(0)];
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Asks for objects, not for the names of branches.
    fn wants_data(&self) -> bool {
        let lists = self.body.windows(15).any(|bytes| bytes == b"command=ls-refs");
        self.method == "POST" && !lists
    }
}

fn serve(mut stream: TcpStream, root: &Path, manners: &Manners, seen: &Seen) {
    let Some(request) = Request::read(&stream) else { return };
    seen.asked.lock().unwrap().push(format!("{} {}", request.method, request.path));
    if manners.private && request.header("authorization") != BASIC {
        let _ = stream.write_all(
            b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
        return;
    }
    let counted = request.wants_data() && manners.gather > 0;
    if counted {
        let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most.fetch_max(now, Ordering::SeqCst);
        let begun = Instant::now();
        while seen.most.load(Ordering::SeqCst) < manners.gather && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Room for one too many to come.
        std::thread::sleep(Duration::from_millis(300));
    }
    answer(&mut stream, &request, root, manners, seen);
    if counted {
        seen.now.fetch_sub(1, Ordering::SeqCst);
    }
}

fn answer(stream: &mut TcpStream, request: &Request, root: &Path, manners: &Manners, seen: &Seen) {
    let (status, headers, body) = backend(request, root);
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes());
    let less = |left: usize| left.checked_sub(1);
    let cut = request.wants_data() && manners.cut.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
    let stall = request.wants_data() && length > manners.stall_over && manners.stall.load(Ordering::SeqCst);
    if cut || stall {
        let _ = stream.write_all(&body[..length / 2]);
        let begun = Instant::now();
        seen.stalled.store(stall, Ordering::SeqCst);
        while stall && manners.stall.load(Ordering::SeqCst) && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        return;
    }
    let _ = stream.write_all(&body);
}

/// What git's own program answers: status, headers and body.
fn backend(request: &Request, root: &Path) -> (String, String, Vec<u8>) {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut child = Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", request.header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", request.header("content-encoding"))
        .env("GIT_PROTOCOL", request.header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git starts");
    child.stdin.take().unwrap().write_all(&request.body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("headers of http-backend");
    let head = String::from_utf8_lossy(&output[..end + 2]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    (status, head, output[end + 4..].to_vec())
}

/// A repository with these files and one commit, at `path` below the bench's `served`.
pub fn repository(bench: &super::bench::Bench, path: &str, files: &[(&str, &str)]) -> PathBuf {
    for (file, text) in files {
        bench.put(&format!("served/{path}/{file}"), text);
    }
    let folder = bench.root.join("served").join(path);
    for arguments in [
        &["init", "-q", "-b", "main"][..],
        &["config", "uploadpack.allowFilter", "true"],
        &["add", "-A"],
        &["commit", "-q", "-m", "one"],
    ] {
        super::bench::git(&folder, arguments);
    }
    folder
}
