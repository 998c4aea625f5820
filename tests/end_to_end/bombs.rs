//! Answers of servers that are small to send and large to hold: what `gander` takes of the
//! machine's memory for them, by the program.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::bench::Bench;
use super::discovery::migration;

/// The most memory for any answer, in KiB. An answer has 16 MiB at most, unpacked; the
/// program takes about 35 MiB before it has read anything, and about 55 with an answer.
const BOUND: u64 = 128 << 10;
/// Just under what one answer may have.
const SIZE: usize = (16 << 20) - 1_000;

/// `head`, `item` as often as there is room, `tail`, packed.
fn bomb(head: &str, item: &str, tail: &str) -> Vec<u8> {
    let mut text = head.to_owned();
    while text.len() + item.len() + tail.len() < SIZE {
        text.push_str(item);
        text.push(',');
    }
    text.pop();
    text.push_str(tail);
    packed(text)
}

fn packed(text: String) -> Vec<u8> {
    let mut child = Command::new("gzip").arg("-1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::thread::spawn(move || pipe.write_all(text.as_bytes()).unwrap());
    child.wait_with_output().unwrap().stdout
}

/// A server that answers as a catalog does, but for the page of consumers and the graph of
/// Marquez, which are `bomb`.
fn serve(bomb: Vec<u8>) -> String {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let bomb = Arc::new(bomb);
    std::thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            let bomb = Arc::clone(&bomb);
            std::thread::spawn(move || while answer(&stream, &bomb).is_some() {});
        }
    });
    url
}

fn answer(mut stream: &TcpStream, bomb: &[u8]) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let asked = String::from_utf8_lossy(&body);
    if asked.contains("default/r0") {
        // The next question about so many is not answered any more.
        return stream.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").ok();
    }
    let (packing, body): (&str, Vec<u8>) = match head.lines().next()? {
        line if line.contains("limit=0") => ("", b"{\"items\": [], \"totalItems\": 9}".to_vec()),
        line if line.starts_with("GET") => ("Content-Encoding: gzip\r\n", bomb.to_vec()),
        // It knows everybody who is asked for, and gives them nothing but a name.
        _ => {
            let asked: serde_json::Value = serde_json::from_str(&asked).unwrap();
            let item = |name: &serde_json::Value| {
                let (kind, name) = name.as_str()?.split_once(":default/")?;
                Some(serde_json::json!({"kind": kind, "metadata": {"name": name, "uid": name}}))
            };
            let items: Vec<_> = asked["entityRefs"].as_array()?.iter().map(item).collect();
            ("", serde_json::json!({ "items": items }).to_string().into_bytes())
        }
    };
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{packing}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()
}

#[test]
fn an_answer_takes_no_more_memory_than_its_size_explains() {
    let bench = Bench::new();
    let page = |from: &str, bomb: Vec<u8>| {
        let url = serve(bomb);
        let consumers = format!(
            "of = [\"resource:users\"]\ndatasets = [\"a.users\"]\nnames = [\"x\"]\n[[consumers.from]]\n{from} = \"{url}\"\n{}",
            if from == "backstage" { "settle = \"1ms\"" } else { "namespace = \"n\"" }
        );
        migration(&bench, &consumers, "");
        let ended = bench.gander(&["discover"]);
        println!("{from}: {} MiB", ended.peak >> 10);
        assert!(ended.peak > 0 && ended.peak < BOUND, "{} KiB: {}", ended.peak, ended.stdout);
        ended.stdout
    };
    let one =
        |inside: &str| format!("{{\"items\": [{{\"kind\": \"Component\", \"metadata\": {{\"name\": \"a\", {inside}");
    let said = "not what was expected";
    for (bomb, told) in [
        // What is no entity, and entities of which there is nothing.
        (bomb("{\"items\": [", "[]", "]}"), said),
        (bomb("{\"items\": [", "{}", "]}"), said),
        // One entity: with what nobody asked for, and with too much of what was.
        (bomb(&one("\"x\": ["), "1", "]}}]}"), "component:default/a"),
        (bomb(&one("\"tags\": ["), "\"\"", "]}}]}"), "component:default/a"),
        (bomb(&format!("{}}}, \"relations\": [", one("\"x\": 1")), "{}", "]}]}"), "component:default/a"),
        (
            bomb(&format!("{}}}, \"relations\": [", one("\"x\": 1")), "{\"type\":\"dependsOn\"}", "]}]}"),
            "its relation dependsOn has no target",
        ),
        (packed("0".repeat(256 << 20)), "the answer is larger than 16777216 bytes"),
    ] {
        let stdout = page("backstage", bomb);
        assert!(stdout.contains(told), "{stdout}");
    }
    for (bomb, told) in [
        (bomb("{\"graph\": [", "{}", "]}"), said),
        (bomb("{\"graph\": [{\"id\": \"dataset:n:x\", \"type\": \"DATASET\", \"inEdges\": [", "{}", "]}]}"), "in full"),
        (
            bomb("{\"graph\": [{\"id\": \"dataset:n:x\", \"type\": \"DATASET\", \"data\": {\"x\": [", "[]", "]}}]}"),
            "in full",
        ),
    ] {
        let stdout = page("marquez", bomb);
        assert!(stdout.contains(told), "{stdout}");
    }
}

/// Many relations of one entity are real: each takes what it is made of.
#[test]
fn relations_take_what_they_are_made_of() {
    let bench = Bench::new();
    let mut text =
        "{\"items\": [{\"kind\": \"Component\", \"metadata\": {\"name\": \"a\"}, \"relations\": [{}".to_owned();
    for number in 0.. {
        if text.len() + 100 > SIZE {
            break;
        }
        text.push_str(&format!(",{{\"type\":\"dependsOn\",\"targetRef\":\"resource:default/r{number}\"}}"));
    }
    let url = serve(packed(text + "]}]}"));
    let consumers = format!(
        "of = [\"resource:users\"]\nnames = [\"x\"]\n[[consumers.from]]\nbackstage = \"{url}\"\nsettle = \"1ms\""
    );
    migration(&bench, &consumers, "");
    let ended = bench.gander(&["discover"]).expect(1);
    println!("{} MiB", ended.peak >> 10);
    assert!(ended.peak < 2 * BOUND, "{} KiB", ended.peak);
}
