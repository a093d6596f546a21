//! Proxies as there are: `CONNECT` (RFC 9110, 9.3.6) and SOCKS 5 (RFC 1928, RFC 1929).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpStream};
use std::thread;

/// Whom a proxy lets through: those with this name and password, or everybody.
pub type Login = Option<(&'static str, &'static str)>;

/// What passes between two, until both have ended.
pub fn join(one: TcpStream, other: TcpStream) {
    let pass = |from: &TcpStream, to: &TcpStream| {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        move || {
            let _ = copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        }
    };
    let there = thread::spawn(pass(&one, &other));
    pass(&other, &one)();
    let _ = there.join();
}

/// Reads what is asked of it, and where to; `None` = it has said no.
pub fn connect(stream: &mut (impl Read + Write), login: Login) -> Option<TcpStream> {
    let (head, _) = super::read_http(stream)?;
    let target = head.strip_prefix("CONNECT ")?.split(' ').next()?.to_string();
    let given = head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: "));
    let wanted = login.map(|(name, password)| {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
    });
    if wanted.as_deref() != given {
        let no = "proxy-authenticate: Basic realm=\"here\"\r\n";
        let _ = stream.write_all(&super::http("407 Proxy Authentication Required", no, "no"));
        return None;
    }
    let there = TcpStream::connect(target).ok()?;
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    Some(there)
}

/// The same for SOCKS 5.
pub fn socks(stream: &mut TcpStream, login: Login) -> Option<TcpStream> {
    let [version, methods] = take(stream)?;
    let mut offered = vec![0; methods.into()];
    stream.read_exact(&mut offered).ok()?;
    let wanted = if login.is_some() { 2 } else { 0 };
    if version != 5 || !offered.contains(&wanted) {
        stream.write_all(&[5, 0xff]).ok()?;
        return None;
    }
    stream.write_all(&[5, wanted]).ok()?;
    if let Some((name, password)) = login {
        let [1] = take(stream)? else { return None };
        let given = (text(stream)?, text(stream)?);
        let is_good = given == (name.to_string(), password.to_string());
        stream.write_all(&[1, u8::from(!is_good)]).ok()?;
        is_good.then_some(())?;
    }
    let [5, 1, 0, kind] = take(stream)? else { return None };
    let host = match kind {
        1 => std::net::Ipv4Addr::from(take::<4>(stream)?).to_string(),
        3 => text(stream)?,
        4 => format!("[{}]", std::net::Ipv6Addr::from(take::<16>(stream)?)),
        _ => return None,
    };
    let port = u16::from_be_bytes(take(stream)?);
    let there = TcpStream::connect(format!("{host}:{port}")).ok()?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    Some(there)
}

fn take<const N: usize>(stream: &mut impl Read) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn text(stream: &mut impl Read) -> Option<String> {
    let [length] = take(stream)?;
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes).ok()?;
    String::from_utf8(bytes).ok()
}
