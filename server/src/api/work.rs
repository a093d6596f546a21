//! A write: one transaction with what it changes, what it tells others (events), and what a
//! repeated request is answered with. All of it is there, or none.

use super::answer::Answer;
use super::caller::Caller;
use super::written::Origin;
use super::{Server, Shared};
use crate::audit;
use crate::error::{Code, Error, Result};
use crate::store::{events, idempotency};
use axum::response::{IntoResponse, Response};
use sea_orm::prelude::Uuid;
use sea_orm::{DatabaseTransaction, DbErr};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Why a handler ends before its end.
#[derive(Debug)]
pub enum Stop {
    /// Something is wrong.
    Refused(Error),
    /// The same request was answered before: with this.
    Again(Answer),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::Refused(error.into())
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        match self {
            Stop::Refused(error) => error.into_response(),
            Stop::Again(answer) => answer.with("idempotency-replayed", "true").into_response(),
        }
    }
}

/// What the audit log says of a write.
struct Noted {
    action: String,
    subject: String,
    name: Option<String>,
    detail: Map<String, Value>,
}

/// A write that has begun. Dropped, it changes nothing.
pub struct Work {
    /// The transaction.
    pub tx: DatabaseTransaction,
    /// One time for all of it, in seconds since 1970.
    pub now: i64,
    server: Shared,
    organization: Uuid,
    actor: String,
    request_id: Option<String>,
    /// What the API key of whoever does this is called, and where they are.
    actor_name: Option<String>,
    remote: Option<String>,
    /// Whether a person does this: it is noted in the audit log then.
    by_person: bool,
    /// What is noted there: the first that is done.
    noted: Option<Noted>,
    events: Vec<events::Model>,
    /// The digest under which the answer is kept.
    kept: Option<String>,
}

impl Work {
    /// Begins a write of somebody with an API key.
    ///
    /// Ends the handler with the earlier answer where the same `Idempotency-Key` brought the same
    /// request before, and with `idempotency_mismatch` where it brought another.
    pub async fn begin(server: &Shared, caller: &Caller, origin: &Origin) -> Result<Work, Stop> {
        let mut work = Work::by_caller(server, caller, origin).await?;
        let Some(key) = &origin.key else { return Ok(work) };
        let mut digest = Sha256::new();
        digest.update(&work.actor);
        digest.update([0]);
        digest.update(key);
        let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let row = idempotency::Model {
            organization_id: work.organization,
            digest: digest.clone(),
            request: origin.digest.clone(),
            status: 0,
            headers_json: String::new(),
            body: String::new(),
            created_at: work.now,
        };
        // Whoever comes second waits here for the first.
        if let Some(earlier) = idempotency::claim(&work.tx, row).await? {
            return Err(again(server, &digest, &origin.digest, &earlier)?);
        }
        work.kept = Some(digest);
        Ok(work)
    }

    /// Begins what somebody with an API key does, however often the same request comes.
    pub async fn by_caller(server: &Shared, caller: &Caller, origin: &Origin) -> Result<Work> {
        let actor = caller.key_id.to_string();
        let work = Work::of(server, caller.organization.id, &actor, origin).await?;
        Ok(Work { by_person: true, actor_name: Some(caller.key_name.clone()), ..work })
    }

    /// Begins a write in an organization without an API key: by a signed request of an
    /// installation, or by the server itself.
    pub async fn of(
        server: &Shared,
        organization: Uuid,
        actor: &str,
        origin: &Origin,
    ) -> Result<Work> {
        Ok(Work {
            tx: server.store.begin().await?,
            now: server.clock.now(),
            server: server.clone(),
            organization,
            actor: actor.to_string(),
            request_id: origin.request_id.clone(),
            actor_name: None,
            remote: origin.remote.map(|remote| remote.to_string()),
            by_person: false,
            noted: None,
            events: Vec::new(),
            kept: None,
        })
    }

    /// The same, done by whoever has the server in hand: it is noted in the audit log.
    pub fn by_hand(self) -> Work {
        Work { by_person: true, ..self }
    }

    /// Has the audit log say this of the write, and not what its first event says.
    pub fn note(&mut self, action: &str, subject: Uuid, detail: Map<String, Value>) {
        let (action, subject) = (action.to_string(), subject.to_string());
        self.noted = Some(Noted { action, subject, name: None, detail });
    }

