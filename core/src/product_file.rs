//! A product file: what an embedding program says about its product, signed by the vendor, for a
//! program that serves products which cannot embed anything. docs/format.md, section 6.5.

use crate::claims::{check_must, check_text, is_product_code, not_a_code, time};
use crate::coat::undress;
use crate::errors::{Code, Error, Result};
use crate::json::{self, List, Map, Object};
use crate::jwk::Jwk;
use crate::keys::{KeySet, TrustedKey};
use crate::limits::{KEYS_MAX, SETTINGS_MAX, TOKEN_MAX};
use crate::product::Product;
use crate::settings::{self, SETTINGS, SITE_SETTINGS, Setting};
use crate::token::{Kind, Sealed};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Settings of a product that are of one place: not of all installations, which have the file.
const OF_ONE_PLACE: [&str; 2] = ["installation", "instance"];

/// Whether a file may have a setting of this name: none that only the site may say.
fn is_possible(name: &str) -> bool {
    let is_of = |settings: &[Setting]| settings.iter().any(|setting| setting.name == name);
    !OF_ONE_PLACE.contains(&name) && (is_of(SETTINGS) || !is_of(SITE_SETTINGS))
}

/// A product as its vendor described it in a signed file.
///
/// The file brings its own keys, so a good signature says only that nobody altered it since
/// somebody with one of them signed it. Whose it is, [`ProductFile::key_id`] tells.
#[derive(Clone, Debug)]
pub struct ProductFile {
    product: Product,
    name: Option<String>,
    issuer: String,
    id: String,
    issued_at: i64,
    key_id: String,
    keys: KeySet,
    settings: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    jti: String,
    iat: i64,
    product: Object<Details>,
}

#[derive(Deserialize)]
struct Details {
    name: Option<String>,
    settings: Option<Map<Option<String>, SETTINGS_MAX>>,
}

/// All that is read before the signature is checked.
#[derive(Deserialize)]
struct Before {
    product: Object<Keys>,
}

#[derive(Deserialize)]
struct Keys {
    keys: List<Object<Jwk>, KEYS_MAX>,
}

impl Product {
    /// Sets a product up as its vendor's file says, in any of the coats of a license. It has to
    /// be signed by a key in it with the role `root`. It may be older than one that was read
    /// before: nothing is remembered.
    ///
    /// Fails as a license does, with `invalid_key` or `weak_key` for the keys in it, and with
    /// `too_new` for a setting that this version does not know.
    pub fn from_file(data: &[u8]) -> Result<ProductFile> {
        read(data, None)
    }

    /// The same, for a host that knows who its vendor is: fails with `unknown_key` if another key
    /// signed it than the one of this name (43 characters, see [`crate::PublicKey::kid`]).
    pub fn from_file_of(data: &[u8], key_id: &str) -> Result<ProductFile> {
        read(data, Some(key_id))
    }
}

impl ProductFile {
    /// The product, set up.
    pub fn product(&self) -> &Product {
        &self.product
    }

    /// The product, to be set up further or shared.
    pub fn into_product(self) -> Product {
        self.product
    }

    /// Its name for people, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Who signed it says who that is: a URL or a name.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The id of this file; another one has another.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was signed, in seconds since 1970.
    pub fn issued_at(&self) -> i64 {
        self.issued_at
    }

    /// The name of the key that signed it: its JWK thumbprint (RFC 7638).
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The keys that the product trusts.
    pub fn keys(&self) -> &[TrustedKey] {
        self.keys.keys()
    }

    /// Every setting that a file may have: those of [`SETTINGS`] that all installations can have
    /// in common.
    pub fn possible_settings() -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter().filter(|setting| is_possible(setting.name))
    }

    /// What it sets, by name.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The checks of docs/format.md, section 6.5, in their order.
