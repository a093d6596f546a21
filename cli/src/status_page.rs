//! The page that `status` prints: the state, what to do, what changes next, and what it all
//! comes from.

use crate::advice::{Advice, advice};
use crate::output::{BAD, GOOD, LOOK, show};
use crate::product::InstallationArgs;
use crate::secrecy::{told, told_path};
use crate::standing::{Access, Event, Feature, License, Source, Standing};
use crate::when::{both, count, relative, utc};
use crate::words::{detail, events, found, gap, headline, is_said_elsewhere};
use anstyle::Style;

/// Columns of a page.
const WIDTH: usize = 80;

/// Events that are shown before and after now.
const BEFORE: usize = 2;
const AFTER: usize = 6;

/// Features that are not measured are a table row each, up to so many.
const PLAIN_ROWS: usize = 6;

/// What a call without the settings of the product does not know.
const BARE: &str = "those of this call. The product may set more (grace_days, machine, …), and \
                    then that counts there: see --set.";

/// Where a command begins.
const COMMAND: usize = 6;

/// Columns of a feature's id in a table.
const ID_COLUMNS: usize = 26;

/// A page about what holds at a time that was asked for, or now.
pub fn page(it: &Standing, place: &InstallationArgs, asked_for: bool) -> String {
    let mut page = Page { text: as_of(it, asked_for) };
    page.head(it);
    page.todo(it, place);
    if it.access < Access::Warn && place.has_no_terms() {
        page.line("Settings", BARE);
    }
    page.next(it);
    if let Some(license) = &it.license {
        page.line("License", &license_line(license));
    }
    page.vendor(it);
    page.features(&it.features, it);
    page.warnings(it);
    page.timeline(it);
    page.sources(&it.sources);
    page.state(it, place);
    page.text
}

/// The line before all others, if another time than now was asked for.
pub fn as_of(it: &Standing, asked_for: bool) -> String {
    if asked_for {
        format!("As of {}, if nothing else changes:\n", utc(it.at))
    } else {
        String::new()
    }
}

struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, it: &Standing) {
        self.text += &headline(it).colored();
        if let Some(detail) = detail(it) {
            self.text += &wrap(&detail, 2, 2);
        }
    }

    fn todo(&mut self, it: &Standing, place: &InstallationArgs) {
        let all = advice(it, place);
        match all.as_slice() {
            [] => self.line("What to do", "nothing."),
            [one] => {
                self.line("What to do", &one.text);
                self.commands(one, place);
            }
            all => {
                self.text += "What to do:\n";
                for one in all {
                    self.text += &wrap(&format!("- {}", one.text), 2, 4);
                    self.commands(one, place);
                }
            }
        }
    }

    /// Commands on lines of their own, which a shell takes as they are.
    fn commands(&mut self, one: &Advice, place: &InstallationArgs) {
        for words in one.commands(place) {
            let mut line = " ".repeat(COMMAND);
            for word in words {
                let full = chars(&line) + 1 + chars(&word) + " \\".len() > WIDTH;
                if full && !line.trim().is_empty() {
                    self.text += &format!("{line} \\\n");
                    line = " ".repeat(COMMAND + 2);
                }
                let space = if line.trim().is_empty() { "" } else { " " };
                line += &format!("{space}{word}");
            }
            self.text += &format!("{line}\n");
        }
    }

    fn next(&mut self, it: &Standing) {
        let of = |at: i64| {
            let events = events(it).into_iter().filter(|(then, _)| *then == at);
            let mut what: Vec<String> = events.map(|(_, what)| what).collect();
            if what.is_empty() {
                what.extend(resets(it, at));
            }
            (!what.is_empty()).then(|| format!("{}: {}", both(at, it.at), what.join("; ")))
        };
        // What is no more in the way, where something else is, changes nothing.
        let changes = |step: &&Event| step.at > it.at && step.access != it.access;
        let changes = it.timeline.iter().find(changes).map(|step| step.at);
        let next = it.next_change_at.filter(|_| it.access >= Access::Warn);
        let then = changes.filter(|at| Some(*at) != next).and_then(of);
        match (next.and_then(of), then) {
            (Some(next), Some(then)) => self.line("Next change", &format!("{next}. Then {then}")),
            (Some(one), None) | (None, Some(one)) => self.line("Next change", &one),
            (None, None) => self.line("Next change", "none by the passing of time."),
        }
        if let Some((from, until)) = gap(it) {
            let days = format!("from {} until {} no license is in force.", utc(from), utc(until));
            self.line("Not covered", &days);
        }
    }

    /// What the vendor's server said, when, and why it says nothing now.
    fn vendor(&mut self, it: &Standing) {
        let Some(issuer) = &it.issuer else { return };
        if let Some(said) = issuer.message.as_deref().filter(|said| !said.is_empty()) {
            self.line("The vendor says", &show(said));
        }
        let last = issuer.last_contact.map(|at| format!("asked {}", both(at, it.at)));
        let next = issuer.next_contact.map(|at| format!("to be asked {}", both(at, it.at)));
        let contacts: Vec<String> = last.into_iter().chain(next).collect();
        if !contacts.is_empty() {
            self.line("License server", &format!("{}.", contacts.join("; ")));
        }
        if let Some(failure) = &issuer.failure {
            let what = format!("{}: {}", relative(failure.at, it.at), show(&failure.message));
            self.line("It could not be asked", &what);
        }
    }

    /// A heading and what it is about, on the same line.
    fn line(&mut self, heading: &str, text: &str) {
        self.text += &wrap(&format!("{heading}: {text}"), 0, 2);
    }

    fn heading(&mut self, heading: &str) {
        self.text += &format!("\n{heading}\n");
    }

    fn features(&mut self, features: &[Feature], it: &Standing) {
        if features.is_empty() {
            return;
        }
        let plain = |feature: &&Feature| feature.meter.is_none();
        let many = features.iter().filter(plain).count() > PLAIN_ROWS;
        let rows: Vec<&Feature> =
            features.iter().filter(|feature| !(many && plain(feature))).collect();
        if !rows.is_empty() {
            self.text.push('\n');
            self.text += &table(&rows, it);
        }
        if !many {
            return;
        }
        self.heading("Features that are not measured");
        for access in [Access::Allow, Access::Warn, Access::ReadOnly, Access::Deny] {
            let ids: Vec<&str> = features
                .iter()
                .filter(|feature| plain(feature) && feature.access == access)
                .map(|feature| feature.id.as_str())
                .collect();
            if !ids.is_empty() {
                let text = format!("{}: {}", may(access).1, show(&ids.join(", ")));
                self.text += &wrap(&text, 2, 4);
            }
        }
    }

    fn warnings(&mut self, it: &Standing) {
        let fresh = it.warnings.iter().filter(|warning| !is_said_elsewhere(it, &warning.code));
        let told: Vec<String> = fresh.map(|warning| found(&warning.message)).collect();
        if told.is_empty() {
            return;
        }
        self.heading("Warnings");
        for told in told {
            self.text += &wrap(&told, 2, 4);
        }
    }

    fn timeline(&mut self, it: &Standing) {
        let all = events(it);
        if all.is_empty() {
            return;
        }
        self.heading("Timeline");
        let (past, ahead): (Vec<_>, Vec<_>) = all.iter().partition(|(at, _)| *at <= it.at);
        for (at, what) in past.iter().skip(past.len().saturating_sub(BEFORE)) {
            self.event(*at, what, it.at);
        }
        self.text += &format!("  {}  {LOOK}<- you are here{LOOK:#}\n", utc(it.at));
        for (at, what) in ahead.iter().take(AFTER) {
            self.event(*at, what, it.at);
        }
        if let Some(more) = ahead.len().checked_sub(AFTER).filter(|more| *more > 0) {
            self.text += &format!("  and {}\n", count(more as u64, "later event"));
        }
    }

    fn event(&mut self, at: i64, what: &str, now: i64) {
        let head = format!("{}  ", utc(at));
        self.text += &wrap(&format!("{head}{}: {what}", relative(at, now)), 2, 2 + head.len());
    }

    fn sources(&mut self, sources: &[Source]) {
        if sources.is_empty() {
            return;
        }
        self.heading("Sources of licenses");
        let several = sources.iter().filter(|source| source.id.is_some()).count() > 1;
        for source in sources {
            let place = match (source.source.as_str(), source.name.as_deref().unwrap_or("")) {
                ("installed", _) => "applied here".to_string(),
                ("text", _) => "given by the product".to_string(),
                (kind, "") => kind.to_string(),
                ("file", name) => format!("the file {}", told(name)),
                (_, name) => format!("the variable {}", told(name)),
            };
            let place = match source.id.is_some() && several {
                true => format!("{place}, {}", source.title()),
                false => place,
            };
            let until = source.valid_until.map(|at| format!(" until {}", utc(at)));
            let until = until.unwrap_or_else(|| ", without an end".to_string());
            let began = source.valid_from.map(utc).unwrap_or_default();
            let became = match (source.used, source.result.as_str()) {
                (true, "ok") => "this one decides".to_string(),
                (true, _) => "this one would decide, and is not in force".to_string(),
                (false, "ok") => format!("good{until}, and not needed"),
                (false, "not_yet_valid") => format!("waits from {began}{until}"),
                (false, _) if source.id.is_some() => "not in force".to_string(),
                (false, _) => "refused".to_string(),
            };
            let said = source.message.as_deref().filter(|said| !source.used && !said.is_empty());
            let said = said.filter(|_| !["ok", "not_yet_valid"].contains(&source.result.as_str()));
            let said = said.map(|said| format!(": {}", found(said))).unwrap_or_default();
            self.text += &wrap(&format!("{}: {became}{said}", show(&place)), 2, 4);
        }
    }

    fn state(&mut self, it: &Standing, place: &InstallationArgs) {
        let folder = show(&told_path(&place.dir));
        let state = &it.state;
        self.text.push('\n');
        if state.ok {
            let troubled = ["state_recovered", "shared_folder"];
            let warned = it.warnings.iter().any(|it| troubled.contains(&it.code.as_str()));
            let health = if warned { "with a warning" } else { "healthy" };
            self.line("State", &format!("kept in the folder {folder}, {health}"));
        } else {
            self.line("State", &format!("the folder {folder} cannot be used"));
            let said = found(state.message.as_deref().unwrap_or(""));
            if !self.says(&said) {
                self.text += &wrap(&said, 2, 2);
            }
        }
        if let Some(id) = &state.installation {
            self.line("Installation", &show(id));
        }
    }

    /// Whether a sentence is on the page already, however it was broken.
    fn says(&self, sentence: &str) -> bool {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        words.join(" ").contains(sentence)
    }
}

