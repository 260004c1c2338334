use std::cell::RefCell;

use model::ids::IdSource;
use model::time::Clock;

/// The wall clock of the machine: the one place that reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else is given"
    )]
    fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// The random numbers of the operating system, fit for secrets: the one place that reads them.
///
/// A draw costs a microsecond whatever its size, and every request and message takes a few bytes: so each
/// thread draws ahead, and forgets what it has given out.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

/// Random bytes that a thread has drawn ahead.
struct Drawn {
    bytes: [u8; 1024],
    /// From here on they are still to be given out.
    next: usize,
}

thread_local! {
    static DRAWN: RefCell<Drawn> = const {
        RefCell::new(Drawn {
            bytes: [0; 1024],
            next: 1024,
        })
    };
}

impl Drawn {
    fn give(&mut self, to: &mut [u8]) {
        if self.bytes.len() - self.next < to.len() {
            draw(&mut self.bytes);
            self.next = 0;
        }
        let given = &mut self.bytes[self.next..][..to.len()];
        to.copy_from_slice(given);
        given.fill(0);
        self.next += to.len();
    }
}

fn draw(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
}

impl IdSource for SystemIds {
    /// # Panics
    /// If the operating system has no randomness to give: nothing that is secret or unique can be made then.
    fn fill(&self, bytes: &mut [u8]) {
        match bytes.len() {
            0..=64 => DRAWN.with_borrow_mut(|drawn| drawn.give(bytes)),
            _ => draw(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_tells_a_time_of_this_century_that_does_not_run_backwards() {
        let first = SystemClock.now();
        assert!(first.0 > 1_700_000_000_000 && first.0 < 4_102_444_800_000);
        assert!(SystemClock.now() >= first);
    }

    #[test]
    fn system_ids_differ() {
        assert_ne!(SystemIds.random_uuid(), SystemIds.random_uuid());
        let (mut one, mut other) = ([0; 32], [0; 32]);
        SystemIds.fill(&mut one);
        SystemIds.fill(&mut other);
        assert_ne!(one, other);
        let many: std::collections::HashSet<_> = (0..1_000).map(|_| SystemIds.random_uuid()).collect();
        assert_eq!(many.len(), 1_000);
        let mut long = [0; 2_000];
        SystemIds.fill(&mut long);
        assert!(long.chunks(100).all(|part| part.iter().any(|byte| *byte != 0)));
    }
}
