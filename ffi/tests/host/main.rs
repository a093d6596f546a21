//! The library as a C program meets it: compiled, loaded, misused, measured and installed.
//!
//! Each test here compiles C or C++ from `ffi/tests/c` against the header and a library that
//! was built without the feature `issue`, and runs it. A tool that is not installed skips its
//! test by name, on standard error.
#![cfg(target_os = "linux")]

// What core's tests and these share names it so.
extern crate licentia_core as licentia;

mod compile;
mod declared;
mod examples;
mod fixtures;
mod http;
mod install;
mod installation;
mod kernel;
mod library;
mod memory;
mod misuse;
mod online;
mod process;
mod quickstart;
mod routes;
mod sequence;
mod stable;
mod testing;
mod webserver;
mod wrapper;
