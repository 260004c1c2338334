use std::future::poll_fn;
use std::task::Poll;

use tokio::time::{Instant, timeout};

use super::*;

async fn beat(beat: &Beat) {
    poll_fn(|cx| {
        if beat.poll_due(cx) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_beats_at_once_then_every_fifteen_seconds() {
    let heartbeats = Arc::new(Heartbeats::default());
    let stream = heartbeats.join();
    let start = Instant::now();
    beat(&stream).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    beat(&stream).await;
    let first = start.elapsed();
    assert!(first <= PERIOD, "{first:?}");
    for turn in 1..=3 {
        beat(&stream).await;
        let off = (start.elapsed() - first).abs_diff(PERIOD * turn);
        assert!(off < Duration::from_millis(100), "beat {turn} is off by {off:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn many_streams_are_spread_over_the_period_and_all_of_them_beat() {
    let heartbeats = Arc::new(Heartbeats::default());
    let streams: Vec<_> = (0..600).map(|_| heartbeats.join()).collect();
    let mut most = 0;
    for stream in &streams {
        assert!(stream.is_due.swap(false, Ordering::AcqRel));
    }
    let mut beaten = 0;
    for _ in 0..PLACES {
        tokio::time::sleep(PERIOD / 60).await;
        let now = streams
            .iter()
            .filter(|stream| stream.is_due.swap(false, Ordering::AcqRel))
            .count();
        most = most.max(now);
        beaten += now;
    }
    assert!(beaten >= 590, "only {beaten} of 600 within a period");
    assert!(most <= 20, "{most} at the same time");
}

#[tokio::test(start_paused = true)]
async fn the_ticker_ends_with_the_last_stream_and_starts_again() {
    let heartbeats = Arc::new(Heartbeats::default());
    drop(heartbeats.join());
    tokio::time::sleep(PERIOD * 2).await;
    assert!(!heartbeats.wheel.lock().is_ticking);
    assert_eq!(Arc::strong_count(&heartbeats), 1, "the ticker is gone");
    let stream = heartbeats.join();
    beat(&stream).await;
    timeout(PERIOD * 2, beat(&stream)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_nothing_to_say_at_a_beat_is_woken_by_the_next() {
    let heartbeats = Arc::new(Heartbeats::default());
    let stream = heartbeats.join();
    let mut asked = 0;
    let told = poll_fn(|cx| {
        stream.poll_told(cx, || {
            asked += 1;
            (asked == 3).then_some("here")
        })
    });
    assert_eq!(timeout(PERIOD * 4, told).await, Ok("here"));
}
