//! What products, customers and the vendor do.

use crate::network::hold;
use crate::paper::{Letter, Paper};
use crate::place::{Has, Skew};
use crate::vendor::catalog;
use crate::world::World;
use licentia::simulate::Fault;
use licentia::{Code, Installation, Kind, Result};
use serde_json::json;

/// Features that are counted: for ever, and by the month.
pub const FEATURES: [&str; 2] = ["jobs", "exports"];

/// Copies of folders, at the most.
const COPIES: usize = 2;

/// What no simulation may ever be told.
const NEVER: &[Code] = &[
    Code::Internal,
    Code::InvalidArgument,
    Code::StateCorrupt,
    Code::WrongProduct,
    Code::WrongIssuer,
    Code::WrongMachine,
    Code::TooNew,
    Code::Busy,
    Code::InvalidKey,
    Code::WeakKey,
    Code::NoTransport,
];

/// What only a disk that fails says.
const OF_DISKS: &[Code] = &[Code::Io, Code::DiskFull, Code::StateUnavailable];

/// What only a false or misdirected answer is told.
const OF_LIARS: &[Code] = &[Code::Malformed, Code::WrongKind, Code::TooLarge, Code::BadSignature];

impl World {
    /// Something happens.
    pub fn act(&mut self) {
        let mut roll = self.dice.below(1000);
        for sort in 0..self.share.len() {
            match roll.checked_sub(self.share[sort]) {
                None => {
                    return match sort {
                        0 => self.sell(),
                        1 => self.break_disk(),
                        2 => self.wander(),
                        _ => self.restart(),
                    };
                }
                Some(rest) => roll = rest,
            }
        }
        match self.dice.below(100) {
            0..6 => {
                hold(&self.network).late();
                self.note("late".to_string());
            }
            6..12 => self.carry(),
            12..19 => self.hand_over(),
            19 if self.places.len() < 20 + COPIES && self.dice.chance(200) => self.copy(),
            _ => {
                let at = self.any();
                self.work(at, false);
                self.check(at);
            }
        }
    }

    /// A product does something, perhaps on a disk that fails.
    fn work(&mut self, at: usize, fails: bool) {
        match self.dice.below(100) {
            0..30 => self.count(at, fails),
            30..52 => self.sync(at, fails),
            52..58 => self.renew(at, fails),
            58..74 => self.get(at, fails),
            74..76 => self.give_up(at, fails),
            76..88 => self.sit(at, fails),
            88..96 => self.write(at, fails),
            96..98 => {
                let _ = self.call(at, "clock", fails, |it| it.call("clock", None));
            }
            _ => {
                let word = if self.dice.chance(500) { "keys" } else { "revocations" };
                let _ = self.call(at, word, fails, |it| it.call(word, None));
            }
        }
    }

    /// Has a product do something, and judges what comes of it.
    pub fn call(
        &mut self,
        at: usize,
        name: &str,
        fails: bool,
        work: impl FnOnce(&Installation) -> Result<()>,
    ) -> Result<()> {
        let mut network = hold(&self.network);
        network.delivered.clear();
        network.troubles = 0;
        network.asked = self.places[at].taken.len();
        drop(network);
        self.places[at].wake(self.now);
        let done = work(&self.places[at].installation);
        let came = std::mem::take(&mut hold(&self.network).delivered);
        self.note(format!("{at} {name}: {}", slug(&done)));
        self.judge(at, name, fails, &came, &done);
        hold(&self.network).delivered = came;
        done
    }

