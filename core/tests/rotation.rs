//! Keys that change without a new product: one set after the other, keys that are retired, and
//! keys that were stolen. What a set may do and may not is TUF 5.3's list.

mod house_support;
mod http_support;
mod installation_support;

use house_support::*;
use http_support::{Site, kept};
use installation_support::*;
use licentia::issue::{self, IssuerStatus, sign_bytes, sign_keys};
use licentia::{Code, Issuer, KeySet, Kind, Role, SecretKey, TrustedKey};
use serde_json::{Value, json};
use std::sync::Arc;

const OTHER: &str = "11111111-2222-4333-8444-555555555555";

/// The keys that take the place of the pinned ones.
const NEXT_LICENSES: u8 = 32;
const NEXT_ANSWERS: u8 = 33;

fn trusted(seed: u8, roles: &[Role]) -> TrustedKey {
    TrustedKey::new(key(seed).public().clone(), roles)
}

fn next() -> Vec<TrustedKey> {
    vec![trusted(NEXT_LICENSES, &[Role::License]), trusted(NEXT_ANSWERS, &[Role::Server])]
}

/// The old keys as stolen, and new ones.
fn after_the_theft() -> Vec<TrustedKey> {
    let mut keys = next();
    keys.push(trusted(LICENSES, &[Role::License]).compromised());
    keys.push(trusted(ANSWERS, &[Role::Server]).compromised());
    keys
}

fn steal(counter: &Counter) {
    let mut house = counter.house();
    (house.licenses, house.answers) = (NEXT_LICENSES, NEXT_ANSWERS);
    house.now += 1;
    house.rotate(after_the_theft());
}

fn connected(counter: &Arc<Counter>) -> Site {
    let mut it = Site::within(&product_at("test", NOW), light_folder());
    it.apply(counter.house().usual().as_bytes()).unwrap();
    it.connect(Arc::clone(counter) as Arc<dyn Issuer>);
    it
}

fn key_id(it: &Site) -> Value {
    status(it)["license"]["key_id"].clone()
}

fn signed_by(it: &Site, seed: u8) -> bool {
    key_id(it) == json!(key(seed).public().kid())
}

#[test]
fn rotation_goes_on_line_from_set_to_set_also_over_some_that_were_missed() {
    let counter = Counter::new(House::default());
    let it = connected(&counter);
    it.sync().unwrap();
    // A set that lists what there was, and then three that nobody has fetched.
    let (mut retired, mut last) = (Vec::new(), LICENSES);
    for seed in [41, 43, 45, 47] {
        {
            let mut house = counter.house();
            let until = house.now + 1;
            retired.push(trusted(house.licenses, &[Role::License]).retired(until));
            let mut keys = retired.clone();
            keys.push(trusted(seed, &[Role::License]));
            keys.push(trusted(seed + 1, &[Role::Server]));
            house.rotate(keys);
            (house.licenses, house.answers, house.now) = (seed, seed + 1, until);
        }
        if seed == 43 || seed == 45 {
            continue;
        }
        counter.words();
        it.sync().unwrap();
        assert_eq!(counter.words(), ["sync", "keys"], "{seed}: asked for what signed the answer");
        assert!(signed_by(&it, last), "what a retired key signed in its time goes on");
        let renewal = counter.house().usual();
        it.apply(renewal.as_bytes()).unwrap();
        assert!(signed_by(&it, seed), "{seed}");
        last = seed;
    }
    let old = sign_keys(&key(ROOT), "myapp", ISSUER, NOW, 2, &KeySet::of(next()).unwrap()).unwrap();
    assert_eq!(it.apply(old.as_bytes()).unwrap_err().code(), Code::OlderThanInstalled);
}

