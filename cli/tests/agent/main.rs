//! `licentia agent` as its neighbors see it: over sockets, with files, and by its exit status.

mod config;
mod crowd;
mod login;
mod logs;
mod running;
mod serving;
mod site;
mod tls;
mod wire;
