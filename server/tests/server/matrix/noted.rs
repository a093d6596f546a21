//! Every route: a write that changes something is one entry of the audit log, and nothing else is.

use super::{Kit, ask, routes};
use crate::support::Site;
use licentia_server::store::audit;

/// Writes that are not noted one by one: what products do, and questions that are put as a body.
const UNNOTED: &[&str] = &[
    "POST /api/v1/activations",
    "POST /api/v1/licenses/check-revocation",
    "POST /api/v1/licenses/preview",
    "POST /api/v1/licenses/sync",
    "POST /api/v1/licenses/verify",
    "POST /api/v1/licenses/{id}/seats",
    "POST /api/v1/requests",
    "DELETE /api/v1/seats/{id}",
    "PUT /api/v1/seats/{id}",
];

/// Writes that change nothing of what a kit has, or are refused.
const SAME: &[&str] =
    &["POST /api/v1/licenses/{id}/reinstate", "POST /api/v1/webhooks/{id}/resend-dead"];

/// The actions that are noted of an organization so far.
fn noted(site: &Site, organization: sea_orm::prelude::Uuid) -> Vec<String> {
    site.wait(async {
        let all = audit::next(site.server.store.read(), organization, None, 10_000).await.unwrap();
        all.into_iter().map(|entry| entry.action).collect()
    })
}

both! {
    fn each_write_is_one_entry_and_nothing_else_is(site: &Site) {
        let mut writes = 0;
        for (at, route) in routes::all().iter().enumerate() {
            let name = route.name();
            let (organization, _) = site.organization(&format!("n{at}"));
            let key = site.api_key(organization, "admin operator");
            let admin = site.nobody().with_key(&key);
            let kit = Kit::new(site, organization, &admin, &format!("noted{at}"));
            let before = noted(site, organization).len();
            let told = ask(&admin, route, &kit, None);
            let new = noted(site, organization).split_off(before);
            let exports = route.path.starts_with("/api/v1/exports/");
            let writes_it = route.method != "GET" && (200..300).contains(&told.status);
            let is_noted = writes_it && !UNNOTED.contains(&name.as_str());
            let expected = usize::from(exports || (is_noted && !SAME.contains(&name.as_str())));
            assert_eq!(new.len(), expected, "{name}: {} {new:?}", told.status);
            writes += usize::from(expected == 1);
            // What is refused is no entry.
            let (refused, before) = (ask(&admin, route, &Kit::unknown(), None), before + new.len());
            if refused.status >= 400 {
                assert_eq!(noted(site, organization).len(), before, "{name}: {}", refused.text());
            }
        }
        assert!(writes > 30, "only {writes} writes");
    }
}
