//! What the firmware says about the machine: DMI on PCs, the device tree on boards, and the
//! hypervisor's own file under Xen.

use super::parts::{Finding, Text, View};
use super::{Kind, State, junk};

const DMI: &str = "/sys/class/dmi/id";
const TREE: &str = "/sys/firmware/devicetree/base";

/// The values of one of the kinds that come from firmware.
pub(super) fn findings(view: &View<'_>, kind: Kind) -> Vec<Finding> {
    let serial = |path: String| view.value(kind, &path, junk::serial_flaw);
    match kind {
        Kind::Product => {
            vec![uuid(view, &format!("{DMI}/product_uuid")), uuid(view, "/sys/hypervisor/uuid")]
        }
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

fn uuid(view: &View<'_>, path: &str) -> Finding {
    match view.text(path) {
        Text::Missing => Finding::missing(Kind::Product),
        Text::Unreadable => Finding::unreadable(Kind::Product),
        Text::Found { text, root_only } => {
            Finding { root_only, ..Finding::of_uuid(Kind::Product, &text) }
        }
    }
}

/// Maker and name of machine and board, or the device tree's model.
pub(super) fn model(view: &View<'_>) -> Finding {
    let mut texts = Vec::new();
    for name in ["sys_vendor", "product_name", "board_vendor", "board_name"] {
        match view.text(&format!("{DMI}/{name}")) {
            Text::Missing => {}
            Text::Unreadable => return Finding::unreadable(Kind::Model),
            Text::Found { text, .. } => texts.push((name, text)),
        }
    }
    let finding = Finding::of_model(texts.iter().map(|(name, text)| (*name, text.as_str())));
    if finding.state == State::Found {
        return finding;
    }
    match view.hint(&format!("{TREE}/model")) {
        Some(text) => Finding::of_model([("model", text.as_str())].into_iter()),
        None if texts.is_empty() => finding,
        None => Finding::without(Kind::Model, State::Junk, "nobody filled it in"),
    }
}
