//! A Windows machine, read from its registry. Any user may read all of it.

use super::environment::{Environment, FirmwareNames};
use super::parts::Finding;
use super::smbios::{self, Table};
use super::{Kind, State, junk};

/// The part of the registry below HKEY_LOCAL_MACHINE.
pub(super) trait Registry {
    /// A text value, or `None` if there is none.
    fn text(&self, key: &str, name: &str) -> Option<String>;
    /// A binary value, or `None` if there is none.
    fn bytes(&self, key: &str, name: &str) -> Option<Vec<u8>>;
    /// The names of the keys in a key.
    fn keys(&self, key: &str) -> Vec<String>;
}

const CRYPTOGRAPHY: &str = r"SOFTWARE\Microsoft\Cryptography";
const FIRMWARE: &str = r"SYSTEM\CurrentControlSet\Services\mssmbios\Data";
const PROCESSOR: &str = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0";
const DISKS: &str = r"HARDWARE\DEVICEMAP\Scsi";
const DRIVES: &str = r"SYSTEM\MountedDevices";

/// The kinds whose values are in the firmware's table.
const IN_TABLE: &[Kind] =
    &[Kind::Product, Kind::ProductSerial, Kind::Board, Kind::Chassis, Kind::AssetTag, Kind::Model];

/// Everything there is to find. A kind in `exclude` is not read; the firmware's table comes in
/// one piece, and is not read if all that is in it is excluded.
pub(super) fn read(registry: &dyn Registry, exclude: &[Kind]) -> (Environment, Vec<Finding>) {
    let wanted = |kind: Kind| !exclude.contains(&kind);
    let any = IN_TABLE.iter().any(|kind| wanted(*kind));
    let table = any.then(|| registry.bytes(FIRMWARE, "SMBiosData")).flatten();
    let table = smbios::parse(&table.unwrap_or_default());
    let name = |kind, text: &str| if wanted(kind) { junk::normal(text) } else { String::new() };
    let names = FirmwareNames {
        sys_vendor: name(Kind::Model, &table.vendor),
        product_name: name(Kind::Model, &table.product),
        board_vendor: name(Kind::Model, &table.board_vendor),
        chassis_tag: name(Kind::AssetTag, &table.chassis_tag),
        ..FirmwareNames::default()
    };
    let mut all = Vec::new();
    for &kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Identity) {
        if wanted(kind) {
            all.extend(of_kind(registry, &table, kind));
        } else {
            all.push(Finding::excluded(kind));
        }
    }
    (Environment::of_firmware(&names), all)
}

fn of_kind(registry: &dyn Registry, table: &Table, kind: Kind) -> Vec<Finding> {
    let serial = |text: &str| Finding::judged(kind, text, junk::serial_flaw);
    match kind {
        Kind::MachineId => vec![machine_id(registry)],
        Kind::Product => vec![Finding::of_uuid(kind, &table.uuid)],
        Kind::ProductSerial => vec![serial(&table.serial)],
        Kind::Board => vec![serial(&table.board_serial)],
        Kind::Chassis => vec![serial(&table.chassis_serial)],
        Kind::AssetTag => vec![serial(&table.board_tag), serial(&table.chassis_tag)],
        Kind::Disk => disks(registry),
        Kind::RootFs => vec![system_drive(registry)],
        Kind::Cpu => vec![cpu(registry)],
        Kind::Model => vec![model(table)],
        Kind::Cloud | Kind::Nic | Kind::Identity => {
            vec![Finding::without(kind, State::Missing, "it is not read on Windows")]
        }
    }
}

fn machine_id(registry: &dyn Registry) -> Finding {
    let Some(text) = registry.text(CRYPTOGRAPHY, "MachineGuid") else {
        return Finding::missing(Kind::MachineId);
    };
    let digits = junk::uuid_digits(&junk::normal(&text)).unwrap_or_default();
    Finding::judged(Kind::MachineId, &digits, junk::machine_id_flaw)
}

