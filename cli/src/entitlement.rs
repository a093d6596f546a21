//! The small language of `--entitlement`.

use crate::args::digits;
use licentia::{Feature, is_feature_id};

/// What `--help` says about it.
pub const HELP: &str = "\
A feature with a limit; repeatable: NAME=LIMIT[/PER][+OVER%][,count]

  users=15              at most 15 at a time
  requests=900/month    at most 900 a month; also /hour, /day, /year and /ever
  leases=5000/30d       at most 5000 different ones in 30 days
  hosts=unlimited       measured, without a limit
  requests=900/month+10%        work stops 10 % over the limit
  requests=900/month+10%,count  past that, what is used is still counted";

/// What is wrong with most of what is wrong.
const GRAMMAR: &str = "it is written NAME=LIMIT, as in requests=900/month+10%,count";

/// A feature that is on and not measured.
pub fn feature(text: &str) -> Result<Feature, String> {
    if text.contains('=') {
        return Err("a feature with a limit is an --entitlement".into());
    }
    id(text).map(Feature::new)
}

/// A feature with a meter.
pub fn entitlement(text: &str) -> Result<Feature, String> {
    let (name, rest) = text.split_once('=').ok_or(GRAMMAR)?;
    let mut feature = Feature::new(id(name)?);
    let (rest, then) = match rest.split_once(',') {
        Some((rest, "count")) => (rest, Some("count".to_string())),
        Some((rest, "stop")) => (rest, Some("stop".to_string())),
        Some(_) => return Err("after the comma comes count or stop".into()),
        None => (rest, None),
    };
    let (rest, over) = match rest.split_once('+') {
        Some((rest, over)) => (rest, Some(percent(over)?)),
        None => (rest, None),
    };
    let (limit, window) = match rest.split_once('/') {
        Some((limit, window)) => (limit, Some(window)),
        None => (rest, None),
    };
    feature.max = match limit {
        "unlimited" => None,
        number => Some(digits(number).ok_or("a limit is a whole number or unlimited")?),
    };
    if feature.max.is_none() && (over.is_some() || then.is_some()) {
        return Err("what is unlimited has nothing to go over".into());
    }
    feature.over = over;
    feature.then = then;
    measure(&mut feature, window)?;
    Ok(feature)
}

/// Which meter, and over what.
fn measure(feature: &mut Feature, window: Option<&str>) -> Result<(), String> {
    let meter = match window {
        None => "level",
        Some(per @ ("hour" | "day" | "month" | "year" | "ever")) => {
            feature.per = Some(per.to_string());
            "count"
        }
        Some(days) => {
            let number = days.strip_suffix('d').and_then(digits);
            let number = number.and_then(|days| u32::try_from(days).ok());
            let good = number.filter(|days| (1..=366).contains(days));
            feature.days =
                Some(good.ok_or("after / comes hour, day, month, year, ever or 1d to 366d")?);
            "distinct"
        }
    };
    feature.meter = Some(meter.to_string());
    Ok(())
}

fn id(text: &str) -> Result<String, String> {
    if is_feature_id(text) {
        Ok(text.to_string())
    } else {
        Err("a feature's id is of a-z, 0-9, _, ., : and -, at most 64".into())
    }
}

fn percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').and_then(digits);
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.filter(|over| *over <= 1000).ok_or_else(|| "after + comes 0% to 1000%".into())
}

/// A feature's meter and limit in words.
pub fn words(feature: &Feature) -> String {
    let Some(meter) = feature.meter.as_deref() else { return "not measured".into() };
    if !feature.is_known() {
        return "measured in a way that this version does not know".into();
    }
    let limit = feature.max.map_or("no limit".to_string(), |max| max.to_string());
    let mut text = match (meter, feature.per.as_deref(), feature.days) {
        ("count", Some("ever"), _) => format!("{limit} in all"),
        ("count", Some(per), _) => format!("{limit} per {per}"),
        ("distinct", _, Some(days)) => format!("{limit} different ones in {days} days"),
        _ => format!("{limit} at a time"),
    };
    if let Some(over) = feature.over.filter(|over| *over > 0) {
        text += &format!(", {over} % over allowed");
    }
    if feature.then.as_deref() == Some("count") {
        text += ", and counted past that";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_meant() {
        for (text, json, said) in [
            ("users=15", r#"{"id":"users","meter":"level","max":15}"#, "15 at a time"),
            ("a=0", r#"{"id":"a","meter":"level","max":0}"#, "0 at a time"),
            ("a=unlimited", r#"{"id":"a","meter":"level"}"#, "no limit at a time"),
            (
                "r=900/month+10%,count",
                r#"{"id":"r","meter":"count","per":"month","max":900,"over":10,"then":"count"}"#,
                "900 per month, 10 % over allowed, and counted past that",
            ),
            ("r=unlimited/day", r#"{"id":"r","meter":"count","per":"day"}"#, "no limit per day"),
            ("r=7/ever", r#"{"id":"r","meter":"count","per":"ever","max":7}"#, "7 in all"),
            (
                "l=5000/30d,stop",
                r#"{"id":"l","meter":"distinct","days":30,"max":5000,"then":"stop"}"#,
                "5000 different ones in 30 days",
            ),
        ] {
            let feature = entitlement(text).unwrap();
            assert_eq!(serde_json::to_string(&feature).unwrap(), json, "{text}");
            assert_eq!(words(&feature), said, "{text}");
        }
    }

    #[test]
    fn what_is_not_meant_is_refused() {
        for bad in [
            "users",
            "users=",
            "=5",
            "Users=5",
            "users=-1",
            "users=+5",
            "users=1.5",
            "users=1e3",
            "users=5 ",
            "users=9007199254740992",
            "users=99999999999999999999",
            "r=5/week",
            "r=5/",
            "r=5/0d",
            "r=5/367d",
            "r=5/30",
            "r=5/d",
            "r=5+10",
            "r=5+1001%",
            "r=5+%",
            "r=5,more",
            "r=5,",
            "r=5,count,count",
            "r=5,count+10%",
            "r=unlimited+10%",
            "r=unlimited,count",
            "r=/month",
            "r=5/month/day",
            "r=Unlimited",
        ] {
            assert!(entitlement(bad).is_err(), "{bad}");
        }
        for bad in ["users=5", "Pro", "", "-", "a b", "ä"] {
            assert!(feature(bad).is_err(), "{bad}");
        }
    }
}
