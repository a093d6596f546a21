//! One delivery: what is sent, and what became of each try.

use super::super::client::Refusal;
use super::super::form::{Posted, Query};
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, events, html, when};
use super::{Delivery, SECTION, Webhook};
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a page says after something was done.
const DONE: [(&str, &str); 2] = [
    ("test", "A test is on its way: open this page again to see whether it arrived."),
    ("resent", "It is sent again: open this page again to see whether it arrived."),
];

#[derive(Deserialize)]
struct Whole {
    #[serde(flatten)]
    delivery: Delivery,
    body: String,
    attempts: Vec<Attempt>,
}

/// A try.
#[derive(Deserialize)]
struct Attempt {
    at: String,
    status: Option<u16>,
    error: Option<String>,
    milliseconds: u64,
    excerpt: String,
}

#[derive(Template)]
#[template(path = "webhooks/delivery.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Whole,
    webhook: Webhook,
    wrong: Option<String>,
}

impl Page {
    /// What is sent, to be read.
    fn readable(&self) -> String {
        spread(&self.it.body)
    }
}

/// JSON without blanks, with a line for each member: in the order in which it is sent.
fn spread(json: &str) -> String {
    let (mut text, mut depth, mut inside, mut after_slash) = (String::new(), 0_usize, false, false);
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"  ".repeat(depth.min(32)));
    };
    let mut signs = json.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            _ if inside => text.push(sign),
            '{' | '[' if signs.peek().is_some_and(|next| matches!(next, '}' | ']')) => {
                text.push(sign);
                text.extend(signs.next());
            }
            '{' | '[' => {
                depth = depth.saturating_add(1);
                text.push(sign);
                line(&mut text, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut text, depth);
                text.push(sign);
            }
            ',' => {
                text.push(sign);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => text.push(sign),
        }
        inside ^= sign == '"' && !after_slash;
        after_slash = sign == '\\' && !after_slash;
    }
    text
}

pub async fn show(desk: State, visit: Visit, Id(id): Id, Query(asked): Query) -> Response {
    let path = format!("/deliveries/{id}");
    match page(&desk, &visit, &id, &path, None).await {
        Ok(mut page) => {
            page.frame = page.frame.with_notice(asked.text("done"), &DONE);
            html::page(&page)
        }
        Err(why) => refused(&visit, &path, SECTION, &why),
    }
}

async fn page(
    desk: &Desk,
    visit: &Visit,
    id: &str,
    here: &str,
    wrong: Option<String>,
) -> Result<Page, Refusal> {
    let it: Whole = desk.client.get(visit, &format!("/deliveries/{id}")).await?;
    let webhook = desk.client.get(visit, &format!("/webhooks/{}", it.delivery.webhook_id)).await?;
    Ok(Page { frame: Frame::of(visit, here, SECTION, "Delivery"), it, webhook, wrong })
}

pub async fn resend(desk: State, Id(id): Id, posted: Posted) -> Response {
    let (visit, to) = (&posted.visit, format!("/deliveries/{id}/resend"));
    let body = json!({});
    let sent = desk.client.send::<Value>(visit, Method::POST, &to, &body, posted.once()).await;
    match sent {
        Ok(_) => html::on_to(&format!("../{id}?done=resent")),
        Err(why) if why.is_typed() => match page(&desk, visit, &id, &to, Some(why.detail)).await {
            Ok(page) => html::shown(StatusCode::UNPROCESSABLE_ENTITY, &page),
            Err(why) => refused(visit, &to, SECTION, &why),
        },
        Err(why) => refused(visit, &to, SECTION, &why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_shown_in_its_order() {
        let body = r#"{"id":"evt_1","data":{"a":"x,{\"\\","none":[],"some":[1,{}]},"z":null}"#;
        let shown = spread(body);
        let lines: Vec<&str> = shown.lines().map(str::trim_start).collect();
        let first = [r#""id": "evt_1","#, r#""data": {"#, r#""a": "x,{\"\\","#];
        assert_eq!(lines.get(1..4), Some(&first[..]));
        let again: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(body).unwrap());
        assert!(shown.contains("\n      1,\n      {}\n    ]"), "{shown}");
        for odd in ["", "}}}]", "\"", "{"] {
            assert!(spread(odd).len() >= odd.len());
        }
    }
}
