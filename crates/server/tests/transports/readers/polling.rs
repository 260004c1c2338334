use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::soon;

use super::{Answer, Ask, Heard};
use crate::dice::Dice;
use crate::world::{World, json_of, json_or_code};

/// A reader that polls. Once it has given up a poll it says with every other one where it stands: what it gave
/// up may be at work still, and take what comes next.
pub struct Reader<'a> {
    world: &'a World,
    ask: Ask,
    path: String,
    wait: u64,
    position: String,
    is_lost: bool,
}

impl<'a> Reader<'a> {
    pub async fn open(world: &'a World, ask: Ask, wait: u64) -> Result<Self, u64> {
        let path = format!("/api/messaging/{}/subscribe", ask.channel);
        let body = json!({"selector": ask.selector, "subtopic": ask.subtopic});
        let request = world.request(Method::POST, &path, &ask.credential).json(&body);
        let body = json_or_code(soon("a subscription", request.send()).await.unwrap()).await?;
        let id = body["subscriptionId"].as_str().unwrap();
        Ok(Self {
            world,
            path: format!("/api/messaging/{}/{id}", ask.channel),
            ask,
            wait,
            position: "0".to_owned(),
            is_lost: false,
        })
    }

    fn poll(&self) -> RequestBuilder {
        let since = match self.is_lost {
            true => format!("&since={}", self.position),
            false => String::new(),
        };
        let path = format!("{}?wait={}{since}", self.path, self.wait);
        self.world.request(Method::GET, &path, &self.ask.credential)
    }

    pub async fn next(&mut self) -> Answer {
        let answer = json_of(soon("a poll", self.poll().send()).await.unwrap()).await;
        self.position = answer["position"].as_str().unwrap().to_owned();
        Answer {
            messages: answer["messages"].as_array().unwrap().iter().map(heard).collect(),
            gap: answer.get("gap").is_some(),
        }
    }

    /// Gives up a poll after a while, whether its answer is there by then or not.
    pub async fn cut(&mut self, dice: &mut Dice) {
        let patience = Duration::from_micros(dice.below(20_000));
        let _ = tokio::time::timeout(patience, self.poll().send()).await;
        self.is_lost = true;
    }
}

fn heard(message: &Value) -> Heard {
    Heard {
        id: message["messageId"].as_str().unwrap().to_owned(),
        at: message["publishedAt"].clone(),
        payload: message["data"].clone(),
        headers: message["headers"].clone(),
        publisher: message["publisherId"].clone(),
        seq: message["seq"].as_u64(),
    }
}
