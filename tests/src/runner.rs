//! The runner for Rust: it answers in process.

use crate::protocol::{escape, facts, grant, unescape};
use licentia::{Error, License, Product, bounded};

/// Answers one line.
pub fn answer(line: &str) -> String {
    match Session::default().run(line) {
        Ok(fields) => fields.join("\t"),
        Err(Failure::Refused(error)) => {
            format!("{}\t{}", error.slug(), escape(error.to_string().as_bytes()))
        }
        Err(Failure::Request(what)) => format!("!\t{what}"),
    }
}

enum Failure {
    Refused(Error),
    Request(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Refused(error)
    }
}

#[derive(Default)]
struct Session {
    code: String,
    product: Option<Product>,
    license: Option<License>,
}

impl Session {
    fn run(&mut self, line: &str) -> Result<Vec<String>, Failure> {
        let mut fields = vec!["ok".to_string()];
        for field in line.split('\t') {
            fields.extend(self.step(field)?);
        }
        Ok(fields)
    }

    fn step(&mut self, field: &str) -> Result<Option<String>, Failure> {
        let bad = || Failure::Request(format!("not a request: {field:.60}"));
        let (verb, rest) = field.split_once('=').ok_or_else(bad)?;
        let (name, value) = rest.rsplit_once('=').unwrap_or(("", rest));
        let data = unescape(value).ok_or_else(bad)?;
        let text = String::from_utf8_lossy(&data).into_owned();
        let name = String::from_utf8(unescape(name).ok_or_else(bad)?).map_err(|_| bad())?;
        if verb == "product" {
            self.code = text;
            return Ok(None);
        }
        if verb == "keys" {
            self.product = Some(Product::new(&self.code, &text)?);
            return Ok(None);
        }
        if verb == "ask" {
            let license = self.license.as_ref().ok_or_else(bad)?;
            let limit = bounded(license.limit(&text));
            return Ok(Some(grant(&text, license.allows(&text), limit)));
        }
        let product = self.product.as_mut().ok_or_else(bad)?;
        match verb {
            "trust" => product.trust(&text)?,
            "set" => product.set(&name, &text)?,
            "verify" => self.license = Some(product.verify(&data)?),
            "inspect" => self.license = Some(product.inspect(&data)?),
            _ => return Err(bad()),
        }
        let seen = self.license.as_ref().filter(|_| verb != "set" && verb != "trust");
        Ok(seen.map(|it| facts(it.serial(), it.customer(), it.expires(), it.json())))
    }
}
