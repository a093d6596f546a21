//! What a figure draws, and the table beside it.

use super::{numbers, when};
use serde_json::json;

/// Days in a week.
const WEEK: usize = 7;

/// Numbers over days: as a drawing, and as a table. `chart.html` shows one that is called `chart`.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What its numbers are, in one short sentence.
    pub about: String,
    /// Whether each number is a bar of its own: of what happened, not of what there is.
    pub bars: bool,
    /// The first seconds of the days, or of longer steps, the oldest first.
    pub days: Vec<i64>,
    /// A line for each name, with a number for each day; `None` = nobody knows.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called.
    pub label: String,
    /// Its numbers.
    pub values: Vec<Option<i64>>,
}

impl Line {
    /// One with every number.
    pub fn of(label: &str, values: impl IntoIterator<Item = i64>) -> Line {
        Line { label: label.to_string(), values: values.into_iter().map(Some).collect() }
    }
}

impl Chart {
    /// What the drawing is made from.
    pub fn json(&self) -> String {
        let line = |line: &Line| json!({ "label": line.label, "values": line.values });
        let lines: Vec<_> = self.lines.iter().map(line).collect();
        json!({ "days": self.days, "series": lines, "bars": self.bars }).to_string()
    }

    /// Whether there is anything to draw.
    pub fn is_empty(&self) -> bool {
        let mut values = self.lines.iter().flat_map(|line| &line.values);
        self.days.is_empty() || values.all(|value| value.unwrap_or_default() == 0)
    }

    /// The same by week: what happened in each together, and what there was at its end. The last
    /// week ends with the last day.
    pub fn by_week(mut self) -> Chart {
        let skip = self.days.len() % WEEK;
        let of = |line: &Line| {
            let (first, rest) = line.values.split_at(skip.min(line.values.len()));
            let weeks = Some(first).filter(|it| !it.is_empty()).into_iter();
            let value = |week: &[Option<i64>]| match self.bars {
                true => week.iter().flatten().copied().reduce(i64::saturating_add),
                false => week.iter().rev().flatten().copied().next(),
            };
            weeks.chain(rest.chunks(WEEK)).map(value).collect()
        };
        let values: Vec<Vec<Option<i64>>> = self.lines.iter().map(of).collect();
        for (line, values) in self.lines.iter_mut().zip(values) {
            line.values = values;
        }
        let begins = |at: usize| at == 0 || at.checked_sub(skip).is_some_and(|at| at % WEEK == 0);
        let days = self.days.iter().enumerate().filter(|(at, _)| begins(*at));
        self.days = days.map(|(_, day)| *day).collect();
        self
    }

    /// The rows of the table, the newest first: a day, and a number of each line.
    pub fn rows(&self) -> Vec<(String, Vec<String>)> {
        let value = |at: usize, line: &Line| match line.values.get(at) {
            Some(Some(value)) => numbers::grouped(*value),
            _ => "–".to_string(),
        };
        let row = |(at, day): (usize, &i64)| {
            let values = self.lines.iter().map(|line| value(at, line)).collect();
            (when::day(when::exact(*day)), values)
        };
        self.days.iter().enumerate().rev().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_and_its_table_say_the_same() {
        let mut line = Line::of("Syncs", [1, 2_000]);
        line.values.push(None);
        let days = vec![0, 86_400, 172_800];
        let (title, about) = ("Syncs".to_string(), String::new());
        let mut chart = Chart { title, about, bars: true, days, lines: vec![line] };
        let json: serde_json::Value = serde_json::from_str(&chart.json()).unwrap();
        assert_eq!(json["series"][0]["values"], json!([1, 2000, null]));
        let rows = chart.rows();
        assert_eq!(rows.first().unwrap(), &("1970-01-03".to_string(), vec!["–".to_string()]));
        assert_eq!(rows.get(1).unwrap().1, ["2,000"]);
        assert!(!chart.is_empty());
        chart.lines = vec![Line::of("Syncs", [0, 0, 0])];
        assert!(chart.is_empty());
    }

    #[test]
    fn weeks_end_with_the_last_day() {
        let days: Vec<i64> = (0..17).map(|day| day * 86_400).collect();
        let mut line = Line::of("Syncs", 1..=17);
        line.values[16] = None;
        let (title, about) = ("Syncs".to_string(), String::new());
        let chart = Chart { title, about, bars: true, days, lines: vec![line] };
        let weeks = |bars| Chart { bars, ..chart.clone() }.by_week();
        assert_eq!(weeks(true).days, [0, 3 * 86_400, 10 * 86_400]);
        assert_eq!(weeks(true).lines[0].values, [Some(6), Some(49), Some(81)]);
        assert_eq!(weeks(false).lines[0].values, [Some(3), Some(10), Some(16)]);
        let whole: Vec<i64> = (0..14).collect();
        let chart = Chart { days: whole, lines: vec![Line::of("S", 1..=14)], ..chart };
        assert_eq!(chart.by_week().days, [0, 7]);
    }
}
