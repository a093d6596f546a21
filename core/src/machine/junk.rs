//! Values that many machines share, or that mean nothing: they never count.

/// Brings a value to one form: ASCII letters small, runs of blanks one space, none at the ends.
/// Firmware pads with blanks and zero bytes, and differs in case between versions.
pub(super) fn normal(text: &str) -> String {
    let blanked = text.replace('\0', " ").to_ascii_lowercase();
    let words: Vec<&str> = blanked.split_ascii_whitespace().collect();
    words.join(" ")
}

/// Why a normalized serial number or tag does not count; `None` if it does.
pub(super) fn serial_flaw(value: &str) -> Option<&'static str> {
    if value.is_empty() {
        return Some("it is empty");
    }
    if !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Some("it is not text");
    }
    let letters: Vec<u8> = value.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let Some(first) = letters.first() else { return Some("it has no letter or digit") };
    if letters.iter().all(|b| b == first) {
        return Some("it is one character repeated");
    }
    if !letters.iter().any(u8::is_ascii_digit) {
        return Some("it has no digit: a word, not a number");
    }
    if letters.len() < 4 {
        return Some("it is too short to tell machines apart");
    }
    if PLACEHOLDERS.contains(&value) || PHRASES.iter().any(|phrase| value.contains(phrase)) {
        return Some("it is a placeholder that many machines have");
    }
    if counts_up(&letters) {
        return Some("it counts up: a placeholder");
    }
    None
}

/// What firmware says when nobody filled in the field, in normalized form.
const PLACEHOLDERS: &[&str] = &[
    "none",
    "null",
    "default",
    "unknown",
    "invalid",
    "empty",
    "serial",
    "tobefilledbyo.e.m.",
    "n/a",
    "not applicable",
    "oem",
    "o.e.m.",
    "sernum",
    "system",
    "chassis",
    "base board",
    "asset",
    "asset tag",
    "asset-1234567890",
    "atn12345678901234567",
    "not set",
    "no tag",
    "bsn12345678901234567",
    "ssn12345678901234567",
    "csn12345678901234567",
    "mb-1234567890",
    "system serial",
    "empty string",
    "123456789",
    "1234567",
    "12345678",
    "0123456789abcdef",
    "c0123456789",
    "type2 - board serial number",
    "type3 - chassis serial number",
    "1.0",
    "7783-7084-3265-9085-8269-3286-77",
    "amazon ec2",
    "oraclecloud.com",
    "qemu",
    "kvm",
    "invalid entry",
    "undefined",
    "unspecified",
    "not present",
    "no enclosure",
    "test",
    "deadbeef",
];

/// Parts of such words that come with anything around them.
const PHRASES: &[&str] = &[
    "to be filled",
    "default string",
    "not specified",
    "not available",
    "not provided",
    "system serial number",
    "serial number",
    "system product name",
    "chassis serial",
    "board serial",
    "base board serial",
    "o.e.m",
    "no asset",
    "asset tag",
    "asset_tag",
    "serialnumber",
    "xxxxxx",
    "fill by oem",
    "filled by",
    "type1 - ",
    "type2 - ",
    "type3 - ",
];

/// Why a maker's or model's name, normalized, says nothing. It may be short, unlike a serial.
pub(super) fn model_flaw(value: &str) -> Option<&'static str> {
    let filled = !PLACEHOLDERS_OF_MODELS.contains(&value)
        && !PHRASES.iter().any(|phrase| value.contains(phrase));
    if filled { None } else { Some("it is a placeholder that many machines have") }
}

const PLACEHOLDERS_OF_MODELS: &[&str] =
    &["none", "default", "unknown", "invalid", "n/a", "oem", "system manufacturer", "empty"];

/// Whether digits only go up by one, as in 0123456789 or 1234567890.
fn counts_up(letters: &[u8]) -> bool {
    letters.iter().all(u8::is_ascii_digit)
        && letters.windows(2).all(|pair| match pair {
            [a, b] => *b == a + 1 || (*a == b'9' && *b == b'0'),
            _ => false,
        })
}

/// The 32 hexadecimal digits of a UUID in any of its usual spellings, small.
pub(super) fn uuid_digits(value: &str) -> Option<String> {
    let bare = value.trim_start_matches('{').trim_end_matches('}').replace('-', "");
    let good = bare.len() == 32 && bare.bytes().all(|b| b.is_ascii_hexdigit());
    good.then(|| bare.to_ascii_lowercase())
}

