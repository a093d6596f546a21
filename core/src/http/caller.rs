//! Who is asking, by the word of the host.

use crate::errors::{Code, Error, Result};
use crate::limits::CALLER_NAME_MAX;
use std::ops::BitOr;

/// What a caller may do, and what kind of caller it is: bits, so that a slip does not compile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u32);

impl Rights {
    /// Signed in, with no rights.
    pub const NONE: Rights = Rights(0);
    /// May look: `licensing:read`.
    pub const READ: Rights = Rights(1);
    /// May apply and renew: `licensing:write`.
    pub const WRITE: Rights = Rights(2);
    /// May remove: `licensing:delete`.
    pub const DELETE: Rights = Rights(4);
    /// May do everything: an administrator.
    pub const ADMINISTRATOR: Rights = Rights(7);
    /// A service token, not a person. Some endpoints are for persons only.
    pub const SERVICE: Rights = Rights(256);

    /// Reads the bits of the C interface. Fails with `invalid_argument` for one that means
    /// nothing.
    pub fn from_bits(bits: u32) -> Result<Rights> {
        let known = Rights::ADMINISTRATOR.0 | Rights::SERVICE.0;
        match bits & !known {
            0 => Ok(Rights(bits)),
            unknown => {
                let what = format!("the rights have the bit {unknown:#x}, which means nothing");
                Err(Error::new(Code::InvalidArgument, what))
            }
        }
    }

    /// The bits of the C interface.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `others` are among these.
    pub const fn has(self, others: Rights) -> bool {
        self.0 & others.0 == others.0
    }
}

impl BitOr for Rights {
    type Output = Rights;

    fn bitor(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    name: String,
    rights: Rights,
}

impl Caller {
    /// `name` is what the host calls whoever asks, for its own records: 1 to 256 bytes without
    /// control characters. Fails with `invalid_argument`.
    pub fn new(name: &str, rights: Rights) -> Result<Caller> {
        if name.is_empty() || name.len() > CALLER_NAME_MAX || name.chars().any(char::is_control) {
            let what = format!("a caller's name has 1 to {CALLER_NAME_MAX} bytes and no controls");
            return Err(Error::new(Code::InvalidArgument, what));
        }
        Ok(Caller { name: name.to_string(), rights })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it may do.
    pub fn rights(&self) -> Rights {
        self.rights
    }

    pub(crate) fn is_service(&self) -> bool {
        self.rights.has(Rights::SERVICE)
    }

    pub(crate) fn is_administrator(&self) -> bool {
        self.rights.has(Rights::ADMINISTRATOR)
    }
}
