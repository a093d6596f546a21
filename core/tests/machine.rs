//! Every machine of the library against the vectors, and what must hold for all of them.

mod machine_support;

use std::fs;

use licentia::machine::{Binding, Kind, Options, Report, State};
use machine_support::{Fixture, PRODUCT, User, names, tests_folder};
use serde_json::{Value, json};

/// The cases of the vector file, in its order: every machine as root and, where that differs,
/// as nobody.
fn cases() -> Vec<Value> {
    let mut cases = Vec::new();
    for name in names() {
        let of = |user| -> Value {
            serde_json::from_str(&Fixture::named(&name).report(user).to_json()).unwrap()
        };
        let case = |user: &str, report: &Value| {
            json!({"name": format!("{name} as {user}"), "fixture": name, "user": user,
                   "report": report})
        };
        let (root, nobody) = (of(User::Root), of(User::Nobody));
        cases.push(case("root", &root));
        if root != nobody {
            cases.push(case("nobody", &nobody));
        }
    }
    cases
}

#[test]
fn every_machine_is_as_the_vectors_say() {
    let path = tests_folder().join("vectors/machines.json");
    let found = cases();
    assert!(names().len() >= 60, "the library has {} machines", names().len());
    if std::env::var_os("LICENTIA_BLESS").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    let wanted: Vec<Value> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for (found, wanted) in found.iter().zip(&wanted) {
        assert_eq!(
            serde_json::to_string_pretty(found).unwrap(),
            serde_json::to_string_pretty(wanted).unwrap(),
            "LICENTIA_BLESS=1 writes the vectors anew"
        );
    }
    assert_eq!(found.len(), wanted.len(), "LICENTIA_BLESS=1 writes the vectors anew");
}

/// The machines are written by a program; nobody edits them.
#[test]
fn every_machine_is_as_its_generator_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let machines = tests_folder().join("fixtures/machines");
    for part in ["generate", "parts", "bare", "guests"] {
        let name = format!("{part}.py");
        fs::copy(machines.join(&name), folder.path().join(&name)).unwrap();
    }
    let program = folder.path().join("generate.py");
    let run = std::process::Command::new("python3").arg("-B").arg(program).output();
    let Ok(done) = run else {
        println!("skipped: every_machine_is_as_its_generator_writes_it needs python3");
        return;
    };
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    for name in names() {
        let file = format!("{name}.json");
        let written = fs::read_to_string(folder.path().join(&file)).unwrap_or_default();
        let kept = fs::read_to_string(machines.join(&file)).unwrap();
        assert!(written == kept, "{file}: run python3 tests/fixtures/machines/generate.py");
    }
}

#[test]
fn a_folder_laid_out_gives_the_same_report() {
    for name in names() {
        let fixture = Fixture::named(&name);
        let folder = tempfile::tempdir().unwrap();
        fixture.lay_out(folder.path());
        let report = Report::read(PRODUCT, folder.path(), &[]);
        assert_eq!(report.to_json(), fixture.report(User::Root).to_json(), "{name}");
    }
}

#[test]
fn no_raw_value_leaves_the_module() {
    for name in names() {
        let fixture = Fixture::named(&name);
        let report = fixture.clone().report(User::Root);
        // The environment names makers of hypervisors and clouds on purpose, in our own words.
        let mut json: Value = serde_json::from_str(&report.to_json()).unwrap();
        json.as_object_mut().unwrap().remove("environment");
        let debug = format!("{:?}", report.components());
        let texts = [json.to_string(), debug].map(|text| text.to_ascii_lowercase());
        for value in fixture.raw_values() {
            for text in &texts {
                assert!(!text.contains(&value.to_ascii_lowercase()), "{name}: {value}");
            }
        }
    }
    let report = Report::from_identity(PRODUCT, "cluster-0190").unwrap();
    assert!(!format!("{report:?} {}", report.to_json()).contains("cluster"));
}

#[test]
fn a_report_survives_its_json() {
    for name in names() {
        let report = Fixture::named(&name).report(User::Nobody);
        assert_eq!(Report::from_json(&report.to_json()).unwrap(), report, "{name}");
    }
}

#[test]
fn what_only_root_reads_never_binds_by_itself() {
    let mut seen = 0;
    for name in names() {
        let root = Fixture::named(&name).report(User::Root);
        let nobody = Fixture::named(&name).report(User::Nobody);
        assert_eq!(root.id(), nobody.id(), "{name}");
        let binds = |report: &Report| -> Vec<_> {
            report.components().iter().filter(|c| c.binds).cloned().collect()
        };
        assert_eq!(binds(&root), binds(&nobody), "{name}");
        let options = Options { allow_weak: true, ..Options::default() };
        let (Ok(a), Ok(b)) =
            (Binding::bind(&root, PRODUCT, &options), Binding::bind(&nobody, PRODUCT, &options))
        else {
            continue;
        };
        seen += 1;
        assert_eq!(a, b, "{name}");
        assert!(a.compare(&nobody).holds() && b.compare(&root).holds(), "{name}");
    }
    assert!(seen >= 30, "only {seen} machines can be bound");
}

