//! Every word of a verdict, in one place: docs/verdict.md is written from here.

use crate::errors::Code;
use crate::verdict::Access;
use serde::{Serialize, Serializer};

macro_rules! words {
    (
        $(#[doc = $about:literal])+ $name:ident;
        $( $(#[doc = $doc:literal])+ $word:ident = $slug:literal; )+
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum $name { $($(#[doc = $doc])+ $word,)+ }

        impl $name {
            /// Every one, in the order of docs/verdict.md.
            #[allow(dead_code)] // A test writes the page from it.
            pub(crate) const ALL: &'static [$name] = &[$($name::$word),+];

            /// The word for programs.
            pub(crate) const fn slug(self) -> &'static str {
                match self { $($name::$word => $slug),+ }
            }

            /// What it means, in a sentence.
            #[allow(dead_code)] // As above.
            pub(crate) const fn meaning(self) -> &'static str {
                match self { $($name::$word => concat!($($doc),+).trim_ascii()),+ }
            }
        }
    };
}

words! {
    /// What to know while things work. An error's word may be one too: see [`Topic`].
    Alert;
    /// The license ends within its notice, and no other one follows it.
    EndsSoon = "ends_soon";
    /// The license has ended, and its grace period has not.
    InGrace = "in_grace";
    /// The token has to be renewed within its notice.
    TokenDue = "token_due";
    /// The token should have been renewed, and the time allowed for that is not over.
    RenewDue = "renew_due";
    /// The issuer should have been reached, and the time allowed for that is not over.
    SyncDue = "sync_due";
    /// The issuer put the license on hold, and the time allowed for that is not over.
    Suspended = "suspended";
    /// By the issuer's record the license has ended. Its own dates decide.
    IssuerExpired = "issuer_expired";
    /// The issuer knows no such license. Its own dates decide.
    IssuerNotFound = "issuer_not_found";
    /// Support ends within the notice of the license.
    SupportEndsSoon = "support_ends_soon";
    /// Support has ended. What the license grants goes on.
    SupportEnded = "support_ended";
    /// Parts of the machine have changed, and enough of them match.
    MachineDrifted = "machine_drifted";
    /// A feature is at its limit or past it.
    LimitReached = "limit_reached";
    /// A feature needs a newer version of the product.
    FeatureTooNew = "feature_too_new";
    /// There is a license that is not in force, and none is needed yet.
    NotInForce = "not_in_force";
    /// The time without a license ends within the product's notice.
    GraceEndsSoon = "grace_ends_soon";
    /// What one of the sources holds was refused.
    SourceRefused = "source_refused";
    /// The clock is behind a time that has already been seen.
    ClockSuspect = "clock_suspect";
    /// What is kept on this machine was damaged, and works on with what is left.
    StateRecovered = "state_recovered";
    /// Another machine uses the same folder.
    SharedFolder = "shared_folder";
}

words! {
    /// What happens at a time.
    Event;
    /// The product was first used: the time without a license began.
    FirstUse = "first_use";
    /// The notice before the end of the time without a license begins.
    GraceEndsSoon = "grace_ends_soon";
    /// The time without a license ends.
    GraceEnds = "grace_ends";
    /// The license was signed.
    Issued = "issued";
    /// The license begins.
    Begins = "begins";
    /// The notice before the end of the license begins.
    EndsSoon = "ends_soon";
    /// The license ends: from here on its grace period, if it has one.
    Ends = "ends";
    /// After the end of the license: what is there can only be read.
    ReadOnly = "read_only";
    /// After the end of the license: nothing works.
    Stops = "stops";
    /// The notice before the token has to be renewed begins.
    TokenDue = "token_due";
    /// The token has to have been renewed.
    RenewDue = "renew_due";
    /// Without a renewal: what is there can only be read.
    RenewReadOnly = "renew_read_only";
    /// Without a renewal: nothing works.
    RenewStops = "renew_stops";
    /// The issuer last spoke.
    LastContact = "last_contact";
    /// The issuer is to be asked again.
    NextContact = "next_contact";
    /// The issuer has to have been asked again.
    SyncDue = "sync_due";
    /// Without a word from the issuer: what is there can only be read.
    SyncReadOnly = "sync_read_only";
    /// Without a word from the issuer: nothing works.
    SyncStops = "sync_stops";
    /// The issuer put the license on hold.
    Suspended = "suspended";
    /// On hold: what is there can only be read.
    SuspendedReadOnly = "suspended_read_only";
    /// On hold: nothing works.
    SuspendedStops = "suspended_stops";
    /// The issuer withdrew the license.
    Revoked = "revoked";
    /// The notice before the end of support begins.
    SupportEndsSoon = "support_ends_soon";
    /// Support ends.
    SupportEnds = "support_ends";
    /// Another license that is held here begins.
    OtherBegins = "other_begins";
    /// Another license that is held here ends.
    OtherEnds = "other_ends";
}

/// Why it is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    /// It works, because of a license.
    Ok,
    /// It works without one, for a while.
    UnlicensedGrace,
    /// It works without one: nothing has been used yet.
    NotNeeded,
    /// It works: the vendor runs this product.
    NotEnforced,
    /// It does not.
    No(Code),
}

impl Reason {
    /// Those that are no error, with what they mean.
    #[cfg(test)]
    pub(crate) const GOOD: &'static [(Reason, &'static str)] = &[
        (Reason::Ok, "It works, by a license that is in force."),
        (Reason::UnlicensedGrace, "It works without a license, for the days since the first use."),
        (Reason::NotNeeded, "It works without a license: the product has not been used yet."),
        (Reason::NotEnforced, "It works: the vendor runs this product, and nothing is enforced."),
    ];

    /// Whether everything may be done, listed or not: no license is asked.
    pub(crate) const fn is_free(self) -> bool {
        matches!(self, Reason::UnlicensedGrace | Reason::NotNeeded | Reason::NotEnforced)
    }

    /// The word for programs.
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Reason::Ok => "ok",
            Reason::UnlicensedGrace => "unlicensed_grace",
            Reason::NotNeeded => "not_needed",
            Reason::NotEnforced => "not_enforced",
            Reason::No(code) => code.slug(),
        }
    }
}

/// What a warning is about: a word of its own, or an error that does not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// A word of its own.
    Alert(Alert),
    /// How the state is.
    State(Code),
}

impl Topic {
    /// The word for programs.
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Topic::Alert(alert) => alert.slug(),
            Topic::State(code) => code.slug(),
        }
    }
}

impl Access {
    /// The word for it, in every language.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Access::Deny => "deny",
            Access::ReadOnly => "read_only",
            Access::Warn => "warn",
            Access::Allow => "allow",
        }
    }
}

macro_rules! serialize_as_word {
    ($($name:ident: $word:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.$word())
            }
        }
    )+};
}

serialize_as_word!(Access: word, Reason: slug, Topic: slug, Event: slug);
