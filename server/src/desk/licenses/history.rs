//! What happened to a license: its events and the audit entries about it, the newest first.

use crate::desk::client::{Client, query};
use crate::desk::events;
use crate::desk::session::Visit;
use serde::Deserialize;
use serde_json::Value;

/// Rows of each of the two.
const ROWS: &str = "20";

#[derive(Deserialize)]
struct Events {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    kind: String,
    created_at: String,
    actor: String,
    request_id: Option<String>,
    data: Value,
}

#[derive(Deserialize)]
struct Entries {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    seq: i64,
    created_at: String,
    actor: String,
    actor_name: Option<String>,
    action: String,
    remote: Option<String>,
    request_id: Option<String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub at: String,
    pub what: String,
    pub who: String,
    /// Where it came from.
    pub remote: Option<String>,
    /// Why, where somebody said so.
    pub reason: Option<String>,
    /// The number of its entry in the audit log.
    pub entry: Option<i64>,
}

/// What happened to the license with an id. What the key may not see is left out.
pub async fn of(client: &Client, visit: &Visit, id: &str) -> Vec<Row> {
    let asked = query([("subject", id), ("per_page", ROWS)]);
    let (events, entries) = (format!("/events{asked}"), format!("/audit{asked}"));
    let (events, entries) =
        tokio::join!(client.get::<Events>(visit, &events), client.get::<Entries>(visit, &entries));
    let events = events.map(|it| it.events).unwrap_or_default();
    let entries = entries.map(|it| it.entries).unwrap_or_default();
    merged(events, entries)
}

/// What left an event and an entry is one thing.
fn merged(events: Vec<Event>, entries: Vec<Entry>) -> Vec<Row> {
    let mut rows: Vec<(Option<String>, Row)> = entries.into_iter().map(row_of_entry).collect();
    for event in events {
        let same = |(request, row): &&mut (Option<String>, Row)| {
            row.what == event.kind && request.is_some() && *request == event.request_id
        };
        let reason = event.data.get("reason").and_then(Value::as_str).map(str::to_string);
        match rows.iter_mut().find(same) {
            Some((_, row)) => row.reason = reason,
            None => rows.push((
                event.request_id,
                Row {
                    at: event.created_at,
                    what: event.kind,
                    who: events::who(&event.actor),
                    remote: None,
                    reason,
                    entry: None,
                },
            )),
        }
    }
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    rows.sort_by(|one, other| other.at.cmp(&one.at));
    rows
}

fn row_of_entry(it: Entry) -> (Option<String>, Row) {
    let who = it.actor_name.unwrap_or_else(|| events::who(&it.actor));
    let row = Row {
        at: it.created_at,
        what: it.action,
        who,
        remote: it.remote,
        reason: None,
        entry: Some(it.seq),
    };
    (it.request_id, row)
}

/// What happened, in words.
pub fn words(what: &str) -> String {
    const KNOWN: [(&str, &str); 15] = [
        ("license.created", "Made"),
        ("license.updated", "Changed"),
        ("license.renewed", "Renewed"),
        ("license.reissued", "Signed anew"),
        ("license.suspended", "Suspended"),
        ("license.reinstated", "Reinstated"),
        ("license.revoked", "Revoked"),
        ("license.expired", "Ended"),
        ("license.expiring_soon", "Ends soon"),
        ("license.activated", "Activated on a machine"),
        ("license.sync", "A program asked"),
        ("activation.created", "Activated"),
        ("activation.deactivated", "A machine was freed"),
        ("seat.acquired", "A seat was taken"),
        ("seat.released", "A seat was given back"),
    ];
    let found = KNOWN.iter().find(|(word, _)| *word == what);
    found.map_or_else(|| what.replace(['.', '_'], " "), |(_, words)| (*words).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: &str, kind: &str, request: Option<&str>) -> Event {
        Event {
            kind: kind.into(),
            created_at: at.into(),
            actor: "server".into(),
            request_id: request.map(str::to_string),
            data: serde_json::json!({ "reason": "late" }),
        }
    }

    #[test]
    fn what_left_two_traces_is_told_once() {
        let entry = |request: &str| Entry {
            seq: 7,
            created_at: "2026-01-02T00:00:00Z".into(),
            actor: "x".into(),
            actor_name: Some("Ann".into()),
            action: "license.revoked".into(),
            remote: Some("192.0.2.1".into()),
            request_id: Some(request.into()),
        };
        let events = || {
            vec![
                event("2026-01-02T00:00:00Z", "license.revoked", Some("one")),
                event("2026-01-03T00:00:00Z", "license.expired", None),
            ]
        };
        let rows = merged(events(), vec![entry("one")]);
        let seen: Vec<_> = rows.iter().map(|row| (row.what.as_str(), row.who.as_str())).collect();
        assert_eq!(seen, [("license.expired", "server"), ("license.revoked", "Ann")]);
        assert_eq!(rows.last().unwrap().reason.as_deref(), Some("late"));
        assert_eq!(merged(events(), vec![entry("two")]).len(), 3);
    }
}
