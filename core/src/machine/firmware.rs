//! What the firmware says about the machine: DMI on PCs, the device tree on boards, and the
//! hypervisor's own file under Xen.

use super::parts::{Finding, Text, View};
use super::{Kind, junk};

const DMI: &str = "/sys/class/dmi/id";
const TREE: &str = "/sys/firmware/devicetree/base";

/// The values of one of the kinds that come from firmware.
pub(super) fn findings(view: &View<'_>, kind: Kind) -> Vec<Finding> {
    let serial = |path: String| view.value(kind, &path, junk::serial_flaw);
    match kind {
        Kind::Product => vec![
            uuid(view, &format!("{DMI}/product_uuid")),
            uuid(view, "/sys/hypervisor/uuid"),
        ],
        Kind::ProductSerial => {
            vec![serial(format!("{DMI}/product_serial")), serial(format!("{TREE}/serial-number"))]
        }
        Kind::Board => vec![serial(format!("{DMI}/board_serial"))],
        Kind::Chassis => vec![serial(format!("{DMI}/chassis_serial"))],
        Kind::AssetTag => vec![
            serial(format!("{DMI}/board_asset_tag")),
            serial(format!("{DMI}/chassis_asset_tag")),
        ],
        _ => Vec::new(),
    }
}

/// A UUID as 32 small digits: one machine spells it differently in two places.
fn uuid(view: &View<'_>, path: &str) -> Finding {
    let mut finding = view.value(Kind::Product, path, |value| match junk::uuid_digits(value) {
        Some(digits) => junk::uuid_flaw(&digits),
        None => Some("it is not a UUID"),
    });
    finding.value = finding.value.and_then(|value| junk::uuid_digits(&value));
    finding
}

/// Maker and name of machine and board, or the device tree's model.
pub(super) fn model(view: &View<'_>) -> Finding {
    let mut parts = Vec::new();
    let mut any = false;
    for name in ["sys_vendor", "product_name", "board_vendor", "board_name"] {
        match view.text(&format!("{DMI}/{name}")) {
            Text::Missing => {}
            Text::Unreadable => return Finding::unreadable(Kind::Model),
            Text::Found { text, .. } => {
                any = true;
                let word = junk::normal(&text);
                if !word.is_empty() && junk::model_flaw(&word).is_none() {
                    parts.push(format!("{name}={word}"));
                }
            }
        }
    }
    if parts.is_empty() {
        let tree = view.word(&format!("{TREE}/model"));
        if !tree.is_empty() {
            parts.push(format!("model={tree}"));
        }
    }
    match (parts.is_empty(), any) {
        (false, _) => Finding::found(Kind::Model, parts.join("|"), false),
        (true, true) => Finding::junk(Kind::Model, "nobody filled it in"),
        (true, false) => Finding::missing(Kind::Model),
    }
}
