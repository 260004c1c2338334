//! The body of an import on its way from the connection to the thread that parses it while the rest arrives.

use std::io::{self, Read};

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt as _;
use model::inbox::ClientTypes;
use model::limits::Limits;
use tokio::sync::mpsc;

use super::ndjson::{Parsed, Parser, Refused};

/// Pieces on their way at most; a piece is as large as what one read of the connection gives, at most 64 KiB.
const PIECES: usize = 16;
/// Bytes parsed at once.
const BUFFER: usize = 64 * 1024;
/// The window of zstd that HTTP allows, as a power of two: 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

/// Sends a body to a [`Reader`].
pub(super) struct Sender(mpsc::Sender<Piece>);

/// Reads a body in a thread of its own. Fails if the body did not come to its end.
pub(super) struct Reader {
    pieces: mpsc::Receiver<Piece>,
    current: Bytes,
    /// Bytes that may still come, as they come: a compressed body may be long and hold nothing.
    room: usize,
    ended: bool,
}

enum Piece {
    Data(Bytes),
    /// The body came whole. Where the pieces end without it, the sender is gone.
    End,
}

/// Why a body gives no messages.
#[derive(Debug, thiserror::Error)]
pub(super) enum ParseError {
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The compression does not hold, or the body did not come whole.
    #[error("the body cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// A sender and its reader, for a body of at most `limit` bytes.
pub(super) fn channel(limit: usize) -> (Sender, Reader) {
    let (sender, pieces) = mpsc::channel(PIECES);
    (
        Sender(sender),
        Reader {
            pieces,
            current: Bytes::new(),
            room: limit,
            ended: false,
        },
    )
}

impl Encoding {
    /// What `Content-Encoding` says.
    ///
    /// # Errors
    /// Another encoding, or several, as text.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, String> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let (first, further) = (values.next(), values.next());
        let Some(value) = first else {
            return Ok(Self::Identity);
        };
        let name = String::from_utf8_lossy(value.as_bytes())
            .trim()
            .to_ascii_lowercase();
        match (name.as_str(), further) {
            ("" | "identity", None) => Ok(Self::Identity),
            ("gzip" | "x-gzip", None) => Ok(Self::Gzip),
            ("zstd", None) => Ok(Self::Zstd),
            _ => Err(format!(
                "Content-Encoding: expected gzip, zstd or identity, found {name:?}"
            )),
        }
    }
}

impl Sender {
    /// Sends the body on as it arrives, until its end or until the reader wants no more.
    ///
    /// # Errors
    /// The body did not come whole.
    pub(super) async fn forward(self, mut body: Body) -> Result<(), axum::Error> {
        loop {
            let frame = tokio::select! {
                frame = body.frame() => frame,
                () = self.0.closed() => return Ok(()),
            };
            let Some(frame) = frame else { break };
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if self.0.send(Piece::Data(data)).await.is_err() {
                return Ok(());
            }
        }
        // A reader that is gone has said why itself.
        let _ = self.0.send(Piece::End).await;
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Piece::Data(data)) if data.len() > self.room => {
                    return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too many bytes"));
                }
                Some(Piece::Data(data)) => {
                    self.room -= data.len();
                    self.current = data;
                }
                Some(Piece::End) => self.ended = true,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::ConnectionAborted,
                        "it did not come whole",
                    ));
                }
            }
        }
        let count = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// Parses a body as it comes. Blocks the thread.
pub(super) fn parse(
    reader: Reader,
    encoding: Encoding,
    clients: &ClientTypes,
    limits: &Limits,
) -> Result<Parsed, ParseError> {
    let mut source: Box<dyn Read> = match encoding {
        Encoding::Identity => Box::new(reader),
        Encoding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(reader)),
        Encoding::Zstd => {
            let mut decoder = zstd::Decoder::new(reader)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
    };
    let mut parser = Parser::new(clients, limits);
    let mut buffer = vec![0; BUFFER];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(parser.finish()?),
            Ok(count) => parser.feed(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(Refused::TooManyBytes {
                    limit: limits.import_bytes,
                }
                .into());
            }
            Err(error) => return Err(error.into()),
        }
    }
}
