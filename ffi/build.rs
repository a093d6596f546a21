//! Names the shared library for the loader, and keeps it loaded.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let arguments: &[&str] = match os.as_str() {
        "windows" => &[],
        "macos" | "ios" => &["-Wl,-install_name,@rpath/liblicentia.1.dylib"],
        // A thread that called into the library runs Rust's destructors when it ends. If the
        // library were unmapped by then, that would crash the host: dlclose must not unmap it.
        _ => &["-Wl,-soname,liblicentia.so.1", "-Wl,-z,nodelete"],
    };
    for argument in arguments {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
}
