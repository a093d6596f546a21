//! Reports. What many bring at the same time is written together (`crate::batch`): each is
//! answered after it is committed, and signed for outside the transaction.

use super::activate::{BY_OTHER, activate, holds, seen_here};
use super::find::{is_pinned, prove, unknown, uuid};
use super::ledger::{Finding, Known, check};
use super::saying::{Answered, DAY, Saying, Voice, status};
use super::{Found, older, token, words};
use crate::api::activations::Activation;
use crate::api::licenses::Status;
use crate::api::{Origin, Server, Shared, Work};
use crate::batch::Run;
use crate::binding::at_activation;
use crate::error::{Code, Error, Result};
use crate::revocations;
use crate::store::licenses::Brief;
use crate::store::{activations, events, licenses, organizations, products, reports, usage};
use licentia::issue::{IssuerStatus, Ledger, Request};
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use serde::Serialize;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// One report.
pub struct Job {
    /// Whose API key came with it, and which; `None` = the request is signed.
    pub caller: Option<(Uuid, Uuid)>,
    /// What it is about.
    pub about: About,
    /// What the product says in plain words.
    pub plain: Option<Plain>,
    /// Where it came from.
    pub origin: Origin,
}

/// What a report is about.
pub enum About {
    /// The license with this serial number, of the caller's organization.
    Serial(String),
    /// That of a signed request, and its serial number where that was said beside it.
    Signed(Arc<Signed>, Option<String>),
}

/// What a product says of itself in plain words.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    /// The machine; empty = it does not say.
    pub fingerprint: String,
    /// The version of the product.
    pub app_version: Option<String>,
    /// What is in use.
    pub features_used: Vec<String>,
    /// How many seats are.
    pub seats_in_use: Option<i64>,
}

/// A signed request for `sync`, with the ids in it.
pub struct Signed {
    /// The request.
    pub request: Request,
    license: Uuid,
    installation: Uuid,
}

impl Signed {
    /// Fails with `invalid_argument` for another word, and where it names no license.
    pub fn of(request: Request) -> Result<Signed> {
        if request.what != "sync" {
            let what = format!(
                "A request for {:.32} is no report: post it to /api/v1/requests",
                request.what
            );
            return Err(Error::invalid(what));
        }
        let Some(licensed) = &request.license else {
            return Err(Error::invalid("The request names no license: install one first"));
        };
        request.sync.as_ref().map_or(Ok(()), check)?;
        let (license, installation) = (uuid(&licensed.id)?, uuid(&request.installation)?);
        Ok(Signed { request, license, installation })
    }
}

/// What became of a report.
pub enum Done {
    /// There is no such license.
    Unknown,
    /// It was noted.
    Plain(Brief),
    /// It was noted, and is to be answered.
    Signed(Box<Noted>),
}

impl Done {
    /// Whose license it is about, and of which product.
    fn of(&self) -> Option<(Uuid, Uuid)> {
        match self {
            Done::Unknown => None,
            Done::Plain(license) => Some((license.organization_id, license.product_id)),
            Done::Signed(noted) => Some((noted.license.organization_id, noted.license.product_id)),
        }
    }
}

/// A signed report that was noted.
pub struct Noted {
    license: licenses::Model,
    /// As it is now; `None` = the installation was never activated, or has lost its machine to
    /// another.
    activation: Option<activations::Model>,
    voice: Arc<Voice>,
    ack: Option<Ledger>,
}

/// What a plain report is answered.
pub struct Answer {
    /// Of the license.
    pub status: IssuerStatus,
    /// To people.
    pub message: Option<String>,
    /// The signed answer, where the request was signed.
    pub signed: Option<Answered>,
}

/// Notes a plain report.
pub async fn plain(
    server: &Shared,
    caller: (Uuid, Uuid),
    serial: String,
    plain: Plain,
    origin: &Origin,
) -> Result<Answer> {
    let about = About::Serial(serial);
    let job = Job { caller: Some(caller), about, plain: Some(plain), origin: origin.clone() };
    match server.syncs.submit(server, job).await? {
        Done::Plain(license) => {
            let (status, message) = status(&license, server.clock.now());
            Ok(Answer { status, message, signed: None })
        }
        _ => {
            let what = "There is no license with this serial number: look at it again";
            let (status, message) = (IssuerStatus::NotFound, Some(what.to_string()));
            Ok(Answer { status, message, signed: None })
        }
    }
}

