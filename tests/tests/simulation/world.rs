//! Everything at one moment, and what happens next.

use crate::network::{Network, hold};
use crate::paper::{Letter, Paper};
use crate::place::{Place, Skew};
use crate::vendor::{BEGIN, catalog};
use licentia::simulate::Dice;
use std::sync::{Arc, Mutex, PoisonError};

/// What one simulation does before everything is well again.
const STEPS: u64 = 160;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The server, the products, and whatever is between them.
pub struct World {
    /// What happens next.
    pub dice: Dice,
    /// What time it really is.
    pub now: i64,
    /// The network and the vendor.
    pub network: Arc<Mutex<Network>>,
    /// The products.
    pub places: Vec<Place>,
    /// Requests on somebody's desk, and answers in somebody's mail.
    pub desk: Vec<Letter>,
    /// The same.
    pub mail: Vec<Paper>,
    /// Whether a backup was ever restored.
    pub is_restored: bool,
    /// Whether a key was ever stolen.
    pub is_stolen: bool,
    /// How much of each sort happens, of a thousand.
    pub share: [u64; 4],
    trace: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// The one that follows from a seed.
    pub fn new(seed: u64, trace: Arc<Mutex<Vec<String>>>) -> World {
        let mut dice = Dice(seed);
        let network = Arc::new(Mutex::new(Network::new(seed)));
        let mut places = Vec::new();
        for (license, sold) in catalog().licenses.iter().enumerate() {
            for _ in 0..sold.products {
                places.push(Place::new(places.len(), license, BEGIN, &network));
            }
        }
        // Each simulation has its own mixture: the vendor, disks, clocks, restarts.
        let share =
            [90, 80, 60, 40].map(|most| if dice.chance(250) { 0 } else { dice.below(most) });
        World {
            dice,
            now: BEGIN,
            network,
            places,
            desk: Vec::new(),
            mail: Vec::new(),
            is_restored: false,
            is_stolen: false,
            share,
            trace,
        }
    }

    /// Lets it happen, and then has everything be well again.
    pub fn run(mut self) {
        for _ in 0..STEPS {
            self.pass();
            self.act();
        }
        self.heal();
    }

    /// Writes down what happens, with what the network did.
    pub fn note(&mut self, what: String) {
        let network = std::mem::take(&mut hold(&self.network).trace);
        let mut trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
        trace.extend(network);
        trace.push(format!("{:>9} {what}", self.now - BEGIN));
    }

    /// Time goes by.
    fn pass(&mut self) {
        let most = match self.dice.below(100) {
            0..50 => MINUTE,
            50..80 => 20 * MINUTE,
            80..93 => 6 * HOUR,
            93..99 => DAY,
            _ => 4 * DAY,
        };
        let seconds = self.dice.below(most as u64) as i64;
        self.wait(1 + seconds);
    }

    /// So many seconds go by.
    pub fn wait(&mut self, seconds: i64) {
        self.now += seconds;
        hold(&self.network).vendor.clock.set(Some(self.now));
    }

    /// One product or another.
    pub fn any(&mut self) -> usize {
        self.dice.below(self.places.len() as u64) as usize
    }

    /// A clock goes wrong, or right again.
    pub fn wander(&mut self) {
        let at = self.any();
        let skew = match self.dice.below(8) {
            0 => Skew::At(7),
            1 => Skew::At(4_070_908_800),
            2 => Skew::By(-self.far()),
            3 => Skew::By(self.far()),
            4 => Skew::By(-3),
            _ => Skew::By(0),
        };
        let place = &mut self.places[at];
        place.skew = skew;
        place.is_clean &= place.is_right();
        self.note(format!("{at} has a clock that is {skew:?}"));
    }

    fn far(&mut self) -> i64 {
        let most = [HOUR, 30 * DAY, 800 * DAY][self.dice.below(3) as usize];
        self.dice.below(most as u64) as i64
    }
}
