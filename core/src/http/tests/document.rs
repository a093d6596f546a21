//! docs/http.md says what the code says. `LICENTIA_BLESS=1` rewrites its tables.

use crate::errors::Code;
use crate::http::refusal::{WORDS, status_of};
use crate::http::routes::{Family, Needs, ROUTES, Route};
use crate::http::{Rights, exchange};
use std::{env, fs, path::PathBuf};

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/http.md")
}

fn family(family: Family) -> &'static str {
    match family {
        Family::Assign => "assign",
        Family::Token => "token",
        Family::Public => "public status",
        Family::Entitlements => "entitlements",
        Family::Page => "page",
        Family::Other => "",
    }
}

fn needs(route: &Route) -> String {
    let (rights, who) = match route.needs {
        Needs::Nothing => return "anybody".to_string(),
        Needs::Rights(rights) => (rights, "persons and services"),
        Needs::Person(rights) => (rights, "persons"),
    };
    if rights == Rights::ADMINISTRATOR {
        return format!("{who} with all three rights");
    }
    let names = [(Rights::READ, "read"), (Rights::WRITE, "write"), (Rights::DELETE, "delete")];
    let names: Vec<String> =
        names.iter().filter(|(it, _)| rights.has(*it)).map(|(_, it)| format!("`{it}`")).collect();
    format!("{who} with {}", names.join(", "))
}

fn tables() -> [(&'static str, String); 3] {
    let mut routes = "| route | family | who may |\n|---|---|---|\n".to_string();
    for route in ROUTES {
        let (method, path) = (route.method, exchange::path(route.path));
        let (family, needs) = (family(route.family), needs(route));
        routes += &format!("| `{method} {path}` | {family} | {needs} |\n");
    }
    let mut words = "| status | code | what it means |\n|---|---|---|\n".to_string();
    for (status, word, meaning) in WORDS {
        words += &format!("| {status} | `{word}` | {meaning} |\n");
    }
    let mut codes = "| status | codes |\n|---|---|\n".to_string();
    for status in [400, 502, 503, 500] {
        let of = Code::ALL.iter().filter(|code| status_of(**code) == status);
        let of: Vec<String> = of.map(|code| format!("`{}`", code.slug())).collect();
        codes += &format!("| {status} | {} |\n", of.join(", "));
    }
    [("routes", routes), ("words", words), ("codes", codes)]
}

#[test]
fn the_tables_are_those_of_the_code() {
    let mut wanted = fs::read_to_string(path()).unwrap();
    for (name, table) in tables() {
        let start = format!("<!-- {name} -->\n");
        let (before, rest) = wanted.split_once(&start).unwrap_or_else(|| panic!("no {name}"));
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        wanted = format!("{before}{start}{table}<!-- end -->{after}");
    }
    if env::var_os("LICENTIA_BLESS").is_some() {
        fs::write(path(), &wanted).unwrap();
    }
    assert!(
        fs::read_to_string(path()).unwrap() == wanted,
        "docs/http.md is stale: LICENTIA_BLESS=1 rewrites it"
    );
}

#[test]
fn no_word_of_http_is_a_word_of_the_core() {
    for (status, word, _) in WORDS {
        assert_eq!(Code::from_slug(word), None, "{word}");
        assert_ne!(crate::http::problem::title(*status), "Internal Server Error", "{status}");
    }
    for code in Code::ALL {
        assert!([400, 500, 502, 503].contains(&status_of(*code)), "{code}");
    }
}
