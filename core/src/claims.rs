//! What a license says: docs/format.md, section 3, as types.

use crate::errors::{Code, Error, Result};
use crate::feature::Feature;
use crate::json::{self, INTEGER_MAX, List, Map, Object};
use crate::limits::{
    FEATURES_MAX, METADATA_MAX, METADATA_VALUE_MAX, MUST_MAX, NOTICE_DAYS_MAX, TIME_MAX, TOKEN_MAX,
};
use crate::machine;
use crate::stages::Stages;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, HashSet};

/// The capability words this version knows (docs/format.md, section 8).
const CAPABILITIES: &[&str] = &[];

/// The claims of a license. Times are seconds since 1970; every text is as the vendor wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: a URL or a name.
    pub iss: String,
    /// The product code it is for.
    pub aud: String,
    /// The vendor's id of the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The id of this token; a renewal has another.
    pub jti: String,
    /// When it was signed.
    pub iat: i64,
    /// When the token has to have been renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// Honored, never written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Capability words without which it must not be read.
    #[serde(default, deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub must: Option<Vec<String>>,
    /// The rest.
    #[serde(deserialize_with = "object")]
    pub license: Details,
}

/// The claim `license`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The license, the same over all renewals: a UUID.
    pub id: String,
    /// A name for people, such as `LIC-MYAPP-A1B2C3D4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// `perpetual`, `subscription`, `trial`, `node_locked`, `floating`: for people.
    #[serde(rename = "type")]
    pub kind: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The issuer's record of the product.
    #[serde(default, deserialize_with = "maybe_object", skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductName>,
    /// Who it is for.
    #[serde(default, deserialize_with = "maybe_object", skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// When the issuer's record was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// When the issuer's record was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    /// The first second in force.
    pub valid_from: i64,
    /// The first second after it; `None` = without end.
    #[serde(deserialize_with = "present")]
    pub valid_until: Option<i64>,
    /// The end of support; `None` = without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_until: Option<i64>,
    /// How many seats the server gives out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seats: Option<u64>,
    /// How many machines the server activates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machines: Option<u64>,
    /// What is granted, in the vendor's order.
    #[serde(deserialize_with = "features")]
    pub features: Vec<Feature>,
    /// Where it may be used; `None` = anywhere.
    #[serde(default, deserialize_with = "maybe_object", skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// Renew the token this often, in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_days: Option<u32>,
    /// When to warn.
    #[serde(default, deserialize_with = "maybe_object", skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
    /// What happens after an end.
    #[serde(default, deserialize_with = "maybe_object", skip_serializing_if = "Option::is_none")]
    pub stages: Option<Stages>,
    /// Whatever else the vendor notes.
    #[serde(default, deserialize_with = "metadata", skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, Metadata>>,
}

/// The issuer's record of the product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductName {
    /// Its id there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Who a license is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address to write to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// A short name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

/// Where a license may be used: everything that is present has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Parts of a machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<machine::Binding>,
    /// The id of an installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installation: Option<String>,
    /// The root URL of an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// How many days before an end to warn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Before `valid_until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<u32>,
    /// Before `exp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<u32>,
}

/// One value of `metadata`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Metadata {
    /// true or false.
    Flag(bool),
    /// An integer.
    Integer(i64),
    /// A text.
    Text(String),
}

/// `must` alone, whatever the rest looks like.
#[derive(Deserialize)]
struct Must {
    #[serde(default, deserialize_with = "words")]
    must: Option<Vec<String>>,
}

impl Claims {
    /// Checks 7 to 9 of docs/format.md, section 4.
    pub(crate) fn parse(payload: &[u8]) -> Result<Claims> {
        let text = json::scan(payload, TOKEN_MAX)?;
        let claims: Claims = match json::read(text) {
            Ok(claims) => claims,
            // A document of another shape may say that it is too new for this version.
            Err(error) => return Err(check_must(text).err().unwrap_or(error)),
        };
        check_words(claims.must.as_deref())?;
        claims.check()?;
        Ok(claims)
    }

    fn check(&self) -> Result<()> {
        check_text("iss", &self.iss, 256)?;
        if !is_product_code(&self.aud) {
            return Err(malformed(&format!("aud: {}", not_a_code(&self.aud))));
        }
        check_text("jti", &self.jti, 64)?;
        if let Some(sub) = &self.sub {
            check_text("sub", sub, 256)?;
        }
        time("iat", Some(self.iat))?;
        time("exp", self.exp)?;
        time("nbf", self.nbf)?;
        self.license.check()
    }
}

impl Details {
    fn check(&self) -> Result<()> {
        check_uuid("license.id", &self.id)?;
        check_text("license.type", &self.kind, 32)?;
        if self.serial.as_ref().is_some_and(|serial| serial.len() > 128) {
            return Err(malformed("license.serial has more than 128 bytes"));
        }
        time("license.created_at", self.created_at)?;
        time("license.updated_at", self.updated_at)?;
        time("license.valid_from", Some(self.valid_from))?;
        time("license.valid_until", self.valid_until)?;
        time("license.support_until", self.support_until)?;
        if self.valid_until.is_some_and(|until| until <= self.valid_from) {
            return Err(malformed("license.valid_until is not after license.valid_from"));
        }
        for (name, count) in [("seats", self.seats), ("machines", self.machines)] {
            if count.is_some_and(|count| count > INTEGER_MAX) {
                return Err(malformed(&format!("license.{name} is too large")));
            }
        }
        if self.refresh_days.is_some_and(|days| !(1..=NOTICE_DAYS_MAX).contains(&days)) {
            return Err(malformed("license.refresh_days is not 1 to 3650"));
        }
        let notice = self.notice.iter().flat_map(|notice| [notice.license, notice.token]);
        if notice.flatten().any(|days| days > NOTICE_DAYS_MAX) {
            return Err(malformed("license.notice has more than 3650 days"));
        }
        self.check_features()?;
        self.check_binding()?;
        self.check_metadata()?;
        self.stages.as_ref().map_or(Ok(()), Stages::check)
    }

