//! Machines of customers: each an installation with a key of its own, that activates and reports
//! as products do, with signed requests.

use super::api::{Api, Result, Who, text};
use super::dice::Dice;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use licentia::issue::{InstallationKey, Ledger, Licensed, Request, Totals, Used};
use licentia::{parse_time, rfc3339};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use uuid::Uuid;

/// Seconds.
const DAY: i64 = 86_400;

/// What a product counts: the feature, what is counted, and how much of it one machine uses a day.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    pub feature: &'static str,
    pub kind: &'static str,
    pub a_day: usize,
    /// Whether it rests on weekends.
    pub office: bool,
}

/// One installation.
#[derive(Clone)]
pub struct Machine {
    /// Of the license, in the order they were sold.
    pub license: usize,
    pub installation: Uuid,
    seed: [u8; 32],
    product: &'static str,
    license_id: String,
    token_id: String,
    pub from: IpAddr,
    since: Option<Ledger>,
    entries: u64,
    totals: BTreeMap<(&'static str, &'static str, i64), u64>,
    /// When it last worked.
    worked: i64,
}

impl Machine {
    /// A new one, of a license as the API tells of it.
    pub fn new(
        license: usize,
        told: &Value,
        product: &'static str,
        now: i64,
        dice: &mut Dice,
    ) -> Result<Machine> {
        let mut seed = [0; 32];
        seed.chunks_mut(8).for_each(|part| part.copy_from_slice(&dice.roll().to_le_bytes()));
        let number = u128::from(dice.roll()) << 64 | u128::from(dice.roll());
        Ok(Machine {
            license,
            installation: uuid::Builder::from_random_bytes(number.to_be_bytes()).into_uuid(),
            seed,
            product,
            license_id: text(told, "id")?.to_string(),
            token_id: token_id(text(told, "license_blob")?)?,
            from: Ipv4Addr::new(198, 51, 100, 1 + dice.below(254) as u8).into(),
            since: None,
            entries: 0,
            totals: BTreeMap::new(),
            worked: now,
        })
    }

    /// Works from when it last did until now.
    pub fn work(&mut self, meters: &[Meter], now: i64, size: usize, dice: &mut Dice) {
        let days = ((now - self.worked).div_euclid(DAY)).clamp(1, 31);
        self.worked = now;
        for number in 0..days {
            let at = now - number * DAY;
            let (day, month) = (at.div_euclid(DAY) * DAY, month(at));
            // 1970 began on a Thursday.
            let weekend = matches!(at.div_euclid(DAY).rem_euclid(7), 2 | 3);
            for meter in meters {
                let most = meter.a_day * size;
                let rest = if weekend && meter.office { 8 } else { 1 };
                let used = (dice.below(most + 1) / rest) as u64;
                let period = if meter.kind == "day" { day } else { month };
                let total = self.totals.entry((meter.feature, meter.kind, period)).or_default();
                match meter.kind {
                    "level" | "distinct" => *total = used.max(*total),
                    _ => *total += used,
                }
                self.entries += 1;
            }
        }
        // What was reported and is over does not change any more.
        let old = month(now - 40 * DAY);
        self.totals.retain(|(_, _, period), _| *period >= old);
    }

    fn request(&self, what: &str, now: i64, sync: Option<Totals>) -> Result<Value> {
        let request = Request {
            what: what.into(),
            product: self.product.into(),
            installation: self.installation.to_string(),
            nonce: format!("{what}{now}"),
            sdk: "licentia/0.1.0".into(),
            at: now,
            machine: None,
            license: Some(Licensed {
                id: self.license_id.clone(),
                token_id: self.token_id.clone(),
            }),
            key: None,
            seat: None,
            sync,
            signer: None,
        };
        let key = InstallationKey::from_seed(&self.seed).map_err(|error| error.to_string())?;
        let text = request.to_signed_text(&key).map_err(|error| error.to_string())?;
        Ok(json!({ "request": text }))
    }

    fn who(&self) -> Who {
        Who { key: None, from: self.from }
    }

    /// Asks for its license. Gives whether there is a machine for it.
    pub async fn activate(&self, api: &Api, now: i64) -> Result<bool> {
        let request = self.request("activation", now, None)?;
        Ok(api.ask(&self.who(), "POST", "/activations", Some(&request)).await?.0 < 300)
    }

    /// Gives its license back.
    pub async fn leave(&self, api: &Api, now: i64) -> Result<()> {
        let request = self.request("deactivation", now, None)?;
        api.ask(&self.who(), "POST", "/requests", Some(&request)).await?;
        Ok(())
    }

    /// What stands for all that was ever recorded.
    fn head(&self) -> String {
        let (number, _) = self.installation.as_u64_pair();
        let sum: u64 = self.totals.values().sum();
        let mut dice = Dice(number ^ (self.entries << 32) ^ sum);
        (0..4).map(|_| format!("{:016x}", dice.roll())).collect()
    }

    /// Reports what it has used. What was acknowledged is what it goes on from next time.
    pub async fn report(&mut self, api: &Api, now: i64) -> Result<()> {
        let used = |((feature, kind, period), used): (&(&str, &str, i64), &u64)| Used {
            feature: (*feature).to_string(),
            kind: (*kind).to_string(),
            from: Some(*period),
            used: *used,
        };
        let ledger = Ledger { seq: self.entries, head: self.head() };
        let totals = Totals {
            usage: self.totals.iter().map(used).collect(),
            ledger: Some(ledger.clone()),
            since: self.since.clone(),
            ..Totals::default()
        };
        let request = self.request("sync", now, Some(totals))?;
        let told = api.ask(&self.who(), "POST", "/requests", Some(&request)).await?;
        if told.0 < 300 {
            self.since = Some(ledger);
        }
        Ok(())
    }
}

/// The first second of the month of a time.
pub fn month(at: i64) -> i64 {
    let text = rfc3339(at);
    parse_time(&format!("{}-01", text.get(..7).unwrap_or_default())).unwrap_or_default()
}

/// The id of the token in a license file.
fn token_id(blob: &str) -> Result<String> {
    let token = STANDARD.decode(blob).map_err(|error| error.to_string())?;
    let token = String::from_utf8(token).map_err(|error| error.to_string())?;
    let payload = token.split('.').nth(1).ok_or("a license file that is no token")?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|error| error.to_string())?;
    let claims: Value = serde_json::from_slice(&payload).map_err(|error| error.to_string())?;
    Ok(text(&claims, "jti")?.to_string())
}
