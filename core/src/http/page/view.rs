//! What is on the page: plain texts, ready to be escaped. It decides nothing.

use super::drawing::{Drawing, draw};
use super::events::{self, Date, Shown};
use super::features::Features;
use super::headline::{self, Headline};
use super::outlook::Outlook;
use super::qr::{Symbol, symbol};
use super::text::{brief, found, said, shown};
use super::when::{Moment, count, utc};
use super::words::Tone;
use super::{advice, facts, sources};
use crate::errors::{Code, Error};
use crate::http::caller::Caller;
use crate::verdict::{Alert, Reason, Topic, Verdict};

/// Warnings of one kind that are shown: a license may have a thousand features at their limit.
const SAME_MAX: usize = 5;

/// Characters of the product's name above the page.
const NAME_MAX: usize = 60;

/// What is on the page.
pub(super) struct View {
    /// In the title of the window.
    pub(super) product: String,
    pub(super) headline: Headline,
    pub(super) next: Vec<Row>,
    /// What to say where no date is next, and where nothing is to be done.
    pub(super) idle: [String; 2],
    /// Days that no license covers.
    pub(super) gap: Option<String>,
    pub(super) todo: Vec<String>,
    /// What the issuer wants the customer to read.
    pub(super) message: Option<String>,
    pub(super) warnings: Vec<String>,
    /// Warnings that are not shown one by one.
    pub(super) more_warnings: usize,
    pub(super) drawing: Option<Drawing>,
    pub(super) earlier: Vec<Row>,
    pub(super) past: Vec<Row>,
    pub(super) ahead: Vec<Row>,
    pub(super) later: Vec<Row>,
    pub(super) features: Features,
    /// Where licenses come from, if there is something to say of it.
    pub(super) sources: Vec<sources::Row>,
    pub(super) license: Vec<facts::Fact>,
    pub(super) installation: Vec<facts::Fact>,
    /// Whether whoever asks may apply a license.
    pub(super) may_apply: bool,
    pub(super) requests: Vec<Request>,
    pub(super) vendor: String,
    pub(super) at: Moment,
    /// What the clock of this machine shows, where that is not the time that counts.
    pub(super) clock: Option<String>,
}

/// A date of the timeline.
pub(super) struct Row {
    pub(super) moment: Moment,
    pub(super) what: Vec<String>,
    pub(super) tone: Tone,
}

/// A text to send to the vendor.
pub(super) struct Request {
    /// `license`, `clock`, `sync`.
    pub(super) what: &'static str,
    pub(super) title: &'static str,
    pub(super) about: String,
    /// The text and its QR code, where it fits into one; or why there is none.
    pub(super) text: Result<(String, Option<Symbol>), String>,
}

/// Gives the text of a request.
pub(super) type Ask<'a> = &'a dyn Fn(&str) -> Result<String, Error>;

impl View {
    pub(super) fn new(it: Outlook<'_>, caller: &Caller, ask: Ask<'_>) -> View {
        let verdict = it.verdict;
        let now = it.now();
        let dates = events::dates(&it);
        let tones = events::tones(&it, &dates);
        let row = |date: Date| Row {
            moment: Moment::new(date.at, now),
            tone: tones.get(&date.at).copied().unwrap_or(date.tone()),
            what: date.what,
        };
        let rows = |dates: Vec<Date>| dates.into_iter().map(row).collect();
        let drawing = draw(&tones, now);
        let Shown { earlier, past, ahead, later } = Shown::new(dates, now);
        let may_apply = caller.is_administrator();
        let (warnings, more_warnings) = warnings(verdict);
        let gap = it.gap().map(|(from, until)| {
            format!("From {} until {} no license is in force.", utc(from), utc(until))
        });
        View {
            product: product(&it),
            headline: headline::headline(&it),
            next: rows(events::next(&it)),
            idle: idle(&it),
            gap,
            todo: advice::todo(&it),
            message: issuer_message(verdict),
            warnings,
            more_warnings,
            drawing,
            earlier: rows(earlier),
            past: rows(past),
            ahead: rows(ahead),
            later: rows(later),
            features: Features::new(&it),
            sources: sources::rows(verdict),
            license: facts::of_license(&it),
            installation: facts::of_installation(&it, caller),
            may_apply,
            requests: if may_apply { requests(&it, ask) } else { Vec::new() },
            vendor: shown(it.vendor()),
            at: Moment::new(now, now),
            clock: Some(verdict.now.clock).filter(|clock| *clock != now).map(utc),
        }
    }

    /// What the window is called: the state first, where it is still read when it is cut.
    pub(super) fn title(&self) -> String {
        format!("{} · {} license", self.headline.state, self.product)
    }

