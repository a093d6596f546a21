//! `licentia agent` and `licentia serve` as their neighbors see them: over sockets, with files, and
//! by their exit status.

mod config;
mod crowd;
mod custody;
mod login;
mod logs;
mod online;
mod running;
mod serve;
mod serving;
mod site;
mod tls;
mod wire;
