//! Asks over real HTTP.

use crate::http::golden::Told;
use crate::http::script::Ask;
use std::time::Duration;
use ureq::http::Request;
use ureq::{Agent, RequestExt};

/// A client that follows nothing and takes every status as an answer.
pub fn client() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(30)))
        .build();
    config.new_agent()
}

/// Asks, signed in with the caller's name as its token. The path below which the site is mounted
/// is taken out of the answer.
///
/// # Errors
/// A sentence, where there is no answer.
pub fn ask(agent: &Agent, root: &str, mount: &str, ask: &Ask) -> Result<Told, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{} {}: {error}", ask.method, ask.target);
    let mut request =
        Request::builder().method(ask.method).uri(format!("{root}{mount}{}", ask.target));
    for (name, value) in &ask.headers {
        request = request.header(*name, value);
    }
    if ask.who != "stranger" {
        request = request.header("authorization", format!("Bearer {}", token(ask.who)));
    }
    let answer = if ask.body.is_empty() {
        let request = request.body(()).map_err(|error| wrong(&error))?;
        request.with_agent(agent).run()
    } else {
        let request = request.body(ask.body.as_str()).map_err(|error| wrong(&error))?;
        request.with_agent(agent).configure().run()
    };
    let mut answer = answer.map_err(|error| wrong(&error))?;
    let body = answer.body_mut().read_to_vec().map_err(|error| wrong(&error))?;
    let header = |name: &str| Some(answer.headers().get(name)?.to_str().ok()?.to_string());
    let below = match String::from_utf8(body) {
        Ok(text) if !mount.is_empty() => text.replace(mount, "").into_bytes(),
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    };
    Ok(Told::new(answer.status().as_u16(), header, &below))
}

/// What a caller signs in with.
pub fn token(who: &str) -> String {
    format!("the-token-of-{who}")
}
