//! Who may sign in: tokens and users of the configuration, and whether a request shows one.

use super::attempts::Attempts;
use super::table::Table;
use super::turns::Turns;
use crate::input;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licentia::{Caller, Code, Error, Result, Rights};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// The shortest token, in characters.
pub const TOKEN_LEAST: usize = 16;

/// Bytes of the longest token, and of the longest password: longer ones are no secrets, but work.
const SECRET_MAX: usize = 1024;

/// Passwords that are verified at the same time, at most: each takes a core and its hash's memory.
/// Half of the cores are left to those who know theirs.
const VERIFIED_AT_ONCE: usize = 4;

/// Memory that the hash of a password may ask for, in KiB, and its other costs.
const MEMORY_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 64;

type Sha = [u8; 32];

/// Everybody who may sign in.
pub struct Accounts {
    tokens: Vec<(Sha, Caller)>,
    users: Vec<User>,
    /// Verified in place of a user that there is not, so that both take as long.
    nobody: String,
    /// Right passwords of the past, under a key of this process: they cost no second look.
    seen: Mutex<HashMap<Sha, usize>>,
    seen_key: Sha,
    attempts: Attempts,
    verifying: Arc<Semaphore>,
    turns: Turns,
}

struct User {
    name: String,
    password: String,
    caller: Caller,
}

/// What a request shows of who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// Nothing.
    Stranger,
    /// Something that is wrong.
    Wrong,
    /// A password that was not looked at, because too many were wrong before it: ask again after
    /// so many seconds.
    TooMany(u64),
    /// Somebody.
    Known(Caller),
}

/// Reads the tables `tokens` and `users`.
pub fn read(table: &mut Table, folder: &Path, warnings: &mut Vec<String>) -> Result<Accounts> {
    let mut tokens: Vec<(Sha, Caller)> = Vec::new();
    for mut token in table.tables("tokens")? {
        token.knows(&["name", "kind", "rights", "env", "file", "sha256"])?;
        let name = name(&mut token)?;
        let kind = match token.word("kind", &["service", "person"])? {
            "person" => Rights::NONE,
            _ => Rights::SERVICE,
        };
        let caller = Caller::new(&name, rights(&mut token)? | kind);
        let caller = caller.map_err(|error| token.failed("name", &error))?;
        let secret = secret(&mut token, folder, warnings)?;
        if tokens.iter().any(|(other, _)| *other == secret) {
            return Err(token.refuse("name", &format!("= {name:.40}: another token is the same")));
        }
        let mut others = tokens.iter().map(|(_, caller)| caller.name());
        if others.any(|other| other == name) {
            return Err(twice(&token, &name));
        }
        tokens.push((secret, caller));
    }
    let mut users: Vec<User> = Vec::new();
    for mut user in table.tables("users")? {
        user.knows(&["name", "password", "rights"])?;
        let name = name(&mut user)?;
        if name.contains(':') {
            return Err(user.refuse("name", "has a colon, which no name in basic auth has"));
        }
        let mut others = tokens.iter().map(|(_, caller)| caller.name());
        if others.any(|other| other == name) || users.iter().any(|other| other.name == name) {
            return Err(twice(&user, &name));
        }
        let caller = Caller::new(&name, rights(&mut user)?);
        let caller = caller.map_err(|error| user.failed("name", &error))?;
        users.push(User { name, password: password(&mut user)?, caller });
    }
    Accounts::new(tokens, users)
}

fn name(table: &mut Table) -> Result<String> {
    table.text("name")?.ok_or_else(|| table.refuse("name", "is missing: it is in the log"))
}

fn twice(table: &Table, name: &str) -> Error {
    table.refuse("name", &format!("= {name:.40} is there twice: the log could not tell them apart"))
}

fn rights(table: &mut Table) -> Result<Rights> {
    let mut rights = Rights::NONE;
    for word in table.texts("rights")? {
        rights = rights
            | match word.as_str() {
                "administrator" => Rights::ADMINISTRATOR,
                "read" => Rights::READ,
                "write" => Rights::WRITE,
                "delete" => Rights::DELETE,
                _ => {
                    let what = "is \"administrator\", or a list of read, write, delete";
                    return Err(table.refuse("rights", what));
                }
            };
    }
    Ok(rights)
}

