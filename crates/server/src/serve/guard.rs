//! A TCP socket that keeps its place among the open connections for as long as it lives, whoever holds
//! it (an upgrade takes it away from hyper), and fails when its peer takes no bytes.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Sleep, sleep};
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Tells wakers apart without holding one.
type WakerId = (usize, usize);

fn id(waker: &Waker) -> WakerId {
    (waker.data().addr(), std::ptr::from_ref(waker.vtable()).addr())
}

/// Whether whoever answered so has kept the waker. A task whose budget is used up is told to wait without
/// that: it is woken at once, to ask again.
pub(super) fn has_kept_waker<T>(polled: &Poll<T>) -> bool {
    polled.is_pending() && has_budget_remaining()
}

pub(super) struct GuardedTcp {
    tcp: TcpStream,
    peer: SocketAddr,
    stall_timeout: Duration,
    /// Runs only while a write waits for the peer.
    stall: Option<Pin<Box<Sleep>>>,
    /// Whom the socket wakes when there is something to read.
    reader: Option<WakerId>,
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
            reader: None,
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
        let reader = id(cx.waker());
        if self.reader == Some(reader) && !self.is_readable() {
            return Ok(());
        }
        let mut byte = [MaybeUninit::uninit()];
        let peeked = self.tcp.poll_peek(cx, &mut ReadBuf::uninit(&mut byte));
        self.reader = has_kept_waker(&peeked).then_some(reader);
        match peeked {
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

    /// Whether a read may bring something, as far as the runtime was told: no system call, no lock.
    fn is_readable(&self) -> bool {
        let ready = self.tcp.try_io(Interest::READABLE, || Ok(()));
        !matches!(ready, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
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
        // Most polls of a task are for something else: to leave the same waker again costs a lock.
        let reader = id(cx.waker());
        if self.reader == Some(reader) && !self.is_readable() {
            return Poll::Pending;
        }
        let read = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        self.reader = has_kept_waker(&read).then_some(reader);
        read
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
