//! Signed documents: compact JWS (RFC 7515) with Ed25519 (RFC 8037) and one `typ` per kind.

use crate::errors::{Code, Error, Result};
use crate::json;
use crate::keys::{KeyState, Role, TrustedKey};
use crate::limits::{HEADER_MAX, LEASE_MAX, REVOCATIONS_MAX, SYNC_MAX, TOKEN_MAX};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// What a signed document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A license.
    License,
    /// A signed key set.
    KeySet,
    /// A server's answer to a sync.
    Sync,
    /// A revocation list.
    Revocations,
    /// A seat lease.
    Lease,
    /// A clock reset.
    Clock,
    /// A product file.
    Product,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 7] = [
        Kind::License,
        Kind::KeySet,
        Kind::Sync,
        Kind::Revocations,
        Kind::Lease,
        Kind::Clock,
        Kind::Product,
    ];

    /// Its `typ`, compared byte for byte.
    pub const fn typ(self) -> &'static str {
        match self {
            Kind::License => "lic+jwt",
            Kind::KeySet => "lic-keys+jwt",
            Kind::Sync => "lic-sync+jwt",
            Kind::Revocations => "lic-revs+jwt",
            Kind::Lease => "lic-lease+jwt",
            Kind::Clock => "lic-clock+jwt",
            Kind::Product => "lic-product+jwt",
        }
    }

    /// What to call it in a sentence.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::License => "license",
            Kind::KeySet => "key set",
            Kind::Sync => "sync answer",
            Kind::Revocations => "revocation list",
            Kind::Lease => "seat lease",
            Kind::Clock => "clock reset",
            Kind::Product => "product file",
        }
    }

    /// The role a key needs to sign one.
    pub const fn role(self) -> Role {
        match self {
            Kind::License => Role::License,
            Kind::KeySet | Kind::Product => Role::Root,
            Kind::Sync | Kind::Revocations | Kind::Lease | Kind::Clock => Role::Server,
        }
    }

    /// The largest one, in bytes of compact serialization.
    pub const fn max_bytes(self) -> usize {
        match self {
            Kind::Sync => SYNC_MAX,
            Kind::Revocations => REVOCATIONS_MAX,
            Kind::Lease => LEASE_MAX,
            _ => TOKEN_MAX,
        }
    }
}

/// A payload whose signature holds, and the key that made it.
#[derive(Debug)]
pub(crate) struct Opened<'k> {
    pub(crate) payload: Vec<u8>,
    pub(crate) key: &'k TrustedKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

/// Checks 2 to 6 of docs/format.md, section 4, on a document that is out of its coat.
/// `find` looks a key up by its name.
pub(crate) fn open<'k>(
    token: &str,
    kind: Kind,
    find: impl Fn(&str) -> Option<&'k TrustedKey>,
) -> Result<Opened<'k>> {
    Sealed::read(token, kind)?.open(find)
}

/// A document of the right kind whose signature was not looked at.
pub(crate) struct Sealed<'t> {
    kind: Kind,
    /// The name of the key that is to have signed it.
    pub(crate) kid: String,
    signed: &'t str,
    /// What it says. **Not to be believed** but for what says how to check it.
    pub(crate) payload: Vec<u8>,
    signature: [u8; 64],
}

impl Sealed<'_> {
    /// Checks 2 and 3.
    pub(crate) fn read(token: &str, kind: Kind) -> Result<Sealed<'_>> {
        let Parts { signed, header, payload, signature } = split(token)?;
        let header = parse_header(&decode(header, "header")?)?;
        let payload = decode(payload, "payload")?;
        let signature = decode(signature, "signature")?
            .try_into()
            .map_err(|_| malformed("the signature is not of 64 bytes"))?;
        check_kind(&header.typ, kind)?;
        Ok(Sealed { kind, kid: header.kid, signed, payload, signature })
    }

    /// Checks 4 to 6.
    pub(crate) fn open<'k>(
        self,
        find: impl Fn(&str) -> Option<&'k TrustedKey>,
    ) -> Result<Opened<'k>> {
        let Sealed { kind, kid, signed, payload, signature } = self;
        let known = find(&kid);
        let key = known
            .filter(|key| key.roles.contains(&kind.role()))
            .ok_or_else(|| unknown_key(&kid, kind, known.is_some()))?;
        if !key.key.verifies(signed.as_bytes(), &signature) {
            let what = format!("the {} was altered after it was signed", kind.name());
            return Err(Error::new(Code::BadSignature, what));
        }
        if key.state == KeyState::Compromised {
            let what = format!("the key {kid} that signed it is compromised");
            return Err(Error::new(Code::KeyCompromised, what));
        }
        Ok(Opened { payload, key })
    }
}

