//! What no client of HTTP would send, written to the socket of `polku dev` byte by byte: requests that two readers could take for
//! two different ones, and bodies that are meant to fill the memory or to hold a connection for ever.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use tests::{
    http::Http,
    stage::{
        company::Company,
        role::{self, Process, Role},
    },
};

const BOUND: Duration = Duration::from_secs(120);

/// A door of a running Polku.
struct Door {
    dev: Process,
    address: SocketAddr,
    key: String,
    #[expect(
        dead_code,
        reason = "its directory is there as long as the process runs"
    )]
    company: Company,
}

impl Door {
    fn open(more: &str) -> Door {
        let company = Company::new(&format!(
            "log = {{ kind = \"embedded\", partitions = 2 }}\n{more}"
        ));
        let address = role::free_address();
        let mut dev = Process::start(&company, Role::Dev, address);
        dev.await_ready(&Http::default(), BOUND);
        Door {
            dev,
            address,
            key: company.keys.sources["till"].clone(),
            company,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream
            .set_read_timeout(Some(BOUND))
            .expect("a bound can be set");
        stream
    }

    /// The head of a request to the door, with these headers besides.
    fn head(&self, headers: &str) -> String {
        format!(
            "POST /v1/sources/till/events HTTP/1.1\r\nHost: polku\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{headers}\r\n",
            self.key
        )
    }

    /// Everything that is answered until the connection is closed from there.
    fn talk(&self, said: &[&[u8]]) -> String {
        let mut stream = self.connect();
        for bytes in said {
            // Who has heard enough closes the connection.
            if stream.write_all(bytes).is_err() {
                break;
            }
        }
        heard(&mut stream)
    }

    /// How many megabytes of memory the process has.
    fn memory_mib(&self) -> f64 {
        let metrics = Http::default().get(&format!("{}/metrics", self.dev.url()), None);
        let text = metrics.expect("it answers").body;
        let text = text.as_str().expect("metrics are text");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
        let bytes: f64 = line
            .and_then(|bytes| bytes.parse().ok())
            .expect("it is measured");
        bytes / f64::from(1024 * 1024)
    }
}

fn heard(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    // A connection that is cut may be reset; what came before counts.
    stream.read_to_end(&mut heard).ok();
    String::from_utf8_lossy(&heard).into_owned()
}

const EVENT: &str = r#"{"id":"1","kind":"service","time":"2026-01-20T09:31:00Z","identifiers":{"email":"a@example.fi"}}"#;

#[test]
fn what_could_be_two_requests_is_refused_and_the_connection_closed() {
    let mut door = Door::open("");
    let smuggled = "GET /v1/counts HTTP/1.1\r\nHost: polku\r\n\r\n";
    for (headers, body) in [
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "0\r\n\r\n",
        ),
        (
            "Transfer-Encoding: identity, chunked, identity\r\n",
            "0\r\n\r\n",
        ),
        ("Content-Length: 4\r\nContent-Length: 5\r\n", "null"),
        ("Content-Length: -1\r\n", ""),
        ("Transfer-Encoding: chunked\r\n", "g\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "-2\r\n{}\r\n0\r\n\r\n"),
        (
            "Transfer-Encoding: chunked\r\n",
            "ffffffffffffffff1\r\n{}\r\n0\r\n\r\n",
        ),
        ("Transfer-Encoding: chunked\r\n", "2\r\n{}oops\r\n0\r\n\r\n"),
        ("Content-Length: 4\r\nX-Folded: a\r\n b\r\n", "null"),
        ("Content-Length : 4\r\n", "null"),
    ] {
        let request = [door.head(headers).as_bytes(), body.as_bytes()].concat();
        let heard = door.talk(&[&request, smuggled.as_bytes()]);
        assert!(
            heard.starts_with("HTTP/1.1 400"),
            "{headers:?} {body:?}: {heard}"
        );
        assert_eq!(
            heard.matches("HTTP/1.1").count(),
            1,
            "{headers:?} {body:?}: {heard}"
        );
    }
    // With a length beside chunks the chunks hold, and nobody reads on behind them (RFC 9112, 6.3).
    let chunked = format!("{:x}\r\n{EVENT}\r\n0\r\n\r\n", EVENT.len());
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let request = [door.head(headers).as_bytes(), chunked.as_bytes()].concat();
        let heard = door.talk(&[&request, smuggled.as_bytes()]);
        assert!(heard.starts_with("HTTP/1.1 202"), "{headers:?}: {heard}");
        assert_eq!(heard.matches("HTTP/1.1").count(), 1, "{heard}");
    }
    let length = format!("Content-Length: {}\r\nConnection: close\r\n", EVENT.len());
    let heard = door.talk(&[door.head(&length).as_bytes(), EVENT.as_bytes()]);
    assert!(
        heard.contains("\"duplicate\":1"),
        "it was one event: {heard}"
    );
    door.dev.stop(BOUND);
}

