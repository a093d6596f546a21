//! Licenses and key sets to be signed, with anything in them changed.

use crate::case::{DAY, NOW};
use crate::signer::{Signer, vendor};
use serde_json::{Value, json};

/// A payload and how it is signed.
#[derive(Clone)]
pub struct Doc {
    claims: Value,
    raw: Vec<String>,
    typ: String,
}

impl Doc {
    /// The plain license: in force from ten days ago for a year from now, `pro` on, 15 `users`.
    pub fn license() -> Doc {
        let claims = json!({
            "iss": "https://licenses.acme.example", "aud": "myapp", "sub": "cust_1",
            "jti": "01932f0a-6d1c-7c3e-9a51-5f2c1e0b7d44", "iat": NOW - 10 * DAY,
            "license": {
                "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "serial": "LIC-MYAPP-00000001",
                "type": "subscription", "customer": {"name": "Test License"},
                "valid_from": NOW - 10 * DAY, "valid_until": NOW + 365 * DAY,
                "features": [{"id": "pro"}, {"id": "users", "meter": "level", "max": 15}],
            },
        });
        Doc { claims, raw: Vec::new(), typ: "lic+jwt".into() }
    }

    /// A key set with these JWKs.
    pub fn key_set(epoch: u64, keys: &[String]) -> Doc {
        let claims = json!({
            "iss": "https://licenses.acme.example", "aud": "myapp", "iat": NOW - 10 * DAY,
            "epoch": epoch,
        });
        let doc = Doc { claims, raw: Vec::new(), typ: "lic-keys+jwt".into() };
        doc.raw("/keys", &format!("[{}]", keys.join(",")))
    }

    /// A product file with these JWKs.
    pub fn product(keys: &[String]) -> Doc {
        let claims = json!({
            "iss": "https://licenses.acme.example", "aud": "myapp", "jti": "1",
            "iat": NOW - 10 * DAY,
            "product": {"name": "My Application", "settings": {"grace_days": "31"}},
        });
        let doc = Doc { claims, raw: Vec::new(), typ: "lic-product+jwt".into() };
        doc.raw("/product/keys", &format!("[{}]", keys.join(",")))
    }

    /// With another `typ`.
    pub fn typ(mut self, typ: &str) -> Doc {
        self.typ = typ.into();
        self
    }

    /// With a member, or an element of an array, set.
    pub fn set(mut self, pointer: &str, value: impl Into<Value>) -> Doc {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = self.claims.pointer_mut(parent).expect("a parent");
        match parent {
            Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value.into(),
            Value::Object(members) => {
                members.insert(name.into(), value.into());
            }
            _ => panic!("{pointer} is inside a value"),
        }
        self
    }

    /// With a member in exactly this spelling, which need not be JSON.
    pub fn raw(mut self, pointer: &str, text: &str) -> Doc {
        let mark = format!("@@{}@@", self.raw.len());
        self.raw.push(text.into());
        self.set(pointer, mark)
    }

    /// Without a member.
    pub fn cut(mut self, pointer: &str) -> Doc {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = self.claims.pointer_mut(parent).and_then(Value::as_object_mut);
        parent.and_then(|members| members.remove(name)).expect("a member to cut");
        self
    }

    /// With these features.
    pub fn features(self, features: Value) -> Doc {
        self.set("/license/features", features)
    }

    /// The payload: names in alphabetical order, nothing between tokens.
    pub fn payload(&self) -> String {
        let mut text = String::new();
        write(&self.claims, &mut text);
        for (index, raw) in self.raw.iter().enumerate() {
            text = text.replace(&format!("\"@@{index}@@\""), raw);
        }
        text
    }

    /// Signed by the vendor.
    pub fn sign(&self) -> String {
        self.sign_by(&vendor())
    }

    /// Signed by another key.
    pub fn sign_by(&self, signer: &Signer) -> String {
        signer.jws(signer.header(&self.typ).as_bytes(), self.payload().as_bytes())
    }
}

/// Signs any bytes as a license of the vendor's.
pub fn sign_payload(payload: impl AsRef<[u8]>) -> String {
    vendor().jws(vendor().header("lic+jwt").as_bytes(), payload.as_ref())
}

/// Signs the plain license under any header.
pub fn sign_header(header: impl AsRef<[u8]>) -> String {
    vendor().jws(header.as_ref(), Doc::license().payload().as_bytes())
}

/// Sorted here, because how serde_json orders members depends on who else is in the build.
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (index, (name, value)) in names.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, value) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write(value, out);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}
