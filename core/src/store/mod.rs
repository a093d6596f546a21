//! What is kept on a disk, and how it survives whatever happens to it: docs/state.md.

pub(crate) mod disk;
