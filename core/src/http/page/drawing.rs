//! The timeline as a line: where each stretch of it begins and ends, in thousandths of its width.

use super::when::day;
use super::words::Tone;
use crate::stages::DAY;
use std::collections::BTreeMap;

/// How far the line goes back and ahead, in seconds: what is beyond is at its edge.
const BACK: i64 = 4 * 366 * DAY;
const AHEAD: i64 = 6 * 366 * DAY;

/// The room for a date, in thousandths of the width, and for one that is never left out.
const LABEL: i64 = 145;
const WIDE_LABEL: i64 = 280;

/// A drawn timeline.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Drawing {
    pub(super) stretches: Vec<Stretch>,
    /// Where the dates are.
    pub(super) ticks: Vec<Percent>,
    pub(super) now: Percent,
    /// How the word for now is set: `start`, `middle`, `end`.
    pub(super) now_anchor: &'static str,
    pub(super) labels: Vec<Label>,
    /// What may be done, for the key below the line.
    pub(super) tones: Vec<(Tone, &'static str)>,
    pub(super) from: String,
    pub(super) until: String,
}

/// A stretch in which the same may be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: Percent,
    pub(super) width: Percent,
    pub(super) tone: Tone,
}

/// A date below the line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) at: Percent,
    pub(super) anchor: &'static str,
    pub(super) text: String,
    /// Whether it is left out where there is little room.
    pub(super) minor: bool,
}

impl Label {
    /// Where it begins, if it is so wide.
    fn begins(&self, width: i64) -> i64 {
        match self.anchor {
            "start" => self.at.0,
            "end" => self.at.0 - width,
            _ => self.at.0 - width / 2,
        }
    }
}

/// Thousandths, shown as per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Percent(i64);

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}%", self.0 / 10, self.0 % 10)
    }
}

/// Draws how it is from each moment on; `None` = there is nothing to draw.
pub(super) fn draw(changes: &BTreeMap<i64, Tone>, now: i64) -> Option<Drawing> {
    let within = |at: &i64| (now.saturating_sub(BACK)..=now.saturating_add(AHEAD)).contains(at);
    let shown: Vec<i64> = changes.keys().copied().filter(within).collect();
    let first = shown.first().copied().unwrap_or(now).min(now);
    let last = shown.last().copied().unwrap_or(now).max(now);
    changes.first_key_value()?;
    // A little of what comes after.
    let margin = ((last - first) / 16).max(DAY);
    let (start, end) = (first, last.saturating_add(margin));
    let span = i128::from(end) - i128::from(start);
    let place = |at: i64| {
        let gone = i128::from(at.clamp(start, end)) - i128::from(start);
        // Thousandths: they fit.
        Percent((gone * 1000 / span.max(1)) as i64)
    };
    let mut stretches: Vec<Stretch> = Vec::new();
    let bounds = changes.keys().copied().skip(1).chain([i64::MAX]);
    for ((from, tone), until) in changes.iter().zip(bounds) {
        let (from, until, tone) = (place(*from), place(until), *tone);
        match stretches.last_mut().filter(|last| last.tone == tone) {
            Some(last) => last.width = Percent(until.0 - last.from.0),
            None => stretches.push(Stretch { from, width: Percent(until.0 - from.0), tone }),
        }
    }
    stretches.retain(|stretch| stretch.width.0 > 0);
    let here = place(now);
    Some(Drawing {
        now_anchor: anchor(here, 60),
        now: here,
        ticks: shown.iter().map(|at| place(*at)).collect(),
        labels: labels(changes, &shown, now, place),
        tones: tones(&stretches),
        stretches,
        from: day(first),
        until: day(last),
    })
}

/// The dates below the line: the first, the next on which what may be done changes, and as many of
/// the others as have room, those on which that changes before the rest.
fn labels(
    changes: &BTreeMap<i64, Tone>,
    shown: &[i64],
    now: i64,
    place: impl Fn(i64) -> Percent,
) -> Vec<Label> {
    let changed = |at: &i64| {
        let before = changes.range(..*at).next_back().map(|(_, tone)| tone);
        before != changes.get(at)
    };
    let next = shown.iter().find(|at| **at > now && changed(at));
    let chief = shown.first().into_iter().chain(next).chain(shown.last());
    let others = shown.iter().filter(|at| changed(at)).chain(shown);
    let all = chief.map(|at| (*at, false)).chain(others.map(|at| (*at, true)));
    let mut labels: Vec<Label> = Vec::new();
    for (at, minor) in all {
        let room = if minor { LABEL } else { WIDE_LABEL };
        let label = Label { at: place(at), anchor: anchor(place(at), 80), text: day(at), minor };
        let apart = |other: &Label| {
            label.begins(room) >= other.begins(room) + room
                || other.begins(room) >= label.begins(room) + room
        };
        if labels.iter().all(apart) {
            labels.push(label);
        }
    }
    labels.sort_by_key(|label| label.at);
    labels
}

