//! Puts a product file into the program, for an agent that serves no other product:
//! `LICENTIA_AGENT_PRODUCT=/path/to/product.lic cargo build -p licentia-cli`. docs/agent.md.

use std::path::Path;
use std::{env, fs};

const VARIABLE: &str = "LICENTIA_AGENT_PRODUCT";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let named = env::var(VARIABLE).unwrap_or_default();
    let text = match named.as_str() {
        "" => String::new(),
        name => {
            assert!(Path::new(name).is_absolute(), "{VARIABLE}: give the whole path, from / on");
            println!("cargo::rerun-if-changed={name}");
            fs::read_to_string(name).unwrap_or_else(|error| panic!("{VARIABLE}: {name}: {error}"))
        }
    };
    let folder = env::var("OUT_DIR").expect("cargo says where");
    fs::write(Path::new(&folder).join("agent_product"), text.trim()).expect("the folder is there");
}
