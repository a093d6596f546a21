//! `include/licentia.h` says what the sources say.
//! `LICENTIA_BLESS=1 cargo test -p licentia-ffi --test header` rewrites it.

use licentia_core::{Access, Code, Rights};
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

/// In the order in which a reader of the header meets them.
const SOURCES: [&str; 7] = [
    "src/status.rs",
    "src/product.rs",
    "src/license.rs",
    "src/installation.rs",
    "src/usage.rs",
    "src/online.rs",
    "src/exchange.rs",
];

#[test]
fn the_header_matches_its_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = folder.join("../include/licentia.h");
    let wanted = render(folder);
    if env::var_os("LICENTIA_BLESS").is_some() {
        fs::write(&header, &wanted).unwrap();
    }
    let found = fs::read_to_string(&header).unwrap_or_default();
    assert!(found == wanted, "include/licentia.h is stale: run `make bless` and commit it");
}

fn render(folder: &Path) -> String {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let mut config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    config.header = Some(read("header/rules.h").trim_end().to_string());
    let macros = read("header/macros.h")
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@ABI@", &abi(&read("src/status.rs")))
        .replace("@CODES@", &codes())
        .replace("@DENY@", &(Access::Deny as i32).to_string())
        .replace("@READ_ONLY@", &(Access::ReadOnly as i32).to_string())
        .replace("@WARN@", &(Access::Warn as i32).to_string())
        .replace("@ALLOW@", &(Access::Allow as i32).to_string())
        .replace("@READ@", &Rights::READ.bits().to_string())
        .replace("@WRITE@", &Rights::WRITE.bits().to_string())
        .replace("@DELETE@", &Rights::DELETE.bits().to_string())
        .replace("@SERVICE@", &Rights::SERVICE.bits().to_string());
    config.after_includes = Some(macros.trim_end().to_string());
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(folder.join(source));
    }
    let mut out = Vec::new();
    builder.generate().expect("readable sources").write(&mut out);
    String::from_utf8(out).unwrap()
}

fn abi(source: &str) -> String {
    let line = source.lines().find_map(|line| line.strip_prefix("pub(crate) const ABI: c_int = "));
    line.unwrap().trim_end_matches(';').to_string()
}

/// The core's table. A blank line starts each ten.
fn codes() -> String {
    let mut text = String::new();
    let mut ten = None;
    for code in Code::ALL {
        if ten.replace(code.number() / 10) != Some(code.number() / 10) {
            text.push('\n');
        }
        let name = code.slug().to_uppercase();
        let meaning = code.meaning().trim();
        writeln!(text, "  /// {meaning}\n  LICENTIA_{name} = {},", code.number()).unwrap();
    }
    text
}