/// The hash of a token, from the one place that is named.
fn secret(table: &mut Table, folder: &Path, warnings: &mut Vec<String>) -> Result<Sha> {
    let (env, file, hash) = (table.text("env")?, table.text("file")?, table.text("sha256")?);
    let (key, token) = match (env, file, hash) {
        (Some(variable), None, None) => ("env", from_variable(table, &variable)?),
        (None, Some(file), None) => ("file", from_file(table, folder, &file, warnings)?),
        (None, None, Some(hash)) => {
            let what = "is the SHA-256 of the token in 64 hexadecimal digits";
            return from_hex(&hash).ok_or_else(|| table.refuse("sha256", what));
        }
        _ => {
            let what = "needs one of env, file and sha256: where the token is";
            return Err(table.refuse("name", what));
        }
    };
    if token.chars().count() < TOKEN_LEAST {
        let what =
            format!("gives a token of fewer than {TOKEN_LEAST} characters: take a longer one");
        return Err(table.refuse(key, &what));
    }
    let odd = token.trim() != token.as_str() || token.chars().any(char::is_control);
    if odd || token.len() > SECRET_MAX {
        let what = "gives a token with a blank at an end, a control character, or over 1024 bytes";
        return Err(table.refuse(key, what));
    }
    Ok(Sha256::digest(token.as_bytes()).into())
}

fn from_variable(table: &Table, variable: &str) -> Result<Zeroizing<String>> {
    // A name that the system would not even look for would end the process.
    let found = match variable.contains(['=', '\0']) {
        true => None,
        false => std::env::var(variable).ok().filter(|value| !value.is_empty()),
    };
    let missing = || table.refuse("env", &format!("names {variable:.60}, which is not set"));
    found.map(Zeroizing::new).ok_or_else(missing)
}

fn from_file(
    table: &Table,
    folder: &Path,
    file: &str,
    warnings: &mut Vec<String>,
) -> Result<Zeroizing<String>> {
    let path = folder.join(file);
    let name = path.to_string_lossy();
    let failed = |error: Error| table.failed("file", &error);
    let mut source = input::Source::open(&name).map_err(failed)?;
    if let Err(error) = source.is_private() {
        // The library looks at the files of keys only.
        warnings.push(error.to_string().replacen("the key file", "the token file", 1));
    }
    let text = source.text(SECRET_MAX + 2, Code::InvalidArgument).map_err(failed)?;
    // Some editors begin a text with a mark.
    let token = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(Zeroizing::new(token.trim_end_matches(['\r', '\n']).to_string()))
}

fn from_hex(text: &str) -> Option<Sha> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = Sha::default();
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// The hash of a password, in the form that `licentia agent password` prints.
fn password(table: &mut Table) -> Result<String> {
    let what = "is what `licentia agent password` prints, which begins with $argon2id$";
    let text = table.text("password")?.ok_or_else(|| table.refuse("password", what))?;
    let costs = PasswordHash::new(&text)
        .ok()
        .filter(|hash| hash.algorithm.as_str() == "argon2id" && hash.hash.is_some())
        .and_then(|hash| argon2::Params::try_from(&hash).ok());
    let costs = costs.ok_or_else(|| table.refuse("password", what))?;
    if costs.m_cost() > MEMORY_MAX || costs.t_cost() > PASSES_MAX {
        let what = format!("asks for more than {MEMORY_MAX} KiB or {PASSES_MAX} passes: take less");
        return Err(table.refuse("password", &what));
    }
    Ok(text)
}

impl Accounts {
    fn new(tokens: Vec<(Sha, Caller)>, users: Vec<User>) -> Result<Accounts> {
        let mut seen_key = Sha::default();
        getrandom::fill(&mut seen_key)
            .map_err(|error| Error::new(Code::Io, format!("no random numbers: {error}")))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = (cores / 2).clamp(1, VERIFIED_AT_ONCE);
        // Without users there is nobody to be told from nobody.
        let nobody = users.first().map(|user| user.password.clone()).unwrap_or_default();
        Ok(Accounts {
            tokens,
            users,
            nobody,
            seen: Mutex::default(),
            seen_key,
            attempts: Attempts::default(),
            verifying: Arc::new(Semaphore::new(at_once)),
            turns: Turns::default(),
        })
    }

