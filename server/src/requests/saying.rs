//! What is said of a license to an installation, and the signature under it.

use crate::api::Server;
use crate::api::licenses::Status;
use crate::documents::key_set;
use crate::error::{Code, Result};
use crate::store::licenses::Brief;
use crate::store::{activations, documents, licenses, organizations, products, signing_keys};
use crate::terms::Terms;
use crate::vault::Signing;
use licentia::issue::{IssuerStatus, Ledger, Request, SyncAnswer, Version, machine_of, sign_sync};
use licentia::{KeyState, Role};
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use std::collections::HashSet;

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// What a request is answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The signed text, for the installation to apply.
    pub answer: String,
    /// What was asked for.
    pub what: String,
    /// What is said of the license, where that is what was asked.
    pub status: Option<IssuerStatus>,
    /// The same, for people.
    pub message: Option<String>,
    /// The license.
    pub license: Uuid,
    /// Its activation on the installation that asked.
    pub activation: Option<Uuid>,
    /// Whether the activation is new.
    pub created: bool,
}

/// What all answers about licenses of one product have in common at a moment.
pub struct Voice {
    /// The vendor.
    pub organization: organizations::Model,
    /// The product.
    pub product: products::Model,
    signing: Signing,
    keys: Option<Version>,
    revocations: Option<Version>,
    /// Keys that are known to be stolen.
    stolen: HashSet<String>,
}

/// What one answer says.
#[derive(Clone, Debug, Default)]
pub struct Saying {
    /// Of the license.
    pub status: Option<IssuerStatus>,
    /// To people.
    pub message: Option<String>,
    /// A token to take the place of the one that is there.
    pub license: Option<String>,
    /// What is acknowledged of the ledger.
    pub ack: Option<Ledger>,
    /// The number of the answer.
    pub seq: i64,
}

impl Voice {
    /// Who speaks for a product, in a transaction: it writes where the key set is to be signed
    /// first. Fails with `no_key_pair` where nobody can, and with
    /// `server_clock` after the clock was set back.
    pub async fn of(
        server: &Server,
        connection: &impl ConnectionTrait,
        organization: organizations::Model,
        product: products::Model,
    ) -> Result<Voice> {
        let signing =
            server.signer.signing(connection, &organization, &product, Role::Server).await?;
        let (of, id) = (organization.id, product.id);
        let keys = documents::version(connection, of, id, documents::KEYS).await?;
        let keys = match keys.filter(|(version, _)| *version >= signing.epoch) {
            Some(keys) => Some(keys),
            None => sign_keys(server, connection, &organization, &product).await?,
        };
        let revocations = documents::version(connection, of, id, documents::REVOCATIONS).await?;
        let (keys, revocations) = (keys.and_then(told), revocations.and_then(told));
        let stolen = match product.key_pair_id {
            Some(pair) => signing_keys::of_pair(connection, organization.id, pair).await?,
            None => Vec::new(),
        };
        let stolen = stolen.into_iter().filter(|key| key.state() == KeyState::Compromised);
        let stolen = stolen.map(|key| key.kid).collect();
        Ok(Voice { organization, product, signing, keys, revocations, stolen })
    }

    /// Whether a token was signed by a key that is known to be stolen, so that products refuse it.
    pub fn is_spoiled(&self, token: &str) -> bool {
        // Names of keys are base64url: in the header of a token they stand as they are.
        let seen = (!self.stolen.is_empty()).then(|| licentia::peek::peek(token.as_bytes()).ok());
        let header = seen.flatten().map(|seen| seen.header).unwrap_or_default();
        self.stolen.iter().any(|kid| header.contains(kid.as_str()))
    }

    /// The epoch of its keys.
    pub fn epoch(&self) -> u64 {
        u64::try_from(self.signing.epoch).unwrap_or_default()
    }

    /// Says something of a license in answer to a request.
    pub fn say(
        &self,
        request: &Request,
        license: &licenses::Model,
        activation: Option<&activations::Model>,
        saying: Saying,
        now: i64,
    ) -> Result<Answered> {
        let (own, message) = status(&Brief::from(license), now);
        let status = saying.status.unwrap_or(own);
        let message = saying.message.or(message);
        let terms = license.terms()?;
        let (sync_after, next_sync_by) = calls(&terms, status, now);
        let at = self.signing.at;
        let answer = SyncAnswer {
            iat: at,
            nonce: request.nonce.clone(),
            license_id: license.id.hyphenated().to_string(),
            installation: request.installation.clone(),
            activation: activation.map(|it| it.id.hyphenated().to_string()),
            seq: u64::try_from(saying.seq).unwrap_or_default().max(1),
            epoch: self.epoch(),
            server_time: at,
            status,
            message: message.clone(),
            license: saying.license,
            keys: self.keys.clone(),
            revocations: self.revocations.clone(),
            ack: saying.ack,
            sync_after,
            next_sync_by,
            machine: machine_of(request),
        };
        let Signing { key, issuer, .. } = &self.signing;
        Ok(Answered {
            answer: sign_sync(key, &self.product.code, issuer, &answer)?,
            what: request.what.clone(),
            status: Some(status),
            message,
            license: license.id,
            activation: activation.map(|it| it.id),
            created: false,
        })
    }
}

/// Signs the key set as it is now: whoever is answered is told of it, or would never ask for it.
/// Where it cannot be signed there is nothing to tell, and the answer is good all the same.
async fn sign_keys(
    server: &Server,
    connection: &impl ConnectionTrait,
    organization: &organizations::Model,
    product: &products::Model,
) -> Result<Option<(i64, String)>> {
    match key_set(server, connection, organization, product).await {
        Ok(set) => Ok(Some((set.version, set.sha256))),
        Err(error) if matches!(error.code(), Code::NoKeyPair | Code::Setup) => Ok(None),
        Err(error) => Err(error),
    }
}

fn told((version, sha256): (i64, String)) -> Option<Version> {
    Some(Version { version: u64::try_from(version).ok()?, sha256 })
}

/// What is said of a license at a time: a word, and a sentence where it is not good.
pub fn status(license: &Brief, now: i64) -> (IssuerStatus, Option<String>) {
    let at = Status::at(license.revoked_at, license.suspended_at, license.valid_until, now);
    let (status, message) = match at {
        Status::Active => return (IssuerStatus::Ok, None),
        Status::Revoked => (IssuerStatus::Revoked, "The license was revoked: it cannot be used"),
        Status::Suspended => {
            (IssuerStatus::Suspended, "The license is suspended: ask your vendor why")
        }
        Status::Expired => (IssuerStatus::Expired, "The license has ended: renew it"),
    };
    (status, Some(message.to_string()))
}

/// When to ask again, and by when at the latest.
fn calls(terms: &Terms, status: IssuerStatus, now: i64) -> (Option<i64>, Option<i64>) {
    let most = licentia::limits::TIME_MAX;
    let days = |days: u32| i64::from(days).saturating_mul(DAY);
    let by = terms.sync_days.map(|it| now.saturating_add(days(it)).min(most));
    let by = by.filter(|_| status == IssuerStatus::Ok);
    // Twice before it is due, and once a day otherwise.
    let pause = by.map_or(DAY, |by| ((by - now) / 2).min(DAY));
    (Some(now.saturating_add(pause).min(most)), by)
}
