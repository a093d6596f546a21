//! Somebody who does business, at random.

use super::{DAY, day_of};
use crate::activations::{forged, seed, token_id};
use crate::shop::{Shop, path};
use crate::support::Site;
use crate::support::client::Client;
use crate::support::dice::Dice;
use licentia::issue::{Ledger, Totals, Used};
use licentia::rfc3339;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// A vendor of two products who does something every day, seeded.
pub struct Vendor<'a> {
    pub site: &'a Site,
    pub dice: Dice,
    pub shops: Vec<Shop>,
    pub licenses: Vec<Value>,
    pub machines: Vec<(Value, Uuid, u8, String)>,
    pub seq: u64,
}

impl<'a> Vendor<'a> {
    pub fn new(site: &'a Site, key: &str, seed: u64) -> Vendor<'a> {
        let client: Client = site.nobody().with_key(key);
        let shops = ["one", "two"].map(|code| Shop::of(client.clone(), code)).into();
        let (licenses, machines) = (Vec::new(), Vec::new());
        Vendor { site, dice: Dice(seed), shops, licenses, machines, seq: 0 }
    }

    pub fn admin(&self) -> &Client {
        &self.shops[0].admin
    }

    pub fn product(&self, number: usize) -> Uuid {
        self.shops[number].id().parse().unwrap()
    }

    /// Some hours of business.
    pub fn work(&mut self, monotone: bool) {
        for _ in 0..self.dice.below(4) + 1 {
            match self.dice.below(if monotone { 6 } else { 8 }) {
                0 | 1 => self.sell(),
                2 => self.activate(),
                3 => self.report(),
                4 => self.stop("revoke"),
                5 => self.stop("suspend"),
                6 => self.again(),
                _ => self.sit(),
            }
        }
    }

    pub fn sell(&mut self) {
        let shop = &self.shops[self.dice.below(2)];
        let days = [3, 9, 40, 365][self.dice.below(4)];
        self.licenses.push(shop.license(json!({
            "valid_days": days, "max_seats": 1 + self.dice.below(5), "max_machines": 50,
        })));
    }

    pub fn some(&mut self) -> Option<Value> {
        (!self.licenses.is_empty()).then(|| self.dice.pick(&self.licenses).clone())
    }

    pub fn stop(&mut self, how: &str) {
        let Some(license) = self.some() else { return };
        match how {
            "revoke" => drop(self.admin().delete(&path(&license))),
            how => drop(self.admin().post(&format!("{}/{how}", path(&license)), json!({}))),
        }
    }

    pub fn again(&mut self) {
        let Some(license) = self.some() else { return };
        let (how, body) = match self.dice.chance(50) {
            true => ("reinstate", json!({})),
            false => ("renew", json!({ "valid_days": 30 })),
        };
        self.admin().post(&format!("{}/{how}", path(&license)), body);
    }

    pub fn sit(&mut self) {
        let Some(license) = self.some() else { return };
        let holder = format!("holder {}", self.dice.below(9));
        self.admin().post(&format!("{}/seats", path(&license)), json!({ "holder": holder }));
    }

    /// A machine, new or freed.
    pub fn activate(&mut self) {
        if self.dice.chance(25) && !self.machines.is_empty() {
            let at = self.dice.below(self.machines.len());
            let (.., id) = self.machines.swap_remove(at);
            self.admin().delete(&format!("/api/v1/activations/{id}")).good();
            return;
        }
        let Some(license) = self.some() else { return };
        let (installation, number) = (Uuid::new_v4(), self.dice.below(200) as u8);
        let told = self.ask(&license, installation, number, "activation", None);
        if let Some(id) = told["activation_id"].as_str() {
            self.machines.push((license, installation, number, id.to_string()));
        }
    }

    pub fn ask(
        &self,
        license: &Value,
        here: Uuid,
        number: u8,
        what: &str,
        totals: Option<Totals>,
    ) -> Value {
        let shop = self.shops.iter().find(|shop| shop.id() == license["product_id"]).unwrap();
        let mut request = forged(license, &token_id(shop, license), here, what);
        (request.at, request.sync) = (self.site.clock.now(), totals);
        let text = request.to_signed_text(&seed(number)).unwrap();
        self.site.nobody().post("/api/v1/requests", json!({ "request": text })).json()
    }

    pub fn report(&mut self) {
        let Some(license) = self.some() else { return };
        if self.dice.chance(40) || self.machines.is_empty() {
            let report = json!({ "license_serial": license["serial"] });
            self.admin().post("/api/v1/licenses/sync", report).good();
            return;
        }
        let (license, installation, number, _) = self.dice.pick(&self.machines).clone();
        let at = self.site.clock.now() - self.dice.below(40) as i64 * DAY;
        let month: i64 = licentia::parse_time(&format!("{}01", &rfc3339(at)[..8])).unwrap();
        let periods = [
            ("exports", "month", month),
            ("calls", "hour", at / 3600 * 3600),
            ("calls", "day", day_of(at)),
            ("disk", "level", month),
            ("users", "distinct", month),
            ("runs", "ever", 0),
        ];
        let used = periods.map(|(feature, kind, from)| Used {
            feature: feature.into(),
            kind: kind.into(),
            from: Some(from),
            used: 1 + self.dice.below(1000) as u64,
        });
        self.seq += 1;
        let ledger = Some(Ledger { seq: self.seq, head: format!("{:0>64x}", self.seq) });
        let lost = self.dice.below(2) as u64;
        let totals = Totals { usage: used.into(), ledger, lost, ..Totals::default() };
        self.ask(&license, installation, number, "sync", Some(totals));
    }
}
