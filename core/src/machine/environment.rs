//! Where a machine runs: in a container, under a hypervisor, in a cloud. No verdict on a license
//! depends on it. What a new license binds to does: `container` and `wsl` take what is not the
//! machine's own out of it. `vm` and `cloud` are information only.

use serde::{Deserialize, Serialize};

use super::parts::View;
use super::{Kind, container};

/// What a machine seems to run in. Absent members mean that nothing was recognized.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// `docker`, `podman`, `kubernetes`, `lxc`, `systemd-nspawn`, or `unknown`.
    pub container: Option<String>,
    /// `kvm`, `qemu`, `vmware`, `virtualbox`, `hyperv`, `xen`, `parallels`, `bhyve`, `apple`,
    /// or `unknown`.
    pub vm: Option<String>,
    /// `aws`, `gcp`, `azure`, `oracle`, `alibaba`, `digitalocean`, `hetzner`, `vultr`, `linode`,
    /// `scaleway` or `openstack`.
    pub cloud: Option<String>,
    /// Whether the kernel is that of the Windows Subsystem for Linux.
    pub wsl: bool,
}

impl Environment {
    /// Leaves alone the files of the kinds in `exclude`, and then may know less of `vm` and
    /// `cloud`. No file that `container` and `wsl` are known by holds a value of a kind.
    pub(super) fn read(view: &View<'_>, exclude: &[Kind]) -> Environment {
        let wsl = view.word("/proc/sys/kernel/osrelease").contains("microsoft");
        let names = FirmwareNames::read(view, exclude);
        let xen = unless(exclude, Kind::Product, || view.word("/sys/hypervisor/uuid"));
        let vm = if wsl { Some("hyperv") } else { vm(view, &names, exclude) };
        Environment {
            container: container::word(view).map(str::to_owned),
            vm: vm.map(str::to_owned),
            cloud: names.cloud().or(xen.starts_with("ec2").then_some("aws")).map(str::to_owned),
            wsl,
        }
    }

    /// What names alone tell, on a system that has no container of its own kind.
    #[cfg(any(windows, test))]
    pub(super) fn of_firmware(names: &FirmwareNames) -> Environment {
        let vm = if names.is_metal() { None } else { names.hypervisor() };
        Environment {
            vm: vm.map(str::to_owned),
            cloud: names.cloud().map(str::to_owned),
            ..Environment::default()
        }
    }
}

/// What `read` gives, or nothing if it is of a kind that is not to be read.
fn unless(exclude: &[Kind], kind: Kind, read: impl Fn() -> String) -> String {
    if exclude.contains(&kind) { String::new() } else { read() }
}

/// What the firmware calls the machine, its makers and its tags, in normalized form.
#[derive(Default)]
pub(super) struct FirmwareNames {
    pub sys_vendor: String,
    pub product_name: String,
    pub bios_vendor: String,
    pub bios_version: String,
    pub board_vendor: String,
    pub chassis_tag: String,
}

/// Words in makers' and models' names, and the hypervisor they stand for.
const FIRMWARES: &[(&str, &str)] = &[
    ("vmware", "vmware"),
    ("virtualbox", "virtualbox"),
    ("innotek", "virtualbox"),
    ("parallels", "parallels"),
    ("bhyve", "bhyve"),
    ("apple virtualization", "apple"),
    ("xen", "xen"),
    ("hvm domu", "xen"),
    ("kvm", "kvm"),
    ("google compute engine", "kvm"),
    ("openstack", "kvm"),
    ("digitalocean", "kvm"),
    ("alibaba cloud", "kvm"),
    ("hetzner vserver", "kvm"),
    ("amazon ec2", "kvm"),
    ("qemu", "qemu"),
    ("bochs", "qemu"),
];

impl FirmwareNames {
    fn read(view: &View<'_>, exclude: &[Kind]) -> FirmwareNames {
        let name = |file: &str| view.word(&format!("/sys/class/dmi/id/{file}"));
        let of = |kind: Kind, file: &str| unless(exclude, kind, || name(file));
        FirmwareNames {
            sys_vendor: of(Kind::Model, "sys_vendor"),
            product_name: of(Kind::Model, "product_name"),
            bios_vendor: name("bios_vendor"),
            bios_version: name("bios_version"),
            board_vendor: of(Kind::Model, "board_vendor"),
            chassis_tag: of(Kind::AssetTag, "chassis_asset_tag"),
        }
    }

    fn hypervisor(&self) -> Option<&'static str> {
        if self.sys_vendor == "microsoft corporation" && self.product_name == "virtual machine" {
            return Some("hyperv");
        }
        let names = [&self.sys_vendor, &self.product_name, &self.bios_vendor, &self.board_vendor]
            .map(String::as_str)
            .join(" ");
        FIRMWARES.iter().find(|(word, _)| names.contains(word)).map(|(_, vm)| *vm)
    }

    /// Whether it is a cloud's bare machine: it names the cloud and has no hypervisor.
    fn is_metal(&self) -> bool {
        self.product_name.ends_with(".metal") || self.product_name.contains(".metal-")
    }

    fn cloud(&self) -> Option<&'static str> {
        let clouds = [
            (&self.sys_vendor, "amazon ec2", "aws"),
            (&self.bios_version, "amazon", "aws"),
            (&self.product_name, "google compute engine", "gcp"),
            (&self.chassis_tag, "7783-7084-3265-9085-8269-3286-77", "azure"),
            (&self.chassis_tag, "oraclecloud.com", "oracle"),
            (&self.sys_vendor, "alibaba cloud", "alibaba"),
            (&self.sys_vendor, "digitalocean", "digitalocean"),
            (&self.sys_vendor, "hetzner", "hetzner"),
            (&self.sys_vendor, "vultr", "vultr"),
            (&self.sys_vendor, "akamai", "linode"),
            (&self.sys_vendor, "linode", "linode"),
            (&self.sys_vendor, "scaleway", "scaleway"),
            (&self.sys_vendor, "openstack", "openstack"),
            (&self.product_name, "openstack", "openstack"),
        ];
        clouds.iter().find(|(name, word, _)| name.contains(word)).map(|(_, _, cloud)| *cloud)
    }
}

fn vm(view: &View<'_>, names: &FirmwareNames, exclude: &[Kind]) -> Option<&'static str> {
    if names.is_metal() {
        return None;
    }
    if view.word("/sys/hypervisor/type") == "xen" {
        let controls = view.word("/proc/xen/capabilities").contains("control_d");
        return (!controls).then_some("xen");
    }
    match names.hypervisor() {
        // QEMU says so of itself even when KVM does the work.
        named @ (Some("qemu") | None) => {
            let cpu = || unless(exclude, Kind::Cpu, || view.word("/proc/cpuinfo"));
            let flagged = || cpu().contains(" hypervisor ");
            by_clock(view).or(named).or_else(|| flagged().then_some("unknown"))
        }
        named => named,
    }
}

/// The clock that a hypervisor lends its guests; there on machines without any firmware.
fn by_clock(view: &View<'_>) -> Option<&'static str> {
    let folder = "/sys/devices/system/clocksource/clocksource0";
    let clocks = view.word(&format!("{folder}/available_clocksource"));
    let tree = view.word("/sys/firmware/devicetree/base/hypervisor/compatible");
    if clocks.contains("kvm-clock") || tree.contains("linux,kvm") {
        Some("kvm")
    } else if clocks.contains("hyperv_clocksource") {
        Some("hyperv")
    } else if clocks.split(' ').any(|clock| clock == "xen") || tree.contains("xen,") {
        Some("xen")
    } else {
        None
    }
}
