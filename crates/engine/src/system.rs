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
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    /// # Panics
    /// If the operating system has no randomness to give: nothing that is secret or unique can be made then.
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
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
    }
}
