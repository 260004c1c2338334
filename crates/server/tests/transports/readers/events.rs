use reqwest::Method;
use testkit::soon;
use testkit::sse::Events;

use super::{Answer, Ask, Heard};
use crate::world::{World, json_or_code};

/// A reader of server-sent events, which resumes as a browser does.
pub struct Reader<'a> {
    world: &'a World,
    ask: Ask,
    events: Option<Events>,
    position: String,
}

impl<'a> Reader<'a> {
    pub async fn open(world: &'a World, ask: Ask) -> Result<Self, u64> {
        let mut reader = Self {
            world,
            ask,
            events: None,
            position: "0".to_owned(),
        };
        reader.connect().await?;
        Ok(reader)
    }

    async fn connect(&mut self) -> Result<&mut Events, u64> {
        let path = format!("/api/messaging/{}/events{}", self.ask.channel, self.ask.query(""));
        let request = self.world.request(Method::GET, &path, &self.ask.credential);
        let request = request.header("Last-Event-ID", &self.position);
        let response = soon("the head of a stream", request.send()).await.unwrap();
        if response.status() != 200 {
            return Err(json_or_code(response).await.unwrap_err());
        }
        Ok(self.events.insert(Events::of(response)))
    }

    pub async fn next(&mut self) -> Answer {
        if self.events.is_none() {
            self.connect().await.unwrap();
        }
        let event = self.events.as_mut().unwrap().next().await.unwrap();
        let gap = event.name == "gap";
        if gap {
            return Answer {
                messages: vec![],
                gap,
            };
        }
        assert_eq!(event.name, "message", "{event:?}");
        self.position = event.id.clone();
        let messages = vec![Heard::of(&event.json())];
        Answer { messages, gap }
    }

    pub fn cut(&mut self) {
        self.events = None;
    }
}
