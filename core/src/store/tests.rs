//! What must hold of a store.

mod real_folder;