/// Why a UUID, as 32 small digits, does not count.
pub(super) fn uuid_flaw(digits: &str) -> Option<&'static str> {
    if is_monotone(digits) {
        return Some("it is one character repeated");
    }
    if UUIDS.contains(&digits) || digits.starts_with("0000000000000000") {
        return Some("it is a placeholder that many machines have");
    }
    None
}

/// UUIDs that board makers shipped in every board.
const UUIDS: &[&str] = &[
    "03000200040005000006000700080009",
    "00020003000400050006000700080009",
    "0123456789abcdef0123456789abcdef",
    "123456781234123412341234567890ab",
    "12345678123456789012123456789012",
    "123456781234567890abcddeefaabbcc",
    "4c4c454400002010802080c04f202020",
    "ffffffffffffffff0000000000000000",
    "fefefefefefefefefefefefefefefefe",
    "00112233445566778899aabbccddeeff",
    "d0c0b0a0403020100706050403020100",
];

/// Why a machine id, normalized, does not count.
pub(super) fn machine_id_flaw(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        return Some("it is empty");
    }
    if id == "uninitialized" {
        return Some("the system has not made one yet");
    }
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some("it is not 32 hexadecimal digits");
    }
    if is_monotone(id) {
        return Some("it is one character repeated");
    }
    if IMAGE_IDS.contains(&id) || UUIDS.contains(&id) {
        return Some("it came with an image that many machines are made from");
    }
    None
}

/// Machine ids inside published images: Debian's container images 11.1 and 11.2
/// (debuerreotype/docker-debian-artifacts, issue 151).
const IMAGE_IDS: &[&str] =
    &["85f94e57ab75f80918cab17d001eac85", "88544b92092430bc5d3fbbffc12a2f04"];

/// Why an instance id, normalized, does not count: what cloud-init says without a cloud.
pub(super) fn instance_flaw(id: &str) -> Option<&'static str> {
    let stand_in = id.starts_with("iid-") || id == "nocloud" || id == "i-00000000";
    if stand_in {
        return Some("it is not from a cloud");
    }
    // DigitalOcean's and Hetzner's ids are numbers, so the rules for serials are too strict.
    let long_enough = id.len() >= 6;
    let printable = id.bytes().all(|b| (b' '..=b'~').contains(&b));
    let varied = !is_monotone(id);
    if long_enough && printable && varied { None } else { Some("it is not an instance id") }
}

/// Why a disk's serial number or world wide name, normalized, does not count.
pub(super) fn disk_flaw(value: &str) -> Option<&'static str> {
    // The last word of a T10 name is the serial, after maker and model; without one it is a
    // word of the model. Of other schemes, what follows has to be more than zeros.
    let last = value.rsplit(' ').next().unwrap_or(value);
    let schemes = ["naa.", "eui.", "uuid."];
    let number = match schemes.iter().find_map(|scheme| value.strip_prefix(scheme)) {
        Some(number) => number,
        None if value.starts_with("t10.") => last.trim_start_matches("t10."),
        None => value,
    };
    let emulated = DISKS.iter().any(|phrase| value.contains(phrase));
    if emulated || is_qemus(last) || is_small_number(number) {
        return Some("an emulator gives it to every disk");
    }
    serial_flaw(number)
}

/// `QM00001` and up: QEMU counts the disks of a machine, and every machine's from the start.
fn is_qemus(word: &str) -> bool {
    let number = word.strip_prefix("qm").unwrap_or_default();
    number.len() == 5 && number.bytes().all(|b| b.is_ascii_digit())
}