/// The disks behind each adapter. USB's have their own driver and are left out.
fn disks(registry: &dyn Registry) -> Vec<Finding> {
    let mut found = Vec::new();
    for port in registry.keys(DISKS) {
        let port = format!(r"{DISKS}\{port}");
        let driver = junk::normal(&registry.text(&port, "Driver").unwrap_or_default());
        for disk in below(registry, &port, 3) {
            let kind = registry.text(&disk, "Type").unwrap_or_default();
            if junk::normal(&kind) != "diskperipheral" {
                continue;
            }
            let serial = registry.text(&disk, "SerialNumber");
            let serial = serial.map(|text| Finding::judged(Kind::Disk, &text, junk::disk_flaw));
            if matches!(driver.as_str(), "uaspstor" | "usbstor" | "msiscsi" | "iscsiprt") {
                let note = "it can be plugged into another machine, or is on a network";
                let disk = serial.unwrap_or_else(|| Finding::missing(Kind::Disk));
                found.push(disk.set_aside(State::Movable, note));
            } else {
                found.extend(serial);
            }
        }
    }
    if found.is_empty() { vec![Finding::missing(Kind::Disk)] } else { found }
}

/// The keys `depth` levels below a key: bus, target and unit of an adapter.
fn below(registry: &dyn Registry, key: &str, depth: usize) -> Vec<String> {
    let mut level = vec![key.to_owned()];
    for _ in 0..depth {
        level = level
            .iter()
            .flat_map(|key| registry.keys(key).into_iter().map(move |name| (key, name)))
            .map(|(key, name)| format!(r"{key}\{name}"))
            .collect();
    }
    level
}

/// The id of the partition that is C:, or its disk's signature and its place.
fn system_drive(registry: &dyn Registry) -> Finding {
    let bytes = registry.bytes(DRIVES, r"\DosDevices\C:").unwrap_or_default();
    if bytes.is_empty() {
        return Finding::missing(Kind::RootFs);
    }
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Finding::judged(Kind::RootFs, &digits, junk::serial_flaw)
}

fn cpu(registry: &dyn Registry) -> Finding {
    let names = ["VendorIdentifier", "Identifier", "ProcessorNameString"];
    let parts: Vec<String> = names
        .iter()
        .filter_map(|name| registry.text(PROCESSOR, name))
        .map(|text| junk::normal(&text))
        .collect();
    if parts.is_empty() {
        return Finding::missing(Kind::Cpu);
    }
    Finding::found(Kind::Cpu, parts.join("|"), false)
}

