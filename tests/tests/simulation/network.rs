//! A network that loses, delays, repeats, mixes up and alters what it carries.

use crate::paper::{Letter, Paper};
use crate::vendor::Vendor;
use licentia::issue::{read_request, sign_bytes};
use licentia::simulate::Dice;
use licentia::{Code, Error, Issuer, Message, Result, SecretKey};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Answers that whoever listens remembers.
const MEMORY: usize = 300;

/// What becomes of a request and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nothing happens to it.
    Good,
    /// The request never arrives.
    Lost,
    /// The request arrives, and its answer does not.
    Unanswered,
    /// The request arrives later.
    Late,
    /// The request arrives twice, and either answer comes.
    Twice,
    /// An earlier answer to the same product comes instead, whether the request arrives or not.
    Replayed,
    /// The answer to another product comes.
    Crossed,
    /// A letter of the answer is another, or its end is missing.
    Altered,
    /// Somebody else has signed the answer.
    Forged,
}

impl Way {
    const BAD: [Way; 8] = [
        Way::Lost,
        Way::Unanswered,
        Way::Late,
        Way::Twice,
        Way::Replayed,
        Way::Crossed,
        Way::Altered,
        Way::Forged,
    ];
}

/// The network, and the vendor at its other end.
pub struct Network {
    /// The vendor.
    pub vendor: Vendor,
    /// How often each thing goes wrong, of a thousand.
    weather: [u64; 8],
    /// Whether nothing goes wrong at all.
    pub is_calm: bool,
    /// What was delivered since it was last emptied.
    pub delivered: Vec<Paper>,
    /// What happened since it was last emptied.
    pub trace: Vec<String>,
    /// How many answers the product that asks has taken.
    pub asked: usize,
    /// Questions that were not simply answered since it was last set.
    pub troubles: u64,
    /// Licenses that are revoked, and those that are suspended.
    pub revoked: Vec<bool>,
    /// The same.
    pub suspended: Vec<bool>,
    dice: Dice,
    answers: Vec<Paper>,
    late: Vec<Letter>,
}

impl Network {
    /// With its own weather: in some simulations there is no fault of a sort, in some many.
    pub fn new(seed: u64) -> Network {
        let mut dice = Dice(seed ^ 0x6e65_7477);
        let scale = [0, 20, 60, 150][dice.below(4) as usize];
        let weather = Way::BAD.map(|_| if dice.chance(300) { 0 } else { dice.below(scale + 1) });
        let vendor = Vendor::new();
        let licenses = crate::vendor::catalog().licenses.len();
        Network {
            vendor,
            weather,
            is_calm: false,
            delivered: Vec::new(),
            trace: Vec::new(),
            asked: 0,
            troubles: 0,
            revoked: vec![false; licenses],
            suspended: vec![false; licenses],
            dice,
            answers: Vec::new(),
            late: Vec::new(),
        }
    }

    fn draw(&mut self) -> Way {
        if self.is_calm {
            return Way::Good;
        }
        let mut roll = self.dice.below(1000);
        for (way, share) in Way::BAD.into_iter().zip(self.weather) {
            match roll.checked_sub(share) {
                None => return way,
                Some(rest) => roll = rest,
            }
        }
        Way::Good
    }

    fn carry(&mut self, from: usize, request: &str) -> Result<Vec<u8>> {
        let letter = &Letter { from, asked: self.asked, request: request.to_string() };
        let way = self.draw();
        self.troubles += u64::from(way != Way::Good);
        self.trace.push(format!("  by network: {way:?}"));
        let paper = match way {
            Way::Good => self.answer(letter)?,
            Way::Lost => return Err(unreachable()),
            Way::Unanswered => {
                let _ = self.answer(letter);
                return Err(unreachable());
            }
            Way::Late => {
                self.late.push(letter.clone());
                return Err(unreachable());
            }
            Way::Twice => {
                let (first, second) = (self.answer(letter), self.answer(letter));
                if self.dice.chance(500) { first? } else { second? }
            }
            Way::Replayed => {
                if self.dice.chance(500) {
                    let _ = self.answer(letter);
                }
                self.remembered(|it| it.owner == from).ok_or_else(unreachable)?
            }
            Way::Crossed => {
                let _ = self.answer(letter);
                self.remembered(|it| it.owner != from).ok_or_else(unreachable)?
            }
            Way::Altered => self.altered(letter)?,
            Way::Forged => self.forged(letter)?,
        };
        let text = paper.text.clone();
        self.delivered.push(paper);
        Ok(text)
    }

    /// One of the answers that somebody has heard.
    pub fn remembered(&mut self, fits: impl Fn(&Paper) -> bool) -> Option<Paper> {
        let all: Vec<&Paper> = self.answers.iter().filter(|paper| fits(paper)).collect();
        if all.is_empty() {
            return None;
        }
        let paper = all[self.dice.below(all.len() as u64) as usize].clone();
        Some(Paper { is_fresh: false, ..paper })
    }

