//! The words that are answered one by one: those that give out machines and seats, the time, and
//! what is signed for everybody.

use super::activate::{BY_CLIENT, activate, lock, seen, transfer};
use super::find::{Found, find, is_pinned};
use super::older::next_seq;
use super::saying::{Answered, Saying, Voice};
use super::token;
use crate::api::activations::Activation;
use crate::api::{Origin, Shared, Work, digest};
use crate::binding::at_activation;
use crate::documents;
use crate::error::{Code, Error, Result};
use crate::revocations;
use crate::seats::{self, Wanted};
use crate::store::{activations, documents as kept};
use licentia::issue::{Request, sign_clock_reset};

/// Characters by which a request is known that freed a machine: 64 bits of a digest.
const SPENT_WORD: usize = 16;

/// How many of them are remembered for each machine.
const SPENT_MAX: usize = 64;

/// A machine for a license.
pub async fn activation(server: &Shared, request: &Request, origin: &Origin) -> Result<Answered> {
    let (found, mut work, voice) = begin(server, request, origin).await?;
    let active = activate(server, &mut work, &voice, &found, request, origin).await?;
    let row = active.activation.as_ref();
    let saying = Saying {
        license: row.map(|row| token::current(&active.license, row)),
        seq: row.map_or_else(|| next_seq(server, 0, request), |row| row.seq),
        ..Saying::default()
    };
    let mut answered = voice.say(request, &active.license, row, saying, work.now)?;
    answered.created = active.created;
    work.finish().await?;
    Ok(answered)
}

/// A new token of a license that is activated; of one that never was here, that first.
pub async fn renewal(server: &Shared, request: &Request, origin: &Origin) -> Result<Answered> {
    let (found, mut work, voice) = begin(server, request, origin).await?;
    if let Some(row) = &found.activation {
        is_pinned(request, row)?;
        is_not_ended(row)?;
    }
    let active = activate(server, &mut work, &voice, &found, request, origin).await?;
    let Some(mut row) = active.activation else {
        let last = found.activation.as_ref().map_or(0, |row| row.seq);
        let seq = next_seq(server, last, request);
        let saying = Saying { seq, ..Saying::default() };
        let row = found.activation.as_ref();
        let answered = voice.say(request, &active.license, row, saying, work.now)?;
        work.finish().await?;
        return Ok(answered);
    };
    let mut license = active.license;
    let has = request.license.as_ref().map(|it| it.token_id.as_str());
    if !active.created && has == Some(token::id(&license, &row)) {
        let report = request.machine.as_ref();
        let code = &voice.product.code;
        let binding = at_activation(&license, code, &request.installation, report)?;
        token::renew(server, &work, &voice, &mut license, &mut row, binding).await?;
        activations::put(&work.tx, row.clone()).await?;
    }
    let saying =
        Saying { license: Some(token::current(&license, &row)), seq: row.seq, ..Saying::default() };
    let mut answered = voice.say(request, &license, Some(&row), saying, work.now)?;
    answered.created = active.created;
    work.finish().await?;
    Ok(answered)
}

/// Fails with `conflict` where somebody ended an activation on purpose: it comes back if somebody
/// asks for that on purpose.
pub fn is_not_ended(row: &activations::Model) -> Result<()> {
    match row.deactivated_by.as_deref() {
        None | Some(super::activate::BY_OTHER) => Ok(()),
        Some(_) => Err(Error::new(Code::Conflict, ENDED)),
    }
}

/// What is said to an installation whose machine was freed.
pub const ENDED: &str = "The license was deactivated here: activate it again to use it here";

/// The machine is to be free of the license. Whoever asks again gets the same answer.
pub async fn deactivation(server: &Shared, request: &Request, origin: &Origin) -> Result<Answered> {
    let (found, mut work, voice) = begin(server, request, origin).await?;
    let mut license = lock(&work, &found).await?;
    let of = (found.organization.id, license.id);
    let row = activations::own(&work.tx, of.0, of.1, found.installation).await?;
    let mut row = row.ok_or_else(|| Error::not_found("activation"))?;
    is_pinned(request, &row)?;
    if row.deactivated_at.is_none() {
        if !spend(&mut row, "", &request.nonce) {
            let what = "This request was answered before the license was activated again: make a \
                        new one to deactivate it";
            return Err(Error::new(Code::Conflict, what));
        }
        transfer(&mut license)?;
        crate::store::licenses::update(&work.tx, license.clone()).await?;
        row.deactivated_at = Some(work.now);
        row.deactivated_by = Some(BY_CLIENT.to_string());
        work.event("activation.deactivated", row.id, &Activation::of(&row));
        seats::leave(&mut work, license.id, found.installation, true).await?;
    }
    row.seq = next_seq(server, row.seq, request);
    seen(&mut row, request, origin, work.now);
    activations::put(&work.tx, row.clone()).await?;
    let saying = Saying { seq: row.seq, ..Saying::default() };
    let answered = voice.say(request, &license, Some(&row), saying, work.now)?;
    work.finish().await?;
    Ok(answered)
}

