//! Devices that come and go see in the end what the list says, whatever happened meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::server::Server;
use testkit::sse::Events;

use super::support::*;

/// Numbers that a seed decides (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }

    fn is_one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

/// What the world around the devices does.
struct World<'a> {
    server: &'a Server,
    campaign: String,
    tokens: [String; 2],
    next: u64,
}

const USERS: [&str; 2] = ["ann", "bob"];
const CLIENTS: [&str; 2] = ["web", "ios"];

impl World<'_> {
    /// One thing of all that can happen to an inbox.
    async fn step(&mut self, dice: &mut Dice) {
        let id = format!("m{}", dice.below(self.next.max(1)));
        let user = usize::from(dice.is_one_in(4));
        match dice.below(12) {
            0..5 => self.import(dice).await,
            5 | 6 => {
                let call = delete(self.server, &format!("/messages/{id}"));
                call.token(&self.tokens[user]).text().await;
            }
            7 | 8 => {
                let call = post(self.server, &format!("/messages/{id}/read"));
                call.token(&self.tokens[user]).text().await;
            }
            9 => {
                let body = json!({"messages": [{"id": id}]}).to_string();
                let call = post(self.server, "/messages/retract").key(&self.campaign);
                call.header("content-type", "application/json")
                    .body(body)
                    .text()
                    .await;
            }
            10 => self
                .server
                .clock
                .advance(Duration::from_millis(dice.below(3_000))),
            _ => {
                let call = post(self.server, "/messages/cleanup").key(&self.campaign);
                assert_eq!(call.text().await.0, 200);
            }
        }
    }

    /// Some messages, shown from now or later on, most of them not for long.
    async fn import(&mut self, dice: &mut Dice) {
        let most = if dice.is_one_in(8) { 150 } else { 4 };
        let count = 1 + dice.below(most);
        let now = jiff::Timestamp::from_millisecond(self.server.engine.clock().now().0).unwrap();
        let mut lines = Vec::new();
        for _ in 0..count {
            let created = now + jiff::SignedDuration::from_millis(dice.below(4_000) as i64 - 2_000);
            let expires = created + jiff::SignedDuration::from_millis(dice.below(20_000) as i64 + 1);
            let clients: &[&str] = if dice.is_one_in(4) {
                &CLIENTS[1..]
            } else {
                &CLIENTS
            };
            let fields = json!({
                "created": created.to_string(),
                "expires": expires.to_string(),
                "clients": clients,
                "prio": dice.below(3),
            });
            let user = USERS[usize::from(dice.is_one_in(4))];
            lines.push(with(document(&format!("m{}", self.next), user), fields).to_string());
            self.next += 1;
        }
        assert_eq!(
            import(self.server, &self.campaign, lines.join("\n"))
                .text()
                .await
                .0,
            200
        );
    }
}

/// A device of a user: keeps messages by id, as events tell it to.
struct Device {
    user: usize,
    client: &'static str,
    shown: BTreeMap<String, Value>,
    unread: u64,
    last_id: String,
    events: Option<Events>,
    is_synced: bool,
    resets: u32,
}

impl Device {
    fn new(user: usize, client: &'static str) -> Self {
        Self {
            user,
            client,
            shown: BTreeMap::new(),
            unread: 0,
            last_id: String::new(),
            events: None,
            is_synced: false,
            resets: 0,
        }
    }

    async fn connect(&mut self, world: &World<'_>) {
        let path = format!("/messages/stream?limit=1000&client={}", self.client);
        let call = get(world.server, &path).token(&world.tokens[self.user]);
        // A first connection knows nothing: what it has is of none before.
        if self.last_id.is_empty() {
            self.shown.clear();
        }
        let call = call.header("last-event-id", &self.last_id);
        self.events = Some(Events::of(call.stream().await));
        self.is_synced = false;
    }

    /// Takes an event if one comes soon; whether it did.
    async fn take(&mut self, patience: Duration) -> bool {
        let Some(events) = &mut self.events else {
            return false;
        };
        let Ok(event) = tokio::time::timeout(patience, events.next()).await else {
            return false;
        };
        let event = event.expect("the server ends no stream here");
        let data = event.json();
        let id = data["id"].as_str().unwrap_or_default().to_owned();
        self.unread = data["unread"].as_u64().unwrap();
        match event.name.as_str() {
            "message" => {
                let mut message = data;
                message.as_object_mut().unwrap().remove("unread");
                self.shown.insert(id, message);
            }
            "read" => {
                let message = self.shown.get_mut(&id).expect("only what is known is read");
                message["read"] = json!(true);
            }
            "removed" => drop(self.shown.remove(&id)),
            "synced" => self.is_synced = true,
            "reset" => {
                self.shown.clear();
                self.resets += 1;
            }
            other => panic!("{other}: {data}"),
        }
        self.last_id = event.id;
        true
    }
}

/// What the list says.
async fn listed_whole(world: &World<'_>, device: &Device) -> BTreeMap<String, Value> {
    let path = format!("/messages?limit=1000&client={}", device.client);
    let data = get(world.server, &path)
        .token(&world.tokens[device.user])
        .data()
        .await;
    let messages = data["messages"].as_array().unwrap().iter();
    messages
        .map(|message| (message["id"].as_str().unwrap().to_owned(), message.clone()))
        .collect()
}

async fn run(seed: u64) -> u32 {
    let server = Server::start().await;
    let app = server.default_app().await;
    let campaign = app.key("campaign", "import,cleanup").await;
    let tokens = [app.token(USERS[0]).await, app.token(USERS[1]).await];
    let mut world = World {
        server: &server,
        campaign,
        tokens,
        next: 0,
    };
    let mut dice = Dice(seed);
    let mut devices = [
        Device::new(0, "web"),
        Device::new(0, "web"),
        Device::new(0, "ios"),
        Device::new(1, "web"),
    ];
    for _ in 0..120 {
        world.step(&mut dice).await;
        for device in &mut devices {
            match (dice.below(8), device.events.is_some()) {
                (0, true) => device.events = None,
                (0..3, false) => device.connect(&world).await,
                // Reads some of what waits: the next cut comes anywhere.
                (3..6, true) => {
                    for _ in 0..dice.below(6) {
                        device.take(Duration::from_millis(2)).await;
                    }
                }
                _ => {}
            }
        }
    }
    let mut resets = 0;
    for device in &mut devices {
        if device.events.is_none() {
            device.connect(&world).await;
        }
        let expected = listed_whole(&world, device).await;
        let settled = testkit::soon("the device to see what is listed", async {
            while !device.is_synced || device.shown != expected {
                if !device.take(Duration::from_secs(3)).await {
                    return false;
                }
            }
            true
        });
        assert!(
            settled.await,
            "seed {seed}: {:?} is not {expected:?}",
            device.shown
        );
        // What still waits changes nothing.
        while device.take(Duration::from_millis(20)).await {}
        assert_eq!(device.shown, expected, "seed {seed}");
        let unread = expected.values().filter(|message| message.get("read").is_none());
        assert_eq!(device.unread, unread.count() as u64, "seed {seed}");
        resets += device.resets;
    }
    server.stop().await;
    resets
}

#[tokio::test]
async fn devices_that_come_and_go_see_in_the_end_what_is_listed() {
    let mut resets = 0;
    for seed in 1..=6 {
        resets += run(seed).await;
    }
    assert!(resets > 0, "some were away for too long");
}
