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
    let values = FILES
        .iter()
        .map(|file| (*file, view.value(Kind::Disk, &format!("{path}/{file}"), junk::disk_flaw)))
        .filter(|(_, finding)| finding.state != State::Missing);
    if let Some(note) = movable(view, path, &place) {
        let mut row = Finding::without(Kind::Disk, State::Movable, note);
        row.aside = values.flat_map(|(_, one)| one.set_aside(State::Movable, note).aside).collect();
        return vec![row];
    }
    let mut values = without_borrowed_names(values.collect());
    // Junk beside a good value says nothing.
    let good = values.iter().position(|finding| finding.state == State::Found);
    if let Some(mut first) = good.map(|at| values.remove(at)) {
        let junk = values.extract_if(.., |finding| finding.state == State::Junk);
        first.aside.extend(junk.flat_map(|finding| finding.aside));
        values.push(first);
    }
    values
}

/// Kernels make a world wide name from the serial number of a disk that has none of its own, so
/// a name beside a serial that does not count does not count either.
fn without_borrowed_names(values: Vec<(&str, Finding)>) -> Vec<Finding> {
    let nameless =
        values.iter().any(|(file, f)| file.ends_with("serial") && f.state == State::Junk);
    values
        .into_iter()
        .map(|(file, finding)| match finding.state {
            State::Found if nameless && file.ends_with("wwid") => {
                finding.set_aside(State::Junk, "its disk has no serial number of its own")
            }
            _ => finding,
        })
        .collect()
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
