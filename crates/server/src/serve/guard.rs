//! A TCP socket that keeps its place among the open connections for as long as it lives, whoever holds
//! it (an upgrade takes it away from hyper), and fails when its peer takes no bytes.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};
use tokio_util::task::task_tracker::TaskTrackerToken;

pub(super) struct GuardedTcp {
    tcp: TcpStream,
    peer: SocketAddr,
    stall_timeout: Duration,
    /// Runs only while a write waits for the peer.
    stall: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
    /// `run` returns only when every socket is gone.
    _alive: TaskTrackerToken,
}

impl GuardedTcp {
    pub(super) fn new(
        tcp: TcpStream,
        peer: SocketAddr,
        stall_timeout: Duration,
        place: OwnedSemaphorePermit,
        alive: TaskTrackerToken,
    ) -> Self {
        Self {
            tcp,
            peer,
            stall_timeout,
            stall: None,
            _place: place,
            _alive: alive,
        }
    }

    /// Who is on the other side.
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Fails once the client has closed its side behind all that was read; until then the task is woken
    /// when it does. Costs no system call as long as nothing comes.
    ///
    /// # Errors
    /// `UnexpectedEof`, or what the socket says.
    pub(super) fn fail_if_ended(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut byte = [MaybeUninit::uninit()];
        match self.tcp.poll_peek(cx, &mut ReadBuf::uninit(&mut byte)) {
            Poll::Ready(Ok(0)) => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the client went away",
            )),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(_)) | Poll::Pending => Ok(()),
        }
    }

    /// Writes what the socket takes now.
    ///
    /// # Errors
    /// `WouldBlock` when it takes nothing, or what the socket says.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.try_write(bytes)
    }

    fn watch_write(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let limit = self.stall_timeout;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(limit)));
        if stall.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        tracing::info!(
            peer.ip = %self.peer.ip(),
            stalled_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            "closing a connection whose peer takes no bytes"
        );
        // Else the kernel keeps the unsent bytes for minutes more.
        if let Err(error) = socket2::SockRef::from(&self.tcp).set_linger(Some(Duration::ZERO)) {
            tracing::debug!(%error, "the socket could not be set to close hard");
        }
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the peer took no bytes",
        )))
    }
}

impl AsyncRead for GuardedTcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for GuardedTcp {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        self.watch_write(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write_vectored(cx, slices);
        self.watch_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
