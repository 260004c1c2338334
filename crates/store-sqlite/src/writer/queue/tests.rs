use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::error::JobError;
use crate::writer::transaction::Tx;

const SECOND: Duration = Duration::from_secs(1);

/// A job that keeps its answer.
#[derive(Default, Clone)]
struct Probe {
    abandoned: Arc<AtomicBool>,
    refused: Arc<Mutex<Option<String>>>,
}

impl Job for Probe {
    fn run(&mut self, _tx: &mut Tx<'_>) -> std::result::Result<(), JobError> {
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        *self.refused.lock() = outcome.err().map(|error| error.to_string());
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }
}

fn push(queue: &Queue, bytes: usize) -> std::result::Result<(), String> {
    let pushed = queue.push(Box::new(Probe::default()), bytes);
    pushed.map_err(|error| error.to_string())
}

fn taken(queue: &Queue, max_jobs: usize, max_bytes: usize) -> usize {
    match queue.take(max_jobs, max_bytes, Duration::ZERO) {
        Work::Batch(jobs) => jobs.len(),
        Work::Idle | Work::Closed => 0,
    }
}

#[test]
fn a_full_queue_refuses_but_takes_one_job_of_any_size() {
    let queue = Queue::new(2_000, SECOND);
    push(&queue, 5_000).unwrap();
    let refused = push(&queue, 0).unwrap_err();
    assert!(refused.contains("the write queue is full"), "{refused}");
    assert_eq!(taken(&queue, 10, usize::MAX), 1);
    // 256 bytes of each are its own.
    push(&queue, 1_000 - 256).unwrap();
    push(&queue, 1_000 - 256).unwrap();
    push(&queue, 1).unwrap_err();
    assert_eq!(taken(&queue, 1, usize::MAX), 1);
    push(&queue, 1_000 - 256).unwrap();
    push(&queue, 1).unwrap_err();
}

#[test]
fn a_queue_whose_oldest_job_waits_too_long_refuses() {
    let queue = Queue::new(usize::MAX, Duration::from_millis(1));
    push(&queue, 0).unwrap();
    std::thread::sleep(Duration::from_millis(5));
    let refused = push(&queue, 0).unwrap_err();
    assert!(refused.contains("writes wait too long already"), "{refused}");
    assert_eq!(taken(&queue, 10, usize::MAX), 1);
    push(&queue, 0).unwrap();
}

#[test]
fn a_batch_is_bounded_by_jobs_and_bytes() {
    let queue = Queue::new(usize::MAX, SECOND);
    for _ in 0..5 {
        push(&queue, 744).unwrap();
    }
    assert_eq!(taken(&queue, 2, usize::MAX), 2);
    assert_eq!(taken(&queue, 10, 1_999), 1);
    assert_eq!(taken(&queue, 10, 0), 1);
    assert_eq!(taken(&queue, 10, 2_000), 1);
    assert_eq!(taken(&queue, 10, 2_000), 0);
}

#[test]
fn abandoned_jobs_are_left_out() {
    let queue = Queue::new(usize::MAX, SECOND);
    let abandoned = Probe::default();
    abandoned.abandoned.store(true, Ordering::SeqCst);
    queue.push(Box::new(abandoned.clone()), 0).unwrap();
    push(&queue, 0).unwrap();
    queue.push(Box::new(abandoned), 0).unwrap();
    assert_eq!(taken(&queue, 10, usize::MAX), 1);
    assert_eq!(queue.waiting(), 0);
}

#[test]
fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
    let queue = Queue::new(usize::MAX, SECOND);
    push(&queue, 0).unwrap();
    queue.close("the store is closed");
    let refused = push(&queue, 0).unwrap_err();
    assert!(refused.contains("the store is closed"), "{refused}");
    assert_eq!(taken(&queue, 10, usize::MAX), 1);
    assert!(matches!(queue.take(10, usize::MAX, SECOND), Work::Closed));
}

