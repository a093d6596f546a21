//! Repeatable randomness, and how much of something to try.

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Dice(pub u64);

impl Dice {
    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `sides`.
    pub fn below(&mut self, sides: usize) -> usize {
        (self.roll() % sides as u64) as usize
    }

    /// Whether something happens that does so `percent` times of a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A slice of something long, and `LICENTIA_SOAK` times as much where somebody has the time.
pub fn times(slice: usize) -> usize {
    let soak = std::env::var("LICENTIA_SOAK").ok().and_then(|times| times.parse::<usize>().ok());
    slice * soak.unwrap_or(1).max(1)
}

/// The seed of a test: `LICENTIA_SEED`, or always the same one. A test that fails names it.
pub fn seed() -> u64 {
    std::env::var("LICENTIA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}