const MIB: usize = 1024 * 1024;

#[test]
fn bodies_without_bounds_cost_nothing() {
    let mut door = Door::open("");
    let refused = |headers: &str, body: &[&[u8]], status: &str| {
        let head = door.head(&format!("{headers}Connection: close\r\n"));
        let began = service::clock::instant();
        let heard = door.talk(&[&[head.as_bytes()], body].concat());
        let start = format!("HTTP/1.1 {status}");
        assert!(heard.starts_with(&start), "{headers:?}: {heard}");
        assert!(heard.contains("application/problem+json"), "{heard}");
        began.elapsed()
    };
    // Nobody waits for what was announced.
    refused(&format!("Content-Length: {}\r\n", MIB + 1), &[], "413");
    refused("Content-Length: 999999999999\r\n", &[], "413");
    let chunk = [&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n"].concat();
    let endless = vec![chunk.as_slice(); 1024];
    refused("Transfer-Encoding: chunked\r\n", &endless, "413");

    let before = door.memory_mib();
    let bomb = bomb();
    assert!(bomb.len() < MIB, "{}", bomb.len());
    let headers = format!(
        "Content-Encoding: gzip\r\nContent-Length: {}\r\n",
        bomb.len()
    );
    let took = refused(&headers, &[&bomb], "413");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let grown = door.memory_mib() - before;
    assert!(grown < 32.0, "{grown} MiB");

    for (body, why) in [
        ("[".repeat(65) + &"]".repeat(65), "64 levels"),
        (r#"{"id":1,"id":1}"#.to_owned(), "twice"),
        (r#"{"id":NaN}"#.to_owned(), "line 1"),
        (r#"{"id":"\ud800"}"#.to_owned(), "line 1"),
        ("{\"id\":\"\\u0000\"}".to_owned(), "NUL"),
    ] {
        let headers = format!("Content-Length: {}\r\nConnection: close\r\n", body.len());
        let heard = door.talk(&[door.head(&headers).as_bytes(), body.as_bytes()]);
        assert!(heard.starts_with("HTTP/1.1 400"), "{why}: {heard}");
        assert!(heard.contains(why), "{why}: {heard}");
    }
    door.dev.stop(BOUND);
}

/// Nine hundred MiB of nothing in less than one.
fn bomb() -> Vec<u8> {
    let mut one = GzEncoder::new(Vec::new(), Compression::best());
    one.write_all(&[b' '; MIB]).expect("it is in memory");
    one.finish().expect("it is in memory").repeat(900)
}

#[test]
fn whatever_is_refused_is_answered_by_a_problem() {
    let mut door = Door::open("");
    let key = format!("Authorization: Bearer {}\r\n", door.key);
    for (method, path, key, status) in [
        ("GET", "/v1/nothing", "", 404),
        ("DELETE", "/livez", "", 405),
        ("POST", "/metrics", "", 405),
        ("PUT", "/v1/counts", "", 405),
        ("DELETE", "/sign-in", "", 405),
        ("TRACE", "/v1/sources/till/events", "", 405),
        ("GET", "/v1/cases/%FF", "", 401),
        ("POST", "/v1/sources/%FF/events", "", 401),
        ("POST", "/v1/sources/%FF/events", key.as_str(), 404),
        ("POST", "/v1/sources/till/events", key.as_str(), 415),
    ] {
        let said =
            format!("{method} {path} HTTP/1.1\r\nHost: polku\r\nConnection: close\r\n{key}\r\n");
        let heard = door.talk(&[said.as_bytes()]).to_lowercase();
        let start = format!("http/1.1 {status}");
        assert!(heard.starts_with(&start), "{method} {path}: {heard}");
        assert!(
            heard.contains("content-type: application/problem+json"),
            "{method} {path}: {heard}"
        );
        assert_eq!(heard.contains("\r\nallow: "), status == 405, "{heard}");
    }
    door.dev.stop(BOUND);
}

#[test]
fn who_drips_is_cut_while_others_are_answered() {
    let mut door = Door::open("");
    let began = service::clock::instant();
    let mut slow = door.connect();
    let head = door.head("Content-Length: 1000\r\n");
    slow.write_all(head.as_bytes()).expect("it listens");
    slow.set_read_timeout(Some(Duration::from_millis(500)))
        .expect("a bound can be set");
    let mut answer = [0; 1024];
    let told = loop {
        slow.write_all(b" ").expect("the connection is open");
        match slow.read(&mut answer) {
            Ok(length) => break length,
            Err(_) => assert!(began.elapsed() < BOUND, "nobody cuts it"),
        }
        let length = format!("Content-Length: {}\r\nConnection: close\r\n", EVENT.len());
        let other = door.talk(&[door.head(&length).as_bytes(), EVENT.as_bytes()]);
        assert!(other.starts_with("HTTP/1.1 202"), "{other}");
    };
    let answer = String::from_utf8_lossy(&answer[..told]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    door.dev.stop(BOUND);
}
