//! The one file that opens sockets. What is done with one ends with the time of the call, however
//! its peer and the signals of the process behave; a peer that has gone is an error and no signal.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    RustlsConnector, SocksConnector, Transport,
};
use ureq::{Error, Timeout};

type Result<T> = std::result::Result<T, Error>;

/// Addresses of one host that are tried.
const ADDRESSES: usize = 16;

/// Bytes that are held of what goes out and of what comes in.
const BUFFER: usize = 64 * 1024;

/// What connects to a server until `ends`: directly or by a proxy, and with TLS where it is asked
/// for.
pub(super) fn connector(ends: Instant) -> impl Connector {
    let proxies = ().chain(SocksConnector::default()).chain(ConnectProxyConnector::default());
    proxies.chain(Sockets { ends }).chain(RustlsConnector::default())
}

/// Opens a socket where no proxy has one yet.
#[derive(Debug)]
struct Sockets {
    ends: Instant,
}

impl<In: Transport> Connector<In> for Sockets {
    type Out = Either<In, Socket>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>> {
        if let Some(transport) = chained {
            return Ok(Some(Either::A(transport)));
        }
        let mut failure = Error::HostNotFound;
        for (address, ways) in details.addrs.iter().zip((1..=details.addrs.len() as u32).rev()) {
            // Where one address is silent, there is time for the others.
            let patience = left(self.ends)? / ways;
            match TcpStream::connect_timeout(address, patience.max(Duration::from_millis(1))) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    let buffers = LazyBuffers::new(BUFFER, BUFFER);
                    return Ok(Some(Either::B(Socket { stream, buffers, ends: self.ends })));
                }
                Err(error) => failure = of(error),
            }
        }
        Err(failure)
    }
}

#[derive(Debug)]
struct Socket {
    stream: TcpStream,
    buffers: LazyBuffers,
    ends: Instant,
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<()> {
        let mut rest = self.buffers.output().get(..amount).unwrap_or_default();
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(left(self.ends)?))?;
            match self.stream.write(rest) {
                Ok(0) => return Err(Error::Io(ErrorKind::WriteZero.into())),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(of(error)),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool> {
        loop {
            self.stream.set_read_timeout(Some(left(self.ends)?))?;
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(read) => {
                    self.buffers.input_appended(read);
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(of(error)),
            }
        }
    }

    /// For another call: there is none.
    fn is_open(&mut self) -> bool {
        false
    }
}

/// The time that is left of a call.
fn left(ends: Instant) -> Result<Duration> {
    match ends.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(Error::Timeout(Timeout::Global)),
        left => Ok(left),
    }
}

/// What failed, with what took too long by one name.
fn of(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::Timeout(Timeout::Global),
        _ => Error::Io(error),
    }
}

/// Looks names up on the thread that calls: another would be left running after the call. How long
/// that takes is the system's affair.
#[derive(Debug)]
pub(super) struct OnThisThread;

impl Resolver for OnThisThread {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs> {
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(Error::HostNotFound);
        };
        let address = DefaultResolver::host_and_port(scheme, authority);
        let mut found = self.empty();
        let address = address.ok_or(Error::HostNotFound)?;
        // The system's own words for it are many.
        let addresses = address.to_socket_addrs().map_err(|_| Error::HostNotFound)?;
        for address in addresses.take(ADDRESSES) {
            found.push(address);
        }
        match found.is_empty() {
            true => Err(Error::HostNotFound),
            false => Ok(found),
        }
    }
}
