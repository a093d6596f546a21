//! `docs/settings.md` says what the table of settings says.
//! `LICENTIA_BLESS=1 cargo test -p licentia --test settings` rewrites it.

use licentia::{Code, Product, SETTINGS};
use std::{env, fs, path::Path};

const KEY: &str = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

#[test]
fn the_documented_settings_are_the_table() {
    let mut page = String::from(
        "# Settings of a product\n\nWhat the embedding program says about its product, by name \
         and as text, the same in every language: `licentia_product_set(product, name, value, \
         &error)` in C, `product.set(name, value)` in C++, Python and Node; in Python and Node \
         the constructor takes them by name too. An unknown name is `invalid_argument`, and \
         names the nearest. Set a product up before sharing it between threads. `clock` may be \
         set later, for tests: licenses that are held follow it.\n\nThe table is written by \
         `core/tests/settings.rs` from `core/src/settings.rs`.\n\n\
         | name | value | what it does |\n|---|---|---|\n",
    );
    for setting in SETTINGS {
        page += &format!("| `{}` | {} | {} |\n", setting.name, setting.takes, setting.does);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md");
    if env::var_os("LICENTIA_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == page, "docs/settings.md is stale");
}

#[test]
fn every_documented_setting_can_be_set_and_unset() {
    let mut product = Product::new("myapp", KEY).unwrap();
    for setting in SETTINGS {
        product.set(setting.name, "").unwrap();
    }
}

#[test]
fn a_wrong_setting_is_refused_by_name() {
    let mut product = Product::new("myapp", KEY).unwrap();
    for (name, value, hint) in [
        ("clok", "0", "did you mean clock?"),
        ("Machine", "x", "did you mean machine?"),
        ("grace", "99", "there is no setting grace"),
        ("", "", "there is no setting"),
        ("clock", "tomorrow", "the setting clock"),
        ("clock", "1.5", "the setting clock"),
        ("clock", "99999999999999999", "the setting clock"),
        ("machine", "  ", "the setting machine"),
        ("machine_exclude", "nic,tail", "tail is no kind"),
        ("installation", "me", "not a UUID"),
    ] {
        let error = product.set(name, value).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{name}");
        assert!(error.detail().contains(hint), "{name}={value}: {error}");
    }
}

#[test]
fn an_empty_setting_takes_back_its_own_and_no_other() {
    let mut product = Product::new("myapp", KEY).unwrap();
    let hardware = product.machine().unwrap();
    product.set("machine", "cluster-1").unwrap();
    let cluster = product.machine().unwrap();
    assert_ne!(cluster, hardware);
    product.set("machine_file", "").unwrap();
    assert_eq!(product.machine().unwrap(), cluster);
    product.set("machine", "").unwrap();
    assert_eq!(product.machine().unwrap().id(), hardware.id());
    for nothing in ["\u{feff}", " \n", &"x".repeat(4097)] {
        assert_eq!(product.set("machine", nothing).unwrap_err().code(), Code::InvalidArgument);
    }
}