    fn check_features(&self) -> Result<()> {
        if self.features.len() > FEATURES_MAX {
            return Err(Error::new(Code::TooLarge, "it has more than 1024 features"));
        }
        let mut seen = HashSet::new();
        for feature in &self.features {
            feature.check()?;
            if !seen.insert(feature.id.as_str()) {
                return Err(malformed(&format!("the feature {} is listed twice", feature.id)));
            }
        }
        Ok(())
    }

    fn check_binding(&self) -> Result<()> {
        let Some(binding) = &self.binding else { return Ok(()) };
        if let Some(id) = &binding.installation {
            check_uuid("license.binding.installation", id)?;
        }
        if let Some(url) = &binding.instance {
            check_text("license.binding.instance", url, 1024)?;
        }
        Ok(())
    }

    fn check_metadata(&self) -> Result<()> {
        let Some(metadata) = &self.metadata else { return Ok(()) };
        let long = |(name, value): (&String, &Metadata)| {
            name.len() > METADATA_VALUE_MAX
                || matches!(value, Metadata::Text(text) if text.len() > METADATA_VALUE_MAX)
        };
        if metadata.len() > METADATA_MAX || metadata.iter().any(long) {
            return Err(Error::new(Code::TooLarge, "license.metadata is too large"));
        }
        Ok(())
    }
}

/// Whether a text can be a product code: 1 to 100 of `a-z`, `0-9` and `-`, not starting with `-`.
pub fn is_product_code(code: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    code.len() <= 100
        && code.bytes().next().is_some_and(letter)
        && code.bytes().all(|byte| letter(byte) || byte == b'-')
}

/// Check 8, on a text that has passed the strict scan.
pub(crate) fn check_must(text: &str) -> Result<()> {
    let must: Must = json::read(text)?;
    check_words(must.must.as_deref())
}

fn check_words(must: Option<&[String]>) -> Result<()> {
    let words = must.unwrap_or_default();
    if words.len() > MUST_MAX {
        return Err(Error::new(Code::TooLarge, "must has more than 16 words"));
    }
    match words.iter().find(|word| !CAPABILITIES.contains(&word.as_str())) {
        Some(word) => Err(Error::new(Code::TooNew, format!("it needs {word:.40}"))),
        None => Ok(()),
    }
}

/// What to say of a text that is not a product code.
pub(crate) fn not_a_code(text: &str) -> String {
    format!("{text:.40} is not a product code (a-z, 0-9 and -)")
}

fn malformed(what: &str) -> Error {
    Error::new(Code::Malformed, what)
}

/// A text of 1 to `max` bytes.
pub(crate) fn check_text(name: &str, value: &str, max: usize) -> Result<()> {
    if value.is_empty() || value.len() > max {
        return Err(malformed(&format!("{name} is not of 1 to {max} bytes")));
    }
    Ok(())
}

/// A time, if it is there.
pub(crate) fn time(name: &str, value: Option<i64>) -> Result<()> {
    match value {
        Some(at) if !(0..=TIME_MAX).contains(&at) => {
            Err(malformed(&format!("{name} is {at}, not a time")))
        }
        _ => Ok(()),
    }
}

/// A UUID in its one spelling.
pub(crate) fn check_uuid(name: &str, value: &str) -> Result<()> {
    let canonical = uuid::Uuid::try_parse(value).map(|id| id.hyphenated().to_string());
    if canonical.as_deref() == Ok(value) {
        return Ok(());
    }
    Err(malformed(&format!("{name} is not a UUID in lower case with hyphens")))
}

/// A member that has to be there, even if it is null.
fn present<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<i64>, D::Error> {
    Option::deserialize(from)
}

fn object<'de, D, T>(from: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Object::deserialize(from).map(|object: Object<T>| object.0)
}

fn maybe_object<'de, D, T>(from: D) -> std::result::Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(from).map(|object: Option<Object<T>>| object.map(|object| object.0))
}

fn features<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Vec<Feature>, D::Error> {
    let list = List::<Object<Feature>, FEATURES_MAX>::deserialize(from)?;
    Ok(list.0.into_iter().map(|feature| feature.0).collect())
}

fn words<'de, D>(from: D) -> std::result::Result<Option<Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    Option::deserialize(from).map(|list: Option<List<String, MUST_MAX>>| list.map(|list| list.0))
}

fn metadata<'de, D>(from: D) -> std::result::Result<Option<BTreeMap<String, Metadata>>, D::Error>
where
    D: Deserializer<'de>,
{
    let map: Option<Map<Option<Metadata>, METADATA_MAX>> = Option::deserialize(from)?;
    Ok(map.map(|map| map.0.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()))
}