/// Notes a signed report, and answers it. An installation that was never activated is, if there
/// is a machine for it; if not, it is told, and its license is good all the same.
pub async fn answer(
    server: &Shared,
    signed: Signed,
    caller: Option<(Uuid, Uuid)>,
    serial: Option<String>,
    plain: Option<Plain>,
    origin: &Origin,
) -> Result<Answered> {
    let signed = Arc::new(signed);
    let job = || Job {
        caller,
        about: About::Signed(Arc::clone(&signed), serial.clone()),
        plain: plain.clone(),
        origin: origin.clone(),
    };
    let request = &signed.request;
    let mut noted = note(server, job()).await?;
    let theirs = request.sync.as_ref().and_then(|sync| sync.revocations);
    let product = &noted.voice.product;
    revocations::heard(server, product, theirs, &words::actor(request), origin).await?;
    older::heard(server, product, noted.voice.epoch(), request, origin).await?;
    let mut refused = None;
    if wants_machine(server, &noted) {
        let activated = settle(server, &noted, &signed, origin).await;
        match activated {
            Ok(()) => noted = note(server, job()).await?,
            Err(error) if is_about_machines(error.code()) => refused = Some(error),
            Err(error) => return Err(error),
        }
    }
    let live = noted.activation.as_ref().filter(|row| row.deactivated_at.is_none());
    let row = noted.activation.as_ref();
    let mut saying = Saying {
        ack: noted.ack.clone(),
        seq: row.map_or_else(|| older::next_seq(server, 0, request), |row| row.seq),
        ..Saying::default()
    };
    let now = server.clock.now();
    let good = Status::of(&noted.license, now) == Status::Active;
    if let Some(row) = live.filter(|_| good) {
        saying.license = renewed(server, &noted, row, request, origin).await?;
    } else if good {
        let ended = noted.activation.as_ref().map(|_| words::ENDED.to_string());
        saying.message = refused.map(|error| error.detail().to_string()).or(ended);
    }
    noted.voice.say(request, &noted.license, live, saying, now)
}

async fn note(server: &Shared, job: Job) -> Result<Noted> {
    match server.syncs.submit(server, job).await? {
        Done::Signed(noted) => Ok(*noted),
        _ => Err(unknown()),
    }
}

/// Whether the installation is to get a machine without asking: it never had one, or lost it to
/// another installation on the same.
fn wants_machine(server: &Server, noted: &Noted) -> bool {
    let without = noted.activation.as_ref().is_none_or(|row| {
        row.deactivated_at.is_some() && row.deactivated_by.as_deref() == Some(BY_OTHER)
    });
    without && Status::of(&noted.license, server.clock.now()) == Status::Active
}

fn is_about_machines(code: Code) -> bool {
    matches!(code, Code::NoMachine | Code::NoTransfer | Code::WrongMachine | Code::InvalidArgument)
}

fn found(noted: &Noted, signed: &Signed) -> Found {
    Found {
        organization: noted.voice.organization.clone(),
        product: noted.voice.product.clone(),
        license: noted.license.clone(),
        installation: signed.installation,
        activation: noted.activation.clone(),
    }
}

/// Gives it a machine.
async fn settle(server: &Shared, noted: &Noted, signed: &Signed, origin: &Origin) -> Result<()> {
    let (found, request) = (found(noted, signed), &signed.request);
    let actor = words::actor(request);
    let mut work = Work::of(server, found.organization.id, &actor, origin).await?;
    activate(server, &mut work, &noted.voice, &found, request, origin).await?;
    work.finish().await
}