    /// The word for the moment: "today" only where the clock says so too.
    pub(super) fn today(&self) -> &'static str {
        if self.clock.is_some() { "Reckoned" } else { "Today" }
    }

    /// `1 earlier date`, `2 earlier dates`.
    pub(super) fn count(&self, many: usize, of: &str) -> String {
        count(many as u64, of)
    }

    /// Whether the first thing to do is to send a text that is on the page.
    pub(super) fn sends_first(&self) -> bool {
        self.todo.first().is_some_and(|todo| advice::sends(todo))
    }

    /// What the first text to send is called.
    pub(super) fn first_request(&self) -> &'static str {
        self.requests.first().map_or("Request code", |request| request.title)
    }

    /// Whether what is to be done is about the license as a whole.
    pub(super) fn is_urgent(&self) -> bool {
        self.headline.tone != Tone::Good
    }
}

/// What to say where no date is next, and where nothing is to be done.
fn idle(it: &Outlook<'_>) -> [String; 2] {
    let days = it.verdict.grace_days.filter(|_| it.verdict.reason == Reason::NotNeeded);
    match days {
        Some(days) => [
            format!("{} without a license begin with the first use.", count(days.into(), "day")),
            "Nothing yet. A license can be applied now.".to_string(),
        ],
        None => ["Nothing changes by itself from here on.".to_string(), "Nothing.".to_string()],
    }
}

/// What the product is called: by the license that decides, or by any that is here.
fn product(it: &Outlook<'_>) -> String {
    let winner = it.verdict.winner.as_ref().map(|it| &*it.held);
    let others = it.known.view.facts.candidates.iter();
    let held = winner.into_iter().chain(others.filter_map(|it| it.license.as_deref().ok()));
    let named = held.filter_map(|it| it.claims.license.product.as_ref()?.name.as_deref());
    let name = named.map(shown).find(|name| !name.is_empty());
    brief(&name.unwrap_or_else(|| shown(&it.verdict.product)), NAME_MAX)
}

fn issuer_message(verdict: &Verdict) -> Option<String> {
    let message = verdict.issuer.as_ref()?.message.as_deref()?;
    Some(shown(message)).filter(|message| !message.is_empty())
}

/// What was found, but for what the headline and the list of sources say; and how many more.
fn warnings(verdict: &Verdict) -> (Vec<String>, usize) {
    let said_above = |code: Topic| match code {
        Topic::Alert(Alert::SourceRefused | Alert::GraceEndsSoon) => true,
        Topic::Alert(alert) => headline::begun(verdict) == Some(alert),
        Topic::State(_) => false,
    };
    let mut told: Vec<String> = Vec::new();
    let mut more = 0;
    for warning in verdict.warnings.iter().filter(|warning| !said_above(warning.code)) {
        let same = verdict.warnings.iter().filter(|it| it.code == warning.code);
        let place = same.take_while(|it| !std::ptr::eq(*it, warning)).count();
        match place < SAME_MAX {
            true => told.push(found(&warning.message)),
            false => more += 1,
        }
    }
    (told, more)
}

/// What can be sent to the vendor: always the request code, and what helps now.
fn requests(it: &Outlook<'_>, ask: Ask<'_>) -> Vec<Request> {
    let verdict = it.verdict;
    let vendor = shown(it.vendor());
    let warned = |alert: Alert| verdict.warnings.iter().any(|it| it.code == Topic::Alert(alert));
    let clock = warned(Alert::ClockSuspect)
        || it.once_showed().is_some()
        || verdict.reason == Reason::No(Code::ClockRollback);
    let sync = warned(Alert::SyncDue) || verdict.reason == Reason::No(Code::SyncOverdue);
    let make = |what: &'static str, title: &'static str, about: String| {
        let text = ask(what).map(|text| {
            let symbol = symbol(&text);
            (text, symbol)
        });
        let text = text.map_err(|error| said(&super::text::sentence(&error.to_string())));
        Request { what, title, about, text }
    };
    let mut all = Vec::new();
    if clock {
        let about = format!(
            "If the clock of this machine is right now and was ahead before, send this to \
             {vendor}. The answer sets the time that was seen right."
        );
        all.push(make("clock", "Clock request", about));
    }
    if sync {
        let about = format!(
            "Send this to {vendor}, and apply the answer: it stands for the contact with \
             {vendor}’s server."
        );
        all.push(make("sync", "Sync request", about));
    }
    let about = format!(
        "Send this to {vendor} to get a license for this machine. It names the product and this \
         installation, and has keyed hashes of what the machine is known by: nothing in it is \
         secret."
    );
    all.push(make("license", "Request code", about));
    all
}