    /// Notes that something is otherwise than it was, both as they are shown. The rest is as with
    /// [`Work::event`].
    pub fn changed<T: Serialize>(&mut self, kind: &str, subject: Uuid, before: &T, after: &T) {
        self.changed_as(kind, subject, [before, after], after);
    }

    /// The same, with less told of it than is shown: the audit log compares what it was and is.
    pub fn changed_as<T: Serialize>(
        &mut self,
        kind: &str,
        subject: Uuid,
        [before, after]: [&T; 2],
        told: &T,
    ) {
        let first = self.noted.is_none();
        self.event(kind, subject, told);
        let value = |shown: &T| serde_json::to_value(shown).unwrap_or_default();
        if let Some(noted) = self.noted.as_mut().filter(|_| first) {
            (noted.name, noted.detail) = audit::changed(&value(before), &value(after));
        }
    }

    /// Notes that something changed: `kind` such as `license.created`, the id of what it is about,
    /// and what is told of it. It holds no secret: it goes to webhooks and logs.
    pub fn event(&mut self, kind: &str, subject: Uuid, data: &impl Serialize) {
        if self.by_person && self.noted.is_none() && audit::is_noted(kind) {
            let data = serde_json::to_value(data).unwrap_or_default();
            let (name, detail) = audit::telling(&data);
            let (action, subject) = (kind.to_string(), subject.to_string());
            self.noted = Some(Noted { action, subject, name, detail });
        }
        self.events.push(events::Model {
            seq: 0,
            id: Uuid::now_v7(),
            organization_id: self.organization,
            kind: kind.to_string(),
            subject: subject.to_string(),
            data_json: serde_json::to_string(data).unwrap_or_default(),
            actor: self.actor.clone(),
            request_id: self.request_id.clone(),
            created_at: self.now,
            claimed_until: None,
            delivered_at: None,
        });
    }

    /// What was noted last.
    pub fn latest(&self) -> Option<&events::Model> {
        self.events.last()
    }

    /// Commits everything, where there is no answer to keep.
    pub async fn finish(self) -> Result<()> {
        match self.commit(Answer::empty()).await {
            Err(Stop::Refused(error)) => Err(error),
            Ok(_) | Err(Stop::Again(_)) => Ok(()),
        }
    }

    /// Commits everything, and gives the answer back.
    pub async fn commit(self, answer: Answer) -> Result<Answer, Stop> {
        events::insert(&self.tx, self.events).await?;
        if let Some(digest) = &self.kept {
            let headers = serde_json::to_string(&answer.headers).unwrap_or_default();
            // It may hold what is shown once, such as a new API key.
            let body = self.server.signer.vault().seal(&label(digest), &answer.body)?;
            let status = i32::from(answer.status);
            idempotency::keep(&self.tx, self.organization, digest, status, headers, body).await?;
        }
        if let Some(Noted { action, subject, name, detail }) = self.noted {
            // As the last thing: nobody else of the organization writes until this is committed.
            let entry = audit::Entry {
                organization: self.organization,
                at: self.now,
                actor: self.actor,
                actor_name: self.actor_name,
                action,
                subject,
                subject_name: name,
                remote: self.remote,
                request_id: self.request_id,
                detail: Value::Object(detail),
            };
            audit::append(&self.tx, entry).await?;
        }
        self.tx.commit().await.map_err(|error: DbErr| Error::from(error))?;
        Ok(answer)
    }
}

/// What the earlier answer comes to for this request.
fn again(
    server: &Server,
    digest: &str,
    request: &str,
    earlier: &idempotency::Model,
) -> Result<Stop> {
    if earlier.request != request {
        let what = "This Idempotency-Key came before with another request: use a new one";
        return Err(Error::new(Code::IdempotencyMismatch, what));
    }
    let body = server.signer.vault().open(&label(digest), &earlier.body)?;
    let headers = serde_json::from_str(&earlier.headers_json).unwrap_or_default();
    let status = u16::try_from(earlier.status).unwrap_or(500);
    Ok(Stop::Again(Answer { status, headers, body: body.to_vec() }))
}

/// As what the body of an answer is sealed.
pub fn label(digest: &str) -> String {
    format!("answer {digest}")
}
