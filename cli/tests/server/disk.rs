//! A disk that is full: what is there is read, what cannot be written is refused, and once there
//! is room it goes on without help.

use crate::client::{Answer, Client};
use crate::dice::times;
use crate::oracle::{self, Shop};
use crate::running::Start;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small disk in memory; unmounted when it is dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None` where mounting is not allowed.
    fn new(place: &Path, size: &str) -> Option<Disk> {
        fs::create_dir_all(place).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "tmpfs"]).arg(place);
        let mounted = mount.output().is_ok_and(|it| it.status.success());
        if !mounted {
            println!("skipped: a full disk (mounting one is not allowed here)");
        }
        mounted.then(|| Disk(place.into()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn make(admin: &Client, shop: &Shop, at: usize) -> Answer {
    let id = format!("{at}-{}", "x".repeat(200));
    let body = json!({ "product_id": shop.product, "customer_id": id });
    admin.with("Idempotency-Key", &format!("k{at}")).post("/api/v1/licenses", body)
}

#[test]
fn a_full_disk_stops_writes_only_and_only_for_as_long_as_it_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::new(&folder.path().join("disk"), "8m") else { return };
    let start = Start { log: folder.path().join("log"), ..Start::new(&disk.0, None) };
    let mut server = start.run();
    let admin = server.admin();
    let shop = Shop::open(&admin);
    let ballast = disk.0.join("ballast");
    let mut made = Vec::new();
    let mut refused = 0;
    let rounds = times(3);
    for round in 0..rounds {
        let mut at = round * 100_000;
        made.push(make(&admin, &shop, at).good()["id"].clone());
        fill(&ballast);
        while refused < 5 * (round + 1) {
            at += 1;
            let answer = make(&admin, &shop, at);
            if answer.status < 300 {
                made.push(answer.good()["id"].clone());
                continue;
            }
            refused += 1;
            let full = answer.status == 507 || answer.status == 503;
            assert!(full, "{} {}", answer.status, answer.text());
            // Whoever reads sees what was acknowledged, and nothing else.
            let found = admin.get("/api/v1/licenses?per_page=1").good();
            assert_eq!(found["total"], made.len() + 1);
            admin.get(&format!("/api/v1/licenses/{}", shop.license)).good();
        }
        assert!(!server.has_ended());
        fs::remove_file(&ballast).unwrap();
        // What was refused goes well with the same key.
        made.push(make(&admin, &shop, at).good()["id"].clone());
    }
    let found = oracle::all(&admin, "/api/v1/licenses?per_page=100", "licenses");
    assert_eq!(found.len(), made.len() + 1);
    drop(server);
    let again = start.run().admin().get("/api/v1/licenses?per_page=1").good();
    assert_eq!(again["total"], made.len() + 1);
    drop(disk);
    println!("tried: {rounds} full disks, {} writes acknowledged, 0 lost", made.len());
}

/// Takes all the room there is.
fn fill(ballast: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(ballast).unwrap();
    let mut size = 1 << 20;
    while size > 0 {
        if file.write_all(&vec![0; size]).is_err() {
            size /= 2;
        }
    }
}
