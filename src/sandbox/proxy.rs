//! The only way out of a sandbox that fetches: an HTTP proxy on a unix socket that
//! connects to the hosts a migration lists, and to nothing else.
//!
//! The sandbox's network namespace has a loopback and no other device. PID 1 listens
//! there and forwards to the socket, which is shown to it alone; this end runs in
//! gander, outside, and decides.
//!
//! What a listed host is asked is not looked at: with TLS it can't be, and plain
//! requests are passed on as they are, to the one host that was checked.
//!
//! Must not: connect anywhere before the host and the port were found in the list.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 64 << 10;
/// How long a host may take to answer the connection.
const CONNECTING: Duration = Duration::from_secs(20);
/// How long a line may be silent.
const IDLE: Duration = Duration::from_secs(120);
/// How many refusals are remembered.
const MOST_REFUSALS: usize = 20;

/// A running proxy; it stops listening when dropped.
#[derive(Debug)]
pub struct Proxy {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    hosts: Vec<String>,
    refused: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Proxy {
    /// Starts one that reaches `hosts`, each as `name:port`.
    ///
    /// # Errors
    /// Where no socket can be made.
    pub fn start(hosts: &[String]) -> io::Result<Self> {
        // Not in the scratch folder: the path of a socket is short by law.
        let folder = tempfile::Builder::new().prefix("gander-").tempdir()?;
        let listener = UnixListener::bind(folder.path().join("proxy"))?;
        let shared = Shared { hosts: hosts.to_vec(), refused: Mutex::new(Vec::new()), over: AtomicBool::new(false) };
        let shared = Arc::new(shared);
        let serving = Arc::clone(&shared);
        std::thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            for client in listener.incoming().flatten() {
                if serving.over.load(Ordering::Relaxed) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // Where no thread is to be had the client sees its line closed.
                let _ = std::thread::Builder::new().spawn(move || serve(client, &serving));
            }
        })?;
        Ok(Self { folder, shared })
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("proxy")
    }

    /// The hosts that were asked for and are not listed.
    pub fn refused(&self) -> Vec<String> {
        self.shared.refused.lock().map(|refused| refused.clone()).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the listener, which then looks.
        let _ = UnixStream::connect(self.socket());
    }
}

/// What the head of a request asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    /// `name:port`.
    host: String,
    /// The head to pass on; `None` for `CONNECT`, where nothing is.
    head: Option<Vec<u8>>,
}

fn serve(mut client: UnixStream, shared: &Shared) {
    let _ = client.set_read_timeout(Some(IDLE));
    let Ok((head, rest)) = read_head(&mut client) else { return };
    let Some(asked) = parse(&head) else {
        return answer(&mut client, "400 Bad Request", "this proxy speaks HTTP: CONNECT, or a whole URL");
    };
    if !shared.hosts.contains(&asked.host) {
        if let Ok(mut refused) = shared.refused.lock()
            && refused.len() < MOST_REFUSALS
            && !refused.contains(&asked.host)
        {
            refused.push(asked.host.clone());
        }
        let why = format!("{} is not among the hosts that the migration lists", asked.host);
        return answer(&mut client, "403 Forbidden", &why);
    }
    let mut server = match connect(&asked.host) {
        Ok(server) => server,
        Err(error) => return answer(&mut client, "502 Bad Gateway", &format!("{}: {error}", asked.host)),
    };
    let begun = match &asked.head {
        None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n"),
        Some(head) => server.write_all(head),
    };
    if begun.and_then(|()| server.write_all(&rest)).is_ok() {
        relay(client, server);
    }
}

fn answer(client: &mut UnixStream, status: &str, why: &str) {
    let length = why.len() + 1;
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{why}\n"
    );
    // A client that is gone needs no answer.
    let _ = client.write_all(text.as_bytes());
}

/// The head of a request, and what came with it of the body.
fn read_head(client: &mut UnixStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((bytes, rest));
        }
        if bytes.len() > LONGEST_HEAD {
            return Err(io::Error::other("the head is too long"));
        }
        match client.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Understands a head, or nothing of it.
fn parse(head: &[u8]) -> Option<Asked> {
    let text = std::str::from_utf8(head).ok()?;
    let (line, fields) = text.split_once("\r\n")?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !version.starts_with("HTTP/1.") {
        return None;
    }
    if method == "CONNECT" {
        return Some(Asked { host: with_port(target, None)?, head: None });
    }
    let rest = target.strip_prefix("http://")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let host = with_port(authority, Some("80"))?;
    // The line to the proxy ends with this request: another might be for another host.
    let kept = fields.split("\r\n").filter(|field| {
        let name = field.split(':').next().unwrap_or_default().to_ascii_lowercase();
        !name.is_empty() && !matches!(name.as_str(), "proxy-connection" | "connection" | "proxy-authorization")
    });
    let mut out = format!("{method} {path} {version}\r\n");
    for field in kept {
        out.push_str(field);
        out.push_str("\r\n");
    }
    out.push_str("Connection: close\r\n\r\n");
    Some(Asked { host, head: Some(out.into_bytes()) })
}

