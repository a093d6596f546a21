//! What is said of a license in the words that clients of the *assign* family know, to the letter:
//! they compare texts. One place for the endpoints and for [`super::Refusal`].

use crate::errors::{Code, Error};
use crate::verdict::Terms;

/// The words, with the vendor's name in them.
pub(crate) struct Wording<'a> {
    terms: &'a Terms,
}

impl<'a> Wording<'a> {
    pub(crate) fn new(terms: &'a Terms) -> Wording<'a> {
        Wording { terms }
    }

    /// What is said under a word for programs; `None` = nothing of its own.
    pub(crate) fn of(&self, slug: &str) -> Option<String> {
        let manager = self.contact("manager for assistance");
        let representative = self.contact("representative");
        Some(match slug {
            "bad_signature" | "unknown_key" => format!("Invalid license signature. {manager}."),
            "wrong_machine" => {
                format!("License is invalid due to fingerprint mismatch. {manager}")
            }
            "expired" => format!("License has expired. {manager}"),
            "state_corrupt" => {
                format!("This deployment's data is in an invalid state. {representative}")
            }
            "not_licensed" => match self.terms.grace_days {
                Some(days) => format!(
                    "A license is required after {days} days of datastore connectivity. \
                     {representative}"
                ),
                None => format!("A license is required. {representative}"),
            },
            "not_granted" => format!("The license does not include this. {representative}"),
            "limit_exceeded" => {
                format!("The license's limit has been reached. {representative}")
            }
            _ => return None,
        })
    }

    /// What is said of a license that was refused.
    pub(crate) fn of_license(&self, error: &Error) -> String {
        let own = match error.code() {
            Code::Malformed => missing_claim(error.detail())
                .map(|name| format!("Missing required field in license: {name}"))
                .or_else(|| Some(not_a_license(error.detail()))),
            Code::TooLarge | Code::WrongKind => Some(not_a_license(error.detail())),
            Code::StateCorrupt | Code::Expired | Code::WrongMachine => self.of(error.slug()),
            Code::BadSignature | Code::UnknownKey => self.of(error.slug()),
            _ => None,
        };
        own.unwrap_or_else(|| error.to_string())
    }

    fn contact(&self, whom: &str) -> String {
        let vendor = self.terms.vendor.as_deref();
        let vendor = vendor.map(|name| format!("{name} ")).unwrap_or_default();
        format!("Please contact your {vendor}account {whom}")
    }
}

/// What is said of a text that is no license, with the reason.
pub(crate) fn not_a_license(why: &str) -> String {
    format!("Invalid license format: {why}")
}

/// The name of the claim that is missing, if one is: that of the end of a license is the one that
/// clients know.
fn missing_claim(detail: &str) -> Option<&str> {
    let name = detail.strip_prefix("the member ")?.strip_suffix(" is missing")?;
    Some(if name == "valid_until" { "expiration_time" } else { name })
}
