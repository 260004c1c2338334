use serde_json::{Value, json};
use testkit::clock::START;

use crate::on_every_transport;
use crate::readers::{Ask, Reader, Transport};
use crate::world::{Credential, World};

on_every_transport! {
    a_selector_picks_the_same_messages
    a_subtopic_picks_the_same_messages
    a_selector_of_the_token_is_added_to_the_readers_own
    a_bad_selector_is_refused_with_its_code
}

/// Numbers 1 to 30 with headers and subtopics that go by the number.
async fn publish(world: &World) {
    for number in 1..=30_u64 {
        let body = json!({
            "message": number,
            "headers": {"n": number, "even": number % 2 == 0, "team": if number % 3 == 0 { "a" } else { "b" }},
            "subtopic": format!("news.{}", if number % 5 == 0 { "sports.x" } else { "dallas" }),
        });
        world.publish("news", &body).await;
    }
    // What is for nobody must not be waited for: the end is for everybody.
    let end =
        json!({"message": 31, "headers": {"n": 31, "even": true, "team": "a"}, "subtopic": "news.sports.x"});
    world.publish("news", &end).await;
}

async fn numbers(reader: &mut Reader<'_>, count: usize) -> Vec<u64> {
    let heard = reader.read(count).await;
    heard.iter().filter_map(|heard| heard.payload.as_u64()).collect()
}

async fn a_selector_picks_the_same_messages(transport: Transport) {
    let world = World::new().await;
    let ask = Ask {
        selector: "n BETWEEN 7 AND 12 AND even OR n >= 31".to_owned(),
        ..Ask::all(&world, "news")
    };
    let mut reader = Reader::open(&world, transport, ask).await.unwrap();
    let (heard, ()) = tokio::join!(numbers(&mut reader, 4), publish(&world));
    assert_eq!(heard, [8, 10, 12, 31]);
}

async fn a_subtopic_picks_the_same_messages(transport: Transport) {
    let world = World::new().await;
    let ask = Ask {
        subtopic: "news.*.x".to_owned(),
        ..Ask::all(&world, "news")
    };
    let mut reader = Reader::open(&world, transport, ask).await.unwrap();
    let expected = match transport.abilities().takes_subtopics {
        true => vec![5, 10, 15, 20, 25, 30, 31],
        false => (1..=31).collect(),
    };
    let (heard, ()) = tokio::join!(numbers(&mut reader, expected.len()), publish(&world));
    assert_eq!(heard, expected);
}

async fn a_selector_of_the_token_is_added_to_the_readers_own(transport: Transport) {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let token = |claims: Value| Credential::Token(app.token_of(&claims));
    let expires = START.0 / 1_000 + 600;
    let ask = Ask {
        selector: "n > 20".to_owned(),
        credential: token(json!({"sub": "ann", "exp": expires, "selector": "team = 'a'"})),
        ..Ask::all(&world, "news")
    };
    let mut reader = Reader::open(&world, transport, ask).await.unwrap();
    let (heard, ()) = tokio::join!(numbers(&mut reader, 5), publish(&world));
    assert_eq!(heard, [21, 24, 27, 30, 31]);
}

async fn a_bad_selector_is_refused_with_its_code(transport: Transport) {
    let world = World::new().await;
    let ask = Ask {
        selector: "n > ".to_owned(),
        ..Ask::all(&world, "news")
    };
    let refused = Reader::open(&world, transport, ask).await;
    assert_eq!(refused.err(), Some(5906));
}