    /// Whether nobody can sign in.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.users.is_empty()
    }

    /// Who shows this header; `from` is the address it came from.
    pub async fn login(self: &Arc<Accounts>, headers: &[&[u8]], from: IpAddr) -> Login {
        let header = match headers {
            [] => return Login::Stranger,
            [header] => *header,
            // Two of them may be read differently by whoever is in front.
            _ => return Login::Wrong,
        };
        let Some(at) = header.iter().position(|byte| *byte == b' ') else { return Login::Wrong };
        let (scheme, rest) = header.split_at(at);
        let rest = rest.trim_ascii();
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return self.token(rest).map_or(Login::Wrong, Login::Known);
        }
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return Login::Wrong;
        }
        let Ok(pair) = STANDARD.decode(rest).map(Zeroizing::new) else { return Login::Wrong };
        let Some(colon) = pair.iter().position(|byte| *byte == b':') else { return Login::Wrong };
        let (name, password) = (&pair[..colon], &pair[colon + 1..]);
        if let Some(caller) = self.token(password) {
            return Login::Known(caller);
        }
        self.user(name, password, from).await
    }

    /// The token with this text. All are compared, each in the same time.
    fn token(&self, text: &[u8]) -> Option<Caller> {
        let hash: Sha = Sha256::digest(text).into();
        let mut found = None;
        for (token, caller) in &self.tokens {
            if bool::from(token.ct_eq(&hash)) {
                found = Some(caller.clone());
            }
        }
        found
    }

    async fn user(self: &Arc<Accounts>, name: &[u8], password: &[u8], from: IpAddr) -> Login {
        if self.users.is_empty() || password.is_empty() || password.len() > SECRET_MAX {
            return Login::Wrong;
        }
        let index = self.users.iter().position(|user| user.name.as_bytes() == name);
        let mark = self.mark(name, password);
        if let Some(login) = self.known_before(&mark, name, from) {
            return login;
        }
        let Some(_place) = self.turns.take(from) else {
            return Login::TooMany(1);
        };
        let Ok(turn) = Arc::clone(&self.verifying).acquire_owned().await else {
            return Login::Wrong;
        };
        // Those before it may have been the same, or too many.
        if let Some(login) = self.known_before(&mark, name, from) {
            return login;
        }
        let (it, password) = (Arc::clone(self), Zeroizing::new(password.to_vec()));
        let verified = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let user = index.and_then(|index| it.users.get(index));
            let hash = user.map_or(&it.nobody, |user| &user.password);
            Argon2::default().verify_password(&password, hash.as_str()).is_ok()
        });
        let good = verified.await.unwrap_or(false);
        match index.filter(|_| good) {
            Some(index) => {
                self.seen().insert(mark, index);
                self.attempts.good(from, name);
                let user = self.users.get(index);
                user.map_or(Login::Wrong, |user| Login::Known(user.caller.clone()))
            }
            None => {
                self.attempts.bad(from, name);
                Login::Wrong
            }
        }
    }

    /// What can be said of a password without looking at it: it was right before, or has to wait.
    fn known_before(&self, mark: &Sha, name: &[u8], from: IpAddr) -> Option<Login> {
        if let Some(user) = self.seen().get(mark).and_then(|index| self.users.get(*index)) {
            return Some(Login::Known(user.caller.clone()));
        }
        self.attempts.wait(from, name).map(Login::TooMany)
    }

    /// What is kept of a name and a password: nothing that is of use to anybody else.
    fn mark(&self, name: &[u8], password: &[u8]) -> Sha {
        let mut hash = Sha256::new_with_prefix(self.seen_key);
        hash.update(name.len().to_be_bytes());
        hash.update(name);
        hash.update(password);
        hash.finalize().into()
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashMap<Sha, usize>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
