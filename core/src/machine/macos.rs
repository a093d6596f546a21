//! The Mac that this runs on.

use super::{Environment, Kind, apple, parts::Finding};

/// Where the system keeps what it knows of its network interfaces; any user may read it.
const INTERFACES: &str = "/Library/Preferences/SystemConfiguration/NetworkInterfaces.plist";

/// This machine, if it is asked for. What is excluded is not read.
pub(super) fn read(exclude: &[Kind]) -> (Environment, Vec<Finding>) {
    let wanted = |kind| !exclude.contains(&kind);
    let uuid = wanted(Kind::Product).then(machine_uid::get).and_then(Result::ok);
    let list = wanted(Kind::Nic).then(|| std::fs::read_to_string(INTERFACES));
    let list = list.and_then(Result::ok);
    apple::read(uuid.as_deref(), list.as_deref(), exclude)
}
