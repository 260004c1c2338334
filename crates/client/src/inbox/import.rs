use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::{Client, Error};

/// A full request on a slow line; the server itself waits up to 10 s for its turn.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(900);

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// New messages.
    pub imported: u64,
    /// Documents whose id was in the store, or earlier in the body.
    pub duplicates: u64,
    /// The first of those ids.
    pub duplicate_key: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    imported: u64,
}

impl Client {
    /// Imports messages: a body of JSON documents separated by `\r\n` or `\n`, at most 25,000 and 64 MiB
    /// (api.md 4). A 409 with its counts is a good outcome: everything new is in.
    ///
    /// # Errors
    /// 400 names the line, field and reason, and nothing is in; so with 413. After [`Error::Transport`] some
    /// may be in: import the same again.
    pub async fn import<S>(&self, body: S) -> Result<Imported, Error>
    where
        S: Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
    {
        let request = self
            .inbox(Method::POST, &["messages", "import"], &[])?
            .timeout(IMPORT_TIMEOUT)
            .header(CONTENT_TYPE, "application/json; boundary=NL")
            .body(reqwest::Body::wrap_stream(body));
        match self.json::<Answer<Data>>("import", request).await {
            Ok(answer) => Ok(Imported {
                imported: answer.data.imported,
                duplicates: 0,
                duplicate_key: None,
            }),
            Err(Error::Refused(refusal)) if refusal.status == 409 => {
                match (refusal.imported, refusal.duplicates) {
                    (Some(imported), Some(duplicates)) => Ok(Imported {
                        imported,
                        duplicates,
                        duplicate_key: refusal.duplicate_key,
                    }),
                    _ => Err(refusal.into()),
                }
            }
            Err(error) => Err(error),
        }
    }
}
