//! The runner for Rust: it answers in process.

use crate::protocol::{escape, facts, grant, unescape};
use crate::telling;
use licentia::{Access, Error, Installation, License, Product, Seat, bounded};

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
    folder: String,
    installation: Option<Installation>,
    seat: Option<Seat>,
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
        if verb == "open" || verb == "reopen" {
            if verb == "open" {
                self.folder = text;
            }
            self.installation = None;
            self.installation = Some(product.open(&self.folder)?);
            return Ok(None);
        }
        if let Some(installation) = self.installation.as_mut().filter(|_| verb != "set") {
            if verb.starts_with("seat") {
                return Ok(Some(sit(installation, &mut self.seat, verb, &name, &text)?));
            }
            let Some(answer) = tell(installation, verb, &name, &data) else { return Err(bad()) };
            return Ok(answer?);
        }
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

/// One step with a seat: until when it is held then.
fn sit(
    it: &Installation,
    held: &mut Option<Seat>,
    verb: &str,
    holder: &str,
    text: &str,
) -> Result<String, Failure> {
    if verb == "seat" {
        *held = Some(it.seat(holder, text.parse().unwrap_or_default())?);
    }
    let bad = || Failure::Request(format!("not a request: {verb}"));
    let seat = held.as_ref().ok_or_else(bad)?;
    match verb {
        "seat" => {}
        "seat_renew" => seat.renew()?,
        "seat_release" => seat.release()?,
        _ => return Err(bad()),
    }
    Ok(telling::seat(seat.expires()))
}

/// One step of a story; `None` if it is none.
fn tell(
    it: &mut Installation,
    verb: &str,
    name: &str,
    data: &[u8],
) -> Option<licentia::Result<Option<String>>> {
    let text = &*String::from_utf8_lossy(data);
    let done = |result: licentia::Result<()>| Some(result.map(|()| None));
    let at = if text == "now" { None } else { text.parse().ok() };
    let number = text.parse().unwrap_or_default();
    match verb {
        "site" => done(it.set(name, text)),
        "apply" => done(it.apply(data)),
        "apply_older" => done(it.apply_older(data)),
        "first_use" => done(it.first_use(at)),
        "record" => done(it.record(name, number)),
        "record_later" => done(it.record_later(name, number)),
        "record_level" => done(it.record_level(name, number)),
        "record_key" => done(it.record_key(name, text)),
        "remove" => Some(it.remove().map(|had| Some(telling::removed(had)))),
        "sync" => done(it.sync()),
        "call" => done(it.call(name, (!text.is_empty()).then_some(text))),
        "access" => Some(Ok(Some(telling::access(text, word(it.access(text)))))),
        "gate" => {
            let refusal = it.gate(text);
            let said = refusal.as_ref().map(|refusal| (refusal.status, &*refusal.body));
            Some(Ok(Some(telling::gate(text, said))))
        }
        "usage" => Some(it.usage(text).map(|usage| {
            Some(telling::usage(text, usage.used, bounded(usage.limit), usage.resets_at))
        })),
        "status" => Some(it.status(at).map(|json| Some(said("status", &json)))),
        "explain" => Some(it.explain(at).map(|json| Some(said("explain", &json)))),
        "request" => {
            let argument = (!text.is_empty()).then_some(text);
            let told = |code: String| format!("request={name}={}", escape(code.as_bytes()));
            Some(it.request(name, argument).map(|code| Some(told(code))))
        }
        _ => None,
    }
}

fn said(verb: &str, json: &str) -> String {
    format!("{verb}={}", escape(json.as_bytes()))
}

fn word(access: Access) -> &'static str {
    match access {
        Access::Deny => "deny",
        Access::ReadOnly => "read_only",
        Access::Warn => "warn",
        Access::Allow => "allow",
    }
}
