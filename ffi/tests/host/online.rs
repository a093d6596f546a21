//! C programs that ask a license server over real sockets: what its peers and the signals of the
//! process do to it, and what it leaves behind.

#[path = "../../../core/tests/net_support/mod.rs"]
mod net_support;

use crate::library::{has, library, read, release, run, skip, source};
use licentia_core::{Feature, issue};
use net_support::tls::{Authority, Certified};
use net_support::{Peer, close, read_http, serve};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

/// More of everything, where there is time for it: `LICENTIA_SOAK=1`.
fn times(usual: u32, soak: u32) -> String {
    if env::var_os("LICENTIA_SOAK").is_some() { soak } else { usual }.to_string()
}

/// What a program is given, and a certificate that it trusts.
struct Place {
    folder: PathBuf,
    certified: Certified,
}

fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let folder = library().place("online");
        fs::create_dir(&folder).unwrap();
        let authority = Authority::new("Acme");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let mut claims = issue::draft("https://licenses.acme.example", "myapp", now).unwrap();
        let (meter, per) = (Some("count".into()), Some("ever".into()));
        let hits = Feature { meter, per, ..Feature::new("hits") };
        claims.license.features = vec![Feature::new("reports"), hits];
        let license = issue::sign(&net_support::vendor(), &claims).unwrap();
        fs::write(folder.join("keys"), net_support::vendor().public().to_short()).unwrap();
        fs::write(folder.join("license"), license).unwrap();
        fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
        Place { folder, certified: authority.certify("localhost") }
    })
}

/// A license server over TLS.
fn good() -> String {
    Peer::new(|stream| serve(&mut place().certified.over(stream))).https()
}

fn host(name: &str, arguments: &[String]) -> Command {
    let mut command = Command::new(library().host(name, &source(&format!("{name}.c")), &[]));
    command.arg(&place().folder).args(arguments);
    command
}

/// Closes with something unread, so that whoever writes on is told at once.
fn reset(mut stream: TcpStream, after: usize) {
    let _ = stream.read_exact(&mut vec![0; after]);
    drop(stream);
}

/// Peers that close in the midst of it, on TCP and in TLS.
fn closing() -> Vec<String> {
    let inside = |meet: fn(&mut net_support::tls::Private)| {
        Peer::new(move |stream| meet(&mut place().certified.over(stream))).https()
    };
    vec![
        Peer::new(drop).http(),
        Peer::new(|stream| reset(stream, 1)).http(),
        Peer::new(|stream| reset(stream, 200)).http(),
        Peer::new(|stream| close(&stream)).http(),
        Peer::new(drop).https(),
        Peer::new(|stream| reset(stream, 1)).https(),
        Peer::new(|stream| reset(stream, 100)).https(),
        inside(|it| drop(it.conn.complete_io(&mut it.sock))),
        inside(|it| drop(it.read(&mut [0; 1]))),
        inside(|it| {
            it.conn.send_close_notify();
            let _ = it.flush();
        }),
    ]
}

#[test]
fn no_peer_and_no_signal_ends_or_delays_the_program() {
    let silent = Peer::new(|_stream| {
        loop {
            thread::park();
        }
    });
    let mut arguments = vec![times(20, 100), good()];
    arguments.extend(closing());
    arguments.push(silent.http());
    run(&mut host("online_signals", &arguments));
}

/// Without the care that is tested here, the same program ends, and that is seen.
#[test]
fn a_library_that_raised_a_signal_would_be_seen() {
    let unmasked = library().place("online_unmasked.so");
    let mut gcc = library().compiler("gcc");
    gcc.args(["-std=c11", "-shared", "-fPIC"]).arg(source("online_unmasked.c"));
    run(gcc.arg("-o").arg(&unmasked).arg("-ldl"));
    let mut arguments = vec!["500".into(), good()];
    arguments.extend(closing());
    arguments.push(net_support::nobody());
    let program = library().host("online_unmasked", &source("online_signals.c"), &[]);
    let mut unmasked_host = Command::new(program);
    unmasked_host.arg(&place().folder).args(&arguments).env("LD_PRELOAD", unmasked);
    let status = unmasked_host.status().unwrap();
    assert_eq!(status.signal(), Some(13), "{status}");
}

#[test]
fn nothing_is_left_of_a_call() {
    let late = Peer::new(|mut stream| {
        let _ = read_http(&mut stream);
        thread::sleep(Duration::from_secs(3));
    });
    let calls = times(20, 1000);
    let plain = Peer::good();
    let nobody = net_support::nobody();
    let mut arguments = vec![calls, good(), plain.http(), nobody];
    arguments.extend(closing());
    run(&mut host("online_state", &arguments));
    run(&mut host("online_state", &["2".into(), plain.http(), late.http(), good()]));
}

#[test]
fn children_of_a_parent_that_is_asking_ask_themselves() {
    let slow = Peer::new(|stream| {
        thread::sleep(Duration::from_millis(20));
        serve(&mut place().certified.over(stream));
    });
    run(&mut host("online_fork", &[times(50, 1000), slow.https()]));
}

/// As it ships: without optimization, it needs more.
#[test]
fn a_stack_of_128_kib_is_enough_for_a_call() {
    let host = release().host("call_stack", &source("call_stack.c"), &[]);
    run(Command::new(host).arg(&place().folder).args(["128", &Peer::good().http(), &good()]));
}

/// What the kernel is asked about the network.
fn network(arguments: &[String]) -> Vec<String> {
    let program = library().host("online_sockets", &source("online_sockets.c"), &[]);
    let log = library().place(&format!("online_sockets-{}.strace", arguments.len()));
    let mut strace = Command::new("strace");
    strace.args(["-f", "--seccomp-bpf", "-e", "trace=%network,execve,io_uring_setup", "-o"]);
    run(strace.arg(&log).arg(program).arg(&place().folder).args(arguments));
    let log = read(log);
    assert!(log.contains("execve("), "strace sees nothing: {log}");
    log.lines()
        .filter(|line| !line.contains("execve(") && line.contains('('))
        .map(Into::into)
        .collect()
}

#[test]
fn what_only_looks_opens_no_socket() {
    let mut probe = Command::new("strace");
    if !has("strace") || !probe.args(["-o", "/dev/null", "true"]).status().unwrap().success() {
        return skip("what the kernel sees: strace is not installed, or may not trace");
    }
    let (plain, calls) = (Peer::good(), times(2500, 10_000));
    let seen = network(&[calls, plain.http()]);
    assert!(seen.is_empty(), "{seen:#?}");
    assert_eq!(plain.met(), 0);
    // Were there one, it would be seen.
    let seen = network(&["1".into(), plain.http(), "call".into()]);
    assert!(seen.iter().any(|line| line.contains("socket(")), "{seen:#?}");
    assert_eq!(plain.met(), 1);
}
