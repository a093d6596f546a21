//! What docs/verdict.md promises.

mod edges;
mod page;
mod precedence;
mod properties;
mod winner;
mod words;

use super::status::Warning;
use super::words::{Alert, Event, Reason};
use super::*;
use crate::claims::{Claims, Details};
use crate::errors::{Code, Error};
use crate::feature::Feature;
use crate::stages::{DAY, Stage, Stages};
use crate::usage::totals::Totals;
use std::collections::HashSet;
use std::sync::Arc;

/// A Monday.
const NOW: i64 = 1_763_942_400;
const ID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

fn at(at: i64) -> Now {
    Now { at, clock: at, floor: None }
}

/// 30 days from now, with two features, signed now.
fn claims() -> Claims {
    Claims {
        iss: "https://licenses.acme.example".into(),
        aud: "myapp".into(),
        sub: Some("cust_1".into()),
        jti: "token-1".into(),
        iat: NOW,
        exp: None,
        nbf: None,
        must: None,
        license: Details {
            id: ID.into(),
            serial: None,
            kind: "subscription".into(),
            tier: None,
            description: None,
            policy: None,
            product: None,
            customer: None,
            created_at: None,
            updated_at: None,
            valid_from: NOW,
            valid_until: Some(NOW + 30 * DAY),
            support_until: None,
            seats: None,
            machines: None,
            features: vec![Feature::new("reports"), Feature::new("api")],
            binding: None,
            refresh_days: None,
            notice: None,
            stages: None,
            metadata: None,
        },
    }
}

fn held(claims: Claims) -> Held {
    Held { claims, key_id: "key".into(), binding: Ok(Drift::default()) }
}

fn candidate(source: Source, held: Held) -> Candidate {
    let name = if source == Source::File { "/etc/myapp.lic".into() } else { String::new() };
    Candidate { source, name, license: Ok(Arc::new(held)) }
}

fn refused(source: Source, code: Code) -> Candidate {
    Candidate { source, name: String::new(), license: Err(Error::new(code, "it is so")) }
}

/// Nothing but what the vendor set: no grace, a notice of ten days.
fn nothing() -> Facts {
    Facts {
        product: "myapp".into(),
        terms: Terms {
            vendor: Some("Acme".into()),
            deployment: Deployment::OnPremise,
            grace_days: None,
            warning_days: 10,
            monthly_meter: "monitored_monthly_requests".into(),
        },
        candidates: Vec::new(),
        revoked: Arc::new(HashSet::new()),
        issuer: None,
        failure: None,
        anchor: None,
        usage: Arc::new(Totals::default()),
        state: StateHealth::default(),
    }
}

fn with(candidates: Vec<Candidate>) -> Facts {
    Facts { candidates, ..nothing() }
}

/// One license, installed.
fn installed(claims: Claims) -> Facts {
    with(vec![candidate(Source::Installed, held(claims))])
}

fn issuer(status: IssuerStatus, since: i64) -> Issuer {
    Issuer {
        license_id: ID.into(),
        status,
        since,
        last_contact: since,
        next_contact: None,
        next_sync_by: None,
        message: None,
    }
}

fn revoke(facts: &mut Facts, id: &str) {
    let id = *uuid::Uuid::try_parse(id).unwrap().as_bytes();
    facts.revoked = Arc::new(HashSet::from([id]));
}

fn stage(read_only: Option<u32>, deny: Option<u32>) -> Option<Stage> {
    Some(Stage { warn: None, read_only, deny })
}

/// Access, reason and the words of the warnings.
fn brief(facts: &Facts, now: i64) -> (Access, &'static str, Vec<&'static str>) {
    let verdict = judge(facts, &at(now));
    let codes = verdict.warnings.iter().map(|warning| warning.code.slug()).collect();
    (verdict.access, verdict.reason.slug(), codes)
}
