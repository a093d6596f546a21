//! The first license and key: what they are never changes, and they open for ever. What they say
//! is in `tests/vectors/first.json`, for every language.

use licentia::{KeySet, Kind, Product, SecretKey, issue};
use licentia_tests::{paths, signer};
use sha2::{Digest, Sha256};
use std::fs;

/// The files, and the SHA-256 that they have for ever.
const FILES: &[(&str, &str)] = &[
    ("empty", "e16f1596201850fd4a63680b27f603cb64e67176159be3d8ed78a4403fdb1700"),
    ("expect.json", "8d7c0ef8fe469f98697cbf178b9750bf56940c03735643249628f5ce0a330fe5"),
    ("keys.jws", "8c830e2d68f1b8b8bf37e866aac9274a54b39c6f5bcc39718a773ed488fb67d5"),
    ("license.blob", "506818e4842ae8722f16346aa274367a135d86b8eead36a60c46ab5ae5b40f25"),
    ("license.lic", "e090547d7d03f74198f16a2a7a7ee08e02e0208cc1ada76af39587fb8e157cc2"),
    ("machine", "99996afd605d70ad48c3e5ce2b8be1ac1a5771a822759f1a0b32ea0e815c1423"),
    ("nobody-should-trust.pem", "c4932a9b6b97423b249a53e58d706f820185467464699038ed7ca5b29815ba03"),
    ("vendor.jwks", "39ef832159b8cbf6d519dcaa6ff2030b8442c88ed603a518e08e89e1f5853fb7"),
    ("vendor.pub.pem", "7f2d9ed0b71b8e5a6c5cf30e647d6e20b5bca6dac8071f11abe3fef8014db610"),
    ("vendor.txt", "986ac9dcca488523582b9e2b935ad5f07d928a9eaa5f9a0f09706b3f116e5185"),
    ("root/etc/machine-id", "7f1b17408130cf454cb65ef43c8ac6d6c62a68d49a0dd828fc4442688dd59653"),
    (
        "root/sys/class/dmi/id/board_serial",
        "4831dd35f4bb76d0009b5268f1b07cea817e32483c2f6bf8e3e60f6c34fc7e1f",
    ),
    (
        "root/sys/class/dmi/id/chassis_serial",
        "6bea6c45362bb542b5a5cc48b8c74b3cc9c559aaa33d08d89fa5aaf3117d25be",
    ),
];

fn file(name: &str) -> String {
    fs::read_to_string(paths::root().join("tests/fixtures/first").join(name)).unwrap()
}

#[test]
fn no_file_has_changed() {
    for (name, wanted) in FILES {
        let digest = Sha256::digest(file(name));
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, *wanted, "tests/fixtures/first/{name} has changed: restore it");
    }
    let mut folder: Vec<String> = fs::read_dir(paths::root().join("tests/fixtures/first"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md" && name != "root")
        .collect();
    folder.sort();
    let mut pinned: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    pinned.retain(|name| !name.contains('/'));
    assert_eq!(folder, pinned, "every file is pinned, in order");
}

#[test]
fn the_private_key_still_signs_the_same_bytes() {
    let key = SecretKey::from_pem(&file("nobody-should-trust.pem")).unwrap();
    let license = file("license.lic");
    let product = Product::new("myapp", &file("vendor.jwks")).unwrap();
    let payload = product.inspect(license.as_bytes()).unwrap().json().to_string();
    assert_eq!(issue::sign_bytes(&key, Kind::License, payload.as_bytes()), license.trim_end());
}

#[test]
fn every_form_of_the_key_is_the_same_key() {
    let forms = ["vendor.jwks", "vendor.pub.pem", "vendor.txt"];
    for form in forms {
        let set = KeySet::parse(&file(form)).unwrap();
        let kids: Vec<&str> = set.keys().iter().map(|trusted| trusted.key().kid()).collect();
        // RFC 8037, appendix A.3.
        assert_eq!(kids, ["kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"], "{form}");
    }
}

/// The generator and the core share no code, and write the same document.
#[test]
fn the_core_signs_what_the_generator_signs() {
    let key = SecretKey::from_seed(signer::vendor().seed()).unwrap();
    assert_eq!(key.public().kid(), signer::vendor().kid());
    assert_eq!(key.public().to_short(), signer::vendor().short());
    assert_eq!(key.public().to_pem().unwrap(), signer::vendor().pem());
    let payload = br#"{"any":"bytes"}"#;
    for kind in Kind::ALL {
        let theirs = signer::vendor().jws(signer::vendor().header(kind.typ()).as_bytes(), payload);
        assert_eq!(issue::sign_bytes(&key, kind, payload), theirs);
    }
}
