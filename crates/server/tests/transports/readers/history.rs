use reqwest::Method;
use serde_json::Value;
use testkit::soon;

use super::{Answer, Ask, Heard};
use crate::world::{World, json_or_code};

/// A reader of history, small page by small page.
pub struct Reader<'a> {
    world: &'a World,
    ask: Ask,
    position: String,
}

impl<'a> Reader<'a> {
    pub async fn open(world: &'a World, ask: Ask) -> Result<Self, u64> {
        let reader = Self {
            world,
            ask,
            position: "0".to_owned(),
        };
        reader.page().await?;
        Ok(reader)
    }

    async fn page(&self) -> Result<Value, u64> {
        let query = self.ask.query(&self.position);
        let path = format!("/api/messaging/{}/history{query}&limit=7", self.ask.channel);
        let request = self.world.request(Method::GET, &path, &self.ask.credential);
        json_or_code(soon("a page", request.send()).await.unwrap()).await
    }

    pub async fn next(&mut self) -> Answer {
        let page = self.page().await.unwrap();
        self.position = page["nextSince"].as_str().unwrap().to_owned();
        let messages = page["messages"].as_array().unwrap();
        Answer {
            messages: messages.iter().map(Heard::of).collect(),
            gap: page.get("gap").is_some(),
        }
    }

    pub async fn cut(&mut self) {
        self.page().await.unwrap();
    }
}
