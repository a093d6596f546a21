//! What is known of the license and of this installation, as names and values.

use super::outlook::Outlook;
use super::text::{capital, found, said, sentence, shown};
use super::when::{count, day, number, relative, utc};
use crate::http::caller::Caller;
use crate::messages::SDK;
use crate::verdict::{Alert, Issuer, IssuerStatus, Source, Topic, Winner};

/// A name, and what there is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) lines: Vec<Line>,
}

/// One line of a fact.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) style: Style,
}

/// How a line is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// The value.
    Plain,
    /// An id: to be copied.
    Code,
    /// What is added to the value.
    Aside,
    /// Something to look at.
    Look,
}

impl Style {
    /// The class in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Style::Plain => "value",
            Style::Code => "code",
            Style::Aside => "aside",
            Style::Look => "look",
        }
    }
}

/// Facts, in the order in which they are added.
#[derive(Default)]
struct Facts(Vec<Fact>);

impl Facts {
    /// Adds a fact, if there is any line of it.
    fn add(&mut self, name: &'static str, lines: impl IntoIterator<Item = Option<Line>>) {
        let lines: Vec<Line> = lines.into_iter().flatten().collect();
        if !lines.is_empty() {
            self.0.push(Fact { name, lines });
        }
    }
}

fn line(style: Style, text: impl AsRef<str>) -> Option<Line> {
    let text = shown(text.as_ref());
    (!text.is_empty()).then_some(Line { text, style })
}

fn value(text: impl AsRef<str>) -> Option<Line> {
    line(Style::Plain, text)
}

fn code(text: impl AsRef<str>) -> Option<Line> {
    line(Style::Code, text)
}

fn aside(text: impl AsRef<str>) -> Option<Line> {
    line(Style::Aside, text)
}

/// A moment: on the calendar, and from now.
fn moment(at: i64, now: i64) -> [Option<Line>; 2] {
    [value(utc(at)), aside(relative(at, now))]
}

/// What the license that decides says. Empty without one.
pub(super) fn of_license(it: &Outlook<'_>) -> Vec<Fact> {
    let mut facts = Facts::default();
    let Some(winner) = &it.verdict.winner else { return Vec::new() };
    let (claims, now) = (&winner.held.claims, it.now());
    let license = &claims.license;
    let text = |text: &Option<String>| text.as_deref().and_then(value);
    let customer = license.customer.clone().unwrap_or_default();
    let also = |text: &Option<String>| text.as_deref().and_then(aside);
    facts.add(
        "Customer",
        [text(&customer.name), also(&customer.email), also(&customer.account), also(&claims.sub)],
    );
    let product = license.product.as_ref().and_then(|product| product.name.as_deref());
    facts.add("Product", [product.and_then(value), code(&claims.aud)]);
    facts.add("License", [text(&license.serial), code(&license.id)]);
    let kind = license.kind.replace('_', " ");
    facts.add("Type", [value(capital(&kind))]);
    facts.add("Tier", [text(&license.tier)]);
    facts.add("Description", [text(&license.description)]);
    facts.add("Begins", moment(license.valid_from, now));
    match license.valid_until {
        Some(end) => facts.add(if end <= now { "Ended" } else { "Ends" }, moment(end, now)),
        None => facts.add("Ends", [value("Never")]),
    }
    // Of a license that may not be used here at all, nobody waits for these.
    let matters = !it.is_unusable();
    let grace = winner.grace_until.filter(|end| matters && Some(*end) != license.valid_until);
    if let Some(end) = grace {
        facts.add("Grace period until", moment(end, now));
    }
    if let Some(by) = claims.exp.filter(|_| matters) {
        facts.add("To be renewed by", moment(by, now));
    }
    of_support(&mut facts, license.support_until, now);
    facts.add("May be used", binding(winner));
    facts.add("Seats", [license.seats.map(number).and_then(value)]);
    facts.add("Machines", [license.machines.map(number).and_then(value)]);
    facts.add("Issued", [value(utc(claims.iat)), aside(format!("by {}", claims.iss))]);
    facts.add("Signed with the key", [code(&winner.held.key_id)]);
    facts.add("Comes from", [value(place(winner.source, &winner.name))]);
    if let Some(issuer) = &it.verdict.issuer {
        of_issuer(&mut facts, issuer, it);
    }
    facts.0
}

fn of_support(facts: &mut Facts, until: Option<i64>, now: i64) {
    match until {
        Some(end) if end <= now => {
            let told = format!("Ended on {}", utc(end));
            facts.add("Support", [line(Style::Look, told), aside(relative(end, now))]);
        }
        Some(end) => {
            facts.add("Support", [value(format!("Until {}", utc(end))), aside(relative(end, now))]);
        }
        None => facts.add("Support", [value("Without an end")]),
    }
}

/// Where a license may be used.
fn binding(winner: &Winner) -> Vec<Option<Line>> {
    let Some(binding) = &winner.held.claims.license.binding else {
        return vec![value("On any machine")];
    };
    let mut lines = Vec::new();
    if let Some(machine) = &binding.machine {
        let (need, of) = (machine.need(), machine.parts().len());
        let of_parts = count(of as u64, "part");
        match &winner.held.binding {
            Ok(drift) => {
                let told = format!("{} of {of_parts} match, {need} have to", drift.matched);
                lines.extend([value("On this machine"), aside(told)]);
                let changed = drift.changed.join(", ");
                let changed = (!changed.is_empty()).then(|| format!("Changed: {changed}"));
                lines.push(changed.and_then(|changed| line(Style::Look, changed)));
            }
            Err(error) => {
                lines.push(value("On one machine"));
                lines.push(line(Style::Look, capital(&said(error.detail()))));
            }
        }
    }
    if let Some(id) = &binding.installation {
        lines.extend([value("In one installation"), code(id)]);
    }
    if let Some(instance) = &binding.instance {
        lines.extend([value("On one instance"), code(instance)]);
    }
    lines
}

