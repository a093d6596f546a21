//! Connections: as many as are allowed, each for as long as it is of use.

use super::config::Limits;
use super::service::Agent;
use super::tls::Tls;
use super::wire::{HEAD_MAX, Heads, Wire};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

/// Headers of one request.
const HEADERS_MAX: usize = 100;

/// How long, and how many bytes of, what nobody reads any more is taken, so that the answer that
/// says so arrives.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_MAX: u64 = 1024 * 1024;

/// How often room is made where there is none.
const ROOM: Duration = Duration::from_millis(50);

const TIMED_OUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Accepts connections until `stop` says so, then lets those that are answered end.
pub struct Server {
    pub agent: Arc<Agent>,
    pub limits: Limits,
    pub tls: Option<Arc<Tls>>,
    pub stop: watch::Receiver<bool>,
}

/// Connections that wait for a request, the one that has waited longest first.
#[derive(Default)]
struct Waiting {
    next: AtomicU64,
    all: Mutex<BTreeMap<u64, Arc<Notify>>>,
}

/// One of them.
struct Place {
    waiting: Arc<Waiting>,
    number: AtomicU64,
    leave: Arc<Notify>,
}

impl Server {
    pub async fn run(self, listener: TcpListener) {
        let slots = Arc::new(Semaphore::new(self.limits.connections));
        let waiting = Arc::new(Waiting::default());
        let it = Arc::new(self);
        let mut stop = it.stop.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.changed() => break,
            };
            let Ok((stream, from)) = accepted else {
                // Too many files, mostly: one connection less helps.
                waiting.drop_oldest();
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let slot = tokio::select! {
                slot = slot(&slots, &waiting) => slot,
                _ = stop.changed() => break,
            };
            let it = Arc::clone(&it);
            let place = Arc::new(Place::new(Arc::clone(&waiting)));
            tokio::spawn(async move {
                it.agent.metrics.connections().inc();
                it.connection(stream, from.ip(), place).await;
                it.agent.metrics.connections().dec();
                drop(slot);
            });
        }
        drop(listener);
        let all = u32::try_from(it.limits.connections).unwrap_or(u32::MAX);
        // Whoever is not done by then is cut off.
        let _ = tokio::time::timeout(it.limits.shutdown, slots.acquire_many(all)).await;
    }

    async fn connection(&self, stream: TcpStream, from: IpAddr, place: Arc<Place>) {
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.serve(stream, from, place).await;
        };
        let handshake = tls.acceptor().accept(stream);
        let stream = tokio::select! {
            stream = tokio::time::timeout(self.limits.header, handshake) => stream,
            () = place.leave.notified() => return,
        };
        match stream {
            Ok(Ok(stream)) => self.serve(stream, from, place).await,
            Ok(Err(_)) | Err(_) => self.agent.metrics.refused(),
        }
    }

    async fn serve<S>(&self, stream: S, from: IpAddr, place: Arc<Place>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let heads = Heads::default();
        let wire = Wire::new(stream, heads.clone());
        let (agent, busy) = (Arc::clone(&self.agent), Arc::clone(&place));
        let service = service_fn(move |request| {
            let (agent, busy, head) = (Arc::clone(&agent), Arc::clone(&busy), heads.next());
            let answer = async move {
                busy.leaves();
                let answer = agent.answer(request, head, from).await;
                busy.waits();
                Ok::<_, Infallible>(answer)
            };
            Box::pin(answer) as Pin<Box<dyn Future<Output = _> + Send>>
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.limits.header)
            .max_headers(HEADERS_MAX)
            .max_header_size(HEAD_MAX)
            .max_buf_size(HEAD_MAX)
            .half_close(true);
        let mut connection = http.serve_connection(TokioIo::new(wire), service);
        let mut stop = self.stop.clone();
        let mut stopping = false;
        let outcome = loop {
            tokio::select! {
                outcome = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break outcome,
                _ = stop.changed(), if !stopping => {
                    stopping = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
                () = place.leave.notified() => return,
            }
        };
        let wire = connection.into_parts().io.into_inner();
        let timed_out = outcome.as_ref().is_err_and(hyper::Error::is_timeout) && wire.is_in_head();
        self.note(&outcome, timed_out, from);
        let mut stream = wire.into_stream();
        if timed_out {
            let _ = stream.write_all(TIMED_OUT).await;
        }
        linger(stream).await;
    }

    /// Counts and logs what was no request.
    fn note(&self, outcome: &hyper::Result<()>, timed_out: bool, from: IpAddr) {
        let what = match outcome {
            Err(_) if timed_out => "408: its head did not arrive in time",
            Err(error) if error.is_parse_too_large() => "431: its head is too long",
            Err(error) if error.is_parse() => "400: what it sent is no request",
            _ => return,
        };
        self.agent.metrics.refused();
        self.agent.log.note(&format!("a connection from {from} was refused with {what}"));
    }
}

/// A slot for one more connection. Where there is none, the one that has waited longest for a
/// request makes room: those that only hold their place keep nobody out.
async fn slot(slots: &Arc<Semaphore>, waiting: &Waiting) -> Option<OwnedSemaphorePermit> {
    if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
        return Some(slot);
    }
    loop {
        waiting.drop_oldest();
        // All of them may be busy now, and wait a moment later.
        let free = Arc::clone(slots).acquire_owned();
        if let Ok(slot) = tokio::time::timeout(ROOM, free).await {
            return slot.ok();
        }
    }
}

/// Ends a connection so that what was written arrives: closing it while something is unread would
/// take that back.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let (mut rest, mut nowhere) = (stream.take(LINGER_MAX), tokio::io::sink());
    let _ = tokio::time::timeout(LINGER, tokio::io::copy(&mut rest, &mut nowhere)).await;
}

impl Waiting {
    fn drop_oldest(&self) {
        if let Some((_, oldest)) = self.all().pop_first() {
            oldest.notify_one();
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Notify>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// A new connection waits for its first request.
    fn new(waiting: Arc<Waiting>) -> Place {
        let place = Place { waiting, number: AtomicU64::new(0), leave: Arc::default() };
        place.waits();
        place
    }

    fn waits(&self) {
        let number = self.waiting.next.fetch_add(1, Ordering::Relaxed);
        self.number.store(number, Ordering::Relaxed);
        self.waiting.all().insert(number, Arc::clone(&self.leave));
    }

    fn leaves(&self) {
        self.waiting.all().remove(&self.number.load(Ordering::Relaxed));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leaves();
    }
}
