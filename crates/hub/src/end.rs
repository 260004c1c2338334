use std::sync::Arc;

/// Why a stream ends: what `event: end` tells the client (api.md 3.6). Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndReason {
    /// An error code of api.md 3.1.
    pub code: u32,
    /// What happened, for people.
    pub message: Arc<str>,
}
