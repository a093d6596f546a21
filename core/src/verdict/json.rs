//! The status JSON: docs/verdict.md. Every member is always there; what is not is null.

use crate::claims::Metadata;
use crate::clock::rfc3339;
use crate::feature::Feature;
use crate::stages::DAY;
use crate::verdict::facts::{Access, Failure, Source, next_contact};
use crate::verdict::sentences::sentence;
use crate::verdict::status::{FeatureVerdict, SourceVerdict, Step, Verdict, Warning, Winner};
use crate::verdict::words::Reason;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Status<'a> {
    at: i64,
    product: &'a str,
    in_force: bool,
    access: Access,
    reason: Reason,
    message: &'a str,
    next_change_at: Option<i64>,
    license: Option<License<'a>>,
    features: Vec<FeatureLine<'a>>,
    warnings: &'a [Warning],
    timeline: &'a [Step],
    sources: Vec<SourceLine<'a>>,
    time: Time,
    anchor: Option<AnchorLine>,
    issuer: IssuerLine<'a>,
    state: State<'a>,
}

#[derive(Serialize)]
struct License<'a> {
    id: &'a str,
    serial: Option<&'a str>,
    r#type: &'a str,
    tier: Option<&'a str>,
    description: Option<&'a str>,
    policy: Option<&'a str>,
    customer: CustomerLine<'a>,
    issuer: &'a str,
    token_id: &'a str,
    issued_at: i64,
    key_id: &'a str,
    source: &'static str,
    name: &'a str,
    valid_from: i64,
    valid_until: Option<i64>,
    grace_until: Option<i64>,
    token_until: Option<i64>,
    support_until: Option<i64>,
    days_left: Option<i64>,
    seats: Option<u64>,
    machines: Option<u64>,
    refresh_days: Option<u32>,
    created_at: Option<i64>,
    updated_at: Option<i64>,
    metadata: Option<&'a BTreeMap<String, Metadata>>,
    binding: Option<BindingLine<'a>>,
}

#[derive(Serialize)]
struct CustomerLine<'a> {
    name: Option<&'a str>,
    email: Option<&'a str>,
    account: Option<&'a str>,
    slug: Option<&'a str>,
    id: Option<&'a str>,
}

#[derive(Serialize)]
struct BindingLine<'a> {
    machine: Option<Machine<'a>>,
    installation: Option<&'a str>,
    instance: Option<&'a str>,
}

#[derive(Serialize)]
struct Machine<'a> {
    matched: Option<usize>,
    need: usize,
    of: usize,
    changed: &'a [String],
}

#[derive(Serialize)]
struct FeatureLine<'a> {
    id: &'a str,
    name: Option<&'a str>,
    access: Access,
    reason: Reason,
    meter: Option<&'a str>,
    per: Option<&'a str>,
    days: Option<u32>,
    used: Option<u64>,
    high: Option<u64>,
    max: Option<u64>,
    over: Option<u32>,
    then: Option<&'a str>,
    stops_at: Option<u64>,
    left: Option<u64>,
    reached: bool,
    resets_at: Option<i64>,
}

#[derive(Serialize)]
struct SourceLine<'a> {
    source: &'static str,
    name: &'a str,
    used: bool,
    id: Option<&'a str>,
    token_id: Option<&'a str>,
    serial: Option<&'a str>,
    valid_from: Option<i64>,
    valid_until: Option<i64>,
    result: Reason,
    message: &'a str,
}

#[derive(Serialize)]
struct Time {
    clock: i64,
    now: i64,
    behind: i64,
    floor: Option<i64>,
    floor_by: Option<&'static str>,
    suspect: bool,
    message: String,
}

#[derive(Serialize)]
struct AnchorLine {
    at: i64,
    days: i64,
    grace_days: Option<u32>,
    grace_until: Option<i64>,
}

#[derive(Serialize)]
struct IssuerLine<'a> {
    status: Option<&'static str>,
    message: Option<&'a str>,
    last_contact: Option<i64>,
    next_contact: Option<i64>,
    next_sync_by: Option<i64>,
    failure: Option<&'a Failure>,
}

#[derive(Serialize)]
struct State<'a> {
    installation: Option<&'a str>,
    ok: bool,
    code: Option<&'static str>,
    message: Option<String>,
}

impl Source {
    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Source::Installed => "installed",
            Source::File => "file",
            Source::Environment => "environment",
            Source::Text => "text",
        }
    }
}

impl Verdict {
    /// The status JSON of docs/verdict.md.
    pub(crate) fn to_json(&self) -> String {
        let status = Status {
            at: self.now.at,
            product: &self.product,
            in_force: self.in_force,
            access: self.access,
            reason: self.reason,
            message: &self.message,
            next_change_at: self.next_change_at,
            license: self.winner.as_ref().map(license),
            features: self.features.iter().map(feature).collect(),
            warnings: &self.warnings,
            timeline: &self.timeline,
            sources: self.sources.iter().map(source).collect(),
            time: self.time(),
            anchor: self.anchor_line(),
            issuer: self.issuer_line(),
            state: self.state_line(),
        };
        // Texts and integers only: there is nothing that could fail.
        serde_json::to_string(&status).unwrap_or_default()
    }

