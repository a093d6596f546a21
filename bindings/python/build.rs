//! What the linker has to know of an extension module.

fn main() {
    // Python symbols come from the interpreter that loads it; macOS has to be told so.
    pyo3_build_config::add_extension_module_link_args();
    // Unloading a library that has been in use by several threads is never safe, and nobody
    // needs it.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
