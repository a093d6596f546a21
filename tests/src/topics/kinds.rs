//! Kinds, products, issuers and roles confused with each other.

use crate::case::Case;
use crate::document::Doc;
use crate::signer::{Signer, jwks, second, vendor};

/// Every `typ` of docs/format.md, section 1.2.
const TYPS: [&str; 7] = [
    "lic+jwt",
    "lic-keys+jwt",
    "lic-sync+jwt",
    "lic-revs+jwt",
    "lic-lease+jwt",
    "lic-clock+jwt",
    "lic-product+jwt",
];

/// Values of `typ` that are none of them.
const STRANGE: &[&str] = &[
    "",
    "JWT",
    "jwt",
    "LIC+JWT",
    "lic+JWT",
    "Lic+jwt",
    "lic+jwt ",
    " lic+jwt",
    "lic-jwt",
    "lic",
    "application/lic+jwt",
    "at+jwt",
    "lic-act+jwt",
    "lic+jwt,lic-keys+jwt",
    "lic+jws",
];

pub fn cases() -> Vec<Case> {
    let mut cases = typ_matrix();
    cases.extend(products_and_issuers());
    cases.extend(roles());
    cases
}

fn set_of(signer: &Signer) -> Doc {
    Doc::key_set(1, &[signer.jwk("")])
}

fn typ_matrix() -> Vec<Case> {
    let mut cases = Vec::new();
    for typ in TYPS {
        let license = Case::verify(format!("{typ} as license"), Doc::license().typ(typ).sign());
        let fits = typ == "lic+jwt";
        cases.push(if fits { license } else { license.fails("wrong_kind") });
        let set = set_of(&second()).typ(typ).sign();
        let set = Case::trusting(format!("{typ} as key set"), set);
        let fits = typ == "lic-keys+jwt";
        cases.push(if fits { set } else { set.fails("wrong_kind") });
    }
    for typ in STRANGE {
        let license = Doc::license().typ(typ).sign();
        cases.push(Case::verify(format!("typ {typ:?} as license"), license).fails("wrong_kind"));
        let set = set_of(&second()).typ(typ).sign();
        cases.push(Case::trusting(format!("typ {typ:?} as key set"), set).fails("wrong_kind"));
    }
    let license = Doc::license().sign();
    let set = set_of(&second()).sign();
    cases.push(Case::verify("a key set as license", set.clone()).fails("wrong_kind"));
    cases.push(Case::trusting("a license as key set", license).fails("wrong_kind"));
    let relabeled = set_of(&second()).typ("lic+jwt").sign();
    let name = "the claims of a key set in a license";
    cases.push(Case::verify(name, relabeled).fails("malformed"));
    let relabeled = Doc::license().typ("lic-keys+jwt").sign();
    let name = "the claims of a license in a key set";
    cases.push(Case::trusting(name, relabeled).fails("malformed"));
    let file = || Doc::product(&[vendor().jwk("")]);
    cases.push(Case::verify("a product file as license", file().sign()).fails("wrong_kind"));
    cases.push(Case::trusting("a product file as key set", file().sign()).fails("wrong_kind"));
    let relabeled = file().typ("lic+jwt").sign();
    let name = "the claims of a product file in a license";
    cases.push(Case::verify(name, relabeled).fails("malformed"));
    let relabeled = file().typ("lic-keys+jwt").sign();
    let name = "the claims of a product file in a key set";
    cases.push(Case::trusting(name, relabeled).fails("malformed"));
    let plain = vendor().jwks("");
    cases.push(Case::verify("a plain key set as license", plain).fails("malformed"));
    cases.push(Case::verify("a short key as license", vendor().short()).fails("malformed"));
    cases.push(Case::verify("a PEM as license", vendor().pem()).fails("malformed"));
    cases
}

fn products_and_issuers() -> Vec<Case> {
    let mut cases = Vec::new();
    let products = ["myapp", "myapp-pro", "myap", "otherapp"];
    for aud in products {
        for product in products {
            let license = Doc::license().set("/aud", aud).sign();
            let case = Case::verify(format!("license of {aud} in {product}"), license).of(product);
            cases.push(if aud == product { case } else { case.fails("wrong_product") });
        }
        let set = set_of(&second()).set("/aud", aud).sign();
        let case = Case::trusting(format!("key set of {aud} in myapp"), set);
        cases.push(if aud == "myapp" { case } else { case.fails("wrong_product") });
    }
    let issuers = ["https://licenses.acme.example", "https://licenses.acme.example/", "Acme"];
    for iss in issuers {
        for wanted in issuers {
            let license = Doc::license().set("/iss", iss).sign();
            let name = format!("license by {iss}, expected {wanted}");
            let case = Case::verify(name, license).set("issuer", wanted);
            cases.push(if iss == wanted { case } else { case.fails("wrong_issuer") });
        }
        let license = Doc::license().set("/iss", iss).sign();
        cases.push(Case::verify(format!("license by {iss}, any expected"), license.clone()));
        let name = format!("license by {iss}, any expected in so many words");
        cases.push(Case::verify(name, license).set("issuer", ""));
    }
    cases
}

/// One pinned key with the role, and what it may sign.
fn roles() -> Vec<Case> {
    let mut cases = Vec::new();
    for (roles, license, set) in [
        (r#"["root","license","server"]"#, true, true),
        (r#"["license"]"#, true, false),
        (r#"["root"]"#, false, true),
        (r#"["server"]"#, false, false),
        (r#"["root","server"]"#, false, true),
        (r#"["license","license"]"#, true, false),
        (r#"["auditor"]"#, false, false),
        (r#"["License"]"#, false, false),
        (r#"["auditor","license"]"#, true, false),
        ("[]", false, false),
    ] {
        let keys = vendor().jwks(&format!(r#""roles":{roles}"#));
        let name = format!("license by a key with the roles {roles}");
        let case = Case::verify(name, Doc::license().sign()).keys(&keys);
        cases.push(if license { case } else { case.fails("unknown_key") });
        let name = format!("key set by a key with the roles {roles}");
        let case = Case::trusting(name, set_of(&second()).sign()).keys(&keys);
        cases.push(if set { case } else { case.fails("unknown_key") });
    }
    let both =
        jwks(&[vendor().jwk(r#""roles":["license"]"#), second().jwk(r#""roles":["server"]"#)]);
    let theirs = Doc::license().sign_by(&second());
    let name = "license by the server's key beside the license key";
    cases.push(Case::verify(name, theirs).keys(&both).fails("unknown_key"));
    cases.push(Case::verify("license by the license key", Doc::license().sign()).keys(both));
    cases
}
