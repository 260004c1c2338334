/// Bytes of a frame's head at most: 2, the extended length (8) and the mask (4).
pub const MAX_HEAD: usize = 14;
/// Bytes of a control frame's payload at most (RFC 6455, 5.5).
pub const MAX_CONTROL: usize = 125;

/// What a frame is (RFC 6455, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// Goes on with a fragmented message.
    Continuation = 0,
    /// Begins a text message.
    Text = 1,
    /// Begins a binary message.
    Binary = 2,
    /// Ends the connection.
    Close = 8,
    /// Asks for a pong.
    Ping = 9,
    /// Answers a ping.
    Pong = 10,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Whether it stands between the frames of messages.
    pub fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// The head of a client's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Whether it is the last frame of its message.
    pub is_final: bool,
    /// What it is.
    pub opcode: Opcode,
    /// Bytes of the payload.
    pub length: u64,
    /// What the payload is masked with.
    pub mask: [u8; 4],
}

impl Head {
    /// Reads a head; `None` while it is not whole. Its bytes are as many as [`Head::size`] says.
    ///
    /// # Errors
    /// What the client did against RFC 6455, for the reason of a close frame.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, &'static str> {
        let &[first, second, ..] = bytes else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err("a frame has reserved bits set: no extension was agreed on");
        }
        let opcode = Opcode::of(first & 0x0f).ok_or("a frame has an unknown opcode")?;
        let is_final = first & 0x80 != 0;
        if second & 0x80 == 0 {
            return Err("a frame of a client is not masked");
        }
        if opcode.is_control() && (!is_final || second & 0x7f > MAX_CONTROL as u8) {
            return Err("a control frame is fragmented or longer than 125 bytes");
        }
        if bytes.len() < Self::size(second) {
            return Ok(None);
        }
        let (length, rest) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes([bytes[2], bytes[3]])), &bytes[4..]),
            127 => {
                let mut length = [0; 8];
                length.copy_from_slice(&bytes[2..10]);
                (u64::from_be_bytes(length), &bytes[10..])
            }
            short => (u64::from(short), &bytes[2..]),
        };
        if length >> 63 != 0 {
            return Err("a frame has a length of more than 63 bits");
        }
        let mask = [rest[0], rest[1], rest[2], rest[3]];
        Ok(Some(Self {
            is_final,
            opcode,
            length,
            mask,
        }))
    }

    /// Bytes of a masked head whose second byte is this.
    pub fn size(second: u8) -> usize {
        match second & 0x7f {
            126 => 8,
            127 => MAX_HEAD,
            _ => 6,
        }
    }
}

/// Removes a mask (RFC 6455, 5.3); `at` is how many bytes of the payload came before these.
pub fn unmask(bytes: &mut [u8], mask: [u8; 4], at: u64) {
    let shift = (at % 4) as usize;
    let mask = [0, 1, 2, 3].map(|place| mask[(place + shift) % 4]);
    let wide = u64::from_ne_bytes([
        mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3],
    ]);
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        chunk.copy_from_slice(&(u64::from_ne_bytes(word) ^ wide).to_ne_bytes());
    }
    for (place, byte) in chunks.into_remainder().iter_mut().enumerate() {
        *byte ^= mask[place % 4];
    }
}

/// Writes the head of a server's frame, whole and not masked.
pub fn write_head(out: &mut Vec<u8>, opcode: Opcode, length: usize) {
    out.push(0x80 | opcode as u8);
    match length {
        0..=125 => out.push(length as u8),
        126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}
