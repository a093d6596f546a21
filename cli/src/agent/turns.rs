//! Passwords that wait to be looked at: some of each address, so that whoever sends many of them
//! keeps out nobody elsewhere.

use licentia_server::listen::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many wait, or are looked at, from everywhere.
const ALL_MAX: usize = 64;

/// How many of one address.
const OF_ONE_MAX: usize = 16;

/// How many there are, by where they come from.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<IpAddr, usize>>);

/// The place of one, free again when it is dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    from: IpAddr,
}

impl Turns {
    /// A place for one more; `None` = there is none.
    pub fn take(&self, from: IpAddr) -> Option<Turn<'_>> {
        let from = network(from);
        let mut all = self.all();
        if all.values().sum::<usize>() >= ALL_MAX {
            return None;
        }
        let own = all.entry(from).or_default();
        if *own >= OF_ONE_MAX {
            return None;
        }
        *own += 1;
        Some(Turn { turns: self, from })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut all = self.turns.all();
        if let Some(own) = all.get_mut(&self.from) {
            *own -= 1;
        }
        all.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_sends_many_keeps_out_nobody_elsewhere() {
        let turns = Turns::default();
        let [here, elsewhere]: [IpAddr; 2] =
            ["192.0.2.1", "192.0.2.2"].map(|it| it.parse().unwrap());
        let mut taken: Vec<_> = (0..OF_ONE_MAX).map(|_| turns.take(here).unwrap()).collect();
        assert!(turns.take(here).is_none() && turns.take(elsewhere).is_some());
        taken.pop();
        assert!(turns.take(here).is_some(), "it is free again");
        drop(taken);
        assert!(turns.all().is_empty(), "nothing is kept");
    }

    #[test]
    fn there_is_an_end_to_it() {
        let turns = Turns::default();
        let addresses = (0..=u8::MAX).map(|last| IpAddr::from([192, 0, 2, last]));
        let taken: Vec<_> = addresses.filter_map(|from| turns.take(from)).collect();
        assert_eq!(taken.len(), ALL_MAX);
    }
}
