//! A year of made-up business, always the same from the same seed: everything in it is asked of
//! the server as anybody would ask, with its clock set to the moment.

mod api;
mod catalog;
mod dice;
mod machine;
mod names;
mod receiver;
mod work;

pub use api::{Api, Result};

use catalog::{Keys, Product, staff};
use dice::Dice;
use licentia_server::api::Shared;
use licentia_server::metrics::Metrics;
use licentia_server::outbox::Outbox;
use licentia_server::reports;
use licentia_server::webhooks::dispatch::Dispatcher;
use machine::Machine;
use names::Customer;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Seconds.
const DAY: i64 = 86_400;

/// How much of it there is to be.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The last moment, in seconds since 1970.
    pub end: i64,
    /// Days up to it, its own with them.
    pub days: i64,
    /// Who buys.
    pub customers: usize,
    /// Machines that report with signed requests, at most.
    pub machines: usize,
    /// Another seed is another year.
    pub seed: u64,
}

impl Plan {
    /// A year until a moment.
    pub fn year(end: i64) -> Plan {
        Plan { end, days: 365, customers: 420, machines: 240, seed: 1 }
    }

    /// Some weeks until a moment: for tests.
    pub fn small(end: i64) -> Plan {
        Plan { end, days: 80, customers: 40, machines: 20, seed: 1 }
    }
}

/// What was made.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    pub licenses: usize,
    pub machines: usize,
}

/// A license that was sold.
struct Sold {
    id: Uuid,
    serial: String,
    product: usize,
    plan: usize,
    customer: usize,
    /// The day of its end.
    until: Option<i64>,
    /// Not revoked, and not suspended for now.
    good: bool,
    /// Until when it is suspended, if somebody pays.
    pays_at: Option<i64>,
    revoked: bool,
}

/// The vendor, and all that is known of the world.
struct World {
    server: Shared,
    api: Api,
    plan: Plan,
    dice: Dice,
    admin: api::Who,
    keys: Keys,
    products: Vec<Product>,
    customers: Vec<Customer>,
    sold: Vec<Sold>,
    machines: Vec<Machine>,
    seats: Vec<Uuid>,
    outbox: Outbox,
    dispatcher: Dispatcher,
    at: i64,
}

/// Lives through it: with the key of an administrator, on a server whose clock is set from its
/// first day to its last moment. `say` hears how far it is.
pub async fn live(server: &Shared, key: &str, plan: Plan, say: impl Fn(i64)) -> Result<Made> {
    let first = plan.end.div_euclid(DAY) * DAY - (plan.days - 1) * DAY;
    server.clock.set(Some(first - 2 * DAY + 30_000));
    let (api, admin) = (Api::of(server), staff(key, 10));
    let told = api.good(&admin, "GET", "/organizations", None).await?;
    let own = api::text(&told["organizations"][0], "id")?.to_string();
    let name = json!({ "name": "Lumenfold Software" });
    api.good(&admin, "PUT", &format!("/organizations/{own}"), Some(&name)).await?;
    let keys = catalog::keys(&api, &admin).await?;
    server.clock.set(Some(first - DAY + 34_000));
    let products = catalog::products(&api, &admin).await?;
    let listening = receiver::listen(plan.end, server.clock.clone()).await;
    let receiver = listening.map_err(|error| error.to_string())?;
    let chatty = products.last().map_or_else(Uuid::nil, |product| product.id);
    catalog::webhooks(&api, &admin, receiver, chatty).await?;
    let mut dice = Dice(plan.seed);
    let customers = (0..plan.customers).map(|number| names::customer(number, &mut dice)).collect();
    let mut world = World {
        outbox: Outbox::new(Shared::clone(server), 0),
        dispatcher: Dispatcher::new(Shared::clone(server), Arc::new(Metrics::new())),
        server: Shared::clone(server),
        api,
        plan,
        dice,
        admin,
        keys,
        products,
        customers,
        sold: Vec::new(),
        machines: Vec::new(),
        seats: Vec::new(),
        at: first,
    };
    for day in 0..plan.days {
        world.day(day, first + day * DAY).await?;
        say(day);
    }
    world.pass_to(plan.end);
    world.send().await?;
    reports::refresh_all(server).await.map_err(|error| error.to_string())?;
    Ok(Made { licenses: world.sold.len(), machines: world.machines.len() })
}

impl World {
    /// Time goes by, and never back, and not beyond the end.
    fn pass_to(&mut self, at: i64) {
        self.at = at.clamp(self.at, self.plan.end);
        self.server.clock.set(Some(self.at));
    }

    /// Some minutes go by.
    fn pass(&mut self) {
        let minutes = self.dice.below(420) as i64;
        self.pass_to(self.at + minutes);
    }

    /// Whether people are at work.
    fn is_workday(&self) -> bool {
        !matches!(self.at.div_euclid(DAY).rem_euclid(7), 2 | 3)
    }

    async fn day(&mut self, number: i64, start: i64) -> Result<()> {
        let length = (self.plan.end - start).min(DAY);
        for (part, hour) in [7, 10, 14, 19].into_iter().enumerate() {
            self.pass_to(start + length * hour / 24);
            match part {
                0 => self.renew().await?,
                1 => self.sell(number).await?,
                2 => self.help(number).await?,
                _ => self.report().await?,
            }
            if part == 1 {
                self.sit(number).await?;
            }
            self.send().await?;
        }
        self.pass_to(start + length * 23 / 24);
        let refreshed = reports::refresh(&self.server).await;
        refreshed.map_err(|error| error.to_string())
    }

    /// What the server does beside the work: ends are announced, events are sent.
    async fn send(&mut self) -> Result<()> {
        let error = |error: licentia_server::error::Error| error.to_string();
        self.outbox.tend().await.map_err(error)?;
        while self.outbox.deliver().await.map_err(error)? > 0 {}
        self.dispatcher.settle().await.map_err(error)
    }
}