/// The key that signs answers stays, and the answer says that there is a newer set.
#[test]
fn rotation_is_told_by_an_answer_and_fetched_with_it() {
    let counter = Counter::new(House::default());
    let it = connected(&counter);
    let keys = vec![trusted(NEXT_LICENSES, &[Role::License]), trusted(ANSWERS, &[Role::Server])];
    counter.house().rotate(keys);
    it.sync().unwrap();
    assert_eq!(counter.words(), ["sync", "keys"]);
    it.sync().unwrap();
    assert_eq!(counter.words(), ["sync"], "it has it");
    // Where the set cannot be had, what the answer said holds, and the call says why it failed.
    counter.house().next_sync_by = Some(NOW + DAY);
    counter.house().rotate(next());
    counter.bend(|_, request| (request.what == "keys").then(|| Err(Error::no_route())));
    it.record("exports", 1).unwrap();
    assert_eq!(it.sync().unwrap_err().code(), Code::Unreachable);
    assert_eq!(status(&it)["issuer"]["next_sync_by"], NOW + DAY);
    assert_eq!(status(&it)["issuer"]["failure"]["code"], "unreachable");
    assert_eq!(counter.house().used.len(), 1);
    let told = issue::read_request(it.request("sync", None).unwrap().as_bytes()).unwrap();
    assert_eq!(told.sync.unwrap().usage, [], "what was used is not told again");
    counter.mend();
    it.sync().unwrap();
    assert_eq!(status(&it)["issuer"]["failure"], json!(null));
}

struct Error;

impl Error {
    fn no_route() -> licentia::Error {
        licentia::Error::new(Code::Unreachable, "no route")
    }
}

/// The drill: a hundred forged licenses are refused, a thousand honest customers go on, each by
/// what the vendor sends by file.
#[test]
fn rotation_after_a_theft_refuses_what_was_forged_and_keeps_who_is_honest() {
    let mut house = House::default();
    let mut honest = Vec::new();
    for number in 0..1_000_u32 {
        let mut claims = claims();
        claims.license.id = format!("00000000-0000-4000-8000-{number:012}");
        claims.sub = Some(format!("customer {number}"));
        honest.push(claims.license.id.clone());
        house.issued.insert(claims.license.id.clone(), claims);
    }
    let before: Vec<String> = honest.iter().map(|id| house.license(id)).collect();
    let forged: Vec<String> = (0..100)
        .map(|number: u32| {
            let mut claims = claims();
            claims.license.id = format!("ffffffff-0000-4000-8000-{number:012}");
            // The thief writes whatever date, before and after the theft.
            claims.iat = NOW - 50 + i64::from(number);
            issue::sign(&key(LICENSES), &claims).unwrap()
        })
        .collect();
    let mut product = product_at("test", NOW + 60);
    assert!(before.iter().chain(&forged).all(|it| product.verify(it.as_bytes()).is_ok()));
    house.licenses = NEXT_LICENSES;
    house.answers = NEXT_ANSWERS;
    house.now += 1;
    let set = house.rotate(after_the_theft());
    let it = Site::within(&product, light_folder());
    it.apply(before[0].as_bytes()).unwrap();
    it.apply(set.as_bytes()).unwrap();
    assert!(!it.allows("reports"), "the license of the stolen key is over");
    product.trust(&set).unwrap();
    for forged in &forged {
        assert_eq!(product.verify(forged.as_bytes()).unwrap_err().code(), Code::KeyCompromised);
        assert_eq!(it.apply(forged.as_bytes()).unwrap_err().code(), Code::KeyCompromised);
    }
    for id in &honest {
        let license = house.license(id);
        product.verify(license.as_bytes()).unwrap();
        it.apply_older(license.as_bytes()).unwrap();
        assert!(it.allows("reports"));
    }
    tried("100 forged licenses refused, 1,000 honest ones in force");
}