fn model(table: &Table) -> Finding {
    let names = [
        ("sys_vendor", &table.vendor),
        ("product_name", &table.product),
        ("board_vendor", &table.board_vendor),
        ("board_name", &table.board_product),
    ];
    Finding::of_model(names.iter().map(|(name, text)| (*name, text.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Fake(BTreeMap<(String, String), Vec<u8>>);

    impl Registry for Fake {
        fn text(&self, key: &str, name: &str) -> Option<String> {
            self.bytes(key, name).map(|bytes| String::from_utf8(bytes).unwrap())
        }
        fn bytes(&self, key: &str, name: &str) -> Option<Vec<u8>> {
            self.0.get(&(key.to_owned(), name.to_owned())).cloned()
        }
        fn keys(&self, key: &str) -> Vec<String> {
            let prefix = format!(r"{key}\");
            let below = self.0.keys().filter_map(|(path, _)| path.strip_prefix(&prefix));
            let mut names: Vec<String> =
                below.map(|rest| rest.split('\\').next().unwrap().to_owned()).collect();
            names.dedup();
            names
        }
    }

    fn machine() -> Fake {
        let port = |n: u32| format!(r"{DISKS}\Scsi Port {n}");
        let unit = |n: u32| format!(r"{}\Scsi Bus 0\Target Id 0\Logical Unit Id 0", port(n));
        let values: Vec<(String, &str, Vec<u8>)> = vec![
            (CRYPTOGRAPHY.into(), "MachineGuid", b"6F1C2A34-0B5E-4F6D-8C7A-9D0E1F2A3B4C".into()),
            (FIRMWARE.into(), "SMBiosData", smbios::tests::sample(8)),
            (PROCESSOR.into(), "ProcessorNameString", b"A  Processor".into()),
            (DRIVES.into(), r"\DosDevices\C:", b"DMIO:ID:\x01\x02\x03\x04".into()),
            (port(0), "Driver", b"stornvme".into()),
            (unit(0), "Type", b"DiskPeripheral".into()),
            (unit(0), "SerialNumber", b"0025_38B7_1B0A_1B2C.".into()),
            (port(1), "Driver", b"UASPStor".into()),
            (unit(1), "Type", b"DiskPeripheral".into()),
            (unit(1), "SerialNumber", b"STICK12345".into()),
            (port(2), "Driver", b"storahci".into()),
            (unit(2), "Type", b"CdRomPeripheral".into()),
            (unit(2), "SerialNumber", b"CDROM12345".into()),
        ];
        Fake(values.into_iter().map(|(k, n, v)| ((k, n.to_owned()), v)).collect())
    }

    fn values(findings: &[Finding], kind: Kind) -> Vec<&str> {
        findings.iter().filter(|f| f.kind == kind).filter_map(|f| f.value.as_deref()).collect()
    }

    #[test]
    fn a_windows_machine_is_read_from_its_registry() {
        let (environment, found) = read(&machine(), &[]);
        assert_eq!(environment, Environment::default());
        for (kind, value) in [
            (Kind::MachineId, "6f1c2a340b5e4f6d8c7a9d0e1f2a3b4c"),
            (Kind::Product, "131211101514171618191a1b1c1d1e1f"),
            (Kind::ProductSerial, "abc1234"),
            (Kind::Board, ".abc1234.cn1."),
            (Kind::Chassis, "chs1234"),
            (Kind::AssetTag, "ast-1234"),
            (Kind::Disk, "0025_38b7_1b0a_1b2c."),
            (Kind::RootFs, "444d494f3a49443a01020304"),
            (Kind::Cpu, "a processor"),
        ] {
            assert_eq!(values(&found, kind), [value], "{kind}");
        }
        assert!(found.iter().all(|finding| !finding.root_only));
    }

    /// The firmware's table comes in one piece.
    #[test]
    fn the_table_is_not_read_for_kinds_that_are_excluded() {
        struct Watch(Fake, std::cell::Cell<bool>);
        impl Registry for Watch {
            fn text(&self, key: &str, name: &str) -> Option<String> {
                self.0.text(key, name)
            }
            fn bytes(&self, key: &str, name: &str) -> Option<Vec<u8>> {
                self.1.set(self.1.get() || key == FIRMWARE);
                self.0.bytes(key, name)
            }
            fn keys(&self, key: &str) -> Vec<String> {
                self.0.keys(key)
            }
        }
        let reads = |exclude: &[Kind]| {
            let watch = Watch(machine(), std::cell::Cell::new(false));
            read(&watch, exclude);
            watch.1.get()
        };
        assert!(!reads(IN_TABLE) && !reads(Kind::ALL));
        for kept in IN_TABLE {
            let exclude: Vec<Kind> = IN_TABLE.iter().copied().filter(|k| k != kept).collect();
            assert!(reads(&exclude), "{kept}");
        }
    }

    #[test]
    fn what_is_excluded_does_not_tell_the_environment() {
        let mut fake = machine();
        let table = String::from_utf8_lossy(&smbios::tests::sample(8)).into_owned();
        let table = table.replace("PowerEdge R650", "VirtualBox").into_bytes();
        fake.0.insert((FIRMWARE.to_owned(), "SMBiosData".to_owned()), table);
        assert_eq!(read(&fake, &[]).0.vm.as_deref(), Some("virtualbox"));
        assert_eq!(read(&fake, &[Kind::Model]).0, Environment::default());
    }

    #[test]
    fn an_empty_registry_and_an_excluded_kind_give_reasons() {
        let (_, found) = read(&Fake(BTreeMap::new()), &[]);
        assert!(found.iter().all(|finding| finding.value.is_none()));
        let (_, found) = read(&machine(), &[Kind::Disk]);
        assert!(found.iter().any(|f| f.kind == Kind::Disk && f.state == State::Excluded));
        assert!(values(&found, Kind::Disk).is_empty());
    }
}