/// The token that an installation is to have instead of the one that it has, if there is one.
async fn renewed(
    server: &Shared,
    noted: &Noted,
    row: &activations::Model,
    request: &Request,
    origin: &Origin,
) -> Result<Option<String>> {
    let has = request.license.as_ref().map(|it| it.token_id.as_str());
    if !token::is_due(&noted.voice, &noted.license, row, server.clock.now())? {
        let other = has != Some(token::id(&noted.license, row));
        return Ok(other.then(|| token::current(&noted.license, row)));
    }
    let voice = &noted.voice;
    let organization = voice.organization.id;
    let actor = words::actor(request);
    let work = Work::of(server, organization, &actor, origin).await?;
    let license = licenses::lock(&work.tx, organization, noted.license.id).await?;
    let own = activations::own(&work.tx, organization, row.license_id, row.installation).await?;
    let (Some(mut license), Some(mut row)) = (license, own) else { return Ok(None) };
    let now = work.now;
    if Status::of(&license, now) != Status::Active || row.deactivated_at.is_some() {
        return Ok(None);
    }
    if token::is_due(voice, &license, &row, now)? {
        let report = request.machine.as_ref();
        let binding = at_activation(&license, &voice.product.code, &request.installation, report);
        let machine = binding.as_ref().ok().and_then(|it| it.as_ref()?.machine.as_ref());
        // A machine that is another now is bound by being activated, and not by reporting.
        let same = row.token.as_deref().is_none_or(|it| holds(it, &request.installation, report));
        let binding = match binding {
            Ok(binding) if machine.is_none() || same => binding,
            _ => return Ok(None),
        };
        token::renew(server, &work, voice, &mut license, &mut row, binding).await?;
        activations::put(&work.tx, row.clone()).await?;
        work.finish().await?;
    }
    Ok(Some(token::current(&license, &row)))
}

impl Run for Server {
    type Job = Job;
    type Done = Done;

    async fn run(&self, jobs: &[Job]) -> Result<Vec<Result<Done>>> {
        let tx = self.store.begin().await?;
        let mut round = Round::read(self, &tx, jobs).await?;
        let now = round.now;
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            done.push(round.take(self, job));
        }
        round.write(&tx).await?;
        tx.commit().await?;
        for done in done.iter().flatten() {
            if let Some((organization, product)) = done.of() {
                self.counts.note(organization, product, now);
            }
        }
        Ok(done)
    }
}

/// Everything that the reports of one transaction are about, and what is to be written.
struct Round {
    now: i64,
    by_serial: HashMap<(Uuid, String), Brief>,
    by_id: HashMap<Uuid, licenses::Model>,
    voices: HashMap<Uuid, Result<Arc<Voice>>>,
    activations: HashMap<(Uuid, Uuid), activations::Model>,
    reports: BTreeMap<(Uuid, String), reports::Model>,
    usage: BTreeMap<(Uuid, String, String, i64, i64), usage::Model>,
    reported: BTreeMap<Uuid, activations::Model>,
    events: Vec<events::Model>,
}

impl Round {
    async fn read(server: &Server, tx: &impl ConnectionTrait, jobs: &[Job]) -> Result<Round> {
        let mut serials: BTreeMap<Uuid, Vec<&str>> = BTreeMap::new();
        let (mut ids, mut pairs) = (Vec::new(), Vec::new());
        for job in jobs {
            match (&job.about, job.caller) {
                (About::Serial(serial), Some((organization, _))) => {
                    serials.entry(organization).or_default().push(serial);
                }
                (About::Serial(_), None) => {}
                (About::Signed(signed, _), _) => {
                    ids.push(signed.license);
                    pairs.push((signed.license, signed.installation));
                }
            }
        }
        let mut by_serial = HashMap::new();
        for (organization, serials) in serials {
            for row in licenses::by_serials(tx, organization, &serials).await? {
                by_serial.insert((organization, row.serial.clone()), row);
            }
        }
        let rows = licenses::all_anywhere(tx, ids).await?;
        let by_id: HashMap<Uuid, _> = rows.into_iter().map(|row| (row.id, row)).collect();
        let mut voices = HashMap::new();
        for row in by_id.values() {
            if let Entry::Vacant(place) = voices.entry(row.product_id) {
                place.insert(voice(server, tx, row).await?);
            }
        }
        let rows = activations::lock(tx, &pairs).await?;
        let activations =
            rows.into_iter().map(|row| ((row.license_id, row.installation), row)).collect();
        Ok(Round {
            now: server.clock.now(),
            by_serial,
            by_id,
            voices,
            activations,
            reports: BTreeMap::new(),
            usage: BTreeMap::new(),
            reported: BTreeMap::new(),
            events: Vec::new(),
        })
    }