    fn time(&self) -> Time {
        let floor = self.now.floor;
        let suspect = self.suspicion.is_some();
        let by = |signed: bool| if signed { "server" } else { "seen" };
        let behind = floor.filter(|_| suspect).map(|it| it.at.saturating_sub(self.now.clock));
        Time {
            clock: self.now.clock,
            now: self.now.at,
            behind: behind.unwrap_or(0),
            floor: floor.map(|floor| floor.at),
            floor_by: floor.map(|floor| by(floor.signed)),
            suspect,
            message: match &self.suspicion {
                Some(evidence) => evidence.clone(),
                None => format!("The clock shows {}.", rfc3339(self.now.clock)),
            },
        }
    }

    fn anchor_line(&self) -> Option<AnchorLine> {
        let at = self.anchor?.at;
        Some(AnchorLine {
            at,
            days: (self.now.at.saturating_sub(at) / DAY).max(0),
            grace_days: self.grace_days,
            grace_until: self.grace_until,
        })
    }

    fn issuer_line(&self) -> IssuerLine<'_> {
        let issuer = self.issuer.as_ref();
        IssuerLine {
            status: issuer.map(|issuer| issuer.status.word()),
            message: issuer.and_then(|issuer| issuer.message.as_deref()),
            last_contact: issuer.map(|issuer| issuer.last_contact),
            next_contact: next_contact(issuer, self.failure.as_ref()),
            next_sync_by: issuer.and_then(|issuer| issuer.next_sync_by),
            failure: self.failure.as_ref(),
        }
    }

    fn state_line(&self) -> State<'_> {
        let error = self.state.error.as_ref();
        State {
            installation: self.state.installation.as_deref(),
            ok: error.is_none(),
            code: error.map(|error| error.slug()),
            message: error.map(|error| sentence(&error.to_string())),
        }
    }
}

fn license(winner: &Winner) -> License<'_> {
    let claims = &winner.held.claims;
    let license = &claims.license;
    let customer = license.customer.as_ref();
    License {
        id: &license.id,
        serial: license.serial.as_deref(),
        r#type: &license.kind,
        tier: license.tier.as_deref(),
        description: license.description.as_deref(),
        policy: license.policy.as_deref(),
        customer: CustomerLine {
            name: customer.and_then(|it| it.name.as_deref()),
            email: customer.and_then(|it| it.email.as_deref()),
            account: customer.and_then(|it| it.account.as_deref()),
            slug: customer.and_then(|it| it.slug.as_deref()),
            id: claims.sub.as_deref(),
        },
        issuer: &claims.iss,
        token_id: &claims.jti,
        issued_at: claims.iat,
        key_id: &winner.held.key_id,
        source: winner.source.word(),
        name: &winner.name,
        valid_from: license.valid_from,
        valid_until: license.valid_until,
        grace_until: winner.grace_until,
        token_until: claims.exp,
        support_until: license.support_until,
        days_left: winner.days_left,
        seats: license.seats,
        machines: license.machines,
        refresh_days: license.refresh_days,
        created_at: license.created_at,
        updated_at: license.updated_at,
        metadata: license.metadata.as_ref(),
        binding: binding(winner),
    }
}

fn binding(winner: &Winner) -> Option<BindingLine<'_>> {
    let binding = winner.held.claims.license.binding.as_ref()?;
    let machine = binding.machine.as_ref().map(|machine| {
        let drift = winner.held.binding.as_ref().ok();
        Machine {
            matched: drift.map(|drift| drift.matched),
            need: machine.need() as usize,
            of: machine.parts().len(),
            changed: drift.map_or(&[], |drift| drift.changed.as_slice()),
        }
    });
    let (installation, instance) = (&binding.installation, &binding.instance);
    Some(BindingLine {
        machine,
        installation: installation.as_deref(),
        instance: instance.as_deref(),
    })
}

fn feature(found: &FeatureVerdict) -> FeatureLine<'_> {
    let Feature { id, name, meter, per, days, max, over, then } = &found.feature;
    FeatureLine {
        id,
        name: name.as_deref(),
        access: found.access,
        reason: found.reason,
        meter: meter.as_deref(),
        per: per.as_deref(),
        days: *days,
        used: found.used,
        high: found.high,
        max: *max,
        over: over.or(max.map(|_| 0)),
        then: then.as_deref().or(max.map(|_| "stop")),
        stops_at: found.stops_at,
        left: found.left,
        reached: found.reached,
        resets_at: found.resets_at,
    }
}

fn source(found: &SourceVerdict) -> SourceLine<'_> {
    SourceLine {
        source: found.source.word(),
        name: &found.name,
        used: found.used,
        id: found.id.as_deref(),
        token_id: found.token_id.as_deref(),
        serial: found.serial.as_deref(),
        valid_from: found.valid_from,
        valid_until: found.valid_until,
        result: found.result,
        message: &found.message,
    }
}
