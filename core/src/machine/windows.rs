//! The registry of the Windows machine that this runs on.

use windows_registry::{Key, LOCAL_MACHINE};

use super::registry::{self, Registry};
use super::{Environment, Kind, parts::Finding};

/// Access rights of winnt.h: read, in the registry's 64-bit half whatever this program is.
const KEY_READ: u32 = 0x0002_0019;
const KEY_WOW64_64KEY: u32 = 0x0000_0100;

struct Here;

impl Here {
    fn open(key: &str) -> Option<Key> {
        LOCAL_MACHINE.options().access(KEY_READ | KEY_WOW64_64KEY).open(key).ok()
    }
}

impl Registry for Here {
    fn text(&self, key: &str, name: &str) -> Option<String> {
        Here::open(key)?.get_string(name).ok()
    }

    fn bytes(&self, key: &str, name: &str) -> Option<Vec<u8>> {
        Here::open(key)?.get_value(name).ok().map(|value| value.to_vec())
    }

    fn keys(&self, key: &str) -> Vec<String> {
        let Some(key) = Here::open(key) else { return Vec::new() };
        key.keys().map(Iterator::collect).unwrap_or_default()
    }
}

/// This machine, if it is asked for.
pub(super) fn read(exclude: &[Kind]) -> (Environment, Vec<Finding>) {
    registry::read(&Here, exclude)
}
