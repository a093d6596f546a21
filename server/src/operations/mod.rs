//! What is done with a server by hand.

pub mod admin_key;
pub mod audit;
pub mod backup;
pub mod import;
pub mod restore;
pub mod rotate;
