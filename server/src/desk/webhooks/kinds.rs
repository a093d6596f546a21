//! The kinds of events to choose from, in groups.

use super::super::Desk;
use super::super::client::Refusal;
use super::super::session::Visit;
use serde::Deserialize;

/// As the API tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Kind {
    pub kind: String,
    pub when: String,
}

#[derive(Deserialize)]
struct Kinds {
    event_kinds: Vec<Kind>,
}

/// Kinds about the same sort of thing.
#[derive(Clone, Debug)]
pub struct Group {
    /// What they are about.
    pub name: String,
    pub kinds: Vec<Kind>,
}

/// What kinds that begin with a word are about.
const NAMES: [(&str, &str); 10] = [
    ("license", "Licenses"),
    ("activation", "Activations"),
    ("seat", "Seats"),
    ("product", "Products"),
    ("policy", "Policies"),
    ("key_pair", "Key pairs"),
    ("key", "Signing keys"),
    ("api_key", "API keys"),
    ("organization", "Organization"),
    ("webhook", "Webhooks"),
];

/// Every kind, in groups, in the order of the API.
pub async fn groups(desk: &Desk, visit: &Visit) -> Result<Vec<Group>, Refusal> {
    let kinds: Kinds = desk.client.get(visit, "/event-kinds").await?;
    Ok(grouped(kinds.event_kinds))
}

fn grouped(kinds: Vec<Kind>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for kind in kinds {
        let word = kind.kind.split('.').next().unwrap_or_default();
        let known = NAMES.iter().find(|(it, _)| *it == word).map(|(_, name)| *name);
        let name = known.unwrap_or("Server").to_string();
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.kinds.push(kind),
            None => groups.push(Group { name, kinds: vec![kind] }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_one_sort_stand_together() {
        let kind = |kind: &str| Kind { kind: kind.to_string(), when: String::new() };
        let all = ["license.created", "server.x", "license.revoked", "new.kind"].map(kind);
        let groups = grouped(all.to_vec());
        let names: Vec<_> = groups.iter().map(|it| (it.name.as_str(), it.kinds.len())).collect();
        assert_eq!(names, [("Licenses", 2), ("Server", 2)]);
    }
}
