//! Products and licenses from CSV files.

use crate::shop::{Shop, events, path};
use crate::support::Site;
use licentia_server::error::{Code, Error};
use licentia_server::operations::import::{Imported, Kind, import};
use licentia_server::store::organizations;
use serde_json::{Value, json};
use std::sync::Arc;

fn run(site: &Site, kind: Kind, file: &str, dry_run: bool) -> Result<Imported, Error> {
    site.wait(async {
        let read = site.server.store.read();
        let organization = organizations::get(read, site.organization).await.unwrap().unwrap();
        import(&Arc::clone(&site.server), &organization, kind, file.as_bytes(), dry_run).await
    })
}

fn counts(imported: &Imported) -> (u64, u64, u64) {
    (imported.created, imported.changed, imported.same)
}

fn list(site: &Site, what: &str) -> Vec<Value> {
    let list = site.admin().get(&format!("/api/v1/{what}?per_page=100")).good();
    list[what].as_array().unwrap().clone()
}

both! {
    fn products_come_once(site: &Site) {
        site.admin().post("/api/v1/key-pairs", json!({"name": "main"})).good();
        let file = "code,name,default_features,default_valid_days,key_pair,description\n\
                    one,One,pro help,30,main,'=first\n\
                    two,Two,,,,\n";
        let dry = run(site, Kind::Products, file, true).unwrap();
        assert_eq!(counts(&dry), (2, 0, 0));
        assert!(list(site, "products").is_empty());
        assert_eq!(counts(&run(site, Kind::Products, file, false).unwrap()), (2, 0, 0));
        assert_eq!(counts(&run(site, Kind::Products, file, false).unwrap()), (0, 0, 2));
        let products = list(site, "products");
        assert_eq!(products[1]["default_features"], json!(["pro", "help"]));
        assert_eq!(products[1]["description"], "=first");
        assert!(products[1]["key_pair_id"].is_string() && products[0]["key_pair_id"].is_null());
        assert_eq!(products[0]["default_valid_days"], 365);
        let file = "code;name\none;Uno\nthree;Three\n";
        assert_eq!(counts(&run(site, Kind::Products, file, false).unwrap()), (1, 1, 0));
        assert_eq!(list(site, "products")[2]["description"], "=first");
        let kinds = events(site);
        let of = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
        assert_eq!((of("product.created"), of("product.updated")), (3, 1));
    }

    fn licenses_come_once(site: &Site) {
        let shop = Shop::open(site);
        let policy = json!({"name": "Team", "max_machines": 9});
        shop.admin.post("/api/v1/policies", policy).good();
        let file = "product,serial,customer_id,customer_email,license_type,features,valid_from,\
                    valid_days,valid_until,max_seats,policy,status,reason\n\
                    myapp,OLD-1,c1,a@b.example,subscription,pro,2025-06-01,365,,5,Team,,\n\
                    myapp,OLD-2,c2,,perpetual,,,,,,,revoked,Refund\n\
                    myapp,OLD-3,c3,,trial,,2026-01-01,,2026-02-01T00:00:00Z,,,suspended,Check\n\
                    myapp,,c4,,,,,,,,,,\n";
        let imported = run(site, Kind::Licenses, file, false).unwrap();
        assert_eq!(counts(&imported), (4, 0, 0));
        assert_eq!(imported.keys.len(), 4);
        let licenses = list(site, "licenses");
        let one = licenses.iter().find(|it| it["serial"] == "OLD-1").unwrap();
        assert_eq!(one["valid_until"], "2026-06-01T00:00:00Z");
        assert_eq!(one["max_machines"], 9);
        assert_eq!((&one["features"], &one["max_seats"]), (&json!(["pro"]), &json!(5)));
        let status = |serial: &str| {
            let one = list(site, "licenses").into_iter().find(|it| it["serial"] == serial).unwrap();
            (one["status"].clone(), one["reason"].clone())
        };
        assert_eq!(status("OLD-2"), (json!("revoked"), json!("Refund")));
        assert_eq!(status("OLD-3"), (json!("suspended"), json!("Check")));
        let blob = shop.look(one)["license_blob"].clone();
        let body = json!({"license_blob": blob, "product_id": shop.id()});
        assert_eq!(shop.admin.post("/v1/licenses/verify", body).good()["valid"], true);

        let again = run(site, Kind::Licenses, file, false).unwrap();
        assert_eq!((counts(&again), again.keys.len()), ((0, 0, 4), 0));
        assert_eq!(shop.look(one)["license_blob"], blob);
        let file = "product,serial,customer_id,max_seats,status\n\
                    myapp,OLD-1,,7,\nmyapp,OLD-3,,,active\nmyapp,,c4,,revoked\n";
        assert_eq!(counts(&run(site, Kind::Licenses, file, false).unwrap()), (0, 3, 0));
        assert_eq!(shop.look(one)["max_seats"], 7);
        assert_eq!(status("OLD-3").0, "active");
        let list_of = format!("/api/v1/products/{}/revocations", shop.id());
        assert_eq!(site.nobody().get(&list_of).status, 200);
        let kinds = events(site);
        let of = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
        assert_eq!(of("license.created"), 4);
        assert_eq!((of("license.revoked"), of("license.suspended")), (2, 1));
    }

    fn a_file_with_a_wrong_line_does_nothing(site: &Site) {
        let shop = Shop::open(site);
        let gone = shop.license(json!({"customer_id": "gone"}));
        shop.admin.delete(&path(&gone)).good();
        for _ in 0..2 {
            shop.license(json!({"customer_id": "two"}));
        }
        let head = "product,serial,customer_id,customer_email,license_type,valid_days,status,\
                    policy";
        for (line, named) in [
            ("none,S,,,,,,", "none"),
            (",S,,,,,,", "product"),
            ("myapp,,,,,,,", "serial or customer_id"),
            ("myapp,a b,,,,,,", "serial"),
            ("myapp,S,,,free,,,", "license_type"),
            ("myapp,S,,,perpetual,3,,", "perpetual"),
            ("myapp,S,,,,x,,", "valid_days"),
            ("myapp,S,,,,-1,,", "valid_days"),
            ("myapp,S,,,,,expired,", "status"),
            ("myapp,S,,,,,,Team", "policy"),
            ("myapp,,gone,,,,active,", "for ever"),
            ("myapp,,gone,x@y.example,,,,", "for ever"),
            ("myapp,,two,,,,,", "several"),
            ("myapp,S,,\"a\nb\",,,,", "customer_email"),
        ] {
            let file = format!("{head}\nmyapp,GOOD,,,,,,\n{line}\n");
            let error = run(site, Kind::Licenses, &file, false).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{line}: {error}");
            assert!(error.detail().contains("line 3"), "{line}: {error}");
            assert!(error.detail().contains(named), "{line}: {error}");
        }
        assert_eq!(list(site, "licenses").len(), 3);
        let file = format!("{head}\nnone,S,,,,,,\nmyapp,S,,,free,,,\n");
        let error = run(site, Kind::Licenses, &file, false).unwrap_err();
        assert!(error.detail().contains("line 2") && error.detail().contains("line 3"), "{error}");
        let products = "code,name\nfine,Fine\nNot Fine,x\n";
        let error = run(site, Kind::Products, products, false).unwrap_err();
        assert!(error.detail().contains("line 3: code"), "{error}");
        assert_eq!(list(site, "products").len(), 1);
    }
}
