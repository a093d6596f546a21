//! Whoever listens there and means no good, or is broken: each call ends by its deadline, within
//! 4 MiB, with `unreachable`, and the next good answer is taken.
//!
//! Each peer is met by a process of its own, whose memory is looked at; the peers are here.
#![cfg(all(feature = "net", target_os = "linux"))]

mod net_support;

use flate2::{Compression, write::GzEncoder};
use net_support::tls::{Authority, Certified};
use net_support::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The setting `server_timeout` of whoever meets them.
const PATIENCE: Duration = Duration::from_secs(1);

/// On a machine with much else to do.
const GENEROUS: Duration = Duration::from_secs(30);

/// How much more memory there may ever have been: 4 MiB.
const KIB: u64 = 4 * 1024;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// The same for as long as somebody reads it.
fn endlessly(stream: &mut impl Write, bytes: &[u8]) {
    let many = bytes.repeat(16 * 1024 / bytes.len().min(16 * 1024));
    while stream.write_all(&many).is_ok() {}
}

/// A byte now and then, for far longer than anybody should wait.
fn slowly(stream: &mut impl Write, bytes: &[u8]) {
    for byte in bytes.iter().chain(std::iter::repeat(&b'a')).take(600) {
        if stream.write_all(&[*byte]).and_then(|()| stream.flush()).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn silence() {
    loop {
        thread::park();
    }
}

/// Reads the request, says the first, and goes on with the second.
fn then(
    first: impl Into<Vec<u8>>,
    go_on: impl Fn(&mut TcpStream) + Send + Sync + 'static,
) -> Meeting {
    let first = first.into();
    Box::new(move |mut stream| {
        if read_http(&mut stream).is_some() && stream.write_all(&first).is_ok() {
            go_on(&mut stream);
        }
    })
}

type Meeting = Box<dyn Fn(TcpStream) + Send + Sync>;

fn bomb() -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&vec![b' '; 64 << 20]).unwrap();
    gzip.finish().unwrap()
}

fn over_http() -> Vec<(&'static str, Meeting)> {
    let chunked = format!("{OK}transfer-encoding: chunked\r\n\r\n");
    let length = |length: &str| format!("{OK}content-length: {length}\r\n\r\n{{\"answer\": \"");
    vec![
        ("never answers", Box::new(|_stream| silence())),
        ("reads and never answers", then("", |_| silence())),
        ("closes at once", Box::new(drop)),
        ("closes in the head", then(OK, |_| ())),
        ("closes in the body", then(length("1000"), |_| ())),
        ("an endless body", then(format!("{OK}\r\n"), |it| endlessly(it, b"{\"answer\": \"aaaa"))),
        ("an endless chunk", then(format!("{chunked}fffffffffffff\r\n"), |it| endlessly(it, b" "))),
        ("endless chunks", then(chunked.clone(), |it| endlessly(it, b"1\r\na\r\n"))),
        ("chunks of garbage", then(format!("{chunked}zz\r\n"), |it| endlessly(it, b"garbage"))),
        ("an endless chunk extension", then(format!("{chunked}1;a=\""), |it| endlessly(it, b"b"))),
        ("endless trailers", then(format!("{chunked}0\r\n"), |it| endlessly(it, b"a: b\r\n"))),
        ("a huge length", then(length("9000000000000000000"), |it| endlessly(it, b"a"))),
        ("a length past all numbers", then(length("99999999999999999999"), |_| silence())),
        ("two lengths", then(length("3\r\ncontent-length: 4"), |_| silence())),
        ("an endless head", then(OK, |it| endlessly(it, b"x-more: of the same\r\n"))),
        ("an endless line", then("HTTP/1.1 200 ", |it| endlessly(it, b"OK"))),
        ("a slow head", then("", |it| slowly(it, OK.as_bytes()))),
        ("a slow body", then(length("500"), |it| slowly(it, b"aaa"))),
        ("a slow chunk", then(format!("{chunked}ff\r\n"), |it| slowly(it, b"aaa"))),
        ("a flood of 100", then("", |it| endlessly(it, b"HTTP/1.1 100 Continue\r\n\r\n"))),
        ("a flood of 103", then("", |it| endlessly(it, b"HTTP/1.1 103 Early Hints\r\n\r\n"))),
        (
            "a redirect to itself",
            then(http("307 Again", "location: /api/v1/requests\r\n", ""), |_| ()),
        ),
        ("a bomb", then(http("200 OK", "content-encoding: gzip\r\n", bomb()), |_| ())),
        (
            "SSH",
            Box::new(|mut it| drop(it.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").map(|()| silence()))),
        ),
        ("noise", then("", |it| endlessly(it, &[0, 255, 10, 13, 7]))),
    ]
}

/// Below TLS, and in it.
fn over_tls(certified: &Certified) -> Vec<(&'static str, Meeting)> {
    fn raw(bytes: &'static [u8], go_on: fn(&mut TcpStream)) -> Meeting {
        Box::new(move |mut stream| {
            let _ = stream.read(&mut [0; 4096]);
            if stream.write_all(bytes).is_ok() {
                go_on(&mut stream);
            }
        })
    }
    let inside = |go_on: fn(&mut tls::Private)| -> Meeting {
        let certified = certified.clone();
        Box::new(move |stream| {
            let mut stream = certified.over(stream);
            if read_http(&mut stream).is_some() {
                go_on(&mut stream);
            }
        })
    };
    vec![
        ("no hello", raw(b"", |_| silence())),
        ("closes after the hello", raw(b"", |_| ())),
        ("an alert", raw(&[21, 3, 3, 0, 2, 2, 40], |_| silence())),
        ("a slow hello", raw(&[22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3], |it| slowly(it, b""))),
        ("an endless hello", raw(&[22, 3, 3, 64, 0, 2, 255, 255, 255], |it| endlessly(it, b"a"))),
        ("plain HTTP", raw(b"HTTP/1.1 400 Bad Request\r\n\r\n", |_| silence())),
        ("endless alerts", raw(b"", |it| endlessly(it, &[21, 3, 3, 0, 2, 1, 90]))),
        ("silence inside", inside(|_| silence())),
        ("closes inside", inside(|_| ())),
        ("a slow head inside", inside(|it| slowly(it, OK.as_bytes()))),
        (
            "an endless body inside",
            inside(|it| {
                let _ = it.write_all(format!("{OK}\r\n").as_bytes());
                endlessly(it, b"a");
            }),
        ),
        ("an endless head inside", inside(|it| endlessly(it, b"HTTP/1.1 200 OK\r\nx: y\r\n"))),
    ]
}

/// Between the customer and a server that is good.
fn proxies() -> Vec<(&'static str, &'static str, Meeting)> {
    fn socks(bytes: &'static [u8]) -> Meeting {
        Box::new(move |mut stream| {
            let _ = stream.read(&mut [0; 512]).and_then(|_| stream.write_all(bytes));
            slowly(&mut stream, b"");
        })
    }
    vec![
        ("http", "a proxy that is silent", then("", |_| silence())),
        ("http", "a slow proxy", then("", |it| slowly(it, b"HTTP/1.1 200 OK\r\n"))),
        ("http", "an endless proxy", then("HTTP/1.1 200 OK\r\n", |it| endlessly(it, b"a: b\r\n"))),
        ("http", "a proxy without a line", then("HTTP/1.1 ", |it| endlessly(it, b"2"))),
        ("socks5", "a slow SOCKS", socks(&[5])),
        ("socks5", "a slow end of SOCKS", socks(&[5, 0, 5, 0, 0, 3, 255])),
    ]
}

/// One process that meets one of them: what it is to be told, and to do.
struct Meet {
    what: &'static str,
    server: String,
    proxy: String,
}

/// What a child says of it.
struct Met {
    what: &'static str,
    took: Duration,
    grown: u64,
    said: String,
}

const TASK: &str = "LICENTIA_TEST_MEET";

#[test]
#[ignore = "a child of another test"]
fn a_child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let [server, proxy, plain, good, authority] =
        task.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let mut it = Customer::new();
    // What every call needs is there before memory is looked at; of TLS there is nothing yet.
    assert_eq!(it.sync(plain), "ok");
    it.set("server_ca", authority);
    it.set("server_timeout", &PATIENCE.as_secs().to_string());
    it.set("proxy", proxy);
    let before = memory("VmRSS:");
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let start = Instant::now();
    let said = it.sync(server);
    let (took, most) = (start.elapsed(), memory("VmHWM:"));
    it.set("server_timeout", "");
    it.set("proxy", "none");
    assert_eq!(it.sync(good), "ok", "after {said}");
    println!("met: {} {} {said}", took.as_millis(), most.saturating_sub(before));
}

/// In KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().split(' ').next().unwrap().parse().unwrap()
}

