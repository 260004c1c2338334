use serde_json::json;
use testkit::server::Server;

use crate::dice::Dice;
use crate::on_every_transport;
use crate::readers::{Ask, PATIENCE, Reader, Transport};
use crate::world::World;

on_every_transport! { what_the_window_lost_is_told_where_it_can_be_and_the_rest_comes }

async fn what_the_window_lost_is_told_where_it_can_be_and_the_rest_comes(transport: Transport) {
    let world = World::of(Server::builder().app(|settings| settings.history.count = 5)).await;
    let mut reader = Reader::open(&world, transport, Ask::all(&world, "news"))
        .await
        .unwrap();
    world.publish("news", &json!({"message": 1})).await;
    assert_eq!(reader.read(1).await[0].payload, 1);
    reader.cut(&mut Dice(0)).await;
    for number in 2..=20 {
        world.publish("news", &json!({ "message": number })).await;
    }
    let (mut heard, mut gaps) = (Vec::new(), 0);
    let reading = Box::pin(async {
        while heard.len() < 5 {
            let answer = reader.next_or_gap().await;
            gaps += u32::from(answer.gap);
            heard.extend(answer.messages.into_iter().map(|heard| heard.payload));
        }
    });
    let read = tokio::time::timeout(PATIENCE, reading).await;
    assert!(read.is_ok(), "{transport:?}: not all that the window holds came");
    assert_eq!(heard, [16, 17, 18, 19, 20], "{transport:?}");
    assert_eq!(gaps, u32::from(transport.abilities().tells_gaps), "{transport:?}");
}
