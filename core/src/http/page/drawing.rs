//! The timeline as a line: where each stretch of it begins and ends, in thousandths of its width.

use super::when::day;
use super::words::Tone;
use crate::stages::DAY;
use crate::verdict::Access;
use std::collections::BTreeMap;

/// How far the line goes back and ahead, in seconds: what is beyond is at its edge.
const BACK: i64 = 4 * 366 * DAY;
const AHEAD: i64 = 6 * 366 * DAY;

/// The room for a date, in thousandths of the width.
const LABEL: i64 = 150;

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

/// Thousandths, shown as per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Percent(i64);

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}%", self.0 / 10, self.0 % 10)
    }
}

/// Draws what may be done from each moment on; `None` = there is nothing to draw.
pub(super) fn draw(changes: &BTreeMap<i64, Access>, now: i64) -> Option<Drawing> {
    let within = |at: &i64| (now.saturating_sub(BACK)..=now.saturating_add(AHEAD)).contains(at);
    let shown: Vec<i64> = changes.keys().copied().filter(within).collect();
    let first = shown.first().copied().unwrap_or(now).min(now);
    let last = shown.last().copied().unwrap_or(now).max(now);
    changes.first_key_value()?;
    // A little of what was before and what comes after.
    let margin = ((last - first) / 20).max(DAY);
    let (start, end) = (first.saturating_sub(margin), last.saturating_add(margin));
    let place = |at: i64| Percent((at.clamp(start, end) - start) * 1000 / (end - start));
    let mut stretches: Vec<Stretch> = Vec::new();
    let bounds = changes.keys().copied().skip(1).chain([i64::MAX]);
    for ((from, access), until) in changes.iter().zip(bounds) {
        let (from, until) = (place(*from), place(until));
        let tone = Tone::of(*access);
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
        labels: labels(changes, &shown, place),
        tones: tones(&stretches),
        stretches,
        from: day(first),
        until: day(last),
    })
}

/// The dates below the line: the first, the last, and between them as many as have room, those
/// on which what may be done changes before the others.
fn labels(
    changes: &BTreeMap<i64, Access>,
    shown: &[i64],
    place: impl Fn(i64) -> Percent,
) -> Vec<Label> {
    let changed = |at: &i64| {
        let before = changes.range(..*at).next_back().map(|(_, access)| access);
        before != changes.get(at)
    };
    let ends = shown.last().into_iter().chain(shown.first());
    let between = shown.iter().filter(|at| changed(at)).chain(shown);
    let mut labels: Vec<Label> = Vec::new();
    for at in ends.chain(between).copied() {
        let here = place(at);
        if labels.iter().any(|label| (label.at.0 - here.0).abs() < LABEL) {
            continue;
        }
        let minor = labels.len() >= 2;
        labels.push(Label { at: here, anchor: anchor(here, 80), text: day(at), minor });
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

    const NOW: i64 = 1_781_524_800;

    fn drawn(changes: &[(i64, Access)]) -> Option<Drawing> {
        draw(&changes.iter().map(|(days, access)| (NOW + days * DAY, *access)).collect(), NOW)
    }

    #[test]
    fn stretches_are_where_the_dates_are() {
        let changes =
            [(-100, Access::Allow), (-50, Access::Allow), (80, Access::Warn), (100, Access::Deny)];
        let drawing = drawn(&changes).unwrap();
        // 200 days and 10 on both sides.
        let stretch =
            |from, width, tone| Stretch { from: Percent(from), width: Percent(width), tone };
        let wanted = [
            stretch(45, 818, Tone::Good),
            stretch(863, 91, Tone::Look),
            stretch(954, 46, Tone::Bad),
        ];
        assert_eq!(drawing.stretches, wanted);
        assert_eq!((drawing.now, drawing.now_anchor), (Percent(500), "middle"));
        assert_eq!(drawing.now.to_string(), "50.0%");
        assert_eq!(drawing.ticks, [45, 272, 863, 954].map(Percent));
        assert_eq!(drawing.tones.len(), 3);
        let labels: Vec<(i64, &str)> =
            drawing.labels.iter().map(|label| (label.at.0, label.anchor)).collect();
        assert_eq!(labels, [(45, "start"), (272, "middle"), (954, "end")]);
        assert_eq!((drawing.from.as_str(), drawing.until.as_str()), ("7 Mar 2026", "23 Sep 2026"));
    }

    #[test]
    fn what_is_far_away_is_at_the_edge_and_does_not_push_the_rest_together() {
        let changes = [(-20_000, Access::Allow), (-10, Access::Allow), (2_900_000, Access::Deny)];
        let drawing = drawn(&changes).unwrap();
        assert_eq!(drawing.stretches.len(), 1);
        assert_eq!(drawing.stretches[0].width, Percent(1000));
        assert_eq!(drawing.ticks, [Percent(83)]);
        assert_eq!(drawn(&[]), None);
        let one = drawn(&[(0, Access::Deny)]).unwrap();
        assert_eq!((one.now, one.ticks), (Percent(500), vec![Percent(500)]));
        for far in [i64::MIN, i64::MAX] {
            let changes = [(far, Access::Deny), (NOW, Access::Allow)].into_iter().collect();
            assert!(draw(&changes, NOW).is_some());
            assert!(draw(&changes, far).is_some());
        }
    }

    #[test]
    fn dates_below_the_line_keep_apart() {
        let changes: Vec<(i64, Access)> = (0..40).map(|day| (day * 7, Access::Allow)).collect();
        let drawing = drawn(&changes).unwrap();
        assert!(drawing.labels.len() > 3);
        for pair in drawing.labels.windows(2) {
            assert!(pair[1].at.0 - pair[0].at.0 >= LABEL);
        }
        assert_eq!(drawing.labels.iter().filter(|label| !label.minor).count(), 2);
    }
}
