//! `docs/settings.md` says what the table of settings says.
//! `LICENTIA_BLESS=1 cargo test -p licentia --test settings` rewrites it.

use licentia::{Code, Product, SETTINGS, SITE_SETTINGS, Setting};
use std::{env, fs, path::Path};

const KEY: &str = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

#[test]
fn the_documented_settings_are_the_table() {
    let mut page = String::from(
        "# Settings\n\nBy name and as text, the same in every language. An unknown name is \
         `invalid_argument`, and names the nearest. The tables are written by \
         `core/tests/settings.rs` from `core/src/settings.rs`.\n\n\
         ## Of a product\n\nWhat the embedding program, and so its vendor, says: \
         `licentia_product_set(product, name, value, &error)` in C, `product.set(name, value)` in \
         C++, Python and Node; in Python and Node the constructor takes them by name too. Set a \
         product up before sharing it between threads. `clock` may be set later, for tests: \
         licenses that are held and installations that are open follow it.\n\nA product file \
         ([format.md](format.md), section 6.5) has any of them but `installation` and `instance`, \
         which are of one place.\n\n",
    );
    page += &table(SETTINGS);
    page += "\n## Of an installation\n\nWhat the administrator of a site may say: \
             `licentia_installation_set(installation, name, value, &error)` in C, \
             `installation.set(name, value)` elsewhere; in Python and Node `product.open` takes \
             them by name too. What binds the customer, such as `grace_days`, is none of them: \
             nobody grants himself grace.\n\n";
    page += &table(SITE_SETTINGS);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md");
    if env::var_os("LICENTIA_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == page, "docs/settings.md is stale");
}

fn table(settings: &[Setting]) -> String {
    let row = |it: &Setting| format!("| `{}` | {} | {} |\n", it.name, it.takes, it.does);
    let rows: String = settings.iter().map(row).collect();
    format!("| name | value | what it does |\n|---|---|---|\n{rows}")
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

#[test]
fn a_wrong_term_is_refused_and_changes_nothing() {
    let mut product = Product::new("myapp", KEY).unwrap();
    let cases = [
        ("deployment", "cloud"),
        ("grace_days", "-1"),
        ("grace_days", "+1"),
        ("grace_days", "3651"),
        ("grace_days", "a month"),
        ("warning_days", "99999"),
        ("monthly_meter", "Not An Id"),
        ("grace_day", "31"),
    ];
    for (name, value) in cases {
        let error = product.set(name, value).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{name}={value}");
        assert!(error.to_string().contains(name), "{error}");
    }
    for (name, value) in [("deployment", "saas"), ("grace_days", "0"), ("warning_days", "3650")] {
        product.set(name, value).unwrap();
    }
}
