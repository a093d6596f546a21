//! What each code means to a shell.

use licentia::Code;

/// The command did what it was asked to.
pub const GOOD: u8 = 0;
/// What was given was judged and refused.
pub const REFUSED: u8 = 1;
/// The command was written wrongly.
pub const USAGE: u8 = 2;
/// Something could not be reached, read or written; trying again may help.
pub const IO: u8 = 3;

/// The exit status of a failure.
pub fn of(code: Code) -> u8 {
    match code {
        Code::InvalidArgument => USAGE,
        Code::Io
        | Code::Internal
        | Code::Unreachable
        | Code::NoTransport
        | Code::StateUnavailable
        | Code::Busy
        | Code::DiskFull => IO,
        _ => REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_status_that_is_documented() {
        let page = include_str!("../../docs/cli.md");
        for &code in Code::ALL {
            let row = page.lines().find(|line| line.contains(&format!("`{}`", code.slug())));
            let documented = match row.and_then(|row| row.strip_prefix("| ")) {
                Some(row) => row.chars().next().and_then(|digit| digit.to_digit(10)),
                None => Some(u32::from(REFUSED)),
            };
            assert_eq!(documented, Some(u32::from(of(code))), "{code}");
        }
    }
}