    /// Whether what came of something could have come of it.
    fn judge(&mut self, at: usize, name: &str, fails: bool, came: &[Paper], done: &Result<()>) {
        match done {
            // A seat that is held is given whatever comes.
            Ok(()) if name.contains("seat") => {}
            // One that is refused is asked for again where newer keys have come: the last counts.
            Ok(()) => came
                .iter()
                .enumerate()
                .filter(|(at, paper)| came[at + 1..].iter().all(|later| later.kind != paper.kind))
                .for_each(|(_, paper)| self.places[at].take(paper)),
            Err(error) => {
                let code = error.code();
                assert!(!NEVER.contains(&code), "{at} {name}: {error}");
                assert!(fails || !OF_DISKS.contains(&code), "{at} {name}: {error}");
                let is_honest = came.iter().all(|paper| paper.is_fresh);
                assert!(!is_honest || !OF_LIARS.contains(&code), "{at} {name}: {error}");
            }
        }
    }

    fn count(&mut self, at: usize, fails: bool) {
        let (of, amount) = (self.dice.below(2) as usize, 1 + self.dice.below(5));
        self.places[at].wake(self.now);
        let allowed = self.places[at].installation.allows(FEATURES[of]);
        let done = self.call(at, "record", fails, |it| it.record(FEATURES[of], amount));
        let place = &mut self.places[at];
        match done {
            Ok(()) => {
                assert!(allowed || fails, "{at} counted without a license");
                place.counted[of] += amount;
            }
            Err(_) if fails => place.perhaps[of] += amount,
            Err(error) => assert!(!allowed, "{at}: {error}"),
        }
    }

    /// A product reports. Where nothing goes wrong on the way, and its clock is right, nothing
    /// keeps it from that.
    pub fn sync(&mut self, at: usize, fails: bool) {
        let before = self.places[at].is_clean && self.places[at].is_right();
        let has = self.places[at].has == Has::Yes;
        let done = self.call(at, "sync", fails, Installation::sync);
        let untroubled = hold(&self.network).troubles == 0;
        if let Err(error) = done
            && before
            && has
            && untroubled
            && !fails
        {
            panic!("{at} cannot sync: {error}");
        }
    }

    fn renew(&mut self, at: usize, fails: bool) {
        self.begin_again(at);
        let _ = self.call(at, "renew", fails, Installation::renew);
    }

    /// A product gets its license: by its key, or as a file.
    fn get(&mut self, at: usize, fails: bool) {
        if self.places[at].has == Has::Yes && self.dice.chance(800) {
            return self.sync(at, fails);
        }
        let sold = &catalog().licenses[self.places[at].license];
        let done = if self.dice.chance(700) {
            self.begin_again(at);
            self.call(at, "activate", fails, |it| it.activate(&sold.key))
        } else {
            self.call(at, "apply license", fails, |it| it.apply(sold.token.as_bytes()))
        };
        let place = &mut self.places[at];
        match done {
            Ok(()) => place.has = Has::Yes,
            Err(_) if fails && place.has == Has::No => place.has = Has::Perhaps,
            Err(_) => {}
        }
    }

    fn give_up(&mut self, at: usize, fails: bool) {
        let done = self.call(at, "deactivation", fails, |it| it.call("deactivation", None));
        let place = &mut self.places[at];
        match done {
            Ok(()) => place.has = Has::No,
            Err(_) if fails && place.has == Has::Yes => place.has = Has::Perhaps,
            Err(_) => {}
        }
    }

    /// Somebody sits down, stays, or gets up.
    fn sit(&mut self, at: usize, fails: bool) {
        // Those of the one floating license, mostly.
        let at = if at < 20 && self.dice.chance(700) { at % 4 } else { at };
        let held = self.places[at].seats.len() as u64;
        let roll = self.dice.below(10);
        if held == 0 || roll < 4 {
            let holder = format!("user {at}.{}", self.dice.below(2));
            let days = if self.dice.chance(200) { 2 } else { 0 };
            let mut got = None;
            self.places[at].wake(self.now);
            let had = self.places[at].installation.lease(&holder).is_some();
            let take = |it: &Installation| it.seat(&holder, days).map(|seat| got = Some(seat));
            let done = self.call(at, "seat", fails, take);
            let is_lease = |it: &Paper| it.kind == Kind::Lease && !it.is_false;
            let given = hold(&self.network).delivered.iter().any(is_lease);
            assert!(done.is_err() || had || given, "{at} has a seat that nobody gave");
            self.places[at].seats.extend(got);
        } else {
            let seat = self.places[at].seats.swap_remove(self.dice.below(held) as usize);
            if roll < 7 {
                let _ = self.call(at, "renew seat", fails, |_| seat.renew());
                self.places[at].seats.push(seat);
            } else if roll < 9 {
                let _ = self.call(at, "release seat", fails, |_| seat.release());
            }
        }
        self.check_seats();
    }

