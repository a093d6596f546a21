//! Words that several parts of the page use.

use super::text::shown;
use crate::verdict::{Access, FeatureVerdict};

/// How a part of the page is colored. Never the only thing that tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Look,
    Read,
    Bad,
    /// Of the past, where nobody knows.
    Unknown,
}

impl Tone {
    /// The class in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Look => "look",
            Tone::Read => "read",
            Tone::Bad => "bad",
            Tone::Unknown => "unknown",
        }
    }

    pub(super) fn of(access: Access) -> Tone {
        match access {
            Access::Allow => Tone::Good,
            Access::Warn => Tone::Look,
            Access::ReadOnly => Tone::Read,
            Access::Deny => Tone::Bad,
        }
    }
}

/// What a feature is called.
pub(super) fn feature_name(it: &FeatureVerdict) -> String {
    let name = it.feature.name.as_deref().filter(|name| !name.trim().is_empty());
    shown(name.unwrap_or(&it.feature.id))
}