fn read(data: &[u8], key_id: Option<&str>) -> Result<ProductFile> {
    let token = undress(data, TOKEN_MAX)?;
    let sealed = Sealed::read(&token, Kind::Product)?;
    let text = json::scan(&sealed.payload, TOKEN_MAX)?;
    check_must(text)?;
    let keys = json::read::<Before>(text)?.product.0.keys;
    let keys = keys.0.iter().map(|jwk| jwk.0.trust()).collect::<Result<Vec<_>>>()?;
    let keys = KeySet::from_keys(keys)?;
    if let Some(wanted) = key_id.filter(|wanted| *wanted != sealed.kid) {
        let what = format!("signed by the key {:.43}, not by {wanted:.43}", sealed.kid);
        return Err(Error::new(Code::UnknownKey, what));
    }
    if keys.find(&sealed.kid).is_none() {
        let what = format!("signed by the key {:.64}, which is none of those in it", sealed.kid);
        return Err(Error::new(Code::UnknownKey, what));
    }
    let opened = sealed.open(|kid| keys.find(kid))?;
    let text = json::scan(&opened.payload, TOKEN_MAX)?;
    let claims: Claims = json::read(text)?;
    let settings = claims.check()?;
    opened.key.check_time(claims.iat)?;
    let key_id = opened.key.key.kid().to_string();
    let mut product = Product::pinning(&claims.aud, keys.clone());
    for (name, value) in &settings {
        set(&mut product, name, value)?;
    }
    let Claims { iss: issuer, jti: id, iat: issued_at, product: Object(details), .. } = claims;
    let name = details.name;
    Ok(ProductFile { product, name, issuer, id, issued_at, key_id, keys, settings })
}

/// Checks a file also with keys that are trusted already, and that it is for this product.
#[cfg(feature = "issue")]
pub(crate) fn check<'k>(
    data: &[u8],
    code: &str,
    find: impl Fn(&str) -> Option<&'k TrustedKey>,
) -> Result<()> {
    let token = undress(data, TOKEN_MAX)?;
    let opened = crate::token::open(&token, Kind::Product, find)?;
    let file = Product::from_file(data)?;
    opened.key.check_time(file.issued_at)?;
    match file.product.code() {
        own if own == code => Ok(()),
        other => {
            let what = format!("the product file is for {other:.60}, not {code:.60}");
            Err(Error::new(Code::WrongProduct, what))
        }
    }
}

impl Claims {
    /// Gives what it sets.
    fn check(&self) -> Result<BTreeMap<String, String>> {
        check_text("iss", &self.iss, 256)?;
        if !is_product_code(&self.aud) {
            return Err(malformed(format!("aud: {}", not_a_code(&self.aud))));
        }
        check_text("jti", &self.jti, 64)?;
        time("iat", Some(self.iat))?;
        let Details { name, settings } = &self.product.0;
        if let Some(name) = name {
            check_text("product.name", name, 256)?;
        }
        let settings = settings.as_ref().map(|settings| &settings.0);
        if settings.is_some_and(|settings| settings.len() > SETTINGS_MAX) {
            let what = format!("product.settings has more than {SETTINGS_MAX} members");
            return Err(Error::new(Code::TooLarge, what));
        }
        let set = settings.into_iter().flatten();
        let set: BTreeMap<_, _> =
            set.filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect();
        if set.contains_key("machine") && set.contains_key("machine_file") {
            return Err(malformed("product.settings has both machine and machine_file"));
        }
        Ok(set)
    }
}

/// Sets what a vendor says of all installations alike.
pub(crate) fn set(product: &mut Product, name: &str, value: &str) -> Result<()> {
    if !is_possible(name) {
        return Err(malformed(format!("the setting {name} is the site's, not the product's")));
    }
    if !SETTINGS.iter().any(|setting| setting.name == name) {
        return Err(Error::new(Code::TooNew, settings::unknown(name, SETTINGS).detail()));
    }
    product.set(name, value).map_err(|error| malformed(error.detail()))
}

fn malformed(what: impl AsRef<str>) -> Error {
    Error::new(Code::Malformed, what)
}
