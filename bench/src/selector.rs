use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::Instant;

use anyhow::ensure;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hub::{
    BatchLimits, ChannelKey, EndReason, Filter, History, HistoryError, HistoryPage, HistoryQuery, Hub,
    HubOptions, Start, SubscriptionId,
};
use model::app::AppKey;
use model::headers::Headers;
use model::json::JsonText;
use model::message::{Content, Message, MessageId};
use model::position::Epoch;
use model::selector::Selector;
use model::time::UnixMillis;

use crate::report::{Report, spread};

const ROUNDS: usize = 7;
/// Evaluations of a round.
const EVALUATIONS: u32 = 1_000_000;
const SUBSCRIBERS: usize = 10_000;
/// Messages published to them in a round.
const MESSAGES: u64 = 200;

/// One evaluation of a selector, and what selectors cost a publish.
pub fn measure(report: &mut Report) -> anyhow::Result<()> {
    evaluations(report)?;
    publishes(report)
}

fn evaluations(report: &mut Report) -> anyhow::Result<()> {
    report.section(
        "Selectors",
        "One evaluation over a message with six headers, in one thread; it allocates nothing (a test counts). \
         Medians (lowest–highest).",
        &["selector", "ns"],
    );
    let headers = headers(&[
        ("category", "sports"),
        ("city", "dallas"),
        ("price", "19.95"),
        ("priority", "7"),
        ("urgent", "false"),
        ("title", "Der größte gemeinsame Nenner"),
    ]);
    for text in [
        "priority > 5",
        "city = 'dallas'",
        "price > 10.5",
        "priority > 5 AND city = 'dallas' AND NOT urgent",
        "priority BETWEEN 1 AND 9",
        "city IN ('austin', 'dallas', 'houston', 'plano')",
        "title LIKE '%gemein%'",
        "title LIKE '%g_mein%'",
        "price * 2 + priority > 40",
    ] {
        let selector: Selector = text.parse()?;
        ensure!(selector.matches(&headers), "{text} matches");
        let mut nanoseconds = Vec::new();
        for _ in 0..ROUNDS {
            let started = Instant::now();
            for _ in 0..EVALUATIONS {
                black_box(black_box(&selector).matches(black_box(&headers)));
            }
            nanoseconds.push(started.elapsed().as_secs_f64() * 1e9 / f64::from(EVALUATIONS));
        }
        report.row(vec![format!("`{text}`"), spread(&nanoseconds, 1)]);
    }
    Ok(())
}

fn publishes(report: &mut Report) -> anyhow::Result<()> {
    report.section(
        "Selectors of many subscribers",
        "The hub's part of a publish to a channel with 10,000 idle subscribers whose selectors all refuse the message: \
         subscribers with the same selector share its evaluation. Medians (lowest–highest).",
        &["different selectors", "evaluations a message", "µs a message"],
    );
    for selectors in [1, 10, 100, 10_000] {
        let evaluations = Arc::new(AtomicU64::new(0));
        let hub = Hub::new(options(), Arc::new(NoHistory));
        let channel = ChannelKey {
            app: AppKey(1),
            name: "news".parse()?,
        };
        let mut connections = Vec::with_capacity(SUBSCRIBERS);
        for nth in 0..SUBSCRIBERS {
            let selector: Selector = format!("n = {}", nth % selectors).parse()?;
            let filter = Arc::new(Counted {
                key: selector.to_string(),
                selector,
                evaluations: Arc::clone(&evaluations),
            });
            let mut connection = hub.connect();
            connection.subscribe(SubscriptionId(0), hub.register(&channel, Some(filter)), START);
            let polled = connection.poll_batch(&mut Context::from_waker(Waker::noop()), LIMITS);
            ensure!(polled.is_pending(), "an idle subscriber");
            connections.push(connection);
        }
        let (mut micros, mut seq) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            let messages: Vec<_> = (0..MESSAGES)
                .map(|_| {
                    seq += 1;
                    message(seq)
                })
                .collect();
            let started = Instant::now();
            for message in messages {
                hub::run_all(hub.publish(&channel, EPOCH, message));
            }
            micros.push(started.elapsed().as_secs_f64() * 1e6 / MESSAGES as f64);
        }
        let asked = evaluations.load(Ordering::Relaxed) as f64 / seq as f64;
        report.row(vec![
            selectors.to_string(),
            format!("{asked:.1}"),
            spread(&micros, 2),
        ]);
    }
    Ok(())
}

const EPOCH: Epoch = Epoch(1);

const START: Start = Start {
    epoch: Some(EPOCH),
    after: 0,
    head: 0,
    gap: None,
};

const LIMITS: BatchLimits = BatchLimits {
    max_messages: 512,
    max_bytes: 64 * 1024,
};

/// A selector that counts its evaluations.
struct Counted {
    selector: Selector,
    key: String,
    evaluations: Arc<AtomicU64>,
}

impl Filter for Counted {
    fn key(&self) -> &str {
        &self.key
    }

    fn matches(&self, message: &Message) -> bool {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        self.selector.matches(&message.content.headers)
    }
}

struct NoHistory;

impl History for NoHistory {
    fn read(&self, _: HistoryQuery) -> BoxFuture<'static, Result<HistoryPage, HistoryError>> {
        async { Ok(HistoryPage::default()) }.boxed()
    }
}

fn options() -> HubOptions {
    let reason = || EndReason {
        code: 5919,
        message: "the bench ends".into(),
    };
    HubOptions {
        ring_messages: 1_024,
        ring_bytes: 64 * 1024 * 1024,
        page_messages: 256,
        page_bytes: 1024 * 1024,
        page_cache_bytes: 1024 * 1024,
        concurrent_reads: 1,
        gone: reason(),
        unreadable: reason(),
    }
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Headers::from_stored(pairs.collect())
}

fn message(seq: u64) -> Arc<Message> {
    Arc::new(Message {
        id: MessageId::one_shot(uuid::Uuid::from_u128(u128::from(seq))),
        seq,
        published_at: UnixMillis(0),
        content: Arc::new(Content {
            payload: JsonText::from_checked("\"x\""),
            publisher_id: None,
            subtopic: None,
            headers: headers(&[("n", "-1"), ("kind", "news")]),
            publish_policy: None,
            echo: None,
        }),
    })
}
