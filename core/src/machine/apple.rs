//! A Mac, by what the system keeps of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::network::judge;
use super::parts::Finding;
use super::{Environment, Kind, State};

/// A Mac with the platform's UUID, and the text of the system's list of network interfaces.
/// A kind in `exclude` is left out, and so is what belongs to it.
pub(super) fn read(
    uuid: Option<&str>,
    interfaces: Option<&str>,
    exclude: &[Kind],
) -> (Environment, Vec<Finding>) {
    let mut all = Vec::new();
    for &kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Identity) {
        match kind {
            _ if exclude.contains(&kind) => all.push(Finding::excluded(kind)),
            Kind::Product => all.push(Finding::of_uuid(kind, uuid.unwrap_or_default())),
            Kind::Nic => all.extend(cards(interfaces.unwrap_or_default())),
            _ => all.push(Finding::without(kind, State::Missing, "it is not read on macOS")),
        }
    }
    (Environment::default(), all)
}

/// The built-in cards of NetworkInterfaces.plist. In each interface's dictionary, keys are
/// sorted, so its name comes first and whether it is built in comes before its address.
fn cards(list: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut built_in = false;
    for entry in list.split("<key>").skip(1) {
        let Some((key, value)) = entry.split_once("</key>") else { continue };
        match key {
            "BSD Name" => built_in = false,
            "IOBuiltin" => built_in = value.trim_start().starts_with("<true"),
            "IOMACAddress" if built_in => found.push(card(value)),
            _ => {}
        }
    }
    if found.is_empty() { vec![Finding::missing(Kind::Nic)] } else { found }
}

fn card(value: &str) -> Finding {
    let text = value.split("<data>").nth(1).and_then(|rest| rest.split("</data>").next());
    let text: String = text.unwrap_or_default().split_whitespace().collect();
    let bytes: Vec<String> = STANDARD
        .decode(text)
        .unwrap_or_default()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let address = bytes.join(":");
    let verdict = judge(&address);
    let found = Finding::found(Kind::Nic, address, false);
    match verdict {
        Ok(()) => found,
        Err((state, note)) => found.set_aside(state, note),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<plist><dict><key>Interfaces</key><array>\
        <dict><key>Active</key><true/><key>BSD Name</key><string>en0</string>\
        <key>IOBuiltin</key><true/><key>IOMACAddress</key><data>\n\t1FCZGis8\n</data></dict>\
        <dict><key>BSD Name</key><string>en5</string><key>IOBuiltin</key><false/>\
        <key>IOMACAddress</key><data>AODMaAAC</data></dict>\
        <dict><key>BSD Name</key><string>en1</string><key>IOBuiltin</key><true/>\
        <key>IOMACAddress</key><data>glCZGis8</data></dict>\
        <dict><key>BSD Name</key><string>en6</string><key>IOBuiltin</key><true/>\
        <key>IOMACAddress</key><string>x</string></dict></array></dict></plist>";

    #[test]
    fn a_mac_is_its_platform_and_its_built_in_cards() {
        let uuid = "6F1C2A34-0B5E-4F6D-8C7A-9D0E1F2A3B4C";
        let (_, found) = read(Some(uuid), Some(LIST), &[Kind::Cpu]);
        let values: Vec<_> =
            found.iter().filter_map(|f| Some((f.kind, f.value.as_deref()?))).collect();
        assert_eq!(
            values,
            [(Kind::Product, "6f1c2a340b5e4f6d8c7a9d0e1f2a3b4c"), (Kind::Nic, "d4:50:99:1a:2b:3c"),]
        );
        let cards: Vec<_> = found.iter().filter(|f| f.kind == Kind::Nic).map(|f| f.state).collect();
        assert_eq!(cards, [State::Found, State::Virtual, State::Junk]);
        assert!(found.iter().any(|f| f.kind == Kind::Cpu && f.state == State::Excluded));
    }

    #[test]
    fn a_mac_that_says_nothing_has_nothing() {
        for list in [None, Some(""), Some("<key>"), Some("<key>IOMACAddress</key>")] {
            let (_, found) = read(None, list, &[]);
            assert!(found.iter().all(|finding| finding.value.is_none()), "{list:?}");
        }
    }
}
