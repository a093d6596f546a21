//! Which product an agent serves: what its vendor signed.

use super::config::ProductSource;
use crate::input;
use crate::secrecy::{told, told_path};
use licentia::limits::{COAT_FACTOR, TOKEN_MAX};
use licentia::{Code, Error, Product, ProductFile, Result};

/// The product file that this program was built with; empty = none.
pub const COMPILED: &str = include_str!(concat!(env!("OUT_DIR"), "/agent_product"));

const FILE_MAX: usize = TOKEN_MAX * COAT_FACTOR;

/// Reads the product file: `named` on the command line, else what the configuration says. Where
/// the program was built with one, it is that one, and every other is refused.
///
/// `keys` are names of keys, each of which has to have signed it.
pub fn read(
    compiled: &str,
    named: Option<&str>,
    source: &ProductSource,
    keys: &[&str],
) -> Result<ProductFile> {
    let text = |name: &str| Ok::<_, Error>(input::document(name, FILE_MAX)?.to_vec());
    let (given, name) = match (named, source) {
        (Some(name), _) => (Some(text(name)?), told(name)),
        (None, ProductSource::Text(text)) => (Some(text.as_bytes().to_vec()), "product".into()),
        (None, ProductSource::File(path)) => {
            (Some(text(&path.to_string_lossy())?), told_path(path))
        }
        (None, ProductSource::None) => (None, "the product file that is built in".into()),
    };
    let compiled = compiled.trim();
    let refuse = |what: &str| Err(Error::new(Code::InvalidArgument, what));
    let data = match given {
        None if compiled.is_empty() => {
            return refuse(
                "there is no product: set product or product_file to what the vendor gave",
            );
        }
        None => compiled.as_bytes().to_vec(),
        Some(data) if compiled.is_empty() || is_same(&data, compiled.as_bytes()) => data,
        Some(_) => {
            return refuse("this agent was built for one product, and serves no other: name none");
        }
    };
    if is_draft(&data) {
        return refuse(&format!(
            "{name} is an unsigned draft: sign it with `licentia product sign`"
        ));
    }
    let file = Product::from_file(&data)
        .map_err(|error| Error::new(error.code(), format!("{name}: {}", error.detail())))?;
    let key = file.key_id();
    match keys.iter().all(|named| *named == key) {
        true => Ok(file),
        // What was named is not told: it has the length of a private key.
        false => {
            let what = format!("signed by the key {key:.43}, not by the one that is named");
            Err(Error::new(Code::UnknownKey, what))
        }
    }
}

/// Whether it is what `licentia product new` writes: TOML that names a product.
fn is_draft(data: &[u8]) -> bool {
    let table = std::str::from_utf8(data).ok().and_then(|text| text.parse::<toml::Table>().ok());
    table.is_some_and(|table| table.contains_key("product"))
}

/// Whether two texts are the same but for blanks and line ends, which a document may gain.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let plain = |text: &'_ [u8]| -> Vec<u8> {
        text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use licentia::issue::{self, ProductTerms};
    use licentia::{KeySet, SecretKey};
    use std::collections::BTreeMap;

    /// A product file of a new key.
    fn file() -> String {
        let key = SecretKey::generate().unwrap();
        let keys = KeySet::parse(&key.public().to_short()).unwrap();
        let settings = BTreeMap::new();
        let terms = ProductTerms { code: "myapp".into(), name: None, keys, settings };
        issue::sign_product_file(&key, "acme", issue::now(), &terms).unwrap()
    }

    #[test]
    fn what_was_built_in_is_the_only_product() {
        let (own, other) = (file(), file());
        let read = |source| read(&own, None, &source, &[]);
        let key = Product::from_file(own.as_bytes()).unwrap().key_id().to_string();
        assert_eq!(read(ProductSource::None).unwrap().key_id(), key);
        let folded = format!("\n{}\n  {}\n", &own[..90], &own[90..]);
        assert_eq!(read(ProductSource::Text(folded)).unwrap().key_id(), key);
        let refused = read(ProductSource::Text(other.clone())).unwrap_err();
        assert!(refused.detail().contains("serves no other"), "{refused}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.product");
        std::fs::write(&path, &other).unwrap();
        assert!(read(ProductSource::File(path.clone())).is_err());
        let named = path.to_str();
        assert!(super::read(&own, named, &ProductSource::None, &[]).is_err());
        assert!(super::read("", named, &ProductSource::None, &[]).is_ok());
    }

    #[test]
    fn every_key_that_is_named_has_to_be_the_one_that_signed() {
        let own = file();
        let key = Product::from_file(own.as_bytes()).unwrap().key_id().to_string();
        let read = |keys: &[&str]| read(&own, None, &ProductSource::None, keys);
        assert!(read(&[&key]).is_ok() && read(&[&key, &key]).is_ok());
        for keys in [[key.as_str(), "else"], ["else", key.as_str()]] {
            assert_eq!(read(&keys).unwrap_err().code(), Code::UnknownKey);
        }
    }
}