/// On line nobody is without a license for a moment: the set comes with what takes its place.
#[test]
fn rotation_after_a_theft_takes_no_license_before_it_brings_another() {
    for brings in [true, false] {
        for answers_too in [true, false] {
            let counter = Counter::new(House { brings, ..House::default() });
            let it = connected(&counter);
            it.sync().unwrap();
            steal(&counter);
            if !answers_too {
                let mut house = counter.house();
                house.answers = ANSWERS;
                let stolen = trusted(LICENSES, &[Role::License]).compromised();
                let answers = trusted(ANSWERS, &[Role::Server]);
                house.keys = None;
                house.rotate(vec![trusted(NEXT_LICENSES, &[Role::License]), answers, stolen]);
            }
            let what = format!("brings: {brings}, answers too: {answers_too}");
            // Whatever word cannot be had: the license works on until everything can be.
            for word in ["sync", "keys", "renewal"] {
                counter
                    .bend(move |_, request| (request.what == word).then(|| Err(Error::no_route())));
                let outcome = it.sync();
                assert!(it.allows("reports"), "{what}, without {word}: {outcome:?}");
                let status = status(&it);
                assert_eq!(status["reason"], "ok", "{what}, without {word}");
            }
            counter.mend();
            it.sync().unwrap();
            assert!(it.allows("reports") && signed_by(&it, NEXT_LICENSES), "{what}");
            let forged = issue::sign(&key(LICENSES), &claims()).unwrap();
            assert_eq!(it.apply(forged.as_bytes()).unwrap_err().code(), Code::KeyCompromised);
            it.sync().unwrap();
        }
    }
}

/// Whoever got the set by file, or was cut off in between, still has a name to ask by.
#[test]
fn rotation_by_file_after_a_theft_is_made_good_by_the_next_call() {
    for word in ["sync", "renewal", "activation"] {
        let counter = Counter::new(House { brings: true, ..House::default() });
        let it = connected(&counter);
        steal(&counter);
        let set = counter.house().keys.clone().unwrap().1;
        it.apply(set.as_bytes()).unwrap();
        assert!(!it.allows("reports"));
        let request = issue::read_request(it.request("sync", None).unwrap().as_bytes()).unwrap();
        assert_eq!(request.license.unwrap().id, claims().license.id);
        match word {
            "sync" => it.sync().unwrap(),
            word => {
                let text = it.request(word, None).unwrap();
                let request = issue::read_request(text.as_bytes()).unwrap();
                let answer = counter.house().answer(&request).unwrap();
                it.apply(answer.as_bytes()).unwrap();
            }
        }
        assert!(it.allows("reports") && signed_by(&it, NEXT_LICENSES), "{word}");
    }
}

/// What a thief of the key of answers has set as high as it goes is over with the key.
#[test]
fn rotation_forgets_what_a_thief_has_put_ahead() {
    type Poison = fn(&mut issue::SyncAnswer);
    const YEARS: i64 = 20 * 366 * DAY;
    let poisons: [(&str, Poison); 5] = [
        ("the number", |it| it.seq = 1_000_000 * u64::try_from(NOW + 399 * DAY).unwrap()),
        ("the time", |it| it.server_time = NOW + YEARS),
        ("the time and the number", |it| {
            it.server_time = NOW + YEARS;
            it.seq = 1_000_000 * u64::try_from(NOW + YEARS).unwrap();
        }),
        ("the next call", |it| {
            (it.sync_after, it.next_sync_by) = (Some(NOW + YEARS), Some(NOW + YEARS));
        }),
        ("everything, and that it is withdrawn", |it| {
            (it.server_time, it.status) = (NOW + YEARS, IssuerStatus::Revoked);
            it.seq = 1_000_000 * u64::try_from(NOW + YEARS).unwrap();
            it.message = Some("gone".to_string());
        }),
    ];
    let mut recovered = 0;
    for (what, poison) in poisons {
        let counter = Counter::new(House { brings: true, ..House::default() });
        let it = connected(&counter);
        counter.bend(move |house, request| {
            let mut answer = house.said(request);
            poison(&mut answer);
            Some(Ok(house.sign(&answer).into_bytes()))
        });
        let _ = it.sync();
        // The list of withdrawn licenses, too, with the highest number there is.
        let ids = [claims().license.id];
        let highest = 9_007_199_254_740_991;
        let thiefs = counter.house().withdraw(highest, &[ids[0].as_str()]);
        it.apply(thiefs.as_bytes()).unwrap();
        assert!(!it.allows("reports"), "{what}");
        counter.mend();
        steal(&counter);
        counter.house().list = None;
        counter.house().withdraw(7, &[OTHER]);
        it.sync().unwrap_or_else(|error| panic!("{what}: {error}"));
        it.sync().unwrap_or_else(|error| panic!("{what}, again: {error}"));
        let after = status(&it);
        assert_eq!(after["reason"], "ok", "{what}: {after}");
        assert_eq!(after["time"]["now"], NOW + 1, "{what}");
        assert_eq!(after["issuer"]["status"], "ok", "{what}");
        assert_eq!(after["issuer"]["next_sync_by"], json!(null), "{what}");
        // The vendor's own list counts.
        let mut other = claims();
        other.license.id = OTHER.to_string();
        let other = issue::sign(&key(NEXT_LICENSES), &other).unwrap();
        assert_eq!(it.apply(other.as_bytes()).unwrap_err().code(), Code::Revoked, "{what}");
        recovered += 1;
    }
    assert_eq!(recovered, 5);
}

