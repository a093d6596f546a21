//! The *token* family: the claims of a license token by the names its clients know, the door in,
//! a renewal, and the way out.

use super::Answer;
use super::assign::folder_status;
use super::body;
use super::call::Call;
use super::refusal::Refusal;
use super::url;
use crate::claims::{Claims, Details, Metadata};
use crate::errors::{Code, Error};
use crate::installation::Known;
use crate::verdict::{Reason, SourceVerdict, Verdict};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What a token says, by the names of this family. What is not known is zero.
#[derive(Default, Serialize)]
struct Shown<'a> {
    status: u8,
    jti: &'a str,
    iss: &'a str,
    /// The instance it is for.
    sub: &'a str,
    iat: i64,
    exp: i64,
    nbf: i64,
    lexp: i64,
    lid: &'a str,
    limit_by: &'a str,
    included_users: u64,
    lic_exp_warn_days: u32,
    tok_exp_warn_days: u32,
    update_days: u32,
    prod: Option<[&'a str; 1]>,
    company: &'a str,
    account: &'a str,
    slug: &'a str,
    usage_billing: bool,
    max_concurrent_user_sessions: u64,
    details_url: &'a str,
    trial: bool,
    trial_exp: i64,
    #[serde(rename = "anonymousRatio")]
    anonymous_ratio: i64,
}

/// The numbers of `status`.
const NONE: u8 = 1;

/// Whether a license is in force.
pub(crate) fn check(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (_, verdict) = call.verdict();
    Ok(Answer::json(200, &verdict.in_force))
}

/// Applies a token, and shows what it says.
pub(crate) fn apply(call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut members = members(call, 400)?;
    let token = match members.remove("token") {
        Some(Value::String(token)) => token,
        _ => return Err(malformed(400, "Send the license as text in the member `token`")),
    };
    call.it.apply(token.as_bytes()).map_err(|error| trouble(call, &error, 400))?;
    let (known, verdict) = call.verdict();
    let read = known.view.product.read(token.as_bytes()).ok();
    let own = read.as_ref().and_then(|read| {
        let license = &read.claims.license;
        let is_own = |source: &&SourceVerdict| {
            source.id.as_ref() == Some(&license.id)
                && source.token_id.as_ref() == Some(&read.claims.jti)
        };
        let source = verdict.sources.iter().find(is_own)?;
        Some(show(call, &known, &read.claims, source.result))
    });
    Ok(own.unwrap_or_else(|| show_decisive(call, &known, &verdict)))
}

/// Asks the issuer for a newer token.
pub(crate) fn renew(call: &Call<'_>) -> Result<Answer, Refusal> {
    members(call, 400)?;
    call.it.renew().map_err(|error| match error.code() {
        Code::NotLicensed => Refusal::of(400, &error),
        // Whatever is wrong with an answer is no fault of whoever asked for it.
        _ => trouble(call, &error, 502),
    })?;
    let (known, verdict) = call.verdict();
    Ok(show_decisive(call, &known, &verdict))
}

/// Removes what was applied, if the caller names the instance that is meant.
pub(crate) fn remove(call: &Call<'_>) -> Result<Answer, Refusal> {
    let members = members(call, 422)?;
    let Some(Value::String(named)) = members.get("instance") else {
        return Err(malformed(422, "Name the root URL of this instance in the member `instance`"));
    };
    let Some(own) = call.it.instance() else {
        let what = "This installation has no root URL: set `instance`, and name the same here";
        return Err(Refusal::new(422, Code::InvalidArgument.slug(), what));
    };
    if url::normal(named) != url::normal(&own) {
        let what = "This is another instance: name the root URL that is set for this one";
        return Err(Refusal::new(422, Code::WrongInstallation.slug(), what));
    }
    call.it.remove().map_err(|error| trouble(call, &error, 500))?;
    Ok(Answer::json(202, &json!({})))
}

fn members(call: &Call<'_>, status: u16) -> Result<Map<String, Value>, Refusal> {
    let refuse = |refusal: Refusal| {
        malformed(status, format!("Send the body as one JSON object: {}", refusal.detail))
    };
    body::members(call).map_err(refuse)
}

