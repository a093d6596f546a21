//! The files of what was used, changed by somebody: what is damaged is said, and what was set
//! back, copied or made to fit is noticed by the vendor's server, who knows no more than what it
//! was told.

mod installation_support;

use installation_support::children::{METERS, counted};
use installation_support::dice::Dice;
use installation_support::*;
use licentia::issue::{self, Ledger};
use licentia::{Installation, Product};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// The vendor's server: what it has heard of one installation.
#[derive(Clone, Default)]
struct Server {
    acknowledged: Option<Ledger>,
    heads: BTreeMap<u64, String>,
    used: BTreeMap<(String, String, Option<i64>), u64>,
    lost: u64,
    answers: u64,
}

impl Server {
    /// Hears a report, and says what is wrong with it.
    fn hear(&mut self, it: &Installation) -> Result<Ledger, &'static str> {
        let text = it.request("sync", None).unwrap();
        let told = issue::read_request(text.as_bytes()).unwrap().sync.unwrap();
        let ledger = told.ledger.unwrap();
        if told.since != self.acknowledged {
            return Err("it goes on from another place");
        }
        if self.heads.last_key_value().is_some_and(|(seq, _)| *seq > ledger.seq) {
            return Err("it was further once");
        }
        if self.heads.get(&ledger.seq).is_some_and(|head| *head != ledger.head) {
            return Err("it was another one there");
        }
        if told.lost != self.lost {
            return Err("it was lost");
        }
        for row in told.usage {
            let known = self.used.entry((row.feature, row.kind, row.from)).or_default();
            if row.used < *known {
                return Err("less was used");
            }
            *known = row.used;
        }
        self.heads.insert(ledger.seq, ledger.head.clone());
        Ok(ledger)
    }

    /// Hears a report, and answers that it has everything.
    fn sync(&mut self, it: &Installation) -> Result<(), &'static str> {
        let ledger = self.hear(it)?;
        self.answers += 1;
        let text = answer(it, self.answers, |answer| answer.ack = Some(ledger.clone()));
        it.apply(text.as_bytes()).unwrap();
        self.acknowledged = Some(ledger);
        Ok(())
    }
}

type Files = BTreeMap<String, Vec<u8>>;

fn save(folder: &Path) -> Files {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    names.map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
}

fn restore(folder: &Path, files: &Files) {
    for name in save(folder).keys().filter(|name| !files.contains_key(*name)) {
        fs::remove_file(folder.join(name)).unwrap();
    }
    files.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
}

/// An honest past: the files before its last sync, and at its end.
struct Past {
    folder: TempDir,
    product: Product,
    server: Server,
    earlier: Files,
    files: Files,
}

impl Past {
    fn new(dice: &mut Dice) -> Past {
        let (folder, product) = (light_folder(), product());
        let mut server = Server::default();
        let mut earlier = Files::new();
        let it = product.open(folder.path()).unwrap();
        it.apply(counted().as_bytes()).unwrap();
        for _ in 0..1 + dice.below(3) {
            use_it(&it, dice);
            it.flush().unwrap();
            earlier = save(folder.path());
            use_it(&it, dice);
            server.sync(&it).unwrap();
        }
        use_it(&it, dice);
        // It has been heard, and the answer is on its way.
        server.hear(&it).unwrap();
        drop(it);
        let files = save(folder.path());
        Past { folder, product, server, earlier, files }
    }

    fn open(&self) -> Installation {
        self.product.open(self.folder.path()).unwrap()
    }
}

fn use_it(it: &Installation, dice: &mut Dice) {
    for _ in 0..2 + dice.below(6) {
        match dice.below(4) {
            0 => it.record_later(METERS[1], 1 + dice.below(9)).unwrap(),
            1 => it.record_key("devices", ["a", "b"][dice.below(2) as usize]).unwrap(),
            2 => it.record_level("users", dice.below(3)).unwrap(),
            _ => it.record(METERS[0], 1 + dice.below(9)).unwrap(),
        }
    }
    it.record(METERS[0], 1).unwrap();
}

const USAGE: [&str; 2] = ["usage.a", "usage.b"];

/// One of the two files, taken apart as docs/state.md has it.
struct Slot {
    bytes: Vec<u8>,
    tail: usize,
}