    /// One of its letters is another, or its end is missing. Where: in what is signed or in the
    /// signature, so that what comes of it does not depend on keys and ids, which no seed says.
    fn altered(&mut self, letter: &Letter) -> Result<Paper> {
        let mut paper = self.answer(letter)?;
        let dots: Vec<usize> = (0..paper.text.len()).filter(|at| paper.text[*at] == b'.').collect();
        let (begin, end) = match self.dice.below(3) {
            0 => (dots[0] + 1, dots[1] - 1),
            1 => (dots[1] + 1, paper.text.len() - 1),
            _ => {
                paper.text.truncate(dots[1]);
                return Ok(Paper { is_false: true, is_fresh: false, ..paper });
            }
        };
        let at = begin + self.dice.below((end - begin) as u64) as usize;
        paper.text[at] = if paper.text[at] == b'A' { b'B' } else { b'A' };
        Ok(Paper { is_false: true, is_fresh: false, ..paper })
    }

    /// The same, but for good news, signed by somebody who has no key of the vendor's.
    fn forged(&mut self, letter: &Letter) -> Result<Paper> {
        let paper = self.answer(letter)?;
        let mut said = paper.said.clone();
        if paper.is_answer() {
            said["status"] = "ok".into();
        }
        let thief = SecretKey::from_seed(&[9; 32]).unwrap();
        let signed = sign_bytes(&thief, paper.kind, said.to_string().as_bytes());
        let theirs = String::from_utf8_lossy(&paper.text).into_owned();
        let mut parts: Vec<&str> = signed.split('.').collect();
        if self.dice.chance(500) {
            // Under the name of a key that is trusted.
            parts[0] = theirs.split('.').next().unwrap();
        }
        let text = parts.join(".").into_bytes();
        Ok(Paper { text, said, is_false: true, is_fresh: false, ..paper })
    }

    /// What the server answers, which is never that it is broken.
    pub fn answer(&mut self, letter: &Letter) -> Result<Paper> {
        let word = read_request(letter.request.as_bytes()).unwrap().what;
        let (status, said) = self.vendor.post(&letter.request);
        assert!(status < 500, "the server says {status} to {word}: {said}");
        if status != 200 {
            self.troubles += 1;
            let code = said["code"].as_str().unwrap_or_default();
            self.trace.push(format!("  server: {word}: {status} {code}"));
            let kind = if code == "no_seat" { Code::NoSeat } else { Code::Refused };
            let detail = said["detail"].as_str().unwrap_or_default();
            return Err(Error::new(kind, format!("{code}: {detail}")));
        }
        let paper = Paper::of(said["answer"].as_str().unwrap(), letter, &word);
        self.trace.push(format!("  server: {word}: {}", paper.text("status")));
        self.judge(&paper);
        self.answers.push(paper.clone());
        if self.answers.len() > MEMORY {
            self.answers.remove(0);
        }
        Ok(paper)
    }

    /// What the server says of a license is what the vendor has decided.
    fn judge(&self, paper: &Paper) {
        if !paper.is_answer() {
            return;
        }
        let licenses = &crate::vendor::catalog().licenses;
        let of = paper.text("license_id");
        let at = licenses.iter().position(|it| it.id.to_string() == of).unwrap();
        let status = paper.text("status");
        let wanted = match (self.revoked[at], self.suspended[at]) {
            (true, _) => status == "revoked",
            (false, true) => status == "suspended",
            (false, false) => matches!(status, "ok" | "expired"),
        };
        assert!(wanted, "the server says {status} of license {at}");
        assert_eq!(paper.number("server_time") as i64, self.vendor.clock.now());
    }

    /// A request that was held back arrives.
    pub fn late(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let at = self.dice.below(self.late.len() as u64) as usize;
        // Some are kept, and come again.
        let letter = match self.dice.chance(800) {
            true => self.late.remove(at),
            false => self.late[at].clone(),
        };
        let done = self.answer(&letter);
        let code = done.map_or_else(|error| error.slug(), |_| "ok");
        self.trace.push(format!("late: of {}: {code}", letter.from));
    }
}

fn unreachable() -> Error {
    Error::new(Code::Unreachable, "the network is simulated")
}

/// The way of one product to its vendor.
pub struct Wire {
    /// The network.
    pub network: Arc<Mutex<Network>>,
    /// Who asks.
    pub from: usize,
}

impl Issuer for Wire {
    fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>> {
        hold(&self.network).carry(self.from, message.request)
    }
}

/// The network, which nobody else uses.
pub fn hold(network: &Arc<Mutex<Network>>) -> MutexGuard<'_, Network> {
    network.lock().unwrap_or_else(PoisonError::into_inner)
}
