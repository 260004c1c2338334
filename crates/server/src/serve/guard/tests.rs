use std::future::poll_fn;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::coop::{consume_budget, has_budget_remaining};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::*;

/// A guarded socket and its client.
async fn connected() -> (GuardedTcp, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (tcp, peer) = listener.accept().await.unwrap();
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let stall = Duration::from_secs(30);
    let guarded = GuardedTcp::new(tcp, peer, stall, place, TaskTracker::new().token());
    (guarded, client)
}

/// Uses up what the runtime lets a task do in one poll.
fn use_up_budget(cx: &mut Context<'_>) {
    while has_budget_remaining() {
        let mut one = std::pin::pin!(consume_budget());
        let _ = one.as_mut().poll(cx);
    }
}

fn poll_read(guarded: &mut GuardedTcp, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let mut bytes = [0; 16];
    let mut buffer = ReadBuf::new(&mut bytes);
    let read = Pin::new(guarded).poll_read(cx, &mut buffer);
    read.map_ok(|()| buffer.filled().len())
}

/// Reads the first byte, uses up the budget and polls `work`, all in one poll; then polls it as it is woken.
async fn behind_a_used_up_budget<T>(
    mut guarded: GuardedTcp,
    mut work: impl FnMut(&mut GuardedTcp, &mut Context<'_>) -> Poll<T>,
) -> T {
    let mut has_begun = false;
    poll_fn(move |cx| {
        if !has_begun {
            match poll_read(&mut guarded, cx) {
                Poll::Ready(read) => assert_eq!(read.unwrap(), 1),
                Poll::Pending => return Poll::Pending,
            }
            has_begun = true;
            use_up_budget(cx);
        }
        work(&mut guarded, cx)
    })
    .await
}

/// Lets all tasks run until none of them is woken any more.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn what_comes_after_a_poll_without_budget_is_read() {
    let (guarded, mut client) = connected().await;
    let reading = tokio::spawn(behind_a_used_up_budget(guarded, poll_read));
    client.write_all(b"1").await.unwrap();
    settle().await;
    client.write_all(b"hello").await.unwrap();
    let read = timeout(Duration::from_secs(10), reading).await.unwrap().unwrap();
    assert_eq!(read.unwrap(), 5);
}

#[tokio::test]
async fn the_end_after_a_poll_without_budget_is_seen() {
    let (guarded, mut client) = connected().await;
    let ended = |guarded: &mut GuardedTcp, cx: &mut Context<'_>| match guarded.fail_if_ended(cx) {
        Ok(()) => Poll::Pending,
        Err(error) => Poll::Ready(error.kind()),
    };
    let watching = tokio::spawn(behind_a_used_up_budget(guarded, ended));
    client.write_all(b"1").await.unwrap();
    settle().await;
    drop(client);
    let ended = timeout(Duration::from_secs(10), watching).await.unwrap().unwrap();
    assert_eq!(ended, io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_reader_in_another_task_is_woken_too() {
    let (mut guarded, mut client) = connected().await;
    let first = poll_fn(|cx| Poll::Ready(poll_read(&mut guarded, cx))).await;
    assert!(first.is_pending());
    let reading = tokio::spawn(async move { poll_fn(|cx| poll_read(&mut guarded, cx)).await });
    client.write_all(b"hello").await.unwrap();
    let read = timeout(Duration::from_secs(10), reading).await.unwrap().unwrap();
    assert_eq!(read.unwrap(), 5);
}

#[tokio::test]
async fn a_reader_that_was_woken_for_nothing_is_woken_again() {
    let (mut guarded, mut client) = connected().await;
    let mut polls = 0;
    let reading = tokio::spawn(poll_fn(move |cx| {
        polls += 1;
        if polls == 2 {
            // As if a read before this wake had taken what it is for.
            while guarded.tcp.try_read(&mut [0; 16]).is_ok() {}
        }
        poll_read(&mut guarded, cx)
    }));
    settle().await;
    client.write_all(b"1").await.unwrap();
    settle().await;
    client.write_all(b"hello").await.unwrap();
    let read = timeout(Duration::from_secs(10), reading).await.unwrap().unwrap();
    assert_eq!(read.unwrap(), 5);
}
