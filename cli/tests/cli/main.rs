//! The executable as a shell sees it: every command, right and wrong.

mod docs;
mod files;
mod fingerprint;
mod inspect;
mod installation;
mod issue;
mod key;
#[path = "../../../core/tests/machine_support/mod.rs"]
mod machine_support;
mod pages;
mod place;
mod product;
mod requests;
mod revocations;
mod run;
mod secrecy;
mod shell;
mod testkit;
mod verify;
