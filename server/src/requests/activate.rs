//! A license gets a machine: never more of them than it has, one only for each, and the same
//! answer to whoever asks again.

use super::find::{Found, is_pinned, signer};
use super::ledger::Known;
use super::older::next_seq;
use super::saying::Voice;
use super::token::{is_due, renew};
use crate::api::activations::Activation;
use crate::api::licenses::Status;
use crate::api::{Origin, Server, Work};
use crate::binding::at_activation;
use crate::error::{Code, Error, Result};
use crate::store::{activations, licenses};
use licentia::issue::Request;
use licentia::machine::{Binding, Options, Report};
use licentia::peek::peek;
use sea_orm::prelude::Uuid;

/// Machines of a license that a report is held against, at most: those that show the same id, and
/// those that were seen last.
const CANDIDATES: u64 = 200;

/// Who freed a machine.
pub const BY_CLIENT: &str = "client";
/// The same: the vendor.
pub const BY_VENDOR: &str = "vendor";
/// The same: another installation on the same machine.
pub const BY_OTHER: &str = "replaced";

/// What came of asking for a machine.
pub struct Active {
    /// The license, locked.
    pub license: licenses::Model,
    /// The activation; `None` = the license is not good, so there is none.
    pub activation: Option<activations::Model>,
    /// Whether it took a machine just now.
    pub created: bool,
}

/// Activates a license for the installation that asks. The same installation has the same
/// activation; another one on the same machine takes over.
///
/// Fails with `bad_signature` where another key is pinned, with `no_machine` where all are taken,
/// with `no_transfer` where it is on another machine now and may not move again, and with
/// `wrong_machine` or `invalid_argument` where the license cannot be bound to this one.
pub async fn activate(
    server: &Server,
    work: &mut Work,
    voice: &Voice,
    found: &Found,
    request: &Request,
    origin: &Origin,
) -> Result<Active> {
    let mut license = lock(work, found).await?;
    if Status::of(&license, work.now) != Status::Active {
        return Ok(Active { license, activation: None, created: false });
    }
    let of = (found.organization.id, license.id);
    let own = activations::own(&work.tx, of.0, of.1, found.installation).await?;
    let (mut row, created) = match own {
        Some(row) if row.deactivated_at.is_none() => {
            is_pinned(request, &row)?;
            move_machine(work, &mut license, &row, request).await?;
            (row, false)
        }
        own => {
            let replaced = same_machine(work, &license, request).await?;
            if replaced.is_none() {
                has_room(work, &license).await?;
            }
            let mut row = own.unwrap_or_else(|| blank(found, work.now));
            // Whoever freed the machine freed the installation of its key.
            row.public_key = signer(request);
            (row.deactivated_at, row.deactivated_by) = (None, None);
            if let Some(replaced) = &replaced {
                let id = replaced.id;
                activations::free(&work.tx, of.0, id, BY_OTHER, work.now).await?;
            }
            note(work, &row, replaced.as_ref(), &license);
            (row, true)
        }
    };
    if created && row.ledger_json.is_empty() {
        // The ledger is the installation's, whichever license it had before.
        let before = activations::last_of(&work.tx, of.0, found.installation).await?;
        row.ledger_json =
            before.map_or_else(|| Known::default().to_json(), |before| before.ledger_json);
    }
    seen(&mut row, request, origin, work.now);
    bind(server, work, voice, &mut license, &mut row, request).await?;
    row.seq = next_seq(server, row.seq, request);
    activations::put(&work.tx, row.clone()).await?;
    Ok(Active { license, activation: Some(row), created })
}

/// The license, which nobody else changes or gives out machines of until the end.
pub async fn lock(work: &Work, found: &Found) -> Result<licenses::Model> {
    let license = licenses::lock(&work.tx, found.organization.id, found.license.id).await?;
    license.ok_or_else(super::find::unknown)
}

/// Notes on which machine, from where, by what and when an installation was seen.
pub fn seen(row: &mut activations::Model, request: &Request, origin: &Origin, now: i64) {
    if let Some(machine) = &request.machine {
        row.machine_json = serde_json::to_string(machine).ok();
        row.machine_id = machine.id().map(str::to_string);
    }
    reported(row, request, origin, now);
}

/// The same of one that only reports: another machine is noted when it is activated there, which
/// counts as a transfer.
pub fn seen_here(row: &mut activations::Model, request: &Request, origin: &Origin, now: i64) {
    let tells_less = |report: &Report| report.id().is_none() && row.machine_id.is_some();
    let is_other = request
        .machine
        .as_ref()
        .is_some_and(|report| tells_less(report) || is_machine(row, report) == Some(false));
    match is_other {
        true => reported(row, request, origin, now),
        false => seen(row, request, origin, now),
    }
}

fn reported(row: &mut activations::Model, request: &Request, origin: &Origin, now: i64) {
    row.sdk = Some(request.sdk.clone());
    row.remote = origin.remote.map(|remote| remote.to_string());
    row.last_seen_at = now;
}

