//! Bytes that are no good requests, or only just.

use crate::running::{Agent, Answer, bearer};
use crate::site::{Site, TOKEN};
use std::io::{Read, Write};

const GET: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// A license is asked for: what is applied is read from the body.
fn post(head: &str, body: &str) -> String {
    format!(
        "POST /api/v1/license HTTP/1.1\r\nHost: a\r\n{}Content-Type: application/json\r\n{head}\r\n\
         {body}",
        bearer(TOKEN)
    )
}

fn get(head: &str) -> String {
    format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{head}\r\n")
}

/// What is sent, and the statuses of the answers.
fn cases() -> Vec<(&'static str, String, Vec<u16>)> {
    let big = "a".repeat(17 * 1024);
    let many: String = (0..101).map(|at| format!("X-{at}: y\r\n")).collect();
    let chunk = format!("8000\r\n{}\r\n", "b".repeat(0x8000));
    let mut cases = good();
    cases.extend(smuggling());
    cases.extend([
        ("nothing", String::new(), vec![]),
        ("half a line", "GET /hea".into(), vec![]),
        ("half a head", "GET /healthz HTTP/1.1\r\nHost:".into(), vec![]),
        ("half a body", post("Content-Length: 10\r\n", "{\"l"), vec![400]),
        ("half a chunk", post("Transfer-Encoding: chunked\r\n", "8\r\n{\"l"), vec![400]),
        ("no last chunk", post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n"), vec![400]),
        ("no size of a chunk", post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n"), vec![400]),
        (
            "a huge size of a chunk",
            post("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFFF\r\n{}"),
            vec![400],
        ),
        ("too long", post("Content-Length: 131073\r\n", &"b".repeat(131_073)), vec![413]),
        ("said to be too long", post("Content-Length: 999999999999\r\n", "{"), vec![413]),
        ("chunks too long", post("Transfer-Encoding: chunked\r\n", &chunk.repeat(9)), vec![413]),
        ("a long header", get(&format!("X: {big}\r\n")), vec![431]),
        ("many headers", get(&many), vec![431]),
        ("a long target", format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", &big[..9000]), vec![414]),
        ("a NUL", get("X: a\0b\r\n"), vec![400]),
        ("a CR in a value", get("X: a\rb\r\n"), vec![400]),
        ("a blank before the colon", get("X : a\r\n"), vec![400]),
        ("a folded header", get("X: a\r\n b\r\n"), vec![400]),
        ("no colon", get("X\r\n"), vec![400]),
        ("a strange method", "G@T /healthz HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![400]),
        ("a small method", "get /healthz HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![405]),
        ("no version", "GET /healthz\r\n\r\n".into(), vec![400]),
        ("a version to come", "GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n".into(), vec![400]),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), vec![400]),
        ("no path", "GET healthz HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![400]),
        ("a blank in the path", "GET /health z HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![400]),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n".into(), vec![400]),
        ("a tunnel", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![400]),
        ("dots", "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![404]),
        ("an escaped NUL", "GET /healthz%00 HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![404]),
        ("a media type", post("Content-Length: 2\r\nContent-Type: a/b\r\n", "{}"), vec![415]),
        (
            "a body that is packed",
            post("Content-Length: 2\r\nContent-Encoding: gzip\r\n", "{}"),
            vec![415],
        ),
    ]);
    cases
}

fn good() -> Vec<(&'static str, String, Vec<u16>)> {
    let chunked = "Transfer-Encoding: chunked\r\n";
    vec![
        ("one", GET.into(), vec![200]),
        ("two", GET.repeat(2), vec![200, 200]),
        (
            "a body between",
            [GET, &post("Content-Length: 2\r\n", "{}"), GET].concat(),
            vec![200, 400, 200],
        ),
        ("a body of its own", [&get("Content-Length: 3\r\n"), "GET", GET].concat(), vec![200]),
        ("HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n".into(), vec![200]),
        ("HEAD", "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![200]),
        ("blank lines before", format!("\r\n\r\n{GET}"), vec![200]),
        ("an absolute target", GET.replace("/healthz", "http://a/healthz"), vec![200]),
        ("any server", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![404]),
        ("an upgrade", get("Upgrade: h2c\r\nConnection: upgrade\r\n"), vec![200]),
        ("chunks", post(chunked, "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), vec![400]),
        ("a trailer", post(chunked, "2;x=y\r\n{}\r\n0\r\nX: y\r\n\r\n"), vec![400]),
        ("more than is read", [&post(chunked, "2\r\n{}\r\n0\r\n\r\n"), GET].concat(), vec![400]),
    ]
}

/// What two servers in a row may read differently. Whatever follows is not answered.
fn smuggling() -> Vec<(&'static str, String, Vec<u16>)> {
    let heads = [
        ("both lengths", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        ("both lengths, turned round", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
        ("one length twice", "Content-Length: 5\r\nContent-Length: 5\r\n"),
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("a list of lengths", "Content-Length: 5, 5\r\n"),
        ("a length with a sign", "Content-Length: +5\r\n"),
        ("a length below zero", "Content-Length: -1\r\n"),
        ("a length beyond numbers", "Content-Length: 18446744073709551616\r\n"),
        ("a length in hexadecimal", "Content-Length: 0x5\r\n"),
        ("no length", "Content-Length:\r\n"),
        ("two encodings", "Transfer-Encoding: gzip, chunked\r\n"),
        ("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ("another encoding", "Transfer-Encoding: identity\r\n"),
        ("an encoding with a tab", "Transfer-Encoding: \u{b}chunked\r\n"),
        ("two hosts", "Host: b\r\nContent-Length: 5\r\n"),
        ("a bare line end", "X: y\nContent-Length: 5\r\n"),
    ];
    // Each would be answered with 200 but for its head.
    let with = |(name, head)| (name, get(head) + "0\r\n\r\n" + GET, vec![400]);
    let mut cases: Vec<_> = heads.map(with).into();
    let old = "GET /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    cases.push(("chunks in HTTP/1.0", format!("{old}{GET}"), vec![400]));
    cases.push(("no host", format!("GET /healthz HTTP/1.1\r\n\r\n{GET}"), vec![400]));
    cases
}

#[test]
fn bytes_that_are_no_good_requests_get_a_clear_answer_and_harm_nothing() {
    let site = Site::new();
    site.configure("", "");
    let agent = Agent::start(&site);
    assert_eq!(agent.apply(&site.license()).status, 200);
    let before = agent.get_as("/api/v1/license", TOKEN).json();
    let files = state(&site);
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut wrong = Vec::new();
    for (name, bytes, wanted) in cases {
        let found = agent.send(bytes.as_bytes());
        let statuses: Vec<u16> = found.iter().map(|answer| answer.status).collect();
        if statuses != wanted {
            wrong.push(format!("{name}: {statuses:?}, not {wanted:?}"));
        }
        let closes = |answer: &Answer| answer.headers("connection") == ["close"];
        let bad = |status: u16| matches!(status, 408 | 413 | 414 | 431);
        if found.iter().any(|answer| bad(answer.status) && !closes(answer)) {
            wrong.push(format!("{name}: it does not say that it closes"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(agent.get("/healthz").status, 200);
    assert_eq!(agent.get_as("/api/v1/license", TOKEN).json(), before);
    assert_eq!(state(&site), files);
    let log = agent.stop();
    assert!(!log.contains("panic"), "{log}");
}

/// Every file of the state but the ones that note the time.
fn state(site: &Site) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(site.path("agent-state")).unwrap();
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().to_string_lossy().into_owned(), entry.metadata().unwrap().len())
    };
    let mut all: Vec<_> = entries.map(entry).collect();
    all.sort();
    all
}

#[test]
fn what_comes_too_slowly_is_refused_and_what_comes_byte_by_byte_is_not() {
    let site = Site::new();
    site.configure("", "[limits]\nheader_seconds = 1\nbody_seconds = 1\n");
    let agent = Agent::start(&site);
    let statuses = |bytes: &[u8]| {
        let mut stream = agent.connect();
        stream.write_all(bytes).unwrap();
        let all = crate::running::answers(&crate::running::read(&mut stream));
        all.into_iter().map(|answer| answer.status).collect::<Vec<_>>()
    };
    assert_eq!(statuses(b"GET /healthz HT"), [408], "a head");
    assert_eq!(statuses(GET.as_bytes()), [200], "an idle connection is closed without a word");
    assert!(statuses(b"").is_empty());
    let half = post("Content-Length: 10\r\n", "{");
    assert_eq!(statuses(half.as_bytes()), [408], "a body");
    let half = post("Transfer-Encoding: chunked\r\n", "1\r\n{\r\n");
    assert_eq!(statuses(half.as_bytes()), [408], "chunks");

    let mut stream = agent.connect();
    stream.set_nodelay(true).unwrap();
    for byte in GET.as_bytes() {
        stream.write_all(&[*byte]).unwrap();
    }
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
}

#[test]
fn a_client_that_asks_first_is_told_before_it_sends() {
    let site = Site::new();
    site.configure("", "");
    let agent = Agent::start(&site);
    let first = |head: &str, length: usize| {
        let mut stream = agent.connect();
        let head = format!("Expect: 100-continue\r\nContent-Length: {length}\r\n{head}");
        stream.write_all(post(&head, "").as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        String::from_utf8(start.to_vec()).unwrap()
    };
    assert_eq!(first("", 2), "HTTP/1.1 100");
    assert_eq!(first("", 131_073), "HTTP/1.1 413");
}

#[test]
fn who_asks_and_never_listens_is_left() {
    let site = Site::new();
    site.configure("metrics = \"public\"", "[limits]\nbody_seconds = 1\n");
    let agent = Agent::start(&site);
    let mut deaf = agent.connect();
    deaf.set_nonblocking(true).unwrap();
    let page = format!("GET /license HTTP/1.1\r\nHost: a\r\n{}\r\n", bearer(TOKEN));
    // Far more than is on the way at any time: 1,000 pages of 30 KB.
    for _ in 0..1000 {
        let _ = deaf.write_all(page.as_bytes());
    }
    let alone = || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        agent.get("/metrics").body.contains("\nlicentia_agent_connections 1\n")
    };
    assert!((0..600).any(|_| alone()), "{}", agent.get("/metrics").body);
    drop(deaf);
}
