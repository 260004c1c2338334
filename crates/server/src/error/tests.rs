use engine::error::Error;
use engine::system::SystemIds;
use futures_util::FutureExt as _;
use http::HeaderMap;
use testkit::log::Log;
use tracing::level_filters::LevelFilter;

use super::{ChannelError, InboxFailure};
use crate::serve::request_id::{HEADER, RequestId};

/// Of `work` at the level that a server has unless it is told another one, with its request's id or without.
fn logged(id: Option<&str>, work: fn()) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || match id {
        Some(id) => {
            let headers = HeaderMap::from_iter([(HEADER, id.parse().unwrap())]);
            let id = RequestId::of(&headers, &SystemIds);
            id.scope(async { work() }).now_or_never().unwrap();
        }
        None => work(),
    });
    log.text()
}

#[test]
fn errors_of_ours_are_logged_with_the_id_of_their_request() {
    let fail = || drop(ChannelError::from(Error::Internal("disk on fire".into())));
    let line = logged(Some("mine-7"), fail);
    for part in ["ERROR", "a request failed", "request.id=mine-7", "disk on fire"] {
        assert!(line.contains(part), "{part} is not in {line:?}");
    }
    let fail = || {
        let reason = "the receiver is down".into();
        drop(InboxFailure::from(Error::SyncFailed { synced: 0, reason }));
    };
    let line = logged(Some("mine-9"), fail);
    for part in ["WARN", "request.id=mine-9", "the receiver is down"] {
        assert!(line.contains(part), "{part} is not in {line:?}");
    }
    let fail = || {
        drop(InboxFailure::from(Error::Unavailable {
            reason: "busy".into(),
        }))
    };
    let line = logged(Some("mine-8"), fail);
    for part in ["WARN", "request.id=mine-8", "busy"] {
        assert!(line.contains(part), "{part} is not in {line:?}");
    }
}

#[test]
fn what_no_request_caused_is_logged_without_an_id() {
    let line = logged(None, || {
        drop(ChannelError::from(Error::Internal("disk on fire".into())))
    });
    assert!(line.contains("disk on fire"), "{line:?}");
    assert!(!line.contains("request.id"), "{line:?}");
}

#[test]
fn work_that_goes_on_elsewhere_keeps_the_id() {
    let headers = HeaderMap::from_iter([(HEADER, "mine-3".parse().unwrap())]);
    let id = RequestId::of(&headers, &SystemIds);
    let mut goes_on = None;
    let here = async { goes_on = Some(RequestId::carried(async { RequestId::current() })) };
    id.clone().scope(here).now_or_never().unwrap();
    assert_eq!(RequestId::current(), None);
    assert_eq!(goes_on.unwrap().now_or_never(), Some(Some(id)));
}
