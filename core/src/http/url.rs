//! The root URL of an instance, which people write in several ways.

/// The one way to write a root URL: scheme and host in lower case, no port where it is the
/// scheme's own, no slash at the end. What is no URL is compared as it is, but for that slash.
pub(crate) fn normal(url: &str) -> String {
    let url = url.trim();
    let bare = url.trim_end_matches('/');
    let Some((scheme, rest)) = bare.split_once("://") else { return bare.to_string() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let scheme = scheme.to_ascii_lowercase();
    let host = authority.to_ascii_lowercase();
    format!("{scheme}://{}{path}", without_own_port(&scheme, &host))
}

/// A host and port, without the port where it is the scheme's own.
pub(crate) fn without_own_port<'a>(scheme: &str, host: &'a str) -> &'a str {
    let own = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return host,
    };
    match host.rsplit_once(':') {
        // `[::1]` ends with a bracket: its last piece is no number.
        Some((bare, port)) if port.is_empty() || port.parse() == Ok(own) => bare,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn a_root_url_is_one_however_it_is_written() {
        let one = normal("https://play.acme.example");
        for same in [
            "https://play.acme.example/",
            "HTTPS://Play.ACME.example//",
            "https://play.acme.example:443",
            "https://play.acme.example:443/",
            "https://play.acme.example:/",
            "https://play.acme.example:0443/",
            " https://play.acme.example/ ",
        ] {
            assert_eq!(normal(same), one, "{same}");
        }
        for other in [
            "http://play.acme.example",
            "https://play.acme.example:80",
            "https://play.acme.example:8443",
            "https://acme.example",
            "https://play.acme.example.evil.example",
            "https://play.acme.example/app",
            "https://user@play.acme.example",
            "play.acme.example",
            "",
        ] {
            assert_ne!(normal(other), one, "{other}");
        }
        assert_eq!(normal("http://[::1]:80/a/"), normal("http://[::1]/a"));
        assert_ne!(normal("http://[::1]/A"), normal("http://[::1]/a"));
        assert_eq!(normal("http://[::1]"), "http://[::1]");
        assert_eq!(normal("ftp://a:80"), "ftp://a:80");
        assert_eq!((normal("/"), normal("a/"), normal("://")), ("".into(), "a".into(), ":".into()));
    }
}
