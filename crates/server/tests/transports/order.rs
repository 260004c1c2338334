use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::readers::{Ask, Heard, Reader, Transport};
use crate::world::World;

/// Bodies that differ in everything that a reader is told.
fn body(publisher: u64, number: u64) -> Value {
    match number % 4 {
        0 => json!({"message": number, "publisherId": format!("p{publisher}")}),
        1 => json!({"message": {"n": number, "s": "é\u{2028}\"\\"}, "headers": {"a": number, "b": true}}),
        2 => json!({"message": "", "subtopic": "news.x", "headers": {"é": "\n"}}),
        _ => json!({"message": [number, 1.5, null], "publisherId": ""}),
    }
}

#[tokio::test]
async fn every_transport_gets_the_same_messages_in_the_same_order() {
    const PUBLISHERS: u64 = 4;
    const EACH: u64 = 60;
    let world = World::new().await;
    let opened = Transport::ALL.map(|transport| Reader::open(&world, transport, Ask::all(&world, "news")));
    let mut readers: Vec<Reader<'_>> = join_all(opened)
        .await
        .into_iter()
        .map(|reader| reader.unwrap_or_else(|code| panic!("refused with {code}")))
        .collect();
    let publishing = join_all((0..PUBLISHERS).map(|publisher| {
        let world = &world;
        async move {
            let mut ids = Vec::new();
            for number in 0..EACH {
                ids.push(world.publish("news", &body(publisher, number)).await);
            }
            ids
        }
    }));
    let count = (PUBLISHERS * EACH) as usize;
    let reading = join_all(readers.iter_mut().map(|reader| reader.read(count)));
    let (published, heard) = tokio::join!(publishing, reading);
    let order = &heard[0];
    for (transport, heard) in Transport::ALL.iter().zip(&heard) {
        assert_eq!(heard.len(), count, "{transport:?}");
        for (at, (heard, expected)) in heard.iter().zip(order).enumerate() {
            let seq = transport.abilities().tells_seq.then_some(at as u64 + 1);
            assert_eq!(heard.seq, seq, "{transport:?}, message {at}");
            let heard = Heard {
                seq: expected.seq,
                ..heard.clone()
            };
            assert_eq!(heard, *expected, "{transport:?}, message {at}");
        }
    }
    let place = |id: &String| order.iter().position(|heard| heard.id == *id).unwrap();
    for ids in published {
        let places: Vec<usize> = ids.iter().map(place).collect();
        assert!(places.is_sorted(), "a publisher's messages are in its order");
    }
    let mut contents: Vec<String> = order.iter().map(|heard| heard.payload.to_string()).collect();
    let mut expected: Vec<String> = (0..PUBLISHERS)
        .flat_map(|publisher| (0..EACH).map(move |number| body(publisher, number)["message"].to_string()))
        .collect();
    contents.sort();
    expected.sort();
    assert_eq!(contents, expected);
}