fn of_issuer(facts: &mut Facts, issuer: &Issuer, it: &Outlook<'_>) {
    let now = it.now();
    let word = match issuer.status {
        IssuerStatus::Ok => value("All is well"),
        IssuerStatus::Revoked => line(Style::Look, "Withdrawn"),
        IssuerStatus::Expired => line(Style::Look, "Ended, by its record"),
        IssuerStatus::Suspended => line(Style::Look, "On hold"),
        IssuerStatus::NotFound => line(Style::Look, "It knows no such license"),
    };
    let at = |word: &str, at: i64| aside(format!("{word} {}, {}", utc(at), relative(at, now)));
    let next = issuer.next_contact.and_then(|next| at("To be asked again", next));
    let by = issuer.next_sync_by.and_then(|by| at("At the latest", by));
    facts.add("The issuer’s last word", [word, at("Said", issuer.last_contact), next, by]);
}

/// Why the issuer could not be asked, where it could not.
fn of_contact(facts: &mut Facts, it: &Outlook<'_>) {
    let Some(failure) = &it.verdict.failure else { return };
    let now = it.now();
    let at = |word: &str, at: i64| aside(format!("{word} {}, {}", utc(at), relative(at, now)));
    let due = it.verdict.issuer.as_ref().and_then(|issuer| issuer.next_sync_by);
    let matters = match due {
        Some(by) => format!("It has to be reached by {}", utc(by)),
        None => "What the license grants does not depend on that".to_string(),
    };
    let lines = [
        line(Style::Look, "It could not be asked"),
        aside(found(&sentence(&failure.message))),
        at("Tried", failure.at),
        at("To be tried again", failure.again()),
        aside(matters),
    ];
    facts.add("The license server", lines);
}

/// What holds of this installation.
pub(super) fn of_installation(it: &Outlook<'_>, caller: &Caller) -> Vec<Fact> {
    let (verdict, now) = (it.verdict, it.now());
    let mut facts = Facts::default();
    facts.add("Product code", [code(&verdict.product)]);
    let vendor = it.known.view.facts.terms.vendor.as_deref();
    facts.add("Vendor", [vendor.and_then(value)]);
    facts.add("Installation", [verdict.state.installation.as_deref().and_then(code)]);
    let asked = it.verdict.winner.as_ref().and_then(|it| {
        it.held.claims.license.binding.as_ref().and_then(|it| it.instance.as_deref())
    });
    match (it.instance, asked) {
        (Some(instance), _) => {
            let style = if it.other_address() { Style::Look } else { Style::Code };
            facts.add(
                "Instance",
                [line(style, instance), aside("the address of this site, as set")],
            );
        }
        (None, Some(_)) => facts.add("Instance", [line(Style::Look, "Not set")]),
        (None, None) => {}
    }
    let warned = |alert: Alert| verdict.warnings.iter().any(|it| it.code == Topic::Alert(alert));
    let state = match &verdict.state.error {
        Some(error) => [
            line(Style::Look, "The folder cannot be used"),
            aside(found(&sentence(&error.to_string()))),
        ],
        None if warned(Alert::StateRecovered) => {
            [line(Style::Look, "The folder was damaged, and works on"), None]
        }
        None if warned(Alert::SharedFolder) => {
            [line(Style::Look, "Another machine uses the same folder"), None]
        }
        None => [value("Healthy"), None],
    };
    facts.add("Stored state", state);
    let clock = verdict.now.clock;
    match &verdict.suspicion {
        Some(evidence) => {
            let counts = aside(format!("The time that counts is {}", utc(now)));
            facts.add("Clock", [line(Style::Look, said(evidence)), counts]);
        }
        None => facts.add("Clock", [value(utc(clock))]),
    }
    of_contact(&mut facts, it);
    if let Some(anchor) = verdict.anchor {
        let grace = verdict.grace_days.zip(verdict.grace_until);
        let grace = grace.map(|(days, end)| {
            let days = count(days.into(), "day");
            format!("{days} without a license from then on, until {}", day(end))
        });
        let ago = relative(anchor.at, now);
        facts.add("First use", [value(utc(anchor.at)), aside(ago), grace.and_then(aside)]);
    } else if let Some(days) = verdict.grace_days {
        let grace = format!("{} without a license from then on", count(days.into(), "day"));
        facts.add("First use", [value("Not yet"), aside(grace)]);
    }
    facts.add("SDK", [code(SDK)]);
    facts.add("You are", [value(caller.name())]);
    facts.0
}

/// Where a license is.
pub(super) fn place(source: Source, name: &str) -> String {
    match source {
        Source::Installed => "Applied here".to_string(),
        Source::File => format!("The file {}", said(name)),
        Source::Environment => format!("The variable {}", said(name)),
        Source::Text => "Given by the product".to_string(),
    }
}