    fn take(&mut self, server: &Server, job: &Job) -> Result<Done> {
        match &job.about {
            About::Serial(serial) => {
                let organization = job.caller.map(|(organization, _)| organization);
                let key = (organization.unwrap_or_default(), serial.clone());
                let Some(license) = self.by_serial.get(&key).cloned() else {
                    return Ok(Done::Unknown);
                };
                self.told(job, &license, None);
                Ok(Done::Plain(license))
            }
            About::Signed(signed, serial) => {
                let noted = self.signed(server, job, signed, serial.as_deref())?;
                self.told(job, &Brief::from(&noted.license), noted.activation.as_ref());
                Ok(Done::Signed(Box::new(noted)))
            }
        }
    }

    fn signed(
        &mut self,
        server: &Server,
        job: &Job,
        signed: &Signed,
        serial: Option<&str>,
    ) -> Result<Noted> {
        let request = &signed.request;
        let license = self.by_id.get(&signed.license).ok_or_else(unknown)?.clone();
        let key = (signed.license, signed.installation);
        let row = self.activations.get(&key).cloned();
        prove(server, request, &license, row.as_ref())?;
        let voice = self.voices.get(&license.product_id).cloned().unwrap_or_else(|| Err(unknown()));
        let voice = voice?;
        let foreign = job.caller.is_some_and(|(of, _)| of != license.organization_id);
        if foreign || voice.product.code != request.product {
            return Err(unknown());
        }
        if serial.is_some_and(|serial| serial != license.serial) {
            let what = "license_serial is that of another license than the request is about";
            return Err(Error::invalid(what));
        }
        let Some(mut row) = row else {
            return Ok(Noted { license, activation: None, voice, ack: None });
        };
        is_pinned(request, &row)?;
        let mut known = Known::read(&row.ledger_json);
        let mut ack = None;
        if let Some(totals) = &request.sync {
            // One clock that is far ahead does not make everything late that comes after it.
            let at = request.at.min(self.now.saturating_add(DAY));
            let (acknowledged, finding) = known.take(totals, at);
            // Of a machine that was freed nothing is acknowledged: nobody counts it.
            ack = acknowledged.filter(|_| row.deactivated_at.is_none());
            let moved = row.token.as_deref().is_some_and(|token| {
                request.machine.is_some()
                    && !holds(token, &request.installation, request.machine.as_ref())
            });
            self.find(job, &row, &mut known, finding, moved);
            if ack.is_some() {
                self.count(&license, &row, totals);
            }
        }
        if row.deactivated_at.is_none() {
            row.ledger_json = known.to_json();
        }
        row.seq = older::next_seq(server, row.seq, request);
        seen_here(&mut row, request, &job.origin, self.now);
        self.activations.insert(key, row.clone());
        self.reported.insert(row.id, row.clone());
        Ok(Noted { license, activation: Some(row), voice, ack })
    }

    /// Tells of a ledger that was set back or goes on twice: to the vendor, who decides. The
    /// installation is answered as ever.
    fn find(
        &mut self,
        job: &Job,
        row: &activations::Model,
        known: &mut Known,
        finding: Finding,
        moved: bool,
    ) {
        let finding = if moved && finding == Finding::Usual { Finding::Cloned } else { finding };
        if !known.tells(finding, self.now) {
            return;
        }
        let kind = match finding {
            Finding::Forked => "activation.forked",
            _ => "activation.clone_suspected",
        };
        let data = serde_json::to_string(&Activation::of(row)).unwrap_or_default();
        let event = self.event(job, row.organization_id, kind, row.id, data);
        self.events.push(event);
    }

