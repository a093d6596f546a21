//! A Linux machine, read from its files. Nothing is started and nothing is written.

use super::parts::{Finding, View};
use super::{Kind, State, cpu, disks, firmware, junk, network, root_fs};

/// Everything there is to find, one kind after the other. A kind in `exclude` is not read.
pub(super) fn findings(view: &View<'_>, exclude: &[Kind]) -> Vec<Finding> {
    let mut all = Vec::new();
    for &kind in Kind::ALL {
        if kind == Kind::Identity {
            continue;
        }
        if exclude.contains(&kind) {
            all.push(Finding::excluded(kind));
        } else {
            all.extend(of_kind(view, kind));
        }
    }
    all
}

fn of_kind(view: &View<'_>, kind: Kind) -> Vec<Finding> {
    match kind {
        Kind::MachineId => vec![machine_id(view)],
        Kind::Product | Kind::ProductSerial | Kind::Board | Kind::Chassis | Kind::AssetTag => {
            firmware::findings(view, kind)
        }
        Kind::Cloud => {
            vec![view.value(kind, "/run/cloud-init/.instance-id", junk::instance_flaw)]
        }
        Kind::Nic => network::findings(view),
        Kind::Disk => disks::findings(view),
        Kind::RootFs => vec![root_fs::finding(view)],
        Kind::Cpu => vec![cpu::finding(view)],
        Kind::Model => vec![firmware::model(view)],
        Kind::Identity => Vec::new(),
    }
}

fn machine_id(view: &View<'_>) -> Finding {
    // systemd lays a new id over the file at each start when it may not write the real one.
    if view.mounts().iter().any(|m| m.point == "/etc/machine-id" && m.kind == "tmpfs") {
        let note = "the system makes a new one at each start";
        return Finding::without(Kind::MachineId, State::Junk, note);
    }
    let read = |path| view.value(Kind::MachineId, path, junk::machine_id_flaw);
    let first = read("/etc/machine-id");
    match first.state {
        State::Missing => read("/var/lib/dbus/machine-id"),
        _ => first,
    }
}
