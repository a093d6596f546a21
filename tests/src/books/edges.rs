//! Every date of a license, to the second. Each scene is a table of what holds from when; the
//! stories ask at the second before each row, at it, and after it.

use crate::case::{DAY, NOW};
use crate::document::Doc;
use crate::folder::Folder;
use crate::story::{Story, step};
use serde_json::{Value, json};

/// The end of the plain license.
const END: i64 = NOW + 365 * DAY;

/// From when, whether it is in force, what may be done, and why.
type Row = (i64, bool, &'static str, &'static str);

const WORKS: Row = (NOW, true, "allow", "ok");

struct Scene {
    name: &'static str,
    folder: Folder,
    rows: Vec<Row>,
}

fn scene(name: &'static str, license: Doc, rows: &[Row]) -> Scene {
    Scene { name, folder: Folder::new().license(license.sign()), rows: rows.to_vec() }
}

fn ended(stage: Value) -> Doc {
    Doc::license().set("/license/stages", json!({ "ended": stage }))
}

fn overdue(stage: Value) -> Doc {
    Doc::license().set("/license/stages", json!({ "overdue": stage }))
}

fn suspended(stage: Value) -> Doc {
    Doc::license().set("/license/stages", json!({ "suspended": stage }))
}

/// What the issuer said last, of the plain license.
fn issuer(status: &str, since: i64, next_sync_by: Option<i64>) -> Value {
    json!({
        "license_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "status": status, "since": since,
        "last_contact": since, "next_contact": null, "next_sync_by": next_sync_by, "message": null,
    })
}

impl Scene {
    fn issuer(mut self, note: Value) -> Scene {
        self.folder = self.folder.state("/issuer", note);
        self
    }
}

fn endings() -> Vec<Scene> {
    let late = NOW + 40 * DAY;
    vec![
        scene("no stages", Doc::license(), &[WORKS, (END, false, "deny", "expired")]),
        scene(
            "grace, reading, end",
            ended(json!({"read_only": 10, "deny": 40})),
            &[
                WORKS,
                (END, true, "warn", "ok"),
                (END + 10 * DAY, false, "read_only", "expired"),
                (END + 40 * DAY, false, "deny", "expired"),
            ],
        ),
        scene(
            "a warning first",
            ended(json!({"warn": 2, "read_only": 3, "deny": 4})),
            &[
                WORKS,
                (END, true, "warn", "ok"),
                (END + 3 * DAY, false, "read_only", "expired"),
                (END + 4 * DAY, false, "deny", "expired"),
            ],
        ),
        scene("only a warning", ended(json!({"warn": 3})), &[WORKS, (END, true, "warn", "ok")]),
        scene(
            "read only at once",
            ended(json!({"read_only": 0})),
            &[WORKS, (END, false, "read_only", "expired")],
        ),
        scene(
            "denied at once",
            ended(json!({"deny": 0})),
            &[WORKS, (END, false, "deny", "expired")],
        ),
        scene(
            "another cause has stages",
            overdue(json!({"warn": 0})),
            &[WORKS, (END, false, "deny", "expired")],
        ),
        scene("no end", Doc::license().set("/license/valid_until", Value::Null), &[WORKS]),
        scene(
            "begins later",
            Doc::license().set("/license/valid_from", late),
            &[(NOW, false, "deny", "not_yet_valid"), (late, true, "allow", "ok")],
        ),
        scene(
            "honors nbf",
            Doc::license().set("/nbf", late),
            &[(NOW, false, "deny", "not_yet_valid"), (late, true, "allow", "ok")],
        ),
        scene(
            "signed by a clock that is ahead",
            Doc::license().set("/iat", late + 1).set("/license/valid_from", late),
            &[WORKS, (END, false, "deny", "expired")],
        ),
    ]
}

