use uuid::Uuid;

use crate::time::UnixMillis;

/// Where all code takes randomness from, so that tests can fix it.
pub trait IdSource: Send + Sync + 'static {
    /// Fills `bytes` with random bytes fit for secrets.
    fn fill(&self, bytes: &mut [u8]);

    /// A random UUID (RFC 9562, version 4).
    fn random_uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A random 64-bit number.
    fn random_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_ne_bytes(bytes)
    }
}

/// A UUIDv7 (RFC 9562) of the given time whose 74 free bits are `random`.
pub fn uuid_v7(at: UnixMillis, random: &[u8; 10]) -> Uuid {
    let millis = u64::try_from(at.0).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, random).into_uuid()
}
