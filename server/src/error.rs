//! What can go wrong, once for the whole server: a word for programs, the status of an answer, and
//! a sentence that says what to do.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request cannot be read: syntax, types, members that are not known.
    Malformed,
    /// Nobody is known by what was sent to sign in.
    Unauthorized,
    /// The caller is known and may not.
    Forbidden,
    /// There is none, or it is another organization's.
    NotFound,
    /// The path does not take the method.
    MethodNotAllowed,
    /// It did not arrive in time.
    RequestTimeout,
    /// It contradicts what there is.
    Conflict,
    /// All machines of the license are taken.
    NoMachine,
    /// All seats of the license are taken.
    NoSeat,
    /// The license may not move to another machine again.
    NoTransfer,
    /// The license is bound to another machine or installation.
    WrongMachine,
    /// The body is too large.
    TooLarge,
    /// The path and the query are too long.
    TargetTooLong,
    /// The body is of a type that is not taken.
    UnsupportedMediaType,
    /// It can be read, and what it asks for cannot be.
    InvalidArgument,
    /// The product has no key pair to sign with.
    NoKeyPair,
    /// The idempotency key came before with another request.
    IdempotencyMismatch,
    /// The signed request is not by the key that is pinned, or not by any.
    BadSignature,
    /// The license was withdrawn for ever.
    Revoked,
    /// The license was suspended.
    Suspended,
    /// The license has ended.
    Expired,
    /// More than is allowed in this time.
    TooManyRequests,
    /// A fault of the server.
    Internal,
    /// The database does not answer in time.
    Busy,
    /// The clock of the server went back: nothing is signed.
    ServerClock,
    /// The disk is full: reading goes on.
    DiskFull,
    /// The server cannot start like this.
    Setup,
    /// The database is not of this version.
    Schema,
}

impl Code {
    /// Every one.
    pub const ALL: [Code; 28] = [
        Code::Malformed,
        Code::Unauthorized,
        Code::Forbidden,
        Code::NotFound,
        Code::MethodNotAllowed,
        Code::RequestTimeout,
        Code::Conflict,
        Code::NoMachine,
        Code::NoSeat,
        Code::NoTransfer,
        Code::WrongMachine,
        Code::TooLarge,
        Code::TargetTooLong,
        Code::UnsupportedMediaType,
        Code::InvalidArgument,
        Code::NoKeyPair,
        Code::IdempotencyMismatch,
        Code::BadSignature,
        Code::Revoked,
        Code::Suspended,
        Code::Expired,
        Code::TooManyRequests,
        Code::Internal,
        Code::Busy,
        Code::ServerClock,
        Code::DiskFull,
        Code::Setup,
        Code::Schema,
    ];

    /// The word for programs. It never changes.
    pub const fn slug(self) -> &'static str {
        match self {
            Code::Malformed => "malformed",
            Code::Unauthorized => "unauthorized",
            Code::Forbidden => "forbidden",
            Code::NotFound => "not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::RequestTimeout => "request_timeout",
            Code::Conflict => "conflict",
            Code::NoMachine => "no_machine",
            Code::NoSeat => "no_seat",
            Code::NoTransfer => "no_transfer",
            Code::WrongMachine => "wrong_machine",
            Code::TooLarge => "too_large",
            Code::TargetTooLong => "target_too_long",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::InvalidArgument => "invalid_argument",
            Code::NoKeyPair => "no_key_pair",
            Code::IdempotencyMismatch => "idempotency_mismatch",
            Code::BadSignature => "bad_signature",
            Code::Revoked => "revoked",
            Code::Suspended => "suspended",
            Code::Expired => "expired",
            Code::TooManyRequests => "too_many_requests",
            Code::Internal => "internal",
            Code::Busy => "busy",
            Code::ServerClock => "server_clock",
            Code::DiskFull => "disk_full",
            Code::Setup => "setup",
            Code::Schema => "schema",
        }
    }

    /// The status of an answer that says so (RFC 9110, section 15).
    pub const fn status(self) -> u16 {
        match self {
            Code::Malformed => 400,
            Code::Unauthorized => 401,
            Code::Forbidden | Code::BadSignature => 403,
            Code::NotFound => 404,
            Code::MethodNotAllowed => 405,
            Code::RequestTimeout => 408,
            Code::Conflict
            | Code::NoMachine
            | Code::NoSeat
            | Code::NoTransfer
            | Code::WrongMachine
            | Code::Revoked
            | Code::Suspended
            | Code::Expired => 409,
            Code::TooLarge => 413,
            Code::TargetTooLong => 414,
            Code::UnsupportedMediaType => 415,
            Code::InvalidArgument | Code::NoKeyPair | Code::IdempotencyMismatch => 422,
            Code::TooManyRequests => 429,
            Code::Internal | Code::Setup | Code::Schema => 500,
            Code::Busy | Code::ServerClock => 503,
            Code::DiskFull => 507,
        }
    }
}