fn tokens() -> Vec<Scene> {
    let exp = NOW + 100 * DAY;
    let by = NOW + 20 * DAY;
    vec![
        scene(
            "a token that was not renewed",
            Doc::license().set("/exp", exp),
            &[WORKS, (exp, false, "deny", "token_expired")],
        ),
        scene(
            "a token with grace",
            overdue(json!({"warn": 0, "read_only": 5, "deny": 30})).set("/exp", exp),
            &[
                WORKS,
                (exp, true, "warn", "ok"),
                (exp + 5 * DAY, false, "read_only", "token_expired"),
                (exp + 30 * DAY, false, "deny", "token_expired"),
            ],
        ),
        scene(
            "a license that ends before its token",
            Doc::license().set("/exp", END + DAY),
            &[WORKS, (END, false, "deny", "expired"), (END + DAY, false, "deny", "expired")],
        ),
        scene(
            "a token that ends first and reads, then the license",
            overdue(json!({"read_only": 0})).set("/exp", END - DAY),
            &[
                WORKS,
                (END - DAY, false, "read_only", "token_expired"),
                (END, false, "deny", "expired"),
            ],
        ),
        scene("no contact", Doc::license(), &[WORKS, (by, false, "deny", "sync_overdue")])
            .issuer(issuer("ok", NOW, Some(by))),
        scene(
            "no contact with grace",
            overdue(json!({"warn": 0, "deny": 10})),
            &[WORKS, (by, true, "warn", "ok"), (by + 10 * DAY, false, "deny", "sync_overdue")],
        )
        .issuer(issuer("ok", NOW, Some(by))),
        scene(
            "no contact and no renewal",
            overdue(json!({"warn": 0, "deny": 10})).set("/exp", by),
            &[WORKS, (by, true, "warn", "ok"), (by + 10 * DAY, false, "deny", "token_expired")],
        )
        .issuer(issuer("ok", NOW, Some(by))),
    ]
}

fn words() -> Vec<Scene> {
    let since = NOW + 3 * DAY;
    let all = suspended(json!({"warn": 0, "read_only": 5, "deny": 7}));
    vec![
        scene(
            "suspended by stages",
            all,
            &[
                WORKS,
                (since, true, "warn", "ok"),
                (since + 5 * DAY, false, "read_only", "suspended"),
                (since + 7 * DAY, false, "deny", "suspended"),
            ],
        )
        .issuer(issuer("suspended", since, None)),
        scene(
            "suspended without stages",
            Doc::license(),
            &[WORKS, (since, false, "deny", "suspended")],
        )
        .issuer(issuer("suspended", since, None)),
        scene(
            "suspended and ended",
            Doc::license().set(
                "/license/stages",
                json!({"ended": {"read_only": 0}, "suspended": {"read_only": 1, "deny": 500}}),
            ),
            &[
                WORKS,
                (since, true, "warn", "ok"),
                (since + DAY, false, "read_only", "suspended"),
                (END, false, "read_only", "suspended"),
                (since + 500 * DAY, false, "deny", "suspended"),
            ],
        )
        .issuer(issuer("suspended", since, None)),
        scene("revoked by word", Doc::license(), &[(NOW, false, "deny", "revoked")])
            .issuer(issuer("revoked", NOW, None)),
        scene("expired by word", Doc::license(), &[WORKS, (END, false, "deny", "expired")])
            .issuer(issuer("expired", NOW, None)),
        scene("not found", Doc::license(), &[WORKS, (END, false, "deny", "expired")])
            .issuer(issuer("not_found", NOW, None)),
        scene(
            "another license is suspended",
            Doc::license().set("/license/id", "00000000-0000-4000-8000-000000000001"),
            &[WORKS, (END, false, "deny", "expired")],
        )
        .issuer(issuer("suspended", NOW, Some(NOW))),
    ]
}

/// What holds at a second, by the table.
fn row(rows: &[Row], at: i64) -> Row {
    *rows.iter().rev().find(|row| row.0 <= at).unwrap_or(&rows[0])
}

pub fn stories() -> Vec<Story> {
    let mut stories = Vec::new();
    for scene in endings().into_iter().chain(tokens()).chain(words()) {
        for edge in scene.rows.iter().map(|row| row.0) {
            for offset in [-1, 0, 1] {
                let at = edge + offset;
                if at < NOW {
                    continue;
                }
                let (_, in_force, access, reason) = row(&scene.rows, at);
                let holds = step::holds(in_force, access, reason);
                let name = format!("{}: {}{:+}", scene.name, (edge - NOW) / DAY, offset);
                let story = Story::on(name, &scene.folder)
                    .then(step::status_at(at, &holds))
                    .then(step::clock(at))
                    .then(step::access("pro", access))
                    .then(step::access("other", "deny"))
                    .then(step::status(&holds));
                stories.push(story);
            }
        }
    }
    stories
}
