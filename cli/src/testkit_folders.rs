//! The folders of a kit: each is used by the library as a product would, and then read.

use crate::input::unwritten;
use crate::testkit::{File, bug, too_many};
use crate::testkit_states::stops_at;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licentia::issue::{self, IssuerStatus, SyncAnswer};
use licentia::machine::{self, Report};
use licentia::{
    Binding, Claims, Customer, Feature, Installation, Notice, Product, Result, SecretKey, Stage,
    Stages,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tempfile::TempDir;

const DAY: i64 = 86_400;

/// Day 0 of every kit: 2026-06-15T12:00:00Z, in the middle of a month, so that what is counted by
/// the month is not counted anew some days before or after.
const TODAY: i64 = 1_781_524_800;

/// The days of the license.
const SIGNED: i64 = -100;
const BEGINS: i64 = -90;
const ENDS: i64 = 90;

/// The identity of the machine.
pub const MACHINE: &str = "licentia-testkit";

/// The machine that a license is bound to elsewhere.
const ANOTHER_MACHINE: &str = "licentia-testkit-another";

/// Days without a license, where there are any.
pub const GRACE_DAYS: u32 = 30;

/// Keys that a folder may hold of one feature: each is written to the disk.
const KEYS_MAX: u64 = 10_000;

const ISSUER: &str = "licentia testkit";

/// The second at noon of a day.
pub fn at(day: i64) -> i64 {
    TODAY + day * DAY
}

/// A folder that is gone when it is dropped.
pub fn temporary() -> Result<TempDir> {
    tempfile::tempdir().map_err(|error| unwritten(&std::env::temp_dir(), &error))
}

/// How much of a feature is used in a folder.
pub fn used(folder: &str, feature: &Feature) -> u64 {
    let Some(max) = feature.max.filter(|max| *max > 0) else { return 0 };
    match folder {
        "used_up" => stops_at(feature).unwrap_or(0),
        "over" => max + 1,
        _ => 0,
    }
}

/// A feature as the license of a folder grants it: past its limit, it needs room before it stops.
pub fn licensed(folder: &str, feature: &Feature) -> Feature {
    let room = match (feature.max, stops_at(feature)) {
        (Some(max), Some(line)) => max == 0 || line > max + 1,
        _ => true,
    };
    let over = if folder == "over" && !room { Some(200) } else { feature.over };
    Feature { over, ..feature.clone() }
}

/// Makes folders, all with licenses of one key, which goes with it.
pub struct Maker {
    key: SecretKey,
    code: String,
    features: Vec<Feature>,
}

/// An installation that is being used.
struct Scene<'a> {
    maker: &'a Maker,
    product: Product,
    installation: Installation,
    claims: Claims,
}

impl Maker {
    /// For a product with these features. Fails with `invalid_argument` where no license could
    /// have them, or no folder their use.
    pub fn new(code: &str, features: Vec<Feature>) -> Result<Maker> {
        let keys = |feature: &Feature| {
            let distinct = feature.meter.as_deref() == Some("distinct");
            if distinct { used("used_up", feature).max(used("over", feature)) } else { 0 }
        };
        if let Some(feature) = features.iter().find(|feature| keys(feature) > KEYS_MAX) {
            return Err(too_many(feature, KEYS_MAX));
        }
        Ok(Maker { key: SecretKey::generate()?, code: code.to_string(), features })
    }

    /// What its licenses grant.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The public half of the key.
    pub fn keys(&self) -> String {
        self.key.public().to_short()
    }

    /// The files of a folder. Each is what the library has written.
    pub fn folder(&self, name: &str) -> Result<BTreeMap<String, File>> {
        let place = temporary()?;
        match name {
            // What the library makes in a new one, it makes when it is opened.
            "new" => {}
            "elsewhere" => self.scene(name, place.path(), ANOTHER_MACHINE)?.prepare(name)?,
            _ => self.scene(name, place.path(), MACHINE)?.prepare(name)?,
        }
        match name {
            "damaged" => damage(place.path(), &newest_first(place.path())?)?,
            "recovered" => damage(place.path(), &newest_first(place.path())?[1..])?,
            _ => {}
        }
        read(place.path())
    }

    fn scene(&self, name: &str, place: &Path, machine: &str) -> Result<Scene<'_>> {
        let mut product = Product::new(&self.code, &self.keys())?;
        product.set("machine", machine)?;
        product.set("clock", &at(SIGNED).to_string())?;
        let installation = product.open(place)?;
        Ok(Scene { maker: self, product, installation, claims: self.claims(name, machine)? })
    }

    /// The license of a folder.
    fn claims(&self, folder: &str, machine: &str) -> Result<Claims> {
        let mut claims = issue::draft(ISSUER, &self.code, at(SIGNED))?;
        let stage = |read_only, deny| Some(Stage { warn: Some(0), read_only, deny: Some(deny) });
        claims.exp = (folder == "token").then(|| at(0));
        let license = &mut claims.license;
        license.kind = "subscription".into();
        license.description = Some("For tests".into());
        license.customer = Some(Customer { name: Some("Test".into()), ..Customer::default() });
        license.valid_from = at(BEGINS);
        license.valid_until = Some(at(ENDS));
        license.features = self.features.iter().map(|it| licensed(folder, it)).collect();
        license.notice = Some(Notice { license: Some(30), ..Notice::default() });
        license.stages =
            Some(Stages { ended: stage(Some(14), 44), overdue: stage(None, 14), suspended: None });
        if folder == "elsewhere" {
            let report = Report::from_identity(&self.code, machine)?;
            let options = machine::Options { allow_weak: true, ..machine::Options::default() };
            let machine = Some(machine::Binding::bind(&report, &self.code, &options)?);
            license.binding = Some(Binding { machine, ..Binding::default() });
        }
        Ok(claims)
    }
}

