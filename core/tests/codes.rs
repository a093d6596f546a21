//! `tests/vectors/codes.json` and `docs/errors.md` say what the table of codes says.
//! `LICENTIA_BLESS=1 cargo test -p licentia --test codes` rewrites them.

use licentia::Code;
use std::{env, fs, path::Path};

fn compare(path: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if env::var_os("LICENTIA_BLESS").is_some() {
        fs::write(&path, wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{path:?} is stale: run with LICENTIA_BLESS=1 and commit it");
}

#[test]
fn the_vector_of_codes_is_the_table() {
    let rows: Vec<_> = Code::ALL
        .iter()
        .map(|code| {
            serde_json::json!({
                "number": code.number(), "slug": code.slug(),
                "meaning": code.meaning().trim(), "remedy": code.remedy(),
            })
        })
        .collect();
    compare("tests/vectors/codes.json", &(serde_json::to_string_pretty(&rows).unwrap() + "\n"));
}

#[test]
fn the_documented_codes_are_the_table() {
    let mut page = String::from(
        "# Errors\n\nEvery failure has one code: a number in C (`LICENTIA_EXPIRED`), a word \
         everywhere else, and the same word in every language, on the command line and in the \
         vectors. A message is what was found, a colon, and what to do. Numbers and words are \
         added, never changed or used again.\n\nThe table is written by `core/tests/codes.rs` \
         from `core/src/errors.rs`.\n\n| number | word | what it means | what to do |\n\
         |---|---|---|---|\n",
    );
    for code in Code::ALL {
        let (meaning, remedy) = (code.meaning().trim(), code.remedy());
        page += &format!("| {} | `{}` | {meaning} | {remedy} |\n", code.number(), code.slug());
    }
    compare("docs/errors.md", &page);
}