/// The parts of a compact serialization, still in base64url.
pub(crate) struct Parts<'t> {
    /// Header and payload with the `.` between them: the bytes that are signed.
    pub(crate) signed: &'t str,
    pub(crate) header: &'t str,
    pub(crate) payload: &'t str,
    pub(crate) signature: &'t str,
}

pub(crate) fn split(token: &str) -> Result<Parts<'_>> {
    token
        .rsplit_once('.')
        .and_then(|(signed, signature)| {
            let (header, payload) = signed.split_once('.')?;
            (!payload.contains('.')).then_some(Parts { signed, header, payload, signature })
        })
        .ok_or_else(|| malformed("it does not have the three parts of a signed document"))
}

fn malformed(what: &str) -> Error {
    Error::new(Code::Malformed, what)
}

/// Takes one part out of its base64url, which has one spelling.
pub(crate) fn decode(part: &str, name: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| malformed(&format!("the {name} is not base64url in its one spelling")))
}

fn parse_header(bytes: &[u8]) -> Result<Header> {
    let header: Header = json::parse(bytes, HEADER_MAX)
        .map_err(|error| Error::new(error.code(), format!("the header: {}", error.detail())))?;
    if header.alg != "EdDSA" && header.alg != "Ed25519" {
        return Err(malformed(&format!("alg is {:.40}, not EdDSA", header.alg)));
    }
    Ok(header)
}

fn check_kind(typ: &str, wanted: Kind) -> Result<()> {
    if typ == wanted.typ() {
        return Ok(());
    }
    let found = Kind::ALL.into_iter().find(|kind| kind.typ() == typ).map_or_else(
        || format!("its typ is {typ:.40}, not {}", wanted.typ()),
        |kind| format!("it is a {}, not a {}", kind.name(), wanted.name()),
    );
    Err(Error::new(Code::WrongKind, found))
}

fn unknown_key(kid: &str, kind: Kind, known: bool) -> Error {
    let what = if known {
        format!("the key {kid} may not sign a {}", kind.name())
    } else {
        format!("it was signed by the key {kid:.64}, which is not trusted")
    };
    Error::new(Code::UnknownKey, what)
}

/// What a document that is out of its coat says it is: its header, and nothing else, is judged.
pub(crate) fn kind(token: &str) -> Result<Kind> {
    let header = parse_header(&decode(split(token)?.header, "header")?)?;
    Kind::ALL.into_iter().find(|kind| kind.typ() == header.typ).ok_or_else(|| {
        Error::new(
            Code::WrongKind,
            format!("its typ is {:.40}, which is no known kind", header.typ),
        )
    })
}

/// Signs a payload as a document of this kind: its compact serialization.
#[cfg(feature = "issue")]
pub(crate) fn sign(key: &crate::secret::SecretKey, kind: Kind, payload: &[u8]) -> String {
    let header =
        format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{}"}}"#, key.public().kid(), kind.typ());
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// How long a signed document is whose payload has so many bytes.
#[cfg(feature = "issue")]
pub(crate) fn length(kind: Kind, payload: usize) -> usize {
    let coded = |bytes: usize| (bytes * 4).div_ceil(3);
    // The name of a key has 43 characters, and a signature 64 bytes.
    let header = r#"{"alg":"EdDSA","kid":"","typ":""}"#.len() + 43 + kind.typ().len();
    coded(header) + 1 + coded(payload) + 1 + coded(64)
}