/// Binds its token, unless it has one that is good.
async fn bind(
    server: &Server,
    work: &mut Work,
    voice: &Voice,
    license: &mut licenses::Model,
    row: &mut activations::Model,
    request: &Request,
) -> Result<()> {
    let report = request.machine.as_ref();
    let binding = at_activation(license, &voice.product.code, &request.installation, report)?;
    let is_bound = row.token.is_some();
    let good = is_bound == binding.is_some() && !is_due(voice, license, row, work.now)?;
    if good && row.token.as_deref().is_none_or(|token| holds(token, &request.installation, report))
    {
        return Ok(());
    }
    match binding {
        None if is_bound
            && !is_due(
                voice,
                license,
                &activations::Model { token: None, ..row.clone() },
                work.now,
            )? =>
        {
            row.token = None;
            row.token_id = None;
            Ok(())
        }
        binding => renew(server, work, voice, license, row, binding).await,
    }
}

/// Whether a token of ours is for this installation and this machine.
pub fn holds(token: &str, installation: &str, report: Option<&Report>) -> bool {
    let Ok(seen) = peek(token.as_bytes()) else { return false };
    let claims: Option<licentia::Claims> = serde_json::from_str(&seen.payload).ok();
    let Some(binding) = claims.and_then(|claims| claims.license.binding) else { return true };
    let here = binding.installation.as_deref().is_none_or(|id| id == installation);
    let machine = binding.machine.as_ref();
    here && machine.is_none_or(|it| report.is_some_and(|report| it.compare(report).holds()))
}

/// An installation that is on another machine than it was has moved, with the folder of its
/// state: that is a transfer.
async fn move_machine(
    work: &mut Work,
    license: &mut licenses::Model,
    row: &activations::Model,
    request: &Request,
) -> Result<()> {
    let Some(report) = &request.machine else { return Ok(()) };
    let is_other = is_machine(row, report).is_some_and(|same| !same);
    if !is_other {
        return Ok(());
    }
    transfer(license)?;
    licenses::update(&work.tx, license.clone()).await?;
    work.event("activation.replaced", row.id, &Activation::of(row));
    Ok(())
}

/// Counts a transfer. Fails with `no_transfer` where there were as many as there may be.
pub fn transfer(license: &mut licenses::Model) -> Result<()> {
    let most = license.terms()?.max_transfers;
    if let Some(most) = most.filter(|most| license.transfers >= i64::from(*most)) {
        let what = format!(
            "The license may move to another machine {most} times, and has: ask your vendor"
        );
        return Err(Error::new(Code::NoTransfer, what));
    }
    license.transfers = license.transfers.saturating_add(1);
    Ok(())
}

/// The activation that another installation has on the same machine.
async fn same_machine(
    work: &Work,
    license: &licenses::Model,
    request: &Request,
) -> Result<Option<activations::Model>> {
    let Some(report) = &request.machine else { return Ok(None) };
    let Some(id) = report.id() else { return Ok(None) };
    let (of, installation) = (license.organization_id, &request.installation);
    let rows = activations::candidates(&work.tx, of, license.id, id, CANDIDATES).await?;
    let other = |row: &activations::Model| row.installation.to_string() != *installation;
    let found = rows.into_iter().find(|row| other(row) && is_machine(row, report) == Some(true));
    Ok(found)
}

/// Whether a machine is the one of an activation; `None` = too little is known of either.
fn is_machine(row: &activations::Model, report: &Report) -> Option<bool> {
    let known = Report::from_json(row.machine_json.as_deref()?).ok()?;
    let options = Options { allow_weak: true, ..Options::default() };
    let binding = Binding::bind(&known, report.product(), &options).ok()?;
    report.id()?;
    Some(binding.compare(report).holds())
}

/// Fails with `no_machine` where all are taken.
async fn has_room(work: &Work, license: &licenses::Model) -> Result<()> {
    let taken = activations::count(&work.tx, license.organization_id, license.id).await?;
    let most = u64::try_from(license.machines()).unwrap_or_default();
    if taken < most {
        return Ok(());
    }
    let machines =
        if most == 1 { "The one machine".into() } else { format!("All {most} machines") };
    let are = if most == 1 { "is" } else { "are" };
    let what = format!("{machines} of the license {are} taken: deactivate it elsewhere first");
    Err(Error::new(Code::NoMachine, what))
}

fn blank(found: &Found, now: i64) -> activations::Model {
    activations::Model {
        id: Uuid::now_v7(),
        organization_id: found.organization.id,
        license_id: found.license.id,
        installation: found.installation,
        public_key: String::new(),
        machine_json: None,
        machine_id: None,
        sdk: None,
        remote: None,
        token: None,
        token_id: None,
        token_at: None,
        token_of: None,
        seq: 0,
        ledger_json: String::new(),
        created_at: now,
        last_seen_at: now,
        deactivated_at: None,
        deactivated_by: None,
        spent: String::new(),
    }
}

fn note(
    work: &mut Work,
    row: &activations::Model,
    replaced: Option<&activations::Model>,
    license: &licenses::Model,
) {
    let now = Activation::of(row);
    match replaced {
        Some(old) => work.event("activation.replaced", old.id, &now),
        None => work.event("activation.created", row.id, &now),
    }
    work.event("license.activated", license.id, &now);
}
