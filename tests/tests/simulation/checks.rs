//! What has to hold, after each event and at the end.

use crate::acts::FEATURES;
use crate::network::hold;
use crate::place::Has;
use crate::vendor::SEATS;
use crate::world::World;
use serde_json::Value;

const DAY: i64 = 86_400;

impl World {
    /// What a product says of itself is so.
    pub fn check(&mut self, at: usize) {
        self.places[at].wake(self.now);
        let said = self.places[at].status();
        let place = &mut self.places[at];
        assert_eq!(said["state"]["ok"], true, "{at}: {}", said["state"]);
        let time = said["time"]["now"].as_i64().unwrap();
        if place.is_clean && place.is_right() {
            assert_eq!(time, self.now, "{at}: its clock is right: {}", said["time"]);
        }
        let reason = said["reason"].as_str().unwrap().to_string();
        place.knew_revoked |= reason == "revoked";
        let in_force = said["in_force"] == true;
        if in_force {
            let revived = place.knew_revoked && !self.is_stolen;
            assert!(!revived, "{at}: a revoked license is in force again");
            assert!(place.has != Has::No, "{at}: a license out of nowhere: {}", said["license"]);
        } else {
            self.excuse(at, &reason, time, &said);
        }
        self.check_count(at, &said);
        self.note(format!("  {at} is {reason}"));
    }

    /// Nobody is locked out but for a reason that holds.
    fn excuse(&self, at: usize, reason: &str, time: i64, said: &Value) {
        let place = &self.places[at];
        let past = |end: &Value| end.as_i64().is_some_and(|end| time >= end);
        let (license, issuer) = (&said["license"], &said["issuer"]);
        let network = hold(&self.network);
        let holds = match reason {
            "not_licensed" => place.has != Has::Yes,
            "revoked" => network.revoked[place.license],
            "suspended" => issuer["status"] == "suspended",
            "expired" => past(&license["valid_until"]),
            "token_expired" => past(&license["token_until"]),
            "sync_overdue" => past(&issuer["next_sync_by"]),
            "not_yet_valid" | "clock_rollback" => !place.is_clean || !place.is_right(),
            "key_compromised" => self.is_stolen,
            _ => false,
        };
        assert!(holds, "{at} is locked out: {reason}: {said}");
    }

    /// What was counted is counted once.
    fn check_count(&self, at: usize, said: &Value) {
        let place = &self.places[at];
        let lines = said["features"].as_array().unwrap();
        let Some(line) = lines.iter().find(|line| line["id"] == FEATURES[0]) else { return };
        let used = line["used"].as_u64().unwrap();
        let range = place.counted[0]..=place.counted[0] + place.perhaps[0];
        assert!(range.contains(&used), "{at} counted {used}, of {range:?}");
    }

    /// No more seats are taken than there are.
    pub fn check_seats(&self) {
        let taken = hold(&self.network).vendor.seats(0, self.now);
        assert!(taken <= SEATS, "{taken} seats are taken of {SEATS}");
    }

    /// The network is good, disks are whole, clocks are right: everything is well again, whatever
    /// went before.
    pub fn heal(&mut self) {
        hold(&self.network).is_calm = true;
        // What was written by a clock ahead of its time is not late any more.
        self.wait(2 * DAY);
        for at in 0..self.places.len() {
            self.mend(at);
            if self.places[at].status()["license"].is_null() {
                continue;
            }
            let mut given_up = false;
            for _ in 0..2 {
                self.wait(60);
                let done = self.call(at, "sync", false, licentia::Installation::sync);
                // Where a key was stolen, the license has to be had anew, which is not for whoever
                // has given it up by a request that was long on its way, or has no machine.
                let code = done.as_ref().err().map(licentia::Error::code);
                given_up |= self.is_stolen && code == Some(licentia::Code::Refused);
                done.unwrap_or_else(|error| {
                    assert!(given_up, "{at} is not well again: {error}");
                });
            }
            self.check(at);
            if !given_up {
                self.check_well(at);
            }
        }
        self.check_copies();
    }

    fn check_well(&mut self, at: usize) {
        let said = self.places[at].status();
        let place = &self.places[at];
        let network = hold(&self.network);
        assert!(said["issuer"]["failure"].is_null(), "{at}: {}", said["issuer"]);
        assert_eq!(said["issuer"]["last_contact"], self.now, "{at}: {}", said["issuer"]);
        let id = said["state"]["installation"].as_str().unwrap();
        let row = network.vendor.activation(place.license, id);
        let row = row.filter(|row| row.deactivated_at.is_none());
        let status = network.vendor.license(place.license)["status"].clone();
        let (reason, in_force) = (said["reason"].as_str().unwrap(), said["in_force"] == true);
        match status.as_str().unwrap() {
            "active" => assert!(in_force || row.is_none(), "{at} is locked out: {said}"),
            "revoked" => {
                let is_told = reason == "revoked" || said["issuer"]["status"] == "revoked";
                assert!(!in_force && is_told, "{at}: {said}");
            }
            "suspended" => assert_eq!(said["issuer"]["status"], "suspended", "{at}: {said}"),
            "expired" => assert!(!in_force, "{at}: {said}"),
            other => panic!("{other}"),
        }
        let Some(row) = row.filter(|_| !place.is_copied) else { return };
        for (of, feature) in FEATURES.iter().enumerate() {
            let used = network.vendor.used(row.id, feature);
            let range = place.counted[of]..=place.counted[of] + place.perhaps[of];
            assert!(
                range.contains(&used),
                "the server has {used} {feature} of {at}, not {range:?}"
            );
        }
        let told = network.vendor.told(row.id);
        let blamed = told.iter().find(|it| it.contains("clone") || it.contains("forked"));
        assert_eq!(blamed, None, "{at} is an honest product");
    }

    /// Two of one folder are told to the vendor, and go on.
    fn check_copies(&mut self) {
        let copies: Vec<usize> = (20..self.places.len()).collect();
        for copy in copies {
            let first = self.places[copy].line;
            for _ in 0..3 {
                for at in [first, copy] {
                    self.wait(60);
                    self.places[at].wake(self.now);
                    let _ = self.places[at].installation.record(FEATURES[0], 1);
                    let _ = self.call(at, "sync", false, licentia::Installation::sync);
                }
            }
            let (one, other) = (self.places[first].status(), self.places[copy].status());
            if one["in_force"] != true || other["in_force"] != true {
                continue;
            }
            let id = one["state"]["installation"].as_str().unwrap();
            let network = hold(&self.network);
            let row = network.vendor.activation(self.places[first].license, id);
            let Some(row) = row.filter(|row| row.deactivated_at.is_none()) else { continue };
            let told = network.vendor.told(row.id);
            let is_told = told.iter().any(|it| it.contains("clone") || it.contains("forked"));
            assert!(is_told, "nobody was told of the copy {copy} of {first}: {told:?}");
        }
    }
}
