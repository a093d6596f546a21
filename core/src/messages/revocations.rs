//! The list of licenses that the vendor has withdrawn.

use super::document::{self, Expected, malformed, positive};
use crate::errors::Result;
use crate::json::{List, VALUES_MAX};
use crate::keys::TrustedKey;
use crate::token::Kind;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use std::collections::HashSet;
#[cfg(feature = "issue")]
use {serde_json::Value, std::collections::BTreeSet};

/// Ids in one text of a list: as many as base64url puts into the longest text there may be.
pub(crate) const IDS_IN_TEXT: usize = 192;

/// docs/format.md, section 6.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revocations {
    /// Rises with every list.
    pub(crate) version: u64,
    /// When it was signed, in seconds since 1970.
    pub(crate) iat: i64,
    /// The bytes of the UUIDs of licenses.
    pub(crate) ids: HashSet<[u8; 16]>,
}

#[derive(Deserialize)]
struct Claims {
    version: u64,
    ids: List<String, VALUES_MAX>,
}

impl Revocations {
    /// Checks a list for a product. Whether it is newer than another is not asked.
    pub(crate) fn verify<'k>(
        data: &[u8],
        product: &str,
        issuer: Option<&str>,
        find: impl Fn(&str) -> Option<&'k TrustedKey>,
    ) -> Result<Revocations> {
        let expected = Expected { product, issuer };
        document::open(data, Kind::Revocations, expected, find, Revocations::checked)
    }

    fn checked(claims: Claims, iat: i64) -> Result<Revocations> {
        positive("version", claims.version)?;
        let mut ids = HashSet::with_capacity(claims.ids.0.len() * IDS_IN_TEXT);
        let mut last: Option<[u8; 16]> = None;
        for (index, text) in claims.ids.0.iter().enumerate() {
            let bytes = URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|_| malformed(format!("ids[{index}] is not base64url")))?;
            let (whole, rest) = bytes.as_chunks::<16>();
            // More than IDS_IN_TEXT are a longer text than there may be.
            if whole.is_empty() || !rest.is_empty() {
                return Err(malformed(format!("ids[{index}] is not whole ids of 16 bytes")));
            }
            for id in whole {
                if last.is_some_and(|last| last >= *id) {
                    return Err(malformed(format!("ids[{index}] is not in ascending order")));
                }
                last = Some(*id);
                ids.insert(*id);
            }
        }
        Ok(Revocations { version: claims.version, iat, ids })
    }

    /// Ids as the texts of a list.
    #[cfg(feature = "issue")]
    pub(crate) fn texts(ids: &BTreeSet<[u8; 16]>) -> Value {
        let ids: Vec<[u8; 16]> = ids.iter().copied().collect();
        let text = |ids: &[[u8; 16]]| URL_SAFE_NO_PAD.encode(ids.as_flattened());
        ids.chunks(IDS_IN_TEXT).map(text).collect()
    }
}