    /// A product writes a text for the vendor.
    fn write(&mut self, at: usize, fails: bool) {
        let words = ["sync", "renewal", "activation", "deactivation", "license", "clock"];
        let word = words[self.dice.below(words.len() as u64) as usize];
        let sold = &catalog().licenses[self.places[at].license];
        let key = (word == "activation" || word == "license").then_some(sold.key.as_str());
        let key = key.filter(|_| word == "activation");
        let mut text = None;
        let _ = self.call(at, &format!("request {word}"), fails, |it| {
            it.request(word, key).map(|request| text = Some(request))
        });
        let (from, asked) = (self.places[at].line, self.places[at].taken.len());
        self.desk.extend(text.map(|request| Letter { from, asked, request }));
    }

    /// Somebody carries a text to the vendor, perhaps for the second time.
    fn carry(&mut self) {
        if self.desk.is_empty() {
            return;
        }
        let at = self.dice.below(self.desk.len() as u64) as usize;
        let from = self.desk[at].from;
        let answer = hold(&self.network).answer(&self.desk[at]);
        self.note(format!("a text of {from} is redeemed: {}", slug(&answer)));
        self.mail.extend(answer.ok().map(|paper| Paper { is_fresh: false, ..paper }));
        if self.dice.chance(700) {
            self.desk.remove(at);
        }
    }

    /// Somebody hands over an answer: to whom it is for, mostly, and for the first time, mostly.
    fn hand_over(&mut self) {
        let heard = self.dice.chance(300);
        let paper = match heard || self.mail.is_empty() {
            true => hold(&self.network).remembered(|_| true),
            false => {
                let at = self.dice.below(self.mail.len() as u64) as usize;
                let keep = self.dice.chance(300);
                let paper = self.mail[at].clone();
                if !keep {
                    self.mail.remove(at);
                }
                Some(paper)
            }
        };
        let Some(paper) = paper else { return };
        let at = if self.dice.chance(800) { paper.owner } else { self.any() };
        let name = format!("apply {:?} to {} of {}", paper.kind, paper.word, paper.owner);
        self.places[at].wake(self.now);
        let done = self.places[at].installation.apply(&paper.text);
        self.note(format!("{at} {name}: {}", slug(&done)));
        self.judge(at, &name, false, std::slice::from_ref(&paper), &done);
        if done.is_ok() && paper.is_answer() {
            let brings = !paper.said["license"].is_null();
            let place = &mut self.places[at];
            match paper.word.as_str() {
                "deactivation" => place.has = Has::No,
                "sync" => {}
                _ if brings => place.has = Has::Yes,
                _ => {}
            }
        }
        self.check(at);
    }

    /// A folder is copied, and both go on.
    fn copy(&mut self) {
        let (at, number) = (self.any(), self.places.len());
        if self.places[at].is_copied || self.places[at].has != Has::Yes {
            return;
        }
        let copy = self.places[at].copy(number, self.now, &self.network);
        self.places.push(copy);
        self.note(format!("{at} is copied: {number}"));
    }

