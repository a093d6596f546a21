//! Bytes that are no good requests, or only just; and many connections at once.

use crate::support::real::{ADMIN_KEY, Real};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

const GET: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// Bytes of a body, at most, where nothing else is said.
const BODY_MAX: usize = 1024 * 1024;

/// One answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Takes answers apart: each has a length, or no body.
fn answers(bytes: &[u8]) -> Vec<Answer> {
    let mut rest = String::from_utf8(bytes.to_vec()).unwrap();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (head, after) = rest.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{rest:?}"));
        let status = head.strip_prefix("HTTP/1.1 ").or(head.strip_prefix("HTTP/1.0 "));
        let status = status.and_then(|rest| rest.get(..3)).unwrap_or_else(|| panic!("{head}"));
        let answer = Answer { status: status.parse().unwrap(), head: head.into(), body: "".into() };
        let length = answer.header("content-length").map_or(0, |it| it.parse().unwrap());
        // What a HEAD gets has the length of what it would be.
        let length = if after.len() < length { 0 } else { length };
        all.push(Answer { body: after[..length].to_string(), ..answer });
        rest = after[length..].to_string();
    }
    all
}

/// Everything until the other side is done, or has had enough.
fn read(stream: &mut TcpStream) -> Vec<u8> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return bytes,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return bytes,
            Err(error) => panic!("{error}, after {:?}", String::from_utf8_lossy(&bytes)),
        }
    }
}

/// Sends bytes, says that nothing follows, and gives every answer.
fn send(server: &Real, bytes: &[u8]) -> Vec<Answer> {
    let mut stream = server.connect();
    // It may answer, and stop reading, before it has everything.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    answers(&read(&mut stream))
}

/// A product is to be made: what it is called is read from the body.
fn post(head: &str, body: &str) -> String {
    format!(
        "POST /api/v1/products HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ADMIN_KEY}\r\n\
         Content-Type: application/json\r\n{head}\r\n{body}"
    )
}

fn get(head: &str) -> String {
    format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{head}\r\n")
}

