//! What hyper reads and writes: a plain or a TLS socket whose first bytes were looked at.

use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::guard::GuardedTcp;
use super::handover::Handover;

/// What an HTTP/2 client sends first (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) enum Stream {
    Plain(GuardedTcp),
    /// Boxed: a plain connection should not carry the size of a TLS session.
    Tls(Box<TlsStream<GuardedTcp>>),
    /// Handed over: who reads waits, who writes errs.
    Gone,
}

pub(super) struct Socket {
    stream: Stream,
    /// Freed once hyper has read it.
    looked_at: Option<Box<LookedAt>>,
    /// Who may take the stream over: hyper serves plain HTTP/1 on it.
    handover: Option<Arc<Handover>>,
    /// Whether the last read brought bytes. Until it asks for more hyper is at work on what it has, and
    /// would not see that the client goes.
    is_at_work: bool,
}

struct LookedAt {
    bytes: [u8; HTTP2_PREFACE.len()],
    start: usize,
    end: usize,
}

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstBytes {
    /// The peer closed before it said enough.
    Nothing,
    Http2Preface,
    Other,
}

impl Socket {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            looked_at: None,
            handover: None,
            is_at_work: false,
        }
    }

    /// Gives the stream up once this asks for it. Only plain ones are ever asked for.
    pub(super) fn hand_over_to(&mut self, handover: Arc<Handover>) {
        self.handover = Some(handover);
    }

    /// Reads until the HTTP/2 preface is complete or ruled out, and keeps the bytes for the reader.
    pub(super) async fn look_at_first_bytes(&mut self) -> io::Result<FirstBytes> {
        let mut bytes = [0; HTTP2_PREFACE.len()];
        let mut end = 0;
        while end < bytes.len() && HTTP2_PREFACE.starts_with(&bytes[..end]) {
            let read = self.stream.read(&mut bytes[end..]).await?;
            if read == 0 {
                return Ok(FirstBytes::Nothing);
            }
            end += read;
        }
        let preface = bytes == *HTTP2_PREFACE;
        self.looked_at = Some(Box::new(LookedAt { bytes, start: 0, end }));
        Ok(if preface {
            FirstBytes::Http2Preface
        } else {
            FirstBytes::Other
        })
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(looked_at) = &mut self.looked_at else {
            let before = buffer.filled().len();
            let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
            self.is_at_work = read.is_ready() && buffer.filled().len() > before;
            return read;
        };
        let unread = &looked_at.bytes[looked_at.start..looked_at.end];
        let taken = unread.len().min(buffer.remaining());
        buffer.put_slice(&unread[..taken]);
        looked_at.start += taken;
        if looked_at.start == looked_at.end {
            self.looked_at = None;
            // The rest of the head is mostly there too. Given in a second read it would make hyper
            // double its buffer, since what is left of that is then less than a full one.
            if let Poll::Ready(Err(error)) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
                return Poll::Ready(Err(error));
            }
        }
        self.is_at_work = true;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        if let Some(handover) = &self.handover {
            handover.wrote([bytes].into_iter(), written);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        if let Some(handover) = &self.handover {
            handover.wrote(slices.iter().map(|slice| &**slice), written);
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        let socket = &mut *self;
        let Some(handover) = &socket.handover else {
            return Poll::Ready(Ok(()));
        };
        match &mut socket.stream {
            stream if handover.wants_socket() => match mem::replace(stream, Stream::Gone) {
                Stream::Plain(tcp) => handover.give(tcp),
                other => *stream = other,
            },
            // hyper flushes at the end of each of its turns.
            Stream::Plain(tcp) if socket.is_at_work => tcp.fail_if_ended(cx)?,
            _ => {}
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
            Self::Gone => Poll::Pending,
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, slices),
            Self::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, slices),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp) => tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
            Self::Gone => false,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}
