//! What every request has: an id, and a body that comes within limits.

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use hyper::header::HeaderMap;
use std::time::Duration;

/// Bytes of the longest id that somebody else gave a request.
const ID_MAX: usize = 128;

/// What became of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// All of it.
    Whole(Vec<u8>),
    /// It has more bytes than it may have: the rest is not read.
    TooLong,
    /// It did not come in time.
    TooSlow,
    /// It ended before its end.
    Broken,
}

/// Reads a body: at most `max` bytes, for at most `time`.
pub async fn receive<B>(mut body: B, max: usize, time: Duration) -> Received
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.size_hint().lower() > max as u64 {
        return Received::TooLong;
    }
    let reading = async {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Received::Broken };
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > max {
                return Received::TooLong;
            }
            bytes.extend_from_slice(&data);
        }
        Received::Whole(bytes)
    };
    tokio::time::timeout(time, reading).await.unwrap_or(Received::TooSlow)
}

/// The request's own id (`x-request-id`) where it has one that can be shown, or a new one.
pub fn request_id(headers: &HeaderMap) -> String {
    let fits = |id: &&str| {
        (1..=ID_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let given = headers.get_all("x-request-id").iter().filter_map(|value| value.to_str().ok());
    let given = given.map(str::trim).find(fits);
    given.map_or_else(new_id, ToString::to_string)
}

fn new_id() -> String {
    let mut bytes = [0; 16];
    // An id that is the same twice harms nobody.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    #[test]
    fn an_id_is_taken_only_if_it_can_be_shown() {
        let id = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", value.try_into().unwrap());
            request_id(&headers)
        };
        assert_eq!(id(b"abc-1"), "abc-1");
        assert_eq!(id("a".repeat(ID_MAX).as_bytes()), "a".repeat(ID_MAX));
        for other in [&b""[..], b"a b", b"a\xffb", "a".repeat(ID_MAX + 1).as_bytes()] {
            let made = id(other);
            assert!(made.len() == 32 && made.bytes().all(|it| it.is_ascii_hexdigit()), "{made}");
        }
        assert_ne!(new_id(), new_id());
    }

    #[tokio::test]
    async fn a_body_has_an_end() {
        let receive = |body: &'static str, max| {
            receive(Full::new(Bytes::from(body)), max, Duration::from_secs(60))
        };
        assert_eq!(receive("abc", 3).await, Received::Whole(b"abc".to_vec()));
        assert_eq!(receive("abc", 2).await, Received::TooLong);
    }
}
