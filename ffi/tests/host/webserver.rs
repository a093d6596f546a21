//! The web servers in C and C++ over HTTP, as the examples show them and as hosts of many
//! installations: what a server in front of a license has to withstand.

use crate::fixtures::{BEGIN, PRODUCT, fixtures};
use crate::http::{Connection, chunked, request};
use crate::library::{has, library, read, repository, run, shown, skip};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const TOKEN: &str = "a-token-of-the-administrator";
const SIGNED_IN: &str = "Authorization: Bearer a-token-of-the-administrator";
const CHUNKED: &str = "Transfer-Encoding: chunked";
const JSON: &str = "Content-Type: application/json";

/// The longest body that is looked at.
const BODY_MAX: usize = 128 * 1024;

/// A program that serves.
pub struct Program {
    /// Where its source is.
    source: &'static str,
    /// Whether it serves many installations, which a file tells it of.
    is_host: bool,
    /// What it is linked with, and the header that shows that this is installed.
    library: &'static str,
    header: &'static str,
}

const PROGRAMS: [Program; 4] = [
    of_c("examples/c/webserver.c", false),
    of_c("tests/hosts/c.c", true),
    of_cpp("examples/cpp/webserver.cpp", false),
    of_cpp("tests/hosts/cpp.cpp", true),
];

const fn of_c(source: &'static str, is_host: bool) -> Program {
    Program { source, is_host, library: "libmicrohttpd", header: "/usr/include/microhttpd.h" }
}

pub const fn of_cpp(source: &'static str, is_host: bool) -> Program {
    Program { source, is_host, library: "cpp-httplib", header: "/usr/include/httplib.h" }
}

impl Program {
    /// Built, or `None` where there is nothing to build it with.
    pub fn build(&self) -> Option<PathBuf> {
        if !Path::new(self.header).exists() || !has("pkg-config") || !has("g++") {
            skip(&format!("{}: {} is not installed", self.source, self.header));
            return None;
        }
        let source = repository().join(self.source);
        let (compiler, standard) = match source.extension().unwrap().to_str() {
            Some("cpp") => ("g++", "-std=c++17"),
            _ => ("gcc", "-std=c11"),
        };
        let program = library().place(&self.source.replace(['/', '.'], "-"));
        let flags = run(Command::new("pkg-config").args(["--cflags", "--libs", self.library]));
        let mut command = library().compiler(compiler);
        command.args([standard, "-O1"]).arg(&source).arg("-o").arg(&program);
        command.arg("-L").arg(library().place("")).arg("-llicentia");
        let libraries = library().place("").display().to_string();
        command.arg(format!("-Wl,--disable-new-dtags,-rpath,{libraries}"));
        run(command.args(flags.split_whitespace()).arg("-pthread"));
        Some(program)
    }
}

/// Every program that can be built here.
fn programs() -> impl Iterator<Item = (&'static Program, &'static Path)> {
    static BUILT: OnceLock<Vec<Option<PathBuf>>> = OnceLock::new();
    let built = BUILT.get_or_init(|| PROGRAMS.iter().map(Program::build).collect());
    PROGRAMS.iter().zip(built).filter_map(|(program, path)| Some((program, path.as_deref()?)))
}

/// A program that runs, with an installation that has no license.
struct Server {
    child: Child,
    port: u16,
    /// The path below which the license API is.
    below: &'static str,
    is_host: bool,
    name: &'static str,
    _folder: TempDir,
}

impl Server {
    fn start(program: &'static Program, mut command: Command) -> Server {
        let folder = TempDir::new().unwrap();
        let clock = (BEGIN + 60).to_string();
        if program.is_host {
            let spec = folder.path().join("spec");
            std::fs::write(&spec, Server::spec(folder.path(), &clock)).unwrap();
            command.arg(spec);
        } else {
            command.arg(fixtures().join("keys")).arg(PRODUCT).arg(folder.path()).arg("0");
            command.arg(format!("clock={clock}")).env("APP_TOKEN", TOKEN);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let port = digits(line.rsplit([':', ' ']).next().unwrap()).parse();
        let port = port.unwrap_or_else(|_| panic!("{}: {line}", program.source));
        let below = if program.is_host { "/active" } else { "" };
        let (is_host, name) = (program.is_host, program.source);
        Server { child, port, below, is_host, name, _folder: folder }
    }

    /// Two installations and three users.
    fn spec(folder: &Path, clock: &str) -> String {
        let mut text = format!("user {TOKEN} ada 7\nuser look ben 1\nuser robot bot 263\n");
        let keys = read(fixtures().join("keys"));
        for name in ["active", "other"] {
            let place = folder.join(name);
            std::fs::create_dir(&place).unwrap();
            text += &format!("installation /{name} {} {PRODUCT}\n", place.display());
            for line in keys.lines() {
                text += &format!("keys {line}\n");
            }
            text += &format!("set clock {clock}\nset vendor A Vendor\nsite mount /{name}\n");
        }
        text
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.below)
    }