#[test]
fn junk_never_counts_and_has_no_hash() {
    for name in names() {
        for row in Fixture::named(&name).report(User::Root).components() {
            assert_eq!(row.hash.is_some(), row.state == State::Found, "{name}: {row:?}");
            assert!(!row.binds || row.state == State::Found, "{name}: {row:?}");
            assert_eq!(row.binds, row.note.is_empty(), "every no has a reason: {name}: {row:?}");
        }
    }
}

#[test]
fn in_a_container_nothing_binds_but_an_identity() {
    let mut containers = 0;
    for name in names() {
        let report = Fixture::named(&name).report(User::Root);
        let is_container = name.starts_with("container-");
        assert_eq!(report.environment().container.is_some(), is_container, "{name}");
        if is_container {
            containers += 1;
            assert_eq!(report.id(), None, "{name}");
            let refused = Binding::bind(&report, PRODUCT, &Options::default()).unwrap_err();
            assert_eq!(refused.code(), licentia::Code::WeakBinding, "{name}");
        }
    }
    assert!(containers >= 8);
    let identity = Report::from_identity(PRODUCT, " 6f1c2a34\r\n").unwrap();
    let binding = Binding::bind(&identity, PRODUCT, &Options::default()).unwrap();
    assert!(binding.compare(&Report::from_identity(PRODUCT, "6f1c2a34").unwrap()).holds());
    assert!(!binding.compare(&Report::from_identity(PRODUCT, "6f1c2a35").unwrap()).holds());
}

/// The files of each kind, by how their paths start. The list of mounts is nobody's: it tells
/// what is a container, and holds no value.
const FILES_OF: &[(Kind, &[&str])] = &[
    (Kind::MachineId, &["/etc/machine-id", "/var/lib/dbus/machine-id"]),
    (Kind::Product, &["/sys/class/dmi/id/product_uuid", "/sys/hypervisor/uuid"]),
    (
        Kind::ProductSerial,
        &["/sys/class/dmi/id/product_serial", "/sys/firmware/devicetree/base/serial-number"],
    ),
    (Kind::Board, &["/sys/class/dmi/id/board_serial"]),
    (Kind::Chassis, &["/sys/class/dmi/id/chassis_serial"]),
    (Kind::AssetTag, &["/sys/class/dmi/id/board_asset_tag", "/sys/class/dmi/id/chassis_asset_tag"]),
    (Kind::Cloud, &["/run/cloud-init/"]),
    (Kind::Nic, &["/sys/class/net"]),
    (Kind::Disk, &["/sys/block"]),
    (
        Kind::RootFs,
        &["/run/udev/data/", "/dev/disk/", "/sys/dev/block/", "/proc/cmdline", "/etc/fstab"],
    ),
    (Kind::Cpu, &["/proc/cpuinfo"]),
    (
        Kind::Model,
        &[
            "/sys/class/dmi/id/sys_vendor",
            "/sys/class/dmi/id/product_name",
            "/sys/class/dmi/id/board_vendor",
            "/sys/class/dmi/id/board_name",
            "/sys/firmware/devicetree/base/model",
        ],
    ),
];

/// A source that remembers what was asked of it.
struct Watch {
    seen: machine_support::Seen,
    paths: std::cell::RefCell<Vec<String>>,
}

impl Watch {
    fn of(fixture: &Fixture) -> Watch {
        Watch { seen: fixture.clone().seen_by(User::Root), paths: Default::default() }
    }

    fn note(&self, path: &str) -> &machine_support::Seen {
        self.paths.borrow_mut().push(path.to_owned());
        &self.seen
    }

    fn touched(&self, files: &[&str]) -> Vec<String> {
        let paths = self.paths.borrow();
        paths.iter().filter(|path| files.iter().any(|f| path.starts_with(f))).cloned().collect()
    }
}

impl licentia::machine::Source for Watch {
    fn read(&self, path: &str, limit: u64) -> std::io::Result<Vec<u8>> {
        self.note(path).read(path, limit)
    }
    fn list(&self, path: &str) -> std::io::Result<Vec<String>> {
        self.note(path).list(path)
    }
    fn link(&self, path: &str) -> std::io::Result<String> {
        self.note(path).link(path)
    }
    fn mode(&self, path: &str) -> std::io::Result<u32> {
        self.note(path).mode(path)
    }
}

