//! What a server answers, and what to say where that is no answer. What nobody has signed is told
//! to whoever called, and counts for nothing.

use crate::errors::{Code, Error, Result};
use crate::json::{read, scan_long};
use serde::Deserialize;
use std::time::Duration;

/// What came back over HTTP.
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) media: String,
    pub(super) elsewhere: Option<String>,
    pub(super) body: Vec<u8>,
}

#[derive(Deserialize)]
struct Signed {
    answer: String,
}

/// RFC 9457.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: Option<String>,
}

impl Heard {
    /// What was signed in it. Fails with `no_seat` and `refused` where a license server says no
    /// for good, and with `unreachable` for everything else.
    pub(super) fn read(self) -> Result<Vec<u8>> {
        if let (200, Some(Signed { answer })) = (self.status, self.json()) {
            return Ok(answer.into_bytes());
        }
        let problem = self.problem();
        match (&problem, self.status) {
            // For now: it is busy, or has been asked too often.
            (Some(_), 408 | 425 | 429) => {}
            (Some(problem), 400..500) => {
                let code = if problem.code == "no_seat" { Code::NoSeat } else { Code::Refused };
                return Err(Error::new(code, problem.detail()));
            }
            _ => {}
        }
        Err(Error::new(Code::Unreachable, self.no_answer(problem)))
    }

    /// A strict JSON object in the body: no member of it is there twice.
    fn json<T: for<'a> Deserialize<'a>>(&self) -> Option<T> {
        let text = scan_long(&self.body, self.body.len()).ok()?;
        read(text).ok()
    }

    fn problem(&self) -> Option<Problem> {
        let media = self.media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/problem+json") {
            return None;
        }
        self.json()
    }

    fn no_answer(&self, problem: Option<Problem>) -> String {
        let status = self.status;
        match (problem, &self.elsewhere, status) {
            (Some(problem), ..) => format!("it answers {status}: {}", problem.detail()),
            (None, Some(place), 300..400) => {
                format!("it points elsewhere, which is not followed: {place:.80}")
            }
            (None, _, 200..300) => {
                let media = match self.media.as_str() {
                    "" if self.body.is_empty() => "nothing",
                    "" => "of no type",
                    media => media,
                };
                format!(
                    "no license server answers there but something else ({media:.40}), such as \
                     a page to sign in to the network"
                )
            }
            (None, _, 407) => PROXY_LOGIN.into(),
            _ => format!("it answers {status}, and nothing that a license server says"),
        }
    }
}

impl Problem {
    fn detail(&self) -> &str {
        match &self.detail {
            Some(detail) if !detail.trim().is_empty() => detail,
            _ => &self.code,
        }
    }
}

const PROXY_LOGIN: &str = "the proxy wants a name and a password, or others than the setting proxy \
                           has";

/// Why there was none: the most telling part first, for a long sentence is cut.
pub(super) fn why(error: &ureq::Error, patience: Duration) -> Error {
    use ureq::Error::*;
    let what = match error {
        Timeout(_) => format!("no answer came within {} s", patience.as_secs_f64().ceil()),
        HostNotFound => "there is no machine of that name, or nobody to ask for it".into(),
        ConnectProxyFailed(why) if why.contains("407") => PROXY_LOGIN.into(),
        ConnectProxyFailed(why) => format!("the proxy does not connect to it: {why}"),
        BodyExceedsLimit(_) => "its answer is longer than any real one".into(),
        LargeResponseHeader(..) => "its answer has a longer head than any real one".into(),
        Protocol(_) | Http(_) | BodyStalled => format!("what it says is not HTTP: {error}"),
        Rustls(error) => of_tls(error),
        Io(error) => of_io(error),
        other => other.to_string(),
    };
    Error::new(Code::Unreachable, what)
}

fn of_io(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return of_tls(error);
    }
    match (error.kind(), inner.map(ToString::to_string).as_deref()) {
        (ErrorKind::ConnectionRefused, _) => "nobody listens there".into(),
        (
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe,
            _,
        ) => "the connection was closed without an answer".into(),
        // As the handshake of SOCKS says it.
        (_, Some("password authentication failed" | "no acceptable auth methods")) => {
            PROXY_LOGIN.into()
        }
        (_, Some(what)) => format!("the proxy does not connect to it: {what}"),
        (_, None) => error.to_string(),
    }
}

fn of_tls(error: &rustls::Error) -> String {
    use rustls::CertificateError::*;
    let rustls::Error::InvalidCertificate(flaw) = error else {
        return format!("there is no TLS with it: {error}");
    };
    match flaw {
        Expired | ExpiredContext { .. } => {
            "its certificate has expired, or the clock of this machine is wrong".into()
        }
        NotValidYet | NotValidYetContext { .. } => {
            "its certificate is not valid yet, or the clock of this machine is wrong".into()
        }
        NotValidForName | NotValidForNameContext { .. } => {
            "its certificate is for another name than the setting server has".into()
        }
        _ => format!(
            "no known authority has signed its certificate: {flaw:.20}; if it is right, name the \
             authority's file in server_ca",
        ),
    }
}
