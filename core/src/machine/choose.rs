//! Choosing what a new license binds to. For whoever issues licenses.

use std::collections::BTreeMap;

use super::{Binding, Component, Kind, Report};
use crate::{Code, Error, Result};

/// Fewer kinds than this do not survive one change and still tell machines apart.
const KINDS_MIN: usize = 3;

/// Hashes of one kind that a license carries. Any one is enough to know the machine, and a
/// storage server would fill the license with its disks.
const HASHES_BOUND: usize = 16;

/// How a license is bound. The default is right for most.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How many kinds must match. `None`: three of five, and never so few that a copy of the
    /// machine's disk would do.
    pub need: Option<u32>,
    /// Which kinds. `None`: every kind that binds by itself.
    pub kinds: Option<Vec<Kind>>,
    /// Whether a binding may be so weak that it would otherwise be refused.
    pub allow_weak: bool,
}

impl Binding {
    /// Binds a license for the product with the code `product` to a machine by its report.
    ///
    /// # Errors
    /// `wrong_product` if the report was made for another: none of its hashes would ever match.
    /// `weak_binding` if there is nothing to bind to, or, unless `allow_weak`: fewer than three
    /// kinds, a `need` of half of them or less, or one that a copy of the machine's disk would
    /// meet. `invalid_argument` for a kind that was asked for and not found, and for a `need`
    /// that is 0 or more than there are kinds.
    pub fn bind(report: &Report, product: &str, options: &Options) -> Result<Binding> {
        if report.product() != product {
            let found = report.product();
            let detail = format!("the machine report was made for {found:.60}, not {product:.60}");
            return Err(Error::new(Code::WrongProduct, detail));
        }
        let rows = chosen(report, options.kinds.as_deref())?;
        let mut parts: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
        for row in rows {
            let hashes = parts.entry(row.kind).or_default();
            if hashes.len() < HASHES_BOUND {
                hashes.extend(row.hash.clone());
            }
        }
        let kinds: Vec<Kind> = parts.keys().copied().collect();
        if kinds.is_empty() {
            let detail = match &report.environment().container {
                Some(_) => "in a container no part is the machine's own",
                None => "this machine has no part to bind to",
            };
            return Err(Error::new(Code::WeakBinding, detail));
        }
        let need = options.need.unwrap_or_else(|| usual_need(&kinds));
        if need == 0 || need as usize > kinds.len() {
            let detail = format!("{need} parts cannot match of {}: {}", kinds.len(), words(&kinds));
            return Err(Error::new(Code::InvalidArgument, detail));
        }
        if let Some(detail) = weakness(&kinds, need).filter(|_| !options.allow_weak) {
            return Err(Error::new(Code::WeakBinding, detail));
        }
        Binding::new(need, parts.into_iter().map(|(k, h)| (k.word().to_owned(), h)).collect())
    }
}

/// The rows to bind to: those that bind by themselves, or every one found of the kinds named.
fn chosen<'a>(report: &'a Report, kinds: Option<&[Kind]>) -> Result<Vec<&'a Component>> {
    let found = report.components().iter().filter(|row| row.hash.is_some());
    let Some(kinds) = kinds else {
        return Ok(found.filter(|row| row.binds).collect());
    };
    let rows: Vec<_> = found.filter(|row| kinds.contains(&row.kind)).collect();
    match kinds.iter().find(|kind| !rows.iter().any(|row| row.kind == **kind)) {
        Some(kind) => {
            let detail = format!("this machine has no {kind} to bind to");
            Err(Error::new(Code::InvalidArgument, detail))
        }
        None => Ok(rows),
    }
}

/// Three of five, rounded up: always more than half. One more where the kinds that a copied
/// disk carries would reach it alone and there is another kind that tells the copy.
fn usual_need(kinds: &[Kind]) -> u32 {
    let majority = (3 * kinds.len()).div_ceil(5);
    let copied = copied(kinds);
    let need = if copied < kinds.len() { majority.max(copied + 1) } else { majority };
    u32::try_from(need).unwrap_or(u32::MAX)
}

fn copied(kinds: &[Kind]) -> usize {
    kinds.iter().filter(|kind| kind.is_copied()).count()
}

/// Why a binding is weak; `None` if it is not. An identity that the host gives is strong alone.
fn weakness(kinds: &[Kind], need: u32) -> Option<String> {
    if kinds == [Kind::Identity] {
        return None;
    }
    let (n, need) = (kinds.len(), need as usize);
    if n < KINDS_MIN {
        let there_is = if n == 1 { "there is" } else { "there are" };
        return Some(format!("{there_is} only {}, and {KINDS_MIN} kinds are wanted", words(kinds)));
    }
    if 2 * need <= n {
        return Some(format!("{need} of {n} is not more than half: {}", words(kinds)));
    }
    if need <= copied(kinds) {
        return Some(format!("a copy of the disk would meet {need} of {}", words(kinds)));
    }
    None
}

fn words(kinds: &[Kind]) -> String {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.join(""),
    }
}