impl Meet {
    fn run(&self, rest: &str) -> Met {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_child", "--ignored", "--nocapture", "--test-threads=1"])
            .env(TASK, format!("{} {} {rest}", self.server, self.proxy))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find_map(|line| Some(line.split_once("met: ")?.1.to_string()));
        let line = line.unwrap_or_else(|| panic!("{}: {text}", self.what));
        let (took, rest) = line.split_once(' ').unwrap();
        let (grown, said) = rest.split_once(' ').unwrap();
        let took = Duration::from_millis(took.parse().unwrap());
        Met { what: self.what, took, grown: grown.parse().unwrap(), said: said.into() }
    }
}

#[test]
fn hostile_peers_cost_no_more_than_the_deadline_and_4_mib() {
    let authority = Authority::new("Acme");
    let certified = authority.certify("localhost");
    let folder = tempfile::tempdir().unwrap();
    let file = authority.file(&folder).to_str().unwrap().to_string();
    let good = {
        let certified = certified.clone();
        Peer::new(move |stream| serve(&mut certified.over(stream))).https()
    };
    let mut all = Vec::new();
    for (what, meeting) in over_http() {
        all.push(Meet { what, server: Peer::new(meeting).http(), proxy: "none".into() });
    }
    for (what, meeting) in over_tls(&certified) {
        all.push(Meet { what, server: Peer::new(meeting).https(), proxy: "none".into() });
    }
    for (scheme, what, meeting) in proxies() {
        let proxy = Peer::new(meeting).http().replace("http", scheme);
        all.push(Meet { what, server: good.clone(), proxy });
    }
    assert!(all.len() >= 40);
    let rest = format!("{} {good} {file}", Peer::good().http());
    let next = AtomicUsize::new(0);
    let met: Vec<Met> = thread::scope(|scope| {
        let worker = || {
            let mut met = Vec::new();
            while let Some(meet) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                met.push(meet.run(&rest));
            }
            met
        };
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    for one in &met {
        let Met { what, took, grown, said } = one;
        println!("{what}: {took:?}, {grown} KiB, {said}");
        assert!(said.starts_with("unreachable: "), "{what}: {said}");
        assert!(*took < PATIENCE + GENEROUS, "{what}: {took:?}");
        assert!(*grown < KIB, "{what}: {grown} KiB");
    }
    let slowest = met.iter().map(|it| it.took).max().unwrap();
    let most = met.iter().map(|it| it.grown).max().unwrap();
    println!(
        "tried: {} hostile peers, {PATIENCE:?} each: the longest call took {slowest:?}",
        met.len()
    );
    println!("tried: and the most memory was {most} KiB more");
}
