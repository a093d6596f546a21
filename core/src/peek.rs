//! Reading a document before, or without, believing it: for a vendor's tools that show what is
//! in a file. Nothing here says that anybody signed it.

use crate::coat::undress;
use crate::errors::{Error, Result};
use crate::json;
use crate::limits::{HEADER_MAX, REVOCATIONS_MAX};
use crate::token::{self, Kind, Parts};
use serde::Deserialize;

/// The two readable parts of a document, as strict JSON. **The signature was not checked:** show
/// them, and decide nothing by them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// The kind of document it says it is; `None` for one that this version does not know.
    pub kind: Option<Kind>,
    /// The header.
    pub header: String,
    /// The payload.
    pub payload: String,
}

#[derive(Deserialize)]
struct Header {
    typ: Option<String>,
}

/// Takes a document of any kind out of its coat and decodes it.
///
/// Fails with `malformed` or `too_large` as verifying it would.
pub fn peek(data: &[u8]) -> Result<Unverified> {
    let token = undress(data, REVOCATIONS_MAX)?;
    let Parts { header, payload, .. } = token::split(&token)?;
    let header = read(header, HEADER_MAX, "header")?;
    let Header { typ } = json::parse(header.as_bytes(), HEADER_MAX)?;
    let kind = Kind::ALL.into_iter().find(|kind| Some(kind.typ()) == typ.as_deref());
    let max = kind.map_or(REVOCATIONS_MAX, Kind::max_bytes);
    Ok(Unverified { kind, header, payload: read(payload, max, "payload")? })
}

fn read(part: &str, max: usize, name: &str) -> Result<String> {
    let bytes = token::decode(part, name)?;
    let text = json::scan(&bytes, max).map_err(|flaw| {
        let error = Error::from(flaw);
        Error::new(error.code(), format!("the {name}: {}", error.detail()))
    })?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Code;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn document(header: &str, payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", part(header), part(payload))
    }

    #[test]
    fn a_document_is_shown_as_it_is_whoever_signed_it() {
        let (header, payload) = (r#"{"typ":"lic+jwt","x":1}"#, r#"{"iss": "anybody"}"#);
        let seen = peek(document(header, payload).as_bytes()).unwrap();
        assert_eq!((seen.header.as_str(), seen.payload.as_str()), (header, payload));
        assert_eq!(seen.kind, Some(Kind::License));
        assert_eq!(peek(document("{}", "{}").as_bytes()).unwrap().kind, None);
    }

    #[test]
    fn what_two_readers_could_read_differently_is_not_shown() {
        for (header, payload, named) in [
            (r#"{"typ":"a","typ":"b"}"#, "{}", "header"),
            ("{}", r#"{"a":1,"\u0061":2}"#, "payload"),
            ("{}", "[]", "payload"),
            (r#"{"typ":1}"#, "{}", "integer"),
        ] {
            let error = peek(document(header, payload).as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::Malformed);
            assert!(error.detail().contains(named), "{error}");
        }
        for bad in ["", "a.b", "e30.e30", "e30.e30.a.b", "e30=.e30.a"] {
            assert_eq!(peek(bad.as_bytes()).unwrap_err().code(), Code::Malformed, "{bad}");
        }
    }
}