impl Scene<'_> {
    /// Does what leads to a folder, from the day on which the license was signed.
    fn prepare(mut self, folder: &str) -> Result<()> {
        if folder == "used" {
            self.day(-5)?;
            return self.installation.first_use(None);
        }
        if folder == "seen" {
            self.day(0)?;
        }
        let token = issue::sign(&self.maker.key, &self.claims)?;
        self.installation.apply(token.as_bytes())?;
        match folder {
            "answered" => self.answer(-10, IssuerStatus::Ok, Some(at(0))),
            "suspended" => self.answer(-1, IssuerStatus::Suspended, None),
            "revoked" => self.withdraw(-1),
            "used_up" | "over" => self.record(folder),
            _ => Ok(()),
        }
    }

    /// Moves the clock.
    fn day(&mut self, day: i64) -> Result<()> {
        self.product.set("clock", &at(day).to_string())
    }

    /// The server answers a sync.
    fn answer(&mut self, day: i64, status: IssuerStatus, next_sync_by: Option<i64>) -> Result<()> {
        self.day(day)?;
        let request = self.installation.request("sync", None)?;
        let asked = issue::read_request(request.as_bytes())?;
        let answer = SyncAnswer {
            iat: at(day),
            nonce: asked.nonce,
            license_id: self.claims.license.id.clone(),
            installation: asked.installation,
            activation: None,
            seq: 1,
            epoch: 0,
            server_time: at(day),
            status,
            message: None,
            license: None,
            keys: None,
            revocations: None,
            ack: None,
            sync_after: None,
            next_sync_by,
            machine: None,
        };
        let maker = self.maker;
        let token = issue::sign_sync(&maker.key, &maker.code, ISSUER, &answer)?;
        self.installation.apply(token.as_bytes())
    }

    /// The license is withdrawn.
    fn withdraw(&mut self, day: i64) -> Result<()> {
        self.day(day)?;
        let ids = BTreeSet::from([issue::license_id(&self.claims.license.id)?]);
        let maker = self.maker;
        let list = issue::sign_revocations(&maker.key, &maker.code, ISSUER, 1, at(day), &ids)?;
        self.installation.apply(list.as_bytes())
    }

    /// Every feature with a limit is used.
    fn record(&mut self, folder: &str) -> Result<()> {
        self.day(0)?;
        for feature in &self.maker.features {
            let (id, amount) = (feature.id.as_str(), used(folder, feature));
            match feature.meter.as_deref() {
                _ if amount == 0 => {}
                Some("count") => self.installation.record(id, amount)?,
                Some("level") => self.installation.record_level(id, amount)?,
                _ => self.keys(id, amount)?,
            }
        }
        Ok(())
    }

    /// Notes so many keys, `key-1` and on. Threads share a write to the disk.
    fn keys(&self, id: &str, amount: u64) -> Result<()> {
        const THREADS: u64 = 8;
        let some = |first: u64| {
            let mut numbers = (first..=amount).step_by(THREADS as usize);
            numbers.try_for_each(|n| self.installation.record_key(id, &format!("key-{n}")))
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (1..=THREADS).map(|first| scope.spawn(move || some(first))).collect();
            let ended = threads.into_iter().map(|it| it.join().map_err(|_| bug("a thread")));
            ended.collect::<Result<Vec<_>>>()?.into_iter().collect()
        })
    }
}

/// The two files of the state, by their generations: docs/state.md, "Slots".
fn newest_first(place: &Path) -> Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for name in ["state.a", "state.b"] {
        let bytes = read_bytes(&place.join(name))?;
        let generation =
            bytes.get(16..24).and_then(|it| it.try_into().ok()).map(u64::from_le_bytes);
        found.push((generation, name));
    }
    found.sort_unstable();
    Ok(found.into_iter().rev().map(|(_, name)| name).collect())
}

/// Bytes rot.
fn damage(place: &Path, names: &[&str]) -> Result<()> {
    for name in names {
        let path = place.join(name);
        let mut bytes = read_bytes(&path)?;
        bytes.iter_mut().skip(80).take(1).for_each(|byte| *byte ^= 0xff);
        std::fs::write(&path, bytes).map_err(|error| unwritten(&path, &error))?;
    }
    Ok(())
}

fn read(place: &Path) -> Result<BTreeMap<String, File>> {
    let mut files = BTreeMap::new();
    let entries = std::fs::read_dir(place).map_err(|error| unwritten(place, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unwritten(place, &error))?;
        let bytes = read_bytes(&entry.path())?;
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let base64 = STANDARD.encode(bytes.get(..end).unwrap_or_default());
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, File { size: bytes.len(), base64 });
    }
    Ok(files)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| unwritten(path, &error))
}

/// Its first bytes, without the zeros at its end.
pub fn bytes(file: &File) -> Result<Vec<u8>> {
    let bytes = STANDARD.decode(&file.base64).ok().filter(|bytes| bytes.len() <= file.size);
    bytes.ok_or_else(|| bug("a file of a kit is not base64"))
}

/// Writes one into a folder.
pub fn write(path: &Path, file: &File) -> Result<()> {
    let mut bytes = bytes(file)?;
    bytes.resize(file.size, 0);
    std::fs::write(path, bytes).map_err(|error| unwritten(path, &error))
}