impl Slot {
    fn of(bytes: &[u8]) -> Slot {
        let length = u64::from_le_bytes(bytes[24..32].try_into().unwrap()) as usize;
        Slot { bytes: bytes.to_vec(), tail: (64 + length).next_multiple_of(64) }
    }

    fn generation(&self) -> u64 {
        u64::from_le_bytes(self.bytes[16..24].try_into().unwrap())
    }

    fn records(&self) -> usize {
        let empty = |record: &&[u8]| record.iter().any(|byte| *byte != 0);
        self.bytes[self.tail..].chunks(64).take_while(empty).count()
    }

    fn record(&mut self, number: usize) -> &mut [u8] {
        &mut self.bytes[self.tail + number * 64..][..64]
    }

    /// Another amount in a record, with the right checksum.
    fn forge_record(&mut self, number: usize, dice: &mut Dice) {
        let record = self.record(number);
        record[16] ^= 1 + dice.below(255) as u8;
        let sum = crc32fast::hash(&record[..60]);
        record[60..].copy_from_slice(&sum.to_le_bytes());
    }

    /// Another number in the checkpoint, with the right hash.
    fn forge_checkpoint(&mut self, dice: &mut Dice) {
        let end = u64::from_le_bytes(self.bytes[24..32].try_into().unwrap()) as usize + 64;
        let mut payload: serde_json::Value = serde_json::from_slice(&self.bytes[64..end]).unwrap();
        let began = payload["began"].as_i64().unwrap() - 1 - dice.below(9) as i64;
        payload["began"] = began.into();
        let payload = payload.to_string();
        let mut bytes = self.bytes[..32].to_vec();
        bytes[24..].copy_from_slice(&(payload.len() as u64).to_le_bytes());
        let hash = Sha256::new().chain_update(&bytes).chain_update(&payload).finalize();
        bytes.extend(hash);
        bytes.extend(payload.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(64), 0);
        bytes.extend(&self.bytes[self.tail..]);
        *self = Slot::of(&bytes);
    }
}

/// Who has to notice.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// The library, and it says so.
    Checksum,
    /// The server.
    Server,
    /// Nobody, if nothing follows from it: the older file is only a spare.
    Either,
}

/// Changes the files, and says what was done.
fn tamper(past: &Past, files: &mut Files, dice: &mut Dice) -> (&'static str, By) {
    let slots = USAGE.map(|name| Slot::of(&files[name]));
    let newer = usize::from(slots[1].generation() > slots[0].generation());
    let [a, b] = slots;
    let (mut slot, name) = if newer == 0 { (a, USAGE[0]) } else { (b, USAGE[1]) };
    let any = USAGE[dice.below(2) as usize];
    let records = slot.records();
    let number = dice.below(records as u64) as usize;
    let done = match dice.below(12) {
        0 | 1 => {
            let bytes = files.get_mut(any).unwrap();
            // Half of them where there is something.
            let reach = if dice.below(2) == 0 { bytes.len() } else { slot.tail + records * 64 };
            bytes[dice.below(reach as u64) as usize] ^= 1 + dice.below(255) as u8;
            return ("a byte changed", if any == name { By::Checksum } else { By::Either });
        }
        2 => {
            let bytes = files.get_mut(any).unwrap();
            bytes.truncate(dice.below(bytes.len() as u64) as usize);
            return ("a file cut off", if any == name { By::Checksum } else { By::Either });
        }
        3 if records > 1 => {
            let other = (number + 1 + dice.below(records as u64 - 1) as usize) % records;
            let (one, two) = (slot.record(number).to_vec(), slot.record(other).to_vec());
            slot.record(number).copy_from_slice(&two);
            slot.record(other).copy_from_slice(&one);
            ("two records exchanged", By::Checksum)
        }
        3 | 4 => {
            slot.record(number).fill(0);
            ("a record taken out", By::Checksum)
        }
        5 => {
            let one = slot.record(number).to_vec();
            slot.record(records).copy_from_slice(&one);
            ("a record repeated", By::Checksum)
        }
        6 => {
            files.remove(any);
            return ("a file taken away", By::Checksum);
        }
        7 => {
            let (a, b) = (files[USAGE[0]].clone(), files[USAGE[1]].clone());
            files.extend([(USAGE[0].into(), b), (USAGE[1].into(), a)]);
            return ("both exchanged", By::Checksum);
        }
        8 => {
            for name in USAGE {
                files.insert(name.into(), past.earlier[name].clone());
            }
            return ("what was used set back", By::Checksum);
        }
        9 => {
            files.clone_from(&past.earlier);
            return ("everything set back", By::Server);
        }
        10 => {
            slot.forge_record(number, dice);
            ("a record forged", By::Server)
        }
        _ => {
            slot.forge_checkpoint(dice);
            ("a checkpoint forged", By::Server)
        }
    };
    files.insert(name.into(), slot.bytes);
    done
}

