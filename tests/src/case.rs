//! One case of a vector file: what to do, and what has to come of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The product of almost every case.
pub const PRODUCT: &str = "myapp";

/// The time of almost every case: 2027-01-15T08:00:00Z.
pub const NOW: i64 = 1_800_000_000;

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// A file of `tests/vectors/`.
#[derive(Serialize, Deserialize)]
pub struct Topic {
    /// What the file is about.
    pub comment: String,
    /// Its cases, in the order of the generator.
    pub cases: Vec<Case>,
}

/// What is done last; everything before it (product, trust, set) is done in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    /// Make the product, trust keys and set settings; no license.
    Product,
    /// The same; the last `trust` is what the case is about.
    Trust,
    /// Verify the license.
    Verify,
    /// Inspect the license.
    Inspect,
}

/// One case. Its steps run in this order, and the first that fails is the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique over all files: the topic, a slash, and a few words.
    pub name: String,
    /// What is done last.
    #[serde(rename = "do")]
    pub deed: Deed,
    /// The product code.
    pub product: String,
    /// The key set it is made with.
    pub keys: String,
    /// Key sets it is then told to trust, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trust: Vec<String>,
    /// Settings it is then given, in the order of their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// The license, if it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The license in base64, if it is not text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license_base64: Option<String>,
    /// So many spaces come after the license.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub spaces: usize,
    /// `ok`, or the word for the error.
    pub expect: String,
    /// What the license says, if it is ok.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// Questions to the same license after the product's clock was moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<Later>,
}

/// What a license says and grants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Its serial number, or empty.
    pub serial: String,
    /// Who it is for, or empty.
    pub customer: String,
    /// When it ends; null = never.
    pub expires: Option<i64>,
    /// What it allows.
    pub allows: BTreeMap<String, bool>,
    /// How much of it; null = without limit.
    pub limits: BTreeMap<String, Option<u64>>,
}

/// The answers at another time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Later {
    /// What the clock is set to.
    pub clock: String,
    /// What it allows then.
    pub allows: BTreeMap<String, bool>,
    /// How much of it.
    pub limits: BTreeMap<String, Option<u64>>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The answer to a question: a feature, and its limit where it is allowed (`None` = unlimited).
pub type Grant<'a> = (&'a str, Option<Option<u64>>);

/// Allowed and without limit.
pub const ON: Option<Option<u64>> = Some(None);

/// Not allowed.
pub const OFF: Option<Option<u64>> = None;

/// Allowed, up to a limit.
pub const fn upto(limit: u64) -> Option<Option<u64>> {
    Some(Some(limit))
}

fn split(grants: &[Grant<'_>]) -> (BTreeMap<String, bool>, BTreeMap<String, Option<u64>>) {
    let allows = grants.iter().map(|(id, grant)| (id.to_string(), grant.is_some())).collect();
    let limits = grants.iter().map(|(id, grant)| (id.to_string(), grant.unwrap_or(Some(0))));
    (allows, limits.collect())
}

impl Facts {
    /// The facts of the plain document, with these grants.
    pub fn plain(grants: &[Grant<'_>]) -> Facts {
        let (allows, limits) = split(grants);
        Facts {
            serial: "LIC-MYAPP-00000001".into(),
            customer: "Test License".into(),
            expires: Some(NOW + 365 * DAY),
            allows,
            limits,
        }
    }

    /// The facts of the plain document as it is.
    pub fn usual() -> Facts {
        Facts::plain(&[("pro", ON), ("users", upto(15)), ("other", OFF)])
    }

    /// The plain document where it is not in force.
    pub fn nothing() -> Facts {
        Facts::plain(&[("pro", OFF), ("users", OFF), ("other", OFF)])
    }

    /// With another end.
    pub fn expires(mut self, at: Option<i64>) -> Facts {
        self.expires = at;
        self
    }
}

impl Case {
    fn new(name: impl Into<String>, deed: Deed) -> Case {
        Case {
            name: name.into(),
            deed,
            product: PRODUCT.into(),
            keys: crate::signer::vendor().short(),
            trust: Vec::new(),
            set: BTreeMap::from([("clock".into(), NOW.to_string())]),
            license: None,
            license_base64: None,
            spaces: 0,
            expect: "ok".into(),
            facts: None,
            later: Vec::new(),
        }
    }

    /// A license to verify, in force and granting the usual unless it is said otherwise.
    pub fn verify(name: impl Into<String>, license: impl Into<String>) -> Case {
        let case = Case::new(name, Deed::Verify);
        Case { license: Some(license.into()), facts: Some(Facts::usual()), ..case }
    }

    /// A license to inspect.
    pub fn inspect(name: impl Into<String>, license: impl Into<String>) -> Case {
        Case { deed: Deed::Inspect, ..Case::verify(name, license) }
    }

    /// Bytes to verify that are not text.
    pub fn bytes(name: impl Into<String>, license: &[u8]) -> Case {
        let case = Case::new(name, Deed::Verify);
        let license_base64 = Some(STANDARD.encode(license));
        Case { license_base64, facts: Some(Facts::usual()), ..case }
    }

    /// A product with these keys.
    pub fn product(name: impl Into<String>, keys: impl Into<String>) -> Case {
        let case = Case::new(name, Deed::Product);
        Case { keys: keys.into(), set: BTreeMap::new(), ..case }
    }

    /// More keys to trust.
    pub fn trusting(name: impl Into<String>, keys: impl Into<String>) -> Case {
        let case = Case::new(name, Deed::Trust);
        Case { trust: vec![keys.into()], set: BTreeMap::new(), ..case }
    }

    /// It fails, with this word.
    pub fn fails(mut self, slug: &str) -> Case {
        self.expect = slug.into();
        self.facts = None;
        self
    }

    /// It passes, and says this.
    pub fn says(mut self, facts: Facts) -> Case {
        self.facts = Some(facts);
        self
    }

    /// It passes, and grants this.
    pub fn grants(self, grants: &[Grant<'_>]) -> Case {
        self.says(Facts::plain(grants))
    }

    /// With these keys.
    pub fn keys(mut self, keys: impl Into<String>) -> Case {
        self.keys = keys.into();
        self
    }

    /// Trusting these, too.
    pub fn trust(mut self, keys: impl Into<String>) -> Case {
        self.trust.push(keys.into());
        self
    }

    /// With this setting.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Case {
        self.set.insert(name.into(), value.into());
        self
    }

    /// At this time.
    pub fn at(self, clock: i64) -> Case {
        self.set("clock", clock.to_string())
    }

    /// For this product.
    pub fn of(mut self, product: &str) -> Case {
        self.product = product.into();
        self
    }

    /// With so many spaces after the license.
    pub fn spaces(mut self, count: usize) -> Case {
        self.spaces = count;
        self
    }

    /// Asked again at another time.
    pub fn later(mut self, clock: i64, grants: &[Grant<'_>]) -> Case {
        let (allows, limits) = split(grants);
        self.later.push(Later { clock: clock.to_string(), allows, limits });
        self
    }

    /// The bytes of the license; `None` if the case has none.
    pub fn data(&self) -> Option<Vec<u8>> {
        let mut data = match (&self.license, &self.license_base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(base64)) => STANDARD.decode(base64).expect("base64 in a vector"),
            _ => return None,
        };
        data.resize(data.len() + self.spaces, b' ');
        Some(data)
    }
}
