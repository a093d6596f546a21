//! `agent password`: what the configuration keeps of a password.

use crate::output::{Answer, Fields, Outcome};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher};
use licentia::{Code, Error, Result};
use std::io::{self, BufRead, IsTerminal, Read, Write};
use zeroize::Zeroizing;

/// Characters of the shortest password.
const LEAST: usize = 8;

/// Bytes of the longest.
const MOST: u64 = 1024;

/// Hashes what is typed, or what standard input has.
pub fn run() -> Outcome {
    let password = read()?;
    if password.chars().count() < LEAST {
        let what = format!("a password has at least {LEAST} characters");
        return Err(Error::new(Code::InvalidArgument, what).into());
    }
    if password.len() as u64 > MOST {
        let what = format!("a password has at most {MOST} bytes");
        return Err(Error::new(Code::InvalidArgument, what).into());
    }
    let hash: PasswordHash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| Error::new(Code::Internal, format!("argon2: {error}")))?;
    let hash = hash.to_string();
    let fields = Fields::default().with("password", hash.as_str());
    Ok(Answer { fields, text: format!("{hash}\n"), ..Answer::default() })
}

fn read() -> Result<Zeroizing<String>> {
    let failed = |error: io::Error| Error::new(Code::Io, format!("standard input: {error}"));
    if !io::stdin().is_terminal() {
        let mut text = Zeroizing::new(String::with_capacity(2048));
        io::stdin().lock().take(MOST + 2).read_to_string(&mut text).map_err(failed)?;
        return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_string()));
    }
    let first = ask("Password: ").map_err(failed)?;
    if *first != *ask("Again: ").map_err(failed)? {
        return Err(Error::new(Code::InvalidArgument, "the two differ"));
    }
    Ok(first)
}

/// Asks somebody at a terminal, who does not see what is typed.
fn ask(what: &str) -> io::Result<Zeroizing<String>> {
    let _ = write!(io::stderr(), "{what}");
    let hidden = echo(false);
    let mut line = Zeroizing::new(String::with_capacity(2048));
    let read = io::stdin().lock().take(MOST + 2).read_line(&mut line);
    if hidden {
        echo(true);
        let _ = writeln!(io::stderr());
    }
    read?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_string()))
}

/// Has the terminal show what is typed, or not, and says whether it does as it is told.
#[cfg(unix)]
fn echo(on: bool) -> bool {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = io::stdin();
    let Ok(mut modes) = tcgetattr(&stdin) else { return false };
    modes.local_modes.set(LocalModes::ECHO, on);
    tcsetattr(&stdin, OptionalActions::Flush, &modes).is_ok()
}

#[cfg(not(unix))]
fn echo(_: bool) -> bool {
    false
}