/// How a text is set so that it stays within the line.
fn anchor(at: Percent, margin: i64) -> &'static str {
    match at.0 {
        at if at < margin => "start",
        at if at > 1000 - margin => "end",
        _ => "middle",
    }
}

fn tones(stretches: &[Stretch]) -> Vec<(Tone, &'static str)> {
    let all = [
        (Tone::Unknown, "Not known"),
        (Tone::Good, "Everything works"),
        (Tone::Look, "Works, with a warning"),
        (Tone::Read, "Read only"),
        (Tone::Bad, "Nothing works"),
    ];
    let used = |(tone, _): &(Tone, &str)| stretches.iter().any(|it| it.tone == *tone);
    all.into_iter().filter(used).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Access;

    const NOW: i64 = 1_781_524_800;

    fn drawn(changes: &[(i64, Access)]) -> Option<Drawing> {
        let tone = |(days, access): &(i64, Access)| (NOW + days * DAY, Tone::of(*access));
        draw(&changes.iter().map(tone).collect(), NOW)
    }

    #[test]
    fn stretches_are_where_the_dates_are() {
        let changes =
            [(-100, Access::Allow), (-50, Access::Allow), (80, Access::Warn), (100, Access::Deny)];
        let drawing = drawn(&changes).unwrap();
        // 200 days, and twelve and a half more.
        let stretch =
            |from, width, tone| Stretch { from: Percent(from), width: Percent(width), tone };
        let wanted = [
            stretch(0, 847, Tone::Good),
            stretch(847, 94, Tone::Look),
            stretch(941, 59, Tone::Bad),
        ];
        assert_eq!(drawing.stretches, wanted);
        assert_eq!((drawing.now, drawing.now_anchor), (Percent(470), "middle"));
        assert_eq!(drawing.now.to_string(), "47.0%");
        assert_eq!(drawing.ticks, [0, 235, 847, 941].map(Percent));
        assert_eq!(drawing.tones.len(), 3);
        let labels: Vec<(i64, &str)> =
            drawing.labels.iter().map(|label| (label.at.0, label.anchor)).collect();
        assert_eq!(labels, [(0, "start"), (235, "middle"), (847, "middle")]);
        assert_eq!((drawing.from.as_str(), drawing.until.as_str()), ("7 Mar 2026", "23 Sep 2026"));
    }

    #[test]
    fn what_is_far_away_is_at_the_edge_and_does_not_push_the_rest_together() {
        let changes = [(-20_000, Access::Allow), (-10, Access::Allow), (2_900_000, Access::Deny)];
        let drawing = drawn(&changes).unwrap();
        assert_eq!(drawing.stretches.len(), 1);
        assert_eq!(drawing.stretches[0].width, Percent(1000));
        assert_eq!(drawing.ticks, [Percent(0)]);
        assert_eq!(drawn(&[]), None);
        let one = drawn(&[(0, Access::Deny)]).unwrap();
        assert_eq!((one.now, one.ticks), (Percent(0), vec![Percent(0)]));
        for far in [i64::MIN, i64::MAX] {
            let changes = [(far, Tone::Bad), (NOW, Tone::Good)].into_iter().collect();
            assert!(draw(&changes, NOW).is_some());
            assert!(draw(&changes, far).is_some());
        }
    }

    #[test]
    fn dates_below_the_line_keep_apart() {
        let changes: Vec<(i64, Access)> = (0..40).map(|day| (day * 7, Access::Allow)).collect();
        let drawing = drawn(&changes).unwrap();
        assert!(drawing.labels.len() > 3);
        let apart = |labels: Vec<&Label>, room: i64| {
            let apart = |pair: &[&Label]| pair[1].begins(room) >= pair[0].begins(room) + room;
            labels.windows(2).all(apart)
        };
        assert!(apart(drawing.labels.iter().collect(), LABEL));
        // What is left where there is little room.
        let chief: Vec<&Label> = drawing.labels.iter().filter(|label| !label.minor).collect();
        assert!(chief.len() == 2 && apart(chief, WIDE_LABEL));
        // The end of the first of two licenses, soon after its beginning.
        let drawing = drawn(&[(-100, Access::Allow), (90, Access::Warn), (456, Access::Deny)]);
        let told: Vec<(i64, bool)> =
            drawing.unwrap().labels.iter().map(|label| (label.at.0, label.minor)).collect();
        assert_eq!(told, [(0, false), (321, true), (941, false)]);
    }
}
