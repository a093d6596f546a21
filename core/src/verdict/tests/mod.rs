//! What the verdict promises.
