/// Why a connection is closed (RFC 6455, 7.4). The codes that a client sees are listed in
/// `docs/realtime.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The purpose is fulfilled; also the answer to a close without a code.
    pub const NORMAL: Self = Self(1000);
    /// The server is shutting down.
    pub const GOING_AWAY: Self = Self(1001);
    /// Frames that break RFC 6455.
    pub const PROTOCOL: Self = Self(1002);
    /// Text that is not UTF-8.
    pub const NOT_UTF8: Self = Self(1007);
    /// A message that is larger than may be.
    pub const TOO_BIG: Self = Self(1009);
    /// An error of the server.
    pub const INTERNAL: Self = Self(1011);

    /// Whether a peer may send this code in a close frame (RFC 6455, 7.4.1 and 7.4.2).
    pub fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}
