//! What holds of every route.

use crate::support::Site;
use serde_json::json;

both! {
    fn a_stranger_is_told_nothing(site: &Site) {
        site.nobody().get("/api/v1/products").refused(401, "unauthorized");
        let wrong = site.nobody().with_key("lic_wrong");
        wrong.get("/api/v1/products").refused(401, "unauthorized");
    }

    fn what_was_written_is_there(site: &Site) {
        let admin = site.admin();
        let made = admin.post("/api/v1/products", json!({"name": "One", "code": "one"})).good();
        let path = format!("/api/v1/products/{}", made["id"].as_str().unwrap());
        assert_eq!(admin.get(&path).good(), made);
    }
}