/// `name:port` in lower case; user names and what else may stand there is refused.
fn with_port(authority: &str, default: Option<&str>) -> Option<String> {
    let (name, port) = match authority.rsplit_once(':') {
        Some(parts) => parts,
        None => (authority, default?),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let port: u16 = port.parse().ok()?;
    (!name.is_empty() && name.chars().all(plain)).then(|| format!("{}:{port}", name.to_ascii_lowercase()))
}

fn connect(host: &str) -> io::Result<TcpStream> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    // A name that is answered with an address of this machine or its link would make
    // the proxy a way to what only this machine can reach.
    let own = name == "localhost" || name.parse::<IpAddr>().is_ok();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in host.to_socket_addrs()? {
        if !own && is_close(&address) {
            last = io::Error::other("the name leads to this machine itself");
            continue;
        }
        match TcpStream::connect_timeout(&address, CONNECTING) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn is_close(address: &SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || (ip.segments()[0] & 0xffc0) == 0xfe80,
    }
}

/// Carries bytes both ways until either end is done.
fn relay(client: UnixStream, server: TcpStream) {
    let _ = server.set_read_timeout(Some(IDLE));
    let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else { return };
    let up = std::thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(std::net::Shutdown::Write);
    });
    let (mut from_server, mut to_client) = (server, client);
    let _ = io::copy(&mut from_server, &mut to_client);
    let _ = to_client.shutdown(std::net::Shutdown::Both);
    let _ = from_server.shutdown(std::net::Shutdown::Both);
    let _ = up.join();
}

/// PID 1's end: listens on the private loopback and forwards to the socket.
///
/// # Errors
/// Where it can't listen there.
pub fn forward(port: u16, socket: &'static Path) -> io::Result<()> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
    std::thread::Builder::new().name("forward".to_owned()).spawn(move || {
        for client in listener.incoming().flatten() {
            let _ = std::thread::Builder::new().spawn(move || {
                if let Ok(proxy) = UnixStream::connect(socket) {
                    relay(proxy, client);
                }
            });
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn ask(proxy: &Proxy, request: &str) -> String {
        let mut line = UnixStream::connect(proxy.socket()).unwrap();
        line.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        line.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn heads_are_understood_or_refused() {
        let host = |head: &str| parse(head.as_bytes()).map(|asked| asked.host);
        assert_eq!(host("CONNECT A.example:443 HTTP/1.1\r\n\r\n").as_deref(), Some("a.example:443"));
        assert_eq!(host("GET http://a.example/x HTTP/1.1\r\n\r\n").as_deref(), Some("a.example:80"));
        for odd in [
            "CONNECT a.example HTTP/1.1\r\n\r\n",
            "CONNECT u@a.example:443 HTTP/1.1\r\n\r\n",
            "CONNECT a.example:99999 HTTP/1.1\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "GET https://a.example/ HTTP/1.1\r\n\r\n",
            "GET http://a.example@b.example/ HTTP/1.1\r\n\r\n",
        ] {
            assert_eq!(host(odd), None, "{odd}");
        }
        let asked = parse(b"GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\nProxy-Authorization: p\r\n\r\n");
        let head = String::from_utf8(asked.unwrap().head.unwrap()).unwrap();
        assert_eq!(head, "GET /x?y HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    }

    #[test]
    fn listed_hosts_are_reached_and_others_are_not() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let listed = format!("127.0.0.1:{}", server.local_addr().unwrap().port());
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let unlisted = format!("127.0.0.1:{}", other.local_addr().unwrap().port());
        other.set_nonblocking(true).unwrap();
        std::thread::spawn(move || {
            for mut line in server.incoming().flatten() {
                let mut head = [0; 3];
                line.read_exact(&mut head).unwrap();
                line.write_all(b"hello ").unwrap();
                line.write_all(&head).unwrap();
            }
        });
        let proxy = Proxy::start(std::slice::from_ref(&listed)).unwrap();
        let tunnel = ask(&proxy, &format!("CONNECT {listed} HTTP/1.1\r\n\r\nabc"));
        assert!(tunnel.ends_with("\r\n\r\nhello abc"), "{tunnel}");
        let plain = ask(&proxy, &format!("GET http://{listed}/ HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(plain, "hello GET");
        for request in
            [format!("CONNECT {unlisted} HTTP/1.1\r\n\r\n"), format!("GET http://{unlisted}/ HTTP/1.1\r\n\r\n")]
        {
            let refused = ask(&proxy, &request);
            assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
        }
        assert_eq!(proxy.refused(), [unlisted]);
        assert!(other.accept().is_err(), "nobody connected to it");
    }
}