/// Notes a request that may be answered once: somebody who kept it sends it again later. Gives
/// whether it is new. Those with a prefix are remembered beside those without: whoever has seats
/// often does not make us forget who gave back a machine.
fn spend(row: &mut activations::Model, prefix: &str, text: &str) -> bool {
    let digest = digest(text);
    let word = format!("{prefix}{}", digest.get(..SPENT_WORD).unwrap_or(&digest));
    let all: Vec<&str> = row.spent.split(' ').filter(|spent| !spent.is_empty()).collect();
    if all.contains(&&*word) {
        return false;
    }
    let (others, mut same): (Vec<&str>, Vec<&str>) =
        all.into_iter().partition(|spent| spent.len() != word.len());
    same.push(&word);
    // Nobody does it that often; of those who do, the oldest requests are forgotten.
    let from = same.len().saturating_sub(SPENT_MAX);
    let spent = [&others, same.get(from..).unwrap_or_default()].concat().join(" ");
    row.spent = spent;
    true
}

/// What time it is.
pub async fn clock(server: &Shared, request: &Request) -> Result<Answered> {
    let read = server.store.read();
    let found = find(server, read, request).await?;
    if let Some(row) = &found.activation {
        is_pinned(request, row)?;
    }
    let (organization, product) = (&found.organization, &found.product);
    let signing =
        server.signer.signing(read, organization, product, licentia::Role::Server).await?;
    let (at, issuer) = (signing.at, &signing.issuer);
    let answer = sign_clock_reset(&signing.key, request, issuer, at, at)?;
    Ok(plain(answer, request, &found))
}

/// The newest key set of the product, or the newest list of its revoked licenses. Everybody may
/// have them: nothing is noted of who asks.
pub async fn document(server: &Shared, request: &Request) -> Result<Answered> {
    let found = find(server, server.store.read(), request).await?;
    let (organization, product) = (&found.organization, &found.product);
    let newest = match request.what.as_str() {
        kept::KEYS => documents::newest_key_set(server, organization, product).await?,
        _ => revocations::current(server, organization, product).await?,
    };
    Ok(plain(newest.token, request, &found))
}

/// A seat, or its end.
pub async fn seat(server: &Shared, request: &Request, origin: &Origin) -> Result<Answered> {
    let wished = request.seat.as_ref();
    let wished =
        wished.ok_or_else(|| Error::invalid("The request is about a seat, and has none"))?;
    let (found, mut work, voice) = begin(server, request, origin).await?;
    let of = (found.organization.id, found.license.id);
    let gives = request.what != "release";
    let once = request.what != "seat";
    if once {
        lock(&work, &found).await?;
    }
    let own = match once {
        true => activations::own(&work.tx, of.0, of.1, found.installation).await?,
        false => activations::of(&work.tx, of.0, of.1, found.installation).await?,
    };
    if let Some(row) = &own {
        is_pinned(request, row)?;
    }
    let own = match own {
        Some(row) if gives && row.deactivated_at.is_some() => {
            is_not_ended(&row)?;
            None
        }
        own => own,
    };
    // Seats are for machines that are known: whoever has only seen the license has none.
    let mut row = match own {
        None if gives => {
            activate(server, &mut work, &voice, &found, request, origin).await?.activation
        }
        own => own,
    };
    let is_new = match row.as_mut().filter(|_| once) {
        Some(row) => is_new(&work, row, request).await?,
        None => true,
    };
    let wanted = Wanted {
        holder: &wished.holder,
        installation: Some(found.installation),
        activation: row.as_ref().map(|row| row.id),
        borrow_days: wished.days,
        nonce: Some(&request.nonce),
    };
    let (signer, organization) = (&server.signer, &found.organization);
    let id = found.license.id;
    let leased = match request.what.as_str() {
        "release" if !is_new => seats::none(signer, &work, organization, id, &wanted).await?,
        _ if !is_new => {
            let what = "This request was answered before: make a new one to borrow a seat";
            return Err(Error::new(Code::Conflict, what));
        }
        "release" => seats::release(signer, &mut work, organization, id, &wanted).await?,
        _ => seats::take(signer, &mut work, organization, id, &wanted).await?,
    };
    work.finish().await?;
    let mut answered = plain(leased.lease, request, &found);
    answered.activation = row.map(|row| row.id);
    Ok(answered)
}

/// Whether a request to borrow a seat, or to give one back, comes for the first time.
async fn is_new(work: &Work, row: &mut activations::Model, request: &Request) -> Result<bool> {
    let holder = request.seat.as_ref().map(|seat| seat.holder.as_str()).unwrap_or_default();
    let text = format!("{} {} {holder}", request.what, request.nonce);
    let is_new = spend(row, "s", &text);
    if is_new {
        activations::put(&work.tx, row.clone()).await?;
    }
    Ok(is_new)
}

/// Who asks, in events.
pub fn actor(request: &Request) -> String {
    format!("installation:{}", request.installation)
}

async fn begin(
    server: &Shared,
    request: &Request,
    origin: &Origin,
) -> Result<(Found, Work, Voice)> {
    // Whoever has no license holds up nobody who writes.
    let found = find(server, server.store.read(), request).await?;
    let work = Work::of(server, found.organization.id, &actor(request), origin).await?;
    let (organization, product) = (found.organization.clone(), found.product.clone());
    let voice = Voice::of(server, &work.tx, organization, product).await?;
    Ok((found, work, voice))
}

fn plain(answer: String, request: &Request, found: &Found) -> Answered {
    Answered {
        answer,
        what: request.what.clone(),
        status: None,
        message: None,
        license: found.license.id,
        activation: found.activation.as_ref().map(|it| it.id),
        created: false,
    }
}
