//! Members of a body: whether they were given, and whether what they say can be.

use crate::error::{Error, Result};
use licentia::is_feature_id;
use licentia::json::Object;
use licentia::limits::FEATURES_MAX;
use serde::{Deserialize, Deserializer};
use std::collections::HashSet;
use utoipa::ToSchema;

/// Nothing: the request has no members.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A member that may be left out and not be null: with `#[serde(default)]`.
pub fn some<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(from).map(Some)
}

/// A member that may be left out, and null to clear it: with `#[serde(default)]`.
pub fn maybe<'de, T, D>(from: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(from).map(Some)
}

/// A member that may be left out or null, and otherwise is an object: a struct alone also takes an
/// array, by position.
pub fn object<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<Object<T>>::deserialize(from).map(|it| it.map(|it| it.0))
}

/// The same, that may be null to clear it.
pub fn maybe_object<'de, T, D>(from: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    object(from).map(Some)
}

/// A member that may be left out or null, and otherwise is a list of objects.
pub fn objects<'de, T, D>(from: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let list = Option::<Vec<Object<T>>>::deserialize(from)?;
    Ok(list.map(|list| list.into_iter().map(|it| it.0).collect()))
}

/// The same, that may not be null.
pub fn some_objects<'de, T, D>(from: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let list = Vec::<Object<T>>::deserialize(from)?;
    Ok(Some(list.into_iter().map(|it| it.0).collect()))
}

/// Fails with `invalid_argument` unless a text has 1 to `max` characters on one line: names go to
/// headers, mails and lists.
pub fn line(name: &str, text: &str, max: usize) -> Result<()> {
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{name} is one line, without control characters")));
    }
    if text.trim().is_empty() || text.chars().count() > max {
        return Err(Error::invalid(format!("{name} has 1 to {max} characters")));
    }
    Ok(())
}

/// The same, of a member that may be left out.
pub fn maybe_line(name: &str, text: Option<&str>, max: usize) -> Result<()> {
    text.map_or(Ok(()), |text| line(name, text, max))
}

/// Fails with `invalid_argument` for a text of more than `max` characters. It may have lines.
pub fn lines(name: &str, text: Option<&str>, max: usize) -> Result<()> {
    match text.is_some_and(|text| text.chars().count() > max) {
        true => Err(Error::invalid(format!("{name} has at most {max} characters"))),
        false => Ok(()),
    }
}

/// Fails with `invalid_argument` for a number that is not within.
pub fn within(name: &str, number: Option<i64>, least: i64, most: i64) -> Result<()> {
    match number {
        Some(number) if !(least..=most).contains(&number) => {
            Err(Error::invalid(format!("{name} is a whole number from {least} to {most}")))
        }
        _ => Ok(()),
    }
}

/// Fails with `invalid_argument` unless these can be the ids of a license's features.
pub fn feature_ids<'a>(name: &str, ids: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashSet::new();
    for id in ids {
        if !is_feature_id(id) {
            return Err(Error::invalid(format!(
                "{name}: {id:.64} is no feature: it has 1 to 64 of a-z, 0-9, _ . : and -, and \
                 begins with a letter or a digit"
            )));
        }
        if !seen.insert(id) {
            return Err(Error::invalid(format!("{name}: {id} is there twice")));
        }
        if seen.len() > FEATURES_MAX {
            return Err(Error::invalid(format!("{name} has at most {FEATURES_MAX} features")));
        }
    }
    Ok(())
}
