//! What happens on a day.

use super::api::{Result, text};
use super::catalog::Plan;
use super::machine::Machine;
use super::{DAY, Sold, World};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

impl World {
    /// Sells what is bought today: more from month to month, and little on weekends.
    pub async fn sell(&mut self, day: i64) -> Result<()> {
        let growth = usize::try_from(1_500 + day * 3_600 / 365).unwrap_or_default();
        let rate = if self.is_workday() { growth } else { growth / 4 };
        for _ in 0..self.dice.about(rate) {
            self.pass();
            self.sell_one().await?;
        }
        Ok(())
    }

    async fn sell_one(&mut self) -> Result<()> {
        let (product, plan) = self.choose();
        let what: Plan = self.products[product].plans[plan];
        let customer = self.dice.below(self.customers.len());
        let buyer = self.customers[customer].clone();
        let mut body = json!({
            "product_id": self.products[product].id,
            "policy_id": self.products[product].policies[plan],
            "customer_id": buyer.id, "customer_name": buyer.name, "customer_email": buyer.email,
        });
        if what.kind == "floating" {
            body["max_seats"] = (what.seats + 2 * self.dice.below(6)).into();
        }
        let told = self.api.post(&self.keys.shop, "/licenses", &body).await?;
        self.sold.push(Sold {
            id: text(&told, "id")?.parse().map_err(|error| format!("{error}"))?,
            serial: text(&told, "serial")?.to_string(),
            product,
            plan,
            customer,
            until: (what.days > 0).then(|| self.at + what.days * DAY),
            good: true,
            pays_at: None,
            revoked: false,
        });
        for _ in 0..1 + self.dice.below(what.machines.min(2)) {
            if self.machines.len() < self.plan.machines && self.dice.chance(420) {
                self.pass();
                self.install(self.sold.len() - 1, &told).await?;
            }
        }
        Ok(())
    }

    async fn install(&mut self, license: usize, told: &Value) -> Result<()> {
        let code = self.products[self.sold[license].product].code;
        let machine = Machine::new(license, told, code, self.at, &mut self.dice)?;
        if machine.activate(&self.api, self.at).await? {
            self.machines.push(machine);
        }
        Ok(())
    }

    /// A product and a plan, by their shares.
    fn choose(&mut self) -> (usize, usize) {
        let all: Vec<(usize, usize, usize)> = self
            .products
            .iter()
            .enumerate()
            .flat_map(|(product, it)| {
                it.plans.iter().enumerate().map(move |(plan, of)| (product, plan, of.share))
            })
            .collect();
        let mut left = self.dice.below(all.iter().map(|(.., share)| share).sum());
        for (product, plan, share) in all {
            if left < share {
                return (product, plan);
            }
            left -= share;
        }
        (0, 0)
    }

    /// Renews what ends within a day, for those who stay.
    pub async fn renew(&mut self) -> Result<()> {
        for number in 0..self.sold.len() {
            let it = &self.sold[number];
            let plan = self.products[it.product].plans[it.plan];
            let soon = it.until.is_some_and(|until| (0..DAY).contains(&(until - self.at)));
            if it.good && soon && self.dice.chance(plan.renewed) {
                self.pass();
                let path = format!("/licenses/{}/renew", self.sold[number].id);
                let body = json!({ "valid_days": plan.days });
                self.api.post(&self.keys.shop, &path, &body).await?;
                let it = &mut self.sold[number];
                it.until = it.until.map(|until| until + plan.days * DAY);
            }
        }
        Ok(())
    }

    /// What the support desk does: holds what is not paid, takes back, moves, grows.
    pub async fn help(&mut self, day: i64) -> Result<()> {
        for number in 0..self.sold.len() {
            if self.sold[number].pays_at.is_some_and(|at| at <= self.at) {
                self.sold[number].pays_at = None;
                self.pass();
                self.support(number, "reinstate", &json!({})).await?;
                self.sold[number].good = true;
            }
        }
        if self.is_workday()
            && self.dice.chance(280)
            && let Some(number) = self.some_good()
        {
            self.pass();
            self.support(number, "suspend", &json!({ "reason": "invoice is overdue" })).await?;
            let (pays, days) = (self.dice.chance(780), 3 + self.dice.below(9) as i64);
            let it = &mut self.sold[number];
            it.good = false;
            it.pays_at = pays.then_some(self.at + days * DAY);
        }
        if self.is_workday()
            && self.dice.chance(130)
            && let Some(number) = self.some_good()
        {
            self.pass();
            let path = format!("/licenses/{}", self.sold[number].id);
            self.api.good(&self.keys.support, "DELETE", &path, None).await?;
            (self.sold[number].good, self.sold[number].revoked) = (false, true);
        }
        if self.dice.chance(240) {
            self.upgrade().await?;
        }
        if self.dice.chance(170) && !self.machines.is_empty() {
            let at = self.dice.below(self.machines.len());
            self.pass();
            self.machines.remove(at).leave(&self.api, self.at).await?;
        }
        self.once(day).await
    }

    /// One that is sold and good.
    fn some_good(&mut self) -> Option<usize> {
        let is_good = |it: &Sold| it.good && it.until.is_none_or(|until| until > self.at + DAY);
        let good: Vec<usize> =
            (0..self.sold.len()).filter(|number| is_good(&self.sold[*number])).collect();
        (!good.is_empty()).then(|| self.dice.pick(&good))
    }

