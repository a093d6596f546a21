//! Every route, with what is one's own, another organization's and nobody's, by every kind of
//! caller: another organization's is told exactly as nobody's, and a key does what it is for.

mod injection;
mod kit;
mod noted;
mod routes;

use crate::support::client::{Answer, Client};
use crate::support::{BEGIN, Site};
pub use kit::Kit;
use kit::known;
use licentia_server::store::rows;
use routes::Route;
use serde_json::Value;

/// Asks for a route with what a kit has.
fn ask(client: &Client, route: &Route, kit: &Kit, query: Option<(&str, &str)>) -> Answer {
    let mut path = route.path.clone();
    while let Some((before, rest)) = path.clone().split_once('{') {
        let (parameter, after) = rest.split_once('}').unwrap();
        path = format!("{before}{}{after}", kit.get(routes::what(&route.path, parameter)));
    }
    if let Some((name, value)) = query {
        path += &format!("?{name}={value}");
    }
    // The same id of a request, so that answers can be compared as they are.
    let client = client.with("X-Request-Id", "the-same");
    if let Some((kind, text)) = routes::plain(route, kit) {
        return client.with("Content-Type", kind).raw(&route.method, &path, text.as_bytes());
    }
    let body = routes::body(route).map(|body| kit.fill(&body));
    client.ask(&route.method, &path, body.as_ref())
}

/// An answer without what it repeats of the question, and without the date.
fn shape(answer: &Answer, asked: &str) -> (u16, Vec<(String, String)>, String) {
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| !["date", "content-length", "etag"].contains(&name.as_str()));
    (answer.status, headers, answer.text().replace(asked, "WHAT WAS ASKED"))
}

/// What a kit has that a route is asked with: from its path, its body and its query.
fn slots(route: &Route) -> Vec<&'static str> {
    let parameters = route.path.split('{').skip(1).map(|it| it.split('}').next().unwrap());
    let mut slots: Vec<&'static str> =
        parameters.map(|parameter| routes::what(&route.path, parameter)).collect();
    let body = routes::body(route).unwrap_or_default();
    slots.extend(routes::names(&body).iter().map(|name| known(name)));
    slots
}

/// All rows of an organization, as text.
fn rows_of(site: &Site, organization: &str) -> Vec<String> {
    site.wait(async {
        let mut found = Vec::new();
        let moment = site.server.store.snapshot().await.unwrap();
        for table in rows::tables().unwrap() {
            let mut after = None;
            loop {
                let page = table.page(&moment, after.as_ref()).await.unwrap();
                let texts = page
                    .iter()
                    .map(|row| format!("{} {}", table.name(), Value::from(table.to_json(row))));
                found.extend(texts.filter(|row| row.contains(organization)));
                if page.len() < table.at_once() {
                    break;
                }
                after = page.into_iter().last();
            }
        }
        moment.rollback().await.unwrap();
        found
    })
}

/// Ids that are none, or none that anybody has.
const STRANGE: &[&str] = &["x", "%ff", "00000000-0000-0000-0000-000000000000", "%27%20OR%201=1"];

/// What is no id: it says by itself who signed it, or each organization counts its own.
const DOCUMENTS: &[&str] = &["blob", "entry", "first_request", "request"];

/// Routes that anybody may ask, because what they give is signed and for everybody.
const OPEN: &[&str] =
    &["GET /api/v1/products/{id}/key-set", "GET /api/v1/products/{id}/revocations"];

