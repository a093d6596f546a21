//! The states of a kit: what each promises, by docs/verdict.md. The library has to agree.

use licentia::{Access, Feature};

/// A state, before there is a kit with it.
pub struct State {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Which folder it is in.
    pub folder: &'static str,
    /// The day of its clock.
    pub day: i64,
    /// Whether it may be used for some days without a license.
    pub grace: bool,
    /// The reason.
    pub reason: &'static str,
    /// Whether a license is in force.
    pub in_force: bool,
    /// What may be done, limits aside.
    pub access: Access,
    /// What there is to warn of.
    pub warning: Option<&'static str>,
}

impl State {
    /// Whether a feature has to have a limit for it.
    pub fn needs_limit(&self) -> bool {
        matches!(self.name, "limit_reached" | "over_limit")
    }
}

/// Of a license that works.
const WORKS: State = State {
    name: "",
    about: "",
    folder: "licensed",
    day: 0,
    grace: false,
    reason: "ok",
    in_force: true,
    access: Access::Allow,
    warning: None,
};

/// Of what does not.
const STOPPED: State = State { in_force: false, access: Access::Deny, ..WORKS };

/// Of a product that may be used for some days without a license.
const GRACE: State = State { in_force: false, grace: true, ..WORKS };

/// Every state.
pub const STATES: &[State] = &[
    State {
        name: "not_licensed",
        about: "A new folder, and no license.",
        folder: "new",
        reason: "not_licensed",
        ..STOPPED
    },
    State {
        name: "not_needed",
        about: "No license, and none is needed until the first use is noted (grace_days).",
        folder: "new",
        reason: "not_needed",
        ..GRACE
    },
    State {
        name: "unlicensed_grace",
        about: "No license; used for five of the thirty days that grace_days gives.",
        folder: "used",
        reason: "unlicensed_grace",
        ..GRACE
    },
    State {
        name: "unlicensed_grace_over",
        about: "No license, and the thirty days are over.",
        folder: "used",
        day: 40,
        reason: "not_licensed",
        access: Access::Deny,
        ..GRACE
    },
    State { name: "active", about: "A license that ends in ninety days.", ..WORKS },
    State {
        name: "ends_soon",
        about: "The license ends in ten days, and it is time to say so.",
        day: 80,
        warning: Some("ends_soon"),
        ..WORKS
    },
    State {
        name: "in_grace",
        about: "The license ended five days ago; everything works for nine more, with a warning.",
        day: 95,
        access: Access::Warn,
        warning: Some("in_grace"),
        ..WORKS
    },
    State {
        name: "read_only",
        about: "The grace period is over; what is there can be read for 24 more days.",
        day: 110,
        reason: "expired",
        access: Access::ReadOnly,
        ..STOPPED
    },
    State {
        name: "expired",
        about: "The license has ended, and nothing works.",
        day: 140,
        reason: "expired",
        ..STOPPED
    },
    State {
        name: "not_yet_valid",
        about: "The license is installed and begins in five days.",
        day: -95,
        reason: "not_yet_valid",
        ..STOPPED
    },
    State {
        name: "renew_due",
        about: "The token should have been renewed five days ago; everything works for nine more.",
        folder: "token",
        day: 5,
        access: Access::Warn,
        warning: Some("renew_due"),
        ..WORKS
    },
    State {
        name: "token_expired",
        about: "The token was not renewed, and the time for that is over.",
        folder: "token",
        day: 20,
        reason: "token_expired",
        ..STOPPED
    },
    State {
        name: "sync_due",
        about: "The server should have been reached five days ago; everything works for nine more.",
        folder: "answered",
        day: 5,
        access: Access::Warn,
        warning: Some("sync_due"),
        ..WORKS
    },
    State {
        name: "sync_overdue",
        about: "The server was not reached, and the time for that is over.",
        folder: "answered",
        day: 20,
        reason: "sync_overdue",
        ..STOPPED
    },
    State {
        name: "suspended",
        about: "The server has answered that the license is on hold.",
        folder: "suspended",
        reason: "suspended",
        ..STOPPED
    },
    State {
        name: "revoked",
        about: "The license is on the list of those that were withdrawn.",
        folder: "revoked",
        reason: "revoked",
        ..STOPPED
    },
    State {
        name: "wrong_machine",
        about: "The license is bound to another machine, and the folder was copied from there.",
        folder: "elsewhere",
        reason: "wrong_machine",
        ..STOPPED
    },
    State {
        name: "limit_reached",
        about: "Every feature with a limit is used up to where it stops: a counter is denied, \
                and what is counted otherwise takes nothing new.",
        folder: "used_up",
        warning: Some("limit_reached"),
        ..WORKS
    },
    State {
        name: "over_limit",
        about: "Every feature with a limit is one past it and works, because its license \
                allows more before it stops.",
        folder: "over",
        warning: Some("limit_reached"),
        ..WORKS
    },
    State {
        name: "clock_set_back",
        about: "The clock is ten days behind what it has shown, and the time goes on from there.",
        folder: "seen",
        day: -10,
        warning: Some("clock_suspect"),
        ..WORKS
    },
    State {
        name: "state_corrupt",
        about: "What is kept in the folder is damaged beyond repair.",
        folder: "damaged",
        reason: "state_corrupt",
        ..STOPPED
    },
    State {
        name: "state_recovered",
        about: "One of the two copies in the folder is damaged, and the other one is good.",
        folder: "recovered",
        warning: Some("state_recovered"),
        ..WORKS
    },
];

/// Where a feature stops: docs/verdict.md, "Features". `None` = nowhere.
pub fn stops_at(feature: &Feature) -> Option<u64> {
    let over = u128::from(feature.over.unwrap_or(0));
    let line = u128::from(feature.max?) * (100 + over) / 100;
    Some(u64::try_from(line).unwrap_or(u64::MAX))
}

/// What the limit of a feature leaves after so much use: the same page, said once more so that
/// the kit and the library have to agree.
pub fn limited(feature: &Feature, used: u64) -> Access {
    let (Some(max), Some(line)) = (feature.max, stops_at(feature)) else { return Access::Allow };
    let counts = feature.meter.as_deref() == Some("count");
    let stops = feature.then.as_deref() != Some("count");
    if used > line || (counts && stops && used >= line) {
        Access::Deny
    } else if used > max || (counts && used >= max) {
        Access::Warn
    } else {
        Access::Allow
    }
}
