/// Bytes in the place of a client's frame that no server may take (RFC 6455, 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFrame {
    /// What is wrong with them.
    pub what: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The close code that says so (RFC 6455, 7.4.1).
    pub code: u16,
}

/// One of every kind. A mask of zeros leaves payloads as they are.
pub fn bad() -> Vec<BadFrame> {
    let frame = |what, bytes: &[u8], code| BadFrame {
        what,
        bytes: bytes.to_vec(),
        code,
    };
    let mut long_ping = vec![0x89, 0x80 | 126, 0, 126, 0, 0, 0, 0];
    long_ping.extend([b'x'; 126]);
    vec![
        frame("not masked", &[0x81, 1, b'x'], 1002),
        frame("the first reserved bit", &[0xc1, 0x80, 0, 0, 0, 0], 1002),
        frame("the second reserved bit", &[0xa1, 0x80, 0, 0, 0, 0], 1002),
        frame("the third reserved bit", &[0x91, 0x80, 0, 0, 0, 0], 1002),
        frame("an unknown opcode", &[0x83, 0x80, 0, 0, 0, 0], 1002),
        frame("an unknown control opcode", &[0x8b, 0x80, 0, 0, 0, 0], 1002),
        frame("a ping in parts", &[0x09, 0x80, 0, 0, 0, 0], 1002),
        frame("a close in parts", &[0x08, 0x80, 0, 0, 0, 0], 1002),
        frame("a ping of more than 125 bytes", &long_ping, 1002),
        frame("a continuation of nothing", &[0x80, 0x80, 0, 0, 0, 0], 1002),
        frame(
            "a message within another",
            &[0x01, 0x81, 0, 0, 0, 0, b'x', 0x81, 0x81, 0, 0, 0, 0, b'x'],
            1002,
        ),
        frame(
            "a length of 64 bits",
            &[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            1002,
        ),
        frame(
            "a length that nobody can send",
            &[
                0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
            ],
            1009,
        ),
        frame("text that is not UTF-8", &[0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
        frame("half a close code", &[0x88, 0x81, 0, 0, 0, 0, 3], 1002),
        frame(
            "a close code that none may send",
            &[0x88, 0x82, 0, 0, 0, 0, 3, 0xed],
            1002,
        ),
        frame(
            "a close reason that is not UTF-8",
            &[0x88, 0x83, 0, 0, 0, 0, 3, 0xe8, 0xff],
            1007,
        ),
    ]
}
