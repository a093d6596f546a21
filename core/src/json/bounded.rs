//! Lists and maps that are cut while they are read: a short text can make a long list.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A list of which at most `MAX` + 1 items are kept: enough to see that there are too many.
#[derive(Clone, Debug, Default)]
pub(crate) struct List<T, const MAX: usize>(pub(crate) Vec<T>);

/// A map of which at most `MAX` + 1 members are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Map<V, const MAX: usize>(pub(crate) BTreeMap<String, V>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(ListVisitor(PhantomData))
    }
}

impl<'de, V: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Map<V, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(MapVisitor(PhantomData))
    }
}

struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
    type Value = List<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() <= MAX {
            match items.next_element()? {
                Some(item) => kept.push(item),
                None => return Ok(List(kept)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(List(kept))
    }
}

struct MapVisitor<V, const MAX: usize>(PhantomData<V>);

impl<'de, V: Deserialize<'de>, const MAX: usize> Visitor<'de> for MapVisitor<V, MAX> {
    type Value = Map<V, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut kept = BTreeMap::new();
        while kept.len() <= MAX {
            match members.next_entry()? {
                Some((name, value)) => kept.insert(name, value),
                None => return Ok(Map(kept)),
            };
        }
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Map(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_the_most_is_kept_and_the_rest_is_still_read() {
        let list = |text| serde_json::from_str::<List<u8, 2>>(text).map(|list| list.0);
        assert_eq!(list("[1,2]").unwrap(), [1, 2]);
        assert_eq!(list("[1,2,3,4,\"x\"]").unwrap(), [1, 2, 3]);
        assert!(list("[1,2,\"x\"]").is_err() && list("{}").is_err() && list("[1,2,3,4,").is_err());
        let map = |text| serde_json::from_str::<Map<u8, 1>>(text).map(|map| map.0.len());
        assert_eq!(map(r#"{"a":1}"#).unwrap(), 1);
        assert_eq!(map(r#"{"a":1,"b":2,"c":[],"d":{}}"#).unwrap(), 2);
        assert!(map(r#"{"a":"x"}"#).is_err() && map("[]").is_err() && map(r#"{"a":1,"#).is_err());
    }
}