/// No number is further ahead of its own time than 400 days, and plain counters are never.
#[test]
fn rotation_is_not_needed_for_a_number_of_no_time() {
    let counter = Counter::new(House::default());
    let it = connected(&counter);
    let micros = |at: i64| 1_000_000 * u64::try_from(at).unwrap();
    let edge = micros(NOW + 400 * DAY);
    for (seq, good) in [
        (1, true),
        (1_000_000, true),
        (micros(NOW), true),
        (9_007_199_254_740_991, false),
        (edge + 1, false),
        (edge, true),
    ] {
        let files = kept(it.folder.path());
        let request = issue::read_request(it.request("sync", None).unwrap().as_bytes()).unwrap();
        let mut answer = counter.house().said(&request);
        answer.seq = 1;
        let signed = counter.house().sign(&answer);
        let mut claims: Value =
            serde_json::from_str(&licentia::peek::peek(signed.as_bytes()).unwrap().payload)
                .unwrap();
        claims["seq"] = seq.into();
        let bytes = claims.to_string();
        let token = sign_bytes(&key(ANSWERS), Kind::Sync, bytes.as_bytes());
        let outcome = it.apply(token.as_bytes()).map_err(|error| error.code());
        assert_eq!(outcome, if good { Ok(()) } else { Err(Code::Malformed) }, "{seq}");
        assert!(good || kept(it.folder.path()) == files);
    }
}

/// The list's numbers and the set's: of nine ways to mix them, the told and the newer are taken.
#[test]
fn rotation_mixes_no_set_with_the_list_of_another_time() {
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Brought {
        Older,
        Told,
        Newer,
        /// The same number, and something else.
        Forged,
    }
    use Brought::*;
    let mut tried_pairs = 0;
    for keys in [Older, Told, Newer, Forged] {
        for list in [Older, Told, Newer, Forged] {
            let mut house = House::default();
            let with =
                |seed| vec![trusted(seed, &[Role::License]), trusted(ANSWERS, &[Role::Server])];
            let sets: Vec<String> = [51, 52, 53].map(|seed| house.rotate(with(seed))).into();
            let lists: Vec<String> = [4, 5, 6].map(|at| house.withdraw(at, &[OTHER])).into();
            let signed = |seed| {
                let set = KeySet::of(with(seed)).unwrap();
                sign_keys(&key(ROOT), "myapp", ISSUER, NOW, 2, &set).unwrap()
            };
            let forged_list = house.withdraw(5, &[]);
            house.keys = Some((2, sets[1].clone()));
            house.list = Some((5, lists[1].clone()));
            let choose = |of: &[String], which, forged: String| match which {
                Older => of[0].clone(),
                Told => of[1].clone(),
                Newer => of[2].clone(),
                Forged => forged,
            };
            let (set, listed) =
                (choose(&sets, keys, signed(54)), choose(&lists, list, forged_list));
            let counter = Counter::new(house);
            let it = connected(&counter);
            counter.bend(move |_, request| match request.what.as_str() {
                "keys" => Some(Ok(set.clone().into_bytes())),
                "revocations" => Some(Ok(listed.clone().into_bytes())),
                _ => None,
            });
            let good = |which| matches!(which, Told | Newer);
            let outcome = it.sync().map_err(|error| error.code());
            let wanted = if good(keys) && good(list) { Ok(()) } else { Err(Code::BadSignature) };
            assert_eq!(outcome, wanted, "{keys:?} {list:?}");
            assert!(it.allows("reports"), "{keys:?} {list:?}");
            counter.mend();
            counter.house().keys = Some((3, sets[2].clone()));
            counter.house().list = Some((6, lists[2].clone()));
            it.sync().unwrap();
            tried_pairs += 1;
        }
    }
    assert_eq!(tried_pairs, 16);
}

