//! The form of a license: what the API is sent, and what a license fills it with.

use super::shapes::{Entitlement, License, Stage, Terms};
use crate::desk::form::Fields;
use crate::error::{Error, Result};
use serde_json::{Map, Value, json};

/// How a feature is measured, and what people call it.
pub const METERS: [(&str, &str); 8] = [
    ("", "on, not measured"),
    ("month", "counted each month"),
    ("day", "counted each day"),
    ("hour", "counted each hour"),
    ("year", "counted each year"),
    ("ever", "counted once for all"),
    ("level", "how many at a time"),
    ("distinct", "how many different, in days"),
];

/// What has stages: the word, and what people call it.
pub const CAUSES: [(&str, &str); 3] = [
    ("ended", "After its end"),
    ("overdue", "Where the server is not reached in time"),
    ("suspended", "While it is suspended"),
];

/// Rows for features that are free.
const FREE: usize = 3;

/// Days of a window where nobody says.
const WINDOW: i64 = 30;

/// A row of the form for one feature, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub id: String,
    pub name: String,
    pub meter: String,
    pub days: String,
    pub max: String,
    pub over: String,
    pub then: String,
}

/// The rows, and some that are free.
pub fn rows(fields: &Fields) -> Vec<Row> {
    let mut rows: Vec<Row> = typed(fields).filter(|row| !row.id.is_empty()).collect();
    rows.resize(rows.len() + FREE, Row::default());
    rows
}

fn typed(fields: &Fields) -> impl Iterator<Item = Row> {
    let all = |name: &'static str| fields.all(name).map(str::to_string).collect::<Vec<_>>();
    let at = |all: &Vec<String>, at: usize| all.get(at).cloned().unwrap_or_default();
    let (ids, names, meters) = (all("f_id"), all("f_name"), all("f_meter"));
    let (days, max, over, then) = (all("f_days"), all("f_max"), all("f_over"), all("f_then"));
    (0..ids.len()).map(move |n| Row {
        id: at(&ids, n),
        name: at(&names, n),
        meter: at(&meters, n),
        days: at(&days, n),
        max: at(&max, n),
        over: at(&over, n),
        then: at(&then, n),
    })
}

impl Row {
    fn json(&self) -> Result<Value> {
        let number = |text: &str, what: &str| match text {
            "" => Ok(None),
            text => text.parse::<i64>().map(Some).map_err(|_| {
                Error::invalid(format!("entitlements: {:.64}: {what} is a whole number", self.id))
            }),
        };
        let mut it = Map::new();
        it.insert("id".into(), self.id.as_str().into());
        let text = |text: &str| (!text.is_empty()).then(|| Value::from(text));
        let (meter, per) = match self.meter.as_str() {
            "" => (None, None),
            word @ ("level" | "distinct") => (Some(word), None),
            per => (Some("count"), Some(per)),
        };
        let window = number(&self.days, "the number of days")?.unwrap_or(WINDOW);
        let members = [
            ("name", text(&self.name)),
            ("meter", meter.map(Value::from)),
            ("per", per.map(Value::from)),
            ("days", (meter == Some("distinct")).then(|| window.into())),
            ("max", number(&self.max, "the limit")?.map(Value::from)),
            ("over", number(&self.over, "what is over the limit")?.map(Value::from)),
            ("then", text(&self.then)),
        ];
        it.extend(members.into_iter().filter_map(|(name, it)| it.map(|it| (name.into(), it))));
        Ok(it.into())
    }

