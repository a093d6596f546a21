//! Which product an agent serves: what its vendor signed.

use super::config::ProductSource;
use crate::input;
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
    let given = match (named, source) {
        (Some(name), _) => Some(text(name)?),
        (None, ProductSource::Text(text)) => Some(text.as_bytes().to_vec()),
        (None, ProductSource::File(path)) => Some(text(&path.to_string_lossy())?),
        (None, ProductSource::None) => None,
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
        Some(data) if compiled.is_empty() || data.trim_ascii() == compiled.as_bytes() => data,
        Some(_) => {
            return refuse("this agent was built for one product, and serves no other: name none");
        }
    };
    let [first, rest @ ..] = keys else { return Product::from_file(&data) };
    let file = Product::from_file_of(&data, first)?;
    match rest.iter().find(|key| **key != file.key_id()) {
        None => Ok(file),
        Some(key) => Product::from_file_of(&data, key),
    }
}
