//! Answers that somebody has recorded, and gives again: to the same installation, to others, to
//! other licenses, to a copy on another machine, and later.

mod house_support;
mod http_support;
mod installation_support;

use house_support::*;
use http_support::kept;
use installation_support::dice::Dice;
use installation_support::*;
use licentia::issue::{Request, read_request};
use licentia::{Code, Installation, Product};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// What is asked about a license, and what else is.
const OF_LICENSE: [&str; 5] = ["sync", "activation", "renewal", "license", "deactivation"];
const OTHERS: [&str; 4] = ["clock", "seat", "borrow", "release"];

/// An installation of its own license.
struct Client {
    product: Product,
    folder: TempDir,
    it: Installation,
    license: String,
}

/// One answer that was given and applied.
struct Recorded {
    client: usize,
    word: &'static str,
    answer: String,
    /// The folder as it was when the answer came.
    before: TempDir,
}

fn copy(folder: &Path) -> TempDir {
    let copied = light_folder();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copied.path().join(entry.file_name())).unwrap();
    }
    copied
}

fn argument(word: &str, number: usize) -> Option<String> {
    match word {
        "activation" => Some(KEY.to_string()),
        "seat" | "release" => Some(format!("holder {number}")),
        "borrow" => Some(format!("3 holder {number}")),
        _ => None,
    }
}

fn asked(it: &Installation, word: &str, number: usize) -> Request {
    let text = it.request(word, argument(word, number).as_deref()).unwrap();
    read_request(text.as_bytes()).unwrap()
}

/// Five installations: two of one license, the others each of its own.
fn clients(house: &mut House) -> Vec<Client> {
    let usual = claims().license.id;
    let ids = ["0", "1", "2"].map(|n| format!("11111111-2222-4333-8444-55555555555{n}"));
    let all = [usual.clone(), usual, ids[0].clone(), ids[1].clone(), ids[2].clone()];
    let of = |(number, id): (usize, &String)| {
        house.issued.entry(id.clone()).or_insert_with(|| {
            let mut claims = claims();
            claims.license.id = id.clone();
            claims
        });
        let (product, folder) = (product_at(&format!("machine {number}"), NOW), light_folder());
        let it = product.open(folder.path()).unwrap();
        it.apply(house.license(id).as_bytes()).unwrap();
        Client { product, folder, it, license: id.clone() }
    };
    all.iter().enumerate().map(of).collect()
}

/// Asks, records what comes, and applies it.
fn record(
    house: &mut House,
    clients: &mut [Client],
    count: usize,
    dice: &mut Dice,
) -> Vec<Recorded> {
    let mut all = Vec::new();
    // The last who got a seat of each.
    let mut seated = vec![None; clients.len()];
    for number in 0..count {
        let client = dice.below(clients.len() as u64) as usize;
        let word = match dice.below(3) {
            0 => OTHERS[dice.below(4) as usize],
            _ => OF_LICENSE[dice.below(5) as usize],
        };
        let at = &mut clients[client];
        let (word, holder) = match word {
            "release" => seated[client].take().map_or(("seat", number), |it| ("release", it)),
            word => (word, number),
        };
        if matches!(word, "seat" | "borrow") {
            seated[client] = Some(holder);
        }
        if word == "sync" {
            at.it.record("exports", 1).ok();
        }
        let request = asked(&at.it, word, holder);
        let before = copy(at.folder.path());
        let answer = {
            let mut answering = house.clone();
            // Who activates by a key has the license that goes with it.
            answering.issued.retain(|id, _| *id == at.license);
            answering.seq = house.seq;
            let answer = answering.answer(&request).unwrap();
            (house.seq, house.now) = (answering.seq, house.now + 1);
            answer
        };
        let applied = at.it.apply(answer.as_bytes());
        applied.unwrap_or_else(|error| panic!("{number}, {word}: {error}"));
        if word == "deactivation" {
            at.it.apply(house.license(&at.license).as_bytes()).unwrap();
        }
        all.push(Recorded { client, word, answer, before });
    }
    all
}

/// Gives an answer again, and says whether anything came of it.
fn replay(it: &Installation, folder: &Path, one: &Recorded, to: &'static str) -> bool {
    let before = kept(folder);
    let outcome = it.apply(one.answer.as_bytes());
    let changed = kept(folder) != before;
    if OF_LICENSE.contains(&one.word) || one.word == "clock" {
        let error = outcome.expect_err(to);
        let codes = [Code::AlreadyUsed, Code::WrongInstallation, Code::WrongMachine];
        assert!(codes.contains(&error.code()), "{to}, {}: {error}", one.word);
    }
    changed
}

#[test]
fn replays_of_a_thousand_answers_change_nothing() {
    let mut dice = Dice(25);
    let mut house = House { now: NOW, seq: 1, ..House::default() };
    let mut clients = clients(&mut house);
    let recorded = record(&mut house, &mut clients, rounds(150), &mut dice);
    let (mut given, mut accepted) = (BTreeMap::<&str, usize>::new(), 0);
    let mut note = |to: &'static str, changed: bool| {
        *given.entry(to).or_default() += 1;
        accepted += usize::from(changed);
    };
    for one in &recorded {
        let own = &clients[one.client];
        note("the same", replay(&own.it, own.folder.path(), one, "the same"));
        let restarted = own.product.open(own.folder.path()).unwrap();
        note("another process", replay(&restarted, own.folder.path(), one, "another process"));
        let twin = &clients[if one.client == 0 { 1 } else { 0 }];
        note("another client", replay(&twin.it, twin.folder.path(), one, "another client"));
        let other = &clients[if one.client == 4 { 3 } else { 4 }];
        note("another license", replay(&other.it, other.folder.path(), one, "another license"));
        // A copy of the folder from before the answer came, on another machine. What names no
        // machine is given to a copy from after it.
        let names_machine = OF_LICENSE.contains(&one.word);
        let after = copy(own.folder.path());
        let folder = if names_machine { one.before.path() } else { after.path() };
        let elsewhere = product_at("elsewhere", NOW).open(folder).unwrap();
        note("another machine", replay(&elsewhere, folder, one, "another machine"));
    }
    // Half a year later.
    for client in &mut clients {
        client.product.set("clock", &(NOW + 180 * DAY).to_string()).unwrap();
    }
    for one in &recorded {
        let own = &clients[one.client];
        note("later", replay(&own.it, own.folder.path(), one, "later"));
    }
    let total: usize = given.values().sum();
    assert_eq!((given.len(), total), (6, 6 * recorded.len()));
    assert_eq!(accepted, 0);
    tried(&format!("{} answers recorded, {total} replays, {accepted} accepted", recorded.len()));
}

/// While an answer is under way another comes: by nonce and number, one of them counts.
#[test]
fn replays_in_another_order_are_refused() {
    let mut house = House { seq: 1, ..House::default() };
    let clients = clients(&mut house);
    let client = &clients[0];
    let requests: Vec<Request> = (0..20).map(|_| asked(&client.it, "sync", 0)).collect();
    let answers: Vec<String> =
        requests.iter().map(|request| house.answer(request).unwrap()).collect();
    client.it.apply(answers[10].as_bytes()).unwrap();
    for answer in &answers {
        let error = client.it.apply(answer.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::AlreadyUsed);
    }
    let next = house.answer(&asked(&client.it, "sync", 0)).unwrap();
    client.it.apply(next.as_bytes()).unwrap();
}
