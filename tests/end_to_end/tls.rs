//! A catalog behind TLS whose certificate a company's own authority signed.
//!
//! `tests/tls` holds that authority and a certificate for this machine by it, valid for a
//! hundred years; the authority's key was thrown away. They are made with `openssl req -x509`
//! and `openssl x509 -req`, for a P-256 key each.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::bench::Bench;

fn pem(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// A catalog of one consumer; and every request that reached it.
fn serve() -> (String, Arc<Mutex<Vec<String>>>) {
    let chain = vec![CertificateDer::from_pem_file(pem("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(pem("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://127.0.0.1:{}", socket.local_addr().unwrap().port());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let notes = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            // A client that trusts nobody hangs up, and that is its right.
            let _ = answer(StreamOwned::new(connection, stream), &notes);
        }
    });
    (url, asked)
}

fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let (mut head, mut length) = (String::new(), 0);
    let mut reader = BufReader::new(&mut stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    asked.lock().unwrap().push(head.clone());
    let consumer = json!({"kind": "Component", "metadata": {"name": "ads", "uid": "1"},
                          "relations": [{"type": "dependsOn", "targetRef": "resource:default/users"}]});
    let value = if head.starts_with("POST") {
        json!({"items": [{"kind": "Resource", "metadata": {"name": "users", "uid": "2"}, "relations": []}]})
    } else if head.contains("limit=0") {
        json!({"items": [], "totalItems": 1, "pageInfo": {}})
    } else {
        json!({"items": [consumer], "totalItems": 1, "pageInfo": null})
    };
    let body = value.to_string();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    write!(stream, "{head}Connection: close\r\n\r\n{body}")?;
    stream.conn.send_close_notify();
    stream.flush()
}

#[test]
fn a_companys_own_authority_is_trusted_once_it_is_named() {
    let (bench, (url, asked)) = (Bench::new(), serve());
    bench.put("none.rhai", "rule(\"none/none\").lang(\"python\").find(\"users_v1\").replace(\"users_v2\");\n");
    let source = |more: &str| {
        bench.put(
            "migration.toml",
            format!(
                "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"none.rhai\"]\n[consumers]\nof = [\"resource:users\"]\n\
                 [[consumers.from]]\nbackstage = \"{url}\"\ntoken_env = \"THE_TOKEN\"\nsettle = \"1ms\"\n{more}\n"
            ),
        );
    };
    let discover = |authority: Option<&Path>| {
        let mut variables = vec![("THE_TOKEN", "s3cret".as_ref())];
        variables.extend(authority.map(|path| ("SSL_CERT_FILE", path.as_os_str())));
        let ended = bench.gander_with(&variables, &["discover", "--format", "json"]).expect(1);
        (ended.json()["consumers"].as_array().unwrap().len(), ended.stderr)
    };
    source("");
    let (found, said) = discover(None);
    assert!(found == 0 && said.contains("no trusted connection"), "{said}");
    assert!(said.contains("name the file of that authority with `ca_file`, or in SSL_CERT_FILE"), "{said}");
    assert_eq!(asked.lock().unwrap().len(), 0, "the token travelled to a stranger");
    assert_eq!(discover(Some(&pem("authority.pem"))).0, 1);
    std::fs::copy(pem("authority.pem"), bench.root.join("company.pem")).unwrap();
    source("ca_file = \"company.pem\"");
    let (found, said) = discover(None);
    assert_eq!(found, 1, "{said}");
    assert!(asked.lock().unwrap()[0].to_lowercase().contains("authorization: bearer s3cret"));
    // Another one vouches for nothing here, and a file without any is said to be that.
    bench.put("company.pem", std::fs::read(pem("server.pem")).unwrap());
    let (found, said) = discover(None);
    assert!(found == 0 && said.contains("no trusted connection"), "{said}");
    bench.put("company.pem", "-----BEGIN NOTHING-----\n");
    let (found, said) = discover(None);
    assert!(found == 0 && said.contains("holds no certificate"), "{said}");
}
