//! What goes over the wire, and answers of every kind.

use super::canaries::Canaries;
use super::receiver::Receiver;
use super::{PATIENCE, open, post};
use licentia_server::webhooks::{Failure, Sent};
use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn sent(receiver: &Receiver) -> Sent {
    post(&open().with_patience(PATIENCE * 25), &receiver.url())
}

/// The same, where it waits for what never comes.
fn waited(receiver: &Receiver) -> Sent {
    post(&open().with_patience(PATIENCE), &receiver.url())
}

#[test]
fn a_webhook_arrives_as_it_was_sent_and_nothing_is_kept_of_its_answer() {
    let answer = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nConnection: keep-alive\r\n\
                  Content-Length: 5\r\n\r\nfine\n";
    let receiver = Receiver::that_says(answer);
    let first = sent(&receiver);
    assert!(first.is_delivered() && first.error.is_none(), "{first:?}");
    assert_eq!((first.status, first.excerpt.as_str()), (Some(200), "fine "));
    assert_eq!(Sent { millis: 0, ..sent(&receiver) }, Sent { millis: 0, ..first });
    let version = env!("CARGO_PKG_VERSION");
    let port = receiver.port;
    let wanted = format!(
        "POST /hook?a=b HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nuser-agent: licentia/{version}\r\n\
         connection: close\r\ncontent-type: application/json\r\nwebhook-id: evt_1\r\n\
         content-length: 15\r\n\r\n{{\"type\":\"test\"}}"
    );
    assert_eq!(receiver.heard(), [wanted.clone(), wanted]);
}

#[test]
fn no_redirect_is_followed() {
    let canaries = Canaries::everywhere();
    for status in [300, 301, 302, 303, 304, 307, 308] {
        for to in ["http://127.0.0.1", "//127.0.0.1", "http://localhost", "http://[::1]"] {
            let port = canaries.port;
            let receiver = Receiver::that_says(format!(
                "HTTP/1.1 {status} Elsewhere\r\nLocation: {to}:{port}/\r\nRefresh: 0; url={to}\r\n\
                 Content-Length: 0\r\n\r\n"
            ));
            let sent = sent(&receiver);
            assert_eq!((sent.status, sent.is_delivered()), (Some(status), false), "{to}");
            assert_eq!((canaries.heard(), receiver.heard().len()), (vec![], 1), "{status} {to}");
        }
    }
}

#[test]
fn a_status_is_told_with_the_beginning_of_the_body() {
    for (status, delivered) in [(199, false), (200, true), (204, true), (299, true), (400, false)] {
        let body = "a".repeat(if status == 204 || status < 200 { 0 } else { 5_000 });
        let length = body.len();
        let receiver = Receiver::that_says(format!(
            "HTTP/1.1 {status} It\r\nContent-Length: {length}\r\nRetry-After: 7\r\n\r\n{body}"
        ));
        let sent = waited(&receiver);
        if status < 200 {
            // It only says that the answer is to come, which it never does.
            assert_eq!((sent.status, sent.error), (None, Some(Failure::BadAnswer)));
            continue;
        }
        assert_eq!((sent.status, sent.is_delivered()), (Some(status), delivered));
        assert_eq!((sent.excerpt.len(), sent.retry_after), (length.min(1_024), Some(7)));
    }
}

#[test]
fn who_never_answers_is_not_waited_for() {
    let silent = Receiver::new(|_| thread::sleep(Duration::from_secs(30)));
    assert_eq!(waited(&silent).error, Some(Failure::Timeout));
    let dripping = Receiver::new(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"a").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(waited(&dripping).error, Some(Failure::Timeout));
    let promising =
        Receiver::new(|stream| while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok() {});
    let sent = waited(&promising);
    assert_eq!(sent.status, None, "{sent:?}");
    // Connected to, and never taken from.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    assert_eq!(post(&open().with_patience(PATIENCE), &url).error, Some(Failure::Timeout));
    drop(listener);
    assert_eq!(post(&open().with_patience(PATIENCE), &url).error, Some(Failure::Unreachable));
}

