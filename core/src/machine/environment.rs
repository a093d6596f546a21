//! Where a machine runs: in a container, under a hypervisor, in a cloud. Information only: no
//! verdict depends on it.

use serde::{Deserialize, Serialize};

use super::parts::View;
use super::root_fs::mounts;

/// What a machine seems to run in. Absent members mean that nothing was recognized.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// `docker`, `podman`, `kubernetes`, `lxc`, `systemd-nspawn`, or `unknown`.
    pub container: Option<String>,
    /// `kvm`, `qemu`, `vmware`, `virtualbox`, `hyperv`, `xen`, `parallels`, `bhyve`, `apple`,
    /// or `unknown`.
    pub vm: Option<String>,
    /// `aws`, `gcp`, `azure`, `oracle`, `alibaba`, `digitalocean`, `hetzner`, `openstack`, …
    pub cloud: Option<String>,
    /// Whether the kernel is that of the Windows Subsystem for Linux.
    pub wsl: bool,
}

impl Environment {
    pub(super) fn read(view: &View<'_>) -> Environment {
        let wsl = view.word("/proc/sys/kernel/osrelease").contains("microsoft");
        Environment {
            container: container(view).map(str::to_owned),
            vm: if wsl { Some("hyperv") } else { vm(view) }.map(str::to_owned),
            cloud: cloud(view).map(str::to_owned),
            wsl,
        }
    }
}

/// Kubernetes first: its pods carry the marks of what runs them too.
fn container(view: &View<'_>) -> Option<&'static str> {
    let given = mounts(view)
        .into_iter()
        .filter(|m| matches!(m.point.as_str(), "/etc/hosts" | "/etc/hostname" | "/etc/resolv.conf"))
        .map(|m| m.root);
    let marks = format!(
        "{}\n{}",
        given.collect::<Vec<_>>().join("\n"),
        view.hint("/proc/self/cgroup").unwrap_or_default(),
    );
    let marked = |words: &[&str]| words.iter().any(|word| marks.contains(word));
    let manager = view.word("/run/systemd/container");
    let host = view.word("/run/host/container-manager");
    let says = |word: &str| manager == word || host == word;
    let has = |path: &str| view.exists(path);

    if has("/run/secrets/kubernetes.io")
        || has("/var/run/secrets/kubernetes.io")
        || marked(&["/kubelet/pods/", "/kubepods", "kubepods-"])
    {
        return Some("kubernetes");
    }
    if has("/run/.containerenv")
        || says("podman")
        || marked(&["/overlay-containers/", "/libpod-", "libpod_parent"])
    {
        return Some("podman");
    }
    if has("/.dockerenv") || says("docker") || marked(&["/docker/", "/docker-"]) {
        return Some("docker");
    }
    if says("systemd-nspawn") {
        return Some("systemd-nspawn");
    }
    let lxcfs = mounts(view).iter().any(|m| m.kind == "fuse.lxcfs" && m.point.starts_with("/proc/"));
    if lxcfs || says("lxc") || has("/dev/lxd/sock") || marked(&["/lxc/", "/lxc.payload"]) {
        return Some("lxc");
    }
    let another = !manager.is_empty() && manager != "wsl";
    let overlay = mounts(view).iter().rfind(|m| m.point == "/").is_some_and(|m| m.kind == "overlay");
    // A live system has an overlay too, but its own init in the root control group's services.
    if another || (overlay && marked(&["/nerdctl/", "/containerd/", "/crio-", "/buildkit/"])) {
        return Some("unknown");
    }
    None
}

const DMI: &str = "/sys/class/dmi/id";

/// Words in what the firmware calls itself, and whose they are.
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

fn vm(view: &View<'_>) -> Option<&'static str> {
    let name = |file: &str| view.word(&format!("{DMI}/{file}"));
    let (vendor, product) = (name("sys_vendor"), name("product_name"));
    let words = [&vendor, &product, &name("bios_vendor"), &name("board_vendor")]
        .map(String::as_str)
        .join(" ");
    let flagged = view.word("/proc/cpuinfo").contains(" hypervisor ");
    // The clouds' bare machines name the cloud in their firmware, and have no hypervisor.
    if product.ends_with(".metal") || product.contains("-metal") {
        return None;
    }
    if view.word("/sys/hypervisor/type") == "xen" {
        let controls = view.word("/proc/xen/capabilities").contains("control_d");
        return (!controls).then_some("xen");
    }
    if vendor == "microsoft corporation" && product == "virtual machine" {
        return Some("hyperv");
    }
    let by_name = FIRMWARES.iter().find(|(word, _)| words.contains(word)).map(|(_, vm)| *vm);
    match by_name {
        // QEMU says so of itself even when KVM does the work.
        Some("qemu") | None => by_clock(view).or(by_name).or(flagged.then_some("unknown")),
        known => known,
    }
}

/// The clock that a hypervisor lends its guests; there on machines without any firmware.
fn by_clock(view: &View<'_>) -> Option<&'static str> {
    let clocks = view
        .word("/sys/devices/system/clocksource/clocksource0/available_clocksource");
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

/// Where a cloud's name is in its machines' firmware, and whose it is.
const CLOUDS: &[(&str, &str, &str)] = &[
    ("sys_vendor", "amazon ec2", "aws"),
    ("bios_version", "amazon", "aws"),
    ("product_name", "google compute engine", "gcp"),
    ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", "azure"),
    ("chassis_asset_tag", "oraclecloud.com", "oracle"),
    ("sys_vendor", "alibaba cloud", "alibaba"),
    ("sys_vendor", "digitalocean", "digitalocean"),
    ("sys_vendor", "hetzner", "hetzner"),
    ("sys_vendor", "vultr", "vultr"),
    ("sys_vendor", "akamai", "linode"),
    ("sys_vendor", "linode", "linode"),
    ("sys_vendor", "scaleway", "scaleway"),
    ("sys_vendor", "openstack", "openstack"),
    ("product_name", "openstack", "openstack"),
];

fn cloud(view: &View<'_>) -> Option<&'static str> {
    let by_name = CLOUDS.iter().find(|(file, word, _)| {
        view.word(&format!("{DMI}/{file}")).contains(word)
    });
    let on_xen = || view.word("/sys/hypervisor/uuid").starts_with("ec2");
    by_name.map(|(_, _, cloud)| *cloud).or_else(|| on_xen().then_some("aws"))
}
