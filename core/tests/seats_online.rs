//! Seats that are asked for on line, of an issuer with a table of them and a clock of its own.

mod http_support;
mod installation_support;

use http_support::{Site, forge};
use installation_support::*;
use licentia::issue::{IssuerStatus, Request, read_request, sign_lease};
use licentia::{
    Claims, Code, Error, Installation, Issuer, Lease, Message, Product, SecretKey, issue,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const LASTS: i64 = 600;
const OTHER: &str = "11111111-2222-4333-8444-555555555555";

/// What a vendor's server does: gives out `seats` seats, and never takes back what it signed.
struct Desk {
    seats: usize,
    clock: AtomicI64,
    is_there: AtomicBool,
    says_no: Mutex<Option<Error>>,
    taken: Mutex<HashMap<(String, String), (i64, bool)>>,
    given: AtomicUsize,
    asked: Mutex<Vec<String>>,
}

impl Desk {
    fn new(seats: usize) -> Arc<Desk> {
        Arc::new(Desk {
            seats,
            clock: AtomicI64::new(NOW),
            is_there: AtomicBool::new(true),
            says_no: Mutex::default(),
            taken: Mutex::default(),
            given: AtomicUsize::new(0),
            asked: Mutex::default(),
        })
    }

    fn set_clock(&self, at: i64) {
        self.clock.store(at, Ordering::Relaxed);
    }

    fn goes(&self, is_there: bool) {
        self.is_there.store(is_there, Ordering::Relaxed);
    }

    fn says(&self, no: Option<Code>) {
        *self.says_no.lock().unwrap() = no.map(|code| Error::new(code, "because"));
    }

    /// How often it was asked since the last time.
    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// Forgets what it has signed, as after a backup was restored.
    fn forget(&self) {
        self.taken.lock().unwrap().clear();
    }

    fn taken(&self) -> usize {
        let now = self.clock.load(Ordering::Relaxed);
        self.taken.lock().unwrap().values().filter(|(end, _)| *end > now).count()
    }

    fn answer(&self, request: &Request) -> Result<Lease, Error> {
        let now = self.clock.load(Ordering::Relaxed);
        let Some(wanted) = request.seat.clone() else {
            return Err(Error::new(Code::Refused, "it gives out seats"));
        };
        let who = (request.installation.clone(), wanted.holder.clone());
        let mut taken = self.taken.lock().unwrap();
        taken.retain(|_, (end, _)| *end > now);
        let (mut exp, mut borrowed) = match wanted.days {
            None => (now + LASTS, false),
            Some(days) => (now + i64::from(days) * DAY, true),
        };
        if request.what == "release" {
            taken.remove(&who);
            (exp, borrowed) = (now, false);
        } else {
            if !taken.contains_key(&who) && taken.len() >= self.seats {
                return Err(Error::new(Code::NoSeat, "all are taken"));
            }
            if let Some(before) = taken.get(&who).filter(|(end, _)| *end >= exp) {
                (exp, borrowed) = *before;
            }
            taken.insert(who, (exp, borrowed));
        }
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        Ok(Lease {
            jti: format!("lease {number}"),
            iat: now,
            exp,
            nonce: Some(request.nonce.clone()),
            license_id: request.license.clone().unwrap().id,
            installation: Some(request.installation.clone()),
            holder: wanted.holder,
            seat: 1,
            borrowed,
        })
    }
}

impl Issuer for Desk {
    fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>, Error> {
        let request = read_request(message.request.as_bytes()).unwrap();
        self.asked.lock().unwrap().push(request.what.clone());
        if !self.is_there.load(Ordering::Relaxed) {
            return Err(Error::new(Code::Unreachable, "no route"));
        }
        if let Some(no) = self.says_no.lock().unwrap().clone() {
            return Err(no);
        }
        Ok(token(&self.answer(&request)?).into_bytes())
    }
}

/// An issuer that says whatever it is told to of what an honest one says.
struct Liar<F>(Arc<Desk>, F);

impl<F: Fn(&Request, Lease) -> String + Send + Sync> Issuer for Liar<F> {
    fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>, Error> {
        let request = read_request(message.request.as_bytes()).unwrap();
        Ok((self.1)(&request, self.0.answer(&request)?).into_bytes())
    }
}

fn token(lease: &Lease) -> String {
    sign_lease(&vendor(), "myapp", ISSUER, lease).unwrap()
}

/// A product, its folder, and an issuer. Of a thousand days: what is borrowed lasts.
struct Place {
    product: Product,
    desk: Arc<Desk>,
    it: Site,
}

impl Place {
    fn new(seats: usize) -> Place {
        let (product, desk) = (product(), Desk::new(seats));
        let mut it = Site::new(&product);
        it.connect(Arc::clone(&desk) as Arc<dyn Issuer>);
        it.apply(long(|_| {}).as_bytes()).unwrap();
        Place { product, desk, it }
    }

    /// Both clocks.
    fn go_to(&mut self, at: i64) {
        set_clock(&mut self.product, at);
        self.desk.set_clock(at);
    }

    fn again(&self) -> Installation {
        let mut it = self.product.open(self.it.folder.path()).unwrap();
        it.connect(Arc::clone(&self.desk) as Arc<dyn Issuer>);
        it
    }

    fn code(&self, holder: &str, days: u32) -> Code {
        self.it.seat(holder, days).unwrap_err().code()
    }
}

fn long(change: impl FnOnce(&mut Claims)) -> String {
    license(|claims| {
        claims.license.valid_until = Some(NOW + 1_000 * DAY);
        change(claims);
    })
}

#[test]
fn a_seat_is_renewed_in_its_half_time_and_given_back() {
    let mut at = Place::new(1);
    let seat = at.it.seat(" ann ", 0).unwrap();
    assert_eq!((seat.holder(), seat.expires(), seat.is_held()), ("ann", Some(NOW + LASTS), true));
    assert_eq!(at.code("bob", 0), Code::NoSeat);
    let other = Place { product: product(), desk: Arc::clone(&at.desk), it: Site::new(&product()) };
    assert_eq!(other.code("ann", 0), Code::NotLicensed);
    for half in 1..=20 {
        at.go_to(NOW + half * LASTS / 2);
        seat.renew().unwrap();
        assert_eq!(seat.expires(), Some(NOW + half * LASTS / 2 + LASTS));
    }
    let again = at.it.seat("ann", 0).unwrap();
    assert_eq!((again.expires(), at.desk.taken()), (seat.expires(), 1), "the same seat");
    seat.release().unwrap();
    assert_eq!((seat.expires(), again.expires(), at.desk.taken()), (None, None, 0));
    at.desk.heard();
    again.release().unwrap();
    assert_eq!(at.desk.heard().len(), 0, "there is nothing to give back");
    let bob = at.it.seat("bob", 0).unwrap();
    assert!(bob.is_held() && !seat.is_held());
    assert_eq!(seat.renew().unwrap_err().code(), Code::NoSeat);
    bob.release().unwrap();
    seat.renew().unwrap();
    assert!(seat.is_held(), "one that was given back is asked for again");
}

#[test]
fn a_process_that_dies_gives_its_seat_back_by_the_end_of_the_lease() {
    let mut at = Place::new(1);
    drop(at.it.seat("ann", 0).unwrap());
    assert_eq!((at.desk.taken(), at.code("bob", 0)), (1, Code::NoSeat), "dropping asks nobody");
    at.go_to(NOW + LASTS - 1);
    assert_eq!(at.code("bob", 0), Code::NoSeat);
    let next = at.again();
    let seat = next.seat("ann", 0).unwrap();
    assert_eq!((at.desk.taken(), at.it.lease("ann").is_some()), (1, true), "the next has the same");
    at.go_to(NOW + 2 * LASTS - 1);
    assert!(!seat.is_held());
    assert!(at.it.seat("bob", 0).unwrap().is_held(), "it has come back by itself");
    assert_eq!(seat.renew().unwrap_err().code(), Code::NoSeat);
}

#[test]
fn out_of_reach_what_is_held_is_given_all_the_same() {
    let mut at = Place::new(2);
    let seat = at.it.seat("ann", 0).unwrap();
    at.desk.goes(false);
    at.go_to(NOW + LASTS - 1);
    assert_eq!(at.it.seat("ann", 0).unwrap().expires(), Some(NOW + LASTS));
    assert_eq!(at.again().seat("ann", 0).unwrap().expires(), Some(NOW + LASTS));
    assert_eq!(at.code("bob", 0), Code::Unreachable);
    assert_eq!(at.code("ann", 3), Code::Unreachable, "it was never borrowed");
    assert_eq!(seat.renew().unwrap_err().code(), Code::Unreachable);
    assert_eq!(seat.release().unwrap_err().code(), Code::Unreachable);
    assert!(seat.is_held(), "whatever failed");
    at.go_to(NOW + LASTS);
    assert_eq!((seat.expires(), at.code("ann", 0)), (None, Code::Unreachable));
    seat.release().unwrap();

    // No server at all, and a lease that came by hand.
    let none = Site::new(&at.product);
    none.apply(long(|_| {}).as_bytes()).unwrap();
    assert_eq!(none.seat("ann", 0).unwrap_err().code(), Code::NoTransport);
    let request = none.request("borrow", Some("7 ann")).unwrap();
    let lease = at.desk.answer(&read_request(request.as_bytes()).unwrap()).unwrap();
    none.apply(token(&lease).as_bytes()).unwrap();
    for days in [0, 7] {
        assert_eq!(none.seat("ann", days).unwrap().expires(), Some(NOW + LASTS + 7 * DAY));
    }
    let reads = at.product.open_to_read(none.folder.path()).unwrap();
    let seat = reads.seat("ann", 0).unwrap();
    assert_eq!(seat.renew().unwrap_err().code(), Code::StateUnavailable);
    assert_eq!(reads.seat("bob", 0).unwrap_err().code(), Code::StateUnavailable);
}

#[test]
fn whoever_says_no_is_heard_also_while_a_seat_is_held() {
    let at = Place::new(1);
    let seat = at.it.seat("ann", 0).unwrap();
    for no in [Code::NoSeat, Code::Refused] {
        at.desk.says(Some(no));
        assert_eq!(at.code("ann", 0), no);
        assert_eq!(seat.renew().unwrap_err().code(), no);
        assert_eq!(seat.release().unwrap_err().code(), no);
        assert_eq!(seat.expires(), Some(NOW + LASTS), "what was signed lasts");
    }
    at.desk.heard();
    for (holder, days) in
        [("", 0), (" \t", 0), ("a\nb", 0), ("ann", 367), ("ann", u32::MAX), ("", 1)]
    {
        assert_eq!(at.code(holder, days), Code::InvalidArgument, "{holder:?} {days}");
    }
    let (most, more) = ("ü".repeat(64), "ü".repeat(64) + "x");
    assert_eq!(at.code(&more, 0), Code::InvalidArgument);
    assert_eq!(at.code(&more, 366), Code::InvalidArgument);
    assert_eq!(at.desk.heard().len(), 0);
    at.desk.says(None);
    seat.release().unwrap();
    for (holder, days) in [(most.as_str(), 366), ("30 ann", 1), ("7", 7), ("a  b", 0), ("-", 0)] {
        let seat = at.it.seat(holder, days).unwrap();
        assert_eq!((seat.holder(), seat.is_held()), (holder, true));
        seat.release().unwrap();
    }
}

#[test]
fn what_is_borrowed_never_gets_shorter() {
    let mut at = Place::new(1);
    let seat = at.it.seat("ann", 30).unwrap();
    let end = Some(NOW + 30 * DAY);
    at.go_to(NOW + DAY);
    seat.renew().unwrap();
    assert_eq!(seat.expires(), end);
    assert_eq!(at.it.seat("ann", 0).unwrap().expires(), end, "asked for as any other");
    assert_eq!(at.it.seat("ann", 5).unwrap().expires(), end, "for fewer days");
    assert_eq!(at.it.call("seat", Some("ann")).map(|()| seat.expires()), Ok(end));
    // A server that was restored from before has not heard of it.
    at.desk.forget();
    seat.renew().unwrap();
    assert_eq!(at.it.seat("ann", 0).unwrap().expires(), end);
    assert_eq!(at.it.seat("ann", 5).unwrap().expires(), end);
    assert!(at.it.lease("ann").unwrap().borrowed);
    // A program that borrows whenever it starts, on the way.
    at.desk.goes(false);
    at.go_to(NOW + 30 * DAY - 1);
    assert_eq!(at.again().seat("ann", 30).unwrap().expires(), end);
    at.desk.goes(true);
    seat.release().unwrap();
    assert_eq!((seat.expires(), at.desk.taken()), (None, 0), "before its time");
}

#[test]
fn a_seat_is_of_a_license_that_is_here_and_not_withdrawn() {
    let at = Place::new(2);
    let seat = at.it.seat("ann", 30).unwrap();
    at.it.apply(long(|claims| claims.iat = NOW + 1).as_bytes()).unwrap();
    assert!(seat.is_held(), "the license was renewed");
    let say = |seq, status| {
        at.it.apply(answer(&at.it, seq, |answer| answer.status = status).as_bytes()).unwrap();
        seat.is_held()
    };
    assert!(say(1, IssuerStatus::Suspended), "what is suspended comes back");
    assert!(say(2, IssuerStatus::Ok));
    assert!(!say(3, IssuerStatus::Revoked));
    at.desk.goes(false);
    assert_eq!(at.code("ann", 0), Code::Unreachable);
    at.desk.goes(true);
    assert_eq!(at.code("ann", 0), Code::Revoked, "whatever a server gives");
    assert!(say(4, IssuerStatus::Ok), "it was an error");
    let ids = [issue::license_id(&claims().license.id).unwrap()].into();
    let list = issue::sign_revocations(&vendor(), "myapp", ISSUER, 1, NOW, &ids).unwrap();
    at.it.apply(list.as_bytes()).unwrap();
    assert_eq!((seat.expires(), at.code("ann", 0)), (None, Code::Revoked));

    // Another license takes its place. The long lease of the old one is in nobody's way.
    at.it
        .apply(long(|claims| (claims.license.id, claims.iat) = (OTHER.into(), NOW + 2)).as_bytes())
        .unwrap();
    assert_eq!(seat.expires(), None);
    at.desk.forget();
    assert_eq!(at.it.seat("ann", 0).unwrap().expires(), Some(NOW + LASTS));
    assert_eq!(at.it.lease("ann").unwrap().license_id, OTHER);
}

/// A clock that is hours ahead has every lease of ten minutes end before it begins.
#[test]
fn a_clock_that_is_wrong_by_a_day_costs_nobody_a_seat() {
    for off in [-DAY, -3_600, -61, 0, 60, 61, 3_600, DAY, 300 * DAY] {
        let mut at = Place::new(1);
        let mut both = |from: i64| {
            at.desk.set_clock(NOW + from);
            set_clock(&mut at.product, NOW + off + from);
        };
        both(0);
        let seat = at.it.seat("ann", 0).unwrap();
        both(LASTS / 2);
        let left = seat.expires().unwrap() - (NOW + off + LASTS / 2);
        let most = LASTS / 2 + if off < 0 { -off } else { 0 };
        assert!((LASTS / 2 - 60..=most).contains(&left), "{off}: {left}");
        seat.renew().unwrap();
        both(LASTS + LASTS / 2 - 61);
        assert!(seat.is_held(), "{off}");
        seat.release().unwrap();
        assert!(!seat.is_held());
        at.it.seat("ann", 0).unwrap();
        both(2 * LASTS + LASTS + DAY);
        assert!(!seat.is_held(), "{off}: it ends");
    }
}

/// Where the clock was set back, it shows another time than the one that counts.
#[test]
fn the_end_of_a_lease_is_told_by_the_clock_of_the_machine() {
    let mut at = Place::new(1);
    at.go_to(NOW + DAY);
    let seat = at.it.seat("ann", 0).unwrap();
    set_clock(&mut at.product, NOW + 100);
    assert_eq!(seat.expires(), Some(NOW + 100 + LASTS), "the time goes on from where it was");
    set_clock(&mut at.product, NOW + DAY + LASTS - 1);
    assert_eq!(seat.expires(), Some(NOW + DAY + LASTS));
    // Signed time has the last word on a clock that was ahead, and on what it gave.
    let mut at = Place::new(1);
    set_clock(&mut at.product, NOW + DAY);
    let seat = at.it.seat("ann", 0).unwrap();
    assert_eq!(seat.expires(), Some(NOW + DAY + LASTS));
    set_clock(&mut at.product, NOW + 300);
    at.it.apply(answer(&at.it, 1, |answer| answer.server_time = NOW + 300).as_bytes()).unwrap();
    assert_eq!(seat.expires(), Some(NOW + LASTS));
    set_clock(&mut at.product, NOW + DAY + 100);
    assert_eq!(seat.expires(), None, "not when that time comes, either");
}

/// A lease of a license that is here, too, but not the one in use.
#[test]
fn a_seat_is_of_the_license_in_use() {
    let mut at = Place::new(2);
    at.it.seat("ann", 30).unwrap();
    let newer = long(|claims| {
        claims.license.id = OTHER.into();
        claims.license.valid_until = Some(NOW + 2_000 * DAY);
    });
    at.it.set("license", &newer).unwrap();
    at.desk.forget();
    assert_eq!(at.it.seat("ann", 0).unwrap().expires(), Some(NOW + LASTS));
    assert_eq!(at.it.lease("ann").unwrap().license_id, OTHER);
}

#[test]
fn who_edits_the_folder_has_no_seat_longer_than_it_was_leased() {
    let mut at = Place::new(1);
    set_clock(&mut at.product, NOW + DAY);
    let seat = at.it.seat("ann", 0).unwrap();
    let came = |at: &Place, to: i64| {
        forge(at.it.folder.path(), |state| state["leases"][0]["came"]["at"] = to.into());
    };
    came(&at, NOW + 900 * DAY);
    assert_eq!(seat.expires(), None, "it has not come yet");
    came(&at, i64::MAX);
    assert_eq!(seat.expires(), None);
    came(&at, NOW + DAY);
    assert_eq!(seat.expires(), Some(NOW + DAY + LASTS));
}

/// Everything here is signed by the vendor, and was made for this installation.
#[test]
fn the_answer_is_to_what_was_asked_and_to_nothing_else() {
    let desk = Desk::new(9);
    let (replayed, own) = (Arc::new(Mutex::new(Vec::new())), Place::new(9));
    let mut it = own.again();
    let keeps = Arc::clone(&replayed);
    let tape = move |_: &Request, lease: Lease| {
        let text = token(&lease);
        keeps.lock().unwrap().push(text.clone());
        text
    };
    it.connect(Arc::new(Liar(Arc::clone(&desk), tape)));
    for holder in ["ann", "bob"] {
        it.seat(holder, 0).unwrap().release().unwrap();
        it.seat(holder, 1).unwrap();
    }
    it.seat("ann", 0).unwrap().release().unwrap();
    let tape = replayed.lock().unwrap().clone();
    assert_eq!(tape.len(), 8);
    set_clock(&mut own.product.clone(), NOW + 1);
    for text in tape {
        let again = text.clone();
        let mut it = own.again();
        it.connect(Arc::new(Liar(Arc::clone(&desk), move |_: &Request, _| again.clone())));
        let held = it.lease("bob").is_some();
        for (holder, days) in [("ann", 0), ("ann", 1), ("eve", 0)] {
            let error = it.seat(holder, days).unwrap_err();
            assert_eq!(error.code(), Code::WrongInstallation, "{holder} {days} {text}");
        }
        let bob = it.seat("bob", 0).unwrap();
        assert!(held, "it is given because it is held");
        assert_eq!(bob.release().unwrap_err().code(), Code::WrongInstallation, "{text}");
        assert!(bob.is_held());
    }
    type Change = fn(&mut Lease);
    let lies: &[(Code, Change)] = &[
        (Code::WrongInstallation, |lease| lease.holder = "eve".into()),
        (Code::WrongInstallation, |lease| lease.nonce = None),
        (Code::WrongInstallation, |lease| lease.installation = Some(OTHER.into())),
        (Code::WrongInstallation, |lease| lease.license_id = OTHER.into()),
        (Code::WrongInstallation, |lease| lease.exp = lease.iat),
        (Code::Expired, |lease| (lease.iat, lease.exp) = (NOW - 10, NOW - 9)),
    ];
    for (number, (code, change)) in lies.iter().enumerate() {
        let mut it = own.again();
        let lie = |_: &Request, mut lease: Lease| {
            change(&mut lease);
            token(&lease)
        };
        it.connect(Arc::new(Liar(Arc::clone(&desk), lie)));
        assert_eq!(it.seat("ann", 0).unwrap_err().code(), *code, "{number}");
        assert_eq!(it.lease("ann"), None, "{number}");
    }
    let mut it = own.again();
    let stranger = SecretKey::from_seed(&[8; 32]).unwrap();
    let forged = move |_: &Request, lease| sign_lease(&stranger, "myapp", ISSUER, &lease).unwrap();
    it.connect(Arc::new(Liar(Arc::clone(&desk), forged)));
    assert_eq!(it.seat("ann", 0).unwrap_err().code(), Code::UnknownKey);
    it.connect(desk);
    assert!(it.seat("ann", 0).unwrap().is_held(), "the next good answer is good");
}

#[test]
fn a_clock_of_the_vendor_that_is_set_back_keeps_nobody_out() {
    let at = Place::new(1);
    at.desk.set_clock(NOW + 3_600);
    let seat = at.it.seat("ann", 0).unwrap();
    seat.release().unwrap();
    at.desk.set_clock(NOW);
    assert!(at.it.seat("ann", 0).unwrap().is_held(), "signed before it was given back");
    seat.release().unwrap();
    assert!(!seat.is_held());
}

#[test]
fn many_ask_at_once_and_more_than_there_are_seats_never_have_one() {
    let at = Place::new(5);
    let got = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (at, got) = (&at, &got);
            scope.spawn(move || {
                let it = at.again();
                match it.seat(&format!("worker {number}"), 0) {
                    Ok(seat) => {
                        assert!(seat.is_held());
                        got.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => assert_eq!(error.code(), Code::NoSeat),
                }
            });
        }
    });
    assert_eq!((got.into_inner(), at.desk.taken()), (5, 5));
    // One holder is one, however many of his programs ask.
    let at = Place::new(1);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| at.again().seat("ann", 0).unwrap().renew().unwrap());
        }
    });
    assert_eq!(at.desk.taken(), 1);
}

/// A folder keeps 1,024. Whoever is over asks again.
#[test]
fn of_more_holders_than_are_kept_the_first_to_end_asks_again() {
    let mut at = Place::new(2_000);
    let held: Vec<_> = (0..1_024)
        .map(|number| {
            let holder = format!("user {number}");
            let request = at.it.request("seat", Some(&holder)).unwrap();
            let mut lease = at.desk.answer(&read_request(request.as_bytes()).unwrap()).unwrap();
            lease.exp += number;
            serde_json::json!({ "holder": holder, "jti": lease.jti, "until": lease.exp,
                "token": token(&lease) })
        })
        .collect();
    forge(at.it.folder.path(), |state| state["leases"] = held.into());
    at.go_to(NOW + 1);
    let seats = ["user 0", "user 1", "user 1023"].map(|holder| {
        let seat = at.it.seat(holder, 0).unwrap();
        assert!(seat.is_held(), "{holder}");
        seat
    });
    let new = at.it.seat("user 1024", 0).unwrap();
    assert_eq!(seats.each_ref().map(|seat| seat.is_held()), [true, false, true]);
    seats[1].renew().unwrap();
    assert!(seats[1].is_held() && new.is_held());
}
