//! The lives that everyone lives.

use crate::life::{DAY, Life};
use licentia_tests::middle::{Deed, Middle};
use serde_json::{Value, json};

/// Activate, use, sync, exceed, suspend, reinstate, renew, rotate keys, revoke.
pub fn whole(life: &mut Life) {
    activate(life);
    use_and_sync(life);
    exceed(life);
    suspend(life);
    renew(life);
    revoke(life);
}

fn activate(life: &mut Life) {
    life.program.may("exports", "deny", "not_licensed");
    life.program.refused("sync=", "refused");
    life.program.cut_off(&format!("call=activation={}", life.key()));
    life.program.refused("call=activation=ABCD-EFGH-JKMN-PQRS-TVWX", "refused");
    life.program.may("exports", "deny", "not_licensed");
    life.activate();
    let status = life.program.may("exports", "allow", "ok");
    assert_eq!(status["license"]["id"], life.id(), "{status}");
    assert_eq!(status["issuer"]["last_contact"], life.program.at, "{status}");
    // Again, as an impatient customer does: it is the same machine.
    life.activate();
    let activations = life.vendor("GET", "/activations", &Value::Null);
    assert_eq!(activations["activations"].as_array().unwrap().len(), 1);
}

fn use_and_sync(life: &mut Life) {
    life.pass(DAY);
    life.program.good("record=exports=3");
    assert_eq!(life.reported("exports"), 0);
    life.program.cut_off("sync=");
    life.sync();
    assert_eq!(life.reported("exports"), 3);
    // An answer that is lost on its way: it was counted, and is counted once.
    life.program.good("record=exports=2");
    let middle = Middle::start(life.world.admin.root());
    let server = std::mem::replace(&mut life.program.server, middle.root.clone());
    middle.set(Deed::Lose);
    let lost = life.program.does("sync=");
    assert_eq!(lost.code, "unreachable", "{lost:?}");
    // Its port differs from life to life.
    life.program.told.pop();
    life.program.server = server;
    assert_eq!(life.reported("exports"), 5);
    life.pass(60);
    life.sync();
    life.sync();
    assert_eq!(life.reported("exports"), 5);
    let status = life.program.may("exports", "allow", "ok");
    assert_eq!(status["issuer"]["last_contact"], life.program.at, "{status}");
    assert_eq!(status["issuer"]["next_sync_by"], life.program.at + 30 * DAY, "{status}");
}

/// Past the limit there are five more exports, with a warning; calls go on being counted.
fn exceed(life: &mut Life) {
    life.program.good("record=exports=5\tusage=exports");
    let status = life.program.may("exports", "warn", "ok");
    assert_eq!(status["warnings"][0]["code"], "limit_reached", "{status}");
    life.program.refused("record=exports=6", "limit_exceeded");
    life.program.good("record=exports=5");
    let status = life.program.may("exports", "deny", "ok");
    assert_eq!(status["features"][1]["reason"], "limit_exceeded", "{status}");
    life.program.refused("record=exports=1", "limit_exceeded");
    life.program.good("record=calls=100");
    life.program.good("access=calls\tusage=calls\tusage=exports");
    life.sync();
    assert_eq!((life.reported("exports"), life.reported("calls")), (15, 100));
}

/// Three days of warnings, four of reading, and then nothing, to the second; and back.
fn suspend(life: &mut Life) {
    life.vendor("POST", "/suspend", &json!({}));
    life.program.may("reports", "allow", "ok");
    life.sync();
    let since = life.program.at;
    let status = life.program.may("reports", "warn", "ok");
    assert_eq!(status["warnings"][0]["code"], "suspended", "{status}");
    for (days, before, from) in [(3, "warn", "read_only"), (7, "read_only", "deny")] {
        life.set(since + days * DAY - 1);
        let reason = if before == "warn" { "ok" } else { "suspended" };
        life.program.may("reports", before, reason);
        life.set(since + days * DAY);
        life.program.may("reports", from, "suspended");
    }
    life.program.cut_off("sync=");
    life.vendor("POST", "/reinstate", &json!({}));
    life.program.may("reports", "deny", "suspended");
    life.sync();
    life.program.may("reports", "allow", "ok");
}

/// A new end, and the old license until it is here.
fn renew(life: &mut Life) {
    let before = life.program.status();
    life.program.cut_off("call=renewal=");
    life.vendor("POST", "/renew", &json!({ "valid_days": 365 }));
    assert_eq!(life.program.status()["license"], before["license"]);
    life.program.good("call=renewal=");
    let after = life.program.may("reports", "allow", "ok");
    let end = |status: &Value| status["license"]["valid_until"].as_i64().unwrap();
    assert_eq!(end(&after), end(&before) + 365 * DAY);
    assert_ne!(after["license"]["token_id"], before["license"]["token_id"]);
}

/// Nobody hears of it before the next sync, and everybody from then on.
fn revoke(life: &mut Life) {
    life.pass(DAY);
    life.vendor("DELETE", "", &Value::Null);
    life.program.cut_off("sync=");
    life.program.may("reports", "allow", "ok");
    life.sync();
    life.program.may("reports", "deny", "revoked");
    life.program.refused("record=calls=1", "revoked");
    life.program.good("gate=reports");
    for field in ["sync=", "call=renewal=", &format!("call=activation={}", life.key())] {
        life.program.does(field);
        life.program.may("reports", "deny", "revoked");
    }
    life.program.cut_off("sync=");
    life.pass(400 * DAY);
    life.program.may("reports", "deny", "revoked");
}
