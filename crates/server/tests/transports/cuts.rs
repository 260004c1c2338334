use std::time::Duration;

use serde_json::json;

use crate::dice::Dice;
use crate::on_every_transport;
use crate::readers::{Ask, PATIENCE, Reader, Transport};
use crate::world::World;

const MESSAGES: u64 = 80;

on_every_transport! { a_flaky_client_gets_every_message_once_and_in_order }

async fn a_flaky_client_gets_every_message_once_and_in_order(transport: Transport) {
    let world = World::new().await;
    for seed in 0..4 {
        let channel = format!("news.{seed}");
        let mut reader = Reader::open(&world, transport, Ask::all(&world, &channel))
            .await
            .unwrap();
        let publishing = async {
            let mut dice = Dice(seed ^ 0xfeed);
            for number in 1..=MESSAGES {
                world.publish(&channel, &json!({ "message": number })).await;
                if dice.once_in(8) {
                    tokio::time::sleep(Duration::from_millis(dice.below(30))).await;
                }
            }
        };
        let reading = tokio::time::timeout(PATIENCE, async {
            let mut dice = Dice(seed);
            let (mut heard, mut cuts) = (Vec::new(), 0);
            while heard.last() != Some(&MESSAGES) {
                if dice.once_in(5) {
                    cuts += 1;
                    reader.cut(&mut dice).await;
                }
                let next = reader.next().await;
                heard.extend(next.iter().map(|heard| heard.payload.as_u64().unwrap()));
            }
            (heard, cuts)
        });
        let (read, ()) = tokio::join!(reading, publishing);
        let Ok((heard, cuts)) = read else {
            panic!("{transport:?}, seed {seed}: the last message did not come within {PATIENCE:?}");
        };
        let expected: Vec<u64> = (1..=MESSAGES).collect();
        assert_eq!(heard, expected, "{transport:?}, seed {seed}, {cuts} cuts");
        assert!(cuts > 0, "{transport:?}, seed {seed}: nothing was cut");
    }
}
