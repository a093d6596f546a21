//! `licentia serve` as a process: killed, out of disk, several on one database.

#[path = "../../../server/tests/server/support/client.rs"]
#[allow(dead_code, reason = "shared with the tests of the server")]
mod client;
#[path = "../../../server/tests/server/support/dice.rs"]
#[allow(dead_code, reason = "shared with the tests of the server")]
mod dice;
#[path = "../../../server/tests/server/support/postgres.rs"]
#[allow(dead_code, reason = "shared with the tests of the server")]
mod postgres;

mod backups;
mod balancer;
mod disk;
mod imports;
mod killed;
mod oracle;
mod redeemed;
mod running;
mod several;