/// A list that says that something is withdrawn, and whose key a newer set does not name.
#[test]
fn rotation_revives_nothing_that_was_withdrawn() {
    let counter = Counter::new(House::default());
    let it = connected(&counter);
    let id = claims().license.id;
    let keys = vec![trusted(LICENSES, &[Role::License]), trusted(61, &[Role::Server])];
    let set = counter.house().rotate(keys);
    it.apply(set.as_bytes()).unwrap();
    counter.house().answers = 61;
    let list = counter.house().withdraw(3, &[id.as_str()]);
    it.apply(list.as_bytes()).unwrap();
    assert!(!it.allows("reports"));
    let set = counter.house().rotate(next());
    it.apply(set.as_bytes()).unwrap();
    assert_eq!(status(&it)["reason"], "revoked");
    // A list of the new key counts, whatever number it has, and revives it no more.
    counter.house().answers = NEXT_ANSWERS;
    let list = counter.house().withdraw(1, &[]);
    it.apply(list.as_bytes()).unwrap();
    assert_eq!(status(&it)["reason"], "revoked");
    let set = counter.house().rotate({
        let mut keys = next();
        keys.push(trusted(61, &[Role::Server]).compromised());
        keys
    });
    it.apply(set.as_bytes()).unwrap();
    assert_eq!(status(&it)["reason"], "ok", "what a thief withdrew is believed no longer");
}

fn set_of(root: &SecretKey, product: &str, epoch: u64, keys: &[TrustedKey]) -> String {
    let keys = KeySet::of(keys.to_vec()).unwrap();
    sign_keys(root, product, ISSUER, NOW, epoch, &keys).unwrap()
}

