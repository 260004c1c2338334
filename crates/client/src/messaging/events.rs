use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING};
use reqwest::{Method, RequestBuilder, Response};
use tokio::time::timeout;

use crate::sse::{Event, Item, Parser};
use crate::{Client, Error};

/// Three heartbeats (one every 15 s, api.md 3.6): a connection that misses them all is dead.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);
/// Above any time-out of a live stream; a per-request one overrides the client's.
const NO_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Where and how to read a channel live (api.md 3.6).
#[derive(Debug, Clone, Default)]
pub struct EventsQuery {
    /// Position (exclusive), `all`, or a duration such as `10m`; default: from now on.
    pub since: Option<String>,
    /// The last position seen, sent as `Last-Event-ID`; it goes before `since`.
    pub last_event_id: Option<String>,
    /// Condition over headers (api.md 3.4).
    pub selector: Option<String>,
    /// Subtopic pattern (api.md 3.5).
    pub subtopic: Option<String>,
}

/// One live stream; it ends with its connection. [`super::subscription`] goes on after that.
#[derive(Debug)]
pub struct Events {
    client: Client,
    response: Response,
    parser: Parser,
    position: Option<String>,
}

impl Client {
    /// Opens a live stream of a channel.
    ///
    /// # Errors
    /// Refusals of api.md 3.1.
    pub async fn events(&self, channel: &str, query: &EventsQuery) -> Result<Events, Error> {
        let resuming = query.last_event_id.as_deref();
        let parameters = [
            ("since", query.since.as_deref().filter(|_| resuming.is_none())),
            ("selector", query.selector.as_deref()),
            ("subtopic", query.subtopic.as_deref()),
        ];
        let request = self.messaging(Method::GET, &[channel, "events"], &parameters)?;
        self.open_events(request, resuming).await
    }

    /// Opens a live stream, of a channel or of an inbox, behind the last event seen.
    pub(crate) async fn open_events(
        &self,
        request: RequestBuilder,
        resuming: Option<&str>,
    ) -> Result<Events, Error> {
        // A compressing proxy would hold events back until its buffer is full.
        let mut request = request
            .timeout(NO_TIMEOUT)
            .header(ACCEPT, "text/event-stream")
            .header(ACCEPT_ENCODING, "identity");
        if let Some(id) = resuming {
            request = request.header("last-event-id", id);
        }
        // The head comes at once, whatever happens on the stream.
        let response = timeout(SILENCE_LIMIT, self.send(request))
            .await
            .map_err(|_| Error::Silent(SILENCE_LIMIT))??;
        Ok(Events {
            client: self.clone(),
            response,
            parser: Parser::default(),
            position: None,
        })
    }
}

impl Events {
    /// The next event; `None` once the server has closed the stream. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Transport`] for a cut connection, [`Error::Silent`] without heartbeats,
    /// [`Error::Stream`] for an event over the bound.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            while let Some(item) = self.parser.pop() {
                match item {
                    Item::Position(id) => self.position = Some(id),
                    Item::Event(event) => {
                        if !event.id.is_empty() {
                            self.position = Some(event.id.clone());
                        }
                        return Ok(Some(event));
                    }
                }
            }
            let chunk = timeout(SILENCE_LIMIT, self.response.chunk())
                .await
                .map_err(|_| Error::Silent(SILENCE_LIMIT))?;
            let Some(chunk) = chunk.map_err(|source| self.client.transport(source))? else {
                return Ok(None);
            };
            self.parser.feed(&chunk)?;
        }
    }

    /// Position after everything that [`Self::next`] has given so far, heartbeats included.
    #[must_use]
    pub fn position(&self) -> Option<&str> {
        self.position.as_deref()
    }

    /// How long the server asked to wait before reconnecting.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.parser.retry_ms().map(Duration::from_millis)
    }
}
