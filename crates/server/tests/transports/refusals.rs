use serde_json::json;

use crate::on_every_transport;
use crate::readers::{Ask, Reader, Transport};
use crate::world::{Credential, World};

on_every_transport! {
    who_may_not_subscribe_is_refused
    a_bad_channel_name_is_refused
}

async fn who_may_not_subscribe_is_refused(transport: Transport) {
    let world = World::new().await;
    let app = world.server.default_app().await;
    app.set(|settings| {
        let rule = json!({"pattern": "staff.*", "subscribe": ["role:editor"]});
        settings.channels.push(serde_json::from_value(rule).unwrap());
    })
    .await;
    let publisher = app.key("publisher", "publish").await;
    let revoked = app.create_key("gone", "subscribe", None).await;
    app.revoke(&revoked).await;
    world.server.engine.access().refresh().await.unwrap();
    let editor = app
        .token_with("eve", &["editor"], std::time::Duration::from_secs(600))
        .await;
    let cases = [
        ("news", Credential::Key(publisher), Some(5007)),
        ("staff.x", world.credential(), Some(5007)),
        ("staff.x", Credential::Token(app.token("ann").await), Some(5007)),
        ("staff.x", Credential::Token(editor), None),
        ("news", Credential::Key(revoked.secret), Some(2002)),
        ("news", Credential::Token("x.y.z".to_owned()), Some(3064)),
        ("news", world.credential(), None),
    ];
    for (at, (channel, credential, code)) in cases.into_iter().enumerate() {
        let ask = Ask {
            credential,
            ..Ask::all(&world, channel)
        };
        let refused = Reader::open(&world, transport, ask).await.err();
        assert_eq!(refused, code, "{transport:?}, case {at}");
    }
}

async fn a_bad_channel_name_is_refused(transport: Transport) {
    let world = World::new().await;
    let name = match transport.abilities().names_channels_in_paths {
        true => "a%2Fb",
        false => "a/b",
    };
    let refused = Reader::open(&world, transport, Ask::all(&world, name)).await;
    assert_eq!(refused.err(), Some(5903), "{transport:?}");
}