    /// As the form has it.
    pub fn pairs(it: &Entitlement) -> [(&'static str, String); 7] {
        let meter = match it.meter.as_deref() {
            Some("count") => it.per.clone(),
            other => other.map(str::to_string),
        };
        [
            ("f_id", it.id.clone()),
            ("f_name", it.name.clone().unwrap_or_default()),
            ("f_meter", meter.unwrap_or_default()),
            ("f_days", shown(it.days)),
            ("f_max", shown(it.max)),
            ("f_over", shown(it.over)),
            ("f_then", it.then.clone().unwrap_or_default()),
        ]
    }
}

fn shown<T: ToString>(it: Option<T>) -> String {
    it.map(|it| it.to_string()).unwrap_or_default()
}

/// A time as the form has it, in UTC, as RFC 3339. Fails with `invalid_argument` for what is none.
pub fn moment(name: &str, text: &str) -> Result<String> {
    let time = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_string(),
    };
    match licentia::parse_time(&time).filter(|_| time.contains('-')) {
        Some(_) => Ok(time),
        None => Err(Error::invalid(format!("{name} is a time such as 2026-01-31T10:30"))),
    }
}

/// That of a field; `None` where it is empty.
fn time(fields: &Fields, name: &str) -> Result<Option<String>> {
    fields.maybe(name).map(|text| moment(name, text)).transpose()
}

/// The same, the other way.
pub fn local(time: &str) -> String {
    time.trim_end_matches('Z').to_string()
}

/// What the API is sent to make, or to preview, a license: what was filled in, and nothing else.
pub fn new_license(fields: &Fields) -> Result<Value> {
    let mut body = Map::new();
    let names = [
        "product_id",
        "policy_id",
        "license_type",
        "customer_name",
        "customer_email",
        "customer_id",
    ];
    for name in names {
        if let Some(text) = fields.maybe(name) {
            body.insert(name.into(), text.into());
        }
    }
    if let Some(from) = time(fields, "valid_from")? {
        body.insert("valid_from".into(), from.into());
    }
    let (days, until) = (fields.number("valid_days", "Days")?, time(fields, "valid_until")?);
    match (fields.text("valid"), days, until) {
        ("forever", ..) => drop(body.insert("valid_days".into(), 0.into())),
        ("until", _, Some(until)) => drop(body.insert("valid_until".into(), until.into())),
        ("until", ..) => return Err(Error::invalid("valid_until: say until when it is valid")),
        ("days", None, _) => return Err(Error::invalid("valid_days: say for how many days")),
        (_, Some(days), _) => drop(body.insert("valid_days".into(), days.into())),
        _ => {}
    }
    let counts = [("max_seats", "Seats"), ("max_machines", "Machines")];
    for (name, label) in counts {
        if let Some(number) = fields.number(name, label)? {
            body.insert(name.into(), number.into());
        }
    }
    let granted = granted(fields)?;
    if !granted.is_empty() {
        // These, and not those of the product.
        body.insert("features".into(), json!([]));
        body.insert("entitlements".into(), granted.into());
    }
    if let Some(binding) = binding(fields)? {
        body.insert("hardware_binding".into(), binding);
    }
    let mut terms = terms(fields)?;
    terms.retain(|_, value| !value.is_null());
    if !terms.is_empty() {
        body.insert("terms".into(), terms.into());
    }
    Ok(body.into())
}

/// What the API is sent to change a license: all that the form has.
pub fn change(fields: &Fields, before: &License) -> Result<Value> {
    let texts = ["customer_name", "customer_email", "customer_id"];
    let mut body: Map<String, Value> =
        texts.map(|name| (name.to_string(), fields.maybe(name).into())).into_iter().collect();
    let until = time(fields, "valid_until")?;
    if until != before.valid_until {
        body.insert("valid_until".into(), until.into());
    }
    let kind = fields.text("license_type");
    if kind != before.license_type && !kind.is_empty() {
        body.insert("license_type".into(), kind.into());
    }
    let seats = fields.number("max_seats", "Seats")?.filter(|seats| *seats != before.max_seats);
    let machines = fields.number("max_machines", "Machines")?;
    if let Some(seats) = seats {
        body.insert("max_seats".into(), seats.into());
    }
    // Where nobody said how many, they would follow the seats: they are as many as the form says.
    if seats.is_some() || machines != Some(before.max_machines) {
        body.insert("max_machines".into(), machines.into());
    }
    body.insert("entitlements".into(), granted(fields)?.into());
    if fields.is_on("unbind") {
        body.insert("hardware_binding".into(), Value::Null);
    }
    let mut terms = terms(fields)?;
    // A rule that says more than the form does is left alone.
    if before.terms.bind.as_ref().map_or("", |rule| rule.to.as_str()) == fields.text("bind") {
        terms.remove("bind");
    }
    body.insert("terms".into(), terms.into());
    Ok(body.into())
}

