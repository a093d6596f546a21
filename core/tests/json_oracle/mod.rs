//! A second opinion on strict JSON: serde_json reads the grammar, and the rules on top of it
//! are checked on the tree, where the scanner checks them on the bytes.

use std::collections::HashSet;
use std::fmt;

use licentia::json::{DEPTH_MAX, INTEGER_MAX, STRING_MAX, VALUES_MAX};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value that keeps every member, also those of one name.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    Null,
    Bool(bool),
    Integer(i128),
    Float,
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// Whether licentia should take this text.
pub fn allows(text: &[u8], max_bytes: usize) -> bool {
    let tree = serde_json::from_slice::<Tree>(text);
    text.len() <= max_bytes
        && tree.is_ok_and(|tree| {
            matches!(tree, Tree::Object(_)) && sound(&tree, 0) && count(&tree) <= VALUES_MAX
        })
}

fn sound(tree: &Tree, levels_above: usize) -> bool {
    let deep_enough = levels_above < DEPTH_MAX;
    match tree {
        Tree::Null | Tree::Bool(_) => true,
        Tree::Integer(n) => n.unsigned_abs() <= u128::from(INTEGER_MAX),
        Tree::Float => false,
        Tree::Text(text) => fits(text),
        Tree::Array(items) => deep_enough && items.iter().all(|i| sound(i, levels_above + 1)),
        Tree::Object(members) => {
            let names: HashSet<_> = members.iter().map(|(name, _)| name).collect();
            deep_enough
                && names.len() == members.len()
                && members.iter().all(|(name, v)| fits(name) && sound(v, levels_above + 1))
        }
    }
}

fn fits(text: &str) -> bool {
    text.len() <= STRING_MAX && !text.contains('\0')
}

fn count(tree: &Tree) -> usize {
    1 + match tree {
        Tree::Array(items) => items.iter().map(count).sum(),
        Tree::Object(members) => members.iter().map(|(_, value)| 1 + count(value)).sum(),
        _ => 0,
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Integer(value.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Float)
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Tree::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Object(members))
    }
}
