//! Values that do not count: no license is bound to them anew, and one that was bound when a
//! table lacked them still holds.

mod machine_support;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use licentia::machine::{Binding, Kind, Options, Report, State};
use machine_support::{Fixture, PRODUCT, User};
use sha2::Sha256;

/// docs/machine.md, section 2, written a second time.
fn hash(kind: Kind, value: &str) -> String {
    let mut block = [0u8; 64];
    let key = format!("licentia/machine/1/{PRODUCT}");
    block[..key.len()].copy_from_slice(key.as_bytes());
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(format!("{kind}\0{value}").as_bytes());
    URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..16])
}

/// Machines with a value that does not count, its kind and its state, as today's tables say.
fn discarded() -> Vec<(&'static str, Fixture, Kind, &'static str, State)> {
    let dmi = "/sys/devices/virtual/dmi/id";
    let server = || Fixture::named("server-dell");
    let card = |address: &str, bus: &str| {
        let place = "/sys/devices/pci0000:00/card";
        Fixture::named("vm-plain")
            .with_link("/sys/class/net/x0", &format!("../../..{place}/net/x0"))
            .with(&format!("{place}/net/x0/address"), address)
            .with_link(&format!("{place}/net/x0/device"), "../../../card")
            .with_link(&format!("{place}/subsystem"), &format!("../../../bus/{bus}"))
    };
    let disk = |place: &str, file: &str, value: &str| {
        Fixture::named("vm-plain")
            .with_link("/sys/block/sdx", &format!("../devices/{place}/block/sdx"))
            .with(&format!("/sys/devices/{place}/block/sdx/{file}"), value)
    };
    let image = "85f94e57ab75f80918cab17d001eac85";
    let uuid = "03000200040005000006000700080009";
    let name = "naa.5000c500f0012345";
    let usb = "pci0000:00/usb2/2-1/host6";
    vec![
        ("image", server().with("/etc/machine-id", image), Kind::MachineId, image, State::Junk),
        (
            "uuid",
            server().with(&format!("{dmi}/product_uuid"), uuid),
            Kind::Product,
            uuid,
            State::Junk,
        ),
        (
            "tag",
            Fixture::named("desktop-default-string"),
            Kind::AssetTag,
            "default string",
            State::Junk,
        ),
        ("serial", disk("pci/host1", "serial", "QM00013"), Kind::Disk, "qm00013", State::Junk),
        ("usb disk", disk(usb, "wwid", name), Kind::Disk, name, State::Movable),
        (
            "hypervisor's card",
            card("00:50:56:01:02:03", "pci"),
            Kind::Nic,
            "00:50:56:01:02:03",
            State::Virtual,
        ),
        (
            "virtio card",
            card("d0:50:99:01:02:03", "virtio"),
            Kind::Nic,
            "d0:50:99:01:02:03",
            State::Virtual,
        ),
        (
            "usb card",
            card("d0:50:99:01:02:03", "usb"),
            Kind::Nic,
            "d0:50:99:01:02:03",
            State::Movable,
        ),
    ]
}

#[test]
fn a_license_bound_with_an_older_table_still_holds() {
    for (name, fixture, kind, value, state) in discarded() {
        let report = fixture.report(User::Root);
        let row = report.components().iter().find(|row| row.kind == kind && row.state == state);
        assert!(row.is_some(), "{name}: {:?}", report.components());
        let old = |value: &str| {
            Binding::new(1, BTreeMap::from([(kind.word().to_owned(), vec![hash(kind, value)])]))
        };
        let comparison = old(value).unwrap().compare(&report);
        assert!(comparison.holds(), "{name}: {comparison}");
        assert!(!old("another").unwrap().compare(&report).holds(), "{name}");
    }
}

#[test]
fn no_license_is_bound_to_it_anew_and_nothing_shows_it() {
    for (name, fixture, kind, value, _) in discarded() {
        let report = fixture.report(User::Root);
        let hash = hash(kind, value);
        for kinds in [None, Some(vec![kind])] {
            let options = Options { need: Some(1), allow_weak: true, kinds };
            let Ok(binding) = Binding::bind(&report, PRODUCT, &options) else { continue };
            let hashes: Vec<&String> = binding.parts().values().flatten().collect();
            assert!(!hashes.contains(&&hash), "{name}");
        }
        let shown = format!("{} {report:?}", report.to_json());
        assert!(!shown.contains(&hash), "{name}");
        // What was sent to the vendor is what was shown.
        let sent = Report::from_json(&report.to_json()).unwrap();
        assert_eq!(sent, report, "{name}");
        let old = BTreeMap::from([(kind.word().to_owned(), vec![hash])]);
        assert!(!Binding::new(1, old).unwrap().compare(&sent).holds(), "{name}");
    }
}
