//! Every kind of document, wherever every other is expected.

use super::{ID, THEN, keys, least, signed, verify, with, word};
use crate::errors::Result;
use crate::product::Product;
use crate::token::Kind;
use serde_json::{Value, json};

/// The smallest claims of any kind.
fn good(kind: Kind) -> Value {
    let key = keys(json!({})).to_jwks();
    let key = serde_json::from_str::<Value>(&key).unwrap()["keys"][0].take();
    let own = match kind {
        Kind::License => json!({
            "jti": "1",
            "license": {"id": ID, "type": "perpetual", "valid_from": THEN, "valid_until": null,
                "features": []},
        }),
        Kind::KeySet => json!({ "epoch": 1, "keys": [key] }),
        Kind::Product => json!({ "jti": "1", "product": {"keys": [key]} }),
        _ => json!({}),
    };
    with(&least(kind), &own)
}

/// What becomes of a document where a kind is expected.
fn opened(kind: Kind, token: &str) -> Result<()> {
    let mut product = Product::pinning("myapp", keys(json!({})));
    match kind {
        Kind::License => product.read(token.as_bytes()).map(drop),
        Kind::KeySet => product.trust(token),
        Kind::Product => Product::from_file(token.as_bytes()).map(drop),
        _ => verify(kind, token, None, &keys(json!({}))),
    }
}

/// All 49: a good one is taken where it belongs, and nowhere else, and a `typ` that was put on
/// others' claims does not make them good.
#[test]
fn no_kind_is_taken_for_another() {
    for wanted in Kind::ALL {
        for kind in Kind::ALL {
            let said = word(opened(wanted, &signed(kind, &good(kind))));
            let other = if kind == wanted { "ok" } else { "wrong_kind" };
            assert_eq!(said, other, "{kind:?} as {wanted:?}");
            let both = with(&good(wanted), &good(kind));
            let said = word(opened(wanted, &signed(kind, &both)));
            assert_eq!(said, other, "{kind:?} as {wanted:?}, with the claims of both");
            if kind != wanted {
                let said = word(opened(wanted, &signed(wanted, &good(kind))));
                // A sync answer says all that a clock reset does: its nonce tells them apart.
                let clock = (wanted, kind) == (Kind::Clock, Kind::Sync);
                let flawed = if clock { "ok" } else { "malformed" };
                assert_eq!(said, flawed, "{kind:?} called {wanted:?}");
            }
        }
    }
}
