//! The model of the processor, from the first one that the kernel lists.

use super::parts::{Finding, Text, View};
use super::{Kind, State, junk};

/// Members of /proc/cpuinfo that name a model: first those of x86, then those of ARM. Speed,
/// microcode, flags and the number of cores change without a change of processor.
const MEMBERS: &[&str] = &[
    "vendor_id",
    "cpu family",
    "model",
    "model name",
    "stepping",
    "cpu implementer",
    "cpu architecture",
    "cpu variant",
    "cpu part",
    "cpu revision",
];

pub(super) fn finding(view: &View<'_>) -> Finding {
    let text = match view.text("/proc/cpuinfo") {
        Text::Found { text, .. } => text,
        Text::Missing => return Finding::missing(Kind::Cpu),
        Text::Unreadable => return Finding::unreadable(Kind::Cpu),
    };
    let parts = members(&text);
    if parts.is_empty() {
        return Finding::without(Kind::Cpu, State::Junk, "it names no model");
    }
    Finding::found(Kind::Cpu, parts.join("|"), false)
}

/// `name=value` of each member there is in the first block, in the order of `MEMBERS`.
fn members(text: &str) -> Vec<String> {
    let lines: Vec<(String, String)> = text
        .lines()
        .skip_while(|line| line.trim().is_empty())
        .take_while(|line| !line.trim().is_empty())
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (junk::normal(name), junk::normal(value)))
        .collect();
    let value = |member: &str| lines.iter().find(|(name, _)| name == member).map(|(_, v)| v);
    MEMBERS
        .iter()
        .filter_map(|member| value(member).map(|value| format!("{member}={value}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_model_is_read_and_only_of_the_first() {
        let text = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu MHz\t: 800\nmodel name\t: A  B\n\
                    stepping\t: 3\n\nprocessor\t: 1\nmodel\t: 7\n";
        assert_eq!(members(text), ["vendor_id=genuineintel", "model name=a b", "stepping=3"]);
        assert!(members("").is_empty());
    }
}
