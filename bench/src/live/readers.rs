use std::cell::RefCell;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::counted::Counted;
use super::target::Target;
use super::transport::Transport;

/// What one read takes at most, with what was left to be seen again.
const READ: usize = 256 * 1024;
/// How long a reader may take to be subscribed.
const PATIENCE: Duration = Duration::from_secs(20);

thread_local! {
    /// Shared by all readers of a thread: thousands of buffers would be memory of the load's own.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// What becomes of the bytes that a reader receives.
pub trait Sees {
    /// Takes them; how many at the end are to be seen again with those that follow.
    fn see(&mut self, bytes: &[u8]) -> anyhow::Result<usize>;

    /// Whether nothing more is to be read.
    fn is_complete(&self) -> bool {
        false
    }
}

/// Readers that end with the value.
pub struct Readers(JoinSet<()>);

impl Readers {
    /// Opens so many readers on each of so many channels.
    pub async fn open(
        target: &Target,
        transport: Transport,
        channels: usize,
        each: usize,
        counted: &Arc<Counted>,
    ) -> anyhow::Result<Self> {
        let mut readers = JoinSet::new();
        for number in 0..channels * each {
            let opened = timeout(PATIENCE, transport.open(target, number % channels)).await;
            let (stream, rest) = opened
                .map_err(anyhow::Error::from)
                .flatten()
                .with_context(|| format!("reader {} of {}", number + 1, channels * each))?;
            let mut counted = Arc::clone(counted);
            readers.spawn(async move {
                // A reader that ends is missed by the count of deliveries.
                match read(transport, &stream, rest, &mut counted).await {
                    Ok(()) => eprintln!("reader {} was closed by the server", number + 1),
                    Err(error) => eprintln!("reader {} failed: {error:#}", number + 1),
                }
            });
        }
        // Some servers have a reader only a moment after they have answered it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(Self(readers))
    }

    /// How many still read.
    pub fn count(&mut self) -> usize {
        while self.0.try_join_next().is_some() {}
        self.0.len()
    }
}

/// Reads until all is there or the server has closed, and answers pings where the transport has some.
pub async fn read(
    transport: Transport,
    stream: &TcpStream,
    mut carried: Vec<u8>,
    sees: &mut impl Sees,
) -> anyhow::Result<()> {
    transport.answer_pings(stream, &carried, 0)?;
    let again = sees.see(&carried)?;
    carried.drain(..carried.len() - again);
    while !sees.is_complete() {
        stream.readable().await?;
        let ended = BUFFER.with_borrow_mut(|buffer| {
            let start = carried.len();
            buffer[..start].copy_from_slice(&carried);
            match stream.try_read(&mut buffer[start..]) {
                Ok(0) => Ok(true),
                Ok(read) => {
                    let bytes = &buffer[..start + read];
                    transport.answer_pings(stream, bytes, start)?;
                    let again = sees.see(bytes)?;
                    carried.clear();
                    carried.extend_from_slice(&bytes[bytes.len() - again..]);
                    Ok(false)
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(true),
                Err(error) => Err(anyhow::Error::from(error)),
            }
        })?;
        if ended {
            return Ok(());
        }
    }
    Ok(())
}
