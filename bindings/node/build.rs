//! Says how the addon is linked.
fn main() {
    napi_build::setup();
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // A worker that ends unloads its addons while native threads may still run in them.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
