use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over the file's bytes with rate and time left; draws nothing where stderr is no terminal.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    /// Bytes sent with requests that are done.
    settled: Arc<AtomicU64>,
    /// Bytes sent with the request under way.
    sending: Arc<AtomicU64>,
}

impl Progress {
    /// `size` is the file's, if it has one.
    pub fn new(size: Option<u64>, visible: bool) -> Self {
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let template = if size.is_some() {
            "{bar:30} {percent:>3}%  {msg}  {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left"
        } else {
            "{spinner}  {msg}  {bytes}  {bytes_per_sec}"
        };
        let bar = ProgressBar::with_draw_target(size, target);
        // The template is a constant; were it wrong, the default style would do.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            settled: Arc::default(),
            sending: Arc::default(),
        }
    }

    /// A request begins, or begins again: what an earlier try sent does not count.
    pub fn start_request(&self) {
        self.sending.store(0, Ordering::Relaxed);
        self.draw();
    }

    /// Bytes are on their way.
    pub fn sent(&self, bytes: usize) {
        self.sending.fetch_add(bytes as u64, Ordering::Relaxed);
        self.draw();
    }

    /// A request is done; `documents` so far.
    pub fn imported(&self, documents: u64) {
        self.settled
            .fetch_add(self.sending.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        self.bar.set_message(format!("{documents} messages"));
        self.draw();
    }

    /// Hides the bar while something else is printed.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Takes the bar away: the summary follows.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn draw(&self) {
        self.bar
            .set_position(self.settled.load(Ordering::Relaxed) + self.sending.load(Ordering::Relaxed));
    }
}