#[test]
fn a_status_stands_however_its_body_goes_on() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let (tell, told) = mpsc::channel();
    let endless = Receiver::new(move |stream| {
        let _ = stream.write_all(ok.as_bytes());
        let _ = stream.write_all(b"Content-Length: 999999999999\r\n\r\n");
        let mut written = 0_u64;
        while written < 1 << 30 && stream.write_all(&[b'x'; 65_536]).is_ok() {
            written += 65_536;
        }
        tell.send(written).unwrap();
    });
    let sent = sent(&endless);
    assert_eq!((sent.status, sent.excerpt.len(), sent.error), (Some(200), 1_024, None));
    // What is not read, the system holds: some megabytes.
    let written = told.recv().unwrap();
    assert!(written < 64 << 20, "{written} bytes were taken");
    for body in [
        "Content-Length: 100\r\n\r\nfine",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\nNOT HEXADECIMAL",
        "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nfine",
        "\r\nfine",
    ] {
        let sent = waited(&Receiver::that_says(format!("{ok}{body}")));
        assert_eq!((sent.status, sent.excerpt.as_str()), (Some(200), "fine"), "{body:?}");
    }
    let slow = Receiver::new(move |stream| {
        let _ = stream.write_all(format!("{ok}Content-Length: 100\r\n\r\nfine").as_bytes());
        thread::sleep(Duration::from_secs(30));
    });
    let sent = waited(&slow);
    assert_eq!((sent.status, sent.excerpt.as_str(), sent.error), (Some(200), "fine", None));
}

#[test]
fn what_is_said_before_the_answer_is_passed_over() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
    for before in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
    ] {
        let receiver = Receiver::that_says(format!("{}{ok}", before.repeat(3)));
        assert_eq!(sent(&receiver).excerpt, "fine", "{before:?}");
    }
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n";
    let sent = waited(&Receiver::that_says(answer));
    assert!(!sent.is_delivered(), "{sent:?}");
}

#[test]
fn what_is_no_answer_is_not_repeated_to_anybody() {
    let many = "A: b\r\n".repeat(500);
    let wide = format!("A: {}\r\n", "b".repeat(1 << 20));
    let banner = "SSH-2.0-OpenSSH_9.6 secret-host\r\n";
    for answer in [
        banner.to_string(),
        "220 mail.inside ESMTP secret\r\n".to_string(),
        "-ERR unknown command secret\r\n".to_string(),
        "<html>secret</html>".to_string(),
        "HTTP/2.0 200 OK\r\n\r\nsecret".to_string(),
        "HTTP/1.1 2000 OK\r\n\r\nsecret".to_string(),
        "HTTP/1.1 200 OK\r\nno header: secret\r\n\r\n".to_string(),
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nsecret".to_string(),
        "\0\0\u{12}\u{4}\0\0\0\0\0\0\u{3}\0\0\0\u{80}".to_string(),
        format!("HTTP/1.1 200 OK\r\n{many}\r\nsecret"),
        format!("HTTP/1.1 200 OK\r\n{wide}\r\nsecret"),
        String::new(),
    ] {
        let sent = waited(&Receiver::that_says(&answer));
        let start = answer.get(..20).unwrap_or(&answer);
        assert_eq!((sent.status, sent.error), (None, Some(Failure::BadAnswer)), "{start:?}");
        assert!(!format!("{sent:?}").contains("secret"), "{sent:?}");
    }
}

#[test]
fn an_answer_cannot_steer_whoever_looks_at_it() {
    let body = b"\x1b]0;owned\x07\x1b[2J<script>\r\n\xe2\x80\xae\xff\0";
    let head = format!("HTTP/1.1 500 No\r\nContent-Length: {}\r\n\r\n", body.len());
    let sent = sent(&Receiver::that_says([head.as_bytes(), body].concat()));
    assert_eq!(sent.status, Some(500));
    assert!(sent.excerpt.contains("<script>"), "{:?}", sent.excerpt);
    let bad = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!sent.excerpt.contains(bad), "{:?}", sent.excerpt);
}
