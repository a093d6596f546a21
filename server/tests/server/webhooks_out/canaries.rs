//! Listeners that nobody should connect to, and that are told apart.

use std::net::{SocketAddr, TcpListener};

/// Listeners on one port.
pub struct Canaries {
    pub port: u16,
    all: Vec<TcpListener>,
}

impl Canaries {
    /// One for each address, on one port that is free on all of them.
    pub fn on(addresses: &[&str]) -> Canaries {
        for _ in 0..100 {
            let first = TcpListener::bind((addresses[0], 0)).unwrap();
            let port = first.local_addr().unwrap().port();
            let rest = addresses[1..].iter().map(|address| TcpListener::bind((*address, port)));
            let Ok(rest) = rest.collect::<Result<Vec<_>, _>>() else { continue };
            let all: Vec<_> = [first].into_iter().chain(rest).collect();
            all.iter().for_each(|one| one.set_nonblocking(true).unwrap());
            return Canaries { port, all };
        }
        panic!("no port is free on all of {addresses:?}");
    }

    /// On every address of this machine.
    pub fn everywhere() -> Canaries {
        Canaries::on(&["0.0.0.0", "::1"])
    }

    /// Where connections came to since this was asked last. The system takes them by itself.
    pub fn heard(&self) -> Vec<SocketAddr> {
        let heard = |one: &TcpListener| {
            std::iter::from_fn(|| one.accept().ok())
                .map(|(stream, _)| stream.local_addr().unwrap())
                .collect::<Vec<_>>()
        };
        self.all.iter().flat_map(heard).collect()
    }
}
