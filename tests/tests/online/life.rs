//! What happens to a license between its vendor and one program.

use crate::program::Program;
use crate::world::{BEGIN, World};
use licentia_tests::protocol::escape;
use licentia_tests::server::Sold;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

pub const CODE: &str = "myapp";
pub const DAY: i64 = 86_400;

/// A vendor with one license, and a program that has not got it yet.
pub struct Life {
    pub world: World,
    pub sold: Sold,
    pub program: Program,
    pub language: &'static str,
}

impl Life {
    /// `None` = the language is not here.
    pub fn begin(
        language: &'static str,
        home: &Path,
        database: Option<&str>,
        license: &Value,
    ) -> Option<Life> {
        let world = World::start(&home.join("server"), database);
        let sold = world.admin.sell(CODE, license);
        let mut program = Program::new(language, &sold.keys, CODE, home.join("installation"))?;
        program.server = world.admin.root().to_string();
        program.at = BEGIN;
        Some(Life { world, sold, program, language })
    }

    /// It is this time now, here and at the server.
    pub fn set(&mut self, at: i64) {
        self.program.at = at;
        self.world.set(at);
    }

    /// So much later, here and at the server.
    pub fn pass(&mut self, seconds: i64) {
        self.set(self.program.at + seconds);
    }

    /// Below this is what the server knows of the license.
    fn path(&self, rest: &str) -> String {
        format!("/licenses/{}{rest}", self.id())
    }

    pub fn id(&self) -> &str {
        self.sold.license["id"].as_str().unwrap()
    }

    pub fn key(&self) -> &str {
        self.sold.license["license_key"].as_str().unwrap()
    }

    /// The vendor does something with the license.
    pub fn vendor(&self, method: &str, what: &str, body: &Value) -> Value {
        let (status, body) = self.world.admin.ask(method, &self.path(what), body);
        assert!(matches!(status, 200 | 201), "{method} {what}: {status} {body}");
        body
    }

    /// What the server knows was used of a feature.
    pub fn reported(&self, feature: &str) -> u64 {
        let usage = self.world.admin.get(&self.path("/usage"));
        let rows = usage["usage"].as_array().unwrap().iter();
        rows.filter(|row| row["feature"] == feature).map(|row| row["used"].as_u64().unwrap()).sum()
    }

    /// Activates it by its license key.
    pub fn activate(&mut self) {
        let field = format!("call=activation={}", self.key());
        self.program.good(&field);
    }

    /// Syncs, which goes well.
    #[track_caller]
    pub fn sync(&mut self) {
        self.program.good("sync=");
    }

    /// Every answer of the program, without what differs from one life to the next.
    pub fn comparable(&self) -> Vec<String> {
        let mut names = BTreeMap::new();
        let mut know = |name: &str, value: &str| {
            let (next, text) = (names.len(), escape(value.as_bytes()));
            names.entry(text).or_insert_with(|| format!("${name}{next}"));
        };
        know("folder", &self.program.folder.display().to_string());
        know("root", self.world.admin.root());
        know("key", self.key());
        for told in &self.program.told {
            let (_, answer) = told.split_once(" -> ").unwrap();
            let status = answer.split('\t').find_map(|field| field.strip_prefix("status="));
            if let Some(status) = status.and_then(licentia_tests::protocol::unescape) {
                collect(&serde_json::from_slice(&status).unwrap(), &mut know);
            }
        }
        let plain = |told: &String| {
            let told = told.clone();
            names.iter().fold(told, |told, (value, name)| told.replace(value, name))
        };
        self.program.told.iter().map(plain).collect()
    }
}

/// Members that are random, wherever they stand.
fn collect(value: &Value, know: &mut impl FnMut(&str, &str)) {
    const RANDOM: [&str; 6] = ["id", "serial", "token_id", "key_id", "installation", "issuer"];
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(text) if RANDOM.contains(&&**name) && text.len() > 12 => know(name, text),
                    _ => collect(value, know),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, know)),
        _ => {}
    }
}

/// What the first life sells: so many exports and no more, calls that go on being counted.
pub fn whole() -> Value {
    json!({
        "customer_name": "Example Labs", "features": ["reports"], "valid_days": 90,
        "entitlements": [
            {"id": "exports", "meter": "count", "per": "ever", "max": 10, "over": 50},
            {"id": "calls", "meter": "count", "per": "ever", "max": 10, "then": "count"},
        ],
        "terms": {
            "sync_days": 30,
            "stages": {
                "suspended": {"warn": 0, "read_only": 3, "deny": 7},
                "overdue": {"warn": 0, "deny": 5},
            },
        },
    })
}
