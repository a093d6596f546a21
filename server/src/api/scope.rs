//! What a caller may do.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that an API key may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See everything; verify, check revocation.
    Read,
    /// Create, renew and reissue licenses.
    Issue,
    /// Revoke, suspend, reinstate; deactivate machines, free seats.
    Revoke,
    /// What a product does: report, verify, check revocation, take seats.
    Sync,
    /// Write products and policies.
    Catalog,
    /// All of these, and API keys, key pairs and webhooks.
    Admin,
    /// Organizations.
    Operator,
}

impl Scope {
    /// Every one.
    pub const ALL: [Scope; 7] = [
        Scope::Read,
        Scope::Issue,
        Scope::Revoke,
        Scope::Sync,
        Scope::Catalog,
        Scope::Admin,
        Scope::Operator,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Issue => "issue",
            Scope::Revoke => "revoke",
            Scope::Sync => "sync",
            Scope::Catalog => "catalog",
            Scope::Admin => "admin",
            Scope::Operator => "operator",
        }
    }
}

/// All that a caller may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads words with spaces between. Fails with `invalid_argument` for one that is none.
    pub fn parse(words: &str) -> Result<Scopes> {
        let scope = |word: &str| {
            let known = Scope::ALL.into_iter().find(|scope| scope.word() == word);
            known.ok_or_else(|| {
                let all = Scope::ALL.map(Scope::word).join(", ");
                Error::invalid(format!("{word:.20} is no scope: choose from {all}"))
            })
        };
        words.split_ascii_whitespace().map(scope).collect::<Result<_>>().map(Scopes)
    }

    /// These, each once, in the order of [`Scope::ALL`].
    pub fn of(scopes: &[Scope]) -> Scopes {
        Scopes(Scope::ALL.into_iter().filter(|scope| scopes.contains(scope)).collect())
    }

    /// Each of them.
    pub fn list(&self) -> &[Scope] {
        &self.0
    }

    /// Words with spaces between.
    pub fn words(&self) -> String {
        self.0.iter().map(|scope| scope.word()).collect::<Vec<_>>().join(" ")
    }

    /// Whether it is among them. `admin` has all but `operator`.
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || (scope != Scope::Operator && self.0.contains(&Scope::Admin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_others_are_none() {
        let all = Scopes::of(&Scope::ALL);
        assert_eq!(Scopes::parse(&all.words()).unwrap(), all);
        assert!(Scopes::parse("read root").is_err() && Scopes::parse("Read").is_err());
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.word());
        }
    }

    #[test]
    fn an_administrator_is_no_operator() {
        let admin = Scopes::of(&[Scope::Admin]);
        let missing: Vec<Scope> = Scope::ALL.into_iter().filter(|one| !admin.has(*one)).collect();
        assert_eq!(missing, [Scope::Operator]);
        assert!(!Scopes::of(&[Scope::Operator]).has(Scope::Read));
    }
}
