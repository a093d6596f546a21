//! Product codes and settings that are refused: docs/settings.md.

use crate::case::Case;
use crate::document::Doc;
use crate::signer::vendor;

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let long = "a".repeat(101);
    for code in ["", "MyApp", "-app", "my_app", "my app", "my.app", "myapp\n", "приложение", &long]
    {
        let name = format!("product code {code:.12?}");
        cases.push(Case::product(name, vendor().short()).of(code).fails("invalid_argument"));
    }
    for code in ["7", "a-b", "a--", &long[1..]] {
        let name = format!("product code {code:.12?} is good");
        cases.push(Case::product(name, vendor().short()).of(code));
    }
    cases.push(Case::product("a bad code before bad keys", "x").of("X").fails("invalid_argument"));
    let identity = "h".repeat(4097);
    for (setting, value) in [
        ("colour", "red"),
        ("", ""),
        ("Clock", "0"),
        ("clok", "0"),
        ("clock ", "0"),
        ("keys", "ed25519:x"),
        ("__proto__", "x"),
        ("a=b", "x"),
        ("clock", "soon"),
        ("clock", "2027-13-01"),
        ("clock", "2027-02-30"),
        ("clock", "2027-01-15T08:00:00"),
        ("clock", "1e9"),
        ("clock", "1.5"),
        ("clock", "99999999999999999999"),
        ("clock", "253402300800"),
        ("clock", " 0"),
        ("machine", "  \n"),
        ("machine", &identity),
        ("machine_exclude", "gpu"),
        ("machine_exclude", "nic,DISK"),
        ("installation", "x"),
        ("installation", "6f1c2a34-0b5e-4f6d-8c7a"),
    ] {
        let name = format!("setting {setting:?} {value:.24?}");
        let case = Case::product(name, vendor().short()).set(setting, value);
        cases.push(case.fails("invalid_argument"));
    }
    for (setting, value) in [
        ("clock", ""),
        ("clock", "system"),
        ("clock", "-1"),
        ("clock", "253402300799"),
        ("issuer", ""),
        ("machine", ""),
        ("machine_file", ""),
        ("machine_root", ""),
        ("machine_exclude", ""),
        ("machine_exclude", "nic, disk ,"),
        ("installation", ""),
        ("instance", ""),
    ] {
        let name = format!("setting {setting:?} {value:?} is good");
        cases.push(Case::product(name, vendor().short()).set(setting, value));
    }
    let far = Case::verify("a far root without a binding", Doc::license().sign());
    cases.push(far.set("machine_root", "tests/fixtures/first/nothing"));
    cases
}