/// Every feature that has an id.
pub fn granted(fields: &Fields) -> Result<Vec<Value>> {
    let rows = typed(fields).filter(|row| !row.id.is_empty());
    rows.map(|row| row.json()).collect()
}

/// What it is bound to from the beginning; `None` = to nothing.
fn binding(fields: &Fields) -> Result<Option<Value>> {
    let mut binding = Map::new();
    for name in ["fingerprint", "installation", "instance"] {
        if let Some(text) = fields.maybe(name) {
            binding.insert(name.into(), text.into());
        }
    }
    if let Some(report) = fields.maybe("report") {
        let wrong = || {
            Error::invalid(
                "hardware_binding: the report is what `licentia fingerprint --json` prints",
            )
        };
        let report: Value = serde_json::from_str(report).map_err(|_| wrong())?;
        let parts = report.get("components").and_then(Value::as_array).ok_or_else(wrong)?;
        let binds = |part: &&Value| part.get("binds") != Some(&Value::Bool(false));
        let part = |part: &Value| match (part.get("kind"), part.get("hash")) {
            (Some(kind), Some(Value::String(hash))) => Some(json!({ "kind": kind, "hash": hash })),
            _ => None,
        };
        let parts: Vec<Value> = parts.iter().filter(binds).filter_map(part).collect();
        binding.insert("components".into(), parts.into());
    }
    Ok((!binding.is_empty()).then(|| binding.into()))
}

/// Every term that the form has; null = it says nothing.
pub fn terms(fields: &Fields) -> Result<Map<String, Value>> {
    let mut terms = Map::new();
    for name in ["tier", "description"] {
        terms.insert(name.into(), fields.maybe(name).into());
    }
    terms.insert("support_until".into(), time(fields, "support_until")?.into());
    let numbers = [
        ("refresh_days", "Refresh days"),
        ("token_days", "File days"),
        ("sync_days", "Contact days"),
        ("borrow_days", "Borrow days"),
        ("seat_seconds", "Seat seconds"),
        ("max_transfers", "Transfers"),
    ];
    for (name, label) in numbers {
        terms.insert(name.into(), fields.number(name, label)?.into());
    }
    let some = |members: Map<String, Value>| match members.is_empty() {
        true => Value::Null,
        false => members.into(),
    };
    let mut notice = Map::new();
    for (name, field) in [("license", "notice_license"), ("token", "notice_token")] {
        if let Some(days) = fields.number(field, "Notice days")? {
            notice.insert(name.into(), days.into());
        }
    }
    terms.insert("notice".into(), some(notice));
    let mut stages = Map::new();
    for (cause, _) in CAUSES {
        if let Some(stage) = stage(fields, cause)? {
            stages.insert(cause.into(), stage);
        }
    }
    terms.insert("stages".into(), some(stages));
    terms.insert("bind".into(), fields.maybe("bind").map(|to| json!({ "to": to })).into());
    terms.insert("metadata".into(), some(metadata(fields.text("metadata"))?));
    Ok(terms)
}

/// A cause without stages denies at once; one with none of them never stops anything.
fn stage(fields: &Fields, cause: &str) -> Result<Option<Value>> {
    let mut stage = Map::new();
    for mode in ["warn", "read_only", "deny"] {
        let name = format!("{cause}_{mode}");
        if let Some(days) = fields.number(&name, "Days")? {
            stage.insert(mode.into(), days.into());
        }
    }
    let says = !stage.is_empty() || fields.text(&format!("{cause}_then")) == "never";
    Ok(says.then(|| stage.into()))
}

