//! Physical network cards, by the address they were made with.

use super::parts::{Finding, Text, View, is_absent};
use super::{Kind, State, junk};

const FOLDER: &str = "/sys/class/net";

/// One finding for each card. Names such as eth0 change and are not looked at.
pub(super) fn findings(view: &View<'_>) -> Vec<Finding> {
    match view.names(FOLDER) {
        Ok(names) => names
            .iter()
            .filter(|name| *name != "lo" && *name != "bonding_masters")
            .map(|name| card(view, &format!("{FOLDER}/{name}")))
            .collect(),
        Err(error) if is_absent(&error) => vec![Finding::missing(Kind::Nic)],
        Err(_) => vec![Finding::unreadable(Kind::Nic)],
    }
}

fn card(view: &View<'_>, path: &str) -> Finding {
    if !view.exists(&format!("{path}/device")) {
        return Finding::without(Kind::Nic, State::Virtual, "it is software, not a card");
    }
    let foreign = foreign(view, path);
    // Cards in a bond all show the bond's address; their own is beside it.
    let own = format!("{path}/bonding_slave/perm_hwaddr");
    let file = if view.exists(&own) { own } else { format!("{path}/address") };
    match (view.text(&file), foreign) {
        (Text::Found { text, root_only }, foreign) => {
            let address = junk::normal(&text);
            let verdict = foreign.map_or_else(|| judge(&address), Err);
            let found = Finding::found(Kind::Nic, address, root_only);
            match verdict {
                Ok(()) => found,
                Err((state, note)) => found.set_aside(state, note),
            }
        }
        (_, Some((state, note))) => Finding::without(Kind::Nic, state, note),
        (Text::Missing, None) => Finding::missing(Kind::Nic),
        (Text::Unreadable, None) => Finding::unreadable(Kind::Nic),
    }
}

/// Why an interface with a device is not a card of this machine; `None` if it is one.
fn foreign(view: &View<'_>, path: &str) -> Option<(State, &'static str)> {
    let device = format!("{path}/device");
    let bus = view.link_name(&format!("{device}/subsystem")).unwrap_or_default();
    let place = view.source.link(path).unwrap_or_default();
    if matches!(bus.as_str(), "virtio" | "vmbus" | "xen" | "xen-backend") {
        return Some((State::Virtual, "a hypervisor made it"));
    }
    if view.exists(&format!("{device}/physfn")) {
        return Some((State::Virtual, "it is a part that a card lends out"));
    }
    if bus == "usb" || on_usb(&place) || view.word(&format!("{device}/removable")) == "removable" {
        return Some((State::Movable, "it can be plugged into another machine"));
    }
    if view.word(&format!("{path}/addr_assign_type")) == "1" {
        return Some((State::Virtual, "the kernel made its address up"));
    }
    let kind = view.word(&format!("{path}/type"));
    if !kind.is_empty() && kind != "1" {
        return Some((State::Virtual, "it is not an Ethernet card"));
    }
    None
}

/// Whether a path in /sys leads through a USB bus.
pub(super) fn on_usb(place: &str) -> bool {
    place.split('/').any(|name| {
        name.strip_prefix("usb").is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Whether an address, as small text with colons, is one that a card was made with.
pub(super) fn judge(address: &str) -> Result<(), (State, &'static str)> {
    let Some(bytes) = bytes(address) else {
        return Err((State::Junk, "it is not an Ethernet address"));
    };
    let [first, ..] = bytes;
    if bytes.iter().all(|b| *b == first) {
        return Err((State::Junk, "it is one byte repeated"));
    }
    if first & 1 != 0 {
        return Err((State::Junk, "it addresses many cards"));
    }
    if first & 2 != 0 {
        return Err((State::Virtual, "software chose its address"));
    }
    if HYPERVISORS.iter().any(|prefix| bytes.starts_with(prefix)) {
        return Err((State::Virtual, "a hypervisor chose its address"));
    }
    if JUNK.iter().any(|prefix| bytes.starts_with(prefix)) {
        return Err((State::Junk, "many cards have the same address"));
    }
    Ok(())
}

/// Blocks that hypervisors give out. An address here belongs to a disk image's settings, and
/// changes or is copied with them. Docker's 02:42, KVM's 52:54:00 and the clouds' are in the
/// locally administered half and need no entry.
const HYPERVISORS: &[[u8; 3]] = &[
    [0x00, 0x05, 0x69], // VMware
    [0x00, 0x0c, 0x29], // VMware
    [0x00, 0x1c, 0x14], // VMware
    [0x00, 0x50, 0x56], // VMware
    [0x00, 0x03, 0xff], // Microsoft Virtual PC
    [0x00, 0x15, 0x5d], // Hyper-V
    [0x00, 0x0f, 0x4b], // Virtual Iron
    [0x00, 0x16, 0x3e], // Xen
    [0x00, 0x18, 0x51], // Virtuozzo
    [0x00, 0x1a, 0x4a], // oVirt
    [0x00, 0x1c, 0x42], // Parallels
    [0x00, 0x21, 0xf6], // Oracle VM
    [0x08, 0x00, 0x27], // VirtualBox
    [0x50, 0x6b, 0x8d], // Nutanix
    [0x58, 0x9c, 0xfc], // bhyve
    [0xbc, 0x24, 0x11], // Proxmox
];

/// Beginnings of addresses that were never made unique.
const JUNK: &[&[u8]] = &[
    &[0x00, 0x00, 0x00, 0x00, 0x00],
    &[0x00, 0x01, 0x02, 0x03, 0x04, 0x05],
    &[0x00, 0x11, 0x22, 0x33, 0x44],
    &[0x00, 0xe0, 0x4c, 0x68, 0x00, 0x01],
    &[0x12, 0x34, 0x56, 0x78],
    &[0x44, 0x45, 0x53, 0x54],
    &[0x88, 0x88, 0x88, 0x88],
];

fn bytes(address: &str) -> Option<[u8; 6]> {
    let mut bytes = [0u8; 6];
    let mut fields = address.split(':');
    for byte in &mut bytes {
        let field = fields.next().filter(|f| f.len() == 2 && !f.starts_with('+'))?;
        *byte = u8::from_str_radix(field, 16).ok()?;
    }
    fields.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_makers_pass() {
        for good in ["d0:50:99:1a:2b:3c", "3c:ec:ef:00:00:01", "00:25:90:ff:ff:ff"] {
            assert!(judge(good).is_ok(), "{good}");
        }
        for (bad, state) in [
            ("00:00:00:00:00:00", State::Junk),
            ("ff:ff:ff:ff:ff:ff", State::Junk),
            ("01:00:5e:00:00:01", State::Junk),
            ("00:11:22:33:44:55", State::Junk),
            ("00:00:00:00:00:01", State::Junk),
            ("02:42:ac:11:00:02", State::Virtual),
            ("52:54:00:12:34:56", State::Virtual),
            ("00:50:56:01:02:03", State::Virtual),
            ("bc:24:11:01:02:03", State::Virtual),
            ("", State::Junk),
            ("d0:50:99:1a:2b", State::Junk),
            ("d0:50:99:1a:2b:3c:4d", State::Junk),
            ("+1:50:99:1a:2b:3c", State::Junk),
        ] {
            assert_eq!(judge(bad).map_err(|(state, _)| state), Err(state), "{bad}");
        }
    }

    #[test]
    fn usb_is_found_anywhere_on_the_way() {
        assert!(on_usb("../../devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/net/enx0"));
        assert!(!on_usb("../../devices/pci0000:00/usbless/net/eth0"));
    }
}