#[test]
fn what_the_product_excludes_is_not_read() {
    let listed: Vec<Kind> = FILES_OF.iter().map(|(kind, _)| *kind).collect();
    let readable = Kind::ALL.iter().filter(|kind| **kind != Kind::Identity);
    assert!(readable.eq(&listed));
    let mut touched = vec![false; FILES_OF.len()];
    for name in names() {
        let fixture = Fixture::named(&name);
        for (n, (kind, files)) in FILES_OF.iter().enumerate() {
            let open = Watch::of(&fixture);
            Report::read_from(PRODUCT, &open, &[]);
            touched[n] |= !open.touched(files).is_empty();
            let shut = Watch::of(&fixture);
            let report = Report::read_from(PRODUCT, &shut, &[*kind]);
            assert_eq!(shut.touched(files), Vec::<String>::new(), "{name}: {kind}");
            let rows: Vec<_> = report.components().iter().filter(|c| c.kind == *kind).collect();
            assert!(rows.len() == 1 && rows[0].state == State::Excluded, "{name}: {rows:?}");
            assert_eq!(rows[0].hash, None);
        }
    }
    assert!(touched.iter().all(|one| *one), "a kind is read from elsewhere: {touched:?}");
}

#[test]
fn another_product_sees_other_hashes() {
    let seen = Fixture::named("server-dell").seen_by(User::Root);
    let [a, b] = ["myapp", "other"].map(|product| Report::read_from(product, &seen, &[]));
    for row in a.components().iter().filter_map(|c| c.hash.as_ref()) {
        assert!(b.components().iter().all(|c| c.hash.as_ref() != Some(row)));
    }
    let binding = Binding::bind(&a, PRODUCT, &Options::default()).unwrap();
    assert_eq!(binding.compare(&b).matched, 0);
}

#[test]
fn the_root_is_the_same_whoever_tells_its_uuid() {
    let fixture = Fixture::named("vm-plain");
    let root_of = |report: &Report| {
        report.components().iter().find(|c| c.kind == Kind::RootFs).unwrap().hash.clone()
    };
    let by_table = root_of(&fixture.clone().report(User::Nobody));
    assert!(by_table.is_some());
    let table = fixture.entries.get("/etc/fstab").cloned();
    let Some(machine_support::Entry::File { text, .. }) = table else { panic!("no table") };
    let uuid = text.split("UUID=").nth(1).unwrap()[..36].to_owned();
    let digits = u128::from_str_radix(&uuid.replace('-', ""), 16).unwrap().to_be_bytes();
    let half = |n: usize| u64::from_le_bytes(digits[n..n + 8].try_into().unwrap());
    let mut seen = fixture.clone().without("/etc/fstab").seen_by(User::Nobody);
    assert_eq!(root_of(&Report::read_from(PRODUCT, &seen, &[])), None);
    seen.fsid = Some(half(0) ^ half(8));
    assert_eq!(root_of(&Report::read_from(PRODUCT, &seen, &[])), by_table);
    let places = [
        ("/run/udev/data/b254:0", format!("E:ID_FS_UUID={uuid}\n")),
        ("/proc/cmdline", format!("quiet root=UUID={}", uuid.to_uppercase())),
        ("/etc/fstab", format!("/dev/disk/by-uuid/{uuid}\t/\text4\n")),
    ];
    for (path, text) in places {
        let one = fixture.clone().without("/etc/fstab").with(path, &text);
        assert_eq!(root_of(&one.report(User::Nobody)), by_table, "{path}");
    }
    let linked =
        fixture.without("/etc/fstab").with_link(&format!("/dev/disk/by-uuid/{uuid}"), "../../vda");
    assert_eq!(root_of(&linked.report(User::Nobody)), by_table);
}

/// Btrfs mounts have a device number of their own, so the name of what is mounted has to do.
#[test]
fn the_root_is_found_by_the_name_of_what_is_mounted() {
    let laptop = Fixture::named("laptop-thinkpad");
    let root_of = |fixture: Fixture| {
        let report = fixture.report(User::Nobody);
        report.components().iter().find(|c| c.kind == Kind::RootFs).unwrap().hash.clone()
    };
    let Some(machine_support::Entry::File { text, .. }) = laptop.entries.get("/proc/cmdline")
    else {
        panic!("the laptop has no command line");
    };
    let uuid = text.split("root=UUID=").nth(1).unwrap()[..36].to_owned();
    let linked = laptop
        .clone()
        .without("/proc/cmdline")
        .with_link("/dev/mapper/luks-home", "../dm-0")
        .with_link("/dev/disk/by-uuid/0000-0001", "../../nvme0n1p1")
        .with_link(&format!("/dev/disk/by-uuid/{uuid}"), "../../dm-0");
    assert!(root_of(laptop.clone()).is_some());
    assert_eq!(root_of(linked), root_of(laptop));
}