fn malformed(status: u16, what: impl Into<String>) -> Refusal {
    Refusal::new(status, Code::Malformed.slug(), what)
}

/// An error of what came in, under the status for that, or of the folder.
fn trouble(call: &Call<'_>, error: &Error, status: u16) -> Refusal {
    let (known, _) = call.verdict();
    let folder = folder_status(known.view.facts.state.error.as_ref(), error);
    Refusal::of(folder.unwrap_or(status), error)
}

/// The license that decides, in force or not.
fn show_decisive(call: &Call<'_>, known: &Known, verdict: &Verdict) -> Answer {
    let source = verdict.sources.iter().find(|source| source.used);
    match (&verdict.winner, source) {
        (Some(winner), Some(source)) => show(call, known, &winner.held.claims, source.result),
        _ => Answer::json(200, &Shown { status: NONE, ..Shown::default() }),
    }
}

fn show(call: &Call<'_>, known: &Known, claims: &Claims, standing: Reason) -> Answer {
    let license = &claims.license;
    let customer = license.customer.clone().unwrap_or_default();
    let notice = license.notice.clone().unwrap_or_default();
    let bound = license.binding.as_ref().and_then(|binding| binding.instance.clone());
    let instance = bound.or_else(|| call.it.instance()).unwrap_or_default();
    let trial = license.kind == "trial";
    let end = license.valid_until.unwrap_or_default();
    let (name, account) = (customer.name.as_deref(), customer.account.as_deref());
    Answer::json(
        200,
        &Shown {
            status: status(standing),
            jti: &claims.jti,
            iss: &claims.iss,
            sub: &instance,
            iat: claims.iat,
            exp: claims.exp.unwrap_or_default(),
            nbf: license.valid_from.max(claims.nbf.unwrap_or_default()),
            lexp: end,
            lid: &license.id,
            limit_by: text(license, "limit_by"),
            included_users: most(license, "users"),
            lic_exp_warn_days: notice.license.unwrap_or(known.view.facts.terms.warning_days),
            tok_exp_warn_days: notice.token.unwrap_or_default(),
            update_days: license.refresh_days.unwrap_or_default(),
            prod: Some([&claims.aud]),
            company: name.unwrap_or_default(),
            account: account.unwrap_or_default(),
            slug: customer.slug.as_deref().unwrap_or_default(),
            usage_billing: matches!(noted(license, "usage_billing"), Some(Metadata::Flag(true))),
            max_concurrent_user_sessions: most(license, "sessions"),
            details_url: text(license, "details_url"),
            trial,
            trial_exp: if trial { end } else { 0 },
            anonymous_ratio: match noted(license, "anonymous_ratio") {
                Some(Metadata::Integer(ratio)) => *ratio,
                _ => 0,
            },
        },
    )
}

/// What a token comes to by itself, as a number.
fn status(standing: Reason) -> u8 {
    match standing {
        Reason::Ok => 0,
        Reason::No(Code::NotLicensed) => NONE,
        Reason::No(Code::Expired) => 2,
        Reason::No(Code::TokenExpired | Code::SyncOverdue) => 3,
        Reason::No(Code::Revoked) => 4,
        Reason::No(Code::Suspended) => 5,
        Reason::No(Code::WrongMachine | Code::WrongInstallation) => 6,
        _ => 7,
    }
}

/// The limit of a feature; zero where it has none.
fn most(license: &Details, feature: &str) -> u64 {
    let feature = license.features.iter().find(|it| it.id == feature);
    feature.and_then(|feature| feature.max).unwrap_or_default()
}

fn noted<'a>(license: &'a Details, name: &str) -> Option<&'a Metadata> {
    license.metadata.as_ref()?.get(name)
}

fn text<'a>(license: &'a Details, name: &str) -> &'a str {
    match noted(license, name) {
        Some(Metadata::Text(text)) => text,
        _ => "",
    }
}