both! {
    fn what_is_another_organizations_is_told_as_what_is_nobodys(site: &Site) {
        let (theirs, key) = site.organization("Other");
        let them = site.nobody().with_key(&key);
        let foreign = Kit::new(site, theirs, &them, "theirs");
        let unknown = Kit::unknown();
        let before = rows_of(site, &theirs.to_string());
        assert!(before.len() > 10, "{before:?}");
        let own = Kit::new(site, site.organization, &site.admin(), "ours");
        let mut compared = 0;
        for route in routes::all() {
            for slot in slots(&route) {
                if OPEN.contains(&route.name().as_str()) || DOCUMENTS.contains(&slot) {
                    continue;
                }
                let admin = site.admin();
                let told = ask(&admin, &route, &own.with(slot, &foreign), None);
                let nobodys = ask(&admin, &route, &own.with(slot, &unknown), None);
                let name = format!("{} with another's {slot}", route.name());
                let wanted = shape(&nobodys, &unknown.get(slot));
                assert_eq!(shape(&told, &foreign.get(slot)), wanted, "{name}");
                let in_path = route.path.contains('{') && !body_has(&route, slot);
                if in_path && slot != "organization" {
                    assert_eq!(told.status, 404, "{name}: {}", told.text());
                    for strange in STRANGE {
                        let told = ask(&admin, &route, &own.with_id(slot, strange), None);
                        assert_eq!(told.status, 404, "{name}: {strange}: {}", told.text());
                        // Where there are two ids, it may be told that the first is none.
                        if route.path.matches('{').count() == 1 {
                            assert_eq!(shape(&told, strange), wanted, "{name}: {strange}");
                        }
                    }
                }
                compared += 1;
            }
            for query in &route.queries {
                let name = known(query.trim_end_matches("_id"));
                let (id, none) = (foreign.get(name), unknown.get(name));
                let admin = site.admin();
                let told = ask(&admin, &route, &own, Some((query.as_str(), id.as_str())));
                let nobodys = ask(&admin, &route, &own, Some((query.as_str(), none.as_str())));
                assert_eq!(shape(&told, &id), shape(&nobodys, &none), "{}", route.name());
                compared += 1;
            }
        }
        assert!(compared > 45, "only {compared} were compared");
        assert_eq!(rows_of(site, &theirs.to_string()), before, "what is theirs has changed");
    }

    fn nothing_of_another_organization_is_in_a_list(site: &Site) {
        let (theirs, key) = site.organization("Other");
        let them = site.nobody().with_key(&key);
        let foreign = Kit::new(site, theirs, &them, "theirs");
        let own = Kit::new(site, site.organization, &site.admin(), "ours");
        let mut lists = 0;
        for route in routes::all() {
            let asked = route.method == "GET" && route.scopes.is_some();
            if !asked || route.path.contains("organizations") {
                continue;
            }
            let ours = ask(&site.admin(), &route, &own, None);
            assert_eq!(ours.status, 200, "{}: {}", route.name(), ours.text());
            for name in ["product", "license", "activation", "seat", "key_pair", "api_key"] {
                let text = ours.text();
                assert!(!text.contains(&foreign.get(name)), "{}: their {name}", route.name());
            }
            lists += 1;
        }
        assert!(lists > 15, "only {lists} lists");
    }

    /// Without this, what is refused to everybody would look well kept.
    fn what_is_ones_own_is_reached_by_every_route(site: &Site) {
        let admin = site.caller("admin operator");
        for (at, route) in routes::all().iter().enumerate() {
            let kit = Kit::new(site, site.organization, &site.admin(), &format!("own{at}"));
            let told = ask(&admin, route, &kit, None);
            let good = (200..300).contains(&told.status);
            // What is in use stays.
            let kept = told.status == 409 && route.method == "DELETE";
            assert!(good || kept, "{}: {} {}", route.name(), told.status, told.text());
        }
    }

    fn a_key_does_what_its_scopes_say_and_nothing_else(site: &Site) {
        let own = Kit::new(site, site.organization, &site.admin(), "ours");
        let unknown = Kit::unknown();
        let gone = site.api_key_until(site.organization, "admin", Some(BEGIN));
        let revoked = revoked(site);
        let nobodys = ["lic_test_nobody", &gone, &revoked];
        let scopes = ["read", "issue", "revoke", "sync", "catalog", "admin", "operator"];
        let callers = scopes.map(|scope| (scope, site.caller(scope)));
        let mut asked = 0;
        for route in routes::all() {
            let Some(needed) = &route.scopes else { continue };
            let name = route.name();
            let stranger = ask(&site.nobody(), &route, &own, None);
            assert_eq!(stranger.status, 401, "{name}: {}", stranger.text());
            let mut told: Vec<_> = nobodys
                .iter()
                .map(|key| shape(&ask(&site.nobody().with_key(key), &route, &own, None), ""))
                .collect();
            told.dedup();
            assert_eq!((told.len(), told[0].0), (1, 401), "{name}: {told:?}");
            for (scope, client) in &callers {
                let may = needed.iter().any(|it| it == scope)
                    || (*scope == "admin" && needed.iter().any(|it| it != "operator"));
                let answer = ask(client, &route, &unknown, None);
                let refused = answer.status == 403;
                let what = format!("{name} with {scope}: {} {}", answer.status, answer.text());
                assert_eq!(refused, !may, "{what}");
                assert_ne!(answer.status, 401, "{what}");
                asked += 1;
            }
        }
        assert!(asked > 300, "only {asked} were asked");
    }
}

fn body_has(route: &Route, slot: &str) -> bool {
    routes::names(&routes::body(route).unwrap_or_default()).iter().any(|name| name == slot)
}

/// A key that was good.
fn revoked(site: &Site) -> String {
    let body = serde_json::json!({ "name": "gone", "scopes": ["admin"] });
    let made = site.admin().post("/api/v1/api-keys", body).good();
    let path = format!("/api/v1/api-keys/{}", made["id"].as_str().unwrap());
    site.admin().delete(&path).good();
    made["key"].as_str().unwrap().to_string()
}