/// A count with many zeros before it, as VMware's `00000000000000000001`.
fn is_small_number(word: &str) -> bool {
    let digits = word.trim_start_matches('0');
    word.len() >= digits.len() + 8
        && digits.len() <= 3
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// What emulators give disks that were not named: they repeat on every machine.
const DISKS: &[&str] = &[
    "drive-scsi",
    "drive-virtio",
    "drive-ide",
    "drive-sata",
    "persistentdisk",
    "persistent-disk-",
    "google_",
    "virtual_disk",
    "nvme_card",
    "qemu_harddisk",
    "qemu harddisk",
    "vmware nvme_",
    "vb1234-56789",
    "bhyve-",
    "sn: 0000",
    // World wide names that kernels make from the serial of VMware's and VirtualBox's disks.
    "nvme.15ad-",
    "nvme.80ee-",
];

fn is_monotone(text: &str) -> bool {
    let mut letters = text.bytes();
    letters.next().is_some_and(|first| letters.all(|b| b == first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_one_form() {
        assert_eq!(normal("  PF2X\0A1B\t C \n\0"), "pf2x a1b c");
        assert_eq!(normal("\0\0"), "");
    }

    #[test]
    fn placeholders_do_not_count() {
        for junk in [
            "",
            " ",
            "To be filled by O.E.M.",
            "Default string",
            "System Serial Number",
            "None",
            "Not Specified",
            "0",
            "00000000",
            "XXXXXXXXXX",
            "..",
            "ffff-ffff",
            "0123456789",
            "1234567890",
            "123456789",
            "N/A",
            "-------",
            "ab1",
            "\u{ff}\u{ff}\u{ff}\u{ff}abc",
            "No Asset Information",
            "overlayblk",
            "Company property",
            "7783-7084-3265-9085-8269-3286-77",
        ] {
            assert!(serial_flaw(&normal(junk)).is_some(), "{junk}");
        }
        for good in ["PF2XA1BC", "/7XJ2K53/CNFCW0098O0123/", "VMware-56 4d 8a 1b", "1234567891"] {
            assert_eq!(serial_flaw(&normal(good)), None, "{good}");
        }
    }

    #[test]
    fn ids_that_many_share_do_not_count() {
        for junk in [
            "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
            "03000200-0400-0500-0006-000700080009",
        ] {
            assert!(uuid_flaw(&uuid_digits(junk).unwrap()).is_some(), "{junk}");
        }
        assert_eq!(uuid_digits("4C4C4544-0053"), None);
        for junk in ["", "uninitialized", "88544b92092430bc5d3fbbffc12a2f04", "123"] {
            assert!(machine_id_flaw(junk).is_some(), "{junk}");
        }
        for junk in ["iid-datasource-none", "nocloud", "i-1", "000000"] {
            assert!(instance_flaw(junk).is_some(), "{junk}");
        }
        assert_eq!(instance_flaw("i-0a1b2c3d4e5f67890"), None);
        assert_eq!(instance_flaw("234567891"), None);
    }

    #[test]
    fn disks_of_emulators_do_not_count() {
        for junk in [
            "t10.ATA     QEMU HARDDISK                           QM00001",
            "drive-scsi0",
            "t10.QEMU    QEMU HARDDISK   drive-scsi1",
            "eui.0000000000000000",
            "naa.0",
            "0Google  PersistentDisk  persistent-disk-0",
            "",
            "QM00013",
            "t10.ATA     QEMU HARDDISK                           QM00013             ",
            "QEMU DVD-ROM QM12345",
            "t10.ATA     Virtual HD",
            "t10.ATA     Msft Virtual Disk 2",
            "t10.",
            "VMware NVME_0000",
            "nvme.15ad-564d57617265204e564d455f30303030-564d77617265-00000001",
            "VB1234-56789",
            "nvme.80ee-5642313233342d3536373839-4f52434c2d56424f58-00000001",
            "SN: 000001",
            "t10.ATA     VMware Virtual SATA Hard Drive          00000000000000000001",
            "BHYVE-1A2B-3C4D-5E6F",
        ] {
            assert!(disk_flaw(&normal(junk)).is_some(), "{junk}");
        }
        for good in [
            "naa.5002538e40a1b2c3",
            "eui.0025385b71b0a1b2",
            "eui.00000000000000010000000000000a1b",
            "S4EWNX0R123456",
            "t10.ATA     Samsung SSD 860 EVO 500GB               S3Z2NB0K123456X",
            "t10.ATA     VBOX HARDDISK                           VB1a2b3c4d-5e6f7a8b ",
            "0000000000012345",
            "QM000131",
            "nvme.1d0f-766f6c30613162-416d617a6f6e-00000001",
        ] {
            assert_eq!(disk_flaw(&normal(good)), None, "{good}");
        }
    }
}
