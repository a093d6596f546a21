//! Names that lead elsewhere the second time, or to two places at once.

use super::canaries::Canaries;
use super::names::Names;
use super::{PATIENCE, post};
use licentia_server::webhooks::{Failure, Guard, Sender};
use std::sync::Arc;

/// The one address that may be reached, in the place of one on the internet.
const GOOD: &str = "127.0.0.2";
const BAD: &[&str] = &["127.0.0.1", "127.0.0.3", "::1"];

fn sender(names: &Arc<Names>) -> Sender {
    let guard = Guard::new(vec![GOOD.parse().unwrap()], false);
    Sender::new(guard).with_names(names.clone()).with_patience(PATIENCE / 4)
}

#[test]
fn a_name_is_asked_once_and_what_it_said_is_connected_to() {
    let canaries = Canaries::on(&[GOOD, BAD[0], BAD[1], BAD[2]]);
    let good = format!("{GOOD}:{}", canaries.port).parse().unwrap();
    for bad in BAD {
        let names = Arc::new(Names::that_say(&[&[GOOD], &[bad]]));
        let sender = sender(&names);
        let url = format!("http://hooks.example.com:{}/", canaries.port);
        // The first time it leads where it may, whatever it says a moment later.
        assert_eq!(post(&sender, &url).error, Some(Failure::Timeout));
        assert_eq!((canaries.heard(), names.asked()), (vec![good], 1), "{bad}");
        // The second webhook asks again, and is not sent.
        for _ in 0..3 {
            assert_eq!(post(&sender, &url).error, Some(Failure::NoAddress));
        }
        assert_eq!((canaries.heard(), names.asked()), (vec![], 4), "{bad}");
    }
}

#[test]
fn one_address_of_many_that_is_not_allowed_is_enough() {
    let canaries = Canaries::on(&[GOOD, BAD[0], BAD[1], BAD[2]]);
    let many: Vec<&str> = [GOOD].repeat(65);
    let chains: &[&[&str]] = &[
        &[GOOD, BAD[0]],
        &[BAD[0], GOOD],
        &[GOOD, GOOD, GOOD, BAD[2]],
        &[GOOD, "::ffff:127.0.0.1"],
        &[GOOD, "10.0.0.1"],
        &[GOOD, "169.254.169.254"],
        &[GOOD, "64:ff9b::7f00:1"],
        &[GOOD, "0.0.0.0"],
        // Of the internet, which a network that is allowed gives no other ports.
        &[GOOD, "93.184.216.34"],
        &[],
        &many,
    ];
    for answer in chains {
        let names = Arc::new(Names::that_say(&[answer]));
        let url = format!("http://hooks.example.com:{}/", canaries.port);
        let sent = post(&sender(&names), &url);
        assert_eq!(sent.error, Some(Failure::NoAddress), "{answer:?}");
        assert_eq!(canaries.heard(), [], "{answer:?}");
    }
    // It can fail: two that are allowed are, and the other is tried where the first is not there.
    let names = Arc::new(Names::that_say(&[&[GOOD, "::ffff:127.0.0.2"]]));
    let url = format!("http://hooks.example.com:{}/", canaries.port);
    assert_eq!(post(&sender(&names), &url).error, Some(Failure::Timeout));
    assert_eq!(canaries.heard().len(), 1);
}

#[test]
fn a_name_that_is_none_is_not_told_from_one_that_leads_inside() {
    let url = "https://hooks.example.com/";
    let told = |names: Names| {
        let sender = Sender::default().with_names(Arc::new(names)).with_patience(PATIENCE);
        let sent = post(&sender, url);
        (sent.status, sent.error, sent.excerpt, sent.retry_after)
    };
    let unknown = told(Names::that_say(&[]));
    assert_eq!(unknown, told(Names::that_say(&[&["127.0.0.1"]])));
    assert_eq!(unknown, told(Names::that_say(&[&["10.9.8.7"]])));
    assert_eq!(unknown.1, Some(Failure::NoAddress));
}
