//! `licentia redeem` on the database of a server that runs: the answer of the server.

use crate::oracle::Shop;
use crate::postgres;
use crate::running::Start;
use licentia::{Installation, Product};
use serde_json::{Value, json};
use std::path::Path;

fn installed(keys: &Value, folder: &Path, machine: &str) -> Installation {
    let mut product = Product::new("myapp", &keys["keys"].to_string()).unwrap();
    product.set("machine", machine).unwrap();
    let folder = folder.join(machine);
    std::fs::create_dir_all(&folder).unwrap();
    product.open(folder).unwrap()
}

#[test]
fn a_request_by_hand_is_answered_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut places = vec![Start::new(&folder.path().join("sqlite"), None)];
    if let Some(cluster) = postgres::shared() {
        let url = cluster.url(&cluster.create("template0"));
        places.push(Start::new(&folder.path().join("postgres"), Some(url)));
    }
    for place in places {
        std::fs::create_dir(&place.data).unwrap();
        let running = place.run();
        let admin = running.admin();
        let shop = Shop::open(&admin);
        let license = json!({ "product_id": shop.product, "max_machines": 1 });
        let license = admin.post("/api/v1/licenses", license).good();
        let key = license["license_key"].as_str().unwrap();
        let keys = admin.get(&format!("/api/v1/products/{}/public-key", shop.product)).good();
        let redeem = |request: &str| {
            let file = place.data.join("request.txt");
            std::fs::write(&file, request).unwrap();
            let mut command = match &place.database {
                Some(url) => place.licentia(&["redeem", "--database", url]),
                None => place.licentia(&["redeem", "--data", place.data.to_str().unwrap()]),
            };
            let output = command.arg(file).output().unwrap();
            let told: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(output.status.success(), told["code"] == "ok", "{told}");
            told
        };
        let one = installed(&keys, &place.data, "one");
        let request = one.request("activation", Some(key)).unwrap();
        let told = redeem(&request);
        assert_eq!((&told["code"], &told["status"]), (&json!("ok"), &json!("ok")), "{told}");
        one.apply(told["answer"].as_str().unwrap().as_bytes()).unwrap();
        let list = admin.get("/api/v1/activations").good();
        assert_eq!(list["activations"][0]["id"], told["activation"]);
        // The server gives the same one to who is connected.
        let again = admin.post("/api/v1/requests", json!({ "request": request })).good();
        assert_eq!(again["activation_id"], told["activation"]);
        let two = installed(&keys, &place.data, "two");
        let told = redeem(&two.request("activation", Some(key)).unwrap());
        assert_eq!(told["code"], "refused", "{told}");
        let told = redeem(&one.request("deactivation", None).unwrap());
        one.apply(told["answer"].as_str().unwrap().as_bytes()).unwrap();
        let told = redeem(&two.request("activation", Some(key)).unwrap());
        two.apply(told["answer"].as_str().unwrap().as_bytes()).unwrap();
        two.record("basic", 1).unwrap_err();
        let told = redeem(&two.request("sync", None).unwrap());
        assert_eq!(told["status"], "ok", "{told}");
    }
}
