//! The bytes of a connection on their way to hyper: each head is looked at before, for what makes
//! two servers in a row disagree about where a request ends (RFC 9112, section 11.2). hyper takes
//! such requests and does not say so.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Bytes of the longest head.
pub(super) const HEAD_MAX: usize = 16 * 1024;

/// Bytes that are read at once.
const CHUNK: usize = 8 * 1024;

/// What was found of one head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Why the request is refused.
    pub refused: Option<&'static str>,
    /// Whether the connection ends with its answer: where the next head begins is not known.
    pub last: bool,
}

/// The heads that were read and not answered yet, in their order.
#[derive(Clone, Default)]
pub(super) struct Heads(Arc<Mutex<VecDeque<Head>>>);

impl Heads {
    /// The head of the next request.
    pub fn next(&self) -> Head {
        let missing = Head { refused: Some("its head could not be read"), last: true };
        self.queue().pop_front().unwrap_or(missing)
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Head>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose heads are looked at.
pub(super) struct Wire<S> {
    stream: S,
    part: Part,
    /// What was read and not handed on.
    held: VecDeque<u8>,
    heads: Heads,
    /// How long nobody may take what is written, and when that is over.
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

/// Where in a request the next byte is.
enum Part {
    Head(Scan),
    Body(u64),
    Rest,
}

/// A head, as far as it was read.
#[derive(Default)]
struct Scan {
    line: Vec<u8>,
    bytes: usize,
    requested: bool,
    is_1_1: bool,
    hosts: u32,
    length: Option<u64>,
    lengths: u32,
    encodings: u32,
    odd: Option<&'static str>,
}

impl<S> Wire<S> {
    pub fn new(stream: S, heads: Heads, patience: Duration) -> Wire<S> {
        let part = Part::Head(Scan::default());
        Wire { stream, part, held: VecDeque::new(), heads, patience, stalled: None }
    }

    /// Whether a head has begun and has not ended.
    pub fn is_in_head(&self) -> bool {
        matches!(&self.part, Part::Head(scan) if scan.bytes > 0)
    }

    pub fn into_stream(self) -> S {
        self.stream
    }

    /// What came of handing bytes to whoever reads: an error where nobody has read for too long.
    fn patiently<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let patience = self.patience;
        let over = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(over.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }

    /// How many of the bytes that are held go on now: never more than one request's.
    fn pass(&mut self, room: usize) -> usize {
        let most = room.min(self.held.len());
        match &mut self.part {
            Part::Rest => most,
            Part::Body(left) => {
                let count = most.min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= count as u64;
                if *left == 0 {
                    self.part = Part::Head(Scan::default());
                }
                count
            }
            Part::Head(scan) => {
                let end = self.held.iter().take(most).position(|byte| scan.ends_with(*byte));
                if end.is_some() {
                    let (head, length) = scan.judge();
                    self.heads.queue().push_back(head);
                    self.part = match length {
                        _ if head.last => Part::Rest,
                        0 => Part::Head(Scan::default()),
                        length => Part::Body(length),
                    };
                } else if scan.bytes > HEAD_MAX {
                    // hyper refuses it too.
                    self.part = Part::Rest;
                }
                end.map_or(most, |end| end + 1)
            }
        }
    }
}

impl Scan {
    /// Takes one byte, and says whether it is the last of the head.
    fn ends_with(&mut self, byte: u8) -> bool {
        self.bytes += 1;
        if byte != b'\n' {
            if self.bytes <= HEAD_MAX {
                self.line.push(byte);
            }
            return false;
        }
        let line = std::mem::take(&mut self.line);
        let Some(text) = line.strip_suffix(b"\r") else {
            self.odd = Some("a line of its head does not end with CR LF");
            return self.take(&line);
        };
        self.take(text)
    }

    /// Takes a line, and says whether it ends the head.
    fn take(&mut self, line: &[u8]) -> bool {
        if line.is_empty() {
            return self.requested;
        }
        if !self.requested {
            self.requested = true;
            self.is_1_1 = line.ends_with(b" HTTP/1.1");
            return false;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
            self.length = number(value);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.encodings += 1;
            if !value.eq_ignore_ascii_case(b"chunked") {
                self.odd = Some("its transfer-encoding is not chunked");
            }
        }
        false
    }

    /// What the head comes to, and the bytes of the body.
    fn judge(&self) -> (Head, u64) {
        let refused = match (self.lengths, self.encodings) {
            _ if self.odd.is_some() => self.odd,
            (0, 0 | 1) => None,
            (1, 0) if self.length.is_some() => None,
            (1, 0) => Some("its content-length is not a number"),
            (_, 0) => Some("it has two content-lengths"),
            (0, _) => Some("it has two transfer-encodings"),
            _ => Some("it has a content-length and a transfer-encoding"),
        };
        let host = (self.is_1_1 && self.hosts == 0) || self.hosts > 1;
        let refused = refused.or(host.then_some("it does not have one host"));
        let last = refused.is_some() || self.encodings > 0;
        (Head { refused, last }, self.length.unwrap_or(0))
    }
}

/// Digits and nothing else.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let it = self.get_mut();
        if it.held.is_empty() {
            let mut chunk = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut it.stream).poll_read(cx, &mut chunk))?;
            it.held.extend(chunk.filled());
        }
        let count = it.pass(buf.remaining());
        for byte in it.held.drain(..count) {
            buf.put_slice(&[byte]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let it = self.get_mut();
        let written = Pin::new(&mut it.stream).poll_write(cx, bytes);
        it.patiently(cx, written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let it = self.get_mut();
        // With TLS, what was written may still be here.
        let flushed = Pin::new(&mut it.stream).poll_flush(cx);
        it.patiently(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    /// What is found of each head, and what is handed on at a time, for any room.
    fn heads(bytes: &[u8], room: usize) -> (Vec<Head>, Vec<Vec<u8>>) {
        let mut wire = Wire::new((), Heads::default(), Duration::ZERO);
        wire.held.extend(bytes);
        let mut pieces = Vec::new();
        while !wire.held.is_empty() {
            let count = wire.pass(room);
            assert!(count > 0, "it goes on");
            pieces.push(wire.held.drain(..count).collect());
        }
        (wire.heads.queue().drain(..).collect(), pieces)
    }

    fn refused(head: &str) -> Option<&'static str> {
        let (all, _) = heads(format!("{head}\r\n\r\n").as_bytes(), usize::MAX);
        assert_eq!(all.len(), 1, "{head:?}");
        assert!(all[0].refused.is_none() || all[0].last, "{head:?}");
        all[0].refused
    }

    #[test]
    fn requests_go_on_one_by_one() {
        let one = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGET";
        let two = b"\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let both = [&one[..], &two[..], &one[..]].concat();
        for room in [1, 2, 7, 64, usize::MAX] {
            let (all, pieces) = heads(&both, room);
            assert_eq!(all, vec![Head::default(); 3], "{room}");
            assert_eq!(pieces.concat(), both, "{room}");
        }
        let (_, pieces) = heads(&both, usize::MAX);
        let split = one.len() - 3;
        assert_eq!(pieces, [&one[..split], b"GET", &two[..], &one[..split], b"GET"]);
    }

    #[test]
    fn what_two_servers_read_differently_is_refused() {
        let start = "POST / HTTP/1.1\r\nHost: a";
        for odd in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 3",
            "transfer-encoding: chunked\r\ncontent-length: 0",
            "Content-Length: 3\r\nContent-Length: 3",
            "Content-Length: 3\r\nContent-Length: 4",
            "Content-Length: +3",
            "Content-Length: 3, 3",
            "Content-Length: 0x3",
            "Content-Length: -1",
            "Content-Length: 99999999999999999999999",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: \u{b}chunked",
            "Host: b",
            "X: a\nContent-Length: 3",
        ] {
            assert!(refused(&format!("{start}\r\n{odd}")).is_some(), "{odd:?}");
        }
        assert!(refused("GET / HTTP/1.1").is_some(), "no host");
        for good in ["X: y", "Content-Length: 0", "Transfer-Encoding: Chunked", "TE: trailers"] {
            assert_eq!(refused(&format!("{start}\r\n{good}")), None, "{good:?}");
        }
        assert_eq!(refused("GET / HTTP/1.0"), None);
    }

    #[test]
    fn after_what_is_refused_nothing_is_a_head() {
        let first = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked";
        let bytes = format!("{first}\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(heads(bytes.as_bytes(), usize::MAX).0.len(), 1);
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(2 * HEAD_MAX));
        let mut wire = Wire::new((), Heads::default(), Duration::ZERO);
        wire.held.extend(endless.as_bytes());
        wire.pass(usize::MAX);
        assert!(matches!(wire.part, Part::Rest));
    }

    /// Takes what fits, and gets rid of none of it.
    struct Full;

    impl AsyncWrite for Full {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn who_takes_nothing_of_what_was_written_is_left() {
        let mut wire = Wire::new(Full, Heads::default(), Duration::ZERO);
        wire.write_all(b"an answer").await.unwrap();
        assert_eq!(wire.flush().await.unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
