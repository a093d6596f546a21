//! What takes long keeps nobody waiting who is in a hurry.

use crate::shop::Shop;
use crate::support::Site;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// More than there are connections.
const MANY: usize = 40;

both! {
    fn products_are_answered_while_much_is_read(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "license_type": "subscription", "max_seats": 2 }));
        let holding = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..MANY)
            .map(|_| {
                let (server, holding) = (Arc::clone(&site.server), Arc::clone(&holding));
                site.spawn(async move {
                    let Ok(held) = server.store.slow_snapshot().await else { return };
                    holding.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_secs(3_600)).await;
                    drop(held);
                })
            })
            .collect();
        site.wait(async {
            while holding.load(Ordering::Relaxed) < 2 {
                sleep(Duration::from_millis(5)).await;
            }
            // The others are waiting by now, or have what they wait for.
            sleep(Duration::from_millis(100)).await;
        });
        assert_eq!(holding.load(Ordering::Relaxed), 2, "and no more of them");
        let report = json!({ "license_serial": license["serial"] });
        site.caller("sync").post("/v1/licenses/sync", report).good();
        site.admin().get("/api/v1/licenses").good();
        site.admin().get("/api/v1/audit").good();
        shop.license(json!({ "license_type": "subscription", "max_seats": 2 }));
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        // They are free again for who reads much.
        site.admin().get("/api/v1/licenses?search=nobody").good();
        site.admin().get("/api/v1/audit/verification").good();
        site.wait(licentia_server::reports::refresh_all(&site.server)).unwrap();
    }
}
