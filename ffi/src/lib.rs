//! The C face of licentia. `include/licentia.h` is generated from these files, and its opening
//! comment states the rules that every function here keeps.
//!
//! Every `unsafe` block in this crate rests on those rules, and on nothing else: text ends in
//! NUL, bytes are as many as their length says, a handle is one that was given out, and a
//! non-const handle is used by one thread at a time.
#![allow(non_camel_case_types)]

mod call;
mod exchange;
mod handle;
mod installation;
mod license;
mod online;
mod product;
mod status;
mod text;
mod usage;

#[cfg(test)]
mod panics;
