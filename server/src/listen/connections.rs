//! Connections: as many as are allowed, each for as long as it is of use.

use super::places::{Place, Places};
use super::tended::Tended;
use super::wire::{HEAD_MAX, Head, Heads, Wire};
use super::{Limits, Tls};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Headers of one request.
const HEADERS_MAX: usize = 100;

/// How long, and how many bytes of, what nobody reads any more is taken, so that the answer that
/// says so arrives.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_MAX: u64 = 1024 * 1024;

const TIMED_OUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What answers requests, and counts connections.
pub trait Service: Send + Sync + 'static {
    /// What is in an answer: there whole, or made while the client takes it.
    type Body: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + Unpin + 'static;

    /// Answers a request. `head` is what was found of it before, `from` the other end of the
    /// connection. The connection can be done without for as long as nothing says
    /// [`Place::works`].
    fn answer(
        &self,
        request: Request<Incoming>,
        head: Head,
        from: IpAddr,
        place: &Place,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// A connection was taken.
    fn opened(&self) {}

    /// A connection has ended.
    fn closed(&self) {}

    /// A connection was ended because what it sent was no request; `why` says so in words where
    /// there is more to say than that it did not speak TLS.
    fn refused(&self, from: IpAddr, why: Option<&'static str>);
}

/// Accepts connections until `stop` says so, then lets those that are answered end.
pub struct Server<S> {
    /// What answers.
    pub service: Arc<S>,
    /// How many connections, and for how long.
    pub limits: Limits,
    /// The certificate; `None` = plain connections.
    pub tls: Option<Arc<Tls>>,
    /// Changes when it is to stop.
    pub stop: watch::Receiver<bool>,
}

impl<A: Service> Server<A> {
    /// Serves until it is told to stop and everything that had begun has ended, or until that
    /// takes too long.
    pub async fn run(self, listener: TcpListener) {
        let places = Places::new(self.limits.connections);
        let it = Arc::new(self);
        let mut stop = it.stop.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.changed() => break,
            };
            let Ok((stream, from)) = accepted else {
                // Too many files, mostly: one connection less helps.
                places.make_room();
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let place = tokio::select! {
                place = places.take() => place,
                _ = stop.changed() => break,
            };
            let Some(place) = place.map(Arc::new) else { break };
            let it = Arc::clone(&it);
            tokio::spawn(async move {
                it.service.opened();
                it.connection(stream, from.ip(), place).await;
                it.service.closed();
            });
        }
        drop(listener);
        // Whoever is not done by then is cut off.
        let done = places.all_free(it.limits.connections);
        let _ = tokio::time::timeout(it.limits.shutdown, done).await;
    }

    async fn connection(&self, stream: TcpStream, from: IpAddr, place: Arc<Place>) {
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.serve(stream, from, place).await;
        };
        let handshake = tls.acceptor().accept(stream);
        let stream = tokio::select! {
            stream = tokio::time::timeout(self.limits.header, handshake) => stream,
            () = place.has_to_leave() => return,
        };
        match stream {
            Ok(Ok(stream)) => self.serve(stream, from, place).await,
            Ok(Err(_)) | Err(_) => self.service.refused(from, None),
        }
    }

    async fn serve<S>(&self, stream: S, from: IpAddr, place: Arc<Place>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let heads = Heads::default();
        let wire = Wire::new(stream, heads.clone(), self.limits.body);
        let (service, own) = (Arc::clone(&self.service), Arc::clone(&place));
        let service = service_fn(move |request| {
            let (service, place, head) = (Arc::clone(&service), Arc::clone(&own), heads.next());
            let answer = async move {
                let response = service.answer(request, head, from, &place).await;
                Ok::<_, Infallible>(response.map(|body| Tended::new(body, place)))
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
                () = place.has_to_leave() => return,
            }
        };
        let wire = connection.into_parts().io.into_inner();
        let timed_out = outcome.as_ref().is_err_and(hyper::Error::is_timeout) && wire.is_in_head();
        self.note(&outcome, timed_out, from);
        let last_words = if timed_out { TIMED_OUT } else { b"" };
        tokio::select! {
            () = end(wire.into_stream(), last_words) => {}
            () = place.has_to_leave() => {}
        }
    }

    /// Says what was no request.
    fn note(&self, outcome: &hyper::Result<()>, timed_out: bool, from: IpAddr) {
        let what = match outcome {
            Err(_) if timed_out => "408: its head did not arrive in time",
            Err(error) if error.is_parse_too_large() => "431: its head is too long",
            Err(error) if error.is_parse() => "400: what it sent is no request",
            _ => return,
        };
        self.service.refused(from, Some(what));
    }
}

/// Ends a connection so that what was written arrives: closing it while something is unread would
/// take that back.
async fn end<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, last_words: &[u8]) {
    let ending = async {
        stream.write_all(last_words).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(LINGER_MAX), &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(LINGER, ending).await;
}
