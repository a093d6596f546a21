//! What the made-up vendor sells, to whom its doors are open, and where its events go.

use super::api::{Api, Result, Who, text};
use super::machine::Meter;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use uuid::Uuid;

/// A product, and how it is sold.
pub struct Product {
    pub code: &'static str,
    pub meters: &'static [Meter],
    pub plans: &'static [Plan],
    pub id: Uuid,
    pub key_pair: Uuid,
    /// In the order of the plans.
    pub policies: Vec<Uuid>,
}

/// A way to buy it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub name: &'static str,
    pub kind: &'static str,
    pub days: i64,
    pub seats: usize,
    pub machines: usize,
    /// How many of a thousand are renewed.
    pub renewed: usize,
    /// How often it is bought, beside the others.
    pub share: usize,
}

const fn plan(
    name: &'static str,
    (kind, days): (&'static str, i64),
    (seats, machines): (usize, usize),
    (renewed, share): (usize, usize),
) -> Plan {
    Plan { name, kind, days, seats, machines, renewed, share }
}

const fn meter(feature: &'static str, kind: &'static str, a_day: usize, office: bool) -> Meter {
    Meter { feature, kind, a_day, office }
}

const QUILLMARK: &[Plan] = &[
    plan("Quillmark, a year", ("subscription", 365), (1, 3), (900, 30)),
    plan("Quillmark, a month", ("subscription", 30), (1, 2), (930, 8)),
    plan("Quillmark, trial", ("trial", 14), (1, 1), (0, 26)),
];
const PORTOLAN: &[Plan] = &[
    plan("Portolan Server, a year", ("node_locked", 365), (1, 2), (900, 14)),
    plan("Portolan Server, a quarter", ("node_locked", 90), (1, 4), (850, 6)),
];
const BRINDLE: &[Plan] = &[
    plan("Brindle CAD, floating", ("floating", 365), (8, 40), (900, 8)),
    plan("Brindle CAD, project", ("floating", 60), (4, 20), (400, 5)),
];
const FENNEC: &[Plan] = &[plan("Fennec SDK", ("perpetual", 0), (1, 10), (0, 6))];

const COUNTED_BY_QUILLMARK: &[Meter] =
    &[meter("exports", "month", 24, true), meter("documents", "level", 90, true)];
const COUNTED_BY_PORTOLAN: &[Meter] =
    &[meter("api_calls", "month", 5_200, false), meter("users", "distinct", 60, true)];
const COUNTED_BY_BRINDLE: &[Meter] = &[meter("render_minutes", "day", 340, true)];
const COUNTED_BY_FENNEC: &[Meter] = &[meter("builds", "month", 45, true)];

/// Codes and names, what is counted, and plans.
const ALL: &[(&str, &str, &[Meter], &[Plan])] = &[
    ("quillmark", "Quillmark", COUNTED_BY_QUILLMARK, QUILLMARK),
    ("portolan", "Portolan Server", COUNTED_BY_PORTOLAN, PORTOLAN),
    ("brindle", "Brindle CAD", COUNTED_BY_BRINDLE, BRINDLE),
    ("fennec", "Fennec SDK", COUNTED_BY_FENNEC, FENNEC),
];

/// Somebody of the vendor's, at a place of theirs.
pub fn staff(key: &str, last: u8) -> Who {
    Who { key: Some(key.to_string()), from: IpAddr::from(Ipv4Addr::new(203, 0, 113, last)) }
}

fn id(value: &Value) -> Result<Uuid> {
    text(value, "id")?.parse().map_err(|error| format!("{error}: {value}"))
}

/// Makes the products, with key pairs and policies.
pub async fn products(api: &Api, admin: &Who) -> Result<Vec<Product>> {
    let mut products = Vec::new();
    for (code, name, meters, plans) in ALL.iter().copied() {
        let pair = json!({ "name": format!("{name} keys") });
        let key_pair = id(&api.post(admin, "/key-pairs", &pair).await?)?;
        let features: Vec<&str> = meters.iter().map(|meter| meter.feature).collect();
        let product = json!({
            "name": name, "code": code, "key_pair_id": key_pair,
            "description": format!("{name}, as it is sold on the web"),
            "default_features": features, "default_valid_days": 365,
        });
        let product = id(&api.post(admin, "/products", &product).await?)?;
        let mut policies = Vec::new();
        for plan in plans {
            let mut policy = json!({
                "name": plan.name, "product_id": product, "license_type": plan.kind,
                "max_seats": plan.seats, "max_machines": plan.machines,
                "entitlements": meters.iter().map(entitlement).collect::<Vec<_>>(),
                // Two days: whoever goes home keeps the seat until it ends by itself.
                "terms": { "seat_seconds": 172_800, "sync_days": 45 },
            });
            if plan.days > 0 {
                policy["valid_days"] = plan.days.into();
            }
            policies.push(id(&api.post(admin, "/policies", &policy).await?)?);
        }
        products.push(Product { code, meters, plans, id: product, key_pair, policies });
    }
    Ok(products)
}

fn entitlement(meter: &Meter) -> Value {
    match meter.kind {
        "distinct" => json!({ "id": meter.feature, "meter": "distinct", "days": 30 }),
        "level" => json!({ "id": meter.feature, "meter": "level" }),
        per => json!({ "id": meter.feature, "meter": "count", "per": per }),
    }
}

/// Keys for who sells, who helps, who reports, and one that nobody needs any more.
pub struct Keys {
    pub shop: Who,
    pub support: Who,
    pub back_end: Who,
    pub old: Uuid,
}

/// Makes them.
pub async fn keys(api: &Api, admin: &Who) -> Result<Keys> {
    let make = async |name: &str, scopes: &[&str]| {
        let body = json!({ "name": name, "scopes": scopes });
        api.post(admin, "/api-keys", &body).await
    };
    let shop = make("Web shop", &["read", "issue"]).await?;
    let support = make("Support desk", &["read", "revoke"]).await?;
    let back_end = make("Products in the field", &["sync"]).await?;
    make("Finance, read only", &["read"]).await?;
    let old = make("Old build server", &["read", "catalog"]).await?;
    Ok(Keys {
        shop: staff(text(&shop, "key")?, 20),
        support: staff(text(&support, "key")?, 31),
        back_end: staff(text(&back_end, "key")?, 40),
        old: id(&old)?,
    })
}

/// Has events sent to who wants them.
pub async fn webhooks(api: &Api, admin: &Who, to: SocketAddr, product: Uuid) -> Result<()> {
    let ends = ["license.expiring_soon", "license.expired"];
    let sales = ["license.created", "license.renewed", "license.revoked"];
    for (name, description, events, product) in [
        ("billing", "Invoices and refunds", &sales[..], None),
        ("mailing", "Reminders to customers", &ends[..], None),
        ("chat", "A line in the sales chat", &["license.created"][..], Some(product)),
    ] {
        let body = json!({
            "url": format!("http://{to}/{name}"), "description": description,
            "events": events, "product_id": product,
        });
        api.post(admin, "/webhooks", &body).await?;
    }
    Ok(())
}