/// What went wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    detail: String,
    retry_after: Option<u64>,
}

/// What this crate gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a sentence for people. It must not hold a secret: it is shown and logged.
    pub fn new(code: Code, detail: impl Into<String>) -> Error {
        Error { code, detail: detail.into(), retry_after: None }
    }

    /// There is no `what` of that id, or it is another organization's: nobody is told which.
    pub fn not_found(what: &str) -> Error {
        Error::new(Code::NotFound, format!("There is no such {what}: look at its id"))
    }

    /// A member of the body has a value that it cannot have.
    pub fn invalid(detail: impl Into<String>) -> Error {
        Error::new(Code::InvalidArgument, detail)
    }

    /// It may be tried again after so many seconds.
    pub fn retry_after(mut self, seconds: u64) -> Error {
        self.retry_after = Some(seconds);
        self
    }

    /// The word and the status.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// After how many seconds to try again, where that is known.
    pub fn retry(&self) -> Option<u64> {
        self.retry_after
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.slug(), self.detail)
    }
}

impl std::error::Error for Error {}

impl From<licentia::Error> for Error {
    /// What core refuses is wrong in what was sent; what it cannot do is our fault.
    fn from(error: licentia::Error) -> Error {
        let code = match error.code() {
            licentia::Code::Io | licentia::Code::Internal => Code::Internal,
            licentia::Code::DiskFull => Code::DiskFull,
            licentia::Code::BadSignature => Code::BadSignature,
            licentia::Code::Revoked => Code::Revoked,
            licentia::Code::Expired => Code::Expired,
            _ => Code::InvalidArgument,
        };
        Error::new(code, error.to_string())
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Error {
        if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
            return Error::new(Code::Conflict, "There is one already: choose another name");
        }
        let (code, sentence) = match cause(&error) {
            Cause::Full => (Code::DiskFull, "The disk of the server is full: nothing was changed"),
            Cause::Busy => (Code::Busy, "The database does not answer in time: try again"),
            Cause::Other => (Code::Internal, "Something went wrong in the server: report it"),
        };
        tracing::error!(code = code.slug(), error = %error, "database");
        let error = Error::new(code, sentence);
        if code == Code::Internal { error } else { error.retry_after(1) }
    }
}

enum Cause {
    Full,
    Busy,
    Other,
}

/// What a database says of itself, by its own numbers: SQLite's result codes, PostgreSQL's
/// SQLSTATE.
fn cause(error: &DbErr) -> Cause {
    let runtime = match error {
        DbErr::ConnectionAcquire(_) => return Cause::Busy,
        DbErr::Conn(error) | DbErr::Exec(error) | DbErr::Query(error) => error,
        _ => return Cause::Other,
    };
    let RuntimeErr::SqlxError(error) = runtime else { return Cause::Other };
    match &**error {
        sqlx::Error::Database(error) => match error.code().as_deref() {
            // SQLITE_FULL and its like; disk_full.
            Some("13" | "53100") => Cause::Full,
            // SQLITE_IOERR_WRITE and IOERR_SHMSIZE: what a full disk gives, too.
            Some("778" | "4874") => Cause::Full,
            // SQLITE_BUSY, LOCKED; serialization, deadlock, lock and statement time-outs, shutting
            // down, too many connections.
            Some(
                "5" | "6" | "261" | "517" | "40001" | "40P01" | "55P03" | "57014" | "57P01"
                | "57P02" | "57P03" | "53300",
            ) => Cause::Busy,
            _ => Cause::Other,
        },
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_) => Cause::Busy,
        _ => Cause::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_its_row_in_the_docs_and_no_other_word() {
        let page = include_str!("../../docs/server.md");
        let (_, table) = page.split_once("\n## Errors\n").unwrap();
        let (table, _) = table.split_once("\n## ").unwrap();
        let rows: HashSet<(String, String)> = table
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .map(|line| {
                let (slug, rest) = line.split_once("` | ").unwrap();
                (slug.to_string(), rest.split(' ').next().unwrap().to_string())
            })
            .filter(|(slug, _)| slug != "code")
            .collect();
        let codes = Code::ALL.map(|code| (code.slug().to_string(), code.status().to_string()));
        assert_eq!(rows, HashSet::from(codes.clone()));
        assert_eq!(codes.len(), rows.len(), "a word stands for one thing");
    }
}