    /// The power goes, or something fails, while a product works.
    fn break_disk(&mut self) {
        let at = self.any();
        if self.dice.chance(500) {
            let steps = self.dice.below(40);
            self.places[at].disk.end_after(steps);
            self.work(at, true);
            // Where power goes is the disk's affair: the rest does not depend on it.
            let mut dice = licentia::simulate::Dice(self.dice.roll());
            let left = self.places[at].disk.crash(&mut dice);
            self.places[at].disk = left;
            self.begin_again(at);
            self.note(format!("{at} had no power"));
        } else {
            let fault = Fault::ALL[self.dice.below(6) as usize];
            let (steps, lasts) = (1 + self.dice.below(40), self.dice.chance(300));
            self.places[at].disk.fail(steps, fault, lasts);
            self.work(at, true);
            self.places[at].disk.heal();
            self.note(format!("{at} had {fault:?}"));
        }
        self.check(at);
    }

    /// A process ends, and another begins: of a product, or of the server.
    fn restart(&mut self) {
        if self.dice.chance(300) {
            let duly = self.dice.chance(500);
            hold(&self.network).vendor.restart(duly);
            return self.note(format!("the server begins again: {duly}"));
        }
        let at = self.any();
        self.begin_again(at);
        self.note(format!("{at} begins again"));
        self.check(at);
    }

    fn begin_again(&mut self, at: usize) {
        self.places[at].reopen(self.now, &self.network);
    }

    /// The vendor does something.
    fn sell(&mut self) {
        let license = self.dice.below(catalog().licenses.len() as u64) as usize;
        let path = crate::vendor::path(license);
        let post = |what: &str, body| Some(("POST", format!("{path}/{what}"), body));
        let roll = self.dice.below(100);
        let asked = match roll {
            0..22 => post("suspend", json!({})),
            22..50 => post("reinstate", json!({})),
            50..60 => Some(("DELETE", path.clone(), json!({}))),
            60..72 => post("renew", json!({ "valid_days": 30 })),
            72..76 => post("reissue", json!({})),
            _ => None,
        };
        let Some((method, path, body)) = asked else { return self.keep_house(roll) };
        let mut network = hold(&self.network);
        let (status, _) = network.vendor.ask(method, &path, Some(body));
        assert!(status < 500, "{method} {path}: {status}");
        if status == 200 {
            match roll {
                0..22 => network.suspended[license] = true,
                22..50 => network.suspended[license] = false,
                50..60 => network.revoked[license] = true,
                _ => {}
            }
        }
        drop(network);
        self.note(format!("the vendor: license {license}, {roll}: {status}"));
    }

    /// The vendor looks after keys and backups.
    fn keep_house(&mut self, roll: u64) {
        let mut network = hold(&self.network);
        let backups = network.vendor.backups();
        match roll {
            76..82 => network.vendor.rotate(),
            82..85 => network.vendor.end_key("license", "retire"),
            85..88 => network.vendor.end_key("server", "retire"),
            88 => network.vendor.end_key("license", "compromise"),
            89 => network.vendor.end_key("server", "compromise"),
            90..96 => network.vendor.back_up(),
            _ if backups == 0 => {}
            _ => {
                let backup = self.dice.below(backups as u64) as usize;
                network.vendor.restore(backup);
                for license in 0..catalog().licenses.len() {
                    let seen = network.vendor.license(license);
                    let revoked = !seen["revoked_at"].is_null();
                    assert_eq!(revoked, network.revoked[license], "a backup revived {license}");
                    network.suspended[license] = !seen["suspended_at"].is_null();
                }
                self.is_restored = true;
            }
        }
        self.is_stolen |= roll == 88 || roll == 89;
        drop(network);
        self.note(format!("the vendor: {roll}"));
    }

    /// A clock is right, and no disk fails.
    pub fn mend(&mut self, at: usize) {
        self.places[at].skew = Skew::By(0);
        self.places[at].disk.heal();
        self.begin_again(at);
    }
}

/// What came of something, in a word.
pub fn slug<T>(done: &Result<T>) -> &'static str {
    done.as_ref().map_or_else(licentia::Error::slug, |_| "ok")
}