    fn count(
        &mut self,
        license: &licenses::Model,
        row: &activations::Model,
        totals: &licentia::issue::Totals,
    ) {
        let lost = i64::try_from(totals.lost).unwrap_or(i64::MAX);
        for used in &totals.usage {
            let period = used.from.unwrap_or(-1);
            let most = i64::try_from(used.used).unwrap_or(i64::MAX);
            let key = (row.id, used.feature.clone(), used.kind.clone(), period, lost);
            let total = self.usage.entry(key).or_insert_with(|| usage::Model {
                organization_id: license.organization_id,
                license_id: license.id,
                activation_id: row.id,
                feature: used.feature.clone(),
                kind: used.kind.clone(),
                period,
                lost,
                used: 0,
                updated_at: self.now,
            });
            total.used = total.used.max(most);
        }
    }

    /// Notes what the product said in plain words, and tells that it reported.
    fn told(&mut self, job: &Job, license: &Brief, activation: Option<&activations::Model>) {
        let plain = job.plain.clone();
        if let Some(plain) = &plain {
            let key = (license.id, plain.fingerprint.clone());
            let count = self.reports.get(&key).map_or(0, |row| row.count);
            let row = reports::Model {
                organization_id: license.organization_id,
                license_id: license.id,
                fingerprint: plain.fingerprint.clone(),
                app_version: plain.app_version.clone(),
                features_json: serde_json::to_string(&plain.features_used).unwrap_or_default(),
                seats_in_use: plain.seats_in_use,
                count: count + 1,
                created_at: self.now,
                last_seen_at: self.now,
            };
            self.reports.insert(key, row);
        }
        let plain = plain.unwrap_or_default();
        let told = Told {
            license_id: license.id,
            license_serial: &license.serial,
            activation_id: activation.map(|row| row.id),
            status: status(license, self.now).0.word(),
            hardware_fingerprint: Some(plain.fingerprint).filter(|it| !it.is_empty()),
            app_version: plain.app_version,
            features_used: plain.features_used,
            seats_in_use: plain.seats_in_use,
        };
        let data = serde_json::to_string(&told).unwrap_or_default();
        let event = self.event(job, license.organization_id, "license.sync", license.id, data);
        self.events.push(event);
    }

    fn event(
        &self,
        job: &Job,
        organization: Uuid,
        kind: &str,
        subject: Uuid,
        data_json: String,
    ) -> events::Model {
        let actor = match (&job.about, job.caller) {
            (About::Signed(signed, _), _) => words::actor(&signed.request),
            (_, Some((_, key))) => key.to_string(),
            (_, None) => String::new(),
        };
        events::Model {
            seq: 0,
            id: Uuid::now_v7(),
            organization_id: organization,
            kind: kind.to_string(),
            subject: subject.to_string(),
            data_json,
            actor,
            request_id: job.origin.request_id.clone(),
            created_at: self.now,
            claimed_until: None,
            delivered_at: None,
        }
    }

    async fn write(self, tx: &impl ConnectionTrait) -> Result<()> {
        activations::report(tx, self.reported.into_values().collect()).await?;
        usage::put(tx, self.usage.into_values().collect()).await?;
        reports::put(tx, self.reports.into_values().collect()).await?;
        events::insert(tx, self.events).await
    }
}

/// What is told of a report.
#[derive(Serialize)]
struct Told<'a> {
    license_id: Uuid,
    license_serial: &'a str,
    activation_id: Option<Uuid>,
    status: &'a str,
    hardware_fingerprint: Option<String>,
    app_version: Option<String>,
    features_used: Vec<String>,
    seats_in_use: Option<i64>,
}

/// Who speaks for the product of a license. An error of the database is everybody's; that nobody
/// can speak is the affair of who asks.
async fn voice(
    server: &Server,
    tx: &impl ConnectionTrait,
    license: &licenses::Model,
) -> Result<Result<Arc<Voice>>> {
    let organization = organizations::get(tx, license.organization_id).await?;
    let product = products::get(tx, license.organization_id, license.product_id).await?;
    let (Some(organization), Some(product)) = (organization, product) else {
        return Ok(Err(unknown()));
    };
    match Voice::of(server, tx, organization, product).await {
        Ok(voice) => Ok(Ok(Arc::new(voice))),
        Err(error) if matches!(error.code(), Code::NoKeyPair | Code::ServerClock) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}
