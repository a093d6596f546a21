//! Disks that are built in, by serial number and world wide name.

use super::network::on_usb;
use super::parts::{Finding, View, is_absent};
use super::{Kind, State, junk};

const FOLDER: &str = "/sys/block";

/// Where a disk says what it is. Both a name and a serial are taken where there are two: kernels
/// have changed the one or the other, and any one of them is enough to know the disk again.
const FILES: &[&str] = &["wwid", "serial", "device/wwid", "device/serial", "device/cid"];

/// One finding for each value of each disk. Names such as sda change and are not looked at.
pub(super) fn findings(view: &View<'_>) -> Vec<Finding> {
    match view.names(FOLDER) {
        Ok(names) => names
            .iter()
            .filter(|name| !name.starts_with("sr") && !name.starts_with("fd"))
            .flat_map(|name| disk(view, &format!("{FOLDER}/{name}")))
            .collect(),
        Err(error) if is_absent(&error) => vec![Finding::missing(Kind::Disk)],
        Err(_) => vec![Finding::unreadable(Kind::Disk)],
    }
}

fn disk(view: &View<'_>, path: &str) -> Vec<Finding> {
    let place = view.source.link(path).unwrap_or_default();
    // The one disk behind several paths of an NVMe subsystem has its place among the virtual.
    let software = place.contains("/virtual/") && !place.contains("/nvme-");
    let no_disk =
        view.word(&format!("{path}/hidden")) == "1" || view.word(&format!("{path}/size")) == "0";
    if software || no_disk {
        return Vec::new();
    }
    if let Some(note) = movable(view, path, &place) {
        return vec![Finding::without(Kind::Disk, State::Movable, note)];
    }
    let mut values: Vec<Finding> = FILES
        .iter()
        .map(|file| view.value(Kind::Disk, &format!("{path}/{file}"), junk::disk_flaw))
        .filter(|finding| finding.state != State::Missing)
        .collect();
    // An empty file beside a good one says nothing.
    if values.iter().any(|finding| finding.state == State::Found) {
        values.retain(|finding| finding.state != State::Junk);
    }
    values
}

/// Why a disk may turn up in another machine; `None` if it is built in.
fn movable(view: &View<'_>, path: &str, place: &str) -> Option<&'static str> {
    if on_usb(place) || view.word(&format!("{path}/removable")) == "1" {
        return Some("it can be plugged into another machine");
    }
    if view.word(&format!("{path}/device/type")) == "sd" {
        return Some("it is a memory card");
    }
    let by_network = place.split('/').any(|name| {
        name.starts_with("rport-") || name.starts_with("session") || name == "nvme-fabrics"
    });
    if by_network || transports(view, path).iter().any(|t| t != "pcie" && t != "apple-nvme") {
        return Some("it is on a storage network");
    }
    None
}

/// How the controllers of an NVMe disk are connected; empty for any other disk.
fn transports(view: &View<'_>, path: &str) -> Vec<String> {
    let mut files = vec![format!("{path}/device/transport")];
    for name in view.names(&format!("{path}/device")).unwrap_or_default() {
        let number = name.strip_prefix("nvme").unwrap_or_default();
        if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
            files.push(format!("{path}/device/{name}/transport"));
        }
    }
    files.iter().map(|file| view.word(file)).filter(|word| !word.is_empty()).collect()
}
