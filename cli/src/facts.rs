//! What a license says, for people and for programs.

use crate::entitlement::words;
use crate::output::{BAD, Fields, GOOD, rows, show};
use licentia::machine::Comparison;
use licentia::{Binding, Claims, License, Product, bounded, rfc3339};
use serde_json::{Map, Value, json};

const DAY: i64 = 86_400;

/// The members of the JSON object that tell about a license.
pub fn fields(product: &Product, license: &License, now: i64) -> Fields {
    let machine = compare(product, license).and_then(|found| serde_json::to_value(found).ok());
    let claims = license.claims();
    let now = now.max(claims.iat);
    Fields::default()
        .with("serial", license.serial())
        .with("customer", license.customer())
        .with("valid_from", claims.license.valid_from)
        .with("valid_until", claims.license.valid_until)
        .with("works_until", license.works_until())
        .with("now", now)
        .with("days_left", claims.license.valid_until.map(|until| (until - now).div_euclid(DAY)))
        .with("machine", machine)
        .with("allows", allows(license))
        .with("license", serde_json::from_str::<Value>(license.json()).unwrap_or_default())
}

/// For each feature of the license whether it is allowed at this moment, and its limit.
fn allows(license: &License) -> Value {
    let features = license.claims().license.features.iter();
    let entry = |id: &str| {
        let (allowed, limit) = (license.allows(id), license.limit(id));
        json!({ "allowed": allowed, "limit": bounded(limit) })
    };
    features.map(|feature| (feature.id.clone(), entry(&feature.id))).collect::<Map<_, _>>().into()
}

/// How the machine that the product sees compares with the one that a license is bound to.
pub fn compare(product: &Product, license: &License) -> Option<Comparison> {
    let binding = license.claims().license.binding.as_ref()?.machine.as_ref()?;
    binding.check_version().ok()?;
    Some(binding.compare(&product.machine().ok()?))
}

/// The same for people.
pub fn text(product: &Product, license: &License, now: i64) -> String {
    let claims = license.claims();
    let now = now.max(claims.iat);
    let mut lines = who(claims);
    lines.extend(when(license, now));
    if let Some(binding) = &claims.license.binding {
        lines.push(("Bound to", bound(binding)));
        let found =
            compare(product, license).map(|found| ("This machine", show(&found.to_string())));
        lines.extend(found);
    }
    lines.push(("Signed", rfc3339(claims.iat)));
    rows(&lines) + &features(license)
}

fn who(claims: &Claims) -> Vec<(&'static str, String)> {
    let license = &claims.license;
    let customer = license.customer.as_ref();
    let kind = [Some(&license.kind), license.tier.as_ref()];
    let counts = [("seat", license.seats), ("machine", license.machines)];
    let counts: Vec<String> =
        counts.iter().filter_map(|(of, n)| n.map(|n| plural(n, of))).collect();
    let told = [
        ("License", license.serial.as_ref().or(Some(&license.id)).cloned()),
        ("Id", license.serial.is_some().then(|| license.id.clone())),
        ("Product", Some(claims.aud.clone())),
        ("Customer", customer.and_then(|who| who.name.clone())),
        ("Email", customer.and_then(|who| who.email.clone())),
        ("Customer id", claims.sub.clone()),
        ("Type", Some(kind.into_iter().flatten().cloned().collect::<Vec<_>>().join(", "))),
        ("About", license.description.clone()),
        ("For", (!counts.is_empty()).then(|| counts.join(", "))),
        ("Issued by", Some(claims.iss.clone())),
    ];
    told.into_iter().filter_map(|(label, text)| Some((label, show(&text?)))).collect()
}

fn when(license: &License, now: i64) -> Vec<(&'static str, String)> {
    let claims = license.claims();
    let details = &claims.license;
    let mut lines = vec![("Begins", rfc3339(details.valid_from))];
    match details.valid_until {
        None => lines.push(("Ends", "never".to_string())),
        Some(until) => {
            lines.push(("Ends", format!("{} ({})", rfc3339(until), distance(until, now))))
        }
    }
    if let Some(exp) = claims.exp {
        lines.push(("Renew by", format!("{} ({})", rfc3339(exp), distance(exp, now))));
    }
    match license.works_until() {
        Some(until) if Some(until) != details.valid_until => {
            lines.push(("Works until", format!("{} ({})", rfc3339(until), distance(until, now))));
        }
        None if details.valid_until.is_some() => {
            lines.push(("Works until", "for ever, with a warning after its end".to_string()));
        }
        _ => {}
    }
    if let Some(until) = details.support_until {
        lines.push(("Support", format!("until {} ({})", rfc3339(until), distance(until, now))));
    }
    lines
}

/// How far a time is, in whole days.
fn distance(then: i64, now: i64) -> String {
    let days = (then - now) / DAY;
    match days {
        0 if then > now => "less than a day left".to_string(),
        0 => "less than a day ago".to_string(),
        1.. => format!("{} left", plural(days.unsigned_abs(), "day")),
        _ => format!("{} ago", plural(days.unsigned_abs(), "day")),
    }
}

fn plural(count: u64, of: &str) -> String {
    if count == 1 { format!("1 {of}") } else { format!("{count} {of}s") }
}

fn bound(binding: &Binding) -> String {
    let mut places = Vec::new();
    if let Some(machine) = &binding.machine {
        let kinds: Vec<&str> = machine.parts().keys().map(String::as_str).collect();
        let (need, all) = (machine.need(), kinds.len());
        places.push(format!("a machine, {need} of {all} parts: {}", kinds.join(", ")));
    }
    places.extend(binding.installation.iter().map(|id| format!("the installation {id}")));
    places.extend(binding.instance.iter().map(|url| format!("the instance {url}")));
    show(&places.join("; "))
}

fn features(license: &License) -> String {
    let features = &license.claims().license.features;
    if features.is_empty() {
        return "\n  It lists no features.\n".to_string();
    }
    let width = features.iter().map(|feature| feature.id.len()).max().unwrap_or(0).max(8);
    let mut text = format!("\n  {:<width$}  now      limit\n", "feature");
    for feature in features {
        let (style, word) =
            if license.allows(&feature.id) { (GOOD, "allowed") } else { (BAD, "no     ") };
        let name = feature.name.as_ref().map(|name| format!(" ({})", show(name)));
        text += &format!(
            "  {:<width$}  {style}{word}{style:#}  {}{}\n",
            feature.id,
            words(feature),
            name.unwrap_or_default()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_whole_days() {
        for (then, told) in [
            (2 * DAY, "2 days left"),
            (2 * DAY - 1, "1 day left"),
            (DAY - 1, "less than a day left"),
            (1, "less than a day left"),
            (0, "less than a day ago"),
            (-DAY, "1 day ago"),
            (-3 * DAY, "3 days ago"),
        ] {
            assert_eq!(distance(then, 0), told);
        }
    }
}
