use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::assembler::{Assembler, Incoming, Violation};
use super::output::Output;

/// Bytes read at once, on the stack of whoever polls.
const READ: usize = 4 * 1024;

/// Frames over a socket. It holds what the peer has not taken yet and the message that is not whole yet,
/// and nothing else: an idle one has no buffers.
///
/// Poll it from one task. Output is only collected ([`Output::text`] and the like) until
/// [`Transport::poll_flush`] writes it; whoever wants a bounded memory adds output only while
/// [`Transport::is_flushed`].
#[derive(Debug)]
pub struct Transport<S> {
    io: S,
    assembler: Assembler,
    /// Bytes that were read behind the last message, from `unread_at` on.
    unread: Vec<u8>,
    unread_at: usize,
    output: Output,
    written: usize,
    /// The socket has everything, but may keep some of it.
    needs_flush: bool,
    /// Bytes came in, or went out, since they were asked for.
    heard: bool,
    progressed: bool,
}

/// What a transport reads.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// What the peer sent.
    Incoming(Incoming),
    /// What the peer did against RFC 6455: say so, close, read no more.
    Violation(Violation),
    /// The peer is gone: it ended its side, or the socket failed.
    Gone,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport<S> {
    /// Frames over a socket whose handshake is done; takes messages of at most so many bytes.
    pub fn new(io: S, max_message: usize) -> Self {
        Self {
            io,
            assembler: Assembler::new(max_message),
            unread: Vec::new(),
            unread_at: 0,
            output: Output::default(),
            written: 0,
            needs_flush: false,
            heard: false,
            progressed: false,
        }
    }

    /// What the peer sends next. Answers nothing by itself, not even pings ([`Output::pong`]).
    pub fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if let Some(received) = self.take_unread() {
            return Poll::Ready(received);
        }
        let mut space = [const { MaybeUninit::uninit() }; READ];
        loop {
            let mut buffer = ReadBuf::uninit(&mut space);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => return Poll::Ready(Received::Gone),
                Ok(()) => {}
                Err(error) => {
                    tracing::debug!(%error, "reading from a WebSocket failed");
                    return Poll::Ready(Received::Gone);
                }
            }
            self.heard = true;
            if let Some(received) = self.take(buffer.filled_mut()) {
                return Poll::Ready(received);
            }
        }
    }

    /// Goes on where the last message ended.
    fn take_unread(&mut self) -> Option<Received> {
        if self.unread.is_empty() {
            return None;
        }
        let mut bytes = &mut self.unread[self.unread_at..];
        let taken = self.assembler.take(&mut bytes);
        let left = bytes.len();
        self.unread_at = self.unread.len() - left;
        if self.unread_at == self.unread.len() {
            self.unread = Vec::new();
            self.unread_at = 0;
        }
        received(taken)
    }

    /// Takes what was just read, and keeps what stands behind a message for the next time.
    fn take(&mut self, mut bytes: &mut [u8]) -> Option<Received> {
        let taken = self.assembler.take(&mut bytes);
        if !bytes.is_empty() {
            self.unread = bytes.to_vec();
        }
        received(taken)
    }

    /// Writes all output in as few writes as the socket takes; ready once it has taken everything.
    ///
    /// # Errors
    /// The socket failed: the peer is gone.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.output.bytes.len() {
            let rest = &self.output.bytes[self.written..];
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
            self.progressed = true;
            self.needs_flush = true;
        }
        if self.needs_flush {
            self.output.bytes = Vec::new();
            self.written = 0;
            ready!(Pin::new(&mut self.io).poll_flush(cx))?;
            self.needs_flush = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Drops all output, if the socket has taken nothing of it; false when it has.
    pub fn take_back(&mut self) -> bool {
        let is_untouched = self.written == 0 && !self.needs_flush;
        if is_untouched {
            self.output.bytes = Vec::new();
        }
        is_untouched
    }

    /// What is to be written: add to it, then [`Transport::poll_flush`].
    pub fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Whether the socket took all output.
    pub fn is_flushed(&self) -> bool {
        self.output.bytes.is_empty() && !self.needs_flush
    }

    /// Whether anything came in since this was asked last.
    pub fn take_heard(&mut self) -> bool {
        std::mem::take(&mut self.heard)
    }

    /// Whether the socket took anything since this was asked last.
    pub fn take_progressed(&mut self) -> bool {
        std::mem::take(&mut self.progressed)
    }

    /// Ends the server's side of the socket, once everything is flushed.
    ///
    /// # Errors
    /// The socket failed.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    /// Reads and forgets until the peer is gone.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [const { MaybeUninit::uninit() }; READ];
        loop {
            let mut buffer = ReadBuf::uninit(&mut space);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

fn received(taken: Result<Option<Incoming>, Violation>) -> Option<Received> {
    match taken {
        Ok(incoming) => incoming.map(Received::Incoming),
        Err(violation) => Some(Received::Violation(violation)),
    }
}
