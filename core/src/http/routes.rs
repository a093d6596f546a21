//! Every route: who may take it, and who answers. Nothing else is answered.

use super::call::Call;
use super::refusal::Refusal;
use super::{Answer, Exchange, Rights, body, origin};
use super::{assign, entitlements, openapi, page, public, token};
use crate::installation::Installation;
use crate::limits::TARGET_MAX;

/// Whose way of saying things a route has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `/api/license/…`: a license is requested and assigned.
    Assign,
    /// `/api/licensing/…`: a token, with permissions for each action.
    Token,
    /// `/api/license`: what everybody may know.
    Public,
    /// `/api/v1/license`: entitlements, and a license key.
    Entitlements,
    /// The page of the administrator.
    Page,
    /// What belongs to none.
    Other,
}

/// Who may take a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Anybody, a stranger too.
    Nothing,
    /// Whoever is signed in and has these rights.
    Rights(Rights),
    /// The same, and a person: no service token.
    Person(Rights),
}

type Handler = fn(&Call<'_>) -> Result<Answer, Refusal>;

/// One route.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) family: Family,
    pub(crate) needs: Needs,
    handler: Handler,
}

const ADMINISTRATOR: Needs = Needs::Rights(Rights::ADMINISTRATOR);

/// Every route. docs/http.md and the OpenAPI document have the same, compared by tests.
pub(crate) const ROUTES: &[Route] = &[
    route("GET", "/api/license/expiration", Family::Assign, ADMINISTRATOR, assign::expiration),
    route("GET", "/api/license/request", Family::Assign, ADMINISTRATOR, assign::request),
    route("POST", "/api/license/assign", Family::Assign, ADMINISTRATOR, assign::assign),
    route("GET", "/api/licensing/check", Family::Token, Needs::Person(Rights::READ), token::check),
    route(
        "POST",
        "/api/licensing/token",
        Family::Token,
        Needs::Person(Rights::WRITE),
        token::apply,
    ),
    route("POST", "/licensing/token", Family::Token, Needs::Person(Rights::WRITE), token::apply),
    route(
        "POST",
        "/api/licensing/token/renew",
        Family::Token,
        Needs::Person(Rights::WRITE),
        token::renew,
    ),
    route(
        "DELETE",
        "/api/licensing/token",
        Family::Token,
        Needs::Person(Rights::DELETE),
        token::remove,
    ),
    route("GET", "/api/license", Family::Public, Needs::Nothing, public::status),
    route("GET", "/api/v1/license", Family::Entitlements, ADMINISTRATOR, entitlements::show),
    route("POST", "/api/v1/license", Family::Entitlements, ADMINISTRATOR, entitlements::insert),
    route("GET", "/license", Family::Page, Needs::Rights(Rights::READ), page::show),
    route("GET", "/api/license/openapi.json", Family::Other, Needs::Nothing, openapi::document),
];

const fn route(
    method: &'static str,
    path: &'static str,
    family: Family,
    needs: Needs,
    handler: Handler,
) -> Route {
    Route { method, path, family, needs, handler }
}

/// Whether a path has a route.
pub(crate) fn has(path: &str) -> bool {
    ROUTES.iter().any(|route| route.path == path)
}

/// Finds the route, checks who is asking and what was sent, and has it answered. In this order:
/// a stranger learns nothing but which paths there are. A HEAD gets what a GET would, but for the
/// body.
pub(crate) fn answer(it: &Installation, exchange: &Exchange) -> Answer {
    let answer = answer_whole(it, exchange);
    if exchange.method() == "HEAD" { answer.without_body() } else { answer }
}

fn answer_whole(it: &Installation, exchange: &Exchange) -> Answer {
    let path = it.below_mount(exchange.path()).unwrap_or_default();
    let call = |family| Call { it, exchange, family };
    if exchange.is_too_long() {
        let what = format!("The target has more than {TARGET_MAX} bytes");
        return Refusal::new(414, "uri_too_long", what).answer(&call(Family::Other));
    }
    let mut here = ROUTES.iter().filter(|route| route.path == path).peekable();
    let Some(first) = here.peek() else {
        let what = "There is nothing at this path: see /api/license/openapi.json for what there is";
        return Refusal::new(404, "not_found", what).answer(&call(Family::Other));
    };
    let call = call(first.family);
    let method = if exchange.method() == "HEAD" { "GET" } else { exchange.method() };
    let Some(route) = here.find(|route| route.method == method) else {
        let allowed = allowed(path);
        let what = format!("This path takes {allowed} only");
        let refusal = Refusal::new(405, "method_not_allowed", what);
        return refusal.answer(&call).with("allow", allowed);
    };
    take(route, &call).unwrap_or_else(|refusal| refusal.answer(&call))
}

fn take(route: &Route, call: &Call<'_>) -> Result<Answer, Refusal> {
    check_caller(route.needs, call)?;
    if route.method != "GET" {
        origin::check(call)?;
        body::check(call)?;
    }
    (route.handler)(call)
}

fn check_caller(needs: Needs, call: &Call<'_>) -> Result<(), Refusal> {
    let (rights, person) = match needs {
        Needs::Nothing => return Ok(()),
        Needs::Rights(rights) => (rights, false),
        Needs::Person(rights) => (rights, true),
    };
    let caller = call.caller().ok_or_else(Refusal::unauthorized)?;
    match caller.rights().has(rights) && !(person && caller.is_service()) {
        true => Ok(()),
        false => Err(Refusal::forbidden()),
    }
}

fn allowed(path: &str) -> String {
    let mut methods: Vec<&str> = Vec::new();
    for route in ROUTES.iter().filter(|route| route.path == path) {
        methods.push(route.method);
        if route.method == "GET" {
            methods.push("HEAD");
        }
    }
    methods.join(", ")
}