/// What is counted anew at a time.
fn resets(it: &Standing, at: i64) -> Option<String> {
    let again = it.features.iter().filter(|feature| feature.resets_at == Some(at));
    let again: Vec<&Feature> = again.collect();
    Some(match again.as_slice() {
        [] => return None,
        [one] if one.meter.as_deref() == Some("count") => format!("{} starts from zero", one.id),
        [one] => format!("{} has fewer in its days", one.id),
        [one, two] => format!("{} and {} start again", one.id, two.id),
        all => format!("{} features start again", all.len()),
    })
}

/// Features, what may be done with them, and how much of them was used.
pub fn table(rows: &[&Feature], it: &Standing) -> String {
    let cells: Vec<[String; 4]> = rows.iter().map(|row| cells(row, it)).collect();
    let titles = ["Feature", "allowed", "used of limit", "resets"].map(String::from);
    let width = |cell: fn(&[String; 4]) -> &String, most: usize| {
        let widths = cells.iter().chain([&titles]).map(|row| chars(cell(row)));
        widths.filter(|width| *width <= most).max().unwrap_or(0)
    };
    let a = width(|[name, ..]| name, ID_COLUMNS);
    let (b, c) = (width(|[_, may_be, ..]| may_be, WIDTH), width(|[_, _, used, _]| used, WIDTH));
    let line = |[name, may_be, used, again]: &[String; 4], style: Style| {
        // A long one has a line of its own.
        let name =
            if chars(name) > a { format!("{name}\n{:a$}", "") } else { format!("{name:<a$}") };
        let line = format!("{name}  {style}{may_be:<b$}{style:#}  {used:<c$}  {again}");
        line.trim_end().to_string() + "\n"
    };
    let mut text = line(&titles, Style::new());
    for (row, cells) in rows.iter().zip(&cells) {
        let mut line = line(cells, may(row.access).0);
        // A name helps, where there is room for it.
        let name = row.name.as_ref().map(|name| format!("  ({})\n", show(name)));
        let plain = a + b + c + 4 + cells.last().map_or(0, |again| 2 + chars(again));
        if let Some(name) = name.filter(|name| plain + chars(name) <= WIDTH) {
            line.truncate(line.trim_end().len());
            line += &name;
        }
        text += &line;
    }
    text
}

