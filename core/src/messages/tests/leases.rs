//! Seat leases, with any claims.

use super::{ID, THEN, judged, least, with};
use crate::limits::TIME_MAX;
use crate::messages::is_holder;
use crate::token::Kind;
use proptest::prelude::*;
use serde_json::json;

proptest! {
    /// A lease is read if and only if each of its claims is what it should be.
    #[test]
    fn a_lease_is_as_good_as_its_claims(
        holder in prop_oneof![".{0,20}", "[a-z ]{0,140}"],
        seat in prop_oneof![0_u64..3, any::<u64>().prop_map(|n| n >> 11)],
        exp in prop_oneof![Just(THEN), any::<i64>().prop_map(|n| n >> 11)],
        nonce in prop::option::of("[a-z]{0,70}"),
        here: bool,
        borrowed: bool,
    ) {
        let claims = json!({
            "holder": holder, "seat": seat, "exp": exp, "nonce": nonce, "borrowed": borrowed,
            "installation": here.then_some(ID),
        });
        let good = is_holder(&holder)
            && seat > 0
            && (0..=TIME_MAX).contains(&exp)
            && nonce.as_ref().is_none_or(|nonce| here && (1..=64).contains(&nonce.len()));
        let said = judged(Kind::Lease, &with(&least(Kind::Lease), &claims));
        prop_assert_eq!(said, if good { "ok" } else { "malformed" });
    }
}

#[test]
fn a_lease_is_small() {
    let padded = |len| with(&least(Kind::Lease), &json!({ "more": "x".repeat(len) }));
    assert_eq!(judged(Kind::Lease, &padded(2_000)), "ok");
    assert_eq!(judged(Kind::Lease, &padded(4_000)), "too_large");
}