    async fn support(&self, number: usize, what: &str, body: &Value) -> Result<()> {
        let path = format!("/licenses/{}/{what}", self.sold[number].id);
        self.api.post(&self.keys.support, &path, body).await?;
        Ok(())
    }

    /// More seats, or more machines.
    async fn upgrade(&mut self) -> Result<()> {
        let Some(number) = self.some_good() else { return Ok(()) };
        let it = &self.sold[number];
        let plan = self.products[it.product].plans[it.plan];
        let body = match plan.kind {
            "trial" => return Ok(()),
            "floating" => json!({ "max_seats": plan.seats + 12 }),
            _ => json!({ "max_machines": plan.machines + 3 }),
        };
        let path = format!("/licenses/{}", it.id);
        self.pass();
        self.api.good(&self.keys.shop, "PUT", &path, Some(&body)).await?;
        Ok(())
    }

    /// What happens once: by the days that are left.
    async fn once(&mut self, day: i64) -> Result<()> {
        let (api, admin) = (self.api.clone(), self.admin.clone());
        match self.plan.days - day {
            190 => {
                let path = format!("/key-pairs/{}/rotate", self.products[0].key_pair);
                api.good(&admin, "POST", &path, None).await?;
            }
            150 => {
                let path = format!("/policies/{}", self.products[1].policies[0]);
                api.good(&admin, "PUT", &path, Some(&json!({ "max_machines": 3 }))).await?;
            }
            95 => {
                let path = format!("/products/{}", self.products[2].id);
                let body = json!({ "description": "Brindle CAD, with the renderer" });
                api.good(&admin, "PUT", &path, Some(&body)).await?;
            }
            // Somebody has copied an installation, and both go on.
            60 => {
                let lasts = |it: &Sold| it.until.is_none_or(|until| until > self.at + 60 * DAY);
                let mut all = self.machines.iter().map(|it| (it, &self.sold[it.license]));
                let copy = all.find(|(_, of)| of.good && lasts(of)).map(|(it, _)| it.clone());
                self.machines.extend(copy);
            }
            40 => {
                api.good(&admin, "DELETE", &format!("/api-keys/{}", self.keys.old), None).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Machines say what they have used, and programs without the library that they are there.
    pub async fn report(&mut self) -> Result<()> {
        let mut asked = JoinSet::new();
        let mut plain = Vec::new();
        for it in &self.sold {
            let usual = if self.is_workday() { 120 } else { 45 };
            let there = it.good && it.until.is_none_or(|until| until > self.at);
            if self.dice.chance(usual) && (there || self.dice.chance(60)) && !it.revoked {
                let machine = self.dice.below(3);
                plain.push(json!({
                    "license_serial": it.serial,
                    "hardware_fingerprint": format!("{}-{machine}", it.customer),
                    "app_version": format!("4.{}.0", (self.at / DAY / 60) % 10),
                }));
            }
        }
        for report in plain {
            let (api, who) = (self.api.clone(), self.keys.back_end.clone());
            asked.spawn(
                async move { api.post(&who, "/licenses/sync", &report).await.map(|_| None) },
            );
        }
        let now = self.at;
        for number in (0..self.machines.len()).rev() {
            let last = self.plan.end - now < DAY;
            if !(self.dice.chance(150) || last && self.dice.chance(400)) {
                continue;
            }
            let mut machine = self.machines[number].clone();
            let of = &self.sold[machine.license];
            let meters = self.products[of.product].meters;
            if of.good {
                machine.work(meters, now, 1 + of.customer % 4, &mut self.dice);
            }
            let api = self.api.clone();
            asked.spawn(async move {
                machine.report(&api, now).await?;
                Ok(Some((number, machine)))
            });
        }
        while let Some(done) = asked.join_next().await {
            if let Some((number, machine)) = done.map_err(|error| error.to_string())?? {
                self.machines[number] = machine;
            }
        }
        Ok(())
    }

    /// People take seats of floating licenses, and some give theirs back.
    pub async fn sit(&mut self, day: i64) -> Result<()> {
        let is_last = self.plan.days - day <= 1;
        let floating: Vec<usize> = (0..self.sold.len())
            .filter(|number| {
                let it = &self.sold[*number];
                let kind = self.products[it.product].plans[it.plan].kind;
                kind == "floating" && it.good && it.until.is_none_or(|until| until > self.at)
            })
            .collect();
        if floating.is_empty() || !(self.is_workday() || is_last) {
            return Ok(());
        }
        for _ in 0..(floating.len() / 5 + 2).min(if is_last { 40 } else { 12 }) {
            let it = &self.sold[self.dice.pick(&floating)];
            let people = &self.customers[it.customer].people;
            let holder = people[self.dice.below(people.len())].clone();
            let path = format!("/licenses/{}/seats", it.id);
            let who = self.keys.back_end.clone();
            // All seats may be taken: then they wait until somebody goes.
            let body = json!({ "holder": holder });
            let (status, told) = self.api.ask(&who, "POST", &path, Some(&body)).await?;
            if status < 300 {
                self.seats.extend(text(&told, "id").ok().and_then(|id| id.parse::<Uuid>().ok()));
            }
        }
        if self.dice.chance(600) && !is_last && !self.seats.is_empty() {
            let at = self.dice.below(self.seats.len());
            let path = format!("/seats/{}", self.seats.swap_remove(at));
            self.api.ask(&self.keys.back_end, "DELETE", &path, None).await?;
        }
        Ok(())
    }
}