/// Whether the library says of itself that something is wrong.
fn says_so(it: &Installation) -> bool {
    let found = status(it);
    found["state"]["ok"] == false || found["warnings"].to_string().contains("state_recovered")
}

/// Gives whether it was noticed. It has to be, but for a spare file that nobody reads.
fn notice(past: &Past, dice: &mut Dice, number: usize) -> bool {
    restore(past.folder.path(), &past.files);
    let honest = past.open();
    assert!(!says_so(&honest), "nothing is wrong before");
    past.server.clone().hear(&honest).unwrap();
    let used = METERS.map(|meter| honest.usage(meter).unwrap().used);
    drop(honest);
    let mut files = past.files.clone();
    let (what, by) = tamper(past, &mut files, dice);
    assert!(files != past.files, "{number}: {what}");
    restore(past.folder.path(), &files);
    let it = past.open();
    let context = format!("{number}: {what}: {}", it.status(None).unwrap());
    let (said, heard) = (says_so(&it), past.server.clone().hear(&it));
    match by {
        By::Checksum => assert!(said, "{context}"),
        By::Server => assert!(heard.is_err(), "{context}"),
        By::Either if said => {}
        By::Either => {
            assert!(heard.is_ok(), "{context}");
            assert_eq!(METERS.map(|meter| it.usage(meter).unwrap().used), used, "{context}");
            // The next record makes it new.
            it.record(METERS[0], 1).unwrap();
        }
    }
    it.record(METERS[0], 1).unwrap();
    said || heard.is_err()
}

#[test]
fn whatever_is_done_to_the_files_of_what_was_used_is_noticed() {
    let (tampers, spare) = (rounds(200), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let spare = &spare;
            scope.spawn(move || {
                let mut dice = Dice(48 + thread as u64);
                let mut past = Past::new(&mut dice);
                for number in (thread..tampers).step_by(2) {
                    if number % 20 < 2 {
                        past = Past::new(&mut dice);
                    }
                    let noticed = notice(&past, &mut dice, number);
                    spare.fetch_add(usize::from(!noticed), Ordering::Relaxed);
                }
            });
        }
    });
    let spare = spare.into_inner();
    tried(&format!(
        "{tampers} tampered files, all noticed but {spare} of a spare that counts for nothing"
    ));
    assert!(spare * 5 < tampers, "{spare} of {tampers}");
}

/// Two that go on from one folder: the server acknowledges the first that comes, and knows the
/// other by what it says it was acknowledged, or by its head.
#[test]
fn a_folder_that_was_copied_is_another_ledger() {
    let (forks, mut dice) = (rounds(20), Dice(49));
    for number in 0..forks {
        let mut past = Past::new(&mut dice);
        let copy = light_folder();
        restore(copy.path(), &past.files);
        let (it, other) = (past.open(), past.product.open(copy.path()).unwrap());
        it.record(METERS[0], 1 + dice.below(5)).unwrap();
        other.record(METERS[0], 6 + dice.below(5)).unwrap();
        let mut apart = past.server.clone();
        let (one, two) = (past.server.hear(&it).unwrap(), apart.hear(&other).unwrap());
        assert_eq!(one.seq, two.seq, "{number}");
        assert_ne!(one.head, two.head, "{number}");
        assert_eq!(past.server.hear(&other), Err("it was another one there"));
        past.server.sync(&it).unwrap();
        use_it(&other, &mut dice);
        assert_eq!(past.server.sync(&other), Err("it goes on from another place"));
        past.server.sync(&it).unwrap();
    }
    tried(&format!("{forks} copied folders, each known from the other"));
}
