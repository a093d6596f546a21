//! A plain TCP balancer: each connection goes to the next server that takes it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub struct Balancer {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    servers: Mutex<Vec<SocketAddr>>,
    turn: AtomicUsize,
    over: AtomicBool,
}

impl Balancer {
    pub fn new(servers: Vec<SocketAddr>) -> Balancer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (turn, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { servers: Mutex::new(servers), turn, over });
        let it = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if it.over.load(Ordering::Relaxed) {
                    return;
                }
                let it = Arc::clone(&it);
                std::thread::spawn(move || it.connect(client));
            }
        });
        Balancer { address, shared }
    }

    /// A server has another address now.
    pub fn replace(&self, old: SocketAddr, new: SocketAddr) {
        let mut servers = self.shared.servers.lock().unwrap();
        servers.iter_mut().filter(|it| **it == old).for_each(|it| *it = new);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn connect(&self, client: TcpStream) {
        let servers = self.servers.lock().unwrap().clone();
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let tried = (0..servers.len()).map(|at| servers[(first + at) % servers.len()]);
        let open = |server| TcpStream::connect_timeout(&server, Duration::from_secs(1)).ok();
        // Where nobody is, the client is cut off.
        let Some(server) = { tried }.find_map(open) else { return };
        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let up = std::thread::spawn(move || copy(from, to));
        let _ = copy(server, client);
        let _ = up.join();
    }
}

/// Bytes one way until they end.
fn copy(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let mut bytes = [0; 16 * 1024];
    loop {
        match from.read(&mut bytes) {
            Ok(count) if count > 0 => to.write_all(&bytes[..count])?,
            // A connection that broke is not passed on as one that ended well, but it ends.
            _ => return to.shutdown(Shutdown::Write),
        }
    }
}