/// `yes` and the like, and its color.
fn may(access: Access) -> (Style, &'static str) {
    match access {
        Access::Allow => (GOOD, "yes"),
        Access::Warn => (LOOK, "for now"),
        Access::ReadOnly => (LOOK, "read only"),
        Access::Deny => (BAD, "no"),
    }
}

fn cells(row: &Feature, it: &Standing) -> [String; 4] {
    let word = may(row.access).1;
    // What holds for all of them was said above.
    let own = row.reason != "ok" && row.reason != it.reason;
    let word = match row.reason.as_str() {
        "limit_exceeded" if own => format!("{word}, limit"),
        "not_granted" if own => format!("{word}, not granted"),
        "too_new" if own => format!("{word}, too new"),
        _ => match row.left.filter(|_| row.access == Access::Allow) {
            Some(0) => format!("{word}, full"),
            // The last tenth.
            Some(left) if left.saturating_mul(10) <= row.max.unwrap_or(0) => {
                format!("{word}, {left} left")
            }
            _ => word.to_string(),
        },
    };
    let again = row.resets_at.map(|at| relative(at, it.at)).unwrap_or_default();
    [row.id.clone(), word, used(row), again]
}

fn used(row: &Feature) -> String {
    let Some(meter) = row.meter.as_deref() else { return "not measured".to_string() };
    let over = row.over.filter(|over| *over > 0 && row.max.is_some());
    let over = over.map(|over| format!(" (+{over} %)")).unwrap_or_default();
    let span = match (meter, row.per.as_deref(), row.days) {
        ("count", Some("ever"), _) => " in all".to_string(),
        ("count", Some("hour"), _) => " an hour".to_string(),
        ("count", Some(per), _) => format!(" a {}", show(per)),
        ("distinct", _, Some(days)) => format!(" in {}", count(u64::from(days), "day")),
        _ => " at a time".to_string(),
    };
    let used = row.used.unwrap_or(0);
    match row.max {
        Some(max) => format!("{used} of {max}{span}{over}"),
        None => format!("{used}{span}, no limit"),
    }
}

fn license_line(license: &License) -> String {
    let who = license.customer.as_ref();
    let who = who.and_then(|who| who.name.as_ref().or(who.id.as_ref()));
    let name = license.serial.as_ref().unwrap_or(&license.id);
    let told = [Some(name), license.tier.as_ref().or(license.kind.as_ref()), who];
    show(&told.into_iter().flatten().cloned().collect::<Vec<_>>().join(", "))
}

/// Breaks a text into lines at its spaces, but for those between backticks. What has none, such
/// as a path, stays whole: it is to be copied.
pub fn wrap(text: &str, first: usize, then: usize) -> String {
    let mut lines = vec![" ".repeat(first)];
    let mut quoted = false;
    let breaks = |c: char| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    };
    for word in text.split(breaks) {
        let line = lines.last_mut();
        match line.filter(|line| line.trim().is_empty() || chars(line) + 1 + chars(word) <= WIDTH) {
            Some(line) if line.trim().is_empty() => line.push_str(word),
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(" ".repeat(then) + word),
        }
    }
    lines.iter().map(|line| line.trim_end().to_string() + "\n").collect()
}

fn chars(text: &str) -> usize {
    text.chars().count()
}