#[test]
fn a_suspended_queue_refuses_what_waits_and_what_comes_until_it_resumes() {
    let queue = Queue::new(usize::MAX, SECOND);
    let waiting = Probe::default();
    queue.push(Box::new(waiting.clone()), 0).unwrap();
    queue.suspend("being opened again");
    let refused = waiting.refused.lock().clone().unwrap();
    assert!(refused.contains("being opened again"), "{refused}");
    push(&queue, 0).unwrap_err();
    assert!(queue.resume("being opened again"));
    push(&queue, 0).unwrap();
    assert_eq!(taken(&queue, 10, usize::MAX), 1);

    queue.suspend("being opened again");
    queue.close("the store is closed");
    assert!(!queue.resume("being opened again"));
    push(&queue, 0).unwrap_err();
}

#[test]
fn a_waiting_writer_is_woken_by_a_push() {
    let queue = Arc::new(Queue::new(usize::MAX, SECOND));
    let other = Arc::clone(&queue);
    let began = Instant::now();
    let waiting = std::thread::spawn(move || match other.take(10, usize::MAX, 20 * SECOND) {
        Work::Batch(jobs) => jobs.len(),
        Work::Idle | Work::Closed => 0,
    });
    push(&queue, 0).unwrap();
    assert_eq!(waiting.join().unwrap(), 1);
    assert!(began.elapsed() < 10 * SECOND);
}

#[test]
fn beside_a_flush_few_jobs_wait_for_its_end() {
    let queue = Arc::new(Queue::new(usize::MAX, SECOND));
    queue.flush_begins();
    push(&queue, 1).unwrap();
    let writer = {
        let queue = Arc::clone(&queue);
        std::thread::spawn(move || match queue.take(100, usize::MAX, 60 * SECOND) {
            Work::Batch(jobs) => jobs.len(),
            Work::Idle | Work::Closed => 0,
        })
    };
    while queue.state.lock().awaited.is_none() {
        std::thread::yield_now();
    }
    push(&queue, 1).unwrap();
    assert!(queue.state.lock().awaited.is_some());
    assert_eq!(queue.waiting(), 2);
    queue.flush_ended();
    assert_eq!(writer.join().unwrap(), 2);
}

#[test]
fn beside_a_flush_many_jobs_or_bytes_are_taken() {
    let many_jobs = (0..WORTH.jobs).map(|_| 1).collect();
    for sizes in [many_jobs, vec![WORTH.bytes]] {
        let queue = Queue::new(usize::MAX, SECOND);
        queue.flush_begins();
        sizes.iter().for_each(|size| push(&queue, *size).unwrap());
        // Not after a wait, which would be for a minute.
        match queue.take(1_000, usize::MAX, 60 * SECOND) {
            Work::Batch(jobs) => assert_eq!(jobs.len(), sizes.len()),
            Work::Idle | Work::Closed => panic!("nothing was taken"),
        }
    }
}

#[test]
fn much_that_comes_or_was_taken_has_a_flush_beside_the_next_transaction() {
    let queue = Queue::new(usize::MAX, SECOND);
    push(&queue, 1).unwrap();
    assert_eq!(taken(&queue, 1_000, usize::MAX), 1);
    assert!(!queue.flush_begins());
    assert!(queue.flush_begins(), "one is not flushed yet");
    queue.flush_ended();
    queue.flush_ended();

    for _ in 0..WORTH.jobs {
        push(&queue, 1).unwrap();
    }
    assert!(queue.flush_begins(), "much has come");
    queue.flush_ended();
    assert_eq!(taken(&queue, 1_000, usize::MAX), WORTH.jobs);
    assert!(queue.flush_begins(), "much was taken");
    queue.flush_ended();

    push(&queue, WORTH.bytes).unwrap();
    assert_eq!(taken(&queue, 1_000, usize::MAX), 1);
    assert!(queue.flush_begins(), "many bytes were taken");
}
