use serde::{Deserialize, Serialize};

/// How many of its last due times a schedule remembers one by one; of those before it the counts are left.
pub const OCCURRENCES_KEPT: u64 = 10_000;

/// Bytes of a selector; over it 400/5906 (api.md 3.4).
pub const SELECTOR_BYTES: usize = 1_024;

/// Levels of parentheses, `NOT` and signs in a selector; over it 400/5906 (api.md 3.4).
pub const SELECTOR_DEPTH: usize = 32;

/// The limits of an app, each with the status that answers it (api.md 3, 4, 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a publish body; over it 413/5910.
    pub publish_bytes: usize,
    /// Headers of a message; over it 400/5904.
    pub headers: usize,
    /// Bytes of all header names and values of a message; over it 400/5904.
    pub header_bytes: usize,
    /// Channels of the app; over it 429/5913.
    pub channels: u64,
    /// Schedules of the app that wait; over it 429/5913.
    pub schedules: u64,
    /// Schedules or occurrences that one page of a list holds at most.
    pub schedule_page: usize,
    /// Open subscriptions of the app on one node, and polling subscriptions of the app that are kept; over
    /// either 429/5913.
    pub subscriptions: usize,
    /// Open subscriptions of one WebSocket; over it 429/5913.
    pub connection_subscriptions: usize,
    /// Different selectors, with their subtopics, of the app's open subscriptions on one node; over it
    /// 429/5913.
    pub selectors: usize,
    /// Messages that one poll answers with at most; the rest comes with the next.
    pub poll_page: usize,
    /// Messages that one history request answers with at most.
    pub history_page: usize,
    /// Messages that one history request with a selector or subtopic looks through at most.
    pub history_scan: usize,
    /// Messages of one import; over it 413.
    pub import_messages: usize,
    /// Bytes of one import after decompression; over it 413.
    pub import_bytes: usize,
    /// Bytes of one document of an import; over it 400.
    pub import_document_bytes: usize,
    /// Ids of one retract request; over it 413.
    pub retract_ids: usize,
    /// The highest `limit` of an inbox list; over it 400.
    pub inbox_list: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            publish_bytes: 256 * 1024,
            headers: 64,
            header_bytes: 8 * 1024,
            channels: 1_000_000,
            schedules: 2_000_000,
            schedule_page: 1_000,
            subscriptions: 100_000,
            connection_subscriptions: 1_000,
            selectors: 10_000,
            poll_page: 1_000,
            history_page: 1_000,
            history_scan: 10_000,
            import_messages: 25_000,
            import_bytes: 64 * 1024 * 1024,
            import_document_bytes: 64 * 1024,
            retract_ids: 25_000,
            inbox_list: 1_000,
        }
    }
}
