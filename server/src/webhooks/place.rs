//! Where a webhook goes, and how much of that is told: paths and queries often let somebody in.

use url::Url;

/// Scheme, host and port of a URL; nothing of what is none.
pub fn origin(url: &str) -> String {
    Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// The same, with a sign for what is left out.
pub fn short(url: &str) -> String {
    format!("{}/…", origin(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_that_lets_somebody_in() {
        let url = "https://me:pw@a.example:8443/canary?t=canary#canary";
        assert_eq!(origin(url), "https://a.example:8443");
        assert_eq!(short(url), "https://a.example:8443/…");
        assert_eq!(origin("https://a.example"), "https://a.example");
        assert_eq!(short("canary"), "/…");
    }
}