    fn connect(&self) -> Connection {
        Connection::new(self.port)
    }

    fn status(&self, method: &str, path: &str, headers: &[&str]) -> u16 {
        self.connect().ask(method, &self.path(path), headers).status
    }

    fn post(&self, path: &str, headers: &[&str], body: &[u8]) -> u16 {
        self.connect().post(&self.path(path), headers, body).status
    }

    /// It still serves whoever asks properly, and has no license.
    fn is_well(&self) {
        assert_eq!(self.status("GET", "/api/license", &[]), 200, "{}", self.name);
        let asked = self.path("/api/licensing/check");
        let check = self.connect().ask("GET", &asked, &[SIGNED_IN]);
        assert_eq!((check.status, &*check.body), (200, "false"), "{}", self.name);
    }

    /// Ends with status 0 when it is told to.
    fn stop(mut self) {
        run(Command::new("kill").arg(self.child.id().to_string()));
        let output = self.child.wait().unwrap();
        assert_eq!(output.code(), Some(0), "{}", self.name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a test against every program, each with an installation of its own.
fn each(test: impl Fn(&Server)) {
    for (program, path) in programs() {
        let server = Server::start(program, Command::new(path));
        test(&server);
        server.stop();
    }
}

fn license(name: &str) -> Vec<u8> {
    let text = read(fixtures().join(name));
    format!("{{\"signed_license\":\"{}\"}}", text.trim()).into_bytes()
}

const ASSIGN: &str = "/api/license/assign";
const CHECK: &str = "/api/licensing/check";

#[test]
fn whoever_is_signed_in_gets_in_and_no_stranger() {
    each(|server| {
        assert_eq!(server.status("GET", "/api/license", &[]), 200);
        for wrong in [
            "Authorization: Bearer a-token-of-the-administrato",
            "Authorization: Bearer a-token-of-the-administrator2",
            "Authorization: Bearer A-token-of-the-administrator",
            "Authorization: Bearer ",
            "Authorization: Bearer",
            "Authorization: a-token-of-the-administrator",
            "Authorization: Basic YWRtaW46",
            "X-Authorization: Bearer a-token-of-the-administrator",
        ] {
            assert_eq!(server.status("GET", CHECK, &[wrong]), 401, "{}: {wrong}", server.name);
            assert_eq!(server.post(ASSIGN, &[wrong, JSON], &license("metered")), 401);
        }
        assert_eq!(server.status("GET", CHECK, &[]), 401);
        assert_eq!(server.status("GET", CHECK, &[SIGNED_IN]), 200);
        if server.is_host {
            assert_eq!(server.status("GET", CHECK, &["Authorization: Bearer look"]), 200);
            assert_eq!(server.status("GET", CHECK, &["Authorization: Bearer robot"]), 403);
            let look = ["Authorization: Bearer look", JSON];
            assert_eq!(server.post(ASSIGN, &look, &license("metered")), 403);
        }
        server.is_well();
    });
}

#[test]
fn a_license_is_applied_over_http_and_opens_what_the_product_sells() {
    each(|server| {
        let refused = server.post(ASSIGN, &[SIGNED_IN, JSON], &license("bad_signature"));
        assert_eq!(refused, 400, "{}", server.name);
        assert_eq!(server.post(ASSIGN, &[SIGNED_IN], &license("metered")), 415);
        server.is_well();
        if !server.is_host {
            let gate = server.connect().ask("GET", "/reports", &[]);
            assert!(gate.status == 400 && gate.body.contains("\"detail\""), "{gate:?}");
        }
        let bytes = chunked("POST", &server.path(ASSIGN), &[SIGNED_IN, JSON], &license("metered"));
        let mut connection = server.connect();
        connection.send(&bytes);
        let applied = connection.answer("POST").unwrap();
        assert_eq!((applied.status, &*applied.body), (204, ""), "{}", server.name);
        let check = server.connect().ask("GET", &server.path(CHECK), &[SIGNED_IN]);
        assert_eq!((check.status, &*check.body), (200, "true"), "{}", server.name);
        if server.is_host {
            let other = server.connect().ask("GET", "/other/api/licensing/check", &[SIGNED_IN]);
            assert_eq!((other.status, &*other.body), (200, "false"), "{}", server.name);
        } else {
            assert_eq!(server.connect().ask("GET", "/reports", &[]).status, 200);
        }
    });
}

#[test]
fn the_answer_is_that_of_the_core_and_a_head_is_a_get_without_its_body() {
    each(|server| {
        let open = server.path("/api/license");
        let get = server.connect().ask("GET", &open, &[]);
        assert_eq!(get.header("cache-control"), Some("no-store"), "{}", server.name);
        assert_eq!(get.header("content-type"), Some("application/json"));
        let head = server.connect().ask("HEAD", &open, &[]);
        assert_eq!((head.status, &*head.body), (200, ""));
        for header in ["cache-control", "content-type", "content-length"] {
            assert_eq!(head.header(header), get.header(header), "{}: {header}", server.name);
        }
        // A part of it is not what was asked for.
        let part = server.connect().ask("GET", &open, &["Range: bytes=0-1"]);
        let whole = if server.name.ends_with(".c") { (200, &*get.body) } else { (416, "") };
        assert_eq!((part.status, &*part.body), whole, "{}", server.name);

        let put = server.connect().ask("PUT", &open, &["Content-Length: 0"]);
        assert_eq!((put.status, put.header("allow")), (405, Some("GET, HEAD")));
        let api = server.connect().ask("GET", &server.path("/api/license/openapi.json"), &[]).body;
        let api: serde_json::Value = serde_json::from_str(&api).unwrap();
        for path in api["paths"].as_object().unwrap().keys() {
            let put = server.status("PUT", path, &["Content-Length: 0"]);
            assert_eq!(put, 405, "{}: {path}", server.name);
        }
        let options = server.connect().ask("OPTIONS", &open, &[]);
        assert_eq!(options.status, 405, "{}", server.name);
        for elsewhere in ["/api/licenses", "/api", "/", "/api/%6cicense", "/api/license/", "//api"]
        {
            let status = server.status("GET", elsewhere, &[SIGNED_IN]);
            assert_eq!(status, 404, "{}: {elsewhere}", server.name);
        }
        for same in ["/api/license?x=%00%zz&y=/../..", "/api/license?"] {
            assert_eq!(server.status("GET", same, &[]), 200, "{}: {same}", server.name);
        }
        let latin_1 = request("GET", &open, &["X-Name: Zo\u{eb}"], b"");
        let mut connection = server.connect();
        connection.send(&latin_1);
        assert_eq!(connection.answer("GET").unwrap().status, 200, "{}", server.name);
    });
}

/// Who may not write learns nothing of how long a body may be.
#[test]
fn a_body_that_is_too_long_is_refused_and_the_connection_goes_on() {
    each(|server| {
        let body = |size: usize| vec![b' '; size];
        let target = server.path(ASSIGN);
        let write = [SIGNED_IN, JSON];
        assert_eq!(server.post(ASSIGN, &write, &body(BODY_MAX)), 400, "{}", server.name);
        for size in [BODY_MAX + 1, 3 * BODY_MAX] {
            let mut connection = server.connect();
            let large = connection.post(&target, &write, &body(size));
            assert_eq!(large.status, 413, "{}", server.name);
            assert_eq!(connection.post(&target, &[JSON], &body(size)).status, 401);
            connection.send(&chunked("POST", &target, &write, &body(size)));
            assert_eq!(connection.answer("POST").unwrap().status, 413, "{}", server.name);
            let next = connection.ask("GET", &server.path(CHECK), &[SIGNED_IN]);
            assert_eq!((next.status, &*next.body), (200, "false"), "{}", server.name);
        }
        server.is_well();
    });
}

/// A proxy sends the requests of many people over one connection: what one of them has put into a
/// body must not be read as a request, to which the next one's login is added.
#[test]
fn a_body_is_never_taken_for_the_next_request() {
    each(|server| {
        let hidden = request("GET", "/nowhere", &[], b"");
        let open = server.path("/api/license");
        let form = ["Content-Type: multipart/form-data; boundary=x"];
        for (method, target) in [
            ("GET", open.clone()),
            ("HEAD", open.clone()),
            ("OPTIONS", open.clone()),
            ("DELETE", server.path("/api/licensing/token")),
            ("POST", open.clone()),
            ("POST", server.path(ASSIGN)),
            ("GET", "/reports".to_string()),
        ] {
            for bytes in [
                request(method, &target, &[], &hidden),
                chunked(method, &target, &[], &hidden),
                request(method, &target, &form, &hidden),
            ] {
                let mut connection = server.connect();
                let head = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
                connection.send(&bytes[..head]);
                // Apart, as a network may deliver it.
                thread::sleep(Duration::from_millis(30));
                connection.send(&bytes[head..]);
                connection.send(&request("GET", &open, &[], b""));
                let first = connection.answer(method);
                let next = connection.answer("GET").map(|answer| answer.status);
                let fits = next.is_none_or(|status| status == 200);
                assert!(fits, "{}: {method} {target}: {first:?} {next:?}", server.name);
            }
        }
        server.is_well();
    });
}

/// Whatever is sent, no more than the beginning of it is kept.
#[test]
fn a_body_without_an_end_takes_no_memory() {
    each(|server| {
        let peak = || {
            let status = read(format!("/proc/{}/status", server.child.id()));
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
        };
        server.is_well();
        let before = peak();
        let mut connection = server.connect();
        let start = request("POST", &server.path(ASSIGN), &[CHUNKED, SIGNED_IN, JSON], b"");
        connection.send(&start);
        let piece = format!("{:x}\r\n{}\r\n", BODY_MAX, " ".repeat(BODY_MAX));
        for _ in 0..512 {
            connection.send(piece.as_bytes());
        }
        connection.send(b"0\r\n\r\n");
        let status = connection.answer("POST").map(|answer| answer.status);
        assert!(status.is_none_or(|status| status == 413), "{}: {status:?}", server.name);
        let more = peak() - before;
        assert!(more < 8 * 1024, "{}: {more} KiB for 64 MiB", server.name);
        server.is_well();
    });
}

#[test]
fn odd_bodies_are_answered_or_end_the_connection() {
    each(|server| {
        let target = server.path(ASSIGN);
        let odd = [
            // No length at all: no body.
            request("POST", &target, &[SIGNED_IN, JSON], b""),
            request("POST", &target, &[SIGNED_IN, "Content-Type: multipart/form-data"], b"--\r\n"),
            request(
                "POST",
                &target,
                &[SIGNED_IN, "Content-Type: multipart/form-data; boundary=x"],
                b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n",
            ),
            request("POST", &target, &[SIGNED_IN, JSON, "Content-Encoding: gzip"], b"\x1f\x8b"),
            request("POST", &target, &[SIGNED_IN, JSON, "Content-Encoding: what"], b"{}"),
            request("POST", &target, &[SIGNED_IN, JSON, "Content-Length: -1"], b""),
            request("POST", &target, &[SIGNED_IN, JSON, CHUNKED], b"zz"),
            request("POST", &target, &[SIGNED_IN, "Content-Type: text/plain"], b"{}"),
            request("POST", &target, &[SIGNED_IN, JSON], &[0, 0xff, b'{', 0xc0]),
        ];
        for (at, bytes) in odd.iter().enumerate() {
            let mut connection = server.connect();
            connection.send(bytes);
            let status = connection.answer("POST").map(|answer| answer.status);
            let fits = status.is_none_or(|status| [400, 411, 415].contains(&status));
            assert!(fits, "{}: {at}: {status:?}", server.name);
        }
        server.is_well();
    });
}

#[test]
fn half_a_request_harms_nobody() {
    each(|server| {
        let whole = request("POST", &server.path(ASSIGN), &[SIGNED_IN, JSON], &license("metered"));
        let pieces = chunked("POST", &server.path(ASSIGN), &[SIGNED_IN, JSON], &license("metered"));
        let end = whole.len() - 1;
        for half in [&whole[..10], &whole[..60], &whole[..end - 200], &whole[..end]] {
            server.connect().send(half);
        }
        for cut in [2, 5, 100] {
            server.connect().send(&pieces[..pieces.len() - cut]);
        }
        // They stay open while others are served, and nothing of them is applied.
        let open: Vec<Connection> = (0..4)
            .map(|_| {
                let mut connection = server.connect();
                connection.send(&whole[..end]);
                connection
            })
            .collect();
        server.is_well();
        drop(open);
        server.is_well();
    });
}

#[test]
fn what_is_no_request_is_refused() {
    each(|server| {
        let long = format!("GET /api/license?{} HTTP/1.1\r\n\r\n", "x".repeat(60_000));
        let header = format!("GET /api/license HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(90_000));
        for text in [
            "\r\n\r\n",
            "GET\r\n\r\n",
            "GET /api/license\r\n\r\n",
            "G\u{1}T /api/license HTTP/1.1\r\n\r\n",
            "GET /api/lic\u{0}ense HTTP/1.1\r\n\r\n",
            "GET api/license HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /api/license HTTP/9.9\r\n\r\n",
            "GET /api/license HTTP/1.1\r\nno colon\r\n\r\n",
            "BREW /api/license HTTP/1.1\r\nHost: x\r\n\r\n",
            &long,
            &header,
        ] {
            let mut connection = server.connect();
            connection.send(text.as_bytes());
            connection.send(b"");
            drop(connection);
        }
        server.is_well();
    });
}

/// They go away before they are answered: writing to them is no end of the server.
#[test]
fn clients_that_do_not_wait_for_the_answer_end_nothing() {
    each(|server| {
        let bytes = request("GET", &server.path("/api/license/openapi.json"), &[], b"");
        for _ in 0..50 {
            server.connect().send(&bytes.repeat(4));
        }
        server.is_well();
    });
}

#[test]
fn a_hundred_clients_at_once_are_all_answered() {
    each(|server| {
        thread::scope(|scope| {
            for number in 0..100 {
                scope.spawn(move || {
                    if number % 10 == 0 {
                        let bad = license("bad_signature");
                        assert_eq!(server.post(ASSIGN, &[SIGNED_IN, JSON], &bad), 400);
                    } else {
                        let close = [SIGNED_IN, "Connection: close"];
                        assert_eq!(server.status("GET", "/api/license", &close), 200);
                        assert_eq!(server.status("GET", CHECK, &["Connection: close"]), 401);
                    }
                });
            }
        });
        server.is_well();
    });
}

#[test]
fn a_browser_signs_in_and_comes_to_the_page() {
    each(|server| {
        if server.is_host {
            return;
        }
        let asked = server.connect().ask("GET", "/login", &[]);
        let how = asked.header("www-authenticate").unwrap();
        assert!(asked.status == 401 && how.starts_with("Basic realm="), "{asked:?}");
        // admin:a-token-of-the-administrator
        let basic = "Authorization: Basic YWRtaW46YS10b2tlbi1vZi10aGUtYWRtaW5pc3RyYXRvcg==";
        let signed_in = server.connect().ask("GET", "/login", &[basic]);
        assert!(signed_in.status == 303, "{signed_in:?}");
        assert!(signed_in.header("location").unwrap().ends_with("license"), "{signed_in:?}");
        let page = server.connect().ask("GET", "/license", &[basic]);
        assert_eq!(page.status, 200);
        assert!(page.header("content-type").unwrap().starts_with("text/html"), "{page:?}");
        // Bob is nobody, whatever his password.
        let bob = "Authorization: Basic Ym9iOmEtdG9rZW4tb2YtdGhlLWFkbWluaXN0cmF0b3I=";
        assert_eq!(server.connect().ask("GET", "/license", &[bob]).status, 401);
    });
}

#[test]
fn open_connections_do_not_keep_it_from_ending() {
    for (program, path) in programs() {
        let server = Server::start(program, Command::new(path));
        let mut idle = server.connect();
        assert_eq!(idle.ask("GET", &server.path("/api/license"), &[]).status, 200);
        let mut half = server.connect();
        let whole = request("POST", &server.path(ASSIGN), &[SIGNED_IN, JSON], &license("metered"));
        half.send(&whole[..whole.len() - 1]);
        server.stop();
    }
}

/// One of each kind of request, then the end: no error, and nothing that nobody holds any more.
#[test]
fn valgrind_finds_nothing() {
    if !has("valgrind") {
        return skip("valgrind is not installed");
    }
    let suppressions = repository().join("ffi/tests/valgrind.supp");
    for (program, path) in programs() {
        let log = library().place(&format!("{}.valgrind", program.source.replace('/', "-")));
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["-q", "--error-exitcode=9", "--leak-check=full"]);
        valgrind.arg("--errors-for-leak-kinds=definite,indirect,possible");
        valgrind.arg(format!("--suppressions={}", suppressions.display()));
        valgrind.arg(format!("--log-file={}", log.display())).arg(path);
        let server = Server::start(program, valgrind);
        server.is_well();
        assert_eq!(server.status("HEAD", "/api/license", &[]), 200);
        assert_eq!(server.status("GET", "/nothing", &[]), 404);
        let write = [SIGNED_IN, JSON];
        assert_eq!(server.post(ASSIGN, &write, &license("bad_signature")), 400);
        assert_eq!(server.post(ASSIGN, &write, &vec![b'x'; BODY_MAX + 1]), 413);
        assert_eq!(server.post(ASSIGN, &write, &license("metered")), 204);
        server.connect().send(b"GET /api/license HTTP/1.1\r\nno colon\r\n\r\n");
        let whole = request("POST", &server.path(ASSIGN), &write, &license("metered"));
        server.connect().send(&whole[..whole.len() - 1]);
        let mut open = server.connect();
        open.send(&whole[..whole.len() - 1]);
        let mut child = Command::new("kill");
        run(child.arg(server.child.id().to_string()));
        let mut server = server;
        let code = server.child.wait().unwrap().code();
        assert_eq!(code, Some(0), "{}: {}", program.source, read(&log));
        assert_eq!(read(&log), "", "{}", program.source);
    }
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    for (program, path) in programs().filter(|(program, _)| !program.is_host) {
        let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let more = u32::from(port) + (1 << 16);
        for port in [&port.to_string(), &more.to_string(), "abc", "0x", "-1", ""] {
            let folder = TempDir::new().unwrap();
            let mut command = Command::new(path);
            command.arg(fixtures().join("keys")).arg(PRODUCT).arg(folder.path());
            let output = command.arg(port).env("APP_TOKEN", TOKEN).output().unwrap();
            assert!(output.stderr.starts_with(b"io: cannot listen"), "{}", shown(&output));
            assert_eq!(output.status.code(), Some(1), "{}", program.source);
        }
    }
}

#[test]
fn they_say_how_they_are_used() {
    for (program, path) in programs().filter(|(program, _)| !program.is_host) {
        let usage = Command::new(path).env("APP_TOKEN", TOKEN).arg("one").output().unwrap();
        assert!(usage.stderr.starts_with(b"usage: "), "{}", program.source);
        assert_eq!(usage.status.code(), Some(2));
        let mut open = Command::new(path);
        let no_token = open.args(["keys", "x", "y", "0"]).env("APP_TOKEN", "").output().unwrap();
        assert!(no_token.stderr.starts_with(b"usage: "), "{}", shown(&no_token));
        let mut guessed = Command::new(path);
        let guessed = guessed.args(["keys", "x", "y", "0"]).env("APP_TOKEN", &TOKEN[..15]);
        let guessed = guessed.output().unwrap();
        assert!(guessed.stderr.starts_with(b"APP_TOKEN: "), "{}", shown(&guessed));
        assert_eq!(guessed.status.code(), Some(2));
        let mut missing = Command::new(path);
        let missing = missing.args(["no such file", "x", "y", "0"]).env("APP_TOKEN", TOKEN);
        let missing = missing.output().unwrap();
        assert!(missing.stderr.starts_with(b"io: "), "{}", shown(&missing));
        assert_eq!(missing.status.code(), Some(1));
    }
}
