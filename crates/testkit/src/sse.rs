use std::collections::VecDeque;

use reqwest::Response;

use crate::soon;

/// An event as an EventSource would dispatch it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `event:`, or `message`.
    pub name: String,
    /// The lines of `data:`, joined by line feeds.
    pub data: String,
    /// The last event id at that time.
    pub id: String,
}

impl Event {
    /// The data as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {}", self.data))
    }
}

/// An open event stream, read as the WHATWG HTML standard, 9.2.6, says.
pub struct Events {
    response: Response,
    parser: Parser,
    ready: VecDeque<Event>,
}

impl Events {
    /// Takes over an answer that must be an event stream.
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200, "expected an event stream");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            parser: Parser::default(),
            ready: VecDeque::new(),
        }
    }

    /// The next event; `None` when the server ends the stream.
    pub async fn next(&mut self) -> Option<Event> {
        soon("an event", async {
            loop {
                if let Some(event) = self.ready.pop_front() {
                    return Some(event);
                }
                self.read().await?;
            }
        })
        .await
    }

    /// Waits until the last event id is set and gives it: the position from which a reconnecting
    /// browser would go on.
    pub async fn last_event_id(&mut self) -> String {
        soon("an id", async {
            while self.parser.last_id.is_none() {
                assert!(self.read().await.is_some(), "the stream ended before any id");
            }
        })
        .await;
        self.parser.last_id.clone().unwrap_or_default()
    }

    /// The comments that came so far.
    pub fn comments(&self) -> usize {
        self.parser.comments
    }

    /// Waits for the next comment.
    pub async fn comment(&mut self) {
        let before = self.parser.comments;
        soon("a comment", async {
            while self.parser.comments == before {
                assert!(self.read().await.is_some(), "the stream ended before a comment");
            }
        })
        .await;
    }

    async fn read(&mut self) -> Option<()> {
        let bytes = self.response.chunk().await.ok()??;
        self.parser.feed(&bytes, &mut self.ready);
        Some(())
    }
}

/// The parser of event streams.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    name: String,
    data: String,
    has_data: bool,
    id: String,
    /// The id of the last block that ended.
    last_id: Option<String>,
    comments: usize,
}

impl Parser {
    /// Reads bytes and adds the events that are complete.
    pub fn feed(&mut self, bytes: &[u8], events: &mut VecDeque<Event>) {
        for byte in bytes {
            assert_ne!(*byte, b'\r', "the server ends lines by line feeds");
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.take_line(std::str::from_utf8(&line).unwrap(), events);
            } else {
                self.line.push(*byte);
            }
        }
    }

    fn take_line(&mut self, line: &str, events: &mut VecDeque<Event>) {
        if line.is_empty() {
            self.dispatch(events);
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => self.comments += 1,
            "event" => self.name = value.to_owned(),
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "id" => self.id = value.to_owned(),
            "retry" => {}
            _ => panic!("unknown field {field:?}"),
        }
    }

    /// A block without data dispatches nothing, but its id counts.
    fn dispatch(&mut self, events: &mut VecDeque<Event>) {
        if !self.id.is_empty() {
            self.last_id = Some(self.id.clone());
        }
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if std::mem::take(&mut self.has_data) {
            let name = if name.is_empty() {
                "message".to_owned()
            } else {
                name
            };
            events.push_back(Event {
                name,
                data,
                id: self.id.clone(),
            });
        }
    }
}