/// What is sent, and the statuses of the answers.
type Case = (&'static str, String, Vec<u16>);

fn good() -> Vec<Case> {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let product = r#"{"name": "A", "code": "raw"}"#;
    let pieces = format!("{:x}\r\n{product}\r\n0\r\n\r\n", product.len());
    let path = |it: &str| GET.replace("/healthz", it);
    vec![
        ("one", GET.into(), vec![200]),
        ("two", GET.repeat(2), vec![200, 200]),
        ("forty", GET.repeat(40), vec![200; 40]),
        (
            "a body between",
            [GET, &post("Content-Length: 2\r\n", "{}"), GET].concat(),
            vec![200, 400, 200],
        ),
        ("a body of its own", [&get("Content-Length: 3\r\n"), "GET", GET].concat(), vec![200, 200]),
        ("HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n".into(), vec![200]),
        ("HEAD", "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![200]),
        ("blank lines before", format!("\r\n\r\n{GET}"), vec![200]),
        ("an absolute target", path("http://a/healthz"), vec![200]),
        ("any server", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![404]),
        ("an upgrade", get("Upgrade: h2c\r\nConnection: upgrade\r\n"), vec![200]),
        ("chunks", post(chunked, &pieces), vec![201]),
        ("a trailer", post(chunked, "2;x=y\r\n{}\r\n0\r\nX: y\r\n\r\n"), vec![400]),
        ("more than is read", [&post(chunked, "2\r\n{}\r\n0\r\n\r\n"), GET].concat(), vec![400]),
        ("not packed", get("Content-Encoding: identity\r\n"), vec![200]),
        ("both names", path("/v1/products") + &path("/api/v1/products"), vec![401, 401]),
        ("no slash more", path("/healthz/"), vec![404]),
        ("capitals", path("/HEALTHZ"), vec![404]),
    ]
}

/// What two servers in a row may read differently. Whatever follows is not answered.
fn smuggling() -> Vec<Case> {
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

/// What ends before its end.
fn cut() -> Vec<Case> {
    let chunked = "Transfer-Encoding: chunked\r\n";
    vec![
        ("nothing", String::new(), vec![]),
        ("half a line", "GET /hea".into(), vec![]),
        ("half a head", "GET /healthz HTTP/1.1\r\nHost:".into(), vec![]),
        ("half a body", post("Content-Length: 10\r\n", "{\"l"), vec![400]),
        ("half a chunk", post(chunked, "8\r\n{\"l"), vec![400]),
        ("no last chunk", post(chunked, "2\r\n{}\r\n"), vec![400]),
        ("no size of a chunk", post(chunked, "zz\r\n{}\r\n"), vec![400]),
        ("a huge size of a chunk", post(chunked, "FFFFFFFFFFFFFFFFFF\r\n{}"), vec![400]),
    ]
}

fn bad() -> Vec<Case> {
    let big = "a".repeat(17 * 1024);
    let many: String = (0..101).map(|at| format!("X-{at}: y\r\n")).collect();
    let chunk = format!("8000\r\n{}\r\n", "b".repeat(0x8000));
    let over = BODY_MAX + 1;
    let too_long = post(&format!("Content-Length: {over}\r\n"), &"b".repeat(over));
    let packed = "Content-Length: 2\r\nContent-Encoding: gzip\r\n";
    let verify = post("Content-Length: 131073\r\n", "").replace("products", "licenses/verify");
    let chunked = "Transfer-Encoding: chunked\r\n";
    vec![
        ("too long", too_long, vec![413]),
        ("said to be too long", post("Content-Length: 999999999999\r\n", "{"), vec![413]),
        ("too long for a license", verify, vec![413]),
        ("chunks too long", post(chunked, &chunk.repeat(33)), vec![413]),
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
        ("an own method", "BREW /api/v1/products HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![405]),
        ("no version", "GET /healthz\r\n\r\n".into(), vec![400]),
        ("a version to come", "GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n".into(), vec![400]),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), vec![400]),
        ("no path", "GET healthz HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![400]),
        ("a blank in the path", "GET /health z HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![400]),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n".into(), vec![400]),
        ("a tunnel", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![400]),
        ("dots", "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![404]),
        ("an escaped NUL", "GET /healthz%00 HTTP/1.1\r\nHost: a\r\n\r\n".into(), vec![404]),
        ("a path that is no UTF-8", GET.replace("/healthz", "/v1/products/%ff"), vec![401]),
        ("a media type", post("Content-Length: 2\r\n", "{}").replace("/json", "/x"), vec![415]),
        ("a body that is packed", post(packed, "{}"), vec![415]),
        ("packed twice", get("Content-Encoding: identity, br\r\n"), vec![415]),
        ("no JSON", post("Content-Length: 3\r\n", "{,}"), vec![400]),
        ("a list", post("Content-Length: 2\r\n", "[]"), vec![400]),
        ("a name twice", post("Content-Length: 17\r\n", r#"{"name":"","name""#), vec![400]),
    ]
}

#[test]
fn bytes_that_are_no_good_requests_get_a_clear_answer_and_harm_nothing() {
    let server = Real::new();
    let cases = [good(), smuggling(), cut(), bad()].concat();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut wrong = Vec::new();
    for (name, bytes, wanted) in cases {
        let found = send(&server, bytes.as_bytes());
        let statuses: Vec<u16> = found.iter().map(|answer| answer.status).collect();
        if statuses != wanted {
            wrong.push(format!("{name}: {statuses:?}, not {wanted:?}"));
        }
        for answer in &found {
            let closes = answer.header("connection") == Some("close");
            if matches!(answer.status, 408 | 413 | 414 | 431) && !closes {
                wrong.push(format!("{name}: it does not say that it closes"));
            }
            let told = answer.header("content-type") == Some("application/problem+json");
            // What hyper refuses by itself has no body.
            if answer.status >= 400 && !answer.body.is_empty() && !told {
                wrong.push(format!("{name}: it does not say what is wrong: {}", answer.body));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let products = server.admin().get("/api/v1/products").good();
    assert_eq!(products["total"], 1, "{products}");
    assert_eq!(server.nobody().get("/readyz").status, 200);
}

#[test]
fn what_comes_too_slowly_is_refused_and_what_comes_byte_by_byte_is_not() {
    let second = Duration::from_secs(1);
    let server = Real::with(|config| {
        (config.limits.header, config.limits.body) = (second, second);
    });
    let statuses = |bytes: &[u8]| {
        let mut stream = server.connect();
        stream.write_all(bytes).unwrap();
        let all = answers(&read(&mut stream));
        all.into_iter().map(|answer| answer.status).collect::<Vec<_>>()
    };
    assert_eq!(statuses(b"GET /healthz HT"), [408], "a head");
    assert_eq!(statuses(GET.as_bytes()), [200], "an idle connection is closed without a word");
    assert!(statuses(b"").is_empty());
    let half = post("Content-Length: 10\r\n", "{");
    assert_eq!(statuses(half.as_bytes()), [408], "a body");
    let half = post("Transfer-Encoding: chunked\r\n", "1\r\n{\r\n");
    assert_eq!(statuses(half.as_bytes()), [408], "chunks");

    let mut stream = server.connect();
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
    let server = Real::new();
    let first = |length: usize| {
        let mut stream = server.connect();
        let head = format!("Expect: 100-continue\r\nContent-Length: {length}\r\n");
        stream.write_all(post(&head, "").as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        String::from_utf8(start.to_vec()).unwrap()
    };
    assert_eq!(first(2), "HTTP/1.1 100");
    assert_eq!(first(BODY_MAX + 1), "HTTP/1.1 413");
}

#[test]
fn a_thousand_that_say_nothing_hold_up_nobody() {
    let server = Real::with(|config| config.limits.header = Duration::from_secs(3600));
    let half = |count: usize, bytes: &[u8]| {
        let open = |_| {
            let mut stream = server.connect();
            stream.write_all(bytes).unwrap();
            stream
        };
        (0..count).map(open).collect::<Vec<_>>()
    };
    let idle = (half(500, b""), half(500, b"GET /healthz HTTP/1.1\r\nHost: a\r\n"));
    let mut times = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        server.admin().get("/api/v1/products").good();
        times.push(begun.elapsed());
    }
    times.sort();
    // Measured, and no promise: the machine may be busy with something else.
    println!("with 1,000 half-open connections: p50 {:?}, p99 {:?}", times[100], times[197]);
    let page = server.nobody().get("/metrics").text();
    let count = page.lines().find_map(|line| line.strip_prefix("licentia_server_connections "));
    let count: usize = count.unwrap().parse().unwrap();
    assert!((900..=1000).contains(&count), "{count}");
    drop(idle);
}

#[test]
fn where_all_places_are_taken_the_one_that_waited_longest_makes_room() {
    let server = Real::with(|config| {
        config.limits.connections = 8;
        config.limits.header = Duration::from_secs(3600);
    });
    let mut silent: Vec<_> = (0..40).map(|_| server.connect()).collect();
    for _ in 0..20 {
        assert_eq!(server.nobody().get("/healthz").status, 200);
    }
    let mut bytes = [0; 1];
    assert!(matches!(silent[0].read(&mut bytes), Ok(0) | Err(_)), "the first had to go");
}

#[test]
fn half_a_product_changes_nothing() {
    let server = Real::new();
    let body = r#"{"name": "My Application", "code": "myapp"}"#;
    let whole = post(&format!("Content-Length: {}\r\n", body.len()), body);
    for cut in [body.len(), body.len() / 2, 1] {
        let mut stream = server.connect();
        stream.write_all(&whole.as_bytes()[..whole.len() - cut]).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    assert_eq!(server.admin().get("/api/v1/products").good()["total"], 0);
    assert_eq!(send(&server, whole.as_bytes())[0].status, 201);
}
