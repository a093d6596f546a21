//! What is done with a server by hand.

pub mod backup;
pub mod restore;
pub mod rotate;