/// Lines such as `plan = gold`. A number, true and false are that; in quotes they are texts.
fn metadata(text: &str) -> Result<Map<String, Value>> {
    let mut all = Map::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once('=').ok_or_else(|| {
            Error::invalid("terms.metadata: write a line for each, such as: plan = gold")
        })?;
        let value = value.trim();
        let value = match serde_json::from_str::<Value>(value) {
            Ok(read @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => read,
            _ => value.into(),
        };
        all.insert(name.trim().into(), value);
    }
    Ok(all)
}

/// What was noted, a line for each.
pub fn lines(metadata: &Map<String, Value>) -> String {
    let line = |(name, value): (&String, &Value)| match value {
        Value::String(text) if is_plain(text) => format!("{name} = {text}"),
        other => format!("{name} = {other}"),
    };
    metadata.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Whether a text is read as itself.
fn is_plain(text: &str) -> bool {
    let bare = text.trim() == text && !text.chars().any(char::is_control) && !text.is_empty();
    bare && serde_json::from_str::<Value>(text).is_err()
}

/// The form of a license as it is.
pub fn of(it: &License) -> Fields {
    let terms = &it.terms;
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let mut pairs = vec![
        ("license_type", it.license_type.clone()),
        ("customer_name", text(&it.customer_name)),
        ("customer_email", text(&it.customer_email)),
        ("customer_id", text(&it.customer_id)),
        ("valid_until", local(it.valid_until.as_deref().unwrap_or_default())),
        ("max_seats", it.max_seats.to_string()),
        ("max_machines", it.max_machines.to_string()),
        ("tier", text(&terms.tier)),
        ("description", text(&terms.description)),
        ("support_until", local(terms.support_until.as_deref().unwrap_or_default())),
        ("bind", terms.bind.as_ref().map(|rule| rule.to.clone()).unwrap_or_default()),
        ("metadata", lines(&terms.metadata)),
    ];
    pairs.extend(numbers(terms));
    pairs.extend(it.entitlements.iter().flat_map(Row::pairs));
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    let stages = &terms.stages;
    for (cause, stage) in
        [("ended", stages.ended), ("overdue", stages.overdue), ("suspended", stages.suspended)]
    {
        for (mode, days) in of_stage(stage) {
            form.append_pair(&format!("{cause}_{mode}"), &days);
        }
    }
    Fields::read(form.finish().as_bytes())
}

/// The numbers of terms, as the form has them.
pub fn numbers(terms: &Terms) -> [(&'static str, String); 8] {
    [
        ("refresh_days", shown(terms.refresh_days)),
        ("token_days", shown(terms.token_days)),
        ("sync_days", shown(terms.sync_days)),
        ("borrow_days", shown(terms.borrow_days)),
        ("seat_seconds", shown(terms.seat_seconds)),
        ("max_transfers", shown(terms.max_transfers)),
        ("notice_license", shown(terms.notice.license)),
        ("notice_token", shown(terms.notice.token)),
    ]
}

/// The fields of a stage, without its cause.
pub fn of_stage(stage: Option<Stage>) -> Vec<(&'static str, String)> {
    let Some(stage) = stage else { return Vec::new() };
    let then = if stage.read_only.or(stage.deny).is_none() { "never" } else { "" };
    vec![
        ("then", then.to_string()),
        ("warn", shown(stage.warn)),
        ("read_only", shown(stage.read_only)),
        ("deny", shown(stage.deny)),
    ]
}

/// The field that a sentence of the API is about, where it begins with its name.
pub fn about(detail: &str) -> &'static str {
    const KNOWN: [(&str, &str); 31] = [
        ("product", "product_id"),
        ("The product has no", "product_id"),
        ("There is no product", "product_id"),
        ("policy_id", "policy_id"),
        ("customer_name", "customer_name"),
        ("customer_email", "customer_email"),
        ("customer_id", "customer_id"),
        ("A perpetual", "license_type"),
        ("A trial", "license_type"),
        ("valid_until", "valid_until"),
        ("valid_from", "valid_from"),
        ("support_until", "support_until"),
        ("valid_days", "valid_days"),
        ("Days", "valid_days"),
        ("The end", "valid_days"),
        ("max_seats", "max_seats"),
        ("Seats", "max_seats"),
        ("max_machines", "max_machines"),
        ("Machines", "max_machines"),
        ("entitlements", "features"),
        ("features", "features"),
        ("hardware_binding", "fingerprint"),
        ("terms.stages.ended", "ended_read_only"),
        ("The days of terms.stages.ended", "ended_read_only"),
        ("The days of terms.stages.overdue", "overdue_read_only"),
        ("The days of terms.stages.suspended", "suspended_read_only"),
        ("terms.token_days", "token_days"),
        ("terms.sync_days", "sync_days"),
        ("terms.refresh_days", "refresh_days"),
        ("terms.metadata", "metadata"),
        ("terms", "tier"),
    ];
    KNOWN.iter().find(|(start, _)| detail.starts_with(start)).map_or("", |(_, field)| field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn license() -> License {
        let json = json!({
            "product_id": "p", "product_name": "P", "product_code": "p",
            "license_type": "subscription", "status": "active", "max_seats": 2, "max_machines": 3,
            "valid_from": "2026-01-15T10:30:00Z", "valid_until": "2027-01-15T10:30:05Z",
            "customer_name": "A & B = <C>", "customer_email": "a@b.example",
            "entitlements": [
                { "id": "pro" },
                { "id": "exports", "meter": "count", "per": "month", "max": 0, "over": 10 },
                { "id": "hosts", "meter": "distinct", "days": 7, "then": "count", "max": 4 },
            ],
            "terms": {
                "tier": "Gold", "sync_days": 14, "support_until": "2026-06-01T00:00:00Z",
                "stages": { "ended": { "warn": 1, "deny": 30 }, "suspended": {} },
                "notice": { "license": 30 }, "bind": { "to": "machine", "need": 2 },
                "metadata": { "a": true, "b": 5, "c": "5", "d": "x = y", "e": " z", "f": "" },
            },
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_form_that_nobody_touched_says_what_the_license_said() {
        let it = license();
        let body = change(&of(&it), &it).unwrap();
        assert_eq!(body.get("valid_until"), None);
        let granted = json!([
            { "id": "pro" },
            { "id": "exports", "meter": "count", "per": "month", "max": 0, "over": 10 },
            { "id": "hosts", "meter": "distinct", "days": 7, "then": "count", "max": 4 },
        ]);
        assert_eq!(body.get("entitlements"), Some(&granted));
        assert_eq!(body.get("customer_name"), Some(&json!("A & B = <C>")));
        let terms = body.get("terms").unwrap();
        let stages = json!({ "ended": { "warn": 1, "deny": 30 }, "suspended": {} });
        assert_eq!(terms.get("stages"), Some(&stages));
        let metadata = json!({ "a": true, "b": 5, "c": "5", "d": "x = y", "e": " z", "f": "" });
        assert_eq!(terms.get("metadata"), Some(&metadata));
        assert_eq!(terms.get("notice"), Some(&json!({ "license": 30 })));
        assert_eq!((terms.get("bind"), terms.get("refresh_days")), (None, Some(&Value::Null)));
    }

    #[test]
    fn what_is_empty_is_left_to_the_policy() {
        let fields = Fields::read(b"product_id=p&f_id=&f_id=&customer_name=+&tier=&valid=");
        assert_eq!(new_license(&fields).unwrap(), json!({ "product_id": "p" }));
        let fields = Fields::read(b"valid=forever&valid_days=3&ended_then=never&metadata=a");
        assert!(new_license(&fields).is_err());
        let fields = Fields::read(b"valid=until&valid_until=2027-01-02&ended_then=never");
        let body = new_license(&fields).unwrap();
        let wanted = json!({
            "valid_until": "2027-01-02T00:00:00Z", "terms": { "stages": { "ended": {} } },
        });
        assert_eq!(body, wanted);
    }
}