type Case = (&'static str, String, Result<(), Code>);

fn jwk(seed: u8) -> Value {
    let jwks: Value = serde_json::from_str(&key(seed).public().to_jwks()).unwrap();
    jwks["keys"][0].clone()
}

fn by_hand(claims: Value) -> String {
    sign_bytes(&key(ROOT), Kind::KeySet, claims.to_string().as_bytes())
}

fn written(epoch: Value, keys: Value) -> String {
    by_hand(json!({"iss": ISSUER, "aud": "myapp", "iat": NOW, "epoch": epoch, "keys": keys}))
}

/// Who may sign a set, and which one comes after which: the fifth is here.
fn of_signers_and_epochs(good: &str) -> Vec<Case> {
    use Code::*;
    let own_root = {
        let mut keys = next();
        keys.push(trusted(71, &[Role::Root]));
        set_of(&key(ROOT), "myapp", 6, &keys)
    };
    let by = |seed: u8, epoch: u64| set_of(&key(seed), "myapp", epoch, &next());
    let others = set_of(&key(ROOT), "myapp", 5, &after_the_theft());
    vec![
        ("another root", by(71, 6), Err(UnknownKey)),
        ("a license key", by(LICENSES, 6), Err(UnknownKey)),
        ("an answering key", by(ANSWERS, 6), Err(UnknownKey)),
        ("a listed key", by(NEXT_LICENSES, 6), Err(UnknownKey)),
        ("another product", set_of(&key(ROOT), "other", 6, &next()), Err(WrongProduct)),
        ("an older epoch", by(ROOT, 4), Err(OlderThanInstalled)),
        ("the same epoch with other keys", others, Err(OlderThanInstalled)),
        ("the same set", good.to_string(), Ok(())),
        ("a root of its own", own_root, Ok(())),
        ("signed by that root", by(71, 7), Err(UnknownKey)),
        ("epochs left out", by(ROOT, 900), Ok(())),
        ("the highest epoch", by(ROOT, 9_007_199_254_740_991), Ok(())),
        ("one after it", by(ROOT, 9_000), Err(OlderThanInstalled)),
    ]
}

/// What no set says.
fn of_values(good: &str) -> Vec<Case> {
    use Code::*;
    let many: Vec<Value> = (100..165).map(jwk).collect();
    let demand = by_hand(json!({
        "iss": ISSUER, "aud": "myapp", "iat": NOW, "epoch": 6, "keys": [jwk(1)],
        "must": ["thresholds"],
    }));
    let no_issuer = by_hand(json!({"aud": "myapp", "iat": NOW, "epoch": 6, "keys": [jwk(1)]}));
    let payload = licentia::peek::peek(good.as_bytes()).unwrap().payload;
    let as_list = sign_bytes(&key(ROOT), Kind::Revocations, payload.as_bytes());
    let one = || json!([jwk(1)]);
    vec![
        ("epoch 0", written(json!(0), one()), Err(Malformed)),
        ("epoch -1", written(json!(-1), one()), Err(Malformed)),
        ("epoch 1.5", written(json!(6.5), one()), Err(Malformed)),
        ("epoch 2^53", written(json!(9_007_199_254_740_992_u64), one()), Err(Malformed)),
        ("an epoch in words", written(json!("6"), one()), Err(Malformed)),
        ("no keys at all", written(json!(6), json!([])), Err(InvalidKey)),
        ("keys that are none", written(json!(6), json!({})), Err(Malformed)),
        ("one key twice", written(json!(6), json!([jwk(1), jwk(1)])), Err(InvalidKey)),
        ("more keys than there may be", written(json!(6), json!(many)), Err(InvalidKey)),
        ("an unknown demand", demand, Err(TooNew)),
        ("no issuer", no_issuer, Err(Malformed)),
        ("a signature and a letter", format!("{good}A"), Err(Malformed)),
        ("a set in the place of a list", as_list, Err(UnknownKey)),
    ]
}

/// TUF 5.3, for a root that the product pins: what a set may not do, and what it may.
#[test]
fn rotation_takes_the_sets_that_tuf_takes() {
    let good = set_of(&key(ROOT), "myapp", 5, &next());
    let it = Site::within(&product_at("test", NOW), light_folder());
    it.apply(good.as_bytes()).unwrap();
    let mut cases = of_values(&good);
    cases.extend(of_signers_and_epochs(&good));
    assert!(cases.len() >= 25, "{}", cases.len());
    for (what, data, wanted) in cases {
        let before = kept(it.folder.path());
        let outcome = it.apply(data.as_bytes()).map_err(|error| error.code());
        assert_eq!(outcome, wanted, "{what}");
        assert!(wanted.is_ok() || kept(it.folder.path()) == before, "{what}");
    }
}

/// A root that was retired or stolen signs no more sets, and no set brings it back.
#[test]
fn rotation_ends_with_its_root() {
    let stolen = {
        let mut keys = next();
        keys.push(trusted(ROOT, &[Role::Root]).compromised());
        keys
    };
    let retired = {
        let mut keys = next();
        keys.push(trusted(ROOT, &[Role::Root]).retired(NOW));
        keys
    };
    for (keys, code) in [(stolen, Code::KeyCompromised), (retired, Code::KeyRetired)] {
        let it = Site::within(&product_at("test", NOW), light_folder());
        let last = set_of(&key(ROOT), "myapp", 1, &keys);
        it.apply(last.as_bytes()).unwrap();
        let after = set_of(&key(ROOT), "myapp", 2, &next());
        assert_eq!(it.apply(after.as_bytes()).unwrap_err().code(), code);
        let license = issue::sign(&key(NEXT_LICENSES), &claims()).unwrap();
        it.apply(license.as_bytes()).unwrap();
        assert!(it.allows("reports"), "what it listed goes on");
    }
}
