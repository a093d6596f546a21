//! The id of the root file system: what it is depends on who may ask whom.

use super::parts::{Finding, View};
use super::{Kind, State, junk};

/// One line of /proc/self/mountinfo.
pub(super) struct Mount {
    /// Major and minor number of the device, as `8:1`.
    pub device: String,
    /// The folder of the file system that is mounted.
    pub root: String,
    /// Where it is mounted.
    pub point: String,
    /// Its type, such as `ext4`.
    pub kind: String,
    /// What is mounted, such as `/dev/sda1`.
    pub from: String,
}

/// The mounts in the text of /proc/self/mountinfo.
pub(super) fn mounts(text: &str) -> Vec<Mount> {
    text.lines().filter_map(mount).collect()
}

fn mount(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(2);
    let mut right = right.split(' ');
    Some(Mount {
        device: left.next()?.to_owned(),
        root: left.next()?.to_owned(),
        point: left.next()?.to_owned(),
        kind: right.next()?.to_owned(),
        from: right.next()?.to_owned(),
    })
}

/// The root file system's id, from the first place that has it.
pub(super) fn finding(view: &View<'_>) -> Finding {
    let Ok(mounts) = &view.mounts else { return Finding::unreadable(Kind::RootFs) };
    // A mount over another hides it, so the last one counts.
    let Some(root) = mounts.iter().rfind(|mount| mount.point == "/") else {
        return Finding::missing(Kind::RootFs);
    };
    if !root.from.starts_with("/dev/") {
        let note = "the root file system is not on a disk of its own";
        return Finding::without(Kind::RootFs, State::Missing, note);
    }
    let is_ext = matches!(root.kind.as_str(), "ext2" | "ext3" | "ext4");
    let known = if is_ext { view.source.file_system_id().filter(|id| *id != 0) } else { None };
    let value = match known {
        Some(id) => Some(format!("{id:016x}")),
        None => uuid(view, root).and_then(|uuid| form(&uuid, is_ext)),
    };
    match value {
        Some(value) if is_blank(&value) => {
            let found = Finding::found(Kind::RootFs, value, false);
            found.set_aside(State::Junk, "it is one character repeated")
        }
        Some(value) => Finding::found(Kind::RootFs, value, false),
        None => {
            let note = "no file that every user may read says it";
            Finding::without(Kind::RootFs, State::Missing, note)
        }
    }
}

/// The UUID that udev, the kernel's command line or fstab gives for the root.
fn uuid(view: &View<'_>, root: &Mount) -> Option<String> {
    from_udev(view, root)
        .or_else(|| from_links(view, root))
        .or_else(|| from_command_line(view))
        .or_else(|| from_fstab(view))
}

fn from_udev(view: &View<'_>, root: &Mount) -> Option<String> {
    let data = view.hint(&format!("/run/udev/data/b{}", root.device))?;
    data.lines().find_map(|line| line.strip_prefix("E:ID_FS_UUID=")).map(str::to_owned)
}

fn from_links(view: &View<'_>, root: &Mount) -> Option<String> {
    const FOLDER: &str = "/dev/disk/by-uuid";
    // `/dev/root` and `/dev/mapper/x` are other names; the kernel knows the real one.
    let device = view
        .link_name(&format!("/sys/dev/block/{}", root.device))
        .or_else(|| view.link_name(&root.from))
        .or_else(|| root.from.rsplit('/').next().map(str::to_owned))?;
    let names = view.names(FOLDER).ok()?;
    names.into_iter().find(|name| {
        view.link_name(&format!("{FOLDER}/{name}")).is_some_and(|target| target == device)
    })
}

fn from_command_line(view: &View<'_>) -> Option<String> {
    let line = view.hint("/proc/cmdline")?;
    let uuid = line.split_ascii_whitespace().find_map(|word| word.strip_prefix("root=UUID="))?;
    Some(uuid.to_owned())
}

fn from_fstab(view: &View<'_>) -> Option<String> {
    let table = view.hint("/etc/fstab")?;
    let lines = table.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.into_iter().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (from, point) = (fields.next()?, fields.next()?);
        let uuid =
            from.strip_prefix("UUID=").or_else(|| from.strip_prefix("/dev/disk/by-uuid/"))?;
        (point == "/").then(|| uuid.trim_matches('"').to_owned())
    })
}

/// The one form of an id. The kernel tells everyone the two halves of an ext file system's UUID
/// laid over each other, so that is the form for these, wherever the UUID came from.
fn form(uuid: &str, is_ext: bool) -> Option<String> {
    if !is_ext {
        return Some(junk::normal(uuid)).filter(|value| !value.is_empty());
    }
    let digits = junk::uuid_digits(&junk::normal(uuid))?;
    let whole = u128::from_str_radix(&digits, 16).ok()?;
    let halves = ((whole >> 64) as u64).swap_bytes() ^ (whole as u64).swap_bytes();
    Some(format!("{halves:016x}"))
}

fn is_blank(value: &str) -> bool {
    value.bytes().all(|b| matches!(b, b'0' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_read_with_and_without_optional_fields() {
        let with = mount("36 35 8:1 /@ / rw,noatime shared:1 master:2 - btrfs /dev/sda1 rw");
        let with = with.unwrap();
        assert_eq!((with.device.as_str(), with.root.as_str()), ("8:1", "/@"));
        assert_eq!((with.kind.as_str(), with.from.as_str()), ("btrfs", "/dev/sda1"));
        assert_eq!(mount("27 1 254:0 / / rw - ext4 /dev/vda rw").unwrap().point, "/");
        for bad in ["", "36 35 8:1 / /", "36 - ext4 /dev/sda1"] {
            assert!(mount(bad).is_none(), "{bad}");
        }
    }

    /// Each half is little-endian, as the kernel reads it from the superblock.
    #[test]
    fn the_uuid_of_ext_is_folded_as_the_kernel_does() {
        let uuid = "01020304-0506-0708-1112-131415161718";
        assert_eq!(form(uuid, true).unwrap(), "1010101010101010");
        let uuid = "01000000-0000-0000-0000-000000000000";
        assert_eq!(form(uuid, true).unwrap(), "0000000000000001");
        assert_eq!(form("ABCD-12EF", false).unwrap(), "abcd-12ef");
        assert_eq!(form("ABCD-12EF", true), None);
    }
}
