//! `licentia serve` as a process: killed, out of disk, several on one database.

#[path = "../../../server/tests/server/support/client.rs"]
#[allow(dead_code, reason = "shared with the tests of the server")]
mod client;
#[path = "../../../server/tests/server/support/dice.rs"]
#[allow(dead_code, reason = "shared with the tests of the server")]
mod dice;
#[path = "../../../core/tests/machine_support/mod.rs"]
mod machine_support;
#[path = "../../../server/tests/server/support/postgres.rs"]
#[allow(dead_code, reason = "shared with the tests of the server")]
mod postgres;
#[path = "../../../server/tests/server/webhooks/receiver.rs"]
#[allow(dead_code, reason = "shared with the tests of the server")]
mod receiver;

mod audit;
mod backups;
mod balancer;
mod customer;
mod disk;
mod imports;
mod killed;
mod logs;
mod oracle;
mod redeemed;
mod running;
mod several;
mod twins;
mod webhooks;
mod wire;
